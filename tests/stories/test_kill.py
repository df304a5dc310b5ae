"""kill -9 at any moment: nothing doubled, nothing lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.stories.stories_world import World
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
IN_FLIGHT_KILLS = 10


def start(world):
    return subprocess.Popen(
        [sys.executable, "-m", "syncer", "sync", "--json"],
        cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_a_write(box, run):
    """Until the first write of this run is at Xero, or the run is over."""
    before = box.count(side="xero", method="PUT")
    while run.poll() is None and box.count(side="xero", method="PUT") == before:
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_twenty_times_every_invoice_arrives_once(tmp_path):
    """Two thousand invoices, twenty kills, at least half of them with a write in flight: each arrives exactly once."""
    chance = random.Random(20)
    with Sandbox(world="month-end", limits=False, latency_ms=300) as box:
        world = World(box, tmp_path)
        world.connect()
        world.set(revenue_account="706", calls_per_minute="100000", calls_in_flight="1", payment_account__EUR="512")
        box.crococlick.limits.burst = 1_000_000
        kills = in_flight = 0
        while kills < KILLS:
            run = start(world)
            if kills % 4 == 3:
                time.sleep(chance.uniform(0.2, 3))
            else:
                wait_for_a_write(box, run)
                time.sleep(chance.uniform(0, 0.9))
            if run.poll() is not None:
                break
            run.send_signal(signal.SIGKILL)
            run.wait()
            kills += 1
            in_flight += bool(world.ledger.open_attempts())
        assert kills == KILLS and in_flight >= IN_FLIGHT_KILLS, (kills, in_flight)
        out, _ = start(world).communicate(timeout=PATIENCE_S)
        numbers = Counter(one["InvoiceNumber"] for one in box.xero.invoices())
        wanted = Counter(one["invoiceNumber"] for one in box.crococlick.invoices())
        assert numbers == wanted, (len(numbers), len(wanted))
        names = Counter(one["Name"] for one in box.xero.contacts())
        assert max(names.values()) == 1
        totals = {one["InvoiceNumber"]: Decimal(str(one["Total"])) for one in box.xero.invoices()}
        shown = {one["invoiceNumber"]: Decimal(str(one["total"])) for one in box.crococlick.invoices()}
        assert totals == shown, out[-500:]
        paid = Counter(one["Invoice"]["InvoiceNumber"] for one in box.xero.payments())
        assert not paid or max(paid.values()) == 1
