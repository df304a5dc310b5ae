"""The Reports page over a real ledger: the same numbers on the screen, in the pictures and in every file."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from console.components import report_charts
from console.desk.desk import Desk
from console.desk.installation import installation
from console.pages.reports import VIEWS
from syncer.reports.figures import asked
from syncer.reports.files import FORMATS
from syncer.storage.ledger.ledger import Ledger
from tests.support.pages import NOW, Draw, invoice, obeys_the_house_rules, seen
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_obeys_the_house_rules_with_its_numbers_open(working: Desk, draw: Draw, view: str):
    at = draw("reports", view=view)
    for key in VIEWS[view]:
        at.session_state[f"{key}_numbers"] = True
    text = obeys_the_house_rules(at.run())
    assert "2 invoices" in text
    assert len(at.get("plotly_chart")) == sum(key in report_charts.CHARTS for key in VIEWS[view])
    assert [one.label for one in at.get("download_button")] == ["CSV", "Excel", "Parquet"] * len(VIEWS[view])


@pytest.mark.parametrize("world", ["desk", "connected"])
def test_before_the_first_run_there_is_nothing_to_report(request: pytest.FixtureRequest, draw: Draw, world: str):
    request.getfixturevalue(world)
    assert "There is nothing to report yet" in obeys_the_house_rules(draw("reports"))


def test_the_four_on_top(working: Desk, draw: Draw):
    """A number, its money, and what it was before."""
    text = seen(draw("reports"))
    assert "Synced 2 invoices €2,640.00 Before: 0 invoices" in text
    assert "At the first try 100.0 % 2 of 2 invoices Before: none came" in text
    assert re.search(r"Time to Xero \d+ s median, 95th percentile \d+ s", text)
    assert "Needed a person 3 invoices €2,611.00 USD 1,320.00" in text


def test_numbers_are_those_of_today(working: Desk, draw: Draw):
    """What two pages say of the same seven days is the same."""
    assert "2 created (€2,640.00)" in seen(draw("today"))
    at = draw("reports", period="Last 7 days")
    at.session_state["moved_numbers"] = True
    assert re.search(r"\d+ Nov \d+ created EUR 2 €2,640.00|\d+ \w+ \d+ created EUR 2 €2,640.00", seen(at.run()))


def test_a_period_without_anything_says_so(working: Desk, draw: Draw):
    """The figures are there, each with its sentence; no picture is drawn of nothing."""
    at = draw("reports", **{"period": "Custom range", "from": "2020-01-01", "to": "2020-01-31", "view": "Success"})
    text = obeys_the_house_rules(at)
    assert "1 Jan 2020 to 31 Jan 2020, compared with 1 Dec 2019 to 31 Dec 2019" in text
    assert text.count("Nothing in this period.") == 3
    assert not at.get("plotly_chart")


def test_an_address_says_what_is_counted_and_how(working: Desk, draw: Draw):
    text = seen(draw("reports", period="Last 12 months", by="Week", against="The year before"))
    assert "What went over, by week" in text
    year = NOW.year
    assert f"{year - 1}, compared with" not in text
    assert re.search(rf"\w+ {year}, compared with \d+ \w+ {year - 2}", text)


def test_nonsense_in_an_address_is_the_usual_report(working: Desk, draw: Draw):
    nonsense = {"period": "x", "by": "'; DROP", "view": "y", "from": "z", "against": "w"}
    assert "Synced 2 invoices" in obeys_the_house_rules(draw("reports", **nonsense))


def files(desk: Desk, key: str) -> dict[str, bytes]:
    counted = desk.reports.counted(asked(connections=["default"]), [key])
    return {kind: desk.reports.file(kind, counted.figures[key]) for kind in FORMATS}


def test_every_file_has_the_same_exact_numbers(working: Desk):
    """Columns called as on the screen, money without a float, dates as dates."""
    working.reports.renew(PATIENCE_S)
    written = files(working, "moved")
    (line,) = csv.DictReader(io.StringIO(written["csv"].decode()))
    assert (line["What"], line["Records"], line["Money"]) == ("created", "2", "2640.00")
    table = pq.read_table(io.BytesIO(written["parquet"]))
    (row,) = table.to_pylist()
    assert row["Money"] == Decimal("2640.00") and row["Day"] == NOW.date()
    (head, cells) = openpyxl.load_workbook(io.BytesIO(written["xlsx"])).active.rows
    assert [cell.value for cell in head] == table.column_names == list(line)
    assert [cells[3].value, cells[4].value, cells[4].number_format] == [2, 2640, "#,##0.00####"]
    assert cells[0].is_date


def test_an_empty_table_is_a_file_too(connected: Desk):
    connected.reports.renew()
    assert files(connected, "stopped")["csv"].decode().strip() == "Day,Why,Who acts,Currency,Invoices,Money"


def test_a_formula_in_a_tax_name_stays_text(working: Desk):
    """Whoever names a tax does not calculate in somebody's spreadsheet."""
    from syncer.reports.figure import FigureColumn
    from syncer.reports.files import figure_file

    columns, rows = [FigureColumn("Tax", "text")], [("=1+1",)]
    assert "'=1+1" in figure_file("csv", "taxes", columns, rows).decode()
    (_, (cell,)) = openpyxl.load_workbook(io.BytesIO(figure_file("xlsx", "taxes", columns, rows))).active.rows
    assert (cell.value, cell.data_type) == ("=1+1", "s")


