"""What Xero's answers hold, as values of ours; no I/O.

Sources: Xero's pages on organisation, accounts, tax rates, currencies, contacts, invoices, credit notes and payments.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from syncer.connectors.http import Response
from syncer.connectors.xero import wire
from syncer.connectors.xero.fields import (
    Garbled,
    day,
    moment,
    needed,
    needed_number,
    number,
    part,
    parts,
    shown,
    text,
    whole,
)
from syncer.domain.closing.documents import CREDIT_NOTE, STANDING, Receipt, SalesDocument, party
from syncer.domain.errors import Unavailable
from syncer.domain.model.books import (
    NO_ADDRESS,
    Account,
    Address,
    BookContact,
    BookInvoice,
    Organisation,
    TaxComponent,
    TaxRate,
    TrackingCategory,
    TrackingOption,
)
from syncer.domain.model.money import ZERO
from syncer.domain.model.payment import BookPayment, is_mark, mark_in
from syncer.domain.model.xero_document import BookDocument, BookLine
from syncer.domain.ports import Lookup, Unreadable

T = TypeVar("T")


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
    """The organisation of GET /Organisation; raises Unavailable for an answer without one, or an unreadable one."""
    return _only(data, "Organisations", _read_organisation)


def _read_organisation(found: Mapping[str, Any]) -> Organisation:
    return Organisation(
        id=text(found, "OrganisationID"),
        name=text(found, "Name"),
        country=text(found, "CountryCode"),
        base_currency=text(found, "BaseCurrency"),
        version=text(found, "Version"),
        plan=text(found, "Class"),
        short_code=text(found, "ShortCode"),
        timezone=text(found, "Timezone"),
        period_lock_date=day(found, "PeriodLockDate"),
        end_of_year_lock_date=day(found, "EndOfYearLockDate"),
    )


def actions(data: Mapping[str, Any]) -> Lookup[tuple[str, bool]]:
    """What the plan and the connecting user's role allow, by Xero's name of the action."""
    return _all(data, "Actions", lambda found: (needed(found, "Name"), text(found, "Status") == "ALLOWED"))


def currencies(data: Mapping[str, Any]) -> Lookup[str]:
    """Codes of the currencies that the organisation has added, its own included."""
    return _all(data, "Currencies", read_currency)


def read_currency(found: Mapping[str, Any]) -> str:
    """One currency's code."""
    return needed(found, "Code")


def accounts(data: Mapping[str, Any]) -> Lookup[Account]:
    """The chart of accounts, archived accounts too."""
    return _all(data, "Accounts", _read_account)


def _read_account(found: Mapping[str, Any]) -> Account:
    kind = text(found, "Type")
    return Account(
        id=needed(found, "AccountID"),
        code=text(found, "Code"),
        name=text(found, "Name"),
        type=kind,
        status=text(found, "Status") or "ACTIVE",
        klass=text(found, "Class"),
        currency=text(found, "CurrencyCode"),
        system_account=text(found, "SystemAccount"),
        # Bank accounts say EnablePaymentsToAccount false and take payments all the same ("accounts", "payments").
        takes_payments=kind == "BANK" or found.get("EnablePaymentsToAccount") is True,
    )


def tax_rates(data: Mapping[str, Any]) -> Lookup[TaxRate]:
    """The tax rates, whatever their status; one that does not say it applies to revenue does not."""
    return _all(data, "TaxRates", read_rate)


def read_rate(found: Mapping[str, Any]) -> TaxRate:
    """One tax rate."""
    return TaxRate(
        type=needed(found, "TaxType"),
        name=text(found, "Name"),
        effective_rate=needed_number(found, "EffectiveRate"),
        components=tuple(
            TaxComponent(text(one, "Name"), number(one, "Rate"), one.get("IsCompound") is True)
            for one in parts(found, "TaxComponents")
        ),
        status=text(found, "Status") or "ACTIVE",
        applies_to_revenue=found.get("CanApplyToRevenue") is True,
    )


def tracking_categories(data: Mapping[str, Any]) -> Lookup[TrackingCategory]:
    """The tracking categories, whatever their status."""
    return _all(data, "TrackingCategories", _read_tracking)


def _read_tracking(found: Mapping[str, Any]) -> TrackingCategory:
    options = (
        TrackingOption(text(one, "TrackingOptionID"), needed(one, "Name"), text(one, "Status") or "ACTIVE")
        for one in parts(found, "Options")
    )
    status = text(found, "Status") or "ACTIVE"
    return TrackingCategory(text(found, "TrackingCategoryID"), needed(found, "Name"), status, tuple(options))


