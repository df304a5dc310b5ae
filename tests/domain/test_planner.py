"""What each invoice needs, and who may use a number."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.matching.invoice_contacts import Create, Join, Linked, NewContact
from syncer.domain.model.invoice import Status
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Do, contact_ref, stamp
from syncer.domain.planning.plan import idempotency_key, number_owners, plan, plan_all
from tests.support.domain_samples import (
    IN_XERO,
    INVOICE,
    MARK,
    head,
    invoice,
    known,
    ordered,
    paid,
    rules,
    scene,
    standing,
)


def test_a_new_invoice_is_created():
    """With its document."""
    action = plan(INVOICE, scene())
    assert (action.do, action.cause, action.eligible, action.document.contact_id) == (Do.CREATE, "", True, "x1")


NOT_ELIGIBLE = [
    ({"live": False}, {}, "test_mode"),
    ({"status": Status.VOID}, {}, "void_before_sync"),
    ({"status": Status.DRAFT}, {}, "status_not_selected"),
    ({"status": Status.PAID}, {"statuses": frozenset({Status.SENT})}, "status_not_selected"),
    ({}, {"start_date": date(2026, 9, 2)}, "before_start_date"),
]


@pytest.mark.parametrize(("changes", "settings", "code"), NOT_ELIGIBLE)
def test_what_the_settings_leave_out_is_left(changes, settings, code):
    """With the reason, whatever a stranger has in Xero under its number; what we sent is taken note of all the same."""
    one, chosen = invoice(**changes), rules(**settings)
    action = plan(one, scene(rules=chosen, heads={"F-1": [head()]}))
    assert (action.do, action.cause, action.eligible) == (Do.LEAVE, code, False)
    assert plan(one, scene(rules=chosen, heads={"F-1": [head(url=MARK)]})).do is Do.BIND


def test_the_start_date_is_inclusive_and_needs_a_date():
    """An invoice without an issue date is looked at, and held for that."""
    assert plan(INVOICE, scene(rules=rules(start_date=date(2026, 9, 1)))).do is Do.CREATE
    action = plan(invoice(issue_date=None), scene(rules=rules(start_date=date(2026, 9, 1))))
    assert (action.do, action.cause) == (Do.HOLD, "issue_date_missing")


CONTACTS = [
    ({}, "contact_missing"),
    ({"c1": Problem("contact_ambiguous")}, "contact_ambiguous"),
]


@pytest.mark.parametrize(("contacts", "code"), CONTACTS)
def test_an_undecided_customer_holds_the_invoice(contacts, code):
    """Its other problems are told too, the customer's first."""
    action = plan(invoice(total=Decimal(1)), scene(contacts=contacts))
    assert (action.do, [problem.code for problem in action.problems]) == (Do.HOLD, [code, "total_mismatch"])


def test_an_invoice_without_a_contact_is_held():
    """Even where a contact without id was decided for others."""
    nobody = invoice(customer=replace(INVOICE.customer, id=""))
    assert plan(nobody, scene(contacts={"": Linked("x1", "email")})).cause == "contact_missing"


def test_the_problem_to_mend_first_comes_first():
    """An account that is missing blocks everything; a total that is off, this one."""
    action = plan(invoice(due_date=None, number=""), scene(rules=rules(revenue_account="")))
    assert [problem.code for problem in action.problems] == ["account_missing", "number_invalid", "due_date_missing"]


def test_a_contact_to_be_created_is_named_by_a_placeholder():
    """One that joins another has the other's."""
    assert contact_ref(Linked("x1", "email")) == "x1"
    assert contact_ref(Create(NewContact("c1", "Anne"))) == contact_ref(Join("c1")) == "new:c1"
    assert contact_ref(Problem("contact_missing")) == ""


# -- numbers


def test_our_own_document_is_recognised_by_its_mark():
    """It is taken note of and nothing is written, even where a stranger's has the number too."""
    ours = head(id="xi2", url=MARK)
    action = plan(INVOICE, scene(heads={"F-1": [head(), ours]}))
    assert (action.do, action.xero_id, action.found) == (Do.BIND, "xi2", ours)


