"""Runs: one bar each, what they did to which invoice, what they cost."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from console.components import charts, formats, html, run_progress
from console.components.html import Column
from console.desk.desk import RECORDS, Desk

BARS = 40
# Left out of the picture: what a run found as it should be would hide what it did.
QUIET = ("unchanged", "skipped", "not_eligible")


def show(desk: Desk) -> None:
    """Every run, or one."""
    run_id = st.query_params.get("run", "")
    if run_id:
        show_run(desk, run_id)
        return
    st.title("Runs", anchor=False)
    run_progress.watch(desk)
    runs = desk.runs()
    if not runs:
        html.quiet("No run is on record. Sync now starts the first; a schedule can start them as well.", "")
        return
    _picture(runs[:BARS], desk)
    _table(runs, desk)


def _picture(runs: Sequence[Mapping[str, Any]], desk: Desk) -> None:
    rows = [row for run in reversed(runs) for row in _bars(run, desk)]
    if not any(row["records"] for row in rows):
        return
    html.quiet("Records changed or held per run (unchanged ones are not shown).")
    figure = charts.per_run(pd.DataFrame(rows), 190)
    picked = charts.draw(figure, "picture", on_select="rerun", selection_mode="points")
    points = picked["selection"]["points"]
    if points:
        st.query_params["run"] = points[0]["customdata"][0]
        st.rerun()


def _bars(run: Mapping[str, Any], desk: Desk) -> list[dict[str, Any]]:
    at = formats.clock(run["started_at"], desk.now)
    drawn = {outcome: number for outcome, number in run["outcomes"].items() if outcome not in QUIET}
    return [
        {"name": run["run_id"], "at": at, "outcome": word, "records": number, "told": f"{at}: {number:,} {word}"}
        for word, number in ((formats.outcome_word(outcome), number) for outcome, number in drawn.items())
    ]


def _table(runs: Sequence[Mapping[str, Any]], desk: Desk) -> None:
    columns = [
        Column("Run"), Column("Ended"), Column("Result"), Column("Synced", True), Column("Took", True),
        Column("Calls to Xero", True),
    ]  # fmt: skip
    html.html(html.table(columns, [_row(run, desk) for run in runs]))


def _row(run: Mapping[str, Any], desk: Desk) -> list[str]:
    ending = desk.ending(run)
    scope = f'<span class="under">only {escape(run["scope"])}</span>' if run["scope"] else ""
    return [
        html.anchor(html.link("runs", desk.name, run=run["run_id"]), formats.exact(run["started_at"])) + scope,
        formats.run_end(ending or ""),
        escape(formats.outcomes(run["outcomes"])) if run["finished_at"] else "",
        _money(run, "moved"),
        _took(run, desk),
        f"{run['calls']['xero']:,}" if run["finished_at"] else "–",
    ]


def _money(run: Mapping[str, Any], which: str) -> str:
    sums = run.get(which) or {}
    return "<br>".join(escape(formats.money(amount, currency)) for currency, amount in sums.items()) or "–"


def _took(run: Mapping[str, Any], desk: Desk) -> str:
    until = run["finished_at"] or (run["heard_at"] if desk.ending(run) else desk.now)
    return formats.lasted((until - run["started_at"]).total_seconds())


# -- one run ----------------------------------------------------------------------------------------------------------


def show_run(desk: Desk, run_id: str) -> None:
    """One run: how it ended, what it cost, and what it did to which invoice."""
    html.html(html.anchor(html.link("runs", desk.name), "← Runs"), "small")
    run = desk.run(run_id)
    if run is None:
        st.title("Run not found", anchor=False)
        return
    st.title(f"Run of {formats.plain(formats.exact(run['started_at']))}", anchor=False)
    ending = desk.ending(run)
    if ending is None:
        run_progress.watch(desk)
    else:
        sentence = formats.run_sentence(ending, run["cause"])
        html.html(f'<p class="lead">{formats.run_end(ending)}. {formats.prose(sentence)}</p>')
    html.html(html.facts(_facts(run, desk)))
    _unreadable(run)
    _left_out(run)
    _records(desk, run_id)


def _facts(run: Mapping[str, Any], desk: Desk) -> list[tuple[str, str]]:
    calls = [
        f"{row['calls']:,} × {row['method']} {formats.side(row['side'])}, {formats.lasted(row['ms'] / 1000)} each"
        for row in desk.run_calls(run["run_id"])
    ]
    return [
        ("Result", escape(formats.outcomes(run["outcomes"])) if run["finished_at"] else ""),
        ("Synced", _money(run, "moved") if run.get("moved") else ""),
        ("Only", escape(run["scope"])),
        ("Asked by", escape(run["asked_by"])),
        ("Took", _took(run, desk)),
        ("Calls", "<br>".join(map(escape, calls))),
    ]


def _unreadable(run: Mapping[str, Any]) -> None:
    if not run["unreadable"]:
        return
    columns = [Column("Invoice"), Column("What is wrong with it")]
    rows = [
        [escape(one["number"] or one["invoice_id"]), escape(f"{one['field']}: {one['reason']}")]
        for one in run["unreadable"]
    ]
    html.section("Could not be read", html.table(columns, rows))


def _left_out(run: Mapping[str, Any]) -> None:
    if not run["left_out"]:
        return
    columns = [Column("Record in Xero"), Column("What is wrong with it")]
    rows = [
        [escape(f"{one['kind']} {one['name'] or one['id']}".strip()), escape(f"{one['field']}: {one['reason']}")]
        for one in run["left_out"]
    ]
    html.section("Left out", html.table(columns, rows))


def _records(desk: Desk, run_id: str) -> None:
    rows = desk.run_records(run_id)
    if not rows:
        html.section("What it did", "<p>Nothing had to be done, and nothing is decided otherwise than before.</p>")
        return
    columns = [
        Column("Invoice"),
        Column("Customer"),
        Column("Total", True),
        Column("What happened"),
        Column("At", True),
    ]
    html.section("What it did", html.table(columns, [_record(row, desk) for row in rows]))
    if len(rows) == RECORDS:
        html.quiet(f"The latest {RECORDS}; `python -m syncer export attempts` has them all.")


def _record(row: Mapping[str, Any], desk: Desk) -> list[str]:
    tone = formats.TONES.get(row["what"], "")
    return [
        *html.invoice_row({**row, "issue_date": None}, desk.name)[:3],
        f'<span class="{tone}">{formats.prose(formats.happened(row))}</span>',
        formats.clock(row["happened_at"], desk.now),
    ]
