"""CrocoClick's arithmetic and Xero's, written a second time with fractions, and invoices at random to try them on.

Nothing here comes from `syncer.domain.mapping.xero_totals`: two tellings of the same rules have to agree.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

from syncer.domain.model.books import DocumentLine
from syncer.domain.model.invoice import Customer, Discount, Invoice, LineItem, Status, Tax

DIRECTIONS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN)
MINOR_UNITS = {"EUR": 2, "JPY": 0, "KWD": 3}


def rounded(amount: Fraction, places: int = 2, direction: str = ROUND_HALF_UP) -> Decimal:
    """The fraction at so many decimals, what is exactly in the middle going in this direction."""
    scaled = abs(amount) * 10**places
    whole, rest = divmod(scaled, 1)
    up = rest > Fraction(1, 2)
    if rest == Fraction(1, 2):
        up = direction == ROUND_HALF_UP or (direction == ROUND_HALF_EVEN and whole % 2 == 1)
    return Decimal(int(whole + up) * (1 if amount >= 0 else -1)).scaleb(-places)


def each_tax(net: Fraction, taxes: Sequence[Tax]) -> list[Fraction]:
    """The amount of each tax on a net: the plain ones on the net, a compound one on all that comes before it."""
    amounts = [Fraction(0)] * len(taxes)
    for place, tax in enumerate(taxes):
        if not tax.compound:
            amounts[place] = net * Fraction(tax.rate) / 100
    reached = net + sum(amounts, Fraction(0))
    for place, tax in enumerate(taxes):
        if tax.compound:
            amounts[place] = reached * Fraction(tax.rate) / 100
            reached += amounts[place]
    return amounts


def factor(taxes: Sequence[Tax]) -> Fraction:
    """What a net of one costs with these taxes."""
    return 1 + sum(each_tax(Fraction(1), taxes), Fraction(0))


def nets_and_taxes(invoice: Invoice) -> list[tuple[Fraction, Fraction]]:
    """CrocoClick: the discount first, then tax on what remains; of a price with tax in it, the part that is tax."""
    amounts = [Fraction(line.quantity) * Fraction(line.unit_price) for line in invoice.lines]
    answer = []
    for line, amount, cut in zip(invoice.lines, amounts, _cuts(invoice, amounts), strict=True):
        left, times = amount - cut, factor(line.taxes)
        net = left / times if line.tax_inclusive else left
        answer.append((net, net * times - net))
    return answer


def _cuts(invoice: Invoice, amounts: Sequence[Fraction]) -> list[Fraction]:
    cut = invoice.discount
    if cut is None:
        return [Fraction(0)] * len(amounts)
    meant = [not cut.product_ids or line.product_id in cut.product_ids for line in invoice.lines]
    base = sum((amount for amount, hit in zip(amounts, meant, strict=True) if hit), Fraction(0))
    share = Fraction(cut.value) / 100 if cut.percentage else (Fraction(cut.value) / base if base else Fraction(0))
    return [amount * share if hit else Fraction(0) for amount, hit in zip(amounts, meant, strict=True)]


def by_document(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """Total and tax when CrocoClick rounds once, at the end."""
    parts = nets_and_taxes(invoice)
    taxes = sum((tax for _, tax in parts), Fraction(0))
    return rounded(sum((net for net, _ in parts), taxes), places), rounded(taxes, places)


def by_rate(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """The same when it rounds the net once, and what lines of equal taxes bear once."""
    return _by_sums(invoice, places, lambda line, tax: [(factor(line.taxes), tax)])


def by_tax(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """The same when it rounds the net once, and each tax of the invoice once."""
    return _by_sums(invoice, places, lambda line, tax: zip(line.taxes, _each_of(line, tax), strict=True))


def _each_of(line: LineItem, tax: Fraction) -> list[Fraction]:
    """A line's whole tax, told apart by its taxes."""
    return each_tax(tax / (factor(line.taxes) - 1), line.taxes) if tax else [Fraction(0)] * len(line.taxes)


