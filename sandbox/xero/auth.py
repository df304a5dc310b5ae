"""Xero's identity service: apps, codes, rotating refresh tokens, access tokens and connections."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.clock import Clock
from sandbox.state import Store
from sandbox.wire import Call, Reply, dumps, json_reply
from sandbox.xero import scopes
from sandbox.xero.books import new_id
from sandbox.xero.editions import seeded_id

CODE_S, ACCESS_S, REFRESH_S, GRACE_S = 300, 1800, 60 * 86_400, 1800
LOCAL_CALLBACK = re.compile(r"^http://localhost:\d{1,5}/xero/callback$")
VERIFIER = re.compile(r"^[A-Za-z0-9\-._~]{43,128}$")
USER_ID = seeded_id("user", "camille")
KEY_ID = "SANDBOX"


@dataclass
class App:
    """A registered app."""

    id: str
    name: str
    secret: str | None = None
    redirect_uris: tuple[str, ...] = ()
    custom: bool = False


APPS = {
    app.id: app
    for app in (
        App("sandbox-client", "CrocoClick Sync", "sandbox-secret", ("http://localhost:8501/xero/callback",)),
        App("sandbox-pkce", "CrocoClick Sync (desktop)", None, ("http://localhost:8501/xero/callback",)),
        App("sandbox-custom", "CrocoClick Sync (custom connection)", "sandbox-custom-secret", (), custom=True),
    )
}


@dataclass
class Grant:
    """A code or a token: who holds it, what for, until when."""

    app: str
    scopes: list[str]
    event: str
    expires: float
    redirect_uri: str = ""
    challenge: str = ""
    used_at: float | None = None
    tenant: str = ""


@dataclass
class Identity:
    """Everything the identity service remembers."""

    clock: Clock
    store: Store
    access_s: float = ACCESS_S
    refresh_s: float = REFRESH_S
    refresh_grace_s: float = GRACE_S
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)

    # -- keeping ----------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read back what was kept."""
        for kind, shelf in (("refresh", self.refresh), ("access", self.access), ("code", self.codes)):
            for id_, head, _ in self.store.rows(f"xero/{kind}"):
                shelf[id_] = Grant(**json.loads(head))
        for id_, head, _ in self.store.rows("xero/connection"):
            self.connections[id_] = json.loads(head)

    def keep(self, kind: str, id_: str, grant: Grant) -> None:
        """Keep a code or token."""
        self.store.put(f"xero/{kind}", id_, dumps(asdict(grant)))

    # -- consent ----------------------------------------------------------------------------------------------

    def authorise_fault(self, query: dict[str, str]) -> tuple[str, str] | None:
        """Why the consent page cannot be shown: error and explanation."""
        app = APPS.get(query.get("client_id", ""))
        if app is None or app.custom:
            return "unauthorized_client", "Unknown client or client not enabled"
        uri = query.get("redirect_uri", "")
        if uri not in app.redirect_uris and not LOCAL_CALLBACK.match(uri):
            return "invalid_request", "Invalid redirect_uri"
        if query.get("response_type") != "code":
            return "unsupported_response_type", "Unsupported response type"
        asked = query.get("scope", "").split()
        if not asked or any(s in scopes.REFUSED or s not in scopes.KNOWN for s in asked):
            return "invalid_scope", "Invalid scope for client"
        return self._challenge_fault(app, query)

    @staticmethod
    def _challenge_fault(app: App, query: dict[str, str]) -> tuple[str, str] | None:
        challenge, method = query.get("code_challenge"), query.get("code_challenge_method", "plain")
        if app.secret is None and not challenge:
            return "invalid_request", "code challenge required"
        if challenge and method != "S256":
            return "invalid_request", "Transform algorithm not supported"
        return None

    def consent(self, query: dict[str, str], tenant: str, name: str, kind: str = "ORGANISATION") -> str:
        """The user has said yes to one organisation: connect it and issue a code."""
        event = new_id()
        asked = query["scope"].split()
        connection = self.connect(query["client_id"], tenant, name, event, asked, kind)
        # Scopes accumulate on a connection; only disconnecting takes them away.
        held = list(dict.fromkeys([*asked, *connection["scopes"]]))
        code = secrets.token_urlsafe(32)
        expires = self.clock.now() + self.clock.lasting(CODE_S)
        self.codes[code] = Grant(
            query["client_id"], held, event, expires, query["redirect_uri"], query.get("code_challenge", "")
        )
        self.keep("code", code, self.codes[code])
        return code

    def connect(
        self, app: str, tenant: str, name: str | None, event: str, asked: list[str], kind: str = "ORGANISATION"
    ) -> dict[str, Any]:
        """Connect an organisation to an app, or renew the connection."""
        now = iso7(self.clock)
        found = next((c for c in self.connections.values() if c["app"] == app and c["tenantId"] == tenant), None)
        if found is None:
            found = {"id": new_id(), "app": app, "tenantId": tenant, "tenantType": kind, "tenantName": name}
            found |= {"createdDateUtc": now, "scopes": []}
        found |= {"authEventId": event, "updatedDateUtc": now}
        found["scopes"] = list(dict.fromkeys([*found["scopes"], *asked]))
        self.connections[found["id"]] = found
        self.store.put("xero/connection", found["id"], dumps(found))
        return found

    def disconnect(self, id_: str) -> bool:
        """Remove a connection."""
        found = self.connections.pop(id_, None)
        if found is not None:
            self.store.drop("xero/connection", id_)
        return found is not None

    def connected(self, app: str, tenant: str) -> bool:
        """Whether an app may see an organisation."""
        return any(c["app"] == app and c["tenantId"] == tenant for c in self.connections.values())

    # -- tokens -----------------------------------------------------------------------------------------------

    def token(self, call: Call) -> Reply:
        """POST /connect/token."""
        if not call.header("content-type").startswith("application/x-www-form-urlencoded"):
            return oauth_error("invalid_request")
        form = call.form()
        app = self._client(call, form)
        if isinstance(app, Reply):
            return app
        match form.get("grant_type"):
            case "authorization_code":
                return self._from_code(app, form)
            case "refresh_token":
                return self._from_refresh(app, form)
            case "client_credentials":
                return self._from_credentials(app, form)
            case None | "":
                return oauth_error("invalid_request")
        return oauth_error("unsupported_grant_type")

    @staticmethod
    def _client(call: Call, form: dict[str, str]) -> App | Reply:
        """The app that asks, by Basic header or by form."""
        id_, secret = form.get("client_id", ""), form.get("client_secret")
        header = call.header("authorization")
        if header.lower().startswith("basic "):
            try:
                id_, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            except ValueError:
                return oauth_error("invalid_client")
        if not id_:
            return oauth_error("invalid_request")
        app = APPS.get(id_)
        if app is None or (app.secret is not None and secret != app.secret):
            return oauth_error("invalid_client")
        return app

    def _from_code(self, app: App, form: dict[str, str]) -> Reply:
        grant = self.codes.get(form.get("code", ""))
        if (
            grant is None
            or grant.app != app.id
            or grant.used_at is not None
            or grant.expires < self.clock.now()
            or grant.redirect_uri != form.get("redirect_uri")
            or not proves(grant.challenge, form.get("code_verifier", ""))
        ):
            return oauth_error("invalid_grant")
        grant.used_at = self.clock.now()
        self.keep("code", form["code"], grant)
        return self.issue(app.id, grant.scopes, grant.event)

    def _from_refresh(self, app: App, form: dict[str, str]) -> Reply:
        token = form.get("refresh_token", "")
        grant, now = self.refresh.get(token), self.clock.now()
        if grant is None or grant.app != app.id or grant.expires < now:
            return oauth_error("invalid_grant")
        grace = self.clock.lasting(self.refresh_grace_s)
        if grant.used_at is not None and (grace <= 0 or grant.used_at + grace < now):
            return oauth_error("invalid_grant")
        if grant.used_at is None:
            grant.used_at = now
            self.keep("refresh", token, grant)
        return self.issue(app.id, grant.scopes, grant.event)

    def _from_credentials(self, app: App, form: dict[str, str]) -> Reply:
        if not app.custom:
            return oauth_error("unauthorized_client")
        asked = form.get("scope", "").split()
        if any(s in scopes.REFUSED or s not in scopes.KNOWN for s in asked):
            return oauth_error("invalid_scope")
        granted = asked or list(scopes.PAIRS)
        return self.issue(app.id, granted, new_id(), with_refresh=False)

    def issue(self, app: str, held: list[str], event: str, with_refresh: bool = True) -> Reply:
        """A new set of tokens."""
        return json_reply(self.tokens(app, held, event, with_refresh), 200, Cache_Control="no-store")

    def tokens(self, app: str, held: list[str], event: str, with_refresh: bool = True) -> dict[str, Any]:
        """A new set of tokens as the token endpoint shows it."""
        now = self.clock.now()
        life = self.clock.lasting(self.access_s)
        access = jwt(access_claims(app, held, event, now, life))
        self.access[access] = Grant(app, held, event, now + life)
        self.keep("access", access, self.access[access])
        answer: dict[str, Any] = {"access_token": access, "expires_in": int(life), "token_type": "Bearer"}
        if with_refresh and "offline_access" in held:
            refresh = secrets.token_urlsafe(32)
            self.refresh[refresh] = Grant(app, held, event, now + self.clock.lasting(self.refresh_s))
            self.keep("refresh", refresh, self.refresh[refresh])
            answer["refresh_token"] = refresh
        if "openid" in held:
            answer["id_token"] = jwt(id_claims(app, now))
        return answer | {"scope": " ".join(held)}

    def revocation(self, call: Call) -> Reply:
        """POST /connect/revocation: everything the user gave the app is taken back."""
        form = call.form()
        app = self._client(call, form)
        if isinstance(app, Reply):
            return app
        if form.get("token") in self.refresh:
            self.revoke(app.id)
        return Reply(200, b"", "")

    def revoke(self, app: str) -> None:
        """Withdraw every token and connection of an app."""
        for kind, shelf in (("refresh", self.refresh), ("access", self.access), ("code", self.codes)):
            for id_ in [i for i, g in shelf.items() if g.app == app]:
                del shelf[id_]
                self.store.drop(f"xero/{kind}", id_)
        for id_ in [i for i, c in self.connections.items() if c["app"] == app]:
            self.disconnect(id_)

    def expire_access(self) -> None:
        """Let every access token run out at once."""
        for token, grant in self.access.items():
            grant.expires = self.clock.now() - 1
            self.keep("access", token, grant)


