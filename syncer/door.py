"""Where CrocoClick's events come in. Nothing is looked at but the signature: whatever is signed is taken in."""

from datetime import datetime
from functools import cached_property
from typing import Any

from syncer.app import App
from syncer.crococlick import webhooks
from syncer.crococlick.webhooks import LARGEST_BYTES, SIGNATURE

__all__ = ["LARGEST_BYTES", "SIGNATURE", "Door"]


class Door:
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
        """Keep the event durably; False where too many wait already. One that names no record is done with."""
        event = webhooks.read(body, now)
        return event is None or self._app.inbox.put(event)
