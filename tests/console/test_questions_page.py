"""Saved questions and SQL: answers, what is wrong and where, saving, and who may see and do what."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from console.components import query_result as page_asking
from console.components.result_chart import figure
from console.desk import questions
from console.desk.desk import Desk
from syncer.domain.errors import WrongUsage
from syncer.reports.saved_questions import Chart, Parameter, Saved
from syncer.storage.analysis.query import QueryResult
from tests.support.pages import NOW, SECRET, Draw, invoice, obeys_the_house_rules, press, seen

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b"
PLAIN = Saved("", "Largest invoices", "The invoices with the largest totals.",
              "SELECT number, total, currency FROM invoices WHERE total >= $least ORDER BY total DESC, number",
              (Parameter("least", "number", "At least", "1000"),))  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An answer is waited for however busy this machine is; nothing is left asking."""
    monkeypatch.setattr(page_asking, "QUICK_S", 20.0)
    yield
    for _, asking in questions._under_way:
        asking.cancel()


def table(at: AppTest) -> list[list[str]]:
    """The cells of the answer, row by row."""
    [html] = [one.value for one in at.html if 'class="cx answer"' in one.value]
    rows = re.findall(r"<tr>(.*?)</tr>", html.replace("\n", " "))
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


def run(at: AppTest, sql: str) -> AppTest:
    at.text_area[0].set_value(sql)
    return press(at, "Run")


# -- the house rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["desk", "working"])
@pytest.mark.parametrize(
    "address", [{}, *({"question": row["id"]} for row in questions.shelf.shipped()), {"question": "x"}]
)
def test_every_question_of_the_product_obeys_the_house_rules(request, draw: Draw, world: str, address):
    """With nothing in the ledger, and in the middle of its work; nobody has to know a code."""
    request.getfixturevalue(world)
    at = draw("questions", **address)
    for one in at.code:
        assert one.language == "sql"
        one.proto.code_text = ""  # SQL is shown to those who open it.
    obeys_the_house_rules(at)


def test_the_page_for_sql_says_what_can_be_asked(working: Desk, draw: Draw):
    """The tables with their columns in words, the limits, and nothing that shouts."""
    at = draw("sql")
    text = seen(at)
    assert not at.exception
    assert len(at.title) == 1
    assert "One row for each CrocoClick invoice, as it stands now." in text
    assert "contact_email text The customer's email on it." in text
    assert "30 seconds and 10,000 rows at most" in text
    assert not re.search(r"\b[Ee]rror\b|\b[Pp]lease\b", text)
    assert SECRET not in text


# -- saved questions --------------------------------------------------------------------------------------------------


def test_a_saved_question_answers_at_once(working: Desk, draw: Draw):
    """In words and money, with a picture."""
    at = draw("questions", question="held")
    head, *rows = table(at)
    assert head == ["Cause", "Currency", "Invoices", "Money", "Oldest"]
    assert [row[:4] for row in rows] == [
        ["Tax unmapped", "EUR", "2", "€2,611.00"], ["Currency not enabled", "USD", "1", "USD 1,320.00"],
    ]  # fmt: skip
    assert at.get("plotly_chart")
    assert "2 rows" in seen(at)


def test_its_parameters_are_controls_and_go_into_the_address(working: Desk, draw: Draw):
    """So that an answer can be sent to somebody."""
    at = draw("questions", question="customer", customer="martin")
    assert {row[1] for row in table(at)[1:]} == {"Martin &amp; Fils"}
    at.text_input(key="given text customer").set_value("STAR")
    press(at, "Answer")
    assert [row[0] for row in table(at)[1:]] == ["FAC-2026-0002"]
    assert at.query_params["customer"] in ("STAR", ["STAR"])
    at.text_input(key="given text customer").set_value("%' OR 1=1 --")
    press(at, "Answer")
    assert "No row fits" in seen(at)


def test_a_parameter_that_cannot_be_is_refused(working: Desk, draw: Draw):
    text = seen(draw("questions", question="unpaid", customers="many"))
    assert "How many customers: 'many' is no number" in text


# -- sql --------------------------------------------------------------------------------------------------------------


def test_an_answer_has_exact_amounts_and_names_as_they_are_in_sql(working: Desk, draw: Draw):
    """Whoever writes SQL needs the codes."""
    much = "12345678901234567.123456::DECIMAL(38,6) AS much"
    sql = f"SELECT number, total, state, issue_date, {much} FROM invoices WHERE number LIKE '%0142'"
    head, row = table(run(draw("sql"), sql))
    assert head == ["number", "total", "state", "issue_date", "much"]
    assert row == ["FAC-2026-0142", "1305.50", "held", "2026-11-21", "12345678901234567.123456"]


