"""The guided test of the set-up: a small invoice goes to Xero and is taken back, whatever happens meanwhile."""

import pytest

from sandbox.server import Sandbox
from sandbox.worlds import open_location, open_organisation
from syncer import trial
from syncer.clock import SystemClock
from syncer.core.invoice import Status
from syncer.errors import HaltRun, Reconnect, TryLater, WrongUsage
from syncer.trial import GuidedTest
from tests.stories.stories_world import World


class Hurried(SystemClock):
    """A clock whose waits are over at once."""

    def sleep(self, seconds):
        pass


class TrialWorld(World):
    """A world where the set-up can be tested."""

    def test(self, contact="anna@dupont.example", invoice="", stop=lambda: False, **how):
        """`python -m syncer test-invoice`; `said` is what became of the test before."""
        connection = self.connection
        with connection.alone("trial"):
            test = GuidedTest(connection, "Anna", lambda *told: None, stop)
            self.said = test.finish()
            return test.check(invoice) if invoice else test.perform(contact)

    def ours(self):
        """The invoices that tests have made in CrocoClick."""
        return [one for one in self.crm.invoices() if one["name"].startswith("Test CrocoClick")]

    def open_in_crococlick(self):
        return [one for one in self.ours() if one["status"] != "void"]

    def open_in_xero(self):
        return [one for one in self.xero.invoices() if one["Status"] not in ("VOIDED", "DELETED")]


@pytest.fixture
def world(box, tmp_path):
    world = TrialWorld(box, tmp_path)
    world.app.clock = Hurried()
    world.connect()
    world.set(revenue_account="706")
    world.anna = world.crm.add_contact(name="Anna Dupont", email="anna@dupont.example", phone="+33601020304")
    return world


def wrong(result):
    return {one["what"]: one["found"] for one in result.checks if not one["ok"]}


def found(result):
    return {one["what"]: one["found"] for one in result.checks}


def test_it(world):
    world.has("INV-1", contact=world.anna)
    world.sync()
    r = world.test()
    for c in r.checks: print(c)
    print(r.invoice, r.sentence)
    assert r.ok
