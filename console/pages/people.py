"""People: who may what, and everything that anybody did."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from html import escape
from itertools import groupby
from typing import Any

import streamlit as st

from console.components import formats, html
from console.components.html import Column
from console.desk.desk import Desk, failure_sentence
from console.desk.people import AUDITED
from syncer.domain.access import ROLES
from syncer.domain.errors import SyncerError
from syncer.messages import access

TABS = {"people": "People", "audit": "Activity"}
NAMED = 6  # subjects of one deed that are named; the rest are counted
DOMAIN = "everybody of this domain who has no line of their own"


def show(desk: Desk) -> None:
    """The tab in the address."""
    tab = st.query_params.get("tab", "people")
    tab = tab if tab in TABS else "people"
    st.title("People", anchor=False)
    found = [(name, "", html.link("people", desk.name, tab=key), key == tab) for key, name in TABS.items()]
    html.html(html.tabs(found))
    if tab == "audit":
        _audit(desk)
    else:
        _people(desk)


# -- who may what -------------------------------------------------------------------------------------------------


def _people(desk: Desk) -> None:
    if said := st.session_state.pop("people_said", ""):
        st.success(formats.plain(said))
    if not desk.people.signs_in:
        html.html(
            '<p class="lead">Sign-in is off: everybody at this computer is an admin, and what they do is '
            f"recorded as {escape(desk.visitor.name)}.</p>"
            '<p class="quiet">With a sign-in the people named below may come from elsewhere; the README says how, '
            "under People.</p>"
        )
    if not desk.may("change_person"):
        _own(desk)
        return
    rows = desk.people.named()
    _name(desk, rows)
    if rows:
        columns = [Column("Who"), Column("May"), Column("Connections"), Column("Named"), Column("")]
        html.html(html.table(columns, [_person(row, desk) for row in rows]))
    else:
        html.quiet("No people added yet.", "")


def _own(desk: Desk) -> None:
    right = desk.right
    if right is None:
        return
    name, may = access.ROLES[right.role]
    where = "" if right.connections is None else f" For {formats.plain(', '.join(sorted(right.connections)))}."
    html.html(
        f'<p class="lead">You are signed in as {escape(desk.visitor.name)}: {escape(name)}, {escape(may)}.'
        f'{escape(where)}</p><p class="quiet">Who may what is shown to, and said by, the admins of all connections.</p>'
    )


def _person(row: Mapping[str, Any], desk: Desk) -> list[str]:
    name, may = access.ROLES[row["role"]]
    whose = html.under(DOMAIN) if row["who"].startswith("@") else ""
    connections = row.get("connections")
    if row.get("fixed"):
        named, change = '<span class="quiet">by CONSOLE_ADMINS</span>', ""
    else:
        named = f"{formats.ago(row['changed_at'], desk.now)} by {escape(row['changed_by'])}"
        change = html.anchor(html.link("people", desk.name, person=row["who"]), "Change")
    return [
        f"<b>{escape(row['who'])}</b>{whose}",
        f"{escape(name.capitalize())}{html.under(may)}",
        "all" if connections is None else escape(", ".join(connections)),
        named,
        f'<span class="keep">{change}</span>' if change else "",
    ]


def _name(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> None:
    """Name somebody, or change what they may; the address says which person."""
    asked = st.query_params.get("person", "")
    known = next((row for row in rows if row["who"] == asked and not row.get("fixed")), None)
    with st.expander(f"Change what `{asked}` may" if known else "Add person", expanded=bool(asked)):
        with st.form(f"person-{asked}", border=False):
            who = asked if known else st.text_input("Who", placeholder="anna@example.com, or @example.com for a domain")
            roles = list(reversed(ROLES))
            role = st.radio(
                "May", roles, index=roles.index(known["role"]) if known else roles.index("viewer"),
                format_func=lambda code: access.ROLES[code][0].capitalize(),
                captions=[access.ROLES[code][1] for code in roles],
            )  # fmt: skip
            connections = _connections(desk, known)
            if st.form_submit_button("Save", type="primary"):
                _carry_out(lambda: desk.people.change(who, role, connections))
        if known and st.button("Take this line away", key="remove"):
            _carry_out(lambda: desk.people.remove(asked))


def _connections(desk: Desk, known: Mapping[str, Any] | None) -> list[str] | None:
    """Those that somebody may see; nothing chosen means all."""
    names = desk.names()
    before = (known or {}).get("connections")
    if len(names) < 2 and before is None:
        return None
    options = list(dict.fromkeys([*names, *(before or [])]))
    return st.multiselect("Connections", options, default=before or [], placeholder="All, also those to come") or None


def _carry_out(order: Any) -> None:
    try:
        st.session_state["people_said"] = order()
    except SyncerError as failure:
        st.error(formats.plain(failure_sentence(failure)))
        return
    st.query_params.pop("person", None)
    st.rerun()


# -- what was done ------------------------------------------------------------------------------------------------


def _audit(desk: Desk) -> None:
    asked = _filters(desk)
    rows = desk.people.audit(asked)
    if not rows:
        html.html('<p class="lead">Nothing is on record that fits.</p>')
        return
    several = len(desk.names()) > 1
    columns = [Column("When"), Column("Who"), Column("What"), Column("Before and after")]
    columns += [Column("Connection")] if several else []
    alike = [list(those) for _, those in groupby(rows, key=_deed)]
    html.html(html.table(columns, [_deed_row(those, desk, several) for those in alike]))
    if len(rows) == AUDITED:
        html.quiet(f"The latest {AUDITED}; the file has them all.")


def _filters(desk: Desk) -> dict[str, Any]:
    people, deeds = desk.people.choices()
    names = desk.names()
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        who = st.selectbox("Who", ["", *people], format_func=lambda one: one or "Anybody", key="who")
        what = st.selectbox(
            "What", ["", *deeds], format_func=lambda one: access.deed(one) if one else "Anything", key="what"
        )
        where = ""
        if len(names) > 1:
            where = st.selectbox("Connection", ["", *names], format_func=lambda one: one or "All", key="where")
        day = st.date_input("Day", value=None, format="DD/MM/YYYY", key="day")
        asked: dict[str, Any] = {"who": who or "", "what": what or "", "connection": where or ""}
        if day:
            begins = datetime.combine(day, time(), formats.zone())
            asked |= {"since": begins, "until": begins + timedelta(days=1)}
        st.download_button(
            "Export", lambda: desk.people.csv(asked), "what-was-done.csv", "text/csv", on_click="ignore",
            help="Every line that fits, as a table for a spreadsheet",
        )  # fmt: skip
    return asked


def _deed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one deed from another: an order may be for many records at once."""
    return row["happened_at"], row["by_whom"], row["what"], row["connection"]


