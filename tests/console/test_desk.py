"""What is ordered from the desk really happens, in processes of their own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.desk.desk import Desk
from console.desk.installation import installation
from sandbox.server import Sandbox
from tests.support.waiting import until


@pytest.fixture
def month_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Two thousand invoices to bring over, each call to Xero taking its time."""
    with Sandbox(world="month-end", limits=False, latency_ms=300) as box:
        for name, value in {**box.environment(), "SYNCER_DATA_DIR": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        installation.cache_clear()
        desk = Desk(installation())
        consent = desk.consent_url()
        tenant = next(iter(box.sim.xero.books))
        back = httpx.post(consent, data={"organisation": tenant, "decision": "allow"}).headers["location"]
        desk.finish_consent(dict(httpx.URL(back).params), back.split("?")[0])
        desk.change_setting("revenue_account", "706")
        yield desk
    installation.cache_clear()


def test_a_sync_that_cannot_begin_says_why(desk: Desk):
    """The process ends at once; its sentence reaches the screen, once."""
    with desk.connection.alone():
        desk.start_sync()
        until(lambda: not desk.starting())
    assert desk.refusal() == "A sync of this connection is at work already. Wait until it has finished."
    assert desk.refusal() == ""


def test_a_run_is_watched_and_stopped(month_end: Desk):
    """It works in a process of its own; Stop lets it finish what is under way, and nothing is left open."""
    month_end.start_sync()
    until(month_end.at_work)
    until(lambda: (run := month_end.at_work()) and run["phase"] == "invoices" and run["done"] > 0)
    run = month_end.at_work()
    assert run
    assert run["todo"] == 2000
    month_end.stop(run)
    until(lambda: month_end.at_work() is None)
    ended = month_end.run(run["run_id"])
    assert ended
    assert ended["ended"] == "stopped"
    assert 0 < ended["outcomes"]["created"] < 2000
    assert not month_end.ledger.open_attempts()
    assert month_end.paused(), "nothing begins again before somebody resumes"
    until(lambda: not month_end.starting())
    assert not month_end.can_sync()
    month_end.resume()
    assert month_end.can_sync()


def test_two_orders_are_one_sync(month_end: Desk):
    """Pressing twice starts one process."""
    month_end.start_sync()
    month_end.start_sync()
    until(month_end.at_work)
    month_end.stop(month_end.at_work() or {})
    until(lambda: month_end.at_work() is None and not month_end.starting())
    assert len(month_end.runs()) == 1
