"""A server that answers as told, and a clock that is moved by hand."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HandClock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.at = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
        self.slept = []
        self._lock = threading.Lock()

    def now(self):
        return self.at

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self.at += timedelta(seconds=max(seconds, 0))


@dataclass
class Notes:
    """A call log that remembers."""

    calls: list = field(default_factory=list)

    def record(self, call, request_body, response_body):
        self.calls.append((call, request_body, response_body))


@dataclass
class Heard:
    """A request as the server got it."""

    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Stage:
    """Answers in order, the last one again and again; an answer is (status, headers, body) or what to do instead."""

    answers: list
    heard: list = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, heard) -> tuple | Callable:
        with self.lock:
            self.heard.append(heard)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def hang_up(handler):
    """Close the line without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def stall(seconds):
    """Say nothing for a while."""

    def wait(handler):
        time.sleep(seconds)
        hang_up(handler)

    return wait


def half_an_answer(handler):
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"Invoices"')
    handler.wfile.flush()
    hang_up(handler)


@contextmanager
def staged(*answers):
    """A server on this machine for the time of a test."""
    stage = Stage(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = stage.next(Heard(self.command, self.path, dict(self.headers), body))
            if callable(answer):
                self.close_connection = True
                answer(self)
                return
            status, headers, said = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stage.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stage
    finally:
        server.shutdown()
        server.server_close()


def closed_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
