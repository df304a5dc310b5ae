"""The readiness report as one file to hand over: it prints well, needs nothing else, and names what it came from."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from syncer.app.installation import Connection
from syncer.domain.errors import WrongUsage
from syncer.domain.model.books import Books, books_text
from syncer.domain.settings import SETTINGS
from syncer.messages import readiness as readiness_messages
from syncer.messages import times
from syncer.messages.format import count, day, moment, money
from syncer.messages.status import WOULD
from syncer.onboarding import readiness as readiness_onboarding
from syncer.onboarding import test_invoice
from syncer.onboarding.readiness import ReadinessReport
from syncer.support import explain

TEMPLATE = Path(__file__).with_name("certificate.html")


def write(connection: Connection, report: ReadinessReport, by: str, path: Path) -> None:
    """Write the certificate to a file; raises WrongUsage where that cannot be."""
    try:
        path.write_text(html(connection, report, by), encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"--certificate: {path} cannot be written ({error.strerror}).") from error


def html(connection: Connection, report: ReadinessReport, by: str) -> str:
    """The certificate of a report, made by somebody."""
    data = computed_from(connection, report)
    # What a script element holds must neither end it nor begin another.
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    books = explain.books(connection.ledger)
    name = str(data["organisation"].get("name") or "this connection")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Ready for Xero? {name}"),
        subtitle=escape(f"CrocoClick → Xero · {moment(report.checked_at)} · made by {by}"),
        ready="ready" if report.ready else "not-ready",
        verdict=escape(report.verdict),
        facts=_facts(data),
        chapters=_chapters(report, books),
        plan=_plan(report.planned, books),
        trial=_trial(test_invoice.newest(connection.ledger)),
        settings=_settings(data["settings"]),
        moment=escape(moment(report.checked_at)),
        digest=digest(text),
        data=text,
    )


def computed_from(connection: Connection, report: ReadinessReport) -> dict[str, Any]:
    """What a certificate says, as data: organisation, location, settings, books, checks, plan."""
    ledger = connection.ledger
    row = ledger.row("connection") or {}
    books = explain.books(ledger)
    made = {one["key"]: one for one in ledger.rows("settings") if one["value"] is not None}
    keys = [*SETTINGS, *(key for key in made if key not in SETTINGS)]
    return {
        "at": times.iso(report.checked_at),
        "connection": connection.name,
        "organisation": {
            "id": row.get("organisation_id"),
            "name": row.get("organisation_name"),
            "country": row.get("country"),
            "base_currency": row.get("base_currency"),
            "plan": row.get("plan"),
        },
        "location": {
            "id": row.get("location_id"),
            "name": row.get("location_name"),
            "timezone": row.get("timezone"),
        },
        "settings": [
            {
                "key": key,
                "value": made[key]["value"] if key in made else SETTINGS[key].default,
                "by": made[key]["changed_by"] if key in made else None,
                "at": times.iso(made[key]["changed_at"]) if key in made else None,
            }
            for key in keys
        ],
        "books_sha256": digest(books_text(books)) if books else None,
        **readiness_onboarding.as_json(report, books),
        "plan": {name: report.planned[name] for name in ("totals", "price")} if report.planned else None,
        "test_invoice": _tested(test_invoice.newest(ledger)),
    }


def _tested(test: test_invoice.Kept | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {"number": test.number, "ok": test.ok, "at": times.iso(test.begun_at), "checks": list(test.checks)}


def digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _facts(data: Mapping[str, Any]) -> str:
    organisation, location = data["organisation"], data["location"]
    pairs = [
        ("Organisation", organisation["name"]),
        ("Country", organisation["country"]),
        ("Base currency", organisation["base_currency"]),
        ("Xero plan", str(organisation["plan"] or "").title()),
        ("CrocoClick location", location["name"] or location["id"]),
        ("Time zone", str(location["timezone"] or "").replace("_", " ")),
    ]
    return "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in pairs if value)


def _chapters(report: ReadinessReport, books: Books | None) -> str:
    told = []
    for name, codes in readiness_messages.GROUPS.items():
        those = [one for one in report.checks if one.code in codes]
        if those:
            lines = "".join(_line(one, books) for one in those)
            told.append(f'<h2>{escape(name)}</h2><ul class="checks">{lines}</ul>')
    return "".join(told)


def _line(check: Any, books: Books | None) -> str:
    mark, word = readiness_messages.MARKS[str(check.level)]
    step = readiness_messages.next_step(check, books)
    hangs = readiness_messages.hangs(check)
    affected = f' <span class="quiet">{escape(hangs)}</span>' if hangs else ""
    after = f'<br><span class="step">Next ({escape(step.who)}): {_prose(step.sentence)}</span>' if step else ""
    return (
        f'<li class="{check.level}"><span class="mark" title="{escape(word)}">{mark}</span>'
        f"<span>{_prose(readiness_messages.sentence(check))}{affected}{after}</span></li>"
    )


def _prose(sentence: str) -> str:
    """A sentence, with what a machine reads set apart."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(sentence))


