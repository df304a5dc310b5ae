"""The analysis tables: a copy of what the ledger may show, for reports, notebooks and anybody's SQL.

The copy is renewed under another name and put in place at once, so a reader of the old one is not disturbed.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from syncer.domain.errors import WrongUsage
from syncer.storage.analysis import query_process
from syncer.storage.analysis.query import MAX_ROWS, TIMEOUT_S, Asking, Handed, QueryResult, Question
from syncer.storage.database.engine import CONFIG, STORAGE
from syncer.storage.database.store import Query, Store, copy_ledger, queries, remove_ledger
from syncer.storage.file_lock import FileLock

# Made anew once a day, also where only new rows are looked for: what was forgotten in the ledger is forgotten here.
_WHOLE_AFTER_S = 24 * 3600
_ABANDONED_AFTER_S = 3600
_FRESH_S = 2.0
_PRIVATE = ".analysis-"

VIEWS = Path(__file__).with_name("views.sql")


@dataclass(frozen=True)
class TableColumn:
    """A column of an analysis table: its name, DuckDB's type, and what is in it in one sentence."""

    name: str
    type: str
    sentence: str


@dataclass(frozen=True)
class Table:
    """An analysis table and what its rows are."""

    name: str
    sentence: str
    columns: tuple[TableColumn, ...]


class Analysis:
    """The copy at `path` of what `store` holds. Safe with several threads and processes at once."""

    def __init__(self, store: Store, path: Path, *, wait_s: float = 30.0) -> None:
        self.path = path
        self._store = store
        self._lock = FileLock(path)
        self._wait_s = wait_s
        self._views = queries(VIEWS)
        self._sentences = Path(__file__).with_name("columns.sql").read_text(encoding="utf-8")
        self._noted = path.with_name(path.name + ".state")

    @property
    def tables(self) -> list[str]:
        """The names of the analysis tables."""
        return list(self._views)

    def refresh(self) -> bool:
        """Bring the copy up to date; False where nothing moved. Raises LedgerBusy and what opening a ledger raises."""
        if self.is_current():
            return False
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.held_alone(self._wait_s):
            # Another process may have done it meanwhile.
            if self.is_current():
                return False
            self._clear_away()
            try:
                self._renew(anew=self._must_be_anew())
            except duckdb.Error:
                # An old copy that cannot be read is no loss.
                self._renew(anew=True)
        return True

    def is_current(self) -> bool:
        """Whether the copy is as the ledger is now."""
        noted = self._note()
        return (
            self.path.exists()
            and noted.get("ledger") == list(self._store.version())
            and noted.get("views") == self._shape()
        )

    def sign(self) -> tuple[int, int]:
        """A cheap sign of the copy: when it was made, in nanoseconds, and its size; zeros where there is none."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def open(self, connections: Sequence[str] | None = None) -> duckdb.DuckDBPyConnection:
        """A connection to the present copy; see `open_analysis`."""
        self.refresh()
        return open_analysis(self.path, connections)

    def ask(
        self,
        sql: str,
        connections: Sequence[str] | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        max_rows: int = MAX_ROWS,
        timeout_s: float = TIMEOUT_S,
    ) -> QueryResult:
        """Answer a question from the present copy; see `ask`."""
        self.refresh()
        return ask(self.path, sql, connections, values=values, max_rows=max_rows, timeout_s=timeout_s)

    def begin(
        self, question: Question, connections: Sequence[str] | None = None, unwatched_s: float | None = None
    ) -> Asking:
        """The same without waiting, from a copy two seconds old at most, so that many who ask do not hold up a sync.

        It is ended when nobody has watched it for `unwatched_s` seconds.
        """

        @contextmanager
        def handed_over() -> Iterator[Handed]:
            if not self._is_fresh():
                self.refresh()
            with _handed(self.path, connections) as handed:
                yield handed

        return Asking(question, handed_over, unwatched_s).begin()

    def described(self) -> list[Table]:
        """The tables and their columns, in words."""
        with self.open() as connection:
            rows = connection.execute(
                "SELECT c.table_name, c.column_name, c.data_type, coalesce(c.comment, ''), coalesce(t.comment, '') "
                "FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid) WHERE NOT c.internal "
                "ORDER BY c.table_oid, c.column_index"
            ).fetchall()
        told: dict[str, list[TableColumn]] = {}
        sentences = {row[0]: row[4] for row in rows}
        for table, name, kind, sentence, _ in rows:
            told.setdefault(table, []).append(TableColumn(name, kind, sentence))
        return [Table(name, sentences[name], tuple(told[name])) for name in self.tables]

    def _is_fresh(self) -> bool:
        """Whether it was renewed just now."""
        try:
            age_s = time.time() - self.path.stat().st_mtime
        except OSError:
            return False
        return 0 <= age_s < _FRESH_S and self._note().get("views") == self._shape()

    def _must_be_anew(self) -> bool:
        noted = self._note()
        age_s = time.time() - noted.get("anew_at", 0)
        return not self.path.exists() or noted.get("views") != self._shape() or not 0 <= age_s < _WHOLE_AFTER_S

    def _renew(self, *, anew: bool) -> None:
        new = self.path.with_name(self.path.name + ".new")
        for leftover in (new, new.with_name(new.name + ".wal")):
            leftover.unlink(missing_ok=True)
        if not anew:
            shutil.copyfile(self.path, new)
        seen = self._copy_into(new)
        new.chmod(0o600)
        anew_at = time.time() if anew else self._note()["anew_at"]
        # Noted last: a crash before it means one renewal too many, never one too few.
        new.replace(self.path)
        part = self._noted.with_name(self._noted.name + ".part")
        part.write_text(json.dumps({"ledger": seen, "views": self._shape(), "anew_at": anew_at}))
        part.replace(self._noted)

    def _copy_into(self, new: Path) -> tuple[int, int, int]:
        """Fill the file and return the sign of the ledger it was filled from."""
        with self._ledger_apart() as (ledger, seen), duckdb.connect(":memory:", config=CONFIG) as connection:
            connection.execute(f"ATTACH {_quoted(new)} AS copy (STORAGE_VERSION '{STORAGE}')")
            connection.execute(f"ATTACH {_quoted(ledger)} AS ledger (READ_ONLY)")
            connection.execute("USE ledger")
            for name, view in self._views.items():
                _copy_view(connection, name, view)
            connection.execute("USE copy")
            _at_once(connection, self._sentences)
            connection.execute("USE memory")
            connection.execute("DETACH ledger")
            # Writes everything into the file itself; without it rows would wait in a second file.
            connection.execute("CHECKPOINT copy")
            connection.execute("DETACH copy")
        return seen

    @contextmanager
    def _ledger_apart(self) -> Iterator[tuple[Path, tuple[int, int, int]]]:
        """The ledger's file once more, with its sign: the ledger itself is free again before anything is counted.

        At a million attempts it is held for a tenth of a second; to read the views out of it takes several.
        """
        apart = self.path.with_name(self.path.name + ".ledger")
        try:
            with self._store.held_still() as ledger:
                seen = self._store.version()
                copy_ledger(ledger, apart)
            yield apart, seen
        finally:
            remove_ledger(apart)

    def _note(self) -> dict[str, Any]:
        try:
            noted = json.loads(self._noted.read_text())
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def _shape(self) -> str:
        return hashlib.sha256(repr((sorted(self._views.items()), self._sentences)).encode()).hexdigest()

    def _clear_away(self) -> None:
        """Remove the parts of the old copy, and what readers that crashed have left behind."""
        for part in self.path.parent.glob(f"{self.path.name}.part-*"):
            part.unlink(missing_ok=True)
        for folder in self.path.parent.glob(f"{_PRIVATE}*"):
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_S:
                    shutil.rmtree(folder)


def open_analysis(path: Path, connections: Sequence[str] | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection that sees the analysis tables as they are now, and nothing else of this machine.

    With `connections` only the rows of these are there at all (an empty list: no rows).
    Raises WrongUsage where there is no copy yet.
    """
    with _own_file(path, connections) as file:
        # The file may lose its name: who has opened it keeps it.
        return query_process.open_locked(str(file))


