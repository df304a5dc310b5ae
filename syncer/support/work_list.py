"""What needs somebody, by the answer that settles it; what was settled, and what a person sees first.

Nothing here makes a call or writes; everything comes from the ledger.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from syncer.domain.model.problems import CAUSES, Who, heals_by_itself
from syncer.messages import format, problems, remedies
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import as_json, kept_facts
from syncer.support.explain import UNKNOWN, Story


@dataclass
class WorkGroup:
    """Records that wait for one and the same answer, with the money that hangs on it."""

    code: str
    facts: dict[str, Any]
    heals: bool
    key: str = ""  # its name in an address
    size: int = 0
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    oldest: datetime | None = None
    retry_at: datetime | None = None
    days: dict[date, int] = field(default_factory=lambda: defaultdict(int))  # how many came on the viewer's days
    contacts: set[tuple[str, str]] = field(default_factory=set)  # id and name
    issued: set[date | None] = field(default_factory=set)

    @property
    def sentence(self) -> str:
        """What they have in common."""
        return problems.group_sentence(self.code, self.facts)

    @property
    def remedy(self) -> remedies.Remedy | None:
        """The one answer for all of them."""
        return remedies.remedy(self.code, self.facts)

    @property
    def is_mine(self) -> bool:
        """Whether who runs the sync acts next, and nobody else."""
        return not self.heals and self.remedy is not None and self.remedy.who in _OURS

    @property
    def weight(self) -> Decimal:
        """The money in all, to sort by (currencies added as they are)."""
        return sum((abs(amount) for amount in self.money.values()), Decimal(0))

    @property
    def common(self) -> dict[str, Any]:
        """What else is true of every one of them; of a currency the money tells, and of one alone it says nothing."""
        if self.size < 2:
            return {}
        found: dict[str, Any] = {}
        (_, name), *others = self.contacts
        if not others and name and name not in self.sentence:
            found["contact"] = name
        if len(self.issued) == 1 and None not in self.issued:
            found["issued"] = next(iter(self.issued))
        return found

    def take(self, row: Mapping[str, Any]) -> None:
        """Add what the ledger counted together."""
        self.size += row["invoices"]
        self.money[row["currency"]] += row["money"]
        self.oldest = min(filter(None, (self.oldest, row["since"])), default=None)
        self.retry_at = min(filter(None, (self.retry_at, row["retry_at"])), default=None)
        self.days[row["day"]] += row["invoices"]
        self.contacts |= {(row["first_contact"], row["first_name"]), (row["last_contact"], row["last_name"])}
        self.issued |= {row["first_issued"], row["last_issued"]}


OPEN = ("held", "retrying", "in_doubt")
SKIPPED = ("skipped",)
_OURS = (format.WHO[Who.SUPPORT], format.WHO[Who.ADMIN])


def groups(ledger: Ledger, offset: timedelta = timedelta(0), states: Sequence[str] = OPEN) -> list[WorkGroup]:
    """Everything in these states, by the answer that it waits for, most money first."""
    found: dict[str, WorkGroup] = {}
    minutes = int(offset.total_seconds() // 60)
    for row in ledger.rows("held_alike", states=list(states), minutes=minutes):
        key = _key_of(row)
        group = found.get(key) or found.setdefault(key, _group_of(row))
        group.take(row)
    return sorted(found.values(), key=lambda group: (-group.weight, group.code))


def members(ledger: Ledger, group: WorkGroup, states: Sequence[str] = OPEN) -> list[dict[str, Any]]:
    """The records of a group, largest first."""
    return _alike(ledger, group.code, group.key, states)


def alike(ledger: Ledger, story: Story) -> list[dict[str, Any]]:
    """The records that wait for the same answer as this one, itself included."""
    if story.problem is None or story.state != "held":
        return []
    facts = as_json(story.problem.facts)
    found = _alike(ledger, story.problem.code, _question(story.problem.code, False, facts), ("held",))
    return found if any(row["source_id"] == story.row["source_id"] for row in found) else []


def _alike(ledger: Ledger, code: str, key: str, states: Sequence[str]) -> list[dict[str, Any]]:
    rows = ledger.rows("held_for", cause=code, states=list(states))
    return [row for row in rows if _key_of(row) == key]


def _group_of(row: Mapping[str, Any]) -> WorkGroup:
    """The group that a record belongs to, still empty."""
    return WorkGroup(row["cause"] or UNKNOWN, kept_facts(row), _heals(row), _key_of(row))


def _heals(row: Mapping[str, Any]) -> bool:
    code = row["cause"] or UNKNOWN
    return row["state"] in ("retrying", "in_doubt") or (code in CAUSES and heals_by_itself(code))


def _key_of(row: Mapping[str, Any]) -> str:
    return _question(row["cause"] or UNKNOWN, _heals(row), row["facts"] or "{}")


@lru_cache(maxsize=1 << 16)
def _question(code: str, heals: bool, facts: str) -> str:
    """Grouping key: same sentence, same responsible role, same possible answers."""
    known = json.loads(facts)
    step = remedies.remedy(code, known)
    asked = [step.who, step.sentence, [[one.label, one.name, dict(one.said)] for one in step.answers]] if step else []
    more = [known.get(name) for name in ("by", "until")] if code == "skipped_by_person" else []
    named = json.dumps([code, heals, problems.group_sentence(code, known), asked, more], sort_keys=True)
    return blake2b(named.encode(), digest_size=5).hexdigest()


# -- what was settled ----------------------------------------------------------------------------------------


@dataclass
class Settled:
    """Records that waited for the same answer once, and what settled them."""

    sentence: str
    what: str  # the order, or what moved instead
    facts: Mapping[str, Any]
    by: str
    key: str
    at: datetime
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    rows: list[Mapping[str, Any]] = field(default_factory=list)


def settled(ledger: Ledger, since: datetime, limit: int = 5000) -> list[Settled]:
    """What needed a person and is settled since then, by why it waited and what settled it, newest first."""
    found: dict[str, Settled] = {}
    for row in ledger.rows("settled", since=since, limit=limit):
        one = _settled(row)
        one = found.setdefault(one.key, one)
        one.rows.append(row)
        one.money[row["currency"]] += row["total"]
    return list(found.values())


def _settled(row: Mapping[str, Any]) -> Settled:
    """The group that a settled record belongs to, still empty; what came of one day and one answer is one."""
    facts = kept_facts(row)
    skipped = row["held_what"] == "order_skip"
    sentence = problems.group_sentence("skipped_by_person" if skipped else row["cause"] or UNKNOWN, facts)
    what = row["order_what"] or ("changed" if row["is_changed"] else "mended")
    told = [sentence, what, row["order_facts"], row["order_by"], f"{row['settled_at']:%Y-%m-%d}"]
    key = blake2b(json.dumps(told).encode(), digest_size=5).hexdigest()
    return Settled(
        sentence, what, json.loads(row["order_facts"] or "{}"), row["order_by"] or "", key, row["settled_at"]
    )


@dataclass(frozen=True)
class Today:
    """What a person sees first."""

    groups: Sequence[WorkGroup]
    counts: Sequence[Mapping[str, Any]]
    last_run: Mapping[str, Any] | None
    moved: Sequence[Mapping[str, Any]]
    pace: Mapping[str, Any]
    calls: int  # to Xero, in the last 24 hours
    budget: Mapping[str, Any] | None
    invoices: int
    seen_at: datetime | None


def today(ledger: Ledger, now: datetime, offset: timedelta = timedelta(0)) -> Today:
    """Gather it; `offset` is how far the viewer's days are from UTC."""
    since, minutes = now - timedelta(days=7), int(offset.total_seconds() // 60)
    calls = ledger.rows("calls_since", since=now - timedelta(days=1))
    totals = ledger.row("totals") or {"invoices": 0, "seen_at": None}
    return Today(
        groups=groups(ledger, offset),
        counts=ledger.rows("counts"),
        last_run=ledger.row("last_sync"),
        moved=ledger.rows("moved", since=since, minutes=minutes),
        pace=ledger.row("moved_how", since=since) or {},
        calls=sum(row["calls"] for row in calls if row["side"] == "xero"),
        budget=ledger.row("budget"),
        invoices=totals["invoices"],
        seen_at=totals["seen_at"],
    )
