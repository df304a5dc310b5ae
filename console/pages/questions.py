"""Questions: saved ones to choose from, and one with its controls, its picture and its rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

import streamlit as st

from console.components import formats, html, query_result
from console.desk.desk import Desk
from syncer.domain.errors import WrongUsage
from syncer.reports.saved_questions import Parameter, Saved, default, values

SIZE = 50


def show(desk: Desk) -> None:
    """Every saved question, or one."""
    if asked := st.query_params.get("question", ""):
        show_one(desk, asked)
        return
    st.title("Questions", anchor=False)
    query_result.tabs(desk, "questions")
    _news()
    questions = desk.asking.questions()
    saved = [one for one in questions if not one.is_ours]
    if saved:
        _list(desk, "Saved here", html.page_of(saved, SIZE, "part"))
    _list(desk, "Built in", [one for one in questions if one.is_ours])
    where = html.anchor(html.link("sql", desk.name), "SQL")
    html.html(f"A question of your own is written on the page {where} and saved from there.", "quiet small")


def _news() -> None:
    """What has just happened, told once."""
    if said := st.session_state.pop("question_said", ""):
        st.success(formats.plain(said))


def _list(desk: Desk, title: str, questions: Sequence[Saved]) -> None:
    lines = [(*_told(desk, one), _by(one, desk)) for one in questions]
    told = "".join(f"<li><span>{name}{sentence}</span><span>{by}</span></li>" for name, sentence, by in lines)
    html.section(title, f'<ul class="questions">{told}</ul>')


def _told(desk: Desk, one: Saved) -> tuple[str, str]:
    name = html.anchor(html.link("questions", desk.name, question=one.id), one.title)
    return name, html.under(one.sentence)


def _by(one: Saved, desk: Desk) -> str:
    if one.is_ours:
        return ""
    return f"{escape(one.changed_by)}, {formats.ago(one.changed_at, desk.now)}"


# -- one question -----------------------------------------------------------------------------------------------------


def show_one(desk: Desk, question_id: str) -> None:
    """One question, answered at once where its controls have values to begin with."""
    html.html(html.anchor(html.link("questions", desk.name), "← Questions"), "small")
    question = desk.asking.question(question_id)
    if question is None:
        st.title("Question not found", anchor=False)
        return
    st.title(formats.plain(question.title), anchor=False)
    html.html(f'<p class="lead">{escape(question.sentence)}</p>')
    _news()
    key = f"question {question.id} {desk.name}"
    given, pressed = _controls(question, desk.now.astimezone(formats.zone()).date())
    if pressed or key not in st.session_state:
        _ask(desk, key, question, given)
    answer = query_result.answered(key)
    if answer is not None:
        query_result.show(key, answer, question.id, question.chart, in_words=True)
    _foot(desk, question)


def _ask(desk: Desk, key: str, question: Saved, given: Mapping[str, str]) -> None:
    try:
        found = values(question.parameters, given, desk.now.date())
    except WrongUsage as wrong:
        query_result.refused(wrong.sentence)
        return
    query_result.begin(desk, key, question.sql, found)
    if question.parameters:
        st.query_params.update(given)


def _controls(question: Saved, today: date) -> tuple[dict[str, str], bool]:
    """A control for each parameter, beginning with what the address says; and whether to ask now."""
    if not question.parameters:
        return {}, False
    with st.form("controls", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        given = {
            one.name: control(one, st.query_params.get(one.name, default(one, today))) for one in question.parameters
        }
        return given, st.form_submit_button("Answer", type="primary")


def control(one: Parameter, begins: str) -> str:
    """The control of one parameter; what is given, as an address says it."""
    key = f"given {one.kind} {one.name}"
    if one.kind == "date":
        picked = st.date_input(one.called, _date(begins), key=key, format="YYYY-MM-DD", width=180)
        return picked.isoformat() if isinstance(picked, date) else ""
    if one.kind == "choice":
        if not one.choices:
            return ""
        place = one.choices.index(begins) if begins in one.choices else 0
        return str(st.selectbox(one.called, one.choices, place, key=key, format_func=_choice, width=220) or "")
    width = 150 if one.kind == "number" else 280
    return st.text_input(one.called, begins, key=key, width=width)


def _date(told: str) -> date | None:
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def _choice(choice: str) -> str:
    known = {"xero": "Xero", "crococlick": "CrocoClick"}
    return known.get(choice, choice.replace("_", " ").capitalize())


def _foot(desk: Desk, question: Saved) -> None:
    """Who made it, its SQL, and what may be done with it."""
    with st.expander("SQL"):
        st.code(question.sql, language="sql", wrap_lines=True)
        address = html.link("sql", desk.name, question=question.id)
        change = "Copy and change it" if question.is_ours else "Change it, or save a copy"
        html.html(html.anchor(address, change if desk.asking.may_save else "Open it in SQL"))
    if question.is_ours:
        return
    made = f"Made by {escape(question.made_by)}"
    if question.changed_by != question.made_by:
        made += f", changed by {escape(question.changed_by)}"
    html.quiet(f"{made} {formats.ago(question.changed_at, desk.now)}.")
    if desk.asking.may_save:
        _delete(desk, question)


def _delete(desk: Desk, question: Saved) -> None:
    with st.popover("Delete"):
        st.markdown("Nobody finds this question here any more. What it asked stays in the audit trail.")
        if st.button("Delete it now", key="delete"):
            try:
                desk.asking.delete(question)
            except WrongUsage as wrong:
                st.error(formats.plain(wrong.sentence))
                return
            st.session_state["question_said"] = f"“{question.title}” was deleted."
            st.query_params.from_dict({"connection": desk.name} if desk.name != "default" else {})
            st.rerun()
