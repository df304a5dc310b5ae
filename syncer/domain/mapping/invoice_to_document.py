"""A CrocoClick invoice to a Xero document, or every reason why it cannot be one."""

from datetime import date, timedelta
from decimal import Decimal

from syncer.domain.mapping.crococlick_totals import combined_rate
from syncer.domain.mapping.line_accounts import line_accounts
from syncer.domain.mapping.plain_text import without_odd_characters
from syncer.domain.mapping.tax_rates import tax_rate, untaxed
from syncer.domain.mapping.tracking import tracking_problems
from syncer.domain.mapping.xero_line import DESCRIPTION_LIMIT, described
from syncer.domain.mapping.xero_totals import Reckoned, reckon
from syncer.domain.model.books import (
    APPROVE,
    CAPPED_PLANS,
    MULTICURRENCY,
    OTHER_APPROVALS,
    Books,
    Document,
    TaxRate,
)
from syncer.domain.model.invoice import Invoice, Status, Tax
from syncer.domain.model.money import ZERO, text
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import AUTHORISED, DRAFT, Rules

TEXT_LIMIT = 255  # Xero's Invoices page: InvoiceNumber, Reference


def rounding_account(books: Books, rules: Rules) -> str:
    """The account for a rounding line: the one that is set, else the organisation's own, else none."""
    if rules.rounding_account:
        account = books.account_by_code.get(rules.rounding_account)
        return rules.rounding_account if account and account.status == "ACTIVE" else ""
    return next((a.code or a.id for a in books.accounts if a.system_account == "ROUNDING"), "")


def status_when_new(invoice: Invoice, rules: Rules) -> str:
    """The Xero status of an invoice that is not there yet."""
    return DRAFT if invoice.status is Status.DRAFT else rules.approval


def document(
    invoice: Invoice, books: Books, contact_id: str, rules: Rules, status: str = ""
) -> Document | tuple[Problem, ...]:
    """The Xero document of this invoice, to the cent, or all its problems; without a `status` that of a new one."""
    status = status or status_when_new(invoice, rules)
    approved = status == AUTHORISED and invoice.status is not Status.DRAFT
    problems = [*_identity_problems(invoice, rules), *_date_problems(invoice, books, rules, approved)]
    problems += _currency_problems(invoice, books, rules, approved)
    accounts, account_problems = line_accounts(invoice, books, rules)
    problems += account_problems
    problems += tracking_problems(books, rules)
    rates, tax_problems = _line_rates(invoice, books, rules)
    problems += tax_problems
    if problems:
        return tuple(problems)
    percents = {rate.type: percent(rate) for rate in {id(rate): rate for rate in rates}.values()}
    reckoned = reckon(
        invoice,
        [rate.type for rate in rates],
        [percents[rate.type] for rate in rates],
        [account.code or account.id for account in accounts],
        _rounding(books, rules),
    )
    if isinstance(reckoned, Problem):
        return (reckoned,)
    return _assemble(invoice, contact_id, reckoned, rules, status, approved)


def percent(rate: TaxRate) -> Decimal:
    """The rate that Xero reckons with, from its components, since EffectiveRate is cut to four decimals."""
    if not rate.components:
        return rate.effective_rate
    return combined_rate([Tax("", part.name, part.rate, part.compound) for part in rate.components]) * 100


def _rounding(books: Books, rules: Rules) -> tuple[str, str] | None:
    account, rate = rounding_account(books, rules), untaxed(books, rules)
    return (account, rate.type) if account and isinstance(rate, TaxRate) else None


def _identity_problems(invoice: Invoice, rules: Rules) -> list[Problem]:
    problems = []
    number = invoice.number
    if not number or len(number) > TEXT_LIMIT or not (number.isascii() and number.isprintable()):
        problems.append(Problem("number_invalid", {"number": number}, "number"))
    if len(_reference(invoice, rules)) > TEXT_LIMIT:
        problems.append(Problem("line_invalid", {"what": "reference_too_long"}, "reference"))
    if not invoice.lines:
        problems.append(Problem("line_invalid", {"what": "no_lines"}, "lines"))
    for place, line in enumerate(invoice.lines, 1):
        description = described(line)
        if not description.strip():
            problems.append(Problem("line_invalid", {"what": "no_description", "line": place}, f"line {place}"))
        if len(description) > DESCRIPTION_LIMIT:
            problems.append(Problem("line_invalid", {"what": "description_too_long", "line": place}, f"line {place}"))
    if invoice.total < 0:
        facts = {"total": text(invoice.total), "currency": invoice.currency}
        problems.append(Problem("negative_total", facts, "total"))
    return problems


