"""Payments that CrocoClick took, one by one, and what each needs in Xero.

A payment has no natural key in Xero, so each carries CrocoClick's transaction id in its Reference.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from syncer.domain.model.books import Account, Books
from syncer.domain.model.money import ZERO
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules

SUCCEEDED = "succeeded"
REMOVED = "removed"  # our word: CrocoClick does not show this transaction any more
MOVED = "moved"  # our word: CrocoClick shows it on another invoice than the one that it was carried for
AWAY = frozenset({REMOVED, MOVED})
_MARK = re.compile("[0-9a-f]{24}")
PAYMENT_QUIET = timedelta(seconds=120)  # longer than a call may take to be answered: before, no look is sure


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
class BookPayment:
    """A payment as Xero holds it: major units of its invoice's currency.

    `due_after` is what Xero says is due on the invoice once the payment is in; None where the answer does not say.
    """

    id: str
    invoice_id: str
    amount: Decimal
    reference: str
    status: str
    paid_on: date | None = None
    due_after: Decimal | None = None

    @property
    def stands(self) -> bool:
        """Whether it was not taken off again."""
        return self.status != "DELETED"


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


def mark_in(written: str) -> str:
    """The transaction id that ends a Reference of ours; empty where it ends in something else."""
    last = written.split()[-1:]
    return last[0] if last and is_mark(last[0]) else ""


def is_mark(word: str) -> bool:
    """Whether a word is written as CrocoClick writes its ids."""
    return bool(_MARK.fullmatch(word))


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
