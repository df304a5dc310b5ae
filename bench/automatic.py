"""What goes over by itself: how soon after its event, and how fast a backfill is within Xero's limits.

Real processes over HTTP: the sandbox with its limits on, the console with its door and its watch. The backfill runs
in a time that is scaled: a minute of the limits, of our clock and of a call's three seconds passes in three seconds.
Ends with 1 where a bar is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from syncer.app import jobs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.crococlick.deliveries import Deliveries
from sandbox.crococlick.webhooks import PUBLIC_PEM
from sandbox.demo import free_port, running, wait_for
from sandbox.server import Sandbox
from syncer.app import environment as environment_app
from syncer.app.installation import App
from syncer.sync import outbox
from tests.support.sync_world import World

EVENTS, EVERY_S, SECONDS = 60, 1.2, 5.0
SCALE, CALL_S, CALLS = 20.0, 3.0, 600
SLOWER = 1.1


class Scaled:
    """Our clock, as fast as the sandbox's limits."""

    started = time.time()

    def now(self) -> datetime:
        """The scaled moment."""
        return datetime.fromtimestamp(self.started + (time.time() - self.started) * SCALE, UTC)

    def sleep(self, seconds: float) -> None:
        """Wait, scaled."""
        if seconds > 0:
            time.sleep(seconds / SCALE)


def events() -> bool:
    """Invoices that are sent one after the other, one in four for a customer that Xero does not know."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(world="empty", latency_ms=300) as box:
        box.xero.limits.minute = 60
        console = free_port(8801)
        url = f"http://127.0.0.1:{console}"
        more = {"CROCOCLICK_WEBHOOK_KEY": PUBLIC_PEM, "XERO_REDIRECT_URI": f"http://localhost:{console}/xero/callback"}
        world = World(box, Path(folder), **more)
        world.connect()
        world.set(revenue_account="706")
        world.has("FIRST")
        world.sync()
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(console)]
        environment = {**os.environ, **world.values}
        with running([*command, "--server.headless", "true"], environment, Path(folder) / "console.log") as server:
            wait_for(f"{url}/healthz", server, Path(folder) / "console.log")
            deliveries = Deliveries(box.sim, f"{url}/webhooks/crococlick").start()
            time.sleep(5)
            took = [one(world, number) for number in range(EVENTS)]
            deliveries.stop()
    p95 = sorted(took)[int(len(took) * 0.95) - 1]
    ok = p95 <= SECONDS
    refused = sum(1 for call in box.calls if call.status == 429)
    print(
        f"{EVENTS} events: in Xero after {statistics.median(took):.2f} s (median), {p95:.2f} s (p95, bar "
        f"{SECONDS:.0f}), {max(took):.2f} s (worst); {refused} refused {'ok' if ok else 'MISSED'}"
    )
    return ok


def one(world: World, number: int) -> float:
    """Seconds from the sending of one invoice until Xero has it."""
    begun = time.perf_counter()
    name = f"Customer {number}" if number % 4 == 0 else "Customer of FIRST"
    known = [c["id"] for c in world.crm.contacts() if c["email"] == "first@example.org"]
    contact = world.crm.add_contact(name=name, email=f"c{number}@example.org") if number % 4 == 0 else known[0]
    world.has(f"EV-{number}", contact)
    while world.xero.invoice(f"EV-{number}") is None:
        time.sleep(0.02)
        if time.perf_counter() - begun > 120:
            return 120.0
    took = time.perf_counter() - begun
    time.sleep(max(0.0, EVERY_S - took))
    return took


def scaled_world(folder: Path) -> tuple[Sandbox, World]:
    """A sandbox whose minute lasts three seconds, and whose calls last a twentieth of one."""
    box = Sandbox(world="empty", time_scale=SCALE, latency_ms=int(CALL_S / SCALE * 1000)).start()
    box.xero.limits.day = 1_000_000
    box.crococlick.limits.burst = box.crococlick.limits.daily = 10_000_000
    world = World(box, folder)
    world.connect()
    world.set(revenue_account="706")
    box.reset_calls()
    return box, world


def told(what: str, box: Sandbox, elapsed_s: float) -> bool:
    """How a backfill went: against calls / 60 minutes, refused, and most in flight."""
    calls = [call for call in box.calls if call.side == "xero" and "/api.xro" in call.path]
    refused = sum(1 for call in calls if call.status == 429)
    minutes = len(calls) / 60
    ratio = elapsed_s * SCALE / 60 / minutes
    ok = ratio <= SLOWER and not refused and len(calls) >= CALLS
    print(
        f"{what}: {len(calls)} calls in {elapsed_s * SCALE / 60:.2f} scaled minutes, {ratio:.3f} of calls / 60 "
        f"(bar {SLOWER}); {refused} refused {'ok' if ok else 'MISSED'}"
    )
    return ok


def backfill() -> bool:
    """One sync of old invoices. Five a call instead of fifty, so that 600 calls need 3,000 invoices."""
    outbox.BATCH_ELEMENTS = 5
    with tempfile.TemporaryDirectory() as folder:
        box, world = scaled_world(Path(folder))
        contact = world.crm.add_contact(name="Large", email="large@example.org")
        for number in range(CALLS * outbox.BATCH_ELEMENTS):
            world.has(f"OLD-{number:05}", contact, issueDate="2025-01-01", dueDate="2025-02-01")
        app = App(environment_app.environment(world.values, Path("/nowhere")), Scaled())
        started = time.perf_counter()
        first: list[float] = []
        connection = app.connection()

        def stop() -> bool:
            if not first and box.count(side="xero", method="PUT", path="/Invoices"):
                first.append(time.perf_counter())
            return False

        outcome = jobs.run(connection, connection.orders(), "bench", lambda *said: None, stop)
        elapsed_s = time.perf_counter() - (first[0] if first else started)
        arrived = len(world.xero.numbers())
        print(f"backfill ended {outcome.ended}: {arrived} invoices in Xero")
        ok = told("one process", box, elapsed_s) and arrived == CALLS * outbox.BATCH_ELEMENTS
        box.stop()
    return ok


CALLER = """
import sys
sys.path.insert(0, {root!r})
from bench.automatic import Scaled, calls_of
from syncer.app import environment
from syncer.app.installation import App
import json
from pathlib import Path
Scaled.started = {started}
calls_of(App(environment.environment(json.loads(sys.argv[1]), Path("/nowhere")), Scaled()), {calls})
"""


def calls_of(app: App, calls: int) -> None:
    """So many reads, as many at a time as may be."""
    accounts = app.connection().accounts
    with closing(accounts), ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: accounts.organisation(), range(calls)))


def two_processes() -> bool:
    """Two programs that call one organisation at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        box, world = scaled_world(Path(folder))
        script = CALLER.format(root=str(ROOT), started=Scaled.started, calls=CALLS // 2)
        started = time.perf_counter()
        both = [subprocess.Popen([sys.executable, "-c", script, json.dumps(world.values)], cwd=ROOT) for _ in range(2)]
        codes = [process.wait() for process in both]
        calls = [call for call in box.calls if call.side == "xero" and "/api.xro" in call.path]
        begun = min((call.at for call in calls), default=0.0)
        elapsed_s = time.perf_counter() - started - max(0.0, begun - box.clock.now() + time.perf_counter() - started)
        ok = told("two processes", box, elapsed_s) and codes == [0, 0]
        box.stop()
    return ok


def main() -> int:
    """Everything, or the parts that are named."""
    parts = {"events": events, "backfill": backfill, "two": two_processes}
    wanted = sys.argv[1:] or list(parts)
    kept = [parts[name]() for name in wanted]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))
    sys.exit(main())
