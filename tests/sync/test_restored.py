"""A ledger that was put back, or made anew, remembers an earlier day: what Xero has is the truth, and nothing is twice.

Every story lets more than six minutes pass: so long Xero answers a repeated request by its key, and hides the fault.
"""

from decimal import Decimal

import pytest

from syncer.app.installation import App
from tests.support.restored_walk import LOSSES, Copies, marks


@pytest.fixture
def copies(paying, tmp_path_factory):
    [bank] = [one for one in paying.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    paying.bank = bank["AccountID"]
    return Copies(paying, tmp_path_factory.mktemp("copy") / "data")


def standing(world):
    """Payments that stand in Xero, as amounts."""
    return sorted(Decimal(str(one["Amount"])) for one in world.xero.payments() if one["Status"] != "DELETED")


def transactions(world):
    return sorted(one["_id"] for one in world.crm.transactions())


def untrue(world):
    """Invoices that are called equal and are not: in number, total, what is paid or what is due."""
    found = []
    for one in world.crm.invoices():
        told = world.explain(one["_id"])
        if told["state"] != "synced":
            continue
        there = [book for book in world.xero.invoices() if book["Url"].endswith(one["_id"])]
        amounts = [[Decimal(str(book[name])) for name in ("Total", "AmountPaid")] for book in there]
        if amounts != [[Decimal(str(one[name])) for name in ("total", "amountPaid")]]:
            found.append((one["invoiceNumber"], amounts))
    return found


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("how", LOSSES)
def test_no_payment_is_entered_twice_whatever_was_lost(copies, paying, how, full):
    """Part payments, two equal ones and whole ones that went after the copy are found in Xero by their marks."""
    world = paying
    for number in ("INV-1", "INV-2", "INV-3", "INV-4"):
        world.has(number)
    world.sync()
    copies.make()
    world.later(minutes=5)
    world.crm.pay("INV-1", 30)
    world.crm.pay("INV-2", 20)
    world.crm.pay("INV-2", 20)
    world.crm.pay("INV-3", 120)
    world.has("INV-5")
    world.crm.pay("INV-5", 50)
    world.sync()
    assert marks(world) == transactions(world)
    copies.lose(how)
    world.crm.pay("INV-4", 40)
    outcomes = world.sync(full=full)
    assert marks(world) == transactions(world)
    assert standing(world) == [20, 20, 30, 40, 50, 120]
    assert (outcomes["held"], outcomes["created"], outcomes["paid"]) == (0, 0, 1)
    assert not untrue(world) and len(world.xero.invoices()) == 5 and len(world.xero.contacts()) == 5
    assert {world.state(f"INV-{n}") for n in range(1, 6)} == {"synced"}


@pytest.mark.parametrize("how", LOSSES)
def test_a_loss_costs_one_more_call_for_forty_invoices(copies, paying, how):
    """What is paid on all of them is asked for at once, with every payment."""
    world = paying
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(30):
        world.has(f"INV-{number:02}", contact=contact)
    world.sync()
    copies.make()
    for number in range(30):
        world.crm.pay(f"INV-{number:02}", 30)
    world.sync()
    copies.lose(how)
    world.box.reset_calls()
    world.sync()
    looks = [one for one in world.box.calls if one.side == "xero" and "IDs=" in str(one)]
    assert len(looks) <= 1 and world.writes() == 0
    assert marks(world) == transactions(world) and not untrue(world)


def test_what_is_found_again_is_not_called_created(copies, paying):
    """After a loss of the ledger every invoice is in Xero as before: nothing was made, and the story says found."""
    world = paying
    world.has("INV-1")
    world.has("INV-2")
    world.sync()
    copies.lose("ledger deleted")
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["unchanged"]) == (0, 2)
    assert any("Found in Xero" in one["what"] for one in world.explain("INV-1")["history"])


def test_a_payment_that_goes_whole_needs_no_look(paying):
    """Xero itself refuses more than what is due, so that a payment of the whole rest costs one call."""
    world = paying
    world.has("INV-1")
    world.sync()
    world.crm.pay("INV-1", 120)
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero") == 1 and standing(world) == [120]


def test_parts_of_many_invoices_cost_one_look(paying):
    """A part payment could be there already without Xero minding: forty invoices are looked at in one call."""
    world = paying
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(30):
        world.has(f"INV-{number:02}", contact=contact)
    world.sync()
    for number in range(30):
        world.crm.pay(f"INV-{number:02}", 20)
    world.box.reset_calls()
    assert world.sync()["paid"] == 30
    assert world.box.count(side="xero") == 2
    for number in range(2):
        world.has(f"NEXT-{number}", contact=contact)
        world.crm.pay(f"NEXT-{number}", 20)
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero") == 2, "what Xero has just answered is not asked again"


