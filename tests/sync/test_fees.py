"""Late fees, processing fees and tips: what no line tells of never goes over as if one did."""

from decimal import Decimal

import pytest

WORK = {"name": "Work", "qty": 1, "amount": 100, "taxes": [20]}
FEE = {"name": "Late fee", "qty": 1, "amount": 10}


@pytest.fixture
def bank(world):
    """Payments in euros go to the bank."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    return bank["AccountID"]


def total_in_xero(world):
    """What the invoice comes to there."""
    return Decimal(str(world.xero.invoice("INV-1")["Total"]))


def test_a_late_fee_holds_what_went_before_until_it_is_a_line(world):
    """The total grew and no line says why: Xero keeps the old total until the fee is entered as a line."""
    world.has("INV-1")
    world.sync()
    world.crm.add_late_fee("INV-1", 10)
    world.box.reset_calls()
    assert world.sync()["held"] == 1
    assert world.writes() == 0
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "total_mismatch"
    assert told["cause"]["facts"]["late_fees"] is True
    assert told["cause"]["sentence"].endswith("(net €100.00 and tax €20.00); late fees are on, and a fee has no line")
    assert told["remedy"]["sentence"].startswith("Take the late fee off in CrocoClick and enter it as a line")
    world.crm.edit_invoice("INV-1", lines=[WORK, FEE], lateFeesCharged=0)
    assert world.sync()["updated"] == 1
    assert (total_in_xero(world), world.explain("INV-1")["state"]) == (Decimal(130), "synced")


def test_a_late_fee_before_the_first_run_is_held_too(world):
    """What never went over does not go with a wrong total."""
    world.has("INV-1")
    world.crm.add_late_fee("INV-1", "7.50")
    assert world.sync()["held"] == 1
    assert world.explain("INV-1")["cause"]["facts"]["difference"] == "7.5"
    assert world.xero.numbers() == []
    world.crm.edit_invoice("INV-1", lines=[WORK, {**FEE, "amount": 7.5}], lateFeesCharged=0)
    world.sync()
    assert total_in_xero(world) == Decimal("127.5")


def test_late_fees_that_are_only_switched_on_change_nothing(world):
    """Before or after it went over: its total follows from its lines, and no write is made."""
    world.has("INV-1", lateFeesConfiguration={"enable": True, "value": 5, "type": "percentage"})
    world.has("INV-2")
    assert world.sync()["created"] == 2
    world.crm.edit_invoice("INV-2", lateFeesConfiguration={"enable": True})
    world.box.reset_calls()
    assert world.sync()["unchanged"] == 2
    assert world.box.count(side="xero") == 0


@pytest.mark.parametrize("beside", [{"fee": 3}, {"tip": 5}, {"fee": 3, "tip": 5}])
def test_a_payment_with_a_fee_or_a_tip_in_it_is_not_entered(world, bank, beside):
    """The invoice goes; what the customer paid on top of it is no payment of it, and a person decides."""
    world.has("INV-1")
    world.crm.pay("INV-1", 120, **beside)
    world.sync()
    assert (total_in_xero(world), world.xero.payments()) == (Decimal(120), [])
    assert world.explain("INV-1")["cause"]["code"] == "payment_mismatch"


def test_a_fee_that_counts_as_paid_is_more_than_is_due(world, bank):
    """Whether CrocoClick counts a fee as paid is not known: either way nothing wrong is written."""
    world.crm.switch(fees_count_as_paid=True)
    world.has("INV-1")
    world.crm.pay("INV-1", 120, fee=3)
    world.sync()
    assert (total_in_xero(world), world.xero.payments()) == (Decimal(120), [])
    assert world.explain("INV-1")["cause"]["code"] == "payment_exceeds_due"


def test_a_payment_with_a_fee_in_it_after_the_invoice_went(world, bank):
    """It is not entered either, and the invoice in Xero stays as it is."""
    world.has("INV-1")
    world.sync()
    world.crm.pay("INV-1", 120, fee=3)
    world.sync(times=2)
    assert (total_in_xero(world), world.xero.payments()) == (Decimal(120), [])
    assert world.explain("INV-1")["cause"]["code"] == "payment_mismatch"


@pytest.mark.parametrize("runs_before", [0, 1])
def test_the_fee_is_named(world, bank, runs_before):
    """What the payments differ by is told together with the fee that explains it."""
    world.has("INV-1")
    for _ in range(runs_before):
        world.sync()
    world.crm.pay("INV-1", 120, fee=3)
    world.sync()
    told = world.explain("INV-1")["cause"]
    assert (told["code"], told["facts"]["extras"]) == ("payment_mismatch", "3")
    assert told["sentence"].endswith("come to €123.00, with €3.00 of fees or tips beside the invoice")
