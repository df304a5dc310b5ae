"""What reports count, in the named queries of figures.sql, on any connection to the analysis tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from syncer.domain.period import PARTS, Period, turns
from syncer.storage.analysis.copy import Analysis, open_analysis
from syncer.storage.database.store import Query, queries

Connection = duckdb.DuckDBPyConnection


@cache
def _figures() -> dict[str, Query]:
    return dict(queries(Path(__file__).with_name("figures.sql")))


@contextmanager
def opened(analysis: Analysis) -> Iterator[Connection]:
    """A connection to the copy as it is, not brought up to date, and closed afterwards."""
    connection = open_analysis(analysis.path)
    try:
        yield connection
    finally:
        connection.close()


class Counting:
    """Answers about one period, in parts of it, of some connections, on the days of one time zone."""

    def __init__(
        self, connection: Connection, period: Period, by: str, zone: tzinfo, connections: Sequence[str]
    ) -> None:
        if by not in PARTS:
            raise ValueError(f"not a part of a period: {by!r}")
        self.period = period
        self._counted: dict[str, list[dict[str, Any]]] = {}
        self._connection = connection
        since, until = period.bounds(zone)
        self._given = {
            "first": period.first, "last": period.last, "since": _plain(since), "until": _plain(until),
            "connections": list(connections),
        }  # fmt: skip
        self._macros = [
            f"CREATE OR REPLACE TEMP MACRO here(moment) AS moment + to_minutes({_minutes(turns(zone, since, until))})",
            f"CREATE OR REPLACE TEMP MACRO part(moment) AS {_part(by, period)}",
        ]

    def rows(self, name: str, **more: Any) -> list[dict[str, Any]]:
        """Every row that the query of this name finds, as a dict by column name; counted once."""
        if name not in self._counted:
            self._counted[name] = self._count(name, more)
        return self._counted[name]

    def _count(self, name: str, more: Mapping[str, Any]) -> list[dict[str, Any]]:
        query = _figures()[name].sql
        for macro in self._macros:
            self._connection.execute(macro)
        given = {key: value for key, value in {**self._given, **more}.items() if f"${key}" in query}
        found = self._connection.execute(query, given)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _part(by: str, period: Period) -> str:
    """The first day of the part that `moment` lies in, no earlier than the period's, as SQL."""
    return f"greatest(CAST(date_trunc('{by}', here(moment)) AS DATE), DATE '{period.first}')"


def _minutes(found: Sequence[tuple[datetime, int]]) -> str:
    """How far the zone is from UTC at `moment`, as SQL: clocks that are changed meanwhile are changed here too."""
    (_, first), *later = found
    cases = [f"WHEN moment >= TIMESTAMP '{_plain(turn)}' THEN {minutes}" for turn, minutes in reversed(later)]
    return f"CASE {' '.join(cases)} ELSE {first} END" if cases else str(first)


def _plain(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
