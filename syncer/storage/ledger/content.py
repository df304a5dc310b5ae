"""What is in a ledger file that nobody writes to: a copy, or one that was just put in place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from syncer.domain.errors import SyncerError
from syncer.storage.database import damage
from syncer.storage.database.engine import ENGINE

# What a person would miss; a connection counts once it has an organisation. The rest is made again by a reading.
# For each table what one row is, and what several are.
_KEPT: Mapping[str, tuple[str, str]] = {
    "invoice": ("invoice", "invoices"),
    "source_contact": ("contact of CrocoClick", "contacts of CrocoClick"),
    "book_contact": ("contact of Xero", "contacts of Xero"),
    "attempt": ("attempt to write to Xero", "attempts to write to Xero"),
    "run": ("run", "runs"),
    "setting": ("change of a setting", "changes of settings"),
    "person": ("person", "people"),
    "audit": ("entry of the audit trail", "entries of the audit trail"),
    "question": ("saved question", "saved questions"),
}


@dataclass(frozen=True)
class SavedConnection:
    """A connection as a ledger knows it; what is not known is empty."""

    name: str
    location_id: str = ""
    organisation: str = ""
    invoices: int = 0


@dataclass(frozen=True)
class LedgerContent:
    """The schema version, the connections, and how many rows the tables have that a person would miss."""

    schema_version: int
    connections: tuple[SavedConnection, ...]
    rows: Mapping[str, int]

    @property
    def invoices(self) -> int:
        """Of all connections."""
        return self.rows["invoice"]

    @property
    def is_empty(self) -> bool:
        """Whether nobody would miss it."""
        return not self.named

    @property
    def named(self) -> list[str]:
        """What a person would miss, in words, such as `3 invoices`."""
        rows = [f"{number:,} {_KEPT[table][number > 1]}" for table, number in self.rows.items() if number]
        return rows + [f"a connection to {one.organisation}" for one in self.connections if one.organisation]


def content_of(path: Path) -> LedgerContent:
    """Open the file for reading and count; raises SyncerError `ledger_unreadable` and what opening a file raises."""
    with damage.told(path):
        file = ENGINE.attach(path)
        try:
            with file.cursor() as cursor:
                return _counted(cursor, path)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise SyncerError("ledger_unreadable", path=str(path), reason="it is no ledger") from error
        finally:
            file.close()


def _counted(cursor: duckdb.DuckDBPyConnection, path: Path) -> LedgerContent:
    version = cursor.execute("SELECT max(schema_version) FROM ledger").fetchone()
    if not version or version[0] is None:
        raise SyncerError("ledger_unreadable", path=str(path), reason="it says no version")
    found = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
    # An older version has fewer tables.
    tables = {name for (name,) in found.fetchall()}
    rows = {table: _value(cursor, f"SELECT count(*) FROM {table}") if table in tables else 0 for table in _KEPT}
    connections = cursor.execute(
        "SELECT connection, coalesce(location_id, ''), coalesce(organisation_name, ''), "
        "(SELECT count(*) FROM invoice i WHERE i.connection = c.connection) "
        "FROM connection c ORDER BY connection <> 'default', connection"
    ).fetchall()
    return LedgerContent(int(version[0]), tuple(SavedConnection(*row) for row in connections), rows)


def _value(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = cursor.execute(sql).fetchone()
    return int(row[0]) if row else 0
