"""Which payments Xero still lacks, which cannot go, and which of those that are there are the same."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.model.invoice import Status
from syncer.domain.model.payment import REMOVED, BookPayment, is_ours, mark_in, reference
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import Others, SyncState
from syncer.domain.planning.actions import Do
from syncer.domain.planning.payments import is_of_payments, listing, may_be_paid, recount
from tests.support.domain_samples import BANK, SALES, books, head, invoice, known, locked_up_to, paid, rules, standing

PAYING = {"rules": rules(payment_accounts={"EUR": "acc-bank"})}


def with_payments(*payments, due="240", carried=(), total_paid=None, extras="0", **changes):
    """The decision on an invoice in Xero that these payments were made for; those carried are paid there."""
    total = sum((one.amount for one in payments), Decimal(0)) if total_paid is None else Decimal(total_paid)
    one = invoice(status=Status.PAID, amount_paid=total, extras=Decimal(extras))
    there = sum((payment.amount for payment in payments if payment.source_id in carried), Decimal(0))
    stands = standing(
        payments=payments,
        carried=dict.fromkeys(carried, "p"),
        xero_amount_paid=there,
        xero_amount_due=Decimal(due) - there,
    )
    return known(one, stands, **{**PAYING, **changes})


def test_a_payment_that_xero_lacks_is_carried():
    """With its day, its account, and our mark in the reference."""
    action = with_payments(paid())
    (payment,) = action.payments
    assert (action.do, payment.invoice_id, payment.account_id) == (Do.PAY, "xi1", "acc-bank")
    assert (payment.amount, payment.paid_on) == (Decimal(240), date(2026, 9, 10))
    assert payment.reference == "bank transfer t1"


def test_our_mark_in_a_reference_is_a_whole_word():
    """The transaction t1 is not t11, and no id is nobody's mark."""
    assert is_ours(reference(paid(source_id="t11")), "t11")
    assert not is_ours(reference(paid(source_id="t11")), "t1")
    assert not is_ours("bank transfer", "")


def test_payments_go_in_the_order_they_were_made_and_once_each():
    """One that Xero has is left out; when it has all, nothing is done."""
    three = [paid("80", source_id=f"t{n}", paid_on=date(2026, 9, 20 - n)) for n in (1, 2, 3)]
    assert [one.source_id for one in with_payments(*three).payments] == ["t3", "t2", "t1"]
    assert [one.source_id for one in with_payments(*three, carried=["t2"]).payments] == ["t3", "t1"]
    assert with_payments(*three, carried=["t1", "t2", "t3"]).do is Do.LEAVE


@pytest.mark.parametrize(
    ("problem", "is_so"),
    [
        (None, False),
        (Problem("number_taken"), False),
        (Problem("period_locked", {"issue_date": "2026-09-01"}), False),
        (Problem("period_locked", {"payments": 2}), True),
        (Problem("payment_mismatch"), True),
    ],
)
def test_what_is_said_of_payments_is_told_apart(problem, is_so):
    """A lock may concern the document or its payments."""
    assert is_of_payments(problem) == is_so


def test_a_failed_or_test_payment_is_no_money():
    """It is as if it were not there."""
    others = [paid(source_id="t2", status="failed"), paid(source_id="t3", live=False)]
    assert [one.source_id for one in with_payments(paid(), *others, total_paid=240).payments] == ["t1"]


@pytest.mark.parametrize("statuses", [frozenset({Status.SENT}), frozenset()])
def test_payments_of_a_status_not_selected_are_not_carried(statuses):
    """The document stays as it is, and the reason is said; where Xero has them all there is nothing to say."""
    action = with_payments(paid(), rules=replace(PAYING["rules"], statuses=statuses))
    assert (action.do, action.cause, action.payments) == (Do.LEAVE, "status_not_selected", ())
    assert dict(action.problems[0].facts) == {"status": "paid", "in_xero": True}
    carried = with_payments(paid(), carried=["t1"], rules=replace(PAYING["rules"], statuses=statuses))
    assert (carried.do, carried.problems) == (Do.LEAVE, ())


