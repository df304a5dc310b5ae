"""The answer to a change of something that stands in Xero is lost: we know our own change again, and nobody's else."""

from decimal import Decimal

import pytest

from syncer.app import jobs
from syncer.sync.context import RunOptions

MORE = [{"name": "More", "qty": 3, "amount": 100, "taxes": [20]}]
OTHER_WORDS = [{"name": "Other words", "qty": 1, "amount": 100, "taxes": [20]}]


@pytest.fixture
def paying(world):
    """Payments in euros go to the bank; drafts go over."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"], statuses="draft,sent,partially_paid,paid,void")
    return world


def another_customer(world):
    """The invoice is for somebody else, whom Xero knows already."""
    other = world.crm.add_contact(name="Other", email="other@example.org")
    world.has("NEXT-1", contact=other)
    world.sync()
    world.crm.edit_invoice("INV-1", contact=other)


def edit(**fields):
    return lambda world: world.crm.edit_invoice("INV-1", **fields)


# What changes in CrocoClick, whether there is a payment or it is a draft, and how Xero shows it once it is there.
CHANGES = {
    "lines": (edit(lines=MORE), "", lambda one: one["Total"] == 360),
    "words on a line": (edit(lines=OTHER_WORDS), "", lambda one: one["LineItems"][0]["Description"] == "Other words"),
    "due date": (edit(dueDate="2027-01-31"), "", lambda one: one["DueDate"] == "2027-01-31"),
    "issue date": (edit(issueDate="2026-10-01"), "", lambda one: one["Date"] == "2026-10-01"),
    "number": (edit(number="INV-9"), "", lambda one: one["InvoiceNumber"] == "INV-9"),
    "reference": (edit(name="Another name"), "", lambda one: one["Reference"] == "Another name"),
    "currency": (edit(currency="GBP"), "", lambda one: one["CurrencyCode"] == "GBP"),
    "customer": (another_customer, "", lambda one: one["Contact"]["Name"] == "Other"),
    "void": (lambda world: world.crm.void("INV-1"), "", lambda one: one["Status"] == "VOIDED"),
    "due date, paid": (edit(dueDate="2027-01-31"), "paid", lambda one: one["DueDate"] == "2027-01-31"),
    "number, paid": (edit(number="INV-9"), "paid", lambda one: one["InvoiceNumber"] == "INV-9"),
    "reference, paid": (edit(name="Another name"), "paid", lambda one: one["Reference"] == "Another name"),
    "draft edited": (edit(lines=MORE), "draft", lambda one: (one["Total"], one["Status"]) == (360, "DRAFT")),
    "draft sent": (lambda world: world.crm.send("INV-1"), "draft", lambda one: one["Status"] == "AUTHORISED"),
    "draft void": (lambda world: world.crm.void("INV-1"), "draft", lambda one: one["Status"] == "DELETED"),
}


def changed(world, what):
    """The invoice is in Xero, and then changes in CrocoClick."""
    change, sort, _ = CHANGES[what]
    world.has("INV-1", **({"status": "draft"} if sort == "draft" else {}))
    if sort == "paid":
        world.crm.pay("INV-1", 50)
    world.sync()
    change(world)
    world.box.reset_calls()


def until_written(world):
    """A run that ends right after its first write, before it has looked for anything."""
    jobs.run(world.connection, RunOptions(), "a test", lambda *told: None, lambda: world.writes() > 0)


def agrees(world, what):
    """Xero has the change, once, and nobody is said to have done it."""
    [invoice] = [one for one in world.xero.invoices() if one["InvoiceNumber"].startswith("INV-")]
    number = world.crm.invoices()[0]["invoiceNumber"]
    told = world.explain(number)
    assert CHANGES[what][2](invoice), invoice
    assert (told["state"], told["cause"]) == ("synced", None)
    assert world.writes() == 1, "nothing is sent twice"
    assert not [one for one in told["history"] if "somebody" in one["what"]]
    world.sync(full=True)
    assert world.state(number) == "synced" and world.writes() == 1


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_whose_answer_is_lost_is_known_again_by_the_next_run(paying, what):
    """The run ends before it could look: the next one finds that it was us, and sends nothing."""
    changed(paying, what)
    paying.faults.next_write("accepted_then_hung_up", path="/Invoices")
    until_written(paying)
    number = paying.crm.invoices()[0]["invoiceNumber"]
    assert paying.state(number) == "in_doubt"
    outcomes = paying.sync()
    agrees(paying, what)
    assert outcomes["updated"] + outcomes["voided"] == 1 and not outcomes["created"]


@pytest.mark.parametrize("what", ["lines", "reference", "void", "due date, paid", "draft void"])
def test_a_change_whose_answer_is_lost_is_known_again_in_the_same_run(paying, what):
    """The look at the end of the run tells."""
    changed(paying, what)
    paying.faults.next_write("accepted_then_hung_up", path="/Invoices")
    outcomes = paying.sync()
    agrees(paying, what)
    assert outcomes["updated"] + outcomes["voided"] == 1 and not outcomes["created"]


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_that_never_arrived_is_sent_again(paying, what):
    """The line was cut before Xero heard of it: the next run sees that and sends it, once."""
    changed(paying, what)
    paying.faults.next_write("dropped", path="/Invoices")
    until_written(paying)
    paying.box.reset_calls()
    paying.sync()
    agrees(paying, what)


def test_what_somebody_else_changed_meanwhile_still_shows(world):
    """Our due date has arrived and the accountant moved the number since: the number is theirs, the due date is not."""
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", dueDate="2027-01-31")
    world.box.reset_calls()
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    until_written(world)
    world.xero.update("invoices", "INV-1", InvoiceNumber="A-1")
    world.sync()
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "changed_in_xero"
    assert [one["field"] for one in told["cause"]["facts"]["changes"]] == ["number"]


def test_what_somebody_else_changed_in_place_of_ours_is_theirs(world):
    """Ours never arrived and the accountant moved the same date: they are told as the one who did."""
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", dueDate="2027-01-31")
    world.box.reset_calls()
    world.faults.next_write("dropped", path="/Invoices")
    until_written(world)
    world.xero.update("invoices", "INV-1", DueDate="2027-06-30")
    world.sync()
    told = world.explain("INV-1")
    [change] = told["cause"]["facts"]["changes"]
    assert (told["cause"]["code"], change["field"], change["now"]) == ("changed_in_xero", "due_date", "2027-06-30")


def test_what_changes_in_crococlick_while_it_is_in_doubt_goes_over_too(paying):
    """An edit and a payment come while nobody knows whether the invoice arrived: both follow once it is found."""
    world = paying
    world.has("INV-1")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    until_written(world)
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.crm.pay("INV-1", 50)
    world.faults.add("refuse", side="xero", method="GET", path="/Invoices", status=404, body="not found", times=9)
    world.sync()
    assert (world.state("INV-1"), world.outcome.ended) == ("in_doubt", "deferred")
    world.faults.clear()
    world.sync()
    [invoice] = world.xero.invoices()
    assert (invoice["Total"], Decimal(str(invoice["AmountPaid"]))) == (360, Decimal(50))
    assert world.state("INV-1") == "synced"
