"""What an invoice that stands in Xero needs: its changes carried, and those that others made never overwritten."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.model.invoice import Status
from syncer.domain.model.problems import Problem
from syncer.domain.planning.actions import Do
from tests.support.domain_samples import (
    BANK,
    IN_XERO,
    INVOICE,
    books,
    head,
    invoice,
    known,
    locked_up_to,
    ordered,
    paid,
    rules,
    standing,
)

CHANGED = standing(synced_fingerprint="other")
VOID = invoice(status=Status.VOID)
WITH_PAYMENT = {
    "payments": (paid("100"),),
    "carried": {"t1": "p1"},
    "xero_amount_paid": Decimal(100),
    "xero_amount_due": Decimal(140),
}
EDITED = replace(CHANGED, synced_frozen="other", **WITH_PAYMENT)


def test_what_has_not_changed_is_left():
    """Not even the settings are looked at."""
    action = known(rules=rules(revenue_account="", statuses=frozenset()))
    assert (action.do, action.problems, action.xero_id, action.eligible) == (Do.LEAVE, (), "xi1", True)


def test_a_change_is_carried():
    """The whole document is sent anew."""
    action = known(stands=CHANGED)
    assert (action.do, action.xero_id, action.document.number) == (Do.UPDATE, "xi1", "F-1")


def test_a_change_with_a_problem_is_held():
    """What stands in Xero stays as it was."""
    action = known(stands=CHANGED, contacts={})
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "contact_missing", "xi1")


def test_an_invoice_in_xero_keeps_being_updated_whatever_its_status():
    """The list of statuses decides what goes over, not what is kept up."""
    assert known(stands=CHANGED, rules=rules(statuses=frozenset())).do is Do.UPDATE


def test_a_new_number_may_be_taken():
    """Then the old one stays in Xero."""
    at_f_0 = replace(CHANGED, there={**IN_XERO.there, "number": "F-0"}, agreed={**IN_XERO.agreed, "number": "F-0"})
    assert known(stands=at_f_0).do is Do.UPDATE
    action = known(stands=at_f_0, heads={"F-1": [head(id="xi9")]})
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "number_taken", "xi1")


# -- drafts

DRAFT = invoice(status=Status.DRAFT, due_date=None)
IN_DRAFT = standing(xero_status="DRAFT", synced_status="draft", synced_fingerprint=DRAFT.fingerprint)


def test_a_draft_stays_a_draft_until_it_is_sent():
    """Sent in CrocoClick, it is approved in Xero although its content is the same."""
    assert known(DRAFT, IN_DRAFT).do is Do.LEAVE
    sent = known(INVOICE, replace(IN_DRAFT, synced_fingerprint=INVOICE.fingerprint))
    assert (sent.do, sent.document.status) == (Do.UPDATE, "AUTHORISED")


def test_a_change_of_a_draft_leaves_it_one():
    """Unless somebody approved it in Xero: that is not taken back."""
    edited = replace(DRAFT, name="other")
    assert known(edited, IN_DRAFT).document.status == "DRAFT"
    assert known(edited, replace(IN_DRAFT, xero_status="AUTHORISED")).document.status == "AUTHORISED"


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_the_void_of_our_draft_deletes_it(status):
    """Nothing was booked, so no lock stands in its way."""
    action = known(VOID, replace(IN_DRAFT, xero_status=status), books=locked_up_to(date(2026, 12, 31)))
    assert (action.do, action.xero_id) == (Do.DELETE, "xi1")


# -- what waits for approval in Xero

BY_HAND = rules(approval="DRAFT")
BY_STEPS = rules(approval="SUBMITTED")
WAITING = standing(xero_status="DRAFT")


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
@pytest.mark.parametrize("by", [BY_HAND, BY_STEPS])
def test_what_waits_for_approval_is_left_and_an_edit_keeps_it_waiting(status, by):
    """Nobody but a person in Xero moves it on."""
    there = replace(WAITING, xero_status=status)
    assert (known(stands=there, rules=by).do, known(stands=there, rules=by).problems) == (Do.LEAVE, ())
    edited = known(stands=replace(there, synced_fingerprint="other"), rules=by)
    assert (edited.do, edited.document.status, edited.document.sent_to_contact) == (Do.UPDATE, status, False)
    voided = known(VOID, there, rules=by)
    assert voided.do is Do.DELETE


def test_where_nobody_has_to_approve_what_waits_is_approved():
    """The setting says what a sent invoice is in Xero."""
    action = known(stands=WAITING)
    assert (action.do, action.document.status) == (Do.UPDATE, "AUTHORISED")


def test_a_draft_that_is_sent_is_submitted_where_that_is_the_setting():
    """Where it is to be a draft, it is one already."""
    sent = replace(IN_DRAFT, synced_fingerprint=INVOICE.fingerprint)
    action = known(INVOICE, sent, rules=BY_STEPS)
    assert (action.do, action.document.status) == (Do.UPDATE, "SUBMITTED")
    assert known(INVOICE, replace(sent, xero_status="SUBMITTED"), rules=BY_STEPS).do is Do.LEAVE
    assert known(INVOICE, sent, rules=BY_HAND).do is Do.LEAVE


def test_once_approved_it_is_as_any_other():
    """Its edits go to the approved document, which a lock date binds."""
    edited = known(stands=CHANGED, rules=BY_HAND)
    assert (edited.document.status, edited.document.sent_to_contact) == ("AUTHORISED", True)
    locked = locked_up_to(date(2026, 12, 31))
    assert known(stands=CHANGED, rules=BY_HAND, books=locked).cause == "period_locked"
    assert known(stands=replace(WAITING, synced_fingerprint="other"), rules=BY_HAND, books=locked).do is Do.UPDATE


def test_payments_wait_for_the_approval():
    """Xero takes none before; what is wrong with them is told first."""
    one = invoice(status=Status.PAID, amount_paid=Decimal(240))
    there = replace(WAITING, payments=(paid(),))
    action = known(one, there, rules=replace(BY_HAND, payment_accounts={"": BANK.id}))
    assert (action.do, action.cause) == (Do.HOLD, "awaiting_approval")
    assert (action.problems[0].facts["payments"], action.problems[0].facts["amount"]) == (1, "240")
    approved = replace(there, xero_status="AUTHORISED")
    assert known(one, approved, rules=replace(BY_HAND, payment_accounts={"": BANK.id})).do is Do.PAY
    short = replace(there, payments=(paid("100"),))
    assert known(one, short, rules=BY_HAND).cause == "payment_mismatch"


# -- voids


def test_a_void_is_carried_once():
    """Voided by us, it is nobody's affair any more."""
    assert known(VOID).do is Do.VOID
    voided = standing(synced_status="void", xero_status="VOIDED")
    assert known(VOID, voided).do is Do.LEAVE
    assert known(VOID, replace(voided, gone=True)).do is Do.LEAVE


