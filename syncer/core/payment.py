"""Payments that CrocoClick took, one by one, and what each needs in Xero.

A payment has no natural key in Xero, so each carries CrocoClick's transaction id in its Reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncer.core.books import Account, Books
from syncer.core.causes import Problem
from syncer.core.invoice import Invoice
from syncer.core.money import ZERO, fits, text
from syncer.core.rules import Rules

SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Payment:
    """One CrocoClick transaction of an invoice: major units of `currency`, the day it was charged at the location."""

    source_id: str
    invoice_id: str
    amount: Decimal
    currency: str
    paid_on: date | None
    status: str = SUCCEEDED
    refunded: Decimal = ZERO
    live: bool = True
    method: str = ""

    @property
    def counts(self) -> bool:
        """Whether money really came in: a live transaction that succeeded, even if some went back since."""
        return self.live and (self.status.startswith(SUCCEEDED) or "refunded" in self.status)


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment to record on a Xero invoice: major units of the invoice's currency; `account_id` an AccountID."""

    source_id: str
    invoice_id: str
    account_id: str
    paid_on: date
    amount: Decimal
    reference: str


def reference(payment: Payment) -> str:
    """How it was paid, and our mark."""
    method = payment.method.replace("_", " ")
    return f"{method} {payment.source_id}".strip()


def is_ours(written: str, source_id: str) -> bool:
    """Whether a Reference carries the mark of this transaction."""
    return bool(source_id) and source_id in written.split()


def account_for(currency: str, books: Books, rules: Rules) -> Account | Problem:
    """Where payments in this currency go (Xero's Payments page: a bank account, or one with payments enabled)."""
    code = rules.payment_accounts.get(currency) or rules.payment_accounts.get("", "")
    if not code:
        return Problem("payment_account_missing", {"currency": currency})
    account = books.account_by_code.get(code)
    facts = {"currency": currency, "code": code, "name": account.name if account else ""}
    if account is None:
        return Problem("payment_account_invalid", {**facts, "why": "unknown"})
    if account.status != "ACTIVE":
        return Problem("payment_account_invalid", {**facts, "why": "archived"})
    if account.type != "BANK" and not account.takes_payments:
        return Problem("payment_account_invalid", {**facts, "why": "no_payments"})
    if account.currency and account.currency not in (currency, books.organisation.base_currency):
        return Problem("payment_account_invalid", {**facts, "why": "other_currency", "held_in": account.currency})
    return account


@dataclass(frozen=True)
class Due:
    """The payments that Xero still lacks, or why they cannot go."""

    payments: tuple[NewPayment, ...] = ()
    problem: Problem | None = None


def due(
    invoice: Invoice,
    xero_id: str,
    xero_amount_due: Decimal,
    taken: Sequence[Payment],
    carried: Mapping[str, str],
    books: Books,
    rules: Rules,
) -> Due:
    """Decide the payments of one invoice that stands in Xero; `carried` are those that Xero has, by transaction id."""
    counting = sorted((one for one in taken if one.counts), key=lambda one: (one.paid_on or date.max, one.source_id))
    if refunded := [one for one in counting if one.refunded]:
        facts = {"currency": invoice.currency, "refunded": text(sum((one.refunded for one in refunded), ZERO))}
        return Due(problem=Problem("refund_needs_person", facts))
    paid = sum((one.amount for one in counting), ZERO)
    if paid != invoice.amount_paid or any(one.currency != invoice.currency for one in counting):
        facts = {"currency": invoice.currency, "paid": text(invoice.amount_paid), "found": text(paid)}
        return Due(problem=Problem("payment_mismatch", facts))
    missing = [one for one in counting if one.source_id not in carried]
    if not missing:
        return Due()
    account = account_for(invoice.currency, books, rules)
    if isinstance(account, Problem):
        return Due(problem=Problem(account.code, {**account.facts, "payments": len(missing)}))
    if problem := _cannot_go(missing, xero_amount_due, invoice, books):
        return Due(problem=problem)
    return Due(tuple(_new(one, xero_id, account) for one in missing))


def _cannot_go(missing: Sequence[Payment], amount_due: Decimal, invoice: Invoice, books: Books) -> Problem | None:
    total = sum((one.amount for one in missing), ZERO)
    facts = {"currency": invoice.currency, "payments": len(missing), "amount": text(total)}
    if total > amount_due:
        return Problem("payment_exceeds_due", {**facts, "due": text(amount_due)})
    if any(one.amount <= 0 or not fits(one.amount, 2) or one.paid_on is None for one in missing):
        return Problem("payment_mismatch", {**facts, "paid": text(invoice.amount_paid), "found": text(total)})
    lock = books.lock_date()
    locked = [one.paid_on for one in missing if lock and one.paid_on and one.paid_on <= lock]
    if lock and locked:
        return Problem("period_locked", {**facts, "paid_on": locked[0].isoformat(), "lock_date": lock.isoformat()})
    return None


def _new(payment: Payment, xero_id: str, account: Account) -> NewPayment:
    assert payment.paid_on is not None  # noqa: S101 — its absence is a problem found before
    return NewPayment(
        payment.source_id, xero_id, account.id, payment.paid_on, payment.amount, reference(payment)
    )  # fmt: skip
