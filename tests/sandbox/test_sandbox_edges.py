"""What the real services do at their edges: long queries, halves of characters, the other link of a payment."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import LOCATION, crm_client, invoice, line, xero_client

from sandbox.server import Sandbox

HALF = "\ud83c"
ALT = {"altId": LOCATION, "altType": "location"}


@pytest.mark.parametrize(("length", "status"), [(2048, 200), (2049, 404)])
def test_a_query_longer_than_2048_characters_is_refused_at_xeros_edge(box: Sandbox, length: int, status: int) -> None:
    """The encoded query counts, whatever it asks for, and before anybody is asked who calls."""
    query = "InvoiceNumbers=" + "%2C" * ((length - 15) // 3) + "A" * ((length - 15) % 3)
    assert len(query) == length
    with xero_client(box) as client:
        answer = client.get(f"/Invoices?{query}")
        assert answer.status_code == status
        if status == 404:
            assert answer.text == "The resource you're looking for cannot be found"
    assert (httpx.get(f"{box.url}/api.xro/2.0/Invoices?{query}").status_code == 404) == (status == 404)


def test_half_a_character_is_stored_and_given_back_by_crococlick(tmp_path: Path) -> None:
    """JavaScript leaves one where a text is cut inside an emoji; it survives a restart too."""
    with Sandbox(world="empty", limits=False, data_dir=tmp_path) as box:
        contact = box.crococlick.add_contact(firstName=f"Zo\u00e9 {HALF}", email="zoe@x.example")
        box.crococlick.add_invoice(contact=contact, number=f"F-{HALF}", lines=[{"name": f"Gala {HALF}", "amount": 10}])
    with Sandbox(world=None, limits=False, data_dir=tmp_path) as box, crm_client(box) as client:
        listed = client.get("/invoices/", params=ALT | {"limit": "10", "offset": "0"})
        assert b"\\ud83c" in listed.content
        [row] = listed.json()["invoices"]
        assert (row["invoiceNumber"], row["invoiceItems"][0]["name"]) == (f"F-{HALF}", f"Gala {HALF}")
        assert client.get(f"/contacts/{contact}").json()["contact"]["firstName"] == f"Zo\u00e9 {HALF}"
        sent = json.dumps({"firstName": HALF})
        assert client.put(f"/contacts/{contact}", content=sent).json()["contact"]["firstName"] == HALF


def test_half_a_character_is_stored_and_given_back_by_xero(box: Sandbox) -> None:
    """In a name, a line, a refused element, and a note."""
    sent = invoice(InvoiceNumber="I-1", Contact={"Name": f"Gala {HALF}"}, LineItems=[line(Description=f"Don {HALF}")])
    with xero_client(box) as client:
        [made] = client.put("/Invoices", content=json.dumps(sent)).json()["Invoices"]
        assert made["LineItems"][0]["Description"] == f"Don {HALF}"
        assert made["Contact"]["Name"] == f"Gala {HALF}"
        assert client.get("/Contacts").json()["Contacts"][0]["Name"] == f"Gala {HALF}"
        refused = client.put("/Invoices", content=json.dumps(sent | {"DueDate": None, "Reference": HALF}))
        assert refused.status_code == 400
        note = json.dumps({"HistoryRecords": [{"Details": HALF}]})
        assert client.put(f"/Invoices/{made['InvoiceID']}/History", content=note).status_code == 200


def paid(box: Sandbox) -> tuple[str, str]:
    """An invoice with one payment of 40, and the payment's id."""
    desk = box.crococlick
    id_ = desk.add_invoice(contact=desk.add_contact(firstName="A", email="a@x.example"), number="F-1")
    return id_, desk.pay("F-1", "40")


def test_a_transaction_may_name_its_invoice_as_its_entity(box: Sandbox) -> None:
    """Three public programs read it so; nothing of entitySource is there then, nor does a filter by it find any."""
    id_, payment = paid(box)
    box.crococlick.switch(payment_link="entity")
    with crm_client(box) as client:

        def listed(**query: str) -> list[dict[str, Any]]:
            return client.get("/payments/transactions", params=ALT | query).json()["data"]

        [row] = listed()
        assert (row["_id"], row["entityType"], row["entityId"]) == (payment, "invoice", id_)
        assert Decimal(str(row["amount"])) == 40
        assert not [name for name in row if name.startswith("entitySource")]
        assert (len(listed(entityId=id_)), listed(entitySourceType="invoice")) == (1, [])
        one = client.get(f"/payments/transactions/{payment}", params=ALT).json()
        assert (one["entityId"], "entitySourceId" in one) == (id_, False)


def test_a_payment_is_refunded_under_either_link(box: Sandbox) -> None:
    """The switch changes what is shown, not what is kept."""
    _, payment = paid(box)
    box.crococlick.switch(payment_link="entity")
    box.crococlick.refund(payment)
    with crm_client(box) as client:
        [row] = client.get("/payments/transactions", params=ALT).json()["data"]
        assert (row["status"], row["amountRefunded"]) == ("refunded", 40)
        [order] = client.get("/payments/orders", params={"altId": LOCATION}).json()["data"]
        assert order["status"] == "refunded"
