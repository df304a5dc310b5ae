"""Payments that moved or went in CrocoClick after a copy that is put back: our mark in Xero tells whose they are.

Such a payment stands in Xero on a document that CrocoClick does not name any more. Nothing is entered a second time,
nobody is said to have changed it in Xero, and the order that a ledger which goes on would offer is offered here too.
"""

import pytest

from tests.support.payments_world import move, remove, standing
from tests.support.restored_walk import LOSSES, Copies, marks


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


def paid_after_the_copy(world, copies, amount):
    """Two invoices of one customer, and a payment of the first that went after the copy was made."""
    contact = world.crm.add_contact(name="Regular", email="regular@example.org")
    for number in ("INV-1", "INV-2"):
        world.has(number, contact=contact)
    world.sync()
    copies.make()
    transaction = world.crm.pay("INV-1", amount)
    world.sync()
    assert standing(world, "INV-1") == [amount]
    return transaction


def settled(world):
    """Follow what is offered for the first invoice until both books agree."""
    world.follow("INV-1")
    world.sync(times=2)
    assert {world.state("INV-1"), world.state("INV-2")} == {"synced"}


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("amount", [30, 120], ids=["a part", "the whole"])
@pytest.mark.parametrize("how", LOSSES)
def test_a_payment_that_was_moved_since_is_not_entered_a_second_time(paying, copies, how, amount, full):
    """It stands on the document of the invoice that had it before: both invoices say so, and an order moves it."""
    world = paying
    transaction = paid_after_the_copy(world, copies, amount)
    move(world, transaction, "INV-2")
    copies.lose(how)
    world.sync(full=full)
    assert marks(world) == [transaction] and standing(world, "INV-1") == [amount]
    assert {world.cause("INV-1"), world.cause("INV-2")} == {"payment_changed"}
    settled(world)
    assert (standing(world, "INV-1"), standing(world, "INV-2")) == ([], [amount])


@pytest.mark.parametrize("how", LOSSES)
def test_nor_where_the_first_run_is_for_one_invoice_alone(paying, copies, how):
    """The document on which it stands is another invoice's, of which this run reads nothing in CrocoClick."""
    world = paying
    transaction = paid_after_the_copy(world, copies, 30)
    move(world, transaction, "INV-2")
    copies.lose(how)
    world.sync(only={world.crm.invoice("INV-2")["_id"]})
    assert marks(world) == [transaction]
    assert world.cause("INV-2") == "payment_changed"
    world.sync(times=2)
    assert marks(world) == [transaction]
    settled(world)
    assert (standing(world, "INV-1"), standing(world, "INV-2")) == ([], [30])


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("how", LOSSES)
def test_a_payment_that_was_removed_since_is_known_as_ours(paying, copies, how, full):
    """CrocoClick does not show it at all: that is said, and an order takes it off in Xero."""
    world = paying
    transaction = paid_after_the_copy(world, copies, 30)
    remove(world, transaction)
    copies.lose(how)
    world.sync(full=full)
    world.sync(full=True)
    assert world.cause("INV-1") == "payment_changed", world.explain("INV-1")["verdict"]
    assert "removed in CrocoClick" in world.explain("INV-1")["cause"]["sentence"]
    assert not any("somebody" in one["what"] for one in world.explain("INV-1")["history"])
    settled(world)
    assert standing(world) == []


@pytest.mark.parametrize("how", LOSSES)
def test_a_removed_one_that_was_recorded_again_is_replaced(paying, copies, how):
    """The usual way to correct: no money is entered on top of what still stands in Xero."""
    world = paying
    transaction = paid_after_the_copy(world, copies, 30)
    remove(world, transaction)
    again = world.crm.pay("INV-1", 40)
    copies.lose(how)
    world.sync()
    assert marks(world) == [transaction] and world.cause("INV-1") == "payment_changed"
    settled(world)
    assert marks(world) == [again] and standing(world, "INV-1") == [40]


@pytest.mark.parametrize("how", LOSSES)
def test_what_an_accountant_enters_is_somebody_elses(paying, copies, how):
    """It carries no mark of ours, whatever the ledger has forgotten."""
    world = paying
    paid_after_the_copy(world, copies, 30)
    world.xero.pay("INV-2", 20)
    copies.lose(how)
    world.sync(full=True)
    told = world.explain("INV-2")
    assert told["cause"]["code"] == "changed_in_xero"
    assert told["cause"]["sentence"] == "somebody changed it there: amount paid from €0.00 to €20.00"
    assert world.state("INV-1") == "synced"


def test_looking_at_what_somebody_entered_costs_one_call_and_is_not_repeated(paying):
    """Forty documents a call, and only once for the same sum."""
    world = paying
    contact = world.crm.add_contact(name="Regular", email="regular@example.org")
    for number in range(30):
        world.has(f"INV-{number}", contact=contact)
    world.sync()
    for number in range(30):
        world.xero.pay(f"INV-{number}", 20)
    world.later(minutes=20)
    world.box.reset_calls()
    world.sync(full=True)
    assert len([one for one in world.box.calls if one.side == "xero" and "IDs=" in str(one)]) == 1
    world.box.reset_calls()
    world.sync()
    assert not [one for one in world.box.calls if one.side == "xero" and "IDs=" in str(one)]
