"""Invoices go over by themselves: for each connection, whatever is due, for ever, until somebody says stop.

What is due is decided by `core/schedule`, from the ledger and the inbox alone. Nothing has to be remembered: a watch
that begins picks up where the one before it was, however that ended.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncer import connecting, words
from syncer.app import App, Connection
from syncer.core.schedule import FEW, Moment, Next, Step, next_step
from syncer.errors import LedgerBusy, RateLimited, SyncerError
from syncer.ports import Event
from syncer.processes import lives
from syncer.sync import Outcome

WATCH = "watch"  # whom its runs are recorded under
EVERY = timedelta(seconds=120)
TURN_S = 0.2  # between looks at the inbox and at the ledger's sign
NEW_CONNECTIONS_S = 5.0
STAND_BY_S = 1.0
UNWELL_S = 30.0
HEARTBEAT_S = 10.0
STRANGERS_KEPT = timedelta(hours=1)  # events of a location that may be about to be connected
MADE_WAY = "made_way"

_log = logging.getLogger(__name__)


@dataclass
class Lately:
    """What a watch remembers of its last runs; it is only there to wait longer after failures."""

    failures: int = 0
    failed_at: datetime | None = None
    shrunk: bool = False
    shut_until: datetime | None = None
    early: bool = True  # the last run ended before all was done; of one before this watch nothing is known
    sweep_calls: int = 0
    tried_at: datetime | None = None  # when the last run for everything began that came to its end

    def note(self, outcome: Outcome, began: datetime, now: datetime, whole: bool) -> None:
        """Learn from a run that ended; `whole`: it was for everything."""
        failure = outcome.failure
        if whole and outcome.ended == "done":
            self.tried_at = began
        self.early = outcome.ended != "done"
        self.shut_until = None
        if isinstance(failure, RateLimited) and failure.limit == "day":
            self.shut_until = now + timedelta(seconds=failure.wait_s or 3600.0)
        if failure is None or self.shut_until:
            self.failures, self.failed_at, self.shrunk = 0, None, False
            return
        self.failures += 1
        self.failed_at = now
        self.shrunk = failure.code == "source_shrunk"


@dataclass
class Watch:
    """One connection's watch. `turn` does what is due, or says until when nothing is."""

    connection: Connection
    every: timedelta = EVERY
    stopping: threading.Event = field(default_factory=threading.Event)
    waits_for_go: bool = False  # until somebody has synced the connection as a whole, it is being set up: rest
    lately: Lately = field(default_factory=Lately)
    _looked_at: datetime = field(default=datetime(2000, 1, 1, tzinfo=UTC))
    _sign: tuple[int, int, int] = (0, 0, 0)
    _next: Next | None = None
    _made_way: bool = False
    _asked_at: float = 0.0
    _location: str = ""

    def turn(self) -> Next:
        """Do the next step if it is due; raises nothing that a person could meet."""
        planned = self._plan()
        if planned.step is Step.REST or self.stopping.is_set():
            return planned
        self._looked_at = self._now()
        events = self._events() if planned.step is Step.LOOK and not planned.is_ordered else []
        self._made_way = False
        try:
            outcome = self._run(planned, events)
        except LedgerBusy:
            # Somebody else's run is at work, or the ledger is held: nothing is lost by waiting for it.
            self._looked_at = datetime(2000, 1, 1, tzinfo=UTC)
            return Next(Step.REST, self._now() + timedelta(seconds=STAND_BY_S))
        except SyncerError as failure:
            outcome = Outcome("", "failed", failure)
        self.lately.note(outcome, self._looked_at, self._now(), planned.step is not Step.LOOK)
        self._forget(events, outcome)
        return planned

    # -- what is due ----------------------------------------------------------------------------------------------

    def _plan(self) -> Next:
        """The next step; what it depends on is only looked at again when something moved or its time has come."""
        sign, now = self.connection.app.store.version(), self._now()
        waits = self._next and self._next.step is Step.REST and now < self._next.at
        if waits and sign == self._sign and not self.connection.app.inbox.waiting(self._location):
            assert self._next is not None  # noqa: S101 — it is what waits
            return self._next
        self._sign = sign
        self._next = next_step(self._moment(now))
        return self._next

    def _moment(self, now: datetime) -> Moment:
        ledger, lately = self.connection.ledger, self.lately
        since = self._since()
        due = ledger.row("due", since=since) or {}
        events, may_work = self._events(), self._may_work()
        if not may_work:
            # Nobody could act on them: the reading that comes first then finds what they are about.
            self.connection.app.inbox.drop(events)
            events = []
        return Moment(
            now=now,
            every=self.every,
            can=may_work,
            asked=tuple(dict.fromkeys(event.subject for event in events)),
            ordered=tuple(row["source_id"] for row in ledger.rows("ordered", since=since, limit=FEW + 1)),
            moved=any(at and at >= since for at in (due.get("setting_at"), due.get("order_at"))),
            left=due.get("waiting", 0) if lately.early else 0,
            retry_at=due.get("retry_at"),
            tried_at=lately.tried_at,
            swept_at=due.get("swept_at"),
            sweep_calls=lately.sweep_calls,
            shut_until=lately.shut_until,
            failures=lately.failures,
            failed_at=lately.failed_at,
            shrunk=lately.shrunk,
        )

    def _may_work(self) -> bool:
        connected = connecting.status(self.connection)["state"] == "connected"
        return connected and (not self.waits_for_go or self.connection.ledger.is_live())

    def _since(self) -> datetime:
        """When orders and settings were last taken into account: by our own last run, or by somebody else's."""
        run = self.connection.ledger.row("last_sync")
        return max(self._looked_at, run["started_at"]) if run else self._looked_at

    def _events(self) -> list[Event]:
        """The events that wait for this connection's location and were not acted on before."""
        row = self.connection.ledger.row("connection") or {}
        self._location = row.get("location_id") or ""
        waiting = self.connection.app.inbox.events(self._location)
        if not waiting:
            return []
        new = self.connection.ledger.unknown_events(waiting)
        self.connection.app.inbox.drop([event for event in waiting if event not in new])
        return new

    # -- doing it -------------------------------------------------------------------------------------------------

    def _run(self, planned: Next, events: Sequence[Event]) -> Outcome:
        # Opened anew for each run: tokens, settings and the organisation may be others than before.
        connection = Connection(self.connection.app, self.connection.name)
        try:
            return self._run_with(connection, planned, events)
        finally:
            connection.drain_calls()
            connection.close()

    def _run_with(self, connection: Connection, planned: Next, events: Sequence[Event]) -> Outcome:
        ids = set(planned.ids)
        if events:
            ids = self._subjects(connection, [event for event in events if event.subject in ids])
            if not ids:
                return Outcome("")
        only = frozenset(ids) if planned.step is Step.LOOK else frozenset[str]()
        orders = connection.orders(only=only, patient=not planned.is_ordered, goes_on=planned.step is Step.GO_ON)
        stop = self.stopping.is_set if only else self._must_stop
        outcome = connection.run(orders, WATCH, _tell_nobody, stop, 0.0, self._stopped_as)
        connecting.note_failure(connection, outcome.failure)
        if planned.step is Step.SWEEP and outcome.ended == "done":
            self.lately.sweep_calls = self._calls_of(outcome.run_id)
        return outcome

    def _subjects(self, connection: Connection, events: Sequence[Event]) -> set[str]:
        """The invoices that events are about: those they name, and those that wait of the customers they name."""
        customers = sorted({event.subject for event in events if event.about == "contact"})
        ids = {event.subject for event in events if event.about == "invoice"}
        return ids | set(connection.look_at_customers(customers) if customers else ())

    def _forget(self, events: Sequence[Event], outcome: Outcome) -> None:
        """Events that were acted on are done with; where CrocoClick could not be read they are looked at again."""
        if not events or outcome.ended == "failed" or _not_read(outcome.failure):
            return
        asked = set(self._next.ids if self._next else ())
        taken = [event for event in events if event.subject in asked]
        self.connection.ledger.take_events(taken, self._now())
        self.connection.app.inbox.drop(taken)

    def _must_stop(self) -> bool:
        """Whether a long run has to end for something more urgent: a person, or an event."""
        if self.stopping.is_set():
            return True
        if time.monotonic() - self._asked_at > 0.5:
            self._asked_at = time.monotonic()
            self._made_way = self._made_way or self.connection.is_waited_for() or self._is_asked()
        return self._made_way

    def _is_asked(self) -> bool:
        if self._events():
            return True
        return bool(self.connection.ledger.rows("ordered", since=self._looked_at, limit=1))

    def _stopped_as(self) -> str:
        return MADE_WAY if self._made_way and not self.stopping.is_set() else "stopped"

    def _calls_of(self, run_id: str) -> int:
        rows = self.connection.ledger.rows("calls_of_run", run_id=run_id)
        return sum(row["calls"] for row in rows if row["side"] == "crococlick")

    def _now(self) -> datetime:
        return self.connection.app.clock.now()


