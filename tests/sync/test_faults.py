"""Answers get lost, services fail, limits are met, people press Ctrl-C: every invoice still arrives exactly once."""

import pytest

from syncer.app import jobs
from syncer.domain.errors import LedgerBusy, Reconnect


def numbers(world):
    """What Xero has, each as often as it is there."""
    return sorted(one["InvoiceNumber"] for one in world.xero.invoices() if one["Status"] != "VOIDED")


def test_answer_lost_after_xero_accepted(world):
    """Xero keeps the invoice and we never hear: the look that follows finds it, and nothing is sent again."""
    world.has("INV-7")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    outcomes = world.sync()
    assert numbers(world) == ["INV-7"]
    assert outcomes["created"] == 1
    assert world.explain("INV-7")["state"] == "synced"


def test_a_batch_whose_answer_is_lost_is_looked_for_in_one_call(world):
    """Fifty members in doubt cost one look-up."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(50):
        world.has(f"INV-{number:02}", contact=contact)
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.sync()
    assert world.box.count(side="xero", method="GET", path="/Invoices") == 2  # the first mirror, then the look
    assert len(numbers(world)) == 50


LOST = {
    "dropped": {},
    "error_500": {},
    "error_500_after": {"kind": "error_500", "after_commit": True},
    "error_500_html": {},
    "truncated": {},
    "accepted_then_hung_up": {},
}


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("path", ["/Invoices", "/Contacts"])
def test_whatever_happens_to_a_write_it_arrives_once(world, what, path):
    """A write that fails in any way is there exactly once after the next run."""
    options = dict(LOST[what])
    for number in range(3):
        world.has(f"INV-{number}")
    world.faults.next_write(options.pop("kind", what), path=path, **options)
    world.sync(times=2)
    assert numbers(world) == ["INV-0", "INV-1", "INV-2"]
    assert len(world.xero.contacts()) == 3
    assert all(world.explain(f"INV-{n}")["state"] == "synced" for n in range(3))


def test_a_service_that_is_down_ends_the_run_and_nothing_is_lost(world):
    """While Xero is offline the run ends early; when it is back everything goes."""
    world.has("INV-1")
    world.faults.add("error_503", side="xero", path="/api.xro", times=50)
    world.sync()
    assert world.outcome.ended == "deferred"
    world.faults.clear()
    assert world.sync()["created"] == 1


def test_the_daily_limit_ends_a_run_as_deferred(world):
    """Nobody sleeps for hours: the rest goes another day, and says so."""
    world.has("INV-1")
    world.faults.next_write("rate_limited", problem="day", retry_after=3600, path="/Invoices")
    outcomes = world.sync()
    assert world.outcome.ended == "deferred"
    assert outcomes["deferred"] == 1
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("retrying", "rate_limited_day")
    assert world.sync()["created"] == 1


def test_a_refused_minute_is_waited_for(world):
    """A 429 for the minute is waited out inside the run."""
    world.has("INV-1")
    world.faults.next_write("rate_limited", problem="minute", retry_after=1, path="/Invoices")
    assert world.sync()["created"] == 1


def test_a_revoked_consent_stops_the_run_and_a_new_one_goes_on(world):
    """When consent ends mid-way the run stops with its cause; after connecting again everything goes."""
    world.has("INV-1")
    world.faults.next_write("token_revoked", path="/Invoices")
    world.sync()
    assert isinstance(world.outcome.failure, Reconnect)
    assert world.outcome.failure.code == "consent_revoked"
    world.connect()
    assert world.sync()["created"] == 1
    assert numbers(world) == ["INV-1"]


def test_a_disconnected_organisation_stops_the_run(world):
    """An organisation that somebody disconnected in Xero stops the run before anything else is tried."""
    world.has("INV-1")
    world.faults.next_write("tenant_disconnected", path="/Contacts")
    world.sync()
    assert world.outcome.failure.code in ("consent_revoked", "wrong_organisation")


def test_a_whole_request_refused_for_one_contact_lets_the_others_through(world):
    """An unknown ContactID makes Xero refuse the request: the others of the batch arrive in the same run."""
    known = [world.crm.add_contact(name=f"C{n}", email=f"c{n}@example.org") for n in range(8)]
    for place, contact in enumerate(known):
        world.has(f"INV-{place}", contact=contact)
    world.sync()
    gone = world.ledger.contacts()[known[3]].xero_id
    world.ledger.link_contacts("", {known[3]: (gone[:-4] + "ffff", "person")}, world.app.clock.now())
    for place, contact in enumerate(known):
        world.has(f"NEXT-{place}", contact=contact)
    outcomes = world.sync()
    assert outcomes["created"] == 7
    assert world.explain("NEXT-3")["state"] == "held"


def test_what_xero_refused_is_not_sent_again_until_something_moved(world):
    """A refusal is remembered with what it depended on: the same is never sent twice in vain."""
    world.has("INV-1")
    world.sync()
    world.has("INV-2")
    world.xero.update("accounts", "706", Status="ARCHIVED")
    world.sync()
    assert world.explain("INV-2")["cause"]["code"] == "account_invalid"
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0
    world.xero.update("accounts", "706", Status="ACTIVE")
    assert world.sync()["created"] == 1


def test_only_one_run_at_a_time(world):
    """A second run of the same connection is refused while one is at work."""
    with world.connection.alone(), pytest.raises(LedgerBusy) as refused:
        world.sync()
    assert refused.value.code == "run_under_way"


def test_a_polite_stop_keeps_what_was_done(world):
    """Asked to stop, the run finishes the calls under way, records them and ends; the next one goes on."""
    from syncer.sync.context import RunOptions

    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(120):
        world.has(f"INV-{number}", contact=contact)

    def stop():
        return bool(numbers(world))

    jobs.run(world.connection, RunOptions(in_flight=1), "a test", lambda *told: None, stop)
    there = len(numbers(world))
    assert there == 50 and not world.ledger.open_attempts()
    assert world.sync()["created"] == 120 - there
    assert len(numbers(world)) == len(set(numbers(world))) == 120


def test_another_organisation_is_refused_for_a_connection_that_has_synced(world):
    """Links made in one organisation mean nothing in another: the connection stays where it was."""
    world.has("INV-1")
    world.sync()
    other = world.xero.add_organisation("Dupont Formation")
    before = world.connection.tokens.tokens()
    with pytest.raises(Reconnect) as refused:
        world.connect(other.tenant)
    assert refused.value.code == "organisation_differs"
    assert world.connection.tokens.tokens() == before
    world.has("INV-2")
    assert world.sync()["created"] == 1


def test_seven_bad_of_fifty_cost_three_calls_more_at_most(world):
    """A batch of fifty with seven bad elements: 43 arrive in that run, whatever the seven are refused for."""
    names = [world.crm.add_contact(name=f"C{n}", email=f"c{n}@example.org") for n in range(4)]
    for place, contact in enumerate(names):
        world.has(f"FIRST-{place}", contact=contact)
    world.sync()
    links = world.ledger.contacts()
    world.xero.update("contacts", links[names[1]].xero_id, ContactStatus="ARCHIVED")
    world.ledger.link_contacts("", {names[2]: (links[names[2]].xero_id[:-4] + "ffff", "person")}, world.app.clock.now())
    bad = ["MAGIC-LOCKED-1", "MAGIC-TAKEN-1", "MAGIC-OLDTAX-1", "MAGIC-UNKNOWN-1", "MAGIC-LINE-1"]
    for number in bad:
        world.has(number, contact=names[0])
    world.has("ARCHIVED-1", contact=names[1])
    world.has("UNKNOWN-1", contact=names[2])
    for place in range(43):
        world.has(f"GOOD-{place:02}", contact=names[3])
    world.box.reset_calls()
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["held"]) == (43, 7)
    # One call would do for fifty good ones; the look for a number that is taken is one of the three.
    assert world.box.count(side="xero") <= 1 + 3
    causes = {number: world.cause(number) for number in (*bad, "ARCHIVED-1", "UNKNOWN-1")}
    assert causes == {
        "MAGIC-LOCKED-1": "period_locked",
        "MAGIC-TAKEN-1": "number_taken",
        "MAGIC-OLDTAX-1": "tax_archived",
        "MAGIC-UNKNOWN-1": "rejected_by_xero",
        "MAGIC-LINE-1": "line_invalid",
        "ARCHIVED-1": "contact_archived",
        "UNKNOWN-1": "contact_missing",
    }
