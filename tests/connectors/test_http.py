"""What is repeated, what is left in doubt, and what is written down: over real HTTP."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncer.connectors.http import Fixed, Request, Response, Transport, retry_after_s
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.domain.errors import InDoubt, LedgerBusy, RateLimited, Unavailable
from syncer.domain.version import VERSION
from tests.support.http_stage import HandClock, Notes, closed_port, half_an_answer, hang_up, staged, stall

OK = (200, {"X-MinLimit-Remaining": "59", "X-DayLimit-Remaining": "900", "Xero-Correlation-Id": "c-1"}, b'{"ok":1}')
READ = Request("GET", "/api/things", (("page", "1"),))
WRITE = Request("PUT", "/api/things", body=b'{"Things":[]}', key="key-1", call_id="call-1")


def transport(url, notes=None, clock=None, **more):
    """A transport with short patience."""
    more.setdefault("bearer", Fixed("secret-token"))
    return Transport("xero", url, notes or Notes(), clock or HandClock(), read_s=0.5, connect_s=0.5, **more)


def test_a_call_and_its_record():
    """One row per HTTP call, without the token."""
    notes, clock = Notes(), HandClock()
    with staged(OK) as stage:
        door = transport(
            stage.url, notes, clock, pace=OrganisationLimiter(clock), correlation_header="Xero-Correlation-Id"
        )
        assert door.send(WRITE).body == b'{"ok":1}'
    (heard,) = stage.heard
    assert heard.headers["User-Agent"] == f"crococlick-xero/{VERSION}"
    assert (heard.headers["Authorization"], heard.headers["Idempotency-Key"]) == ("Bearer secret-token", "key-1")
    ((call, sent, received),) = notes.calls
    assert (call.id, call.method, call.path, call.status) == ("call-1", "PUT", "/api/things", 200)
    assert (call.minute_left, call.day_left, call.correlation_id) == (59, 900, "c-1")
    assert (call.bytes_sent, call.bytes_received, call.idempotency_key) == (13, 8, "key-1")
    assert (sent, received) == (WRITE.body, b'{"ok":1}')
    assert "secret-token" not in repr(notes.calls)


def test_the_version_is_the_projects():
    """Written in two places, the same."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'version = "{VERSION}"' in project


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("26", 26), ("0", 0), ("1.5", 1.5), (" 7 ", 7), ("", None), ("nan", None), ("inf", None), ("-3", None),
        ("soon", None), ("\u00b2", None), ("9" * 30, None),
        ("Thu, 26 Nov 2026 09:01:00 GMT", 60), ("Thu, 26 Nov 2026 08:00:00 GMT", 0), ("Thu, 26 Nov 2026 09:00:30", 30),
    ],
)  # fmt: skip
def test_how_long_to_wait_after_a_429(written, seconds):
    """A number, or a date beside the answer's own; what is neither is not known."""
    headers = {"retry-after": written, "date": "Thu, 26 Nov 2026 09:00:00 GMT"}
    assert retry_after_s(Response(429, headers)) == seconds
    if ":" in written:
        assert retry_after_s(Response(429, {"retry-after": written})) is None


def test_no_token_is_ever_written_down():
    """Not when a body echoes it, not when the call is a token endpoint's, not when a query is personal."""
    notes = Notes()
    with staged((400, {}, b"bad token secret-token")) as stage:
        door = transport(stage.url, notes)
        door.send(Request("POST", "/echo", body=b"secret-token"))
        door.send(Request("POST", "/token", body=b"refresh_token=r", secret=True))
        door.send(Request("GET", "/find", (("q", "ann@b.example"), ("n", "1")), hidden=frozenset({"q"})))
    assert "secret-token" not in repr(notes.calls)
    assert notes.calls[1][1:] == (b"", b"")
    assert notes.calls[2][0].path == "/find?q=…&n=1"
    assert stage.heard[2].path == "/find?q=ann%40b.example&n=1"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524, 526])
def test_a_read_is_tried_again(status):
    """Waiting longer each time, on the clock."""
    clock = HandClock()
    with staged((status, {}, b"oops"), hang_up, OK) as stage:
        assert transport(stage.url, clock=clock).send(READ).status == 200
    assert len(stage.heard) == 3
    assert 0.5 <= clock.slept[0] <= 1 <= clock.slept[1] <= 1.5


def test_a_read_gives_up():
    """After four tries, with the status told."""
    notes = Notes()
    with staged((503, {}, b"The Organisation is offline")) as stage, pytest.raises(Unavailable) as gone:
        transport(stage.url, notes).send(READ)
    assert (len(stage.heard), len(notes.calls)) == (4, 4)
    assert (gone.value.code, gone.value.facts["status"]) == ("xero_unavailable", 503)


