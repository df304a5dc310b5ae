"""A CrocoClick invoice to a Xero document, or every reason why not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncer.domain.mapping.invoice_to_document import document, lacks_currency, rounding_account
from syncer.domain.mapping.line_accounts import (
    account_of,
    account_setting,
    meant_by,
    setting_behind,
    with_usable_accounts,
)
from syncer.domain.mapping.tax_rates import is_purchase_side, tax_key, tax_rate
from syncer.domain.model.books import (
    APPROVE,
    MULTICURRENCY,
    Document,
    TaxComponent,
    TaxRate,
    TrackingCategory,
    TrackingOption,
    books_from,
    books_text,
)
from syncer.domain.model.invoice import LineItem, Status, Tax
from tests.support.domain_samples import (
    BANK,
    BOOKS,
    GST,
    INVOICE,
    NO_TAX,
    QST,
    ROUNDING,
    SALES,
    TVA,
    VAT,
    books,
    invoice,
    plain,
    rules,
)


def made(one=None, there=BOOKS, **settings):
    """The document, or the codes of its problems."""
    found = document(one or invoice(), there, "x1", rules(**settings))
    return found if isinstance(found, Document) else [problem.code for problem in found]


def test_an_ordinary_invoice_becomes_a_document():
    """Number, dates, contact, mark, lines and totals."""
    found = made()
    assert (found.number, found.contact_id, found.currency, found.status) == ("F-1", "x1", "EUR", "AUTHORISED")
    assert (found.issue_date, found.due_date) == (date(2026, 9, 1), date(2026, 10, 1))
    assert (found.total, found.total_tax, found.inclusive) == (Decimal(240), Decimal(40), False)
    assert found.reference == "Visite"
    assert found.url.endswith(f"/{found.source_id}")
    assert [(line.account, line.tax_type, line.discount, line.tax_amount) for line in found.lines] == [
        ("706", "TAX001", 0, None)
    ]


def test_a_draft_stays_one():
    """No due date asked, nobody told it was sent, and no locked period stands in its way."""
    locked = books(organisation=replace(BOOKS.organisation, period_lock_date=date(2026, 12, 31)))
    found = made(invoice(status=Status.DRAFT, due_date=None), replace(locked, actions={APPROVE: False}))
    assert (found.status, found.sent_to_contact, found.due_date) == ("DRAFT", False, None)


def test_marked_as_sent_only_where_the_setting_says_so():
    """Xero is never asked to email anybody."""
    assert made().sent_to_contact
    assert not made(mark_sent=False).sent_to_contact


@pytest.mark.parametrize(
    ("template", "reference"), [("{name}", "Visite"), ("{number} / {name}", "F-1 / Visite"), (" CRM ", "CRM"), ("", "")]
)
def test_the_reference_follows_its_template(template, reference):
    """Trimmed."""
    assert made(reference=template).reference == reference


def test_a_missing_due_date_is_reckoned_from_the_setting_or_held():
    """It is never invented."""
    assert made(invoice(due_date=None)) == ["due_date_missing"]
    assert made(invoice(due_date=None), due_days=30).due_date == date(2026, 10, 1)
    assert made(invoice(due_date=date(2026, 9, 5)), due_days=30).due_date == date(2026, 9, 5)
    assert made(invoice(due_date=None, issue_date=None), due_days=30) == ["issue_date_missing", "due_date_missing"]


def test_a_date_on_the_lock_date_is_locked():
    """The day after is not."""
    locked = replace(BOOKS.organisation, period_lock_date=date(2026, 9, 1))
    assert made(there=books(organisation=locked)) == ["period_locked"]
    assert isinstance(made(invoice(issue_date=date(2026, 9, 2)), books(organisation=locked)), Document)


NUMBERS = [("F-1", True), ("x" * 255, True), ("x" * 256, False), ("", False), ("Réf-1", False), ("F\n1", False)]


@pytest.mark.parametrize(("number", "goes"), NUMBERS)
def test_a_number_is_printable_ascii_of_at_most_255(number, goes):
    """Never repaired by ourselves."""
    assert isinstance(made(invoice(number=number)), Document) == goes


LINE = LineItem("Conseil", Decimal(1), Decimal(240))
INVALID = [
    ({"name": "x" * 256}, "reference_too_long"),
    ({"lines": ()}, "no_lines"),
    ({"lines": (LINE, replace(LINE, name=" ", description=" "))}, "no_description"),
    ({"lines": (replace(LINE, name="x" * 2000, description="y" * 2000),)}, "description_too_long"),
    ({"lines": (replace(LINE, unit_price=Decimal("1E+30")),)}, "amount_too_large"),
]


@pytest.mark.parametrize(("changes", "what"), INVALID)
def test_a_line_that_xero_would_refuse_is_held(changes, what):
    """With what is wrong, and where."""
    (problem,) = document(invoice(**changes), BOOKS, "x1", rules())
    assert (problem.code, problem.facts["what"]) == ("line_invalid", what)
    assert problem.where


def test_a_negative_total_is_held_and_zero_goes():
    """Xero has credit notes for the one, and takes the other."""
    assert made(plain("-5")) == ["negative_total"]
    assert made(plain("-5", "5")).total == 0


def test_all_problems_are_told_at_once():
    """A person mends them in one go."""
    broken = invoice(number="", due_date=None, currency="GBP", total=Decimal(-1))
    codes = ["number_invalid", "negative_total", "due_date_missing", "currency_not_enabled", "account_missing"]
    assert made(broken, revenue_account="") == codes


def test_lines_that_do_not_make_the_total_are_held():
    """The arithmetic is the last thing looked at."""
    assert made(invoice(total=Decimal(250))) == ["total_mismatch"]


@pytest.mark.parametrize(
    ("currency", "actions", "codes"),
    [
        ("GBP", {}, ["currency_not_enabled"]),
        ("GBP", {MULTICURRENCY: True}, ["currency_not_enabled"]),
        ("GBP", {MULTICURRENCY: False}, ["currency_not_in_plan"]),
        ("EUR", {APPROVE: False}, ["role_missing"]),
    ],
)
def test_what_the_organisation_does_not_allow(currency, actions, codes):
    """A currency that is not enabled, one beyond the plan, a user who may not approve."""
    assert made(invoice(currency=currency), books(actions=actions)) == codes


@pytest.mark.parametrize(
    ("plan", "may", "code"),
    [
        ("STARTER", {"CreateApprovedBill": True, "CreateInvoicePayment": True}, "plan_invoice_cap"),
        ("IGNITE", {"CreateApprovedBill": True, "CreateInvoicePayment": True}, "plan_invoice_cap"),
        ("STARTER", {"CreateApprovedBill": False, "CreateInvoicePayment": True}, "role_missing"),
        ("STARTER", {}, "role_missing"),
        ("STANDARD", {"CreateApprovedBill": True, "CreateInvoicePayment": True}, "role_missing"),
    ],
)
def test_a_plan_whose_month_is_used_up_is_no_missing_role(plan, may, code):
    """Xero says only that no invoice may be approved: who may approve bills and enter payments has the role."""
    small = books(actions={APPROVE: False, **may})
    small = replace(small, organisation=replace(small.organisation, plan=plan))
    assert made(invoice(), small) == [code]


def test_a_currency_is_enabled_where_the_setting_allows():
    """Not where the plan has one currency only, nor once Xero has refused: then its words are shown."""
    pounds = invoice(currency="GBP")
    assert made(pounds, create_currencies=True).currency == "GBP"
    assert made(pounds, books(actions={MULTICURRENCY: False}), create_currencies=True) == ["currency_not_in_plan"]
    refused = books(refused={"currency.GBP": ("No.",)})
    (problem,) = document(pounds, refused, "x1", rules(create_currencies=True))
    assert (problem.code, problem.facts["would_not"]) == ("currency_not_enabled", ["No."])
    assert lacks_currency("GBP", BOOKS)
    assert not lacks_currency("USD", BOOKS)


def test_the_base_currency_needs_no_enabling():
    """Xero does not always list it."""
    assert isinstance(made(there=books(currencies=frozenset())), Document)


ACCOUNTS = [
    ("", "account_missing", None),
    ("999", "account_invalid", "unknown"),
    ("701", "account_invalid", "archived"),
    ("acc-bank", "account_invalid", "not_for_sales"),
    ("610", "account_invalid", "not_for_sales"),
]


@pytest.mark.parametrize(("code", "problem", "why"), ACCOUNTS)
def test_lines_go_on_an_active_account_that_is_neither_bank_nor_debtors(code, problem, why):
    """What is set has to be there."""
    old = replace(SALES, id="old", code="701", status="ARCHIVED")
    debtors = replace(SALES, id="deb", code="610", system_account="DEBTORS")
    found = account_of("revenue_account", books(accounts=(SALES, BANK, old, debtors)), rules(revenue_account=code))
    assert (found.code, found.facts.get("why")) == (problem, why)


SOLD = INVOICE.lines[0]
GOODS, SERVICES, OLD = (
    replace(SALES, id="acc-goods", code="707"),
    replace(SALES, id="acc-serv", code="708"),
    replace(SALES, id="acc-old", code="701", name="Old", status="ARCHIVED"),
)
CHART = books(accounts=(SALES, BANK, ROUNDING, GOODS, SERVICES, OLD))
LANDING = [
    # product, taxes, where it lands
    ("p1", (VAT,), "707"),
    ("p2", (VAT,), "708"),
    ("", (VAT,), "708"),
    ("", (replace(VAT, id="t20b"),), "706"),
    ("", (GST, QST), "708"),
    ("p1", (), "707"),
    ("", (), "707"),
]


@pytest.mark.parametrize(("product", "taxes", "lands"), LANDING)
def test_the_most_specific_account_wins(product, taxes, lands):
    """The product's, then the tax's by its id or its rates, then the one for all lines."""
    chosen = rules(product_accounts={"p1": "707"}, tax_accounts={"t20": "708", "5%+9.975%": "708", "none": "707"})
    line = replace(SOLD, product_id=product, taxes=taxes)
    setting = account_setting(line, chosen)
    assert account_of(setting, CHART, chosen).code == lands
    assert setting_behind(invoice(lines=(line,)), chosen, lands) == setting
    assert setting_behind(invoice(lines=(line,)), chosen, "999") == ""


def test_a_tax_by_its_id_comes_before_its_rate():
    """As in the mapping of taxes."""
    chosen = rules(tax_accounts={"t20": "708", "20%": "707"})
    assert account_setting(SOLD, chosen) == "revenue_account.tax.t20"
    assert account_setting(replace(SOLD, taxes=(replace(VAT, id="other"),)), chosen) == "revenue_account.tax.20%"


def test_each_line_lands_on_its_own_account():
    """The arithmetic is as before: only the accounts differ."""
    lines = tuple(replace(SOLD, product_id=product) for product in ("p1", "", "p2"))
    one = invoice(lines=lines, total=Decimal(720))
    found = made(one, CHART, product_accounts={"p1": "707", "p2": "acc-serv"})
    assert [line.account for line in found.lines] == ["707", "706", "708"]
    untaxed = replace(
        plain("10", "20"), lines=tuple(replace(line, product_id="p1") for line in plain("10", "20").lines)
    )
    assert [line.account for line in made(untaxed, CHART, product_accounts={"p1": "707"}).lines] == ["707", "707"]


def test_a_setting_that_gives_no_usable_account_holds_the_invoices_with_such_lines():
    """Each setting is told once, and what it is for; lines of other products do not mind."""
    lines = (SOLD, *(replace(SOLD, name="Coffee", product_id="p1") for _ in range(2)))
    mine = rules(product_accounts={"p1": "701"}, revenue_account="")
    first, second = document(invoice(lines=lines, total=Decimal(720)), CHART, "x1", mine)
    assert (first.code, first.facts["setting"], first.where) == ("account_missing", "revenue_account", "line 1")
    assert (second.code, second.facts["why"], second.where) == ("account_invalid", "archived", "line 2")
    assert (second.facts["setting"], second.facts["product"]) == ("revenue_account.product.p1", "Coffee")
    assert isinstance(made(there=CHART, product_accounts={"p1": "701"}), Document)


def test_no_account_for_all_lines_is_needed_where_each_has_one():
    """Whoever names one for every product is done."""
    assert isinstance(made(there=CHART, revenue_account="", tax_accounts={"20%": "707"}), Document)


def test_what_an_account_is_for_is_told_by_its_name_or_else_by_its_id():
    """A person knows the product, not its id."""
    assert meant_by("revenue_account") == {}
    assert meant_by("revenue_account.product.p.1") == {"product": "p.1"}
    assert meant_by("revenue_account.product.p1", replace(SOLD, name=" ")) == {"product": "p1"}
    assert meant_by("revenue_account.tax.20%", SOLD) == {"tax": "TVA 20"}
    assert meant_by("revenue_account.tax.none", replace(SOLD, taxes=())) == {"tax": "none"}


def test_another_account_is_presumed_where_one_is_wrong():
    """So that a report shows what else is."""
    broken = rules(revenue_account="", product_accounts={"p1": "701", "p2": "707"}, tax_accounts={"20%": "999"})
    presumed = with_usable_accounts(CHART, broken, SALES)
    assert (presumed.revenue_account, presumed.product_accounts) == ("706", {"p1": "706", "p2": "707"})
    assert presumed.tax_accounts == {"20%": "706"}
    assert with_usable_accounts(CHART, broken, None) is broken
    assert with_usable_accounts(CHART, presumed, replace(SALES, code="")) is presumed


def test_an_account_without_code_goes_by_its_id():
    """Xero takes either."""
    nameless = books(accounts=(replace(SALES, code=""),))
    assert made(there=nameless, revenue_account="acc-sales").lines[0].account == "acc-sales"


def test_the_rounding_account_is_the_one_set_else_the_organisations_own():
    """One that is archived or unknown is none."""
    assert rounding_account(BOOKS, rules()) == "860"
    assert rounding_account(BOOKS, rules(rounding_account="706")) == "706"
    assert rounding_account(BOOKS, rules(rounding_account="999")) == ""
    old = books(accounts=(SALES, replace(ROUNDING, status="ARCHIVED")))
    assert rounding_account(old, rules(rounding_account="860")) == ""
    assert rounding_account(books(accounts=(SALES,)), rules()) == ""


ROUNDED = invoice(
    lines=(LineItem("x", Decimal(4), Decimal("9.3440"), (VAT,)),), total=Decimal("44.85"), tax=Decimal("7.48")
)


def test_a_rounding_line_needs_its_account_and_an_untaxed_rate():
    """Without one of them the invoice is held."""
    assert made(ROUNDED).lines[1].account == "860"
    assert made(ROUNDED, books(accounts=(SALES,))) == ["total_mismatch"]
    assert made(ROUNDED, books(tax_rates=(TVA,))) == ["total_mismatch"]


# -- taxes

TPS = TaxRate(
    "TAX002", "GST + QST", Decimal("14.975"), (TaxComponent("a", Decimal("9.975")), TaxComponent("b", Decimal(5)))
)


def rate_for(wanted, *tax_rates, **settings):
    """The TaxType found, or the code of the problem."""
    found = tax_rate(wanted, books(tax_rates=tax_rates), rules(**settings))
    return found.type if isinstance(found, TaxRate) else found.code


def test_the_one_sales_rate_of_equal_components_is_taken():
    """Several taxes fit a rate of the same parts, never one of the same sum."""
    assert rate_for((VAT,), NO_TAX, TVA) == "TAX001"
    assert rate_for((GST, QST), TVA, TPS) == "TAX002"
    assert rate_for((Tax("t", "x", Decimal("14.975")),), TPS) == "tax_unmapped"
    assert rate_for((GST, replace(QST, compound=True)), TPS) == "tax_unmapped"


def test_a_rate_without_components_counts_by_its_effective_rate():
    """And it is reckoned with that."""
    bare = replace(TVA, components=())
    assert rate_for((VAT,), bare) == "TAX001"
    assert made(there=books(tax_rates=(bare,))).total_tax == Decimal(40)


def test_among_equal_rates_the_name_decides_else_a_person():
    """Nothing is guessed."""
    twin = replace(TVA, type="TAX009", name="tva 20")
    assert rate_for((VAT,), TVA, twin) == "TAX009"
    assert rate_for((replace(VAT, name="autre"),), TVA, twin) == "tax_ambiguous"
    assert rate_for((VAT,), twin, replace(twin, type="TAX010")) == "tax_ambiguous"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "ARCHIVED"}, "tax_archived"),
        ({"type": "INPUT"}, "tax_wrong_side"),
        ({"type": "INPUT", "status": "ARCHIVED"}, "tax_wrong_side"),
        ({"applies_to_revenue": False}, "tax_wrong_side"),
    ],
)
def test_a_rate_that_cannot_be_used_is_named(changes, code):
    """Archived, or on the purchase side; a person's mapping to it is refused alike."""
    unusable = replace(TVA, **changes)
    assert rate_for((VAT,), unusable) == code
    mapped = rate_for((VAT,), unusable, taxes={"20%": unusable.type})
    assert mapped == ("tax_archived" if "status" in changes else code)


