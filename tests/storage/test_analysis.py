"""The analysis tables: always as the ledger is, never in anybody's way, and nothing else within reach."""

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import syncer
from syncer.domain.errors import WrongUsage
from syncer.storage.analysis.copy import Analysis, ask, open_analysis
from syncer.storage.database.store import Store
from tests.support.ledger_rows import NOON, attempt_columns, fill
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
TABLES = {"runs", "attempts", "arrivals", "problems", "taxes", "invoices", "contacts", "duplicates", "calls", "checks"}


@pytest.fixture
def analysis(store, tmp_path) -> Analysis:
    return Analysis(store, tmp_path / "analysis.duckdb", wait_s=10)


def counts(analysis: Analysis, connections=None) -> dict[str, int]:
    with open_analysis(analysis.path, connections) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("invoices", "attempts", "calls")
        }


def test_the_copy_has_the_tables_of_the_contract_also_from_an_empty_ledger(analysis):
    """All of them, under their names, before anything happened."""
    assert analysis.refresh() is True
    assert {row[0] for row in analysis.ask("SHOW TABLES").rows} == TABLES
    assert analysis.ask("FROM invoices").rows == []


def test_the_copy_follows_the_ledger(analysis, store):
    """New rows arrive, changed rows change, deleted rows go."""
    fill(store)
    analysis.refresh()
    assert counts(analysis) == {"invoices": 3, "attempts": 3, "calls": 3}
    fill(store, range(4, 6))
    store.transaction(
        lambda tx: tx.execute("UPDATE invoice SET state = 'held', cause = 'tax_unmapped' WHERE number = 'INV-0001'")
    )
    store.transaction(lambda tx: tx.execute("DELETE FROM invoice WHERE number = 'INV-0002'"))
    assert analysis.refresh() is True
    assert counts(analysis) == {"invoices": 4, "attempts": 5, "calls": 5}
    assert analysis.ask("SELECT number FROM invoices WHERE state = 'held'").rows == [("INV-0001",)]
    assert analysis.ask("SELECT attempt_id FROM attempts ORDER BY end_id").rows == [(n,) for n in range(1, 6)]


def test_nothing_is_written_where_nothing_moved(analysis, store):
    """Asking twice renews once."""
    fill(store)
    assert analysis.refresh() is True
    before = analysis.path.stat()
    assert analysis.refresh() is False
    assert Analysis(Store(store.path), analysis.path).refresh() is False
    assert analysis.path.stat() == before


def test_an_attempt_appears_when_it_has_ended(analysis, store):
    """An end that comes after later attempts have ended is not missed."""
    begun, ended = attempt_columns([1, 2, 3])
    second = {name: values[1:2] for name, values in ended.items()}
    first = {**{name: values[:1] for name, values in ended.items()}, "id": [99]}
    store.transaction(lambda tx: (tx.insert("attempt", begun), tx.insert("attempt_end", second)))
    analysis.refresh()
    store.transaction(lambda tx: tx.insert("attempt_end", first))
    analysis.refresh()
    assert analysis.ask("SELECT attempt_id FROM attempts ORDER BY end_id").rows == [(2,), (1,)]


def test_rows_forgotten_in_the_ledger_are_forgotten_in_the_copy(analysis, store):
    """Deleting old calls reaches the copy with the next refresh."""
    fill(store, range(1, 11))
    analysis.refresh()
    store.transaction(lambda tx: tx.execute("DELETE FROM call WHERE id <= 4"))
    analysis.refresh()
    assert analysis.ask("SELECT min(id), count(*) FROM calls").rows == [(5, 6)]


def test_a_restored_backup_is_noticed(analysis, store, tmp_path):
    """The copy does not keep rows of a future that is gone, nor miss the ones written since."""
    fill(store)
    backup = store.path.read_bytes()
    fill(store, range(4, 9))
    analysis.refresh()
    store.path.write_bytes(backup)
    assert analysis.refresh() is True
    assert counts(analysis) == {"invoices": 3, "attempts": 3, "calls": 3}


