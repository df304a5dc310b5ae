"""One command performed, and every way in which it may end as a sentence and an exit status."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from syncer.app import environment
from syncer.app.installation import App, who
from syncer.cli.output import FAILED, LATER, NOT_CONNECTED, USAGE, Out, failed
from syncer.domain.errors import Reconnect, SyncerError, TryLater, WrongUsage
from syncer.domain.settings import DEFAULT
from syncer.messages import status
from syncer.storage.database.damage import of_disk
from syncer.storage.ledger.writer import AuditEntry

STARTED = ("sync", "import-contacts", "check", "test-invoice")  # what the audit trail tells of a terminal

# Where each command is. A module is imported when its command is given: all of them would take a second.
COMMANDS: Mapping[str, str] = {
    "connect": "connections.do_connect",
    "disconnect": "connections.do_disconnect",
    "end-sign-ins": "connections.do_end_sign_ins",
    "status": "connections.do_status",
    "settings": "connections.do_settings",
    "sync": "sync.do_sync",
    "pause": "sync.do_pause",
    "resume": "sync.do_resume",
    "watch": "sync.do_watch",
    "import-contacts": "contacts.do_import",
    "duplicates": "contacts.do_duplicates",
    "check": "readiness.do_check",
    "plan": "readiness.do_plan",
    "reconcile": "reconcile.do_reconcile",
    "test-invoice": "test_invoice.do_test_invoice",
    "notices": "notices.do_notices",
    "explain": "invoices.do_explain",
    "retry": "invoices.do_order",
    "skip": "invoices.do_order",
    "unskip": "invoices.do_order",
    "order": "invoices.do_order",
    "backup": "backup.do_backup",
    "rebuild": "sync.do_rebuild",
    "restore": "backup.do_restore",
    "export": "data.do_export",
    "sql": "data.do_sql",
}


def function(name: str) -> Callable[[App, argparse.Namespace, Out], int]:
    """What performs the command of this name."""
    module, _, its_name = COMMANDS[name].partition(".")
    found: Callable[[App, argparse.Namespace, Out], int] = getattr(
        importlib.import_module(f"syncer.cli.{module}"), its_name
    )
    return found


def perform(asked: argparse.Namespace, out: Out) -> int:
    """Do what was asked and return the exit status. Nothing is raised: whatever happens becomes a sentence."""
    os.umask(0o077)  # the ledger's side files and logs are for this user alone
    asked.only, asked.connection = asked.connection, asked.connection or DEFAULT
    try:
        app = App.open()
        if asked.command in STARTED and sys.stdin.isatty():
            # A person at a terminal; what cron starts nobody asked for, and the console has written it down itself.
            app.register.note(AuditEntry(who(), "started"), app.clock.now(), asked.command, asked.connection)
        return function(asked.command)(app, asked, out)
    except WrongUsage as wrong:
        return refused(out, wrong)
    except SyncerError as failure:
        return failed(out, _status_of(failure), failure.code, status.failure(failure.code, failure.facts))
    except Exception as error:  # noqa: BLE001 — the last place where a failure of our own can become a sentence
        if isinstance(error, OSError) and (known := of_disk(error)):
            return failed(out, FAILED, known.code, status.failure(known.code, known.facts))
        return failed(out, FAILED, "unforeseen", _kept_failure())
    except KeyboardInterrupt:
        return failed(out, LATER, "stopped", "Stopped. The next run settles what was under way.")


def refused(out: Out, wrong: WrongUsage) -> int:
    """Say what is wrong with the words that were given."""
    return failed(out, USAGE, wrong.code, wrong.sentence)


def _status_of(failure: SyncerError) -> int:
    if isinstance(failure, Reconnect):
        return NOT_CONNECTED
    return LATER if isinstance(failure, TryLater) else FAILED


def _kept_failure() -> str:
    """Write down what a developer needs, and say it in a sentence."""
    path = environment.environment().data_dir / "failures.log"
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{traceback.format_exc()}\n")
    except OSError:
        return "Something went wrong that this program did not foresee, and it could not be written down."
    return (
        f"Something went wrong that this program did not foresee; the details are in {path}. "
        "Nothing is lost: the next run settles what was under way. If it happens again, send that file to us."
    )