def _deed_row(those: Sequence[Mapping[str, Any]], desk: Desk, several: bool) -> list[str]:
    first = those[0]
    named = ", ".join(_subject(row) for row in those[:NAMED])
    more = f" and {len(those) - NAMED:,} more" if len(those) > NAMED else ""
    return [
        f'<span class="keep">{formats.ago(first["happened_at"], desk.now)}</span>',
        escape(first["by_whom"]),
        f'{escape(access.deed(first["what"]))}<span class="under">{named}{more}</span>',
        _moved(those),
        *([escape(first["connection"] or "all")] if several else []),
    ]


def _subject(row: Mapping[str, Any]) -> str:
    if row["is_invoice"]:
        return html.anchor(html.link("invoice", row["connection"], invoice=row["subject"]), row["name"] or "no number")
    if row["what"] == "started":
        return escape(access.started(row["subject"]))
    return escape(row["name"] or row["subject"])


def _moved(those: Sequence[Mapping[str, Any]]) -> str:
    """What was and what is, of one; of many where they all moved alike."""
    found = {tuple(access.moved(row["before"], row["after"])): row["subject"] for row in those}
    if len(found) > NAMED:
        return f'<span class="quiet">{formats.count(len(found), "different change")}</span>'
    several = len(found) > 1
    return "<br>".join(
        _change(name or (subject if several else ""), was, now)
        for changes, subject in found.items()
        for name, was, now in changes
    )


def _change(name: str, was: str, now: str) -> str:
    named = f'<span class="quiet">{escape(name)}:</span> ' if name else ""
    return f"{named}{escape(now)}" if was == "–" and name == "with" else f"{named}{escape(was)} → {escape(now)}"
