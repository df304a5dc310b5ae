"""A world whose time stands still until somebody moves it, with the commands as a terminal has them, and a kill -9.

Everything of one walk comes from its own steps: ids and time are the same each time, and nothing waits.
"""

import contextlib
import io
import json
import random
import shutil
import threading
import uuid
from datetime import UTC, datetime, timedelta

from sandbox.crococlick import records
from sandbox.server import Sandbox
from sandbox.xero import books
from syncer.app.installation import App
from syncer.cli.command import function
from syncer.cli.output import FAILED, LATER, NOT_CONNECTED, USAGE, Out
from syncer.cli.parser import parser
from syncer.domain.errors import Reconnect, SyncerError, TryLater, WrongUsage
from syncer.storage.database.store import Store
from tests.support.sync_world import World

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
PARSER = parser()


class Still:
    """One time for both services and the product; a wait passes at once."""

    def __init__(self, start=START):
        self._now, self._lock = start, threading.Lock()

    def now(self):
        """The moment; each question is a millisecond later than the one before."""
        with self._lock:
            self._now += TICK
            return self._now

    def sleep(self, seconds):
        """Let this much time pass at once."""
        with self._lock:
            self._now += timedelta(seconds=max(0, seconds))

    def seconds(self):
        """The moment for the sandbox."""
        with self._lock:
            return self._now.timestamp()


class Killed(BaseException):
    """The process is gone: kill -9."""


class Mortal(Store):
    """A ledger whose process dies right before or after a commit, and does nothing after that."""

    commits_left: int | None = None
    after = False
    dead = False

    def die(self, commits_left, after):
        """Die at one of the next commits, 0 being the very next, before it or right after it."""
        self.commits_left, self.after = commits_left, after

    def live_on(self):
        """The run was over before its time had come."""
        self.commits_left = None

    def transaction(self, fn):
        """A transaction, if there is time for it."""
        if self.dead:
            raise Killed
        if self.commits_left is None:
            return super().transaction(fn)
        self.commits_left -= 1
        self.dead = self.commits_left < 0
        if self.dead and not self.after:
            raise Killed
        result = super().transaction(fn)
        if self.dead:
            raise Killed
        return result


class TruthWorld(World):
    """The world of the stories, in still time."""

    def __init__(self, box, folder, clock):
        super().__init__(box, folder)
        self.clock = clock
        self.begin_again()

    def begin_again(self):
        """A new process on the same data directory."""
        self.app = App(self.app.environment, clock=self.clock)
        store = self.app.store
        self.app.__dict__["store"] = Mortal(store.path, self.clock)

    def prepare(self):
        """The settings that somebody makes, and one call after the other."""
        [bank] = [one for one in self.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
        self.set(revenue_account="706", payment_account__EUR=bank["AccountID"])
        self.set(calls_in_flight="1", calls_per_minute="6000")

    def later(self, **passed):
        """Let time pass for everybody."""
        self.clock.sleep(timedelta(**passed).total_seconds())

    def command(self, *words):
        """A command with `--json`: its exit status, its answer, and the sentence or traceback where it failed."""
        asked = PARSER.parse_args([*words, "--json"])
        asked.only, asked.connection = asked.connection, asked.connection or "default"
        told = io.StringIO()
        try:
            with contextlib.redirect_stdout(told):
                status = function(asked.command)(self.app, asked, Out(True))
        except WrongUsage:
            return USAGE, None
        except Reconnect:
            return NOT_CONNECTED, None
        except TryLater:
            return LATER, None
        except SyncerError:
            return FAILED, None
        return status, json.loads(told.getvalue())

    def states(self):
        """The rows of the analysis table of invoices."""
        self.app.analysis.refresh()
        with self.app.analysis.open() as connection:
            found = connection.execute("SELECT crococlick_id, state, cause FROM invoices")
            return [dict(zip(("crococlick_id", "state", "cause"), row, strict=True)) for row in found.fetchall()]


class _Ids(random.Random):
    """Ids out of a seed, in the place of `secrets` and `uuid`."""

    def token_hex(self, size):
        return f"{self.getrandbits(size * 8):0{size * 2}x}"

    def uuid4(self):
        return uuid.UUID(int=self.getrandbits(128), version=4)


@contextlib.contextmanager
def same_ids(seed=1):
    """Meanwhile both services give the same ids each time."""
    before = records.secrets, books.uuid
    records.secrets = books.uuid = _Ids(seed)
    try:
        yield
    finally:
        records.secrets, books.uuid = before


@contextlib.contextmanager
def still_world(folder, connected):
    """A connected world in still time, in `folder`; `connected` is what `connected_still` left in its own."""
    clock = Still()
    shutil.copytree(connected, folder, dirs_exist_ok=True)
    with same_ids(), Sandbox(world="empty", limits=False, clock=clock.seconds) as box:
        world = TruthWorld(box, folder, clock)
        grant_again(world)
        yield world


def grant_again(world):
    """Consent by somebody, as connecting in the console ends: tokens in the vault."""
    given, now = world.xero.grant(), world.clock.now()
    kept = world.app.vault.get("xero:default") or {}
    kept.pop("revoked_at", None)
    fresh = {name: given[name] for name in ("access_token", "refresh_token")}
    until = now + timedelta(seconds=given["expires_in"])
    fresh |= {"expires_at": until.isoformat(), "obtained_at": now.isoformat()}
    world.app.vault.put("xero:default", kept | fresh)


def connected_still(folder):
    """What a connection leaves in the data directory; gives the folder."""
    with Sandbox(world="empty", limits=False, clock=Still(START - timedelta(hours=1)).seconds) as box:
        world = TruthWorld(box, folder, Still(START - timedelta(hours=1)))
        world.connect()
        world.prepare()
    return folder
