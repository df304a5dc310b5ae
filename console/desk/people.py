"""Who asks, what they may, who else may what, and what everybody did: a part of the desk."""

import csv
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import streamlit as st

from syncer.app.environment import Provider, provider
from syncer.app.installation import App, who
from syncer.domain import access as access_domain
from syncer.domain.access import ADMIN, ROLES, Right
from syncer.domain.errors import WrongUsage
from syncer.messages import access as access_messages
from syncer.reports.files import as_text
from syncer.storage.ledger.writer import AuditEntry

AUDITED = 500  # rows on the page; the file has them all
ALL_ROWS = 1_000_000
MOST = timedelta(days=31)  # longer than any sign-in lasts

__all__ = ["ROLES", "NotAllowed", "PeopleDesk", "Right", "Visitor"]


class NotAllowed(WrongUsage):
    """Somebody asked for what is not theirs to ask; nothing was done."""


@dataclass(frozen=True)
class Visitor:
    """Who asks: the name that orders are recorded under, and why nobody is known where it is empty."""

    name: str
    is_here: bool = False  # sits at this machine, or is the console itself: nobody signs in
    trouble: str = ""  # a code of messages/access.TROUBLES
    mark: str = ""  # of this very sign-in
    until: datetime | None = None  # when the sign-in ends


ITSELF = Visitor("console", is_here=True)


def provider_of(app: App) -> Provider | None:
    """The sign-in that is configured, if any; raises WrongUsage where it is configured by half."""
    return provider(app.environment)


def present(app: App, now: datetime) -> Visitor:
    """Who looks at the page that is being drawn."""
    configured = provider_of(app)
    if configured is None:
        return Visitor(who(), is_here=True)
    return still(app, of_claims(dict(st.user), configured, now))


def still(app: App, visitor: Visitor) -> Visitor:
    """The same, unless this very sign-in was ended: in another tab, or before it was copied."""
    if visitor.mark and visitor.until and app.register.ended(visitor.mark, visitor.until - MOST):
        return Visitor("", trouble="signed_out")
    return visitor


def of_claims(claims: Mapping[str, Any], configured: Provider, now: datetime) -> Visitor:
    """Who somebody is by what the provider says; an email that it has not verified says nothing."""
    if claims.get("is_logged_in") is not True:
        return Visitor("", trouble="not_signed_in")
    email = access_domain.plain(str(claims.get("email") or ""))
    if not email:
        return Visitor("", trouble="no_email")
    said = claims.get("email_verified", configured.trusts_email)
    if said is not True and said != "true":  # Some providers write it as text.
        return Visitor("", trouble="unverified")
    try:
        began = datetime.fromtimestamp(float(claims["iat"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return Visitor("", trouble="ended")
    until = began + timedelta(hours=configured.hours)
    if now >= until:
        return Visitor("", trouble="ended")
    return Visitor(email, mark=_mark(claims), until=until)


def _mark(claims: Mapping[str, Any]) -> str:
    """A name for this sign-in that says nothing of it."""
    told = json.dumps([claims.get(name) for name in ("iss", "sub", "iat", "nonce")], default=str)
    return blake2b(told.encode(), digest_size=12).hexdigest()


def right_of(app: App, visitor: Visitor, now: datetime) -> Right | None:
    """What they may at this moment: read from the ledger each time, so that what is taken away is gone at once."""
    if visitor.is_here:
        return Right(visitor.name, ADMIN)
    configured = provider_of(app)
    if configured is None or not visitor.name or (visitor.until and now >= visitor.until):
        return None
    return access_domain.right_of(visitor.name, app.register.rights(), configured.admins)


def refusal(right: Right | None, action: str) -> NotAllowed:
    """Why somebody may not."""
    return NotAllowed(access_messages.refused(action, right.role if right else access_domain.NONE, right))


@dataclass(frozen=True)
class PeopleDesk:
    """People and the audit trail; `allow` raises NotAllowed, `right` is that of the visitor."""

    app: App
    by: str
    now: datetime
    right: Right | None
    allow: Callable[[str], None]

    @property
    def signs_in(self) -> bool:
        """Whether people sign in here at all."""
        return provider_of(self.app) is not None

    def named(self) -> list[dict[str, Any]]:
        """Everybody whose rights are known, those named by the installation first."""
        self.allow("change_person")
        configured = provider_of(self.app)
        admins = configured.admins if configured else ()
        fixed = [{"who": access_domain.plain(one), "role": ADMIN, "fixed": True} for one in admins]
        taken = {one["who"] for one in fixed}
        kept = [row for row in self.app.register.people() if row["who"] not in taken]
        return [*fixed, *({**row, "connections": json.loads(row["connections"] or "null")} for row in kept)]

    def change(self, who_: str, role: str, connections: Collection[str] | None) -> str:
        """Say what somebody may; raises WrongUsage, and then nothing is changed."""
        self.allow("change_person")
        name = access_domain.plain(who_)
        if not access_domain.is_person(name):
            raise WrongUsage("Write an email such as anna@example.com, or everybody of a domain as @example.com.")
        if role not in ROLES:
            raise WrongUsage(f"There is no role {role!r}.")
        if connections is not None and not connections:
            raise WrongUsage("Choose at least one connection, or all.")
        configured = provider_of(self.app)
        if configured and name in map(access_domain.plain, configured.admins):
            raise WrongUsage(f"{name} is an admin by CONSOLE_ADMINS; change it there.")
        limit = None if connections is None else frozenset(connections)
        self.app.register.change(Right(name, role, limit), self.by, self.now)
        return access_messages.changed(name, role, limit)

    def remove(self, who_: str) -> str:
        """Take away what somebody may."""
        self.allow("change_person")
        self.app.register.remove(access_domain.plain(who_), self.by, self.now)
        return f"{access_domain.plain(who_)} is not named any more."

    # -- what people did ------------------------------------------------------------------------------------------

    def audit(self, asked: Mapping[str, Any], limit: int = AUDITED) -> list[dict[str, Any]]:
        """What people did, newest first, as far as the visitor may see it."""
        self.allow("see")
        limits = self.right.connections if self.right else frozenset()
        visible = None if limits is None else sorted(limits)
        return self.app.register.audit({**asked, "visible": visible}, limit)

    def choices(self) -> tuple[list[str], list[str]]:
        """The people and actions to filter by; only for those who see everything."""
        self.allow("see")
        if self.right and self.right.connections is not None:
            rows = self.audit({}, ALL_ROWS)
            return sorted({row["by_whom"] for row in rows}), sorted({row["what"] for row in rows})
        return self.app.register.choices()

    def csv(self, asked: Mapping[str, Any]) -> bytes:
        """The same as a table to take away; itself a row of the audit trail."""
        self.allow("export")
        rows = self.audit(asked, ALL_ROWS)
        self.app.register.note(AuditEntry(self.by, "exported"), self.now, "audit trail")
        file = io.StringIO()
        lines = csv.writer(file)
        names = ("happened_at", "by_whom", "connection", "what", "subject", "before", "after")
        lines.writerow(names)
        for row in rows:
            lines.writerow([_cell(row[name]) for name in names])
        return file.getvalue().encode()


def _cell(value: Any) -> str:
    """One cell; what has parts is JSON."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return as_text(json.dumps(value, ensure_ascii=False), "")
    return as_text(value, "")
