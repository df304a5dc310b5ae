"""The guided test: which invoice is made, and what Xero must say of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.mapping import invoice_to_document
from syncer.domain.model.books import Document, TaxComponent, TaxRate
from syncer.domain.model.invoice import Customer, Discount, LineItem, Status, Tax
from syncer.domain.model.xero_document import BookDocument, BookLine
from syncer.domain.readiness import test_invoice
from syncer.domain.readiness.test_invoice import Finding, Wanted
from tests.support.domain_samples import (
    BOOKS,
    GST,
    INVOICE,
    QST,
    RULES,
    VAT,
    books,
    head,
    invoice,
    locked_up_to,
    plain,
    rules,
)

ANNA = Customer("c1", "Anne Martin", "anne@example.com", "", "+331")
TODAY = date(2026, 11, 21)


# -- what to make -------------------------------------------------------------------------------------------------


def test_the_taxes_of_lines_are_copied_as_they_stand_the_most_used_first():
    """Id, name, rate; no line without tax is one of them; what stands together is one way of taxing."""
    seen = [("[]", 2), ('[["t55","TVA 5,5","5.5",false]]', 1), ('[["t20","TVA 20","20",false]]', 5)]
    assert test_invoice.combinations(seen) == [
        (Tax("t20", "TVA 20", Decimal(20)),),
        (),
        (Tax("t55", "TVA 5,5", Decimal("5.5")),),
    ]
    both = '[["gst","GST","5",false],["qst","QST","9.975",false]]'
    assert test_invoice.combinations([(both, 1), (both, 1)]) == [(GST, QST)]


def test_taxes_that_crococlick_takes_from_nobody_are_left_out():
    """A compound one, one without an id or a name."""
    assert test_invoice.combinations([('[["q","QST","9.975",true]]', 3), ('[["","X","1",false]]', 3)]) == []
    assert test_invoice.combinations([('[["x","","1",false]]', 3)]) == []


def test_taxes_without_a_xero_rate_are_set_apart():
    """Those that can go in their order; of each of the others why it cannot."""
    nowhere = (Tax("t", "TVA 7,77", Decimal("7.77")),)
    usable, problems = test_invoice.apart([(VAT,), nowhere, ()], BOOKS, RULES)
    assert usable == [(VAT,), ()]
    assert [(one.code, one.facts["rate"]) for one in problems] == [("tax_unmapped", "7.77%")]


def test_the_currency_is_the_usual_one():
    """That of most invoices, the books' own where there are none; of two the same every time."""
    assert test_invoice.usual_currency({"EUR": 2, "GBP": 3}, "EUR") == "GBP"
    assert test_invoice.usual_currency({}, "EUR") == "EUR"
    assert test_invoice.usual_currency({"USD": 2, "EUR": 2}, "GBP") == "EUR"


def test_one_line_of_one_for_each_way_of_taxing_and_four_at_most():
    """The name holds the test's id; it is due in a month, so that nobody is reminded of it."""
    taxes = [(VAT,), (), (GST, QST), (GST,), (QST,)]
    made = test_invoice.small_invoice("20261121-1", ANNA, "EUR", taxes, TODAY)
    assert (made.name, made.customer, made.currency) == ("Test CrocoClick → Xero 20261121-1", ANNA, "EUR")
    assert (made.issue_date, made.due_date) == (TODAY, date(2026, 12, 21))
    assert [(line.taxes, line.quantity, line.unit_price) for line in made.lines] == [(t, 1, 1) for t in taxes[:4]]
    assert [line.name for line in made.lines[:3]] == ["Test, TVA 20", "Test, no tax", "Test, GST + QST"]


def test_without_known_taxes_one_line_without():
    """And in a currency without cents a hundred: a tenth of it is a whole unit."""
    [line] = test_invoice.small_invoice("1", ANNA, "JPY", [], TODAY).lines
    assert (line.taxes, line.unit_price) == ((), 100)


