"""A backup is whole or it is refused, and a restore does all of it or nothing, whatever happens to file and machine."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.app import backup, environment
from syncer.app.installation import App
from syncer.domain.errors import TryLater, WrongUsage
from syncer.storage import backup as container
from syncer.storage.ledger.content import content_of
from syncer.storage.ledger.ledger import Ledger
from tests.support.ledger_rows import NOON, invoice_columns

ROOT = Path(__file__).parents[2]
TOKEN = "xero-refresh-token-that-nobody-may-see"
EVENT = '{"id": "event-1"}'


def opened(data, **changes):
    return App(environment.environment({"SYNCER_DATA_DIR": str(data), **changes}, Path("/nowhere")))


def never():
    return False


def tokens(refresh_token):
    """As the vault keeps those of a consent."""
    at = NOON.isoformat()
    return {
        "access_token": "access", "refresh_token": refresh_token, "expires_at": at, "obtained_at": at, "scopes": [],
        "tenant_id": "tenant",
    }  # fmt: skip


def furnish(app):
    """A ledger with forty invoices of two connections, a body, an event and secrets."""
    app.store.transaction(lambda tx: tx.insert("invoice", invoice_columns(range(1, 41))))
    Ledger(app.store, "default").save_connection(NOON, state="connected", organisation_name="Dupont SARL")
    Ledger(app.store, "lyon").save_connection(NOON, state="connected", location_id="loc-lyon", organisation_name="Lyon")
    app.bodies.keep("default", "call-1", NOON, b'{"Invoices": []}', b"{}")
    data = app.environment.data_dir
    (data / "inbox").mkdir()
    (data / "inbox" / "abc-def.json").write_text(EVENT)
    (data / "inbox" / ".abc-half.json.77.1").write_text("half")
    (data / "console.token").write_text("start-up-token")
    (data / "analysis.duckdb").write_text("made again")
    (data / "notes.txt").write_text("not ours")
    app.vault.put("xero:default", tokens(TOKEN))
    app.vault.put("console", {"cookie_secret": "cookie-secret"})


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    app = opened(tmp_path_factory.mktemp("there"))
    furnish(app)
    return app


@pytest.fixture(scope="module")
def files(installation, tmp_path_factory):
    """A backup without secrets, and one with them."""
    folder = tmp_path_factory.mktemp("safe")
    backup.save(installation, folder / "open.zip", False, never)
    backup.save(installation, folder / "secret.zip", True, never)
    return folder


def unpacked(file):
    """Every file of a backup, checked as a restore checks it."""
    with container.opened(file) as reader:
        folder = file.with_name(file.name + ".unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        reader.extract(lambda name: folder / name)
        return {one.name: (folder / one.name).read_bytes() for one in reader.manifest.files}


def refusal(file, app):
    """How a restore is refused; nothing is there afterwards that was not there before."""
    before = sorted(path for path in app.environment.data_dir.rglob("*"))
    with pytest.raises(WrongUsage) as refused:
        backup.restore(app, file, never)
    left = [path for path in app.environment.data_dir.rglob("*") if not path.name.endswith((".lock", ".gate"))]
    assert set(left) <= set(before)
    return refused.value.sentence


# -- what is in it ------------------------------------------------------------------------------------------------


def test_a_backup_holds_what_a_person_would_miss(files):
    """Ledger, bodies and events; not the analysis copy, locks, logs, halves or what is not ours."""
    assert sorted(unpacked(files / "open.zip")) == [
        f"bodies/default/{NOON.date()}/call-1.z", "inbox/abc-def.json", "ledger.duckdb",
    ]  # fmt: skip
    assert sorted(unpacked(files / "secret.zip").keys() - unpacked(files / "open.zip").keys()) == [
        "console.token", "secret.key", "vault.bin",
    ]  # fmt: skip
    assert stat.S_IMODE((files / "open.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(files / "open.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["invoices"] == 40 and [one["name"] for one in manifest["connections"]] == ["default", "lyon"]
    assert manifest["schema_version"] == 6 and all(len(one["sha256"]) == 64 for one in manifest["files"])


def test_without_being_asked_no_secret_is_in_it(installation, files):
    """Neither in its bytes nor in those of any file in it; nor is the key, or the encrypted vault."""
    data = installation.environment.data_dir
    secrets = [TOKEN.encode(), b"cookie-secret", b"start-up-token"]
    secrets += [(data / name).read_bytes().strip() for name in ("secret.key", "vault.bin")]
    everything = [(files / "open.zip").read_bytes(), *unpacked(files / "open.zip").values()]
    with zipfile.ZipFile(files / "open.zip") as archive:
        everything += [archive.read(name) for name in archive.namelist()]
    assert not [secret for secret in secrets for content in everything if secret in content]


def test_a_backup_is_consistent_while_others_write(tmp_path):
    """Each transaction of those who write meanwhile is in the copy whole or not at all."""
    app = opened(tmp_path / "data")
    furnish(app)
    ended = threading.Event()

    def write():
        place = 100
        while not ended.is_set():
            rows = invoice_columns(range(place, place + 10))
            app.store.transaction(lambda tx, rows=rows: tx.insert("invoice", rows))
            place += 10

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            saved = backup.save(app, tmp_path / f"{number}.zip", False, never)
            assert saved.manifest.invoices % 10 == 0
    finally:
        ended.set()
        writer.join()


# -- where it goes ------------------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_is_refused_and_nothing_stays(installation, files, tmp_path):
    """A file that is there, a folder, a folder that is missing, the data directory: each with its own sentence."""
    data = installation.environment.data_dir
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "nowhere.zip").symlink_to(tmp_path / "missing")
    for place, says in (
        (files / "open.zip", "is there already"),
        (tmp_path / "nowhere.zip", "is there already"),
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "a.zip", "is not there"),
        (Path("/sys/a.zip"), "cannot be written"),  # where not even root may
        (data / "a.zip", "is in the data directory"),
        (data / "bodies" / "a.zip", "is in the data directory"),
        (tmp_path / "link" / "a.zip", "is in the data directory"),
    ):
        with pytest.raises(WrongUsage, match=says):
            backup.save(installation, place, False, never)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "nowhere.zip"]
    assert not list(data.glob(".backup-*"))


def test_nothing_is_saved_of_nothing(tmp_path):
    """A wrong data directory shows at once, not on the day of the restore."""
    app = opened(tmp_path / "data")
    with pytest.raises(WrongUsage, match="does not exist"):
        backup.save(app, tmp_path / "a.zip", False, never)
    assert not (tmp_path / "data").exists() or not (tmp_path / "data" / "ledger.duckdb").exists()
    app.store.read(lambda reader: None)
    with pytest.raises(WrongUsage, match="is empty"):
        backup.save(app, tmp_path / "a.zip", False, never)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_who_stops_it_leaves_nothing(installation, tmp_path):
    """After any number of looks whether it is to stop."""
    for after in range(4):
        looks = iter([False] * after)
        with pytest.raises(TryLater):
            backup.save(installation, tmp_path / "a.zip", False, lambda looks=looks: next(looks, True))
        assert not list(tmp_path.iterdir()) and not list(installation.environment.data_dir.glob(".backup-*"))


def test_what_a_killed_backup_left_is_removed_by_the_next(installation, tmp_path):
    """Its half-written file and the copy of the ledger; not those of a process that lives."""
    data = installation.environment.data_dir
    dead = subprocess.Popen(["true"])
    dead.wait()
    for folder in (data / f".backup-{dead.pid}", data / ".backup-1"):
        folder.mkdir()
        (folder / "ledger.duckdb").write_text("copy")
    parts = [tmp_path / f".a.zip.{number}.syncer-part" for number in (dead.pid, 1)]
    for part in parts:
        part.write_text("half")
        os.utime(part, (0, 0))
    backup.save(installation, tmp_path / "b.zip", False, never)
    assert sorted(path.name for path in tmp_path.iterdir()) == [parts[1].name, "b.zip"]
    assert [path.name for path in data.glob(".backup-*")] == [".backup-1"]
    shutil.rmtree(data / ".backup-1")


# -- putting it back ----------------------------------------------------------------------------------------------


def test_a_backup_comes_back_as_it_was(installation, files, tmp_path):
    """The ledger row for row, bodies, events, and the secrets where they were saved."""
    app = opened(tmp_path / "data")
    told = backup.restore(app, files / "secret.zip", never)
    data = app.environment.data_dir
    assert told.manifest.invoices == 40 and told.steps["lyon"]
    assert app.store.read(lambda reader: reader.value("SELECT count(*) FROM invoice")) == 40
    assert app.bodies.get("default", "call-1", NOON) == (b'{"Invoices": []}', b"{}")
    assert (data / "inbox" / "abc-def.json").read_text() == EVENT
    assert app.vault.get("xero:default") == tokens(TOKEN)
    assert not list(data.glob("*restore*")) and not list(data.glob(".restore*"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*") if path.is_file() and path.suffix != ".seal"}
    assert modes == {0o600}


def test_a_restore_goes_into_an_empty_installation_only(installation, files, tmp_path):
    """What is there is named; a ledger that cannot be read is not overwritten either; an empty one is replaced."""
    says = refusal(files / "open.zip", installation)
    assert "40 invoices" in says and "a connection to Dupont SARL" in says
    broken = opened(tmp_path / "broken")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ledger.duckdb").write_bytes(b"rubbish" * 1000)
    assert "cannot be read" in refusal(files / "open.zip", broken)
    empty = opened(tmp_path / "empty")
    empty.store.read(lambda reader: None)
    empty.vault.get("xero:default")  # it makes a key, of which nothing depends
    backup.restore(empty, files / "secret.zip", never)
    assert empty.vault.get("xero:default")
    assert content_of(empty.store.path).invoices == 40


def test_a_ledger_may_lie_elsewhere(files, tmp_path):
    """It is saved and put back where SYNCER_LEDGER_URL says; what waits beside an old one goes."""
    place = tmp_path / "other" / "storage.duckdb"
    app = opened(tmp_path / "data", SYNCER_LEDGER_URL=f"duckdb:///{place}")
    place.parent.mkdir()
    place.with_name("storage.duckdb.wal").write_bytes(b"of a ledger that was moved away")
    backup.restore(app, files / "open.zip", never)
    assert content_of(place).invoices == 40 and not (tmp_path / "data" / "ledger.duckdb").exists()
    assert {path.name for path in place.parent.iterdir()} <= {f"storage.duckdb{end}" for end in ("", ".lock", ".gate")}
    assert backup.save(app, tmp_path / "again.zip", False, never).manifest.invoices == 40


def test_secrets_that_are_there_are_not_replaced(files, tmp_path):
    """Where the ledger alone was lost, tokens are newer than those of any backup; without secrets it is restored."""
    app = opened(tmp_path / "data")
    app.vault.put("xero:default", tokens("newer"))
    assert "holds secrets already" in refusal(files / "secret.zip", app)
    backup.restore(app, files / "open.zip", never)
    assert app.vault.get("xero:default") == tokens("newer")
    locked = opened(tmp_path / "locked")
    locked.vault.put("xero:default", tokens("newer"))
    other = opened(tmp_path / "locked", SYNCER_SECRET_KEY="another")
    for name in ("open.zip", "secret.zip"):
        assert "cannot be read with the key" in refusal(files / name, other)


def test_a_key_of_the_environment_has_to_be_the_same(tmp_path):
    """It is not in the backup: without it, or with another, nothing is restored that could not be read."""
    app = opened(tmp_path / "data", SYNCER_SECRET_KEY="a passphrase")
    furnish(app)
    backup.save(app, tmp_path / "a.zip", True, never)
    assert "set it to the key" in refusal(tmp_path / "a.zip", opened(tmp_path / "without"))
    other = opened(tmp_path / "other", SYNCER_SECRET_KEY="another")
    assert "cannot be read with the key" in refusal(tmp_path / "a.zip", other)
    same = opened(tmp_path / "same", SYNCER_SECRET_KEY="a passphrase")
    backup.restore(same, tmp_path / "a.zip", never)
    assert same.vault.get("xero:default")["refresh_token"] == TOKEN


def test_a_key_file_of_the_backup_is_not_met_by_another_key(files, tmp_path):
    """With SYNCER_SECRET_KEY set, the key that the backup brings would not be used."""
    assert "take SYNCER_SECRET_KEY out" in refusal(
        files / "secret.zip", opened(tmp_path / "data", SYNCER_SECRET_KEY="another")
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked")
def test_a_restore_that_is_killed_at_any_moment_did_all_or_nothing(files, tmp_path):
    """Killed at each touch of the file system in turn: the ledger and the secrets are there together, or neither.

    Whoever opens the installation next finds it so; one that is still empty can be restored into.
    """
    command = [sys.executable, "-m", "tests.support.killed_restore", str(files / "secret.zip"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    ends = {True: 0, False: 0}
    for number in range(1, int(done.stdout) + 1):
        app = opened(tmp_path / str(number))
        app.places.finish()
        ledger = app.places.ledger
        whole = ledger.exists()
        ends[whole] += 1
        names = {path.name for path in app.environment.data_dir.rglob("*") if path.is_file()}
        if not whole:
            unpacked_there = [*app.environment.data_dir.glob(".restore-*/*")]
            kept = names - {path.name for folder in unpacked_there for path in [folder, *folder.rglob("*")]}
            assert not {"vault.bin", "secret.key", "abc-def.json"} & kept, number
            backup.restore(app, files / "secret.zip", never)
        assert content_of(ledger).invoices == 40
        assert app.vault.get("xero:default")["refresh_token"] == TOKEN
        assert (app.environment.data_dir / "runs" / "lyon.seal").exists()
        left = {path.name for path in app.environment.data_dir.rglob("*restore*")}
        assert not left or whole, left
    assert ends[True] > 3 and ends[False] > 3, ends


# -- what is no backup, or none any more --------------------------------------------------------------------------


def altered(file, to, change):
    """The backup written anew with members changed: `change` gets a dict of contents and the manifest."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(contents.pop("manifest.json"))
    infos = {name: zipfile.ZipInfo(name) for name in contents}
    change(contents, manifest, infos)
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in contents.items():
            archive.writestr(infos.get(name) or zipfile.ZipInfo(name), content)
        if manifest is not None:
            archive.writestr("manifest.json", json.dumps(manifest))
    return to


