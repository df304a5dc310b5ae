"""Errands of one connection: a run, an import, a look, a search. Each holds the lock, keeps its row and its result."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from syncer.app import pause, states
from syncer.app.installation import Connection
from syncer.domain import settings as conf
from syncer.domain.closing.comparison import Comparison
from syncer.domain.closing.documents import Span
from syncer.domain.errors import Reconnect, SyncerError, TryLater, WrongUsage
from syncer.domain.model.obstacle import PAUSED
from syncer.domain.ports import Accounts
from syncer.support.closing import BooksReading, LedgerFacts
from syncer.support.runs import result_of_import, result_of_run
from syncer.support.search import find
from syncer.sync import obstacles
from syncer.sync.contact_import import Import, ImportReport
from syncer.sync.contact_ingest import ContactReading
from syncer.sync.context import Foreseen, RunOptions, Tell
from syncer.sync.run import Run, RunOutcome, Seen

# Of the sweeps that found nothing to do one is kept for each hour, besides the last.
KEPT_IDLE = timedelta(hours=1)
REBUILD = "rebuild"  # the scope of a run that only reads and binds: no run of everything has been through yet


def run(
    connection: Connection,
    orders: RunOptions,
    asked_by: str,
    tell: Tell,
    stop: Callable[[], bool],
    patience_s: float | None = None,
    stopped_as: Callable[[], str] = lambda: "stopped",
    do: Callable[[Run], RunOutcome] = Run.perform,
) -> RunOutcome:
    """One run, from its row in the ledger to its result; raises LedgerBusy when another is at work for too long.

    While the connection is paused it only reads; one that is at work sends nothing more once somebody pauses.

    `stopped_as` is the word for its end where it was `stop` that ended it.
    """
    clock = connection.app.clock
    run_id = _new_run_id(connection)
    with connection.alone(patience_s=patience_s):
        began = clock.now()
        connection.ledger.begin_run(run_id, orders.scope, asked_by, os.getpid(), began)
        outcome = RunOutcome(run_id, "failed")
        paused = pause.paused(connection.ledger)
        try:
            connection.refresh_source()
            if not orders.patient:
                connection.accounts.ask_again()
            orders = replace(orders, reads_only=paused is not None)
            outcome = do(Run(run_id, connection.doors(), connection.rules(), orders, tell, stop))
        except TryLater as failure:
            outcome.ended, outcome.failure = "deferred", failure
        except SyncerError as failure:
            outcome.failure = failure
        finally:
            if paused and outcome.ended == "done" and do is Run.perform:
                outcome.ended, outcome.failure = "deferred", pause.failure(paused)
            if stop() and outcome.failure and outcome.failure.code == PAUSED:
                outcome.ended, outcome.failure = "stopped", None  # Stop does both.
            if outcome.ended == "stopped":
                outcome.ended = stopped_as()
            _close(connection, outcome, orders, began)
    return outcome


def rebuild(connection: Connection, asked_by: str, tell: Tell, stop: Callable[[], bool]) -> RunOutcome:
    """Make the ledger of a connection anew out of both books, and write to neither.

    Raises WrongUsage where it knows invoices already, Reconnect where a side is not connected, LedgerBusy.
    """
    found, last = connection.ledger.row("found_again"), connection.ledger.row("last_sync")
    was_cut_off = last is not None and last["scope"] == REBUILD and last["ended"] != "done"
    if found and found["known"] and not was_cut_off:
        raise WrongUsage(
            f"The ledger of {connection.name} is not lost: it knows {found['known']:,} invoices. To go on from it run "
            "`python -m syncer sync`; to make a new one set SYNCER_DATA_DIR to a new directory first."
        )
    connection.source  # noqa: B018 — raises where CrocoClick is not connected
    connection.accounts  # noqa: B018 — raises where Xero is not
    return run(connection, connection.orders(scope=REBUILD, full=True), asked_by, tell, stop, do=Run.rebuild)


def import_contacts(
    connection: Connection, asked_by: str, tell: Tell, stop: Callable[[], bool], dry_run: bool = False
) -> ImportReport:
    """One import of contacts, from its row in the ledger to its result; raises LedgerBusy when a run is at work."""
    clock = connection.app.clock
    run_id = _new_run_id(connection)
    with connection.alone():
        scope, began = "dry run" if dry_run else "", clock.now()
        connection.ledger.begin_run(run_id, scope, asked_by, os.getpid(), began, "import")
        report = ImportReport(run_id, dry_run, "failed")
        try:
            connection.refresh_source()
            rules = conf.import_rules(connection.settings())
            report = Import(run_id, connection.doors(), rules, tell, stop, dry_run).perform()
        except TryLater as failure:
            report.ended, report.failure = "deferred", failure
        except SyncerError as failure:
            report.failure = failure
        finally:
            connection.drain_calls(run_id)
            states.heed(connection, report.failure, began, obstacles.NOTHING)
            cause = report.failure.code if report.failure else None
            result = result_of_import(connection.ledger, report)
            connection.ledger.finish_run(run_id, report.ended, cause, result, clock.now())
    return report


def look_at_contacts(connection: Connection, tell: Tell, stop: Callable[[], bool]) -> None:
    """Bring both sides' contacts up to date and write to neither; raises LedgerBusy, TryLater, Reconnect."""
    with connection.alone(), _heeding(connection, obstacles.NOTHING):
        connection.refresh_source()
        reading = ContactReading(connection.doors(), tell, stop)
        reading.xero()
        if not stop():
            reading.crococlick()


