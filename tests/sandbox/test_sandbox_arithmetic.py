"""Both services' arithmetic: published examples, real documents, and the properties that must always hold."""

import json
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from conftest import LOCATION, invoice, line, shared
from hypothesis import given
from hypothesis import strategies as st

from sandbox.crococlick.arithmetic import totals
from sandbox.server import Sandbox
from sandbox.xero.arithmetic import divide_down, divide_even, divide_up


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_division_rounds_as_decimal_does(n: int, d: int) -> None:
    """The fast whole-number division agrees with the decimal module for all three directions of a half."""
    exact = Decimal(n) / Decimal(d)
    for divide, mode in ((divide_up, ROUND_HALF_UP), (divide_even, ROUND_HALF_EVEN), (divide_down, ROUND_HALF_DOWN)):
        assert divide(n, d) == int(exact.to_integral_value(mode))


def made(desk: Any, rate: float, types: str, *lines: dict[str, Any], query: str = "") -> dict[str, Any]:
    """What Xero makes of lines at one rate."""
    tax = desk.add_tax_rate(f"Rate {rate}", rate)
    sent = invoice(LineAmountTypes=types, LineItems=[line(TaxType=tax, **li) for li in lines])
    status, body = desk.ask("PUT", "Invoices", sent, query)
    assert status == 200, body
    return body["Invoices"][0]


def test_published_exclusive_example(desk: Any) -> None:
    """25.06, 25.61 and 25.63 at 15 % come to 76.30 + 11.44 = 87.74."""
    found = made(desk, 15, "Exclusive", *({"UnitAmount": a} for a in (25.06, 25.61, 25.63)))
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (76.3, 11.44, 87.74)
    assert [li["TaxAmount"] for li in found["LineItems"]] == [3.76, 3.84, 3.84]


def test_published_inclusive_examples(desk: Any) -> None:
    """541.25 at 15 % holds 70.60 of tax; 177.00 and −79.00 at 12.5 % come to 87.11 + 10.89 = 98.00."""
    found = made(desk, 15, "Inclusive", {"UnitAmount": 541.25})
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (470.65, 70.6, 541.25)
    found = made(desk, 12.5, "Inclusive", {"UnitAmount": 177}, {"UnitAmount": -79})
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (87.11, 10.89, 98.0)
    assert [li["TaxAmount"] for li in found["LineItems"]] == [19.67, -8.78]


def test_prices_are_rounded_before_they_are_multiplied(desk: Any) -> None:
    """8,555,500 × 0.000149611361 is 855.55 at four decimals, because the price becomes 0.0001."""
    sent = {"Quantity": 8555500, "UnitAmount": "0.000149611361"}
    assert made(desk, 0.5, "Exclusive", sent, query="unitdp=4")["LineItems"][0]["LineAmount"] == 855.55
    assert made(desk, 0.6, "Exclusive", {"UnitAmount": "10.555", "Quantity": 2})["SubTotal"] == 21.12


@pytest.mark.parametrize(("half", "tax"), [("up", 0.06), ("down", 0.05), ("even", 0.06)])
def test_the_half_cent_goes_where_the_switch_says(desk: Any, half: str, tax: float) -> None:
    """1.00 at 5.5 % is exactly 0.055: the direction is not evidenced, so it is a switch."""
    desk.switch(half_cent=half)
    assert made(desk, 5.5, "Exclusive", {"UnitAmount": 1})["TotalTax"] == tax


@pytest.mark.parametrize(("half", "net"), [("up", 1908.4), ("down", 1908.39)])
def test_a_percentage_discount_rounds_as_the_switch_says(desk: Any, half: str, net: float) -> None:
    """2,120.44 less 10 % was seen as 1,908.39 and as 1,908.40."""
    desk.switch(discount_rate_half=half)
    found = made(desk, 7, "Exclusive", {"UnitAmount": 2120.44, "DiscountRate": 10})
    assert found["SubTotal"] == net
    assert found["IsDiscounted"] is True


def test_discount_amounts_are_per_line(desk: Any) -> None:
    """An amount comes off the line, not off each unit."""
    found = made(desk, 20, "Exclusive", {"UnitAmount": 10, "Quantity": 3, "DiscountAmount": 2.5})
    assert (found["SubTotal"], found["TotalTax"], found["TotalDiscount"]) == (27.5, 5.5, 2.5)


