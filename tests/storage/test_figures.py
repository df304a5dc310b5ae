"""The figures of reports and notebook: each number from rows that are known one by one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import syncer
from syncer.domain.model.problems import CAUSES
from syncer.domain.period import Period
from syncer.reports.figures import FIGURES, FigureReport, asked, cause_name, share
from syncer.storage.analysis.copy import Analysis, open_analysis
from syncer.storage.database.store import Store, Tx
from tests.support.ledger_rows import VAT5, VAT20, attempt_columns, call_columns, content, invoice_columns

PARIS = ZoneInfo("Europe/Paris")
OCTOBER, SEPTEMBER = Period(date(2026, 10, 1), date(2026, 10, 31)), Period(date(2026, 9, 1), date(2026, 9, 30))


def at(*when: int) -> datetime:
    return datetime(2026, *when, tzinfo=UTC)


# Tries in the order of their ids: invoice, kind, action, outcome, when it ended, what was expected.
TRIES = [
    ("i1", "invoice", "create", "created", at(9, 10, 12), "{}"),
    ("i2", "invoice", "create", "refused", at(10, 1, 8), "{}"),
    ("i2", "invoice", "create", "created", at(10, 1, 9), '{"total": "2.01"}'),
    # In Paris it is the 25th already, on which the clocks are put back.
    ("i3", "invoice", "create", "created", at(10, 24, 22, 30), "{}"),
    # 23:30 in Paris by winter time: still the 31st.
    ("i4", "invoice", "create", "found", at(10, 31, 22, 30), "{}"),
    ("i3", "invoice", "update", "updated", at(10, 26, 9), '{"total": "5.00"}'),
    ("p3", "payment", "create", "paid", at(10, 27, 9), '{"owner": "i3", "amount": "1.50"}'),
    ("i5", "invoice", "create", "created", at(10, 31, 23, 30), "{}"),  # November in Paris
    ("x", "invoice", "create", "created", at(10, 2), "{}"),  # of another connection
]
PROBLEMS = [
    ("i2", "held", "tax_unmapped", at(10, 1, 7)),
    ("i2", "held", "tax_unmapped", at(10, 1, 7, 30)),
    ("i2", "refused", "period_locked", at(10, 1, 8)),
    ("i3", "retrying", "xero_unavailable", at(10, 24, 22)),
]


def fill(tx: Tx) -> None:
    """Five invoices of one connection, one of another."""
    ours = invoice_columns(range(1, 6), issue_date=date(2026, 10, 5), first_seen_at=at(10, 1, 7))
    ours |= {"currency": ["EUR", "EUR", "JPY", "EUR", "EUR"], "state": ["synced"] * 4 + ["held"]}
    ours["total"] = [Decimal(text) for text in ("1.01", "2.01", "300", "4.01", "5.01")]
    ours["first_seen_at"] = [at(9, 10, 11), at(10, 1, 7), at(10, 24, 22), at(10, 31, 22), at(10, 31, 23)]
    tx.insert("invoice", ours)
    other = invoice_columns([9], "other", issue_date=date(2026, 10, 5))
    tx.insert("invoice", {**other, "source_id": ["x"]})
    begun, ended = attempt_columns(range(1, len(TRIES) + 1))
    begun["connection"][-1] = ended["connection"][-1] = "other"
    columns = list(zip(*TRIES, strict=True))
    begun |= dict(zip(("source_id", "kind", "action"), map(list, columns), strict=False))
    begun["expected"] = list(columns[5])
    tx.insert("attempt", begun)
    tx.insert("attempt_end", {**ended, "outcome": list(columns[3]), "ended_at": list(columns[4])})
    ids, whats, causes, whens = (list(column) for column in zip(*PROBLEMS, strict=True))
    size = len(PROBLEMS)
    tx.insert("history", {
        "id": list(range(1, size + 1)), "connection": ["default"] * size, "run_id": ["r1"] * size,
        "kind": ["invoice"] * size, "source_id": ids, "happened_at": whens, "what": whats, "cause": causes,
        "by_whom": ["sync"] * size,
    })  # fmt: skip
    calls = call_columns(range(1, 6), made_at=at(10, 2), status=200)
    calls |= {"side": ["xero", "xero", "crococlick", "xero_login", "xero"], "status": [200, 503, 200, 200, None]}
    calls |= {"day_left": [999, 998, None, None, None], "bytes_sent": [10, 20, 30, 40, 50]}
    calls["made_at"][4] = at(10, 3)
    tx.insert("call", calls)
    tx.insert("invoice_content", {
        "connection": ["default"] * 2, "source_id": ["i1", "i2"], "fingerprint": ["f0"] * 2,
        "content": [
            written(("1", "10", [VAT20], False), ("2", "0.335", [VAT5], True)), written(("1", "5", [VAT20], False)),
        ],
    })  # fmt: skip


def written(*lines: Any) -> str:
    return content(*lines).replace('"GBP", null', '"EUR", "2026-10-05"')


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = tmp_path_factory.mktemp("figures")
    store = Store(folder / "ledger.duckdb")
    store.transaction(fill)
    analysis = Analysis(store, folder / "analysis.duckdb")
    analysis.refresh()
    return analysis


@pytest.fixture
def october(copy: Analysis) -> Iterator[FigureReport]:
    """October in Paris, by day, of one connection."""
    with closing(open_analysis(copy.path)) as connection:
        yield FigureReport(connection, asked(OCTOBER, zone=PARIS, by="day", connections=["default"]))


def rows(report: FigureReport, key: str) -> list[tuple[Any, ...]]:
    return list(report.figure(key).rows)


def test_what_went_over_lies_on_the_readers_days(october):
    """Also across the change of the clocks; of another connection there is nothing."""
    assert rows(october, "moved") == [
        (date(2026, 10, 1), "created", "EUR", 1, Decimal("2.01")),
        (date(2026, 10, 25), "created", "JPY", 1, Decimal(300)),
        (date(2026, 10, 26), "updated", "JPY", 1, Decimal(5)),
        (date(2026, 10, 27), "paid", "JPY", 1, Decimal(2)),
        (date(2026, 10, 31), "created", "EUR", 1, Decimal("4.01")),
    ]


def test_weeks_and_months_begin_no_earlier_than_the_period(copy):
    with closing(open_analysis(copy.path)) as connection:
        weeks = FigureReport(connection, asked(OCTOBER, zone=PARIS, by="week", connections=["default"]))
        assert {row[0] for row in rows(weeks, "moved")} == {date(2026, 10, 1), date(2026, 10, 19), date(2026, 10, 26)}
        months = FigureReport(connection, asked(Period(date(2026, 9, 5), date(2026, 10, 31)), zone=PARIS, by="month"))
        assert {row[0] for row in rows(months, "money")} == {date(2026, 9, 5), date(2026, 10, 1)}


def test_money_is_exact_and_has_the_decimals_of_its_currency(october):
    """Never a float, neither here nor in the frame."""
    frame = october.figure("money").frame()
    assert list(frame["Money"]) == [Decimal("2.01"), Decimal(300), Decimal("4.01")]
    assert {str(amount) for amount in frame["Money"]} == {"2.01", "300", "4.01"}


def test_the_four_on_top_and_what_they_were_before(october):
    brought, first_try, took, needed = october.headlines()
    assert (brought.now, brought.before) == (3, 1)
    assert brought.money == {"EUR": Decimal("6.02"), "JPY": Decimal(300)}
    assert brought.money_before == {"EUR": Decimal("1.01")}
    assert (first_try.now, first_try.before, first_try.more) == (Decimal("66.6"), Decimal("100.0"), (2, 3))
    assert (took.now, took.more, took.before) == (1800, 7200, 3600)
    assert (needed.now, needed.before, needed.money) == (1, 0, {"EUR": Decimal("2.01")})


def test_two_periods_lie_beside_each_other_from_their_first_days(october):
    """Every place is there, of each currency that either of them has."""
    found = rows(october, "compared")
    assert len(found) == 31 * 2
    assert found[0] == (1, date(2026, 10, 1), date(2026, 9, 1), "EUR", 1, Decimal("2.01"), 0, 0)
    assert found[18] == (10, date(2026, 10, 10), date(2026, 9, 10), "EUR", 0, 0, 1, Decimal("1.01"))
    assert found[-1][:3] == (31, date(2026, 10, 31), None)


def test_weeks_are_compared_seven_days_at_a_time(copy):
    """Calendar weeks of two periods do not lie alike."""
    with closing(open_analysis(copy.path)) as connection:
        report = FigureReport(connection, asked(OCTOBER, zone=PARIS, by="week", connections=["default"]))
        euros = [row for row in rows(report, "compared") if row[3] == "EUR"]
    assert [(row[0], row[4], row[6]) for row in euros] == [(1, 1, 0), (2, 0, 1), (3, 0, 0), (4, 0, 0), (5, 1, 0)]


def test_the_summary_has_each_measure_of_both(october):
    found = {(name, unit): (now, before, change) for name, unit, now, before, change in rows(october, "summary")}
    assert found["Invoices brought over", "invoices"] == (3, 1, 2)
    assert found["Money of invoices brought over", "JPY"] == (300, 0, 300)
    assert found["At the first try", "%"] == (Decimal("66.6"), Decimal(100), Decimal("-33.4"))
    assert found["Records paid", "records"] == (1, 0, 1)
    assert found["Calls to Xero", "calls"] == (3, 0, 3)


def test_why_invoices_did_not_go(october):
    """The same reason twice a day counts once."""
    assert rows(october, "stopped") == [
        (date(2026, 10, 1), "The period is locked in Xero", "needs action", "EUR", 1, Decimal("2.01")),
        (date(2026, 10, 1), "A tax has no tax rate in Xero", "needs action", "EUR", 1, Decimal("2.01")),
        (date(2026, 10, 25), "Xero did not answer", "retrying automatically", "JPY", 1, Decimal(300)),
    ]


def test_calls_beside_what_xero_allows(october):
    """A day on which Xero said nothing of what is left has no share."""
    assert rows(october, "called") == [
        (date(2026, 10, 2), 2, 1000, Decimal("0.2"), 1, 1, 1), (date(2026, 10, 3), 1, None, None, 0, 0, 1),
    ]  # fmt: skip
    assert rows(october, "bytes")[0] == (date(2026, 10, 2), 30, 2000, 30, 1000)


def test_what_was_issued_by_currency_status_and_tax(october):
    """By the date on the invoice; a half cent is rounded once, in the sum."""
    assert rows(october, "currencies") == [
        ("EUR", "Needs action", 1, Decimal("5.01")), ("EUR", "In Xero", 3, Decimal("7.03")),
        ("JPY", "In Xero", 1, Decimal(300)),
    ]  # fmt: skip
    assert sum(row[3] for row in rows(october, "statuses")) == 5
    assert rows(october, "taxes") == [
        ("VAT 20 %", "20%", "without tax", "EUR", 2, 2, Decimal("15.00")),
        ("VAT 5 %", "5%", "with tax", "EUR", 1, 1, Decimal("0.67")),
    ]


def test_nothing_at_all_is_no_failure(tmp_path):
    """An empty ledger has every figure, without rows."""
    store = Store(tmp_path / "ledger.duckdb")
    analysis = Analysis(store, tmp_path / "analysis.duckdb")
    store.transaction(lambda tx: None)
    with closing(analysis.open()) as connection:
        report = FigureReport(connection, asked())
        assert report.size() == (0, None)
        assert [one.now for one in report.headlines()] == [0, None, None, 0]
        for figure in report.figures():
            assert list(figure.frame().columns) == figure.names
            assert figure.key == "summary" or not figure.rows


def test_every_cause_has_a_name_without_names():
    """No sentence with a gap where a name should be."""
    for code in CAUSES:
        told = cause_name(code)
        assert "None" not in told and "the customer the customer" not in told and "_" not in told, code


def test_a_share_is_never_whole_while_something_is_missing():
    assert share(9999, 10_000) == Decimal("99.9")
    assert share(3, 3) == Decimal(100)
    assert share(0, 0) is share(1, None) is None


def test_figures_have_keys_of_their_own(october):
    assert [figure.key for figure in october.figures()] == list(FIGURES)


def test_a_report_opens_what_the_settings_say(monkeypatch, tmp_path):
    """What a script needs is one line."""
    monkeypatch.setenv("SYNCER_DATA_DIR", str(tmp_path))
    assert {figure.key for figure in syncer.open_report(asked("Last 7 days"))} == set(FIGURES)


def test_an_unknown_part_of_a_period_is_the_one_that_fits():
    assert asked(OCTOBER, by="fortnight").by == "day"
    assert asked("Last 12 months", today=date(2026, 11, 26)).by == "month"
    assert asked("Last month", today=date(2026, 11, 26)).period == OCTOBER
    assert asked(OCTOBER).against == SEPTEMBER
