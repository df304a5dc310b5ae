"""One connection's watch: whatever is due is done, and nothing before.

What is due is decided by `domain/planning/schedule`, from the ledger and the inbox alone. Nothing has to be
remembered: a watch that begins picks up where the one before it was, however that ended.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from syncer.app import consent, jobs, pause
from syncer.app.installation import Connection
from syncer.domain.errors import LedgerBusy, RateLimited, SyncerError, TryLater
from syncer.domain.planning.schedule import FEW, Next, ScheduledStep, ScheduleInput, next_step
from syncer.domain.ports import Event
from syncer.sync.run import RunOutcome

WATCH = "watch"  # the name that its runs are recorded under
EVERY = timedelta(seconds=120)
BUSY_AGAIN_S = 1.0
MADE_WAY = "made_way"
TRIES = 2  # of an event
NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # before anything that a ledger holds


@dataclass
class Lately:
    """What a watch remembers of its last runs; it is only there to wait longer after failures."""

    failures: int = 0  # of runs for everything, in a row
    failed_at: datetime | None = None
    failed_looks: int = 0  # of looks at what events named, in a row
    look_failed_at: datetime | None = None
    shrunk: bool = False
    shut_until: datetime | None = None
    early: bool = True  # the last run ended before all was done; of one before this watch nothing is known
    sweep_calls: int = 0
    tried_at: datetime | None = None  # when the last run for everything began that came to its end

    def note(self, outcome: RunOutcome, began: datetime, now: datetime, whole: bool) -> None:
        """Learn from a run that ended; `whole`: it was for everything."""
        failure = outcome.failure
        # A payment that it is too early to look for leaves nothing else undone: the next sweep looks.
        in_doubt = failure is not None and failure.code == "answer_lost"
        is_done = outcome.ended == "done" or in_doubt
        if whole and is_done:
            self.tried_at = began
        # A look at a few that came to its end says nothing of what a run before it has left.
        self.early = not is_done or (self.early and not whole)
        self.shut_until = None
        if isinstance(failure, RateLimited) and failure.limit == "day":
            self.shut_until = now + timedelta(seconds=failure.wait_s or 3600.0)
        well = failure is None or self.shut_until or in_doubt
        if not whole:
            self.failed_looks, self.look_failed_at = (0, None) if well else (self.failed_looks + 1, now)
            return
        if well or failure is None:
            self.failures, self.failed_at, self.shrunk = 0, None, False
            return
        self.failures += 1
        self.failed_at = now
        self.shrunk = failure.code == "source_shrunk"


@dataclass
class ConnectionWatch:
    """One connection's watch. `turn` does what is due, or says until when nothing is."""

    connection: Connection
    every: timedelta = EVERY
    stopping: threading.Event = field(default_factory=threading.Event)
    waits_for_go: bool = False  # until somebody has synced the connection as a whole, it is being set up: rest
    lately: Lately = field(default_factory=Lately)
    _looked_at: datetime = NEVER
    _sign: tuple[int, int, int] = (0, 0, 0)
    _next: Next | None = None
    _made_way: bool = False
    _failed: Counter[str] = field(default_factory=Counter)  # how many runs each waiting event has failed
    _asked_at: float = 0.0
    _location: str = ""

    def turn(self) -> Next:
        """Do the next step if it is due; raises nothing that a person could meet."""
        planned = self._plan()
        if planned.step is ScheduledStep.REST or self.stopping.is_set():
            return planned
        self._looked_at = self._now()
        events = self._events() if planned.step is ScheduledStep.LOOK and not planned.is_ordered else []
        self._made_way = False
        try:
            outcome = self._run(planned, events)
        except LedgerBusy:
            # Somebody else's run is at work, or the ledger is held: nothing is lost by waiting for it.
            self._looked_at = NEVER
            return Next(ScheduledStep.REST, self._now() + timedelta(seconds=BUSY_AGAIN_S))
        except SyncerError as failure:
            outcome = RunOutcome("", "failed", failure)
        self.lately.note(outcome, self._looked_at, self._now(), planned.step is not ScheduledStep.LOOK)
        self._forget(events, outcome)
        return planned

    # -- what is due ----------------------------------------------------------------------------------------------

    def _plan(self) -> Next:
        """The next step; what it depends on is only looked at again when something moved or its time has come."""
        sign, now = self.connection.app.store.version(), self._now()
        waits = self._next and self._next.step is ScheduledStep.REST and now < self._next.at
        if waits and sign == self._sign and not self.connection.app.inbox.waiting(self._location):
            assert self._next is not None  # noqa: S101 — it is what waits
            return self._next
        self._sign = sign
        self._next = next_step(self._moment(now))
        return self._next

    def _moment(self, now: datetime) -> ScheduleInput:
        ledger, lately = self.connection.ledger, self.lately
        since = self._since()
        due = ledger.row("due", since=since) or {}
        events, may_work = self._events(), self._may_work()
        if not may_work:
            # Nobody could act on them: the reading that comes first then finds what they are about.
            self.connection.app.inbox.drop(events)
            events = []
        return ScheduleInput(
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
            failed_looks=lately.failed_looks,
            look_failed_at=lately.look_failed_at,
            shrunk=lately.shrunk,
        )

    def _may_work(self) -> bool:
        connected = consent.status(self.connection)["state"] == "connected"
        if pause.paused(self.connection.ledger):
            return False
        return connected and (not self.waits_for_go or self.connection.ledger.is_live())

    def _since(self) -> datetime:
        """When orders and settings were last taken into account: by our own last run, or by somebody else's."""
        run, now = self.connection.ledger.row("last_sync"), self._now()
        # What lies in the future was noted by a clock that was ahead.
        moments = [self._looked_at, *([run["started_at"]] if run else [])]
        return max([at for at in moments if at <= now], default=NEVER)

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

    def _run(self, planned: Next, events: Sequence[Event]) -> RunOutcome:
        # Opened anew for each run: tokens, settings and the organisation may be others than before.
        connection = Connection(self.connection.app, self.connection.name)
        try:
            return self._run_with(connection, planned, events)
        finally:
            connection.drain_calls()
            connection.close()

    def _run_with(self, connection: Connection, planned: Next, events: Sequence[Event]) -> RunOutcome:
        ids = set(planned.ids)
        if events:
            ids = self._subjects(connection, [event for event in events if event.subject in ids])
            if not ids:
                return RunOutcome("")
        only = frozenset(ids) if planned.step is ScheduledStep.LOOK else frozenset[str]()
        orders = connection.orders(
            only=only, patient=not planned.is_ordered, goes_on=planned.step is ScheduledStep.GO_ON
        )
        stop = self.stopping.is_set if only else self._must_stop
        outcome = jobs.run(connection, orders, WATCH, _tell_nobody, stop, 0.0, self._stopped_as)
        consent.note_failure(connection, outcome.failure)
        if planned.step is ScheduledStep.SWEEP and outcome.ended == "done":
            self.lately.sweep_calls = self._calls_of(outcome.run_id)
        return outcome

    def _subjects(self, connection: Connection, events: Sequence[Event]) -> set[str]:
        """The invoices that events are about: those they name, and those that wait of the customers they name."""
        customers = sorted({event.subject for event in events if event.about == "contact"})
        ids = {event.subject for event in events if event.about == "invoice"}
        return ids | set(jobs.look_at_customers(connection, customers) if customers else ())

    def _forget(self, events: Sequence[Event], outcome: RunOutcome) -> None:
        """Events that were acted on are done with; while CrocoClick does not answer at all they wait.

        One that failed two runs is let go, so that it stands in nobody's way: the next reading finds what it was about.
        """
        asked = set(self._next.ids if self._next else ())
        taken = [event for event in events if event.subject in asked]
        if isinstance(outcome.failure, TryLater) and _not_read(outcome.failure):
            return
        if outcome.ended == "failed" or _not_read(outcome.failure):
            self._failed.update(event.id for event in taken)
            taken = [event for event in taken if self._failed[event.id] >= TRIES]
        if not taken:
            return
        for event in taken:
            self._failed.pop(event.id, None)
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