def contacts(data: Mapping[str, Any]) -> Lookup[BookContact]:
    """The contacts of a page."""
    return _all(data, "Contacts", read_contact)


def read_contact(found: Mapping[str, Any]) -> BookContact:
    """One contact."""
    return BookContact(
        id=needed(found, "ContactID"),
        name=text(found, "Name"),
        email=text(found, "EmailAddress"),
        number=text(found, "ContactNumber"),
        status=text(found, "ContactStatus") or "ACTIVE",
        merged_to=text(found, "MergedToContactID"),
        phone=_phone(parts(found, "Phones")),
        updated_at=moment(found, "UpdatedDateUTC"),
        first_name=text(found, "FirstName"),
        last_name=text(found, "LastName"),
        address=_address(parts(found, "Addresses")),
        is_customer=found.get("IsCustomer") is True,
        is_supplier=found.get("IsSupplier") is True,
    )


def sales_invoices(data: Mapping[str, Any]) -> Lookup[BookInvoice]:
    """The sales invoices of an answer: a bill may carry the same number."""
    return _all(data, "Invoices", read_invoice, _is_sale)


def _is_sale(found: Mapping[str, Any]) -> bool:
    kind = text(found, "Type")
    if kind not in ("", "ACCREC", "ACCPAY"):
        raise Garbled("Type", f"is {shown(kind)}, which is no kind of invoice")
    return kind != "ACCPAY"


def read_invoice(found: Mapping[str, Any]) -> BookInvoice:
    """The head of one invoice, its amounts without the RoundingAmount that some organisations add.

    That amount, at most 0.10, is in Total and AmountDue where an invoice is created, changed or asked for by id, and
    not in lists (models of xero-node 20.0.0): without it all views of an invoice are alike, and add up to its lines.
    """
    rounding = number(found, "RoundingAmount")
    due = number(found, "AmountDue")
    return BookInvoice(
        id=needed(found, "InvoiceID"),
        number=text(found, "InvoiceNumber"),
        status=needed(found, "Status"),
        currency=text(found, "CurrencyCode"),
        total=needed_number(found, "Total") - rounding,
        total_tax=number(found, "TotalTax"),
        # What is paid in full is paid in full, whatever the rounding.
        amount_due=due - rounding if due else due,
        # Credit notes and prepayments lock an invoice as payments do.
        amount_paid=number(found, "AmountPaid") + number(found, "AmountCredited"),
        url=text(found, "Url"),
        contact_id=text(part(found, "Contact"), "ContactID"),
        issue_date=day(found, "Date"),
        due_date=day(found, "DueDate"),
        updated_at=moment(found, "UpdatedDateUTC"),
    )


def document(data: Mapping[str, Any]) -> BookDocument:
    """The one invoice of GET /Invoices/{id}, with its lines; raises Unavailable for none, or an unreadable one."""
    return _only(data, "Invoices", _read_document)


def _read_document(found: Mapping[str, Any]) -> BookDocument:
    return BookDocument(
        head=read_invoice(found),
        contact_name=text(part(found, "Contact"), "Name"),
        net=number(found, "SubTotal"),
        sent_to_contact=found.get("SentToContact") is True,
        lines=tuple(_read_line(line) for line in parts(found, "LineItems")),
        reference=text(found, "Reference"),
    )


def _read_line(found: Mapping[str, Any]) -> BookLine:
    return BookLine(
        description=text(found, "Description"),
        quantity=number(found, "Quantity"),
        unit_amount=number(found, "UnitAmount"),
        amount=number(found, "LineAmount"),
        tax_type=text(found, "TaxType"),
        tax_amount=number(found, "TaxAmount"),
        discount=number(found, "DiscountAmount"),
    )


def read_payment(found: Mapping[str, Any]) -> BookPayment:
    """One payment; the answer to a write may leave out its amount and invoice, or show the invoice as it is then."""
    invoice = part(found, "Invoice")
    return BookPayment(
        id=needed(found, "PaymentID"),
        invoice_id=text(invoice, "InvoiceID"),
        amount=number(found, "Amount"),
        reference=text(found, "Reference"),
        status=text(found, "Status") or "AUTHORISED",
        paid_on=day(found, "Date"),
        due_after=None if invoice.get("AmountDue") is None else number(invoice, "AmountDue"),
    )


def payment_list(data: Mapping[str, Any]) -> Lookup[BookPayment]:
    """The payments of a page."""
    return _all(data, "Payments", _listed_payment)


def _listed_payment(found: Mapping[str, Any]) -> BookPayment:
    needed_number(found, "Amount")
    return read_payment(found)


