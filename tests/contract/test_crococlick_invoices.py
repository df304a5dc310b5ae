"""The few writes of the Crm port over real HTTP: made, sent by hand, voided, deleted."""

from datetime import date
from decimal import Decimal

import pytest

from syncer.connectors.crococlick.client import CrocoClick
from syncer.domain.errors import HaltRun, InDoubt, Reconnect
from syncer.domain.model.invoice import Customer, LineItem, Status
from syncer.domain.readiness.test_invoice import NewInvoice

ANNA = Customer("c1", "Anna", "anna@example.org", "", "+33601020304")
LINES = (LineItem("Work", Decimal(1), Decimal(1)),)
NEW = NewInvoice("Test 1", ANNA, "EUR", LINES, date(2026, 11, 21), date(2026, 12, 21))


@pytest.fixture
def open_crm(box, notes, clock):
    """A client for a token."""
    return lambda token="pit-sandbox": CrocoClick.open(box.url, token, box.crococlick.location.id, notes, clock)


def test_made_sent_and_void(box, open_crm):
    """A draft, then sent without a word to anybody, then void."""
    crm = open_crm()
    made = crm.create_invoice(NEW)
    assert (made.status, made.name, made.total, made.live) == (Status.DRAFT, "Test 1", 1, True)
    assert (made.issue_date, made.due_date) == (date(2026, 11, 21), date(2026, 12, 21))
    crm.send_invoice(made.source_id)
    assert crm.invoice(made.source_id).status is Status.SENT and box.crococlick.messages() == []
    crm.void_invoice(made.source_id)
    assert crm.invoice(made.source_id).status is Status.VOID
    with pytest.raises(HaltRun):
        crm.delete_draft(made.source_id)


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_draft_is_deleted_wherever_the_location_is_looked_for(box, open_crm, where):
    """And only a draft."""
    box.crococlick.switch(delete_ids=where)
    crm = open_crm()
    made = crm.create_invoice(NEW)
    with pytest.raises(HaltRun):
        crm.void_invoice(made.source_id)
    crm.delete_draft(made.source_id)
    assert crm.invoice(made.source_id) is None


def test_an_answer_that_cannot_be_read_is_in_doubt(box, open_crm):
    """The invoice is there all the same."""
    box.crococlick.switch(omit=["total"])
    with pytest.raises(InDoubt):
        open_crm().create_invoice(NEW)
    assert len(box.crococlick.invoices()) == 4


def test_contacts(box, open_crm):
    """By id and by email; unknown ones are none, a missing permission is told."""
    crm, there = open_crm(), box.crococlick.contacts()[0]
    assert crm.contact(there["id"]) == crm.duplicate(there["email"].upper())
    assert crm.contact(there["id"]).email == there["email"]
    assert crm.contact("nobody") is crm.duplicate("no@body.example") is None
    box.crococlick.allow("pit-narrow", ["locations.readonly"])
    with pytest.raises(Reconnect):
        open_crm("pit-narrow").contact(there["id"])
    box.faults.next_read("refuse", side="crococlick", status=409, body={"message": "no"})
    with pytest.raises(HaltRun):
        crm.contact(there["id"])
