"""Whatever JSON arrives from Xero, it is read, left out and named, or an error that says what to do next."""

import json
import os
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.server import Sandbox
from syncer.connectors.http import Response
from syncer.connectors.xero import entities, error_messages, wire
from syncer.domain.errors import InDoubt, Reconnect, SyncerError, Unavailable
from syncer.domain.ports import Lookup, Refused, Unreadable
from tests.support.damage import damaged, raw

SAMPLES = Path(__file__).parents[1] / "samples" / "xero"
# Bodies of other people's accounts that may lie beside the project; the tests here do without.
PAYLOADS = Path(os.environ.get("SYNCER_PAYLOADS", Path(__file__).parents[3] / "shared" / "data" / "payloads")) / "xero"
TRIES = int(os.environ.get("DAMAGE_TRIES", "15"))  # for each random example
SEEDS = st.integers(0, 2**48)

LISTS = {
    "Accounts": entities.accounts,
    "Actions": entities.actions,
    "Contacts": entities.contacts,
    "CreditNotes": entities.credit_notes,
    "Currencies": entities.currencies,
    "Invoices": entities.sales_invoices,
    "Payments": entities.payment_list,
    "TaxRates": entities.tax_rates,
    "TrackingCategories": entities.tracking_categories,
}
SINGLES = [
    entities.sales,
    entities.receipts,
    entities.organisation,
    entities.document,
    lambda data: entities.payments(data, "i"),
]
STATUSES = (200, 200, 200, 200, 400, 400, 401, 403, 404, 429, 500)
WRITES = {
    "Contacts": entities.read_contact,
    "Currencies": entities.read_currency,
    "Invoices": entities.read_invoice,
    "Payments": entities.read_payment,
    "TaxRates": entities.read_rate,
}


def of_the_sandbox():
    """Every kind of answer, from an organisation with invoices of every state."""
    box = Sandbox(world="demo", limits=False)
    contact = box.xero.add_contact(Name="Zoé", EmailAddress="zoe@x.example")
    line = {"Description": "Conseil", "Quantity": 1, "UnitAmount": 100, "AccountCode": "706", "TaxType": "TAX001"}
    head = {"Type": "ACCREC", "Contact": {"ContactID": contact}, "Date": "2026-11-02", "DueDate": "2026-12-02"}
    sent = [head | {"InvoiceNumber": f"I-{n}", "Status": "AUTHORISED", "LineItems": [line] * 2} for n in range(4)]
    _, made = box.xero.ask("PUT", "Invoices", {"Invoices": sent}, "summarizeErrors=false")
    first = made["Invoices"][0]["InvoiceID"]
    bank = next(one["AccountID"] for one in box.xero.accounts() if one["Type"] == "BANK")
    payment = {"Invoice": {"InvoiceID": first}, "Account": {"AccountID": bank}, "Date": "2026-11-03", "Amount": 20}
    yield made
    yield box.xero.ask("PUT", "Payments", {"Payments": [payment]}, "summarizeErrors=false")[1]
    yield box.xero.ask("PUT", "Invoices", {"Invoices": sent[:2]}, "summarizeErrors=false")[1]
    yield box.xero.ask("PUT", "Invoices", {"Invoices": sent[:1]})[1]
    box.xero.add_tracking("Region", "North", "South")
    box.xero.add_credit_note(contact, "2026-11-04", 30, 5)
    box.xero.add_credit_note(contact, "2026-11-05", 12)
    settings = ("Organisation", "Organisation/Actions", "Accounts", "TaxRates", "TrackingCategories", "Currencies")
    for path in (*settings, f"Invoices/{first}"):
        yield box.xero.ask("GET", path)[1]
    for path in ("Contacts", "CreditNotes", "Invoices", "Payments"):
        yield box.xero.ask("GET", path, query="page=1&pageSize=4")[1]


def bodies():
    """All the answers that are damaged here: the sandbox's, ours, and those of other people's accounts."""
    found = list(of_the_sandbox())
    files = [*SAMPLES.glob("*.json"), *(PAYLOADS.glob("*.json") if PAYLOADS.is_dir() else ())]
    found += [json.loads(file.read_text()) for file in sorted(files) if "request" not in file.name]
    return found


BODIES = bodies()
LISTED = [(body, name) for body in BODIES if isinstance(body, dict) for name in LISTS if len(body.get(name) or []) > 1]


