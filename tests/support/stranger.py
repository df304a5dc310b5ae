"""A checker of proofs written from docs/proof.md alone: it imports nothing of the product."""

import hashlib
import json


def altered(content: bytes) -> str:
    """Why the file is not as it was written; empty where it is."""
    if not content.endswith(b"\n"):
        return "no line feed at the end"
    previous = b"0" * 64
    lines = content[:-1].split(b"\n")
    for place, line in enumerate(lines, start=1):
        if len(line) <= 75:
            return f"line {place} is too short"
        start, tail = line[:-75], line[-75:]
        if tail[:9] != b',"hash":"' or tail[73:] != b'"}':
            return f"line {place} has no hash at its end"
        digest = hashlib.sha256(previous + start).hexdigest().encode()
        if digest != tail[9:73]:
            return f"line {place} has another hash"
        members = json.loads(line)
        if next(iter(members)) != "line" or members["line"] != place:
            return f"line {place} has another number"
        if (members["kind"] == "seal") != (place == len(lines)):
            return f"line {place}: the seal is not the last line"
        previous = digest
    return "" if json.loads(lines[-1])["lines"] == len(lines) else "another number of lines"


def seal(content: bytes) -> str:
    """The hash of the last line."""
    return content[-67:-3].decode()


def totals(content: bytes) -> dict[str, dict[str, int]]:
    """Each book's total by currency in cents, added up from what was read of the documents."""
    records = [json.loads(line) for line in content.splitlines()]
    first, last = records[0]["from"], records[0]["to"]
    sums: dict[str, dict[str, int]] = {}
    for record in records:
        sign = {"invoice": 1, "credit_note": -1}.get(record["kind"], 0)
        for side in ("crococlick", "xero") if sign else ():
            document = record[side]
            if document and document["stands"] and first <= document["issue_date"] <= last:
                by_side = sums.setdefault(document["currency"], {"crococlick": 0, "xero": 0})
                whole, _, part = document["total"].partition(".")
                by_side[side] += sign * (int(whole) * 100 + int((part + "00")[:2]))
    return sums
