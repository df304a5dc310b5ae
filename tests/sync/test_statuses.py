"""However an invoice moves in CrocoClick between two runs, Xero follows, or it is held with the reason."""

from decimal import Decimal

import pytest

TOTAL = Decimal(120)


# What is in Xero: its status, what is due there, and how many payments stand.
NOTHING = None
DRAFT, OPEN, PART, PAID = ("DRAFT", 120, 0), ("AUTHORISED", 120, 0), ("AUTHORISED", 70, 1), ("PAID", 0, 1)
TWICE, VOID, DELETED = ("PAID", 0, 2), ("VOIDED", 120, 0), ("DELETED", 120, 0)


def to(world, status):
    """Bring INV-1 to this status in CrocoClick, by what people and customers do there."""
    now = world.crm.invoice("INV-1")["status"]
    if now == "draft" and status != "draft":
        world.crm.send("INV-1")
    if status == "partially_paid":
        world.crm.pay("INV-1", 50)
    elif status == "paid":
        world.crm.pay("INV-1")
    elif status == "void":
        world.crm.void("INV-1")
    elif (status in ("payment_processing", "sent") and now != "draft") or status == "payment_processing":
        world.crm.edit_invoice("INV-1", status=status)
    elif status == "deleted":
        world.crm.delete("INV-1")


def in_xero(world):
    """What Xero has of INV-1."""
    there = world.xero.invoice("INV-1")
    if there is None:
        return NOTHING
    payments = [one for one in world.xero.payments() if one["Status"] != "DELETED"]
    return there["Status"], Decimal(str(there["AmountDue"])), len(payments)


# (before, after, with drafts selected): what Xero has after the first run, after the second, the state, and the cause.
MOVES = [
    # from a draft that the settings leave out
    ("draft", "draft", False, NOTHING, NOTHING, "not_eligible", "status_not_selected"),
    ("draft", "sent", False, NOTHING, OPEN, "synced", None),
    ("draft", "payment_processing", False, NOTHING, OPEN, "synced", None),
    ("draft", "partially_paid", False, NOTHING, PART, "synced", None),
    ("draft", "paid", False, NOTHING, PAID, "synced", None),
    ("draft", "void", False, NOTHING, NOTHING, "not_eligible", "void_before_sync"),
    ("draft", "deleted", False, NOTHING, NOTHING, "not_eligible", "deleted_in_crococlick"),
    # from a draft that goes over as a draft
    ("draft", "draft", True, DRAFT, DRAFT, "synced", None),
    ("draft", "sent", True, DRAFT, OPEN, "synced", None),
    ("draft", "payment_processing", True, DRAFT, OPEN, "synced", None),
    ("draft", "partially_paid", True, DRAFT, PART, "synced", None),
    ("draft", "paid", True, DRAFT, PAID, "synced", None),
    ("draft", "void", True, DRAFT, DELETED, "synced", None),
    ("draft", "deleted", True, DRAFT, DRAFT, "held", "deleted_in_crococlick"),
    # from sent
    ("sent", "sent", False, OPEN, OPEN, "synced", None),
    ("sent", "payment_processing", False, OPEN, OPEN, "synced", None),
    ("sent", "partially_paid", False, OPEN, PART, "synced", None),
    ("sent", "paid", False, OPEN, PAID, "synced", None),
    ("sent", "void", False, OPEN, VOID, "synced", None),
    ("sent", "deleted", False, OPEN, OPEN, "held", "deleted_in_crococlick"),
    # from a payment under way
    ("payment_processing", "payment_processing", False, OPEN, OPEN, "synced", None),
    ("payment_processing", "sent", False, OPEN, OPEN, "synced", None),
    ("payment_processing", "void", False, OPEN, VOID, "synced", None),
    ("payment_processing", "deleted", False, OPEN, OPEN, "held", "deleted_in_crococlick"),
    # from partly paid
    ("partially_paid", "partially_paid", False, PART, ("AUTHORISED", 20, 2), "synced", None),
    ("partially_paid", "paid", False, PART, TWICE, "synced", None),
    ("partially_paid", "void", False, PART, PART, "held", "void_with_payments"),
    ("partially_paid", "deleted", False, PART, PART, "held", "deleted_in_crococlick"),
    # from paid
    ("paid", "void", False, PAID, PAID, "held", "void_with_payments"),
    ("paid", "deleted", False, PAID, PAID, "held", "deleted_in_crococlick"),
    # from void
    ("void", "void", False, NOTHING, NOTHING, "not_eligible", "void_before_sync"),
    ("void", "deleted", False, NOTHING, NOTHING, "not_eligible", "deleted_in_crococlick"),
]


@pytest.mark.parametrize("move", MOVES, ids=[f"{m[0]}-{m[1]}{'-with-drafts' if m[2] else ''}" for m in MOVES])
def test_every_move_between_two_runs(paying, move):
    """Each pair of status before and after, with the payments that belong to it."""
    world = paying
    before, after, drafts, first, second, state, cause = move
    if drafts:
        world.set(statuses="draft,sent,payment_processing,partially_paid,paid,void")
    world.has("INV-1", status="draft" if before == "draft" else "sent")
    if before not in ("draft", "sent"):
        to(world, before)
    world.sync()
    assert in_xero(world) == first
    if after != before or after == "partially_paid":
        to(world, after)
    world.sync(full=after == "deleted")
    assert in_xero(world) == second
    assert (world.state("INV-1"), world.cause("INV-1")) == (state, cause)
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0, "a third run has nothing to write"


