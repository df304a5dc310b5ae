"""The burst and daily limits of one CrocoClick location: 100 calls in 10 seconds and 200,000 a day, as published."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from syncer.connectors.crococlick import wire
from syncer.connectors.http import Left, Response, Window
from syncer.domain.errors import RateLimited
from syncer.domain.ports import Clock

BURST = 100
BURST_S = 10.0
# Private tokens have met the limit before the published number: a fifth is left unused.
SHARE = 0.8
LONGEST_WAIT_S = 90.0
SHORTEST_WAIT_S = 0.001  # clocks have a grain


class LocationLimiter:
    """Turns for one location, among the threads of one process; the headers of the last answer decide."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window = Window(int(BURST * SHARE), BURST_S)
        self._shut_until = 0.0
        self._day_shut_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn; raises RateLimited when the day's calls are gone."""
        while wait_s := self._take():
            self._clock.sleep(max(wait_s, SHORTEST_WAIT_S))
        yield

    def heard(self, answer: Response) -> Left:
        """Learn from the x-ratelimit headers."""
        left, day = wire.calls_left(answer)
        size, length_s = wire.burst(answer)
        now = self._now()
        with self._lock:
            self._window.limit = max(1, int(size * SHARE)) if size else self._window.limit
            self._window.seconds = length_s or self._window.seconds
            if left == 0:
                self._shut_until = max(self._shut_until, now + (self._window.wait_s(now) or self._window.seconds))
            if day == 0:
                self._day_shut_until = now + (wire.daily_reset_s(answer) or 3600.0)
        return Left(left, day)

    def refused(self, answer: Response) -> None:
        """Learn from a 429; raises RateLimited for the day, and for any wait above 90 s."""
        limited = wire.limited(answer)
        wait_s = limited.wait_s or self._window.seconds
        if limited.limit == "day" or wait_s > LONGEST_WAIT_S:
            raise limited
        with self._lock:
            self._shut_until = max(self._shut_until, self._now() + wait_s)

    def _take(self) -> float:
        """0 with a turn taken, or seconds to wait before asking again."""
        with self._lock:
            now = self._now()
            if self._day_shut_until > now:
                raise RateLimited("day", self._day_shut_until - now, side="crococlick")
            wait_s = max(self._window.wait_s(now), self._shut_until - now, 0.0)
            if not wait_s:
                self._window.spend(now)
            return wait_s

    def _now(self) -> float:
        return self._clock.now().timestamp()
