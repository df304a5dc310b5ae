"""A year of real shop invoices as a world.

The Online Retail data set (Chen 2015, UCI, CC BY 4.0) as two Parquet files. Taken are the documents whose total,
added up exactly and then rounded half-up to pence, is positive: 19,960, of which 19,959 are invoices and one is an
adjustment; cancellations are all negative. Real are numbers, dates, lines, quantities and prices; names, addresses
and due dates are invented.
"""

import json
import random
from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from json.encoder import encode_basestring as quote
from pathlib import Path
from typing import Any

from sandbox import names
from sandbox.crococlick import contacts
from sandbox.crococlick.arithmetic import CENT, number
from sandbox.crococlick.records import COMPANY_ID, LETTERS, Invoice, Location
from sandbox.fixture import Fixture
from sandbox.wire import dumps
from sandbox.worlds import pieces

CURRENCY = "GBP"
DUE_DAYS = 30
NO_TAX_NO_DISCOUNT = {"type": "percentage", "value": 0}


def build(box: Fixture, path: Path) -> None:
    """One British shop with its year of invoices in CrocoClick, and empty books in Xero."""
    folder = path if path.is_dir() else path.parent
    for name in ("lines.parquet", "invoices.parquet"):
        if not (folder / name).exists():
            raise ValueError(f"There is no {name} in {folder}.")
    pieces.open_location(box, "Riverside Gifts", "Europe/London", "GB")
    pieces.open_organisation(box, "Riverside Gifts", edition="UK")
    fill(box.sim.crococlick.location, documents(folder))


def documents(folder: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each document with its lines, in the order of the files."""
    import pyarrow.parquet as pq  # noqa: PLC0415 — no other world needs it

    heads = {row["invoice_no"]: row for row in pq.read_table(folder / "invoices.parquet").to_pylist()}
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    columns = ["invoice_no", "stock_code", "description", "quantity", "unit_price"]
    for row in pq.read_table(folder / "lines.parquet", columns=columns).to_pylist():
        lines[row["invoice_no"]].append(row)
    return [(heads[key], rows) for key, rows in lines.items() if total(rows) > 0]


def total(rows: list[dict[str, Any]]) -> Decimal:
    """A document's total, rounded once, half-up to pence."""
    return sum((r["unit_price"] * r["quantity"] for r in rows), Decimal(0)).quantize(CENT, ROUND_HALF_UP)


def fill(location: Location, found: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    """Put customers and invoices into CrocoClick."""
    rng = random.Random(541_909)
    pool = names.businesses(600, rng)
    snapshots: dict[int | None, str] = {}
    for n, (head, rows) in enumerate(found):
        customer = head["customer_id"]
        if customer not in snapshots:
            snapshots[customer] = snapshot(add_customer(location, customer, pool, rng))
        add_invoice(location, n, head, rows, snapshots[customer], rng)
    location.next_number = 600_000
    location.keep_profile()


def add_customer(
    location: Location, customer: int | None, pool: list[names.Business], rng: random.Random
) -> dict[str, Any]:
    """An invented business for a customer number; one walk-in customer for all documents without."""
    who = pool[(customer or 0) % len(pool)]
    name = f"{who.company} {customer}" if customer else "Walk-in customer"
    mailbox = f"c{customer}@{names.slug(who.company)}.example" if customer else "walk-in@riverside-gifts.example"
    first, _, last = name.rpartition(" ")
    body = {"firstName": first, "lastName": last, "companyName": name, "email": mailbox, "country": "GB"}
    body["phone"] = f"+44{7_000_000_000 + (customer or 0)}"
    return contacts.make(location, body, "".join(rng.choices(LETTERS, k=20)))


def snapshot(contact: dict[str, Any]) -> str:
    """A contact as its invoices carry it, as JSON."""
    keys = {"id": "id", "name": "name", "phone": "phoneNo", "email": "email", "companyName": "companyName"}
    return dumps({shown: contact[kept] for kept, shown in keys.items()} | {"address": {"countryCode": "GB"}})


def add_invoice(
    location: Location, n: int, head: dict[str, Any], rows: list[dict[str, Any]], contact: str, rng: random.Random
) -> None:
    """One document as an invoice that was sent."""
    issued, amount = head["invoice_date"].date(), number(total(rows))
    at = head["invoice_date"].strftime("%Y-%m-%dT%H:%M:00.000Z")
    doc = {
        "_id": f"{rng.getrandbits(96):024x}",
        "status": "sent",
        "liveMode": True,
        "amountPaid": 0,
        "altId": location.id,
        "altType": "location",
        "companyId": COMPANY_ID,
        "name": f"Order {head['invoice_no']}",
        "title": "INVOICE",
        "businessDetails": location.profile["_business"],
        "invoiceNumber": head["invoice_no"],
        "currency": CURRENCY,
        "contactDetails": json.loads(contact),
        "issueDate": issued.isoformat(),
        "dueDate": (issued + timedelta(days=DUE_DAYS)).isoformat(),
        "discount": NO_TAX_NO_DISCOUNT,
        "automaticTaxesEnabled": False,
        "automaticTaxesCalculated": False,
        "configuration": {"precision": 4},
        "createdAt": at,
        "updatedAt": at,
        "__v": 0,
        "total": amount,
        "amountDue": amount,
        "totalSummary": {"subTotal": amount, "discount": 0, "tax": 0},
    }
    items = ",".join([line(f"{n:012x}{m:012x}", row) for m, row in enumerate(rows)])
    location.keep_invoice(Invoice(doc["_id"], doc, f"[{items}]"))


def line(id_: str, row: dict[str, Any]) -> str:
    """One line as JSON; where the description is missing, one is invented from the stock code."""
    name = row["description"] if (row["description"] or "").strip() else f"Article {row['stock_code']}"
    return (
        f'{{"taxes":[],"_id":"{id_}","name":{quote(name)},"description":{quote(row["stock_code"])},'
        f'"qty":{row["quantity"]},"currency":"{CURRENCY}","type":"one_time","amount":{number(row["unit_price"])!r},'
        f'"taxInclusive":false}}'
    )
