"""`python -m sandbox.demo`: the sandbox, a connected console and a first sync, with one command and no account.

It drives the product the way a person would: by its commands and by Xero's consent page.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.crococlick.webhooks import PUBLIC_PEM

ROOT = Path(__file__).resolve().parent.parent
ORGANISATION = "Dupont Conseil"
START_S = 60.0


class Failed(Exception):
    """Something did not start; the message says what, and what to do."""


def free_port(wanted: int) -> int:
    """The wanted port of this machine, or the next one that nobody uses."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed(f"All ports from {wanted} to {wanted + 49} are in use.")


def settings_for(sandbox: str, console_port: int, data_dir: Path) -> dict[str, str]:
    """The environment in which the product reaches the sandbox; it wins over any `.env`."""
    hosts = dict.fromkeys(("XERO_API_URL", "XERO_LOGIN_URL", "XERO_IDENTITY_URL", "CROCOCLICK_API_URL"), sandbox)
    return {
        **os.environ,
        **hosts,
        "SYNCER_DATA_DIR": str(data_dir),
        "SYNCER_LEDGER_URL": "",
        "SYNCER_SECRET_KEY": "",
        "XERO_CLIENT_ID": "sandbox-client",
        "XERO_CLIENT_SECRET": "sandbox-secret",
        "XERO_REDIRECT_URI": f"http://localhost:{console_port}/xero/callback",
        "CROCOCLICK_TOKEN": "pit-sandbox",
        "CROCOCLICK_LOCATION_ID": "SandboxLocation00001",
        "CROCOCLICK_WEBHOOK_KEY": PUBLIC_PEM,
    }


@contextmanager
def running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program beside this one, ended with it; what it says goes to a file."""
    with log.open("wb") as out:
        # A group of its own: Ctrl-C reaches this program, which then ends the others in order.
        program = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield program
    finally:
        program.send_signal(signal.SIGINT)
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()


def wait_for(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers; says where to look when it does not."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if program.poll() is not None:
            said = log.read_text(errors="replace")[-2000:].strip()
            raise Failed(f"{log.stem.capitalize()} did not start: {said}\nIs `make run` at work already?")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise Failed(f"Nothing answers on {url} after {START_S:.0f} seconds. See {log}.")


def syncer(environment: Mapping[str, str], *words: str) -> dict[str, object]:
    """One command of the product and its JSON answer; 3 means that some records are held, as they should be here."""
    done = subprocess.run(
        [sys.executable, "-m", "syncer", *words, "--json"],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 3):
        raise Failed(f"`python -m syncer {' '.join(words)}` failed: {done.stderr.strip()}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def connect(environment: Mapping[str, str], organisation: str = ORGANISATION) -> None:
    """Ask for consent and give it, as a person does on Xero's page."""
    asking = subprocess.Popen(
        [sys.executable, "-m", "syncer", "connect", "--no-browser", "--organisation", organisation],
        cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert asking.stdout is not None  # noqa: S101 — it was asked for
    url = asking.stdout.readline().strip()
    if not url.startswith("http"):
        raise Failed(f"`python -m syncer connect` failed: {asking.communicate()[1].strip()}")
    form = urllib.parse.urlencode({"decision": "allow", "organisation": organisation}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, form), timeout=30):
        pass
    _, said = asking.communicate(timeout=60)
    if asking.returncode:
        raise Failed(f"`python -m syncer connect` failed: {said.strip()}")


def prepare(environment: Mapping[str, str]) -> None:
    """Connected, with the accounts that a person would choose; contacts imported, everything checked, synced once."""
    print("Looking at the connection …", flush=True)
    status = syncer(environment, "status")
    if status["state"] != "connected":
        print(f"Connecting {ORGANISATION} …", flush=True)
        connect(environment)
        syncer(environment, "settings", "set", "revenue_account=706", "payment_account.EUR=512")
        print("Importing contacts …", flush=True)
        syncer(environment, "import-contacts")
        print("Checking …", flush=True)
        syncer(environment, "check")
    print("Syncing …", flush=True)
    run = syncer(environment, "sync")
    outcomes = run["outcomes"]
    assert isinstance(outcomes, dict)  # noqa: S101 — the command's own promise
    told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in outcomes.items() if number)
    print(f"Synced: {told}.", flush=True)


def token_in(data: Path) -> str:
    """What lets a browser into the console, which keeps it in this folder."""
    return (data / "console.token").read_text(encoding="ascii").strip()


def main() -> int:
    """Start everything, say where it is, and stay until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8501, help="port of the console (default: 8501)")
    parser.add_argument("--world", default="demo", help="world of the sandbox (default: demo)")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data" / "demo", help="where the demo keeps its files")
    asked = parser.parse_args()
    data = asked.data_dir.resolve()
    os.umask(0o077)  # what it writes, and what it starts, is for this user alone
    data.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # However this program is ended, the two beside it end too.
        signal.signal(number, signal.default_int_handler)
    try:
        stay(asked.world, asked.port, data)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `make run` goes on from here; `make fresh` forgets the demo.")
    return 0


def stay(world: str, port: int, data: Path) -> None:
    """The sandbox, the product's own commands, then the console."""
    sandbox_port = free_port(8765)
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    console_port = free_port(port)
    environment = settings_for(sandbox, console_port, data)
    command = [sys.executable, "-m", "sandbox", "--port", str(sandbox_port), "--world", world, "--data-dir", str(data)]
    command += ["--webhooks", f"http://127.0.0.1:{console_port}/webhooks/crococlick"]
    print("Starting the sandbox …", flush=True)
    with running(command, environment, data / "sandbox.log") as simulator:
        wait_for(f"{sandbox}/_sandbox/state", simulator, data / "sandbox.log")
        print(f"Sandbox of Xero and CrocoClick on {sandbox}", flush=True)
        prepare(environment)
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(console_port)]
        print("Starting the console …", flush=True)
        with running([*command, "--server.headless", "true"], environment, data / "console.log") as console:
            wait_for(f"http://127.0.0.1:{console_port}/healthz", console, data / "console.log")
            address = f"http://localhost:{console_port}/?token={token_in(data)}"
            print(f"\n  Open {address}\n\nCtrl-C stops everything.", flush=True)
            console.wait()


if __name__ == "__main__":
    sys.exit(main())
