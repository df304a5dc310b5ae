"""CrocoClick's invoices and transactions as values, each read for itself.

Whatever JSON arrives, a record is read, or told apart with the field that cannot be understood: nothing here raises, so
that one odd record never stops the others.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from syncer.connectors.crococlick.fields import Garbage, amount, flag, garbage, loose_text, prose, text, whole_count
from syncer.connectors.crococlick.wire import rows
from syncer.domain.model.invoice import Customer, Discount, Flaw, Invoice, LineItem, Status, Tax
from syncer.domain.model.money import ZERO, fits, whole_total
from syncer.domain.model.payment import Payment
from syncer.domain.ports import Page, Unreadable

T = TypeVar("T")
PAYMENT_PLACES = 6  # decimals that the ledger holds of an amount
_LATE_FEES = "lateFeesConfiguration"
_NOBODY = Customer("", "")


class RecordReader:
    """Reads the records of one location; keeps what invoices share, so that thousands are read in seconds."""

    def __init__(self, timezone: str) -> None:
        self._zone = _zone(timezone)
        self._days: dict[str, date] = {}
        self._taxes: dict[tuple[Any, ...], Tax] = {}

    def page(self, data: Mapping[str, Any]) -> Page[Invoice]:
        """A page of the list; one without an id cannot be kept, and is told apart. Raises Unavailable for no list."""
        invoices: list[Invoice] = []
        unreadable: list[Unreadable] = []
        for row in rows(data, "invoices"):
            if not isinstance(row, dict):
                unreadable.append(Unreadable("", "", "invoice", "is no object"))
            elif row.get("deleted") is not True:
                invoice = self.invoice(row)
                (invoices if isinstance(invoice, Invoice) else unreadable).append(invoice)  # type: ignore[arg-type]  # because: one list for each type
        return Page(invoices, whole_count(data.get("total")), unreadable)

    def invoice(self, row: Mapping[str, Any], source_id: str = "") -> Invoice | Unreadable:
        """One invoice; where something in it cannot be understood it has a flaw, and what could be read.

        `source_id` is what was asked for, where one was; without any id it is only told why it cannot be kept.
        """
        try:
            return self._invoice(row)
        except Garbage as found:
            flaw = Flaw(found.field, found.found, found.reason)
            known = source_id or _or("", lambda: _id(row))
        if known:
            return self._flawed(row, known, flaw)
        return Unreadable("", _or("", lambda: number(row)), flaw.field, _reason(flaw))

    def _invoice(self, row: Mapping[str, Any]) -> Invoice:
        currency = text(row, "currency").upper()
        total, paid = _total(row, "total", currency), _total(row, "amountPaid", currency, ZERO)
        lines = row.get("invoiceItems")
        if not isinstance(lines, list):
            return garbage("invoiceItems", "is no list", lines)
        return Invoice(
            source_id=_id(row),
            number=number(row),
            status=_status(row),
            # A test invoice says so; one that says nothing was made with the API's default, which is live.
            live=flag(row, "liveMode", True),
            customer=_customer(row.get("contactDetails") or {}),
            currency=currency,
            issue_date=self._day(row, "issueDate"),
            due_date=self._day(row, "dueDate"),
            lines=tuple([self._line(line, place) for place, line in enumerate(lines, 1)]),
            total=total,
            discount=_discount(row.get("discount")),
            name=prose(row, "name"),
            amount_paid=paid,
            amount_due=_total(row, "amountDue", currency, total - paid),
            tax=_tax_total(row.get("totalSummary"), currency),
            extras=_paid_beside(row.get("miscellaneousCharges")),
            late_fees=_has_late_fees(row),
        )

    def _flawed(self, row: Mapping[str, Any], source_id: str, flaw: Flaw) -> Invoice:
        """What can be read of an invoice that has a flaw, so that a person finds it."""
        currency = _or("", lambda: text(row, "currency").upper())
        total = _or(ZERO, lambda: _total(row, "total", currency))
        paid = _or(ZERO, lambda: _total(row, "amountPaid", currency, ZERO))
        return Invoice(
            source_id=source_id,
            number=_or("", lambda: number(row)),
            status=_or(Status.UNKNOWN, lambda: _status(row)),
            live=_or(True, lambda: flag(row, "liveMode", True)),
            customer=_or(_NOBODY, lambda: _customer(row.get("contactDetails") or {})),
            currency=currency,
            issue_date=_or(None, lambda: self._day(row, "issueDate")),
            due_date=_or(None, lambda: self._day(row, "dueDate")),
            lines=(),
            total=total,
            name=_or("", lambda: prose(row, "name")),
            amount_paid=paid,
            amount_due=_or(ZERO, lambda: _total(row, "amountDue", currency, total - paid)),
            flaw=flaw,
        )

    def _line(self, line: Any, place: int) -> LineItem:
        try:
            return self._read_line(line)
        except Garbage as found:
            found.field = f"invoiceItems[{place}].{found.field}".rstrip(".")
            raise

    def _read_line(self, line: Any) -> LineItem:
        if not isinstance(line, dict):
            return garbage("", "is no line", line)
        taxes = line.get("taxes") or []
        if not isinstance(taxes, list):
            return garbage("taxes", "is no list", taxes)
        return LineItem(
            prose(line, "name"),
            amount(line, "qty"),
            amount(line, "amount"),
            tuple([self._tax(tax) for tax in taxes]) if taxes else (),
            flag(line, "taxInclusive", False),
            prose(line, "description"),
            text(line, "productId"),
        )

    def _tax(self, tax: Any) -> Tax:
        if not isinstance(tax, dict):
            return garbage("taxes", "is no tax", tax)
        found = tuple([tax.get(name) for name in ("_id", "name", "rate", "calculation")])
        if any(isinstance(value, dict | list) for value in found):
            return garbage("taxes", "is no tax", tax)
        # A rate of true is no rate of 1, though Python holds the two to be equal.
        key = (*found, type(found[2]) is bool)
        known = self._taxes.get(key)
        if known is None:
            known = self._taxes[key] = _read_tax(tax)
        return known

    def transactions(self, data: Mapping[str, Any]) -> Page[Payment]:
        """A page of transactions: those made for an invoice. Raises Unavailable for no list."""
        payments: list[Payment] = []
        unreadable: list[Unreadable] = []
        for row in rows(data, "data"):
            try:
                found = self._payment(row) if isinstance(row, dict) else garbage("transaction", "is no object", row)
            except Garbage as wrong:
                flaw = Flaw(wrong.field, wrong.found, wrong.reason)
                known = loose_text(row.get("_id")) if isinstance(row, dict) else ""
                unreadable.append(Unreadable(known, "", flaw.field, _reason(flaw), "transaction"))
            else:
                payments += [found] if found else []
        return Page(payments, whole_count(data.get("totalCount")), unreadable)

    def _payment(self, row: Mapping[str, Any]) -> Payment | None:
        invoice_id = _invoice_of(row)
        if not invoice_id:
            return None
        method = row.get("paymentMethod")
        kind = loose_text(method.get("type")) if isinstance(method, dict) else ""
        return Payment(
            source_id=_id(row),
            invoice_id=invoice_id,
            amount=_of_payment(row, "amount"),
            currency=text(row, "currency").upper(),
            paid_on=self._day(row, "fulfilledAt") or self._day(row, "createdAt"),
            status=text(row, "status"),
            refunded=_of_payment(row, "amountRefunded", ZERO),
            live=flag(row, "liveMode", True),
            method=kind or loose_text(row.get("paymentProviderType")),
        )

    def _day(self, row: Mapping[str, Any], name: str) -> date | None:
        """A date of the location: bare, or the instant of its local midnight or end of day."""
        written = row.get(name)
        if written is None or written == "":
            return None
        if not isinstance(written, str):
            return garbage(name, "is no date", written)
        day = self._days.get(written)
        if day is None:
            day = self._days[written] = self._read_day(name, written)
        return day

    def _read_day(self, name: str, written: str) -> date:
        try:
            if len(written) == 10:
                return date.fromisoformat(written)
            moment = datetime.fromisoformat(written)
            if moment.tzinfo is None or _is_bare(moment):
                return moment.date()
            if self._zone:
                return moment.astimezone(self._zone).date()
        except (OverflowError, ValueError):
            return garbage(name, "is no date", written)
        return garbage(name, "is an instant, and the location's time zone is not known", written)


def _is_bare(moment: datetime) -> bool:
    """Whether it is a day written as midnight UTC.

    East of Greenwich the location's day is the same; west of it no local midnight and no end of a day falls there.
    """
    return not moment.utcoffset() and moment.time() == time()


def number(row: Mapping[str, Any]) -> str:
    """The invoice's number as a text, its prefix put before it unless it is there already; no blanks around it."""
    written, prefix = text(row, "invoiceNumber").strip(), text(row, "invoiceNumberPrefix")
    whole = written if not written or written.startswith(prefix.strip()) else f"{prefix}{written}"
    return whole.strip()


