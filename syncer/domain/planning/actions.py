"""What can be decided about an invoice, and all that the decision depends on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b

from syncer.domain.mapping.invoice_to_document import document, status_when_new
from syncer.domain.matching.invoice_contacts import Create, Decision, Join, Linked
from syncer.domain.model.books import BookInvoice, Books, Document
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.money import text
from syncer.domain.model.payment import NewPayment
from syncer.domain.model.problems import NOT_ELIGIBLE, Problem
from syncer.domain.model.sync_settings import AUTHORISED, DRAFT, SUBMITTED, Rules
from syncer.domain.model.sync_state import SyncState


class Do(StrEnum):
    """What can be done about one invoice."""

    CREATE = "create"
    UPDATE = "update"
    AMEND = "amend"  # only what Xero lets change on an invoice that has payments
    VOID = "void"
    DELETE = "delete"  # our own draft
    PAY = "pay"
    UNPAY = "unpay"  # take our own payments off, so that what they block can go
    RECOUNT = "recount"  # compare with Xero's payments one by one, as a person ordered
    BIND = "bind"  # it is in Xero already: take note, write nothing
    LEAVE = "leave"
    HOLD = "hold"
    RENUMBER = "renumber"  # give it a number of its own for a moment, so that another can have the one it had


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
    unpay: Mapping[str, str] = field(default_factory=dict)  # our payments to take off, by transaction id
    stamp: str = ""  # what a refusal would depend on
    refused: bool = False  # held because Xero refused the very same before
    after: str = ""  # our other invoice that has to leave the number first

    @property
    def cause(self) -> str:
        """The code that explains it best, or nothing."""
        return self.problems[0].code if self.problems else ""

    @property
    def eligible(self) -> bool:
        """Whether the settings let it go at all."""
        return self.cause not in NOT_ELIGIBLE


@dataclass(frozen=True)
class PlanInputs:
    """Everything that a decision depends on besides the invoice itself."""

    books: Books
    rules: Rules
    contacts: Mapping[str, Decision]
    standings: Mapping[str, SyncState]
    heads: Mapping[str, Sequence[BookInvoice]]  # the invoices that Xero has, by number
    conditions: str = ""  # names the state of settings and books; see `stamp`
    marked: Mapping[str, Sequence[BookInvoice]] = field(default_factory=dict)  # those with our mark, by CrocoClick's id
    merged: Mapping[str, str] = field(default_factory=dict)  # a merged Xero contact to the one that is left
    names: Mapping[str, str] = field(default_factory=dict)  # of Xero contacts, by ContactID
    holders: Mapping[str, Invoice] = field(default_factory=dict)  # our invoices by the document that has a number
    leaving: frozenset[str] = frozenset()  # those of them that get another number in the same run


def stamp(invoice: Invoice, standing: SyncState, conditions: str) -> str:
    """Names what a refusal depended on: until it moves, sending the same again cannot help."""
    there = f"{standing.xero_status} {standing.xero_amount_due} {sorted(standing.there.items())}"
    named = f"{invoice.fingerprint} {invoice.status} {invoice.amount_paid} {conditions} {there}"
    return blake2b(named.encode(), digest_size=12).hexdigest()


def hold(invoice: Invoice, standing: SyncState, *problems: Problem) -> Action:
    """It needs a person, or time."""
    return Action(invoice, Do.HOLD, problems, xero_id=standing.xero_id)


def leave(invoice: Invoice, standing: SyncState, *why: Problem) -> Action:
    """Nothing is to be done."""
    return Action(invoice, Do.LEAVE, why, xero_id=standing.xero_id)


def unless_refused(action: Action, standing: SyncState, scene: PlanInputs) -> Action:
    """What Xero refused is not sent again until something that the refusal depended on has moved."""
    depends = stamp(action.invoice, standing, scene.conditions)
    if standing.refusal and standing.refused_stamp == depends:
        return Action(action.invoice, Do.HOLD, (standing.refusal,), xero_id=action.xero_id, refused=True)
    return replace(action, stamp=depends)


def is_to_approve(invoice: Invoice, standing: SyncState, rules: Rules) -> bool:
    """Whether its unapproved document has to move on: it was sent in CrocoClick since, or nobody has to approve it."""
    if not standing.unapproved or invoice.status is Status.DRAFT:
        return False
    was_draft = standing.synced_status == Status.DRAFT and standing.xero_status == DRAFT
    return rules.approval == AUTHORISED or (was_draft and rules.approval == SUBMITTED)


def _status_in_xero(invoice: Invoice, standing: SyncState, rules: Rules) -> str:
    """The status to write: what is approved cannot become a draft again, and what waits for approval goes on to."""
    if not standing.xero_id or (standing.unapproved and invoice.status is Status.DRAFT):
        return status_when_new(invoice, rules)
    if not standing.unapproved:
        return AUTHORISED
    return rules.approval if is_to_approve(invoice, standing, rules) else standing.xero_status


def written(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Document | Action:
    """The document that the invoice becomes, or why it cannot."""
    contact = scene.contacts.get(invoice.customer.id)
    if contact is None or not invoice.customer.id:
        contact = Problem("contact_missing", {"number": invoice.number})
    status = _status_in_xero(invoice, standing, scene.rules)
    made = document(invoice, scene.books, contact_ref(contact), scene.rules, status)
    problems = made if isinstance(made, tuple) else ()
    if isinstance(contact, Problem):
        problems = (contact, *problems)
    if problems or isinstance(made, tuple):
        return hold(invoice, standing, *ranked(problems))
    return made


def contact_ref(decision: Decision) -> str:
    """The ContactID, or for one that is still to be created a placeholder that no ContactID can be."""
    if isinstance(decision, Linked):
        return decision.xero_id
    if isinstance(decision, Create):
        return f"new:{decision.contact.source_id}"
    return f"new:{decision.source_id}" if isinstance(decision, Join) else ""


def strangers(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> list[BookInvoice]:
    """The documents in Xero that carry the invoice's number, are not its own and keep it."""
    return [head for head in _others(invoice, standing, scene) if not _leaves(head, scene)]


