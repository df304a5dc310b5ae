"""Money, dates, ages and states as text, in the viewer's time zone."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from syncer import words
from syncer.core.money import text

money, monies, count, day = words.money, words.monies, words.count, words.day

# What a state or an outcome asks for, as a colour; the mark and the word say the same.
TONES: Mapping[str, str] = {
    "synced": "good", "created": "good", "updated": "good", "voided": "good", "paid": "good", "found": "good",
    "unchanged": "good", "done": "good", "connected": "good",
    "retrying": "heals", "in_doubt": "heals", "interrupted": "heals", "not_arrived": "heals",
    "held": "needs", "refused": "needs", "failed": "needs", "consent_revoked": "needs", "scope_missing": "needs",
    "wrong_organisation": "needs", "token_refused": "needs", "wrong_location": "needs",
}  # fmt: skip


def zone() -> tzinfo:
    """The viewer's time zone."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, TypeError):
        return UTC


def offset(now: datetime) -> timedelta:
    """How far the viewer's clock is from UTC."""
    return now.astimezone(zone()).utcoffset() or timedelta(0)


def exact(value: datetime | None) -> str:
    """A time in full: `21 Nov 2026, 10:03`."""
    if value is None:
        return "never"
    here = value.astimezone(zone())
    return f"{day(here.date())}, {here:%H:%M}"


def clock(value: datetime, now: datetime) -> str:
    """A time of day, with its day where that is not today: `14:32`, `22 Nov 03:00`."""
    here, today = value.astimezone(zone()), now.astimezone(zone()).date()
    return f"{here:%H:%M}" if here.date() == today else f"{here.day} {here:%b %H:%M}"


def ago(value: datetime | None, now: datetime) -> str:
    """`4 minutes ago`, the exact time on hover (HTML)."""
    if value is None:
        return "never"
    return f'<span class="time" title="{exact(value)}">{words.ago(value, now)}</span>'


def age(value: datetime | None, now: datetime) -> str:
    """How old in the one unit that matters: `5 d`, `4 min`; the exact time on hover (HTML)."""
    if value is None:
        return "–"
    seconds = max(0, int((now - value).total_seconds()))
    sizes = ((86400, "d"), (3600, "h"), (60, "min"))
    short = next((f"{seconds // size} {unit}" for size, unit in sizes if seconds >= size), "now")
    return f'<span class="time" title="since {exact(value)}">{short}</span>'


def lasted(seconds: float) -> str:
    """A duration: `0.4 s`, `38 s`, `2 min 5 s`, `1 h 12 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def share(part: int, whole: int) -> str:
    """A part of a whole: `97 %`; never 100 while something is missing."""
    if not whole:
        return "–"
    percent = part * 100 // whole
    return f"{percent} %"


def quantity(value: Decimal) -> str:
    """A number as it is: `2`, `0.5`."""
    return text(value)


def price(value: Decimal, currency: str) -> str:
    """A unit price, with all its decimals."""
    return money(value, currency)


def prose(sentence: str) -> str:
    """A sentence for HTML: escaped, with names between backticks set apart."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def capital(sentence: str) -> str:
    """With a capital at the front and a full stop at the end."""
    told = sentence[:1].upper() + sentence[1:]
    return told if told.endswith((".", "”")) else f"{told}."


def mark(mark_: str, word: str, tone: str = "") -> str:
    """A mark with its word, coloured by what it asks for (HTML)."""
    return f'<span class="mark {tone}"><span aria-hidden="true">{mark_}</span> {escape(word)}</span>'


def state(code: str) -> str:
    """The state of an invoice as mark and word (HTML)."""
    found = words.STATES.get(code, ("…", "Waiting"))
    return mark(*found, TONES.get(code, ""))


def outcome_word(code: str) -> str:
    """What a run did, in a word."""
    return words.OUTCOMES.get(code, ("", code.replace("_", " ")))[1]


def happened(row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """One row of a history as a sentence."""
    return words.happened(row["what"], row["cause"], facts)


def phase(code: str) -> str:
    """What a run is at."""
    return words.PHASES.get(code, "At work")


def status(code: str) -> str:
    """The status of an invoice in CrocoClick."""
    return words.STATUSES.get(code, code.replace("_", " "))
