"""Two equal books of plain values, and damages planted in them: for properties and the bench."""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from syncer.domain.closing.comparison import BothBooks
from syncer.domain.closing.documents import Receipt, SalesDocument, Span, party

OCTOBER = Span(date(2026, 10, 1), date(2026, 10, 31))
BEYOND = timedelta(days=40)


@dataclass
class Pages:
    """Both books being written: documents and payments by id on either side."""

    ours: dict[str, SalesDocument] = field(default_factory=dict)
    theirs: dict[str, SalesDocument] = field(default_factory=dict)
    paid: dict[str, Receipt] = field(default_factory=dict)
    paid_there: dict[str, Receipt] = field(default_factory=dict)
    refunded: dict[str, Decimal] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)

    def books(self):
        return BothBooks(
            crococlick=list(self.ours.values()),
            xero=list(self.theirs.values()),
            paid_in_crococlick=list(self.paid.values()),
            paid_in_xero=list(self.paid_there.values()),
            bound=self.bound,
            refunded=self.refunded,
            refund_of={f"t-{id}": id for id in self.refunded},
        )

    def other(self, id, **changes):
        self.theirs[f"x-{id}"] = replace(self.theirs[f"x-{id}"], **changes)

    def mine(self, id, **changes):
        self.ours[id] = replace(self.ours[id], **changes)


def equal_pages(count, seed=1, currencies=("EUR", "USD"), bound=False):
    """So many invoices of October, each third one paid; matched by mark, or by what the ledger knows."""
    rng, pages = random.Random(seed), Pages()
    for place in range(count):
        id, cents = f"{place:024x}", rng.randrange(100, 1_000_000)
        total, day = Decimal(cents) / 100, date(2026, 10, 1 + place % 31)
        is_paid, whose = place % 3 == 0, place % max(1, count // 5)
        ours = SalesDocument(
            id=id, number=f"INV-{place}", status="paid" if is_paid else "sent", stands=True,
            party=party(f"Customer {whose}", f"c-{whose}"), currency=rng.choice(currencies), total=total,
            issue_date=day, due_date=day + BEYOND, tax=total / 6, paid=total if is_paid else Decimal(0),
            due=Decimal(0) if is_paid else total, mark=id,
        )  # fmt: skip
        theirs = replace(ours, id=f"x-{id}", status="PAID" if is_paid else "AUTHORISED", mark="" if bound else id)
        pages.ours[id], pages.theirs[theirs.id] = ours, theirs
        if bound:
            pages.bound[id] = theirs.id
        if is_paid:
            pages.paid[f"t-{id}"] = Receipt(f"t-{id}", id, total, day, f"t-{id}")
            pages.paid_there[f"p-{id}"] = Receipt(f"p-{id}", theirs.id, total, day, f"t-{id}")
    return pages


# -- damages: each changes one invoice and returns what differs then, (number, field) -------------------------------


def _said(pages, id, names):
    number = pages.ours[id].number if id in pages.ours else pages.theirs[f"x-{id}"].number
    return {(number, name) for name in names.split()}


def _field(name, book, **changes):
    def damage(pages, id):
        (pages.other if book == "xero" else pages.mine)(id, **changes)
        return _said(pages, id, name)

    return damage


def _beyond(book):
    def damage(pages, id):
        (pages.other if book == "xero" else pages.mine)(id, issue_date=OCTOBER.last + BEYOND)
        return _said(pages, id, "issue_date")

    return damage


def _total(book):
    def damage(pages, id):
        doc = pages.theirs[f"x-{id}"] if book == "xero" else pages.ours[id]
        (pages.other if book == "xero" else pages.mine)(id, total=doc.total + 1, due=doc.due + 1)
        return _said(pages, id, "total due")

    return damage


def _missing(book):
    def damage(pages, id):
        said = _said(pages, id, "document")
        (pages.theirs if book == "xero" else pages.ours).pop(f"x-{id}" if book == "xero" else id)
        return said

    return damage


def _stranger(pages, id):
    pages.theirs[f"s-{id}"] = replace(pages.theirs[f"x-{id}"], id=f"s-{id}", number=f"S-{id}", mark="")
    return {(f"S-{id}", "document")}


def _unpaid(book):
    def damage(pages, id):
        side, key = (pages.paid_there, f"p-{id}") if book == "xero" else (pages.paid, f"t-{id}")
        doc = pages.ours[id]
        if side.pop(key, None):
            said = "paid due status payment"
            status = "AUTHORISED" if book == "xero" else "sent"
            (pages.other if book == "xero" else pages.mine)(id, paid=Decimal(0), due=doc.total, status=status)
        else:
            said = "paid due payment"
            side[key] = Receipt(key, f"x-{id}" if book == "xero" else id, Decimal(1), date(2026, 10, 9))
            (pages.other if book == "xero" else pages.mine)(id, paid=doc.paid + 1, due=doc.due - 1)
        return _said(pages, id, said)

    return damage


def _payment(name, book, **changes):
    def damage(pages, id):
        side, key = (pages.paid_there, f"p-{id}") if book == "xero" else (pages.paid, f"t-{id}")
        if key not in side:
            return set()
        side[key] = replace(side[key], **changes)
        return _said(pages, id, name)

    return damage


def _refund(pages, id):
    if f"t-{id}" not in pages.paid:
        return set()
    pages.refunded[id] = Decimal("0.50")
    return _said(pages, id, "refund")


DAMAGES = {
    "number in Xero": _field("number", "xero", number="SOMETHING ELSE"),
    "contact in Xero": _field("contact", "xero", party=party("Somebody", "c-else")),
    "contact in CrocoClick": _field("contact", "crococlick", party=party("Somebody", "c-else")),
    "day in Xero": _field("issue_date", "xero", issue_date=date(2026, 9, 30)),
    "day beyond in Xero": _beyond("xero"),
    "day beyond in CrocoClick": _beyond("crococlick"),
    "due in Xero": _field("due_date", "xero", due_date=date(2027, 1, 1)),
    "due in CrocoClick": _field("due_date", "crococlick", due_date=date(2027, 1, 1)),
    "currency in Xero": _field("currency", "xero", currency="GBP"),
    "total in Xero": _total("xero"),
    "total in CrocoClick": _total("crococlick"),
    "tax in Xero": _field("tax", "xero", tax=Decimal("0.01")),
    "void in Xero": _field("status", "xero", status="VOIDED", stands=False),
    "draft in Xero": _field("status", "xero", status="DRAFT", stands=False),
    "void in CrocoClick": _field("status", "crococlick", status="void", stands=False),
    "missing in Xero": _missing("xero"),
    "missing in CrocoClick": _missing("crococlick"),
    "stranger in Xero": _stranger,
    "payment in Xero": _unpaid("xero"),
    "payment in CrocoClick": _unpaid("crococlick"),
    "amount in Xero": _payment("payment_amount", "xero", amount=Decimal("0.99")),
    "day of payment in CrocoClick": _payment("payment_date", "crococlick", paid_on=date(2026, 10, 8)),
    "refund in CrocoClick": _refund,
}
