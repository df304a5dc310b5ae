"""Real invoices whose totals are known, from CrocoClick to Xero over HTTP."""

from collections import Counter

import pytest

from tests.support.en16931_invoices import FILE, MISSING, carry, samples

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=MISSING)
RIGHTLY_HELD = {"number_invalid"}


@pytest.mark.parametrize("rounding", ["per_document", "per_line"])
def test_real_invoices_arrive_with_the_totals_that_they_state(world, rounding):
    """Of 229, at least 200 have the sample's net, tax and gross in Xero; the others have those that CrocoClick says.

    CrocoClick works its totals out anew from the lines, and where it rounds otherwise than the sample did, its own are
    what the customer sees.
    """
    arrivals = carry(world, rounding)
    assert len(arrivals) == len(samples()) >= 229
    held = Counter(one.cause for one in arrivals if one.in_xero is None)
    assert set(held) <= RIGHTLY_HELD
    there = [one for one in arrivals if one.in_xero is not None]
    assert [one.sample.key for one in there if one.in_xero != one.in_crococlick] == []
    assert sum(one.in_xero == one.sample.stated for one in there) >= 200
