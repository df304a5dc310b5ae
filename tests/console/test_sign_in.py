"""Signing in with a real provider over HTTP, in a real browser: deep links, roles, and rights that are taken away."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import oidc_provider_mock
import pytest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from syncer.app import environment
from syncer.app.installation import App
from syncer.domain.access import Right
from tests.support.browser import ARGUMENTS, CHROMIUM, ROOT, answers, free_port
from tests.support.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PEOPLE = {
    "admin@example.com": True, "Anna@Example.com": True, "olga@example.com": True, "forged@example.com": False,
    "stranger@elsewhere.example": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """An OpenID provider with a few people; one has never shown that the address is theirs."""
    users = [
        oidc_provider_mock.User(sub=email, claims={"email": email, "email_verified": verified})
        for email, verified in PEOPLE.items()
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def house(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, App]]:
    """A console that people sign in to: its address and its installation."""
    port, data = free_port(), tmp_path_factory.mktemp("data")
    url = f"http://localhost:{port}"
    values = {
        "SYNCER_DATA_DIR": str(data), "CONSOLE_URL": url, "CONSOLE_ADMINS": "admin@example.com",
        "OIDC_METADATA_URL": f"{provider}/.well-known/openid-configuration", "OIDC_CLIENT_ID": "console",
        "OIDC_CLIENT_SECRET": "secret-of-the-console", "CROCOCLICK_TOKEN": "pit", "CROCOCLICK_LOCATION_ID": "Loc1",
        "XERO_CLIENT_ID": "app", "XERO_REDIRECT_URI": f"{url}/xero/callback",
        **dict.fromkeys(("XERO_API_URL", "XERO_LOGIN_URL", "XERO_IDENTITY_URL", "CROCOCLICK_API_URL"), provider),
    }  # fmt: skip
    app = App(environment.environment(values, Path("/nowhere")))
    app.register.change(Right("@example.com", "viewer"), "a test", app.clock.now())
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with (data / "console.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env={**os.environ, **values}, stdout=log, stderr=log
        )
        try:
            until(lambda: answers(f"{url}/healthz"))
            yield url, app
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all of them."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, house: tuple[str, App]) -> Iterator[Visit]:
    """Somebody with a browser of their own opens an address, and signs in where a name is given."""
    contexts = []

    def visited(address: str, email: str = "") -> Any:
        context = browser.new_context(base_url=house[0], viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        if email:
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.get_by_role("button", name=email).click()
        return page

    yield visited
    for context in contexts:
        context.close()


def test_nobody_sees_anything_before_signing_in(house: tuple[str, App], visit: Visit):
    """Neither pages nor their names; health and what is signed or carries a state answer without."""
    page = visit("/invoice?invoice=abc")
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.get_by_role("link", name="Connections").count() == 0
    assert httpx.get(f"{house[0]}/healthz").json()["ok"] is True
    assert httpx.get(f"{house[0]}/xero/callback?state=forged&code=x").status_code == 400
    assert httpx.get(f"{house[0]}/xero/connect").status_code == 403


def test_an_address_survives_the_sign_in(visit: Visit):
    """What was asked for is shown, record and all; somebody of a known domain may look, and change nothing."""
    page = visit("/invoice?find=FAC-77", "Anna@Example.com")
    page.get_by_role("heading", name="No invoice fits “FAC-77”").wait_for()
    assert page.url.endswith("/invoice?find=FAC-77")
    page.goto("/connections")
    page.get_by_role("heading", name="Connections").wait_for()
    page.get_by_text("Connect Xero: for admins.").wait_for()
    assert page.get_by_role("link", name="Connect Xero", exact=True).count() == 0
    assert page.get_by_text("Sign-in is off").count() == 0


@pytest.mark.parametrize(
    ("email", "heading"),
    [("forged@example.com", "Sign in"), ("stranger@elsewhere.example", "stranger@elsewhere.example has no access")],
)
def test_who_is_not_known_is_refused(visit: Visit, email: str, heading: str):
    """A domain that nobody named; an email that the provider has not verified, although its domain is known."""
    page = visit("/", email)
    page.get_by_role("button", name="Sign in as somebody else").wait_for()
    page.get_by_role("heading", name=heading).wait_for()


def test_an_admin_names_people_and_may_connect(house: tuple[str, App], visit: Visit):
    """The first admin is named by the installation; a consent begins in their name, and the trail says who did what."""
    url, app = house
    page = visit("/people", "admin@example.com")
    page.get_by_text("Add person").wait_for()
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    page.get_by_text("Add person").click()
    page.get_by_role("textbox", name="Who").fill("Olga@Example.com")
    page.get_by_text("Operator", exact=True).click()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("olga@example.com is an operator from now on.").wait_for()
    assert {right.who: right.role for right in app.register.rights()}["olga@example.com"] == "operator"
    page.goto("/people?tab=audit")
    page.get_by_role("cell", name="Named a person olga@example.com").wait_for()
    page.goto("/connections")
    begins = page.get_by_role("link", name="Connect Xero", exact=True).get_attribute("href")
    assert begins
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    address, forged = f"{url}/{begins.removeprefix('./')}", begins.replace("connect?", "connect?connection=other&")
    assert httpx.get(address).status_code == 403, "in another browser than the one that shows the button"
    assert httpx.get(f"{url}/{forged.removeprefix('./')}", cookies=cookies).status_code == 403
    led = httpx.get(address, cookies=cookies)
    assert (led.status_code, "/identity/connect/authorize" in led.headers["location"]) == (303, True)
    assert httpx.get(address, cookies=cookies).status_code == 403, "it is good once"


def test_a_right_that_is_taken_away_is_gone_with_the_next_click(house: tuple[str, App], visit: Visit):
    """Also for whoever has the page open."""
    _, app = house
    app.register.change(Right("olga@example.com", "operator"), "a test", app.clock.now())
    page = visit("/readiness", "olga@example.com")
    check = page.get_by_role("button", name="Check now")
    check.wait_for()
    assert check.is_enabled()
    app.register.change(Right("olga@example.com", "none"), "a test", app.clock.now())
    page.get_by_role("heading", name="olga@example.com has no access").wait_for()
    app.register.remove("olga@example.com", "a test", app.clock.now())


def test_signing_out_ends_it_in_every_tab_and_copy(house: tuple[str, App], visit: Visit, browser: Any):
    """The cookie is taken back; a copy of it is worth nothing, and a tab that stayed open asks to sign in."""
    page = visit("/runs", "Anna@Example.com")
    page.get_by_role("heading", name="Runs").wait_for()
    kept = page.context.cookies()
    other = page.context.new_page()
    other.goto("/connections")
    other.get_by_role("heading", name="Connections").wait_for()
    page.get_by_role("button", name="anna").click()
    page.get_by_role("button", name="Sign out").click()
    thief = browser.new_context(base_url=house[0])
    thief.add_cookies(kept)
    copied = thief.new_page()
    copied.goto("/runs")
    copied.get_by_role("button", name="Sign in").wait_for()
    thief.close()
    other.get_by_role("link", name="Runs").click()
    other.get_by_role("button", name="Sign in").wait_for()


def test_a_sign_in_ends_by_itself(house: tuple[str, App], browser: Any):
    """After the hours that are set, whatever the cookie says."""
    url, app = house
    secret = app.vault.get("console")["cookie_secret"]
    for age_h, known in ((11, True), (13, False)):
        claims = {
            "is_logged_in": True, "origin": url, "provider": "default", "email": "admin@example.com",
            "email_verified": True, "iat": int(time.time()) - age_h * 3600, "sub": f"s{age_h}",
        }  # fmt: skip
        context = browser.new_context(base_url=url)
        value = create_signed_value(secret, "_streamlit_user", json.dumps(claims)).decode()
        context.add_cookies([{"name": "_streamlit_user", "value": value, "url": url}])
        page = context.new_page()
        page.goto("/people")
        page.get_by_role("heading", name="People" if known else "Sign in", exact=True).wait_for()
        context.close()


def test_another_name_does_not_lead_here(house: tuple[str, App]):
    """Except for health: who asks for that may know us by a number."""
    port = house[0].rsplit(":", 1)[1]
    for path, status in (("/", 403), ("/xero/connect", 403), ("/healthz", 200)):
        asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "evil.example"})
        try:
            found = urllib.request.urlopen(asked).status
        except urllib.error.HTTPError as refused:
            found = refused.code
        assert (path, found) == (path, status)
