"""Pause and Resume, in sight on every page."""

from collections.abc import Callable
from html import escape

import streamlit as st

from console.components import formats, html
from console.desk.desk import Desk, failure_sentence
from syncer.domain.errors import SyncerError


def banner(desk: Desk) -> None:
    """Say on every page who paused the connection, when and why; the button Resume lets it go on."""
    stands = desk.paused()
    if stands is None:
        return
    told, order = st.columns([5, 1], vertical_alignment="center")
    by, because = (escape(str(stands.facts.get(name) or "")) for name in ("by", "because"))
    since = f"{formats.ago(stands.since, desk.now)}{f' by {by}' if by else ''}"
    sentence = f"{formats.mark('⏸', 'Paused', 'needs')} {since}{f': “{because}”' if because else ''}"
    with told:
        html.html(f'<div class="paused">{sentence}<br><span class="quiet">Nothing is written to Xero.</span></div>')
    why = desk.why_not("resume")
    if order.button("Resume", key="resume", type="primary", disabled=bool(why), help=why or None, width="stretch"):
        _carry_out(desk.resume)


def button(desk: Desk) -> None:
    """Pause, with the reason for everybody who meets it."""
    if desk.state() != "connected" or desk.paused() or not desk.may("pause"):
        return
    with st.popover("Pause…", key="pausing"), st.form("pause", border=False):
        st.markdown("Nothing is written to Xero until somebody resumes. What is under way is finished first.")
        because = st.text_input("Why", placeholder="For colleagues who ask")
        if st.form_submit_button("Pause", type="primary"):
            _carry_out(lambda: desk.pause(because))


def _carry_out(order: Callable[[], None]) -> None:
    """Do it, or say why it cannot be."""
    try:
        order()
    except SyncerError as failure:
        st.error(formats.plain(failure_sentence(failure)))
        return
    st.rerun()
