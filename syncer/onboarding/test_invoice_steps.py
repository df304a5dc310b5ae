"""One invoice on both sides, for the guided test: written in CrocoClick, carried by ordinary runs, compared in Xero."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from syncer.app import consent, jobs
from syncer.app.installation import Connection
from syncer.domain.errors import InDoubt, LedgerBusy, TryLater, Unavailable
from syncer.domain.matching.invoice_contacts import ContactIndex
from syncer.domain.model.books import Books, books_text
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.readiness.test_invoice import Wanted, findings, wanted_document
from syncer.onboarding import test_invoice_messages as say
from syncer.onboarding.test_invoice_messages import Check
from syncer.support import explain
from syncer.sync.context import Tell
from syncer.sync.run import RunOutcome

RUNS = 3  # a write in doubt is looked for in one run and sent again in the next
WRITES = 3
UNSETTLED = ("waiting", "in_doubt", "retrying")
TURNS, TURN_S = 30, 2.0  # for a sync that is at work already


class BothSides:
    """What can be done with one invoice; raises what its calls raise, and TryLater where a person asked to stop."""

    def __init__(self, connection: Connection, by: str, tell: Tell, stop: Callable[[], bool]) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._by = by
        self._tell = tell
        self._stop = stop

    def row(self, source_id: str) -> dict[str, Any] | None:
        """The invoice as the ledger has it."""
        return self._ledger.row("invoices_by_id", ids=[source_id])

    def books(self) -> Books:
        """The organisation's settings as they are now: five calls. Raises Reconnect, TryLater."""
        books, kept = self._connection.accounts.books(), explain.books(self._ledger)
        if kept:
            books = replace(books, refused=kept.refused, tracking=kept.tracking)
        self._ledger.mirror(self._connection.app.clock.now(), reached=["books"], books=books_text(books))
        return books

    def unless_stopped(self) -> None:
        """Go on, unless a person asked to stop."""
        if self._stop():
            raise TryLater("trial_stopped")

    # -- in CrocoClick --------------------------------------------------------------------------------------------

    def look_for(self, name: str, since: date, looks_s: Sequence[float]) -> Invoice | None:
        """The invoice of this name, by CrocoClick's search and by its list of what was issued lately."""
        crm = self._connection.crm
        for wait_s in looks_s:
            self._connection.app.clock.sleep(wait_s)
            for pages in (crm.invoices(search=name), crm.invoices(since=since)):
                for page in pages:
                    if found := next((one for one in page.items if one.name == name), None):
                        return found
        return None

    def send(self, source_id: str) -> None:
        """Mark our draft as sent by hand."""
        self._write(self._connection.crm.send_invoice, source_id, lambda one: one.status is not Status.DRAFT)

    def take_away(self, source_id: str) -> None:
        """Delete our draft or void our invoice; one that a sync took over as a draft can only follow as void."""
        crm, row = self._connection.crm, self.row(source_id)
        there = crm.invoice(source_id)
        if there and there.status is Status.DRAFT and not (row and row["xero_id"]):
            self._write(crm.delete_draft, source_id, lambda one: False)
        elif there and there.status is not Status.VOID:
            if there.status is Status.DRAFT:
                self.send(source_id)
            self._write(crm.void_invoice, source_id, lambda one: one.status is Status.VOID)

    def _write(self, write: Callable[[str], None], source_id: str, is_done: Callable[[Invoice], bool]) -> None:
        """A write of which CrocoClick shows whether it has arrived; only one that has not is sent again."""
        for _ in range(WRITES):
            try:
                return write(source_id)
            except InDoubt:
                there = self._connection.crm.invoice(source_id)
                if there is None or is_done(there):
                    return None
        raise Unavailable("crococlick_unavailable", side="crococlick")

    # -- to Xero --------------------------------------------------------------------------------------------------

    def carry(self, source_id: str) -> None:
        """Ordinary runs for this one invoice alone, until nothing more can come of another one at once."""
        for _ in range(RUNS):
            outcome = self._run(source_id)
            consent.note_failure(self._connection, outcome.failure)
            if outcome.failure:
                raise outcome.failure
            if outcome.ended == "stopped":
                raise TryLater("trial_stopped")
            row = self.row(source_id)
            if not row or row["state"] not in UNSETTLED:
                return

    def _run(self, source_id: str) -> RunOutcome:
        """One run; where another one is at work, after it."""
        only = frozenset({source_id})
        orders = self._connection.orders(scope=source_id, only=only)
        for turn in range(TURNS):
            try:
                return jobs.run(self._connection, orders, self._by, self._tell, self._stop)
            except LedgerBusy as busy:
                if busy.code != "run_under_way" or turn == TURNS - 1:
                    raise
                self.unless_stopped()
                self._connection.app.clock.sleep(TURN_S)
        raise AssertionError("the last turn returns or raises")

    def compared(self, source_id: str) -> list[Check]:
        """What Xero says beside what it should say, or why it says nothing."""
        row = self.row(source_id)
        assert row is not None  # noqa: S101 — it was read or synced a moment ago
        story = explain.story(self._ledger, self._connection.rules(), row)
        if not row["xero_id"]:
            return [say.not_there(story)]
        wanted = self._wanted(story)
        made = wanted_document(wanted)
        problems = made if isinstance(made, tuple) else ()
        found = findings(
            wanted, None if isinstance(made, tuple) else made, self._connection.accounts.invoice(row["xero_id"])
        )
        checks = [say.told(one, row["currency"]) for one in found]
        checks += [say.lines_unknown(problem) for problem in problems[:1]]
        return [*checks, say.open_problem(story)] if story.problem else checks

    def _wanted(self, story: explain.Story) -> Wanted:
        linked = (self._ledger.row("contact", source_id=story.row["contact_id"]) or {}).get("xero_id") or ""
        left = ContactIndex(self._ledger.book_contacts()).survivor(linked)
        # Where another organisation was connected meanwhile, the ledger has forgotten them.
        books = story.books or self._connection.accounts.books()
        invoice = story.known.invoice
        name = left.name if left else invoice.customer.name
        return Wanted(invoice, left.id if left else linked, name, books, self._connection.rules())

    def afterwards(self, source_id: str) -> list[Check]:
        """What is left of our invoice on either side, once it was taken away and that was carried."""
        there, row = self._connection.crm.invoice(source_id), self.row(source_id)
        in_crococlick = say.void_in_crococlick(there.status.value if there else "")
        if not row or not row["xero_id"]:
            return [in_crococlick, say.void_in_xero("", None)]
        status = self._connection.accounts.invoice(row["xero_id"]).head.status
        return [in_crococlick, say.void_in_xero(status, explain.story(self._ledger, self._connection.rules(), row))]
