"""The order of work of one run: settle what is open, read, plan, act in batches, record.

A run may be stopped at any moment, by a person, a crash or a limit: the next one begins by settling what is open.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from syncer.core.books import BookContact, BookInvoice, Books
from syncer.core.causes import CAUSES, Cure, Problem, heals_by_itself
from syncer.core.contact import Create, Decision, Join, Linked
from syncer.core.money import text
from syncer.core.payment import NewPayment
from syncer.core.plan import Action, Do, plan_all, stamp, takes_payments
from syncer.core.rules import Rules
from syncer.errors import Reconnect, SyncerError, TryLater
from syncer.ledger.records import Ending, Known, OpenAttempt, Verdict
from syncer.looking import Look, contact_stamp, look, verdict
from syncer.ports import BookPayment, Refused, Unreadable
from syncer.reading import OVERLAP, Doors, Orders, Reading, Tell
from syncer.tries import arrived, bound, contact_element, intent, payment_element, settled, settled_payment
from syncer.waves import Batch, Element, Kind, Waves, batches

PAYMENT_QUIET = timedelta(seconds=120)  # longer than a call may take to be answered


@dataclass
class Outcome:
    """What a run came to; `ended` is done, deferred, stopped or failed."""

    run_id: str
    ended: str = "done"
    failure: SyncerError | None = None
    unreadable: list[Unreadable] = field(default_factory=list)


class Run:
    """One pass over one connection. `perform` does all of it; the other methods are its steps, in order."""

    def __init__(
        self,
        run_id: str,
        doors: Doors,
        rules: Rules,
        orders: Orders,
        tell: Tell = lambda phase, done, todo: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.outcome = Outcome(run_id)
        self._doors = doors
        self._ledger = doors.ledger
        self._rules = rules
        self._orders = orders
        self._tell = tell
        self._stop = stop
        self._reading = Reading(run_id, doors, orders, self._commit_phase, tell, stop)
        self._waves = Waves(
            doors.ledger, run_id, doors.clock, orders.in_flight, doors.new_call_id, doors.drain_calls
        )  # fmt: skip

    def perform(self) -> Outcome:
        """Do everything; what stops the run early is in the outcome, our own mistakes are raised."""
        try:
            self._steps()
            if self._stop():
                self.outcome.ended = "stopped"
        except TryLater as failure:
            self.outcome.ended, self.outcome.failure = "deferred", failure
        except SyncerError as failure:
            self.outcome.ended, self.outcome.failure = "failed", failure
        finally:
            self.outcome.unreadable = self._reading.unreadable
            self._waves.flush()
        return self.outcome

    def _steps(self) -> None:
        self._settle()
        self._reading.crococlick()
        if self._stop():
            return
        self._ledger.take_customers(self._now())
        workload = self._workload()
        if not workload:
            return
        books = self._bring_books(workload)
        self._act_on_contacts(workload, books)
        doubtful = self._act_on_invoices(workload, books)
        if not self._stop():
            self._act_on_payments(books)
        if doubtful and not self._stop():
            with suppress(TryLater, Reconnect):
                self._settle()

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name or an email; returns how many invoices that is."""
        return self._reading.search(what)

    def look(self) -> Books:
        """Read both sides and write to neither: what a preview needs."""
        self._reading.crococlick()
        self._ledger.take_customers(self._now())
        books = self._bring_books(self._workload())
        self._waves.flush()
        return books

    def _now(self) -> datetime:
        return self._doors.clock.now()

    def _commit_phase(self, phase: str, done: int, todo: int) -> None:
        self._waves.flush(self._say(phase, done, todo))

    def _say(self, phase: str, done: int = 0, todo: int = 0) -> dict[str, Any]:
        self._tell(phase, done, todo)
        return {"phase": phase, "done": done, "todo": todo}

    # -- settle -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Look in Xero for every write whose answer is unknown, call by call, before anything is regrouped."""
        open_attempts = self._ledger.open_attempts()
        if not open_attempts:
            return
        self._waves.flush(self._say("settling", 0, len(open_attempts)))
        by_call: dict[str, list[OpenAttempt]] = defaultdict(list)
        for attempt in open_attempts:
            by_call[attempt.intent.call_id].append(attempt)
        for attempts in by_call.values():
            endings = self._look_for(attempts)
            self._ledger.commit(
                self.outcome.run_id, self._now(), endings=endings, calls=self._doors.drain_calls()
            )  # fmt: skip

    def _look_for(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        if attempts[0].intent.kind == "contact":
            return self._look_for_contacts(attempts)
        if attempts[0].intent.kind == "payment":
            return self._look_for_payments(attempts)
        heads = self._doors.accounts.invoices_numbered([attempt.intent.number for attempt in attempts])
        self._ledger.mirror(self._now(), invoices=heads)
        return [settled(attempt, heads) for attempt in attempts]

    def _look_for_contacts(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        since = min(attempt.begun_at for attempt in attempts) - OVERLAP
        found = [contact for page in self._doors.accounts.contacts(since) for contact in page.items]
        self._ledger.mirror(self._now(), contacts=found)
        by_number = {contact.number: contact for contact in found}
        return [
            Ending("contact", one.intent.source_id, "found", "linked", one.id, contact=by_number[one.intent.source_id])
            if one.intent.source_id in by_number
            else Ending("contact", one.intent.source_id, "not_arrived", "waiting", one.id)
            for one in attempts
        ]

    def _look_for_payments(self, attempts: Sequence[OpenAttempt]) -> list[Ending]:
        """Payments by our mark, not before the write itself must be over: nothing else would stop a second one."""
        if self._now() - attempts[0].begun_at < PAYMENT_QUIET:
            return []
        since = min(attempt.begun_at for attempt in attempts) - OVERLAP
        found = [one for page in self._doors.accounts.payments(since) for one in page.items if one.status != "DELETED"]
        return [settled_payment(attempt, found) for attempt in attempts]

    # -- plan -------------------------------------------------------------------------------------------------------

    def _workload(self) -> list[Known]:
        workload = self._ledger.workload()
        if self._orders.only:
            return [known for known in workload if known.invoice.source_id in self._orders.only]
        return workload

    def _bring_books(self, workload: Sequence[Known]) -> Books:
        """The organisation's settings, contacts and invoice heads, read again only where something depends on it."""
        self._waves.flush(self._say("planning", 0, len(workload)))
        waits_for = {cure for known in workload if known.cause for cure in _cures(known)}
        books = self._reading.books(again=self._orders.full or Cure.BOOKS in waits_for)
        self._reading.contacts(again=self._orders.full or Cure.CONTACTS in waits_for)
        self._reading.invoices(again=self._orders.full or Cure.DOCUMENT in waits_for)
        return books

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _act_on_contacts(self, workload: Sequence[Known], books: Books) -> None:
        """Link or create every contact that an invoice of the workload waits for."""
        scene = look(self._ledger, self._rules, books, workload, self._orders.only)
        needed = {
            action.invoice.customer.id
            for action in plan_all([known.invoice for known in workload], scene.scene, scene.owners)
            if action.do in (Do.CREATE, Do.UPDATE)
        }
        decisions = scene.scene.contacts
        self._link(needed, decisions)
        wanted = needed | {d.source_id for key in needed if isinstance(d := decisions.get(key), Join)}
        creates = [d.contact for key, d in decisions.items() if key in wanted and isinstance(d, Create)]
        if not creates:
            return
        known = self._ledger.contacts()
        elements = [contact_element(contact, known[contact.source_id].tries) for contact in creates]
        self._perform(batches("contact", "create", elements), self._contact_kind(scene), "contacts", len(elements))
        self._link(needed, look(self._ledger, self._rules, books, workload, self._orders.only).scene.contacts)

    def _link(self, needed: Iterable[str], decisions: Mapping[str, Decision]) -> None:
        links = {
            source_id: (decision.xero_id, decision.how)
            for source_id in needed
            if isinstance(decision := decisions.get(source_id), Linked) and decision.how != "binding"
        }
        if links:
            self._ledger.link_contacts(self.outcome.run_id, links, self._now())

    def _contact_kind(self, look: Look) -> Kind:
        def finish(element: Element, attempt_id: int, result: BookContact | Refused) -> Ending:
            if isinstance(result, BookContact):
                return Ending("contact", element.source_id, "created", "linked", attempt_id, contact=result)
            problem = self._complaint(result, element)
            refused_stamp = contact_stamp(element.subject, look.contact_conditions)
            return Ending("contact", element.source_id, "refused", "held", attempt_id, problem, stamp=refused_stamp)

        return Kind(
            send=self._doors.accounts.create_contacts,
            intent=intent,
            finish=finish,
            put_off=lambda element, id_, problem: Ending("contact", element.source_id, "deferred", "waiting", id_),
        )

    # -- invoices ---------------------------------------------------------------------------------------------------

    def _act_on_invoices(self, workload: Sequence[Known], books: Books) -> bool:
        """Decide and carry out; returns whether the answer to any write is still unknown."""
        seen = look(self._ledger, self._rules, books, workload, self._orders.only)
        actions = plan_all([known.invoice for known in workload], seen.scene, seen.owners)
        self._record_verdicts(actions, seen)
        tries = {known.invoice.source_id: known.tries for known in workload}
        for do, send in self._writes().items():
            elements = [self._element(action, tries) for action in actions if action.do is do]
            kind = self._invoice_kind(do, send, seen)
            self._perform(batches("invoice", do.value, elements), kind, "invoices", len(elements))
        self._settle_taken_numbers()
        return bool(self._ledger.open_attempts())

    def _writes(self) -> dict[Do, Callable[..., Sequence[BookInvoice | Refused]]]:
        accounts = self._doors.accounts
        return {
            Do.CREATE: accounts.create_invoices,
            Do.UPDATE: accounts.update_invoices,
            Do.VOID: accounts.void_invoices,
        }

    def _record_verdicts(self, actions: Sequence[Action], seen: Look) -> None:
        now = self._now()
        verdicts = [
            verdict(action)
            for action in actions
            # Payments are decided once they are read.
            if action.do is not Do.BIND and not (action.xero_id and takes_payments(action.invoice, self._rules))
        ]
        self._ledger.settle_verdicts(self.outcome.run_id, verdicts, now)
        found = [bound(action.invoice, action.found) for action in actions if action.found]
        if found:
            self._ledger.commit(self.outcome.run_id, now, endings=found)

    def _element(self, action: Action, tries: Mapping[str, int]) -> Element:
        invoice, document = action.invoice, action.document
        content = f"{invoice.fingerprint} {invoice.status} {tries[invoice.source_id]}"
        expected = {"status": str(invoice.status)}
        if takes_payments(invoice, self._rules):
            expected["then"] = "pay"
        payload: Any = action.xero_id
        if document:
            payload = document if action.do is Do.CREATE else (action.xero_id, document)
            expected |= {"total": text(document.total), "tax": text(document.total_tax)}
        return Element(
            source_id=invoice.source_id,
            payload=payload,
            content=content,
            number=invoice.number,
            fingerprint=invoice.fingerprint,
            expected=expected,
            size=self._doors.document_size(document) if document else 100,
            subject=invoice,
        )

    def _invoice_kind(self, do: Do, send: Any, seen: Look) -> Kind:
        outcome = {Do.CREATE: "created", Do.UPDATE: "updated", Do.VOID: "voided"}[do]

        def finish(element: Element, attempt_id: int, result: BookInvoice | Refused) -> Ending:
            if isinstance(result, BookInvoice):
                return arrived(element.source_id, outcome, attempt_id, result, element.fingerprint, element.expected)
            return Ending(
                "invoice",
                element.source_id,
                "refused",
                "held",
                attempt_id,
                self._complaint(result, element),
                stamp=stamp(element.subject, seen.scene.conditions),
            )

        return Kind(send=send, intent=intent, finish=finish, put_off=self._put_off_invoice)

    # -- payments ---------------------------------------------------------------------------------------------------

    def _act_on_payments(self, books: Books) -> None:
        """Carry every payment of an invoice that stands in Xero, one by one."""
        if not (candidates := self._payable()):
            return
        if not self._reading.payments():
            problem = Problem("crococlick_scope_missing", {"scope": "payments/transactions.readonly"})
            verdicts = [Verdict(known.invoice.source_id, "held", problem) for known in candidates]
            self._ledger.settle_verdicts(self.outcome.run_id, verdicts, self._now())
            return
        actions, seen = self._decide_payments(books)
        elements = [
            payment_element(action.invoice, payment) for action in actions for payment in action.payments
        ]  # fmt: skip
        if elements:
            todo = batches("payment", "create", elements)
            self._perform(todo, self._payment_kind(seen), "payments", len(elements))
            self._decide_payments(books)

    def _payable(self) -> list[Known]:
        return [
            known for known in self._workload() if known.standing.xero_id and takes_payments(known.invoice, self._rules)
        ]

    def _decide_payments(self, books: Books) -> tuple[list[Action], Look]:
        workload = self._payable()
        seen = look(self._ledger, self._rules, books, workload, self._orders.only)
        actions = plan_all([known.invoice for known in workload], seen.scene, seen.owners)
        self._ledger.settle_verdicts(self.outcome.run_id, [verdict(action) for action in actions], self._now())
        return [action for action in actions if action.do is Do.PAY], seen

    def _payment_kind(self, seen: Look) -> Kind:
        def finish(element: Element, attempt_id: int, result: BookPayment | Refused) -> Ending:
            owner = element.expected["owner"]
            if isinstance(result, BookPayment):
                # The answer's own amount and invoice may be left out: what was sent counts.
                sent: NewPayment = element.payload
                there = replace(result, amount=sent.amount, invoice_id=sent.invoice_id)
                return Ending("payment", element.source_id, "paid", "waiting", attempt_id, payment=there, owner=owner)
            problem = self._complaint(result, element)
            refused_stamp = stamp(element.subject, seen.scene.conditions)
            return Ending(
                "payment", element.source_id, "refused", "held", attempt_id, problem, owner=owner, stamp=refused_stamp
            )

        def put_off(element: Element, attempt_id: int, problem: Problem) -> Ending:
            owner = element.expected["owner"]
            return Ending("payment", element.source_id, "deferred", "waiting", attempt_id, owner=owner)

        return Kind(send=self._doors.accounts.create_payments, intent=intent, finish=finish, put_off=put_off)

    def _put_off_invoice(self, element: Element, attempt_id: int, problem: Problem) -> Ending:
        wait_s = problem.facts.get("wait_s")
        retry_at = self._now() + timedelta(seconds=float(wait_s)) if wait_s else None
        if problem.code in CAUSES and heals_by_itself(problem.code):
            return Ending(
                "invoice", element.source_id, "deferred", "retrying", attempt_id, problem, retry_at=retry_at
            )  # fmt: skip
        return Ending("invoice", element.source_id, "deferred", "waiting", attempt_id)

    def _complaint(self, refused: Refused, element: Element) -> Problem:
        problem = self._doors.read_complaints(refused.messages)[0]
        return Problem(problem.code, {**problem.facts, "messages": list(refused.messages)}, problem.where)

    def _perform(self, todo: Sequence[Batch], kind: Kind, phase: str, records: int) -> None:
        failure = self._waves.perform(todo, kind, lambda done: self._say(phase, done, records), self._stop)
        if failure:
            raise failure

    def _settle_taken_numbers(self) -> None:
        """A number that Xero says is taken may be our own document, arrived after we had looked for it."""
        taken = [
            known
            for known in self._ledger.workload()
            if known.cause == "number_taken" and known.standing.refused_stamp and known.invoice.number
        ]
        for start in range(0, len(taken), 50):
            part = taken[start : start + 50]
            heads = self._doors.accounts.invoices_numbered([known.invoice.number for known in part])
            ours = [(known, head) for known in part for head in heads if head.url.endswith(known.invoice.source_id)]
            endings = [
                arrived(known.invoice.source_id, "found", None, head, known.invoice.fingerprint, {})
                for known, head in ours
            ]
            self._ledger.mirror(self._now(), invoices=heads)
            self._ledger.commit(self.outcome.run_id, self._now(), endings=endings, calls=self._doors.drain_calls())


def _cures(known: Known) -> frozenset[Cure]:
    cause = CAUSES.get(known.cause or "")
    return cause.cures if cause else frozenset(Cure)
