"""Invoices that leave CrocoClick's lists of what is open are looked at in the same run, at any age."""

from datetime import timedelta

import pytest

from syncer.app import jobs
from syncer.domain.errors import HaltRun


def issued(world, days):
    """The day so many days ago."""
    return str((world.app.clock.now() - timedelta(days=days)).date())


def old(world, number, days=45, **fields):
    """An invoice that was issued so long ago that only its status brings it into a list."""
    return world.has(number, issueDate=issued(world, days), dueDate=issued(world, days - 30), **fields)


@pytest.fixture
def banked(world):
    """The world with an account for payments."""
    bank = next(one for one in world.xero.accounts() if one["Type"] == "BANK")
    world.set(payment_account__EUR=bank["AccountID"])
    return world


def crm_calls(world):
    return world.box.count(side="crococlick")


def test_an_old_invoice_that_is_paid_voided_or_deleted_is_right_after_one_plain_sync(banked):
    """With terms of 30 days that is the normal life of an invoice; nothing but the run itself tells of it."""
    for number in ("PAID", "VOID", "GONE", "STAYS"):
        old(banked, number)
    banked.sync()
    banked.crm.pay("PAID", 120)
    banked.crm.void("VOID")
    banked.crm.delete("GONE")
    came = banked.sync()
    assert (came["paid"], came["voided"], banked.state("STAYS")) == (1, 1, "synced")
    assert banked.xero.invoice("PAID")["Status"] == "PAID" and banked.state("PAID") == "synced"
    assert banked.xero.invoice("VOID")["Status"] == "VOIDED"
    assert (banked.state("GONE"), banked.cause("GONE")) == ("held", "deleted_in_crococlick")


def test_each_that_left_costs_one_call_and_the_others_none(world):
    """An idle run reads its lists; so many more calls are made as there are invoices that left."""
    for number in range(12):
        old(world, f"F-{number}")
    world.sync(times=2)
    before = crm_calls(world)
    world.sync()
    lists = crm_calls(world) - before
    world.crm.void("F-1")
    before = crm_calls(world)
    world.sync()
    assert crm_calls(world) - before == lists + 1
    for number in range(2, 12):
        world.crm.void(f"F-{number}")
    before = crm_calls(world)
    world.sync()
    assert crm_calls(world) - before == lists + 1  # the list of all is one call, ten invoices are ten
    assert {world.state(f"F-{number}") for number in range(1, 12)} == {"synced"}


def test_a_payment_between_two_reads_is_no_contradiction(banked):
    """The invoice was read before it was paid, its transactions after: it is looked at again before anybody judges."""
    old(banked, "F-1")
    old(banked, "F-2")
    banked.sync()
    banked.crm.pay("F-2", 60)
    late = []

    def pay_once_the_lists_are_read(phase, done, todo):
        if phase == "planning" and not late:
            late.append(banked.crm.pay("F-1", 120))

    jobs.run(banked.connection, banked.connection.orders(), "a test", pay_once_the_lists_are_read, lambda: False)
    assert late and {banked.state(number) for number in ("F-1", "F-2")} == {"synced"}
    assert banked.xero.invoice("F-1")["AmountPaid"] == 120


def test_a_reading_that_shows_far_too_little_has_still_taken_in_what_was_new(world):
    """The run stops for a person, and what came is known."""
    for number in range(24):
        old(world, f"F-{number}")
    world.sync()
    for number in range(2, 24):
        world.crm.delete(f"F-{number}")
    world.has("NEW")
    world.sync(full=True)
    assert isinstance(world.outcome.failure, HaltRun) and world.outcome.failure.code == "source_shrunk"
    assert world.explain("NEW")["invoice"]["number"] == "NEW"
    assert world.xero.numbers() == sorted(f"F-{number}" for number in range(24))


def test_lists_that_are_suddenly_empty_delete_nothing(world):
    """A plain run meets it too: so many at once are read from the list of all, and that stops for a person."""
    for number in range(24):
        old(world, f"F-{number}")
    world.sync(times=2)
    for number in range(24):
        world.crm.delete(f"F-{number}")
    world.sync()
    assert world.outcome.failure.code == "source_shrunk"


def test_a_clock_that_was_ahead_for_one_run_keeps_nothing_back(banked):
    """What lies in the future counts as never read."""
    banked.has("F-1")
    true = banked.app.clock
    banked.later(days=1)
    banked.sync()
    banked.box.clock.advance(-timedelta(days=1).total_seconds())
    banked.app.clock = true
    old(banked, "F-2", days=60, status="paid")
    came = banked.sync()
    assert (came["created"], banked.outcome.failure) == (1, None)
    banked.has("F-3")
    assert banked.sync()["created"] == 1
