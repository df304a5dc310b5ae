"""Readiness: what has to be right before the first invoice goes, with the invoices and money that hang on it.

What can be right or wrong once (an account, a tax, a currency) is checked as such, wherever invoices need it; what is
wrong with single invoices is the plan's own problems, grouped. So a report never promises what a run does not do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from syncer.domain.mapping.invoice_to_document import lacks_currency
from syncer.domain.mapping.line_accounts import account_of, account_setting, account_settings, meant_by
from syncer.domain.mapping.tax_rates import mapping_of, tax_key, tax_rate
from syncer.domain.mapping.tracking import tracking_problems
from syncer.domain.model.books import APPROVE, MULTICURRENCY, Account, Books, TaxRate
from syncer.domain.model.invoice import Flaw, Invoice, Status, Tax
from syncer.domain.model.payment import account_for
from syncer.domain.model.problems import Problem, heals_by_itself
from syncer.domain.model.sync_settings import AUTHORISED, REVENUE_ACCOUNT, TRACKING, Rules
from syncer.domain.planning.actions import Action, Do

PAYMENT = "CreateInvoicePayment"  # Xero's Organisation page, "actions"
# Plans that approve so many sales invoices a month (Xero's pricing pages, Starter and Early); of the others that are
# called differently in other countries the number is not known.
MONTHLY = 20
CAPPED = frozenset({"STARTER"})
PERHAPS_CAPPED = frozenset({"IGNITE", "LITE", "BASICLITE"})
OLD = timedelta(days=365)  # invoices of more than a year ago are seldom meant
SHOWN = 20


class Level(StrEnum):
    """How a check came out."""

    PASS = "pass"  # noqa: S105 — no password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One line of the report: what was checked, of what (`subject`), how it came out and what hangs on it."""

    code: str
    level: Level
    facts: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    invoices: int = 0
    money: Mapping[str, Decimal] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()  # of those invoices


@dataclass(frozen=True)
class Situation:
    """All that a report depends on besides the plan. None stands for what could not be found out."""

    books: Books
    rules: Rules
    organisation: Mapping[str, str]
    scopes: Sequence[str] = ()
    scopes_needed: Sequence[str] = ()
    location: str = ""
    timezone: str = ""
    may: Mapping[str, bool | None] = field(default_factory=dict)  # what CrocoClick's token may read, by our word for it
    unreadable: Sequence[tuple[str, str]] = ()  # invoices that cannot be understood: number, and what is wrong
    xero_calls: int = 0
    per_minute: int = 60
    day_left: int | None = None
    approved_this_month: int = 0
    duplicate_groups: int = 0
    imported: Mapping[str, int] | None = None  # what the last import came to, by outcome
    today: date = date.min


# Which check a problem of an invoice belongs to.
_CHECK_OF: Mapping[str, str] = {
    **dict.fromkeys(
        "contact_missing contact_invalid contact_archived contact_ambiguous contact_name_taken".split(), "contact"
    ),
    **dict.fromkeys(["number_taken", "number_invalid"], "number"),
    **dict.fromkeys(["total_mismatch", "negative_total", "line_invalid"], "totals"),
    **dict.fromkeys(["due_date_missing", "issue_date_missing"], "dates"),
    "period_locked": "lock_date",
    **dict.fromkeys(
        "payment_exceeds_due payment_mismatch payment_changed refund_needs_person edited_after_payment "
        "void_with_payments awaiting_approval changed_in_xero removed_in_xero deleted_in_crococlick".split(),
        "in_xero",
    ),
    **dict.fromkeys(["rejected_by_xero", "tax_not_for_account"], "refused"),
}
_AS_CHOSEN = frozenset({"awaiting_approval"})  # what a person waits for by the settings' own choice
_NO_ACCOUNT = frozenset({"payment_account_missing", "payment_account_invalid"})


