"""`backup` and `restore` as a person and a script meet them."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from sandbox.server import Sandbox
from tests.support.commands import ROOT, run, told
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sandbox(world="quiet", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        world.set(revenue_account="706", payment_account__EUR="512")
        world.sync()
        yield world


def test_saved_and_restored_by_two_commands(world, tmp_path):
    """One JSON object each: what was saved, and what a restored installation still needs; sentences for people."""
    file, new = str(tmp_path / "a.zip"), {"SYNCER_DATA_DIR": str(tmp_path / "new")}
    saved = told(world, "backup", file)
    assert saved["file"] == file and saved["bytes"] == (tmp_path / "a.zip").stat().st_size
    assert (saved["invoices"], saved["with_secrets"]) == (3, False)
    assert saved["connections"][0]["name"] == "default" and saved["made_at"].endswith("Z")
    assert 0 <= saved["held_s"] < 10
    done = run(world, "restore", file, "--json", **new)
    assert done.returncode == 0, done.stderr
    restored = json.loads(done.stdout)
    assert restored["invoices"] == 3 and "python -m syncer connect" in restored["connections"][0]["next"][0]
    assert run(world, "sync", **new).returncode == 4, "without secrets it is not connected"
    again = run(world, "restore", file, **new)
    assert again.returncode == 2 and "3 invoices" in again.stderr and again.stdout == ""


def test_with_secrets_it_goes_on_at_once(world, tmp_path):
    """The words say that secrets are in it, and the restored installation syncs without a consent."""
    file, new = str(tmp_path / "a.zip"), {"SYNCER_DATA_DIR": str(tmp_path / "new")}
    world.app.vault.put("console", {"cookie_secret": "x" * 64})  # as a console with a sign-in makes it
    said = " ".join(run(world, "backup", file, "--with-secrets").stdout.split())
    assert "Secrets are in it" in said and "python -m syncer restore" in said and "1 connection and 3 invoices" in said
    said = run(world, "restore", file, **new).stdout
    assert "Connect Xero again" not in said and "end-sign-ins" in said
    world.box.reset_calls()
    assert run(world, "sync", **new).returncode == 0
    assert world.writes() == 0


@pytest.mark.parametrize("place", ["there.zip", ".", "missing/a.zip", "data/a.zip"])
def test_a_place_that_cannot_be_ends_with_2(world, tmp_path, place):
    """By a sentence, and nothing is left anywhere."""
    (tmp_path / "there.zip").write_text("an older one")
    data = tmp_path / "data"
    shutil.copytree(world.app.environment.data_dir, data)
    done = run(world, "backup", str(tmp_path / place), SYNCER_DATA_DIR=str(data))
    assert done.returncode == 2 and done.stdout == "" and done.stderr.strip().endswith(".")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "there.zip"]
    assert (tmp_path / "there.zip").read_text() == "an older one"
    assert not [path for path in data.rglob("*") if "backup" in path.name or path.suffix == ".zip"]


def full(world, *words, most, **environment):
    """The failure of a command that may write files of so many bytes; it ends with 1."""
    done = subprocess.run(
        [sys.executable, "-m", "syncer", *words, "--json"], cwd=ROOT, env={**os.environ, **world.values, **environment},
        capture_output=True, text=True, timeout=PATIENCE_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    return json.loads(done.stdout)["error"]


def test_a_disk_without_room_ends_with_1(world, tmp_path):
    """The sentence names what there was no room for; no half of it stays, and the installation goes on."""
    bodies = world.app.environment.data_dir / "bodies" / "default" / "2020-01-01"
    bodies.mkdir()
    for number in range(40):
        (bodies / f"call-{number}.z").write_bytes(os.urandom(1_000_000))
    for limit in (40_000_000, 3_000_000, 10_000):
        failure = full(world, "backup", str(tmp_path / "a.zip"), most=limit)
        assert failure["code"] == "disk_full" and "Make room" in failure["sentence"]
        assert not list(tmp_path.iterdir()) and not list(world.app.environment.data_dir.glob(".backup-*"))
    shutil.rmtree(bodies)
    assert told(world, "sync")["held"] == []
    told(world, "backup", str(tmp_path / "a.zip"))
    new = tmp_path / "new"
    failure = full(world, "restore", str(tmp_path / "a.zip"), most=10_000, SYNCER_DATA_DIR=str(new))
    assert failure["code"] == "disk_full"
    assert {path.name for path in new.rglob("*")} <= {"ledger.duckdb.lock", "ledger.duckdb.gate"}


def test_what_is_no_backup_ends_with_2(world, tmp_path):
    """A restore of anything else is refused, and makes no installation."""
    (tmp_path / "a.zip").write_text("no backup")
    done = run(world, "restore", str(tmp_path / "a.zip"), SYNCER_DATA_DIR=str(tmp_path / "new"))
    assert done.returncode == 2 and "no backup of this program" in done.stderr
    assert not (tmp_path / "new" / "ledger.duckdb").exists()


def test_a_lost_ledger_is_rebuilt_by_one_command(world, tmp_path):
    """It says what was found, what no book knows, and writes to neither; one that is not lost ends with 2."""
    data = tmp_path / "data"
    shutil.copytree(world.app.environment.data_dir, data)
    lost = {"SYNCER_DATA_DIR": str(data)}
    refused = run(world, "rebuild", **lost)
    assert refused.returncode == 2 and "is not lost" in refused.stderr
    for path in data.glob("ledger.duckdb*"):
        path.unlink()
    world.box.reset_calls()
    said = run(world, "rebuild", **lost)
    assert said.returncode == 0, said.stderr
    assert "3 of 3 invoices" in said.stdout and "start_date" in said.stdout and world.writes() == 0
    assert run(world, "rebuild", SYNCER_DATA_DIR=str(tmp_path / "new")).returncode == 4
    for path in data.glob("ledger.duckdb*"):
        path.unlink()
    done = run(world, "rebuild", "--json", **lost)
    told = json.loads(done.stdout)
    assert told["found"] == {"known": 3, "invoices": 3, "contacts": 2, "payments": 1} and told["held"] == []
    assert set(told["calls"]) == {"xero", "crococlick"}
