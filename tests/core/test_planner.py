"""What each invoice needs, and who may use a number."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from core_samples import BANK, BOOKS, INVOICE, SALES, books, head, invoice, rules, scene
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.action import Do, contact_ref, stamp
from syncer.core.causes import Problem
from syncer.core.contact import Create, Join, Linked, NewContact
from syncer.core.invoice import Status
from syncer.core.payment import Payment, is_ours, reference
from syncer.core.plan import idempotency_key, number_owners, plan, plan_all
from syncer.core.standing import Standing

IN_XERO = Standing(xero_id="xi1", synced_fingerprint=INVOICE.fingerprint, synced_status="sent")
MARK = f"https://app.crococlick.com/v2/location/loc1/payments/invoices/{INVOICE.source_id}"


def known(one=INVOICE, standing=IN_XERO, **changes):
    """The decision on an invoice that stands in Xero."""
    return plan(one, scene(standings={one.source_id: standing}, **changes))


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
    """With the reason, whatever stands in Xero under its number."""
    action = plan(invoice(**changes), scene(rules=rules(**settings), heads={"F-1": [head(url=MARK)]}))
    assert (action.do, action.cause, action.eligible) == (Do.LEAVE, code, False)


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


def test_a_strangers_number_is_never_taken_over():
    """Its status is among the facts, for a voided one is another matter."""
    action = plan(INVOICE, scene(heads={"F-1": [head(status="VOIDED")]}))
    assert (action.do, action.cause) == (Do.HOLD, "number_taken")
    assert dict(action.problems[0].facts) == {"number": "F-1", "xero_id": "xi1", "xero_status": "VOIDED"}


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


# -- what stands in Xero already


def test_what_has_not_changed_is_left():
    """Not even the settings are looked at."""
    action = known(rules=rules(revenue_account="", statuses=frozenset()))
    assert (action.do, action.problems, action.xero_id, action.eligible) == (Do.LEAVE, (), "xi1", True)


CHANGED = replace(IN_XERO, synced_fingerprint="other")


def test_a_change_is_carried():
    """The whole document is sent anew."""
    action = known(standing=CHANGED)
    assert (action.do, action.xero_id, action.document.number) == (Do.UPDATE, "xi1", "F-1")


def test_a_change_with_a_problem_is_held():
    """What stands in Xero stays as it was."""
    action = known(standing=CHANGED, contacts={})
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "contact_missing", "xi1")


def test_a_change_after_a_payment_is_for_a_person():
    """Xero refuses it."""
    action = known(standing=replace(CHANGED, xero_amount_paid=True))
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "edited_after_payment", "xi1")


VOID = invoice(status=Status.VOID)


def test_a_void_is_carried_once():
    """Unless the setting leaves voids out."""
    assert known(VOID).do is Do.VOID
    assert known(VOID, replace(IN_XERO, synced_status="void")).do is Do.LEAVE
    assert known(VOID, rules=rules(statuses=frozenset({Status.SENT}))).do is Do.LEAVE


def test_a_void_with_payments_is_for_a_person():
    """Xero refuses to void what was paid."""
    action = known(VOID, replace(IN_XERO, xero_amount_paid=True))
    assert (action.do, action.cause) == (Do.HOLD, "void_with_payments")


REFUSAL = Problem("rejected_by_xero", {"message": "No."})


@pytest.mark.parametrize(
    ("one", "standing"), [(INVOICE, Standing()), (INVOICE, CHANGED), (VOID, IN_XERO)], ids=["create", "update", "void"]
)
def test_what_xero_refused_waits_until_something_moves(one, standing):
    """The same again cannot help; other content, another status or other conditions can."""
    refused = replace(standing, refusal=REFUSAL, refused_stamp=stamp(one, "as it was"))
    held = known(one, refused, conditions="as it was")
    assert (held.do, held.problems, held.refused, held.xero_id) == (Do.HOLD, (REFUSAL,), True, standing.xero_id)
    assert known(one, refused, conditions="moved").do is not Do.HOLD
    assert known(replace(one, name="other"), refused, conditions="as it was").do is not Do.HOLD


def test_a_stamp_names_content_status_and_conditions():
    """And what was paid, for a refused payment may become another."""
    moved = [VOID, invoice(name="other"), invoice(amount_paid=Decimal(1))]
    stamps = {stamp(INVOICE, "a"), stamp(INVOICE, "b"), *(stamp(one, "a") for one in moved)}
    assert len(stamps) == 5
    assert stamp(invoice(), "a") in stamps


# -- payments


def paid(amount="240", **changes):
    """A payment that CrocoClick took."""
    return replace(
        Payment("t1", INVOICE.source_id, Decimal(amount), "EUR", date(2026, 9, 10), method="bank_transfer"), **changes
    )


PAYING = {"rules": rules(payment_accounts={"EUR": "acc-bank"})}


def with_payments(*payments, due="240", carried=(), total_paid=None, **changes):
    """The decision on an invoice in Xero that these payments were made for."""
    total = sum((one.amount for one in payments), Decimal(0)) if total_paid is None else Decimal(total_paid)
    one = invoice(status=Status.PAID, amount_paid=total)
    carried = dict.fromkeys(carried, "p")
    standing = replace(IN_XERO, payments=payments, xero_amount_due=Decimal(due), carried=carried)
    return known(one, standing, **{**PAYING, **changes})


def test_a_payment_that_xero_lacks_is_carried():
    """With its day, its account, and our mark in the reference."""
    action = with_payments(paid())
    (payment,) = action.payments
    assert (action.do, payment.invoice_id, payment.account_id) == (Do.PAY, "xi1", "acc-bank")
    assert (payment.amount, payment.paid_on) == (Decimal(240), date(2026, 9, 10))
    assert payment.reference == "bank transfer t1"


def test_our_mark_in_a_reference_is_a_whole_word():
    """The transaction t1 is not t11, and no id is nobody's mark."""
    assert is_ours(reference(paid(source_id="t11")), "t11")
    assert not is_ours(reference(paid(source_id="t11")), "t1")
    assert not is_ours("bank transfer", "")


