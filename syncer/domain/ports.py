"""The doors to the outside: what the order of work needs of CrocoClick, Xero, the vault and the clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from syncer.domain.closing.documents import Receipt, SalesDocument
from syncer.domain.matching.invoice_contacts import NewContact
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import (
    Amendment,
    BookContact,
    BookInvoice,
    Books,
    Document,
    NewTaxRate,
    Organisation,
    TaxRate,
    TrackingCategory,
)
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.payment import BookPayment, NewPayment, Payment
from syncer.domain.model.xero_document import BookDocument
from syncer.domain.readiness.test_invoice import NewInvoice

T = TypeVar("T")


class Clock(Protocol):
    """Time, so that a test can hold it still."""

    def now(self) -> datetime:
        """The moment, in UTC with its zone."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Location:
    """A CrocoClick location; `timezone` is an IANA name, by which its dates are read."""

    id: str
    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that came but cannot be understood: which one, which field, and what is wrong with it.

    `kind` says what the record is, in words: invoice, contact, tax rate, …
    """

    source_id: str
    number: str
    field: str
    reason: str
    kind: str = "invoice"  # invoice, transaction, contact

    @property
    def named(self) -> str:
        """The record as a person may find it: `transaction 65f1…`."""
        return f"{self.kind} {self.number or self.source_id or 'without an id'}"


class Lookup(list[T]):
    """What a look came to; `unreadable` are records that are there and cannot be read."""

    def __init__(self, items: Iterable[T] = (), unreadable: Iterable[Unreadable] = ()) -> None:
        super().__init__(items)
        self.unreadable = tuple(unreadable)

    def may_hide_id(self, id: str) -> bool:
        """Whether the record with this id may be one that cannot be read: then nothing says that it is absent."""
        return any(one.source_id in ("", id) for one in self.unreadable)

    def may_hide_number(self, number: str) -> bool:
        """The same for a record's number."""
        return any(one.number in ("", number) for one in self.unreadable)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, how long the whole list is said to be (None: not said), and what in it cannot be read."""

    items: Sequence[T]
    total: int | None = None
    unreadable: Sequence[Unreadable] = ()


@dataclass(frozen=True)
class Refused:
    """A refusal of one element, in the words of the service that refused.

    `whole`: the request was refused for one element's sake and nothing was written; alone, the others may go.
    """

    messages: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """CrocoClick has this contact already: which one, and whether by its email or by its phone."""

    source_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Event:
    """What CrocoClick told by itself: look at this invoice or contact. Times are UTC; `sent_at` None: not said."""

    id: str
    location_id: str
    kind: str
    about: str  # invoice, contact
    subject: str
    sent_at: datetime | None
    received_at: datetime


class Crm(Protocol):
    """CrocoClick. Every call raises TryLater, Reconnect or HaltRun; the writes also InDoubt."""

    def location(self) -> Location:
        """The location that this client reaches: its name and time zone."""

    def invoices(
        self, *, status: str = "", since: date | None = None, search: str = "", until: date | None = None
    ) -> Iterator[Page[Invoice]]:
        """Invoices oldest first; `since` and `until` bound the issue date, by a day more.

        A row may come twice when the list moves meanwhile.
        """

    def invoice(self, source_id: str) -> Invoice | None:
        """One invoice by its id; None where CrocoClick has none."""

    def payments(self, since: date | None = None, contact_id: str = "") -> Iterator[Page[Payment]]:
        """The transactions that came in for invoices, of all contacts or of one; `since` bounds their date.

        A row may come twice.
        """

    def contacts(self, since: datetime | None = None) -> Iterator[Page[SourceContact]]:
        """All contacts, or those changed since; seconds may pass before a change shows here."""

    def contact(self, source_id: str) -> SourceContact | None:
        """One contact by its id; None where CrocoClick has none."""

    def duplicate(self, email: str = "", phone: str = "") -> SourceContact | None:
        """The contact that CrocoClick takes for the same."""

    def create_contact(self, fields: Mapping[str, str], *, call_id: str) -> SourceContact | Taken | Refused:
        """Make a contact; Taken where CrocoClick has one with its email or phone."""

    def update_contact(
        self, source_id: str, fields: Mapping[str, str], *, call_id: str
    ) -> SourceContact | Taken | Refused:
        """Write these fields and no others."""

    def create_invoice(self, new: NewInvoice) -> Invoice:
        """Make an invoice: a draft that nobody has received."""

    def send_invoice(self, source_id: str) -> None:
        """Mark a draft as sent by hand: nobody is written to."""

    def void_invoice(self, source_id: str) -> None:
        """Void a sent invoice."""

    def delete_draft(self, source_id: str) -> None:
        """Delete an invoice that was never sent."""


PAID_AT_ONCE = 40  # invoices with their lines and payments in one answer of Xero


class Accounts(Protocol):
    """One Xero organisation. Reads raise TryLater or Reconnect; writes also InDoubt, then every element is in doubt.

    A write takes its `call_id` and `key` (Idempotency-Key) from the caller, who has committed them before.
    It answers one result per element, in the order given.
    """

    def leaving(self, share: float) -> AbstractContextManager[None]:
        """Meanwhile leave this share (0 to 1) of the day's calls to others; calls raise RateLimited where it begins."""

    def books(self) -> Books:
        """Organisation, actions, accounts, tax rates and currencies: five calls."""

    def tracking(self) -> Sequence[TrackingCategory]:
        """The tracking categories with their options, archived ones too: one call."""

    def organisation(self) -> Organisation:
        """The organisation alone: one call."""

    def contacts(self, since: datetime | None = None) -> Iterator[Page[BookContact]]:
        """All contacts, archived too, or those changed since; pages of 1,000."""

    def invoice_heads(self, since: datetime | None = None) -> Iterator[Page[BookInvoice]]:
        """All sales invoices, or those changed since; pages of 1,000."""

    def drain_left_out(self) -> Sequence[Unreadable]:
        """Xero's records that could not be read and were left out since this was last asked."""

    def invoices_numbered(self, numbers: Sequence[str]) -> Lookup[BookInvoice]:
        """The sales invoices that carry one of these numbers, whatever their status: one call for 50 plain ones."""

    def invoices_with_ids(self, ids: Sequence[str]) -> Lookup[BookInvoice]:
        """The heads of invoices by InvoiceID, whatever their status: a call for each 40."""

    def invoices_with_payments(self, ids: Sequence[str]) -> Lookup[tuple[BookInvoice, list[BookPayment]]]:
        """The heads of invoices by InvoiceID, each with its payments: a call for each 40."""

    def invoice(self, invoice_id: str) -> BookDocument:
        """One invoice with its lines: one call."""

    def sales(self, first: date | None, last: date | None) -> Iterator[Page[SalesDocument]]:
        """The sales invoices of these days, whole, whatever their status; pages of 1,000."""

    def sales_with_ids(self, ids: Sequence[str]) -> Lookup[SalesDocument]:
        """The sales invoices that have one of these ids, whole: a call for each 40."""

    def credit_notes(self, first: date | None) -> Iterator[Page[SalesDocument]]:
        """Customers' credit notes dated on this day or later; pages of 1,000."""

    def payments_dated(self, first: date | None, last: date | None) -> Iterator[Page[Receipt]]:
        """The payments of these days that stand, those of bills too; pages of 1,000."""

    def create_contacts(
        self, contacts: Sequence[NewContact], *, call_id: str, key: str
    ) -> Sequence[BookContact | Refused]:
        """Make contacts, each with our mark."""

    def create_invoices(
        self, documents: Sequence[Document], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Make sales invoices, each with our mark."""

    def update_invoices(
        self, documents: Sequence[tuple[str, Document]], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Replace the content of existing invoices; each document comes with its InvoiceID."""

    def void_invoices(self, invoice_ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookInvoice | Refused]:
        """Void approved invoices (POST, Status VOIDED)."""

    def delete_drafts(self, invoice_ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookInvoice | Refused]:
        """Delete drafts (POST, Status DELETED)."""

    def amend_invoices(
        self, amendments: Sequence[Amendment], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Change number, contact, due date and reference alone, which Xero allows on invoices with payments."""

    def create_payments(
        self, payments: Sequence[NewPayment], *, call_id: str, key: str
    ) -> Sequence[BookPayment | Refused]:
        """Enter payments, each with our mark in its reference."""

    def delete_payments(self, ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookPayment | Refused]:
        """Take a payment off its invoice (POST, Status DELETED): `ids` has one, since a call takes one."""

    def payments(self, since: datetime) -> Iterator[Page[BookPayment]]:
        """Payments changed since, deleted ones too; pages of 1,000."""

    def payments_of(self, invoice_id: str) -> Sequence[BookPayment]:
        """The payments on one invoice, deleted ones too: one call."""

    def contacts_with_ids(self, ids: Sequence[str]) -> Lookup[BookContact]:
        """The contacts that have one of these ids, archived ones too, a call for each 40; unknown ids are left out."""

    def create_tax_rates(self, rates: Sequence[NewTaxRate], *, call_id: str, key: str) -> Sequence[TaxRate | Refused]:
        """Create a tax rate (PUT): one a call; names are unique, so that a second one of its name is refused."""

    def create_currencies(self, codes: Sequence[str], *, call_id: str, key: str) -> Sequence[str | Refused]:
        """Enable a currency (PUT): one a call; answers its code."""


@dataclass(frozen=True)
class CallRecord:
    """One HTTP call as it was: `ms` milliseconds, sizes in bytes, None where no answer came or no header said."""

    id: str
    at: datetime
    side: str
    method: str
    path: str
    status: int | None
    ms: int
    bytes_sent: int = 0
    bytes_received: int = 0
    minute_left: int | None = None
    day_left: int | None = None
    correlation_id: str = ""
    idempotency_key: str = ""
    failure: str = ""
    writes: bool = False


class CallLog(Protocol):
    """Where calls are written down, and the bodies of those worth keeping."""

    def record(self, call: CallRecord, request_body: bytes, response_body: bytes) -> None:
        """Remember the call; bodies arrive redacted of tokens."""


@dataclass(frozen=True)
class Tokens:
    """One Xero consent. Secrets never print. `expires_at` is UTC."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]
    obtained_at: datetime
    tenant_id: str = ""
    user: str = ""


class Seal(Protocol):
    """What is written beside the ledger before documents are created, and shows whether the ledger was put back."""

    def changed_at(self) -> datetime | None:
        """When it was last written or copied, UTC; None where there is none."""

    def renew(self) -> datetime:
        """Write it anew; returns the time that the ledger is to keep, UTC."""


class Vault(Protocol):
    """Secrets by name, encrypted, apart from the ledger."""

    def get(self, name: str) -> dict[str, Any] | None:
        """The secret of this name; None where there is none. Raises Reconnect where it cannot be decrypted."""

    def put(self, name: str, secret: dict[str, Any]) -> None:
        """Stored durably when this returns."""

    def remove(self, name: str) -> None:
        """Forget it; nothing happens where there is none."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Alone with this secret, among threads and processes of this machine."""
