"""Tokens are refreshed by one at a time, stored before use, and never again after the consent is gone."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncer.connectors.http import Response
from syncer.connectors.xero.auth import Identity, TokenSource, XeroApp, vault_name
from syncer.domain.errors import Reconnect, Unavailable
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
EXPIRED = Response(401, {}, b'{"Detail":"TokenExpired: token expired"}')


def refreshes(box):
    """How often the token endpoint was asked."""
    return box.count(method="POST", path="/connect/token")


def test_a_fresh_token_costs_nothing(box, tokens):
    """Until a minute before its end."""
    first = tokens.access_token()
    box.reset_calls()
    box.clock.advance(1730)
    assert tokens.access_token() == first
    assert refreshes(box) == 0
    box.clock.advance(15)
    assert tokens.access_token() != first
    assert refreshes(box) == 1


def test_a_refused_token_is_renewed_unless_somebody_did(box, tokens, identity, vault, clock):
    """The second to complain gets what the first has fetched."""
    old = tokens.access_token()
    other = TokenSource("default", identity, vault, clock)
    assert other.access_token() == old
    box.reset_calls()
    new = tokens.renew(old, EXPIRED)
    assert new != old
    assert other.renew(old, EXPIRED) == new
    assert refreshes(box) == 1


def test_a_missing_scope_is_not_refreshed_away(box, tokens):
    """It would loop."""
    box.reset_calls()
    assert tokens.renew("x", Response(401, {}, b'{"Detail":"AuthorizationUnsuccessful"}')) is None
    assert refreshes(box) == 0


def test_threads_refresh_once(box, tokens):
    """Twenty at the same moment."""
    box.clock.advance(1790)
    box.reset_calls()
    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(lambda _: tokens.access_token(), range(40)))) == 1
    assert refreshes(box) == 1


def test_processes_refresh_once(box, tokens, app, tmp_path):
    """With no grace for superseded tokens, a second refresh would end the consent."""
    box.xero.refresh_grace_s = 0
    old = tokens.access_token()
    box.clock.advance(1790)
    box.reset_calls()
    command = [sys.executable, "-m", "tests.support.another_process", "token"]
    command += [str(tmp_path), app.api_url, app.redirect_uri, str(box.clock.ahead_s)]
    asking = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    found = [one.communicate(timeout=PATIENCE_S)[0].strip() for one in asking]
    assert all(found)
    assert len(set(found)) == 1
    assert found[0] != old
    assert refreshes(box) == 1
    assert tokens.access_token() == found[0]


def test_four_processes_share_one_refresh_token_through_two_hundred_refreshes(box, tokens, app, tmp_path):
    """With no grace for the one before, any refresh with a token that was used would end the consent: none does."""
    box.xero.refresh_grace_s = 0
    box.xero.access_s = 60  # shorter than what we call fresh: each is renewed before it is used
    box.clock.advance(1790)
    box.reset_calls()
    command = [sys.executable, "-m", "tests.support.another_process", "token"]
    command += [str(tmp_path), app.api_url, app.redirect_uri, str(box.clock.ahead_s), "50"]
    asking = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert all(one.communicate(timeout=PATIENCE_S)[0].strip() for one in asking)
    answers = [call.status for call in box.calls if call.path == "/connect/token"]
    assert len(answers) >= 200 and set(answers) == {200}
    assert tokens.access_token()


def test_a_lost_answer_is_asked_for_again(box, tokens):
    """The old refresh token is still good for half an hour."""
    box.clock.advance(1790)
    box.faults.add("accepted_then_hung_up", side=None, path="/connect/token")
    with pytest.raises(Unavailable):
        tokens.access_token()
    assert tokens.access_token()


def test_a_withdrawn_consent_is_remembered(box, tokens, identity, vault, clock, connect):
    """Asked once, never again, by no process, until there is a new consent."""
    box.xero.revoke()
    box.clock.advance(1790)
    box.reset_calls()
    for source in (tokens, tokens, TokenSource("default", identity, vault, clock)):
        with pytest.raises(Reconnect) as gone:
            source.access_token()
        assert gone.value.code == "consent_revoked"
    assert refreshes(box) == 1
    connect()
    assert tokens.access_token()
    assert vault.get(vault_name("default"))["tenant_id"] == box.xero.tenant


def test_a_wrong_secret_does_not_cost_the_consent(box, tokens, vault, clock, app, notes):
    """It is the app that is refused, not the consent."""
    box.clock.advance(1790)
    wrong = Identity(XeroApp(app.client_id, "wrong", app.redirect_uri, box.url, box.url, box.url), notes, clock)
    with pytest.raises(Reconnect) as refused:
        TokenSource("default", wrong, vault, clock).access_token()
    assert refused.value.code == "consent_client_refused"
    assert tokens.access_token()


def test_before_a_consent_there_is_nothing(identity, vault, clock):
    """Not connected, said plainly."""
    source = TokenSource("default", identity, vault, clock)
    assert source.tokens() is None
    for ask in (source.access_token, lambda: source.choose_organisation("t")):
        with pytest.raises(Reconnect) as missing:
            ask()
        assert missing.value.code == "not_connected"
    source.disconnect()
    source.revoke()


def test_a_new_token_is_stored_before_it_is_used(box, tokens, vault):
    """What the vault holds is what is handed out."""
    box.clock.advance(1790)
    assert tokens.access_token() == vault.get(vault_name("default"))["access_token"]
    assert tokens.tokens().tenant_id == box.xero.tenant


def test_a_token_that_could_not_be_stored_is_renewed_again(box, tokens, vault, monkeypatch):
    """The disk is full: nothing is handed out that is not stored; with room again the old one still serves to renew."""
    box.clock.advance(1790)
    box.reset_calls()
    before = vault.get(vault_name("default"))
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(os, "fsync", _full)
        tokens.access_token()
    assert vault.get(vault_name("default")) == before
    assert tokens.access_token() == vault.get(vault_name("default"))["access_token"] != before["access_token"]
    assert refreshes(box) == 2


def _full(handle):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_disconnecting_the_only_organisation_ends_the_consent(box, tokens, vault):
    """At Xero and here."""
    tokens.disconnect()
    assert vault.get(vault_name("default")) is None
    assert box.count(method="POST", path="/connect/revocation") == 1


def test_disconnecting_one_of_two_leaves_the_other(box, tokens, connect, vault, identity, clock):
    """Revoking would end both."""
    second = box.xero.add_organisation("Dupont Formation")
    connect("second", second.tenant)
    tokens.disconnect()
    assert box.count(method="POST", path="/connect/revocation") == 0
    other = TokenSource("second", identity, vault, clock)
    assert [tenant.name for tenant in other.tenants()] == ["Dupont Formation"]


def test_disconnecting_what_is_disconnected(box, tokens, vault):
    """The consent was withdrawn at Xero before: there is nothing left but to forget."""
    box.xero.revoke()
    tokens.disconnect()
    assert vault.get(vault_name("default")) is None


def test_disconnecting_while_xero_is_away(box, tokens, vault):
    """Nothing is forgotten that is not ended."""
    box.faults.add("error_500", side=None, path="/connect/revocation")
    with pytest.raises(Unavailable):
        tokens.disconnect()
    assert vault.get(vault_name("default"))
