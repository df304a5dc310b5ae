"""A question on a page: running with its seconds and a way to cancel, then its answer, or what is wrong and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from console.components import charts, formats, html, result_chart, result_table
from console.desk.desk import Desk, failure_sentence
from syncer.domain.errors import SyncerError, WrongUsage
from syncer.reports.files import FORMATS, answer_file
from syncer.reports.saved_questions import Chart
from syncer.storage.analysis.query import MAX_ROWS, TIMEOUT_S, Asking, QueryResult

# So long is waited before anything is said of it; most answers are there by then.
QUICK_S = 0.8
LOOK_S = 0.5
PAGES = (("Reports", "reports"), ("Questions", "questions"), ("SQL", "sql"))


@dataclass(frozen=True)
class Shown:
    """What was asked on a page, and what became of it."""

    asking: Asking
    sql: str
    given: Mapping[str, Any]


def tabs(desk: Desk, here: str) -> None:
    """Where else answers are to be had."""
    html.html(html.tabs((name, "", html.link(page, desk.name), page == here) for name, page in PAGES))


def begin(desk: Desk, key: str, sql: str, given: Mapping[str, Any]) -> None:
    """Ask, in place of what was asked on this page before."""
    if before := st.session_state.pop(key, None):
        before.asking.cancel()
    try:
        asking = desk.asking.begin(sql, given)
    except WrongUsage as wrong:
        refused(wrong.sentence)
        return
    st.session_state[key] = Shown(asking, sql, given)


def answered(key: str) -> QueryResult | None:
    """The answer to what was asked on this page; while there is none, the page says why."""
    shown: Shown | None = st.session_state.get(key)
    if shown is None:
        return None
    shown.asking.watch()
    if not shown.asking.wait(QUICK_S):
        st.fragment(_under_way, run_every=LOOK_S)(key)
        return None
    try:
        return shown.asking.answer()
    except WrongUsage as wrong:
        refused(wrong.sentence)
    except SyncerError as failure:
        refused(failure_sentence(failure))
    return None


def _under_way(key: str) -> None:
    shown: Shown | None = st.session_state.get(key)
    if shown is None:
        return
    shown.asking.watch()
    if shown.asking.is_over:
        st.rerun()
    told, cancel = st.columns([5, 1], vertical_alignment="center")
    seconds = shown.asking.seconds
    told.progress(min(1.0, seconds / TIMEOUT_S), text=f"Asking for {seconds:.0f} s, of {TIMEOUT_S:.0f} s at most")
    if cancel.button("Cancel", key=f"cancel {key}", width="stretch"):
        shown.asking.cancel()
        shown.asking.wait(2)
        st.rerun()


# -- an answer --------------------------------------------------------------------------------------------------------


def show(key: str, answer: QueryResult, name: str, chart: Chart, in_words: bool = False) -> None:
    """An answer: how much, the picture, the table, and the same as files; `in_words` where codes mean nothing."""
    shown: Shown = st.session_state[key]
    html.html(_size(answer, shown.asking.seconds), "small")
    figure = result_chart.figure(answer, chart, in_words) if answer.rows else None
    if figure is not None:
        charts.draw(figure, f"chart {key}")
    result_table.show(answer, f"rows {key} {shown.asking.began:.3f}", in_words)
    if answer.rows:
        _files(answer, name, key)


def _size(answer: QueryResult, seconds: float) -> str:
    if answer.truncated:
        told = f"Only the first {MAX_ROWS:,} rows are shown; there are more"
    elif not answer.rows:
        told = "No row fits"
    else:
        told = formats.count(len(answer.rows), "row")
    return f'<p class="quiet">{told} · answered in {formats.lasted(seconds)}</p>'


def _files(answer: QueryResult, name: str, key: str) -> None:
    with st.container(horizontal=True):
        for suffix, (title, kind) in FORMATS.items():
            st.download_button(
                title, partial(answer_file, suffix, answer), file_name=f"{name}.{suffix}", mime=kind, on_click="ignore",
                key=f"{suffix} {key}", icon=":material/download:", help=f"These rows as a file for {title}",
            )  # fmt: skip


# -- what is wrong ----------------------------------------------------------------------------------------------------

_KIND = re.compile(r"^[A-Z]\w+(?: \w+)* Error: ")


def refused(told: str) -> None:
    """Why there is no answer, and the line with the pointer to the place."""
    sentence, pointer = read(told)
    st.error(formats.plain(sentence).replace("\n", "  \n"))
    if pointer:
        st.code(pointer, language=None)


def read(told: str) -> tuple[str, str]:
    """DuckDB's message as a sentence, and the lines that point at the place."""
    said, found, pointer = told.partition("\nLINE ")
    sentence = _KIND.sub("", said.strip()).replace("!", ".")
    sentence = sentence.replace("syntax error at or near", "syntax error near")
    sentence = sentence.replace("Candidate bindings:", "Perhaps one of these:")
    return sentence[:1].upper() + sentence[1:], f"LINE {pointer.rstrip()}" if found else ""
