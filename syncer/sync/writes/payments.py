"""Payments as they are written to Xero, and what their answers mean."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from syncer.domain.model.money import text
from syncer.domain.model.payment import BookPayment, NewPayment
from syncer.domain.model.payment import is_ours as carries_mark
from syncer.domain.planning.actions import Action
from syncer.storage.ledger.records import AttemptResult, OpenAttempt
from syncer.sync.outbox import WriteItem


def payment_element(action: Action, payment: NewPayment, tries: int, due: Decimal) -> WriteItem:
    """A payment to record; `due` is what is due on the invoice before, major units of its currency."""
    invoice = action.invoice
    # Of several on one invoice it is not said which of them an answer already counts.
    after = {"due_after": text(due - payment.amount)} if len(action.payments) == 1 else {}
    content = f"{payment.invoice_id} {text(payment.amount)} {payment.paid_on} {payment.account_id} {tries}"
    return WriteItem(
        source_id=payment.source_id,
        payload=payment,
        content=content,
        number=invoice.number,
        fingerprint=invoice.fingerprint,
        expected={"owner": invoice.source_id, "invoice": payment.invoice_id, "amount": text(payment.amount), **after},
        size=500,
        subject=invoice,
        stamp=action.stamp,
        tries=tries,
    )


def removal_element(action: Action, source_id: str, entered: BookPayment, tries: int) -> WriteItem:
    """A payment to take off, as Xero got it: CrocoClick may have moved it to another invoice since."""
    owner = {"owner": action.invoice.source_id, "invoice": entered.invoice_id or action.xero_id}
    return WriteItem(
        source_id=source_id,
        payload=entered.id,
        content=f"{entered.id} {tries}",
        number=action.invoice.number,
        fingerprint=action.invoice.fingerprint,
        expected={**owner, "payment": entered.id, "amount": text(entered.amount)},
        size=100,
        subject=action.invoice,
        stamp=action.stamp,
        tries=tries,
    )


def settled_payment(attempt: OpenAttempt, found: Sequence[BookPayment]) -> AttemptResult:
    """What a look at Xero's payments says of one try."""
    intent = attempt.intent
    owner, invoice_id = intent.expected["owner"], intent.expected["invoice"]
    there = next((p for p in found if p.invoice_id == invoice_id and carries_mark(p.reference, intent.source_id)), None)
    if there is None:
        return AttemptResult("payment", intent.source_id, "not_arrived", "waiting", attempt.id, owner=owner)
    return AttemptResult("payment", intent.source_id, "found", "waiting", attempt.id, payment=there, owner=owner)


def settled_removal(attempt: OpenAttempt, found: Sequence[BookPayment]) -> AttemptResult:
    """What a look at Xero's payments says of one that was to be taken off."""
    intent = attempt.intent
    there = next((payment for payment in found if payment.id == intent.expected["payment"]), None)
    if there is None or there.stands:
        return AttemptResult(
            "unpay", intent.source_id, "not_arrived", "waiting", attempt.id, owner=intent.expected["owner"]
        )
    return removed(intent.source_id, "found", attempt.id, there, intent.expected)


def removed(
    source_id: str, outcome: str, attempt_id: int, payment: BookPayment, expected: Mapping[str, str]
) -> AttemptResult:
    """A payment is off its invoice; what was on it counts, whatever the answer leaves out."""
    was = replace(payment, amount=Decimal(expected["amount"]), invoice_id=expected["invoice"])
    return AttemptResult("unpay", source_id, outcome, "waiting", attempt_id, payment=was, owner=expected["owner"])
