"""What a picture says is text: no name in it is a link, whatever Plotly takes for one."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from console.components import charts, result_chart
from syncer.reports.saved_questions import Chart
from syncer.storage.analysis.query import QueryResult
from tests.support.hostile_texts import TEXTS

ROOT = Path(__file__).parents[2]
SAYABLE = [text for text in TEXTS if not re.search("[\ud800-\udfff]", text)]  # the ledger keeps no half letters
TAG = re.compile(r"<(?!extra></extra>|/extra>|br>%Y)[a-zA-Z/!]")


def test_every_name_in_a_figure_is_escaped():
    """On axes, in the legend, on hovering, in titles and prefixes; numbers, and what we write ourselves, stay."""
    figure = go.Figure()
    figure.add_bar(
        x=SAYABLE, y=[1.5] * len(SAYABLE), name=TEXTS[6], text=SAYABLE,
        customdata=np.array([[text, text] for text in SAYABLE], dtype=object),
        hovertemplate="%{customdata[1]}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=pd.Series(SAYABLE), y=[1] * len(SAYABLE), customdata=pd.DataFrame({"a": SAYABLE, "b": SAYABLE})
    )
    figure.update_xaxes(
        tickvals=[TEXTS[6]], ticktext=[TEXTS[6]], categoryarray=np.array(SAYABLE), tickformat="%-d<br>%Y"
    )
    figure.update_yaxes(title=TEXTS[6], tickprefix=TEXTS[6], categoryarray=SAYABLE)
    drawn = charts.as_text(figure)
    assert not TAG.findall(drawn.to_json())
    assert "&lt;a href" in drawn.to_json()
    assert list(drawn.data[0].y) == [1.5] * len(SAYABLE)
    assert drawn.data[0].hovertemplate == "%{customdata[1]}<extra></extra>"
    assert drawn.layout.xaxis.tickformat == "%-d<br>%Y"


def test_a_customer_in_an_answer_is_no_link():
    """In the picture of a question by customer, whatever the columns are called."""
    rows = [(text, text, place) for place, text in enumerate(SAYABLE)]
    answer = QueryResult(["customer", TEXTS[6], "due"], rows, False, ["VARCHAR", "VARCHAR", "INTEGER"])
    for chart in (Chart("bars", "customer", "due", TEXTS[6]), Chart("line", "customer", "due")):
        for in_words in (True, False):
            drawn = charts.as_text(result_chart.figure(answer, chart, in_words)).to_json()
            assert "&lt;a href" in drawn and not TAG.findall(drawn)


def test_every_picture_is_drawn_in_one_place():
    """So that none is forgotten."""
    callers = [path.name for path in (ROOT / "console").rglob("*.py") if "plotly_chart(" in path.read_text()]
    assert callers == ["charts.py"]
