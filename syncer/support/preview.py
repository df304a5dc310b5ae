"""What a sync would do: every decision, what follows from it in the same run, and what it would cost.

Nothing here makes a call or writes: `Connection.foresee` reads what the run would read.
"""

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from syncer.domain.mapping.invoice_to_document import lacks_currency
from syncer.domain.matching.invoice_contacts import Create, Join
from syncer.domain.model.books import NEW, Books
from syncer.domain.model.money import show
from syncer.domain.model.obstacle import Obstacle, Stand, behind
from syncer.domain.model.problems import NOT_ELIGIBLE, Problem
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Action, Do, hold
from syncer.domain.planning.forecast import steps
from syncer.domain.planning.payments import takes_payments
from syncer.domain.planning.plan import plan
from syncer.storage.ledger import records
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import TrackedInvoice
from syncer.sync import invoice_state
from syncer.sync.context import Foreseen
from syncer.sync.documents import OVER
from syncer.sync.outbox import BATCH_ELEMENTS
from syncer.sync.payments import PAYMENTS_SCOPE
from syncer.sync.snapshot import Snapshot, take_snapshot

NOTHING = Foreseen()


@dataclass(frozen=True)
class Preview:
    """What a sync would do: each invoice's first decision, the steps that follow from it, and the calls it takes."""

    actions: Sequence[Action] = ()
    steps: Sequence[Sequence[Action]] = ()  # of each action, itself first
    synced: int = 0
    synced_money: Mapping[str, Decimal] = field(default_factory=dict)
    new_contacts: int = 0
    new_settings: int = 0  # tax rates and currencies
    taken_numbers: int = 0  # that Xero refused before and that are looked for again
    foreseen: Foreseen = NOTHING
    books: Books | None = None

    @property
    def xero_calls(self) -> int:
        """Writes and looks in batches of 50, what goes one by one, and what is read anew before."""
        first = sum(map(_batches, (self.new_contacts, self.taken_numbers, self._how_many(OVER)))) + self.new_settings
        alone = sum(len(action.unpay) for action in self._all()) + self._how_many((Do.RECOUNT,))
        recent = [steps for steps in self.steps if not self._is_old(steps[0])]
        old = [steps for steps in self.steps if self._is_old(steps[0])]
        return self.foreseen.reads + first + alone + _written(recent) + _written(old)

    def _all(self) -> Iterable[Action]:
        return (action for those in self.steps for action in those)

    def _how_many(self, does: Sequence[Do]) -> int:
        return sum(1 for those in self.steps if those[0].do in does)

    def _is_old(self, action: Action) -> bool:
        since, issued = self.foreseen.recent_since, action.invoice.issue_date
        return action.do is Do.CREATE and since is not None and issued is not None and issued < since


