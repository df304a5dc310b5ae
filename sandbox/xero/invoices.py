"""Invoices: reading, and writing with everything a write may meet."""

import os
from collections.abc import Sequence
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import contacts, invoice_rules
from sandbox.xero import messages as say
from sandbox.xero.books import Books, Contact, Invoice, new_id
from sandbox.xero.contacts import stamp
from sandbox.xero.drafting import Draft
from sandbox.xero.errors import BadQuery, NotFound, error_list
from sandbox.xero.formats import ZERO_GUID, date_field, exact
from sandbox.xero.invoice_views import invoice_json
from sandbox.xero.lines import failed_line, line_json
from sandbox.xero.listing import (
    UNPAGED_MAX,
    cut,
    envelope,
    flag,
    lower_query,
    names_of,
    page_of,
    selected,
    unit_places,
)
from sandbox.xero.where import Field, fold
from sandbox.xero.writing import Outcome, Written


def fields(books: Books) -> dict[str, Field]:
    """What where and order may name."""

    def contact(name: str) -> Any:
        return lambda i: books.contacts[i.contact_id].fields.get(name)

    return {
        "InvoiceID": ("guid", lambda i: i.id),
        "InvoiceNumber": ("text", lambda i: i.number),
        "Type": ("text", lambda i: i.type),
        "Status": ("text", lambda i: i.status),
        "Reference": ("text", lambda i: i.reference),
        "CurrencyCode": ("text", lambda i: i.currency),
        "Url": ("text", lambda i: i.url),
        "Date": ("date", lambda i: i.date),
        "DueDate": ("date", lambda i: i.due),
        "FullyPaidOnDate": ("date", lambda i: i.paid_on),
        "UpdatedDateUTC": ("date", lambda i: i.updated),
        "Contact.ContactID": ("guid", lambda i: i.contact_id),
        "Contact.Name": ("text", contact("Name")),
        "Contact.ContactNumber": ("text", contact("ContactNumber")),
        "AmountDue": ("number", lambda i: i.due_cents / 100),
        "AmountPaid": ("number", lambda i: i.paid / 100),
        "SubTotal": ("number", lambda i: i.subtotal / 100),
        "Total": ("number", lambda i: i.total / 100),
        "SentToContact": ("bool", lambda i: i.sent),
    }


# -- reading ------------------------------------------------------------------------------------------------------


def find(books: Books, key: str) -> Invoice | None:
    """An invoice by id or number."""
    return books.invoices.get(key.lower()) or books.invoices.get(books.numbers.get(key, ""))


def one(books: Books, key: str, call: Call, provider: str) -> Reply:
    """GET /Invoices/{InvoiceID or InvoiceNumber}."""
    invoice = find(books, key)
    if invoice is None:
        raise NotFound
    shown = invoice_json(books, invoice, unit_places(call), "one")
    return envelope(provider, books.clock.ms(), "Invoices", [shown], None)


def listing(books: Books, call: Call, provider: str, app: str) -> Reply:
    """GET /Invoices."""
    chosen = selected(candidates(books, call, app), call, fields(books), "Invoice", lambda i: i.updated)
    summary = flag(call, "summaryOnly")
    page = page_of(call, force=summary or bool(names_of(call, "Statuses")))
    if page is None and len(chosen) > UNPAGED_MAX:
        raise BadQuery("Sandbox: more than 100,000 records, use paging.")
    records, pagination = cut(chosen, page)
    view = "summary" if summary else ("full" if pagination else "bare")
    places = unit_places(call)
    shown = [invoice_json(books, i, places, view) for i in records]
    return envelope(provider, books.clock.ms(), "Invoices", shown, pagination)