def test_nobody_there_is_unavailable_for_both():
    """Nothing left: the same request will do later. A write is not even tried twice."""
    notes = Notes()
    door = transport(f"http://127.0.0.1:{closed_port()}", notes)
    with pytest.raises(Unavailable):
        door.send(READ)
    assert len(notes.calls) == 4
    with pytest.raises(Unavailable):
        door.send(WRITE)
    assert len(notes.calls) == 5
    assert (notes.calls[-1][0].failure, notes.calls[-1][0].status) == ("ConnectError", None)


@pytest.mark.parametrize(
    "fate", [hang_up, half_an_answer, stall(1.0), (500, {}, b""), (504, {}, b""), (302, {"Location": "/x"}, b"")]
)
def test_a_write_whose_answer_is_lost_is_in_doubt_and_never_repeated(fate):
    """However the answer was lost."""
    notes = Notes()
    with staged(fate) as stage:
        with pytest.raises(InDoubt):
            transport(stage.url, notes).send(WRITE)
        assert len(stage.heard) == 1
    assert notes.calls[0][0].id == "call-1"


def test_a_429_is_waited_out_and_the_same_write_sent_again():
    """Nothing was executed; the decisive exchange bears the caller's id."""
    notes, clock = Notes(), HandClock()
    refused = (429, {"X-Rate-Limit-Problem": "minute", "Retry-After": "26"}, b"")
    with staged(refused, OK) as stage:
        transport(stage.url, notes, clock, pace=OrganisationLimiter(clock)).send(WRITE)
    first, second = stage.heard
    assert (first.body, first.headers["Idempotency-Key"]) == (second.body, second.headers["Idempotency-Key"])
    assert 26 <= sum(clock.slept) <= 27.5
    assert [call.status for call, *_ in notes.calls] == [429, 200]
    assert notes.calls[0][0].id != "call-1" == notes.calls[1][0].id


def test_the_day_is_not_waited_out():
    """Nobody sleeps for hours."""
    clock = HandClock()
    refused = (429, {"X-Rate-Limit-Problem": "Day", "Retry-After": "40000"}, b"")
    with staged(refused) as stage:
        door = transport(stage.url, clock=clock, pace=OrganisationLimiter(clock))
        with pytest.raises(RateLimited) as limited:
            door.send(READ)
        assert (limited.value.limit, limited.value.wait_s) == ("day", 40000)
        with pytest.raises(RateLimited):
            door.send(READ)
        assert len(stage.heard) == 1
    assert clock.slept == []


def test_endless_429s_have_an_end():
    """Bounded, with and without a pacer."""
    clock = HandClock()
    with staged((429, {"Retry-After": "1"}, b"")) as stage:
        with pytest.raises(RateLimited):
            transport(stage.url, clock=clock, pace=OrganisationLimiter(clock)).send(WRITE)
        assert len(stage.heard) == 6
        with pytest.raises(RateLimited):
            transport(stage.url).send(WRITE)
        assert len(stage.heard) == 7


class Renewing:
    """A bearer whose first token has expired."""

    def __init__(self):
        self.token = "old"

    def access_token(self):
        return self.token

    def renew(self, refused, answer):
        self.token = "new"
        return self.token


def test_an_expired_token_is_renewed_once():
    """Then the same call again; a second refusal is an answer."""
    with staged((401, {}, b""), OK) as stage:
        assert transport(stage.url, bearer=Renewing()).send(WRITE).status == 200
    assert [heard.headers["Authorization"] for heard in stage.heard] == ["Bearer old", "Bearer new"]
    with staged((401, {}, b"")) as stage:
        assert transport(stage.url, bearer=Renewing()).send(WRITE).status == 401
        assert len(stage.heard) == 2
        assert transport(stage.url).send(WRITE).status == 401


class Broken(Notes):
    """A log that is busy."""

    def record(self, call, request_body, response_body):
        raise LedgerBusy("ledger_busy")


def test_a_log_that_fails_does_not_lose_the_answer(caplog):
    """The write has happened: its answer matters more than its row."""
    with staged(OK) as stage:
        assert transport(stage.url, Broken()).send(WRITE).status == 200
    assert "could not be recorded" in caplog.text


class Interrupting(HandClock):
    """A clock at which somebody presses Ctrl-C."""

    def sleep(self, seconds):
        raise KeyboardInterrupt


def test_a_person_can_stop_it():
    """While it waits for another try."""
    with staged((503, {}, b"")) as stage, pytest.raises(KeyboardInterrupt):
        transport(stage.url, clock=Interrupting()).send(READ)
    assert len(stage.heard) == 1


def test_five_at_once():
    """From threads, over pooled connections, each with its own record."""
    notes = Notes()
    with staged(OK) as stage:
        door = transport(stage.url, notes)
        with ThreadPoolExecutor(5) as pool:
            assert {answer.status for answer in pool.map(lambda _: door.send(READ), range(50))} == {200}
        door.close()
    assert len(stage.heard) == len(notes.calls) == len({call.id for call, *_ in notes.calls}) == 50
