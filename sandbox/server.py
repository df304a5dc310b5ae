"""The sandbox as an object: a server in a thread, with hands on its state."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

import uvicorn

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fixture import Fixture
from sandbox.gate import Gate
from sandbox.simulation import Simulation
from sandbox.state import FILE_NAME, Store
from sandbox.worlds import build


class WrongWorld(Exception):
    """The kept state was made from another world."""


class PromptServer(uvicorn.Server):
    """A server that stops when told, not at its next tick: hundreds of tests start one each."""

    loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Tick until somebody says stop."""
        self.leave = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.leave.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; requests under way get a second to end."""
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=1)

    def stop(self) -> None:
        """Say stop, from any thread."""
        self.should_exit = True
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.leave.set)


class Sandbox(Fixture):
    """Both services on one free port, for a test or a script.

    with Sandbox(world="quiet", limits=False) as box:
        box.url                            where both APIs answer
        box.xero, box.crococlick           hands on the state (XeroDesk, CrocoClickDesk)
        box.faults.next_write("accepted_then_hung_up")
        box.calls, box.count(side="xero", method="PUT", path="/Invoices"), box.reset_calls()
        box.clock.advance(400)             let time pass at once

    `world` is a name of sandbox.worlds.build (None: whatever is kept, else demo), `load` a folder or file to take
    invoices from, `data_dir` where the state is kept (None: memory only), `fresh` starts over, `clock` a
    sandbox.clock.Clock or a function giving seconds.
    """

    def __init__(
        self,
        world: str | None = "demo",
        limits: bool = True,
        latency_ms: int = 0,
        load: str | Path | None = None,
        data_dir: str | Path | None = None,
        clock: Any = None,
        host: str = "127.0.0.1",
        port: int = 0,
        fresh: bool = False,
        time_scale: float = 1.0,
        commit: str = "random",
        public_url: str = "",
    ):
        clock = clock if isinstance(clock, Clock) else Clock(clock or Clock().source, time_scale)
        super().__init__(Simulation(Store(Path(data_dir) / FILE_NAME if data_dir else None), clock))
        self.sim.latency_ms, self.sim.commit = latency_ms, commit
        self.sim.xero.limits.enabled = self.sim.crococlick.limits.enabled = limits
        self.host, self.port, self.public_url = host, port, public_url
        self._prepare(world, load, fresh)
        self._server: PromptServer | None = None
        self._thread: threading.Thread | None = None

    def _prepare(self, world: str | None, load: Any, fresh: bool) -> None:
        """Take up the kept state, or build the world into an empty one."""
        store = self.sim.store
        if fresh:
            store.wipe()
        kept = next((head for _, head, _ in store.rows("meta")), None)
        wanted = build.label(world or "demo", load)
        if kept is None:
            build.build(self, world or "demo", load)
            store.put("meta", "world", wanted)
            store.commit()
        elif kept != wanted and (world or load):
            store.close()
            raise WrongWorld(f"The kept state was made from {kept}, not from {wanted}. Start over with --fresh.")
        else:
            self.sim.xero.load()
            self.sim.crococlick.load()
        self.sim.world = kept or wanted

    # -- running ----------------------------------------------------------------------------------------------

    def start(self) -> "Sandbox":
        """Serve from a thread; returns when requests are answered."""
        sock = self.bind()
        self._server = PromptServer(self.config())
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [sock]}, daemon=True)
        self._thread.start()
        return self

    def bind(self) -> socket.socket:
        """Take the port; the address is known from here on."""
        sock = socket.socket(
            socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, self.port))
        sock.listen(512)
        self.port = sock.getsockname()[1]
        self.sim.url = self.url
        return sock

    def config(self) -> uvicorn.Config:
        """How the server runs: quiet, and never in the way of a shutdown."""
        return uvicorn.Config(
            Gate(self.sim),
            log_level="warning",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            server_header=False,
        )

    @property
    def url(self) -> str:
        """Where both APIs answer."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    def stop(self) -> None:
        """Stop serving and let the state go."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(10)
        with self.sim.lock:
            self.sim.store.close()

    def __enter__(self) -> "Sandbox":
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    # -- looking on -------------------------------------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """Misbehaviour on request."""
        return self.sim.faults

    @property
    def calls(self) -> list[Any]:
        """Recorded requests: side, method, path, query, status, at, bytes, ms."""
        return self.sim.calls

    def count(self, side: str | None = None, method: str | None = None, path: str | None = None) -> int:
        """How many recorded requests fit."""
        return self.sim.count(side, method, path)

    def reset_calls(self) -> None:
        """Forget the recorded requests."""
        self.sim.calls.clear()

    def environment(self) -> dict[str, str]:
        """The settings that point a program here."""
        return {
            "XERO_API_URL": self.url,
            "XERO_LOGIN_URL": self.url,
            "XERO_IDENTITY_URL": self.url,
            "CROCOCLICK_API_URL": self.url,
            "XERO_CLIENT_ID": "sandbox-client",
            "XERO_CLIENT_SECRET": "sandbox-secret",
            "CROCOCLICK_TOKEN": "pit-sandbox",
            "CROCOCLICK_LOCATION_ID": self.crococlick.location.id,
        }
