"""What the walks of the truth machine found, each as the smallest story of its own."""

import shutil

import pytest

from syncer.domain.readiness.checks import Level
from syncer.onboarding import readiness
from tests.support.payments_world import correct, move, standing_payments

LEDGER = "ledger.duckdb"


@pytest.fixture
def forgetful(world, tmp_path):
    """`copy()` keeps the ledger as it is, `put_back()` gives it back, ten minutes later."""

    class Copy:
        def copy(self):
            for file in tmp_path.glob(f"{LEDGER}*"):
                shutil.copy(file, tmp_path / f"kept-{file.name}")

        def put_back(self):
            for file in tmp_path.glob(f"{LEDGER}*"):
                file.unlink()
            for file in tmp_path.glob(f"kept-{LEDGER}*"):
                shutil.copy(file, tmp_path / file.name.removeprefix("kept-"))
            world.later(minutes=10)

    return Copy()


def standing(world, number):
    """Its status in Xero."""
    return world.xero.invoice(number)["Status"]


def test_what_was_sent_after_the_copy_and_voided_since_is_voided_in_xero(world, forgetful):
    """A ledger that never knew of an invoice finds ours in Xero and voids it there: it was not void before it went."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    forgetful.put_back()
    world.sync(full=True)
    assert standing(world, "INV-1") == "VOIDED"
    assert world.state("INV-1") == "synced"


def test_what_was_sent_and_voided_after_the_copy_is_not_told_as_never_sent(world, forgetful):
    """The same where the void went over as well: nobody is told that it never was in Xero."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    world.sync()
    forgetful.put_back()
    world.sync(full=True)
    assert standing(world, "INV-1") == "VOIDED"
    assert world.cause("INV-1") != "void_before_sync"


def ours(world):
    """Documents that stand in Xero, each as often as it is there, by number."""
    return sorted(one["InvoiceNumber"] for one in world.xero.invoices() if one["Status"] not in ("VOIDED", "DELETED"))


@pytest.mark.parametrize("full", [False, True])
def test_what_was_sent_after_the_copy_and_renumbered_since_is_not_sent_twice(world, forgetful, full):
    """Our mark in Xero binds it again, whatever its number is by now."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", number="INV-2")
    forgetful.put_back()
    world.sync(full=full)
    assert len(ours(world)) == 2
    assert world.state("INV-2") == "held" or ours(world) == ["INV-2", "OLD"]


EDITS = {
    "due date": {"dueDate": "2027-01-31"},
    "lines": {"lines": [{"name": "Other work", "qty": 2, "amount": 70, "taxes": [10]}]},
    "a line's tax": {"lines": [{"name": "Work", "qty": 1, "amount": 120, "taxes": []}]},
    "issue date": {"issueDate": "2026-11-01"},
}


@pytest.mark.parametrize("what", EDITS)
def test_what_was_sent_after_the_copy_and_edited_since_is_not_called_equal(world, forgetful, what):
    """A document that is found by our mark is as it was sent, and not as the invoice is by now."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1", issueDate="2026-11-10", dueDate="2026-12-10")
    world.sync()
    world.crm.edit_invoice("INV-1", **EDITS[what])
    forgetful.put_back()
    world.sync(times=2, full=True)
    said, there = world.crm.invoice("INV-1"), world.xero.invoice("INV-1")
    is_equal = (
        (there["Total"], there["TotalTax"]) == (said["total"], said["totalSummary"]["tax"])
        and there["DueDate"] == ("2027-01-31" if what == "due date" else "2026-12-10")
        and there["Date"] == ("2026-11-01" if what == "issue date" else "2026-11-10")
    )
    assert is_equal == (world.state("INV-1") == "synced")
    assert world.state("INV-1") in ("synced", "held")


CARRIED_EDITS = {**EDITS, "number": {"number": "INV-2"}}


@pytest.mark.parametrize("paid", [0, 10])
@pytest.mark.parametrize("what", CARRIED_EDITS)
def test_what_was_edited_and_carried_after_the_copy_is_not_told_as_somebodys_change(paying, forgetful, what, paid):
    """A ledger of before the edit finds in Xero what CrocoClick says by now: both books agree, nobody is blamed."""
    world = paying
    world.has("INV-1", issueDate="2026-11-10", dueDate="2026-12-10")
    world.sync()
    forgetful.copy()
    world.crm.edit_invoice("INV-1", **CARRIED_EDITS[what])
    world.sync()
    number = CARRIED_EDITS[what].get("number", "INV-1")
    if paid:
        world.crm.pay(number, paid)
        world.sync()
    forgetful.put_back()
    world.sync(times=2, full=True)
    assert world.state(number) == "synced", world.explain(number)


