"""How long the ledger takes at the size of a busy year: python bench/ledger.py [folder]."""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from syncer.reports import table_export
from syncer.storage.analysis.copy import Analysis
from syncer.storage.database.store import Store, Tx
from syncer.storage.payloads import Payloads

NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)
INVOICES, ATTEMPTS, CALLS = 25_000, 100_000, 100_000
KEYS = ["connection", "source_id"]


def main(folder: Path) -> None:
    """Fill a ledger, then do what a run, a screen and a report do with it."""
    store = Store(folder / "ledger.duckdb")
    timed("an empty ledger made", lambda: store.transaction(lambda tx: None))
    timed("20,000 invoices of 30 columns inserted", lambda: store.transaction(lambda tx: add_invoices(tx, 0, 20_000)))
    store.transaction(lambda tx: add_invoices(tx, 20_000, INVOICES))
    for start in range(1, ATTEMPTS, 20_000):
        store.transaction(lambda tx, start=start: add_attempts(tx, start, 20_000))
    for start in range(1, CALLS, 20_000):
        store.transaction(lambda tx, start=start: add_calls(tx, start, 20_000))
    print(f"ledger of {store.path.stat().st_size / 1e6:.0f} MB")
    timed("20,000 known invoices upserted", lambda: store.transaction(lambda tx: add_invoices(tx, 0, 20_000, True)))
    timed("an empty transaction, opening and closing", lambda: store.transaction(lambda tx: None), 20)
    timed("50 invoices updated, 50 attempts added", lambda: store.transaction(one_batch), 20)
    timed(
        "one reading, opening and closing",
        lambda: Store(store.path, moment_s=0).read(lambda r: r.value("SELECT 1")),
        20,
    )
    timed("one reading, the handle shared", lambda: store.read(lambda r: r.value("SELECT count(*) FROM invoice")), 20)

    analysis = Analysis(store, folder / "analysis.duckdb")
    timed("analysis, first refresh", analysis.refresh)
    store.transaction(one_batch)
    timed("analysis, next refresh", analysis.refresh)
    timed("analysis, nothing moved", analysis.refresh)
    timed("a question", lambda: analysis.ask("SELECT state, count(*) FROM invoices GROUP BY ALL"), 5)
    timed("a question, two connections only", lambda: analysis.ask("SELECT 1", ["default", "second"]), 5)
    timed("opened in this process", lambda: analysis.open().close(), 5)
    for suffix in ("csv", "parquet", "xlsx"):
        to = folder / f"invoices.{suffix}"
        timed(f"25,000 invoices to .{suffix}", lambda to=to: table_export.export(analysis, "invoices", to))

    bodies, body = Payloads(folder / "bodies"), (b'{"Invoices":[' + b'{"InvoiceNumber":"INV-1","Total":12.50},' * 6300)
    timed("a pair of 250 KB bodies kept", lambda: bodies.keep("default", "call-1", NOW, body, body), 20)


def timed(what: str, do: Callable[[], Any], times: int = 1) -> None:
    """Do it, and say what one took on average."""
    began = time.perf_counter()
    for _ in range(times):
        do()
    print(f"{(time.perf_counter() - began) / times * 1000:8.1f} ms  {what}")


def add_invoices(tx: Tx, start: int, stop: int, known: bool = False) -> None:
    """Rows of 30 columns that look like a customer's."""
    ids = range(start, stop)
    alike = {
        "connection": "default", "status": "paid", "live": True, "currency": "GBP", "due_date": date(2025, 3, 31),
        "issue_date": date(2025, 3, 1), "amount_paid": Decimal(0), "first_seen_at": NOW, "changed_at": NOW,
        "seen_at": NOW, "state": "waiting", "cause": None, "facts": None, "decided_at": NOW, "tried_at": None,
        "retry_at": None, "tries": 0, "open_attempt": None, "xero_id": None, "xero_number": None, "xero_status": None,
    }  # fmt: skip
    columns: dict[str, list[Any]] = {name: [value] * len(ids) for name, value in alike.items()}
    columns["source_id"] = [f"6578278e879ad2646715{n:06d}" for n in ids]
    columns["number"] = [f"INV-{n:06d}" for n in ids]
    columns["total"] = columns["amount_due"] = [Decimal(n % 90_000) / 100 for n in ids]
    columns["tax"] = [Decimal(n % 9_000) / 100 for n in ids]
    columns["contact_id"] = [f"contact{n % 5000}" for n in ids]
    columns["contact_name"] = [f"Contact {n % 5000} Ltd" for n in ids]
    columns["contact_email"] = [f"contact{n % 5000}@example.com" for n in ids]
    columns["fingerprint"] = [f"{n * 7919:064x}" for n in ids]
    if known:
        tx.upsert("invoice", KEYS, columns)
    else:
        tx.insert("invoice", columns)


def add_attempts(tx: Tx, start: int, size: int) -> None:
    """Attempts that ended well."""
    ids = range(start, start + size)
    begun = {
        "connection": "default", "run_id": "run-1", "call_id": "call-1", "position": 1, "kind": "invoice",
        "action": "create", "expected": '{"total": "12.50", "tax": "2.50", "currency": "GBP"}', "begun_at": NOW,
    }  # fmt: skip
    columns: dict[str, list[Any]] = {name: [value] * size for name, value in begun.items()}
    columns["id"] = list(ids)
    columns["source_id"] = [f"6578278e879ad2646715{n % INVOICES:06d}" for n in ids]
    columns["number"] = [f"INV-{n % INVOICES:06d}" for n in ids]
    columns["idempotency_key"] = columns["fingerprint"] = [f"{n * 7919:064x}" for n in ids]
    tx.insert("attempt", columns)
    ended = {"connection": "default", "outcome": "created", "cause": None, "facts": None, "ended_at": NOW}
    ends: dict[str, list[Any]] = {name: [value] * size for name, value in ended.items()}
    tx.insert("attempt_end", {**ends, "id": list(ids), "attempt_id": list(ids), "xero_id": [f"{n:036x}" for n in ids]})


def add_calls(tx: Tx, start: int, size: int) -> None:
    """Calls, a minute after one another."""
    ids = range(start, start + size)
    alike = {
        "connection": "default", "run_id": "run-1", "side": "xero", "method": "GET", "path": "/api.xro/2.0/Invoices",
        "status": 200, "bytes_sent": 0, "bytes_received": 2000, "minute_left": 59, "day_left": 4000, "failure": "",
        "idempotency_key": "",
    }  # fmt: skip
    columns: dict[str, list[Any]] = {name: [value] * size for name, value in alike.items()}
    columns["id"] = list(ids)
    columns["call_id"] = columns["correlation_id"] = [f"{n * 7919:036x}" for n in ids]
    columns["made_at"] = [NOW + timedelta(minutes=n) for n in ids]
    columns["ms"] = [n % 900 for n in ids]
    tx.insert("call", columns)


def one_batch(tx: Tx) -> None:
    """What a run commits after one call with 50 invoices."""
    ids = range(7000, 7050)
    change: dict[str, list[Any]] = {"connection": ["default"] * 50, "state": ["synced"] * 50, "synced_at": [NOW] * 50}
    change["source_id"] = [f"6578278e879ad2646715{n:06d}" for n in ids]
    tx.update_from("invoice", KEYS, change)
    add_attempts(tx, tx.next_id("attempt"), 50)
    add_calls(tx, tx.next_id("call"), 1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
