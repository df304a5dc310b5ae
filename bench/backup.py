"""Backups while the 19,960 invoices of the retail world go to Xero, and one afterwards: how long each takes.

At most 10 seconds in the median. Needs the retail data beside the project (`../shared/data/online_retail`).
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.demo import connect, free_port, running, settings_for, syncer, wait_for

DATA = ROOT.parent / "shared" / "data" / "online_retail"
MOST_S = 10.0
BETWEEN_S = 20.0


def main() -> int:
    if not DATA.exists():
        print(f"skipped: the retail data is not at {DATA.parent.name}/{DATA.name}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data, files = Path(folder) / "data", Path(folder) / "files"
        data.mkdir()
        files.mkdir()
        box = f"http://127.0.0.1:{free_port(8790)}"
        environment = settings_for(box, free_port(8591), data)
        command = [sys.executable, "-m", "sandbox", "--port", box.rsplit(":", 1)[1], "--load", str(DATA), "--no-limits"]
        with running([*command, "--data-dir", str(Path(folder))], environment, files / "box.log") as simulator:
            wait_for(f"{box}/_sandbox/state", simulator, files / "box.log")
            with urllib.request.urlopen(f"{box}/_sandbox/state", timeout=30) as answer:
                connect(environment, json.load(answer)["xero"]["organisations"][0]["name"])
            syncer(environment, "settings", "set", "revenue_account=200", "calls_per_minute=100000")
            return measure(environment, files)


def measure(environment: dict, files: Path) -> int:
    started, took = time.perf_counter(), []
    sync = subprocess.Popen(
        [sys.executable, "-m", "syncer", "sync", "--json"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    while sync.poll() is None:
        time.sleep(BETWEEN_S if took else 5)
        if (sync.poll()) is None:
            took.append(backup(environment, files / f"{len(took)}.zip"))
    print(f"sync, with {len(took)} backups meanwhile: {time.perf_counter() - started:.0f} s")
    took.append(backup(environment, files / "last.zip"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as new:
        restored = syncer({**environment, "SYNCER_DATA_DIR": new}, "restore", str(files / "last.zip"))
    print(f"restore: {time.perf_counter() - began:.1f} s, {restored['invoices']:,} invoices")
    return 0 if statistics.median(took) <= MOST_S and sync.returncode in (0, 3) else 1


def backup(environment: dict, file: Path) -> float:
    began = time.perf_counter()
    saved = syncer(environment, "backup", str(file))
    took = time.perf_counter() - began
    print(
        f"backup: {took:5.1f} s, ledger held {saved['held_s'] * 1000:4.0f} ms; {saved['invoices']:6,} invoices, "
        f"{saved['files']:5,} files of {saved['content_bytes'] / 1e6:6.1f} MB in {saved['bytes'] / 1e6:5.1f} MB",
        flush=True,
    )
    return took


if __name__ == "__main__":
    sys.exit(main())
