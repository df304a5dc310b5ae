"""Both books compared as `reconcile` does it, in this process."""

from datetime import date

from syncer.app import jobs
from syncer.domain.closing.documents import Span
from syncer.support import explain
from syncer.support.closing_told import Told


def reconciled(world, first=None, last=None):
    """What `reconcile --json` gives for these days, written 2026-01-31."""
    span = Span(*(day and date.fromisoformat(day) for day in (first, last)))
    connection = world.connection
    found, facts = jobs.compare_books(connection, span, lambda *told: None, lambda: False, lambda said: None)
    return Told(found, facts, explain.books(connection.ledger), connection.rules().approval).summary()


def differences(world, first=None, last=None):
    """What differs, as (number, field) pairs, sorted; the residual is zero whatever it is."""
    found = reconciled(world, first, last)
    assert all(not float(total["residual"]) for total in found["totals"].values()), found["totals"]
    assert not found["unexplained"]
    return sorted((one["number"], one["field"]) for one in found["differences"])
