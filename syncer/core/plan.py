"""What each invoice needs. Nothing happens here: sync performs it, plan shows it, explain asks it for one."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b

from syncer.core.books import BookInvoice, Books, Document
from syncer.core.causes import NOT_ELIGIBLE, Problem
from syncer.core.contact import Create, Decision, Join, Linked
from syncer.core.invoice import Invoice, Status
from syncer.core.mapping import document
from syncer.core.money import ZERO
from syncer.core.payment import NewPayment, Payment, due
from syncer.core.rules import Rules

GONE = frozenset({"VOIDED", "DELETED"})


class Do(StrEnum):
    """What can be done about one invoice."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    PAY = "pay"
    BIND = "bind"  # it is in Xero already, with our mark: take note, write nothing
    LEAVE = "leave"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows of one invoice: the document that stands in Xero for it, and what Xero refused before."""

    xero_id: str = ""
    synced_fingerprint: str = ""
    synced_status: str = ""
    xero_amount_paid: bool = False
    xero_amount_due: Decimal = ZERO
    payments: tuple[Payment, ...] = ()  # what CrocoClick took
    carried: Mapping[str, str] = field(default_factory=dict)  # which of them Xero has, by transaction id
    refused_stamp: str = ""
    refusal: Problem | None = None


@dataclass(frozen=True)
class Action:
    """The decision on one invoice: what to do, or why not; `document` where something is to be written."""

    invoice: Invoice
    do: Do
    problems: tuple[Problem, ...] = ()
    document: Document | None = None
    xero_id: str = ""
    found: BookInvoice | None = None
    payments: tuple[NewPayment, ...] = ()
    refused: bool = False  # held because Xero refused the very same before

    @property
    def cause(self) -> str:
        """The code that explains it best, or nothing."""
        return self.problems[0].code if self.problems else ""

    @property
    def eligible(self) -> bool:
        """Whether the settings let it go at all."""
        return self.cause not in NOT_ELIGIBLE


@dataclass(frozen=True)
class Scene:
    """Everything that a decision depends on besides the invoice itself."""

    books: Books
    rules: Rules
    contacts: Mapping[str, Decision]
    standings: Mapping[str, Standing]
    heads: Mapping[str, Sequence[BookInvoice]]  # the invoices that Xero has, by number
    conditions: str = ""  # names the state of settings and books; see `stamp`


def stamp(invoice: Invoice, conditions: str) -> str:
    """Names what a refusal depended on: until it moves, sending the same again cannot help."""
    return blake2b(
        f"{invoice.fingerprint} {invoice.status} {invoice.amount_paid} {conditions}".encode(), digest_size=12
    ).hexdigest()


def not_eligible(invoice: Invoice, rules: Rules) -> Problem | None:
    """Why the settings leave out an invoice that is not in Xero yet."""
    if not invoice.live:
        return Problem("test_mode", {"number": invoice.number})
    if invoice.status is Status.VOID:
        return Problem("void_before_sync", {"number": invoice.number})
    if invoice.status not in rules.statuses:
        return Problem("status_not_selected", {"status": str(invoice.status)})
    if rules.start_date and invoice.issue_date and invoice.issue_date < rules.start_date:
        facts = {"issue_date": invoice.issue_date.isoformat(), "start_date": rules.start_date.isoformat()}
        return Problem("before_start_date", facts)
    return None


def number_owners(invoices: Iterable[Invoice], scene: Scene) -> dict[str, Invoice]:
    """Which invoice may use each number: the one that stands in Xero, else the earlier issued, then the smaller id."""
    rivals: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        if scene.standings.get(invoice.source_id, Standing()).xero_id or not not_eligible(invoice, scene.rules):
            rivals[invoice.number].append(invoice)
    return {number: min(those, key=lambda one: _precedence(one, scene)) for number, those in rivals.items()}


def _precedence(invoice: Invoice, scene: Scene) -> tuple[bool, date, str]:
    standing = scene.standings.get(invoice.source_id, Standing())
    return (not standing.xero_id, invoice.issue_date or date.max, invoice.source_id)


def plan_all(invoices: Sequence[Invoice], scene: Scene, owners: Mapping[str, Invoice] | None = None) -> list[Action]:
    """Decide every invoice; `owners` says who may use a number when not all invoices are at hand."""
    owners = number_owners(invoices, scene) if owners is None else owners
    return [plan(invoice, scene, owners.get(invoice.number)) for invoice in invoices]


def plan(invoice: Invoice, scene: Scene, owner: Invoice | None = None) -> Action:
    """Decide one invoice; `owner` is the invoice that may use its number (None: this one)."""
    standing = scene.standings.get(invoice.source_id, Standing())
    if standing.xero_id:
        return _plan_known(invoice, standing, scene)
    if reason := not_eligible(invoice, scene.rules):
        return Action(invoice, Do.LEAVE, (reason,))
    if taken := _number_problem(invoice, scene, owner):
        return taken
    return _plan_write(invoice, standing, scene, Do.CREATE)


def _number_problem(invoice: Invoice, scene: Scene, owner: Invoice | None) -> Action | None:
    """The number is used already: by our own document, by a stranger's, or by another CrocoClick invoice."""
    heads = scene.heads.get(invoice.number, ())
    ours = next((head for head in heads if head.url.endswith(f"/{invoice.source_id}")), None)
    if ours:
        return Action(invoice, Do.BIND, xero_id=ours.id, found=ours)
    if owner is not None and owner.source_id != invoice.source_id:
        facts = {"number": invoice.number, "crococlick_id": owner.source_id, "customer": owner.customer.name}
        return Action(invoice, Do.HOLD, (Problem("number_taken", facts, "number"),))
    if heads:
        facts = {"number": invoice.number, "xero_id": heads[0].id, "xero_status": heads[0].status}
        return Action(invoice, Do.HOLD, (Problem("number_taken", facts, "number"),))
    return None


