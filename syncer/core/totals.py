"""Both systems' arithmetic, to the cent: what CrocoClick's invoice comes to, and lines that make Xero come to the same.

CrocoClick (HighLevel) takes the discount first and taxes what remains; its rounding is not published, so the total may be
rounded once for the document or line by line. Xero rounds each line to cents, then each line's tax, then adds
(Xero's "Rounding in Xero" page).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from syncer.core.books import DocumentLine
from syncer.core.causes import Problem
from syncer.core.invoice import Invoice, LineItem, Tax
from syncer.core.money import CENT, ZERO, cents, decimals, fits, is_half_cent, round_to, show, text

HUNDRED = Decimal(100)
PRICE_PLACES = 4  # with unitdp=4, Xero's Invoices page
LARGEST = Decimal("9999999999.99")


@dataclass(frozen=True, slots=True)
class Share:
    """One line as CrocoClick reckons it, exact: after its part of the discount, with and without tax."""

    line: LineItem
    discount: Decimal
    rate: Decimal  # of all its taxes together, as a fraction
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Reckoned:
    """Lines for Xero that come to the invoice's total, and every correction they needed, in words."""

    lines: tuple[DocumentLine, ...]
    inclusive: bool
    total: Decimal
    tax: Decimal
    corrections: tuple[str, ...]


def combined_rate(taxes: Sequence[Tax]) -> Decimal:
    """All taxes of a line as one fraction of its net; a compound tax is taken on the net and the taxes before it."""
    whole = Decimal(1)
    simple = sum((tax.rate for tax in taxes if not tax.compound), ZERO) / HUNDRED
    whole += simple
    for tax in taxes:
        if tax.compound:
            whole *= 1 + tax.rate / HUNDRED
    return whole - 1


def shares(invoice: Invoice) -> list[Share]:
    """Each line with its part of the document's discount and its tax, unrounded."""
    discounts = _discounts(invoice)
    return [_share(line, part) for line, part in zip(invoice.lines, discounts, strict=True)]


def _share(line: LineItem, discount: Decimal) -> Share:
    stated = line.amount - discount
    if not line.taxes:
        return Share(line, discount, ZERO, stated, ZERO)
    rate = combined_rate(line.taxes)
    if line.tax_inclusive:
        net = stated / (1 + rate)
        return Share(line, discount, rate, net, stated - net)
    return Share(line, discount, rate, stated, stated * rate)


def _discounts(invoice: Invoice) -> list[Decimal]:
    """The discount of each line: a percentage of it, or its pro rata part of a fixed amount."""
    discount = invoice.discount
    if discount is None:
        return [ZERO] * len(invoice.lines)
    eligible = [not discount.product_ids or line.product_id in discount.product_ids for line in invoice.lines]
    if discount.percentage:
        part = discount.value / HUNDRED
    else:
        base = sum((line.amount for line, counts in zip(invoice.lines, eligible, strict=True) if counts), ZERO)
        part = discount.value / base if base else ZERO
    return [line.amount * part if counts else ZERO for line, counts in zip(invoice.lines, eligible, strict=True)]


def readings(parts: Sequence[Share], currency: str) -> tuple[Decimal, ...]:
    """What CrocoClick may say the total is: rounded once, per line, or per rate; no other cent is rounding."""
    exact = sum((part.net + part.tax for part in parts), ZERO)
    by_rate: dict[Decimal, Decimal] = {}
    for part in parts:
        by_rate[part.rate] = by_rate.get(part.rate, ZERO) + part.tax
    net = sum((part.net for part in parts), ZERO)
    per_line = sum((_line_total(part) for part in parts), ZERO)
    per_rate = cents(net) + sum((cents(tax) for tax in by_rate.values()), ZERO)
    return (cents(exact), per_line, per_rate, round_to(exact, min(2, decimals(currency))))


def _line_total(part: Share) -> Decimal:
    if part.line.tax_inclusive:
        return cents(part.net + part.tax)
    return cents(part.net) + cents(part.tax)


