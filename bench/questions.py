"""Whether questions slow a sync: its ledger transactions alone and beside them, by turns: python bench/questions.py."""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.ledger import add_attempts, add_calls, add_invoices, one_batch
from syncer.storage.analysis.copy import Analysis
from syncer.storage.analysis.query import Question
from syncer.storage.database.store import Store

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b"
HUNGRY = "SELECT count(*) FROM (SELECT a.*, b.number AS n FROM invoices a, invoices b ORDER BY random())"
ROUNDS, BATCHES = 5, 15


def main(folder: Path) -> None:
    """Fill a ledger and write to it as a run does, with nobody asking and with people who do."""
    store = Store(folder / "ledger.duckdb")
    for start in range(0, 20_000, 10_000):
        store.transaction(lambda tx, start=start: add_invoices(tx, start, start + 10_000))
        store.transaction(lambda tx, start=start: add_attempts(tx, start + 1, 10_000))
        store.transaction(lambda tx, start=start: add_calls(tx, start + 1, 10_000))
    analysis = Analysis(store, folder / "analysis.duckdb")
    analysis.refresh()
    print(f"ledger of {store.path.stat().st_size / 1e6:.0f} MB; a batch: 50 invoices updated, 50 attempts added")
    beside(store, "two questions without end", lambda: computing(analysis, ENDLESS))
    beside(store, "two that take all the memory they may", lambda: computing(analysis, HUNGRY))
    beside(store, "somebody asking anew without a pause", lambda: impatient(analysis))


def beside(store: Store, what: str, people: Callable[[], Iterator[None]]) -> None:
    """Batches alone and beside what people do, by turns; how long the typical and the slowest one took."""
    alone: list[float] = []
    along: list[float] = []
    for _ in range(ROUNDS):
        alone += batches(store)
        with contextmanager(people)():
            along += batches(store)
    for name, found in (("alone", alone), (f"beside {what}", along)):
        print(f"{statistics.median(found) * 1000:8.1f} ms typical, {max(found) * 1000:8.1f} ms slowest  {name}")
    print(f"{statistics.median(along) / statistics.median(alone):8.2f} times as long\n")


def batches(store: Store) -> list[float]:
    """How long each of some batches took."""
    found = []
    for _ in range(BATCHES):
        began = time.perf_counter()
        store.transaction(one_batch)
        found.append(time.perf_counter() - began)
        time.sleep(0.02)  # A run waits for Xero between its batches.
    return found


def computing(analysis: Analysis, sql: str) -> Iterator[None]:
    """Two such questions under way, begun again when they end."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            asking = analysis.begin(Question(sql))
            while not asking.wait(0.1) and not stop.is_set():
                pass
            asking.cancel()
            asking.wait(5)

    yield from _meanwhile([threading.Thread(target=ask) for _ in range(2)], stop)


def impatient(analysis: Analysis) -> Iterator[None]:
    """One person who asks, reads nothing and asks again."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            asking = analysis.begin(Question("SELECT state, count(*) FROM invoices GROUP BY ALL"))
            asking.wait(30)

    yield from _meanwhile([threading.Thread(target=ask)], stop)


def _meanwhile(people: list[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for one in people:
        one.start()
    time.sleep(1)
    try:
        yield
    finally:
        stop.set()
        for one in people:
            one.join()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
