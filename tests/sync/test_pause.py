"""A paused connection writes nothing to Xero, whoever asks; it is read, planned and explained as before."""

import pytest

from syncer.app import jobs, pause
from syncer.app.watch import ConnectionWatch
from syncer.domain.errors import WrongUsage
from syncer.domain.planning.schedule import ScheduledStep
from syncer.sync.context import RunOptions
from tests.support.commands import run, told


def writes(world):
    """What was written to Xero's books."""
    return [one for one in world.box.calls if one.side == "xero" and one.method != "GET" and "api.xro" in one.path]


def test_nothing_is_written_while_it_is_paused(paying):
    """A document, a payment and a void wait until somebody resumes, and each says who paused and why."""
    world = paying
    world.has("PAID")
    world.has("GONE")
    world.sync()
    pause.pause(world.connection, "Anna", "the tax looks wrong")
    world.has("NEW")
    world.crm.pay("PAID", 20)
    world.crm.void("GONE")
    before = len(writes(world))
    world.sync()
    assert len(writes(world)) == before
    assert (world.outcome.ended, world.outcome.failure.code) == ("deferred", "paused")
    for number in ("NEW", "PAID", "GONE"):
        said = world.explain(number)
        assert (said["state"], said["cause"]["code"]) == ("held", "paused"), number
        assert "Anna" in said["cause"]["sentence"] and "the tax looks wrong" in said["cause"]["sentence"]
        assert said["remedy"]["order"] == ["resume"]
    pause.resume(world.connection, "Bea")
    world.sync()
    assert [world.state(one) for one in ("NEW", "PAID", "GONE")] == ["synced"] * 3
    assert world.xero.invoice("PAID")["AmountPaid"] == 20


def test_it_is_still_read_and_foretold(paying):
    """What CrocoClick shows meanwhile is taken in, and the plan says that everything waits for Resume."""
    world = paying
    pause.pause(world.connection, "Anna", "")
    world.has("NEW")
    world.sync()
    assert world.explain("NEW")["invoice"]["number"] == "NEW"
    plan = told(world, "plan")
    assert [(one["number"], one["action"], one["cause"]) for one in plan["actions"]] == [("NEW", "hold", "paused")]


def test_a_run_at_work_ends_when_somebody_pauses(paying):
    """After the calls that are under way nothing is sent any more; the run says that it was paused."""
    world = paying
    world.has("NEW")
    paused = []

    def tell(phase, done, todo):
        if phase == "planning" and not paused:
            paused.append(pause.pause(world.connection, "Anna", "stop"))

    outcome = jobs.run(world.connection, RunOptions(), "a test", tell, lambda: False)
    assert (outcome.ended, outcome.failure.code) == ("deferred", "paused")
    assert not writes(world)


def test_a_second_pause_changes_nothing_and_says_who_was_first(paying):
    """Who paused, when and why stays as it was said first; to resume what goes on is refused."""
    world = paying
    first = pause.pause(world.connection, "Anna", "the tax")
    again = pause.pause(world.connection, "Bea", "lunch")
    assert (again.facts, again.since) == (first.facts, first.since)
    pause.resume(world.connection, "Bea")
    with pytest.raises(WrongUsage, match="is not paused"):
        pause.resume(world.connection, "Bea")
    deeds = [(row["by_whom"], row["what"]) for row in world.app.register.audit({}, 20)]
    assert ("Anna", "paused") in deeds and ("Bea", "resumed") in deeds


def test_a_test_invoice_is_not_made_while_it_is_paused(paying):
    """CrocoClick gets no invoice that could not be tested."""
    world = paying
    world.crm.add_contact(name="Customer", email="customer@example.org")
    pause.pause(world.connection, "Anna", "")
    before = len(world.crm.invoices())
    done = run(world, "test-invoice", "--contact", "customer@example.org")
    assert done.returncode == 5 and "paused" in done.stderr
    assert len(world.crm.invoices()) == before


def test_the_commands_and_the_status(paying):
    """`pause --because` and `resume` say what they did; `status` and `sync` say that it is paused."""
    world = paying
    world.has("NEW")
    said = told(world, "pause", "--because", "month's end")
    assert said["connection"] == "default" and said["paused"]["because"] == "month's end"
    assert told(world, "status")["paused"] == said["paused"]
    ended = told(world, "sync", status=5)
    assert ended["cause"] == "paused" and [one["cause"] for one in ended["held"]] == ["paused"]
    assert "month's end" in run(world, "sync").stderr
    assert told(world, "resume") == {"connection": "default", "paused": None}
    assert "is not paused" in run(world, "resume").stderr
    assert told(world, "sync")["outcomes"]["created"] == 1


def test_a_watch_rests_while_it_is_paused_and_goes_on_at_once(paying):
    """Nothing is done by itself until somebody resumes; then nobody has to wait for the next sweep."""
    world = paying
    watch = ConnectionWatch(world.connection)
    while watch.turn().step is not ScheduledStep.REST:
        continue
    world.has("NEW")
    pause.pause(world.connection, "Anna", "")
    world.later(minutes=5)
    calls = len(world.box.calls)
    assert watch.turn().step is ScheduledStep.REST
    assert len(world.box.calls) == calls
    pause.resume(world.connection, "Anna")
    while watch.turn().step is not ScheduledStep.REST:
        continue
    assert world.xero.numbers() == ["NEW"]
