"""Several processes with one ledger, and processes that die with it open."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from syncer.storage.database.store import Store
from tests.support.ledger_rows import call_columns
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from syncer.storage.database.store import Store
from tests.support.ledger_rows import call_columns
from tests.support.waiting import PATIENCE_S

path, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = Store(path)

def add(tx):
    first = tx.next_id("call")
    tx.insert("call", call_columns([first, first + 1], name))
    tx.upsert("watermark", ["connection", "name"],
              {"connection": [name], "name": ["calls"], "reached_at": ["2025-03-31 12:00:00"]})
    return first

for n in range(times):
    first = store.transaction(add)
    # Said only after the commit: what is said must be there.
    print(first, flush=True)
"""

READER = """
import sys
from pathlib import Path
from syncer.storage.database.store import Store

store = Store(Path(sys.argv[1]))
counts, seen = [], 0
while seen < int(sys.argv[2]):
    # Two rows go in together, so an odd count is half a transaction.
    seen = store.read(lambda r: r.value("SELECT count(*) FROM call"))
    counts.append(seen)
assert counts == sorted(counts) and all(count % 2 == 0 for count in counts), counts
print(len(counts))
"""


def start(program: str, *args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_four_writers_and_two_readers_live_together(ledger_file):
    """200 transactions of four processes all arrive, in order of id, and readers never see half of one."""
    writers = [start(WRITER, ledger_file, f"w{n}", 50) for n in range(4)]
    readers = [start(READER, ledger_file, 400) for _ in range(2)]
    for process in [*writers, *readers]:
        _, complaint = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, complaint) == (0, "")
    store = Store(ledger_file)
    ids = store.read(lambda r: [row["id"] for row in r.rows("SELECT id FROM call ORDER BY rowid")])
    assert ids == list(range(1, 401))
    assert store.read(lambda r: r.value("SELECT count(*) FROM watermark")) == 4


def test_two_processes_that_meet_an_empty_folder_make_one_ledger(ledger_file):
    """The first use of both at once: one makes the file, the other finds it."""
    both = [start(WRITER, ledger_file, f"w{n}", 1) for n in range(4)]
    assert sorted(int(process.communicate(timeout=PATIENCE_S)[0]) for process in both) == [1, 3, 5, 7]


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_leaves_a_usable_ledger_with_all_that_was_committed(ledger_file, seed):
    """kill -9 between any two instructions: what was said to be committed is there, and nothing by half."""
    Store(ledger_file).transaction(lambda tx: tx.insert("call", call_columns([1, 2])))
    wait = random.Random(seed)
    for _ in range(3):
        process = start(WRITER, ledger_file, "victim", 10_000)
        said = [process.stdout.readline()]
        time.sleep(wait.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        # A last line may be cut; it has no line end then.
        said += process.communicate()[0].splitlines(keepends=True)
        last = max(int(line) for line in said if line.endswith("\n"))
        store = Store(ledger_file, wait_s=5)
        ids = store.read(lambda r: [row["id"] for row in r.rows("SELECT id FROM call ORDER BY id")])
        assert ids == list(range(1, len(ids) + 1))
        assert len(ids) >= last + 1
        assert len(ids) % 2 == 0
        more = call_columns([len(ids) + 1, len(ids) + 2])
        store.transaction(lambda tx, more=more: tx.insert("call", more))


HOLDER = """
import os, sys, time
from pathlib import Path
from syncer.storage.database.store import Store
from tests.support.ledger_rows import call_columns
from tests.support.waiting import PATIENCE_S

def hold(tx):
    tx.insert("call", call_columns(range(100, 20_000)))
    print("inside", flush=True)
    time.sleep(60)

Store(Path(sys.argv[1])).transaction(hold)
"""


def test_killed_inside_a_transaction_frees_the_ledger_at_once(ledger_file):
    """The lock dies with its process, and its unfinished rows with it."""
    Store(ledger_file).transaction(lambda tx: tx.insert("call", call_columns([1])))
    process = start(HOLDER, ledger_file)
    assert process.stdout.readline() == "inside\n"
    process.kill()
    process.communicate()
    unwilling_to_wait = Store(ledger_file, wait_s=0.0)
    assert unwilling_to_wait.read(lambda r: r.value("SELECT count(*) FROM call")) == 1


LEFT_OPEN = """
import os, sys
from pathlib import Path
import duckdb
from syncer.storage.database.engine import CONFIG

connection = duckdb.connect(sys.argv[1], config=CONFIG)
connection.execute("INSERT INTO watermark SELECT 'default', 'invoices', TIMESTAMP '2025-03-31 12:00:00'")
os._exit(9)
"""


def test_what_a_dead_process_left_in_the_log_is_read_by_those_who_only_read(ledger_file):
    """Committed, but not yet written into the file: readers see it before any writer comes, and so does a writer."""
    Store(ledger_file).transaction(lambda tx: None)
    assert start(LEFT_OPEN, ledger_file).wait(PATIENCE_S) == 9
    assert ledger_file.with_name("ledger.duckdb.wal").stat().st_size
    for _ in range(2):
        assert Store(ledger_file).read(lambda r: r.value("SELECT count(*) FROM watermark")) == 1
    Store(ledger_file).transaction(lambda tx: None)
    assert Store(ledger_file).read(lambda r: r.value("SELECT count(*) FROM watermark")) == 1


STRANGER = """
import sys, time
import duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(float(sys.argv[2]))
"""


def test_a_stranger_who_opens_the_file_is_waited_for(ledger_file):
    """Somebody looks into the ledger with DuckDB's own program: we wait, up to our bound."""
    store = Store(ledger_file, wait_s=0.3)
    store.transaction(lambda tx: None)
    stranger = start(STRANGER, ledger_file, 1.5)
    stranger.stdout.readline()
    with pytest.raises(Exception, match="ledger_busy"):
        store.transaction(lambda tx: None)
    assert Store(ledger_file, wait_s=10).transaction(lambda tx: "our turn") == "our turn"
    stranger.communicate()
