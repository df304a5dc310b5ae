"""One connection's book of what was seen, decided, tried and answered: the writing side, used by a run.

Every method is one transaction or one reading. What a run learns and what it intends next are committed together in
`commit`, so that at any moment the ledger says for each record whether a write may be under way.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from syncer.core.books import BookContact, BookInvoice
from syncer.core.causes import Problem
from syncer.core.invoice import Customer, Invoice, Status, from_content
from syncer.core.payment import Payment
from syncer.core.plan import Standing
from syncer.ledger.store import Store, Tx, named_queries
from syncer.ports import BookPayment, CallRecord

QUERIES = named_queries(Path(__file__).with_name("queries.sql"))


@dataclass(frozen=True)
class Intent:
    """One try that is about to leave: committed before it does."""

    kind: str
    source_id: str
    action: str
    number: str
    call_id: str
    position: int
    key: str
    fingerprint: str
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenAttempt:
    """A try that never got an answer."""

    id: int
    intent: Intent
    begun_at: datetime
    status: str = ""


@dataclass(frozen=True)
class Ending:
    """How a try ended, and what follows for its record. Without `attempt_id` (bind) nothing was tried."""

    kind: str
    source_id: str
    outcome: str  # created, updated, voided, found, refused, not_arrived, deferred
    state: str
    attempt_id: int | None = None
    problem: Problem | None = None
    invoice: BookInvoice | None = None
    contact: BookContact | None = None
    payment: BookPayment | None = None
    owner: str = ""  # of a payment: the CrocoClick invoice
    fingerprint: str = ""
    status: str = ""
    stamp: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """What the planner decided for one invoice without a write."""

    source_id: str
    state: str
    problem: Problem | None = None
    refused: bool = False  # it is Xero's refusal that still stands


@dataclass(frozen=True)
class Known:
    """One invoice as the ledger holds it: what a plan needs."""

    invoice: Invoice
    standing: Standing
    state: str
    cause: str | None
    facts: Mapping[str, Any]
    tries: int = 0


@dataclass(frozen=True)
class KnownContact:
    """One CrocoClick contact: its binding, and what Xero refused before with what that depended on."""

    customer: Customer
    xero_id: str = ""
    refused_stamp: str = ""
    refusal: Problem | None = None
    tries: int = 0
    open: bool = False


class Ledger:
    """The book of one connection. Times are UTC; raises what `Store` raises."""

    def __init__(self, store: Store, connection: str) -> None:
        self.store = store
        self.connection = connection

    # -- reading ------------------------------------------------------------------------------------------------

    def rows(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of a named query, for this connection."""
        sql = QUERIES[query]
        if "$connection" in sql:
            params["connection"] = self.connection
        return self.store.read(lambda reader: reader.rows(sql, params))

    def row(self, query: str, **params: Any) -> dict[str, Any] | None:
        """The first row of a named query."""
        return next(iter(self.rows(query, **params)), None)

    def workload(self) -> list[Known]:
        """Every invoice that a plan has to look at."""
        return self._known(self.rows("workload"))

    def invoices(self, ids: Sequence[str]) -> list[Known]:
        """These invoices, whatever their state."""
        return self._known(self.rows("invoices_by_id", ids=list(ids)))

    def _known(self, rows: Sequence[Mapping[str, Any]]) -> list[Known]:
        """The invoices of these rows, with the payments of those that stand in Xero."""
        paid = [row["source_id"] for row in rows if row["xero_id"] and row["amount_paid"]]
        payments: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in self.rows("payments", ids=paid) if paid else ():
            payments[row["invoice_id"]].append(row)
        return [_known(row, payments.get(row["source_id"], ())) for row in rows]

    def shared_numbers(self) -> list[Known]:
        """The invoices whose number stands on several: heads only, enough to say who may use it."""
        return [_head(row) for row in self.rows("shared_numbers")]

    def contacts(self) -> dict[str, KnownContact]:
        """Every contact that an invoice names, as the newest of its invoices names it, with its binding."""
        return {row["source_id"]: _known_contact(row) for row in self.rows("contacts")}

    def open_attempts(self) -> list[OpenAttempt]:
        """Tries without an answer, call by call."""
        counted = self.row("open_subjects")
        if not counted or not counted["open"]:
            return []
        return [_open(row) for row in self.rows("open_attempts")]

    def book_contacts(self) -> list[BookContact]:
        """The mirror of Xero's contacts."""
        return [
            BookContact(
                row["xero_id"],
                row["name"],
                row["email"],
                row["number"],
                row["status"],
                row["merged_to"],
                row["phone"],
                row["updated_at"],
            )
            for row in self.rows("book_contacts")
        ]

    def book_invoices(self, numbers: Sequence[str] | None = None) -> list[BookInvoice]:
        """The mirror of Xero's sales invoices: all, or those that carry one of these numbers."""
        if numbers is None:
            return [_head_in_xero(row) for row in self.rows("book_invoices")]
        return [_head_in_xero(row) for row in self.rows("book_invoices_numbered", numbers=list(numbers))]

    def watermark(self, name: str) -> datetime | None:
        """When this was last read up to date."""
        row = self.row("watermark", name=name)
        return row["reached_at"] if row else None

    def is_bound(self) -> bool:
        """Whether any record of this connection stands in Xero."""
        row = self.row("bound")
        return bool(row and row["bound"])

    # -- the connection and its settings --------------------------------------------------------------------------

    def save_connection(self, now: datetime, **fields: Any) -> None:
        """Create the connection or change some of its fields."""

        def write(tx: Tx) -> None:
            known = tx.row(QUERIES["connection"], {"connection": self.connection})
            whole: dict[str, Any] = {"state": "not_connected", "source_state": "connected", **(known or {}), **fields}
            whole |= {"connection": self.connection, "changed_at": now}
            tx.upsert("connection", ["connection"], {name: [value] for name, value in whole.items()})

        self.store.transaction(write)

    def change_settings(self, changes: Mapping[str, str | None], by: str, now: datetime) -> None:
        """Append the new values; None is the default again."""

        def write(tx: Tx) -> None:
            first = tx.next_id("setting")
            tx.insert(
                "setting",
                {
                    "id": list(range(first, first + len(changes))),
                    "connection": [self.connection] * len(changes),
                    "key": list(changes),
                    "value": list(changes.values()),
                    "changed_at": [now] * len(changes),
                    "changed_by": [by] * len(changes),
                },
            )

        self.store.transaction(write)

    # -- a run ----------------------------------------------------------------------------------------------------

    def begin_run(self, run_id: str, scope: str, asked_by: str, pid: int, now: datetime) -> None:
        """Open a run; those that never said they ended were interrupted, since only one works at a time."""

        def write(tx: Tx) -> None:
            tx.execute(
                "UPDATE run SET finished_at = heard_at, ended = 'interrupted' "
                "WHERE connection = ? AND finished_at IS NULL",
                [self.connection],
            )
            row = {
                "run_id": run_id, "connection": self.connection, "kind": "sync", "scope": scope, "asked_by": asked_by,
                "pid": pid, "started_at": now, "heard_at": now, "phase": "starting", "done": 0, "todo": 0,
                "result": "{}",
            }  # fmt: skip
            tx.insert("run", {name: [value] for name, value in row.items()})

        self.store.transaction(write)

    def finish_run(self, run_id: str, ended: str, cause: str | None, result: Mapping[str, Any], now: datetime) -> None:
        """Close a run with what it came to."""
        self.store.transaction(
            lambda tx: tx.execute(
                "UPDATE run SET finished_at = $now, heard_at = $now, ended = $ended, cause = $cause, result = $result, "
                "phase = 'done' WHERE run_id = $run_id",
                {"now": now, "ended": ended, "cause": cause, "result": _json(result), "run_id": run_id},
            )
        )

    def see(
        self,
        run_id: str,
        invoices: Iterable[Invoice],
        now: datetime,
        reached: Mapping[str, datetime] | None = None,
    ) -> int:
        """Take in what CrocoClick shows: new and changed invoices become `waiting`; returns how many those were."""
        shown = {invoice.source_id: invoice for invoice in invoices}

        def write(tx: Tx) -> int:
            known = {r["source_id"]: r for r in tx.rows(QUERIES["known_invoices"], {"connection": self.connection})}
            new = [invoice for key, invoice in shown.items() if key not in known]
            moved = [one for key, one in shown.items() if key in known and _moved(one, known[key])]
            edited = [one for one in moved if one.fingerprint != known[one.source_id]["fingerprint"]]
            self._insert_new(tx, new, now)
            self._update_moved(tx, moved, now)
            self._replace_content(tx, new, edited)
            tx.execute(
                "UPDATE invoice SET seen_at = $now WHERE connection = $connection AND list_contains($ids, source_id)",
                {"now": now, "connection": self.connection, "ids": list(shown)},
            ) if len(shown) < 2000 else tx.update_from(
                "invoice",
                ["connection", "source_id"],
                {"connection": [self.connection] * len(shown), "source_id": list(shown), "seen_at": [now] * len(shown)},
            )
            self._tell(tx, run_id, "invoice", [(i.source_id, "seen", None) for i in new], now)
            self._tell(tx, run_id, "invoice", [(i.source_id, "changed", None) for i in edited], now)
            self._tell(
                tx,
                run_id,
                "invoice",
                [(i.source_id, f"status_{i.status}", None) for i in moved if i not in edited],
                now,
            )
            self._reach(tx, reached or {})
            return len(new) + len(moved)

        return self.store.transaction(write)

    def _insert_new(self, tx: Tx, new: Sequence[Invoice], now: datetime) -> None:
        count = len(new)
        tx.insert(
            "invoice",
            {
                **_seen_columns(self.connection, new, now),
                "first_seen_at": [now] * count,
                "decided_at": [now] * count,
                "tries": [0] * count,
            },
        )

    def _update_moved(self, tx: Tx, moved: Sequence[Invoice], now: datetime) -> None:
        columns = _seen_columns(self.connection, moved, now)
        # A try that is still open stays in doubt, whatever happens to the invoice meanwhile.
        open_now = {
            row["source_id"]
            for row in tx.rows(
                "SELECT source_id FROM invoice WHERE connection = ? AND open_attempt IS NOT NULL", [self.connection]
            )
        }
        columns["state"] = ["in_doubt" if one.source_id in open_now else "waiting" for one in moved]
        tx.update_from("invoice", ["connection", "source_id"], columns)

    def _replace_content(self, tx: Tx, new: Sequence[Invoice], edited: Sequence[Invoice]) -> None:
        gone = {"connection": [self.connection] * len(edited), "source_id": [one.source_id for one in edited]}
        tx.delete_where_keys("invoice_content", gone)
        for part in _portions([*new, *edited], 2000):
            tx.insert(
                "invoice_content",
                {
                    "connection": [self.connection] * len(part),
                    "source_id": [one.source_id for one in part],
                    "fingerprint": [one.fingerprint for one in part],
                    "content": [one.content for one in part],
                },
            )

    def take_customers(self, now: datetime) -> None:
        """Every contact that an invoice names, as the newest of its invoices names it; bindings stay."""
        self.store.transaction(lambda tx: self._take_customers(tx, now))

    def _take_customers(self, tx: Tx, now: datetime) -> None:
        rows = tx.rows(QUERIES["customer_snapshots"], {"connection": self.connection})
        known = {
            r["source_id"]: (r["name"], r["email"], r["company"], r["phone"])
            for r in tx.rows(QUERIES["contacts"], {"connection": self.connection})
        }
        customers = [Customer(*json.loads(row["customer"])) for row in rows]
        customers = [c for c in customers if known.get(c.id) != (c.name, c.email, c.company, c.phone)]
        columns: dict[str, list[Any]] = {
            "connection": [self.connection] * len(customers),
            "source_id": [c.id for c in customers],
            "name": [c.name for c in customers],
            "email": [c.email for c in customers],
            "company": [c.company for c in customers],
            "phone": [c.phone for c in customers],
            "seen_at": [now] * len(customers),
        }
        tx.upsert("contact", ["connection", "source_id"], columns)

    def see_payments(
        self, payments: Iterable[Payment], now: datetime, reached: Mapping[str, datetime] | None = None
    ) -> None:
        """Take in CrocoClick's transactions; the invoice of one that is new or has changed is looked at again."""
        shown = {one.source_id: one for one in payments}

        def write(tx: Tx) -> None:
            known = {
                row["source_id"]: _payment(row)
                for row in tx.rows("SELECT * FROM payment WHERE connection = ?", [self.connection])
            }
            moved = [one for one in shown.values() if known.get(one.source_id) != one]
            names = ("source_id", "invoice_id", "amount", "currency", "paid_on", "status", "refunded", "live", "method")
            columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in moved] for name in names}
            columns |= {"connection": [self.connection] * len(moved), "seen_at": [now] * len(moved)}
            tx.upsert("payment", ["connection", "source_id"], columns)
            tx.execute(
                "UPDATE invoice SET state = 'waiting' WHERE connection = $connection AND state = 'synced' "
                "AND list_contains($ids, source_id)",
                {"connection": self.connection, "ids": [one.invoice_id for one in moved]},
            )
            self._reach(tx, reached or {})

        self.store.transaction(write)

    def settle_verdicts(self, run_id: str, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Write down what the planner decided without a write; only what differs from before is told again."""

        def write(tx: Tx) -> None:
            before = {
                row["source_id"]: (row["state"], row["cause"], row["facts"])
                for row in tx.rows(
                    "SELECT source_id, state, cause, facts FROM invoice WHERE connection = ?", [self.connection]
                )
            }
            changed = [v for v in verdicts if before.get(v.source_id) != (v.state, _code(v.problem), _facts(v.problem))]
            tx.update_from(
                "invoice",
                ["connection", "source_id"],
                {
                    "connection": [self.connection] * len(changed),
                    "source_id": [v.source_id for v in changed],
                    "state": [v.state for v in changed],
                    "cause": [_code(v.problem) for v in changed],
                    "facts": [_facts(v.problem) for v in changed],
                    "decided_at": [now] * len(changed),
                    "retry_at": [None] * len(changed),
                },
            )
            # A refusal that no longer decides is forgotten, lest it stands again when things are as they were.
            tx.execute(
                "UPDATE invoice SET refused_stamp = NULL WHERE connection = $connection "
                "AND refused_stamp IS NOT NULL AND list_contains($ids, source_id)",
                {"connection": self.connection, "ids": [v.source_id for v in verdicts if not v.refused]},
            )
            told = [(v.source_id, v.state, v.problem) for v in changed if v.state != "waiting"]
            self._tell(tx, run_id, "invoice", told, now)

        self.store.transaction(write)

    def commit(
        self,
        run_id: str,
        now: datetime,
        *,
        endings: Sequence[Ending] = (),
        intents: Sequence[Intent] = (),
        calls: Sequence[CallRecord] = (),
        progress: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """One step of a run: what came back, then what leaves next. Returns the attempt ids of `intents`, in order."""

        def write(tx: Tx) -> list[int]:
            self._add_calls(tx, run_id, calls)
            self._end(tx, run_id, endings, now)
            ids = self._begin(tx, run_id, intents, now)
            if progress is not None:
                news = ", ".join(f"{name} = ${name}" for name in progress)
                tx.execute(
                    f"UPDATE run SET heard_at = $now, {news} WHERE run_id = $run_id",
                    {"now": now, "run_id": run_id, **progress},
                )
            return ids

        return self.store.transaction(write)

    def _begin(self, tx: Tx, run_id: str, intents: Sequence[Intent], now: datetime) -> list[int]:
        first, count = tx.next_id("attempt"), len(intents)
        ids = list(range(first, first + count))
        tx.insert(
            "attempt",
            {
                "id": ids,
                "connection": [self.connection] * count,
                "run_id": [run_id] * count,
                "call_id": [i.call_id for i in intents],
                "position": [i.position for i in intents],
                "kind": [i.kind for i in intents],
                "source_id": [i.source_id for i in intents],
                "action": [i.action for i in intents],
                "number": [i.number for i in intents],
                "idempotency_key": [i.key for i in intents],
                "fingerprint": [i.fingerprint for i in intents],
                "expected": [_json(i.expected) for i in intents],
                "begun_at": [now] * count,
            },
        )
        invoices = [(i, id_) for i, id_ in zip(intents, ids, strict=True) if i.kind == "invoice"]
        tx.update_from(
            "invoice",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * len(invoices),
                "source_id": [i.source_id for i, _ in invoices],
                "open_attempt": [id_ for _, id_ in invoices],
                "state": ["in_doubt"] * len(invoices),
                "cause": ["answer_lost"] * len(invoices),
                "facts": ["{}"] * len(invoices),
                "tried_at": [now] * len(invoices),
                "decided_at": [now] * len(invoices),
            },
        )
        contacts = [(i, id_) for i, id_ in zip(intents, ids, strict=True) if i.kind == "contact"]
        tx.update_from(
            "contact",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * len(contacts),
                "source_id": [i.source_id for i, _ in contacts],
                "open_attempt": [id_ for _, id_ in contacts],
            },
        )
        payments = [(i, id_) for i, id_ in zip(intents, ids, strict=True) if i.kind == "payment"]
        self._begin_payments(tx, payments, now)
        for table, tried in (("invoice", invoices), ("contact", contacts), ("payment", payments)):
            tx.execute(
                f"UPDATE {table} SET tries = tries + 1 "
                "WHERE connection = $connection AND list_contains($ids, source_id)",
                {"connection": self.connection, "ids": [i.source_id for i, _ in tried]},
            )
        return ids

    def _begin_payments(self, tx: Tx, payments: Sequence[tuple[Intent, int]], now: datetime) -> None:
        tx.update_from(
            "payment",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * len(payments),
                "source_id": [i.source_id for i, _ in payments],
                "open_attempt": [id_ for _, id_ in payments],
            },
        )
        self._set_state(tx, [i.expected["owner"] for i, _ in payments], "in_doubt", Problem("answer_lost"), now)

    def _set_state(
        self, tx: Tx, ids: Sequence[str], state: str, problem: Problem | None, now: datetime, stamp: str = ""
    ) -> None:
        columns: dict[str, list[Any]] = {
            "connection": [self.connection] * len(ids),
            "source_id": list(ids),
            "state": [state] * len(ids),
            "cause": [_code(problem)] * len(ids),
            "facts": [_facts(problem)] * len(ids),
            "refused_stamp": [stamp or None] * len(ids),
            "decided_at": [now] * len(ids),
        }
        tx.update_from("invoice", ["connection", "source_id"], columns)

    def _end(self, tx: Tx, run_id: str, endings: Sequence[Ending], now: datetime) -> None:
        tried = [e for e in endings if e.attempt_id is not None]
        first, count = tx.next_id("attempt_end"), len(tried)
        tx.insert(
            "attempt_end",
            {
                "id": list(range(first, first + count)),
                "attempt_id": [e.attempt_id for e in tried],
                "connection": [self.connection] * count,
                "outcome": [e.outcome for e in tried],
                "cause": [_code(e.problem) for e in tried],
                "facts": [_facts(e.problem) for e in tried],
                "xero_id": [_xero_id(e) for e in tried],
                "ended_at": [now] * count,
            },
        )
        invoices = [e for e in endings if e.kind == "invoice"]
        self._end_invoices(tx, invoices, now)
        self._end_contacts(tx, [e for e in endings if e.kind == "contact"], now)
        self._end_payments(tx, run_id, [e for e in endings if e.kind == "payment"], now)
        for kind in ("invoice", "contact"):
            told = [(e.source_id, e.outcome, e.problem) for e in endings if e.kind == kind]
            self._tell(tx, run_id, kind, told, now)
        write_book_invoices(tx, self.connection, [e.invoice for e in invoices if e.invoice])
        write_book_contacts(tx, self.connection, [e.contact for e in endings if e.contact])

    def _end_payments(self, tx: Tx, run_id: str, endings: Sequence[Ending], now: datetime) -> None:
        """What became of payments; the invoice of each waits for the next decision, or is held for Xero's reason."""
        count = len(endings)
        tx.update_from(
            "payment",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * count,
                "source_id": [e.source_id for e in endings],
                "open_attempt": [None] * count,
                "xero_id": [e.payment.id if e.payment else None for e in endings],
                "carried_at": [now if e.payment else None for e in endings],
            },
        )
        for table in ("invoice", "book_invoice"):
            due, paid, status = (
                ("xero_amount_due", "xero_amount_paid", "xero_status")
                if table == "invoice"
                else ("amount_due", "amount_paid", "status")
            )
            for e in endings:
                if e.payment:
                    tx.execute(
                        f"UPDATE {table} SET {due} = {due} - $amount, {paid} = COALESCE({paid}, 0) + $amount, "
                        f"{status} = CASE WHEN {due} = $amount THEN 'PAID' ELSE {status} END "
                        "WHERE connection = $connection AND xero_id = $xero_id",
                        {
                            "amount": e.payment.amount,
                            "connection": self.connection,
                            "xero_id": e.payment.invoice_id,
                        },
                    )
        for e in endings:
            self._set_state(tx, [e.owner], e.state, e.problem, now, e.stamp)
        told = [(e.owner, _payment_word(e), _payment_facts(e)) for e in endings]
        self._tell(tx, run_id, "invoice", told, now)

    def _end_invoices(self, tx: Tx, endings: Sequence[Ending], now: datetime) -> None:
        count = len(endings)
        tx.update_from(
            "invoice",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * count,
                "source_id": [e.source_id for e in endings],
                "open_attempt": [None] * count,
                "state": [e.state for e in endings],
                "cause": [_code(e.problem) for e in endings],
                "facts": [_facts(e.problem) for e in endings],
                "refused_stamp": [e.stamp or None for e in endings],
                "retry_at": [e.retry_at for e in endings],
                "decided_at": [now] * count,
            },
        )
        arrived = [e for e in endings if e.invoice]
        tx.update_from(
            "invoice",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * len(arrived),
                "source_id": [e.source_id for e in arrived],
                "synced_fingerprint": [e.fingerprint for e in arrived],
                "synced_status": [e.status for e in arrived],
                "synced_at": [now] * len(arrived),
                **_xero_columns([e.invoice for e in arrived if e.invoice]),
            },
        )

    def _end_contacts(self, tx: Tx, endings: Sequence[Ending], now: datetime) -> None:
        count = len(endings)
        tx.update_from(
            "contact",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * count,
                "source_id": [e.source_id for e in endings],
                "open_attempt": [None] * count,
                "cause": [_code(e.problem) for e in endings],
                "facts": [_facts(e.problem, stamp=e.stamp) for e in endings],
            },
        )
        links = {e.source_id: (e.contact.id, "created") for e in endings if e.contact}
        self._link(tx, links, now)

    def link_contacts(self, run_id: str, links: Mapping[str, tuple[str, str]], now: datetime) -> None:
        """Bind CrocoClick contacts to Xero contacts: source id → (ContactID, how it was found)."""

        def write(tx: Tx) -> None:
            self._link(tx, links, now)
            told = [(key, "linked", Problem("", {"how": how, "xero_id": id_})) for key, (id_, how) in links.items()]
            self._tell(tx, run_id, "contact", told, now)

        self.store.transaction(write)

    def _link(self, tx: Tx, links: Mapping[str, tuple[str, str]], now: datetime) -> None:
        tx.update_from(
            "contact",
            ["connection", "source_id"],
            {
                "connection": [self.connection] * len(links),
                "source_id": list(links),
                "xero_id": [xero_id for xero_id, _ in links.values()],
                "link": [how for _, how in links.values()],
                "linked_at": [now] * len(links),
                "cause": [None] * len(links),
                "facts": [None] * len(links),
            },
        )

    def _add_calls(self, tx: Tx, run_id: str, calls: Sequence[CallRecord]) -> None:
        first, count = tx.next_id("call"), len(calls)
        names = (
            "side method path status ms bytes_sent bytes_received minute_left day_left correlation_id "
            "idempotency_key failure"
        ).split()
        tx.insert(
            "call",
            {
                "id": list(range(first, first + count)),
                "connection": [self.connection] * count,
                "run_id": [run_id] * count,
                "call_id": [call.id for call in calls],
                "made_at": [call.at for call in calls],
                **{name: [getattr(call, name) for call in calls] for name in names},
            },
        )

    def _tell(
        self,
        tx: Tx,
        run_id: str,
        kind: str,
        told: Sequence[tuple[str, str, Problem | None]],
        now: datetime,
        by: str = "",
    ) -> None:
        first, count = tx.next_id("history"), len(told)
        tx.insert(
            "history",
            {
                "id": list(range(first, first + count)),
                "connection": [self.connection] * count,
                "run_id": [run_id] * count,
                "kind": [kind] * count,
                "source_id": [source_id for source_id, _, _ in told],
                "happened_at": [now] * count,
                "what": [what for _, what, _ in told],
                "cause": [_code(problem) for _, _, problem in told],
                "facts": [_facts(problem) for _, _, problem in told],
                "by_whom": [by or "sync"] * count,
            },
        )

    # -- the mirror of the books ----------------------------------------------------------------------------------

    def mirror(
        self,
        *,
        reached: Mapping[str, datetime],
        books: str | None = None,
        contacts: Sequence[BookContact] = (),
        invoices: Sequence[BookInvoice] = (),
    ) -> None:
        """Take in what Xero shows, with how far that goes."""

        def write(tx: Tx) -> None:
            if books is not None:
                row: dict[str, list[Any]] = {
                    "connection": [self.connection],
                    "read_at": [reached["books"]],
                    "content": [books],
                }
                tx.upsert("books", ["connection"], row)
            write_book_contacts(tx, self.connection, contacts)
            write_book_invoices(tx, self.connection, invoices)
            self._refresh_standing(tx, invoices)
            self._reach(tx, reached)

        self.store.transaction(write)

    def forget_mirror(self) -> None:
        """Another organisation was connected: nothing of the mirror holds any more."""

        def write(tx: Tx) -> None:
            for table in ("books", "book_contact", "book_invoice"):
                tx.execute(f"DELETE FROM {table} WHERE connection = ?", [self.connection])
            tx.execute("DELETE FROM watermark WHERE connection = ? AND name LIKE 'xero_%'", [self.connection])

        self.store.transaction(write)

    def _refresh_standing(self, tx: Tx, invoices: Sequence[BookInvoice]) -> None:
        """What Xero now says of documents that are ours."""
        bound = {
            row["xero_id"]: row["source_id"]
            for row in tx.rows(
                "SELECT xero_id, source_id FROM invoice WHERE connection = ? AND xero_id IS NOT NULL", [self.connection]
            )
        }
        ours = [invoice for invoice in invoices if invoice.id in bound]
        columns = _xero_columns(ours)
        columns |= {"connection": [self.connection] * len(ours), "source_id": [bound[i.id] for i in ours]}
        tx.update_from("invoice", ["connection", "source_id"], columns)

    def _reach(self, tx: Tx, reached: Mapping[str, datetime]) -> None:
        tx.upsert(
            "watermark",
            ["connection", "name"],
            {
                "connection": [self.connection] * len(reached),
                "name": list(reached),
                "reached_at": list(reached.values()),
            },
        )