def test_once_a_day_everything_is_copied_anew(analysis, store):
    """What was blanked in old rows is blanked in the copy a day later at the latest."""
    fill(store)
    analysis.refresh()
    store.transaction(lambda tx: tx.execute("UPDATE call SET path = 'forgotten'"))
    noted = json.loads(analysis.path.with_name("analysis.duckdb.state").read_text())
    analysis.path.with_name("analysis.duckdb.state").write_text(json.dumps({**noted, "anew_at": time.time() - 90_000}))
    analysis.refresh()
    assert analysis.ask("SELECT DISTINCT path FROM calls").rows == [("forgotten",)]


@pytest.mark.parametrize("name", ["analysis.duckdb", "analysis.duckdb.state", "analysis.duckdb.new"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"nonsense" * 5000])
def test_a_spoiled_copy_makes_itself_anew(analysis, store, name, content):
    """No file beside the ledger is precious."""
    fill(store)
    analysis.refresh()
    analysis.path.with_name(name).write_bytes(content)
    fill(store, range(4, 6))
    analysis.refresh()
    assert counts(analysis) == {"invoices": 5, "attempts": 5, "calls": 5}


def test_a_deleted_copy_comes_back(analysis, store):
    """Also while the ledger stands still."""
    fill(store)
    analysis.refresh()
    analysis.path.unlink()
    assert analysis.refresh() is True
    assert counts(analysis)["invoices"] == 3


def test_who_reads_the_old_copy_reads_on(analysis, store):
    """A report in the middle of its work keeps its numbers; the next one has the new ones."""
    fill(store)
    old = analysis.open()
    fill(store, range(4, 6))
    new = analysis.open()
    assert old.execute("SELECT count(*) FROM invoices").fetchone() == (3,)
    assert new.execute("SELECT count(*) FROM invoices").fetchone() == (5,)
    old.close()
    assert new.execute("SELECT count(*) FROM calls").fetchone() == (5,)
    new.close()


def test_the_copy_does_not_hold_up_the_ledger_and_leaves_no_crumbs(analysis, store, tmp_path):
    """With an analysis connection open the ledger can be written, and the folder stays tidy."""
    fill(store)
    reader = analysis.open(["default"])
    fill(store, range(4, 6))
    analysis.refresh()
    reader.close()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        *(f"{base}{end}" for base in ("ledger.duckdb", "analysis.duckdb") for end in ("", ".lock", ".gate")),
        "analysis.duckdb.state",
    }


REFRESHER = """
import sys
from pathlib import Path
from syncer.storage.analysis.copy import Analysis
from syncer.storage.database.store import Store

folder = Path(sys.argv[1])
analysis = Analysis(Store(folder / "ledger.duckdb"), folder / "analysis.duckdb")
seen = 0
while seen < 40:
    analysis.refresh()
    with analysis.open() as connection:
        question = "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM calls)"
        now, calls = connection.execute(question).fetchone()
    assert now >= seen and now == calls, (seen, now, calls)
    seen = now
"""


def test_several_processes_refresh_and_read_while_the_ledger_grows(analysis, store, tmp_path):
    """Nobody sees half a copy, or an older one than before."""
    fill(store, range(1, 3))
    command = [sys.executable, "-c", REFRESHER, str(tmp_path)]
    readers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for n in range(3, 41, 2):
        fill(store, range(n, n + 2))
        analysis.refresh()
    for reader in readers:
        _, complaint = reader.communicate(timeout=PATIENCE_S)
        assert (reader.returncode, complaint) == (0, "")


def test_some_connections_only_means_that_the_others_are_not_there(analysis, store, tmp_path):
    """Not filtered on the way: the file that is opened does not hold them."""
    fill(store)
    fill(store, [7], "secret-customer")
    analysis.refresh()
    assert counts(analysis, ["default"]) == {"invoices": 3, "attempts": 3, "calls": 3}
    assert counts(analysis, ["secret-customer"]) == {"invoices": 1, "attempts": 1, "calls": 1}
    assert counts(analysis, ["default", "secret-customer"])["invoices"] == 4
    assert counts(analysis, ["it's; none"]) == counts(analysis, []) == {"invoices": 0, "attempts": 0, "calls": 0}
    assert analysis.ask("SELECT DISTINCT connection FROM invoices", ["default"]).rows == [("default",)]
    assert {row[0] for row in analysis.ask("SHOW TABLES", []).rows} == TABLES
    parts = list(tmp_path.glob("analysis.duckdb.part-*"))
    assert parts
    assert sum(b"secret-customer" in part.read_bytes() for part in parts) == 2