def _plan_known(invoice: Invoice, standing: Standing, scene: Scene) -> Action:
    """An invoice that stands in Xero: carry its void, or its changed content, or leave it."""
    if invoice.status is Status.VOID:
        return _plan_void(invoice, standing, scene)
    if standing.synced_fingerprint == invoice.fingerprint:
        return _plan_payments(invoice, standing, scene)
    if standing.xero_amount_paid:
        problem = Problem("edited_after_payment", {"number": invoice.number})
        return Action(invoice, Do.HOLD, (problem,), xero_id=standing.xero_id)
    return _plan_write(invoice, standing, scene, Do.UPDATE)


def takes_payments(invoice: Invoice, rules: Rules) -> bool:
    """Whether payments of this invoice are to be carried: there are some, and its status is a selected one."""
    return bool(invoice.amount_paid) and invoice.status in rules.statuses and invoice.status is not Status.DRAFT


def _plan_payments(invoice: Invoice, standing: Standing, scene: Scene) -> Action:
    if not takes_payments(invoice, scene.rules):
        return Action(invoice, Do.LEAVE, xero_id=standing.xero_id)
    found = due(
        invoice,
        standing.xero_id,
        standing.xero_amount_due,
        standing.payments,
        standing.carried,
        scene.books,
        scene.rules,
    )
    if found.problem:
        return Action(invoice, Do.HOLD, (found.problem,), xero_id=standing.xero_id)
    if not found.payments:
        return Action(invoice, Do.LEAVE, xero_id=standing.xero_id)
    action = Action(invoice, Do.PAY, xero_id=standing.xero_id, payments=found.payments)
    return _unless_refused(action, standing, scene)


def _plan_void(invoice: Invoice, standing: Standing, scene: Scene) -> Action:
    if standing.synced_status == Status.VOID or Status.VOID not in scene.rules.statuses:
        return Action(invoice, Do.LEAVE, xero_id=standing.xero_id)
    if standing.xero_amount_paid:
        problem = Problem("void_with_payments", {"number": invoice.number})
        return Action(invoice, Do.HOLD, (problem,), xero_id=standing.xero_id)
    return _unless_refused(Action(invoice, Do.VOID, xero_id=standing.xero_id), standing, scene)


def _plan_write(invoice: Invoice, standing: Standing, scene: Scene, do: Do) -> Action:
    contact = scene.contacts.get(invoice.customer.id)
    if contact is None or not invoice.customer.id:
        contact = Problem("contact_missing", {"number": invoice.number})
    contact_id = contact_ref(contact)
    made = document(invoice, scene.books, contact_id, scene.rules)
    problems = made if isinstance(made, tuple) else ()
    if isinstance(contact, Problem):
        problems = (contact, *problems)
    if problems or isinstance(made, tuple):
        return Action(invoice, Do.HOLD, ranked(problems), xero_id=standing.xero_id)
    return _unless_refused(Action(invoice, do, document=made, xero_id=standing.xero_id), standing, scene)


def contact_ref(decision: Decision) -> str:
    """The ContactID, or for one that is still to be created a placeholder that no ContactID can be."""
    if isinstance(decision, Linked):
        return decision.xero_id
    if isinstance(decision, Create):
        return f"new:{decision.contact.source_id}"
    return f"new:{decision.source_id}" if isinstance(decision, Join) else ""


def _unless_refused(action: Action, standing: Standing, scene: Scene) -> Action:
    """What Xero refused is not sent again until something that the refusal depended on has moved."""
    if standing.refusal and standing.refused_stamp == stamp(action.invoice, scene.conditions):
        return Action(action.invoice, Do.HOLD, (standing.refusal,), xero_id=action.xero_id, refused=True)
    return action


# What blocks everything first, then what is the invoice's own, so that the one sentence shown is the one to act on.
_RANK = (
    "role_missing account_missing account_invalid contact_missing contact_invalid contact_archived "
    "contact_ambiguous contact_name_taken currency_not_in_plan currency_not_enabled tax_archived tax_wrong_side "
    "tax_ambiguous tax_unmapped period_locked number_invalid negative_total issue_date_missing due_date_missing "
    "line_invalid total_mismatch"
).split()


def ranked(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems, the one to mend first in front."""
    return tuple(sorted(problems, key=lambda problem: _RANK.index(problem.code) if problem.code in _RANK else -1))


def idempotency_key(connection: str, kind: str, elements: Sequence[tuple[str, str]], generation: int = 0) -> str:
    """Names one exact batch: the connection, what is done, and the ordered (id, content) of its elements.

    Xero ties a key to a whole request for six minutes (Xero's idempotency guide), so the same batch sent again has the
    same key, and any other batch another.
    """
    named = json.dumps([connection, kind, generation, *elements])
    return f"{kind}-{blake2b(named.encode(), digest_size=20).hexdigest()}"
