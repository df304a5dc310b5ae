"""Both books of one invoice, field by field."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncer.domain.model.invoice import Customer, Invoice, Status
from syncer.domain.planning.compare import FIELDS, compare, in_crococlick, in_xero

ISSUED, DUE = date(2026, 11, 21), date(2026, 12, 21)
HEAD = {"number": "F-1", "contact": "x1", "issue_date": "2026-11-21", "due_date": "2026-12-21", "currency": "EUR"}


def invoice(**fields: Any) -> Invoice:
    """1,266.00 with 66.00 of tax, sent and not paid."""
    alike: dict[str, Any] = {
        "source_id": "i1", "number": "F-1", "status": Status.SENT, "live": True, "customer": Customer("c1", "Martin"),
        "currency": "EUR", "issue_date": ISSUED, "due_date": DUE, "lines": (), "total": Decimal(1266),
        "amount_due": Decimal(1266), "tax": Decimal(66),
    }  # fmt: skip
    return Invoice(**{**alike, **fields})


def row(**fields: Any) -> dict[str, Any]:
    """The same in Xero, as the ledger has it."""
    alike = {
        "xero_status": "AUTHORISED", "xero_total": Decimal("1266.00"), "xero_tax": Decimal("66.00"),
        "xero_amount_paid": Decimal("0.00"), "xero_amount_due": Decimal("1266.00"),
    }  # fmt: skip
    return {**alike, **fields}


def books(ours: Invoice | None = None, theirs: dict[str, Any] | None = None, **head: str) -> dict[str, bool]:
    """Which fields both books speak of, and whether they agree."""
    one = ours or invoice()
    crococlick = in_crococlick(one, "x1", one.due_date, None)
    return {found.field: found.same for found in compare(crococlick, in_xero(theirs or row(), HEAD | head, "x1"))}


def test_equal_books_agree_in_every_field():
    """Decimals are compared as numbers, not as written."""
    assert books() == dict.fromkeys(FIELDS, True)


def test_what_differs_comes_first():
    """Each in its place otherwise."""
    found = list(books(theirs=row(xero_total=Decimal(1267)), due_date="2027-01-05").items())
    assert found[:3] == [("due_date", False), ("total", False), ("number", True)]


@pytest.mark.parametrize("status", [Status.SENT, Status.PAID])
def test_what_waits_for_approval_is_no_difference_where_people_approve_in_xero(status):
    """Elsewhere it is one; a void that stands always is."""
    ours, theirs = {"status": str(status), "total": Decimal(1)}, {"status": "SUBMITTED"}
    assert [one.same for one in compare(ours, theirs, approval="DRAFT")] == [True]
    assert [one.same for one in compare(ours, theirs)] == [False]
    assert [one.same for one in compare(ours | {"total": Decimal(0)}, theirs, approval="DRAFT")] == [True]
    assert [one.same for one in compare({"status": "void"}, theirs, approval="DRAFT")] == [False]


def test_another_customer_differs():
    """Contacts are compared by the Xero contact that is left."""
    (found,) = [one for one in compare({"contact": "x1"}, {"contact": "x2"}, {"contact": "Martin"}) if not one.same]
    assert (found.field, found.crococlick, found.xero, found.before) == ("contact", "x1", "x2", "Martin")


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (Status.SENT, "AUTHORISED", True),
        (Status.PAYMENT_PROCESSING, "AUTHORISED", True),
        (Status.PARTIALLY_PAID, "AUTHORISED", True),
        (Status.PAID, "PAID", True),
        (Status.DRAFT, "DRAFT", True),
        (Status.DRAFT, "SUBMITTED", True),
        (Status.VOID, "VOIDED", True),
        (Status.VOID, "DELETED", True),
        (Status.SENT, "PAID", False),
        (Status.PAID, "AUTHORISED", False),
        (Status.SENT, "SUBMITTED", False),
        (Status.VOID, "AUTHORISED", False),
        (Status.SENT, "VOIDED", False),
    ],
)
def test_statuses_are_compared_by_meaning(ours, theirs, same):
    """Six words here, six others there."""
    assert books(invoice(status=ours), row(xero_status=theirs))["status"] is same


def test_an_invoice_over_nothing_is_paid_in_xero_at_once():
    """Nothing is owed, so approved and paid mean the same."""
    free = invoice(total=Decimal(0), amount_due=Decimal(0), tax=Decimal(0))
    nothing = {name: Decimal(0) for name in ("xero_total", "xero_tax", "xero_amount_due")}
    assert all(books(free, row(xero_status="PAID", **nothing)).values())


def test_a_void_document_owes_nothing():
    """CrocoClick keeps the amount due of a void invoice, Xero does not."""
    void = row(xero_status="VOIDED", xero_amount_due=Decimal(0))
    found = books(invoice(status=Status.VOID), void)
    assert {"paid", "due"}.isdisjoint(found)
    assert all(found.values())


def test_a_due_date_that_is_missing_is_one_that_differs():
    """None is an answer too."""
    assert books(invoice(due_date=None))["due_date"] is False
    assert books(invoice(due_date=None), due_date="")["due_date"] is True


def test_what_a_book_does_not_say_is_not_compared():
    """Neither a tax that CrocoClick does not state, nor a head that was never read."""
    ours = in_crococlick(invoice(tax=None), "", DUE, None)
    bare = in_xero(dict.fromkeys(row()), {}, "")
    assert bare == {}
    assert {"tax", "contact"}.isdisjoint(ours)
    assert compare(ours, bare) == ()


def test_the_lines_tell_the_tax_that_is_not_stated():
    """So there is something to compare."""
    assert in_crococlick(invoice(tax=None), "x1", DUE, Decimal(66))["tax"] == Decimal(66)