def _not_read(failure: SyncerError | None) -> bool:
    """Whether CrocoClick itself could not be asked."""
    told = f"{failure.code} {failure.facts.get('side', '')}" if failure else ""
    return "crococlick" in told


def _tell_nobody(phase: str, done: int, todo: int) -> None:
    """Nobody watches a watch; the ledger says how far its run is."""


# -- all connections ----------------------------------------------------------------------------------------------


class Watches:
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
            rows = [connection.ledger.row("connection") or {} for connection in self._app.connections()]
            known = {row.get("location_id") or "" for row in rows}
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
                    self._turns(Watch(connection, self._every, self._stopping, self._waits_for_go))
            except LedgerBusy:
                if not told:
                    self._say(f"Another watch is at work for {name}: this one stands by, and takes over when it ends.")
                    told = True
                self._stopping.wait(STAND_BY_S)

    def _turns(self, watch: Watch) -> None:
        note, said = Note(self._app.environment.data_dir, watch.connection.name), ""
        while not self._stopping.is_set():
            try:
                planned = watch.turn()
                said = ""
            except SyncerError as failure:
                if failure.code != said:
                    self._say(f"Put off, and tried again twice a minute: {words.failure(failure.code, failure.facts)}")
                said = failure.code
                planned = self._unwell()
            except Exception:  # noqa: BLE001 — our own mistake must not end what is to run for ever; the log has it
                _log.exception("a turn of the watch of %s failed", watch.connection.name)
                planned = self._unwell()
            note.keep(planned, watch.lately, self._every)
            if planned.step is Step.REST:
                self._stopping.wait(TURN_S)
        note.end()

    def _unwell(self) -> Next:
        self._stopping.wait(UNWELL_S)
        return Next(Step.REST, self._app.clock.now())


