"""Shared pieces of screen: sections, tables that become cards, a timeline, the next step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st

from console.components import formats

NAME = "CrocoClick → Xero"  # of the product, in the browser's tab
STYLE = Path(__file__).parents[1] / "style.css"


def style() -> None:
    """The few rules that Streamlit's theme does not have."""
    st.html(STYLE)


# The key that Stripe, Linear and GitHub have for it. A page is drawn many times and listens once.
_SLASH = """<script>
if (!window.searchKey) {
  window.searchKey = true;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable=true], .monaco-editor");
    const box = document.querySelector(".st-key-search input");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}
</script>"""


def search_key() -> None:
    """Let `/` lead to the search box from anywhere on a page."""
    st.html(_SLASH, unsafe_allow_javascript=True)


def html(content: str, kind: str = "", width: Literal["stretch", "content"] = "stretch") -> None:
    """A piece of our own HTML. The caller has escaped what came from elsewhere."""
    st.html(f'<div class="cx {kind}">{content}</div>', width=width)


def quiet(sentence: str, kind: str = "small") -> None:
    """A sentence that stays in the background (HTML)."""
    html(sentence, f"quiet {kind}")


def section(title: str, content: str = "") -> None:
    """The heading of a section, and what it holds (HTML)."""
    html(f"<h2>{escape(title)}</h2>{content}")


def link(page: str, connection: str = "default", **asked: str) -> str:
    """The address of a page, or of one record on it; Today is the first page, which has no name."""
    page = "" if page == "today" else page
    if connection != "default":
        asked["connection"] = connection
    return f"./{page}?{urlencode(asked)}" if asked else f"./{page}"


def anchor(address: str, label: str) -> str:
    """A link (HTML); the label is escaped."""
    return f'<a href="{escape(address)}">{escape(label)}</a>'


def code(text: str) -> str:
    """Something a machine says or reads, as it is (HTML)."""
    return f"<code>{escape(text)}</code>"


def next_step(remedy: Any) -> str:
    """Who does what next (HTML)."""
    return f"<p>Next ({escape(remedy.who)}): {formats.prose(remedy.sentence)}</p>" if remedy else ""


def under(text: str) -> str:
    """A second line in a cell that stays in the background (HTML)."""
    return f'<span class="under">{escape(text)}</span>' if text else ""


def stacked(money: Mapping[str, Decimal]) -> str:
    """Each currency on a line of its own (HTML)."""
    return "<br>".join(escape(formats.money(amount, currency)) for currency, amount in sorted(money.items()))


def who(group: Any, now: datetime) -> str:
    """Who acts next for a group, or when it is tried again."""
    if not group.heals:
        return escape(group.remedy.who) if group.remedy else ""
    if group.retry_at and group.retry_at > now:
        return f"tried again at {formats.clock(group.retry_at, now)}"
    return "tried again in the next run"


def tabs(found: Iterable[tuple[str, str, str, bool]]) -> str:
    """Tabs that are addresses (HTML): name, number, where, and whether it is the one that is shown."""
    told = "".join(
        f'<a href="{escape(where)}"{" aria-current=page" if current else ""}>{escape(name)}'
        f"{f' <span>{number}</span>' if number else ''}</a>"
        for name, number, where, current in found
    )
    return f'<nav class="tabs">{told}</nav>'


def bars(numbers: Sequence[int], told: str) -> str:
    """A small chart (HTML): a bar for each number, and the same in words."""
    most = max(numbers, default=0) or 1
    drawn = "".join(f'<i style="height:{number * 100 // most}%"></i>' for number in numbers)
    return f'<span class="bars" role="img" aria-label="{escape(told)}" title="{escape(told)}">{drawn}</span>'


def ruled(cells: Sequence[str], kind: str = "") -> str:
    """One line of a list whose lines stand beside controls (HTML): four cells in fixed columns, and one for prose."""
    told = "".join(f"<span>{cell}</span>" for cell in cells)
    return f'<div class="line {kind}{" long" if len(cells) > 4 else ""}">{told}</div>'


@dataclass(frozen=True)
class Column:
    """A column of a table: what it is called, whether it holds figures, and whether a card must say its name too."""

    name: str
    figures: bool = False
    named: bool = False


Rows = Iterable[Sequence[str]]


def table(columns: Sequence[Column], rows: Rows, foot: Rows = (), cards: bool = True) -> str:
    """A table (HTML) of cells that are HTML; on a narrow screen each row is a card, or the table scrolls in its box."""
    head = "".join(f'<th class="{_kind(column)}">{escape(column.name)}</th>' for column in columns)
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
    last = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in foot)
    return (
        f'<div class="box"><table class="{"cards" if cards else ""}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody>{f'<tfoot>{last}</tfoot>' if last else ''}</table></div>"
    )


def page_of(rows: Sequence[Any], size: int, key: str) -> Sequence[Any]:
    """The part of a long list that is asked for in the address, under a bar to turn its pages."""
    if len(rows) <= size:
        return rows
    place = st.pagination(-(-len(rows) // size), key=key, bind="query-params")
    return rows[(place - 1) * size : place * size]


def _cells(columns: Sequence[Column], row: Sequence[str]) -> str:
    first, *others = zip(columns, row, strict=True)
    named = "".join(
        f'<td class="{_kind(column)}" data-name="{escape(column.name)}">{cell}</td>' for column, cell in others
    )
    return f'<td class="{_kind(first[0])}">{first[1]}</td>{named}'


def _kind(column: Column) -> str:
    return "num" if column.figures else "named" if column.named else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values in two columns (HTML); values are HTML, empty ones are left out."""
    told = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs if value)
    return f'<dl class="facts">{told}</dl>'


def timeline(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """A story (HTML): when, the sentence, its tone, and what belongs to it on the right."""
    told = "".join(
        f'<li class="{tone}"><time>{when}</time><span>{formats.prose(sentence)}</span><span>{beside}</span></li>'
        for when, sentence, tone, beside in rows
    )
    return f'<ul class="story">{told}</ul>'


def invoice_columns(more: str = "") -> list[Column]:
    """How a list of invoices is headed."""
    return [
        Column("Invoice"), Column("Customer"), Column("Total", True), Column("State"), Column(more or "Issued"),
    ]  # fmt: skip


def invoice_row(row: Mapping[str, Any], connection: str, last: str = "") -> list[str]:
    """One invoice in a list, leading to its page."""
    return [
        anchor(link("invoice", connection, invoice=row["source_id"]), row["number"] or "no number"),
        escape(row["contact_name"] or "–"),
        escape(formats.money(row["total"], row["currency"])),
        formats.state(row["state"]),
        last or formats.day(row["issue_date"]),
    ]
