"""Plotly figures of the reports, each from the numbers of one figure; no queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import log10
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from console.components.charts import COLOURS
from syncer.messages import format

Row = Mapping[str, Any]
LINE, BEFORE = "#0f8a6d", "#8fa3a0"
# Told apart by lightness as well as by hue; what heals by itself is yellow.
NEEDS = ("#c4483e", "#7d3c98", "#e58a7b", "#7a2620", "#b98bc9", "#f0b9ae", "#4f5b93")
HEALS = ("#c9a227", "#e8cf85", "#8f7318")
STANDS = {
    "In Xero": "#0f8a6d", "Waiting": "#7cc6a4", "Needs action": "#c4483e", "Retrying automatically": "#c9a227",
    "Being checked": "#e0bd5a", "Skipped": "#8fa3a0", "Not eligible": "#c3cecb",
}  # fmt: skip
BYTES = ("#0b6e5f", "#3fb39a", "#8a5a00", "#e0bd5a")
FIRST = {"day": "Day", "week": "Week from", "month": "Month from"}
CAUSES, TAXES, CURRENCIES, TICKS = 6, 12, 3, 6
TIMES = {
    1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 21600: "6 h", 86400: "1 d", 604800: "7 d",
    2592000: "30 d",
}  # fmt: skip


def chart(figure: Any, starts: Sequence[date], by: str) -> go.Figure | None:
    """The picture of a figure over these days, weeks or months; none where it is a table alone."""
    rows = [dict(zip(figure.names, row, strict=True)) for row in figure.rows]
    draw = CHARTS.get(figure.key)
    return draw(rows, Axis(starts, by)) if draw and rows else None


class Axis:
    """Days, weeks or months from left to right, also those of which there is nothing to tell."""

    def __init__(self, starts: Sequence[date], by: str) -> None:
        self.starts, self.by = list(starts), by
        self.keys = [day.isoformat() for day in starts]
        self.first = FIRST[by]  # the column that says which of them a row belongs to

    def told(self, day: date) -> str:
        """One of them in words."""
        return f"{day:%B %Y}" if self.by == "month" else f"{'week from ' * (self.by == 'week')}{format.day(day)}"

    def hover(self, row: Row, *more: str) -> str:
        """What a point says of its row."""
        return f"{self.told(row[self.first])}: {', '.join(more)}"

    def short(self, day: date) -> str:
        """One of them under the axis, with its year where several are shown."""
        if self.by != "month":
            return f"{day.day} {day:%b}"
        return f"{day:%b %Y}" if self.starts[0].year != self.starts[-1].year else f"{day:%b}"

    def on(self, figure: go.Figure) -> None:
        """Lay it under a picture, named here and there."""
        shown = self.starts[:: -max(1, -(-len(self.starts) // TICKS))]
        figure.update_xaxes(
            type="category", categoryorder="array", categoryarray=self.keys, range=[-0.5, len(self.keys) - 0.5],
            tickvals=[day.isoformat() for day in shown], ticktext=[self.short(day) for day in shown], tickangle=0,
            title=None, fixedrange=True,
        )  # fmt: skip


# -- how much -----------------------------------------------------------------------------------------------------


def _moved(rows: Sequence[Row], axis: Axis) -> go.Figure:
    return _stacked(rows, axis, "What", "Records", COLOURS)


def _stacked(
    rows: Sequence[Row], axis: Axis, named: str, counted: str, colours: Mapping[str, str], height: int = 240
) -> go.Figure:
    """Bars of what is counted, stacked by name in the order of the colours; hovering tells the money too."""
    figure = go.Figure()
    for name, colour in colours.items():
        numbers, told = _told([row for row in rows if row[named] == name], axis, name, counted)
        if numbers:
            figure.add_bar(
                x=list(numbers), y=list(numbers.values()), name=name, marker_color=colour, customdata=told,
                hovertemplate="%{customdata}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.2)
    return _laid_out(figure, axis, height)


def _told(rows: Iterable[Row], axis: Axis, name: str, counted: str) -> tuple[dict[str, int], list[str]]:
    """Numbers by the day they stand over, currencies together, and what hovering says, each currency for itself."""
    numbers: dict[date, int] = defaultdict(int)
    money: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        numbers[row[axis.first]] += row[counted]
        money[row[axis.first]][row["Currency"]] += row["Money"]
    told = [
        f"{axis.told(day)}: {number:,} {name}{f', {format.monies(money[day])}' if format.monies(money[day]) else ''}"
        for day, number in numbers.items()
    ]
    return {day.isoformat(): number for day, number in numbers.items()}, told


def _money(rows: Sequence[Row], axis: Axis) -> go.Figure:
    """A row of bars for each currency, with an axis of its own: money is never added across currencies."""
    sizes: dict[str, int] = defaultdict(int)
    for row in rows:
        sizes[row["Currency"]] += row["Invoices"]
    shown = sorted(sizes, key=lambda one: -sizes[one])[:CURRENCIES]
    figure = make_subplots(rows=len(shown), shared_xaxes=True, vertical_spacing=0.12)
    for place, currency in enumerate(shown, 1):
        those = [row for row in rows if row["Currency"] == currency]
        figure.add_bar(
            x=[row[axis.first].isoformat() for row in those], y=[float(row["Money"]) for row in those],
            marker_color=LINE, row=place, col=1, hovertemplate="%{customdata}<extra></extra>",
            customdata=[axis.hover(row, format.money(row["Money"], currency), _invoices(row)) for row in those],
        )  # fmt: skip
        figure.update_yaxes(tickprefix=format.SIGNS.get(currency, f"{currency} "), tickformat="~s", row=place, col=1)
    _laid_out(figure, axis, 90 + 110 * len(shown))
    figure.update_layout(showlegend=False)
    figure.update_yaxes(nticks=3)
    return figure


def _compared(rows: Sequence[Row], axis: Axis) -> go.Figure:
    """Two lines that begin at the same place."""
    figure = go.Figure()
    for day, counted, name, colour, dash in (
        ("Compared with", "Invoices before", "Before", BEFORE, "dot"),
        (axis.first, "Invoices", "This period", LINE, "solid"),
    ):
        numbers: dict[int, int] = defaultdict(int)
        for row in (row for row in rows if row[day]):
            numbers[row["Place"]] += row[counted]
        days = {row["Place"]: row[day] for row in rows}
        figure.add_scatter(
            x=list(numbers), y=list(numbers.values()), name=name, hovertemplate="%{customdata}<extra></extra>",
            mode="lines+markers" if len(numbers) < 40 else "lines", line={"color": colour, "dash": dash, "width": 2},
            customdata=[f"{axis.told(days[place])}: {format.count(n, 'invoice')}" for place, n in numbers.items()],
        )  # fmt: skip
    _laid_out(figure, None, 240)
    days, last = {row["Place"]: row[axis.first] for row in rows}, rows[-1]["Place"]
    shown = list(days)[:: -max(1, -(-last // TICKS))]
    ticks = [axis.short(days[place]) if days[place] else "" for place in shown]
    figure.update_xaxes(tickvals=shown, ticktext=ticks, range=[0.5, last + 0.5], fixedrange=True, title=None)
    return figure


# -- how well -----------------------------------------------------------------------------------------------------


def _first_try(rows: Sequence[Row], axis: Axis) -> go.Figure:
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row[axis.first]][0] += row["At the first try"]
        sums[row[axis.first]][1] += row["Invoices"]
    figure = go.Figure()
    _line(
        figure, "At the first try", LINE, {day: part * 100 / whole for day, (part, whole) in sums.items()},
        [f"{axis.told(day)}: {part:,} of {whole:,}, {part * 100 // whole} %" for day, (part, whole) in sums.items()],
    )  # fmt: skip
    _laid_out(figure, axis, 220)
    figure.update_yaxes(
        range=[0, 104], tickvals=[0, 25, 50, 75, 100], ticktext=["0 %", "25 %", "50 %", "75 %", "100 %"]
    )
    return figure


def _took(rows: Sequence[Row], axis: Axis) -> go.Figure:
    figure = go.Figure()
    for name, colour in (("95th percentile", BEFORE), ("Median", LINE)):
        _line(
            figure, name, colour, {row[axis.first]: max(1, row[name]) for row in rows},
            [axis.hover(row, f"{name.lower()} {lasted(row[name])}", _invoices(row)) for row in rows],
        )  # fmt: skip
    _laid_out(figure, axis, 240)
    seen = [max(1, row[name]) for row in rows for name in ("Median", "95th percentile")]
    # From the tick below to the tick above: a logarithmic axis shows no other numbers.
    low = max(tick for tick in TIMES if tick <= min(seen))
    high = min((tick for tick in TIMES if tick > max(seen)), default=max(seen) * 2)
    figure.update_yaxes(
        type="log", tickvals=list(TIMES), ticktext=list(TIMES.values()), range=[log10(low), log10(high * 1.15)]
    )
    return figure


def lasted(seconds: int) -> str:
    """A duration in its two largest units: `38 s`, `2 min 5 s`, `3 d 4 h`."""
    sizes = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    told: list[str] = []
    for unit, size in sizes:
        number, seconds = divmod(seconds, size)
        if number or (unit == "s" and not told):
            told.append(f"{number:,} {unit}")
    return " ".join(told[:2])


def _line(
    figure: go.Figure, name: str, colour: str, numbers: Mapping[date, float], told: Sequence[str], dash: str = "solid"
) -> None:
    figure.add_scatter(
        x=[day.isoformat() for day in numbers], y=list(numbers.values()), name=name, customdata=list(told),
        mode="lines+markers" if len(numbers) < 40 else "lines", line={"color": colour, "width": 2, "dash": dash},
        connectgaps=True, hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _invoices(row: Row) -> str:
    return format.count(row["Invoices"], "invoice")


def _stopped(rows: Sequence[Row], axis: Axis) -> go.Figure:
    """The most frequent reasons, the rest together."""
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sizes[row["Why"], row["Who acts"]] += row["Invoices"]
    often = sorted(sizes, key=lambda one: -sizes[one])[:CAUSES]
    # What heals by itself lies on what needs a person.
    often.sort(key=lambda one: one[1] != "needs a person")
    needs, heals = iter(NEEDS), iter(HEALS)
    colours = {why: next(needs if who == "needs a person" else heals, BEFORE) for why, who in often}
    rest = "Other reasons"
    told = [row if row["Why"] in colours else {**row, "Why": rest} for row in rows]
    return _stacked(told, axis, "Why", "Invoices", {**colours, rest: BEFORE}, 360)


# -- what it cost -------------------------------------------------------------------------------------------------


def _called(rows: Sequence[Row], axis: Axis) -> go.Figure:
    figure = _beside(rows, axis, {"To Xero": LINE, "To CrocoClick": BEFORE}, lambda number: f"{number:,}")
    allowed = {row[axis.first]: row["Allowed by Xero"] for row in rows if row["Allowed by Xero"]}
    if allowed:
        told = [f"{axis.told(day)}: Xero allowed {number:,}" for day, number in allowed.items()]
        _line(figure, "Allowed by Xero", NEEDS[0], allowed, told, "dot")
    figure.update_layout(barmode="group")
    return _laid_out(figure, axis, 240)


def _bytes(rows: Sequence[Row], axis: Axis) -> go.Figure:
    names = [name for name in rows[0] if name.startswith(("Sent", "Received"))]
    figure = _beside(rows, axis, dict(zip(names, BYTES, strict=True)), size)
    figure.update_layout(barmode="stack")
    _laid_out(figure, axis, 240)
    figure.update_yaxes(tickformat="~s", ticksuffix="B")
    return figure


def _beside(rows: Sequence[Row], axis: Axis, colours: Mapping[str, str], tell: Callable[[int], str]) -> go.Figure:
    """Bars of several columns, each in its colour."""
    figure = go.Figure()
    for name, colour in colours.items():
        small = f"{name[0].lower()}{name[1:]}"
        figure.add_bar(
            x=[row[axis.first].isoformat() for row in rows], y=[row[name] for row in rows], name=name,
            marker_color=colour, hovertemplate="%{customdata}<extra></extra>",
            customdata=[axis.hover(row, f"{tell(row[name])} {small}") for row in rows],
        )  # fmt: skip
    figure.update_layout(bargap=0.2)
    return figure


def size(number: int) -> str:
    """A number of bytes: `812 B`, `41.3 kB`, `1.2 GB`."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