@dataclass
class Bundle:
    """Invoices, each once, and their money by currency."""

    ids: dict[str, str] = field(default_factory=dict)
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, invoice: Invoice) -> None:
        """Count an invoice once."""
        if invoice.source_id not in self.ids:
            self.ids[invoice.source_id] = invoice.number
            self.money[invoice.currency] += invoice.total

    def check(self, code: str, level: Level, facts: Mapping[str, Any], subject: str = "") -> Check:
        """The check that speaks of these invoices and names the first of them, unless it passes."""
        numbers = {"numbers": list(self.ids.values())[:SHOWN]} if level is not Level.PASS and self.ids else {}
        return Check(code, level, {**facts, **numbers}, subject, len(self.ids), dict(self.money), frozenset(self.ids))


def bundle(invoices: Iterable[Invoice]) -> Bundle:
    """Some invoices with their money."""
    found = Bundle()
    for invoice in invoices:
        found.add(invoice)
    return found


def check_all(actions: Sequence[Action], situation: Situation) -> list[Check]:
    """Every check, in the order of the report, of a plan over everything that is not settled."""
    standing = [action for action in actions if action.do is not Do.LEAVE]
    # Of one that cannot be read nothing else is known: neither its currency nor its taxes.
    going = [action for action in standing if not action.invoice.flaw]
    invoices = [action.invoice for action in going]
    checks = [
        *_connection(invoices, situation),
        *_accounts(going, situation),
        *_taxes(invoices, situation),
        *_currencies(invoices, situation),
        *_documents(going, situation),
        *_unreadable(standing, situation),
        *_customers(going, situation),
        *_budget(going, situation),
    ]
    rest = _by_cause("refused", [(action, action.problems[:1]) for action in _not_named(checks, going)])
    return [one for one in checks if not (rest and one.code == "refused" and one.level is Level.PASS)] + rest


def _not_named(checks: Iterable[Check], going: Sequence[Action]) -> list[Action]:
    """What waits for a person although nothing of the above fails: what Xero refused before may be anything."""
    named = _failing(checks)
    held = [
        action
        for action in going
        if action.do is Do.HOLD and action.cause not in _AS_CHOSEN and not heals_by_itself(action.cause)
    ]
    return [action for action in held if action.invoice.source_id not in named]


def is_ready(checks: Iterable[Check]) -> bool:
    """Whether nothing fails."""
    return all(check.level is not Level.FAIL for check in checks)


def stopped(checks: Iterable[Check], actions: Iterable[Action]) -> Bundle:
    """The invoices that something which fails stops, each once."""
    failing = _failing(checks)
    return bundle(action.invoice for action in actions if action.invoice.source_id in failing)


def _failing(checks: Iterable[Check]) -> frozenset[str]:
    return frozenset(key for check in checks if check.level is Level.FAIL for key in check.ids)


# -- the connection ---------------------------------------------------------------------------------------------------


def _connection(invoices: Sequence[Invoice], now: Situation) -> list[Check]:
    everything = bundle(invoices)
    missing = [scope for scope in now.scopes_needed if scope not in now.scopes]
    blind = [name for name, granted in now.may.items() if granted is False]
    return [
        Check("xero_connection", Level.PASS, now.organisation),
        everything.check("xero_scopes", Level.FAIL, {"missing": missing})
        if missing
        else Check("xero_scopes", Level.PASS),
        _role(invoices, now),
        _organisation(everything, now),
        Check("crococlick_connection", Level.PASS, {"location": now.location}),
        everything.check("crococlick_scopes", Level.FAIL, {"missing": blind})
        if blind
        else Check("crococlick_scopes", Level.PASS, {"tried": list(now.may)}),
        _timezone(everything, now),
    ]


def _role(invoices: Sequence[Invoice], now: Situation) -> Check:
    """What the person who gave consent may do there (Xero's Organisation page, "actions")."""
    actions = now.books.actions
    if not actions:
        return Check("xero_role", Level.UNKNOWN)
    if not actions.get(APPROVE, True) and now.rules.approval == AUTHORISED:
        approved = bundle(one for one in invoices if one.status is not Status.DRAFT)
        return approved.check("xero_role", Level.FAIL, {"action": APPROVE})
    if not actions.get(PAYMENT, True):
        paid = bundle(one for one in invoices if one.amount_paid)
        return paid.check("xero_role", Level.FAIL, {"action": PAYMENT})
    return Check("xero_role", Level.PASS)


