"""Where CrocoClick's events come in. Nothing is looked at but the signature, and whether the location is one of ours.

A marketplace app is sent the events of all locations that installed it, also of those that nobody connected here.
"""

import threading
import time
from contextlib import suppress
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from syncer.app.installation import App
from syncer.connectors.crococlick import webhooks
from syncer.domain.errors import Reconnect, SyncerError

FRESH_S = 5.0  # for how long an answer of the ledger counts


def connected_locations(app: App) -> frozenset[str]:
    """The locations that connections of this installation are for, those that were never read included.

    Raises SyncerError where the ledger cannot be read.
    """
    found = set()
    for connection in app.connections():
        found.add((connection.ledger.row("connection") or {}).get("location_id") or "")
        with suppress(Reconnect):
            found.add(connection.source.location_id)
    return frozenset(found - {""})


class WebhookIntake:
    """The door of one installation."""

    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def _key(self) -> Any:
        return webhooks.public_key(self._app.environment.crococlick_webhook_key or webhooks.PUBLISHED_KEY)

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Whether CrocoClick signed these bytes; raises WrongUsage where the key that is set is none."""
        return webhooks.is_signed(self._key, body, signature)

    def take(self, body: bytes, now: datetime) -> bool:
        """Keep the event durably; False where too many wait already.

        One that names no record, that nobody could store or that is about a location that is not connected is done
        with: CrocoClick would repeat it for days, and it would never be anything else.
        """
        try:
            event = webhooks.read(body, now)
            is_ours = event is not None and locations(self._app).may_be(event.location_id)
            return not is_ours or event is None or self._app.inbox.put(event)
        except (RecursionError, UnicodeError):
            return True  # nested without end, or with half a character in an id


class Locations:
    """What the ledger says of locations, asked beside the answering: an event never waits for the ledger."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: frozenset[str] | None = None
        self._asked_at = float("-inf")
        self._asking = threading.Lock()

    def may_be(self, location_id: str) -> bool:
        """Whether the location is connected, as far as is known: before the first answer each may be."""
        if time.monotonic() - self._asked_at > FRESH_S and self._asking.acquire(blocking=False):
            threading.Thread(target=self._ask, name="locations", daemon=True).start()
        known = self._known
        return known is None or location_id in known

    def learn(self) -> None:
        """Ask the ledger now; where it does not answer, what was known before stays."""
        with suppress(SyncerError, OSError):
            self._known = connected_locations(self._app)
        self._asked_at = time.monotonic()

    def _ask(self) -> None:
        try:
            self.learn()
        finally:
            self._asking.release()


@lru_cache(maxsize=1)
def locations(app: App) -> Locations:
    """Those of this installation, asked about by every request."""
    return Locations(app)
