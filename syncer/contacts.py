"""One import of contacts, Xero → CrocoClick: settle what is open, read both sides, decide, link, make, fill up.

It may be stopped at any moment: what was under way is looked for first the next time, and nothing is made twice.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from syncer.address_book import open_groups
from syncer.core.causes import Problem
from syncer.core.importing import ImportRules, Link, Outcome, Verdict, decide_import, missing
from syncer.core.people import SourceContact
from syncer.errors import InDoubt, SyncerError, TryLater
from syncer.ledger.people import PLANNED, Imported, decided
from syncer.ledger.records import Ending, OpenAttempt
from syncer.looking import digest
from syncer.ports import Refused, Taken
from syncer.reading import DAILY, OVERLAP, Doors, Tell
from syncer.tries import intent
from syncer.waves import Batch, Element, Kind, Waves

IN_FLIGHT = 4
WAVE = 40  # contacts that are committed together: as many looks at most after a crash
QUIET = timedelta(seconds=15)  # CrocoClick's search lags behind its writes by seconds
WEEKLY = timedelta(days=7)  # Xero does not say when a contact became a customer: once a week all are read


@dataclass
class Report:
    """What an import came to, or would come to; `ended` is done, deferred, stopped or failed."""

    run_id: str
    dry_run: bool = False
    ended: str = "done"
    failure: SyncerError | None = None
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, Outcome), 0))
    duplicate_groups: int = 0


class ContactReading:
    """Bringing the mirrors of both sides' contacts up to date."""

    def __init__(self, doors: Doors, tell: Tell, stop: Callable[[], bool] = lambda: False) -> None:
        self._doors = doors
        self._ledger = doors.ledger
        self._tell = tell
        self._stop = stop

    def xero(self) -> None:
        """What changed in Xero since it was last read; once a week everything."""
        started = self._doors.clock.now()
        whole, last = self._ledger.watermark("xero_contacts_all"), self._ledger.watermark("xero_contacts")
        since = last - OVERLAP if last and whole and started - whole < WEEKLY else None
        read = 0
        for page in self._doors.accounts.contacts(since):
            read += len(page.items)
            self._ledger.mirror(started, contacts=page.items)
            self._tell("contacts_xero", read, page.total or 0)
            if self._stop():
                return
        self._ledger.mirror(started, reached=["xero_contacts", *([] if since else ["xero_contacts_all"])])

    def crococlick(self) -> None:
        """What changed in CrocoClick since it was last read; once a day everything, so that what is gone shows."""
        started = self._doors.clock.now()
        whole, last = self._ledger.watermark("source_contacts_all"), self._ledger.watermark("source_contacts")
        everything = not (last and whole and started - whole < DAILY)
        read: list[SourceContact] = []
        for page in self._doors.crm.contacts(None if everything or not last else last - OVERLAP):
            read += page.items
            self._tell("contacts_crococlick", len(read), page.total or 0)
            if self._stop():
                return
        reached = ["source_contacts", *(["source_contacts_all"] if everything else [])]
        self._ledger.see_contacts(read, started, reached, started if everything else None)


