"""Who may come in: with a sign-in everybody who is known, without one this machine alone."""

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from ipaddress import ip_address
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import formats, parts
from console.desk import Desk, SyncerError, Visitor, failure_sentence, installation
from console.desk_people import provider_of, still
from syncer import people_words

SAID_EVERYWHERE = "Nobody signs in here, so this console answers on this machine only."
REFUSAL = "This console answers on its own machine only, under localhost.\n"
OTHER_NAME = "This console answers under another name.\n"
NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Whoever calls these proves who they are, or learns nothing: an event is signed, health is a yes or no.
OPEN = frozenset({"/webhooks/crococlick"})
ANY_NAME = OPEN | {"/healthz", "/_stcore/health"}

_KEY = secrets.token_bytes(32)  # of this process: what was handed out before a restart has to be asked for again
NOBODY = Visitor("", trouble="not_signed_in")
_AWAITED_S = 900
_AWAITED = 1000
_awaited: OrderedDict[str, tuple[float, str, dict[str, str]]] = OrderedDict()


# -- at the door ------------------------------------------------------------------------------------------------------


class OnlyThisMachine:
    """Refuses callers from elsewhere, and names by which another site could reach us through a browser here.

    With a sign-in anybody may call, under the console's own name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not refused:
            await self.app(scope, receive, _with_safe_cookies(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(refused, status_code=403)(scope, receive, send)


ONLY_THIS_MACHINE = Middleware(OnlyThisMachine)


def refusal(scope: Scope) -> str:
    """Why a request is not answered; nothing where it is."""
    configured = provider_of(installation())
    if configured is None:
        return "" if is_local(scope) or scope["path"] in OPEN else REFUSAL
    named = asked_for(scope)
    ours = named == configured.host or named.rsplit(":", 1)[0] in NAMES
    return "" if ours or scope["path"] in ANY_NAME else OTHER_NAME


def asked_for(scope: Scope) -> str:
    """The name, with its port, under which a request asks for us."""
    return dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower() or "localhost"


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine and asks for it by a name of its own."""
    name = asked_for(scope).rsplit(":", 1)[0] or "localhost"
    # A forwarded request comes from a proxy here, and from anybody behind it.
    return name in NAMES and b"x-forwarded-for" not in dict(scope["headers"]) and _is_loopback(scope.get("client"))


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _with_safe_cookies(send: Send) -> Send:
    """Where people come by https, no cookie of ours travels without."""
    configured = provider_of(installation())
    if configured is None or not configured.console_url.startswith("https:"):
        return send

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [_safe(name, value) for name, value in message.get("headers", ())]}
        await send(message)

    return sent


def _safe(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    safe = name.lower() != b"set-cookie" or b"; secure" in value.lower()
    return name, value if safe else value + b"; Secure"


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


def signs_in() -> bool:
    """Whether people sign in here."""
    return provider_of(installation()) is not None


def address_of(request: Request) -> str:
    """The address that was asked for, as the browser has it: a proxy before us may have taken https off."""
    configured = provider_of(installation())
    return f"{configured.console_url}{request.url.path}" if configured else str(request.url.replace(query=""))


def said_everywhere() -> str:
    """What every page says where nobody signs in."""
    return "" if signs_in() else SAID_EVERYWHERE


def door(desk: Desk, path: str) -> None:
    """For whoever is not known, or may nothing: why, and how to sign in; where they wanted to go is kept."""
    trouble = desk.visitor.trouble or "no_right"
    title = f"{desk.visitor.name} has no access" if trouble == "no_right" else "Sign in"
    st.title(formats.plain(title), anchor=False)
    parts.html(f'<p class="lead">{people_words.TROUBLES[trouble]}</p>')
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
        parts.html(f"<p>{escape(desk.visitor.name)}</p>")
        parts.quiet(escape(f"{people_words.opening_role(right.role)}{where}"))
        if st.button("Sign out", key="sign-out"):
            desk.sign_out()
            st.logout()


def awaited() -> tuple[str, dict[str, str]] | None:
    """Where whoever has just signed in wanted to go; told once."""
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


def connect_pass(connection: str) -> dict[str, str]:
    """What the address that begins a consent carries, so that nobody else can make somebody begin one."""
    app = installation()
    return pass_for(Desk(app, connection).visitor, connection) if provider_of(app) else {}


def pass_for(visitor: Visitor, connection: str) -> dict[str, str]:
    """Somebody's word that a consent may begin, for as long as their sign-in lasts."""
    until = visitor.until.timestamp() if visitor.until else 0
    told = json.dumps([visitor.name, visitor.mark, connection, until])
    return {"pass": urlsafe_b64encode(told.encode()).decode() + "." + _signed(told)}


def bearer(connection: str, given: str) -> Visitor:
    """Whose word an address carries; nobody's where it was made for something else, or too long ago."""
    written, _, sign = given.partition(".")
    try:
        told = urlsafe_b64decode(written).decode()
        name, mark, for_, until = json.loads(told)
    except (ValueError, TypeError):
        return NOBODY
    if not hmac.compare_digest(sign, _signed(told)) or for_ != connection:
        return NOBODY
    return still(installation(), Visitor(name, mark=mark, until=datetime.fromtimestamp(until, UTC)))


def _signed(told: str) -> str:
    return hmac.new(_KEY, told.encode(), sha256).hexdigest()
