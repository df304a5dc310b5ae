"""CrocoClick's API: strict lists, the invoice's life, payments and refunds, contacts, tokens."""

import json
from typing import Any

import httpx
import pytest
from conftest import LOCATION, crm_client
from highlevel import HighLevel

from sandbox.server import Sandbox

ALT = {"altId": LOCATION, "altType": "location"}
PAGE = ALT | {"limit": "100", "offset": "0"}


@pytest.fixture
def crm_api(quiet: Sandbox) -> Any:
    """A client of a location with three invoices."""
    with crm_client(quiet) as client:
        yield client


def new_invoice(**changes: Any) -> dict[str, Any]:
    """A body that the strict create call takes."""
    body = ALT | {
        "name": "Essai",
        "businessDetails": {"name": "Dupont"},
        "currency": "EUR",
        "items": [{"name": "Essai", "currency": "EUR", "amount": 1.1, "qty": 3, "taxes": []}],
        "discount": {"type": "percentage", "value": 0},
        "contactDetails": {"id": "c1", "name": "A", "phoneNo": "+331", "email": "a@b.example"},
        "issueDate": "2026-08-26",
        "dueDate": "2026-09-25",
        "sentTo": {"email": ["a@b.example"]},
        "liveMode": True,
    }
    return {k: v for k, v in (body | changes).items() if v is not None}


# -- lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "messages"),
    [
        ("offset", ["offset must be a string", "offset should not be empty"]),
        ("limit", ["limit must be a string", "limit should not be empty"]),
        ("altType", ["altType must be a valid enum value", "altType should not be empty"]),
        ("altId", ["altId must be a string", "altId should not be empty"]),
    ],
)
def test_a_list_needs_all_four(crm_api: httpx.Client, missing: str, messages: list[str]) -> None:
    """Leave one out and 422 names it twice, in a list."""
    answer = crm_api.get("/invoices/", params={k: v for k, v in PAGE.items() if k != missing})
    assert (answer.status_code, answer.json()["message"]) == (422, messages)
    assert answer.json()["error"] == "Unprocessable Entity"


@pytest.mark.parametrize(
    "extra", [{"altType": "company"}, {"sortField": "updatedAt"}, {"updatedAt": "x"}, {"limit": "1000"}, {"limit": "x"}]
)
def test_a_list_takes_nothing_else(crm_api: httpx.Client, extra: dict[str, str]) -> None:
    """No other sort field, no unknown parameter, no large page, no number that is none."""
    assert crm_api.get("/invoices/", params=PAGE | extra).status_code == 422


def listed(client: httpx.Client, **query: str) -> list[str]:
    """The numbers a list gives."""
    body = client.get("/invoices/", params=PAGE | query).json()
    assert body["total"] >= len(body["invoices"])
    return [i["invoiceNumber"][-4:] for i in body["invoices"]]


