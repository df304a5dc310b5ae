"""Closing: whether both books say the same of a period, what differs, and the proof."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

import streamlit as st

from console.components import formats, html
from console.components.html import Column
from console.desk.closings import Closing
from console.desk.desk import Desk, failure_sentence
from syncer.domain.errors import SyncerError

REDRAW_S = 1.0
SHOWN = 100  # documents whose differences are listed


def show(desk: Desk) -> None:
    """The comparison in the address, else the newest."""
    kept = desk.closings.kept()
    asked = st.query_params.get("proof", "")
    name = asked if asked in kept else next(iter(kept), "")
    found = desk.closings.closing(name) if name else None
    st.title(_title(found), anchor=False)
    _compare(desk)
    if found is None:
        html.html(
            '<p class="lead">Compares every invoice, payment and credit note of a period in CrocoClick and in Xero, '
            "to the cent. It changes nothing on either side, and keeps a proof that anybody can check.</p>"
        )
        return
    if found.altered:
        st.error(formats.plain(f"{found.path.name} is not as it was written. {found.altered}"))
    else:
        _report(desk, found)
    _others(desk, kept, name)


def _title(found: Closing | None) -> str:
    if found is None or found.altered:
        return "Do both books agree?"
    period = _period(found.head["from"], found.head["to"])
    if found.agrees:
        return formats.plain(f"Both books agree, {period}")
    number = len(_documents(found.differences))
    return formats.plain(f"{formats.count(number, 'document')} {'differs' if number == 1 else 'differ'}, {period}")


def _period(first: str | None, last: str | None) -> str:
    days = [formats.day(date.fromisoformat(one)) for one in (first, last) if one]
    return " to ".join(days) if days else "no document"


# -- comparing ------------------------------------------------------------------------------------------------------


def _compare(desk: Desk) -> None:
    if said := desk.refusal():
        st.warning(formats.plain(said))
    if desk.starting():
        st.fragment(_wait, run_every=REDRAW_S)(desk)
        return
    first, last = desk.closings.last_month()
    why = desk.why_not("reconcile")
    off = bool(why) or desk.state() != "connected"
    with st.form("compare", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        begin = st.date_input("From", value=first, format="DD/MM/YYYY", width=160)
        end = st.date_input("To", value=last, format="DD/MM/YYYY", width=160)
        if not st.form_submit_button("Compare", type="primary", disabled=off, help=why or None):
            return
    if not isinstance(begin, date) or not isinstance(end, date) or begin > end:
        st.error("The first day is after the last. Choose another period.")
        return
    try:
        desk.closings.compare(begin, end)
    except SyncerError as failure:
        st.error(formats.plain(failure_sentence(failure)))
        return
    st.query_params.pop("proof", None)
    st.rerun()


def _wait(desk: Desk) -> None:
    if not desk.starting():
        st.rerun()
    st.progress(0.0, text="Reading both books: invoices, payments, credit notes")


# -- the report -----------------------------------------------------------------------------------------------------


def _report(desk: Desk, found: Closing) -> None:
    told = found.totals
    html.quiet(
        f"{told['compared']:,} documents compared, {told['equal']:,} equal. "
        f"Read {formats.ago(found.written_at, desk.now)}."
    )
    _totals(told)
    for sentence in told["unexplained"]:
        st.error(formats.plain(sentence))
    documents = _documents(found.differences)
    if documents:
        rows = [_row(those, desk) for those in documents[:SHOWN]]
        columns = [Column("Document"), Column("What differs"), Column("Next step")]
        more = len(documents) - SHOWN
        under = f'<p class="quiet">and {more:,} more; the proof has all.</p>' if more > 0 else ""
        html.section("Differences", html.table(columns, rows) + under)
    _proof(desk, found)


def _totals(told: Mapping[str, Any]) -> None:
    names = ("CrocoClick", "Xero", "Difference", "Unexplained")
    heads = [Column("Total"), *(Column(name, True) for name in names)]
    rows = []
    for currency, sums in told["totals"].items():
        unexplained = escape(formats.money(sums["residual"], currency))
        rows.append([escape(currency), *_both(sums, currency), unexplained])
        for rate, by_rate in told["by_tax"].get(currency, {}).items():
            named = f"tax {escape(rate)}{' %' if rate[:1].isdigit() else ''}"
            rows.append([f'<span class="quiet">{named}</span>', *_both(by_rate, currency), ""])
    if rows:
        html.section("Totals", html.table(heads, rows))


def _both(sums: Mapping[str, str], currency: str) -> list[str]:
    """An amount in both books, and by how much Xero has more."""
    ours, theirs = Decimal(sums["crococlick"]), Decimal(sums["xero"])
    apart = theirs - ours
    more = f'<span class="needs">{escape(formats.money(apart, currency))}</span>' if apart else "–"
    return [escape(formats.money(ours, currency)), escape(formats.money(theirs, currency)), more]


def _documents(differences: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The differences of each document together."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in differences:
        found.setdefault((one["number"], one["invoice_id"], one["xero_id"]), []).append(one)
    return list(found.values())


def _row(those: Sequence[Mapping[str, Any]], desk: Desk) -> list[str]:
    first = those[0]
    named = first["number"] or "without a number"
    address = html.link("invoice", desk.name, invoice=first["invoice_id"]) if first["invoice_id"] else ""
    sentences = "<br>".join(formats.prose(one["sentence"]) for one in those)
    steps = {(one["who"], one["next"]): None for one in those}
    told = "<br>".join(formats.prose(f"{formats.capital(who)}: {step}") for who, step in steps)
    number = html.anchor(address, named) if address else escape(named)
    return [f'<span class="keep">{number}</span>', sentences, told]


def _proof(desk: Desk, found: Closing) -> None:
    note = "Anybody can check the file against this seal without this program; docs/proof.md says how."
    html.section("Proof", f"<p>Seal {html.code(found.seal)}</p><p class='quiet'>{note}</p>")
    why = desk.why_not("export")
    st.download_button(
        "Download the proof", found.path.read_bytes, file_name=found.path.name, mime="application/jsonl",
        disabled=bool(why), help=why or None, on_click="ignore",
    )  # fmt: skip


def _others(desk: Desk, kept: Sequence[str], shown: str) -> None:
    """The other comparisons that were kept."""
    rows = []
    for name in kept:
        first, last, at = name.removesuffix(".jsonl").split("_")
        made = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[9:11]}:{at[11:13]} UTC"
        label = escape(_period(first, last))
        link = label if name == shown else html.anchor(html.link("closing", desk.name, proof=name), label)
        rows.append([link, escape(made)])
    if len(rows) > 1:
        html.section("Kept", html.table([Column("Period"), Column("Compared")], rows))
