"""Reading both books for a period, so that they can be compared: as few calls as paging allows, and no write.

What only one book shows within the period is looked for in the other by what the ledger and our marks say, so that a
document of another day is told as that and not as missing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from syncer.domain.closing.compare import Known
from syncer.domain.closing.comparison import (
    BothBooks,
    Comparison,
    compare_books,
    known_to_both,
    paired,
    paired_payments,
)
from syncer.domain.closing.documents import (
    APART,
    Party,
    Receipt,
    SalesDocument,
    Span,
    in_crococlick,
    party,
    rate_name,
    receipt,
    refunds,
)
from syncer.domain.errors import TryLater
from syncer.domain.matching.invoice_contacts import ContactIndex
from syncer.domain.model.books import BookContact
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.payment import Payment, is_mark
from syncer.domain.ports import Page, Unreadable
from syncer.messages.format import count
from syncer.sync import invoice_state
from syncer.sync.context import RunContext, Tell

T = TypeVar("T")
ONE_BY_ONE = 100  # invoices or customers that are asked for one by one; more of them cost less as one list
XERO_PAGE, CROCOCLICK_PAGE = 1000, 100  # records in one answer
NUMBERS = 500  # numbers that are looked up in Xero: ten calls


@dataclass(frozen=True)
class LedgerFacts:
    """What the ledger says beside the books: every invoice's binding and state, payments, links of contacts."""

    rows: Mapping[str, Mapping[str, Any]]
    carried: Mapping[str, str]
    carried_on: Mapping[str, date | None]  # the day with which each transaction went
    links: Mapping[str, str]
    rates: Mapping[str, str]  # effective rate by TaxType

    @cached_property
    def bound(self) -> dict[str, str]:
        """InvoiceID by CrocoClick's id."""
        return {id: row["xero_id"] for id, row in self.rows.items() if row["xero_id"]}

    @cached_property
    def source_of(self) -> dict[str, str]:
        """CrocoClick's id by InvoiceID."""
        return {xero_id: id for id, xero_id in self.bound.items()}


def ledger_facts(context: RunContext) -> LedgerFacts:
    """Ask the ledger once."""
    ledger = context.ledger
    books = invoice_state.known_books(ledger)
    carried = ledger.rows("closing_payments")
    return LedgerFacts(
        rows={row["source_id"]: row for row in ledger.rows("closing_invoices")},
        carried={row["source_id"]: row["xero_id"] for row in carried},
        carried_on={row["source_id"]: row["xero_paid_on"] for row in carried},
        links={row["source_id"]: row["xero_id"] for row in ledger.rows("contacts") if row["xero_id"]},
        rates={rate.type: rate_name(rate.effective_rate) for rate in books.tax_rates} if books else {},
    )


@dataclass
class _Read:
    """What was read so far, by id."""

    invoices: dict[str, Invoice]
    transactions: dict[str, Payment]
    xero: dict[str, SalesDocument]
    receipts: dict[str, Receipt]
    contacts: ContactIndex
    unreadable: list[tuple[str, str, str]]
    flawed: list[SalesDocument]  # that CrocoClick or Xero shows and nobody can read


