"""The one place that knows real from fake: settings to clients, ledger, vault and clock."""

import getpass
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from syncer.app import environment as environment_app
from syncer.app.clock import SystemClock
from syncer.app.environment import Environment
from syncer.connectors.crococlick.client import CrocoClick
from syncer.connectors.http import call_id
from syncer.connectors.xero import error_messages
from syncer.connectors.xero.auth import Consent, Identity, TokenSource, XeroApp
from syncer.connectors.xero.client import XeroAccounts
from syncer.connectors.xero.rate_limit import Pacer
from syncer.connectors.xero.shared_limits import Shared
from syncer.connectors.xero.wire import document_size
from syncer.domain import settings as conf
from syncer.domain.errors import LedgerBusy, Reconnect, SyncerError, TryLater, WrongUsage
from syncer.domain.model.obstacle import CROCOCLICK, XERO
from syncer.domain.model.sync_settings import Rules
from syncer.domain.ports import Accounts, Clock
from syncer.domain.settings import DEFAULT, Pace
from syncer.storage.analysis.copy import Analysis
from syncer.storage.call_log import Calls
from syncer.storage.database.store import Store, ledger_path
from syncer.storage.file_lock import FileLock
from syncer.storage.ledger.access_and_audit import Register
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.payloads import Bodies
from syncer.storage.processes import lives
from syncer.storage.seal import FileSeal
from syncer.storage.vault import FileVault
from syncer.storage.webhook_inbox import Inbox
from syncer.support.explain import Story, story
from syncer.support.runs import result_of_import, result_of_run
from syncer.support.search import find
from syncer.sync import invoice_state, obstacles
from syncer.sync.contact_import import Import, Report
from syncer.sync.contact_ingest import ContactReading
from syncer.sync.context import Doors, Foreseen, Orders, Tell
from syncer.sync.run import Outcome, Run, Seen

# A watch makes way for what a person asks for after the calls that are under way.
PATIENCE_S = 10.0
# Of the sweeps that found nothing to do one is kept for each hour, besides the last.
KEPT_IDLE = timedelta(hours=1)
ASKED_BY = "SYNCER_ASKED_BY"  # the console tells a command it starts on whose word that is


def who() -> str:
    """The name that orders and settings of this process are recorded under."""
    try:
        return os.environ.get(ASKED_BY) or getpass.getuser()
    except (KeyError, OSError):
        return "terminal"


class App:
    """Everything of one installation, opened when first asked for."""

    def __init__(self, environment: Environment, clock: Clock | None = None, patience_s: float = 0.0) -> None:
        """`patience_s`: how long what a person asked for waits for a run that is at work."""
        self.environment = environment
        self.clock = clock or SystemClock()
        self.patience_s = patience_s

    @classmethod
    def open(cls) -> "App":
        """The installation that the environment and `.env` describe."""
        return cls(environment_app.environment(), patience_s=PATIENCE_S)

    @cached_property
    def store(self) -> Store:
        """The ledger's file."""
        path = ledger_path(self.environment.ledger_url, environment_app.ROOT)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Store(path, self.clock)

    @cached_property
    def register(self) -> Register:
        """Who may do what, and what people did."""
        return Register(self.store)

    @cached_property
    def vault(self) -> FileVault:
        """Where secrets are."""
        self.environment.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileVault(self.environment.data_dir, self.environment.secret_key)

    @cached_property
    def bodies(self) -> Bodies:
        """Where requests and answers are."""
        return Bodies(self.environment.data_dir / "bodies")

    @cached_property
    def inbox(self) -> Inbox:
        """Events of CrocoClick that nobody has acted on yet."""
        return Inbox(self.environment.data_dir / "inbox")

    @cached_property
    def analysis(self) -> Analysis:
        """The analysis tables."""
        return Analysis(self.store, self.environment.data_dir / "analysis.duckdb")

    def connection(self, name: str = DEFAULT) -> "Connection":
        """One connection; raises WrongUsage for a name that nobody connected."""
        connection = Connection(self, name)
        if name != DEFAULT and connection.ledger.row("connection") is None:
            raise WrongUsage(f"There is no connection named {name!r}. See `python -m syncer status`.")
        return connection

    def connections(self) -> list["Connection"]:
        """Every connection, the default one first: it is there from the start where the environment has its token."""
        names = [row["connection"] for row in Ledger(self.store, DEFAULT).rows("connections")]
        if DEFAULT not in names and (self.environment.crococlick_token or not names):
            names = [DEFAULT, *names]
        return [Connection(self, name) for name in names]


