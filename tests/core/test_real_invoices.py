"""Sample invoices of public e-invoice standards, whose totals are known, go to Xero to the cent."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from core_samples import BOOKS, NO_TAX, invoice, rules

from syncer.core.books import Document, TaxComponent, TaxRate
from syncer.core.invoice import LineItem, Tax
from syncer.core.mapping import document
from syncer.core.tax import tax_key

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "einvoices" / "dev.jsonl"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"the sample invoices are not here: {SAMPLES.name}")


def samples():
    """The invoices whose own arithmetic is right, that name a currency, and that nobody is owed for."""
    for written in SAMPLES.read_text().splitlines():
        told = json.loads(written)
        gross = told["totals"].get("gross")
        right = told["doc_type"] == "invoice" and told["check"]["status"] == "ok"
        if right and told["currency"] and gross is not None and Decimal(gross) >= 0:
            yield told


def taxes(told):
    """VAT at its rate, and what is charged besides; nothing at 0 %, nor what the customer keeps back."""
    rates = [("VAT", told.get("tax_rate_pct") or "0")]
    rates += [(one["code"], one["rate_pct"]) for one in told.get("other_taxes") or () if not one.get("retained")]
    return tuple(Tax(f"{name} {rate}", name, Decimal(rate)) for name, rate in rates if Decimal(rate))


def item(told, inclusive):
    """A line; where it is discounted, charged or priced for several units: one at its net."""
    quantity, price = Decimal(told["qty"] or 1), Decimal(told["unit_price"] or 0)
    several = Decimal(told.get("price_base_qty") or 1) != 1
    if told.get("discount_amount") or told.get("charge_amount") or several:
        quantity, price = Decimal(1), Decimal(told["line_net"])
    return LineItem(told["description"] or "–", quantity, price, taxes(told), inclusive)


def extra(told, sign, inclusive):
    """A charge or discount of the document, as a line."""
    return LineItem(told.get("reason") or "–", Decimal(1), sign * Decimal(told["amount"]), taxes(told), inclusive)


def as_crococlick_has_it(told):
    """The sample as an invoice of ours."""
    inclusive = told["prices_include_tax"]
    lines = [item(one, inclusive) for one in told["lines"] if not one.get("not_in_totals")]
    lines += [extra(one, 1, inclusive) for one in told["document_charges"]]
    lines += [extra(one, -1, inclusive) for one in told["document_discounts"]]
    return invoice(
        number=told["id"] or "",
        currency=told["currency"],
        issue_date=date.fromisoformat(told["issue_date"]),
        due_date=date.fromisoformat(told["due_date"]) if told["due_date"] else None,
        lines=tuple(lines),
        total=Decimal(told["totals"]["gross"]),
        tax=Decimal(told["totals"]["tax"]),
    )


def books_for(one):
    """An organisation that knows the invoice's currency and taxes."""
    kinds = {tax_key(line.taxes): line.taxes for line in one.lines if line.taxes}
    rates = [
        TaxRate(name, name, sum(tax.rate for tax in parts), tuple(TaxComponent(tax.name, tax.rate) for tax in parts))
        for name, parts in kinds.items()
    ]
    return type(BOOKS)(BOOKS.organisation, BOOKS.accounts, (NO_TAX, *rates), frozenset({one.currency}))


def outcome(told):
    """Exact, or the causes that hold it."""
    one = as_crococlick_has_it(told)
    made = document(one, books_for(one), "x1", rules(due_days=30))
    if not isinstance(made, Document):
        return " ".join(problem.code for problem in made)
    stated = [Decimal(told["totals"][name]) for name in ("net", "tax", "gross")]
    return "exact" if [made.total - made.total_tax, made.total_tax, made.total] == stated else "other totals"


def test_real_invoices_go_with_the_net_tax_and_gross_that_they_state():
    """All of those whose own sums are right, in 19 currencies and from 28 countries."""
    found = Counter(outcome(told) for told in samples())
    print(dict(found))
    assert found["other totals"] == 0
    assert found["exact"] >= 200
    assert found["exact"] >= 0.99 * found.total()
