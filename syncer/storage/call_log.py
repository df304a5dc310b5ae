"""Where calls are remembered until the next commit, and the bodies of those worth keeping."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncer.domain.ports import CallRecord


class PayloadStore(Protocol):
    """Where requests and answers are kept, apart from the ledger."""

    def keep(self, connection: str, call_id: str, made_at: datetime, request: bytes, response: bytes) -> None:
        """Keep what was sent and what came back; `made_at` is UTC."""


class Calls:
    """The CallLog of one connection: writes and refusals keep their bodies, reads leave a row."""

    def __init__(self, connection: str, bodies: PayloadStore) -> None:
        self._connection = connection
        self._bodies = bodies
        self._waiting: list[CallRecord] = []
        self._mutex = threading.Lock()

    def record(self, call: CallRecord, request_body: bytes, response_body: bytes) -> None:
        """Remember a call; called from several threads."""
        if call.writes or call.status is None or call.status >= 400:
            self._bodies.keep(self._connection, call.id, call.at, request_body, response_body)
        with self._mutex:
            self._waiting.append(call)

    def drain(self) -> Sequence[CallRecord]:
        """What has not been handed out yet."""
        with self._mutex:
            waiting, self._waiting = self._waiting, []
        return waiting
