"""What one run does about an invoice, step by step, before it does it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.model.invoice import Status
from syncer.domain.model.payment import BookPayment
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Do
from syncer.domain.planning.forecast import after, steps
from syncer.domain.planning.plan import plan
from tests.support.domain_samples import (
    BANK,
    INVOICE,
    MARK,
    books,
    head,
    invoice,
    ordered,
    paid,
    rules,
    scene,
    standing,
)

BY = rules(payment_accounts={"": BANK.id})
WITH_PAYMENT = {
    "payments": (paid("100"),),
    "carried": {"t1": "p1"},
    "xero_amount_paid": Decimal(100),
    "xero_amount_due": Decimal(140),
}
EDITED = standing(synced_fingerprint="other", synced_frozen="other", **WITH_PAYMENT)
PART = invoice(status=Status.PARTIALLY_PAID, amount_paid=Decimal(100), amount_due=Decimal(140))
ALL = invoice(status=Status.PAID, amount_paid=Decimal(240), amount_due=Decimal(0))


def told(one, stands=None, there=None, by=BY, **changes):
    """The steps of one run, each as what it does and why something is in the way."""
    stands = stands or SyncState()

    def decide(then):
        return plan(one, scene(rules=by, standings={one.source_id: then}, **changes))

    return [(step.do, step.cause) for step in steps(decide(stands), stands, decide, there)]


def in_xero(amount="240"):
    """A payment that somebody entered in Xero for the invoice."""
    return BookPayment("p9", "xi1", Decimal(amount), "by hand", "AUTHORISED")


def test_a_new_document_is_followed_by_its_payments():
    """Or by what holds them; one without payments is done with its creation."""
    assert told(INVOICE) == [(Do.CREATE, "")]
    assert told(ALL, SyncState(payments=(paid(),))) == [(Do.CREATE, ""), (Do.PAY, "")]
    assert told(ALL, SyncState(payments=(paid(),)), by=rules()) == [
        (Do.CREATE, ""),
        (Do.HOLD, "payment_account_missing"),
    ]
    assert told(ALL) == [(Do.CREATE, ""), (Do.HOLD, "payment_mismatch")]


@pytest.mark.parametrize("stands", [standing(synced_fingerprint="other", payments=(paid(),)), EDITED])
def test_a_change_is_followed_by_payments_that_are_new(stands):
    """After the document, and after the few fields that can change beside payments."""
    stands = replace(stands, synced_frozen=PART.frozen_fingerprint)
    one = replace(ALL, amount_paid=sum((each.amount for each in stands.payments), Decimal(0)))
    more = (*stands.payments, paid("40", "t2"))
    one = replace(one, amount_paid=one.amount_paid + 40) if stands.carried else one
    stands = replace(stands, payments=more) if stands.carried else stands
    assert [do for do, _ in told(one, stands)] == [Do.AMEND if stands.carried else Do.UPDATE, Do.PAY]


def test_payments_are_taken_off_the_change_is_sent_and_they_are_put_back():
    """Three steps of one run, on order; of a void there are two."""
    on_order = replace(EDITED, order=ordered("reapply_payments"))
    assert told(PART, on_order) == [(Do.UNPAY, ""), (Do.UPDATE, ""), (Do.PAY, "")]
    assert told(replace(PART, status=Status.VOID), on_order) == [(Do.UNPAY, ""), (Do.VOID, "")]


def test_payments_are_compared_one_by_one_first():
    """What Xero lists decides what follows; without having looked nothing more is said."""
    amounts = {"xero_amount_paid": Decimal(240), "xero_amount_due": Decimal(0)}
    stands = standing(payments=(paid(),), order=ordered("same_payment"), **amounts)
    assert told(ALL, stands) == [(Do.RECOUNT, "")]
    assert told(ALL, stands, [in_xero()]) == [(Do.RECOUNT, "")]
    assert told(ALL, stands, [in_xero(amount="7")]) == [(Do.RECOUNT, ""), (Do.HOLD, "payment_exceeds_due")]
    taken_off = standing(payments=(paid(),), carried={"t1": "p1"}, order=ordered("overwrite"))
    assert told(ALL, taken_off, []) == [(Do.RECOUNT, ""), (Do.PAY, "")]


def test_a_document_that_is_there_already_is_taken_note_of_and_looked_at():
    """Our own needs nothing more but its payments; a stranger that differs shows as changed."""
    ours = {"F-1": [head(url=MARK)]}
    assert told(INVOICE, heads=ours) == [(Do.BIND, "")]
    assert told(ALL, SyncState(payments=(paid(),)), heads=ours) == [(Do.BIND, ""), (Do.PAY, "")]
    adopted = SyncState(order=ordered("adopt"))
    assert told(INVOICE, adopted, heads={"F-1": [head()]}) == [(Do.BIND, "")]
    other = {"F-1": [head(total=Decimal(250))]}
    assert told(invoice(tax=Decimal(40)), adopted, heads=other) == [(Do.BIND, ""), (Do.HOLD, "changed_in_xero")]


def test_our_own_document_that_differs_by_now_is_told_as_changed_or_voided():
    """As the run decides that finds it: the number or a date is another one, or the invoice is void since."""
    ours = {"F-1": [head(url=MARK)]}
    later = invoice(due_date=date(2027, 1, 31))
    assert told(later, heads=ours) == [(Do.BIND, ""), (Do.HOLD, "changed_in_xero")]
    assert told(invoice(due_date=None), heads=ours)[0] == (Do.BIND, "")
    assert told(invoice(status=Status.VOID), heads=ours) == [(Do.BIND, ""), (Do.VOID, "")]


def test_what_is_left_or_held_has_no_next_step():
    """Nothing is done, so nothing follows."""
    assert told(INVOICE, standing()) == [(Do.LEAVE, "")]
    assert told(invoice(due_date=None)) == [(Do.HOLD, "due_date_missing")]


def test_it_ends_whatever_is_decided():
    """A decision that never comes to rest is followed five steps far."""
    one = replace(EDITED, order=ordered("reapply_payments"))
    first = plan(PART, scene(rules=BY, standings={PART.source_id: one}))
    update = plan(INVOICE, scene(standings={INVOICE.source_id: standing(synced_fingerprint="other")}))
    following = iter([update, first] * 5)
    assert [step.do for step in steps(first, one, lambda then: next(following))] == [
        Do.UNPAY, Do.UPDATE, Do.UNPAY, Do.UPDATE, Do.UNPAY,
    ]  # fmt: skip


def test_an_update_leaves_an_approved_document_with_what_is_due():
    """A draft that is sent anew is approved; what was paid stays paid."""
    stands = standing(synced_fingerprint="other", xero_status="DRAFT")
    action = plan(INVOICE, scene(standings={INVOICE.source_id: stands}, books=books()))
    then = after(action, stands)
    assert (then.xero_status, then.xero_amount_due, then.order) == ("AUTHORISED", Decimal(240), None)