def test_a_persons_mapping_comes_first():
    """By the tax's id, else by its rates; to a rate that Xero does not have, it holds."""
    other = replace(TVA, type="TAX009", name="Autre")
    assert rate_for((VAT,), TVA, other, taxes={"t20": "TAX009", "20%": "TAX001"}) == "TAX009"
    assert rate_for((VAT,), TVA, other, taxes={"20%": "TAX009"}) == "TAX009"
    assert rate_for((GST, QST), TVA, TPS, taxes={"5%+9.975%": "TAX001", "gst": "TAX002"}) == "TAX001"
    assert rate_for((VAT,), TVA, taxes={"t20": "TAX404"}) == "tax_unmapped"


def test_taxes_of_a_line_are_named_in_ascending_order():
    """However CrocoClick lists them, and without trailing zeros."""
    assert tax_key((QST, GST)) == tax_key((GST, QST)) == "5%+9.975%"
    assert tax_key((Tax("t", "x", Decimal("20.00")),)) == "20%"


def test_a_line_without_tax_has_a_rate_too():
    """NONE where it can be used, else what the setting says."""
    assert rate_for((), NO_TAX) == "NONE"
    assert rate_for((), TVA) == "tax_unmapped"
    assert rate_for((), replace(NO_TAX, status="DELETED")) == "tax_unmapped"
    exempt = replace(NO_TAX, type="EXEMPTOUTPUT")
    assert rate_for((), NO_TAX, exempt, tax_none="EXEMPTOUTPUT") == "EXEMPTOUTPUT"
    assert rate_for((), NO_TAX, tax_none="EXEMPTOUTPUT") == "tax_unmapped"