def reckon(
    invoice: Invoice, tax_types: Sequence[str], rates: Sequence[Decimal], account: str, rounding: tuple[str, str] | None
) -> Reckoned | Problem:
    """Lines that Xero's arithmetic turns into exactly the invoice's total, or `total_mismatch`.

    `tax_types` and `rates` (percent, as Xero reckons them) are per line; `account` and `rounding` (account, TaxType)
    are where lines and a rounding line are booked. All amounts are in major units of the invoice's currency.
    """
    parts = shares(invoice)
    if not fits(invoice.total, 2) or invoice.total not in readings(parts, invoice.currency):
        return _mismatch(invoice, parts)
    inclusive = any(p.line.taxes and p.line.tax_inclusive for p in parts) and not any(
        p.line.taxes and not p.line.tax_inclusive for p in parts
    )
    drafts = [
        _Draft.of(part, tax_type, rate / HUNDRED, account, inclusive)
        for part, tax_type, rate in zip(parts, tax_types, rates, strict=True)
    ]
    return _settle(invoice, parts, drafts, inclusive, rounding)


@dataclass(slots=True)
class _Draft:
    """One Xero line in the making. `amount` is its LineAmount, `tax` its TaxAmount, both in cents."""

    line: DocumentLine
    exact: Decimal  # LineAmount before rounding
    exact_discount: Decimal
    amount: Decimal
    exact_tax: Decimal
    natural_tax: Decimal
    tax: Decimal
    rate: Decimal
    unsure: bool  # Xero's rounding of the tax depends on the direction at half a cent, which is not published

    @classmethod
    def of(cls, part: Share, tax_type: str, rate: Decimal, account: str, inclusive: bool) -> "_Draft":
        source, stated = part.line, part.net + part.tax if inclusive else part.net
        description = _description(source)
        draft = cls(
            line=DocumentLine(description, source.quantity, source.unit_price, account, tax_type),
            exact=stated,
            exact_discount=part.discount,
            amount=ZERO,
            exact_tax=part.tax,
            natural_tax=ZERO,
            tax=ZERO,
            rate=rate,
            unsure=False,
        )
        if source.quantity < 0:
            draft.line = replace(draft.line, quantity=-source.quantity, unit_amount=-source.unit_price)
        draft.amount = cents(source.amount)
        as_stated = not source.taxes or source.tax_inclusive == inclusive
        if part.discount:
            draft.discount(cents(part.discount))
        if not (as_stated and draft._representable(source, part.discount)):
            draft.fold(source, cents(stated))
        draft.tax_by_xero(inclusive)
        return draft

    def _representable(self, source: LineItem, discount: Decimal) -> bool:
        """Whether Xero can hold quantity × price as it is, and makes the same cents of it whatever its half cents do."""
        amount = source.amount
        if not amount:
            return bool(source.quantity) and fits(source.quantity, PRICE_PLACES) and not source.unit_price
        if not (fits(source.quantity, PRICE_PLACES) and fits(source.unit_price, PRICE_PLACES)):
            return False
        if is_half_cent(amount) or not self.amount:
            return False
        return self.amount > 0 if discount else True

    def discount(self, amount: Decimal) -> None:
        self.line = replace(self.line, discount=amount)
        self.amount = cents(self.line.quantity * self.line.unit_amount) - amount

    def fold(self, source: LineItem, amount: Decimal) -> None:
        """Quantity 1 at the line's own amount; what was sold for how much stays readable in the description."""
        told = f"{self.line.description} ({text(source.quantity)} × {text(source.unit_price)})"
        self.line = replace(self.line, description=told, quantity=Decimal(1), unit_amount=amount, discount=ZERO)
        self.amount = amount

    def tax_by_xero(self, inclusive: bool) -> None:
        exact = self.amount * self.rate / (1 + self.rate) if inclusive else self.amount * self.rate
        self.natural_tax = self.tax = cents(exact)
        self.unsure = is_half_cent(exact)

    def finished(self) -> DocumentLine:
        explicit = self.tax if self.tax != self.natural_tax or self.unsure else None
        return replace(self.line, tax_amount=explicit)


def _description(line: LineItem) -> str:
    return f"{line.name}\n{line.description}" if line.description and line.name else line.name or line.description


