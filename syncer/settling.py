"""Looking in Xero for every write whose answer is unknown, before anything new is sent for its record."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from syncer.core.payment import BookPayment
from syncer.core.payment import is_ours as carries_mark
from syncer.ledger.records import Ending, OpenAttempt
from syncer.ports import Found, Page
from syncer.reading import OVERLAP, Doors, Reading
from syncer.tries import settled, settled_payment, settled_removal

T = TypeVar("T")

PAYMENT_QUIET = timedelta(seconds=120)  # longer than a call may take to be answered


class Settling:
    """The looks of one run; `say` tells how far it is."""

    def __init__(self, run_id: str, doors: Doors, reading: Reading, say: Callable[[str, int, int], None]) -> None:
        self._run_id = run_id
        self._doors = doors
        self._ledger = doors.ledger
        self._reading = reading
        self._say = say
        self._looks: Mapping[str, Callable[[Sequence[OpenAttempt]], list[Ending]]] = {
            "invoice": self._invoices,
            "contact": self._contacts,
            "payment": self._payments,
            "unpay": self._payments,
            "tax_rate": self._settings,
            "currency": self._settings,
        }

    def settle(self) -> None:
        """Look for all open tries, call by call, before anything is regrouped."""
        open_attempts = self._ledger.open_attempts()
        if not open_attempts:
            return
        self._say("settling", 0, len(open_attempts))
        by_call: dict[str, list[OpenAttempt]] = defaultdict(list)
        for attempt in open_attempts:
            by_call[attempt.intent.call_id].append(attempt)
        for attempts in by_call.values():
            endings = self._looks[attempts[0].intent.kind](attempts)
            now = self._doors.clock.now()
            self._ledger.commit(self._run_id, now, endings=endings, calls=self._doors.drain_calls())

    def _invoices(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        numbers = [attempt.intent.number for attempt in attempts]
        heads = self._doors.accounts.invoices_numbered(numbers)
        self._ledger.mirror(self._doors.clock.now(), invoices=heads)
        endings = [(attempt, settled(attempt, heads)) for attempt in attempts]
        return [
            ending
            for attempt, ending in endings
            if ending.outcome != "not_arrived" or not heads.may_hide_number(attempt.intent.number)
        ]

    def _contacts(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        since = min(attempt.begun_at for attempt in attempts) - OVERLAP
        found = _all(self._doors.accounts.contacts(since))
        self._ledger.mirror(self._doors.clock.now(), contacts=found)
        by_number = {contact.number: contact for contact in found}
        if found.unreadable:
            # Which of them it is, its number alone would say: one that was not found may be there all the same.
            attempts = [one for one in attempts if one.intent.source_id in by_number]
        return [
            Ending("contact", one.intent.source_id, "found", "linked", one.id, contact=by_number[one.intent.source_id])
            if one.intent.source_id in by_number
            else Ending("contact", one.intent.source_id, "not_arrived", "waiting", one.id)
            for one in attempts
        ]

    def _payments(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
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

    def _settings(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        """A tax rate or a currency: what the organisation has now says whether it was created."""
        books = self._reading.books(again=True)
        there = {rate.name for rate in books.tax_rates} | books.currencies
        return [
            Ending(
                one.intent.kind,
                one.intent.source_id,
                "found" if one.intent.expected["name"] in there else "not_arrived",
                "waiting",
                one.id,
            )
            for one in attempts
        ]


def _all(pages: Iterable[Page[T]]) -> Found[T]:
    """What all pages hold together."""
    read = list(pages)
    return Found([item for page in read for item in page.items], [odd for page in read for odd in page.unreadable])


def _is_hidden(attempt: OpenAttempt, found: Found[BookPayment]) -> bool:
    """Whether the payment of a try may be one that cannot be read: sent again, it would be entered twice."""
    if attempt.intent.kind == "unpay":
        return found.may_hide_id(attempt.intent.expected["payment"])
    mark = attempt.intent.source_id
    return any(not odd.number or carries_mark(odd.number, mark) for odd in found.unreadable)
