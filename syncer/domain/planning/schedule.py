"""When a watch looks at what: the next step, from all that is known at one moment. Times are UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FEW = 50  # invoices that are read one by one; of more the lists are read
WHILE_SHUT = timedelta(hours=1)  # between sweeps while Xero's day is used up: nothing could go over anyway
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=30), timedelta(minutes=15)
AFTER_SHRINK = timedelta(hours=1)  # between readings that show far too few invoices, while nobody answers
LOOK = timedelta(minutes=1)  # a rest is never longer: something that nobody announced may have happened
CALLS_PER_SECOND = 1.0  # of a sweep, spread over its interval: 86,400 of CrocoClick's 200,000 calls a day


class ScheduledStep(StrEnum):
    """What to do next."""

    LOOK = "look"  # at the invoices named, at once
    GO_ON = "go_on"  # with what is decided or was left; nothing is read again
    SWEEP = "sweep"  # what may still move and what is recent; once a day everything
    REST = "rest"


@dataclass(frozen=True, slots=True)
class ScheduleInput:
    """What is known of one connection at `now`."""

    now: datetime
    every: timedelta
    can: bool = True  # both sides are connected
    asked: tuple[str, ...] = ()  # invoices that events named
    ordered: tuple[str, ...] = ()  # invoices that a person gave an order for since the last run began
    moved: bool = False  # a setting or another order is newer than the last run
    left: int = 0  # invoices that the last run, which ended early, had still to do
    retry_at: datetime | None = None  # the earliest announced time
    tried_at: datetime | None = None  # when the last run began that was for everything and came to its end
    swept_at: datetime | None = None
    sweep_calls: int = 0  # CrocoClick calls that the last sweep took
    shut_until: datetime | None = None  # Xero's day
    failures: int = 0  # runs for everything in a row that could not be carried out
    failed_at: datetime | None = None
    failed_looks: int = 0  # the same of looks at what events named: they keep no sweep away
    look_failed_at: datetime | None = None
    shrunk: bool = False  # the last of them saw far too few invoices


@dataclass(frozen=True, slots=True)
class Next:
    """The step, for which invoices, and when it is due."""

    step: ScheduledStep
    at: datetime
    ids: tuple[str, ...] = ()
    is_ordered: bool = False  # a person waits for it


def next_step(moment: ScheduleInput) -> Next:
    """The most urgent thing: a person's orders, then what events name, then what was left, then a sweep."""
    now = moment.now
    if not moment.can:
        return Next(ScheduledStep.REST, now + LOOK)
    if moment.ordered:
        few = len(moment.ordered) <= FEW
        return (
            Next(ScheduledStep.LOOK, now, moment.ordered, True)
            if few
            else Next(ScheduledStep.SWEEP, now, is_ordered=True)
        )
    if moment.moved:
        return Next(ScheduledStep.SWEEP if moment.shrunk else ScheduledStep.GO_ON, now, is_ordered=True)
    clear = _clear_at(moment)
    if clear > now:
        return Next(ScheduledStep.REST, min(clear, now + LOOK))
    if moment.asked and _cleared(now, moment.look_failed_at, back_off(moment.failed_looks)):
        return Next(ScheduledStep.LOOK, now, moment.asked[:FEW])
    return _by_time(moment)


def _by_time(moment: ScheduleInput) -> Next:
    now, shut = moment.now, bool(moment.shut_until and moment.shut_until > moment.now)
    if moment.left and not shut:
        return Next(ScheduledStep.GO_ON, now)
    # What a run that came to its end has left as it was is not tried again for the same time.
    announced = moment.retry_at if moment.retry_at and not shut and not _was_tried(moment) else None
    if announced and announced <= now:
        return Next(ScheduledStep.GO_ON, now)
    sweep_at = _sweep_at(moment, shut)
    if sweep_at <= now:
        return Next(ScheduledStep.SWEEP, now)
    looks = [moment.look_failed_at + back_off(moment.failed_looks)] if moment.asked and moment.look_failed_at else []
    return Next(ScheduledStep.REST, min([sweep_at, *looks, *([announced] if announced else []), now + LOOK]))


def _was_tried(moment: ScheduleInput) -> bool:
    return bool(moment.tried_at and moment.retry_at and moment.tried_at >= moment.retry_at)


def interval(every: timedelta, sweep_calls: int) -> timedelta:
    """The time between two sweeps: longer than asked for where a sweep takes very many calls to CrocoClick."""
    return max(every, timedelta(seconds=sweep_calls / CALLS_PER_SECOND))


def back_off(failures: int) -> timedelta:
    """The pause after so many failures in a row."""
    doubled: int = 2 ** max(0, min(failures, 10) - 1)
    return min(LONGEST_BACK_OFF, FIRST_BACK_OFF * doubled)


def _clear_at(moment: ScheduleInput) -> datetime:
    """When what failed may be tried again."""
    if not moment.failures or moment.failed_at is None or moment.failed_at > moment.now:
        return moment.now
    return moment.failed_at + (AFTER_SHRINK if moment.shrunk else back_off(moment.failures))


def _cleared(now: datetime, failed_at: datetime | None, pause: timedelta) -> bool:
    """Whether the pause after a failure is over; a failure in the future was noted by a clock that was ahead."""
    return failed_at is None or not failed_at <= now < failed_at + pause


def _sweep_at(moment: ScheduleInput, shut: bool) -> datetime:
    if moment.swept_at is None or moment.swept_at > moment.now:
        return moment.now
    wait = interval(moment.every, moment.sweep_calls)
    return moment.swept_at + (max(wait, WHILE_SHUT) if shut else wait)
