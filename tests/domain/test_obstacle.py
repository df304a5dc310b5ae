"""What stands in the way of a whole connection is the cause of what would otherwise go over, and of nothing else."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.model.obstacle import CROCOCLICK, PERSON, XERO, Obstacle, Stand, behind
from syncer.domain.model.problems import Problem

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
STATES = ("synced", "waiting", "held", "retrying", "in_doubt", "skipped", "not_eligible")
REVOKED = Obstacle("consent_revoked", XERO, False, NOON, {"since": "today"})
DOWN = Obstacle("xero_unavailable", XERO, True, NOON, ends_at=NOON + timedelta(hours=1))


@given(st.sampled_from(STATES), st.sampled_from([None, "tax_unmapped", "rate_limited_minute"]))
def test_only_what_promises_to_go_over_is_stopped(state, cause):
    """An invoice with a cause of its own keeps it; one that would go over has that of the connection."""
    stand = Stand(state, Problem(cause) if cause else None)
    shown = behind(stand, REVOKED)
    assert shown == (Stand("held", REVOKED.problem) if state in ("waiting", "retrying") else stand)
    assert behind(stand, None) == stand


@pytest.mark.parametrize("obstacle", [REVOKED, DOWN])
def test_nothing_waits_for_the_next_run_that_cannot_come(obstacle):
    """It is held where a person has to act, and tried again by itself where waiting is enough."""
    assert behind(Stand("waiting"), obstacle).state == ("retrying" if obstacle.heals else "held")


def test_what_is_tried_again_for_the_same_reason_keeps_its_own_time():
    own = Stand("retrying", Problem("xero_unavailable", {"retry_at": "soon"}))
    assert behind(own, DOWN) is own


def test_the_share_for_daily_work_stops_old_invoices_alone():
    """A new invoice goes over, although an old one has to wait."""
    share = Obstacle("rate_limited_day", XERO, True, NOON, issued_before=date(2026, 11, 1))
    waiting = Stand("waiting")
    assert behind(waiting, share, date(2026, 11, 1)) is waiting
    assert behind(waiting, share, None) is waiting
    assert behind(waiting, share, date(2026, 10, 31)) == Stand("retrying", Problem("rate_limited_day"))
    assert share.place > DOWN.place


def test_what_a_person_has_to_settle_is_shown_before_what_passes_by_itself():
    """A person's own word first, then CrocoClick before Xero, as a run meets them."""
    shown = [Obstacle("x", side, heals, NOON) for heals in (False, True) for side in (PERSON, CROCOCLICK, XERO)]
    assert [one.place for one in shown] == sorted({one.place for one in shown})


def test_an_announced_end_ends_it():
    """Of others nobody knows when they are over."""
    assert not DOWN.is_over(NOON) and DOWN.is_over(NOON + timedelta(hours=1))
    assert not REVOKED.is_over(NOON + timedelta(days=99))
