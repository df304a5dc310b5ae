"""A question on its way: its values, its end before its time, and that it stands in nobody's way."""

import os
import pickle
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from syncer.domain.errors import WrongUsage
from syncer.storage.analysis import query as asking_module
from syncer.storage.analysis.copy import Analysis
from syncer.storage.analysis.query import Asking, Question
from syncer.storage.database.store import Store
from tests.support.ledger_rows import fill
from tests.support.waiting import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b"


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Analysis:
    folder = tmp_path_factory.mktemp("data")
    store = Store(folder / "ledger.duckdb")
    fill(store, range(1, 11))
    fill(store, [50], "other")
    analysis = Analysis(store, folder / "analysis.duckdb")
    analysis.refresh()
    return analysis


def under_way(asking: Asking) -> int:
    """The id of the process that answers, once it is there."""
    while asking._process is None:
        time.sleep(0.01)
    return asking._process.pid


def test_values_are_bound_and_never_become_sql(filled):
    """Whatever is in them."""
    told = "'; DROP TABLE invoices; --"
    asked = "SELECT $text AS said, $since + 1 AS day, $many * 2 AS twice, $share AS share, $none IS NULL AS nothing"
    values = {"text": told, "since": date(2026, 2, 28), "many": 21, "share": Decimal("0.10"), "none": None}
    answer = filled.ask(asked, values=values)
    assert answer.rows == [(told, date(2026, 3, 1), 42, Decimal("0.10"), True)]
    assert answer.types[:3] == ["VARCHAR", "DATE", "INTEGER"]


def test_values_that_are_not_asked_for_do_not_disturb(filled):
    """A page may offer more than a question takes; times with a zone come along."""
    [[number, now]] = filled.ask("SELECT $n, now() AS at", values={"n": 1, "connection": "default"}).rows
    assert number == 1
    assert now.tzinfo is not None


def test_a_value_that_is_missing_is_named(filled):
    """Before anything is asked."""
    with pytest.raises(WrongUsage, match=r"no value for \$since, \$until"):
        filled.ask("SELECT * FROM invoices WHERE issue_date BETWEEN $since AND $until")


def test_a_question_can_be_cancelled(filled):
    """It ends and says so."""
    asking = filled.begin(Question(ENDLESS))
    pid = under_way(asking)
    asking.cancel()
    assert asking.wait(PATIENCE_S)
    with pytest.raises(WrongUsage, match="was stopped"):
        asking.answer()
    assert is_gone(pid)


def test_a_question_that_nobody_waits_for_is_ended(filled):
    """A page that was left asks on for nobody; one that is watched goes on."""
    left, watched = (filled.begin(Question(ENDLESS), unwatched_s=4.0) for _ in range(2))
    while not left.is_over:
        watched.watch()
        time.sleep(0.05)
    assert not watched.is_over
    watched.cancel()
    with pytest.raises(WrongUsage, match="nobody waited for it"):
        left.answer()


def test_a_question_gives_way_to_everything_else(filled):
    """It is last in the queue for the processor, and the first that the system ends when memory is short."""
    asking = filled.begin(Question(ENDLESS))
    pid = under_way(asking)
    scored = Path(f"/proc/{pid}/oom_score_adj")

    def steps_aside() -> bool:
        memory = scored.read_text().strip() if scored.exists() else "1000"
        return (os.getpriority(os.PRIO_PROCESS, pid), memory) == (19, "1000")

    until(steps_aside)
    asking.cancel()
    asking.wait(PATIENCE_S)


LEFT_ALONE = """
import os, sys, time
from pathlib import Path
from syncer.storage.analysis.copy import Analysis, Question
from syncer.storage.database.store import Store
folder = Path(sys.argv[1])
analysis = Analysis(Store(folder / "ledger.duckdb"), folder / "analysis.duckdb")
asking = analysis.begin(Question(sys.argv[2], timeout_s=1.0))
while asking._process is None:
    time.sleep(0.01)
time.sleep(0.3)
print(asking._process.pid, flush=True)
os._exit(1)
"""


def test_a_question_ends_in_time_also_when_whoever_asked_is_gone(filled):
    """The console may be killed; its questions end by themselves."""
    command = [sys.executable, "-c", LEFT_ALONE, str(filled.path.parent), ENDLESS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    until(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    """Whether no process of that id works any more; one that has ended may wait to be fetched."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_what_the_process_says_is_taken_in_as_values_only():
    """It has read somebody's SQL: nothing that runs is taken from it."""

    class Evil:
        def __reduce__(self):
            return os.system, ("true",)

    for said in (pickle.dumps(Evil()), b"nonsense", b""):
        with pytest.raises(WrongUsage):
            asking_module._unpacked(said)


def test_every_kind_of_value_comes_over_or_is_refused_in_a_sentence(filled):
    """The process can load nothing any more once it has begun to answer."""
    kinds = (
        "uuid(), 1.5::DECIMAL(9,2), INTERVAL 1 DAY, TIME '10:00', 'x'::BLOB, [1.5], {'a': 1}, MAP {'a': 1}, 2::HUGEINT"
    )
    assert len(filled.ask(f"SELECT {kinds}").rows[0]) == 9
    with pytest.raises(WrongUsage, match="CAST"):
        filled.ask("SELECT [now()]")


def test_a_long_question_arrives_whole_however_slow_its_process_begins(filled, monkeypatch):
    """Longer than a pipe holds, and looked after all the time meanwhile."""
    monkeypatch.setattr(asking_module, "_LOOK_S", 0.001)
    answer = filled.ask(f"SELECT 1 -- {'x' * 500_000}", timeout_s=10)
    assert answer.rows == [(1,)]


def test_those_who_ask_without_a_pause_share_a_copy(tmp_path):
    """Two seconds old at most: a renewal for each would stand in the way of a sync."""
    store = Store(tmp_path / "ledger.duckdb")
    analysis = Analysis(store, tmp_path / "analysis.duckdb")
    fill(store, [1])

    def counted() -> int:
        asking = analysis.begin(Question("SELECT count(*) FROM invoices"))
        assert asking.wait(PATIENCE_S)
        return asking.answer().rows[0][0]

    assert counted() == 1
    fill(store, [2])
    now = time.time()
    os.utime(analysis.path, (now, now))
    assert counted() == 1
    os.utime(analysis.path, (now - 3, now - 3))
    assert counted() == 2


def test_only_what_may_be_seen_is_handed_over(filled):
    """Also to a question that is watched."""
    asking = filled.begin(Question("SELECT DISTINCT connection FROM invoices"), ["other"])
    assert asking.wait(PATIENCE_S)
    assert asking.answer().rows == [("other",)]


def test_every_table_and_column_is_told_in_a_sentence(filled):
    """For the console, and for anybody who asks DuckDB itself, whatever part they may see."""
    tables = filled.described()
    assert [table.name for table in tables] == filled.tables
    told = [(table.name, column.name, column.sentence) for table in tables for column in table.columns]
    assert not [one for one in told if not one[2].endswith(".")]
    assert all(table.sentence.endswith(".") for table in tables)
    asked = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    assert filled.ask(asked).rows == filled.ask(asked, ["other"]).rows == sorted(told)