@dataclass(frozen=True)
class Source:
    """Where a connection's CrocoClick data comes from."""

    location_id: str
    token: str


class Connection:
    """One CrocoClick location ↔ one Xero organisation, with the clients that reach them."""

    def __init__(self, app: App, name: str) -> None:
        self.app = app
        self.name = name
        self.ledger = Ledger(app.store, name)
        self.calls = Calls(name, app.bodies)

    @property
    def source(self) -> Source:
        """The location and its token: the vault's, for the default connection the environment's; raises Reconnect."""
        environment = self.app.environment
        if self.name == DEFAULT and environment.crococlick_token:
            return Source(environment.crococlick_location_id, environment.crococlick_token)
        stored = self.app.vault.get(f"crococlick:{self.name}")
        if not stored:
            raise Reconnect("crococlick_not_connected", connection=self.name)
        return Source(stored["location_id"], stored["token"])

    @cached_property
    def identity(self) -> Identity:
        """Xero's login for our app; raises Reconnect where no app is configured."""
        environment = self.app.environment
        if not environment.xero_client_id:
            raise Reconnect("xero_app_missing")
        app = XeroApp(
            client_id=environment.xero_client_id,
            client_secret=environment.xero_client_secret or None,
            redirect_uri=environment.xero_redirect_uri,
            api_url=environment.xero_api_url,
            login_url=environment.xero_login_url,
            identity_url=environment.xero_identity_url,
        )
        return Identity(app, self.calls, self.app.clock)

    @property
    def consent(self) -> Consent:
        """Asking a person for consent."""
        return Consent(self.identity, self.app.vault, self.app.clock)

    @cached_property
    def tokens(self) -> TokenSource:
        """This connection's Xero tokens."""
        return TokenSource(self.name, self.identity, self.app.vault, self.app.clock)

    @cached_property
    def crm(self) -> CrocoClick:
        """CrocoClick's client."""
        source = self.source
        url = self.app.environment.crococlick_api_url
        return CrocoClick.open(url, source.token, source.location_id, self.calls, self.app.clock)

    @cached_property
    def accounts(self) -> XeroAccounts:
        """Xero's client; raises Reconnect where nothing is connected."""
        tokens = self.tokens.tokens()
        if tokens is None or not tokens.tenant_id:
            raise Reconnect("not_connected")
        return XeroAccounts.open(
            self.app.environment.xero_api_url,
            tokens.tenant_id,
            self.tokens,
            self.pacer(tokens.tenant_id),
            self.calls,
            self.app.clock,
            self.tokens.others_connected,
        )

    def settings(self) -> dict[str, str | None]:
        """The settings that somebody made."""
        return {row["key"]: row["value"] for row in self.ledger.rows("settings")}

    def rules(self, changes: Mapping[str, str | None] | None = None) -> Rules:
        """What the planner may rely on; with `changes`, as if these settings were so."""
        row = self.ledger.row("connection")
        location_id = row["location_id"] if row and row["location_id"] else self.app.environment.crococlick_location_id
        return conf.rules({**self.settings(), **(changes or {})}, location_id)

    def pace(self) -> Pace:
        """The limits in force."""
        return conf.pace(self.settings())

    def pacer(self, organisation: str) -> Pacer:
        """Turns to call an organisation, shared with the other processes of this machine."""
        pace = self.pace()
        return Pacer(
            self.app.clock,
            calls_per_minute=pace.per_minute,
            calls_per_day=pace.per_day,
            calls_in_flight=pace.in_flight,
            board=Shared(self.app.environment.data_dir / "pace" / f"{organisation}.json"),
            lives=lives,
        )

    def orders(self, **asked: Any) -> Orders:
        """What a run is asked for, within the limits and settings in force."""
        stored = self.settings()
        pace = conf.pace(stored)
        return Orders(
            recent_days=conf.value_of(stored, "recent_days"),
            in_flight=pace.in_flight,
            left_to_daily_work=1 - pace.backfill_share,
            **asked,
        )

    @contextmanager
    def alone(self, with_what: str = "run", patience_s: float | None = None) -> Iterator[None]:
        """Hold the connection's run lock, or another one; raises LedgerBusy when it is held too long by others."""
        wait_s = self.app.patience_s if patience_s is None else patience_s
        with ExitStack() as stack:
            try:
                stack.enter_context(self._lock(with_what).held_alone(wait_s))
            except LedgerBusy as busy:
                raise LedgerBusy(f"{with_what}_under_way", connection=self.name) from busy
            yield

    def is_waited_for(self) -> bool:
        """Whether somebody waits for the run at work to end, to begin another."""
        return self._lock("run").is_wanted()

    def _lock(self, of_what: str) -> FileLock:
        folder = self.app.environment.data_dir / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / (self.name if of_what == "run" else f"{self.name}.{of_what}"))

    def doors(self, accounts: Accounts | None = None) -> Doors:
        """What a run reaches the world through; raises Reconnect where nothing is connected."""
        clock = self.app.clock
        return Doors(
            crm=self.crm,
            accounts=accounts or self.accounts,
            ledger=self.ledger,
            clock=clock,
            drain_calls=self.calls.drain,
            new_call_id=lambda: call_id(clock.now()),
            read_complaints=error_messages.read,
            document_size=document_size,
            seal=FileSeal(self.app.environment.data_dir / "runs" / f"{self.name}.seal"),
        )

    def run(
        self,
        orders: Orders,
        asked_by: str,
        tell: Tell,
        stop: Callable[[], bool],
        patience_s: float | None = None,
        stopped_as: Callable[[], str] = lambda: "stopped",
    ) -> Outcome:
        """One run, from its row in the ledger to its result; raises LedgerBusy when another is at work for too long.

        `stopped_as` is the word for its end where it was `stop` that ended it.
        """
        clock = self.app.clock
        run_id = self._new_run_id()
        with self.alone(patience_s=patience_s):
            began = clock.now()
            self.ledger.begin_run(run_id, orders.scope, asked_by, os.getpid(), began)
            outcome = Outcome(run_id, "failed")
            try:
                self.refresh_source()
                if not orders.patient:
                    self.accounts.ask_again()
                outcome = Run(run_id, self.doors(), self.rules(), orders, tell, stop).perform()
            except TryLater as failure:
                outcome.ended, outcome.failure = "deferred", failure
            except SyncerError as failure:
                outcome.failure = failure
            finally:
                if outcome.ended == "stopped":
                    outcome.ended = stopped_as()
                self._close(outcome, orders, began)
        return outcome

    def import_contacts(self, asked_by: str, tell: Tell, stop: Callable[[], bool], dry_run: bool = False) -> Report:
        """One import of contacts, from its row in the ledger to its result; raises LedgerBusy when a run is at work."""
        clock = self.app.clock
        run_id = self._new_run_id()
        with self.alone():
            scope, began = "dry run" if dry_run else "", clock.now()
            self.ledger.begin_run(run_id, scope, asked_by, os.getpid(), began, "import")
            report = Report(run_id, dry_run, "failed")
            try:
                self.refresh_source()
                rules = conf.import_rules(self.settings())
                report = Import(run_id, self.doors(), rules, tell, stop, dry_run).perform()
            except TryLater as failure:
                report.ended, report.failure = "deferred", failure
            except SyncerError as failure:
                report.failure = failure
            finally:
                self.drain_calls(run_id)
                self.heed(report.failure, began, obstacles.NOTHING)
                cause = report.failure.code if report.failure else None
                result = result_of_import(self.ledger, report)
                self.ledger.finish_run(run_id, report.ended, cause, result, clock.now())
        return report

    def look_at_contacts(self, tell: Tell, stop: Callable[[], bool]) -> None:
        """Bring both sides' contacts up to date and write to neither; raises LedgerBusy, TryLater, Reconnect."""
        with self.alone(), self._heeding(obstacles.NOTHING):
            self.refresh_source()
            reading = ContactReading(self.doors(), tell, stop)
            reading.xero()
            if not stop():
                reading.crococlick()

    def look(self, orders: Orders, tell: Tell, stop: Callable[[], bool]) -> Seen:
        """Read both sides and write to neither; raises LedgerBusy when a run is at work, TryLater, Reconnect, HaltRun.

        CrocoClick is read first: what it has is known afterwards even where Xero cannot be read.
        """
        with self.alone(), self._heeding(obstacles.BY_LOOK, stop):
            self.refresh_source()
            return Run("", self.doors(self._accounts_if_any()), self.rules(), orders, tell, stop).look()

    def foresee(self, orders: Orders, tell: Tell, stop: Callable[[], bool]) -> Foreseen:
        """Read what such a run would read and write to neither side; raises what `look` raises."""
        with self.alone(), self._heeding(obstacles.BY_LOOK, stop):
            self.refresh_source()
            return Run("", self.doors(self._accounts_if_any()), self.rules(), orders, tell, stop).foresee()

    def search(self, what: str) -> int:
        """Take in what CrocoClick finds for `what`, also without Xero; raises TryLater, Reconnect, HaltRun.

        No run has to end for it: it writes what a reading writes, in one transaction.
        """
        with self._heeding(obstacles.BY_SEARCH):
            self.refresh_source()
            found = Run("", self.doors(self._accounts_if_any()), self.rules(), Orders()).search(what)
            self.ledger.take_customers(self.app.clock.now())
            if ids := [row["source_id"] for row in find(self.ledger, what)]:
                self.decide(ids)
            return found

    def _accounts_if_any(self) -> Accounts:
        """Xero's client; where nothing is connected one that raises Reconnect when it is first asked."""
        try:
            return self.accounts
        except Reconnect as missing:
            return cast(Accounts, Unreachable(missing))

    # -- what stands in the way of everything, and what follows for each invoice --------------------------------------

    @contextmanager
    def _heeding(self, kind: frozenset[str], stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Keep what an errand learns about the connection, and decide anew what depends on what it has read.

        A search decides what it has found by itself.
        """
        began = self.app.clock.now()
        failure: SyncerError | None = None
        try:
            yield
        except SyncerError as found:
            failure = found
            raise
        finally:
            self.drain_calls()
            self.heed(failure, began, kind, not stop())
            if kind != obstacles.BY_SEARCH:
                self.decide()

    def heed(self, failure: SyncerError | None, began: datetime, kind: frozenset[str], is_done: bool = True) -> None:
        """Keep what an errand of this kind that began then has met and, where it came to its end, has disproved."""
        recent_days = conf.value_of(self.settings(), "recent_days")
        obstacles.note(self.ledger, failure, began, self.app.clock.now(), kind, recent_days, is_done)

    def notice(self) -> None:
        """Bring the record of what stands in the way up to date with what is known without a call."""
        missing, present = {}, {}
        for side, missing_in, codes in (
            (XERO, self._missing_in_xero, {"not_connected", "xero_app_missing", "vault_unreadable"}),
            (CROCOCLICK, self._missing_in_crococlick, {"crococlick_not_connected"}),
        ):
            code = missing_in()
            if code:
                missing[side] = code
            present[side] = frozenset(codes - {code})
        obstacles.look(self.ledger, self.app.clock.now(), missing, present)

    def _missing_in_xero(self) -> str:
        """Why Xero cannot even be asked, as a cause; nothing where it can."""
        try:
            tokens = self.tokens.tokens()
        except Reconnect as missing:
            return missing.code
        return "" if tokens and tokens.tenant_id else "not_connected"

    def _missing_in_crococlick(self) -> str:
        try:
            return "" if self.source.token else "crococlick_not_connected"
        except Reconnect as missing:
            return missing.code

    def decide(self, ids: Sequence[str] = ()) -> None:
        """Decide anew, without a call, what has not gone over: after settings, orders or a reading have changed it."""
        invoice_state.decide_anew(self.ledger, self.rules(), self.app.clock.now(), ids)

    def explain(self, row: Mapping[str, Any]) -> Story:
        """The story of an invoice that was found; what it decides anew is what every list says from then on."""
        self.notice()
        told = self.app.store.read(lambda _: story(self.ledger, self.rules(), row))
        if told.decided and told.moved:
            invoice_state.keep(self.ledger, [(told.known, told.decided)], self.app.clock.now())
        return told

    def look_at_customers(self, ids: Sequence[str]) -> list[str]:
        """Take in these CrocoClick contacts as they are now; answers with their invoices that are not settled.

        Raises TryLater, Reconnect, LedgerBusy.
        """
        if self.ledger.watermark("source_contacts"):
            found = [one for one in map(self.crm.contact, ids) if one]
            self.ledger.see_contacts(found, self.app.clock.now())
        return [row["source_id"] for row in self.ledger.rows("open_of_contacts", contacts=list(ids))]

    def refresh_source(self) -> None:
        """Ask CrocoClick who we are talking to: its name and time zone, by which dates are read."""
        location = self.crm.location()
        found: dict[str, Any] = {
            "location_id": location.id,
            "location_name": location.name,
            "timezone": location.timezone,
            "source_state": "connected",
        }
        known = self.ledger.row("connection") or {}
        if any(known.get(name) != value for name, value in found.items()):
            self.ledger.save_connection(self.app.clock.now(), **found)

    def forget_bodies(self) -> None:
        """Delete the requests and answers, and what personal data they hold, that are kept for long enough."""
        kept = timedelta(days=conf.value_of(self.settings(), "retention_days"))
        self.app.bodies.forget_before((self.app.clock.now() - kept).date(), self.name)

    def close(self) -> None:
        """Let the connections to both services go."""
        for client in (self.__dict__.pop("crm", None), self.__dict__.pop("accounts", None)):
            if client:
                client.close()

    def _new_run_id(self) -> str:
        return f"{self.app.clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    def drain_calls(self, run_id: str = "") -> None:
        """Write down the calls that were made and that nobody has committed yet."""
        if calls := self.calls.drain():
            self.ledger.commit(run_id, self.app.clock.now(), calls=calls)

    def _close(self, outcome: Outcome, orders: Orders, began: datetime) -> None:
        self.drain_calls(outcome.run_id)
        kind = obstacles.BY_RUN_OF_FEW if orders.only else obstacles.BY_RUN
        self.heed(outcome.failure, began, kind, outcome.ended == "done")
        self._decide_what_is_left(outcome, orders)
        cause = outcome.failure.code if outcome.failure else None
        result = result_of_run(self.ledger, outcome, orders.only)
        self.ledger.finish_run(outcome.run_id, outcome.ended, cause, result, self.app.clock.now())
        self.forget_bodies()
        if orders.patient and outcome.ended == "done":
            self.ledger.thin_runs(outcome.run_id, self.app.clock.now() - KEPT_IDLE)

    def _decide_what_is_left(self, outcome: Outcome, orders: Orders) -> None:
        """A run that came to its end has decided all but what an answer has moved since."""
        if outcome.ended != "done":
            self.decide(sorted(orders.only))
            return
        left = {row["source_id"] for row in self.ledger.rows("waiting")}
        if left := left & orders.only if orders.only else left:
            self.decide(sorted(left))


class Unreachable:
    """A service that cannot be asked: whatever is asked of it raises the reason."""

    def __init__(self, why: SyncerError) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise self._why
