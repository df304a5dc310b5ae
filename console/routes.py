"""What answers besides the pages: the consent's way to Xero and back, CrocoClick's events, and whether all is well."""

import logging
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from console import access, bare_pages, request_gate
from console.desk import signed_links
from console.desk.desk import Desk, failure_sentence
from console.desk.installation import installation
from console.desk.people import ITSELF, NotAllowed
from syncer.app.webhooks import WebhookIntake
from syncer.connectors.crococlick.webhooks import LARGEST_BYTES, SIGNATURE
from syncer.domain.errors import SyncerError

LOG = logging.getLogger("console")
STOPPED = "stopped"
STARTED, STARTING = datetime.now(UTC), timedelta(seconds=60)
OLDEST_S = 600.0  # an event that waits longer means that nobody acts on them

OTHER_SITE = "Another site asked for that. Open Connections here and press the button there."


def connect(request: Request) -> Response:
    """Begin a consent and lead on to Xero, on the word of the person who was shown this address on a page of ours."""
    name, given = request.query_params.get("connection", "default"), request.query_params.get("pass", "")
    try:
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise NotAllowed(OTHER_SITE)
        visitor = signed_links.bearer(name, given, request.cookies)
        return RedirectResponse(Desk(installation(), name, visitor=visitor).consent_url(), 303, bare_pages.PRIVATE)
    except SyncerError as failure:
        return _not_connected(failure, name)


def callback(request: Request) -> Response:
    """Take Xero's answer, and lead back to the Connections page."""
    arrived_at = access.address_of(request)
    try:
        found = Desk(installation(), visitor=ITSELF).finish_consent(dict(request.query_params), arrived_at)
    except SyncerError as failure:
        return _not_connected(failure, "default")
    asked = [f"connected={quote(found.organisation)}"] if found.organisation else []
    asked += [f"connection={quote(found.connection)}"] if found.connection != "default" else []
    return RedirectResponse("/connections" + ("?" + "&".join(asked) if asked else ""), 303, bare_pages.PRIVATE)


def _not_connected(failure: SyncerError, name: str) -> Response:
    asked = "" if name == "default" else f"?connection={quote(name)}"
    back = f'<p><a class="act" href="/connections{asked}">Open Connections</a></p>'
    body = f"<p>{escape(failure_sentence(failure))}</p>{back}"
    page = bare_pages.page("Xero is not connected", body)
    return HTMLResponse(page, 403 if isinstance(failure, NotAllowed) else 400, bare_pages.PRIVATE)


async def webhook(request: Request) -> Response:
    """Take in what CrocoClick tells by itself: answered as soon as it is on disk, looked at by the watch."""
    body = await _body(request)
    if body is None:
        return PlainTextResponse("The body is too large.\n", 413)
    return await run_in_threadpool(_take, body, request.headers.get(SIGNATURE, ""))


def _take(body: bytes, signature: str) -> Response:
    door = WebhookIntake(installation())
    try:
        if not door.is_signed(body, signature):
            return PlainTextResponse("The signature is missing or wrong.\n", 401)
        taken = door.take(body, datetime.now(UTC))
    except (SyncerError, OSError) as failure:
        LOG.error("an event could not be taken in", exc_info=failure)
        taken = False
    # What is not taken CrocoClick tells again, for three days.
    return PlainTextResponse("Taken.\n") if taken else PlainTextResponse("Not now.\n", 503)


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is larger than any event."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST_BYTES:
            return None
    return bytes(found)


def invoice(request: Request) -> Response:
    """The address that people write by hand, `/invoice/FAC-2026-0104`, leads to the invoice."""
    what = request.path_params["what"]
    if what.startswith("_stcore/"):  # Streamlit looks for itself below each page, and then above it.
        return PlainTextResponse("Not found", 404)
    return RedirectResponse(f"/invoice?find={quote(what, safe='')}", 307)


def healthz(request: Request) -> Response:
    """Whether all is well, see docs/runbook.md: asked here with the reasons, from elsewhere a yes or no."""
    told = _health(Desk(installation(), visitor=ITSELF))
    shown = told if request_gate.may_know_all(request.scope) else {"ok": told["ok"]}
    return JSONResponse(shown, 200 if told["ok"] else 503)


def _health(desk: Desk) -> dict[str, Any]:
    """Whether the ledger can be read, somebody watches, and events are acted on."""
    try:
        run = next(iter(desk.runs(1)), None)
        watches = {name: _watch_told(desk, name) for name in desk.names()}
        waiting, oldest_s = desk.watch.inbox()
    except SyncerError as failure:
        return {"ok": False, "ledger": failure.code, "last_run_age_s": None}
    age_s = round((desk.now - run["heard_at"]).total_seconds()) if run else None
    inbox = {"waiting": waiting, "oldest_s": None if oldest_s is None else round(oldest_s)}
    is_missed = desk.app.environment.watch and STOPPED in (one["state"] for one in watches.values())
    ok = not is_missed and (oldest_s is None or oldest_s < OLDEST_S)
    return {"ok": ok, "ledger": "readable", "last_run_age_s": age_s, "watch": watches, "inbox": inbox}


def _watch_told(desk: Desk, name: str) -> dict[str, Any]:
    found = desk.at(name).watch.at_work()
    if found is None:
        # Right after the start nobody has been heard of yet.
        state = "starting" if desk.now - STARTED < STARTING else STOPPED
        return {"state": state, "heard_age_s": None, "failures": None}
    heard = round((desk.now - found.heard_at).total_seconds())
    return {"state": "watching", "heard_age_s": heard, "failures": found.failures}


ROUTES = [
    Route("/xero/connect", connect),
    Route("/xero/callback", callback),
    Route("/webhooks/crococlick", webhook, methods=["POST"]),
    Route("/healthz", healthz),
    Route("/invoice/{what:path}", invoice),
]
