"""What the ledger knows of an invoice besides its content: what stands in Xero for it, and what people ordered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.money import ZERO, text
from syncer.domain.model.payment import AWAY, BookPayment, Payment
from syncer.domain.model.problems import Problem

GONE = frozenset({"VOIDED", "DELETED"})
UNAPPROVED = frozenset({"DRAFT", "SUBMITTED"})
_SENT = "sent_"  # before the name of an amount as it was sent
_FOUND = "found_"  # before the name of a field in which a document differed when the ledger found it in Xero


@dataclass(frozen=True, slots=True)
class Order:
    """A person's order that still stands: its name, the values given with it, and who gave it.

    `seen` is what the Xero invoice said when it was given: an order to write over it answers that, and nothing later.
    """

    name: str
    said: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    seen: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """The payments on a Xero invoice that are not ours, listed when `of` was paid there beyond ours."""

    of: Decimal
    payments: tuple[BookPayment, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncState:
    """Amounts are in major units of the invoice's currency; `xero_amount_paid` counts credits too, as Xero's locks do.

    `agreed` is what the Xero invoice said when both sides last agreed, `there` what it says now: see `told`. The former
    also holds what was sent, and in what a document differed when it was found: see `sent` and `as_found`.
    """

    xero_id: str = ""
    xero_status: str = ""
    synced_fingerprint: str = ""
    synced_frozen: str = ""
    synced_status: str = ""
    agreed: Mapping[str, str] = field(default_factory=dict)
    there: Mapping[str, str] = field(default_factory=dict)
    is_older: bool = False  # the ledger was put back since: what we sent later is not known
    xero_amount_paid: Decimal = ZERO
    xero_amount_due: Decimal = ZERO
    payments: tuple[Payment, ...] = ()  # what CrocoClick took
    carried: Mapping[str, str] = field(default_factory=dict)  # which of them Xero has, by transaction id
    counted: frozenset[str] = frozenset()  # of those, the ones that somebody else entered in Xero
    entered: Mapping[str, BookPayment] = field(default_factory=dict)  # each as it went, by transaction id
    others: Others | None = None  # what else is paid there, as Xero last listed it
    gone: bool = False  # CrocoClick has deleted the invoice
    order: Order | None = None
    refused_stamp: str = ""
    refusal: Problem | None = None

    def is_ordered(self, *names: str) -> bool:
        """Whether a person's order of one of these names stands, and is about what stands in Xero now."""
        return self.order is not None and self.order.name in names and self.order.seen in (None, self.there)

    @property
    def removed(self) -> bool:
        """Whether somebody voided or deleted the document in Xero."""
        return self.xero_status in GONE and self.synced_status != "void"

    @property
    def unapproved(self) -> bool:
        """Whether it is still a draft in Xero."""
        return self.xero_status in UNAPPROVED

    @property
    def paid_by_us(self) -> bool:
        """Whether all that is paid in Xero are payments that we entered."""
        ours = (self.as_entered(one).amount for one in self._entered() if one.source_id not in self.counted)
        return bool(self.carried) and sum(ours, ZERO) == self.xero_amount_paid

    @property
    def lacks_payments(self) -> bool:
        """Whether less is paid in Xero than the payments that should be there come to."""
        return self.xero_amount_paid < self.carried_sum() and not self.agrees_on_paid

    @property
    def bounced(self) -> tuple[Payment, ...]:
        """Payments that stand in Xero and count no more in CrocoClick; once somebody took them off, none."""
        found = tuple(one for one in self._entered() if not one.counts and one.status not in AWAY)
        return found if self.xero_amount_paid > self.carried_sum() else ()

    @property
    def agrees_on_paid(self) -> bool:
        """Whether as much is paid in Xero as those payments that it has come to in CrocoClick now."""
        wanted = (one.amount for one in self.payments if one.counts and one.source_id in self.carried)
        return sum(wanted, ZERO) == self.xero_amount_paid

    @property
    def unexplained(self) -> Decimal:
        """How much is paid in Xero beyond the payments that we know of there: money that somebody else entered."""
        ours = sum((self.as_entered(one).amount for one in self._entered()), ZERO)
        return ZERO if self.agrees_on_paid else max(ZERO, self.xero_amount_paid - ours)

    @property
    def is_listed(self) -> bool:
        """Whether it is known from which payments in Xero all that is paid there comes."""
        return not self.unexplained or (self.others is not None and self.others.of == self.unexplained)

    def carried_sum(self) -> Decimal:
        """What the payments that should be in Xero, and once were, came to when they went."""
        return sum((self.as_entered(one).amount for one in self._entered() if one.counts), ZERO)

    def as_entered(self, payment: Payment) -> BookPayment:
        """A payment of `carried` as Xero got it; where that was not kept, as it is now."""
        id_ = self.carried[payment.source_id]
        now = BookPayment(id_, self.xero_id, payment.amount, "", "AUTHORISED", payment.paid_on)
        return self.entered.get(payment.source_id, now)

    def is_here(self, payment: Payment) -> bool:
        """Whether Xero has it on this very invoice."""
        return payment.source_id in self.carried and self.as_entered(payment).invoice_id in ("", self.xero_id)

    def _entered(self) -> list[Payment]:
        return [one for one in self.payments if self.is_here(one)]


