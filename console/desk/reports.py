"""What may be counted: a part of the desk. It reads the analysis copy alone, and renews that beside the page."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncer.app.installation import App
from syncer.domain.errors import SyncerError
from syncer.reports.figure import Figure
from syncer.reports.figures import Asked, FigureReport, Headline
from syncer.reports.files import figure_file
from syncer.storage.analysis.figures_query import opened

LOG = logging.getLogger("console.reports")
KEPT = 30  # questions whose figures are kept while the copy stands still
PATIENCE_S = 0.4  # a small ledger is copied in less
LARGE = 50_000_000  # bytes
RESTS = timedelta(minutes=1)  # while a sync works the ledger moves all the time


@dataclass(frozen=True)
class Counted:
    """What a page shows of one question."""

    headlines: Sequence[Headline]
    figures: Mapping[str, Figure]
    invoices: int


_kept: dict[tuple[Any, ...], dict[str, Any]] = {}
_renewals: dict[Path, threading.Thread] = {}
_mutex = threading.Lock()


@dataclass(frozen=True)
class ReportsDesk:
    """Figures of the connections that a person may see."""

    app: App
    names: tuple[str, ...]
    now: datetime

    def made_at(self) -> datetime | None:
        """When the copy was made that the figures come from."""
        nanoseconds, _ = self.app.analysis.sign()
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else None

    def is_current(self) -> bool:
        """Whether the copy is as the ledger is now."""
        return self.app.analysis.is_current()

    def is_being_renewed(self) -> bool:
        """Whether a newer copy is being made in this process."""
        thread = _renewals.get(self.app.analysis.path)
        return thread is not None and thread.is_alive()

    def renew(self, patience_s: float = PATIENCE_S) -> None:
        """Bring the copy up to date beside the page, and wait a moment for it.

        Where there is none yet it is waited for; raises SyncerError when none can be made.
        """
        made_at = self.made_at()
        if made_at is None:
            self.app.analysis.refresh()
            return
        if self.is_current():
            return
        with _mutex:
            if not self.is_being_renewed() and not self._rests(made_at):
                _renewals[self.app.analysis.path] = _begun(self.app.analysis.refresh)
        if self.is_being_renewed():
            _renewals[self.app.analysis.path].join(patience_s)

    def _rests(self, made_at: datetime) -> bool:
        """A copy that takes long is not made without a pause; a small one follows at once."""
        _, size = self.app.analysis.sign()
        return size > LARGE and self.now - made_at < RESTS

    def counted(self, asked: Asked, keys: Sequence[str]) -> Counted:
        """The figures of these keys; what was counted before is kept until the copy is another."""
        sign = self.app.analysis.sign()
        with _mutex:
            kept = _kept.pop((sign, asked), {})
            for stale in [key for key in _kept if key[0] != sign][: len(_kept)] + list(_kept)[: -KEPT + 1]:
                _kept.pop(stale, None)
            # Put last: what was asked for least recently goes first.
            _kept[sign, asked] = kept
        missing = [key for key in keys if key not in kept]
        if missing or "invoices" not in kept:
            with opened(self.app.analysis) as connection:
                report = FigureReport(connection, asked)
                if "invoices" not in kept:
                    kept["invoices"], kept["headlines"] = report.size()[0], report.headlines()
                kept.update({key: report.figure(key) for key in missing})
        return Counted(kept["headlines"], {key: kept[key] for key in keys}, kept["invoices"])

    def file(self, kind: str, figure: Figure) -> bytes:
        """The numbers of a figure as a file."""
        return figure_file(kind, figure.key, figure.columns, figure.rows)


def _begun(refresh: Callable[[], bool]) -> threading.Thread:
    def work() -> None:
        try:
            refresh()
        except (SyncerError, OSError):
            # The page goes on with the copy that it has, and says how old that is.
            LOG.warning("the analysis tables could not be renewed", exc_info=True)

    # No daemon: a program must not end while DuckDB closes a file.
    thread = threading.Thread(target=work, name="analysis")
    thread.start()
    return thread