def test_a_part_is_renewed_with_the_copy(analysis, store, tmp_path):
    """Who may see one connection sees its newest rows, and old parts do not pile up."""
    for ids in ([1, 2], [3, 4], [5]):
        fill(store, ids)
        analysis.refresh()
        assert counts(analysis, ["default"])["invoices"] == ids[-1]
        assert counts(analysis, ["default"])["invoices"] == ids[-1]
    assert len(list(tmp_path.glob("analysis.duckdb.part-*"))) == 1


def test_without_a_copy_there_is_a_sentence(tmp_path):
    """Opening before the first refresh says so."""
    with pytest.raises(WrongUsage, match="no analysis tables yet"):
        open_analysis(tmp_path / "analysis.duckdb")
    with pytest.raises(WrongUsage, match="no analysis tables yet"):
        ask(tmp_path / "analysis.duckdb", "SELECT 1")


def test_the_ledger_may_live_apart_from_the_copy(tmp_path, monkeypatch):
    """The settings name both places, and neither folder need be there before."""
    monkeypatch.setenv("SYNCER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SYNCER_LEDGER_URL", f"duckdb:///{tmp_path / 'elsewhere' / 'books.duckdb'}")
    with syncer.open_analysis() as connection:
        assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (0,)
    assert (tmp_path / "elsewhere" / "books.duckdb").exists()
    assert (tmp_path / "data" / "analysis.duckdb").exists()


def test_the_package_opens_the_analysis_of_the_data_directory(tmp_path, monkeypatch):
    """A notebook needs one line, and gets rows as they are now."""
    monkeypatch.setenv("SYNCER_DATA_DIR", str(tmp_path / "made"))
    monkeypatch.delenv("SYNCER_LEDGER_URL", raising=False)
    with syncer.open_analysis() as connection:
        assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (0,)
    fill(Store(tmp_path / "made" / "ledger.duckdb"))
    with syncer.open_analysis() as connection:
        assert connection.execute("SELECT max(total) FROM invoices").fetchone() == (Decimal("3.01"),)


# -- questions --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Analysis:
    folder = tmp_path_factory.mktemp("data")
    store = Store(folder / "ledger.duckdb")
    fill(store, range(1, 101))
    analysis = Analysis(store, folder / "analysis.duckdb")
    analysis.refresh()
    return analysis


def test_an_answer_has_names_values_and_kinds(filled):
    """Money is Decimal, times are UTC."""
    answer = filled.ask("SELECT number, total, seen_at, tax, live FROM invoices WHERE number = 'INV-0007'")
    assert answer.columns == ["number", "total", "seen_at", "tax", "live"]
    assert answer.rows == [("INV-0007", Decimal("7.01"), NOON, None, True)]
    assert answer.rows[0][2].tzinfo is UTC
    assert not answer.truncated


def test_now_can_be_asked_for(filled):
    """Times with a zone arrive as UTC too, with columns that share a name."""
    [[now, later]] = filled.ask("SELECT now() AS t, now() + INTERVAL 1 DAY AS t").rows
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert later - now == timedelta(days=1)


def test_more_rows_than_may_be_shown_are_cut_and_said(filled):
    """The first rows in the order asked for, and that there are more."""
    answer = filled.ask("SELECT number FROM invoices ORDER BY number DESC", max_rows=3)
    assert answer.rows == [("INV-0100",), ("INV-0099",), ("INV-0098",)]
    assert answer.truncated
    assert not filled.ask("SELECT number FROM invoices LIMIT 3", max_rows=3).truncated


