"""Bringing our picture of both sides up to date: as seldom as is safe, in portions as they come."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from syncer.core.books import Books, Document, books_from, books_text
from syncer.core.causes import Problem
from syncer.core.invoice import Invoice
from syncer.errors import HaltRun, Reconnect
from syncer.ledger.ledger import Ledger
from syncer.ports import Accounts, CallRecord, Clock, Crm, Page, Unreadable

T = TypeVar("T")
_AN_ID = re.compile("[0-9a-f]{24}")

OVERLAP = timedelta(minutes=10)  # a mirror is read again from a little before where it ended
DAILY = timedelta(hours=24)
OPEN_STATUSES = ("draft", "sent", "payment_processing", "partially_paid")
SEE_AT_ONCE = 2000
ASK_AT_MOST = 200  # single invoices a run, of those that a list did not show
FEW = 20  # invoices or contacts: below, any number may be gone from one day to the next
SHRUNK_TO = 0.5

ReadComplaints = Callable[[Sequence[str]], tuple[Problem, ...]]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Doors:
    """Everything a run reaches the world through."""

    crm: Crm
    accounts: Accounts
    ledger: Ledger
    clock: Clock
    drain_calls: Callable[[], Sequence[CallRecord]]
    new_call_id: Callable[[], str]
    read_complaints: ReadComplaints
    document_size: Callable[[Document], int]


@dataclass(frozen=True)
class Orders:
    """What this run was asked for: everything, or the invoices of `scope` alone; `fresh` reads Xero's lists anew.

    `patient`: nobody waits for it, so that Xero is asked nothing that the day's reading will tell, and what has a time
    to be tried again is left until then. `goes_on`: CrocoClick was read a moment ago.
    """

    scope: str = ""
    only: frozenset[str] = frozenset()
    full: bool = False
    fresh: bool = False
    patient: bool = False
    goes_on: bool = False
    recent_days: int = 30
    in_flight: int = 5
    left_to_daily_work: float = 0.5  # the share of the day's calls that old invoices leave to others


class Reading:
    """The reads of one run; `say` commits a phase and what the calls left behind, `tell` only shows it."""

    def __init__(
        self,
        run_id: str,
        doors: Doors,
        orders: Orders,
        say: Callable[[str, int, int], None],
        tell: Tell,
        stop: Callable[[], bool],
    ) -> None:
        self.unreadable: list[Unreadable] = []
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._orders = orders
        self._say = say
        self._tell = tell
        self._stop = stop
        self._transactions: bool | None = None  # whether this run has read them

    def _now(self) -> datetime:
        return self._doors.clock.now()

    def crococlick(self) -> None:
        """Bring our picture of CrocoClick up to date: what may still move and what is recent, once a day everything."""
        if self._orders.only:
            self._only_these()
            return
        if self._orders.goes_on:
            return
        started = self._now()
        last = self._ledger.watermark("crococlick_all")
        if self._orders.full or last is None or started - last >= DAILY:
            self._sweep({}, {"crococlick_all": started, "crococlick": started})
            self._missing(started)
            self.payments(everything=True)
            return
        for status in OPEN_STATUSES:
            self._sweep({"status": status}, {})
        since = started.date() - timedelta(days=self._orders.recent_days)
        self._sweep({"since": since}, {"crococlick": started})

    def daily(self) -> None:
        """Once a day, or when asked, see what others changed in Xero: contacts, invoices, payments on them."""
        for name, read in (("xero_contacts", self.contacts), ("xero_invoices", self.invoices)):
            if self._ledger.watermark(name):
                read(again=self._orders.full)
        self._ledger.end_skips(self._now().date(), self._now())

    def _missing(self, since: datetime) -> None:
        """Ask for each invoice that is in Xero and that a reading of everything did not show."""
        if self._stop():
            return
        unseen = [row["source_id"] for row in self._ledger.rows("missing_bound", since=since, limit=ASK_AT_MOST)]
        if not unseen:
            return
        found = {source_id: self._doors.crm.invoice(source_id) for source_id in unseen}
        self._ledger.see(self._run_id, [one for one in found.values() if one], self._now())
        self._ledger.miss_bound(self._run_id, [key for key, one in found.items() if one is None], self._now())

    def _shrunk(self, shown: int) -> None:
        """Raise HaltRun where far fewer invoices are shown than before, unless a person said that it is so."""
        last = self._ledger.watermark("crococlick_all")
        known = self._ledger.row("living")
        before = known["invoices"] if known else 0
        if last is None or before < FEW or shown >= before * SHRUNK_TO:
            return
        confirmed = self._ledger.row("order_given", what="order_confirm_shrink")
        if confirmed and confirmed["at"] and confirmed["at"] >= last:
            return
        raise HaltRun("source_shrunk", seen=shown, before=before)

    def payments(self, everything: bool = False) -> bool:
        """Bring transactions up to date, once a run; False where the token may not see them."""
        if self._transactions is not None:
            return self._transactions
        started, last = self._now(), self._ledger.watermark("payments")
        since = None if everything or last is None else (last - DAILY).date()
        try:
            found = [one for page in self._doors.crm.payments(since) for one in page.items]
        except Reconnect as refused:
            if refused.code != "crococlick_scope_missing":
                raise
            self._transactions = False
            return False
        self._ledger.see_payments(found, started, {"payments": started})
        self._transactions = True
        return True

    def payments_of(self, contact_ids: Sequence[str]) -> None:
        """All transactions of some contacts: one that was dated back does not show among the latest."""
        found = [one for key in contact_ids for page in self._doors.crm.payments(contact_id=key) for one in page.items]
        self._ledger.see_payments(found, self._now())

    def _only_these(self) -> None:
        found = {source_id: self._doors.crm.invoice(source_id) for source_id in sorted(self._orders.only)}
        self._ledger.see(self._run_id, [one for one in found.values() if one], self._now())
        if gone := [source_id for source_id, one in found.items() if one is None]:
            self._ledger.miss(self._run_id, gone, self._now())

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name, an email or an id; returns how many invoices that is."""
        found = [invoice for page in self._doors.crm.invoices(search=what) for invoice in page.items]
        if not found and _AN_ID.fullmatch(what) and (invoice := self._doors.crm.invoice(what)):
            found = [invoice]  # Whether the search looks at ids too is nowhere written.
        self._ledger.see(self._run_id, found, self._now())
        return len(found)

    def _sweep(self, which: Mapping[str, Any], reached: Mapping[str, datetime]) -> None:
        """Read a list to its end, in portions that the ledger takes as they come."""
        part: list[Invoice] = []
        read = 0
        for page in self._doors.crm.invoices(**which):
            part += page.items
            read += len(page.items)
            self.unreadable += page.unreadable
            if len(part) >= SEE_AT_ONCE:
                self._see(part, read, page.total or 0)
                part = []
            self._tell("reading", read, page.total or 0)
            if self._stop():
                return
        if "crococlick_all" in reached:
            self._shrunk(read)
        if part or reached:
            self._ledger.see(self._run_id, part, self._now(), reached)
            self._say("reading", read, read)

    def _see(self, invoices: Sequence[Invoice], done: int, todo: int) -> None:
        self._ledger.see(self._run_id, invoices, self._now())
        self._say("reading", done, todo)

    def books(self, again: bool) -> Books:
        """The organisation's settings, at most a day old."""
        kept = self._ledger.row("books")
        if kept and not again and self._now() - kept["read_at"] < DAILY:
            return books_from(kept["content"])
        books = self._doors.accounts.books()
        if kept and (before := books_from(kept["content"])) == replace(books, refused=before.refused):
            # What Xero would not create it would not create now.
            books = before
        self._ledger.mirror(self._now(), reached=["books"], books=books_text(books))
        return books

    def contacts(self, again: bool) -> None:
        """Bring the mirror of Xero's contacts up to date, at most once a day unless asked again."""
        since, started = self._ledger.watermark("xero_contacts"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page, last in _with_last(self._doors.accounts.contacts(since - OVERLAP if since else None)):
            self._ledger.mirror(started, contacts=page.items, reached=["xero_contacts"] if last else ())

    def invoices(self, again: bool) -> None:
        """Bring the mirror of Xero's sales invoices up to date, at most once a day unless asked again."""
        since, started = self._ledger.watermark("xero_invoices"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page, last in _with_last(self._doors.accounts.invoice_heads(since - OVERLAP if since else None)):
            self._ledger.mirror(started, invoices=page.items, reached=["xero_invoices"] if last else ())


def _with_last(pages: Iterable[Page[T]]) -> Iterator[tuple[Page[T], bool]]:
    """Each page with whether it is the last: how far was read is written down with what was read."""
    before: Page[T] | None = None
    for page in pages:
        if before is not None:
            yield before, False
        before = page
    yield before or Page(()), True
