"""Consent, refresh and disconnection at Xero, with Authlib; a new token is stored before it is used.

Sources: developer.xero.com/documentation/guides/oauth2/{auth-flow, pkce-flow, custom-connections, troubleshooting} and
developer.xero.com/faq/{oauth2, granular-scopes, custom-integration}.
"""

import binascii
import json
import secrets
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.client import OAuth2Client

from syncer.connectors.http import Bearer, Request, Response, Transport
from syncer.connectors.xero import entities, wire
from syncer.connectors.xero.entities import Tenant
from syncer.connectors.xero.fields import count, whole
from syncer.domain.errors import InDoubt, RateLimited, Reconnect, SyncerError, Unavailable
from syncer.domain.ports import CallLog, Clock, Tokens, Vault

IDENTITY_SCOPES = ("offline_access", "openid", "profile", "email")
ACCOUNTING_SCOPES = ("accounting.invoices", "accounting.payments", "accounting.contacts", "accounting.settings")
SCOPES = (*IDENTITY_SCOPES, *ACCOUNTING_SCOPES)
MARGIN = timedelta(seconds=60)
PENDING = "xero-consents"
PENDING_LIFE = timedelta(minutes=10)
# Long enough to tell a late or repeated answer from a forged one.
PENDING_KEPT = timedelta(hours=24)
# Anybody may begin a consent: what is kept of those that nobody finishes has a bound.
OPEN_KEPT, USED_KEPT = 20, 50
ORGANISATION = "ORGANISATION"

# What the token endpoint's error means, by the grant that was asked for ("guides/oauth2/troubleshooting").
_REFUSALS = {
    "invalid_grant": "consent_code_refused",
    "invalid_client": "consent_client_refused",
    "unauthorized_client": "consent_client_refused",
    "invalid_scope": "consent_scope_refused",
}
# What is read of the token endpoint's answer, beside its scope and how many seconds it lasts.
_TOKEN_TEXTS = ("access_token", "refresh_token", "id_token", "token_type", "error", "error_description")
_TOO_LONG_S = 10**9

# What the callback's error means (RFC 6749, section 4.1.2.1).
_CALLBACK_ERRORS = {
    "access_denied": "consent_cancelled",
    "invalid_scope": "consent_scope_refused",
    "unauthorized_client": "consent_client_refused",
}


