"""CrocoClick's arithmetic and Xero's, written a second time with fractions, and invoices at random to try them on.

Nothing here comes from `syncer.core.totals`: two tellings of the same rules have to agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

from syncer.core.books import DocumentLine
from syncer.core.invoice import Customer, Discount, Invoice, LineItem, Status, Tax

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


def factor(taxes: Sequence[Tax]) -> Fraction:
    """What a net of one costs with these taxes; a compound one is taken on the net and all that are not."""
    simple = 1 + sum((Fraction(tax.rate) / 100 for tax in taxes if not tax.compound), Fraction(0))
    for tax in taxes:
        if tax.compound:
            simple *= 1 + Fraction(tax.rate) / 100
    return simple


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


def by_line(invoice: Invoice, places: int) -> tuple[Decimal, Decimal]:
    """Total and tax when CrocoClick rounds each line, and each line's tax."""
    total = taxes = Decimal(0)
    for (net, tax), line in zip(nets_and_taxes(invoice), invoice.lines, strict=True):
        taxes += rounded(tax, places)
        total += rounded(net + tax, places) if line.tax_inclusive else rounded(net, places) + rounded(tax, places)
    return total, taxes


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


# The taxes that lines carry: common French ones, a thousandth, none at all, two at once, one on top of another.
PALETTE = [
    (),
    (Tax("t20", "TVA 20", Decimal(20)),),
    (Tax("t10", "TVA 10", Decimal(10)),),
    (Tax("t55", "TVA 5,5", Decimal("5.5")),),
    (Tax("t21", "TVA 2,1", Decimal("2.1")),),
    (Tax("t0", "Zero", Decimal(0)),),
    (Tax("gst", "GST", Decimal(5)), Tax("qst", "QST", Decimal("9.975"))),
    (Tax("a", "Base", Decimal(10)), Tax("b", "On top", Decimal("4.5"), compound=True)),
]
TAX_TYPES = {taxes: f"TAX{place:03}" for place, taxes in enumerate(PALETTE)}
FACTORS = {name: factor(taxes) for taxes, name in TAX_TYPES.items()} | {"ROUNDING": Fraction(1)}


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
    reading = chance.choice([by_document, by_line])
    total, tax = reading(draft, chance.choice([2, MINOR_UNITS[currency]]))
    return replace(draft, total=total, tax=tax if chance.random() < 0.5 else None)


def _any_line(chance: Random, palette: Sequence[tuple[Tax, ...]], inclusive: bool) -> LineItem:
    places = chance.choice([0, 2, 2, 2, 2, 3, 4, 6])
    most = chance.choice([10, 1000, 100_000]) * 10**places
    price = Decimal(chance.randint(0, most)).scaleb(-places) if chance.random() < 0.95 else Decimal(0)
    if chance.random() < 0.08:
        price = -price
    return LineItem(
        name="Conseil",
        quantity=_any_quantity(chance),
        unit_price=price,
        taxes=chance.choice(palette),
        tax_inclusive=inclusive,
        product_id=chance.choice(["", "p1", "p2"]),
    )


def _any_quantity(chance: Random) -> Decimal:
    kind = chance.random()
    if kind < 0.7:
        return Decimal(chance.randint(1, 40))
    if kind < 0.9:
        return Decimal(chance.randint(1, 400)) / chance.choice([2, 4, 8])
    if kind < 0.97:
        return Decimal(chance.randint(1, 10**6)).scaleb(-chance.randint(3, 6))
    return Decimal(chance.choice(["0", "-1", "-2.5"]))


def _any_discount(chance: Random, lines: Sequence[LineItem]) -> Discount | None:
    kind = chance.random()
    products = chance.choice([(), (), ("p1",), ("p1", "p2")])
    if kind < 0.5:
        return None
    if kind < 0.75:
        return Discount(True, Decimal(chance.choice(["5", "10", "12.5", "33.33", "2.75", "100", "0"])), products)
    most = max(1, int(sum((line.amount for line in lines), Decimal(0)) * 100))
    return Discount(False, Decimal(chance.randint(0, most)).scaleb(-2), products)
