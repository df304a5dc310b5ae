"""The ledger file: opened for one transaction or for a moment of reading, then closed, so that many can live with it.

DuckDB lets one process write or many read. Nobody therefore keeps the file open; `FileLock` says whose turn it is.
"""

import atexit
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb

from syncer.domain.errors import LedgerBusy, LedgerTooNew, SyncerError, WrongUsage
from syncer.storage.database import damage
from syncer.storage.database.engine import CONFIG, ENGINE, STORAGE, Attached
from syncer.storage.database.migrations import MIGRATIONS, Step
from syncer.storage.file_lock import FileLock

T = TypeVar("T")
Params = Sequence[Any] | Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]

HERE = Path(__file__).parent
_TRIES = 5
_LOOK_S = 0.005


class Now(Protocol):
    """The part of a clock that the store needs."""

    def now(self) -> datetime:
        """The moment, in UTC with its zone."""


class _WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Schema:
    """What a fresh ledger is made of, and the steps that bring an old one to the same."""

    sql: str = field(default_factory=lambda: (HERE / "schema.sql").read_text(encoding="utf-8"))
    migrations: Mapping[int, Step] = field(default_factory=lambda: MIGRATIONS)

    @property
    def version(self) -> int:
        """The number of the newest migration; 1 where there is none."""
        return max(self.migrations, default=1)