class Note:
    """What a watch says of itself in a file, for the console and for whoever asks whether all is well."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self._path = data_dir / "watch" / f"{name}.json"
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._since = datetime.now(UTC)
        self._kept: tuple[Any, ...] = ()
        self._kept_at = 0.0

    def keep(self, planned: Next, lately: Lately, every: timedelta) -> None:
        """Write down what comes next, where that is news, and now and then that the watch is alive."""
        news = (planned.step, planned.at, lately.failures, lately.shut_until)
        if news == self._kept and time.monotonic() - self._kept_at < HEARTBEAT_S:
            return
        self._kept, self._kept_at = news, time.monotonic()
        told = {
            "pid": os.getpid(),
            "since": self._since,
            "heard_at": datetime.now(UTC),
            "every_s": every.total_seconds(),
            "step": str(planned.step),
            "next_at": planned.at,
            "failures": lately.failures,
            "shut_until": lately.shut_until,
        }
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        part.write_text(json.dumps(told, default=datetime.isoformat), encoding="utf-8")
        part.replace(self._path)

    def end(self) -> None:
        """Nobody watches any more."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Watching:
    """What a watch last said of itself; times are UTC."""

    pid: int
    since: datetime
    heard_at: datetime
    every: timedelta
    next_at: datetime
    failures: int
    shut_until: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Whether it was heard of lately; a run that is at work may keep it silent."""
        return now - self.heard_at < timedelta(seconds=6 * HEARTBEAT_S) or lives(self.pid)


def watching(data_dir: Path, name: str) -> Watching | None:
    """What the watch of a connection last said; None where there is none."""
    try:
        told = json.loads((data_dir / "watch" / f"{name}.json").read_text(encoding="utf-8"))
        return Watching(
            pid=int(told["pid"]),
            since=datetime.fromisoformat(told["since"]),
            heard_at=datetime.fromisoformat(told["heard_at"]),
            every=timedelta(seconds=told["every_s"]),
            next_at=datetime.fromisoformat(told["next_at"]),
            failures=int(told["failures"]),
            shut_until=datetime.fromisoformat(told["shut_until"]) if told["shut_until"] else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
