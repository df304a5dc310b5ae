"""Which requests are answered: with a sign-in everybody's, without one those of a browser that was let in, here.

A request is from here when it comes straight from this machine: from a loopback address, under a name of this machine,
and without a header by which a proxy says that it passes on what somebody else asked for. That alone lets nobody in,
because a proxy may say nothing: without a sign-in the start-up token counts (console/startup_token.py).
"""

from html import escape
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import bare_pages, startup_token
from console.desk.installation import installation
from console.desk.people import provider_of

REFUSAL = "This console answers on its own machine only, under localhost, and not through a proxy.\n"
OTHER_NAME = "This console answers under another name.\n"
NOT_OFFERED = "This console does not offer that.\n"
NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Callers of these prove who they are, or learn nothing: an event is signed, health is a yes or no, and Xero's answer
# to a consent carries a state that only we and the browser know.
OPEN = frozenset({"/webhooks/crococlick"})
ANY_NAME = OPEN | {"/healthz", "/_stcore/health"}
WITHOUT_TOKEN = ANY_NAME | {"/xero/callback"}
# Streamlit's own doors that no page of ours uses: what is uploaded would be kept in memory, from anybody.
CLOSED = ("/_stcore/upload_file", "/_stcore/agent")
METRICS = "/_stcore/metrics"

# What a proxy, a tunnel or a content network adds to what it passes on.
FORWARDING = frozenset(
    "forwarded via x-real-ip x-client-ip x-cluster-client-ip x-original-forwarded-for x-original-host x-original-url "
    "x-originating-ip x-remote-ip x-remote-addr x-scheme x-host x-arr-ssl x-arr-log-id x-request-start x-proxyuser-ip "
    "true-client-ip fastly-client-ip fly-client-ip do-connecting-ip x-azure-clientip x-amzn-trace-id "
    "proxy-connection".split()
)
FORWARDING_BEGINS = ("x-forwarded", "cf-", "cdn-", "x-envoy-", "x-vercel-", "x-appengine-", "tailscale-", "ngrok-")

SAFE_HEADERS = {
    # No other site may draw a page of ours in a frame, where a click would count as a click here.
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Refusal(NamedTuple):
    """Why a request is not answered."""

    sentence: str
    status: int = 403


class Gate:
    """Refuses what is not to be answered, and gives every answer the headers that keep it safe in a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the application answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif answer := _instead(scope):
            await _refuse(answer, scope, receive, _safely(send))
        else:
            await self.app(scope, receive, _safely(send))


GATE = Middleware(Gate)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(scope, receive, send)


def _instead(scope: Scope) -> Response | None:
    """What is answered in place of what was asked for; None where that is answered."""
    if refused := refusal(scope):
        return PlainTextResponse(*refused)
    if provider_of(installation()) or scope["path"] in WITHOUT_TOKEN:
        return None
    asked = HTTPConnection(scope)
    if given := asked.query_params.get(startup_token.PARAMETER, ""):
        return _led_on(scope) if startup_token.is_token(given) else _how_to_get_in(asked.query_params, is_wrong=True)
    return None if startup_token.is_let_in(asked.cookies) else _how_to_get_in(asked.query_params)


def refusal(scope: Scope) -> Refusal | None:
    """Why a request is not answered, whatever the browser has; None where it may be."""
    path = scope["path"]
    if any(closed in path for closed in CLOSED) or (METRICS in path and not is_from_here(scope)):
        return Refusal(NOT_OFFERED, 404)
    configured = provider_of(installation())
    if configured is None:
        return None if path in OPEN or is_from_here(scope) else Refusal(REFUSAL)
    named = asked_for(scope)
    ours = named == configured.host or named.rsplit(":", 1)[0] in NAMES
    return None if ours or path in ANY_NAME else Refusal(OTHER_NAME)


def asked_for(scope: Scope) -> str:
    """The name, with its port, under which a request asks for us."""
    return dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower() or "localhost"


def is_from_here(scope: Scope) -> bool:
    """Whether a request comes straight from this machine and asks for it by a name of its own."""
    name = asked_for(scope).rsplit(":", 1)[0] or "localhost"
    return name in NAMES and not _is_passed_on(scope) and _is_loopback(scope.get("client"))


def may_know_all(scope: Scope) -> bool:
    """Whether `/healthz` tells a caller more than yes or no.

    With a sign-in a proxy stands before us, and one that says nothing of itself looks like this machine: there the
    caller has to bring the start-up token.
    """
    if provider_of(installation()) is None:
        return is_from_here(scope)
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return is_from_here(scope) and startup_token.is_token(given.removeprefix("Bearer "))


def _is_passed_on(scope: Scope) -> bool:
    names = [name.decode("latin-1").lower() for name, _ in scope["headers"]]
    return any(name in FORWARDING or name.startswith(FORWARDING_BEGINS) for name in names)


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False


# -- letting a browser in ---------------------------------------------------------------------------------------------


def _led_on(scope: Scope) -> Response:
    """The same address without the token, and the cookie that replaces it."""
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in asked if name != startup_token.PARAMETER])
    # One slash at the front: two would lead to another host.
    path = quote("/" + scope["path"].lstrip("/\\"))
    answer = RedirectResponse(f"{path}?{kept}" if kept else path, 303, bare_pages.PRIVATE)
    name, value = startup_token.cookie()
    # Lax: Xero's answer to a consent comes from another site and leads on to a page.
    answer.set_cookie(name, value, httponly=True, samesite="lax", secure=scope["scheme"] in ("https", "wss"))
    return answer


def _how_to_get_in(asked: QueryParams, is_wrong: bool = False) -> Response:
    """A page that says where the address with the token is found, and leads on to what was asked for."""
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.multi_items()
        if name != startup_token.PARAMETER
    )
    wrong = '<p class="wrong">That token is not the one of this console.</p>' if is_wrong else ""
    body = f"""{wrong}<p>Sign-in is off, so the console opens only in a browser that has once opened the address
which the console prints when it starts. That address ends in <code>?token=…</code></p>
<p>You find it</p><ul><li>in the terminal where <code>make run</code> or
<code>streamlit run streamlit_app.py</code> is running;</li><li>under systemd, with
<code>journalctl -u crococlick-xero</code>.</li></ul>
<p>The token alone is in the file <code>{startup_token.FILE}</code> in the data directory.</p>
<form method="get">{kept}<label>Token<input name="{startup_token.PARAMETER}" type="password" autocomplete="off" required
></label><button>Open the console</button></form>"""
    return HTMLResponse(bare_pages.page("This browser needs the start-up token", body), 403, bare_pages.PRIVATE)


# -- what every answer carries ----------------------------------------------------------------------------------------


def _safely(send: Send) -> Send:
    """With the headers above; and where people come by https, no cookie of ours travels without."""
    configured = provider_of(installation())
    is_https = configured is not None and configured.console_url.startswith("https:")

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            message = {**message, "headers": [_secure(*one) if is_https else one for one in given]}
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    safe = name.lower() != b"set-cookie" or b"; secure" in value.lower()
    return name, value if safe else value + b"; Secure"