def look(connection: Connection, orders: RunOptions, tell: Tell, stop: Callable[[], bool]) -> Seen:
    """Read both sides and write to neither; raises LedgerBusy when a run is at work, TryLater, Reconnect, HaltRun.

    CrocoClick is read first: what it has is known afterwards even where Xero cannot be read.
    """
    with connection.alone(), _heeding(connection, obstacles.BY_LOOK, stop):
        connection.refresh_source()
        return Run("", connection.doors(_accounts_if_any(connection)), connection.rules(), orders, tell, stop).look()


def foresee(connection: Connection, orders: RunOptions, tell: Tell, stop: Callable[[], bool]) -> Foreseen:
    """Read what such a run would read and write to neither side; raises what `look` raises."""
    with connection.alone(), _heeding(connection, obstacles.BY_LOOK, stop):
        connection.refresh_source()
        return Run("", connection.doors(_accounts_if_any(connection)), connection.rules(), orders, tell, stop).foresee()


def compare_books(
    connection: Connection, span: Span, tell: Tell, stop: Callable[[], bool], note: Callable[[str], None]
) -> tuple[Comparison, LedgerFacts]:
    """Read both books of these days and compare them; writes to neither.

    `note` is told what the reading will cost before it begins. Raises LedgerBusy when a run is at work, TryLater,
    Reconnect, HaltRun.
    """
    with connection.alone(), _heeding(connection, obstacles.NOTHING, stop):
        connection.refresh_source()
        connection.accounts.ask_again()
        reading = BooksReading(connection.doors(), span, tell, stop)
        note(reading.price())
        return reading.compare(), reading.facts


def search(connection: Connection, what: str) -> int:
    """Take in what CrocoClick finds for `what`, also without Xero; raises TryLater, Reconnect, HaltRun.

    No run has to end for it: it writes what a reading writes, in one transaction.
    """
    with _heeding(connection, obstacles.BY_SEARCH):
        connection.refresh_source()
        found = Run("", connection.doors(_accounts_if_any(connection)), connection.rules(), RunOptions()).search(what)
        connection.ledger.take_customers(connection.app.clock.now())
        if ids := [row["source_id"] for row in find(connection.ledger, what)]:
            states.decide(connection, ids)
        return found


def _accounts_if_any(connection: Connection) -> Accounts:
    """Xero's client; where nothing is connected one that raises Reconnect when it is first asked."""
    try:
        return connection.accounts
    except Reconnect as missing:
        return cast(Accounts, Unreachable(missing))


@contextmanager
def _heeding(connection: Connection, kind: frozenset[str], stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Keep what an errand learns about the connection, and decide anew what depends on what it has read.

    A search decides what it has found by itself.
    """
    began = connection.app.clock.now()
    failure: SyncerError | None = None
    try:
        yield
    except SyncerError as found:
        failure = found
        raise
    finally:
        connection.drain_calls()
        states.heed(connection, failure, began, kind, not stop())
        if kind != obstacles.BY_SEARCH:
            states.decide(connection)


def look_at_customers(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Take in these CrocoClick contacts as they are now; answers with their invoices that are not settled.

    Raises TryLater, Reconnect, LedgerBusy.
    """
    if connection.ledger.watermark("source_contacts"):
        found = [one for one in map(connection.crm.contact, ids) if one]
        connection.ledger.see_contacts(found, connection.app.clock.now())
    return [row["source_id"] for row in connection.ledger.rows("open_of_contacts", contacts=list(ids))]


def _new_run_id(connection: Connection) -> str:
    return f"{connection.app.clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _close(connection: Connection, outcome: RunOutcome, orders: RunOptions, began: datetime) -> None:
    connection.drain_calls(outcome.run_id)
    kind = obstacles.BY_RUN_OF_FEW if orders.only else obstacles.BY_RUN
    states.heed(connection, outcome.failure, began, kind, outcome.ended == "done")
    _decide_what_is_left(connection, outcome, orders)
    cause = outcome.failure.code if outcome.failure else None
    result = result_of_run(connection.ledger, outcome, orders.only)
    connection.ledger.finish_run(outcome.run_id, outcome.ended, cause, result, connection.app.clock.now())
    connection.forget_bodies()
    if orders.patient and outcome.ended == "done":
        connection.ledger.thin_runs(outcome.run_id, connection.app.clock.now() - KEPT_IDLE)


def _decide_what_is_left(connection: Connection, outcome: RunOutcome, orders: RunOptions) -> None:
    """A run that came to its end has decided all but what an answer has moved since."""
    if outcome.ended != "done":
        states.decide(connection, sorted(orders.only))
        return
    left = {row["source_id"] for row in connection.ledger.rows("waiting")}
    if left := left & orders.only if orders.only else left:
        states.decide(connection, sorted(left))


class Unreachable:
    """A service that cannot be asked: whatever is asked of it raises the reason."""

    def __init__(self, why: SyncerError) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise self._why
