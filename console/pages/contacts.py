"""Contacts: what the last import came to, which contacts may be the same, and which are linked."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from console.components import formats, html, run_progress, setup_steps
from console.components.html import Column
from console.desk.contacts import LastImport
from console.desk.desk import Desk
from syncer.domain.errors import WrongUsage
from syncer.messages import contacts
from syncer.support.contacts import GroupTold, ImportRow, Person

GROUPS, LOOKS, LINKS = 10, 15, 50
TABS = {
    "look": "Needs a look",
    "duplicates": "Duplicates",
    "likely": "Likely the same",
    "links": "All contacts",
    "answered": "Answered",
}
SIDES = {"xero": "Xero", "crococlick": "CrocoClick"}
# The bar over the page: each part with its tone.
BAR = (
    ("created", "good"),
    ("linked", "good"),
    ("updated", "good"),
    ("unchanged", "good"),
    ("conflict", "needs"),
    ("left_out", "soft"),
)


def show(desk: Desk) -> None:
    """The last import at a glance, over one of the tabs."""
    counts, last = desk.contacts.counts(), desk.contacts.last_import()
    st.title(_verdict(counts, last), anchor=False)
    setup_steps.path(desk, "contacts")
    run_progress.watch(desk, "import-contacts")
    if last:
        _bar(desk, counts)
        _news(desk)
    tab = st.query_params.get("tab", "")
    tab = tab if tab in TABS else "look" if counts.get("conflict") else "duplicates"
    groups = desk.contacts.groups()
    _tabs(desk, tab, counts, groups)
    _notice()
    if tab == "look":
        _looks(desk)
    elif tab == "links":
        _links(desk)
    elif tab == "answered":
        _groups(desk, desk.contacts.groups(answered=True), answered=True)
    else:
        _groups(desk, [group for group in groups if group.likely == (tab == "likely")])


def _verdict(counts: Mapping[str, int], last: LastImport | None) -> str:
    if last is None:
        return "Contacts have not been imported yet"
    linked = sum(number for outcome, number in counts.items() if outcome not in ("conflict", "left_out"))
    looks = counts.get("conflict", 0)
    told = f"{formats.count(linked, 'contact')} of Xero {'is' if linked == 1 else 'are'} linked"
    return f"{told}, {looks:,} to review" if looks else f"{told}, none to review"


def _bar(desk: Desk, counts: Mapping[str, int]) -> None:
    """The last import as one bar, each part leading to its contacts."""
    whole = sum(counts.values()) or 1
    shown = [(name, tone, contacts.counted(name, counts[name])) for name, tone in BAR if counts.get(name)]
    drawn = "".join(
        f'<i class="{tone}" style="flex-grow:{counts[name]}" title="{label}"></i>' for name, tone, label in shown
    )
    told = " · ".join(
        html.anchor(html.link("contacts", desk.name, tab="links", outcome=name), label) for name, _, label in shown
    )
    label = escape(f"{whole:,} Xero contacts in all")
    html.html(f'<div class="share" role="img" aria-label="{label}">{drawn}</div><p>{told}</p>')


def _news(desk: Desk) -> None:
    """What moved in Xero, noticed before an invoice trips over it."""
    rows = desk.contacts.news()
    if not rows:
        return
    with st.expander(f"Noticed in Xero in the last 30 days: {formats.count(len(rows), 'change')}"):
        lines = [
            (formats.ago(row["happened_at"], desk.now), f"{row['name']}: {formats.happened(row)}", "", "")
            for row in rows
        ]
        html.html(html.timeline(lines))


def _tabs(desk: Desk, current: str, counts: Mapping[str, int], groups: Sequence[GroupTold]) -> None:
    sizes = {
        "look": counts.get("conflict", 0),
        "duplicates": sum(1 for group in groups if not group.likely),
        "likely": sum(1 for group in groups if group.likely),
    }
    shown = [
        (name, f"{sizes[key]:,}" if sizes.get(key) else "", html.link("contacts", desk.name, tab=key), key == current)
        for key, name in TABS.items()
    ]
    html.html(html.tabs(shown))


def _some(desk: Desk, outcome: str, what: str, size: int) -> tuple[Sequence[ImportRow], int]:
    """The rows of the page that the address names, of the first where there are not so many; and how many in all."""
    asked = st.query_params.get("part", "1")
    page = int(asked) if asked.isdecimal() and int(asked) else 1
    rows, total = desk.contacts.rows(outcome, what, size, (page - 1) * size)
    if not rows and page > 1:
        return desk.contacts.rows(outcome, what, size, 0)
    return rows, total


# -- what needs a look ------------------------------------------------------------------------------------------------


def _looks(desk: Desk) -> None:
    """Xero contacts that were not imported because somebody has to say who they are."""
    rows, total = _some(desk, "conflict", "", LOOKS)
    if not rows:
        html.html('<p class="lead">No contact to review.</p>')
        return
    for row in rows:
        _look(desk, row)
    if total > LOOKS:
        st.pagination(-(-total // LOOKS), key="part", bind="query-params")


def _look(desk: Desk, row: ImportRow) -> None:
    with st.container(border=True, key=f"look-{row.xero_id}"):
        email = f' <span class="quiet">{escape(row.email)}</span>' if row.email else ""
        html.html(
            f"<p><b>{escape(row.name)}</b>{email}</p><p>{formats.prose(formats.capital(row.sentence))}</p>"
            f'<p class="quiet">{formats.prose(row.step)}</p>'
        )
        if row.reason in ("several_in_xero", "several_in_crococlick"):
            where = html.link("contacts", desk.name, tab="duplicates", email=row.email.strip().casefold())
            html.html(html.anchor(where, "See them side by side"))
            return
        if not desk.may("link_contact"):
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if row.reason not in ("refused", "linked_elsewhere"):
                for source_id, name in row.others[:3]:
                    if st.button(f"The same: link to {name}", key=f"link-{row.xero_id}-{source_id}"):
                        _give(desk, "link_contact", source_id, {"contact": row.xero_id})
                if st.button("Another: keep apart", key=f"apart-{row.xero_id}"):
                    _give(desk, "keep_apart", row.xero_id, {})
            _ignore(desk, row.xero_id)


def _ignore(desk: Desk, what: str) -> None:
    with st.popover("Leave alone…"), st.form(f"ignore-{what}", border=False):
        because = st.text_input("Why", key=f"because-{what}", placeholder="Nothing to do with customers")
        if st.form_submit_button("Leave alone", type="primary"):
            _give(desk, "ignore", what, {"because": because})


def _give(desk: Desk, name: str, what: str, said: Mapping[str, str]) -> None:
    try:
        st.session_state["contact_notice"] = ("good", desk.contacts.give(name, what, said))
    except WrongUsage as wrong:
        st.session_state["contact_notice"] = ("wrong", wrong.sentence)
    st.rerun()


def _notice() -> None:
    if found := st.session_state.pop("contact_notice", None):
        kind, sentence = found
        (st.success if kind == "good" else st.warning)(formats.plain(sentence))


# -- groups of contacts that may be the same ---------------------------------------------------------------------------


def _groups(desk: Desk, groups: Sequence[GroupTold], answered: bool = False) -> None:
    if wanted := st.query_params.get("email", ""):
        groups = [group for group in groups if group.email == wanted] or groups
    if not groups:
        nothing = "Nobody has answered for any yet." if answered else "No two contacts share an email."
        html.html(f'<p class="lead">{nothing}</p>')
        return
    bar = st.container()
    part = html.page_of(groups, GROUPS, "part")
    for group in part:
        _group(desk, group, answered)
    if len(groups) > len(part):
        with bar:
            html.quiet(f"{len(groups):,} in all, those with the most money on them first.")


def _group(desk: Desk, group: GroupTold, answered: bool) -> None:
    with st.container(border=True, key=f"group-{group.email}"):
        hangs = contacts.hangs(group.open_invoices, group.money)
        shared = " Several people may read this mailbox." if group.shared and not group.likely else ""
        html.html(
            f"<p><b>{formats.prose(group.sentence)}</b></p>"
            f'<p class="quiet">{formats.prose(hangs)}{shared}</p>{_members(desk, group)}'
        )
        if answered:
            _answered(desk, group)
        elif desk.may("link_contact"):
            _answer(desk, group)
        else:
            html.quiet(f"Answering: {desk.why_not('link_contact').lower()}")


def _members(desk: Desk, group: GroupTold) -> str:
    columns = [
        Column("Contact"), Column("Email as typed"), Column("Company", named=True), Column("Phone", named=True),
        Column("Invoices", True), Column("Last", named=True), Column("Open", True),
    ]  # fmt: skip
    return html.table(columns, [_member(desk, group, one) for one in group.people])


def _member(desk: Desk, group: GroupTold, one: Person) -> list[str]:
    linked = f"linked to {one.linked_to}" if one.linked_to else ""
    stays = "proposed to stay" if group.proposal and group.proposal.xero_id == one.id else ""
    under = " · ".join(told for told in (SIDES[one.side], linked, stays) if told)
    return [
        f"{escape(one.name or 'no name')}{html.under(under)}",
        escape(one.email),
        escape(one.company),
        f'<span class="keep">{escape(one.phone)}</span>' if one.phone else "",
        f"{one.invoices:,}" if one.invoices else "",
        formats.day(one.last_invoice) if one.last_invoice else "",
        html.stacked(one.money),
    ]


def _answer(desk: Desk, group: GroupTold) -> None:
    theirs = group.on("xero")
    if group.proposed:
        html.quiet(formats.prose(f"{group.proposed}. {contacts.MERGE_IN_XERO}"))
    elif len(theirs) < 2:
        html.quiet(formats.prose(contacts.MERGE_IN_CROCOCLICK))
    above = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if theirs:
            with above:
                chosen = _which(group, theirs)
                html.quiet(formats.prose(group.effect(chosen)), "")
            label = "Link" if group.on("crococlick") else "This one is imported"
            if st.button(label, key=f"link-{group.email}", type="primary"):
                _give(desk, "link_contact", group.email, {"contact": chosen})
        if len(group.on("crococlick")) and theirs and st.button("Keep apart", key=f"apart-{group.email}"):
            _give(desk, "keep_apart", group.email, {})
        _ignore(desk, group.email)


def _which(group: GroupTold, theirs: Sequence[Person]) -> str:
    """The Xero contact that a person chooses, at first the one that is proposed."""
    names = {one.id: f"{one.name} ({one.email or 'no email'})" for one in theirs}
    first = group.proposal.xero_id if group.proposal else theirs[0].id
    if len(names) == 1:
        return first
    return st.selectbox(
        "Which Xero contact is it?", list(names), index=list(names).index(first), key=f"which-{group.email}",
        format_func=lambda key: names[key],
    )  # fmt: skip


def _answered(desk: Desk, group: GroupTold) -> None:
    told = group.answer
    said = (
        f"Left alone: {told.because or 'no reason given'}." if told and told.kind == "ignore"
        else "Kept apart." if told else "Linked by a person."
    )  # fmt: skip
    html.quiet(escape(said), "")
    if st.button("Undo", key=f"undo-{group.email}", disabled=not desk.may("undo")):
        _give(desk, "undo", group.email, {})


# -- every contact -----------------------------------------------------------------------------------------------------


def _links(desk: Desk) -> None:
    """Every Xero contact with what became of it: filtered, searched, exported."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        what = st.text_input("Search", key="what", bind="query-params", placeholder="A name, an email or an id")
        st.download_button(
            "Export", desk.contacts.csv, "contacts.csv", "text/csv", on_click="ignore",
            help="All of them, as a table for a spreadsheet",
        )  # fmt: skip
    outcome = st.query_params.get("outcome", "")
    outcome = outcome if outcome in contacts.OUTCOMES else ""
    if outcome:
        everything = html.anchor(html.link("contacts", desk.name, tab="links"), "Show all")
        word = escape(formats.opening(contacts.OUTCOMES[outcome][1]))
        html.html(f'<p class="quiet">Only: {word} · {everything}</p>')
    rows, total = _some(desk, outcome, what or "", LINKS)
    if not rows:
        html.html('<p class="lead">No contact fits.</p>')
        return
    columns = [Column("In Xero"), Column("What became of it"), Column("In CrocoClick"), Column("Since", True)]
    html.html(html.table(columns, [_link_row(row, desk) for row in rows]))
    html.quiet(f"{formats.count(total, 'contact')} in all.")
    if total > LINKS:
        st.pagination(-(-total // LINKS), key="part", bind="query-params")


def _link_row(row: ImportRow, desk: Desk) -> list[str]:
    mark, word = contacts.OUTCOMES[row.outcome]
    tone = "needs" if row.outcome == "conflict" else "good" if row.outcome != "left_out" else "quiet"
    return [
        f"{escape(row.name)}{html.under(row.email)}",
        f"{formats.mark(mark, formats.opening(word), tone)}{html.under(formats.opening(row.sentence))}",
        escape(row.source_name),
        formats.ago(row.decided_at, desk.now),
    ]
