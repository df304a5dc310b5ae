"""Which requests are answered, and what every answer carries."""

import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from console import startup_token
from console.desk.desk import Desk
from console.desk.installation import installation
from console.request_gate import GATE, NOT_OFFERED, REFUSAL
from console.routes import ROUTES
from tests.support.callers import HERE, begin, caller

PAGE = "a page of ours"
PAGES = ("/", "/invoice?invoice=1", "/media/abc.csv", "/static/js/index.js", "/_stcore/host-config", "/xero/connect")
# What proxies, tunnels and content networks send; by any of them somebody else speaks.
FORWARDED = (
    {"Forwarded": "for=192.0.2.7"}, {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "localhost"}, {"X-Forwarded-Prefix": "/x"}, {"X-Real-IP": "192.0.2.7"}, {"Via": "1.1 proxy"},
    {"CF-Connecting-IP": "192.0.2.7"}, {"CF-Ray": "1"}, {"True-Client-IP": "192.0.2.7"}, {"X-Client-IP": "192.0.2.7"},
    {"Fastly-Client-IP": "192.0.2.7"}, {"Fly-Client-IP": "192.0.2.7"}, {"X-Original-Forwarded-For": "192.0.2.7"},
    {"Tailscale-User-Login": "a@b.example"}, {"X-Envoy-External-Address": "192.0.2.7"}, {"X-Scheme": "https"},
    {"x-forwarded-for": "127.0.0.1"}, {"X-Forwarded-For": ""},
)  # fmt: skip


async def _page(_: object) -> PlainTextResponse:
    return PlainTextResponse(PAGE)


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(PAGE)


def visitor(is_let_in: bool = False, name: str = "http://localhost:8501", client: tuple[str, int] = HERE) -> TestClient:
    """Somebody who asks for anything, over the routes, the pages and the websocket."""
    pages = [WebSocketRoute("/_stcore/stream", _stream), Route("/{path:path}", _page, methods=["GET", "PUT", "POST"])]
    app = Starlette(routes=[*ROUTES, *pages], middleware=[GATE])
    found = TestClient(app, base_url=name, client=client, follow_redirects=False)
    if is_let_in:
        found.cookies.set(*startup_token.cookie())
    return found


def hears(door: TestClient, headers: Mapping[str, str] | None = None) -> bool:
    """Whether the websocket is opened."""
    try:
        address = f"ws://{door.base_url.netloc.decode()}/_stcore/stream"
        with door.websocket_connect(address, headers=dict(headers or {})) as socket:
            return bool(socket.receive_text() == PAGE)
    except WebSocketDisconnect:
        return False


def test_without_the_token_nothing_is_shown_and_the_page_says_how_to_get_in(desk: Desk):
    """On this machine, under its own name: pages, files, the websocket and the way to Xero all ask for the token."""
    for path in PAGES:
        answer = visitor().get(path)
        assert (path, answer.status_code, PAGE in answer.text) == (path, 403, False)
        assert "the address which the console prints when it starts" in " ".join(answer.text.replace("\n", " ").split())
        assert "console.token" in answer.text and startup_token.token() not in answer.text
    assert not hears(visitor())


def test_the_address_with_the_token_lets_a_browser_in(desk: Desk):
    """It is led on to the same address without the token, and from then on its cookie counts."""
    door = visitor()
    led = door.get(f"/invoice?find=a%20b&token={startup_token.token()}&tab=1")
    assert (led.status_code, led.headers["location"]) == (303, "/invoice?find=a+b&tab=1")
    cookie = led.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age" not in cookie and "expires" not in cookie
    assert startup_token.token() not in led.headers["set-cookie"] and led.headers["referrer-policy"] == "no-referrer"
    assert door.get("/invoice").text == PAGE
    assert hears(door)


@pytest.mark.parametrize("given", ["wrong", "", "é", "\x00", "a" * 10_000])
def test_a_wrong_token_lets_nobody_in(desk: Desk, given: str):
    """Whatever is tried; the page says that it was wrong."""
    answer = visitor().get("/", params={"token": given})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert ("That token is not the one of this console" in answer.text) == bool(given)
    name, _ = startup_token.cookie()
    forged = visitor()
    forged.cookies.set(name, "0" * 64)
    assert forged.get("/").status_code == 403


def test_the_page_leads_on_to_what_was_asked_for(desk: Desk):
    """Its form keeps the rest of the address, as text."""
    told = visitor().get("/invoice", params={"find": '"><script>x</script>', "token": "wrong", "tab": "1"}).text
    assert 'name="find" value="&quot;&gt;&lt;script&gt;' in told and 'name="tab" value="1"' in told
    assert "<script" not in told and 'value="wrong"' not in told


def test_a_token_in_the_address_leads_nowhere_else(desk: Desk):
    """An address with two slashes would lead to another host."""
    for path in ("//evil.example/x", "/\\evil.example/x", "///evil.example"):
        found = visitor().build_request("GET", "http://localhost:8501/")
        found.url = found.url.copy_with(raw_path=f"{path}?token={startup_token.token()}".encode())
        led = visitor().send(found).headers["location"]
        assert urlsplit(led).netloc == "" and led.startswith("/") and not led.startswith(("//", "/\\"))


