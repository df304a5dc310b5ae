"""Bringing our picture of both sides up to date: as seldom as is safe, in portions as they come."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from syncer.domain.errors import HaltRun, Reconnect, Unavailable
from syncer.domain.model.books import Books, books_from, books_text
from syncer.domain.model.invoice import NO_ANSWER, Invoice, without_answer
from syncer.domain.model.payment import Payment
from syncer.domain.ports import Page, Unreadable
from syncer.sync.context import DAILY, FEW, OVERLAP, SHRUNK_TO, RunContext, RunOptions, Tell

T = TypeVar("T")
_AN_ID = re.compile("[0-9a-f]{24}")

OPEN_STATUSES = ("draft", "sent", "payment_processing", "partially_paid")
PAUSE = timedelta(minutes=90)  # without any reading: a ledger that was put back shows at least as long a pause
SEE_AT_ONCE = 2000
ROWS_A_CALL = 99  # rows that a page of the list adds: pages overlap by one
ASK_AT_MOST = 200  # single invoices a run, of those that a list did not show


class Reading:
    """The reads of one run; `say` commits a phase and what the calls left behind, `tell` only shows it."""

    def __init__(
        self,
        run_id: str,
        doors: RunContext,
        orders: RunOptions,
        say: Callable[[str, int, int], None],
        tell: Tell,
        stop: Callable[[], bool],
        reads_tracking: bool = False,
    ) -> None:
        self.unreadable: list[Unreadable] = []
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._orders = orders
        self._reads_tracking = reads_tracking  # whether a setting needs the tracking categories
        self._say = say
        self._tell = tell
        self._stop = stop
        self._shown: set[str] = set()  # invoices that this run has looked at
        self._transactions: bool | None = None  # whether this run has read them
        self._is_whole = False  # all of them, not only the latest
        self.extra_reads = 0  # of transactions besides the latest: of some customers, or of all
        self._began = doors.clock.now()
        self._sealed = False
        # Whether CrocoClick was never read whole: a ledger that is new, or was lost.
        self.is_new_ledger = self._ledger.watermark("crococlick_all") is None

    def _now(self) -> datetime:
        return self._doors.clock.now()

    def crococlick(self) -> None:
        """Bring our picture of CrocoClick up to date: what may still move and what is recent, once a day everything."""
        self._notice_pause()
        self._notice_copy()
        if self._orders.only:
            self._look_at(sorted(self._orders.only))
            return
        if self._orders.goes_on:
            return
        started = self._now()
        last = self._watermark("crococlick_all")
        if self._orders.full or last is None or started - last >= DAILY:
            self._everything(started)
            return
        for status in OPEN_STATUSES:
            self._sweep({"status": status})
        self._sweep({"since": started.date() - timedelta(days=self._orders.recent_days)})
        self._look_at_departed()
        if not self._stop():
            self._ledger.see(self._run_id, (), self._now(), {"crococlick": started})

    def _everything(self, started: datetime) -> None:
        shown = self._sweep({})
        if self._stop():
            return
        # What was new is in the ledger by now, whatever the reading looks like.
        self._shrunk(len(shown))
        self._ledger.see(self._run_id, (), self._now(), {"crococlick_all": started, "crococlick": started})
        self._missing(started)
        self.payments(everything=True)

    def _watermark(self, name: str) -> datetime | None:
        return self._ledger.watermark(name, self._now())

    def daily(self) -> None:
        """Once a day, or when asked, see what others changed in Xero: contacts, invoices, payments on them."""
        for name, read in (("xero_contacts", self.contacts), ("xero_invoices", self.invoices)):
            if self._ledger.watermark(name):
                read(again=self._orders.full)
        self._ledger.end_skips(self._now().date(), self._now())

    def _missing(self, since: datetime) -> None:
        """Ask for each invoice that is in Xero and that a reading of everything did not show."""
        unseen = self._ledger.rows("missing_bound", since=since, now=self._now(), limit=ASK_AT_MOST)
        self._ask_for([row["source_id"] for row in unseen])

    def _look_at_departed(self) -> None:
        """Look at what was open at the last look and is in no list now: it was paid, voided or deleted, at any age."""
        if self._stop():
            return
        departed = [row for row in self._ledger.rows("still_open") if row["source_id"] not in self._shown]
        self._look_at([row["source_id"] for row in departed if self._is_due(row)])

    def _is_due(self, row: Mapping[str, Any]) -> bool:
        """Whether to look again: where nobody waits, at what cannot be read after pauses that double."""
        if not self._orders.patient or row["cause"] != "invoice_unreadable":
            return True
        waited, now = row["seen_at"] - row["changed_at"], self._now()
        return bool(not row["seen_at"] < now or now - row["seen_at"] >= min(waited, DAILY))

    def _look_at(self, ids: Sequence[str]) -> None:
        """Look at these invoices one by one, or by the list of all where that takes fewer calls."""
        living = self._ledger.row("living")
        if not self._orders.only and len(ids) > (living["invoices"] if living else 0) // ROWS_A_CALL + 1:
            shown = self._sweep({})
            if self._stop():
                return
            self._shrunk(len(shown))
            ids = [source_id for source_id in ids if source_id not in self._shown][:ASK_AT_MOST]
        self._ask_for(ids)

    def _ask_for(self, ids: Sequence[str]) -> None:
        """Ask for these invoices by their ids; what came is taken in, even where a later call fails."""
        answers: dict[str, Invoice | Unreadable | None] = {}
        try:
            for source_id in ids:
                if self._stop():
                    break
                answers[source_id] = self._answer_for(source_id)
        finally:
            self._take_in(answers)

    def _answer_for(self, source_id: str) -> Invoice | Unreadable | None:
        """The invoice, None where CrocoClick has it no more, or why it is put aside: the others are looked at."""
        try:
            return self._doors.crm.invoice(source_id)
        except (HaltRun, Unavailable) as failure:
            # Raises where it is not this invoice, but CrocoClick as a whole that does not answer.
            self._doors.crm.location()
            status = failure.facts.get("status")
            reason = failure.facts.get("message") or (f"status {status}" if status else "no answer")
        return Unreadable(source_id, "", NO_ANSWER, str(reason)[:200])

    def _take_in(self, answers: Mapping[str, Invoice | Unreadable | None]) -> None:
        aside = {key: one for key, one in answers.items() if isinstance(one, Unreadable)}
        known = {row["source_id"] for row in self._ledger.rows("invoices_by_id", ids=list(aside))} if aside else set()
        self._report([one for key, one in aside.items() if key not in known])
        invoices = [one for one in answers.values() if isinstance(one, Invoice)]
        invoices += [without_answer(key, one.reason) for key, one in aside.items() if key in known]
        self._shown.update(one.source_id for one in invoices)
        if invoices:
            self._ledger.see(self._run_id, invoices, self._now())
        if gone := [key for key, one in answers.items() if one is None]:
            self._ledger.miss(self._run_id, gone, self._now())

    def _report(self, unreadable: Sequence[Unreadable]) -> None:
        """Keep records that cannot be read, for the run's result; the same record may come twice."""
        self.unreadable += [one for one in unreadable if one not in self.unreadable]

    def _shrunk(self, shown: int) -> None:
        """Raise HaltRun where far fewer invoices are shown than before, unless a person said that it is so."""
        last = self._ledger.watermark("crococlick_all")
        known = self._ledger.row("living")
        before = known["invoices"] if known else 0
        if last is None or before < FEW or shown >= before * SHRUNK_TO:
            return
        confirmed = self._ledger.row("order_given", what="order_confirm_shrink")
        if confirmed and confirmed["at"] and confirmed["at"] >= (last if last <= self._now() else self._now() - DAILY):
            return
        raise HaltRun("source_shrunk", seen=shown, before=before)

    def payments(self, everything: bool = False) -> bool:
        """Bring transactions up to date, once a run; False where the token may not see them."""
        if self._transactions is not None:
            return self._transactions
        last = self._watermark("payments")
        since = None if everything or last is None else (last - DAILY).date()
        self._transactions = self._read_payments(since)
        return self._transactions

    def all_payments(self) -> None:
        """Every transaction, where this run has not read them all: what is missing may be anybody's and of any day."""
        if not self._is_whole:
            self._read_payments(None)
            self.extra_reads += 1

    def note_payments(self) -> None:
        """From here on what invoices say is paid and what their transactions come to are known of one moment."""
        if not self._stop():
            self._ledger.see(self._run_id, (), now := self._now(), {"payments_looked_at": now})

    def _read_payments(self, since: date | None) -> bool:
        started = self._now()
        try:
            found = self._payments_in(self._doors.crm.payments(since))
        except Reconnect as refused:
            if refused.code != "crococlick_scope_missing":
                raise
            return False
        self._ledger.see_payments(found, started, {"payments": started})
        if since is None:
            self._ledger.miss_payments(found, started)
            self._is_whole = True
        self._look_where_payments_moved()
        return True

    def payments_of(self, contact_ids: Sequence[str]) -> None:
        """All transactions of some contacts: one that was dated back does not show among the latest."""
        if not contact_ids:
            return
        found = [one for key in contact_ids for one in self._payments_in(self._doors.crm.payments(contact_id=key))]
        self._ledger.see_payments(found, now := self._now(), {"payments_of": now})
        self._ledger.miss_payments(found, self._now(), contact_ids)
        self._look_where_payments_moved()
        self.extra_reads += 1

    def _payments_in(self, pages: Iterable[Page[Payment]]) -> list[Payment]:
        found: list[Payment] = []
        for page in pages:
            found += page.items
            self._report(page.unreadable)
        return found

    def _look_where_payments_moved(self) -> None:
        """What an invoice says is paid is older than its transactions: look at it before anybody judges the two."""
        self._look_at([row["source_id"] for row in self._ledger.rows("not_looked_at_since", limit=ASK_AT_MOST)])

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name, an email or an id; returns how many invoices that is."""
        found = [invoice for page in self._doors.crm.invoices(search=what) for invoice in page.items]
        if not found and _AN_ID.fullmatch(what) and (invoice := self._doors.crm.invoice(what)):
            found = [invoice]  # Whether the search looks at ids too is nowhere written.
        self._ledger.see(self._run_id, found, self._now())
        return len(found)

    def _sweep(self, which: Mapping[str, Any]) -> set[str]:
        """Read a list to its end, in portions that the ledger takes as they come; returns the ids that it shows."""
        part: list[Invoice] = []
        shown: set[str] = set()
        for page in self._doors.crm.invoices(**which):
            part += page.items
            shown.update(one.source_id for one in page.items)
            self._report(page.unreadable)
            if len(part) >= SEE_AT_ONCE:
                self._ledger.see(self._run_id, part, self._now())
                self._say("reading", len(shown), page.total or 0)
                part = []
            self._tell("reading", len(shown), page.total or 0)
            if self._stop():
                break
        if part:
            self._ledger.see(self._run_id, part, self._now())
        self._say("reading", len(shown), len(shown))
        self._shown |= shown
        return shown

    def books(self, again: bool) -> Books:
        """The organisation's settings, at most a day old."""
        kept = self._ledger.row("books")
        if kept and not again and timedelta(0) <= self._now() - kept["read_at"] < DAILY:
            return self._with_tracking(books_from(kept["content"]), kept["read_at"])
        books = self._doors.accounts.books()
        if self._reads_tracking:
            books = replace(books, tracking=tuple(self._doors.accounts.tracking()))
        if kept and (before := books_from(kept["content"])) == replace(books, refused=before.refused):
            # What Xero would not create it would not create now.
            books = before
        self._ledger.mirror(self._now(), reached=["books"], books=books_text(books))
        return books

    def _with_tracking(self, books: Books, read_at: datetime) -> Books:
        """The same, with the tracking categories where a setting has come to need them since they were read."""
        if books.tracking is not None or not self._reads_tracking:
            return books
        books = replace(books, tracking=tuple(self._doors.accounts.tracking()))
        self._ledger.mirror(read_at, books=books_text(books))  # all else is as old as it was
        return books

    def contacts(self, again: bool) -> None:
        """Bring the mirror of Xero's contacts up to date, at most once a day unless asked again."""
        since, started = self._watermark("xero_contacts"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page, last in _with_last(self._doors.accounts.contacts(since - OVERLAP if since else None)):
            self._ledger.mirror(started, contacts=page.items, reached=["xero_contacts"] if last else ())

    def invoices(self, again: bool) -> None:
        """Bring the mirror of Xero's sales invoices up to date, at most once a day unless asked again."""
        since, started = self._watermark("xero_invoices"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page, last in _with_last(self._doors.accounts.invoice_heads(since - OVERLAP if since else None)):
            self._ledger.mirror(started, invoices=page.items, reached=["xero_invoices"] if last else ())

    # -- a ledger that was put back ---------------------------------------------------------------------------------

    def _notice_pause(self) -> None:
        """Keep in mind that nothing was read for long: what was done meanwhile may be missing in this ledger."""
        last, now = self._ledger.watermark("crococlick"), self._now()
        if last is not None and not timedelta(0) <= now - last < PAUSE:
            self._ledger.see(self._run_id, (), now, {"paused": now})

    def _notice_copy(self) -> None:
        """Keep in mind that the ledger was put back: who changed what both sides had agreed on before is not known."""
        shown = self._doors.seal.changed_at()
        if self._is_copy() and (shown is None or self._ledger.watermark("foreign_seal") != shown):
            # Once for each seal: what is agreed on from here on is known.
            now = self._now()
            self._ledger.see(self._run_id, (), now, {"put_back": now, **({"foreign_seal": shown} if shown else {})})

    def _is_copy(self) -> bool:
        """Whether the seal is not the one that this ledger knows."""
        return self._ledger.watermark("sealed") != self._doors.seal.changed_at()

    def may_have_forgotten(self) -> bool:
        """Whether this ledger may be a copy that was put back, and Xero's documents were not listed since."""
        listed = self._watermark("xero_invoices")
        if listed is None or listed >= self._began:
            return False
        paused = self._ledger.watermark("paused")
        return self._is_copy() or (paused is not None and paused >= listed)

    def list_again(self, contacts: bool) -> None:
        """List what Xero has got since the ledger last listed its documents, and `contacts` too."""
        if contacts:
            self.contacts(again=True)
        self.invoices(again=True)
        self.seal()

    def seal(self) -> None:
        """Write the seal anew, once a run: from here on this ledger is known to be the one that goes on."""
        if self._sealed:
            return
        # The file comes first: a run that is killed between the two leaves a ledger that looks like a copy.
        self._ledger.see(self._run_id, (), self._now(), {"sealed": self._doors.seal.renew()})
        self._sealed = True


def _with_last(pages: Iterable[Page[T]]) -> Iterator[tuple[Page[T], bool]]:
    """Each page with whether it is the last: how far was read is written down with what was read."""
    before: Page[T] | None = None
    for page in pages:
        if before is not None:
            yield before, False
        before = page
    yield before or Page(()), True
