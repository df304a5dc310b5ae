"""The Xero side as a whole: who may call, within which limits, and which function answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode

from sandbox import magic
from sandbox.clock import Clock
from sandbox.state import Store
from sandbox.wire import Call, Reply, dumps, json_reply
from sandbox.xero import (
    consent,
    contacts,
    credit_notes,
    history,
    invoice_rules,
    invoices,
    payments,
    scopes,
    settings,
    tracking,
    xml,
)
from sandbox.xero.auth import APPS, Identity, jwks
from sandbox.xero.books import Books
from sandbox.xero.errors import ApiFault, BadPost, NotFound, Refused
from sandbox.xero.idempotency import Idempotency
from sandbox.xero.limits import Limits
from sandbox.xero.listing import envelope, unit_places
from sandbox.xero.writing import Written, answer, elements_of, summarised

API = "/api.xro/2.0/"
BODY_MAX = 10 * 1024 * 1024
CONNECTION_KEYS = ("id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc")


@dataclass(slots=True)
class Caller:
    """Who makes an API call, and on whose books."""

    app: str
    scopes: list[str]
    books: Books

    @property
    def provider(self) -> str:
        """The app's name, which Xero prints in every answer."""
        return APPS[self.app].name


class Xero:
    """Every organisation, and the service around them."""

    def __init__(self, store: Store, clock: Clock):
        self.store, self.clock = store, clock
        self.identity = Identity(clock, store)
        self.limits = Limits(clock)
        self.idempotency = Idempotency(clock)
        self.books: dict[str, Books] = {}
        self.practices: dict[str, str] = {}

    def load(self) -> None:
        """Read back what was kept."""
        self.identity.load()
        for tenant, head, _ in self.store.rows("xero/org"):
            self.books[tenant] = Books.read(tenant, head, self.store, self.clock)
        for tenant, name, _ in self.store.rows("xero/practice"):
            self.practices[tenant] = name

    def add_practice(self, tenant: str, name: str) -> None:
        """A tenant that is no organisation."""
        self.practices[tenant] = name
        self.store.put("xero/practice", tenant, name)

    # -- the identity side ------------------------------------------------------------------------------------

    def identity_call(self, call: Call, url: str) -> Reply | None:
        """Login, token, revocation, discovery and connections; None when the path is none of these."""
        path = call.path.rstrip("/")
        if path == "/identity/connect/authorize":
            return self.authorise(call)
        if path == "/connect/token" and call.method == "POST":
            return self.identity.token(call)
        if path == "/connect/revocation" and call.method == "POST":
            return self.identity.revocation(call)
        if path == "/.well-known/openid-configuration":
            return discovery(url)
        if path == "/.well-known/openid-configuration/jwks":
            return json_reply(jwks())
        if path.lower().startswith("/connections"):
            return self.connections(call, path[len("/connections") :].strip("/"))
        return None

    def authorise(self, call: Call) -> Reply:
        """GET shows the question, POST takes the answer."""
        fault = self.identity.authorise_fault(call.query)
        if fault:
            return consent.fault_page(*fault)
        choices = [(t, b.name) for t, b in self.books.items()] + list(self.practices.items())
        app = APPS[call.query["client_id"]]
        if call.method != "POST":
            return consent.consent_page(app.name, call.query["scope"].split(), choices)
        form = call.form()
        state = {"state": call.query["state"]} if "state" in call.query else {}
        if form.get("decision") != "allow":
            return back(call, {"error": "access_denied"} | state)
        wanted = form.get("organisation", "")
        chosen = [(t, n) for t, n in choices if wanted in (t, n)] or (choices[:1] if not wanted else [])
        if not chosen:
            return consent.fault_page("invalid_request", f"No organisation is called {wanted}")
        tenant, name = chosen[0]
        kind = "PRACTICE" if tenant in self.practices else "ORGANISATION"
        code = self.identity.consent(call.query, tenant, name, kind)
        granted = " ".join(call.query["scope"].split())
        return back(call, {"code": code, "scope": granted} | state)

    def connections(self, call: Call, id_: str) -> Reply:
        """GET /connections and DELETE /connections/{id}."""
        try:
            grant = self.grant(call)
        except Refused as fault:
            return fault.reply()
        mine = [c for c in self.identity.connections.values() if c["app"] == grant.app]
        if call.method == "DELETE" and id_:
            known = any(c["id"] == id_ for c in mine)
            return Reply(204, b"", "") if known and self.identity.disconnect(id_) else Reply(404, b"", "")
        if call.method != "GET":
            return Reply(405, b"", "")
        event = call.query.get("authEventId")
        shown = [{k: c[k] for k in CONNECTION_KEYS} for c in mine if not event or c["authEventId"] == event]
        return json_reply(shown)

    # -- admission --------------------------------------------------------------------------------------------

    def grant(self, call: Call) -> Any:
        """The access token's grant."""
        scheme, _, token = call.header("authorization").partition(" ")
        grant = self.identity.access.get(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            raise Refused(401, "AuthenticationUnsuccessful")
        if grant.expires <= self.clock.now():
            when = datetime.fromtimestamp(grant.expires, UTC)
            raise Refused(401, f"TokenExpired: token expired at {when:%m/%d/%Y %H:%M:%S}")
        return grant

    def admit(self, call: Call) -> Caller:
        """Who calls, on whose books."""
        grant = self.grant(call)
        tenant = call.header("xero-tenant-id").strip().lower()
        if APPS[grant.app].custom and not tenant:
            tenant = next(iter(self.books))
        known = APPS[grant.app].custom or self.identity.connected(grant.app, tenant)
        if not known or tenant not in self.books:
            raise Refused(403, "AuthenticationUnsuccessful")
        return Caller(grant.app, grant.scopes, self.books[tenant])

    def needs_scope(self, caller: Caller, call: Call) -> None:
        """Refuse a call whose resource the token does not cover."""
        resource = call.path[len(API) :].split("/", 1)[0].lower()
        if resource in scopes.NEEDED and not scopes.allows(caller.scopes, resource, call.method != "GET"):
            # The misspelling is Xero's own.
            raise Refused(401, "AuthorizationUnsuccessful", WWW_Authenticate='error="insufficent_scope"')

    # -- the accounting API -----------------------------------------------------------------------------------

    def answer(self, caller: Caller, call: Call) -> Reply:
        """One call of the accounting API, carried out."""
        try:
            self.needs_scope(caller, call)
            if len(call.body) > BODY_MAX:
                return Reply(413, b"", "")
            accept = call.header("accept")
            if not xml.is_wanted(accept) and "json" not in accept:
                return Reply(406, b"", "")
            reply = self._routed(caller, call)
            return xml.reply(reply) if xml.is_wanted(accept) else reply
        except ApiFault as fault:
            return fault.reply()

    def _routed(self, caller: Caller, call: Call) -> Reply:
        try:
            return self.route(caller, call)
        except ApiFault as fault:
            return fault.reply()

    def route(self, caller: Caller, call: Call) -> Reply:
        """Find the function for a path and a verb."""
        parts = [unquote(p) for p in call.path[len(API) :].strip("/").split("/")]
        resource, key = parts[0].lower(), parts[1] if len(parts) > 1 else ""
        if len(parts) == 3 and parts[2].lower() == "history":
            document = history.exists(caller.books, resource, self._document(caller.books, resource, key))
            if call.method == "GET":
                return history.listing(caller.books, document, caller.provider)
            return history.add(caller.books, document, call, caller.provider)
        if len(parts) > 2:
            raise NotFound
        handler = ROUTES.get(resource)
        if handler is None:
            raise NotFound
        return handler(caller, call, key) or Reply(405, b"", "")

    @staticmethod
    def _document(books: Books, resource: str, key: str) -> str:
        if resource == "invoices" and (found := invoices.find(books, key)):
            return found.id
        return key


def back(call: Call, values: dict[str, str]) -> Reply:
    """Send the user back to the app."""
    uri = call.query["redirect_uri"]
    return Reply(302, b"", "", {"Location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}"})


def discovery(url: str) -> Reply:
    """OpenID Connect discovery."""
    return json_reply(
        {
            "issuer": "https://identity.xero.com",
            "authorization_endpoint": f"{url}/identity/connect/authorize",
            "token_endpoint": f"{url}/connect/token",
            "jwks_uri": f"{url}/.well-known/openid-configuration/jwks",
            "revocation_endpoint": f"{url}/connect/revocation",
            "scopes_supported": sorted(scopes.KNOWN),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
        }
    )


# -- one function per resource ------------------------------------------------------------------------------------


def to_invoices(caller: Caller, call: Call, key: str) -> Reply | None:
    """/Invoices."""
    books = caller.books
    if call.method == "GET":
        if key:
            return invoices.one(books, key, call, caller.provider)
        return invoices.listing(books, call, caller.provider, caller.app)
    if call.method not in ("PUT", "POST") or (key and call.method == "PUT"):
        return None
    create_only = call.method == "PUT"
    places = unit_places(call)
    drafts = [invoices.read(books, e, create_only, key or None, places) for e in elements_of(call, "Invoices")]
    if key and len(drafts) != 1:
        raise BadPost("JSON for post data was invalid,one Invoice was expected.")
    if summarised(call) and not books.switches.summarised_saves_neighbours and len(drafts) > 1:
        return all_or_nothing(caller, call, drafts, create_only)
    enchanted, written = magic.within(call.body), []
    for sent, draft in enumerate(drafts):
        if not create_only and draft.existing is None and not key:
            # An earlier element of this request may have made the invoice this one means.
            draft = drafts[sent] = invoices.read(books, draft.sent, create_only, None, places)
        refusals = magic.invoice_refusals(books, draft) if enchanted else ()
        written.append(invoices.write(books, draft, create_only, caller.app, refusals))
    return answered(caller, call, drafts, written)


def answered(caller: Caller, call: Call, drafts: list[Any], written: list[Written]) -> Reply:
    """The answer, with what magic numbers do before and after it."""
    if not magic.within(call.body):
        return answer(caller.books, call, caller.provider, "Invoices", written)
    magic.before_answer(caller.books, drafts, written)
    reply = answer(caller.books, call, caller.provider, "Invoices", written)
    magic.after_answer(caller.books, drafts, written)
    return reply


def all_or_nothing(caller: Caller, call: Call, drafts: list[Any], create_only: bool) -> Reply:
    """The other reading of a summarised batch: nothing is kept when one element fails."""
    for draft in drafts:
        invoice_rules.check(caller.books, draft, create_only)
        draft.errors += magic.invoice_refusals(caller.books, draft)
    if any(d.errors for d in drafts):
        written = [invoices.refused(d) for d in drafts if d.errors]
        return answer(caller.books, call, caller.provider, "Invoices", written)
    fresh = [invoices.read(caller.books, d.sent, create_only, None, d.places) for d in drafts]
    written = [invoices.write(caller.books, d, create_only, caller.app) for d in fresh]
    return answered(caller, call, fresh, written)


def to_contacts(caller: Caller, call: Call, key: str) -> Reply | None:
    """/Contacts."""
    books = caller.books
    if call.method == "GET":
        return contacts.one(books, key, caller.provider) if key else contacts.listing(books, call, caller.provider)
    if call.method not in ("PUT", "POST") or (key and call.method == "PUT"):
        return None
    create_only = call.method == "PUT"
    sent = elements_of(call, "Contacts")
    if not create_only:
        for element in sent:
            contacts.match(books, element, key or None)
    written = [contacts.write(books, element, create_only, key or None) for element in sent]
    return answer(books, call, caller.provider, "Contacts", written)


def to_payments(caller: Caller, call: Call, key: str) -> Reply | None:
    """/Payments."""
    books = caller.books
    if call.method == "GET":
        return payments.one(books, key, caller.provider) if key else payments.listing(books, call, caller.provider)
    if call.method not in ("PUT", "POST"):
        return None
    sent = elements_of(call, "Payments")
    if key:
        written = [payments.delete(books, key, sent[0])]
    else:
        values = [payments.read(books, element) for element in sent]
        pairs = zip(sent, values, strict=True)
        written = [payments.write(books, e, v, magic.payment_refusals(books, e, v)) for e, v in pairs]
    return answer(books, call, caller.provider, "Payments", written)


def to_credit_notes(caller: Caller, call: Call, key: str) -> Reply | None:
    """/CreditNotes: reading alone."""
    if call.method != "GET":
        return None
    books = caller.books
    return credit_notes.one(books, key, caller.provider) if key else credit_notes.listing(books, call, caller.provider)


def to_organisation(caller: Caller, call: Call, key: str) -> Reply | None:
    """/Organisation and /Organisation/Actions."""
    if call.method != "GET":
        return None
    if key.lower() == "actions":
        return settings.actions(caller.books, caller.provider)
    if key:
        raise NotFound
    return settings.organisation(caller.books, caller.provider)


def to_accounts(caller: Caller, call: Call, key: str) -> Reply | None:
    """/Accounts."""
    books = caller.books
    if call.method == "GET":
        return settings.account(books, key, caller.provider) if key else settings.accounts(books, call, caller.provider)
    return settings_write(caller, call, "Accounts", lambda e: settings.write_account(books, e), ("PUT",))


def to_tax_rates(caller: Caller, call: Call, key: str) -> Reply | None:
    """/TaxRates."""
    books = caller.books
    if call.method == "GET":
        if key:
            return settings.tax_rate(books, key, caller.provider)
        return settings.tax_rates(books, call, caller.provider)
    create_only = call.method == "PUT"
    return settings_write(
        caller, call, "TaxRates", lambda e: settings.write_tax_rate(books, e, create_only), ("PUT", "POST")
    )


def to_currencies(caller: Caller, call: Call, _key: str) -> Reply | None:
    """/Currencies."""
    books = caller.books
    if call.method == "GET":
        return settings.currencies(books, caller.provider)
    return settings_write(caller, call, "Currencies", lambda e: settings.write_currency(books, e), ("PUT",))


def settings_write(
    caller: Caller, call: Call, name: str, write: Callable[[dict[str, Any]], Written], verbs: tuple[str, ...]
) -> Reply | None:
    """A write of one settings element."""
    if call.method not in verbs:
        return None
    sent = elements_of(call, name)
    if len(sent) != 1:
        raise BadPost(f"JSON for post data was invalid,one element of {name} was expected.")
    return answer(caller.books, call, caller.provider, name, [write(sent[0])], attribute=False)


def to_tracking(caller: Caller, call: Call, key: str) -> Reply | None:
    """/TrackingCategories: read only."""
    if key:
        raise NotFound
    return tracking.listing(caller.books, call, caller.provider) if call.method == "GET" else None


def to_users(caller: Caller, call: Call, _key: str) -> Reply | None:
    """/Users."""
    return settings.users(caller.books, caller.provider) if call.method == "GET" else None


def to_items(caller: Caller, call: Call, _key: str) -> Reply | None:
    """/Items: only their codes matter to invoices."""
    shown = [dumps({"Code": code, "Name": code}) for code in sorted(caller.books.items)]
    return envelope(caller.provider, caller.books.clock.ms(), "Items", shown, None) if call.method == "GET" else None


ROUTES: dict[str, Callable[[Caller, Call, str], Reply | None]] = {
    "invoices": to_invoices,
    "contacts": to_contacts,
    "payments": to_payments,
    "creditnotes": to_credit_notes,
    "organisation": to_organisation,
    "organisations": to_organisation,  # as its own elements are called; both are answered
    "accounts": to_accounts,
    "taxrates": to_tax_rates,
    "currencies": to_currencies,
    "trackingcategories": to_tracking,
    "users": to_users,
    "items": to_items,
}
