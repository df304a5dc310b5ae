"""Exports: whole files, exact amounts, and nothing that a spreadsheet would run."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from syncer.domain.errors import WrongUsage
from syncer.reports import files
from syncer.reports import table_export as export_module
from syncer.reports.files import as_text, write_csv
from syncer.reports.table_export import export
from syncer.storage.analysis.copy import VIEWS, Analysis
from syncer.storage.database.store import queries
from tests.support.ledger_rows import NOON, attempt_columns, call_columns, invoice_columns

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://evil","x")', "\t=1", "\r=1"]
# As a spreadsheet looks at a cell: blanks, control characters and marks without width do not count.
FORMULA = re.compile(r"[\s\x00-\x20\u200b\ufeff\"]*[=+\-@＝＋－＠]")
CALMED = ["'=1+1", "'+1", "'-1", "'@SUM(A1)", '\'=HYPERLINK("http://evil","x")', "'\t'=1", "'\r'=1"]
SUFFIXES = [".csv", ".parquet", ".xlsx"]


@pytest.fixture
def analysis(store, tmp_path) -> Analysis:
    return Analysis(store, tmp_path / "analysis.duckdb")


def with_names(store, names, **given):
    columns = {**invoice_columns(range(1, len(names) + 1), **given), "contact_name": names}
    store.transaction(lambda tx: tx.insert("invoice", columns))


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_xlsx(path):
    head, *rows = load_workbook(path).active.iter_rows()
    return [{name.value: cell for name, cell in zip(head, row, strict=True)} for row in rows]


TABLES = list(queries(VIEWS))


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_goes_to_every_format_and_says_how_many_rows(analysis, store, tmp_path, kind, suffix):
    """Also where there are none: a file with its columns' names."""
    begun, ended = attempt_columns([1, 2])
    store.transaction(lambda tx: (tx.insert("attempt", begun), tx.insert("attempt_end", ended)))
    store.transaction(lambda tx: tx.insert("call", call_columns([1, 2, 3])))
    with_names(store, ["Ada"])
    to = tmp_path / f"out{suffix}"
    assert set(TABLES) >= {"runs", "attempts", "invoices", "contacts", "duplicates", "calls", "checks"}
    [[expected]] = analysis.ask(f"SELECT count(*) FROM {kind}").rows
    assert expected or kind not in ("attempts", "invoices", "calls")
    assert export(analysis, kind, to) == expected
    found = {".csv": read_csv, ".xlsx": read_xlsx, ".parquet": lambda path: pq.read_table(path).to_pylist()}[suffix](to)
    assert len(found) == expected
    assert all(row.keys() >= {"connection"} for row in found)
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_a_csv_says_money_in_its_currency_and_times_in_utc(analysis, store, tmp_path):
    """Plain digits, ISO times with Z, empty for nothing."""
    with_names(store, ['Zoë 日本, "Ltd"\nLine'], currency="JPY", tax=Decimal("12.500000"))
    export(analysis, "invoices", tmp_path / "out.csv")
    [row] = read_csv(tmp_path / "out.csv")
    assert row["contact_name"] == 'Zoë 日本, "Ltd"\nLine'
    assert (row["tax"], row["total"], row["amount_paid"]) == ("12.5", "1.01", "0")
    assert (row["seen_at"], row["issue_date"], row["retry_at"], row["live"]) == (
        "2025-03-31T12:00:00Z",
        "2025-03-01",
        "",
        "true",
    )


def test_parquet_is_exact(analysis, store, tmp_path):
    """Decimals stay decimals, times know their zone, and text is as it was, whatever it begins with."""
    with_names(store, HOSTILE, tax=Decimal("0.000001"))
    export(analysis, "invoices", tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["contact_name"] for row in rows] == HOSTILE
    assert rows[0]["tax"] == Decimal("0.000001")
    assert rows[0]["seen_at"] == NOON
    assert rows[0]["seen_at"].utcoffset().total_seconds() == 0


def test_a_spreadsheet_has_numbers_dates_and_no_formula(analysis, store, tmp_path):
    """Whatever a customer calls himself stays text; amounts can be summed, times can be sorted."""
    with_names(store, HOSTILE, tax=Decimal("12.34"))
    export(analysis, "invoices", tmp_path / "out.xlsx")
    rows = read_xlsx(tmp_path / "out.xlsx")
    assert [row["contact_name"].data_type for row in rows] == ["s"] * len(HOSTILE)
    assert [row["contact_name"].value for row in rows][:5] == HOSTILE[:5]
    assert all(row["contact_name"].quotePrefix for row in rows)
    with ZipFile(tmp_path / "out.xlsx") as book:
        assert not any(b"<f>" in book.read(name) for name in book.namelist())
    first = rows[0]
    assert (first["tax"].value, first["tax"].data_type) == (12.34, "n")
    assert first["seen_at"].value == datetime(2025, 3, 31, 12)  # noqa: DTZ001 - a spreadsheet knows no zones
    assert "UTC" in first["seen_at"].number_format
    assert first["issue_date"].value.date() == date(2025, 3, 1)