def test_a_mistake_is_shown_with_its_place(working: Desk, draw: Draw):
    """In a sentence, with the line and a pointer, and no trace."""
    at = run(draw("sql"), "SELECT number\nFROM invoices\nWHERE stat = 'held'")
    assert at.error[0].value.startswith('Referenced column \\"stat\\" not found in FROM clause\\.')
    pointed = at.code[0].value.splitlines()
    assert pointed[0] == "LINE 3: WHERE stat = 'held'"
    assert pointed[1].index("^") == pointed[0].index("stat")
    at = run(at, "SELEC 1")
    assert "Syntax error near" in seen(at)


def test_more_rows_than_may_be_shown_are_told(working: Desk, draw: Draw):
    """And a page holds a hundred of them."""
    at = run(draw("sql"), "SELECT range AS n FROM range(10001)")
    assert "Only the first 10,000 rows are shown; there are more" in seen(at)
    assert len(table(at)) == 101


def test_what_customers_are_called_is_never_html(working: Desk, draw: Draw):
    at = run(
        draw("sql"), "SELECT contact_name, '<script>x</script>' AS \"<b>\" FROM invoices WHERE number LIKE '%0002'"
    )
    html = " ".join(one.value for one in at.html)
    assert "<script>x" not in html
    assert "&lt;b&gt;Bold&lt;/b&gt;" in html


def test_a_short_question_is_in_the_address_and_runs_only_when_told(working: Desk, draw: Draw):
    """A link that somebody sends shows its text first."""
    at = draw("sql", sql="SELECT 42 AS answer")
    assert at.text_area[0].value == "SELECT 42 AS answer"
    assert "answered in" not in seen(at)
    at = press(at, "Run")
    assert table(at) == [["answer"], ["42"]]
    at = run(at, "SELECT 1 -- " + "x" * 5_000)
    assert "sql" not in at.query_params
    assert table(at) == [["1"], ["1"]]


def test_names_with_a_dollar_become_controls(working: Desk, draw: Draw):
    """Their kind is guessed from the name; run without a value, the page asks for it."""
    at = run(draw("sql"), "SELECT number FROM invoices WHERE number = $which AND issue_date >= $since")
    assert "Say what $which is and give it a value" in " ".join(one.value.replace("\\", "") for one in at.info)
    assert at.date_input[0].label == "Since"
    at.text_input(key="given text which").set_value("FAC-2026-0142")
    at = press(at, "Run")
    assert table(at) == [["number"], ["FAC-2026-0142"]]


def test_an_answer_can_be_saved_for_others_and_changed(working: Desk, draw: Draw):
    """With its controls and its picture; it is found under Questions, is changed, and can be deleted."""
    at = run(
        draw("sql"), "SELECT currency, sum(total) AS money FROM invoices WHERE total > $least GROUP BY ALL ORDER BY 1"
    )
    at.text_input(key="given number least").set_value("100")
    at = press(at, "Run")
    at.text_input(key="title").set_value("Money by currency")
    at.text_input(key="sentence").set_value("How much there is of each.")
    at.selectbox(key="chart kind").set_value("bars")
    assert at.run().get("plotly_chart")
    at = press(at, "Save")
    assert "Saved: Money by currency" in seen(at)
    [kept] = [one for one in working.asking.questions() if not one.is_ours]
    assert kept.parameters == (Parameter("least", "number", "", "100"),)
    assert kept.chart == Chart("bars", "currency", "money")
    at = draw("questions", question=kept.id)
    assert [row[0] for row in table(at)] == ["Currency", "EUR", "USD"]
    at = run(draw("sql", question=kept.id), kept.sql + " DESC")
    at = press(at, "Save")
    changed = working.asking.question(kept.id)
    assert changed.sql.endswith("ORDER BY 1 DESC")
    assert changed.title == "Money by currency"
    at = press(draw("questions", question=kept.id), "Delete it now")
    assert "“Money by currency” was deleted" in seen(at)
    assert working.asking.question(kept.id) is None


def test_a_viewer_asks_and_does_not_save(working: Desk, draw: Draw, monkeypatch: pytest.MonkeyPatch):
    """Neither by the page nor past it."""
    monkeypatch.setattr(Desk, "may", lambda self, what: what != "save_question")
    at = run(draw("sql"), "SELECT 1 AS one")
    assert table(at) == [["one"], ["1"]]
    assert not [one for one in at.button if one.label.startswith("Save")]
    with pytest.raises(WrongUsage, match="not save"):
        working.asking.save(PLAIN)
    with pytest.raises(WrongUsage, match="not save"):
        working.asking.delete(PLAIN)


