"""Differences between both books as sentences."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from syncer.domain.closing import compare
from syncer.domain.closing.compare import MONEY, Difference, Value
from syncer.domain.closing.documents import CREDIT_NOTE
from syncer.messages.format import STATUSES, day, money, monies

NAMES: Mapping[str, str] = {
    "number": "Number",
    "contact": "Customer",
    "issue_date": "Issue date",
    "due_date": "Due date",
    "currency": "Currency",
    "total": "Total",
    "tax": "Tax",
    "paid": "Paid",
    "due": "Amount due",
    "status": "Status",
    compare.TAX_BY_RATE: "Tax by rate",
    compare.PAYMENT_AMOUNT: "Amount of a payment",
    compare.PAYMENT_DATE: "Day of a payment",
    compare.PAYMENT_INVOICE: "Invoice of a payment",
    compare.DOCUMENT: "Document",
    compare.PAYMENT: "Payment",
    compare.REFUND: "Refund",
    compare.UNREADABLE: "Cannot be read",
}
SIDES: Mapping[str, str] = {"crococlick": "CrocoClick", "xero": "Xero"}

# Next steps that belong to no cause of the ledger.
SYNC = "Sync: it goes over, or is held with the cause."
FULL = "Sync in full: it is carried over, or held with the order that settles it."
APPROVE = "Approve it in Xero: until then it counts in none of Xero's reports, nor in this total."
STRANGER = "Leave it where it was sold outside CrocoClick; void it in Xero where it was entered twice."
NOTE = "Where it gives back what CrocoClick refunded, put the number of the invoice into its Reference in Xero; else leave it."
# Xero cannot edit a payment ("payments"), and a sync does not look at the day of one that it has carried.
MOVED = "The day was changed in Xero. Take the payment off there and enter it again with the day of CrocoClick, or leave it."


def shown(difference: Difference, value: Value) -> str:
    """A value of a difference as people read it."""
    if value is None:
        return "nothing"
    if isinstance(value, Decimal):
        return money(value, difference.currency)
    if isinstance(value, date):
        return day(value)
    return STATUSES.get(value, value.lower()) if difference.field == "status" else str(value) or "none"


def sentence(difference: Difference) -> str:
    """What differs, in one sentence."""
    match difference.field:
        case compare.DOCUMENT:
            return _document(difference)
        case compare.PAYMENT:
            return _payment(difference)
        case compare.REFUND:
            return f"{money(difference.about['missing'], difference.currency)} went back to the customer, and no credit note in Xero says so."
        case compare.UNREADABLE:
            return f"This record of {SIDES[difference.about['where']]} cannot be read: {difference.about['flaw']}."
    ours, theirs = shown(difference, difference.crococlick), shown(difference, difference.xero)
    return f"{NAMES[difference.field]}: CrocoClick has {ours}, Xero {theirs}."


def _document(difference: Difference) -> str:
    about = difference.about
    whose = f" for {about['customer']}" if about.get("customer") else ""
    if difference.crococlick is not None:
        return f"Xero does not have this invoice{whose} over {shown(difference, difference.crococlick)}."
    amount = money(abs(Decimal(str(difference.xero))), difference.currency)
    if about["kind"] == CREDIT_NOTE:
        return f"Xero has a credit note{whose} over {amount}, and CrocoClick no refund that belongs to it."
    if difference.invoice_id:
        return f"Xero has this invoice{whose} over {amount}; it bears the mark of one that CrocoClick does not have."
    if like := about.get("looks_like"):
        return (
            f"Xero has an invoice{whose} over {amount} that is not from CrocoClick. It may be {like} entered by hand: "
            "the customer and the amount are the same."
        )
    return f"Xero has an invoice{whose} over {amount} that is not from CrocoClick."


def _payment(difference: Difference) -> str:
    on = f" of {day(difference.about['paid_on'])}" if difference.about["paid_on"] else ""
    if difference.crococlick is not None:
        return f"The payment{on} over {shown(difference, difference.crococlick)} is not in Xero."
    amount = shown(difference, difference.xero)
    if difference.about["mark"]:
        return f"The payment{on} over {amount} that was carried to Xero is not in CrocoClick any more."
    return f"Xero has a payment{on} over {amount} that CrocoClick does not know of."


def effect(difference: Difference) -> str:
    """What the difference does to the totals, where it does anything."""
    told = monies({currency: abs(amount) for currency, amount in difference.effect.items()})
    return f"Moves the total by {told}." if told else ""


def residual(currency: str, amount: Decimal) -> str:
    """What is not explained of a currency's totals."""
    return f"{money(amount, currency)} of the difference between the totals is explained by nothing that is listed."


def is_money(difference: Difference) -> bool:
    """Whether its values are amounts."""
    return difference.field in MONEY
