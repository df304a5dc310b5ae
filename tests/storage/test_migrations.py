"""A ledger of every earlier version becomes the newest when it is first opened, and keeps what it held."""

from decimal import Decimal
from pathlib import Path

from syncer.storage.database.migrations import MIGRATIONS
from syncer.storage.database.store import Schema, Store
from syncer.storage.ledger.ledger import Ledger
from tests.support.ledger_rows import NOON, invoice_columns

OLD = Path(__file__).parents[1] / "samples" / "ledger"
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_catalog = current_database() AND table_schema = 'main' ORDER BY ALL"
)


def test_version_1_becomes_the_newest(tmp_path):
    """Every table and column of a fresh ledger is there, and the invoices are as they were, without an order."""
    path, fresh = tmp_path / "old.duckdb", Store(tmp_path / "fresh.duckdb")
    old = Store(path, schema=Schema((OLD / "schema_1.sql").read_text(encoding="utf-8"), {}))
    old.transaction(lambda tx: tx.insert("invoice", invoice_columns([1, 2, 3])))
    now = Store(path)
    assert now.transaction(lambda tx: tx.rows(COLUMNS)) == fresh.transaction(lambda tx: tx.rows(COLUMNS))
    rows = now.read(lambda reader: reader.rows("SELECT number, ordered, agreed, gone FROM invoice ORDER BY number"))
    assert len(rows) == 3 and {(row["ordered"], row["agreed"], row["gone"]) for row in rows} == {(None, None, None)}
    assert now.read(lambda reader: reader.value("SELECT schema_version FROM ledger")) == 6
    Ledger(now, "default").end_skips(NOON.date(), NOON)


def test_payments_that_went_before_version_5_count_as_they_are(tmp_path):
    """What Xero got of them is what CrocoClick has; where the books differ on what is paid, it is decided anew."""
    path, steps = tmp_path / "old.duckdb", {version: MIGRATIONS[version] for version in (2, 3, 4)}
    old = Store(path, schema=Schema((OLD / "schema_1.sql").read_text(encoding="utf-8"), steps))
    invoices = invoice_columns([1, 2])
    there = {"xero_id": ["x1", "x2"], "xero_amount_paid": [Decimal(50), Decimal(80)], "amount_paid": [Decimal(50)] * 2}
    invoices |= there | {"state": ["synced"] * 2}
    same = {"connection": "default", "currency": "EUR", "status": "succeeded", "live": True, "method": "", "tries": 1}
    payment = {
        **same,
        "source_id": "t1",
        "invoice_id": invoices["source_id"][0],
        "amount": Decimal(50),
        "refunded": Decimal(0),
        "paid_on": NOON.date(),
        "seen_at": NOON,
        "xero_id": "p1",
    }
    old.transaction(lambda tx: tx.insert("invoice", invoices))
    old.transaction(lambda tx: tx.insert("payment", {name: [value] for name, value in payment.items()}))
    ledger = Ledger(Store(path), "default")
    [kept] = ledger.rows("all_payments")
    assert (kept["xero_amount"], kept["xero_paid_on"], kept["xero_invoice_id"]) == (Decimal(50), NOON.date(), "x1")
    assert sorted(row["state"] for row in ledger.rows("states")) == ["synced", "waiting"]