def test_an_explicit_tax_amount_is_kept(desk: Any) -> None:
    """Exclusive, it moves the total; inclusive, only the split: 10.74 at 10 % with 0.99 instead of 0.98."""
    found = made(desk, 10, "Inclusive", {"UnitAmount": 10.74})
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (9.76, 0.98, 10.74)
    found = made(desk, 10.1, "Inclusive", {"UnitAmount": 10.74, "TaxAmount": 0.99})
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (9.75, 0.99, 10.74)
    found = made(desk, 10.2, "Exclusive", {"UnitAmount": 10.74, "TaxAmount": 1.0})
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (10.74, 1.0, 11.74)


def test_no_tax_means_none(desk: Any) -> None:
    """Under NoTax the rate of a line does not count."""
    found = made(desk, 20, "NoTax", {"UnitAmount": 10})
    assert (found["TotalTax"], found["Total"]) == (0.0, 10.0)


MONEY = st.integers(1, 10**7).map(lambda n: n / 100)
LINES = st.lists(st.tuples(MONEY, st.sampled_from([1, 2, 3, 0.5, 0.3333, 7.25])), min_size=1, max_size=6)


@given(LINES, st.sampled_from([20, 10, 5.5, 2.1, 0]), st.sampled_from(["Exclusive", "Inclusive", "NoTax"]))
def test_totals_always_add_up(lines: list[tuple[float, float]], rate: float, types: str) -> None:
    """SubTotal + TotalTax = Total, the tax is the sum of the lines' tax, and every line is quantity × price."""
    desk = RATED.xero
    tax = {20: "TAX001", 10: "TAX002", 5.5: "TAX003", 2.1: "TAX004", 0: "NONE"}[rate]
    sent = invoice(
        LineAmountTypes=types, LineItems=[line(UnitAmount=p, Quantity=q, TaxType=tax) for p, q in lines], Status="DRAFT"
    )
    found = desk.ask("PUT", "Invoices", sent)[1]["Invoices"][0]
    figures = {k: Decimal(str(found[k])) for k in ("SubTotal", "TotalTax", "Total")}
    assert figures["SubTotal"] + figures["TotalTax"] == figures["Total"]
    assert figures["TotalTax"] == sum(Decimal(str(li["TaxAmount"])) for li in found["LineItems"])
    for (price, quantity), kept in zip(lines, found["LineItems"], strict=True):
        exact = Decimal(str(price)) * Decimal(str(quantity))
        assert Decimal(str(kept["LineAmount"])) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


RATED = Sandbox(world="empty", limits=False)


def australian_documents() -> list[dict[str, Any]]:
    """Sales invoices of Xero's demo company, as Xero itself returned them."""
    path = shared("data", "payloads", "xero", "demo_company_au_documents.jsonl")
    rows = [json.loads(row)["body"] for row in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["Type"] in ("ACCREC", "ACCPAY") and row["LineItems"]]


def test_real_documents_come_to_the_same_totals() -> None:
    """The demo company's own lines give its own figures, line by line, for sales and purchases."""
    documents = australian_documents()
    assert len(documents) >= 50
    desk = Sandbox(world="empty", limits=False).xero.add_organisation("Demo Company (AU)", edition="AU")
    wanted = {li.get("TaxType") for d in documents for li in d["LineItems"]} - {None}
    for missing in wanted - {r["TaxType"] for r in desk.tax_rates()}:
        desk.books.tax_rates[missing] = desk.books.tax_rates["BASEXCLUDED"] | {"TaxType": missing, "Name": missing}
    for document in documents:
        account = "200" if document["Type"] == "ACCREC" else "400"
        lines = [
            {k: li[k] for k in ("Description", "Quantity", "UnitAmount", "TaxType") if k in li}
            | {"AccountCode": account}
            for li in document["LineItems"]
        ]
        sent = {
            "Type": document["Type"],
            "Contact": {"Name": document["Contact"]["Name"]},
            "LineAmountTypes": document["LineAmountTypes"],
            "LineItems": lines,
        }
        status, body = desk.ask("PUT", "Invoices", sent)
        assert status == 200, body
        found = body["Invoices"][0]
        for name in ("SubTotal", "TotalTax", "Total"):
            assert found[name] == document[name], (document["InvoiceID"], name)
        for ours, theirs in zip(found["LineItems"], document["LineItems"], strict=True):
            assert ours["LineAmount"] == theirs.get("LineAmount", 0.0)
            assert ours["TaxAmount"] == theirs.get("TaxAmount", 0.0)


