"""Looking in Xero for every write whose answer is unknown, before anything new is sent for its record."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TypeVar

from syncer.domain.errors import NeedsPerson, TryLater
from syncer.domain.model.books import BookInvoice
from syncer.domain.model.payment import PAYMENT_QUIET, BookPayment
from syncer.domain.model.payment import is_ours as carries_mark
from syncer.domain.model.xero_document import BookDocument
from syncer.domain.ports import Lookup, Page
from syncer.storage.ledger.records import AttemptResult, AttemptStart, OpenAttempt
from syncer.sync.context import OVERLAP, RunContext
from syncer.sync.ingest import Reading
from syncer.sync.writes.invoices import is_meant, settled
from syncer.sync.writes.payments import settled_payment, settled_removal

T = TypeVar("T")


class Reconciliation:
    """The looks of one run; `say` tells how far it is."""

    def __init__(self, run_id: str, doors: RunContext, reading: Reading, say: Callable[[str, int, int], None]) -> None:
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._reading = reading
        self._say = say
        self._began = doors.clock.now()
        self.failure: TryLater | None = None  # why some of the looks were in vain
        self._looks: Mapping[str, Callable[[Sequence[OpenAttempt]], list[AttemptResult]]] = {
            "invoice": self._invoices,
            "contact": self._contacts,
            "payment": self._payments,
            "unpay": self._payments,
            "tax_rate": self._settings,
            "currency": self._settings,
        }

    def settle(self) -> None:
        """Look for all open tries, call by call, before anything is regrouped.

        A look that fails leaves its own tries in doubt and stops nothing else; `failure` says why. Raises Reconnect.
        """
        self.failure = None
        open_attempts = self._ledger.open_attempts()
        if not open_attempts:
            return
        self._say("settling", 0, len(open_attempts))
        by_call: dict[str, list[OpenAttempt]] = defaultdict(list)
        for attempt in open_attempts:
            by_call[attempt.intent.call_id].append(attempt)
        for attempts in by_call.values():
            endings = self._look(attempts)
            now = self._doors.clock.now()
            self._ledger.commit(self._run_id, now, endings=endings, calls=self._doors.drain_calls())

    def _look(self, attempts: Sequence[OpenAttempt]) -> list[AttemptResult]:
        """How the tries of one call ended; none where that cannot be known now."""
        try:
            return self._looks[attempts[0].intent.kind](attempts)
        except TryLater as failure:
            # A limit or an outage may be over for the next look; what was first in the way is told.
            self.failure = self.failure or failure
        except NeedsPerson as refused:
            self.failure = self.failure or TryLater("answer_lost", **refused.facts)
        return []

    def wait_for_payments(self, only: Set[str]) -> None:
        """Raise TryLater while it is too early to look for a payment of these invoices (none named: of any)."""
        waiting = [
            attempt.begun_at + PAYMENT_QUIET
            for attempt in self._ledger.open_attempts()
            if attempt.intent.kind in ("payment", "unpay")
            if not only or attempt.intent.expected["owner"] in only
        ]
        now = self._doors.clock.now()
        if waiting:
            wait_s = max(0.0, (max(waiting) - now).total_seconds())
            raise TryLater("answer_lost", wait_s, retry_at=max(waiting).strftime("%Y-%m-%dT%H:%M:%SZ"), payment=True)

    def _invoices(self, attempts: Sequence[OpenAttempt]) -> list[AttemptResult]:
        heads = self._heads([attempt.intent for attempt in attempts])
        ended = [
            (attempt, settled(attempt, heads, self._document))
            for attempt in attempts
            if not self._may_hide(attempt.intent, heads)
        ]
        self._ledger.mirror(self._doors.clock.now(), invoices=heads)
        return [self._decided_anew(*pair) for pair in ended]

    def _may_hide(self, intent: AttemptStart, heads: Lookup[BookInvoice]) -> bool:
        """Whether the document may be one that is there and cannot be read: then nothing says that it is not."""
        xero_id = intent.expected.get("xero_id")
        hidden = heads.may_hide_id(xero_id) if xero_id else heads.may_hide_number(intent.number)
        if not hidden or any(is_meant(head, intent) for head in heads):
            return False
        self.failure = self.failure or TryLater("answer_lost", reason="a record of Xero cannot be read")
        return True

    def _heads(self, intents: Sequence[AttemptStart]) -> Lookup[BookInvoice]:
        """The documents that were written over, by their ids, and those that were to be new, by their numbers.

        A number may have been kept with its outer blanks or without them.
        """
        ids = sorted({intent.expected["xero_id"] for intent in intents if intent.expected.get("xero_id")})
        new = [intent.number for intent in intents if not intent.expected.get("xero_id")]
        numbers = list(dict.fromkeys([*(number.strip() for number in new), *new]))
        by_id = self._doors.accounts.invoices_with_ids(ids) if ids else Lookup[BookInvoice]()
        by_number = self._doors.accounts.invoices_numbered(numbers) if numbers else Lookup[BookInvoice]()
        return Lookup([*by_id, *by_number], [*by_id.unreadable, *by_number.unreadable])

    def _document(self, xero_id: str) -> BookDocument | None:
        return self._doors.accounts.invoice(xero_id)

    def _decided_anew(self, attempt: OpenAttempt, ending: AttemptResult) -> AttemptResult:
        """What an earlier run has sent may have changed in CrocoClick since: it is decided again."""
        is_old = attempt.begun_at < self._began and ending.state == "synced"
        return replace(ending, state="waiting") if is_old else ending

    def _contacts(self, attempts: Sequence[OpenAttempt]) -> list[AttemptResult]:
        since = min(attempt.begun_at for attempt in attempts) - OVERLAP
        found = _all(self._doors.accounts.contacts(since))
        self._ledger.mirror(self._doors.clock.now(), contacts=found)
        by_number = {contact.number: contact for contact in found}
        if found.unreadable:
            # Which of them it is, its number alone would say: one that was not found may be there all the same.
            attempts = [one for one in attempts if one.intent.source_id in by_number]
        return [
            AttemptResult(
                "contact", one.intent.source_id, "found", "linked", one.id, contact=by_number[one.intent.source_id]
            )
            if one.intent.source_id in by_number
            else AttemptResult("contact", one.intent.source_id, "not_arrived", "waiting", one.id)
            for one in attempts
        ]

    def _payments(self, attempts: Sequence[OpenAttempt]) -> list[AttemptResult]:
        """Payments by our mark, not before the write itself must be over: nothing else would stop a second one."""
        if self._doors.clock.now() - attempts[0].begun_at < PAYMENT_QUIET:
            return []
        since = min(attempt.begun_at for attempt in attempts) - OVERLAP
        found = _all(self._doors.accounts.payments(since))
        attempts = [one for one in attempts if not _is_hidden(one, found)]
        if not attempts:
            return []
        if attempts[0].intent.kind == "unpay":
            return [settled_removal(attempt, found) for attempt in attempts]
        standing = [one for one in found if one.stands]
        return [settled_payment(attempt, standing) for attempt in attempts]

    def _settings(self, attempts: Sequence[OpenAttempt]) -> list[AttemptResult]:
        """A tax rate or a currency: what the organisation has now says whether it was created."""
        books = self._reading.books(again=True)
        there = {rate.name for rate in books.tax_rates} | books.currencies
        return [
            AttemptResult(
                one.intent.kind,
                one.intent.source_id,
                "found" if one.intent.expected["name"] in there else "not_arrived",
                "waiting",
                one.id,
            )
            for one in attempts
        ]


def _all(pages: Iterable[Page[T]]) -> Lookup[T]:
    """What all pages hold together."""
    read = list(pages)
    return Lookup([item for page in read for item in page.items], [odd for page in read for odd in page.unreadable])


def _is_hidden(attempt: OpenAttempt, found: Lookup[BookPayment]) -> bool:
    """Whether the payment of a try may be one that cannot be read: sent again, it would be entered twice."""
    if attempt.intent.kind == "unpay":
        return found.may_hide_id(attempt.intent.expected["payment"])
    mark = attempt.intent.source_id
    return any(not odd.number or carries_mark(odd.number, mark) for odd in found.unreadable)
