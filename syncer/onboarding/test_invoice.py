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

from syncer.app import jobs, pause
from syncer.app.installation import Connection
from syncer.domain.errors import HaltRun, InDoubt, Reconnect, SyncerError, TryLater, Unavailable, WrongUsage
from syncer.domain.model.books import Books
from syncer.domain.model.invoice import Customer, Invoice
from syncer.domain.readiness import test_invoice as core
from syncer.onboarding import test_invoice_messages as say
from syncer.onboarding.test_invoice_contact import customer
from syncer.onboarding.test_invoice_messages import Check
from syncer.onboarding.test_invoice_steps import BothSides
from syncer.storage.ledger.ledger import Ledger
from syncer.support import explain, search
from syncer.sync.context import Tell

LOOKS_S = (0.0, 1.0, 3.0)  # seconds before each look for what a lost answer may have made
QUIET = timedelta(seconds=120)  # after that, one look is enough


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
    """One test. The caller holds `connection.alone("trial")` and calls `finish` first."""

    def __init__(self, connection: Connection, by: str, tell: Tell, stop: Callable[[], bool]) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._clock = connection.app.clock
        self._by = by
        self._steps = BothSides(connection, by, tell, stop)

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
        return self._steps.look_for(kept.name, kept.begun_at.date(), LOOKS_S[:1] if since > QUIET else LOOKS_S)

    # -- one that is there ----------------------------------------------------------------------------------------

    def check(self, what: str) -> Result:
        """Compare one invoice in both books; one that is not in Xero yet goes over first, and alone."""
        row = self._meant(what)
        # What CrocoClick says now, not what it said when a sync last looked.
        jobs.search(self._connection, row["source_id"])
        if not row["xero_id"]:
            self._steps.carry(row["source_id"])
        checks = self._steps.compared(row["source_id"])
        self._begin(is_ours=False, step="checked", source_id=row["source_id"], number=row["number"])
        self._conclude(checks)
        return Result(self._head(row["source_id"]), checks, is_ours=False)

    def _meant(self, what: str) -> Mapping[str, Any]:
        """The one invoice meant; what the ledger does not know is looked for in CrocoClick."""
        if not search.find(self._ledger, what):
            jobs.search(self._connection, what)
        found = search.meant(self._ledger, what)
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
                "Say which contact the test invoice is for: --contact with an email, a name or an id; "
                "or which invoice is checked: --invoice NUMBER."
            )
        # Nothing is made that could not go over: these raise TryLater where it is paused, Reconnect without a side.
        if stands := pause.paused(self._ledger):
            raise pause.failure(stands)
        self._connection.refresh_source()
        taxes, left_out = self._taxes(self._steps.books())
        trial_id = f"{self._clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        billed = customer(self._connection, contact)
        self._begin(trial_id=trial_id, is_ours=True, step="making")
        made = self._make(self._new(trial_id, billed, taxes)) if taxes else None
        if not isinstance(made, Invoice):
            checks = [*left_out, *([made] if made else [])]
            self._conclude(checks)
            return Result(None, checks, is_ours=True)
        return self._there_and_back(made, left_out)

    def _taxes(self, books: Books) -> tuple[list[core.Taxes], list[Check]]:
        """The ways of taxing that the test can carry, and what keeps the others from it; with none at all, no tax."""
        used = core.combinations((one["taxes"], one["lines"]) for one in self._ledger.rows("line_taxes"))
        usable, problems = core.apart(used or [()], books, self._connection.rules())
        return usable, [say.cannot_go(problem) for problem in problems]

    def _there_and_back(self, made: Invoice, left_out: Sequence[Check]) -> Result:
        try:
            checks = [*left_out, *self._carried(made)]
        except Exception:
            # Whatever went wrong, our invoice does not stay open in CrocoClick; the next test carries that to Xero.
            with suppress(SyncerError):
                self._take_away(made.source_id)
            raise
        self._keep(step="checked", checks=checks)
        checks = [*checks, *self._taken_back(made.source_id)]
        self._conclude(checks)
        return Result(self._head(made.source_id), checks, is_ours=True)

    def _new(self, trial_id: str, billed: Customer, taxes: Sequence[core.Taxes]) -> core.NewInvoice:
        row = self._ledger.row("connection") or {}
        invoices: dict[str, int] = {}
        for one in self._ledger.rows("counts"):
            invoices[one["currency"]] = invoices.get(one["currency"], 0) + one["invoices"]
        currency = core.usual_currency(invoices, row.get("base_currency") or "")
        return core.small_invoice(trial_id, billed, currency, taxes, _today(self._clock.now(), row.get("timezone")))

    def _make(self, new: core.NewInvoice) -> Invoice | Check:
        """The draft, or why CrocoClick does not make it; a lost answer is looked for, and never sent twice."""
        try:
            made = self._connection.crm.create_invoice(new)
        except InDoubt as lost:
            found = self._steps.look_for(new.name, new.issue_date, LOOKS_S)
            if found is None:
                raise Unavailable("trial_answer_lost", **lost.facts) from lost
            made = found
        except HaltRun as refusal:
            # What is refused may have been made all the same (highlevel-api-docs#64, of contacts).
            found = self._steps.look_for(new.name, new.issue_date, LOOKS_S[:1])
            if found is None:
                step = "Name another contact, or ask for support."
                return say.refused("Made in CrocoClick", "a draft", refusal, step)
            made = found
        except (Reconnect, TryLater) as refusal:
            # Nothing left, or nothing was carried out: there is nothing to look for.
            may_not_write = refusal.code == "crococlick_scope_missing"
            self._conclude([say.may_not_write() if may_not_write else say.cut_off()])
            if may_not_write:
                raise WrongUsage(say.may_not_write()["found"]) from refusal
            raise
        self._keep(step="made", source_id=made.source_id, number=made.number)
        return made

    def _carried(self, made: Invoice) -> list[Check]:
        """Send it by hand, carry it over, and compare."""
        self._steps.unless_stopped()
        try:
            self._steps.send(made.source_id)
        except HaltRun as refusal:
            return [say.refused("Sent by hand in CrocoClick", "sent", refusal, "The draft is deleted again.")]
        self._keep(step="sent")
        self._steps.unless_stopped()
        self._steps.carry(made.source_id)
        checks = self._steps.compared(made.source_id)
        self._steps.unless_stopped()
        return checks

    # -- taking back ------------------------------------------------------------------------------------------------

    def _taken_back(self, source_id: str) -> list[Check]:
        """Take our invoice away in CrocoClick, let a sync carry that, and see what is left on either side."""
        try:
            self._take_away(source_id)
        except HaltRun as refusal:
            return [say.refused("Afterwards, in CrocoClick", "void", refusal, "Void it there by hand.")]
        self._steps.carry(source_id)
        return self._steps.afterwards(source_id)

    def _take_away(self, source_id: str) -> None:
        self._steps.take_away(source_id)
        self._keep(step="voided")

    # -- the ledger ---------------------------------------------------------------------------------------------------

    def _head(self, source_id: str) -> dict[str, Any] | None:
        row = self._steps.row(source_id)
        return explain.head(row) if row else None

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
