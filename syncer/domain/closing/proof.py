"""A proof: lines of JSON, each with a hash that covers the hash before it. docs/proof.md tells how to check one.

Who checks needs no product and no connection; who alters anything has to write all that follows anew, and then the hash
of the last line, the seal, is not the one that was noted.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = 1
START = "0" * 64  # what the first line's hash covers in place of a hash before it
_BEFORE_HASH, _AFTER_HASH = b',"hash":"', b'"}'
_TAIL = len(_BEFORE_HASH) + 64 + len(_AFTER_HASH)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to: `line` is the first that is not as it was written, counted from 1; None where all are."""

    lines: int
    line: int | None = None
    why: str = ""
    seal: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the file is as it was written."""
        return self.line is None


def sealed(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The lines of a proof of these records, the seal last."""
    before, number = START, 0
    for number, record in enumerate(records, 1):
        line = chained({"line": number, **record}, before)
        before = hash_of(line)
        yield line
    yield chained({"line": number + 1, "kind": "seal", "lines": number + 1}, before)


def chained(record: Mapping[str, Any], before: str) -> bytes:
    """One line: the record as JSON, its last member the hash of the hash before and all that stands before it."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")[:-1]
    return body + _BEFORE_HASH + _hash(before, body).encode() + _AFTER_HASH + b"\n"


def hash_of(line: bytes) -> str:
    """The hash that a line carries."""
    return line.rstrip(b"\n")[-64 - len(_AFTER_HASH) : -len(_AFTER_HASH)].decode("ascii", "replace")


def _hash(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()


def verified(lines: Iterable[bytes]) -> Verdict:
    """Check the lines of a file, each with its line feed."""
    before, number, seal = START, 0, b""
    for number, line in enumerate(lines, 1):
        if seal:
            return Verdict(number, number, "stands after the seal")
        if why := _fault(line, number, before):
            return Verdict(number, number, why)
        before = hash_of(line)
        if _member(line, "kind") == "seal":
            seal = line
    if not seal:
        return Verdict(number, number + 1, "is missing: the file ends without its seal")
    if _member(seal, "lines") != number:
        return Verdict(number, number, "names another number of lines than there are")
    return Verdict(number, seal=before)


def _fault(line: bytes, number: int, before: str) -> str:
    """What is wrong with a line by itself; empty where nothing is."""
    if not line.endswith(b"\n"):
        return "does not end with a line feed"
    body, tail = line[: -_TAIL - 1], line[-_TAIL - 1 : -1]
    if not tail.startswith(_BEFORE_HASH) or not tail.endswith(_AFTER_HASH):
        return "carries no hash"
    if _hash(before, body).encode() != tail[len(_BEFORE_HASH) : -len(_AFTER_HASH)]:
        return "is not as it was written, or not in its place"
    if _member(line, "line") != number:
        return "has another number"
    return ""


def _member(line: bytes, name: str) -> Any:
    """A member of a line's object; None where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found.get(name) if isinstance(found, dict) else None