def ask(
    path: Path,
    sql: str,
    connections: Sequence[str] | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    max_rows: int = MAX_ROWS,
    timeout_s: float = TIMEOUT_S,
) -> QueryResult:
    """Answer one SELECT-like statement, at most `max_rows` rows within `timeout_s` seconds, in a process of its own.

    `values` are those of its parameters ($name). Raises WrongUsage with DuckDB's own words and a pointer to the place,
    or which limit was met.
    """
    asking = Asking(Question(sql, values or {}, max_rows, timeout_s), lambda: _handed(path, connections))
    asking.run()
    return asking.answer()


@contextmanager
def _handed(path: Path, connections: Sequence[str] | None) -> Iterator[Handed]:
    """What may be seen, as an open file that has lost its name: then no question can tell where our files are."""
    with _own_file(path, connections) as file:
        if sys.platform != "linux":
            # Elsewhere an open file cannot be opened once more by its number.
            yield Handed(str(file.resolve()))
            return
        number = os.open(file, os.O_RDONLY)
    try:
        yield Handed(f"/dev/fd/{number}", number)
    finally:
        os.close(number)


@contextmanager
def _own_file(path: Path, connections: Sequence[str] | None) -> Iterator[Path]:
    """The copy, or the part of it that may be seen, under a name that no other connection in this process uses.

    DuckDB shares what it has open by name: under the common name a connection could get an older copy, or other limits.
    """
    if not path.exists():
        raise WrongUsage(f"There are no analysis tables yet: {path.name} appears with the first refresh.")
    folder = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=path.parent))
    try:
        # The file's name is the database's name in SQL.
        file = folder / path.name
        if connections is None:
            _link(path, file)
        else:
            _part(path, file, connections)
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:
        # Not every file system has hard links.
        shutil.copyfile(path, to)


