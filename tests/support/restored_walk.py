"""The past put back: a copy of the data directory, work that goes on, and the copy or nothing in its place.

The same events and the same oracle as in the walks of `truth_walk`; what is put back makes the product forget, and
nobody else.
"""

import shutil
from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st

from syncer.app import backup, jobs
from syncer.app.installation import App
from tests.support.truth.events import PAUSE, RUN
from tests.support.truth.hands import PICK, event
from tests.support.truth.in_crococlick import AGES, IN_CROCOCLICK, STATUSES
from tests.support.truth.in_xero import IN_XERO
from tests.support.truth.orders import ORDERS
from tests.support.truth.told import False_
from tests.support.truth.walk import Pending, Walk
from tests.support.truth.world import grant_again
from tests.support.waiting import is_removed, until

LEDGER = "ledger.duckdb"
# Calls to Xero of one run, however many invoices there are (of so few, each list is one call). What is looked at and
# written besides is for the invoices concerned: on average one call each, since forty share a look and fifty a write.
SETTINGS = 5  # organisation, actions, accounts, tax rates, currencies
DAILY = 2  # contacts and documents that moved
AGAIN = 2  # the same once more, where something waits for them or the ledger may be a copy
PAYMENTS = 1  # all payments, where a lost ledger has documents of ours that it cannot place
READS = SETTINGS + DAILY + AGAIN + PAYMENTS
QUIET = ("garble", "mend", "text")  # what cannot be read is another story
# What money was taken for, and what becomes of it: of all that may be twice, the worst.
MONEY = st.one_of(
    event("pay", PICK, st.sampled_from(["all", "half", "cent"]), st.sampled_from([0, 0, 3, 40])),
    event("move", PICK, PICK),
    event("correct", PICK, st.sampled_from(["up", "down", "day", "remove"])),
)
EVENT = st.one_of(IN_CROCOCLICK.filter(lambda event: event[0] not in QUIET), MONEY, IN_XERO, ORDERS)
STEP = st.tuples(st.lists(EVENT, min_size=1, max_size=4), PAUSE, RUN)
PUT_BACK = st.sampled_from(["all", "ledger", "ledger", "nothing", "backup", "rebuilt"])
ROUND = st.tuples(
    st.lists(STEP, max_size=3),
    st.lists(STEP, min_size=1, max_size=4),
    PUT_BACK,
    st.sampled_from([400, 400, 4000, 90_000]),
    st.sampled_from(["plain", "full"]),
)