USED_UP = books(accounts=(SALES, replace(BANK, status="ARCHIVED")))
IN_DOLLARS = books(accounts=(SALES, replace(BANK, currency="USD")))
HELD_PAYMENTS = [
    ([paid(refunded=Decimal(40), status="partially_refunded")], {}, "refund_needs_person"),
    ([paid("200")], {"total_paid": 240}, "payment_mismatch"),
    ([paid(currency="USD")], {}, "payment_mismatch"),
    ([paid(), paid("-1", source_id="t2")], {}, "payment_mismatch"),
    ([paid("100.005"), paid("1", source_id="t2")], {}, "payment_mismatch"),
    ([paid(paid_on=None)], {}, "payment_mismatch"),
    ([paid()], {"due": "239.99"}, "payment_exceeds_due"),
    ([paid()], {"rules": rules()}, "payment_account_missing"),
    ([paid()], {"rules": rules(payment_accounts={"USD": "acc-bank"})}, "payment_account_missing"),
    ([paid()], {"rules": rules(payment_accounts={"": "nowhere"})}, "payment_account_invalid"),
    ([paid()], {"rules": rules(payment_accounts={"": "706"})}, "payment_account_invalid"),
    ([paid()], {"books": USED_UP}, "payment_account_invalid"),
    ([paid()], {"books": IN_DOLLARS}, "payment_account_invalid"),
    ([paid()], {"books": locked_up_to(date(2026, 9, 10))}, "period_locked"),
]


@pytest.mark.parametrize(("payments", "changes", "code"), HELD_PAYMENTS)
def test_a_payment_that_does_not_fit_is_held(payments, changes, code):
    """Nothing wrong is written; the document is in Xero already."""
    action = with_payments(*payments, **changes)
    assert (action.do, action.cause, action.payments, action.xero_id) == (Do.HOLD, code, (), "xi1")


@pytest.mark.parametrize("account", [replace(BANK, currency="EUR"), replace(SALES, id="acc-bank", takes_payments=True)])
def test_a_bank_account_or_one_with_payments_enabled_takes_them(account):
    """In the currency of the payment or of the organisation."""
    assert with_payments(paid(), books=books(accounts=(account,))).do is Do.PAY


def test_a_payment_that_cannot_go_does_not_hold_the_others():
    """One in a locked period and one refunded stay behind; the rest is entered, and the reason kept."""
    old, new = paid("100", paid_on=date(2026, 9, 5)), paid("140", "t2")
    action = with_payments(old, new, books=locked_up_to(date(2026, 9, 6)))
    assert (action.do, action.cause, [one.source_id for one in action.payments]) == (Do.PAY, "period_locked", ["t2"])
    assert action.problems[0].facts["amount"] == "100"
    refunded = paid("100", refunded=Decimal(100), status="refunded")
    action = with_payments(refunded, new)
    assert (action.do, action.cause, [one.source_id for one in action.payments]) == (
        Do.PAY,
        "refund_needs_person",
        ["t2"],
    )


def test_a_refund_may_or_may_not_lower_what_crococlick_says_is_paid():
    """Both readings add up; the refund is for a person either way, even where the payment went over before."""
    refunded = paid("240", refunded=Decimal(40), status="partially_refunded")
    for says in (240, 200):
        assert with_payments(refunded, total_paid=says).cause == "refund_needs_person"
        assert with_payments(refunded, total_paid=says, carried=["t1"]).cause == "refund_needs_person"


def test_a_payment_that_crococlick_has_no_more_does_not_add_up():
    """It stands in Xero as ours, so nothing more is entered."""
    one = invoice(status=Status.PAID, amount_paid=Decimal(140))
    stands = standing(payments=(paid("140", "t2"),), carried={"t1": "p1"}, xero_amount_due=Decimal(140))
    assert known(one, stands, **PAYING).cause == "payment_mismatch"


def test_what_does_not_add_up_says_what_was_found():
    """With what the customer paid beside the invoice, and in which other currency."""
    (problem,) = with_payments(paid("250"), total_paid=240, extras="10").problems
    assert dict(problem.facts) == {"currency": "EUR", "paid": "240", "found": "250", "extras": "10"}
    (problem,) = with_payments(paid(currency="USD")).problems
    assert problem.facts["other_currency"] == "USD"


# -- counting the same


def there(id="p9", amount="240", reference="", status="AUTHORISED", paid_on=date(2026, 9, 10)):
    """A payment on the Xero invoice."""
    return BookPayment(id, "xi1", Decimal(amount), reference, status, paid_on)


def counted(*found, payments, count_same=True, **changes):
    """Which are carried, and which of those somebody else entered."""
    made = recount(SyncState(xero_id="xi1", payments=payments, **changes), found, count_same)
    return dict(made.carried), set(made.counted)


