"""Call limits and idempotency keys."""

import json
import threading
import time
from typing import Any

import httpx
import pytest
from conftest import crm_client, invoice, xero_client

from sandbox.clock import Clock
from sandbox.server import Sandbox


@pytest.fixture
def limited() -> Any:
    """A sandbox that counts, at the start of a minute that lasts."""
    with Sandbox(world="empty", clock=Clock(source=lambda: 1_790_000_000.0)) as made:
        yield made


def test_the_minute(limited: Sandbox) -> None:
    """Sixty calls pass, the next is an empty 429 that says how long to wait; the window then opens again."""
    with xero_client(limited) as client:
        first = client.get("/Organisation")
        assert first.headers["x-minlimit-remaining"] == "59"
        assert first.headers["x-daylimit-remaining"] == "999"
        assert first.headers["x-appminlimit-remaining"] == "9999"
        for _ in range(59):
            assert client.get("/Organisation").status_code == 200
        refused = client.get("/Organisation")
        assert (refused.status_code, refused.content) == (429, b"")
        assert "content-type" not in refused.headers
        assert refused.headers["x-rate-limit-problem"] == "minute"
        assert refused.headers["x-minlimit-remaining"] == "0"
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 60
        limited.clock.advance(wait)
        assert client.get("/Organisation").status_code == 200


def test_the_day(limited: Sandbox) -> None:
    """A free app has a thousand calls a day and organisation."""
    with xero_client(limited) as client:
        limited.xero.limits.spend_day("sandbox-client", limited.xero.tenant, left=1)
        assert client.get("/Organisation").headers["x-daylimit-remaining"] == "0"
        refused = client.get("/Organisation")
        assert (refused.status_code, refused.headers["x-rate-limit-problem"]) == (429, "day")
        assert int(refused.headers["retry-after"]) > 60


def test_the_app_minute(limited: Sandbox) -> None:
    """All organisations of an app share a minute."""
    limited.xero.limits.app_minute = 2
    with xero_client(limited) as client:
        answers = [client.get("/Organisation") for _ in range(3)]
    assert answers[2].headers["x-rate-limit-problem"] == "appminute"


