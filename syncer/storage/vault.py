"""Tokens and keys, encrypted, in a private file apart from the ledger, so that a ledger can be shown to support."""

import fcntl
import hashlib
import json
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from syncer.domain.errors import SyncerError

VAULT_FILE = "vault.bin"
KEY_FILE = "secret.key"
LOCKS = "locks"
PRIVATE = 0o600
HALF_WRITTEN = re.compile(r"\.\d+\.[0-9a-f]{8}")  # the process and chance, see _write_durably
# A passphrase is stretched; a key of Fernet's own form is taken as it is.
SALT = b"crococlick-xero vault"


class FileVault:
    """Secrets by name in one encrypted file; safe among the threads and processes of one machine."""

    def __init__(self, data_dir: Path, secret_key: str = "") -> None:
        self._dir = data_dir
        self._file = data_dir / VAULT_FILE
        data_dir.mkdir(parents=True, exist_ok=True)
        self._key_from = "SYNCER_SECRET_KEY" if secret_key else KEY_FILE
        self._fernet = _fernet(secret_key or _key_on_disk(data_dir / KEY_FILE), self._key_from)

    def __repr__(self) -> str:
        return f"FileVault({str(self._file)!r})"

    def get(self, name: str) -> dict[str, Any] | None:
        """The secret, or None; raises SyncerError `vault_unreadable`."""
        return self._read().get(name)

    def names(self) -> list[str]:
        """Of every secret; raises SyncerError `vault_unreadable`."""
        return sorted(self._read())

    def put(self, name: str, secret: dict[str, Any]) -> None:
        """Stored durably when this returns; raises SyncerError `vault_unreadable`."""
        self._change(lambda secrets: {**secrets, name: secret})

    def remove(self, name: str) -> None:
        """Forgotten when this returns, also if it was never there."""
        self._change(lambda secrets: {key: value for key, value in secrets.items() if key != name})

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Alone with this secret, among threads and processes of this machine; not to be taken twice by one thread."""
        locks = self._dir / LOCKS
        locks.mkdir(mode=0o700, exist_ok=True)
        # Every taker opens the file anew: flock then keeps threads apart as well as processes.
        handle = os.open(locks / f"{_file_name(name)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            sealed = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            secrets = json.loads(self._fernet.decrypt(sealed))
        except (InvalidToken, ValueError) as error:
            raise _unreadable(self._file.name, self._key_from) from error
        return dict(secrets)

    def _change(self, changed: Any) -> None:
        with self.lock(" whole vault"):
            secrets = changed(self._read())
            _remove_halves(self._file)
            _write_durably(self._file, self._fernet.encrypt(json.dumps(secrets).encode()))


def _unreadable(file: str, key: str) -> SyncerError:
    return SyncerError("vault_unreadable", file=file, key=key)


def _file_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _fernet(key: str, key_from: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        if key_from == KEY_FILE:
            raise _unreadable(KEY_FILE, KEY_FILE) from None
    return Fernet(urlsafe_b64encode(hashlib.scrypt(key.encode(), salt=SALT, n=2**14, r=8, p=1, dklen=32)))


def _key_on_disk(path: Path) -> str:
    """The key in the file, made on first use; of two that make it at once, one wins and both use it."""
    if not path.exists():
        new = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        _write_private(new, Fernet.generate_key())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
        _sync_dir(path.parent)
    return path.read_text().strip()


def _write_durably(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        _write_private(new, content)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _sync_dir(path.parent)


def _remove_halves(path: Path) -> None:
    """Remove what a process left that was killed while it wrote; the caller alone may write now."""
    for left in path.parent.glob(f"{path.name}.*"):
        if HALF_WRITTEN.fullmatch(left.name.removeprefix(path.name)):
            left.unlink(missing_ok=True)


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_dir(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
