"""The public sample invoices, from CrocoClick to Xero over HTTP: how many arrive with the totals that they state.

Needs the samples beside the project (`../shared/data/einvoices`); says so and ends where they are missing.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sandbox.server import Sandbox
from tests.support.en16931_invoices import FILE, MISSING, Arrival, carry
from tests.support.sync_world import World

LEDGER_CLOSES_S = 0.5  # a reading handle is shared for a moment, then closes by itself


@contextlib.contextmanager
def world() -> Iterator[World]:
    """The sandbox, and the product connected to it."""
    with tempfile.TemporaryDirectory() as folder, Sandbox("empty", limits=False) as box:
        made = World(box, Path(folder))
        made.connect()
        made.set(revenue_account="706")
        yield made
        time.sleep(LEDGER_CLOSES_S)


def tell(rounding: str, arrivals: list[Arrival], seconds: float) -> bool:
    """Print what became of them; whether that is as it should be."""
    there = [one for one in arrivals if one.in_xero is not None]
    stated = [one for one in there if one.in_xero == one.sample.stated]
    wrong = [one for one in there if one.in_xero != one.in_crococlick]
    print(f"CrocoClick rounds {rounding}: {len(arrivals)} invoices in {seconds:.1f} s")
    print(f"  with the net, tax and gross of the sample   {len(stated):5}")
    print(f"  with those that CrocoClick makes of it      {len(there) - len(stated) - len(wrong):5}")
    print(f"  with others                                 {len(wrong):5}")
    print(f"  held                                        {len(arrivals) - len(there):5}")
    for one in arrivals:
        if one.in_xero is None:
            print(f"    {one.sample.invoice.number}: {one.cause}: {one.sentence}")
        elif one.in_xero != one.sample.stated:
            told = " ".join(
                f"{name} {amount}" for name, amount in zip(("net", "tax", "gross"), one.in_xero, strict=True)
            )
            print(f"    {one.sample.invoice.number}: {told}, the sample says {' '.join(map(str, one.sample.stated))}")
    return len(stated) >= 200 and not wrong


def main() -> int:
    if not FILE.exists():
        print(f"skipped: {MISSING}")
        return 0
    kept = True
    for rounding in ("per_document", "per_line"):
        with world() as made:
            started = time.perf_counter()
            kept &= tell(rounding, carry(made, rounding), time.perf_counter() - started)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
