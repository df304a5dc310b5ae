"""Rounding, and amounts as text."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.model.money import (
    cents,
    decimals,
    fits,
    is_half_cent,
    round_to,
    show,
    text,
    whole_total,
    without_dust,
)  # fmt: skip

AMOUNTS = st.decimals(-(10**9), 10**9, places=6)


@given(AMOUNTS, st.integers(0, 6))
def test_rounding_is_never_off_by_more_than_half_a_step(amount, places):
    """What is exactly in the middle goes away from zero, on both sides of it."""
    rounded = round_to(amount, places)
    step = Fraction(1, 10**places)
    assert (Fraction(rounded) / step).denominator == 1
    distance = Fraction(rounded) - Fraction(amount)
    assert abs(distance) <= step / 2
    if abs(distance) == step / 2:
        assert abs(rounded) > abs(amount)


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_a_float_comes_back_as_the_decimal_that_it_meant(units, places):
    """What a binary float makes of a decimal of up to six places is undone; the sums that carry the dust too."""
    meant = Decimal(units).scaleb(-places)
    if abs(meant) < 10**6:
        assert without_dust(Decimal(repr(float(meant) + 0.1 - 0.1))) == meant
        assert without_dust(Decimal(float(meant))) == meant


@pytest.mark.parametrize(
    ("amount", "kept"), [("-2.8e-14", "0"), ("20.000000000000004", "20"), ("0.0000005", "0.0000005")]
)
def test_dust(amount, kept):
    """Never a minus before a zero; half a millionth is no dust."""
    assert text(without_dust(Decimal(amount))) == kept


@pytest.mark.parametrize(
    ("amount", "currency", "total"),
    [("1571.33705", "GBP", "1571.34"), ("8.165", "GBP", "8.17"), ("-8.165", "EUR", "-8.17"), ("1.2345", "KWD", "1.235"),
     ("99.5", "JPY", "100"), ("99.50", "EUR", "99.50")],
)  # fmt: skip
def test_a_total_has_no_more_places_than_its_currency(amount, currency, total):
    """Rounded half up, as the customer was charged."""
    assert str(whole_total(Decimal(amount), currency)) == total


@given(AMOUNTS)
def test_a_half_cent_is_where_the_direction_matters(amount):
    """Only there do rounding up and rounding down to the nearest cent disagree."""
    up, down = (amount.quantize(Decimal("0.01"), rounding) for rounding in ("ROUND_HALF_UP", "ROUND_HALF_DOWN"))
    assert is_half_cent(amount) == (up != down)
    assert cents(amount) == up


@given(AMOUNTS, st.integers(0, 6))
def test_an_amount_fits_when_rounding_changes_nothing(amount, places):
    """Trailing zeros do not count."""
    assert fits(amount, places) == (round_to(amount, places) == amount)


@given(AMOUNTS)
def test_a_number_is_written_one_way_and_read_back(amount):
    """However many zeros it came with, it has one spelling, and no value is lost."""
    written = text(amount)
    assert Decimal(written) == amount
    assert text(amount * Decimal("1.000")) == text(amount.normalize()) == written


@pytest.mark.parametrize(
    ("amount", "written"),
    [("2.0", "2"), ("-0.00", "0"), ("2E+3", "2000"), ("100", "100"), ("-0.10", "-0.1"), ("1E-7", "0.0000001")],
)
def test_plain_digits_only(amount, written):
    """No exponent, no trailing zeros, no minus before a zero."""
    assert text(Decimal(amount)) == written


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1266", "EUR", "1266.00"),
        ("3500", "JPY", "3500"),
        ("3500.5", "JPY", "3500.5"),
        ("1.2", "KWD", "1.200"),
        ("0.001", "EUR", "0.001"),
        ("-5", "USD", "-5.00"),
    ],
)
def test_an_amount_shows_the_decimals_of_its_currency(amount, currency, shown):
    """More only where it has more, so that nothing is hidden."""
    assert show(Decimal(amount), currency) == shown


def test_currencies_have_their_own_minor_units():
    """ISO 4217: yen none, dinars three, nearly all others two."""
    assert [decimals(currency) for currency in ("JPY", "XPF", "KWD", "TND", "EUR", "ZZZ")] == [0, 0, 3, 3, 2, 2]
