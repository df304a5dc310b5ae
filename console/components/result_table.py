"""The rows of an answer as a table: exact amounts, times in the viewer's zone, codes in words where that is wanted."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any

import streamlit as st

from console.components import formats, html
from console.components.html import Column
from syncer.domain.model.money import text
from syncer.messages import format, problems, status
from syncer.storage.analysis.query import QueryResult

ROWS = 100  # on one page
LETTERS = 300  # of one cell
SHORT = 24  # a number or an id: it stays on one line
FIGURES = ("DECIMAL", "DOUBLE", "FLOAT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UINTEGER", "UBIGINT")
MONEY_PLACES = 6  # what the ledger keeps amounts with; sums keep it

SIDES = {"xero": "Xero", "crococlick": "CrocoClick", "identity": "Xero's login"}


def show(answer: QueryResult, key: str, in_words: bool) -> None:
    """The table, a page at a time."""
    if not answer.rows:
        return
    shown = [n for n, name in enumerate(answer.columns) if not (in_words and name == "facts")]
    columns = [Column(head(answer.columns[n], in_words), is_figure(answer.types[n])) for n in shown]
    rows: Sequence[tuple[Any, ...]] = answer.rows
    if len(rows) > ROWS:
        place = st.pagination(-(-len(rows) // ROWS), key=key)
        rows = rows[(place - 1) * ROWS : place * ROWS]
    cells = [[cell(answer, row, n, in_words) for n in shown] for row in rows]
    html.html(html.table(columns, cells, cards=False), "answer")


def is_figure(kind: str) -> bool:
    """Whether a type of DuckDB's is a number, and no list of them."""
    return kind.startswith(FIGURES) and not kind.endswith("]")


def head(name: str, in_words: bool) -> str:
    """What a column is called."""
    return formats.opening(name.replace("_", " ")) if in_words else name


def cell(answer: QueryResult, row: Sequence[Any], place: int, in_words: bool) -> str:
    """One value (HTML)."""
    value, name, kind = row[place], answer.columns[place], answer.types[place]
    told = dict(zip(answer.columns, row, strict=True))
    if value is None:
        return '<span class="quiet">–</span>'
    if in_words and isinstance(value, str) and (word := in_plain_words(name, value, told)):
        return escape(word)
    if isinstance(value, Decimal):
        return escape(amount(value, kind, str(told.get("currency") or "") if in_words else ""))
    if isinstance(value, datetime):
        return f'<span class="keep">{_time(value, in_words)}</span>'
    if isinstance(value, date):
        return f'<span class="keep">{day_told(value, name) if in_words else value.isoformat()}</span>'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if in_words else str(value)
    return _cut(str(value))


def day_told(value: date, column: str) -> str:
    """A day; of a month its name and year."""
    return f"{value:%b %Y}" if column == "month" else formats.day(value)


def amount(value: Decimal, kind: str, currency: str) -> str:
    """Every digit that counts; amounts of money have two decimals at least, and their currency where it is known."""
    if not kind.endswith(f",{MONEY_PLACES})"):
        return text(value)
    if currency:
        return format.money(value, currency)
    told = text(value)
    whole, _, rest = told.partition(".")
    return f"{whole}.{rest:0<2}"


def in_plain_words(name: str, value: str, row: Mapping[str, Any]) -> str:
    """What a code of this column means; nothing where it is no code."""
    if name == "cause":
        return _cause(value, row)
    if name in ("outcome", "ended"):
        known = status.OUTCOMES if name == "outcome" else status.RUN_ENDS
        return known.get(value, ("", value.replace("_", " ")))[1]
    return {
        "state": lambda: format.STATES.get(value, ("", value))[1],
        "status": lambda: format.STATUSES.get(value, value.replace("_", " ")),
        "xero_status": lambda: status.XERO_STATUSES.get(value, value.lower()),
        "side": lambda: SIDES.get(value, value),
        "action": lambda: status.ACTIONS.get(value, value.replace("_", " ")),
        "kind": lambda: value.replace("_", " "),
        "link": lambda: value.replace("_", " "),
    }.get(name, str)()


def _cause(code: str, row: Mapping[str, Any]) -> str:
    """With its facts a sentence; without them a sentence would have gaps."""
    if isinstance(facts := row.get("facts"), str):
        return formats.opening(
            problems.cause_sentence(code, {"currency": row.get("currency") or "", **json.loads(facts)})
        )
    return formats.opening(code.replace("_", " "))


def _time(value: datetime, in_words: bool) -> str:
    if in_words:
        return formats.exact(value)
    return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value:%f}".rstrip("0") if value.microsecond else "")


def _cut(told: str) -> str:
    if len(told) <= SHORT and " " not in told:
        return f'<span class="keep">{escape(told)}</span>'
    if len(told) <= LETTERS:
        return escape(told)
    return f'<span title="{escape(told[:2000])}">{escape(told[:LETTERS])} …</span>'
