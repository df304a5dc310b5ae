"""Both sides' contacts into the ledger, as seldom as is safe."""

from collections.abc import Callable
from datetime import datetime, timedelta

from syncer.domain.errors import HaltRun
from syncer.domain.matching.similarity import SourceContact
from syncer.sync.context import DAILY, FEW, OVERLAP, SHRUNK_TO, RunContext, Tell

QUIET = timedelta(seconds=15)  # CrocoClick's search lags behind its writes by seconds


WEEKLY = timedelta(days=7)  # Xero does not say when a contact became a customer: once a week all are read


class ContactReading:
    """Bringing the mirrors of both sides' contacts up to date."""

    def __init__(self, doors: RunContext, tell: Tell, stop: Callable[[], bool] = lambda: False) -> None:
        self._doors = doors
        self._ledger = doors.ledger
        self._tell = tell
        self._stop = stop

    def xero(self) -> None:
        """What changed in Xero since it was last read; once a week everything."""
        started = self._doors.clock.now()
        whole, last = (self._ledger.watermark(name, started) for name in ("xero_contacts_all", "xero_contacts"))
        since = last - OVERLAP if last and whole and started - whole < WEEKLY else None
        read = 0
        for page in self._doors.accounts.contacts(since):
            read += len(page.items)
            self._ledger.mirror(started, contacts=page.items)
            self._tell("contacts_xero", read, page.total or 0)
            if self._stop():
                return
        self._ledger.mirror(started, reached=["xero_contacts", *([] if since else ["xero_contacts_all"])])

    def crococlick(self) -> None:
        """What changed in CrocoClick since it was last read; once a day everything, so that what is gone shows."""
        started = self._doors.clock.now()
        whole, last = (self._ledger.watermark(name, started) for name in ("source_contacts_all", "source_contacts"))
        everything = not (last and whole and started - whole < DAILY)
        read: list[SourceContact] = []
        for page in self._doors.crm.contacts(None if everything or not last else last - OVERLAP):
            read += page.items
            self._tell("contacts_crococlick", len(read), page.total or 0)
            if self._stop():
                return
        if everything and whole:
            self._shrunk(len(read), whole)
        reached = ["source_contacts", *(["source_contacts_all"] if everything else [])]
        # What was made a moment ago may not show yet, and is not gone for that.
        self._ledger.see_contacts(read, started, reached, started - QUIET if everything else None)

    def _shrunk(self, shown: int, last: datetime) -> None:
        """Raise HaltRun where far fewer contacts are shown than before, unless a person said that it is so."""
        before = len(self._ledger.rows("source_contacts"))
        if before < FEW or shown >= before * SHRUNK_TO:
            return
        confirmed = self._ledger.row("order_given", what="order_confirm_shrink")
        if not (confirmed and confirmed["at"] and confirmed["at"] >= last):
            raise HaltRun("contacts_shrunk", seen=shown, before=before)
