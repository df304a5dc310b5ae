"""The organisation, what it may do, its users, accounts, tax rates and currencies."""

from decimal import Decimal
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import editions
from sandbox.xero import messages as say
from sandbox.xero.books import Books, new_id
from sandbox.xero.errors import NotFound, error_list
from sandbox.xero.formats import ZERO_GUID, date_field, exact, stamp_field
from sandbox.xero.listing import envelope, lower_query, selected
from sandbox.xero.where import Field, Where
from sandbox.xero.writing import Outcome, Written

ACCOUNT_TEXTS = ("Code", "Name", "Type", "Status", "Class", "TaxType", "SystemAccount", "CurrencyCode")
ACCOUNT_CLASS = {
    "BANK": "ASSET", "CURRENT": "ASSET", "FIXED": "ASSET", "INVENTORY": "ASSET", "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET", "EQUITY": "EQUITY", "DEPRECIATN": "EXPENSE", "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE", "OVERHEADS": "EXPENSE", "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY", "PAYG": "LIABILITY", "OTHERINCOME": "REVENUE", "REVENUE": "REVENUE", "SALES": "REVENUE",
}  # fmt: skip
RATE_FLAGS = (
    "CanApplyToAssets",
    "CanApplyToEquity",
    "CanApplyToExpenses",
    "CanApplyToLiabilities",
    "CanApplyToRevenue",
)


def organisation(books: Books, provider: str) -> Reply:
    """GET /Organisation."""
    shown = dict(books.org)
    for name in ("PeriodLockDate", "EndOfYearLockDate"):
        if shown.get(name):
            shown[name] = date_field(shown[name])
        else:
            shown.pop(name, None)
    return envelope(provider, books.clock.ms(), "Organisations", [dumps(shown)], None)


def actions(books: Books, provider: str) -> Reply:
    """GET /Organisation/Actions: what plan and role allow."""
    shown = [dumps({"Name": n, "Status": "ALLOWED" if allowed(books, n) else "NOT-ALLOWED"}) for n in editions.ACTIONS]
    return envelope(provider, books.clock.ms(), "Actions", shown, None)


def allowed(books: Books, action: str) -> bool:
    """Whether the connecting user may do this on this plan."""
    switches = books.switches
    if action == "UseMulticurrency":
        return switches.multicurrency
    if action == "ApproveTransactionsBeforePeriodLockDate":
        return switches.adviser
    if switches.role in ("READONLY", "REMOVED"):
        return False
    if switches.role == "INVOICEONLY" and action in ("CreateInvoicePayment", "CreateApprovedBill"):
        return False
    return action != "CreateApprovedInvoice" or not books.cap_is_reached()


def users(books: Books, provider: str) -> Reply:
    """GET /Users."""
    shown = {
        "UserID": editions.seeded_id(books.tenant, "user"),
        "EmailAddress": "camille.moreau@example.com",
        "FirstName": "Camille",
        "LastName": "Moreau",
        "UpdatedDateUTC": stamp_field(1615800600000),
        "IsSubscriber": True,
        "OrganisationRole": "FINANCIALADVISER" if books.switches.adviser else books.switches.role,
    }
    return envelope(provider, books.clock.ms(), "Users", [dumps(shown)], None)


# -- accounts -----------------------------------------------------------------------------------------------------


class Row:
    """A settings element with what the shared list code asks for."""

    def __init__(self, element: dict[str, Any], id_: str):
        self.element, self.id = element, id_
        stamp = str(element.get("UpdatedDateUTC", "/Date(0+0000)/"))
        self.updated = int(stamp[6 : stamp.index("+", 7)])


def _read(name: str) -> Any:
    return lambda row: row.element.get(name)


ACCOUNT_FIELDS: dict[str, Field] = {
    **{name: ("text", _read(name)) for name in ACCOUNT_TEXTS},
    "AccountID": ("guid", lambda row: row.id),
    "EnablePaymentsToAccount": ("bool", _read("EnablePaymentsToAccount")),
    "UpdatedDateUTC": ("date", lambda row: row.updated),
}


def accounts(books: Books, call: Call, provider: str) -> Reply:
    """GET /Accounts."""
    rows = [Row(a, id_) for id_, a in books.accounts.items()]
    chosen = selected(rows, call, ACCOUNT_FIELDS, "Account", lambda row: row.updated)
    if "order" not in lower_query(call):
        chosen.sort(key=lambda row: row.element.get("Code") or "~")
    return envelope(provider, books.clock.ms(), "Accounts", [dumps(row.element) for row in chosen], None)


