"""Notices over real HTTP: what happened is told once, where it happened, and again when it is over."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from syncer.app import environment, notices, pause
from syncer.app.installation import App
from syncer.app.worker import Worker
from syncer.domain.errors import LedgerBusy
from syncer.domain.model.problems import CAUSES
from syncer.messages.notices import cause
from tests.support.commands import run, told
from tests.support.notice_box import NoticeBox
from tests.support.sync_world import Later
from tests.support.waiting import PATIENCE_S

NIGHT = datetime(2026, 11, 30, 1, tzinfo=UTC)  # no summary is due
SEVEN_PERCENT = [{"name": "Book", "qty": 1, "amount": 100, "taxes": [7]}]


@pytest.fixture
def inbox():
    with NoticeBox() as box:
        yield box


def tell_to(world, *addresses):
    """The same installation with these addresses."""
    world.values["SYNCER_NOTIFY_URLS"] = " ".join(addresses)
    clock = world.app.clock
    world.app = App(environment.environment(world.values), clock)


@pytest.fixture
def night(world, inbox):
    """Without the daily summary, whatever time of day the tests run at."""
    tell_to(world, inbox.address)
    world.set(notify="held,connection,stale")
    return world


def look(world):
    return notices.look(world.connection)


def test_new_causes_of_a_run_are_one_message_and_recovery_one(night, inbox):
    """With counts and money by cause, the connection's name, and no customer's."""
    world = night
    world.sync()
    look(world)
    assert inbox.got == []
    world.has("INV-1", lines=SEVEN_PERCENT)
    world.has("INV-2", lines=SEVEN_PERCENT)
    world.has("INV-3", dueDate=None)
    world.sync()
    look(world)
    look(world)
    [(title, text)] = inbox.got
    assert title == "CrocoClick→Xero, default: 3 invoices need action"
    assert "- A tax has no tax rate in Xero: 2 invoices, €214.00" in text and text.count("\n- ") == 1
    assert not re.search(r"Customer of|INV-|example\.org", title + text)
    inbox.titles()
    world.has("INV-4", lines=SEVEN_PERCENT)
    world.sync()
    look(world)
    assert inbox.titles() == []
    for number in ("INV-1", "INV-2", "INV-3", "INV-4"):
        world.order("skip", number, because="a test")
    world.sync()
    look(world)
    look(world)
    assert inbox.titles() == ["no invoice needs action any more"]


def test_an_address_that_is_down_gets_it_later_and_once(night, inbox):
    """Another address is told meanwhile; nothing is kept as sent that was not taken."""
    world = night
    with NoticeBox() as other:
        tell_to(world, inbox.address, other.address)
        world.has("INV-1", lines=SEVEN_PERCENT)
        world.sync()
        inbox.is_down = True
        assert not look(world) and not look(world)
        assert (inbox.tries, inbox.got, other.titles()) == (2, [], ["1 invoice needs action"])
        assert {row["channel"] for row in notices.lately(world.connection, 9)} == {other.name}
        assert notices.due(world.connection)[inbox.name] == ["CrocoClick→Xero, default: 1 invoice needs action"]
        inbox.is_down = False
        assert look(world) and look(world)
        assert (inbox.titles(), other.titles()) == (["1 invoice needs action"], [])


def test_a_pause_and_its_end(night, inbox):
    """Who paused, and why, is not told: that is about a person."""
    world = night
    world.sync()
    pause.pause(world.connection, "Anna", "the tax looks wrong")
    look(world)
    [(title, text)] = inbox.got
    assert title.endswith("the connection needs action") and text.startswith("The connection is paused.")
    assert "Anna" not in text and "tax" not in text
    inbox.titles()
    pause.resume(world.connection, "Anna")
    look(world)
    look(world)
    assert inbox.titles() == ["the connection works again"]


def test_nothing_came_to_its_end_for_a_day(night, inbox):
    """And the next sync that does ends it."""
    world = night
    world.sync()
    world.later(hours=25)
    look(world)
    look(world)
    assert inbox.titles() == ["no sync for more than 24 hours"]
    world.sync()
    look(world)
    assert inbox.titles() == ["syncing again"]


def test_the_summary_of_yesterday_comes_once_a_day(world, inbox):
    """From 07:00 in the location's time zone: what went over, and what is held."""
    tell_to(world, inbox.address)
    world.set(notify="daily")
    world.has("INV-1")
    world.has("INV-2", lines=SEVEN_PERCENT)
    world.sync()
    zone = notices._zone(world.ledger.row("connection")["timezone"])
    ran = world.app.clock.now().astimezone(zone)
    morning = (ran + timedelta(days=1)).replace(hour=7, minute=1)
    world.app.clock = Later((morning - timedelta(hours=1)).astimezone(UTC))
    assert look(world)
    before = [title for title in inbox.titles() if f"summary of {ran.day} " in title]
    world.app.clock = Later(morning.astimezone(UTC))
    assert look(world) and look(world)
    assert before == []
    [(title, text)] = inbox.got
    assert title.endswith(f"summary of {ran.day} {ran:%b %Y}")
    assert text.splitlines() == [
        "Went over: 1 invoice, €120.00.",
        "Held now: 1 invoice, €107.00.",
        "- A tax has no tax rate in Xero: 1 invoice, €107.00",
    ]


