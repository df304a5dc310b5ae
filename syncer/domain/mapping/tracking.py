"""The tracking options that every line of a document carries, as the settings choose them."""

from typing import Any

from syncer.domain.model.books import Books
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import TRACKING, Rules

MOST = 2  # categories on a line (Xero's Invoices page)


def tracking_problems(books: Books, rules: Rules) -> list[Problem]:
    """What is wrong with each chosen category; of an organisation whose categories were not read nothing is known."""
    names = sorted(rules.tracking)
    found = [_chosen(_named(name, rules), books) for name in names[:MOST]]
    beyond = [Problem("tracking_invalid", {**_named(name, rules), "why": "too_many", "all": names}) for name in names]
    return [*(problem for problem in found if problem), *beyond[MOST:]]


def _named(category: str, rules: Rules) -> dict[str, Any]:
    return {"setting": f"{TRACKING}{category}", "category": category, "option": rules.tracking[category]}


def _chosen(facts: dict[str, Any], books: Books) -> Problem | None:
    if books.tracking is None:
        return None
    # Of an archived and an active category of one name the active one is meant.
    named = [one for one in books.tracking if one.name == facts["category"]]
    there = next((one for one in named if one.status == "ACTIVE"), named[0] if named else None)
    if there is None:
        return Problem("tracking_invalid", {**facts, "why": "category_unknown"})
    if there.status != "ACTIVE":
        return Problem("tracking_invalid", {**facts, "why": "category_archived"})
    statuses = [one.status for one in there.options if one.name == facts["option"]]
    if "ACTIVE" in statuses:
        return None
    return Problem("tracking_invalid", {**facts, "why": "option_archived" if statuses else "option_unknown"})
