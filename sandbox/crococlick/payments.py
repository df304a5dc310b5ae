"""Payments as CrocoClick shows them: one transaction per payment, one order per paid invoice."""

from typing import Any

from sandbox.crococlick.arithmetic import decimal, number
from sandbox.crococlick.checks import Rules, require
from sandbox.crococlick.errors import Refusal, trace_id
from sandbox.crococlick.records import Invoice, Location, hex_id
from sandbox.wire import Call, Reply, json_reply

RECORD_RULES: Rules = {
    "altId": ("string", True), "altType": (("location",), True),
    "mode": (("cash", "card", "cheque", "bank_transfer", "other"), True), "card": ("object", True),
    "cheque": ("object", True), "notes": ("text", True), "amount": ("number", False), "meta": ("object", False),
    "paymentScheduleIds": ("array", False), "fulfilledAt": ("string", False),
}  # fmt: skip
FILTERS = ("locationId", "paymentMode", "startAt", "endAt", "search", "contactId", "limit", "offset")
LIST_FILTERS = ("entitySourceType", "entitySourceSubType", "subscriptionId", "entityId")
ORDER_FILTERS = ("altType", "status", "paymentStatus", "funnelProductIds", "sourceId")
OPTIONAL = ("string", False)
LIST_RULES: Rules = {"altId": ("string", True), "altType": (("location",), True)}
LIST_RULES |= dict.fromkeys(FILTERS + LIST_FILTERS, OPTIONAL)
ORDER_RULES: Rules = {"altId": ("string", True), **dict.fromkeys(FILTERS + ORDER_FILTERS, OPTIONAL)}
BESIDE = "_beside"  # the sandbox's own note: how much of a transaction is no payment of the invoice
LIST_DROPS = (
    *("entitySource", "contactSnapshot", "receiptId", "markAsTest", "isParent", "paymentProvider", "qboSynced"),
    BESIDE,
)


# -- taking and giving back ---------------------------------------------------------------------------------------


def received(location: Location, invoice_id: str, by_provider: bool = False) -> list[dict[str, Any]]:
    """Payments of an invoice that were not refunded in full."""
    return [
        t
        for t in (location.transactions[id_] for id_ in location.payments_of.get(invoice_id, ()))
        if t["status"] == "succeeded" and (not by_provider or t["paymentProviderType"] != "manual")
    ]


def record(
    location: Location,
    invoice: Invoice,
    body: dict[str, Any],
    provider: str = "manual",
    fee: Any = 0,
    tip: Any = 0,
) -> dict[str, Any]:
    """Take a payment; without an amount, all that is due. A processing fee and a tip come on top of it."""
    doc = invoice.doc
    if doc["status"] == "payment_processing":
        raise Refusal(409, "Sandbox: a payment of this invoice is still pending")
    due = decimal(doc["amountDue"])
    if doc["status"] in ("draft", "void") or due <= 0:
        raise Refusal(400, f"Sandbox: no payment can be recorded, the invoice is {doc['status']}")
    amount = decimal(body["amount"]) if body.get("amount") is not None else due
    if amount <= 0 or amount > due:
        raise Refusal(400, "Sandbox: the amount must be positive and not above the amount due")
    fee, tip = decimal(fee), decimal(tip)
    transaction = new_transaction(location, invoice, amount + fee + tip, body, provider)
    if fee:
        note_fee(doc, fee)
    beside = tip if location.switches.fees_count_as_paid else fee + tip
    location.keep_transaction(transaction | {BESIDE: number(beside)} if beside else transaction)
    settle(location, invoice)
    return transaction


def note_fee(doc: dict[str, Any], fee: Any) -> None:
    """The invoice tells of the fee that was collected with a payment; a tip it does not tell of."""
    charges = doc.get("miscellaneousCharges") or {"charges": [], "collectedMiscellaneousCharges": 0, "paidCharges": []}
    paid = {"_id": hex_id(), "name": "Processing Fee", "charge": number(fee), "amount": number(fee)}
    doc["miscellaneousCharges"] = charges | {
        "collectedMiscellaneousCharges": number(decimal(charges["collectedMiscellaneousCharges"]) + fee),
        "paidCharges": [*charges["paidCharges"], paid],
    }


