"""What either book says of a sales document and of a payment, in one form, so that the two can be compared.

Amounts are in major units of the document's currency; those of a credit note are positive, as Xero writes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from syncer.domain.mapping.crococlick_totals import HUNDRED, shares
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.money import ZERO, cents
from syncer.domain.model.payment import Payment

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"
# Xero's statuses of a document that counts; DRAFT and SUBMITTED wait, VOIDED and DELETED are gone ("invoices").
STANDING = frozenset({"AUTHORISED", "PAID"})
LARGEST_TAX = Decimal(10) ** 15  # what is larger is no amount of money
APART = frozenset({Status.DRAFT, Status.VOID, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are compared, both ends included; None is no end."""

    first: date | None = None
    last: date | None = None

    @property
    def is_endless(self) -> bool:
        """Whether every day is within."""
        return self.first is None and self.last is None

    def holds(self, day: date | None) -> bool:
        """Whether this day is within; no day is only within what has no ends."""
        if day is None:
            return self.is_endless
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as one book has it. `mark` is CrocoClick's transaction id, which also ends our References in Xero."""

    id: str
    document_id: str
    amount: Decimal
    paid_on: date | None
    mark: str = ""
    number: str = ""  # of its document, where the book says so
    is_sale: bool = True  # not the payment of a bill


@dataclass(frozen=True, slots=True)
class Party:
    """Whose document it is: the Xero contact, where that is known, and names and emails by which it is known else."""

    name: str
    xero_id: str = ""
    known_by: frozenset[str] = frozenset()

    def is_same(self, other: "Party") -> bool:
        """Whether both are the same customer."""
        if self.xero_id and other.xero_id:
            return self.xero_id == other.xero_id
        return bool(self.known_by & other.known_by)


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """A document as one book has it.

    `mark`: the id of the CrocoClick invoice that it is, or is a credit note for. `taxes`: tax by effective rate in
    percent, or by Xero's TaxType until the rates are known. `tax` None: the book does not say.
    """

    id: str
    number: str
    status: str
    stands: bool
    party: Party
    currency: str
    total: Decimal
    kind: str = INVOICE
    issue_date: date | None = None
    due_date: date | None = None
    tax: Decimal | None = None
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    lines: int = 0
    paid: Decimal = ZERO
    due: Decimal = ZERO
    refunded: Decimal = ZERO
    mark: str = ""
    reference: str = ""
    transactions: frozenset[str] = frozenset()  # the refunded transactions that a credit note of ours names
    payments: tuple[Receipt, ...] = ()
    flaw: str = ""  # why it cannot be read

    @property
    def counted(self) -> Decimal:
        """What it adds to the total of its currency, where it stands."""
        return -self.total if self.kind == CREDIT_NOTE else self.total


def name_key(name: str) -> str:
    """A name as it is compared: without case, outer blanks and doubled ones."""
    return " ".join(name.split()).casefold()


def party(name: str, xero_id: str = "", *others: str) -> Party:
    """A customer, with further names or emails."""
    return Party(name, xero_id, frozenset(key for each in (name, *others) if (key := name_key(each))))


def in_crococlick(invoice: Invoice, xero_contact: str, refunded: Decimal = ZERO) -> SalesDocument:
    """CrocoClick's invoice; `xero_contact` is the Xero contact that its customer is linked to, "" where none is."""
    customer, flaw = invoice.customer, invoice.flaw
    taxes, lines = _taxes(invoice), len(invoice.lines)
    stated = sum(taxes.values(), ZERO) if invoice.tax is None and _adds_up(invoice, taxes) else invoice.tax
    return SalesDocument(
        id=invoice.source_id,
        number=invoice.number,
        status=str(invoice.status),
        stands=invoice.live and flaw is None and invoice.status not in APART,
        party=party(customer.name, xero_contact, customer.company, customer.email),
        currency=invoice.currency,
        total=invoice.total,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        tax=stated,
        taxes=taxes,
        lines=lines,
        paid=invoice.amount_paid,
        due=invoice.amount_due,
        refunded=refunded,
        mark=invoice.source_id,
        flaw=f"{flaw.field} {flaw.reason}" if flaw else "",
    )


def _taxes(invoice: Invoice) -> dict[str, Decimal]:
    """What its lines come to by effective rate, each rounded to the cent: CrocoClick itself states one sum."""
    exact: dict[str, Decimal] = {}
    for part in shares(invoice):
        if part.tax:
            name = rate_name(part.rate * HUNDRED)
            exact[name] = exact.get(name, ZERO) + part.tax
    return {name: cents(amount) for name, amount in exact.items() if abs(amount) < LARGEST_TAX}


def _adds_up(invoice: Invoice, taxes: Mapping[str, Decimal]) -> bool:
    """Whether lines and taxes come to the total exactly: then nothing was rounded that could hide in the tax."""
    parts = shares(invoice)
    exact = sum((part.tax for part in parts), ZERO)
    is_whole = exact == sum(taxes.values(), ZERO)
    return is_whole and sum((part.net for part in parts), ZERO) + exact == invoice.total


def rate_name(percent: Decimal) -> str:
    """A rate as it is compared: percent of at most four decimals, as Xero keeps them, no trailing zeros."""
    written = format(round(percent, 4), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def receipt(payment: Payment) -> Receipt:
    """A transaction of CrocoClick as a payment."""
    return Receipt(payment.source_id, payment.invoice_id, payment.amount, payment.paid_on, payment.source_id)


def refunds(payments: Sequence[Payment]) -> dict[str, Decimal]:
    """What went back, by CrocoClick invoice."""
    found: dict[str, Decimal] = {}
    for payment in payments:
        if payment.live and payment.refunded:
            found[payment.invoice_id] = found.get(payment.invoice_id, ZERO) + payment.refunded
    return found
