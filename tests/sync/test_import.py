"""Contacts, Xero → CrocoClick, over real HTTP: what becomes of each, and that nothing is made or written twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from syncer.domain.errors import HaltRun, Reconnect
from tests.support.contacts_world import (
    LYON,
    PHONE,
    allow_duplicates,
    emails,
    fail,
    here,
    kept,
    linked,
    people,
    say,
    writes,
)
from tests.support.sync_world import World
from tests.support.xero_consent import BoxClock

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(world):
    """Nobody on either side but who a test puts there; waiting lets the time pass at once."""
    world.app.clock = BoxClock(world.box)
    return world


# -- what becomes of each --------------------------------------------------------------------------------------------


def test_each_contact_gets_its_outcome_and_its_reason(world):
    """One of each: made, linked, left out for what it is, and shown where several could be meant."""
    xero, crm = world.xero, world.crm
    xero.add_contact(Name="New SARL", EmailAddress="new@example.org", IsCustomer=True)
    xero.add_contact(Name="Known", EmailAddress="Known@Example.org", IsCustomer=True)
    xero.add_contact(Name="Only sells to us", EmailAddress="seller@example.org", IsSupplier=True)
    xero.add_contact(Name="Past", EmailAddress="past@example.org", ContactStatus="ARCHIVED")
    xero.add_contact(Name="Silent")
    xero.add_contact(Name="Twice one", EmailAddress="twice@example.org")
    xero.add_contact(Name="Twice two", EmailAddress="twice@example.org")
    xero.add_contact(Name="Two here", EmailAddress="two@example.org")
    crm.add_contact(name="Known", email="known@example.org", phone="+33140000001")
    crm.add_contact(name="Two here", email="two@example.org")
    crm.add_contact(name="Two there", email="TWO@example.org")
    assert world.import_contacts() == {"created": 1, "linked": 1, "conflict": 3, "left_out": 3}
    assert kept(world) == {
        "New SARL": ("created", "new"),
        "Known": ("linked", "email"),
        "Only sells to us": ("left_out", "supplier_only"),
        "Past": ("left_out", "archived"),
        "Silent": ("left_out", "no_email"),
        "Twice one": ("conflict", "several_in_xero"),
        "Twice two": ("conflict", "several_in_xero"),
        "Two here": ("conflict", "several_in_crococlick"),
    }
    assert here(world, "New SARL")["source"].startswith("Xero ")
    assert world.import_contacts() == {"unchanged": 2, "conflict": 3, "left_out": 3}
    assert len([one for one in crm.contacts() if one.get("email") == "new@example.org"]) == 1


def test_settings_bring_suppliers_and_those_without_an_email(world):
    """Each by its own setting; without an email our mark and the phone tell them again."""
    world.xero.add_contact(Name="Seller", EmailAddress="seller@example.org", IsSupplier=True)
    world.xero.add_contact(Name="Silent", Phones=[PHONE])
    assert world.import_contacts() == {"left_out": 2}
    world.set(import_suppliers="true")
    assert world.import_contacts() == {"created": 1, "left_out": 1}
    world.set(import_without_email="true")
    assert world.import_contacts() == {"created": 1, "unchanged": 1}
    assert world.import_contacts() == {"unchanged": 2}
    assert len(world.crm.contacts()) == 2


def test_a_dry_run_writes_nothing(world):
    """It says what an import would do; then the import does just that."""
    people(world, 3)
    world.crm.add_contact(name="P 001", email="p001@example.org")
    world.xero.add_contact(Name="Street", EmailAddress="street@example.org", Addresses=[LYON])
    key = world.crm.add_contact(name="Street", email="street@example.org")
    world.box.reset_calls()
    told = world.import_contacts(dry_run=True)
    assert told == {"created": 2, "linked": 2}
    assert writes(world) == 0 and world.ledger.imported() == [] and world.ledger.contact_links() == {}
    assert world.ledger.row("last_import") is None
    assert world.import_contacts() == told
    assert here(world, "Street")["city"] == "Lyon" and here(world, "Street")["id"] == key


def test_a_second_import_asks_xero_once(world):
    """Only what changed since, and nothing is written."""
    people(world, 30)
    assert world.import_contacts() == {"created": 30}
    world.box.reset_calls()
    assert world.import_contacts() == {"unchanged": 30}
    assert (world.box.count(side="xero"), writes(world)) == (1, 0)
    assert world.box.count(side="crococlick") == 2  # the location, and one page of what changed
    world.xero.add_contact(Name="One more", EmailAddress="more@example.org")
    assert world.import_contacts() == {"created": 1, "unchanged": 30}


def test_who_became_a_supplier_is_noticed_within_a_week(world):
    """Xero does not say when a contact got its first bill: once a week all are read."""
    [key, _] = people(world, 2)
    world.import_contacts()
    world.later(hours=1)
    world.import_contacts()
    before = world.xero.books.contacts[key].updated
    world.xero.update("contacts", key, IsCustomer=False, IsSupplier=True)
    world.xero.books.contacts[key].updated = before
    world.later(hours=1)
    world.import_contacts()
    assert not [one for one in world.ledger.book_contacts() if one.is_supplier]
    world.later(days=8)
    world.import_contacts()
    [found] = [one for one in world.ledger.book_contacts() if one.id == key]
    assert found.is_supplier


# -- filling up ------------------------------------------------------------------------------------------------------


def test_only_empty_fields_are_filled(world):
    """What CrocoClick has stays, tags too; what it lacks comes from Xero."""
    world.xero.add_contact(Name="Anne SARL", EmailAddress="anne@example.org", Phones=[PHONE], Addresses=[LYON])
    key = world.crm.add_contact(name="Anne", email="ANNE@example.org", tags=["vip"], phone="")
    assert world.import_contacts() == {"linked": 1}
    [there] = [one for one in world.crm.contacts() if one["id"] == key]
    assert (there["name"], there["email"], there["tags"]) == ("Anne", "ANNE@example.org", ["vip"])
    assert (there["city"], there["postalCode"], there["country"]) == ("Lyon", "69001", "FR")
    assert there["phone"].endswith("40000001")
    assert world.import_contacts() == {"unchanged": 1}


def test_what_xero_learns_later_is_filled_in_once(world):
    """The next import fills it, the one after that has nothing to do."""
    [key] = people(world, 1)
    world.import_contacts()
    world.box.clock.advance(60)
    world.xero.update("contacts", key, Addresses=[LYON])
    assert world.import_contacts() == {"updated": 1}
    assert kept(world) == {"P 000": ("updated", "filled")}
    assert here(world, "P 000")["city"] == "Lyon"
    assert world.import_contacts() == {"unchanged": 1}


def test_what_somebody_filled_in_meanwhile_is_not_written_over(world):
    """Between reading and writing somebody typed an address in CrocoClick: theirs stays, and that is what is told."""
    [key] = people(world, 1)
    world.import_contacts()
    ours = here(world, "P 000")["id"]
    world.box.clock.advance(60)
    world.xero.update("contacts", key, Addresses=[LYON])
    # The search has not caught up with what was typed.
    world.crm.switch(search_lag_s=3600)
    world.crm.edit_contact(ours, address1="2 rue B", city="Paris")
    world.box.reset_calls()
    assert world.import_contacts() == {"unchanged": 1}
    assert (here(world, "P 000")["city"], writes(world)) == ("Paris", 0)


def test_a_phone_that_another_contact_has_is_for_a_person(world):
    """CrocoClick refuses a second contact with it; asking again would be in vain, until that one is gone."""
    world.xero.add_contact(Name="Anne", EmailAddress="anne@example.org", Phones=[PHONE])
    world.import_contacts(dry_run=True)
    [there] = world.ledger.book_contacts()
    other = world.crm.add_contact(name="Bob", email="bob@example.org", phone=there.phone)
    assert world.import_contacts() == {"conflict": 1}
    assert kept(world) == {"Anne": ("conflict", "taken")}
    world.box.reset_calls()
    assert world.import_contacts(dry_run=True) == world.import_contacts() == {"conflict": 1}
    assert writes(world) == 0
    world.crm.edit_contact(other, phone="+33199999999")
    assert world.import_contacts() == {"created": 1}


def test_a_phone_that_is_taken_and_kept_apart_goes_without_it(world):
    """The contact is made without its phone, and it is not filled in afterwards."""
    key = world.xero.add_contact(Name="Anne", EmailAddress="anne@example.org", Phones=[PHONE])
    world.import_contacts(dry_run=True)
    [there] = world.ledger.book_contacts()
    world.crm.add_contact(name="Bob", email="bob@example.org", phone=there.phone)
    world.import_contacts()
    say(world, "keep_apart", key)
    assert world.import_contacts() == {"created": 1}
    assert "phone" not in here(world, "Anne")
    assert world.import_contacts() == {"unchanged": 1}


# -- misfortune ------------------------------------------------------------------------------------------------------

LOST = {
    "dropped": {},
    "error_500_after": {"kind": "error_500", "after_commit": True},
    "accepted_then_hung_up": {},
}


@pytest.mark.parametrize("what", LOST)
def test_whatever_happens_to_a_create_it_is_there_once(world, what):
    """In the same import, although CrocoClick would take a second one and its search lags."""
    allow_duplicates(world)
    world.crm.switch(search_lag_s=10)
    people(world, 3)
    options = dict(LOST[what])
    world.faults.add(
        options.pop("kind", what), side="crococlick", method="POST", path="/contacts/", containing="p001@", **options
    )
    assert world.import_contacts() == {"created": 3}
    assert world.report.ended == "done"
    assert emails(world) == Counter(f"p{n:03}@example.org" for n in range(3))
    world.box.clock.advance(60)
    assert world.import_contacts() == {"unchanged": 3}


def test_our_own_that_only_shows_when_it_is_made_again_is_ours(world):
    """The search lags by minutes, and there is no email to look for: CrocoClick names it by its phone."""
    world.set(import_without_email="true")
    world.crm.switch(search_lag_s=600)
    world.xero.add_contact(Name="Silent", Phones=[PHONE])
    fail(world, "accepted_then_hung_up")
    assert world.import_contacts() == {"created": 1}
    assert len(world.crm.contacts()) == 1


def test_without_an_email_a_lost_answer_is_settled_by_our_mark(world):
    """The search shows it once it has caught up."""
    world.set(import_without_email="true")
    allow_duplicates(world)
    world.crm.switch(search_lag_s=10)
    world.xero.add_contact(Name="Silent")
    fail(world, "accepted_then_hung_up", containing="Silent")
    assert world.import_contacts() == {"created": 1}
    assert len(world.crm.contacts()) == 1


def test_one_that_never_gets_an_answer_is_put_off(world):
    """Sent twice and lost twice: the import ends as deferred, and the next one goes on."""
    people(world, 2)
    fail(world, "error_500", containing="p001@", times=2)
    assert world.import_contacts() == {"created": 1}
    assert (world.report.ended, world.report.failure) == ("deferred", None)
    assert kept(world)["P 001"] == ("created", "planned")
    assert world.import_contacts() == {"created": 1, "unchanged": 1}


def test_refused_and_made_all_the_same_is_made(world):
    """A 422 may lie; the look that follows finds our mark."""
    people(world, 3)
    world.crm.switch(created_but_422=True)
    assert world.import_contacts() == {"created": 3}
    assert max(emails(world).values()) == 1
    assert world.import_contacts() == {"unchanged": 3}


def test_a_look_that_fails_after_a_refusal_leaves_it_in_doubt(world):
    """A 422 may lie, and CrocoClick is down when we look: it is settled before anything else is made."""
    allow_duplicates(world)
    people(world, 1)
    world.crm.switch(created_but_422=True)
    world.faults.add("error_503", side="crococlick", path="/contacts/search/duplicate", times=20)
    world.import_contacts()
    world.faults.clear()
    world.crm.switch(created_but_422=False)
    world.import_contacts()
    assert emails(world) == {"p000@example.org": 1}
    assert world.ledger.open_imports() == []


def test_what_crococlick_refuses_is_shown_in_its_words_and_not_sent_again(world):
    """Until its fields change in Xero."""
    [key] = people(world, 1)
    body = {"statusCode": 422, "message": ["phone must be a phone"]}
    fail(world, "refuse", containing="p000@", status=422, body=body)
    assert world.import_contacts() == {"conflict": 1}
    [row] = world.ledger.imported()
    assert (row.reason, row.facts["message"]) == ("refused", "phone must be a phone")
    world.box.reset_calls()
    assert world.import_contacts() == {"conflict": 1}
    assert writes(world) == 0
    world.xero.update("contacts", key, FirstName="Paul", LastName="P")
    assert world.import_contacts() == {"created": 1}


def test_an_import_without_its_ledger_makes_nobody_twice(world, tmp_path):
    """A fresh data folder, and CrocoClick has our marks already, with email and without."""
    allow_duplicates(world)
    world.set(import_without_email="true")
    people(world, 5)
    world.xero.add_contact(Name="Silent")
    assert world.import_contacts() == {"created": 6}
    before = linked(world)
    again = World(world.box, tmp_path / "again")
    again.app.clock = world.app.clock
    again.connect()
    again.set(import_without_email="true", revenue_account="706")
    again.box.reset_calls()
    assert again.import_contacts() == {"unchanged": 6}
    assert writes(again) == 0 and linked(again) == before
    assert again.report.duplicate_groups == 0


def test_crococlick_down_defers_and_what_was_made_counts(world):
    """The report tells what was done, not what was meant to be done; the next import does the rest."""
    people(world, 100)
    fail(world, "rate_limited", containing="p090@", times=20)
    done = world.import_contacts()
    assert world.report.ended == "deferred" and world.report.failure
    assert done == {"created": len(world.crm.contacts())} and 0 < done["created"] < 100
    world.faults.clear()
    assert world.import_contacts() == {"created": 100 - done["created"], "unchanged": done["created"]}
    assert max(emails(world).values()) == 1


def test_a_token_that_is_withdrawn_stops_the_import(world):
    """Nothing is taken for done; with a good token it goes on."""
    people(world, 60)
    body = {"statusCode": 401, "message": "Invalid JWT"}
    fail(world, "refuse", containing="p050@", status=401, body=body)
    world.import_contacts()
    assert isinstance(world.report.failure, Reconnect) and world.report.failure.code == "crococlick_token_refused"
    world.import_contacts()
    assert emails(world) == Counter(f"p{n:03}@example.org" for n in range(60))


def test_an_answer_that_nobody_understands_stops_the_import_and_loses_nothing(world):
    """What was under way is looked for the next time."""
    people(world, 60)
    fail(world, "refuse", containing="p050@", status=418, body={})
    world.import_contacts()
    assert isinstance(world.report.failure, HaltRun)
    assert world.import_contacts()["created"] > 0
    assert emails(world) == Counter(f"p{n:03}@example.org" for n in range(60))


def test_a_token_without_contacts_is_told(world):
    """The scope is missing: nothing is made, and the sentence says so."""
    people(world, 1)
    world.crm.allow("pit-sandbox", ["locations.readonly", "invoices.readonly"])
    world.import_contacts()
    assert world.report.failure.code == "crococlick_scope_missing"
    world.crm.allow("pit-sandbox", ["locations.readonly", "contacts.readonly"])
    world.import_contacts()
    assert world.report.failure.code == "crococlick_scope_missing"
    world.crm.allow("pit-sandbox")
    assert world.import_contacts() == {"created": 1}


# -- stopped and resumed ---------------------------------------------------------------------------------------------


def test_a_stop_keeps_what_was_done(world):
    """Ctrl-C ends it after the calls under way; the report counts what was made, the next import makes the rest."""
    people(world, 100)
    done = world.import_contacts(stop=lambda: len(world.crm.contacts()) >= 10)
    assert world.report.ended == "stopped"
    assert done == {"created": len(world.crm.contacts())} and done["created"] < 100
    assert world.import_contacts() == {"created": 100 - done["created"], "unchanged": done["created"]}
    assert emails(world) == Counter(f"p{n:03}@example.org" for n in range(100))


def test_after_a_stop_crococlick_is_read_again(world):
    """Somebody made one of those that were not reached, in a location that allows duplicates: it is linked."""
    allow_duplicates(world)
    people(world, 100)
    world.import_contacts(stop=lambda: len(world.crm.contacts()) >= 10)
    left = sorted({f"p{n:03}@example.org" for n in range(100)} - set(emails(world)))
    world.box.clock.advance(60)
    world.crm.add_contact(name="By hand", email=left[0])
    assert world.import_contacts()["linked"] == 1
    assert max(emails(world).values()) == 1


def test_a_stop_while_crococlick_is_read_settles_nothing(world):
    """A reading that was cut short cannot say that somebody did not arrive."""
    allow_duplicates(world)
    world.set(import_without_email="true")
    world.xero.add_contact(Name="Silent")
    hang_up_and_die(world, "Silent")
    world.import_contacts(stop=lambda: world.box.count(side="crococlick", path="/contacts/search") > 0)
    assert len(world.ledger.open_imports()) == 1
    world.import_contacts()
    assert len(world.crm.contacts()) == 1 and world.ledger.open_imports() == []


def test_a_dry_run_leaves_what_is_under_way(world):
    """It does not look for it and does not forget it: the next import does."""
    allow_duplicates(world)
    people(world, 1)
    hang_up_and_die(world, "p000@")
    assert len(world.ledger.open_imports()) == 1
    world.import_contacts(dry_run=True)
    assert len(world.ledger.open_imports()) == 1
    world.import_contacts()
    assert emails(world) == {"p000@example.org": 1} and world.ledger.open_imports() == []


def hang_up_and_die(world, containing):
    """CrocoClick makes it, the answer is lost, and so are we: what a kill leaves behind."""
    world.box.reset_calls()
    fail(world, "accepted_then_hung_up", containing=containing)
    world.import_contacts(stop=lambda: len(world.crm.contacts()) > 0)
    world.box.reset_calls()


def test_killed_and_resumed_every_contact_is_there_once(world):
    """kill -9 in the middle, twice, where duplicates are allowed: nobody is made twice, nobody is missing."""
    allow_duplicates(world)
    world.crm.limits.burst = 1_000_000
    people(world, 150)
    fail(world, "slow", times=1000, ms=15)
    command = [sys.executable, "-m", "syncer", "import-contacts", "--json"]
    for goal in (10, 80):
        run = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(world.crm.contacts()) < goal and run.poll() is None:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
        # What was under way is looked for here, where waiting costs nothing.
        world.import_contacts(stop=lambda: not world.ledger.open_imports())
    world.faults.clear()
    world.import_contacts()
    assert world.report.ended == "done"
    assert emails(world) == Counter(f"p{n:03}@example.org" for n in range(150))
    assert len(world.ledger.contact_links()) == 150


def test_the_published_rate_is_kept(box, world):
    """With limits on: never more than a hundred calls in any ten seconds, and none refused."""
    people(world, 230)
    box.sim.crococlick.limits.enabled = True
    box.reset_calls()
    assert world.import_contacts() == {"created": 230}
    calls = [call for call in box.calls if call.side == "crococlick"]
    moments = sorted(call.at for call in calls)
    assert len(moments) > 230 and 429 not in {call.status for call in calls}
    busiest = max(sum(1 for other in moments if at <= other < at + 10) for at in moments)
    assert busiest <= 100


def test_far_fewer_contacts_than_before_are_not_believed(world):
    """A fault of the list would have everything made again: it stops, says so, and goes on once a person confirms."""
    people(world, 30)
    world.import_contacts()
    for one in world.crm.contacts()[:20]:
        world.crm.delete_contact(one["id"])
    world.later(days=2)
    world.box.reset_calls()
    world.import_contacts()
    assert (world.report.ended, world.report.failure.code) == ("deferred", "contacts_shrunk")
    assert writes(world) == 0
    world.order("confirm_shrink")
    assert world.import_contacts() == {"unchanged": 10, "left_out": 20}
    assert writes(world) == 0
