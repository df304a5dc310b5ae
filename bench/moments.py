"""What small things cost that happen often, at their best of ten: python bench/moments.py."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sandbox.server import Sandbox
from syncer.app.clock import SystemClock
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.storage.payloads import Payloads

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 12.5, "AccountCode": "706", "TaxType": "TAX001"}


def main() -> None:
    """Measure each and print milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        bodies = Payloads(Path(folder))
        batch = json.dumps({"Invoices": [{"InvoiceNumber": f"INV-{n}", "LineItems": [LINE] * 20} for n in range(115)]})
        body, now = batch.encode(), datetime.now(UTC)
        best("request and answer of 250 KB kept", lambda: bodies.keep("default", "call", now, body, body))
    with tempfile.TemporaryDirectory() as folder, Sandbox(world="empty", data_dir=Path(folder), limits=False) as box:
        invoice = {"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [LINE], "Date": "2026-01-05"}
        best("invoice written by a sandbox with a file", lambda: box.xero.ask("PUT", "Invoices", dict(invoice)))
    pacer = OrganisationLimiter(SystemClock(), calls_per_minute=1_000_000)
    best("a thousand turns of the pacer", lambda: turns(pacer, 1000))


def turns(pacer: OrganisationLimiter, times: int) -> None:
    """Take turns that nobody has to wait for."""
    for _ in range(times):
        with pacer.turn():
            pass


def best(what: str, do: Callable[[], object]) -> None:
    """Do it ten times and print the shortest."""
    took_s = []
    for _ in range(10):
        began = time.perf_counter()
        do()
        took_s.append(time.perf_counter() - began)
    print(f"{min(took_s) * 1000:8.2f} ms  {what}", flush=True)


if __name__ == "__main__":
    main()