class LedgerReader:
    """Questions to the ledger. Times go in with any zone and come out in UTC with it; money is Decimal both ways."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """Every row, as a dict by column name."""
        found = self._run(sql, params)
        names = [column[0] for column in found.description]
        kinds = [str(column[1]) for column in found.description]
        rows = found.fetchall()
        told = [dict(zip(names, row, strict=True)) for row in rows]
        for name in (name for name, kind in zip(names, kinds, strict=True) if kind == "TIMESTAMP"):
            for row in told:
                row[name] = _aware(row[name])
        return told

    def row(self, sql: str, params: Params = ()) -> dict[str, Any] | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, params)), None)

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        found = self._run(sql, params).fetchone()
        return _aware(found[0]) if found else None

    def _run(self, sql: str, params: Params = ()) -> duckdb.DuckDBPyConnection:
        if isinstance(params, Mapping):
            return self._connection.execute(sql, {name: _plain(value) for name, value in params.items()})
        return self._connection.execute(sql, [_plain(value) for value in params])


class Tx(LedgerReader):
    """One transaction. Bulk writes take columns: `{"source_id": [...], "total": [...]}`, all of one length."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, types: dict[str, dict[str, str]] | None = None) -> None:
        super().__init__(connection)
        self._types = {} if types is None else types

    def execute(self, sql: str, params: Params = ()) -> None:
        """Run one statement for its effect."""
        self._run(sql, params)

    def next_id(self, table: str) -> int:
        """The id after the greatest; writers are alone, so ids grow in the order of commits."""
        return int(self.value(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {_name(table)}"))

    def insert(self, table: str, columns: Columns) -> int:
        """Append rows and return how many; columns left out are NULL."""
        return self._insert(table, columns, "")

    def upsert(self, table: str, keys: Sequence[str], columns: Columns) -> int:
        """Insert rows, or give those with the same primary key `keys` the new values; of two alike the last counts."""
        columns = _last_of_each(keys, columns)
        moved = [name for name in columns if name not in keys]
        news = ", ".join(f"{_name(name)} = excluded.{_name(name)}" for name in moved)
        return self._insert(
            table, columns, f" ON CONFLICT ({_names(keys)}) DO {f'UPDATE SET {news}' if moved else 'NOTHING'}"
        )

    def update_from(self, table: str, keys: Sequence[str], columns: Columns) -> int:
        """Give the rows found by `keys` (among `columns`) the other values; returns how many rows were asked for."""
        columns = _last_of_each(keys, columns)
        news = ", ".join(f"{_name(name)} = given.{_name(name)}" for name in columns if name not in keys)
        return self._with_given(
            table, columns, f"UPDATE {_name(table)} AS kept SET {news} FROM ({{given}}) AS given WHERE {_same(keys)}"
        )

    def delete_where_keys(self, table: str, keys: Columns) -> int:
        """Delete the rows that have these values in all the columns of `keys`; returns how many were asked for."""
        return self._with_given(
            table, keys, f"DELETE FROM {_name(table)} AS kept USING ({{given}}) AS given WHERE {_same(list(keys))}"
        )

    def _insert(self, table: str, columns: Columns, conflict: str) -> int:
        return self._with_given(
            table,
            columns,
            # WHERE true: without it PostgreSQL's grammar, and DuckDB's, may take ON CONFLICT for a join's ON.
            f"INSERT INTO {_name(table)} ({_names(columns)}) SELECT * FROM ({{given}}) AS given WHERE true{conflict}",
        )

    def _with_given(self, table: str, columns: Columns, sql: str) -> int:
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of {table} differ in length: { {n: len(v) for n, v in columns.items()} }")
        if not lengths or lengths == {0}:
            return 0
        types = self._types_of(table)
        given = ", ".join(f"unnest(CAST(? AS {types[name]}[])) AS {_name(name)}" for name in columns)
        values = [_plain_column(types[name], values) for name, values in columns.items()]
        statement = sql.format(given=f"SELECT {given}")
        try:
            self._connection.execute(statement, values)
        except (RuntimeError, UnicodeEncodeError):
            # Half of a surrogate pair, as broken JSON may hold it, cannot be stored: it becomes a question mark.
            self._connection.execute(statement, [_encodable(column) for column in values])
        return lengths.pop()

    def _types_of(self, table: str) -> dict[str, str]:
        if table not in self._types:
            # All at once: one question takes as long as one for a single table.
            found = self._connection.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
            )
            for name, column, kind in found.fetchall():
                self._types.setdefault(name, {})[column] = kind
        return self._types[table]


def _retire_if_alive(store: "weakref.ref[Store]") -> None:
    if alive := store():
        alive._retire()


class _Moment:
    """One read-only opening that the threads of a process share for a moment."""

    def __init__(self, file: Attached, held: int, lasts_s: float) -> None:
        self.file = file
        self.users = 0
        self._held = held
        self._until = time.monotonic() + lasts_s

    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def close(self) -> None:
        self.file.close()
        os.close(self._held)


class Store:
    """The ledger at `path`, made on first use. Safe to share among threads; every process makes its own."""

    def __init__(
        self,
        path: Path,
        clock: Now | None = None,
        *,
        schema: Schema | None = None,
        wait_s: float = 30.0,
        moment_s: float = 0.3,
    ) -> None:
        """`wait_s`: how long to wait for one's turn; `moment_s`: how long a reading handle may be shared."""
        self.path = path
        self._clock = clock or _WallClock()
        self._schema = schema or Schema()
        self._wait_s = wait_s
        self._moment_s = moment_s
        self._lock = FileLock(path)
        self._types: dict[str, dict[str, str]] = {}
        self._mutex = threading.Lock()
        self._opening = threading.Lock()
        self._moment: _Moment | None = None
        self._mine = threading.local()
        # A program that ends while a handle is being closed in another thread would be aborted by DuckDB.
        atexit.register(_retire_if_alive, weakref.ref(self))

    def transaction(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` alone with the ledger and commit; anything it raises undoes all of it.

        `fn` may run again after a conflict, so its only effect must be on the ledger. It must be short: others wait.
        Raises LedgerBusy, LedgerTooNew, or SyncerError `ledger_unreadable`, `disk_full`, `not_writable`.
        """
        self._must_be_outside()
        with damage.told(self.path):
            for tried in range(1, _TRIES + 1):
                try:
                    return self._transaction(fn)
                except duckdb.TransactionException:
                    if tried == _TRIES:
                        raise
        raise AssertionError("unreachable")

    def read(self, fn: Callable[[LedgerReader], T]) -> T:
        """Run `fn` on the ledger as it stands; a reading inside a reading or a transaction sees the same.

        Raises as `transaction` does.
        """
        if outer := getattr(self._mine, "reader", None):
            return fn(outer)
        with damage.told(self.path), self._reading() as cursor, self._as_mine(LedgerReader(cursor)) as reader:
            return fn(reader)

    @contextmanager
    def held_still(self) -> Iterator[Path]:
        """The file, with the newest schema, that nobody writes meanwhile: for copying out of it, quickly."""
        self._must_be_outside()
        moment = self._open_moment()
        try:
            yield self.path
        finally:
            moment.close()

    @property
    def schema_version(self) -> int:
        """The newest that this program knows, to which every ledger is brought."""
        return self._schema.version

    def version(self) -> tuple[int, int, int]:
        """A cheap sign of the ledger's state: it differs after every commit."""
        return _sign_of(self.path)

    def _must_be_outside(self) -> None:
        if getattr(self._mine, "reader", None):
            raise RuntimeError("inside a transaction or a reading this would wait for itself")

    def _transaction(self, fn: Callable[[Tx], T]) -> T:
        self._retire()
        with self._lock.held_alone(self._wait_s), self._writing() as connection:
            tx = Tx(connection, self._types)
            with self._as_mine(tx), _committed(connection):
                return fn(tx)

    @contextmanager
    def _as_mine(self, reader: Any) -> Iterator[Any]:
        self._mine.reader = reader
        try:
            yield reader
        finally:
            self._mine.reader = None

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file open for writing, with the newest schema; the lock must be held alone."""
        if not self.path.exists():
            self._make()
        with self._opened(self.path) as connection:
            if self._version_in(connection) < self._schema.version:
                self._migrate(connection)
            yield connection

    @contextmanager
    def _opened(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A file open for writing, in an engine of its own: one that was attached did not survive every kill -9."""
        connection: duckdb.DuckDBPyConnection = self._patiently(path, lambda: _connect(path))
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        moment, cursor = self._join()
        try:
            yield cursor
        finally:
            cursor.close()
            self._leave(moment)

    def _join(self) -> tuple[_Moment, duckdb.DuckDBPyConnection]:
        if joined := self._join_open():
            return joined
        # One thread opens, the others wait for what it opens.
        if not self._opening.acquire(timeout=self._wait_s):
            raise LedgerBusy("ledger_busy", wait_s=5.0, waited=self._wait_s, held_for=self._lock.holder()[1])
        try:
            return self._join_open() or self._join_new()
        finally:
            self._opening.release()

    def _join_open(self) -> tuple[_Moment, duckdb.DuckDBPyConnection] | None:
        with self._mutex:
            moment = self._moment
            if moment is None or moment.is_over():
                return None
            moment.users += 1
            return moment, moment.file.cursor()

    def _join_new(self) -> tuple[_Moment, duckdb.DuckDBPyConnection]:
        moment = self._open_moment()
        moment.users = 1
        cursor = moment.file.cursor()
        with self._mutex:
            before, self._moment = self._moment, moment
            if before and not before.users:
                before.close()
        threading.Thread(target=self._watch, args=[moment], name="ledger-moment", daemon=True).start()
        return moment, cursor

    def _open_moment(self) -> _Moment:
        for _ in range(_TRIES):
            held = self._lock.take(alone=False, wait_s=self._wait_s)
            try:
                file = self._attach_as_it_should_be()
            except BaseException:
                os.close(held)
                raise
            if file:
                return _Moment(file, held, self._moment_s)
            os.close(held)
            # Missing or old: a transaction that does nothing makes it, or brings it forward.
            self._transaction(lambda tx: None)
        raise LedgerBusy("ledger_busy", wait_s=5.0, reason="the ledger keeps changing its version")

    def _attach_as_it_should_be(self) -> Attached | None:
        if not self.path.exists():
            return None
        file = self._patiently(self.path, lambda: ENGINE.attach(self.path))
        try:
            with file.cursor() as connection:
                is_newest = self._version_in(connection) == self._schema.version
        except BaseException:
            file.close()
            raise
        if is_newest:
            return file
        file.close()
        return None

    def _leave(self, moment: _Moment) -> None:
        with self._mutex:
            moment.users -= 1
            if moment.users == 0 and (moment is not self._moment or moment.is_over()):
                if moment is self._moment:
                    self._moment = None
                moment.close()

    def _retire(self) -> None:
        """Nobody joins the present moment any more; it closes when its last user leaves."""
        with self._mutex:
            moment, self._moment = self._moment, None
            if moment and not moment.users:
                moment.close()

    def _watch(self, moment: _Moment) -> None:
        """End a moment when it is over, or as soon as somebody wants to write."""
        while True:
            time.sleep(_LOOK_S)
            with self._mutex:
                if moment is not self._moment:
                    return
                if moment.is_over() or self._is_wanted():
                    self._moment = None
                    if not moment.users:
                        moment.close()
                    return

    def _is_wanted(self) -> bool:
        try:
            return self._lock.is_wanted()
        except SyncerError:
            return True  # it cannot be seen any more who waits: nobody is kept waiting

    def _patiently(self, path: Path, open_: Callable[[], T]) -> T:
        """Open it, as soon as nobody else outside of the store has it."""
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                return open_()
            except duckdb.Error as error:
                if not _is_somebody_elses(error):
                    raise damage.of_ledger(error, path) from error
                if time.monotonic() >= deadline:
                    raise LedgerBusy("ledger_busy", wait_s=5.0, waited=self._wait_s, held_for=None) from error
                time.sleep(0.05)

    def _version_in(self, connection: duckdb.DuckDBPyConnection) -> int:
        try:
            found = connection.execute("SELECT max(schema_version) FROM ledger").fetchone()
        except duckdb.Error as error:
            raise damage.of_ledger(error, self.path) from error
        if not found or found[0] is None:
            raise SyncerError("ledger_unreadable", path=str(self.path), reason="it says no version")
        version = int(found[0])
        if version > self._schema.version:
            raise LedgerTooNew("ledger_too_new", file_version=version, known_version=self._schema.version)
        return version

    def _make(self) -> None:
        """Make a fresh ledger under another name first: a crash meanwhile leaves nothing half made."""
        new = self.path.with_name(self.path.name + ".new")
        remove_ledger(new)
        with self._opened(new) as connection, _committed(connection):
            connection.execute(self._schema.sql)
            made_at = _plain(self._clock.now())
            connection.execute("INSERT INTO ledger SELECT ?, ?", [self._schema.version, made_at])
        new.chmod(0o600)
        new.rename(self.path)

    def _migrate(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Bring an older ledger forward, all steps or none."""
        self._types.clear()
        with _committed(connection):
            for version in range(self._version_in(connection) + 1, self._schema.version + 1):
                step = self._schema.migrations[version]
                # Each step sees the columns that the one before it made.
                tx = Tx(connection)
                if callable(step):
                    step(tx)
                else:
                    tx.execute(step)
                tx.execute("UPDATE ledger SET schema_version = ?", [version])


def copy_ledger(ledger: Path, to: Path) -> None:
    """Copy a ledger that is held still, and what waits beside it to be written into it; raises OSError."""
    for file, copy in ((ledger, to), (_beside(ledger), _beside(to))):
        copy.unlink(missing_ok=True)
        if file.exists():
            # Nobody else's from its first byte on.
            copy.touch(mode=0o600)
            shutil.copyfile(file, copy)


def settle_copy(copy: Path) -> None:
    """Write into a copied ledger what waits beside it, so that it is one file; raises SyncerError as `Store.read`."""
    with damage.told(copy), _connect(copy) as connection:
        connection.execute("CHECKPOINT")
    _beside(copy).unlink(missing_ok=True)


def remove_ledger(path: Path) -> None:
    """Remove a ledger that nobody uses, and what waits beside it."""
    for file in (_beside(path), path):
        file.unlink(missing_ok=True)


def put_ledger(new: Path, path: Path) -> None:
    """Put a ledger that is one file in the place of another, or of none; the lock of that place must be held alone."""
    # What waits beside the other one would be written into the new one.
    _beside(path).unlink(missing_ok=True)
    new.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def ledger_path(url: str, beside: Path) -> Path:
    """The file that `SYNCER_LEDGER_URL` names: three slashes and a path relative to `beside`, or four and a whole one.

    Raises WrongUsage for anything that is not a DuckDB file.
    """
    if url.startswith(("postgresql:", "postgres:")):
        raise WrongUsage(
            "SYNCER_LEDGER_URL: a ledger in PostgreSQL, for several machines, comes in a later version. "
            "Use duckdb:///data/ledger.duckdb (or leave the setting out) and run on one machine until then."
        )
    found = re.fullmatch(r"duckdb:///(?P<path>[^?#\0]+)", url)
    if not found or found["path"].endswith("/"):
        raise WrongUsage(
            "SYNCER_LEDGER_URL must look like duckdb:///data/ledger.duckdb, or duckdb:////srv/syncer/storage.duckdb "
            f"(four slashes) for a whole path; it is {url.split('://')[0]!r} and something else."
        )
    return beside / found["path"]


@dataclass(frozen=True)
class Query:
    """One block of a .sql file; `options` are what its `-- name:` line says besides, `purpose` the comment under it."""

    sql: str
    purpose: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def queries(path: Path) -> dict[str, Query]:
    """The blocks of a .sql file that begin with `-- name: foo`, by name, in order."""
    found: dict[str, Query] = {}
    for block in re.split(r"^-- name:", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        name, *options = head.split(maxsplit=1)
        if name in found:
            raise ValueError(f"{path.name}: two queries are named {name}")
        comments = [line for line in body.splitlines() if line.startswith("--")]
        sql = "\n".join(line for line in body.splitlines() if not line.startswith("--")).strip().rstrip(";")
        purpose = " ".join(line.removeprefix("--").strip() for line in comments)
        found[name] = Query(sql, purpose, dict(re.findall(r"(\w+):\s*(\S+)", " ".join(options))))
    return _with_parts(found)


def _with_parts(found: Mapping[str, Query]) -> dict[str, Query]:
    """The queries with those that several of them contain written out."""
    if not any("{invoice_now}" in query.sql or "{haystack}" in query.sql for query in found.values()):
        return dict(found)
    whole = dict(found)
    for named, part in queries(HERE / "parts.sql").items():
        placeholder = f"{{{named}}}"
        whole = {
            name: replace(query, sql=query.sql.replace(placeholder, f"({part.sql})")) for name, query in whole.items()
        }
    return whole


def named_queries(path: Path) -> Mapping[str, str]:
    """The SQL of each named block of a file."""
    return {name: query.sql for name, query in queries(path).items()}


@contextmanager
def _committed(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some failures have ended the transaction already.
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config={**CONFIG, "storage_compatibility_version": STORAGE})
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def _is_somebody_elses(error: duckdb.Error) -> bool:
    """Whether another program, or this one outside of the store, has the file open."""
    told = str(error)
    return any(said in told for said in ("Could not set lock on file", "different configuration", "handle conflict"))


def _sign_of(path: Path) -> tuple[int, int, int]:
    """Write time in nanoseconds and size of the file, and size of what waits beside it to be written into it."""
    wal = _beside(path)
    try:
        stat = path.stat()
        waiting = wal.stat().st_size if wal.exists() else 0
    except FileNotFoundError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, waiting)


def _plain(value: Any) -> Any:
    """The value as DuckDB's client takes it without loss."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, Decimal) and value.as_tuple().exponent > 0:  # type: ignore[operator]  # because: NaN is no money
        # DuckDB's client reads Decimal("1E+3") as 1.
        return value.quantize(Decimal(1))
    return value


def _plain_column(kind: str, values: Sequence[Any]) -> list[Any]:
    if kind.startswith("DECIMAL"):
        return [_digits(value) for value in values]
    if kind == "TIMESTAMP":
        return [_plain(value) for value in values]
    return list(values)


def _digits(value: Any) -> str | None:
    if isinstance(value, float):
        raise TypeError(f"money is Decimal, not float: {value!r}")
    return None if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def _encodable(values: list[Any]) -> list[Any]:
    return [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _last_of_each(keys: Sequence[str], columns: Columns) -> Columns:
    """The columns without the rows that a later row with the same keys replaces."""
    missing = set(keys) - columns.keys()
    if missing:
        raise ValueError(f"no values for the keys {sorted(missing)}")
    rows = list(zip(*(columns[key] for key in keys), strict=True))
    last = {row: index for index, row in enumerate(rows)}
    if len(last) == len(rows):
        return columns
    kept = sorted(last.values())
    return {name: [values[index] for index in kept] for name, values in columns.items()}


def _name(name: str) -> str:
    """A table's or column's name, which can be nothing else."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise ValueError(f"not a name: {name!r}")
    return f'"{name}"'


def _names(names: Iterable[str]) -> str:
    return ", ".join(_name(name) for name in names)


def _same(keys: Sequence[str]) -> str:
    return " AND ".join(f"kept.{_name(key)} = given.{_name(key)}" for key in keys)
