"""One question to the analysis tables, answered in a process of its own.

Somebody else's SQL can take all memory, or end the process that runs it (`enable_logging` does), and DuckDB's own
limits do not hold it; a process's limits do. So this file runs alone, with nothing in its environment, imports nothing
of ours, reads a pickled dict from standard input and writes a pickled dict to standard output.
"""

# Those that DuckDB's client would import when it meets such a value: by then no file can be opened any more.
import datetime
import decimal
import os
import pickle
import resource
import signal
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

NEEDED = (datetime, decimal, uuid)

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
ZONED = "TIMESTAMP WITH TIME ZONE"


def open_locked(path: str) -> duckdb.DuckDBPyConnection:
    """The file, read-only, unable to see or change anything else."""
    connection = duckdb.connect(path, read_only=True, config=LOCKED)
    _lock(connection)
    return connection


def open_nameless(path: str) -> duckdb.DuckDBPyConnection:
    """The same for a file that is called by a number, as those are that were handed over open."""
    connection = duckdb.connect(":memory:", config={**LOCKED, "enable_external_access": "true"})
    connection.execute(f"ATTACH '{path}' AS analysis (READ_ONLY)")
    connection.execute("USE analysis")
    connection.execute("SET enable_external_access = false")
    _lock(connection)
    return connection


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Else a query could read the variables of the Python code that calls it.
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")


def answer(
    connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int, values: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Columns, their types and rows, or `refused` with what is wrong; times without a zone are UTC."""
    try:
        refused, used = _read(connection, sql, values or {})
        return {"refused": refused} if refused else _found(connection, sql, max_rows, used)
    except duckdb.Error as error:
        return {"refused": _said(str(error))}
    except MemoryError:
        return {"refused": "Out of Memory Error: the question needs more memory than it may have"}


def _said(message: str) -> str:
    """DuckDB's words; where its client lacks a package, what to do instead."""
    if "Required module" in message:
        return "A value in the answer is of a kind that cannot be shown: cast it, as in CAST(x AS VARCHAR)."
    return message


def _read(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Why it is not answered, if so, and the values it uses. DuckDB's parser, not a pattern, says what it is."""
    # What DuckDB makes out of one PIVOT has no text of its own.
    statements = connection.extract_statements(sql)
    if not statements:
        return "There is no question in it.", {}
    if any(statement.query for statement in statements[:-1]):
        return "Ask one question at a time: there is more than one statement.", {}
    kind = str(statements[-1].type).rpartition(".")[2]
    if kind not in ASKING:
        return (
            f"Only questions can be asked here (SELECT, WITH, FROM, VALUES, SHOW, DESCRIBE, EXPLAIN), not {kind}."
        ), {}
    names = statements[-1].named_parameters
    if missing := sorted(names - values.keys()):
        told = ", ".join(f"${name}" for name in missing)
        return f"There is no value for {told}. Parameters have names, as in $since, and each needs a value.", {}
    return "", {name: values[name] for name in names}


def _found(connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int, values: dict[str, Any]) -> dict[str, Any]:
    result = connection.execute(sql, values) if values else connection.execute(sql)
    columns = [column[0] for column in result.description]
    types = [str(column[1]) for column in result.description]
    if ZONED in types:
        # The client would need one more package to bring these into Python.
        picked = [f"CAST(#{n} AS TIMESTAMP)" if kind == ZONED else f"#{n}" for n, kind in enumerate(types, 1)]
        asked = connection.sql(sql, params=values) if values else connection.sql(sql)
        rows = asked.project(", ".join(picked)).limit(max_rows + 1).fetchall()
    else:
        rows = result.fetchmany(max_rows + 1)
    return {"columns": columns, "types": types, "rows": rows[:max_rows], "truncated": len(rows) > max_rows}


def _step_aside(timeout_s: float) -> None:
    """Lowest CPU priority, first OOM victim, and an alarm that ends the process even if its parent died."""
    with suppress(OSError):
        os.nice(19)
    # Only Linux has it.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, timeout_s + 1)


def _hold_back(timeout_s: float) -> None:
    """Limits of the process: memory, processor time; no file may grow, and none, nor a connection, be opened."""
    seconds = int(timeout_s) + 2
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, 4 * seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        # The next number that a file would get is already too large.
        (resource.RLIMIT_NOFILE, spare),
    ):
        # Not every system has every limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """Answer what standard input asks; DuckDB's own chatter goes nowhere."""
    asked = pickle.load(sys.stdin.buffer)
    _step_aside(asked["timeout_s"])
    answer_to = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if asked["handed"] is None:
        connection = open_locked(asked["path"])
    else:
        connection = open_nameless(asked["path"])
        # Open once more under no name at all.
        os.close(asked["handed"])
    _hold_back(asked["timeout_s"])
    told = pickle.dumps(answer(connection, asked["sql"], asked["max_rows"], asked["values"]))
    if len(told) > ANSWER_BYTES:
        told = pickle.dumps({"refused": "The answer is too large to show: ask for fewer rows or columns."})
    with os.fdopen(answer_to, "wb") as out:
        out.write(told)
    # Without the clean-up that could still fail.
    os._exit(0)


if __name__ == "__main__":
    main()
