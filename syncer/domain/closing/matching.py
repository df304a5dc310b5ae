"""Which document of CrocoClick is which document of Xero, and the same of payments.

First by what we know or have marked, then by number, then not at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from syncer.domain.closing.documents import CREDIT_NOTE, Receipt, SalesDocument

K = TypeVar("K")
_LAST = date.max


@dataclass(frozen=True, slots=True)
class Pair:
    """A document as both books have it, or one of them alone; `by` is ledger, mark, number, or "" for one alone."""

    crococlick: SalesDocument | None
    xero: SalesDocument | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class PaymentPair:
    """A payment as both books have it, or one of them alone."""

    crococlick: Receipt | None
    xero: Receipt | None


def pair_documents(
    crococlick: Sequence[SalesDocument], xero: Sequence[SalesDocument], bound: Mapping[str, str]
) -> list[Pair]:
    """Every document of both books once; `bound` is the ledger's InvoiceID by CrocoClick's id.

    A credit note is never the document of an invoice: each stays alone here.
    """
    ours = {one.id: one for one in sorted(crococlick, key=_age)}
    theirs = {one.id: one for one in sorted(xero, key=_rank) if one.kind != CREDIT_NOTE}
    found: list[Pair] = []

    def take(one: SalesDocument, other: SalesDocument, by: str) -> None:
        del ours[one.id], theirs[other.id]
        found.append(Pair(one, other, by))

    for one in list(ours.values()):
        if other := theirs.get(bound.get(one.id, "")):
            take(one, other, "ledger")
    for other in list(theirs.values()):
        if one := ours.get(other.mark):  # type: ignore[assignment]  # because: None ends the branch
            take(one, other, "mark")
    numbered: dict[str, list[SalesDocument]] = defaultdict(list)
    for other in theirs.values():
        numbered[other.number.strip()].append(other)
    for one in list(ours.values()):
        if one.number and (alike := numbered[one.number]):
            take(one, alike.pop(0), "number")
    notes = [one for one in xero if one.kind == CREDIT_NOTE]
    return [
        *found,
        *(Pair(one, None) for one in ours.values()),
        *(Pair(None, one) for one in (*theirs.values(), *notes)),
    ]


def _age(one: SalesDocument) -> tuple[bool, date, str]:
    """Of our documents those that count come first, then the earlier ones: they have the number."""
    return not one.stands, one.issue_date or _LAST, one.id


def _rank(one: SalesDocument) -> tuple[bool, str]:
    """Of Xero's documents those that count come first."""
    return not one.stands, one.id


def pair_payments(
    crococlick: Iterable[Receipt], xero: Iterable[Receipt], carried: Mapping[str, str], document: Mapping[str, str]
) -> list[PaymentPair]:
    """Every payment of both books once.

    `carried` is the ledger's PaymentID by transaction id, `document` Xero's id of the document by CrocoClick's. By
    binding or mark a payment is known wherever it is; by amount and day, or amount alone, only on the same document.
    """
    ours = {one.id: one for one in sorted(crococlick, key=_day)}
    theirs = {one.id: one for one in sorted(xero, key=_day)}
    marked = {one.mark: one.id for one in reversed(list(theirs.values())) if one.mark}
    found: list[PaymentPair] = []

    def take(one: Receipt, other: Receipt) -> None:
        del ours[one.id], theirs[other.id]
        found.append(PaymentPair(one, other))

    for one in list(ours.values()):
        if other := theirs.get(carried.get(one.id, "")) or theirs.get(marked.get(one.mark, "")):
            take(one, other)
    keys: tuple[Callable[[Receipt], object], ...] = (lambda each: (each.amount, each.paid_on), lambda each: each.amount)
    for key in keys:
        alike: dict[tuple[str, object], list[Receipt]] = defaultdict(list)
        for other in theirs.values():
            alike[other.document_id, key(other)].append(other)
        for one in list(ours.values()):
            if those := alike.get((document.get(one.document_id, ""), key(one))):
                take(one, those.pop(0))
    alone = [PaymentPair(one, None) for one in ours.values()]
    return [*found, *alone, *(PaymentPair(None, other) for other in theirs.values())]


def _day(one: Receipt) -> tuple[date, str]:
    return one.paid_on or _LAST, one.id
