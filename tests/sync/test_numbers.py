"""Numbers that our own invoices hand on to each other, and look-ups by number that Xero takes."""

import pytest

from syncer.app import jobs
from syncer.domain.errors import WrongUsage
from syncer.sync.context import RunOptions


def there(world):
    """Which CrocoClick invoice has which number in Xero, by our mark."""
    return {one["Url"].rpartition("/")[2]: one["InvoiceNumber"] for one in world.xero.invoices()}


def wanted(world):
    """Which number each has in CrocoClick."""
    return {one["_id"]: one["invoiceNumber"] for one in world.crm.invoices()}


def renumbered(world, **moves):
    """Invoices in Xero that get other numbers in CrocoClick: `_1="2"` for INV-1 to INV-2."""
    ids = {}
    for place in range(1, len(moves) + 1):
        ids[place] = world.has(f"INV-{place}")
    world.sync()
    for place, number in moves.items():
        world.crm.edit_invoice(ids[int(place.strip("_"))], number=f"INV-{number}")
    world.box.reset_calls()
    return ids


def all_agree(world):
    """Every number is where it belongs, both books agree, and nobody is said to have changed anything."""
    assert there(world) == wanted(world)
    for number in wanted(world).values():
        told = world.explain(number)
        assert (told["state"], told["cause"]) == ("synced", None), told
    world.sync(full=True)
    assert all(world.state(number) == "synced" for number in wanted(world).values())


MOVES = {
    "two exchange theirs": ({"_1": "2", "_2": "1"}, 2),
    "three in a ring": ({"_1": "2", "_2": "3", "_3": "1"}, 2),
    "one takes what another leaves": ({"_1": "2", "_2": "9"}, 2),
    "a chain of three": ({"_1": "2", "_2": "3", "_3": "9"}, 3),
    "a long chain": ({f"_{n}": str(n + 1) for n in range(1, 8)}, 4),
    "a ring and a chain": ({"_1": "2", "_2": "1", "_3": "4", "_4": "9"}, 4),
}


@pytest.mark.parametrize("what", MOVES)
def test_numbers_that_our_invoices_hand_on_are_handed_on(world, what):
    """In one run, in a few calls however many they are, rings by way of a third number."""
    moves, writes = MOVES[what]
    renumbered(world, **moves)
    outcomes = world.sync()
    assert outcomes["updated"] == len(moves)
    all_agree(world)
    assert world.writes() <= writes


def test_a_new_invoice_gets_the_number_that_another_one_leaves_in_the_same_run(world):
    """The renumbering goes first."""
    renumbered(world, _1="7")
    world.has("INV-1", contact=world.crm.add_contact(name="B", email="b@example.org"))
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["updated"]) == (1, 1)
    all_agree(world)