def candidates(books: Books, call: Call, app: str) -> list[Invoice]:
    """Invoices that the comma lists and flags leave; lists by id or number need no walk over all."""
    ids, numbers = names_of(call, "IDs"), names_of(call, "InvoiceNumbers")
    pool: Any = books.invoices.values()
    if ids:
        pool = [books.invoices[i.lower()] for i in dict.fromkeys(ids) if i.lower() in books.invoices]
    elif numbers:
        pool = [books.invoices[books.numbers[n]] for n in dict.fromkeys(numbers) if n in books.numbers]
    if ids and numbers:
        pool = [i for i in pool if i.number in numbers]
    contact_ids, statuses = {i.lower() for i in names_of(call, "ContactIDs")}, set(names_of(call, "Statuses"))
    term, mine = fold(lower_query(call).get("searchterm", "")), flag(call, "createdByMyApp")
    return [
        i
        for i in pool
        if (not contact_ids or i.contact_id in contact_ids)
        and (not statuses or i.status in statuses)
        and (not mine or i.app == app)
        and (not term or term in fold(i.number) or term in fold(i.reference))
    ]


# -- writing ------------------------------------------------------------------------------------------------------


def read(books: Books, sent: dict[str, Any], create_only: bool, id_: str | None, places: int) -> Draft:
    """The first half of a write: everything that may spoil the whole request."""
    existing = None if create_only else existing_for(books, sent, id_)
    draft = Draft(books, sent, existing, places)
    if existing is None and not create_only and (sent.get("InvoiceID") or ZERO_GUID) != ZERO_GUID:
        draft.errors.append(say.INVOICE_ID_UNKNOWN)
    return draft


def existing_for(books: Books, sent: dict[str, Any], id_: str | None) -> Invoice | None:
    """The invoice a POST means: the one in the path, else by id, else by number."""
    if id_:
        found = find(books, id_)
        if found is None:
            raise NotFound
        return found
    key = sent.get("InvoiceID")
    if key and key != ZERO_GUID:
        return books.invoices.get(str(key).lower())
    if sent.get("Type", "ACCREC") != "ACCREC":
        return None
    return books.invoices.get(books.numbers.get(str(sent.get("InvoiceNumber") or ""), ""))


def write(books: Books, draft: Draft, create_only: bool, app: str, refusals: Sequence[str] = ()) -> Written:
    """The second half: check one invoice and keep it, or say what is wrong with it, further refusals first."""
    # A number may have come into use by an earlier element of the same request.
    if not draft.errors:
        invoice_rules.check(books, draft, create_only)
    if refusals:
        draft.errors = list(dict.fromkeys([*refusals, *draft.errors]))
    if draft.errors:
        return refused(draft)
    invoice = keep(books, draft, app)
    warnings, places = draft.warnings, draft.places
    extra = f',"Warnings":{dumps(error_list(warnings))}' if warnings else ""
    return Written(
        Outcome.WARNING if warnings else Outcome.OK,
        lambda _: invoice_json(books, invoice, places, "echo", extra),
        id=invoice.id,
    )


def refused(draft: Draft) -> Written:
    """An invoice that was not written."""
    return Written(Outcome.ERROR, lambda older: failed(draft, older), errors=draft.errors)


def keep(books: Books, draft: Draft, app: str) -> Invoice:
    """Put a checked invoice into the books."""
    contact = settle_contact(books, draft)
    invoice = draft.existing
    if invoice is None:
        number = draft.number or (books.next_number() if draft.type == "ACCREC" else "")
        invoice = Invoice(
            new_id(), number, draft.type, "", contact.id, draft.date, draft.due, draft.amount_types, draft.currency, 1.0
        )
        invoice.app = app
        if not draft.number:
            books.keep_org()
    elif invoice.number != draft.number:
        books.numbers.pop(invoice.number, None)
    copy_head(books, draft, invoice, contact)
    if draft.lines is not None:
        copy_lines(draft, invoice)
    change_status(books, draft, invoice)
    invoice.updated = stamp(books, invoice.updated)
    books.keep_invoice(invoice)
    return invoice


