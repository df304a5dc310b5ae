"""What the console knows of the work in the background: a part of the desk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from syncer.app.installation import App
from syncer.app.watch import EVERY
from syncer.app.webhooks import connected_locations
from syncer.storage.heartbeat import Watching, watching
from syncer.storage.ledger.ledger import Ledger

EVENTS_LATELY = timedelta(days=7)


@dataclass(frozen=True)
class WatchDesk:
    """The background work of one connection."""

    app: App
    name: str
    now: datetime

    def at_work(self) -> Watching | None:
        """What the watch last said; None where nobody watches."""
        found = watching(self.app.environment.data_dir, self.name)
        return found if found and found.is_alive(self.now) else None

    def is_live(self) -> bool:
        """Whether anybody ever synced the connection as a whole; the console's watch leaves it alone until then."""
        return Ledger(self.app.store, self.name).is_live()

    def delay(self) -> timedelta:
        """How long a new invoice may take to be seen where CrocoClick tells nothing by itself."""
        found = self.at_work()
        return found.every if found else EVERY

    def last_event(self) -> datetime | None:
        """When CrocoClick last told anything by itself, in the last days."""
        row = Ledger(self.app.store, self.name).row("last_event") or {}
        at: datetime | None = row.get("received_at")
        return at if at and self.now - at < EVENTS_LATELY else None

    def inbox(self) -> tuple[int, float | None]:
        """How many events of connected locations nobody has acted on yet, and for how many seconds the oldest waits."""
        known = connected_locations(self.app)
        return self.app.inbox.waiting_of(known), self.app.inbox.oldest_s(self.now, known)