def _organisation(everything: Bundle, now: Situation) -> Check:
    """Which books these are, to be read by a person; another currency than most invoices have is worth a look."""
    base = now.books.organisation.base_currency
    most = max(everything.money, key=lambda currency: everything.money[currency], default=base)
    level = Level.PASS if most == base else Level.WARN
    return Check("organisation", level, {**now.organisation, "most": most})


def _timezone(everything: Bundle, now: Situation) -> Check:
    if not now.timezone:
        return everything.check("time_zone", Level.FAIL, {})
    return Check("time_zone", Level.PASS, {"timezone": now.timezone})


# -- accounts ---------------------------------------------------------------------------------------------------------


def _accounts(going: Sequence[Action], now: Situation) -> list[Check]:
    return [*_line_accounts(going, now), *_tracking(going, now), *_payment_accounts(going, now), *_rounding(now)]


def _line_accounts(going: Sequence[Action], now: Situation) -> list[Check]:
    """One for each setting that names an account for lines; one that is wrong fails as soon as an invoice needs it.

    Without any other such setting the default fails at once.
    """
    needing: dict[str, Bundle] = defaultdict(Bundle)
    meant: dict[str, Mapping[str, str]] = {}
    for invoice in (action.invoice for action in going):
        for line in invoice.lines:
            setting = account_setting(line, now.rules)
            needing[setting].add(invoice)
            meant.setdefault(setting, meant_by(setting, line))
    settings = account_settings(now.rules)
    checks = []
    for setting in settings:
        found = account_of(setting, now.books, now.rules)
        facts = meant.get(setting) or meant_by(setting)
        subject = "" if setting == REVENUE_ACCOUNT else setting
        if isinstance(found, Problem):
            level = Level.FAIL if needing[setting].ids or len(settings) == 1 else Level.WARN
            checks.append(needing[setting].check("revenue_account", level, {**facts, **_of(found)}, subject))
        else:
            told = {**facts, "account": found.code or found.id, "name": found.name}
            checks.append(Check("revenue_account", Level.PASS, told, subject))
    return checks


def _tracking(going: Sequence[Action], now: Situation) -> list[Check]:
    """One for each tracking category that the settings name: every invoice needs it."""
    everything = bundle(action.invoice for action in going)
    wrong = {problem.facts["category"]: problem for problem in tracking_problems(now.books, now.rules)}
    checks = []
    for category, option in sorted(now.rules.tracking.items()):
        subject, facts = f"{TRACKING}{category}", {"category": category, "option": option}
        if problem := wrong.get(category):
            checks.append(everything.check("tracking", Level.FAIL, _of(problem), subject))
        else:
            level = Level.UNKNOWN if now.books.tracking is None else Level.PASS
            checks.append(Check("tracking", level, facts, subject))
    return checks


def _payment_accounts(going: Sequence[Action], now: Situation) -> list[Check]:
    """One for each currency of the invoices: it fails where money was taken already, else it is a warning.

    Money may be known of from transactions alone, or of an order to enter it anew: then the plan has the problem.
    """
    by_currency: dict[str, Bundle] = defaultdict(Bundle)
    paid: dict[str, Bundle] = defaultdict(Bundle)
    for action in going:
        by_currency[action.invoice.currency].add(action.invoice)
        was_paid = action.invoice.amount_paid and action.invoice.status in now.rules.statuses
        if was_paid or any(problem.code in _NO_ACCOUNT for problem in action.problems):
            paid[action.invoice.currency].add(action.invoice)
    return [_payment_account(currency, paid[currency], now) for currency in sorted(by_currency)]


def _payment_account(currency: str, paid: Bundle, now: Situation) -> Check:
    found = account_for(currency, now.books, now.rules)
    if isinstance(found, Account):
        facts = {"currency": currency, "account": found.code or found.id, "name": found.name}
        return paid.check("payment_account", Level.PASS, facts, currency)
    return paid.check("payment_account", Level.FAIL if paid.ids else Level.WARN, _of(found), currency)


def _rounding(now: Situation) -> list[Check]:
    """Only where somebody chose one: without it the organisation's own is used."""
    code = now.rules.rounding_account
    if not code:
        return []
    account = now.books.account_by_code.get(code)
    good = account is not None and account.status == "ACTIVE"
    facts = {"account": code, "name": account.name if account else ""}
    return [Check("rounding_account", Level.PASS if good else Level.WARN, facts)]