def test_empty_means_none(world, inbox):
    """What happened while nothing was asked for is no news afterwards."""
    tell_to(world, inbox.address)
    world.set(notify="")
    world.has("INV-1", lines=SEVEN_PERCENT)
    world.sync()
    look(world)
    world.set(notify="held")
    look(world)
    assert inbox.got == []


def test_two_looks_at_once_send_once(night, inbox):
    """The second leaves it to the first."""
    world = night
    world.has("INV-1", lines=SEVEN_PERCENT)
    world.sync()
    with world.connection.alone("notices", 0.0):
        assert look(world)
        with pytest.raises(LedgerBusy), world.connection.alone("notices", 0.0):
            pass
    assert inbox.got == []
    look(world)
    assert len(inbox.got) == 1


def test_nothing_is_told_while_it_is_being_set_up(world, inbox):
    """Until somebody has synced it as a whole."""
    tell_to(world, inbox.address)
    pause.pause(world.connection, "Anna", "")
    assert look(world)
    assert inbox.got == [] and notices.due(world.connection) == {inbox.name: []}


def test_a_sync_and_a_watch_tell_by_themselves(night, inbox):
    """Each after its run; the secret of the address is in nothing that they write or print."""
    world = night
    world.has("INV-1", lines=SEVEN_PERCENT)
    said = run(world, "sync")
    assert said.returncode == 3 and inbox.titles() == ["1 invoice needs action"]
    world.order("skip", "INV-1", because="a test")
    worker = Worker(world.app, say=lambda text: None)
    until = time.monotonic() + PATIENCE_S
    worker.run(lambda: bool(inbox.got) or time.monotonic() > until)
    assert inbox.titles() == ["no invoice needs action any more"]
    assert "hidden" not in said.stdout + said.stderr
    for file in world.app.environment.data_dir.rglob("*"):
        assert not file.is_file() or b"anna:hidden" not in file.read_bytes(), file


def test_the_command_says_what_goes_where_and_tests_each_address(night, inbox):
    """Exit status 0; 1 where an address did not take the test; 2 where none is set."""
    world = night
    shown = told(world, "notices")
    assert (shown["notify"], shown["sent"]) == (["held", "connection", "stale"], [])
    assert shown["addresses"] == [{"address": inbox.name, "scheme": "json", "usable": True, "due": []}]
    assert told(world, "notices", "--test") == {"tested": [{"address": inbox.name, "taken": True}]}
    assert inbox.titles() == ["test"]
    both = f"{inbox.address} nonsense"
    done = run(world, "notices", "--test", SYNCER_NOTIFY_URLS=both)
    assert done.returncode == 1 and "hidden" not in done.stdout + done.stderr
    assert f"{inbox.name} took the test." in done.stdout and "is no address that Apprise understands" in done.stdout
    assert run(world, "notices", "--test", SYNCER_NOTIFY_URLS="").returncode == 2
    without = run(world, "notices", SYNCER_NOTIFY_URLS="")
    assert without.returncode == 0 and "SYNCER_NOTIFY_URLS" in without.stdout
    world.has("INV-1", lines=SEVEN_PERCENT)
    world.sync()
    look(world)
    [sent] = told(world, "notices")["sent"]
    assert (sent["address"], sent["kind"]) == (inbox.name, "held")
    said = run(world, "notices", COLUMNS="200").stdout
    assert "hidden" not in said and "1 invoice needs action" in said


def test_every_cause_has_words_without_facts():
    """A sentence about many records, with nothing left open."""
    for code in CAUSES:
        said = cause(code)
        assert said[0].isupper() and not re.search(r"[{}“”]|None|unknown|no reason|the customer the", said), said
