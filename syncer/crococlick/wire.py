"""CrocoClick's requests to build and answers to read; no I/O. It speaks the HighLevel API v2.

Sources: GoHighLevel/highlevel-api-docs (apps/invoices.json, apps/locations.json), its issues, and HighLevel's
articles on invoices and discounts (help.gohighlevel.com). What is not published is in docs/assumptions.md.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from syncer.core.invoice import Customer, Discount, Invoice, LineItem, Status, Tax
from syncer.core.money import ZERO
from syncer.core.payment import Payment
from syncer.core.trial import NewInvoice
from syncer.errors import HaltRun, InDoubt, RateLimited, Reconnect, SyncerError, Unavailable
from syncer.ports import Location, Page, Unreadable
from syncer.transport import Request, Response

VERSION = "2021-07-28"
PAGE_SIZE = 100  # the largest limit that public clients use; the API publishes no bound
UNAVAILABLE = "crococlick_unavailable"
_LATE_FEES = "lateFeesConfiguration"


class Garbage(ValueError):
    """A field of an invoice that cannot be what it says."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


# --- requests ---------------------------------------------------------------------------------------------------


def headers() -> dict[str, str]:
    """What every call carries; without Version it is refused."""
    return {"Version": VERSION, "Accept": "application/json"}


def get_location(location_id: str) -> Request:
    """The location's profile; its time zone is what every date is read by."""
    return Request("GET", f"/locations/{location_id}")


def get_invoices(
    location_id: str,
    offset: int,
    *,
    status: str = "",
    since: date | None = None,
    search: str = "",
    newest_first: bool = False,
) -> Request:
    """A page of invoices by issue date, the only field that the list can be sorted by."""
    query = [
        ("altId", location_id),
        ("altType", "location"),
        ("limit", str(PAGE_SIZE)),
        ("offset", str(offset)),
        ("sortField", "issueDate"),
        ("sortOrder", "descend" if newest_first else "ascend"),
    ]
    # Which zone the filter is meant in is not published: a day more is asked for.
    start = (since - timedelta(days=1)).isoformat() if since else ""
    query += [(name, value) for name, value in (("status", status), ("startAt", start), ("search", search)) if value]
    return Request("GET", "/invoices/", tuple(query), hidden=frozenset({"search"}))


def get_invoice(location_id: str, invoice_id: str) -> Request:
    """One invoice."""
    return Request("GET", f"/invoices/{invoice_id}", (("altId", location_id), ("altType", "location")))


def get_transactions(location_id: str, offset: int, *, since: date | None = None, contact_id: str = "") -> Request:
    """A page of the location's transactions, for invoices and for other things; of one contact, where it is named."""
    start = (since - timedelta(days=1)).isoformat() if since else ""
    query = [("altId", location_id), ("altType", "location"), ("limit", str(PAGE_SIZE)), ("offset", str(offset))]
    query += [(name, value) for name, value in (("startAt", start), ("contactId", contact_id)) if value]
    return Request("GET", "/payments/transactions", tuple(query))


def post_invoice(location_id: str, business: str, new: NewInvoice) -> Request:
    """Make a draft. Nothing but documented properties: another one is refused (CreateInvoiceDto)."""
    contact = {"id": new.customer.id, "name": new.customer.name, "phoneNo": new.customer.phone}
    company = {"companyName": new.customer.company} if new.customer.company else {}
    return _write(
        "POST",
        "/invoices/",
        location_id,
        {
            "name": new.name,
            "businessDetails": {"name": business},
            "currency": new.currency,
            "items": [_item(line, new.currency) for line in new.lines],
            "discount": {"type": "percentage", "value": 0},
            "contactDetails": {**contact, "email": new.customer.email, **company},
            "issueDate": new.issue_date.isoformat(),
            "dueDate": new.due_date.isoformat(),
            "sentTo": {"email": [new.customer.email]},
            "liveMode": True,
        },
    )


