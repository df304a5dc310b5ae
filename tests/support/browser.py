"""A real browser, and a console for it."""

import socket
import urllib.request
from pathlib import Path
from typing import Any

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


def shows(page: Any, text: str) -> None:
    """Wait until the page says this; raises AssertionError with what it says instead."""
    try:
        page.get_by_text(text).first.wait_for()
    except Exception as late:
        raise AssertionError(f"{text!r} is not on {page.url}: {page.inner_text('body')[:3000]}") from late


RESTS = """() => (document.querySelector('[data-testid=stApp]')?.dataset.testScriptState ?? 'notRunning')
    === 'notRunning'
    && !document.querySelector('[data-stale=true]')"""


def settled(page: Any) -> Any:
    """The page when its script rests: a click while it is drawn anew may meet a button that is just being replaced.

    Pages that are not Streamlit's, such as the consent, always rest.
    """
    page.wait_for_function(RESTS)
    return page
