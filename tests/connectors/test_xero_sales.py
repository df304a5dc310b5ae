"""Whole sales documents and payments of Xero, as a comparison of the books asks for them and reads them."""

import json
from datetime import date
from decimal import Decimal

from syncer.connectors.xero import entities, wire

MARK = "65f1c0ffee00000000000001"
INVOICE = {
    "Type": "ACCREC", "InvoiceID": "x1", "InvoiceNumber": "INV-1", "Status": "PAID", "CurrencyCode": "EUR",
    "Total": 120, "TotalTax": 20, "AmountDue": 0, "AmountPaid": 100, "AmountCredited": 20, "Reference": "Visit",
    "Url": f"https://app.example/payments/invoices/{MARK}", "Contact": {"ContactID": "c1", "Name": "Ann"},
    "DateString": "2026-10-10T00:00:00", "DueDateString": "2026-11-10T00:00:00",
    "LineItems": [{"TaxType": "OUTPUT", "TaxAmount": 15}, {"TaxType": "OUTPUT", "TaxAmount": 5}, {"TaxType": "NONE"}],
    "Payments": [{"PaymentID": "p1", "Date": "/Date(1792540800000+0000)/", "Amount": 100, "Reference": f"card {MARK}"}],
}  # fmt: skip
NOTE = {
    "CreditNoteID": "n1", "CreditNoteNumber": "CN-1", "Type": "ACCRECCREDIT", "Status": "AUTHORISED", "Total": 30,
    "TotalTax": 5, "CurrencyCode": "EUR", "Contact": {"ContactID": "c1", "Name": "Ann"}, "Reference": "Refund of INV-1",
    "DateString": "2026-10-28T00:00:00", "RemainingCredit": 30,
    "LineItems": [{"Description": f"Refund of {MARK}", "TaxType": "OUTPUT", "TaxAmount": 5}],
}  # fmt: skip


def listed(resource, *records):
    """An answer of Xero, as it is read from the wire."""
    return wire.loads(json.dumps({resource: records}).encode())


def test_days_are_asked_for_as_xero_writes_them():
    """Both ends included; without an end nothing is said of it."""
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    where = 'Type=="ACCREC" AND Date >= DateTime(2026, 10, 01) AND Date <= DateTime(2026, 10, 31)'
    assert dict(wire.get_sales(1, first, last).query)["where"] == where
    assert dict(wire.get_sales(1, None, None).query)["where"] == 'Type=="ACCREC"'
    assert dict(wire.get_credit_notes(2, first).query)["page"] == "2"
    assert dict(wire.get_payments_dated(1, first, None).query)["where"] == "Date >= DateTime(2026, 10, 01)"
    assert "where" not in dict(wire.get_payments_dated(1, None, None).query)


def test_an_invoice_with_its_taxes_and_payments():
    """Its mark is the end of its Url; tax is added up by TaxType."""
    [one] = entities.sales(listed("Invoices", INVOICE, INVOICE | {"Type": "ACCPAY"}))
    assert (one.id, one.number, one.stands, one.mark, one.paid) == ("x1", "INV-1", True, MARK, Decimal(120))
    assert (one.issue_date, one.due_date, one.taxes) == (
        date(2026, 10, 10),
        date(2026, 11, 10),
        {"OUTPUT": Decimal(20)},
    )
    [payment] = one.payments
    assert (payment.document_id, payment.mark, payment.amount, payment.is_sale) == ("x1", MARK, Decimal(100), True)


def test_one_that_cannot_be_read_is_named():
    """And its neighbours are read."""
    found = entities.sales(listed("Invoices", INVOICE | {"Payments": [{"PaymentID": "p", "Amount": "much"}]}, INVOICE))
    assert len(found) == 1 and found.unreadable[0].number == "INV-1"


def test_a_credit_note_names_the_transactions_that_it_gives_back():
    """In its Reference or its lines; those of suppliers are left out."""
    [one] = entities.credit_notes(listed("CreditNotes", NOTE, NOTE | {"Type": "ACCPAYCREDIT"}))
    assert (one.number, one.total, one.counted, one.transactions) == ("CN-1", Decimal(30), Decimal(-30), {MARK})


def test_payments_say_on_what_they_are():
    """Deleted ones are gone; those of bills and of credit notes are no sales."""
    payment = {"PaymentID": "p1", "DateString": "2026-10-20T00:00:00", "Amount": 5, "Status": "AUTHORISED"}
    invoice = {"Invoice": {"InvoiceID": "x1", "InvoiceNumber": "INV-1"}}
    rows = [
        payment | invoice | {"PaymentType": "ACCRECPAYMENT"},
        payment | invoice | {"PaymentType": "ACCPAYPAYMENT"},
        payment | {"CreditNote": {"CreditNoteID": "n1"}, "PaymentType": "ARCREDITPAYMENT"},
        payment | invoice | {"Status": "DELETED"},
    ]
    assert [one.is_sale for one in entities.receipts(listed("Payments", *rows))] == [True, False, False]


def test_a_credit_note_of_no_known_kind_is_told_and_does_not_pass_for_absent():
    """A supplier's is left out; of one that says something else nobody knows whose it is."""
    kinds = ("ACCRECCREDIT", "ACCPAYCREDIT", "GARBLED")
    found = entities.credit_notes(listed("CreditNotes", *({**NOTE, "Type": kind} for kind in kinds)))
    assert [one.id for one in found] == ["n1"]
    [told] = found.unreadable
    assert (told.kind, told.field) == ("credit note", "Type")
    assert "no kind of credit note" in told.reason
