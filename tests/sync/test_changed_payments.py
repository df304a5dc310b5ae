"""A payment that CrocoClick changes after it went: told as that, and on order taken off in Xero and entered anew."""

from decimal import Decimal

import pytest

from syncer.domain.errors import WrongUsage
from tests.support.payments_world import correct, move, remove, standing, standing_payments


def gone_over(world, amount=50):
    """An invoice of 120 of which a part is paid in both books."""
    world.has("INV-1")
    world.has("INV-2")
    transaction = world.crm.pay("INV-1", amount)
    world.sync()
    assert world.state("INV-1") == "synced"
    return transaction


def dated(world):
    """The days of the payments that stand in Xero."""
    return [one["Date"] for one in standing_payments(world)]


AMOUNTS = {"up": 70, "down": 30}


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("now", AMOUNTS.values(), ids=list(AMOUNTS))
def test_another_amount(paying, now, full):
    """Nobody changed anything in Xero, so nobody is said to; on order both books have the new amount, once."""
    world = paying
    transaction = gone_over(world)
    correct(world, transaction, amount=now)
    world.box.reset_calls()
    world.sync(full=full)
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "payment_changed")
    assert "50.00" in told["cause"]["sentence"] and f"{now}.00" in told["cause"]["sentence"]
    assert world.writes() == 0 and standing(world) == [50]
    assert told["remedy"]["order"] == ["order", "replace_payment", "INV-1"]
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == [now]
    world.box.reset_calls()
    world.sync(full=True)
    assert world.writes() == 0 and world.state("INV-1") == "synced"


def test_another_day(paying):
    """Perhaps another tax period: not called equal while the days differ."""
    world = paying
    transaction = gone_over(world)
    correct(world, transaction, fulfilledAt="2026-09-28T10:00:00.000Z")
    world.sync(full=True)
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "payment_changed")
    assert "28 Sep" in told["cause"]["sentence"]
    before = dated(world)
    world.follow("INV-1")
    world.sync(times=2, full=True)
    assert world.state("INV-1") == "synced" and standing(world) == [50] and dated(world) != before


@pytest.mark.parametrize("given_for", ["INV-1", "INV-2"])
def test_another_invoice(paying, given_for):
    """Recorded for the wrong invoice: both say so, and an order for either moves it."""
    world = paying
    transaction = gone_over(world)
    move(world, transaction, "INV-2")
    world.sync(full=True)
    assert {world.cause("INV-1"), world.cause("INV-2")} == {"payment_changed"}
    world.follow(given_for)
    world.sync()
    assert (standing(world, "INV-1"), standing(world, "INV-2")) == ([], [50])
    assert {world.state("INV-1"), world.state("INV-2")} == {"synced"}


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
def test_removed(paying, full):
    """CrocoClick has it no more: on order it is taken off in Xero too, and nothing comes in its place."""
    world = paying
    transaction = gone_over(world)
    remove(world, transaction)
    world.sync(full=full)
    assert world.cause("INV-1") == "payment_changed"
    assert "removed in CrocoClick" in world.explain("INV-1")["cause"]["sentence"]
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == []


def test_removed_and_recorded_again(paying):
    """The usual way to correct: the old one is told of, and the new one goes over once that is settled."""
    world = paying
    transaction = gone_over(world)
    remove(world, transaction)
    world.crm.pay("INV-1", 60)
    world.sync()
    assert world.cause("INV-1") == "payment_changed"
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == [60]


MADE_LESS = {
    "moved": lambda world, transaction: move(world, transaction, "INV-2"),
    "removed": remove,
    "corrected": lambda world, transaction: correct(world, transaction, amount=10),
}


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("new", [30, 60, 119])
@pytest.mark.parametrize("what", MADE_LESS)
def test_nothing_is_entered_on_top_of_a_payment_that_left(paying, what, new, full):
    """Until a person answers, no more is paid in Xero than in CrocoClick; afterwards both have the same."""
    world = paying
    transaction = gone_over(world)
    MADE_LESS[what](world, transaction)
    world.crm.pay("INV-1", min(new, world.crm.invoice("INV-1")["amountDue"]))
    world.sync(full=full)
    assert world.cause("INV-1") == "payment_changed" and standing(world, "INV-1") == [50]
    for number in ("INV-1", "INV-2"):
        if world.cause(number) == "payment_changed":
            world.follow(number)
    world.sync(times=2, full=full)
    for number in ("INV-1", "INV-2"):
        paid = Decimal(str(world.crm.invoice(number)["amountPaid"]))
        assert sum(standing(world, number)) == paid and world.state(number) == "synced"


