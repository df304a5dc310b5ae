"""Pause and Resume, in sight on every page."""

from collections.abc import Callable

import streamlit as st

from console.components import formats
from console.desk.desk import Desk, failure_sentence
from syncer.domain.errors import SyncerError


def banner(desk: Desk) -> None:
    """On every page of a connection that is paused: since when, by whom and why, and Resume."""
    stands = desk.paused()
    if stands is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="paused"):
        facts = stands.facts
        by = f" by {facts['by']}" if facts.get("by") else ""
        because = f": “{facts['because']}”" if facts.get("because") else "."
        told = f"Paused {formats.ago(stands.since, desk.now)}{by}{because} Nothing is written to Xero."
        st.warning(formats.plain(told))
        off = not desk.may("resume")
        if st.button("Resume", key="resume", type="primary", disabled=off, help=desk.why_not("resume") or None):
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