def post_send(location_id: str, invoice_id: str, user: str) -> Request:
    """Mark an invoice as sent: of the four actions the one that writes to nobody."""
    told = {"userId": user, "action": "send_manually", "liveMode": True}
    return _write("POST", f"/invoices/{invoice_id}/send", location_id, told)


def post_void(location_id: str, invoice_id: str) -> Request:
    """Void an invoice that was sent; a draft cannot be."""
    return _write("POST", f"/invoices/{invoice_id}/void", location_id, {})


def delete_invoice(location_id: str, invoice_id: str) -> Request:
    """Delete a draft: the specification wants the location in the query, its sibling for estimates in the body."""
    return replace(
        _write("DELETE", f"/invoices/{invoice_id}", location_id, {}),
        query=(("altId", location_id), ("altType", "location")),
    )


def _write(method: str, path: str, location_id: str, told: Mapping[str, Any]) -> Request:
    body = json.dumps({"altId": location_id, "altType": "location", **told}, ensure_ascii=False).encode()
    return Request(method, path, headers={"Content-Type": "application/json"}, body=body)


def _item(line: LineItem, currency: str) -> dict[str, Any]:
    taxes = [
        {"_id": tax.id, "name": tax.name, "rate": _figure(tax.rate), "calculation": "exclusive"} for tax in line.taxes
    ]
    amounts = {"currency": currency, "amount": _figure(line.unit_price), "qty": _figure(line.quantity)}
    return {"name": line.name, "description": line.description, **amounts, "taxes": taxes}


def _figure(amount: Decimal) -> int | float:
    """A JSON number of the same digits: a float is written with as few as tell it from its neighbours."""
    return int(amount) if amount == int(amount) else float(amount)


# --- answers ----------------------------------------------------------------------------------------------------


def decipher(answer: Response, *, writing: bool = False) -> dict[str, Any]:
    """The answer's data, or the error that says what to do next.

    A missing scope and a dead token share the status 401: only the message tells them apart
    (GoHighLevel/highlevel-api-docs#213).
    """
    if answer.status >= 500:
        raise _unclear(answer, writing)
    data = _object(answer.body)
    if answer.status < 300:
        if data is None:
            raise _unclear(answer, writing)
        return data
    raise _failure(answer, said(data or {}))


def is_missing(error: SyncerError) -> bool:
    """Whether the refusal says that there is no such invoice: a 404, or a 400 in words."""
    told = str(error.facts.get("message", "")).lower()
    return error.facts.get("status") == 404 or "unable to find an invoice" in told


def said(body: Mapping[str, Any]) -> str:
    """The message of an error body: a text, a list of texts, or inside `error` (v3)."""
    message = body.get("message")
    if isinstance(message, list):
        return "; ".join(str(part) for part in message)
    error = body.get("error")
    return str(message or (error.get("message") if isinstance(error, Mapping) else error) or "")


def calls_left(answer: Response) -> tuple[int | None, int | None]:
    """What is left of the burst and of the day, None where the headers do not say."""
    return _count(answer, "x-ratelimit-remaining"), _count(answer, "x-ratelimit-daily-remaining")


def burst(answer: Response) -> tuple[int | None, float | None]:
    """The size of a burst in calls and its length in seconds, None where the headers do not say."""
    length_ms = _count(answer, "x-ratelimit-interval-milliseconds")
    return _count(answer, "x-ratelimit-max"), length_ms / 1000 if length_ms else None


def daily_reset_s(answer: Response) -> float | None:
    """Seconds until the day's calls are counted anew: the day is not a calendar day."""
    left_ms = _count(answer, "x-ratelimit-daily-reset")
    return left_ms / 1000 if left_ms is not None else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _unclear(answer: Response, writing: bool) -> SyncerError:
    if writing:
        return InDoubt(side="crococlick", status=answer.status)
    return Unavailable(UNAVAILABLE, side="crococlick", status=answer.status)


