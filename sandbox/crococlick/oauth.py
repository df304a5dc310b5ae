"""CrocoClick's tokens: private integrations, and the OAuth flow of marketplace apps."""

import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.clock import Clock
from sandbox.crococlick.errors import Refusal
from sandbox.crococlick.records import COMPANY_ID, LOCATION_ID
from sandbox.state import Store
from sandbox.wire import Call, Reply, dumps, json_reply
from sandbox.xero.auth import jwt

ACCESS_S = 86_399
CLIENT_ID, CLIENT_SECRET = "65a000000000000000000001-sandbox", "sandbox-secret"
USER_ID = "SandboxUser000000001"
SCOPES = (
    "invoices.readonly", "invoices.write", "payments/transactions.readonly", "payments/orders.readonly",
    "invoices/template.readonly", "invoices/schedule.readonly", "contacts.readonly", "contacts.write",
    "locations.readonly", "oauth.readonly", "oauth.write",
)  # fmt: skip
CAMEL = {
    "clientId": "client_id", "clientSecret": "client_secret", "grantType": "grant_type",
    "refreshToken": "refresh_token", "userType": "user_type", "redirectUri": "redirect_uri",
}  # fmt: skip


@dataclass
class Grant:
    """What a token allows; `kind` is Location or Company, `private` marks the token of a private integration."""

    scopes: list[str]
    location: str = LOCATION_ID
    kind: str = "Location"
    expires: float = float("inf")
    private: bool = False


@dataclass
class Tokens:
    """Every token there is."""

    clock: Clock
    store: Store
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Grant] = field(default_factory=dict)
    paused: bool = False

    def load(self) -> None:
        """Read back what was kept."""
        for kind, shelf in (("access", self.access), ("refresh", self.refresh)):
            for id_, head, _ in self.store.rows(f"crm/{kind}"):
                shelf[id_] = Grant(**json.loads(head))

    def keep(self, kind: str, id_: str, grant: Grant) -> None:
        """Keep a token."""
        (self.access if kind == "access" else self.refresh)[id_] = grant
        self.store.put(f"crm/{kind}", id_, dumps(asdict(grant)))

    def choose(self, call: Call) -> Reply:
        """GET …/oauth/chooselocation: the user always chooses the one location."""
        query = call.query
        if query.get("client_id") != CLIENT_ID or not query.get("redirect_uri"):
            raise Refusal(400, "Invalid parameter: clientId")
        code = secrets.token_hex(20)
        self.codes[code] = Grant(query.get("scope", "").split() or list(SCOPES))
        return Reply(302, b"", "", {"Location": f"{query['redirect_uri']}?{urlencode({'code': code})}"})

    def token(self, call: Call) -> Reply:
        """POST /oauth/token, in snake or camel case."""
        form = {CAMEL.get(k, k): v for k, v in call.form().items()}
        if not form.get("client_id"):
            raise Refusal(400, "Missing parameter: clientId")
        if form["client_id"] != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            raise Refusal(401, "Invalid client credentials", named=True)
        match form.get("grant_type"):
            case "authorization_code":
                grant = self.codes.pop(form.get("code", ""), None)
                if grant is None:
                    raise Refusal(400, "Invalid grant: authorization code is invalid")
            case "refresh_token":
                grant = self._used(form.get("refresh_token", ""))
            case "client_credentials":
                grant = Grant(list(SCOPES), kind="Company")
            case _:
                raise Refusal(400, "Invalid parameter: grantType")
        if form.get("user_type") in ("Company", "Location"):
            grant = Grant(grant.scopes, grant.location, form["user_type"])
        return json_reply(self.issue(grant))

    def _used(self, token: str) -> Grant:
        grant = self.refresh.get(token)
        if grant is None:
            raise Refusal(400, "Invalid grant: refresh token is invalid")
        if self.paused:
            # The token stays good: it works again once the location is reactivated.
            raise Refusal(400, "Location is not active")
        del self.refresh[token]
        self.store.drop("crm/refresh", token)
        return grant

    def issue(self, grant: Grant, with_refresh: bool = True) -> dict[str, Any]:
        """A new pair of tokens."""
        expires = self.clock.now() + self.clock.lasting(ACCESS_S)
        access = jwt({"authClass": grant.kind, "authClassId": grant.location, "exp": int(expires), "n": time.time_ns()})
        self.keep("access", access, Grant(grant.scopes, grant.location, grant.kind, expires))
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        answer |= {"expires_in": int(self.clock.lasting(ACCESS_S)), "scope": " ".join(grant.scopes)}
        if with_refresh:
            refresh = secrets.token_urlsafe(40)
            self.keep("refresh", refresh, grant)
            answer |= {"refresh_token": refresh, "refreshTokenId": secrets.token_hex(12)}
        answer |= {"userType": grant.kind, "companyId": COMPANY_ID, "userId": USER_ID, "planId": "sandboxplan"}
        if grant.kind == "Location":
            answer["locationId"] = grant.location
        return answer | {
            "approvedLocations": [grant.location],
            "isBulkInstallation": False,
            "installToFutureLocations": False,
            "approveAllLocations": False,
        }

    def location_token(self, call: Call, caller: Grant) -> Reply:
        """POST /oauth/locationToken: an agency's token becomes a location's."""
        form = call.form()
        if caller.kind != "Company":
            raise Refusal(401, "This authClass type is not allowed to access this scope.")
        if form.get("companyId") != COMPANY_ID or form.get("locationId") != LOCATION_ID:
            raise Refusal(403, "The token does not have access to this location.")
        answer = self.issue(Grant(caller.scopes), with_refresh=False)
        return json_reply(answer | {"appId": CLIENT_ID.split("-")[0], "versionId": CLIENT_ID.split("-")[0]}, 201)
