"""The words of notices: causes, counts, money and the connection's name, and nothing about a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from syncer.domain.notices import CONNECTION, HELD, STALE, Notice
from syncer.messages.format import count, day, moment, monies
from syncer.messages.problems import group_sentence

KINDS: Mapping[str, str] = {
    "held": "invoices that newly need action, and when none does any more",
    "connection": "what stands in the way of the whole connection and needs a person, and its end",
    "stale": "that no sync has come to its end for more than 24 hours, and when one has",
    "daily": "after 07:00 a summary of yesterday",
}

# The sentences of a work list name a record; these speak of many.
_PLAIN: Mapping[str, str] = {
    "before_start_date": "Issued before the start date",
    "skipped_by_person": "Skipped by a person",
    "status_not_selected": "The settings do not carry the invoice's status over",
    "contact_archived": "The customer is archived in Xero",
    "contact_invalid": "The customer is not a contact that Xero takes",
    "contact_name_taken": "Another Xero contact has the customer's name",
    "rejected_by_xero": "Xero refuses the invoice",
}


@dataclass
class Sum:
    """How many invoices, and what they come to by currency."""

    invoices: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)

    def add(self, invoices: int, money: Decimal, currency: str) -> None:
        """Count more in."""
        self.invoices += invoices
        self.money[currency] = self.money.get(currency, Decimal(0)) + money

    def __str__(self) -> str:
        worth = monies(self.money)
        return f"{count(self.invoices, 'invoice')}{f', {worth}' if worth else ''}"


@dataclass(frozen=True)
class Facts:
    """What a message may tell: what is held by cause, what is in the way, what went over in its days, when a sync last ended (local)."""

    connection: str
    held: Mapping[str, Sum]
    obstacles: Sequence[str]
    went_over: Sum
    last_end: datetime


def message(notice: Notice, facts: Facts) -> tuple[str, str]:
    """The title and the text of a notice."""
    tell = {HELD: _held, CONNECTION: _connection, STALE: _stale}.get(notice.kind, _daily)
    title, lines = tell(notice, facts)
    return f"CrocoClick→Xero, {facts.connection}: {title}", "\n".join(lines)


def test_message() -> tuple[str, str]:
    """What `notices --test` sends."""
    return "CrocoClick→Xero: test", "This is a test. Notices will come to this address."


def cause(code: str) -> str:
    """A cause as a sentence about many records; no facts of a case, which could name a person."""
    return _PLAIN.get(code) or group_sentence(code)


def _total(sums: Sequence[Sum]) -> Sum:
    whole = Sum()
    for one in sums:
        whole.invoices += one.invoices
        for currency, amount in one.money.items():
            whole.add(0, amount, currency)
    return whole


def _by_cause(causes: Sequence[str], facts: Facts) -> list[str]:
    return [f"- {cause(code)}: {facts.held[code]}" for code in causes]


def _held(notice: Notice, facts: Facts) -> tuple[str, list[str]]:
    if notice.is_over:
        return "no invoice needs action any more", ["Every invoice that was held has gone on."]
    total = _total([facts.held[code] for code in notice.causes])
    verb = "needs" if total.invoices == 1 else "need"
    lines = _by_cause(notice.causes, facts)
    return f"{count(total.invoices, 'invoice')} {verb} action", [*lines, "The console's work list says what to do."]


def _connection(notice: Notice, facts: Facts) -> tuple[str, list[str]]:
    if notice.is_over:
        return "the connection works again", [f"Over: {cause(code)}." for code in notice.causes]
    lines = [f"{cause(code)}." for code in notice.causes]
    return "the connection needs action", [*lines, "Nothing goes over until it is settled: `python -m syncer status`."]


def _stale(notice: Notice, facts: Facts) -> tuple[str, list[str]]:
    last = moment(facts.last_end)
    if notice.is_over:
        return "syncing again", [f"A sync came to its end: {last}."]
    lines = [f"The last sync that came to its end: {last}.", "See whether `python -m syncer watch` runs, and `status`."]
    return "no sync for more than 24 hours", lines


def _daily(notice: Notice, facts: Facts) -> tuple[str, list[str]]:
    days = notice.days
    assert days is not None  # noqa: S101 — a summary is of days
    span = day(days.first) if days.days == 1 else f"{day(days.first)} to {day(days.last)}"
    lines = [f"Went over: {facts.went_over}." if facts.went_over.invoices else "Nothing went over."]
    if facts.held:
        lines += [f"Held now: {_total(list(facts.held.values()))}.", *_by_cause(sorted(facts.held), facts)]
    else:
        lines.append("Nothing is held.")
    lines += [f"{cause(code)}: nothing goes over until that is settled." for code in facts.obstacles]
    return f"summary of {span}", lines
