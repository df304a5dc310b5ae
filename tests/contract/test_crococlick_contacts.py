"""The contacts of one CrocoClick location over real HTTP."""

from datetime import timedelta

import pytest

from sandbox.crococlick.contacts import search_key
from syncer.connectors.crococlick.client import CrocoClick
from syncer.domain.errors import HaltRun, InDoubt, Reconnect
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.ports import Refused, Taken

FIELDS = {"name": "Anne Martin", "email": "anne@example.org", "phone": "+33140000001", "source": "Xero x1"}


@pytest.fixture
def crm(box, notes, clock):
    client = CrocoClick.open(box.url, "pit-sandbox", box.crococlick.location.id, notes, clock)
    yield client
    client.close()


@pytest.fixture
def many(box):
    """So many contacts that they fill pages to the brim."""

    def fill(count):
        there = len(box.crococlick.contacts())
        for number in range(count - there):
            box.crococlick.add_contact(name=f"C {number}", email=f"c{number}@example.org")

    return fill


def listed(crm, since=None):
    """The contacts of all pages, which come once each."""
    found = [one for page in crm.contacts(since) for one in page.items]
    assert len({one.id for one in found}) == len(found)
    return {one.email: one for one in found}


@pytest.mark.parametrize(("count", "calls"), [(499, 1), (500, 2), (501, 2), (1200, 3)])
def test_a_long_list_is_read_whole(box, crm, many, count, calls):
    """Pages of 500, on and beside a page's end; a full page is never taken for the last."""
    many(count)
    box.reset_calls()
    assert {one.id for one in listed(crm).values()} == {one["id"] for one in box.crococlick.contacts()}
    assert box.count(side="crococlick", method="POST", path="/contacts/search") == calls


def test_only_what_changed_is_read(box, crm, clock):
    """By the moment of the last change, whether a contact was made or edited."""
    old = box.crococlick.add_contact(name="Old", email="old@example.org")
    box.clock.advance(3600)
    since = clock.now() - timedelta(minutes=1)
    assert listed(crm, since) == {}
    box.crococlick.add_contact(name="New", email="new@example.org")
    assert set(listed(crm, since)) == {"new@example.org"}
    box.crococlick.edit_contact(old, city="Lyon")
    assert set(listed(crm, since)) == {"new@example.org", "old@example.org"}


def page_of(box, rows, total):
    """Answer the next search with this page."""
    fault = box.faults.add("refuse", side="crococlick", path="/contacts/search", status=200)
    fault.options["body"] = {"contacts": rows, "total": total}


def test_a_list_that_does_not_go_on_stops_before_anybody_is_made_twice(box, crm, many):
    """Fewer rows than there are, and no word of where to go on: the import does not begin."""
    page_of(box, [{"id": "c1"}], 3)
    with pytest.raises(HaltRun) as halted:
        listed(crm)
    assert halted.value.code == "crococlick_unavailable"
    page_of(box, [{"id": f"c{n}", "email": f"c{n}@x.org"} for n in range(500)], None)
    with pytest.raises(HaltRun):
        listed(crm)


def test_a_server_that_gives_smaller_pages_is_read_to_the_end(box, crm, many):
    """A page shorter than asked for is only the last where its total agrees."""
    many(3)
    shown = box.crococlick.contacts()
    first = sorted(shown, key=search_key)[0]
    page_of(box, [{**first, "searchAfter": list(search_key(first))}], 3)
    assert len(listed(crm)) == len(shown) == 3


def test_one_contact_or_none(crm):
    """By its id; an unknown one is a 400."""
    made = crm.create_contact(FIELDS, call_id="call-1")
    assert crm.contact(made.id) == made
    assert crm.contact("nobody") is None