@pytest.mark.parametrize("headers", FORWARDED, ids=lambda headers: "-".join(next(iter(headers.items()))))
def test_who_comes_through_a_proxy_is_not_here(desk: Desk, headers: dict[str, str]):
    """Whatever header the proxy adds, and although the browser has the cookie or brings the token."""
    door = visitor(is_let_in=True)
    for path in (*PAGES, "/healthz", f"/?token={startup_token.token()}"):
        answer = door.get(path, headers=headers)
        assert (path, answer.status_code, answer.text) == (path, 403, REFUSAL)
    assert not hears(door, headers)
    assert door.post("/webhooks/crococlick", headers=headers).status_code == 401, "a signed event may come through"


def test_a_proxy_that_says_nothing_of_itself_lets_nobody_in(desk: Desk):
    """It looks like this machine; the token is what it lacks."""
    assert visitor(name="http://127.0.0.1:8501").get("/connections").status_code == 403
    assert not hears(visitor(name="http://127.0.0.1:8501"))


def test_the_token_is_kept_for_the_user_alone_and_outlives_a_start(desk: Desk):
    """Made once; of many programs that start at once all have the same."""
    path = desk.app.environment.data_dir / startup_token.FILE
    found: list[str] = []
    many = [threading.Thread(target=lambda: found.append(startup_token._kept.__wrapped__(path))) for _ in range(8)]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    assert len(set(found)) == 1 and len(found[0]) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert startup_token.token() == found[0] == path.read_text().strip()
    assert [one.name for one in path.parent.glob(".console*")] == []


def test_a_token_that_is_empty_or_no_text_is_made_anew(desk: Desk):
    """An empty file is no key that opens for an empty answer."""
    path = desk.app.environment.data_dir / startup_token.FILE
    for content in (b"", b"\n", b"\xff\xfe"):
        path.write_bytes(content)
        startup_token._kept.cache_clear()
        assert len(startup_token.token()) >= 40
        assert not startup_token.is_token("")


def test_where_no_token_can_be_kept_one_holds_until_the_program_ends(tmp_path: Path):
    """A directory that cannot be made, also by root: the console still says where its way in is."""
    (tmp_path / "data").write_text("a file stands where the directory should be")
    path = tmp_path / "data" / "console.token"
    assert startup_token._kept(path) == startup_token._kept(path) != ""


def test_what_streamlit_offers_and_no_page_uses_is_refused(desk: Desk):
    """Files that anybody could put into the console's memory, its door for programs, and from elsewhere its metrics."""
    door = visitor(is_let_in=True)
    for path in ("/_stcore/upload_file/session/1", "/_stcore/agent/mcp", "/x/_stcore/agent/interact"):
        for answer in (door.get(path), door.put(path, content=b"x"), door.post(path, content=b"x")):
            assert (answer.status_code, answer.text) == (404, NOT_OFFERED)
    assert door.get("/_stcore/metrics").text == PAGE
    assert door.get("/_stcore/metrics", headers={"X-Forwarded-For": "1.1.1.1"}).text == NOT_OFFERED


def test_every_answer_can_be_framed_by_nobody_and_is_what_it_says(desk: Desk):
    """Pages, routes, refusals and redirects alike; what a route has set itself stays."""
    here = visitor(is_let_in=True)
    answers = [
        here.get("/"), here.get("/healthz"), here.get("/xero/callback"), here.get("/xero/connect"),
        here.post("/webhooks/crococlick"), here.put("/_stcore/upload_file/a/b"), visitor().get("/"),
        visitor().get(f"/?token={startup_token.token()}"), visitor(client=("192.0.2.7", 1)).get("/"),
    ]  # fmt: skip
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert (answer.headers["x-frame-options"], answer.headers["x-content-type-options"]) == ("DENY", "nosniff")
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert here.get("/xero/callback").headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_another_site_begins_no_consent(desk: Desk, site: str):
    """Although the browser would send our cookie with it: nothing is written."""
    kept = {path: path.stat().st_mtime_ns for path in desk.app.environment.data_dir.iterdir()}
    door = visitor(is_let_in=True)
    for _ in range(3):
        answer = door.get("/xero/connect", headers={"Sec-Fetch-Site": site, "Origin": "https://evil.example"})
        assert (answer.status_code, "Another site asked for that" in answer.text) == (403, True)
        assert door.get("/xero/connect").status_code == 403, "without the word that the page gives it"
    assert kept == {path: path.stat().st_mtime_ns for path in desk.app.environment.data_dir.iterdir() if path in kept}
    assert begin(caller()).status_code == 303


def test_with_a_sign_in_health_tells_a_stranger_yes_or_no(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Also under `localhost` and through a proxy that says nothing of itself; with the token it tells all."""
    for name, value in {
        "CONSOLE_URL": "https://console.example.com", "CONSOLE_ADMINS": "a@example.com", "OIDC_CLIENT_ID": "c",
        "OIDC_METADATA_URL": "https://id.example/openid", "OIDC_CLIENT_SECRET": "s",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    installation.cache_clear()
    door = visitor()
    for headers in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}):
        assert door.get("/healthz", headers=headers).json() == {"ok": True}
    given = {"Authorization": f"Bearer {startup_token.token()}"}
    assert "watch" in door.get("/healthz", headers=given).json()
    assert door.get("/healthz", headers={**given, "Via": "1.1 proxy"}).json() == {"ok": True}
    assert door.get("/").text == PAGE, "with a sign-in no token is asked for"
    installation.cache_clear()
