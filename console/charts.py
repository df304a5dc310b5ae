"""Plotly figures from frames; no queries."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

# Told apart by lightness as well as by hue.
COLOURS = {
    "created": "#0f8a6d",
    "updated": "#3fb39a",
    "voided": "#8fa3a0",
    "paid": "#7cc6a4",
    "put off": "#c9a227",
    "being checked": "#e0bd5a",
    "held for a person": "#c4483e",
}
FEW = 16
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def per_day(frame: pd.DataFrame, height: int) -> go.Figure:
    """A bar for each day, stacked by outcome."""
    return _stacked(frame, height)


def per_run(frame: pd.DataFrame, height: int) -> go.Figure:
    """A bar for each run, stacked by outcome, the latest at the right; a few runs do not fill the whole width."""
    figure = _stacked(frame, height)
    names = frame.drop_duplicates("name")
    every = max(1, -(-len(names) // 8))
    shown = names.iloc[::-every]
    figure.update_xaxes(tickvals=list(shown["name"]), ticktext=list(shown["at"]), tickangle=0)
    if len(names) < FEW:
        figure.update_xaxes(range=[len(names) - FEW - 0.5, len(names) - 0.5])
    return figure


def _stacked(frame: pd.DataFrame, height: int) -> go.Figure:
    """Bars of `records` for each `name`, stacked by `outcome`; hovering says what is `told`."""
    figure = go.Figure()
    there = frame.groupby("outcome")["records"].sum()
    for outcome in [name for name in COLOURS if there.get(name, 0)]:
        part = frame[frame["outcome"] == outcome]
        figure.add_bar(
            x=part["name"],
            y=part["records"],
            name=outcome,
            marker_color=COLOURS[outcome],
            customdata=part[["name", "told"]],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        bargap=0.25,
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "y": -0.2, "x": 0, "traceorder": "normal"},
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=list(frame["name"].unique()), title=None, fixedrange=True
    )
    figure.update_yaxes(title=None, fixedrange=True, rangemode="tozero", tickformat=",d", nticks=4)
    return figure