def test_filters_sort_and_pages(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Newest first; status, dates, contact, mode and search narrow; offset pages through."""
    assert listed(crm_api) == ["0003", "0002", "0001"]
    assert listed(crm_api, sortField="issueDate", sortOrder="ascend") == ["0001", "0002", "0003"]
    assert listed(crm_api, status="paid") == ["0003"]
    one = quiet.crococlick.invoices()[0]
    assert listed(crm_api, contactId=one["contactDetails"]["id"]) == ["0001"]
    assert listed(crm_api, search=one["contactDetails"]["email"][:12]) == ["0001"]
    assert listed(crm_api, paymentMode="test") == []
    day = quiet.crococlick.location.invoices[one["_id"]].doc["issueDate"]
    assert listed(crm_api, startAt=day, endAt=day) == ["0001"]
    assert listed(crm_api, limit="1", offset="1") == ["0002"]
    assert listed(crm_api, offset="7") == []


def test_dates_come_back_as_instants_of_local_midnight(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Cut the string and the invoice is a day early; due dates are a day's last moment. A switch: bare."""
    made = crm_api.post("/invoices/", json=new_invoice()).json()
    assert made["issueDate"] == "2026-08-25T22:00:00.000Z"
    assert made["dueDate"] == "2026-09-25T21:59:59.999Z"
    quiet.crococlick.switch(dates="bare")
    again = crm_api.get(f"/invoices/{made['_id']}", params=ALT).json()
    assert (again["issueDate"], again["dueDate"]) == ("2026-08-26", "2026-09-25")


def test_answers_vary_as_live_ones_do(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Numbers as numbers, fields left out, the address as one text."""
    id_ = quiet.crococlick.add_invoice(number="19", termsNotes="<p>x</p>")
    plain = quiet.crococlick.invoice(id_)
    assert (plain["invoiceNumber"], plain["termsNotes"]) == ("19", "<p>x</p>")
    quiet.crococlick.switch(number_type="number", omit=["termsNotes", "totalSummary.tax"], business_address="string")
    found = quiet.crococlick.invoice(id_)
    assert found["invoiceNumber"] == 19
    assert "termsNotes" not in found
    assert set(found["totalSummary"]) == {"subTotal", "discount"}
    assert isinstance(found["businessDetails"]["address"], str)


# -- the life of an invoice ---------------------------------------------------------------------------------------


def test_create_send_pay_void(crm_api: httpx.Client) -> None:
    """items go in, invoiceItems come out; draft, sent, partially paid, paid; each with its rules."""
    made = crm_api.post("/invoices/", json=new_invoice()).json()
    assert (made["status"], made["total"], made["amountDue"]) == ("draft", 3.3, 3.3)
    assert made["invoiceItems"][0]["name"] == "Essai"
    assert len(made["_id"]) == 24
    path = f"/invoices/{made['_id']}"
    void = crm_api.post(f"{path}/void", json=ALT)
    assert (void.status_code, void.json()["message"]) == (
        400,
        "Can not void draft invoice. You can delete draft invoice!",
    )
    sent = crm_api.post(f"{path}/send", json=ALT | {"userId": "u", "action": "send_manually", "liveMode": True}).json()
    assert sent["invoice"]["status"] == "sent"
    gone = crm_api.delete(path, params=ALT)
    assert (gone.status_code, gone.json()["message"]) == (400, "Invoice status need to be draft to delete an invoice")
    pay = ALT | {"mode": "cash", "card": {}, "cheque": {}, "notes": "", "amount": 1.3}
    part = crm_api.post(f"{path}/record-payment", json=pay).json()
    assert part["success"] is True
    assert (part["invoice"]["status"], part["invoice"]["amountDue"]) == ("partially_paid", 2)
    whole = crm_api.post(f"{path}/record-payment", json={k: v for k, v in pay.items() if k != "amount"}).json()
    assert (whole["invoice"]["status"], whole["invoice"]["amountPaid"]) == ("paid", 3.3)
    assert crm_api.post(f"{path}/record-payment", json=pay).status_code == 400
    unknown = crm_api.get("/invoices/aaaaaaaaaaaaaaaaaaaaaaaa", params=ALT)
    assert (unknown.status_code, unknown.json()["message"]) == (
        400,
        "Unable to find an invoice with the given invoice id",
    )


def test_an_unpaid_invoice_is_voided_and_a_draft_deleted(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Void is final; a provider's payment has to be refunded first; a deleted draft leaves a gap in the numbers."""
    one = quiet.crococlick.invoices()[0]
    assert crm_api.post(f"/invoices/{one['_id']}/void", json=ALT).json()["status"] == "void"
    two = quiet.crococlick.invoices()[1]
    transaction = quiet.crococlick.pay(two["_id"], provider="stripe")
    refused = crm_api.post(f"/invoices/{two['_id']}/void", json=ALT)
    assert refused.json()["message"].startswith(
        "To void an invoice which has received payment through the payment provider"
    )
    quiet.crococlick.refund(transaction)
    assert crm_api.post(f"/invoices/{two['_id']}/void", json=ALT).json()["status"] == "void"
    number = crm_api.get("/invoices/generate-invoice-number", params=ALT).json()["invoiceNumber"]
    draft = crm_api.post("/invoices/", json=new_invoice()).json()
    assert draft["invoiceNumber"] == str(number)
    assert crm_api.delete(f"/invoices/{draft['_id']}", params=ALT).status_code == 200
    assert crm_api.get("/invoices/generate-invoice-number", params=ALT).json()["invoiceNumber"] == number + 1


def test_update_takes_invoice_items(crm_api: httpx.Client) -> None:
    """The lines have another name on update, and the totals follow; a paid one stays."""
    made = crm_api.post("/invoices/", json=new_invoice()).json()
    lines = [
        {"name": "Neu", "currency": "EUR", "amount": 10, "qty": 1, "taxes": [{"_id": "t", "name": "TVA", "rate": 20}]}
    ]
    body = ALT | {
        "name": "Neu", "currency": "EUR", "invoiceItems": lines, "issueDate": "2026-08-27", "dueDate": "2026-09-01",
    }  # fmt: skip
    found = crm_api.put(f"/invoices/{made['_id']}", json=body).json()
    assert (found["total"], found["totalSummary"]["tax"], found["issueDate"]) == (12, 2, "2026-08-26T22:00:00.000Z")
    assert found["updatedAt"] >= made["updatedAt"]
    assert crm_api.put(f"/invoices/{made['_id']}", json=body | {"items": lines}).status_code == 422
    del body["dueDate"]
    assert crm_api.put(f"/invoices/{made['_id']}", json=body).status_code == 422


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name must be a string"),
        ({"total": 99}, "property total should not exist"),
        ({"issueDate": "26/08/2026"}, "issueDate must be in YYYY-MM-DD format"),
        ({"items": [{"name": "x", "currency": "EUR", "qty": 1}]}, "items.0.amount should not be empty"),
        ({"items": [{"name": "x", "currency": "EUR", "qty": 1, "amount": "1"}]}, "items.0.amount must be a number"),
        (
            {"contactDetails": {"id": "c", "name": "A", "email": "a@b.example"}},
            "contactDetails.phoneNo must be a string",
        ),
        ({"discount": {"type": "rebate"}}, "discount.type must be a valid enum value"),
        ({"invoiceNumberPrefix": "FACTURE-2026"}, "invoiceNumberPrefix must be shorter than or equal to 10 characters"),
    ],
)
def test_a_body_is_checked_strictly(crm_api: httpx.Client, changes: dict[str, Any], message: str) -> None:
    """Missing, wrong and unknown properties are refused with 422 and named."""
    answer = crm_api.post("/invoices/", json=new_invoice(**changes))
    assert answer.status_code == 422
    assert any(m.startswith(message) for m in answer.json()["message"]), answer.json()