def payments(data: Mapping[str, Any], invoice_id: str) -> list[BookPayment]:
    """The payments inside the answer of GET /Invoices/{id}, which do not name their invoice again.

    Raises Unavailable where one of them cannot be read: they are compared one by one.
    """
    return _only(data, "Invoices", lambda found: _payments_on(found, invoice_id))


def paid_invoices(data: Mapping[str, Any]) -> Lookup[tuple[BookInvoice, list[BookPayment]]]:
    """The heads of a list of whole invoices, each with its payments; one is left out where any of it cannot be read."""
    return _all(data, "Invoices", lambda found: (read_invoice(found), _payments_on(found, needed(found, "InvoiceID"))))


def _payments_on(found: Mapping[str, Any], invoice_id: str) -> list[BookPayment]:
    within = parts(found, "Payments")
    return [_listed_payment({"Invoice": {"InvoiceID": invoice_id}, **payment}) for payment in within]


def sales(data: Mapping[str, Any]) -> Lookup[SalesDocument]:
    """The sales invoices of a page, whole, as a comparison of the books needs them."""
    return _all(data, "Invoices", _read_sale, _is_sale)


def _read_sale(found: Mapping[str, Any]) -> SalesDocument:
    head = read_invoice(found)
    return SalesDocument(
        id=head.id,
        number=head.number,
        status=head.status,
        stands=head.status in STANDING,
        party=party(text(part(found, "Contact"), "Name"), head.contact_id),
        currency=head.currency,
        total=head.total,
        issue_date=head.issue_date,
        due_date=head.due_date,
        tax=head.total_tax,
        taxes=_taxes(found),
        lines=len(parts(found, "LineItems")),
        paid=head.amount_paid,
        due=head.amount_due,
        mark=head.url.rstrip("/").rpartition("/")[2],
        reference=text(found, "Reference"),
        payments=tuple(_read_receipt(payment, head.id, head.number) for payment in parts(found, "Payments")),
    )


def _taxes(found: Mapping[str, Any]) -> dict[str, Decimal]:
    """The tax of its lines by TaxType."""
    sums: dict[str, Decimal] = {}
    for line in parts(found, "LineItems"):
        if amount := number(line, "TaxAmount"):
            kind = text(line, "TaxType")
            sums[kind] = sums.get(kind, ZERO) + amount
    return sums


def credit_notes(data: Mapping[str, Any]) -> Lookup[SalesDocument]:
    """The customers' credit notes of a page; `transactions` are the ids of CrocoClick that one names."""
    return _all(data, "CreditNotes", _read_credit_note, _is_for_a_customer)


def _is_for_a_customer(found: Mapping[str, Any]) -> bool:
    kind = text(found, "Type")
    if kind not in ("", "ACCRECCREDIT", "ACCPAYCREDIT"):
        raise Garbled("Type", f"is {shown(kind)}, which is no kind of credit note")
    return kind != "ACCPAYCREDIT"


def _read_credit_note(found: Mapping[str, Any]) -> SalesDocument:
    contact, lines, status = part(found, "Contact"), parts(found, "LineItems"), needed(found, "Status")
    reference = text(found, "Reference")
    written = " ".join([reference, *(text(line, "Description") for line in lines)])
    return SalesDocument(
        id=needed(found, "CreditNoteID"),
        number=text(found, "CreditNoteNumber"),
        status=status,
        stands=status in STANDING,
        party=party(text(contact, "Name"), text(contact, "ContactID")),
        currency=text(found, "CurrencyCode"),
        total=needed_number(found, "Total") - number(found, "RoundingAmount"),
        kind=CREDIT_NOTE,
        issue_date=day(found, "Date"),
        tax=number(found, "TotalTax"),
        taxes=_taxes(found),
        lines=len(lines),
        due=number(found, "RemainingCredit"),
        reference=reference,
        transactions=frozenset(word for word in written.split() if is_mark(word)),
    )


def receipts(data: Mapping[str, Any]) -> Lookup[Receipt]:
    """The payments of a page that stand, those of bills and credit notes too."""
    return _all(data, "Payments", _listed_receipt, lambda found: text(found, "Status") != "DELETED")


def _listed_receipt(found: Mapping[str, Any]) -> Receipt:
    invoice = part(found, "Invoice")
    return _read_receipt(found, text(invoice, "InvoiceID"), text(invoice, "InvoiceNumber"))


def _read_receipt(found: Mapping[str, Any], invoice_id: str, invoice_number: str) -> Receipt:
    kind = text(found, "PaymentType")
    return Receipt(
        id=needed(found, "PaymentID"),
        document_id=invoice_id,
        amount=needed_number(found, "Amount"),
        paid_on=day(found, "Date"),
        mark=mark_in(text(found, "Reference")),
        number=invoice_number,
        is_sale=bool(invoice_id) and kind in ("", "ACCRECPAYMENT"),
    )


