"""SQL: the editor with the tables beside it, the answer below, and what makes a question of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from html import escape

import streamlit as st

from console.components import formats, html, query_result, result_chart
from console.desk.desk import Desk
from console.pages.questions import control
from syncer.domain.errors import WrongUsage
from syncer.reports.saved_questions import (
    CHARTS,
    KINDS,
    Chart,
    Parameter,
    Saved,
    default,
    guessed,
    parameters_in,
    values,
)
from syncer.storage.analysis.copy import Table
from syncer.storage.analysis.query import MAX_ROWS, TIMEOUT_S, QueryResult

IN_ADDRESS = 4_000  # letters of a text that an address can carry everywhere
KEY = "sql answer"
# A name that is clicked goes into the editor, where the cursor is.
INSERT = """<script>
if (!window.namesGoIntoTheEditor) {
  window.namesGoIntoTheEditor = true;
  document.addEventListener("mousedown", (event) => {
    const name = event.target.closest("[data-insert]");
    if (!name) return;
    event.preventDefault();
    const editor = document.querySelector(".st-key-editor textarea");
    editor.focus();
    document.execCommand("insertText", false, name.dataset.insert);
  });
}
</script>"""


def show(desk: Desk) -> None:
    """Write a question, ask it, and save it for others."""
    st.title("SQL", anchor=False)
    query_result.tabs(desk, "sql")
    base = desk.asking.question(st.query_params.get("question", ""))
    editor, beside = st.columns([7, 4], gap="large")
    with beside:
        _tables(desk.asking.tables())
    with editor:
        _editor(desk, base)
    answer = query_result.answered(KEY)
    if answer is None:
        return
    above = st.container()
    chart = base.chart if base else Chart()
    if desk.asking.may_save:
        chart = _save(desk, base, answer)
    with above:
        query_result.show(KEY, answer, "answer", chart)


def _editor(desk: Desk, base: Saved | None) -> None:
    st.session_state.setdefault("editor", st.query_params.get("sql") or (base.sql if base else desk.asking.example))
    # A form, because Ctrl and Enter send it off.
    with st.form("ask", border=False):
        sql = st.text_area("Question in SQL", key="editor", height=230, label_visibility="collapsed")
        run = st.form_submit_button("Run", type="primary")
    names = parameters_in(sql)
    new = [name for name in names if f"kind {name}" not in st.session_state]
    parameters = _parameters(names, base)
    given = _given(desk, parameters)
    html.html(_limits(), "quiet small")
    if run:
        _run(desk, sql, parameters, given, new)


def _limits() -> str:
    return (
        f"Reads these tables and changes nothing; {TIMEOUT_S:.0f} seconds and {MAX_ROWS:,} rows at most. "
        "<code>$connection</code> is the connection that is shown; other names with a dollar become controls."
    )


def _run(desk: Desk, sql: str, parameters: Sequence[Parameter], given: Mapping[str, str], new: Sequence[str]) -> None:
    if empty := [f"${name}" for name in new if not given[name]]:
        st.info(formats.plain(f"Say what {' and '.join(empty)} is and give it a value, then run it again."))
        return
    if len(sql) <= IN_ADDRESS:
        st.query_params["sql"] = sql
    else:
        st.query_params.pop("sql", None)
    try:
        query_result.begin(desk, KEY, sql, values(parameters, given, desk.now.date()))
    except WrongUsage as wrong:
        query_result.refused(wrong.sentence)


# -- parameters -------------------------------------------------------------------------------------------------------


def _parameters(names: Sequence[str], base: Saved | None) -> list[Parameter]:
    """Those in the text, as the saved question or the controls describe them."""
    known = {one.name: one for one in base.parameters} if base else {}
    return [_described(known.get(name) or guessed(name)) for name in names]


def _described(one: Parameter) -> Parameter:
    kind = st.session_state.get(f"kind {one.name}", one.kind)
    typed = st.session_state.get(f"choices {one.name}", ", ".join(one.choices))
    choices = tuple(part.strip() for part in typed.split(",") if part.strip())
    label = st.session_state.get(f"label {one.name}", one.label)
    return Parameter(one.name, kind, label, one.default if kind == one.kind else "", choices)


def _given(desk: Desk, parameters: Sequence[Parameter]) -> dict[str, str]:
    """A row of controls for each parameter: what it is, and its value."""
    given = {}
    for one in parameters:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kinds = list(KINDS)
            st.selectbox(f"${one.name} is", kinds, kinds.index(one.kind), key=f"kind {one.name}",
                         format_func=lambda kind: KINDS[kind], width=130)  # fmt: skip
            st.text_input("Called", one.label, key=f"label {one.name}", placeholder=one.called, width=180)
            if one.kind == "choice":
                st.text_input("Choices, parted by commas", ", ".join(one.choices), key=f"choices {one.name}", width=240)
            given[one.name] = control(one, st.query_params.get(one.name, default(one, _today(desk))))
    return given


def _today(desk: Desk) -> date:
    return desk.now.astimezone(formats.zone()).date()


# -- the tables beside ------------------------------------------------------------------------------------------------


def _tables(tables: Sequence[Table]) -> None:
    """Every table with its columns; a name that is clicked goes into the editor."""
    told = "".join(_table(table) for table in tables)
    html.section("Tables", '<p class="quiet small">Click a name to put it into the editor.</p>')
    html.html(f'<div class="tables">{told}</div>')
    st.html(INSERT, unsafe_allow_javascript=True)


def _table(table: Table) -> str:
    columns = "".join(
        f'<li>{_name(column.name)} <span class="quiet small" title="{escape(column.type)}">{_type(column.type)}</span>'
        f"{html.under(column.sentence)}</li>"
        for column in table.columns
    )
    return f"<details><summary>{_name(table.name)}{html.under(table.sentence)}</summary><ul>{columns}</ul></details>"


def _name(name: str) -> str:
    return f'<button type="button" class="insert" data-insert="{escape(name)}">{escape(name)}</button>'


def _type(kind: str) -> str:
    """DuckDB's type in a word."""
    known = {
        "VARCHAR": "text", "TIMESTAMP": "time, UTC", "DATE": "date", "BOOLEAN": "yes or no", "INTEGER": "whole number",
        "BIGINT": "whole number",
    }  # fmt: skip
    return known.get(kind, "amount" if kind.startswith("DECIMAL") else kind.lower())


