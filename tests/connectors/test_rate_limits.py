"""Turns: below the settings, below what the headers say, and never asleep for hours."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from syncer.app.clock import SystemClock
from syncer.connectors.crococlick import rate_limit as crococlick
from syncer.connectors.http import Left, Response, Window
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.connectors.xero.shared_limits import Flight, KnownLimits, LimitsFile, LimitsInMemory
from syncer.domain.errors import RateLimited
from tests.support.http_stage import HandClock
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]


def answer(status=200, **headers):
    """An answer with these headers."""
    return Response(status, {name.replace("_", "-"): str(value) for name, value in headers.items()})


def take(pacer, times=1):
    """Some calls, one after the other."""
    for _ in range(times):
        with pacer.turn():
            pass


def test_no_minute_holds_more_than_the_setting():
    """The sixty-first call waits for the first to be a minute old."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_minute=60)
    take(pacer, 60)
    assert clock.slept == []
    take(pacer)
    assert clock.slept == [60.0]


def test_a_minute_spent_by_others_is_waited_for():
    """Xero says none is left although we made none: look again soon, not in a minute."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock)
    assert pacer.heard(answer(x_minlimit_remaining=0, x_daylimit_remaining=10)) == Left(0, 10)
    take(pacer)
    assert clock.slept == [5.0]
    assert pacer.left() == Left(0, 10)


def test_a_minute_that_xero_calls_spent_ends_with_our_own():
    """Where all calls were ours, the first of them tells when."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_minute=3)
    take(pacer, 3)
    pacer.heard(answer(x_minlimit_remaining=0))
    take(pacer)
    assert clock.slept == [60.0]


@pytest.mark.parametrize(
    ("headers", "at_least"),
    [
        ({"x_rate_limit_problem": "minute", "retry_after": 26}, 26),
        ({"x_rate_limit_problem": "App-Minute", "retry_after": 12}, 12),
        ({"x_rate_limit_problem": "concurrent"}, 1),
        ({}, 5),
    ],
)
def test_a_refusal_makes_the_next_turn_wait(headers, at_least):
    """As long as Xero asks, and a moment by chance."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock)
    pacer.refused(answer(429, **headers))
    take(pacer)
    assert at_least <= sum(clock.slept) <= at_least + 1


def test_a_long_wait_is_told_and_not_slept():
    """Above ninety seconds the caller decides."""
    clock = HandClock()
    with pytest.raises(RateLimited) as limited:
        OrganisationLimiter(clock).refused(answer(429, x_rate_limit_problem="minute", retry_after=91))
    assert (limited.value.limit, limited.value.wait_s) == ("minute", 91)
    shut = OrganisationLimiter(
        clock, board=LimitsInMemory(KnownLimits(minute_shut_until=clock.now().timestamp() + 100))
    )
    with pytest.raises(RateLimited) as waiting:
        take(shut)
    assert waiting.value.limit == "minute"
    assert clock.slept == []


def test_a_spent_day_ends_the_run_until_it_is_over():
    """By a refusal, with its hour; or by a header, then asked about again in an hour."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock)
    with pytest.raises(RateLimited) as limited:
        pacer.refused(answer(429, x_rate_limit_problem="day", retry_after=40000))
    assert (limited.value.limit, limited.value.wait_s) == ("day", 40000)
    with pytest.raises(RateLimited) as still:
        take(pacer)
    assert (still.value.code, still.value.wait_s) == ("rate_limited_day", 40000)
    clock.sleep(40001)
    take(pacer)
    pacer.heard(answer(x_daylimit_remaining=0))
    with pytest.raises(RateLimited):
        take(pacer)
    clock.sleep(3601)
    take(pacer)


def test_a_day_may_be_smaller_by_setting():
    """Our own count, in any twenty-four hours."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_day=3)
    take(pacer, 3)
    with pytest.raises(RateLimited) as limited:
        take(pacer)
    assert limited.value.limit == "day" and 86400 <= limited.value.wait_s <= 87000
    clock.sleep(limited.value.wait_s)
    take(pacer, 3)


def test_never_more_in_flight_than_allowed():
    """Twenty threads, three at a time."""
    pacer = OrganisationLimiter(HandClock(), calls_in_flight=3)
    flying, most, lock = [0], [0], threading.Lock()

    def call(_):
        with pacer.turn():
            with lock:
                flying[0] += 1
                most[0] = max(most[0], flying[0])
            time.sleep(0.005)
            with lock:
                flying[0] -= 1

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(call, range(40)))
    assert most == [3]


def test_what_xero_says_is_left_bounds_what_is_under_way():
    """Two are left of the minute, whoever spent the others: two at a time, so that none is refused."""
    pacer = OrganisationLimiter(SystemClock(), calls_in_flight=3)
    pacer.heard(answer(x_minlimit_remaining=2))
    with pacer.turn(), pacer.turn(), ThreadPoolExecutor(1) as pool:
        third = pool.submit(take, pacer)
        time.sleep(0.05)
        assert not third.done()
        pacer.heard(answer(x_minlimit_remaining=60))
        third.result(PATIENCE_S)


def test_a_call_counts_until_a_minute_after_its_answer():
    """Xero may have counted it as late as that."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_minute=1)
    with pacer.turn():
        clock.at += timedelta(seconds=30)
    take(pacer)
    assert sum(clock.slept) == 60


