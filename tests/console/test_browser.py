"""Journeys in a real browser, through a real console, to a Xero and a CrocoClick that answer."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.support.browser import ARGUMENTS, CHROMIUM, ROOT, answers, free_port, settled, shows
from tests.support.pages import opening
from tests.support.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """The demo world."""
    with Sandbox(world="demo", limits=False) as box:
        yield box


@pytest.fixture(scope="module")
def console(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The console in a process of its own, over an empty ledger and the demo world: its address and its folder."""
    port = free_port()
    data, url = tmp_path_factory.mktemp("data"), f"http://localhost:{port}"
    environment = {**os.environ, **box.environment(), "SYNCER_DATA_DIR": str(data)}
    environment["XERO_REDIRECT_URI"] = f"{url}/xero/callback"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with (data / "console.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            until(lambda: answers(f"{url}/healthz"))
            yield url, data
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def page(console: tuple[str, Path]) -> Iterator[Any]:
    """One browser window that was let in, of somebody in Paris."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context(
            base_url=console[0], viewport={"width": 1280, "height": 900}, timezone_id="Europe/Paris"
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        context.request.get(opening(*console))
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        yield page
        strangers = [url for url in asked if not re.match(r"(https?|ws)://(localhost|127\.0\.0\.1):|data:|blob:", url)]
        assert not strangers, "something asked for the world outside"
        browser.close()


def test_an_address_can_be_sent_to_somebody(page: Any):
    """The very first one that the console is asked for, whichever page it is."""
    page.goto("/attention?tab=skipped")
    page.get_by_text("Nothing is skipped.").wait_for()


def test_connect_set_up_sync_and_see_what_needs_somebody(page: Any):
    """From nothing to the first verdict, without leaving the browser."""
    page.goto("/")
    page.get_by_role("heading", name="Xero is not connected").wait_for()
    page.get_by_role("link", name="Connect Xero").click()
    settled(page).get_by_role("button", name="Allow access").click()
    page.get_by_text("Connected to Dupont Conseil.").wait_for()
    assert "code=" not in page.url
    page.goto("/connections?setting=revenue_account")
    page.get_by_role("textbox", name="Value").fill("706")
    settled(page).get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.goto("/")
    # The checks are still to do, so that the first sync asks once.
    settled(page).get_by_role("button", name="Sync now…").click()
    page.get_by_text("Readiness: Check it.").wait_for()
    page.get_by_role("button", name="Sync all the same").click()
    page.get_by_role("heading", name=re.compile(r"^\d+ invoices worth .+ need attention")).wait_for()
    page.get_by_text("TVA 5,5 % has no tax rate in Xero").wait_for()


def test_search_leads_to_the_invoice(page: Any):
    """Enter goes straight there; a name that several have leads to a short list."""
    number = number_of_a_held_one(page)
    page.goto("/runs")
    settled(page).keyboard.press("/")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.get_by_text("Not in Xero, because line 2 carries TVA 5,5 %").wait_for()
    assert re.search(r"/invoice\?invoice=\w{24}$", page.url)
    assert page.title() == f"{number} · CrocoClick → Xero"
    page.goto(f"/invoice/{number}")
    page.get_by_text("Not in Xero, because line 2 carries TVA 5,5 %").wait_for()
    search(page, "compta@martin.example")
    page.get_by_role("heading", name=re.compile("4 invoices fit")).wait_for()
    page.get_by_role("link", name=re.compile("FAC-")).first.click()
    page.get_by_text("2 Xero contacts share compta@martin.example").first.wait_for()


def test_pause_and_resume_from_any_page(page: Any):
    """Whoever has seen something wrong stops everything from where they are, and says why."""
    page.goto("/contacts")
    settled(page).get_by_text("Pause…").click()
    page.get_by_label("Why").fill("The tax looks wrong")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("“The tax looks wrong”").wait_for()
    page.goto("/")
    page.get_by_text("The connection is paused: nothing goes over").wait_for()
    assert page.get_by_role("button", name="Sync now").is_disabled()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("“The tax looks wrong”").wait_for(state="detached")
    page.get_by_text("Pause…").wait_for()


def search(page: Any, what: str) -> None:
    """Type into the box on top and press Enter."""
    box = page.get_by_placeholder("Search a number")
    box.fill(what)
    box.press("Enter")


def number_of_a_held_one(page: Any) -> str:
    """The number of an invoice that lacks a tax rate."""
    page.goto("/")
    page.get_by_role("link", name="TVA 5,5 % has no tax rate in Xero").click()
    found = page.get_by_role("link", name=re.compile("^FAC-")).first
    found.wait_for()
    return str(found.inner_text())


def test_requests_and_case_file(page: Any):
    """What was sent for one invoice, and a file to hand on."""
    page.goto("/invoice")
    row = page.get_by_role("row").filter(has_text="In Xero").first
    number = row.get_by_role("link").inner_text()
    row.get_by_role("link").click()
    page.get_by_text("Requests and answers").click()
    page.get_by_text("/api.xro/2.0/Invoices").first.wait_for()
    with page.expect_download() as download:
        settled(page).get_by_role("button", name="Case file", exact=True).click()
    written = Path(download.value.path()).read_text(encoding="utf-8")
    assert number in written
    assert "equal to the cent" in written


def test_trying_one_invoice_again_from_its_page(page: Any):
    """The order is carried out and the page tells what came of it."""
    page.goto(f"/invoice?invoice={number_of_a_held_one(page)}")
    settled(page).get_by_role("button", name="Try again").click()
    page.get_by_text("Your answer is on record, and a run has looked at the invoice since.").wait_for()
    page.get_by_text("Asked to try again").wait_for()
    page.goto("/runs")
    page.get_by_text("only ").first.wait_for()


def sync_until(page: Any, wait_for: Callable[[float], None]):
    """Press Sync now until it has brought what is waited for: a run of the watch that is at work refuses another."""

    too_long = pytest.importorskip("playwright.sync_api").TimeoutError

    def has_come() -> bool:
        settled(page).get_by_role("button", name="Sync now").click()
        try:
            wait_for(60_000)
        except too_long:
            page.reload()
            return False
        return True

    until(has_come)


def test_a_held_invoice_is_mapped_and_goes_over(page: Any, box: Sandbox):
    """From "why is it not in Xero?" to "in Xero, equal to the cent".

    The accountant adds two rates of 5.5 %, so nothing is chosen for a person; the other five wait for the same.
    """
    number = number_of_a_held_one(page)
    for name in ("TVA 5,5 % livres", "TVA 5,5 % travaux"):
        box.xero.add_tax_rate(name, 5.5)
    page.goto("/")
    several = page.get_by_role("link", name="Several Xero rates fit TVA 5,5 %")
    sync_until(page, lambda most_ms: several.wait_for(timeout=most_ms))
    search(page, number)
    page.get_by_text("Also for the 5 others that wait for the same").click()
    page.get_by_role("button", name="Map and retry", exact=True).wait_for()
    page.get_by_role("combobox", name="Answer").click()
    page.get_by_role("option", name=re.compile("TVA 5,5 % livres")).click()
    settled(page).get_by_role("button", name="Map and retry", exact=True).click()
    page.get_by_text("equal to the cent").first.wait_for()
    page.get_by_text(re.compile("Both books agree in all .+ fields")).wait_for()
    page.get_by_text(re.compile(r"Set tax\.5\.5% to TAX\d+, by ")).wait_for()


def test_the_rest_of_the_group_follows(page: Any):
    """What waited for the same answer goes over with the next run; the list has it under Settled."""
    page.goto("/attention")
    several = page.get_by_role("link", name="Several Xero rates fit TVA 5,5 %")
    sync_until(page, lambda most_ms: several.wait_for(state="detached", timeout=most_ms))
    page.goto("/attention?tab=settled")
    page.get_by_role("link", name="Several Xero rates fit TVA 5,5 %").first.wait_for()


def test_a_group_is_skipped_but_for_one(page: Any):
    """The tick that is taken away is an exception; the rest is left out, with a reason and whose word it was."""
    page.goto("/attention")
    page.get_by_role("link", name="2 Xero contacts share compta@martin.example").click()
    page.get_by_text("4 of 4 ticked").wait_for()
    page.locator("label").filter(has_text="Include FAC-").first.click()
    page.get_by_text("3 of 4 ticked").wait_for()
    settled(page).get_by_role("button", name="Skip…").click()
    page.get_by_role("textbox", name="Why").fill("Invoiced by the other company")
    settled(page).get_by_role("button", name="Skip 3 invoices").click()
    page.get_by_text("Left out until somebody takes that back.").wait_for()
    page.goto("/attention?tab=skipped")
    page.get_by_role("link", name="Invoiced by the other company").wait_for()


def test_contacts_are_imported_and_a_duplicate_is_answered(page: Any, box: Sandbox):
    """From one button to two contacts side by side, and the answer that links them."""
    page.goto("/contacts")
    page.get_by_role("heading", name="Contacts have not been imported yet").wait_for()
    settled(page).get_by_role("button", name="Import now").click()
    page.get_by_role("heading", name=re.compile(r"contacts of Xero are linked, 2 to review")).wait_for()
    assert any(str(one.get("source", "")).startswith("Xero ") for one in box.crococlick.contacts())
    page.get_by_role("link", name="See them side by side").first.click()
    page.get_by_text("2 Xero contacts and 1 CrocoClick contact share compta@martin.example").wait_for()
    settled(page).get_by_role("button", name="Link", exact=True).click()
    page.get_by_text("Claire Martin is linked to Martin").wait_for()
    page.goto("/contacts?tab=answered")
    page.get_by_text("Linked by a person.").wait_for()


def test_readiness_from_the_check_to_the_certificate(page: Any, box: Sandbox):
    """What stops what, what a choice would do before it is saved, a test there and back, and the paper."""
    page.goto("/readiness")
    settled(page).get_by_role("button", name="Check now").click()
    page.get_by_role("heading", name=re.compile("^Not ready: ")).wait_for()
    page.goto("/readiness?set=payment_account.GBP")
    page.get_by_role("combobox", name="In Xero").click()
    page.get_by_role("option", name=re.compile("GBP|sterling|Compte", re.I)).first.click()
    page.get_by_text("Releases 1 held invoice").wait_for()
    settled(page).get_by_role("button", name="Save").click()
    page.get_by_text("Saved: Payments in GBP").wait_for()
    page.get_by_role("textbox", name="For which contact").fill("Maxime Charpentier")
    settled(page).get_by_role("button", name="Send the test invoice").click()
    shows(page, "Everything as expected")
    made = [one for one in box.crococlick.invoices() if str(one["name"]).startswith("Test CrocoClick")]
    assert [one["status"] for one in made] == ["void"] and not box.crococlick.messages()
    with page.expect_download() as download:
        settled(page).get_by_role("button", name="Download the certificate").click()
    written = Path(download.value.path()).read_text(encoding="utf-8")
    assert "Ready for Xero? Dupont Conseil" in written and str(made[0]["invoiceNumber"]) in written


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/today",
        "/invoice",
        "/attention",
        "/attention?tab=skipped",
        "/runs",
        "/reports",
        "/contacts",
        "/readiness",
        "/connections",
        "/questions",
        "/sql",
        "/people",
        "/people?tab=audit",
    ],
)
def test_nothing_overflows_on_a_phone(page: Any, address: str):
    """At 390 pixels every page fits, is found at its address, and has one title."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.get_by_text("only this computer can open the console").wait_for()
    assert not page.get_by_text("Page not found").count()
    width = page.evaluate("Math.max(...[...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollWidth))")
    assert width <= 390
    assert page.locator("h1").count() == 1
    page.set_viewport_size({"width": 1280, "height": 900})


def test_reports_are_drawn_and_taken_away(page: Any):
    """Every picture stands; one click gives a figure's numbers as a file, and the days asked for are in the address."""
    page.goto("/reports?period=Custom+range&from=2026-01-01&view=Calls")
    page.get_by_role("heading", name="How many calls were made, by").wait_for()
    page.get_by_text("Numbers: ").first.click()
    with page.expect_download() as taken:
        settled(page).get_by_role("button", name="CSV").first.click()
    assert Path(taken.value.path()).read_text().splitlines()[0].endswith("Without success")
    page.locator("[data-testid=stPlotlyChart] .barlayer .point").first.wait_for()
    assert re.search(r"from=2026-01-01.*to=\d{4}-\d\d-\d\d", page.url)


def test_a_saved_question_is_run_changed_and_taken_away(page: Any):
    """From the list to its answer, with another number, and as a file; no trace of a program anywhere."""
    page.goto("/questions")
    page.get_by_role("link", name="Who owes the most").click()
    page.get_by_role("heading", name="Who owes the most").wait_for()
    page.locator(".answer tbody tr").first.wait_for()
    box = page.get_by_label("How many customers")
    box.fill("3")
    box.press("Enter")
    settled(page).get_by_role("button", name="Answer").first.click()
    page.locator(".answer tbody tr").nth(2).wait_for()
    page.wait_for_function("document.querySelectorAll('.answer tbody tr').length === 3")
    with page.expect_download() as taken:
        settled(page).get_by_role("button", name="CSV").first.click()
    lines = Path(taken.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "customer,currency,invoices,due,first_due" and len(lines) == 4
    assert "Traceback" not in page.content()
