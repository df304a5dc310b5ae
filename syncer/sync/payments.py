"""The payments of one run: carried one by one, taken off and compared where a person ordered it."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from syncer.domain.model.books import Books
from syncer.domain.model.money import ZERO
from syncer.domain.model.payment import Payment, mark_in
from syncer.domain.model.problems import Problem
from syncer.domain.planning.actions import Action, Do
from syncer.domain.planning.payments import listing, missing_payments, recount, takes_payments
from syncer.domain.ports import PAID_AT_ONCE
from syncer.storage.ledger.records import PlannedState, TrackedInvoice, payment
from syncer.sync.ingest import Reading
from syncer.sync.outbox import Batch, WriteItem, batches
from syncer.sync.phase import RunPhase
from syncer.sync.snapshot import Snapshot, verdict
from syncer.sync.writes.payments import payment_element, removal_element
from syncer.sync.writes.write_set import Writes

ASK_AT_MOST = 50  # customers a run, whose payments do not add up
PAYMENTS_SCOPE = "payments/transactions.readonly"
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before any payment of ours


@dataclass(frozen=True)
class _Marks:
    """The transactions that marks name: those that are known to be in Xero, and those of which a try is still open."""

    known: Mapping[str, Payment]
    entered: Set[str]
    doubtful: Set[str]


class Payments:
    """What was paid for invoices that stand in Xero."""

    def __init__(self, work: RunPhase, reading: Reading) -> None:
        self._work = work
        self._reading = reading

    def read_early(self, workload: Sequence[TrackedInvoice]) -> None:
        """Decisions about a document that stands in Xero depend on what was paid since."""
        if any(known.standing.xero_id and self._depends_on_payments(known) for known in workload):
            self._reading.payments()

    def _depends_on_payments(self, known: TrackedInvoice) -> bool:
        """Also where nothing is paid any more: what was carried may have left for another invoice."""
        some = known.invoice.amount_paid or known.standing.order
        return bool(some) or takes_payments(known.invoice, known.standing, self._work.rules)

    def foresee(self, workload: Sequence[TrackedInvoice]) -> bool | None:
        """Bring up to date what was paid for these invoices, for a preview; returns whether the token may see it.

        A run does the same in two steps: before documents are written, and for new ones once they stand. None where
        nothing was paid, so that no run would ask.
        """
        ordered = any(known.standing.xero_id and known.standing.order for known in workload)
        if not ordered and not any(known.invoice.amount_paid for known in workload):
            return None
        if not self._reading.payments():
            return False
        paid = {known.invoice.source_id: ZERO for known in workload if known.invoice.amount_paid}
        for row in self._work.ledger.rows("payments", ids=sorted(paid), xero_ids=[]):
            one = payment(row)
            paid[one.invoice_id] += one.amount if one.counts else ZERO
        short = {
            known.invoice.customer.id
            for known in workload
            if known.invoice.amount_paid > paid.get(known.invoice.source_id, ZERO)
        }
        self._reading.payments_of(sorted(short - {""})[:ASK_AT_MOST])
        self._read_all_if_short()
        self._reading.note_payments()
        return True

    def foresee_looks(self, books: Books) -> int:
        """Look at what a run would look at before payments, for a preview; returns in how many calls a run does so.

        What is written over before its payments is looked at already. Whose payments are listed now is looked at again
        only where one is to go.
        """
        unsure = self._unsure(books)
        self._look_at(unsure)
        ids = {known.invoice.source_id for known in unsure}
        workload = [known for known in self._payable() if known.invoice.source_id in ids]
        actions, _ = self._work.decide(workload, books)
        again = [
            known
            for known, action in zip(workload, actions, strict=True)
            if action.do is Do.PAY and not self._would_be_refused_twice(known, action)
        ]
        return -(-len(again) // PAID_AT_ONCE)

    def carry(self, books: Books) -> None:
        """Carry every payment of an invoice that stands in Xero, one by one."""
        if not self._are_read():
            return
        unknown = self._look_before(books)
        seen, elements = self._decide_payments(books)
        elements = [element for element in elements if element.expected["owner"] not in unknown]
        if elements:
            self._reading.seal()
            writes = Writes(self._work.doors, seen)
            self._work.perform(batches("payment", "create", elements), writes.payments(), "payments", len(elements))
            self._look_at([known for known in self._payable() if known.standing.xero_id in writes.doubtful_invoices])
            self._decide_payments(books)

    def record(self, books: Books) -> None:
        """Decide about payments and write it down; none is carried."""
        if self._are_read():
            self._decide_payments(books)

    def _are_read(self) -> bool:
        """Read what may have to be carried; False where that is nothing, or where the token may not see it."""
        if not (candidates := self._payable()):
            return False
        if self._reading.payments():
            self.read_missing()
            return True
        problem = Problem("crococlick_scope_missing", {"scope": PAYMENTS_SCOPE})
        verdicts = [PlannedState(known.invoice.source_id, "held", problem) for known in candidates]
        self._work.ledger.settle_verdicts(self._work.run_id, verdicts, self._work.now())
        return False

    # -- what Xero says is paid -----------------------------------------------------------------------------------

    def recognise(self) -> None:
        """Take in payments of ours that stand in Xero and that this ledger does not know of.

        CrocoClick may have moved or removed what was entered before the ledger was put back: then nothing that it shows
        leads to the document on which it stands. What the ledger cannot explain there does.
        """
        strange = [known for known in self._work.ledger.paid_beyond() if not known.standing.is_listed]
        if strange and self._reading.payments():
            self._look_at(strange)
        unbound = self._work.ledger.row("paid_unbound") if self._reading.is_new_ledger else None
        if unbound and unbound["documents"] and self._reading.payments():
            self._find_all_marks()

    def _find_all_marks(self) -> None:
        """Look through all payments in Xero: documents of ours are paid there that no invoice leads to yet."""
        pages = self._work.doors.accounts.payments(_BEGINNING)
        marked = {mark_in(one.reference): one for page in pages for one in page.items if one.stands}
        of_marks = self._of_marks(marked)
        new = of_marks.known.keys() - of_marks.entered - of_marks.doubtful
        self._work.ledger.bind_payments(self._work.run_id, {mark: marked[mark] for mark in new}, self._work.now())

    def _of_marks(self, marks: Iterable[str]) -> _Marks:
        rows = self._work.ledger.rows("payments_by_id", ids=sorted(marks))
        return _Marks(
            known={row["source_id"]: payment(row) for row in rows},
            entered={row["source_id"] for row in rows if row["xero_id"]},
            doubtful={row["source_id"] for row in rows if row["open_attempt"] is not None},
        )

    def _look_before(self, books: Books) -> Set[str]:
        """Nothing is paid on what we only remember: a ledger that was put back remembers an earlier day.

        Xero's own list tells which payments are ours, by their marks, and which somebody else entered. Returns the
        invoices of which Xero said nothing that could be read: they wait for the next run.
        """
        if self._reading.may_have_forgotten() and self._goes(books):
            # Only all transactions of a customer showed that something is to go.
            self._reading.list_again(contacts=False)
            self.recognise()
        unsure = self._unsure(books)
        return {known.invoice.source_id for known in unsure} - self._look_at(unsure)

    def _goes(self, books: Books) -> bool:
        """Whether any payment would go."""
        actions, _ = self._work.decide(self._payable(), books)
        return any(action.do is Do.PAY for action in actions)

    def _unsure(self, books: Books) -> list[TrackedInvoice]:
        """Of what payments may go to, the invoices that have to be read in Xero before."""
        workload = self._payable()
        actions, _ = self._work.decide(workload, books)
        return [known for known, action in zip(workload, actions, strict=True) if not self._is_sure(known, action)]

    def _is_sure(self, known: TrackedInvoice, action: Action) -> bool:
        """Whether what is paid in Xero is known well enough for what would be done."""
        standing = known.standing
        if not standing.is_listed and missing_payments(standing):
            return False
        return action.do is not Do.PAY or self._is_fresh(known) or self._would_be_refused_twice(known, action)

    def _is_fresh(self, known: TrackedInvoice) -> bool:
        """Whether Xero has answered what the document says in this very run."""
        return known.read_at is not None and self._work.began <= known.read_at <= self._work.now()

    def _would_be_refused_twice(self, known: TrackedInvoice, action: Action) -> bool:
        """Whether Xero itself refuses the payment where it is there already: it takes no more than what is due.

        That holds for a single one of more than half of what is due, on a document that is as we sent it.
        """
        standing, invoice = known.standing, known.invoice
        if len(action.payments) != 1 or action.problems or standing.order or standing.unexplained:
            return False
        is_as_sent = standing.synced_fingerprint == invoice.fingerprint
        return is_as_sent and 2 * action.payments[0].amount > standing.xero_amount_due

    def _look_at(self, doubtful: Sequence[TrackedInvoice]) -> Set[str]:
        """Take in what is paid on these documents, 40 a call, with every payment; returns those that were answered."""
        if not doubtful:
            return frozenset()
        owners = {known.standing.xero_id: known for known in doubtful}
        found = self._work.doors.accounts.invoices_with_payments(sorted(owners))
        self._work.ledger.mirror(self._work.now(), invoices=[head for head, _ in found])
        of_marks = self._of_marks({mark_in(one.reference) for _, there in found for one in there})
        listings = {
            owner.invoice.source_id: listing(owner.standing, head, there, of_marks.known, of_marks.entered)
            for head, there in found
            if (owner := owners.get(head.id)) and not any(mark_in(one.reference) in of_marks.doubtful for one in there)
        }
        self._work.ledger.list_payments(self._work.run_id, listings, self._work.now())
        return set(listings)

    def read_missing(self) -> None:
        """Where the latest transactions do not come to what an invoice says is paid, ask for all of its customer's."""
        short = {
            known.invoice.customer.id
            for known in self._payable()
            if (known.state != "held" or not self._work.orders.patient) and not _adds_up(known)
        }
        self._reading.payments_of(sorted(short - {""})[:ASK_AT_MOST])
        self._read_all_if_short()
        self._reading.note_payments()

    def _read_all_if_short(self) -> None:
        """Before it is said for the first time that they do not add up: one may be there in another customer's name."""
        if any(known.cause != "payment_mismatch" and not _adds_up(known) for known in self._payable()):
            self._reading.all_payments()

    def _payable(self) -> list[TrackedInvoice]:
        return [
            known
            for known in self._work.workload()
            if known.standing.xero_id and takes_payments(known.invoice, known.standing, self._work.rules)
        ]

    def _decide_payments(self, books: Books) -> tuple[Snapshot, list[WriteItem]]:
        workload = self._payable()
        actions, seen = self._work.decide(workload, books)
        self._work.ledger.settle_verdicts(self._work.run_id, [verdict(action) for action in actions], self._work.now())
        elements = [
            payment_element(action, payment, known.payment_tries[payment.source_id], known.standing.xero_amount_due)
            for known, action in zip(workload, actions, strict=True)
            for payment in action.payments
        ]
        return seen, elements

    # -- on order -------------------------------------------------------------------------------------------------

    def recount(self, books: Books) -> None:
        """Compare payments one by one where a person ordered it."""
        workload = {known.invoice.source_id: known for known in self._work.workload() if known.standing.order}
        if not workload:
            return
        actions, _ = self._work.decide(list(workload.values()), books)
        for action in (action for action in actions if action.do is Do.RECOUNT):
            standing = workload[action.invoice.source_id].standing
            there = self._work.doors.accounts.payments_of(action.xero_id)
            found = recount(standing, there, standing.is_ordered("same_payment"))
            self._work.ledger.recount(self._work.run_id, action.invoice.source_id, found, self._work.now())

    def take_off(self, books: Books) -> None:
        """Take our own payments off where a person ordered it, one call each; they are put back once they fit."""
        workload = [known for known in self._work.workload() if known.standing.order]
        if not workload:
            return
        actions, seen = self._work.decide(workload, books)
        tries = {key: count for known in workload for key, count in known.payment_tries.items()}
        todo = [
            Batch(
                "unpay",
                "delete",
                (removal_element(action, one.source_id, standing.as_entered(one), tries[one.source_id]),),
            )
            for action, standing in zip(actions, (known.standing for known in workload), strict=True)
            if action.do is Do.UNPAY
            for one in standing.payments
            if one.source_id in action.unpay
        ]
        if todo:
            self._work.perform(todo, Writes(self._work.doors, seen).removals(), "payments", len(todo))


def _adds_up(known: TrackedInvoice) -> bool:
    """Whether the transactions that we know of come to what the invoice says is paid, refunds taken off or not."""
    counting = [one for one in known.standing.payments if one.counts]
    came_in = sum((one.amount for one in counting), ZERO)
    return known.invoice.amount_paid in (came_in, came_in - sum((one.refunded for one in counting), ZERO))
