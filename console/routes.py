"""What answers besides the pages: the consent's way to Xero and back, and whether all is well."""

from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from console import access
from console.desk import ITSELF, Desk, NotAllowed, SyncerError, failure_sentence, installation

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>
body{{font:1.05rem/1.55 system-ui,sans-serif;max-width:34rem;margin:14vh auto;padding:0 1.25rem;
color:light-dark(#1c2725,#e6eeec);background:light-dark(#fff,#12191a)}}h1{{font-size:1.5rem;margin:0 0 .5rem}}
a{{color:light-dark(#0b6e5f,#5cc9b5)}}a.act{{display:inline-block;background:light-dark(#0b6e5f,#1d8a78);color:#fff;
padding:.5rem 1rem;border-radius:8px;text-decoration:none;margin-right:1rem}}</style>
<h1>{title}</h1><p>{sentence}</p><p>{again}<a href="/connections{asked}">Back to the console</a></p></html>"""
_AGAIN = '<a class="act" href="/xero/connect{asked}">Connect again</a> '
# The address of this answer holds a code: it goes to nobody, and is not kept.
_PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def connect(request: Request) -> Response:
    """Begin a consent and lead on to Xero, on the word of the person who was shown this address."""
    name, given = request.query_params.get("connection", "default"), request.query_params.get("pass", "")
    try:
        visitor = access.bearer(name, given) if access.signs_in() else None
        return RedirectResponse(Desk(installation(), name, visitor=visitor).consent_url(), 303, _PRIVATE)
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
    return RedirectResponse("/connections" + ("?" + "&".join(asked) if asked else ""), 303, _PRIVATE)


def _not_connected(failure: SyncerError, name: str) -> Response:
    asked = "" if name == "default" else f"?connection={quote(name)}"
    again = "" if access.signs_in() else _AGAIN.format(asked=asked)
    sentence = escape(failure_sentence(failure))
    page = _PAGE.format(title="Xero is not connected", sentence=sentence, again=again, asked=asked)
    return HTMLResponse(page, 403 if isinstance(failure, NotAllowed) else 400, _PRIVATE)


def healthz(request: Request) -> Response:
    """Whether the ledger can be read, and how long ago the last run was heard of."""
    desk = Desk(installation(), visitor=ITSELF)
    try:
        run = next(iter(desk.runs(1)), None)
    except SyncerError as failure:
        return JSONResponse({"ok": False, "ledger": failure.code, "last_run_age_s": None}, 503)
    age_s = round((desk.now - run["heard_at"]).total_seconds()) if run else None
    return JSONResponse({"ok": True, "ledger": "readable", "last_run_age_s": age_s})


ROUTES = [
    Route("/xero/connect", connect),
    Route("/xero/callback", callback),
    Route("/healthz", healthz),
]
