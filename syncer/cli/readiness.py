"""The commands before the first sync: `check`, the go-live report, and `plan`, what a sync would do."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from syncer.app import jobs, states
from syncer.app.installation import App, Connection, who
from syncer.cli.output import DONE, HELD, NOT_CONNECTED, Out, stoppable
from syncer.domain import settings
from syncer.domain.errors import HaltRun, LedgerBusy, Reconnect, TryLater, WrongUsage
from syncer.domain.model.books import Books
from syncer.domain.model.sync_settings import Rules
from syncer.messages import format, problems, status
from syncer.messages import readiness as readiness_messages
from syncer.onboarding import certificate
from syncer.onboarding import readiness as readiness_onboarding
from syncer.support import explain, search
from syncer.support.preview import (  # fmt: skip
    NOTHING,
    Effect,
    Preview,
    effects,
    effects_told,
    is_held,
    planned,
    preview,
    problem,
    stopped,
    without_books,
)
from syncer.sync.context import Foreseen, RunOptions

SHOWN = 20


def do_check(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Bring both sides up to date, check everything, say what stands in the way and what hangs on it."""
    connection = app.connection(asked.connection)
    if asked.certificate and not asked.certificate.resolve().parent.is_dir():
        raise WrongUsage(f"--certificate: there is no folder {asked.certificate.parent}.")
    with out.progress() as tell, stoppable(out) as stop:
        report = readiness_onboarding.check(connection, tell, stop)
    if asked.certificate:
        certificate.write(connection, report, who(), asked.certificate)
    if out.as_json:
        out.json(readiness_onboarding.as_json(report, explain.books(connection.ledger)))
    else:
        _tell_report(report, out)
        if asked.certificate:
            out.say(f"\nWritten to {asked.certificate}.")
    if isinstance(report.failure, Reconnect):
        return NOT_CONNECTED
    return DONE if report.ready else HELD


def _tell_report(report: readiness_onboarding.ReadinessReport, out: Out) -> None:
    for name, codes in readiness_messages.GROUPS.items():
        those = [one for one in report.checks if one.code in codes]
        if not those:
            continue
        out.say(f"\n{name}")
        for one in those:
            mark, _ = readiness_messages.MARKS[str(one.level)]
            hangs = readiness_messages.hangs(one) if one.level != "pass" else ""
            out.say(f"  {mark} {readiness_messages.sentence(one)}{f' {hangs}.' if hangs else ''}")
            if step := readiness_messages.next_step(one):
                out.say(f"    Next ({step.who}): {step.sentence}")
    out.say(f"\n{report.verdict}")


def scope(connection: Connection, what: str) -> frozenset[str]:
    """The invoices meant; what the ledger does not know is looked for in CrocoClick."""
    return frozenset(row["source_id"] for row in found(connection, what)) if what else frozenset()


def found(connection: Connection, what: str) -> list[dict[str, Any]]:
    """The invoices that a search means; what the ledger does not know is looked for in CrocoClick.

    Raises WrongUsage for what neither knows; TryLater, Reconnect or HaltRun where CrocoClick cannot be read.
    """
    rows = search.find(connection.ledger, what)
    if not rows and what.strip():
        jobs.search(connection, what)
        rows = search.find(connection.ledger, what)
    if not rows:
        raise WrongUsage(f"No invoice fits {what!r}: neither a number, an id, a customer's name nor an email.")
    return rows


def do_plan(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Read both sides, decide everything, do nothing."""
    connection = app.connection(asked.connection)
    rules = connection.rules()
    changed = connection.rules(settings.parsed(asked.changes)) if asked.changes else rules
    only = scope(connection, asked.invoice)
    foreseen = _foreseen(connection, connection.orders(scope=asked.invoice, only=only, full=asked.full), out)
    books, obstacle = explain.books(connection.ledger), connection.ledger.obstacle()
    whole = _preview(connection, changed, books, only, foreseen)
    found = stopped(whole, obstacle) if obstacle else whole
    budget = connection.ledger.row("budget") or {}
    told = planned(found, connection.pace().per_minute, budget.get("day_left"))
    effect = None
    if asked.changes:
        effect = effects(_preview(connection, rules, books, only, foreseen), whole)
    if out.as_json:
        out.json(told | ({"effect": effects_told(effect)} if effect else {}))
        return DONE
    _tell_plan(told, out)
    _tell_held(found, out)
    if effect:
        _tell_effects(asked.changes, effect, out)
    return DONE


def _foreseen(connection: Connection, orders: RunOptions, out: Out) -> Foreseen:
    """Read what a run would read; where something stands in the way, what was read before has to do."""
    states.notice(connection)
    with out.progress() as tell, stoppable(out) as stop:
        try:
            foreseen = jobs.foresee(connection, orders, tell, stop)
        except LedgerBusy:
            raise
        except (Reconnect, TryLater, HaltRun):
            if connection.ledger.obstacle() is None:
                raise
            return NOTHING
        if stop():
            raise TryLater("stopped")
        return foreseen


def _preview(
    connection: Connection, rules: Rules, books: Books | None, only: frozenset[str], foreseen: Foreseen
) -> Preview:
    if books is None:
        return without_books(connection.ledger, rules, only)
    return preview(connection.ledger, rules, books, only, foreseen)


def _tell_plan(told: Mapping[str, Any], out: Out) -> None:
    out.table(
        ["would", "invoices"],
        [(name, f"{n:,}") for name, n in told["totals"]["by_action"].items() if n],
        right=["invoices"],
    )
    for currency, sums in told["totals"]["by_currency"].items():
        out.say(f"{currency}: " + ", ".join(f"{name} {format.money(sum_, currency)}" for name, sum_ in sums.items()))
    price = told["price"]
    if not price["xero_calls"]:
        out.say("Price: no Xero call")
        return
    share = f", {price['share_of_day']:.1%} of what is left today" if price["share_of_day"] is not None else ""
    calls = format.count(price["xero_calls"], "Xero call")
    out.say(f"Price: {calls}, about {format.count(price['minutes'], 'minute')}{share}")


def _tell_held(found: Preview, out: Out) -> None:
    held = [(steps[0].invoice.number, why) for steps in found.steps if is_held(steps) and (why := problem(steps))]
    rows = [(number, problems.cause_sentence(why.code, why.facts)) for number, why in held[:SHOWN]]
    if rows:
        out.say("")
        out.table(["held", "because"], rows)
    if len(held) > SHOWN:
        out.say(f"and {len(held) - SHOWN:,} more; `plan --json` lists all.")


def _tell_effects(changes: Sequence[str], found: Mapping[str, Effect], out: Out) -> None:
    out.say(f"\nCompared with the settings as they are, {', '.join(changes)} would do this:")
    for sentence in status.effect_sentences(found) or ["Nothing changes."]:
        out.say(f"  {sentence}")
