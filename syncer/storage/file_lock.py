"""Who may open the ledger file now: one that writes, or many that read, among threads and processes of one machine."""

import fcntl
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncer.domain.errors import LedgerBusy, SyncerError
from syncer.storage.database.damage import of_disk

_FIRST_POLL_S, _LONGEST_POLL_S = 0.0005, 0.005


class FileLock:
    """An advisory lock of two files beside the ledger: `.lock` is what is held, `.gate` is where one waits for it.

    A waiting writer holds the gate, so that readers who come later cannot overtake it for ever.
    """

    def __init__(self, path: Path) -> None:
        self._lock = path.with_name(path.name + ".lock")
        self._gate = path.with_name(path.name + ".gate")

    def take(self, *, alone: bool, wait_s: float) -> int:
        """Wait up to `wait_s` seconds for the lock and return what `free` wants; raises LedgerBusy."""
        deadline = time.monotonic() + wait_s
        gate = self._flock(self._gate, fcntl.LOCK_EX, deadline, wait_s)
        try:
            held = self._flock(self._lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, deadline, wait_s)
        finally:
            os.close(gate)
        if alone:
            _sign(held)
        return held

    @contextmanager
    def held_alone(self, wait_s: float) -> Iterator[None]:
        """Nobody else reads or writes meanwhile."""
        held = self.take(alone=True, wait_s=wait_s)
        try:
            yield
        finally:
            os.ftruncate(held, 0)
            os.close(held)

    def is_wanted(self) -> bool:
        """Whether somebody stands at the gate."""
        gate = _open(self._gate)
        try:
            return not _try(gate, fcntl.LOCK_SH)
        finally:
            os.close(gate)

    def holder(self) -> tuple[int | None, float | None]:
        """Process id of the one that writes and for how many seconds; None where that is not known."""
        try:
            signed = json.loads(self._lock.read_text())
            return int(signed["pid"]), round(max(0.0, time.time() - float(signed["since"])), 1)
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def _flock(self, path: Path, mode: int, deadline: float, wait_s: float) -> int:
        handle = _open(path)
        pause = _FIRST_POLL_S
        while not _try(handle, mode):
            if time.monotonic() >= deadline:
                os.close(handle)
                pid, held_for = self.holder()
                raise LedgerBusy("ledger_busy", wait_s=5.0, waited=wait_s, held_for=held_for, held_by=pid)
            # Uneven pauses, so that two who wait do not keep meeting.
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 1.5, _LONGEST_POLL_S)
        return handle


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        unknown = SyncerError("ledger_unreadable", path=str(path), reason=error.strerror)
        raise of_disk(error, path) or unknown from error


def _try(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(handle: int) -> None:
    """Say who writes, for the message of those who wait in vain."""
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": time.time()}).encode(), 0)