def test_our_own_document_is_recognised_under_any_number():
    """One that stands before one that is gone: a ledger that was lost does not know which number it was sent with."""
    gone, ours = head(id="xi1", number="OLD", url=MARK, status="VOIDED"), head(id="xi2", number="OLD-2", url=MARK)
    action = plan(INVOICE, scene(marked={INVOICE.source_id: [gone, ours]}))
    assert (action.do, action.xero_id) == (Do.BIND, "xi2")
    assert plan(INVOICE, scene(marked={INVOICE.source_id: [gone]})).xero_id == "xi1"


def test_a_strangers_number_is_never_taken_over():
    """The facts say which document it is: whose, over how much, and its status, for a voided one is another matter."""
    there = {"F-1": [head(status="VOIDED", contact_id="x7")]}
    action = plan(INVOICE, scene(heads=there, names={"x7": "Somebody Else"}))
    assert (action.do, action.cause) == (Do.HOLD, "number_taken")
    assert dict(action.problems[0].facts) == {
        "number": "F-1",
        "xero_id": "xi1",
        "xero_status": "VOIDED",
        "xero_total": "240",
        "currency": "EUR",
        "customer": "Somebody Else",
    }
    assert plan(INVOICE, scene(heads=there)).problems[0].facts["customer"] == ""


def siblings(*changes):
    """Invoices that share the number F-1."""
    return [invoice(source_id=f"i{n}", **change) for n, change in enumerate(changes)]


SIBLINGS = [
    ([{}, {"issue_date": date(2026, 8, 1)}], {}, "i1"),  # the earlier issued
    ([{}, {}], {}, "i0"),  # else the smaller id
    ([{"issue_date": None}, {}], {}, "i1"),  # without a date: last
    ([{"status": Status.VOID}, {}], {}, "i1"),  # one that will not go does not stand in the way
    ([{}, {"issue_date": date(2026, 9, 9)}], {"i1": IN_XERO}, "i1"),  # the one that has it in Xero keeps it
    ([{}, {"status": Status.VOID}], {"i1": IN_XERO}, "i1"),
    ([{}, {}], {"i0": SyncState(order=ordered("skip"))}, "i1"),  # one that a person skips wants nothing
    ([{}, {}], {"i0": SyncState(gone=True)}, "i1"),
    ([{}, {}], {"i0": standing(there={"number": "F-0"})}, "i0"),  # one that would like to change to it waits in line
    ([{}, {}], {"i0": standing(there={"number": "F-0"}, order=ordered("skip"))}, "i1"),
    ([{}, {}], {"i0": standing(there={"number": "F-0"}, gone=True)}, "i1"),
    ([{}, {}], {"i0": standing(there={"number": "F-0"}), "i1": IN_XERO}, "i1"),
]


@pytest.mark.parametrize(("changes", "standings", "owner"), SIBLINGS)
def test_one_of_two_with_the_same_number_has_it(changes, standings, owner):
    """In whatever order they are looked at."""
    for order in permutations(siblings(*changes)):
        assert number_owners(order, scene(standings=standings))["F-1"].source_id == owner


def test_the_other_is_held_and_told_who_has_the_number():
    """Each number is created once."""
    first, second = siblings({}, {})
    actions = plan_all([second, first], scene())
    assert [action.do for action in actions] == [Do.HOLD, Do.CREATE]
    assert actions[0].problems[0].facts["crococlick_id"] == "i0"
    assert plan_all([second], scene(), owners={"F-1": first})[0].cause == "number_taken"


def test_a_sibling_is_named_before_a_stranger():
    """The sibling's own document in Xero is no stranger's."""
    first, second = siblings({}, {})
    at = {"F-1": [head(url="https://app.example.com/i0")]}
    found = plan_all([first, second], scene(standings={"i0": IN_XERO}, heads=at))[1]
    assert "crococlick_id" in found.problems[0].facts


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.booleans()), max_size=6), st.randoms())
def test_no_number_is_written_twice(those, chance):
    """Whatever the order, of all that share a number at most one is created, and always the same one."""
    seen = [
        invoice(source_id=f"i{n}", number=number, issue_date=date(2026, 9, day), live=live)
        for n, (number, day, live) in enumerate(those)
    ]
    shuffled = list(seen)
    chance.shuffle(shuffled)
    created = [[a.invoice for a in plan_all(order, scene()) if a.do is Do.CREATE] for order in (seen, shuffled)]
    assert len({one.number for one in created[0]}) == len(created[0]) == len({one.number for one in seen if one.live})
    assert {one.source_id for one in created[0]} == {one.source_id for one in created[1]}


