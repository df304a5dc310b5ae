"""What we know of a Xero organisation, and the document that an invoice becomes there."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from syncer.domain.model.money import ZERO

MULTICURRENCY = "UseMulticurrency"
APPROVE = "CreateApprovedInvoice"
OTHER_APPROVALS = ("CreateApprovedBill", "CreateInvoicePayment")
CAPPED_PLANS = ("STARTER", "IGNITE", "LITE")  # 20 approved sales invoices a month (Xero's plan pages)
NEW = "new:"  # before the name of what a run will create first


@dataclass(frozen=True, slots=True)
class Organisation:
    """A Xero organisation: `plan` is its Class, `version` its edition (AU, NZ, GLOBAL, UK, US, …)."""

    id: str
    name: str
    country: str
    base_currency: str
    version: str = ""
    plan: str = ""
    short_code: str = ""
    timezone: str = ""
    period_lock_date: date | None = None
    end_of_year_lock_date: date | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart; bank accounts may have no code."""

    id: str
    code: str
    name: str
    type: str
    status: str = "ACTIVE"
    klass: str = ""
    currency: str = ""
    system_account: str = ""
    takes_payments: bool = False


@dataclass(frozen=True, slots=True)
class TaxComponent:
    """One part of a Xero tax rate; `rate` is a percentage."""

    name: str
    rate: Decimal
    compound: bool = False


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A Xero tax rate; `type` is the TaxType that line items carry."""

    type: str
    name: str
    effective_rate: Decimal
    components: tuple[TaxComponent, ...] = ()
    status: str = "ACTIVE"
    applies_to_revenue: bool = True

    @property
    def is_new(self) -> bool:
        """Whether it does not exist yet and the settings allow to create it: `type` then only stands for it."""
        return self.type.startswith(NEW)


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` as the side that holds it writes it."""

    line: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


NO_ADDRESS = Address()


@dataclass(frozen=True, slots=True)
class BookContact:
    """A contact as Xero holds it; `number` is Xero's ContactNumber, where we write the CrocoClick contact id.

    Xero says customer or supplier once a document of that kind exists; a contact without any is neither.
    """

    id: str
    name: str
    email: str = ""
    number: str = ""
    status: str = "ACTIVE"
    merged_to: str = ""
    phone: str = ""
    updated_at: datetime | None = None
    first_name: str = ""
    last_name: str = ""
    address: Address = NO_ADDRESS
    is_customer: bool = False
    is_supplier: bool = False


@dataclass(frozen=True, slots=True)
class BookInvoice:
    """The head of an invoice as Xero holds it: enough to recognise, compare and settle it."""

    id: str
    number: str
    status: str
    currency: str
    total: Decimal
    total_tax: Decimal
    amount_due: Decimal
    amount_paid: Decimal = ZERO
    url: str = ""
    contact_id: str = ""
    issue_date: date | None = None
    due_date: date | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrackingOption:
    """One option of a tracking category."""

    id: str
    name: str
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class TrackingCategory:
    """A tracking category; an organisation has at most two active ones."""

    id: str
    name: str
    status: str = "ACTIVE"
    options: tuple[TrackingOption, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTaxRate:
    """A tax rate to create; `report_type` (ReportTaxType) only where the edition needs one, else empty."""

    name: str
    components: tuple[TaxComponent, ...]
    report_type: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What Xero still lets change on an approved invoice that has payments (Xero's Invoices page).

    An empty `contact_id`, no `due_date` and no `reference` leave what is there.
    """

    xero_id: str
    number: str
    contact_id: str
    due_date: date | None
    reference: str | None


@dataclass(frozen=True)
class Books:
    """One organisation's settings at one moment: what the planner may rely on."""

    organisation: Organisation
    accounts: tuple[Account, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    currencies: frozenset[str] = frozenset()
    actions: Mapping[str, bool] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what Xero would not create, and why
    tracking: tuple[TrackingCategory, ...] | None = None  # None: not read, since no setting needs it

    @cached_property
    def account_by_code(self) -> Mapping[str, Account]:
        """Accounts by code and by AccountID, whatever their status."""
        return {key: account for account in self.accounts for key in (account.id, account.code) if key}

    @cached_property
    def tax_rate_by_type(self) -> Mapping[str, TaxRate]:
        """Tax rates by TaxType, whatever their status."""
        return {rate.type: rate for rate in self.tax_rates}

    def lock_date(self) -> date | None:
        """The later of the two lock dates; a document dated on it or before is locked."""
        dates = [self.organisation.period_lock_date, self.organisation.end_of_year_lock_date]
        return max((day for day in dates if day), default=None)

    def is_locked(self, day: date | None) -> bool:
        """Whether an approved document of this date can neither be made nor changed."""
        lock = self.lock_date()
        return bool(lock and day and day <= lock)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A line as Xero will get it: `discount` in cents, `tax_amount` only where Xero's own would differ."""

    description: str
    quantity: Decimal
    unit_amount: Decimal
    account: str
    tax_type: str
    discount: Decimal = ZERO
    tax_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An accounting invoice ready for Xero, with the totals that Xero must come to."""

    source_id: str
    number: str
    contact_id: str
    issue_date: date
    due_date: date | None
    currency: str
    reference: str
    url: str
    status: str
    sent_to_contact: bool
    inclusive: bool
    lines: tuple[DocumentLine, ...]
    total: Decimal
    total_tax: Decimal
    corrections: tuple[str, ...] = ()
    tracking: tuple[tuple[str, str], ...] = ()  # category and option that every line carries


def books_text(books: Books) -> str:
    """The books as JSON, the way the ledger keeps them."""
    told = {
        "organisation": asdict(books.organisation),
        "accounts": [asdict(account) for account in books.accounts],
        "tax_rates": [asdict(rate) for rate in books.tax_rates],
        "currencies": sorted(books.currencies),
        "actions": dict(books.actions),
        "refused": {key: list(said) for key, said in books.refused.items()},
    }
    if books.tracking is not None:
        told["tracking"] = [asdict(category) for category in books.tracking]
    return json.dumps(told, ensure_ascii=False, default=str, sort_keys=True)


def books_from(written: str) -> Books:
    """The books again."""
    told = json.loads(written)
    return Books(
        organisation=_organisation(told["organisation"]),
        accounts=tuple(Account(**account) for account in told["accounts"]),
        tax_rates=tuple(_tax_rate(rate) for rate in told["tax_rates"]),
        currencies=frozenset(told["currencies"]),
        actions=told["actions"],
        refused={key: tuple(said) for key, said in told.get("refused", {}).items()},
        tracking=tuple(_tracking(category) for category in told["tracking"]) if "tracking" in told else None,
    )


def _organisation(told: dict[str, Any]) -> Organisation:
    dates = ("period_lock_date", "end_of_year_lock_date")
    return Organisation(**{**told, **{name: date.fromisoformat(told[name]) if told[name] else None for name in dates}})


def _tracking(told: dict[str, Any]) -> TrackingCategory:
    return TrackingCategory(**{**told, "options": tuple(TrackingOption(**option) for option in told["options"])})


def _tax_rate(told: dict[str, Any]) -> TaxRate:
    parts = tuple(TaxComponent(part["name"], Decimal(part["rate"]), part["compound"]) for part in told["components"])
    return TaxRate(**{**told, "effective_rate": Decimal(told["effective_rate"]), "components": parts})