def settle_contact(books: Books, draft: Draft) -> Contact:
    """The invoice's contact: made now, or changed by what was sent beside its id."""
    contact = draft.contact
    if contact is None:
        contact = contacts.fresh(books)
        contacts.apply(books, contact, draft.contact_sent or {})
    elif draft.contact_sent and draft.contact_sent.get("ContactID"):
        extra = draft.extra_contact_fields()
        if extra and not contacts.problems(books, extra, contact):
            # Persons that are not sent are dropped, unlike every other field.
            contacts.apply(books, contact, extra | {"ContactPersons": extra.get("ContactPersons") or []})
    side = "IsCustomer" if draft.type == "ACCREC" else "IsSupplier"
    if not contact.fields[side]:
        # Does not move the contact's UpdatedDateUTC.
        contact.fields[side] = True
        books.keep_contact(contact)
    return contact


def copy_head(books: Books, draft: Draft, invoice: Invoice, contact: Contact) -> None:
    """The draft's head over the kept one."""
    invoice.contact_id = contact.id
    invoice.number = draft.number or invoice.number
    invoice.date, invoice.due = draft.date, draft.due
    invoice.expected, invoice.planned = draft.expected, draft.planned
    invoice.amount_types, invoice.reference = draft.amount_types, draft.reference
    invoice.url, invoice.branding = draft.url, draft.branding
    invoice.sent = draft.sent_to_contact
    rate = draft.sent.get("CurrencyRate")
    if draft.currency == books.base:
        invoice.rate = 1.0
    elif rate is not None:
        invoice.rate = float(exact(rate))
    elif invoice.currency != draft.currency or invoice.status == "":
        invoice.rate = day_rate(books, draft.currency)
    invoice.currency = draft.currency
    invoice.subtotal, invoice.tax, invoice.total = draft.subtotal, draft.tax, draft.total


def day_rate(books: Books, code: str) -> float:
    """Foreign units for one unit of the base currency."""
    return round(books.day_rates[code] / books.day_rates[books.base], 6)


def copy_lines(draft: Draft, invoice: Invoice) -> None:
    """The draft's lines as ready-made JSON; new lines get an id."""
    lines = draft.lines or []
    raw = os.urandom(10).hex()
    stem = f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-"
    invoice.lines = f"[{','.join([line_json(li, li.id or f'{stem}{n:012x}') for n, li in enumerate(lines)])}]"
    invoice.fine = any(li.price % 100 for li in lines)
    invoice.discount = sum(li.discount_cents() for li in lines if li.discount_rate or li.discount_amount)


def change_status(books: Books, draft: Draft, invoice: Invoice) -> None:
    """Move on; an approved invoice of zero is paid at once."""
    if draft.status == "AUTHORISED" and invoice.status not in ("AUTHORISED", "PAID"):
        invoice.approved_at = books.clock.ms()
    invoice.status = draft.status
    if invoice.status == "AUTHORISED" and invoice.total == 0 and books.switches.zero_total_is_paid:
        invoice.status, invoice.paid_on = "PAID", invoice.date


def failed(draft: Draft, older: bool) -> str:
    """The echo of an invoice that was not written."""
    texts = [say.older(e) if older else e for e in draft.errors]
    contact = {k: v for k, v in (draft.contact_sent or {}).items() if k != "ValidationErrors"}
    head: dict[str, Any] = {
        "Type": draft.type,
        "InvoiceID": draft.existing.id if draft.existing else ZERO_GUID,
        "InvoiceNumber": draft.number,
        "Reference": draft.reference,
        "SentToContact": draft.sent_to_contact,
        "HasErrors": True,
        "Contact": {"ContactID": ZERO_GUID, **contact, "ValidationErrors": []},
        "DateString": f"{draft.date}T00:00:00",
        "Date": date_field(draft.date),
    }
    if draft.due:
        head |= {"DueDateString": f"{draft.due}T00:00:00", "DueDate": date_field(draft.due)}
    head |= {"Status": draft.status, "LineAmountTypes": draft.amount_types}
    tail = {
        "SubTotal": draft.subtotal / 100,
        "TotalTax": draft.tax / 100,
        "Total": draft.total / 100,
        "CurrencyCode": draft.currency,
        "ValidationErrors": error_list(texts),
        "Warnings": [],
    }
    lines = ",".join(failed_line(li) for li in draft.lines or [])
    return f'{dumps(head)[:-1]},"LineItems":[{lines}],{dumps(tail)[1:]}'
