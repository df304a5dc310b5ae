"""A real browser, and a console for it."""

import socket
import urllib.request
from pathlib import Path

from tests.support.waiting import PATIENCE_S

CHROMIUM = Path("/usr/bin/chromium")


ROOT = Path(__file__).parents[2]


ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True
