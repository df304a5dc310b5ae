"""Invoices go over by themselves: a watch for every connection, for ever, until somebody says stop."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from syncer.app.installation import App, Connection
from syncer.app.notices import NoticeWatch
from syncer.app.watch import EVERY, WATCH, ConnectionWatch
from syncer.app.webhooks import connected_locations
from syncer.domain.errors import LedgerBusy, SyncerError
from syncer.domain.planning.schedule import Next, ScheduledStep
from syncer.messages import status
from syncer.storage.heartbeat import Note

TURN_S = 0.2  # between looks at the inbox and at the ledger's sign
NEW_CONNECTIONS_S = 5.0
STAND_BY_S = 1.0
UNWELL_S = 30.0
# Events that came before the door knew which locations are connected; a first reading finds what they are about.
STRANGERS_KEPT = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class Worker:
    """A watch for every connection, or for one; each in a thread of its own, so that none waits for another."""

    def __init__(
        self,
        app: App,
        only: str = "",
        every: timedelta = EVERY,
        say: Callable[[str], None] = print,
        waits_for_go: bool = False,
    ) -> None:
        self._waits_for_go = waits_for_go
        self._app = app
        self._only = only
        self._every = every
        self._say = say
        self._stopping = threading.Event()
        self._threads: dict[str, threading.Thread] = {}

    def stop(self) -> None:
        """End after the calls that are under way."""
        self._stopping.set()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch until somebody says stop; connections that are made meanwhile are watched too."""
        while not (self._stopping.is_set() or until()):
            for name in self._names():
                if name not in self._threads:
                    self._begin(name)
            self._tidy()
            deadline = time.monotonic() + NEW_CONNECTIONS_S
            while time.monotonic() < deadline and not (self._stopping.is_set() or until()):
                self._stopping.wait(TURN_S)
        self._stopping.set()
        for thread in self._threads.values():
            thread.join()

    def _names(self) -> list[str]:
        if self._only:
            return [self._only]
        with suppress(SyncerError):  # A ledger that is busy now is asked again.
            return [connection.name for connection in self._app.connections()]
        return []

    def _tidy(self) -> None:
        """Forget events of locations that nobody connected."""
        with suppress(SyncerError):
            known = connected_locations(self._app)
            self._app.inbox.drop_strangers(known, self._app.clock.now() - STRANGERS_KEPT)

    def _begin(self, name: str) -> None:
        self._threads[name] = threading.Thread(target=self._watch, args=[name], name=f"watch-{name}")
        self._threads[name].start()

    def _watch(self, name: str) -> None:
        told = False
        while not self._stopping.is_set():
            connection = Connection(self._app, name)
            try:
                with connection.alone(WATCH, 0.0):
                    self._say(f"Watching {name}.")
                    self._turns(ConnectionWatch(connection, self._every, self._stopping, self._waits_for_go))
            except LedgerBusy:
                if not told:
                    self._say(f"Another watch is at work for {name}: this one stands by, and takes over when it ends.")
                    told = True
                self._stopping.wait(STAND_BY_S)

    def _turns(self, watch: ConnectionWatch) -> None:
        note, said = Note(self._app.environment.data_dir, watch.connection.name), ""
        notices = NoticeWatch(watch.connection)
        while not self._stopping.is_set():
            try:
                planned = watch.turn()
                said = ""
            except SyncerError as failure:
                if failure.code != said:
                    self._say(f"Put off, and tried again twice a minute: {status.failure(failure.code, failure.facts)}")
                said = failure.code
                planned = self._unwell()
            except Exception:  # noqa: BLE001 — our own mistake must not end what is to run for ever; the log has it
                _log.exception("a turn of the watch of %s failed", watch.connection.name)
                planned = self._unwell()
            self._tell(notices, planned)
            failures = watch.lately.failures + watch.lately.failed_looks
            note.keep(planned, failures, watch.lately.shut_until, self._every)
            if planned.step is ScheduledStep.REST:
                self._stopping.wait(TURN_S)
        note.end()

    def _tell(self, notices: NoticeWatch, planned: Next) -> None:
        try:
            notices.turn(planned.step is not ScheduledStep.REST)
        except Exception:  # noqa: BLE001 — the sync goes on, whatever is wrong with a notice
            _log.exception("the notices of %s failed", notices.connection.name)

    def _unwell(self) -> Next:
        self._stopping.wait(UNWELL_S)
        return Next(ScheduledStep.REST, self._app.clock.now())