def _failure(answer: Response, message: str) -> SyncerError:
    told = message.lower()
    match answer.status:
        case 401 if "scope" in told:
            return Reconnect("crococlick_scope_missing", message=message)
        case 401:
            return Reconnect("crococlick_token_refused", message=message)
        case 403:
            return Reconnect("crococlick_wrong_location", message=message)
        case 429:
            return limited(answer)
        case _:
            return HaltRun("crococlick_refused", status=answer.status, message=message)


def limited(answer: Response) -> RateLimited:
    """What a 429 means: the day's calls are gone, or only the burst's."""
    _, day = calls_left(answer)
    if day == 0:
        return RateLimited("day", daily_reset_s(answer), side="crococlick")
    return RateLimited("burst", burst(answer)[1], side="crococlick")


def _count(answer: Response, name: str) -> int | None:
    value = answer.headers.get(name, "").strip()
    return int(value) if value.isdigit() else None


def location(data: Mapping[str, Any]) -> Location:
    """The location; its currency is not in it, only on its invoices."""
    found = data.get("location") or data
    zone = found.get("timezone") or (found.get("business") or {}).get("timezone") or ""
    return Location(str(found.get("id") or ""), str(found.get("name") or ""), str(zone))


def agency_id(data: Mapping[str, Any]) -> str:
    """Who an invoice is sent by where no user is known: `userId` may be an employee's id or the agency's."""
    found = data.get("location") or data
    return str(found.get("companyId") or "")


def row_ids(data: Mapping[str, Any]) -> list[str]:
    """The ids of a page's rows, readable or not, in their order."""
    return [str(row.get("_id") or "") if isinstance(row, dict) else "" for row in data.get("invoices") or []]


def transaction_count(data: Mapping[str, Any]) -> int:
    """How many rows a page of transactions has, of any kind."""
    return len(data.get("data") or [])


