"""The readiness report: each check on its own, and that it never promises what a run does not do."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from syncer.domain.matching.invoice_contacts import Linked
from syncer.domain.model.books import TrackingCategory, TrackingOption
from syncer.domain.model.invoice import LineItem, Status, Tax
from syncer.domain.model.problems import CAUSES, Problem, heals_by_itself
from syncer.domain.model.sync_state import SyncState
from syncer.domain.planning.actions import Do, hold
from syncer.domain.planning.plan import plan_all
from syncer.domain.readiness.checks import MONTHLY, Check, Level, Situation, check_all, is_ready, stopped
from tests.support.domain_samples import (
    BANK,
    BOOKS,
    INVOICE,
    RULES,
    VAT,
    books,
    invoice,
    ordered,
    paid,
    plain,
    rules,
    scene,
    standing,
)
from tests.support.properties import examples
from tests.support.random_worlds import worlds

ACTIONS = {"CreateApprovedInvoice": True, "CreateInvoicePayment": True, "UseMulticurrency": True}
TODAY = date(2026, 11, 25)


def situation(**changes):
    """Everything right, but for these."""
    given = {
        "books": books(actions=ACTIONS), "rules": rules(payment_accounts={"": BANK.id}),
        "organisation": {"name": "Croco SAS"}, "scopes": ["accounting.invoices"],
        "scopes_needed": ["accounting.invoices"], "timezone": "Europe/Paris", "may": {"contacts": True},
        "day_left": 1000, "imported": {"linked": 1}, "today": TODAY,
    }  # fmt: skip
    return Situation(**{**given, **changes})


def checked(*invoices, **changes):
    """The checks over these invoices, by code and subject, and the plan that they come from."""
    now = situation(**changes)
    contacts = {one.customer.id: Linked("x1", "binding") for one in invoices}
    actions = plan_all(invoices, scene(books=now.books, rules=now.rules, contacts=contacts))
    return {(one.code, one.subject): one for one in check_all(actions, now)}


def level_of(code, *invoices, subject="", **changes):
    """How one check comes out."""
    return checked(*invoices, **changes)[code, subject].level


def test_everything_right_passes():
    """Not even a warning."""
    found = checked(INVOICE)
    assert {one.level for one in found.values()} == {Level.PASS}
    assert is_ready(found.values())


@pytest.mark.parametrize(
    ("code", "changes", "level"),
    [
        ("revenue_account", {"rules": rules(revenue_account="999")}, Level.FAIL),
        ("xero_scopes", {"scopes": []}, Level.FAIL),
        ("crococlick_scopes", {"may": {"contacts": False}}, Level.FAIL),
        ("crococlick_scopes", {"may": {"contacts": None}}, Level.PASS),
        ("time_zone", {"timezone": ""}, Level.FAIL),
        ("xero_role", {"books": BOOKS}, Level.UNKNOWN),
        ("xero_role", {"books": books(actions={**ACTIONS, "CreateApprovedInvoice": False})}, Level.FAIL),
        ("xero_role", {"books": books(actions={**ACTIONS, "CreateInvoicePayment": False})}, Level.FAIL),
        ("duplicates", {"duplicate_groups": 2}, Level.WARN),
        ("contact_import", {"imported": None}, Level.WARN),
        ("contact_import", {"imported": {"conflict": 1}}, Level.WARN),
        ("budget", {"day_left": None}, Level.UNKNOWN),
        ("budget", {"day_left": 3, "xero_calls": 4}, Level.WARN),
        ("budget", {"day_left": 4, "xero_calls": 4}, Level.PASS),
        ("unreadable", {"unreadable": [("F-2", "status is not known")]}, Level.FAIL),
        ("rounding_account", {"rules": rules(rounding_account="999")}, Level.WARN),
        ("rounding_account", {"rules": rules(rounding_account="706")}, Level.PASS),
    ],
)
def test_a_check_of_its_own(code, changes, level):
    """It alone decides, whatever the invoices are."""
    assert level_of(code, INVOICE, **changes) is level


def test_each_setting_of_an_account_has_a_line_with_the_invoices_that_need_it():
    """A wrong one fails where an invoice needs it, and is worth a look where none does."""
    setting = "revenue_account.product.p1"
    coffee = invoice(lines=(replace(INVOICE.lines[0], name="Coffee", product_id="p1"),))
    chosen = {"rules": rules(product_accounts={"p1": "999"})}
    failed = checked(INVOICE, coffee, **chosen)["revenue_account", setting]
    assert (failed.level, failed.invoices, failed.facts["product"]) == (Level.FAIL, 1, "Coffee")
    assert level_of("revenue_account", coffee, **chosen) is Level.PASS
    unneeded = checked(INVOICE, **chosen)["revenue_account", setting]
    assert (unneeded.level, unneeded.invoices, unneeded.facts["product"]) == (Level.WARN, 0, "p1")
    right = checked(coffee, rules=rules(product_accounts={"p1": "706"}, revenue_account=""))
    assert right["revenue_account", setting].level is Level.PASS
    assert right["revenue_account", ""].level is Level.WARN
    assert level_of("revenue_account", rules=rules(revenue_account="")) is Level.FAIL


def test_a_tracking_category_that_is_wrong_stops_everything():
    """Each that the settings name has a line; before the categories are read nothing is known."""
    region = TrackingCategory("cat-r", "Region", options=(TrackingOption("opt-n", "North"),))
    chosen = {"rules": rules(tracking={"Region": "North", "Team": "Red"})}
    found = checked(INVOICE, books=books(actions=ACTIONS, tracking=(region,)), **chosen)
    wrong = found["tracking", "tracking.Team"]
    assert (wrong.level, wrong.invoices, wrong.facts["cause"]) == (Level.FAIL, 1, "tracking_invalid")
    assert found["tracking", "tracking.Region"].level is Level.PASS
    assert level_of("tracking", INVOICE, subject="tracking.Region", **chosen) is Level.UNKNOWN


def test_where_somebody_approves_in_xero_the_right_to_approve_is_not_needed():
    """Nor does the plan's number of approved invoices count; payments that wait are worth a look."""
    may_not = books(
        actions={**ACTIONS, "CreateApprovedInvoice": False},
        organisation=replace(BOOKS.organisation, plan="STARTER"),
    )
    by = rules(approval="DRAFT", payment_accounts={"": BANK.id})
    found = checked(INVOICE, books=may_not, rules=by, approved_this_month=30)
    assert found["xero_role", ""].level is found["plan_cap", ""].level is Level.PASS
    waits = hold(INVOICE, SyncState(), Problem("awaiting_approval", {"payments": 1}))
    told = check_all([waits], situation(rules=by))
    [one] = [check for check in told if check.code == "in_xero"]
    assert (one.level, one.invoices, is_ready(told)) == (Level.WARN, 1, True)


