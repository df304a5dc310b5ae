"""What each invoice needs. Nothing happens here: sync performs it, plan shows it, explain asks it for one."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import blake2b

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import Flaw, Invoice, Status
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import GONE, SyncState
from syncer.domain.planning.actions import (
    Action,
    Do,
    PlanInputs,
    hold,
    holder_of,
    is_ours,
    leave,
    number_problem,
    strangers,
    unless_refused,
    written,
)
from syncer.domain.planning.updates import upkeep


def not_eligible(invoice: Invoice, rules: Rules) -> Problem | None:
    """Why the settings leave out an invoice that is not in Xero yet."""
    if not invoice.live:
        return Problem("test_mode", {"number": invoice.number})
    if invoice.status is Status.VOID:
        return Problem("void_before_sync", {"number": invoice.number})
    if invoice.status not in rules.statuses and invoice.status is not Status.UNKNOWN:
        return Problem("status_not_selected", {"status": str(invoice.status)})
    if rules.start_date and invoice.issue_date and invoice.issue_date < rules.start_date:
        facts = {"issue_date": invoice.issue_date.isoformat(), "start_date": rules.start_date.isoformat()}
        return Problem("before_start_date", facts)
    return None


def unreadable(invoice: Invoice, flaw: Flaw) -> Problem:
    """What of the invoice cannot be understood: nothing is decided about it until it can be."""
    facts = {"number": invoice.number, "field": flaw.field, "value": flaw.found, "reason": flaw.reason}
    return Problem("invoice_unreadable", facts, flaw.field)


def number_owners(invoices: Iterable[Invoice], scene: PlanInputs) -> dict[str, Invoice]:
    """Which invoice may use each number: the one that stands in Xero, else the earlier issued, then the smaller id."""
    rivals: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        if _competes(invoice, scene):
            rivals[invoice.number].append(invoice)
    return {number: min(those, key=lambda one: _precedence(one, scene)) for number, those in rivals.items()}


def _competes(invoice: Invoice, scene: PlanInputs) -> bool:
    """Whether it stands in Xero under its number, or would like to."""
    standing = scene.standings.get(invoice.source_id, SyncState())
    wants = not (invoice.flaw or not_eligible(invoice, scene.rules) or standing.is_ordered("skip") or standing.gone)
    return wants or _stands(invoice, standing)


def _stands(invoice: Invoice, standing: SyncState) -> bool:
    return bool(standing.xero_id) and standing.there.get("number", invoice.number) == invoice.number


def _precedence(invoice: Invoice, scene: PlanInputs) -> tuple[bool, bool, date, str]:
    standing = scene.standings.get(invoice.source_id, SyncState())
    # An invoice with an `adopt` order wins the number over invoices that need a new document.
    adopts = standing.is_ordered("adopt")
    return (not _stands(invoice, standing), not adopts, invoice.issue_date or date.max, invoice.source_id)


def plan_all(
    invoices: Sequence[Invoice], scene: PlanInputs, owners: Mapping[str, Invoice] | None = None
) -> list[Action]:
    """Decide every invoice; `owners` says who may use a number when not all invoices are at hand."""
    owners = number_owners(invoices, scene) if owners is None else owners
    return [plan(invoice, scene, owners.get(invoice.number)) for invoice in invoices]


def plan(invoice: Invoice, scene: PlanInputs, owner: Invoice | None = None) -> Action:
    """Decide one invoice; `owner` is the invoice that may use its number (None: this one)."""
    standing = scene.standings.get(invoice.source_id, SyncState())
    action = _plan(invoice, standing, scene, owner)
    before = holder_of(invoice, standing, scene) if action.document else None
    return replace(action, after=before.source_id) if before else action


def leaving(moving: Sequence[Invoice], scene: PlanInputs, owners: Mapping[str, Invoice]) -> frozenset[str]:
    """Which of the holders of numbers get another number themselves, if each may wait for the next.

    `moving` are those of them that are decided in this run. An invoice that waits for a number which nobody gives up
    keeps its own, and so does every invoice that waits for that one. Chains with a free end, and rings, are left.
    """
    if not moving:
        return frozenset()
    ids = {invoice.source_id for invoice in moving}
    freely = replace(scene, leaving=frozenset(ids))
    waits_for: dict[str, str] = {}
    goes: set[str] = set()
    for invoice in moving:
        action = plan(invoice, freely, owners.get(invoice.number))
        standing = scene.standings.get(invoice.source_id, SyncState())
        if action.do in (Do.UPDATE, Do.AMEND) and standing.there.get("number") != invoice.number:
            goes.add(invoice.source_id)
            waits_for[invoice.source_id] = action.after
    while stuck := {one for one in goes if waits_for[one] and waits_for[one] not in goes}:
        goes -= stuck
    return frozenset(goes)


def _plan(invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None) -> Action:
    if standing.order and standing.is_ordered("skip"):
        return leave(invoice, standing, Problem("skipped_by_person", {**standing.order.said, "by": standing.order.by}))
    if invoice.flaw and not standing.gone and (standing.xero_id or not not_eligible(invoice, scene.rules)):
        return hold(invoice, standing, unreadable(invoice, invoice.flaw))
    if standing.xero_id and not _wanted_again(invoice, standing):
        return upkeep(invoice, standing, scene, owner)
    return _new(invoice, standing, scene, owner)


def _wanted_again(invoice: Invoice, standing: SyncState) -> bool:
    """Whether a person orders a new document for one that somebody removed in Xero, and CrocoClick still has it."""
    lives = invoice.status is not Status.VOID and not standing.gone
    return standing.removed and standing.is_ordered("overwrite") and lives


def _new(invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None) -> Action:
    """Decide one that is not in Xero, or that a person orders to be sent once more."""
    if standing.gone:
        return leave(invoice, standing, Problem("deleted_in_crococlick", {"number": invoice.number}))
    # What was sent once goes on as such, whatever has become of it since and whatever a ledger has forgotten.
    if found := _ours(invoice, standing, scene):
        return Action(invoice, Do.BIND, xero_id=found.id, found=found)
    if reason := not_eligible(invoice, scene.rules):
        return leave(invoice, SyncState(), reason)
    if found := _adopted(invoice, standing, scene, owner):
        return Action(invoice, Do.BIND, xero_id=found.id, found=found)
    if taken := number_problem(invoice, standing, scene, owner):
        return hold(invoice, SyncState(), taken)
    made = written(invoice, SyncState(), scene)
    if isinstance(made, Action):
        return made
    return unless_refused(Action(invoice, Do.CREATE, document=made), standing, scene)


def _ours(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> BookInvoice | None:
    """Its own document, known by our mark, whatever its number; what was removed is none where it is wanted again."""
    by_number = (head for head in scene.heads.get(invoice.number, ()) if is_ours(head, invoice.source_id))
    others = [head for head in (*scene.marked.get(invoice.source_id, ()), *by_number) if head.id != standing.xero_id]
    usable = [head for head in others if not (standing.xero_id and head.status in GONE)]
    return min(usable, key=lambda head: head.status in GONE, default=None)


def _adopted(invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None) -> BookInvoice | None:
    """The stranger with its number that a person says is this invoice: not one that was removed, nor another's."""
    if not standing.is_ordered("adopt") or (owner is not None and owner.source_id != invoice.source_id):
        return None
    bound = {one.xero_id for one in scene.standings.values()}
    bound |= scene.holders.keys()
    usable = (one for one in strangers(invoice, standing, scene) if one.status not in GONE and one.id not in bound)
    return next((one for one in usable if not _is_anothers(one, scene)), None)


def _is_anothers(head: BookInvoice, scene: PlanInputs) -> bool:
    """Whether it carries the mark of another invoice that CrocoClick still has, and that will find it."""
    meant = scene.standings.get(head.url.rpartition("/")[2])
    return meant is not None and not meant.gone


def idempotency_key(connection: str, kind: str, elements: Sequence[tuple[str, str]], generation: int = 0) -> str:
    """Names one exact batch: the connection, what is done, and the ordered (id, content) of its elements.

    Xero ties a key to a whole request for six minutes (Xero's idempotency guide), so the same batch sent again has the
    same key, and any other batch another.
    """
    named = json.dumps([connection, kind, generation, *elements])
    return f"{kind}-{blake2b(named.encode(), digest_size=20).hexdigest()}"
