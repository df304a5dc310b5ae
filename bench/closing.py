"""Both books compared: damages planted in 2,000 invoices over HTTP, 2,000 read alone, and 20,000 compared.

Ends with 1 where a damage is not found, one is invented, or a bar is missed. `SMALL=1` takes a tenth of everything.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.server import Sandbox
from syncer.domain.closing.comparison import compare_books
from tests.support.closing_books import DAMAGES, OCTOBER, equal_pages
from tests.support.closing_damage import KINDS, equal_books
from tests.support.commands import run, told
from tests.support.sync_world import World

SHARE = 10 if os.environ.get("SMALL") else 1
INVOICES, DAMAGED, MANY, READ = 2_000 // SHARE, 200 // SHARE, 20_000 // SHARE, 2_000 // SHARE
COMPARED_S = 10.0


def damaged_books() -> bool:
    """Every damage is found, none invented, the residual exact; a second time for its time and its calls."""
    names = list(KINDS)
    asked = [names[place % len(names)] for place in range(DAMAGED)]
    with tempfile.TemporaryDirectory() as folder, Sandbox(world="empty", limits=False) as box:
        world = World(box, Path(folder))
        world.connect()
        pairs = equal_books(world, asked + ["plain"] * (INVOICES - DAMAGED))
        before = told(world, "reconcile")
        expected = set()
        for kind, number in pairs:
            expected |= KINDS[kind](world, number) if kind in KINDS else set()
        box.reset_calls()
        began = time.perf_counter()
        found = told(world, "reconcile", "--proof", f"{folder}/proof.jsonl", status=3)
        took = time.perf_counter() - began
        calls = {side: box.count(side=side) for side in ("xero", "crococlick")}
        fields = [(one["number"], one["field"]) for one in found["differences"]]
        missed, invented = expected - set(fields), set(fields) - expected
        residual = {total["residual"] for total in found["totals"].values()}
        verified = run(world, "reconcile", "--verify", f"{folder}/proof.jsonl").returncode
        print(
            f"{INVOICES:,} invoices, {DAMAGED} damages of {len(set(asked))} kinds: {len(fields)} differences, ", end=""
        )
        print(f"{len(missed)} missed, {len(invented)} invented, residual {residual}, {took:.1f} s, calls {calls}")
        fine = not missed and not invented and len(fields) == len(set(fields)) and residual == {"0.00"}
        return fine and not before["differences"] and before["equal"] == INVOICES and not verified


def compared() -> bool:
    """The comparison alone, of values, with a damage in every hundredth invoice."""
    pages, kinds, expected = equal_pages(MANY), list(DAMAGES.values()), set()
    for place in range(0, MANY, 100):
        expected |= kinds[place // 100 % len(kinds)](pages, f"{place:024x}")
    books = pages.books()
    began = time.perf_counter()
    found = compare_books(books, OCTOBER)
    took = time.perf_counter() - began
    print(
        f"{MANY:,} invoices compared in {took:.2f} s (at most {COMPARED_S:.0f}), {len(found.differences)} differences"
    )
    return took <= COMPARED_S and {(one.number, one.field) for one in found.differences} == expected


def read() -> bool:
    """So many invoices read over HTTP, from a sandbox on this machine that answers at once, and compared."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(world="empty", limits=False) as box:
        world = World(box, Path(folder))
        world.connect()
        equal_books(world, ["plain"] * READ)
        box.reset_calls()
        began = time.perf_counter()
        found = told(world, "reconcile")
        calls = {side: box.count(side=side) for side in ("xero", "crococlick")}
        print(f"{READ:,} invoices read and compared in {time.perf_counter() - began:.1f} s, calls {calls}")
        return found["compared"] == found["equal"] == READ


if __name__ == "__main__":
    sys.exit(0 if all([compared(), damaged_books(), read()]) else 1)
