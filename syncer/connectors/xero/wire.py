"""Xero's requests to build and answers to read; no I/O.

Where a rule is Xero's, its page is named: developer.xero.com/documentation/api/accounting/{invoices, contacts,
taxrates, payments, creditnotes, requests-and-responses, responsecodes}, …/guides/oauth2/limits,
…/guides/idempotent-requests/idempotency.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from syncer.connectors.http import Request, Response, retry_after_s
from syncer.connectors.xero.fields import Garbled, count, shown, whole
from syncer.domain.errors import InDoubt, NeedsPerson, RateLimited, Reconnect, SyncerError, Unavailable
from syncer.domain.matching.invoice_contacts import NewContact
from syncer.domain.model.books import Amendment, Document, DocumentLine, NewTaxRate
from syncer.domain.model.money import text
from syncer.domain.model.payment import NewPayment
from syncer.domain.ports import Refused

T = TypeVar("T")

API = "/api.xro/2.0"
PAGE_SIZE = 1000
IDS = 40  # ids in one look-up: 50 of them make a query of 2,011 characters, 53 are refused
# A query is counted as it leaves, percent-encoded: Xero answers 404 from 2,049 characters on (Xero-OpenAPI#534).
QUERY_CHARS = 1500
TOO_LONG = (404, 414)  # what a list look-up is answered where its query is too long all the same
UNAVAILABLE = "xero_unavailable"
NOT_PERMITTED = "you are not permitted to access this resource"  # plain text of Xero's own
NO_REASON = "Xero gave no reason."
WHOLE = "Xero refused the request as a whole"

_WRITE = (("summarizeErrors", "false"),)
_FOUR_DECIMALS = (("unitdp", "4"),)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class NumberPart:
    """One look-up by number: the parameter, and what it lists."""

    by: str
    separator: str
    terms: tuple[str, ...]

    def halves(self) -> tuple["NumberPart", ...]:
        """Two look-ups in place of one that is too long; none where it asks for one number alone."""
        middle = len(self.terms) // 2
        return tuple(replace(self, terms=part) for part in (self.terms[:middle], self.terms[middle:])) if middle else ()


# --- requests ---------------------------------------------------------------------------------------------------


def headers(tenant_id: str) -> dict[str, str]:
    """What every accounting call carries; without Accept Xero answers XML ("requests-and-responses")."""
    return {"Xero-Tenant-Id": tenant_id, "Accept": "application/json", "Content-Type": "application/json"}


def get(resource: str, *query: tuple[str, str]) -> Request:
    """A read of a whole, unpaged resource, such as `Accounts`."""
    return Request("GET", f"{API}/{resource}", query)


def get_contacts(page: int, since: datetime | None = None) -> Request:
    """A page of contacts, archived ones too.

    Ordered by id: while the list is read, a new contact can then repeat a neighbour but never hide one.
    """
    query = (("includeArchived", "true"), *_page(page, "ContactID ASC"))
    return Request("GET", f"{API}/Contacts", query, _modified_since(since))


def get_invoice_heads(page: int, since: datetime | None = None) -> Request:
    """A page of sales invoices without their lines (`summaryOnly` leaves out lines and payments, not Url)."""
    query = (("where", 'Type=="ACCREC"'), ("summaryOnly", "true"), *_page(page, "InvoiceID ASC"))
    return Request("GET", f"{API}/Invoices", query, _modified_since(since))


def get_invoices_numbered(numbers: Sequence[str]) -> list[Request]:
    """Look-ups by number, whatever the status; one for up to 50 plain numbers of ordinary length."""
    return [get_invoices_like(part) for part in number_parts(numbers)]


def get_invoices_like(part: NumberPart) -> Request:
    """One look-up of `number_parts`."""
    query = (part.by, part.separator.join(part.terms)), ("page", "1"), ("pageSize", str(PAGE_SIZE))
    return Request("GET", f"{API}/Invoices", query)


def get_invoices_with_ids(ids: Sequence[str]) -> Request:
    """The heads of up to `IDS` invoices, whatever their status."""
    query = (("IDs", ",".join(ids)), ("summaryOnly", "true"), *_page(1, "InvoiceID ASC"))
    return Request("GET", f"{API}/Invoices", query)


def get_invoices_with_payments(ids: Sequence[str]) -> Request:
    """Up to 40 invoices with their payments, whatever their status: a paged list shows them whole ("invoices").

    Xero's query ends at about 2,048 characters, encoded: 50 ids would come near to that.
    """
    return Request("GET", f"{API}/Invoices", (("IDs", ",".join(ids)), *_page(1, "InvoiceID ASC")))


def get_invoice(invoice_id: str) -> Request:
    """One invoice with its lines and payments."""
    return Request("GET", f"{API}/Invoices/{invoice_id}", _FOUR_DECIMALS)


def get_payments(page: int, since: datetime) -> Request:
    """A page of payments changed since ("payments")."""
    return Request("GET", f"{API}/Payments", _page(page, "PaymentID ASC"), _modified_since(since))


def get_sales(page: int, first: date | None, last: date | None) -> Request:
    """A page of the whole sales invoices of these days, with their lines and payments, whatever their status.

    Those of archived contacts are shown only where `includeArchived` asks for them ("invoices").
    """
    query = (
        ("where", _within('Type=="ACCREC"', first, last)),
        ("includeArchived", "true"),
        *_page(page, "InvoiceID ASC"),
    )
    return Request("GET", f"{API}/Invoices", query)


def get_credit_notes(page: int, first: date | None) -> Request:
    """A page of customers' credit notes dated on this day or later, with their lines ("creditnotes")."""
    query = (("where", _within('Type=="ACCRECCREDIT"', first, None)), *_page(page, "CreditNoteID ASC"))
    return Request("GET", f"{API}/CreditNotes", query)


