"""What stands in the way of a connection, and the state of its invoices that follows: kept, and told of one invoice."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from syncer.app.installation import Connection
from syncer.domain import settings as conf
from syncer.domain.errors import Reconnect, SyncerError
from syncer.domain.model.obstacle import CROCOCLICK, XERO
from syncer.support.explain import Story, story
from syncer.sync import invoice_state, obstacles


def heed(
    connection: Connection, failure: SyncerError | None, began: datetime, kind: frozenset[str], is_done: bool = True
) -> None:
    """Keep what an errand of this kind that began then has met and, where it came to its end, has disproved."""
    recent_days = conf.value_of(connection.settings(), "recent_days")
    obstacles.note(connection.ledger, failure, began, connection.app.clock.now(), kind, recent_days, is_done)


def notice(connection: Connection) -> None:
    """Bring the record of what stands in the way up to date with what is known without a call."""
    missing, present = {}, {}
    for side, code, codes in (
        (XERO, _missing_in_xero(connection), {"not_connected", "xero_app_missing", "vault_unreadable"}),
        (CROCOCLICK, _missing_in_crococlick(connection), {"crococlick_not_connected"}),
    ):
        if code:
            missing[side] = code
        present[side] = frozenset(codes - {code})
    obstacles.look(connection.ledger, connection.app.clock.now(), missing, present)


def _missing_in_xero(connection: Connection) -> str:
    """Why Xero cannot even be asked, as a cause; nothing where it can."""
    try:
        tokens = connection.tokens.tokens()
    except Reconnect as missing:
        return missing.code
    return "" if tokens and tokens.tenant_id else "not_connected"


def _missing_in_crococlick(connection: Connection) -> str:
    try:
        return "" if connection.source.token else "crococlick_not_connected"
    except Reconnect as missing:
        return missing.code


def decide(connection: Connection, ids: Sequence[str] = ()) -> None:
    """Decide anew, without a call, what has not gone over: after settings, orders or a reading have changed it."""
    invoice_state.decide_anew(connection.ledger, connection.rules(), connection.app.clock.now(), ids)


def explain(connection: Connection, row: Mapping[str, Any]) -> Story:
    """The story of an invoice that was found; what it decides anew is what every list says from then on."""
    notice(connection)
    told = connection.app.store.read(lambda _: story(connection.ledger, connection.rules(), row))
    if told.decided and told.moved:
        invoice_state.keep(connection.ledger, [(told.known, told.decided)], connection.app.clock.now())
    return told
