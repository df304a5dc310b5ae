"""Plotly figures from frames, and how every figure is drawn; no queries."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

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
# What we write ourselves, with Plotly's own tags in it.
OURS = frozenset({"hovertemplate", "tickformat", "template"})


def draw(figure: go.Figure, key: str, **more: Any) -> Any:
    """Draw any figure on the page: the one place that does."""
    return st.plotly_chart(as_text(figure), config=CONFIG, key=key, **more)


def as_text(figure: go.Figure) -> go.Figure:
    """The same figure in which whatever has a name is text.

    Plotly takes `<a href=…>` in a label, a legend or what hovering shows for a link, and a customer chooses their name.
    """
    return go.Figure(_escaped(figure.to_plotly_json()))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, dict):
        return {name: part if name in OURS else _escaped(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(part) for part in value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        return _escaped(value.tolist())
    return value


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