def test_a_void_that_the_settings_leave_out_is_told():
    """It is not carried, and the reason says that the document stands."""
    action = known(VOID, rules=rules(statuses=frozenset({Status.SENT})))
    assert (action.do, action.cause) == (Do.LEAVE, "status_not_selected")
    assert dict(action.problems[0].facts) == {"status": "void", "in_xero": True}


def test_a_void_with_payments_is_for_a_person():
    """Xero refuses to void what was paid; whose money it is, is said."""
    action = known(VOID, standing(**WITH_PAYMENT))
    assert (action.do, action.cause) == (Do.HOLD, "void_with_payments")
    assert action.problems[0].facts == {"number": "F-1", "currency": "EUR", "paid": "100", "ours": True}
    anothers = standing(xero_amount_paid=Decimal(100))
    assert known(VOID, anothers).problems[0].facts["ours"] is False


# -- changed in Xero

CHANGES = [
    ({"due_date": "2026-11-01"}, "due_date", "2026-10-01", "2026-11-01"),
    ({"total": "250"}, "total", "240", "250"),
    ({"number": "F-1b"}, "number", "F-1", "F-1b"),
    ({"contact": "x2"}, "contact", "Anne Martin", "Bob"),
]


@pytest.mark.parametrize("one", [INVOICE, VOID, replace(INVOICE, name="other")], ids=["same", "void", "edited"])
@pytest.mark.parametrize(("there", "field", "before", "now"), CHANGES)
def test_what_somebody_changed_in_xero_is_never_overwritten(there, field, before, now, one):
    """Held with what was changed, contacts by their names, whatever has become of it in CrocoClick."""
    action = known(one, standing(there=there), names={"x1": "Anne Martin", "x2": "Bob"})
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "changed_in_xero", "xi1")
    assert action.problems[0].facts["changes"] == [{"field": field, "before": before, "now": now}]


