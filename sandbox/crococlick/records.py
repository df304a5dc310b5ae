"""What a CrocoClick location holds, and how it is kept."""

import json
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.state import Store
from sandbox.wire import dumps

LETTERS = string.ascii_letters + string.digits
LOCATION_ID = "SandboxLocation00001"
COMPANY_ID = "SandboxCompany000001"


def hex_id() -> str:
    """24 hexadecimal digits, like the ids of invoices and payments."""
    return secrets.token_hex(12)


def short_id() -> str:
    """20 letters and digits, like the ids of contacts."""
    return "".join(secrets.choice(LETTERS) for _ in range(20))


def iso_ms(ms: int) -> str:
    """An instant as the API prints it."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


@lru_cache(8192)
def local_instant(day: str, zone: str, end: bool = False) -> str:
    """A date as the instant of its local midnight, or of its last millisecond; what is no date stays as it is."""
    try:
        start = datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone))
    except ValueError:
        return day
    if not end:
        return iso_ms(int(start.timestamp() * 1000))
    next_day = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), ZoneInfo(zone))
    return iso_ms(int(next_day.timestamp() * 1000) - 1)


def phone_key(phone: str) -> str:
    """A phone number as it is compared: however it is written, its digits say whose it is."""
    return "".join(sign for sign in phone if sign.isdigit())


@dataclass
class Switches:
    """Where the reference is silent, or live answers vary.

    `dates`: instants (local midnight; due dates: end of the day) or bare · `rounding`: see arithmetic ·
    `number_type`: string or number · `omit`: answer fields left out, such as termsNotes or totalSummary.tax ·
    `business_address`: object or string · `search_lag_s`: how late contact search sees a change ·
    `list_limit_max`: the largest accepted limit · `created_but_422`: a contact is made although the answer is 422 ·
    `fees_count_as_paid`: a processing fee is part of the invoice's amountPaid · `delete_ids`: where DELETE looks for
    altId and altType, in its query, as specified, or in its body, as its sibling for estimates does ·
    `payment_link`: how a transaction names its invoice: `source` (entitySourceType and entitySourceId) or `entity`
    (entityType invoice and entityId; nothing of entitySource), as three public programs read it.
    """

    dates: str = "instants"
    rounding: str = "per_document"
    number_type: str = "string"
    omit: list[str] = field(default_factory=list)
    business_address: str = "object"
    search_lag_s: float = 0.0
    list_limit_max: int = 100
    created_but_422: bool = False
    fees_count_as_paid: bool = False
    delete_ids: str = "query"
    payment_link: str = "source"


@dataclass(slots=True)
class Invoice:
    """An invoice: the head as values with bare dates, the lines as ready-made JSON."""

    id: str
    doc: dict[str, Any]
    items: str
    head: str = ""


class Location:
    """One location with everything in it."""

    def __init__(self, store: Store, clock: Clock, shelf: str = "crm"):
        self.store, self.clock, self.shelf = store, clock, shelf
        self.switches = Switches()
        self.profile: dict[str, Any] = {}
        self.next_number = 1
        self.invoices: dict[str, Invoice] = {}
        self.messages: list[dict[str, Any]] = []  # what customers would have received
        self.contacts: dict[str, dict[str, Any]] = {}
        self.transactions: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.order_of: dict[str, str] = {}
        self.payments_of: dict[str, list[str]] = {}
        self.by_email: dict[str, list[str]] = {}
        self.by_phone: dict[str, list[str]] = {}
        self.found_by: dict[str, tuple[str, str]] = {}
        self.indexed_at: dict[str, float] = {}
        self.version = 0
        self.sorted: tuple[int, list[Invoice]] = (-1, [])

    @property
    def id(self) -> str:
        """The location's id."""
        return str(self.profile["id"])

    @property
    def zone(self) -> str:
        """The location's time zone."""
        return str(self.profile["timezone"])

    @property
    def tokens(self) -> dict[str, Any]:
        """Private integration tokens and their scopes (None: all)."""
        tokens: dict[str, Any] = self.profile["_tokens"]
        return tokens

    def now(self) -> str:
        """The present moment as the API prints it."""
        return iso_ms(self.clock.ms())

    # -- keeping ----------------------------------------------------------------------------------------------

    def keep_profile(self) -> None:
        """Keep the location and its settings."""
        body = {"profile": self.profile, "switches": vars(self.switches), "next_number": self.next_number}
        self.store.put(f"{self.shelf}/location", "one", dumps(body))
        for invoice in self.invoices.values():
            invoice.head = ""

    def keep_invoice(self, invoice: Invoice) -> None:
        """Keep an invoice."""
        invoice.head = ""
        self.version += 1
        self.invoices[invoice.id] = invoice
        self.store.put(f"{self.shelf}/invoice", invoice.id, dumps(invoice.doc), invoice.items)

    def touch(self, invoice: Invoice) -> None:
        """Note that an invoice was changed, and keep it."""
        invoice.doc["updatedAt"] = self.now()
        invoice.doc["__v"] = invoice.doc.get("__v", 0) + 1
        self.keep_invoice(invoice)

    def drop_invoice(self, invoice: Invoice) -> None:
        """Delete an invoice."""
        self.version += 1
        del self.invoices[invoice.id]
        self.store.drop(f"{self.shelf}/invoice", invoice.id)

    def newest_first(self) -> list[Invoice]:
        """All invoices, the latest issued first; sorted again only after a change."""
        if self.sorted[0] != self.version:
            ordered = sorted(self.invoices.values(), key=lambda i: (i.doc["issueDate"], i.id), reverse=True)
            self.sorted = (self.version, ordered)
        return self.sorted[1]

    def keep_contact(self, contact: dict[str, Any]) -> None:
        """Index and keep a contact."""
        id_ = contact["id"]
        self.unindex(id_)
        self.contacts[id_] = contact
        self.found_by[id_] = ((contact.get("email") or "").lower(), phone_key(contact.get("phone") or ""))
        for shelf, key in zip((self.by_email, self.by_phone), self.found_by[id_], strict=True):
            if key:
                shelf.setdefault(key, []).append(id_)
        self.indexed_at[id_] = self.clock.now() + self.switches.search_lag_s
        self.store.put(f"{self.shelf}/contact", id_, dumps(contact))

    def unindex(self, id_: str) -> None:
        """Forget under which address and number a contact is found."""
        for shelf, key in zip((self.by_email, self.by_phone), self.found_by.pop(id_, ("", "")), strict=True):
            if key:
                shelf[key].remove(id_)

    def drop_contact(self, id_: str) -> None:
        """Delete a contact."""
        self.unindex(id_)
        del self.contacts[id_]
        self.store.drop(f"{self.shelf}/contact", id_)

    def keep_transaction(self, transaction: dict[str, Any]) -> None:
        """Keep a payment."""
        if transaction["_id"] not in self.transactions:
            self.payments_of.setdefault(transaction["entitySourceId"], []).append(transaction["_id"])
        self.transactions[transaction["_id"]] = transaction
        self.store.put(f"{self.shelf}/transaction", transaction["_id"], dumps(transaction))

    def keep_order(self, order: dict[str, Any]) -> None:
        """Keep an order."""
        self.orders[order["_id"]] = order
        self.order_of[order["sourceId"]] = order["_id"]
        self.store.put(f"{self.shelf}/order", order["_id"], dumps(order))

    # -- reading back -----------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read back what was kept."""
        for _, head, _ in self.store.rows(f"{self.shelf}/location"):
            body = json.loads(head)
            self.profile, self.next_number = body["profile"], body["next_number"]
            self.switches = Switches(**body["switches"])
        for id_, head, items in self.store.rows(f"{self.shelf}/invoice"):
            self.invoices[id_] = Invoice(id_, json.loads(head), items)
        for _, head, _ in self.store.rows(f"{self.shelf}/contact"):
            self.keep_contact(json.loads(head))
        for _, head, _ in self.store.rows(f"{self.shelf}/transaction"):
            self.keep_transaction(json.loads(head))
        for _, head, _ in self.store.rows(f"{self.shelf}/order"):
            self.keep_order(json.loads(head))
        self.store.waiting.clear()
        self.version += 1
