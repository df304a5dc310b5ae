"""Consent from begin to end, and every way it fails, against the sandbox's consent page."""

import urllib.parse
from dataclasses import replace

import pytest

from syncer.connectors.xero.auth import SCOPES, Consent, Identity, TokenSource, XeroApp, choose, jwt_claims, vault_name
from syncer.connectors.xero.entities import Tenant
from syncer.domain.errors import Reconnect, SyncerError, Unavailable
from syncer.storage.vault import FileVault
from tests.support.http_stage import staged
from tests.support.xero_consent import REDIRECT, answer_consent


def refused(finish, *args, **more):
    """The code and facts of a consent that fails."""
    with pytest.raises(Reconnect) as failure:
        finish(*args, **more)
    return failure.value.code, failure.value.facts


def test_consent_given(box, consent, vault, tmp_path, identity, clock, notes):
    """Begun by one process, finished by another; tokens stored, the event known, nothing secret written down."""
    pending = consent.begin()
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(pending.url).query))
    assert asked["code_challenge_method"] == "S256"
    assert (asked["scope"].split(), asked["redirect_uri"]) == (list(SCOPES), REDIRECT)
    assert len(pending.state) >= 43
    callback = answer_consent(pending.url, organisation=box.xero.tenant)
    granted = Consent(identity, FileVault(tmp_path), clock).finish(callback, arrived_at=f"{REDIRECT}?code=x&state=y")
    assert granted.connection == "default"
    assert set(SCOPES) <= set(granted.tokens.scopes)
    assert granted.tokens.user == "camille.moreau@example.com"
    stored = vault.get(vault_name("default"))
    assert stored["refresh_token"] == granted.tokens.refresh_token
    tenants = TokenSource("default", identity, vault, clock).tenants()
    assert choose(tenants, auth_event_id=granted.auth_event_id).id == box.xero.tenant
    written = repr(notes.calls) + repr(granted) + repr(pending)
    secrets = [stored["access_token"], stored["refresh_token"], callback["code"], pending.code_verifier, pending.state]
    assert not [secret for secret in secrets if secret in written]


def test_consent_without_a_secret(box, app, notes, vault, clock):
    """A PKCE app."""
    pkce = Consent(Identity(replace(app, client_id="sandbox-pkce", client_secret=None), notes, clock), vault, clock)
    assert pkce.finish(answer_consent(pkce.begin().url, organisation=box.xero.tenant)).tokens.refresh_token


def test_consent_for_a_custom_connection(box, app, notes, vault, clock):
    """No person, no redirect; a new token is asked for when the old one is old."""
    identity = Identity(replace(app, client_id="sandbox-custom", client_secret="sandbox-custom-secret"), notes, clock)
    granted = Consent(identity, vault, clock).grant_client_credentials()
    assert granted.tokens.refresh_token == ""
    source = TokenSource("default", identity, vault, clock)
    first = source.access_token()
    box.clock.advance(1750)
    assert source.access_token() != first


def test_consent_cancelled(consent):
    """The person pressed Cancel."""
    callback = answer_consent(consent.begin().url, decision="cancel")
    assert refused(consent.finish, callback)[0] == "consent_cancelled"


def test_consent_forged(consent, box):
    """A callback with a state of nobody's, or none."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    assert refused(consent.finish, callback | {"state": "forged"})[0] == "consent_state_unknown"
    assert refused(consent.finish, {"code": callback["code"]})[0] == "consent_state_unknown"
    assert consent.finish(callback).tokens


def test_consent_twice(consent, box):
    """A callback is good once."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    consent.finish(callback)
    assert refused(consent.finish, callback) == ("consent_state_stale", {"used": True})


def test_consent_that_is_not_admitted_leaves_the_tokens_that_work(consent, box, vault):
    """Whoever gives a consent for other books does not replace a connection's tokens with theirs."""
    consent.finish(answer_consent(consent.begin().url, organisation=box.xero.tenant))
    before = vault.get(vault_name("default"))
    seen = []

    def refuse(granted):
        seen.append([tenant.id for tenant in granted.tenants])
        raise Reconnect("organisation_differs")

    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    assert refused(consent.finish, callback, admit=refuse)[0] == "organisation_differs"
    assert (seen, vault.get(vault_name("default"))) == ([[box.xero.tenant]], before)


