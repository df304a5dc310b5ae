"""The start-up token: where nobody signs in, a browser is let in by the address that the console prints at its start.

The token is made once for an installation and kept in its data directory, so that a browser need not be let in again
when the console starts again. Remove the file and start the console to have another.
"""

import hmac
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from console.desk.installation import installation
from console.desk.people import provider_of

FILE = "console.token"
PARAMETER = "token"
_BYTES = 32
_ANY_ADDRESS = ("", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost")  # noqa: S104 — compared with, not listened on


def token() -> str:
    """The token of this installation."""
    return _kept(installation().environment.data_dir / FILE)


def is_token(given: str) -> bool:
    """Whether this is the token, compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token().encode())


def cookie() -> tuple[str, str]:
    """Name and value of the cookie by which a browser shows that it was let in.

    Cookies of one host are shared among its ports: the name differs from installation to installation, so that two
    consoles on one machine do not overwrite each other's, and the value is not the token itself.
    """
    mark = sha256(token().encode()).hexdigest()[:8]
    return f"console_{mark}", hmac.new(token().encode(), b"browser", sha256).hexdigest()


def is_let_in(cookies: Mapping[str, str]) -> bool:
    """Whether a browser with these cookies was let in, compared in constant time."""
    name, value = cookie()
    return hmac.compare_digest(cookies.get(name, "").encode("utf-8", "replace"), value.encode())


def address() -> str:
    """The address to open: with the token where nobody signs in."""
    configured = provider_of(installation())
    if configured:
        return configured.console_url
    name = st.get_option("server.address") or ""
    host = "localhost" if name in _ANY_ADDRESS else name
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    return f"{scheme}://{host}:{st.get_option('server.port')}/?{urlencode({PARAMETER: token()})}"


def tell() -> None:
    """Print the address to open, where the person who started the console sees it."""
    sys.stdout.write(f"\n  Open {address()}\n\n")
    sys.stdout.flush()


@cache
def _kept(path: Path) -> str:
    """The token in this file, which is made where there is none; where none can be kept, one until the program ends."""
    with suppress(OSError):
        return _read(path) or _made(path)
    return secrets.token_urlsafe(_BYTES)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _made(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and not _read(path):
        path.unlink()  # empty, or no text: nobody was let in by it
    number, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # readable by its user alone
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_urlsafe(_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    # Not renamed but linked: of several that start at once, the token of the first counts for all.
    with suppress(FileExistsError):
        path.hardlink_to(part)
    Path(part).unlink()
    return _read(path)