def get_payments_dated(page: int, first: date | None, last: date | None) -> Request:
    """A page of the payments of these days, deleted ones too, those of bills too ("payments")."""
    clause = _within("", first, last)
    query = (*((("where", clause),) if clause else ()), *_page(page, "PaymentID ASC"))
    return Request("GET", f"{API}/Payments", query)


def _within(clause: str, first: date | None, last: date | None) -> str:
    """A `where` for the days from `first` to `last`, both included ("requests-and-responses")."""
    ends = ((">=", first), ("<=", last))
    days = [f"Date {than} DateTime({day.year}, {day.month:02}, {day.day:02})" for than, day in ends if day]
    return " AND ".join([*([clause] if clause else []), *days])


def get_connections() -> Request:
    """The tenants that the consent reaches."""
    return Request("GET", "/connections")


def delete_connection(connection_id: str) -> Request:
    """Disconnect one organisation, leaving the consent's others alone."""
    return Request("DELETE", f"/connections/{connection_id}")


def put_contacts(contacts: Sequence[NewContact], *, call_id: str, key: str) -> Request:
    """Create contacts; PUT never updates one that exists ("contacts")."""
    return _write("PUT", "Contacts", [_contact(contact) for contact in contacts], call_id=call_id, key=key)


def put_invoices(documents: Sequence[Document], *, call_id: str, key: str) -> Request:
    """Create invoices; PUT refuses a number that is taken, where POST would overwrite its owner ("invoices")."""
    elements = [_document(document) for document in documents]
    return _write("PUT", "Invoices", elements, call_id=call_id, key=key, extra=_FOUR_DECIMALS)


def post_invoices(documents: Sequence[tuple[str, Document]], *, call_id: str, key: str) -> Request:
    """Replace the content of invoices: lines without a LineItemID are new, those not sent are deleted ("invoices")."""
    elements = [{"InvoiceID": id, **_document(document, emptied="")} for id, document in documents]
    return _write("POST", "Invoices", elements, call_id=call_id, key=key, extra=_FOUR_DECIMALS)


def post_status(invoice_ids: Sequence[str], status: str, *, call_id: str, key: str) -> Request:
    """Void approved invoices (VOIDED) or delete drafts (DELETED): ids and status only, so that nothing else moves."""
    elements = [{"InvoiceID": id, "Status": status} for id in invoice_ids]
    return _write("POST", "Invoices", elements, call_id=call_id, key=key)


def put_payments(payments: Sequence[NewPayment], *, call_id: str, key: str) -> Request:
    """Record payments; a payment has no natural key, so its Reference carries our mark."""
    return _write("PUT", "Payments", [_payment(payment) for payment in payments], call_id=call_id, key=key)