def _settle(
    invoice: Invoice,
    parts: Sequence[Share],
    drafts: list[_Draft],
    inclusive: bool,
    rounding: tuple[str, str] | None,
) -> Reckoned | Problem:
    """Bring the drafts to the invoice's total with as few and as small corrections as will do."""
    if inclusive:
        _spread(invoice.total - sum((d.amount for d in drafts), ZERO), drafts, inclusive)
    tax = _target_tax(invoice, parts, drafts, inclusive)
    lines_total = invoice.total if inclusive else invoice.total - tax
    if not inclusive:
        _spread(lines_total - sum((d.amount for d in drafts), ZERO), drafts, inclusive)
    corrections: list[str] = []
    lines = list(drafts)
    if gap := lines_total - sum((d.amount for d in drafts), ZERO):
        if rounding is None or abs(gap) > CENT * len(drafts):
            return _mismatch(invoice, parts)
        lines.append(_rounding_line(gap, rounding))
        corrections.append(f"rounding line {show(gap, 'EUR')}")
    if not _adjust_taxes(tax - sum((d.tax for d in drafts), ZERO), drafts):
        return _mismatch(invoice, parts)
    corrections += [
        f"tax of line {place} {show(d.tax, 'EUR')} instead of {show(d.natural_tax, 'EUR')}"
        for place, d in enumerate(drafts, 1)
        if d.tax != d.natural_tax
    ]
    if any(abs(d.amount) > LARGEST for d in lines):
        return _mismatch(invoice, parts)
    return Reckoned(tuple(d.finished() for d in lines), inclusive, invoice.total, tax, tuple(corrections))


def _target_tax(invoice: Invoice, parts: Sequence[Share], drafts: Sequence[_Draft], inclusive: bool) -> Decimal:
    """The tax that Xero shall show: CrocoClick's own where it says one that rounding explains, else what is left."""
    exact = sum((part.tax for part in parts), ZERO)
    taxed = sum(1 for part in parts if part.rate)
    if not taxed:
        return ZERO
    if invoice.tax is not None and fits(invoice.tax, 2) and abs(invoice.tax - exact) <= CENT * taxed:
        return invoice.tax
    if inclusive:
        return sum((d.tax for d in drafts), ZERO)
    natural_net = sum((d.amount for d in drafts), ZERO)
    if abs(invoice.total - natural_net - exact) <= CENT * taxed:
        return invoice.total - natural_net
    return invoice.total - cents(sum((part.net for part in parts), ZERO))


def _spread(gap: Decimal, drafts: Sequence[_Draft], inclusive: bool) -> None:
    """Move discounts by a cent where the whole discount, rounded line by line, is a few cents off."""
    discounted = [d for d in drafts if d.line.discount and d.amount]
    discounted.sort(key=lambda d: d.line.discount - d.exact_discount, reverse=gap > 0)
    step = CENT if gap > 0 else -CENT
    for draft in discounted:
        if not gap:
            return
        if draft.line.discount - step <= 0 or draft.amount + step <= 0:
            continue
        draft.discount(draft.line.discount - step)
        draft.tax_by_xero(inclusive)
        gap -= step


def _adjust_taxes(gap: Decimal, drafts: Sequence[_Draft]) -> bool:
    """Give single lines a tax one cent off, those nearest to it first; False when a cent per line is not enough."""
    if not gap:
        return True
    step = CENT if gap > 0 else -CENT
    taxed = [d for d in drafts if d.rate and d.amount]
    taxed.sort(key=lambda d: d.exact_tax - d.natural_tax, reverse=gap > 0)
    for draft in taxed:
        if not gap:
            break
        if abs(draft.tax + step) > abs(draft.amount):
            continue
        draft.tax += step
        gap -= step
    return not gap


def _rounding_line(gap: Decimal, rounding: tuple[str, str]) -> _Draft:
    account, tax_type = rounding
    line = DocumentLine("Rounding", Decimal(1), gap, account, tax_type)
    return _Draft(line, gap, ZERO, gap, ZERO, ZERO, ZERO, ZERO, False)


def _mismatch(invoice: Invoice, parts: Sequence[Share]) -> Problem:
    net, tax = sum((p.net for p in parts), ZERO), sum((p.tax for p in parts), ZERO)
    facts: dict[str, Any] = {
        "currency": invoice.currency,
        "stated": text(invoice.total),
        "net": text(round_to(net, 6)),
        "tax": text(round_to(tax, 6)),
        "reckoned": text(round_to(net + tax, 6)),
        "difference": text(invoice.total - cents(net + tax)),
    }
    return Problem("total_mismatch", facts, "total")
