"""The order of work of one run: settle what is open, read, plan, act in batches, record.

A run may be stopped at any moment, by a person, a crash or a limit: the next one begins by settling what is open.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from syncer.core.books import BookContact, BookInvoice, Books, Document, books_from, books_text
from syncer.core.causes import CAUSES, Cure, Problem, heals_by_itself
from syncer.core.contact import ContactIndex, Create, Decision, Linked, NewContact, decide_all
from syncer.core.invoice import Customer, Invoice
from syncer.core.money import text
from syncer.core.payment import NewPayment, is_ours
from syncer.core.plan import Action, Do, Scene, number_owners, plan_all, stamp, takes_payments
from syncer.core.rules import Rules
from syncer.errors import Reconnect, SyncerError, TryLater
from syncer.ledger.ledger import Ledger
from syncer.ledger.records import Ending, Intent, Known, KnownContact, OpenAttempt, Verdict
from syncer.ports import Accounts, BookPayment, CallRecord, Clock, Crm, Refused, Unreadable
from syncer.waves import Batch, Element, Kind, Waves, batches

OVERLAP = timedelta(minutes=10)  # a mirror is read again from a little before where it ended
DAILY = timedelta(hours=24)
OPEN_STATUSES = ("draft", "sent", "payment_processing", "partially_paid")
PAYMENT_QUIET = timedelta(seconds=120)  # longer than a call may take to be answered
SEE_AT_ONCE = 2000
MANY = 500  # from here on the whole mirror is read at once

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
    """What this run was asked for: everything, or the invoices of `scope` alone."""

    scope: str = ""
    only: frozenset[str] = frozenset()
    full: bool = False
    recent_days: int = 30
    in_flight: int = 5


@dataclass
class Outcome:
    """What a run came to; `ended` is done, deferred, stopped or failed."""

    run_id: str
    ended: str = "done"
    failure: SyncerError | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
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
            self._waves.flush()
        return self.outcome

    def _steps(self) -> None:
        self._settle()
        self._read()
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

    def look(self) -> Books:
        """Read both sides and write to neither: what a preview needs."""
        self._read()
        self._ledger.take_customers(self._now())
        books = self._bring_books(self._workload())
        self._waves.flush()
        return books

    def _now(self) -> datetime:
        return self._doors.clock.now()

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
        return [_settled(attempt, heads) for attempt in attempts]

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
        return [_settled_payment(attempt, found) for attempt in attempts]

    # -- read -------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Bring our picture of CrocoClick up to date: what may still move and what is recent, once a day everything."""
        if self._orders.only:
            self._read_only_these()
            return
        started = self._now()
        last = self._ledger.watermark("crococlick_all")
        if self._orders.full or last is None or started - last >= DAILY:
            self._sweep({}, {"crococlick_all": started, "crococlick": started})
            self._read_payments(everything=True)
            return
        for status in OPEN_STATUSES:
            self._sweep({"status": status}, {})
        since = started.date() - timedelta(days=self._orders.recent_days)
        self._sweep({"since": since}, {"crococlick": started})

    def _read_payments(self, everything: bool = False) -> bool:
        """Bring transactions up to date; False where the token may not see them."""
        started, last = self._now(), self._ledger.watermark("payments")
        since = None if everything or last is None else (last - DAILY).date()
        try:
            found = [one for page in self._doors.crm.payments(since) for one in page.items]
        except Reconnect as refused:
            if refused.code != "crococlick_scope_missing":
                raise
            return False
        self._ledger.see_payments(found, started, {"payments": started})
        return True

    def _read_only_these(self) -> None:
        found = [self._doors.crm.invoice(source_id) for source_id in sorted(self._orders.only)]
        self._ledger.see(self.outcome.run_id, [one for one in found if one], self._now())

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name or an email; returns how many invoices that is."""
        found = [invoice for page in self._doors.crm.invoices(search=what) for invoice in page.items]
        self._ledger.see(self.outcome.run_id, found, self._now())
        return len(found)

    def _sweep(self, which: Mapping[str, Any], reached: Mapping[str, datetime]) -> None:
        """Read a list to its end, in portions that the ledger takes as they come."""
        part: list[Invoice] = []
        read = 0
        for page in self._doors.crm.invoices(**which):
            part += page.items
            read += len(page.items)
            self.outcome.unreadable += page.unreadable
            if len(part) >= SEE_AT_ONCE:
                self._see(part, read, page.total or 0)
                part = []
            self._tell("reading", read, page.total or 0)
            if self._stop():
                return
        self._see(part, read, read)
        self._ledger.see(self.outcome.run_id, (), self._now(), reached)

    def _see(self, invoices: Sequence[Invoice], done: int, todo: int) -> None:
        self._ledger.see(self.outcome.run_id, invoices, self._now())
        self._waves.flush(self._say("reading", done, todo))

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
        books = self._books(again=self._orders.full or Cure.BOOKS in waits_for)
        self._mirror_contacts(again=self._orders.full or Cure.CONTACTS in waits_for)
        self._mirror_invoices(again=self._orders.full or Cure.DOCUMENT in waits_for)
        return books

    def _books(self, again: bool) -> Books:
        kept = self._ledger.row("books")
        if kept and not again and self._now() - kept["read_at"] < DAILY:
            return books_from(kept["content"])
        books = self._doors.accounts.books()
        self._ledger.mirror(self._now(), reached=["books"], books=books_text(books))
        return books

    def _mirror_contacts(self, again: bool) -> None:
        since, started = self._ledger.watermark("xero_contacts"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page in self._doors.accounts.contacts(since - OVERLAP if since else None):
            self._ledger.mirror(started, contacts=page.items)
        self._ledger.mirror(started, reached=["xero_contacts"])

    def _mirror_invoices(self, again: bool) -> None:
        since, started = self._ledger.watermark("xero_invoices"), self._now()
        if since and not again and started - since < DAILY:
            return
        for page in self._doors.accounts.invoice_heads(since - OVERLAP if since else None):
            self._ledger.mirror(started, invoices=page.items)
        self._ledger.mirror(started, reached=["xero_invoices"])

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _act_on_contacts(self, workload: Sequence[Known], books: Books) -> None:
        """Link or create every contact that an invoice of the workload waits for."""
        scene = look(self._ledger, self._rules, books, workload, self._orders.only)
        needed = {
            action.invoice.customer.id
            for action in plan_all([known.invoice for known in workload], scene.scene, scene.owners)
            if action.do in (Do.CREATE, Do.UPDATE)
        }
        self._link(needed, scene.scene.contacts)
        creates = [
            decision.contact
            for source_id, decision in scene.scene.contacts.items()
            if source_id in needed and isinstance(decision, Create)
        ]
        joined = {d.source_id for key, d in scene.scene.contacts.items() if key in needed and hasattr(d, "source_id")}
        creates += [
            decision.contact
            for source_id, decision in scene.scene.contacts.items()
            if source_id in joined - needed and isinstance(decision, Create)
        ]
        if not creates:
            return
        known = self._ledger.contacts()
        elements = [_contact_element(contact, known[contact.source_id].tries) for contact in creates]
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

    def _contact_kind(self, look: "Look") -> Kind:
        def finish(element: Element, attempt_id: int, result: BookContact | Refused) -> Ending:
            if isinstance(result, BookContact):
                return Ending("contact", element.source_id, "created", "linked", attempt_id, contact=result)
            problem = self._complaint(result, element)
            refused_stamp = contact_stamp(element.subject, look.contact_conditions)
            return Ending("contact", element.source_id, "refused", "held", attempt_id, problem, stamp=refused_stamp)

        return Kind(
            send=self._doors.accounts.create_contacts,
            intent=_intent,
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

    def _record_verdicts(self, actions: Sequence[Action], seen: "Look") -> None:
        now = self._now()
        verdicts = [
            verdict(action)
            for action in actions
            # Payments are decided once they are read.
            if action.do is not Do.BIND and not (action.xero_id and takes_payments(action.invoice, self._rules))
        ]
        self._ledger.settle_verdicts(self.outcome.run_id, verdicts, now)
        found = [_bound(action.invoice, action.found) for action in actions if action.found]
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

    def _invoice_kind(self, do: Do, send: Any, seen: "Look") -> Kind:
        outcome = {Do.CREATE: "created", Do.UPDATE: "updated", Do.VOID: "voided"}[do]

        def finish(element: Element, attempt_id: int, result: BookInvoice | Refused) -> Ending:
            if isinstance(result, BookInvoice):
                self.outcome.outcomes[outcome] += 1
                return _arrived(element.source_id, outcome, attempt_id, result, element.fingerprint, element.expected)
            return Ending(
                "invoice",
                element.source_id,
                "refused",
                "held",
                attempt_id,
                self._complaint(result, element),
                stamp=stamp(element.subject, seen.scene.conditions),
            )

        return Kind(send=send, intent=_intent, finish=finish, put_off=self._put_off_invoice)

    # -- payments ---------------------------------------------------------------------------------------------------

    def _act_on_payments(self, books: Books) -> None:
        """Carry every payment of an invoice that stands in Xero, one by one."""
        if not (candidates := self._payable()):
            return
        if not self._read_payments():
            problem = Problem("crococlick_scope_missing", {"scope": "payments/transactions.readonly"})
            verdicts = [Verdict(known.invoice.source_id, "held", problem) for known in candidates]
            self._ledger.settle_verdicts(self.outcome.run_id, verdicts, self._now())
            return
        actions, seen = self._decide_payments(books)
        elements = [
            _payment_element(action.invoice, payment) for action in actions for payment in action.payments
        ]  # fmt: skip
        if elements:
            todo = batches("payment", "create", elements)
            self._perform(todo, self._payment_kind(seen), "payments", len(elements))
            self._decide_payments(books)

    def _payable(self) -> list[Known]:
        return [
            known for known in self._workload() if known.standing.xero_id and takes_payments(known.invoice, self._rules)
        ]

    def _decide_payments(self, books: Books) -> tuple[list[Action], "Look"]:
        workload = self._payable()
        seen = look(self._ledger, self._rules, books, workload, self._orders.only)
        actions = plan_all([known.invoice for known in workload], seen.scene, seen.owners)
        self._ledger.settle_verdicts(self.outcome.run_id, [verdict(action) for action in actions], self._now())
        return [action for action in actions if action.do is Do.PAY], seen

    def _payment_kind(self, seen: "Look") -> Kind:
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

        return Kind(send=self._doors.accounts.create_payments, intent=_intent, finish=finish, put_off=put_off)

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
                _arrived(known.invoice.source_id, "found", None, head, known.invoice.fingerprint, {})
                for known, head in ours
            ]
            self._ledger.mirror(self._now(), invoices=heads)
            self._ledger.commit(self.outcome.run_id, self._now(), endings=endings, calls=self._doors.drain_calls())


# -- what a decision depends on ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """The scene of a plan, who may use which number, and what names the state of the contacts."""

    scene: Scene
    owners: Mapping[str, Invoice]
    contact_conditions: str


def look(
    ledger: Ledger, rules: Rules, books: Books, workload: Sequence[Known], only: frozenset[str] = frozenset()
) -> Look:
    """Gather from the ledger, without a call, all that decisions about these invoices depend on."""
    contacts = ledger.contacts()
    mirror = ledger.book_contacts()
    conditions = blake2b(f"{rules}{books_text(books)}".encode(), digest_size=12).hexdigest()
    contact_conditions = _digest(conditions, *sorted(f"{c.id} {c.name} {c.email} {c.status}" for c in mirror))
    standings = {known.invoice.source_id: known.standing for known in workload}
    shared = ledger.shared_numbers()
    standings_of_all = {known.invoice.source_id: known.standing for known in shared} | standings
    heads: dict[str, list[BookInvoice]] = defaultdict(list)
    wanted = {known.invoice.number for known in workload}
    for head in ledger.book_invoices(sorted(wanted) if len(wanted) < MANY else None):
        heads[head.number].append(head)
    scene = Scene(
        books=books,
        rules=rules,
        contacts=decide_contacts(contacts, mirror, rules, contact_conditions),
        standings=standings_of_all,
        heads=heads,
        conditions=conditions,
    )
    owners = number_owners([known.invoice for known in shared], scene)
    return Look(scene, owners, contact_conditions)


def decide_contacts(
    contacts: Mapping[str, KnownContact], mirror: Sequence[BookContact], rules: Rules, conditions: str
) -> dict[str, Decision]:
    """Decide every contact; one that Xero refused is not sent again until what the refusal depended on has moved."""
    customers = {key: known.customer for key, known in contacts.items() if not known.open}
    bindings = {key: known.xero_id for key, known in contacts.items() if known.xero_id}
    decisions = decide_all(customers, bindings, ContactIndex(mirror), rules)
    for key, decision in decisions.items():
        known = contacts[key]
        unchanged = known.refused_stamp == contact_stamp(known.customer, conditions)
        if isinstance(decision, Create) and known.refusal and unchanged:
            decisions[key] = known.refusal
    doubtful = {
        key: Problem("answer_lost", {"contact": known.customer.name}) for key, known in contacts.items() if known.open
    }
    return decisions | doubtful


def contact_stamp(customer: Customer | NewContact, conditions: str) -> str:
    """Names what the refusal of a contact depended on."""
    identity = getattr(customer, "id", "") or getattr(customer, "source_id", "")
    return _digest(identity, conditions)


def verdict(action: Action) -> Verdict:
    """The state that a decision puts an invoice in before anything is sent."""
    problem = action.problems[0] if action.problems else None
    if action.do is Do.LEAVE:
        return Verdict(action.invoice.source_id, "not_eligible" if problem else "synced", problem)
    if action.do is Do.HOLD:
        healing = problem is not None and heals_by_itself(problem.code)
        return Verdict(action.invoice.source_id, "retrying" if healing else "held", problem, action.refused)
    return Verdict(action.invoice.source_id, "waiting")


def _cures(known: Known) -> frozenset[Cure]:
    cause = CAUSES.get(known.cause or "")
    return cause.cures if cause else frozenset(Cure)


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _intent(batch: Batch, element: Element, place: int, call_id: str, key: str) -> Intent:
    return Intent(
        kind=batch.kind,
        source_id=element.source_id,
        action=batch.action,
        number=element.number,
        call_id=call_id,
        position=place,
        key=key,
        fingerprint=element.fingerprint,
        expected=element.expected,
    )


def _contact_element(contact: NewContact, tries: int) -> Element:
    content = _digest(contact.name, contact.email, contact.phone, str(tries))
    return Element(contact.source_id, contact, content, fingerprint=content, size=500, subject=contact)


def _payment_element(invoice: Invoice, payment: NewPayment) -> Element:
    content = f"{payment.invoice_id} {text(payment.amount)} {payment.paid_on} {payment.account_id}"
    return Element(
        source_id=payment.source_id,
        payload=payment,
        content=content,
        number=invoice.number,
        fingerprint=invoice.fingerprint,
        expected={"owner": invoice.source_id, "invoice": payment.invoice_id, "amount": text(payment.amount)},
        size=500,
        subject=invoice,
    )


def _settled_payment(attempt: OpenAttempt, found: Sequence[BookPayment]) -> Ending:
    intent = attempt.intent
    owner, invoice_id = intent.expected["owner"], intent.expected["invoice"]
    there = next((p for p in found if p.invoice_id == invoice_id and is_ours(p.reference, intent.source_id)), None)
    if there is None:
        return Ending("payment", intent.source_id, "not_arrived", "waiting", attempt.id, owner=owner)
    return Ending("payment", intent.source_id, "found", "waiting", attempt.id, payment=there, owner=owner)


def _settled(attempt: OpenAttempt, heads: Sequence[BookInvoice]) -> Ending:
    """What a look at Xero says of one try: it arrived, or it did not and will be sent again."""
    intent = attempt.intent
    ours = next((head for head in heads if head.url.endswith(f"/{intent.source_id}")), None)
    if ours and intent.action == "create":
        return _arrived(intent.source_id, "found", attempt.id, ours, intent.fingerprint, intent.expected)
    if ours and intent.action == "void" and ours.status == "VOIDED":
        return _arrived(intent.source_id, "found", attempt.id, ours, intent.fingerprint, intent.expected)
    # An update may have arrived or not: sending it again comes to the same.
    return Ending("invoice", intent.source_id, "not_arrived", "waiting", attempt.id)


def _arrived(
    source_id: str,
    outcome: str,
    attempt_id: int | None,
    head: BookInvoice,
    fingerprint: str,
    expected: Mapping[str, str],
) -> Ending:
    """It stands in Xero: synced if Xero came to our totals, held if it did not."""
    problem = _difference(head, expected)
    state = "held" if problem else "waiting" if expected.get("then") == "pay" else "synced"
    return Ending(
        "invoice",
        source_id,
        outcome,
        state,
        attempt_id,
        problem,
        invoice=head,
        fingerprint=fingerprint,
        status=expected.get("status", ""),
    )


def _bound(invoice: Invoice, head: BookInvoice) -> Ending:
    """Our own document, found by its mark although this ledger never sent it."""
    expected = {"total": text(invoice.total), "status": str(invoice.status)}
    return _arrived(invoice.source_id, "found", None, head, invoice.fingerprint, expected)


def _difference(head: BookInvoice, expected: Mapping[str, str]) -> Problem | None:
    if "total" not in expected or head.status in ("VOIDED", "DELETED"):
        return None
    tax = Decimal(expected["tax"]) if "tax" in expected else head.total_tax
    if (head.total, head.total_tax) == (Decimal(expected["total"]), tax):
        return None
    facts = {
        "currency": head.currency,
        "stated": expected["total"],
        "stated_tax": text(tax),
        "in_xero": text(head.total),
        "in_xero_tax": text(head.total_tax),
    }
    return Problem("total_mismatch", facts, "total")
