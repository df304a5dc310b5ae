"""The console works in the background by itself, for as long as it runs."""

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

from console import worker_process
from console.desk.desk import Desk
from console.desk.installation import installation
from console.desk.processes import STARTED
from syncer.storage.heartbeat import watching
from tests.support.pages import Draw, seen
from tests.support.waiting import until


def test_the_watch_begins_and_ends_with_the_console(desk: Desk, monkeypatch):
    """It is there as long as the console is, and comes back when it dies."""
    monkeypatch.setenv("SYNCER_WATCH", "on")
    installation.cache_clear()
    data = desk.app.environment.data_dir
    with worker_process.at_work() as watch:
        first = until(lambda: watching(data, "default"))
        assert watch_sentence(desk).startswith("Nothing goes over by itself yet")
        worker_process.AGAIN_S, before = 0.1, worker_process.AGAIN_S
        try:
            os.kill(first.pid, signal.SIGKILL)
            second = until(lambda: (found := watching(data, "default")) and found.pid != first.pid and found)
        finally:
            worker_process.AGAIN_S = before
        assert watch is not None
    assert watching(data, "default") is None
    assert not Path(f"/proc/{second.pid}").exists() or not Path("/proc").exists()


def watch_sentence(desk: Desk) -> str:
    """What Today says of it."""
    from console.components import run_progress

    return run_progress.watch_told(desk)


def test_a_command_that_was_started_here_does_not_stay_when_it_has_ended(desk: Desk):
    """Although nobody looks at a page any more."""
    desk.start("sync")
    pid = STARTED[desk.name].process.pid
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_console_that_leaves_it_to_a_service(desk: Desk, monkeypatch):
    """SYNCER_WATCH=off: nothing is started, and nobody is waited for."""
    monkeypatch.setenv("SYNCER_WATCH", "off")
    installation.cache_clear()
    with worker_process.at_work() as watch:
        assert watch is None
    installation.cache_clear()


def test_without_a_watch_the_pages_say_so(working: Desk, draw: Draw):
    """And which delay to expect of a private integration token; with one they say how it works."""
    assert "Nobody watches: invoices go over when somebody syncs." in seen(draw("today"))
    told = seen(draw("connections"))
    assert "never a private integration token" in told and "within 2 min" in told
    folder = working.app.environment.data_dir / "watch"
    folder.mkdir()
    now = datetime.now(UTC).isoformat()
    note = {"pid": os.getpid(), "since": now, "heard_at": now, "every_s": 120, "next_at": now, "failures": 0}
    (folder / "default.json").write_text(json.dumps({**note, "shut_until": None}))
    assert "Automatic sync is on: after every change here" in seen(draw("today"))
    (folder / "default.json").write_text(json.dumps({**note, "shut_until": "2999-01-01T00:00:00+00:00"}))
    assert "calls of today are used up: it goes on at" in seen(draw("today"))
    (folder / "default.json").write_text(json.dumps({**note, "failures": 2, "shut_until": None}))
    assert "It does not get through: tried again at" in seen(draw("today"))
