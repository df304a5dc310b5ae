"""The documents of one run: tax rates, currencies and customers that they need, then the documents themselves."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, timedelta

from syncer.domain.errors import NeedsPerson
from syncer.domain.mapping.invoice_to_document import lacks_currency
from syncer.domain.mapping.tax_rates import tax_rate, to_create
from syncer.domain.matching.invoice_contacts import Create, Decision, Join, Linked
from syncer.domain.model.books import NEW, Books, TaxRate, books_text
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import GONE, SyncState
from syncer.domain.planning.actions import Action, Do, is_ours
from syncer.domain.planning.payments import is_of_payments, may_be_paid, takes_payments
from syncer.domain.planning.plan import plan_all
from syncer.storage.ledger.records import TrackedInvoice
from syncer.sync.context import OVERLAP
from syncer.sync.ingest import Reading
from syncer.sync.outbox import BATCH_ELEMENTS, Batch, WriteItem, batches
from syncer.sync.phase import RunPhase
from syncer.sync.snapshot import Snapshot, verdict
from syncer.sync.writes.contacts import contact_element
from syncer.sync.writes.invoices import bound, invoice_element, number_element
from syncer.sync.writes.write_set import OUTCOMES, Writes

FEW_FIELDS_SIZE = 500  # bytes, at most, of a write that is no whole document
_TAKEN_CONTACT = ("contact_name_taken", "contact_ambiguous")  # Xero says that it has such a contact
OVER = (Do.UPDATE, Do.AMEND, Do.VOID, Do.DELETE, Do.UNPAY)  # what is written over a document that is there
SEALED = (Do.CREATE, Do.UPDATE, Do.AMEND)  # what a ledger that is put back takes for somebody else's


class Documents:
    """Invoices as documents, from what they need first to their arrival; payments are another matter."""

    def __init__(self, work: RunPhase, reading: Reading) -> None:
        self._work = work
        self._reading = reading
        self.old_ones = 0  # how many old invoices were left for later
        self._created = 0

    def prepare(self, workload: Sequence[TrackedInvoice], books: Books) -> Books:
        """Bring about what documents need; answers with the books as they are then."""
        self.recall(workload, books)
        books = self._create_settings(workload, books)
        actions = self._act_on_contacts(workload, books)
        self._bind(actions)
        # Nothing is written over what somebody has changed there since the lists were last read.
        self._work.look_at_invoices([action.xero_id for action in actions if action.do in OVER])
        return books

    def recall(self, workload: Sequence[TrackedInvoice], books: Books) -> None:
        """Before something is created or paid: list what a ledger that was put back may not know that Xero has.

        The document of an invoice that was renumbered meanwhile has a number that nothing here looks for, and a payment
        that was moved meanwhile stands on a document that its invoice does not lead to.
        """
        if not self._reading.may_have_forgotten():
            return
        actions, seen = self._work.decide(workload, books)
        customers = {action.invoice.customer.id for action in actions if action.do is Do.CREATE}
        if customers or any(may_be_paid(known.invoice, known.standing, self._work.rules) for known in workload):
            decisions = (seen.scene.contacts.get(customer) for customer in customers)
            self._reading.list_again(contacts=any(isinstance(one, Create) for one in decisions))

    def write(self, books: Books, old: bool = False) -> None:
        """Decide and carry out, old invoices apart."""
        workload = self._work.workload()
        actions, seen = self._work.decide(workload, books)
        self._record(workload, actions)
        todo = [action for action in self._in_order(actions, workload, old) if not _unfinished(action, books)]
        writes = Writes(self._work.doors, seen)
        self._send([action for action in todo if not action.after], workload, seen, writes, old)
        if waiting := frozenset(action.invoice.source_id for action in todo if action.after):
            self._exchange_numbers(waiting, books, writes)
        self._settle_taken_numbers({action.invoice.source_id for action in todo})
        self._work.look_again(writes, books)

    def find_again(self, workload: Sequence[TrackedInvoice], books: Books) -> None:
        """Bind what bears our mark, documents and contacts, and nothing else; for a ledger that was lost."""
        actions, seen = self._work.decide(workload, books)
        marked = {
            key: decision
            for key, decision in seen.scene.contacts.items()
            if isinstance(decision, Linked) and decision.how == "number"
        }
        self._link(marked, marked)
        self._bind(actions)

    def record(self, books: Books) -> None:
        """Decide and write down what needs no write; nothing is carried out."""
        workload = self._work.workload()
        self._record(workload, self._work.decide(workload, books)[0])

    def look_at_undecided(self, books: Books, learnt: bool) -> bool:
        """Whether documents that stand in Xero need another decision in this run; looks at those that will be written.

        What an answer has moved waits, and so does what payments set free. Where this run has `learnt` of payments
        after it had decided, held ones count too: one whose payment was taken off in Xero is held until CrocoClick
        shows that the payment left it.
        """
        waiting = {row["source_id"] for row in self._work.ledger.rows("waiting")}
        if not (waiting or learnt):
            return False
        workload = [
            known
            for known in self._work.workload()
            if known.standing.xero_id and (known.invoice.source_id in waiting or (learnt and known.state == "held"))
        ]
        actions, _ = self._work.decide(workload, books) if workload else ([], None)
        written = [action.xero_id for action in actions if action.do in OVER]
        self._work.look_at_invoices(written)
        undecided = (action for action in actions if action.invoice.source_id in waiting)
        return bool(written) or any(action.do in (Do.HOLD, Do.LEAVE) for action in undecided)

    def _send(
        self,
        todo: Sequence[Action],
        workload: Sequence[TrackedInvoice],
        seen: Snapshot,
        writes: Writes,
        old: bool = False,
    ) -> None:
        """Send these, one sort of write after the other."""
        tries = {known.invoice.source_id: known.tries for known in workload}
        if any(action.do in SEALED for action in todo):
            self._reading.seal()
        for do in OUTCOMES:
            elements = [self._element(action, seen, tries) for action in todo if action.do is do]
            later = self.old_ones if do is Do.CREATE and not old else 0
            before = self._created if do is Do.CREATE and old else 0
            whole = before + len(elements) + later
            self._work.perform(batches("invoice", do.value, elements), writes.invoices(do), "invoices", whole, before)
            self._created += len(elements) if do is Do.CREATE else 0

    # -- numbers that our own invoices hand on ----------------------------------------------------------------------

    def _exchange_numbers(self, waiting: frozenset[str], books: Books, writes: Writes) -> None:
        """Send what waited for a number of another invoice of ours.

        The invoice that had it may have another number by now. Rings, and what is left of long chains, go by way of a
        third number. A run that is cut off here is taken up by the next one, from where the books then stand.
        """
        for by_a_third in (False, True):
            if self._work.stop():
                return
            actions, seen, workload = self._decide_again(waiting, books)
            if by_a_third:
                self._free_numbers(actions, workload, writes)
                actions, seen, workload = self._decide_again(waiting, books)
            free = [action for action in actions if action.document and not action.after]
            self._send(free, workload, seen, writes)
            waiting = frozenset(action.invoice.source_id for action in actions if action.after)
            if not waiting:
                return
        self._hold_numbers(waiting, books)

    def _decide_again(self, ids: frozenset[str], books: Books) -> tuple[list[Action], Snapshot, list[TrackedInvoice]]:
        workload = [known for known in self._work.workload() if known.invoice.source_id in ids]
        actions, seen = self._work.decide(workload, books)
        return [action for action in actions if not _unfinished(action, books)], seen, workload

    def _free_numbers(self, actions: Sequence[Action], workload: Sequence[TrackedInvoice], writes: Writes) -> None:
        """Give those whose number another one waits for a number of their own."""
        wanted = {action.after for action in actions}
        known = {one.invoice.source_id: one for one in workload}
        elements = [
            number_element(replace(action, do=Do.RENUMBER), known[source_id].standing, known[source_id].tries)
            for action in actions
            if (source_id := action.invoice.source_id) in wanted
        ]
        todo = batches("invoice", Do.RENUMBER.value, elements)
        self._work.perform(todo, writes.invoices(Do.RENUMBER), "invoices", len(elements))

    def _hold_numbers(self, ids: frozenset[str], books: Books) -> None:
        """Say of those whose number was not left after all who has it."""
        workload = [known for known in self._work.workload() if known.invoice.source_id in ids]
        _, seen = self._work.decide(workload, books)
        scene = replace(seen.scene, leaving=frozenset())
        actions = plan_all([known.invoice for known in workload], scene, seen.owners)
        held = [verdict(action) for action in actions if action.do is Do.HOLD]
        self._work.ledger.settle_verdicts(self._work.run_id, held, self._work.now())

    def _in_order(self, actions: Sequence[Action], workload: Sequence[TrackedInvoice], old: bool) -> list[Action]:
        """Those that a person waits for first; of the others the new ones or, in a turn of their own, the old ones."""
        asked = {known.invoice.source_id for known in workload if known.is_asked_for}
        first = [action for action in actions if action.invoice.source_id in asked]
        others = [action for action in actions if action.invoice.source_id not in asked]
        since = self._work.now().date() - timedelta(days=self._work.orders.recent_days)
        aside = [action for action in others if self._is_old(action, since)]
        self.old_ones = sum(1 for action in aside if action.do is Do.CREATE)
        kept = {id(action) for action in aside}
        return aside if old else [*first, *(action for action in others if id(action) not in kept)]

    def _is_old(self, action: Action, since: date) -> bool:
        """Whether it is part of a backfill: to be created, issued before what every sync looks at."""
        issued = action.invoice.issue_date
        return action.do is Do.CREATE and not self._work.orders.only and issued is not None and issued < since

    def _element(self, action: Action, seen: Snapshot, tries: Mapping[str, int]) -> WriteItem:
        invoice = action.invoice
        standing = seen.scene.standings.get(invoice.source_id, SyncState())
        # A write ends what held the invoice; money that somebody else entered in Xero goes on to hold it.
        again = takes_payments(invoice, standing, self._work.rules) or bool(standing.unexplained)
        whole = None if action.do is Do.AMEND else action.document
        size = self._work.doors.document_size(whole) if whole else FEW_FIELDS_SIZE
        return invoice_element(action, standing, again, tries[invoice.source_id], size)

    def _record(self, workload: Sequence[TrackedInvoice], actions: Sequence[Action]) -> None:
        """Write down what was decided without a write; payments are decided once they are read."""
        paid = {
            known.invoice.source_id
            for known in workload
            if known.standing.xero_id and takes_payments(known.invoice, known.standing, self._work.rules)
        }
        verdicts = [
            verdict(action)
            for action in actions
            if not (action.do is Do.BIND or (_is_for_payments(action) and action.invoice.source_id in paid))
        ]
        self._work.ledger.settle_verdicts(self._work.run_id, verdicts, self._work.now())

    def _settle_taken_numbers(self, tried: Set[str]) -> None:
        """A number that Xero says is taken may be our own document, arrived after we had looked for it.

        A patient run asks for those alone that it has `tried` itself.
        """
        taken = [
            known
            for known in self._work.ledger.workload()
            if known.cause == "number_taken" and known.standing.refused_stamp and known.invoice.number
            if known.invoice.source_id in tried or not self._work.orders.patient
        ]
        for start in range(0, len(taken), BATCH_ELEMENTS):
            part = taken[start : start + BATCH_ELEMENTS]
            try:
                heads = self._work.doors.accounts.invoices_numbered([known.invoice.number for known in part])
            except NeedsPerson:
                continue  # Xero will not say whose the number is: it stays held as taken
            endings = [
                bound(Action(known.invoice, Do.BIND, xero_id=head.id, found=head))
                for known in part
                for head in heads
                if is_ours(head, known.invoice.source_id)
                and head.id != known.standing.xero_id
                and head.status not in GONE
            ]
            self._work.ledger.mirror(self._work.now(), invoices=heads)
            self._work.ledger.commit(
                self._work.run_id, self._work.now(), endings=endings, calls=self._work.doors.drain_calls()
            )

    # -- what they need first -------------------------------------------------------------------------------------

    def _create_settings(self, workload: Sequence[TrackedInvoice], books: Books) -> Books:
        """Create the tax rates and currencies that documents need, where the settings allow it."""
        if not (self._work.rules.create_tax_rates or self._work.rules.create_currencies):
            return books
        actions, seen = self._work.decide(workload, books)
        rates, currencies = _needed(actions, books, self._work.rules, self._work.run_id)
        writes = Writes(self._work.doors, seen)
        for kind, elements in (("tax_rate", rates), ("currency", currencies)):
            todo = [Batch(kind, "create", (element,)) for element in elements]
            if todo:
                self._work.perform(todo, writes.settings(kind), "settings", len(todo))
        if not (writes.made or writes.refused):
            return books
        books = replace(
            books,
            tax_rates=(*books.tax_rates, *(one for one in writes.made if isinstance(one, TaxRate))),
            currencies=books.currencies | {one for one in writes.made if isinstance(one, str)},
            refused={**books.refused, **writes.refused},
        )
        self._work.ledger.mirror(self._work.now(), books=books_text(books))
        return books

    def _act_on_contacts(self, workload: Sequence[TrackedInvoice], books: Books) -> Sequence[Action]:
        """Link or create every contact that an invoice waits for; returns what was decided for the invoices."""
        actions, seen = self._work.decide(workload, books)
        needed = {action.invoice.customer.id for action in actions if action.do in (Do.CREATE, Do.UPDATE, Do.AMEND)}
        decisions = seen.scene.contacts
        self._link(needed, decisions)
        wanted = needed | {d.source_id for key in needed if isinstance(d := decisions.get(key), Join)}
        creates = [d.contact for key, d in decisions.items() if key in wanted and isinstance(d, Create)]
        if not creates:
            return actions
        known = self._work.ledger.contacts()
        elements = [contact_element(contact, known[contact.source_id].tries) for contact in creates]
        kind = Writes(self._work.doors, seen).contacts()
        self._work.perform(batches("contact", "create", elements), kind, "contacts", len(elements))
        self._look_at_taken_names([contact.source_id for contact in creates])
        self._link(needed, self._work.decide((), books)[1].scene.contacts)
        return actions

    def _look_at_taken_names(self, ids: Sequence[str]) -> None:
        """A contact whose name is taken may be our own, made after this ledger was copied: its number tells."""
        known = self._work.ledger.contacts()
        since = self._work.ledger.watermark("xero_contacts")
        taken = [key for key in ids if (refusal := known[key].refusal) and refusal.code in _TAKEN_CONTACT]
        if since and taken:
            for page in self._work.doors.accounts.contacts(since - OVERLAP):
                self._work.ledger.mirror(self._work.now(), contacts=page.items)

    def _link(self, needed: Iterable[str], decisions: Mapping[str, Decision]) -> None:
        links = {
            source_id: (decision.xero_id, decision.how)
            for source_id in needed
            if isinstance(decision := decisions.get(source_id), Linked) and decision.how != "binding"
        }
        if links:
            self._work.ledger.link_contacts(self._work.run_id, links, self._work.now())

    def _bind(self, actions: Sequence[Action]) -> None:
        """Take note of documents that are in Xero already, so that they are decided like any other."""
        found = [bound(action) for action in actions if action.found]
        if found:
            self._work.ledger.commit(self._work.run_id, self._work.now(), endings=found)


def _needed(
    actions: Sequence[Action], books: Books, rules: Rules, generation: str
) -> tuple[list[WriteItem], list[WriteItem]]:
    """The tax rates and currencies that documents to be written still lack, each once.

    `generation` tells one run's request from another's: Xero answers one that it knows as it did before.
    """
    rates: dict[str, WriteItem] = {}
    currencies: dict[str, WriteItem] = {}
    for action in (action for action in actions if action.document):
        if lacks_currency(action.invoice.currency, books):
            code = action.invoice.currency
            currencies[code] = WriteItem(f"currency.{code}", code, generation, expected={"name": code})
        for taxes in {line.taxes for line in action.invoice.lines}:
            found = tax_rate(taxes, books, rules)
            if isinstance(found, TaxRate) and found.is_new:
                key = f"tax.{found.type.removeprefix(NEW)}"
                # The next new rate needs a name of its own.
                books = replace(books, tax_rates=(*books.tax_rates, found))
                rates[key] = WriteItem(key, to_create(found, books), generation, expected={"name": found.name})
    return list(rates.values()), list(currencies.values())


def _is_for_payments(action: Action) -> bool:
    """Whether it says nothing of the document: what it says of payments is decided once they are read."""
    problem = action.problems[0] if action.problems else None
    return action.do in (Do.LEAVE, Do.PAY) or (action.do is Do.HOLD and is_of_payments(problem))


def _unfinished(action: Action, books: Books) -> bool:
    """Whether it needs something that Xero was asked to create and has not confirmed."""
    document = action.document
    if document is None:
        return False
    lines_new = any(line.tax_type.startswith(NEW) for line in document.lines)
    return lines_new or document.contact_id.startswith(NEW) or lacks_currency(document.currency, books)
