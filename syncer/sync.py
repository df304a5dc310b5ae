"""The order of work of one run: settle what is open, read, plan, act in batches, record.

A run may be stopped at any moment, by a person, a crash or a limit: the next one begins by settling what is open.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from syncer.core.action import Action, Do
from syncer.core.books import NEW, Books, TaxRate, books_text
from syncer.core.causes import CAUSES, Cure, Problem
from syncer.core.contact import Create, Decision, Join, Linked
from syncer.core.due import recount, takes_payments
from syncer.core.mapping import lacks_currency
from syncer.core.money import ZERO
from syncer.core.plan import plan_all
from syncer.core.rules import Rules
from syncer.core.standing import Standing
from syncer.core.tax import tax_rate, to_create
from syncer.errors import HaltRun, Reconnect, SyncerError, TryLater
from syncer.ledger.records import Known, Verdict
from syncer.looking import Look, look, verdict
from syncer.ports import Unreadable
from syncer.reading import Doors, Orders, Reading, Tell
from syncer.settling import Settling
from syncer.tries import bound, contact_element, invoice_element, payment_element, removal_element
from syncer.waves import Batch, Element, Kind, Waves, batches
from syncer.writes import OUTCOMES, Writes

ASK_AT_MOST = 50  # customers a run, whose payments do not add up
_OVER = (Do.UPDATE, Do.AMEND, Do.VOID, Do.DELETE, Do.UNPAY)  # what is written over a document that is there
PAYMENTS_SCOPE = "payments/transactions.readonly"


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
        self._settling = Settling(run_id, doors, self._reading, self._commit_phase)
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
        except HaltRun as failure:
            self.outcome.ended = "deferred" if failure.code == "source_shrunk" else "failed"
            self.outcome.failure = failure
        except SyncerError as failure:
            self.outcome.ended, self.outcome.failure = "failed", failure
        finally:
            self.outcome.unreadable = self._reading.unreadable
            self._waves.flush()
        return self.outcome

    def _steps(self) -> None:
        self._settling.settle()
        self._reading.crococlick()
        if self._stop():
            return
        self._ledger.take_customers(self._now())
        self._reading.daily()
        workload = self._workload()
        if not workload:
            return
        books = self._bring_books(workload)
        self._read_payments_early(workload)
        books = self._create_settings(workload, books)
        actions = self._act_on_contacts(workload, books)
        self._bind(actions)
        # Nothing is written over what somebody has changed there since the lists were last read.
        self._look_at_invoices([action.xero_id for action in actions if action.do in _OVER])
        doubtful = self._act_on_invoices(books)
        if not self._stop():
            self._act_on_payments(books)
        if doubtful and not self._stop():
            with suppress(TryLater, Reconnect):
                self._settling.settle()

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for a number, a name or an email; returns how many invoices that is."""
        return self._reading.search(what)

    def look(self) -> Books:
        """Read both sides and write to neither: what a preview needs."""
        self._reading.crococlick()
        self._ledger.take_customers(self._now())
        self._reading.daily()
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

    def _decide(self, workload: Sequence[Known], books: Books) -> tuple[list[Action], Look]:
        seen = look(self._ledger, self._rules, books, workload, self._orders.only)
        return plan_all([known.invoice for known in workload], seen.scene, seen.owners), seen

    # -- the organisation's settings --------------------------------------------------------------------------------

    def _create_settings(self, workload: Sequence[Known], books: Books) -> Books:
        """Create the tax rates and currencies that documents need, where the settings allow it."""
        if not (self._rules.create_tax_rates or self._rules.create_currencies):
            return books
        actions, seen = self._decide(workload, books)
        rates, currencies = _needed(actions, books, self._rules)
        writes = Writes(self._doors, seen)
        for kind, elements in (("tax_rate", rates), ("currency", currencies)):
            todo = [Batch(kind, "create", (element,)) for element in elements]
            if todo:
                self._perform(todo, writes.settings(kind), "settings", len(todo))
        if not (writes.made or writes.refused):
            return books
        books = replace(
            books,
            tax_rates=(*books.tax_rates, *(one for one in writes.made if isinstance(one, TaxRate))),
            currencies=books.currencies | {one for one in writes.made if isinstance(one, str)},
            refused={**books.refused, **writes.refused},
        )
        self._ledger.mirror(self._now(), books=books_text(books))
        return books

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _act_on_contacts(self, workload: Sequence[Known], books: Books) -> Sequence[Action]:
        """Link or create every contact that an invoice of the workload waits for; returns what was decided for them."""
        actions, seen = self._decide(workload, books)
        needed = {action.invoice.customer.id for action in actions if action.do in (Do.CREATE, Do.UPDATE, Do.AMEND)}
        decisions = seen.scene.contacts
        self._link(needed, decisions)
        wanted = needed | {d.source_id for key in needed if isinstance(d := decisions.get(key), Join)}
        creates = [d.contact for key, d in decisions.items() if key in wanted and isinstance(d, Create)]
        if not creates:
            return actions
        known = self._ledger.contacts()
        elements = [contact_element(contact, known[contact.source_id].tries) for contact in creates]
        kind = Writes(self._doors, seen).contacts()
        self._perform(batches("contact", "create", elements), kind, "contacts", len(elements))
        self._link(needed, look(self._ledger, self._rules, books, workload, self._orders.only).scene.contacts)
        return actions

    def _link(self, needed: Iterable[str], decisions: Mapping[str, Decision]) -> None:
        links = {
            source_id: (decision.xero_id, decision.how)
            for source_id in needed
            if isinstance(decision := decisions.get(source_id), Linked) and decision.how != "binding"
        }
        if links:
            self._ledger.link_contacts(self.outcome.run_id, links, self._now())

    # -- invoices ---------------------------------------------------------------------------------------------------

    def _act_on_invoices(self, books: Books) -> bool:
        """Decide and carry out; returns whether the answer to any write is still unknown."""
        self._recount(books)
        self._take_payments_off(books)
        workload = self._workload()
        actions, seen = self._decide(workload, books)
        self._record(workload, actions)
        tries = {known.invoice.source_id: known.tries for known in workload}
        writes = Writes(self._doors, seen)
        for do in OUTCOMES:
            elements = [
                self._element(action, seen, tries)
                for action in actions
                if action.do is do and not _unfinished(action, books)
            ]
            self._perform(batches("invoice", do.value, elements), writes.invoices(do), "invoices", len(elements))
        self._settle_taken_numbers()
        self._look_again(writes, books)
        return bool(self._ledger.open_attempts())

    def _element(self, action: Action, seen: Look, tries: Mapping[str, int]) -> Element:
        invoice = action.invoice
        standing = seen.scene.standings.get(invoice.source_id, Standing())
        pays = takes_payments(invoice, standing, self._rules)
        size = self._doors.document_size(action.document) if action.document and action.do is not Do.AMEND else 500
        return invoice_element(action, pays, tries[invoice.source_id], size)

    def _bind(self, actions: Sequence[Action]) -> None:
        """Take note of documents that are in Xero already, so that they are decided like any other."""
        found = [bound(action) for action in actions if action.found]
        if found:
            self._ledger.commit(self.outcome.run_id, self._now(), endings=found)

    def _recount(self, books: Books) -> None:
        """Compare payments one by one where a person ordered it."""
        workload = {known.invoice.source_id: known for known in self._workload() if known.standing.order}
        if not workload:
            return
        actions, _ = self._decide(list(workload.values()), books)
        for action in (action for action in actions if action.do is Do.RECOUNT):
            standing = workload[action.invoice.source_id].standing
            there = self._doors.accounts.payments_of(action.xero_id)
            found = recount(standing, there, standing.is_ordered("same_payment"))
            self._ledger.recount(self.outcome.run_id, action.invoice.source_id, found, self._now())

    def _take_payments_off(self, books: Books) -> None:
        """Take our own payments off where a person ordered it, one call each; they are put back once they fit."""
        workload = [known for known in self._workload() if known.standing.order]
        if not workload:
            return
        actions, seen = self._decide(workload, books)
        tries = {key: count for known in workload for key, count in known.payment_tries.items()}
        amounts = {one.source_id: one.amount for known in workload for one in known.standing.payments}
        todo = [
            Batch("unpay", "delete", (removal_element(action, key, id_, amounts[key], tries[key]),))
            for action in actions
            if action.do is Do.UNPAY
            for key, id_ in action.unpay.items()
        ]
        if todo:
            self._perform(todo, Writes(self._doors, seen).removals(), "payments", len(todo))

    def _record(self, workload: Sequence[Known], actions: Sequence[Action]) -> None:
        """Write down what was decided without a write; payments are decided once they are read."""
        paid = {
            known.invoice.source_id
            for known in workload
            if known.standing.xero_id and takes_payments(known.invoice, known.standing, self._rules)
        }
        verdicts = [
            verdict(action)
            for action in actions
            if action.do is not Do.BIND and not (action.do in (Do.LEAVE, Do.PAY) and action.invoice.source_id in paid)
        ]
        self._ledger.settle_verdicts(self.outcome.run_id, verdicts, self._now())

    def _look_again(self, writes: Writes, books: Books) -> None:
        """What Xero refused because of a document or contact that is not what we thought: look, and decide anew."""
        contacts = sorted(set(writes.doubtful_contacts))
        if not writes.doubtful_invoices and not contacts:
            return
        writes.look_at_contacts(contacts)
        self._look_at_invoices(writes.doubtful_invoices)
        held = [known for known in self._workload() if known.state == "held" and known.standing.refused_stamp]
        actions, _ = self._decide(held, books)
        decided = [verdict(action) for action in actions if action.do is Do.HOLD]
        self._ledger.settle_verdicts(self.outcome.run_id, decided, self._now())

    def _look_at_invoices(self, ids: Sequence[str]) -> None:
        """What Xero has of these documents now, taken into the mirror."""
        if ids:
            heads = self._doors.accounts.invoices_with_ids(sorted(set(ids)))
            self._ledger.mirror(self._now(), invoices=heads)

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
            endings = [
                bound(Action(known.invoice, Do.BIND, xero_id=head.id, found=head))
                for known in part
                for head in heads
                if head.url.endswith(f"/{known.invoice.source_id}") and head.id != known.standing.xero_id
            ]
            self._ledger.mirror(self._now(), invoices=heads)
            self._ledger.commit(self.outcome.run_id, self._now(), endings=endings, calls=self._doors.drain_calls())

    # -- payments ---------------------------------------------------------------------------------------------------

    def _read_payments_early(self, workload: Sequence[Known]) -> None:
        """Decisions about a document that stands in Xero depend on what was paid since."""
        if any(known.standing.xero_id and (known.invoice.amount_paid or known.standing.order) for known in workload):
            self._reading.payments()

    def _act_on_payments(self, books: Books) -> None:
        """Carry every payment of an invoice that stands in Xero, one by one."""
        if not (candidates := self._payable()):
            return
        if self._reading.payments():
            self._read_missing_payments()
        else:
            problem = Problem("crococlick_scope_missing", {"scope": PAYMENTS_SCOPE})
            verdicts = [Verdict(known.invoice.source_id, "held", problem) for known in candidates]
            self._ledger.settle_verdicts(self.outcome.run_id, verdicts, self._now())
            return
        actions, seen, tries = self._decide_payments(books)
        elements = [
            payment_element(action, payment, tries.get(payment.source_id, 0))
            for action in actions
            for payment in action.payments
        ]
        if elements:
            writes = Writes(self._doors, seen)
            self._perform(batches("payment", "create", elements), writes.payments(), "payments", len(elements))
            self._look_again(writes, books)
            self._decide_payments(books)

    def _read_missing_payments(self) -> None:
        """Where the latest transactions do not come to what an invoice says is paid, ask for all of its customer's."""
        short = {
            known.invoice.customer.id
            for known in self._payable()
            if known.invoice.amount_paid > sum((one.amount for one in known.standing.payments if one.counts), ZERO)
        }
        self._reading.payments_of(sorted(short - {""})[:ASK_AT_MOST])

    def _payable(self) -> list[Known]:
        return [
            known
            for known in self._workload()
            if known.standing.xero_id and takes_payments(known.invoice, known.standing, self._rules)
        ]

    def _decide_payments(self, books: Books) -> tuple[list[Action], Look, Mapping[str, int]]:
        workload = self._payable()
        actions, seen = self._decide(workload, books)
        self._ledger.settle_verdicts(self.outcome.run_id, [verdict(action) for action in actions], self._now())
        tries = {key: count for known in workload for key, count in known.payment_tries.items()}
        return [action for action in actions if action.do is Do.PAY], seen, tries

    def _perform(self, todo: Sequence[Batch], kind: Kind, phase: str, records: int) -> None:
        if not todo:
            return
        failure = self._waves.perform(todo, kind, lambda done: self._say(phase, done, records), self._stop)
        if failure:
            raise failure


