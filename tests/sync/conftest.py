"""A world to tell stories in, connected and with an account for its lines."""

import shutil
from datetime import timedelta

import pytest

from sandbox.server import Sandbox
from tests.support.sync_world import World


@pytest.fixture
def box():
    with Sandbox(world="empty", limits=False) as box:
        yield box


@pytest.fixture(scope="session")
def connected_folder(tmp_path_factory):
    """What a connection leaves in the data directory, made once: every sandbox has the same organisation."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("connected"))
        world.connect()
        world.set(revenue_account="706")
        return world.app.environment.data_dir


@pytest.fixture
def world(box, tmp_path, connected_folder):
    """Connected as by a person, by the consent that this sandbox gave."""
    shutil.copytree(connected_folder, tmp_path, dirs_exist_ok=True)
    world = World(box, tmp_path)
    given, now = box.xero.grant(), world.app.clock.now()
    kept = world.app.vault.get("xero:default")
    assert kept["tenant_id"] == box.xero.tenant
    fresh = {"access_token": given["access_token"], "refresh_token": given["refresh_token"]}
    until = now + timedelta(seconds=given["expires_in"])
    world.app.vault.put(
        "xero:default", kept | fresh | {"expires_at": until.isoformat(), "obtained_at": now.isoformat()}
    )
    return world


@pytest.fixture
def paying(world):
    """Payments in euros go to the bank."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    return world
