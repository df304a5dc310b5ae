"""One question to the analysis tables, answered in a process of its own.

Somebody else's SQL can take all memory, or end the process that runs it (`enable_logging` does), and DuckDB's own
limits do not hold it; a process's limits do. So this file runs alone, with nothing in its environment, imports nothing
of ours, reads a pickled dict from standard input and writes a pickled dict to standard output.
"""

import os
import pickle
import resource
import sys
from contextlib import suppress
from typing import Any

import duckdb

# As `open_locked` opens it, a file shows its own tables and nothing else of the machine.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # Nothing is spilled to disk: a question that needs more memory is refused.
    "temp_directory": "",
    "memory_limit": "512MB",
    "threads": 2,
}
MEMORY_BYTES = 2 * 1024**3
ANSWER_BYTES = 64 * 1024**2
ASKING = ("SELECT", "EXPLAIN")


def open_locked(path: str) -> duckdb.DuckDBPyConnection:
    """The file, read-only, unable to see or change anything else."""
    connection = duckdb.connect(path, read_only=True, config=LOCKED)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Else a query could read the variables of the Python code that calls it.
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")
    return connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int) -> dict[str, Any]:
    """Columns and rows, or `refused` with what is wrong; times without a zone are UTC."""
    try:
        refused = _why_not(connection, sql)
        return {"refused": refused} if refused else _found(connection, sql, max_rows)
    except duckdb.Error as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "Out of Memory Error: the question needs more memory than it may have"}


def _why_not(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """DuckDB's parser, not a pattern, says what kind of statement it is."""
    # What DuckDB makes out of one PIVOT has no text of its own.
    statements = connection.extract_statements(sql)
    if not statements:
        return "There is no question in it."
    if any(statement.query for statement in statements[:-1]):
        return "Ask one question at a time: there is more than one statement."
    kind = str(statements[-1].type).rpartition(".")[2]
    if kind not in ASKING:
        return f"Only questions can be asked here (SELECT, WITH, FROM, VALUES, SHOW, DESCRIBE, EXPLAIN), not {kind}."
    return ""


def _found(connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int) -> dict[str, Any]:
    result = connection.execute(sql)
    columns = [column[0] for column in result.description]
    zoned = [str(column[1]) == "TIMESTAMP WITH TIME ZONE" for column in result.description]
    if any(zoned):
        # The client would need one more package to bring these into Python.
        picked = [f"CAST(#{n} AS TIMESTAMP)" if at else f"#{n}" for n, at in enumerate(zoned, 1)]
        rows = connection.sql(sql).project(", ".join(picked)).limit(max_rows + 1).fetchall()
    else:
        rows = result.fetchmany(max_rows + 1)
    return {"columns": columns, "rows": rows[:max_rows], "truncated": len(rows) > max_rows}


def _hold_back(timeout_s: float) -> None:
    """Limits of the process: memory, processor time, and no file may grow."""
    seconds = int(timeout_s) + 2
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, 4 * seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # Not every system has every limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """Answer what standard input asks; DuckDB's own chatter goes nowhere."""
    asked = pickle.load(sys.stdin.buffer)
    answer_to = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    connection = open_locked(asked["path"])
    _hold_back(asked["timeout_s"])
    told = pickle.dumps(answer(connection, asked["sql"], asked["max_rows"]))
    if len(told) > ANSWER_BYTES:
        told = pickle.dumps({"refused": "The answer is too large to show: ask for fewer rows or columns."})
    with os.fdopen(answer_to, "wb") as out:
        out.write(told)
    # Without the clean-up that could still fail.
    os._exit(0)


if __name__ == "__main__":
    main()
