"""Events on their way from the console's door to the watch: one small file each, written before CrocoClick is answered.

The door never waits for the ledger, and what it took in outlives a crash. Only ids are in these files.
"""

import hashlib
import itertools
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from syncer.domain.ports import Event

# As many events as anybody could be behind with: beyond, CrocoClick is told to come again later.
MOST = 50_000
COUNTED_S = 5.0  # for how long a count of the folder serves


class Inbox:
    """The folder of events that nobody has acted on yet; safe among threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counting = threading.Lock()
        self._counted, self._counted_at = 0, float("-inf")

    def put(self, event: Event) -> bool:
        """Keep an event durably, once however often it comes; False where there are too many already."""
        if self._is_full():
            return False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = _name(event)
        part = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        with part.open("w", encoding="utf-8") as file:
            json.dump(asdict(event), file, default=datetime.isoformat)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / name)
        return True

    def _is_full(self) -> bool:
        """Whether there are too many. The folder is counted now and then, and what came since is added."""
        with self._counting:
            if time.monotonic() - self._counted_at > COUNTED_S:
                self._counted, self._counted_at = self.waiting(), time.monotonic()
            self._counted += 1
            return self._counted > MOST

    def waiting(self, location_id: str | None = None) -> int:
        """How many events wait, of one location or of all."""
        return sum(1 for _ in self._names(location_id))

    def waiting_of(self, known: Set[str]) -> int:
        """How many events wait for any of these locations."""
        return sum(map(self.waiting, known))

    def oldest_s(self, now: datetime, known: Set[str]) -> float | None:
        """For how many seconds the oldest event of these locations has waited; None where none waits."""
        written = []
        for path in itertools.chain.from_iterable(map(self._names, known)):
            with suppress(FileNotFoundError):
                written.append(path.stat().st_mtime)
        return max(0.0, now.timestamp() - min(written)) if written else None

    def events(self, location_id: str) -> list[Event]:
        """What waits for one location, oldest first."""
        found = [event for event in map(_read, self._names(location_id)) if event]
        return sorted(found, key=lambda event: event.received_at)

    def drop(self, events: Iterable[Event]) -> None:
        """Forget events that were acted on."""
        for event in events:
            (self._folder / _name(event)).unlink(missing_ok=True)

    def drop_strangers(self, known: Set[str], before: datetime) -> None:
        """Forget what came before then for locations other than these."""
        kept = {_short(location_id) for location_id in known}
        for path in self._names():
            with suppress(FileNotFoundError):
                if path.name.partition("-")[0] not in kept and path.stat().st_mtime < before.timestamp():
                    path.unlink()

    def _names(self, location_id: str | None = None) -> Iterator[Path]:
        if not self._folder.is_dir():
            return
        begin = "" if location_id is None else f"{_short(location_id)}-"
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and entry.name.startswith(begin):
                    yield Path(entry.path)


def _name(event: Event) -> str:
    return f"{_short(event.location_id)}-{_short(event.id, 40)}.json"


def _short(text: str, length: int = 12) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _read(path: Path) -> Event | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        sent_at = datetime.fromisoformat(kept["sent_at"]) if kept["sent_at"] else None
        return Event(**{**kept, "sent_at": sent_at, "received_at": datetime.fromisoformat(kept["received_at"])})
    except (OSError, ValueError, KeyError, TypeError):
        # Gone meanwhile, or damaged by hand: the next sweep finds what it was about.
        return None