def account(books: Books, key: str, provider: str) -> Reply:
    """GET /Accounts/{AccountID}."""
    found = books.accounts.get(key.lower())
    if found is None:
        raise NotFound
    return envelope(provider, books.clock.ms(), "Accounts", [dumps(found)], None)


def write_account(books: Books, sent: dict[str, Any]) -> Written:
    """PUT /Accounts: one account."""
    errors = account_problems(books, sent)
    if errors:
        echo = {"AccountID": ZERO_GUID, **sent, "ValidationErrors": error_list(errors)}
        return Written(Outcome.ERROR, lambda _: dumps(echo), errors=errors)
    kind = sent["Type"]
    element = {
        "AccountID": new_id(),
        "Status": "ACTIVE",
        "Class": ACCOUNT_CLASS.get(kind, "EXPENSE"),
        "TaxType": "NONE",
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        **{k: v for k, v in sent.items() if v is not None},
        "HasAttachments": False,
        "UpdatedDateUTC": stamp_field(books.clock.ms()),
    }
    if kind == "BANK":
        element.setdefault("CurrencyCode", books.base)
    books.add_account(element)
    books.keep_org()
    return Written(Outcome.OK, lambda _: dumps(element), id=element["AccountID"])


def account_problems(books: Books, sent: dict[str, Any]) -> list[str]:
    """What is wrong with a new account."""
    if not books.may_change_settings():
        return [say.NO_PERMISSION]
    if not sent.get("Name") or not sent.get("Type") or (sent["Type"] != "BANK" and not sent.get("Code")):
        return [say.ACCOUNT_INCOMPLETE]
    taken = any(
        a["Name"].casefold() == str(sent["Name"]).casefold() or (sent.get("Code") and a.get("Code") == sent["Code"])
        for a in books.accounts.values()
    )
    if taken:
        return [say.UNIQUE_NAME]
    code = sent.get("CurrencyCode")
    return [say.ACCOUNT_CURRENCY.format(code)] if code and code not in books.currencies else []


# -- tax rates ----------------------------------------------------------------------------------------------------

RATE_FIELDS: dict[str, Field] = {
    **{name: ("text", _read(name)) for name in ("Name", "TaxType", "Status", "ReportTaxType")},
    **{name: ("bool", _read(name)) for name in RATE_FLAGS},
    **{name: ("number", _read(name)) for name in ("EffectiveRate", "DisplayTaxRate")},
}


def tax_rates(books: Books, call: Call, provider: str) -> Reply:
    """GET /TaxRates; no paging and no If-Modified-Since."""
    rows = [Row(r, t) for t, r in books.tax_rates.items()]
    if clause := lower_query(call).get("where", "").strip():
        rows = [row for row in rows if Where(clause, RATE_FIELDS, "TaxRate").test(row)]
    rows.sort(key=lambda row: row.element["Name"].casefold())
    return envelope(provider, books.clock.ms(), "TaxRates", [dumps(row.element) for row in rows], None)


def tax_rate(books: Books, key: str, provider: str) -> Reply:
    """GET /TaxRates/{TaxType}."""
    found = books.tax_rates.get(key.upper())
    if found is None:
        raise NotFound
    return envelope(provider, books.clock.ms(), "TaxRates", [dumps(found)], None)


def write_tax_rate(books: Books, sent: dict[str, Any], create_only: bool) -> Written:
    """PUT creates a rate; POST also changes or deletes one of the same name or type."""
    existing = None if create_only else existing_rate(books, sent)
    errors = rate_problems(books, sent, existing)
    if errors:
        echo = {**sent, "ValidationErrors": error_list(errors)}
        return Written(Outcome.ERROR, lambda _: dumps(echo), errors=errors)
    rate = existing if existing is not None else new_rate(books, str(sent["Name"]))
    rate |= {"Name": str(sent.get("Name") or rate["Name"]), "Status": sent.get("Status") or rate["Status"]}
    if sent.get("TaxComponents"):
        rate["TaxComponents"] = [component(c) for c in sent["TaxComponents"]]
        rate["DisplayTaxRate"], rate["EffectiveRate"] = rates_of(rate["TaxComponents"])
    if sent.get("ReportTaxType"):
        rate["ReportTaxType"] = sent["ReportTaxType"]
    books.tax_rates[rate["TaxType"]] = rate
    books.keep_org()
    return Written(Outcome.OK, lambda _: dumps(rate), id=rate["TaxType"])