def _payment_word(ending: Ending) -> str:
    return "paid" if ending.payment else f"payment_{ending.outcome}"


def _payment_facts(ending: Ending) -> Problem | None:
    if ending.payment:
        return Problem("", {"amount": ending.payment.amount, "payment": ending.source_id})
    return ending.problem


def _head_in_xero(row: Mapping[str, Any]) -> BookInvoice:
    return BookInvoice(
        id=row["xero_id"],
        number=row["number"],
        status=row["status"],
        currency=row["currency"],
        total=row["total"],
        total_tax=row["total_tax"],
        amount_due=row["amount_due"],
        amount_paid=row["amount_paid"],
        url=row["url"],
        contact_id=row["contact_id"],
        issue_date=row["issue_date"],
        updated_at=row["updated_at"],
    )


def write_book_contacts(tx: Tx, connection: str, contacts: Sequence[BookContact]) -> None:
    """Bring the mirror of Xero's contacts up to these."""
    names = ("name", "email", "number", "status", "merged_to", "phone", "updated_at")
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in contacts] for name in names}
    columns |= {"connection": [connection] * len(contacts), "xero_id": [one.id for one in contacts]}
    tx.upsert("book_contact", ["connection", "xero_id"], columns)


def write_book_invoices(tx: Tx, connection: str, invoices: Sequence[BookInvoice]) -> None:
    """Bring the mirror of Xero's sales invoices up to these."""
    names = (
        "number status currency total total_tax amount_due amount_paid url contact_id issue_date updated_at"
    ).split()
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in invoices] for name in names}
    columns |= {"connection": [connection] * len(invoices), "xero_id": [one.id for one in invoices]}
    tx.upsert("book_invoice", ["connection", "xero_id"], columns)


