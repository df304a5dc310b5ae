"""The minute, day and in-flight limits of one Xero organisation ("guides/oauth2/limits").

Our own count keeps us below the settings; Xero's headers and refusals lower that further. All that is known is on a
board that everybody who calls this organisation shares.
"""

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from syncer.connectors.http import Left, Response
from syncer.connectors.xero import wire
from syncer.connectors.xero.shared_limits import KnownLimits, LimitsInMemory, SharedLimits
from syncer.domain.errors import RateLimited
from syncer.domain.ports import Clock

LONGEST_WAIT_S = 90.0
# If the configured limit is above Xero's 60 a minute (another agreement, or a simulator), the "remaining" headers are
# ignored, since lifted limits are still counted down in them: only a 429 counts.
PUBLISHED_PER_MINUTE = 60
# More than this a minute is no limit that anybody could meet with five calls at a time: it is not counted.
COUNTED_PER_MINUTE = 1000
# With no call left in Xero's minute and none of ours in it, others spend it too: ask again this soon.
LOOK_AGAIN_S = 5.0
# A day with nothing left and no Retry-After is asked about once an hour.
DAY_LOOK_AGAIN_S = 3600.0
CONCURRENT_S = 1.0
# Clocks have a grain: a wait below it would be asked for again and again.
SHORTEST_WAIT_S = 0.001
# How soon to look again whether a call of somebody else has come back.
TURN_LOOK_S = 0.01
# How long what a header said of this minute may hold back others.
HEARD_S = 60.0

_numbers = itertools.count(1)


class OrganisationLimiter:
    """Turns for one organisation, among all who share the board."""

    def __init__(
        self,
        clock: Clock,
        *,
        calls_per_minute: int = 60,
        calls_per_day: int | None = None,
        calls_in_flight: int = 5,
        board: SharedLimits | None = None,
        lives: Callable[[int], bool] = lambda pid: True,
    ) -> None:
        """`lives` says whether the process of a pid runs: the calls of those that died are not waited for."""
        self._clock = clock
        self._lives = lives
        self._per_minute = calls_per_minute
        self._per_day = calls_per_day
        self._in_flight = calls_in_flight
        self._believes_zero = calls_per_minute <= PUBLISHED_PER_MINUTE
        self._counts = calls_per_minute <= COUNTED_PER_MINUTE
        self._board = board or LimitsInMemory()
        self._places = threading.BoundedSemaphore(calls_in_flight)
        self._left_to_others = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it; raises RateLimited for the day, and for any wait above 90 s."""
        # The threads of one process wait for each other here, and look on the board for other processes alone.
        with self._places:
            ticket = self._take()
            try:
                yield
            finally:
                with self._board.open() as known:
                    known.end(ticket, self._now(), self._counts)

    @contextmanager
    def leaving(self, share: float) -> Iterator[None]:
        """Meanwhile leave this share (0 to 1) of the day's calls to others: raises RateLimited where it begins."""
        self._left_to_others = share
        try:
            yield
        finally:
            self._left_to_others = 0.0

    def heard(self, answer: Response) -> Left:
        """Learn from X-MinLimit-Remaining and X-DayLimit-Remaining."""
        minute, day = wire.calls_left(answer)
        if minute is None and day is None:
            return Left()
        now = self._now()
        with self._board.open() as known:
            if minute is not None:
                known.minute_left, known.heard_at = minute, now
                if minute == 0 and self._believes_zero:
                    own_s = known.minute_wait_s(self._per_minute, now, 0.0) if self._counts else 0.0
                    _shut_minute(known, now + (own_s or LOOK_AGAIN_S))
            if day is not None:
                known.day_left = day
                if day == 0 and self._believes_zero:
                    known.day_shut_until = max(known.day_shut_until, now + DAY_LOOK_AGAIN_S)
        return Left(minute, day)

    def refused(self, answer: Response) -> None:
        """Learn from a 429; raises RateLimited for the day, and for any wait above 90 s."""
        limit, wait_s = wire.rate_limit(answer)
        if limit == "day":
            with self._board.open() as known:
                known.day_shut_until = self._now() + (DAY_LOOK_AGAIN_S if wait_s is None else wait_s)
                known.day_left = 0
            raise RateLimited("day", wait_s, side="xero")
        if wait_s is None:
            wait_s = CONCURRENT_S if limit == "concurrent" else LOOK_AGAIN_S
        if wait_s > LONGEST_WAIT_S:
            raise RateLimited(limit or "minute", wait_s, side="xero")
        with self._board.open() as known:
            # Not everyone in the same instant: those who waited together would be refused together.
            _shut_minute(known, self._now() + wait_s + random.uniform(0, 1))

    def left(self) -> Left:
        """Calls left this minute and day, as Xero last said."""
        with self._board.open() as known:
            return Left(known.minute_left, known.day_left)

    def ask_again(self) -> None:
        """Somebody waits: whether the day is still used up is asked of Xero, which counts no call that it refuses."""
        with self._board.open() as known:
            known.day_shut_until = 0.0

    def _take(self) -> str:
        ticket = f"{os.getpid()}.{next(_numbers)}"
        while True:
            with self._board.open() as known:
                now = self._now()
                known.tidy(now, self._lives)
                wait_s = self._wait_s(known, now)
                if wait_s <= 0:
                    known.begin(ticket, now)
                    return ticket
            self._clock.sleep(max(wait_s, SHORTEST_WAIT_S))

    def _wait_s(self, known: KnownLimits, now: float) -> float:
        """Seconds until a call may go; raises RateLimited instead of sleeping for long."""
        day_s = self._day_wait_s(known, now)
        if day_s > 0:
            raise RateLimited("day", day_s, side="xero")
        self._leave_to_others(known)
        wait_s = known.minute_shut_until - now
        if self._counts:
            wait_s = max(wait_s, known.minute_wait_s(self._per_minute, now, TURN_LOOK_S))
        if wait_s > LONGEST_WAIT_S:
            raise RateLimited("minute", wait_s, side="xero")
        if wait_s <= 0 and known.in_flight >= self._places_now(known, now):
            return TURN_LOOK_S
        return wait_s

    def _places_now(self, known: KnownLimits, now: float) -> int:
        """How many calls may be under way: no more than Xero said are left, which others may be using up."""
        left = known.minute_left
        if left is None or not self._believes_zero or now - known.heard_at > HEARD_S:
            return self._in_flight
        return min(self._in_flight, max(1, left))

    def _day_wait_s(self, known: KnownLimits, now: float) -> float:
        own_s = known.day_wait_s(self._per_day, now) if self._per_day is not None else 0.0
        return max(known.day_shut_until - now, own_s)

    def _leave_to_others(self, known: KnownLimits) -> None:
        """Raises RateLimited where less than the share for others is left of the day."""
        if not self._left_to_others:
            return
        left = known.day_left
        if self._per_day is not None:
            ours = max(0, self._per_day - known.in_day)
            left = ours if left is None else min(left, ours)
        # Before the first answer nothing is known: one call finds out.
        if left is not None and left <= self._left_to_others * (left + known.in_day):
            raise RateLimited("day", DAY_LOOK_AGAIN_S, side="xero", left=left, share=self._left_to_others)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _shut_minute(known: KnownLimits, until: float) -> None:
    known.minute_shut_until = max(known.minute_shut_until, until)