@dataclass(frozen=True, slots=True)
class XeroApp:
    """The app registered with Xero and its hosts; without a secret it is a PKCE app."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    api_url: str = "https://api.xero.com"
    login_url: str = "https://login.xero.com"
    identity_url: str = "https://identity.xero.com"


@dataclass(frozen=True, slots=True)
class PendingConsent:
    """A consent that was asked for: open `url` in a browser within ten minutes."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    created_at: datetime
    connection: str = "default"


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent that was given: for which connection, the event by which Xero names it, and what it reaches."""

    connection: str
    tokens: Tokens
    auth_event_id: str = ""
    begun_by: str = ""
    tenants: tuple[Tenant, ...] = ()


Admit = Callable[[Granted], None]


@dataclass(frozen=True, slots=True)
class _Bearer:
    """A token that was just issued and is not stored yet."""

    token: str = field(repr=False)

    def access_token(self) -> str:
        return self.token

    def renew(self, refused: str, answer: Response) -> str | None:
        return None


class TokenRefused(Exception):
    """Xero's token endpoint said no: an OAuth error code and its description."""

    def __init__(self, error: str = "", description: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = description or ""


@dataclass(frozen=True)
class _Answer:
    """What Authlib reads of an answer."""

    status_code: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The fields that are in their form; raises Unavailable for what is no token endpoint's answer."""
        data = wire.loads(self.body)
        if not isinstance(data, dict):
            self.raise_for_status()
        texts = {name: whole(value) for name in _TOKEN_TEXTS if isinstance(value := data.get(name), str)}
        # What no header can hold is no token.
        texts = {name: value for name, value in texts.items() if "token" not in name or _fits_a_header(value)}
        scope = {"scope": data["scope"]} if isinstance(data.get("scope"), str | list) else {}
        seconds = count(data, "expires_in") or 0
        return texts | scope | ({"expires_in": seconds} if 0 < seconds < _TOO_LONG_S else {})

    def raise_for_status(self) -> NoReturn:
        raise Unavailable(wire.UNAVAILABLE, side="identity", status=self.status_code)


class _Session:
    """Authlib's session over our transport; a token call may be repeated by its caller, so nothing is in doubt."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str] | None, auth: Any) -> _Answer:
        target, sent, body = auth.prepare("POST", url, dict(headers or {}), urlencode(data))
        try:
            answer = self._transport.send(Request("POST", target, headers=sent, body=body.encode(), secret=True))
        except InDoubt as lost:
            reason = lost.facts.get("reason") or lost.facts.get("status")
            raise Unavailable(wire.UNAVAILABLE, side="identity", reason=reason) from lost
        if answer.status == 429:
            raise RateLimited("minute", side="identity")
        return _Answer(answer.status, answer.body)


class Identity:
    """Xero's login and token endpoints for one app; raises TokenRefused, Unavailable."""

    def __init__(self, app: XeroApp, call_log: CallLog, clock: Clock) -> None:
        self.app = app
        self._clock = clock
        self._log = call_log
        self._transport = Transport("identity", app.identity_url, call_log, clock, unavailable=wire.UNAVAILABLE)

    def authorise_url(self, state: str, code_verifier: str, scopes: Sequence[str]) -> str:
        """Where to send the person who gives consent: PKCE with S256, always."""
        url = f"{self.app.login_url}/identity/connect/authorize"
        return str(self._client().create_authorization_url(url, state, code_verifier, scope=" ".join(scopes))[0])

    def exchange(self, code: str, code_verifier: str) -> dict[str, Any]:
        """A token set for an authorisation code, which is good for five minutes and once."""
        fetched = self._client().fetch_token(
            "/connect/token", grant_type="authorization_code", code=code, code_verifier=code_verifier
        )
        return _token(fetched)

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """A token set for a refresh token, which is then replaced; the old one can be replayed for 30 minutes."""
        return _token(self._client().refresh_token("/connect/token", refresh_token=refresh_token))

    def client_credentials(self, scopes: Sequence[str]) -> dict[str, Any]:
        """A token set for a custom connection, which has no refresh token."""
        fetched = self._client().fetch_token("/connect/token", grant_type="client_credentials", scope=" ".join(scopes))
        return _token(fetched)

    def revoke(self, refresh_token: str) -> None:
        """End the consent: every organisation that this person connected to the app."""
        answer = self._client().revoke_token("/connect/revocation", token=refresh_token)
        if answer.status_code >= 400:
            answer.raise_for_status()

    def tenants(self, bearer: Bearer) -> list[Tenant]:
        """What the consent reaches: GET /connections."""
        return entities.tenants(self._api(bearer, wire.get_connections()))

    def disconnect(self, bearer: Bearer, connection_id: str) -> None:
        """Disconnect one organisation; one that is gone already is no fault."""
        answer = self._api(bearer, wire.delete_connection(connection_id))
        if answer.status not in (204, 404):
            wire.decipher(answer)

    def _api(self, bearer: Bearer, request: Request) -> Response:
        api = Transport(
            "identity", self.app.api_url, self._log, self._clock, bearer=bearer, unavailable=wire.UNAVAILABLE
        )
        with closing(api):
            return api.send(request)

    def _client(self) -> OAuth2Client:
        client = OAuth2Client(
            _Session(self._transport),
            self.app.client_id,
            self.app.client_secret or None,
            redirect_uri=self.app.redirect_uri,
            code_challenge_method="S256",
        )
        # Authlib's own error refuses descriptions with quotes or accents in them.
        client.oauth_error_class = TokenRefused
        return client


class Consent:
    """Asking a person for consent: begun in one process, finished in any, each once and within ten minutes."""

    def __init__(self, identity: Identity, vault: Vault, clock: Clock) -> None:
        self._identity = identity
        self._vault = vault
        self._clock = clock

    def begin(self, connection: str = "default", scopes: Sequence[str] = SCOPES, begun_by: str = "") -> PendingConsent:
        """A consent to ask for, remembered in the vault."""
        state, verifier, now = secrets.token_urlsafe(32), secrets.token_urlsafe(64), self._clock.now()
        url = self._identity.authorise_url(state, verifier, scopes)
        entry = {
            "code_verifier": verifier,
            "created_at": now.isoformat(),
            "connection": connection,
            "begun_by": begun_by,
            "scopes": list(scopes),
            "redirect_uri": self._identity.app.redirect_uri,
        }
        with self._vault.lock(PENDING):
            self._vault.put(PENDING, {**_worth_keeping(self._pending(), now), state: entry})
        return PendingConsent(url, state, verifier, now, connection)

    def asked_by(self, state: str) -> tuple[str, str]:
        """Who asked for the consent of this state, and for which connection; empty where nobody did."""
        entry = self._pending().get(state) or {}
        return entry.get("begun_by", ""), entry.get("connection", "")

    def finish(self, callback: Mapping[str, str], arrived_at: str = "", admit: Admit = lambda granted: None) -> Granted:
        """Store what the callback's code is exchanged for; raises Reconnect with a `consent_…` code, or Unavailable.

        `arrived_at` is the URL the callback came to, where it is known. `admit` raises where the consent is not to be
        taken: nothing is stored then, and the tokens that are there stay good.
        """
        entry = self._claim(callback.get("state", ""))
        if error := callback.get("error", ""):
            code = _CALLBACK_ERRORS.get(error, "consent_refused")
            raise Reconnect(code, error=error, description=callback.get("error_description", ""))
        self._check_redirect(entry, arrived_at)
        token = self._exchange(callback.get("code", ""), entry["code_verifier"])
        return self._take(entry, token, admit)

    def grant_client_credentials(
        self,
        connection: str = "default",
        scopes: Sequence[str] = ACCOUNTING_SCOPES,
        admit: Admit = lambda granted: None,
    ) -> Granted:
        """Connect a custom connection: no person, no redirect, no refresh token."""
        try:
            token = self._identity.client_credentials(scopes)
        except TokenRefused as refusal:
            raise _refusal(refusal) from refusal
        entry = {"connection": connection, "scopes": list(scopes), "grant": "client_credentials"}
        return self._take(entry, token, admit)

    def _claim(self, state: str) -> dict[str, Any]:
        """The pending consent of this state, marked as used."""
        with self._vault.lock(PENDING):
            pending = self._pending()
            entry = pending.get(state)
            if entry is None:
                raise Reconnect("consent_state_unknown")
            if entry.get("used") or _age(entry, self._clock.now()) > PENDING_LIFE:
                raise Reconnect("consent_state_stale", used=bool(entry.get("used")))
            used = {"created_at": entry["created_at"], "used": True}
            self._vault.put(PENDING, {**pending, state: used})
            return dict(entry)

    def _pending(self) -> dict[str, Any]:
        return self._vault.get(PENDING) or {}

    def _check_redirect(self, entry: Mapping[str, Any], arrived_at: str) -> None:
        expected = self._identity.app.redirect_uri
        came_to = _address(arrived_at) if arrived_at else _address(entry["redirect_uri"])
        if _address(expected) != came_to or entry["redirect_uri"] != expected:
            raise Reconnect("consent_redirect_mismatch", expected=expected, found=arrived_at or entry["redirect_uri"])

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        if not code:
            raise Reconnect("consent_code_refused", error="no code in the answer")
        try:
            return self._identity.exchange(code, verifier)
        except TokenRefused as refusal:
            raise _refusal(refusal) from refusal

    def _take(self, entry: Mapping[str, Any], token: Mapping[str, Any], admit: Admit) -> Granted:
        """Store a consent once what it reaches is known and admitted: it may replace tokens that work."""
        kept = self._checked(entry, token)
        tenants = tuple(self._identity.tenants(_Bearer(kept["access_token"])))
        begun_by = entry.get("begun_by", "")
        granted = Granted(entry["connection"], tokens_of(kept), kept["auth_event_id"], begun_by, tenants)
        admit(granted)
        name = vault_name(entry["connection"])
        with self._vault.lock(name):
            before = self._vault.get(name) or {}
            self._vault.put(name, kept | {"tenant_id": before.get("tenant_id", "")})
        return granted

    def _checked(self, entry: Mapping[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of a token set; raises Reconnect `scope_missing`."""
        claims = jwt_claims(str(token.get("access_token", "")))
        granted = _granted(token, claims, entry["scopes"])
        missing = [scope for scope in entry["scopes"] if scope.startswith("accounting.") and scope not in granted]
        if "offline_access" in entry["scopes"] and not token.get("refresh_token"):
            missing.append("offline_access")
        if missing:
            raise Reconnect("scope_missing", missing=missing)
        return _kept(token, granted, self._clock.now()) | {
            "grant": entry.get("grant", "authorization_code"),
            "auth_event_id": str(claims.get("authentication_event_id", "")),
            "user": _user(token, claims),
        }


class TokenSource:
    """The access token of one connection, refreshed under a lock that other processes see."""

    def __init__(self, connection: str, identity: Identity, vault: Vault, clock: Clock) -> None:
        self.connection = connection
        self._name = vault_name(connection)
        self._identity = identity
        self._vault = vault
        self._clock = clock
        self._cached: Tokens | None = None
        self._mutex = threading.Lock()

    def tokens(self) -> Tokens | None:
        """What is stored, whether still good or not; None before a consent."""
        stored = self._vault.get(self._name)
        return tokens_of(stored) if stored else None

    def access_token(self) -> str:
        """A token good for another minute; raises Reconnect (`not_connected`, `consent_revoked`), Unavailable."""
        cached = self._cached
        if cached and self._is_fresh(cached):
            return cached.access_token
        return self._renewed("")

    def renew(self, refused: str, answer: Response) -> str | None:
        """A newer token than the one refused, or None where a newer one would not help."""
        return self._renewed(refused) if wire.expired(answer) else None

    def choose_organisation(self, tenant_id: str) -> None:
        """Remember which organisation this connection is for."""
        with self._vault.lock(self._name):
            stored = self._vault.get(self._name)
            if stored is None:
                raise Reconnect("not_connected")
            self._vault.put(self._name, stored | {"tenant_id": tenant_id})

    def tenants(self) -> list[Tenant]:
        """What the consent reaches now."""
        return self._identity.tenants(self)

    def others_connected(self) -> bool:
        """Whether some organisation is still connected, after a 403 for ours."""
        return any(tenant.type == ORGANISATION for tenant in self.tenants())

    def disconnect(self) -> None:
        """End this organisation's connection at Xero, the consent too if it reaches no other, and forget the tokens."""
        with suppress(Reconnect):  # It is ended already: that is what was asked for.
            self._end_at_xero()
        self.forget()

    def revoke(self) -> None:
        """End the whole consent at Xero and forget the tokens."""
        tokens = self.tokens()
        if tokens and tokens.refresh_token:
            self._identity.revoke(tokens.refresh_token)
        self.forget()

    def forget(self) -> None:
        """Forget the tokens without telling Xero."""
        with self._vault.lock(self._name):
            self._vault.remove(self._name)
            self._cached = None

    def _end_at_xero(self) -> None:
        tokens = self.tokens()
        if tokens is None:
            return
        tenants = self.tenants()
        for tenant in tenants:
            if tenant.id == tokens.tenant_id:
                self._identity.disconnect(self, tenant.connection_id)
        if all(tenant.id == tokens.tenant_id for tenant in tenants):
            self.revoke()

    def _renewed(self, refused: str) -> str:
        """The stored token if it is fresh and not the refused one, else a new one: stored first, then used."""
        with self._mutex, self._vault.lock(self._name):
            stored = self._vault.get(self._name)
            if stored is None:
                raise Reconnect("not_connected")
            if stored.get("revoked_at"):
                raise Reconnect("consent_revoked", since=stored["revoked_at"])
            tokens = tokens_of(stored)
            if tokens.access_token == refused or not self._is_fresh(tokens):
                tokens = self._refresh(stored)
            self._cached = tokens
            return tokens.access_token

    def _refresh(self, stored: dict[str, Any]) -> Tokens:
        now = self._clock.now()
        try:
            token = self._fetch(stored)
        except TokenRefused as refusal:
            if refusal.error != "invalid_grant":
                raise _refusal(refusal) from refusal
            # Terminal: remembered, so that nobody asks again until there is a new consent.
            self._vault.put(self._name, stored | {"revoked_at": now.isoformat()})
            raise Reconnect("consent_revoked", since=now.isoformat()) from refusal
        granted = _granted(token, jwt_claims(str(token.get("access_token", ""))), stored["scopes"])
        renewed = stored | _kept({"refresh_token": stored["refresh_token"], **token}, granted, now)
        self._vault.put(self._name, renewed)
        return tokens_of(renewed)

    def _fetch(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        if stored.get("grant") == "client_credentials":
            return self._identity.client_credentials(stored["scopes"])
        return self._identity.refresh(stored["refresh_token"])

    def _is_fresh(self, tokens: Tokens) -> bool:
        return tokens.expires_at - self._clock.now() > MARGIN


def _fits_a_header(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _token(fetched: Mapping[str, Any]) -> dict[str, Any]:
    if not fetched.get("access_token"):
        raise Unavailable(wire.UNAVAILABLE, side="identity", reason="no access token in the answer")
    return dict(fetched)


def vault_name(connection: str) -> str:
    """The name of a connection's tokens in the vault."""
    return f"xero:{connection}"


def choose(tenants: Sequence[Tenant], wanted: str = "", auth_event_id: str = "") -> Tenant:
    """The organisation meant by a name or id, or the only one; of several, those of the latest consent come first.

    Raises SyncerError `no_organisation`, `several_organisations`, `organisation_not_found`, `not_an_organisation`.
    """
    if wanted:
        return _wanted(tenants, wanted)
    organisations = [tenant for tenant in tenants if tenant.type == ORGANISATION]
    latest = [tenant for tenant in organisations if auth_event_id and tenant.auth_event_id == auth_event_id]
    candidates = latest or organisations
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise Reconnect("several_organisations", organisations=_listed(candidates))
    if tenants:
        raise Reconnect("not_an_organisation", found=_listed(tenants))
    raise Reconnect("no_organisation")


def _wanted(tenants: Sequence[Tenant], wanted: str) -> Tenant:
    asked = wanted.strip().casefold()
    named = [tenant for tenant in tenants if asked in (tenant.id.casefold(), tenant.name.strip().casefold())]
    organisations = [tenant for tenant in named if tenant.type == ORGANISATION]
    if len(organisations) == 1:
        return organisations[0]
    if organisations:
        raise Reconnect("several_organisations", organisations=_listed(organisations))
    if named:
        raise Reconnect("not_an_organisation", found=_listed(named))
    raise Reconnect("organisation_not_found", wanted=wanted, organisations=_listed(tenants))


def _listed(tenants: Sequence[Tenant]) -> list[dict[str, str]]:
    return [{"id": tenant.id, "name": tenant.name} for tenant in tenants]


def tokens_of(stored: Mapping[str, Any]) -> Tokens:
    """The tokens as the vault keeps them."""
    return Tokens(
        access_token=stored["access_token"],
        refresh_token=stored["refresh_token"],
        expires_at=datetime.fromisoformat(stored["expires_at"]),
        scopes=tuple(stored["scopes"]),
        obtained_at=datetime.fromisoformat(stored["obtained_at"]),
        tenant_id=stored.get("tenant_id", ""),
        user=stored.get("user", ""),
    )


def jwt_claims(token: str) -> dict[str, Any]:
    """What a token says of itself; {} for one that is no JWT. It came over TLS from its issuer: nothing is verified."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _kept(token: Mapping[str, Any], scopes: Sequence[str], now: datetime) -> dict[str, Any]:
    expires_at = now + timedelta(seconds=float(token.get("expires_in") or 1800))
    return {
        "access_token": str(token["access_token"]),
        "refresh_token": str(token.get("refresh_token") or ""),
        "expires_at": expires_at.isoformat(),
        "obtained_at": now.isoformat(),
        "scopes": list(scopes),
    }


def _granted(token: Mapping[str, Any], claims: Mapping[str, Any], asked: Sequence[str]) -> list[str]:
    """The scopes of a token: by its answer, else by its claims, else those asked for (RFC 6749, section 5.1)."""
    said = token.get("scope") or claims.get("scope")
    if isinstance(said, str):
        return said.split()
    return [scope for scope in said if isinstance(scope, str)] if isinstance(said, list) else list(asked)


def _user(token: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    told = jwt_claims(str(token.get("id_token", "")))
    return whole(str(told.get("email") or told.get("preferred_username") or claims.get("xero_userid") or ""))


def _refusal(refusal: TokenRefused) -> SyncerError:
    code = _REFUSALS.get(refusal.error, "consent_refused")
    if "redirect_uri" in refusal.description.lower():
        code = "consent_redirect_mismatch"
    return Reconnect(code, error=refusal.error, description=refusal.description)


def _worth_keeping(pending: Mapping[str, dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The latest consents: one fewer of the open ones than may be, and used ones, so that a late answer is known."""
    latest = sorted(pending.items(), key=lambda item: str(item[1]["created_at"]), reverse=True)
    young = [(state, entry) for state, entry in latest if _age(entry, now) < PENDING_KEPT]
    opened = [item for item in young if not item[1].get("used")][: OPEN_KEPT - 1]
    return dict(opened + [item for item in young if item[1].get("used")][:USED_KEPT])


def _age(entry: Mapping[str, Any], now: datetime) -> timedelta:
    return now - datetime.fromisoformat(entry["created_at"])


def _address(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower(), parts.path
