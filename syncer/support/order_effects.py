"""Whether an order would change anything: the planner decides with it and without it, before it is given.

Everything is taken from the ledger; no call is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncer.domain import settings
from syncer.domain.model.books import Books, books_from
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import Order, SyncState
from syncer.domain.planning.actions import Action
from syncer.domain.planning.plan import number_owners, plan
from syncer.messages.problems import cause_sentence
from syncer.messages.remedies import remedy
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import TrackedInvoice
from syncer.sync.snapshot import take_snapshot


def in_vain(ledger: Ledger, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
    """Why this order would change nothing for the first of these invoices that it would leave as it is; else nothing.

    Where the organisation's settings were never read nothing can be decided, and every order may have an effect.
    """
    kept = ledger.row("books")
    if not kept:
        return ""
    books, rules = books_from(kept["content"]), _rules(ledger)
    for known in ledger.invoices([row["source_id"] for row in rows]):
        if known.state == "in_doubt":
            return _in_doubt(known)
        without, ordered = _decide(ledger, rules, books, known, order)
        if _same(without, ordered):
            return _reason(order, without)
    return ""


def _rules(ledger: Ledger) -> Rules:
    stored = {row["key"]: row["value"] for row in ledger.rows("settings")}
    return settings.rules(stored, (ledger.row("connection") or {}).get("location_id") or "")


def _decide(ledger: Ledger, rules: Rules, books: Books, known: TrackedInvoice, order: Order) -> tuple[Action, Action]:
    """What is decided now, and what would be decided if the order stood."""
    seen = take_snapshot(ledger, rules, books, [known])
    source_id = known.invoice.source_id
    ordered = {**seen.scene.standings, source_id: _ordered(known.standing, order)}
    scene = replace(seen.scene, standings=ordered)
    # Whose a number is can follow from an order to adopt.
    owners = number_owners([one.invoice for one in ledger.shared_numbers()], scene)
    number = known.invoice.number
    return (
        plan(known.invoice, seen.scene, seen.owners.get(number)),
        plan(known.invoice, scene, owners.get(number)),
    )


def _ordered(standing: SyncState, order: Order) -> SyncState:
    """How it stands once the order is given; one to adopt a document that is bound is carried out at once."""
    if order.name == "adopt" and standing.xero_id:
        return replace(standing, agreed=standing.there)
    return replace(standing, order=replace(order, seen=None))


def _same(one: Action, other: Action) -> bool:
    """Whether both do the same, for the same reasons."""
    return replace(one, stamp="", refused=False) == replace(other, stamp="", refused=False)


def _in_doubt(known: TrackedInvoice) -> str:
    number = known.invoice.number or known.invoice.source_id
    return (
        f"Whether the last write of {number} has arrived is not known yet: sync first, then order what it still needs."
    )


def _reason(order: Order, action: Action) -> str:
    number = action.invoice.number or action.invoice.source_id
    if not action.problems:
        return f"The order {order.name} would change nothing: nothing stands in the way of {number}."
    problem = action.problems[0]
    step = remedy(problem.code, problem.facts)
    said = f"The order {order.name} would change nothing for {number}: {cause_sentence(problem.code, problem.facts)}."
    return f"{said} {step.sentence}" if step else said