def test_old_invoices_leave_their_share_of_the_day():
    """Half of the day is for daily work: with 1,000 calls a day, the 501st of a backfill waits; daily work goes on."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_minute=1_000_000)
    take(pacer, 500)
    pacer.heard(answer(x_daylimit_remaining=501))
    with pacer.leaving(0.5):
        take(pacer)
        pacer.heard(answer(x_daylimit_remaining=500))
        with pytest.raises(RateLimited) as limited:
            take(pacer)
    assert (limited.value.code, limited.value.facts["left"]) == ("rate_limited_day", 500)
    take(pacer)


def test_the_share_is_of_the_smaller_day_where_one_is_set():
    """`calls_per_day` counts where it is less than what Xero says."""
    pacer = OrganisationLimiter(HandClock(), calls_per_day=10)
    pacer.heard(answer(x_daylimit_remaining=900))
    with pacer.leaving(0.8):
        take(pacer, 2)
        with pytest.raises(RateLimited):
            take(pacer)


CALLER = """
import sys, time
from datetime import UTC, datetime
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from syncer.connectors.xero.shared_limits import LimitsFile
from syncer.connectors.xero.rate_limit import OrganisationLimiter

class Fast:
    def now(self):
        return datetime.fromtimestamp(time.time() * 100, UTC)
    def sleep(self, seconds):
        time.sleep(seconds / 100)

pacer = OrganisationLimiter(Fast(), board=LimitsFile(Path(sys.argv[1])))
def call(n):
    with pacer.turn():
        began = Fast().now().timestamp()
        Fast().sleep(3)
        ended = Fast().now().timestamp()
    return began, ended
with ThreadPoolExecutor(8) as pool:
    for began, ended in pool.map(call, range(75)):
        print(began, ended)
"""


def test_two_processes_share_one_minute_and_five_places(tmp_path):
    """Their calls together: never more than 60 that Xero could count in one minute, never more than 5 under way."""
    board = tmp_path / "pace" / "one.json"
    both = [
        subprocess.Popen([sys.executable, "-c", CALLER, str(board)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(2)
    ]
    told = [line.split() for process in both for line in process.communicate(timeout=PATIENCE_S)[0].splitlines()]
    calls = [(float(began), float(ended)) for began, ended in told]
    assert len(calls) == 150
    for began, _ in calls:
        assert sum(1 for other, ended in calls if other <= began < ended) <= 5
        assert sum(1 for other, ended in calls if other <= began < ended + 60) <= 60


def test_a_call_whose_process_died_frees_its_place(tmp_path):
    """After ten seconds it is taken to be over, and counts for a minute more."""
    clock, board = HandClock(), LimitsFile(tmp_path / "one.json")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with board.open() as known:
        known.flights = [Flight(f"{dead.pid}.{n}", dead.pid, clock.now().timestamp()) for n in range(5)]
    pacer = OrganisationLimiter(clock, calls_per_minute=5, board=board, lives=lambda pid: pid != dead.pid)
    take(pacer)
    assert 70 <= sum(clock.slept) <= 71


def test_a_board_that_cannot_be_read_is_begun_anew(tmp_path):
    """What Xero answers says how much is left."""
    (tmp_path / "one.json").write_text("{")
    pacer = OrganisationLimiter(HandClock(), board=LimitsFile(tmp_path / "one.json"))
    take(pacer)
    pacer.heard(answer(x_minlimit_remaining=7, x_daylimit_remaining=70))
    assert OrganisationLimiter(HandClock(), board=LimitsFile(tmp_path / "one.json")).left() == Left(7, 70)


def test_a_lifted_limit_is_counted_down_but_not_kept():
    """Where more than the published sixty is set, only a refusal is believed."""
    clock = HandClock()
    pacer = OrganisationLimiter(clock, calls_per_minute=1000)
    assert pacer.heard(answer(x_minlimit_remaining=0, x_daylimit_remaining=0)) == Left(0, 0)
    take(pacer, 100)
    assert clock.slept == []
    pacer.refused(answer(429, x_rate_limit_problem="minute", retry_after=3))
    take(pacer)
    assert sum(clock.slept) >= 3


def test_a_window_that_shrinks():
    """As many calls must leave it as make room for one."""
    window = Window(3, 10)
    for at in (0.0, 1.0, 2.0):
        window.spend(at)
    window.limit = 1
    assert (window.wait_s(2.0), window.spent) == (10.0, 3)
    window.limit = 0
    assert window.wait_s(2.0) == 10


def test_crococlick_leaves_a_fifth_unused():
    """Eighty in ten seconds, until the headers say otherwise."""
    clock = HandClock()
    pacer = crococlick.LocationLimiter(clock)
    take(pacer, 80)
    assert clock.slept == []
    take(pacer)
    assert clock.slept == [10.0]


def test_crococlick_goes_by_its_headers():
    """A wide limit is used, an empty one waited for."""
    clock = HandClock()
    pacer = crococlick.LocationLimiter(clock)
    wide = {"x_ratelimit_max": 100000, "x_ratelimit_interval_milliseconds": 10000, "x_ratelimit_remaining": 99999}
    assert pacer.heard(answer(**wide, x_ratelimit_daily_remaining=5)) == Left(99999, 5)
    take(pacer, 1000)
    assert clock.slept == []
    pacer.heard(answer(x_ratelimit_remaining=0))
    take(pacer)
    assert clock.slept == [10.0]


def test_crococlick_refusals():
    """A burst is waited out, a day is not."""
    clock = HandClock()
    pacer = crococlick.LocationLimiter(clock)
    pacer.refused(answer(429, x_ratelimit_interval_milliseconds=4000))
    take(pacer)
    assert clock.slept == [4.0]
    with pytest.raises(RateLimited) as limited:
        pacer.refused(answer(429, x_ratelimit_daily_remaining=0, x_ratelimit_daily_reset=1000))
    assert limited.value.limit == "day"
    pacer.heard(answer(x_ratelimit_daily_remaining=0, x_ratelimit_daily_reset=7200_000))
    with pytest.raises(RateLimited) as waiting:
        take(pacer)
    assert waiting.value.wait_s == 7200
