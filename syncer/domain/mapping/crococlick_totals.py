"""CrocoClick's arithmetic: what each line of an invoice comes to, and the totals that it may have been rounded to.

CrocoClick (HighLevel) takes the discount first and taxes what remains. Its rounding is not published: sums of the
document may be rounded, or each line, and several taxes together or each for itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from syncer.domain.model.invoice import Invoice, LineItem, Tax
from syncer.domain.model.money import CENT, ONE, ZERO, decimals, fits, round_to

HUNDRED = Decimal(100)
ENDLESS = 12  # a pro rata part may have decimals without end; what it loses after so many is no part of the money


@dataclass(slots=True)
class LineShare:
    """One line, exact: after its part of the discount, with and without tax."""

    line: LineItem
    discount: Decimal
    rate: Decimal  # of all its taxes together, as a fraction
    net: Decimal
    tax: Decimal


def taxes_on(net: Decimal, taxes: Iterable[Tax]) -> list[tuple[Tax, Decimal]]:
    """Each tax on this net; a compound one is taken on the net and the taxes before it, the plain ones come first."""
    found, reached = [], net
    for tax in sorted(taxes, key=lambda one: one.compound):
        amount = (reached if tax.compound else net) * tax.rate / HUNDRED
        reached += amount
        found.append((tax, amount))
    return found


def combined_rate(taxes: Iterable[Tax]) -> Decimal:
    """All taxes of a line as one fraction of its net."""
    return sum((amount for _, amount in taxes_on(ONE, taxes)), ZERO)


def shares(invoice: Invoice) -> list[LineShare]:
    """Each line with its part of the document's discount and its tax, unrounded."""
    discounts = _discounts(invoice)
    return [_share(line, part) for line, part in zip(invoice.lines, discounts, strict=True)]


def _share(line: LineItem, discount: Decimal) -> LineShare:
    stated = line.amount - discount
    if not line.taxes:
        return LineShare(line, discount, ZERO, stated, ZERO)
    rate = combined_rate(line.taxes)
    if line.tax_inclusive:
        net = stated / (1 + rate)
        return LineShare(line, discount, rate, net, stated - net)
    return LineShare(line, discount, rate, stated, stated * rate)


def _discounts(invoice: Invoice) -> list[Decimal]:
    """The discount of each line: a percentage of it, or its pro rata part of a fixed amount."""
    discount = invoice.discount
    if discount is None:
        return [ZERO] * len(invoice.lines)
    products = discount.product_ids
    bases = [ZERO if products and line.product_id not in products else line.amount for line in invoice.lines]
    whole = HUNDRED if discount.percentage else sum(bases, ZERO)
    return [base * discount.value / whole if whole else ZERO for base in bases]


def rounding_unit(invoice: Invoice, parts: Sequence[LineShare]) -> Decimal | None:
    """What CrocoClick rounded the total to, the currency's whole unit or a cent; None when no rounding explains it."""
    if not fits(invoice.total, 2):
        return None
    for places in sorted({decimals(invoice.currency), 2}):
        if invoice.total in readings(parts, places):
            return max(CENT, ONE.scaleb(-places))
    return None


def readings(parts: Sequence[LineShare], places: int) -> Iterator[Decimal]:
    """What CrocoClick may say the total is: its document's sums rounded, or its lines' amounts."""
    net = sum((part.net for part in parts), ZERO)
    yield _round(net + sum((part.tax for part in parts), ZERO), places)
    yield _round(net, places) + _rounded_sums(((part.rate, part.tax) for part in parts), places)
    yield _round(net, places) + _rounded_sums((each for part in parts for each in _taxes_of(part)), places)
    for stepwise in (False, True):
        for apart in (False, True):
            yield sum((_line_total(part, places, stepwise, apart) for part in parts), ZERO)


def _taxes_of(part: LineShare) -> list[tuple[Tax, Decimal]]:
    return taxes_on(part.net, part.line.taxes)


def _rounded_sums(amounts: Iterable[tuple[object, Decimal]], places: int) -> Decimal:
    """Those of one kind added, and each sum rounded."""
    sums: defaultdict[object, Decimal] = defaultdict(Decimal)
    for kind, amount in amounts:
        sums[kind] += amount
    return sum((_round(amount, places) for amount in sums.values()), ZERO)


def _line_total(part: LineShare, places: int, stepwise: bool, apart: bool) -> Decimal:
    """The line's net and its tax, from the net as it is or (`stepwise`) as rounded, its taxes together or `apart`."""
    if part.line.tax_inclusive:
        return _round(part.net + part.tax, places)
    net = _round(part.net, places)
    taxes = [amount for _, amount in taxes_on(net if stepwise else part.net, part.line.taxes)]
    return net + sum((_round(tax, places) for tax in (taxes if apart else [sum(taxes, ZERO)])), ZERO)


def _round(amount: Decimal, places: int) -> Decimal:
    return round_to(round_to(amount, ENDLESS), places)