def with_member(name, content=b"x"):
    """A member that the manifest knows of, with its right digest."""

    def change(contents, manifest, infos):
        contents[name] = content
        sha256 = container.hashlib.sha256(content).hexdigest()
        manifest["files"].append({"name": name, "bytes": len(content), "sha256": sha256})

    return change


def link(contents, manifest, infos):
    with_member("inbox/link.json", b"/etc/passwd")(contents, manifest, infos)
    infos["inbox/link.json"] = zipfile.ZipInfo("inbox/link.json")
    infos["inbox/link.json"].external_attr = (stat.S_IFLNK | 0o777) << 16


def of_manifest(**values):
    return lambda contents, manifest, infos: manifest.update(values)


TRICKS = [
    (with_member("../outside.json"), "no backup has"),
    (with_member("/tmp/outside.json"), "no backup has"),
    (with_member("inbox/../../outside.json"), "no backup has"),
    (with_member("inbox\\..\\outside.json"), "no backup has"),
    (with_member("bodies/../2025-01-01/x.z"), "no backup has"),
    (with_member("bodies/default/../x.z"), "no backup has"),
    (with_member("inbox/.hidden.json"), "no backup has"),
    (with_member("ledger.duckdb.wal"), "no backup has"),
    (with_member("restore.decided/x.json"), "no backup has"),
    (with_member("inbox/"), "no backup has"),
    (link, "no backup has"),
    (lambda c, m, i: c.update({"inbox/more.json": b"{}"}), "not those of its manifest"),
    (lambda c, m, i: c.pop("inbox/abc-def.json"), "not those of its manifest"),
    (lambda c, m, i: m["files"].append(m["files"][0]), "not those of its manifest"),
    (lambda c, m, i: c.update({"inbox/abc-def.json": b'{"id": "event-2"}'}), "is not as it was written"),
    (lambda c, m, i: c.update({"inbox/abc-def.json": b"more" * 1000}), "is not as it was written"),
    (lambda c, m, i: (c.pop("ledger.duckdb"), m.update(files=[f for f in m["files"] if "ledger" not in f["name"]])),
     "holds no ledger"),
    (of_manifest(format=2), "newer version"),
    (of_manifest(schema_version=99), "newer version"),
    (of_manifest(product="something else"), "no backup of this program"),
    (of_manifest(files=7), "is damaged or was altered"),
    (of_manifest(made_at="soon"), "is damaged or was altered"),
    (of_manifest(connections=[{"name": "../x"}]), "is damaged or was altered"),
    (of_manifest(connections=[{"nome": "x"}]), "is damaged or was altered"),
    (of_manifest(connections=[]), "not the one of its manifest"),
    (of_manifest(invoices=41), "not the one of its manifest"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), TRICKS)
