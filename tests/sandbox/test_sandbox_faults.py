"""Misbehaviour on request: each fault does what its name says, once, to the request that was meant."""

import json
import time
from typing import Any

import httpx
import pytest
from conftest import LOCATION, crm_client, invoice, xero_client

from sandbox.server import Sandbox
from tests.support.waiting import until

CUT = (httpx.RemoteProtocolError, httpx.ReadError)


def test_accepted_then_hung_up(box: Sandbox) -> None:
    """The invoice is there, the answer never came; the next write works."""
    box.faults.next_write("accepted_then_hung_up")
    with xero_client(box) as client:
        with pytest.raises(CUT):
            client.put("/Invoices", json=invoice(InvoiceNumber="H-1"))
        assert box.xero.numbers() == ["H-1"]
        assert client.put("/Invoices", json=invoice(InvoiceNumber="H-2")).status_code == 200
    assert [c.status for c in box.calls if c.method == "PUT"] == [0, 200]


def test_dropped_before_anything_happens(box: Sandbox) -> None:
    """The connection dies and nothing was done."""
    box.faults.next_write("dropped")
    with xero_client(box) as client, pytest.raises(CUT):
        client.put("/Invoices", json=invoice())
    assert box.xero.invoices() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [("error_500", 500, "application/json"), ("error_500_html", 500, "text/html"), ("error_503", 503, "text/plain")],
)
def test_server_errors_before_and_after_the_commit(
    box: Sandbox, kind: str, status: int, type_: str, after: bool
) -> None:
    """The same 500 hides both outcomes: only a look-up tells."""
    box.faults.next_write(kind, after_commit=after)
    with xero_client(box) as client:
        answer = client.put("/Invoices", json=invoice())
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(type_)
    assert len(box.xero.invoices()) == int(after)


@pytest.mark.parametrize("problem", ["minute", "day", "concurrent", "appminute"])
def test_rate_limited(box: Sandbox, problem: str) -> None:
    """Any of the four limits, with the wait of one's choice; in flight has none."""
    box.faults.add("rate_limited", problem=problem, retry_after=7)
    with xero_client(box) as client:
        answer = client.get("/Organisation")
        assert (answer.status_code, answer.content) == (429, b"")
        assert answer.headers["x-rate-limit-problem"] == problem
        assert answer.headers.get("retry-after") == (None if problem == "concurrent" else "7")
        assert client.get("/Organisation").status_code == 200


def test_refuse_with_ones_own_words(box: Sandbox) -> None:
    """Any status and body, as often as wanted, only where it fits."""
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "m", "Elements": []}
    box.faults.add("refuse", method="PUT", path="/Contacts", times=2, status=400, body=body)
    with xero_client(box) as client:
        assert client.put("/Invoices", json=invoice()).status_code == 200
        assert [client.put("/Contacts", json={"Name": "A"}).status_code for _ in range(3)] == [400, 400, 200]


def test_a_fault_may_wait_and_may_look_inside(box: Sandbox) -> None:
    """`after` lets some requests pass, `containing` picks the one that holds a text."""
    box.faults.add("error_500", method="PUT", after=1)
    box.faults.add("error_503", method="PUT", containing="PICK-ME")
    with xero_client(box) as client:
        found = [client.put("/Invoices", json=invoice(InvoiceNumber=n)).status_code for n in ("A", "B", "PICK-ME", "C")]
    assert found == [200, 500, 503, 200]


def impatient(read_s: float) -> httpx.Timeout:
    """Waits that long for an answer, and for a connection as long as it takes."""
    return httpx.Timeout(60, read=read_s)


def test_slow(box: Sandbox) -> None:
    """A client that does not wait gives up; what was slow is not carried out for nobody."""
    box.faults.next_write("slow", ms=1500)
    with xero_client(box) as client, pytest.raises(httpx.ReadTimeout):
        client.put("/Invoices", json=invoice(), timeout=impatient(0.2))


def test_token_revoked_and_tenant_disconnected(box: Sandbox) -> None:
    """Consent goes in the middle of the work: 401 for the app, 403 for one organisation."""
    with xero_client(box) as client:
        box.faults.next_write("tenant_disconnected")
        assert client.put("/Invoices", json=invoice()).status_code == 403
        assert client.get("/Organisation").status_code == 403
    with xero_client(box) as client:
        box.faults.next_read("token_revoked")
        assert client.get("/Organisation").status_code == 401
    assert box.sim.xero.identity.refresh == {}


def test_stale_updates(box: Sandbox) -> None:
    """The change is made but UpdatedDateUTC does not tell."""
    with xero_client(box) as client:
        made = client.put("/Invoices", json=invoice(InvoiceNumber="S-1")).json()["Invoices"][0]
        box.clock.advance(5)
        box.faults.next_write("stale_updates")
        client.post("/Invoices", json={"InvoiceID": made["InvoiceID"], "DueDate": "2027-01-01"})
        assert box.xero.invoice("S-1")["UpdatedDateUTC"] == made["UpdatedDateUTC"]
        assert box.xero.invoice("S-1")["DueDate"] == "2027-01-01"
        client.post("/Invoices", json={"InvoiceID": made["InvoiceID"], "DueDate": "2027-01-02"})
    assert box.xero.invoice("S-1")["UpdatedDateUTC"] != made["UpdatedDateUTC"]