def test_our_own_payments_are_known_by_their_mark():
    """Whatever we thought before; one that was taken off in Xero is there no more."""
    two = (paid("100"), paid("140", "t2"))
    marked, gone = there("p1", "100", "bank transfer t1"), there("p2", "140", "bank transfer t2", status="DELETED")
    found = counted(marked, gone, payments=two, carried={"t1": "p0", "t2": "p2"}, count_same=False)
    assert found == ({"t1": "p1"}, set())


def test_the_same_money_entered_by_somebody_else_counts_when_a_person_says_so():
    """By equal amounts; without that word it stays a stranger."""
    assert counted(there(), payments=(paid(),)) == ({"t1": "p9"}, {"t1"})
    assert counted(there(), payments=(paid(),), count_same=False) == ({}, set())
    assert counted(there(amount="239"), payments=(paid(),)) == ({}, set())


def test_of_several_of_one_amount_the_nearest_day_is_the_same():
    """A payment without a day comes last."""
    found = [there("p1", paid_on=None), there("p2", paid_on=date(2026, 9, 1)), there("p3", paid_on=date(2026, 9, 12))]
    assert counted(*found, payments=(paid(),)) == ({"t1": "p3"}, {"t1"})
    assert counted(found[0], payments=(paid(),)) == ({"t1": "p1"}, {"t1"})


def test_each_payment_in_xero_counts_once():
    """Two of ours are not both the one that is there."""
    two = (paid("100"), paid("100", "t2"))
    assert counted(there(amount="100"), payments=two) == ({"t1": "p9"}, {"t1"})


def test_a_whole_that_was_entered_in_other_parts_counts_too():
    """Two instalments booked as one, or one as two: where both sides come to the same sum."""
    two = (paid("100"), paid("140", "t2"))
    assert counted(there(), payments=two) == ({"t1": "p9", "t2": "p9"}, {"t1", "t2"})
    halves = [there("p2", "100"), there("p1", "140")]
    assert counted(*halves, payments=(paid(),)) == ({"t1": "p1"}, {"t1"})


def test_what_was_counted_once_stays_counted():
    """As long as it stands in Xero, and even where one payment there stands for two of ours."""
    two = (paid("100"), paid("140", "t2"))
    before = {"payments": two, "carried": {"t1": "p9", "t2": "p9"}, "counted": frozenset({"t1", "t2"})}
    assert counted(there(), count_same=False, **before) == ({"t1": "p9", "t2": "p9"}, {"t1", "t2"})
    assert counted(there(status="DELETED"), count_same=False, **before) == ({}, set())


def test_a_refunded_or_failed_payment_is_not_looked_for():
    """What went back is not to be found in Xero."""
    others = (paid(refunded=Decimal(240), status="refunded"), paid(source_id="t2", status="failed"))
    assert counted(there(), payments=others) == ({}, set())


def test_payments_that_come_to_nothing_find_nothing():
    """Where Xero has none, there is none to be the same."""
    assert counted(payments=(paid("0"),)) == ({}, set())
    assert counted(payments=(paid("5"), paid("-5", "t2"))) == ({}, set())


def test_what_counts_as_the_same_is_kept_as_crococlick_has_it():
    """The day of the payment in Xero may be another: a person said that it is the same."""
    made = recount(SyncState(xero_id="xi1", payments=(paid(),)), [there(paid_on=date(2026, 9, 14))], True)
    assert (made.entered["t1"].id, made.entered["t1"].paid_on) == ("p9", date(2026, 9, 10))
    marked = recount(SyncState(xero_id="xi1", payments=(paid(),)), [there(amount="200", reference="t1")], False)
    assert marked.entered["t1"].amount == 200


# -- Xero's own list


def test_a_list_binds_what_carries_our_mark_and_keeps_the_rest_apart():
    """A ledger that was put back does not know of p1; p2 is somebody else's, and p3 was taken off."""
    stands = SyncState(xero_id="xi1", payments=(paid("100"), paid("40", "t2")), carried={"t2": "p0"})
    ours, theirs = there("p1", "100", "card t1"), there("p2", "30")
    found = listing(stands, head(amount_paid=Decimal(170)), [ours, theirs, there("p3", "9", "x", status="DELETED")])
    assert dict(found.found) == {"t1": ours}
    assert found.others == Others(Decimal(30), (theirs,))