def test_an_altered_backup_is_refused(files, tmp_path, change, says):
    """By a sentence that says what is wrong, and nothing is put anywhere."""
    file = altered(files / "open.zip", tmp_path / "altered.zip", change)
    app = opened(tmp_path / "inner" / "data")
    assert says in refusal(file, app)
    assert not list(tmp_path.rglob("outside*")) and not app.places.ledger.exists()


def test_a_ledger_in_it_that_cannot_be_read_is_refused(files, tmp_path):
    """Its digest may be right where somebody made the backup anew."""

    def change(contents, manifest, infos):
        contents["ledger.duckdb"] = b"rubbish" * 1000
        sha256 = container.hashlib.sha256(contents["ledger.duckdb"]).hexdigest()
        manifest["files"] = [
            {"name": one["name"], "bytes": 7000, "sha256": sha256} if one["name"] == "ledger.duckdb" else one
            for one in manifest["files"]
        ]

    file = altered(files / "open.zip", tmp_path / "altered.zip", change)
    assert "cannot be read" in refusal(file, opened(tmp_path / "data"))


def test_what_is_no_backup_is_refused(tmp_path):
    """Another ZIP file, a text, nothing, a folder, no file at all."""
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    (tmp_path / "text.zip").write_text("hello")
    (tmp_path / "empty.zip").write_bytes(b"")
    app = opened(tmp_path / "data")
    for name in ("other.zip", "text.zip", "empty.zip"):
        assert "no backup of this program" in refusal(tmp_path / name, app)
    for name in (".", "missing.zip"):
        assert "cannot be read" in refusal(tmp_path / name, app)


@given(st.floats(0, 1), st.integers(1, 255))
def test_a_changed_byte_is_found_or_changes_nothing(files, at, flip):
    """Wherever it is: what a restore takes is what was saved."""
    data = bytearray((files / "secret.zip").read_bytes())
    data[min(int(at * len(data)), len(data) - 1)] ^= flip
    file = files / "flipped.zip"
    file.write_bytes(data)
    try:
        found = unpacked(file)
    except WrongUsage:
        return
    assert found == unpacked(files / "secret.zip")


@given(st.floats(0, 1, exclude_max=True))
def test_a_backup_that_was_cut_off_is_refused(files, at):
    """At any length."""
    data = (files / "open.zip").read_bytes()
    file = files / "cut.zip"
    file.write_bytes(data[: int(at * len(data))])
    with pytest.raises(WrongUsage):
        unpacked(file)
