"""The minute, day and in-flight limits of one Xero organisation ("guides/oauth2/limits").

Our own count keeps us below the settings; Xero's headers and refusals lower that further. All that is known is in
`Known`, so that it can be kept where several processes see it.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncer.errors import RateLimited
from syncer.ports import Clock
from syncer.transport import Left, Response, Window
from syncer.xero import wire

MINUTE_S = 60.0
DAY_S = 86400.0
LONGEST_WAIT_S = 90.0
# Whoever sets more than Xero publishes has another agreement (or a simulator): then only refusals count, because
# lifted limits are still counted down in the headers.
PUBLISHED_PER_MINUTE = 60
# With no call left in Xero's minute and none of ours in it, others spend it too: ask again this soon.
LOOK_AGAIN_S = 5.0
# A day with nothing left and no Retry-After is asked about once an hour.
DAY_LOOK_AGAIN_S = 3600.0
CONCURRENT_S = 1.0
# Clocks have a grain: a wait below it would be asked for again and again.
SHORTEST_WAIT_S = 0.001


@dataclass(slots=True)
class Known:
    """What Xero has said: calls left, and until when (seconds since 1970) not to call."""

    minute_left: int | None = None
    day_left: int | None = None
    minute_shut_until: float = 0.0
    day_shut_until: float = 0.0


class Pacer:
    """Turns for one organisation, among the threads of one process."""

    def __init__(
        self,
        clock: Clock,
        *,
        calls_per_minute: int = 60,
        calls_per_day: int | None = None,
        calls_in_flight: int = 5,
        known: Known | None = None,
    ) -> None:
        self._clock = clock
        self._in_flight_limit = calls_in_flight
        self._in_flight = 0
        self._believes_zero = calls_per_minute <= PUBLISHED_PER_MINUTE
        self._minute = Window(calls_per_minute, MINUTE_S)
        self._day = Window(calls_per_day, DAY_S) if calls_per_day is not None else None
        self.known = known or Known()
        self._free = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it; raises RateLimited for the day, and for any wait above 90 s."""
        self._take()
        try:
            yield
        finally:
            with self._free:
                self._in_flight -= 1
                self._free.notify()

    def heard(self, answer: Response) -> Left:
        """Learn from X-MinLimit-Remaining and X-DayLimit-Remaining."""
        minute, day = wire.calls_left(answer)
        now = self._now()
        with self._free:
            if minute is not None:
                self.known.minute_left = minute
                if minute == 0 and self._believes_zero:
                    self._shut_minute(now + (self._minute.wait_s(now) or LOOK_AGAIN_S))
            if day is not None:
                self.known.day_left = day
                if day == 0 and self._believes_zero:
                    self.known.day_shut_until = max(self.known.day_shut_until, now + DAY_LOOK_AGAIN_S)
        return Left(minute, day)

    def refused(self, answer: Response) -> None:
        """Learn from a 429; raises RateLimited for the day, and for any wait above 90 s."""
        limit, wait_s = wire.rate_limit(answer)
        if limit == "day":
            with self._free:
                self.known.day_shut_until = self._now() + (DAY_LOOK_AGAIN_S if wait_s is None else wait_s)
                self.known.day_left = 0
            raise RateLimited("day", wait_s, side="xero")
        if wait_s is None:
            wait_s = CONCURRENT_S if limit == "concurrent" else LOOK_AGAIN_S
        if wait_s > LONGEST_WAIT_S:
            raise RateLimited(limit or "minute", wait_s, side="xero")
        with self._free:
            # Not everyone in the same instant: those who waited together would be refused together.
            self._shut_minute(self._now() + wait_s + random.uniform(0, 1))

    def left(self) -> Left:
        """Calls left this minute and day, as Xero last said."""
        return Left(self.known.minute_left, self.known.day_left)

    def _take(self) -> None:
        while True:
            with self._free:
                now = self._now()
                wait_s = self._wait_s(now)
                if wait_s <= 0 and self._in_flight < self._in_flight_limit:
                    self._in_flight += 1
                    self._minute.spend(now)
                    if self._day:
                        self._day.spend(now)
                    return
                if wait_s <= 0:
                    self._free.wait(1.0)
                    continue
            self._clock.sleep(max(wait_s, SHORTEST_WAIT_S))

    def _wait_s(self, now: float) -> float:
        """Seconds until a call may go; raises RateLimited instead of sleeping for long."""
        day_s = max(self.known.day_shut_until - now, self._day.wait_s(now) if self._day else 0.0)
        if day_s > 0:
            raise RateLimited("day", day_s, side="xero")
        wait_s = max(self._minute.wait_s(now), self.known.minute_shut_until - now)
        if wait_s > LONGEST_WAIT_S:
            raise RateLimited("minute", wait_s, side="xero")
        return wait_s

    def _shut_minute(self, until: float) -> None:
        self.known.minute_shut_until = max(self.known.minute_shut_until, until)

    def _now(self) -> float:
        return self._clock.now().timestamp()