def test_an_overwrite_sends_crococlicks_version():
    """As a person ordered it; a void goes too."""
    over = standing(there={"total": "250"}, order=ordered("overwrite"))
    assert known(stands=over).do is Do.UPDATE
    assert known(VOID, over).do is Do.VOID


def test_the_contact_that_a_merge_left_is_no_change():
    """Xero moves the invoices of a merged contact by itself."""
    assert known(stands=standing(there={"contact": "x2"}), merged={"x1": "x2"}).do is Do.LEAVE


# -- removed in Xero, deleted in CrocoClick


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_what_somebody_removed_in_xero_is_for_a_person(status):
    """With how; unless CrocoClick has given it up too."""
    removed = standing(xero_status=status)
    action = known(stands=removed)
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "removed_in_xero", "xi1")
    assert action.problems[0].facts == {"number": "F-1", "xero_status": status, "xero_number": "F-1"}
    assert (known(VOID, removed).do, known(VOID, removed).problems) == (Do.LEAVE, ())
    assert known(stands=replace(removed, gone=True)).do is Do.LEAVE


def test_what_crococlick_deleted_is_taken_away_only_on_order():
    """A document does not vanish from the accounts by itself."""
    gone = standing(gone=True)
    action = known(stands=gone)
    assert (action.do, action.cause) == (Do.HOLD, "deleted_in_crococlick")
    assert action.problems[0].facts == {"number": "F-1", "xero_status": "AUTHORISED", "in_xero": True}
    assert known(stands=replace(gone, order=ordered("overwrite"))).do is Do.VOID
    assert known(stands=replace(gone, order=ordered("overwrite"), xero_status="DRAFT")).do is Do.DELETE


def test_nothing_is_paid_on_what_is_to_be_taken_away():
    """Deleted in CrocoClick with a payment that Xero lacks: that one must not go after it."""
    two = (paid("100"), paid("140", "t2"))
    gone = standing(**{**WITH_PAYMENT, "payments": two}, gone=True, order=ordered("overwrite"))
    one = invoice(status=Status.PAID, amount_paid=Decimal(240))
    action = known(one, gone, rules=rules(payment_accounts={"": "acc-bank"}))
    assert (action.do, action.cause, action.payments) == (Do.HOLD, "void_with_payments", ())


# -- locked periods


def test_in_a_locked_period_nothing_moves():
    """What counts is the date that the document has in Xero; on the lock date it is locked."""
    moved = invoice(issue_date=date(2026, 9, 20))
    locked = locked_up_to(date(2026, 9, 1))
    for one, stands in ((moved, IN_XERO), (VOID, IN_XERO)):
        action = known(one, stands, books=locked)
        assert (action.do, action.cause) == (Do.HOLD, "period_locked")
        assert action.problems[0].facts == {"issue_date": "2026-09-01", "lock_date": "2026-09-01", "in_xero": True}
    assert known(moved, books=locked_up_to(date(2026, 8, 31))).do is Do.UPDATE
    assert known(stands=IN_XERO, books=locked).do is Do.LEAVE


def test_a_draft_is_changed_in_a_locked_period():
    """It is not booked yet; approving it would be refused."""
    edited = replace(DRAFT, name="other")
    assert known(edited, IN_DRAFT, books=locked_up_to(date(2026, 12, 31))).do is Do.UPDATE
    assert known(INVOICE, IN_DRAFT, books=locked_up_to(date(2026, 12, 31))).cause == "period_locked"


# -- edits after a payment


def test_what_xero_lets_change_after_a_payment_is_amended():
    """Number, customer, due date and reference: the amounts are what was paid for."""
    action = known(stands=replace(CHANGED, **WITH_PAYMENT))
    assert (action.do, action.xero_id, action.document.due_date) == (Do.AMEND, "xi1", date(2026, 10, 1))


