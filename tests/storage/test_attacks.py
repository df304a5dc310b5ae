"""What somebody may try with a question: each attempt with what it is after, and why nothing comes of it.

Each runs in the process that real questions run in, and has to be refused for the right reason, or be answered with
nothing worth having; in either case without our secrets or paths in what is told, and with every file as it was.
"""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer.domain.errors import WrongUsage
from syncer.storage.analysis.copy import Analysis
from syncer.storage.database.store import Store
from tests.support.ledger_rows import fill

ROOT = Path(__file__).parents[2]
SENTINEL = "untouched-sentinel"
NOT_A_QUESTION = "Only questions can be asked here"
LOCKED = "disabled by configuration|disabled through configuration|configuration has been locked"
UNKNOWN = "not exist|not in the catalog|No function matches"
HARMLESS = ""

ATTACKS = [
    # Reading files.
    ("a file as text", "SELECT * FROM read_text('/etc/passwd')", LOCKED),
    ("a file as bytes", "SELECT * FROM read_blob('{folder}/ledger.duckdb')", LOCKED),
    ("the environment", "SELECT * FROM read_text('/proc/self/environ')", LOCKED),
    ("the memory map", "SELECT * FROM read_blob('/proc/self/maps')", LOCKED),
    ("the files that are open", "SELECT * FROM glob('/proc/self/fd/*')", LOCKED),
    ("its own file by its number", "SELECT * FROM read_blob('/dev/fd/3')", LOCKED),
    ("its own standard input", "SELECT * FROM read_text('/dev/stdin')", LOCKED),
    ("a CSV", "SELECT * FROM read_csv('{folder}/secret.csv')", LOCKED),
    ("a CSV by guessing", "SELECT * FROM read_csv_auto('{folder}/secret.csv', all_varchar = true)", LOCKED),
    ("a CSV by a bare name", "SELECT * FROM '{folder}/secret.csv'", f"{LOCKED}|{UNKNOWN}"),
    ("a CSV's shape", "SELECT * FROM sniff_csv('{folder}/secret.csv')", LOCKED),
    ("a JSON", "SELECT * FROM read_json('{folder}/secret.csv')", LOCKED),
    ("a JSON's objects", "SELECT * FROM read_json_objects('{folder}/secret.csv')", LOCKED),
    ("lines as JSON", "SELECT * FROM read_ndjson_auto('{folder}/secret.csv')", LOCKED),
    ("a Parquet file", "SELECT * FROM parquet_scan('{folder}/x.parquet')", LOCKED),
    ("a Parquet file's head", "SELECT * FROM parquet_metadata('{folder}/x.parquet')", LOCKED),
    ("a Parquet file's keys", "SELECT * FROM parquet_kv_metadata('{folder}/x.parquet')", LOCKED),
    ("the ledger", "SELECT * FROM read_duckdb('{folder}/ledger.duckdb')", LOCKED),
    ("the names of files", "SELECT * FROM glob('{folder}/*')", LOCKED),
    ("another folder", "SELECT * FROM glob('../../*')", LOCKED),
    ("a file in a subquery", "SELECT (SELECT content FROM read_text('/etc/passwd')) FROM invoices", LOCKED),
    ("a file in a lateral join", "FROM invoices, LATERAL (FROM read_text('/etc/' || 'passwd'))", LOCKED),
    ("a file whose name is data", "SELECT * FROM read_text(['/etc/passwd', '/etc/hosts'])", LOCKED),
    ("a file in a recursion", "WITH RECURSIVE t AS (FROM read_text('/etc/passwd') UNION ALL FROM t) FROM t", LOCKED),
    ("a file in a UNION", "SELECT number FROM invoices UNION ALL SELECT content FROM read_text('/etc/passwd')", LOCKED),
    ("a file by an address", "SELECT * FROM read_text('file:///etc/passwd')", LOCKED),
    ("a file in other letters", "SELECT * FROM ReAd_TeXt('/etc/passwd')", LOCKED),
    ("a file behind a remark", "SELECT * FROM/**/read_text/**/('/etc/passwd')", LOCKED),
    ("a file in wide letters", "SELECT * FROM ｒｅａｄ＿ｔｅｘｔ('/etc/passwd')", UNKNOWN),
    ("a file behind a strange space", "SELECT *\u00a0FROM\u2003read_text('/etc/passwd')", f"{LOCKED}|Parser"),
    ("a file for EXPLAIN ANALYZE", "EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')", LOCKED),
    ("a file for DESCRIBE", "DESCRIBE SELECT * FROM read_csv('{folder}/secret.csv')", LOCKED),
    ("a file for SUMMARIZE", "SUMMARIZE SELECT * FROM read_csv('{folder}/secret.csv')", LOCKED),
    ("a file for PIVOT", "PIVOT (FROM read_csv('{folder}/secret.csv')) ON a USING count(*)", LOCKED),
    ("a function of another database", "SELECT pg_read_file('/etc/passwd')", UNKNOWN),
    ("one more of them", "SELECT load_file('/etc/passwd')", UNKNOWN),
    # SQL in texts.
    ("a query in a text", "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')", LOCKED),
    ("a copy in a text", "SELECT * FROM query('COPY invoices TO ''{folder}/out.csv''')", "single SELECT"),
    ("two queries in a text", "SELECT * FROM query('SELECT 1; SELECT 2')", "single SELECT|one question"),
    ("a table by a name put together", "SELECT * FROM query_table('{folder}/secret' || '.csv')", f"{LOCKED}|{UNKNOWN}"),
    ("a query as JSON", "FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''/etc/passwd'')'))", LOCKED),
    # Databases, networks, extensions.
    ("the ledger, attached", "ATTACH '{folder}/ledger.duckdb' AS l", NOT_A_QUESTION),
    ("a database of its own", "ATTACH ':memory:' AS m", NOT_A_QUESTION),
    ("the tables gone", "DETACH analysis", NOT_A_QUESTION),
    ("another schema", "USE system", NOT_A_QUESTION),
    ("the ledger's schema", "SELECT * FROM ledger.main.invoice", UNKNOWN),
    ("the vault", "SELECT * FROM vault", UNKNOWN),
    ("tables that were never copied", "SELECT * FROM setting", UNKNOWN),
    ("people and their roles", "SELECT who FROM person", UNKNOWN),
    ("a page of the web", "SELECT * FROM read_text('http://127.0.0.1:9/')", LOCKED),
    ("a bucket", "SELECT * FROM read_parquet('s3://bucket/x.parquet')", LOCKED),
    ("SQLite", "SELECT * FROM sqlite_scan('{folder}/x', 't')", UNKNOWN),
    ("PostgreSQL", "SELECT * FROM postgres_scan('', '', '')", UNKNOWN),
    ("MySQL", "SELECT * FROM mysql_query('', 'SELECT 1')", UNKNOWN),
    ("an extension", "INSTALL httpfs", NOT_A_QUESTION),
    ("an extension of the community", "INSTALL shellfs FROM community", NOT_A_QUESTION),
    ("an extension, loaded", "LOAD httpfs", NOT_A_QUESTION),
    ("an extension from a file", "LOAD '{folder}/x.duckdb_extension'", NOT_A_QUESTION),
    ("newer extensions", "UPDATE EXTENSIONS", NOT_A_QUESTION),
    ("an extension behind EXPLAIN ANALYZE", "EXPLAIN ANALYZE LOAD httpfs", LOCKED),
    ("an installation behind it", "EXPLAIN ANALYZE INSTALL httpfs", LOCKED),
    ("an attachment behind it", "EXPLAIN ANALYZE ATTACH ':memory:' AS m", "Parser"),
    # Settings.
    ("files again", "SET enable_external_access = true", NOT_A_QUESTION),
    ("files again behind EXPLAIN ANALYZE", "EXPLAIN ANALYZE SET enable_external_access = true", LOCKED),
    ("more processors", "SET threads = 64", NOT_A_QUESTION),
    ("more memory", "RESET memory_limit", NOT_A_QUESTION),
    ("a place to spill", "SET temp_directory = '{folder}'", NOT_A_QUESTION),
    ("a variable", "SET VARIABLE a = 1", NOT_A_QUESTION),
    ("a profile", "PRAGMA enable_profiling", NOT_A_QUESTION),
    ("a pragma with a value", "PRAGMA threads=64", NOT_A_QUESTION),
    ("a log", "CALL enable_logging(storage = 'stdout')", NOT_A_QUESTION),
    ("a log in a file", "SELECT * FROM enable_logging(storage = 'file', storage_path = '{folder}/log')", HARMLESS),
    ("a log on the console", "SELECT * FROM enable_logging(storage = 'stdout')", HARMLESS),
    ("a profile in a file",
     "SELECT * FROM enable_profiling(format = 'json', save_location = '{folder}/profile.json', coverage = 'all')",
     HARMLESS),
    ("a line in the log", "SELECT write_log('x')", HARMLESS),
    ("a checkpoint by a function", "SELECT * FROM checkpoint()", HARMLESS),
    ("the collations of elsewhere", "SELECT 'a' COLLATE \"../../x\"", UNKNOWN + "|collation|Catalog"),
    # What it could learn of the machine.
    ("our environment", "SELECT getenv('SYNCER_SENTINEL')", UNKNOWN),
    ("our home", "SELECT getenv('HOME')", UNKNOWN),
    ("the path of the file", "SELECT path FROM duckdb_databases()", HARMLESS),
    ("the path once more", "PRAGMA database_list", HARMLESS),
    ("what may be read", "SELECT * FROM duckdb_settings()", HARMLESS),
    ("the settings of PostgreSQL", "SELECT * FROM pg_catalog.pg_settings", HARMLESS),
    ("one setting", "SELECT current_setting('secret_directory')", HARMLESS),
    ("what may be read, by name", "SELECT current_setting('allowed_paths'), current_setting('home_directory')", HARMLESS),
    ("secrets", "SELECT * FROM duckdb_secrets()", LOCKED),
    ("a secret for an address", "SELECT * FROM which_secret('s3://x', 's3')", HARMLESS),
    ("where extensions are", "SELECT install_path FROM duckdb_extensions()", LOCKED),
    ("what was spilled", "SELECT * FROM duckdb_temporary_files()", HARMLESS),
    ("what others ask", "SELECT * FROM duckdb_logs()", HARMLESS),
    ("gaps in the file", "SELECT * FROM pragma_storage_info('invoices')", HARMLESS),
    ("variables of our program", "SELECT * FROM sentinel_frame", UNKNOWN),
    ("memory by an address", "SELECT * FROM arrow_scan(1, 2, 3)", UNKNOWN),
    ("memory by a pointer", "SELECT * FROM arrow_scan(140000000::POINTER, 1::POINTER, 1::POINTER)", UNKNOWN),
    ("a frame at no place at all", "SELECT * FROM pandas_scan(NULL)", "DuckDB failed on it"),
    ("a frame by a pointer", "SELECT * FROM pandas_scan(4096::POINTER)", UNKNOWN),
    ("a function of Python", "SELECT * FROM python_map_function((FROM invoices), 1::POINTER)", UNKNOWN),
    # Writing.
    ("a file", "COPY invoices TO '{folder}/out.csv'", NOT_A_QUESTION),
    ("a Parquet file", "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)", NOT_A_QUESTION),
    ("a program", "COPY (SELECT 1) TO PROGRAM 'touch {folder}/out'", "Parser|Only questions"),
    ("a table from a file", "COPY invoices FROM '{folder}/secret.csv'", NOT_A_QUESTION),
    ("a database", "COPY FROM DATABASE analysis TO system", "more than one|Only questions"),
    ("everything", "EXPORT DATABASE '{folder}/out'", NOT_A_QUESTION),
    ("everything from elsewhere", "IMPORT DATABASE '{folder}/out'", LOCKED),
    ("a file behind EXPLAIN ANALYZE", "EXPLAIN ANALYZE COPY invoices TO '{folder}/out.csv'", LOCKED),
    ("rows behind EXPLAIN ANALYZE", "EXPLAIN ANALYZE INSERT INTO checks SELECT * FROM checks", "read-only"),
    ("a table behind it", "EXPLAIN ANALYZE CREATE TABLE analysis.t AS SELECT 1", "read-only"),
    ("a table in memory behind it", "EXPLAIN ANALYZE CREATE TABLE memory.t AS SELECT 1 AS a", HARMLESS),
    ("a table", "CREATE TABLE t (a INTEGER)", NOT_A_QUESTION),
    ("a table for a while", "CREATE TEMP TABLE t AS SELECT 1", NOT_A_QUESTION),
    ("a view in place of a table", "CREATE OR REPLACE TEMP VIEW invoices AS SELECT 1", NOT_A_QUESTION),
    ("a macro", "CREATE MACRO m() AS 1", NOT_A_QUESTION),
    ("a macro in place of a function", "CREATE OR REPLACE TEMP MACRO lower(x) AS 'x'", NOT_A_QUESTION),
    ("a sequence", "CREATE SEQUENCE s", NOT_A_QUESTION),
    ("a type", "CREATE TYPE t AS ENUM ('a')", NOT_A_QUESTION),
    ("a secret", "CREATE SECRET s (TYPE s3)", NOT_A_QUESTION),
    ("rows", "INSERT INTO checks SELECT * FROM checks", NOT_A_QUESTION),
    ("a state", "UPDATE invoices SET state = 'synced'", NOT_A_QUESTION),
    ("calls gone", "DELETE FROM calls", NOT_A_QUESTION),
    ("calls gone at once", "TRUNCATE calls", NOT_A_QUESTION),
    ("a table gone", "DROP TABLE invoices", NOT_A_QUESTION),
    ("a column", "ALTER TABLE invoices ADD COLUMN a INTEGER", NOT_A_QUESTION),
    ("a remark", "COMMENT ON TABLE invoices IS 'x'", NOT_A_QUESTION),
    ("a merge", "MERGE INTO checks USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE", NOT_A_QUESTION),
    ("a change in a WITH", "WITH a AS (DELETE FROM calls RETURNING *) SELECT * FROM a", "Parser|Only questions|supported"),
    ("a transaction", "BEGIN", NOT_A_QUESTION),
    ("a file that is tidied", "VACUUM", NOT_A_QUESTION),
    ("a file that is written", "CHECKPOINT", NOT_A_QUESTION),
    # Several statements, or none.
    ("two questions", "SELECT 1; SELECT 2", "one question at a time"),
    ("one behind a question", "SELECT 1; DROP TABLE invoices", "one question at a time"),
    ("one before a question", "CREATE TEMP TABLE t AS SELECT 1; SELECT * FROM t", "one question at a time"),
    ("one behind a remark", "SELECT 1 -- ;\n; SET threads = 64", "one question at a time"),
    ("one behind a text that ends late", "SELECT $$;$$; DROP TABLE invoices", "one question at a time"),
    ("one behind the end of a text", "SELECT 'a\0b'; DROP TABLE invoices", "one question at a time|Parser|syntax"),
    ("one before a PIVOT", "DROP TABLE invoices; PIVOT invoices ON state USING count(*)", "one question at a time"),
    ("one that is prepared", "PREPARE q AS SELECT 1", NOT_A_QUESTION),
    ("one that was prepared", "EXECUTE q", NOT_A_QUESTION),
    ("a value that nobody gave", "SELECT $nobody", "no value for \\$nobody"),
    ("a value without a name", "SELECT ?", "no value for \\$1"),
    ("nothing", "", "no question"),
    ("nothing but a remark", " ; -- nothing", "no question"),
    # Bringing it down.
    ("brackets in brackets", "SELECT " + "(" * 20_000, "Parser|memory"),
    ("a sum without end", "SELECT " + "+".join(["1"] * 50_000), "depth|memory"),
    ("lists in lists", "SELECT " + "[" * 5_000 + "]" * 5_000, "Parser|memory|depth|stopped"),
    ("very many columns", "SELECT " + ",".join(f"'x' AS c{n}" for n in range(60_000)) + " FROM range(2000)", "large|memory"),
    ("half a letter", "SELECT '\ud800'", "characters"),
    ("a pattern without end", "SELECT regexp_matches(repeat('a', 100000), '(a+)+$')", HARMLESS),
    ("a pattern too large", "SELECT regexp_matches('a', '((a{1000}){1000}){1000}')", "large|repetition|Invalid"),
]  # fmt: skip


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Iterator[Analysis]:
    """Tables with rows, a secret file beside them and a secret in the environment."""
    folder = tmp_path_factory.mktemp("data")
    store = Store(folder / "ledger.duckdb")
    fill(store, range(1, 101))
    analysis = Analysis(store, folder / "analysis.duckdb")
    analysis.refresh()
    (folder / "secret.csv").write_text(f"a\n{SENTINEL}\n")
    os.environ["SYNCER_SENTINEL"] = SENTINEL
    yield analysis
    del os.environ["SYNCER_SENTINEL"]
    assert analysis.ask("SELECT count(*) FROM invoices").rows == [(100,)], "something came of it after all"