def _by_sums(invoice: Invoice, places: int, groups: Callable) -> tuple[Decimal, Decimal]:
    parts = nets_and_taxes(invoice)
    sums: dict[object, Fraction] = {}
    for line, (_, tax) in zip(invoice.lines, parts, strict=True):
        for group, amount in groups(line, tax):
            sums[group] = sums.get(group, Fraction(0)) + amount
    tax = sum((rounded(amount, places) for amount in sums.values()), Decimal(0))
    return rounded(sum((net for net, _ in parts), Fraction(0)), places) + tax, tax


def by_line(invoice: Invoice, places: int, apart: bool = False, step: bool = False) -> tuple[Decimal, Decimal]:
    """The same when it rounds each line, and its tax, or its taxes `apart`, reckoned from the rounded net (`step`)."""
    total = taxes = Decimal(0)
    for (net, tax), line in zip(nets_and_taxes(invoice), invoice.lines, strict=True):
        times = factor(line.taxes)
        shown = rounded(net + tax if line.tax_inclusive else net, places)
        if step:
            tax = Fraction(shown) * (times - 1) / (times if line.tax_inclusive else 1)
        tax = sum((rounded(one, places) for one in (_each_of(line, tax) if apart else [tax])), Decimal(0))
        taxes += tax
        total += shown if line.tax_inclusive else shown + tax
    return total, taxes


