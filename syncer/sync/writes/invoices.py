"""One try: the element of a batch that it sends, and how it ends, by Xero's answer or by a look."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncer.domain.model.books import Amendment, BookInvoice, Document
from syncer.domain.model.money import text
from syncer.domain.model.sync_state import GONE, SyncState, mismatch, sent, told
from syncer.domain.model.xero_document import BookDocument
from syncer.domain.planning.actions import Action, Do, is_ours
from syncer.domain.planning.found_documents import agreed_when_found, status_when_found
from syncer.domain.planning.lost_updates import Arrival, as_sent, judge, shown, wording, wording_sent
from syncer.storage.ledger.records import AttemptResult, AttemptStart, OpenAttempt, as_json
from syncer.sync.outbox import WriteItem


def invoice_element(action: Action, standing: SyncState, again: bool, tries: int, size: int) -> WriteItem:
    """A document to write over what stands; `again` says that the invoice is decided once more when it is there."""
    invoice, document = action.invoice, action.document
    expected = {"status": str(invoice.status), "frozen": invoice.frozen_fingerprint, "xero_id": action.xero_id}
    if again:
        expected["then"] = "pay"
    payload: Any = action.xero_id
    if document and action.do is Do.AMEND:
        payload = Amendment(action.xero_id, document.number, document.contact_id, document.due_date, document.reference)
        expected |= _change(payload, standing)
    elif document and action.do is Do.CREATE:
        payload = document
    elif document:
        payload = (action.xero_id, document)
        expected |= _change(document, standing)
    if document and action.do is not Do.AMEND:
        expected |= {"total": text(document.total), "tax": text(document.total_tax)}
    return WriteItem(
        source_id=invoice.source_id,
        payload=payload,
        content=f"{invoice.fingerprint} {invoice.status} {tries}",
        number=invoice.number,
        fingerprint=invoice.fingerprint,
        expected=expected,
        size=size,
        subject=action,
        stamp=action.stamp,
        tries=tries,
    )


def number_element(action: Action, standing: SyncState, tries: int) -> WriteItem:
    """A number of its own for a moment: all else stays as it was agreed on, and the change itself follows."""
    invoice = action.invoice
    number = f"{standing.there.get('number', '')[:200]}~{invoice.source_id[-8:]}"
    payload = Amendment(action.xero_id, number, "", None, None)
    expected = {"status": standing.synced_status, "frozen": standing.synced_frozen, "xero_id": action.xero_id}
    expected |= {"then": "the change", "agreed": as_json({**standing.agreed, "number": number})}
    return WriteItem(
        source_id=invoice.source_id,
        payload=payload,
        content=f"{number} {tries}",
        number=number,
        fingerprint=standing.synced_fingerprint,
        expected=expected | _change(payload, standing),
        size=500,
        subject=action,
        stamp=action.stamp,
        tries=tries,
    )


def _change(change: Document | Amendment, standing: SyncState) -> dict[str, str]:
    """What tells later, where no answer comes, whether this change has arrived."""
    before = {**standing.there, "status": standing.xero_status}
    return {"before": as_json(before), "sent": as_json(as_sent(change)), "wording": wording_sent(change)}


def settled(
    attempt: OpenAttempt, heads: Sequence[BookInvoice], read: Callable[[str], BookDocument | None]
) -> AttemptResult:
    """What a look at Xero says of one try: it arrived, or it did not and will be sent again.

    `read` gives the whole document, where its head does not tell.
    """
    intent = attempt.intent
    # One that was removed before may carry our mark too: a create brings one that stands, a removal one that does not.
    gone = intent.action in ("void", "delete")
    there = next((head for head in heads if is_meant(head, intent) and (head.status in GONE) is gone), None)
    if there and intent.action == "create":
        return arrived(intent.source_id, "found", attempt.id, there, intent.fingerprint, intent.expected)
    if there and gone:
        return arrived(intent.source_id, "voided", attempt.id, there, intent.fingerprint, intent.expected)
    if there and _has_arrived(there, intent.expected, read):
        return _changed(attempt, there)
    return AttemptResult("invoice", intent.source_id, "not_arrived", "waiting", attempt.id)


def is_meant(head: BookInvoice, intent: AttemptStart) -> bool:
    """Whether this is the document of a try: the one that it was sent to, or of a new one the one with our mark."""
    if sent_to := intent.expected.get("xero_id"):
        return head.id == sent_to
    return is_ours(head, intent.source_id)


def _has_arrived(head: BookInvoice, expected: Mapping[str, str], read: Callable[[str], BookDocument | None]) -> bool:
    """Whether a change is in Xero: its head says so, or else the wording of the whole document."""
    if "sent" not in expected:
        return False
    said = judge(json.loads(expected["sent"]), json.loads(expected["before"]), shown(head))
    if said is not Arrival.UNCLEAR or not (document := read(head.id)):
        return said is Arrival.ARRIVED
    lines = [(line.description, line.quantity, line.unit_amount, line.tax_type) for line in document.lines]
    whole = "total" in expected
    return expected["wording"] == wording(document.reference, lines if whole else ())


def _changed(attempt: OpenAttempt, head: BookInvoice) -> AttemptResult:
    """A change that has arrived: what was sent is agreed on, so that whatever else is there shows as changed."""
    intent = attempt.intent
    change = json.loads(intent.expected["sent"])
    head_only = {name: change[name] for name in told(head) if name in change and name not in ("total", "tax")}
    amounts = sent(change["total"], change["tax"]) if "total" in change else {}
    agreed = {**told(head), **head_only, **amounts}
    outcome = "renumbered" if intent.action == "renumber" else "updated"
    return arrived(intent.source_id, outcome, attempt.id, head, intent.fingerprint, intent.expected, agreed)


def arrived(
    source_id: str,
    outcome: str,
    attempt_id: int | None,
    head: BookInvoice,
    fingerprint: str,
    expected: Mapping[str, str],
    agreed: Mapping[str, str] | None = None,
) -> AttemptResult:
    """It stands in Xero: synced if Xero came to our totals, held if it did not; `agreed` as for `AttemptResult`."""
    there = told(head)
    if "agreed" in expected:
        agreed = json.loads(expected["agreed"])
    agreed = agreed or {**there, **(sent(expected["total"], expected.get("tax", "")) if "total" in expected else {})}
    problem = None if head.status in GONE else mismatch(agreed, there)
    moved = any(agreed.get(name, value) != value for name, value in there.items())
    state = "held" if problem else "waiting" if moved or expected.get("then") else "synced"
    return AttemptResult(
        "invoice",
        source_id,
        outcome,
        state,
        attempt_id,
        problem,
        invoice=head,
        fingerprint=fingerprint,
        frozen=expected.get("frozen", ""),
        status=expected.get("status", ""),
        agreed=agreed,
    )


def bound(action: Action) -> AttemptResult:
    """A document that is in Xero already: our own, found by its mark, or a stranger that a person says is this one."""
    invoice, head = action.invoice, action.found
    assert head is not None  # noqa: S101 — a BIND has one
    status = str(status_when_found(invoice, head))
    expected = {"status": status, "frozen": invoice.frozen_fingerprint, "then": "look"}
    outcome = "found" if is_ours(head, invoice.source_id) else "adopted"
    agreed = agreed_when_found(invoice, head)
    return arrived(invoice.source_id, outcome, None, head, invoice.fingerprint, expected, agreed)
