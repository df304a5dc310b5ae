"""Single values of CrocoClick's JSON: each is what it should be, or it is told apart with its field.

Whatever JSON arrives, nothing here raises anything but Garbage. JSON numbers come as int and Decimal (`wire`).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn

from syncer.domain.mapping.plain_text import is_whole, without_odd_characters
from syncer.domain.model.money import without_dust

LARGEST = Decimal(10) ** 15  # no amount of money; the ledger holds larger ones
LONGEST = 60  # characters of an amount
SHOWN = 40  # characters of a value that is shown to a person
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")


class Garbage(ValueError):
    """A field that cannot be what it says: what stood there, as it can be shown, and what is wrong with it."""

    def __init__(self, field: str, reason: str, found: Any = None) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.found = shown(found)


def garbage(field: str, reason: str, found: Any = None) -> NoReturn:
    """Raise Garbage, as an expression."""
    raise Garbage(field, reason, found)


def shown(value: Any) -> str:
    """A value as it can be shown and kept: short, and every character one that can be written."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    written = "" if value is None else str(value)[:SHOWN]
    return "".join([char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in written])


def loose_text(value: Any) -> str:
    """A text or number as text that can be written; anything else is none. For what nothing is decided by."""
    if isinstance(value, str):
        return value if value.isascii() else without_odd_characters(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    return str(value)[:SHOWN]


def text(row: Mapping[str, Any], name: str, field: str = "") -> str:
    """An id, a name, an email: never repaired. A number is the text of its digits; missing is empty."""
    value = row.get(name)
    if isinstance(value, str):
        return value if is_whole(value) else garbage(field or name, "has half of a character", value)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return garbage(field or name, "is no text", value)
    return str(value) if len(str(value)) <= SHOWN else garbage(field or name, "is no text", value)


def prose(row: Mapping[str, Any], name: str, field: str = "") -> str:
    """A text for people to read; halves of characters are left out of it."""
    value = row.get(name)
    if isinstance(value, str):
        return value if is_whole(value) else value.encode("utf-8", "ignore").decode()
    return text(row, name, field)


def flag(row: Mapping[str, Any], name: str, missing: bool, field: str = "") -> bool:
    """True or false; `missing` stands for one that is not there."""
    value = row.get(name)
    if value is None:
        return missing
    return value if isinstance(value, bool) else garbage(field or name, "is neither true nor false", value)


def amount(row: Mapping[str, Any], name: str, missing: Decimal | None = None, field: str = "") -> Decimal:
    """A number, written as a number or as a text; `missing` stands for one that is not there."""
    value = row.get(name)
    kind = type(value)
    if kind is Decimal or kind is int:
        found = _sound(value)
    elif value is None or value == "":
        return garbage(field or name, "is missing") if missing is None else missing
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        found = _sound(Decimal(value.strip()))
    else:
        return garbage(field or name, "is no number", value)
    return garbage(field or name, "is no amount", value) if found is None else found


@lru_cache(4096)
def _sound(value: Decimal | int) -> Decimal | None:
    """The amount that was meant, or None for what is no amount of money; a float's dust comes to zero."""
    found = Decimal(value)
    if not abs(found) < LARGEST:
        return None
    near = without_dust(found)
    return near if len(str(near)) <= LONGEST else None


def whole_count(value: Any) -> int | None:
    """A number of records or calls, written as a number or as a text; None where it is none."""
    if isinstance(value, str):
        value = value.strip()
        return int(value) if re.fullmatch(r"[0-9]{1,12}", value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value < LARGEST:
        return None
    return int(value)
