"""A table as a file: .csv and .xlsx for people, .parquet for programs.

Money is exact in each of them, and nothing that a customer wrote is ever calculated.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, TextIO

from syncer.domain.model import money
from syncer.reports.figure import FigureColumn
from syncer.storage.analysis.query import QueryResult

Rows = Sequence[Sequence[Any]]
Style = Callable[[int, Any], str]  # the place of a column and a value: the number format of its cell, "" for none

# The name of each format on a button, and its media type.
FORMATS: Mapping[str, tuple[str, str]] = {
    "csv": ("CSV", "text/csv"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
_WIDEST = 60  # characters of a column in a sheet
_XLSX_TEXT = 32_767
_PLAIN = (bool, int, float, Decimal, date, datetime, str)

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


# -- the three formats ------------------------------------------------------------------------------------------------


def write_csv(
    file: TextIO,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    currency_name: str = "currency",
    plain: frozenset[int] = frozenset(),
) -> int:
    """Write rows under their names; returns how many. Amounts have the decimals of the currency in `currency_name`.

    `plain` are the places of columns whose decimals are no amounts: they have two decimals, or more where they need it.
    """
    currency = names.index(currency_name) if currency_name in names else None
    lines = csv.writer(file)
    lines.writerow([as_text(name, "") for name in names])
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 — the last number is how many there were
        unit = row[currency] if currency is not None else ""
        lines.writerow([as_text(value, "EUR" if place in plain else unit) for place, value in enumerate(row)])
    return count


def write_xlsx(
    file: BinaryIO,
    title: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    style: Style = lambda place, value: _style_of(value),
    widths: Sequence[int] = (),
) -> None:
    """Write one sheet with the rows under their names; `widths` are in characters, by column."""
    from openpyxl import Workbook  # Slow to load, and only needed here.
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append([_cell(sheet, name, "") for name in names])
    for row in rows:
        sheet.append([_cell(sheet, value, style(place, value)) for place, value in enumerate(row)])
    book.save(file)


def write_parquet(file: BinaryIO, names: Sequence[str], rows: Rows, types: Sequence[Any]) -> None:
    """Write rows under their names; `types` are Arrow's, by column, None where text has to do."""
    import pyarrow as pa  # Slow to load, and only needed here.
    import pyarrow.parquet as pq

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [
        pa.array(values, kind) if kind else pa.array([None if one is None else str(one) for one in values], pa.string())
        for kind, values in zip(types, columns, strict=True)
    ]
    pq.write_table(pa.Table.from_arrays(arrays, names=_apart(names)), file)


# -- figures ----------------------------------------------------------------------------------------------------------


def figure_file(kind: str, name: str, columns: Sequence[FigureColumn], rows: Rows) -> bytes:
    """A figure in one of FORMATS, its columns called as on the screen."""
    names = [column.name for column in columns]
    file = io.BytesIO()
    if kind == "csv":
        text = io.StringIO(newline="")
        plain = frozenset(place for place, column in enumerate(columns) if column.unit != "money")
        write_csv(text, names, rows, "Currency", plain)
        return text.getvalue().encode()
    if kind == "xlsx":
        longest = [max([len(one), *(len(str(row[place])) for row in rows)]) for place, one in enumerate(names)]
        widths = [min(_WIDEST, length + 2) for length in longest]
        write_xlsx(file, name, names, rows, lambda place, value: _figure_style(columns[place], value), widths)
    else:
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        types = [_figure_type(column, those) for column, those in zip(columns, values, strict=True)]
        write_parquet(file, names, rows, types)
    return file.getvalue()


def _figure_style(column: FigureColumn, value: Any) -> str:
    if isinstance(value, date):
        return "yyyy-mm-dd"
    if isinstance(value, Decimal):
        return _style_of(value) if column.unit in ("money", "value") else "0.0"
    return "#,##0" if isinstance(value, int) else ""


def _figure_type(column: FigureColumn, values: Sequence[Decimal | None]) -> Any:
    """Arrow's type of a column; a decimal has two decimals, or what its most exact amount has."""
    import pyarrow as pa

    kinds = {"day": pa.date32(), "text": pa.string(), "count": pa.int64(), "seconds": pa.int64(), "bytes": pa.int64()}
    if kind := kinds.get(column.unit):
        return kind
    exponents = [value.as_tuple().exponent for value in values if value is not None]
    return pa.decimal128(38, max([2, *(-int(exponent) for exponent in exponents)]))


# -- answers ----------------------------------------------------------------------------------------------------------


def answer_file(kind: str, answer: QueryResult) -> bytes:
    """An answer in one of FORMATS; amounts and times as `python -m syncer export` writes them."""
    file = io.BytesIO()
    if kind == "csv":
        text = io.StringIO(newline="")
        write_csv(text, answer.columns, map(_row, answer.rows))
        # Without the mark a spreadsheet takes the letters for others.
        return text.getvalue().encode("utf-8-sig")
    if kind == "xlsx":
        write_xlsx(file, "answer", answer.columns, map(_row, answer.rows))
    else:
        write_parquet(file, answer.columns, answer.rows, [_answer_type(one) for one in answer.types])
    return file.getvalue()


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


def _answer_type(kind: str) -> Any:
    """Arrow's type for one of DuckDB's; None where text has to do."""
    import pyarrow as pa

    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return pa.decimal128(int(found[1]), int(found[2]))
    if kind.startswith("TIMESTAMP"):
        return pa.timestamp("us", tz="UTC")
    known = {
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "FLOAT": pa.float32(),
        "DOUBLE": pa.float64(),
        "TINYINT": pa.int8(),
        "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "UTINYINT": pa.uint8(),
        "USMALLINT": pa.uint16(),
        "UINTEGER": pa.uint32(),
        "UBIGINT": pa.uint64(),
        "HUGEINT": pa.decimal128(38, 0),
    }
    return known.get(kind)


def _apart(names: Sequence[str]) -> list[str]:
    """Names of which no two are alike, as readers of Parquet want them."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return told


# -- cells ------------------------------------------------------------------------------------------------------------


def _cell(sheet: Any, value: Any, style: str) -> Any:
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
    if not style:
        return value
    made = WriteOnlyCell(sheet, value)
    made.number_format = style
    return made


def _style_of(value: Any) -> str:
    """The number format of a cell: exact amounts, and times that say that they are UTC."""
    if isinstance(value, Decimal):
        return "#,##0.00####"
    return 'yyyy-mm-dd hh:mm:ss "UTC"' if isinstance(value, datetime) else ""


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
    return _as_plain_text(str(value))


def _as_plain_text(text: str) -> str:
    """Text of a .csv in which nothing is calculated, wherever a spreadsheet cuts it into cells."""
    told = _CUT.sub(lambda cut: cut[0] + "'" * _is_before_sign(cut), text)
    return "'" + told if _FORMULA.match(told) else told


def _is_before_sign(cut: re.Match[str]) -> bool:
    return re.match(_SIGNS, cut.string[cut.end() : cut.end() + 1]) is not None