def test_a_contact_is_meant_by_its_id_its_email_or_its_whole_name():
    """An id goes before a name; each contact once, as it is known best; no part of a name is enough."""
    known = [
        ANNA,
        replace(ANNA, phone=""),
        Customer("c2", "Bruno", "Bruno <bruno@example.com>, compta@example.com"),
        Customer("c3", "c1", "c1@example.com"),
        Customer("c4", "Bruno"),
        Customer("c5", ""),
    ]
    assert test_invoice.fitting(known, "c1") == [ANNA]
    assert test_invoice.fitting(known, " ANNE  martin ") == [ANNA]
    assert [one.id for one in test_invoice.fitting(known, "Compta@example.com")] == ["c2"]
    assert {one.id for one in test_invoice.fitting(known, "bruno")} == {"c2", "c4"}
    assert test_invoice.fitting(known, "Anne") == test_invoice.fitting(known, "") == []


# -- what Xero must say -------------------------------------------------------------------------------------------


def wanted(one=INVOICE, known=BOOKS, by=RULES):
    return Wanted(one, "x1", "Anne in Xero", known, by)


def as_asked(one=INVOICE, known=BOOKS, by=RULES, **changes):
    """The document that Xero makes of what it is sent."""
    made = test_invoice.wanted_document(wanted(one, known, by))
    assert isinstance(made, Document)
    lines = []
    for line in made.lines:
        amount = (line.quantity * line.unit_amount - line.discount).quantize(Decimal("0.01"))
        rate = invoice_to_document.percent(known.tax_rate_by_type[line.tax_type]) / 100
        tax = amount * rate / (1 + rate) if made.inclusive else amount * rate
        tax = tax.quantize(Decimal("0.01")) if line.tax_amount is None else line.tax_amount
        lines.append(
            BookLine(line.description, line.quantity, line.unit_amount, amount, line.tax_type, tax, line.discount)
        )
    there = head(one.number, total=made.total, total_tax=made.total_tax, currency=one.currency)
    net = made.total - made.total_tax
    return made, BookDocument(there, "Anne in Xero", net, by.mark_sent, tuple(lines), **changes)


def differing(found):
    return {(one.what, one.line): (one.expected, one.found) for one in found if not one.ok}


def test_what_arrived_as_it_was_sent_differs_in_nothing():
    """Every field is looked at, in the order of a printed invoice."""
    made, there = as_asked()
    found = test_invoice.findings(wanted(), made, there)
    assert not differing(found)
    assert [one.what for one in found] == (
        "customer number issue_date due_date lines description quantity price amount tax_rate tax "
        "currency net total_tax total status sent"
    ).split()
    assert Finding("tax_rate", "TVA 20 % (TAX001)", "TVA 20 % (TAX001)", True, 1) in found
    assert Finding("tax", Decimal("40.00"), Decimal("40.00"), True, 1) in found
    assert Finding("status", "AUTHORISED", "AUTHORISED", True) in found


def test_each_difference_is_found_where_it_is():
    """Another customer, rate, price, date, status, mark: nothing hides behind something else."""
    made, there = as_asked()
    [line] = there.lines
    changed = replace(line, unit_amount=Decimal(90), amount=Decimal(180), tax_type="NONE", tax_amount=Decimal(0))
    other = replace(there.head, contact_id="x2", due_date=None, status="DRAFT", total=Decimal(180))
    there = replace(there, head=other, contact_name="Bea", lines=(changed,), sent_to_contact=False, net=Decimal(180))
    assert differing(test_invoice.findings(wanted(), made, there)) == {
        ("customer", 0): ("Anne in Xero", "Bea"),
        ("due_date", 0): (date(2026, 10, 1), None),
        ("price", 1): (Decimal(100), Decimal(90)),
        ("amount", 1): (Decimal(200), Decimal(180)),
        ("tax_rate", 1): ("TVA 20 % (TAX001)", "Tax Exempt (NONE)"),
        ("tax", 1): (Decimal(40), Decimal(0)),
        ("net", 0): (Decimal(200), Decimal(180)),
        ("total", 0): (Decimal(240), Decimal(180)),
        ("status", 0): ("AUTHORISED", "DRAFT"),
        ("sent", 0): (True, False),
    }


def test_a_line_that_is_missing_or_too_many_is_counted():
    """Those that are in both are compared."""
    one = plain("10", "20")
    made, there = as_asked(one)
    found = test_invoice.findings(wanted(one), made, replace(there, lines=there.lines[:1]))
    assert differing(found) == {("lines", 0): (2, 1)}


