"""CrocoClick's invoices: list, get, create, update, delete, send, void, record a payment, numbers and settings."""

import json
from typing import Any

from sandbox.crococlick import payments
from sandbox.crococlick.arithmetic import decimal, number, totals
from sandbox.crococlick.checks import complaints, require
from sandbox.crococlick.errors import Refusal, invalid
from sandbox.crococlick.records import COMPANY_ID, Invoice, Location, hex_id, local_instant
from sandbox.crococlick.shapes import (
    ALT,
    CREATE_RULES,
    LIST_RULES,
    SEND_RULES,
    UPDATE_RULES,
    content_complaints,
)
from sandbox.wire import Call, Reply, dumps, json_reply

STATUSES = ("draft", "sent", "payment_processing", "paid", "void", "partially_paid")
KEPT = (
    "termsNotes", "sentTo", "paymentSchedule", "tipsConfiguration", "lateFeesConfiguration", "miscellaneousCharges",
    "attachments",
)  # fmt: skip
NOT_FOUND = "Unable to find an invoice with the given invoice id"
VOID_DRAFT = "Can not void draft invoice. You can delete draft invoice!"
VOID_PAID = (
    "To void an invoice which has received payment through the payment provider, "
    "the corresponding transaction needs to be refunded first"
)
DELETE_NOT_DRAFT = "Invoice status need to be draft to delete an invoice"


# -- showing ------------------------------------------------------------------------------------------------------


def shown(location: Location, invoice: Invoice) -> str:
    """An invoice as JSON, its head kept until it changes."""
    if not invoice.head:
        invoice.head = dumps(head(location, invoice.doc))
    return f'{invoice.head[:-1]},"invoiceItems":{invoice.items}}}'


def head(location: Location, doc: dict[str, Any]) -> dict[str, Any]:
    """The head with dates and variations as the switches want them."""
    switches, view = location.switches, dict(doc)
    if switches.dates == "instants":
        if doc["issueDate"]:
            view["issueDate"] = local_instant(doc["issueDate"], location.zone)
        if doc.get("dueDate"):
            view["dueDate"] = local_instant(doc["dueDate"], location.zone, end=True)
    if switches.number_type == "number" and str(doc["invoiceNumber"]).isdigit():
        view["invoiceNumber"] = int(doc["invoiceNumber"])
    if switches.business_address == "string" and isinstance(doc["businessDetails"].get("address"), dict):
        address = ", ".join(str(v) for v in doc["businessDetails"]["address"].values())
        view["businessDetails"] = doc["businessDetails"] | {"address": address}
    for name in switches.omit:
        outer, _, inner = name.partition(".")
        if inner and isinstance(view.get(outer), dict):
            view[outer] = {k: v for k, v in view[outer].items() if k != inner}
        elif not inner:
            view.pop(outer, None)
    return view


def one(location: Location, invoice: Invoice) -> Reply:
    """A flat invoice."""
    return Reply(200, shown(location, invoice).encode())


# -- reading ------------------------------------------------------------------------------------------------------


def find(location: Location, id_: str) -> Invoice:
    """An invoice by id."""
    invoice = location.invoices.get(id_)
    if invoice is None:
        raise Refusal(400, NOT_FOUND)
    return invoice


def listing(location: Location, call: Call) -> Reply:
    """GET /invoices/."""
    query = call.query
    require(query, LIST_RULES)
    limit, offset = bounds(query, location.switches.list_limit_max)
    chosen = [i for i in location.newest_first() if wanted(i.doc, query)] if narrows(query) else location.newest_first()
    if query.get("sortOrder") == "ascend":
        chosen = chosen[::-1]
    rows = ",".join([shown(location, i) for i in chosen[offset : offset + limit]])
    return Reply(200, f'{{"invoices":[{rows}],"total":{len(chosen)}}}'.encode())


def bounds(query: dict[str, str], most: int) -> tuple[int, int]:
    """Limit and offset, which travel as text."""
    found = [f"{name} must be a number string" for name in ("limit", "offset") if not query[name].isdigit()]
    if not found and not 1 <= int(query["limit"]) <= most:
        found.append(
            f"limit must not be greater than {most}" if int(query["limit"]) else "limit must not be less than 1"
        )
    if found:
        raise invalid(found)
    return int(query["limit"]), int(query["offset"])


