"""Whatever JSON CrocoClick sends, each record is read or told apart, and its neighbours are as they would be alone."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.connectors.crococlick import contacts_wire, webhooks, wire
from syncer.connectors.crococlick.records import RecordReader
from syncer.connectors.http import Response
from syncer.domain.errors import SyncerError
from syncer.domain.model.invoice import Invoice
from tests.support.crococlick_samples import ROW as TRANSACTION

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parents[1] / "samples" / "crococlick"
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "payloads" / "highlevel"
INVOICE = json.loads((SAMPLES / "invoice.json").read_bytes())
NEIGHBOUR = {**INVOICE, "_id": "neighbour", "invoiceNumber": "FINE-1"}
CONTACT = {"id": "c1", "firstName": "Ann", "additionalEmails": [{"email": "a@b.example"}], "dateAdded": "2026-01-01"}

NUMBERS = ["12,50", "1e999999999999999999999", "0.1", " 7 ", "\u0661\u0662", "1_000", "NaN", "9" * 5000, "-0"]
TEXTS = ["\ud83c", "a\x00b", "", "\u2028", "null", "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
OTHERS = [[], {}, [None], [[]], [{}], {"": None}, 10**400, 1e300, -1e-300]
NESTED = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=20)
ODD = SCALARS | st.sampled_from([*NUMBERS, *TEXTS, *OTHERS]) | NESTED


def places(value, path=()):
    """Every place in a value of JSON."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


@st.composite
def damaged(draw, record):
    """The record with one to three of its places holding something else, missing, or twice."""
    found = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(found))))
        if not path:
            return copy.deepcopy(draw(ODD))
        inside = found
        for key in path[:-1]:
            inside = inside[key]
        if isinstance(inside, dict) and draw(st.booleans()):
            del inside[path[-1]]
        else:
            inside[path[-1]] = copy.deepcopy(draw(ODD))
    return found


def heard(body, status=200):
    """The answer as data, numbers as the product reads them."""
    return wire.decipher(Response(status, {}, json.dumps(body).encode()))


def written(invoice):
    """It can be kept: its text is one that a file may hold, its amounts are amounts."""
    invoice.content.encode()
    assert all(abs(amount) < 10**15 for amount in (invoice.total, invoice.amount_paid, invoice.amount_due))
    return invoice.fingerprint


@given(damaged(INVOICE), st.sampled_from(["Europe/Paris", "America/Martinique", ""]))
def test_an_invoice_in_a_list(row, zone):
    """The neighbours on both sides are read as ever; the odd one is an invoice, or has no id."""
    page = RecordReader(zone).page(heard({"invoices": [NEIGHBOUR, row, NEIGHBOUR], "total": 3}))
    fine = [one for one in page.items if one.source_id == "neighbour"]
    assert len(fine) == 2 and all((one.flaw is None) == bool(zone) for one in fine)
    for invoice in page.items:
        assert written(invoice)
    gone = isinstance(row, dict) and row.get("deleted") is True
    assert len(page.items) + len(page.unreadable) + gone == 3


@given(damaged(INVOICE))
def test_an_invoice_asked_for_by_its_id(row):
    """It is always an invoice: what was asked for has an id, whatever the answer says."""
    try:
        data = heard(row)
    except SyncerError:
        return
    assert written(RecordReader("Europe/Paris").invoice(data, "asked"))


@given(damaged(TRANSACTION))
def test_a_transaction_in_a_list(row):
    """One that cannot be read is told, the others are there."""
    page = RecordReader("Europe/Paris").transactions(
        heard({"data": [TRANSACTION, row, TRANSACTION], "totalCount": "3"})
    )
    assert [one.source_id for one in page.items].count("t1") >= 2 and page.total == 3
    assert len(page.items) + len(page.unreadable) <= 3


@given(damaged(CONTACT))
def test_a_contact_in_a_list_and_alone(row):
    """One without an id is told; a broken character is no reason to overlook somebody."""
    body = {"contacts": [CONTACT, row, CONTACT], "total": 3}
    found = contacts_wire.found(Response(200, {}, json.dumps(body).encode()))
    assert [one.id for one in found.page.items].count("c1") >= 2 and found.rows == 3
    assert len(found.page.items) + len(found.page.unreadable) == 3
    for status in (200, 201, 400, 404, 422):
        for answer in ({"contact": row}, row):
            try:
                contacts_wire.written(Response(status, {}, json.dumps(answer).encode()))
            except SyncerError:
                continue


@given(damaged({"invoices": [NEIGHBOUR], "total": 1}), damaged({"location": {"id": "L", "timezone": "Europe/Paris"}}))
def test_a_whole_answer(listed, located):
    """A list that is none is the service being unavailable; nothing else is ever raised."""
    try:
        data = heard(listed)
        assert all(written(one) for one in RecordReader("Europe/Paris").page(data).items)
        assert all(isinstance(id_, str) for id_ in wire.row_ids(data))
    except SyncerError as error:
        assert error.code == "crococlick_unavailable"
    try:
        location = wire.location(heard(located))
        f"{location.id}{location.name}{location.timezone}{wire.agency_id(heard(located))}".encode()
        RecordReader(location.timezone)
    except SyncerError as error:
        assert error.code == "crococlick_unavailable"


@given(st.binary(max_size=200), st.integers(200, 599))
def test_any_bytes_at_all(body, status):
    """Data, or one of our errors."""
    try:
        assert isinstance(wire.decipher(Response(status, {}, body)), dict)
    except SyncerError as error:
        assert error.code


@given(damaged({"type": "InvoiceSent", "_id": "i1", "locationId": "L", "webhookId": "w", "timestamp": "2026-01-01"}))
def test_an_event(told):
    """What is read can be written down, and its subject is an id and nothing else."""
    event = webhooks.read(json.dumps(told).encode(), NOW)
    if event:
        f"{event.id}{event.location_id}{event.kind}".encode()
        assert event.subject.replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no published bodies here")
@given(st.data())
def test_published_bodies_damaged(data):
    """The documentation's own examples."""
    name = data.draw(
        st.sampled_from(["invoice_get_200.json", "webhook_invoice_paid.json", "webhook_invoice_create.json"])
    )
    row = data.draw(damaged(json.loads((PUBLISHED / name).read_bytes())))
    page = RecordReader("Europe/Paris").page(heard({"invoices": [row, NEIGHBOUR]}))
    assert isinstance(page.items[-1], Invoice) and page.items[-1].flaw is None
    assert all(written(one) for one in page.items)


def test_one_broken_byte_or_endless_number_is_its_own_records_trouble():
    """Neither hides the other records of the page."""
    fine = json.dumps(NEIGHBOUR)
    odd = fine.replace('"FINE-1"', '"ODD-1"').replace('"neighbour"', '"odd"')
    total = '"total": 37.39'
    assert total in odd
    for bad in (odd.replace(total, f'"total": {"9" * 5000}'), odd.replace(total, '"total": 1e99999999999999999999')):
        page = RecordReader("Europe/Paris").page(
            wire.decipher(Response(200, {}, f'{{"invoices":[{bad},{fine}]}}'.encode()))
        )
        assert [(one.number, one.flaw and one.flaw.field) for one in page.items] == [
            ("ODD-1", "total"),
            ("FINE-1", None),
        ]
    broken = f'{{"invoices":[{odd},{fine}]}}'.encode().replace(b"ODD-1", b"ODD\xff1")
    page = RecordReader("Europe/Paris").page(wire.decipher(Response(200, {}, broken)))
    assert [one.flaw and one.flaw.field for one in page.items] == ["invoiceNumber", None]