def test_what_is_made_is_found_at_once_by_email_and_by_phone(box, crm):
    """Although the search shows it seconds later: that is how a lost answer is settled."""
    box.crococlick.switch(search_lag_s=20)
    made = crm.create_contact(FIELDS, call_id="call-1")
    assert isinstance(made, SourceContact) and made.made_for == "x1"
    assert made.email not in listed(crm)
    assert crm.duplicate(email="Anne@Example.org") == crm.duplicate(phone=FIELDS["phone"]) == made
    assert crm.duplicate(email="nobody@example.org") is None
    box.clock.advance(21)
    assert listed(crm)[made.email] == made


def test_one_that_is_there_already_is_named(crm):
    """By its email or by its phone; nothing is made or changed."""
    made = crm.create_contact(FIELDS, call_id="call-1")
    assert crm.create_contact({**FIELDS, "name": "B"}, call_id="call-2") == Taken(made.id, "email")
    by_phone = {**FIELDS, "email": "b@example.org"}
    assert crm.create_contact(by_phone, call_id="call-3") == Taken(made.id, "phone")
    assert crm.contact(made.id) == made


def test_a_location_may_allow_duplicates(box, crm):
    """Then CrocoClick refuses nobody, and only we can."""
    box.crococlick.profile(settings={**box.crococlick.profile()["settings"], "allowDuplicateContact": True})
    one, other = (crm.create_contact(FIELDS, call_id=f"call-{n}") for n in range(2))
    assert one.id != other.id


def test_refused_and_made_all_the_same(box, crm):
    """A 422 may lie: the look for a duplicate tells."""
    box.crococlick.switch(created_but_422=True)
    assert isinstance(crm.create_contact(FIELDS, call_id="call-1"), Refused)
    assert crm.duplicate(email=FIELDS["email"]).made_for == "x1"


def test_an_update_writes_these_fields_and_no_others(box, crm):
    """Tags and everything that is not named stay."""
    key = box.crococlick.add_contact(name="Anne", email="anne@example.org", tags=["vip"], city="Lyon")
    changed = crm.update_contact(key, {"phone": "+33140000001", "line": "1 rue A"}, call_id="call-1")
    assert (changed.phone, changed.address.line, changed.address.city) == ("+33140000001", "1 rue A", "Lyon")
    [there] = [one for one in box.crococlick.contacts() if one["id"] == key]
    assert there["tags"] == ["vip"] and there["email"] == "anne@example.org"
    assert isinstance(crm.update_contact("nobody", {"phone": "1"}, call_id="call-2"), Refused)


@pytest.mark.parametrize("fault", ["error_500", "accepted_then_hung_up", "dropped"])
def test_a_write_without_an_answer_is_in_doubt(box, crm, fault):
    """And never sent again by itself."""
    box.faults.next_write(fault, side="crococlick", path="/contacts/")
    with pytest.raises(InDoubt):
        crm.create_contact(FIELDS, call_id="call-1")
    assert box.count(side="crococlick", method="POST", path="/contacts/") == 1


def test_a_search_is_tried_again_although_it_is_posted(box, crm):
    """It only reads."""
    box.faults.next_write("error_500", side="crococlick", path="/contacts/search")
    assert listed(crm)


def test_a_token_without_contacts_is_told(box, notes, clock):
    """The scope is missing, not the contact."""
    box.crococlick.allow("pit-narrow", ["locations.readonly"])
    narrow = CrocoClick.open(box.url, "pit-narrow", box.crococlick.location.id, notes, clock)
    with pytest.raises(Reconnect) as refused:
        listed(narrow)
    assert refused.value.code == "crococlick_scope_missing"
    narrow.close()


def test_nobodys_email_is_written_down(crm, notes):
    """Neither in the path nor in the query of a call that is kept."""
    crm.create_contact(FIELDS, call_id="call-1")
    crm.duplicate(email="anne@example.org")
    crm.duplicate(phone="+33140000001")
    assert "anne" not in repr([call for call, *_ in notes.calls]) and "140000001" not in repr(
        [c for c, *_ in notes.calls]
    )
