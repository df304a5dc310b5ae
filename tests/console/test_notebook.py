"""The notebook, executed as a person would from top to bottom."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from console.desk.desk import Desk
from syncer.reports.figures import FIGURES
from tests.support.pages import NOW, SECRET

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "sync_runs.ipynb"


def executed() -> Any:
    """Every cell after the other, in a kernel of its own that sees what this process does; a failing cell raises."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    return client.execute()


def text(book: Any) -> str:
    """All that the cells put out, scripts apart."""
    found = []
    for cell in book.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found += [data.get("text/markdown", ""), data.get("text/plain", ""), output.get("text", "")]
    return "\n".join(found)


@pytest.mark.slow
def test_it_shows_every_figure_of_the_reports_page(working: Desk):
    """Over a ledger in the middle of its work, with the same numbers."""
    told = text(executed())
    working.reports.renew()
    from syncer.reports.figures import asked

    every = working.reports.counted(asked(), list(FIGURES)).figures.values()
    for title in (figure.title for figure in every):
        assert f"### {title}" in told
    assert f"9 invoices are known, the first since {NOW:%Y-%m-%d}" in told
    assert "2640.00" in told
    assert "A tax has no tax rate in Xero" in told
    assert SECRET not in told


@pytest.mark.slow
def test_it_runs_before_anything_was_read(desk: Desk):
    told = text(executed())
    assert "No invoice was read yet" in told
    assert told.count("Nothing in this period.") == len(FIGURES) - 1  # the summary says that there was nothing


def test_it_is_kept_without_what_it_showed():
    """Somebody's figures do not belong among the sources."""
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
