"""What Xero's answers hold, as values of ours; no I/O.

Sources: Xero's pages on organisation, accounts, tax rates, currencies, contacts, invoices and payments.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncer.core.book_document import BookDocument, BookLine
from syncer.core.books import (
    NO_ADDRESS,
    Account,
    Address,
    BookContact,
    BookInvoice,
    Organisation,
    TaxComponent,
    TaxRate,
)
from syncer.core.money import ZERO
from syncer.core.payment import BookPayment
from syncer.errors import Unavailable
from syncer.transport import Response
from syncer.xero import wire

_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One entry of GET /connections: an organisation, or a practice, that the consent reaches."""

    connection_id: str
    id: str
    type: str
    name: str
    auth_event_id: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


def organisation(data: Mapping[str, Any]) -> Organisation:
    """The organisation of GET /Organisation; raises Unavailable for an answer without one."""
    elements = data.get("Organisations") or []
    if not elements:
        raise Unavailable(wire.UNAVAILABLE, side="xero", reason="no organisation in the answer")
    found = elements[0]
    return Organisation(
        id=_text(found, "OrganisationID"),
        name=_text(found, "Name"),
        country=_text(found, "CountryCode"),
        base_currency=_text(found, "BaseCurrency"),
        version=_text(found, "Version"),
        plan=_text(found, "Class"),
        short_code=_text(found, "ShortCode"),
        timezone=_text(found, "Timezone"),
        period_lock_date=read_date(found, "PeriodLockDate"),
        end_of_year_lock_date=read_date(found, "EndOfYearLockDate"),
    )


def actions(data: Mapping[str, Any]) -> dict[str, bool]:
    """What the plan and the connecting user's role allow, by Xero's name of the action."""
    return {_text(found, "Name"): _text(found, "Status") == "ALLOWED" for found in data.get("Actions") or []}


def currencies(data: Mapping[str, Any]) -> frozenset[str]:
    """Codes of the currencies that the organisation has added, its own included."""
    return frozenset(_text(found, "Code") for found in data.get("Currencies") or [])


def accounts(data: Mapping[str, Any]) -> tuple[Account, ...]:
    """The chart of accounts, archived accounts too."""
    return tuple(_read_account(found) for found in data.get("Accounts") or [])


def _read_account(found: Mapping[str, Any]) -> Account:
    kind = _text(found, "Type")
    return Account(
        id=_text(found, "AccountID"),
        code=_text(found, "Code"),
        name=_text(found, "Name"),
        type=kind,
        status=_text(found, "Status") or "ACTIVE",
        klass=_text(found, "Class"),
        currency=_text(found, "CurrencyCode"),
        system_account=_text(found, "SystemAccount"),
        # Bank accounts say EnablePaymentsToAccount false and take payments all the same ("accounts", "payments").
        takes_payments=kind == "BANK" or found.get("EnablePaymentsToAccount") is True,
    )


def tax_rates(data: Mapping[str, Any]) -> tuple[TaxRate, ...]:
    """The tax rates, whatever their status; one that does not say it applies to revenue does not."""
    return tuple(read_rate(found) for found in data.get("TaxRates") or [])


def read_rate(found: Mapping[str, Any]) -> TaxRate:
    """One tax rate."""
    return TaxRate(
        type=_text(found, "TaxType"),
        name=_text(found, "Name"),
        effective_rate=_number(found, "EffectiveRate"),
        components=tuple(
            TaxComponent(_text(part, "Name"), _number(part, "Rate"), part.get("IsCompound") is True)
            for part in found.get("TaxComponents") or []
        ),
        status=_text(found, "Status") or "ACTIVE",
        applies_to_revenue=found.get("CanApplyToRevenue") is True,
    )


def contacts(data: Mapping[str, Any]) -> list[BookContact]:
    """The contacts of a page."""
    return [read_contact(found) for found in data.get("Contacts") or []]


def read_contact(found: Mapping[str, Any]) -> BookContact:
    """One contact."""
    return BookContact(
        id=_text(found, "ContactID"),
        name=_text(found, "Name"),
        email=_text(found, "EmailAddress"),
        number=_text(found, "ContactNumber"),
        status=_text(found, "ContactStatus") or "ACTIVE",
        merged_to=_text(found, "MergedToContactID"),
        phone=_phone(found.get("Phones") or []),
        updated_at=read_moment(found, "UpdatedDateUTC"),
        first_name=_text(found, "FirstName"),
        last_name=_text(found, "LastName"),
        address=_address(found.get("Addresses") or []),
        is_customer=found.get("IsCustomer") is True,
        is_supplier=found.get("IsSupplier") is True,
    )


def sales_invoices(data: Mapping[str, Any]) -> list[BookInvoice]:
    """The sales invoices of an answer: a bill may carry the same number."""
    found = data.get("Invoices") or []
    return [read_invoice(invoice) for invoice in found if invoice.get("Type", "ACCREC") == "ACCREC"]


def read_invoice(found: Mapping[str, Any]) -> BookInvoice:
    """The head of one invoice."""
    return BookInvoice(
        id=_text(found, "InvoiceID"),
        number=_text(found, "InvoiceNumber"),
        status=_text(found, "Status"),
        currency=_text(found, "CurrencyCode"),
        total=_number(found, "Total"),
        total_tax=_number(found, "TotalTax"),
        amount_due=_number(found, "AmountDue"),
        # Credit notes and prepayments lock an invoice as payments do.
        amount_paid=_number(found, "AmountPaid") + _number(found, "AmountCredited"),
        url=_text(found, "Url"),
        contact_id=_text(found.get("Contact") or {}, "ContactID"),
        issue_date=read_date(found, "Date"),
        due_date=read_date(found, "DueDate"),
        updated_at=read_moment(found, "UpdatedDateUTC"),
    )


