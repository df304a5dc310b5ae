"""An invoice's content as text, its fingerprint, and the books as text."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.model.books import Account, Books, Organisation, TaxComponent, TaxRate, books_from, books_text
from syncer.domain.model.invoice import Customer, Discount, Invoice, LineItem, Status, Tax, from_content
from tests.support.domain_samples import BOOKS, INVOICE, RULES, books, invoice

TEXTS = st.text(max_size=20)
AMOUNTS = st.decimals(-(10**6), 10**6, places=6)
DATES = st.none() | st.dates()
TAXES = st.builds(Tax, TEXTS, TEXTS, AMOUNTS, st.booleans())
LINES = st.builds(
    LineItem, TEXTS, AMOUNTS, AMOUNTS, st.lists(TAXES, max_size=2).map(tuple), st.booleans(), TEXTS, TEXTS
)
INVOICES = st.builds(
    Invoice,
    source_id=TEXTS,
    number=TEXTS,
    status=st.sampled_from(Status),
    live=st.booleans(),
    customer=st.builds(Customer, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
    currency=TEXTS,
    issue_date=DATES,
    due_date=DATES,
    lines=st.lists(LINES, max_size=3).map(tuple),
    total=AMOUNTS,
    discount=st.none() | st.builds(Discount, st.booleans(), AMOUNTS, st.lists(TEXTS, max_size=2).map(tuple)),
    name=TEXTS,
    amount_paid=AMOUNTS,
    amount_due=AMOUNTS,
    tax=st.none() | AMOUNTS,
    extras=AMOUNTS,
    late_fees=st.booleans(),
)


@given(INVOICES)
def test_an_invoice_comes_back_from_its_content(one):
    """Nothing is lost, and the fingerprint of what came back is the same."""
    again = from_content(
        one.content,
        source_id=one.source_id,
        status=str(one.status),
        live=one.live,
        amount_paid=one.amount_paid,
        amount_due=one.amount_due,
    )
    assert again == one
    assert again.fingerprint == one.fingerprint


LINE = INVOICE.lines[0]
CHANGES = [
    {"number": "F-2"},
    {"customer": replace(INVOICE.customer, email="a@b.fr")},
    {"currency": "USD"},
    {"issue_date": date(2026, 9, 2)},
    {"due_date": None},
    {"name": "Autre"},
    {"total": Decimal("240.01")},
    {"tax": Decimal(40)},
    {"tax": Decimal(0)},
    {"discount": Discount(True, Decimal(5))},
    {"discount": Discount(False, Decimal(5))},
    {"discount": Discount(True, Decimal(5), ("p1",))},
    {"lines": (LINE, LINE)},
    {"lines": (replace(LINE, name="Autre"),)},
    {"lines": (replace(LINE, quantity=Decimal(3)),)},
    {"lines": (replace(LINE, unit_price=Decimal(99)),)},
    {"lines": (replace(LINE, taxes=()),)},
    {"lines": (replace(LINE, taxes=(replace(LINE.taxes[0], compound=True),)),)},
    {"lines": (replace(LINE, tax_inclusive=True),)},
    {"lines": (replace(LINE, description="deux heures"),)},
    {"lines": (replace(LINE, product_id="p1"),)},
]


def test_every_change_of_content_has_a_name_of_its_own():
    """Anything the Xero document is made from changes the fingerprint."""
    names = [INVOICE.fingerprint, *(invoice(**change).fingerprint for change in CHANGES)]
    assert len(set(names)) == len(names)


def test_status_and_payments_are_no_content():
    """They change nothing of the document in Xero."""
    paid = invoice(status=Status.PAID, amount_paid=Decimal(240), amount_due=Decimal(0), live=False, source_id="other")
    assert paid.fingerprint == INVOICE.fingerprint


def test_fees_beside_the_invoice_change_no_document():
    """The ledger keeps them for its sentences, and nothing is sent because of them."""
    charged = invoice(extras=Decimal("3.5"), late_fees=True)
    assert charged.fingerprint == INVOICE.fingerprint
    assert charged.content != INVOICE.content


@pytest.mark.parametrize("spelled", ["2.0", "2.00", "2", "0.2E+1"])
def test_a_number_spelled_otherwise_is_the_same_content(spelled):
    """CrocoClick may say 2, 2.0 or 2.00 from one day to the next."""
    assert invoice(lines=(replace(LINE, quantity=Decimal(spelled)),)).fingerprint == INVOICE.fingerprint


COMPONENTS = st.builds(TaxComponent, TEXTS, AMOUNTS, st.booleans())
RATES = st.builds(TaxRate, TEXTS, TEXTS, AMOUNTS, st.lists(COMPONENTS, max_size=2).map(tuple), TEXTS, st.booleans())
ORGANISATIONS = st.builds(
    Organisation, TEXTS, TEXTS, TEXTS, TEXTS, period_lock_date=DATES, end_of_year_lock_date=DATES, timezone=TEXTS
)
ALL_BOOKS = st.builds(
    Books,
    organisation=ORGANISATIONS,
    accounts=st.lists(st.builds(Account, TEXTS, TEXTS, TEXTS, TEXTS, takes_payments=st.booleans()), max_size=3).map(
        tuple
    ),
    tax_rates=st.lists(RATES, max_size=3).map(tuple),
    currencies=st.frozensets(TEXTS, max_size=3),
    actions=st.dictionaries(TEXTS, st.booleans(), max_size=2),
)


@given(ALL_BOOKS)
def test_books_come_back_from_their_text(one):
    """Nothing is lost, and equal books have equal text."""
    again = books_from(books_text(one))
    assert again == one
    assert books_text(again) == books_text(one)


def test_an_account_answers_to_its_code_and_its_id():
    """A bank account may have no code."""
    assert sorted(BOOKS.account_by_code) == ["706", "860", "acc-bank", "acc-round", "acc-sales"]
    assert BOOKS.tax_rate_by_type["TAX001"].name == "TVA 20 %"


@pytest.mark.parametrize(
    ("period", "year", "locked"),
    [
        (None, None, None),
        (date(2026, 6, 30), None, date(2026, 6, 30)),
        (None, date(2025, 12, 31), date(2025, 12, 31)),
        (date(2026, 6, 30), date(2025, 12, 31), date(2026, 6, 30)),
    ],
)
def test_the_later_lock_date_counts(period, year, locked):
    """Xero has two of them."""
    there = replace(BOOKS.organisation, period_lock_date=period, end_of_year_lock_date=year)
    assert books(organisation=there).lock_date() == locked


def test_the_mark_leads_back_and_never_spells_xero():
    """Xero refuses a Url with its own name in it, so a location id that spells it is left out."""
    there = replace(RULES, app_url="https://app.example.com/")
    assert there.invoice_url("i1") == "https://app.example.com/v2/location/loc1/payments/invoices/i1"
    assert replace(there, location_id="aXeRob").invoice_url("i1") == "https://app.example.com/payments/invoices/i1"


def test_the_amount_of_a_line_is_exact():
    """Nothing is rounded before it has to be."""
    assert LineItem("x", Decimal("0.3333"), Decimal("0.333333")).amount == Decimal("0.1110998889")
