"""The go-live report: both sides brought up to date, everything planned, and every check told with what hangs on it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncer.app import consent, jobs
from syncer.app.installation import Connection
from syncer.connectors.xero.auth import ACCOUNTING_SCOPES
from syncer.domain.errors import HaltRun, Reconnect, SyncerError, TryLater
from syncer.domain.mapping.line_accounts import with_usable_accounts
from syncer.domain.mapping.tracking import tracking_problems
from syncer.domain.model.books import APPROVE, Books
from syncer.domain.model.money import show
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning.actions import Action
from syncer.domain.planning.plan import plan_all
from syncer.domain.readiness.checks import Check, Level, Situation, bundle, check_all, is_ready, stopped
from syncer.messages import readiness
from syncer.storage.ledger.ledger import Ledger
from syncer.support import explain
from syncer.support.preview import Preview, planned
from syncer.support.preview import preview as foresee
from syncer.sync.contact_groups import open_groups
from syncer.sync.contact_ingest import ContactReading
from syncer.sync.context import RunOptions, Tell
from syncer.sync.snapshot import take_snapshot

_CRM = "crococlick"


@dataclass(frozen=True)
class ReadinessReport:
    """The checks with the plan they come from, at one moment; `failure` is why nothing could be looked at."""

    checks: Sequence[Check]
    checked_at: datetime
    stopped: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict)
    planned: Mapping[str, Any] | None = None
    failure: SyncerError | None = None

    @property
    def ready(self) -> bool:
        """Whether nothing fails."""
        return is_ready(self.checks)

    @property
    def verdict(self) -> str:
        """The one sentence."""
        return readiness.verdict(self.checks, self.stopped, self.money)


def check(connection: Connection, tell: Tell, stop: Callable[[], bool]) -> ReadinessReport:
    """A report on a fresh snapshot, kept in the ledger. What stands in the way of looking is a check that fails.

    Takes five Xero calls besides bringing the mirror up to date. Raises TryLater, also where a run is at work.
    """
    seen = None
    try:
        seen = _look(connection, tell, stop)
    except (Reconnect, HaltRun) as found:
        consent.note_failure(connection, found)
        report = _blind(connection, found)
    else:
        consent.note_failure(connection, None)
        report = from_ledger(connection, seen)
    keep(connection.ledger, report, seen)
    return report


@dataclass(frozen=True)
class LiveFindings:
    """What a look found out that the ledger's mirrors do not hold."""

    may: Mapping[str, bool | None]
    unreadable: Sequence[tuple[str, str]] = ()


def _look(connection: Connection, tell: Tell, stop: Callable[[], bool]) -> LiveFindings:
    """Both sides as they are now; raises TryLater where a person asked to stop, since half a look says nothing."""
    try:
        contacts = _may_read_contacts(connection, tell, stop)
        seen = jobs.look(connection, RunOptions(fresh=True), tell, stop)
    finally:
        connection.drain_calls()
    if stop():
        raise TryLater("stopped")
    unreadable = [(one.named, f"{one.field} {one.reason}") for one in seen.unreadable]
    return LiveFindings({"contacts": contacts, "transactions": seen.sees_payments}, unreadable)


def _may_read_contacts(connection: Connection, tell: Tell, stop: Callable[[], bool]) -> bool:
    """Bring CrocoClick's contacts up to date, where its token may see them."""
    try:
        connection.refresh_source()
        with connection.alone():
            ContactReading(connection.doors(), tell, stop).crococlick()
    except Reconnect as refused:
        if refused.code != "crococlick_scope_missing":
            raise
        return False
    return True


def _blind(connection: Connection, found: SyncerError) -> ReadinessReport:
    """Nothing could be looked at: the check that says so fails, all others are not known."""
    codes = {
        "scope_missing": "xero_scopes",
        "role_missing": "xero_role",
        "source_shrunk": "source_shrunk",
        "contacts_shrunk": "source_shrunk",
        "crococlick_scope_missing": "crococlick_scopes",
    }
    failed = codes.get(found.code, "crococlick_connection" if found.code.startswith(_CRM) else "xero_connection")
    facts = {**found.facts, "cause": found.code}
    workload = (one for one in connection.ledger.workload() if one.state not in ("not_eligible", "skipped"))
    waiting = bundle(one.invoice for one in workload)
    every = [code for codes in readiness.GROUPS.values() for code in codes]
    not_always = {"source_shrunk", "tracking", "rounding_account", "unreadable"}
    checks = [
        waiting.check(code, Level.FAIL, facts) if code == failed else Check(code, Level.UNKNOWN)
        for code in every
        if code == failed or code not in not_always
    ]
    return ReadinessReport(checks, connection.app.clock.now(), len(waiting.ids), dict(waiting.money), None, found)


def from_ledger(connection: Connection, seen: LiveFindings | None = None) -> ReadinessReport:
    """A report from what the ledger holds, without a call; raises Reconnect where the organisation was never read."""
    if gone := _gone(connection):
        return _blind(connection, gone)
    ledger = connection.ledger
    books = explain.books(ledger)
    if books is None:
        raise Reconnect("not_connected")
    rules = connection.rules()
    seen = seen or _seen(ledger)
    preview = foresee(ledger, rules, books)
    budget = ledger.row("budget") or {}
    pace = connection.pace()
    day_left = pace.per_day if budget.get("day_left") is None else budget["day_left"]
    told = planned(preview, pace.per_minute, day_left)
    situation = _situation(connection, books, rules, seen, preview, day_left)
    checks = check_all(_presumed(ledger, books, rules, preview), situation)
    held = stopped(checks, preview.actions)
    return ReadinessReport(checks, connection.app.clock.now(), len(held.ids), dict(held.money), told)