# -- CrocoClick ---------------------------------------------------------------------------------------------------


def tax(rate: float) -> list[dict[str, Any]]:
    """One tax."""
    return [{"_id": "t", "name": "IVA", "rate": rate}]


LIVE = [
    ([(15500, 24, [])], ("percentage", 5), "353400"),
    ([(15500, 24, tax(13))], ("percentage", 5), "399342"),
    ([(333, 1, tax(13))], ("percentage", 0), "376.29"),
    ([(15500, 24, []), (45942, 1, [])], ("percentage", 5), "397044.9"),
    ([(14725, 24, []), (45942, 1, [])], ("percentage", 0), "399342"),
]


@pytest.mark.parametrize(("lines", "discount", "total"), LIVE)
@pytest.mark.parametrize("rounding", ["per_document", "per_line", "none"])
def test_live_figures_fit_every_reading(
    lines: list[Any], discount: tuple[str, float], total: str, rounding: str
) -> None:
    """The five verified totals come out to the digit, whichever rounding is chosen."""
    items = [{"amount": a, "qty": q, "taxes": t} for a, q, t in lines]
    found = totals(items, {"type": discount[0], "value": discount[1]}, rounding)
    assert found.total == Decimal(total)


def test_readings_differ_where_cents_do() -> None:
    """Three lines of 0.055 tax: exact, per line and per document part company."""
    items = [{"amount": 1, "qty": 1, "taxes": tax(5.5)}] * 3
    assert totals(items, None, "none").total == Decimal("3.165")
    assert totals(items, None, "per_document").total == Decimal("3.17")
    assert totals(items, None, "per_line").total == Decimal("3.18")


def test_inclusive_prices_fixed_and_limited_discounts_and_several_taxes() -> None:
    """The discount comes off the inclusive price; a fixed one is spread; products may limit it; taxes add up."""
    inclusive = [{"amount": 120, "qty": 1, "taxes": tax(20), "taxInclusive": True}]
    found = totals(inclusive, {"type": "percentage", "value": 10})
    assert (found.total, found.tax, found.subtotal, found.discount) == (108, 18, 120, 12)
    fixed = [{"amount": 100, "qty": 1, "taxes": tax(20)}, {"amount": 300, "qty": 1, "taxes": []}]
    found = totals(fixed, {"type": "fixed", "value": 40})
    assert (found.tax, found.total) == (Decimal(18), Decimal(378))
    limited = [{"amount": 100, "qty": 1, "productId": "a"}, {"amount": 100, "qty": 1, "productId": "b"}]
    assert totals(limited, {"type": "percentage", "value": 50, "validOnProductIds": ["a"]}).total == 150
    several = [{"amount": 100, "qty": 1, "taxes": tax(8.5) + tax(2.5)}]
    assert totals(several, None).total == 111


def test_a_compound_tax_is_taken_on_the_others() -> None:
    """10 % of 100 on top of 5 % is 10.50, whichever is named first; an inclusive price holds both."""
    compound = [{**tax(10)[0], "calculation": "compound"}, *tax(5)]
    found = totals([{"amount": 100, "qty": 1, "taxes": compound}], None)
    assert (found.tax, found.total) == (Decimal("15.5"), Decimal("115.5"))
    inclusive = [{"amount": 115.5, "qty": 1, "taxes": compound, "taxInclusive": True}]
    assert totals(inclusive, None).tax == Decimal("15.5")


def test_the_server_ignores_a_clients_total(crm: Any) -> None:
    """Whatever is sent, the figures are CrocoClick's own."""
    contact = crm.add_contact(name="A B", email="a@b.example", phone="+3310")
    id_ = crm.add_invoice(contact=contact, lines=[{"qty": 3, "amount": 9.99, "taxes": [20]}], number="T-1")
    found = crm.invoice(id_)
    assert (found["total"], found["totalSummary"]) == (35.96, {"subTotal": 29.97, "discount": 0, "tax": 5.99})
    assert found["altId"] == LOCATION
