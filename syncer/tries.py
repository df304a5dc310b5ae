"""One try: the element of a batch that it sends, and how it ends, by Xero's answer or by a look."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from syncer.core.books import BookInvoice
from syncer.core.causes import Problem
from syncer.core.contact import NewContact
from syncer.core.invoice import Invoice
from syncer.core.money import text
from syncer.core.payment import NewPayment, is_ours
from syncer.ledger.records import Ending, Intent, OpenAttempt
from syncer.looking import digest
from syncer.ports import BookPayment
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


def payment_element(invoice: Invoice, payment: NewPayment) -> Element:
    """A payment to record."""
    content = f"{payment.invoice_id} {text(payment.amount)} {payment.paid_on} {payment.account_id}"
    return Element(
        source_id=payment.source_id,
        payload=payment,
        content=content,
        number=invoice.number,
        fingerprint=invoice.fingerprint,
        expected={"owner": invoice.source_id, "invoice": payment.invoice_id, "amount": text(payment.amount)},
        size=500,
        subject=invoice,
    )


def settled_payment(attempt: OpenAttempt, found: Sequence[BookPayment]) -> Ending:
    """What a look at Xero's payments says of one try."""
    intent = attempt.intent
    owner, invoice_id = intent.expected["owner"], intent.expected["invoice"]
    there = next((p for p in found if p.invoice_id == invoice_id and is_ours(p.reference, intent.source_id)), None)
    if there is None:
        return Ending("payment", intent.source_id, "not_arrived", "waiting", attempt.id, owner=owner)
    return Ending("payment", intent.source_id, "found", "waiting", attempt.id, payment=there, owner=owner)


def settled(attempt: OpenAttempt, heads: Sequence[BookInvoice]) -> Ending:
    """What a look at Xero says of one try: it arrived, or it did not and will be sent again."""
    intent = attempt.intent
    ours = next((head for head in heads if head.url.endswith(f"/{intent.source_id}")), None)
    if ours and intent.action == "create":
        return arrived(intent.source_id, "found", attempt.id, ours, intent.fingerprint, intent.expected)
    if ours and intent.action == "void" and ours.status == "VOIDED":
        return arrived(intent.source_id, "found", attempt.id, ours, intent.fingerprint, intent.expected)
    # An update may have arrived or not: sending it again comes to the same.
    return Ending("invoice", intent.source_id, "not_arrived", "waiting", attempt.id)


def arrived(
    source_id: str,
    outcome: str,
    attempt_id: int | None,
    head: BookInvoice,
    fingerprint: str,
    expected: Mapping[str, str],
) -> Ending:
    """It stands in Xero: synced if Xero came to our totals, held if it did not."""
    problem = _difference(head, expected)
    state = "held" if problem else "waiting" if expected.get("then") == "pay" else "synced"
    return Ending(
        "invoice",
        source_id,
        outcome,
        state,
        attempt_id,
        problem,
        invoice=head,
        fingerprint=fingerprint,
        status=expected.get("status", ""),
    )


def bound(invoice: Invoice, head: BookInvoice) -> Ending:
    """Our own document, found by its mark although this ledger never sent it."""
    expected = {"total": text(invoice.total), "status": str(invoice.status)}
    return arrived(invoice.source_id, "found", None, head, invoice.fingerprint, expected)


def _difference(head: BookInvoice, expected: Mapping[str, str]) -> Problem | None:
    if "total" not in expected or head.status in ("VOIDED", "DELETED"):
        return None
    tax = Decimal(expected["tax"]) if "tax" in expected else head.total_tax
    if (head.total, head.total_tax) == (Decimal(expected["total"]), tax):
        return None
    facts = {
        "currency": head.currency,
        "stated": expected["total"],
        "stated_tax": text(tax),
        "in_xero": text(head.total),
        "in_xero_tax": text(head.total_tax),
    }
    return Problem("total_mismatch", facts, "total")