def test_discounts_inclusive_prices_and_stated_taxes_are_expected_as_they_were_sent():
    """What the planner writes so that the total comes out is what Xero must show."""
    cut = plain("100", discount=Discount(True, Decimal(10)), total=Decimal(90))
    assert ("discount", 1) not in differing(test_invoice.findings(wanted(cut), *as_asked(cut)))
    assert "discount" in {one.what for one in test_invoice.findings(wanted(cut), *as_asked(cut))}
    line = LineItem("Livre", Decimal(1), Decimal(120), (VAT,), tax_inclusive=True)
    gross = invoice(lines=(line,), total=Decimal(120))
    found = test_invoice.findings(wanted(gross), *as_asked(gross))
    assert not differing(found) and Finding("tax", Decimal("20.00"), Decimal("20.00"), True, 1) in found
    parts = (TaxComponent("GST", Decimal(5)), TaxComponent("QST", Decimal("9.975")))
    known = books(tax_rates=(*BOOKS.tax_rates, TaxRate("TAX014", "GST + QST", Decimal("14.975"), parts)))
    odd = invoice(lines=(LineItem("Work", Decimal(1), Decimal(60), (GST, QST)),), total=Decimal("68.99"))
    made, there = as_asked(odd, known)
    assert made.lines[0].tax_amount is not None
    assert not differing(test_invoice.findings(wanted(odd, known), made, there))


def test_a_rate_that_the_books_do_not_know_is_named_by_its_type():
    """And nothing can be reckoned with it."""
    made, there = as_asked()
    nowhere = wanted(known=books(tax_rates=()))
    found = test_invoice.findings(nowhere, made, there)
    assert Finding("tax_rate", "TAX001", "TAX001", True, 1) in found
    assert differing(found) == {("tax", 1): (Decimal("0.00"), Decimal("40.00"))}


def test_the_tax_that_crococlick_states_is_the_one_that_counts():
    """Where it states none it is reckoned; without a document there is none to compare."""
    made, there = as_asked()
    stated = wanted(invoice(tax=Decimal("39.99")))
    assert ("total_tax", 0) in differing(test_invoice.findings(stated, made, there))
    bare = test_invoice.findings(wanted(), None, there)
    assert {one.what for one in bare}.isdisjoint({"lines", "total_tax", "net", "tax"})
    assert not differing(bare)


@pytest.mark.parametrize(
    ("status", "found", "usual"),
    [
        (Status.SENT, "AUTHORISED", "AUTHORISED"),
        (Status.PARTIALLY_PAID, "AUTHORISED", "AUTHORISED"),
        (Status.PAID, "PAID", "PAID"),
        (Status.VOID, "DELETED", "VOIDED"),
        (Status.DRAFT, "SUBMITTED", "DRAFT"),
    ],
)
def test_each_status_has_its_own_in_xero(status, found, usual):
    """The usual one is named; what means the same will do."""
    made, there = as_asked()
    one = test_invoice.findings(
        wanted(invoice(status=status)), made, replace(there, head=replace(there.head, status=found))
    )
    assert Finding("status", usual, found, True) in one


def test_the_mark_is_as_the_setting_says_and_never_on_a_draft():
    """`mark_sent`."""
    made, there = as_asked(by=rules(mark_sent=False))
    assert not differing(test_invoice.findings(wanted(by=rules(mark_sent=False)), made, there))
    draft = test_invoice.findings(wanted(invoice(status=Status.DRAFT)), made, there)
    assert Finding("sent", False, False, True) in draft


def test_a_lock_that_came_later_does_not_matter_and_a_mapping_that_went_does():
    """What is there may stay; what it would be today cannot be said without its rate."""
    locked = locked_up_to(date(2026, 12, 31))
    assert isinstance(test_invoice.wanted_document(wanted(known=locked)), Document)
    [problem] = test_invoice.wanted_document(wanted(known=books(tax_rates=BOOKS.tax_rates[:1])))
    assert problem.code == "tax_unmapped"


def test_what_waits_for_approval_is_as_expected():
    """Whether the customer has it is said by whoever approves it in Xero."""
    by = rules(approval="SUBMITTED")
    made, there = as_asked(by=by)
    found = {one.what: one for one in test_invoice.findings(wanted(by=by), made, there)}
    assert "sent" not in found
    assert (found["status"].expected, found["status"].ok) == ("SUBMITTED", True)
