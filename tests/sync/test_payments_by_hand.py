"""Payments that the accountant enters in Xero by hand: never entered again, never called equal while they differ."""

import pytest

from syncer.domain.errors import WrongUsage
from tests.support.payments_world import standing


@pytest.fixture
def paying(world):
    """Payments in euros go to the bank, and an invoice of 120 is in both books."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    world.has("INV-1")
    world.sync()
    return world


SEEN = {"since our last look": {}, "seen by an earlier sync": {"full": True}}


@pytest.mark.parametrize("amount", [30, 60, 100, 120])
@pytest.mark.parametrize("look", SEEN.values(), ids=list(SEEN))
def test_an_equal_payment_is_held_and_counts_as_the_same(paying, amount, look):
    """Part or whole, seen before or not: held until a person says that it is the same; then both books agree."""
    world = paying
    world.xero.pay("INV-1", amount)
    if look:
        world.sync(**look)
        assert world.state("INV-1") == "held"
    world.crm.pay("INV-1", amount)
    world.sync(times=2)
    told = world.explain("INV-1")
    assert (told["state"], standing(world)) == ("held", [amount])
    assert told["remedy"]["order"] == ["order", "same_payment", "INV-1"]
    assert "equal to the cent" not in told["verdict"]
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == [amount]


@pytest.mark.parametrize("run", [{"full": True}, {}], ids=["full", "a day later"])
def test_money_that_crococlick_does_not_know_of_is_told(paying, run):
    """With --full at once, plainly at the latest a day later; no order is offered, since none would change anything."""
    world = paying
    payment = world.xero.pay("INV-1", 30)
    if not run:
        world.later(days=1, minutes=1)
    world.sync(**run)
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "changed_in_xero")
    assert "amount paid from €0.00 to €30.00" in told["cause"]["sentence"]
    assert (told["remedy"]["order"], told["remedy"]["answers"]) == (None, [])
    with pytest.raises(WrongUsage, match="change nothing"):
        world.order("overwrite", "INV-1")
    world.xero.delete_payment(payment)
    world.sync()
    assert world.state("INV-1") == "synced"


def test_another_payment_goes_over_beside_it(paying):
    """One of another amount is entered; that the books differ by the first is told."""
    world = paying
    world.xero.pay("INV-1", 30)
    world.crm.pay("INV-1", 50)
    world.sync()
    assert standing(world) == [30, 50]
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "changed_in_xero" and "from €50.00 to €80.00" in told["cause"]["sentence"]


def test_more_of_the_rest_than_was_known_to_be_due_shows_at_once(paying):
    """A payment of most of the rest needs no look; Xero's own answer tells that something else is paid there too."""
    world = paying
    world.xero.pay("INV-1", 20)
    world.crm.pay("INV-1", 100)
    world.sync()
    assert standing(world) == [20, 100]
    assert world.cause("INV-1") == "changed_in_xero"


def test_of_two_one_is_there_already(paying):
    """The one that may be the same is held, the other goes over."""
    world = paying
    world.xero.pay("INV-1", 30)
    world.crm.pay("INV-1", 30)
    world.crm.pay("INV-1", 25)
    world.sync()
    assert standing(world) == [25, 30] and world.state("INV-1") == "held"
    world.follow("INV-1")
    world.sync()
    assert standing(world) == [25, 30] and world.state("INV-1") == "synced"


def test_a_payment_that_is_too_large_is_the_same_as_nothing(paying):
    """300 on an invoice of 120 of which nothing is paid: no order is offered or taken that would settle nothing."""
    world = paying
    world.crm.pay("INV-1", 120)
    [transaction] = world.crm.transactions("INV-1")
    world.crm.location.keep_transaction(world.crm.location.transactions[transaction["_id"]] | {"amount": 300})
    world.crm.edit_invoice("INV-1", amountPaid=300)
    world.sync()
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "payment_exceeds_due")
    assert (told["remedy"]["order"], told["remedy"]["answers"]) == (None, [])
    with pytest.raises(WrongUsage, match="nothing is paid in Xero"):
        world.order("same_payment", "INV-1")


def test_answers_to_payments_that_are_lost_end_the_run_early(paying):
    """Within two minutes nobody can know: the run says from when on it goes on, and the next one settles it."""
    world = paying
    world.crm.pay("INV-1", 50)
    world.faults.next_write("accepted_then_hung_up", path="/Payments")
    for _ in range(2):
        world.sync()
        assert (world.outcome.ended, world.outcome.failure.code) == ("deferred", "answer_lost")
        assert world.outcome.failure.facts["retry_at"] and 0 < world.outcome.failure.wait_s <= 120
        told = world.explain("INV-1")
        assert told["state"] == "in_doubt" and " from " in told["remedy"]["sentence"]
    world.later(minutes=2, seconds=1)
    world.sync()
    assert world.outcome.ended == "done"
    assert world.state("INV-1") == "synced" and standing(world) == [50]


def test_a_look_that_fails_ends_the_run_early(paying):
    """Xero does not say what became of a write: the run did not come to its end."""
    world = paying
    world.crm.pay("INV-1", 50)
    world.faults.next_write("accepted_then_hung_up", path="/Payments")
    world.sync()
    world.later(minutes=3)
    world.faults.add("error_503", side="xero", method="GET", path="/Payments", times=50)
    world.sync()
    assert (world.outcome.ended, world.outcome.failure.code) == ("deferred", "xero_unavailable")
    assert world.state("INV-1") == "in_doubt"


def test_a_look_that_fails_after_a_write_ends_the_run_early(paying):
    """The same for the look that follows a lost answer in the very run."""
    world = paying
    world.has("INV-2")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("error_503", side="xero", method="GET", path="/Invoices", times=50)
    world.sync()
    assert world.outcome.ended == "deferred"
    world.faults.clear()
    world.sync()
    assert world.outcome.ended == "done" and world.state("INV-2") == "synced"
