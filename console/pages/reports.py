"""Reports: four figures on top, then pictures that answer one question each, with their numbers beneath."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import partial
from html import escape
from typing import Any

import streamlit as st

from console.components import charts, formats, html, query_result, report_charts
from console.components.html import Column
from console.desk.desk import Desk
from console.desk.reports import Counted, ReportsDesk
from syncer.domain.period import PRESETS, Period, between
from syncer.reports.figure import Figure
from syncer.reports.figures import Asked, Headline
from syncer.reports.files import FORMATS

ROWS = 40
OWN = "Custom range"
BY: Mapping[str, str] = {"Auto": "", "Day": "day", "Week": "week", "Month": "month"}
BEFORE, YEAR = "The period before", "The year before"
VIEWS: Mapping[str, Sequence[str]] = {
    "Volume": ("moved", "money", "compared", "summary"),
    "Success": ("first_try", "took", "stopped"),
    "Calls": ("called", "bytes"),
    "Breakdown": ("currencies", "statuses", "taxes"),
}


def show(desk: Desk) -> None:
    """One view of one period."""
    reports = desk.reports
    st.title("Reports", anchor=False)
    query_result.tabs(desk, "reports")
    with st.spinner("Counting for the first time", show_time=True):
        reports.renew()
    asked = _question(desk, reports)
    top = st.container()
    view = st.segmented_control(
        "View", list(VIEWS), default="Volume", required=True, key="view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    found = reports.counted(asked, VIEWS[view])
    with top:
        _headlines(found, asked)
    if found.invoices:
        for figure in found.figures.values():
            _figure(reports, figure, asked)
    _age(desk, reports, asked)


# -- the question -------------------------------------------------------------------------------------------------


def _question(desk: Desk, reports: ReportsDesk) -> Asked:
    """What is asked for, all of it in the address."""
    today = desk.now.astimezone(formats.zone()).date()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = _period(today)
        by = st.selectbox("Group by", list(BY), key="by", bind="query-params", width=140)
        against = _against(period)
        together = len(reports.names) > 1 and st.toggle("All connections", key="all", bind="query-params")
    part = BY[by] or period.part()
    whose = reports.names if together else (desk.name,) if desk.name in reports.names else ()
    return Asked(period, against, part, formats.zone(), tuple(sorted(whose)))


def _period(today: date) -> Period:
    chosen = st.selectbox("Period", [*PRESETS, OWN], index=1, key="period", bind="query-params", width=190)
    if chosen != OWN:
        _forget("from", "to")
        return PRESETS[chosen](today)
    usual = PRESETS["Last 30 days"](today)
    return between(_day("From", "from", usual.first), _day("To", "to", usual.last))


def _against(period: Period) -> Period:
    chosen = st.selectbox(
        "Compared with", [BEFORE, YEAR, OWN], key="against", bind="query-params", width=190
    )  # fmt: skip
    if chosen != OWN:
        _forget("since")
        return period.year_before() if chosen == YEAR else period.before()
    first = _day("Compared from", "since", period.before().first)
    return Period(first, first + (period.last - period.first))


def _day(label: str, key: str, usual: date) -> date:
    """A day that is chosen, and kept in the address by hand: a default of today would be another tomorrow."""
    kept = f"{key}_day"
    if kept not in st.session_state:
        st.session_state[kept] = _date(st.query_params.get(key, "")) or usual
    chosen = st.date_input(label, key=kept, format="DD/MM/YYYY", width=150)
    st.query_params[key] = chosen.isoformat()
    return chosen


def _date(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


def _forget(*keys: str) -> None:
    """Days that are not asked for any more do not stay in the address."""
    for key in keys:
        st.query_params.pop(key, None)


# -- the four on top ----------------------------------------------------------------------------------------------


def _headlines(found: Counted, asked: Asked) -> None:
    if not found.invoices:
        html.html('<p class="lead">There is nothing to report yet: the first run reads CrocoClick\'s invoices.</p>')
        return
    told = f"{_span(asked.period)}, compared with {_span(asked.against)}"
    cards = "".join(_card(one) for one in found.headlines)
    html.html(f'<p class="quiet">{told}</p><div class="heads">{cards}</div>')


def _span(period: Period) -> str:
    return (
        formats.day(period.first) if period.days == 1 else f"{formats.day(period.first)} to {formats.day(period.last)}"
    )


def _card(one: Headline) -> str:
    unit = {"count": "invoice", "share": "", "seconds": ""}[one.unit]
    return (
        f'<div class="side"><div class="quiet">{escape(one.name)}</div>'
        f'<div class="big">{escape(_number(one.now, one.unit, unit))}</div>'
        f"<div>{_beside(one)}</div>"
        f'<div class="quiet small">Before: {escape(_number(one.before, one.unit, unit))}{_change(one)}'
        f"{_money(one.money_before, '<br>')}</div></div>"
    )


def _number(value: Any, unit: str, one: str) -> str:
    if value is None:
        return "none came"
    if unit == "share":
        return f"{value} %"
    return report_charts.lasted(value) if unit == "seconds" else formats.count(value, one)


def _beside(one: Headline) -> str:
    """What belongs to a figure: its money, of how many, or how long the slowest took."""
    if one.unit == "share" and one.more and one.more[1]:
        return f"{one.more[0]:,} of {formats.count(one.more[1], 'invoice')}"
    if one.unit == "seconds" and one.more is not None:
        return f"median, 95th percentile {report_charts.lasted(one.more)}"
    return _money(one.money)


def _money(sums: Mapping[str, Decimal], between_: str = "") -> str:
    told = html.stacked({currency: amount for currency, amount in sums.items() if amount})
    return f"{between_}{told}" if told else ""


def _change(one: Headline) -> str:
    """How much more or less, in per cent; of a share in points."""
    if one.now is None or one.before is None or (one.unit != "share" and not one.before):
        return ""
    if one.unit == "share":
        points = one.now - one.before
        return f" ({points:+} points)" if points else " (the same)"
    percent = round((one.now - one.before) * 100 / one.before)
    return f" ({percent:+,} %)" if percent else " (the same)"


# -- one figure ---------------------------------------------------------------------------------------------------


def _figure(reports: ReportsDesk, figure: Figure, asked: Asked) -> None:
    html.section(figure.title, f'<p class="quiet">{escape(figure.sentence)}</p>')
    if not figure.rows:
        html.html("<p>Nothing in this period.</p>")
        return
    picture = report_charts.chart(figure, asked.period.starts(asked.by), asked.by)
    if picture is not None:
        charts.draw(picture, f"{figure.key}_picture", alt=figure.title)
    # Opening one table draws that one alone.
    st.fragment(_numbers)(reports, figure, asked.by)


def _numbers(reports: ReportsDesk, figure: Figure, by: str) -> None:
    box = st.expander(
        f"Numbers: {formats.count(len(figure.rows), 'row')}", expanded=figure.key not in report_charts.CHARTS,
        key=f"{figure.key}_numbers", on_change="rerun",
    )  # fmt: skip
    if not box.open:
        return
    with box:
        files = st.container(horizontal=True)
        table = st.container()
        rows = html.page_of(figure.rows, ROWS, f"{figure.key}_part")
        columns = [Column(one.name, one.unit not in ("text", "day"), True) for one in figure.columns]
        with table:
            html.html(html.table(columns, [_row(figure, row, by) for row in rows]), "small")
        for kind, (name, media_type) in FORMATS.items():
            files.download_button(
                name, partial(reports.file, kind, figure), f"{figure.key}.{kind}", media_type,
                key=f"{figure.key}_{kind}", on_click="ignore",
            )  # fmt: skip


def _row(figure: Figure, row: Sequence[Any], by: str) -> list[str]:
    told = dict(zip(figure.names, row, strict=True))
    return [escape(_cell(told, column.unit, value, by)) for column, value in zip(figure.columns, row, strict=True)]


def _cell(row: Mapping[str, Any], unit: str, value: Any, by: str) -> str:
    if value is None:
        return "–"
    told: dict[str, Callable[[Any], str]] = {
        "text": str,
        "day": lambda day: f"{day:%B %Y}" if by == "month" else formats.day(day),
        "count": lambda number: f"{number:,}",
        "money": lambda amount: formats.money(amount, row.get("Currency", "")),
        "share": lambda number: f"{number} %",
        "seconds": report_charts.lasted,
        "bytes": report_charts.size,
        "value": lambda number: _measured(number, row["Unit"]),
    }
    return told[unit](value)


def _measured(number: Decimal, unit: str) -> str:
    """A number of the table that compares, in the unit of its row."""
    if unit == "%":
        return f"{number} %"
    if unit == "s":
        return f"{'-' if number < 0 else ''}{report_charts.lasted(abs(int(number)))}"
    return f"{number:,}" if unit in ("invoices", "records", "calls") else formats.money(number, unit)


# -- how old it is ------------------------------------------------------------------------------------------------


def _age(desk: Desk, reports: ReportsDesk, asked: Asked) -> None:
    """When the figures were taken, whose days they are counted in; newer ones are drawn as soon as they are there."""
    made_at, renewing = reports.made_at(), reports.is_being_renewed()
    days = f"Days are those of your time zone ({asked.zone}); issue dates are as they stand on the invoice."
    if reports.is_current():
        html.quiet(f"As the ledger is now. {escape(days)}")
        return
    more = "Newer ones are being gathered." if renewing else "Load the page again for newer ones."
    html.quiet(f"Figures of {formats.ago(made_at, desk.now)}. {more} {escape(days)}")
    if renewing:
        st.fragment(_when_renewed, run_every=1.0)(reports)


def _when_renewed(reports: ReportsDesk) -> None:
    if not reports.is_being_renewed():
        st.rerun()