def is_sound(value):
    """Whether a value that was read can be stored and sent: no half of a character, no number without an end."""
    if is_dataclass(value):
        return all(map(is_sound, asdict(value).values()))
    if isinstance(value, dict):
        return all(is_sound(item) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(is_sound, value))
    if isinstance(value, str):
        value.encode()
    if isinstance(value, Decimal):
        return value.is_finite() and len(format(value, "f")) < 100
    return value is None or isinstance(value, str | bool | int | Decimal | date)


def read_as_a_list(answer, resource):
    """A page as the client reads it."""
    data = wire.decipher(answer)
    found = LISTS[resource](data)
    assert isinstance(wire.is_last_page(data, resource, 1), bool)
    assert wire.item_count(data) is None or wire.item_count(data) >= 0
    assert is_sound(list(found.unreadable))
    return found


def written(answer, resource, count):
    """The results of a write, its complaints understood as the run understands them."""
    results = wire.results(wire.decipher(answer, writing=True), resource, count, WRITES[resource])
    for refused in (result for result in results if isinstance(result, Refused)):
        assert refused.messages
        assert all(isinstance(message, str) for message in refused.messages + refused.warnings)
        assert error_messages.read(refused.messages)
    return [asdict(result) if isinstance(result, Refused) else result for result in results]


def ways_to_read(body, status):
    """Every way in which an answer may be read, whatever it was an answer to."""
    inner = body.values() if isinstance(body, dict) else ()
    count = max([len(found) for found in inner if isinstance(found, list)] or [1])
    answer = Response(status, {}, raw(body))
    yield from ((read_as_a_list, (answer, resource)) for resource in LISTS)
    yield from ((written, (answer, resource, count)) for resource in WRITES)
    yield from ((lambda given, read=read: read(wire.decipher(given)), (answer,)) for read in SINGLES)
    yield entities.tenants, (answer,)


@given(SEEDS)
def test_no_damage_is_unforeseen(seed):
    """No exception but ours leaves the boundary, and what is read can be stored."""
    rng = Random(seed)
    for _ in range(TRIES):
        body = damaged(rng.choice(BODIES), rng)
        for read, asked in ways_to_read(body, rng.choice(STATUSES)):
            try:
                assert is_sound(read(*asked)), read
            except SyncerError as error:
                assert is_sound({name: str(fact) for name, fact in error.facts.items()})


@given(SEEDS)
def test_a_damaged_record_leaves_its_neighbours_alone(seed):
    """The others of a list are read as before, and the damaged one is read or named: it does not pass for absent."""
    rng = Random(seed)
    for _ in range(TRIES):
        body, name = rng.choice(LISTED)
        place = rng.randrange(len(body[name]))
        before = read_as_a_list(Response(200, {}, raw(body)), name)
        after = read_as_a_list(Response(200, {}, raw(damaged(body, rng, (name, place)))), name)
        is_bill = body[name][place].get("Type") == "ACCPAY"
        shown = len(before) + len(before.unreadable)
        assert len(after) + len(after.unreadable) in (shown, shown + is_bill)
        assert len([one for one in before if one not in after]) <= 1


@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_number_as_text_is_that_number(amount):
    """Neither zero nor unreadable."""
    head = {"InvoiceID": "i", "Status": "AUTHORISED"}
    as_number, as_text = (
        f'{{"Invoices": [{json.dumps(head)[:-1]}, "Total": {amount:f}}}]}}',
        {**head, "Total": f"{amount:f}"},
    )
    [one] = entities.sales_invoices(wire.decipher(Response(200, {}, as_number.encode())))
    [other] = entities.sales_invoices(wire.decipher(Response(200, {}, raw({"Invoices": [as_text]}))))
    assert one.total == other.total == amount


@pytest.mark.parametrize("total", ["12,50", "", "twelve", True, [], {}, float("nan"), 1e300, "1e999999", None])
def test_an_amount_that_is_none_names_itself(total):
    """The record is left out with the field and what stood there, and its neighbour stays."""
    head = {"InvoiceID": "i", "InvoiceNumber": "F-1", "Status": "AUTHORISED"}
    body = {"Invoices": [head | {"Total": total}, head | {"InvoiceID": "j", "Total": 5}]}
    found = entities.sales_invoices(wire.decipher(Response(200, {}, raw(body))))
    assert [one.id for one in found] == ["j"]
    [odd] = found.unreadable
    assert (odd.kind, odd.source_id, odd.number, odd.field) == ("invoice", "i", "F-1", "Total")
    assert odd.reason


