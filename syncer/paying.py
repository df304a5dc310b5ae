"""The payments of one run: carried one by one, taken off and compared where a person ordered it."""

from collections.abc import Mapping, Sequence

from syncer.core.action import Action, Do
from syncer.core.books import Books
from syncer.core.causes import Problem
from syncer.core.due import recount, takes_payments
from syncer.core.money import ZERO
from syncer.ledger.records import Known, Verdict, payment
from syncer.looking import Look, verdict
from syncer.reading import Reading
from syncer.tries import payment_element, removal_element
from syncer.waves import Batch, batches
from syncer.work import Work
from syncer.writes import Writes

ASK_AT_MOST = 50  # customers a run, whose payments do not add up
PAYMENTS_SCOPE = "payments/transactions.readonly"


class Payments:
    """What was paid for invoices that stand in Xero."""

    def __init__(self, work: Work, reading: Reading) -> None:
        self._work = work
        self._reading = reading

    def read_early(self, workload: Sequence[Known]) -> None:
        """Decisions about a document that stands in Xero depend on what was paid since."""
        if any(known.standing.xero_id and (known.invoice.amount_paid or known.standing.order) for known in workload):
            self._reading.payments()

    def foresee(self, workload: Sequence[Known]) -> bool | None:
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
        for row in self._work.ledger.rows("payments", ids=sorted(paid)):
            one = payment(row)
            paid[one.invoice_id] += one.amount if one.counts else ZERO
        short = {
            known.invoice.customer.id
            for known in workload
            if known.invoice.amount_paid > paid.get(known.invoice.source_id, ZERO)
        }
        self._reading.payments_of(sorted(short - {""})[:ASK_AT_MOST])
        return True

    def carry(self, books: Books) -> None:
        """Carry every payment of an invoice that stands in Xero, one by one."""
        if not (candidates := self._payable()):
            return
        if self._reading.payments():
            self._read_missing_payments()
        else:
            problem = Problem("crococlick_scope_missing", {"scope": PAYMENTS_SCOPE})
            verdicts = [Verdict(known.invoice.source_id, "held", problem) for known in candidates]
            self._work.ledger.settle_verdicts(self._work.run_id, verdicts, self._work.now())
            return
        actions, seen, tries = self._decide_payments(books)
        elements = [
            payment_element(action, payment, tries.get(payment.source_id, 0))
            for action in actions
            for payment in action.payments
        ]
        if elements:
            writes = Writes(self._work.doors, seen)
            self._work.perform(batches("payment", "create", elements), writes.payments(), "payments", len(elements))
            self._work.look_again(writes, books)
            self._decide_payments(books)

    def _read_missing_payments(self) -> None:
        """Where the latest transactions do not come to what an invoice says is paid, ask for all of its customer's."""
        short = {
            known.invoice.customer.id
            for known in self._payable()
            if (known.state != "held" or not self._work.orders.patient)
            and known.invoice.amount_paid > sum((one.amount for one in known.standing.payments if one.counts), ZERO)
        }
        self._reading.payments_of(sorted(short - {""})[:ASK_AT_MOST])

    def _payable(self) -> list[Known]:
        return [
            known
            for known in self._work.workload()
            if known.standing.xero_id and takes_payments(known.invoice, known.standing, self._work.rules)
        ]

    def _decide_payments(self, books: Books) -> tuple[list[Action], Look, Mapping[str, int]]:
        workload = self._payable()
        actions, seen = self._work.decide(workload, books)
        self._work.ledger.settle_verdicts(self._work.run_id, [verdict(action) for action in actions], self._work.now())
        tries = {key: count for known in workload for key, count in known.payment_tries.items()}
        return [action for action in actions if action.do is Do.PAY], seen, tries

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
        amounts = {one.source_id: one.amount for known in workload for one in known.standing.payments}
        todo = [
            Batch("unpay", "delete", (removal_element(action, key, id_, amounts[key], tries[key]),))
            for action in actions
            if action.do is Do.UNPAY
            for key, id_ in action.unpay.items()
        ]
        if todo:
            self._work.perform(todo, Writes(self._work.doors, seen).removals(), "payments", len(todo))
