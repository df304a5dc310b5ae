"""An invoice as Xero holds it, whole: its head and every line."""

from dataclasses import dataclass
from decimal import Decimal

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.money import ZERO


@dataclass(frozen=True, slots=True)
class BookLine:
    """A line as Xero holds it: `amount` is its LineAmount, with tax where the document's amounts are inclusive."""

    description: str
    quantity: Decimal
    unit_amount: Decimal
    amount: Decimal
    tax_type: str
    tax_amount: Decimal
    discount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class BookDocument:
    """A whole invoice: `net` is its total without tax, `sent_to_contact` Xero's mark that the customer has it."""

    head: BookInvoice
    contact_name: str
    net: Decimal
    sent_to_contact: bool
    lines: tuple[BookLine, ...]
    reference: str = ""