def test_edits_voids_and_imports_in_between(copies, paying):
    """Invoices that were edited or voided and contacts that were imported after the copy: nothing is twice."""
    world = paying
    for number in ("INV-1", "INV-2", "INV-3"):
        world.has(number)
    world.xero.add_contact(Name="Only in Xero", EmailAddress="only@example.org")
    world.sync()
    copies.make()
    world.crm.edit_invoice("INV-1", lines=[{"name": "More", "qty": 2, "amount": 100, "taxes": [20]}])
    world.crm.void("INV-2")
    world.crm.pay("INV-3", 40)
    world.has("INV-4")
    world.sync()
    world.crm.pay("INV-1", 100)
    world.sync()
    world.import_contacts()
    contacts = len(world.crm.contacts())
    copies.lose("ledger put back")
    world.sync()
    world.import_contacts()
    world.sync()
    assert marks(world) == transactions(world)
    assert len(world.xero.invoices()) == 4 and len(world.crm.contacts()) == contacts
    assert not untrue(world)


# -- what was created after the copy, and is looked for by something else than was sent -------------------------------


def documents(world):
    """The numbers of the documents that stand in Xero."""
    return sorted(one["InvoiceNumber"] for one in world.xero.invoices() if one["Status"] not in ("VOIDED", "DELETED"))


def sent_after_the_copy(world, copies):
    """One invoice before the copy of the data directory, another one after it; gives the customer of the latter."""
    world.has("OLD")
    world.sync()
    copies.make()
    contact = world.crm.add_contact(name="First name", email="first@example.org")
    world.has("INV-1", contact=contact)
    world.sync()
    return contact


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("how", LOSSES)
def test_what_was_renumbered_since_is_known_again_by_our_mark(copies, paying, how, full):
    """Ten minutes later its number is another one, which is free: the document of before is found, none is created."""
    world = paying
    sent_after_the_copy(world, copies)
    world.crm.edit_invoice("INV-1", number="INV-2")
    copies.lose(how)
    world.sync(full=full)
    assert documents(world) == ["INV-1", "OLD"]
    assert world.cause("INV-2") == "changed_in_xero", "who changed the number is for a person to say"


@pytest.mark.parametrize("how", LOSSES)
def test_a_customer_who_was_renamed_since_is_known_again(copies, paying, how):
    """Neither the name nor the address is as it was sent: our number of the contact in Xero tells who it is."""
    world = paying
    contact = sent_after_the_copy(world, copies)
    world.crm.edit_contact(contact, name="Other name", email="other@example.org")
    copies.lose(how)
    world.has("INV-3", contact=contact)
    world.sync()
    assert documents(world) == ["INV-1", "INV-3", "OLD"]
    assert len(world.xero.contacts()) == 2
    assert {world.state("INV-1"), world.state("INV-3")} == {"synced"}


@pytest.mark.parametrize("first", ["the invoice", "nothing to create"])
def test_a_copy_that_bears_no_sign_of_it_is_recognised_by_its_age(copies, paying, first):
    """A whole disk that was put back shows only that nothing was read for long; the run after it may create nothing."""
    world = paying
    sent_after_the_copy(world, copies)
    if first == "the invoice":
        world.crm.edit_invoice("INV-1", number="INV-2")
    else:
        world.crm.edit_invoice("INV-1", number="INV-2", status="draft")
    copies.lose("everything put back")
    kept = world.connection.doors().seal.changed_at()
    world.ledger.see("", (), world.app.clock.now(), {"sealed": kept})  # the snapshot of a disk keeps this too
    world.later(hours=2)
    world.sync()
    if first == "nothing to create":
        world.crm.edit_invoice("INV-2", status="sent")
        world.later(minutes=2)
        world.sync()
    assert documents(world) == ["INV-1", "OLD"]
    assert world.cause("INV-2") == "changed_in_xero", "who changed the number is for a person to say"


def calls_for_a_new_invoice(world, number):
    """Calls to Xero of a run that has one new invoice of a known customer to create."""
    if not hasattr(world, "regular"):
        world.regular = world.crm.add_contact(name="Regular", email="regular@example.org")
    world.has(number, contact=world.regular)
    world.box.reset_calls()
    world.sync()
    assert number in documents(world)
    return world.box.count(side="xero", path="/api.xro")


def test_a_ledger_that_goes_on_creates_with_one_call(paying):
    """However often a run is started once an hour, and in how many processes: nothing is listed again for it."""
    world = paying
    calls_for_a_new_invoice(world, "INV-0")
    for number in range(1, 4):
        world.later(minutes=60)
        world.app = App(world.app.environment, world.app.clock)
        assert calls_for_a_new_invoice(world, f"INV-{number}") == 1


def test_a_ledger_that_may_be_a_copy_lists_what_moved_once(copies, paying):
    """After a pause, or once it was put back, one call before a document is created; then it is as before."""
    world = paying
    calls_for_a_new_invoice(world, "INV-0")
    copies.make()
    world.later(hours=2)
    assert calls_for_a_new_invoice(world, "INV-1") == 2
    assert calls_for_a_new_invoice(world, "INV-2") == 1
    copies.lose("ledger put back")
    assert calls_for_a_new_invoice(world, "INV-3") == 2
    assert calls_for_a_new_invoice(world, "INV-4") == 1