def by_line_apart(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """Each line's net, and each of its taxes."""
    return by_line(invoice, places, apart=True)


def by_steps(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """Each line's net, then its tax on that."""
    return by_line(invoice, places, step=True)


def by_steps_apart(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """Each line's net, then each of its taxes on that."""
    return by_line(invoice, places, apart=True, step=True)


READINGS = (by_document, by_rate, by_tax, by_line, by_line_apart, by_steps, by_steps_apart)
CEILING = Decimal("9999999999.99")
UNEXPLAINED = "its total does not follow from its lines"


def readings(invoice: Invoice) -> Iterator[tuple[Decimal, Decimal]]:
    """Every total and tax that CrocoClick may state for these lines, rounded to cents or to the currency's own unit."""
    for read in READINGS:
        for places in {2, MINOR_UNITS[invoice.currency]}:
            yield read(invoice, places)


def unrepresentable(invoice: Invoice) -> str:
    """Why Xero cannot show this invoice to the cent, or nothing: docs/decisions/0005 in code."""
    stated = [invoice.total] if invoice.tax is None else [invoice.total, invoice.tax]
    amounts = [Fraction(line.quantity) * Fraction(line.unit_price) for line in invoice.lines]
    if invoice.total < 0:
        return "its total is negative"
    if any(amount != amount.quantize(Decimal("0.01")) for amount in stated):
        return "a third decimal"
    if max(map(abs, [*amounts, *_cuts(invoice, amounts)])) > CEILING:
        return "an amount beyond the ceiling"
    if any(list(read[: len(stated)]) == stated for read in readings(invoice)):
        return ""
    explained = any(total == invoice.total for total, _ in readings(invoice))
    return "its tax is of another rounding than its total" if explained else UNEXPLAINED


@dataclass(frozen=True)
class InXero:
    """What Xero makes of lines: the document's total and tax, and each line's."""

    total: Decimal
    tax: Decimal
    amounts: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]


def in_xero(
    lines: Sequence[DocumentLine], inclusive: bool, factors: Callable[[str], Fraction], direction: str = ROUND_HALF_UP
) -> InXero:
    """Xero: each line to cents, its tax to cents unless we state it, then sums."""
    amounts = tuple(
        rounded(Fraction(line.quantity) * Fraction(line.unit_amount) - Fraction(line.discount), 2, direction)
        for line in lines
    )
    taxes = []
    for line, amount in zip(lines, amounts, strict=True):
        times = factors(line.tax_type)
        natural = Fraction(amount) * (times - 1) / (times if inclusive else 1)
        taxes.append(rounded(natural, 2, direction) if line.tax_amount is None else line.tax_amount)
    tax = sum(taxes, Decimal(0))
    return InXero(sum(amounts, Decimal(0)) + (0 if inclusive else tax), tax, amounts, tuple(taxes))


# The taxes that lines carry: common French ones, a thousandth, none at all, several at once, some on top of others.
PALETTE = [
    (),
    (Tax("t20", "TVA 20", Decimal(20)),),
    (Tax("t10", "TVA 10", Decimal(10)),),
    (Tax("t55", "TVA 5,5", Decimal("5.5")),),
    (Tax("t21", "TVA 2,1", Decimal("2.1")),),
    (Tax("t0", "Zero", Decimal(0)),),
    (Tax("gst", "GST", Decimal(5)), Tax("qst", "QST", Decimal("9.975"))),
    (Tax("a", "Base", Decimal(10)), Tax("b", "On top", Decimal("4.5"), compound=True)),
    (Tax("gst", "GST", Decimal(5)), Tax("top", "QST on top", Decimal("9.975"), compound=True)),
    (Tax("st", "State", Decimal("4.0625")), Tax("ct", "City", Decimal("2.5")), Tax("d", "District", Decimal("0.375"))),
]
TAX_TYPES = {taxes: f"TAX{place:03}" for place, taxes in enumerate(PALETTE)}
FACTORS = {name: factor(taxes) for taxes, name in TAX_TYPES.items()} | {"ROUNDING": Fraction(1), "NONE": Fraction(1)}
# What they come to if Xero reckons with the four decimals of a percentage that it shows, cut or rounded.
SHOWN = {name: Fraction(rounded(times, 6)) for name, times in FACTORS.items()}
CUT = {name: Fraction(int(times * 10**6), 10**6) for name, times in FACTORS.items()}


def troubles(one: Invoice, lines: Sequence[DocumentLine], inclusive: bool) -> Iterator[str]:
    """What is wrong with these lines for this invoice, whichever way Xero rounds what is not published."""
    alike = all(FACTORS[line.tax_type] == SHOWN[line.tax_type] for line in lines)
    for factors in (FACTORS,) if alike else (FACTORS, SHOWN, CUT):
        for direction in DIRECTIONS:
            there = in_xero(lines, inclusive, factors.__getitem__, direction)
            if there.total != one.total:
                yield f"a total of {there.total} under {direction}"
            if one.tax is not None and there.tax != rounded(Fraction(one.tax)):
                yield f"a tax of {there.tax} under {direction}"
    if not any(total == one.total for total, _ in readings(one)):
        yield UNEXPLAINED


def exact(invoice: Invoice) -> Fraction:
    """The total before any rounding."""
    return sum((net + tax for net, tax in nets_and_taxes(invoice)), Fraction(0))


def percents(invoice: Invoice) -> list[Decimal]:
    """What Xero's rates for the lines come to."""
    found = [(factor(line.taxes) - 1) * 100 for line in invoice.lines]
    return [Decimal(rate.numerator) / Decimal(rate.denominator) for rate in found]


def tax_types(invoice: Invoice) -> list[str]:
    """The TaxType of each line."""
    return [TAX_TYPES[line.taxes] for line in invoice.lines]


def any_invoice(chance: Random) -> Invoice:
    """An invoice such as people make them, and a few such as nobody should; its total is a true reading."""
    currency = chance.choice(["EUR", "EUR", "EUR", "EUR", "JPY", "KWD"])
    inclusive = chance.choice([(False,), (False,), (True,), (True, False)])
    palette = chance.sample(PALETTE, chance.randint(1, 3))
    lines = tuple(_any_line(chance, palette, chance.choice(inclusive)) for _ in range(chance.randint(1, 8)))
    if chance.random() < 0.03:
        lines += tuple(replace(line, unit_price=-line.unit_price) for line in lines)
    draft = Invoice(
        source_id="650000000000000000000001",
        number="F-1",
        status=Status.SENT,
        live=True,
        customer=Customer("c1", "Anne"),
        currency=currency,
        issue_date=date(2026, 9, 1),
        due_date=date(2026, 10, 1),
        lines=lines,
        total=Decimal(0),
        discount=_any_discount(chance, lines),
    )
    total, tax = chance.choice(READINGS)(draft, chance.choice([2, MINOR_UNITS[currency]]))
    return replace(draft, total=total, tax=tax if chance.random() < 0.5 else None)


def _any_line(chance: Random, palette: Sequence[tuple[Tax, ...]], inclusive: bool) -> LineItem:
    return LineItem(
        name="Conseil",
        quantity=_any_quantity(chance),
        unit_price=_any_price(chance),
        taxes=chance.choice(palette),
        tax_inclusive=inclusive,
        product_id=chance.choice(["", "p1", "p2"]),
    )


def _any_price(chance: Random) -> Decimal:
    kind = chance.random()
    if kind < 0.05:
        return Decimal(0)
    places = chance.choice([0, 2, 2, 2, 2, 3, 4, 5, 6])
    most = 99 if kind < 0.1 else chance.choice([10, 1000, 100_000]) * 10**places
    price = Decimal(chance.randint(0, most)).scaleb(-places)
    return -price if chance.random() < 0.08 else price


def _any_quantity(chance: Random) -> Decimal:
    kind = chance.random()
    if kind < 0.65:
        return Decimal(chance.randint(1, 40))
    if kind < 0.85:
        return Decimal(chance.randint(1, 400)) / chance.choice([2, 4, 8])
    if kind < 0.92:
        return Decimal(chance.randint(1, 10**6)).scaleb(-chance.randint(3, 6))
    if kind < 0.97:
        return Decimal(chance.randint(1000, 10**6))
    return Decimal(chance.choice(["0", "-1", "-2.5"]))


def _any_discount(chance: Random, lines: Sequence[LineItem]) -> Discount | None:
    kind = chance.random()
    products = chance.choice([(), (), ("p1",), ("p1", "p2")])
    if kind < 0.5:
        return None
    if kind < 0.75:
        return Discount(True, Decimal(chance.choice(["5", "10", "12.5", "33.33", "2.75", "100", "0"])), products)
    base = sum((line.amount for line in lines if not products or line.product_id in products), Decimal(0))
    most = max(1, int(base * 100))
    return Discount(False, Decimal(chance.choice([most, chance.randint(0, most)])).scaleb(-2), products)


def traits(one: Invoice) -> Iterator[str]:
    """What is special about an invoice."""
    cut = one.discount
    if one.currency != "EUR":
        yield one.currency
    if cut:
        yield f"a {'percentage' if cut.percentage else 'fixed'} discount{' on some products' * bool(cut.product_ids)}"
    if len({line.tax_inclusive for line in one.lines}) > 1:
        yield "inclusive and exclusive lines"
    if not one.total:
        yield "a total of zero"
    if one.tax is not None:
        yield "a stated tax"
    kinds = {
        "several taxes on a line": lambda line: len(line.taxes) > 1,
        "a compound tax": lambda line: any(tax.compound for tax in line.taxes),
        "a negative line": lambda line: line.amount < 0,
        "a price of more than four decimals": lambda line: line.unit_price != round(line.unit_price, 4),
        "a price below a cent": lambda line: 0 < abs(line.unit_price) < Decimal("0.01"),
        "a quantity with decimals": lambda line: line.quantity != line.quantity.to_integral_value(),
        "a quantity of thousands": lambda line: line.quantity >= 1000,
    }
    yield from (name for name, holds in kinds.items() if any(holds(line) for line in one.lines))
