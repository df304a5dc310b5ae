"""How invoices are shown: the recorded order of keys, put together from ready-made parts."""

import json

from sandbox.wire import dumps, quote
from sandbox.xero import contacts
from sandbox.xero.books import Books, Invoice
from sandbox.xero.formats import date_field, stamp_field, stamp_text

TRUTH = {True: "true", False: "false"}


def two_decimals(lines: str) -> str:
    """Kept lines with unit prices cut to two decimals, for readers that did not ask for unitdp=4."""
    shown = json.loads(lines)
    for line in shown:
        if "UnitAmount" in line:
            line["UnitAmount"] = round(line["UnitAmount"] + 1e-9, 2)
    return dumps(shown)


def payments_json(books: Books, invoice: Invoice) -> str:
    """The payments that count, as an invoice lists them."""
    shown = []
    for id_ in invoice.payments:
        payment = books.payments[id_]
        if payment.status == "AUTHORISED":
            reference = f'"Reference":{quote(payment.reference)},' if payment.reference else ""
            shown.append(
                f'{{"PaymentID":"{id_}","Date":"{date_field(payment.date)}","Amount":{payment.cents / 100!r},'
                f'{reference}"CurrencyRate":{payment.rate!r},"HasAccount":true,"HasValidationErrors":false}}'
            )
    return f"[{','.join(shown)}]"


def invoice_json(books: Books, invoice: Invoice, places: int = 2, view: str = "full", extra: str = "") -> str:
    """An invoice as JSON. Views: echo (a write), one, full (a page), bare (no page), summary."""
    v = invoice
    contact = books.contacts[v.contact_id]
    whole = view in ("full", "one", "bare")
    parts = [
        f'"Type":"{v.type}","InvoiceID":"{v.id}","InvoiceNumber":{quote(v.number)},"Reference":{quote(v.reference)}'
    ]
    if v.url:
        parts.append(f'"Url":{quote(v.url)}')
    if whole or (view == "echo" and v.payments):
        parts.append(f'"Payments":{payments_json(books, v)},"CreditNotes":[]')
    parts.append(f'"Prepayments":[],"Overpayments":[],"AmountDue":{v.due_cents / 100!r},"AmountPaid":{v.paid / 100!r}')
    if whole or view == "summary":
        parts.append(f'"AmountCredited":{v.credited / 100!r}')
    parts.append(
        f'"SentToContact":{TRUTH[v.sent]},"CurrencyRate":{v.rate!r},"IsDiscounted":{TRUTH[v.discounted]},'
        f'"HasErrors":false'
    )
    if v.discounted and view != "summary":
        parts.append(f'"TotalDiscount":{v.discount / 100!r}')
    if whole:
        parts.append('"HasAttachments":false')
    contact_json = contacts.full_json(contact) if view in ("echo", "one") else contacts.stub_json(contact)
    parts.append(
        f'"InvoicePaymentServices":[],"UpdatedDateUTCString":"{stamp_text(v.updated)}","Contact":{contact_json},'
        f'"DateString":"{v.date}T00:00:00","Date":"{date_field(v.date)}"'
    )
    if v.due:
        parts.append(f'"DueDateString":"{v.due}T00:00:00","DueDate":"{date_field(v.due)}"')
    if v.expected:
        parts.append(f'"ExpectedPaymentDate":"{date_field(v.expected)}"')
    if v.branding:
        parts.append(f'"BrandingThemeID":"{v.branding}"')
    parts.append(f'"Status":"{v.status}","LineAmountTypes":"{v.amount_types}"')
    if view == "bare":
        parts.append('"LineItems":[]')
    elif view != "summary":
        parts.append(f'"LineItems":{two_decimals(v.lines) if v.fine and places == 2 else v.lines}')
    parts.append(
        f'"SubTotal":{v.subtotal / 100!r},"TotalTax":{v.tax / 100!r},"Total":{v.total / 100!r},'
        f'"UpdatedDateUTC":"{stamp_field(v.updated)}","CurrencyCode":"{v.currency}"'
    )
    if v.paid_on:
        parts.append(f'"FullyPaidOnDate":"{date_field(v.paid_on)}"')
    return "{" + ",".join(parts) + extra + "}"