class Restored(Walk):
    """A walk with a copy of the data directory."""

    def __init__(self, world, aside):
        self.log = []  # every change that the copy knows nothing of
        super().__init__(world)
        self.aside = aside

    def settle_in(self):
        """Few invoices: there are many rounds."""
        for place, age in enumerate(AGES):
            self.events.happen(("new", age, STATUSES[place * 3 % len(STATUSES)], place))

    def round(self, before, after, what, pause_s, run):
        """One round; gives every false word, and everything that stands twice."""
        for step in before:
            self.step(step)
        self._copy()
        for step in after:
            self.step(step)
        self.world.later(seconds=400)
        self.step(([], 400, "full"))
        held = self._held()
        self._put_back(what)
        self.world.later(seconds=pause_s)
        return [*self._after(run, held), *self._after("full", held, strict=True)]

    def _unread(self, key, pending):
        super()._unread(key, pending)
        self.log.append((key, pending))

    def _copy(self):
        shutil.copytree(self.world.app.environment.data_dir, self.aside, dirs_exist_ok=True)
        backup.save(self.world.app, self.aside.with_suffix(".zip"), True, lambda: False)
        self.log = list(self.pending.items())

    def _put_back(self, what):
        folder = self.world.app.environment.data_dir
        for file in folder.glob(f"{LEDGER}*"):
            if file.is_file():
                file.unlink()
        if what in ("all", "backup"):
            until(lambda: is_removed(folder))
        if what == "all":
            shutil.copytree(self.aside, folder)
        elif what == "backup":
            backup.restore(App(self.world.app.environment), self.aside.with_suffix(".zip"), lambda: False)
        elif what == "ledger":
            for file in self.aside.glob(f"{LEDGER}*"):
                shutil.copy(file, folder)
        self.world.begin_again()
        if what in ("nothing", "rebuilt"):
            self.world.prepare()
            self.log += self.everything()
        grant_again(self.world)
        if what == "rebuilt":
            self._rebuild()
        self._forget()

    def _rebuild(self):
        """A new ledger out of both books, which are as they were before."""
        before = len(self.world.box.calls)
        outcome = jobs.rebuild(self.world.app.connection(), "a test", lambda *told: None, lambda: False)
        assert outcome.ended == "done", outcome.failure
        written = [one for one in self.world.box.calls[before:] if one.method != "GET" and one.side != "identity"]
        assert not [one for one in written if "/connect/token" not in one.path], written

    def everything(self):
        """Every change that a new ledger knows nothing of."""
        now = self.world.clock.now()
        return [((id_, "crm"), Pending(now, "lists")) for id_ in self.ever]

    def _forget(self):
        """What the copy had not read, and what happened since, was never read."""
        listed = {id_ for id_, shown in self._shown().items() if self._listed(shown)}
        for key, one in self.log:
            self.pending[key] = one if key[0] in listed else replace(one, kind="daily")
        self.forgotten = {id_ for (id_, _), _ in self.log}
        self.rows = {}

    # -- what is judged -----------------------------------------------------------------------------------------------

    def _held(self):
        return {id_: said["cause"]["code"] for id_, said in self.explained_last.items() if said["state"] == "held"}

    def _after(self, run, held, strict=False):
        calls = len(self.world.box.calls)
        found = self.step(([], 0, run))
        found += twice_among_contacts(self.world)
        asked = sum(one.side == "xero" and one.path.startswith("/api.xro") for one in self.world.box.calls[calls:])
        concerned = {id_ for (id_, _), _ in self.log} | set(held)
        if asked > READS + len(concerned) + len(self.events.ordered):
            found.append(False_("too many calls", "", f"{asked} for {len(concerned)} invoices concerned"))
        if strict:
            found += self._newly_held(held)
        return found

    def _newly_held(self, held):
        """Held is what a person has to decide: what was held before, and what somebody did or ordered."""
        persons = self.events.touched | self.events.ordered | set(held)
        return [
            False_("held for nothing", id_, f"{cause}: {self.explained_last[id_]['verdict']}")
            for id_, cause in self._held().items()
            if id_ not in persons
        ]


def twice_among_contacts(world):
    """Contacts of CrocoClick that one import, or two, made of the same Xero contact."""
    emails = Counter((one.get("email") or one["id"]).casefold() for one in world.crm.contacts())
    return [False_("a contact twice in CrocoClick", "", f"{key}: {n}") for key, n in emails.items() if n > 1]


class Copies:
    """Copies of a data directory, as an administrator makes them."""

    def __init__(self, world, folder):
        self._world, self._folder, self._data = world, folder, world.app.environment.data_dir

    def make(self):
        shutil.copytree(self._data, self._folder)

    def lose(self, how):
        """Put the ledger back or the whole directory, or lose the ledger; then six minutes and more pass."""
        world = self._world
        if how == "everything put back":
            fresh = world.app.vault.get("xero:default")
            until(lambda: is_removed(self._data))
            shutil.copytree(self._folder, self._data)
            self._open()
            world.app.vault.put("xero:default", fresh)  # what a person does who connects again
        else:
            for path in self._data.glob("ledger.duckdb*"):
                path.unlink()
            if how == "ledger put back":
                shutil.copy(self._folder / "ledger.duckdb", self._data)
            self._open()
        if how == "ledger deleted":
            world.set(revenue_account="706", payment_account__EUR=world.bank)
        world.later(minutes=10)

    def _open(self):
        clock = self._world.app.clock
        self._world.app = App(self._world.app.environment, clock)


def marks(world):
    """The marks of the payments that stand in Xero: a transaction that is there twice shows twice."""
    found = [one["Reference"].split()[-1] for one in world.xero.payments() if one["Status"] != "DELETED"]
    return sorted(found)


LOSSES = ["ledger put back", "everything put back", "ledger deleted"]
