"""The command that closes a period: `reconcile` compares both books, proves what it compared, and checks a proof."""

import argparse
import os
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from syncer.app import jobs
from syncer.app.installation import App, Connection
from syncer.cli.output import DONE, HELD, Out, stoppable
from syncer.domain.closing import proof
from syncer.domain.closing.documents import Span
from syncer.domain.errors import WrongUsage
from syncer.domain.version import VERSION
from syncer.messages import format
from syncer.messages.times import iso
from syncer.support import explain
from syncer.support.closing_told import Told

SHOWN = 40
PRIVATE = 0o600


def do_reconcile(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Compare both books, or say whether a proof is as it was written."""
    if asked.verify:
        return _verify(asked, out)
    connection = app.connection(asked.connection)
    span = _span(connection, asked)
    if asked.proof:
        _refuse_to_replace(asked.proof)
    with out.progress() as tell, stoppable(out) as stop:
        comparison, facts = jobs.compare_books(connection, span, tell, stop, out.note)
    told = Told(comparison, facts, explain.books(connection.ledger), connection.rules().approval)
    summary = told.summary()
    if asked.proof:
        lines = [_head(connection, asked, summary), *told.records()]
        summary["proof"] = {"file": str(asked.proof), "seal": _write(asked.proof, proof.sealed(lines))}
    if out.as_json:
        out.json(summary)
    else:
        _tell(summary, asked, out)
    return DONE if comparison.agrees else HELD


def _span(connection: Connection, asked: argparse.Namespace) -> Span:
    """The days asked for: without a first day those from the setting `start_date` on, without a last one all after."""
    first = asked.first or connection.rules().start_date
    if first and asked.last and first > asked.last:
        raise WrongUsage(f"--from {first} is after --to {asked.last}.")
    return Span(first, asked.last)


def _tell(summary: dict[str, Any], asked: argparse.Namespace, out: Out) -> None:
    chosen = "" if asked.first or asked.last else ", all that there is; choose with --from and --to"
    first, last = (format.day(summary[name]) if summary[name] else "the beginning" for name in ("from", "to"))
    out.say(f"Both books from {first} to {last}{chosen}.")
    documents = _by_document(summary["differences"])
    for those in documents[:SHOWN]:
        _tell_document(those, out)
    if (more := len(documents) - SHOWN) > 0:
        out.say(f"\nand {format.count(more, 'document')} more; `reconcile --json` lists all.")
    rows = [(name, one["crococlick"], one["xero"], one["residual"]) for name, one in summary["totals"].items()]
    if rows:
        out.say("")
        out.table(["total", "CrocoClick", "Xero", "unexplained"], rows, right=["CrocoClick", "Xero", "unexplained"])
    for sentence in summary["unexplained"]:
        out.say(sentence)
    out.say(f"\n{_verdict(summary)}")
    if made := summary.get("proof"):
        out.say(f"Proof written to {made['file']}. Note its seal elsewhere: {made['seal']}")


def _by_document(differences: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in differences:
        found.setdefault((one["number"], one["invoice_id"], one["xero_id"]), []).append(one)
    return list(found.values())


def _tell_document(differences: Sequence[Mapping[str, Any]], out: Out) -> None:
    """What differs in one document, and each next step once."""
    first, *others = (one["sentence"] for one in differences)
    out.say(f"\n{differences[0]['number'] or 'Without a number'}  {first}")
    for sentence in others:
        out.say(f"  {sentence}")
    steps = {(one["who"], one["next"], tuple(one["order"] or ())) for one in differences}
    for who, step, order in sorted(steps):
        out.say(f"  Next ({who}): {step}")
        if order:
            out.say(f"    python -m syncer {shlex.join(order)}")


def _verdict(summary: dict[str, Any]) -> str:
    documents = format.count(summary["compared"], "document")
    if not summary["differences"] and not summary["unexplained"]:
        return f"Both books agree: {documents} compared, no difference."
    differences = format.count(len(summary["differences"]), "difference")
    return f"{documents} compared, {summary['equal']:,} equal, {differences}."


# -- the proof ------------------------------------------------------------------------------------------------------


def _head(connection: Connection, asked: argparse.Namespace, summary: dict[str, Any]) -> dict[str, Any]:
    """What was compared, by which program, with which settings; settings hold no secret."""
    row = connection.ledger.row("connection") or {}
    return {
        "kind": "proof",
        "format": proof.FORMAT,
        "product": "crococlick-xero",
        "version": VERSION,
        "written_at": iso(connection.app.clock.now()),
        "connection": connection.name,
        "crococlick": {"location": row.get("location_id"), "name": row.get("location_name")},
        "timezone": row.get("timezone"),
        "xero": {"organisation": row.get("organisation_id"), "name": row.get("organisation_name")},
        "from": summary["from"],
        "to": summary["to"],
        "asked": {"from": asked.first and str(asked.first), "to": asked.last and str(asked.last)},
        "settings": dict(sorted(connection.settings().items())),
    }


def _refuse_to_replace(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise WrongUsage(f"--proof: {path} exists already, and a proof is never written over. Name another file.")
    if not path.resolve().parent.is_dir():
        raise WrongUsage(f"--proof: there is no folder {path.parent}.")


def _write(path: Path, lines: Iterable[bytes]) -> str:
    """Write the whole file at once, for this user alone, and return its seal; raises WrongUsage where it is there."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    last = b""
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
            for last in lines:
                file.write(last)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # unlike a rename it takes nobody's place
        except FileExistsError as error:
            raise WrongUsage(f"--proof: {path} exists by now, and a proof is never written over.") from error
        except OSError:  # a file system without links
            _refuse_to_replace(path)
            part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return proof.hash_of(last)


def _verify(asked: argparse.Namespace, out: Out) -> int:
    """Say whether a proof is as it was written; needs no connection."""
    if asked.proof or asked.first or asked.last:
        raise WrongUsage("--verify goes alone: it compares nothing anew.")
    try:
        with asked.verify.open("rb") as file:
            verdict = proof.verified(file)
    except OSError as error:
        raise WrongUsage(f"--verify: {asked.verify} cannot be read ({error.strerror}).") from error
    if verdict.is_whole:
        lines = format.count(verdict.lines, "line")
        said = f"{asked.verify} is as it was written: {lines}. Compare its seal with the one noted: {verdict.seal}"
    else:
        said = f"{asked.verify} is not as it was written: line {verdict.line} {verdict.why}."
    if out.as_json:
        seal = verdict.seal or None
        found = {"whole": verdict.is_whole, "lines": verdict.lines, "line": verdict.line, "seal": seal}
        out.json({"file": str(asked.verify), **found, "sentence": said})
    out.say(said)
    return DONE if verdict.is_whole else HELD