@pytest.fixture
def paying(world):
    """The account that payments in EUR go to is set."""
    accounts = world.xero.accounts()
    bank = next(one for one in accounts if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR")
    world.set(payment_account__EUR=bank["AccountID"])
    return world


def test_a_payment_that_came_from_another_invoice_is_not_told_as_gone(paying):
    """The invoice that has it in CrocoClick is told that Xero has it on another one, with the amount that it is now."""
    world = paying
    world.has("INV-1")
    world.has("INV-2")
    transaction = world.crm.pay("INV-1", 60)
    world.sync()
    move(world, transaction, "INV-2")
    correct(world, transaction, amount=50)
    world.later(hours=25)
    world.sync()
    sentence = world.explain("INV-2")["cause"]["sentence"]
    assert "€50.00 is on another invoice in Xero" in sentence and "belongs" not in sentence


def test_a_payment_that_was_corrected_while_xero_is_down_is_read_before_it_is_judged(paying):
    """A run that ends early says nothing of transactions as they were: both amounts of CrocoClick are of one moment."""
    world = paying
    world.has("INV-1", issueDate="2026-05-04")
    transaction = world.crm.pay("INV-1", 60, at="2026-05-05T10:00:00.000Z")
    world.sync()
    world.later(hours=25)
    world.sync(full=True)
    correct(world, transaction, amount=59)
    world.has("INV-2")
    world.faults.add("error_503", side="xero", path="/api.xro", times=1000)
    world.sync()
    assert world.explain("INV-1")["cause"] is None or world.cause("INV-1") != "payment_mismatch"


def test_a_payment_of_another_customer_is_found_before_it_is_missed(paying):
    """A payment moved from an invoice that Xero lacks, of somebody else, is read before two amounts are compared."""
    world = paying
    other = world.crm.add_contact(name="Other", email="other@example.org")
    world.has("INV-1", contact=other, lines=[{"name": "Odd", "qty": 1, "amount": 100, "taxes": [7.7]}])
    world.has("INV-2")
    transaction = world.crm.pay("INV-1", 50, at="2026-05-05T10:00:00.000Z")
    world.sync()
    world.later(hours=25)
    world.sync()
    move(world, transaction, "INV-2")
    world.sync()
    assert world.cause("INV-2") is None
    assert standing_payments(world, "INV-2")


def test_a_payment_dated_back_is_found_also_where_nobody_waits(paying):
    """A watch asks for the customer's transactions, too, before it says that they do not add up."""
    world = paying
    world.has("INV-1")
    world.sync()
    world.later(hours=25)
    world.sync(full=True)
    world.crm.pay("INV-1", 50, at="2026-05-05T10:00:00.000Z")
    world.sync(patient=True)
    assert world.cause("INV-1") is None
    assert standing_payments(world, "INV-1")


def test_the_readiness_report_reads_payments_before_it_speaks_of_them(paying):
    """What a run would hold for is in the report, although the invoice has moved since a run last read payments."""
    world = paying
    world.has("INV-1")
    transaction = world.crm.pay("INV-1", 60)
    world.sync()
    correct(world, transaction, amount=59)
    report = readiness.check(world.connection, lambda *told: None, lambda: False)
    [found] = [one for one in report.checks if one.level is Level.FAIL]
    assert (found.code, found.facts["cause"]) == ("in_xero", "payment_changed")


def test_an_invoice_that_a_moved_payment_sets_free_goes_over_in_the_same_run(paying):
    """Where the transactions show only late that a payment left, what waited for that is not left for another run."""
    world = paying
    other = world.crm.add_contact(name="Other", email="other@example.org")
    world.has("INV-1", issueDate="2026-05-04")
    world.has("INV-2", contact=other, issueDate="2026-05-04")
    transaction = world.crm.pay("INV-1", 60, at="2026-05-05T10:00:00.000Z")
    world.sync()
    [entered] = standing_payments(world, "INV-1")
    world.later(hours=60)
    world.sync()
    world.xero.delete_payment(entered["PaymentID"])
    world.later(hours=25)
    world.sync()
    assert world.cause("INV-1") == "changed_in_xero"
    move(world, transaction, "INV-2")
    world.crm.edit_invoice("INV-1", dueDate="2026-09-30")
    world.sync()
    assert (world.state("INV-1"), world.cause("INV-1")) == ("synced", None)
    assert world.xero.invoice("INV-1")["DueDateString"].startswith("2026-09-30")


def test_a_payment_by_hand_is_told_also_after_the_invoice_got_another_due_date(paying):
    """What is written over a document does not hide the money that somebody else entered on it."""
    world = paying
    world.has("INV-1")
    world.sync()
    world.xero.pay("INV-1", 50)
    world.later(hours=25)
    world.sync()
    assert world.cause("INV-1") == "changed_in_xero"
    world.crm.edit_invoice("INV-1", dueDate="2026-12-24")
    world.sync()
    assert world.xero.invoice("INV-1")["DueDateString"].startswith("2026-12-24")
    assert (world.state("INV-1"), world.cause("INV-1")) == ("held", "changed_in_xero")


def test_what_holds_the_document_is_told_also_where_its_payment_was_refused(paying):
    """A payment that Xero refuses for the role of who connected leaves the invoice held for what somebody changed."""
    world = paying
    world.has("INV-1")
    world.sync()
    document = world.xero.invoice("INV-1")["InvoiceID"]
    world.xero.update("invoices", document, InvoiceNumber="ACC-1")
    world.later(hours=25)
    world.sync()
    assert world.cause("INV-1") == "changed_in_xero"
    world.crm.pay("INV-1", 100)
    world.xero.switch(role="READONLY")
    world.sync()
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "changed_in_xero")


def test_money_paid_after_a_refund_goes_over_and_the_refund_stays_told(paying):
    """A refund is a fact of its own: what is paid after it is entered, and a person still books the refund."""
    world = paying
    world.has("INV-1")
    first = world.crm.pay("INV-1", 40)
    world.sync()
    world.crm.refund(first)
    world.crm.pay("INV-1", 20)
    world.sync()
    assert [one["Amount"] for one in standing_payments(world, "INV-1")] == [40, 20]
    told = world.explain("INV-1")
    assert (told["cause"]["code"], told["cause"]["facts"]["refunded"]) == ("refund_needs_person", "40")
