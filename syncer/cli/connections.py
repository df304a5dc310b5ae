"""The commands about connections: `connect`, `disconnect`, `end-sign-ins`, `status`, `settings`."""

import argparse
import sys
import webbrowser
from collections.abc import Mapping
from typing import Any

from syncer.app import consent, states
from syncer.app.installation import App, Connection, who
from syncer.cli.consent_server import answer_on
from syncer.cli.output import DONE, NOT_CONNECTED, Out, failed
from syncer.domain import settings
from syncer.domain.errors import Reconnect, WrongUsage
from syncer.domain.settings import DEFAULT
from syncer.messages import status as status_messages
from syncer.messages import times
from syncer.storage.ledger.writer import AuditEntry


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
        return failed(Out(False), NOT_CONNECTED, code, status_messages.failure(code, {}))
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
            webbrowser.open(url)

    def take(callback: dict[str, str], address: str) -> str:
        found.append(consent.finish(connection.app, callback, address))
        return "You can close this page and go back to the terminal."

    def done() -> bool:
        tokens = connection.tokens.tokens()
        return bool(tokens and tokens.obtained_at >= since)

    answer_on(connection.app.environment.xero_redirect_uri, take, done, ready)
    return found[0] if found else consent.choose(connection, asked.organisation)


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
    app.register.note(AuditEntry(who(), "ended_sign_ins"), app.clock.now(), "all")
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
    _, state, next_step = status_messages.connection_state(told["state"])
    out.say(f"Xero         {state}. {next_step}")
    if organisation:
        out.say(
            f"Organisation {organisation['name']} ({organisation['country']}, {organisation['base_currency']}, "
            f"plan {str(organisation['plan']).title()})"
        )
    out.say(
        f"CrocoClick   {status_messages.source_state(source['state'])[1]}, "
        f"location {source['location'] or 'unknown'}, time zone {source['timezone'] or 'unknown'}"
    )
    out.say(f"Calls left   {told['calls_left']['day'] if told['calls_left']['day'] is not None else 'unknown'} today")
    out.say(f"Last run     {_run_line(run) if run else 'none yet'}")
    if len(names) > 1:
        out.say(f"Connections  {', '.join(names)}; this is {connection.name}")
    return DONE


def _run_line(run: Mapping[str, Any]) -> str:
    done = {name: number for name, number in run["outcomes"].items() if number}
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in done.items())
    return f"{run['started_at']}, {run['ended']}: {told or 'nothing to do'}"


def do_settings(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Show the settings in force, or change some: all of them or none."""
    connection = app.connection(asked.connection)
    if asked.verb == "set":
        connection.ledger.change_settings(settings.parsed(asked.changes), who(), app.clock.now())
        states.decide(connection)
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
        "changed_at": times.iso(made["changed_at"]) if made else None,
        "changed_by": made["changed_by"] if made else None,
    }