def _gone(connection: Connection) -> Reconnect | None:
    """Why one of the two sides cannot be reached, as far as is known without a call."""
    status = consent.status(connection)
    if status["state"] != "connected":
        return Reconnect(status["state"])
    source = status["crococlick"]["state"]
    return Reconnect(f"{_CRM}_{source}") if source != "connected" else None


def _presumed(ledger: Ledger, books: Books, rules: Rules, preview: Preview) -> Sequence[Action]:
    """The plan as with accounts, tracking and a role: without them nothing else that is wrong would show."""
    some = next((one for one in books.accounts if one.klass == "REVENUE" and one.status == "ACTIVE"), None)
    presumed = with_usable_accounts(books, rules, some)
    if tracking_problems(books, rules):
        presumed = replace(presumed, tracking={})
    if presumed == rules and books.actions.get(APPROVE, True):
        return preview.actions
    rules = presumed
    books = replace(books, actions={**books.actions, APPROVE: True})
    workload = ledger.workload()
    scene = take_snapshot(ledger, rules, books, workload)
    return plan_all([known.invoice for known in workload], scene.scene, scene.owners)


def _situation(
    connection: Connection, books: Books, rules: Rules, seen: LiveFindings, preview: Preview, day_left: int | None
) -> Situation:
    ledger = connection.ledger
    row = ledger.row("connection") or {}
    organisation = books.organisation
    scopes = _scopes(connection)
    imported = {one["outcome"]: 0 for one in ledger.rows("import_counts")}
    for one in ledger.rows("import_counts"):
        imported[one["outcome"]] += one["contacts"]
    now = connection.app.clock.now()
    month = ledger.row("approved_since", since=now.date().replace(day=1)) or {}
    return Situation(
        books=books,
        rules=rules,
        organisation={
            "name": organisation.name,
            "country": organisation.country,
            "base_currency": organisation.base_currency,
            "plan": organisation.plan,
        },
        scopes=scopes,
        scopes_needed=ACCOUNTING_SCOPES,
        location=str(row.get("location_name") or row.get("location_id") or ""),
        timezone=str(row.get("timezone") or ""),
        may=seen.may,
        unreadable=seen.unreadable,
        xero_calls=preview.xero_calls,
        per_minute=connection.pace().per_minute,
        day_left=day_left,
        approved_this_month=int(month.get("invoices") or 0),
        duplicate_groups=sum(1 for one in open_groups(ledger, ledger.contact_links()) if one.is_double),
        imported=imported if ledger.row("last_import") else None,
        today=now.date(),
    )


def _scopes(connection: Connection) -> Sequence[str]:
    """What the consent allows; nothing where there is none."""
    try:
        tokens = connection.tokens.tokens()
    except Reconnect:
        return ()
    return tokens.scopes if tokens else ()


# -- kept for later --------------------------------------------------------------------------------------------------

_SEEN = "seen"  # the row that keeps what no mirror holds


def keep(ledger: Ledger, report: ReadinessReport, seen: LiveFindings | None = None) -> None:
    """Write the report down, in place of the one before."""
    told = {
        "planned": {**report.planned, "actions": []} if report.planned else None,
        "stopped": report.stopped,
        "money": {currency: str(amount) for currency, amount in report.money.items()},
        "may": dict(seen.may) if seen else {},
        "unreadable": list(seen.unreadable) if seen else [],
    }
    ledger.keep_checks([*report.checks, Check(_SEEN, Level.PASS, told)], report.checked_at)


def kept(ledger: Ledger) -> ReadinessReport | None:
    """The report that was made last."""
    rows = ledger.rows("readiness")
    told = next((json.loads(row["facts"]) for row in rows if row["code"] == _SEEN), None)
    if told is None:
        return None
    checks = [_check_of(row) for row in rows if row["code"] != _SEEN]
    money = {currency: Decimal(amount) for currency, amount in told["money"].items()}
    return ReadinessReport(checks, rows[0]["checked_at"], told["stopped"], money, told["planned"])


def _seen(ledger: Ledger) -> LiveFindings:
    told = next((json.loads(row["facts"]) for row in ledger.rows("readiness") if row["code"] == _SEEN), None)
    if told is None:
        return LiveFindings({})
    return LiveFindings(told["may"], [(number, what) for number, what in told["unreadable"]])


def _check_of(row: Mapping[str, Any]) -> Check:
    money = {currency: Decimal(amount) for currency, amount in json.loads(row["money"]).items()}
    return Check(
        row["code"], Level(row["level"]), json.loads(row["facts"]), row["subject"], row["invoices"], money
    )  # fmt: skip


def as_json(report: ReadinessReport, books: Books | None = None) -> dict[str, Any]:
    """A report as `check --json` gives it."""
    return {"ready": report.ready, "checks": [_told(one, books) for one in report.checks]}


def _told(one: Check, books: Books | None) -> dict[str, Any]:
    step = readiness.next_step(one, books)
    return {
        "code": one.code,
        "subject": one.subject,
        "level": str(one.level),
        "sentence": readiness.sentence(one),
        "remedy": {"who": step.who, "sentence": step.sentence, "order": step.order} if step else None,
        "facts": dict(one.facts),
        "invoices": one.invoices,
        "money": {currency: show(amount, currency) for currency, amount in sorted(one.money.items())},
    }
