"""The guided test of a set-up: which small invoice to make, and what Xero must say of an invoice, line by line."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from syncer.domain.mapping.crococlick_totals import HUNDRED
from syncer.domain.mapping.invoice_to_document import document, due_date, percent
from syncer.domain.mapping.tax_rates import tax_rate
from syncer.domain.matching.invoice_contacts import emails, name_key
from syncer.domain.model.books import Books, Document, DocumentLine
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status, Tax
from syncer.domain.model.money import ONE, ZERO, cents, decimals
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import AUTHORISED, Rules
from syncer.domain.model.xero_document import BookDocument, BookLine
from syncer.domain.planning.compare import meant

TITLE = "Test CrocoClick → Xero"
MOST_LINES = 4
# Should the test be cut off, nobody is reminded of an invoice that is not due.
DUE_AFTER = timedelta(days=30)

Value = str | Decimal | date | bool | int | None
Taxes = tuple[Tax, ...]


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to make in CrocoClick."""

    name: str
    customer: Customer
    currency: str
    lines: tuple[LineItem, ...]
    issue_date: date
    due_date: date


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that Xero says, beside what it should say; `line` is its place, 0 for what concerns the document."""

    what: str
    expected: Value
    found: Value
    ok: bool
    line: int = 0


@dataclass(frozen=True)
class Wanted:
    """What an invoice must have become: the Xero contact of its customer, and the settings that it went by."""

    invoice: Invoice
    contact_id: str
    contact_name: str
    books: Books
    rules: Rules


# -- what to make -------------------------------------------------------------------------------------------------


def name_of(trial_id: str) -> str:
    """The name of a test's invoice: by it the invoice is found again, whatever became of the answer."""
    return f"{TITLE} {trial_id}"


def fitting(customers: Iterable[Customer], what: str) -> list[Customer]:
    """The customers that a person means by an id, else by an email or a whole name: each once, as it is known best."""
    named = name_key(what)
    found: dict[str, Customer] = {}
    for one in sorted(customers, key=lambda one: (bool(one.email), bool(one.phone))):
        if one.id == what or named in emails(one.email) or (named and name_key(one.name) == named):
            found[one.id] = one
    return [found[what]] if what in found else list(found.values())


def combinations(seen: Iterable[tuple[str, int]]) -> list[Taxes]:
    """The taxes that stand together on lines, the most used first, from (their canonical JSON, how many lines).

    CrocoClick takes neither a compound tax nor one without an id or a name from outside (ItemTaxDto).
    """
    counted: dict[Taxes, int] = defaultdict(int)
    for written, lines in seen:
        taxes = tuple(Tax(id, name, Decimal(rate), compound) for id, name, rate, compound in json.loads(written))
        if all(tax.id and tax.name and not tax.compound for tax in taxes):
            counted[taxes] += lines
    return sorted(counted, key=lambda taxes: (-counted[taxes], [tax.id for tax in taxes]))


def apart(taxes: Iterable[Taxes], books: Books, rules: Rules) -> tuple[list[Taxes], list[Problem]]:
    """Those taxes for which Xero has a rate, and why each of the others cannot go."""
    rates = [(those, tax_rate(those, books, rules)) for those in taxes]
    return (
        [those for those, rate in rates if not isinstance(rate, Problem)],
        [rate for _, rate in rates if isinstance(rate, Problem)],
    )


def usual_currency(invoices: Mapping[str, int], base: str) -> str:
    """The currency that most invoices have, else the books' own."""
    return max(sorted(invoices), key=lambda currency: invoices[currency], default=base)


def small_invoice(trial_id: str, customer: Customer, currency: str, taxes: Sequence[Taxes], issued: date) -> NewInvoice:
    """One line of 1.00 for each way of taxing, four at most; without any, one untaxed line."""
    # The smallest sum of which every usual tax is a whole unit, where the currency has no smaller one.
    price = ONE if decimals(currency) else HUNDRED
    lines = [LineItem(_line_name(those), ONE, price, those) for those in (taxes or [()])[:MOST_LINES]]
    return NewInvoice(name_of(trial_id), customer, currency, tuple(lines), issued, issued + DUE_AFTER)


def _line_name(taxes: Taxes) -> str:
    return f"Test, {' + '.join(tax.name for tax in taxes) or 'no tax'}"


