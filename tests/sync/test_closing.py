"""Closing a period: both books compared over the sandbox, each thing that comes apart named by what it is."""

import pytest

from sandbox.server import Sandbox
from syncer.cli.invoices import order_of
from syncer.cli.parser import parser
from syncer.support import search
from tests.support.closing_damage import KINDS, equal_books
from tests.support.closing_world import differences, reconciled
from tests.support.sync_world import World


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """One pair of equal books with an invoice for each kind of damage, compared before and after it."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        asked = equal_books(world, KINDS)
        before, writes = reconciled(world), world.writes()
        expected = {kind: KINDS[kind](world, number) for kind, number in asked}
        world.before, world.expected, world.numbers = before, expected, dict(asked)
        world.found = reconciled(world)
        assert world.writes() == writes
        yield world


def test_equal_books_agree_to_the_cent(damaged):
    """Every document compared, every one equal, the residual zero, and nothing written."""
    before = damaged.before
    assert before["differences"] == before["unexplained"] == []
    assert before["compared"] == before["equal"] == len(KINDS)
    total = f"{120 * len(KINDS)}.00"
    assert before["totals"] == {"EUR": {"crococlick": total, "xero": total, "residual": "0.00"}}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_damage_is_named(damaged, kind):
    """By the field that differs, of that invoice, and by nothing else."""
    number = damaged.numbers[kind]
    told = {(one["number"], one["field"]) for one in damaged.found["differences"] if number in one["number"]}
    assert told == damaged.expected[kind]


def test_nothing_else_is_told(damaged):
    """No difference is invented, each is told once, and all that moves a total is explained to the cent."""
    told = [(one["number"], one["field"]) for one in damaged.found["differences"]]
    assert len(told) == len(set(told)) and set(told) == set().union(*damaged.expected.values())
    assert damaged.found["unexplained"] == []
    assert {total["residual"] for total in damaged.found["totals"].values()} == {"0.00"}
    assert damaged.found["compared"] - damaged.found["equal"] == len(KINDS)


def test_every_difference_says_who_does_what(damaged):
    """A sentence, somebody who acts, a next step; an order that the product knows, where there is one."""
    for one in damaged.found["differences"]:
        assert one["sentence"].endswith(".") and one["who"] and one["next"].endswith("."), one
        assert one["order"] is None or one["order"][0] in ("sync", "order", "retry", "unskip", "connect"), one


@pytest.fixture
def world(tmp_path):
    """A world whose invoices of October are in both books."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        world.connect()
        world.set(revenue_account="706", payment_account__EUR="512")
        for place in (1, 2, 3):
            world.has(f"INV-{place}", issueDate=f"2026-10-{9 + place}", dueDate="2026-11-30")
        yield world


OCTOBER = ("2026-10-01", "2026-10-31")
NOVEMBER = ("2026-11-01", "2026-11-30")


def test_what_is_not_in_xero_says_why(world):
    """Held: the cause and the remedy that explain gives. Never synced: sync."""
    world.sync()
    world.has(
        "INV-4",
        issueDate="2026-10-20",
        dueDate="2026-11-20",
        lines=[{"name": "W", "qty": 1, "amount": 10, "taxes": [7]}],
    )
    [new] = reconciled(world)["differences"]
    assert (new["order"], "No sync has seen it yet" in new["sentence"]) == (["sync"], True)
    world.sync()
    found = reconciled(world)
    [held] = found["differences"]
    assert (held["number"], held["field"], held["crococlick"], held["xero"]) == ("INV-4", "document", "10.70", None)
    remedy = world.explain("INV-4")["remedy"]
    assert "TVA 7 %" in held["sentence"] and (held["who"], held["next"]) == (remedy["who"], remedy["sentence"])
    assert held["order"] == remedy["order"]
    assert found["totals"]["EUR"] == {"crococlick": "370.70", "xero": "360.00", "residual": "0.00"}


def test_drafts_test_invoices_and_what_was_void_before_it_went_are_no_differences(world):
    """Nor bills, nor drafts in Xero; an invoice of an archived contact counts."""
    world.has("D-1", status="draft", issueDate="2026-10-20", dueDate="2026-11-20")
    world.has("T-1", liveMode=False, issueDate="2026-10-20", dueDate="2026-11-20")
    world.has("V-1", issueDate="2026-10-20", dueDate="2026-11-20")
    world.crm.void("V-1")
    world.sync()
    contact = world.xero.invoice("INV-1")["Contact"]["ContactID"]
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 5, "AccountCode": "706", "TaxType": "NONE"}
    bill = {"Contact": {"ContactID": contact}, "Date": "2026-10-20", "DueDate": "2026-11-20", "LineItems": [line]}
    world.xero.add_invoice(**bill, Type="ACCPAY", InvoiceNumber="INV-2", Status="AUTHORISED")
    world.xero.add_invoice(**bill, InvoiceNumber="X-DRAFT", Status="DRAFT")
    world.xero.update("contacts", contact, ContactStatus="ARCHIVED")
    found = reconciled(world)
    assert (found["differences"], found["compared"], found["equal"]) == ([], 3, 3)


