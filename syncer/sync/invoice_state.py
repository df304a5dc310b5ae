"""The state of an invoice: one function, which sync, explain, plan, every list and every count go by.

What a run decides it writes down as it goes. What changes outside of a run (a setting, an order, a reading) is decided
anew right after it, so that nobody is shown a state that what we know by now contradicts. No call is made here.
"""

from collections.abc import Sequence
from datetime import datetime

from syncer.domain.model.books import Books, books_from
from syncer.domain.model.obstacle import DECIDED_ANEW, Stand
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning.actions import Action, Do, hold, leave
from syncer.domain.planning.payments import is_of_payments, takes_payments
from syncer.domain.planning.plan import not_eligible, plan_all
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import PlannedState, TrackedInvoice, as_kept
from syncer.sync.snapshot import take_snapshot, verdict

# No plan can speak of what was not read: which payments there are, or the invoice itself.
NOT_READ = ("crococlick_scope_missing", "invoice_unreadable")


def known_books(ledger: Ledger) -> Books | None:
    """The organisation's settings as last read."""
    kept = ledger.row("books")
    return books_from(kept["content"]) if kept else None


def as_read(known: TrackedInvoice, action: Action) -> Action:
    """A decision, but for what it would say of payments whose transactions were not read since the invoice changed.

    The amount that an invoice says is paid and what its transactions come to are of one moment, or nothing is said but
    what a run has said that had read both.
    """
    problem = action.problems[0] if action.do is Do.HOLD and action.problems else None
    if known.is_paid_read or not is_of_payments(problem):
        return action
    said = known.stand.problem
    if known.state == "held" and said and is_of_payments(said):
        return hold(known.invoice, known.standing, said)
    return Action(known.invoice, Do.PAY, xero_id=action.xero_id)


def stand(known: TrackedInvoice, action: Action, rules: Rules) -> PlannedState:
    """What is decided about an invoice by what is known now, before what stands in the way of the whole connection."""
    kept = PlannedState(known.invoice.source_id, known.state, known.stand.problem)
    if known.state not in DECIDED_ANEW or known.cause in NOT_READ:
        return kept
    if action.do is Do.PAY and action.problems and known.state == "held":
        # Its payments go, and what holds the document goes on to hold it.
        return PlannedState(known.invoice.source_id, "held", action.problems[0])
    decided = verdict(as_read(known, action))
    if action.do is Do.LEAVE and decided.state == "synced" and takes_payments(known.invoice, known.standing, rules):
        # Whether all is paid over shows once its transactions have been read again.
        return PlannedState(known.invoice.source_id, "waiting")
    if (decided.state, known.state) == ("waiting", "waiting"):
        return kept  # What it waited for before tells the next run which of Xero's lists to read again.
    return decided


def of(action: Action) -> Stand:
    """The state that a decision puts an invoice in, by itself."""
    found = verdict(action)
    return Stand(found.state, found.problem)


def stand_without_books(known: TrackedInvoice, rules: Rules) -> PlannedState:
    """The state where the organisation was never read: the settings may leave the invoice out all the same."""
    action = action_without_books(known, rules)
    if known.state in DECIDED_ANEW and action.do is Do.LEAVE:
        return verdict(action)
    return PlannedState(known.invoice.source_id, known.state, known.stand.problem)


def action_without_books(known: TrackedInvoice, rules: Rules) -> Action:
    """What can be decided where the organisation was never read: what is left out, and that all else would go."""
    reason = None if known.standing.xero_id else not_eligible(known.invoice, rules)
    if known.state == "skipped":
        return leave(known.invoice, known.standing, *([known.stand.problem] if known.stand.problem else []))
    return leave(known.invoice, known.standing, reason) if reason else Action(known.invoice, Do.CREATE)


def decide_anew(ledger: Ledger, rules: Rules, now: datetime, ids: Sequence[str] = ()) -> None:
    """Decide what has not gone over (all, or these) by what is known now, and write down what differs."""
    workload = [known for known in ledger.workload(ids) if known.state in DECIDED_ANEW]
    if not workload:
        return
    books = known_books(ledger)
    if books is None:
        keep(ledger, [(known, stand_without_books(known, rules)) for known in workload], now)
        return
    seen = take_snapshot(ledger, rules, books, workload, frozenset(ids))
    actions = plan_all([known.invoice for known in workload], seen.scene, seen.owners)
    decided = [(known, stand(known, action, rules)) for known, action in zip(workload, actions, strict=True)]
    keep(ledger, decided, now)


def keep(ledger: Ledger, decided: Sequence[tuple[TrackedInvoice, PlannedState]], now: datetime) -> None:
    """Write down decisions that differ from what was kept, unless somebody else has moved the invoice meanwhile."""
    moved = [(known, found) for known, found in decided if has_moved(known, found)]
    if moved:
        before = {known.invoice.source_id: known.stand for known, _ in moved}
        ledger.settle_verdicts("", [found for _, found in moved], now, before)


def has_moved(known: TrackedInvoice, found: PlannedState) -> bool:
    """Whether a decision differs from what is kept."""
    return as_kept(*known.stand) != as_kept(found.state, found.problem)
