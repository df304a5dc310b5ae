"""Readiness: will it work, what stops how much, what would be done, and the paper that says so."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from console.components import formats, html, run_progress, setup_steps
from console.components.html import Column
from console.desk.desk import Desk
from syncer.domain.errors import WrongUsage
from syncer.domain.readiness.checks import Check
from syncer.messages import status
from syncer.messages.problems import lines_meant
from syncer.messages.readiness import GROUPS, MARKS
from syncer.onboarding.readiness import ReadinessReport

TONES = {"pass": "good", "warn": "heals", "fail": "needs", "unknown": "heals"}
# What may be created in Xero where it is missing.
FLAGS = {
    "create_currencies": "May a missing currency be added in Xero?",
    "create_tax_rates": "May a missing tax rate be created in Xero?",
}


def show(desk: Desk) -> None:
    """The report, the editor of what it depends on, the preview, the test and the certificate."""
    with st.spinner("Checking"):
        report = desk.readiness.report()
    st.title(formats.plain(report.verdict) if report else "Not checked yet", anchor=False)
    setup_steps.path(desk, "readiness")
    run_progress.watch(desk, "check")
    if report is None:
        html.html(
            '<p class="lead">A check reads both sides, plans everything that waits and says what would stop it. '
            "It changes nothing on either side.</p>"
        )
        return
    _notice()
    # The link "Change" of a check leads to its control.
    asked = "set" in st.query_params and report.planned is not None
    if asked:
        _editor(desk, report)
    _report(desk, report)
    if report.planned is not None:
        if not asked:
            _editor(desk, report)
        _preview(desk, report)
    _test(desk)
    _certificate(desk, report)


def _notice() -> None:
    if said := st.session_state.pop("readiness_notice", ""):
        st.success(formats.plain(said))


# -- the report -------------------------------------------------------------------------------------------------------


def _report(desk: Desk, report: ReadinessReport) -> None:
    for name, codes in GROUPS.items():
        those = [check for check in report.checks if check.code in codes]
        if those:
            lines = "".join(_line(desk, check) for check in sorted(those, key=lambda one: one.level == "pass"))
            html.section(name, f'<ul class="checks">{lines}</ul>')


def _line(desk: Desk, check: Check) -> str:
    ready = desk.readiness
    mark, word = MARKS[str(check.level)]
    hangs, step = ready.hangs(check), ready.next_step(check)
    hang = f' <span class="quiet">{escape(hangs)}</span>' if hangs else ""
    key = ready.setting_of(check)
    change = ""
    if key and check.level != "unknown":
        where = html.link("readiness", desk.name, set=key)
        change = f' <span class="keep">{html.anchor(where, "Change")}</span>'
    after = f'<span class="under">Next ({escape(step.who)}): {formats.prose(step.sentence)}</span>' if step else ""
    tone, said = TONES[str(check.level)], f'<span class="hidden"> {word}:</span>'
    return (
        f'<li><span class="mark {tone}" title="{word}">{mark}{said}</span>'
        f"<span>{formats.prose(ready.sentence(check))}{hang}{change}{after}{_numbers(desk, check)}</span></li>"
    )


def _numbers(desk: Desk, check: Check) -> str:
    """The first of the invoices that hang on a check that does not pass."""
    numbers = [str(number) for number in check.facts.get("numbers") or ()][:6]
    if not numbers or check.level == "pass":
        return ""
    links = ", ".join(html.anchor(html.link("invoice", desk.name, find=one), one or "no number") for one in numbers)
    more = f" and {check.invoices - len(numbers):,} more" if check.invoices > len(numbers) else ""
    return f'<span class="under">{links}{more}</span>'


# -- the mapping editor -----------------------------------------------------------------------------------------------


def _editor(desk: Desk, report: ReadinessReport) -> None:
    """Each account, tax and currency with its candidates; what a choice would do is said before it is saved."""
    ready = desk.readiness
    named = {ready.setting_of(check): _named(check) for check in report.checks if ready.setting_of(check)}
    if any(check.facts.get("cause") == "tax_unmapped" for check in report.checks):
        named["create_tax_rates"] = FLAGS["create_tax_rates"]
    if not named:
        return
    html.section("Accounts, taxes and currencies")
    asked = st.query_params.get("set", "")
    keys = list(named)
    key = st.selectbox(
        "What to change", keys, index=keys.index(asked) if asked in keys else 0, format_func=lambda one: named[one],
        key=f"editor-{asked}",
    )  # fmt: skip
    value = _wanted(desk, key)
    if value == ready.value(key):
        html.quiet(_as_it_is(desk, key))
        return
    try:
        with st.spinner("Reckoning what this would do"):
            effect = ready.effect({key: value})
    except WrongUsage as wrong:
        st.error(formats.plain(wrong.sentence))
        return
    html.html(f"<p>{formats.prose(' '.join(effect) or 'No invoice that waits would go otherwise.')}</p>")
    why = desk.why_not("change_setting")
    if st.button("Save", key="save-mapping", type="primary", disabled=bool(why), help=why or None):
        ready.save({key: value})
        st.session_state["readiness_notice"] = f"Saved: {named[key]}. {' '.join(effect)}"
        st.query_params.pop("set", None)
        st.rerun()


def _as_it_is(desk: Desk, key: str) -> str:
    """Nothing is changed yet; where Xero has nothing to choose from, what to do instead."""
    if key.startswith("tax.") and key != "tax.none" and not desk.readiness.choices(key):
        return "Xero has no sales rate of this percentage: add one there, or allow that a missing one is created."
    return "This is how it is set now."


def _named(check: Check) -> str:
    if check.code == "tax":
        rate = str(check.facts.get("rate") or "none")
        return "Lines without tax" if rate == "none" else f"Tax {check.facts.get('tax') or rate} ({rate})"
    if check.code == "payment_account":
        return f"Payments in {check.subject}"
    if check.code == "revenue_account" and check.subject:
        return f"Account for {lines_meant(check.facts)}"
    if check.code == "tracking":
        return f"Tracking by {check.facts.get('category')}"
    return {
        "revenue_account": "Revenue account",
        "currency": FLAGS["create_currencies"],
        "start_date": "First day whose invoices go over",
    }[check.code]


def _wanted(desk: Desk, key: str) -> str:
    """The value that a person wants for a setting."""
    ready = desk.readiness
    now = ready.value(key)
    if key in FLAGS:
        return "true" if st.toggle(FLAGS[key], value=now == "true", key=f"flag-{key}") else ("false" if now else "")
    if key == "start_date":
        return st.text_input("Start date", value=now, placeholder="2026-01-31, or empty for all").strip()
    choices = {next(iter(one.said.values())): one.label for one in ready.choices(key)}
    if now and now not in choices:
        choices[now] = f"{now} (as it is set now)"
    options = ["", *choices]
    empty = "Automatic (same percentage)" if key.startswith("tax.") else "None"
    return st.selectbox(
        "In Xero", options, index=options.index(now) if now in options else 0,
        format_func=lambda one: choices.get(one, empty), key=f"value-{key}",
    )  # fmt: skip


# -- the preview ------------------------------------------------------------------------------------------------------


def _preview(desk: Desk, report: ReadinessReport) -> None:
    assert report.planned is not None  # noqa: S101 — the caller looked
    totals, price = report.planned["totals"], report.planned["price"]
    html.section("What the next sync would do")
    rows = [
        [status.WOULD[name], f"{number:,}", _sums(totals["by_currency"], name)]
        for name, number in totals["by_action"].items()
        if number
    ]
    left = html.table([Column("Would be"), Column("Invoices", True), Column("Money", True)], rows)
    rates = desk.readiness.rate_names()
    taxes = [[escape(rates.get(name, name)), amount] for name, amount in totals["by_tax"].items()]
    right = html.table([Column("Xero tax rate"), Column("Line amounts", True)], taxes, cards=False) if taxes else ""
    html.html(f'<div class="sides apart"><div>{left}</div><div>{right}</div></div>' if right else left)
    if not price["xero_calls"]:
        html.quiet("It takes no Xero call.")
        return
    share = f", {price['share_of_day']:.1%} of what is left today" if price["share_of_day"] is not None else ""
    calls = formats.count(price["xero_calls"], "Xero call")
    html.quiet(f"Price: {calls}, about {formats.count(price['minutes'], 'minute')}{share}.")


def _sums(by_currency: Mapping[str, Mapping[str, str]], name: str) -> str:
    told = [formats.money(sums[name], currency) for currency, sums in by_currency.items() if name in sums]
    return "<br>".join(map(escape, told))


# -- the test invoice -------------------------------------------------------------------------------------------------


def _test(desk: Desk) -> None:
    html.section("Test invoice")
    html.html(
        "<p>A small invoice is made in CrocoClick for a contact that you name, marked as sent without an email, "
        "synced, compared with Xero line by line, and voided on both sides.</p>"
    )
    with st.form("test", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        contact = st.text_input("For which contact", placeholder="A contact of your own: its name, email or id")
        off, why = not desk.can_sync(), desk.why_not("test-invoice") or None
        if st.form_submit_button("Send the test invoice", type="primary", disabled=off, help=why):
            if contact.strip():
                desk.start("test-invoice", "--contact", contact.strip())
                st.rerun()
            st.warning("Say for which contact.")
    test = desk.readiness.trial()
    if test is None:
        return
    mark = (
        formats.mark("✓", "Everything as expected", "good") if test.ok
        else formats.mark("…", "Under way, or cut off: the next test finishes it", "heals") if test.ok is None
        else formats.mark("✕", "Something differs", "needs")
    )  # fmt: skip
    number = f"Invoice {escape(test.number)} · " if test.number else ""
    html.html(f"<p>{mark} · {number}{formats.ago(test.begun_at, desk.now)} by {escape(test.by_whom)}</p>")
    columns = [Column("What"), Column("Expected", named=True), Column("Found", named=True), Column("Verdict")]
    rows = [
        [escape(one["what"]), escape(one["expected"]), escape(one["found"]), _verdict(one["ok"])] for one in test.checks
    ]
    if rows:
        html.html(html.table(columns, rows))


def _verdict(ok: bool) -> str:
    return formats.mark("✓", "as expected", "good") if ok else formats.mark("✕", "differs", "needs")


# -- the certificate --------------------------------------------------------------------------------------------------


def _certificate(desk: Desk, report: ReadinessReport) -> None:
    html.section("Certificate")
    html.html("<p>The report, the plan and the settings as one page to print, or to hand to the accountant.</p>")
    st.download_button(
        "Download the certificate", lambda: desk.readiness.certificate(report), "readiness.html", "text/html",
        on_click="ignore",
    )  # fmt: skip
