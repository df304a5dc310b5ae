"""Ready to go live, or not: a world with exactly one thing wrong each, that check alone fails, and passes once mended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from syncer.onboarding import readiness
from tests.support import causes

TODAY = datetime.now(UTC).date()
CARRIED = "120.00"  # what INV-1 of the causes comes to
READ = ("invoices.readonly", "locations.readonly")


@pytest.fixture
def world(world):
    """Everything right: accounts, one good invoice, contacts imported."""
    world.set(payment_account=causes.bank(world))
    world.has("GOOD-1", contact=world.crm.add_contact(name="Good", email="good@customer.example"))
    world.import_contacts()
    return world


def report(world):
    """A fresh one."""
    return readiness.check(world.connection, lambda *told: None, lambda: False)


def found(told, level="fail"):
    """The checks of this level: code and cause, with the invoices and money that hang on each."""
    return {
        (one.code, one.facts.get("cause") or ""): (one.invoices, {c: f"{m:.2f}" for c, m in one.money.items()})
        for one in told.checks
        if one.level == level
    }


@dataclass(frozen=True)
class Case:
    """What is wrong, which check says so with how much on it, and what mends it."""

    code: str
    provoke: Callable
    mend: Callable
    cause: str = ""
    invoices: int = 1
    money: dict = field(default_factory=lambda: {"EUR": CARRIED})
    level: str = "fail"
    name: str = ""


def two(code, provoke, mend, cause="", **more):
    """A case that stops both invoices."""
    return Case(code, lambda w: (w.has("INV-1"), provoke(w)), mend, cause, 2, {"EUR": "240.00"}, **more)


def old_invoice(world):
    world.has("INV-1", issueDate=(TODAY - timedelta(days=500)).isoformat())


def many(world):
    world.xero.organisation(Class="STARTER")
    for number in range(22):
        world.has(f"MANY-{number}", contact=world.crm.add_contact(name=f"M {number}", email=f"m{number}@many.example"))


def twins_in_xero(world):
    for name in ("One", "Two"):
        world.xero.add_contact(Name=name, EmailAddress="shared@twins.example")


def apart_again(world):
    world.crm.edit_invoice("INV-1", contact=world.crm.add_contact(name="Else", email="else@example.org"))


def changed_there(world):
    causes.once_in_xero(world)
    world.xero.update("invoices", "INV-1", DueDate="2027-01-01")


CASES = [
    two("revenue_account", lambda w: w.set(revenue_account=""), lambda w: w.set(revenue_account="706"), "account_missing"),
    two("revenue_account", lambda w: w.set(revenue_account="999"), lambda w: w.set(revenue_account="706"), "account_invalid", name="unknown account"),
    two("revenue_account", lambda w: w.xero.update("accounts", "706", Status="ARCHIVED"),
        lambda w: w.xero.update("accounts", "706", Status="ACTIVE"), "account_invalid", name="archived account"),
    Case("revenue_account", causes.account_of_a_product, lambda w: w.set(revenue_account__product__p1="706"), "account_invalid",
         name="archived account of one product"),
    Case("revenue_account", lambda w: w.set(revenue_account__product__p1="999"), lambda w: w.set(revenue_account__product__p1=""),
         "account_invalid", 0, {}, "warn", name="unknown account of a product that nobody bought"),
    two("tracking", lambda w: w.set(tracking__Region="North"), lambda w: w.set(tracking__Region=""), "tracking_invalid"),
    Case("payment_account", lambda w: (w.set(payment_account=""), causes.paid(w)), lambda w: w.set(payment_account=causes.bank(w)), "payment_account_missing"),
    Case("payment_account", lambda w: (w.set(payment_account=""), w.set(payment_account__EUR="706"), causes.paid(w)),
         lambda w: w.set(payment_account__EUR=causes.bank(w)), "payment_account_invalid"),
    Case("payment_account", lambda w: w.set(payment_account=""), lambda w: w.set(payment_account=causes.bank(w)), "payment_account_missing",
         0, {}, "warn", name="payment account, nothing paid yet"),
    Case("rounding_account", lambda w: w.set(rounding_account="999"), lambda w: w.set(rounding_account=""), "", 0, {}, "warn"),
    Case("tax", lambda w: w.has("INV-1", lines=causes.vat(7.77)), lambda w: w.xero.add_tax_rate("Special", 7.77), "tax_unmapped", 1, {"EUR": "107.77"}),
    Case("tax", lambda w: w.has("INV-1", lines=causes.vat(7.77)), lambda w: w.set(create_tax_rates="true"), "tax_unmapped", 1, {"EUR": "107.77"},
         name="tax, created once allowed"),
    Case("tax", causes.two_rates, lambda w: w.set(**{"tax__7.5%": w.first}), "tax_ambiguous", 1, {"EUR": "107.50"}),
    Case("tax", causes.rate_gone, lambda w: w.xero.update("taxrates", "TAX003", Status="ACTIVE"), "tax_archived", 1, {"EUR": "105.50"}),
    Case("tax", lambda w: (w.set(**{"tax__7%": "INPUT"}), w.has("INV-1", lines=causes.vat(7))),
         lambda w: (w.set(**{"tax__7%": ""}), w.xero.add_tax_rate("Seven", 7)), "tax_wrong_side", 1, {"EUR": "107.00"}),
    Case("currency", lambda w: w.has("INV-1", currency="SEK"), lambda w: w.xero.add_currency("SEK"), "currency_not_enabled", 1, {"SEK": CARRIED}),
    Case("currency", lambda w: w.has("INV-1", currency="SEK"), lambda w: w.set(create_currencies="true"), "currency_not_enabled", 1, {"SEK": CARRIED},
         name="currency, added once allowed"),
    Case("currency", lambda w: (w.xero.switch(multicurrency=False), w.has("INV-1", currency="SEK")),
         lambda w: (w.xero.switch(multicurrency=True), w.xero.add_currency("SEK")), "currency_not_in_plan", 1, {"SEK": CARRIED}),
    Case("lock_date", causes.locked, causes.unlock, "period_locked"),
    Case("dates", lambda w: w.has("INV-1", dueDate=None), lambda w: w.set(due_days="30"), "due_date_missing"),
    Case("number", causes.strangers_number, causes.renumber, "number_taken"),
    Case("number", lambda w: w.crm.edit_invoice(w.has("INV-1"), number="№ 1"), lambda w: w.crm.edit_invoice("№ 1", number="INV-1"), "number_invalid"),
    Case("number", causes.two_with_one_number, lambda w: w.crm.edit_invoice(w.second, number="INV-2"), "number_taken", name="one number twice"),
    Case("totals", lambda w: (w.has("INV-1"), w.crm.add_late_fee("INV-1", 12)), lambda w: w.crm.add_late_fee("INV-1", -12), "total_mismatch", 1, {"EUR": "132.00"}),
    Case("totals", causes.credit, lambda w: w.crm.edit_invoice("INV-1", lines=causes.vat(20)), "negative_total", 1, {"EUR": "-330.00"}),
    Case("totals", lambda w: w.has("INV-1", lines=causes.vat(20, name="")), lambda w: w.crm.edit_invoice("INV-1", lines=causes.vat(20)), "line_invalid"),
    Case("contact", causes.taken_name, lambda w: w.order("keep_apart", "INV-1", name="Garage (Lyon)"), "contact_name_taken"),
    Case("contact", causes.bad_email, causes.good_email, "contact_invalid"),
    Case("contact", causes.archived_contact, causes.restore, "contact_archived"),
    Case("contact", lambda w: w.has("INV-1", contactDetails={"id": "", "name": "X", "email": "", "phoneNo": ""}), apart_again, "contact_missing"),
    Case("contact", lambda w: (w.set(create_contacts="false"), w.has("INV-1")), lambda w: w.set(create_contacts="true"), "contact_missing",
         2, {"EUR": "240.00"}, name="none may be created"),
    Case("in_xero", changed_there, lambda w: w.order("overwrite", "INV-1"), "changed_in_xero"),
    Case("time_zone", lambda w: (w.has("INV-1"), w.crm.switch(dates="bare"), w.crm.profile(timezone="", business={})), lambda w: w.crm.profile(timezone="Europe/Paris"), "",
         2, {"EUR": "240.00"}),
    Case("crococlick_scopes", lambda w: (w.has("INV-1"), w.crm.allow("pit-sandbox", [*READ, "contacts.readonly"])),
         lambda w: w.crm.allow("pit-sandbox"), "", 2, {"EUR": "240.00"}, name="payments cannot be seen"),
    Case("crococlick_scopes", lambda w: (w.has("INV-1"), w.crm.allow("pit-sandbox", [*READ, "payments/transactions.readonly"])),
         lambda w: w.crm.allow("pit-sandbox"), "", 2, {"EUR": "240.00"}, name="contacts cannot be seen"),
    Case("xero_role", lambda w: (w.has("INV-1"), w.xero.switch(role="READONLY")), lambda w: w.xero.switch(role="STANDARD"), "",
         2, {"EUR": "240.00"}),
    Case("xero_role", lambda w: (causes.paid(w), w.xero.switch(role="INVOICEONLY")), lambda w: w.xero.switch(role="STANDARD"), "",
         name="payments may not be entered"),
    Case("unreadable", lambda w: w.crm.edit_invoice(w.has("INV-1"), status="odd"), lambda w: w.crm.edit_invoice("INV-1", status="sent"), ""),
    Case("start_date", old_invoice, lambda w: w.set(start_date=(TODAY - timedelta(days=400)).isoformat()), level="warn"),
    Case("organisation", lambda w: (w.xero.add_currency("USD"), w.has("INV-1", currency="USD", lines=causes.vat(20, amount=9000))),
         lambda w: w.crm.edit_invoice("INV-1", currency="EUR"), "", 0, {}, "warn"),
    Case("duplicates", twins_in_xero, lambda w: w.xero.update("contacts", w.xero.contacts()[-1]["ContactID"], EmailAddress="other@twins.example"),
         "", 0, {}, "warn"),
    Case("plan_cap", many, lambda w: w.xero.organisation(Class="PREMIUM"), "", 3, {"EUR": "360.00"}),
]  # fmt: skip


def test_nothing_wrong(world):
    """The world that each case starts from: ready, nothing worth a look, nothing unknown."""
    told = report(world)
    assert told.ready and not found(told, "warn") and not found(told, "unknown")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name or f"{case.code} {case.cause}".strip())
def test_one_thing_wrong(world, case):
    """Exactly that check fails, with the right invoices and money; once mended everything passes."""
    case.provoke(world)
    wrong = report(world)
    expected = {(case.code, case.cause): (case.invoices, case.money)}
    if case.level == "fail":
        assert found(wrong) == expected
    else:
        assert {key: told for key, told in found(wrong, "warn").items() if key[0] == case.code} == expected
        assert not found(wrong)
    assert wrong.ready == (case.level != "fail")
    case.mend(world)
    after = report(world)
    assert not found(after) and after.ready
    assert not [key for key in found(after, "warn") if key[0] == case.code]


BLIND = [
    ("xero_connection", "consent_revoked", lambda w: w.xero.revoke(), lambda w: w.connect()),
    ("xero_connection", "consent_revoked", lambda w: w.xero.disconnect(), lambda w: w.connect()),
    ("crococlick_connection", "crococlick_token_refused", lambda w: w.crm.refuse(), lambda w: w.crm.allow("pit-sandbox")),
    ("crococlick_scopes", "crococlick_scope_missing", lambda w: w.crm.allow("pit-sandbox", ["locations.readonly"]),
     lambda w: w.crm.allow("pit-sandbox")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "cause", "provoke", "mend"), BLIND, ids=["revoked", "disconnected", "token", "invoices"]
)
def test_nothing_can_be_looked_at(world, code, cause, provoke, mend):
    """The one check says why, everything that waits hangs on it, and all others are not known rather than wrong."""
    assert report(world).ready
    provoke(world)
    wrong = report(world)
    assert found(wrong) == {(code, cause): (1, {"EUR": CARRIED})}
    assert {str(one.level) for one in wrong.checks} == {"fail", "unknown"}
    assert wrong.failure is not None and not wrong.ready and wrong.planned is None
    mend(world)
    assert report(world).ready


def test_a_check_costs_five_calls_besides_the_mirror(world):
    """The organisation's settings are read anew, everything else is what changed since."""
    report(world)
    world.box.reset_calls()
    report(world)
    assert world.box.count(side="xero") == 7
    assert world.box.count(side="xero", path="/api.xro/2.0/Contacts") == 1
    assert world.box.count(side="xero", path="/api.xro/2.0/Invoices") == 1
    assert world.writes() == 0


def test_what_is_kept_is_what_was_said(world):
    """The console shows the last report, in the same words."""
    world.has("INV-1", lines=causes.vat(7.77))
    told = report(world)
    kept = readiness.kept(world.ledger)
    assert kept.verdict == told.verdict == "Not ready: 1 thing stops 1 invoice worth €107.77."
    assert readiness.as_json(kept) == readiness.as_json(told)
    rows = world.app.analysis.ask("SELECT code, level, invoices FROM checks WHERE level = 'fail'").rows
    assert rows == [("tax", "fail", 1)]


def test_without_an_account_the_rest_still_shows(world):
    """What would be wrong next is told at once, not after the first thing is mended."""
    world.set(revenue_account="")
    world.has("INV-1")
    world.crm.add_late_fee("INV-1", 12)
    assert set(found(report(world))) == {("revenue_account", "account_missing"), ("totals", "total_mismatch")}
