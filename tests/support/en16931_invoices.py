"""Public sample invoices whose totals are known: as CrocoClick's user would enter them, and the books that they need.

What is the sample's in another form here:

- a line that is discounted, charged or priced for several units is one at its net;
- a charge on the document is a line;
- discounts on the document are CrocoClick's one fixed discount, where all of them bear the same taxes: on the whole
  invoice, or on the products that bear those taxes. Otherwise each is a line with a negative price and its taxes, which
  the API takes (the screen wants such a line untaxed);
- a tax that the customer keeps back (withholding) is no part of what the invoice comes to, and left out, as is one of
  0 %;
- a number that several samples have is told apart by the sample's key.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from syncer.domain.model.invoice import Customer, Discount, Invoice, LineItem, Status, Tax
from syncer.domain.model.money import text
from tests.support.entry import enter, open_books

FILE = Path(__file__).parents[3] / "shared" / "data" / "einvoices" / "dev.jsonl"
MISSING = f"the sample invoices are not here: {FILE.name}"


@dataclass(frozen=True)
class Sample:
    """One sample as CrocoClick has it, and what it comes to: net, tax and gross."""

    key: str
    invoice: Invoice
    stated: tuple[Decimal, Decimal, Decimal]


def samples() -> list[Sample]:
    """The invoices whose own arithmetic is right, that name a currency, and that nobody is owed for."""
    seen: Counter[str] = Counter()
    found = []
    for told in _usable():
        number = told["id"] or ""
        seen[number] += 1
        found.append(_sample(told, number if seen[number] == 1 else f"{number} {told['record']}"))
    return found


def _usable() -> Iterator[dict]:
    for written in FILE.read_text().splitlines():
        told = json.loads(written)
        gross = told["totals"].get("gross")
        right = told["doc_type"] == "invoice" and told["check"]["status"] == "ok"
        if right and told["currency"] and gross is not None and Decimal(gross) >= 0:
            yield told


def _sample(told: dict, number: str) -> Sample:
    inclusive = told["prices_include_tax"]
    lines = [_item(one, inclusive) for one in told["lines"] if not one.get("not_in_totals")]
    lines += [_extra(one, 1, inclusive) for one in told["document_charges"]]
    discount, negative = _discounts(told, lines, inclusive)
    key, totals = told["record"], told["totals"]
    invoice = Invoice(
        source_id=key,
        number=number,
        status=Status.SENT,
        live=True,
        customer=Customer(key, f"{(told.get('buyer') or {}).get('name') or 'Customer'} {key}", f"{key}@example.org"),
        currency=told["currency"],
        issue_date=date.fromisoformat(told["issue_date"]),
        due_date=date.fromisoformat(told["due_date"]) if told["due_date"] else None,
        lines=(*lines, *negative),
        total=Decimal(totals["gross"]),
        discount=discount,
        tax=Decimal(totals["tax"]),
    )
    return Sample(key, invoice, (Decimal(totals["net"]), Decimal(totals["tax"]), Decimal(totals["gross"])))


def _taxes(told: dict) -> tuple[Tax, ...]:
    rates = [("VAT", told.get("tax_rate_pct") or "0")]
    rates += [(one["code"], one["rate_pct"]) for one in told.get("other_taxes") or () if not one.get("retained")]
    exact = [(name, Decimal(text(Decimal(rate)))) for name, rate in rates]
    return tuple(Tax(f"{name} {rate}", name, rate) for name, rate in exact if rate)


def _item(told: dict, inclusive: bool) -> LineItem:
    quantity, price = Decimal(told["qty"] or 1), Decimal(told["unit_price"] or 0)
    several = Decimal(told.get("price_base_qty") or 1) != 1
    if told.get("discount_amount") or told.get("charge_amount") or several:
        quantity, price = Decimal(1), Decimal(told["line_net"])
    return _line(told["description"], quantity, price, _taxes(told), inclusive)


def _extra(told: dict, sign: int, inclusive: bool) -> LineItem:
    return _line(told.get("reason"), Decimal(1), sign * Decimal(told["amount"]), _taxes(told), inclusive)


def _line(name: str | None, quantity: Decimal, price: Decimal, taxes: tuple[Tax, ...], inclusive: bool) -> LineItem:
    """A line of a saved product; products of equal taxes share their id."""
    product = " and ".join(["product", *(tax.id for tax in taxes)])
    return LineItem(name or "–", quantity, price, taxes, inclusive, product_id=product)


def _discounts(told: dict, lines: Sequence[LineItem], inclusive: bool) -> tuple[Discount | None, list[LineItem]]:
    cuts = [one for one in told["document_discounts"] if Decimal(one["amount"])]
    kinds = {_taxes(one) for one in cuts}
    value = sum((Decimal(one["amount"]) for one in cuts), Decimal(0))
    meant = [line for line in lines if line.taxes in kinds]
    if len(kinds) == 1 and value <= sum((line.amount for line in meant), Decimal(0)):
        products = {line.product_id for line in meant}
        limited = tuple(sorted(products)) if len(meant) < len(lines) else ()
        return Discount(False, value, limited), []
    return None, [_extra(one, -1, inclusive) for one in cuts]


# -- from CrocoClick to Xero


@dataclass(frozen=True)
class Arrival:
    """What became of one sample: its net, tax and gross in CrocoClick and in Xero, or why it is held."""

    sample: Sample
    in_crococlick: tuple[Decimal, Decimal, Decimal]
    in_xero: tuple[Decimal, Decimal, Decimal] | None
    cause: str | None = None
    sentence: str = ""


def _exactly(*amounts: float | Decimal) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(amount)) for amount in amounts)


def carry(world, rounding: str) -> list[Arrival]:
    """Enter all samples, sync once, and tell what became of each."""
    found = samples()
    world.crm.switch(rounding=rounding)
    world.set(due_days="30")
    open_books(world.xero, [one.invoice for one in found])
    for one in found:
        enter(world.crm, replace(one.invoice, total=Decimal(0), tax=None))
    world.sync()
    sources = {str(row["invoiceNumber"]): row for row in world.crm.invoices()}
    documents = {row["InvoiceNumber"]: row for row in world.xero.invoices()}
    return [_arrival(world, one, sources, documents) for one in found]


def _arrival(world, one: Sample, sources: dict, documents: dict) -> Arrival:
    source, document = sources[one.invoice.number], documents.get(one.invoice.number)
    total, tax = _exactly(source["total"], source["totalSummary"]["tax"])
    there = (total - tax, tax, total)
    if document:
        return Arrival(one, there, _exactly(document["SubTotal"], document["TotalTax"], document["Total"]))
    told = world.explain(one.invoice.number)["cause"]
    return Arrival(one, there, None, told["code"], told["sentence"])
