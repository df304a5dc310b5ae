"""What the planner never does, whatever stands in the two books."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.model.problems import CAUSES
from syncer.domain.model.sync_state import GONE, UNAPPROVED
from syncer.domain.planning.actions import Do
from syncer.domain.planning.plan import number_owners, plan_all
from tests.support.properties import examples
from tests.support.random_worlds import REFUSAL, worlds

OVER = frozenset({Do.UPDATE, Do.AMEND, Do.VOID, Do.DELETE, Do.UNPAY})  # what moves a document that stands in Xero
NEW = frozenset({Do.CREATE, Do.BIND})
SENT = OVER | {Do.CREATE, Do.PAY}
MANY = examples(5)
REAPPLYING = worlds(orders=("reapply_payments",), always=("issued", "lock", "paid_on", "counted", "xero_paid"))
ADOPTING = worlds(orders=("adopt", ""), always=("number", "stranger", "there"))


def decided(world):
    """Every invoice with what stands for it and the decision."""
    actions = plan_all(world.invoices, world.scene)
    return [(one, world.standing(one), action) for one, action in zip(world.invoices, actions, strict=True)]


def is_ordered(stands, *names):
    """Whether a person ordered one of these."""
    return stands.order is not None and stands.order.name in names


def kept(stands):
    """What the payments that we entered, and that count in CrocoClick still, come to."""
    those = (p for p in stands.payments if p.source_id in stands.carried and p.counts)
    return sum((p.amount for p in those), Decimal(0))


def entered(stands, *, ours):
    """What our payments in Xero come to; without `ours` those that somebody else entered too."""
    those = (p for p in stands.payments if p.source_id in stands.carried)
    return sum((p.amount for p in those if not (ours and p.source_id in stands.counted)), Decimal(0))


@MANY
@given(worlds())
def test_every_invoice_is_decided_with_reasons_that_have_words(world):
    """No world is too odd to decide; what is held says why, and only what is written has a document."""
    for one, stands, action in decided(world):
        assert action.invoice is one
        assert all(problem.code in CAUSES for problem in action.problems)
        assert action.problems or action.do is not Do.HOLD
        assert (action.document is not None) == (action.do in {Do.CREATE, Do.UPDATE, Do.AMEND})
        assert action.xero_id == stands.xero_id or action.do in NEW | {Do.HOLD, Do.LEAVE}
        assert bool(action.stamp) == (action.do in SENT)
        assert not is_ordered(stands, "skip") or (action.do, action.cause) == (Do.LEAVE, "skipped_by_person")


@MANY
@given(worlds())
def test_what_somebody_changed_or_removed_in_xero_is_never_overwritten(world):
    """Not without a person's order; one that was removed is at most sent once more."""
    for _, stands, action in decided(world):
        removed = stands.xero_status in GONE and stands.synced_status != "void"
        # A payment that bounced and was taken off in Xero leaves nothing that somebody changed against us.
        lacks = stands.xero_amount_paid < kept(stands)
        changed = stands.there != stands.agreed or lacks
        if action.do in OVER | {Do.PAY}:
            assert stands.xero_status not in GONE
            money = [name for name in ("total", "currency") if stands.there.get(name) != stands.agreed.get(name)]
            # Payments go on where somebody moved a date: money is not in question.
            fine = not (money or lacks) if action.do is Do.PAY else not changed
            assert fine or is_ordered(stands, "overwrite", "reapply_payments")
            assert not stands.gone or is_ordered(stands, "overwrite", "reapply_payments")
        if action.do in NEW and stands.xero_id:
            assert removed
            assert is_ordered(stands, "overwrite")


@MANY
@given(worlds())
def test_paid_documents_are_neither_voided_nor_rewritten(world):
    """Xero would refuse it; a draft is deleted, an approved document never; and a locked period stays as it is."""
    lock = world.scene.books.lock_date()
    for _, stands, action in decided(world):
        if action.do in {Do.VOID, Do.UPDATE}:
            assert not stands.xero_amount_paid
        if action.do in {Do.VOID, Do.DELETE}:
            assert (stands.xero_status in UNAPPROVED) == (action.do is Do.DELETE)
        if action.do in {Do.UPDATE, Do.AMEND, Do.VOID} and lock and stands.xero_status not in UNAPPROVED:
            assert stands.there["issue_date"] > lock.isoformat()
        if action.do is Do.CREATE and action.document.status == "AUTHORISED":
            assert not world.scene.books.is_locked(action.document.issue_date)