# -- saving -----------------------------------------------------------------------------------------------------------


def _save(desk: Desk, base: Saved | None, answer: QueryResult) -> Chart:
    """What makes a question of it; the chart that is chosen is drawn above."""
    mine = base if base and not base.is_ours else None
    with st.expander("Save as a question", expanded=base is not None):
        html.quiet("Others find it under Questions. It is saved as it was answered last.")
        title = st.text_input("Title", base.title if base else "", key="title", max_chars=80)
        sentence = st.text_input("What it answers, in one sentence", base.sentence if base else "", key="sentence",
                                 max_chars=200)  # fmt: skip
        chart = _choose_chart(base.chart if base else Chart(), answer)
        made = Saved("", title, sentence, "", (), chart)
        with st.container(horizontal=True):
            in_place = bool(mine) and st.button("Save", type="primary", key="save")
            label = "Save as another" if mine else "Save"
            another = st.button(label, type="secondary" if mine else "primary", key="save another")
        if in_place or another:
            _keep(desk, made, base, mine if in_place else None)
    return chart


def _choose_chart(before: Chart, answer: QueryResult) -> Chart:
    """Which columns are drawn, and how; the picture above follows."""
    kinds, names, numbers = list(CHARTS), answer.columns, result_chart.numbers(answer)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox("Chart", kinds, kinds.index(before.kind), key="chart kind", width=150,
                            format_func=lambda kind: CHARTS[kind])  # fmt: skip
        if not kind or not numbers:
            return Chart()
        x = st.selectbox("Along the bottom", names, _place(names, before.x), key="chart x", width=200)
        y = st.selectbox("Upwards", numbers, _place(numbers, before.y), key="chart y", width=200)
        others = ["", *(name for name in names if name not in (x, y))]
        colour = st.selectbox("A colour for each", others, _place(others, before.colour), key="chart colour", width=200,
                              format_func=lambda name: name or "–")  # fmt: skip
    return Chart(kind, x or "", y or "", colour or "")


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else 0


def _keep(desk: Desk, made: Saved, base: Saved | None, in_place_of: Saved | None) -> None:
    sql = st.session_state[KEY].sql
    parameters = tuple(_with_default(one, _today(desk)) for one in _parameters(parameters_in(sql), base))
    try:
        id_ = desk.asking.save(replace(made, sql=sql, parameters=parameters), in_place_of)
    except WrongUsage as wrong:
        st.error(formats.plain(wrong.sentence))
        return
    where = html.anchor(html.link("questions", desk.name, question=id_), made.title.strip())
    html.html(f"<p>Saved: {where}</p>")


def _with_default(one: Parameter, today: date) -> Parameter:
    """It begins with the value that it has now; a relative one that nobody has touched stays relative."""
    now = st.session_state.get(f"given {one.kind} {one.name}")
    told = str(now) if now else ""
    return one if told == default(one, today) else replace(one, default=told)
