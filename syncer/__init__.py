"""CrocoClick invoices into Xero, to the cent, with a reason for every one that did not go."""

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from syncer.reports.figure import Figure
    from syncer.reports.figures import Asked


def open_analysis() -> "DuckDBPyConnection":
    """The analysis tables as they are now, for a notebook: read-only, times in UTC, nothing else within reach.

    Finds the ledger as the settings say. Raises WrongUsage where the settings cannot be, LedgerBusy, LedgerTooNew.
    """
    from syncer.app.installation import App  # noqa: PLC0415 — importing the package stays light

    return App.open().analysis.open()


def open_report(question: "Asked") -> "list[Figure]":
    """Every figure of the Reports page, from the analysis tables as they are now. Raises what `open_analysis` does."""
    from syncer.reports.figures import FigureReport  # noqa: PLC0415 — the same

    with closing(open_analysis()) as connection:
        return FigureReport(connection, question).figures()
