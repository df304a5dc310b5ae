"""Several connections: all at a glance, one more, which others need somebody, and where else a search finds any."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from console.components import formats, html
from console.components.html import Column
from console.desk.desk import ConnectionOverview, Desk, Elsewhere, failure_sentence
from syncer.domain.errors import SyncerError

SHOWN = 8


def overview(desk: Desk) -> None:
    """Every connection that this person may see, where there are several; and a form to add one."""
    if len(desk.names()) < 2:
        _add(desk)
        return
    columns = [
        Column("Connection"), Column("State"), Column("Organisation"), Column("Plan", named=True),
        Column("Last whole run", named=True), Column("Held", named=True), Column("Calls left", True),
    ]  # fmt: skip
    html.section("All connections", html.table(columns, [_row(one, desk) for one in desk.accounts()]))
    _add(desk)
    html.section(desk.named(desk.name))


def _row(one: ConnectionOverview, desk: Desk) -> list[str]:
    name = html.anchor(html.link("connections", one.name), one.name)
    here = html.under("this one, below") if one.name == desk.name else ""
    last = formats.ago(one.last_success["finished_at"], desk.now) if one.last_success else "none yet"
    held = (
        f"{formats.count(one.held, 'invoice')}{html.under(formats.monies(one.held_money))}" if one.held else "nothing"
    )
    left = f"{one.budget['day_left']:,}" if one.budget.get("day_left") is not None else "–"
    return [
        f"{name}{here}", _state(one), escape(one.row.get("organisation_name") or ""),
        escape(formats.plan(one.row.get("plan"))), last, held, left,
    ]  # fmt: skip


def _state(one: ConnectionOverview) -> str:
    """The state of both sides in a word: what stands in the way, if anything does."""
    code, told = one.state, formats.connection_state(one.state)
    if code == "connected" and one.source_state != "connected":
        code, told = one.source_state, formats.source_state(one.source_state)
        told = told[0], f"CrocoClick: {told[1][:1].lower()}{told[1][1:]}", told[2]
    return formats.mark(told[0], told[1], formats.TONES.get(code, ""))


def _add(desk: Desk) -> None:
    """One more: a further location with a token of its own."""
    if not desk.may("add_connection"):
        return
    with st.popover("Add a connection"), st.form("add-connection", border=False, clear_on_submit=False):
        html.quiet(
            "One connection is one CrocoClick location and one Xero organisation. The token is kept encrypted, is used "
            "for this location alone and is never shown again. After this you connect Xero.",
            "",
        )
        name = st.text_input("Name", placeholder="lyon", help="Letters, digits, - and _; it stands in addresses.")
        location = st.text_input("CrocoClick location id", placeholder="ve9EPM428h8vShlRW1KT")
        token = st.text_input("Private integration token", type="password", autocomplete="off")
        if st.form_submit_button("Add", type="primary"):
            _carry_out(desk, name, location, token)


def new_token(desk: Desk) -> None:
    """Replace the token of a further connection; that of the default one may stand in the environment."""
    location = desk.account().row.get("location_id")
    if not desk.may("add_connection") or desk.name == "default" or not location:
        return
    with st.popover("New CrocoClick token"), st.form("new-token", border=False):
        html.quiet(f"For the location {escape(location)}. The one before is forgotten.")
        token = st.text_input("Private integration token", type="password", autocomplete="off", key="new-token-text")
        if st.form_submit_button("Save", type="primary"):
            _carry_out(desk, desk.name, location, token)


def _carry_out(desk: Desk, name: str, location: str, token: str) -> None:
    try:
        added = desk.add_connection(name, location, token)
    except SyncerError as failure:
        st.error(formats.plain(failure_sentence(failure)))
        return
    st.session_state["said"] = added
    st.query_params.from_dict({"connection": name.strip()})
    st.rerun()


# -- on the other pages -----------------------------------------------------------------------------------------------


def others(desk: Desk) -> None:
    """On the first page: which other connections need somebody."""
    told = [_need(one) for one in desk.elsewhere()]
    if told:
        html.quiet(f"Elsewhere: {' · '.join(told[:SHOWN])}", "")


def _need(one: Elsewhere) -> str:
    name = html.anchor(html.link("today", one.name), one.label)
    said = []
    if one.state != "connected":
        said.append(formats.connection_state(one.state)[1].lower())
    if one.held:
        needs = "needs" if one.held == 1 else "need"
        said.append(f"{formats.count(one.held, 'invoice')} worth {formats.monies(one.money)} {needs} somebody")
    return f"{name}: {escape(', '.join(said))}"


def found(desk: Desk, hits: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """What a search finds in other connections, and whose it is."""
    for name, rows in hits.items():
        table = html.table(html.invoice_columns(), [html.invoice_row(row, name) for row in rows[:SHOWN]])
        more = f'<p class="quiet">and {len(rows) - SHOWN:,} more</p>' if len(rows) > SHOWN else ""
        html.section(f"In {desk.label(name)}", table + more)
