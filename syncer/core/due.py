"""Which of the payments that CrocoClick took Xero still lacks, and which cannot go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from syncer.core.books import Account, Books
from syncer.core.causes import Problem
from syncer.core.invoice import Invoice, Status
from syncer.core.money import ZERO, fits, text
from syncer.core.payment import BookPayment, NewPayment, Payment, account_for, is_ours, reference
from syncer.core.rules import Rules
from syncer.core.standing import Standing


@dataclass(frozen=True)
class Due:
    """The payments to enter, and why others cannot go; a problem holds only the payments that it is about."""

    payments: tuple[NewPayment, ...] = ()
    problem: Problem | None = None


def takes_payments(invoice: Invoice, standing: Standing, rules: Rules) -> bool:
    """Whether payments of this invoice are to be carried: there are or were some, and its status is a selected one.

    Of an invoice that cannot be read nothing is known.
    """
    some = bool(invoice.amount_paid) or bool(standing.carried) or any(one.counts for one in standing.payments)
    if invoice.flaw:
        return False
    return some and invoice.status in rules.statuses and invoice.status not in (Status.DRAFT, Status.VOID)


def due(invoice: Invoice, standing: Standing, books: Books, rules: Rules) -> Due:
    """Decide the payments of one invoice that stands in Xero."""
    counting = sorted(
        (one for one in standing.payments if one.counts), key=lambda one: (one.paid_on or date.max, one.source_id)
    )
    missing = [one for one in counting if one.source_id not in standing.carried and not one.refunded]
    if problem := _does_not_add_up(invoice, counting, standing):
        return Due(problem=problem)
    refunded = refund(invoice, counting)
    if not missing:
        return Due(problem=refunded)
    account = account_for(invoice.currency, books, rules)
    if isinstance(account, Problem):
        return Due(problem=refunded or Problem(account.code, {**account.facts, "payments": len(missing)}))
    locked = locked_payments(missing, invoice, books)
    if locked:
        missing = [one for one in missing if not books.is_locked(one.paid_on)]
    if problem := _cannot_go(missing, invoice, standing):
        return Due(problem=problem)
    return Due(tuple(_new(one, standing.xero_id, account) for one in missing), refunded or locked)


def _does_not_add_up(invoice: Invoice, counting: Sequence[Payment], standing: Standing) -> Problem | None:
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


def _cannot_go(missing: Sequence[Payment], invoice: Invoice, standing: Standing) -> Problem | None:
    total = sum((one.amount for one in missing), ZERO)
    facts = {"currency": invoice.currency, "payments": len(missing), "amount": text(total)}
    if any(one.amount <= 0 or not fits(one.amount, 2) or one.paid_on is None for one in missing):
        return Problem("payment_mismatch", {**facts, "paid": text(invoice.amount_paid), "found": text(total)})
    if total > standing.xero_amount_due:
        return Problem("payment_exceeds_due", {**facts, "due": text(standing.xero_amount_due)})
    return None


def _new(payment: Payment, xero_id: str, account: Account) -> NewPayment:
    assert payment.paid_on is not None  # noqa: S101 — its absence is a problem found before
    return NewPayment(payment.source_id, xero_id, account.id, payment.paid_on, payment.amount, reference(payment))


@dataclass(frozen=True)
class Recount:
    """Which of CrocoClick's payments Xero has, by transaction id, and which of those somebody else entered there."""

    carried: Mapping[str, str]
    counted: frozenset[str]


def recount(standing: Standing, there: Sequence[BookPayment], count_same: bool) -> Recount:
    """Compare with the payments that Xero lists for the invoice: by our mark, or by what a person counted before.

    With `count_same` a person says that payments somebody else entered are the same: those of an equal amount, the
    nearest date first, then all that are left where both sides come to the same sum.
    """
    left = {one.id: one for one in there if one.stands}
    counting = [one for one in standing.payments if one.counts]
    carried: dict[str, str] = {}
    for one in counting:
        mark = next((id_ for id_, payment in left.items() if is_ours(payment.reference, one.source_id)), "")
        kept = standing.carried.get(one.source_id, "") if one.source_id in standing.counted else ""
        if found := mark or (kept if kept in {payment.id for payment in there if payment.stands} else ""):
            carried[one.source_id] = found
            left.pop(found, None)
    ours = set(carried)
    missing = [one for one in counting if one.source_id not in carried and not one.refunded]
    if count_same:
        carried |= _counted(missing, left)
    return Recount(carried, frozenset((set(carried) - ours) | (standing.counted & ours)))


def _counted(missing: list[Payment], left: dict[str, BookPayment]) -> dict[str, str]:
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