def _cures(known: Known) -> frozenset[Cure]:
    cause = CAUSES.get(known.cause or "")
    return cause.cures if cause else frozenset()


def _needed(actions: Sequence[Action], books: Books, rules: Rules) -> tuple[list[Element], list[Element]]:
    """The tax rates and currencies that documents to be written still lack, each once."""
    rates: dict[str, Element] = {}
    currencies: dict[str, Element] = {}
    for action in (action for action in actions if action.document):
        if lacks_currency(action.invoice.currency, books):
            code = action.invoice.currency
            currencies[code] = Element(f"currency.{code}", code, code, expected={"name": code})
        for taxes in {line.taxes for line in action.invoice.lines}:
            found = tax_rate(taxes, books, rules)
            if isinstance(found, TaxRate) and found.is_new:
                key = f"tax.{found.type.removeprefix(NEW)}"
                rates[key] = Element(key, to_create(found, books), found.name, expected={"name": found.name})
    return list(rates.values()), list(currencies.values())


def _unfinished(action: Action, books: Books) -> bool:
    """Whether it needs something that Xero was asked to create and has not confirmed."""
    document = action.document
    if document is None:
        return False
    lines_new = any(line.tax_type.startswith(NEW) for line in document.lines)
    return lines_new or document.contact_id.startswith(NEW) or lacks_currency(document.currency, books)