def test_paid_invoices_exchange_their_numbers_too(world):
    """Xero lets the number of an invoice with payments change; the payments stay."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    world.has("INV-1")
    world.has("INV-2")
    world.crm.pay("INV-1", 120)
    world.crm.pay("INV-2", 20)
    world.sync()
    first, second = wanted(world)
    world.crm.edit_invoice(first, number="INV-2")
    world.crm.edit_invoice(second, number="INV-1")
    world.sync()
    all_agree(world)
    assert sorted(one["AmountPaid"] for one in world.xero.invoices()) == [20, 120]


@pytest.mark.parametrize("lost", ["accepted_then_hung_up", "dropped"])
@pytest.mark.parametrize("which", [(0,), (1,), (0, 1)])
def test_an_exchange_whose_answers_are_lost_comes_to_its_end(world, lost, which):
    """The first write, the second, or both: what arrived is known again, what did not is sent again."""
    renumbered(world, _1="2", _2="1")
    for place in which:
        world.faults.next_write(lost, path="/Invoices", after=place - len(which) + 1 if place else 0)
    world.sync(times=3)
    all_agree(world)


def test_an_exchange_that_is_cut_off_after_any_write_is_taken_up_where_the_books_stand(world):
    """The process is gone after a write whose answer it never read, again and again."""
    renumbered(world, _1="2", _2="3", _3="1")
    for _ in range(2):
        before = world.writes()
        world.faults.next_write("accepted_then_hung_up", path="/Invoices")
        jobs.run(
            world.connection, RunOptions(), "a test", lambda *told: None, lambda before=before: world.writes() > before
        )
        assert world.ledger.open_attempts()
        assert not [one for number in wanted(world).values() if (one := world.cause(number)) == "changed_in_xero"]
    world.sync()
    all_agree(world)


def test_what_keeps_one_from_moving_is_told_to_the_other(world):
    """INV-2 cannot be changed (its period is locked): INV-1 is told whose its number is, and follows by itself."""
    ids = {1: world.has("INV-1", issueDate="2026-10-20"), 2: world.has("INV-2", issueDate="2026-08-20")}
    world.sync()
    world.xero.organisation(PeriodLockDate="2026-08-31")
    world.crm.edit_invoice(ids[1], number="INV-2")
    world.crm.edit_invoice(ids[2], number="INV-9")
    world.box.reset_calls()
    world.sync(full=True)
    told = world.explain(ids[1])
    assert (told["state"], told["cause"]["code"], world.cause(ids[2])) == ("held", "number_taken", "period_locked")
    assert "in Xero our invoice INV-9" in told["cause"]["sentence"] and "INV-9" in told["remedy"]["sentence"]
    assert told["remedy"]["order"] is None and not told["remedy"].get("answers")
    assert world.writes() == 0
    with pytest.raises(WrongUsage):
        world.order("adopt", ids[1])
    world.xero.organisation(PeriodLockDate=None)
    world.sync(full=True)
    all_agree(world)


def test_a_number_that_a_void_invoice_of_ours_keeps_is_told_as_ours(world):
    """Xero keeps the number of a void document: the other invoice of ours has it, and linking would be wrong."""
    ids = {1: world.has("INV-1"), 2: world.has("INV-2")}
    world.sync()
    world.crm.void(ids[2])
    world.crm.edit_invoice(ids[2], number="INV-9")
    world.crm.edit_invoice(ids[1], number="INV-2")
    world.sync()
    told = world.explain(ids[1])
    assert told["cause"]["code"] == "number_taken" and "our invoice" in told["cause"]["sentence"]
    with pytest.raises(WrongUsage):
        world.order("adopt", ids[1])
    world.crm.edit_invoice(ids[1], number="INV-3")
    world.sync()
    assert world.state(ids[1]) == "synced" and there(world)[ids[1]] == "INV-3"


def test_one_alone_waits_for_the_other(world):
    """A run for one invoice moves no other: it is told who has the number; the next run for all exchanges them."""
    ids = renumbered(world, _1="2", _2="1")
    world.sync(scope=ids[1], only=frozenset({ids[1]}))
    assert world.cause(ids[1]) in (None, "number_taken") and world.writes() == 0
    world.sync()
    all_agree(world)


# -- look-ups that Xero takes ---------------------------------------------------------------------------------------

SERIES = {
    "one comma among fifty": ["A,1", *(f"FACTURE-2026-{n:07}" for n in range(49))],
    "commas everywhere": [f"2026,{n:07},A" for n in range(50)],
    "signs that grow": [f"N&%+/{n:07}/&%+" for n in range(50)],
    "outer blanks": [f"  B-{n} " for n in range(3)],
}


@pytest.mark.parametrize("what", SERIES)
def test_whatever_the_numbers_are_fifty_lost_invoices_are_found(world, what):
    """The answer to a batch is lost: the look-ups are ones that Xero takes, and each invoice is there once."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in SERIES[what]:
        world.has(number, contact=contact)
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    outcomes = world.sync()
    assert (outcomes["created"], world.outcome.ended) == (len(SERIES[what]), "done")
    assert sorted(one["InvoiceNumber"] for one in world.xero.invoices()) == sorted(n.strip() for n in SERIES[what])
    assert all(len(call.query) <= 2048 for call in world.box.calls if call.side == "xero")


def test_a_look_up_that_is_refused_stops_nothing_else(world):
    """Some stay in doubt, the others go, the run says that it goes on later, and the next one settles them."""
    for number in ("INV-1", "INV-2"):
        world.has(number)
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("refuse", side="xero", method="GET", path="/Invoices", status=404, body="no", times=99, after=1)
    world.sync()
    assert (world.state("INV-1"), world.outcome.ended) == ("in_doubt", "deferred")
    world.has("INV-3")
    outcomes = world.sync()
    assert (outcomes["created"], outcomes["in_doubt"], world.outcome.ended) == (1, 2, "deferred")
    world.faults.clear()
    assert world.sync()["created"] == 2
    assert len(world.xero.invoices()) == 3
    assert {world.state(f"INV-{n}") for n in (1, 2, 3)} == {"synced"}


def test_a_query_that_xero_finds_too_long_all_the_same_is_halved(world):
    """Xero's bound is not written down: where it is lower than we think, the look-up is cut until it fits."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(8):
        world.has(f"INV-{number}", contact=contact)
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("refuse", side="xero", method="GET", path="/Invoices", status=404, body="no", times=3, after=1)
    assert world.sync()["created"] == 8
    assert len(world.xero.invoices()) == 8


def test_a_record_that_cannot_be_read_may_be_our_own_and_leaves_it_in_doubt(world):
    """A document without an id has its number: nothing is sent again until a look can tell."""
    world.has("INV-1")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    odd = {"Invoices": [{"Type": "ACCREC", "InvoiceNumber": "INV-1"}]}
    world.faults.add("refuse", side="xero", method="GET", path="/Invoices", status=200, body=odd, times=1, after=1)
    world.sync()
    assert (world.state("INV-1"), world.outcome.ended) == ("in_doubt", "deferred")
    world.sync()
    assert world.state("INV-1") == "synced" and len(world.xero.invoices()) == 1