def test_numbers_typed_by_hand_may_repeat(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """CrocoClick lets a user type a number that is taken; the prefix leads."""
    first = quiet.crococlick.invoices()[0]["invoiceNumber"]
    prefix, rest = first[:9], first[9:]
    made = crm_api.post("/invoices/", json=new_invoice(invoiceNumber=rest, invoiceNumberPrefix=prefix)).json()
    assert made["invoiceNumber"] == first


def test_late_fees_and_edits_after_a_payment(crm: Any) -> None:
    """A total may grow after sending, also when part of it was paid."""
    id_ = crm.add_invoice(lines=[{"amount": 100}], number="L-1")
    crm.pay(id_, 40)
    crm.add_late_fee("L-1", "7.50")
    found = crm.invoice("L-1")
    assert (found["total"], found["amountDue"], found["status"]) == (107.5, 67.5, "partially_paid")
    crm.edit_invoice("L-1", lines=[{"amount": 200}])
    assert crm.invoice("L-1")["amountDue"] == 167.5


@pytest.mark.parametrize(("counts", "paid", "due"), [(False, 60, 40), (True, 61.5, 38.5)])
def test_fees_and_tips_come_on_top_of_a_payment(crm: Any, counts: bool, paid: float, due: float) -> None:
    """The transaction holds them, the invoice tells of the fee alone; whether it counts as paid is a switch."""
    crm.switch(fees_count_as_paid=counts)
    id_ = crm.add_invoice(lines=[{"amount": 100}], number="L-2")
    crm.pay(id_, 60, fee="1.50", tip=5)
    found = crm.invoice("L-2")
    assert (found["amountPaid"], found["amountDue"], crm.transactions("L-2")[0]["amount"]) == (paid, due, 66.5)
    crm.pay(id_, fee=1)
    charges = crm.invoice("L-2")["miscellaneousCharges"]
    assert charges["collectedMiscellaneousCharges"] == 2.5
    assert [one["amount"] for one in charges["paidCharges"]] == [1.5, 1]
    assert (crm.invoice("L-2")["status"], crm.invoice("L-2")["amountDue"]) == ("paid", 0)


# -- payments -----------------------------------------------------------------------------------------------------


def test_one_transaction_per_payment(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Two payments are two transactions of one order, linked to the invoice; the single view tells more."""
    id_ = quiet.crococlick.invoices()[0]["_id"]
    for amount in (100, 50.25):
        quiet.crococlick.pay(id_, amount, at="2026-11-20T23:30:00.000Z")
    contact = quiet.crococlick.invoice(id_)["contactDetails"]["id"]
    query = ALT | {"entitySourceType": "invoice", "contactId": contact, "limit": "100"}
    body = crm_api.get("/payments/transactions", params=query).json()
    mine = [t for t in body["data"] if t["entitySourceId"] == id_]
    assert (body["totalCount"], sorted(t["amount"] for t in mine)) == (2, [50.25, 100])
    assert {(t["status"], t["entityType"], t["fulfilledAt"]) for t in mine} == {
        ("succeeded", "order", "2026-11-20T23:30:00.000Z")
    }
    orders = crm_api.get("/payments/orders", params=ALT | {"sourceId": id_}).json()
    assert [o["_id"] for o in orders["data"]] == [mine[0]["entityId"]]
    by_order = crm_api.get("/payments/transactions", params=ALT | {"entityId": mine[0]["entityId"]}).json()
    assert by_order["totalCount"] == 2
    single = crm_api.get(f"/payments/transactions/{mine[0]['_id']}", params=ALT).json()
    assert single["entitySource"]["id"] == id_
    assert "receiptId" in single and "receiptId" not in mine[0]
    assert crm_api.get(f"/payments/orders/{mine[0]['entityId']}", params=ALT).json()["source"]["type"] == "invoice"


def test_a_refund_leaves_no_trace_on_the_invoice(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """The transaction and its order know; the invoice stays as it was."""
    paid = next(i for i in quiet.crococlick.invoices() if i["status"] == "paid")
    transaction = quiet.crococlick.transactions(paid["_id"])[0]["_id"]
    quiet.crococlick.refund(transaction, 10)
    found = crm_api.get("/payments/transactions", params=ALT).json()["data"][0]
    assert (found["amountRefunded"], found["status"]) == (10, "succeeded")
    quiet.crococlick.refund(transaction)
    assert crm_api.get(f"/payments/transactions/{transaction}", params=ALT).json()["status"] == "refunded"
    after = quiet.crococlick.invoice(paid["_id"])
    assert after == paid


# -- contacts -----------------------------------------------------------------------------------------------------


def test_a_duplicate_contact_names_the_one_that_is_there(crm_api: httpx.Client) -> None:
    """201 the first time; then 400 with the id to use, by email without case, else by phone, however it is written."""
    body = {
        "locationId": LOCATION,
        "firstName": "Zoé",
        "lastName": "Roy",
        "email": "Zoe@Roy.example",
        "phone": "+33777",
    }
    made = crm_api.post("/contacts/", json=body)
    assert made.status_code == 201
    contact = made.json()["contact"]
    assert (len(contact["id"]), contact["emailLowerCase"]) == (20, "zoe@roy.example")
    again = crm_api.post("/contacts/", json=body | {"email": "ZOE@roy.example"})
    assert again.status_code == 400
    assert again.json()["message"] == "This location does not allow duplicated contacts."
    assert again.json()["meta"] == {"contactId": contact["id"], "contactName": "Zoé Roy", "matchingField": "email"}
    for phone in ("+33777", "+33 7-77"):
        other = crm_api.post("/contacts/", json={"locationId": LOCATION, "phone": phone}).json()
        assert other["meta"]["matchingField"] == "phone"


def test_upsert_keeps_what_is_left_out_and_replaces_tags(crm_api: httpx.Client) -> None:
    """A partial update, except for tags; the answer says whether the contact is new."""
    body = {"locationId": LOCATION, "email": "a@up.example", "firstName": "A", "tags": ["x", "y"]}
    first = crm_api.post("/contacts/upsert", json=body).json()
    assert first["new"] is True
    second = crm_api.post(
        "/contacts/upsert", json={"locationId": LOCATION, "email": "A@up.example", "tags": ["z"]}
    ).json()
    assert (second["new"], second["contact"]["id"]) == (False, first["contact"]["id"])
    assert (second["contact"]["firstName"], second["contact"]["tags"]) == ("A", ["z"])


def test_contacts_are_read_changed_tagged_and_deleted(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """An unknown contact is 400; succeded is spelt as it is; company names cannot be changed by PUT."""
    id_ = quiet.crococlick.contacts()[0]["id"]
    assert crm_api.get(f"/contacts/{id_}").json()["contact"]["id"] == id_
    changed = crm_api.put(f"/contacts/{id_}", json={"city": "Brest"}).json()
    assert (changed["succeded"], changed["contact"]["city"]) == (True, "Brest")
    assert crm_api.put(f"/contacts/{id_}", json={"companyName": "x"}).status_code == 422
    assert crm_api.post(f"/contacts/{id_}/tags", json={"tags": ["a", "b"]}).json()["tags"] == ["a", "b"]
    assert crm_api.request("DELETE", f"/contacts/{id_}/tags", json={"tags": ["a"]}).json()["tags"] == ["b"]
    assert crm_api.delete(f"/contacts/{id_}").json()["succeded"] is True
    unknown = crm_api.get(f"/contacts/{id_}")
    assert (unknown.status_code, unknown.json()["message"]) == (400, f"Contact not found for id:{id_}")


def test_custom_fields_are_written_and_read_under_different_names(crm_api: httpx.Client) -> None:
    """field_value goes in, value comes out."""
    body = {"locationId": LOCATION, "email": "c@f.example", "customFields": [{"id": "f1", "field_value": "FR12"}]}
    made = crm_api.post("/contacts/", json=body).json()["contact"]
    assert made["customFields"] == [{"id": "f1", "value": "FR12"}]


def found(client: httpx.Client, **body: Any) -> list[str]:
    """The emails a search gives."""
    answer = client.post("/contacts/search", json={"locationId": LOCATION, "pageLimit": 100} | body)
    assert answer.status_code == 200, answer.text
    return [c.get("email", "") for c in answer.json()["contacts"]]


def test_search(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Filters in groups, ranges, free text, sorting."""
    quiet.crococlick.add_contact(name="Anne Zola", email="anne@z.example", tags=["vip"], companyName="Zola SA")
    leaf = {"field": "email", "operator": "eq", "value": "ANNE@z.example"}
    assert found(crm_api, filters=[leaf]) == ["anne@z.example"]
    either = {"group": "OR", "filters": [leaf, {"field": "tags", "operator": "eq", "value": "none"}]}
    assert found(crm_api, filters=[either]) == ["anne@z.example"]
    assert found(crm_api, filters=[{"field": "companyName", "operator": "contains", "value": "zola"}]) == [
        "anne@z.example"
    ]
    assert found(crm_api, query="Anne") == ["anne@z.example"]
    assert (
        len(found(crm_api, filters=[{"field": "dateAdded", "operator": "range", "value": {"gte": "2026-01-01"}}])) == 4
    )
    ordered = found(crm_api, sort=[{"field": "email", "direction": "asc"}])
    assert ordered == sorted(ordered)


def test_search_pages_by_search_after(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """Each document carries the key of the next page; page × limit ends at 10,000."""
    seen: list[str] = []
    after: Any = None
    while True:
        body = {"locationId": LOCATION, "pageLimit": 2} | ({"searchAfter": after} if after else {})
        rows = crm_api.post("/contacts/search", json=body).json()["contacts"]
        if not rows:
            break
        seen += [r["id"] for r in rows]
        after = rows[-1]["searchAfter"]
    assert sorted(seen) == sorted(c["id"] for c in quiet.crococlick.contacts())
    for wrong in ({"pageLimit": 501}, {"pageLimit": 500, "page": 21}, {"query": "x" * 76}, {"locationId": None}):
        body = {k: v for k, v in ({"locationId": LOCATION, "pageLimit": 10} | wrong).items() if v is not None}
        assert crm_api.post("/contacts/search", json=body).status_code == 422, wrong
    bad = {
        "locationId": LOCATION,
        "pageLimit": 1,
        "filters": [{"field": "email", "operator": "contains", "value": "x"}],
    }
    assert crm_api.post("/contacts/search", json=bad).status_code == 422


def test_search_may_lag(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """With the switch on, search sees a new contact seconds later; the duplicate search sees it at once."""
    quiet.crococlick.switch(search_lag_s=3)
    crm_api.post("/contacts/", json={"locationId": LOCATION, "email": "late@x.example"})
    assert "late@x.example" not in found(crm_api)
    query = {"locationId": LOCATION, "email": "late@x.example"}
    assert crm_api.get("/contacts/search/duplicate", params=query).json()["contact"]["email"] == "late@x.example"
    quiet.clock.advance(3.1)
    assert "late@x.example" in found(crm_api)


def test_422_and_created_all_the_same(quiet: Sandbox, crm_api: httpx.Client) -> None:
    """A known bug of the service: the refusal lies."""
    quiet.crococlick.switch(created_but_422=True)
    body = {"locationId": LOCATION, "email": "lie@x.example"}
    assert crm_api.post("/contacts/", json=body).status_code == 422
    assert crm_api.post("/contacts/", json=body).json()["meta"]["matchingField"] == "email"


# -- tokens -------------------------------------------------------------------------------------------------------


def test_what_a_bad_token_meets(quiet: Sandbox) -> None:
    """Garbage, a bad private token, a missing scope, another location, a bad version: each has its own answer."""
    with crm_client(quiet, "garbage") as client:
        answer = client.get("/invoices/", params=PAGE)
        assert (answer.status_code, answer.json()["message"]) == (401, "Invalid JWT")
    quiet.crococlick.allow("pit-narrow", ["contacts.readonly"])
    with crm_client(quiet, "pit-narrow") as client:
        answer = client.get("/invoices/", params=PAGE)
        assert (answer.status_code, answer.json()["message"]) == (401, "The token is not authorized for this scope.")
        assert client.get("/contacts/", params={"locationId": LOCATION}).status_code == 200
    with crm_client(quiet) as client:
        answer = client.get("/locations/other")
        assert (answer.status_code, answer.json()["message"]) == (403, OTHERS_LOCATION)
        assert client.get(f"/locations/{LOCATION}").json()["location"]["timezone"] == "Europe/Paris"
        assert "_tokens" not in client.get(f"/locations/{LOCATION}").json()["location"]
        for version, text in (("", "version header was not found."), ("2019-01-01", "version header is invalid")):
            answer = client.get("/invoices/", params=PAGE, headers={"Version": version})
            assert (answer.status_code, answer.json()["message"]) == (401, text)
        assert client.get("/nowhere").status_code == 404
    quiet.crococlick.refuse("pit-sandbox")
    with crm_client(quiet) as client:
        answer = client.get("/invoices/", params=PAGE)
        assert (answer.status_code, answer.json()["message"]) == (401, "Invalid Private Integration token")


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "/invoices/", {"params": PAGE | {"altId": "other"}}),
        ("GET", "/contacts/search/duplicate", {"params": {"locationId": "other", "email": "a@b.example"}}),
        ("POST", "/contacts/", {"json": {"locationId": "other", "email": "a@b.example"}}),
        ("POST", "/contacts/search", {"json": {"locationId": "other", "pageLimit": 10}}),
    ],
)
def test_another_location_is_401_for_a_private_token_and_403_for_an_apps(
    quiet: Sandbox, method: str, path: str, asked: dict[str, Any]
) -> None:
    """The remedy is to correct the location's id: the token is good, and there need not even be such a location."""
    with crm_client(quiet) as client:
        answer = client.request(method, path, **asked)
        text = "This location is not accessible from this token!"
        assert (answer.status_code, answer.json()["message"]) == (401, text)
    form = CLIENT | {"grant_type": "client_credentials", "user_type": "Location"}
    token = httpx.post(f"{quiet.url}/oauth/token", data=form).json()["access_token"]
    with crm_client(quiet, token) as client:
        answer = client.request(method, path, **asked)
        assert (answer.status_code, answer.json()["message"]) == (403, OTHERS_LOCATION)


OTHERS_LOCATION = "The token does not have access to this location."
CLIENT = {"client_id": "65a000000000000000000001-sandbox", "client_secret": "sandbox-secret"}


def test_the_marketplace_flow(quiet: Sandbox) -> None:
    """Code to tokens in snake or camel case; a refresh token works once; a company token becomes a location's."""
    asked = {"client_id": CLIENT["client_id"], "redirect_uri": "http://localhost:1/cb", "response_type": "code"}
    where = httpx.get(f"{quiet.url}/v2/oauth/chooselocation", params=asked).headers["location"]
    code = where.partition("code=")[2]
    url = f"{quiet.url}/oauth/token"
    tokens = httpx.post(url, data=CLIENT | {"grant_type": "authorization_code", "code": code}).json()
    assert (tokens["userType"], tokens["locationId"], tokens["expires_in"]) == ("Location", LOCATION, 86399)
    with crm_client(quiet, tokens["access_token"]) as client:
        assert client.get("/invoices/", params=PAGE).status_code == 200
    camel = {"clientId": CLIENT["client_id"], "clientSecret": CLIENT["client_secret"], "grantType": "refresh_token"}
    again = httpx.post(url, data=camel | {"refreshToken": tokens["refresh_token"]})
    assert again.status_code == 200
    used = httpx.post(url, data=camel | {"refreshToken": tokens["refresh_token"]})
    assert (used.status_code, used.json()["message"]) == (400, "Invalid grant: refresh token is invalid")
    quiet.sim.crococlick.tokens.paused = True
    paused = httpx.post(url, data=camel | {"refreshToken": again.json()["refresh_token"]})
    assert paused.json()["message"] == "Location is not active"
    assert httpx.post(url, data={}).json()["message"] == "Missing parameter: clientId"
    assert httpx.post(url, data=CLIENT | {"grant_type": "x"}).json()["message"] == "Invalid parameter: grantType"
    company = httpx.post(url, data=CLIENT | {"grant_type": "client_credentials"}).json()
    with crm_client(quiet, company["access_token"]) as client:
        assert client.get("/invoices/", params=PAGE).json()["message"].startswith("This authClass type is not allowed")
        form = {"companyId": company["companyId"], "locationId": LOCATION}
        made = client.post("/oauth/locationToken", data=form).json()
    quiet.clock.advance(86_400)
    with crm_client(quiet, made["access_token"]) as client:
        assert client.get("/invoices/", params=PAGE).json()["message"] == "Invalid JWT"


def test_webhooks_are_signed_with_the_sandboxs_key(quiet: Sandbox) -> None:
    """The vendor's own client accepts the signature, and refuses it over one changed byte."""
    desk = quiet.crococlick
    one = desk.invoices()[0]
    headers, body = desk.webhook("InvoiceSent", one["_id"])
    assert json.loads(body)["type"] == "InvoiceSent"
    assert json.loads(body)["webhookId"]
    judge = HighLevel(private_integration_token="x").webhooks
    text, signature = body.decode(), headers["X-GHL-Signature"]
    assert judge.verify_ed25519_signature(text, signature, desk.webhook_key) is True
    assert judge.verify_ed25519_signature(text + " ", signature, desk.webhook_key) is False
    assert "type" not in json.loads(desk.webhook("InvoicePaid", one["_id"], type=None)[1])
