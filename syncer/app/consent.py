"""Connecting and disconnecting: consent, the choice of the organisation, and what the connection then is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from syncer.app import pause, states
from syncer.app.installation import App, Connection, who
from syncer.connectors.xero.auth import ORGANISATION, Granted
from syncer.connectors.xero.auth import choose as choose_tenant
from syncer.connectors.xero.entities import Tenant
from syncer.domain.errors import Reconnect, SyncerError, TryLater, WrongUsage
from syncer.domain.model.books import Organisation, books_from, books_text
from syncer.domain.model.obstacle import XERO
from syncer.domain.settings import DEFAULT
from syncer.messages.times import iso
from syncer.storage.ledger.writer import AuditEntry
from syncer.support.runs import run_summary
from syncer.sync import obstacles


@dataclass(frozen=True)
class Connected:
    """What a consent came to: an organisation, or the several to choose from (tenant id, name)."""

    connection: str
    organisation: str | None
    choices: Sequence[tuple[str, str]] = ()


def begin(connection: Connection, by: str = "") -> str:
    """The address at Xero where a person gives consent; good for ten minutes and once."""
    connection.ledger.save_connection(connection.app.clock.now())
    return connection.consent.begin(connection.name, begun_by=by).url


def finish(app: App, callback: Mapping[str, str], arrived_at: str = "") -> Connected:
    """Take Xero's answer: store the tokens and choose the organisation where there is one to choose.

    Raises Reconnect with a `consent_…` code or `scope_missing`, or Unavailable; `messages/status` has their sentences.
    A consent for another organisation than the connection's is refused, and the tokens that are there stay.
    """
    granted = app.connection().consent.finish(callback, arrived_at, lambda given: _admit(app, given))
    connection = Connection(app, granted.connection)
    return _settle(connection, granted.tenants, "", granted.auth_event_id, granted.begun_by or who())


def _admit(app: App, granted: Granted, wanted: str = "") -> None:
    """Raise Reconnect where a consent does not reach an organisation that its connection may be for."""
    connection = Connection(app, granted.connection)
    try:
        tenant = choose_tenant(granted.tenants, wanted, granted.auth_event_id)
    except SyncerError as undecided:
        if undecided.code != "several_organisations":
            raise
        bound_to = _bound_organisation(connection)
        if bound_to and all(one.id != bound_to for one in granted.tenants):
            raise _differs(connection, [one.name for one in granted.tenants]) from undecided
        return
    _check_choice(connection, tenant)


def asked_by(app: App, callback: Mapping[str, str]) -> tuple[str, str]:
    """Who asked for the consent that Xero answers, and for which connection."""
    return Connection(app, DEFAULT).consent.asked_by(callback.get("state", ""))


def connect_custom(connection: Connection, wanted: str = "") -> Connected:
    """Connect a Xero custom connection: no person gives consent."""
    granted = connection.consent.grant_client_credentials(
        connection.name, admit=lambda given: _admit(connection.app, given, wanted)
    )
    return _settle(connection, granted.tenants, wanted, granted.auth_event_id, who())


def choose(connection: Connection, wanted: str, by: str = "") -> Connected:
    """Choose among the organisations that the consent reaches, by name or id."""
    return _settle(connection, connection.tokens.tenants(), wanted, "", by or who())


def _settle(connection: Connection, tenants: Sequence[Tenant], wanted: str, auth_event_id: str, by: str) -> Connected:
    try:
        tenant = choose_tenant(tenants, wanted, auth_event_id)
    except SyncerError as undecided:
        if undecided.code != "several_organisations":
            raise
        choices = [(one.id, one.name or one.id) for one in tenants if one.type == ORGANISATION]
        return Connected(connection.name, None, choices)
    _select(connection, tenant, by)
    return Connected(connection.name, tenant.name)


def _select(connection: Connection, tenant: Tenant, by: str) -> None:
    """Remember the organisation, and what it says of itself."""
    moves = _check_choice(connection, tenant)
    connection.tokens.choose_organisation(tenant.id)
    connection.__dict__.pop("accounts", None)
    organisation = connection.accounts.organisation()
    now = connection.app.clock.now()
    connection.ledger.save_connection(
        now, AuditEntry(by, "connected"), state="connected", connected_at=now, organisation_id=tenant.id,
        **_told(organisation),
    )  # fmt: skip
    if moves:
        connection.ledger.forget_mirror()
    else:
        _forget_refused_settings(connection)
    obstacles.passes(connection.ledger, XERO)
    _try_source(connection)
    states.decide(connection)


def _forget_refused_settings(connection: Connection) -> None:
    """What Xero would not create for the one who connected before, it may create for the one who connects now."""
    kept = connection.ledger.row("books")
    if kept and (books := books_from(kept["content"])).refused:
        connection.ledger.mirror(kept["read_at"], books=books_text(replace(books, refused={})))


def _check_choice(connection: Connection, tenant: Tenant) -> bool:
    """Whether the connection moves to another organisation; raises Reconnect where this one is not to be chosen."""
    if other := _with(connection, organisation_id=tenant.id):
        raise Reconnect("organisation_taken", organisation=tenant.name, connection=other)
    if _bound_organisation(connection) not in ("", tenant.id):
        # What was linked in one organisation means nothing in another.
        raise _differs(connection, [tenant.name])
    before = connection.ledger.row("connection")
    return before is not None and before["organisation_id"] not in (None, tenant.id)


def _bound_organisation(connection: Connection) -> str:
    """The organisation that invoices of this connection are linked in; empty where none is."""
    before = connection.ledger.row("connection") or {}
    return str(before.get("organisation_id") or "") if connection.ledger.is_bound() else ""


def _differs(connection: Connection, now: Sequence[str]) -> Reconnect:
    before = connection.ledger.row("connection") or {}
    return Reconnect("organisation_differs", before=before["organisation_name"], now=", ".join(now))


def _told(organisation: Organisation) -> dict[str, Any]:
    return {
        "organisation_name": organisation.name,
        "country": organisation.country,
        "base_currency": organisation.base_currency,
        "plan": organisation.plan,
        "short_code": organisation.short_code,
    }


def _try_source(connection: Connection) -> None:
    """Meet CrocoClick as well, so that a wrong token shows now and not in the first run."""
    began = connection.app.clock.now()
    failure: SyncerError | None = None
    try:
        connection.refresh_source()
    except Reconnect as refused:
        failure = refused
        state = refused.code.removeprefix("crococlick_")
        connection.ledger.save_connection(connection.app.clock.now(), source_state=state)
    except SyncerError as found:
        # Unknown for now: the next run asks again and says what it heard.
        failure = found
    connection.drain_calls()
    states.heed(connection, failure, began, obstacles.NOTHING)


def disconnect(connection: Connection, by: str = "") -> None:
    """End the connection at Xero and forget its tokens; the ledger stays."""
    connection.tokens.disconnect()
    deed = AuditEntry(by or who(), "disconnected")
    connection.ledger.save_connection(connection.app.clock.now(), deed, state="not_connected")
    connection.drain_calls()
    obstacles.passes(connection.ledger, XERO)
    states.notice(connection)


def note_failure(connection: Connection, failure: SyncerError | None) -> None:
    """Keep what a run or a look found out about the state of the connection."""
    now = connection.app.clock.now()
    if isinstance(failure, Reconnect):
        if failure.code.startswith("crococlick_"):
            connection.ledger.save_connection(now, source_state=failure.code.removeprefix("crococlick_"))
        elif failure.code in ("not_connected", "consent_revoked", "scope_missing", "wrong_organisation"):
            connection.ledger.save_connection(now, state=failure.code)
    elif failure is None:
        row = connection.ledger.row("connection")
        if row and row["organisation_id"] and row["state"] != "connected":
            connection.ledger.save_connection(now, state="connected")


def status(connection: Connection) -> dict[str, Any]:
    """What `status --json` says, from what is known already: no call is made."""
    row = connection.ledger.row("connection") or {}
    tokens = _tokens(connection)
    last_run = connection.ledger.row("last_sync")
    budget = connection.ledger.row("budget") or {}
    state = row.get("state", "not_connected") if tokens else _without_tokens(row)
    return {
        "connection": connection.name,
        "state": state,
        "organisation": {
            "id": row["organisation_id"],
            "name": row["organisation_name"],
            "country": row["country"],
            "base_currency": row["base_currency"],
            "plan": row["plan"],
        }
        if row.get("organisation_id") and state != "not_connected"
        else None,
        "crococlick": {
            "state": row.get("source_state", "connected"),
            "location": row.get("location_name") or _location_of(connection) or None,
            "timezone": row.get("timezone"),
        },
        "scopes": list(tokens.scopes) if tokens else [],
        "token_expires_at": iso(tokens.expires_at) if tokens else None,
        "calls_left": calls_left(budget, connection.app.clock.now()),
        "last_run": run_summary(last_run) if last_run else None,
        "paused": pause.told(connection.ledger),
    }


def calls_left(budget: Mapping[str, Any], now: datetime) -> dict[str, int | None]:
    """What Xero last said is left; a minute is over after a minute."""
    heard = budget.get("made_at")
    fresh = heard is not None and (now - heard).total_seconds() < 60
    return {"minute": budget.get("minute_left") if fresh else None, "day": budget.get("day_left")}


def _tokens(connection: Connection) -> Any:
    try:
        return connection.tokens.tokens()
    except Reconnect:
        return None


def _without_tokens(row: Mapping[str, Any]) -> str:
    return "consent_revoked" if row.get("state") == "consent_revoked" else "not_connected"


def look_again(connection: Connection) -> dict[str, Any]:
    """`status`, after asking both sides how they are: one call each."""
    began = connection.app.clock.now()
    failure: SyncerError | None = None
    try:
        connection.refresh_source()
        organisation = connection.accounts.organisation()
        now = connection.app.clock.now()
        connection.ledger.save_connection(now, state="connected", **_told(organisation))
    except (Reconnect, TryLater) as found:
        failure = found
    note_failure(connection, failure)
    connection.drain_calls()
    states.heed(connection, failure, began, obstacles.NOTHING)
    return status(connection)


def add(app: App, name: str, location_id: str, token: str, by: str = "") -> Connection:
    """A further connection, or a new token for one that is there: it goes to the vault; raises WrongUsage."""
    name, location_id, token = name.strip(), location_id.strip(), token.strip()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) or name == DEFAULT:
        raise WrongUsage(f"A connection's name has letters, digits, - and _ only, and is not default; {name!r} is not.")
    if not location_id or not token:
        raise WrongUsage("A connection needs the id of its CrocoClick location, and that location's token.")
    connection = Connection(app, name)
    before = connection.ledger.row("connection")
    if before and before["location_id"] not in (None, location_id):
        raise WrongUsage(f"The connection {name} is for the location {before['location_id']}: give another name.")
    if other := _with(connection, location_id=location_id):
        raise WrongUsage(f"The location {location_id} has a connection already, named {other}.")
    app.vault.put(f"crococlick:{name}", {"location_id": location_id, "token": token})
    deed = AuditEntry(by or who(), "token_changed" if before else "connection_added")
    connection.ledger.save_connection(app.clock.now(), deed, location_id=location_id, source_state="connected")
    _try_source(connection)
    return connection


def _with(connection: Connection, **wanted: str) -> str:
    """The name of another connection that has this location or this organisation already; nothing where none has."""
    for other in connection.app.connections():
        known = {"location_id": _location_of(other), **(other.ledger.row("connection") or {})}
        known["location_id"] = known["location_id"] or _location_of(other)
        if other.name != connection.name and all(known.get(name) == value for name, value in wanted.items()):
            return other.name
    return ""


def _location_of(connection: Connection) -> str:
    """The CrocoClick location that a connection is for."""
    row = connection.ledger.row("connection") or {}
    ours = connection.app.environment.crococlick_location_id if connection.name == DEFAULT else ""
    return ours or str(row.get("location_id") or "")
