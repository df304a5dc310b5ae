"""What is known of one organisation's limits, kept where everybody who calls it sees it: threads, and processes too.

Every call stands here from before it leaves until it no longer counts, so that two processes share one minute.
"""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

MINUTE_S = 60.0
DAY_S = 86400.0
# Xero counts a call when it arrives, which is at the latest when it is answered: until a minute after that it counts
# here. One whose process died before the answer is taken to have been answered after this long.
LOST_AFTER_S = 10.0
# No call lasts this long: one that was never ended, by a process whose number somebody else has now, is forgotten.
FORGOTTEN_AFTER_S = 300.0
BUCKET_S = 600.0  # the day's calls are counted by ten minutes


@dataclass(slots=True)
class Flight:
    """One call: when it began and was answered (seconds since 1970; 0: not yet), and the process that makes it."""

    ticket: str
    pid: int
    began: float
    ended: float = 0.0


@dataclass(slots=True)
class KnownLimits:
    """Calls that still count, and what Xero has said: calls left, and until when (seconds since 1970) not to call."""

    minute_left: int | None = None
    heard_at: float = 0.0
    day_left: int | None = None
    minute_shut_until: float = 0.0
    day_shut_until: float = 0.0
    flights: list[Flight] = field(default_factory=list)
    day: dict[int, int] = field(default_factory=dict)  # calls by ten minutes since 1970

    def tidy(self, now: float, lives: Callable[[int], bool]) -> None:
        """Drop what no longer counts; `lives` says whether the process of a pid runs."""
        for flight in self.flights:
            if not flight.ended and now - flight.began > LOST_AFTER_S and not lives(flight.pid):
                flight.ended = flight.began + LOST_AFTER_S
        self.flights = [one for one in self.flights if _counts(one, now)]
        oldest = int((now - DAY_S) // BUCKET_S)
        if self.day and min(self.day) < oldest:
            self.day = {bucket: calls for bucket, calls in self.day.items() if bucket >= oldest}

    def begin(self, ticket: str, now: float) -> None:
        """A call leaves."""
        self.flights.append(Flight(ticket, os.getpid(), now))
        bucket = int(now // BUCKET_S)
        self.day[bucket] = self.day.get(bucket, 0) + 1

    def end(self, ticket: str, now: float, keeps: bool) -> None:
        """A call was answered; `keeps`: it goes on counting for a minute."""
        for place, flight in enumerate(self.flights):
            if flight.ticket == ticket:
                flight.ended = max(now, flight.began)
                if not keeps:
                    del self.flights[place]
                return

    @property
    def in_flight(self) -> int:
        """Calls that were not answered yet."""
        return sum(1 for one in self.flights if not one.ended)

    @property
    def in_day(self) -> int:
        """Calls in the last 24 hours, and up to ten minutes before."""
        return sum(self.day.values())

    def minute_wait_s(self, limit: int, now: float, look_again_s: float) -> float:
        """Seconds until one more call fits into every minute."""
        over = len(self.flights) - limit
        if over < 0:
            return 0.0
        ended = sorted(one.ended for one in self.flights if one.ended)
        # Those under way free their place a minute after an answer that nobody knows the time of.
        return ended[over] + MINUTE_S - now if over < len(ended) else look_again_s

    def day_wait_s(self, limit: int, now: float) -> float:
        """Seconds until one more call fits into 24 hours."""
        if self.in_day < limit:
            return 0.0
        return (min(self.day) + 1) * BUCKET_S + DAY_S - now if self.day else DAY_S


class SharedLimits(Protocol):
    """Where `KnownLimits` is kept."""

    def open(self) -> AbstractContextManager[KnownLimits]:
        """Alone with it; what is changed in it is kept."""


class LimitsInMemory:
    """Kept in this process alone."""

    def __init__(self, known: KnownLimits | None = None) -> None:
        self._known = known or KnownLimits()
        self._mutex = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[KnownLimits]:
        """Alone with it among threads."""
        with self._mutex:
            yield self._known


class LimitsFile:
    """Kept in a file that the processes of this machine share. No secret is in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._mutex = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def open(self) -> Iterator[KnownLimits]:
        """Alone with it among threads and processes."""
        with self._mutex, self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._read()
            known = _known(before)
            try:
                yield known
            finally:
                if (after := json.dumps(asdict(known))) != before:
                    self._write(after)

    def _read(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _write(self, text: str) -> None:
        # Put in place at once: a crash leaves the one or the other.
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(self._path)


def _known(text: str) -> KnownLimits:
    try:
        kept = json.loads(text or "{}")
        flights = [Flight(**one) for one in kept.pop("flights", [])]
        day = {int(bucket): int(calls) for bucket, calls in kept.pop("day", {}).items()}
        return KnownLimits(**kept, flights=flights, day=day)
    except (ValueError, TypeError, AttributeError):
        # Of another version, or no longer readable: Xero's own answers say what is left.
        return KnownLimits()


def _counts(flight: Flight, now: float) -> bool:
    if flight.began > now + MINUTE_S:  # The clock was put back.
        return False
    if flight.ended:
        return now < flight.ended + MINUTE_S
    return now - flight.began < FORGOTTEN_AFTER_S
