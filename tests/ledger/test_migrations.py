"""A ledger of every earlier version becomes the newest when it is first opened, and keeps what it held."""

from pathlib import Path

from syncer.ledger.ledger import Ledger
from syncer.ledger.store import Schema, Store
from tests.ledger.conftest import NOON, invoice_columns

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
    assert now.read(lambda reader: reader.value("SELECT schema_version FROM ledger")) == 5
    Ledger(now, "default").end_skips(NOON.date(), NOON)
