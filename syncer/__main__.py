"""The same questions and orders as the console, from a terminal: `python -m syncer COMMAND`."""

import argparse
import os
import re
import shlex
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

# DuckDB imports pandas with the first parameter that is bound (0.3 s), if there is one; no command needs it.
sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # because: None is how Python marks what may not be imported

from syncer.app import consent
from syncer.app.installation import DEFAULT, App, Connection, who
from syncer.app.watch import EVERY
from syncer.app.worker import Watches
from syncer.cli import contacts, readiness, test_invoice
from syncer.cli.consent_server import answer_on
from syncer.cli.output import DONE, FAILED, HELD, LATER, NOT_CONNECTED, USAGE, Out, flush, stoppable
from syncer.domain import settings
from syncer.domain.errors import HaltRun, LedgerBusy, Reconnect, SyncerError, TryLater, WrongUsage
from syncer.domain.model.problems import Problem
from syncer.messages import status as status_messages
from syncer.storage.database.damage import of_disk
from syncer.storage.ledger.writer import Deed
from syncer.support import explain as explain_support
from syncer.support import orders
from syncer.sync.run import Outcome

STARTED = ("sync", "import-contacts", "check", "test-invoice")  # what the audit trail tells of a terminal
Declare = Callable[[str, str], argparse.ArgumentParser]  # adds a command: its name, and what it does


class Parser(argparse.ArgumentParser):
    """Wrong usage is refused with what is wrong and how to find out what is right."""

    def error(self, message: str) -> NoReturn:
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
    _declare_watch(command)
    contacts.declare(command)
    readiness.declare(command)
    test_invoice.declare(command)
    _declare_questions_and_orders(command)
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
    watch.add_argument("--every", metavar="SECONDS", type=_seconds, default=EVERY, help=every)
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
    order = command("order", f"give an order: {', '.join((*orders.ORDERS, 'ignore'))}")
    order.add_argument("name", metavar="NAME")
    order.add_argument("what", nargs="*", metavar="WHAT|KEY=VALUE")
    export = command("export", "one of the analysis tables as .csv, .parquet or .xlsx")
    export.add_argument("kind", metavar="KIND")
    export.add_argument("--to", metavar="FILE", type=Path, required=True)
    sql = command("sql", "a read-only question to the analysis tables")
    sql.add_argument("query", metavar="QUERY")


