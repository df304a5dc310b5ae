"""CrocoClick invoices into Xero, to the cent, with a reason for every one that did not go."""

from typing import TYPE_CHECKING

VERSION = "0.1.0"

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def open_analysis() -> "DuckDBPyConnection":
    """The analysis tables as they are now, for a notebook: read-only, times in UTC, nothing else within reach.

    Finds the ledger as the settings say. Raises WrongUsage where the settings cannot be, LedgerBusy, LedgerTooNew.
    """
    # Inside, so that importing the package stays light.
    from syncer.app.installation import App

    return App.open().analysis.open()
