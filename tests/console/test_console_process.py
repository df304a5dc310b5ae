"""A real console: who may open its websocket, which paths lead out of it, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, generate_xsrf_token_string
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from syncer.app import environment
from syncer.app.installation import App
from syncer.domain.access import Right
from syncer.storage.heartbeat import watching
from tests.support.browser import ROOT, answers, free_port
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.xdist_group("console process")
PAGES = ("", "invoice", "attention", "contacts", "readiness", "runs", "reports", "questions", "sql", "connections",
         "people")  # fmt: skip


@dataclass(frozen=True)
class House:
    """A console that people sign in to."""

    port: int
    app: App
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def cookie(self, email: str) -> str:
        """The cookie of somebody who has signed in."""
        claims = {
            "is_logged_in": True, "origin": self.url, "provider": "default", "email": email, "email_verified": True,
            "iat": int(time.time()), "sub": "1",
        }  # fmt: skip
        secret = self.app.vault.get("console")
        assert secret is not None
        value = create_signed_value(secret["cookie_secret"], "_streamlit_user", json.dumps(claims))
        return f"_streamlit_user={value.decode()}"

    def open(self, origin: str, cookie: str = "", xsrf: str = "", said: str | None = None) -> ClientConnection:
        """The websocket that a page at `origin` opens, which says its token against forgery, or another."""
        said = xsrf if said is None else said
        return connect(
            f"ws://localhost:{self.port}/_stcore/stream", origin=origin, compression=None, max_size=None,
            additional_headers={"Cookie": f"{cookie}; _streamlit_xsrf={xsrf}"} if cookie else {},
            subprotocols=["streamlit", said] if said else ["streamlit"], open_timeout=PATIENCE_S,
        )  # fmt: skip

    def page(self, line: ClientConnection, name: str = "", query: str = "") -> str:
        """All that the console sends for a page, as far as it is text."""
        asked = BackMsg()
        asked.rerun_script.page_name = name
        asked.rerun_script.query_string = query
        line.send(asked.SerializeToString())
        told = b""
        while not _is_finished(part := line.recv(PATIENCE_S)):
            told += part if isinstance(part, bytes) else part.encode()
        return told.decode(errors="replace")


def _is_finished(part: str | bytes) -> bool:
    message = ForwardMsg()
    message.ParseFromString(part)
    return message.WhichOneof("type") == "script_finished"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of this file."""
    port, data = free_port(), tmp_path_factory.mktemp("data")
    url = f"http://localhost:{port}"
    nobody = "http://127.0.0.1:9"
    values = {
        "SYNCER_DATA_DIR": str(data), "SYNCER_WATCH": "on", "CONSOLE_URL": url, "CONSOLE_ADMINS": "admin@example.com",
        "OIDC_METADATA_URL": f"{nobody}/.well-known/openid-configuration", "OIDC_CLIENT_ID": "console",
        "OIDC_CLIENT_SECRET": "s", "CROCOCLICK_TOKEN": "pit", "CROCOCLICK_LOCATION_ID": "Loc1",
        "XERO_CLIENT_ID": "app", "XERO_REDIRECT_URI": f"{url}/xero/callback",
        **dict.fromkeys(("XERO_API_URL", "XERO_LOGIN_URL", "XERO_IDENTITY_URL", "CROCOCLICK_API_URL"), nobody),
    }  # fmt: skip
    app = App(environment.environment(values, Path("/nowhere")))
    app.register.change(Right("luc@example.com", "operator", frozenset({"lyon"})), "a test", app.clock.now())
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with (data / "console.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, env={**os.environ, **values}, stdout=log, stderr=log
        )
        try:
            until(lambda: answers(f"{url}/healthz"))
            yield House(port, app, process)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"])
def test_another_site_opens_no_websocket(house: House, origin: str):
    """Although a browser would send our cookie with it."""
    with pytest.raises(InvalidStatus) as refused:
        house.open(origin, house.cookie("admin@example.com"), generate_xsrf_token_string())
    assert refused.value.response.status_code == 403


def test_a_cookie_without_the_token_against_forgery_counts_as_nobody(house: House):
    """Nor does it with the token of another page; with both it is the person."""
    cookie, token = house.cookie("admin@example.com"), generate_xsrf_token_string()
    with house.open(house.url, cookie, token) as line:
        assert "admin@example.com" in house.page(line, "people")
    for said in ("", generate_xsrf_token_string(), "nonsense"):
        with house.open(house.url, cookie, token, said) as line:
            told = house.page(line, "people")
        assert "Sign in" in told and "admin@example.com" not in told
    with house.open(house.url) as line:
        assert "Sign in" in house.page(line, "people")


def test_every_page_denies_a_connection_that_is_not_theirs(house: House):
    """Somebody of another connection reads on each page that there is none of that name."""
    token = generate_xsrf_token_string()
    with house.open(house.url, house.cookie("luc@example.com"), token) as line:
        for name in PAGES:
            told = house.page(line, name, "connection=default")
            assert "There is no connection named" in told, name
    with house.open(house.url, house.cookie("admin@example.com"), token) as line:
        assert "There is no connection named" not in house.page(line, "", "connection=default")


@pytest.mark.parametrize("way", ["../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..\\", "%252e%252e%252f", "/", "....//"])
def test_no_path_leads_out(house: House, way: str):
    """Neither under the files of the page nor under downloads, however the dots are written."""
    for under in ("static/", "media/", ""):
        for wanted in ("etc/passwd", "pyproject.toml"):
            told = _raw(house.port, f"/{under}{way * 8}{wanted}")
            assert b"root:" not in told and b"[project]" not in told
            assert not told.startswith(b"HTTP/1.1 5"), (under, wanted)


def _raw(port: int, path: str) -> bytes:
    """The answer to a path that no client tidies up before it sends it."""
    with socket.create_connection(("localhost", port), PATIENCE_S) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: line.recv(65_536), b""))


def test_the_console_ends_with_its_watch(house: House):
    """SIGTERM, as a service manager sends it; no secret is in their command lines. The last test of this file."""
    data = house.app.environment.data_dir
    watch = until(lambda: watching(data, "default"))
    lines = [Path(f"/proc/{pid}/cmdline") for pid in (house.process.pid, watch.pid)]
    told = b" ".join(line.read_bytes() for line in lines if line.exists())
    secret = house.app.vault.get("console")
    assert secret is not None and secret["cookie_secret"].encode() not in told and b"pit\0" not in told
    house.process.send_signal(signal.SIGTERM)
    house.process.wait(PATIENCE_S)
    until(lambda: watching(data, "default") is None)
    until(lambda: not Path(f"/proc/{watch.pid}").exists())
