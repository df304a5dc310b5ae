"""One walk: events, a run, and the oracle's judgement of every invoice after it."""

import traceback
from dataclasses import dataclass
from datetime import timedelta

from tests.support.truth import oracle
from tests.support.truth.around import TROUBLES
from tests.support.truth.books import read
from tests.support.truth.counts import overpaid
from tests.support.truth.events import Events
from tests.support.truth.in_crococlick import AGES, STATUSES
from tests.support.truth.told import False_, Leave, Told
from tests.support.truth.world import Killed

OPEN = ("draft", "sent", "payment_processing", "partially_paid")
RECENT = 27  # days that a plain run surely reads, whatever hour it is
DOUBT = timedelta(seconds=130)  # an answer that was lost is looked for after two minutes
A_DAY = timedelta(days=1)
KILLED = 137
SAMPLED, TABLED = 7, 6  # one in so many that stand as before is explained again, one in so many runs has its table read
TOLD_BY_ROW = (
    "state cause facts status total amount_paid number xero_number xero_status xero_total xero_amount_due"
).split()


class Lie(AssertionError):
    """The product told something that is not so."""


@dataclass
class Pending:
    """A change that the product cannot know yet: since when, and which reading shows it."""

    since: object
    kind: str  # lists: every run reads it · daily: within a day, or --full


class Walk:
    """A world, what happened in it, and what nobody can have seen of it yet."""

    def __init__(self, world):
        self.world, self.events = world, Events(world)
        self.pending = {}
        self.probes = 0
        self.ever = set()
        self.forgotten = set()
        self.lost_at = None
        self.steps = 0
        self.rows = {}  # of the ledger, after the last run
        self.explained_last = {}
        self.settle_in()

    def settle_in(self):
        """Invoices of every age and status, as a location has them that has worked for a while.

        Many: a run over them takes hardly longer, and each of them is judged after it.
        """
        for place, age in enumerate(AGES * 10):
            status = STATUSES[(place * 3 + place // len(AGES)) % len(STATUSES)]
            self.events.happen(("new", age, status, place))

    def step(self, step):
        """Events, a pause, one run, and the judgement; gives every false word."""
        events, pause_s, run = step
        for event in events:
            self._happen(event)
        self.world.later(seconds=pause_s)
        return self._run(run == "full")

    def _happen(self, event):
        before, transactions = self._shown(), self._transactions()
        self.events.changed_there = set()
        self.events.happen(event)
        after, moved = self._shown(), self._transactions()
        now = self.world.clock.now()
        for id_ in before.keys() | after.keys():
            if before.get(id_) != after.get(id_):
                listed = self._listed(before.get(id_)) or self._listed(after.get(id_))
                self._unread((id_, "crm"), Pending(now, "lists" if listed else "daily"))
            elif transactions.get(id_) != moved.get(id_):
                self._unread((id_, "crm"), Pending(now, "daily"))
        for id_ in self.events.changed_there:
            self._unread((id_, "xero"), Pending(now, "daily"))

    def _unread(self, key, pending):
        self.pending[key] = pending

    def _shown(self):
        return {one.id: (dict(one.doc), one.items) for one in self.world.crm.location.invoices.values()}

    def _transactions(self):
        found = {}
        for one in self.world.crm.location.transactions.values():
            found.setdefault(one["entitySourceId"], []).append(dict(one))
        return found

    def _listed(self, shown):
        """Whether a plain run reads it: open, or issued lately."""
        if shown is None:
            return False
        since = (self.world.clock.now() - timedelta(days=RECENT)).date().isoformat()
        return shown[0]["status"] in OPEN or str(shown[0].get("issueDate")) >= since

    # -- the run ----------------------------------------------------------------------------------------------------

    def _run(self, full):
        faults = self._faults()
        calls = len(self.world.box.calls)
        before = read(self.world.box)
        status, result, failure = self._sync(full)
        hit = self._faults() != faults
        now = self.world.clock.now()
        killed, self.events.kill = status == KILLED, None
        if killed or (hit and not self.events.troubles):
            self.lost_at = now
        self._learn(self.world.box.calls[calls:], killed or failure, full and status in (0, 3), status, now)
        causes = set()
        if status in (1, 4, 5) and not killed and not failure:
            causes = set().union(*(TROUBLES[name] for name in self.events.troubles))
        leave = Leave(
            unknown={id_ for id_, _ in self.pending},
            touched=self.events.touched,
            forgotten=self.forgotten,
            adopted=self.events.adopted,
            causes=causes,
            doubt=self.lost_at is not None and (now - self.lost_at < DOUBT or hit or killed),
            read=status in (0, 3) and not killed,
        )
        after = read(self.world.box)
        found = [*self._judge(leave, status, result, failure, after), *overpaid(before, after)]
        self.events.lift()
        return found

    def _faults(self):
        return [(one.kind, one.path, one.times) for one in self.world.faults.waiting]

    def _sync(self, full):
        if self.events.kill is not None:
            self.world.app.store.die(*self.events.kill)
        try:
            status, result = self.world.command("sync", *(["--full"] if full else []))
        except Killed:
            self.world.begin_again()
            return KILLED, None, ""
        except Exception:  # noqa: BLE001 — whatever it is, it is what this walk looks for
            self.world.begin_again()
            return 1, None, traceback.format_exc()
        self.world.app.store.live_on()
        return status, result, ""

    def _learn(self, calls, broken, full, status, now):
        """What this run has read is known from here on."""
        lists = [one for one in calls if one.side == "crococlick" and one.path.rstrip("/") == "/invoices"]
        read = bool(lists) and all(one.status == 200 for one in lists) and not broken
        done = status in (0, 3)
        for key, one in list(self.pending.items()):
            seen = done and (full or now - one.since >= A_DAY)
            if seen or (one.kind == "lists" and key[1] == "crm" and read):
                del self.pending[key]

    # -- the judgement ----------------------------------------------------------------------------------------------

    def _judge(self, leave, status, result, failure, books):
        self.ever |= books.invoices.keys()
        if failure:
            return [False_("unforeseen: " + failure.strip().splitlines()[-1][:120], "", failure)]
        rows = self._rows()
        explained = self._explained(books, rows, leave)
        self.probes += len(explained)
        table = self.world.states() if self.steps % TABLED == 0 or leave.causes else []
        states = {id_: row["state"] for id_, row in rows.items()}
        return oracle.judge(books, Told(explained, table, states, result, status), leave)

    def _explained(self, books, rows, leave):
        """`explain` of what has moved since the last run, of some of the others in turn, and where it would be false.

        What stands as before is judged by what was told of it last.
        """
        self.steps += 1
        found = {}
        for place, id_ in enumerate(sorted(self.ever)):
            before = self.explained_last.get(id_)
            if before and _same(rows.get(id_), self.rows.get(id_)) and (place + self.steps) % SAMPLED:
                found[id_] = before
                if not oracle.judge_one(books, id_, before, leave):
                    continue
            found.pop(id_, None)
            status, said = self.world.command("explain", id_)
            if said and "matches" not in said:
                found[id_] = said
            elif id_ in books.invoices:
                found[id_] = {"state": f"none: exit {status}"}
        # Read again: `explain` writes down what it decides after a run that was cut off.
        self.rows, self.explained_last = self._rows(), found
        return found

    def _rows(self):
        """What the ledger keeps of each invoice."""
        return {row["source_id"]: row for row in self.world.ledger.rows("latest_invoices", limit=1000)}


def _same(row, before):
    """Whether the ledger says the same of an invoice as before."""
    return bool(row and before) and all(row[name] == before[name] for name in TOLD_BY_ROW)