# -- taxes and currencies ---------------------------------------------------------------------------------------------


def _taxes_seen(invoices: Iterable[Invoice]) -> dict[tuple[Tax, ...], list[Invoice]]:
    """Every tax, or several of one line, and the invoices that carry it; an empty one stands for lines without."""
    found: dict[tuple[Tax, ...], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        for taxes in {line.taxes for line in invoice.lines}:
            found[taxes].append(invoice)
    return found


def _taxes(invoices: Sequence[Invoice], now: Situation) -> list[Check]:
    """One for each tax by its name and rate, whatever ids it has had in CrocoClick."""
    found: dict[str, tuple[TaxRate | Problem, Bundle, Mapping[str, str], str]] = {}
    for taxes, those in _taxes_seen(invoices).items():
        rate = tax_rate(taxes, now.books, now.rules)
        named = {"tax": ", ".join(tax.name for tax in taxes), "rate": tax_key(taxes) or "none"}
        how = "mapped" if mapping_of(taxes, now.rules) else "equal"
        subject = f"{named['tax']} {named['rate']} {rate.code if isinstance(rate, Problem) else rate.type}".strip()
        known = found.setdefault(subject, (rate, Bundle(), named, how))
        for invoice in those:
            known[1].add(invoice)
    return [_tax(subject, *found[subject]) for subject in sorted(found, key=lambda one: found[one][2]["rate"])]


def _tax(subject: str, rate: TaxRate | Problem, those: Bundle, named: Mapping[str, str], how: str) -> Check:
    if isinstance(rate, Problem):
        return those.check("tax", Level.FAIL, {**named, **_of(rate)}, subject)
    how = "created" if rate.is_new else how
    facts = {**named, "how": how, "tax_type": "" if rate.is_new else rate.type, "name": rate.name}
    return those.check("tax", Level.PASS, facts, subject)


def _currencies(invoices: Sequence[Invoice], now: Situation) -> list[Check]:
    by_currency: dict[str, Bundle] = defaultdict(Bundle)
    for invoice in invoices:
        by_currency[invoice.currency].add(invoice)
    return [_currency(currency, by_currency[currency], now) for currency in sorted(by_currency)]


def _currency(currency: str, those: Bundle, now: Situation) -> Check:
    organisation = now.books.organisation
    facts = {"currency": currency, "organisation": organisation.name}
    if not lacks_currency(currency, now.books):
        how = "base" if currency == organisation.base_currency else "enabled"
        return those.check("currency", Level.PASS, {**facts, "how": how}, currency)
    if not now.books.actions.get(MULTICURRENCY, True):
        return those.check("currency", Level.FAIL, {**facts, "cause": "currency_not_in_plan"}, currency)
    said = now.books.refused.get(f"currency.{currency}")
    if now.rules.create_currencies and not said:
        return those.check("currency", Level.PASS, {**facts, "how": "created"}, currency)
    refused = {"would_not": list(said)} if said else {}
    return those.check("currency", Level.FAIL, {**facts, **refused, "cause": "currency_not_enabled"}, currency)


# -- documents and customers ------------------------------------------------------------------------------------------


def _documents(going: Sequence[Action], now: Situation) -> list[Check]:
    checks = [_start_date(going, now)]
    for code in ("lock_date", "dates", "number", "totals", "in_xero", "refused"):
        failed = _grouped(going, code)
        checks += failed or [_passed(code, going, now)]
    return checks


def _unreadable(standing: Sequence[Action], now: Situation) -> list[Check]:
    """The invoices that CrocoClick shows in no known form; only where there are any."""
    flawed = [action.invoice for action in standing if action.invoice.flaw]
    records = [{"number": number, "what": what} for number, what in now.unreadable]
    records += [{"number": one.number or one.source_id, "what": _what(one.flaw)} for one in flawed if one.flaw]
    if not records:
        return []
    check = bundle(flawed).check("unreadable", Level.FAIL, {"records": records[:SHOWN]})
    return [replace(check, invoices=len(records))]


def _what(flaw: Flaw) -> str:
    found = f" “{flaw.found}”" if flaw.found else ""
    return f"{flaw.field}{found} {flaw.reason}"


def _passed(code: str, going: Sequence[Action], now: Situation) -> Check:
    lock = now.books.lock_date()
    facts = {"lock_date": lock.isoformat()} if code == "lock_date" and lock else {}
    return Check(code, Level.PASS, {**facts, "invoices": len(going)})


def _grouped(going: Sequence[Action], code: str) -> list[Check]:
    """The plan's problems that belong to one check."""
    return _by_cause(code, [(one, [p for p in one.problems if _CHECK_OF.get(p.code) == code]) for one in going])


def _by_cause(code: str, those: Iterable[tuple[Action, Iterable[Problem]]]) -> list[Check]:
    """One check for each cause of these problems; the facts are those of the first."""
    found: dict[str, tuple[Problem, Bundle]] = {}
    for action, problems in those:
        for problem in problems:
            found.setdefault(problem.code, (problem, Bundle()))[1].add(action.invoice)
    return [
        those.check(code, Level.WARN if cause in _AS_CHOSEN else Level.FAIL, _of(problem), cause)
        for cause, (problem, those) in sorted(found.items())
    ]


def _start_date(going: Sequence[Action], now: Situation) -> Check:
    """Without a start date everything goes over, and what is older than a year is seldom meant."""
    start = now.rules.start_date
    if start:
        return Check("start_date", Level.PASS, {"start_date": start.isoformat()})
    new = [(one.invoice.issue_date, one.invoice) for one in going if not one.xero_id and one.invoice.issue_date]
    old = bundle(invoice for issued, invoice in new if now.today - issued > OLD)
    if not old.ids:
        return Check("start_date", Level.PASS)
    first = min(issued for issued, _ in new)
    return old.check("start_date", Level.WARN, {"first": first.isoformat()})


def _customers(going: Sequence[Action], now: Situation) -> list[Check]:
    customers = len({action.invoice.customer.id for action in going})
    contacts = _grouped(going, "contact") or [Check("contact", Level.PASS, {"customers": customers})]
    level = Level.WARN if now.duplicate_groups else Level.PASS
    return [*contacts, Check("duplicates", level, {"groups": now.duplicate_groups}), _import(now)]


def _import(now: Situation) -> Check:
    if now.imported is None:
        return Check("contact_import", Level.WARN, {})
    level = Level.WARN if now.imported.get("conflict") else Level.PASS
    return Check("contact_import", level, dict(now.imported))


# -- calls and limits -------------------------------------------------------------------------------------------------


def _budget(going: Sequence[Action], now: Situation) -> list[Check]:
    return [_plan_cap(going, now), _calls(now)]


def _plan_cap(going: Sequence[Action], now: Situation) -> Check:
    """The smallest plans approve a few sales invoices a month; which ones count is Xero's to say."""
    plan = now.books.organisation.plan
    facts = {"plan": plan, "most": MONTHLY, "approved": now.approved_this_month}
    if plan not in CAPPED | PERHAPS_CAPPED or now.rules.approval != AUTHORISED:
        return Check("plan_cap", Level.PASS, {"plan": plan})
    approved = [
        action.invoice for action in going if action.do is Do.CREATE and action.invoice.status is not Status.DRAFT
    ]
    beyond = bundle(approved[max(0, MONTHLY - now.approved_this_month) :])
    if not beyond.ids:
        return Check("plan_cap", Level.PASS, facts)
    return beyond.check("plan_cap", Level.FAIL if plan in CAPPED else Level.UNKNOWN, facts)


def _calls(now: Situation) -> Check:
    """What the first run takes of the minute's and the day's calls."""
    minutes = -(-now.xero_calls // now.per_minute) if now.xero_calls else 0
    facts = {"calls": now.xero_calls, "minutes": minutes, "day_left": now.day_left}
    if now.day_left is None:
        return Check("budget", Level.UNKNOWN, facts)
    return Check("budget", Level.PASS if now.xero_calls <= now.day_left else Level.WARN, facts)


def _of(problem: Problem) -> dict[str, Any]:
    return {**problem.facts, "cause": problem.code}
