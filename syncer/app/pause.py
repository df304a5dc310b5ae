"""Pause and resume: while a connection is paused nothing is written to Xero, whoever asks; it is read as before."""

from typing import Any

from syncer.app.installation import Connection
from syncer.domain.errors import TryLater, WrongUsage
from syncer.domain.model.obstacle import PAUSED, PERSON, Obstacle
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.writer import AuditEntry


def pause(connection: Connection, by: str, because: str = "") -> Obstacle:
    """Pause the connection; where it is paused already, that stays as it was said. Returns what stands on record."""
    if stands := paused(connection.ledger):
        return stands
    now = connection.app.clock.now()
    facts = {"by": by, "because": because.strip(), "since": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    connection.ledger.meet(Obstacle(PAUSED, PERSON, False, now, facts), now, AuditEntry(by, "paused"))
    return paused(connection.ledger) or Obstacle(PAUSED, PERSON, False, now, facts)


def resume(connection: Connection, by: str) -> None:
    """Let it go on; raises WrongUsage where it is not paused."""
    if paused(connection.ledger) is None:
        raise WrongUsage(f"The connection {connection.name} is not paused.")
    connection.ledger.clear(PERSON, connection.app.clock.now(), AuditEntry(by, "resumed"))


def paused(ledger: Ledger) -> Obstacle | None:
    """What a person said when they paused the connection; None where it is not paused."""
    return next((one for one in ledger.obstacles() if one.code == PAUSED), None)


def told(ledger: Ledger) -> dict[str, Any] | None:
    """Since when it is paused (UTC), by whom and why, as JSON has it; None where it is not."""
    stands = paused(ledger)
    return {name: stands.facts.get(name) or None for name in ("since", "by", "because")} if stands else None


def failure(stands: Obstacle) -> TryLater:
    """Why a run has ended early."""
    return TryLater(PAUSED, None, **stands.facts)
