"""An invoice as CrocoClick holds it, and the short name of its content."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

from syncer.domain.model.money import ZERO, text


class Status(StrEnum):
    """The six statuses of a CrocoClick invoice; "overdue" is computed on screens and never stored.

    `UNKNOWN` is our word for a status that is none of them: an invoice with it is held as `invoice_unreadable`.
    """

    DRAFT = "draft"
    SENT = "sent"
    PAYMENT_PROCESSING = "payment_processing"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a line: `rate` is a percentage; a compound tax is computed on top of the taxes before it."""

    id: str
    name: str
    rate: Decimal
    compound: bool = False


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line: `unit_price` in major units, tax included where `tax_inclusive` says so."""

    name: str
    quantity: Decimal
    unit_price: Decimal
    taxes: tuple[Tax, ...] = ()
    tax_inclusive: bool = False
    description: str = ""
    product_id: str = ""

    @property
    def amount(self) -> Decimal:
        """Quantity × unit price in major units, exact."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on the document: a percentage or an amount in major units, on all lines or those of some products."""

    percentage: bool
    value: Decimal
    product_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer that the invoice names: CrocoClick's contact as it was when the invoice was made."""

    id: str
    name: str
    email: str = ""
    company: str = ""
    phone: str = ""


NO_ANSWER = "answer"  # a flaw's field where CrocoClick answers for everything but this one invoice


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an invoice of CrocoClick cannot be read: the field by CrocoClick's name, what stood there, what is wrong.

    `found` is empty where there was nothing.
    """

    field: str
    found: str
    reason: str


@dataclass(frozen=True)
class Invoice:
    """An invoice in CrocoClick. Amounts are in major units of `currency`, dates are those of the location."""

    source_id: str
    number: str
    status: Status
    live: bool
    customer: Customer
    currency: str
    issue_date: date | None
    due_date: date | None
    lines: tuple[LineItem, ...]
    total: Decimal
    discount: Discount | None = None
    name: str = ""
    amount_paid: Decimal = ZERO
    amount_due: Decimal = ZERO
    tax: Decimal | None = None
    extras: Decimal = ZERO  # fees and tips that the customer paid beside the invoice
    late_fees: bool = False  # whether late fees may have been added to the total, for which there is no line
    flaw: Flaw | None = None  # why it cannot be read now; the other fields are then what could be read, or was before

    @cached_property
    def content(self) -> str:
        """All that its document in Xero and the sentences about it are made from, written the one canonical way."""
        asides = _asides(self)
        return f"{self._document[:-1]},{_written(asides)}]" if asides else self._document

    @cached_property
    def fingerprint(self) -> str:
        """The short name of all that its Xero document is made from: equal document, equal name.

        One that cannot be read has another name than it had before, and than it has once it can be read again.
        """
        named = self._document if self.flaw is None else f"{self._document}{_written(_flaw_of(self.flaw))}"
        return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    @cached_property
    def frozen_fingerprint(self) -> str:
        """The short name of the part that Xero does not let change once there is a payment (Xero's Invoices page)."""
        _, _, currency, issued, _, _, *amounts = _content(self)
        return blake2b(_written([currency, issued, *amounts]).encode(), digest_size=12).hexdigest()

    @cached_property
    def _document(self) -> str:
        return _written(_content(self))


def without_answer(source_id: str, reason: str) -> Invoice:
    """An invoice that CrocoClick has shown before, and does not show when it is asked for it."""
    return Invoice(
        source_id=source_id,
        number="",
        status=Status.UNKNOWN,
        live=True,
        customer=Customer("", ""),
        currency="",
        issue_date=None,
        due_date=None,
        lines=(),
        total=ZERO,
        flaw=Flaw(NO_ANSWER, reason, "cannot be read"),
    )


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _asides(invoice: Invoice) -> dict[str, Any]:
    """What changes nothing in Xero and is told of only where it is there."""
    extras = {"extras": text(invoice.extras)} if invoice.extras else {}
    flaw = {"flaw": _flaw_of(invoice.flaw)} if invoice.flaw else {}
    return {**extras, **flaw, "late_fees": True} if invoice.late_fees else {**extras, **flaw}


def _flaw_of(flaw: Flaw) -> list[str]:
    return [flaw.field, flaw.found, flaw.reason]


def _content(invoice: Invoice) -> list[Any]:
    customer, discount = invoice.customer, invoice.discount
    return [
        invoice.number,
        [customer.id, customer.name, customer.email, customer.company, customer.phone],
        invoice.currency,
        invoice.issue_date.isoformat() if invoice.issue_date else None,
        invoice.due_date.isoformat() if invoice.due_date else None,
        invoice.name,
        text(invoice.total),
        None if invoice.tax is None else text(invoice.tax),
        [discount.percentage, text(discount.value), list(discount.product_ids)] if discount else None,
        [
            [
                line.name,
                text(line.quantity),
                text(line.unit_price),
                [[tax.id, tax.name, text(tax.rate), tax.compound] for tax in line.taxes],
                line.tax_inclusive,
                line.description,
                line.product_id,
            ]
            for line in invoice.lines
        ],
    ]


def from_content(
    content: str,
    *,
    source_id: str,
    status: str,
    live: bool,
    amount_paid: Decimal,
    amount_due: Decimal,
    fingerprint: str = "",
) -> Invoice:
    """The invoice again, from its canonical content and what the content leaves out; its names, where they are known.

    Tens of thousands are read while a person waits: what is known is not worked out again.
    """
    number, customer, currency, issued, due, name, total, tax, discount, lines, *rest = json.loads(content)
    asides = rest[0] if rest else {}
    invoice = Invoice(
        source_id=source_id,
        number=number,
        status=Status(status),
        live=live,
        customer=Customer(*customer),
        currency=currency,
        issue_date=date.fromisoformat(issued) if issued else None,
        due_date=date.fromisoformat(due) if due else None,
        lines=tuple([_line(*line) for line in lines]),
        total=Decimal(total),
        discount=Discount(discount[0], Decimal(discount[1]), tuple(discount[2])) if discount else None,
        name=name,
        amount_paid=amount_paid,
        amount_due=amount_due,
        tax=None if tax is None else Decimal(tax),
        extras=Decimal(asides.get("extras", 0)),
        late_fees=asides.get("late_fees", False),
        flaw=Flaw(*asides["flaw"]) if "flaw" in asides else None,
    )
    # A cached property keeps its value here.
    vars(invoice).update({"content": content, **({"fingerprint": fingerprint} if fingerprint else {})})
    return invoice


_number = lru_cache(4096)(Decimal)


def _line(
    name: str,
    quantity: str,
    unit_price: str,
    taxes: Sequence[Sequence[Any]],
    tax_inclusive: bool,
    description: str,
    product_id: str,
) -> LineItem:
    those = tuple([_tax(*tax) for tax in taxes]) if taxes else ()
    return LineItem(name, _number(quantity), _number(unit_price), those, tax_inclusive, description, product_id)


@lru_cache(1024)
def _tax(id: str, name: str, rate: str, compound: bool) -> Tax:
    return Tax(id, name, Decimal(rate), compound)
