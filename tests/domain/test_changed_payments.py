"""Payments that CrocoClick changed after they went to Xero."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.model.payment import MOVED, REMOVED, BookPayment
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Do
from tests.support.domain_samples import invoice, known, locked_up_to, ordered, paid, rules, standing

WENT = BookPayment("p1", "xi1", Decimal(100), "", "AUTHORISED", date(2026, 9, 10))
PAYING = rules(payment_accounts={"EUR": "acc-bank"})


def decided(now, entered=WENT, took="100", there="100", books=None, **changes):
    """The decision on an invoice of which a payment of 100 had gone, that CrocoClick has as `now`."""
    one = invoice(amount_paid=Decimal(took))
    given = {"payments": (now,), "carried": {"t1": "p1"}, "entered": {"t1": entered}, **changes}
    stands = standing(xero_amount_paid=Decimal(there), xero_amount_due=Decimal(240) - Decimal(there), **given)
    return known(one, stands, rules=PAYING, **({"books": books} if books else {}))


CHANGES = {
    "amount": (paid("120"), WENT, "120", {"what": "amount", "before": "100", "now": "120"}),
    "day": (
        paid("100", paid_on=date(2026, 8, 28)),
        WENT,
        "100",
        {"what": "date", "before": "2026-09-10", "now": "2026-08-28"},
    ),
    "removed": (paid("100", status=REMOVED), WENT, "0", {"what": "removed", "before": "100"}),
    "moved away": (paid("100", status=MOVED), WENT, "0", {"what": "invoice", "before": "100"}),
}


@pytest.mark.parametrize(("now", "entered", "took", "facts"), CHANGES.values(), ids=list(CHANGES))
def test_what_changed_is_told_and_replaced_on_order(now, entered, took, facts):
    """Held with both values; on order ours is taken off."""
    held = decided(now, entered, took)
    assert (held.do, held.cause) == (Do.HOLD, "payment_changed")
    assert (held.problems[0].facts["changes"], held.problems[0].facts["ours"]) == ([facts], True)
    action = decided(now, entered, took, order=ordered("replace_payment"))
    assert (action.do, dict(action.unpay)) == (Do.UNPAY, {"t1": "p1"})


def test_a_payment_that_came_from_another_invoice_is_taken_off_there():
    """Xero has it on the other one, until somebody has entered it here by hand."""
    elsewhere = replace(WENT, invoice_id="xi9")
    held = decided(paid("100"), elsewhere, there="0")
    assert (held.cause, held.problems[0].facts["changes"]) == (
        "payment_changed",
        [{"what": "entered_elsewhere", "before": "100"}],
    )
    assert decided(paid("100"), elsewhere, there="0", order=ordered("replace_payment")).unpay == {"t1": "p1"}
    assert decided(paid("100"), elsewhere, there="100").do is Do.LEAVE


@pytest.mark.parametrize("new", ["40", "120"])
def test_nothing_is_entered_on_top_of_what_left(new):
    """What CrocoClick took off or made less still stands in Xero: a new payment waits until a person answers."""
    added = paid(new, source_id="t2")
    for left, kept in ((paid("100", status=REMOVED), 0), (paid("100", status=MOVED), 0), (paid("10"), 10)):
        action = decided(left, took=str(kept + int(new)), payments=(left, added))
        assert (action.do, action.cause, action.payments) == (Do.HOLD, "payment_changed", ())


def test_what_has_room_beside_a_change_goes():
    """Another amount upwards, another day: with the new payment no more is paid in Xero than in CrocoClick."""
    added = paid("40", source_id="t2")
    for changed, kept in ((paid("110"), 110), (paid("100", paid_on=date(2026, 8, 28)), 100)):
        action = decided(changed, took=str(kept + 40), payments=(changed, added))
        assert (action.do, action.cause) == (Do.PAY, "payment_changed")
        assert [one.source_id for one in action.payments] == ["t2"]


def test_nothing_changed_where_both_say_the_same_or_nothing_was_kept():
    """Nor of a payment without a day, nor where somebody corrected Xero or took the payment off."""
    assert decided(paid("100")).do is Do.LEAVE
    assert decided(paid("100"), replace(WENT, paid_on=None)).do is Do.LEAVE
    assert decided(paid("120"), took="120", there="120").do is Do.LEAVE
    assert decided(paid("80"), took="80", there="80").do is Do.LEAVE
    assert decided(paid("100", status=REMOVED), took="0", there="0").do is Do.LEAVE
    assert decided(paid("100", status="failed"), took="0").cause == "payment_mismatch"


def test_somebody_elses_payment_is_not_replaced():
    """A person said that it is the same: the accountant corrects it."""
    action = decided(paid("120"), took="120", counted=frozenset({"t1"}), order=ordered("replace_payment"))
    assert (action.do, action.cause, action.problems[0].facts["ours"]) == (Do.HOLD, "payment_changed", False)


def test_what_could_not_be_taken_off_or_put_back_is_left():
    """The period of the old day or of the new one is locked, or there is no account."""
    order = ordered("replace_payment")
    assert decided(paid("120"), took="120", order=order, books=locked_up_to(date(2026, 9, 10))).cause == "period_locked"
    earlier = paid("100", paid_on=date(2026, 8, 28))
    assert decided(earlier, order=order, books=locked_up_to(date(2026, 8, 28))).cause == "period_locked"
    gone = decided(paid("100", status=REMOVED), took="0", order=order, books=locked_up_to(date(2026, 9, 1)))
    assert gone.do is Do.UNPAY


def test_money_of_somebody_else_is_told_once_nothing_else_is_to_be_done():
    """With what is ours before and what is paid now; where as much is paid as CrocoClick says, nothing is."""
    action = decided(paid("100"), there="130")
    assert (action.do, action.cause) == (Do.HOLD, "changed_in_xero")
    assert action.problems[0].facts["changes"] == [{"field": "paid", "before": "100", "now": "130"}]
    bare = known(invoice(), standing(xero_amount_paid=Decimal(30)))
    assert (bare.do, bare.cause) == (Do.HOLD, "changed_in_xero")


def test_what_is_known_of_all_that_is_paid():
    """It is listed where nothing is beyond ours, or where the list is of just so much."""
    assert SyncState().is_listed
    assert not standing(xero_amount_paid=Decimal(30)).is_listed