def main(words_given: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = sys.argv[1:] if words_given is None else list(words_given)
    out = Out("--json" in given)
    os.umask(0o077)  # the ledger's side files and logs are for this user alone
    try:
        asked = parser().parse_args(given)
        asked.only, asked.connection = asked.connection, asked.connection or DEFAULT
        app = App.open()
        if asked.command in STARTED and sys.stdin.isatty():
            # A person at a terminal; what cron starts nobody asked for, and the console has written it down itself.
            app.register.note(Deed(who(), "started"), app.clock.now(), asked.command, asked.connection)
        return COMMANDS[asked.command](app, asked, out)
    except WrongUsage as wrong:
        return _failed(out, USAGE, wrong.code, wrong.sentence)
    except Reconnect as gone:
        return _failed(out, NOT_CONNECTED, gone.code, status_messages.failure(gone.code, gone.facts))
    except TryLater as later:
        return _failed(out, LATER, later.code, status_messages.failure(later.code, later.facts))
    except SyncerError as failure:
        return _failed(out, FAILED, failure.code, status_messages.failure(failure.code, failure.facts))
    except Exception as error:  # noqa: BLE001 — the last place where a failure of our own can become a sentence
        if isinstance(error, OSError) and (known := of_disk(error)):
            return _failed(out, FAILED, known.code, status_messages.failure(known.code, known.facts))
        return _failed(out, FAILED, "unforeseen", _kept_failure())
    except KeyboardInterrupt:
        return _failed(out, LATER, "stopped", "Stopped. The next run settles what was under way.")


def _kept_failure() -> str:
    """Write down what a developer needs, and say it in a sentence."""
    path = settings.environment().data_dir / "failures.log"
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{traceback.format_exc()}\n")
    except OSError:
        return "Something went wrong that this program did not foresee, and it could not be written down."
    return (
        f"Something went wrong that this program did not foresee; the details are in {path}. "
        "Nothing is lost: the next run settles what was under way. If it happens again, send that file to us."
    )


def _failed(out: Out, status: int, code: str, sentence: str) -> int:
    if out.as_json:
        out.json({"error": {"code": code, "sentence": sentence}})
    out.aside.print(sentence, markup=False)
    return status


# -- connecting -----------------------------------------------------------------------------------------------


def do_connect(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Ask for consent, wait for it, choose the organisation."""
    connection = _connection_to_connect(app, asked)
    if asked.client_credentials:
        found = consent.connect_custom(connection, asked.organisation)
    else:
        found = _consent(connection, asked, out)
    if found.organisation is None:
        found = consent.choose(connection, asked.organisation or _ask_which(found, out))
    told = consent.status(connection)
    if out.as_json:
        out.json(told)
    out.say(f"Connected to {found.organisation}.")
    if told["crococlick"]["state"] != "connected":
        code = f"crococlick_{told['crococlick']['state']}"
        return _failed(Out(False), NOT_CONNECTED, code, status_messages.failure(code, {}))
    return DONE


def _connection_to_connect(app: App, asked: argparse.Namespace) -> Connection:
    if bool(asked.location) != bool(asked.token_file):
        raise WrongUsage("--location and --token-file go together: they make a further connection.")
    if not asked.location:
        return app.connection(asked.connection)
    if asked.connection == DEFAULT:
        raise WrongUsage("Name the further connection: --connection NAME.")
    try:
        token = asked.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise WrongUsage(f"--token-file: {asked.token_file} cannot be read ({error.strerror}).") from error
    return consent.add(app, asked.connection, asked.location, token)


def _consent(connection: Connection, asked: argparse.Namespace, out: Out) -> consent.Connected:
    since = connection.app.clock.now()
    url = consent.begin(connection)
    found: list[consent.Connected] = []

    def ready() -> None:
        (out.aside if out.as_json else out.words).print(url, markup=False, soft_wrap=True)
        out.note("Open this address and allow access; waiting for Xero's answer.")
        if not asked.no_browser:
            _open_browser(url)

    def take(callback: dict[str, str], address: str) -> str:
        found.append(consent.finish(connection.app, callback, address))
        return "You can close this page and go back to the terminal."

    def done() -> bool:
        tokens = connection.tokens.tokens()
        return bool(tokens and tokens.obtained_at >= since)

    answer_on(connection.app.environment.xero_redirect_uri, take, done, ready)
    return found[0] if found else consent.choose(connection, asked.organisation)


def _open_browser(url: str) -> None:
    import webbrowser

    webbrowser.open(url)


def _ask_which(found: consent.Connected, out: Out) -> str:
    """Ask a person, or fail with the list where nobody can be asked."""
    names = [name for _, name in found.choices]
    if out.as_json or not sys.stdin.isatty():
        raise Reconnect("several_organisations", organisations=[{"name": name} for name in names])
    for place, name in enumerate(names, 1):
        out.say(f"{place}. {name}")
    answer = input("Which organisation? Number: ").strip()
    if not answer.isdecimal() or not 1 <= int(answer) <= len(names):
        raise WrongUsage(f"A number from 1 to {len(names)} was expected.")
    return found.choices[int(answer) - 1][0]


def do_disconnect(app: App, asked: argparse.Namespace, out: Out) -> int:
    """End the connection."""
    connection = app.connection(asked.connection)
    consent.disconnect(connection)
    if out.as_json:
        out.json(consent.status(connection))
    out.say("Disconnected. The ledger stays; connect again to go on.")
    return DONE


def do_end_sign_ins(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Forget the key that signs the cookies of sign-ins: the console makes another when it starts."""
    app.vault.remove("console")
    app.register.note(Deed(who(), "ended_sign_ins"), app.clock.now(), "all")
    if out.as_json:
        out.json({"ended": True})
    out.say("Every sign-in ends when the console is started again: do that now.")
    return DONE


def do_status(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Ask both sides how they are, and tell."""
    connection = app.connection(asked.connection)
    told = consent.look_again(connection)
    names = [one.name for one in app.connections()]
    if out.as_json:
        out.json({**told, "connections": names})
        return DONE
    organisation, source, run = told["organisation"], told["crococlick"], told["last_run"]
    out.say("Xero         " + CONNECTION_WORDS.get(told["state"], told["state"]))
    if organisation:
        out.say(
            f"Organisation {organisation['name']} ({organisation['country']}, {organisation['base_currency']}, "
            f"plan {str(organisation['plan']).title()})"
        )
    out.say(
        f"CrocoClick   {SOURCE_WORDS.get(source['state'], source['state'])}, "
        f"location {source['location'] or 'unknown'}, time zone {source['timezone'] or 'unknown'}"
    )
    out.say(f"Calls left   {told['calls_left']['day'] if told['calls_left']['day'] is not None else 'unknown'} today")
    out.say(f"Last run     {_run_line(run) if run else 'none yet'}")
    if len(names) > 1:
        out.say(f"Connections  {', '.join(names)}; this is {connection.name}")
    return DONE


CONNECTION_WORDS = {
    "connected": "connected",
    "not_connected": "not connected: run `python -m syncer connect`",
    "consent_revoked": "the consent has ended: run `python -m syncer connect`",
    "scope_missing": "a permission is missing: connect again and allow everything",
    "wrong_organisation": "the organisation is no longer connected: run `python -m syncer connect`",
}
SOURCE_WORDS = {
    "connected": "connected",
    "not_connected": "not connected: set CROCOCLICK_TOKEN and CROCOCLICK_LOCATION_ID",
    "token_refused": "the token is not accepted",
    "scope_missing": "the token lacks a permission",
    "wrong_location": "the token belongs to another location",
}


def _run_line(run: Mapping[str, Any]) -> str:
    done = {name: number for name, number in run["outcomes"].items() if number}
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in done.items())
    return f"{run['started_at']}, {run['ended']}: {told or 'nothing to do'}"


# -- settings -------------------------------------------------------------------------------------------------


def do_settings(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Show the settings in force, or change some: all of them or none."""
    connection = app.connection(asked.connection)
    if asked.verb == "set":
        connection.ledger.change_settings(settings.parsed(asked.changes), who(), app.clock.now())
        connection.decide()
    elif asked.changes:
        raise WrongUsage("To change settings say `settings set KEY=VALUE`.")
    stored = {row["key"]: row for row in connection.ledger.rows("settings")}
    keys = [*settings.SETTINGS, *(key for key in stored if key not in settings.SETTINGS)]
    shown = [_shown(key, stored.get(key)) for key in keys]
    if out.as_json:
        out.json({"connection": connection.name, "settings": {row["key"]: row for row in shown}})
    out.table(
        ["setting", "value", "", "meaning"],
        [
            [r["key"], r["value"], "" if r["changed_by"] is None else f"set by {r['changed_by']}", r["meaning"]]
            for r in shown
        ],
    )
    return DONE


def _shown(key: str, row: Mapping[str, Any] | None) -> dict[str, Any]:
    known = settings.setting(key)
    made = row if row and row["value"] is not None else None
    return {
        "key": key,
        "value": made["value"] if made else known.default,
        "default": known.default,
        "meaning": known.meaning,
        "changed_at": explain_support.iso(made["changed_at"]) if made else None,
        "changed_by": made["changed_by"] if made else None,
    }


# -- runs and plans ---------------------------------------------------------------------------------------------


def do_sync(app: App, asked: argparse.Namespace, out: Out) -> int:
    """One run, with a bar on a terminal; Ctrl-C stops it cleanly."""
    connection = app.connection(asked.connection)
    only = readiness.scope(connection, asked.invoice)
    wanted = connection.orders(scope=asked.invoice, only=only, full=asked.full)
    with out.progress() as tell, stoppable(out) as stop:
        outcome = connection.run(wanted, who(), tell, stop)
    consent.note_failure(connection, outcome.failure)
    return _report(connection, outcome, only, out)


def _seconds(text: str) -> timedelta:
    if not text.isdecimal() or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError("a whole number of seconds from 1 to 86400 was expected")
    return timedelta(seconds=int(text))


def do_watch(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Watch every connection, or one, until Ctrl-C, SIGTERM or the end of whoever started it."""
    if asked.only:
        app.connection(asked.only)
    watches = Watches(app, asked.only or "", asked.every, out.note, asked.with_parent)
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


def _report(connection: Connection, outcome: Outcome, only: frozenset[str], out: Out) -> int:
    row = connection.ledger.row("run", run_id=outcome.run_id)
    assert row is not None  # noqa: S101 — it was written a moment ago
    told = explain_support.run_summary(row)
    held = explain_support.held_list(connection.ledger, only)
    if out.as_json:
        out.json({**told, "held": held})
    _tell_run(told, held, outcome, out)
    return _status_of(outcome, bool(held) or bool(outcome.unreadable))


def _tell_run(told: Mapping[str, Any], held: Sequence[Mapping[str, Any]], outcome: Outcome, out: Out) -> None:
    done = [(name.replace("_", " "), f"{number:,}") for name, number in told["outcomes"].items() if number]
    out.table(["outcome", "invoices"], done or [("nothing to do", "")], right=["invoices"])
    for currency, sums in told["money"].items():
        synced, waiting = status_messages.money(sums["synced"], currency), status_messages.money(sums["held"], currency)
        out.say(f"{currency}: {synced} in Xero, {waiting} held")
    out.say(f"Calls: {told['calls']['xero']} to Xero, {told['calls']['crococlick']} to CrocoClick")
    if held:
        out.say(f"\n{status_messages.count(len(held), 'invoice')} held for a person:")
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


def _status_of(outcome: Outcome, held: bool) -> int:
    if isinstance(outcome.failure, Reconnect):
        return NOT_CONNECTED
    if outcome.ended in ("deferred", "stopped"):
        return LATER
    if outcome.failure:
        return FAILED
    return HELD if held else DONE


# -- questions ----------------------------------------------------------------------------------------------------


def do_explain(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Why one invoice is or is not in Xero."""
    connection = app.connection(asked.connection)
    try:
        found = readiness.found(connection, asked.what)
    except LedgerBusy:
        raise
    except (Reconnect, TryLater, HaltRun) as failure:
        return _unknown(failure, out)
    if len(found) > 1:
        connection.notice()
        return _several(explain_support.find(connection.ledger, asked.what), out)
    row = connection.ledger.row("connection") or {}
    story = connection.explain(found[0])
    link = explain_support.deep_link(row.get("short_code") or "", found[0]["xero_id"] or "")
    told = explain_support.explained(story, link)
    if out.as_json:
        out.json(told)
        return DONE
    invoice = told["invoice"]
    mark, word = status_messages.STATES[told["state"]]
    out.say(
        f"{invoice['number']} · {invoice['customer']['name']} · {status_messages.money(invoice['total'], invoice['currency'])} · "
        f"{status_messages.STATUSES[invoice['status']]}"
    )
    out.say(f"{mark} {word} · {told['verdict']}")
    if told["remedy"]:
        out.say(f"Next ({told['remedy']['who']}): {told['remedy']['sentence']}")
        for answer in told["remedy"]["answers"][:6]:
            out.say(f"  {answer['label']}: python -m syncer {shlex.join(answer['order'])}")
    if link:
        out.say(link)
    out.table(["when", "what", "by"], [(one["at"], one["what"], one["by"]) for one in told["history"]])
    return DONE


def _unknown(failure: SyncerError, out: Out) -> int:
    """The ledger does not know it, and CrocoClick cannot be asked: that is all there is to say."""
    told = explain_support.unknown(Problem(failure.code, failure.facts))
    if out.as_json:
        out.json(told)
        return DONE
    out.say(told["verdict"])
    if told["remedy"]:
        out.say(f"Next ({told['remedy']['who']}): {told['remedy']['sentence']}")
    return DONE


def _several(found: Sequence[Mapping[str, Any]], out: Out) -> int:
    if out.as_json:
        out.json({"matches": [explain_support.head(row) for row in found]})
    rows = [
        (
            row["number"],
            row["contact_name"],
            status_messages.money(row["total"], row["currency"]),
            status_messages.STATES[row["state"]][1],
        )
        for row in found
    ]
    out.table(["number", "customer", "total", "state"], rows, right=["total"])
    return DONE


def do_order(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Write a person's order down; the next run carries it out."""
    connection = app.connection(asked.connection)
    name, what, said = order_of(asked)
    if contacts.is_about_contacts(connection, name, what):
        return contacts.order(connection, name, what, said, who(), out)
    rows = {row["source_id"]: row for one in what for row in explain_support.meant(connection.ledger, one)}
    given = orders.Desk(connection.ledger, who(), app.clock.now()).give(name, list(rows.values()), said)
    connection.decide(orders.touched(name, list(rows.values())))
    if out.as_json:
        invoices = [{"invoice_id": row["source_id"], "number": row["number"]} for row in given.invoices]
        out.json({"order": given.name, "given": invoices, "sentence": given.sentence})
    for row in given.invoices[:20]:
        out.say(f"{row['number'] or row['source_id']} · {row['contact_name']}")
    out.say(given.sentence)
    return DONE


def order_of(asked: argparse.Namespace) -> tuple[str, list[str], dict[str, str]]:
    """The order's name, what it is for, and the values given with it."""
    if asked.command == "skip":
        said = {"because": asked.because, "until": asked.until}
        return "skip", asked.what, {key: value for key, value in said.items() if value}
    if asked.command != "order":
        return asked.command, asked.what, {}
    pairs = [one.partition("=") for one in asked.what if _VALUE.match(one)]
    return asked.name, [one for one in asked.what if not _VALUE.match(one)], {key: value for key, _, value in pairs}


_VALUE = re.compile(r"[A-Za-z_][\w.%+-]*=")


def do_export(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Write one analysis table to a file."""
    from syncer.reports.table_export import export

    _notice(app)
    rows = export(app.analysis, asked.kind, asked.to, _limit(app, asked))
    app.register.note(Deed(who(), "exported"), app.clock.now(), asked.kind, asked.only or "")
    if out.as_json:
        out.json({"kind": asked.kind, "to": str(asked.to), "rows": rows})
    out.say(f"{status_messages.count(rows, 'row')} written to {asked.to}.")
    return DONE


def _notice(app: App) -> None:
    """What stands in the way of each connection, as far as is known without a call: its tables tell it too."""
    for connection in app.connections():
        connection.notice()


def _limit(app: App, asked: argparse.Namespace) -> list[str] | None:
    """The connection whose rows are meant, where one was named; None for all."""
    return [app.connection(asked.only).name] if asked.only else None


def do_sql(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Ask the analysis tables."""
    _notice(app)
    app.analysis.refresh()
    answer = app.analysis.ask(asked.query, _limit(app, asked))
    if out.as_json:
        out.json({"columns": answer.columns, "rows": answer.rows, "truncated": answer.truncated})
    out.table(list(answer.columns), answer.rows)
    if answer.truncated:
        out.note("There are more rows; only the first were read.")
    return DONE


COMMANDS: Mapping[str, Callable[[App, argparse.Namespace, Out], int]] = {
    "connect": do_connect,
    "disconnect": do_disconnect,
    "end-sign-ins": do_end_sign_ins,
    "status": do_status,
    "settings": do_settings,
    "sync": do_sync,
    "watch": do_watch,
    "import-contacts": contacts.do_import,
    "duplicates": contacts.do_duplicates,
    "check": readiness.do_check,
    "plan": readiness.do_plan,
    "test-invoice": test_invoice.do_test_invoice,
    "explain": do_explain,
    "retry": do_order,
    "skip": do_order,
    "unskip": do_order,
    "order": do_order,
    "export": do_export,
    "sql": do_sql,
}

if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        flush()
