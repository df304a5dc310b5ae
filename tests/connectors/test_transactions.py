"""CrocoClick's transactions and Xero's payments, as values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from syncer.connectors.crococlick import wire as crm
from syncer.connectors.crococlick.records import RecordReader
from syncer.connectors.xero import entities
from syncer.connectors.xero import wire as xero
from tests.support.crococlick_samples import ROW


def test_a_transaction_is_read_with_the_day_it_was_charged_at_the_location():
    """The day is that of `fulfilledAt` in the location's time zone, not of entry; an amount may be written as text."""
    [payment] = RecordReader("Europe/Paris").transactions({"data": [ROW], "totalCount": 1}).items
    assert (payment.source_id, payment.invoice_id, payment.amount) == ("t1", "i1", Decimal("12.50"))
    assert (payment.currency, payment.paid_on, payment.method) == ("EUR", date(2026, 8, 26), "bank_transfer")
    assert payment.counts and payment.refunded == 0


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"fulfilledAt": None}, {"paid_on": date(2026, 8, 27)}),
        ({"fulfilledAt": None, "createdAt": None}, {"paid_on": None}),
        ({"paymentMethod": None, "paymentProviderType": "stripe"}, {"method": "stripe"}),
        ({"amountRefunded": 5}, {"refunded": Decimal(5), "counts": True}),
        ({"liveMode": False}, {"live": False, "counts": False}),
        ({"status": "failed"}, {"counts": False}),
    ],
)
def test_what_a_transaction_may_lack_or_say(change, seen):
    """A missing date falls back to entry, a refund keeps the payment, a test or failed one does not count."""
    [payment] = RecordReader("Europe/Paris").transactions({"data": [ROW | change]}).items
    assert {name: getattr(payment, name) for name in seen} == seen


def test_transactions_of_other_things_are_left_out_and_garbage_is_told():
    """A funnel's order is none of ours; a transaction without a number for an amount is named."""
    rows = [ROW | {"entitySourceType": "funnel"}, ROW | {"amount": "much"}, ROW | {"_id": ""}]
    page = RecordReader("Europe/Paris").transactions({"data": rows, "totalCount": 3})
    assert (list(page.items), page.total) == ([], 3)
    assert [(one.source_id, one.field) for one in page.unreadable] == [("t1", "amount"), ("", "_id")]


@pytest.mark.parametrize(
    ("change", "invoice_id"),
    [
        ({"entitySourceId": None, "entityId": "i2"}, "i2"),
        ({"entitySourceType": None, "entitySourceId": None, "entityType": "Invoice", "entityId": "i2"}, "i2"),
        ({"entitySourceType": None, "entityId": "i2"}, "i2"),
        ({"entitySourceType": "INVOICE"}, "i1"),
        ({"entityType": "order", "entityId": "o1"}, "i1"),
    ],
)
def test_which_invoice_a_transaction_is_for(change, invoice_id):
    """`entitySourceId` as specified, or `entityId` as live programs have it; an order's id is no invoice's."""
    [payment] = RecordReader("Europe/Paris").transactions({"data": [ROW | change]}).items
    assert payment.invoice_id == invoice_id


def test_an_amount_finer_than_anything_that_is_paid_is_told():
    """Half a millionth is no dust of a float."""
    page = RecordReader("Europe/Paris").transactions({"data": [ROW | {"amount": Decimal("1.0000005")}, 7]})
    assert [(one.field, one.kind) for one in page.unreadable] == [
        ("amount", "transaction"),
        ("transaction", "transaction"),
    ]


def test_a_page_of_transactions_is_asked_for_by_location():
    """The list is the location's; a start date asks for one day more, since its time zone is not published."""
    plain, since = crm.get_transactions("loc", 100), crm.get_transactions("loc", 0, since=date(2026, 8, 26))
    assert plain.query == (("altId", "loc"), ("altType", "location"), ("limit", "100"), ("offset", "100"))
    assert since.query[-1] == ("startAt", "2026-08-25")


def test_payments_changed_since_are_asked_for_by_page():
    """Xero's payments come in pages, changed since a moment, and are read with our mark in their Reference."""
    request = xero.get_payments(2, datetime(2026, 8, 26, 10, tzinfo=UTC))
    assert request.path.endswith("/Payments") and ("page", "2") in request.query
    assert request.headers["If-Modified-Since"] == "2026-08-26T10:00:00"
    data = {
        "Payments": [{"PaymentID": "p", "Amount": Decimal("5"), "Reference": "card t1", "Invoice": {"InvoiceID": "x"}}]
    }
    [payment] = entities.payment_list(data)
    assert (payment.id, payment.invoice_id, payment.amount, payment.reference) == ("p", "x", 5, "card t1")
    assert entities.payment_list({}) == []
