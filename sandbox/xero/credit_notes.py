"""Credit notes: those that a person makes in Xero, and their list. The API writes none here."""

import json
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero.books import Books, CreditNote, new_id
from sandbox.xero.contacts import stub_json
from sandbox.xero.errors import NotFound
from sandbox.xero.formats import date_field, scaled, stamp_field, stamp_text
from sandbox.xero.listing import cut, envelope, page_of, selected
from sandbox.xero.where import Field

FIELDS: dict[str, Field] = {
    "CreditNoteID": ("guid", lambda n: n.id),
    "CreditNoteNumber": ("text", lambda n: n.number),
    "Type": ("text", lambda n: n.type),
    "Status": ("text", lambda n: n.status),
    "Reference": ("text", lambda n: n.reference),
    "Contact.ContactID": ("guid", lambda n: n.contact_id),
    "Date": ("date", lambda n: n.date),
    "UpdatedDateUTC": ("date", lambda n: n.updated),
}


def add(books: Books, contact_id: str, date: str, total: Any, tax: Any = 0, **fields: Any) -> CreditNote:
    """A credit note over this total, of which `tax` is tax; `fields` are further fields of CreditNote."""
    cents, tax_cents = scaled(str(total), 2), scaled(str(tax), 2)
    lines = [{"Description": fields.pop("description", "Avoir"), "Quantity": 1, "UnitAmount": (cents - tax_cents) / 100,
              "TaxAmount": tax_cents / 100, "LineAmount": (cents - tax_cents) / 100, "Tracking": [],
              "TaxType": fields.pop("tax_type", "OUTPUT" if tax_cents else "NONE")}]  # fmt: skip
    fields = {"number": f"CN-{len(books.credit_notes) + 1:04d}", "currency": books.base, **fields}
    note = CreditNote(
        new_id(), contact_id=contact_id, date=date, tax=tax_cents, total=cents, lines=dumps(lines), **fields
    )
    note.updated = books.clock.ms()
    books.keep_credit_note(note)
    return note


def note_json(books: Books, note: CreditNote) -> str:
    """A credit note as Xero's example shows one; amounts are positive."""
    shown = {
        "CreditNoteID": note.id, "CreditNoteNumber": note.number, "Payments": [], "ID": note.id, "CurrencyRate": 1.0,
        "Type": note.type, "Reference": note.reference,
        "RemainingCredit": note.total / 100 if note.status == "AUTHORISED" else 0.0, "Allocations": [],
        "HasAttachments": False, "Contact": json.loads(stub_json(books.contacts[note.contact_id])),
        "DateString": f"{note.date}T00:00:00", "Date": date_field(note.date), "Status": note.status,
        "LineAmountTypes": "Exclusive", "LineItems": json.loads(note.lines),
        "SubTotal": (note.total - note.tax) / 100, "TotalTax": note.tax / 100, "Total": note.total / 100,
        "UpdatedDateUTC": stamp_field(note.updated), "UpdatedDateUTCString": stamp_text(note.updated),
        "CurrencyCode": note.currency,
    }  # fmt: skip
    return dumps(shown)


def one(books: Books, key: str, provider: str) -> Reply:
    """GET /CreditNotes/{CreditNoteID}."""
    note = books.credit_notes.get(key.lower())
    if note is None:
        raise NotFound
    return envelope(provider, books.clock.ms(), "CreditNotes", [note_json(books, note)], None)


def listing(books: Books, call: Call, provider: str) -> Reply:
    """GET /CreditNotes."""
    chosen = selected(books.credit_notes.values(), call, FIELDS, "CreditNote", lambda n: n.updated)
    records, pagination = cut(chosen, page_of(call))
    shown = [note_json(books, note) for note in records]
    return envelope(provider, books.clock.ms(), "CreditNotes", shown, pagination)
