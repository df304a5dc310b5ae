"""Payments go over one by one, once, to the account chosen for their currency; what does not add up is held."""

from decimal import Decimal

import pytest


@pytest.fixture
def bank(world):
    """Payments in euros go to the bank."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    return bank["AccountID"]


def payments(world):
    return [Decimal(str(one["Amount"])) for one in world.xero.payments() if one["Status"] != "DELETED"]


def test_a_paid_invoice_is_paid_in_xero(world, bank):
    """A paid invoice goes over approved, its payment with its own date and our mark, and becomes paid there."""
    world.has("INV-1")
    world.crm.pay("INV-1", 120)
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["paid"]) == (1, 1)
    assert payments(world) == [Decimal(120)]
    assert world.xero.invoice("INV-1")["Status"] == "PAID"
    [transaction] = world.crm.transactions("INV-1")
    assert transaction["_id"] in world.xero.payments()[0]["Reference"]
    assert world.explain("INV-1")["state"] == "synced"


def test_a_second_run_pays_nothing_again(world, bank):
    """What Xero has is not sent again."""
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0 and payments(world) == [Decimal(50)]


def test_part_payments_follow_each_other(world, bank):
    """A first part, then the rest: two payments in Xero, and the invoice is paid with the second."""
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    assert Decimal(str(world.xero.invoice("INV-1")["AmountDue"])) == 70
    world.crm.pay("INV-1", 70)
    world.box.reset_calls()
    assert world.sync()["paid"] == 1
    assert world.box.count(side="xero") == 1
    assert sorted(payments(world)) == [Decimal(50), Decimal(70)]
    assert world.xero.invoice("INV-1")["Status"] == "PAID"


def test_without_an_account_the_invoice_goes_and_the_payment_waits(world):
    """Problems of a payment hold only the payment: the invoice is in Xero, and the verdict says what is missing."""
    world.has("INV-1")
    world.crm.pay("INV-1", 120)
    outcomes = world.sync()
    assert outcomes["held"] == 1 and world.xero.numbers() == ["INV-1"]
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "payment_account_missing"
    assert told["verdict"].startswith("In Xero, but 1 payment is missing there")


def test_a_lost_answer_to_a_payment_never_pays_twice(world, bank):
    """A payment has no natural key: it is looked for when the write must be over, and only then sent again."""
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.faults.next_write("accepted_then_hung_up", path="/Payments")
    world.sync(times=2)
    assert payments(world) == [Decimal(50)]
    assert world.explain("INV-1")["state"] == "in_doubt"


def test_a_payment_in_doubt_is_settled_after_two_minutes(world, bank, tmp_path):
    """Once its write must be over, a payment is found by its mark and bound, or sent again if it never arrived."""
    from datetime import timedelta

    from syncer.app.clock import SystemClock

    class Later(SystemClock):
        def now(self):
            return super().now() + timedelta(minutes=3)

    for number, fault in (("INV-1", "accepted_then_hung_up"), ("INV-2", "dropped")):
        world.has(number)
        world.crm.pay(number, 50)
        world.faults.next_write(fault, path="/Payments")
        world.sync()
    world.app.clock = Later()
    world.sync()
    assert payments(world) == [Decimal(50), Decimal(50)]
    assert {world.explain(number)["state"] for number in ("INV-1", "INV-2")} == {"synced"}


def test_a_refund_is_never_silently_wrong(world, bank):
    """A refunded payment is held for a person; nothing wrong is written."""
    world.has("INV-1")
    transaction = world.crm.pay("INV-1", 120)
    world.crm.refund(transaction, 20)
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "refund_needs_person"
    assert payments(world) == []


def test_a_payment_that_the_accountant_entered_is_not_entered_again(world, bank):
    """When less is due in Xero than the payment, it is held and says so."""
    world.has("INV-1")
    world.sync()
    world.xero.pay("INV-1", 120)
    world.crm.pay("INV-1", 120)
    world.sync()
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "payment_exceeds_due"
    assert payments(world) == [Decimal(120)]


def test_a_paid_invoice_is_not_voided_or_edited_over_its_payment(world, bank):
    """Xero changes no paid invoice: an edit after a payment is held with the way out."""
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.edit_invoice("INV-1", lines=[{"name": "More", "qty": 3, "amount": 100, "taxes": [20]}])
    world.sync()
    assert world.explain("INV-1")["cause"]["code"] == "edited_after_payment"
