"""Somebody approves in Xero what CrocoClick has sent: documents arrive as drafts, or submitted, and payments wait."""

import pytest

from syncer.onboarding import readiness
from syncer.support import explain, search
from tests.support import causes


@pytest.fixture(params=["draft", "submitted"])
def waiting(world, request):
    """An organisation whose accountant approves each invoice."""
    world.set(approval=request.param, payment_account__EUR=causes.bank(world))
    world.approval = request.param.upper()
    return world


def status(world, number="INV-1"):
    """The status in Xero."""
    return world.xero.invoice(number)["Status"]


def differs(world, number="INV-1"):
    """The fields in which explain shows a difference."""
    told = explain.story(world.ledger, world.connection.rules(), search.find(world.ledger, number)[0])
    return [one.field for one in explain.compared(world.ledger, world.connection.rules(), told) if not one.same]


def test_an_unpaid_document_that_waits_is_synced(waiting):
    """It is as the settings want it: no difference, nothing to do, not marked as sent."""
    world = waiting
    world.has("INV-1")
    assert world.sync()["created"] == 1
    assert (status(world), world.state("INV-1"), differs(world)) == (world.approval, "synced", [])
    assert not world.xero.invoice("INV-1")["SentToContact"]
    world.box.reset_calls()
    assert (world.sync(full=True)["unchanged"], world.writes()) == (1, 0)
    world.xero.approve("INV-1")
    assert world.sync(full=True)["unchanged"] == 1
    assert (world.state("INV-1"), differs(world), world.writes()) == ("synced", [], 0)


def test_payments_wait_and_go_once_somebody_approved_it(waiting):
    """Nothing is tried in vain meanwhile; the state says whose turn it is."""
    world = waiting
    causes.paid(world)
    world.sync()
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "awaiting_approval")
    assert told["verdict"].startswith("In Xero, but 1 payment is missing there")
    assert told["remedy"]["who"] == "the accountant"
    assert world.xero.payments() == []
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0
    world.xero.approve("INV-1")
    assert world.sync()["paid"] == 1
    assert (status(world), world.state("INV-1"), differs(world)) == ("PAID", "synced", [])


def test_an_edit_keeps_the_status(waiting):
    """The accountant still approves it; what was approved is updated as such."""
    world = waiting
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", lines=causes.vat(20, amount=200))
    assert world.sync()["updated"] == 1
    assert (status(world), float(world.xero.invoice("INV-1")["Total"])) == (world.approval, 240)
    world.xero.approve("INV-1")
    world.crm.edit_invoice("INV-1", lines=causes.vat(20, amount=300))
    assert world.sync(full=True)["updated"] == 1
    assert (status(world), float(world.xero.invoice("INV-1")["Total"])) == ("AUTHORISED", 360)


def test_a_void_deletes_what_nobody_approved(waiting):
    """Xero voids approved invoices only."""
    world = waiting
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    assert world.sync()["voided"] == 1
    assert (status(world), world.state("INV-1")) == ("DELETED", "synced")


def test_what_somebody_deleted_there_is_not_made_again(waiting):
    """A person says whether it should count."""
    world = waiting
    world.has("INV-1")
    world.sync()
    world.xero.void("INV-1")
    world.sync(full=True)
    assert (status(world), world.cause("INV-1")) == ("DELETED", "removed_in_xero")
    assert len(world.xero.invoices()) == 1


def test_a_crococlick_draft_that_is_sent_later(waiting):
    """As a draft it is a Xero draft; once sent it is what the setting says."""
    world = waiting
    world.set(statuses="draft,sent,paid,void")
    world.has("INV-1", status="draft")
    world.sync()
    assert status(world) == "DRAFT"
    world.crm.send("INV-1")
    world.sync()
    assert (status(world), world.state("INV-1"), differs(world)) == (world.approval, "synced", [])


def test_where_nobody_has_to_approve_any_more_what_waits_is_approved(waiting):
    """Back at the default, a sent invoice is an approved one; its payment goes in the same run."""
    world = waiting
    causes.paid(world)
    world.has("INV-2")
    world.sync()
    world.set(approval="draft" if world.approval == "SUBMITTED" else "submitted")
    assert world.state("INV-2") == "synced"
    world.set(approval="")
    assert world.state("INV-1") == world.state("INV-2") == "waiting"
    outcome = world.sync()
    assert (outcome["paid"], outcome["updated"]) == (1, 2)
    assert [(status(world, one), world.state(one)) for one in ("INV-1", "INV-2")] == [
        ("PAID", "synced"),
        ("AUTHORISED", "synced"),
    ]


def test_what_was_approved_before_stays_approved(world):
    """The setting is for what goes from then on."""
    causes.once_in_xero(world)
    world.set(approval="draft")
    world.box.reset_calls()
    assert (world.state("INV-1"), world.sync(full=True)["unchanged"], world.writes()) == ("synced", 1, 0)
    world.crm.pay("INV-1", 120)
    assert world.sync()["paid"] == 1


def test_a_locked_period_does_not_stop_what_nobody_has_approved(waiting):
    """Xero dates unapproved documents where it likes; the accountant decides when approving."""
    world = waiting
    causes.locked(world)
    assert world.sync()["created"] == 1


def test_an_answer_that_is_lost_makes_no_second_document(waiting):
    """It is looked for by its mark, whatever its status."""
    world = waiting
    world.has("INV-1")
    world.faults.add("accepted_then_hung_up", path="/Invoices", method="PUT")
    world.sync(times=2)
    assert (len(world.xero.invoices()), world.state("INV-1")) == (1, "synced")


def test_waiting_payments_are_worth_a_look_in_the_readiness_report(waiting):
    """They are as the settings want it."""
    world = waiting
    causes.paid(world)
    world.sync()
    report = readiness.check(world.connection, lambda *told: None, lambda: False)
    found = {(one.code, str(one.level)): one for one in report.checks}
    assert found["in_xero", "warn"].invoices == 1
    assert ("refused", "fail") not in found
