"""Spans of days that a report is about, the one before, and how days lie in a time zone."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
PARTS = ("day", "week", "month")
LONGEST = timedelta(days=3660)


@dataclass(frozen=True, order=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """What it is compared with: the same stretch of the month or year before, else as many days right before."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        whole = self.last == _month_end(self.last)
        if self.first.day == 1 and (whole or months == 1):
            last = _months_earlier(self.last, months)
            return Period(_months_earlier(self.first, months), _month_end(last) if whole else last)
        if (self.first.day, self.first.month) == (1, 1) and self.first.year == self.last.year:
            return self.year_before()
        return Period(self.first - timedelta(days=self.days), self.first - DAY)

    def year_before(self) -> "Period":
        """The same days a year before."""
        return Period(_months_earlier(self.first, 12), _months_earlier(self.last, 12))

    def part(self) -> str:
        """The part to count by that neither crowds a picture nor leaves it empty."""
        return "day" if self.days <= 31 else "week" if self.days <= 190 else "month"

    def starts(self, by: str) -> list[date]:
        """The first day of each of its days, weeks (from Monday) or months; of the first part what lies within."""
        every = (self.first + DAY * n for n in range(self.days))
        return [day for day in every if day == self.first or _begins(day, by)]

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The instants at which it begins and at which it is over, in this zone."""
        return _midnight(self.first, zone), _midnight(self.last + DAY, zone)


# What can be chosen by name: each as it is on a given day.
PRESETS: Mapping[str, Callable[[date], Period]] = {
    "Last 7 days": lambda today: Period(today - DAY * 6, today),
    "Last 30 days": lambda today: Period(today - DAY * 29, today),
    "This month": lambda today: Period(today.replace(day=1), today),
    "Last month": lambda today: Period(_months_earlier(today.replace(day=1), 1), today.replace(day=1) - DAY),
    "Last 12 months": lambda today: Period(_months_earlier(today, 12) + DAY, today),
    "This year": lambda today: Period(today.replace(month=1, day=1), today),
}


def between(first: date, last: date) -> Period:
    """The period from one day to another, whichever comes first; at most ten years of it."""
    first, last = min(first, last), max(first, last)
    return Period(max(first, last - LONGEST), last)


def turns(zone: tzinfo, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """How far the zone is from UTC, in minutes, each with the instant from which on that holds."""
    at = since.astimezone(UTC)
    found = [(at, _minutes(zone, at))]
    while at < until:
        later = at + DAY
        if _minutes(zone, later) != found[-1][1]:
            turn = _turn(zone, at, later)
            found.append((turn, _minutes(zone, turn)))
        at = later
    return found


def _turn(zone: tzinfo, early: datetime, late: datetime) -> datetime:
    """The minute between these two in which the clocks are changed."""
    low, high = int(early.timestamp() // 60), int(late.timestamp() // 60)
    was = _minutes(zone, early)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _minutes(zone, _at_minute(middle)) == was else (low, middle)
    return _at_minute(high)


def _at_minute(number: int) -> datetime:
    return datetime.fromtimestamp(number * 60, UTC)


def _minutes(zone: tzinfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _begins(day: date, by: str) -> bool:
    return by == "day" or (day.weekday() == 0 if by == "week" else day.day == 1)


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _months_earlier(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
