"""An answer to a question as a file: .csv and .xlsx for people, .parquet for programs."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from syncer.reports.table_export import write_csv, write_xlsx
from syncer.storage.analysis.query import QueryResult

_PLAIN = (bool, int, float, Decimal, date, datetime, str)


def as_csv(answer: QueryResult) -> bytes:
    """Amounts and times as `python -m syncer export` writes them."""
    text = io.StringIO(newline="")
    write_csv(text, answer.columns, map(_row, answer.rows))
    # Without the mark a spreadsheet takes the letters for others.
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(answer: QueryResult) -> bytes:
    """One sheet; amounts are numbers with their decimals, text is never calculated."""
    file = io.BytesIO()
    write_xlsx(file, "answer", answer.columns, map(_row, answer.rows))
    return file.getvalue()


def as_parquet(answer: QueryResult) -> bytes:
    """Exact: amounts stay decimals, times say that they are UTC; what Parquet has no word for is text."""
    import pyarrow as pa  # Slow to load, and only needed here.
    import pyarrow.parquet as pq

    columns = list(zip(*answer.rows, strict=True)) or [()] * len(answer.columns)
    arrays = [_array(kind, values) for kind, values in zip(answer.types, columns, strict=True)]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=_apart(answer.columns)), file)
    return file.getvalue()


FILES: Mapping[str, tuple[str, Callable[[QueryResult], bytes], str]] = {
    "csv": ("CSV", as_csv, "text/csv"),
    "xlsx": ("Excel", as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", as_parquet, "application/vnd.apache.parquet"),
}


def _row(row: Sequence[Any]) -> list[Any]:
    return [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    """As a cell takes it: times in UTC without saying so, numbers that a cell cannot hold and all else as text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if value is None or (isinstance(value, _PLAIN) and not _is_odd(value)):
        return value
    return str(value)


def _is_odd(value: Any) -> bool:
    """Beyond the fifteen digits that a spreadsheet keeps, or no number at all."""
    if isinstance(value, float):
        return value != value or value in (float("inf"), float("-inf"))
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15


def _array(kind: str, values: Sequence[Any]) -> Any:
    import pyarrow as pa

    wanted = _arrow(kind)
    if wanted is None:
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return pa.array(values, wanted)


def _arrow(kind: str) -> Any:
    """Arrow's type for one of DuckDB's; None where text has to do."""
    import pyarrow as pa

    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return pa.decimal128(int(found[1]), int(found[2]))
    if kind.startswith("TIMESTAMP"):
        return pa.timestamp("us", tz="UTC")
    known = {
        "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(),
        "BIGINT": pa.int64(), "UTINYINT": pa.uint8(), "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(),
        "UBIGINT": pa.uint64(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "DATE": pa.date32(),
        "HUGEINT": pa.decimal128(38, 0),
    }  # fmt: skip
    return known.get(kind)


def _apart(names: Sequence[str]) -> list[str]:
    """Names of which no two are alike, as readers of Parquet want them."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return told