def _seen_columns(connection: str, invoices: Sequence[Invoice], now: datetime) -> dict[str, list[Any]]:
    plain = "source_id number live currency total tax amount_paid amount_due issue_date due_date fingerprint".split()
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in invoices] for name in plain}
    return columns | {
        "connection": [connection] * len(invoices),
        "status": [str(one.status) for one in invoices],
        "contact_id": [one.customer.id for one in invoices],
        "contact_name": [one.customer.name for one in invoices],
        "contact_email": [one.customer.email for one in invoices],
        "changed_at": [now] * len(invoices),
        "seen_at": [now] * len(invoices),
        "state": ["waiting"] * len(invoices),
        "cause": [None] * len(invoices),
        "facts": [None] * len(invoices),
    }


def _xero_columns(invoices: Sequence[BookInvoice]) -> dict[str, list[Any]]:
    return {
        "xero_id": [one.id for one in invoices],
        "xero_number": [one.number for one in invoices],
        "xero_status": [one.status for one in invoices],
        "xero_total": [one.total for one in invoices],
        "xero_tax": [one.total_tax for one in invoices],
        "xero_amount_due": [one.amount_due for one in invoices],
        "xero_amount_paid": [one.amount_paid for one in invoices],
    }


def _moved(invoice: Invoice, known: Mapping[str, Any]) -> bool:
    return (invoice.fingerprint, invoice.status, invoice.live, invoice.amount_paid, invoice.amount_due) != (
        known["fingerprint"],
        known["status"],
        known["live"],
        known["amount_paid"],
        known["amount_due"],
    )