def test_consents_that_nobody_finishes_do_not_fill_the_vault(consent, box, vault, clock):
    """Anybody can begin one: the latest twenty stay good, older ones are dropped, and used ones are still known."""
    used = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    consent.finish(used)
    begun = []
    for _ in range(60):
        box.clock.advance(0.01)
        begun.append(consent.begin())
    assert len(vault.get("xero-consents")) == 21
    assert refused(consent.finish, used)[0] == "consent_state_stale"
    assert refused(consent.finish, {"state": begun[0].state, "code": "x"})[0] == "consent_state_unknown"
    assert consent.asked_by(begun[40].state)[1] == "default"
    assert consent.finish(answer_consent(begun[40].url, organisation=box.xero.tenant)).tokens


def test_consent_too_late(consent, box):
    """After ten minutes; after a day nobody remembers it."""
    pending = consent.begin()
    callback = answer_consent(pending.url, organisation=box.xero.tenant)
    box.clock.advance(601)
    assert refused(consent.finish, callback) == ("consent_state_stale", {"used": False})
    box.clock.advance(86_400)
    consent.begin()
    assert refused(consent.finish, callback)[0] == "consent_state_unknown"


def test_consent_code_too_old(consent, box):
    """Xero's own codes live five minutes."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    box.clock.advance(400)
    assert refused(consent.finish, callback)[0] == "consent_code_refused"


def test_consent_without_a_code(consent):
    """A callback that holds nothing."""
    assert refused(consent.finish, {"state": consent.begin().state})[0] == "consent_code_refused"


def test_consent_came_to_another_address(consent, box, app, notes, vault, clock):
    """The address differs from the setting, or the setting was changed meanwhile."""
    pending = consent.begin()
    callback = answer_consent(pending.url, organisation=box.xero.tenant)
    code, facts = refused(consent.finish, callback, arrived_at="http://localhost:9000/xero/callback?code=1")
    assert (code, facts["expected"]) == ("consent_redirect_mismatch", REDIRECT)
    moved = Consent(
        Identity(replace(app, redirect_uri="http://localhost:9999/xero/callback"), notes, clock), vault, clock
    )
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    assert refused(moved.finish, callback)[0] == "consent_redirect_mismatch"


def test_consent_for_a_wrong_app(box, app, notes, vault, clock):
    """The secret is wrong."""
    wrong = Consent(Identity(replace(app, client_secret="wrong"), notes, clock), vault, clock)
    callback = answer_consent(wrong.begin().url, organisation=box.xero.tenant)
    assert refused(wrong.finish, callback)[0] == "consent_client_refused"
    assert vault.get(vault_name("default")) is None
    assert refused(wrong.grant_client_credentials)[0] == "consent_client_refused"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_scope", "consent_scope_refused"),
        ("unauthorized_client", "consent_client_refused"),
        ("server_error", "consent_refused"),
    ],
)
def test_consent_refused_by_xero(consent, error, code):
    """What the callback says."""
    callback = {"state": consent.begin().state, "error": error, "error_description": "no “good”"}
    assert refused(consent.finish, callback) == (code, {"error": error, "description": "no “good”"})


def test_consent_with_too_few_scopes(box, consent, vault):
    """Told which are missing, and nothing is stored."""
    pending = consent.begin()
    url = pending.url.replace("accounting.payments+", "").replace("accounting.payments%20", "")
    code, facts = refused(consent.finish, answer_consent(url, organisation=box.xero.tenant))
    assert (code, facts["missing"]) == ("scope_missing", ["accounting.payments"])
    assert vault.get(vault_name("default")) is None


def test_consent_that_does_not_last(box, consent):
    """Without offline_access there is nothing to refresh with."""
    url = consent.begin().url.replace("offline_access+", "").replace("offline_access%20", "")
    assert refused(consent.finish, answer_consent(url, organisation=box.xero.tenant))[1] == {
        "missing": ["offline_access"]
    }


@pytest.mark.parametrize("fault", ["accepted_then_hung_up", "error_500", "error_503", "truncated"])
def test_consent_while_xero_is_away(box, consent, fault):
    """Not the person's fault: they begin again."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    box.faults.add(fault, side=None, path="/connect/token")
    with pytest.raises(Unavailable) as gone:
        consent.finish(callback)
    assert gone.value.code == "xero_unavailable"


