"""What a new organisation of each edition comes with: tax rates, accounts, currencies, day rates, actions."""

import uuid
from typing import Any

# Foreign units for one euro: invented but plausible; other bases are derived from them.
DAY_RATES = {
    "EUR": 1.0, "GBP": 0.8412, "USD": 1.0876, "CHF": 0.9421, "CAD": 1.4893, "AUD": 1.6541, "NZD": 1.7712,
    "JPY": 162.35, "SEK": 11.0214, "DKK": 7.4603, "NOK": 11.5371, "PLN": 4.2588, "SGD": 1.4127, "XPF": 119.3317,
}  # fmt: skip

CURRENCY_NAMES = {
    "EUR": "Euro", "GBP": "British Pound", "USD": "United States Dollar", "CHF": "Swiss Franc",
    "CAD": "Canadian Dollar", "AUD": "Australian Dollar", "NZD": "New Zealand Dollar", "JPY": "Japanese Yen",
    "SEK": "Swedish Krona", "DKK": "Danish Krone", "NOK": "Norwegian Krone", "PLN": "Polish Zloty",
    "SGD": "Singapore Dollar", "XPF": "CFP Franc",
}  # fmt: skip

# Every code that Xero knows (the enumeration of its OpenAPI description).
CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BYR BZD CAD "
        "CDF CHF CLF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        "GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
        "LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK "
        "NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SKK SLE SLL SOS SRD "
        "STD STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND VUV WST XAF XCD XOF "
        "XPF YER ZAR ZMK ZMW ZWD"
    ).split()
)

EVERY = "AEXLR"  # assets, equity, expenses, liabilities, revenue
SALES = "AELR"
PURCHASES = "AEXL"
LIABILITIES = "L"

