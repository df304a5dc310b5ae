"""Payments that changed in CrocoClick after they went to Xero, where a payment cannot be edited."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncer.domain.model.invoice import Invoice
from syncer.domain.model.money import text
from syncer.domain.model.payment import AWAY, REMOVED, BookPayment, Payment
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import SyncState


@dataclass(frozen=True, slots=True)
class Changed:
    """One payment as CrocoClick has it now and as Xero got it; `what` differs: amount, date, invoice, removed.

    `invoice`: it left for another one in CrocoClick · `entered_elsewhere`: it came from another one, where Xero has it.
    """

    payment: Payment
    entered: BookPayment
    what: str

    def facts(self) -> dict[str, str]:
        """What differs, with both values where there are two."""
        values = {
            "amount": (text(self.entered.amount), text(self.payment.amount)),
            "date": (_day(self.entered), _day(self.payment)),
            "entered_elsewhere": (text(self.payment.amount), ""),
        }
        before, now = values.get(self.what, (text(self.entered.amount), ""))
        return {"what": self.what, "before": before, **({"now": now} if now else {})}


def changed_payments(standing: SyncState) -> list[Changed]:
    """The payments of this invoice that Xero has otherwise than CrocoClick; none where somebody corrected Xero."""
    found = [
        Changed(one, standing.as_entered(one), what)
        for one in standing.payments
        if one.source_id in standing.carried and (what := _difference(one, standing))
    ]
    return sorted(found, key=lambda one: one.payment.source_id)


def _difference(payment: Payment, standing: SyncState) -> str:
    entered = standing.as_entered(payment)
    if payment.status in AWAY:
        # Once somebody took it off, less is paid than with it.
        stands = standing.xero_amount_paid > standing.carried_sum()
        return "" if not stands else "removed" if payment.status == REMOVED else "invoice"
    if not payment.counts:
        return ""
    corrected = standing.agrees_on_paid and standing.xero_amount_paid != standing.carried_sum()
    if not standing.is_here(payment):
        return "" if corrected else "entered_elsewhere"
    if payment.amount != entered.amount:
        return "" if corrected else "amount"
    return "date" if payment.paid_on and entered.paid_on and payment.paid_on != entered.paid_on else ""


def payment_changed(invoice: Invoice, standing: SyncState) -> Problem | None:
    """What changed, and whether all of it is ours to take off; None where nothing did."""
    found = changed_payments(standing)
    if not found:
        return None
    facts = {
        "currency": invoice.currency,
        "payments": len(found),
        "changes": [one.facts() for one in found],
        "ours": all(one.payment.source_id not in standing.counted for one in found),
    }
    return Problem("payment_changed", facts)


def replaceable(found: Sequence[Changed], standing: SyncState) -> list[Changed]:
    """Those that we entered ourselves: what somebody else entered is never taken off."""
    return [one for one in found if one.payment.source_id not in standing.counted]


def _day(payment: Payment | BookPayment) -> str:
    return payment.paid_on.isoformat() if payment.paid_on else ""
