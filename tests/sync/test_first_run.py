"""Invoices go over, once, to the cent; what does not go says why."""

from decimal import Decimal

import pytest

from syncer.app import jobs
from syncer.domain.model.problems import CAUSES


def test_an_invoice_reaches_xero(world):
    """A sent invoice becomes an approved Xero invoice of the same number, total, tax and dates, marked as sent."""
    world.has("INV-1", issueDate="2026-11-02", dueDate="2026-12-02")
    assert world.sync()["created"] == 1
    [invoice] = world.xero.invoices()
    assert (invoice["InvoiceNumber"], invoice["Status"], invoice["SentToContact"]) == ("INV-1", "AUTHORISED", True)
    assert (Decimal(str(invoice["Total"])), Decimal(str(invoice["TotalTax"]))) == (Decimal(120), Decimal(20))
    assert (invoice["DateString"][:10], invoice["DueDateString"][:10]) == ("2026-11-02", "2026-12-02")
    assert world.explain("INV-1")["state"] == "synced"


def test_a_second_run_writes_nothing(world):
    """Over unchanged invoices a run makes no call to Xero at all."""
    for number in range(5):
        world.has(f"INV-{number}")
    world.sync()
    world.box.reset_calls()
    assert world.sync()["unchanged"] == 5
    assert world.box.count(side="xero") == 0


def test_a_new_invoice_costs_one_call_and_one_for_its_contact(world):
    """Between daily passes a new invoice is one Xero call, and one more when its customer is new."""
    first = world.crm.add_contact(name="Known", email="known@example.org")
    world.has("INV-1", contact=first)
    world.sync()
    world.has("INV-2", contact=first)
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero") == 1
    world.has("INV-3")
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero") == 2


