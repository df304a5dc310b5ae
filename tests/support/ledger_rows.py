"""Rows of the ledger, column by column, as a test needs them."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncer.storage.database.store import Store, Tx

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)


class HeldClock:
    """Time that stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def invoice_columns(ids: Sequence[int], connection: str = "default", **given: Any) -> dict[str, list[Any]]:
    """Rows of the table `invoice`, one per id, the same but for what tells them apart."""
    alike = {
        "connection": connection,
        "status": "sent",
        "live": True,
        "currency": "GBP",
        "tax": None,
        "amount_paid": Decimal(0),
        "issue_date": date(2025, 3, 1),
        "due_date": None,
        "contact_id": "c1",
        "contact_name": "Ada Ltd",
        "contact_email": "ada@example.com",
        "fingerprint": "f0",
        "first_seen_at": NOON,
        "changed_at": NOON,
        "seen_at": NOON,
        "state": "waiting",
        "cause": None,
        "facts": None,
        "decided_at": NOON,
        "tries": 0,
    }
    columns: dict[str, list[Any]] = {name: [value] * len(ids) for name, value in {**alike, **given}.items()}
    columns["source_id"] = [f"i{n}" for n in ids]
    columns["number"] = [f"INV-{n:04d}" for n in ids]
    columns["total"] = [Decimal(n) + Decimal("0.01") for n in ids]
    columns["amount_due"] = list(columns["total"])
    return columns


def call_columns(ids: Sequence[int], connection: str = "default", **given: Any) -> dict[str, list[Any]]:
    """Rows of the table `call`."""
    alike = {
        "connection": connection,
        "run_id": "r1",
        "made_at": NOON,
        "side": "xero",
        "method": "GET",
        "path": "/api.xro/2.0/Invoices",
        "status": 200,
        "ms": 120,
        "bytes_sent": 0,
        "bytes_received": 1000,
        "minute_left": 59,
        "day_left": None,
        "correlation_id": "",
        "idempotency_key": "",
        "failure": "",
    }
    columns: dict[str, list[Any]] = {name: [value] * len(ids) for name, value in {**alike, **given}.items()}
    return {"id": list(ids), "call_id": [f"call-{n}" for n in ids], **columns}


def attempt_columns(
    ids: Sequence[int], connection: str = "default"
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Rows of `attempt` and of `attempt_end`: ended attempts, each end with its attempt's id."""
    size = len(ids)
    begun = {
        "id": list(ids),
        "connection": [connection] * size,
        "run_id": ["r1"] * size,
        "call_id": ["call-1"] * size,
        "position": list(range(size)),
        "kind": ["invoice"] * size,
        "source_id": [f"i{n}" for n in ids],
        "action": ["create"] * size,
        "number": [f"INV-{n:04d}" for n in ids],
        "idempotency_key": ["k"] * size,
        "fingerprint": ["f0"] * size,
        "expected": ["{}"] * size,
        "begun_at": [NOON] * size,
    }
    ended = {
        "id": list(ids),
        "attempt_id": list(ids),
        "connection": [connection] * size,
        "outcome": ["created"] * size,
        "cause": [None] * size,
        "facts": [None] * size,
        "xero_id": [f"x{n}" for n in ids],
        "ended_at": [NOON + timedelta(seconds=1)] * size,
    }
    return begun, ended


def fill(store: Store, ids=range(1, 4), connection: str = "default") -> None:
    def rows(tx: Tx) -> None:
        begun, ended = attempt_columns([tx.next_id("attempt") + n for n in range(len(ids))], connection)
        tx.insert("invoice", invoice_columns(ids, connection))
        tx.insert("attempt", begun)
        tx.insert("attempt_end", ended)
        tx.insert("call", call_columns([tx.next_id("call") + n for n in range(len(ids))], connection))

    store.transaction(rows)


def content(*lines: tuple[str, str, list, bool]) -> str:
    """An invoice's content with these lines: quantity, price, taxes, and whether the price includes them."""
    told = [["Article", quantity, price, taxes, inclusive, "", ""] for quantity, price, taxes, inclusive in lines]
    return json.dumps(["INV-1", [], "GBP", None, None, "", "1", None, None, told])


VAT20, VAT5 = ["t1", "VAT 20 %", "20", False], ["t2", "VAT 5 %", "5", False]
