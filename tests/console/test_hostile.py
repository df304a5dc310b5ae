"""Whatever somebody calls a customer, a line, a tax or a company: on every page and in every file it is text."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zipfile import ZipFile

import pytest

from console.desk.reports import ReportsDesk
from sandbox.server import Sandbox
from syncer.reports import figures
from syncer.reports.table_export import export
from tests.support.browser import ARGUMENTS, CHROMIUM, ROOT, answers, free_port
from tests.support.commands import run
from tests.support.hostile_texts import EVIL, TEXTS
from tests.support.pages import opening
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S, until

# The bound ends what would never end: so many pages take long on a busy machine.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(1800)]
SHEETS = ("csv", "xlsx")
# As a spreadsheet looks at a cell: blanks, control characters, marks without width and quotes do not count.
FORMULA = re.compile(r"[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\"]*[=+\-@＝＋－＠]")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
# Where a link may lead: our own pages, and each service's own screens.
LINKS_TO = ("localhost", "127.0.0.1", "app.crococlick.com", "go.xero.com", "")
# What in a page would run, load or lead away.
FOUND = """hosts => {
  const said = [...document.querySelectorAll('a[href], form[action], area[href]')]
    .filter(one => !(one.namespaceURI || '').endsWith('/svg'))
    .map(one => [one.getAttribute('href') || one.getAttribute('action'), one.href || one.action,
      one.parentElement?.outerHTML.slice(0, 300)])
    .filter(([_, url]) => !/^(https?:|blob:|mailto:|$)/.test(url) || !hosts.includes(URL.parse(url)?.hostname ?? ''))
    .map(([written, _, within]) => `${written} in ${within}`);
  const drawn = [...document.querySelectorAll('svg a')].map(one => one.outerHTML);
  const run = [...document.querySelectorAll('*')].flatMap(one => [...one.attributes]
    .filter(its => /^on/.test(its.name) || its.value.startsWith('javascript:'))
    .map(its => `${one.tagName} ${its.name}=${its.value}`));
  const loaded = [...document.querySelectorAll('[src], link[href], base, meta[http-equiv], iframe')]
    .map(one => one.outerHTML)
    .filter(html => html.includes('evil') || /^<(base|iframe|meta http-equiv=.?refresh)/.test(html));
  return [...said, ...drawn, ...run, ...loaded, ...(window.pwned ? [`ran ${window.pwned}`] : [])];
}"""
STANDS = "document.querySelector('[data-testid=\"stApp\"]')?.dataset.testScriptState === 'notRunning'"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Each text is a customer, and what an invoice, a line, its description and a tax are called."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"), SYNCER_WATCH="off")
        box.xero.organisation(Name=TEXTS[6])
        world.crm.profile(name=TEXTS[1])
        world.connect()
        world.set(revenue_account="706")
        for place, text in enumerate(TEXTS):
            customer = world.crm.add_contact(name=text, companyName=text, email=f"c{place}@example.org")
            line = {"name": text, "description": text, "qty": 1, "amount": 100}
            alike: dict[str, Any] = {"contact": customer, "name": text, "title": text, "termsNotes": text}
            world.has(f"OK-{place}", lines=[line | {"taxes": [20]}], **alike)
            if place % 3 == 0:
                strange = {"_id": f"t{place}", "name": text, "rate": place + 1, "calculation": "exclusive"}
                world.has(f"{text[:20]}-{place}", lines=[line | {"taxes": [strange]}], **alike)
        for place, text in enumerate(TEXTS):
            with suppress(ValueError):  # Xero takes no angle brackets
                box.xero.add_contact(Name=f"{text[:200]} {place}", EmailAddress=f"x{place // 2}@example.org")
        world.import_contacts()
        world.sync()
        for place, text in enumerate(TEXTS[::8]):
            world.order("skip", f"OK-{place}", because=text)
        proof = world.app.environment.data_dir / "closings" / "default" / "2026-01-01_2026-12-31_20270101T000000Z.jsonl"
        proof.parent.mkdir(parents=True)
        assert run(world, "reconcile", "--proof", str(proof)).returncode == 3
        yield world


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    """A console over it."""
    port = free_port()
    url = f"http://localhost:{port}"
    data = world.app.environment.data_dir
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with (data / "console.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **world.values, "XERO_REDIRECT_URI": f"{url}/xero/callback"},
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            until(lambda: answers(f"{url}/healthz"))
            yield url
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


class Eyes:
    """A browser that notes whatever should not have happened."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.seen: list[str] = []
        page.on("dialog", lambda dialog: (self.seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: EVIL in request.url.split("?")[0] and self.seen.append(request.url))

    def look(self, where: str) -> None:
        """At the page that is open."""
        for hovered in self.page.locator(".plot-container .nsewdrag").all()[:2]:
            hovered.hover(force=True)
        found = self.seen + self.page.evaluate(FOUND, LINKS_TO)
        assert not found, (where, found)


@pytest.fixture(scope="module")
def eyes(url: str, world: World) -> Iterator[Eyes]:
    """Let in, and looking."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_S * 1000)
        context.request.get(opening(url, world.app.environment.data_dir))
        yield Eyes(context.new_page())
        browser.close()


def addresses(world: World) -> list[str]:
    """Every page, the records among them, and texts in what an address asks for."""
    ids = [one["_id"] for one in world.crm.invoices()]
    shown = [f"/invoice?invoice={id_}" for id_ in ids[:: max(1, len(ids) // 6)]]
    asked = [TEXTS[14], TEXTS[6] + TEXTS[24]]
    given = [f"/{page}{quote(text)}" for text in asked for page in (
        "invoice?find=", "invoice?invoice=", "attention?group=", "contacts?tab=links&what=", "connections?connected=",
        "connections?setting=", "questions?question=", "runs?run=",
    )]  # fmt: skip
    other = [f"/?connection={quote(TEXTS[2])}", "/questions?question=customer&customer=e", "/questions?question=held"]
    tabs = ["/attention?tab=skipped", "/attention?tab=waiting", "/attention?tab=settled", "/contacts?tab=links"]
    tabs += ["/contacts?tab=duplicates", "/people?tab=audit"]
    plain = "/ /invoice /attention /contacts /readiness /runs /closing /reports /questions /sql".split()
    return [*plain, "/connections", "/people", *tabs, *shown, *other, *given]


def test_on_no_page_a_name_is_more_than_text(eyes: Eyes, world: World, url: str):
    """No element, handler, dialog, foreign request or link: on each page, and in each file that a page offers."""
    taken: dict[str, bytes] = {}
    for address in addresses(world):
        eyes.page.goto(address)
        eyes.page.wait_for_function(STANDS)
        eyes.page.locator("h1").first.wait_for()
        eyes.look(address)
        offered = eyes.page.get_by_test_id("stDownloadButton").get_by_role("button")
        for button in offered.all() if "find=" not in address else []:
            with eyes.page.expect_download() as download:
                button.click()
            name = download.value.suggested_filename
            assert "/" not in name and "\\" not in name and not name.startswith(".")
            taken[f"{address} {name}"] = Path(download.value.path()).read_bytes()
    assert {name.rpartition(".")[2] for name in taken} >= {"html", "json", "csv", "xlsx", "parquet"}
    for name, content in taken.items():
        nothing_runs_in(name, content, eyes)


def test_the_readiness_report_and_its_certificate(eyes: Eyes, world: World):
    """After a check of all that: the page, and the file to hand over."""
    eyes.page.goto("/readiness")
    eyes.page.get_by_role("button", name="Check now").click()
    button = eyes.page.get_by_role("button", name="Download the certificate")
    button.wait_for()
    eyes.page.wait_for_function(STANDS)
    eyes.look("the report")
    with eyes.page.expect_download() as download:
        button.click()
    nothing_runs_in("certificate.html", Path(download.value.path()).read_bytes(), eyes)


def test_in_no_table_that_leaves_a_name_is_a_formula(world: World, eyes: Eyes, tmp_path: Path):
    """Each analysis table, and each figure of the reports."""
    world.app.analysis.refresh()
    for kind in world.app.analysis.tables:
        for suffix in SHEETS:
            path = tmp_path / f"{kind}.{suffix}"
            export(world.app.analysis, kind, path)
            nothing_runs_in(path.name, path.read_bytes(), eyes)
    desk = ReportsDesk(world.app, ("default",), datetime.now(UTC))
    keys = ["taxes", "stopped", "currencies", "statuses", "moved"]
    for figure in desk.counted(figures.asked(connections=("default",)), keys).figures.values():
        for suffix in SHEETS:
            nothing_runs_in(f"{figure.key}.{suffix}", desk.file(suffix, figure), eyes)


def nothing_runs_in(name: str, content: bytes, eyes: Eyes) -> None:
    """Whoever opens the file sees text."""
    looks = {"html": _html, "json": _json, "csv": _csv, "xlsx": _xlsx}
    if look := looks.get(name.rpartition(".")[2]):
        look(name, content, eyes)


def _html(name: str, content: bytes, eyes: Eyes) -> None:
    eyes.page.set_content(content.decode())
    eyes.look(name)


def _json(name: str, content: bytes, eyes: Eyes) -> None:
    json.loads(content)


def _csv(name: str, content: bytes, eyes: Eyes) -> None:
    told = content.decode("utf-8-sig")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(told, newline=""), delimiter=separator):
            wrong = [cell for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell)]
            assert not wrong, (name, separator, wrong)


def _xlsx(name: str, content: bytes, eyes: Eyes) -> None:
    with ZipFile(io.BytesIO(content)) as book:
        for part in book.namelist():
            told = book.read(part)
            assert not re.search(rb"<f[ >]|<hyperlink|externalLink|TargetMode=.External", told), (name, part)
