"""One message for each change of state, one when it is over, and never the same twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain import notices
from syncer.domain.notices import CONNECTION, DAILY, HELD, KINDS, STALE, Notice, Situation, Told
from syncer.domain.period import Period

NIGHT = datetime(2026, 11, 21, 1, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def so(now=NIGHT, held=(), obstacles=(), last_end=None, zone=UTC):
    """What is so now; a sync has just come to its end unless said otherwise."""
    return Situation(now, zone, last_end or now, frozenset(held), frozenset(obstacles))


def tell(told, situation):
    """The messages of one look, and what is known after it."""
    found = notices.steps(told, situation)
    return [one.notice for one in found if one.notice], found[-1].told if found else told


def walk(*situations):
    """The messages of each look in turn."""
    told, all_of_them = Told(), []
    for one in situations:
        messages, told = tell(told, one)
        all_of_them.append(messages)
    return all_of_them


def test_all_new_causes_are_one_message_and_recovery_another():
    """A cause that is gone while another stays is no news; that it comes again is."""
    told = walk(so(held="ab"), so(held="ab"), so(held="b"), so(held="abc"), so(), so())
    assert told == [
        [Notice(HELD, ("a", "b"))], [], [], [Notice(HELD, ("a", "c"))], [Notice(HELD, ("a", "b", "c"), True)], [],
    ]  # fmt: skip


def test_an_obstacle_and_its_end_are_told_once():
    """Whatever else happens meanwhile."""
    told = walk(so(obstacles=["paused"]), so(obstacles=["paused"]), so(), so())
    assert told == [[Notice(CONNECTION, ("paused",))], [], [Notice(CONNECTION, ("paused",), True)], []]


def test_it_is_stale_after_24_hours_and_not_while_an_obstacle_stands():
    """Nor for 24 hours after the obstacle has ended."""
    end, hour = NIGHT, timedelta(hours=1)
    looks = [(24, ()), (25, ()), (26, ()), (27, ["paused"])]
    late = [so(end + hours * hour, obstacles=found, last_end=end) for hours, found in looks]
    kinds = [[one for one in told if one.kind == STALE] for told in walk(*late, so(end + 28 * hour))]
    assert kinds == [[], [Notice(STALE)], [], [], [Notice(STALE, is_over=True)]]
    looks = [(1, ["paused"]), (48, ["paused"]), (49, ()), (73, ()), (74, ())]
    freed = [so(end + hours * hour, obstacles=found, last_end=end) for hours, found in looks]
    assert [[one.kind for one in told if one.kind == STALE] for told in walk(*freed)] == [[], [], [], [], [STALE]]


@pytest.mark.parametrize(("hour", "is_due"), [(5, False), (6, True), (22, True)])
def test_the_summary_of_yesterday_is_due_from_7_in_the_locations_zone(hour, is_due):
    """In Paris that is 6 o'clock UTC in winter; 23 o'clock UTC is the next day's night there."""
    told = walk(so(datetime(2026, 11, 21, hour, tzinfo=UTC), zone=PARIS))
    yesterday = date(2026, 11, 20)
    assert told == [[Notice(DAILY, days=Period(yesterday, yesterday))] if is_due else []]


def test_a_summary_holds_the_days_of_which_none_was_taken():
    """At most a week of them; never two on one day."""
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    days = [noon + timedelta(days=number) for number in (0, 0, 1, 4, 30)]
    assert [[(one.days.first.day, one.days.last.day) for one in told] for told in walk(*map(so, days))] == [
        [(20, 20)], [], [(21, 21)], [(22, 24)], [(14, 20)],
    ]  # fmt: skip


def test_days_begin_and_end_at_midnight_in_the_zone():
    """The day on which the clocks are set back has 25 hours."""
    begin, end = notices.instants(Period(date(2026, 10, 25), date(2026, 10, 25)), PARIS)
    assert (begin.isoformat(), end.isoformat()) == ("2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00")


def test_what_a_setting_does_not_ask_for_is_only_taken_note_of():
    """So that it is no news when it is asked for again."""
    found = notices.wanted(notices.steps(Told(), so(held="a", obstacles="b")), [HELD])
    assert [one.notice and one.notice.kind for one in found] == [None, HELD]


def test_kinds_are_named_in_any_order():
    """Empty means none."""
    assert notices.kinds_of("daily, held,held") == (HELD, DAILY)
    assert notices.kinds_of("") == () and notices.kinds_of(",".join(KINDS)) == KINDS
    with pytest.raises(ValueError, match="some of held, connection, stale, daily"):
        notices.kinds_of("held,hourly")


causes = st.frozensets(st.sampled_from("abc"))
looks = st.tuples(causes, causes, st.integers(0, 60), st.booleans(), st.booleans())


@given(st.lists(looks, max_size=20))
def test_each_change_is_exactly_one_message(passed):
    """Over whatever happens, with an address that is down now and then: no change is told twice, none is lost.

    What an address knows goes through the ledger's text and comes back the same.
    """
    told, now, last_end = Told(), NIGHT, NIGHT
    known = {HELD: frozenset(), CONNECTION: frozenset()}
    stale, days = False, set()
    for held, obstacles, hours, syncs, is_down in passed:
        now += timedelta(hours=hours)
        last_end = now if syncs else last_end
        situation = so(now, held, obstacles, last_end)
        if is_down:
            continue
        messages, told = tell(told, situation)
        told = notices.told_from(notices.told_text(told))
        assert tell(told, situation) == ([], told)
        by_kind = {one.kind: one for one in messages}
        assert len(by_kind) == len(messages)
        for kind, is_so in ((HELD, held), (CONNECTION, obstacles)):
            new, is_over = is_so - known[kind], bool(known[kind]) and not is_so
            assert (kind in by_kind) == bool(new or is_over)
            if kind in by_kind:
                assert by_kind[kind].is_over == is_over
                assert set(by_kind[kind].causes) == (known[kind] if is_over else new)
            known[kind] = is_so
        if STALE in by_kind:
            assert by_kind[STALE].is_over == stale
            stale = not stale
        late = now - last_end > notices.STALE_AFTER
        assert late or not stale
        if DAILY in by_kind:
            span = by_kind[DAILY].days
            new_days = {span.first + timedelta(days=number) for number in range(span.days)}
            assert not new_days & days and span.last == now.date() - timedelta(days=1)
            days |= new_days
        assert now.hour < notices.MORNING or now.date() - timedelta(days=1) in days