# -- what Xero refused

REFUSAL = Problem("rejected_by_xero", {"message": "No."})
CHANGED = standing(synced_fingerprint="other")
VOID = invoice(status=Status.VOID)
PAID = invoice(status=Status.PAID, amount_paid=Decimal(240))
PAYABLE = {"rules": rules(payment_accounts={"EUR": "acc-bank"})}
REFUSED = {
    "create": (INVOICE, SyncState(), {}),
    "update": (INVOICE, CHANGED, {}),
    "void": (VOID, IN_XERO, {}),
    "pay": (PAID, standing(payments=(paid(),)), PAYABLE),
}


@pytest.mark.parametrize(("one", "stands", "settings"), REFUSED.values(), ids=list(REFUSED))
def test_what_xero_refused_waits_until_something_moves(one, stands, settings):
    """The same again cannot help; other content, other conditions or another document in Xero can."""
    refused = replace(stands, refusal=REFUSAL, refused_stamp=stamp(one, stands, "as it was"))
    held = known(one, refused, conditions="as it was", **settings)
    assert (held.do, held.problems, held.refused, held.xero_id) == (Do.HOLD, (REFUSAL,), True, stands.xero_id)
    assert known(one, refused, conditions="moved", **settings).do is not Do.HOLD
    assert known(replace(one, name="other"), refused, conditions="as it was", **settings).do is not Do.HOLD
    more_due = replace(refused, xero_amount_due=Decimal(300))
    assert known(one, more_due, conditions="as it was", **settings).do is not Do.HOLD


def test_what_is_sent_says_what_its_refusal_would_depend_on():
    """So that the ledger can keep it with the refusal."""
    action = known(INVOICE, CHANGED, conditions="a")
    assert action.stamp == stamp(INVOICE, CHANGED, "a")


def test_a_stamp_names_the_invoice_the_conditions_and_what_stands_in_xero():
    """What was paid too, for a refused payment may become another."""
    invoices = [INVOICE, VOID, invoice(name="other"), invoice(amount_paid=Decimal(1))]
    standings = [standing(there={"total": "250"}), standing(xero_status="PAID"), standing(xero_amount_due=Decimal(1))]
    stamps = {
        *(stamp(one, IN_XERO, "a") for one in invoices),
        *(stamp(INVOICE, one, "a") for one in standings),
        stamp(INVOICE, IN_XERO, "b"),
    }
    assert len(stamps) == 8
    assert stamp(invoice(), standing(), "a") in stamps


# -- orders


def test_what_a_person_skips_is_left():
    """In Xero or not, with who said so and why."""
    skipped = ordered("skip", because="a duplicate", until="2026-12-01")
    for stands in (SyncState(order=skipped), standing(order=skipped, synced_fingerprint="other")):
        action = known(INVOICE, stands)
        assert (action.do, action.cause, action.xero_id) == (Do.LEAVE, "skipped_by_person", stands.xero_id)
        assert dict(action.problems[0].facts) == {
            "because": "a duplicate",
            "until": "2026-12-01",
            "by": "anne@example.com",
        }


def test_what_crococlick_deleted_before_it_went_over_does_not_go():
    """Nothing stands in Xero, so nothing is to be done there."""
    action = known(INVOICE, SyncState(gone=True))
    assert (action.do, action.cause, action.xero_id) == (Do.LEAVE, "deleted_in_crococlick", "")


ADOPTING = SyncState(order=ordered("adopt"))


