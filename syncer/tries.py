"""One try: the element of a batch that it sends, and how it ends, by Xero's answer or by a look."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from syncer.core.action import Action, Do, is_ours
from syncer.core.books import Amendment, BookInvoice
from syncer.core.contact import NewContact
from syncer.core.invoice import Invoice, Status
from syncer.core.money import text
from syncer.core.payment import BookPayment, NewPayment
from syncer.core.payment import is_ours as carries_mark
from syncer.core.standing import GONE, mismatch, sent, told
from syncer.ledger.records import Ending, Intent, OpenAttempt
from syncer.looking import digest
from syncer.waves import Batch, Element


def intent(batch: Batch, element: Element, place: int, call_id: str, key: str) -> Intent:
    """One element of a batch, as it is committed before the batch leaves."""
    return Intent(
        kind=batch.kind,
        source_id=element.source_id,
        action=batch.action,
        number=element.number,
        call_id=call_id,
        position=place,
        key=key,
        fingerprint=element.fingerprint,
        expected=element.expected,
    )


def contact_element(contact: NewContact, tries: int) -> Element:
    """A contact to create."""
    content = digest(contact.name, contact.email, contact.phone, str(tries))
    return Element(contact.source_id, contact, content, fingerprint=content, size=500, subject=contact)


def payment_element(action: Action, payment: NewPayment, tries: int) -> Element:
    """A payment to record."""
    invoice = action.invoice
    content = f"{payment.invoice_id} {text(payment.amount)} {payment.paid_on} {payment.account_id} {tries}"
    return Element(
        source_id=payment.source_id,
        payload=payment,
        content=content,
        number=invoice.number,
        fingerprint=invoice.fingerprint,
        expected={"owner": invoice.source_id, "invoice": payment.invoice_id, "amount": text(payment.amount)},
        size=500,
        subject=invoice,
        stamp=action.stamp,
        tries=tries,
    )


def removal_element(action: Action, source_id: str, payment_id: str, amount: Decimal, tries: int) -> Element:
    """A payment to take off."""
    owner = {"owner": action.invoice.source_id, "invoice": action.xero_id}
    return Element(
        source_id=source_id,
        payload=payment_id,
        content=f"{payment_id} {tries}",
        number=action.invoice.number,
        fingerprint=action.invoice.fingerprint,
        expected={**owner, "payment": payment_id, "amount": text(amount)},
        size=100,
        subject=action.invoice,
        stamp=action.stamp,
        tries=tries,
    )


def invoice_element(action: Action, pays: bool, tries: int, size: int) -> Element:
    """A document to write; `pays` says that payments follow once it stands."""
    invoice, document = action.invoice, action.document
    expected = {"status": str(invoice.status), "frozen": invoice.frozen_fingerprint, "xero_id": action.xero_id}
    if pays:
        expected["then"] = "pay"
    payload: Any = action.xero_id
    if document and action.do is Do.AMEND:
        payload = Amendment(action.xero_id, document.number, document.contact_id, document.due_date, document.reference)
    elif document:
        payload = document if action.do is Do.CREATE else (action.xero_id, document)
        expected |= {"total": text(document.total), "tax": text(document.total_tax)}
    return Element(
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


def settled_payment(attempt: OpenAttempt, found: Sequence[BookPayment]) -> Ending:
    """What a look at Xero's payments says of one try."""
    intent = attempt.intent
    owner, invoice_id = intent.expected["owner"], intent.expected["invoice"]
    there = next((p for p in found if p.invoice_id == invoice_id and carries_mark(p.reference, intent.source_id)), None)
    if there is None:
        return Ending("payment", intent.source_id, "not_arrived", "waiting", attempt.id, owner=owner)
    return Ending("payment", intent.source_id, "found", "waiting", attempt.id, payment=there, owner=owner)


