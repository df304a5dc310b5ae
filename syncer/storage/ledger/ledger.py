"""One connection's book of what was seen, decided, tried and answered.

Every method is one transaction or one reading. What a run learns and what it intends next are committed together in
`commit`, so that at any moment the ledger says for each record whether a write may be under way.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from syncer.domain.errors import TryLater
from syncer.domain.matching.contact_import import ContactAnswer, Link
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import BookContact, BookInvoice
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.money import text
from syncer.domain.model.obstacle import PAUSED, Obstacle, Stand
from syncer.domain.model.payment import BookPayment, Payment
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import Order
from syncer.domain.planning.payments import Listing, Recount
from syncer.domain.ports import CallRecord, Event
from syncer.domain.readiness.checks import Check
from syncer.storage.database.store import Store, Tx
from syncer.storage.ledger import attempts, intake, orders, payment_lists, records
from syncer.storage.ledger import contacts as contacts_ledger
from syncer.storage.ledger.contacts import Imported
from syncer.storage.ledger.records import (
    AttemptResult,
    AttemptStart,
    KnownContact,
    OpenAttempt,
    PlannedState,
    TrackedInvoice,
    as_json,
    as_kept,
    code_of,
)  # fmt: skip
from syncer.storage.ledger.writer import QUERIES, AuditEntry, LedgerWriter, columns_of

T = TypeVar("T")
EVENTS_KEPT = timedelta(days=30)  # CrocoClick repeats for three days at most
CARRIED_OUT = (*attempts.FULFILLED, "same_payment")
IDENTITY = (
    "state",
    "organisation_name",
    "organisation_id",
    "location_id",
)  # what the audit trail tells of a connection


class Ledger:
    """The book of one connection. Times are UTC; raises what `Store` raises."""

    def __init__(self, store: Store, connection: str) -> None:
        self.store = store
        self.connection = connection

    def _write(self, now: datetime, write: Callable[[LedgerWriter], T], run_id: str = "") -> T:
        return self.store.transaction(lambda tx: write(LedgerWriter(tx, self.connection, run_id, now)))

    # -- reading ------------------------------------------------------------------------------------------------

    def rows(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of a named query, for this connection."""
        sql = QUERIES[query]
        if "$connection" in sql:
            params["connection"] = self.connection
        return self.store.read(lambda reader: reader.rows(sql, params))

    def row(self, query: str, **params: Any) -> dict[str, Any] | None:
        """The first row of a named query."""
        return next(iter(self.rows(query, **params)), None)

    def workload(self, only: Sequence[str] = ()) -> list[TrackedInvoice]:
        """Every invoice that a plan has to look at, or of these alone."""
        return self._known(self.rows("workload", everything=not only, ids=list(only)))

    def invoices(self, ids: Sequence[str]) -> list[TrackedInvoice]:
        """These invoices, whatever their state."""
        return self._known(self.rows("invoices_by_id", ids=list(ids)))

    def paid_beyond(self) -> list[TrackedInvoice]:
        """The invoices on which more is paid in Xero than is known where from, listed or not."""
        found = self.rows("paid_beyond")
        return self.invoices([row["source_id"] for row in found]) if found else []

    def _known(self, rows: Sequence[Mapping[str, Any]]) -> list[TrackedInvoice]:
        """The invoices of these rows, with the payments of those that stand in Xero."""
        bound = {row["xero_id"]: row["source_id"] for row in rows if row["xero_id"]}
        payments: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in self.rows("payments", ids=list(bound.values()), xero_ids=list(bound)) if bound else ():
            for owner in {row["invoice_id"], bound.get(row["xero_invoice_id"] if row["xero_id"] else "", "")}:
                payments[owner].append(row)
        put_back = self.watermark("put_back")
        looked = self.row("payments_looked_at") if bound else None
        looked_at = looked["reached_at"] if looked else None
        return [records.known(row, payments.get(row["source_id"], ()), put_back, looked_at) for row in rows]

    def shared_numbers(self) -> list[TrackedInvoice]:
        """The invoices whose number stands on several: heads only, enough to say who may use it."""
        return [records.number_holder(row) for row in self.rows("shared_numbers")]

    def holders(self, heads: Sequence[BookInvoice]) -> dict[str, TrackedInvoice]:
        """Our invoices behind these documents in Xero, by InvoiceID: heads only, enough to say whose they are."""
        marks = {head.url.rpartition("/")[2]: head.id for head in heads if head.url}
        found = self.rows("holders", ids=[head.id for head in heads], marks=list(marks))
        known = [records.number_holder(row) for row in found]
        # What carries the mark of one that CrocoClick has deleted before it was bound is nobody's.
        ours = [one for one in known if one.standing.xero_id or not one.standing.gone]
        return {one.standing.xero_id or marks[one.invoice.source_id]: one for one in ours}

    def contacts(self) -> dict[str, KnownContact]:
        """Every contact that an invoice names, as the newest of its invoices names it, with its binding."""
        return {row["source_id"]: records.known_contact(row) for row in self.rows("contacts")}

    def open_attempts(self) -> list[OpenAttempt]:
        """Tries without an answer, call by call; those of an import apart."""
        counted = self.row("open_subjects")
        if not counted or not counted["open"]:
            return []
        return [records.open_attempt(row) for row in self.rows("open_attempts", imports=False)]

    def open_imports(self) -> list[OpenAttempt]:
        """Contacts that were to be made or filled up in CrocoClick, and of which no answer came."""
        if not self.watermark("importing"):
            return []
        return [records.open_attempt(row) for row in self.rows("open_attempts", imports=True)]

    def source_contacts(self) -> list[SourceContact]:
        """The mirror of CrocoClick's contacts."""
        return [contacts_ledger.source_contact(row) for row in self.rows("source_contacts")]

    def imported(self) -> list[Imported]:
        """What the last import came to for each Xero contact."""
        return [contacts_ledger.imported(row) for row in self.rows("imported")]

    def contact_links(self) -> dict[str, Link]:
        """The links that stand, by CrocoClick contact."""
        return contacts_ledger.links(self.rows("contacts"))

    def contact_answers(self) -> dict[str, ContactAnswer]:
        """What people said about contacts that may be the same, by contact of either side or email."""
        return contacts_ledger.answers(self.rows("contact_answers"))

    def book_contacts(self) -> list[BookContact]:
        """The mirror of Xero's contacts."""
        return [records.contact_in_xero(row) for row in self.rows("book_contacts")]

    def book_invoices(self, numbers: Sequence[str] | None = None) -> list[BookInvoice]:
        """The mirror of Xero's sales invoices: all, or those that carry one of these numbers."""
        if numbers is None:
            return [records.head_in_xero(row) for row in self.rows("book_invoices")]
        return [records.head_in_xero(row) for row in self.rows("book_invoices_numbered", numbers=list(numbers))]

    def marked_invoices(self, source_ids: Sequence[str]) -> list[BookInvoice]:
        """Of the mirror of Xero's sales invoices those that carry our mark of one of these invoices."""
        found = self.rows("book_invoices_marked", source_ids=list(source_ids)) if source_ids else []
        return [records.head_in_xero(row) for row in found]

    def watermark(self, name: str, now: datetime | None = None) -> datetime | None:
        """When this was last read up to date; by `now`, where it is given, one in the future counts as none."""
        row = self.row("watermark", name=name)
        reached = row["reached_at"] if row else None
        return None if reached and now and reached > now else reached

    def is_bound(self) -> bool:
        """Whether any record of this connection stands in Xero."""
        row = self.row("bound")
        return bool(row and row["bound"])

    def is_live(self) -> bool:
        """Whether anybody ever synced the connection as a whole: until then it is being set up."""
        row = self.row("gone_live")
        return bool(row and row["live"])

    # -- what stands in the way of the whole connection -----------------------------------------------------------

    def obstacles(self) -> list[Obstacle]:
        """What stands in the way of every invoice now, what is shown first."""
        return [records.obstacle(row) for row in self.rows("obstacles")]

    def obstacle(self) -> Obstacle | None:
        """What is shown of it, if anything."""
        return next(iter(self.obstacles()), None)

    def meet(self, found: Obstacle, now: datetime, deed: AuditEntry | None = None) -> None:
        """Write down what stands in the way, in place of what stood there on its side; the same keeps its beginning.

        `deed` where a person put it there.
        """

        def write(pen: LedgerWriter) -> None:
            before = {row["side"]: row for row in pen.rows("obstacles")}.get(found.side)
            since = before["since"] if before and before["code"] == found.code else found.since
            columns = records.obstacle_columns(found) | {"since": [since]}
            pen.put("obstacle", "side", columns)
            if deed:
                pen.audit(deed, [("", None, found.facts)])

        self._write(now, write)

    def pass_by(self, sides: Sequence[str]) -> None:
        """Nothing stands in the way on these sides any more."""
        self.store.transaction(lambda tx: self._pass_by(tx, sides))

    def clear(self, side: str, now: datetime, deed: AuditEntry) -> None:
        """A person takes away what a person put in the way; the next run is due at once."""

        def write(pen: LedgerWriter) -> None:
            self._pass_by(pen.tx, [side])
            pen.tell("connection", [("", f"order_{deed.what}", Problem(""))], deed.by)
            pen.audit(deed, [("", None, None)])

        self._write(now, write)

    def _pass_by(self, tx: Tx, sides: Sequence[str]) -> None:
        tx.execute(
            "DELETE FROM obstacle WHERE connection = $connection AND list_contains($sides, side)",
            {"connection": self.connection, "sides": list(sides)},
        )

    # -- the connection and its settings --------------------------------------------------------------------------

    def save_connection(self, now: datetime, deed: AuditEntry | None = None, **fields: Any) -> None:
        """Create the connection or change some of its fields; `deed` where a person did."""

        def write(tx: Tx) -> None:
            known = tx.row(QUERIES["connection"], {"connection": self.connection})
            whole: dict[str, Any] = {"state": "not_connected", "source_state": "connected", **(known or {}), **fields}
            whole |= {"connection": self.connection, "changed_at": now}
            tx.upsert("connection", ["connection"], {name: [value] for name, value in whole.items()})
            if deed:
                before, after = ({name: (row or {}).get(name) for name in IDENTITY} for row in (known, whole))
                LedgerWriter(tx, self.connection, "", now).audit(
                    deed, [(self.connection, before if known else None, after)]
                )

        self.store.transaction(write)

    def note(self, deed: AuditEntry, now: datetime, subject: str = "", before: Any = None, after: Any = None) -> None:
        """Write down what somebody did that leaves no other trace in the ledger."""
        self._write(now, lambda pen: pen.audit(deed, [(subject, before, after)]))

    def change_settings(self, changes: Mapping[str, str | None], by: str, now: datetime) -> None:
        """Append the new values; None is the default again."""
        count = len(changes)
        columns: dict[str, list[Any]] = {
            "key": list(changes),
            "value": list(changes.values()),
            "changed_at": [now] * count,
        }

        def write(pen: LedgerWriter) -> None:
            before = {row["key"]: row["value"] for row in pen.rows("settings")}
            pen.append("setting", {**columns, "changed_by": [by] * count})
            done = [(key, {"value": before.get(key)}, {"value": value}) for key, value in changes.items()]
            pen.audit(AuditEntry(by, "setting_changed"), done)
            if "approval" in changes:
                pen.wake_unapproved()

        self._write(now, write)

    # -- a run ----------------------------------------------------------------------------------------------------

    def begin_run(self, run_id: str, scope: str, asked_by: str, pid: int, now: datetime, kind: str = "sync") -> None:
        """Open a run; those that never said they ended were interrupted, since only one works at a time."""

        def write(tx: Tx) -> None:
            tx.execute(
                "UPDATE run SET finished_at = heard_at, ended = 'interrupted' "
                "WHERE connection = ? AND finished_at IS NULL",
                [self.connection],
            )
            row = {
                "run_id": run_id, "connection": self.connection, "kind": kind, "scope": scope, "asked_by": asked_by,
                "pid": pid, "started_at": now, "heard_at": now, "phase": "starting", "done": 0, "todo": 0,
                "result": "{}",
            }  # fmt: skip
            tx.insert("run", {name: [value] for name, value in row.items()})

        self.store.transaction(write)

    def finish_run(self, run_id: str, ended: str, cause: str | None, result: Mapping[str, Any], now: datetime) -> None:
        """Close a run with what it came to."""
        self.store.transaction(
            lambda tx: tx.execute(
                "UPDATE run SET finished_at = $now, heard_at = $now, ended = $ended, cause = $cause, result = $result, "
                "phase = 'done' WHERE run_id = $run_id",
                {"now": now, "ended": ended, "cause": cause, "result": as_json(result), "run_id": run_id},
            )
        )

    def unknown_events(self, events: Sequence[Event]) -> list[Event]:
        """Of these events, those that were not acted on before."""
        known = {row["webhook_id"] for row in self.rows("events_known", ids=[event.id for event in events])}
        return [event for event in events if event.id not in known]

    def take_events(self, events: Sequence[Event], now: datetime) -> None:
        """Remember that these events were acted on, so that none is twice; old ones are forgotten."""
        columns: dict[str, list[Any]] = {
            "webhook_id": [event.id for event in events],
            "connection": [self.connection] * len(events),
            **columns_of(events, ["kind", "subject", "sent_at", "received_at"]),
            "taken_at": [now] * len(events),
        }

        def write(tx: Tx) -> None:
            tx.upsert("webhook", ["webhook_id"], columns)
            tx.execute(QUERIES["forget_events"], {"connection": self.connection, "before": now - EVENTS_KEPT})

        self.store.transaction(write)

    def thin_runs(self, run_id: str, since: datetime) -> None:
        """Where this run found nothing to do, forget those since then that found nothing either: they tell no more."""

        def write(tx: Tx) -> None:
            asked = {"connection": self.connection, "run_id": run_id, "since": since}
            if tx.value(QUERIES["run_was_idle"], {"run_id": run_id}):
                tx.execute(QUERIES["forget_idle_runs"], asked)

        self.store.transaction(write)

    def see(
        self, run_id: str, invoices: Iterable[Invoice], now: datetime, reached: Mapping[str, datetime] | None = None
    ) -> int:
        """Take in what CrocoClick shows: new and changed invoices become `waiting`; returns how many those were."""

        def write(pen: LedgerWriter) -> int:
            pen.reach(reached or {})
            seen = intake.see_invoices(pen, shown)
            if everything := (reached or {}).get("crococlick_all"):
                intake.miss_invoices(pen, everything)
            return seen

        shown = list(invoices)
        return self._write(now, write, run_id)

    def miss_bound(self, run_id: str, ids: Sequence[str], now: datetime) -> None:
        """CrocoClick was asked for each of these, and has it no more."""
        self._write(now, lambda pen: intake.miss_bound(pen, ids), run_id)

    def miss(self, run_id: str, ids: Sequence[str], now: datetime) -> None:
        """CrocoClick was asked for each of these, in Xero or not, and has it no more."""
        self._write(now, lambda pen: intake.miss(pen, ids), run_id)

    def take_customers(self, now: datetime) -> None:
        """Every contact that an invoice names, as the newest of its invoices names it; bindings stay."""
        moved = intake.moved_customers(self.rows("contacts"), self.rows("customer_snapshots"))
        if moved:
            self._write(now, lambda pen: intake.take_customers(pen, moved))

    def see_payments(
        self, payments: Iterable[Payment], now: datetime, reached: Mapping[str, datetime] | None = None
    ) -> None:
        """Take in CrocoClick's transactions; the invoice of one that is new or has changed is looked at again."""

        def write(pen: LedgerWriter) -> None:
            pen.reach(reached or {})
            intake.see_payments(pen, shown)

        shown = list(payments)
        self._write(now, write)

    def settle_verdicts(
        self, run_id: str, decided: Sequence[PlannedState], now: datetime, as_it_was: Mapping[str, Stand] | None = None
    ) -> None:
        """Write down what the planner decided without a write; only what differs from before is told again.

        `as_it_was`: it was decided outside of a run. Nothing is written then of an invoice that is no longer as it was,
        and the answer to an order is left to the next run to tell.
        """
        expected = {key: as_kept(*one) for key, one in (as_it_was or {}).items()}

        def write(pen: LedgerWriter) -> None:
            rows = {row["source_id"]: row for row in pen.rows("states")}
            before = {key: (row["state"], row["cause"], row["facts"]) for key, row in rows.items()}
            verdicts = [v for v in decided if as_it_was is None or before.get(v.source_id) == expected.get(v.source_id)]
            changed = [v for v in verdicts if before.get(v.source_id) != as_kept(v.state, v.problem)]
            pen.decide(changed)
            moved = {v.source_id for v in changed}
            _forget_refusals(pen, [v.source_id for v in verdicts if not v.refused])
            # Where both sides agree there is nothing left to carry out.
            attempts.fulfil(pen, [v.source_id for v in verdicts if v.state == "synced"], CARRIED_OUT)
            waiting = {v.source_id for v in verdicts if v.state == "waiting"}
            replaced = [v.source_id for v in verdicts if not v.refused and code_of(v.problem) != "payment_changed"]
            attempts.fulfil(pen, [source_id for source_id in replaced if source_id not in waiting], ["replace_payment"])
            asked = {key for key, row in rows.items() if row["asked_at"]}
            if as_it_was is None:
                worth_telling = moved | asked
                news = [v for v in verdicts if v.source_id in worth_telling]
                orders.heed(pen, [v.source_id for v in verdicts if v.source_id in asked])
            else:
                news = [v for v in changed if v.source_id not in asked]
            pen.tell("invoice", [(v.source_id, v.state, v.problem) for v in news if v.state != "waiting"])

        self._write(now, write, run_id)

    def commit(
        self,
        run_id: str,
        now: datetime,
        *,
        endings: Sequence[AttemptResult] = (),
        intents: Sequence[AttemptStart] = (),
        calls: Sequence[CallRecord] = (),
        progress: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """One step of a run: what came back, then what leaves next. Returns the attempt ids of `intents`, in order.

        Raises TryLater, when the rest is written, where somebody has paused the connection: then nothing may leave.
        """

        def write(pen: LedgerWriter) -> list[int] | None:
            attempts.add_calls(pen, calls)
            attempts.end(pen, endings)
            # An import writes to CrocoClick alone.
            to_xero = any(intent.kind != "import" for intent in intents)
            ids = None if to_xero and pen.rows("paused") else attempts.begin(pen, intents)
            if progress is not None:
                news = ", ".join(f"{name} = ${name}" for name in progress)
                asked = {"now": now, "run_id": run_id, **progress}
                pen.tx.execute(f"UPDATE run SET heard_at = $now, {news} WHERE run_id = $run_id", asked)
            return ids

        ids = self._write(now, write, run_id)
        if ids is None:
            raise TryLater(PAUSED, None, **next(one.facts for one in self.obstacles() if one.code == PAUSED))
        return ids

    def link_contacts(self, run_id: str, links: Mapping[str, tuple[str, str]], now: datetime) -> None:
        """Bind CrocoClick contacts to Xero contacts: source id → (ContactID, how it was found)."""

        def write(pen: LedgerWriter) -> None:
            attempts.link(pen, dict(links))
            told = [(key, "linked", Problem("", {"how": how, "xero_id": id_})) for key, (id_, how) in links.items()]
            pen.tell("contact", told)

        self._write(now, write, run_id)

    def see_contacts(
        self,
        contacts: Sequence[SourceContact],
        now: datetime,
        reached: Sequence[str] = (),
        since: datetime | None = None,
    ) -> None:
        """Take in CrocoClick's contacts; `since` ends a reading of everything that began then."""

        def write(pen: LedgerWriter) -> None:
            contacts_ledger.see_contacts(pen, contacts)
            if since:
                contacts_ledger.forget_unseen(pen, since)
            pen.reach(dict.fromkeys(reached, since or now))

        self._write(now, write)

    def keep_import(
        self, run_id: str, decisions: Sequence[Imported], links: Mapping[str, tuple[str, str]], now: datetime
    ) -> None:
        """Write down what an import decided, and the links that follow: CrocoClick contact → ContactID and how."""
        mirror = {one.id: one for one in self.source_contacts() if one.id in links} if links else {}

        def write(pen: LedgerWriter) -> None:
            contacts_ledger.keep_decisions(pen, decisions, whole=True)
            contacts_ledger.link(pen, links, mirror)

        self._write(now, write, run_id)

    def end_import(self, run_id: str, now: datetime) -> None:
        """Nothing of the import is under way any more."""
        self._write(
            now,
            lambda pen: pen.tx.execute(
                "DELETE FROM watermark WHERE connection = ? AND name = 'importing'", [self.connection]
            ),
            run_id,
        )

    def link_people(
        self, given: Order, those: Sequence[SourceContact], xero_id: str | None, ids: Sequence[str], now: datetime
    ) -> None:
        """A person says which Xero contact some CrocoClick contacts are (None: decide anew), invoice or not."""

        def write(pen: LedgerWriter) -> None:
            contacts_ledger.know(pen, those)
            orders.give_contact(pen, given, ids, {one.id: xero_id for one in those})

        self._write(now, write)

    def answer_contacts(self, given: Order, subjects: Sequence[str], now: datetime) -> None:
        """A person says that Xero contacts are apart from those that look the same, or leaves a group alone."""
        kind = "apart" if given.name == "keep_apart" else given.name
        self._write(now, lambda pen: contacts_ledger.give_answer(pen, subjects, kind, given.said, given.by))

    def take_back_answers(self, given: Order, subjects: Sequence[str], now: datetime) -> None:
        """What was said of these counts no more."""
        self._write(now, lambda pen: contacts_ledger.take_back(pen, subjects, given.by))

    def miss_payments(self, shown: Iterable[Payment], now: datetime, of: Sequence[str] | None = None) -> None:
        """Of all transactions, or those of some contacts, CrocoClick showed these: what it left out may be gone."""
        ids = {one.source_id for one in shown}
        self._write(now, lambda pen: payment_lists.miss(pen, ids, of))

    def list_payments(self, run_id: str, listings: Mapping[str, Listing], now: datetime) -> None:
        """What Xero's own lists of payments say, by invoice."""
        self._write(now, lambda pen: payment_lists.keep(pen, listings), run_id)

    def bind_payments(self, run_id: str, found: Mapping[str, BookPayment], now: datetime) -> None:
        """These transactions of CrocoClick, by id, are in Xero as these payments."""

        def write(pen: LedgerWriter) -> None:
            payment_lists.bind(pen, found)
            pen.wake([row["invoice_id"] for row in self.rows("payments_by_id", ids=list(found))])

        self._write(now, write, run_id)

    def recount(self, run_id: str, source_id: str, found: Recount, now: datetime) -> None:
        """Which of an invoice's payments Xero has, after a person ordered to compare; the order is fulfilled."""

        def write(pen: LedgerWriter) -> None:
            orders.recount(pen, source_id, found)

        self._write(now, write, run_id)

    # -- a person's orders ----------------------------------------------------------------------------------------

    def order(self, given: Order, ids: Sequence[str], now: datetime) -> None:
        """Write down a person's order for these invoices; the next run carries it out."""
        self._write(now, lambda pen: orders.give(pen, given, ids))

    def order_contact(self, given: Order, ids: Sequence[str], links: Mapping[str, str | None], now: datetime) -> None:
        """A person says which Xero contact the customers of these invoices are (None: decide anew)."""
        self._write(now, lambda pen: orders.give_contact(pen, given, ids, links))

    def order_connection(self, given: Order, now: datetime) -> None:
        """Write down a person's order for the connection as a whole."""

        def write(pen: LedgerWriter) -> None:
            pen.tell("connection", [("", f"order_{given.name}", Problem("", given.said))], given.by)
            pen.audit(AuditEntry(given.by, f"order_{given.name}"), [("", None, None)])
            if given.name == "confirm_shrink":
                pen.tx.execute(
                    "DELETE FROM obstacle WHERE connection = ? AND code = 'source_shrunk'", [self.connection]
                )

        self._write(now, write)

    def end_skips(self, today: date, now: datetime) -> None:
        """Skips whose day has come are over."""
        ended = [row["source_id"] for row in self.rows("ended_skips", today=today.isoformat())]
        if ended:
            self._write(
                now, lambda pen: orders.give(pen, Order("unskip", {"because": "its day has come"}, "sync"), ended)
            )

    def keep_notice(self, channel: str, told: str, kind: str, title: str, text: str, now: datetime) -> None:
        """An address has taken this notice (of kind '': nothing was sent), and knows this from now on."""
        row = {"channel": channel, "told": told, "kind": kind, "title": title, "text": text, "sent_at": now}
        self._write(now, lambda pen: pen.append("notice", {name: [value] for name, value in row.items()}))

    def keep_trial(self, now: datetime, calls: Sequence[CallRecord] = (), **fields: Any) -> None:
        """Begin a guided test (with all its fields) or change some of the newest one's."""

        def write(pen: LedgerWriter) -> None:
            attempts.add_calls(pen, calls)
            whole = {**next(iter(pen.rows("trial")), {}), **fields, "changed_at": now}
            pen.tx.upsert(
                "trial", ["connection"], {k: [v] for k, v in {**whole, "connection": self.connection}.items()}
            )

        self._write(now, write)

    # -- the mirror of the books ----------------------------------------------------------------------------------

    def mirror(
        self,
        now: datetime,
        *,
        reached: Sequence[str] = (),
        books: str | None = None,
        contacts: Sequence[BookContact] = (),
        invoices: Sequence[BookInvoice] = (),
    ) -> None:
        """Take in what Xero shows; `reached` names what is up to date as of `now`."""

        def write(pen: LedgerWriter) -> None:
            if books is not None:
                row: dict[str, list[Any]] = {
                    "connection": [self.connection],
                    "read_at": [now],
                    "content": [books],
                }
                pen.tx.upsert("books", ["connection"], row)
            contacts_ledger.notice(pen, contacts)
            pen.mirror_contacts(contacts)
            intake.see_heads(pen, invoices)
            pen.reach(dict.fromkeys(reached, now))

        self._write(now, write)

    def keep_checks(self, checks: Sequence[Check], now: datetime) -> None:
        """Write a readiness report down, in place of the one before."""
        count = len(checks)
        columns: dict[str, list[Any]] = {
            "position": list(range(count)),
            **columns_of(checks, ["code", "subject", "invoices"]),
            "level": [str(one.level) for one in checks],
            "facts": [as_json(one.facts) for one in checks],
            "money": [as_json({name: text(amount) for name, amount in one.money.items()}) for one in checks],
            "checked_at": [now] * count,
        }

        def write(pen: LedgerWriter) -> None:
            pen.tx.execute("DELETE FROM readiness WHERE connection = ?", [self.connection])
            pen.insert("readiness", columns)

        self._write(now, write)

    def forget_mirror(self) -> None:
        """Another organisation was connected: nothing of the mirror holds any more."""

        def write(tx: Tx) -> None:
            for table in ("books", "book_contact", "book_invoice", "contact_import"):
                tx.execute(f"DELETE FROM {table} WHERE connection = ?", [self.connection])
            tx.execute("DELETE FROM watermark WHERE connection = ? AND name LIKE 'xero_%'", [self.connection])

        self.store.transaction(write)


def _forget_refusals(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """Clear refusals that no longer decide, so that they do not block the invoice if the old settings return."""
    pen.tx.execute(
        "UPDATE invoice SET refused_stamp = NULL WHERE connection = $connection "
        "AND refused_stamp IS NOT NULL AND list_contains($ids, source_id)",
        {"connection": pen.connection, "ids": list(ids)},
    )
