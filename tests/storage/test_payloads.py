"""Request and response bodies: kept apart, found again, forgotten by the day."""

import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from syncer.storage.payloads import Payloads

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def bodies(tmp_path):
    return Payloads(tmp_path / "bodies")


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("request_body", "response_body"),
    [(b"", b""), (b"a", b""), (b"", b"b"), (b"{}\n{}", b"\n\x00\xff"), (os.urandom(9000), "é日".encode() * 500)],
)
def test_bodies_come_back_byte_for_byte(bodies, request_body, response_body):
    """Whatever was sent and received."""
    bodies.keep("default", "call-1", NOON, request_body, response_body)
    assert bodies.get("default", "call-1", NOON) == (request_body, response_body)


def test_every_call_has_its_own_private_file_in_the_folder_of_its_day(bodies, tmp_path):
    """Nobody else on the machine reads them, and a day (UTC) is one folder."""
    late = datetime(2025, 3, 31, 20, 30, tzinfo=timezone(timedelta(hours=-5)))
    bodies.keep("default", "call-1", NOON, b"1", b"1")
    bodies.keep("default", "call-2", late, b"2", b"2")
    kept = files(tmp_path)
    assert [path.parent.relative_to(tmp_path).as_posix() for path in kept] == [
        "bodies/default/2025-03-31",
        "bodies/default/2025-04-01",
    ]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert bodies.get("default", "call-2", late) == (b"2", b"2")


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", ".", "", "/abs", "é b", "a%2fb", "nul\0"])
def test_names_stay_inside_the_folder_and_apart(bodies, tmp_path, name):
    """A connection or an id with odd letters cannot write elsewhere, nor over its neighbours."""
    bodies.keep(name, name, NOON, b"odd", b"odd")
    bodies.keep("plain", "plain", NOON, b"plain", b"plain")
    assert bodies.get(name, name, NOON) == (b"odd", b"odd")
    assert [path.relative_to(tmp_path).parts[0] for path in files(tmp_path)] == ["bodies"] * 2
    assert [len(path.relative_to(tmp_path).parts) for path in files(tmp_path)] == [4] * 2


def test_odd_names_that_look_alike_stay_apart(bodies):
    """Writing one of them does not change the other."""
    for name in ["a/b", "a%2fb", "a_b", ".a", "%2ea", ""]:
        bodies.keep(name, "c", NOON, name.encode(), b"")
    for name in ["a/b", "a%2fb", "a_b", ".a", "%2ea", ""]:
        assert bodies.get(name, "c", NOON) == (name.encode(), b"")


@pytest.mark.parametrize("spoil", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"x" + b, lambda b: b[:18]])
def test_a_missing_or_cut_file_is_none(bodies, tmp_path, spoil):
    """After a crash or a clean-up the page says that nothing is kept, and goes on."""
    assert bodies.get("default", "call-1", NOON) is None
    bodies.keep("default", "call-1", NOON, b"request" * 100, b"response" * 100)
    [path] = files(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert bodies.get("default", "call-1", NOON) is None
    assert bodies.element("default", "call-1", NOON, 0) is None


def test_old_days_are_forgotten_in_every_connection_and_the_day_itself_is_kept(bodies, tmp_path):
    """Retention deletes folders; what is not a day's folder is not ours to delete."""
    for connection in ("default", "second"):
        for days in range(4):
            bodies.keep(connection, "call", NOON + timedelta(days), b"", b"")
    (tmp_path / "bodies" / "default" / "notes").mkdir()
    assert bodies.forget_before(date(2025, 4, 2)) == 4
    left = sorted(folder.name for folder in (tmp_path / "bodies" / "default").iterdir())
    assert left == ["2025-04-02", "2025-04-03", "notes"]
    assert bodies.get("second", "call", NOON) is None
    assert bodies.forget_before(date(2025, 4, 2)) == 0


def test_forgetting_where_nothing_was_ever_kept_is_fine(bodies):
    """The first day of a new installation."""
    assert bodies.forget_before(date(2025, 4, 2)) == 0


def kept_batch(bodies, request, response):
    bodies.keep("default", "call-1", NOON, json.dumps(request).encode(), json.dumps(response).encode())


@pytest.mark.parametrize("kind", ["Invoices", "Contacts", "Payments"])
def test_one_element_of_a_batch_comes_without_its_neighbours(bodies, kind):
    """Who looks at one invoice does not see 49 others."""
    kept_batch(bodies, {kind: [{"N": n} for n in range(3)]}, {"Id": "x", kind: [{"ID": f"x{n}"} for n in range(3)]})
    assert bodies.element("default", "call-1", NOON, 1) == ({"N": 1}, {"ID": "x1"})


def test_a_refusal_is_told_by_its_elements(bodies):
    """A 400 with Elements gives the one at the same place."""
    refusal = {"ErrorNumber": 10, "Elements": [{"ValidationErrors": []}, {"ValidationErrors": [{"Message": "no"}]}]}
    kept_batch(bodies, {"Invoices": [{}, {"InvoiceNumber": "2"}]}, refusal)
    sent, answer = bodies.element("default", "call-1", NOON, 1)
    assert (sent, answer) == ({"InvoiceNumber": "2"}, {"ValidationErrors": [{"Message": "no"}]})


def test_what_is_no_list_comes_whole(bodies):
    """An error page, an empty answer or a shorter list: better all of it than nothing."""
    bodies.keep("default", "call-1", NOON, b'{"Invoices": [{"a": 1}]}', b"<html>busy</html>")
    assert bodies.element("default", "call-1", NOON, 0) == ({"a": 1}, "<html>busy</html>")
    kept_batch(bodies, {"Invoices": [{}]}, {"Title": "Forbidden"})
    assert bodies.element("default", "call-1", NOON, 0) == ({}, {"Title": "Forbidden"})
    bodies.keep("default", "call-1", NOON, b"", b"[1, 2]")
    assert bodies.element("default", "call-1", NOON, 5) == ("", [1, 2])


def test_amounts_of_an_element_are_exact(bodies):
    """A person compares cents here."""
    bodies.keep("default", "call-1", NOON, b'{"Invoices": [{"Total": 0.10}]}', b"{}")
    assert str(bodies.element("default", "call-1", NOON, 0)[0]["Total"]) == str(Decimal("0.10"))