def test_payments_go_in_the_order_they_were_made_and_once_each():
    """One that Xero has is left out; when it has all, nothing is done."""
    three = [paid("80", source_id=f"t{n}", paid_on=date(2026, 9, 20 - n)) for n in (1, 2, 3)]
    assert [one.source_id for one in with_payments(*three).payments] == ["t3", "t2", "t1"]
    assert [one.source_id for one in with_payments(*three, carried=["t2"]).payments] == ["t3", "t1"]
    assert with_payments(*three, carried=["t1", "t2", "t3"]).do is Do.LEAVE


def test_a_failed_or_test_payment_is_no_money():
    """It is as if it were not there."""
    others = [paid(source_id="t2", status="failed"), paid(source_id="t3", live=False)]
    assert [one.source_id for one in with_payments(paid(), *others, total_paid=240).payments] == ["t1"]


@pytest.mark.parametrize("statuses", [frozenset({Status.SENT}), frozenset()])
def test_payments_of_a_status_not_selected_are_not_carried(statuses):
    """The document stays as it is."""
    assert with_payments(paid(), rules=replace(PAYING["rules"], statuses=statuses)).do is Do.LEAVE


HELD_PAYMENTS = [
    ([paid(refunded=Decimal(40), status="partially_refunded")], {}, "refund_needs_person"),
    ([paid("200")], {"total_paid": 240}, "payment_mismatch"),
    ([paid(currency="USD")], {}, "payment_mismatch"),
    ([paid(), paid("-1", source_id="t2")], {}, "payment_mismatch"),
    ([paid("100.005"), paid("1", source_id="t2")], {}, "payment_mismatch"),
    ([paid(paid_on=None)], {}, "payment_mismatch"),
    ([paid()], {"due": "239.99"}, "payment_exceeds_due"),
    ([paid()], {"rules": rules()}, "payment_account_missing"),
    ([paid()], {"rules": rules(payment_accounts={"USD": "acc-bank"})}, "payment_account_missing"),
    ([paid()], {"rules": rules(payment_accounts={"": "nowhere"})}, "payment_account_invalid"),
    ([paid()], {"rules": rules(payment_accounts={"": "706"})}, "payment_account_invalid"),
    ([paid()], {"books": books(accounts=(SALES, replace(BANK, status="ARCHIVED")))}, "payment_account_invalid"),
    ([paid()], {"books": books(accounts=(SALES, replace(BANK, currency="USD")))}, "payment_account_invalid"),
    (
        [paid()],
        {"books": books(organisation=replace(BOOKS.organisation, period_lock_date=date(2026, 9, 10)))},
        "period_locked",
    ),
]


@pytest.mark.parametrize(("payments", "changes", "code"), HELD_PAYMENTS)
def test_a_payment_that_does_not_fit_is_held(payments, changes, code):
    """Nothing wrong is written; the document is in Xero already."""
    action = with_payments(*payments, **changes)
    assert (action.do, action.cause, action.payments, action.xero_id) == (Do.HOLD, code, (), "xi1")


@pytest.mark.parametrize("account", [replace(BANK, currency="EUR"), replace(SALES, id="acc-bank", takes_payments=True)])
def test_a_bank_account_or_one_with_payments_enabled_takes_them(account):
    """In the currency of the payment or of the organisation."""
    assert with_payments(paid(), books=books(accounts=(account,))).do is Do.PAY


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
