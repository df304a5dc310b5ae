"""What is asked of CrocoClick about contacts, and how its answers are read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from syncer.connectors.crococlick import contacts_wire
from syncer.connectors.http import Response
from syncer.domain.errors import HaltRun, InDoubt, Reconnect, Unavailable
from syncer.domain.matching.contact_import import to_create
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import Address, BookContact
from syncer.domain.ports import Refused, Taken
from tests.support.crococlick_samples import PAYLOADS

SHARED = Path(__file__).parents[3] / "shared"
API = SHARED / "reference" / "openapi" / "highlevel" / "apps" / "contacts.json"
MAIL = "anne@example.org"
ROW = {
    "id": "c1", "contactName": "Anne Martin", "firstName": "Anne", "lastName": "Martin", "email": "Anne@Example.org",
    "additionalEmails": [{"email": "am@example.org"}, {"email": " "}, "odd"], "companyName": "Lumière SARL",
    "phone": "+33140000001", "address1": "1 rue A", "city": "Lyon", "state": "Rhône", "postalCode": "69001",
    "country": "FR", "source": "Xero x1", "dateAdded": "2026-01-01T08:00:00.000Z",
    "dateUpdated": "2026-02-01T09:30:00.000+01:00", "tags": ["vip"], "searchAfter": [1767254400000, "c1"],
}  # fmt: skip
ANNE = SourceContact(
    "c1", "Anne Martin", "Anne@Example.org, am@example.org", "Lumière SARL", "+33140000001", "Anne", "Martin",
    Address("1 rue A", "Lyon", "Rhône", "69001", "FR"), "Xero x1", datetime(2026, 2, 1, 8, 30, tzinfo=UTC),
)  # fmt: skip


def answer(body, status=200):
    """An answer of the service."""
    return Response(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def sent(request):
    """The body of a request."""
    return json.loads(request.body)


# -- requests ------------------------------------------------------------------------------------------------------


def test_a_search_reads_although_it_is_posted():
    """By the day a contact was added, 500 at a time; what was read last says where to go on."""
    request = contacts_wire.search("loc1")
    assert (request.method, request.path, request.writes) == ("POST", "/contacts/search", False)
    assert sent(request) == {
        "locationId": "loc1", "pageLimit": 500, "sort": [{"field": "dateAdded", "direction": "asc"}],
    }  # fmt: skip
    assert sent(contacts_wire.search("loc1", [1, "c1"]))["searchAfter"] == [1, "c1"]


def test_changed_since_is_asked_in_utc():
    """Whatever zone the moment is told in."""
    moment = datetime(2026, 2, 1, 1, 0, 0, 999_000, tzinfo=timezone(timedelta(hours=2)))
    [asked] = sent(contacts_wire.search("loc1", since=moment))["filters"]
    assert asked == {"field": "dateUpdated", "operator": "range", "value": {"gte": "2026-01-31T23:00:00.000Z"}}


def test_a_look_for_a_duplicate_asks_by_email_else_by_phone_and_hides_it():
    """Neither is written down with the call."""
    by_email, by_phone = contacts_wire.duplicate("loc1", MAIL, "+331"), contacts_wire.duplicate("loc1", phone="+331")
    assert by_email.query == (("locationId", "loc1"), ("email", MAIL))
    assert by_phone.query == (("locationId", "loc1"), ("number", "+331"))
    assert (by_email.hidden, by_phone.hidden) == ({"email"}, {"number"})
    assert not by_email.writes


FIELDS = {"name": "Anne", "email": MAIL, "line": "1 rue Élysée", "region": "Rhône", "postcode": "69001"}


def test_a_write_sends_the_fields_given_and_no_others():
    """Creating names the location; no tags, no upsert; text goes as it is."""
    made, changed = contacts_wire.create("loc1", FIELDS, "call-1"), contacts_wire.update("c1", FIELDS, "call-2")
    written = {"name": "Anne", "email": MAIL, "address1": "1 rue Élysée", "state": "Rhône", "postalCode": "69001"}
    assert (made.method, made.path, made.call_id, made.writes) == ("POST", "/contacts/", "call-1", True)
    assert sent(made) == {"locationId": "loc1", **written}
    assert (changed.method, changed.path, changed.call_id) == ("PUT", "/contacts/c1", "call-2")
    assert sent(changed) == written
    assert "Élysée".encode() in made.body
    assert contacts_wire.get("c1").path == "/contacts/c1"


def test_every_field_that_is_written_is_published():
    """Creating and updating send what the published schemas know, and nothing else."""
    if not API.exists():
        pytest.skip("the published API description is not beside the project")
    schemas = json.loads(API.read_text())["components"]["schemas"]
    full = to_create(
        BookContact(
            "x1",
            "Lumière SARL",
            MAIL,
            address=Address("1 rue A", "Lyon", "Rhône", "69001", "FR"),
            first_name="Anne",
            last_name="M",
            phone="123456",
        )
    )
    assert set(sent(contacts_wire.create("loc1", full, ""))) <= set(schemas["CreateContactDto"]["properties"])
    # What is filled in later: a company is not among the fields of an update.
    filled = {
        name: value for name, value in full.items() if name not in ("company", "source", "first_name", "last_name")
    }
    assert set(sent(contacts_wire.update("c1", filled, ""))) <= set(schemas["UpdateContactDto"]["properties"])


# -- answers -------------------------------------------------------------------------------------------------------


def test_a_contact_is_read_whole():
    """Further addresses after the first, the moment in UTC; empty ones and odd entries are left out."""
    assert contacts_wire.contact(ROW) == ANNE


def test_a_contact_of_an_id_alone_is_read():
    """Fields that are missing or null are empty; a moment without a zone or that is none is not known."""
    assert contacts_wire.contact({"id": "c1", "name": None, "additionalEmails": None}) == SourceContact("c1", "")
    assert contacts_wire.contact({"id": "c1", "firstName": "Anne", "dateAdded": "2026-01-01"}).name == "Anne"
    assert contacts_wire.contact({"id": "c1", "dateUpdated": "yesterday"}).updated_at is None
    assert contacts_wire.contact({"id": "c1", "dateUpdated": "2026-01-01T00:00:00"}).updated_at is None
    assert contacts_wire.contact({"id": "c1", "dateAdded": "2026-01-01T00:00:00Z"}).updated_at == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_the_published_sample_is_read():
    """As the API's own description shows a contact."""
    if not PAYLOADS.exists():
        pytest.skip("the published samples are not beside the project")
    found = contacts_wire.one(answer((PAYLOADS / "contact_get_200.json").read_bytes()))
    assert (found.name, found.email, found.company) == ("rubika deo", "rubika@deos.com.example", "DGS VolMAX")
    assert (found.address.region, found.address.country, found.made_for) == ("AL", "US", "")
    assert contacts_wire.written(answer((PAYLOADS / "contact_upsert_200.json").read_bytes())).id == found.id