def post_amendments(amendments: Sequence[Amendment], *, call_id: str, key: str) -> Request:
    """Change what Xero lets change on invoices with payments: nothing else is sent ("invoices")."""
    return _write("POST", "Invoices", [_amendment(one) for one in amendments], call_id=call_id, key=key)


def delete_payment(payment_id: str, *, call_id: str, key: str) -> Request:
    """Take one payment off its invoice: POST with Status DELETED, nothing else of a payment can change ("payments")."""
    body = dumps({"Status": "DELETED"}).encode()
    return Request("POST", f"{API}/Payments/{payment_id}", body=body, key=key, call_id=call_id)


def put_tax_rate(rate: NewTaxRate, *, call_id: str, key: str) -> Request:
    """Create a tax rate; POST has changed another one of a like name (xero-php PR 872)."""
    parts = [{"Name": one.name, "Rate": one.rate, "IsCompound": one.compound} for one in rate.components]
    report = {"ReportTaxType": rate.report_type} if rate.report_type else {}
    return _single("PUT", "TaxRates", {"Name": rate.name, "TaxComponents": parts, **report}, call_id=call_id, key=key)


def put_currency(code: str, *, call_id: str, key: str) -> Request:
    """Enable a currency; the body is the bare object ("currencies")."""
    body = dumps({"Code": code}).encode()
    return Request("PUT", f"{API}/Currencies", body=body, key=key, call_id=call_id)


def get_contacts_with_ids(ids: Sequence[str]) -> Request:
    """Contacts by id, archived ones too; ids that are unknown are left out of the answer ("contacts")."""
    query = (("IDs", ",".join(ids)), ("includeArchived", "true"), *_page(1, "ContactID ASC"))
    return Request("GET", f"{API}/Contacts", query)


def document_size(document: Document) -> int:
    """How many bytes the document adds to a batch, which Xero advises to keep below 3.5 MB (its limits page)."""
    return len(dumps(_document(document)).encode()) + 1


