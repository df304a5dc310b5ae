"""Both services with their state, and what was asked of them."""

import random
import threading
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.crococlick.api import CrocoClick
from sandbox.faults import Faults
from sandbox.state import Store
from sandbox.xero.api import Xero


@dataclass(slots=True)
class Recorded:
    """One request as the sandbox saw it; status 0 means that no answer left."""

    side: str
    method: str
    path: str
    query: str
    status: int
    at: float
    bytes: int
    ms: float = 0.0
    bearer: str = ""  # the token that came with it
    tenant: str = ""  # and the organisation that it asked for


class Simulation:
    """Both services with their state, faults and the list of calls made."""

    def __init__(self, store: Store, clock: Clock, seed: int = 8765):
        self.store, self.clock = store, clock
        self.xero = Xero(store, clock)
        self.crococlick = CrocoClick(store, clock)
        self.faults = Faults()
        self.calls: list[Recorded] = []
        self.lock = threading.RLock()
        self.latency_ms = 0
        self.commit = "random"
        self.random = random.Random(seed)
        self.url = ""
        self.world = ""

    def count(self, side: str | None = None, method: str | None = None, path: str | None = None) -> int:
        """How many recorded calls fit."""
        return sum(
            1
            for c in self.calls
            if (side is None or c.side == side)
            and (method is None or c.method == method.upper())
            and (path is None or path.lower() in c.path.lower())
        )

    def recorded(self) -> list[dict[str, Any]]:
        """Recorded calls as plain values."""
        return [asdict(c) for c in self.calls]
