"""The consent's way to Xero and back, who may come in, and whether all is well."""

import base64
import gzip
import json
import logging
import os
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from console.desk.desk import Desk
from console.desk.installation import installation
from console.request_gate import REFUSAL
from sandbox.server import Sandbox
from syncer.app.webhooks import connected_locations, locations
from syncer.domain.ports import Event
from tests.support.callers import begin, caller
from tests.support.pages import Draw, seen

MARKUP = urllib.parse.quote('<script>alert(1)</script>"onload=alert(1)')


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Both services."""
    with Sandbox(world="demo", limits=False) as box:
        yield box


@pytest.fixture
def sandboxed(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose Xero and CrocoClick are the sandbox."""
    for name, value in {**box.environment(), "SYNCER_DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    installation.cache_clear()
    yield Desk(installation())
    installation.cache_clear()


def answer(address: str, decision: str = "allow") -> str:
    """Answer Xero's consent page, and return the address it leads back to."""
    page = httpx.get(address).text
    organisation = page.split('name="organisation" value="')[1].split('"')[0]
    back = httpx.post(address, data={"organisation": organisation, "decision": decision})
    return back.headers["location"]


def test_a_consent_there_and_back(sandboxed: Desk, caplog: pytest.LogCaptureFixture):
    """Connect leads to Xero, Xero leads back, the organisation is connected; neither code nor state is logged."""
    caplog.set_level(logging.DEBUG)
    there = begin(caller())
    assert there.status_code == 303
    back = answer(there.headers["location"])
    caplog.clear()
    done = caller().get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/connections?connected=Dupont%20Conseil")
    assert sandboxed.state() == "connected"
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "asyncio"))]
    assert not any(given["code"][0] in line or given["state"][0] in line for line in ours)


def test_a_cancelled_consent_is_a_sentence(sandboxed: Desk):
    back = answer(begin(caller()).headers["location"], "cancel")
    said = caller().get(back)
    assert said.status_code == 400
    assert "The consent was cancelled at Xero. Connect again and choose Allow access." in said.text
    assert said.headers["referrer-policy"] == "no-referrer"


def test_an_answer_is_good_once(sandboxed: Desk):
    back = answer(begin(caller()).headers["location"])
    caller().get(back)
    assert "older than ten minutes or was used already" in caller().get(back).text


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("", "does not belong to a connection that was started here"),
        ("?state=forged&code=abc", "does not belong to a connection that was started here"),
        ("?error=access_denied", "does not belong to a connection that was started here"),
        (f"?error=x&error_description=forged{MARKUP}&state={MARKUP}", "does not belong to a connection that was"),
    ],
)
def test_what_was_not_asked_for_is_refused(desk: Desk, asked: str, sentence: str):
    """Whatever arrives, a sentence answers it, and nothing of it is repeated."""
    said = caller().get(f"/xero/callback{asked}")
    assert (said.status_code, "forged" in said.text, "alert(" in said.text) == (400, False, False)
    assert sentence in said.text


