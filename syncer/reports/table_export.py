"""The analysis tables as files: .csv and .xlsx for people, .parquet for programs."""

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import duckdb

from syncer.domain.errors import WrongUsage
from syncer.domain.model import money
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
_XLSX_TEXT = 32_767
_BATCH = 5_000

# A spreadsheet takes text that begins so for a formula, and a customer chooses his own name. The full-width signs
# count in its Japanese and Chinese editions.
_SIGNS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
# What it passes over before such a sign: blanks, control characters, marks without width, and quotes.
_PASSED_OVER = r"[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\"]"
_FORMULA = re.compile(rf"{_PASSED_OVER}*+{_SIGNS}|[\t\r\n]")
# In French, German and most of Europe's settings a .csv is cut at `;` (elsewhere at tabs), also inside of quotes that
# begin elsewhere: what follows one then begins a cell of its own.
_CUT = re.compile(rf"[;\t\r\n]{_PASSED_OVER}*+")
# Characters that XML cannot hold, and so no .xlsx.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


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


def write_csv(file: TextIO, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Rows under their names; amounts have the decimals of the row's currency."""
    currency = names.index("currency") if "currency" in names else None
    lines = csv.writer(file)
    lines.writerow([as_text(name, "") for name in names])
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 — the last number is how many there were
        unit = row[currency] if currency is not None else ""
        lines.writerow([as_text(value, unit) for value in row])
    return count


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


def write_xlsx(file: BinaryIO, title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet with the rows under their names; text stays text."""
    from openpyxl import Workbook  # Slow to load, and only needed here.

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in itertools.chain([names], rows):
        sheet.append([in_sheet(sheet, value) for value in row])
    book.save(file)


def in_sheet(sheet: Any, value: Any, style: str = "") -> Any:
    """One cell of an .xlsx: numbers and times as such, text as text whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, str):
        text = _NOT_XML.sub("\ufffd", value)[:_XLSX_TEXT]
        if not _FORMULA.match(text):
            return text
        made = WriteOnlyCell(sheet, text)
        made.number_format = "@"
        # Text for good, also when somebody edits the cell.
        made.data_type, made.quotePrefix = "s", True
        return made
    style = style or _style(value)
    if not style:
        return value
    made = WriteOnlyCell(sheet, value)
    made.number_format = style
    return made


def _style(value: Any) -> str:
    if isinstance(value, Decimal):
        return "#,##0.00####"
    return 'yyyy-mm-dd hh:mm:ss "UTC"' if isinstance(value, datetime) else ""


def _question(kind: str) -> str:
    return f"SELECT * FROM {kind} ORDER BY {ORDERS.get(kind, 'ALL')}"


def _columns(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    return [column[0] for column in connection.execute(f"SELECT * FROM {kind} LIMIT 0").description]


def _rows(connection: duckdb.DuckDBPyConnection, kind: str) -> Iterator[tuple[Any, ...]]:
    found = connection.execute(_question(kind))
    while batch := found.fetchmany(_BATCH):
        yield from batch


def as_text(value: Any, currency: str) -> str:
    """One cell of a .csv; text that a spreadsheet would calculate gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return money.show(value, currency)
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return as_plain_text(str(value))


def as_plain_text(text: str) -> str:
    """Text of a .csv in which nothing is calculated, wherever a spreadsheet cuts it into cells."""
    told = _CUT.sub(lambda cut: cut[0] + "'" * _is_before_sign(cut), text)
    return "'" + told if _FORMULA.match(told) else told


def _is_before_sign(cut: re.Match[str]) -> bool:
    return re.match(_SIGNS, cut.string[cut.end() : cut.end() + 1]) is not None


def _in_utc(field: Any) -> Any:
    """The arrow field, its time zone said where it holds times."""
    import pyarrow as pa

    return field.with_type(pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(field.type) else field
