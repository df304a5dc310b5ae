"""Which account each line of an invoice is booked on: its product's, else its tax's, else the one for all lines."""

from collections.abc import Mapping
from dataclasses import replace

from syncer.domain.mapping.tax_rates import setting_names
from syncer.domain.model.books import Account, Books
from syncer.domain.model.invoice import Invoice, LineItem
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import REVENUE_ACCOUNT, Rules

_SYSTEM_ACCOUNTS = frozenset({"DEBTORS", "CREDITORS", "BANKCURRENCYGAIN"})


def account_settings(rules: Rules) -> dict[str, str]:
    """Every setting that names an account for lines, and the code or AccountID that it gives; the default first."""
    products = {f"{REVENUE_ACCOUNT}.product.{key}": code for key, code in rules.product_accounts.items()}
    taxes = {f"{REVENUE_ACCOUNT}.tax.{key}": code for key, code in rules.tax_accounts.items()}
    return {REVENUE_ACCOUNT: rules.revenue_account, **products, **taxes}


def account_setting(line: LineItem, rules: Rules) -> str:
    """The setting that gives the account of this line."""
    if line.product_id and line.product_id in rules.product_accounts:
        return f"{REVENUE_ACCOUNT}.product.{line.product_id}"
    named = (name for name in setting_names(line.taxes) if name in rules.tax_accounts)
    return next((f"{REVENUE_ACCOUNT}.tax.{name}" for name in named), REVENUE_ACCOUNT)


def account_of(setting: str, books: Books, rules: Rules) -> Account | Problem:
    """The account that a setting gives (Xero's Accounts page: active, no bank, no debtors or creditors)."""
    code = account_settings(rules)[setting]
    if not code:
        return Problem("account_missing", {"setting": setting})
    account = books.account_by_code.get(code)
    facts = {"setting": setting, "code": code, "name": account.name if account else ""}
    if account is None:
        return Problem("account_invalid", {**facts, "why": "unknown"})
    if account.status != "ACTIVE":
        return Problem("account_invalid", {**facts, "why": "archived"})
    if account.type == "BANK" or account.system_account in _SYSTEM_ACCOUNTS:
        return Problem("account_invalid", {**facts, "why": "not_for_sales"})
    return account


def line_accounts(invoice: Invoice, books: Books, rules: Rules) -> tuple[list[Account], list[Problem]]:
    """Each line's account; what is wrong with a setting is told once, with the first line that needs it."""
    known: dict[str, Account | Problem] = {}
    accounts, problems = [], []
    for place, line in enumerate(invoice.lines, 1):
        setting = account_setting(line, rules)
        found = known.get(setting)
        if found is None:
            found = known[setting] = account_of(setting, books, rules)
            if isinstance(found, Problem):
                facts = {**found.facts, **meant_by(setting, line)}
                problems.append(Problem(found.code, facts, f"line {place}"))
        if isinstance(found, Account):
            accounts.append(found)
    return accounts, problems


def meant_by(setting: str, line: LineItem | None = None) -> dict[str, str]:
    """What the setting of one product or tax is for, as a `line` names it, else by its id or rate."""
    if setting == REVENUE_ACCOUNT:
        return {}
    kind, _, name = setting.removeprefix(f"{REVENUE_ACCOUNT}.").partition(".")
    if line is None:
        return {kind: name}
    known = line.name if kind == "product" else ", ".join(tax.name for tax in line.taxes)
    return {kind: known.strip() or name}


def setting_behind(invoice: Invoice, rules: Rules, code: str) -> str:
    """The setting by which a line of the invoice has this account; empty where none has it."""
    settings = account_settings(rules)
    of_lines = (account_setting(line, rules) for line in invoice.lines)
    return next((setting for setting in of_lines if settings[setting] == code), "")


def with_usable_accounts(books: Books, rules: Rules, instead: Account | None) -> Rules:
    """The same settings, with this account wherever the one that is set cannot take lines."""
    broken = {setting for setting in account_settings(rules) if isinstance(account_of(setting, books, rules), Problem)}
    if not instead or not broken:
        return rules
    code = instead.code or instead.id

    def mended(accounts: Mapping[str, str], kind: str) -> dict[str, str]:
        return {key: code if f"{REVENUE_ACCOUNT}.{kind}.{key}" in broken else was for key, was in accounts.items()}

    return replace(
        rules,
        revenue_account=code if REVENUE_ACCOUNT in broken else rules.revenue_account,
        product_accounts=mended(rules.product_accounts, "product"),
        tax_accounts=mended(rules.tax_accounts, "tax"),
    )