def test_five_in_flight(limited: Sandbox) -> None:
    """Of eight calls at once three are refused, without a Retry-After."""
    limited.sim.latency_ms = 300
    answers: list[Any] = []
    with xero_client(limited) as client:
        threads = [threading.Thread(target=lambda: answers.append(client.get("/Organisation"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) == 3
    assert {a.headers["x-rate-limit-problem"] for a in refused} == {"concurrent"}
    assert not any("retry-after" in a.headers for a in refused)


def test_latency_does_not_queue_requests(box: Sandbox) -> None:
    """Five calls of a second each are under way together: the last begins before the first has its answer."""
    box.sim.latency_ms = 1000
    begun: list[float] = []
    answered: list[float] = []

    def call(client: httpx.Client) -> None:
        begun.append(time.monotonic())
        client.get("/Organisation")
        answered.append(time.monotonic())

    with xero_client(box) as client:
        threads = [threading.Thread(target=call, args=[client]) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(begun) < min(answered)


def test_time_can_be_scaled() -> None:
    """At sixty times the speed a minute's window is a second, and so says Retry-After."""
    with Sandbox(world="empty", time_scale=60) as box, xero_client(box) as client:
        answers = [client.get("/Organisation") for _ in range(130)]
        refused = [a for a in answers if a.status_code == 429]
        assert all(int(a.headers["retry-after"]) <= 2 for a in refused)
        time.sleep(1.05)
        assert client.get("/Organisation").status_code == 200


def test_crococlicks_burst(limited: Sandbox) -> None:
    """A hundred calls in ten seconds; the headers tell, also on a refusal."""
    with crm_client(limited) as client:
        path = "/locations/SandboxLocation00001"
        first = client.get(path)
        assert first.headers["x-ratelimit-max"] == "100"
        assert first.headers["x-ratelimit-remaining"] == "99"
        assert first.headers["x-ratelimit-interval-milliseconds"] == "10000"
        assert first.headers["x-ratelimit-limit-daily"] == "200000"
        assert int(first.headers["x-ratelimit-daily-reset"]) > 0
        for _ in range(99):
            client.get(path)
        refused = client.get(path)
        assert (refused.status_code, refused.json()) == (429, {"statusCode": 429, "message": "Too Many Requests"})
        assert "retry-after" not in refused.headers
        limited.clock.advance(10)
        assert client.get(path).status_code == 200


# -- idempotency --------------------------------------------------------------------------------------------------

KEY = {"Idempotency-Key": "k-1"}


def test_a_repeated_key_gives_the_stored_answer(box: Sandbox) -> None:
    """The same bytes come back and nothing is created twice; the replay costs a call."""
    body = json.dumps({"Invoices": [invoice()]}).encode()
    with xero_client(box) as client:
        first, second = (client.put("/Invoices", content=body, headers=KEY) for _ in range(2))
        assert first.content == second.content
        assert int(second.headers["x-daylimit-remaining"]) == int(first.headers["x-daylimit-remaining"]) - 1
    assert len(box.xero.invoices()) == 1


def test_a_key_lives_six_minutes(box: Sandbox) -> None:
    """After that the same request is carried out anew."""
    body = json.dumps(invoice()).encode()
    with xero_client(box) as client:
        client.put("/Invoices", content=body, headers=KEY)
        box.clock.advance(359)
        client.put("/Invoices", content=body, headers=KEY)
        assert len(box.xero.invoices()) == 1
        box.clock.advance(2)
        client.put("/Invoices", content=body, headers=KEY)
    assert len(box.xero.invoices()) == 2


def test_a_key_belongs_to_the_whole_request(box: Sandbox) -> None:
    """Another body, order, address or verb under the same key is refused."""
    one, two = invoice(InvoiceNumber="A"), invoice(InvoiceNumber="B")
    with xero_client(box) as client:
        client.put("/Invoices", json={"Invoices": [one, two]}, headers=KEY)
        for method, path, sent in (
            ("PUT", "/Invoices", [two, one]),
            ("PUT", "/Invoices", [one]),
            ("PUT", "/Invoices?summarizeErrors=false", [one, two]),
            ("POST", "/Invoices", [one, two]),
        ):
            answer = client.request(method, path, json={"Invoices": sent}, headers=KEY)
            assert answer.status_code == 400
            assert "Idempotency Key: k-1 is used with a different request." in answer.text
    assert box.xero.numbers() == ["A", "B"]


def test_refusals_are_stored_too(box: Sandbox) -> None:
    """A validation failure comes back under its key although its cause is gone; a new key tries again."""
    bad = json.dumps(invoice(CurrencyCode="CHF")).encode()
    with xero_client(box) as client:
        assert client.put("/Invoices", content=bad, headers=KEY).status_code == 400
        box.xero.add_currency("CHF")
        assert client.put("/Invoices", content=bad, headers=KEY).status_code == 400
        assert client.put("/Invoices", content=bad, headers={"Idempotency-Key": "k-2"}).status_code == 200


def test_reads_ignore_keys_and_long_ones_are_refused(box: Sandbox) -> None:
    """Keys are for writes, and at most 128 characters long."""
    with xero_client(box) as client:
        assert client.get("/Invoices", headers=KEY).status_code == 200
        assert client.put("/Invoices", json=invoice(), headers={"Idempotency-Key": "k" * 129}).status_code == 400


def test_a_concurrent_duplicate_waits_for_the_first(box: Sandbox) -> None:
    """Two at once: one invoice, the same answer twice."""
    box.sim.latency_ms, box.sim.commit = 300, "after"
    body, answers = json.dumps(invoice()).encode(), []
    with xero_client(box) as client:

        def write() -> None:
            answers.append(client.put("/Invoices", content=body, headers=KEY))

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({a.content for a in answers}) == 1
    assert len(box.xero.invoices()) == 1
