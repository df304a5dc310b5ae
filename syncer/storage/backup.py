"""A backup: the data of one installation in a ZIP file, with a manifest of what is in it.

The file is written beside its place under another name, read again as a restore would read it, and only then given its
name. A restore trusts nothing in it: names, sizes and digests are compared with the manifest before any of it counts.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from syncer.domain.errors import SyncerError, TryLater, WrongUsage
from syncer.storage.database.damage import NO_RIGHT, of_disk
from syncer.storage.ledger.content import LedgerContent, SavedConnection
from syncer.storage.processes import lives
from syncer.storage.vault import KEY_FILE, VAULT_FILE

FORMAT = 1  # of the manifest and of the names
MANIFEST = "manifest.json"
LEDGER = "ledger.duckdb"
TOKEN_FILE = "console.token"  # noqa: S105 — the name of a file
SECRETS = (VAULT_FILE, KEY_FILE, TOKEN_FILE)
BODIES, INBOX = "bodies", "inbox"
_STEP = r"(?!\.)[\w.@%-]+"  # a name that is one step of a path, as `Payloads` makes them
_NAMES = re.compile(rf"{LEDGER}|{'|'.join(SECRETS)}|{BODIES}/{_STEP}/[\d-]+/{_STEP}\.z|{INBOX}/{_STEP}\.json")
_CONNECTION = re.compile(r"[A-Za-z0-9_-]{1,40}")
_CHUNK = 1 << 20
_MANIFEST_BYTES = 200_000_000  # more than a million files
_PART = "syncer-part"
_SILENT_S = 60  # a file that is being written changes more often
# What the standard library raises over bytes that are no ZIP file, or were one, and over a manifest of other kinds.
_DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, KeyError, IndexError,
    NotImplementedError, RuntimeError, OverflowError, TypeError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class SavedFile:
    """A file in a backup: its name, how many bytes it has, and their SHA-256 in hexadecimal digits."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself; `key` says where its vault's key is: `file`, `environment`, '' for no vault."""

    version: str
    schema_version: int
    made_at: datetime
    with_secrets: bool
    key: str
    connections: tuple[SavedConnection, ...]
    invoices: int
    files: tuple[SavedFile, ...]

    @property
    def content_bytes(self) -> int:
        """Of all files, as they are once they are restored."""
        return sum(file.bytes for file in self.files)


class BackupWriter(AbstractContextManager["BackupWriter"]):
    """Adds one file after the other; `stop` says whether somebody wants it to end. Raises OSError."""

    def __init__(self, file: IO[bytes], stop: Callable[[], bool]) -> None:
        self._zip = zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=1)
        self._files: list[SavedFile] = []
        self._stop = stop

    def __exit__(self, *failure: object) -> None:
        # What was not finished is of no use to anybody, whether or not it can be closed.
        with suppress(OSError, ValueError):
            self._zip.close()

    def add(self, name: str, path: Path) -> None:
        """Add the file at `path`; nothing where it has gone meanwhile."""
        _heed(self._stop)
        with suppress(FileNotFoundError), path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            digest, written = hashlib.sha256(), 0
            # Bodies are compressed already, and what is small costs more than it saves.
            entry = zipfile.ZipInfo(name) if size < _CHUNK else name
            with self._zip.open(entry, "w", force_zip64=size > 1 << 30) as target:
                while part := source.read(_CHUNK):
                    _heed(self._stop)
                    digest.update(part)
                    written += target.write(part)
            self._files.append(SavedFile(name, written, digest.hexdigest()))

    def add_folder(self, name: str, folder: Path) -> None:
        """Add the files in a folder whose names may stand in a backup: others are half written, or not ours."""
        for path in sorted(folder.rglob("*")):
            member = f"{name}/{path.relative_to(folder).as_posix()}"
            if _NAMES.fullmatch(member) and path.is_file() and not path.is_symlink():
                self.add(member, path)

    def finish(self, content: LedgerContent, version: str, made_at: datetime, key: str) -> Manifest:
        """Write the manifest and end the file."""
        made_at = made_at.replace(microsecond=0)
        manifest = Manifest(
            version,
            content.schema_version,
            made_at,
            any(file.name in SECRETS for file in self._files),
            key,
            content.connections,
            content.invoices,
            tuple(self._files),
        )
        told = {"format": FORMAT, "product": "crococlick-xero", **asdict(manifest), "made_at": made_at.isoformat()}
        self._zip.writestr(MANIFEST, json.dumps(told, indent=1))
        self._zip.close()
        return manifest