def test_a_list_forgets_nothing_and_follows_what_was_entered_anew():
    """One that is not in it was taken off by somebody; one that is in it under another id is ours all the same."""
    stands = SyncState(xero_id="xi1", payments=(paid("100"),), carried={"t1": "p0"})
    assert listing(stands, head(amount_paid=Decimal(0)), []).found == {}
    known = there("p0", "100", "card t1")
    assert listing(stands, head(amount_paid=Decimal(100)), [known]).found == {}
    anew = there("p1", "90", "card t1")
    found = listing(stands, head(amount_paid=Decimal(90)), [anew])
    assert (dict(found.found), found.others.of) == ({"t1": anew}, 0)


MOVED_AWAY, GONE_AWAY, TWICE = (f"{letter}{0:023}" for letter in "abc")


def test_a_list_knows_our_marks_of_payments_that_crococlick_has_elsewhere_or_nowhere():
    """Nobody else entered them; what is known to be in Xero already is not taken for a second one."""
    stands = SyncState(xero_id="xi1", payments=(paid("100"),))
    listed = [there(f"p{n}", f"{n}0", f"card {mark}") for n, mark in enumerate((MOVED_AWAY, GONE_AWAY, TWICE), 1)]
    elsewhere = {MOVED_AWAY: paid("10", MOVED_AWAY), TWICE: paid("30", TWICE)}
    found = listing(stands, head(amount_paid=Decimal(60)), listed, elsewhere, {TWICE})
    assert dict(found.found) == {MOVED_AWAY: listed[0], GONE_AWAY: listed[1]}
    assert dict(found.moved) == {MOVED_AWAY: elsewhere[MOVED_AWAY]}
    [gone] = found.removed
    assert (gone.source_id, gone.amount, gone.status) == (GONE_AWAY, 20, REMOVED)
    assert found.others == Others(Decimal(30), (listed[2],))


@pytest.mark.parametrize(
    ("written", "mark"),
    [
        ("", ""),
        ("thanks", ""),
        (f"bank transfer {MOVED_AWAY}", MOVED_AWAY),
        (f"{MOVED_AWAY} bank transfer", ""),
        (f"x{MOVED_AWAY}", ""),
    ],
)
def test_our_mark_ends_a_reference(written, mark):
    """An accountant's own words do not look like an id of CrocoClick."""
    assert mark_in(written) == mark


def test_what_may_be_paid_stands_in_xero_and_lacks_something():
    """Also where only its sum is known, and the transactions are not."""
    allowed, one = rules(), invoice(status=Status.PAID, amount_paid=Decimal(240))
    assert may_be_paid(one, SyncState(xero_id="xi1"), allowed)
    assert may_be_paid(replace(one, amount_paid=Decimal(0)), SyncState(xero_id="xi1", payments=(paid(),)), allowed)
    assert not may_be_paid(one, SyncState(), allowed)
    assert not may_be_paid(one, SyncState(xero_id="xi1", payments=(paid(),), carried={"t1": "p1"}), allowed)
    assert not may_be_paid(replace(one, status=Status.VOID), SyncState(xero_id="xi1"), allowed)


def beside(amount, others=None, *payments, **changes):
    """The decision where so much is paid in Xero that we did not enter."""
    took = payments or (paid("30"), paid("50", "t2"))
    one = invoice(amount_paid=sum((payment.amount for payment in took), Decimal(0)))
    left = Decimal(240) - Decimal(amount)
    stands = standing(payments=took, xero_amount_paid=Decimal(amount), xero_amount_due=left, others=others, **changes)
    return known(one, stands, **PAYING)


def test_a_payment_that_may_be_there_already_is_held_and_the_others_go():
    """By an equal amount; as listed, or where nothing is listed yet all that is paid counts for one."""
    listed = Others(Decimal(75), (there("p1", "30"), there("p2", "45")))
    for action in (beside("30"), beside("75", listed), beside("30", Others(Decimal(9), (there("p1", "50"),)))):
        assert (action.do, [one.source_id for one in action.payments]) == (Do.PAY, ["t2"])
        assert action.problems[0].code == "payment_mismatch" and action.problems[0].facts["same"]
    both = beside("80")
    assert (both.do, both.problems[0].facts["payments"], both.payments) == (Do.HOLD, 2, ())
    assert len(beside("75", Others(Decimal(75), (there("p1", "75"),))).payments) == 2


def test_too_much_says_whether_it_may_be_the_same():
    """Only then is there anything to count."""
    assert beside("200", None, paid("200")).problems[0].facts["same"]
    facts = beside("150", None, paid("200")).problems[0].facts
    assert ("same" in facts, facts["unexplained"]) == (False, "150")