def test_a_payment_that_failed_leaves_the_invoice_open(paying):
    """A debit under way that fails brings the invoice back to sent: nothing is paid in Xero."""
    world = paying
    world.has("INV-1", status="payment_processing")
    world.sync()
    world.crm.edit_invoice("INV-1", status="sent")
    world.sync()
    assert in_xero(world) == OPEN and world.state("INV-1") == "synced"


def test_a_debit_that_succeeds_is_paid(paying):
    """A debit under way becomes a payment when it has come in."""
    world = paying
    world.has("INV-1", status="payment_processing")
    world.sync()
    world.crm.edit_invoice("INV-1", status="sent")
    world.crm.pay("INV-1")
    world.sync()
    assert in_xero(world) == PAID


def test_an_unlisted_void_is_not_carried_and_explain_says_so(paying):
    """What the settings leave out is left as it is in Xero, and the verdict names it."""
    world = paying
    world.set(statuses="sent,partially_paid,paid")
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    world.sync()
    told = world.explain("INV-1")
    assert in_xero(world) == OPEN
    assert (told["state"], told["cause"]["code"]) == ("not_eligible", "status_not_selected")
    assert told["verdict"].startswith("In Xero, but it is void in CrocoClick")


def test_an_unlisted_payment_is_not_carried(paying):
    """A payment of a status that is not selected stays in CrocoClick."""
    world = paying
    world.set(statuses="sent,void")
    world.has("INV-1")
    world.sync()
    world.crm.pay("INV-1")
    world.sync()
    assert in_xero(world) == OPEN and world.cause("INV-1") == "status_not_selected"


def test_void_after_payment_once_the_payments_are_ordered_off(paying):
    """Void after a payment: our own payments are taken off on order, and the void follows in the same run."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.void("INV-1")
    world.sync()
    assert world.cause("INV-1") == "void_with_payments"
    world.follow("INV-1")
    world.sync()
    assert in_xero(world) == ("VOIDED", Decimal(120), 0)
    assert world.state("INV-1") == "synced"


def test_a_paid_zero_invoice_is_left_alone(paying):
    """An approved invoice over nothing is paid at once in Xero, and there is nothing to enter."""
    world = paying
    world.has("INV-1", lines=[{"name": "Gift", "qty": 1, "amount": 0, "taxes": []}], status="paid")
    world.sync()
    assert world.xero.invoice("INV-1")["Status"] == "PAID" and world.state("INV-1") == "synced"


def bounce(world, transaction):
    """A payment that had come in turns out to have failed: CrocoClick takes it back."""
    location = world.crm.location
    kept = location.transactions[transaction]
    location.keep_transaction(kept | {"status": "failed"})
    world.crm.edit_invoice("INV-1", status="sent", amountPaid=0, amountDue=120)


def test_paid_and_bounced_is_held_until_the_payment_is_off(paying):
    """A payment that is in Xero and counts no more in CrocoClick is shown, and never taken off by itself."""
    world = paying
    world.has("INV-1")
    transaction = world.crm.pay("INV-1")
    world.sync()
    bounce(world, transaction)
    world.sync(full=True)
    assert (world.state("INV-1"), world.cause("INV-1"), in_xero(world)) == ("held", "payment_mismatch", PAID)
    world.follow("INV-1")
    world.sync()
    assert (world.state("INV-1"), in_xero(world)) == ("synced", OPEN)


def test_paid_and_bounced_heals_when_the_accountant_takes_the_payment_off(paying):
    """Nothing has to be ordered once both sides are without it."""
    world = paying
    world.has("INV-1")
    transaction = world.crm.pay("INV-1")
    world.sync()
    bounce(world, transaction)
    world.sync(full=True)
    [payment] = world.xero.payments()
    world.xero.delete_payment(payment["PaymentID"])
    world.sync(full=True)
    assert (world.state("INV-1"), in_xero(world)) == ("synced", OPEN)


def test_refunded_in_full_and_void(paying):
    """Paid, refunded and void in CrocoClick: the refund waits for a person, and the void for the payment in Xero."""
    world = paying
    world.has("INV-1")
    transaction = world.crm.pay("INV-1")
    world.sync()
    world.crm.refund(transaction)
    world.sync(full=True)
    assert (world.cause("INV-1"), in_xero(world)) == ("refund_needs_person", PAID)
    world.crm.void("INV-1")
    world.sync(full=True)
    assert (world.cause("INV-1"), in_xero(world)) == ("void_with_payments", PAID)
    world.follow("INV-1")
    world.sync()
    assert (world.state("INV-1"), in_xero(world)) == ("synced", ("VOIDED", Decimal(120), 0))


def test_several_steps_at_once(paying):
    """Sent, edited, paid in two parts and edited in its head between two runs: Xero has all of it after the next."""
    world = paying
    world.set(statuses="draft,sent,payment_processing,partially_paid,paid,void")
    world.has("INV-1", status="draft")
    world.sync()
    world.crm.send("INV-1")
    world.crm.edit_invoice("INV-1", lines=[{"name": "More", "qty": 2, "amount": 100, "taxes": [20]}])
    world.crm.pay("INV-1", 100)
    world.crm.pay("INV-1", 140)
    world.crm.edit_invoice("INV-1", dueDate="2027-03-01", number="INV-9")
    world.sync()
    there = world.xero.invoice("INV-9")
    assert (there["Status"], Decimal(str(there["Total"])), there["DueDateString"][:10]) == ("PAID", 240, "2027-03-01")
    assert len(world.xero.payments()) == 2 and world.state("INV-9") == "synced"