def narrows(query: dict[str, str]) -> bool:
    """Whether any filter is set."""
    return any(query.get(k) for k in ("status", "startAt", "endAt", "search", "paymentMode", "contactId"))


def wanted(doc: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether an invoice passes the filters; the date filters look at the issue date."""
    contact = doc["contactDetails"]
    mode = query.get("paymentMode", "default")
    if query.get("status") and doc["status"] != query["status"]:
        return False
    if query.get("contactId") and contact.get("id") != query["contactId"]:
        return False
    if query.get("startAt") and doc["issueDate"] < query["startAt"][:10]:
        return False
    if query.get("endAt") and doc["issueDate"] > query["endAt"][:10]:
        return False
    if mode in ("live", "test") and doc["liveMode"] != (mode == "live"):
        return False
    term = query.get("search", "").lower()
    texts = (
        doc["_id"],
        doc["invoiceNumber"],
        doc["name"],
        contact.get("name"),
        contact.get("email"),
        contact.get("phoneNo"),
    )
    return not term or any(term in str(t or "").lower() for t in texts)


# -- writing ------------------------------------------------------------------------------------------------------


def create(location: Location, call: Call) -> Reply:
    """POST /invoices/."""
    body = call_body(call)
    found = complaints(body, CREATE_RULES) + content_complaints(body, "items")
    if found:
        raise invalid(found)
    return one(location, make(location, body, body["items"]))


def call_body(call: Call) -> dict[str, Any]:
    """The JSON object of a request; figures keep their digits."""
    try:
        body = json.loads(call.body or b"{}", parse_float=ExactFloat)
    except ValueError:
        raise Refusal(400, "Unexpected token in JSON", named=True) from None
    if not isinstance(body, dict):
        raise invalid(["the body must be an object"])
    return body


class ExactFloat(float):
    """A float that remembers how it was written."""

    def __new__(cls, text: str) -> "ExactFloat":
        """Read a number."""
        made = super().__new__(cls, text)
        made.text = text  # type: ignore[attr-defined]  # because: kept beside the fields
        return made

    def __str__(self) -> str:
        """The digits as they were sent."""
        return str(self.text)  # type: ignore[attr-defined]  # because: kept beside the fields


def make(location: Location, body: dict[str, Any], items: list[dict[str, Any]], id_: str = "") -> Invoice:
    """A new draft; the server alone works out the totals."""
    now, id_ = location.now(), id_ or hex_id()
    doc: dict[str, Any] = {
        "_id": id_,
        "status": "draft",
        "liveMode": body.get("liveMode", True),
        "amountPaid": 0,
        "altId": location.id,
        "altType": "location",
        "companyId": COMPANY_ID,
        "name": body["name"],
        "title": body.get("title", "FACTURE"),
        "businessDetails": body.get("businessDetails") or location.profile["_business"],
        "invoiceNumber": new_number(location, body),
        "currency": body["currency"],
        "contactDetails": body["contactDetails"],
        "issueDate": body["issueDate"],
        "dueDate": body.get("dueDate"),
        "discount": body.get("discount") or {"type": "percentage", "value": 0},
    }
    doc |= {k: body[k] for k in KEPT if k in body}
    doc |= {"automaticTaxesEnabled": body.get("automaticTaxesEnabled", False), "automaticTaxesCalculated": False}
    doc |= {"configuration": {"precision": 4}, "createdAt": now, "updatedAt": now, "__v": 0}
    if doc["dueDate"] is None:
        del doc["dueDate"]
    invoice = Invoice(id_, doc, "[]")
    reckon(location, invoice, items)
    location.keep_invoice(invoice)
    return invoice


def new_number(location: Location, body: dict[str, Any]) -> str:
    """The number as typed, or the next one; either way the prefix leads."""
    typed = body.get("invoiceNumber")
    prefix = body.get("invoiceNumberPrefix", "")
    if typed not in (None, ""):
        return f"{prefix}{typed}"
    value = location.next_number
    location.next_number += 1
    location.keep_profile()
    return f"{prefix}{value:06d}" if prefix else str(value)


def reckon(location: Location, invoice: Invoice, items: list[dict[str, Any]]) -> None:
    """Keep the lines and work out the totals."""
    doc = invoice.doc
    sums = totals(items, doc.get("discount"), location.switches.rounding)
    extra = decimal(doc.get("lateFeesCharged", 0))
    lines = [{"taxes": [], **item, "_id": item.get("_id") or hex_id()} for item in items]
    invoice.items = dumps(lines)
    doc["total"] = number(sums.total + extra)
    doc["amountDue"] = number(sums.total + extra - decimal(doc["amountPaid"]))
    doc["totalSummary"] = {
        "subTotal": number(sums.subtotal),
        "discount": number(sums.discount),
        "tax": number(sums.tax),
    }


def update(location: Location, call: Call, id_: str) -> Reply:
    """PUT /invoices/{id}: lines are called invoiceItems here."""
    invoice, body = find(location, id_), call_body(call)
    found = complaints(body, UPDATE_RULES) + content_complaints(body, "invoiceItems")
    if found:
        raise invalid(found)
    if invoice.doc["status"] in ("paid", "void"):
        raise Refusal(400, f"Sandbox: an invoice that is {invoice.doc['status']} cannot be edited")
    change(location, invoice, body)
    return one(location, invoice)


def change(location: Location, invoice: Invoice, body: dict[str, Any]) -> None:
    """Put new fields over an invoice and work it out again."""
    items = body.get("invoiceItems", body.get("items"))
    plain = {k: v for k, v in body.items() if k not in ("invoiceItems", "items", "altId", "altType", "contactId")}
    invoice.doc |= plain
    if body.get("invoiceNumber") and body.get("invoiceNumberPrefix"):
        invoice.doc["invoiceNumber"] = f"{body['invoiceNumberPrefix']}{body['invoiceNumber']}"
    reckon(location, invoice, json.loads(invoice.items, parse_float=ExactFloat) if items is None else items)
    location.touch(invoice)


def delete(location: Location, call: Call, id_: str) -> Reply:
    """DELETE /invoices/{id}: drafts only; where it looks for the location is a switch."""
    require(call.query if location.switches.delete_ids == "query" else call_body(call), ALT)
    invoice = find(location, id_)
    if invoice.doc["status"] != "draft":
        raise Refusal(400, DELETE_NOT_DRAFT)
    location.drop_invoice(invoice)
    return one(location, invoice)


def void(location: Location, call: Call, id_: str) -> Reply:
    """POST /invoices/{id}/void."""
    require(call_body(call), ALT)
    invoice = find(location, id_)
    status = invoice.doc["status"]
    if status == "draft":
        raise Refusal(400, VOID_DRAFT)
    if payments.received(location, invoice.id, by_provider=True):
        raise Refusal(400, VOID_PAID)
    invoice.doc["status"] = "void"
    location.touch(invoice)
    return one(location, invoice)


def send(location: Location, call: Call, id_: str) -> Reply:
    """POST /invoices/{id}/send."""
    body = call_body(call)
    require(body, SEND_RULES)
    invoice = find(location, id_)
    if body["action"] != "send_manually":
        location.messages.append({"invoice": id_, "action": body["action"], "to": invoice.doc["contactDetails"]})
    if invoice.doc["status"] == "draft":
        invoice.doc["status"] = "sent"
        invoice.doc["liveMode"] = body["liveMode"]
        location.touch(invoice)
    return Reply(200, f'{{"invoice":{shown(location, invoice)},"smsData":{{}},"emailData":{{}}}}'.encode())


def record_payment(location: Location, call: Call, id_: str) -> Reply:
    """POST /invoices/{id}/record-payment."""
    body = call_body(call)
    require(body, payments.RECORD_RULES)
    invoice = find(location, id_)
    payments.record(location, invoice, body)
    return Reply(200, f'{{"success":true,"invoice":{shown(location, invoice)}}}'.encode())


def next_number(location: Location) -> Reply:
    """GET /invoices/generate-invoice-number."""
    return json_reply({"invoiceNumber": location.next_number})


def settings(location: Location) -> Reply:
    """GET /invoices/settings."""
    return json_reply(
        {
            "title": "FACTURE",
            "termsNote": "<p>Paiement à réception.</p>",
            "invoiceNumberPrefix": "FAC-",
            "dueAfterXDays": 30,
            "minimumPercentagePartialPayment": 0,
            "tipsConfiguration": {"tipsEnabled": False, "tipsPercentage": []},
            "lateFeesConfiguration": {"enable": False},
            "productSettings": {"priceOverride": True},
            "businessDetails": location.profile["_business"],
        }
    )
