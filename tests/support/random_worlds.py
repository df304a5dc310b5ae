"""Random worlds for the planner: invoices, what stands in Xero for each, orders, settings and books.

Each world is ordinary but for a few oddities, so that something is done in it. Only what Xero itself rules out is
ruled out: a draft has no payments, and no amount due is negative.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from syncer.domain.matching.invoice_contacts import Create, Join, Linked, NewContact
from syncer.domain.model.books import APPROVE, MULTICURRENCY
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status
from syncer.domain.model.payment import Payment
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import UNAPPROVED, Order, SyncState, told
from syncer.domain.planning.actions import PlanInputs
from tests.support.domain_samples import BOOKS, GST, INVOICE, head, rules

ZERO, WHOLE = Decimal(0), Decimal(240)
REFUSAL = Problem("rejected_by_xero", {"message": "No."})

# What may be odd in a world: what it is usually, and what it may be besides.
ODDITIES = {
    "number": ("F-{}", "F-1", "x2", ""),
    "status": (None, *Status),
    "live": (True, False),
    "customer": ("c1", "c2", ""),
    "currency": ("EUR", "GBP"),
    "issued": (date(2026, 9, 1), date(2026, 9, 2), date(2026, 8, 31)),
    "due": (date(2026, 10, 1), None),
    "lines": (
        INVOICE.lines,
        (LineItem("Conseil", Decimal(1), WHOLE),),
        (LineItem("Conseil", Decimal(1), Decimal("228.57"), (GST,)),),
        (),
    ),
    "total": (WHOLE, Decimal("239.99"), Decimal(-240)),
    "amount_paid": (None, Decimal(7)),
    "payment_currency": ("EUR", "GBP"),
    "paid_on": (date(2026, 9, 3), date(2026, 9, 1), None),
    "payment_status": ("succeeded", "failed"),
    "refunded": (ZERO, Decimal(40)),
    "gone": (False, True),
    "there": ({}, *({name: "x2"} for name in ("number", "contact", "issue_date", "due_date", "total"))),
    "counted": (False, True),
    "xero_status": ("AUTHORISED", "PAID", "DRAFT", "SUBMITTED", "VOIDED", "DELETED"),
    "synced_status": ("sent", "draft", "void"),
    "xero_paid": (None, ZERO, Decimal(5), Decimal(100)),
    "xero_due": (None, ZERO, Decimal(100)),
    "stranger": (False, True),
    "decision": (
        Linked("x1", "binding"),
        Create(NewContact("c1", "Anne")),
        Join("c1"),
        Problem("contact_ambiguous"),
    ),
    "statuses": (frozenset(Status), frozenset({Status.SENT}), frozenset({Status.DRAFT, Status.PAID})),
    "start": (None, date(2026, 9, 2)),
    "bank": ({"": "acc-bank"}, {}),
    "revenue": ("706", ""),
    "lock": (None, date(2026, 9, 1), date(2026, 8, 31)),
    "actions": ({}, {APPROVE: False}, {MULTICURRENCY: False}),
}
ORDERS = ("", "", "overwrite", "reapply_payments", "adopt", "same_payment", "skip")


@dataclass(frozen=True)
class World:
    """The invoices, and the scene that they are decided in."""

    invoices: tuple[Invoice, ...]
    scene: PlanInputs

    def standing(self, one: Invoice) -> SyncState:
        """What the ledger knows of it."""
        return self.scene.standings[one.source_id]


@dataclass(frozen=True)
class Making:
    """A world in the making."""

    draw: object
    odd: frozenset[str]
    orders: tuple[str, ...]

    def pick(self, name):
        """The usual thing, or what is odd in this world."""
        usual, *others = ODDITIES[name]
        return self.draw(st.sampled_from([usual, *others])) if name in self.odd else usual

    def payments(self, place):
        """What CrocoClick took for an invoice."""
        amounts = self.draw(st.sampled_from([(), ("240",), ("100", "140"), ("100", "40"), ("200", "100"), ("0",)]))
        return tuple(
            Payment(
                f"t{place}-{n}",
                f"i{place}",
                Decimal(amount),
                self.pick("payment_currency"),
                self.pick("paid_on"),
                self.pick("payment_status"),
                self.pick("refunded"),
            )
            for n, amount in enumerate(amounts)
        )

    def invoice(self, place, took):
        """An invoice whose payments usually add up."""
        came_in = sum((payment.amount for payment in took if payment.counts), ZERO)
        paid = self.pick("amount_paid")
        return replace(
            INVOICE,
            source_id=f"i{place}",
            number=self.pick("number").format(place),
            status=self.pick("status") or (Status.PAID if came_in else Status.SENT),
            live=self.pick("live"),
            customer=Customer(self.pick("customer"), "Anne"),
            currency=self.pick("currency"),
            issue_date=self.pick("issued"),
            due_date=self.pick("due"),
            lines=self.pick("lines"),
            total=self.pick("total"),
            amount_paid=came_in if paid is None else paid,
        )

    def standing(self, one, place, took):
        """Nothing, or whatever may stand in Xero for the invoice."""
        order = self.draw(st.sampled_from(self.orders))
        said = {"order": Order(order) if order else None, "gone": self.pick("gone")}
        if self.draw(st.sampled_from([False, False, True])):
            return SyncState(**said)
        agreed = told(head(one.number, issue_date=one.issue_date))
        carried = {p.source_id: f"p-{p.source_id}" for p in took if self.draw(st.booleans())}
        sum_there = sum((p.amount for p in took if p.source_id in carried), ZERO)
        status, paid, due = self.pick("xero_status"), self.pick("xero_paid"), self.pick("xero_due")
        return SyncState(
            xero_id=f"xi{place}",
            xero_status=status,
            synced_fingerprint=self.draw(st.sampled_from([one.fingerprint, "other"])),
            synced_frozen=self.draw(st.sampled_from([one.frozen_fingerprint, "other"])),
            synced_status=self.pick("synced_status"),
            agreed=agreed,
            there={**agreed, **self.pick("there")},
            xero_amount_paid=ZERO if status in UNAPPROVED else sum_there if paid is None else paid,
            xero_amount_due=max(ZERO, WHOLE - sum_there) if due is None else due,
            payments=took,
            carried=carried,
            counted=frozenset(key for key in carried if self.pick("counted")),
            **said,
        )

    def heads(self, ones, stands):
        """What Xero lists under the numbers: documents of the invoices, and strangers, some with a mark of ours."""
        found = {}
        for place, one in enumerate(ones):
            known, mark = stands[one.source_id], f"https://crm.example/{one.source_id}"
            if known.xero_id:
                mine = head(known.there["number"], id=known.xero_id, status=known.xero_status, url=mark)
                found.setdefault(mine.number, []).append(mine)
            if self.pick("stranger"):
                status, url = (
                    self.draw(st.sampled_from(["AUTHORISED", "VOIDED"])),
                    self.draw(st.sampled_from(["", mark])),
                )
                found.setdefault(one.number, []).append(head(one.number, id=f"s{place}", status=status, url=url))
        return found

    def scene(self, ones, stands):
        """The settings and the organisation, and all the rest."""
        settings = rules(
            statuses=self.pick("statuses"),
            start_date=self.pick("start"),
            payment_accounts=self.pick("bank"),
            revenue_account=self.pick("revenue"),
            create_tax_rates="create" in self.odd,
            create_currencies="create" in self.odd,
        )
        organisation = replace(BOOKS.organisation, period_lock_date=self.pick("lock"))
        return PlanInputs(
            books=replace(BOOKS, organisation=organisation, actions=self.pick("actions")),
            rules=settings,
            contacts={"c1": self.pick("decision")},
            standings=stands,
            heads=self.heads(ones, stands),
            conditions="now",
        )


@st.composite
def worlds(draw, orders=ORDERS, always=()):
    """A few invoices in a world that is odd in a few ways, and `always` in these."""
    odd = draw(st.sets(st.sampled_from([*ODDITIES, "create"]), max_size=5))
    making = Making(draw, frozenset({*odd, *always}), orders)
    ones, stands = [], {}
    for place in range(draw(st.integers(1, 3))):
        took = making.payments(place)
        ones.append(one := making.invoice(place, took))
        stands[one.source_id] = making.standing(one, place, took)
    return World(tuple(ones), making.scene(ones, stands))
