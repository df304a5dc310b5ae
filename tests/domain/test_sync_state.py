"""What stands in Xero for an invoice, and what somebody changed there."""

from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.model.sync_state import SyncState, changes, mismatch, sent, told
from tests.support.domain_samples import IN_XERO, head, ordered, paid, standing


def test_what_a_xero_invoice_says_that_matters_to_both_books():
    """Number, customer, dates, currency and amounts, in plain digits; not its wording, nor what was paid."""
    assert told(head(total=Decimal("240.00"), issue_date=None, due_date=date(2026, 10, 1))) == {
        "number": "F-1",
        "contact": "x1",
        "issue_date": "",
        "due_date": "2026-10-01",
        "currency": "EUR",
        "total": "240",
        "tax": "40",
    }
    assert told(head(due_date=None))["due_date"] == ""
    assert told(head(status="PAID", amount_paid=Decimal(240), url="https://elsewhere.example")) == told(head())


def test_nothing_has_changed_where_it_says_what_was_agreed():
    """Nor where nothing was agreed or nothing is known of what it says now."""
    assert changes(IN_XERO, {}, {}, {}) == []
    assert changes(SyncState(xero_id="xi1", there={"total": "1"}), {}, {}, {}) == []
    assert changes(SyncState(xero_id="xi1", agreed={"total": "1"}), {}, {}, {}) == []


def test_every_change_is_told_with_before_and_now():
    """In the order of the document; contacts by their names where they are known."""
    moved = standing(there={"due_date": "2026-11-01", "contact": "x2"})
    assert changes(moved, {}, {"x1": "Anne"}, {}) == [
        {"field": "contact", "before": "Anne", "now": "x2"},
        {"field": "due_date", "before": "2026-10-01", "now": "2026-11-01"},
    ]


def test_a_merge_of_contacts_is_no_change_in_the_document():
    """From the one that is gone to the one that is left, and back where the other was agreed."""
    moved = standing(there={"contact": "x2"})
    assert changes(moved, {"x1": "x2"}, {}, {}) == []
    assert changes(moved, {"x2": "x1"}, {}, {}) == []
    assert changes(moved, {"x1": "x3"}, {}, {}) == [{"field": "contact", "before": "x3", "now": "x2"}]


def test_less_paid_than_we_know_of_is_a_change():
    """Somebody took a payment off; more is not ours to say."""
    ours = {"payments": (paid("100"),), "carried": {"t1": "p1"}}
    assert changes(standing(xero_amount_paid=Decimal(60), **ours), {}, {}, {}) == [
        {"field": "paid", "before": "100", "now": "60"}
    ]
    assert changes(standing(xero_amount_paid=Decimal(160), **ours), {}, {}, {}) == []


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"xero_amount_paid": Decimal(150)}, False),
        ({"counted": frozenset({"t1"})}, False),
        ({"carried": {}, "xero_amount_paid": Decimal(0)}, False),
        ({"payments": ()}, False),
    ],
)
def test_whether_all_that_is_paid_is_ours(changes, ours):
    """To the cent, and only what we entered ourselves."""
    given = {"payments": (paid("100"),), "carried": {"t1": "p1"}, "xero_amount_paid": Decimal(100)}
    assert standing(**{**given, **changes}).paid_by_us is ours


@pytest.mark.parametrize(
    ("status", "synced", "removed"),
    [("AUTHORISED", "sent", False), ("VOIDED", "sent", True), ("DELETED", "draft", True), ("VOIDED", "void", False)],
)
def test_a_document_that_we_did_not_void_was_removed_by_somebody(status, synced, removed):
    """Our own void is no news."""
    assert standing(xero_status=status, synced_status=synced).removed is removed


def test_a_draft_is_not_approved():
    """Nor is one that was submitted for approval."""
    assert [standing(xero_status=one).unapproved for one in ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID")] == [
        True,
        True,
        False,
        False,
    ]


def test_an_order_is_asked_for_by_name():
    """Without an order none stands."""
    assert standing(order=ordered("overwrite")).is_ordered("adopt", "overwrite")
    assert not standing(order=ordered("skip")).is_ordered("overwrite")
    assert not standing().is_ordered("overwrite")


def test_what_was_sent_is_held_against_what_xero_made_of_it():
    """Total and tax, each where it was sent."""
    there = told(head())
    assert sent("240") == {"sent_total": "240"}
    assert mismatch({**there, **sent("240", "40")}, there) is None
    assert mismatch(there, there) is None
    assert mismatch(sent("240", "41"), there).facts["stated_tax"] == "41"
    assert mismatch(sent("250"), there).code == "total_mismatch"
