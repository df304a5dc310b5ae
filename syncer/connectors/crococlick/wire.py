"""CrocoClick's requests to build and its answers as data or errors; no I/O. It speaks the HighLevel API v2.

What its records mean is read in `records`, one by one.

Sources: GoHighLevel/highlevel-api-docs (apps/invoices.json, apps/locations.json), its issues, and HighLevel's
articles on invoices and discounts (help.gohighlevel.com). What is not published is in docs/assumptions.md.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import quote

from syncer.connectors.crococlick.fields import loose_text, whole_count
from syncer.connectors.http import Request, Response, retry_after_s
from syncer.domain.errors import HaltRun, InDoubt, RateLimited, Reconnect, SyncerError, Unavailable
from syncer.domain.model.invoice import LineItem
from syncer.domain.ports import Location
from syncer.domain.readiness.test_invoice import NewInvoice

VERSION = "2021-07-28"
PAGE_SIZE = 100  # the largest limit that public clients use; the API publishes no bound
UNAVAILABLE = "crococlick_unavailable"
LONGEST_INTEGER = 40  # digits


# --- requests ---------------------------------------------------------------------------------------------------


def headers() -> dict[str, str]:
    """What every call carries; without Version it is refused."""
    return {"Version": VERSION, "Accept": "application/json"}


def get_location(location_id: str) -> Request:
    """The location's profile; its time zone is what every date is read by."""
    return Request("GET", f"/locations/{quote(location_id, safe='')}")


def get_invoices(
    location_id: str,
    offset: int,
    *,
    status: str = "",
    since: date | None = None,
    search: str = "",
    newest_first: bool = False,
    until: date | None = None,
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
    # Which zone the filters are meant in is not published: a day more is asked for.
    start = _day(since, -1)
    end = _day(until, 1)
    filters = (("status", status), ("startAt", start), ("endAt", end), ("search", search))
    query += [(name, value) for name, value in filters if value]
    return Request("GET", "/invoices/", tuple(query), hidden=frozenset({"search"}))


def get_invoice(location_id: str, invoice_id: str) -> Request:
    """One invoice."""
    return Request("GET", f"/invoices/{quote(invoice_id, safe='')}", (("altId", location_id), ("altType", "location")))


def _day(day: date | None, off: int) -> str:
    """So many days later, as a filter takes it; empty where there is no day."""
    return (day + timedelta(days=off)).isoformat() if day else ""


def get_transactions(location_id: str, offset: int, *, since: date | None = None, contact_id: str = "") -> Request:
    """A page of the location's transactions, for invoices and for other things; of one contact, where it is named."""
    query = [("altId", location_id), ("altType", "location"), ("limit", str(PAGE_SIZE)), ("offset", str(offset))]
    query += [(name, value) for name, value in (("startAt", _day(since, -1)), ("contactId", contact_id)) if value]
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
    return _write("POST", f"/invoices/{quote(invoice_id, safe='')}/send", location_id, told)


def post_void(location_id: str, invoice_id: str) -> Request:
    """Void an invoice that was sent; a draft cannot be."""
    return _write("POST", f"/invoices/{quote(invoice_id, safe='')}/void", location_id, {})


def delete_invoice(location_id: str, invoice_id: str) -> Request:
    """Delete a draft: the specification wants the location in the query, its sibling for estimates in the body."""
    return replace(
        _write("DELETE", f"/invoices/{quote(invoice_id, safe='')}", location_id, {}),
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

    A missing scope, a foreign location, a wrong Version and a dead token share the status 401: only the message tells
    them apart (GoHighLevel/highlevel-api-docs#213).
    """
    if answer.status >= 500:
        raise _unclear(answer, writing)
    data = json_object(answer.body)
    if answer.status < 300:
        if data is None:
            raise _unclear(answer, writing)
        return data
    if data is None and _is_an_edges(answer):
        raise _unclear(answer, writing=False)
    raise _failure(answer, said(data or {}))


def is_missing(error: SyncerError) -> bool:
    """Whether the refusal says that there is no such invoice: a 404, or a 400 in words."""
    message = str(error.facts.get("message", "")).lower()
    return error.facts.get("status") == 404 or "unable to find an invoice" in message


def said(body: Mapping[str, Any]) -> str:
    """The message of an error body: a text, a list of texts, or inside `error` (v3)."""
    message = body.get("message")
    if isinstance(message, list):
        return "; ".join(loose_text(part) for part in message)
    error = body.get("error")
    return loose_text(message or (error.get("message") if isinstance(error, Mapping) else error))


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


def json_object(body: bytes) -> dict[str, Any] | None:
    """The object of a body, numbers exact; None where there is none.

    One broken byte or one endless number must not hide the records beside it: both are for the reader of the record.
    """
    try:
        text = body.decode("utf-8-sig", "surrogateescape")
        data = json.loads(text, parse_float=_real, parse_int=_integer, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _real(written: str) -> Decimal | str:
    try:
        return Decimal(written)
    except ArithmeticError:  # an exponent that no computer can hold
        return written


def _integer(written: str) -> int | Decimal:
    # Python refuses to convert thousands of digits, and the whole body with them.
    return int(written) if len(written) <= LONGEST_INTEGER else Decimal(written)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _is_an_edges(answer: Response) -> bool:
    """Whether it is not CrocoClick that refuses, but a machine before it (Cloudflare, Akamai): in text or HTML."""
    return answer.status == 403 or (answer.status not in (401, 429) and bool(answer.body.strip()))


def _unclear(answer: Response, writing: bool) -> SyncerError:
    if writing:
        return InDoubt(side="crococlick", status=answer.status)
    return Unavailable(UNAVAILABLE, side="crococlick", status=answer.status)


def _failure(answer: Response, message: str) -> SyncerError:
    lower = message.lower()
    match answer.status:
        case 401 if "version header" in lower:
            return HaltRun("crococlick_refused", status=401, message=message)
        case 401 if "not accessible" in lower:
            return Reconnect("crococlick_wrong_location", message=message)
        case 401 if "scope" in lower:
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
    wait_s = retry_after_s(answer)
    if day == 0:
        reset_s = daily_reset_s(answer)
        return RateLimited("day", wait_s if reset_s is None else reset_s, side="crococlick")
    return RateLimited("burst", burst(answer)[1] if wait_s is None else wait_s, side="crococlick")


def _count(answer: Response, name: str) -> int | None:
    return whole_count(answer.headers.get(name, ""))


def location(data: Mapping[str, Any]) -> Location:
    """The location; its currency is not in it, only on its invoices."""
    found = _location_of(data)
    business = found.get("business")
    zone = found.get("timezone") or (business.get("timezone") if isinstance(business, dict) else "")
    return Location(loose_text(found.get("id")), loose_text(found.get("name")), loose_text(zone))


def agency_id(data: Mapping[str, Any]) -> str:
    """Who an invoice is sent by where no user is known: `userId` may be an employee's id or the agency's."""
    return loose_text(_location_of(data).get("companyId"))


def _location_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("location")
    return found if isinstance(found, dict) and found else data


def rows(data: Mapping[str, Any], name: str) -> list[Any]:
    """The rows of a page, none where the list is left out; raises Unavailable where something else is in its place."""
    found = data.get(name)
    if found is None or isinstance(found, list):
        return found or []
    raise Unavailable(UNAVAILABLE, side="crococlick", reason=f"{name} is no list")


def row_ids(data: Mapping[str, Any]) -> list[str]:
    """The ids of a page's rows, readable or not, in their order."""
    found = rows(data, "invoices")
    return [loose_text(row.get("_id")) if isinstance(row, dict) else "" for row in found]
