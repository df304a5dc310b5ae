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
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def stacked(frame: pd.DataFrame, across: str, height: int) -> go.Figure:
    """Bars of `records` across `across`, stacked by `outcome`; `told` is what hovering says, `name` names a bar."""
    figure = go.Figure()
    for outcome in [name for name in COLOURS if name in set(frame["outcome"])]:
        part = frame[frame["outcome"] == outcome]
        figure.add_bar(
            x=part[across],
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
        showlegend=frame["outcome"].nunique() > 1,
        legend={"orientation": "h", "y": -0.2, "x": 0},
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(type="category", title=None, fixedrange=True)
    figure.update_yaxes(title=None, fixedrange=True, rangemode="tozero", tickformat=",d", nticks=4)
    return figure