# -- several connections --------------------------------------------------------------------------------------------


@pytest.fixture
def second(working: Desk) -> Desk:
    """Another connection with one invoice, in dollars."""
    ledger = Ledger(working.app.store, "second")
    ledger.save_connection(NOW, state="connected", organisation_name="Another", location_name="Another")
    ledger.see("r2", [invoice("other", "X-1", currency="USD")], NOW)
    return working


def shown(at: AppTest) -> str:
    at.session_state["currencies_numbers"] = True
    return seen(at.run())


def test_one_connection_at_a_time_or_all_together(second: Desk, draw: Draw):
    """Each for itself at first; together when asked."""
    day = f"{NOW:%Y}-11-21"
    own = {"period": "Custom range", "from": day, "to": day, "view": "Breakdown"}
    assert "USD Waiting" not in shown(draw("reports", **own))
    together = shown(draw("reports", **own, all="true"))
    assert "USD Waiting 1 USD 1,320.00" in together
    assert "EUR In Xero 2 €2,640.00" in together


def test_nobody_counts_what_he_may_not_see(second: Desk):
    """Neither the chosen connection, where that is not his, nor together."""
    desk = Desk(second.app, "default", visible=["second"])
    assert desk.reports.names == ("second",)
    desk.reports.renew()
    counted = desk.reports.counted(asked(connections=desk.reports.names), ["currencies"])
    assert counted.invoices == 1


def test_a_connection_that_is_not_his_has_no_report(second: Desk):
    def page() -> None:
        from console.desk.desk import Desk
        from console.desk.installation import installation
        from console.pages import reports

        reports.show(Desk(installation(), "default", visible=["second"]))

    at = AppTest.from_function(page, default_timeout=PATIENCE_S).run()
    assert not at.exception
    assert "There is nothing to report yet" in seen(at)
    assert "2,640" not in seen(at)


# -- the copy ---------------------------------------------------------------------------------------------------------


def test_figures_follow_the_ledger(working: Desk, draw: Draw):
    """A small ledger is copied while the page waits for a moment."""
    assert "As the ledger is now." in seen(draw("reports"))
    working.ledger.see("r", [invoice("late", "A-9")], NOW)
    installation().analysis.refresh()
    assert working.reports.counted(asked(connections=["default"]), []).invoices == 10


def test_a_page_does_not_wait_for_a_large_copy(working: Desk, draw: Draw):
    """It shows what it has and says how old that is."""
    working.reports.renew(PATIENCE_S)
    working.ledger.see("r", [invoice("late", "A-9")], NOW)
    analysis = installation().analysis
    with analysis._lock.held_alone(5):  # because: another process that renews the copy holds it so
        text = seen(draw("reports"))
        assert re.search(r"Figures of a moment ago ?\. Newer ones are being gathered\.", text)
        assert "Synced 2 invoices" in text
    working.reports.renew(PATIENCE_S)
    assert working.reports.is_current()


def test_a_copy_that_takes_long_is_not_made_without_a_pause(working: Desk, monkeypatch: pytest.MonkeyPatch):
    """While a sync works the ledger moves all the time."""
    from console.desk import reports as reports_desk

    monkeypatch.setattr(reports_desk, "LARGE", 1)
    working.reports.renew(PATIENCE_S)
    working.ledger.see("r", [invoice("late", "A-9")], NOW)
    Desk(working.app).reports.renew(PATIENCE_S)
    assert not working.reports.is_current()
    Desk(working.app, now=working.now + timedelta(minutes=10)).reports.renew(PATIENCE_S)
    assert working.reports.is_current()


def test_what_was_counted_is_kept_while_the_copy_stands(working: Desk):
    """The second look asks no database."""
    working.reports.renew(PATIENCE_S)
    question = asked(connections=["default"])
    first = working.reports.counted(question, ["moved"])
    assert working.reports.counted(question, ["moved"]).figures["moved"] is first.figures["moved"]
    working.ledger.see("r", [invoice("late", "A-9")], NOW)
    working.app.analysis.refresh()
    assert working.reports.counted(question, ["moved"]).figures["moved"] is not first.figures["moved"]


# -- pictures -------------------------------------------------------------------------------------------------------


def test_pictures_tell_the_day_the_number_and_the_money(working: Desk):
    """What hovering says is what the table says."""
    working.reports.renew(PATIENCE_S)
    question = asked(connections=["default"])
    figure = working.reports.counted(question, ["moved"]).figures["moved"]
    picture = report_charts.chart(figure, question.period.starts("day"), "day")
    assert picture is not None
    (bar,) = picture.data
    assert list(bar.y) == [2]
    assert bar.customdata[0].endswith(f"{NOW.year}: 2 created, €2,640.00")


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7200, "2 h"), (273_600, "3 d 4 h")]
)
def test_a_duration_in_two_units(seconds: int, told: str):
    assert report_charts.lasted(seconds) == told


@pytest.mark.parametrize(("number", "told"), [(812, "812 B"), (41_300, "41.3 kB"), (1_200_000_000, "1.2 GB")])
def test_bytes_in_the_unit_that_matters(number: int, told: str):
    assert report_charts.size(number) == told
