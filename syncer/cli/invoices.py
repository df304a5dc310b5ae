"""The commands about single invoices: `explain`, and the orders."""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from syncer.app import states
from syncer.app.installation import App, who
from syncer.cli import contacts, readiness
from syncer.cli.output import DONE, Out
from syncer.domain.errors import HaltRun, LedgerBusy, Reconnect, SyncerError, TryLater
from syncer.domain.model.problems import Problem
from syncer.messages import format
from syncer.support import explain as explain_support
from syncer.support import orders, search


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
        states.notice(connection)
        return _several(search.find(connection.ledger, asked.what), out)
    row = connection.ledger.row("connection") or {}
    story = states.explain(connection, found[0])
    link = explain_support.deep_link(row.get("short_code") or "", found[0]["xero_id"] or "")
    told = explain_support.explained(story, link)
    if out.as_json:
        out.json(told)
        return DONE
    invoice = told["invoice"]
    mark, word = format.STATES[told["state"]]
    out.say(
        f"{invoice['number']} · {invoice['customer']['name']} · "
        f"{format.money(invoice['total'], invoice['currency'])} · {format.STATUSES[invoice['status']]}"
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
            format.money(row["total"], row["currency"]),
            format.STATES[row["state"]][1],
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
    rows = {row["source_id"]: row for one in what for row in search.meant(connection.ledger, one)}
    given = orders.OrderDesk(connection.ledger, who(), app.clock.now()).give(name, list(rows.values()), said)
    states.decide(connection, orders.touched(name, list(rows.values())))
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