# edition: (TaxType, name, rate, classes it can apply to, ReportTaxType, component name, status)
RATES: dict[str, list[tuple[str, str, float, str, str, str, str]]] = {
    "GLOBAL": [
        ("OUTPUT", "Tax on Sales", 0, EVERY, "", "Tax", "ACTIVE"),
        ("INPUT", "Tax on Purchases", 0, EVERY, "", "Tax", "ACTIVE"),
        ("NONE", "Tax Exempt", 0, EVERY, "", "Tax", "ACTIVE"),
        ("GSTONIMPORTS", "Sales Tax on Imports", 0, LIABILITIES, "", "Tax", "ACTIVE"),
    ],
    "UK": [
        ("OUTPUT2", "20% (VAT on Income)", 20, SALES, "OUTPUT", "VAT", "ACTIVE"),
        ("RROUTPUT", "5% (VAT on Income)", 5, SALES, "RROUTPUT", "VAT", "ACTIVE"),
        ("ZERORATEDOUTPUT", "Zero Rated Income", 0, SALES, "ZERORATEDOUTPUT", "VAT", "ACTIVE"),
        ("EXEMPTOUTPUT", "Exempt Income", 0, SALES, "EXEMPTOUTPUT", "VAT", "ACTIVE"),
        ("INPUT2", "20% (VAT on Expenses)", 20, PURCHASES, "INPUT", "VAT", "ACTIVE"),
        ("RRINPUT", "5% (VAT on Expenses)", 5, PURCHASES, "RRINPUT", "VAT", "ACTIVE"),
        ("ZERORATEDINPUT", "Zero Rated Expenses", 0, PURCHASES, "ZERORATEDINPUT", "VAT", "ACTIVE"),
        ("EXEMPTINPUT", "Exempt Expenses", 0, PURCHASES, "EXEMPTINPUT", "VAT", "ACTIVE"),
        ("GSTONIMPORTS", "VAT on Imports", 0, LIABILITIES, "GSTONIMPORTS", "VAT", "ACTIVE"),
        ("NONE", "No VAT", 0, EVERY, "NONE", "VAT", "ACTIVE"),
    ],
    "NZ": [
        ("OUTPUT2", "15% GST on Income", 15, SALES, "OUTPUT", "GST", "ACTIVE"),
        ("INPUT2", "15% GST on Expenses", 15, PURCHASES, "INPUT", "GST", "ACTIVE"),
        ("ZERORATED", "Zero Rated", 0, "LR", "OUTPUT", "GST", "ACTIVE"),
        ("NONE", "No GST", 0, EVERY, "NONE", "GST", "ACTIVE"),
        ("GSTONIMPORTS", "GST on Imports", 0, "AEL", "GSTONIMPORTS", "GST", "ACTIVE"),
        ("OUTPUT", "12.5% GST on Income", 12.5, SALES, "OUTPUT", "GST", "DELETED"),
        ("INPUT", "12.5% GST on Expenses", 12.5, EVERY, "INPUT", "GST", "DELETED"),
    ],
    "AU": [
        ("OUTPUT", "GST on Income", 10, SALES, "OUTPUT", "GST", "ACTIVE"),
        ("INPUT", "GST on Expenses", 10, PURCHASES, "INPUT", "GST", "ACTIVE"),
        ("EXEMPTOUTPUT", "GST Free Income", 0, SALES, "EXEMPTOUTPUT", "GST", "ACTIVE"),
        ("EXEMPTEXPORT", "GST Free Exports", 0, SALES, "EXEMPTEXPORT", "GST", "ACTIVE"),
        ("EXEMPTEXPENSES", "GST Free Expenses", 0, PURCHASES, "EXEMPTEXPENSES", "GST", "ACTIVE"),
        ("EXEMPTCAPITAL", "GST Free Capital", 0, PURCHASES, "EXEMPTCAPITAL", "GST", "ACTIVE"),
        ("CAPEXINPUT", "GST on Capital", 10, PURCHASES, "CAPEXINPUT", "GST", "ACTIVE"),
        ("INPUTTAXED", "Input Taxed", 0, EVERY, "INPUTTAXED", "GST", "ACTIVE"),
        ("BASEXCLUDED", "BAS Excluded", 0, EVERY, "BASEXCLUDED", "GST", "ACTIVE"),
        ("GSTONIMPORTS", "GST on Imports", 0, LIABILITIES, "GSTONIMPORTS", "GST", "ACTIVE"),
        ("GSTONCAPIMPORTS", "GST on Capital Imports", 0, LIABILITIES, "GSTONCAPIMPORTS", "GST", "ACTIVE"),
    ],
    "US": [
        ("OUTPUT", "Tax on Sales", 0, SALES, "", "Tax", "ACTIVE"),
        ("INPUT", "Tax on Purchases", 0, PURCHASES, "", "Tax", "ACTIVE"),
        ("NONE", "Tax Exempt", 0, EVERY, "", "Tax", "ACTIVE"),
        ("GSTONIMPORTS", "Sales Tax on Imports", 0, LIABILITIES, "", "Tax", "ACTIVE"),
    ],
}
REPORT_TYPE_NEEDED = ("AU", "NZ", "UK")
REPORT_TYPE_REFUSED = ("US", "GLOBAL")