def test_what_comes_beside_a_payment_that_moved_here_goes_over(paying):
    """The invoice that it moved to lacks it in Xero: another payment of that invoice has room beside it."""
    world = paying
    transaction = gone_over(world)
    move(world, transaction, "INV-2")
    world.crm.pay("INV-2", 20)
    world.sync()
    assert (world.cause("INV-2"), standing(world, "INV-2")) == ("payment_changed", [20])
    world.follow("INV-2")
    world.sync(times=2)
    assert (standing(world, "INV-1"), standing(world, "INV-2")) == ([], [20, 50])
    assert {world.state("INV-1"), world.state("INV-2")} == {"synced"}


def test_a_list_with_a_hole_removes_nothing(paying):
    """A transaction that a reading leaves out while its invoice still counts it was not removed."""
    world = paying
    gone_over(world)
    empty = {"data": [], "totalCount": 0}
    world.faults.add("refuse", side="crococlick", path="/payments/transactions", times=1, status=200, body=empty)
    world.sync(full=True)
    assert world.state("INV-1") == "synced" and standing(world) == [50]


def test_a_reconciled_payment_stays_and_says_so(paying):
    """Xero gives it back to nobody: held with that reason, nothing half-done; once it is free, it is replaced."""
    world = paying
    transaction = gone_over(world)
    [payment] = world.xero.payments()
    world.xero.update("payments", payment["PaymentID"], IsReconciled=True)
    correct(world, transaction, amount=30)
    world.sync()
    world.follow("INV-1")
    world.sync()
    told = world.explain("INV-1")
    assert (told["cause"]["code"], standing(world)) == ("payment_changed", [50])
    assert "reconciled" in told["cause"]["sentence"] and told["remedy"]["order"] is None
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0, "the same is not asked again in vain"
    world.xero.update("payments", payment["PaymentID"], IsReconciled=False)
    world.order("retry", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == [30]


def test_what_somebody_corrected_in_xero_by_hand_is_no_question(paying):
    """The accountant takes ours off and enters the right amount: both books agree."""
    world = paying
    transaction = gone_over(world)
    correct(world, transaction, amount=30)
    world.sync()
    [payment] = world.xero.payments()
    world.xero.delete_payment(payment["PaymentID"])
    world.xero.pay("INV-1", 30)
    world.sync(full=True)
    assert world.state("INV-1") == "synced" and standing(world) == [30]


def test_an_order_that_would_change_nothing_is_refused(paying):
    """A payment that did not change cannot be replaced, and none that somebody else entered."""
    world = paying
    gone_over(world)
    with pytest.raises(WrongUsage, match="nothing to replace"):
        world.order("replace_payment", "INV-1")
    with pytest.raises(WrongUsage, match="counted as the same"):
        world.order("same_payment", "INV-1")


def test_what_a_person_counted_as_the_same_is_the_accountants_to_correct(paying):
    """CrocoClick then corrects its own: held, and no order is offered that would touch somebody else's payment."""
    world = paying
    world.has("INV-1")
    world.sync()
    world.xero.pay("INV-1", 30)
    transaction = world.crm.pay("INV-1", 30)
    world.sync()
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    correct(world, transaction, amount=40)
    world.sync()
    told = world.explain("INV-1")
    assert (told["cause"]["code"], told["remedy"]["order"], told["remedy"]["who"]) == (
        "payment_changed",
        None,
        "the accountant",
    )
    with pytest.raises(WrongUsage, match="Somebody else"):
        world.order("replace_payment", "INV-1")