def test_a_tax_problem_is_told_once_with_its_line():
    """Ten lines of one tax are one question."""
    lines = (LineItem("a", Decimal(1), Decimal(1)), *(LineItem("b", Decimal(1), Decimal(1), (GST,)) for _ in range(3)))
    problems = document(invoice(lines=lines, total=Decimal("4.15")), BOOKS, "x1", rules())
    assert [(problem.code, problem.facts["line"], problem.where) for problem in problems] == [
        ("tax_unmapped", 2, "line 2")
    ]


SIDES = [
    ("OUTPUT", False),
    ("OUTPUT2", False),
    ("INPUTTAXED", False),
    ("TAX001", False),
    ("NONE", False),
    ("INPUT", True),
    ("INPUT2", True),
    ("RRINPUT", True),
    ("CAPEXINPUT", True),
    ("GSTONIMPORTS", True),
    ("REVERSECHARGES", True),
    ("ECACQUISITIONS", True),
    ("ECZRACQUISITIONS", True),
]


@pytest.mark.parametrize(("kind", "purchase"), SIDES)
def test_purchase_rates_are_known_by_their_type(kind, purchase):
    """The flags do not tell them from sales rates in every edition."""
    assert is_purchase_side(replace(TVA, type=kind)) == purchase


def test_settings_have_one_name_in_every_process():
    """Sets and mappings have no order of their own: equal settings, equal name."""
    one = rules(statuses=frozenset({Status.SENT, Status.PAID}), taxes={"20%": "A", "10%": "B"})
    other = rules(statuses=frozenset({Status.PAID, Status.SENT}), taxes={"10%": "B", "20%": "A"})
    assert one.named == other.named != rules().named


