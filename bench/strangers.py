"""How much memory a console on the internet keeps for people who never sign in: python bench/strangers.py [--each N].

A sign-in is configured and nobody makes one. Everything that can be asked without one is asked, and the resident memory
of the console's process before and afterwards is compared.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from sandbox.demo import free_port, running, wait_for

BAR_MB = 50
AT_ONCE = 8
SETTLE_S = 5.0


def main() -> int:
    """Start, warm up, ask, compare."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--each", type=int, default=300, help="requests of each of seven kinds (1430 make 10,010)")
    options = asked.parse_args()
    port = free_port(8590)
    url = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
        with running(command, environment(Path(folder), url), Path(folder) / "console.log") as console:
            wait_for(f"{url}/healthz", console, Path(folder) / "console.log")
            # What is loaded once, and the sessions that Streamlit keeps for two minutes.
            asyncio.run(everything(url, 150))
            before = settled_mb(console)
            began = time.perf_counter()
            asyncio.run(everything(url, options.each))
            after = settled_mb(console)
    grown, took = after - before, time.perf_counter() - began
    verdict = "ok" if grown <= BAR_MB else "MISSED"
    print(
        f"{options.each * len(KINDS):,} requests without a sign-in in {took:.0f} s: {before:.0f} MB before, "
        f"{after:.0f} MB afterwards, {grown:+.0f} MB (bar {BAR_MB}) {verdict}"
    )
    return 0 if grown <= BAR_MB else 1


def environment(data: Path, url: str) -> dict[str, str]:
    """A console that people sign in to, with a provider that does not answer."""
    return {
        **os.environ, "SYNCER_DATA_DIR": str(data), "SYNCER_WATCH": "off", "CONSOLE_URL": url,
        "CONSOLE_ADMINS": "admin@example.com", "OIDC_METADATA_URL": "http://127.0.0.1:9/openid", "OIDC_CLIENT_ID": "c",
        "OIDC_CLIENT_SECRET": "s", "XERO_CLIENT_ID": "app", "CROCOCLICK_TOKEN": "pit", "CROCOCLICK_LOCATION_ID": "L1",
    }  # fmt: skip


def settled_mb(console: "subprocess.Popen[bytes]") -> float:
    """Resident memory when nothing is asked any more, in MB."""
    time.sleep(SETTLE_S)
    [line] = [line for line in Path(f"/proc/{console.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


async def everything(url: str, each: int) -> None:
    """So many requests of each kind, some at one time."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(kind: Callable[[httpx.AsyncClient, int], Awaitable[None]], number: int) -> None:
            # What is refused before its body is read, and a connection that the console closes, are answers too.
            async with turns:
                with suppress(httpx.TransportError):
                    await kind(client, number)

        await asyncio.gather(*(one(kind, number) for number in range(each) for kind in KINDS))


async def page(client: httpx.AsyncClient, number: int) -> None:
    """A page, under an address that nobody asked for before."""
    await client.get(f"/invoice?invoice={number}", headers={"User-Agent": f"stranger {number}"})


async def socket(client: httpx.AsyncClient, number: int) -> None:
    """The websocket, and what a browser sends first: the script runs."""
    own = str(client.base_url).rstrip("/")
    asked = BackMsg()
    asked.rerun_script.query_string = f"invoice={number}"
    names = [Subprotocol("streamlit")]
    stream_url = f"{own.replace('http', 'ws', 1)}/_stcore/stream"
    async with connect(stream_url, subprotocols=names, origin=Origin(own)) as stream:
        await stream.send(asked.SerializeToString())
        await stream.recv()


async def upload(client: httpx.AsyncClient, number: int) -> None:
    """A file for a session."""
    await client.put(f"/_stcore/upload_file/session-{number}/{number}", content=b"x" * 100_000)


async def event(client: httpx.AsyncClient, number: int) -> None:
    """An event that nobody signed."""
    await client.post("/webhooks/crococlick", content=b"x" * 10_000, headers={"X-GHL-Signature": f"{number}"})


async def begin(client: httpx.AsyncClient, number: int) -> None:
    """A consent, on nobody's word."""
    await client.get(f"/xero/connect?connection=c{number}&pass={number}")


async def answer(client: httpx.AsyncClient, number: int) -> None:
    """Xero's answer to a consent that nobody began."""
    await client.get(f"/xero/callback?state={number}&code=x")


async def health(client: httpx.AsyncClient, number: int) -> None:
    """Whether all is well."""
    await client.get("/healthz")


KINDS = (page, socket, upload, event, begin, answer, health)

if __name__ == "__main__":
    sys.exit(main())