@pytest.mark.parametrize("element", [None, "text", [], {"InvoiceID": None}, {"InvoiceID": "i", "Status": "AUTHORISED"}])
def test_a_written_element_that_cannot_be_read_is_in_doubt(element):
    """Xero answered 200: something was carried out, and a look has to tell what."""
    with pytest.raises(InDoubt):
        wire.results({"Invoices": [element]}, "Invoices", 1, entities.read_invoice)


@pytest.mark.parametrize("resource", LISTS)
def test_an_answer_without_its_list_is_no_empty_list(resource):
    """Nothing may be concluded from what it does not show; 304 and an empty list do say that there is nothing."""
    for body in ({"Status": "OK"}, {resource: "none"}, {resource: {}}):
        with pytest.raises(Unavailable):
            LISTS[resource](body)
    assert LISTS[resource]({}) == LISTS[resource]({resource: []}) == LISTS[resource]({resource: None}) == []


def test_a_list_ends_with_an_empty_page():
    """Whatever its count of pages says: nobody asks a thousand times for nothing."""
    assert wire.is_last_page({"pagination": {"pageCount": 10**9}, "Contacts": []}, "Contacts", 2)
    assert not wire.is_last_page({"pagination": {"pageCount": "3"}, "Contacts": [{}]}, "Contacts", 2)
    for said in (None, [], {"pageCount": None}, {"pageCount": "many"}, {"pageCount": -1}, {"pageCount": 1.5}):
        assert wire.is_last_page({"pagination": said, "Contacts": [{}]}, "Contacts", 1)


@pytest.mark.parametrize(
    "errors", [None, {}, "Broken.", ["Broken."], {"Message": "Broken."}, [None, {"Message": "Broken."}], [1, [], True]]
)
def test_messages_are_found_in_any_form(errors):
    """A null among them, a bare text, an object where a list was: no word of Xero's is lost, none is made up."""
    assert wire.complaints({"LineItems": [None, {"ValidationErrors": errors}]}) in ((), ("Broken.",))
    assert ("Broken" in str(errors)) == bool(wire.complaints({"ValidationErrors": errors}))


def test_json_nested_without_end_is_no_json():
    """A body that would exhaust the reader is an answer that is none."""
    with pytest.raises(Unavailable):
        wire.decipher(Response(200, {}, b'{"a":' * 100_000))
    deep = {"ValidationErrors": [{"Message": "Deep."}]}
    for _ in range(5000):
        deep = {"LineItems": [deep]}
    assert wire.complaints(deep) == ("Deep.",)


def test_half_a_character_neither_comes_nor_goes():
    """No UTF-8 can hold it: it is left out of what Xero says and of what is sent to Xero."""
    [one] = entities.contacts({"Contacts": [{"ContactID": "c", "Name": "Zo\ud83cé", "EmailAddress": "\udfff"}]})
    assert (one.name, one.email) == ("Zoé", "")
    assert json.loads(wire.dumps({"Name": "Zo\ud83cé", "Of": ["\ud83c"]}).encode()) == {"Name": "Zoé", "Of": [""]}
    with pytest.raises(Reconnect) as refused:
        wire.decipher(Response(401, {}, raw({"Detail": "no \ud83c more"})))
    assert refused.value.facts["detail"] == "no  more"


def test_a_record_that_cannot_be_read_is_not_said_to_be_absent():
    """By its id or number where that much is known, else whatever was looked for."""
    nothing = Lookup([], [])
    assert not nothing.may_hide_id("i")
    assert not nothing.may_hide_number("F-1")
    known = Lookup([], [Unreadable("i", "F-1", "Total", "is missing")])
    assert (known.may_hide_id("i"), known.may_hide_id("j")) == (True, False)
    assert (known.may_hide_number("F-1"), known.may_hide_number("F-2")) == (True, False)
    unknown = Lookup([], [Unreadable("", "", "", "is no object")])
    assert unknown.may_hide_id("j")
    assert unknown.may_hide_number("F-2")
