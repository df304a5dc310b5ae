"""Each setting, its meaning and its default. Secrets never print.

The environment (then a `.env` file) says where things are; a connection's settings, kept in the ledger, say what the
sync may do. Both refuse what cannot be, with a sentence that says what is wrong and where.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncer.domain.access import is_person
from syncer.domain.errors import WrongUsage
from syncer.domain.matching.contact_import import ImportRules
from syncer.domain.model.invoice import Status
from syncer.domain.model.sync_settings import DEFAULT_STATUSES, Rules

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """Where things are, as the environment and `.env` say; defaults as documented in `.env.example`."""

    data_dir: Path
    ledger_url: str
    secret_key: str = field(repr=False)
    xero_client_id: str
    xero_client_secret: str = field(repr=False)
    xero_redirect_uri: str
    xero_api_url: str
    xero_login_url: str
    xero_identity_url: str
    crococlick_api_url: str
    crococlick_token: str = field(repr=False)
    crococlick_location_id: str
    crococlick_webhook_key: str = field(repr=False)
    console_url: str
    console_admins: str
    sign_in_hours: str
    oidc_metadata_url: str
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    oidc_trust_email: str
    watch: bool = True  # whether the console works in the background


def environment(values: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Environment:
    """The settings of this machine: the environment first, then `.env` beside `streamlit_app.py`."""
    asked = {**read_dotenv(dotenv or ROOT / ".env"), **(os.environ if values is None else values)}

    def get(name: str, default: str = "") -> str:
        return asked.get(name, "").strip() or default

    data_dir = (ROOT / get("SYNCER_DATA_DIR", "data")).resolve()
    return Environment(
        data_dir=data_dir,
        ledger_url=get("SYNCER_LEDGER_URL", f"duckdb:///{data_dir / 'ledger.duckdb'}"),
        secret_key=get("SYNCER_SECRET_KEY"),
        xero_client_id=get("XERO_CLIENT_ID"),
        xero_client_secret=get("XERO_CLIENT_SECRET"),
        xero_redirect_uri=_absolute(
            "XERO_REDIRECT_URI", get("XERO_REDIRECT_URI", "http://localhost:8501/xero/callback")
        ),
        xero_api_url=_absolute("XERO_API_URL", get("XERO_API_URL", "https://api.xero.com")),
        xero_login_url=_absolute("XERO_LOGIN_URL", get("XERO_LOGIN_URL", "https://login.xero.com")),
        xero_identity_url=_absolute("XERO_IDENTITY_URL", get("XERO_IDENTITY_URL", "https://identity.xero.com")),
        crococlick_api_url=_absolute(
            "CROCOCLICK_API_URL", get("CROCOCLICK_API_URL", "https://services.leadconnectorhq.com")
        ),
        crococlick_token=get("CROCOCLICK_TOKEN"),
        crococlick_location_id=get("CROCOCLICK_LOCATION_ID"),
        crococlick_webhook_key=get("CROCOCLICK_WEBHOOK_KEY"),
        watch=_switch("SYNCER_WATCH", get("SYNCER_WATCH", "on")),
        console_url=get("CONSOLE_URL"),
        console_admins=get("CONSOLE_ADMINS"),
        sign_in_hours=get("CONSOLE_SIGN_IN_HOURS", "12"),
        oidc_metadata_url=get("OIDC_METADATA_URL"),
        oidc_client_id=get("OIDC_CLIENT_ID"),
        oidc_client_secret=get("OIDC_CLIENT_SECRET"),
        oidc_trust_email=get("OIDC_TRUST_EMAIL", "false"),
    )


@dataclass(frozen=True)
class Provider:
    """Who tells us who somebody is, and where people reach the console."""

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    console_url: str
    admins: tuple[str, ...]
    hours: int
    trusts_email: bool = False  # also where the provider does not say that it has verified it

    @property
    def host(self) -> str:
        """The name under which the console is reached."""
        return urlsplit(self.console_url).netloc.lower()


def provider(of: Environment) -> Provider | None:
    """The sign-in that is configured; None where none is. Raises WrongUsage where it is configured by half."""
    whole = {
        "CONSOLE_URL": of.console_url,
        "OIDC_METADATA_URL": of.oidc_metadata_url,
        "OIDC_CLIENT_ID": of.oidc_client_id,
        "OIDC_CLIENT_SECRET": of.oidc_client_secret,
        "CONSOLE_ADMINS": of.console_admins,
    }
    if not any(value for name, value in whole.items() if name.startswith("OIDC_")):
        return None
    if missing := [name for name, value in whole.items() if not value]:
        raise WrongUsage(f"For people to sign in, set {' and '.join(missing)} as well.")
    admins = tuple(one.strip() for one in of.console_admins.split(",") if one.strip())
    if not admins or any(one.startswith("@") or not is_person(one) for one in admins):
        raise WrongUsage(f"CONSOLE_ADMINS must be emails, parted by commas; it is {of.console_admins!r}.")
    if not of.sign_in_hours.isdecimal() or not 1 <= int(of.sign_in_hours) <= 720:
        raise WrongUsage(f"CONSOLE_SIGN_IN_HOURS must be a whole number from 1 to 720; it is {of.sign_in_hours!r}.")
    return Provider(
        _absolute("OIDC_METADATA_URL", of.oidc_metadata_url), of.oidc_client_id, of.oidc_client_secret,
        _origin("CONSOLE_URL", of.console_url), admins, int(of.sign_in_hours),
        _yes("OIDC_TRUST_EMAIL", of.oidc_trust_email),
    )  # fmt: skip


def read_dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; quotes around a value are taken off, `#` begins a comment line."""
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=\s*(.*?)\s*", line)
        if not match:
            raise WrongUsage(f"{path.name}, line {number}: expected NAME=value.")
        found[match[1]] = re.sub(r"^(['\"])(.*)\1$", r"\2", match[2])
    return found


