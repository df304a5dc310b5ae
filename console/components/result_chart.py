"""An answer as a picture: bars or a line, one series for each value of a column."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from console.components.formats import opening
from console.components.result_table import amount, day_told, head, in_plain_words, is_figure
from syncer.reports.saved_questions import Chart
from syncer.storage.analysis.query import QueryResult

# Told apart by lightness as well as by hue, on light and dark.
COLOURS = ("#0f8a6d", "#c9a227", "#4f7fbf", "#c4483e", "#7cc6a4", "#8e6bb0", "#e0bd5a", "#8fa3a0")
POINTS = 1_000
NAME = 40
TICKS = 8


def numbers(answer: QueryResult) -> list[str]:
    """The columns that can be drawn upwards."""
    return [name for name, kind in zip(answer.columns, answer.types, strict=True) if is_figure(kind)]


def figure(answer: QueryResult, chart: Chart, in_words: bool = False) -> go.Figure | None:
    """The chart of a question; None where the answer has not the columns for it."""
    wanted = [chart.x, chart.y, *([chart.colour] if chart.colour else [])]
    if not chart.kind or any(name not in answer.columns for name in wanted) or chart.y not in numbers(answer):
        return None
    drawn = go.Figure()
    for place, (name, points) in enumerate(_series(answer, chart, in_words).items()):
        _draw(drawn, chart.kind, name, points, COLOURS[place % len(COLOURS)])
    drawn.update_layout(
        height=300, margin={"l": 0, "r": 0, "t": 8, "b": 0}, barmode="group", bargap=0.25, dragmode=False,
        showlegend=len(drawn.data) > 1, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    drawn.update_xaxes(title=None, fixedrange=True, automargin=True, **_along(answer, chart.x))
    drawn.update_yaxes(title=head(chart.y, in_words), fixedrange=True, rangemode="tozero", tickformat=",~f", nticks=5)
    return drawn


def _along(answer: QueryResult, x: str) -> dict[str, Any]:
    """Few days are named one by one; many, and everything that is no day, are left to the axis."""
    found = {row[answer.columns.index(x)] for row in answer.rows}
    if not all(isinstance(one, date) for one in found):
        return {"type": "category"}
    if len(found) > TICKS or any(isinstance(one, datetime) for one in found):
        return {"tickformat": "%-d %b<br>%Y"}
    shown = sorted(found)
    return {"tickvals": shown, "ticktext": [day_told(one, x) for one in shown]}


Points = list[tuple[Any, float | None, str]]


def _series(answer: QueryResult, chart: Chart, in_words: bool) -> dict[str, Points]:
    """The points of each series: where, how high, and what hovering tells."""
    places = {name: place for place, name in enumerate(answer.columns)}
    x, y = places[chart.x], places[chart.y]
    found: dict[str, Points] = {}
    for row in answer.rows[:POINTS]:
        told = dict(zip(answer.columns, row, strict=True))
        name = _named(chart.colour, told, in_words) if chart.colour else ""
        where: date | str = row[x] if isinstance(row[x], date) else _named(chart.x, told, in_words)
        said = [str(where) if isinstance(where, str) or not _is_day(where) else day_told(where, chart.x)]
        said += [name] if name else []
        said.append(_said(row[y], answer.types[y], str(told.get("currency") or "")))
        found.setdefault(name, []).append((where, _number(row[y]), " · ".join(said)))
    return dict(list(found.items())[: len(COLOURS)])


def _draw(drawn: go.Figure, kind: str, name: str, points: Points, colour: str) -> None:
    xs, ys, told = zip(*points, strict=True)
    alike: dict[str, Any] = {
        "x": xs, "y": ys, "name": name, "customdata": told, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
    if kind == "line":
        mode = "lines+markers" if len(points) <= 60 else "lines"
        drawn.add_scatter(mode=mode, line={"color": colour, "width": 2}, **alike)
    else:
        drawn.add_bar(marker_color=colour, **alike)


def _named(column: str, row: dict[str, Any], in_words: bool) -> str:
    value = row[column]
    if value is None:
        return "none"
    word = in_plain_words(column, value, row) if in_words and isinstance(value, str) else ""
    told = word or str(value)
    told = opening(told) if in_words else told
    return told if len(told) <= NAME else f"{told[:NAME]} …"


def _said(value: Any, kind: str, currency: str) -> str:
    if isinstance(value, Decimal):
        return amount(value, kind, currency)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value)
