"""One import of contacts, Xero → CrocoClick: settle what is open, read both sides, decide, link, make, fill up.

It may be stopped at any moment: what was under way is looked for first the next time, and nothing is made twice.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from syncer.domain.errors import HaltRun, InDoubt, Reconnect, SyncerError, TryLater
from syncer.domain.matching.contact_import import (
    ImportDecision,
    ImportOutcome,
    ImportRules,
    Link,
    decide_import,
    marks,
    missing,
)
from syncer.domain.matching.similarity import SourceContact, addresses, phone_key
from syncer.domain.model.problems import Problem
from syncer.domain.ports import Refused, Taken
from syncer.storage.ledger.contacts import PLANNED, Imported, decided
from syncer.storage.ledger.records import AttemptResult, OpenAttempt
from syncer.sync.contact_groups import open_groups
from syncer.sync.contact_ingest import QUIET, ContactReading
from syncer.sync.context import RunContext, Tell
from syncer.sync.outbox import Batch, Outbox, WriteItem, WriteKind, intent
from syncer.sync.snapshot import digest

IN_FLIGHT = 4
WAVE = 40  # contacts that are committed together: as many looks at most after a crash
ROUNDS = 2  # what got no answer and did not arrive is sent once more


@dataclass
class ImportReport:
    """What an import came to, or would come to; `ended` is done, deferred, stopped or failed."""

    run_id: str
    dry_run: bool = False
    ended: str = "done"
    failure: SyncerError | None = None
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, ImportOutcome), 0))
    duplicate_groups: int = 0
    conflicts: Sequence[Imported] = ()


class Import:
    """One import over one connection."""

    def __init__(
        self,
        run_id: str,
        doors: RunContext,
        rules: ImportRules,
        tell: Tell = lambda phase, done, todo: None,
        stop: Callable[[], bool] = lambda: False,
        dry_run: bool = False,
    ) -> None:
        self.report = ImportReport(run_id, dry_run)
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._rules = rules
        self._crm: dict[str, SourceContact] = {}
        self._links: dict[str, tuple[str, str]] = {}
        self._done: frozenset[str] = frozenset()  # by an earlier round
        self._tell = tell
        self._stop = stop
        self._reading = ContactReading(doors, tell, stop)
        self._waves = Outbox(
            doors.ledger, run_id, doors.clock, IN_FLIGHT, doors.new_call_id, doors.drain_calls, wave=WAVE
        )  # fmt: skip

    def perform(self) -> ImportReport:
        """Do everything; what stops the import early is in the report, our own mistakes are raised."""
        try:
            self._steps()
            if self._stop():
                self.report.ended = "stopped"
        except (TryLater, InDoubt, HaltRun) as failure:
            self.report.ended, self.report.failure = "deferred", failure
        except SyncerError as failure:
            self.report.ended, self.report.failure = "failed", failure
        finally:
            self._waves.flush()
        return self.report

    def _steps(self) -> None:
        self._reading.xero()
        if self._stop():
            return
        self._settle()
        if self._stop():
            return
        for _ in range(ROUNDS):
            verdicts = self._decide()
            decisions = self._decisions(verdicts)
            self._count(decisions)
            if self.report.dry_run:
                return
            self._ledger.keep_import(self._run_id, decisions, self._links, self._doors.clock.now())
            try:
                self._perform(verdicts)
                is_over = self._stop() or self._close()
            finally:
                self._waves.flush()
                self._recount()
            if is_over:
                return
        self.report.ended = "deferred"

    # -- what was under way -----------------------------------------------------------------------------------------

    def _settle(self) -> bool:
        """Read CrocoClick, and look for every contact that may have been made: by our mark, else by its email.

        Whether all of them have arrived.
        """
        attempts = [] if self.report.dry_run else self._ledger.open_imports()
        if attempts:
            # Until its search must show what was written last.
            quiet = max(attempt.begun_at for attempt in attempts) + QUIET - self._doors.clock.now()
            self._doors.clock.sleep(max(0.0, quiet.total_seconds()))
        self._reading.crococlick()
        if self._stop() or not attempts:
            return True
        marked = {one.made_for: one for one in self._ledger.source_contacts() if one.made_for}
        endings = [self._settled(attempt, marked) for attempt in attempts]
        now = self._doors.clock.now()
        self._ledger.commit(self._run_id, now, endings=endings, calls=self._doors.drain_calls())
        return all(ending.outcome == "found" for ending in endings)

    def _settled(self, attempt: OpenAttempt, marked: Mapping[str, SourceContact]) -> AttemptResult:
        """What a look says of one try; what was only filled up is simply decided anew."""
        xero_id, made = attempt.intent.source_id, attempt.intent.action == "create"
        there = (marked.get(xero_id) or self._twin(attempt.intent.expected)) if made else None
        if there and there.made_for == xero_id:
            return AttemptResult("import", xero_id, "found", "", attempt.id, source=there)
        return AttemptResult("import", xero_id, "not_arrived", "", attempt.id)

    def _twin(self, fields: Mapping[str, str]) -> SourceContact | None:
        """The contact that CrocoClick takes for the same as one with these fields."""
        email, phone = fields.get("email", ""), fields.get("phone", "")
        return self._doors.crm.duplicate(email, phone) if email or phone else None

    def _close(self) -> bool:
        """Look once more for what got no answer; whether nothing is left to do."""
        if self._ledger.open_imports():
            return self._settle()
        if self._ledger.watermark("importing"):
            self._ledger.end_import(self._run_id, self._doors.clock.now())
        return True

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _decide(self) -> list[ImportDecision]:
        self._say("planning")
        book = {one.id: one for one in self._ledger.book_contacts()}
        self._crm = {one.id: one for one in self._ledger.source_contacts()}
        links, answers = self._ledger.contact_links(), self._ledger.contact_answers()
        verdicts = decide_import(book.values(), self._crm.values(), links, answers, self._rules)
        marked = marks(book, self._crm.values(), links, answers)
        self._links = {key: (xero_id, "imported") for key, xero_id in marked.items()}
        self._links |= {v.source_id: (v.contact.id, "email") for v in verdicts if v.outcome is ImportOutcome.LINKED}
        return verdicts

    def _decisions(self, verdicts: Sequence[ImportDecision]) -> list[Imported]:
        """The decisions as they are kept: what this run did stays as it was, and what would be refused once more."""
        before = {one.xero_id: one for one in self._ledger.imported()}
        return [
            kept if (kept := before.get(one.contact.id)) and self._stays(kept, one) else decided(one)
            for one in verdicts
        ]

    def _stays(self, kept: Imported, verdict: ImportDecision) -> bool:
        """Whether this run did it, or CrocoClick refused exactly this, and what it was refused for is still so."""
        if kept.xero_id in self._done:
            return True
        if not verdict.fields or kept.facts.get("stamp") != _element(verdict).content:
            return False
        return kept.reason != "taken" or any(
            has_email_or_phone(self._crm[key], verdict.fields) for key in kept.facts["others"] if key in self._crm
        )

    def _count(self, decisions: Sequence[Imported]) -> None:
        self.report.outcomes |= Counter(str(one.outcome) for one in decisions)
        self._keep_conflicts(decisions)
        links = self._ledger.contact_links() | {key: Link(xero_id) for key, (xero_id, _) in self._links.items()}
        self.report.duplicate_groups = len(open_groups(self._ledger, links))

    def _recount(self) -> None:
        """What came out in the end: CrocoClick may have refused what was to be made."""
        done = [one for one in self._ledger.imported() if one.reason != PLANNED]
        kept = Counter(str(one.outcome) for one in done)
        self.report.outcomes = {name: kept.get(name, 0) for name in map(str, ImportOutcome)}
        self._keep_conflicts(done)
        self._done = frozenset(one.xero_id for one in done)

    def _keep_conflicts(self, decisions: Sequence[Imported]) -> None:
        self.report.conflicts = [one for one in decisions if one.outcome is ImportOutcome.CONFLICT]

    # -- writing to CrocoClick ---------------------------------------------------------------------------------------

    def _perform(self, verdicts: Sequence[ImportDecision]) -> None:
        over = self._done | {one.xero_id for one in self._ledger.imported() if one.facts.get("stamp")}
        writes = [verdict for verdict in verdicts if verdict.fields and verdict.contact.id not in over]
        for action, send in (("create", self._create), ("update", self._update)):
            those = [one for one in writes if (one.outcome is ImportOutcome.CREATED) == (action == "create")]
            batches = [Batch("import", action, (_element(one),)) for one in those]
            if not batches:
                continue
            kind = WriteKind(send=send, intent=intent, finish=_finish, put_off=_put_off)
            failure = self._waves.perform(batches, kind, partial(self._progress, todo=len(batches)), self._stop)
            if failure:
                raise failure

    def _progress(self, done: int, todo: int) -> Mapping[str, Any]:
        self._tell("contacts_made", done, todo)
        return {"phase": "contacts_made", "done": done, "todo": todo}

    def _create(self, payloads: Sequence[ImportDecision], *, call_id: str, key: str) -> list[Any]:
        [verdict] = payloads
        made = self._doors.crm.create_contact(verdict.fields, call_id=call_id)
        if isinstance(made, SourceContact):
            return [made]
        # CrocoClick has refused contacts and made them all the same (GoHighLevel/highlevel-api-docs#64), and one that
        # is taken may be our own, whose answer was lost and which the search did not show in time.
        try:
            there = self._doors.crm.contact(made.source_id) if isinstance(made, Taken) else self._twin(verdict.fields)
        except (TryLater, Reconnect) as failure:
            raise InDoubt(reason=failure.code) from failure
        return [there if there and there.made_for == verdict.contact.id else made]

    def _update(self, payloads: Sequence[ImportDecision], *, call_id: str, key: str) -> list[Any]:
        """Look once more before writing: what somebody filled in meanwhile is not overwritten."""
        [verdict] = payloads
        there = self._doors.crm.contact(verdict.source_id)
        if there is None:
            return [Refused(("the contact is no longer in CrocoClick",))]
        fields = {name: value for name, value in verdict.fields.items() if name in still_missing(verdict, there)}
        if not fields:
            return [Filled(there)]
        filled = self._doors.crm.update_contact(there.id, fields, call_id=call_id)
        return [Filled(filled, fields) if isinstance(filled, SourceContact) else filled]

    def _say(self, phase: str) -> None:
        self._waves.flush({"phase": phase, "done": 0, "todo": 0})
        self._tell(phase, 0, 0)


@dataclass(frozen=True, slots=True)
class Filled:
    """A contact after a look, and what was written to it; nothing where somebody had filled it in meanwhile."""

    contact: SourceContact
    fields: Mapping[str, str] = field(default_factory=dict)


def has_email_or_phone(there: SourceContact, fields: Mapping[str, str]) -> bool:
    """Whether CrocoClick's contact still has the email or the phone that stands in the way of these fields."""
    phone = phone_key(fields.get("phone", ""))
    return fields.get("email", "") in addresses(there) or bool(phone and phone == phone_key(there.phone))


