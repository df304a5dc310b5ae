"""The comparison of both books by itself: all that is planted is found, nothing is invented, the residual is exact."""

import contextlib
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.closing.compare import Known, Total
from syncer.domain.closing.comparison import BothBooks, compare_books
from syncer.domain.closing.documents import (
    CREDIT_NOTE,
    Receipt,
    SalesDocument,
    Span,
    in_crococlick,
    party,
    rate_name,
    receipt,
    refunds,
)
from syncer.domain.model.invoice import Flaw, LineItem, Status, Tax
from syncer.domain.model.payment import Payment
from tests.support.closing_books import DAMAGES, OCTOBER, equal_pages
from tests.support.domain_samples import invoice

EVERYTHING = Span()
DAY = date(2026, 10, 5)


def told(books, span=EVERYTHING):
    return sorted((one.number, one.field) for one in compare_books(books, span).differences)


def document(id="x", **fields):
    return SalesDocument(
        **{
            "id": id, "number": "INV-1", "status": "AUTHORISED", "stands": True, "party": party("Ann"),
            "currency": "EUR", "total": Decimal(100), "issue_date": DAY, **fields,
        }
    )  # fmt: skip


def pair(ours=None, theirs=None, **books):
    """Both books with one document each, matched by mark."""
    mine = document("a", status="sent", mark="a", due=Decimal(100))
    other = document("x", mark="a", due=Decimal(100))
    return BothBooks([replace(mine, **(ours or {}))], [replace(other, **(theirs or {}))], **books)


# -- properties ---------------------------------------------------------------------------------------------------


@given(
    st.integers(20, 60),
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from(sorted(DAMAGES)), st.integers(0, 19)), unique_by=lambda one: one[1]),
    st.booleans(),
    st.sampled_from([OCTOBER, EVERYTHING]),
)
def test_all_that_is_planted_is_found_and_nothing_else(count, seed, planted, bound, span):
    """Each damage by its fields, each document that was not touched called equal, and the residual zero."""
    pages = equal_pages(count, seed, bound=bound)
    assert compare_books(pages.books(), span).agrees
    expected = set()
    for kind, place in planted:
        expected |= DAMAGES[kind](pages, f"{place:024x}")
    found = compare_books(pages.books(), span)
    told = [(one.number, one.field) for one in found.differences]
    assert len(told) == len(set(told)) and set(told) == expected
    assert not any(total.residual for total in found.totals.values())
    assert found.agrees == (not expected)
    assert found.compared - found.equal == len({number for number, _ in expected})


@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from(sorted(DAMAGES)), st.integers(0, 9)), max_size=25),
    st.booleans(),
    st.sampled_from([OCTOBER, EVERYTHING]),
)
def test_whatever_comes_together_the_residual_is_zero(seed, planted, bound, span):
    """Several damages in one document, in any order: their effects add up to the cent, and neighbours stay equal."""
    pages = equal_pages(20, seed, bound=bound)
    for kind, place in planted:
        with contextlib.suppress(KeyError):  # the document is gone from one book already
            DAMAGES[kind](pages, f"{place:024x}")
    found = compare_books(pages.books(), span)
    assert not any(total.residual for total in found.totals.values())
    assert not {one.number for one in found.differences} & {f"INV-{place}" for place in range(10, 20)}
    assert len(
        {(one.number, one.field, one.invoice_id, one.xero_id, *one.about.values()) for one in found.differences}
    ) == (len(found.differences))


@given(st.integers(5, 40), st.integers(0, 99), st.sampled_from([OCTOBER, EVERYTHING]))
def test_the_totals_are_the_plain_sums(count, seed, span):
    """Whatever differs: each side's total is what its own documents of the period add up to."""
    pages = equal_pages(count, seed)
    DAMAGES["total in Xero"](pages, f"{0:024x}")
    DAMAGES["day beyond in Xero"](pages, f"{1:024x}")
    found = compare_books(pages.books(), span).totals
    for side, documents in (("crococlick", pages.ours), ("xero", pages.theirs)):
        for currency, total in found.items():
            mine = [one for one in documents.values() if one.currency == currency and span.holds(one.issue_date)]
            assert getattr(total, side) == sum((one.total for one in mine if one.stands), Decimal(0))