class BooksReading:
    """One reading of both books. Raises what the ports raise, and TryLater where it was stopped."""

    def __init__(self, context: RunContext, span: Span, tell: Tell, stop: Callable[[], bool]) -> None:
        self._context, self._span, self._tell, self._stop = context, span, tell, stop
        self.facts = ledger_facts(context)
        self._mirror = context.ledger.book_contacts()
        self._read = _Read({}, {}, {}, {}, ContactIndex(self._mirror), [], [])

    def price(self) -> str:
        """About how many calls the reading takes, by what the ledger knows of these days."""
        known = sum(self._span.holds(row["issue_date"]) for row in self.facts.rows.values())
        calls = {"Xero": 3 + 2 * known // XERO_PAGE, "CrocoClick": 3 + 2 * known // CROCOCLICK_PAGE}
        told = " and ".join(f"{count(number, 'call')} to {side}" for side, number in calls.items())
        return f"Reading both books: about {told}, more where they differ. Neither book is written to."

    def compare(self) -> Comparison:
        """Read what has to be read, and compare."""
        self._read_crococlick()
        self._read_xero()
        self._look_for_documents()
        self._look_for_payments()
        self._look_for_contacts()
        return compare_books(self._books(), self._span)

    # -- the lists ------------------------------------------------------------------------------------------------

    def _read_crococlick(self) -> None:
        crm, span = self._context.crm, self._span
        for invoice in self._all(crm.invoices(since=span.first, until=span.last), "crococlick", "reading"):
            self._read.invoices[invoice.source_id] = invoice
        for payment in self._all(crm.payments(span.first), "crococlick", "reading"):
            self._read.transactions[payment.source_id] = payment

    def _read_xero(self) -> None:
        accounts, span = self._context.accounts, self._span
        self._take(self._all(accounts.sales(span.first, span.last), "xero", "reading_xero"))
        self._take(self._all(accounts.credit_notes(span.first), "xero", "reading_xero"))
        for payment in self._all(accounts.payments_dated(span.first, span.last), "xero", "reading_xero"):
            self._read.receipts[payment.id] = payment

    def _take(self, documents: Iterable[SalesDocument]) -> None:
        for document in documents:
            self._read.xero[document.id] = document
            for payment in document.payments:
                self._read.receipts.setdefault(payment.id, payment)

    def _all(self, pages: Iterable[Page[T]], side: str, phase: str) -> Iterable[T]:
        done = 0
        for page in pages:
            done += len(page.items)
            self._tell(phase, done, max(page.total or 0, done))
            yield from page.items
            self._note(page.unreadable, side)
            if self._stop():
                raise TryLater("stopped")

    def _note(self, unreadable: Sequence[Unreadable], side: str) -> None:
        """What cannot be read: an invoice is compared all the same, by what is known of it."""
        for odd in unreadable:
            flaw = f"{odd.field} {odd.reason}".strip()
            if odd.kind != "invoice":
                self._read.unreadable.append((side, odd.named, flaw))
                continue
            blank = SalesDocument(odd.source_id, odd.number, "", False, Party(""), "", Decimal(0), flaw=flaw)
            if side == "crococlick":
                self._read.flawed.append(replace(blank, id=odd.source_id or f"unreadable {len(self._read.flawed)}"))
            else:
                self._read.xero[odd.source_id or f"unreadable {len(self._read.xero)}"] = blank

    # -- what only one book shows -----------------------------------------------------------------------------------

    def _look_for_documents(self) -> None:
        """The other half of what one book has alone in these days."""
        alone = [one for one in paired(self._books()) if not (one.crococlick and one.xero)]
        ours = [one.crococlick for one in alone if one.crococlick and self._span.holds(one.crococlick.issue_date)]
        theirs = [one.xero for one in alone if one.xero and one.xero.kind == "invoice"]
        self._look_in_xero(ours)
        marked = {one.mark for one in theirs if is_mark(one.mark)}
        bound = {self.facts.source_of[one.id] for one in theirs if one.id in self.facts.source_of}
        numbers = {one.number for one in theirs}
        known = {id for id, row in self.facts.rows.items() if self._may_be_meant(row, numbers)}
        self._look_in_crococlick((marked | bound | known) - self._read.invoices.keys())

    def _may_be_meant(self, row: Mapping[str, Any], numbers: set[str]) -> bool:
        """An invoice that the ledger knows and the list did not show, though it is of these days or so numbered."""
        is_dated = row["issue_date"] is not None and self._span.holds(row["issue_date"])
        # Drafts that were deleted stay in the ledger: they are not asked for again each time.
        counts = bool(row["xero_id"]) or (row["live"] and row["status"] not in APART)
        return counts and not row["gone"] and (is_dated or row["number"] in numbers)

    def _look_in_xero(self, ours: Sequence[SalesDocument]) -> None:
        """Documents of another day, by binding, by the mirror's marks and numbers, and by number in Xero itself."""
        accounts, ledger = self._context.accounts, self._context.ledger
        ids = {self.facts.bound[one.id] for one in ours if one.id in self.facts.bound}
        unbound = [one for one in ours if one.id not in self.facts.bound]
        numbers = [one.number for one in unbound if one.number and one.stands]
        ids |= {head.id for head in ledger.marked_invoices([one.id for one in unbound])}
        if numbers:
            ids |= {head.id for head in ledger.book_invoices(numbers)}
            ids |= {head.id for head in accounts.invoices_numbered(numbers[:NUMBERS])}
        self._read_by_id(ids)

    def _read_by_id(self, ids: set[str]) -> None:
        """These documents of Xero, as far as they were not read."""
        if missing := sorted(ids - self._read.xero.keys()):
            found = self._context.accounts.sales_with_ids(missing)
            self._take(found)
            self._note(found.unreadable, "xero")

    def _look_in_crococlick(self, ids: set[str]) -> None:
        """Invoices of another day, by id; where there are many, by one list of everything, if it is not read yet."""
        crm = self._context.crm
        if len(ids) > ONE_BY_ONE and self._span.is_endless:
            return
        if len(ids) > ONE_BY_ONE:
            for invoice in self._all(crm.invoices(), "crococlick", "reading"):
                self._read.invoices[invoice.source_id] = invoice
            return
        for id in sorted(ids):
            if found := crm.invoice(id):
                self._read.invoices[found.source_id] = found

    def _look_for_payments(self) -> None:
        """The other half of payments of these days, on documents that were not read."""
        books = self._books()
        pairs = paired_payments(books, known_to_both(books, paired(books)))
        alone = [one for one in pairs if not (one.crococlick and one.xero)]
        ours = [one.crococlick for one in alone if one.crococlick and self._span.holds(one.crococlick.paid_on)]
        theirs = [one.xero for one in alone if one.xero and self._span.holds(one.xero.paid_on)]
        ids = {self.facts.bound[one.document_id] for one in ours if one.document_id in self.facts.bound}
        self._read_by_id(ids)
        sources = {self.facts.source_of[one.document_id] for one in theirs if one.document_id in self.facts.source_of}
        if sources and self._span.first:
            self._read_older_payments(sources)

    def _read_older_payments(self, invoice_ids: set[str]) -> None:
        customers = sorted({self.facts.rows[id]["contact_id"] for id in invoice_ids} - {""})
        crm = self._context.crm
        lists = [crm.payments(contact_id=id) for id in customers] if len(customers) <= ONE_BY_ONE else [crm.payments()]
        for pages in lists:
            for payment in self._all(pages, "crococlick", "reading"):
                self._read.transactions[payment.source_id] = payment

    def _look_for_contacts(self) -> None:
        """Contacts of Xero that were merged since the mirror was read."""
        both = [(one.crococlick.party, one.xero.party) for one in paired(self._books()) if one.crococlick and one.xero]
        apart = {
            party.xero_id
            for ours, theirs in both
            if ours.xero_id and not ours.is_same(theirs)
            for party in (ours, theirs)
            if party.xero_id
        }
        if apart:
            fresh = {one.id: one for one in self._context.accounts.contacts_with_ids(sorted(apart))}
            merged: dict[str, BookContact] = {one.id: one for one in self._mirror} | fresh
            self._read.contacts = ContactIndex(list(merged.values()))

    # -- as the comparison takes it -----------------------------------------------------------------------------------

    def _books(self) -> BothBooks:
        read, facts = self._read, self.facts
        transactions = list(read.transactions.values())
        refunded = refunds(transactions)
        ours = [
            in_crococlick(one, self._linked(one.customer.id), refunded.get(one.source_id, Decimal(0)))
            for one in read.invoices.values()
        ]
        return BothBooks(
            crococlick=[*ours, *read.flawed],
            xero=[self._named(one) for one in read.xero.values()],
            paid_in_crococlick=[receipt(one) for one in transactions if one.counts and one.amount],
            paid_in_xero=list(read.receipts.values()),
            bound=facts.bound,
            carried=facts.carried,
            older=[self._older(id) for id in facts.bound if id not in read.invoices],
            refunded=refunded,
            refund_of={one.source_id: one.invoice_id for one in transactions if one.refunded},
            unreadable=read.unreadable,
        )

    def _older(self, id: str) -> Known:
        row = self.facts.rows[id]
        return Known(row["number"], row["currency"], id, row["xero_id"])

    def _linked(self, customer_id: str) -> str:
        """The Xero contact that a customer is linked to, after merges."""
        linked = self.facts.links.get(customer_id, "")
        survivor = self._read.contacts.survivor(linked) if linked else None
        return survivor.id if survivor else linked

    def _named(self, document: SalesDocument) -> SalesDocument:
        """Xero's document with its contact after merges, known by its email too, and its taxes by rate."""
        contact = self._read.contacts.survivor(document.party.xero_id)
        whose = document.party
        if contact:
            whose = party(whose.name, contact.id, contact.name, contact.email)
        taxes: dict[str, Decimal] = {}
        for kind, amount in document.taxes.items():
            name = self.facts.rates.get(kind)
            if name is None:
                return replace(document, party=whose, taxes={})
            taxes[name] = taxes.get(name, Decimal(0)) + amount
        return replace(document, party=whose, taxes=taxes)