def settle(location: Location, invoice: Invoice) -> None:
    """Paid, due and status as the payments make them."""
    doc = invoice.doc
    taken = received(location, invoice.id)
    paid = sum((decimal(t["amount"]) - decimal(t.get(BESIDE, 0)) for t in taken), decimal(0))
    doc["amountPaid"] = number(paid)
    doc["amountDue"] = number(max(decimal(doc["total"]) - paid, decimal(0)))
    doc["status"] = "paid" if decimal(doc["amountDue"]) <= 0 else "partially_paid"
    location.touch(invoice)


def new_transaction(
    location: Location, invoice: Invoice, amount: Any, body: dict[str, Any], provider: str
) -> dict[str, Any]:
    """One payment, with its order."""
    doc, now, id_ = invoice.doc, location.now(), hex_id()
    contact, order = doc["contactDetails"], order_for(location, invoice)
    return {
        "_id": id_,
        "altId": location.id,
        "altType": "location",
        "contactId": contact.get("id"),
        "contactName": contact.get("name"),
        "contactEmail": contact.get("email"),
        "contactSnapshot": contact,
        "currency": doc["currency"],
        "amount": number(decimal(amount)),
        "status": "succeeded",
        "liveMode": doc["liveMode"],
        "entityType": "order",
        "entityId": order["_id"],
        "entitySourceType": "invoice",
        "entitySourceSubType": "",
        "entitySourceName": doc["name"],
        "entitySourceId": invoice.id,
        "entitySourceMeta": {"invoiceNumber": doc["invoiceNumber"]},
        "entitySource": {"type": "invoice", "id": invoice.id, "name": doc["name"], "meta": {}},
        "chargeId": "" if provider == "manual" else f"ch_{id_}",
        "chargeSnapshot": {},
        "paymentProviderType": provider,
        "paymentProvider": {"type": provider},
        "paymentMethod": body.get("card") or {"type": body.get("mode", "other")},
        "amountRefunded": 0,
        "receiptId": hex_id(),
        "markAsTest": not doc["liveMode"],
        "isParent": False,
        "qboSynced": False,
        "createdAt": now,
        "updatedAt": now,
        "fulfilledAt": body.get("fulfilledAt") or now,
    }


def order_for(location: Location, invoice: Invoice) -> dict[str, Any]:
    """The invoice's order, made at its first payment."""
    if invoice.id in location.order_of:
        return location.orders[location.order_of[invoice.id]]
    doc, now = invoice.doc, location.now()
    contact = doc["contactDetails"]
    order = {
        "_id": hex_id(),
        "altId": location.id,
        "altType": "location",
        "contactId": contact.get("id"),
        "contactName": contact.get("name"),
        "contactEmail": contact.get("email"),
        "currency": doc["currency"],
        "amount": doc["total"],
        "subtotal": doc["totalSummary"]["subTotal"],
        "discount": doc["totalSummary"]["discount"],
        "status": "completed",
        "liveMode": doc["liveMode"],
        "totalProducts": 1,
        "sourceType": "invoice",
        "sourceName": doc["name"],
        "sourceId": invoice.id,
        "sourceMeta": {},
        "source": {"type": "invoice", "id": invoice.id, "name": doc["name"], "meta": {}},
        "createdAt": now,
        "updatedAt": now,
    }
    location.keep_order(order)
    return order


def refund(location: Location, transaction_id: str, amount: Any = None) -> None:
    """Give money back: only the transaction and its order show it."""
    transaction = location.transactions[transaction_id]
    left = decimal(transaction["amount"]) - decimal(transaction["amountRefunded"])
    back = left if amount is None else decimal(amount)
    if back <= 0 or back > left:
        raise ValueError("A refund is positive and at most what was paid.")
    transaction["amountRefunded"] = number(decimal(transaction["amountRefunded"]) + back)
    if back == left:
        transaction["status"] = "refunded"
    transaction["updatedAt"] = location.now()
    location.keep_transaction(transaction)
    order = location.orders[transaction["entityId"]]
    order |= {"status": "refunded" if back == left else "partially_refunded", "updatedAt": location.now()}
    location.keep_order(order)


