"""An invoice that cannot be read: held by name of its field, and nothing else is decided about it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncer.domain.model.invoice import Flaw, Status, from_content, without_answer
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Do
from syncer.domain.planning.payments import takes_payments
from syncer.domain.planning.plan import plan_all
from syncer.domain.readiness.checks import Level, Situation, check_all
from tests.support.domain_samples import INVOICE, RULES, books, invoice, scene

FLAW = Flaw("invoiceItems[1].amount", "12,50", "is no number")


def decided(*invoices, **known):
    """What is decided about each: the action, and its cause."""
    return [(action.do, action.cause) for action in plan_all(invoices, scene(**known))]


def test_it_is_held_and_keeps_no_number_from_its_neighbour():
    """By the facts that a sentence needs; the neighbour with the same number goes."""
    odd, fine = invoice(flaw=FLAW), invoice(source_id="650000000000000000000002")
    action, other = plan_all([odd, fine], scene())
    assert (action.do, other.do) == (Do.HOLD, Do.CREATE)
    facts = {"number": "F-1", "field": FLAW.field, "value": "12,50", "reason": "is no number"}
    assert (action.cause, action.problems[0].facts) == ("invoice_unreadable", facts)


@pytest.mark.parametrize(
    ("changes", "known", "cause"),
    [
        ({"status": Status.UNKNOWN}, SyncState(), "invoice_unreadable"),
        ({"status": Status.DRAFT}, SyncState(), "status_not_selected"),
        ({"status": Status.VOID}, SyncState(), "void_before_sync"),
        ({"live": False}, SyncState(), "test_mode"),
        ({"live": False}, SyncState(xero_id="x"), "invoice_unreadable"),
        ({}, SyncState(gone=True), "deleted_in_crococlick"),
    ],
)
def test_what_the_settings_leave_out_needs_nobody(changes, known, cause):
    """Unless it stands in Xero; a status that nobody knows is in no setting."""
    odd = invoice(flaw=FLAW, **changes)
    assert decided(odd, standings={odd.source_id: known})[0][1] == cause


def test_its_payments_wait():
    """Whatever is paid, nothing is known of it."""
    paid = invoice(status=Status.PAID, amount_paid=Decimal(240))
    assert takes_payments(paid, SyncState(), RULES)
    assert not takes_payments(replace(paid, flaw=FLAW), SyncState(), RULES)


def test_it_has_another_name_until_it_can_be_read_again():
    """So that the ledger notices both; its text holds the flaw."""
    odd = invoice(flaw=FLAW)
    names = {one.fingerprint for one in (INVOICE, odd, invoice(flaw=replace(FLAW, found="13,50")))}
    assert len(names) == 3 and replace(odd, flaw=None).fingerprint == INVOICE.fingerprint
    known = {"source_id": odd.source_id, "status": "sent", "live": True}
    paid = {"amount_paid": Decimal(0), "amount_due": Decimal(0)}
    assert from_content(odd.content, **known, **paid).flaw == FLAW
    assert without_answer("i1", "status 500").flaw.found == "status 500"


def test_readiness_names_it_and_asks_nothing_else_of_it():
    """Neither its currency nor its taxes are known."""
    odd = invoice(flaw=FLAW, currency="", number="")
    missing = replace(odd, source_id="i2", flaw=Flaw("total", "", "is missing"))
    actions = plan_all([odd, missing], scene())
    checks = {check.code: check for check in check_all(actions, Situation(books(), RULES, {}))}
    found = checks["unreadable"]
    assert (found.level, found.invoices, "currency" in checks) == (Level.FAIL, 2, False)
    assert found.facts["records"] == [
        {"number": odd.source_id, "what": "invoiceItems[1].amount “12,50” is no number"},
        {"number": "i2", "what": "total is missing"},
    ]
