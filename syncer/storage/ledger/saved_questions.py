"""Saved questions: those that come with the product, in a file, and those of people, in the ledger."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from syncer.domain.errors import WrongUsage
from syncer.storage.database.store import Store, Tx
from syncer.storage.ledger.writer import AuditEntry, LedgerWriter

MOST = 500
EXAMPLE = """SELECT state, currency, count(*) AS invoices, sum(total) AS money
FROM invoices
GROUP BY ALL
ORDER BY money DESC"""
QUESTIONS = Path(__file__).parents[1] / "analysis" / "questions.toml"  # those that the product brings
_BY_ID = "SELECT * FROM question WHERE question_id = ?"


@cache
def shipped() -> Sequence[Mapping[str, Any]]:
    """The questions that come with the product, in their order."""
    found: list[dict[str, Any]] = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["question"]
    return found


def kept(store: Store) -> list[dict[str, Any]]:
    """The questions that people saved, by title."""
    return store.read(lambda reader: reader.rows("SELECT * FROM question ORDER BY lower(title), question_id"))


def keep(store: Store, row: Mapping[str, str], by: str, now: datetime, seen_at: datetime | None = None) -> None:
    """Save a question, or in place of what was seen at `seen_at`; raises WrongUsage where that has changed since."""

    def write(tx: Tx) -> None:
        before = tx.row(_BY_ID, [row["question_id"]])
        if seen_at and (before is None or before["changed_at"] != seen_at):
            whose = f"{before['changed_by']} has changed" if before else "somebody has deleted"
            raise WrongUsage(
                f"It cannot be saved in its place: {whose} it meanwhile. Save it as another, or look again."
            )
        if before is None and int(tx.value("SELECT count(*) FROM question")) >= MOST:
            raise WrongUsage(f"There are {MOST} saved questions already: delete some first.")
        after = {**row, "made_by": before["made_by"] if before else by, "changed_at": now, "changed_by": by}
        tx.upsert("question", ["question_id"], {name: [value] for name, value in after.items()})
        _note(tx, "question_saved", by, now, before, row)

    store.transaction(write)


def delete(store: Store, question_id: str, by: str, now: datetime) -> None:
    """Forget a question; the audit trail keeps what it was."""

    def write(tx: Tx) -> None:
        if before := tx.row(_BY_ID, [question_id]):
            tx.execute("DELETE FROM question WHERE question_id = ?", [question_id])
            _note(tx, "question_removed", by, now, before, None)

    store.transaction(write)


def _note(
    tx: Tx, what: str, by: str, now: datetime, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """The row of the audit trail."""
    subject = (after or before or {})["question_id"]
    LedgerWriter(tx, "", "", now).audit(AuditEntry(by, what), [(subject, _told(before), _told(after))])


def _told(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The content of a question for the audit trail, without its time and author, which have columns of their own."""
    said = ("title", "sentence", "sql", "parameters", "chart")
    return {name: row[name] for name in said} if row else None
