"""What went over the wire, kept outside the ledger: one compressed file per call, in a folder per day.

Forgetting is deleting folders. Bodies arrive redacted; a missing or damaged file is an answer, not an error.
"""

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

# Fast rather than small: 250 KB cost a few milliseconds and shrink tenfold.
_LEVEL = 1
_MAGIC = b"syncer-bodies 1 "
# Where a batch, or a refusal of one, keeps its elements: in the order sent.
_LISTS = ("Invoices", "Contacts", "Payments", "Elements")


class Payloads:
    """The folder `bodies/`. Safe among threads and processes, since every call has its own file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, connection: str, call_id: str, made_at: datetime, request: bytes, response: bytes) -> None:
        """Write both bodies of a call, readable by this user alone; an OSError (a full disk) is the caller's."""
        path = self._path(connection, call_id, made_at)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = _MAGIC + b"%d\n" % len(request) + zlib.compress(request + response, _LEVEL)
        part = path.with_name(path.name + ".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(written)
        part.rename(path)

    def get(self, connection: str, call_id: str, made_at: datetime) -> tuple[bytes, bytes] | None:
        """Request and response as they were, or None where nothing whole is kept."""
        try:
            head, _, packed = self._path(connection, call_id, made_at).read_bytes().partition(b"\n")
            size = int(head.removeprefix(_MAGIC))
            both = zlib.decompress(packed)
        except (OSError, ValueError, zlib.error):
            return None
        return (both[:size], both[size:]) if len(both) >= size else None

    def element(self, connection: str, call_id: str, made_at: datetime, position: int) -> tuple[Any, Any] | None:
        """Only what concerns the element at `position` (from 0) of a batch: its request and its answer.

        A part that is no JSON, or no list of elements, comes whole: as parsed JSON, or as text. Amounts are Decimal.
        """
        kept = self.get(connection, call_id, made_at)
        return kept and (_element_of(kept[0], position), _element_of(kept[1], position))

    def forget_before(self, day: date, connection: str | None = None) -> int:
        """Delete the bodies, of one connection or of all, of the days (UTC) before this one; returns how many days."""
        gone = 0
        for folder in self._days(connection):
            with suppress(ValueError):
                if date.fromisoformat(folder.name) < day:
                    shutil.rmtree(folder, ignore_errors=True)
                    gone += 1
        return gone

    def _days(self, connection: str | None) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            named = [self._folder / _plain_name(connection)] if connection is not None else list(self._folder.iterdir())
            for folder in named:
                if folder.is_dir():
                    yield from list(folder.iterdir())

    def _path(self, connection: str, call_id: str, made_at: datetime) -> Path:
        day = (made_at.astimezone(UTC) if made_at.tzinfo else made_at).date()
        return self._folder / _plain_name(connection) / day.isoformat() / f"{_plain_name(call_id)}.z"


def _plain_name(name: str) -> str:
    """A name that is one step of a path and stays different from every other: `a/b` is `a%2fb`."""
    return re.sub(r"^\.|[^\w.@-]", lambda odd: "".join(f"%{byte:02x}" for byte in odd[0].encode()), name) or "%"


def _element_of(body: bytes, position: int) -> Any:
    try:
        content = json.loads(body, parse_float=Decimal)
    except ValueError:
        return body.decode("utf-8", "replace")
    for name in _LISTS:
        elements = content.get(name) if isinstance(content, dict) else None
        if isinstance(elements, list) and position < len(elements):
            return elements[position]
    return content
