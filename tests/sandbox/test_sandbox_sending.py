"""What customers receive when invoices are sent, and what else the writes of CrocoClick insist on."""

from typing import Any

import pytest
from conftest import LOCATION, crm_client

from sandbox.server import Sandbox

ALT = {"altId": LOCATION, "altType": "location"}
NEW = ALT | {
    "name": "Essai",
    "businessDetails": {"name": "Dupont"},
    "currency": "EUR",
    "items": [{"name": "Essai", "currency": "EUR", "amount": 1, "qty": 1}],
    "discount": {"type": "percentage", "value": 0},
    "contactDetails": {"id": "c1", "name": "A", "phoneNo": "+331", "email": "a@b.example"},
    "issueDate": "2026-08-26",
    "sentTo": {"email": ["a@b.example"]},
    "liveMode": True,
}


def test_only_sending_by_hand_writes_to_nobody(box: Sandbox) -> None:
    """An email or a text message is noted; `send_manually` leaves none."""
    with crm_client(box) as client:
        path = f"/invoices/{client.post('/invoices/', json=NEW).json()['_id']}/send"
        told = ALT | {"userId": "u", "liveMode": True}
        assert client.post(path, json=told | {"action": "send_manually"}).json()["invoice"]["status"] == "sent"
        assert box.crococlick.messages() == []
        for action in ("email", "sms", "sms_and_email"):
            client.post(path, json=told | {"action": action})
        assert [one["action"] for one in box.crococlick.messages()] == ["email", "sms", "sms_and_email"]
        assert client.post(path, json=ALT | {"action": "send_manually", "liveMode": True}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentTo": {}}, "sentTo.email must be an array"),
        ({"sentTo": {"email": [], "name": "A"}}, "sentTo.property name should not exist"),
        ({"businessDetails": {"vat": "1"}}, "businessDetails.property vat should not exist"),
        (
            {"contactDetails": {"id": "c", "name": "A", "email": "a@b.example"}},
            "contactDetails.phoneNo must be a string",
        ),
        ({"contactDetails": {"id": "c", "name": "A", "phoneNo": "+33"}}, "contactDetails.email must be a string"),
    ],
)
def test_recipients_seller_and_customer_are_validated(box: Sandbox, changes: dict[str, Any], message: str) -> None:
    """What is missing and what is unknown is refused, phone and email of the customer included."""
    with crm_client(box) as client:
        refused = client.post("/invoices/", json=NEW | changes)
        assert refused.status_code == 422 and message in refused.json()["message"]


def test_a_draft_is_deleted_where_the_location_is_named(box: Sandbox) -> None:
    """In the query by the specification, in the body as its sibling for estimates wants it: a switch says which."""
    with crm_client(box) as client:
        for where in ("query", "body"):
            box.crococlick.switch(delete_ids=where)
            path = f"/invoices/{client.post('/invoices/', json=NEW).json()['_id']}"
            ways = {"query": {"params": ALT}, "body": {"json": ALT}}
            right = ways.pop(where)
            [wrong] = ways.values()
            assert client.request("DELETE", path, **wrong).status_code == 422
            assert client.request("DELETE", path, **right).status_code == 200
