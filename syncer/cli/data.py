"""The commands for analysts: `export` and `sql`."""

import argparse

from syncer.app import states
from syncer.app.installation import App, who
from syncer.cli.output import DONE, Out
from syncer.messages import format
from syncer.reports.table_export import export
from syncer.storage.ledger.writer import AuditEntry


def do_export(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Write one analysis table to a file."""
    _notice(app)
    rows = export(app.analysis, asked.kind, asked.to, _limit(app, asked))
    app.register.note(AuditEntry(who(), "exported"), app.clock.now(), asked.kind, asked.only or "")
    if out.as_json:
        out.json({"kind": asked.kind, "to": str(asked.to), "rows": rows})
    out.say(f"{format.count(rows, 'row')} written to {asked.to}.")
    return DONE


def _notice(app: App) -> None:
    """What stands in the way of each connection, as far as is known without a call: its tables tell it too."""
    for connection in app.connections():
        states.notice(connection)


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