# -- what Xero must say of it -----------------------------------------------------------------------------------------


def wanted_document(wanted: Wanted) -> Document | tuple[Problem, ...]:
    """The document that it must have become by today's settings; that its period was locked since is no matter."""
    unlocked = replace(wanted.books.organisation, period_lock_date=None, end_of_year_lock_date=None)
    books = replace(wanted.books, organisation=unlocked, actions={})
    return document(wanted.invoice, books, wanted.contact_id, wanted.rules)


def findings(wanted: Wanted, made: Document | None, there: BookDocument) -> list[Finding]:
    """Everything that both books must agree on, in the order of a printed invoice; no lines without `made`."""
    invoice, head = wanted.invoice, there.head
    customer = Finding("customer", wanted.contact_name, there.contact_name, wanted.contact_id == head.contact_id)
    return [
        customer,
        _equal("number", invoice.number, head.number),
        _equal("issue_date", invoice.issue_date, head.issue_date),
        _equal("due_date", due_date(invoice, wanted.rules), head.due_date),
        *(_lines(made, there, wanted.books) if made else ()),
        _equal("currency", invoice.currency, head.currency),
        *_totals(invoice, made, there),
        _status(invoice, head.status, wanted.rules.approval),
        *_sent(wanted, there),
    ]


def _equal(what: str, expected: Value, found: Value, line: int = 0) -> Finding:
    return Finding(what, expected, found, expected == found, line)


def _totals(invoice: Invoice, made: Document | None, there: BookDocument) -> Iterator[Finding]:
    """CrocoClick's own sums; the tax is reckoned where it states none."""
    tax = made.total_tax if invoice.tax is None and made else invoice.tax
    if tax is not None:
        yield _equal("net", invoice.total - tax, there.net)
        yield _equal("total_tax", tax, there.head.total_tax)
    yield _equal("total", invoice.total, there.head.total)


def _sent(wanted: Wanted, there: BookDocument) -> Iterator[Finding]:
    """Who approves an invoice in Xero also says there whether the customer has it."""
    if wanted.rules.approval == AUTHORISED:
        sent = wanted.rules.mark_sent and wanted.invoice.status is not Status.DRAFT
        yield _equal("sent", sent, there.sent_to_contact)


def _status(invoice: Invoice, found: str, approval: str) -> Finding:
    accepted = meant(invoice.status, invoice.total == 0, approval)
    usual = {Status.DRAFT: "DRAFT", Status.VOID: "VOIDED", Status.PAID: "PAID"}.get(invoice.status, approval)
    return Finding("status", usual, found, found in accepted)


def _lines(made: Document, there: BookDocument, books: Books) -> Iterator[Finding]:
    yield _equal("lines", len(made.lines), len(there.lines))
    for place, (line, found) in enumerate(zip(made.lines, there.lines, strict=False), 1):
        yield from _line(line, found, place, made.inclusive, books)


def _line(line: DocumentLine, found: BookLine, place: int, inclusive: bool, books: Books) -> Iterator[Finding]:
    amount = cents(line.quantity * line.unit_amount) - line.discount
    yield _equal("description", line.description, found.description, place)
    yield _equal("quantity", line.quantity, found.quantity, place)
    yield _equal("price", line.unit_amount, found.unit_amount, place)
    if line.discount or found.discount:
        yield _equal("discount", line.discount, found.discount, place)
    yield _equal("amount", amount, found.amount, place)
    rates = (_rate_name(line.tax_type, books), _rate_name(found.tax_type, books))
    yield Finding("tax_rate", *rates, line.tax_type == found.tax_type, place)
    yield _equal("tax", _tax(line, amount, inclusive, books), found.tax_amount, place)


def _rate_name(tax_type: str, books: Books) -> str:
    rate = books.tax_rate_by_type.get(tax_type)
    return f"{rate.name} ({tax_type})" if rate else tax_type


def _tax(line: DocumentLine, amount: Decimal, inclusive: bool, books: Books) -> Decimal:
    """The line's tax: as it was stated, else as Xero reckons it."""
    if line.tax_amount is not None:
        return line.tax_amount
    rate = books.tax_rate_by_type.get(line.tax_type)
    part = percent(rate) / HUNDRED if rate else ZERO
    return cents(amount * part / (1 + part) if inclusive else amount * part)