def told(head: BookInvoice) -> dict[str, str]:
    """What a Xero invoice says that matters to both books; its accounts and wording are the accountant's own affair."""
    return {
        "number": head.number,
        "contact": head.contact_id,
        "issue_date": head.issue_date.isoformat() if head.issue_date else "",
        "due_date": head.due_date.isoformat() if head.due_date else "",
        "currency": head.currency,
        "total": text(head.total),
        "tax": text(head.total_tax),
    }


def said(invoice: Invoice) -> dict[str, str]:
    """What CrocoClick says of the same, as far as it does; who its customer is in Xero is not for it to say."""
    dates = {"issue_date": invoice.issue_date, "due_date": invoice.due_date}
    return {
        "number": invoice.number,
        **{name: day.isoformat() for name, day in dates.items() if day},
        "currency": invoice.currency,
        "total": text(invoice.total),
        **({} if invoice.tax is None else {"tax": text(invoice.tax)}),
    }


def sent(total: str, tax: str = "") -> dict[str, str]:
    """What was sent, beside what Xero made of it."""
    return {f"{_SENT}total": total, **({f"{_SENT}tax": tax} if tax else {})}


def as_found(apart: Mapping[str, str]) -> dict[str, str]:
    """What Xero said, when its document was found, of the fields in which CrocoClick says something else."""
    return {f"{_FOUND}{name}": value for name, value in apart.items()}


def mismatch(agreed: Mapping[str, str], there: Mapping[str, str]) -> Problem | None:
    """Xero came to another total or tax than was sent."""
    total, tax = agreed.get(f"{_SENT}total", there["total"]), agreed.get(f"{_SENT}tax", there["tax"])
    if (total, tax) == (there["total"], there["tax"]):
        return None
    facts = {
        "number": there["number"],
        "currency": there["currency"],
        "stated": total,
        "stated_tax": tax,
        "in_xero": there["total"],
        "in_xero_tax": there["tax"],
    }
    return Problem("total_mismatch", facts, "total")


def changes(
    standing: SyncState, merged: Mapping[str, str], names: Mapping[str, str], wanted: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What somebody changed in Xero since both sides agreed: field, before, now.

    Where the ledger cannot know on which side it changed, `by` is `unknown`, and `before` what CrocoClick says.
    What is as it is `wanted` (what CrocoClick says, by field) is no such change: a ledger that was put back remembers
    an agreement that is older than what we sent last. `merged` leads from a merged contact to the one that is left,
    `names` from a ContactID to its name.
    """
    found = []
    for name, before in standing.agreed.items():
        now = standing.there.get(name, before)
        if name == "contact":
            before, now = merged.get(before, before), merged.get(now, now)
        if (
            before != now != wanted.get(name)
            and not name.startswith(_SENT)
            and now != standing.agreed.get(_SENT + name)
        ):
            unknown = standing.is_older or now == standing.agreed.get(_FOUND + name)
            before = wanted.get(name, before) if unknown else before
            shown = {"before": names.get(before, before), "now": names.get(now, now)}
            found.append({"field": name, **shown, **({"by": "unknown"} if unknown else {})})
    if standing.lacks_payments:
        before, now = text(standing.carried_sum()), text(standing.xero_amount_paid)
        found.append({"field": "paid", "before": before, "now": now})
    return found