def test_an_overwrite_of_the_heads_is_an_amendment():
    """Of anything else it is not."""

    def over(**there):
        return known(stands=standing(there=there, order=ordered("overwrite"), **WITH_PAYMENT))

    assert over(due_date="2026-12-01", number="X", contact="x2").do is Do.AMEND
    assert (over(total="250").do, over(total="250").cause) == (Do.HOLD, "edited_after_payment")


def test_another_edit_after_a_payment_is_for_a_person():
    """Xero refuses it; how much was paid and by whom is said."""
    action = known(stands=EDITED)
    assert (action.do, action.cause, action.xero_id) == (Do.HOLD, "edited_after_payment", "xi1")
    assert action.problems[0].facts == {"number": "F-1", "currency": "EUR", "paid": "100", "ours": True}


STATES_TAX = invoice(tax=Decimal(40))
# What a ledger that was put back remembers.
OLDER = {**IN_XERO.agreed, "total": "120", "tax": "20"}
FORGETFUL = standing(synced_fingerprint="other", synced_frozen="other", agreed=OLDER)


def test_an_edit_that_only_the_ledger_forgot_is_known_again():
    """Xero says what CrocoClick says, with a payment on it: our edit came before that, and nobody has to decide."""
    paid_since = replace(FORGETFUL, **WITH_PAYMENT)
    action = known(STATES_TAX, paid_since, heads={"F-1": [head(id="other"), head()]})
    assert (action.do, action.xero_id, action.found) == (Do.BIND, "xi1", head())
    assert known(STATES_TAX, paid_since).cause == "edited_after_payment", "where its document cannot be found"
    otherwise = replace(paid_since, there={**IN_XERO.there, "tax": "41"})
    assert known(STATES_TAX, otherwise).cause == "changed_in_xero", "where Xero says something else"


def test_what_xero_says_as_crococlick_does_nobody_changed():
    """The number, the dates, the amounts and the customer that a ledger which was put back remembers otherwise."""
    stands = replace(FORGETFUL, agreed={**OLDER, "number": "F-0", "due_date": "2026-12-01", "contact": "x0"})
    action = known(STATES_TAX, stands)
    assert (action.do, action.document.number) == (Do.UPDATE, "F-1")
    unlinked = known(STATES_TAX, stands, contacts={})
    assert [one["field"] for one in unlinked.problems[0].facts["changes"]] == ["contact"]


def test_what_holds_the_document_does_not_hold_its_payments():
    """The edit waits for a person, the money that came in goes over."""
    two = (paid("100"), paid("40", "t2"))
    one = invoice(status=Status.PARTIALLY_PAID, amount_paid=Decimal(140))
    action = known(one, replace(EDITED, payments=two), rules=rules(payment_accounts={"": "acc-bank"}))
    assert (action.do, action.cause) == (Do.PAY, "edited_after_payment")
    assert [payment.source_id for payment in action.payments] == ["t2"]


PAYING = rules(payment_accounts={"": BANK.id})
REAPPLY = {"order": ordered("reapply_payments")}


@pytest.mark.parametrize("one", [INVOICE, VOID], ids=["edited", "void"])
def test_our_own_payments_are_taken_off_on_order(one):
    """So that what they block can go; then they are put back."""
    action = known(replace(one, amount_paid=Decimal(100)), replace(EDITED, **REAPPLY), rules=PAYING)
    assert (action.do, action.unpay, action.document) == (Do.UNPAY, {"t1": "p1"}, None)


NOT_BACK = {
    "no account for them": ({"payment_accounts": {}}, {}, "payment_account_missing"),
    "their status is not carried": ({"statuses": frozenset({Status.DRAFT})}, {}, "status_not_selected"),
    "part of it was refunded": ({}, {"refunded": Decimal(10)}, "refund_needs_person"),
}


