"""Attention: everything that waits for somebody, grouped by the answer that settles it, and what became of the rest."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape
from typing import Any

import streamlit as st

from console.components import formats, html, order_forms, run_progress
from console.components.html import Column
from console.components.order_forms import For
from console.desk.desk import Desk
from syncer.support.work_list import Settled, WorkGroup

PAGE, REASONS, DAYS = 50, 50, 14
TABS = {"open": "Open", "waiting": "Waiting for somebody", "skipped": "Skipped", "settled": "Settled"}
UNDER = {
    "open": "You or an administrator can settle these.",
    "waiting": "Somebody else acts next, or time does.",
    "skipped": "Left out because somebody said so.",
    "settled": "Needed somebody once, and was settled in the last 30 days.",
}
EMPTY = {
    "open": "Nothing needs you.",
    "waiting": "Nothing waits for anybody else.",
    "skipped": "Nothing is skipped.",
    "settled": "Nothing was settled in the last 30 days.",
}


def show(desk: Desk) -> None:
    """One tab of the work list, or one group of it."""
    tab = st.query_params.get("tab", "open")
    tab = tab if tab in TABS else "open"
    if key := st.query_params.get("group", ""):
        _show_group(desk, tab, key)
        return
    st.title("Attention", anchor=False)
    run_progress.watch(desk)
    order_forms.halted(desk)
    _tabs(desk, tab)
    html.quiet(UNDER[tab], "")
    if tab == "settled":
        _settled_list(desk)
    elif tab == "skipped":
        _skipped_list(desk)
    else:
        _open_list(desk, tab)


def address(desk: Desk, group: WorkGroup) -> str:
    """Where a group is answered."""
    return html.link("attention", desk.name, tab="open" if group.is_mine else "waiting", group=group.key)


# -- the lists ----------------------------------------------------------------------------------------------------


def _tabs(desk: Desk, current: str) -> None:
    open_ = desk.groups(formats.offset(desk.now))
    sizes = {
        "open": sum(group.size for group in open_ if group.is_mine),
        "waiting": sum(group.size for group in open_ if not group.is_mine),
        "skipped": sum(group.size for group in desk.skipped(formats.offset(desk.now))),
    }
    html.html(
        html.tabs(
            [
                (
                    name,
                    f"{sizes[key]:,}" if sizes.get(key) else "",
                    html.link("attention", desk.name, tab=key),
                    key == current,
                )
                for key, name in TABS.items()
            ]
        )
    )


def _nothing(tab: str) -> None:
    html.html(f'<p class="lead">{EMPTY[tab]}</p>')


def _open_list(desk: Desk, tab: str) -> None:
    groups = [group for group in desk.groups(formats.offset(desk.now)) if group.is_mine == (tab == "open")]
    if not groups:
        _nothing(tab)
        return
    last = "Who" if tab == "open" else "Who, or when"
    columns = [
        Column("Why"), Column("Invoices", True), Column("Money", True), Column("Oldest", True),
        Column("New, 14 days"), Column(last),
    ]  # fmt: skip
    _table(columns, groups, lambda group: _open_row(group, desk))


def _table(columns: Sequence[Column], groups: Sequence[Any], row: Any) -> None:
    table = st.container()
    part = html.page_of(groups, REASONS, "part")
    with table:
        html.html(html.table(columns, [row(group) for group in part]))
    if len(groups) > len(part):
        html.quiet(f"{len(groups):,} reasons in all.")


def _open_row(group: WorkGroup, desk: Desk) -> list[str]:
    return [
        _named(group, address(desk, group), group.sentence),
        f"{group.size:,}",
        html.stacked(group.money),
        formats.age(group.oldest, desk.now),
        _trend(group, desk),
        html.who(group, desk.now),
    ]


def _named(group: WorkGroup, where: str, why: str) -> str:
    """Why they wait, leading to the group, over what else they share."""
    common = formats.common(group.common)
    return html.anchor(where, why) + html.under(formats.capital(common) if common else "")


def _trend(group: WorkGroup, desk: Desk) -> str:
    """How many came on each of the last days, as small bars that say it in words as well."""
    today = (desk.now + formats.offset(desk.now)).date()
    numbers = [group.days.get(today - timedelta(days=back), 0) for back in range(DAYS - 1, -1, -1)]
    return html.bars(numbers, f"{sum(numbers):,} new in {DAYS} days, {numbers[-1]:,} today")


def _skipped_list(desk: Desk) -> None:
    groups = desk.skipped(formats.offset(desk.now))
    if not groups:
        _nothing("skipped")
        return
    columns = [
        Column("Why"),
        Column("Invoices", True),
        Column("Money", True),
        Column("By", named=True),
        Column("Until", named=True),
        Column("Since", True),
    ]
    _table(columns, groups, lambda group: _skipped_row(group, desk))


def _skipped_row(group: WorkGroup, desk: Desk) -> list[str]:
    where = html.link("attention", desk.name, tab="skipped", group=group.key)
    return [
        _named(group, where, _reason(group)),
        f"{group.size:,}",
        html.stacked(group.money),
        escape(str(group.facts.get("by") or "somebody")),
        _until(group),
        formats.age(group.oldest, desk.now),
    ]


def _reason(group: WorkGroup) -> str:
    return formats.capital(str(group.facts.get("because") or "No reason given")).removesuffix(".")


def _until(group: WorkGroup) -> str:
    until = group.facts.get("until")
    return formats.day(until) if until else "taken back"


def _settled_list(desk: Desk) -> None:
    groups = desk.settled()
    if not groups:
        _nothing("settled")
        return
    columns = [
        Column("Why it waited"),
        Column("Invoices", True),
        Column("Money", True),
        Column("What settled it"),
        Column("When", True),
    ]
    _table(columns, groups, lambda one: _settled_row(one, desk))


def _settled_row(one: Settled, desk: Desk) -> list[str]:
    where = html.link("attention", desk.name, tab="settled", group=one.key)
    return [
        html.anchor(where, one.sentence),
        f"{len(one.rows):,}",
        html.stacked(one.money),
        formats.prose(formats.settled(one)),
        formats.ago(one.at, desk.now),
    ]


# -- one group ----------------------------------------------------------------------------------------------------


def _show_group(desk: Desk, tab: str, key: str) -> None:
    html.html(html.anchor(html.link("attention", desk.name, tab=tab), f"← {TABS[tab]}"), "small")
    if tab == "settled":
        _show_settled(desk, key)
        return
    groups = [*desk.groups(formats.offset(desk.now)), *desk.skipped(formats.offset(desk.now))]
    group = next((group for group in groups if group.key == key), None)
    if group is None:
        st.title("Nothing waits for this any more", anchor=False)
        order_forms.notice(key)
        where = [html.anchor(html.link("attention", desk.name, tab=one), TABS[one]) for one in ("settled", "skipped")]
        html.html(f"<p>What became of it is under {where[0]} once a run has looked at it, or under {where[1]}.</p>")
        run_progress.watch(desk)
        return
    skipped = group.code == "skipped_by_person"
    st.title(formats.plain(f"Skipped: {_reason(group)}" if skipped else group.sentence), anchor=False)
    _lead(group, desk)
    step = desk.remedy(group)
    # What is in doubt asks for a look in Xero, and no order helps before that.
    only_look = step is not None and any(one.name == "sync" for one in step.answers)
    if only_look or desk.starting() or desk.at_work():
        run_progress.watch(desk)
    controls = st.container()
    members = desk.members(group)
    left_out = _left_out(key, members)
    _members(desk, group, members, left_out, with_ticks=len(members) > 1 and not only_look and desk.may("retry"))
    target = For(key, [row for row in members if row["source_id"] not in left_out] if left_out else members)
    with controls:
        if skipped:
            order_forms.take_back(desk, target)
        elif not only_look:
            order_forms.offer(desk, step, target)


def _lead(group: WorkGroup, desk: Desk) -> None:
    if group.code == "skipped_by_person":
        mark, step = formats.mark("⏸", "Skipped"), ""
        since = f"by {group.facts.get('by') or 'somebody'}, {_until_told(group)}"
        age = f"{escape(since)}, since {formats.ago(group.oldest, desk.now)}"
    else:
        mark = (
            formats.mark("↻", "Retrying automatically", "heals")
            if group.heals
            else formats.mark("✕", "Needs action", "needs")
        )
        step = html.next_step(group.remedy)
        age = f"the oldest {formats.ago(group.oldest, desk.now)}"
    common = formats.common(group.common)
    told = [mark, formats.count(group.size, "invoice"), escape(formats.monies(group.money)), age, escape(common)]
    html.html(f'<p class="lead">{" · ".join(part for part in told if part)}</p>{step}')


def _until_told(group: WorkGroup) -> str:
    until = group.facts.get("until")
    return f"until {formats.day(until)}" if until else "until somebody takes it back"


# -- its members, with ticks for exceptions -------------------------------------------------------------------------


def _left_out(key: str, members: Sequence[Mapping[str, Any]]) -> set[str]:
    """Those that somebody unticked, as long as they are here; remembered from one part of the list to the next."""
    kept: dict[str, set[str]] = st.session_state.setdefault("left_out", {})
    if len(members) < 2:
        kept.pop(key, None)
    found = kept.setdefault(key, set())
    if found:
        found &= {row["source_id"] for row in members}
    return found


def _members(
    desk: Desk, group: WorkGroup, members: Sequence[Mapping[str, Any]], left_out: set[str], with_ticks: bool
) -> None:
    """The records, each leading to its page; where they have ticks, everything is ticked at first."""
    key, title = group.key, group.sentence
    bar = st.container()
    part = html.page_of(members, PAGE, "part")
    reasons = [formats.capital(formats.because(row)) for row in part]
    same = len(set(reasons)) == 1
    if same and reasons[0] != formats.capital(title):
        html.html(f"<p>{formats.prose(reasons[0])}</p>")
    heads = ["Invoice", "Customer", "Total", "Since", *([] if same else ["Because"])]
    with st.container(gap="xsmall"):
        html.html(html.ruled(heads, f"head {'ticked' if with_ticks else ''}"))
        for row, reason in zip(part, reasons, strict=True):
            _member(desk, key, row, [] if same else [reason], left_out, with_ticks)
    if with_ticks:
        with bar:
            _all_or_none(key, members, left_out)


def _member(
    desk: Desk, key: str, row: Mapping[str, Any], reason: list[str], left_out: set[str], with_ticks: bool
) -> None:
    cells = [
        *html.invoice_row(row, desk.name)[:3],
        formats.age(row["decided_at"], desk.now),
        *map(formats.prose, reason),
    ]
    if not with_ticks:
        html.html(html.ruled(cells))
        return
    turn = st.session_state.get("ticking", 0)
    id_ = row["source_id"]
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=f"row-{id_}"):
        label = f"Include {row['number'] or 'the invoice without a number'}"
        ticked = st.checkbox(
            label,
            value=id_ not in left_out,
            key=f"tick-{key}-{id_}-{turn}",
            label_visibility="collapsed",
            width="content",
        )
        html.html(html.ruled(cells))
    if ticked:
        left_out.discard(id_)
    else:
        left_out.add(id_)


def _all_or_none(key: str, members: Sequence[Mapping[str, Any]], left_out: set[str]) -> None:
    number = len(members) - len(left_out)
    with st.container(horizontal=True, vertical_alignment="center"):
        html.html(f"{number:,} of {len(members):,} ticked", "quiet", width="content")
        if left_out and st.button("Tick all", key="all", type="tertiary"):
            _tick(key, set())
        if number and st.button("Untick all", key="none", type="tertiary"):
            _tick(key, {row["source_id"] for row in members})


def _tick(key: str, left_out: set[str]) -> None:
    st.session_state["left_out"][key] = left_out
    st.session_state["ticking"] = st.session_state.get("ticking", 0) + 1
    st.rerun()


# -- what was settled ---------------------------------------------------------------------------------------------


def _show_settled(desk: Desk, key: str) -> None:
    one = next((one for one in desk.settled() if one.key == key), None)
    if one is None:
        st.title("This was settled longer ago", anchor=False)
        html.html("<p>The list goes back 30 days. The search finds every invoice with all that happened to it.</p>")
        return
    st.title(formats.plain(one.sentence), anchor=False)
    size, money = formats.count(len(one.rows), "invoice"), escape(formats.monies(one.money))
    html.html(
        f'<p class="lead">{formats.mark("✓", "Settled", "good")} {size} · {money} · {formats.ago(one.at, desk.now)}</p>'
        f"<p>{formats.prose(formats.capital(formats.settled(one)))}</p>"
    )
    part = html.page_of(one.rows, PAGE, "part")
    columns = html.invoice_columns("Settled")
    rows = [html.invoice_row(row, desk.name, formats.ago(row["settled_at"], desk.now)) for row in part]
    html.html(html.table(columns, rows))
