"""Xero's call limits: per minute, per day and in flight for each app and organisation, and per app and minute."""

import zlib
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.wire import Reply

MINUTE_S, DAY_S = 60, 86_400


@dataclass(slots=True)
class Window:
    """One fixed window; which one it is depends on the organisation's own offset."""

    index: int = -1
    used: int = 0


@dataclass
class Limits:
    """Counters of every app and organisation."""

    clock: Clock
    minute: int = 60
    day: int = 1000
    app_minute: int = 10_000
    concurrent: int = 5
    enabled: bool = True
    windows: dict[tuple[str, ...], Window] = field(default_factory=dict)
    in_flight: dict[tuple[str, str], int] = field(default_factory=dict)

    def _window(self, key: tuple[str, ...], length_s: float) -> tuple[Window, float]:
        offset = zlib.crc32("".join(key).encode()) % 1000 / 1000 * length_s
        index, into = divmod(self.clock.now() + offset, length_s)
        window = self.windows.setdefault(key, Window())
        if window.index != int(index):
            window.index, window.used = int(index), 0
        return window, length_s - into

    def admit(self, app: str, tenant: str) -> tuple[dict[str, str], Reply | None]:
        """Count a call: the headers for its answer, and the refusal if there is one."""
        minute, minute_left = self._window((app, tenant, "minute"), self.clock.lasting(MINUTE_S))
        day, day_left = self._window((app, tenant, "day"), self.clock.lasting(DAY_S))
        whole, whole_left = self._window((app, "appminute"), self.clock.lasting(MINUTE_S))
        problem, wait = "", 0.0
        if self.enabled:
            if day.used >= self.day:
                problem, wait = "day", day_left
            elif minute.used >= self.minute:
                problem, wait = "minute", minute_left
            elif whole.used >= self.app_minute:
                problem, wait = "appminute", whole_left
            elif self.in_flight.get((app, tenant), 0) >= self.concurrent:
                problem = "concurrent"
        if not problem:
            for window in (minute, day, whole):
                window.used += 1
        headers = {
            "X-MinLimit-Remaining": str(max(self.minute - minute.used, 0)),
            "X-DayLimit-Remaining": str(max(self.day - day.used, 0)),
            "X-AppMinLimit-Remaining": str(max(self.app_minute - whole.used, 0)),
        }
        return headers, refusal(problem, wait) if problem else None

    def enter(self, app: str, tenant: str) -> None:
        """A call is in flight."""
        self.in_flight[app, tenant] = self.in_flight.get((app, tenant), 0) + 1

    def leave(self, app: str, tenant: str) -> None:
        """A call has been answered."""
        self.in_flight[app, tenant] -= 1

    def spend_day(self, app: str, tenant: str, left: int = 0) -> None:
        """Pretend that the day's calls are used up but for `left`."""
        self._window((app, tenant, "day"), self.clock.lasting(DAY_S))[0].used = self.day - left

    def reset(self) -> None:
        """Forget every count."""
        self.windows.clear()


def refusal(problem: str, wait_s: float) -> Reply:
    """429 as recorded: no body, no content type; no Retry-After when too many calls are in flight."""
    headers = {"X-Rate-Limit-Problem": problem}
    if problem != "concurrent":
        headers["Retry-After"] = str(max(int(wait_s) + 1, 1))
    return Reply(429, b"", "", headers)
