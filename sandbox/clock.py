"""The sandbox's one source of time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Wall time that a test may push forward, and durations that a demo may shrink."""

    def __init__(self, source: Callable[[], float] = time.time, scale: float = 1.0):
        self.source = source
        self.scale = scale
        self.ahead_s = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self.source() + self.ahead_s

    def ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self.ahead_s += seconds

    def lasting(self, seconds: float) -> float:
        """How long a documented duration takes here: a scale of 60 turns a minute into a second."""
        return seconds / self.scale

    def utc(self) -> datetime:
        """Now, as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)
