"""The words of every command. Nothing is imported that only a command's work needs: help is there at once."""

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

from syncer.domain.access import ORDERS
from syncer.domain.errors import WrongUsage

Declare = Callable[[str, str], argparse.ArgumentParser]  # adds a command: its name, and what it does


class Parser(argparse.ArgumentParser):
    """Wrong usage is refused with what is wrong and how to find out what is right."""

    def error(self, message: str) -> NoReturn:
        """Raise WrongUsage with the reason as a sentence."""
        raise WrongUsage(f"{message[:1].upper()}{message[1:]}. Try `python -m syncer --help`.")


def parser() -> Parser:
    """The commands and what each does."""
    shared = Parser(add_help=False)
    shared.add_argument(
        "--connection",
        metavar="NAME",
        help="which connection (default: default; for watch, sql, export: all)",
    )
    shared.add_argument("--json", action="store_true", help="one JSON object on standard output")
    top = Parser(
        prog="python -m syncer", description="Carries CrocoClick invoices into Xero and says why any did not go."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=does, parents=[shared])

    _declare_connection(command)
    sync = command("sync", "one run")
    sync.add_argument(
        "--invoice", metavar="WHAT", default="", help="only this one: a number, an id, a name or an email"
    )
    sync.add_argument("--full", action="store_true", help="read everything again, also what cannot have moved")
    stop = command("pause", "write nothing to Xero until `resume`, whoever asks; reading goes on")
    stop.add_argument("--because", metavar="TEXT", default="", help="why, for everybody who meets it")
    command("resume", "let a paused connection go on")
    _declare_watch(command)
    _declare_set_up(command)
    _declare_reconcile(command)
    _declare_questions_and_orders(command)
    told = command("notices", "which notices go where, and what was sent lately")
    told.add_argument("--test", action="store_true", help="send one to each address, and say which took it")
    _declare_backup(command)
    return top


def _declare_connection(command: Declare) -> None:
    connect = command("connect", "connect Xero: prints the consent address and waits")
    connect.add_argument("--location", metavar="ID", help="CrocoClick location of a further connection")
    connect.add_argument("--token-file", metavar="FILE", type=Path, help="file with that location's token")
    connect.add_argument("--organisation", metavar="NAME-OR-ID", default="", help="which Xero organisation")
    connect.add_argument("--no-browser", action="store_true", help="do not open a browser")
    connect.add_argument("--client-credentials", action="store_true", help="for a Xero custom connection")
    command("disconnect", "end the connection at Xero and forget its tokens; the ledger stays")
    command("end-sign-ins", "end every sign-in to the console, from its next start")
    command("status", "connection, organisation, plan, scopes, token, calls left, last run")
    change = command("settings", "show the settings, or set some")
    change.add_argument("verb", nargs="?", choices=["show", "set"], default="show")
    change.add_argument("changes", nargs="*", metavar="KEY=VALUE")


def _declare_watch(command: Declare) -> None:
    watch = command("watch", "runs for ever: sweeps, events already received, retries that are due")
    every = "seconds between readings of CrocoClick (default: 120)"
    watch.add_argument("--every", metavar="SECONDS", type=_seconds, help=every)
    parent = "end when standard input ends; leave alone what is still being set up"
    watch.add_argument("--with-parent", action="store_true", help=parent)


def _declare_questions_and_orders(command: Declare) -> None:
    explain = command("explain", "why an invoice is or is not in Xero")
    explain.add_argument("what", metavar="WHAT", help="a number, an id, a customer's name or email")
    retry = command("retry", "let invoices be tried again in the next run")
    retry.add_argument("what", nargs="+", metavar="WHAT")
    skip = command("skip", "leave invoices out")
    skip.add_argument("what", nargs="+", metavar="WHAT")
    skip.add_argument("--because", metavar="TEXT", default="", help="why (required)")
    skip.add_argument("--until", metavar="DATE", default="", help="until this day, such as 2026-01-31")
    unskip = command("unskip", "take a skip back")
    unskip.add_argument("what", nargs="+", metavar="WHAT")
    order = command("order", f"give an order: {', '.join((*ORDERS, 'ignore'))}")
    order.add_argument("name", metavar="NAME")
    order.add_argument("what", nargs="*", metavar="WHAT|KEY=VALUE")
    export = command("export", "one of the analysis tables as .csv, .parquet or .xlsx")
    export.add_argument("kind", metavar="KIND")
    export.add_argument("--to", metavar="FILE", type=Path, required=True)
    sql = command("sql", "a read-only question to the analysis tables")
    sql.add_argument("query", metavar="QUERY")


def _declare_backup(command: Declare) -> None:
    backup = command("backup", "the data of this installation in one file, taken while it works")
    backup.add_argument("file", metavar="FILE", type=Path, help="a new file, such as /srv/backups/2026-01-31.zip")
    backup.add_argument("--with-secrets", action="store_true", help="tokens and the key to them as well")
    restore = command("restore", "put a backup into an empty installation")
    restore.add_argument("file", metavar="FILE", type=Path)
    command("rebuild", "a new ledger out of the two books alone, where the old one is lost; writes to neither book")


def _declare_set_up(command: Declare) -> None:
    imports = command("import-contacts", "active Xero contacts to CrocoClick, matched by email")
    imports.add_argument("--dry-run", action="store_true", help="only say what would become of each")
    command("duplicates", "contacts that share an email, in Xero, in CrocoClick and across")
    check = command("check", "the go-live readiness report")
    check.add_argument("--certificate", metavar="FILE", type=Path, help="also write it as one HTML file to hand over")
    plan = command("plan", "what a sync would do; touches neither book")
    plan.add_argument("--invoice", metavar="WHAT", default="", help="only this one")
    plan.add_argument("--full", action="store_true", help="read everything again, as `sync --full` does")
    changes = "as if this setting were so; may be given several times"
    plan.add_argument("--with", metavar="KEY=VALUE", dest="changes", action="append", default=[], help=changes)
    test = command("test-invoice", "test the set-up with a small invoice that is voided again, or check one")
    test.add_argument("--invoice", metavar="WHAT", default="", help="only check this one; nothing is made or voided")
    contact = "make one for this contact: an email, a name, an id"
    test.add_argument("--contact", metavar="WHAT", default="", help=contact)


def _declare_reconcile(command: Declare) -> None:
    does = "both books compared to the cent, without a write to either: documents, payments, credit notes"
    reconcile = command("reconcile", does)
    first = "first issue date, such as 2026-01-01 (default: the setting start_date, else the first document)"
    reconcile.add_argument("--from", dest="first", metavar="DATE", type=_date, help=first)
    last = "last issue date, included (default: the last document); payments count by their own day"
    reconcile.add_argument("--to", dest="last", metavar="DATE", type=_date, help=last)
    proof = "also write what was compared, sealed; a file that exists is refused"
    reconcile.add_argument("--proof", metavar="FILE", type=Path, help=proof)
    verify = "say whether such a file is as it was written; compares nothing anew and needs no connection"
    reconcile.add_argument("--verify", metavar="FILE", type=Path, help=verify)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year <= 2200:
        raise argparse.ArgumentTypeError("a date such as 2026-01-31 was expected")
    return day


def _seconds(text: str) -> timedelta:
    if not text.isdecimal() or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError("a whole number of seconds from 1 to 86400 was expected")
    return timedelta(seconds=int(text))
