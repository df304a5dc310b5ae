"""Invoice: where it is and why, both documents side by side, its story, and everything that was sent."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import streamlit as st

from console.components import connection_list, formats, html, order_forms
from console.components.html import Column
from console.components.order_forms import For
from console.desk.desk import AttemptDetail, Desk
from syncer.domain.planning.compare import DATES, MONEY, Compared
from syncer.support.console_search import Found
from syncer.support.explain import Story


def show(desk: Desk) -> None:
    """The invoice in the address, those that a search means, or the newest."""
    asked = st.query_params.get("invoice") or st.query_params.get("find") or ""
    if not asked:
        _list("Invoices", "The newest first; the box above finds any.", desk.latest(), desk)
        return
    found = desk.search(asked)
    elsewhere = desk.find_elsewhere(asked) if "find" in st.query_params else {}
    if found.is_empty:
        _nothing(asked, found, desk, bool(elsewhere))
    elif len(found.invoices) == 1 and not elsewhere and not found.contacts:
        _tell(desk, desk.explain(found.invoices[0]))
    else:
        title = f"{_several(len(found.invoices))} {'fits' if len(found.invoices) == 1 else 'fit'} “{asked}”"
        if found.invoices:
            _list(title, "The likeliest first.", found.invoices, desk)
        else:
            st.title(formats.plain(f"No invoice fits “{asked}”, but this does"), anchor=False)
        _others(desk, found)
    connection_list.found(desk, elsewhere)


def _several(number: int) -> str:
    return "The first 50 invoices that" if number >= 50 else formats.count(number, "invoice")


def _nothing(asked: str, found: Found, desk: Desk, is_elsewhere: bool) -> None:
    """What was searched and when it was read, and the invoices that are nearest to what was typed."""
    where = desk.label(desk.name) if is_elsewhere else ""
    st.title(formats.plain(f"No invoice {f'of {where} ' if where else ''}fits “{asked}”"), anchor=False)
    if where:
        return
    read = desk.read_at()
    when = f"CrocoClick was read {formats.ago(read, desk.now)}: what is newer" if read else "What is new in CrocoClick"
    html.html(
        "<p>Searched: numbers, ids, customers and companies of both sides, emails, amounts, contacts and runs. "
        f"{when} is known after the next run.</p>"
    )
    if found.nearest:
        rows = [html.invoice_row(row, desk.name) for row in found.nearest]
        html.section("Nearest", html.table(html.invoice_columns(), rows))


def _others(desk: Desk, found: Found) -> None:
    """Contacts that no invoice is for, and the run of this name."""
    if found.contacts:
        sides = {"xero": "Xero", "crococlick": "CrocoClick"}
        rows = [
            [escape(one["name"] or "no name"), escape(one["email"]), escape(one["company"]), sides[one["side"]]]
            for one in found.contacts
        ]
        heads = [Column("Contact"), Column("Email"), Column("Company"), Column("In")]
        address = html.anchor(html.link("contacts", desk.name), "Contacts")
        html.section("Contacts without an invoice", f"{html.table(heads, rows)}<p>All are under {address}.</p>")
    if found.run:
        address = html.link("runs", desk.name, run=found.run["run_id"])
        html.section("Run", f"<p>{html.anchor(address, found.run['run_id'])}</p>")


def _list(title: str, under: str, rows: Sequence[Mapping[str, Any]], desk: Desk) -> None:
    st.title(formats.plain(title), anchor=False)
    if not rows:
        html.quiet("No invoice was read yet: the first run reads them.", "")
        return
    html.quiet(escape(under))
    html.html(html.table(html.invoice_columns(), [html.invoice_row(row, desk.name) for row in rows]))


def _tell(desk: Desk, story: Story) -> None:
    row = story.row
    total = formats.money(row["total"], row["currency"])
    name = " · ".join(
        part
        for part in (row["number"] or "no number", row["contact_name"], total, formats.status(row["status"]))
        if part
    )
    st.title(formats.plain(name), anchor=False)
    st.set_page_config(page_title=f"{row['number'] or row['source_id']} · {html.NAME}")
    _verdict(desk, story)
    _orders(desk, story)
    html.html(f'<div class="sides">{_crococlick_side(story)}{_xero_side(story)}</div>')
    _compared(desk, story)
    _payments(desk, story)
    html.section("What happened", html.timeline(_events(desk, story)))
    _requests(desk, story)
    _ways_out(desk, story)


def _verdict(desk: Desk, story: Story) -> None:
    also = "".join(f"<p>Also: {formats.prose(formats.capital(why))}</p>" for why in formats.also(story.others))
    html.html(
        f'<p class="lead">{formats.state_and(story.state, formats.verdict(story))}</p>'
        f"{html.next_step(story.remedy)}{also}"
    )


def _orders(desk: Desk, story: Story) -> None:
    """What a person can do about it, right here."""
    if said := desk.refusal():
        st.warning(formats.plain(said))
    where, row = story.row["source_id"], story.row
    last = desk.last_order(story)
    undo = f"{formats.happened(last)}, by {last['by_whom']}." if last else ""
    if story.state == "skipped":
        order_forms.take_back(desk, For(where, [row], single=True))
    elif story.state in ("held", "retrying"):
        others = [one for one in desk.alike(story) if one["source_id"] != where]
        order_forms.offer(desk, story.remedy, For(where, [row], others, single=True), undo)
    else:
        order_forms.notice(where)
        _sync(desk, story, undo)


def _sync(desk: Desk, story: Story, undo: str) -> None:
    """Nothing is to be answered; what waits can be carried out now."""
    waits = story.state in ("waiting", "in_doubt") and desk.state() == "connected"
    with st.container(horizontal=True):
        if waits and st.button(
            "Sync this invoice now", disabled=not desk.can_sync(), help=desk.why_not("sync") or None
        ):
            desk.start_sync(story.row["source_id"])
            with st.spinner("Syncing this invoice"):
                desk.wait_until_carried_out(60)
            st.rerun()
        if undo:
            order_forms.undo(desk, For(story.row["source_id"], [story.row], single=True), undo)


# -- both documents -----------------------------------------------------------------------------------------------


def _crococlick_side(story: Story) -> str:
    invoice = story.known.invoice
    columns = [Column("Line"), Column("Qty × price", True), Column("Tax"), Column("Amount", True)]
    rows = [
        [
            escape(line.name) + html.under(line.description),
            f"{formats.quantity(line.quantity)} × {escape(formats.money(line.unit_price, invoice.currency))}",
            escape(", ".join(tax.name for tax in line.taxes) or "none")
            + html.under("included" if line.taxes and line.tax_inclusive else ""),
            escape(formats.money(line.amount, invoice.currency)),
        ]
        for line in invoice.lines
    ]
    foot = []
    if invoice.discount:
        of = f" {formats.quantity(invoice.discount.value)} %" if invoice.discount.percentage else ""
        foot.append([f"Discount{of}", "", "", escape(formats.money(-story.discount, invoice.currency))])
    if invoice.tax is not None:
        foot.append(["Tax", "", "", escape(formats.money(invoice.tax, invoice.currency))])
    foot.append(["Total", "", "", escape(formats.money(invoice.total, invoice.currency))])
    return _side("In CrocoClick", _dates(invoice.issue_date, invoice.due_date), html.table(columns, rows, foot, False))


def _dates(issued: Any, due: Any) -> str:
    return (
        f"Issued {formats.day(issued)}, due {formats.day(due)}" if due else f"Issued {formats.day(issued)}, no due date"
    )


def _side(title: str, under: str, content: str) -> str:
    return f'<div class="side"><h2>{escape(title)}</h2><p class="quiet">{under}</p>{content}</div>'


def _xero_side(story: Story) -> str:
    title = "In Xero" if story.row["xero_id"] else "In Xero, what it would become"
    if story.document:
        return _side(title, _xero_head(story), _document(story) + _corrections(story.document.corrections))
    if story.row["xero_id"]:
        return _side(title, _xero_head(story), _heads(story))
    if not story.books:
        return _side(title, "Not known before the organisation was read: the first run does.", "")
    return _side(title, "It cannot go as it is.", _blocked(story))


def _xero_head(story: Story) -> str:
    row = story.row
    if row["xero_id"]:
        number = row["xero_number"] or row["number"]
        return f"{escape(number)}, {escape(formats.xero_status(row['xero_status']))}"
    document = story.document
    return _dates(document.issue_date, document.due_date) if document else ""


def _document(story: Story) -> str:
    document, currency = story.document, story.row["currency"]
    assert document is not None  # noqa: S101 — asked for only where there is one
    columns = [Column("Line"), Column("Qty × price", True), Column("Tax"), Column("Amount", True)]
    rows = [
        [
            escape(line.description) + html.under(_account(story, line.account)),
            f"{formats.quantity(line.quantity)} × {escape(formats.money(line.unit_amount, currency))}"
            + html.under(f"less {formats.money(line.discount, currency)}" if line.discount else ""),
            escape(_tax_name(story, line.tax_type))
            + html.under("" if line.tax_amount is None else f"set to {formats.money(line.tax_amount, currency)}"),
            escape(formats.money(line.quantity * line.unit_amount - line.discount, currency)),
        ]
        for line in document.lines
    ]
    in_xero = bool(story.row["xero_id"])
    tax = story.row["xero_tax"] if in_xero else document.total_tax
    total = story.row["xero_total"] if in_xero else document.total
    foot = [
        [
            "Tax" + (", included in the amounts" if document.inclusive else ""),
            "",
            "",
            escape(formats.money(tax, currency)),
        ],
        ["Total", "", "", escape(formats.money(total, currency))],
    ]
    return html.table(columns, rows, foot, False)


def _corrections(corrections: Sequence[str]) -> str:
    told = "".join(f"<li>{escape(one)}</li>" for one in corrections)
    return f'<p class="quiet" style="margin-top:.6rem">Corrections for rounding:</p><ul>{told}</ul>' if told else ""


def _account(story: Story, code: str) -> str:
    account = story.books.account_by_code.get(code) if story.books else None
    return f"{code} {account.name}" if account else code


def _tax_name(story: Story, tax_type: str) -> str:
    rate = story.books.tax_rate_by_type.get(tax_type) if story.books else None
    return rate.name if rate else tax_type


def _heads(story: Story) -> str:
    row = story.row
    rows = [("Total", row["xero_total"]), ("Tax", row["xero_tax"]), ("Still due", row["xero_amount_due"])]
    told = [(name, escape(formats.money(amount, row["currency"]))) for name, amount in rows if amount is not None]
    return html.facts(told) + '<p class="quiet">Its lines are in Xero; they differ from what CrocoClick has now.</p>'


def _blocked(story: Story) -> str:
    invoice = story.known.invoice
    columns = [Column("Line"), Column("Qty × price", True), Column("Tax"), Column("", True)]
    rates = list(story.rates) or [None] * len(invoice.lines)
    rows = [
        [
            escape(line.name),
            f"{formats.quantity(line.quantity)} × {escape(formats.money(line.unit_price, invoice.currency))}",
            escape(rate.name) if rate else formats.mark("✕", "no rate", "needs"),
            "",
        ]
        for line, rate in zip(invoice.lines, rates, strict=True)
    ]
    return html.table(columns, rows, [["Total", "", "", "?"]], False)


# -- both books ---------------------------------------------------------------------------------------------------

FIELDS = {
    "number": "Number", "contact": "Customer", "issue_date": "Issued", "due_date": "Due", "currency": "Currency",
    "total": "Total", "tax": "Tax", "paid": "Paid", "due": "Still due", "status": "Status",
}  # fmt: skip
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _compared(desk: Desk, story: Story) -> None:
    """Field by field, what both books say; one sentence where they say the same."""
    found = desk.compared(story)
    if not found:
        return
    differ = [one for one in found if not one.same]
    if not differ:
        named = ", ".join(FIELDS[one.field].lower() for one in found)
        sentence = formats.mark("✓", f"Both books agree in all {NUMBERS[len(found)]} fields", "good")
        html.section("Both books compared", f'<p>{sentence}<br><span class="quiet">{escape(named)}</span></p>')
        return
    columns = [Column("Field"), Column("CrocoClick"), Column("Xero"), Column("Equal")]
    html.section("Both books compared", html.table(columns, [_field(one, story) for one in found], cards=False))


def _field(one: Compared, story: Story) -> list[str]:
    before = f"was {_value(one.field, one.before, story, 'xero')} before" if one.before else ""
    return [
        f'<span class="keep">{FIELDS[one.field]}</span>',
        escape(_value(one.field, one.crococlick, story, "crococlick")),
        escape(_value(one.field, one.xero, story, "xero")) + html.under(before),
        formats.mark("✓", "equal", "good") if one.same else formats.mark("✕", "differs", "needs"),
    ]


def _value(field: str, value: Any, story: Story, book: str) -> str:
    if field in MONEY:
        return formats.money(value, story.row["currency"])
    if field in DATES:
        return formats.day(value) if value else "none"
    if field == "status":
        return formats.status(value) if book == "crococlick" else formats.xero_status(value)
    return str(value)


def _payments(desk: Desk, story: Story) -> None:
    rows = desk.payments(story)
    if not rows:
        return
    columns = [Column("Paid on"), Column("Amount", True), Column("By"), Column("In Xero")]
    html.section("Payments", html.table(columns, [_payment(row, desk) for row in rows]))


def _payment(row: Mapping[str, Any], desk: Desk) -> list[str]:
    back = f"{formats.money(row['refunded'], row['currency'])} refunded" if row["refunded"] else ""
    there = formats.mark("✓", "In Xero", "good") if row["xero_id"] else formats.mark("…", "Not there yet")
    return [
        formats.day(row["paid_on"]),
        escape(formats.money(row["amount"], row["currency"])) + html.under(back),
        escape(str(row["method"]).replace("_", " ")),
        f"{there} {formats.ago(row['carried_at'], desk.now) if row['carried_at'] else ''}",
    ]


# -- what happened ------------------------------------------------------------------------------------------------


def _events(desk: Desk, story: Story) -> list[tuple[str, str, str, str]]:
    return [_event(row, desk) for row in desk.history(story)]


def _event(row: Mapping[str, Any], desk: Desk) -> tuple[str, str, str, str]:
    sentence = formats.happened(row)
    if row["kind"] == "contact":
        sentence = f"Customer: {sentence[:1].lower()}{sentence[1:]}"
    elif row["by_whom"] not in ("", "sync"):
        sentence = f"{sentence}, by {row['by_whom']}"
    run = html.anchor(html.link("runs", desk.name, run=row["run_id"]), "run") if row["run_id"] else ""
    return formats.exact(row["happened_at"]), sentence, formats.TONES.get(row["what"], ""), run


def _requests(desk: Desk, story: Story) -> None:
    box = st.expander("Requests and answers", key="requests", on_change="rerun")
    if not box.open:
        return
    with box:
        requests = desk.requests(story)
        if not requests:
            html.quiet("Nothing was sent to Xero for this invoice.", "")
        for place, request in enumerate(requests):
            _request(request, place)


def _request(request: AttemptDetail, place: int) -> None:
    call = request.call
    status = str(call["status"]) if call["status"] else "no answer"
    facts = [
        ("When", formats.exact(call["made_at"] or request.begun_at)),
        ("Call", html.code(f"{call['method']} {call['path']}") if call["method"] else "not made yet"),
        ("Answer", f"{status}, {formats.lasted(call['ms'] / 1000)}" if call["method"] else ""),
        ("Correlation id", html.code(call["correlation_id"]) if call["correlation_id"] else ""),
    ]
    whose = {"contact": "Customer", "payment": "Payment"}.get(request.kind, "Invoice")
    html.html(f"<h2>{whose}: {escape(formats.tried(request.action, request.outcome))}</h2>{html.facts(facts)}")
    sent, answered = st.columns(2)
    for column, title, body in ((sent, "Sent", request.sent), (answered, "Answered", request.answered)):
        with column:
            html.quiet(title)
            _body(body, f"{title}-{place}")


def _body(body: Any, key: str) -> None:
    if body is None:
        html.quiet("Not kept any more.")
    else:
        st.code(pretty(body), language="json", wrap_lines=True, height=320)


def pretty(body: Any) -> str:
    """JSON as a person reads it, amounts as they were written."""
    if isinstance(body, str):
        return body
    told = json.dumps(body, indent=2, ensure_ascii=False, default=_exact)
    return re.sub(r'"#decimal:([^"]*)"', r"\1", told)


def _exact(value: Any) -> str:
    return f"#decimal:{value}" if isinstance(value, Decimal) else str(value)


def _ways_out(desk: Desk, story: Story) -> None:
    crococlick, in_xero = desk.links(story)
    number = re.sub(r"[^\w.-]", "-", story.row["number"] or story.row["source_id"])
    with st.container(horizontal=True):
        st.download_button(
            "Case file", lambda: case_page(desk.case(story)), f"{number}.html", "text/html", on_click="ignore",
            help="Everything about this invoice in one page, for support or the accountant.",
        )  # fmt: skip
        st.download_button(
            "Case file as JSON", lambda: pretty(desk.case(story)), f"{number}.json", "application/json",
            on_click="ignore",
        )  # fmt: skip
        st.link_button("Open in CrocoClick", crococlick)
        if in_xero:
            st.link_button("Open in Xero", in_xero)


def case_page(case: Mapping[str, Any]) -> str:
    """One invoice as a page of its own, that opens anywhere."""
    invoice, remedy = case["invoice"], case["remedy"]
    told = "".join(f"<li>{escape(one['at'] or '')} — {escape(one['what'])}</li>" for one in case["history"])
    step = f"<p>Next ({escape(remedy['who'])}): {escape(remedy['sentence'])}</p>" if remedy else ""
    title = escape(f"{invoice['number']} · {invoice['customer']['name']} · {invoice['total']} {invoice['currency']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="color-scheme" content="light dark"><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;'
        "margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style>"
        f"<h1>{title}</h1><p>{escape(case['verdict'])}</p>{step}<h2>What happened</h2><ul>{told}</ul>"
        f"<h2>Everything</h2><pre>{escape(pretty(case))}</pre></html>"
    )