@pytest.mark.parametrize("approval", ["DRAFT", "SUBMITTED"])
def test_what_somebody_approves_in_xero_goes_unapproved(approval):
    """No right to approve is needed, no lock date counts yet, and only approved invoices are marked as sent."""
    there = books(
        actions={APPROVE: False}, organisation=replace(BOOKS.organisation, period_lock_date=date(2026, 12, 31))
    )
    found = made(there=there, approval=approval)
    assert (found.status, found.sent_to_contact) == (approval, False)
    assert made(invoice(status=Status.DRAFT), there, approval=approval).status == "DRAFT"
    assert made(invoice(due_date=None), approval=approval) == ["due_date_missing"]


REGION = TrackingCategory(
    "cat-r", "Region", options=(TrackingOption("opt-n", "North"), TrackingOption("opt-s", "South", "ARCHIVED"))
)
TEAM = TrackingCategory("cat-t", "Team", "ARCHIVED", (TrackingOption("opt-r", "Red"),))
WRONG = [
    ({"Region": "South"}, "option_archived", "Region"),
    ({"Region": "West"}, "option_unknown", "Region"),
    ({"Team": "Red"}, "category_archived", "Team"),
    ({"Shop": "One"}, "category_unknown", "Shop"),
]


@pytest.mark.parametrize(("chosen", "why", "category"), WRONG)
def test_tracking_that_xero_lacks_holds_every_invoice(chosen, why, category):
    """The setting is named; one whose categories were never read is not judged."""
    (problem,) = document(INVOICE, books(tracking=(REGION, TEAM)), "x1", rules(tracking=chosen))
    assert (problem.code, problem.facts["why"], problem.facts["category"]) == ("tracking_invalid", why, category)
    assert problem.facts["setting"] == f"tracking.{category}"
    assert isinstance(document(INVOICE, BOOKS, "x1", rules(tracking=chosen)), Document)


def test_every_line_carries_two_categories_at_most():
    """The third in the order of their names is one too many, and all are told."""
    both = replace(TEAM, status="ACTIVE")
    old = replace(REGION, status="ARCHIVED")
    here = books(tracking=(old, REGION, both))
    made = document(INVOICE, here, "x1", rules(tracking={"Team": "Red", "Region": "North"}))
    assert made.tracking == (("Region", "North"), ("Team", "Red"))
    (problem,) = document(INVOICE, here, "x1", rules(tracking={"Zone": "1", "Team": "Red", "Region": "North"}))
    assert (problem.facts["category"], problem.facts["all"]) == ("Zone", ["Region", "Team", "Zone"])


def test_tracking_categories_are_kept_with_the_books():
    """Books that were never asked for any are written as they always were."""
    tracked = books(tracking=(REGION, TEAM))
    assert books_from(books_text(tracked)) == tracked
    assert "tracking" not in books_text(BOOKS)
    assert books_from(books_text(BOOKS)) == BOOKS
