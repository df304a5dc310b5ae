"""Spans of days, the one before, and clocks that are changed meanwhile."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.period import LONGEST, PRESETS, Period, between, turns

PARIS = ZoneInfo("Europe/Paris")
days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
periods = st.builds(lambda first, more: Period(first, first + timedelta(days=more)), days, st.integers(0, 800))


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ((2026, 11, 20), (2026, 11, 26), ((2026, 11, 13), (2026, 11, 19))),
        ((2026, 11, 1), (2026, 11, 26), ((2026, 10, 1), (2026, 10, 26))),
        ((2026, 3, 1), (2026, 3, 31), ((2026, 2, 1), (2026, 2, 28))),
        ((2026, 2, 1), (2026, 2, 28), ((2026, 1, 1), (2026, 1, 31))),
        ((2026, 3, 1), (2026, 3, 30), ((2026, 2, 1), (2026, 2, 28))),
        ((2026, 7, 1), (2026, 9, 30), ((2026, 4, 1), (2026, 6, 30))),
        ((2026, 1, 1), (2026, 11, 26), ((2025, 1, 1), (2025, 11, 26))),
        ((2024, 1, 1), (2024, 12, 31), ((2023, 1, 1), (2023, 12, 31))),
    ],
)
def test_what_a_period_is_compared_with(first, last, before):
    """A month with the month before, this year with last year, any other with as many days."""
    found = Period(date(*first), date(*last)).before()
    assert (found.first, found.last) == (date(*before[0]), date(*before[1]))


@pytest.mark.parametrize(("days", "part"), [(31, "day"), (32, "week"), (190, "week"), (191, "month")])
def test_a_period_is_counted_by_what_fits_it(days, part):
    """Neither a hundred bars nor one."""
    assert Period(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days - 1)).part() == part


@given(periods)
def test_what_came_before_ends_before_it_begins(period):
    """No day is counted on both sides."""
    assert period.before().last < period.first
    assert period.before().days >= 1


@given(periods, st.sampled_from(["day", "week", "month"]))
def test_parts_begin_at_the_first_day_and_then_where_the_calendar_says(period, by):
    """A week on Monday, a month on its first."""
    starts = period.starts(by)
    assert starts[0] == period.first
    assert starts == sorted(set(starts)) and starts[-1] <= period.last
    assert all(day.weekday() == 0 for day in starts[1:] if by == "week")
    assert all(day.day == 1 for day in starts[1:] if by == "month")
    assert len(starts) == period.days or by != "day"


@given(days)
def test_every_choice_ends_today_at_the_latest(today):
    """And the one before it lies before it."""
    for choose in PRESETS.values():
        period = choose(today)
        assert period.first <= period.last <= today
        assert period.before().last < period.first


@given(days, days)
def test_days_of_ones_own_may_be_given_in_any_order(one, other):
    assert between(one, other) == between(other, one)
    assert between(one, other).days <= LONGEST.days + 1


def test_a_year_has_two_turns_in_paris_and_none_in_tokyo():
    """To the minute, at one o'clock UTC on the last Sundays of March and October."""
    since, until = Period(date(2026, 1, 1), date(2026, 12, 31)).bounds(PARIS)
    assert turns(PARIS, since, until) == [
        (datetime(2025, 12, 31, 23, tzinfo=UTC), 60),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 120),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 60),
    ]
    assert len(turns(ZoneInfo("Asia/Tokyo"), since, until)) == 1


ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@given(st.integers(0, 9 * 365 * 24 * 60), st.sampled_from(ZONES))
def test_the_turns_say_what_the_zone_says(moment, name):
    """At any minute between them."""
    zone, at = ZoneInfo(name), datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=moment)
    found = turns(zone, at - timedelta(days=200), at + timedelta(days=1))
    minutes = [minutes for turn, minutes in found if turn <= at][-1]
    assert timedelta(minutes=minutes) == at.astimezone(zone).utcoffset()


def test_a_day_is_bounded_by_midnights_also_when_it_has_25_hours():
    since, until = Period(date(2026, 10, 25), date(2026, 10, 25)).bounds(PARIS)
    assert until - since == timedelta(hours=25)