class Import:
    """One import over one connection."""

    def __init__(
        self,
        run_id: str,
        doors: Doors,
        rules: ImportRules,
        tell: Tell = lambda phase, done, todo: None,
        stop: Callable[[], bool] = lambda: False,
        dry_run: bool = False,
    ) -> None:
        self.report = Report(run_id, dry_run)
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._rules = rules
        self._tell = tell
        self._stop = stop
        self._reading = ContactReading(doors, tell, stop)
        self._waves = Waves(
            doors.ledger, run_id, doors.clock, IN_FLIGHT, doors.new_call_id, doors.drain_calls, wave=WAVE
        )  # fmt: skip

    def perform(self) -> Report:
        """Do everything; what stops the import early is in the report, our own mistakes are raised."""
        try:
            self._steps()
            if self._stop():
                self.report.ended = "stopped"
        except (TryLater, InDoubt) as failure:
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
        verdicts = self._decide()
        self._count(verdicts)
        if self.report.dry_run:
            return
        self._record(verdicts)
        self._perform(verdicts)
        if not self._stop():
            self._settle()
        self._recount()

    # -- what was under way -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Read CrocoClick, and look for every contact that may have been made: by our mark, else by its email."""
        attempts = self._ledger.open_imports() if not self.report.dry_run else []
        if attempts:
            # Until its search must show what was written last.
            quiet = max(attempt.begun_at for attempt in attempts) + QUIET - self._doors.clock.now()
            self._doors.clock.sleep(max(0.0, quiet.total_seconds()))
        elif self._ledger.watermark("importing"):
            self._ledger.end_import(self._run_id, self._doors.clock.now())
            return
        self._reading.crococlick()
        if not attempts:
            return
        marked = {one.made_for: one for one in self._ledger.source_contacts() if one.made_for}
        endings = [self._settled(attempt, marked) for attempt in attempts]
        now = self._doors.clock.now()
        self._ledger.commit(self._run_id, now, endings=endings, calls=self._doors.drain_calls())
        self._ledger.end_import(self._run_id, now)

    def _settled(self, attempt: OpenAttempt, marked: Mapping[str, SourceContact]) -> Ending:
        xero_id, expected = attempt.intent.source_id, attempt.intent.expected
        there = marked.get(xero_id)
        if there is None and attempt.intent.action == "create" and (expected.get("email") or expected.get("phone")):
            there = self._doors.crm.duplicate(expected.get("email", ""), expected.get("phone", ""))
        if there and there.made_for == xero_id:
            return Ending("import", xero_id, "found", "", attempt.id, source=there)
        return Ending("import", xero_id, "not_arrived", "", attempt.id)

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _decide(self) -> list[Verdict]:
        self._say("planning")
        ledger = self._ledger
        return decide_import(
            ledger.book_contacts(), ledger.source_contacts(), ledger.contact_links(), ledger.contact_answers(),
            self._rules,
        )  # fmt: skip

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        self.report.outcomes |= Counter(str(verdict.outcome) for verdict in verdicts)
        links = self._ledger.contact_links()
        links |= {v.source_id: Link(v.contact.id) for v in verdicts if v.outcome is Outcome.LINKED}
        self.report.duplicate_groups = len(open_groups(self._ledger, links))

    def _recount(self) -> None:
        """What came out in the end: CrocoClick may have refused what was to be made."""
        kept = Counter(str(one.outcome) for one in self._ledger.imported() if one.reason != PLANNED)
        self.report.outcomes = {name: kept.get(name, 0) for name in map(str, Outcome)}

    def _record(self, verdicts: Sequence[Verdict]) -> None:
        """Write down every decision; what was refused before and would be sent again the same stays as it was."""
        before = {one.xero_id: one for one in self._ledger.imported()}
        decisions = []
        for verdict in verdicts:
            kept = before.get(verdict.contact.id)
            new = decided(verdict)
            decisions.append(kept if kept and _is_refused_again(kept, verdict) else new)
        links = {v.source_id: (v.contact.id, "email") for v in verdicts if v.outcome is Outcome.LINKED}
        self._ledger.keep_import(self._run_id, decisions, links, self._doors.clock.now())

    # -- writing to CrocoClick ---------------------------------------------------------------------------------------

    def _perform(self, verdicts: Sequence[Verdict]) -> None:
        refused = {one.xero_id for one in self._ledger.imported() if one.facts.get("stamp")}
        writes = [verdict for verdict in verdicts if verdict.fields and verdict.contact.id not in refused]
        for action, send in (("create", self._create), ("update", self._update)):
            those = [one for one in writes if (one.outcome is Outcome.CREATED) == (action == "create")]
            batches = [Batch("import", action, (_element(one),)) for one in those]
            kind = Kind(send=send, intent=intent, finish=_finish, put_off=_put_off)
            failure = self._waves.perform(batches, kind, partial(self._progress, todo=len(batches)), self._stop)
            if failure:
                raise failure

    def _progress(self, done: int, todo: int) -> Mapping[str, Any]:
        self._tell("contacts_made", done, todo)
        return {"phase": "contacts_made", "done": done, "todo": todo}

    def _create(self, payloads: Sequence[Verdict], *, call_id: str, key: str) -> list[Any]:
        [verdict] = payloads
        made = self._doors.crm.create_contact(verdict.fields, call_id=call_id)
        if isinstance(made, Refused) and (email := verdict.fields.get("email")):
            # CrocoClick has refused contacts and made them all the same (GoHighLevel/highlevel-api-docs#64).
            there = self._doors.crm.duplicate(email)
            made = there if there and there.made_for == verdict.contact.id else made
        return [made]

    def _update(self, payloads: Sequence[Verdict], *, call_id: str, key: str) -> list[Any]:
        """Look once more before writing: what somebody filled in meanwhile is not overwritten."""
        [verdict] = payloads
        there = self._doors.crm.contact(verdict.source_id)
        if there is None:
            return [Refused(("the contact is no longer in CrocoClick",))]
        fields = {name: value for name, value in verdict.fields.items() if name in still_missing(verdict, there)}
        return [self._doors.crm.update_contact(there.id, fields, call_id=call_id) if fields else there]

    def _say(self, phase: str) -> None:
        self._waves.flush({"phase": phase, "done": 0, "todo": 0})
        self._tell(phase, 0, 0)


def still_missing(verdict: Verdict, there: SourceContact) -> frozenset[str]:
    """The fields of a decision that CrocoClick's contact has still empty."""
    return frozenset(missing(verdict.contact, there))


def _element(verdict: Verdict) -> Element:
    content = digest(*(f"{name}={value}" for name, value in sorted(verdict.fields.items())))
    expected = {name: verdict.fields[name] for name in ("email", "phone") if verdict.fields.get(name)}
    return Element(verdict.contact.id, verdict, content, fingerprint=content, expected=expected, subject=verdict)


def _finish(element: Element, attempt_id: int, result: SourceContact | Taken | Refused) -> Ending:
    """What CrocoClick's answer means for the Xero contact."""
    verdict: Verdict = element.subject
    stamp = {"stamp": element.content}
    if isinstance(result, Taken):
        facts = {"others": [result.source_id], "by": result.by, **stamp}
        return Ending("import", verdict.contact.id, "refused", "", attempt_id, Problem("taken", facts))
    if isinstance(result, Refused):
        problem = Problem("refused", {"message": "; ".join(result.messages), **stamp})
        return Ending("import", verdict.contact.id, "refused", "", attempt_id, problem)
    if verdict.outcome is Outcome.CREATED:
        return Ending("import", verdict.contact.id, "created", "", attempt_id, source=result)
    fields = Problem("filled" if verdict.outcome is Outcome.UPDATED else "email", {"fields": dict(verdict.fields)})
    return Ending("import", verdict.contact.id, "updated", "", attempt_id, fields, source=result)


def _put_off(element: Element, attempt_id: int, problem: Problem) -> Ending:
    return Ending("import", element.source_id, "deferred", "", attempt_id, problem)


def _is_refused_again(kept: Imported, verdict: Verdict) -> bool:
    """Whether CrocoClick refused exactly this before, so that asking again cannot help."""
    stamp = kept.facts.get("stamp")
    return bool(stamp) and bool(verdict.fields) and stamp == _element(verdict).content
