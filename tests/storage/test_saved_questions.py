"""Saved questions: what may be saved, what their parameters mean, and that those of the product answer."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import openpyxl
import pyarrow.parquet as pq
import pytest

from syncer.domain.errors import WrongUsage
from syncer.reports import saved_questions
from syncer.reports.files import answer_file
from syncer.reports.saved_questions import Chart, Parameter, Saved
from syncer.storage.analysis.copy import Analysis
from syncer.storage.analysis.query import QueryResult
from syncer.storage.database.store import Store
from syncer.storage.ledger import saved_questions as shelf
from tests.support.ledger_rows import NOON, fill

TODAY = date(2026, 3, 15)
PLAIN = Saved("q1", "Held", "What is held.", "SELECT 1")


def test_parameters_are_found_where_they_are_meant():
    """Not in texts, quoted names and remarks; `$connection` needs no control."""
    sql = """SELECT '$a', "$b", $$ $c $$, $x$ $d $x$ -- $e
        /* $f */ FROM t WHERE day >= $since AND name = $Name AND connection = $connection AND $since > 1"""
    assert saved_questions.parameters_in(sql) == ["since", "name"]


@pytest.mark.parametrize(
    ("default", "told"),
    [("today", "2026-03-15"), ("30 days ago", "2026-02-13"), ("1 day ago", "2026-03-14"), ("this month", "2026-03-01"),
     ("this year", "2026-01-01"), ("2025-12-24", "2025-12-24"), ("", "")],
)  # fmt: skip
def test_a_default_date_may_be_relative(default, told):
    assert saved_questions.default(Parameter("since", "date", default=default), TODAY) == told


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [("date", "2026-02-28", date(2026, 2, 28)), ("date", "", None), ("number", "30", 30), ("number", "1e2", 100),
     ("number", " 0.10 ", Decimal("0.10")), ("number", "", None), ("text", " as typed ", " as typed "),
     ("text", "", ""), ("choice", "xero", "xero"), ("choice", "", None)],
)  # fmt: skip
def test_what_is_given_becomes_what_it_means(kind, given, value):
    found = saved_questions.value(Parameter("p", kind, choices=("xero", "crococlick")), given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given", "why"),
    [("date", "28.2.2026", "no date"), ("date", "2026-02-30", "no date"), ("number", "many", "no number"),
     ("number", "NaN", "no number"), ("number", "1e99", "no number"), ("choice", "bank", "choose one of"),
     ("text", "x" * 501, "500 characters")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_name_of_the_control(kind, given, why):
    with pytest.raises(WrongUsage, match=f"^Which one: .*{why}"):
        saved_questions.value(Parameter("p", kind, "Which one", choices=("xero",)), given)


def test_what_is_saved_is_tidied():
    """Trimmed, with the parameters of its text and no others, and a chart only where it is whole."""
    question = Saved(
        "q1", " Held ", " What is held. ", " SELECT $day, $more ",
        (Parameter("gone"), Parameter("day", "date", " Day ", " today ")), Chart("bars", "x", ""),
    )  # fmt: skip
    found = saved_questions.checked(question)
    assert (found.title, found.sentence, found.sql) == ("Held", "What is held.", "SELECT $day, $more")
    assert found.parameters == (Parameter("day", "date", "Day", "today"), Parameter("more"))
    assert found.chart == Chart()


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Saved("q", "", "x", "SELECT 1"), "needs a title"),
        (Saved("q", "x", " ", "SELECT 1"), "a sentence"),
        (Saved("q", "x" * 81, "x", "SELECT 1"), "longer than 80"),
        (Saved("q", "x", "x", "SELECT " + "1" * 20_000), "longer than 20,000"),
        (Saved("q", "x", "x", "SELECT $sql"), "is taken"),
        (Saved("q", "x", "x", f"SELECT ${'x' * 40}"), "short word"),
        (Saved("q", "x", "x", "SELECT " + ",".join(f"$a{n}" for n in range(11))), "10 parameters"),
        (Saved("q", "x", "x", "SELECT $a", (Parameter("a", "choice"),)), "something to choose from"),
        (Saved("q", "x", "x", "SELECT $a", (Parameter("a", "date", default="soon"),)), "no date"),
        (Saved("q", "x", "x", "SELECT $a", (Parameter("a", "colour"),)), "no kind"),
        (Saved("q", "x", "x", "SELECT 1", (), Chart("pie", "a", "b")), "no chart"),
    ],
)
def test_what_cannot_be_saved_says_why(question, why):
    with pytest.raises(WrongUsage, match=why):
        saved_questions.checked(question)


# -- the shelf --------------------------------------------------------------------------------------------------------


def test_a_question_comes_back_as_it_was_saved(store):
    """With who made it, whoever changed it later, and both in the audit trail."""
    question = Saved(
        "q1",
        "Été",
        "L'été.",
        "SELECT $a",
        (Parameter("a", "choice", "A", "x", ("x", "y")),),
        Chart("line", "a", "b", "c"),
    )
    shelf.keep(store, saved_questions.as_row(question), "anna", NOON)
    [found] = map(saved_questions.from_row, shelf.kept(store))
    assert found == replace(question, made_by="anna", changed_at=NOON, changed_by="anna")
    later = NOON + timedelta(days=1)
    shelf.keep(store, {**saved_questions.as_row(found), "title": "Hiver"}, "ben", later, found.changed_at)
    [found] = map(saved_questions.from_row, shelf.kept(store))
    assert (found.title, found.made_by, found.changed_by, found.changed_at) == ("Hiver", "anna", "ben", later)
    shelf.delete(store, "q1", "ben", later)
    shelf.delete(store, "q1", "ben", later)
    assert shelf.kept(store) == []
    trail = store.read(
        lambda reader: reader.rows("SELECT what, subject, by_whom, before, after FROM audit ORDER BY id")
    )
    assert [(row["what"], row["subject"], row["by_whom"]) for row in trail] == [
        ("question_saved", "q1", "anna"), ("question_saved", "q1", "ben"), ("question_removed", "q1", "ben"),
    ]  # fmt: skip
    assert [("Été" in (row["before"] or ""), "Hiver" in (row["after"] or "")) for row in trail] == [
        (False, False), (True, True), (False, False),
    ]  # fmt: skip


def test_nobody_saves_over_what_somebody_else_has_changed_meanwhile(store):
    """Neither over a deletion."""
    row = saved_questions.as_row(PLAIN)
    shelf.keep(store, row, "anna", NOON)
    shelf.keep(store, row, "ben", NOON + timedelta(seconds=1), NOON)
    with pytest.raises(WrongUsage, match="ben has changed it meanwhile"):
        shelf.keep(store, row, "anna", NOON + timedelta(seconds=2), NOON)
    shelf.delete(store, "q1", "ben", NOON)
    with pytest.raises(WrongUsage, match="somebody has deleted it"):
        shelf.keep(store, row, "anna", NOON, NOON)


# -- those of the product ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Analysis:
    folder = tmp_path_factory.mktemp("data")
    store = Store(folder / "ledger.duckdb")
    fill(store, range(1, 11))
    return Analysis(store, folder / "analysis.duckdb")


@pytest.mark.parametrize("row", shelf.shipped(), ids=lambda row: row["id"])
def test_every_question_of_the_product_can_be_saved_and_answers(filled, row):
    """With the values it begins with, the columns of its chart among those it answers with."""
    parameters = tuple(saved_questions.parameter(one) for one in row.get("parameters", ()))
    chart = Chart(**row.get("chart", {}))
    question = saved_questions.checked(Saved(row["id"], row["title"], row["sentence"], row["sql"], parameters, chart))
    assert question.parameters == parameters
    values = saved_questions.values(parameters, {}, datetime.now(UTC).date())
    answer = filled.ask(question.sql, values={**values, "connection": "default"})
    assert {chart.x, chart.y, chart.colour} - {""} <= set(answer.columns)


# -- an answer as a file ----------------------------------------------------------------------------------------------

ANSWER = QueryResult(
    ["name", "currency", "total", "at", "day", "many", "list", "name"],
    [("=1+1", "EUR", Decimal("1234567890123456.120000"), NOON, date(2026, 3, 1), 3, [1, None], None)],
    False,
    ["VARCHAR", "VARCHAR", "DECIMAL(24,6)", "TIMESTAMP", "DATE", "HUGEINT", "INTEGER[]", "VARCHAR"],
)


def test_an_answer_as_csv_is_what_an_export_writes():
    """Amounts with the decimals of their currency, nothing that a spreadsheet would calculate."""
    head, row = answer_file("csv", ANSWER).decode("utf-8-sig").splitlines()
    assert head == "name,currency,total,at,day,many,list,name"
    assert row.startswith(f"'=1+1,EUR,1234567890123456.12,{NOON:%Y-%m-%dT%H:%M:%S}Z,2026-03-01,3,")


def test_an_answer_as_parquet_is_exact():
    """Decimals stay decimals, times know their zone, two columns of one name are told apart."""
    table = pq.read_table(io.BytesIO(answer_file("parquet", ANSWER)))
    assert table.column_names[-1] == "name_2"
    [row] = table.to_pylist()
    assert row["total"] == Decimal("1234567890123456.120000")
    assert row["at"] == NOON
    assert row["many"] == 3
    assert pq.read_table(io.BytesIO(answer_file("parquet", QueryResult(["a"], [], False, ["DATE"])))).num_rows == 0


def test_an_answer_as_a_spreadsheet_is_text_where_it_is_text():
    head, row = openpyxl.load_workbook(io.BytesIO(answer_file("xlsx", ANSWER))).active.iter_rows()
    assert [cell.value for cell in head] == ANSWER.columns
    assert (row[0].value, row[0].data_type) == ("=1+1", "s")
    assert row[3].value == NOON.replace(tzinfo=None)