def test_a_tax_is_told_by_its_name_and_rate_whatever_its_id():
    """Three ids of one tax are one line of the report, with the money of all."""
    same = [
        invoice(
            source_id=f"i{n}", number=f"F-{n}", lines=(replace(INVOICE.lines[0], taxes=(replace(VAT, id=f"t{n}"),)),)
        )
        for n in range(3)
    ]
    [tax] = [one for one in checked(*same).values() if one.code == "tax"]
    assert (tax.invoices, tax.money, tax.facts["how"]) == (3, {"EUR": Decimal(720)}, "equal")


def test_an_invoice_with_one_tax_by_two_ids_counts_once():
    """Its money too."""
    line = INVOICE.lines[0]
    both = invoice(
        lines=(line, replace(line, taxes=(replace(VAT, id="another"),))), total=INVOICE.total * 2,
    )  # fmt: skip
    [tax] = [one for one in checked(both).values() if one.code == "tax"]
    assert (tax.invoices, tax.money) == (1, {"EUR": both.total})


def test_a_tax_is_mapped_only_where_its_own_rate_is():
    """That another tax is mapped to the same rate says nothing about this one."""
    other = rules(taxes={"7.7%": "TAX001"})
    [tax] = [one for one in checked(INVOICE, rules=other).values() if one.code == "tax"]
    assert tax.facts["how"] == "equal"