class BackupReader:
    """A backup whose manifest was read and whose names are as they should be; see `opened`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._zip = archive
        self.manifest = self._read_manifest()
        self._compare_names()

    def extract(self, to: Callable[[str], Path | None], stop: Callable[[], bool] = lambda: False) -> None:
        """Read every file and compare it; those for which `to` gives a path are written there, mode 0600."""
        for file in self.manifest.files:
            _heed(stop)
            path = to(file.name)
            if path is None:
                self._copy(file, None)
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _new_file(path) as target:
                self._copy(file, target)

    def _copy(self, file: SavedFile, target: IO[bytes] | None) -> None:
        digest, left = hashlib.sha256(), file.bytes
        for part in self._parts(file.name):
            left -= len(part)
            # One that has more than it should is not unpacked to its end.
            if left < 0:
                break
            digest.update(part)
            if target:
                target.write(part)
        if left or digest.hexdigest() != file.sha256:
            raise _damaged(self._path, f"{file.name} is not as it was written")

    def _parts(self, name: str) -> Iterator[bytes]:
        with _told_damage(self._path), self._zip.open(name) as source:
            while part := source.read(_CHUNK):
                yield part

    def _read_manifest(self) -> Manifest:
        with _told_damage(self._path):
            if MANIFEST not in self._zip.namelist():
                raise WrongUsage(f"{self._path} is no backup of this program. Nothing was changed.")
            if self._zip.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
                raise _damaged(self._path, "its manifest is too large")
            return _manifest(json.loads(self._zip.read(MANIFEST)), self._path)

    def _compare_names(self) -> None:
        """Every member is in the manifest once and the other way round, and none leads anywhere else."""
        members = [one for one in self._zip.infolist() if one.filename != MANIFEST]
        names = [one.filename for one in self._zip.infolist()]
        for one in members:
            kind = one.external_attr >> 28  # of a Unix file: 8 is a plain one, 10 a link
            if not _NAMES.fullmatch(one.filename) or kind not in (0, 8) or one.filename != one.orig_filename:
                raise _damaged(self._path, f"it holds {one.filename!r}, which no backup has")
            if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or one.flag_bits & 0x1:
                raise _damaged(self._path, f"{one.filename} is packed as no backup packs it")
        listed = [file.name for file in self.manifest.files]
        if sorted(names) != sorted([*listed, MANIFEST]) or len(set(names)) != len(names):
            raise _damaged(self._path, "its files are not those of its manifest")
        if LEDGER not in listed:
            raise _damaged(self._path, "it holds no ledger")


@contextmanager
def opened(path: Path) -> Iterator[BackupReader]:
    """The backup at `path`; raises WrongUsage where it is none, was altered or cut off, or a newer version made it."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        with _told_damage(path):
            if not zipfile.is_zipfile(file):
                raise WrongUsage(f"{path} is no backup of this program, or only the beginning of one.")
            archive = zipfile.ZipFile(file)
        with archive:
            yield BackupReader(path, archive)


@contextmanager
def new_backup(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file to write beside `target`, which gets that name when the block ends well, and is gone otherwise.

    Raises WrongUsage where the name was taken meanwhile, SyncerError `disk_full` or `not_writable`.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.{_PART}")
    with told_disk(target):
        _clear_away(target.parent)
        try:
            with _begun(part, target) as file:
                yield part, file
                file.flush()
                os.fsync(file.fileno())
            _name(part, target)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(target.parent)


@contextmanager
def told_disk(path: Path) -> Iterator[None]:
    """A full disk, or one that may not be written, as SyncerError with the place that was meant."""
    try:
        yield
    except OSError as error:
        raise of_disk(error, path) or WrongUsage(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def own_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder of this process alone, gone afterwards; what killed processes left of the same kind goes as well."""
    with told_disk(parent):
        remove_of_the_dead(parent, prefix)
        folder = parent / f"{prefix}{os.getpid()}"
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_of_the_dead(parent: Path, prefix: str) -> None:
    """Remove files and folders whose name is `prefix` and the number of a process that has ended."""
    for path in parent.glob(f"{prefix}*"):
        number = path.name.removeprefix(prefix).removesuffix(".wal")
        if number.isdecimal() and not lives(int(number)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w+b") as file:
        yield file


@contextmanager
def _begun(part: Path, target: Path) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_new_file(part))
        except OSError as error:
            if error.errno in NO_RIGHT:
                raise WrongUsage(f"{target} cannot be written: {error.strerror}. Give another place.") from error
            raise
        yield file


def _name(part: Path, target: Path) -> None:
    try:
        os.link(part, target)
    except FileExistsError:
        raise WrongUsage(f"{target} is there already, and a backup overwrites nothing. Give another name.") from None
    except OSError:
        # Not every file system has hard links.
        part.replace(target)


def _clear_away(folder: Path) -> None:
    """Remove what processes of this machine left that were killed while they wrote a backup here."""
    for left in folder.glob(f".*.{_PART}"):
        number = left.name.split(".")[-2]
        with suppress(FileNotFoundError):
            if number.isdecimal() and not lives(int(number)) and time.time() - left.stat().st_mtime > _SILENT_S:
                left.unlink()


def _heed(stop: Callable[[], bool]) -> None:
    if stop():
        raise TryLater("stopped")


@contextmanager
def _told_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except SyncerError:
        raise
    except _DAMAGED as error:
        raise _damaged(path, str(error) or type(error).__name__) from error
    except OSError as error:
        # A place that is none in the file shows as a failure of the system's call.
        raise _damaged(path, error.strerror or str(error)) from error


def too_new(path: Path, version: str) -> WrongUsage:
    """What is said of a backup of a newer version."""
    return WrongUsage(f"{path} was made by a newer version of this program ({version}). Update it, then restore.")


def _damaged(path: Path, reason: str) -> WrongUsage:
    return WrongUsage(f"{path} is damaged or was altered: {reason}. Nothing was changed. Use another backup.")


def _manifest(told: Mapping[str, Any], path: Path) -> Manifest:
    """Raises what `_told_damage` knows where something is missing or of another kind."""
    if not isinstance(told, dict) or told.get("product") != "crococlick-xero":
        raise WrongUsage(f"{path} is no backup of this program. Nothing was changed.")
    if int(told["format"]) > FORMAT:
        raise too_new(path, str(told["version"]))
    manifest = Manifest(
        str(told["version"]),
        int(told["schema_version"]),
        datetime.fromisoformat(told["made_at"]).astimezone(UTC),
        bool(told["with_secrets"]),
        str(told["key"]),
        tuple(SavedConnection(**one) for one in told["connections"]),
        int(told["invoices"]),
        tuple(SavedFile(str(one["name"]), int(one["bytes"]), str(one["sha256"])) for one in told["files"]),
    )
    if not all(_CONNECTION.fullmatch(one.name) for one in manifest.connections):
        raise ValueError("it names a connection as none can be named")
    return manifest
