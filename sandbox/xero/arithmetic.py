"""Xero's arithmetic in whole numbers: cents, and ten-thousandths for prices, quantities and rates.

A line is round(quantity × price − discount) to the cent; tax is reckoned per line on the rounded line, rounded to
the cent, then summed. Published examples of both are among the tests.
"""


def divide_up(n: int, d: int) -> int:
    """Returns n / d to the nearest whole, halves away from zero."""
    return (2 * n + d) // (2 * d) if n >= 0 else -((-2 * n + d) // (2 * d))


def divide_even(n: int, d: int) -> int:
    """Returns n / d to the nearest whole, halves to the even neighbour."""
    whole, rest = divmod(n, d)
    return whole + (2 * rest > d or (2 * rest == d and whole % 2 == 1))


def divide_down(n: int, d: int) -> int:
    """Returns n / d to the nearest whole, halves towards zero."""
    return -((d - 2 * n) // (2 * d)) if n >= 0 else (d + 2 * n) // (2 * d)


HALVES = {"up": divide_up, "even": divide_even, "down": divide_down}


def line_cents(quantity: int, price: int, rate: int = 0, amount: int = 0, rate_half: str = "up") -> int:
    """Cents of a line: quantity and price in 1/10,000, a discount as percent in 1/10,000 or as cents."""
    gross = quantity * price  # 10^-8
    if rate:
        # A percentage discount that ends on a half cent is reported to round either way: a switch.
        truncated = rate_half == "down"
        top, bottom = gross * (1_000_000 - rate), 10**12
        return _truncate(top, bottom) if truncated else divide_up(top, bottom)
    return divide_up(gross - amount * 10**6, 10**6)


def _truncate(n: int, d: int) -> int:
    return n // d if n >= 0 else -(-n // d)


def tax_cents(cents: int, rate: int, amount_types: str, half: str = "up") -> int:
    """Tax of a line; the rate is a percent in 1/10,000."""
    if amount_types == "NoTax" or not rate:
        return 0
    divide = HALVES[half]
    if amount_types == "Inclusive":
        return divide(cents * rate, 1_000_000 + rate)
    return divide(cents * rate, 1_000_000)
