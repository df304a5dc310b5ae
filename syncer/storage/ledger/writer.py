"""Writing in one transaction, for one connection and run: the columns that every row shares are added here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from syncer.domain.model.books import BookContact, BookInvoice
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import told
from syncer.storage.database.store import Tx, named_queries
from syncer.storage.ledger.records import PlannedState, address_text, as_json, code_of, facts_of

QUERIES = named_queries(Path(__file__).with_name("queries.sql"))

Columns = Mapping[str, Sequence[Any]]
Told = tuple[str, str, Problem | None]  # source id, what happened, why
Done = tuple[str, Any, Any]  # the subject, what it was before, what it is after
NOBODY = ("", "sync", "Xero")  # what these write down no person did


@dataclass(frozen=True)
class AuditEntry:
    """What a person does, as the audit trail tells it."""

    by: str
    what: str


@dataclass(frozen=True)
class LedgerWriter:
    """One transaction at one moment."""

    tx: Tx
    connection: str
    run_id: str
    now: datetime

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a named query, for this connection."""
        return self.tx.rows(QUERIES[query], {"connection": self.connection})

    def append(self, table: str, columns: Columns) -> list[int]:
        """Append rows to a table that is kept in id order; returns the ids they got."""
        count = _length(columns)
        first = self.tx.next_id(table)
        ids = list(range(first, first + count))
        self.tx.insert(table, {"id": ids, "connection": [self.connection] * count, **columns})
        return ids

    def insert(self, table: str, columns: Columns) -> None:
        """Insert rows of this connection."""
        self.tx.insert(table, {"connection": [self.connection] * _length(columns), **columns})

    def change(self, table: str, columns: Columns) -> None:
        """Change rows of this connection, found by the `source_id` among the columns."""
        whole = {"connection": [self.connection] * _length(columns), **columns}
        self.tx.update_from(table, ["connection", "source_id"], whole)

    def put(self, table: str, key: str, columns: Columns) -> None:
        """Insert rows of this connection, or change those that have the same `key`."""
        whole = {"connection": [self.connection] * _length(columns), **columns}
        self.tx.upsert(table, ["connection", key], whole)

    def set_state(self, ids: Sequence[str], state: str, problem: Problem | None = None, stamp: str = "") -> None:
        """Give invoices one state for one reason, from now on."""
        self.change("invoice", {"source_id": list(ids), **self.state(len(ids), state, problem, stamp)})

    def decide(self, verdicts: Sequence[PlannedState]) -> None:
        """Give each invoice the state that was decided for it, from now on."""
        columns: dict[str, list[Any]] = {
            "source_id": [one.source_id for one in verdicts],
            "state": [one.state for one in verdicts],
            "cause": [code_of(one.problem) for one in verdicts],
            "facts": [facts_of(one.problem) for one in verdicts],
            "decided_at": [self.now] * len(verdicts),
            "retry_at": [None] * len(verdicts),
        }
        self.change("invoice", columns)

    def state(self, count: int, state: str, problem: Problem | None = None, stamp: str = "") -> dict[str, list[Any]]:
        """The columns of one state for one reason, from now on."""
        same = {
            "state": state,
            "cause": code_of(problem),
            "facts": facts_of(problem),
            "refused_stamp": stamp or None,
            "decided_at": self.now,
        }
        return {name: [value] * count for name, value in same.items()}

    def tell(self, kind: str, told: Sequence[Told], by: str = "sync") -> None:
        """Add to the stories of records."""
        count = len(told)
        self.append(
            "history",
            {
                "run_id": [self.run_id] * count,
                "kind": [kind] * count,
                "source_id": [source_id for source_id, _, _ in told],
                "happened_at": [self.now] * count,
                "what": [what for _, what, _ in told],
                "cause": [code_of(problem) for _, _, problem in told],
                "facts": [facts_of(problem) for _, _, problem in told],
                "by_whom": [by] * count,
            },
        )

    def audit(self, deed: AuditEntry, done: Sequence[Done]) -> None:
        """Write down what a person did: each subject with what it was before and is after."""
        if deed.by in NOBODY:
            return
        same = {"happened_at": self.now, "by_whom": deed.by, "what": deed.what}
        columns: dict[str, list[Any]] = {name: [value] * len(done) for name, value in same.items()}
        columns["subject"] = [subject for subject, _, _ in done]
        columns["before"] = [None if before is None else as_json(before) for _, before, _ in done]
        columns["after"] = [None if after is None else as_json(after) for _, _, after in done]
        self.append("audit", columns)

    def standing(self, kind: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """How some `invoices`, `contacts` or `answers` stand now, for the audit trail."""
        asked = {"connection": self.connection, "ids": list(ids)}
        rows = self.tx.rows(QUERIES[f"standing_{kind}"], asked)
        return {row["source_id"]: {name: row[name] for name in row if name != "source_id"} for row in rows}

    def wake(self, ids: Sequence[str]) -> None:
        """Look again at invoices of which we thought that both sides agree."""
        self.tx.execute(
            "UPDATE invoice SET state = 'waiting' WHERE connection = $connection AND state = 'synced' "
            "AND list_contains($ids, source_id)",
            {"connection": self.connection, "ids": list(ids)},
        )

    def wake_unapproved(self) -> None:
        """Look again at those that wait for approval in Xero: whether they still have to is a setting."""
        self.tx.execute(
            "UPDATE invoice SET state = 'waiting' WHERE connection = $connection AND state = 'synced' "
            "AND xero_status IN ('DRAFT', 'SUBMITTED') AND status <> 'draft'",
            {"connection": self.connection},
        )

    def reach(self, reached: Mapping[str, datetime]) -> None:
        """Note how far something was read."""
        self.put("watermark", "name", {"name": list(reached), "reached_at": list(reached.values())})

    def mirror_contacts(self, contacts: Sequence[BookContact]) -> None:
        """Bring the mirror of Xero's contacts up to these."""
        names = (
            "name email number status merged_to phone updated_at first_name last_name is_customer is_supplier"
        ).split()
        columns = {"xero_id": [one.id for one in contacts], **columns_of(contacts, names)}
        columns["address"] = [address_text(one.address) for one in contacts]
        self.put("book_contact", "xero_id", columns)

    def mirror_invoices(self, invoices: Sequence[BookInvoice]) -> None:
        """Bring the mirror of Xero's sales invoices up to these."""
        names = (
            "number status currency total total_tax amount_due amount_paid url contact_id issue_date due_date "
            "updated_at"
        ).split()
        self.put("book_invoice", "xero_id", {"xero_id": [one.id for one in invoices], **columns_of(invoices, names)})


def columns_of(records: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """The fields of records that are called like their columns."""
    return {name: [getattr(one, name) for one in records] for name in names}


def in_xero(invoices: Sequence[BookInvoice]) -> dict[str, list[Any]]:
    """What stands in Xero, as the columns of our own invoice rows."""
    fields = {
        "xero_id": "id",
        "xero_number": "number",
        "xero_status": "status",
        "xero_total": "total",
        "xero_tax": "total_tax",
        "xero_amount_due": "amount_due",
        "xero_amount_paid": "amount_paid",
    }
    columns = {column: [getattr(one, field) for one in invoices] for column, field in fields.items()}
    return columns | {"xero_head": [as_json(told(one)) for one in invoices]}


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))
