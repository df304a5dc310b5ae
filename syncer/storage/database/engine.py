"""The one DuckDB engine of this process by which ledger files are read: attached for a moment and detached again.

To begin an engine takes some ten milliseconds, to attach a file one or two: that is most of what a reading takes.
Nothing is written through it.
"""

import itertools
import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb

STORAGE = "v1.5.0"
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    # Nothing is ever fetched from the network: what we use is linked into the package.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Engine:
    """Attaches files, each once however many read it; safe among threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._numbers = itertools.count(1)
        self._open: dict[Path, Attached] = {}

    def attach(self, path: Path) -> "Attached":
        """Open a file for reading, which `close` of what comes back closes again; raises what DuckDB raises."""
        with self._mutex:
            if found := self._open.get(path):
                found.users += 1
                return found
            found = Attached(self, path, f"ledger_{next(self._numbers)}")
            with self._root().cursor() as cursor:
                cursor.execute(f"ATTACH {_quoted(str(path))} AS {found.name} (READ_ONLY)")
            self._open[path] = found
            return found

    def cursor(self, name: str) -> duckdb.DuckDBPyConnection:
        """A cursor that sees this file as its own."""
        cursor = self._root().cursor()
        cursor.execute(f"USE {name}")
        return cursor

    def detach(self, attached: "Attached") -> None:
        """Close a file when its last user is done with it."""
        with self._mutex:
            attached.users -= 1
            if attached.users:
                return
            self._open.pop(attached.path, None)
            with self._root().cursor() as cursor:
                cursor.execute(f"DETACH {attached.name}")

    def _root(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = duckdb.connect(":memory:", config=CONFIG)
            self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        return self._connection


@dataclass
class Attached:
    """A file that is open in the engine under a name of its own."""

    engine: Engine
    path: Path
    name: str
    users: int = 1

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of its own for each thread; the caller closes it before `close`."""
        return self.engine.cursor(self.name)

    def close(self) -> None:
        """Let the file go."""
        self.engine.detach(self)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


ENGINE = Engine()
