"""The heartbeat file of a watch, which the console and /healthz read."""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncer.domain.planning.schedule import Next
from syncer.storage.processes import lives

HEARTBEAT_S = 10.0


class Note:
    """The file of one connection's watch."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self._path = data_dir / "watch" / f"{name}.json"
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._since = datetime.now(UTC)
        self._kept: tuple[Any, ...] = ()
        self._kept_at = 0.0

    def keep(self, planned: Next, failures: int, shut_until: datetime | None, every: timedelta) -> None:
        """Write down what comes next, where that is news, and now and then that the watch is alive."""
        news = (planned.step, planned.at, failures, shut_until)
        if news == self._kept and time.monotonic() - self._kept_at < HEARTBEAT_S:
            return
        self._kept, self._kept_at = news, time.monotonic()
        told = {
            "pid": os.getpid(),
            "since": self._since,
            "heard_at": datetime.now(UTC),
            "every_s": every.total_seconds(),
            "step": str(planned.step),
            "next_at": planned.at,
            "failures": failures,
            "shut_until": shut_until,
        }
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        part.write_text(json.dumps(told, default=datetime.isoformat), encoding="utf-8")
        part.replace(self._path)

    def end(self) -> None:
        """Nobody watches any more."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Watching:
    """What a watch last said of itself; times are UTC."""

    pid: int
    since: datetime
    heard_at: datetime
    every: timedelta
    next_at: datetime
    failures: int
    shut_until: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Whether it was heard of lately; a run that is at work may keep it silent."""
        return now - self.heard_at < timedelta(seconds=6 * HEARTBEAT_S) or lives(self.pid)


def watching(data_dir: Path, name: str) -> Watching | None:
    """What the watch of a connection last said; None where there is none."""
    try:
        told = json.loads((data_dir / "watch" / f"{name}.json").read_text(encoding="utf-8"))
        return Watching(
            pid=int(told["pid"]),
            since=datetime.fromisoformat(told["since"]),
            heard_at=datetime.fromisoformat(told["heard_at"]),
            every=timedelta(seconds=told["every_s"]),
            next_at=datetime.fromisoformat(told["next_at"]),
            failures=int(told["failures"]),
            shut_until=datetime.fromisoformat(told["shut_until"]) if told["shut_until"] else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
