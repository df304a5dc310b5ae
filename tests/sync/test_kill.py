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
from tests.support.sync_world import World
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


@pytest.mark.slow
def test_killed_between_every_change_and_its_answer_each_is_known_again(tmp_path):
    """Lines, a due date behind a payment, a void, a deleted draft, two that exchange numbers: each is sent once."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        world.connect()
        [bank] = [one for one in box.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
        world.set(revenue_account="706", payment_account__EUR=bank["AccountID"])
        world.set(statuses="draft,sent,partially_paid,paid,void")
        ids = [world.has(f"INV-{n}", **({"status": "draft"} if n == 4 else {})) for n in range(1, 7)]
        world.crm.pay("INV-2", 50)
        world.sync()
        more = [{"name": "More", "qty": 3, "amount": 100, "taxes": [20]}]
        edits = [{"lines": more}, {"dueDate": "2027-01-31"}, {}, {}, {"number": "INV-6"}, {"number": "INV-5"}]
        for id_, fields in zip(ids, edits, strict=True):
            world.crm.edit_invoice(id_, **fields) if fields else world.crm.void(id_)
        box.reset_calls()
        box.sim.latency_ms, box.sim.commit = 500, "before"
        kills = 0
        while kills < 12:
            run, before = start(world), world.writes()
            while run.poll() is None and world.writes() == before:
                time.sleep(0.02)
            if run.poll() is not None:
                break
            time.sleep(0.1)
            run.send_signal(signal.SIGKILL)
            run.wait()
            kills += 1
        assert (run.returncode, kills, world.writes()) == (0, 6, 6)
        assert {world.state(id_) for id_ in ids} == {"synced"}
        there = {one["Url"].rpartition("/")[2]: one for one in box.xero.invoices()}
        assert [there[id_]["Status"] for id_ in ids[2:4]] == ["VOIDED", "DELETED"]
        assert [there[id_]["InvoiceNumber"] for id_ in ids[4:]] == ["INV-6", "INV-5"]
        assert (there[ids[0]]["Total"], there[ids[1]]["DueDate"]) == (360, "2027-01-31")