def _part(path: Path, to: Path, connections: Sequence[str]) -> None:
    """What these connections may see; kept until the next refresh, since the next question is likely to want it too."""
    name = hashlib.sha256(json.dumps(sorted(set(connections))).encode()).hexdigest()[:16]
    kept = path.with_name(f"{path.name}.part-{name}-{path.stat().st_mtime_ns}")
    with suppress(OSError):
        os.link(kept, to)
        return
    _copy_part(path, to, connections)
    to.chmod(0o600)
    # Without hard links each question makes its own.
    with suppress(OSError):
        os.link(to, kept)


def _copy_part(path: Path, to: Path, connections: Sequence[str]) -> None:
    """A new file with the rows of these connections only: nothing else is in it, not even in its gaps."""
    source = to.with_name("whole")
    _link(path, source)
    with duckdb.connect(":memory:", config=CONFIG) as connection:
        connection.execute(f"ATTACH {_quoted(source)} AS whole (READ_ONLY)")
        connection.execute(f"ATTACH {_quoted(to)} AS part (STORAGE_VERSION '{STORAGE}')")
        names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'whole'").fetchall()
        for (name,) in names:
            connection.execute(
                f'CREATE TABLE part.main."{name}" AS SELECT * FROM whole.main."{name}" '
                "WHERE list_contains(CAST(? AS VARCHAR[]), connection)",
                [list(connections)],
            )
        _at_once(connection, "".join(_comments(connection)))
        connection.execute("CHECKPOINT part")
    source.unlink()


def _at_once(connection: duckdb.DuckDBPyConnection, statements: str) -> None:
    """In one transaction: each for itself would wait for the disk."""
    connection.execute(f"BEGIN; {statements} COMMIT")


def _comments(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What gives each table and column of the part the sentence that it has in the whole."""
    found = connection.execute(
        "SELECT 'TABLE part.main.\"' || table_name || '\"', comment FROM duckdb_tables() WHERE database_name = 'whole' "
        "UNION ALL SELECT 'COLUMN part.main.\"' || table_name || '\".\"' || column_name || '\"', comment "
        "FROM duckdb_columns() WHERE database_name = 'whole' AND comment IS NOT NULL"
    ).fetchall()
    return [f"COMMENT ON {what} IS {_text(comment)};" for what, comment in found if comment]


def _copy_view(connection: duckdb.DuckDBPyConnection, name: str, view: Query) -> None:
    key = view.options["key"]
    if key == "fingerprint":
        _copy_contents(connection, name, view)
        return
    if key == "whole" or not _goes_on(connection, name, view):
        connection.execute(f'CREATE OR REPLACE TABLE copy.main."{name}" AS {view.sql}')
        return
    # A value, not a question within the question: else every row is put together before most are left out.
    [(last,)] = connection.execute(f'SELECT COALESCE(max({key}), 0) FROM copy.main."{name}"').fetchall()
    connection.execute(
        f'INSERT INTO copy.main."{name}" SELECT * FROM ({view.sql}) AS fresh WHERE {key} > {int(last)} ORDER BY {key}'
    )


def _copy_contents(connection: duckdb.DuckDBPyConnection, name: str, view: Query) -> None:
    """What is read out of contents: only of invoices that are new or have changed."""
    same = "kept.connection = c.connection AND kept.crococlick_id = c.source_id AND kept.fingerprint = c.fingerprint"
    connection.execute(f'CREATE TABLE IF NOT EXISTS copy.main."{name}" AS {view.sql} LIMIT 0')
    connection.execute(
        f'DELETE FROM copy.main."{name}" AS kept WHERE NOT EXISTS (SELECT 1 FROM ledger.invoice_content c WHERE {same})'
    )
    # Goes before the ledger's own where the view names it: the others are not even read.
    connection.execute(
        "CREATE TEMP VIEW invoice_content AS SELECT * FROM ledger.invoice_content c "
        f'WHERE NOT EXISTS (SELECT 1 FROM copy.main."{name}" AS kept WHERE {same})'
    )
    # Read to its end before it is written to: what is inserted here decides what is new.
    connection.execute(f"CREATE TEMP TABLE found AS {view.sql}")
    connection.execute(f'INSERT INTO copy.main."{name}" FROM found')
    connection.execute("DROP TABLE found")
    connection.execute("DROP VIEW temp.invoice_content")


def _goes_on(connection: duckdb.DuckDBPyConnection, name: str, view: Query) -> bool:
    """Whether the rows copied so far are those the ledger still has; not so after a restored backup or a clean-up."""
    key = view.options["key"]
    known = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = 'copy' AND table_name = ?", [name]
    ).fetchone()
    if not known:
        return False
    [(here, last)] = connection.execute(f'SELECT count(*), COALESCE(max({key}), 0) FROM copy.main."{name}"').fetchall()
    # Counted where the rows come from, where the view says so: to put them together takes far longer.
    table, _, column = view.options.get("of", "").partition(".")
    source = f"ledger.{table}" if table else f"({view.sql}) AS fresh"
    [(there,)] = connection.execute(f"SELECT count(*) FROM {source} WHERE {column or key} <= ?", [last]).fetchall()
    return bool(here == there)


def _quoted(path: Path) -> str:
    return _text(str(path))


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
