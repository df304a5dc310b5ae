"""Consent, tokens, connections: as they should go, and as somebody dishonest would try."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.server import Sandbox

SCOPE = "openid profile email offline_access accounting.invoices accounting.contacts accounting.settings"
REDIRECT = "http://localhost:8501/xero/callback"


def ask_consent(box: Sandbox, decision: str = "allow", organisation: str = "", **changes: Any) -> httpx.Response:
    """What the browser posts when the user has decided."""
    query = {
        "response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, "scope": SCOPE, "state": "s1",
    } | changes  # fmt: skip
    form = {"decision": decision, "organisation": organisation}
    query = {k: v for k, v in query.items() if v is not None}
    return httpx.post(f"{box.url}/identity/connect/authorize", params=query, data=form)


def code_of(answer: httpx.Response) -> str:
    """The code in the redirect."""
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def token(box: Sandbox, auth: Any = ("sandbox-client", "sandbox-secret"), **form: str) -> httpx.Response:
    """A call of the token endpoint."""
    return httpx.post(f"{box.url}/connect/token", data=form, auth=auth)


def exchange(box: Sandbox, code: str, **form: str) -> httpx.Response:
    """A code for tokens."""
    return token(box, grant_type="authorization_code", code=code, redirect_uri=REDIRECT, **form)


def refresh(box: Sandbox, refresh_token: str) -> httpx.Response:
    """A refresh token for tokens."""
    return token(box, grant_type="refresh_token", refresh_token=refresh_token)


def claims(jwt: str) -> dict[str, Any]:
    """What a token says."""
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_whole_way_from_consent_to_an_answer(quiet: Sandbox) -> None:
    """Code, tokens, connection, organisation: the happy path with everything that documentation promises."""
    answer = ask_consent(quiet)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(REDIRECT + "?")
    assert back["state"] == ["s1"]
    tokens = exchange(quiet, back["code"][0]).json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 1800)
    assert set(tokens["scope"].split()) == set(SCOPE.split())
    assert tokens["id_token"] and tokens["refresh_token"]
    said = claims(tokens["access_token"])
    assert said["exp"] - said["nbf"] == 1800
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    found = httpx.get(f"{quiet.url}/connections", headers=bearer).json()
    assert [c["tenantName"] for c in found] == ["Dupont Conseil"]
    assert found[0]["authEventId"] == said["authentication_event_id"]
    assert found[0]["tenantType"] == "ORGANISATION"
    assert len(found[0]["createdDateUtc"].split(".")[1]) == 7
    head = bearer | {"Xero-Tenant-Id": found[0]["tenantId"], "Accept": "application/json"}
    assert httpx.get(f"{quiet.url}/api.xro/2.0/Organisation", headers=head).status_code == 200


def test_the_consent_page_is_a_plain_form(quiet: Sandbox) -> None:
    """It names the app and the organisation, says scopes in words, and cannot be framed."""
    query = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, "scope": SCOPE}
    page = httpx.get(f"{quiet.url}/identity/connect/authorize", params=query)
    assert page.status_code == 200
    assert page.headers["x-frame-options"] == "DENY"
    for text in (
        "CrocoClick Sync",
        "Dupont Conseil",
        "View and change your invoices",
        'value="allow"',
        'value="cancel"',
    ):
        assert text in page.text


def test_cancelling_comes_back_with_an_error(quiet: Sandbox) -> None:
    """The user says no: access_denied and the state, no code."""
    back = parse_qs(urlsplit(ask_consent(quiet, "cancel").headers["location"]).query)
    assert back == {"error": ["access_denied"], "state": ["s1"]}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "unauthorized_client"),
        ({"client_id": "sandbox-custom"}, "unauthorized_client"),
        ({"redirect_uri": "https://evil.example/xero/callback"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8501/xero/callback"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "/more"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "?x=1"}, "invalid_request"),
        ({"scope": "openid accounting.transactions"}, "invalid_scope"),
        ({"scope": "accounting.journals.read"}, "invalid_scope"),
        ({"scope": "accounting.reports.balancesheets.read"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"client_id": "sandbox-pkce"}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_an_apps_mistake_ends_on_xeros_own_page(quiet: Sandbox, changes: dict[str, Any], error: str) -> None:
    """Nothing is sent to an address that is not registered; the page names the error."""
    answer = ask_consent(quiet, **changes)
    assert answer.status_code == 500
    assert error in answer.text
    assert "location" not in answer.headers


def test_any_local_port_may_be_called_back(quiet: Sandbox) -> None:
    """Tests choose their own port; the path stays exact."""
    assert ask_consent(quiet, redirect_uri="http://localhost:49152/xero/callback").status_code == 302


def test_each_consent_connects_one_organisation() -> None:
    """A second consent adds the second organisation; authEventId tells them apart."""
    with Sandbox(world="demo", limits=False) as box:
        box.xero.add_practice("Cabinet Petit")
        exchange(box, code_of(ask_consent(box, organisation="Dupont Conseil")))
        exchange(box, code_of(ask_consent(box, organisation="Dupont Formation")))
        third = exchange(box, code_of(ask_consent(box, organisation="Cabinet Petit"))).json()
        bearer = {"Authorization": f"Bearer {third['access_token']}"}
        rows = httpx.get(f"{box.url}/connections", headers=bearer).json()
        assert {(c["tenantName"], c["tenantType"]) for c in rows} == {
            ("Dupont Conseil", "ORGANISATION"),
            ("Dupont Formation", "ORGANISATION"),
            ("Cabinet Petit", "PRACTICE"),
        }
        event = claims(third["access_token"])["authentication_event_id"]
        only = httpx.get(f"{box.url}/connections", params={"authEventId": event}, headers=bearer).json()
        assert [c["tenantName"] for c in only] == ["Cabinet Petit"]
        practice = next(c["tenantId"] for c in rows if c["tenantType"] == "PRACTICE")
        head = bearer | {"Xero-Tenant-Id": practice, "Accept": "application/json"}
        assert httpx.get(f"{box.url}/api.xro/2.0/Organisation", headers=head).status_code == 403


def test_a_code_works_once_for_five_minutes_at_one_address(quiet: Sandbox) -> None:
    """Reused, late, or with another redirect address or app: invalid_grant."""
    code = code_of(ask_consent(quiet))
    assert exchange(quiet, code).status_code == 200
    assert exchange(quiet, code).json() == {"error": "invalid_grant"}
    late = code_of(ask_consent(quiet))
    quiet.clock.advance(301)
    assert exchange(quiet, late).json() == {"error": "invalid_grant"}
    moved = code_of(ask_consent(quiet))
    form = {"grant_type": "authorization_code", "code": moved, "redirect_uri": "http://localhost:1/xero/callback"}
    assert token(quiet, **form).json() == {"error": "invalid_grant"}
    foreign = token(quiet, None, client_id="sandbox-pkce", **(form | {"redirect_uri": REDIRECT}))
    assert foreign.json() == {"error": "invalid_grant"}


def test_pkce(quiet: Sandbox) -> None:
    """Only the verifier behind the challenge gets the tokens; no secret is needed, form authentication works."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {"client_id": "sandbox-pkce", "code_challenge": challenge, "code_challenge_method": "S256"}
    form = {"client_id": "sandbox-pkce", "grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = code_of(ask_consent(quiet, **asked))
    for wrong in ("", "x" * 64, verifier[:20]):
        assert token(quiet, None, **form, code=code, code_verifier=wrong).json() == {"error": "invalid_grant"}
    tokens = token(quiet, None, **form, code=code, code_verifier=verifier).json()
    again = token(
        quiet, None, client_id="sandbox-pkce", grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert again.status_code == 200


def test_refresh_tokens_rotate_with_a_grace_of_thirty_minutes(quiet: Sandbox) -> None:
    """The old one still works for half an hour after its first use, then never; unused ones live sixty days."""
    first = quiet.xero.grant()["refresh_token"]
    second = refresh(quiet, first).json()["refresh_token"]
    assert second != first
    quiet.clock.advance(29 * 60)
    assert refresh(quiet, first).status_code == 200
    quiet.clock.advance(2 * 60)
    assert refresh(quiet, first).json() == {"error": "invalid_grant"}
    quiet.clock.advance(59 * 86_400)
    assert refresh(quiet, second).status_code == 200
    third = quiet.xero.grant()["refresh_token"]
    quiet.clock.advance(60 * 86_400 + 1)
    assert refresh(quiet, third).json() == {"error": "invalid_grant"}


def test_the_grace_can_be_switched_off(quiet: Sandbox) -> None:
    """A stricter service: a refresh token works exactly once."""
    quiet.xero.refresh_grace_s = 0
    first = quiet.xero.grant()["refresh_token"]
    assert refresh(quiet, first).status_code == 200
    assert refresh(quiet, first).json() == {"error": "invalid_grant"}


def test_without_offline_access_there_is_no_refresh_token(quiet: Sandbox) -> None:
    """And without openid no id token."""
    tokens = exchange(quiet, code_of(ask_consent(quiet, scope="accounting.settings.read"))).json()
    assert "refresh_token" not in tokens and "id_token" not in tokens


BAD_TOKEN_CALLS = [
    ({"grant_type": "authorization_code", "code": "made-up", "redirect_uri": REDIRECT}, "invalid_grant"),
    ({"grant_type": "refresh_token", "refresh_token": "made-up"}, "invalid_grant"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ({}, "invalid_request"),
]


@pytest.mark.parametrize(("form", "error"), BAD_TOKEN_CALLS)
def test_token_errors(quiet: Sandbox, form: dict[str, str], error: str) -> None:
    """Each wrong request has its own word, always with 400."""
    answer = token(quiet, **form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_token_calls_need_a_form_and_the_right_secret(quiet: Sandbox) -> None:
    """JSON is refused, so are a wrong secret, an unknown app and a missing one."""
    url = f"{quiet.url}/connect/token"
    assert httpx.post(url, json={"grant_type": "x"}).json() == {"error": "invalid_request"}
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert token(quiet, ("sandbox-client", "wrong"), **form).json() == {"error": "invalid_client"}
    assert token(quiet, ("nobody", "x"), **form).json() == {"error": "invalid_client"}
    assert token(quiet, None, **form).json() == {"error": "invalid_request"}
    in_form = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    assert token(quiet, None, **form, **in_form).json() == {"error": "invalid_grant"}


def test_a_custom_connection_needs_no_consent_and_no_tenant(quiet: Sandbox) -> None:
    """Client credentials, no refresh token, the tenant header may be empty."""
    tokens = token(quiet, ("sandbox-custom", "sandbox-custom-secret"), grant_type="client_credentials").json()
    assert "refresh_token" not in tokens
    head = {"Authorization": f"Bearer {tokens['access_token']}", "Xero-Tenant-Id": "", "Accept": "application/json"}
    assert httpx.get(f"{quiet.url}/api.xro/2.0/Organisation", headers=head).status_code == 200


def test_revoking_ends_everything(quiet: Sandbox) -> None:
    """Revoking a refresh token answers 200 with nothing and takes tokens and connections away."""
    tokens = quiet.xero.grant()
    answer = httpx.post(
        f"{quiet.url}/connect/revocation",
        data={"token": tokens["refresh_token"]},
        auth=("sandbox-client", "sandbox-secret"),
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(quiet, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert httpx.get(f"{quiet.url}/connections", headers=bearer).status_code == 401


def call(box: Sandbox, access: str, tenant: str | None, path: str = "Invoices") -> httpx.Response:
    """An API call with whatever credentials."""
    head = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
    return httpx.get(f"{box.url}/api.xro/2.0/{path}", headers=head | ({"Xero-Tenant-Id": tenant} if tenant else {}))


def test_what_the_api_says_to_bad_credentials(quiet: Sandbox) -> None:
    """Forged: 401. Expired: 401 TokenExpired. Wrong or missing tenant: 403. Scope missing: 401 with a header."""
    good, tenant = quiet.xero.grant()["access_token"], quiet.xero.tenant
    head, body, signature = good.split(".")
    forged = f"{head}.{body[:-4]}AAAA.{signature}"
    answer = call(quiet, forged, tenant)
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthenticationUnsuccessful")
    for wrong in (None, "", "33333333-3333-4333-8333-333333333333"):
        answer = call(quiet, good, wrong)
        assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
        assert list(answer.json()) == ["Type", "Title", "Status", "Detail", "Instance", "Extensions"]
    assert call(quiet, good, tenant).status_code == 200
    quiet.clock.advance(1801)
    answer = call(quiet, good, tenant)
    assert answer.status_code == 401
    assert answer.json()["Detail"].startswith("TokenExpired: token expired at ")
    narrow = quiet.xero.grant(scope="accounting.contacts.read")["access_token"]
    quiet.xero.disconnect()
    narrow = quiet.xero.grant(scope="accounting.contacts.read")["access_token"]
    answer = call(quiet, narrow, tenant)
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert "insufficent_scope" in answer.headers["www-authenticate"]
    assert call(quiet, narrow, tenant, "Contacts").status_code == 200


def test_disconnecting_one_organisation(quiet: Sandbox) -> None:
    """DELETE answers 204, a second time 404; the tokens live on, the organisation answers 403."""
    access, tenant = quiet.xero.grant()["access_token"], quiet.xero.tenant
    bearer = {"Authorization": f"Bearer {access}"}
    id_ = httpx.get(f"{quiet.url}/Connections", headers=bearer).json()[0]["id"]
    assert httpx.delete(f"{quiet.url}/connections/{id_}", headers=bearer).status_code == 204
    assert httpx.delete(f"{quiet.url}/connections/{id_}", headers=bearer).status_code == 404
    assert httpx.get(f"{quiet.url}/connections", headers=bearer).json() == []
    assert call(quiet, access, tenant).status_code == 403


def test_discovery(quiet: Sandbox) -> None:
    """The endpoints are advertised at the sandbox's own address."""
    found = httpx.get(f"{quiet.url}/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == f"{quiet.url}/connect/token"
    assert set(found["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post"}