class Reader:
    """Reads the invoices of one location; keeps what invoices share, so that thousands are read in seconds."""

    def __init__(self, timezone: str) -> None:
        self._zone = _zone(timezone)
        self._days: dict[str, date] = {}
        self._taxes: dict[tuple[Any, ...], Tax] = {}

    def page(self, data: Mapping[str, Any]) -> Page[Invoice]:
        """A page of the list; an invoice that cannot be read is told apart and does not fail its neighbours."""
        invoices: list[Invoice] = []
        unreadable: list[Unreadable] = []
        for row in data.get("invoices") or []:
            if not isinstance(row, dict):
                unreadable.append(Unreadable("", "", "invoice", "is no object"))
            elif row.get("deleted") is not True:
                read = self.invoice(row)
                (invoices if isinstance(read, Invoice) else unreadable).append(read)  # type: ignore[arg-type]  # because: one list for each type
        total = data.get("total")
        return Page(invoices, int(total) if isinstance(total, int | Decimal) else None, unreadable)

    def transactions(self, data: Mapping[str, Any]) -> Page[Payment]:
        """A page of transactions: those that were made for an invoice."""
        payments: list[Payment] = []
        unreadable: list[Unreadable] = []
        for row in data.get("data") or []:
            # Which field links the two is not confirmed; a transaction without it shows as a sum that differs.
            if row.get("entitySourceType") != "invoice":
                continue
            try:
                payments.append(self._payment(row))
            except Garbage as garbage:
                unreadable.append(Unreadable(_text(row, "_id"), "", garbage.field, garbage.reason))
        total = data.get("totalCount")
        return Page(payments, int(total) if isinstance(total, int | Decimal) else None, unreadable)

    def _payment(self, row: Mapping[str, Any]) -> Payment:
        method = row.get("paymentMethod")
        kind = _text(method, "type") if isinstance(method, dict) else ""
        return Payment(
            source_id=_text(row, "_id") or _garbage("_id", "is missing"),
            invoice_id=_text(row, "entitySourceId"),
            amount=_amount(row, "amount"),
            currency=_text(row, "currency").upper(),
            paid_on=self._day(row, "fulfilledAt") or self._day(row, "createdAt"),
            status=_text(row, "status"),
            refunded=_amount(row, "amountRefunded", ZERO),
            live=row.get("liveMode") is not False,
            method=kind or _text(row, "paymentProviderType"),
        )

    def invoice(self, row: Mapping[str, Any]) -> Invoice | Unreadable:
        """One invoice, or why it cannot be read."""
        try:
            return self._invoice(row)
        except Garbage as garbage:
            return Unreadable(_text(row, "_id"), number(row), garbage.field, garbage.reason)

    def _invoice(self, row: Mapping[str, Any]) -> Invoice:
        total = _amount(row, "total")
        paid = _amount(row, "amountPaid", ZERO)
        lines = row.get("invoiceItems")
        if not isinstance(lines, list):
            raise Garbage("invoiceItems", "is no list")
        return Invoice(
            source_id=_text(row, "_id") or _garbage("_id", "is missing"),
            number=number(row),
            status=_status(row),
            # A test invoice says so; one that says nothing was made with the API's default, which is live.
            live=row.get("liveMode") is not False,
            customer=_customer(row.get("contactDetails") or {}),
            currency=_text(row, "currency").upper(),
            issue_date=self._day(row, "issueDate"),
            due_date=self._day(row, "dueDate"),
            lines=tuple([self._line(line, place) for place, line in enumerate(lines, 1)]),
            total=total,
            discount=_discount(row.get("discount")),
            name=_text(row, "name"),
            amount_paid=paid,
            amount_due=_amount(row, "amountDue", total - paid),
            tax=_tax_total(row.get("totalSummary")),
            extras=_paid_beside(row.get("miscellaneousCharges")),
            late_fees=_has_late_fees(row),
        )

    def _line(self, line: Any, place: int) -> LineItem:
        try:
            taxes = line.get("taxes")
            return LineItem(
                _text(line, "name"),
                _amount(line, "qty"),
                _amount(line, "amount"),
                tuple([self._tax(tax) for tax in taxes]) if taxes else (),
                line.get("taxInclusive") is True,
                _text(line, "description"),
                _text(line, "productId"),
            )
        except Garbage as garbage:
            raise Garbage(f"invoiceItems[{place}].{garbage.field}", garbage.reason) from None
        except (AttributeError, TypeError):
            raise Garbage(f"invoiceItems[{place}]", "is no line") from None

    def _tax(self, tax: Mapping[str, Any]) -> Tax:
        key = (tax.get("_id"), tax.get("name"), tax.get("rate"), tax.get("calculation"))
        known = self._taxes.get(key)
        if known is None:
            known = self._taxes[key] = _read_tax(tax)
        return known

    def _day(self, row: Mapping[str, Any], name: str) -> date | None:
        """A date of the location: bare, or the instant of its local midnight or end of day."""
        written = row.get(name)
        if not written:
            return None
        if not isinstance(written, str):
            return _garbage(name, f"is no date: {str(written)[:40]}")
        day = self._days.get(written)
        if day is None:
            day = self._days[written] = self._read_day(name, written)
        return day

    def _read_day(self, name: str, written: str) -> date:
        try:
            if len(written) == 10:
                return date.fromisoformat(written)
            moment = datetime.fromisoformat(written)
            if moment.tzinfo is None:
                return moment.date()
            if self._zone:
                return moment.astimezone(self._zone).date()
        except (OverflowError, ValueError):
            return _garbage(name, f"is no date: {written[:40]}")
        return _garbage(name, "is an instant, and the location's time zone is not known")


def number(row: Mapping[str, Any]) -> str:
    """The invoice's number as a text, its prefix put before it unless it is there already; outer blanks are none of it.

    Nobody says whether Xero keeps them, nor whether its look-up by number does.
    """
    written, prefix = _text(row, "invoiceNumber").strip(), _text(row, "invoiceNumberPrefix").lstrip()
    return written if not written or written.startswith(prefix) else f"{prefix}{written}"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):  # unknown, unreadable, malformed
        return None


