"""What is sent to CrocoClick for the guided test, to the byte, and the contacts that it answers with."""

import json
from datetime import date
from decimal import Decimal

from syncer.connectors.crococlick import wire
from syncer.domain.model.invoice import Customer, LineItem, Tax
from syncer.domain.readiness.test_invoice import NewInvoice

ANNA = Customer("c6tZ", "Anna", "anna@example.org", "Dupont SARL", "+33601020304")
VAT = Tax("65tax1", "TVA 5,5", Decimal("5.50"))
NEW = NewInvoice(
    name="Test CrocoClick → Xero 1",
    customer=ANNA,
    currency="EUR",
    lines=(LineItem("Test, TVA 5,5", Decimal(1), Decimal("1.00"), (VAT,)),),
    issue_date=date(2026, 11, 21),
    due_date=date(2026, 12, 21),
)


def test_a_new_invoice_has_nothing_but_documented_properties():
    """The lines are called items, the seller, the discount and the recipients have to be there, numbers are numbers."""
    request = wire.post_invoice("L", "Dupont Conseil", NEW)
    assert (request.method, request.target) == ("POST", "/invoices/")
    assert request.headers == {"Content-Type": "application/json"} and request.writes
    assert json.loads(request.body, parse_float=str) == {
        "altId": "L",
        "altType": "location",
        "name": "Test CrocoClick → Xero 1",
        "businessDetails": {"name": "Dupont Conseil"},
        "currency": "EUR",
        "items": [
            {
                "name": "Test, TVA 5,5",
                "description": "",
                "currency": "EUR",
                "amount": 1,
                "qty": 1,
                "taxes": [{"_id": "65tax1", "name": "TVA 5,5", "rate": "5.5", "calculation": "exclusive"}],
            }
        ],
        "discount": {"type": "percentage", "value": 0},
        "contactDetails": {
            "id": "c6tZ",
            "name": "Anna",
            "phoneNo": "+33601020304",
            "email": "anna@example.org",
            "companyName": "Dupont SARL",
        },
        "issueDate": "2026-11-21",
        "dueDate": "2026-12-21",
        "sentTo": {"email": ["anna@example.org"]},
        "liveMode": True,
    }


def test_a_company_only_where_there_is_one():
    """An empty property might be refused."""
    bare = NewInvoice("n", Customer("c", "Anna", "a@b.example", "", "+33"), "EUR", (), NEW.issue_date, NEW.due_date)
    assert "companyName" not in json.loads(wire.post_invoice("L", "x", bare).body)["contactDetails"]


def test_sending_writes_to_nobody():
    """Of the four actions it is the one by hand; the invoice is a real one."""
    request = wire.post_send("L", "i1", "agency")
    assert (request.method, request.target) == ("POST", "/invoices/i1/send")
    assert json.loads(request.body) == {
        "altId": "L",
        "altType": "location",
        "userId": "agency",
        "action": "send_manually",
        "liveMode": True,
    }


def test_voiding_and_deleting_say_whose_it_is():
    """A draft's location goes in the query and in the body, for nobody knows where it is looked for."""
    void, delete = wire.post_void("L", "i1"), wire.delete_invoice("L", "i1")
    assert (void.method, void.target) == ("POST", "/invoices/i1/void")
    assert (delete.method, delete.target) == ("DELETE", "/invoices/i1?altId=L&altType=location")
    assert json.loads(void.body) == json.loads(delete.body) == {"altId": "L", "altType": "location"}


def test_who_sends_it_is_the_agency():
    """A private token belongs to nobody whose id is known."""
    assert wire.agency_id({"location": {"id": "L", "companyId": "A"}}) == wire.agency_id({"companyId": "A"}) == "A"
    assert wire.agency_id({"location": {"id": "L"}}) == ""