def test_how_a_tax_is_found_is_told():
    """By the settings, by its rate, or to be created."""
    odd = invoice(
        lines=(LineItem("X", Decimal(1), Decimal(100), (Tax("t", "Odd", Decimal("7.7")),)),), total=Decimal("107.7")
    )
    [mapped] = [one for one in checked(INVOICE, rules=rules(taxes={"20%": "TAX001"})).values() if one.code == "tax"]
    [created] = [one for one in checked(odd, rules=rules(create_tax_rates=True)).values() if one.code == "tax"]
    [missing] = [one for one in checked(odd).values() if one.code == "tax"]
    assert (mapped.facts["how"], created.facts["how"], created.facts["tax_type"]) == ("mapped", "created", "")
    assert (missing.level, missing.facts["cause"], missing.facts["numbers"]) == (Level.FAIL, "tax_unmapped", ["F-1"])


@pytest.mark.parametrize(
    ("changes", "level", "told"),
    [
        ({}, Level.FAIL, "currency_not_enabled"),
        ({"rules": rules(create_currencies=True)}, Level.PASS, "created"),
        ({"books": books(actions={"UseMulticurrency": False})}, Level.FAIL, "currency_not_in_plan"),
        ({"rules": rules(create_currencies=True), "books": books(refused={"currency.SEK": ("No",)})}, Level.FAIL,
         "currency_not_enabled"),
        ({"books": books(currencies=frozenset({"SEK"}))}, Level.PASS, "enabled"),
    ],
)  # fmt: skip
def test_a_currency(changes, level, told):
    """Enabled, to be added, refused, or not in the plan."""
    found = checked(plain("100", currency="SEK"), **changes)["currency", "SEK"]
    assert (found.level, found.facts.get("cause") or found.facts["how"]) == (level, told)


def test_an_account_for_payments_fails_only_where_money_was_taken():
    """Before the first payment its absence is worth a look."""
    nothing, half = invoice(), invoice(status=Status.PARTIALLY_PAID, amount_paid=Decimal(100))
    assert level_of("payment_account", nothing, subject="EUR", rules=RULES) is Level.WARN
    assert level_of("payment_account", half, subject="EUR", rules=RULES) is Level.FAIL
    assert level_of("payment_account", half, subject="EUR") is Level.PASS


NOTHING = paid("0")
EDITED = {"payments": (paid(),), "carried": {"t1": "p1"}, "xero_amount_paid": Decimal(240)}
NEEDING_AN_ACCOUNT = {
    "a payment of nothing": (invoice(), standing(payments=(NOTHING,))),
    "one to be put back": (
        invoice(amount_paid=Decimal(240), status=Status.PAID),
        standing(**EDITED, synced_fingerprint="f0", synced_frozen="f0", order=ordered("reapply_payments")),
    ),
}


@pytest.mark.parametrize("what", NEEDING_AN_ACCOUNT)
def test_an_account_for_payments_fails_where_the_plan_lacks_it(what):
    """Also where the invoice itself does not say that money was taken, or its status is not one that goes over."""
    one, stands = NEEDING_AN_ACCOUNT[what]
    now = situation(rules=rules(statuses=frozenset({Status.SENT})))
    [action] = plan_all([one], scene(rules=now.rules, standings={one.source_id: stands}))
    assert [problem.code for problem in action.problems] == ["payment_account_missing"]
    [found] = [check for check in check_all([action], now) if check.code == "payment_account"]
    assert (found.level, found.ids) == (Level.FAIL, {one.source_id})


def hold_for(code):
    """A plan that holds the ordinary invoice for this cause alone."""
    return hold(INVOICE, SyncState(), Problem(code, {"message": "No.", "number": "F-1"}))