@pytest.mark.parametrize(
    "sql",
    [
        "FROM invoices",
        "VALUES (1)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "-- a remark\nSELECT 1; -- another\n;",
        "SHOW TABLES",
        "DESCRIBE invoices",
        "SUMMARIZE calls",
        "EXPLAIN SELECT * FROM calls",
        "PIVOT invoices ON state USING count(*)",
        "SELECT json_extract('{\"a\": 1}', '$.a')",
        "SELECT * FROM analysis.main.invoices JOIN attempts ON crococlick_id = source_id",
        "SELECT time_bucket(INTERVAL 1 HOUR, made_at) AS hour, quantile_cont(ms, 0.95) FROM calls GROUP BY ALL",
    ],
)
def test_questions_that_people_ask_are_answered(filled, sql):
    """DuckDB's whole way of asking is there."""
    answer = filled.ask(sql)
    assert answer.rows
    assert {len(row) for row in answer.rows} == {len(answer.columns)}


def test_a_mistake_is_told_in_duckdbs_words_with_the_place(filled):
    """The message points at the word that is wrong."""
    with pytest.raises(WrongUsage) as refusal:
        filled.ask("SELECT number FROM invoices\nWHERE stat = 'held'")
    told = refusal.value.sentence
    assert "stat" in told
    assert "LINE 2: WHERE stat = 'held'" in told
    assert told.splitlines()[-1].index("^") == told.splitlines()[-2].index("stat")
    with pytest.raises(WrongUsage, match='syntax error at or near "SELEC"'):
        filled.ask("SELEC number FROM invoices")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b",
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t",
        "SELECT pg_sleep(60)",
        # DuckDB's own interrupt does not reach these.
        "SELECT levenshtein(repeat('ab', 500000), repeat('ba', 500000))",
        "SELECT reduce(range(1, 30000000), lambda a, b: a + b)",
    ],
)
def test_a_question_without_end_is_ended(filled, sql):
    """After the time it may take, whatever it is doing."""
    with pytest.raises(WrongUsage, match=r"longer than 1 seconds|memory"):
        filled.ask(sql, timeout_s=1)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.ms FROM calls AS a, calls AS b, calls AS c, calls AS d ORDER BY random()",
        "SELECT array_agg(range) FROM range(10000000000)",
        "SELECT repeat('x', 4000000000)",
        "SELECT list_sum(range(2000000000))",
        "SELECT list_sort(range(200000000)::VARCHAR[])",
        "SELECT bitstring('1', 2000000000)",
    ],
)
def test_a_question_that_wants_all_memory_does_not_get_it(filled, sql):
    """Ours stays as it was, and the sentence says why."""
    with pytest.raises(WrongUsage, match=r"(?i)memory|longer than|too large|out of range|allocate"):
        filled.ask(sql, timeout_s=20)


def test_an_answer_too_large_to_show_is_refused(filled):
    """Few rows can be much too much."""
    with pytest.raises(WrongUsage, match="too large"):
        filled.ask("SELECT repeat('x', 10000000) FROM range(10)")


def test_an_opened_analysis_is_locked(filled):
    """The connection a notebook gets can change neither its settings nor the tables, nor see files or variables."""
    variable = [1]
    with filled.open() as connection:
        for sql, why in [
            ("SET enable_external_access = true", "locked"),
            ("SET lock_configuration = false", "locked"),
            ("SET python_enable_replacements = true", "locked"),
            ("DELETE FROM invoices", "read-only"),
            ("FROM read_text('/etc/passwd')", "disabled by configuration"),
            (f"ATTACH '{filled.path}' AS more", "disabled by configuration|already"),
            ("FROM variable", "not exist"),
        ]:
            with pytest.raises(duckdb.Error, match=why):
                connection.execute(sql)
    assert variable == [1]


def test_questions_at_once_do_not_disturb_each_other(filled):
    """Several people ask while the copy is renewed."""
    answers: list[object] = []
    asking = [
        threading.Thread(target=lambda: answers.append(filled.ask("SELECT count(*) FROM invoices").rows))
        for _ in range(6)
    ]
    for thread in asking:
        thread.start()
    filled.path.with_name("analysis.duckdb.state").unlink()
    filled.refresh()
    for thread in asking:
        thread.join()
    assert answers == [[(100,)]] * 6
    assert not list(filled.path.parent.glob(".analysis-*"))