def _trial(test: test_invoice.Kept | None) -> str:
    """The newest test invoice, line by line."""
    if test is None or test.ok is None:
        return '<h2>Test invoice</h2><p class="quiet">None has been sent.</p>'
    rows = "".join(
        f"<tr><td>{escape(one['what'])}</td><td>{escape(one['expected'])}</td><td>{escape(one['found'])}</td>"
        f"<td>{'✓' if one['ok'] else '✕'}</td></tr>"
        for one in test.checks
    )
    told = "Everything came out as expected." if test.ok else "Something came out otherwise than expected."
    head = "".join(f"<th>{name}</th>" for name in ("What", "Expected", "Found", ""))
    return (
        f"<h2>Test invoice</h2><p>{told} {escape(test.number)}, {moment(test.begun_at)}, by {escape(test.by_whom)}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _plan(planned: Mapping[str, Any] | None, books: Books | None) -> str:
    if planned is None:
        return '<p class="quiet">Not known, since nothing could be looked at.</p>'
    totals, price = planned["totals"], planned["price"]
    rows = "".join(
        f'<tr><td>{WOULD[name]}</td><td class="num">{number:,}</td><td class="num">{_sums(totals, name)}</td></tr>'
        for name, number in totals["by_action"].items()
        if number
    )
    names = {rate.type: rate.name for rate in books.tax_rates} if books else {}
    taxes = "".join(
        f'<tr><td>{escape(names.get(name, name))}</td><td class="num">{amount}</td></tr>'
        for name, amount in totals["by_tax"].items()
    )
    by_tax = _table(["Xero tax rate", "Line amounts"], taxes) if taxes else ""
    calls = f"{count(price['xero_calls'], 'Xero call')}, about {count(price['minutes'], 'minute')}"
    table = _table(["Would be", "Invoices", "Money"], rows)
    return f'{table}{by_tax}<p class="quiet">Price: {calls}.</p>'


def _table(columns: Sequence[str], rows: str) -> str:
    head = "".join(f'<th class="{"num" if place else ""}">{name}</th>' for place, name in enumerate(columns))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _sums(totals: Mapping[str, Any], name: str) -> str:
    told = [money(sums[name], currency) for currency, sums in totals["by_currency"].items() if name in sums]
    return "<br>".join(map(escape, told))


def _settings(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(
        f"<tr><td>{escape(one['key'])}</td><td>{_value(one)}</td><td>{_changed(one)}</td></tr>" for one in rows
    )


def _value(one: Mapping[str, Any]) -> str:
    return escape(str(one["value"] or "–"))


def _changed(one: Mapping[str, Any]) -> str:
    return escape(f"{day(one['at'])} by {one['by']}") if one["by"] else ""
