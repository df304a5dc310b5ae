"""The past put back: a copy of the data directory, work that goes on, and the copy or nothing in its place.

The same events and the same oracle as in the walks of `truth_walk`; what is put back makes the product forget, and
nobody else.
"""

import shutil
from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st

from tests.stories.truth_events import PAUSE, RUN
from tests.stories.truth_hands import PICK, event
from tests.stories.truth_in_crococlick import AGES, IN_CROCOCLICK, STATUSES
from tests.stories.truth_in_xero import IN_XERO
from tests.stories.truth_orders import ORDERS
from tests.stories.truth_told import False_
from tests.stories.truth_walk import Pending, Walk
from tests.stories.truth_world import grant_again
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
PUT_BACK = st.sampled_from(["all", "ledger", "ledger", "nothing"])
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
        self.log = list(self.pending.items())

    def _put_back(self, what):
        folder = self.world.app.environment.data_dir
        for file in folder.glob(f"{LEDGER}*"):
            if file.is_file():
                file.unlink()
        if what == "all":
            until(lambda: is_removed(folder))
            shutil.copytree(self.aside, folder)
        elif what == "ledger":
            for file in self.aside.glob(f"{LEDGER}*"):
                shutil.copy(file, folder)
        self.world.begin_again()
        if what == "nothing":
            self.world.prepare()
            self.log += self.everything()
        grant_again(self.world)
        self._forget()

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