def document(data: Mapping[str, Any]) -> BookDocument:
    """The one invoice of GET /Invoices/{id}, with its lines; raises Unavailable for an answer without one."""
    elements = data.get("Invoices") or []
    if not elements:
        raise Unavailable(wire.UNAVAILABLE, side="xero", reason="no invoice in the answer")
    found = elements[0]
    return BookDocument(
        head=read_invoice(found),
        contact_name=_text(found.get("Contact") or {}, "Name"),
        net=_number(found, "SubTotal"),
        sent_to_contact=found.get("SentToContact") is True,
        lines=tuple(_read_line(line) for line in found.get("LineItems") or []),
    )


def _read_line(found: Mapping[str, Any]) -> BookLine:
    return BookLine(
        description=_text(found, "Description"),
        quantity=_number(found, "Quantity"),
        unit_amount=_number(found, "UnitAmount"),
        amount=_number(found, "LineAmount"),
        tax_type=_text(found, "TaxType"),
        tax_amount=_number(found, "TaxAmount"),
        discount=_number(found, "DiscountAmount"),
    )


def read_payment(found: Mapping[str, Any]) -> BookPayment:
    """One payment; the answer to a write has the invoice as it is then."""
    invoice = found.get("Invoice") or {}
    return BookPayment(
        id=_text(found, "PaymentID"),
        invoice_id=_text(invoice, "InvoiceID"),
        amount=_number(found, "Amount"),
        reference=_text(found, "Reference"),
        status=_text(found, "Status") or "AUTHORISED",
        paid_on=read_date(found, "Date"),
        due_after=_number(invoice, "AmountDue") if "AmountDue" in invoice else None,
    )


def payment_list(data: Mapping[str, Any]) -> list[BookPayment]:
    """The payments of a page."""
    return [read_payment(found) for found in data.get("Payments") or []]


def payments(data: Mapping[str, Any], invoice_id: str) -> list[BookPayment]:
    """The payments inside the answer of GET /Invoices/{id}, which do not name their invoice again."""
    return [payment for invoice in data.get("Invoices") or [] for payment in _payments_on(invoice, invoice_id)]


def paid_invoices(data: Mapping[str, Any]) -> list[tuple[BookInvoice, list[BookPayment]]]:
    """The heads of a list of whole invoices, each with its payments."""
    found = data.get("Invoices") or []
    return [(read_invoice(one), _payments_on(one, _text(one, "InvoiceID"))) for one in found]


def _payments_on(invoice: Mapping[str, Any], invoice_id: str) -> list[BookPayment]:
    return [read_payment({"Invoice": {"InvoiceID": invoice_id}, **one}) for one in invoice.get("Payments") or []]


def tenants(answer: Response) -> list[Tenant]:
    """The entries of GET /connections, a bare array (openapi xero-identity)."""
    if answer.status >= 300:
        wire.decipher(answer)
    found = wire.loads(answer.body)
    if not isinstance(found, list):
        raise Unavailable(wire.UNAVAILABLE, side="xero", status=answer.status)
    return [_tenant(entry) for entry in found]


def _tenant(found: Mapping[str, Any]) -> Tenant:
    return Tenant(
        connection_id=_text(found, "id"),
        id=_text(found, "tenantId"),
        type=_text(found, "tenantType"),
        name=_text(found, "tenantName"),
        auth_event_id=_text(found, "authEventId"),
        created_at=read_moment(found, "createdDateUtc"),
        updated_at=read_moment(found, "updatedDateUtc"),
    )


def read_date(found: Mapping[str, Any], name: str) -> date | None:
    """A date of a document: midnight of that date written as if it were UTC, never to be shifted by a zone."""
    moment = read_moment(found, name) or read_moment(found, f"{name}String")
    return moment.date() if moment else None


def read_moment(found: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in UTC: `/Date(ms+0000)/`, or ISO where there is no zone but UTC."""
    written = _text(found, name)
    if at := _MS_DATE.fullmatch(written):
        return _EPOCH + timedelta(milliseconds=int(at[1]))
    try:
        # /connections has seven digits of a second, one more than Python reads.
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _phone(phones: Sequence[Mapping[str, Any]]) -> str:
    """The default number, else the mobile one, with its area, and behind a plus its country."""
    by_type = {_text(phone, "PhoneType"): phone for phone in phones}
    for kind in ("DEFAULT", "MOBILE"):
        phone = by_type.get(kind, {})
        if number := _text(phone, "PhoneNumber"):
            country = _text(phone, "PhoneCountryCode").lstrip("+0")
            parts = (f"+{country}" if country else "", _text(phone, "PhoneAreaCode"), number)
            return " ".join(part for part in parts if part)
    return ""


def _address(addresses: Sequence[Mapping[str, Any]]) -> Address:
    """The street's address, else the one for letters."""
    by_type = {_text(one, "AddressType"): _read_address(one) for one in addresses}
    return next((one for kind in ("STREET", "POBOX") if (one := by_type.get(kind)) and one != NO_ADDRESS), NO_ADDRESS)


def _read_address(found: Mapping[str, Any]) -> Address:
    lines = (_text(found, f"AddressLine{number}") for number in range(1, 5))
    return Address(
        line=", ".join(line for line in lines if line),
        city=_text(found, "City"),
        region=_text(found, "Region"),
        postcode=_text(found, "PostalCode"),
        country=_text(found, "Country"),
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return "" if value is None else str(value)


def _number(found: Mapping[str, Any], name: str) -> Decimal:
    value = found.get(name)
    return value if isinstance(value, Decimal) else ZERO