def still_missing(verdict: ImportDecision, there: SourceContact) -> frozenset[str]:
    """The fields of a decision that CrocoClick's contact has still empty."""
    return frozenset(missing(verdict.contact, there))


def _element(verdict: ImportDecision) -> WriteItem:
    content = digest(*(f"{name}={value}" for name, value in sorted(verdict.fields.items())))
    expected = {name: verdict.fields[name] for name in ("email", "phone") if verdict.fields.get(name)}
    return WriteItem(verdict.contact.id, verdict, content, fingerprint=content, expected=expected, subject=verdict)


def _finish(element: WriteItem, attempt_id: int, result: SourceContact | Filled | Taken | Refused) -> AttemptResult:
    """What CrocoClick's answer means for the Xero contact."""
    verdict: ImportDecision = element.subject
    stamp = {"stamp": element.content}
    if isinstance(result, Taken):
        facts = {"others": [result.source_id], "by": result.by, **stamp}
        return AttemptResult("import", verdict.contact.id, "refused", "", attempt_id, Problem("taken", facts))
    if isinstance(result, Refused):
        problem = Problem("refused", {"message": "; ".join(result.messages), **stamp})
        return AttemptResult("import", verdict.contact.id, "refused", "", attempt_id, problem)
    if isinstance(result, SourceContact):
        return AttemptResult("import", verdict.contact.id, "created", "", attempt_id, source=result)
    reason = "email" if verdict.outcome is ImportOutcome.LINKED else "filled" if result.fields else "linked"
    told = Problem(reason, {"fields": dict(result.fields)} if result.fields else {})
    return AttemptResult("import", verdict.contact.id, "updated", "", attempt_id, told, source=result.contact)


def _put_off(element: WriteItem, attempt_id: int, problem: Problem) -> AttemptResult:
    return AttemptResult("import", element.source_id, "deferred", "", attempt_id, problem)
