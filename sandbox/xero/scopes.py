"""Granular scopes: which there are, which are over, what each resource needs, and what they mean in words."""

PAIRS = {
    "accounting.invoices": "your invoices",
    "accounting.payments": "your payments",
    "accounting.banktransactions": "your bank transactions",
    "accounting.manualjournals": "your manual journals",
    "accounting.contacts": "your contacts",
    "accounting.settings": "your organisation settings: accounts, tax rates, currencies",
    "accounting.attachments": "files attached to documents",
}
READ_ONLY = {
    "accounting.budgets.read": "your budgets",
    "accounting.reports.aged.read": "aged reports",
    "accounting.reports.balancesheet.read": "the balance sheet",
    "accounting.reports.banksummary.read": "the bank summary",
    "accounting.reports.budgetsummary.read": "the budget summary",
    "accounting.reports.executivesummary.read": "the executive summary",
    "accounting.reports.profitandloss.read": "the profit and loss report",
    "accounting.reports.trialbalance.read": "the trial balance",
    "accounting.reports.taxreports.read": "tax reports",
    "accounting.reports.tenninetynine.read": "1099 reports",
}
IDENTITY = {
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your email address",
    "offline_access": "Stay connected while you are away",
}
# Broad scopes are over for apps registered since 2 March 2026; journals need a dearer plan.
REFUSED = {
    "accounting.transactions",
    "accounting.transactions.read",
    "accounting.reports.read",
    "accounting.journals.read",
}
# Scopes of Xero's other APIs, which the sandbox does not play: an app may ask for them all the same.
ELSEWHERE = {
    **{f"payroll.{part}": f"payroll: {part}" for part in ("employees", "payruns", "payslip", "settings", "timesheets")},
    "files": "your files",
    "assets": "your fixed assets",
    "projects": "your projects",
}
WRITABLE = PAIRS | ELSEWHERE
KNOWN = {*WRITABLE, *(f"{name}.read" for name in WRITABLE), *READ_ONLY, *IDENTITY}

NEEDED = {
    "invoices": ("accounting.invoices",),
    "creditnotes": ("accounting.invoices",),
    "items": ("accounting.settings", "accounting.invoices"),
    "contacts": ("accounting.contacts",),
    "payments": ("accounting.payments",),
    "organisation": ("accounting.settings",),
    "organisations": ("accounting.settings",),
    "accounts": ("accounting.settings",),
    "taxrates": ("accounting.settings",),
    "currencies": ("accounting.settings",),
    "trackingcategories": ("accounting.settings",),
    "users": ("accounting.settings",),
}


def allows(held: list[str], resource: str, writing: bool) -> bool:
    """Whether the scopes held are enough for a resource."""
    return any(n in held or (not writing and f"{n}.read" in held) for n in NEEDED[resource])


def in_words(scope: str) -> str:
    """What a scope lets an app do, for the consent page."""
    if scope in IDENTITY:
        return IDENTITY[scope]
    if scope in READ_ONLY:
        return f"View {READ_ONLY[scope]}"
    if scope.endswith(".read"):
        return f"View {WRITABLE[scope.removesuffix('.read')]}"
    return f"View and change {WRITABLE[scope]}"