@pytest.mark.slow
def test_twenty_thousand_invoices_are_compared_in_ten_seconds():
    """While a person waits; reading them takes its own time."""
    pages = equal_pages(20_000)
    kinds = list(DAMAGES.values())
    expected = set()
    for place in range(0, 20_000, 100):
        expected |= kinds[place // 100 % len(kinds)](pages, f"{place:024x}")
    began = time.process_time()
    found = compare_books(pages.books(), OCTOBER)
    assert time.process_time() - began < 10
    assert {(one.number, one.field) for one in found.differences} == expected


# -- what is compared, and what is not ------------------------------------------------------------------------------


def test_drafts_and_voided_documents_stand_apart():
    """In both books alike they are no difference and part of no total; a number may differ there."""
    books = pair({"status": "void", "stands": False}, {"status": "VOIDED", "stands": False, "number": "OTHER"})
    found = compare_books(books, EVERYTHING)
    assert (found.compared, found.equal, found.totals, found.differences) == (0, 0, {}, ())
    alone = BothBooks([document("a", status="draft", stands=False)], [document("y", status="DRAFT", stands=False)])
    assert compare_books(alone, EVERYTHING).agrees


def test_a_document_without_a_day_is_of_no_period_that_has_ends():
    """A draft in Xero may have none."""
    books = BothBooks([], [document("y", issue_date=None)])
    assert told(books) == [("INV-1", "document")] and told(books, OCTOBER) == []


def test_what_crococlick_does_not_say_is_not_compared():
    """No due date, no tax."""
    assert told(pair({"due_date": None, "tax": None}, {"due_date": DAY, "tax": Decimal(3)})) == []


def test_a_document_over_nothing_is_paid_in_xero_at_once():
    """That is the same status."""
    nothing = {"total": Decimal(0), "due": Decimal(0)}
    assert told(pair(nothing, {**nothing, "status": "PAID"})) == []


def test_a_refund_may_or_may_not_lessen_what_is_paid():
    """CrocoClick does either; Xero's payment stays whole, and the refund itself is told."""
    paid = {"status": "PAID", "paid": Decimal(100), "due": Decimal(0)}
    for amount, status in ((100, "paid"), (70, "partially_paid")):
        ours = {"status": status, "paid": Decimal(amount), "due": Decimal(100 - amount), "refunded": Decimal(30)}
        books = pair(ours, paid, refunded={"a": Decimal(30)}, refund_of={"t": "a"})
        assert told(books) == [("INV-1", "refund")]


def test_tax_by_rate_differs_only_beyond_what_rounding_explains():
    """CrocoClick's tax by rate is what its lines come to: a cent for each line may be rounding."""
    ours = {"tax": Decimal(20), "taxes": {"20": Decimal(20)}, "lines": 1}
    near = {"tax": Decimal(20), "taxes": {"20": Decimal("19.99"), "10": Decimal("0.01")}, "lines": 2}
    assert told(pair(ours, near)) == []
    found = compare_books(pair(ours, {"tax": Decimal(20), "taxes": {"10": Decimal(20)}}), EVERYTHING)
    [one] = found.differences
    assert (one.field, one.crococlick, one.xero) == ("tax_by_rate", "20%: 20", "10%: 20")
    assert found.taxes == {"EUR": {"10": [0, 20], "20": [20, 0]}}


# -- matching -------------------------------------------------------------------------------------------------------


def test_a_binding_comes_before_a_mark_and_a_mark_before_a_number():
    """A copy of a document of ours in Xero keeps its Url: the one that the ledger knows is ours."""
    mine = document("a", status="sent", mark="a")
    copies = [document("w", mark="a"), document("x", mark="a", number="INV-2")]
    found = compare_books(BothBooks([mine], copies, bound={"a": "x"}), EVERYTHING)
    assert sorted((one.field, one.xero_id) for one in found.differences) == [("document", "w"), ("number", "x")]
    found = compare_books(BothBooks([mine], copies), EVERYTHING)
    assert [(one.field, one.xero_id) for one in found.differences] == [("document", "x")]


def test_of_two_documents_with_one_number_the_one_that_stands_is_meant():
    """On both sides; the other is alone, and apart where it is void."""
    ours = [document("a", status="void", stands=False, mark="a"), document("b", status="sent", mark="b")]
    theirs = [document("w", status="VOIDED", stands=False), document("x")]
    assert told(BothBooks(ours, theirs)) == []


def test_no_number_matches_nothing():
    """Two documents without a number are two documents."""
    assert told(BothBooks([document("a", number="", status="sent")], [document("x", number="")])) == [
        ("", "document"),
        ("", "document"),
    ]


def test_a_stranger_with_our_customer_and_amount_is_called_a_lookalike():
    """Of ours those that are missing in Xero come first."""
    ours = [document("a", status="sent", mark="a"), document("b", number="INV-2", status="sent", mark="b")]
    theirs = [document("x", mark="a"), document("s", number="HAND")]
    [stranger] = [one for one in compare_books(BothBooks(ours, theirs), EVERYTHING).differences if one.number == "HAND"]
    assert stranger.about["looks_like"] == "INV-2"
    other = [document("x", mark="a"), document("s", number="HAND", party=party("Somebody else"))]
    [stranger] = [one for one in compare_books(BothBooks(ours, other), EVERYTHING).differences if one.number == "HAND"]
    assert "looks_like" not in stranger.about


def test_customers_are_the_same_by_contact_else_by_name_or_email():
    """What Xero calls them does not matter where the link is known."""
    assert party("Ann", "c1").is_same(party("Ann Ltd", "c1")) and not party("Ann", "c1").is_same(party("Ann", "c2"))
    assert party("Ann", "", "ann@example.org").is_same(party("Ann Ltd", "c1", "ANN@example.org"))
    assert party(" ann  LEE").is_same(party("Ann Lee", "c1")) and not party("").is_same(party(""))


# -- payments ---------------------------------------------------------------------------------------------------------


def paid(id, document_id, amount=50, day=DAY, **fields):
    return Receipt(id, document_id, Decimal(amount), day, **fields)


def test_payments_without_a_mark_match_by_amount_and_day_then_by_amount():
    """What somebody entered by hand in Xero is the same payment where both agree."""
    ours = [paid("t1", "a", 30, mark="t1"), paid("t2", "a", 30, date(2026, 10, 9), mark="t2")]
    theirs = [paid("p1", "x", 30, date(2026, 10, 9)), paid("p2", "x", 30)]
    assert told(pair(paid_in_crococlick=ours, paid_in_xero=theirs)) == []
    later = [paid("p1", "x", 30, date(2026, 10, 9)), paid("p2", "x", 30, date(2026, 10, 11))]
    assert told(pair(paid_in_crococlick=ours, paid_in_xero=later)) == [("INV-1", "payment_date")]


def test_a_payment_that_was_carried_is_known_wherever_it_is():
    """Moved to another invoice in CrocoClick, it is told as that."""
    ours = [document("a", status="sent", mark="a"), document("b", number="INV-2", status="sent", mark="b")]
    theirs = [document("x", mark="a"), document("y", number="INV-2", mark="b")]
    for carried, mark in (({"t": "p"}, ""), ({}, "t")):
        books = BothBooks(
            ours, theirs, [paid("t", "b", mark="t")], [paid("p", "x", mark=mark, number="INV-1")], carried=carried
        )
        [one] = compare_books(books, EVERYTHING).differences
        assert (one.number, one.field, one.crococlick, one.xero) == ("INV-2", "payment_invoice", "INV-2", "INV-1")
    elsewhere = replace(books, paid_in_xero=[paid("p", "z", mark="t", number="X-9")])
    assert compare_books(elsewhere, EVERYTHING).differences[0].xero == "X-9"
    nameless = replace(books, paid_in_xero=[paid("p", "z", mark="t")])
    assert compare_books(nameless, EVERYTHING).differences[0].xero == "another document"


def test_payments_count_by_their_own_day():
    """That of an older invoice is compared; that of another month on this month's invoice is not."""
    older = [Known("INV-0", "EUR", "o", "ox")]
    books = pair(paid_in_crococlick=[paid("t", "o", mark="t")], older=older)
    assert told(books, OCTOBER) == [("INV-0", "payment")]
    november = pair(paid_in_crococlick=[paid("t", "a", day=date(2026, 11, 3), mark="t")])
    assert told(november, OCTOBER) == []


def test_payments_on_documents_that_only_one_book_has_go_with_the_document():
    """Bills and strangers' documents have payments of their own."""
    books = BothBooks(
        [document("a", status="sent", mark="a")], [document("s", number="S")],
        [paid("t", "a", mark="t")], [paid("p", "s"), paid("q", "bill", is_sale=False)],
    )  # fmt: skip
    assert told(books) == [("INV-1", "document"), ("S", "document")]


def test_a_payment_without_a_day_counts_where_everything_does():
    """And says no day."""
    [one] = compare_books(pair(paid_in_xero=[paid("p", "x", day=None)]), EVERYTHING).differences
    assert one.field == "payment" and one.about["paid_on"] == ""


# -- credit notes -----------------------------------------------------------------------------------------------------


def note(**fields):
    return document("n", **{"number": "CN-1", "kind": CREDIT_NOTE, "total": Decimal(30), **fields})


@pytest.mark.parametrize(
    "fields", [{"transactions": frozenset({"t"})}, {"reference": "Refund of INV-1"}], ids=["transaction", "number"]
)
def test_a_credit_note_that_carries_a_refund_lessens_both_totals(fields):
    """CrocoClick gives no day of a refund: it has the note's."""
    books = pair({"refunded": Decimal(30)}, refunded={"a": Decimal(30)}, refund_of={"t": "a"})
    found = compare_books(replace(books, xero=[*books.xero, note(**fields)]), EVERYTHING)
    assert found.agrees and found.totals == {"EUR": Total(Decimal(70), Decimal(70), Decimal(0))}
    assert (found.compared, found.equal) == (2, 2)


def test_a_credit_note_over_more_than_went_back_differs_by_its_total():
    """To the cent; what is beyond the refund is Xero's alone."""
    books = pair({"refunded": Decimal(30)}, refunded={"a": Decimal(30)}, refund_of={"t": "a"})
    found = compare_books(replace(books, xero=[*books.xero, note(total=Decimal(31), reference="INV-1")]), EVERYTHING)
    assert [(one.number, one.field) for one in found.differences] == [("CN-1", "total")]
    assert found.totals["EUR"] == Total(Decimal(70), Decimal(69), Decimal(0))


def test_a_part_of_a_refund_that_no_note_carries_is_told_and_moves_no_total():
    """It has no day yet."""
    books = pair({"refunded": Decimal(50)}, refunded={"a": Decimal(50)}, refund_of={"t": "a"})
    found = compare_books(replace(books, xero=[*books.xero, note(reference="INV-1")]), EVERYTHING)
    [one] = found.differences
    assert (one.field, one.crococlick, one.xero, one.about["missing"]) == ("refund", 50, 30, "20.00")
    assert found.totals["EUR"].residual == 0


def test_a_credit_note_of_nobodys_refund_is_a_document_of_xero_alone():
    """It lessens Xero's total, and says so."""
    found = compare_books(replace(pair(), xero=[*pair().xero, note(issue_date=None)]), EVERYTHING)
    [one] = found.differences
    assert (one.number, one.field, one.xero, one.effect) == ("CN-1", "document", Decimal(-30), {"EUR": Decimal(-30)})


# -- what cannot be read ----------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_told_once_and_explains_what_it_moves():
    """On either side, alone or beside its other half."""
    for books, ids in (
        (pair({"flaw": "total is no number", "stands": False}), ("a", "x")),
        (pair({}, {"flaw": "Total is no number", "stands": False, "issue_date": None}), ("a", "x")),
        (BothBooks([document("a", flaw="f", stands=False, issue_date=None)]), ("a", "")),
        (BothBooks([], [document("x", flaw="f", stands=False, issue_date=None)]), ("", "x")),
    ):
        found = compare_books(books, OCTOBER)
        assert [(one.field, one.invoice_id, one.xero_id) for one in found.differences] == [("unreadable", *ids)]
        assert not any(total.residual for total in found.totals.values())
    strays = BothBooks(unreadable=[("crococlick", "transaction 1", "amount"), ("xero", "payment 2", "Amount")])
    assert told(strays) == [("payment 2", "unreadable"), ("transaction 1", "unreadable")]


# -- CrocoClick's documents -----------------------------------------------------------------------------------------


def test_an_invoice_as_the_comparison_takes_it():
    """Test invoices, drafts and unreadable ones do not stand; a customer is known by name, company, email and link."""
    sent = in_crococlick(invoice(status=Status.SENT), "c1")
    assert sent.stands and sent.party.xero_id == "c1" and sent.mark == sent.id
    for change in ({"live": False}, {"status": Status.DRAFT}, {"flaw": Flaw("total", "x", "is no number")}):
        assert not in_crococlick(invoice(**change), "").stands
    assert in_crococlick(invoice(flaw=Flaw("total", "x", "is no number")), "").flaw == "total is no number"


def test_tax_that_crococlick_does_not_state_is_what_its_lines_come_to():
    """Where nothing had to be rounded; else it is not compared."""
    taxes = (Tax("t", "TVA", Decimal(20)),)
    line = LineItem("Work", Decimal(1), Decimal(100), taxes)
    whole = in_crococlick(invoice(lines=(line, replace(line, taxes=())), total=Decimal(220), tax=None), "")
    assert (whole.tax, whole.taxes) == (Decimal(20), {"20": Decimal(20)})
    odd = replace(line, unit_price=Decimal("33.33"))
    assert in_crococlick(invoice(lines=(odd,), total=Decimal("40.00"), tax=None), "").tax is None
    assert in_crococlick(invoice(lines=(line,), total=Decimal("130"), tax=None), "").tax is None
    assert in_crococlick(invoice(lines=(odd,), total=Decimal("40.00"), tax=Decimal("6.67")), "").tax == Decimal("6.67")


def test_rates_are_named_alike_in_both_books():
    """However many zeros or decimals they come with."""
    assert [
        rate_name(Decimal(one)) for one in ("20", "20.00", "5.5", "14.97500", "1e1")
    ] == "20 20 5.5 14.975 10".split()


def test_refunds_are_added_up_by_invoice():
    """Those of test transactions are none."""
    one = Payment("t", "a", Decimal(50), "EUR", DAY, refunded=Decimal(10))
    assert refunds([one, replace(one, source_id="u"), replace(one, live=False), replace(one, refunded=Decimal(0))]) == {
        "a": Decimal(20)
    }
    assert receipt(one) == Receipt("t", "a", Decimal(50), DAY, "t")
