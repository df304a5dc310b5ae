"""Several locations and organisations in one installation: what belongs to one never reaches the other."""

import threading
from datetime import timedelta

import pytest

from syncer.app import consent, jobs
from syncer.app.worker import Worker
from syncer.connectors.crococlick import webhooks
from syncer.domain import settings
from syncer.domain.errors import Reconnect, WrongUsage
from syncer.storage.heartbeat import watching
from syncer.sync.context import RunOptions
from tests.support.sync_world import press
from tests.support.waiting import PATIENCE_S, until

FIRST, SECOND = "SandboxLocation00001", "SandboxLocation00002"


@pytest.fixture
def lyon(world):
    """A second location in CrocoClick and a second organisation in Xero: their desks."""
    return world.crm.add_location(SECOND, "Lyon", "pit-lyon"), world.xero.add_organisation("Dupont Lyon")


def add(world, lyon, name="lyon"):
    """The connection between them, made as the console or a terminal makes it."""
    connection = consent.add(world.app, name, SECOND, "pit-lyon")
    found = consent.finish(world.app, press(consent.begin(connection, "anna"), organisation=lyon[1].tenant))
    assert found == consent.Connected("lyon", "Dupont Lyon")
    connection.ledger.change_settings(settings.checked({"revenue_account": "706"}), "a test", world.app.clock.now())
    return world.app.connection(name)


def run(connection):
    return jobs.run(connection, RunOptions(), "a test", lambda *told: None, lambda: False)


def invoice(crm, number):
    contact = crm.add_contact(name=f"Customer of {number}", email=f"{number.lower()}@example.org")
    lines = [{"name": "Work", "qty": 1, "amount": 100, "taxes": []}]
    return crm.add_invoice(contact=contact, number=number, status="sent", lines=lines)


def test_the_secrets_of_one_are_never_used_for_the_other(world, lyon):
    """Each token asked for its own location alone, and no Xero token for both organisations; invoices went home."""
    crm, xero = lyon
    connection = add(world, lyon)
    world.box.reset_calls()
    invoice(world.crm, "PARIS-1")
    invoice(crm, "LYON-1")
    for one in (world.connection, connection, world.connection, connection):
        assert run(one).failure is None
    assert (world.xero.numbers(), xero.numbers()) == (["PARIS-1"], ["LYON-1"])
    asked = [one for one in world.box.calls if one.side == "crococlick"]
    assert {one.bearer for one in asked} == {"pit-sandbox", "pit-lyon"}
    for token, theirs in (("pit-sandbox", SECOND), ("pit-lyon", FIRST)):
        assert not [one.path for one in asked if one.bearer == token and theirs in f"{one.path}?{one.query}"]
    books = [one for one in world.box.calls if one.side == "xero" and one.tenant]
    used = {
        tenant: {one.bearer for one in books if one.tenant == tenant} for tenant in (world.xero.tenant, xero.tenant)
    }
    assert all(used.values()) and not used[world.xero.tenant] & used[xero.tenant]
    assert {one.tenant for one in books} == set(used)


def test_one_watch_serves_all_and_an_event_reaches_its_own(world, lyon):
    """Each in its own thread: an event of one location makes nobody look at the other."""
    crm, xero = lyon
    connection = add(world, lyon)
    for one in (world.connection, connection):
        assert run(one).failure is None
    watches = Worker(world.app, every=timedelta(hours=1), say=lambda said: None)
    thread = threading.Thread(target=watches.run)
    thread.start()
    try:
        until(lambda: all(watching(world.app.environment.data_dir, name) for name in ("default", "lyon")))
        world.box.reset_calls()
        invoice(crm, "LYON-1")
        event = webhooks.read(crm.webhook("InvoiceSent", crm.invoice("LYON-1")["_id"])[1], world.app.clock.now())
        assert event.location_id == SECOND
        world.app.inbox.put(event)
        until(lambda: xero.numbers() == ["LYON-1"] and world.app.inbox.waiting() == 0)
    finally:
        watches.stop()
        thread.join(PATIENCE_S)
    assert {one.bearer for one in world.box.calls if one.side == "crococlick"} == {"pit-lyon"}


def test_without_its_own_token_nothing_is_asked(world, lyon):
    """The token of the environment belongs to the default connection, and stands in for no other."""
    connection = add(world, lyon)
    world.app.vault.remove("crococlick:lyon")
    world.box.reset_calls()
    outcome = run(connection)
    assert outcome.failure and outcome.failure.code == "crococlick_not_connected"
    assert world.box.count(side="crococlick") == 0


def test_one_location_and_one_organisation_serve_one_connection(world, lyon):
    """A second connection to either is refused with the name of the one that has it, and nothing changes."""
    with pytest.raises(WrongUsage, match=f"{FIRST} has a connection already, named default"):
        consent.add(world.app, "again", FIRST, "pit-sandbox")
    add(world, lyon)
    with pytest.raises(WrongUsage, match=f"{SECOND} has a connection already, named lyon"):
        consent.add(world.app, "again", SECOND, "pit-lyon")
    with pytest.raises(WrongUsage, match=f"is for the location {SECOND}"):
        consent.add(world.app, "lyon", "SandboxLocation00003", "pit-other")
    third = world.crm.add_location("SandboxLocation00003", "Nice", "pit-nice")
    nice = consent.add(world.app, "nice", third.location.id, "pit-nice")
    with pytest.raises(Reconnect) as refused:
        consent.finish(world.app, press(consent.begin(nice), organisation=lyon[1].tenant))
    assert refused.value.code == "organisation_taken"
    assert refused.value.facts["connection"] == "lyon"
    assert consent.status(nice)["state"] == "not_connected"
    assert [one.name for one in world.app.connections()] == ["default", "lyon", "nice"]


def test_a_token_is_replaced_and_the_trail_never_holds_it(world, lyon):
    """A new token for the same location is taken from the next call on; who gave it is on record, the token is not."""
    connection = add(world, lyon)
    lyon[0].location.tokens["pit-new"] = None
    consent.add(world.app, "lyon", SECOND, "pit-new", "anna")
    world.box.reset_calls()
    assert run(world.app.connection("lyon")).failure is None
    assert {one.bearer for one in world.box.calls if one.side == "crococlick"} == {"pit-new"}
    rows = world.app.register.audit({"connection": "lyon"}, 50)
    assert [(row["what"], row["by_whom"]) for row in rows if row["what"].startswith(("conn", "token"))] == [
        ("token_changed", "anna"), ("connected", "anna"), ("connection_added", rows[-1]["by_whom"]),
    ]  # fmt: skip
    assert "pit-" not in repr(rows)
    assert connection.source.token == "pit-new"


def test_ending_one_leaves_the_other(world, lyon):
    """Both were consented to by one person in one app; the other goes on syncing."""
    add(world, lyon)
    consent.disconnect(world.app.connection("lyon"))
    assert run(world.connection).failure is None
    assert run(world.app.connection("lyon")).failure.code == "not_connected"
