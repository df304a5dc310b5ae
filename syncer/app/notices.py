"""Notices: what a person is told without asking is sent where it was not sent yet, and kept once it was taken."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from syncer.app.installation import App, Connection
from syncer.connectors.notice_channels import NoticeChannel
from syncer.domain import notices
from syncer.domain import settings as conf
from syncer.domain.errors import LedgerBusy, SyncerError
from syncer.domain.notices import Notice, Situation, Step, Told
from syncer.messages import notices as words

EVERY_S = 60.0


@dataclass
class NoticeWatch:
    """Looks for one connection's notices: after a run at once, else once a minute; so too where an address is down."""

    connection: Connection
    _at: float = -EVERY_S
    _failed: bool = False

    def turn(self, has_run: bool) -> None:
        """Send what is due. Where the ledger is busy, or no address takes it, the next look does."""
        if not self.connection.app.environment.notify_urls:
            return
        now = time.monotonic()
        if now - self._at < EVERY_S and (self._failed or not has_run):
            return
        self._failed = True
        with suppress(SyncerError):
            self._failed = not look(self.connection)
        self._at = time.monotonic()


def look(connection: Connection) -> bool:
    """Send what is due to each address; False where one did not take it, which gets it with a later look.

    Costs nothing where no address is set.
    """
    if not connection.app.environment.notify_urls:
        return True
    # Each look reads what was told and writes it when it is sent: a second one meanwhile would send the same.
    with suppress(LedgerBusy), connection.alone("notices", 0.0):
        found = _Found.of(connection)
        taken = [found.tell(channel) for channel in connection.app.channels] if found else []
        return all(taken)
    return True


def after_run(connection: Connection) -> None:
    """The same once a command's run has ended, whose result stands whatever becomes of a notice."""
    with suppress(SyncerError):
        look(connection)


def due(connection: Connection) -> dict[str, list[str]]:
    """The titles of what the next look would send, by the masked address."""
    found = _Found.of(connection)
    return {
        channel.name: [found.message(one.notice)[0] for one in found.steps(channel) if one.notice] if found else []
        for channel in connection.app.channels
    }


def kinds(connection: Connection) -> Sequence[str]:
    """Which notices the connection's settings ask for."""
    wanted: Sequence[str] = conf.value_of(connection.settings(), "notify")
    return wanted


def test(app: App) -> list[tuple[NoticeChannel, bool]]:
    """Send a test to each address; which of them took it."""
    return [(channel, channel.send(*words.test_message())) for channel in app.channels]


@dataclass(frozen=True)
class _Found:
    """What is so now of a connection, and the figures that messages tell."""

    connection: Connection
    situation: Situation
    held: dict[str, words.Sum]
    kinds: Sequence[str]

    @classmethod
    def of(cls, connection: Connection) -> "_Found | None":
        """As the ledger has it; None while the connection is being set up, when nobody expects anything yet."""
        ledger = connection.ledger
        row, ended = ledger.row("connection"), ledger.row("last_end")
        if row is None or ended is None or ended["at"] is None:
            return None
        held: dict[str, words.Sum] = {}
        for one in ledger.rows("held_by_cause"):
            held.setdefault(one["cause"], words.Sum()).add(one["invoices"], one["money"], one["currency"])
        obstacles = frozenset(one.code for one in ledger.obstacles() if not one.heals)
        now = connection.app.clock.now()
        situation = Situation(now, _zone(row["timezone"]), _utc(ended["at"]), frozenset(held), obstacles)
        return cls(connection, situation, held, kinds(connection))

    def steps(self, channel: NoticeChannel) -> list[Step]:
        """What this address is to be told."""
        row = self.connection.ledger.row("notice_told", channel=channel.name)
        told = notices.told_from(row["told"]) if row else Told()
        return notices.wanted(notices.steps(told, self.situation), self.kinds)

    def tell(self, channel: NoticeChannel) -> bool:
        """Send it, and keep what was taken; False where the address takes nothing: the rest waits, in order."""
        for one in self.steps(channel):
            title, text = self.message(one.notice) if one.notice else ("", "")
            if one.notice and not channel.send(title, text):
                return False
            kind = one.notice.kind if one.notice else ""
            now = self.connection.app.clock.now()
            self.connection.ledger.keep_notice(channel.name, notices.told_text(one.told), kind, title, text, now)
        return True

    def message(self, notice: Notice) -> tuple[str, str]:
        """Its words."""
        went_over, zone = words.Sum(), self.situation.zone
        if notice.days:
            begin, end = notices.instants(notice.days, zone)
            for row in self.connection.ledger.rows("went_over", begin=begin, end=end):
                went_over.add(row["invoices"], row["money"], row["currency"])
        last_end = self.situation.last_end.astimezone(zone)
        return words.message(
            notice, words.Facts(self.connection.name, self.held, sorted(self.situation.obstacles), went_over, last_end)
        )


def lately(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """What was sent, newest first."""
    return connection.ledger.rows("notices_sent", limit=limit)


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError):  # not a zone of this machine
        return UTC


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
