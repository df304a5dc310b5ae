"""The record of what stands in the way: what writes it and removes it, and that SQL and Python go by the same rule."""

from datetime import date, timedelta

import pytest

from syncer.domain.errors import HaltRun, LedgerBusy, NeedsPerson, RateLimited, Reconnect, Unavailable
from syncer.domain.model.obstacle import CROCOCLICK, XERO, Obstacle, Stand, behind
from syncer.domain.model.problems import Problem
from syncer.domain.ports import CallRecord
from syncer.storage.database.store import Store
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import as_kept
from syncer.sync import obstacles
from tests.support.ledger_rows import NOON, invoice_columns

STANDS = [
    Stand("synced"),
    Stand("waiting"),
    Stand("held", Problem("tax_unmapped", {"rate": "5.5%"})),
    Stand("retrying", Problem("rate_limited_day", {"retry_at": "later"})),
    Stand("retrying", Problem("xero_unavailable")),
    Stand("in_doubt", Problem("answer_lost")),
    Stand("skipped", Problem("skipped_by_person", {"because": "x"})),
    Stand("not_eligible", Problem("test_mode")),
]
MET = [
    None,
    Obstacle("not_connected", XERO, False, NOON),
    Obstacle("rate_limited_day", XERO, True, NOON, {"retry_at": "soon"}, NOON + timedelta(hours=1)),
    Obstacle("rate_limited_day", XERO, True, NOON, {"share": 0.5}, issued_before=date(2026, 1, 15)),
    Obstacle("crococlick_token_refused", CROCOCLICK, False, NOON, {"message": "no"}),
]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(Store(tmp_path / "ledger.duckdb"), "default")


def answered(ledger, side, status=200, at=NOON):
    """A call to that side was answered."""
    record = CallRecord("c", at, side, "GET", "/", status, 1, 0, 0, None, None, "", "", "")
    ledger.commit("", at, calls=[record])


def codes(ledger):
    return [one.code for one in ledger.obstacles()]


@pytest.mark.parametrize("met", MET)
def test_lists_and_stories_go_by_the_same_rule(ledger, met):
    """`invoice_now` in SQL is `behind` in Python, for every state, old invoices and new ones."""
    columns = invoice_columns(list(range(2 * len(STANDS))))
    stands = [*STANDS, *STANDS]
    columns |= {
        "state": [one.state for one in stands],
        "cause": [as_kept(*one)[1] for one in stands],
        "facts": [as_kept(*one)[2] for one in stands],
        "issue_date": [date(2026, 1, 10)] * len(STANDS) + [date(2026, 1, 20)] * len(STANDS),
    }
    ledger.store.transaction(lambda tx: tx.insert("invoice", columns))
    if met:
        ledger.meet(met, NOON)
    rows = {row["source_id"]: row for row in ledger.rows("latest_invoices", limit=99)}
    for source_id, issued, stand in zip(columns["source_id"], columns["issue_date"], stands, strict=True):
        row = rows[source_id]
        assert (row["state"], row["cause"], row["facts"]) == as_kept(*behind(stand, met, issued))


def note(ledger, failure, minutes=0, proves=obstacles.BY_RUN):
    at = NOON + timedelta(minutes=minutes)
    obstacles.note(ledger, failure, at, at, proves)


def test_the_same_reason_keeps_its_beginning_and_an_answer_ends_it(ledger):
    """A run that fails as before does not begin it anew; one that Xero answers ends it."""
    note(ledger, Unavailable("xero_unavailable", side="xero"))
    note(ledger, Unavailable("xero_unavailable", side="xero"), minutes=5)
    assert [(one.code, one.since) for one in ledger.obstacles()] == [("xero_unavailable", NOON)]
    answered(ledger, "xero", at=NOON - timedelta(minutes=1))
    note(ledger, None, minutes=6, proves=obstacles.BY_SEARCH)
    assert codes(ledger) == ["xero_unavailable"], "what was answered before says nothing"
    answered(ledger, "xero", at=NOON + timedelta(minutes=7))
    note(ledger, None, minutes=7, proves=obstacles.BY_SEARCH)
    assert codes(ledger) == []


