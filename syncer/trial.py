"""The guided test of the set-up: a small invoice from CrocoClick to Xero and back, or a look at one that is there.

Every step is in the ledger before it is taken. A test that was cut off at any moment is finished by the next one: its
invoice is looked for and taken back in CrocoClick, and that is carried to Xero. Nothing is voided but what it made.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncer import connecting, questions
from syncer import trial_words as say
from syncer.app import Connection
from syncer.core import trial as core
from syncer.core.contact import ContactIndex
from syncer.core.invoice import Customer, Invoice, Status
from syncer.errors import HaltRun, InDoubt, LedgerBusy, Reconnect, SyncerError, TryLater, Unavailable, WrongUsage
from syncer.ledger.ledger import Ledger
from syncer.reading import Orders, Tell
from syncer.sync import Outcome
from syncer.trial_contact import customer
from syncer.trial_words import Check

RUNS = 3  # a write in doubt is looked for in one run and sent again in the next
WRITES = 3
UNSETTLED = ("waiting", "in_doubt", "retrying")
LOOKS_S = (0.0, 1.0, 3.0)  # seconds before each look for what a lost answer may have made
QUIET = timedelta(seconds=120)  # after that, one look is enough
TURNS, TURN_S = 30, 2.0  # for a sync that is at work already


@dataclass(frozen=True)
class Kept:
    """A connection's newest test, as the ledger keeps it; `ok` is None while it is under way."""

    trial_id: str
    source_id: str
    number: str
    is_ours: bool
    step: str  # making, made, sent, checked, voided, done
    ok: bool | None
    checks: tuple[Check, ...]
    begun_at: datetime
    changed_at: datetime
    by_whom: str

    @property
    def name(self) -> str:
        """What its invoice is called."""
        return core.name_of(self.trial_id)

    @property
    def is_open(self) -> bool:
        """Whether something of it may be left in either book."""
        return self.is_ours and self.step != "done"


@dataclass(frozen=True)
class Result:
    """What a test came to."""

    invoice: Mapping[str, Any] | None
    checks: Sequence[Check]
    is_ours: bool

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return all(one["ok"] for one in self.checks)

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        number = str(self.invoice["number"]) if self.invoice else ""
        return say.summary(number, self.checks, self.is_ours)


def newest(ledger: Ledger) -> Kept | None:
    """The newest test of this connection; nothing is written."""
    row = ledger.row("trial")
    if row is None:
        return None
    told = {name: row[name] for name in ("trial_id", "is_ours", "step", "ok", "begun_at", "changed_at", "by_whom")}
    checks = tuple(json.loads(row["checks"]))
    return Kept(source_id=row["source_id"] or "", number=row["number"] or "", checks=checks, **told)