def settled_removal(attempt: OpenAttempt, found: Sequence[BookPayment]) -> Ending:
    """What a look at Xero's payments says of one that was to be taken off."""
    intent = attempt.intent
    there = next((payment for payment in found if payment.id == intent.expected["payment"]), None)
    if there is None or there.stands:
        return Ending("unpay", intent.source_id, "not_arrived", "waiting", attempt.id, owner=intent.expected["owner"])
    return removed(intent.source_id, "found", attempt.id, there, intent.expected)


def removed(source_id: str, outcome: str, attempt_id: int, payment: BookPayment, expected: Mapping[str, str]) -> Ending:
    """A payment is off its invoice; what was on it counts, whatever the answer leaves out."""
    was = replace(payment, amount=Decimal(expected["amount"]), invoice_id=expected["invoice"])
    return Ending("unpay", source_id, outcome, "waiting", attempt_id, payment=was, owner=expected["owner"])


def settled(attempt: OpenAttempt, heads: Sequence[BookInvoice]) -> Ending:
    """What a look at Xero says of one try: it arrived, or it did not and will be sent again."""
    intent = attempt.intent
    # One that was removed before may carry our mark too: a create brings one that stands, a removal one that does not.
    gone = intent.action in ("void", "delete")
    there = next((head for head in heads if _is_meant(head, intent) and (head.status in GONE) is gone), None)
    if there and (intent.action == "create" or gone):
        return arrived(intent.source_id, "found", attempt.id, there, intent.fingerprint, intent.expected)
    # An update may have arrived or not: sending it again comes to the same.
    return Ending("invoice", intent.source_id, "not_arrived", "waiting", attempt.id)


def _is_meant(head: BookInvoice, intent: Intent) -> bool:
    """Whether this is the document of a try: by our mark, or by the id that it was sent to."""
    return head.id == intent.expected.get("xero_id") or head.url.endswith(f"/{intent.source_id}")


def arrived(
    source_id: str,
    outcome: str,
    attempt_id: int | None,
    head: BookInvoice,
    fingerprint: str,
    expected: Mapping[str, str],
    agreed: Mapping[str, str] | None = None,
) -> Ending:
    """It stands in Xero: synced if Xero came to our totals, held if it did not; `agreed` as for `Ending`."""
    there = told(head)
    agreed = agreed or {**there, **(sent(expected["total"], expected.get("tax", "")) if "total" in expected else {})}
    problem = None if head.status in GONE else mismatch(agreed, there)
    state = "held" if problem else "waiting" if expected.get("then") else "synced"
    return Ending(
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


def bound(action: Action) -> Ending:
    """A document that is in Xero already: our own, found by its mark, or a stranger that a person says is this one.

    Both are said to have agreed on what CrocoClick says, so that what is otherwise shows as changed there: who changed
    it last is not known where a ledger was lost.
    """
    invoice, head = action.invoice, action.found
    assert head is not None  # noqa: S101 — a BIND has one
    # It was not carried yet that it is void where the document still stands.
    status = Status.SENT if invoice.status is Status.VOID and head.status not in GONE else invoice.status
    expected = {"status": str(status), "frozen": invoice.frozen_fingerprint, "then": "look"}
    tax = {} if invoice.tax is None else {"tax": text(invoice.tax)}
    agreed = {**told(head), "total": text(invoice.total), "currency": invoice.currency, **tax}
    if is_ours(head, invoice.source_id):
        return arrived(
            invoice.source_id, "found", None, head, invoice.fingerprint, expected, agreed | _head_of(invoice)
        )
    return arrived(invoice.source_id, "adopted", None, head, invoice.fingerprint, expected, agreed)


def _head_of(invoice: Invoice) -> dict[str, str]:
    """Its number and dates, as far as it has them."""
    dates = {"issue_date": invoice.issue_date, "due_date": invoice.due_date}
    return {"number": invoice.number, **{name: day.isoformat() for name, day in dates.items() if day}}
