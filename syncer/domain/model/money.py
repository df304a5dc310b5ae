"""Amounts of money: `Decimal` in the major unit of a currency, and rounding in one place."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")
_HALF_CENT = Decimal("0.005")
_MILLIONTH = Decimal("0.000001")
_DUST = Decimal("1e-9")
_STEPS = {places: ONE.scaleb(-places) for places in range(13)}

# ISO 4217: the currencies whose minor unit is not a hundredth.
_WHOLE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def decimals(currency: str) -> int:
    """How many decimals amounts of this ISO 4217 currency have."""
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def round_to(amount: Decimal, places: int) -> Decimal:
    """Round half away from zero to this many decimals."""
    return amount.quantize(_STEPS[places], ROUND_HALF_UP)


def without_dust(amount: Decimal) -> Decimal:
    """The decimal of at most six places that a binary float meant; an amount that is no such decimal stays as it is.

    JSON numbers come from binary floats: 179.99 + 69.99 is written as 249.98000000000002. `amount` is below 10^15.
    """
    near = amount.quantize(_MILLIONTH, ROUND_HALF_UP)
    if near == amount or abs(near - amount) >= _DUST:
        return amount
    return near + ZERO  # never a minus before a zero


def whole_total(amount: Decimal, currency: str) -> Decimal:
    """A total with more decimals than its currency has, rounded half up to those that it has."""
    places = decimals(currency)
    return amount if fits(amount, places) else round_to(amount, places)


def cents(amount: Decimal) -> Decimal:
    """Round half away from zero to the two decimals that Xero keeps for every currency."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def is_half_cent(amount: Decimal) -> bool:
    """Whether rounding this to two decimals depends on the direction taken at exactly half a cent."""
    return abs(amount - amount.quantize(CENT, ROUND_DOWN)) == _HALF_CENT


def fits(amount: Decimal, places: int) -> bool:
    """Whether the amount has no more than this many decimals, trailing zeros apart."""
    return amount == amount.quantize(_STEPS[places], ROUND_DOWN)


def text(amount: Decimal) -> str:
    """The one way to write this number in plain digits: no exponent, no trailing zeros, no minus before a zero."""
    written = format(amount, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def show(amount: Decimal, currency: str) -> str:
    """The amount with the decimals of its currency, more where it has more: `1266.00`, `3500`, `0.001`."""
    places = decimals(currency)
    if not fits(amount, places):
        return text(amount)
    return format(round_to(amount, places), "f")
