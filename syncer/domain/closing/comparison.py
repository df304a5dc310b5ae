"""Both books of a period, as they were read, and all that comparing them comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from syncer.domain.closing.compare import (
    UNREADABLE,
    Both,
    Difference,
    Known,
    Record,
    Total,
    compare_documents,
    compare_payments,
    tax_by_rate,
    totals,
)
from syncer.domain.closing.documents import Receipt, SalesDocument, Span
from syncer.domain.closing.matching import Pair, PaymentPair, pair_documents, pair_payments
from syncer.domain.closing.refunds import missing_refunds, pair_notes, recognised


@dataclass(frozen=True)
class BothBooks:
    """What was read of both books, and what the ledger knows to belong together.

    `bound`: InvoiceID by CrocoClick's id. `carried`: PaymentID by transaction. `older`: documents that both books have
    and that were not read, since only payments of theirs are of the period. `refunded`: money back by invoice.
    `refund_of`: the invoice by refunded transaction. `unreadable`: other records that cannot be read, each named.
    """

    crococlick: Sequence[SalesDocument] = ()
    xero: Sequence[SalesDocument] = ()
    paid_in_crococlick: Sequence[Receipt] = ()
    paid_in_xero: Sequence[Receipt] = ()
    bound: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, str] = field(default_factory=dict)
    older: Sequence[Known] = ()
    refunded: Mapping[str, Decimal] = field(default_factory=dict)
    refund_of: Mapping[str, str] = field(default_factory=dict)
    unreadable: Sequence[tuple[str, str, str]] = ()  # side, record, what is wrong


@dataclass(frozen=True)
class Comparison:
    """What both books come to: every record, every difference, the totals."""

    span: Span
    records: tuple[Record, ...]
    payments: tuple[PaymentPair, ...]
    differences: tuple[Difference, ...]
    totals: Mapping[str, Total]
    taxes: Mapping[str, Mapping[str, Sequence[Decimal]]]

    @property
    def compared(self) -> int:
        """How many documents were compared: those that stand in at least one book."""
        return sum(not one.is_apart for one in self.records)

    @property
    def equal(self) -> int:
        """How many of them are the same in both books, with their payments and refunds."""
        apart = {(one.invoice_id, one.xero_id) for one in self.differences}
        return sum(not one.is_apart and ids_of(one.pair) not in apart for one in self.records)

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and not any(one.residual for one in self.totals.values())


def ids_of(pair: Pair) -> tuple[str, str]:
    """The ids by which the differences of a pair name it."""
    ours, theirs = pair.crococlick, pair.xero
    return (ours.id if ours else (theirs.mark if theirs else "")), (theirs.id if theirs else "")


def paired(books: BothBooks) -> list[Pair]:
    """Every document of both books once."""
    numbers = {one.number: one.id for one in books.crococlick if one.number and one.id in books.refunded}
    theirs = recognised(books.xero, books.refund_of, numbers)
    return pair_notes(pair_documents(books.crococlick, theirs, books.bound), books.refunded)


def paired_payments(books: BothBooks, known: Sequence[Known]) -> list[PaymentPair]:
    """Every payment of both books once."""
    document = {one.invoice_id: one.xero_id for one in known}
    sales = [one for one in books.paid_in_xero if one.is_sale]
    return pair_payments(books.paid_in_crococlick, sales, books.carried, document)


def known_to_both(books: BothBooks, pairs: Sequence[Pair]) -> list[Known]:
    """The invoices that both books have and that stand in one of them, and those of which only payments matter."""
    found = [
        Known(ours.number or theirs.number, ours.currency, ours.id, theirs.id)
        for pair in pairs
        if (ours := pair.crococlick)
        and (theirs := pair.xero)
        and ours.kind == theirs.kind == "invoice"
        and (ours.stands or theirs.stands)
        and not (ours.flaw or theirs.flaw)
    ]
    read = {one.invoice_id for one in found}
    return [*found, *(one for one in books.older if one.invoice_id not in read)]


def compare_books(books: BothBooks, span: Span) -> Comparison:
    """Compare both books for these days: documents by issue date, payments by their own."""
    pairs = paired(books)
    records = compare_documents(pairs, span)
    known = known_to_both(books, pairs)
    payments = paired_payments(books, known)
    of_period = {one.pair.crococlick.id for one in records if one.pair.crococlick}
    differences = [
        *(found for one in records for found in one.differences),
        *compare_payments(payments, Both(known), span),
        *missing_refunds(pairs, books.refunded, (one for one in known if one.invoice_id in of_period)),
        *(_unreadable(*one) for one in books.unreadable),
    ]
    ordered = tuple(sorted(differences, key=lambda one: (one.number, one.invoice_id, one.xero_id)))
    found = totals(pairs, differences, span)
    return Comparison(span, tuple(records), tuple(payments), ordered, found, tax_by_rate(pairs, span))


def _unreadable(side: str, record: str, flaw: str) -> Difference:
    ours, theirs = (flaw, None) if side == "crococlick" else (None, flaw)
    return Difference(record, UNREADABLE, ours, theirs, about={"where": side, "flaw": flaw})