@MANY
@given(worlds())
def test_money_is_entered_once_and_never_more_than_is_due(world):
    """Only what CrocoClick took and kept, in the invoice's currency, on days that are open."""
    for one, stands, action in decided(world):
        assert bool(action.payments) == (action.do is Do.PAY)
        if action.do is Do.PAY:
            took = {payment.source_id: payment for payment in stands.payments}
            assert sum(payment.amount for payment in action.payments) <= stands.xero_amount_due
            assert one.status in world.scene.rules.statuses
            assert not stands.gone
            for payment in action.payments:
                original = took[payment.source_id]
                assert payment.source_id not in stands.carried
                assert (payment.amount, payment.paid_on) == (original.amount, original.paid_on)
                assert payment.amount > 0
                assert original.counts
                assert not original.refunded
                assert original.currency == one.currency
                assert not world.scene.books.is_locked(payment.paid_on)


@MANY
@given(st.one_of(worlds(), REAPPLYING))
def test_only_our_own_payments_are_taken_off_and_only_on_order(world):
    """All that is paid is then ours, to the cent, and can be put back; one that bounced goes alone."""
    for _, stands, action in decided(world):
        assert bool(action.unpay) == (action.do is Do.UNPAY)
        if action.do is Do.UNPAY:
            assert is_ordered(stands, "reapply_payments")
            counts = {payment.source_id for payment in stands.payments if payment.counts}
            if set(action.unpay) & counts:
                assert entered(stands, ours=True) == stands.xero_amount_paid
            assert not set(action.unpay) & stands.counted
            assert action.unpay.items() <= stands.carried.items()
            days = {payment.source_id: payment.paid_on for payment in stands.payments}
            assert not any(world.scene.books.is_locked(days[key]) for key in action.unpay)


@MANY
@given(st.one_of(worlds(), ADOPTING))
def test_a_number_and_a_document_belong_to_one_invoice(world):
    """No two are created under one number, and no document is bound twice."""
    found = decided(world)
    created = [action.document.number for _, _, action in found if action.do is Do.CREATE]
    bound = [action.xero_id for _, _, action in found if action.do is Do.BIND]
    assert len(set(created)) == len(created)
    assert len(set(bound)) == len(bound)
    assert not set(bound) & {stands.xero_id for _, stands, _ in found}


@MANY
@given(worlds(), st.randoms())
def test_the_order_of_the_invoices_decides_nothing(world, chance):
    """Nor does deciding twice."""
    shuffled = list(world.invoices)
    chance.shuffle(shuffled)
    first = {action.invoice.source_id: action for _, _, action in decided(world)}
    again = {action.invoice.source_id: action for action in plan_all(shuffled, world.scene)}
    assert first == again


@MANY
@given(worlds())
def test_what_xero_refused_is_not_sent_again_as_it_was(world):
    """It is held for Xero's reason, until the conditions move."""
    for one, stands, action in decided(world):
        if action.do in SENT:
            refused = replace(stands, refusal=REFUSAL, refused_stamp=action.stamp)
            scene = replace(world.scene, standings={**world.scene.standings, one.source_id: refused})
            held = plan_all(world.invoices, scene)[world.invoices.index(one)]
            assert held.do not in SENT or held.stamp != action.stamp
            assert held.cause in CAUSES
            moved = plan_all(world.invoices, replace(scene, conditions="later"))[world.invoices.index(one)]
            assert (moved.do, moved.document, moved.payments) == (action.do, action.document, action.payments)


@MANY
@given(worlds())
def test_one_alone_is_decided_like_among_the_others(world):
    """Once it is known who may use its number: `explain` says what `sync` does."""
    owners = number_owners(world.invoices, world.scene)
    for one, _, action in decided(world):
        assert plan_all([one], world.scene, owners) == [action]