def test_truncated(box: Sandbox) -> None:
    """Half of the answer arrives; the invoice is there."""
    box.faults.next_write("truncated")
    with xero_client(box) as client, pytest.raises(CUT):
        client.put("/Invoices", json=invoice())
    assert len(box.xero.invoices()) == 1


def test_faults_on_crococlick_and_on_the_token_endpoint(box: Sandbox) -> None:
    """Every path can misbehave."""
    box.faults.add("error_500", side="crococlick", path="/invoices")
    box.faults.add("dropped", path="/connect/token")
    box.faults.add("rate_limited", side="crococlick", path="/contacts")
    with crm_client(box) as client:
        listing = {"altId": "SandboxLocation00001", "altType": "location", "limit": "1", "offset": "0"}
        answers = [client.get("/invoices/", params=listing) for _ in range(2)]
        assert [a.status_code for a in answers] == [500, 200]
        assert client.get("/contacts/", params={"locationId": "x"}).status_code == 429
    with pytest.raises(CUT):
        httpx.post(f"{box.url}/connect/token", data={"grant_type": "refresh_token"})


def test_magic_numbers_strike_once(box: Sandbox) -> None:
    """An invoice numbered MAGIC-HANGUP… loses its first answer, and only that one."""
    with xero_client(box) as client:
        with pytest.raises(CUT):
            client.put("/Invoices", json=invoice(InvoiceNumber="MAGIC-HANGUP-1"))
        found = client.get("/Invoices", params={"InvoiceNumbers": "MAGIC-HANGUP-1"}).json()["Invoices"]
        assert len(found) == 1
        update = {"InvoiceID": found[0]["InvoiceID"], "InvoiceNumber": "MAGIC-HANGUP-1", "Reference": "x"}
        assert client.post("/Invoices", json=update).status_code == 200
        assert client.put("/Invoices", json=invoice(InvoiceNumber="MAGIC-BUSY")).headers["retry-after"] == "5"


def test_an_unknown_fault_is_said_so(box: Sandbox) -> None:
    """A typo names the faults there are."""
    with pytest.raises(ValueError, match="There is no fault called slwo"):
        box.faults.add("slwo")


@pytest.mark.parametrize(("commit", "kept"), [("before", 1), ("after", 0)])
def test_a_client_killed_in_flight(box: Sandbox, commit: str, kept: int) -> None:
    """What is committed before the latency stays although nobody hears of it; what comes after never happens."""
    box.sim.latency_ms, box.sim.commit = 400, commit
    with xero_client(box) as client, pytest.raises(httpx.ReadTimeout):
        client.put("/Invoices", json=invoice(), timeout=impatient(0.15))
    until(lambda: len(box.xero.invoices()) == kept)
    time.sleep(0.5)
    assert len(box.xero.invoices()) == kept


def test_a_stored_server_error_comes_back_under_its_key(box: Sandbox) -> None:
    """Retrying a 500 with the same key repeats the 500, whether or not the write was done; a new key looks again."""
    body = json.dumps(invoice(InvoiceNumber="K-1"))
    with xero_client(box) as client:
        box.faults.next_write("error_500", after_commit=True)
        found = [client.put("/Invoices", content=body, headers={"Idempotency-Key": k}) for k in ("a", "a", "b")]
        assert [f.status_code for f in found] == [500, 500, 400]
        assert found[2].json()["Elements"][0]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]
        box.faults.next_write("error_500")
        found = [client.put("/Contacts", json={"Name": "N"}, headers={"Idempotency-Key": "c"}) for _ in range(2)]
        assert [f.status_code for f in found] == [500, 500]


def test_faults_over_http(box: Sandbox) -> None:
    """A sandbox in another process takes its faults from the test desk."""
    fault = {"kind": "refuse", "method": "GET", "path": "/Users", "status": 418, "body": "short and stout"}
    listed: Any = httpx.post(f"{box.url}/_sandbox/faults", json=fault).json()
    assert listed["waiting"][0]["options"] == {"status": 418, "body": "short and stout"}
    with xero_client(box) as client:
        assert client.get("/Users").status_code == 418
    assert httpx.post(f"{box.url}/_sandbox/faults", json={"kind": "nope"}).status_code == 400
    assert json.loads(httpx.delete(f"{box.url}/_sandbox/faults").text)["waiting"] == []


def test_a_rewritten_answer_was_carried_out(quiet: Sandbox) -> None:
    """What arrives may be any JSON; what is kept is what was asked for."""
    quiet.faults.next_write("rewritten", old='"Total":120.0', new='"Total":null')
    quiet.faults.next_read("rewritten", side="crococlick", old='"status":"sent"', new='"status":"overdue"')
    with xero_client(quiet) as client:
        made = client.put("/Invoices", content=json.dumps(invoice(InvoiceNumber="I-1"))).json()["Invoices"][0]
        assert made["Total"] is None
        assert client.get(f"/Invoices/{made['InvoiceID']}").json()["Invoices"][0]["Total"] == 120
    with crm_client(quiet) as client:
        query = {"altId": LOCATION, "altType": "location", "limit": "10", "offset": "0"}
        assert "overdue" in {one["status"] for one in client.get("/invoices/", params=query).json()["invoices"]}
        assert "overdue" not in {one["status"] for one in client.get("/invoices/", params=query).json()["invoices"]}
