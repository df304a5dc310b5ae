"""A file beside the ledger by which a ledger that was put back is recognised.

Before documents are created or changed and before payments are entered the file is written anew, and the ledger keeps
the time at which the file system says that it changed (`st_ctime`, which no copy and no restore keeps). A ledger that
was put back alone has an older time than the file, and a data directory that was put back as a whole has a file with a
newer time than the ledger.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FileSeal:
    """The file of one connection; its content means nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def changed_at(self) -> datetime | None:
        """When the file last changed, UTC; None where there is none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return _EPOCH + timedelta(microseconds=status.st_ctime_ns // 1000)

    def renew(self) -> datetime:
        """Write the file anew; returns the time that the ledger is to keep, UTC."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.write_text("Shows whether the ledger was put back from a copy.\n", encoding="utf-8")
        changed_at = self.changed_at()
        assert changed_at is not None  # noqa: S101 — it was written a moment ago
        return changed_at
