"""Which of the payments that CrocoClick took Xero still lacks, and which cannot go."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date

from syncer.domain.model.books import Account, BookInvoice, Books
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.money import ZERO, fits, text
from syncer.domain.model.payment import (
    MOVED,
    REMOVED,
    BookPayment,
    NewPayment,
    Payment,
    account_for,
    is_ours,
    mark_in,
    reference,
)
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import Others, SyncState
from syncer.domain.planning.changed_payments import payment_changed


@dataclass(frozen=True)
class Due:
    """The payments to enter, and why others cannot go; a problem holds only the payments that it is about."""

    payments: tuple[NewPayment, ...] = ()
    problem: Problem | None = None


_OF_TRANSACTIONS = frozenset("payment_mismatch payment_changed payment_exceeds_due refund_needs_person".split())


def is_of_payments(problem: Problem | None) -> bool:
    """Whether it is about payments of an invoice: it can be known only once its transactions are read."""
    return problem is not None and (problem.code in _OF_TRANSACTIONS or "payments" in problem.facts)


def takes_payments(invoice: Invoice, standing: SyncState, rules: Rules) -> bool:
    """Whether payments of this invoice are to be carried: there are or were some, and its status is a selected one.

    Of an invoice that cannot be read nothing is known.
    """
    some = bool(invoice.amount_paid) or bool(standing.carried) or any(one.counts for one in standing.payments)
    if invoice.flaw:
        return False
    return some and invoice.status in rules.statuses and invoice.status not in (Status.DRAFT, Status.VOID)


def may_be_paid(invoice: Invoice, standing: SyncState, rules: Rules) -> bool:
    """Whether a payment may go to its document in Xero, as far as is known before every transaction is."""
    short = invoice.amount_paid > standing.carried_sum() or bool(missing_payments(standing))
    return bool(standing.xero_id) and short and takes_payments(invoice, standing, rules)


def due(invoice: Invoice, standing: SyncState, books: Books, rules: Rules) -> Due:
    """Decide the payments of one invoice that stands in Xero."""
    counting = sorted(
        (one for one in standing.payments if one.counts), key=lambda one: (one.paid_on or date.max, one.source_id)
    )
    if problem := _does_not_add_up(invoice, counting, standing):
        return Due(problem=problem)
    changed = payment_changed(invoice, standing)
    stays = changed or refund(invoice, counting)
    missing = missing_payments(standing)
    if not missing or (changed and _would_be_too_much(missing, invoice, standing)):
        return Due(problem=stays)
    if standing.unapproved:
        return Due(problem=stays or _awaiting_approval(missing, invoice, standing))
    account = account_for(invoice.currency, books, rules)
    if isinstance(account, Problem):
        return Due(problem=stays or Problem(account.code, {**account.facts, "payments": len(missing)}))
    locked = locked_payments(missing, invoice, books)
    if locked:
        missing = [one for one in missing if not books.is_locked(one.paid_on)]
    if problem := _cannot_go(missing, invoice, standing):
        return Due(problem=problem)
    same = likely_same(missing, standing)
    going = [one for one in missing if one not in same]
    return Due(
        tuple(_new(one, standing.xero_id, account) for one in going),
        stays or _may_be_there(same, invoice, standing) or locked,
    )


def missing_payments(standing: SyncState) -> list[Payment]:
    """What CrocoClick took and Xero has not got as far as we know, oldest first."""
    missing = [
        one for one in standing.payments if one.counts and one.source_id not in standing.carried and not one.refunded
    ]
    return sorted(missing, key=lambda one: (one.paid_on or date.max, one.source_id))


def _awaiting_approval(missing: Sequence[Payment], invoice: Invoice, standing: SyncState) -> Problem:
    """Xero takes payments of approved invoices alone (Xero's Payments page)."""
    amount = text(sum((one.amount for one in missing), ZERO))
    facts = {"currency": invoice.currency, "payments": len(missing), "amount": amount}
    return Problem("awaiting_approval", {**facts, "xero_status": standing.xero_status})


def _would_be_too_much(missing: Sequence[Payment], invoice: Invoice, standing: SyncState) -> bool:
    """Whether more would be paid in Xero than in CrocoClick: what left there, or became less, still stands in Xero."""
    return standing.xero_amount_paid + sum((one.amount for one in missing), ZERO) > invoice.amount_paid


def likely_same(missing: Sequence[Payment], standing: SyncState) -> list[Payment]:
    """Those that somebody else may have entered in Xero already: of an equal amount, or all by an equal sum."""
    if not standing.unexplained:
        return []
    # Before Xero has listed its payments, all that is paid there beyond ours is taken for one.
    unlisted = (BookPayment("", standing.xero_id, standing.unexplained, "", "AUTHORISED"),)
    there = standing.others.payments if standing.others and standing.is_listed else unlisted
    same = _counted(missing, {one.id: one for one in there})
    return [one for one in missing if one.source_id in same]


def _may_be_there(same: Sequence[Payment], invoice: Invoice, standing: SyncState) -> Problem | None:
    if not same:
        return None
    facts = {
        "currency": invoice.currency,
        "payments": len(same),
        "amount": text(sum((one.amount for one in same), ZERO)),
        "unexplained": text(standing.unexplained),
        "same": True,
    }
    return Problem("payment_mismatch", facts)


def _does_not_add_up(invoice: Invoice, counting: Sequence[Payment], standing: SyncState) -> Problem | None:
    """The transactions have to come to what the invoice says is paid; whether a refund lowers that is not known."""
    paid = sum((one.amount for one in counting), ZERO)
    kept = paid - sum((one.refunded for one in counting), ZERO)
    known = {one.source_id for one in standing.payments}
    foreign = sorted({one.currency for one in counting} - {invoice.currency})
    bounced = sum((one.amount for one in standing.bounced), ZERO)
    adds_up = invoice.amount_paid in (paid, kept) and not foreign and all(key in known for key in standing.carried)
    if adds_up and not bounced:
        return None
    facts = {"currency": invoice.currency, "paid": text(invoice.amount_paid), "found": text(paid)}
    if bounced:
        ours = any(one.source_id not in standing.counted for one in standing.bounced)
        return Problem("payment_mismatch", {**facts, "bounced": text(bounced), "ours": ours})
    if invoice.extras:
        facts["extras"] = text(invoice.extras)
    if foreign:
        facts["other_currency"] = ", ".join(foreign)
    return Problem("payment_mismatch", facts)


def refund(invoice: Invoice, counting: Sequence[Payment]) -> Problem | None:
    """What of these payments went back since, which nothing here can book."""
    refunded = sum((one.refunded for one in counting), ZERO)
    facts = {"currency": invoice.currency, "refunded": text(refunded)}
    return Problem("refund_needs_person", facts) if refunded else None


def locked_payments(payments: Sequence[Payment], invoice: Invoice, books: Books) -> Problem | None:
    """Those of the payments that are dated in a locked period, where Xero takes nothing and gives nothing back."""
    lock, locked = books.lock_date(), [one for one in payments if books.is_locked(one.paid_on)]
    if not lock or not locked or not locked[0].paid_on:
        return None
    facts = {
        "currency": invoice.currency,
        "payments": len(locked),
        "amount": text(sum((one.amount for one in locked), ZERO)),
        "paid_on": locked[0].paid_on.isoformat(),
        "lock_date": lock.isoformat(),
    }
    return Problem("period_locked", facts)


def _cannot_go(missing: Sequence[Payment], invoice: Invoice, standing: SyncState) -> Problem | None:
    total = sum((one.amount for one in missing), ZERO)
    facts = {"currency": invoice.currency, "payments": len(missing), "amount": text(total)}
    if any(one.amount <= 0 or not fits(one.amount, 2) or one.paid_on is None for one in missing):
        return Problem("payment_mismatch", {**facts, "paid": text(invoice.amount_paid), "found": text(total)})
    if total > standing.xero_amount_due:
        there = {"unexplained": text(standing.unexplained)} if standing.unexplained else {}
        same = {"same": True} if likely_same(missing, standing) else {}
        return Problem("payment_exceeds_due", {**facts, "due": text(standing.xero_amount_due), **there, **same})
    return None


def _new(payment: Payment, xero_id: str, account: Account) -> NewPayment:
    assert payment.paid_on is not None  # noqa: S101 — its absence is a problem found before
    return NewPayment(payment.source_id, xero_id, account.id, payment.paid_on, payment.amount, reference(payment))


@dataclass(frozen=True)
class Recount:
    """Which of CrocoClick's payments Xero has, by transaction id, and which of those somebody else entered there.

    `entered`: each as both sides have it from now on; of what a person counts as the same, that is CrocoClick's word.
    """

    carried: Mapping[str, str]
    counted: frozenset[str]
    entered: Mapping[str, BookPayment] = field(default_factory=dict)


def recount(standing: SyncState, there: Sequence[BookPayment], count_same: bool) -> Recount:
    """Compare with the payments that Xero lists for the invoice: by our mark, or by what a person counted before.

    With `count_same` a person says that payments somebody else entered are the same: those of an equal amount, the
    nearest date first, then all that are left where both sides come to the same sum.
    """
    left = {one.id: one for one in there if one.stands}
    counting = [one for one in standing.payments if one.counts]
    carried: dict[str, str] = {}
    for one in (one for one in standing.payments if one.counts or one.source_id in standing.carried):
        mark = next((id_ for id_, payment in left.items() if is_ours(payment.reference, one.source_id)), "")
        kept = standing.carried.get(one.source_id, "") if one.source_id in standing.counted else ""
        if found := mark or (kept if kept in {payment.id for payment in there if payment.stands} else ""):
            carried[one.source_id] = found
            left.pop(found, None)
    ours = set(carried)
    missing = [one for one in counting if one.source_id not in carried and not one.refunded]
    if count_same:
        carried |= _counted(missing, left)
    counted = frozenset((set(carried) - ours) | (standing.counted & ours))
    by_id = {one.id: one for one in there}
    entered = {
        one.source_id: replace(by_id[carried[one.source_id]], amount=one.amount, paid_on=one.paid_on)
        if one.source_id in counted
        else by_id[carried[one.source_id]]
        for one in standing.payments
        if one.source_id in carried
    }
    return Recount(carried, counted, entered)


@dataclass(frozen=True)
class Listing:
    """What Xero's own list of an invoice's payments says: ours that the ledger did not know of, and everybody else's.

    The list is the truth where a ledger was put back or made anew: our mark tells which are ours. `moved` are those of
    `found` that CrocoClick has on another invoice by now; `removed` are those that it shows nowhere, as payments.
    """

    found: Mapping[str, BookPayment]
    others: Others
    moved: Mapping[str, Payment] = field(default_factory=dict)
    removed: tuple[Payment, ...] = ()


def listing(
    standing: SyncState,
    head: BookInvoice,
    there: Sequence[BookPayment],
    elsewhere: Mapping[str, Payment] | None = None,
    entered_elsewhere: Set[str] = frozenset(),
) -> Listing:
    """Compare with Xero's list, without forgetting what is not in it: who took a payment off is a person's question.

    `elsewhere` are transactions that CrocoClick has on other invoices, by id; `entered_elsewhere` names those of them
    that are known to be in Xero already.
    """
    left = {one.id: one for one in there if one.stands}
    found: dict[str, BookPayment] = {}
    for payment in standing.payments:
        known = left.pop(standing.carried.get(payment.source_id, ""), None)
        mark = next((one for one in left.values() if is_ours(one.reference, payment.source_id)), None)
        if known is None and mark is not None:
            found[payment.source_id] = left.pop(mark.id)
    mine = {payment.source_id for payment in standing.payments}
    known_of = mine | entered_elsewhere
    strays = {key: one for one in left.values() if (key := mark_in(one.reference)) and key not in known_of}
    moved = {key: payment for key, payment in (elsewhere or {}).items() if key in strays}
    removed = tuple(_removed(key, one, head) for key, one in strays.items() if key not in moved)
    found |= strays
    now = replace(
        standing,
        xero_amount_paid=head.amount_paid,
        payments=(*standing.payments, *(replace(one, status=MOVED) for one in moved.values()), *removed),
        carried={**standing.carried, **{key: one.id for key, one in found.items()}},
        entered={**standing.entered, **found},
    )
    ours = {one.id for one in found.values()}
    others = tuple(one for one in left.values() if one.id not in ours)
    return Listing(found, Others(now.unexplained, others), moved, removed)


def _removed(mark: str, entered: BookPayment, head: BookInvoice) -> Payment:
    """A transaction that only our mark in Xero still tells of."""
    return Payment(mark, "", entered.amount, head.currency, entered.paid_on, REMOVED)


def _counted(missing: Sequence[Payment], left: dict[str, BookPayment]) -> dict[str, str]:
    """Whose money is there already; takes out of `left` what it counts."""
    found: dict[str, str] = {}
    for one in missing:
        equal = [payment for payment in left.values() if payment.amount == one.amount]
        if equal:
            nearest = min(equal, key=lambda payment: (_apart(payment, one), payment.id))
            found[one.source_id] = left.pop(nearest.id).id
    rest = [one for one in missing if one.source_id not in found]
    wanted, there = sum((one.amount for one in rest), ZERO), sum((one.amount for one in left.values()), ZERO)
    if rest and left and wanted == there:
        found |= {one.source_id: min(left) for one in rest}
    return found


def _apart(payment: BookPayment, one: Payment) -> int:
    """Days between the two."""
    return abs((payment.paid_on - one.paid_on).days) if payment.paid_on and one.paid_on else 10_000
