"""Amounts, dates, counts and states as people read them: what sentences are made of."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from syncer.domain.model.money import decimals, fits, round_to, text
from syncer.domain.model.problems import Who

SIGNS = {"EUR": "€", "GBP": "£", "JPY": "¥"}

WHO: Mapping[Who, str] = {
    Who.SUPPORT: "you",
    Who.CUSTOMER: "the customer",
    Who.ACCOUNTANT: "the accountant",
    Who.ADMIN: "an administrator",
    Who.NOBODY: "nobody",
}

STATES: Mapping[str, tuple[str, str]] = {
    "synced": ("✓", "In Xero"),
    "waiting": ("…", "Waiting"),
    "held": ("✕", "Needs action"),
    "retrying": ("↻", "Retrying automatically"),
    "in_doubt": ("↻", "Being checked"),
    "skipped": ("⏸", "Skipped"),
    "not_eligible": ("–", "Not eligible"),
}

STATUSES: Mapping[str, str] = {
    "draft": "draft",
    "sent": "sent",
    "payment_processing": "payment under way",
    "partially_paid": "partly paid",
    "paid": "paid",
    "void": "void",
    "unknown": "not known",
}


def money(amount: Decimal | str, currency: str) -> str:
    """An amount as people write it: `€1,266.00`, `USD 12.50`, `-£3.00`."""
    number = Decimal(amount)
    places = decimals(currency)
    digits = f"{round_to(abs(number), places):,}" if fits(number, places) else f"{Decimal(text(abs(number))):,}"
    sign = SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if number < 0 else ''}{sign}{digits}"


def day(value: date | str | None) -> str:
    """A date as people read it: `21 Nov 2026`."""
    if not value:
        return "no date"
    found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{found.day} {found:%b %Y}"


def moment(value: datetime | None) -> str:
    """A time as people read it, in the zone it carries; without a viewer's zone that is `21 Nov 10:03 UTC`."""
    if value is None:
        return "never"
    return f"{value.day} {value:%b %H:%M}{'' if value.utcoffset() else ' UTC'}"


def ago(value: datetime, now: datetime) -> str:
    """How long ago, in the one unit that matters."""
    seconds = max(0, int((now - value).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def count(number: int, one: str, many: str = "") -> str:
    """`1 invoice`, `2,148 invoices`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def monies(sums: Mapping[str, Decimal]) -> str:
    """Money in several currencies, each for itself: `€8,412.60 and USD 12.50`."""
    told = [money(amount, currency) for currency, amount in sorted(sums.items()) if amount]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def needs_somebody(held: int, sums: Mapping[str, Decimal], healing: int) -> str:
    """The verdict on what is open.

    For example "12 invoices worth €8,412.60 need attention. 3 are retried automatically."
    """
    worth = f" worth {monies(sums)}" if monies(sums) else ""
    first = f"{count(held, 'invoice')}{worth} {'needs' if held == 1 else 'need'} attention." if held else ""
    heals = f"{healing:,} {'is' if healing == 1 else 'are'} retried automatically." if healing else ""
    if healing and not held:
        heals = f"Nothing needs you. {heals}"
    return " ".join(part for part in (first, heals) if part) or "Nothing needs you."