def test_a_whole_run_ends_what_passes_by_itself_and_nothing_else_without_an_answer(ledger):
    """A run that had nothing to ask of Xero says nothing of the consent."""
    note(ledger, Unavailable("crococlick_unavailable", side="crococlick"))
    note(ledger, Reconnect("consent_revoked"))
    note(ledger, None)
    assert codes(ledger) == ["consent_revoked"]


def test_what_concerns_a_part_is_ended_only_by_an_errand_of_that_kind(ledger):
    """A token that may read contacts says nothing of invoices."""
    note(ledger, Reconnect("crococlick_scope_missing"))
    answered(ledger, "crococlick")
    note(ledger, None, proves=obstacles.NOTHING)
    assert codes(ledger) == ["crococlick_scope_missing"]
    note(ledger, None, proves=obstacles.BY_SEARCH)
    assert codes(ledger) == []
    obstacles.note(ledger, Reconnect("crococlick_scope_missing"), NOON, NOON, obstacles.BY_RUN, is_done=False)
    obstacles.note(ledger, None, NOON, NOON, obstacles.BY_RUN, is_done=False)
    assert codes(ledger) == ["crococlick_scope_missing"], "a run that was stopped has proved nothing of the kind"
    note(ledger, None)
    note(ledger, Reconnect("crococlick_scope_missing"), proves=obstacles.NOTHING)
    assert codes(ledger) == [], "an import of contacts does not speak of invoices"


def test_a_service_that_is_down_does_not_hide_what_a_person_has_to_settle(ledger):
    note(ledger, Reconnect("consent_revoked"))
    note(ledger, Unavailable("xero_unavailable", side="identity"))
    note(ledger, Unavailable("crococlick_unavailable", side="crococlick"))
    assert codes(ledger) == ["consent_revoked", "crococlick_unavailable"]


@pytest.mark.parametrize(
    "failure", [None, LedgerBusy("run_under_way"), NeedsPerson("line_invalid"), HaltRun("contacts_shrunk")]
)
def test_other_failures_stand_in_nobodys_way(ledger, failure):
    note(ledger, failure)
    assert codes(ledger) == []


def test_a_limit_says_when_it_ends_and_is_over_then(ledger):
    """CrocoClick's own limit is no limit of Xero."""
    note(ledger, RateLimited("day", 3600, side="crococlick"))
    (found,) = ledger.obstacles()
    assert (found.side, found.ends_at) == (CROCOCLICK, NOON + timedelta(hours=1)) and found.facts["retry_at"]
    obstacles.look(ledger, NOON + timedelta(minutes=59), {}, {})
    assert codes(ledger) == ["rate_limited_day"]
    obstacles.look(ledger, NOON + timedelta(minutes=60), {}, {})
    assert codes(ledger) == []


def test_what_is_missing_here_shows_without_a_call(ledger):
    """No tokens: not connected, but a consent that was taken back stays what it is; with tokens it is over."""
    obstacles.look(ledger, NOON, {XERO: "not_connected"}, {})
    assert codes(ledger) == ["not_connected"]
    obstacles.look(ledger, NOON, {}, {XERO: frozenset({"not_connected"})})
    assert codes(ledger) == []
    note(ledger, Reconnect("consent_revoked"))
    obstacles.look(ledger, NOON, {XERO: "not_connected"}, {})
    assert codes(ledger) == ["consent_revoked"]
    obstacles.passes(ledger, XERO)
    assert codes(ledger) == []


def test_old_invoices_alone_wait_for_their_share(ledger):
    note(ledger, RateLimited("day", 600, side="xero", left=400, share=0.5))
    assert [one.issued_before for one in ledger.obstacles()] == [NOON.date() - timedelta(days=30)]