@pytest.mark.parametrize(("settings", "payment", "code"), NOT_BACK.values(), ids=list(NOT_BACK))
def test_payments_that_could_not_be_put_back_are_not_taken_off(settings, payment, code):
    """Half of it would be worse than nothing; a void needs them off all the same."""
    stands = replace(EDITED, **REAPPLY, payments=(paid("100", **payment),))
    one = invoice(amount_paid=Decimal(100))
    action = known(one, stands, rules=replace(PAYING, **settings))
    assert (action.do, action.cause, action.unpay) == (Do.HOLD, code, {})
    listed = frozenset({Status.DRAFT, Status.VOID})
    void = known(replace(one, status=Status.VOID), stands, rules=replace(PAYING, **{**settings, "statuses": listed}))
    assert void.do is Do.UNPAY


ANOTHERS = {
    "one that somebody else entered": {"counted": frozenset({"t1"})},
    "more money than ours": {"xero_amount_paid": Decimal(150)},
    "money that is not ours at all": {"payments": (), "carried": {}},
}


@pytest.mark.parametrize("changes", ANOTHERS.values(), ids=list(ANOTHERS))
def test_payments_of_somebody_else_are_never_taken_off(changes):
    """Whatever a person ordered: the accountant does that."""
    action = known(stands=replace(EDITED, **REAPPLY, **changes))
    assert (action.do, action.cause, action.unpay) == (Do.HOLD, "edited_after_payment", {})
    assert action.problems[0].facts["ours"] is False


def test_a_payment_in_a_locked_period_is_not_taken_off():
    """Xero would neither let it go nor take it back; the others stay with it."""
    two = (paid("60", paid_on=date(2026, 9, 5)), paid("40", "t2", paid_on=date(2026, 9, 25)))
    both = replace(EDITED, **REAPPLY, payments=two, carried={"t1": "p1", "t2": "p2"})
    later = replace(both, there={**both.there, "issue_date": "2026-09-10"}, agreed={})
    one = invoice(issue_date=date(2026, 9, 11))
    action = known(one, later, books=locked_up_to(date(2026, 9, 6)))
    assert (action.do, action.cause) == (Do.HOLD, "period_locked")
    assert action.problems[0].facts == {
        "currency": "EUR",
        "payments": 1,
        "amount": "60",
        "paid_on": "2026-09-05",
        "lock_date": "2026-09-06",
    }
    one = replace(one, amount_paid=Decimal(100))
    off = known(one, later, books=locked_up_to(date(2026, 9, 4)), rules=PAYING)
    assert off.unpay == {"t1": "p1", "t2": "p2"}


def test_once_our_payments_are_off_the_change_goes():
    """The order stands until it does."""
    off = replace(EDITED, **REAPPLY, carried={}, xero_amount_paid=Decimal(0))
    assert known(stands=off).do is Do.UPDATE


# -- payments that are not what we thought


def test_payments_are_compared_one_by_one_on_order():
    """Same money, entered by somebody else; or an overwrite where some of ours is gone."""
    assert known(stands=standing(order=ordered("same_payment"))).do is Do.RECOUNT
    lacking = {**WITH_PAYMENT, "xero_amount_paid": Decimal(0)}
    assert known(stands=standing(order=ordered("overwrite"), **lacking)).do is Do.RECOUNT


def test_a_payment_of_ours_that_is_gone_is_a_change_in_xero():
    """It is not put back without an order."""
    action = known(stands=standing(**{**WITH_PAYMENT, "xero_amount_paid": Decimal(0)}))
    assert (action.do, action.cause) == (Do.HOLD, "changed_in_xero")
    assert action.problems[0].facts["changes"] == [{"field": "paid", "before": "100", "now": "0"}]


def test_a_refused_amendment_waits_like_any_other():
    """Until something moves."""
    first = known(stands=replace(CHANGED, **WITH_PAYMENT))
    refusal = Problem("changed_in_xero", {"message": "No."})
    again = known(stands=replace(CHANGED, **WITH_PAYMENT, refusal=refusal, refused_stamp=first.stamp))
    assert (again.do, again.problems, again.refused) == (Do.HOLD, (refusal,), True)


def test_what_the_user_of_the_connection_may_not_do_is_said():
    """A change needs the same right as a new document."""
    assert known(stands=CHANGED, books=books(actions={"CreateApprovedInvoice": False})).cause == "role_missing"


