"""Waiting in a terminal for Xero's answer, on the port of the redirect URI and nowhere else but this machine."""

import json
import socket
import time
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from syncer.domain.errors import Reconnect

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WAIT_S = 600.0

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>CrocoClick → Xero</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}}</style>
<h1>{title}</h1><p>{text}</p></html>"""


def answer_on(
    redirect_uri: str, take: Callable[[dict[str, str], str], str], done: Callable[[], bool], ready: Callable[[], None]
) -> None:
    """Serve the redirect URI until `take` (parameters, address → sentence) was called, or `done` says another did.

    `ready` is called when an answer can come: not before may anybody be sent to Xero.

    Raises Reconnect: `redirect_not_loopback`, `redirect_port_taken`, `consent_timeout`, and what `take` raises.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname not in LOOPBACK:
        raise Reconnect("redirect_not_loopback", uri=redirect_uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        server = _server(port, parts.path or "/", redirect_uri, take)
    except OSError:
        _wait_for_console(port, done, ready)
        return
    with server:
        ready()
        _serve(server, done)
    if isinstance(server.failure, BaseException):
        raise server.failure


class _Server(HTTPServer):
    allow_reuse_address = True
    answered = False
    failure: BaseException | None = None


def _server(port: int, path: str, uri: str, take: Callable[[dict[str, str], str], str]) -> _Server:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != path:
                self._say(404, "Not here", "This address only waits for Xero's answer.")
                return
            owner: Any = self.server
            try:
                sentence = take(dict(parse_qsl(asked.query)), uri)
                self._say(200, "Connected", sentence)
            except Exception as failure:  # noqa: BLE001 — raised again in the terminal, where somebody waits for it
                owner.failure = failure
                self._say(400, "Not connected", "The terminal says why. You can close this page.")
            owner.answered = True

        def _say(self, status: int, title: str, text: str) -> None:
            body = _PAGE.format(title=title, text=text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the address holds the code."""

    return _Server(("127.0.0.1", port), Handler)


def _serve(server: _Server, done: Callable[[], bool]) -> None:
    server.timeout = 0.5
    deadline = time.monotonic() + WAIT_S
    while not server.answered:
        server.handle_request()
        if done():
            return
        if time.monotonic() > deadline:
            raise Reconnect("consent_timeout", minutes=int(WAIT_S // 60))


def _wait_for_console(port: int, done: Callable[[], bool], ready: Callable[[], None]) -> None:
    """The port is taken: by the console, whose route finishes the consent, or by a stranger."""
    if not is_console(port):
        raise Reconnect("redirect_port_taken", port=port)
    ready()
    deadline = time.monotonic() + WAIT_S
    while not done():
        if time.monotonic() > deadline:
            raise Reconnect("consent_timeout", minutes=int(WAIT_S // 60))
        time.sleep(0.5)


def is_console(port: int) -> bool:
    """Whether our console answers on this port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return "ok" in json.load(answer)
    except (OSError, ValueError):
        return False