def test_fifty_invoices_are_one_call(world):
    """Writes go in batches of fifty: 120 invoices of one customer are three calls and one for the customer."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(120):
        world.has(f"INV-{number}", contact=contact)
    world.sync()
    assert world.box.count(side="xero", method="PUT", path="/Invoices") == 3
    assert world.box.count(side="xero", method="PUT", path="/Contacts") == 1
    assert len(set(world.xero.numbers())) == 120


def test_contacts_are_linked_by_email_before_any_is_created(world):
    """A customer whose email one Xero contact has is that contact, however either is spelt."""
    there = world.xero.add_contact(Name="Martin & Fils", EmailAddress="Compta@Martin.example")
    world.has("INV-1", contact=world.crm.add_contact(name="Martin et fils", email=" compta@martin.example "))
    world.sync()
    assert world.xero.invoices()[0]["Contact"]["ContactID"] == there
    assert len(world.xero.contacts()) == 1


def test_two_customers_with_one_email_become_one_contact(world):
    """Two CrocoClick contacts that share an email share the Xero contact that the first of them makes."""
    world.crm.profile(settings={"allowDuplicateContact": True})
    for number, name in (("INV-1", "Anna Dupont"), ("INV-2", "Atelier Dupont")):
        world.has(number, contact=world.crm.add_contact(name=name, email="anna@dupont.example"))
    assert world.sync()["created"] == 2
    assert len(world.xero.contacts()) == 1


def test_a_created_contact_carries_our_mark(world):
    """A contact we create has the CrocoClick contact id as its ContactNumber, by which it is found again."""
    contact = world.crm.add_contact(name="New", email="new@example.org")
    world.has("INV-1", contact=contact)
    world.sync()
    assert [one["ContactNumber"] for one in world.xero.contacts()] == [contact]


def test_discounts_and_several_taxes_come_out_to_the_cent(world):
    """A percentage off the document, inclusive prices and two rates: Xero's total is CrocoClick's."""
    lines = [
        {"name": "Conseil", "qty": 3, "amount": 33.33, "taxes": [20]},
        {"name": "Livre", "qty": 7, "amount": 12.35, "taxes": [5.5]},
        {"name": "Port", "qty": 1, "amount": 9.99, "taxes": []},
    ]
    world.has("INV-1", lines=lines, discount={"type": "percentage", "value": 7.5})
    world.has("INV-2", lines=lines, discount={"type": "fixed", "value": 10})
    world.has("INV-3", lines=[{**line, "taxInclusive": True} for line in lines])
    assert world.sync()["created"] == 3
    shown = {one["invoiceNumber"]: Decimal(str(one["total"])) for one in world.crm.invoices()}
    assert {one["InvoiceNumber"]: Decimal(str(one["Total"])) for one in world.xero.invoices()} == shown


def test_drafts_void_and_test_invoices_stay_out(world):
    """What the settings leave out is not eligible, with its reason, and is not sent."""
    world.has("INV-1", status="draft")
    world.has("INV-2", status="void")
    world.has("INV-3", liveMode=False)
    assert world.sync()["not_eligible"] == 3
    causes = {world.explain(f"INV-{n}")["cause"]["code"] for n in (1, 2, 3)}
    assert causes == {"status_not_selected", "void_before_sync", "test_mode"}
    assert world.writes() == 0


def test_drafts_go_as_drafts_when_selected(world):
    """With `draft` among the statuses a draft becomes a Xero draft that is not marked as sent."""
    world.set(statuses="draft,sent")
    world.has("INV-1", status="draft")
    world.sync()
    [invoice] = world.xero.invoices()
    assert (invoice["Status"], invoice["SentToContact"]) == ("DRAFT", False)


TROUBLE = {
    "tax_unmapped": {"lines": [{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}]},
    "currency_not_enabled": {"currency": "CHF"},
    "due_date_missing": {"dueDate": None},
    "number_invalid": {"number": "N°1"},
    "negative_total": {"lines": [{"name": "Refund", "qty": 1, "amount": -50, "taxes": []}]},
}


@pytest.mark.parametrize("cause", TROUBLE)
def test_what_cannot_go_is_held_with_its_cause_and_its_neighbour_goes(world, cause):
    """One bad invoice is held with a sentence and a remedy; the good one beside it arrives."""
    number = TROUBLE[cause].get("number", "INV-BAD")
    world.has(number, contact=world.crm.add_contact(name="Bad", email="bad@example.org"), **{
        key: value for key, value in TROUBLE[cause].items() if key != "number"
    })  # fmt: skip
    world.has("INV-GOOD")
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["held"]) == (1, 1)
    told = world.explain(number)
    assert told["cause"]["code"] == cause
    assert told["remedy"]["sentence"] and told["cause"]["sentence"]
    assert "_" not in told["verdict"]
    assert cause in CAUSES


def test_a_locked_period_holds(world):
    """A date on the lock date itself is locked."""
    world.xero.organisation(PeriodLockDate="2026-10-31")
    world.has("INV-1", issueDate="2026-10-31", dueDate="2026-11-30")
    world.has("INV-2", issueDate="2026-11-01", dueDate="2026-11-30")
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "period_locked"
    assert world.explain("INV-2")["state"] == "synced"


def test_of_two_invoices_with_one_number_the_earlier_goes(world):
    """The later issued of two that share a number is held and names the other."""
    world.has("INV-1", issueDate="2026-11-05", dueDate="2026-12-05")
    later = world.has("INV-1 ", issueDate="2026-11-09", dueDate="2026-12-09")
    world.crm.edit_invoice(later, invoiceNumber="INV-1")
    world.sync(times=2)
    [held] = world.ledger.rows("held_in", everything=True, ids=[])
    assert (held["source_id"], held["cause"]) == (later, "number_taken")
    assert "earlier CrocoClick invoice" in world.explain(later)["cause"]["sentence"]


def test_a_number_that_the_accountant_used_is_never_overwritten(world):
    """A document in Xero without our mark keeps its content; ours is held."""
    stranger = world.xero.add_contact(Name="Stranger")
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 55, "AccountCode": "706", "TaxType": "NONE"}
    world.xero.add_invoice(
        InvoiceNumber="INV-1",
        Contact={"ContactID": stranger},
        LineItems=[line],
        Date="2026-11-01",
        DueDate="2026-12-01",
        Status="AUTHORISED",
    )
    before = world.xero.invoice("INV-1")
    world.has("INV-1")
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "number_taken"
    assert world.xero.invoice("INV-1") == before


def test_a_lost_ledger_binds_again_without_a_write(world, box, tmp_path):
    """With a new ledger our own documents are recognised by their mark and nothing is sent twice."""
    from tests.support.sync_world import World

    for number in range(3):
        world.has(f"INV-{number}")
    world.sync()
    fresh = World(box, tmp_path / "fresh")
    fresh.connect()
    fresh.set(revenue_account="706")
    box.reset_calls()
    assert fresh.sync()["unchanged"] + fresh.sync()["unchanged"] >= 3
    assert fresh.writes() == 0
    assert fresh.explain("INV-1")["state"] == "synced"


def test_a_change_of_an_unpaid_invoice_is_carried(world):
    """An edited line reaches Xero in one more write, and both totals agree again."""
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", lines=[{"name": "More work", "qty": 2, "amount": 100, "taxes": [20]}])
    assert world.sync()["updated"] == 1
    assert Decimal(str(world.xero.invoice("INV-1")["Total"])) == 240


def test_a_void_is_carried(world):
    """An invoice voided in CrocoClick is voided in Xero."""
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    assert world.sync()["voided"] == 1
    assert world.xero.invoice("INV-1")["Status"] == "VOIDED"


def test_a_deleted_draft_never_goes_over(world):
    """What was seen, held and then deleted in CrocoClick is left out, even when its cause is cured later."""
    world.set(statuses="draft,sent", revenue_account="")
    world.has("INV-1", status="draft")
    world.has("INV-2")
    world.sync()
    world.crm.delete("INV-1")
    world.set(revenue_account="706")
    assert world.sync(full=True)["created"] == 1
    assert world.xero.numbers() == ["INV-2"]
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("not_eligible", "deleted_in_crococlick")


def test_without_a_revenue_account_everything_waits_for_an_administrator(world):
    """Nothing is guessed: without the account every invoice is held and says which setting is missing."""
    world.set(revenue_account="")
    world.has("INV-1")
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "account_missing"
    world.set(revenue_account="706")
    assert world.explain("INV-1")["state"] == "waiting"
    assert world.sync()["created"] == 1


def test_one_invoice_alone(world):
    """`sync --invoice` reads and sends that one only."""
    wanted = world.has("INV-1")
    world.has("INV-2")
    jobs.search(world.connection, "INV-1")
    assert world.sync(only=frozenset({wanted}), scope="INV-1")["created"] == 1
    assert world.xero.numbers() == ["INV-1"]
