"""A sandbox, and everything between a consent and an organisation."""

import pytest

from sandbox.server import Sandbox
from syncer.connectors.xero.auth import Consent, Identity, TokenSource, XeroApp
from syncer.connectors.xero.client import XeroAccounts
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.storage.vault import FileVault
from tests.support.xero_consent import REDIRECT, BoxClock, Notes, answer_consent


@pytest.fixture
def box():
    with Sandbox(world="quiet") as box:
        yield box


@pytest.fixture
def clock(box):
    return BoxClock(box)


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def vault(tmp_path):
    return FileVault(tmp_path)


@pytest.fixture
def app(box):
    return XeroApp("sandbox-client", "sandbox-secret", REDIRECT, box.url, box.url, box.url)


@pytest.fixture
def identity(app, notes, clock):
    return Identity(app, notes, clock)


@pytest.fixture
def consent(identity, vault, clock):
    return Consent(identity, vault, clock)


@pytest.fixture
def connect(box, consent):
    """Go through the consent; gives what was granted."""

    def go(connection="default", organisation=""):
        pending = consent.begin(connection)
        return consent.finish(answer_consent(pending.url, organisation=organisation or box.xero.tenant))

    return go


@pytest.fixture
def tokens(connect, identity, vault, clock, box):
    connect()
    source = TokenSource("default", identity, vault, clock)
    source.choose_organisation(box.xero.tenant)
    return source


@pytest.fixture
def accounts(box, tokens, notes, clock):
    client = XeroAccounts.open(
        box.url,
        box.xero.tenant,
        tokens,
        OrganisationLimiter(clock),
        notes,
        clock,
        others_connected=tokens.others_connected,
    )
    yield client
    client.close()