def test_a_document_of_another_month_is_told_as_its_day_and_not_as_missing(world):
    """From whichever side and month it is looked at; the money of the month is explained."""
    world.sync()
    world.xero.update("invoices", "INV-1", Date="2026-11-02")
    world.crm.edit_invoice("INV-2", issueDate="2026-11-03")
    assert differences(world, *OCTOBER) == [("INV-1", "issue_date"), ("INV-2", "issue_date")]
    assert differences(world, *NOVEMBER) == [("INV-1", "issue_date"), ("INV-2", "issue_date")]
    totals = reconciled(world, *OCTOBER)["totals"]["EUR"]
    assert totals == {"crococlick": "240.00", "xero": "240.00", "residual": "0.00"}


def test_payments_count_by_their_own_day_also_on_older_invoices(world):
    """November holds what was paid in November, and the invoice itself is October's."""
    paid = world.crm.pay("INV-1", at="2026-11-05T09:00:00Z")
    world.crm.pay("INV-2", at="2026-10-25T09:00:00Z")
    world.sync()
    assert differences(world, *NOVEMBER) == []
    [payment] = [one for one in world.xero.payments() if paid in one["Reference"]]
    world.xero.delete_payment(payment["PaymentID"])
    world.xero.pay("INV-3", 20, date="2026-11-07")
    assert differences(world, *NOVEMBER) == [("INV-1", "payment"), ("INV-3", "payment")]


def test_a_payment_dated_into_another_month_is_told_as_its_day(world):
    """On either side, on an invoice that was not read."""
    paid = [world.crm.pay(f"INV-{place}", at="2026-11-05T09:00:00Z") for place in (1, 2)]
    world.sync()
    [payment] = [one for one in world.xero.payments() if paid[0] in one["Reference"]]
    world.xero.delete_payment(payment["PaymentID"])
    world.xero.pay("INV-1", payment["Amount"], date="2026-12-01", reference=payment["Reference"])
    world.crm.correct_payment(paid[1], fulfilledAt="2026-10-30T10:00:00.000Z")
    assert differences(world, *NOVEMBER) == [("INV-1", "payment_date"), ("INV-2", "payment_date")]


def test_a_contact_that_was_merged_in_xero_is_the_same_customer(world):
    """Also before the next reading of contacts."""
    world.sync()
    before = world.xero.invoice("INV-1")["Contact"]["ContactID"]
    survivor = world.xero.add_contact(Name="The survivor")
    world.xero.merge_contacts(before, survivor)
    world.xero.update("invoices", "INV-1", ContactID=survivor)
    world.xero.update("contacts", survivor, Name="Another name of the survivor")
    assert differences(world) == []


def test_a_lookalike_is_named(world):
    """Entered by hand while ours was held: which of ours it may be."""
    world.has("INV-9", issueDate="2026-10-20", dueDate="2026-11-20", lines=[{"name": "W", "qty": 1, "amount": 90}],
              contact=world.crm.invoice("INV-1")["contactDetails"]["id"])  # fmt: skip
    world.sync()
    contact = world.xero.invoice("INV-9")["Contact"]["ContactID"]
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 90, "AccountCode": "706", "TaxType": "NONE"}
    sent = {"Contact": {"ContactID": contact}, "Date": "2026-10-20", "DueDate": "2026-11-20", "LineItems": [line]}
    world.xero.add_invoice(**sent, InvoiceNumber="HAND-1", Status="AUTHORISED")
    [one] = reconciled(world)["differences"]
    assert (one["number"], one["who"], one["order"]) == ("HAND-1", "the accountant", None)
    assert "may be INV-9 entered by hand" in one["sentence"]


def test_without_a_ledger_marks_and_numbers_match(world, tmp_path_factory):
    """A new machine compares the same books before it ever synced, and says the same."""
    world.crm.pay("INV-1", 40, at="2026-10-25T09:00:00Z")
    world.sync()
    world.xero.update("invoices", "INV-2", Url="https://elsewhere.example/1")
    fresh = World(world.box, tmp_path_factory.mktemp("fresh"))
    fresh.connect()
    assert differences(fresh, *OCTOBER) == []
    world.xero.update("invoices", "INV-1", Date="2026-11-02")
    assert differences(fresh, *NOVEMBER) == [("INV-1", "issue_date")]