def existing_rate(books: Books, sent: dict[str, Any]) -> dict[str, Any] | None:
    """The rate a POST means."""
    if found := books.tax_rates.get(str(sent.get("TaxType") or "")):
        return found
    name = str(sent.get("Name") or "").casefold()
    return next((r for r in books.tax_rates.values() if r["Name"].casefold() == name), None)


def rate_problems(books: Books, sent: dict[str, Any], existing: dict[str, Any] | None) -> list[str]:
    """What is wrong with a tax rate."""
    if not books.may_change_settings():
        return [say.NO_PERMISSION]
    if existing is not None and not existing["TaxType"].startswith("TAX"):
        return [say.SYSTEM_RATE]
    edition, report = books.org["Version"], sent.get("ReportTaxType")
    if report and edition in editions.REPORT_TYPE_REFUSED:
        return [say.REPORT_TYPE_REFUSED]
    if existing is not None:
        return [] if covers(existing, sent) else [say.COMPONENTS_NEEDED]
    parts = sent.get("TaxComponents") or []
    if not sent.get("Name") or not parts or not all(c.get("Name") and c.get("Rate") is not None for c in parts):
        return [say.COMPONENTS_NEEDED]
    if any(r["Name"].casefold() == str(sent["Name"]).casefold() for r in books.tax_rates.values()):
        return [say.UNIQUE_NAME]
    return [say.REPORT_TYPE_NEEDED] if not report and edition in editions.REPORT_TYPE_NEEDED else []


def covers(existing: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Components of an existing rate may be added to, not dropped or renamed."""
    if not sent.get("TaxComponents"):
        return True
    return {c["Name"] for c in existing["TaxComponents"]} <= {c.get("Name") for c in sent["TaxComponents"]}


def new_rate(books: Books, name: str) -> dict[str, Any]:
    """A user-made rate with the next code TAX001, TAX002 and so on."""
    number = 1 + sum(1 for t in books.tax_rates if t.startswith("TAX"))
    classes = editions.EVERY if books.org["Version"] == "GLOBAL" else editions.SALES
    return editions.tax_rate(f"TAX{number:03d}", name, 0, classes)


def component(sent: dict[str, Any]) -> dict[str, Any]:
    """One component as kept."""
    return {
        "Name": str(sent["Name"]),
        "Rate": float(round(exact(sent["Rate"]), 4)),
        "IsCompound": sent.get("IsCompound") is True,
        "IsNonRecoverable": sent.get("IsNonRecoverable") is True,
    }


def rates_of(parts: list[dict[str, Any]]) -> tuple[float, float]:
    """Display and effective rate: a compound component also taxes the others."""
    simple = sum((exact(str(c["Rate"])) for c in parts if not c["IsCompound"]), Decimal(0))
    compound = sum((exact(str(c["Rate"])) for c in parts if c["IsCompound"]), Decimal(0))
    effective = simple + compound * (100 + simple) / 100
    return float(simple + compound), float(round(effective, 4))


# -- currencies ---------------------------------------------------------------------------------------------------


def currencies(books: Books, provider: str) -> Reply:
    """GET /Currencies: those that are enabled."""
    shown = [dumps({"Code": c, "Description": d}) for c, d in books.currencies.items()]
    return envelope(provider, books.clock.ms(), "Currencies", shown, None)


def write_currency(books: Books, sent: dict[str, Any]) -> Written:
    """PUT /Currencies: enable one, if the plan has more than one."""
    code = str(sent.get("Code") or "").upper()
    errors = []
    if not books.may_change_settings():
        errors = [say.NO_PERMISSION]
    elif code not in editions.CURRENCIES:
        errors = [say.CURRENCY_UNKNOWN.format(code or "nothing")]
    elif not books.switches.multicurrency and code != books.base:
        errors = [say.CURRENCY_PLAN.format(code)]
    if errors:
        echo = {"Code": code, "ValidationErrors": error_list(errors)}
        return Written(Outcome.ERROR, lambda _: dumps(echo), errors=errors)
    books.currencies[code] = editions.CURRENCY_NAMES.get(code, str(sent.get("Description") or code))
    books.keep_org()
    shown = dumps({"Code": code, "Description": books.currencies[code]})
    return Written(Outcome.OK, lambda _: shown, id=code)
