"""Signing in and out, and the user of a page. `request_gate` decides which requests are answered at all."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st
from starlette.requests import Request

from console.components import formats, html
from console.desk.desk import Desk, failure_sentence
from console.desk.installation import installation, signs_in
from console.desk.people import provider_of
from syncer.domain.errors import SyncerError
from syncer.messages import access

SAID_EVERYWHERE = "Sign-in is off: only this computer can open the console."

_AWAITED_S = 900
_AWAITED = 1000
_awaited: OrderedDict[str, tuple[float, str, dict[str, str]]] = OrderedDict()


# -- signing in -------------------------------------------------------------------------------------------------------


def secrets_for_streamlit() -> dict[str, Any]:
    """What Streamlit's sign-in has to know; nothing where none is configured. By half, the console does not start."""
    app = installation()
    try:
        configured = provider_of(app)
    except SyncerError as failure:
        raise SystemExit(f"The console was not started. {failure_sentence(failure)}") from failure
    if configured is None:
        return {}
    kept = app.vault.get("console") or {"cookie_secret": secrets.token_urlsafe(48)}
    app.vault.put("console", kept)
    return {
        "auth": {
            "redirect_uri": f"{configured.console_url}/oauth2callback",
            "cookie_secret": kept["cookie_secret"],
            "client_id": configured.client_id,
            "client_secret": configured.client_secret,
            "server_metadata_url": configured.metadata_url,
        }
    }


def address_of(request: Request) -> str:
    """The address that was asked for, as the browser has it: a proxy before us may have taken https off."""
    configured = provider_of(installation())
    return f"{configured.console_url}{request.url.path}" if configured else str(request.url.replace(query=""))


def said_everywhere() -> str:
    """What every page says where nobody signs in."""
    return "" if signs_in() else SAID_EVERYWHERE


def door(desk: Desk, path: str) -> None:
    """Page for users without sign-in or role: explains why, offers sign-in, remembers the requested page."""
    trouble = desk.visitor.trouble or "no_right"
    title = f"{desk.visitor.name} has no access" if trouble == "no_right" else "Sign in"
    st.title(formats.plain(title), anchor=False)
    html.html(f'<p class="lead">{access.TROUBLES[trouble]}</p>')
    if trouble in ("no_right", "unverified", "no_email"):
        if st.button("Sign in as somebody else", type="primary"):
            desk.sign_out()
            st.logout()
    elif st.button("Sign in", type="primary"):
        _await(path, st.query_params.to_dict())
        st.login()


def person(desk: Desk) -> None:
    """Whose word counts on this page, and the way out."""
    right = desk.right
    if desk.visitor.is_here or right is None:
        return
    with st.popover(formats.plain(desk.visitor.name.partition("@")[0]), key="person"):
        where = "" if right.connections is None else f" for {', '.join(sorted(right.connections))}"
        html.html(f"<p>{escape(desk.visitor.name)}</p>")
        html.quiet(escape(f"{access.opening_role(right.role)}{where}"))
        if st.button("Sign out", key="sign-out"):
            desk.sign_out()
            st.logout()


def awaited() -> tuple[str, dict[str, str]] | None:
    """The page that the user asked for before signing in; returned once."""
    kept = _awaited.pop(_browser(), None) if _awaited else None
    return kept[1:] if kept and time.monotonic() - kept[0] < _AWAITED_S else None


def _await(path: str, asked: Mapping[str, str]) -> None:
    if browser := _browser():
        _awaited[browser] = time.monotonic(), path, dict(asked)
    while len(_awaited) > _AWAITED:
        _awaited.popitem(last=False)


def _browser() -> str:
    """What tells this browser from others before anybody has signed in: Streamlit's token against forged requests."""
    token = (st.context.cookies.get("_streamlit_xsrf") or "").strip("\"'").split("|")
    # `2|mask|token|time`: the mask is another each time, and is taken off.
    try:
        mask, hidden = bytes.fromhex(token[1]), bytes.fromhex(token[2])
    except (IndexError, ValueError):
        return ""
    return bytes(one ^ mask[place % len(mask)] for place, one in enumerate(hidden)).hex()


# -- addresses that carry a person's word -----------------------------------------------------------------------------
