"""The books of one simulated Xero organisation: records, their indexes, and how they are kept."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from sandbox.clock import Clock
from sandbox.state import Store
from sandbox.wire import dumps
from sandbox.xero import editions


def new_id() -> str:
    """A fresh lower-case GUID."""
    return str(uuid.uuid4())


def name_key(name: str) -> str:
    """Contact names are compared ignoring case and outer or doubled blanks."""
    return " ".join(name.split()).casefold()


@dataclass(slots=True)
class Contact:
    """A contact: `fields` holds what the API shows, under the API's names."""

    id: str
    fields: dict[str, Any]
    updated: int = 0
    stub: str = ""
    full: str = ""

    @property
    def active(self) -> bool:
        """Whether new documents may be addressed to it."""
        return bool(self.fields["ContactStatus"] == "ACTIVE")


@dataclass(slots=True)
class Invoice:
    """An invoice: the head as values, the lines as ready-made JSON."""

    id: str
    number: str
    type: str
    status: str
    contact_id: str
    date: str
    due: str | None
    amount_types: str
    currency: str
    rate: float
    reference: str = ""
    url: str = ""
    branding: str = ""
    sent: bool = False
    expected: str | None = None
    planned: str | None = None
    subtotal: int = 0
    tax: int = 0
    total: int = 0
    discount: int = 0
    paid: int = 0
    credited: int = 0
    paid_on: str | None = None
    updated: int = 0
    app: str = ""
    fine: bool = False  # some unit price needs more than two decimals
    approved_at: int = 0
    payments: list[str] = field(default_factory=list)
    lines: str = "[]"

    @property
    def due_cents(self) -> int:
        """What is still to be paid; a voided invoice keeps its figure."""
        return self.total - self.paid - self.credited

    def payments_count(self, books: "Books") -> int:
        """How many payments count."""
        return sum(1 for id_ in self.payments if books.payments[id_].status == "AUTHORISED")

    @property
    def discounted(self) -> bool:
        """Whether any line carries a discount."""
        return self.discount != 0


HEAD = [name for name in Invoice.__slots__ if name != "lines"]
head_of = attrgetter(*HEAD)


@dataclass(slots=True)
class Payment:
    """Money received for one invoice."""

    id: str
    invoice_id: str
    account_id: str
    date: str
    cents: int
    bank_cents: int
    rate: float
    reference: str = ""
    status: str = "AUTHORISED"
    reconciled: bool = False
    in_batch: bool = False
    updated: int = 0
    type: str = "ACCRECPAYMENT"


payment_row = attrgetter(*Payment.__slots__)


@dataclass(slots=True)
class CreditNote:
    """Money that a customer may have back; amounts in cents, the lines as ready-made JSON."""

    id: str
    number: str
    contact_id: str
    date: str
    currency: str
    tax: int
    total: int
    lines: str = "[]"
    reference: str = ""
    status: str = "AUTHORISED"
    type: str = "ACCRECCREDIT"
    updated: int = 0


note_row = attrgetter(*CreditNote.__slots__)


@dataclass
class Switches:
    """Where the reference is silent or doubtful, or where a test wants another organisation.

    `half_cent`: up, even or down · `discount_rate_half`: how a percentage discount's line rounds ·
    `summarised_saves_neighbours`: a 400 for a batch keeps its good elements · `reuse_void_number`: PUT may take
    the number of a voided invoice · `zero_total_is_paid`: an approved zero invoice turns PAID at once ·
    `old_wordings`: the older of two known message texts · `invoice_cap`: approved invoices a month (None: no cap) ·
    `role`: the connecting user's; `settings_rights`: whether a STANDARD one may change settings, as a person chooses.
    """

    half_cent: str = "up"
    discount_rate_half: str = "up"
    summarised_saves_neighbours: bool = True
    reuse_void_number: bool = False
    zero_total_is_paid: bool = True
    old_wordings: bool = False
    multicurrency: bool = True
    invoice_cap: int | None = None
    adviser: bool = False
    role: str = "STANDARD"
    settings_rights: bool = True
    stale_updates: bool = False


