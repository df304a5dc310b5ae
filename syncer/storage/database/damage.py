"""What is the matter with a file: damaged, no room for it, or no right to write it. Each has a next step of its own.

A ledger is restored only where it is damaged: to put an old one back because a directory cannot be written would lose
what was done since.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from syncer.domain.errors import SyncerError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# DuckDB says these when a file is not what it wrote. Its other errors are mistakes in what was asked.
_OF_THE_FILE = (
    duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException,
    duckdb.TransactionException,
)  # fmt: skip


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Failures of the ledger at `path` as SyncerError: `ledger_unreadable`, `disk_full` or `not_writable`."""
    try:
        yield
    except duckdb.Error as error:
        failure = of_ledger(error, path)
        # Two that wrote the same row are no damage, and the disk alone may be what ends a transaction.
        if isinstance(error, duckdb.TransactionException) and failure.code == "ledger_unreadable":
            raise
        if isinstance(error, _OF_THE_FILE):
            raise failure from error
        raise
    except OSError as error:
        if known := of_disk(error, path):
            raise known from error
        raise


def of_ledger(error: duckdb.Error, path: Path) -> SyncerError:
    """What a failure of DuckDB means for the ledger at `path`."""
    reason = str(error).splitlines()[0]
    for number in NO_ROOM | NO_RIGHT:
        if os.strerror(number) in str(error):
            return _failure(number, path)
    # What is written and not taken in whole has met the end of the disk, or a limit for files.
    if "Could not write" in str(error):
        return _failure(errno.ENOSPC, path)
    return SyncerError("ledger_unreadable", path=str(path), reason=reason)


def of_disk(error: OSError, path: Path | None = None) -> SyncerError | None:
    """A disk that is full or may not be written; None where it is something else."""
    if error.errno not in NO_ROOM | NO_RIGHT:
        return None
    return _failure(error.errno, path or Path(os.fsdecode(error.filename or "the data directory")))


def _failure(number: int, path: Path) -> SyncerError:
    code = "disk_full" if number in NO_ROOM else "not_writable"
    return SyncerError(code, path=str(path), reason=os.strerror(number))