def _switch(name: str, value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise WrongUsage(f"{name} must be on or off; it is {value!r}.")
    return value.lower() == "on"


def _absolute(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise WrongUsage(f"{name} must be a whole address such as https://example.com; it is {url!r}.")
    return url.rstrip("/")


def _yes(name: str, value: str) -> bool:
    try:
        return _flag(value)
    except ValueError as error:
        raise WrongUsage(f"{name} must be {error}; it is {value!r}.") from error


def _origin(name: str, url: str) -> str:
    whole = _absolute(name, url)
    if urlsplit(whole).path:
        raise WrongUsage(f"{name} must be an address without a path, such as https://console.example.com.")
    return whole


# -- a connection's settings ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One key: what it means, what it is when nobody set it, and how a value is checked."""

    meaning: str
    default: str
    check: Callable[[str], Any]


def _flag(value: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if value.lower() not in known:
        raise ValueError("true or false")
    return known[value.lower()]


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise ValueError("a date such as 2026-01-31") from error


def _number(low: float, high: float) -> Callable[[str], int | None]:
    def check(value: str) -> int | None:
        if value and not (value.isdecimal() and low <= int(value) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value) if value else None

    return check


def _share(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError("a number from 0 to 1")
    return number


def _statuses(value: str) -> frozenset[Status]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    known = [str(status) for status in Status if status is not Status.UNKNOWN]
    if not names or set(names) - set(known):
        raise ValueError("some of " + ", ".join(known))
    return frozenset(Status(name) for name in names)


def _code(value: str) -> str:
    if len(value) > 36 or any(char.isspace() for char in value):
        raise ValueError("an account code or AccountID")
    return value


def _tax_type(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,50}", value):
        raise ValueError("a Xero TaxType such as OUTPUT or TAX001")
    return value


def _template(value: str) -> str:
    if set(re.findall(r"\{(.*?)\}", value)) - {"name", "number"}:
        raise ValueError("a text with {name} and {number} where those should stand")
    return value


def _link(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or "xero" in value.lower():
        raise ValueError('a whole address without "xero" in it (Xero refuses others)')
    return value


_STATUSES = ",".join(str(status) for status in Status if status in DEFAULT_STATUSES)

SETTINGS: Mapping[str, Setting] = {
    "start_date": Setting("Invoices issued before this day are left out.", "", _day),
    "statuses": Setting("Which statuses go over.", _STATUSES, _statuses),
    "revenue_account": Setting("Code of the Xero account that invoice lines are booked on.", "", _code),
    "payment_account": Setting("Account for payments in any currency without one of its own.", "", _code),
    "rounding_account": Setting("Account for a rounding line; the organisation's own when empty.", "", _code),
    "create_tax_rates": Setting("May a missing tax rate be created in Xero?", "false", _flag),
    "create_currencies": Setting("May a missing currency be added in Xero?", "false", _flag),
    "tax.none": Setting("TaxType of a line without tax.", "", _tax_type),
    "create_contacts": Setting("May a missing contact be created in Xero?", "true", _flag),
    "mark_sent": Setting("Mark invoices as sent in Xero? Xero is never asked to email anybody.", "true", _flag),
    "due_days": Setting("Days until an invoice without a due date is due.", "", _number(0, 365)),
    "reference": Setting("Reference in Xero; {name} and {number} stand for the invoice's.", "{name}", _template),
    "calls_per_minute": Setting("Most Xero calls a minute.", "60", _number(1, 1_000_000)),
    "calls_per_day": Setting("Most Xero calls a day; what Xero says when empty.", "", _number(1, 1_000_000)),
    "calls_in_flight": Setting("Most Xero calls at one time.", "5", _number(1, 5)),
    "backfill_share": Setting("Share of the day's calls that old invoices may use.", "0.5", _share),
    "recent_days": Setting("How far back every sync looks at finished invoices.", "30", _number(1, 3650)),
    "import_suppliers": Setting("Import Xero contacts that are only suppliers?", "false", _flag),
    "import_without_email": Setting("Import Xero contacts without an email?", "false", _flag),
    "retention_days": Setting("Days that requests and answers are kept.", "90", _number(1, 3650)),
    "crococlick_app_url": Setting("Where the invoice's link in Xero leads.", "https://app.crococlick.com", _link),
}

_PAYMENT_ACCOUNT = re.compile(r"payment_account\.([A-Z]{3})")
_RATE = re.compile(r"\d+(?:\.\d*[1-9])?%(?:\+\d+(?:\.\d*[1-9])?%)*")


def setting(key: str) -> Setting:
    """What a key means; raises WrongUsage for one that does not exist."""
    if known := SETTINGS.get(key):
        return known
    if _PAYMENT_ACCOUNT.fullmatch(key):
        return Setting(f"Account (code or AccountID) for payments in {key[-3:]}.", "", _code)
    if key.startswith("tax."):
        name = key.removeprefix("tax.")
        if "%" in name and not (_RATE.fullmatch(name) and _ascending(name)):
            raise WrongUsage(f"{key}: write rates as plain decimals, smallest first, such as tax.20% or tax.5%+9.975%.")
        if name:
            return Setting(f"TaxType for the CrocoClick tax {name}.", "", _tax_type)
    raise WrongUsage(
        f"There is no setting {key!r}. Settings are: {', '.join(SETTINGS)}, payment_account.<CUR>, "
        "tax.<CrocoClick tax id or RATE%>."
    )


def _ascending(name: str) -> bool:
    rates = [float(part.rstrip("%")) for part in name.split("+")]
    return rates == sorted(rates)


def parsed(given: Sequence[str]) -> dict[str, str | None]:
    """Changes as people write them, `KEY=VALUE`, checked; raises WrongUsage and then none counts."""
    if not given:
        raise WrongUsage("Say what to set: `settings set KEY=VALUE`.")
    pairs = [change.partition("=") for change in given]
    for key, equals, _ in pairs:
        if not equals:
            raise WrongUsage(f"{key!r} is not KEY=VALUE. Nothing was changed.")
    return checked({key.strip(): value.strip() for key, _, value in pairs})


def checked(changes: Mapping[str, str]) -> dict[str, str | None]:
    """The changes, ready to be stored (an empty value is the default again); raises WrongUsage and then none counts."""
    for key, value in changes.items():
        known = setting(key)
        if value:
            _check(key, known, value)
    return {key: value or None for key, value in changes.items()}


def _check(key: str, known: Setting, value: str) -> Any:
    try:
        return known.check(value)
    except ValueError as error:
        raise WrongUsage(f"{key} must be {error}; it was {value!r}. Nothing was changed.") from error


@dataclass(frozen=True)
class Pace:
    """The limits that a connection keeps, in calls."""

    per_minute: int = 60
    per_day: int | None = None
    in_flight: int = 5
    backfill_share: float = 0.5


def value_of(stored: Mapping[str, str | None], key: str) -> Any:
    """The value in force, checked and typed."""
    known = setting(key)
    return _check(key, known, stored.get(key) or known.default)


def rules(stored: Mapping[str, str | None], location_id: str) -> Rules:
    """What the planner may rely on, from the settings in force."""
    payment_accounts = {
        key.removeprefix("payment_account").removeprefix("."): value
        for key, value in stored.items()
        if key.startswith("payment_account") and value
    }
    taxes = {key.removeprefix("tax."): value for key, value in stored.items() if key.startswith("tax.") and value}
    untaxed = taxes.pop("none", "")
    return Rules(
        location_id=location_id,
        start_date=value_of(stored, "start_date"),
        statuses=value_of(stored, "statuses"),
        revenue_account=stored.get("revenue_account") or "",
        payment_accounts=payment_accounts,
        rounding_account=stored.get("rounding_account") or "",
        taxes=taxes,
        tax_none=untaxed,
        create_contacts=value_of(stored, "create_contacts"),
        create_currencies=value_of(stored, "create_currencies"),
        create_tax_rates=value_of(stored, "create_tax_rates"),
        mark_sent=value_of(stored, "mark_sent"),
        due_days=value_of(stored, "due_days"),
        reference=value_of(stored, "reference"),
        app_url=value_of(stored, "crococlick_app_url"),
    )


def import_rules(stored: Mapping[str, str | None]) -> ImportRules:
    """What an import of contacts may rely on."""
    return ImportRules(value_of(stored, "import_suppliers"), value_of(stored, "import_without_email"))


def pace(stored: Mapping[str, str | None]) -> Pace:
    """The limits in force."""
    return Pace(
        per_minute=value_of(stored, "calls_per_minute"),
        per_day=value_of(stored, "calls_per_day"),
        in_flight=value_of(stored, "calls_in_flight"),
        backfill_share=value_of(stored, "backfill_share"),
    )