def _known(row: Mapping[str, Any], payments: Sequence[Mapping[str, Any]] = ()) -> Known:
    invoice = from_content(
        row["content"],
        source_id=row["source_id"],
        status=row["status"],
        live=row["live"],
        amount_paid=row["amount_paid"],
        amount_due=row["amount_due"],
    )
    return Known(
        invoice, _standing(row, payments), row["state"], row["cause"], json.loads(row["facts"] or "{}"), row["tries"]
    )


def _known_contact(row: Mapping[str, Any]) -> KnownContact:
    facts = json.loads(row["facts"] or "{}")
    return KnownContact(
        customer=Customer(row["source_id"], row["name"], row["email"], row["company"], row["phone"]),
        xero_id=row["xero_id"] or "",
        refused_stamp=facts.get("stamp", ""),
        refusal=Problem(row["cause"], facts) if row["cause"] else None,
        tries=row["tries"],
        open=row["open_attempt"] is not None,
    )


def _payment(row: Mapping[str, Any]) -> Payment:
    return Payment(
        source_id=row["source_id"],
        invoice_id=row["invoice_id"],
        amount=row["amount"],
        currency=row["currency"],
        paid_on=row["paid_on"],
        status=row["status"],
        refunded=row["refunded"],
        live=row["live"],
        method=row["method"],
    )


