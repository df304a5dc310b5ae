"""When a watch looks at what: orders, events, what was left, then sweeps; never sooner than announced."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.planning.schedule import (
    AFTER_SHRINK,
    FEW,
    LONGEST_BACK_OFF,
    LOOK,
    WHILE_SHUT,
    Next,
    ScheduledStep,
    ScheduleInput,
    back_off,
    interval,
    next_step,
)

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
EVERY = timedelta(seconds=120)


def moment(**known):
    """A moment at which nothing is due: the sweep was half a minute ago."""
    return ScheduleInput(**{"now": NOW, "every": EVERY, "swept_at": NOW - timedelta(seconds=30), **known})


def ago(**time):
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("known", "step"),
    [
        ({}, ScheduledStep.REST),
        ({"swept_at": None}, ScheduledStep.SWEEP),
        ({"swept_at": ago(seconds=120)}, ScheduledStep.SWEEP),
        ({"asked": ("a",)}, ScheduledStep.LOOK),
        ({"ordered": ("a",)}, ScheduledStep.LOOK),
        ({"ordered": tuple(f"{n}" for n in range(FEW + 1))}, ScheduledStep.SWEEP),
        ({"moved": True}, ScheduledStep.GO_ON),
        ({"left": 3}, ScheduledStep.GO_ON),
        ({"left": 3, "shut_until": NOW + timedelta(hours=5)}, ScheduledStep.REST),
        ({"retry_at": NOW}, ScheduledStep.GO_ON),
        ({"retry_at": NOW + timedelta(seconds=1)}, ScheduledStep.REST),
        ({"retry_at": ago(seconds=9), "tried_at": ago(seconds=10)}, ScheduledStep.GO_ON),
        ({"retry_at": ago(seconds=9), "tried_at": ago(seconds=9)}, ScheduledStep.REST),
        ({"retry_at": NOW, "shut_until": NOW + timedelta(hours=5)}, ScheduledStep.REST),
        ({"asked": ("a",), "failures": 1, "failed_at": NOW}, ScheduledStep.REST),
        ({"asked": ("a",), "failures": 1, "failed_at": ago(seconds=30)}, ScheduledStep.LOOK),
        ({"failures": 1}, ScheduledStep.REST),
        ({"asked": ("a",), "failed_looks": 1, "look_failed_at": ago(seconds=29)}, ScheduledStep.REST),
        ({"asked": ("a",), "failed_looks": 1, "look_failed_at": ago(seconds=30)}, ScheduledStep.LOOK),
        (
            {"asked": ("a",), "failed_looks": 4, "look_failed_at": NOW, "swept_at": ago(seconds=120)},
            ScheduledStep.SWEEP,
        ),
        ({"asked": ("a",), "failed_looks": 4, "look_failed_at": NOW + timedelta(days=1)}, ScheduledStep.LOOK),
        ({"failures": 3, "failed_at": NOW + timedelta(days=1), "swept_at": None}, ScheduledStep.SWEEP),
        ({"swept_at": NOW + timedelta(days=1)}, ScheduledStep.SWEEP),
        ({"shrunk": True, "failures": 1, "failed_at": ago(minutes=59), "swept_at": None}, ScheduledStep.REST),
        ({"shrunk": True, "failures": 1, "failed_at": ago(minutes=60), "swept_at": None}, ScheduledStep.SWEEP),
        ({"shrunk": True, "failures": 1, "failed_at": NOW, "moved": True}, ScheduledStep.SWEEP),
        ({"ordered": ("a",), "failures": 9, "failed_at": NOW}, ScheduledStep.LOOK),
        ({"ordered": ("a",), "asked": ("b",), "can": False}, ScheduledStep.REST),
    ],
)
def test_what_comes_next(known, step):
    """A person goes before everything; what failed waits its time, but for a person."""
    assert next_step(moment(**known)).step is step


def test_a_person_goes_before_an_event():
    """Both are looked at at once, one after the other."""
    assert next_step(moment(ordered=("a",), asked=("b",))) == Next(ScheduledStep.LOOK, NOW, ("a",), True)
    assert next_step(moment(asked=("b",), left=9)) == Next(ScheduledStep.LOOK, NOW, ("b",))


def test_many_events_are_looked_at_in_portions():
    """Fifty at a time: each is one call."""
    assert len(next_step(moment(asked=tuple(f"{n}" for n in range(200)))).ids) == FEW


def test_a_used_up_day_is_swept_once_an_hour():
    """Nothing could go over, but what CrocoClick has should be known."""
    shut = NOW + timedelta(hours=9)
    assert next_step(moment(shut_until=shut, swept_at=ago(minutes=59))).step is ScheduledStep.REST
    assert next_step(moment(shut_until=shut, swept_at=ago(minutes=60))).step is ScheduledStep.SWEEP
    assert timedelta(hours=1) == WHILE_SHUT


def test_a_rest_ends_when_something_is_due():
    """At the announced time, at the next sweep, and in a minute at the latest."""
    assert next_step(moment(retry_at=NOW + timedelta(seconds=20))).at == NOW + timedelta(seconds=20)
    assert next_step(moment(swept_at=ago(seconds=100))).at == NOW + timedelta(seconds=20)
    assert next_step(moment()).at == NOW + LOOK


def test_a_large_sweep_is_made_less_often():
    """Four hundred calls a sweep are spread over four hundred seconds."""
    assert interval(EVERY, 5) == EVERY
    assert interval(EVERY, 400) == timedelta(seconds=400)


def test_pauses_grow_to_a_quarter_of_an_hour():
    """Half a minute, one, two, four … fifteen."""
    assert [back_off(n).total_seconds() for n in (0, 1, 2, 3, 4, 5, 6, 99)] == [30, 30, 60, 120, 240, 480, 900, 900]
    assert LONGEST_BACK_OFF < AFTER_SHRINK


@given(
    st.builds(
        ScheduleInput,
        now=st.just(NOW),
        every=st.just(EVERY),
        can=st.booleans(),
        asked=st.sampled_from([(), ("a",)]),
        ordered=st.sampled_from([(), ("b",)]),
        moved=st.booleans(),
        left=st.integers(0, 2),
        retry_at=st.sampled_from([None, ago(minutes=1), NOW + timedelta(minutes=1)]),
        tried_at=st.sampled_from([None, ago(hours=1), ago(seconds=1)]),
        swept_at=st.sampled_from([None, ago(minutes=10), ago(seconds=1)]),
        sweep_calls=st.integers(0, 500),
        shut_until=st.sampled_from([None, ago(minutes=1), NOW + timedelta(hours=1)]),
        failures=st.integers(0, 20),
        failed_at=st.sampled_from([None, ago(hours=2), NOW]),
        shrunk=st.booleans(),
    )
)
def test_it_never_waits_long_and_never_works_where_it_must_not(known):
    """A rest ends within a minute and lies in the future; work is due now, for invoices that were named."""
    found = next_step(known)
    if found.step is ScheduledStep.REST:
        assert NOW < found.at <= NOW + LOOK
    else:
        assert found.at == NOW and known.can
        assert (found.step is ScheduledStep.LOOK) == bool(found.ids)
    if known.can and known.ordered:
        assert found.is_ordered
