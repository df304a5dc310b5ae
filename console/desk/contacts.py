"""What a person may ask and order about contacts: a part of the desk."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.desk.installation import Once
from syncer.app import states
from syncer.app.installation import Connection
from syncer.storage.ledger.writer import AuditEntry
from syncer.support import contacts
from syncer.support.contact_orders import ContactDesk
from syncer.support.contacts import GroupTold, ImportRow

NEWS = timedelta(days=30)
NEWS_SHOWN = 8


@dataclass(frozen=True)
class LastImport:
    """The import that last ended: when, how, and what it came to."""

    at: datetime
    ended: str
    cause: str | None
    outcomes: Mapping[str, int]
    calls: Mapping[str, int]


@dataclass(frozen=True)
class ContactsDesk:
    """Contacts of one connection; `once` keeps answers to questions of many rows while the ledger stands still."""

    connection: Connection
    by: str
    now: datetime
    once: Once
    allow: Callable[[str], None]  # raises NotAllowed

    def last_import(self) -> LastImport | None:
        """The last import, None where there was none."""
        row = self.connection.ledger.row("last_import")
        if row is None:
            return None
        told = json.loads(row["result"] or "{}")
        return LastImport(
            row["finished_at"], row["ended"], row["cause"], told.get("outcomes") or {}, told.get("calls") or {}
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """What became of the Xero contacts, by outcome."""
        found: dict[str, int] = {}
        for row in self.connection.ledger.rows("import_counts"):
            found[row["outcome"]] = found.get(row["outcome"], 0) + row["contacts"]
        return found

    def groups(self, answered: bool = False) -> list[GroupTold]:
        """Contacts that may be the same: those that wait for an answer, or those that got one."""
        ledger = self.connection.ledger
        return self.once(("contact groups", answered), lambda: contacts.ContactBook(ledger).groups(answered))

    def rows(self, outcome: str, what: str, limit: int, offset: int) -> tuple[list[ImportRow], int]:
        """Some of what became of each Xero contact, and how many there are in all."""
        return contacts.rows(self.connection.ledger, outcome, "", what, limit, offset)

    def news(self) -> list[dict[str, Any]]:
        """What others changed of linked contacts in Xero in the last 30 days, newest first."""
        return self.connection.ledger.rows("contact_news", since=self.now - NEWS, limit=NEWS_SHOWN)

    def give(self, name: str, what: str, said: Mapping[str, str]) -> str:
        """Give an order about contacts; returns what follows. Raises WrongUsage, and then nothing was ordered."""
        self.allow(name)
        follows = ContactDesk(self.connection.ledger, self.by, self.now).give(name, what, said)
        states.decide(self.connection)
        return follows

    def csv(self) -> bytes:
        """What became of each Xero contact, as a table to take away."""
        self.allow("export")
        self.connection.ledger.note(AuditEntry(self.by, "exported"), self.now, "contacts")
        return contacts.as_csv(self.connection.ledger)
