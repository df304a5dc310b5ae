"""How long the console takes with a busy year in the ledger: python bench/console.py [--keep FOLDER] [--browser]."""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from syncer.domain.matching.contact_import import ImportOutcome, ImportRules, decide_import
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import Account, BookContact, BookInvoice, Books, Organisation, TaxRate, books_text
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status, Tax
from syncer.domain.model.problems import Problem
from syncer.domain.ports import CallRecord
from syncer.storage.database.store import Store
from syncer.storage.ledger.contacts import decided
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import AttemptResult, AttemptStart, PlannedState

NOW = datetime.now(UTC)
BROWSER = "/usr/bin/chromium"
PORT = 8577
BATCH = 625  # larger than a real one, to fill the ledger sooner
PAGES = {
    "Today": "/",
    "a search for a name": "/invoice?find=customer%2012",
    "Invoices": "/invoice",
    "one invoice": "/invoice?invoice=INV-012345",
    "Attention": "/attention",
    "its largest group": "/attention?group=LARGEST",
    "what was settled": "/attention?tab=settled",
    "Contacts": "/contacts",
    "duplicates side by side": "/contacts?tab=duplicates",
    "all contacts": "/contacts?tab=links",
    "a search among them": "/contacts?tab=links&what=customer%201234",
    "Readiness": "/readiness",
    "Runs": "/runs",
    "Connections": "/connections",
}


