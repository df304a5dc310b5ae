"""CrocoClick's limits: calls per ten seconds and per day, for each token and location."""

import zlib
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.wire import Call, Reply, json_reply

INTERVAL_S, DAY_S = 10, 86_400


@dataclass
class Limits:
    """Counters of every token."""

    clock: Clock
    burst: int = 100
    daily: int = 200_000
    enabled: bool = True
    used: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def _window(self, token: str, kind: str, length_s: float) -> tuple[tuple[str, str, int], float]:
        # The day is no calendar day: it starts at an hour of its own.
        offset = zlib.crc32(token.encode()) % 1000 / 1000 * length_s if kind == "day" else 0.0
        index, into = divmod(self.clock.now() + offset, length_s)
        return (token, kind, int(index)), length_s - into

    def admit(self, token: str) -> Reply | None:
        """Count a call, or refuse it."""
        burst, _ = self._window(token, "burst", self.clock.lasting(INTERVAL_S))
        day, _ = self._window(token, "day", self.clock.lasting(DAY_S))
        over = self.used.get(burst, 0) >= self.burst or self.used.get(day, 0) >= self.daily
        if self.enabled and over:
            return json_reply({"statusCode": 429, "message": "Too Many Requests"}, 429)
        if len(self.used) > 64:
            self.used = {k: n for k, n in self.used.items() if k in (burst, day)}
        for key in (burst, day):
            self.used[key] = self.used.get(key, 0) + 1
        return None

    def headers(self, call: Call) -> dict[str, str]:
        """The headers that every answer carries."""
        token = call.header("authorization")
        burst, _ = self._window(token, "burst", self.clock.lasting(INTERVAL_S))
        day, day_left = self._window(token, "day", self.clock.lasting(DAY_S))
        return {
            "x-ratelimit-max": str(self.burst),
            "x-ratelimit-remaining": str(max(self.burst - self.used.get(burst, 0), 0)),
            "x-ratelimit-interval-milliseconds": str(int(self.clock.lasting(INTERVAL_S) * 1000)),
            "x-ratelimit-limit-daily": str(self.daily),
            "x-ratelimit-daily-remaining": str(max(self.daily - self.used.get(day, 0), 0)),
            "x-ratelimit-daily-reset": str(int(day_left * 1000)),
        }

    def reset(self) -> None:
        """Forget every count."""
        self.used.clear()
