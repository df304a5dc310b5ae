"""Xero's dates and numbers, in and out. Money inside is whole cents, prices and quantities ten-thousandths."""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sandbox.xero.errors import BadPost

MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
ISO_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$")
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


@lru_cache(4096)
def date_ms(iso: str) -> int:
    """Midnight of a date as if it were UTC: Xero never shifts a date by a time zone."""
    return int(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()) * 1000


def date_field(iso: str) -> str:
    """A date in Microsoft's JSON form."""
    return f"/Date({date_ms(iso)}+0000)/"


def stamp_field(ms: int) -> str:
    """An instant in Microsoft's JSON form."""
    return f"/Date({ms}+0000)/"


@lru_cache(1024)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp_text(ms: int) -> str:
    """An instant as text, `2026-07-16T09:30:00Z`."""
    return _second_text(ms // 1000) + "Z"


def read_date(value: Any, field: str) -> str | None:
    """A date in any form Xero takes, as YYYY-MM-DD."""
    if value is None or value == "":
        return None
    text = str(value)
    found = ISO_DATE.match(text)
    if found:
        return _real_date(found.group(1), text)
    found = MS_DATE.match(text)
    if found:
        return datetime.fromtimestamp(int(found.group(1)) / 1000, UTC).date().isoformat()
    if text.isdigit():
        raise BadPost(f"The string '{text}' is not a valid AllXsd value.")
    raise BadPost(f"JSON for post data was invalid,Could not convert string to DateTime: {text}. Path '{field}'.")


@lru_cache(4096)
def _real_date(day: str, text: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise BadPost(f"The string '{text}' is not a valid AllXsd value.") from None


def scaled(value: Any, places: int) -> int:
    """A number or its text as a whole count of 10^-places, halves away from zero."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value * 10**places)
    try:
        return int(Decimal(value).scaleb(places).to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise BadPost("Input string was not in a correct format") from None


def exact(value: Any) -> Decimal:
    """A number or its text as it was sent."""
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadPost("Input string was not in a correct format") from None
    if not number.is_finite():
        raise BadPost("Input string was not in a correct format")
    return number


def truth(value: Any) -> bool:
    """A boolean as JSON or text gives it."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def is_guid(text: Any) -> bool:
    """Whether this looks like an id of Xero's."""
    return isinstance(text, str) and bool(GUID.match(text))


def long_date(iso: str) -> str:
    """A date as Xero's messages print it, 30-Nov-2018."""
    return date.fromisoformat(iso).strftime("%d-%b-%Y")