def main() -> None:
    """Fill a ledger and measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--invoices", type=int, default=25_000)
    asked.add_argument("--contacts", type=int, default=25_000, help="contacts on either side")
    asked.add_argument("--held", type=float, default=0.02, help="share of invoices that a person has to look at")
    asked.add_argument("--keep", type=Path, help="folder for the ledger, kept afterwards")
    asked.add_argument("--browser", action="store_true", help="measure pages in a browser as well")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.keep or Path(folder)
        data.mkdir(parents=True, exist_ok=True)
        os.environ |= {"SYNCER_DATA_DIR": str(data), "XERO_CLIENT_ID": "bench", "CROCOCLICK_TOKEN": "pit-bench"}
        timed("ledger filled", lambda: fill(Ledger(Store(data / "ledger.duckdb"), "default"), options))
        measure_questions()
        if options.browser:
            with console(data) as url:
                measure_pages(url, data)


def timed(what: str, do: Callable[[], Any], times: int = 1) -> None:
    """Do it, and say what one took on average."""
    began = time.perf_counter()
    for _ in range(times):
        do()
    print(f"{(time.perf_counter() - began) / times * 1000:8.0f} ms  {what}", flush=True)


def measure_questions() -> None:
    """What the pages ask, without drawing."""
    from console.desk.desk import Desk
    from console.desk.installation import installation
    from syncer.onboarding import readiness as readiness_onboarding
    from syncer.support import contacts, work_list

    desk = Desk(installation())
    timed("today", desk.today, 3)
    timed("all groups, anew", lambda: work_list.groups(desk.ledger), 3)
    timed("the largest group, anew", lambda: work_list.members(desk.ledger, desk.groups()[0]), 3)
    timed("what was settled", desk.settled, 3)
    timed("a search for a number", lambda: desk.find("INV-012345"), 3)
    timed("a search for a name", lambda: desk.find("customer 12"), 3)
    timed("a search for an amount", lambda: desk.find("5,796.00"), 3)
    timed("a search with a wrong letter", lambda: desk.find("custemer 12"), 3)
    timed("one invoice's story", lambda: desk.explain(desk.find("INV-000012")[0]), 3)
    timed("its requests", lambda: desk.requests(desk.explain(desk.find("INV-000012")[0])), 3)
    timed("runs", desk.runs, 3)
    timed("contacts that may be the same, anew", lambda: contacts.ContactBook(desk.ledger).groups(), 3)
    timed("a search among all contacts", lambda: desk.contacts.rows("", "customer 1234", 50, 0), 3)
    timed("the readiness report, anew", lambda: readiness_onboarding.from_ledger(desk.connection), 3)
    timed("connections", lambda: (desk.account(), desk.settings()), 3)


# -- in a browser -------------------------------------------------------------------------------------------------


@contextmanager
def console(data: Path, **more: str) -> Iterator[str]:
    """The console on a port of its own, and nobody at work in the background."""
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(PORT)]
    given = {"SYNCER_DATA_DIR": str(data), "SYNCER_WATCH": "off", **more}
    server = subprocess.Popen([*command, "--server.headless", "true"], cwd=ROOT, env=os.environ | given)
    try:
        url = f"http://localhost:{PORT}"
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def let_in(browser_page: Any, url: str, data: Path) -> None:
    """Open the console with the address that it printed."""
    browser_page.goto(f"{url}/?token={(data / 'console.token').read_text().strip()}")


def measure_pages(url: str, data: Path) -> None:
    """From the address to a page that stands still: the first of a browser, then one whose files are known."""
    from playwright.sync_api import sync_playwright

    from console.desk.desk import Desk
    from console.desk.installation import installation

    largest = max(Desk(installation()).groups(), key=lambda group: group.size).key
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        let_in(page, url, data)
        for name, address in PAGES.items():
            for time_ in ("first", "again"):
                began = time.perf_counter()
                page.goto(url + address.replace("LARGEST", largest))
                page.wait_for_function(STANDS)
                print(f"{(time.perf_counter() - began) * 1000:8.0f} ms  {name}, {time_}", flush=True)
        browser.close()


# The script has ended and the last line of every page is there, charts drawn.
STANDS = """() => document.body.innerText.includes('Sign-in is off')
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
    && [...document.querySelectorAll('[data-testid="stPlotlyChart"]')].every(one => one.querySelector('.bars'))"""


# -- a ledger ------------------------------------------------------------------------------------------------------


def fill(ledger: Ledger, options: argparse.Namespace) -> None:
    """Invoices of a year, most of them brought over in runs of the last days, some held."""
    rng = random.Random(7)
    ledger.save_connection(NOW, state="connected", organisation_name="A busy shop", location_name="A busy shop")
    invoices = [_invoice(n, rng) for n in range(options.invoices)]
    held = {one.source_id for one in invoices if rng.random() < options.held}
    size = max(1, len(invoices) // 40)
    for place, start in enumerate(range(0, len(invoices), size)):
        _run(ledger, place, invoices[start : start + size], held)
    _people(ledger, options.contacts)
    ledger.mirror(NOW, reached=["books"], books=books_text(BOOKS))
    _check()


def _people(ledger: Ledger, number: int) -> None:
    """As many contacts on either side; of every fifty two share an email, and one looks like another."""
    book = [
        BookContact(
            f"x{n:06d}", f"Customer {n}", f"c{n - 1 if n % 50 == 49 else n}@example.com", phone=f"+33 1 {n:08d}"
        )
        for n in range(number)
    ]
    ours = [
        SourceContact(f"c{n}", f"Customer {n}", f"c.{n}@example.com" if n % 50 == 7 else f"c{n}@example.com")
        for n in range(number)
    ]
    ledger.begin_run("import", "", "bench", 1, NOW, "import")
    for start in range(0, number, 1000):
        ledger.mirror(NOW, contacts=book[start : start + 1000])
    ledger.see_contacts(ours, NOW)
    verdicts = decide_import(book, ours, ledger.contact_links(), {}, ImportRules())
    links = {one.source_id: (one.contact.id, "email") for one in verdicts if one.outcome is ImportOutcome.LINKED}
    ledger.keep_import("import", [decided(one) for one in verdicts], links, NOW)
    ledger.finish_run("import", "done", None, {"outcomes": {}, "calls": {"xero": 25, "crococlick": 51}}, NOW)


def _check() -> None:
    """A report, as `check` keeps it."""
    from console.desk.desk import Desk
    from console.desk.installation import installation
    from syncer.onboarding import readiness as readiness_onboarding

    connection = Desk(installation()).connection
    at = NOW.isoformat()
    scopes = ["accounting.invoices", "accounting.payments", "accounting.contacts", "accounting.settings"]
    consent = {"access_token": "t", "refresh_token": "t", "tenant_id": "o1", "expires_at": at, "obtained_at": at}
    connection.app.vault.put("xero:default", {**consent, "scopes": scopes})
    readiness_onboarding.keep(
        connection.ledger, readiness_onboarding.from_ledger(connection, readiness_onboarding.LiveFindings({}))
    )


BOOKS = Books(
    Organisation("o1", "A busy shop", "FR", "EUR", "GLOBAL", "PREMIUM"),
    accounts=(Account("a1", "706", "Ventes", "REVENUE", klass="REVENUE"),),
    tax_rates=(TaxRate("TAX001", "TVA 20 %", Decimal(20)),),
    currencies=frozenset({"EUR", "GBP", "USD"}),
)


def _invoice(n: int, rng: random.Random) -> Invoice:
    customer = n % 3000
    lines = tuple(
        LineItem(f"Article {rng.randrange(900)}", Decimal(rng.randint(1, 9)), Decimal(rng.randint(100, 9999)) / 100,
                 (Tax("t20", "TVA 20 %", Decimal(20)),))
        for _ in range(rng.randint(1, 6))
    )  # fmt: skip
    total = (sum((line.amount for line in lines), Decimal(0)) * Decimal("1.2")).quantize(Decimal("0.01"))
    return Invoice(
        source_id=f"{n:024x}",
        number=f"INV-{n:06d}",
        status=Status.SENT,
        live=True,
        customer=Customer(f"c{customer}", f"Customer {customer}", f"c{customer}@example.com"),
        currency=rng.choices(("EUR", "GBP", "USD"), (8, 1, 1))[0],
        issue_date=NOW.date() - timedelta(days=365 - n * 365 // 25_000),
        due_date=None,
        lines=lines,
        total=total,
        amount_due=total,
    )


def _run(ledger: Ledger, place: int, part: Sequence[Invoice], held: set[str]) -> None:
    at = NOW - timedelta(hours=4 * (40 - place))
    run_id = f"{at:%Y%m%d-%H%M%S}-{place:06x}"
    ledger.begin_run(run_id, "", "bench", 1, at)
    ledger.see(run_id, part, at)
    ledger.settle_verdicts(run_id, [_verdict(one, n) for n, one in enumerate(part) if one.source_id in held], at)
    going = [one for one in part if one.source_id not in held]
    for start in range(0, len(going), BATCH):
        _batch(ledger, run_id, at, start, going[start : start + BATCH])
    ledger.take_customers(at)
    outcomes = {"created": len(going), "held": len(part) - len(going)}
    result = {"outcomes": outcomes, "money": {}, "calls": {"xero": len(going) // 50 + 5, "crococlick": 9}}
    ledger.finish_run(run_id, "done", None, result, at + timedelta(seconds=40))


def _verdict(invoice: Invoice, n: int) -> PlannedState:
    problems = (
        Problem("tax_unmapped", {"tax": f"TVA {n % 5} %", "rate": f"{n % 5}%", "line": n % 3 + 1}),
        Problem("contact_name_taken", {"name": invoice.customer.name, "other_email": "x@example.com"}),
        Problem("due_date_missing", {"number": invoice.number}),
        Problem("number_taken", {"number": invoice.number, "xero_status": "PAID"}),
    )
    return PlannedState(invoice.source_id, "held", problems[n % 4])


def _batch(ledger: Ledger, run_id: str, at: datetime, start: int, part: Sequence[Invoice]) -> None:
    call_id = f"{run_id}-{start}"
    intents = [
        AttemptStart("invoice", one.source_id, "create", one.number, call_id, n, "k", one.fingerprint)
        for n, one in enumerate(part)
    ]
    ids = ledger.commit(run_id, at, intents=intents)
    endings = [
        AttemptResult(
            "invoice", one.source_id, "created", "synced", id_, invoice=_in_xero(one), fingerprint=one.fingerprint
        )
        for one, id_ in zip(part, ids, strict=True)
    ]
    call = CallRecord(call_id, at, "xero", "PUT", "/api.xro/2.0/Invoices", 200, 800, minute_left=50, day_left=800)
    ledger.commit(run_id, at + timedelta(seconds=1), endings=endings, calls=[call])


def _in_xero(one: Invoice) -> BookInvoice:
    return BookInvoice(f"x{one.source_id}", one.number, "AUTHORISED", one.currency, one.total, Decimal(0), one.total)


if __name__ == "__main__":
    main()