# -- reading ------------------------------------------------------------------------------------------------------


def transactions(location: Location, call: Call) -> Reply:
    """GET /payments/transactions."""
    require(call.query, LIST_RULES)
    rows = [t for t in (linked(location, t) for t in location.transactions.values()) if transaction_fits(t, call.query)]
    rows.sort(key=lambda t: (t["createdAt"], t["_id"]), reverse=True)
    shown = [{k: v for k, v in t.items() if k not in LIST_DROPS} for t in page(rows, call.query)]
    return json_reply({"data": shown, "totalCount": len(rows)})


def linked(location: Location, row: dict[str, Any]) -> dict[str, Any]:
    """A transaction that names its invoice in the way of the switch `payment_link`."""
    if location.switches.payment_link == "source":
        return row
    bare = {name: value for name, value in row.items() if not name.startswith("entitySource")}
    return bare | {"entityType": "invoice", "entityId": row["entitySourceId"]}


def transaction_fits(row: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether a transaction passes the filters."""
    same = all(
        not query.get(name) or row.get(name) == query[name]
        for name in ("entitySourceType", "entitySourceSubType", "subscriptionId", "entityId", "contactId")
    )
    day, term = row["fulfilledAt"][:10], query.get("search", "").lower()
    texts = (row["_id"], row["contactName"], row["contactEmail"], row.get("entitySourceName"))
    return (
        same
        and mode_fits(row, query)
        and (not query.get("startAt") or day >= query["startAt"][:10])
        and (not query.get("endAt") or day <= query["endAt"][:10])
        and (not term or any(term in str(t or "").lower() for t in texts))
    )


def mode_fits(row: dict[str, Any], query: dict[str, str]) -> bool:
    """Live, test or both."""
    mode = query.get("paymentMode", "default")
    return mode not in ("live", "test") or row["liveMode"] == (mode == "live")


def page(rows: list[Any], query: dict[str, str]) -> list[Any]:
    """Ten rows unless more are asked for."""
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 10
    offset = int(query["offset"]) if query.get("offset", "").isdigit() else 0
    return rows[offset : offset + min(limit, 100)]


def transaction(location: Location, id_: str) -> Reply:
    """GET /payments/transactions/{id}."""
    row = location.transactions.get(id_)
    if row is None:
        raise Refusal(404, "Sandbox: no such transaction", named=True)
    shown = {k: v for k, v in linked(location, row).items() if k != BESIDE}
    return json_reply(shown | {"traceId": trace_id()})


def orders(location: Location, call: Call) -> Reply:
    """GET /payments/orders."""
    require(call.query, ORDER_RULES)
    query = call.query
    rows = [
        o
        for o in location.orders.values()
        if (not query.get("sourceId") or o["sourceId"] == query["sourceId"])
        and (not query.get("contactId") or o["contactId"] == query["contactId"])
        and (not query.get("status") or o["status"] == query["status"])
        and mode_fits(o, query)
    ]
    rows.sort(key=lambda o: (o["createdAt"], o["_id"]), reverse=True)
    shown = [{k: v for k, v in o.items() if k != "source"} for o in page(rows, query)]
    return json_reply({"data": shown, "totalCount": len(rows)})


def order(location: Location, id_: str) -> Reply:
    """GET /payments/orders/{id}."""
    row = location.orders.get(id_)
    if row is None:
        raise Refusal(404, "Sandbox: no such order", named=True)
    amounts = {"subtotal": row["subtotal"], "discount": row["discount"]}
    return json_reply(row | {"amountSummary": amounts, "items": [], "traceId": trace_id()})
