"""Both services' records at one moment, read from the sandboxes alone: nothing of the product is imported here.

Amounts are in cents, dates are days of the location's time zone.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

GONE = ("VOIDED", "DELETED")
STATUSES = {
    "sent": ("AUTHORISED",),
    "payment_processing": ("AUTHORISED",),
    "partially_paid": ("AUTHORISED",),
    "paid": ("PAID",),
    "void": GONE,
    "draft": ("DRAFT", "SUBMITTED", "AUTHORISED"),
}


class Unreadable(Exception):
    """A value of CrocoClick in no known form."""


@dataclass
class Books:
    """Both services' records at one moment."""

    zone: ZoneInfo
    invoices: dict[str, dict]
    transactions: list[dict]
    contacts: dict[str, dict]
    documents: list[dict]
    payments: list[dict]
    customers: dict[str, dict]
    lock: str | None = None

    def of_invoice(self, id_: str) -> list[dict]:
        """The transactions of one invoice that count."""
        return [t for t in self.transactions if t["entitySourceId"] == id_ and t["status"] in ("succeeded", "refunded")]

    def marked(self, id_: str) -> list[dict]:
        """The documents in Xero that carry the mark of a CrocoClick invoice."""
        return [one for one in self.documents if id_ in (one.get("Url") or "")]

    def document(self, id_: str) -> dict | None:
        """The one that stands, else the latest of those that are gone."""
        marked = self.marked(id_)
        standing = [one for one in marked if one["Status"] not in GONE]
        return (standing or marked[-1:] or [None])[0]

    def paid_on(self, document: dict) -> list[dict]:
        """The payments that stand on a document in Xero."""
        id_ = document["InvoiceID"]
        return [p for p in self.payments if p["Invoice"]["InvoiceID"] == id_ and p["Status"] != "DELETED"]


def read(box) -> Books:
    """Read both sandboxes; the desk shows records as the APIs do, past tokens and faults."""
    crm, xero = box.crococlick, box.xero
    shown = [json.loads(json.dumps(one)) for one in crm.invoices()]
    organisation = xero.organisation()
    return Books(
        ZoneInfo(crm.profile()["timezone"]),
        {one["_id"]: one for one in shown},
        crm.transactions(),
        {one["id"]: one for one in crm.contacts()},
        [one for one in xero.invoices() if one["Type"] == "ACCREC"],
        xero.payments(),
        {one["ContactID"]: one for one in xero.contacts()},
        max((organisation.get(name) or "" for name in ("PeriodLockDate", "EndOfYearLockDate")), default="") or None,
    )


def cents(value) -> int:
    """An amount of a JSON answer in cents: dust of binary floats taken off, half a cent rounded up."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unreadable(repr(value))
    number = Decimal(str(value)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return int((number * 100).to_integral_value(ROUND_HALF_UP))


def day(value, zone: ZoneInfo) -> str:
    """The local day of a date or an instant."""
    try:
        if "T" not in value:
            return date.fromisoformat(value).isoformat()
        return datetime.fromisoformat(value).astimezone(zone).date().isoformat()
    except (TypeError, ValueError) as wrong:
        raise Unreadable(repr(value)) from wrong


def unreadable(invoice: dict, zone: ZoneInfo) -> str:
    """Which field of an invoice is in no known form; empty where all can be read."""
    try:
        name = "status"
        if invoice["status"] not in STATUSES:
            return name
        for name in ("total", "amountPaid"):
            cents(invoice[name])
        name = "invoiceNumber"
        number(invoice).encode()  # half of a character has no code
        name = "issueDate"
        day(invoice[name], zone)
        name = "dueDate"
        if invoice.get(name) is not None:
            day(invoice[name], zone)
        for line in invoice["invoiceItems"]:
            for name in ("amount", "qty"):
                cents(line[name])
    except (Unreadable, UnicodeEncodeError):
        return name
    return ""


def number(invoice: dict) -> str:
    """The number without outer blanks."""
    return str(invoice["invoiceNumber"]).strip()