def _or(otherwise: T, read: Callable[[], T]) -> T:
    try:
        return read()
    except Garbage:
        return otherwise


def _reason(flaw: Flaw) -> str:
    return f"{flaw.reason}: {flaw.found!r}" if flaw.found else flaw.reason


def _id(row: Mapping[str, Any]) -> str:
    return text(row, "_id") or garbage("_id", "is missing")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):  # unknown, unreadable, malformed
        return None


def _total(row: Mapping[str, Any], name: str, currency: str, missing: Decimal | None = None) -> Decimal:
    return whole_total(amount(row, name, missing), currency)


def _of_payment(row: Mapping[str, Any], name: str, missing: Decimal | None = None) -> Decimal:
    found = amount(row, name, missing)
    return found if fits(found, PAYMENT_PLACES) else garbage(name, "has too many decimals", row[name])


def _invoice_of(row: Mapping[str, Any]) -> str:
    """The invoice that a transaction was made for; empty for other things that are sold.

    Which field links the two is not confirmed: the specification has `entitySourceId`, live programs use `entityId`.
    An id that is no invoice's joins nothing.
    """
    source, kind = loose_text(row.get("entitySourceType")).lower(), loose_text(row.get("entityType")).lower()
    if source == "invoice":
        return loose_text(row.get("entitySourceId")) or loose_text(row.get("entityId"))
    return loose_text(row.get("entityId")) if kind == "invoice" or not source else ""