def _status(row: Mapping[str, Any]) -> Status:
    try:
        return Status(_text(row, "status"))
    except ValueError:
        return _garbage("status", f"is not known: {_text(row, 'status')[:40]!r}")


def _customer(found: Any) -> Customer:
    if not isinstance(found, dict):
        return _garbage("contactDetails", "is no object")
    return Customer(
        id=_text(found, "id"),
        name=_text(found, "name"),
        email=_text(found, "email"),
        company=_text(found, "companyName"),
        phone=_text(found, "phoneNo"),
    )


def _discount(found: Any) -> Discount | None:
    if not found:
        return None
    if not isinstance(found, dict):
        return _garbage("discount", "is no object")
    value = _amount(found, "value", ZERO, "discount.value")
    if not value:
        return None
    kind = found.get("type")
    if kind not in ("percentage", "fixed"):
        return _garbage("discount.type", f"is not known: {str(kind)[:40]!r}")
    return Discount(kind == "percentage", value, _product_ids(found.get("validOnProductIds")))


def _product_ids(found: Any) -> tuple[str, ...]:
    """Product ids from a list, or from the text of a list that the specification's example shows."""
    if isinstance(found, str):
        found = [part.strip(" '\"") for part in found.strip(" []").split(",")]
    if found is not None and not isinstance(found, list):
        return _garbage("discount.validOnProductIds", "is no list")
    return tuple(str(part) for part in found or [] if part)


def _read_tax(tax: Mapping[str, Any]) -> Tax:
    calculation = tax.get("calculation") or "exclusive"
    if calculation not in ("exclusive", "compound"):
        return _garbage("taxes.calculation", f"is not known: {str(calculation)[:40]!r}")
    return Tax(
        _text(tax, "_id"), _text(tax, "name"), _amount(tax, "rate", field="taxes.rate"), calculation == "compound"
    )


def _tax_total(summary: Any) -> Decimal | None:
    if not isinstance(summary, dict) or summary.get("tax") is None:
        return None
    return _amount(summary, "tax", field="totalSummary.tax")


def _paid_beside(charges: Any) -> Decimal:
    """Processing fees and the like that came in with payments: one by one, else their sum."""
    if not isinstance(charges, dict):
        return ZERO
    paid = charges.get("paidCharges")
    if not isinstance(paid, list) or not paid:
        return _amount(charges, "collectedMiscellaneousCharges", ZERO, "miscellaneousCharges")
    return sum((_amount(one, "amount", ZERO, "paidCharges.amount") for one in paid if isinstance(one, dict)), ZERO)


def _has_late_fees(row: Mapping[str, Any]) -> bool:
    """Whether late fees are switched on, or were charged; what tells of a charged one is not published."""
    configured = row.get(_LATE_FEES)
    if isinstance(configured, dict) and (configured.get("enable") is True or configured.get("enabled") is True):
        return True
    return any(row[name] for name in row if name.startswith("lateFee") and name != _LATE_FEES)


def _amount(found: Mapping[str, Any], name: str, missing: Decimal | None = None, field: str = "") -> Decimal:
    """A number, written as a number or as a text; `missing` stands for one that is not there."""
    value = found.get(name)
    kind = type(value)
    if kind is Decimal:
        return value  # type: ignore[return-value]  # because: `kind` says it
    if kind is int:
        return _whole(value)
    if value is None or value == "":
        return _garbage(field or name, "is missing") if missing is None else missing
    return _parsed(value, field or name)


@lru_cache(4096)
def _whole(value: int) -> Decimal:
    return Decimal(value)


def _parsed(value: Any, field: str) -> Decimal:
    try:
        amount = Decimal(value.strip())
    except (AttributeError, InvalidOperation):
        return _garbage(field, f"is no number: {str(value)[:40]!r}")
    return amount if amount.is_finite() else _garbage(field, "is no finite number")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _garbage(field: str, reason: str) -> NoReturn:
    raise Garbage(field, reason)