def test_a_question_of_the_product_stays_as_it_is(working: Desk):
    """What is changed of it becomes another."""
    ours = working.asking.question("held")
    with pytest.raises(WrongUsage, match="stays as it is"):
        working.asking.save(ours, ours)
    id_ = working.asking.save(replace(ours, title="Mine"))
    assert not working.asking.question(id_).is_ours
    assert working.asking.question("held").title == "Why invoices are held"


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_question_that_takes_long_shows_its_seconds_and_can_be_cancelled(
    working: Desk, draw: Draw, monkeypatch: pytest.MonkeyPatch
):
    """And says so."""
    monkeypatch.setattr(page_asking, "QUICK_S", 0.2)
    at = run(draw("sql"), ENDLESS)
    assert [one for one in at.button if one.label == "Cancel"]
    at = press(at, "Cancel")
    assert "The question was stopped" in seen(at)


def test_nobody_asks_more_than_two_at_once(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """And all together no more than three."""
    mine, theirs = working.asking, replace(working.asking, by="ben")
    begun = [mine.begin(ENDLESS, {}), mine.begin(ENDLESS, {})]
    with pytest.raises(WrongUsage, match="2 of your questions"):
        mine.begin("SELECT 1", {})
    begun.append(theirs.begin(ENDLESS, {}))
    with pytest.raises(WrongUsage, match="Others are asking"):
        theirs.begin("SELECT 1", {})
    for asking in begun:
        asking.cancel()
        assert asking.wait(5)
    assert mine.begin("SELECT 1", {}).wait(20)


def test_only_what_a_person_may_see_is_asked(working: Desk):
    """Of every other connection there is not a row; `$connection` is the one that is shown."""
    other = Desk(working.app, "other")
    other.ledger.save_connection(NOW, state="connected")
    other.ledger.see("r", [invoice("o1", "OTHER-1")], NOW)

    def connections(desk: Desk) -> list[str]:
        asking = desk.asking.begin("SELECT DISTINCT connection FROM invoices ORDER BY 1", {})
        assert asking.wait(20)
        return [row[0] for row in asking.answer().rows]

    assert connections(working) == ["default", "other"]
    assert connections(replace(working, name="other", visible=["other"])) == ["other"]
    with pytest.raises(WrongUsage, match="There is no connection named 'default'"):
        connections(replace(working, visible=[]))
    asking = other.asking.begin("SELECT $connection", {"connection": "default"})
    assert asking.wait(20)
    assert asking.answer().rows == [("other",)]


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_a_chart_that_does_not_fit_the_answer_is_left_out():
    """The table says it all the same."""
    answer = QueryResult(["a", "b"], [("x", 1), (None, None)], False, ["VARCHAR", "INTEGER"])
    assert figure(answer, Chart("bars", "a", "b")) is not None
    for chart in (Chart(), Chart("bars", "a", "gone"), Chart("bars", "b", "a"), Chart("line", "a", "b", "gone")):
        assert figure(answer, chart) is None


def test_each_value_of_the_colour_is_a_series_that_hovering_names():
    rows = [("x", "EUR", 1), ("x", "USD", 2), ("y", "EUR", 3)]
    answer = QueryResult(["a", "currency", "n"], rows, False, ["VARCHAR", "VARCHAR", "INTEGER"])
    drawn = figure(answer, Chart("bars", "a", "n", "currency"))
    assert [(one.name, list(one.y)) for one in drawn.data] == [("EUR", [1.0, 3.0]), ("USD", [2.0])]
    assert drawn.data[1].customdata[0] == "x · USD · 2"


def test_a_picture_speaks_in_words_where_the_table_does():
    """Names stay names, codes become words, a month is its name."""
    rows = [(date(2026, 3, 1), "held", "Ada", 1), (date(2026, 3, 1), "synced", "Ada", 2)]
    answer = QueryResult(["month", "state", "who", "n"], rows, False, ["DATE", "VARCHAR", "VARCHAR", "INTEGER"])
    by_state = figure(answer, Chart("bars", "month", "n", "state"), in_words=True)
    assert [one.name for one in by_state.data] == ["Needs action", "In Xero"]
    assert by_state.layout.xaxis.ticktext == ("Mar 2026",)
    assert figure(answer, Chart("bars", "who", "n"), in_words=True).data[0].x == ("Ada", "Ada")
