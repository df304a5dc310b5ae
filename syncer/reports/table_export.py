"""The analysis tables as files: .csv and .xlsx for people, .parquet for programs."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from syncer.domain.errors import WrongUsage
from syncer.reports.files import write_csv, write_xlsx
from syncer.storage.analysis.copy import Analysis

# The order of the rows where it is not that of the columns, from the first to the last.
ORDERS = {
    "runs": "started_at, run_id",
    "attempts": "end_id",
    "invoices": "connection, number, crococlick_id",
    "calls": "id",
    "contacts": "connection, name, crococlick_id",
}
XLSX_ROWS = 1_048_575
_BATCH = 5_000


def export(analysis: Analysis, kind: str, to: Path, connections: Sequence[str] | None = None) -> int:
    """Write an analysis table to a .csv, .parquet or .xlsx file, whole or not at all; returns the number of rows.

    Raises WrongUsage for another table or suffix, a folder that is not there, or too many rows for a spreadsheet.
    """
    if kind not in analysis.tables:
        raise WrongUsage(f"There is nothing called {kind!r} to export; choose one of {', '.join(analysis.tables)}.")
    write = _writer(to)
    connection = analysis.open(connections)
    part = to.with_name(f".{to.name}.part")
    try:
        rows = write(connection, kind, part)
        part.replace(to)
    except OSError as error:
        raise WrongUsage(f"{to} cannot be written: {error.strerror or error}.") from error
    finally:
        connection.close()
        part.unlink(missing_ok=True)
    return rows


Writer = Callable[[duckdb.DuckDBPyConnection, str, Path], int]


def _writer(to: Path) -> Writer:
    writers: dict[str, Writer] = {".csv": _csv, ".parquet": _parquet, ".xlsx": _xlsx}
    if to.suffix.lower() not in writers:
        raise WrongUsage(f"{to.name!r} must end in .csv, .parquet or .xlsx: that is how the format is chosen.")
    if not to.parent.is_dir():
        raise WrongUsage(f"There is no folder {str(to.parent)!r}: make it first, or choose another.")
    if to.is_dir():
        raise WrongUsage(f"{str(to)!r} is a folder.")
    return writers[to.suffix.lower()]


def _csv(connection: duckdb.DuckDBPyConnection, kind: str, to: Path) -> int:
    with to.open("w", encoding="utf-8", newline="") as file:
        return write_csv(file, _columns(connection, kind), _rows(connection, kind))


def _parquet(connection: duckdb.DuckDBPyConnection, kind: str, to: Path) -> int:
    """Exact: amounts stay decimals, times say that they are UTC, text is left as it is."""
    # Not DuckDB's own COPY: the connection that sees the tables can write no file.
    import pyarrow as pa  # Slow to load, and only needed here.
    import pyarrow.parquet as pq

    reader = connection.execute(_question(kind)).to_arrow_reader(_BATCH)
    schema = pa.schema([_in_utc(field) for field in reader.schema])
    count = 0
    with pq.ParquetWriter(to, schema) as file:
        for batch in reader:
            file.write_table(pa.Table.from_batches([batch]).cast(schema))
            count += batch.num_rows
    return count


def _xlsx(connection: duckdb.DuckDBPyConnection, kind: str, to: Path) -> int:
    [(count,)] = connection.execute(f"SELECT count(*) FROM {kind}").fetchall()
    if count > XLSX_ROWS:
        raise WrongUsage(
            f"{kind} has {count:,} rows and a spreadsheet holds {XLSX_ROWS:,}: choose .csv or .parquet instead."
        )
    with to.open("wb") as file:
        write_xlsx(file, kind, _columns(connection, kind), _rows(connection, kind))
    return int(count)


def _question(kind: str) -> str:
    return f"SELECT * FROM {kind} ORDER BY {ORDERS.get(kind, 'ALL')}"


def _columns(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    return [column[0] for column in connection.execute(f"SELECT * FROM {kind} LIMIT 0").description]


def _rows(connection: duckdb.DuckDBPyConnection, kind: str) -> Iterator[tuple[Any, ...]]:
    found = connection.execute(_question(kind))
    while batch := found.fetchmany(_BATCH):
        yield from batch


def _in_utc(field: Any) -> Any:
    """The arrow field, its time zone said where it holds times."""
    import pyarrow as pa

    return field.with_type(pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(field.type) else field
