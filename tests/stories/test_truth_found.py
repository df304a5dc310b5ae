"""What the walks of the truth machine found, each as the smallest story of its own."""

import shutil

import pytest

LEDGER = "ledger.duckdb"


@pytest.fixture
def forgetful(world, tmp_path):
    """`copy()` keeps the ledger as it is, `put_back()` gives it back, ten minutes later."""

    class Copy:
        def copy(self):
            for file in tmp_path.glob(f"{LEDGER}*"):
                shutil.copy(file, tmp_path / f"kept-{file.name}")

        def put_back(self):
            for file in tmp_path.glob(f"{LEDGER}*"):
                file.unlink()
            for file in tmp_path.glob(f"kept-{LEDGER}*"):
                shutil.copy(file, tmp_path / file.name.removeprefix("kept-"))
            world.later(minutes=10)

    return Copy()


def standing(world, number):
    """Its status in Xero."""
    return world.xero.invoice(number)["Status"]


def test_what_was_sent_after_the_copy_and_voided_since_is_voided_in_xero(world, forgetful):
    """A ledger that never knew of an invoice finds ours in Xero and voids it there: it was not void before it went."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    forgetful.put_back()
    world.sync(full=True)
    assert standing(world, "INV-1") == "VOIDED"
    assert world.state("INV-1") == "synced"


def test_what_was_sent_and_voided_after_the_copy_is_not_told_as_never_sent(world, forgetful):
    """The same where the void went over as well: nobody is told that it never was in Xero."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.void("INV-1")
    world.sync()
    forgetful.put_back()
    world.sync(full=True)
    assert standing(world, "INV-1") == "VOIDED"
    assert world.cause("INV-1") != "void_before_sync"


def ours(world):
    """Documents that stand in Xero, each as often as it is there, by number."""
    return sorted(one["InvoiceNumber"] for one in world.xero.invoices() if one["Status"] not in ("VOIDED", "DELETED"))


@pytest.mark.parametrize("full", [False, True])
def test_what_was_sent_after_the_copy_and_renumbered_since_is_not_sent_twice(world, forgetful, full):
    """Our mark in Xero binds it again, whatever its number is by now."""
    world.has("OLD")
    world.sync()
    forgetful.copy()
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", number="INV-2")
    forgetful.put_back()
    world.sync(full=full)
    assert ours(world) == ["INV-2", "OLD"]
    assert world.state("INV-2") == "synced"
