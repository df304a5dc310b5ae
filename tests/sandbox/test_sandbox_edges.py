"""What the real services do at their edges: long queries, halves of characters, the other link of a payment."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

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


def test_an_invoice_without_tax_says_so_on_every_line(box: Sandbox) -> None:
    """LineAmountTypes NoTax turns the lines' TaxType into NONE."""
    with xero_client(box) as client:
        sent = invoice(LineAmountTypes="NoTax", LineItems=[line(), line(TaxType=None)])
        [made] = client.put("/Invoices", content=json.dumps(sent)).json()["Invoices"]
        assert [one["TaxType"] for one in made["LineItems"]] == ["NONE", "NONE"]
        assert (made["TotalTax"], made["Total"]) == (0, 200)


@pytest.mark.parametrize("accept", ["*/*", "", "application/xml", "text/xml"])
def test_who_does_not_ask_for_json_gets_xml(quiet: Sandbox, accept: str) -> None:
    """Also an error; JSON is what is named, and nothing else is had."""
    with xero_client(quiet) as client:
        answer = client.get("/Currencies", headers={"Accept": accept})
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        root = ElementTree.fromstring(answer.content)
        assert root.tag == "Response"
        assert {one.text for one in root.findall("./Currencies/Currency/Code")} >= {"EUR", "GBP"}
        wrong = client.put("/Invoices", content="{", headers={"Accept": accept})
        assert (wrong.status_code, ElementTree.fromstring(wrong.content).tag) == (400, "ApiException")
        assert client.get("/Currencies", headers={"Accept": "text/xml, application/json"}).json()["Currencies"]
        assert client.get("/Currencies", headers={"Accept": "application/pdf"}).status_code == 406


def test_what_exists_beside_the_sandboxs_world_is_no_fault(quiet: Sandbox) -> None:
    """Another spelling of the organisation, other APIs' scopes, templates of invoices."""
    with xero_client(quiet, scope="openid accounting.settings payroll.employees files.read") as client:
        assert client.get("/Organisations").json() | {"Id": 0, "DateTimeUTC": 0} == client.get(
            "/Organisation"
        ).json() | {"Id": 0, "DateTimeUTC": 0}
        assert "USD" in client.put("/Currencies", content='{"Code":"USD"}').text
    with crm_client(quiet) as client:
        templates = client.get("/invoices/template", params=ALT | {"limit": "10", "offset": "0"})
        assert (templates.status_code, templates.json()) == (200, {"data": [], "totalCount": 0})


def test_a_currency_that_does_not_exist_is_refused(box: Sandbox) -> None:
    """Xero knows an enumeration of them."""
    with xero_client(box) as client:
        for code in ("ZZZ", "EURO", ""):
            answer = client.put("/Currencies", content=json.dumps({"Code": code}))
            assert (answer.status_code, "currency code" in answer.text) == (400, True)
        assert client.put("/Currencies", content='{"Code":"SEK"}').status_code == 200


@pytest.mark.parametrize(
    ("switches", "allowed"),
    [
        ({"role": "READONLY"}, False),
        ({"role": "INVOICEONLY"}, False),
        ({"settings_rights": False}, False),
        ({"settings_rights": False, "adviser": True}, True),
        ({}, True),
    ],
)
def test_who_may_add_settings(box: Sandbox, switches: dict[str, Any], allowed: bool) -> None:
    """An adviser always, a standard user where that was granted, others never."""
    box.xero.switch(**switches)
    rate = {"Name": "TVA 7 %", "TaxComponents": [{"Name": "TVA", "Rate": 7}]}
    account = {"Name": "Autre", "Type": "EXPENSE", "Code": "699"}
    with xero_client(box) as client:
        for path, sent in (("/TaxRates", rate), ("/Currencies", {"Code": "SEK"}), ("/Accounts", account)):
            answer = client.put(path, content=json.dumps(sent))
            assert (answer.status_code == 200) == allowed, path
            assert allowed or "does not have the correct permissions" in answer.text


def test_settings_that_may_only_be_read_are_not_written(box: Sandbox) -> None:
    """The scope decides before the role."""
    with xero_client(box, scope="accounting.settings.read") as client:
        assert client.get("/TaxRates").status_code == 200
        answer = client.put("/TaxRates", content='{"Name":"x"}')
        assert (answer.status_code, "insufficent_scope" in answer.headers["www-authenticate"]) == (401, True)


def test_the_months_last_invoice_closes_the_action(box: Sandbox) -> None:
    """Organisation/Actions tells of the plan's cap, until the month is over."""
    box.xero.switch(invoice_cap=1)

    def allowed(client: httpx.Client) -> list[str]:
        actions = client.get("/Organisation/Actions").json()["Actions"]
        return [one["Name"] for one in actions if one["Status"] == "ALLOWED"]

    with xero_client(box) as client:
        assert "CreateApprovedInvoice" in allowed(client)
        assert client.put("/Invoices", content=json.dumps(invoice())).status_code == 200
        assert "CreateApprovedInvoice" not in allowed(client)
        assert {"CreateDraftInvoice", "CreateInvoicePayment", "CreateApprovedBill"} <= set(allowed(client))
    box.clock.advance(31 * 86_400)
    with xero_client(box) as client:
        assert "CreateApprovedInvoice" in allowed(client)
