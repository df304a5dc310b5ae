"""Money, dates, ages and states as text, in the viewer's time zone."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from syncer.domain.model.money import text
from syncer.messages import format
from syncer.messages import problems as problems_messages
from syncer.messages import status as status_messages

money, monies, count, day = format.money, format.monies, format.count, format.day
needs_somebody = format.needs_somebody

_ADDRESS = re.compile(r"(https?:|www)(//|\.)", re.IGNORECASE)

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
    return f'<span class="time" title="{exact(value)}">{format.ago(value, now)}</span>'


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


def prose(sentence: str) -> str:
    """A sentence for HTML: escaped, with names between backticks set apart."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def capital(sentence: str) -> str:
    """With a capital at the front and a full stop at the end."""
    told = sentence[:1].upper() + sentence[1:]
    return told if told.endswith((".", "”")) else f"{told}."


def opening(words_: str) -> str:
    """Words as they begin a line, without a full stop."""
    return words_[:1].upper() + words_[1:]


def mark(mark_: str, word: str, tone: str = "") -> str:
    """A mark with its word, coloured by what it asks for (HTML)."""
    # Many fonts lack the pause sign, or draw it as a coloured picture: it is drawn by a rule instead.
    sign = '<span class="pause"></span>' if mark_ == "⏸" else mark_
    return f'<span class="mark {tone}"><span aria-hidden="true">{sign}</span> {escape(word)}</span>'


def state(code: str) -> str:
    """The state of an invoice as mark and word (HTML)."""
    found = format.STATES.get(code, ("…", "Waiting"))
    return mark(*found, TONES.get(code, ""))


def state_and(code: str, sentence: str) -> str:
    """A state with the sentence that explains it; the word is not said twice (HTML)."""
    sign, word = format.STATES.get(code, ("…", "Waiting"))
    if sentence.startswith(word):
        return f"{mark(sign, word, TONES.get(code, ''))}{prose(sentence.removeprefix(word))}"
    return f"{state(code)}. {prose(sentence)}"


def outcome_word(code: str) -> str:
    """What a run did, in a word."""
    return status_messages.OUTCOMES.get(code, ("", code.replace("_", " ")))[1]


def happened(row: Mapping[str, Any]) -> str:
    """One row of a history as a sentence."""
    return status_messages.happened(row["what"], row["cause"], _facts(row))


def because(row: Mapping[str, Any]) -> str:
    """Why a record is where it is, as half a sentence."""
    return problems_messages.cause_sentence(row["cause"], _facts(row)) if row["cause"] else ""


def also(problems: Sequence[Any]) -> list[str]:
    """What else stands in the way."""
    return [problems_messages.cause_sentence(problem.code, problem.facts) for problem in problems]


def common(found: Mapping[str, Any]) -> str:
    """What is true of every record of a group: `all for Martin & Fils, all issued on 21 Nov 2026`."""
    told: dict[str, Callable[[Any], str]] = {
        "contact": lambda name: f"all for {name}",
        "issued": lambda when: f"all issued on {day(when)}",
    }
    return ", ".join(told[name](value) for name, value in found.items())


def settled(one: Any) -> str:
    """What settled it, and who did."""
    if one.what == "changed":
        return "Changed in CrocoClick"
    if one.what == "mended":
        return "Mended in Xero or in the settings"
    told = status_messages.happened(one.what, None, one.facts)
    return f"{told}, by {one.by}" if one.by not in ("", "sync") else told


def verdict(story: Any) -> str:
    """Where an invoice is, in one sentence, in the viewer's time."""
    synced_at = story.row["synced_at"] if story.row["xero_id"] else None
    code, facts = (story.problem.code, story.problem.facts) if story.problem else (None, None)
    here = synced_at and synced_at.astimezone(zone())
    return status_messages.verdict(story.state, code, facts, here, story.differs)


def tried(action: str, outcome: str | None) -> str:
    """A try and what came of it: `Create, created`."""
    told = status_messages.happened(outcome, None, {}) if outcome else "not answered yet"
    return f"{status_messages.ACTIONS.get(action, action)}. {told}"


def outcomes(found: Mapping[str, int]) -> str:
    """What a run came to: `84 created · 21 held for a person`."""
    told = [f"{number:,} {outcome_word(name)}" for name in status_messages.OUTCOMES if (number := found.get(name))]
    return " · ".join(told) or "nothing to do"


def run_end(ending: str) -> str:
    """How a run ended, as mark and word (HTML)."""
    return mark(*status_messages.RUN_ENDS.get(ending, ("…", "At work")), TONES.get(ending, ""))


def run_sentence(ending: str, code: str | None) -> str:
    """How a run ended, and why where it ended early."""
    return status_messages.run_sentence(ending, code)


def connection_state(code: str) -> tuple[str, str, str]:
    """The state of the connection to Xero: mark, word, sentence."""
    return status_messages.connection_state(code)


def source_state(code: str) -> tuple[str, str, str]:
    """The state of the connection to CrocoClick: mark, word, sentence."""
    return status_messages.source_state(code)


def scopes(granted: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Permissions in plain words, what for: those granted, or all that are asked for."""
    return [told for name, told in status_messages.SCOPES.items() if not granted or name in granted]


def xero_status(code: str | None) -> str:
    """The status of an invoice in Xero."""
    return status_messages.XERO_STATUSES.get(code or "", (code or "").lower())


def status(code: str) -> str:
    """The status of an invoice in CrocoClick."""
    return format.STATUSES.get(code, code.replace("_", " "))


def side(code: str) -> str:
    """The service that a call went to."""
    return {"xero": "to Xero", "crococlick": "to CrocoClick"}.get(code, "to Xero's login")


def plan(code: str | None) -> str:
    """The organisation's plan at Xero, as a name."""
    return (code or "").replace("_", " ").title()


def listed(value: str) -> str:
    """A setting's value, statuses in words."""
    return ", ".join(format.STATUSES.get(part, part) for part in value.split(","))


def phase(code: str) -> str:
    """What a run is at."""
    return status_messages.PHASES.get(code, "At work")


def plain(sentence: str) -> str:
    """A sentence for Streamlit's Markdown, in which nothing means anything else."""
    # It makes a link of every address, escaped or not: an invisible joiner within keeps it text.
    unlinked = _ADDRESS.sub(lambda found: f"{found[1]}\u2060{found[2]}", sentence)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", unlinked)


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a row's cause; an amount among them is in the currency of the record."""
    found: dict[str, Any] = json.loads(row.get("facts") or "{}")
    return {"currency": row.get("currency") or "", **found}
