"""Putting the files of a backup in place: all of them or none, whenever the machine stops.

They are unpacked beside their places first. What decides is one renaming of the folder that holds them: before it
nothing has happened, after it whoever opens the installation next carries the files to their places
(`finish`), as often as it takes. The ledger comes last.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from syncer.domain.errors import SyncerError, WrongUsage
from syncer.storage import backup
from syncer.storage.database.store import put_ledger, remove_ledger
from syncer.storage.file_lock import FileLock
from syncer.storage.ledger.content import content_of
from syncer.storage.seal import FileSeal

_UNPACKED = ".restore-"  # with the number of the process that unpacks there
_DECIDED = "restore.decided"
_RESTORED = ".restored"  # the ledger, which may be on another disk than the data directory
_WAIT_S = 30.0


class Places:
    """Where an installation keeps its data: the data directory and the ledger's file."""

    def __init__(self, data_dir: Path, ledger: Path) -> None:
        self.data_dir = data_dir
        self.ledger = ledger
        self._decided = data_dir / _DECIDED
        self._new_ledger = ledger.with_name(ledger.name + _RESTORED)

    @contextmanager
    def unpacked(self) -> Iterator["Unpacked"]:
        """A folder to unpack into, which is gone afterwards; raises SyncerError where the disk does not let us."""
        beside = f"{self.ledger.name}{_UNPACKED}"
        with backup.told_disk(self.data_dir):
            for path in (self.data_dir, self.ledger.parent):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            backup.remove_of_the_dead(self.ledger.parent, beside)
            if not self._decided.is_dir():
                self._new_ledger.unlink(missing_ok=True)
        new_ledger = self.ledger.with_name(f"{beside}{os.getpid()}")
        with backup.own_folder(self.data_dir, _UNPACKED) as folder:
            try:
                yield Unpacked(folder, new_ledger)
            finally:
                remove_ledger(new_ledger)

    def must_be_empty(self) -> None:
        """Raise WrongUsage where there is a ledger with anything in it, or one that cannot be read; LedgerBusy."""
        if self.ledger.exists():
            held = FileLock(self.ledger).take(alone=False, wait_s=_WAIT_S)
            try:
                self._refuse_content()
            finally:
                os.close(held)

    def _refuse_content(self) -> None:
        if not self.ledger.exists():
            return
        aside = f"Move {self.ledger} away, or set SYNCER_DATA_DIR to a new directory. Nothing was changed."
        try:
            there = content_of(self.ledger)
        except SyncerError as unreadable:
            raise WrongUsage(f"The ledger that is there cannot be read. {aside}") from unreadable
        if not there.is_empty:
            named = ", ".join(there.named)
            raise WrongUsage(f"A backup is restored into an empty installation only. Here there is {named}. {aside}")

    def put(self, unpacked: "Unpacked") -> None:
        """Decide for what was unpacked, and carry it to its places; raises WrongUsage, LedgerBusy, SyncerError."""
        with FileLock(self.ledger).held_alone(_WAIT_S), backup.told_disk(self.data_dir):
            self._refuse_content()
            # Everything is on the disk before it counts.
            os.sync()
            unpacked.ledger.replace(self._new_ledger)
            unpacked.folder.rename(self._decided)
            backup.sync_folder(self.data_dir)
            self._carry()

    def finish(self) -> None:
        """Carry to its place what a restore was cut off from."""
        if self._decided.is_dir():
            with FileLock(self.ledger).held_alone(_WAIT_S), backup.told_disk(self.data_dir):
                self._carry()

    def _carry(self) -> None:
        """Each file by its name; what was carried before is not there any more."""
        for path in sorted(self._decided.rglob("*")):
            if path.is_file():
                place = self.data_dir / path.relative_to(self._decided)
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.replace(place)
        if self._new_ledger.exists():
            put_ledger(self._new_ledger, self.ledger)
            backup.sync_folder(self.ledger.parent)
        shutil.rmtree(self._decided, ignore_errors=True)


class Unpacked:
    """A backup that was unpacked beside its places."""

    def __init__(self, folder: Path, ledger: Path) -> None:
        self.folder = folder
        self.ledger = ledger

    def place(self, name: str) -> Path:
        """Where the file of this name in the backup goes."""
        return self.ledger if name == backup.LEDGER else self.folder / name

    def mark_as_copy(self, connections: Iterable[str]) -> None:
        """Give each connection a seal that its ledger cannot know: its next run looks before it makes or pays anything.

        Also where the ledger knows of none, since nothing had been made when it was saved.
        """
        for name in connections:
            FileSeal(self.folder / "runs" / f"{name}.seal").renew()
