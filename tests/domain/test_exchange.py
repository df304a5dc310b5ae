"""Numbers that our own invoices hand on to each other: who leaves one, who waits for whom, and who stays."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.domain.model.sync_state import SyncState, told
from syncer.domain.planning.actions import Do
from syncer.domain.planning.plan import leaving, plan, plan_all
from tests.support.domain_samples import IN_XERO, INVOICE, head, known, locked_up_to, ordered, scene


def world(wants, **changes):
    """Invoices with the numbers that they want, each in Xero under its own place: `[1, 0]` is an exchange."""
    invoices = [replace(INVOICE, source_id=f"i{place}", number=f"F-{number}") for place, number in enumerate(wants)]
    heads = {f"F-{place}": [head(f"F-{place}", id=f"x{place}")] for place in range(len(wants))}
    standings = {
        f"i{place}": replace(
            IN_XERO,
            xero_id=f"x{place}",
            agreed=told(heads[f"F-{place}"][0]),
            there=told(heads[f"F-{place}"][0]),
            synced_fingerprint=replace(invoice, number=f"F-{place}").fingerprint,
        )
        for place, invoice in enumerate(invoices)
    }
    holders = {f"x{place}": invoice for place, invoice in enumerate(invoices)}
    given = scene(**{"heads": heads, "standings": standings, "holders": holders, **changes})
    return invoices, given


def decided(wants, stay=()):
    """What each does, where these do not move in this run."""
    invoices, given = world(wants)
    moving = [one for place, one in enumerate(invoices) if place not in stay]
    given = replace(given, leaving=leaving(moving, given, {}))
    return plan_all(invoices, given)


def test_two_that_exchange_their_numbers_wait_for_each_other():
    """Both are to be updated; the other one's document is no stranger's."""
    first, second = decided([1, 0])
    assert (first.do, first.after, first.document.number) == (Do.UPDATE, "i1", "F-1")
    assert (second.do, second.after) == (Do.UPDATE, "i0")


def test_one_that_takes_what_another_leaves_waits_and_the_other_does_not():
    """The free end of a chain goes first."""
    first, second = decided([1, 9])
    assert (first.do, first.after, second.do, second.after) == (Do.UPDATE, "i1", Do.UPDATE, "")


def test_a_new_invoice_waits_for_the_number_that_another_leaves():
    """It is created once the number is free."""
    invoices, given = world([9])
    given = replace(given, leaving=leaving(invoices, given, {}))
    action = plan(replace(INVOICE, source_id="new", number="F-0"), given)
    assert (action.do, action.after) == (Do.CREATE, "i0")


def test_whoever_waits_for_one_that_stays_is_told_who_has_the_number():
    """All along the chain; it is one of ours, and nothing there can be called the same."""
    actions = decided([1, 2, 9], stay={2})
    assert [action.cause for action in actions[:2]] == ["number_taken", "number_taken"]
    facts = actions[1].problems[0].facts
    assert (facts["crococlick_id"], facts["still"], "xero_id" in facts) == ("i2", "F-9", False)
    invoices, given = world([1, 1])
    assert leaving(invoices, given, {"F-1": invoices[1]}) == frozenset()
    locked = replace(given, books=locked_up_to(INVOICE.issue_date))
    assert leaving(world([1, 0])[0], locked, {}) == frozenset()
    assert leaving((), given, {}) == frozenset()


def test_what_another_invoice_of_ours_has_is_not_adopted():
    """A binding is unique both ways."""
    adopting = SyncState(order=ordered("adopt"))
    action = known(INVOICE, adopting, heads={"F-1": [head(id="xi7")]}, holders={"xi7": replace(INVOICE, number="F-2")})
    assert (action.do, action.cause) == (Do.HOLD, "number_taken")


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.permutations(range(n + 2)), st.sets(st.integers(0, n - 1)))))
def test_handing_on_comes_to_its_end(given_world):
    """Whoever may go has its number once those before it went and rings were opened; nobody goes over anybody."""
    wants, stay = given_world
    wants = list(wants[:-2])
    actions = decided(wants, stay)
    goes = {place: action for place, action in enumerate(actions) if action.do is Do.UPDATE}
    held = {place: place for place in range(len(wants))}  # number to who has it
    parked = {action.after for action in goes.values()}
    for place in goes:
        if f"i{place}" in parked:
            del held[place]
    for place, action in goes.items():
        if f"i{place}" not in parked:
            held.pop(place)
        assert action.after == "" or int(action.after[1:]) in goes
    for place in goes:
        assert wants[place] not in held or wants[place] == place
        held[wants[place]] = place
    stuck = [action for action in actions if action.do is Do.HOLD]
    assert all(action.cause == "number_taken" for action in stuck)
