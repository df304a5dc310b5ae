"""Whether a change whose answer was lost has arrived: by what Xero shows now, what it showed before, and what was sent.

A head tells number, contact, dates, currency, amounts and status. Where the change moved none of these, or somebody has
moved the same since, its wording tells: the reference and the lines.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b

from syncer.domain.model.books import Amendment, BookInvoice, Document
from syncer.domain.model.money import text
from syncer.domain.model.sync_state import told

APPROVED = frozenset({"AUTHORISED", "PAID"})
_FOUR = Decimal("0.0001")  # Xero keeps four decimals of a price and of a quantity

Line = tuple[str, Decimal, Decimal, str]  # description, quantity, price of one, tax type


class Arrival(StrEnum):
    """What a look says of a change."""

    ARRIVED = "arrived"
    NOT_ARRIVED = "not_arrived"
    UNCLEAR = "unclear"


def shown(head: BookInvoice) -> dict[str, str]:
    """What a head tells that a change can move."""
    return {**told(head), "status": head.status}


def as_sent(change: Document | Amendment) -> dict[str, str]:
    """What the head has to tell once the change has arrived; what is not sent is left out."""
    due = {"due_date": change.due_date.isoformat()} if change.due_date else {}
    head = {"number": change.number, "contact": change.contact_id, **due}
    if isinstance(change, Amendment):
        return {name: value for name, value in head.items() if value}
    amounts = {"total": text(change.total), "tax": text(change.total_tax)}
    fixed = {"issue_date": change.issue_date.isoformat(), "currency": change.currency, "status": change.status}
    return {**head, **fixed, **amounts}


def judge(sent: Mapping[str, str], before: Mapping[str, str], now: Mapping[str, str]) -> Arrival:
    """What the heads alone say: a change is carried out whole, so one field that did not move says that none did."""
    moved = [name for name in sent if not _same(name, sent[name], before.get(name, ""))]
    if any(_same(name, now.get(name, ""), before.get(name, "")) for name in moved):
        return Arrival.NOT_ARRIVED
    # An approval can be somebody else's.
    telling = [name for name in moved if name != "status"]
    if any(_same(name, now.get(name, ""), sent[name]) for name in telling):
        return Arrival.ARRIVED
    return Arrival.UNCLEAR


def _same(name: str, one: str, other: str) -> bool:
    return one == other or (name == "status" and {one, other} <= APPROVED)


def wording(reference: str | None, lines: Iterable[Line] = ()) -> str:
    """The short name of a reference and of lines; blanks do not count, since Xero may trim them."""
    parts = [_plain(reference or "")]
    for description, quantity, price, tax_type in lines:
        amounts = (text(value.quantize(_FOUR)) for value in (quantity, price))
        parts += [_plain(description), *amounts, tax_type]
    return blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def wording_sent(change: Document | Amendment) -> str:
    """The short name of the wording that a change sends."""
    if isinstance(change, Amendment):
        return wording(change.reference)
    lines = ((line.description, line.quantity, line.unit_amount, line.tax_type) for line in change.lines)
    return wording(change.reference, lines)


def _plain(written: str) -> str:
    return " ".join(written.split())
