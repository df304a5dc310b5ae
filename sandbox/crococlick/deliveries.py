"""Webhooks on their way: what changed is told to one address, and told again where it was not taken.

CrocoClick repeats after a 429 every ten minutes, six times, and after any other failure with growing pauses for up to
three days (crococlick reference, section 7). Order is not promised. Durations pass as fast as the sandbox's clock says.
"""

import heapq
import itertools
import random
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from sandbox.crococlick import webhooks

LOOK_S = 0.1
BUSY_AGAIN_S, BUSY_TIMES = 600.0, 6
FIRST_AGAIN_S, LAST_AGAIN_S = 60.0, 3 * 86_400.0
ANSWER_S = 10.0
KINDS = {
    "sent": "InvoiceSent",
    "paid": "InvoicePaid",
    "partially_paid": "InvoicePartiallyPaid",
    "void": "InvoiceVoid",
}


class Deliveries:
    """Tells `address` of every change of the simulated location, from a thread of its own."""

    def __init__(self, sim: Any, address: str) -> None:
        self._sim = sim
        self._address = address
        self._stopping = threading.Event()
        self._due: list[tuple[float, int, int, dict[str, str], bytes]] = []
        self._numbers = itertools.count()
        self._seen = self._look()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self.answers: list[int] = []  # what the address said to each try; 0 where it did not answer

    def start(self) -> "Deliveries":
        """Tell from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Tell no more; what was not taken is lost, as with a vendor that gives up."""
        self._stopping.set()
        self._thread.join(ANSWER_S)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self._notice()
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, tries, headers, body = heapq.heappop(self._due)
                self._tell(tries, headers, body)

    def _look(self) -> dict[str, tuple[str, str, int]]:
        location = self._sim.crococlick.location
        with self._sim.lock:
            invoices = {
                one.id: ("Invoice", str(one.doc["status"]), int(one.doc.get("__v", 0)))
                for one in location.invoices.values()
            }
            contacts = {id_: ("Contact", str(one.get("dateUpdated")), 0) for id_, one in location.contacts.items()}
        return invoices | contacts

    def _notice(self) -> None:
        before, self._seen = self._seen, self._look()
        for id_, now in self._seen.items():
            if before.get(id_) != now:
                self._send(_kind(before.get(id_), now), id_)
        for id_, gone in before.items():
            if id_ not in self._seen:
                self._send(f"{gone[0]}Delete", id_, gone=True)

    def _send(self, kind: str, id_: str, gone: bool = False) -> None:
        location = self._sim.crococlick.location
        with self._sim.lock:
            headers, body = webhooks.gone(location, kind, id_) if gone else webhooks.event(location, kind, id_)
        heapq.heappush(self._due, (time.monotonic(), next(self._numbers), 0, headers, body))

    def _tell(self, tries: int, headers: dict[str, str], body: bytes) -> None:
        status = self._post(headers, body)
        self.answers.append(status)
        again_s = _again_s(status, tries)
        if again_s is not None:
            at = time.monotonic() + self._sim.clock.lasting(again_s)
            heapq.heappush(self._due, (at, next(self._numbers), tries + 1, headers, body))

    def _post(self, headers: dict[str, str], body: bytes) -> int:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self._address, body, headers), timeout=ANSWER_S
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0


def _kind(before: tuple[str, str, int] | None, now: tuple[str, str, int]) -> str:
    about, status, _ = now
    if about == "Contact":
        return "ContactUpdate" if before else "ContactCreate"
    if before is None and status == "draft":
        return "InvoiceCreate"
    if before is None or before[1] != status:
        return KINDS.get(status, "InvoiceUpdate")
    return "InvoiceUpdate"


def _again_s(status: int, tries: int) -> float | None:
    """Seconds until it is told again; None where it was taken, or is given up."""
    if 200 <= status < 300:
        return None
    if status == 429:
        return BUSY_AGAIN_S + random.uniform(0, 60) if tries < BUSY_TIMES else None
    pause = FIRST_AGAIN_S * 2**tries
    return pause if pause <= LAST_AGAIN_S else None
