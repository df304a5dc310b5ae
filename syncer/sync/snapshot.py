"""Gathering, without a call, all that decisions depend on: what sync, plan and explain share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from syncer.domain.matching.invoice_contacts import ContactIndex, Create, Decision, NewContact, decide_all
from syncer.domain.model.books import BookInvoice, Books, books_text
from syncer.domain.model.invoice import Customer, Invoice
from syncer.domain.model.problems import Problem, heals_by_itself
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning.actions import Action, Do, PlanInputs, is_ours
from syncer.domain.planning.plan import leaving, number_owners
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import KnownContact, PlannedState, TrackedInvoice

MANY = 500  # from here on the whole mirror is read at once


@dataclass(frozen=True)
class Snapshot:
    """The scene of a plan, who may use which number, and what names the state of the contacts."""

    scene: PlanInputs
    owners: Mapping[str, Invoice]
    contact_conditions: str


def take_snapshot(
    ledger: Ledger, rules: Rules, books: Books, workload: Sequence[TrackedInvoice], only: frozenset[str] = frozenset()
) -> Snapshot:
    """Gather from the ledger, without a call, all that decisions about these invoices depend on."""
    contacts = ledger.contacts()
    mirror = ledger.book_contacts()
    conditions = blake2b(f"{rules.named}{books_text(books)}".encode(), digest_size=12).hexdigest()
    contact_conditions = digest(conditions, *sorted(f"{c.id} {c.name} {c.email} {c.status}" for c in mirror))
    standings = {known.invoice.source_id: known.standing for known in workload}
    shared = ledger.shared_numbers()
    standings_of_all = {known.invoice.source_id: known.standing for known in shared} | standings
    heads: dict[str, list[BookInvoice]] = defaultdict(list)
    wanted = {known.invoice.number for known in workload}
    for head in ledger.book_invoices(sorted(wanted) if len(wanted) < MANY else None):
        heads[head.number].append(head)
    handed = _handed_on(ledger, workload, heads, only)
    standings_of_all |= {known.invoice.source_id: known.standing for known in handed.moving}
    marked: dict[str, list[BookInvoice]] = defaultdict(list)
    for head in ledger.marked_invoices([known.invoice.source_id for known in workload if not known.standing.xero_id]):
        marked[head.url.rpartition("/")[2]].append(head)
    index = ContactIndex(mirror)
    merges = {one.id: index.survivor(one.id) for one in mirror if one.merged_to}
    scene = PlanInputs(
        books=books,
        rules=rules,
        contacts=decide_contacts(contacts, index, rules, contact_conditions),
        standings=standings_of_all,
        heads=heads,
        conditions=conditions,
        marked=marked,
        merged={gone: left.id for gone, left in merges.items() if left},
        names={one.id: one.name for one in mirror},
        holders=handed.holders,
    )
    owners = number_owners([known.invoice for known in shared], scene)
    scene = replace(scene, leaving=leaving([known.invoice for known in handed.moving], scene, owners))
    return Snapshot(scene, owners, contact_conditions)


@dataclass
class _Handed:
    """Numbers that our own invoices hand on: who has them, and which of those are decided in this run too."""

    holders: dict[str, Invoice] = field(default_factory=dict)
    moving: list[TrackedInvoice] = field(default_factory=list)


def _handed_on(
    ledger: Ledger, workload: Sequence[TrackedInvoice], heads: dict[str, list[BookInvoice]], only: frozenset[str]
) -> _Handed:
    """Follow the numbers of these invoices to our other invoices that have them in Xero, and theirs in turn.

    What is read on the way is added to `heads`.
    """
    handed = _Handed()
    asked = list(workload)
    known = {one.invoice.source_id: one for one in workload}
    while asked:
        others = [head for one in asked for head in heads.get(one.invoice.number, ()) if _is_others(head, one)]
        new = ledger.holders([head for head in others if head.id not in handed.holders]) if others else {}
        found = {one.invoice.source_id for one in new.values()}
        ids = found & only if only else found
        missing = sorted(ids - known.keys())
        known |= {one.invoice.source_id: one for one in (ledger.workload(missing) if missing else ())}
        asked = [known[one] for one in sorted(ids) if one in known and known[one].standing.xero_id]
        handed.moving += asked
        for xero_id, one in new.items():
            handed.holders[xero_id] = known.get(one.invoice.source_id, one).invoice
        unread = sorted({one.invoice.number for one in asked} - heads.keys())
        for head in ledger.book_invoices(unread) if unread else ():
            heads[head.number].append(head)
    return handed


def _is_others(head: BookInvoice, known: TrackedInvoice) -> bool:
    return head.id != known.standing.xero_id and not is_ours(head, known.invoice.source_id)


def decide_contacts(
    contacts: Mapping[str, KnownContact], index: ContactIndex, rules: Rules, conditions: str
) -> dict[str, Decision]:
    """Decide every contact; one that Xero refused is not sent again until what the refusal depended on has moved."""
    customers = {key: known.customer for key, known in contacts.items() if not known.open}
    bindings = {key: known.xero_id for key, known in contacts.items() if known.xero_id}
    apart = {key: known.apart for key, known in contacts.items() if known.apart is not None}
    decisions = decide_all(customers, bindings, index, rules, apart)
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
    return digest(identity, conditions)


def verdict(action: Action) -> PlannedState:
    """The state that a decision puts an invoice in before anything is sent."""
    problem = action.problems[0] if action.problems else None
    if action.cause == "skipped_by_person":
        return PlannedState(action.invoice.source_id, "skipped", problem)
    if action.do is Do.LEAVE:
        return PlannedState(action.invoice.source_id, "not_eligible" if problem else "synced", problem)
    if action.do is Do.HOLD:
        healing = problem is not None and heals_by_itself(problem.code)
        return PlannedState(action.invoice.source_id, "retrying" if healing else "held", problem, action.refused)
    return PlannedState(action.invoice.source_id, "waiting")


def digest(*parts: str) -> str:
    """A short name: equal parts, equal name."""
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()