def _date_problems(invoice: Invoice, books: Books, rules: Rules, approved: bool) -> list[Problem]:
    problems = []
    if invoice.issue_date is None:
        problems.append(Problem("issue_date_missing", {}, "issue date"))
    if due_date(invoice, rules) is None and invoice.status is not Status.DRAFT:
        problems.append(Problem("due_date_missing", {}, "due date"))
    lock = books.lock_date()
    if lock and invoice.issue_date and invoice.issue_date <= lock and approved:
        facts = {"issue_date": invoice.issue_date.isoformat(), "lock_date": lock.isoformat()}
        problems.append(Problem("period_locked", facts, "issue date"))
    return problems


def due_date(invoice: Invoice, rules: Rules) -> date | None:
    """Its due date, else the issue date and the days that the settings give."""
    if invoice.due_date or rules.due_days is None or invoice.issue_date is None:
        return invoice.due_date
    return invoice.issue_date + timedelta(days=rules.due_days)


def lacks_currency(currency: str, books: Books) -> bool:
    """Whether Xero has to be given this currency before a document in it can go."""
    return currency not in books.currencies and currency != books.organisation.base_currency


def _currency_problems(invoice: Invoice, books: Books, rules: Rules, approved: bool) -> list[Problem]:
    problems = []
    facts = {"currency": invoice.currency, "organisation": books.organisation.name}
    if lacks_currency(invoice.currency, books):
        allowed, said = books.actions.get(MULTICURRENCY, True), books.refused.get(f"currency.{invoice.currency}")
        if not allowed:
            problems.append(Problem("currency_not_in_plan", facts, "currency"))
        elif said or not rules.create_currencies:
            known = {**facts, "would_not": list(said)} if said else facts
            problems.append(Problem("currency_not_enabled", known, "currency"))
    if not books.actions.get(APPROVE, True) and approved:
        problems.append(_may_not_approve(books))
    return problems


def _may_not_approve(books: Books) -> Problem:
    """Whether it is the user's role or the plan's monthly number of invoices that is in the way.

    Xero's answer is one for both. A role that may enter payments and approve bills may approve invoices too.
    """
    organisation = books.organisation
    has_role = all(books.actions.get(action) for action in OTHER_APPROVALS)
    if has_role and organisation.plan in CAPPED_PLANS:
        return Problem("plan_invoice_cap", {"plan": organisation.plan, "organisation": organisation.name})
    return Problem("role_missing", {"action": APPROVE, "organisation": organisation.name})


def _line_rates(invoice: Invoice, books: Books, rules: Rules) -> tuple[list[TaxRate], list[Problem]]:
    """Each line's rate; lines with the same taxes are looked up once, and tell of their problem once."""
    known: dict[tuple[Tax, ...], TaxRate | Problem] = {}
    rates, problems = [], []
    for place, line in enumerate(invoice.lines, 1):
        found = known.get(line.taxes)
        if found is None:
            found = known[line.taxes] = tax_rate(line.taxes, books, rules)
            if isinstance(found, Problem):
                problems.append(Problem(found.code, {**found.facts, "line": place}, f"line {place}"))
        if isinstance(found, TaxRate):
            rates.append(found)
    return rates, problems


def _reference(invoice: Invoice, rules: Rules) -> str:
    written = rules.reference.replace("{name}", invoice.name).replace("{number}", invoice.number)
    return " ".join(without_odd_characters(written).split("\n")).strip()


def _assemble(
    invoice: Invoice, contact_id: str, reckoned: Reckoned, rules: Rules, status: str, approved: bool
) -> Document:
    assert invoice.issue_date is not None  # noqa: S101 — its absence is a problem found before
    return Document(
        source_id=invoice.source_id,
        number=invoice.number,
        contact_id=contact_id,
        issue_date=invoice.issue_date,
        due_date=due_date(invoice, rules),
        currency=invoice.currency,
        reference=_reference(invoice, rules),
        url=rules.invoice_url(invoice.source_id),
        status=status,
        sent_to_contact=rules.mark_sent and approved,  # Xero takes it of approved invoices alone ("invoices")
        inclusive=reckoned.inclusive,
        lines=reckoned.lines,
        total=reckoned.total + ZERO,
        total_tax=reckoned.tax,
        corrections=reckoned.corrections,
        tracking=tuple(sorted(rules.tracking.items())),
    )