@pytest.mark.parametrize("code", sorted(code for code in CAUSES if not heals_by_itself(code)))
def test_whatever_a_plan_holds_for_is_told(code):
    """What Xero refused once may be of any cause, and nothing else in the report need be wrong."""
    level = Level.WARN if code == "awaiting_approval" else Level.FAIL  # the settings want it so
    found = [one for one in check_all([hold_for(code)], situation()) if one.level is level]
    assert [one.ids for one in found] == [{INVOICE.source_id}]


def test_what_heals_by_itself_is_no_reason_to_wait():
    """A service that did not answer is asked again."""
    assert is_ready(check_all([hold_for("xero_unavailable")], situation()))


def test_old_invoices_without_a_start_date_are_worth_a_look():
    """Those that stand in Xero already apart."""
    old = invoice(issue_date=TODAY - timedelta(days=400), due_date=TODAY)
    found = checked(old, INVOICE)["start_date", ""]
    assert (found.level, found.invoices, found.facts["first"]) == (Level.WARN, 1, old.issue_date.isoformat())
    assert level_of("start_date", old, rules=rules(start_date=TODAY)) is Level.PASS


def test_the_oldest_invoice_that_is_told_is_one_that_is_not_in_xero():
    """What stands there is nothing to wonder about."""
    older, old = (invoice(source_id=f"i{days}", issue_date=TODAY - timedelta(days=days)) for days in (900, 400))
    there, new = plan_all([older, old], scene(contacts={older.customer.id: Linked("x1", "binding")}))
    found = check_all([replace(there, xero_id="x2"), new], situation())
    [told] = [one for one in found if one.code == "start_date"]
    assert (told.invoices, told.facts["first"]) == (1, old.issue_date.isoformat())


@pytest.mark.parametrize(
    ("plan", "approved", "level", "beyond"),
    [
        ("STARTER", 0, Level.FAIL, 2),
        ("LITE", 0, Level.UNKNOWN, 2),
        ("PREMIUM", 0, Level.PASS, 0),
        ("STARTER", MONTHLY + 5, Level.FAIL, 22),
    ],
)
def test_a_small_plan_has_room_for_some(plan, approved, level, beyond):
    """What was approved this month counts; of plans whose number is not known nothing is promised."""
    many = [invoice(source_id=f"i{n:02}", number=f"F-{n}") for n in range(22)]
    small = books(actions=ACTIONS, organisation=replace(BOOKS.organisation, plan=plan))
    found = checked(*many, books=small, approved_this_month=approved)["plan_cap", ""]
    assert (found.level, found.invoices) == (level, beyond)
    assert checked(INVOICE, books=small)["plan_cap", ""].level is Level.PASS


def test_each_invoice_counts_once_in_what_is_stopped():
    """However many things are wrong with it."""
    bad = invoice(number="№", due_date=None)
    now = situation()
    actions = plan_all([bad, INVOICE], scene(books=now.books, rules=now.rules))
    checks = check_all(actions, now)
    assert {one.code for one in checks if one.level is Level.FAIL} == {"number", "dates"}
    held = stopped([*checks, Check("x", Level.FAIL)], actions)
    assert (list(held.ids.values()), dict(held.money)) == (["№"], {"EUR": Decimal(240)})


@examples(1.5)
@given(worlds())
def test_the_report_never_promises_what_a_run_does_not_do(world):
    """Whatever a plan holds for a person is under a check that fails; where nothing fails nothing is held."""
    now = situation(books=world.scene.books, rules=world.scene.rules)
    actions = plan_all(world.invoices, world.scene)
    checks = check_all(actions, now)
    failing = frozenset(key for one in checks if one.level is Level.FAIL for key in one.ids)
    held = {one.invoice.source_id for one in actions if one.do is Do.HOLD and not heals_by_itself(one.problems[0].code)}
    assert held <= failing
    assert not is_ready(checks) or not held