def test_a_page_tells_where_the_next_one_goes_on():
    """By its last row; a row without an id counts, though it cannot be read."""
    found = contacts_wire.found(answer({"contacts": [ROW, {"searchAfter": [2, "?"]}, "odd"], "total": 7}))
    assert ([one.id for one in found.page.items], found.page.total) == (["c1"], 7)
    assert (found.rows, found.after) == (3, [2, "?"])
    assert [one.kind for one in found.page.unreadable] == ["contact", "contact"]


@pytest.mark.parametrize("body", [{}, {"contacts": None, "total": "seven"}, {"contacts": []}])
def test_an_empty_page_is_the_last(body):
    """Nothing goes on after it, and a total that is no number is not known."""
    found = contacts_wire.found(answer(body))
    assert (found.page.items, found.page.total, found.rows, list(found.after)) == ([], None, 0, [])


@pytest.mark.parametrize(
    "said",
    [
        answer({"statusCode": 400, "message": "Contact not found for id:c1", "error": "Bad Request"}, 400),
        answer({"message": "Not found"}, 404),
        answer({"contact": None}),
        answer({"contact": {}}),
        answer({}),
    ],
)
def test_no_contact_is_said_in_several_ways(said):
    """As a 400 in words, as a 404, as null."""
    assert contacts_wire.one(said) is None


@pytest.mark.parametrize(
    ("said", "error", "code"),
    [
        (answer({"message": "Invalid JWT"}, 401), Reconnect, "crococlick_token_refused"),
        (
            answer({"message": "The token is not authorized for this scope."}, 401),
            Reconnect,
            "crococlick_scope_missing",
        ),
        (answer({"message": "Something else"}, 400), HaltRun, None),
        (answer(b"<html>", 400), Unavailable, "crococlick_unavailable"),
        (answer(b"", 503), Unavailable, "crococlick_unavailable"),
    ],
)
def test_a_read_that_fails_says_what_to_do_next(said, error, code):
    """A 400 that does not say `not found` is no absence."""
    with pytest.raises(error) as refused:
        contacts_wire.one(said)
    assert code in (None, refused.value.code)


def test_a_contact_that_is_there_already_is_named():
    """With what it has in common, where that is told."""
    body = {"statusCode": 400, "message": "This location does not allow duplicated contacts."}
    meta = {"contactId": "c9", "contactName": "Anne", "matchingField": "phone"}
    assert contacts_wire.written(answer({**body, "meta": meta}, 400)) == Taken("c9", "phone")
    assert contacts_wire.written(answer({**body, "meta": {"contactId": "c9"}}, 400)) == Taken("c9", "")
    assert contacts_wire.written(answer(body, 400)) == Refused((body["message"],))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            answer({"message": ["email must be an email", "phone is wrong"]}, 422),
            "email must be an email; phone is wrong",
        ),
        (answer({"meta": "odd"}, 422), "status 422"),
        (answer(b"no json", 400), "status 400"),
        (answer(b"[]", 400), "status 400"),
        (answer({"contact": None}, 201), "the answer names no contact"),
    ],
)
def test_a_refusal_is_kept_in_its_words(said, message):
    """A list of texts, or none at all."""
    assert contacts_wire.written(said) == Refused((message,))


def test_a_write_without_a_clear_answer_is_in_doubt():
    """5xx, and a success that cannot be read."""
    for said in (answer({"message": "oops"}, 500), answer(b"<html>", 201)):
        with pytest.raises(InDoubt):
            contacts_wire.written(said)


def test_a_written_contact_is_read():
    """201 for a new one, 200 with `succeded` for a changed one."""
    assert contacts_wire.written(answer({"contact": ROW}, 201)) == ANNE
    assert contacts_wire.written(answer({"succeded": True, "contact": ROW})) == ANNE
