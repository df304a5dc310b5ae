"""A table as a file: .csv and .xlsx for people, .parquet for programs; money exact in each of them."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.reports.figure import FigureColumn
from syncer.reports.table_export import as_text, in_sheet

Rows = Sequence[Sequence[Any]]
TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WIDEST = 60


def written(kind: str, name: str, columns: Sequence[FigureColumn], rows: Rows) -> bytes:
    """The table in one of TYPES, its columns called as on the screen."""
    writers: Mapping[str, Callable[[str, Sequence[FigureColumn], Rows], bytes]] = {
        "csv": _csv, "parquet": _parquet, "xlsx": _xlsx,
    }  # fmt: skip
    return writers[kind](name, columns, rows)


def _csv(name: str, columns: Sequence[FigureColumn], rows: Rows) -> bytes:
    place = next((n for n, column in enumerate(columns) if column.name == "Currency"), None)
    file = io.StringIO(newline="")
    lines = csv.writer(file)
    lines.writerow([as_text(column.name, "") for column in columns])
    for row in rows:
        currency = row[place] if place is not None else ""
        lines.writerow(
            [
                as_text(value, currency if column.unit == "money" else "EUR")
                for column, value in zip(columns, row, strict=True)
            ]
        )
    return file.getvalue().encode()


def _parquet(name: str, columns: Sequence[FigureColumn], rows: Rows) -> bytes:
    import pyarrow as pa  # Slow to load, and only needed here.
    import pyarrow.parquet as pq

    kinds = {"day": pa.date32(), "text": pa.string(), "count": pa.int64(), "seconds": pa.int64(), "bytes": pa.int64()}
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        pa.array(list(those), kinds.get(column.unit) or pa.decimal128(38, _places(those)))
        for column, those in zip(columns, values, strict=True)
    ]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=[column.name for column in columns]), file)
    return file.getvalue()


def _places(values: Sequence[Decimal | None]) -> int:
    """How many decimals a column needs: two, or what its most exact amount has."""
    found = [value.as_tuple().exponent for value in values if value is not None]
    return max([2, *(-int(exponent) for exponent in found)])


def _xlsx(name: str, columns: Sequence[FigureColumn], rows: Rows) -> bytes:
    from openpyxl import Workbook  # Slow to load, and only needed here.
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns):
        longest = max((len(str(row[place])) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(place + 1)].width = min(_WIDEST, max(len(column.name), longest) + 2)
    sheet.append([in_sheet(sheet, column.name) for column in columns])
    for row in rows:
        sheet.append(
            [in_sheet(sheet, value, _style(column, value)) for column, value in zip(columns, row, strict=True)]
        )
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _style(column: FigureColumn, value: Any) -> str:
    if isinstance(value, date):
        return "yyyy-mm-dd"
    if isinstance(value, Decimal):
        return "#,##0.00####" if column.unit in ("money", "value") else "0.0"
    return "#,##0" if isinstance(value, int) else ""