# code, name, type, class, default tax, system account, payments enabled
FRENCH_ACCOUNTS = [
    ("706", "Prestations de services", "SALES", "REVENUE", "OUTPUT", "", False),
    ("707", "Ventes de marchandises", "SALES", "REVENUE", "OUTPUT", "", False),
    ("708", "Produits des activités annexes", "OTHERINCOME", "REVENUE", "NONE", "", False),
    ("658", "Écarts d’arrondi", "OVERHEADS", "EXPENSE", "NONE", "ROUNDING", False),
    ("606", "Achats non stockés", "EXPENSE", "EXPENSE", "INPUT", "", False),
    ("627", "Services bancaires", "EXPENSE", "EXPENSE", "NONE", "", False),
    ("411", "Clients", "CURRENT", "ASSET", "NONE", "DEBTORS", False),
    ("401", "Fournisseurs", "CURRLIAB", "LIABILITY", "NONE", "CREDITORS", False),
    ("4457", "TVA collectée", "CURRLIAB", "LIABILITY", "NONE", "GST", False),
    ("666", "Pertes de change", "EXPENSE", "EXPENSE", "NONE", "REALISEDCURRENCYGAIN", False),
    ("511", "Encaissements par carte", "CURRENT", "ASSET", "NONE", "", True),
    ("709", "Anciennes ventes", "SALES", "REVENUE", "OUTPUT", "", False),
]
ENGLISH_ACCOUNTS = [
    ("200", "Sales", "REVENUE", "REVENUE", "", "", False),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "", "", False),
    ("860", "Rounding", "EXPENSE", "EXPENSE", "NONE", "ROUNDING", False),
    ("400", "Advertising", "OVERHEADS", "EXPENSE", "", "", False),
    ("404", "Bank Fees", "OVERHEADS", "EXPENSE", "NONE", "", False),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "NONE", "DEBTORS", False),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "NONE", "CREDITORS", False),
    ("820", "Sales Tax", "CURRLIAB", "LIABILITY", "NONE", "GST", False),
    ("497", "Realised Currency Gains", "EXPENSE", "EXPENSE", "NONE", "REALISEDCURRENCYGAIN", False),
    ("880", "Owner A Drawings", "EQUITY", "EQUITY", "NONE", "", True),
]
SALES_TAX = {"GLOBAL": "OUTPUT", "UK": "OUTPUT2", "NZ": "OUTPUT2", "AU": "OUTPUT", "US": "OUTPUT"}
PURCHASE_TAX = {"GLOBAL": "INPUT", "UK": "INPUT2", "NZ": "INPUT2", "AU": "INPUT", "US": "INPUT"}

ACTIONS = [
    "CreateApprovedInvoice", "CreateDraftInvoice", "CreateApprovedBill", "CreateDraftBill",
    "CreateRepeatingInvoice", "CreateRepeatingBill", "CreateDraftPurchaseOrder", "CreateApprovedPurchaseOrder",
    "CreateDraftQuote", "CreateSentQuote", "CreateInvoicePayment", "AttachFilesIntoInvoice", "UseMulticurrency",
    "ApproveTransactionsBeforePeriodLockDate",
]  # fmt: skip

MULTICURRENCY_PLANS = ("TRIAL", "DEMO", "PREMIUM", "ULTIMATE", "COMPREHENSIVE", "ULTRA")
CAPPED_PLANS = {"STARTER": 20, "IGNITE": 20, "LITE": 20}

TIME_ZONES = {
    "ROMANCESTANDARDTIME": "Europe/Paris",
    "GMTSTANDARDTIME": "Europe/London",
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "EASTERNSTANDARDTIME": "America/New_York",
}


def seeded_id(*parts: str) -> str:
    """The same id for the same words, so that a world is the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "sandbox:" + ":".join(parts)))


def tax_rate(
    tax_type: str, name: str, rate: float, classes: str, report: str = "", part: str = "Tax", status: str = "ACTIVE"
) -> dict[str, Any]:
    """A tax rate in the API's form."""
    element: dict[str, Any] = {"Name": name, "TaxType": tax_type}
    if report:
        element["ReportTaxType"] = report
    element |= {
        "CanApplyToAssets": "A" in classes,
        "CanApplyToEquity": "E" in classes,
        "CanApplyToExpenses": "X" in classes,
        "CanApplyToLiabilities": "L" in classes,
        "CanApplyToRevenue": "R" in classes,
        "DisplayTaxRate": float(rate),
        "EffectiveRate": float(rate),
        "Status": status,
        "TaxComponents": [component(part, float(rate))],
    }
    return element


def component(name: str, rate: float, compound: bool = False) -> dict[str, Any]:
    """One part of a tax rate."""
    return {"Name": name, "Rate": rate, "IsCompound": compound, "IsNonRecoverable": False}


def multicurrency(plan: str) -> bool:
    """Whether a plan has more than one currency."""
    return plan.startswith(MULTICURRENCY_PLANS)
