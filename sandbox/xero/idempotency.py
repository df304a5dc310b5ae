"""Answers kept for six minutes under an Idempotency-Key."""

import asyncio
import hashlib
from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.wire import Call, Reply, json_reply

KEPT_S = 360
KEY_MAX = 128


@dataclass(slots=True)
class Slot:
    """One key: which request used it, and its answer once there is one."""

    request: str
    at: float
    reply: Reply | None = None
    settled: asyncio.Event | None = None


class Idempotency:
    """The store of one app's keys."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.slots: dict[tuple[str, str], Slot] = {}

    def _prune(self) -> None:
        oldest = self.clock.now() - self.clock.lasting(KEPT_S)
        # Insertion order is time order, so the old ones are in front.
        for key, slot in list(self.slots.items()):
            if slot.at >= oldest:
                break
            if slot.reply is not None:
                del self.slots[key]

    async def begin(self, app: str, tenant: str, call: Call) -> tuple[Slot | None, Reply | None]:
        """The slot to fill, or the answer to repeat. A concurrent duplicate waits for the first."""
        key = call.header("idempotency-key")
        if not key or call.method not in ("POST", "PUT", "PATCH"):
            return None, None
        if len(key) > KEY_MAX:
            return None, bad_key("Sandbox: the Idempotency-Key is longer than 128 characters.")
        self._prune()
        request = fingerprint(tenant, call)
        while slot := self.slots.get((app, key)):
            if slot.request != request:
                return None, bad_key(f"Idempotency Key: {key} is used with a different request.")
            if slot.reply is not None:
                return None, slot.reply
            assert slot.settled is not None  # noqa: S101 - a slot without an answer always has its event
            await slot.settled.wait()
        slot = Slot(request, self.clock.now(), None, asyncio.Event())
        self.slots[app, key] = slot
        return slot, None

    def settle(self, app: str, call: Call, slot: Slot | None, reply: Reply | None) -> None:
        """Keep the answer, or free the key when the request was never carried out."""
        if slot is None:
            return
        if reply is None:
            self.slots.pop((app, call.header("idempotency-key")), None)
        slot.reply = reply
        if slot.settled is not None:
            slot.settled.set()


def fingerprint(tenant: str, call: Call) -> str:
    """What makes a request the same one: method, address, organisation and the exact bytes."""
    head = f"{call.method} {call.path}?{call.query_string} {tenant}\n".encode()
    return hashlib.sha256(head + call.body).hexdigest()


def bad_key(message: str) -> Reply:
    """400 for a key used wrongly; only the text is known, so the body holds nothing else."""
    return json_reply({"Message": message}, 400)
