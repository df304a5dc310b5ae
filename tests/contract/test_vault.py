"""Secrets stay secret, whole, and with one keeper at a time."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from syncer.domain.errors import SyncerError
from syncer.storage.vault import VAULT_FILE, FileVault
from tests.support.another_process import add
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
SECRET = {"access_token": "very-secret", "scopes": ["a"]}


def test_a_secret_is_kept_and_forgotten(tmp_path):
    """By name, also for the next process."""
    FileVault(tmp_path).put("xero:default", SECRET)
    vault = FileVault(tmp_path)
    assert vault.get("xero:default") == SECRET
    assert vault.get("xero:other") is None
    vault.remove("xero:default")
    vault.remove("xero:default")
    assert FileVault(tmp_path).get("xero:default") is None


def test_nobody_else_can_read_it(tmp_path):
    """Private files, encrypted content, a silent repr."""
    vault = FileVault(tmp_path)
    vault.put("xero:default", SECRET)
    for name in ("vault.bin", "secret.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert b"very-secret" not in (tmp_path / name).read_bytes()
    assert "secret" not in repr(vault)


@pytest.mark.parametrize("key", ["a passphrase", "3q2-7w==", "kZ6l0xkU8m0xkU8m0xkU8m0xkU8m0xkU8m0xkU8m0xk="])
def test_a_key_from_the_settings(tmp_path, key):
    """Fernet's own form or any text; nothing is then left beside the vault."""
    FileVault(tmp_path, key).put("n", SECRET)
    assert FileVault(tmp_path, key).get("n") == SECRET
    assert not (tmp_path / "secret.key").exists()


def test_a_wrong_key_is_said_and_nothing_is_lost(tmp_path):
    """Neither reading nor writing goes on with it."""
    FileVault(tmp_path, "right").put("n", SECRET)
    wrong = FileVault(tmp_path, "wrong")
    for attempt in (lambda: wrong.get("n"), lambda: wrong.put("n", {}), lambda: wrong.remove("n")):
        with pytest.raises(SyncerError) as refused:
            attempt()
        assert refused.value.code == "vault_unreadable"
        assert refused.value.facts == {"file": "vault.bin", "key": "SYNCER_SECRET_KEY"}
    assert FileVault(tmp_path, "right").get("n") == SECRET


def test_a_damaged_file_is_said(tmp_path):
    """The vault's, or its key's."""
    FileVault(tmp_path).put("n", SECRET)
    (tmp_path / "vault.bin").write_bytes(b"torn")
    with pytest.raises(SyncerError):
        FileVault(tmp_path).get("n")
    (tmp_path / "secret.key").write_text("torn")
    with pytest.raises(SyncerError) as refused:
        FileVault(tmp_path)
    assert refused.value.facts["key"] == "secret.key"


def test_a_write_that_fails_leaves_the_old_vault(tmp_path, monkeypatch):
    """Replaced whole or not at all, and no remains."""
    vault = FileVault(tmp_path)
    vault.put("n", SECRET)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="full"):
        patched.setattr(os, "fsync", _full)
        vault.put("n", {})
    assert vault.get("n") == SECRET
    assert sorted(path.name for path in tmp_path.iterdir()) == ["locks", "secret.key", "vault.bin"]


def _full(handle):
    raise OSError("disk full")


def test_what_a_killed_process_left_is_removed(tmp_path):
    """Half a vault with half the secrets: the next write takes it away, and nothing else that lies there."""
    vault = FileVault(tmp_path)
    vault.put("a", {"token": "t"})
    left = tmp_path / f"{VAULT_FILE}.4711.0a1b2c3d"
    left.write_bytes(b"half")
    backup = tmp_path / f"{VAULT_FILE}.backup"
    backup.write_bytes(b"whole")
    vault.put("b", {"token": "u"})
    assert (left.exists(), backup.exists(), vault.get("a")) == (False, True, {"token": "t"})


def test_processes_and_threads_take_turns(tmp_path):
    """No count is lost and no neighbour's secret, although all started at once on an empty folder."""
    command = [sys.executable, "-m", "tests.support.another_process", "add", str(tmp_path)]
    processes = [subprocess.Popen([*command, f"p{n}", "10"], cwd=ROOT) for n in range(4)]
    threads = [threading.Thread(target=add, args=(tmp_path, f"t{n}", 10)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [process.wait(PATIENCE_S) for process in processes] == [0] * 4
    vault = FileVault(tmp_path)
    assert vault.get("counter") == {"n": 80}
    assert all(vault.get(f"{kind}{n}") for kind in "pt" for n in range(4))


def test_locks_have_names(tmp_path):
    """One connection's refresh does not hold up another's."""
    vault = FileVault(tmp_path)
    with vault.lock("one"), vault.lock("two"):
        entered = threading.Event()

        def wait():
            with vault.lock("one"):
                entered.set()

        threading.Thread(target=wait, daemon=True).start()
        time.sleep(0.05)
        assert not entered.is_set()
    assert entered.wait(PATIENCE_S)
