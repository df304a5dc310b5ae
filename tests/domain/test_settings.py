"""What a connection's settings mean, and what is refused."""

from datetime import date

import pytest

from syncer.domain.errors import WrongUsage
from syncer.domain.model.invoice import Status
from syncer.domain.ports import Unreadable
from syncer.domain.settings import SETTINGS, CallLimits, checked, import_rules, pace, parsed, rules, setting, value_of

GOOD = [
    ("start_date", "2026-01-31", date(2026, 1, 31)),
    ("statuses", "sent, paid", frozenset({Status.SENT, Status.PAID})),
    ("approval", "Draft", "DRAFT"),
    ("revenue_account", "706", "706"),
    ("payment_account.EUR", "512", "512"),
    ("create_tax_rates", "YES", True),
    ("mark_sent", "0", False),
    ("due_days", "30", 30),
    ("reference", "{name} ({number})", "{name} ({number})"),
    ("backfill_share", "0.25", 0.25),
    ("crococlick_app_url", "https://app.example.com", "https://app.example.com"),
    ("tax.5%+9.975%", "TAX004", "TAX004"),
    ("tax.650000000000000000000001", "OUTPUT", "OUTPUT"),
    ("revenue_account.product.660000000000000000000001", "707", "707"),
    ("revenue_account.tax.650000000000000000000001", "707", "707"),
    ("revenue_account.tax.5%+9.975%", "707", "707"),
    ("revenue_account.tax.none", "707", "707"),
    ("tracking.Cost centre", "Shop 1", "Shop 1"),
]
BAD = [
    ("start_date", "yesterday", "a date such as 2026-01-31"),
    ("statuses", "sent, lost", "some of draft, sent"),
    ("statuses", " , ", "some of draft, sent"),
    ("approval", "approved", "authorised, submitted or draft"),
    ("revenue_account", "7 06", "an account code or AccountID"),
    ("revenue_account.product.1", "7 06", "an account code or AccountID"),
    ("revenue_account.tax.20%", "x" * 37, "an account code or AccountID"),
    ("tracking.Region", "x" * 101, "the name of a tracking option"),
    ("create_contacts", "maybe", "true or false"),
    ("due_days", "366", "a whole number from 0 to 365"),
    ("calls_in_flight", "five", "a whole number from 1 to 5"),
    ("backfill_share", "half", "a number from 0 to 1"),
    ("backfill_share", "1.5", "a number from 0 to 1"),
    ("tax.20%", "TAX 001", "a Xero TaxType"),
    ("reference", "{invoice}", "a text with {name} and {number}"),
    ("crococlick_app_url", "https://xero.example.com", 'a whole address without "xero" in it'),
    ("crococlick_app_url", "app.example.com", "a whole address"),
]


@pytest.mark.parametrize(("key", "written", "value"), GOOD)
def test_a_good_value_is_typed(key, written, value):
    assert value_of(parsed([f" {key} = {written} "]), key) == value


@pytest.mark.parametrize(("key", "written", "sentence"), BAD)
def test_a_bad_value_is_refused_with_what_would_do(key, written, sentence):
    with pytest.raises(WrongUsage, match="Nothing was changed") as refused:
        checked({key: written})
    assert refused.value.sentence.startswith(f"{key} must be {sentence}")


@pytest.mark.parametrize(
    "key",
    [
        "colour",
        "tax.",
        "payment_account.euro",
        "revenue_account.product.",
        "revenue_account.tax.",
        "revenue_account.x",
        "tracking.",
    ],
)
def test_a_key_that_does_not_exist_is_refused_with_those_that_do(key):
    with pytest.raises(WrongUsage, match="There is no setting"):
        setting(key)


@pytest.mark.parametrize("key", ["tax.20,0%", "tax.5.50%", "tax.9.975%+5%", "revenue_account.tax.20.0%"])
def test_rates_are_written_in_one_way(key):
    """Two ways to write one rate would be two settings for it."""
    with pytest.raises(WrongUsage, match="smallest first"):
        setting(key)


def test_what_is_no_change_is_refused():
    with pytest.raises(WrongUsage, match="settings set KEY=VALUE"):
        parsed([])
    with pytest.raises(WrongUsage, match="'mark_sent' is not KEY=VALUE"):
        parsed(["due_days=3", "mark_sent"])


def test_an_empty_value_is_the_default_again():
    assert parsed(["due_days="]) == {"due_days": None}
    assert value_of({"due_days": None}, "due_days") is None


def test_every_default_is_a_value_that_may_be_set():
    """So the settings page can save what it shows."""
    for key, known in SETTINGS.items():
        assert not known.default or checked({key: known.default})


def test_rules_take_accounts_and_taxes_by_the_rest_of_their_keys():
    stored = {
        "payment_account": "512", "payment_account.GBP": "513", "payment_account.USD": None,
        "tax.20%": "TAX001", "tax.none": "NONE", "rounding_account": "860", "due_days": "14",
        "revenue_account": "706", "revenue_account.product.p1": "707", "revenue_account.tax.20%": "708",
        "revenue_account.tax.none": None, "tracking.Region": "North",
    }  # fmt: skip
    found = rules(stored, "loc")
    assert found.payment_accounts == {"": "512", "GBP": "513"}
    assert found.tracking == {"Region": "North"}
    assert (found.taxes, found.tax_none) == ({"20%": "TAX001"}, "NONE")
    assert (found.revenue_account, found.product_accounts, found.tax_accounts) == ("706", {"p1": "707"}, {"20%": "708"})
    assert (found.location_id, found.rounding_account, found.due_days) == ("loc", "860", 14)


def test_limits_and_imports_have_defaults():
    assert pace({}) == CallLimits(60, None, 5, 0.5)
    assert import_rules({"import_suppliers": "yes"}).suppliers


def test_what_cannot_be_read_is_named_by_its_number_or_id():
    """So that a person finds it."""
    assert Unreadable("65f1", "", "total", "is no number").named == "invoice 65f1"
    assert Unreadable("", "", "id", "is missing", "transaction").named == "transaction without an id"


def test_notices_may_be_chosen_empty():
    """Empty is none of them, and not the default again as it is elsewhere."""
    assert checked({"notify": "", "due_days": ""}) == {"notify": "", "due_days": None}
    assert value_of({"notify": ""}, "notify") == ()
    assert value_of({}, "notify") == value_of({"notify": None}, "notify")
    assert value_of({}, "notify") == ("held", "connection", "stale", "daily")
