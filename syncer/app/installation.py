"""The one place that knows real from fake: settings to clients, ledger, vault and clock."""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from syncer.app import environment as environment_app
from syncer.app.clock import SystemClock
from syncer.app.environment import Environment
from syncer.connectors.crococlick.client import CrocoClick
from syncer.connectors.http import call_id
from syncer.connectors.notice_channels import NoticeChannel, channels
from syncer.connectors.xero import error_messages
from syncer.connectors.xero.auth import Consent, Identity, TokenSource, XeroApp
from syncer.connectors.xero.client import XeroAccounts
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.connectors.xero.shared_limits import LimitsFile
from syncer.connectors.xero.wire import document_size
from syncer.domain import settings as conf
from syncer.domain.errors import LedgerBusy, Reconnect, WrongUsage
from syncer.domain.model.sync_settings import Rules
from syncer.domain.ports import Accounts, Clock
from syncer.domain.settings import DEFAULT, CallLimits
from syncer.storage.call_log import Calls
from syncer.storage.database.store import Store, ledger_path
from syncer.storage.file_lock import FileLock
from syncer.storage.ledger.access_and_audit import AccessRegister
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.payloads import Payloads
from syncer.storage.processes import lives
from syncer.storage.restore import Places
from syncer.storage.seal import FileSeal
from syncer.storage.vault import FileVault
from syncer.storage.webhook_inbox import Inbox
from syncer.sync.context import RunContext, RunOptions

if TYPE_CHECKING:
    from syncer.storage.analysis.copy import Analysis

# A watch makes way for what a person asks for after the calls that are under way.
PATIENCE_S = 10.0
ASKED_BY = "SYNCER_ASKED_BY"  # user name that the console passes to the commands it starts, for the audit trail


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
        """The installation that the environment and `.env` describe, whole also where a restore was cut off."""
        app = cls(environment_app.environment(), patience_s=PATIENCE_S)
        app.places.finish()
        return app

    @cached_property
    def places(self) -> Places:
        """Where its data are."""
        return Places(self.environment.data_dir, ledger_path(self.environment.ledger_url, environment_app.ROOT))

    @cached_property
    def store(self) -> Store:
        """The ledger's file."""
        path = self.places.ledger
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Store(path, self.clock)

    @cached_property
    def register(self) -> AccessRegister:
        """Who may do what, and what people did."""
        return AccessRegister(self.store)

    @cached_property
    def vault(self) -> FileVault:
        """Where secrets are."""
        self.environment.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileVault(self.environment.data_dir, self.environment.secret_key)

    @cached_property
    def bodies(self) -> Payloads:
        """Where requests and answers are."""
        return Payloads(self.environment.data_dir / "bodies")

    @cached_property
    def inbox(self) -> Inbox:
        """Events of CrocoClick that nobody has acted on yet."""
        return Inbox(self.environment.data_dir / "inbox")

    @cached_property
    def channels(self) -> list[NoticeChannel]:
        """Where notices go."""
        return channels(self.environment.notify_urls)

    @cached_property
    def analysis(self) -> "Analysis":
        """The analysis tables."""
        from syncer.storage.analysis.copy import Analysis  # noqa: PLC0415 — few commands ask, and it takes long

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
        """The connection's Xero tokens."""
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

    def pace(self) -> CallLimits:
        """The limits in force."""
        return conf.pace(self.settings())

    def pacer(self, organisation: str) -> OrganisationLimiter:
        """Turns to call an organisation, shared with the other processes of this machine."""
        pace = self.pace()
        return OrganisationLimiter(
            self.app.clock,
            calls_per_minute=pace.per_minute,
            calls_per_day=pace.per_day,
            calls_in_flight=pace.in_flight,
            board=LimitsFile(self.app.environment.data_dir / "pace" / f"{organisation}.json"),
            lives=lives,
        )

    def orders(self, **asked: Any) -> RunOptions:
        """What a run is asked for, within the limits and settings in force."""
        stored = self.settings()
        pace = conf.pace(stored)
        return RunOptions(
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

    def doors(self, accounts: Accounts | None = None) -> RunContext:
        """What a run reaches the world through; raises Reconnect where nothing is connected."""
        clock = self.app.clock
        return RunContext(
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

    def drain_calls(self, run_id: str = "") -> None:
        """Write down the calls that were made and that nobody has committed yet."""
        if calls := self.calls.drain():
            self.ledger.commit(run_id, self.app.clock.now(), calls=calls)
