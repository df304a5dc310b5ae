"""How long the Reports page takes with a million attempts: python bench/reports.py [--keep FOLDER] [--browser]."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.console import console, let_in
from syncer.reports import figures
from syncer.storage.analysis.copy import Analysis, open_analysis
from syncer.storage.database.store import Store, named_queries
from syncer.storage.ledger.ledger import Ledger

NOW = datetime.now(UTC)
DAYS = 365
BROWSER = "/usr/bin/chromium"
ADDRESSES = {
    "Runs, to compare with": "/runs",
    "Reports, 30 days": "/reports",
    "how well": "/reports?view=Success",
    "at what cost": "/reports?view=Calls",
    "of which kind": "/reports?view=Breakdown",
    "12 months": "/reports?period=Last+12+months",
    "12 months, how well": "/reports?period=Last+12+months&view=Success",
    "12 months, of which kind": "/reports?period=Last+12+months&view=Breakdown",
}


def main() -> None:
    """Fill a ledger and measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--attempts", type=int, default=1_000_000)
    asked.add_argument("--keep", type=Path, help="folder for the ledger, used again when it is there already")
    asked.add_argument("--browser", action="store_true", help="measure pages in a browser as well")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.keep or Path(folder)
        data.mkdir(parents=True, exist_ok=True)
        store = Store(data / "ledger.duckdb")
        if not store.path.exists():
            timed("ledger filled", lambda: fill(store, options.attempts))
        measure_copy(store, data / "analysis.duckdb")
        measure_figures(data / "analysis.duckdb")
        if options.browser:
            with console(data, XERO_CLIENT_ID="bench", CROCOCLICK_TOKEN="pit-bench") as url:  # noqa: S106 — invented
                measure_pages(url, data)


def fill(store: Store, attempts: int) -> None:
    """A year of a large customer."""
    ledger = Ledger(store, "default")
    ledger.save_connection(NOW, state="connected", organisation_name="A busy shop", location_name="A busy shop")
    given = {"now": NOW, "invoices": attempts // 2, "days": DAYS, "calls": attempts // 4}
    for sql in named_queries(Path(__file__).with_suffix(".sql")).values():
        needed = {name: value for name, value in given.items() if f"${name}" in sql}
        store.transaction(lambda tx, sql=sql, needed=needed: tx.execute(sql, needed))


def timed(what: str, do: Callable[[], Any]) -> Any:
    """Do it, and say how long it took."""
    began = time.perf_counter()
    found = do()
    print(f"{(time.perf_counter() - began) * 1000:8.0f} ms  {what}", flush=True)
    return found


def measure_copy(store: Store, path: Path) -> None:
    """The analysis copy: made, and made again when the ledger has moved; how long a sync waits meanwhile."""
    analysis = Analysis(store, path)
    timed("the copy, first", analysis.refresh)
    store.transaction(lambda tx: tx.execute("UPDATE invoice SET seen_at = now() WHERE number = 'INV-0000001'"))
    timed("the copy, when the ledger has moved", analysis.refresh)
    timed("of that, the ledger held", lambda: analysis._ledger_apart().__enter__())
    print(f"{store.path.stat().st_size / 1e6:8.0f} MB  ledger, {path.stat().st_size / 1e6:.0f} MB its copy")
    for leftover in path.parent.glob(f"{path.name}.ledger*"):
        leftover.unlink()


def measure_figures(path: Path) -> None:
    """What the page counts, without drawing; the first time and when the files are known."""
    with closing(open_analysis(path)) as connection:
        for period in ("Last 30 days", "Last 30 days", "Last 12 months"):
            report = figures.FigureReport(connection, figures.asked(period, zone=ZoneInfo("Europe/Paris")))
            timed(f"the four on top, {period.lower()}", report.headlines)
            for key in figures.FIGURES:
                timed(f"{key}, {period.lower()}", lambda report=report, key=key: report.figure(key))


# -- in a browser -------------------------------------------------------------------------------------------------


def measure_pages(url: str, data: Path) -> None:
    """From the address to a page that stands still: the first of a browser, then one whose files are known."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Paris")
        let_in(page, url, data)
        for name, address in ADDRESSES.items():
            for time_ in ("first", "again", "again"):
                began = time.perf_counter()
                page.goto(url + address)
                page.wait_for_function(STANDS)
                print(f"{(time.perf_counter() - began) * 1000:8.0f} ms  {name}, {time_}", flush=True)
        browser.close()


# The script has ended and the last lines of the page are there, charts drawn.
STANDS = """() => document.body.innerText.includes('Sign-in is off')
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
    && [...document.querySelectorAll('[data-testid="stPlotlyChart"]')].every(
        one => one.querySelector('.barlayer .point, .scatterlayer .trace'))"""


if __name__ == "__main__":
    main()
