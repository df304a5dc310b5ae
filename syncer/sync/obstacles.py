"""The record of what stands in the way of a connection: written by what meets it, removed by what proves it over."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from syncer.domain.errors import HaltRun, LedgerBusy, RateLimited, Reconnect, SyncerError, Unavailable
from syncer.domain.model.obstacle import CROCOCLICK, PARTIAL, PERSON, XERO, Obstacle
from syncer.storage.ledger.ledger import Ledger

# The partial obstacles that an errand of each kind speaks of, besides whether the services answer at all.
BY_RUN = frozenset(PARTIAL - {"paused"})
BY_RUN_OF_FEW = BY_RUN - {"source_shrunk", "crococlick_refused"}
BY_LOOK = BY_RUN - {"role_missing"}  # it writes nothing
BY_SEARCH = frozenset({"crococlick_scope_missing"})
NOTHING: frozenset[str] = frozenset()

_ALWAYS = frozenset({"role_missing", "scope_missing"})  # stands in the way whatever the errand was
_HEALS_THOUGH_HALTED = "crococlick_unavailable"


def obstacle_of(failure: SyncerError | None, now: datetime, recent_days: int) -> Obstacle | None:
    """What stands in the way of the whole connection where an errand failed like this; None where nothing does."""
    if isinstance(failure, LedgerBusy) or not isinstance(failure, Reconnect | HaltRun | RateLimited | Unavailable):
        return None
    if failure.code == "contacts_shrunk":
        return None
    wait_s = getattr(failure, "wait_s", None)
    ends_at = now + timedelta(seconds=wait_s) if wait_s else None
    facts = dict(failure.facts) | ({"retry_at": f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"} if ends_at else {})
    # The share of the day's calls that is left for daily work keeps back old invoices alone.
    older = now.date() - timedelta(days=recent_days) if "share" in failure.facts else None
    heals = not isinstance(failure, Reconnect | HaltRun) or failure.code == _HEALS_THOUGH_HALTED
    return Obstacle(failure.code, _side(failure), heals, now, facts, ends_at, older)


def _side(failure: SyncerError) -> str:
    ours = failure.code.startswith("crococlick_") or failure.code == "source_shrunk"
    return CROCOCLICK if ours or failure.facts.get("side") == CROCOCLICK else XERO


def note(
    ledger: Ledger,
    failure: SyncerError | None,
    began: datetime,
    now: datetime,
    proves: frozenset[str] = NOTHING,
    recent_days: int = 30,
    is_done: bool = True,
) -> None:
    """Take into the record what an errand that began then has met and disproved; its calls are in the ledger.

    `proves`: the partial obstacles that such an errand meets, and disproves where it came to its end (`is_done`).
    """
    found = obstacle_of(failure, now, recent_days)
    if found and found.code in PARTIAL - proves - _ALWAYS:
        found = None
    known = {one.side: one for one in ledger.obstacles()}
    answered = {row["side"] for row in ledger.rows("answered", since=began)} if known else set()
    proved = proves if failure is None and is_done else NOTHING
    over = [one.side for one in known.values() if _is_over(one, answered, proved)]
    if found and found.side in over:
        over.remove(found.side)
    if over:
        ledger.pass_by(over)
    if found and not _is_kept(known.get(found.side), found, over):
        ledger.meet(found, now)


def _is_over(one: Obstacle, answered: Iterable[str], proved: frozenset[str]) -> bool:
    if one.side == PERSON:
        return False
    if one.heals and proved == BY_RUN:
        return True  # A whole run came to its end: whatever passes by itself has passed.
    if one.side not in answered:
        return False
    return one.code in proved if one.code in PARTIAL else True


def _is_kept(before: Obstacle | None, found: Obstacle, over: Iterable[str]) -> bool:
    """Whether what stood there stays: what a person has to settle is not over because the service is down besides."""
    return before is not None and before.side not in over and found.heals and not before.heals


def passes(ledger: Ledger, side: str) -> None:
    """A person has just proved that nothing stands in the way on this side."""
    if any(one.side == side for one in ledger.obstacles()):
        ledger.pass_by([side])


def look(ledger: Ledger, now: datetime, missing: dict[str, str], present: dict[str, frozenset[str]]) -> None:
    """Bring the record up to date with what is known without a call.

    `missing`: by side the cause that is a fact of this installation (no tokens, no app); `present`: by side the causes
    that are not so, as such a fact tells. What has announced its end and passed it is over.
    """
    known = {one.side: one for one in ledger.obstacles()}
    over = [one.side for one in known.values() if one.is_over(now) or one.code in present.get(one.side, frozenset())]
    if over:
        ledger.pass_by(over)
    for side, code in missing.items():
        before = None if side in over else known.get(side)
        if before is None or before.code not in (code, "consent_revoked"):
            ledger.meet(Obstacle(code, side, False, now), now)
