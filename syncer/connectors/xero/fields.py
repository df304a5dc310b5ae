"""One field of what Xero sends, in the form that we need; no I/O.

Nothing is guessed: what has another form raises `Garbled`, so that the record is left out and named.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncer.domain.model.money import ZERO

_MS_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Powers of ten: no amount, price or rate is beyond, and decimal arithmetic stays exact within.
_LARGEST, _SMALLEST = 15, -60
_SHOWN = 60


class Garbled(Exception):
    """A field that cannot be read: its name, and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


def text(record: Mapping[str, Any], name: str) -> str:
    """A text without halves of characters, which no UTF-8 can hold; empty where there is none."""
    value = record.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Decimal):
        return str(value)
    raise Garbled(name, f"is {shown(value)}, which is no text")


def needed(record: Mapping[str, Any], name: str) -> str:
    """A text that no record of its kind is without."""
    return text(record, name) or _missing(name)


def number(record: Mapping[str, Any], name: str) -> Decimal:
    """A number, also one written as text; zero where there is none."""
    value = record.get(name)
    if value is None:
        return ZERO
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, Decimal) or not _is_plain(value):
        raise Garbled(name, f"is {shown(value)}, which is no amount")
    return value


def needed_number(record: Mapping[str, Any], name: str) -> Decimal:
    """A number that no record of its kind is without."""
    return _missing(name) if record.get(name) is None else number(record, name)


def count(record: Mapping[str, Any], name: str) -> int | None:
    """A whole number of things; None where there is none, or none that makes sense."""
    try:
        value = number(record, name) if record.get(name) is not None else None
    except Garbled:
        return None
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def day(record: Mapping[str, Any], name: str) -> date | None:
    """A date of a document: midnight of that date written as if it were UTC, never to be shifted by a zone.

    None where there is none: a draft may be without.
    """
    found = moment(record, name) or moment(record, f"{name}String")
    if found is None and any(record.get(key) not in (None, "") for key in (name, f"{name}String")):
        raise Garbled(name, f"is {shown(record.get(name) or record.get(f'{name}String'))}, which is no date")
    return found.date() if found else None


def moment(record: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in UTC: `/Date(ms+0000)/`, or ISO where there is no zone but UTC; None for anything else."""
    written = record.get(name)
    if not isinstance(written, str):
        return None
    try:
        if at := _MS_DATE.fullmatch(written):
            return _EPOCH + timedelta(milliseconds=int(at[1]))
        # /connections has seven digits of a second, one more than Python reads.
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside a record; empty where there is none."""
    value = record.get(name)
    if value is not None and not isinstance(value, dict):
        raise Garbled(name, f"is {shown(value)}, which is no object")
    return value or {}


def parts(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list inside a record; a null among them is nothing."""
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Garbled(name, f"is {shown(value)}, which is no list")
    found = [item for item in value if item is not None]
    if odd := [item for item in found if not isinstance(item, dict)]:
        raise Garbled(name, f"holds {shown(odd[0])}, which is no object")
    return found


def whole(written: str) -> str:
    """A text without halves of characters."""
    return written if written.isascii() else written.encode("utf-8", "ignore").decode()


def shown(value: Any) -> str:
    """A value as a sentence shows it: short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    written = whole(str(value) if isinstance(value, Decimal) else repr(value))
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"


def _is_plain(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent  # a letter for what is not finite
    return isinstance(exponent, int) and exponent >= _SMALLEST and value.adjusted() <= _LARGEST


def _missing(name: str) -> Any:
    raise Garbled(name, "is missing")
