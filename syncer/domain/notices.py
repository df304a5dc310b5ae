"""What a person is told without asking: what was told before and what is so now decide the messages.

One message for each change of state and one when it is over, never the same twice. What an address was told is
`Told`; it counts from the moment when the address took the message.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from syncer.domain.period import DAY, Period

HELD, CONNECTION, STALE, DAILY = KINDS = ("held", "connection", "stale", "daily")
STALE_AFTER = timedelta(hours=24)
MORNING = 7  # o'clock in the location's time zone, from which the summary of yesterday is due
LONGEST_SUMMARY = 7  # days, where an address took nothing for longer


@dataclass(frozen=True, slots=True)
class Told:
    """What one address was told of one connection.

    `held`, `obstacles`: the causes that stood when it was last told. `daily`: the local day of the last summary.
    `free_since`: when the last obstacle ended (UTC); from then on the connection should work again.
    """

    held: frozenset[str] = frozenset()
    obstacles: frozenset[str] = frozenset()
    is_stale: bool = False
    daily: date | None = None
    free_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is so now. `held`: causes by which invoices wait for a person; `obstacles`: what only a person settles.

    `last_end`: when a sync last came to its end (UTC); where none ever did, when the first began.
    """

    now: datetime
    zone: tzinfo
    last_end: datetime
    held: frozenset[str] = frozenset()
    obstacles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Notice:
    """One message: of which kind, about which causes or days, and whether it tells that something is over."""

    kind: str
    causes: tuple[str, ...] = ()
    is_over: bool = False
    days: Period | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A message, if there is one, and what the address knows once it has taken it."""

    notice: Notice | None
    told: Told


def steps(told: Told, situation: Situation) -> list[Step]:
    """What to tell next, in order; nothing where nothing has changed. Some changes are only taken note of."""
    found = []
    for step in (_connection, _stale, _held, _daily):
        notice, after = step(told, situation)
        if after != told:
            found.append(Step(notice, after))
        told = after
    return found


def _connection(told: Told, situation: Situation) -> tuple[Notice | None, Told]:
    is_free = bool(told.obstacles) and not situation.obstacles
    after = replace(told, obstacles=situation.obstacles, free_since=situation.now if is_free else told.free_since)
    return _change(CONNECTION, told.obstacles, situation.obstacles), after


def _held(told: Told, situation: Situation) -> tuple[Notice | None, Told]:
    return _change(HELD, told.held, situation.held), replace(told, held=situation.held)


def _change(kind: str, before: frozenset[str], now: frozenset[str]) -> Notice | None:
    """New causes, all in one message; that none is left any more."""
    if new := now - before:
        return Notice(kind, tuple(sorted(new)))
    return Notice(kind, tuple(sorted(before)), is_over=True) if before and not now else None


def _stale(told: Told, situation: Situation) -> tuple[Notice | None, Told]:
    """While an obstacle stands nothing can come to its end, and the obstacle was told."""
    if situation.now - situation.last_end <= STALE_AFTER:
        is_stale = False
    elif situation.obstacles or situation.now - max(situation.last_end, told.free_since or _EVER) <= STALE_AFTER:
        is_stale = told.is_stale
    else:
        is_stale = True
    notice = None if is_stale == told.is_stale else Notice(STALE, is_over=not is_stale)
    return notice, replace(told, is_stale=is_stale)


def _daily(told: Told, situation: Situation) -> tuple[Notice | None, Told]:
    """Yesterday, and the days before it of which the address took no summary."""
    local = situation.now.astimezone(situation.zone)
    today = local.date()
    if local.hour < MORNING or (told.daily and told.daily >= today):
        return None, told
    first = max(told.daily, today - LONGEST_SUMMARY * DAY) if told.daily else today - DAY
    return Notice(DAILY, days=Period(first, today - DAY)), replace(told, daily=today)


def instants(days: Period, zone: tzinfo) -> tuple[datetime, datetime]:
    """When these days begin in the zone, and when the one after them does, in UTC."""
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (days.first, days.last + DAY))
    return begin, end


def kinds_of(value: str) -> tuple[str, ...]:
    """The kinds that a setting names, each once and in our order; raises ValueError for any other word."""
    names = {name.strip() for name in value.split(",") if name.strip()}
    if names - set(KINDS):
        raise ValueError("some of " + ", ".join(KINDS) + ", or empty for none")
    return tuple(kind for kind in KINDS if kind in names)


def wanted(found: Sequence[Step], kinds: Sequence[str]) -> list[Step]:
    """The steps with messages of these kinds alone; what else has changed is taken note of without one."""
    return [one if one.notice and one.notice.kind in kinds else Step(None, one.told) for one in found]


def told_text(told: Told) -> str:
    """As the ledger keeps it."""
    return json.dumps(
        {
            "held": sorted(told.held),
            "obstacles": sorted(told.obstacles),
            "is_stale": told.is_stale,
            "daily": told.daily and told.daily.isoformat(),
            "free_since": told.free_since and told.free_since.isoformat(),
        }
    )


def told_from(text: str) -> Told:
    """What `told_text` wrote, again."""
    kept = json.loads(text)
    return Told(
        frozenset(kept["held"]),
        frozenset(kept["obstacles"]),
        kept["is_stale"],
        kept["daily"] and date.fromisoformat(kept["daily"]),
        kept["free_since"] and datetime.fromisoformat(kept["free_since"]),
    )


_EVER = datetime(1970, 1, 1, tzinfo=UTC)
