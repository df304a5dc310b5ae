"""Who changed it: a ledger that was put back, or lost, blames nobody for what it cannot know."""

import pytest

from syncer.app.installation import App
from tests.support.restored_walk import Copies

FIELDS = {
    "number": ({"number": "INV-2"}, {"number": "INV-3"}, "Xero has the number {}, CrocoClick INV-3"),
    "due date": (
        {"dueDate": "2027-01-31"},
        {"dueDate": "2027-02-28"},
        "Xero has the due date {}, CrocoClick 28 Feb 2027",
    ),
}
SENT = {"number": ("INV-1", "INV-2"), "due date": ("10 Dec 2026", "31 Jan 2027")}


@pytest.fixture
def paying(world):
    """Payments in euros go to the bank."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.bank = bank["AccountID"]
    world.set(payment_account__EUR=world.bank)
    return world


@pytest.fixture
def copies(paying, tmp_path_factory):
    """The data directory, to be copied and put back."""
    return Copies(paying, tmp_path_factory.mktemp("copy") / "data")


def told(world, number):
    """The sentence of the cause."""
    found = world.explain(number)
    assert (found["state"], found["cause"]["code"]) == ("held", "changed_in_xero"), found["verdict"]
    return found["cause"]["sentence"]


@pytest.mark.parametrize("how", ["ledger put back", "everything put back"])
@pytest.mark.parametrize("what", FIELDS)
def test_an_edit_that_was_carried_after_the_copy_is_not_said_to_be_somebodys(paying, copies, what, how):
    """The ledger is older than our own edit; CrocoClick says something newer still: each book's word, and no author."""
    world, (first, second, sentence) = paying, FIELDS[what]
    world.has("INV-1", issueDate="2026-11-10", dueDate="2026-12-10")
    world.sync()
    copies.make()
    world.crm.edit_invoice("INV-1", **first)
    world.sync()
    number = first.get("number", "INV-1")
    world.crm.edit_invoice(number, **second)
    copies.lose(how)
    world.sync(times=2, full=True)
    said = told(world, second.get("number", number))
    assert said == f"{sentence.format(SENT[what][1])}; this ledger does not know which of them changed it"


@pytest.mark.parametrize("what", FIELDS)
def test_a_document_that_is_found_is_not_said_to_be_changed_by_somebody(paying, copies, what):
    """A new ledger finds what was sent, and CrocoClick edited it since."""
    world, (_, second, sentence) = paying, FIELDS[what]
    world.has("INV-1", issueDate="2026-11-10", dueDate="2026-12-10")
    world.sync()
    world.crm.edit_invoice("INV-1", **second)
    copies.lose("ledger deleted")
    world.sync(times=2, full=True)
    said = told(world, second.get("number", "INV-1"))
    assert said == f"{sentence.format(SENT[what][0])}; this ledger does not know which of them changed it"


def test_what_somebody_changes_after_the_ledger_was_lost_is_somebodys(paying, copies):
    """The document was found as CrocoClick has it: what differs later was changed in Xero."""
    world = paying
    world.has("INV-1", issueDate="2026-11-10", dueDate="2026-12-10")
    world.sync()
    copies.lose("ledger deleted")
    world.sync(times=2, full=True)
    world.xero.update("invoices", "INV-1", DueDate="2026-12-24")
    world.later(minutes=10)
    world.sync(full=True)
    assert told(world, "INV-1") == "somebody changed it there: due date from 10 Dec 2026 to 24 Dec 2026"


def test_a_process_that_begins_again_is_no_copy(paying):
    """The same ledger in another process knows who changed it."""
    world = paying
    world.has("INV-1", dueDate="2026-12-10")
    world.sync()
    world.crm.edit_invoice("INV-1", dueDate="2026-12-11")
    world.sync()
    world.app = App(world.app.environment, world.app.clock)
    world.xero.update("invoices", "INV-1", DueDate="2026-12-24")
    world.later(minutes=10)
    world.sync(full=True)
    assert told(world, "INV-1") == "somebody changed it there: due date from 11 Dec 2026 to 24 Dec 2026"
