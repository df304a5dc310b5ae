"""The retail world: 19,960 real invoices, each to Xero once, to the cent, and a second run that writes nothing.

Needs the retail data beside the project (`../shared/data/online_retail`); says so and ends where it is missing.
"""

import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.demo import connect, free_port, running, settings_for, syncer, wait_for

DATA = ROOT.parent / "shared" / "data" / "online_retail"


def get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def xero_writes(box: str) -> int:
    puts, posts = (get(f"{box}/_sandbox/calls/count?side=xero&method={verb}") for verb in ("PUT", "POST"))
    return puts["count"] + posts["count"]


def timed(what: str, *words: str, environment: dict) -> dict:
    started = time.perf_counter()
    found = syncer(environment, *words)
    print(f"{what:<28} {time.perf_counter() - started:8.1f} s")
    return found


def main() -> int:
    if not DATA.exists():
        print(f"skipped: the retail data is not at {DATA.parent.name}/{DATA.name}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        box = f"http://127.0.0.1:{free_port(8790)}"
        environment = settings_for(box, free_port(8591), data)
        command = [sys.executable, "-m", "sandbox", "--port", box.rsplit(":", 1)[1], "--load", str(DATA), "--no-limits"]
        with running([*command, "--data-dir", str(data)], environment, data / "box.log") as simulator:
            wait_for(f"{box}/_sandbox/state", simulator, data / "box.log")
            return measure(box, environment)


def measure(box: str, environment: dict) -> int:
    connect(environment, get(f"{box}/_sandbox/state")["xero"]["organisations"][0]["name"])
    syncer(environment, "settings", "set", "revenue_account=200", "calls_per_minute=100000")
    timed("plan", "plan", environment=environment)
    first = timed("first sync", "sync", environment=environment)
    writes = xero_writes(box)
    second = timed("second sync", "sync", environment=environment)
    timed("explain", "explain", "536365", environment=environment)
    state = get(f"{box}/_sandbox/state")
    there = state["xero"]["organisations"][0]["totals"]["GBP"]["AUTHORISED"]
    here = state["crococlick"]["totals"]["GBP"]["sent"]
    contacts = state["xero"]["contacts"]
    bar = 1.10 * (-(-here["count"] // 50) + -(-contacts // 50) + 10)
    print(f"invoices                     {there['count']} of {here['count']}, created {first['outcomes']['created']}")
    print(f"sum                          {there['total']} of {here['total']} GBP")
    print(f"Xero calls of the first run  {first['calls']['xero']} (at most {bar:.0f})")
    print(f"Xero writes of the second    {xero_writes(box) - writes}, Xero calls {second['calls']['xero']}")
    kept = (there["count"], there["total"]) == (here["count"], here["total"]) and xero_writes(box) == writes
    return 0 if kept and first["calls"]["xero"] <= bar else 1


if __name__ == "__main__":
    sys.exit(main())
