"""A real ledger in a folder of its own, filled through the Ledger, and pages drawn over it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console.desk.desk import Desk
from console.desk.installation import installation
from sandbox.server import Sandbox
from syncer.domain.model.books import books_text
from tests.support.pages import BOOKS, INVOICES, NOW, RUN, SECRET, VERDICTS, Draw, intent, script, send
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk over an empty ledger; nothing is connected."""
    monkeypatch.setenv("SYNCER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SYNCER_WATCH", "off")  # Nobody works in the background, and nobody is missed.
    for name in ("XERO_API_URL", "XERO_LOGIN_URL", "XERO_IDENTITY_URL", "CROCOCLICK_API_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Nobody answers there, and nothing is asked of the world.
    monkeypatch.setenv("XERO_CLIENT_ID", "sandbox-client")
    monkeypatch.setenv("CROCOCLICK_TOKEN", SECRET)
    monkeypatch.setenv("CROCOCLICK_LOCATION_ID", "Loc1")
    installation.cache_clear()
    yield Desk(installation())
    installation.cache_clear()


@pytest.fixture
def connected(desk: Desk) -> Desk:
    """Connected, and nothing was read yet."""
    desk.ledger.save_connection(
        NOW, state="connected", connected_at=NOW, organisation_id="o1", organisation_name="Dupont Conseil",
        country="FR", base_currency="EUR", plan="PREMIUM", short_code="!abc",
        location_name="Dupont", timezone="Europe/Paris",
    )  # fmt: skip
    desk.app.vault.put(
        "xero:default",
        {
            "access_token": SECRET, "refresh_token": SECRET, "tenant_id": "o1", "user": "camille@example.com",
            "expires_at": (NOW + timedelta(hours=1)).isoformat(), "obtained_at": NOW.isoformat(),
            "scopes": ["offline_access", "accounting.invoices", "accounting.settings"],
        },
    )  # fmt: skip
    return desk


@pytest.fixture
def resting(working: Desk) -> Desk:
    """The same after the consent has ended: an order is written down, and no run begins with it."""
    working.ledger.save_connection(NOW, state="consent_revoked")
    return working


@pytest.fixture
def working(connected: Desk) -> Desk:
    """One run long: an invoice in every state."""
    ledger = connected.ledger
    ledger.begin_run(RUN, "", "cron", 1, NOW)
    ledger.mirror(NOW, reached=["books"], books=books_text(BOOKS))
    ledger.change_settings({"revenue_account": "706"}, "anna", NOW)
    ledger.see(RUN, INVOICES, NOW)
    ledger.take_customers(NOW)
    ledger.settle_verdicts(RUN, VERDICTS, NOW)
    send(connected, ["in1", "in2"])
    ledger.commit(RUN, NOW, intents=[intent("doubt", 0, "call-lost")])
    result = {"outcomes": {"created": 2, "held": 3, "deferred": 2, "in_doubt": 1, "not_eligible": 1},
              "money": {}, "calls": {"xero": 7, "crococlick": 2}}  # fmt: skip
    ledger.finish_run(RUN, "done", None, result, NOW + timedelta(seconds=3))
    return connected


@pytest.fixture
def draw() -> Draw:
    """Draw a page at an address."""

    def drawn(page: str, **address: str) -> AppTest:
        at = AppTest.from_function(script, default_timeout=PATIENCE_S, kwargs={"page": page})
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return drawn


@pytest.fixture
def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A console over a sandbox: connected, with a revenue account, and nothing read yet."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        for name, value in world.values.items():
            monkeypatch.setenv(name, value)
        world.connect()
        world.set(revenue_account="706")
        installation.cache_clear()
        yield world
        installation.cache_clear()
