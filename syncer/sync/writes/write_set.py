"""What each sort of write is: how it is sent, what its answer means for the record, and how it is put off."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from syncer.domain.mapping.line_accounts import setting_behind
from syncer.domain.matching.invoice_contacts import UNKNOWN
from syncer.domain.model.books import Amendment, BookContact, BookInvoice, Document, TaxRate
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.money import text
from syncer.domain.model.payment import BookPayment
from syncer.domain.model.problems import CAUSES, Cure, Problem, heals_by_itself
from syncer.domain.model.sync_settings import REVENUE_ACCOUNT
from syncer.domain.planning.actions import Do
from syncer.domain.planning.changed_payments import payment_changed
from syncer.domain.ports import Refused
from syncer.storage.ledger.records import AttemptResult
from syncer.sync.context import RunContext
from syncer.sync.outbox import WriteItem, WriteKind, intent
from syncer.sync.snapshot import Snapshot, contact_stamp
from syncer.sync.writes.invoices import arrived
from syncer.sync.writes.payments import removed

OUTCOMES = {
    Do.CREATE: "created",
    Do.UPDATE: "updated",
    Do.AMEND: "updated",
    Do.VOID: "voided",
    Do.DELETE: "voided",
    Do.RENUMBER: "renumbered",
}
BACK_OFF_S = 60.0
LONGEST_S = 3600.0

Answer = Any  # an element's result, Xero's refusal of it, or a problem that a look of ours has found


def back_off(tries: int, wait_s: float | None) -> timedelta:
    """When to try again: as the service asks, else twice as long as the time before, an hour at most."""
    return timedelta(seconds=wait_s or min(LONGEST_S, BACK_OFF_S * 2 ** max(0, tries)))


class Writes:
    """The kinds of write of one run. What Xero says in a refusal about the document or contact is looked at again."""

    def __init__(self, doors: RunContext, seen: Snapshot) -> None:
        self._doors = doors
        self._ledger = doors.ledger
        self._seen = seen
        self.doubtful_invoices: list[str] = []  # InvoiceIDs that are not what we thought
        self.doubtful_contacts: list[str] = []  # ContactIDs that are not what we thought
        self.made: list[TaxRate | str] = []  # tax rates and currencies that Xero has now
        self.refused: dict[str, tuple[str, ...]] = {}  # and what it said of those it would not create

    def _now(self) -> datetime:
        return self._doors.clock.now()

    def _problem(self, answer: Answer) -> Problem:
        """Why an element was not taken."""
        if isinstance(answer, Problem):
            return answer
        refused: Refused = answer
        found = self._doors.read_complaints(refused.messages)[0]
        return Problem(found.code, {**found.facts, "messages": list(refused.messages)}, found.where)

    # -- contacts -----------------------------------------------------------------------------------------------

    def contacts(self) -> WriteKind:
        """Contacts to create."""

        def finish(element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
            if isinstance(answer, BookContact):
                return AttemptResult("contact", element.source_id, "created", "linked", attempt_id, contact=answer)
            depends = contact_stamp(element.subject, self._seen.contact_conditions)
            problem = self._problem(answer)
            facts = {"name": element.subject.name, "email": element.subject.email, **problem.facts}
            told = Problem(problem.code, facts, problem.where)
            return AttemptResult("contact", element.source_id, "refused", "held", attempt_id, told, stamp=depends)

        return WriteKind(self._doors.accounts.create_contacts, intent, finish, _put_off("contact"))

    # -- invoices -----------------------------------------------------------------------------------------------

    def invoices(self, do: Do) -> WriteKind:
        """Documents to create, change or take away."""
        accounts = self._doors.accounts
        send: Mapping[Do, Callable[..., Sequence[BookInvoice | Refused]]] = {
            Do.CREATE: accounts.create_invoices,
            Do.UPDATE: accounts.update_invoices,
            Do.AMEND: accounts.amend_invoices,
            Do.VOID: accounts.void_invoices,
            Do.DELETE: accounts.delete_drafts,
            Do.RENUMBER: accounts.amend_invoices,
        }

        def finish(element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
            if isinstance(answer, BookInvoice):
                outcome, content = OUTCOMES[do], element.fingerprint
                return arrived(element.source_id, outcome, attempt_id, answer, content, element.expected)
            problem = self._told(self._problem(answer), element)
            if isinstance(answer, Problem):
                # What a look of ours has found is decided by the planner from now on.
                return AttemptResult("invoice", element.source_id, "refused", "held", attempt_id, problem)
            self._look_later(problem, element)
            return AttemptResult(
                "invoice", element.source_id, "refused", "held", attempt_id, problem, stamp=element.stamp
            )

        return WriteKind(send[do], intent, finish, self._put_off_invoice, self._sift)

    def _told(self, problem: Problem, element: WriteItem) -> Problem:
        """Xero's reason with what it leaves out: which invoice, customer and dates are meant."""
        invoice = element.subject.invoice
        known = {"number": invoice.number, "currency": invoice.currency}
        if problem.code.startswith("contact_"):
            known |= {"name": invoice.customer.name, "email": invoice.customer.email}
        if problem.code == "period_locked" and invoice.issue_date:
            known["issue_date"] = invoice.issue_date.isoformat()
        if account := str(problem.facts.get("account") or ""):
            known["setting"] = setting_behind(invoice, self._seen.scene.rules, account) or REVENUE_ACCOUNT
        if problem.code == "tracking_invalid":
            chosen = sorted(self._seen.scene.rules.tracking.items())
            known["chosen"] = ", ".join(f"{category}: {option}" for category, option in chosen)
        return Problem(problem.code, {**known, **problem.facts}, problem.where)

    def _look_later(self, problem: Problem, element: WriteItem) -> None:
        cures = CAUSES[problem.code].cures
        if Cure.DOCUMENT in cures and element.subject.xero_id:
            self.doubtful_invoices.append(element.subject.xero_id)
        if problem.code in ("contact_archived", "contact_missing") and (meant := _contact_of(element)):
            self.doubtful_contacts.append(meant)

    def _put_off_invoice(self, element: WriteItem, attempt_id: int, problem: Problem) -> AttemptResult:
        if problem.code in CAUSES and heals_by_itself(problem.code):
            at = self._now() + back_off(element.tries, problem.facts.get("wait_s"))
            told = Problem(problem.code, {**problem.facts, "retry_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
            return AttemptResult("invoice", element.source_id, "deferred", "retrying", attempt_id, told, retry_at=at)
        return AttemptResult("invoice", element.source_id, "deferred", "waiting", attempt_id)

    def _sift(self, elements: Sequence[WriteItem]) -> dict[str, Problem]:
        """Xero refuses a whole request for one contact that it does not have: one look tells which.

        While at it, contacts that were archived are found too.
        """
        meant = {element.source_id: _contact_of(element) for element in elements}
        there = self.look_at_contacts(sorted({one for one in meant.values() if one}))
        wrong: dict[str, Problem] = {}
        for source_id, contact_id in meant.items():
            found = there.get(contact_id)
            if found and found.status == UNKNOWN:
                facts = {"name": self._seen.scene.names.get(contact_id, ""), "xero_id": contact_id, "unknown": True}
                wrong[source_id] = Problem("contact_missing", facts)
            elif found and found.status != "ACTIVE":
                facts = {"name": found.name, "email": found.email, "xero_id": found.id}
                wrong[source_id] = Problem("contact_archived", facts)
        return wrong

    def look_at_contacts(self, ids: Sequence[str]) -> dict[str, BookContact]:
        """What Xero has of these contacts now, taken into the mirror; one that it does not have is noted as unknown."""
        there = self._doors.accounts.contacts_with_ids(ids)
        found = {one.id: one for one in there}
        names = self._seen.scene.names
        unknown = [id_ for id_ in ids if id_ not in found and not there.may_hide_id(id_)]
        found |= {id_: BookContact(id_, names.get(id_, ""), status=UNKNOWN) for id_ in unknown}
        self._ledger.mirror(self._now(), contacts=list(found.values()))
        return found

    # -- payments -----------------------------------------------------------------------------------------------

    def payments(self) -> WriteKind:
        """Payments to record."""

        def finish(element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
            owner = element.expected["owner"]
            if isinstance(answer, BookPayment):
                # The answer's own amount and invoice may be left out: what was sent counts.
                sent = element.payload
                if _is_otherwise(answer, element.expected.get("due_after")):
                    self.doubtful_invoices.append(sent.invoice_id)
                there = BookPayment(
                    answer.id, sent.invoice_id, sent.amount, sent.reference, answer.status, sent.paid_on
                )
                return AttemptResult(
                    "payment", element.source_id, "paid", "waiting", attempt_id, payment=there, owner=owner
                )
            return self._refused_payment("payment", element, attempt_id, answer)

        return WriteKind(self._doors.accounts.create_payments, intent, finish, _put_off("payment"))

    def removals(self) -> WriteKind:
        """Our own payments to take off."""

        def finish(element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
            if isinstance(answer, BookPayment):
                return removed(element.source_id, "removed", attempt_id, answer, element.expected)
            return self._refused_payment("unpay", element, attempt_id, answer)

        return WriteKind(self._doors.accounts.delete_payments, intent, finish, _put_off("unpay"))

    def _refused_payment(self, kind: str, element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
        problem = self._problem(answer)
        invoice = element.subject
        if kind == "unpay" and (kept := self._kept_reconciled(answer, invoice)):
            problem = kept
        facts = {
            "number": invoice.number,
            "currency": invoice.currency,
            "amount": element.expected["amount"],
            "payments": 1,
            "of_payment": True,
            **problem.facts,
        }
        told = Problem(problem.code, facts, problem.where)
        if Cure.DOCUMENT in CAUSES[told.code].cures:
            self.doubtful_invoices.append(element.expected["invoice"])
        owner = element.expected["owner"]
        return AttemptResult(
            kind, element.source_id, "refused", "held", attempt_id, told, owner=owner, stamp=element.stamp
        )

    def _kept_reconciled(self, answer: Answer, invoice: Invoice) -> Problem | None:
        """That a changed payment cannot be replaced, since Xero gives back none that is reconciled ("payments")."""
        standing = self._seen.scene.standings[invoice.source_id]
        said = " ".join(getattr(answer, "messages", ())).casefold()
        if "reconciled" not in said or not (changed := payment_changed(invoice, standing)):
            return None
        return Problem(changed.code, {**changed.facts, "reconciled": True, "messages": list(answer.messages)})

    # -- the organisation's settings ----------------------------------------------------------------------------

    def settings(self, kind: str) -> WriteKind:
        """Tax rates or currencies to create, one a call."""
        accounts = self._doors.accounts
        send = accounts.create_tax_rates if kind == "tax_rate" else accounts.create_currencies

        def finish(element: WriteItem, attempt_id: int, answer: Answer) -> AttemptResult:
            facts = {"name": element.expected["name"]}
            if isinstance(answer, Refused):
                self.refused[element.source_id] = answer.messages
                told = Problem("rejected_by_xero", {**facts, "messages": list(answer.messages)})
                return AttemptResult(kind, element.source_id, "refused", "held", attempt_id, told)
            self.made.append(answer)
            code = {"type": answer.type} if isinstance(answer, TaxRate) else {}
            return AttemptResult(
                kind, element.source_id, "created", "waiting", attempt_id, Problem("", {**facts, **code})
            )

        return WriteKind(send, intent, finish, _put_off(kind))


def _is_otherwise(answer: BookPayment, due_after: str | None) -> bool:
    """Whether Xero says that something else is due now than what we reckoned: somebody has entered money there."""
    return due_after is not None and answer.due_after is not None and text(answer.due_after) != due_after


def _contact_of(element: WriteItem) -> str:
    """The ContactID that a document was sent with."""
    payload = element.payload
    document = payload[1] if isinstance(payload, tuple) else payload
    return document.contact_id if isinstance(document, Document | Amendment) else ""


def _put_off(kind: str) -> Callable[[WriteItem, int, Problem], AttemptResult]:
    """What has no time of its own to be tried again waits for the next run; a payment with its invoice."""

    def put_off(element: WriteItem, attempt_id: int, problem: Problem) -> AttemptResult:
        owner = element.expected.get("owner", "")
        return AttemptResult(kind, element.source_id, "deferred", "waiting", attempt_id, owner=owner)

    return put_off
