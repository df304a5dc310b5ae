"""Sample invoices of public e-invoice standards, whose totals are known, go to Xero to the cent."""

from collections import Counter
from decimal import Decimal

import pytest

from syncer.domain.mapping.invoice_to_document import document
from syncer.domain.model.books import Document, TaxRate
from tests.support.domain_samples import BOOKS, NO_TAX, rules
from tests.support.en16931_invoices import FILE, MISSING, samples
from tests.support.entry import components, tax_kinds

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=MISSING)


def books_for(one):
    """An organisation that knows the invoice's currency and taxes."""
    rates = [
        TaxRate(name, name, sum((tax.rate for tax in taxes), Decimal(0)), components(taxes))
        for name, taxes in tax_kinds([one]).items()
    ]
    return type(BOOKS)(BOOKS.organisation, BOOKS.accounts, (NO_TAX, *rates), frozenset({one.currency}))


def outcome(sample):
    """Exact, or the causes that hold it."""
    one = sample.invoice
    made = document(one, books_for(one), "x1", rules(due_days=30))
    if not isinstance(made, Document):
        return " ".join(problem.code for problem in made)
    shown = (made.total - made.total_tax, made.total_tax, made.total)
    return "exact" if shown == sample.stated else "other totals"


def test_real_invoices_go_with_the_net_tax_and_gross_that_they_state():
    """All of those whose own sums are right, in 19 currencies and from 28 countries."""
    found = Counter(outcome(sample) for sample in samples())
    print(dict(found))
    assert found["other totals"] == 0
    assert found["exact"] >= 200
    assert found["exact"] >= 0.99 * found.total()