# -- what was issued ----------------------------------------------------------------------------------------------


def _currencies(rows: Sequence[Row], axis: Axis) -> go.Figure:
    return _lying(rows, "Currency", "Where it stands", STANDS)


def _statuses(rows: Sequence[Row], axis: Axis) -> go.Figure:
    return _lying(rows, "Status", "Where it stands", STANDS)


def _taxes(rows: Sequence[Row], axis: Axis) -> go.Figure:
    found = [{**row, "Named": tax_name(row), "Money": row["Line amounts"], "all": "invoices"} for row in rows]
    return _lying(found, "Named", "all", {"invoices": LINE})


def tax_name(row: Row) -> str:
    """A tax with its rate, where its name does not say that."""
    digits = row["Rate"].rstrip("%").replace(".", ",")
    return f"{row['Tax']} ({row['Rate']})" if digits and digits not in row["Tax"].replace(".", ",") else row["Tax"]


def _lying(rows: Sequence[Row], across: str, named: str, colours: Mapping[str, str]) -> go.Figure:
    """Bars from left to right, the longest on top, each made up of parts."""
    whole: dict[str, int] = defaultdict(int)
    for row in rows:
        whole[row[across]] += row["Invoices"]
    shown = sorted(whole, key=lambda one: -whole[one])[:TAXES]
    figure = go.Figure()
    for name, colour in colours.items():
        numbers: dict[str, int] = defaultdict(int)
        money: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in (row for row in rows if row[named] == name and row[across] in shown):
            numbers[row[across]] += row["Invoices"]
            money[row[across]][row["Currency"]] += row["Money"]
        if numbers:
            figure.add_bar(
                y=list(numbers), x=list(numbers.values()), name=name, orientation="h", marker_color=colour,
                customdata=[
                    f"{one}: {number:,} {name.lower()}, {format.monies(money[one])}" for one, number in numbers.items()
                ],
                hovertemplate="%{customdata}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.3)
    _laid_out(figure, None, 90 + 34 * len(shown))
    figure.update_xaxes(rangemode="tozero", tickformat=",d", nticks=5, fixedrange=True, title=None)
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=shown[::-1], tickformat=None, automargin=True
    )
    return figure


def _laid_out(figure: go.Figure, axis: Axis | None, height: int) -> go.Figure:
    """As every picture here looks: no frame, no ground of its own, the legend below."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        dragmode=False,
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_yaxes(title=None, fixedrange=True, rangemode="tozero", nticks=4, separatethousands=True)
    if axis:
        axis.on(figure)
    return figure


CHARTS: Mapping[str, Callable[[Sequence[Row], Axis], go.Figure]] = {
    "moved": _moved, "money": _money, "compared": _compared, "first_try": _first_try, "took": _took,
    "stopped": _stopped, "called": _called, "bytes": _bytes, "currencies": _currencies, "statuses": _statuses,
    "taxes": _taxes,
}  # fmt: skip
