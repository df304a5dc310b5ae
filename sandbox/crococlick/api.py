"""The CrocoClick side as a whole: who may call, and which function answers."""

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.clock import Clock
from sandbox.crococlick import contacts, invoices, payments
from sandbox.crococlick.errors import Refusal, trace_id
from sandbox.crococlick.limits import Limits
from sandbox.crococlick.oauth import CLIENT_ID, SCOPES, Grant, Tokens
from sandbox.crococlick.records import COMPANY_ID, Location
from sandbox.state import Store
from sandbox.wire import Call, Reply, json_reply

VERSIONS = ("2021-04-15", "2021-07-28", "2023-02-21", "v3")
NO_ACCESS = "The token does not have access to this location."
NOT_FOR_TOKEN = "This location is not accessible from this token!"  # noqa: S105 - a message, no token
LOCATION_KEYS_HIDDEN = ("_tokens", "_business")
Handler = Callable[[Location, Call, str], Reply]

# (verb, path, scope, function). The first that fits answers; {} is an id.
ROUTES: list[tuple[str, str, str, Handler]] = [
    ("GET", "/invoices/", "invoices.readonly", lambda lo, c, _: invoices.listing(lo, c)),
    ("POST", "/invoices/", "invoices.write", lambda lo, c, _: invoices.create(lo, c)),
    ("GET", "/invoices/generate-invoice-number", "invoices.readonly", lambda lo, _c, _: invoices.next_number(lo)),
    ("GET", "/invoices/settings", "invoices.readonly", lambda lo, _c, _: invoices.settings(lo)),
    ("GET", "/invoices/template", "invoices/template.readonly", lambda lo, _c, _: no_rows("data", "totalCount")),
    ("GET", "/invoices/schedule", "invoices/schedule.readonly", lambda lo, _c, _: no_rows("schedules", "total")),
    ("GET", "/invoices/{}", "invoices.readonly", lambda lo, _c, i: invoices.one(lo, invoices.find(lo, i))),
    ("PUT", "/invoices/{}", "invoices.write", invoices.update),
    ("DELETE", "/invoices/{}", "invoices.write", invoices.delete),
    ("POST", "/invoices/{}/void", "invoices.write", invoices.void),
    ("POST", "/invoices/{}/send", "invoices.write", invoices.send),
    ("POST", "/invoices/{}/record-payment", "invoices.write", invoices.record_payment),
    ("GET", "/payments/transactions", "payments/transactions.readonly", lambda lo, c, _: payments.transactions(lo, c)),
    (
        "GET",
        "/payments/transactions/{}",
        "payments/transactions.readonly",
        lambda lo, _c, i: payments.transaction(lo, i),
    ),
    ("GET", "/payments/orders", "payments/orders.readonly", lambda lo, c, _: payments.orders(lo, c)),
    ("GET", "/payments/orders/{}", "payments/orders.readonly", lambda lo, _c, i: payments.order(lo, i)),
    ("GET", "/contacts/", "contacts.readonly", lambda lo, c, _: contacts.listing(lo, c)),
    ("POST", "/contacts/", "contacts.write", lambda lo, c, _: contacts.create(lo, c)),
    ("POST", "/contacts/upsert", "contacts.write", lambda lo, c, _: contacts.upsert(lo, c)),
    ("POST", "/contacts/search", "contacts.readonly", lambda lo, c, _: contacts.search(lo, c)),
    ("GET", "/contacts/search/duplicate", "contacts.readonly", lambda lo, c, _: contacts.search_duplicate(lo, c)),
    ("GET", "/contacts/{}", "contacts.readonly", lambda lo, _c, i: contacts.one(lo, i)),
    ("PUT", "/contacts/{}", "contacts.write", contacts.update),
    ("DELETE", "/contacts/{}", "contacts.write", lambda lo, _c, i: contacts.delete(lo, i)),
    ("POST", "/contacts/{}/tags", "contacts.write", contacts.tags),
    ("DELETE", "/contacts/{}/tags", "contacts.write", contacts.tags),
    ("GET", "/locations/{}", "locations.readonly", lambda lo, _c, i: location(lo, i)),
]
COMPILED = [
    (verb, re.compile("^" + path.rstrip("/").replace("{}", "([^/]+)") + "/?$"), scope, handler)
    for verb, path, scope, handler in ROUTES
]


def no_rows(name: str, count: str) -> Reply:
    """An empty list of what the sandbox knows of, but does not play."""
    return json_reply({name: [], count: 0})