def _only(data: Mapping[str, Any], resource: str, read: Callable[[Mapping[str, Any]], T]) -> T:
    """What an answer is about; raises Unavailable where it is not there or cannot be read."""
    try:
        if elements := parts(data, resource):
            return read(elements[0])
    except Garbled as garbled:
        raise Unavailable(wire.UNAVAILABLE, side="xero", reason=f"{resource}: {garbled}") from garbled
    raise Unavailable(wire.UNAVAILABLE, side="xero", reason=f"no {resource} in the answer")


# What a list holds, and the fields by which one of its records is known.
_KNOWN_BY: Mapping[str, tuple[str, str, str]] = {
    "Accounts": ("account", "AccountID", "Code"),
    "Actions": ("permission", "Name", "Name"),
    "Contacts": ("contact", "ContactID", "Name"),
    "CreditNotes": ("credit note", "CreditNoteID", "CreditNoteNumber"),
    "Currencies": ("currency", "Code", "Code"),
    "Invoices": ("invoice", "InvoiceID", "InvoiceNumber"),
    "Payments": ("payment", "PaymentID", "Reference"),
    "TaxRates": ("tax rate", "TaxType", "Name"),
    "TrackingCategories": ("tracking category", "TrackingCategoryID", "Name"),
}


def _all(
    data: Mapping[str, Any],
    resource: str,
    read: Callable[[Mapping[str, Any]], T],
    is_meant: Callable[[Mapping[str, Any]], bool] = lambda found: True,
) -> Lookup[T]:
    """Each record of a list, read or left out and named: it does not fail its neighbours."""
    items: list[T] = []
    unreadable: list[Unreadable] = []
    for found in wire.elements(data, resource):
        try:
            if not isinstance(found, dict):
                raise Garbled("", "is no object")
            if is_meant(found):
                items.append(read(found))
        except Garbled as garbled:
            unreadable.append(_left_out(found, resource, garbled))
    return Lookup(items, unreadable)


def _left_out(found: Any, resource: str, garbled: Garbled) -> Unreadable:
    kind, id_field, number_field = _KNOWN_BY[resource]
    known = found if isinstance(found, dict) else {}
    names = [whole(name) if isinstance(name := known.get(field), str) else "" for field in (id_field, number_field)]
    return Unreadable(names[0], names[1], garbled.field, garbled.reason, kind)


def tenants(answer: Response) -> list[Tenant]:
    """The entries of GET /connections, a bare array (openapi xero-identity)."""
    if answer.status >= 300:
        wire.decipher(answer)
    found = wire.loads(answer.body)
    if not isinstance(found, list):
        raise Unavailable(wire.UNAVAILABLE, side="xero", status=answer.status)
    return [tenant for entry in found if (tenant := _tenant(entry))]


def _tenant(found: Any) -> Tenant | None:
    """An entry, or None for one that cannot be read."""
    if not isinstance(found, dict):
        return None
    try:
        return Tenant(
            connection_id=text(found, "id"),
            id=needed(found, "tenantId"),
            type=text(found, "tenantType"),
            name=text(found, "tenantName"),
            auth_event_id=text(found, "authEventId"),
            created_at=moment(found, "createdDateUtc"),
            updated_at=moment(found, "updatedDateUtc"),
        )
    except Garbled:
        return None


def _phone(phones: Sequence[Mapping[str, Any]]) -> str:
    """The default number, else the mobile one, with its area, and behind a plus its country."""
    by_type = {text(phone, "PhoneType"): phone for phone in phones}
    for kind in ("DEFAULT", "MOBILE"):
        phone = by_type.get(kind, {})
        if number := text(phone, "PhoneNumber"):
            country = text(phone, "PhoneCountryCode").lstrip("+0")
            parts = (f"+{country}" if country else "", text(phone, "PhoneAreaCode"), number)
            return " ".join(part for part in parts if part)
    return ""


def _address(addresses: Sequence[Mapping[str, Any]]) -> Address:
    """The street's address, else the one for letters."""
    by_type = {text(one, "AddressType"): _read_address(one) for one in addresses}
    return next((one for kind in ("STREET", "POBOX") if (one := by_type.get(kind)) and one != NO_ADDRESS), NO_ADDRESS)


def _read_address(found: Mapping[str, Any]) -> Address:
    lines = (text(found, f"AddressLine{number}") for number in range(1, 5))
    return Address(
        line=", ".join(line for line in lines if line),
        city=text(found, "City"),
        region=text(found, "Region"),
        postcode=text(found, "PostalCode"),
        country=text(found, "Country"),
    )
