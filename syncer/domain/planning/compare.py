"""What both books say of one invoice, field by field, compared by meaning: each has its own words for a status.

A book is a mapping from FIELDS to values. A field that it does not name is one that it does not speak of; `None` says
that there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.sync_settings import AUTHORISED
from syncer.domain.model.sync_state import GONE, UNAPPROVED

FIELDS = ("number", "contact", "issue_date", "due_date", "currency", "total", "tax", "paid", "due", "status")
MONEY = ("total", "tax", "paid", "due")
DATES = ("issue_date", "due_date")

Value = str | Decimal | date | None
Book = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Compared:
    """One field as each book has it, and whether that means the same; `before` is what somebody changed in Xero."""

    field: str
    crococlick: Value
    xero: Value
    same: bool
    before: str = ""


def compare(
    crococlick: Book, xero: Book, before: Mapping[str, str] | None = None, approval: str = AUTHORISED
) -> tuple[Compared, ...]:
    """Every field that both books speak of; those that differ come first.

    `before` is by field, `approval` what the settings make of a sent invoice in Xero.
    """
    changed = before or {}
    found = [
        Compared(name, crococlick[name], xero[name], _same(name, crococlick, xero, approval), changed.get(name, ""))
        for name in FIELDS
        if name in crococlick and name in xero
    ]
    return tuple(sorted(found, key=lambda one: one.same))


def in_crococlick(invoice: Invoice, contact: str, due_date: date | None, tax: Decimal | None) -> dict[str, Value]:
    """The fields of a CrocoClick invoice that are compared.

    `contact` is the Xero contact that its customer is linked to ("" where there is none), `due_date` the one that the
    settings come to, `tax` what its lines come to where it states none.
    """
    stated = tax if invoice.tax is None else invoice.tax
    return {
        "number": invoice.number,
        **({"contact": contact} if contact else {}),
        "issue_date": invoice.issue_date,
        "due_date": due_date,
        "currency": invoice.currency,
        "total": invoice.total,
        **({} if stated is None else {"tax": stated}),
        **_settlement(invoice.amount_paid, invoice.amount_due, invoice.status is Status.VOID),
        "status": invoice.status.value,
    }


def in_xero(row: Mapping[str, Any], head: Mapping[str, str], contact: str) -> dict[str, Value]:
    """Xero's book, from the ledger's columns (`xero_…`) and the head that was last read.

    `contact` is the ContactID that is left of the head's after merges.
    """
    said = {name: head[name] for name in ("number", "currency") if head.get(name)}
    dates = {name: date.fromisoformat(head[name]) if head[name] else None for name in DATES if _says(head, name)}
    amounts = {name: row[f"xero_{name}"] for name in ("total", "tax") if row[f"xero_{name}"] is not None}
    settled = _settlement(row["xero_amount_paid"], row["xero_amount_due"], row["xero_status"] in GONE)
    return {**said, **({"contact": contact} if contact else {}), **dates, **amounts, **settled, **_status(row)}


def _says(head: Mapping[str, str], name: str) -> bool:
    """Whether the head speaks of a date: every invoice has an issue date, so a head without one was not read whole."""
    return name in head and bool(head.get("issue_date"))


def _status(row: Mapping[str, Any]) -> dict[str, Value]:
    return {"status": row["xero_status"]} if row["xero_status"] else {}


def _settlement(paid: Decimal | None, due: Decimal | None, is_void: bool) -> dict[str, Value]:
    """What is paid and due; of a void document neither means anything."""
    known = {"paid": paid, "due": due}
    return {} if is_void else {name: amount for name, amount in known.items() if amount is not None}


def _same(name: str, crococlick: Book, xero: Book, approval: str) -> bool:
    if name != "status":
        return crococlick[name] == xero[name]
    return xero["status"] in meant(str(crococlick["status"]), crococlick.get("total") == 0, approval)


def meant(status: str, nothing_to_pay: bool, approval: str = AUTHORISED) -> frozenset[str]:
    """The statuses in Xero that mean the same; one over nothing is paid there as soon as it is approved.

    Where people approve in Xero what was sent, one that waits for that is as it should be.
    """
    if status == Status.DRAFT:
        return UNAPPROVED
    if status == Status.VOID:
        return GONE
    waiting = UNAPPROVED if approval != AUTHORISED else frozenset()
    if nothing_to_pay:
        return waiting | {AUTHORISED, "PAID"}
    return waiting | {"PAID" if status == Status.PAID else AUTHORISED}