def test_there_are_many_attempts_and_each_is_another():
    """The table is kept: who finds a new one adds it."""
    assert len({sql for _, sql, _ in ATTACKS}) == len(ATTACKS) >= 60


IDS = [f"{number} {tries}" for number, (tries, *_) in enumerate(ATTACKS)]


@pytest.mark.parametrize(("sql", "why"), [attack[1:] for attack in ATTACKS], ids=IDS)
def test_nothing_but_questions_to_the_tables_is_possible(target: Analysis, sql: str, why: str):
    """Each is refused for the right reason, or answered with nothing worth having; every file stays as it was."""
    sentinel_frame = [SENTINEL]
    folder = target.path.parent
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    asked = sql.replace("{folder}", str(folder))
    refused, told = told_of(target, asked)
    assert not why or (refused and re.search(why, told)), told[:500]
    assert not refused or len(told) < 2000
    # Whoever asked with a path knows it.
    paths = [] if asked != sql else [str(folder)]
    assert not [secret for secret in (*sentinel_frame, *paths, f"{Path.home()}/") if secret in told]
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def told_of(target: Analysis, sql: str) -> tuple[bool, str]:
    """Whether it was refused, and all that was told."""
    try:
        return False, repr(target.ask(sql).rows)
    except WrongUsage as refusal:
        return True, refusal.sentence


@pytest.mark.parametrize("name", ["ledger.duckdb", "nothing.duckdb"])
def test_whether_a_file_is_there_cannot_be_told(target: Analysis, name: str):
    """One that exists and one that does not are refused in the same words."""
    _, told = told_of(target, f"FROM read_blob('{target.path.parent / name}')")
    assert told.splitlines()[0] == (
        f'Permission Error: Cannot access file "{target.path.parent / name}" - '
        "file system operations are disabled by configuration"
    )


NO_FILE_MORE = """
import os, pickle, socket, sys
sys.path.insert(0, sys.argv[1])
from syncer.storage.analysis import query_process as asked
asked._hold_back(5)
for attempt in (lambda: open("/etc/passwd"), socket.socket, os.pipe, lambda: os.listdir("/")):
    try:
        attempt()
    except OSError as refusal:
        print(refusal.errno)
"""


def test_the_process_itself_can_open_nothing():
    """Were DuckDB's own locks picked, the system would still open no file, folder, pipe or connection."""
    done = subprocess.run([sys.executable, "-c", NO_FILE_MORE, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(errno.EMFILE)] * 4, done.stderr