def _others(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> list[BookInvoice]:
    return [
        head
        for head in scene.heads.get(invoice.number, ())
        if head.id != standing.xero_id and not is_ours(head, invoice.source_id)
    ]


def _leaves(head: BookInvoice, scene: PlanInputs) -> bool:
    holder = scene.holders.get(head.id)
    return holder is not None and holder.source_id in scene.leaving


def holder_of(invoice: Invoice, standing: SyncState, scene: PlanInputs) -> Invoice | None:
    """Our other invoice whose document has this one's number in Xero."""
    held = (scene.holders[head.id] for head in _others(invoice, standing, scene) if head.id in scene.holders)
    return next(held, None)


def number_problem(invoice: Invoice, standing: SyncState, scene: PlanInputs, owner: Invoice | None) -> Problem | None:
    """Its number is used already: by another CrocoClick invoice, or by a document in Xero that is not ours."""
    if owner is not None and owner.source_id != invoice.source_id:
        facts = {"number": invoice.number, "crococlick_id": owner.source_id, "customer": owner.customer.name}
        return Problem("number_taken", facts, "number")
    if not (found := strangers(invoice, standing, scene)):
        return None
    there = found[0]
    if holder := scene.holders.get(there.id):
        facts = {"number": invoice.number, "crococlick_id": holder.source_id, "customer": holder.customer.name}
        return Problem("number_taken", {**facts, "still": holder.number}, "number")
    facts = {
        "number": invoice.number,
        "xero_id": there.id,
        "xero_status": there.status,
        "xero_total": text(there.total),
        "currency": there.currency,
        "customer": scene.names.get(there.contact_id, ""),
    }
    return Problem("number_taken", facts, "number")


def is_ours(head: BookInvoice, source_id: str) -> bool:
    """Whether a Xero invoice carries the mark of this CrocoClick invoice."""
    return head.url.endswith(f"/{source_id}")


# What blocks everything first, then what is the invoice's own, so that the one sentence shown is the one to act on.
_RANK = (
    "role_missing account_missing account_invalid tracking_invalid contact_missing contact_invalid contact_archived "
    "contact_ambiguous contact_name_taken currency_not_in_plan currency_not_enabled tax_archived tax_wrong_side "
    "tax_ambiguous tax_unmapped period_locked number_invalid negative_total issue_date_missing due_date_missing "
    "line_invalid total_mismatch"
).split()


def ranked(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems, the one to mend first in front."""
    return tuple(sorted(problems, key=lambda problem: _RANK.index(problem.code) if problem.code in _RANK else -1))