def _batches(number: int) -> int:
    return -(-number // BATCH_ELEMENTS)


def _written(steps: Sequence[Sequence[Action]]) -> int:
    """Calls that write documents, by what is done, and then their payments."""
    actions = [action for those in steps for action in those]
    documents = [sum(1 for action in actions if action.do is do) for do in _WRITES]
    return sum(map(_batches, [*documents, sum(len(action.payments) for action in actions)]))


def preview(
    ledger: Ledger, rules: Rules, books: Books, only: frozenset[str] = frozenset(), foreseen: Foreseen = NOTHING
) -> Preview:
    """Plan everything that is not synced, and touch neither book."""
    workload = ledger.workload(sorted(only))
    seen = take_snapshot(ledger, rules, books, workload, only)
    known = {one.invoice.source_id: one for one in workload}
    actions = [
        invoice_state.as_read(one, plan(one.invoice, seen.scene, seen.owners.get(one.invoice.number)))
        for one in workload
    ]
    untold = _payments_of_new(ledger, actions)
    told = [_steps(action, known[action.invoice.source_id], seen, untold, foreseen) for action in actions]
    doubtful = _doubtful(ledger, only)
    money: dict[str, Decimal] = defaultdict(Decimal)
    synced = _synced(ledger, only)
    for row in synced:
        money[row["currency"]] += row["money"]
    return Preview(
        actions=[*actions, *doubtful],
        steps=[*told, *([action] for action in doubtful)],
        synced=sum(row["invoices"] for row in synced),
        synced_money=money,
        new_contacts=_new_contacts(actions, seen),
        new_settings=_new_settings(actions, books),
        taken_numbers=sum(1 for one in workload if one.cause == "number_taken" and one.standing.refused_stamp),
        foreseen=foreseen,
        books=books,
    )


def without_books(ledger: Ledger, rules: Rules, only: frozenset[str] = frozenset()) -> Preview:
    """The same where the organisation was never read: only what the settings leave out is decided."""
    actions = [invoice_state.action_without_books(one, rules) for one in ledger.workload(sorted(only))]
    return Preview(actions=actions, steps=[[action] for action in actions])


def stopped(found: Preview, obstacle: Obstacle) -> Preview:
    """What is left of it where something stands in the way of everything."""
    steps = [_stopped(those, obstacle) for those in found.steps]
    actions = [those[0] for those in steps]
    if obstacle.issued_before:
        return replace(found, actions=actions, steps=steps)
    return replace(
        found, actions=actions, steps=steps, new_contacts=0, new_settings=0, taken_numbers=0, foreseen=NOTHING
    )


def _stopped(those: Sequence[Action], obstacle: Obstacle) -> Sequence[Action]:
    first = those[0]
    stand = Stand("waiting") if first.do not in (Do.HOLD, Do.LEAVE) else invoice_state.of(first)
    shown = behind(stand, obstacle, first.invoice.issue_date)
    if shown is stand or shown.problem is None:
        return those
    return [hold(first.invoice, SyncState(xero_id=first.xero_id), shown.problem, *first.problems)]


def _steps(
    action: Action, known: TrackedInvoice, seen: Snapshot, untold: Mapping[str, Sequence[Any]], foreseen: Foreseen
) -> list[Action]:
    """An invoice's first decision with what the same run decides after it."""
    standing, id_ = known.standing, action.invoice.source_id
    shared = cast(MutableMapping[str, SyncState], seen.scene.standings)  # only read
    if action.do is Do.CREATE:
        standing = replace(standing, payments=tuple(map(records.payment, untold.get(id_, ()))))
    owner = seen.owners.get(action.invoice.number)

    def decide(then: SyncState) -> Action:
        return plan(action.invoice, replace(seen.scene, standings=ChainMap({id_: then}, shared)), owner)

    told = list(steps(action, standing, decide, foreseen.payments.get(action.xero_id)))
    if foreseen.sees_payments is False and _is_payable(told, standing, seen.scene.rules):
        told.append(hold(action.invoice, standing, Problem("crococlick_scope_missing", {"scope": PAYMENTS_SCOPE})))
    return told


def _is_payable(told: Sequence[Action], standing: SyncState, rules: Rules) -> bool:
    """Whether it stands in Xero when the run comes to its payments, and has some."""
    stands = standing.xero_id or told[0].do in (Do.CREATE, Do.BIND)
    return bool(stands) and takes_payments(told[0].invoice, standing, rules)


def _payments_of_new(ledger: Ledger, actions: Sequence[Action]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The transactions of invoices that are to be created and are paid already, by invoice."""
    ids = [action.invoice.source_id for action in actions if action.do is Do.CREATE and action.invoice.amount_paid]
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in ledger.rows("payments", ids=ids, xero_ids=[]) if ids else ():
        found[row["invoice_id"]].append(row)
    return found


def _doubtful(ledger: Ledger, only: frozenset[str]) -> list[Action]:
    """Invoices of which a write has no answer yet: nothing is sent for them before that is known."""
    attempts = [attempt.intent for attempt in ledger.open_attempts()]
    ids = {intent.expected.get("owner") or intent.source_id for intent in attempts if intent.kind in _OF_INVOICES}
    known = ledger.invoices(sorted(ids & only if only else ids)) if ids else []
    return [Action(one.invoice, Do.LEAVE, (Problem("answer_lost", {"number": one.invoice.number}),)) for one in known]


_OF_INVOICES = ("invoice", "payment", "unpay")


def _synced(ledger: Ledger, only: frozenset[str]) -> list[Mapping[str, Any]]:
    """How many invoices are synced and stay as they are, with their money, by currency; of these alone, or all."""
    if not only:
        return [row for row in ledger.rows("counts") if row["state"] == "synced"]
    rows = [row for row in ledger.rows("invoices_by_id", ids=sorted(only)) if row["state"] == "synced"]
    return [{"currency": row["currency"], "invoices": 1, "money": row["total"]} for row in rows]


def _new_contacts(actions: Sequence[Action], seen: Snapshot) -> int:
    decisions = seen.scene.contacts
    needed = {action.invoice.customer.id for action in actions if action.document}
    needed |= {d.source_id for key in needed if isinstance(d := decisions.get(key), Join)}
    return sum(1 for key in needed if isinstance(decisions.get(key), Create))


def _new_settings(actions: Sequence[Action], books: Books) -> int:
    """Tax rates and currencies that would be created, one call each."""
    documents = [action.document for action in actions if action.document]
    rates = {line.tax_type for one in documents for line in one.lines if line.tax_type.startswith(NEW)}
    return len(rates) + len({one.currency for one in documents if lacks_currency(one.currency, books)})


# -- as it is told ----------------------------------------------------------------------------------------------------


def planned(found: Preview, per_minute: int, day_left: int | None) -> dict[str, Any]:
    """A preview as `plan --json` gives it."""
    by_action: dict[str, int] = defaultdict(int)
    by_currency: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    by_tax: dict[str, Decimal] = defaultdict(Decimal)
    for those in found.steps:
        invoice = those[0].invoice
        by_action[word(those)] += 1
        by_currency[invoice.currency][word(those)] += invoice.total
        for name, amount in _by_tax(those):
            by_tax[name] += amount
    by_action["leave"] += found.synced
    for currency, amount in found.synced_money.items():
        by_currency[currency]["leave"] += amount
    return {
        "actions": [_action(those) for those in found.steps],
        "totals": {
            "by_action": {name: by_action[name] for name in ("create", "update", "void", "pay", "leave", "hold")},
            "by_currency": {
                currency: {name: show(amount, currency) for name, amount in sums.items()}
                for currency, sums in sorted(by_currency.items())
            },
            "by_tax": {name: f"{amount:.2f}" for name, amount in sorted(by_tax.items())},
        },
        "price": _price(found.xero_calls, per_minute, day_left),
    }


def _action(steps: Sequence[Action]) -> dict[str, Any]:
    invoice, why = steps[0].invoice, problem(steps)
    return {
        "invoice_id": invoice.source_id,
        "number": invoice.number,
        "action": word(steps),
        "cause": why.code if why else None,
        "currency": invoice.currency,
        "total": show(invoice.total, invoice.currency),
    }


def _price(calls: int, per_minute: int, day_left: int | None) -> dict[str, Any]:
    return {
        "xero_calls": calls,
        "minutes": max(1, -(-calls // per_minute)) if calls else 0,
        "share_of_day": round(calls / day_left, 3) if day_left else None,
    }


@dataclass
class Effect:
    """What other rules would do to a plan: invoices and their money by currency."""

    invoices: int = 0
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    numbers: list[str] = field(default_factory=list)

    def add(self, action: Action) -> None:
        """Count one more invoice."""
        self.invoices += 1
        self.money[action.invoice.currency] += action.invoice.total
        self.numbers.append(action.invoice.number)


def effects(before: Preview, after: Preview) -> dict[str, Effect]:
    """Two plans compared: what would go, be held, be left out or be sent otherwise that was not so before."""
    found: dict[str, Effect] = {name: Effect() for name in ("goes", "held", "left", "otherwise")}
    was = {action.invoice.source_id: action for action in before.actions}
    for action in after.actions:
        if name := _moved(was[action.invoice.source_id], action):
            found[name].add(action)
    return found


def effects_told(found: Mapping[str, Effect]) -> dict[str, Any]:
    """A comparison as `plan --with --json` gives it."""
    return {
        name: {
            "invoices": one.invoices,
            "money": {currency: show(amount, currency) for currency, amount in sorted(one.money.items())},
            "numbers": one.numbers,
        }
        for name, one in found.items()
    }


def _moved(before: Action, now: Action) -> str:
    if before.do is now.do:
        return "otherwise" if before.document != now.document else ""
    if now.do is Do.HOLD:
        return "held"
    return "left" if now.do is Do.LEAVE else "goes"


_WRITES = (Do.CREATE, Do.UPDATE, Do.AMEND, Do.VOID, Do.DELETE)
# What is done, in the words of contract.md.
_WORDS: Mapping[Do, str] = {
    Do.CREATE: "create",
    Do.UPDATE: "update",
    Do.AMEND: "update",
    Do.VOID: "void",
    Do.DELETE: "void",
}


def word(steps: Sequence[Action]) -> str:
    """What a run would do about an invoice: what it writes of the document, else its payments, else how it ends."""
    does = [action.do for action in steps]
    if written := [_WORDS[do] for do in does if do in _WORDS]:
        return written[0]
    if Do.PAY in does or Do.UNPAY in does:
        return "pay"
    return "hold" if does[-1] is Do.HOLD else "leave"


def problem(steps: Sequence[Action]) -> Problem | None:
    """What is left in the way when the run has done all that it can."""
    return steps[-1].problems[0] if steps[-1].problems else None


def is_held(steps: Sequence[Action]) -> bool:
    """Whether the invoice, or a payment of it, waits for a person when the run is over."""
    why, last = problem(steps), steps[-1]
    return why is not None and why.code not in NOT_ELIGIBLE and last.do in (Do.HOLD, Do.PAY)


def _by_tax(steps: Sequence[Action]) -> Iterable[tuple[str, Decimal]]:
    """The line amounts that would go over, by TaxType."""
    document = next((action.document for action in steps if action.document), None)
    for line in document.lines if document else ():
        yield line.tax_type, line.quantity * line.unit_amount - line.discount