def test_a_refund_and_its_credit_note_agree(world):
    """CrocoClick says that money went back, Xero has a note that names the invoice: both totals are less by it."""
    paid = world.crm.pay("INV-1", at="2026-10-15T09:00:00Z")
    world.sync()
    world.crm.refund(paid, 30)
    assert differences(world) == [("INV-1", "refund")]
    contact = world.xero.invoice("INV-1")["Contact"]["ContactID"]
    world.xero.add_credit_note(contact, "2026-10-28", 30, 5, reference="Refund of INV-1")
    found = reconciled(world)
    assert (found["differences"], found["compared"]) == ([], 4)
    assert found["totals"]["EUR"] == {"crococlick": "330.00", "xero": "330.00", "residual": "0.00"}


def test_what_cannot_be_read_is_told_and_not_taken_for_missing(world):
    """An invoice of CrocoClick whose total is no number stands in Xero all the same."""
    world.sync()
    world.crm.say_instead('"total":120', '"total":"much"')
    found = reconciled(world)
    assert {(one["number"], one["field"]) for one in found["differences"]} == {
        (f"INV-{place}", "unreadable") for place in (1, 2, 3)
    }
    assert found["totals"]["EUR"]["residual"] == "0.00"


@pytest.mark.slow
def test_whoever_follows_the_advice_is_left_with_what_only_people_know(tmp_path):
    """Each order as it stands, then a sync, four times over: all that a program can settle is settled."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        world.connect()
        pairs = equal_books(world, KINDS)
        expected = {kind: KINDS[kind](world, number) for kind, number in pairs}
        for _ in range(4):
            for order in {tuple(one["order"]) for one in reconciled(world)["differences"] if one["order"]}:
                _give(world, order)
            world.sync(full=True)
        found = reconciled(world)
    # What people made or changed in Xero and nothing of CrocoClick answers, and a refund that nobody has booked.
    by_hand = "credit_note stranger double payment_by_hand paid_payment_day void".split()
    left = {f"{kind}_in_xero" for kind in by_hand} | {"paid_refund_in_crococlick"}
    told = {(one["number"], one["field"]) for one in found["differences"]}
    assert told == set().union(*(expected[kind] for kind in left))
    assert {total["residual"] for total in found["totals"].values()} == {"0.00"}


def _give(world, order):
    """Give an order as a person does in a terminal; the sync comes anyway."""
    asked = parser().parse_args(list(order))
    if asked.command != "sync":
        name, what, said = order_of(asked)
        world._give(name, [row for one in what for row in search.meant(world.ledger, one)], said)


def test_a_payment_whose_day_was_moved_in_xero_is_the_accountants(world):
    """A sync does not look at it; where CrocoClick moved it, the sync holds it with its order."""
    paid = [world.crm.pay(f"INV-{place}", at="2026-10-20T09:00:00Z") for place in (1, 2)]
    world.sync()
    [payment] = [one for one in world.xero.payments() if paid[0] in one["Reference"]]
    world.xero.delete_payment(payment["PaymentID"])
    world.xero.pay("INV-1", payment["Amount"], date="2026-10-25", reference=payment["Reference"])
    world.crm.correct_payment(paid[1], fulfilledAt="2026-10-23T10:00:00.000Z")
    found = reconciled(world)["differences"]
    assert [(one["number"], one["field"], one["who"], one["order"]) for one in found] == [
        ("INV-1", "payment_date", "the accountant", None),
        ("INV-2", "payment_date", "you", ["sync", "--full"]),
    ]
    world.sync(full=True)
    [_, moved] = reconciled(world)["differences"]
    assert moved["order"] == ["order", "replace_payment", "INV-2"]


def test_what_waits_for_approval_in_xero_is_told_as_that(world):
    """It counts in none of Xero's reports: the accountant approves it, and no sync is advised that would do nothing."""
    world.set(approval="submitted")
    world.has("WAITS")
    world.sync()
    [found] = [one for one in reconciled(world)["differences"] if one["number"] == "WAITS"]
    assert (found["field"], found["xero"], found["order"]) == ("status", "SUBMITTED", None)
    assert "accountant" in found["who"]
    assert "Approve it in Xero" in found["next"]
    world.xero.approve("WAITS")
    assert not [one for one in reconciled(world)["differences"] if one["number"] == "WAITS"]