class CrocoClick:
    """A location, perhaps some more, and the service around them."""

    def __init__(self, store: Store, clock: Clock):
        self.store, self.clock = store, clock
        self.location = Location(store, clock)
        self.others: dict[str, Location] = {}
        self.limits = Limits(clock)
        self.tokens = Tokens(clock, store)
        self.instead: dict[str, str] = {}  # a text in any answer, and the raw JSON that stands there instead

    def load(self) -> None:
        """Read back what was kept."""
        self.location.load()
        self.tokens.load()
        for id_, _, _ in self.store.rows("crm/other"):
            self.open(id_).load()

    def open(self, id_: str) -> Location:
        """One more location, with nothing in it yet."""
        self.others[id_] = Location(self.store, self.clock, f"crm@{id_}")
        self.store.put("crm/other", id_, "{}")
        return self.others[id_]

    def place(self, id_: str) -> Location:
        """The location with this id, else the first."""
        return self.others.get(id_, self.location)

    def handle(self, call: Call) -> Reply:
        """One request, carried out."""
        try:
            reply = self._open(call) or self._closed(call)
        except Refusal as refusal:
            reply = refusal.reply()
        for text, raw in self.instead.items():
            reply.body = reply.body.replace(text.encode(), raw.encode())
        return reply

    def _open(self, call: Call) -> Reply | None:
        """What needs no token."""
        path = call.path.rstrip("/")
        if path.endswith("/oauth/chooselocation") and call.method == "GET":
            return self.tokens.choose(call)
        if path == "/oauth/token" and call.method == "POST":
            return self.tokens.token(call)
        return None

    def _closed(self, call: Call) -> Reply:
        """What needs a token: who, how often, with which scope, for which location, then what."""
        grant = self.grant(call)
        refusal = self.limits.admit(call.header("authorization"))
        if refusal:
            return refusal
        if not call.header("version"):
            raise Refusal(401, "version header was not found.")
        if call.header("version") not in VERSIONS:
            raise Refusal(401, "version header is invalid")
        if (reply := self._oauth(call, grant)) is not None:
            return reply
        for verb, path, scope, handler in COMPILED:
            found = path.match(call.path)
            if found and verb == call.method:
                self.check(grant, scope, call)
                return handler(self.place(grant.location), call, found.group(1) if found.groups() else "")
        raise Refusal(404, f"Cannot {call.method} {call.path}", named=True)

    def grant(self, call: Call) -> Grant:
        """The token's grant."""
        scheme, _, token = call.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "Invalid token: access token is invalid", named=True)
        for place in (self.location, *self.others.values()):
            if token in place.tokens:
                return Grant(place.tokens[token] or list(SCOPES), place.id, private=True)
        grant = self.tokens.access.get(token)
        if grant is None or grant.expires <= self.clock.now():
            raise Refusal(401, "Invalid Private Integration token" if token.startswith("pit-") else "Invalid JWT")
        return grant

    def check(self, grant: Grant, scope: str, call: Call) -> None:
        """Scope first, then location."""
        if scope not in grant.scopes:
            raise Refusal(401, "The token is not authorized for this scope.")
        if grant.kind != "Location":
            raise Refusal(401, "This authClass type is not allowed to access this scope.")
        wanted = location_named(call)
        if wanted and wanted != self.place(grant.location).id:
            raise Refusal(401, NOT_FOR_TOKEN) if grant.private else Refusal(403, NO_ACCESS)

    def _oauth(self, call: Call, grant: Grant) -> Reply | None:
        if call.path in ("/oauth/locationToken", "/oauth/location-token") and call.method == "POST":
            return self.tokens.location_token(call, grant)
        if call.path in ("/oauth/installedLocations", "/oauth/installed-locations"):
            profile = self.location.profile
            row: dict[str, Any] = {"_id": profile["id"], "name": profile["name"], "address": profile["address"]}
            row |= {"isInstalled": True, "versionId": CLIENT_ID.split("-")[0]}
            return json_reply({"locations": [row], "count": 1, "installToFutureLocations": False})
        if call.path == "/locations/search":
            if call.query.get("companyId") != COMPANY_ID or grant.kind != "Company":
                raise Refusal(403, NO_ACCESS)
            return json_reply({"locations": [shown(self.location)]})
        return None


def location_named(call: Call) -> Any:
    """The location that a request is for, by its query or its body; None where it names none."""
    named = call.query.get("altId") or call.query.get("locationId")
    if named or not call.body:
        return named
    try:
        body = json.loads(call.body)
    except ValueError:
        return None
    return (body.get("altId") or body.get("locationId")) if isinstance(body, dict) else None


def shown(place: Location) -> dict[str, Any]:
    """A location without what is the sandbox's own."""
    return {k: v for k, v in place.profile.items() if k not in LOCATION_KEYS_HIDDEN}


def location(place: Location, id_: str) -> Reply:
    """GET /locations/{id}: another one's id is 403, even if there is none."""
    if id_ != place.id:
        raise Refusal(403, NO_ACCESS)
    return json_reply({"location": shown(place), "traceId": trace_id()})
