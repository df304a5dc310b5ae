"""Opening a new set of books, as Xero does when somebody registers an organisation."""

from datetime import UTC, datetime
from typing import Any

from sandbox.clock import Clock
from sandbox.state import Store
from sandbox.xero import editions
from sandbox.xero.books import Books
from sandbox.xero.editions import seeded_id

COUNTRIES = {
    "GLOBAL": ("FR", "EUR", "ROMANCESTANDARDTIME"),
    "UK": ("GB", "GBP", "GMTSTANDARDTIME"),
    "NZ": ("NZ", "NZD", "NEWZEALANDSTANDARDTIME"),
    "AU": ("AU", "AUD", "AUSEASTERNSTANDARDTIME"),
    "US": ("US", "USD", "EASTERNSTANDARDTIME"),
}


def open_books(
    name: str,
    store: Store,
    clock: Clock,
    edition: str = "GLOBAL",
    plan: str = "PREMIUM",
    base: str | None = None,
    currencies: tuple[str, ...] = (),
) -> Books:
    """An organisation with the tax rates, accounts and currencies of its edition and nothing else."""
    country, currency, zone = COUNTRIES[edition]
    org = _organisation(name, edition, plan, base or currency, country, zone)
    books = Books(org["OrganisationID"], org, store, clock)
    books.switches.multicurrency = editions.multicurrency(plan)
    books.switches.invoice_cap = editions.CAPPED_PLANS.get(plan)
    for row in editions.RATES[edition]:
        books.tax_rates[row[0]] = editions.tax_rate(*row)
    for code in (books.base, *currencies):
        books.currencies[code] = editions.CURRENCY_NAMES.get(code, code)
    _add_accounts(books, edition)
    books.keep_org()
    return books


def _organisation(name: str, edition: str, plan: str, base: str, country: str, zone: str) -> dict[str, Any]:
    tenant = seeded_id("organisation", name)
    created = int(datetime(2021, 3, 15, 9, 30, tzinfo=UTC).timestamp() * 1000)
    return {
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": edition,
        "OrganisationType": "COMPANY",
        "BaseCurrency": base,
        "CountryCode": country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "MONTHLY" if edition == "GLOBAL" else "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": f"/Date({created})/",
        "OrganisationEntityType": "COMPANY",
        "Timezone": zone,
        "ShortCode": "!" + tenant.replace("-", "")[:5],
        "OrganisationID": tenant,
        "Edition": "PARTNER" if plan in ("LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK") else "BUSINESS",
        "Class": plan,
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }


def _add_accounts(books: Books, edition: str) -> None:
    french = books.org["CountryCode"] == "FR"
    for code, name, kind, class_, tax, system, payable in (
        editions.FRENCH_ACCOUNTS if french else editions.ENGLISH_ACCOUNTS
    ):
        default = editions.SALES_TAX[edition] if class_ == "REVENUE" else editions.PURCHASE_TAX[edition]
        account = ledger_account(books, code, name, kind, class_, tax or default)
        account["EnablePaymentsToAccount"] = payable
        if system:
            account["SystemAccount"] = system
        books.add_account(account)
    books.add_account(bank_account(books, "512" if french else "090", "Compte courant" if french else "Bank", ""))
    for code in books.currencies:
        if code != books.base:
            books.add_account(bank_account(books, "", f"Compte {code}" if french else f"Bank {code}", code))
    if french:
        books.accounts[books.codes["709"]]["Status"] = "ARCHIVED"


def ledger_account(books: Books, code: str, name: str, kind: str, class_: str, tax: str) -> dict[str, Any]:
    """An account of the chart in the API's form."""
    return {
        "AccountID": seeded_id(books.tenant, "account", code or name),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": tax,
        "Class": class_,
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        "ReportingCode": "",
        "HasAttachments": False,
        "UpdatedDateUTC": "/Date(1615800600000+0000)/",
        "AddToWatchlist": False,
    }


def bank_account(books: Books, code: str, name: str, currency: str) -> dict[str, Any]:
    """A bank account; like Xero's, it may have no code."""
    account = ledger_account(books, code, name, "BANK", "ASSET", "NONE")
    if not code:
        del account["Code"]
    account |= {
        "BankAccountNumber": "FR7600000000000000000000000" if books.org["CountryCode"] == "FR" else "0000000000000",
        "BankAccountType": "BANK",
        "CurrencyCode": currency or books.base,
    }
    return account
