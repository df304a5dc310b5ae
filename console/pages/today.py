"""Today: what needs a person, what heals by itself, what moved, and what is left to spend."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from console.components import (
    charts,
    connection_list,
    consent_button,
    formats,
    html,
    order_forms,
    run_progress,
    setup_steps,
)
from console.components.html import Column
from console.desk.desk import Desk
from console.pages import attention
from syncer.support.work_list import Today, WorkGroup

REASONS = 25
MOVES = ("created", "updated", "voided", "paid")


def show(desk: Desk) -> None:
    """What a person sees first."""
    today = desk.today(formats.offset(desk.now))
    state = desk.state()
    if state != "connected":
        _connect_first(desk, state, bool(today.invoices))
        if not today.invoices:
            return
    else:
        st.title(_verdict(today), anchor=False)
        _well(today, desk)
    connection_list.others(desk)
    setup_steps.path(desk, "live")
    run_progress.watch(desk)
    order_forms.halted(desk)
    _groups("Needs action", "needs", [group for group in today.groups if not group.heals], desk)
    _groups("Retrying automatically", "heals", [group for group in today.groups if group.heals], desk)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _moved(today, desk)
    with right:
        _calls(today, desk)


def _connect_first(desk: Desk, state: str, has_records: bool) -> None:
    _, word, sentence = formats.connection_state(state)
    st.title("Xero is not connected" if state == "not_connected" else word, anchor=False)
    asked = "".join(f"<li>{escape(what)}, {escape(why)}</li>" for what, why in formats.scopes())
    html.html(
        f'<p class="lead">{formats.prose(sentence)} Xero asks you to allow:</p><ul class="scopes">{asked}</ul>'
        f'<p style="margin-top:1rem">{consent_button.connect_button(desk)}</p>'
    )
    if has_records:
        html.quiet("What follows is as it was before.")


def _verdict(today: Today) -> str:
    if not today.invoices:
        return "Nothing has been read yet"
    needs = [group for group in today.groups if not group.heals]
    heals = sum(group.size for group in today.groups if group.heals)
    money = _together(group.money for group in needs)
    return formats.plain(formats.needs_somebody(sum(group.size for group in needs), money, heals))


def _well(today: Today, desk: Desk) -> None:
    """What there is to say besides what is open."""
    if not today.invoices:
        busy = desk.starting() or desk.at_work()
        said = "The first run is at work." if busy else "Sync now reads CrocoClick and brings over what is ready."
        html.html(f'<p class="lead">{said}</p>')
        return
    waiting = [row for row in today.counts if row["state"] == "waiting"]
    synced = [row for row in today.counts if row["state"] == "synced"]
    told = []
    if synced:
        money = formats.monies(_together({row["currency"]: row["money"]} for row in synced))
        told.append(f"{_number(synced)} worth {money} {_is_are(synced)} in Xero, to the cent.")
    if waiting:
        money = formats.monies(_together({row["currency"]: row["money"]} for row in waiting))
        told.append(f"{_number(waiting)} worth {money} {'waits' if _size(waiting) == 1 else 'wait'} for the next run.")
    if today.seen_at:
        told.append(f"CrocoClick was read at {formats.clock(today.seen_at, desk.now)}.")
    html.quiet(escape(" ".join(told)), "")


def _size(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["invoices"] for row in rows)


def _number(rows: Sequence[Mapping[str, Any]]) -> str:
    return formats.count(_size(rows), "invoice")


def _is_are(rows: Sequence[Mapping[str, Any]]) -> str:
    return "is" if _size(rows) == 1 else "are"


def _together(sums: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Added up, each currency for itself."""
    found: dict[str, Decimal] = {}
    for part in sums:
        for currency, amount in part.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return found


# -- groups -----------------------------------------------------------------------------------------------------------


def _groups(title: str, key: str, groups: Sequence[WorkGroup], desk: Desk) -> None:
    if not groups:
        return
    table = st.container()
    part = html.page_of(groups, REASONS, key)
    last = "What happens" if groups[0].heals else "Who"
    columns = [Column("Why"), Column("Invoices", True), Column("Money", True), Column("Since", True), Column(last)]
    with table:
        several = f": {formats.count(len(groups), 'reason')}" if len(part) < len(groups) else ""
        html.section(title + several, html.table(columns, [_group_row(group, desk) for group in part]))


def _group_row(group: WorkGroup, desk: Desk) -> list[str]:
    return [
        html.anchor(attention.address(desk, group), group.sentence),
        f"{group.size:,}",
        html.stacked(group.money),
        formats.age(group.oldest, desk.now),
        html.who(group, desk.now),
    ]


# -- what moved, and what it cost -------------------------------------------------------------------------------------


def _moved(today: Today, desk: Desk) -> None:
    if not today.moved:
        html.section("Moved in the last 7 days", '<p class="quiet">Nothing moved.</p>')
        return
    html.section("Moved in the last 7 days")
    frame = _by_day(today, desk)
    charts.draw(charts.per_day(frame, 150), "moved")
    html.html(_moved_told(today))


def _by_day(today: Today, desk: Desk) -> pd.DataFrame:
    last = (desk.now + formats.offset(desk.now)).date()
    days = [last - timedelta(days=back) for back in range(6, -1, -1)]
    rows = []
    for day in days:
        for outcome in MOVES:
            those = [row for row in today.moved if row["day"] == day and _outcome(row) == outcome]
            money = formats.monies(_together({row["currency"]: row["money"]} for row in those))
            records = sum(row["records"] for row in those)
            told = f"{formats.day(day)}: {records:,} {outcome}{f', {money}' if money else ''}"
            rows.append({"name": f"{day:%a} {day.day}", "outcome": outcome, "records": records, "told": told})
    return pd.DataFrame(rows)


def _outcome(row: Mapping[str, Any]) -> str:
    return "created" if row["outcome"] == "found" else str(row["outcome"])


def _moved_told(today: Today) -> str:
    told = []
    for outcome in MOVES:
        those = [row for row in today.moved if _outcome(row) == outcome]
        if those:
            money = formats.monies(_together({row["currency"]: row["money"]} for row in those))
            told.append(f"{sum(row['records'] for row in those):,} {outcome} ({escape(money)})")
    created = today.pace.get("created") or 0
    if created:
        told.append(f"{formats.share(today.pace['first_try'], created)} at the first try")
        told.append(f"median {formats.lasted(float(today.pace['seconds'] or 0))} from first sight")
    return " · ".join(told)


def _calls(today: Today, desk: Desk) -> None:
    title, budget = "Calls to Xero left today", today.budget
    if budget is None:
        html.section(title, '<p class="quiet">Xero has not said yet: it does with the first answer.</p>')
        return
    left, made = budget["day_left"], today.calls
    whole = max(1, left + made)
    html.section(
        title,
        f'<div class="meter" aria-hidden="true"><span style="width:{left * 100 // whole}%"></span></div>'
        f"<p>{left:,} left · {made:,} made in the last 24 hours</p>"
        f'<p class="quiet">Xero said so {formats.ago(budget["made_at"], desk.now)}.</p>',
    )
