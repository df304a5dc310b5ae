"""A run while it works: progress that redraws itself, Stop, and Sync now when nothing runs."""

import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from console.components import formats, html
from console.desk.desk import Desk
from console.desk.installation import installation
from console.desk.readiness import SetupStep

QUICK_S, SLOW_S = 1.0, 5.0


# What this page can start: its button, and where its last end is told.
STARTS = {
    "sync": "Sync now",
    "import-contacts": "Import now",
    "check": "Check now",
}
WORKING = {
    "sync": "Starting",
    "import-contacts": "Starting",
    "check": "Checking Xero and CrocoClick",
    "test-invoice": "Testing: the invoice is made, synced, compared and voided",
}


def watch(desk: Desk, what: str = "sync") -> None:
    """The run at work, or what `what` last came to; the page is drawn anew when something begins or ends."""
    if said := desk.refusal():
        st.warning(formats.plain(said))
    busy = desk.starting() or desk.at_work() is not None
    st.fragment(_draw, run_every=QUICK_S if busy else SLOW_S)(desk.name, busy, desk.sign(), what)


def _draw(name: str, was_busy: bool, sign: tuple[int, int, int], what: str) -> None:
    desk = Desk(installation(), name)
    if not desk.is_there():
        st.rerun()  # Their right was taken away meanwhile: the whole page says so.
    run = desk.at_work()
    busy = run is not None or desk.starting()
    if busy != was_busy or (not busy and desk.sign() != sign):
        st.rerun()
    if run:
        _progress(desk, run)
    elif busy:
        st.progress(0.0, text=WORKING.get(desk.started(), "Starting"))
    else:
        _last(desk, what)


def _progress(desk: Desk, run: Mapping[str, Any]) -> None:
    told, stop = st.columns([5, 1], vertical_alignment="center")
    share = min(1.0, run["done"] / run["todo"]) if run["todo"] else 0.0
    told.progress(share, text=_told(run, desk))
    then = "Ends after the calls that are under way; nothing gets lost."
    if run["kind"] == "sync":
        then += " The connection is paused until somebody resumes it."
    hint = desk.why_not("stop") or then
    if stop.button("Stop", key="stop", help=hint, width="stretch", disabled=not desk.may("stop")):
        desk.stop(run)
        st.toast("Stopping after the calls that are under way.")


def _told(run: Mapping[str, Any], desk: Desk) -> str:
    parts_ = [formats.phase(run["phase"])]
    if run["todo"]:
        parts_.append(f"{run['done']:,} of {run['todo']:,}")
        parts_ += _rate(run)
    began = formats.lasted((desk.now - run["started_at"]).total_seconds())
    return " · ".join([*parts_, f"running for {began}"])


def _rate(run: Mapping[str, Any]) -> list[str]:
    """How fast this phase goes, from what this screen has seen of it, and what is left."""
    seen = st.session_state.setdefault("pace", {})
    since, before = seen.setdefault((run["run_id"], run["phase"]), (time.monotonic(), run["done"]))
    passed, done = time.monotonic() - since, run["done"] - before
    if passed < 2 or done <= 0:
        return []
    rate = done / passed
    left = formats.lasted(round((run["todo"] - run["done"]) / rate))
    return [f"{rate:,.0f} a second" if rate >= 1 else f"{rate * 60:,.0f} a minute", f"about {left} left"]


def _last(desk: Desk, what: str) -> None:
    told, order = st.columns([5, 1], vertical_alignment="center")
    with told:
        html.html(TOLD[what](desk))
    why = desk.why_not(what)
    if what == "sync" and not why and desk.paused():
        why = "The connection is paused."
    off = bool(why) or (desk.state() != "connected" and what != "check")
    if what == "sync" and not off and (missing := desk.readiness.open_steps()):
        with order:
            _go_live(desk, missing)
        return
    if order.button(STARTS[what], key=what, type="primary", disabled=off, help=why or None, width="stretch"):
        desk.start(what)
        st.rerun()


def _go_live(desk: Desk, missing: Sequence[SetupStep]) -> None:
    """The first sync is an act: the filled button is the next step, and to sync before it asks once."""
    first = missing[0]
    html.html(f'<a class="act wide" href="{html.link(first.page, desk.name)}">Next: {escape(first.title)}</a>')
    with st.popover("Sync now…", width="stretch", key="going-live"):
        still = "".join(f"<li>{escape(step.title)}: {escape(step.missing)}</li>" for step in missing)
        html.html(f"<p>The first sync sends {_first_sync(desk)} to Xero. Still to do:</p><ul>{still}</ul>")
        if st.button("Sync all the same", key="sync"):
            desk.start("sync")
            st.rerun()


def _first_sync(desk: Desk) -> str:
    """How much would go over, as far as CrocoClick was read."""
    number, money = desk.readiness.to_go()
    if not number:
        return "every invoice that the settings select, which a check counts and adds up,"
    return f"up to {formats.count(number, 'invoice')}, worth {escape(formats.monies(money))},"


def _last_told(desk: Desk) -> str:
    return f'{_run_told(desk)}<br><span class="quiet small">{formats.prose(watch_told(desk))}</span>'


def watch_told(desk: Desk) -> str:
    """What the work in the background does next, in a sentence."""
    watch = desk.watch.at_work()
    if desk.paused():
        return "The connection is paused: nothing goes over until somebody resumes it."
    if watch is None:
        return "Nobody watches: invoices go over when somebody syncs."
    if not desk.watch.is_live():
        return "Nothing goes over by itself yet: it begins with the first sync, when the set-up is done."
    if watch.shut_until and watch.shut_until > desk.now:
        return f"Xero's calls of today are used up: it goes on at {formats.clock(watch.shut_until, desk.now)}."
    if watch.failures:
        return f"It does not get through: tried again at {formats.clock(watch.next_at, desk.now)}."
    every = formats.lasted(watch.every.total_seconds())
    return f"Automatic sync is on: after every change here or in CrocoClick, and every {every}."


def _run_told(desk: Desk) -> str:
    run = next(iter(desk.runs(1)), None)
    if run is None:
        return '<span class="quiet">No run yet.</span>'
    ending = desk.ending(run) or "done"
    when = formats.ago(run["finished_at"] or run["heard_at"], desk.now)
    address = html.link("runs", desk.name, run=run["run_id"])
    told = formats.outcomes(run["outcomes"]) if run["finished_at"] else ""
    if ending != "done":
        told = f"{formats.prose(formats.run_sentence(ending, run['cause']))} {told}"
    return f'{html.anchor(address, "Last run")} {when} {formats.run_end(ending)} <span class="quiet">{told}</span>'


def _import_told(desk: Desk) -> str:
    last = desk.contacts.last_import()
    if last is None:
        return '<span class="quiet">No import yet: it brings the active Xero contacts to CrocoClick.</span>'
    told = f"Last import {formats.ago(last.at, desk.now)} {formats.run_end(last.ended)}"
    if last.ended != "done":
        told += f" {formats.prose(formats.run_sentence(last.ended, last.cause))}"
    calls = f"{last.calls.get('crococlick', 0):,} calls to CrocoClick, {last.calls.get('xero', 0):,} to Xero"
    return f'{told} <span class="quiet">{calls}</span>'


def _check_told(desk: Desk) -> str:
    at = desk.readiness.kept_at()
    if at is None:
        return '<span class="quiet">No check yet.</span>'
    return f'Data from {formats.ago(at, desk.now)} <span class="quiet">checked against current settings</span>'


TOLD: Mapping[str, Callable[[Desk], str]] = {
    "sync": _last_told,
    "import-contacts": _import_told,
    "check": _check_told,
}
