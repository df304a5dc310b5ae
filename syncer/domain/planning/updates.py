"""What an invoice that stands in Xero needs: its changes carried, and what others changed there never overwritten."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from syncer.domain.matching.invoice_contacts import Linked
from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.money import text
from syncer.domain.model.payment import Payment, account_for
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import GONE, SyncState, changes, mismatch, said
from syncer.domain.planning.actions import (
    Action,
    Do,
    PlanInputs,
    hold,
    is_to_approve,
    leave,
    number_problem,
    unless_refused,
    written,
)
from syncer.domain.planning.changed_payments import Changed, changed_payments, replaceable
from syncer.domain.planning.payments import due, locked_payments, refund, takes_payments

AMENDABLE = frozenset({"number", "contact", "due_date"})  # with payments (Xero's Invoices page)


def upkeep(invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None) -> Action:
    """Decide one invoice whose document is in Xero; `owner` is the invoice that may use its number."""
    if standing.removed:
        return _removed(invoice, standing)
    if standing.gone:
        return _gone(invoice, standing, scene)
    if standing.synced_status == Status.VOID:
        return leave(invoice, standing)
    goes_on = standing.is_ordered("overwrite", "reapply_payments")
    if standing.is_ordered("same_payment") or (goes_on and standing.lacks_payments):
        return Action(invoice, Do.RECOUNT, xero_id=standing.xero_id)
    changed = changes(standing, scene.merged, scene.names, _wanted(invoice, scene))
    if changed and not goes_on:
        facts = {"number": invoice.number, "currency": invoice.currency, "changes": changed}
        held = hold(invoice, standing, Problem("changed_in_xero", facts))
        return held if _touches_money(changed) else _paying_on(held, standing, scene)
    if invoice.status is Status.VOID:
        return _void(invoice, standing, scene)
    if not changed and standing.synced_fingerprint == invoice.fingerprint and standing.there:
        differs = mismatch(standing.agreed, standing.there)
        if differs and not goes_on:
            return hold(invoice, standing, differs)
        changed = [{"field": "total"}] if differs else []
    moves_on = is_to_approve(invoice, standing, scene.rules)
    if standing.synced_fingerprint != invoice.fingerprint or moves_on or changed:
        return _edit(invoice, standing, scene, owner, changed)
    return _payments(invoice, standing, scene)


def _wanted(invoice: Invoice, scene: PlanInputs) -> dict[str, str]:
    """What Xero has to say once it says the same as CrocoClick."""
    contact = scene.contacts.get(invoice.customer.id)
    return {**said(invoice), **({"contact": contact.xero_id} if isinstance(contact, Linked) else {})}


def _removed(invoice: Invoice, standing: SyncState) -> Action:
    """Somebody voided or deleted it in Xero; where CrocoClick has given it up too, both sides agree."""
    if invoice.status is Status.VOID or standing.gone:
        return leave(invoice, standing)
    facts = {"number": invoice.number, "xero_status": standing.xero_status, "xero_number": standing.there.get("number")}
    return hold(invoice, standing, Problem("removed_in_xero", facts))


def _gone(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Action:
    """CrocoClick has deleted it: nothing follows in Xero without an order."""
    if standing.xero_status in GONE:
        return leave(invoice, standing)
    if standing.is_ordered("overwrite", "reapply_payments"):
        return _take_away(invoice, standing, scene)
    facts = {"number": invoice.number, "xero_status": standing.xero_status, "in_xero": True}
    return hold(invoice, standing, Problem("deleted_in_crococlick", facts))


def _void(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Action:
    if Status.VOID not in scene.rules.statuses:
        return leave(invoice, standing, _not_carried(invoice))
    return _take_away(invoice, standing, scene)


def _take_away(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Action:
    """Void it in Xero, or delete it while it is a draft."""
    if standing.unapproved:
        return unless_refused(Action(invoice, Do.DELETE, xero_id=standing.xero_id), standing, scene)
    if locked := _locked(standing, scene):
        return hold(invoice, standing, locked)
    if standing.xero_amount_paid:
        return _behind_payments(invoice, standing, scene, "void_with_payments")
    return unless_refused(Action(invoice, Do.VOID, xero_id=standing.xero_id), standing, scene)


def _not_carried(invoice: Invoice) -> Problem:
    """The settings leave out what has become of an invoice that is in Xero."""
    return Problem("status_not_selected", {"status": str(invoice.status), "in_xero": True})


def _edit(
    invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None, changed: Sequence[dict[str, Any]]
) -> Action:
    """Its content moved since Xero got it, or is to be sent once more."""
    if invoice.number != standing.there.get("number", invoice.number) and (
        taken := number_problem(invoice, standing, scene, owner)
    ):
        return _paying_on(hold(invoice, standing, taken), standing, scene)
    made = written(invoice, standing, scene)
    if isinstance(made, Action):
        return _paying_on(made, standing, scene)
    if locked := _locked(standing, scene):
        return _paying_on(hold(invoice, standing, locked), standing, scene)
    if not standing.xero_amount_paid:
        return unless_refused(Action(invoice, Do.UPDATE, document=made, xero_id=standing.xero_id), standing, scene)
    in_heads = all(one["field"] in AMENDABLE for one in changed)
    if standing.synced_frozen == invoice.frozen_fingerprint and in_heads:
        return unless_refused(Action(invoice, Do.AMEND, document=made, xero_id=standing.xero_id), standing, scene)
    if found := _as_wanted_by_now(invoice, standing, scene):
        return Action(invoice, Do.BIND, xero_id=found.id, found=found)
    return _paying_on(_behind_payments(invoice, standing, scene, "edited_after_payment"), standing, scene)


def _as_wanted_by_now(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> BookInvoice | None:
    """Its document, where Xero came to say what CrocoClick says although the ledger never saw it.

    Xero lets nobody change amounts and the date once there is a payment: the edit was carried before that, by a run
    that a ledger which was put back knows nothing of.
    """
    moved = {name for name, before in standing.agreed.items() if standing.there.get(name, before) != before}
    as_said = all(standing.there.get(name) == value for name, value in said(invoice).items())
    if not as_said or moved <= AMENDABLE:
        return None
    return next((head for head in scene.heads.get(invoice.number, ()) if head.id == standing.xero_id), None)


def _touches_money(changed: Sequence[dict[str, Any]]) -> bool:
    return any(one["field"] in ("total", "currency", "paid") for one in changed)


def _paying_on(held: Action, standing: SyncState, scene: PlanInputs) -> Action:
    """What holds the document does not hold its payments, as long as both sides speak of the same currency."""
    same = standing.there.get("currency", held.invoice.currency) == held.invoice.currency
    paid = _payments(held.invoice, standing, scene) if held.do is Do.HOLD and same else held
    return replace(paid, problems=held.problems) if paid.do is Do.PAY else held


def _locked(standing: SyncState, scene: PlanInputs) -> Problem | None:
    """Xero changes nothing of an approved document that is dated in a locked period (Xero's Organisation page)."""
    issued, lock = standing.there.get("issue_date", ""), scene.books.lock_date()
    if standing.unapproved or not lock or not issued or issued > lock.isoformat():
        return None
    facts = {"issue_date": issued, "lock_date": lock.isoformat(), "in_xero": True}
    return Problem("period_locked", facts, "issue date")


def _stuck(
    off: Sequence[Payment], invoice: Invoice, standing: SyncState, scene: PlanInputs, cause: str
) -> Problem | None:
    """Why payments cannot be taken off, or not be put back: half of it would be worse than nothing."""
    if locked := locked_payments(off, invoice, scene.books):
        return locked
    if cause == "void_with_payments":
        return None
    account = account_for(invoice.currency, scene.books, scene.rules)
    if isinstance(account, Problem):
        return Problem(account.code, {**account.facts, "payments": len(off)})
    if not takes_payments(invoice, standing, scene.rules):
        return _not_carried(invoice)
    return refund(invoice, off)


def _behind_payments(invoice: Invoice, standing: SyncState, scene: PlanInputs, cause: str) -> Action:
    """Payments block it: ours are taken off when a person orders it, anybody else's never."""
    if standing.is_ordered("reapply_payments") and standing.paid_by_us:
        ours = {key: id_ for key, id_ in standing.carried.items() if key not in standing.counted}
        off = [one for one in standing.payments if one.source_id in ours]
        if stuck := _stuck(off, invoice, standing, scene, cause):
            return hold(invoice, standing, stuck)
        unpay = Action(invoice, Do.UNPAY, xero_id=standing.xero_id, unpay=ours)
        return unless_refused(unpay, standing, scene)
    facts = {
        "number": invoice.number,
        "currency": invoice.currency,
        "paid": text(standing.xero_amount_paid),
        "ours": standing.paid_by_us,
    }
    return hold(invoice, standing, Problem(cause, facts))


def _payments(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Action:
    if not takes_payments(invoice, standing, scene.rules):
        untold = invoice.amount_paid > standing.carried_sum() and invoice.status not in scene.rules.statuses
        return leave(invoice, standing, _not_carried(invoice)) if untold else _paid_as_known(invoice, standing)
    ours = [one for one in standing.bounced if one.source_id not in standing.counted]
    if ours and standing.is_ordered("reapply_payments"):
        off = {one.source_id: standing.carried[one.source_id] for one in ours}
        unpay = Action(invoice, Do.UNPAY, xero_id=standing.xero_id, unpay=off)
        locked = locked_payments(ours, invoice, scene.books)
        return hold(invoice, standing, locked) if locked else unless_refused(unpay, standing, scene)
    found = due(invoice, standing, scene.books, scene.rules)
    changed = replaceable(changed_payments(standing), standing)
    if found.problem and found.problem.code == "payment_changed" and changed and standing.is_ordered("replace_payment"):
        return _replace(changed, invoice, standing, scene)
    why = (found.problem,) if found.problem else ()
    if not found.payments:
        return hold(invoice, standing, *why) if why else _paid_as_known(invoice, standing)
    action = Action(invoice, Do.PAY, why, xero_id=standing.xero_id, payments=found.payments)
    return unless_refused(action, standing, scene)


def _paid_as_known(invoice: Invoice, standing: SyncState) -> Action:
    """Both books agree, unless somebody has entered money in Xero that CrocoClick does not know of."""
    if not standing.unexplained:
        return leave(invoice, standing)
    now = standing.xero_amount_paid
    change = {"field": "paid", "before": text(now - standing.unexplained), "now": text(now)}
    facts = {"number": invoice.number, "currency": invoice.currency, "changes": [change]}
    return hold(invoice, standing, Problem("changed_in_xero", facts))


def _replace(changed: Sequence[Changed], invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Action:
    """Take off what changed; what CrocoClick still has of it is entered anew once it is off."""
    before = [replace(one.payment, paid_on=one.entered.paid_on) for one in changed]
    now = [one.payment for one in changed if one.payment.counts]
    stuck = locked_payments(before, invoice, scene.books) or (now and _stuck(now, invoice, standing, scene, ""))
    if stuck:
        return hold(invoice, standing, stuck)
    off = {one.payment.source_id: standing.carried[one.payment.source_id] for one in changed}
    return unless_refused(Action(invoice, Do.UNPAY, xero_id=standing.xero_id, unpay=off), standing, scene)
