"""The order of work of one run: settle what is open, read, plan, act in batches, record.

A run may be stopped at any moment, by a person, a crash or a limit: the next one begins by settling what is open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from syncer.domain.errors import HaltRun, SyncerError, TryLater
from syncer.domain.model.books import Books
from syncer.domain.model.problems import CAUSES, Cure
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning.actions import Do
from syncer.domain.ports import Unreadable
from syncer.storage.ledger.records import TrackedInvoice
from syncer.sync.context import Foreseen, RunContext, RunOptions, Tell
from syncer.sync.documents import OVER, Documents
from syncer.sync.ingest import Reading
from syncer.sync.payments import Payments
from syncer.sync.phase import RunPhase
from syncer.sync.reconcile import Reconciliation

BOOKS_CALLS = 5  # by which the organisation's settings are read


@dataclass
class RunOutcome:
    """What a run came to; `ended` is done, deferred, stopped, made_way or failed."""

    run_id: str
    ended: str = "done"
    failure: SyncerError | None = None
    unreadable: list[Unreadable] = field(default_factory=list)
    left_out: Sequence[Unreadable] = ()  # of Xero's records


@dataclass(frozen=True)
class Seen:
    """What a look at both sides found besides what the ledger took in; None: not asked for."""

    books: Books
    unreadable: Sequence[Unreadable] = ()
    sees_payments: bool | None = None


class Run:
    """One pass over one connection. `perform` does all of it; the other methods are its steps, in order."""

    def __init__(
        self,
        run_id: str,
        doors: RunContext,
        rules: Rules,
        orders: RunOptions,
        tell: Tell = lambda phase, done, todo: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.outcome = RunOutcome(run_id)
        self._ledger = doors.ledger
        self._accounts = doors.accounts
        self._orders = orders
        self._work = RunPhase(run_id, doors, rules, orders, tell, stop)
        self._reading = Reading(
            run_id, doors, orders, self._work.commit_phase, tell, stop, reads_tracking=bool(rules.tracking)
        )
        self._settling = Reconciliation(run_id, doors, self._reading, self._work.commit_phase)
        self._documents = Documents(self._work, self._reading)
        self._payments = Payments(self._work, self._reading)

    def perform(self) -> RunOutcome:
        """Do everything; what stops the run early is in the outcome, our own mistakes are raised."""
        return self._ended(lambda: self._end_doubts(self._steps()))

    def rebuild(self) -> RunOutcome:
        """Read both sides and bind what of ours stands in Xero; neither is written to. It ends as `perform` does."""
        return self._ended(self._find_again)

    def _ended(self, do: Callable[[], None]) -> RunOutcome:
        try:
            do()
            if self._work.stop():
                self.outcome.ended = "stopped"
        except TryLater as failure:
            self.outcome.ended, self.outcome.failure = "deferred", failure
        except HaltRun as failure:
            self.outcome.ended = "deferred" if failure.code == "source_shrunk" else "failed"
            self.outcome.failure = failure
        except SyncerError as failure:
            self.outcome.ended, self.outcome.failure = "failed", failure
        finally:
            self.outcome.unreadable = self._reading.unreadable
            self.outcome.left_out = self._accounts.drain_left_out()
            self._work.flush()
        return self.outcome

    def _steps(self) -> Books | None:
        """Read, decide and write; returns the books, None where nothing was to be done."""
        self._settling.settle()
        if not (workload := self._read()) or self._orders.reads_only or self._work.stop():
            return None
        books = self._bring_books(workload)
        self._payments.read_early(workload)
        books = self._documents.prepare(workload, books)
        self._payments.recognise()
        self._payments.recount(books)
        self._payments.take_off(books)
        self._write(books)
        if self._documents.old_ones and not self._work.stop():
            with self._accounts.leaving(self._orders.left_to_daily_work):
                self._write(books, old=True)
        return books

    def _find_again(self) -> None:
        """What a first run does before it writes, and the decisions that it would write down."""
        self._reading.is_new_ledger = True  # also where an earlier try was cut off
        if not (workload := self._read()) or self._work.stop():
            return
        books = self._bring_books(workload)
        self._documents.find_again(workload, books)
        self._payments.recognise()
        if not self._work.stop():
            self._documents.record(books)
            self._payments.record(books)

    def _write(self, books: Books, old: bool = False) -> None:
        """Documents, then their payments; once more where what came back, or what is paid, changes a decision."""
        self._documents.write(books, old)
        if self._work.stop():
            return
        before = self._reading.extra_reads
        self._payments.carry(books)
        learnt = self._reading.extra_reads > before
        if not self._work.stop() and self._documents.look_at_undecided(books, learnt):
            self._payments.take_off(books)
            self._documents.write(books)
            if not self._work.stop():
                self._payments.carry(books)

    def _end_doubts(self, books: Books | None) -> None:
        """Look for what was sent without an answer; raises TryLater where that cannot be known yet."""
        if self._work.stop():
            return
        if self._ledger.open_attempts():
            self._settling.settle()
            if books is not None:
                # What has arrived after all may have payments that were waiting for it.
                self._payments.carry(books)
        if self._settling.failure:
            # What could be done is done; whether some writes arrived is asked again by the next run.
            raise self._settling.failure
        self._settling.wait_for_payments(self._orders.only)

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name or an email; returns how many invoices that is."""
        return self._reading.search(what)

    def look(self) -> Seen:
        """Read both sides and write to neither: what a preview needs."""
        books = self._bring_books(self._read())
        sees_payments = self._reading.payments() if self._orders.fresh else None
        if sees_payments:
            self._payments.read_missing()
        self._work.flush()
        return Seen(books, self._reading.unreadable, sees_payments)

    def foresee(self) -> Foreseen:
        """Read what this run would read, and write to neither side: what a preview needs besides the ledger."""
        self._settling.settle()
        workload = self._read()
        books = self._bring_books(workload)
        self._documents.recall(workload, books)
        sees_payments = self._payments.foresee(workload)
        self._payments.recognise()
        actions, _ = self._work.decide(self._work.workload(), books)
        self._work.look_at_invoices([action.xero_id for action in actions if action.do in OVER])
        looks = self._payments.foresee_looks(books) if sees_payments else 0
        counted = [action.xero_id for action in actions if action.do is Do.RECOUNT]
        payments = {xero_id: self._accounts.payments_of(xero_id) for xero_id in counted}
        self._work.flush()
        since = self._work.now().date() - timedelta(days=self._orders.recent_days)
        return Foreseen(payments, self._reads(workload) + looks, sees_payments, None if self._orders.only else since)

    def _reads(self, workload: Sequence[TrackedInvoice]) -> int:
        """Xero calls by which a run reads anew what was read a moment ago."""
        waits_for = {cure for known in workload for cure in _cures(known)}
        full = self._orders.full
        lists = [full, full, Cure.CONTACTS in waits_for, Cure.DOCUMENT in waits_for]
        books = BOOKS_CALLS + bool(self._work.rules.tracking)
        return sum(lists) + (books if full or Cure.BOOKS in waits_for else 0)

    def _read(self) -> list[TrackedInvoice]:
        """Bring our picture of both sides up to date; answers with what there is to do."""
        self._reading.crococlick()
        if self._work.stop():
            return []
        self._ledger.take_customers(self._work.now())
        self._reading.daily()
        return self._work.workload()

    def _bring_books(self, workload: Sequence[TrackedInvoice]) -> Books:
        """The organisation's settings, contacts and invoice heads, read again only where something depends on it."""
        self._work.commit_phase("planning", 0, len(workload))
        # A patient run does not ask again for what is held as before: the day's reading tells whether anything moved.
        asked = [known for known in workload if known.is_asked_for or not self._orders.patient]
        waits_for = {cure for known in asked for cure in _cures(known)}
        fresh = self._orders.fresh
        books = self._reading.books(again=fresh or self._orders.full or Cure.BOOKS in waits_for)
        self._reading.contacts(again=fresh or Cure.CONTACTS in waits_for)
        self._reading.invoices(again=fresh or Cure.DOCUMENT in waits_for)
        return books


def _cures(known: TrackedInvoice) -> frozenset[Cure]:
    cause = CAUSES.get(known.cause or "")
    return cause.cures if cause else frozenset()
