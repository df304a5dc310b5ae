"""An installation is saved while it works and put back elsewhere: its first sync enters nothing twice."""

from dataclasses import replace

import pytest

from syncer.app import backup
from syncer.app.installation import App
from tests.support.restored_walk import marks


@pytest.fixture
def elsewhere(paying, tmp_path_factory):
    """Restores a file into a new directory, from which the same world goes on; answers with what was restored."""

    def restored(file, with_tokens=True):
        fresh = paying.app.vault.get("xero:default")
        folder = tmp_path_factory.mktemp("new") / "data"
        environment = replace(
            paying.app.environment, data_dir=folder, ledger_url=f"duckdb:///{folder / 'ledger.duckdb'}"
        )
        paying.app = App(environment, paying.app.clock)
        told = backup.restore(paying.app, file, lambda: False)
        if with_tokens:
            paying.app.vault.put("xero:default", fresh)  # what a person does who connects again
        return told

    return restored


def save(world, file, **asked):
    return backup.save(world.app, file, asked.get("with_secrets", False), lambda: False)


def transactions(world):
    return sorted(one["_id"] for one in world.crm.transactions())


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
def test_after_a_restore_nothing_is_entered_twice(paying, elsewhere, tmp_path_factory, full):
    """Documents, contacts and part payments that went after the backup are bound again by the first sync."""
    world, file = paying, tmp_path_factory.mktemp("safe") / "backup.zip"
    for number in ("INV-1", "INV-2", "INV-3"):
        world.has(number)
    world.crm.pay("INV-1", 30)
    world.sync()
    save(world, file)
    world.later(minutes=5)
    world.crm.pay("INV-1", 30)
    world.crm.pay("INV-2", 20)
    world.crm.pay("INV-2", 20)
    world.crm.pay("INV-3", 120)
    world.has("INV-4")
    world.crm.pay("INV-4", 50)
    world.sync()
    assert marks(world) == transactions(world)
    elsewhere(file)
    world.later(minutes=10)
    world.box.reset_calls()
    outcomes = world.sync(full=full)
    assert world.writes() == 0 and (outcomes["created"], outcomes["paid"], outcomes["held"]) == (0, 0, 0)
    assert marks(world) == transactions(world)
    assert len(world.xero.invoices()) == 4 and len(world.xero.contacts()) == 4
    assert {world.state(f"INV-{n}") for n in range(1, 5)} == {"synced"}
    assert world.app.register.audit({"what": "restored"}, 9)[0]["subject"] == "backup.zip"


def test_an_installation_that_had_made_nothing_yet_is_known_as_a_copy_too(paying, elsewhere, tmp_path_factory):
    """Saved before the first document, restored within the hour: what went and was renumbered since is found."""
    world, file = paying, tmp_path_factory.mktemp("safe") / "backup.zip"
    world.has("EARLIER", dueDate=None)  # held: both books are read and nothing is made
    world.sync()
    assert world.ledger.watermark("xero_invoices") and world.ledger.watermark("sealed") is None
    save(world, file)
    invoice = world.has("INV-1")
    world.sync()
    world.crm.edit_invoice(invoice, invoiceNumber="INV-2")
    elsewhere(file)
    world.later(minutes=7)
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero", method="PUT") == 0
    assert len(world.xero.invoices()) == 1


def test_secrets_go_along_only_when_asked(paying, elsewhere, tmp_path_factory):
    """With secrets the restored installation syncs at once; without, it says how to connect again."""
    world, folder = paying, tmp_path_factory.mktemp("safe")
    world.has("INV-1")
    world.sync()
    save(world, folder / "open.zip")
    save(world, folder / "secret.zip", with_secrets=True)
    told = elsewhere(folder / "open.zip", with_tokens=False)
    [organisation] = {one.organisation for one in told.manifest.connections}
    assert told.steps["default"] == [
        f"Connect Xero again, choose {organisation}: `python -m syncer connect`, or on the console's Connections page."
    ]
    world.crm.pay("INV-1", 30)
    assert elsewhere(folder / "secret.zip", with_tokens=False).steps == {"default": []}
    assert world.sync()["paid"] == 1