# -- pieces -------------------------------------------------------------------------------------------------------


def oauth_error(error: str) -> Reply:
    """The token endpoint's refusals."""
    return json_reply({"error": error}, 400)


def proves(challenge: str, verifier: str) -> bool:
    """PKCE: whether the verifier belongs to the challenge (RFC 7636, S256)."""
    if not challenge:
        return True
    if not VERIFIER.match(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def access_claims(app: str, held: list[str], event: str, now: float, life: float) -> dict[str, Any]:
    """What an access token says."""
    return {
        "nbf": int(now),
        "exp": int(now + life),
        "iss": "https://identity.xero.com",
        "aud": "https://identity.xero.com/resources",
        "client_id": app,
        "sub": USER_ID.replace("-", ""),
        "auth_time": int(now),
        "xero_userid": USER_ID,
        "global_session_id": secrets.token_hex(16),
        "jti": secrets.token_hex(16).upper(),
        "authentication_event_id": event,
        "scope": held,
    }


def id_claims(app: str, now: float) -> dict[str, Any]:
    """What an id token says."""
    return {
        "nbf": int(now),
        "exp": int(now + 300),
        "iss": "https://identity.xero.com",
        "aud": app,
        "iat": int(now),
        "sub": USER_ID.replace("-", ""),
        "xero_userid": USER_ID,
        "preferred_username": "camille.moreau@example.com",
        "email": "camille.moreau@example.com",
        "given_name": "Camille",
        "family_name": "Moreau",
    }


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The key of this process; after a restart its public half has to be fetched again."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks() -> dict[str, Any]:
    """The public half of the key as a JSON Web Key Set (RFC 7517)."""
    numbers = signing_key().public_key().public_numbers()
    n, e = (value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": base64url(n), "e": base64url(e)}]}


def jwt(claims: dict[str, Any]) -> str:
    """A JSON Web Token (RFC 7519), signed with RS256 as both services sign theirs."""
    parts = [{"alg": "RS256", "typ": "JWT", "kid": KEY_ID}, claims]
    text = ".".join(base64url(dumps(part).encode()) for part in parts)
    return f"{text}.{base64url(signing_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def base64url(raw: bytes) -> str:
    """Bytes as JOSE writes them: no padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def iso7(clock: Clock) -> str:
    """A time as the connections endpoint prints it: seven digits, no zone."""
    moment = datetime.fromtimestamp(clock.now(), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
