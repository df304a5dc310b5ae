"""Our own files are spoiled, our clock goes back, several processes work at once: nothing is doubled."""

import threading
from datetime import timedelta
from functools import partial

import pytest

from syncer.domain.errors import LedgerBusy, SyncerError, WrongUsage
from syncer.messages import status
from tests.support.sync_world import Later, World

NUMBERS = ["INV-1", "INV-2", "INV-3"]


@pytest.fixture
def synced(world):
    """Two invoices are in Xero, and a third was sent since."""
    world.has("INV-1")
    world.has("INV-2")
    assert world.sync()["created"] == 2
    world.has("INV-3")
    return world


def numbers(world):
    """What Xero has, each as often as it is there."""
    return sorted(one["InvoiceNumber"] for one in world.xero.invoices() if one["Status"] != "VOIDED")


def another(world):
    """Another process over the same data directory."""
    return World(world.box, world.app.environment.data_dir)


@pytest.mark.parametrize("junk", [b"", b"\x00" * 5_000, b"garbage\xff" * 700], ids=["empty", "zeros", "garbage"])
def test_a_write_ahead_log_that_is_garbage_doubles_nothing(synced, junk):
    """Either the ledger opens without it, or it says that it is damaged; with the file gone the next sync goes on."""
    wal = synced.app.environment.data_dir / "ledger.duckdb.wal"
    assert not wal.exists() or not wal.stat().st_size, "what was committed is in the ledger itself"
    wal.write_bytes(junk)
    try:
        another(synced).sync()
    except SyncerError as failure:
        assert failure.code == "ledger_unreadable"
        assert "Restore it from a backup" in status.failure(failure.code, failure.facts)
        assert numbers(synced) == NUMBERS[:2]
        wal.unlink()
        another(synced).sync()
    assert numbers(synced) == NUMBERS


@pytest.mark.parametrize("spoil", ["cut", "no key", "another key"])
def test_without_its_tokens_a_sync_says_so_and_writes_nothing(synced, spoil):
    """The vault was cut, or its key is gone or another one; once they are back the next sync goes on."""
    data = synced.app.environment.data_dir
    name = "vault.bin" if spoil == "cut" else "secret.key"
    kept = (data / name).read_bytes()
    (data / name).write_bytes(kept[: len(kept) // 2]) if spoil == "cut" else (data / name).unlink()
    if spoil == "another key":
        (data / name).write_text("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    before, later = synced.writes(), another(synced)
    later.sync()
    failure = later.outcome.failure
    assert failure.code == "vault_unreadable"
    assert "The stored tokens cannot be read with this key" in status.failure(failure.code, failure.facts)
    assert synced.writes() == before
    (data / name).write_bytes(kept)
    another(synced).sync()
    assert numbers(synced) == NUMBERS


@pytest.mark.parametrize("hours", [1, 13])
def test_a_clock_that_goes_back_doubles_nothing(synced, hours):
    """Ours alone, or that of the services too: what was sent is known, what is new or changed goes over once."""
    back = timedelta(hours=hours)
    synced.app.clock = Later(synced.app.clock.now() - back)
    assert synced.sync()["created"] == 1
    synced.crm.pay("INV-1")
    synced.has("INV-4")
    synced.box.clock.advance(-back.total_seconds())
    synced.sync(times=2)
    assert numbers(synced) == [*NUMBERS, "INV-4"]
    assert synced.outcome.failure is None


def test_two_syncs_and_two_equal_orders_at_once_double_nothing(synced):
    """Each sync has its turn or says that one is at work; the order counts once, or the second says that it is done."""
    synced.has("HELD-1", lines=[{"name": "Book", "qty": 1, "amount": 100, "taxes": [7]}])
    assert synced.sync() and synced.state("HELD-1") == "held"
    synced.has("INV-4")
    synced.has("INV-5")
    ready, failures = threading.Barrier(4), []

    def at_once(act):
        ready.wait()
        try:
            act()
        except SyncerError as failure:
            failures.append(failure)

    acts = [another(synced).sync for _ in range(2)]
    acts += [partial(another(synced).order, "skip", "HELD-1", because="entered by hand") for _ in range(2)]
    threads = [threading.Thread(target=at_once, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {failure.code for failure in failures if isinstance(failure, LedgerBusy)} <= {"run_under_way"}
    assert all(isinstance(failure, LedgerBusy | WrongUsage) for failure in failures) and len(failures) < 4
    synced.sync()
    assert synced.state("HELD-1") == "skipped"
    assert numbers(synced) == [*NUMBERS, "INV-4", "INV-5"] and synced.outcome.failure is None
    assert not synced.ledger.open_attempts()
