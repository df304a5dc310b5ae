"""A damaged ledger, a full disk and a directory that cannot be written: each with the sentence that is true of it."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncer.domain.errors import SyncerError
from syncer.messages import status
from syncer.storage.database.store import Store
from syncer.storage.ledger.ledger import Ledger
from tests.support.ledger_rows import NOON, invoice_columns

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of some size."""
    path = tmp_path_factory.mktemp("whole") / "ledger.duckdb"
    store = Store(path)
    numbers = [f"INV-{random.Random(n).getrandbits(400):x}" for n in range(4_000)]
    rows = {**invoice_columns(range(1, 4_001)), "number": numbers}
    store.transaction(lambda tx: tx.insert("invoice", rows))
    Ledger(store, "default").save_connection(NOON, state="connected", organisation_name="Dupont")
    return path


def cut(data: bytearray, at: float) -> bytearray:
    """The file ends early."""
    return data[: int(len(data) * at)]


def flipped(data: bytearray, at: float) -> bytearray:
    """Some bytes are others."""
    for place in range(int(len(data) * at), len(data), 97_000):
        data[place] ^= 0xFF
    return data


def emptied(data: bytearray, at: float) -> bytearray:
    """A stretch of the disk came back empty."""
    place, size = int(len(data) * at), len(data) // 8
    data[place : place + size] = bytes(len(data[place : place + size]))
    return data


@pytest.mark.parametrize("spoil", [cut, flipped, emptied])
def test_a_damaged_ledger_is_said_to_be_damaged(
    whole: Path, tmp_path: Path, spoil: Callable[[bytearray, float], bytearray]
):
    """Also where it opens well and the damage shows while it is read: restore it, and nothing else."""
    said = []
    for n in range(10):
        path = tmp_path / f"{n}.duckdb"
        path.write_bytes(spoil(bytearray(whole.read_bytes()), n / 10 + 0.001))
        try:
            Store(path, moment_s=0.0).read(lambda reader: reader.rows("SELECT * FROM invoice"))
        except SyncerError as damaged:
            said.append(damaged)
    assert {one.code for one in said} == {"ledger_unreadable"}
    assert len(said) >= 2, "what hits a part that is not used harms nothing"
    assert "Restore it from a backup" in status.failure(said[0].code, said[0].facts)


def test_after_a_restore_the_same_program_goes_on(whole: Path, tmp_path: Path):
    """A console that met the damage need not be started again."""
    path = tmp_path / "ledger.duckdb"
    path.write_bytes(flipped(bytearray(whole.read_bytes()), 0.3))
    store = Store(path, moment_s=0.0)
    with pytest.raises(SyncerError, match="ledger_unreadable"):
        store.read(lambda reader: reader.rows("SELECT * FROM invoice"))
    shutil.copyfile(whole, path)
    assert store.read(lambda reader: reader.value("SELECT count(number) FROM invoice")) == 4_000
    store.transaction(lambda tx: tx.execute("UPDATE invoice SET number = 'x' WHERE source_id = 's1'"))


def test_a_mistake_in_a_question_is_no_damage(store: Store):
    """Our own mistakes stay what they are."""
    for wrong in ("SELECT nothing FROM nowhere", "SELECT 1/'a'"):
        with pytest.raises(Exception, match="Error") as mistake:
            store.read(lambda reader, wrong=wrong: reader.rows(wrong))
        assert not isinstance(mistake.value, SyncerError)


def command(data: Path, *given: str, file_bytes: int = resource.RLIM_INFINITY) -> dict[str, str]:
    """What a command says of its failure, on a disk that lets no file grow beyond this."""
    done = subprocess.run(
        [sys.executable, "-m", "syncer", *given, "--json"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "SYNCER_DATA_DIR": str(data), "SYNCER_LEDGER_URL": "", "CROCOCLICK_TOKEN": "t"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stdout + done.stderr
    return dict(json.loads(done.stdout)["error"])


def test_a_command_says_that_the_ledger_is_damaged(whole: Path, tmp_path: Path):
    """And not that something unforeseen happened which the next run settles."""
    data = bytearray(whole.read_bytes())
    (tmp_path / "ledger.duckdb").write_bytes(cut(data, 0.5))
    said = command(tmp_path, "explain", "INV-1")
    assert said["code"] == "ledger_unreadable"


def test_a_command_says_that_the_disk_is_full(whole: Path, tmp_path: Path):
    """Make room: nothing that was committed is lost, and the ledger is whole afterwards."""
    said = command(tmp_path, "settings", "set", "revenue_account=706", file_bytes=10_000)
    assert said["code"] == "disk_full" and "Make room" in said["sentence"] and "backup" not in said["sentence"]
    shutil.copyfile(whole, tmp_path / "ledger.duckdb")
    said = command(tmp_path, "settings", "set", f"reference={'x' * 40_000}", file_bytes=10_000)
    assert said["code"] == "disk_full"
    with Store(tmp_path / "ledger.duckdb").held_still():
        pass
    assert Store(tmp_path / "ledger.duckdb").read(lambda r: r.value("SELECT count(*) FROM invoice")) == 4_000


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right to write everywhere that root has."""
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


@pytest.mark.parametrize("has_ledger", [True, False])
def test_a_directory_that_cannot_be_written_is_said_so(whole: Path, has_ledger: bool):
    """Nothing has to be restored, and nothing is damaged: the advice would lose what was done since."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.duckdb"
        if has_ledger:
            shutil.copyfile(whole, path)
            path.chmod(0o444)
        Path(folder).chmod(0o555)
        store = Store(path)
        for ask in (store.read, store.transaction):
            with as_nobody(), pytest.raises(SyncerError) as refused:
                ask(lambda reader: reader.value("SELECT count(*) FROM invoice"))
            assert refused.value.code == "not_writable"
            told = status.failure(refused.value.code, refused.value.facts)
            assert "cannot be written: Permission denied" in told and "backup" not in told
        Path(folder).chmod(0o755)
