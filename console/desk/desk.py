"""What a person may ask and order: the console's only door to syncer."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from console.desk import people
from console.desk.closings import ClosingDesk
from console.desk.contacts import ContactsDesk
from console.desk.installation import T
from console.desk.people import PeopleDesk, Visitor
from console.desk.processes import STARTED, Started, lives_here
from console.desk.questions import AskingDesk
from console.desk.readiness import ReadinessDesk
from console.desk.reports import ReportsDesk
from console.desk.watch import WatchDesk
from syncer.app import consent, pause, states
from syncer.app.environment import ROOT
from syncer.app.installation import ASKED_BY, App, Connection
from syncer.app.watch import WATCH
from syncer.domain.access import OF_THE_WHOLE, Right
from syncer.domain.errors import LedgerBusy, Reconnect, SyncerError, WrongUsage
from syncer.domain.model.obstacle import Obstacle
from syncer.domain.planning.compare import Compared
from syncer.domain.settings import DEFAULT, SETTINGS, checked, setting
from syncer.messages import access, remedies, times
from syncer.messages import status as status_messages
from syncer.messages.remedies import Remedy
from syncer.storage.file_lock import FileLock
from syncer.storage.ledger import records
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.writer import AuditEntry
from syncer.support import console_search, explain, orders, runs, work_list
from syncer.support.console_search import Found
from syncer.support.explain import Story
from syncer.support.orders import Given
from syncer.support.work_list import Settled, Today, WorkGroup

RUNS = 60
RECORDS = 500
MATCHES = 50
SETTLED = timedelta(days=30)
ANSWERS = 20  # to questions of many rows, kept while the ledger stands still


@dataclass(frozen=True)
class AttemptDetail:
    """One try for a record: what was sent and what came back, of this record alone."""

    kind: str
    action: str
    begun_at: datetime
    outcome: str | None
    cause: str | None
    facts: Mapping[str, Any]
    call: Mapping[str, Any]
    sent: Any = None
    answered: Any = None


@dataclass(frozen=True)
class ConnectionOverview:
    """One connection as the Connections page tells it."""

    name: str
    state: str
    source_state: str
    row: Mapping[str, Any]
    scopes: Sequence[str]
    token_since: datetime | None
    token_by: str
    budget: Mapping[str, Any]
    last_success: Mapping[str, Any] | None
    held: int
    held_money: Mapping[str, Any]


@dataclass(frozen=True)
class Elsewhere:
    """Another connection that needs somebody."""

    name: str
    label: str
    state: str
    held: int
    money: Mapping[str, Any]


@dataclass(frozen=True)
class SettingRow:
    """One setting as it is in force."""

    key: str
    meaning: str
    value: str
    default: str
    changed_at: datetime | None
    changed_by: str | None

    @property
    def is_flag(self) -> bool:
        """Whether it is a yes or no."""
        return self.default in ("true", "false")


_answers: dict[tuple[Any, ...], tuple[tuple[int, int, int], Any]] = {}
_choices: dict[str, Sequence[tuple[str, str]]] = {}


@dataclass
class Desk:
    """One connection's desk."""

    app: App
    name: str = DEFAULT
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    visible: Sequence[str] | None = None  # the connections that this person may see; None: all
    visitor: Visitor = None  # type: ignore[assignment]  # because: the visitor of this browser, unless another is given

    def __post_init__(self) -> None:
        self.visitor = self.visitor or people.present(self.app, self.now)
        right = self.right
        if right is None or right.connections is not None:
            self.visible = sorted(right.connections or ()) if right else []

    @property
    def connection(self) -> Connection:
        """The connection that is asked about; one that is not theirs is answered as if it were not there."""
        return Connection(self.app, self._seen())

    def _seen(self) -> str:
        if self.visible is not None and self.name not in self.visible:
            raise WrongUsage(f"There is no connection named {self.name!r}.")
        return self.name

    # -- who asks -----------------------------------------------------------------------------------------------------

    @property
    def right(self) -> Right | None:
        """The rights of the visitor at this moment; None without access."""
        return people.right_of(self.app, self.visitor, datetime.now(UTC))

    def may(self, action: str) -> bool:
        """True if the visitor may do this to this connection at this moment."""
        right = self.right
        return right is not None and right.may(action) and (right.sees(self.name) or action in OF_THE_WHOLE)

    def allow(self, action: str) -> None:
        """Go on only where it is allowed; raises NotAllowed."""
        if action not in OF_THE_WHOLE and self.right:
            self._seen()
        if not self.may(action):
            raise people.refusal(self.right, action)

    def why_not(self, action: str) -> str:
        """Why the visitor may not do this, in a sentence; nothing where they may."""
        return "" if self.may(action) else access.refused_shortly(action)

    def is_there(self) -> bool:
        """Whether there is this connection, for the visitor."""
        return self.name in self.names()

    def note(self, what: str, subject: str = "", before: Any = None, after: Any = None) -> None:
        """Write down in the audit trail what the visitor did."""
        self.ledger.note(AuditEntry(self.visitor.name, what), self.now, subject, before, after)

    @property
    def people(self) -> PeopleDesk:
        """People, and what they did."""
        return PeopleDesk(self.app, self.visitor.name, self.now, self.right, self.allow)

    def sign_out(self) -> None:
        """End this sign-in in every tab, and for every copy of its cookie."""
        if self.visitor.mark:
            self.app.register.note(AuditEntry(self.visitor.name, "signed_out"), self.now, self.visitor.mark)

    @property
    def ledger(self) -> Ledger:
        """Its book."""
        return self.connection.ledger

    # -- questions ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Every connection there is, for the visitor."""
        known = [one.name for one in self.app.connections()]
        return known if self.visible is None else [name for name in known if name in self.visible]

    def at(self, name: str) -> "Desk":
        """The same person's desk of another connection."""
        return replace(self, name=name)

    def label(self, name: str) -> str:
        """What people call a connection: its organisation, where it has one."""
        return self.at(name).organisation() or name

    def named(self, name: str) -> str:
        """A connection by both its organisation and its own name, where these differ."""
        label = self.label(name)
        return label if label == name else f"{label} ({name})"

    def elsewhere(self) -> list[Elsewhere]:
        """Other connections that need somebody, most invoices first."""
        found = []
        for desk in (self.at(name) for name in self.names() if name != self.name):
            held = [row for row in desk.ledger.rows("counts") if row["state"] == "held"]
            number = sum(row["invoices"] for row in held)
            if number or desk.state() != "connected":
                found.append(Elsewhere(desk.name, desk.label(desk.name), desk.state(), number, _summed(held)))
        return sorted(found, key=lambda one: -one.held)

    def find_elsewhere(self, what: str) -> dict[str, list[dict[str, Any]]]:
        """What a search means in the other connections that this person may see."""
        hits = {name: self.at(name).find(what) for name in self.names() if name != self.name}
        return {name: rows for name, rows in hits.items() if rows}

    def notice(self) -> None:
        """Know what stands in the way of the whole connection, as far as that shows without a call."""
        with suppress(LedgerBusy):  # What was known a moment ago is shown.
            states.notice(self.connection)

    def shrunk(self) -> str | None:
        """What is asked of a person where CrocoClick shows far fewer invoices than before, in a sentence."""
        found = next((one for one in self.ledger.obstacles() if one.code == "source_shrunk"), None)
        return status_messages.failure(found.code, found.facts) if found else None

    def today(self, offset: timedelta = timedelta(0)) -> Today:
        """What a person sees first, of one moment."""
        return self.app.store.read(lambda _: work_list.today(self.ledger, self.now, offset))

    def needs_somebody(self) -> int:
        """How many invoices a person has to act for."""
        return sum(row["invoices"] for row in self.ledger.rows("counts") if row["state"] == "held")

    def groups(self, offset: timedelta = timedelta(0)) -> list[WorkGroup]:
        """Everything that is held or heals by itself, by the answer that it waits for, most money first."""
        return self._once(("groups", offset), lambda: work_list.groups(self.ledger, offset))

    def skipped(self, offset: timedelta = timedelta(0)) -> list[WorkGroup]:
        """What people skipped, by who did and why."""
        return self._once(("skipped", offset), lambda: work_list.groups(self.ledger, offset, work_list.SKIPPED))

    def settled(self) -> list[Settled]:
        """What needed somebody and was settled in the last 30 days, newest first."""
        return work_list.settled(self.ledger, self.now - SETTLED)

    def members(self, group: WorkGroup) -> list[dict[str, Any]]:
        """The records of a group, largest first."""
        states = work_list.SKIPPED if group.code == "skipped_by_person" else work_list.OPEN
        return self._once(("members", group.key), lambda: work_list.members(self.ledger, group, states))

    def alike(self, story: Story) -> list[dict[str, Any]]:
        """The records that wait for the same answer as this one, itself included."""
        return self._once(("alike", story.row["source_id"]), lambda: work_list.alike(self.ledger, story))

    def remedy(self, group: WorkGroup) -> Remedy | None:
        """The next step for a group, with the choices that the books leave."""
        return remedies.remedy(group.code, group.facts, books=explain.books(self.ledger))

    def _once(self, asked: tuple[Any, ...], answer: Callable[[], T]) -> T:
        """The answer to a question of many rows: asked anew when the ledger has moved."""
        whole, sign = (self._seen(), *asked), self.sign()
        kept = _answers.get(whole)
        if kept is None or kept[0] != sign:
            for stale in [key for key, (seen, _) in _answers.copy().items() if seen != sign]:
                _answers.pop(stale, None)
            while len(_answers) >= ANSWERS:
                _answers.pop(next(iter(_answers)), None)
            kept = _answers[whole] = sign, answer()
        value: T = kept[1]
        return value

    def find(self, what: str) -> list[dict[str, Any]]:
        """The invoices that a search fits, likeliest first."""
        return list(self.search(what).invoices)

    def search(self, what: str) -> Found:
        """Whatever fits a search, as people type it, likeliest first."""
        return console_search.search(self.ledger, what, MATCHES)

    def read_at(self) -> datetime | None:
        """When CrocoClick's lists were read last, UTC."""
        return (self.ledger.row("totals") or {}).get("seen_at")

    def latest(self) -> list[dict[str, Any]]:
        """The newest invoices."""
        return self.ledger.rows("latest_invoices", limit=MATCHES)

    def explain(self, found: Mapping[str, Any]) -> Story:
        """The story of an invoice that was found."""
        return states.explain(self.connection, found)

    def compared(self, story: Story) -> tuple[Compared, ...]:
        """An invoice that stands in Xero, field by field in both books, differences first."""
        return explain.compared(self.ledger, self.connection.rules(), story)

    def last_order(self, story: Story) -> Mapping[str, Any] | None:
        """The order that can be taken back: the last one, while it stands or its customer or setting is as it said."""
        orders = [row for row in story.history if row["what"].startswith("order_") and row["what"] != "order_retry"]
        if not orders or story.state in ("synced", "skipped"):
            return None
        lasting = orders[-1]["what"].removeprefix("order_")
        return orders[-1] if story.row["ordered"] or lasting in ("map", "link_contact", "keep_apart") else None

    def links(self, story: Story) -> tuple[str, str]:
        """Where the invoice is in CrocoClick and in Xero; empty where that is not known."""
        row = self.ledger.row("connection") or {}
        in_xero = explain.deep_link(row.get("short_code") or "", story.row["xero_id"] or "")
        return self.connection.rules().invoice_url(story.row["source_id"]), in_xero

    def history(self, story: Story) -> list[dict[str, Any]]:
        """What happened to the invoice and to its customer's link, oldest first."""
        told = [{**row, "currency": story.row["currency"]} for row in story.history]
        if story.row["contact_id"]:
            told += self.ledger.rows("history_of", kind="contact", source_id=story.row["contact_id"])
        return sorted(told, key=lambda row: row["id"])

    def payments(self, story: Story) -> list[dict[str, Any]]:
        """What was paid in CrocoClick, and whether Xero has it, oldest first."""
        rows = self.ledger.rows("payments", ids=[story.row["source_id"]], xero_ids=[])
        return sorted(rows, key=lambda row: (row["paid_on"] or self.now.date(), row["source_id"]))

    def requests(self, story: Story) -> list[AttemptDetail]:
        """Every try for the invoice, its payments and its customer, oldest first."""
        asked = [("invoice", story.row["source_id"])]
        asked += [("payment", row["source_id"]) for row in self.payments(story)]
        if story.row["contact_id"]:
            asked.append(("contact", story.row["contact_id"]))
        found = [
            (kind, row)
            for kind, source_id in asked
            for row in self.ledger.rows("attempts_of", kind=kind, source_id=source_id)
        ]
        return [self._request(kind, row) for kind, row in sorted(found, key=lambda one: one[1]["id"])]

    def _request(self, kind: str, row: Mapping[str, Any]) -> AttemptDetail:
        sent, answered = self._bodies(row)
        call = {name: row[name] for name in ("made_at", "method", "path", "status", "ms", "correlation_id")}
        return AttemptDetail(
            kind, row["action"], row["begun_at"], row["outcome"], row["cause"], records.kept_facts(row), call, sent,
            answered,
        )  # fmt: skip

    def _bodies(self, row: Mapping[str, Any]) -> tuple[Any, Any]:
        if row["made_at"] is None:
            return None, None
        kept = self.app.bodies.element(self.name, row["call_id"], row["made_at"], row["position"])
        return kept or (None, None)

    def case(self, story: Story) -> dict[str, Any]:
        """Everything there is about one invoice, for somebody who has only this file."""
        self.allow("export")
        self.note("exported", story.row["source_id"])
        crococlick, in_xero = self.links(story)
        return {
            **explain.explained(story, in_xero),
            "crococlick_url": crococlick,
            "content": json.loads(story.known.invoice.content),
            "xero_document": asdict(story.document) if story.document else None,
            "requests": [asdict(request) for request in self.requests(story)],
            "written_at": times.iso(self.now),
        }

    # -- runs -------------------------------------------------------------------------------------------------------

    def runs(self, limit: int = RUNS) -> list[dict[str, Any]]:
        """The latest runs, newest first."""
        return runs.runs(self.ledger, limit)

    def run(self, run_id: str) -> dict[str, Any] | None:
        """One run."""
        row = self.ledger.row("run", run_id=run_id)
        return next(iter(runs.with_money(self.ledger, [runs.run_told(row)])), None) if row else None

    def run_records(self, run_id: str) -> list[dict[str, Any]]:
        """What a run did to which invoice, newest first."""
        return self.ledger.rows("run_records", run_id=run_id, limit=RECORDS)

    def run_calls(self, run_id: str) -> list[dict[str, Any]]:
        """The calls of a run, by side and method."""
        return self.ledger.rows("run_calls", run_id=run_id)

    def at_work(self) -> dict[str, Any] | None:
        """The run that is at work now."""
        row = self.ledger.row("last_run")
        return runs.run_told(row) if row and self.is_at_work(row) else None

    def is_at_work(self, run: Mapping[str, Any]) -> bool:
        """Whether a run has not ended and its process lives and holds the connection."""
        if run["finished_at"] is not None:
            return False
        pid, _ = FileLock(self.app.environment.data_dir / "runs" / self.name).holder()
        return pid == run["pid"] and lives_here(run["pid"])

    def ending(self, run: Mapping[str, Any]) -> str | None:
        """How a run ended: None while it works, `interrupted` where it died without a word."""
        return run["ended"] or (None if self.is_at_work(run) else "interrupted")

    def sign(self) -> tuple[int, int, int]:
        """A cheap sign of the ledger's state, to see that something happened."""
        return self.app.store.version()

    # -- orders -----------------------------------------------------------------------------------------------------

    def order(self, name: str, rows: Sequence[Mapping[str, Any]], said: Mapping[str, str]) -> Given:
        """Give a person's order for these invoices; raises WrongUsage, and then nothing was ordered."""
        for one in (name, "map") if name == "undo" and any(map(self._undoes_a_mapping, rows)) else (name,):
            self.allow(one)
        given = orders.OrderDesk(self.ledger, self.visitor.name, self.now).give(name, rows, said)
        states.decide(self.connection, orders.touched(name, rows))
        return given

    def _undoes_a_mapping(self, row: Mapping[str, Any]) -> bool:
        last = self.ledger.row("last_order", source_id=row["source_id"])
        return bool(last and last["what"] == "order_map")

    @property
    def contacts(self) -> ContactsDesk:
        """What may be asked and ordered about contacts."""
        return ContactsDesk(self.connection, self.visitor.name, self.now, self._once, self.allow)

    @property
    def readiness(self) -> ReadinessDesk:
        """What may be asked before going live."""
        return ReadinessDesk(self.connection, self.visitor.name, self.now, self._once, self.allow)

    @property
    def closings(self) -> ClosingDesk:
        """Both books compared for a period, and the proofs that are kept."""
        return ClosingDesk(self.connection, self.now, self.start)

    @property
    def watch(self) -> WatchDesk:
        """The work in the background."""
        return WatchDesk(self.app, self._seen(), self.now)

    @property
    def asking(self) -> AskingDesk:
        """What may be asked in SQL, and the questions that were saved."""
        return AskingDesk(self.app, self._seen(), self.visible, self.visitor.name, self.now, self.may("save_question"))

    @property
    def reports(self) -> ReportsDesk:
        """What may be counted of the connections that this person may see."""
        return ReportsDesk(self.app, tuple(self.names()), self.now)

    def can_sync(self) -> bool:
        """Whether a sync that is asked for now would begin at once; a watch makes way for it."""
        free = self.watch.at_work() is not None or self.at_work() is None
        free = free and self.paused() is None
        return self.state() == "connected" and not self.starting() and free and self.may("sync")

    def start_sync(self, invoice: str | None = None) -> None:
        """Start a sync as cron does, in a process of its own that outlives the console."""
        self.start("sync", *(["--invoice", invoice] if invoice else []))

    def carry_out(self, invoice: str | None = None) -> None:
        """Let what was ordered be carried out: by the watch, which sees it by itself, or by a sync that begins now."""
        if self.watch.at_work() is None:
            self.start_sync(invoice)

    def start(self, *words_: str) -> None:
        """Start a command of `python -m syncer` for this connection, in a process of its own."""
        self.allow(words_[0])
        if self.starting():
            return
        self.note("started", words_[0], after={"asked": " ".join(words_[1:])} if words_[1:] else None)
        command = [sys.executable, "-m", "syncer", *words_, "--connection", self.name, "--json"]
        said = tempfile.TemporaryFile()  # noqa: SIM115 — read when the process has ended
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, ASKED_BY: self.visitor.name}, stdin=subprocess.DEVNULL, stdout=said,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        STARTED[self.name] = Started(process, said, self.now, words_[0])
        # Waited for, or it would stay in the list of processes until somebody looks at a page.
        threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()

    def started(self) -> str:
        """Which command was started here and has not ended yet; nothing where none is."""
        started = STARTED.get(self._seen())
        return started.what if started and started.is_alive() else ""

    def starting(self) -> bool:
        """Whether a sync that was started here has not yet come to its row in the ledger."""
        started = STARTED.get(self._seen())
        return bool(started and started.is_alive())

    def wait_until_carried_out(self, seconds: float) -> None:
        """Wait until the sync that was started here has ended, or one that the watch began since."""
        if started := STARTED.get(self._seen()):
            with suppress(subprocess.TimeoutExpired):
                started.process.wait(seconds)
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.ledger.row("last_sync")
            if run and run["started_at"] >= self.now and run["finished_at"]:
                return
            time.sleep(0.1)

    def refusal(self) -> str:
        """Why the sync that was started last did not begin; told once."""
        started = STARTED.get(self._seen())
        if started is None or started.is_alive():
            return ""
        del STARTED[self.name]
        return started.refusal()

    def stop(self, run: Mapping[str, Any]) -> None:
        """End a run after the calls that are under way; of a sync the connection is paused: nothing begins it again."""
        self.allow("stop")
        if not self.is_at_work(run):
            return
        self.note("stopped", run["run_id"])
        if run["asked_by"] != WATCH:  # A watch lives on; what a pause ends of it is its run.
            os.kill(run["pid"], signal.SIGINT)
        if run["kind"] == "sync":
            self.pause("Stopped a run")

    def paused(self) -> Obstacle | None:
        """The pause that a person ordered, with who and why, if the connection is paused."""
        return pause.paused(self.ledger)

    def pause(self, because: str) -> None:
        """Pause the connection: no run writes to Xero until somebody resumes it."""
        self.allow("pause")
        pause.pause(self.connection, self.visitor.name, because)

    def resume(self) -> None:
        """Let the connection go on: by itself where a watch is at work, else with the next sync."""
        self.allow("resume")
        pause.resume(self.connection, self.visitor.name)

    # -- the connection -----------------------------------------------------------------------------------------------

    def organisation(self) -> str:
        """The name of the Xero organisation, if one was connected."""
        return (self.ledger.row("connection") or {}).get("organisation_name") or ""

    def state(self) -> str:
        """The state of the connection to Xero, as a code of messages/status.CONNECTION_STATES."""
        return str(consent.status(self.connection)["state"])

    def account(self) -> ConnectionOverview:
        """Everything about this connection; no call is made."""
        connection = self.connection
        row = self.ledger.row("connection") or {}
        status, tokens = consent.status(connection), _tokens(connection)
        held = [one for one in self.ledger.rows("counts") if one["state"] == "held"]
        return ConnectionOverview(
            name=self.name,
            state=status["state"],
            source_state=self._source_state(status),
            row=row,
            scopes=status["scopes"],
            token_since=tokens.obtained_at if tokens else None,
            token_by=tokens.user if tokens else "",
            budget=self.ledger.row("budget") or {},
            last_success=self.ledger.row("last_success"),
            held=sum(one["invoices"] for one in held),
            held_money=_summed(held),
        )

    def _source_state(self, status: Mapping[str, Any]) -> str:
        try:
            source = self.connection.source
        except Reconnect:
            return "not_connected"
        return status["crococlick"]["state"] if source.token else "not_connected"

    def accounts(self) -> list[ConnectionOverview]:
        """Every connection that this person may see."""
        return [self.at(name).account() for name in self.names()]

    def add_connection(self, name: str, location_id: str, token: str) -> str:
        """Make a further connection, or give one a new token; returns what comes next. Raises WrongUsage."""
        self.allow("add_connection")
        known = name.strip() in self.names()
        added = consent.add(self.app, name, location_id, token, self.visitor.name)
        state = (added.ledger.row("connection") or {}).get("source_state", "connected")
        if state != "connected":
            return f"{added.name} is kept. {access.TOKENS[state]}"
        return "The new token is kept." if known else f"{added.name} is added. Connect its Xero organisation next."

    def consent_url(self) -> str:
        """Where at Xero a person gives consent; raises SyncerError."""
        self.allow("connect")
        if not self.is_there():
            raise WrongUsage(f"There is no connection named {self.name!r}.")
        return consent.begin(self.connection, self.visitor.name)

    def finish_consent(self, callback: Mapping[str, str], arrived_at: str) -> consent.Connected:
        """Take Xero's answer to a consent, for whichever connection it was; raises SyncerError."""
        name, connection = consent.asked_by(self.app, callback)
        if name and people.provider_of(self.app):
            # Any browser may deliver the callback; the rights are those of the person who started the consent.
            Desk(self.app, connection, self.now, visitor=Visitor(name)).allow("connect")
        found = consent.finish(self.app, callback, arrived_at)
        _choices[found.connection] = found.choices
        return found

    def choices(self) -> Sequence[tuple[str, str]]:
        """The organisations to choose from after a consent that reaches several."""
        return _choices.get(self.name, ())

    def choose(self, tenant_id: str) -> str:
        """Connect this organisation and return its name; raises SyncerError."""
        self.allow("connect")
        found = consent.choose(self.connection, tenant_id, self.visitor.name)
        _choices.pop(self.name, None)
        return found.organisation or ""

    def disconnect(self) -> None:
        """End the connection at Xero; raises SyncerError."""
        self.allow("disconnect")
        consent.disconnect(self.connection, self.visitor.name)

    # -- settings -------------------------------------------------------------------------------------------------

    def settings(self) -> list[SettingRow]:
        """Every setting in force, those of our own making last."""
        made = {row["key"]: row for row in self.ledger.rows("settings")}
        keys = [*SETTINGS, *(key for key in made if key not in SETTINGS and made[key]["value"] is not None)]
        return [_setting_row(key, made.get(key)) for key in keys]

    def change_setting(self, key: str, value: str) -> None:
        """Change one; an empty value is the default again. Raises WrongUsage."""
        self.allow("change_setting")
        self.ledger.change_settings(checked({key.strip(): value.strip()}), self.visitor.name, self.now)
        states.decide(self.connection)


def _setting_row(key: str, row: Mapping[str, Any] | None) -> SettingRow:
    known = setting(key)
    made = row if row and row["value"] is not None else {}
    return SettingRow(
        key, known.meaning, made.get("value", known.default), known.default, made.get("changed_at"),
        made.get("changed_by"),
    )  # fmt: skip


def _summed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        found[row["currency"]] = found.get(row["currency"], 0) + row["money"]
    return found


def _tokens(connection: Connection) -> Any:
    try:
        return connection.tokens.tokens()
    except Reconnect:
        return None


def failure_sentence(failure: SyncerError) -> str:
    """A failure as a sentence with the next step."""
    if isinstance(failure, WrongUsage):
        return failure.sentence
    return status_messages.failure(failure.code, failure.facts)