def test_a_token_answer_without_a_token(box, consent):
    """Garbage is not taken for a token."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    fault = box.faults.add("refuse", side=None, path="/connect/token", status=200)
    fault.options["body"] = {"hello": 1}
    with pytest.raises(Unavailable) as gone:
        consent.finish(callback)
    assert gone.value.facts["reason"] == "no access token in the answer"


def test_a_refusal_with_quotes_in_it(box, consent):
    """An OAuth description with characters that are not allowed is still only a refusal."""
    callback = answer_consent(consent.begin().url, organisation=box.xero.tenant)
    body = {"error": "invalid_grant", "error_description": 'the "redirect_uri" differs – sorry'}
    fault = box.faults.add("refuse", side=None, path="/connect/token", status=400)
    fault.options["body"] = body
    assert refused(consent.finish, callback)[0] == "consent_redirect_mismatch"


def tenant(id, name, kind="ORGANISATION", event=""):
    """An entry of the connections."""
    return Tenant(f"c-{id}", id, kind, name, event)


ONE, TWO, PRACTICE = tenant("1", "Atelier"), tenant("2", "Boutique", event="e"), tenant("3", "Cabinet", "PRACTICE")


@pytest.mark.parametrize(
    ("tenants", "wanted", "event", "chosen"),
    [
        ([ONE], "", "", ONE),
        ([ONE, PRACTICE], "", "", ONE),
        ([ONE, TWO], " boutique ", "", TWO),
        ([ONE, TWO], "1", "", ONE),
        ([ONE, TWO], "", "e", TWO),
    ],
)
def test_the_organisation_is_chosen(tenants, wanted, event, chosen):
    """The only one, the one named, or the one of this very consent."""
    assert choose(tenants, wanted, event) == chosen


@pytest.mark.parametrize(
    ("tenants", "wanted", "code"),
    [
        ([], "", "no_organisation"),
        ([PRACTICE], "", "not_an_organisation"),
        ([ONE, TWO], "", "several_organisations"),
        ([ONE, TWO], "Cabinet", "organisation_not_found"),
        ([ONE, PRACTICE], "Cabinet", "not_an_organisation"),
        ([ONE, tenant("4", "Atelier")], "atelier", "several_organisations"),
    ],
)
def test_the_organisation_cannot_be_chosen(tenants, wanted, code):
    """Told why, with those there are."""
    assert refused(choose, tenants, wanted)[0] == code


def test_tokens_that_are_no_jwt():
    """They say nothing of themselves."""
    assert jwt_claims("opaque") == jwt_claims("a.%%%.c") == jwt_claims("a.WzFd.c") == {}


def test_an_app_hides_its_secret():
    """Not in a repr."""
    assert "hush" not in repr(XeroApp("id", "hush", REDIRECT))


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b"7", b'"token"', b"[" * 50_000, b'{"access_token": 7}',
        b'{"access_token": {}}',
        '{"access_token": "é", "refresh_token": "r"}'.encode(),
        b'{"access_token": "a\\nb", "refresh_token": "\\ud83c"}',
        b'{"access_token": "t", "expires_in": "soon", "refresh_token": "r"}',
        b'{"access_token": "t", "expires_in": 1e300, "refresh_token": ["r"]}',
        b'{"access_token": "t", "expires_in": NaN, "scope": 7, "id_token": {}}',
        b'{"access_token": "a.eyJzY29wZSI6IDd9.c", "expires_in": -5, "scope": [1, null, "openid"]}',
        b'{"error": {}}', b'{"error": ["invalid_grant"], "error_description": 7}', b'{"error": null}',
        b'{"error": "invalid_grant", "error_description": {"text": "\\ud83c"}}',
    ],
)  # fmt: skip
def test_whatever_the_token_endpoint_answers_is_foreseen(app, notes, vault, clock, status, body):
    """A sentence with the next step, and never a token that is none."""
    html = b'{"Invoices": []}'
    with staged((status, {}, body), (200, {}, html)) as stage:
        identity = Identity(replace(app, identity_url=stage.url, api_url=stage.url), notes, clock)
        consent = Consent(identity, vault, clock)
        with pytest.raises(SyncerError):
            consent.finish({"state": consent.begin().state, "code": "c"})
    assert vault.get(vault_name("default")) is None


def test_a_token_whose_lifetime_makes_no_sense_is_renewed_early(app, notes, vault, clock):
    """Half an hour is what Xero's tokens live, whatever the answer says."""
    body = b'{"access_token": "t", "refresh_token": "r", "expires_in": "soon"}'
    with staged((200, {}, body), (200, {}, b"[]")) as stage:
        identity = Identity(replace(app, identity_url=stage.url, api_url=stage.url), notes, clock)
        consent = Consent(identity, vault, clock)
        granted = consent.finish({"state": consent.begin().state, "code": "c"})
    assert (granted.tokens.expires_at - clock.now()).total_seconds() == pytest.approx(1800, abs=60)
