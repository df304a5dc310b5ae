"""Who may use the console: until somebody can sign in, this machine alone."""

from ipaddress import ip_address

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAID_EVERYWHERE = "Nobody signs in here, so this console answers on this machine only."
REFUSAL = "This console answers on its own machine only, under localhost.\n"
# What comes from elsewhere by its nature, and is believed for its signature alone.
SIGNED = frozenset({"/webhooks/crococlick"})
NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class OnlyThisMachine:
    """Refuses callers from elsewhere, and names by which another site could reach us through a browser here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in SIGNED and not is_local(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await PlainTextResponse(REFUSAL, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


ONLY_THIS_MACHINE = Middleware(OnlyThisMachine)


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine and asks for it by a name of its own."""
    headers = dict(scope["headers"])
    asked_for = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0] or "localhost"
    # A forwarded request comes from a proxy here, and from anybody behind it.
    return asked_for in NAMES and b"x-forwarded-for" not in headers and _is_loopback(scope.get("client"))


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False