def test_without_an_app_connect_says_what_to_set(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XERO_CLIENT_ID", "")
    installation.cache_clear()
    assert "Set XERO_CLIENT_ID" in begin(caller()).text


def test_several_organisations_are_a_choice(sandboxed: Desk, box: Sandbox, draw: Draw):
    """One consent for two organisations: the page asks which one, and the answer connects it."""
    back = answer(begin(caller()).headers["location"])
    auth = box.sim.xero.identity
    (first,) = auth.connections.values()
    second = next(books for tenant, books in box.sim.xero.books.items() if tenant != first["tenantId"])
    auth.connect(first["app"], second.tenant, second.org["Name"], first["authEventId"], first["scopes"])
    assert caller().get(back).headers["location"] == "/connections"
    assert sandboxed.state() == "not_connected"
    at = draw("connections")
    at.radio[0].set_value(second.tenant)
    next(one for one in at.button if one.label == "Use this organisation").click().run()
    assert "Connected to Dupont Formation." in seen(at)
    assert (sandboxed.state(), sandboxed.organisation()) == ("connected", "Dupont Formation")


def test_disconnecting(sandboxed: Desk, draw: Draw):
    caller().get(answer(begin(caller()).headers["location"]))
    at = draw("connections")
    next(one for one in at.button if one.label == "Disconnect now").click().run()
    assert "Disconnected. The ledger stays; connect again to go on." in seen(at)
    assert sandboxed.state() == "not_connected"


def test_health(working: Desk):
    told = caller().get("/healthz")
    assert told.status_code == 200
    assert told.json()["ok"] is True
    assert 200 < told.json()["last_run_age_s"] < 3600


def test_health_of_a_broken_ledger(desk: Desk):
    desk.app.store.path.write_bytes(b"not a ledger")
    told = caller().get("/healthz")
    assert (told.status_code, told.json()["ok"]) == (503, False)


def watched(desk: Desk, **told: object) -> None:
    """A watch has left this note of itself."""
    now = datetime.now(UTC).isoformat()
    note = {"pid": os.getpid(), "since": now, "heard_at": now, "every_s": 120, "next_at": now, "failures": 0,
            "shut_until": None, **told}  # fmt: skip
    path = desk.app.environment.data_dir / "watch" / "default.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(note))


def test_health_tells_of_the_watch(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """At work it is well; where it stopped, although this console should work in the background, it is not."""
    monkeypatch.setenv("SYNCER_WATCH", "on")
    monkeypatch.setattr("console.routes.STARTED", datetime.now(UTC))
    installation.cache_clear()
    watched(working)
    assert caller().get("/healthz").json()["watch"]["default"]["state"] == "watching"
    (working.app.environment.data_dir / "watch" / "default.json").unlink()
    assert caller().get("/healthz").json()["watch"]["default"]["state"] == "starting"
    monkeypatch.setattr("console.routes.STARTED", datetime(2026, 1, 1, tzinfo=UTC))
    told = caller().get("/healthz")
    assert (told.status_code, told.json()["watch"]["default"]["state"]) == (503, "stopped")
    monkeypatch.setenv("SYNCER_WATCH", "off")
    installation.cache_clear()
    assert caller().get("/healthz").status_code == 200


def test_health_tells_of_events_that_nobody_acts_on(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """One that has waited for more than ten minutes."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1", webhookId="w1")
    assert caller().post("/webhooks/crococlick", content=body, headers=headers).status_code == 200
    told = caller().get("/healthz").json()
    assert (told["ok"], told["inbox"]["waiting"]) == (True, 1)
    monkeypatch.setattr("console.routes.OLDEST_S", 0.0)
    assert caller().get("/healthz").status_code == 503


def signed(monkeypatch: pytest.MonkeyPatch, **body: object) -> tuple[bytes, dict[str, str]]:
    """An event and its headers, signed with a key that the console is told to believe."""
    return signed_bytes(monkeypatch, json.dumps(body).encode())


def signed_bytes(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> tuple[bytes, dict[str, str]]:
    """The same of any bytes."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    monkeypatch.setenv("CROCOCLICK_WEBHOOK_KEY", base64.b64encode(public).decode())
    installation.cache_clear()
    return raw, {"X-GHL-Signature": base64.b64encode(key.sign(raw)).decode()}


def test_an_event_is_taken_in_from_anywhere(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """CrocoClick is not this machine: its signature lets it in, once however often it comes."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1", webhookId="w1")
    outside = caller(("192.0.2.7", 1), "https://console.example")
    for _ in range(3):
        assert outside.post("/webhooks/crococlick", content=body, headers=headers).status_code == 200
    assert [one.subject for one in installation().inbox.events("Loc1")] == ["in1"]
    kept = "".join(path.read_text() for path in (desk.app.environment.data_dir / "inbox").glob("*"))
    assert "total" not in kept


def test_an_event_that_is_not_signed_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """No signature, one of other bytes, or of another key: nothing is kept."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1")
    door = caller()
    assert door.post("/webhooks/crococlick", content=body).status_code == 401
    assert door.post("/webhooks/crococlick", content=body + b" ", headers=headers).status_code == 401
    monkeypatch.delenv("CROCOCLICK_WEBHOOK_KEY")
    installation.cache_clear()
    assert door.post("/webhooks/crococlick", content=body, headers=headers).status_code == 401
    assert installation().inbox.waiting() == 0


def test_an_event_is_signed_once_and_over_what_was_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Packed although the signature is over what is inside, or with two signatures, whichever comes first: refused."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1")
    packed, forged = gzip.compress(body), base64.b64encode(b"x" * 64).decode()
    good, door = headers["X-GHL-Signature"], caller()
    told = [
        (packed, [("X-GHL-Signature", good), ("Content-Encoding", "gzip")]),
        (packed, [("X-GHL-Signature", good)]),
        (body, [("X-GHL-Signature", f"{good}, {forged}")]),
        (body, [("X-GHL-Signature", f"{good}\t{good}")]),
        (body, [("X-GHL-Signature", forged), ("X-GHL-Signature", good)]),
        (body + b" ", [("X-GHL-Signature", good), ("X-GHL-Signature", forged)]),
    ]
    for raw, signs in told:
        assert door.post("/webhooks/crococlick", content=raw, headers=signs).status_code == 401, signs
    assert installation().inbox.waiting() == 0
    assert door.post("/webhooks/crococlick", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "at",
    ['"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"2026-02-30"', "-1", "1e400", "9" * 400, "null",
     "[]", '""', "true"],
)  # fmt: skip
def test_an_event_of_any_time_is_one_event(desk: Desk, monkeypatch: pytest.MonkeyPatch, at: str):
    """However odd its time or an amount in it is: it says which invoice, it is kept once, and health is well."""
    told = (
        f'{{"type":"InvoiceSent","_id":"in1","locationId":"Loc1","webhookId":"w","timestamp":{at},"total":{10**300}}}'
    )
    raw, headers = signed_bytes(monkeypatch, told.encode())
    for _ in range(2):
        assert caller().post("/webhooks/crococlick", content=raw, headers=headers).status_code == 200
    assert [event.subject for event in installation().inbox.events("Loc1")] == ["in1"]
    assert caller().get("/healthz").status_code == 200


def test_an_event_of_any_size_is_answered(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """More than a megabyte is refused; what names no record is taken and forgotten; only POST is answered."""
    door = caller()
    assert door.post("/webhooks/crococlick", content=b"x" * 1_000_001).status_code == 413
    body, headers = signed(monkeypatch, type="INSTALL", padding="x" * 900_000)
    assert door.post("/webhooks/crococlick", content=body, headers=headers).status_code == 200
    assert installation().inbox.waiting() == 0
    assert door.get("/webhooks/crococlick").status_code == 405


def test_an_event_that_cannot_be_kept_is_told_again_later(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The inbox is full, or the key that is set is none: 503, and CrocoClick comes again."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1")
    monkeypatch.setattr("syncer.storage.webhook_inbox.MOST", 0)
    assert caller().post("/webhooks/crococlick", content=body, headers=headers).status_code == 503
    monkeypatch.setenv("CROCOCLICK_WEBHOOK_KEY", "nonsense")
    installation.cache_clear()
    assert caller().post("/webhooks/crococlick", content=body, headers=headers).status_code == 503


def test_an_event_of_a_location_that_nobody_connected_is_let_go(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """A marketplace app is sent the events of all who installed it: answered 200, not kept, and health is well."""
    strangers = [signed(monkeypatch, type="InvoiceSent", _id=f"in{n}", locationId="Stranger") for n in range(30)]
    ours, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1", webhookId="w1")
    monkeypatch.setattr("console.routes.OLDEST_S", 0.0)
    door, inbox = caller(), installation().inbox
    inbox.put(Event("w0", "Stranger", "InvoiceSent", "invoice", "in0", None, datetime.now(UTC)))
    locations(installation()).learn()
    for body, signs in strangers:
        assert door.post("/webhooks/crococlick", content=body, headers=signs).status_code == 200
    assert inbox.waiting("Stranger") == 1, "the one that came before anybody knew"
    assert door.get("/healthz").json()["inbox"] == {"waiting": 0, "oldest_s": None}
    assert door.post("/webhooks/crococlick", content=ours, headers=headers).status_code == 200
    assert (inbox.waiting("Loc1"), door.get("/healthz").status_code) == (1, 503)
    assert connected_locations(installation()) == {"Loc1"}


def test_events_are_taken_in_while_the_ledger_is_busy(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """An event waits for no ledger: until that has answered, each may be about a location of ours."""
    body, headers = signed(monkeypatch, type="InvoiceSent", _id="in1", locationId="Loc1", webhookId="w1")
    with installation().store._lock.held_alone(5):
        assert caller().post("/webhooks/crococlick", content=body, headers=headers).status_code == 200
        assert installation().inbox.waiting("Loc1") == 1


@pytest.mark.parametrize(
    "told",
    [
        r'{"type":"InvoiceSent","_id":"\ud800","locationId":"Loc1","webhookId":"w1"}',
        r'{"type":"InvoiceSent","_id":"in1","locationId":"Loc1","webhookId":"\udfff"}',
        r'{"type":"InvoiceSent","_id":"in1","locationId":"\ud800","webhookId":"w1"}',
        '{"type":"InvoiceSent","_id":"in1","locationId":"Loc1","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"type":"InvoiceSent","_id":"in1","locationId":"Loc1","timestamp":' + "9" * 5_000 + "}",
        '{"type":"InvoiceSent","_id":{"a":1},"locationId":["Loc1"]}',
        "\ufeff{}", "[]", "null", "NaN", "",
    ],
    ids=["half an id", "half a webhookId", "half a location", "nested", "nested objects", "a long number",
         "other types", "a mark before", "a list", "null", "NaN", "nothing"],
)  # fmt: skip
def test_whatever_is_signed_is_answered_once(desk: Desk, monkeypatch: pytest.MonkeyPatch, told: str):
    """What nobody could store is done with: a failure of ours would be repeated for days."""
    raw, headers = signed_bytes(monkeypatch, told.encode())
    assert caller().post("/webhooks/crococlick", content=raw, headers=headers).status_code == 200
    assert caller().get("/healthz").status_code == 200


@pytest.mark.parametrize("client", [("192.0.2.7", 1), ("10.0.0.2", 1)])
def test_nobody_comes_in_from_elsewhere(desk: Desk, client: tuple[str, int]):
    said = caller(client).get("/healthz")
    assert (said.status_code, said.text) == (403, REFUSAL)


def test_no_other_name_leads_here(desk: Desk):
    """A page elsewhere cannot reach us through a name that it made point to this machine."""
    assert caller(name="http://evil.example").get("/healthz").status_code == 403
    assert caller(name="http://[::1]:8501", client=("::1", 1)).get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("written", "leads_to"),
    [
        ("/invoice/FAC-2026-0104", "/invoice?find=FAC-2026-0104"),
        ("/invoice/FAC%2F26%20104", "/invoice?find=FAC%2F26%20104"),
        ("/invoice///evil.example", "/invoice?find=%2F%2Fevil.example"),
    ],
)
def test_an_address_as_people_write_it_leads_to_the_invoice(desk: Desk, written: str, leads_to: str):
    """And nowhere else, whatever stands in it."""
    found = caller().get(written, follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (307, leads_to)