def test_a_strangers_document_is_adopted_when_a_person_says_so():
    """It is taken note of, and nothing is written."""
    action = known(INVOICE, ADOPTING, heads={"F-1": [head(id="xi7")]})
    assert (action.do, action.xero_id, action.document) == (Do.BIND, "xi7", None)


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_what_was_removed_in_xero_cannot_be_adopted(status):
    """The number is taken all the same."""
    assert known(INVOICE, ADOPTING, heads={"F-1": [head(status=status)]}).cause == "number_taken"


def test_a_document_is_never_adopted_twice():
    """A binding is unique both ways: one that is another invoice's is nobody else's."""
    bound = {INVOICE.source_id: ADOPTING, "other": standing(xero_id="xi7")}
    assert plan(INVOICE, scene(standings=bound, heads={"F-1": [head(id="xi7")]})).cause == "number_taken"


def test_a_document_with_the_mark_of_another_invoice_is_not_adopted():
    """That one will find it, although it is not bound yet; unless CrocoClick has deleted it."""
    marked = {"F-1": [head(id="xi7", url="https://crm.example/i1")]}
    there = {INVOICE.source_id: ADOPTING, "i1": SyncState()}
    assert plan(INVOICE, scene(standings=there, heads=marked)).cause == "number_taken"
    there["i1"] = SyncState(gone=True)
    assert plan(INVOICE, scene(standings=there, heads=marked)).do is Do.BIND


def test_of_two_with_one_number_the_one_that_adopts_has_it():
    """Although the other is older; where both are to adopt it, one does."""
    older, younger = siblings({"issue_date": date(2026, 8, 1)}, {})
    at = {"heads": {"F-1": [head(id="xi7")]}}
    actions = plan_all([older, younger], scene(standings={"i1": ADOPTING}, **at))
    assert [action.do for action in actions] == [Do.HOLD, Do.BIND]
    actions = plan_all([older, younger], scene(standings={"i0": ADOPTING, "i1": ADOPTING}, **at))
    assert [action.do for action in actions] == [Do.BIND, Do.HOLD]


REMOVED = standing(xero_status="VOIDED", order=ordered("overwrite"))


def test_what_was_removed_in_xero_is_sent_once_more_on_order():
    """The old document, ours by its mark, is in nobody's way."""
    action = known(INVOICE, REMOVED, heads={"F-1": [head(status="VOIDED", url=MARK)]})
    assert (action.do, action.xero_id, action.document.number) == (Do.CREATE, "", "F-1")


def test_the_document_that_was_sent_once_more_is_found_again():
    """Even where its answer was lost: not the older ones that were removed, in whatever order they are listed."""
    those = [
        head(id="xi0", status="DELETED", url=MARK),
        head(status="VOIDED", url=MARK),
        head(id="xi2", url=MARK),
    ]
    for order in permutations(those):
        action = known(INVOICE, REMOVED, heads={"F-1": order})
        assert (action.do, action.xero_id) == (Do.BIND, "xi2")
    for order in permutations(those[:2]):
        assert known(INVOICE, REMOVED, heads={"F-1": order}).do is Do.CREATE


@pytest.mark.parametrize(
    ("one", "gone"), [(invoice(status=Status.VOID), False), (INVOICE, True)], ids=["void", "deleted"]
)
def test_what_crococlick_gave_up_is_not_sent_once_more(one, gone):
    """Both sides agree, whatever was ordered before."""
    action = known(one, replace(REMOVED, gone=gone))
    assert (action.do, action.problems, action.xero_id) == (Do.LEAVE, (), "xi1")


# -- the key of a batch

BATCHES = st.tuples(
    st.text(max_size=5),
    st.text(max_size=5),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4),
    st.integers(0, 2),
)


@given(BATCHES, BATCHES)
def test_equal_batches_have_equal_keys_and_others_have_not(one, other):
    """Connection, kind, elements, their order and the generation all count."""
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)


def test_a_batch_in_another_order_is_another():
    """And so is one that says the same in other pieces."""
    pair = [("a", "1"), ("b", "2")]
    keys = {
        idempotency_key("default", "create", elements, generation)
        for elements in (pair, pair[::-1], pair[:1], [("a", "1\nb 2")])
        for generation in (0, 1)
    }
    assert len(keys) == 8
    assert all(len(key) <= 128 for key in keys)
