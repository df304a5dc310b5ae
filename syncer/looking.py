"""Gathering, without a call, all that decisions depend on: what sync, plan and explain share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from syncer.core.action import Action, Do, Scene
from syncer.core.books import BookInvoice, Books, books_text
from syncer.core.causes import Problem, heals_by_itself
from syncer.core.contact import ContactIndex, Create, Decision, NewContact, decide_all
from syncer.core.invoice import Customer, Invoice
from syncer.core.plan import number_owners
from syncer.core.rules import Rules
from syncer.ledger.ledger import Ledger
from syncer.ledger.records import Known, KnownContact, Verdict

MANY = 500  # from here on the whole mirror is read at once


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
    conditions = blake2b(f"{rules.named}{books_text(books)}".encode(), digest_size=12).hexdigest()
    contact_conditions = digest(conditions, *sorted(f"{c.id} {c.name} {c.email} {c.status}" for c in mirror))
    standings = {known.invoice.source_id: known.standing for known in workload}
    shared = ledger.shared_numbers()
    standings_of_all = {known.invoice.source_id: known.standing for known in shared} | standings
    heads: dict[str, list[BookInvoice]] = defaultdict(list)
    wanted = {known.invoice.number for known in workload}
    for head in ledger.book_invoices(sorted(wanted) if len(wanted) < MANY else None):
        heads[head.number].append(head)
    marked: dict[str, list[BookInvoice]] = defaultdict(list)
    for head in ledger.marked_invoices([known.invoice.source_id for known in workload if not known.standing.xero_id]):
        marked[head.url.rpartition("/")[2]].append(head)
    index = ContactIndex(mirror)
    merges = {one.id: index.survivor(one.id) for one in mirror if one.merged_to}
    scene = Scene(
        books=books,
        rules=rules,
        contacts=decide_contacts(contacts, index, rules, contact_conditions),
        standings=standings_of_all,
        heads=heads,
        conditions=conditions,
        marked=marked,
        merged={gone: left.id for gone, left in merges.items() if left},
        names={one.id: one.name for one in mirror},
    )
    owners = number_owners([known.invoice for known in shared], scene)
    return Look(scene, owners, contact_conditions)


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


def verdict(action: Action) -> Verdict:
    """The state that a decision puts an invoice in before anything is sent."""
    problem = action.problems[0] if action.problems else None
    if action.cause == "skipped_by_person":
        return Verdict(action.invoice.source_id, "skipped", problem)
    if action.do is Do.LEAVE:
        return Verdict(action.invoice.source_id, "not_eligible" if problem else "synced", problem)
    if action.do is Do.HOLD:
        healing = problem is not None and heals_by_itself(problem.code)
        return Verdict(action.invoice.source_id, "retrying" if healing else "held", problem, action.refused)
    return Verdict(action.invoice.source_id, "waiting")


def digest(*parts: str) -> str:
    """A short name: equal parts, equal name."""
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()