class GuidedTest:
    """One test; whoever uses it holds `connection.alone("trial")`, and calls `finish` first."""

    def __init__(self, connection: Connection, by: str, tell: Tell, stop: Callable[[], bool]) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._clock = connection.app.clock
        self._by = by
        self._tell = tell
        self._stop = stop

    # -- what is left of the test before ------------------------------------------------------------------------

    def finish(self) -> str:
        """Take back what a test that was cut off has left; answers with a sentence, empty where nothing was."""
        kept = newest(self._ledger)
        if kept is None or not kept.is_open:
            return ""
        there = self._left(kept)
        if there is None and not kept.source_id:
            self._conclude((*kept.checks, say.cut_off()))
            return "The test before was cut off before its invoice was made; nothing is left of it."
        if there and there.name != kept.name:
            self._conclude((*kept.checks, say.renamed(there.number)))
            return str(say.renamed(there.number)["found"])
        if there:
            self._keep(source_id=there.source_id, number=there.number)
        source_id, number = (there.source_id, there.number) if there else (kept.source_id, kept.number)
        checks = kept.checks if kept.step in ("checked", "voided") else (*kept.checks, say.cut_off())
        taken_back = self._taken_back(source_id)
        self._conclude((*checks, *taken_back))
        return say.finished(number, taken_back)

    def _left(self, kept: Kept) -> Invoice | None:
        if kept.source_id:
            return self._connection.crm.invoice(kept.source_id)
        since = self._clock.now() - kept.changed_at
        return self._look_for(kept.name, kept.begun_at, LOOKS_S[:1] if since > QUIET else LOOKS_S)

    # -- one that is there ----------------------------------------------------------------------------------------

    def check(self, what: str) -> Result:
        """Compare one invoice in both books; one that is not in Xero yet goes over first, and alone."""
        row = self._meant(what)
        # What CrocoClick says now, not what it said when a sync last looked.
        self._connection.search(row["source_id"])
        if not row["xero_id"]:
            self._sync(row["source_id"])
        checks = self._compared(row["source_id"])
        self._begin(is_ours=False, step="checked", source_id=row["source_id"], number=row["number"])
        self._conclude(checks)
        return Result(self._head(row["source_id"]), checks, is_ours=False)

    def _meant(self, what: str) -> Mapping[str, Any]:
        """The one invoice meant; what the ledger does not know is looked for in CrocoClick."""
        if not questions.find(self._ledger, what):
            self._connection.search(what)
        found = questions.meant(self._ledger, what)
        if len(found) > 1:
            several = ", ".join(str(row["number"]) for row in found[:5])
            raise WrongUsage(
                f"{what!r} fits {len(found)} invoices: {several}{' …' if len(found) > 5 else ''}. Say which."
            )
        return found[0]

    # -- one that is made for it --------------------------------------------------------------------------------

    def perform(self, contact: str) -> Result:
        """Make a small invoice for this contact, carry it to Xero, compare, and take it back on both sides."""
        if not contact:
            raise WrongUsage(
                "Say for whom the test invoice is made: --contact with an email, a name or an id; "
                "or which invoice is checked: --invoice NUMBER."
            )
        # Nothing is made that could not go over: both raise Reconnect where a side is not connected.
        self._connection.refresh_source()
        self._connection.accounts.organisation()
        trial_id = f"{self._clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        new = self._new(trial_id, customer(self._connection, contact))
        self._begin(trial_id=trial_id, is_ours=True, step="making")
        made = self._make(new)
        if not isinstance(made, Invoice):
            self._conclude([made])
            return Result(None, [made], is_ours=True)
        return self._there_and_back(made)

    def _there_and_back(self, made: Invoice) -> Result:
        try:
            checks = self._carried(made)
        except Exception:
            # Whatever went wrong, our invoice does not stay open in CrocoClick; the next test carries that to Xero.
            with suppress(SyncerError):
                self._take_away(made.source_id)
            raise
        self._keep(step="checked", checks=checks)
        checks = [*checks, *self._taken_back(made.source_id)]
        self._conclude(checks)
        return Result(self._head(made.source_id), checks, is_ours=True)

    def _new(self, trial_id: str, whom: Customer) -> core.NewInvoice:
        row = self._ledger.row("connection") or {}
        invoices: dict[str, int] = {}
        for one in self._ledger.rows("counts"):
            invoices[one["currency"]] = invoices.get(one["currency"], 0) + one["invoices"]
        currency = core.usual_currency(invoices, row.get("base_currency") or "")
        taxes = core.combinations((one["taxes"], one["lines"]) for one in self._ledger.rows("line_taxes"))
        return core.small_invoice(trial_id, whom, currency, taxes, _today(self._clock.now(), row.get("timezone")))

    def _make(self, new: core.NewInvoice) -> Invoice | Check:
        """The draft, or why CrocoClick does not make it; a lost answer is looked for, and never sent twice."""
        try:
            made = self._connection.crm.create_invoice(new)
        except InDoubt as lost:
            found = self._look_for(new.name, self._clock.now(), LOOKS_S)
            if found is None:
                raise Unavailable("trial_answer_lost", **lost.facts) from lost
            made = found
        except HaltRun as refusal:
            return say.refused("Made in CrocoClick", "a draft", refusal, "Name another contact, or ask for support.")
        except Reconnect as refusal:
            if refusal.code != "crococlick_scope_missing":
                raise
            self._conclude([say.may_not_write()])
            raise WrongUsage(say.may_not_write()["found"]) from refusal
        self._keep(step="made", source_id=made.source_id, number=made.number)
        return made

    def _look_for(self, name: str, since: datetime, looks_s: Sequence[float]) -> Invoice | None:
        """The invoice of this name, by CrocoClick's search and by its list of what was issued lately."""
        day = since.date()
        for wait_s in looks_s:
            self._clock.sleep(wait_s)
            for pages in (self._connection.crm.invoices(search=name), self._connection.crm.invoices(since=day)):
                for page in pages:
                    if found := next((one for one in page.items if one.name == name), None):
                        return found
        return None

    def _carried(self, made: Invoice) -> list[Check]:
        """Send it by hand, carry it over, and compare."""
        self._unless_stopped()
        try:
            self._write(self._connection.crm.send_invoice, made.source_id, lambda one: one.status is not Status.DRAFT)
        except HaltRun as refusal:
            return [say.refused("Sent by hand in CrocoClick", "sent", refusal, "The draft is deleted again.")]
        self._keep(step="sent")
        self._unless_stopped()
        self._sync(made.source_id)
        checks = self._compared(made.source_id)
        self._unless_stopped()
        return checks

    def _unless_stopped(self) -> None:
        if self._stop():
            raise TryLater("trial_stopped")

    # -- taking back ------------------------------------------------------------------------------------------------

    def _taken_back(self, source_id: str) -> list[Check]:
        """Take our invoice away in CrocoClick, let a sync carry that, and see what is left on either side."""
        try:
            self._take_away(source_id)
        except HaltRun as refusal:
            return [say.refused("Afterwards, in CrocoClick", "void", refusal, "Void it there by hand.")]
        self._sync(source_id)
        there, row = self._connection.crm.invoice(source_id), self._row(source_id)
        in_crococlick = say.void_in_crococlick(there.status.value if there else "")
        if not row or not row["xero_id"]:
            return [in_crococlick, say.void_in_xero("", None)]
        status = self._connection.accounts.invoice(row["xero_id"]).head.status
        story = questions.story(self._ledger, self._connection.rules(), row)
        return [in_crococlick, say.void_in_xero(status, story)]

    def _take_away(self, source_id: str) -> None:
        """Delete our draft or void our invoice; one that a sync took over as a draft can only follow as void."""
        crm = self._connection.crm
        there = crm.invoice(source_id)
        row = self._row(source_id)
        if there and there.status is Status.DRAFT and not (row and row["xero_id"]):
            self._write(crm.delete_draft, source_id, lambda one: False)
        elif there and there.status is not Status.VOID:
            if there.status is Status.DRAFT:
                self._write(crm.send_invoice, source_id, lambda one: one.status is not Status.DRAFT)
            self._write(crm.void_invoice, source_id, lambda one: one.status is Status.VOID)
        self._keep(step="voided")

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

    # -- carrying and comparing --------------------------------------------------------------------------------------

    def _sync(self, source_id: str) -> None:
        """Ordinary runs for this one invoice alone, until nothing more can come of another one at once."""
        for _ in range(RUNS):
            outcome = self._run(source_id)
            connecting.note_failure(self._connection, outcome.failure)
            if outcome.failure:
                raise outcome.failure
            if outcome.ended == "stopped":
                raise TryLater("trial_stopped")
            row = self._row(source_id)
            if not row or row["state"] not in UNSETTLED:
                return

    def _run(self, source_id: str) -> Outcome:
        """One run; where another one is at work, after it."""
        only = frozenset({source_id})
        orders = Orders(scope=source_id, only=only, in_flight=self._connection.pace().in_flight)
        for turn in range(TURNS):
            try:
                return self._connection.run(orders, self._by, self._tell, self._stop)
            except LedgerBusy as busy:
                if busy.code != "run_under_way" or turn == TURNS - 1:
                    raise
                self._unless_stopped()
                self._clock.sleep(TURN_S)
        raise AssertionError("the last turn returns or raises")

    def _compared(self, source_id: str) -> list[Check]:
        """What Xero says beside what it should say, or why it says nothing."""
        row = self._row(source_id)
        assert row is not None  # noqa: S101 — it was read or synced a moment ago
        story = questions.story(self._ledger, self._connection.rules(), row)
        if not row["xero_id"]:
            return [say.not_there(story)]
        wanted = self._wanted(story)
        made = core.wanted_document(wanted)
        problems = made if isinstance(made, tuple) else ()
        found = core.findings(
            wanted, None if isinstance(made, tuple) else made, self._connection.accounts.invoice(row["xero_id"])
        )
        checks = [say.told(one, row["currency"]) for one in found]
        checks += [say.lines_unknown(problem) for problem in problems[:1]]
        return [*checks, say.open_problem(story)] if story.problem else checks

    def _wanted(self, story: questions.Story) -> core.Wanted:
        linked = (self._ledger.row("contact", source_id=story.row["contact_id"]) or {}).get("xero_id") or ""
        left = ContactIndex(self._ledger.book_contacts()).survivor(linked)
        assert story.books is not None  # noqa: S101 — a run has read them
        invoice = story.known.invoice
        name = left.name if left else invoice.customer.name
        return core.Wanted(invoice, left.id if left else linked, name, story.books, self._connection.rules())

    # -- the ledger ---------------------------------------------------------------------------------------------------

    def _row(self, source_id: str) -> dict[str, Any] | None:
        return self._ledger.row("invoices_by_id", ids=[source_id])

    def _head(self, source_id: str) -> dict[str, Any] | None:
        row = self._row(source_id)
        return questions.head(row) if row else None

    def _begin(self, **fields: Any) -> None:
        """A new test takes the place of the one before."""
        now = self._clock.now()
        fresh: dict[str, Any] = {
            "trial_id": f"{now:%Y%m%d-%H%M%S}",
            "source_id": None,
            "number": None,
            "ok": None,
            "checks": [],
        }
        self._keep(**{**fresh, "begun_at": now, "by_whom": self._by, **fields})

    def _conclude(self, checks: Sequence[Check]) -> None:
        self._keep(step="done", ok=all(one["ok"] for one in checks), checks=checks)

    def _keep(self, **fields: Any) -> None:
        """Commit what is known now, and the calls that were made."""
        if "checks" in fields:
            fields["checks"] = json.dumps(list(fields["checks"]), ensure_ascii=False)
        self._ledger.keep_trial(self._clock.now(), self._connection.calls.drain(), **fields)


def _today(now: datetime, zone: str | None) -> date:
    """The location's date."""
    try:
        return now.astimezone(ZoneInfo(zone or "UTC")).date()
    except (KeyError, OSError, ValueError):  # unknown, unreadable, malformed
        return now.astimezone(UTC).date()
