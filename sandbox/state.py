"""Where the sandbox keeps its state: memory, and behind it one SQLite file that survives a kill.

Every request that changes something ends in one commit before its answer leaves. The file is in WAL mode
without syncing: a killed process loses nothing, only a power cut could.
"""

import sqlite3
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

FILE_NAME = "sandbox.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
    seq  INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    head TEXT NOT NULL,
    tail TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS thing_by_id ON thing (kind, id);
"""
PUT = """
INSERT INTO thing (kind, id, head, tail) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET head = excluded.head, tail = excluded.tail
"""


class Store:
    """Rows of (kind, id, head, tail): the head is small and read at start, the tail is bulky ready-made text."""

    def __init__(self, path: Path | None):
        self.path = path
        self.waiting: dict[tuple[str, str], tuple[str, str] | None] = {}
        self.db = self._open(path) if path else None

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=0.3, check_same_thread=False, isolation_level=None)
        # Two sandboxes on one file would overwrite each other: the second is told at once.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        db.execute("COMMIT")
        return db

    def rows(self, kind: str) -> Iterator[tuple[str, str, str]]:
        """Everything kept of one kind, oldest first."""
        if self.db is not None:
            yield from self.db.execute("SELECT id, head, tail FROM thing WHERE kind = ? ORDER BY seq", (kind,))

    def put(self, kind: str, id_: str, head: str, tail: str = "") -> None:
        """Keep a thing from the next commit on."""
        if self.db is not None:
            self.waiting[kind, id_] = (head, tail)

    def drop(self, kind: str, id_: str) -> None:
        """Forget a thing from the next commit on."""
        if self.db is not None:
            self.waiting[kind, id_] = None

    def commit(self) -> None:
        """Write everything that waits, all of it or nothing."""
        if not self.waiting or self.db is None:
            return
        puts = [(*key, *row) for key, row in self.waiting.items() if row is not None]
        drops = [key for key, row in self.waiting.items() if row is None]
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(PUT, puts)
        self.db.executemany("DELETE FROM thing WHERE kind = ? AND id = ?", drops)
        self.db.execute("COMMIT")
        self.waiting.clear()

    def wipe(self) -> None:
        """Start over."""
        self.waiting.clear()
        if self.db is not None:
            self.db.execute("DELETE FROM thing")

    def close(self) -> None:
        """Write what waits and let the file go."""
        self.commit()
        if self.db is not None:
            self.db.close()
            self.db = None


F = TypeVar("F", bound=Callable[..., Any])


def at_once(method: F) -> F:
    """Hold the sandbox still while a method works, and keep what it changed: it has `_lock` and `_store`."""

    @wraps(method)
    def held(self: Any, *args: Any, **fields: Any) -> Any:
        with self._lock:
            result = method(self, *args, **fields)
            self._store.commit()
            return result

    return cast(F, held)