def test_payments_go_on_while_the_document_waits():
    """An edit that cannot go, or a due date that the accountant moved, does not keep money from being entered."""
    one = invoice(amount_paid=Decimal(100))
    due = {"payments": (paid("100"),), "xero_amount_due": Decimal(240)}
    unmapped = known(one, replace(CHANGED, **due), rules=PAYING, contacts={})
    assert (unmapped.do, unmapped.cause, len(unmapped.payments)) == (Do.PAY, "contact_missing", 1)
    moved = known(one, standing(there={"due_date": "2027-01-01"}, **due), rules=PAYING)
    assert (moved.do, moved.cause) == (Do.PAY, "changed_in_xero")


def test_payments_wait_where_money_is_in_question():
    """Another total, another currency, or a payment that somebody took off: nothing is entered on top."""
    one = invoice(amount_paid=Decimal(100))
    due = {"payments": (paid("100"),), "xero_amount_due": Decimal(240)}
    for there in ({"total": "250"}, {"currency": "USD"}):
        action = known(one, standing(there=there, **due), rules=PAYING)
        assert (action.do, action.cause, action.payments) == (Do.HOLD, "changed_in_xero", ())
    other = replace(CHANGED, **due, agreed={**CHANGED.agreed, "currency": "USD"})
    other = replace(other, there={**CHANGED.there, "currency": "USD"})
    assert known(one, other, rules=PAYING, contacts={}).do is Do.HOLD


def test_another_total_than_was_sent_is_held_and_sent_again_on_order():
    """Xero came to 240.01: never equal, until a person lets it be sent again or it is put right there."""
    sent = {"sent_total": "240", "sent_tax": "40"}
    off = standing(there={"total": "240.01"}, agreed={"total": "240.01", **sent})
    action = known(stands=off)
    assert (action.do, action.cause) == (Do.HOLD, "total_mismatch")
    assert action.problems[0].facts["in_xero"] == "240.01" and action.problems[0].facts["stated"] == "240"
    assert known(stands=replace(off, order=ordered("overwrite"))).do is Do.UPDATE
    mended = replace(off, there={**off.there, "total": "240"})
    assert known(stands=mended).do is Do.LEAVE


def test_a_payment_gone_from_xero_is_counted_anew_before_anything_goes_on():
    """Whether the order is to overwrite or to put payments back."""
    lacks = replace(EDITED, xero_amount_paid=Decimal(0))
    for name in ("overwrite", "reapply_payments"):
        assert known(stands=replace(lacks, order=ordered(name))).do is Do.RECOUNT


def test_a_payment_that_counts_no_more_is_shown_and_taken_off_on_order():
    """It bounced in CrocoClick: held while it stands in Xero, taken off alone on order, and fine once it is gone."""
    two = (paid("60"), paid("40", "t2", status="failed"))
    both = {"payments": two, "carried": {"t1": "p1", "t2": "p2"}, "xero_amount_paid": Decimal(100)}
    one = invoice(amount_paid=Decimal(60))
    action = known(one, standing(**both), rules=PAYING)
    assert (action.do, action.cause, action.problems[0].facts["bounced"]) == (Do.HOLD, "payment_mismatch", "40")
    ordered_off = standing(**both, **REAPPLY)
    assert known(one, ordered_off, rules=PAYING).unpay == {"t2": "p2"}
    assert known(one, ordered_off, rules=PAYING, books=locked_up_to(date(2027, 1, 1))).cause == "period_locked"
    assert known(one, standing(**{**both, "xero_amount_paid": Decimal(60)}), rules=PAYING).do is Do.LEAVE


def test_an_order_to_overwrite_is_about_what_was_seen():
    """What somebody changes in Xero after the order was given is not written over."""
    moved = standing(there={"due_date": "2027-01-01"})
    given = ordered("overwrite")
    assert known(stands=replace(moved, order=replace(given, seen=moved.there))).do is Do.UPDATE
    later = {**moved.there, "due_date": "2027-02-01"}
    action = known(stands=replace(moved, there=later, order=replace(given, seen=moved.there)))
    assert (action.do, action.cause) == (Do.HOLD, "changed_in_xero")