def test_a_csv_that_a_spreadsheet_opens_runs_nothing(analysis, store, tmp_path):
    """Text that would be calculated has an apostrophe before it; negative amounts stay numbers."""
    with_names(store, [*HOSTILE, "plain"], tax=Decimal("-1.5"))
    export(analysis, "invoices", tmp_path / "out.csv")
    rows = read_csv(tmp_path / "out.csv")
    assert [row["contact_name"] for row in rows] == [*CALMED, "plain"]
    assert {row["tax"] for row in rows} == {"-1.50"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(name=st.text(st.sampled_from("=+-@＝＋－＠;\t\r\n \x0b\xa0\u200b\ufeff\"',|aé"), max_size=12))
@example(name="Dupont;=cmd|' /C calc'!A0;")
@example(name='x;"=1')
@example(name="\n=1")
def test_nothing_is_calculated_wherever_a_csv_is_cut(separator: str, name: str):
    """Many European spreadsheets cut at `;`, others at tabs: no cell begins with a sign that calculates."""
    file = io.StringIO(newline="")
    write_csv(file, ["id", "name"], [["x", name], ["y", name]])
    cells = [cell for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=separator) for cell in row]
    assert not [cell for cell in cells if FORMULA.match(cell)]


def test_a_name_of_tabs_alone_is_written_at_once():
    """The guard looks at each letter once."""
    assert as_text("\t" * 200_000 + "=1", "").endswith("\t'=1")


def test_text_that_a_spreadsheet_cannot_hold_does_not_stop_the_export(analysis, store, tmp_path):
    """Control characters become a mark, and a text that is too long is cut."""
    with_names(store, ["a\0b\x0bc", "x" * 40_000])
    assert export(analysis, "invoices", tmp_path / "out.xlsx") == 2
    names = [row["contact_name"].value for row in read_xlsx(tmp_path / "out.xlsx")]
    assert names[0] == "a\ufffdb\ufffdc"
    assert len(names[1]) == 32_767


def test_only_the_connections_asked_for_are_exported(analysis, store, tmp_path):
    """Who may see one connection exports one."""
    with_names(store, ["Ada"])
    with_names(store, ["Bob"], connection="second")
    assert export(analysis, "invoices", tmp_path / "out.csv", ["second"]) == 1
    assert [row["contact_name"] for row in read_csv(tmp_path / "out.csv")] == ["Bob"]


def test_a_second_export_replaces_the_first_whole(analysis, store, tmp_path):
    """The newest rows, in place at once."""
    with_names(store, ["Ada"])
    export(analysis, "invoices", tmp_path / "OUT.CSV")
    with_names(store, ["Bob"], connection="second")
    assert export(analysis, "invoices", tmp_path / "OUT.CSV") == 2
    assert len(read_csv(tmp_path / "OUT.CSV")) == 2


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("tokens", "out.csv", f"choose one of {', '.join(TABLES)}"),
        ("invoices; DROP TABLE runs", "out.csv", "nothing called"),
        ("sqlite_master", "out.csv", "nothing called"),
        ("invoices", "out.xls", ".csv, .parquet or .xlsx"),
        ("invoices", "out", ".csv, .parquet or .xlsx"),
        ("invoices", "nowhere/out.csv", "no folder"),
        ("invoices", "folder.csv", "is a folder"),
    ],
)
def test_what_cannot_be_exported_is_said_with_what_can(analysis, tmp_path, kind, name, why):
    """Nothing is written, and the sentence tells the choices."""
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WrongUsage) as refusal:
        export(analysis, kind, tmp_path / name)
    assert why in refusal.value.sentence
    assert sorted(tmp_path.rglob("*")) == before


def test_more_rows_than_a_spreadsheet_holds_are_refused(analysis, store, tmp_path, monkeypatch):
    """Rather no file than one that ends in the middle; the old one stays."""
    with_names(store, ["Ada", "Bob", "Cy"])
    (tmp_path / "out.xlsx").write_bytes(b"the old one")
    monkeypatch.setattr(export_module, "XLSX_ROWS", 2)
    with pytest.raises(WrongUsage, match="3 rows and a spreadsheet holds 2"):
        export(analysis, "invoices", tmp_path / "out.xlsx")
    assert (tmp_path / "out.xlsx").read_bytes() == b"the old one"
    assert export(analysis, "invoices", tmp_path / "out.csv") == 3


def test_a_failure_half_way_leaves_the_old_file(analysis, store, tmp_path, monkeypatch):
    """A full disk costs the new file, not the old one."""
    with_names(store, ["Ada"])
    (tmp_path / "out.csv").write_text("the old one")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "as_text", full)
    with pytest.raises(WrongUsage, match="No space left"):
        export(analysis, "invoices", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "the old one"
    assert not list(tmp_path.glob(".*.part"))


def test_times_are_those_of_the_ledger(analysis, store, tmp_path):
    """A moment written in another zone is exported in UTC."""
    with_names(store, ["Ada"], seen_at=datetime.fromisoformat("2025-06-30T23:30:00-05:00"))
    export(analysis, "invoices", tmp_path / "out.csv")
    export(analysis, "invoices", tmp_path / "out.parquet")
    assert read_csv(tmp_path / "out.csv")[0]["seen_at"] == "2025-07-01T04:30:00Z"
    [row] = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert row["seen_at"] == datetime(2025, 7, 1, 4, 30, tzinfo=UTC)
