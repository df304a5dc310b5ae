"""The commands that sync: `sync` for one run, `watch` for ever."""

import argparse
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncer.app import consent, jobs, notices, pause
from syncer.app.installation import App, Connection, who
from syncer.app.watch import EVERY
from syncer.app.worker import Worker
from syncer.cli import readiness
from syncer.cli.output import DONE, FAILED, HELD, LATER, NOT_CONNECTED, Out, stoppable
from syncer.domain.errors import Reconnect
from syncer.domain.settings import DEFAULT
from syncer.messages import format
from syncer.messages import status as status_messages
from syncer.support import runs
from syncer.sync.run import RunOutcome


def do_sync(app: App, asked: argparse.Namespace, out: Out) -> int:
    """One run, with a bar on a terminal; Ctrl-C stops it cleanly."""
    connection = app.connection(asked.connection)
    only = readiness.scope(connection, asked.invoice)
    wanted = connection.orders(scope=asked.invoice, only=only, full=asked.full)
    with out.progress() as tell, stoppable(out) as stop:
        outcome = jobs.run(connection, wanted, who(), tell, stop)
    consent.note_failure(connection, outcome.failure)
    notices.after_run(connection)
    return _report(connection, outcome, only, out)


def do_pause(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Write nothing to Xero any more until somebody resumes."""
    connection = app.connection(asked.connection)
    before = pause.paused(connection.ledger)
    stands = pause.pause(connection, who(), asked.because)
    if out.as_json:
        out.json({"connection": connection.name, "paused": pause.told(connection.ledger)})
    sentence = status_messages.failure(stands.code, stands.facts)
    out.say(f"{'It was paused before, and stays so. ' if before else ''}{sentence}")
    return DONE


def do_resume(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Let a paused connection go on."""
    connection = app.connection(asked.connection)
    pause.resume(connection, who())
    if out.as_json:
        out.json({"connection": connection.name, "paused": pause.told(connection.ledger)})
    out.say("Resumed. What waited goes over with the next sync, or by itself where a watch is at work.")
    return DONE


def do_rebuild(app: App, asked: argparse.Namespace, out: Out) -> int:
    """A new ledger out of both books: what was found again, and what no book knows."""
    connection = app.connection(asked.connection)
    with out.progress() as tell, stoppable(out) as stop:
        outcome = jobs.rebuild(connection, who(), tell, stop)
    consent.note_failure(connection, outcome.failure)
    row, found = connection.ledger.row("run", run_id=outcome.run_id), connection.ledger.row("found_again")
    assert row is not None and found is not None  # noqa: S101 — they were written a moment ago
    held = runs.held_list(connection.ledger)
    calls, named = (
        runs.run_summary(row)["calls"],
        "" if connection.name == DEFAULT else f" --connection {connection.name}",
    )
    if out.as_json:
        out.json({"run_id": outcome.run_id, "found": found, "calls": calls, "held": held})
    out.say(
        f"Found again in Xero by our marks: {found['invoices']:,} of {format.count(found['known'], 'invoice')}, "
        f"{format.count(found['contacts'], 'contact')}, {format.count(found['payments'], 'payment')}. "
        "Nothing was written to either book."
    )
    if outcome.failure:
        out.aside.print(status_messages.failure(outcome.failure.code, outcome.failure.facts), markup=False)
    out.say(
        "Settings, skips, answers, pauses and people are in no book. Make the settings as they were before the next "
        "sync, the start date above all, so that nothing goes over that was left out before:"
    )
    out.say(f"  python -m syncer settings set start_date=… revenue_account=… payment_account.EUR=…{named}")
    out.say(f"Then `python -m syncer plan{named}` shows what a sync would do.")
    return _status_of(outcome, bool(held) or bool(outcome.unreadable))


def do_watch(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Watch every connection, or one, until Ctrl-C, SIGTERM or the end of the process that started it."""
    if asked.only:
        app.connection(asked.only)
    watches = Worker(app, asked.only or "", asked.every or EVERY, out.note, asked.with_parent)
    if asked.with_parent:
        threading.Thread(target=_when_input_ends, args=[watches.stop], name="parent", daemon=True).start()
    with stoppable(out) as stop:
        watches.run(stop)
    if out.as_json:
        out.json({"ended": "stopped"})
    return DONE


def _when_input_ends(then: Callable[[], None]) -> None:
    while sys.stdin.buffer.read(4096):
        continue
    then()


def _report(connection: Connection, outcome: RunOutcome, only: frozenset[str], out: Out) -> int:
    row = connection.ledger.row("run", run_id=outcome.run_id)
    assert row is not None  # noqa: S101 — it was written a moment ago
    told = runs.run_summary(row)
    held = runs.held_list(connection.ledger, only)
    if out.as_json:
        out.json({**told, "held": held})
    _tell_run(told, held, outcome, out)
    return _status_of(outcome, bool(held) or bool(outcome.unreadable))


def _tell_run(told: Mapping[str, Any], held: Sequence[Mapping[str, Any]], outcome: RunOutcome, out: Out) -> None:
    done = [(name.replace("_", " "), f"{number:,}") for name, number in told["outcomes"].items() if number]
    out.table(["outcome", "invoices"], done or [("nothing to do", "")], right=["invoices"])
    for currency, sums in told["money"].items():
        synced, waiting = format.money(sums["synced"], currency), format.money(sums["held"], currency)
        out.say(f"{currency}: {synced} in Xero, {waiting} held")
    out.say(f"Calls: {told['calls']['xero']} to Xero, {told['calls']['crococlick']} to CrocoClick")
    if held:
        out.say(f"\n{format.count(len(held), 'invoice')} held for a person:")
        out.table(["number", "because"], [(one["number"], one["detail"]) for one in held[:20]])
        if len(held) > 20:
            out.say(f"and {len(held) - 20:,} more; `python -m syncer explain NUMBER` tells each.")
    for one in outcome.unreadable[:20]:
        out.say(f"The {one.named} could not be read: {one.field} {one.reason}.")
    for one in outcome.left_out[:20]:
        out.say(f"Left out: Xero's {one.kind} {one.number or one.source_id} cannot be read: {one.field} {one.reason}.")
    if outcome.failure:
        out.aside.print(status_messages.failure(outcome.failure.code, outcome.failure.facts), markup=False)
    elif outcome.ended == "stopped":
        out.note("Stopped as asked. The next sync goes on from here.")


def _status_of(outcome: RunOutcome, held: bool) -> int:
    if isinstance(outcome.failure, Reconnect):
        return NOT_CONNECTED
    if outcome.ended in ("deferred", "stopped"):
        return LATER
    if outcome.failure:
        return FAILED
    return HELD if held else DONE