def _status(row: Mapping[str, Any]) -> Status:
    written = text(row, "status")
    known = next((status for status in Status if status == written and status is not Status.UNKNOWN), None)
    return known or garbage("status", "is not known" if written else "is missing", written)


def _customer(found: Any) -> Customer:
    if not isinstance(found, dict):
        return garbage("contactDetails", "is no object", found)
    return Customer(
        id=text(found, "id", "contactDetails.id"),
        name=text(found, "name", "contactDetails.name"),
        email=text(found, "email", "contactDetails.email"),
        company=text(found, "companyName", "contactDetails.companyName"),
        phone=prose(found, "phoneNo", "contactDetails.phoneNo"),
    )


def _discount(found: Any) -> Discount | None:
    if not found:
        return None
    if not isinstance(found, dict):
        return garbage("discount", "is no object", found)
    value = amount(found, "value", ZERO, "discount.value")
    if not value:
        return None
    kind = found.get("type")
    if kind not in ("percentage", "fixed"):
        return garbage("discount.type", "is not known", kind)
    return Discount(kind == "percentage", value, _product_ids(found.get("validOnProductIds")))


def _product_ids(found: Any) -> tuple[str, ...]:
    """Product ids from a list, or from the text of a list that the specification's example shows."""
    if isinstance(found, str):
        found = [part.strip(" '\"") for part in found.strip(" []").split(",")]
    if found is not None and not isinstance(found, list):
        return garbage("discount.validOnProductIds", "is no list", found)
    return tuple([text({"": part}, "", "discount.validOnProductIds") for part in found or [] if part])


def _read_tax(tax: Mapping[str, Any]) -> Tax:
    calculation = tax.get("calculation") or "exclusive"
    if calculation not in ("exclusive", "compound"):
        return garbage("taxes.calculation", "is not known", calculation)
    return Tax(
        text(tax, "_id", "taxes._id"),
        prose(tax, "name", "taxes.name"),
        amount(tax, "rate", field="taxes.rate"),
        calculation == "compound",
    )


def _tax_total(summary: Any, currency: str) -> Decimal | None:
    if not isinstance(summary, dict) or summary.get("tax") is None:
        return None
    return whole_total(amount(summary, "tax", field="totalSummary.tax"), currency)


def _paid_beside(charges: Any) -> Decimal:
    """Processing fees and the like that came in with payments: one by one, else their sum."""
    if not isinstance(charges, dict):
        return ZERO
    paid = charges.get("paidCharges")
    if not isinstance(paid, list) or not paid:
        return amount(charges, "collectedMiscellaneousCharges", ZERO, "miscellaneousCharges")
    return sum((amount(one, "amount", ZERO, "paidCharges.amount") for one in paid if isinstance(one, dict)), ZERO)


def _has_late_fees(row: Mapping[str, Any]) -> bool:
    """Whether late fees are switched on, or were charged; what tells of a charged one is not published."""
    configured = row.get(_LATE_FEES)
    if isinstance(configured, dict) and (configured.get("enable") is True or configured.get("enabled") is True):
        return True
    return any(row[name] for name in row if name.startswith("lateFee") and name != _LATE_FEES)
