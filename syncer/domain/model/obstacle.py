"""What stands in the way of a whole connection, and what that makes of the state of each invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from syncer.domain.model.problems import Problem

XERO, CROCOCLICK, PERSON = "xero", "crococlick", "person"
PAUSED = "paused"  # the one that a person puts there

# States that promise that the invoice goes over by itself: an obstacle makes that untrue.
PROMISING = ("waiting", "retrying")

# A planner's decision replaces these; the others are decided by a person, a lost answer or a time that was announced.
DECIDED_ANEW = ("waiting", "held", "not_eligible")

# A service that answers at all disproves every obstacle of its side but these, which concern a part of what is asked.
PARTIAL = frozenset(
    "scope_missing role_missing crococlick_scope_missing crococlick_refused source_shrunk paused".split()
)

# Which obstacle is shown where there are several: what a person has to settle before what passes by itself, and
# CrocoClick before Xero, as a run meets them.
_SIDES = (PERSON, CROCOCLICK, XERO)


class Stand(NamedTuple):
    """The state of an invoice (contract.md, "State of an invoice") and its cause."""

    state: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing of a connection can go over: cause and facts, and which side it is on. Times are UTC.

    `heals`: it passes by itself, at `ends_at` where that is known. `issued_before`: it concerns older invoices only.
    """

    code: str
    side: str
    heals: bool
    since: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    ends_at: datetime | None = None
    issued_before: date | None = None

    @property
    def state(self) -> str:
        """The state of an invoice that would otherwise go over."""
        return "retrying" if self.heals else "held"

    @property
    def place(self) -> int:
        """Its rank among the obstacles of a connection: the smallest is shown."""
        if self.issued_before:
            return 2 * len(_SIDES)
        return _SIDES.index(self.side) + (len(_SIDES) if self.heals else 0)

    @property
    def problem(self) -> Problem:
        """The cause that it is of an invoice."""
        return Problem(self.code, self.facts)

    def is_over(self, now: datetime) -> bool:
        """Whether its announced end has passed."""
        return self.ends_at is not None and self.ends_at <= now


def behind(stand: Stand, obstacle: Obstacle | None, issue_date: date | None = None) -> Stand:
    """The state of an invoice as everybody is shown it: `stand` is what was decided about the invoice by itself.

    The named query `invoice_now` is the same rule in SQL.
    """
    if obstacle is None or stand.state not in PROMISING:
        return stand
    if stand.state == "retrying" and stand.problem is not None and stand.problem.code == obstacle.code:
        return stand  # It says when it is tried again.
    if obstacle.issued_before and (issue_date is None or issue_date >= obstacle.issued_before):
        return stand
    return Stand(obstacle.state, obstacle.problem)
