"""Run the sandbox: `python -m sandbox`."""

import argparse
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

import uvicorn

from sandbox.crococlick.deliveries import Deliveries
from sandbox.faults import KINDS
from sandbox.server import Sandbox, WrongWorld
from sandbox.worlds.build import WORLDS
from sandbox.worlds.training import told


class Plain(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        wrong(message[0].upper() + message[1:].rstrip(".") + ". See --help.")


def wrong(sentence: str) -> NoReturn:
    """Wrong input: one sentence, status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


def columns(rows: dict[str, str]) -> str:
    """Names and what they mean, in two columns."""
    width = max(map(len, rows)) + 2
    return "\n".join(f"  {name:<{width}}{meaning}" for name, meaning in rows.items())


def epilog() -> str:
    """What the help tells after the options."""
    return f"""
worlds
{columns(WORLDS)}
  --load takes the folder of the Online Retail data instead: 19,960 invoices of a UK shop.

credentials
  Xero app           sandbox-client / sandbox-secret, redirect http://localhost:<any port>/xero/callback
  Xero PKCE app      sandbox-pkce, no secret
  custom connection  sandbox-custom / sandbox-custom-secret
  CrocoClick         token pit-sandbox, location SandboxLocation00001
                     in the world demo also token pit-formation, location SandboxLocation00002 (Dupont Formation)

faults, for the next request that fits
{columns(KINDS)}
  curl -X POST URL/_sandbox/faults -d '{{"kind": "slow", "method": "PUT", "path": "/Invoices", "ms": 2000}}'

{told()}
the test desk answers under URL/_sandbox/ (open it for the list).
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Plain(
        prog="python -m sandbox",
        description="A stand-in for Xero and CrocoClick on one port: real HTTP, stateful, strict.",
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--port", type=int, default=8765, help="port to listen on, 0 for a free one (default 8765)")
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--world", metavar="NAME", help=f"starting point: {', '.join(WORLDS)} (default: the kept one, else demo)")
    add("--load", metavar="PATH", help="take the invoices of this folder or file instead of a world")
    add("--data-dir", metavar="DIR", help="where the state is kept (default $SYNCER_DATA_DIR, else ./data)")
    add("--fresh", action="store_true", help="forget the kept state and start over")
    add("--no-limits", action="store_true", help="count calls but never refuse one")
    add("--latency-ms", type=int, default=0, metavar="N", help="answer every Xero API call this much later")
    add(
        "--commit",
        choices=("before", "after", "random"),
        default="random",
        help="carry a call out before or after its latency (default random)",
    )
    add(
        "--time-scale",
        type=float,
        default=1.0,
        metavar="N",
        help="documented durations (limits, tokens, idempotency keys) pass N times faster",
    )
    add("--webhooks", default="", metavar="URL", help="tell this address of every change in CrocoClick, signed")
    add("--public-url", default="", metavar="URL", help="the address this sandbox has for others")
    add("--ready-file", metavar="FILE", help="write the URL here once requests are answered")
    return made


def checked(options: argparse.Namespace) -> None:
    """Refuse options that cannot be."""
    if options.world and options.world not in WORLDS:
        wrong(f"There is no world called {options.world}. The worlds are: {', '.join(WORLDS)}.")
    if options.world and options.load:
        wrong("Choose either --world or --load.")
    if options.load and not Path(options.load).exists():
        wrong(f"There is nothing at {options.load}.")
    if options.time_scale <= 0 or options.latency_ms < 0 or not 0 <= options.port <= 65535:
        wrong("The time scale must be above 0, the latency not below 0, and the port between 0 and 65535.")


def opened(options: argparse.Namespace) -> Sandbox:
    """The sandbox with its state, or one clear sentence."""
    try:
        return Sandbox(
            world=options.world,
            limits=not options.no_limits,
            latency_ms=options.latency_ms,
            load=options.load,
            data_dir=options.data_dir or os.environ.get("SYNCER_DATA_DIR") or "data",
            host=options.host,
            port=options.port,
            fresh=options.fresh,
            time_scale=options.time_scale,
            commit=options.commit,
            public_url=options.public_url,
        )
    except (WrongWorld, ValueError) as fault:
        wrong(str(fault))
    except sqlite3.OperationalError as fault:
        if "locked" in str(fault):
            wrong("Another sandbox is using this data directory. Give one of them another --data-dir.")
        wrong(f"The state cannot be kept there: {fault}.")
    except OSError as fault:
        wrong(f"The state cannot be kept there: {fault}.")


class Announcing(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, box: Sandbox, ready_file: str | None):
        super().__init__(box.config())
        self.box, self.ready_file = box, ready_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.ready_file:
            Path(self.ready_file).write_text(self.box.url + "\n", encoding="utf-8")
        print(f"Sandbox ready on {self.box.url}", flush=True)


def main() -> int:
    """Serve until somebody says stop."""
    options = parser().parse_args()
    checked(options)
    box = opened(options)
    try:
        sock = box.bind()
    except OSError as fault:
        wrong(f"Cannot listen on {options.host}:{options.port}: {fault.strerror}.")
    deliveries = Deliveries(box.sim, options.webhooks).start() if options.webhooks else None
    try:
        Announcing(box, options.ready_file).run(sockets=[sock])
    except KeyboardInterrupt:
        pass
    finally:
        if deliveries:
            deliveries.stop()
        box.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