class Books:
    """One organisation with everything in it."""

    def __init__(self, tenant: str, org: dict[str, Any], store: Store, clock: Clock):
        self.tenant, self.org, self.store, self.clock = tenant, org, store, clock
        self.switches = Switches()
        self.accounts: dict[str, dict[str, Any]] = {}
        self.tax_rates: dict[str, dict[str, Any]] = {}
        self.currencies: dict[str, str] = {}
        self.tracking: dict[str, dict[str, Any]] = {}
        self.day_rates: dict[str, float] = dict(editions.DAY_RATES)
        self.contacts: dict[str, Contact] = {}
        self.invoices: dict[str, Invoice] = {}
        self.payments: dict[str, Payment] = {}
        self.credit_notes: dict[str, CreditNote] = {}
        self.items: set[str] = set()
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.contact_numbers: dict[str, str] = {}
        self.codes: dict[str, str] = {}
        self.last_number = 0
        self.struck: set[str] = set()  # magic numbers with -ONCE that have struck

    @property
    def name(self) -> str:
        """The organisation's name."""
        return str(self.org["Name"])

    @property
    def base(self) -> str:
        """The base currency."""
        return str(self.org["BaseCurrency"])

    # -- keeping ----------------------------------------------------------------------------------------------

    def cap_is_reached(self) -> bool:
        """Whether the plan lets nobody approve another sales invoice this month."""
        cap = self.switches.invoice_cap
        if cap is None:
            return False
        month = datetime.fromtimestamp(self.clock.now(), UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        since = int(month.timestamp() * 1000)
        return sum(1 for i in self.invoices.values() if i.type == "ACCREC" and i.approved_at >= since) >= cap

    def may_change_settings(self) -> bool:
        """Whether the connecting user may add tax rates, accounts and currencies."""
        switches = self.switches
        return switches.adviser or (switches.role in ("STANDARD", "FINANCIALADVISER") and switches.settings_rights)

    def keep_org(self) -> None:
        """Keep the organisation and its settings."""
        body = {
            "org": self.org,
            "switches": vars(self.switches),
            "currencies": self.currencies,
            "day_rates": self.day_rates,
            "accounts": self.accounts,
            "tax_rates": self.tax_rates,
            "tracking": self.tracking,
            "last_number": self.last_number,
        }
        self.store.put("xero/org", self.tenant, dumps(body))

    def keep_contact(self, contact: Contact) -> None:
        """Index and keep a contact."""
        contact.stub = contact.full = ""
        self.contacts[contact.id] = contact
        if contact.active:
            self.names[name_key(contact.fields["Name"])] = contact.id
        if number := contact.fields.get("ContactNumber"):
            self.contact_numbers[number] = contact.id
        self.store.put(f"xero/{self.tenant}/contact", contact.id, dumps([contact.updated, contact.fields]))

    def forget_name(self, contact: Contact) -> None:
        """Free a contact's name, before a rename or when it is archived."""
        key = name_key(contact.fields["Name"])
        if self.names.get(key) == contact.id:
            del self.names[key]

    def keep_invoice(self, invoice: Invoice, with_lines: bool = True) -> None:
        """Index and keep an invoice."""
        self.invoices[invoice.id] = invoice
        if invoice.type == "ACCREC":
            self.numbers[invoice.number] = invoice.id
        self.store.put(f"xero/{self.tenant}/invoice", invoice.id, dumps(head_of(invoice)), invoice.lines)

    def keep_payment(self, payment: Payment) -> None:
        """Keep a payment."""
        self.payments[payment.id] = payment
        self.store.put(f"xero/{self.tenant}/payment", payment.id, dumps(payment_row(payment)))

    def keep_credit_note(self, note: CreditNote) -> None:
        """Keep a credit note."""
        self.credit_notes[note.id] = note
        self.store.put(f"xero/{self.tenant}/creditnote", note.id, dumps(note_row(note)))

    def keep_history(self, document: str, record: dict[str, Any]) -> None:
        """Add a note to a document's history."""
        notes = self.history.setdefault(document, [])
        notes.append(record)
        self.store.put(f"xero/{self.tenant}/history", document, dumps(notes))

    def add_account(self, account: dict[str, Any]) -> None:
        """Index an account; `keep_org` keeps it."""
        self.accounts[account["AccountID"]] = account
        if account.get("Code"):
            self.codes[account["Code"]] = account["AccountID"]

    def account(self, key: str) -> dict[str, Any] | None:
        """An account by id or code."""
        return self.accounts.get(key) or self.accounts.get(self.codes.get(key, ""))

    def next_number(self) -> str:
        """The next automatic invoice number."""
        while True:
            self.last_number += 1
            number = f"INV-{self.last_number:04d}"
            if number not in self.numbers:
                return number

    # -- reading back -----------------------------------------------------------------------------------------

    @classmethod
    def read(cls, tenant: str, head: str, store: Store, clock: Clock) -> "Books":
        """An organisation as it was kept."""
        body = json.loads(head)
        books = cls(tenant, body["org"], store, clock)
        books.switches = Switches(**body["switches"])
        books.currencies, books.day_rates = body["currencies"], body["day_rates"]
        books.tax_rates, books.last_number = body["tax_rates"], body["last_number"]
        books.tracking = body.get("tracking", {})
        for account in body["accounts"].values():
            books.add_account(account)
        books._read_records()
        return books

    def _read_records(self) -> None:
        kind = f"xero/{self.tenant}"
        for id_, head, _ in self.store.rows(f"{kind}/contact"):
            updated, fields = json.loads(head)
            self.keep_contact(Contact(id_, fields, updated))
        for _, head, lines in self.store.rows(f"{kind}/invoice"):
            invoice = Invoice(**dict(zip(HEAD, json.loads(head), strict=True)), lines=lines)
            self.invoices[invoice.id] = invoice
            if invoice.type == "ACCREC":
                self.numbers[invoice.number] = invoice.id
        for id_, head, _ in self.store.rows(f"{kind}/payment"):
            self.payments[id_] = Payment(*json.loads(head))
        for id_, head, _ in self.store.rows(f"{kind}/creditnote"):
            self.credit_notes[id_] = CreditNote(*json.loads(head))
        for id_, head, _ in self.store.rows(f"{kind}/history"):
            self.history[id_] = json.loads(head)
        self.store.waiting.clear()