def _standing(row: Mapping[str, Any], payments: Sequence[Mapping[str, Any]]) -> Standing:
    refused = row["refused_stamp"] or ""
    return Standing(
        xero_id=row["xero_id"] or "",
        synced_fingerprint=row["synced_fingerprint"] or "",
        synced_status=row["synced_status"] or "",
        xero_amount_paid=bool(row["xero_amount_paid"]),
        xero_amount_due=row["xero_amount_due"] or Decimal(0),
        payments=tuple(_payment(one) for one in payments),
        carried={one["source_id"]: one["xero_id"] for one in payments if one["xero_id"]},
        refused_stamp=refused,
        refusal=_problem(row["cause"], row["facts"]) if refused and row["cause"] else None,
    )


def _head(row: Mapping[str, Any]) -> Known:
    invoice = Invoice(
        source_id=row["source_id"],
        number=row["number"],
        status=Status(row["status"]),
        live=row["live"],
        customer=Customer("", row["contact_name"]),
        currency="",
        issue_date=row["issue_date"],
        due_date=None,
        lines=(),
        total=Decimal(0),
    )
    return Known(invoice, Standing(xero_id=row["xero_id"] or ""), "", None, {})


def _open(row: Mapping[str, Any]) -> OpenAttempt:
    intent = Intent(
        row["kind"],
        row["source_id"],
        row["action"],
        row["number"],
        row["call_id"],
        row["position"],
        row["idempotency_key"],
        row["fingerprint"],
        json.loads(row["expected"]),
    )
    return OpenAttempt(row["id"], intent, row["begun_at"])


def _problem(cause: str, facts: str | None) -> Problem:
    return Problem(cause, json.loads(facts or "{}"))


def _code(problem: Problem | None) -> str | None:
    return problem.code or None if problem else None


def _facts(problem: Problem | None, **more: str) -> str | None:
    told = {**(problem.facts if problem else {}), **{name: value for name, value in more.items() if value}}
    return _json(told) if told or problem else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)


def _xero_id(ending: Ending) -> str | None:
    return ending.invoice.id if ending.invoice else ending.contact.id if ending.contact else None


def _portions(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
