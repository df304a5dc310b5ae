"""A lost ledger is made anew out of the two books: what we made is found by its marks, and nothing is written."""

import pytest

from syncer.app import jobs
from syncer.app.installation import App
from syncer.domain.errors import Reconnect, WrongUsage
from syncer.support import explain
from syncer.support.preview import planned, preview
from syncer.sync.context import RunOptions
from tests.support.payments_world import move
from tests.support.restored_walk import marks

READ = ("GET", "HEAD")


@pytest.fixture
def paying(world):
    """Payments in euros go to the bank."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.bank = bank["AccountID"]
    world.set(payment_account__EUR=world.bank)
    return world


def quiet(*told):
    return None


def lose(world):
    """The ledger is gone; the data directory, with its secrets, stays."""
    for path in world.app.environment.data_dir.glob("ledger.duckdb*"):
        path.unlink()
    world.app = App(world.app.environment, world.app.clock)
    world.later(minutes=10)
    world.box.reset_calls()


def rebuild(world, stop=lambda: False):
    return jobs.rebuild(world.connection, "a test", quiet, stop)


def writes(world):
    """Calls to either service that are no reading; a token is renewed by one at Xero's login, which is no book."""
    return [one for one in world.box.calls if one.method not in READ and "/connect/token" not in one.path]


def plan(world):
    """What `plan` says of each invoice."""
    connection = world.connection
    foreseen = jobs.foresee(connection, RunOptions(), quiet, lambda: False)
    found = preview(connection.ledger, connection.rules(), explain.books(connection.ledger), frozenset(), foreseen)
    return {one["number"]: one["action"] for one in planned(found, 60, None)["actions"]}


def furnish(world):
    """Documents with two equal part payments, paid whole, void, renumbered; and an invoice that could not go."""
    for number in ("INV-1", "INV-2", "INV-3", "INV-4", "INV-5", "INV-6"):
        world.has(number)
    world.crm.pay("INV-1", 20)
    world.crm.pay("INV-1", 20)
    world.crm.pay("INV-2", 120)
    world.sync()
    world.crm.void("INV-3")
    world.crm.edit_invoice("INV-4", invoiceNumber="INV-4B")
    world.sync()
    world.has("HELD", dueDate=None)
    world.sync()


def test_a_rebuilt_ledger_knows_what_is_in_xero_and_writes_nothing(paying):
    """Every document, contact and payment of ours is bound; plan and sync have nothing to do; settings come later."""
    world = paying
    furnish(world)
    before = (marks(world), len(world.xero.invoices()), len(world.xero.contacts()))
    lose(world)
    outcome = rebuild(world)
    assert (outcome.ended, outcome.failure) == ("done", None)
    assert writes(world) == []
    found = world.ledger.row("found_again")
    assert found == {"known": 7, "invoices": 6, "contacts": 6, "payments": 3}
    world.set(revenue_account="706", payment_account__EUR=world.bank)
    actions = plan(world)
    assert {action for number, action in actions.items() if number != "HELD"} <= {"leave"}, actions
    assert world.state("INV-1") == world.state("INV-2") == world.state("INV-4B") == "synced"
    world.sync()
    assert writes(world) == []
    assert before == (marks(world), len(world.xero.invoices()), len(world.xero.contacts()))
    assert world.state("HELD") == "held"


def test_what_happened_since_goes_with_the_next_sync(paying):
    """A new invoice and a new payment wait after a rebuild, and go once."""
    world = paying
    furnish(world)
    world.has("NEW")
    world.crm.pay("INV-5", 50)
    lose(world)
    world.set(revenue_account="706", payment_account__EUR=world.bank)
    rebuild(world)
    assert writes(world) == [] and (world.state("NEW"), world.state("INV-5")) == ("waiting", "waiting")
    assert {number: action for number, action in plan(world).items() if action != "leave"} == {
        "NEW": "create", "INV-5": "pay", "HELD": "hold",
    }  # fmt: skip
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["paid"]) == (1, 1)
    assert marks(world) == sorted(one["_id"] for one in world.crm.transactions())


def test_a_payment_that_was_moved_meanwhile_is_known_by_its_mark(paying):
    """It stands on another document than CrocoClick says by now: a person is asked, nothing is entered again."""
    world = paying
    furnish(world)
    [transaction] = [one for one in world.crm.transactions() if one["amount"] == 120]
    move(world, transaction["_id"], "INV-5")
    lose(world)
    world.set(revenue_account="706", payment_account__EUR=world.bank)
    rebuild(world)
    world.sync()
    assert writes(world) == []
    assert "payment_changed" in {world.cause("INV-2"), world.cause("INV-5")}


def test_a_rebuild_is_for_a_ledger_that_is_lost(paying):
    """One that knows invoices is refused; one that was cut off is not, and comes to the same."""
    world = paying
    furnish(world)
    with pytest.raises(WrongUsage, match="knows 7 invoices"):
        rebuild(world)
    lose(world)
    looks = iter([False] * 4)
    assert rebuild(world, lambda: next(looks, True)).ended == "stopped"
    assert rebuild(world).ended == "done"
    assert world.ledger.row("found_again")["invoices"] == 6 and writes(world) == []
    with pytest.raises(WrongUsage):
        rebuild(world)


def test_a_rebuild_needs_both_sides(paying):
    """Without a consent it says so before it makes a run."""
    world = paying
    lose(world)
    world.app.vault.remove("xero:default")
    with pytest.raises(Reconnect):
        rebuild(world)
    assert world.ledger.row("last_sync") is None