def dumps(value: Any) -> str:
    """JSON whose numbers are the Decimal's own digits, no float on the way, and whose texts are valid UTF-8."""
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{dumps(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    return json.dumps(whole(value) if isinstance(value, str) else value, ensure_ascii=False)


def _write(
    method: str, resource: str, elements: list[Any], *, call_id: str, key: str, extra: tuple[tuple[str, str], ...] = ()
) -> Request:
    body = dumps({resource: elements}).encode()
    return Request(method, f"{API}/{resource}", (*_WRITE, *extra), body=body, key=key, call_id=call_id)


def _single(method: str, resource: str, element: dict[str, Any], *, call_id: str, key: str) -> Request:
    """A write of one element, which settings take one at a time."""
    return Request(method, f"{API}/{resource}", body=dumps({resource: [element]}).encode(), key=key, call_id=call_id)


def _page(page: int, order: str) -> tuple[tuple[str, str], ...]:
    return (("page", str(page)), ("pageSize", str(PAGE_SIZE)), ("order", order))


def _modified_since(since: datetime | None) -> dict[str, str]:
    # One-second precision ("requests-and-responses"); cutting the fraction off only repeats a little.
    return {"If-Modified-Since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")} if since else {}


def number_parts(numbers: Sequence[str]) -> list[NumberPart]:
    """Some numbers, each once, shared out to look-ups that Xero takes.

    `InvoiceNumbers` is a comma list that knows no escape, and nobody says what it does with outer blanks: a number that
    has either is asked for by `where`, and no other is, since each costs three times as much there.
    """
    plain = [number for number in dict.fromkeys(numbers) if _is_plain(number)]
    odd = [_equals(number) for number in dict.fromkeys(numbers) if number and not _is_plain(number)]
    return [
        *(NumberPart("InvoiceNumbers", ",", part) for part in _cut(plain, ",")),
        *(NumberPart("where", " OR ", part) for part in _cut(odd, " OR ")),
    ]


def _is_plain(number: str) -> bool:
    fits = len(quote(number, safe="")) <= QUERY_CHARS
    return bool(number) and "," not in number and number == number.strip() and fits


def _equals(number: str) -> str:
    """The condition for one number; of one too long for any query its beginning: what else begins so comes too."""
    term = f"InvoiceNumber=={json.dumps(number, ensure_ascii=False)}"
    if len(quote(term, safe="")) <= QUERY_CHARS:
        return term
    beginning = number[: QUERY_CHARS // 15]  # a sign takes twelve characters at most, and its escape a few more
    return f"InvoiceNumber.StartsWith({json.dumps(beginning, ensure_ascii=False)})"


def _cut(terms: Sequence[str], separator: str) -> Iterator[tuple[str, ...]]:
    part: list[str] = []
    length = 0
    for term in terms:
        more = len(quote(term, safe="")) + len(quote(separator, safe=""))
        if part and length + more > QUERY_CHARS:
            yield tuple(part)
            part, length = [], 0
        part.append(term)
        length += more
    if part:
        yield tuple(part)


def _contact(contact: NewContact) -> dict[str, Any]:
    phones = [{"PhoneType": "DEFAULT", "PhoneNumber": contact.phone}] if contact.phone else []
    optional = {"EmailAddress": contact.email, "ContactNumber": contact.number, "Phones": phones}
    return {"Name": contact.name, **{name: value for name, value in optional.items() if value}}


def _document(document: Document, emptied: str | None = None) -> dict[str, Any]:
    """The invoice's JSON; a text we have not is left out, or sent as `emptied` where an old one must go."""
    optional = {"Reference": document.reference or emptied, "Url": document.url or None}
    return {
        "Type": "ACCREC",
        "InvoiceNumber": document.number,
        "Contact": {"ContactID": document.contact_id},
        "Date": document.issue_date.isoformat(),
        **({"DueDate": document.due_date.isoformat()} if document.due_date else {}),
        "CurrencyCode": document.currency,
        "LineAmountTypes": "Inclusive" if document.inclusive else "Exclusive",
        **{name: value for name, value in optional.items() if value is not None},
        "Status": document.status,
        # Only ever set: sending false would take back what a person has set in Xero.
        **({"SentToContact": True} if document.sent_to_contact else {}),
        "LineItems": [_line(line) | _tracking(document) for line in document.lines],
    }


def _amendment(one: Amendment) -> dict[str, Any]:
    due = {"DueDate": one.due_date.isoformat()} if one.due_date else {}
    whose = {"Contact": {"ContactID": one.contact_id}} if one.contact_id else {}
    reference = {} if one.reference is None else {"Reference": one.reference}
    return {"InvoiceID": one.xero_id, "InvoiceNumber": one.number, **whose, **due, **reference}


def _line(line: DocumentLine) -> dict[str, Any]:
    return {
        "Description": line.description,
        "Quantity": line.quantity,
        "UnitAmount": line.unit_amount,
        **_account(line.account, "AccountID", "AccountCode"),
        **({"TaxType": line.tax_type} if line.tax_type else {}),
        # A discount of 0 on a negative line is refused (XeroAPI/Xero-OpenAPI#429).
        **({"DiscountAmount": line.discount} if line.discount else {}),
        **({} if line.tax_amount is None else {"TaxAmount": line.tax_amount}),
    }


def _tracking(document: Document) -> dict[str, Any]:
    """The options that every line carries, by name ("invoices")."""
    if not document.tracking:
        return {}
    return {"Tracking": [{"Name": category, "Option": option} for category, option in document.tracking]}


def _account(account: str, by_id: str, by_code: str) -> dict[str, str]:
    """Bank accounts may have no code; lines take an AccountID since December 2023 (xero-php-oauth2 PR 906)."""
    return {by_id if _GUID.fullmatch(account) else by_code: account} if account else {}


def _payment(payment: NewPayment) -> dict[str, Any]:
    return {
        "Invoice": {"InvoiceID": payment.invoice_id},
        "Account": _account(payment.account_id, "AccountID", "Code"),
        "Date": payment.paid_on.isoformat(),
        "Amount": payment.amount,
        "Reference": payment.reference,
    }


# --- answers ----------------------------------------------------------------------------------------------------


def decipher(answer: Response, *, writing: bool = False) -> dict[str, Any]:
    """The answer's data, or the error that says what to do next ("responsecodes").

    A 400 of a write, and its 404, come back as data for `results` to read: they are about the elements.
    """
    if answer.status < 300:
        return _envelope(answer, writing)
    if answer.status == 304:
        return {}
    if answer.status in (400, 404) and writing:
        return _refusal(answer)
    raise _FAILURES.get(answer.status, _unclear if answer.status >= 500 else _refused)(answer, writing)


def _refusal(answer: Response) -> dict[str, Any]:
    """The refusal of a write, as Xero words it; raises InDoubt for a 400 that is not in Xero's words.

    Xero's own 400 is always JSON ("responsecodes"); HTML is a proxy's, which says nothing of what was sent.
    """
    body = loads(answer.body)
    if answer.status == 400 and not isinstance(body, dict):
        raise InDoubt(side="xero", status=answer.status, reason="no JSON")
    return {**(body if isinstance(body, dict) else {}), "refused": answer.status}


def expired(answer: Response) -> bool:
    """Whether a newer token may help against this 401: not where a scope is missing."""
    return answer.status == 401 and not _scope_is_missing(answer)


def rate_limit(answer: Response) -> tuple[str, float | None]:
    """Which limit a 429 names (minute, day, concurrent, appminute; "" if none) and its Retry-After in seconds.

    The documents print `appminute` and `app-minute`: hyphens and case do not count.
    """
    named = answer.headers.get("x-rate-limit-problem", "").lower().replace("-", "").strip()
    return named, retry_after_s(answer)


def calls_left(answer: Response) -> tuple[int | None, int | None]:
    """X-MinLimit-Remaining and X-DayLimit-Remaining, None where they are absent or no number."""
    return (
        _count(answer.headers.get("x-minlimit-remaining", "")),
        _count(answer.headers.get("x-daylimit-remaining", "")),
    )


def _envelope(answer: Response, writing: bool) -> dict[str, Any]:
    data = _json_object(answer.body)
    if not data:
        # 200 with no JSON is not Xero speaking; a write may have been executed behind it.
        raise _unclear(answer, writing)
    return data


def _json_object(body: bytes) -> dict[str, Any]:
    data = loads(body)
    return data if isinstance(data, dict) else {}


def loads(body: bytes) -> Any:
    """JSON with its numbers as Decimal; None where it is none."""
    try:
        return json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        return None


def _unclear(answer: Response, writing: bool) -> SyncerError:
    if writing:
        return InDoubt(side="xero", status=answer.status)
    return Unavailable(UNAVAILABLE, side="xero", status=answer.status)


def _refused(answer: Response, writing: bool) -> SyncerError:
    body = _json_object(answer.body)
    said = _said(body, "Message", "Detail") or answer.body[:200].decode("utf-8", "replace")
    return NeedsPerson("rejected_by_xero", status=answer.status, message=said)


def _unauthorised(answer: Response, writing: bool) -> SyncerError:
    if _scope_is_missing(answer):
        return Reconnect("scope_missing", detail=_detail(answer))
    return Reconnect("consent_revoked", detail=_detail(answer))


def _forbidden(answer: Response, writing: bool) -> SyncerError:
    """A role that is too low, or an organisation that is no longer connected; which one, the caller finds out.

    A 403 in neither JSON nor Xero's words comes from a server before Xero, such as Akamai's (xero-ruby#178): it says
    nothing of roles, and what was sent has not reached Xero.
    """
    written = answer.body[:200].decode("utf-8", "replace")
    is_xeros = isinstance(loads(answer.body), dict) or written.lower().startswith(NOT_PERMITTED)
    if not is_xeros:
        return Unavailable(UNAVAILABLE, side="xero", status=answer.status)
    said = _detail(answer) or written
    if "permi" in said.lower() or "role" in said.lower():
        return Reconnect("role_missing", detail=said)
    return Reconnect("wrong_organisation", detail=said)


def _limited(answer: Response, writing: bool) -> SyncerError:
    limit, wait_s = rate_limit(answer)
    return RateLimited(limit or "minute", wait_s, side="xero")


_FAILURES: Mapping[int, Callable[[Response, bool], SyncerError]] = {
    401: _unauthorised,
    403: _forbidden,
    429: _limited,
}


def _detail(answer: Response) -> str:
    body = _json_object(answer.body)
    # The keys of problem documents come in either case.
    return _said(body, "Detail", "detail")


def _said(body: Mapping[str, Any], *names: str) -> str:
    """The first of these texts that is there."""
    return next((whole(value) for name in names if isinstance(value := body.get(name), str) and value), "")


def _scope_is_missing(answer: Response) -> bool:
    # Xero's own spelling lacks an i; both are accepted.
    said = answer.headers.get("www-authenticate", "").lower()
    return (
        "insufficent_scope" in said
        or "insufficient_scope" in said
        or "authorizationunsuccessful" in (_detail(answer).lower())
    )


def _count(value: str) -> int | None:
    return int(value) if value.strip().isdigit() else None


def results(data: Mapping[str, Any], resource: str, count: int, read: Callable[[Any], T]) -> list[T | Refused]:
    """One result per element of a write, in the order sent; raises InDoubt where the answer does not tell.

    HTTP 200 is not success: with `summarizeErrors=false` every element carries its own verdict ("responsecodes").
    """
    if "refused" in data:
        return _refused_whole(data, count)
    found = data.get(resource)
    if not isinstance(found, list) or len(found) != count:
        raise InDoubt(side="xero", reason="elements_missing")
    return [_result(element, read) for element in found]


def elements(data: Mapping[str, Any], resource: str) -> list[Any]:
    """The records of a list; raises Unavailable for an answer without one: absent records are not to be concluded."""
    if not data:
        return []  # 304: nothing new
    found = data.get(resource)
    if isinstance(found, list):
        return found
    if found is None and resource in data:
        return []
    raise Unavailable(UNAVAILABLE, side="xero", reason=f"no {resource} in the answer")


def complaints(element: Any) -> tuple[str, ...]:
    """Every ValidationErrors message of an element and what it contains, outermost first, each once."""
    return tuple(dict.fromkeys(_messages(element, "ValidationErrors")))


def warnings(element: Any) -> tuple[str, ...]:
    """Every Warnings message of an element, each once."""
    return tuple(dict.fromkeys(_messages(element, "Warnings")))


def _refused_whole(data: Mapping[str, Any], count: int) -> list[Any]:
    message = _said(data, "Message", "Detail")
    found = data.get("Elements")
    if "is used with a different request" in message:
        # Something else was sent under this key before: look at what became of it.
        raise InDoubt(side="xero", reason="idempotency_mismatch")
    if not isinstance(found, list) or not found:
        said = message or f"{WHOLE} ({data['refused']}): an id in it is unknown in this organisation"
        return [Refused((said,), whole=True)] * count
    if count > 1:
        # A summarised refusal of several may have saved the good ones (stackoverflow.com/questions/52706101).
        raise InDoubt(side="xero", reason="summarised_refusal")
    return [Refused(complaints(found[0]) or (message or NO_REASON,), warnings(found[0]))]


def _result(element: Any, read: Callable[[Any], T]) -> T | Refused:
    """The verdict on one element; raises InDoubt where it cannot be read: it may have been carried out."""
    if not isinstance(element, dict):
        raise InDoubt(side="xero", reason=f"an element is {shown(element)}")
    said = complaints(element)
    if said or element.get("StatusAttributeString") == "ERROR" or element.get("HasErrors") is True:
        return Refused(said or (NO_REASON,), warnings(element))
    try:
        return read(element)
    except Garbled as garbled:
        raise InDoubt(side="xero", reason=str(garbled)) from garbled


def _messages(element: Any, kind: str) -> Iterator[str]:
    """The messages in everything that an element holds, outermost first, however deep."""
    waiting = [element]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting += reversed(current)
        if isinstance(current, dict):
            yield from _own_messages(current.get(kind))
            inner = [value for name, value in current.items() if name not in ("ValidationErrors", "Warnings")]
            waiting += reversed(inner)


def _own_messages(errors: Any) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else [errors]:
        message = error.get("Message") if isinstance(error, dict) else error
        if isinstance(message, str) and (written := whole(message).strip()):
            yield written


def is_last_page(data: Mapping[str, Any], resource: str, page: int) -> bool:
    """Whether nothing follows: by `pagination.pageCount`, else by a page that is not full; an empty one is the last."""
    found = elements(data, resource)
    pages = _pagination(data, "pageCount")
    if pages is None:
        return len(found) < PAGE_SIZE
    return page >= pages or not found


def item_count(data: Mapping[str, Any]) -> int | None:
    """How many items all pages have together, if the answer says."""
    return _pagination(data, "itemCount")


def _pagination(data: Mapping[str, Any], name: str) -> int | None:
    said = data.get("pagination")
    return count(said, name) if isinstance(said, dict) else None
