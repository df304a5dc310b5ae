"""Who may do what, and everything that people did: about the whole installation rather than one connection."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncer.domain.access import Right
from syncer.storage.database.store import LedgerReader, Store
from syncer.storage.ledger.records import as_json
from syncer.storage.ledger.writer import QUERIES, AuditEntry, LedgerWriter

FILTERS = ("who", "what", "connection", "subject")


class AccessRegister:
    """People and the audit trail. Times are UTC; raises what `Store` raises."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # -- people ---------------------------------------------------------------------------------------------------

    def rights(self) -> list[Right]:
        """What everybody may who was named."""
        return [_right(row) for row in self.people()]

    def people(self) -> list[dict[str, Any]]:
        """Everybody who was named, with who did so and when."""
        return self.store.read(lambda reader: reader.rows(QUERIES["people"]))

    def change(self, right: Right, by: str, now: datetime) -> None:
        """Give somebody this right in place of any they had."""
        allowed = None if right.connections is None else as_json(sorted(right.connections))
        row = {"who": right.who, "role": right.role, "connections": allowed, "changed_at": now, "changed_by": by}

        def write(pen: LedgerWriter, before: Mapping[str, Any] | None) -> None:
            pen.tx.upsert("person", ["who"], {name: [value] for name, value in row.items()})
            pen.audit(AuditEntry(by, "person_changed"), [(right.who, before, _told(right))])

        self._write(right.who, now, write)

    def remove(self, who: str, by: str, now: datetime) -> None:
        """Take somebody's right away."""

        def write(pen: LedgerWriter, before: Mapping[str, Any] | None) -> None:
            pen.tx.delete_where_keys("person", {"who": [who]})
            if before:
                pen.audit(AuditEntry(by, "person_removed"), [(who, before, None)])

        self._write(who, now, write)

    def _write(self, who: str, now: datetime, write: Any) -> None:
        def whole(tx: Any) -> None:
            row = tx.row(QUERIES["person"], {"who": who})
            write(LedgerWriter(tx, "", "", now), _told(_right(row)) if row else None)

        self.store.transaction(whole)

    # -- what people did --------------------------------------------------------------------------------------------

    def note(self, deed: AuditEntry, now: datetime, subject: str = "", connection: str = "", after: Any = None) -> None:
        """Write down what somebody did that leaves no other trace in the ledger."""
        self.store.transaction(lambda tx: LedgerWriter(tx, connection, "", now).audit(deed, [(subject, None, after)]))

    def audit(self, asked: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """What people did, newest first. `asked`: any of FILTERS, `since`, `until`, and `visible` connections."""
        whole = {**dict.fromkeys(FILTERS, ""), "since": None, "until": None, "visible": None, **asked}
        rows = self.store.read(lambda reader: reader.rows(QUERIES["audit"], {**whole, "limit": limit}))
        for row in rows:
            row["before"], row["after"] = (json.loads(row[name] or "null") for name in ("before", "after"))
        return rows

    def choices(self) -> tuple[list[str], list[str]]:
        """Who stands in the audit trail, and what they did."""

        def read(reader: LedgerReader) -> tuple[list[str], list[str]]:
            found = reader.rows(QUERIES["audit_choices"])
            return sorted({row["by_whom"] for row in found}), sorted({row["what"] for row in found})

        return self.store.read(read)

    def ended(self, mark: str, since: datetime) -> bool:
        """Whether this very sign-in was ended by its person."""
        asked = {"mark": mark, "since": since}
        return bool(self.store.read(lambda reader: reader.rows(QUERIES["signed_out"], asked)))


def _right(row: Mapping[str, Any]) -> Right:
    allowed = json.loads(row["connections"] or "null")
    return Right(row["who"], row["role"], None if allowed is None else frozenset(allowed))


def _told(right: Right) -> dict[str, Any]:
    return {"role": right.role, "connections": None if right.connections is None else sorted(right.connections)}
