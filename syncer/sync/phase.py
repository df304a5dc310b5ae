"""What the steps of one run share: its doors, its rules, the deciding and the sending."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from syncer.domain.model.books import Books
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning.actions import Action, Do
from syncer.domain.planning.plan import plan_all
from syncer.storage.ledger.records import TrackedInvoice
from syncer.sync.context import RunContext, RunOptions, Tell
from syncer.sync.outbox import Batch, Outbox, WriteKind
from syncer.sync.snapshot import Snapshot, take_snapshot, verdict
from syncer.sync.writes.write_set import Writes

MANY = 200  # records: a phase with as many may take a while
SOON_S = 0.5


class RunPhase:
    """One run's means: what there is to do, what is decided about it, and how batches are sent."""

    def __init__(
        self, run_id: str, doors: RunContext, rules: Rules, orders: RunOptions, tell: Tell, stop: Callable[[], bool]
    ) -> None:
        self.run_id = run_id
        self.doors = doors
        self.ledger = doors.ledger
        self.rules = rules
        self.orders = orders
        self.stop = stop
        self.began = doors.clock.now()
        self._tell = tell
        self._said_at = time.monotonic()
        self._waves = Outbox(
            doors.ledger, run_id, doors.clock, orders.in_flight, doors.new_call_id, doors.drain_calls
        )  # fmt: skip

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.doors.clock.now()

    def flush(self) -> None:
        """Commit what came back and has not been committed yet."""
        self._waves.flush()

    def commit_phase(self, phase: str, done: int = 0, todo: int = 0) -> None:
        """Say how far the run is, in the ledger too where somebody could have the time to read it there."""
        told = self.say(phase, done, todo)
        if todo >= MANY or time.monotonic() - self._said_at >= SOON_S:
            self._waves.flush(told)
            self._said_at = time.monotonic()

    def say(self, phase: str, done: int = 0, todo: int = 0) -> dict[str, Any]:
        """Report progress to the caller; returns what the ledger is to keep of it."""
        self._tell(phase, done, todo)
        return {"phase": phase, "done": done, "todo": todo}

    def workload(self) -> list[TrackedInvoice]:
        """Every invoice that has to be looked at, of those that this run is for."""
        workload = self.ledger.workload(sorted(self.orders.only))
        if self.orders.patient:
            now = self.now()
            return [known for known in workload if known.retry_at is None or known.retry_at <= now]
        return workload

    def decide(self, workload: Sequence[TrackedInvoice], books: Books) -> tuple[list[Action], Snapshot]:
        """What each of these invoices needs, and what that depended on."""
        seen = take_snapshot(self.ledger, self.rules, books, workload, self.orders.only)
        return plan_all([known.invoice for known in workload], seen.scene, seen.owners), seen

    def perform(self, todo: Sequence[Batch], kind: WriteKind, phase: str, records: int, before: int = 0) -> None:
        """Send all batches, part of so many records of which some were sent `before`; raises what stopped it early."""
        if not todo:
            return
        failure = self._waves.perform(todo, kind, lambda done: self.say(phase, before + done, records), self.stop)
        if failure:
            raise failure

    def look_again(self, writes: Writes, books: Books) -> None:
        """What Xero refused because of a document or contact that is not what we thought: look, and decide anew."""
        contacts = sorted(set(writes.doubtful_contacts))
        if not writes.doubtful_invoices and not contacts:
            return
        writes.look_at_contacts(contacts)
        self.look_at_invoices(writes.doubtful_invoices)
        held = [known for known in self.workload() if known.state == "held" and known.standing.refused_stamp]
        actions, _ = self.decide(held, books)
        decided = [verdict(action) for action in actions if action.do is Do.HOLD]
        self.ledger.settle_verdicts(self.run_id, decided, self.now())

    def look_at_invoices(self, ids: Sequence[str]) -> None:
        """What Xero has of these documents now, taken into the mirror."""
        if ids:
            heads = self.doors.accounts.invoices_with_ids(sorted(set(ids)))
            self.ledger.mirror(self.now(), invoices=heads)
