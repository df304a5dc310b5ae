"""CrocoClick's arithmetic: discount first, then tax on the discounted base.

No rounding rule is published. Every verified figure is exact at two decimals and fits three readings, so there is a
switch: `per_document` (the default: exact sums, each total rounded to cents), `per_line` (each line's net and tax
rounded to cents) and `none` (four decimals, the `configuration.precision` that live answers carry). The default keeps
totals to the cent, which is what a customer's invoice shows.

Of a tax-inclusive line the subtotal holds the price as entered, and the tax is part of the total already.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT, FOUR = Decimal("0.01"), Decimal("0.0001")
ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(slots=True)
class Totals:
    """A document's figures."""

    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO


def number(value: Decimal) -> int | float:
    """A figure as JavaScript prints it: 999, 376.29."""
    return int(value) if value == value.to_integral_value() else float(value)


def decimal(value: Any) -> Decimal:
    """A figure as sent, without the noise of binary fractions."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def totals(items: Iterable[dict[str, Any]], discount: dict[str, Any] | None, rounding: str = "per_document") -> Totals:
    """The figures of a document."""
    lines = [(decimal(i["amount"]) * decimal(i["qty"]), i) for i in items]
    cut = discounts(lines, discount or {})
    result, step = Totals(), CENT if rounding == "per_line" else None
    for (gross, item), off in zip(lines, cut, strict=True):
        net = gross - off
        if step:
            net = net.quantize(step, ROUND_HALF_UP)
            gross = gross.quantize(step, ROUND_HALF_UP)
        tax = tax_of(net, item, step)
        result.subtotal += gross
        result.discount += gross - net
        result.tax += tax
        result.total += net if item.get("taxInclusive") else net + tax
    places = FOUR if rounding == "none" else CENT
    for name in Totals.__slots__:
        setattr(result, name, getattr(result, name).quantize(places, ROUND_HALF_UP))
    return result


def discounts(lines: list[tuple[Decimal, dict[str, Any]]], discount: dict[str, Any]) -> list[Decimal]:
    """What each line loses: a percentage, or its share of a fixed amount."""
    value = decimal(discount.get("value") or 0)
    if not value:
        return [ZERO] * len(lines)
    products = discount.get("validOnProductIds") or []
    meant = [not products or item.get("productId") in products for _, item in lines]
    if discount.get("type") == "percentage":
        return [gross * value / HUNDRED if hit else ZERO for (gross, _), hit in zip(lines, meant, strict=True)]
    base = sum((gross for (gross, _), hit in zip(lines, meant, strict=True) if hit), ZERO)
    if not base:
        return [ZERO] * len(lines)
    return [gross * value / base if hit else ZERO for (gross, _), hit in zip(lines, meant, strict=True)]


def tax_of(net: Decimal, item: dict[str, Any], step: Decimal | None) -> Decimal:
    """All taxes of one line; of an inclusive price, the part that is tax."""
    taxes = item.get("taxes") or []
    if not taxes:
        return ZERO
    if item.get("taxInclusive"):
        net = net * HUNDRED / (HUNDRED + sum(each_tax(HUNDRED, taxes), ZERO))
    amounts = each_tax(net, taxes)
    return sum((tax.quantize(step, ROUND_HALF_UP) for tax in amounts), ZERO) if step else sum(amounts, ZERO)


def each_tax(net: Decimal, taxes: list[dict[str, Any]]) -> list[Decimal]:
    """Each tax on a net; one that says `compound` is taken on the net and the taxes before it, after all others."""
    found: list[Decimal] = []
    for compound in (False, True):
        for tax in taxes:
            if (tax.get("calculation") == "compound") is compound:
                base = net + sum(found, ZERO) if compound else net
                found.append(base * decimal(tax["rate"]) / HUNDRED)
    return found
