"""A connection's settings: what the sync may do, the meaning and default of each, and how a value is checked.

They are kept in the ledger. Where things are, and secrets, are in `app/environment`. A value that cannot be is refused
with a sentence that says what is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from syncer.domain.errors import WrongUsage
from syncer.domain.matching.contact_import import ImportRules
from syncer.domain.model.invoice import Status
from syncer.domain.model.sync_settings import (
    AUTHORISED,
    DEFAULT_STATUSES,
    DRAFT,
    REVENUE_ACCOUNT,
    SUBMITTED,
    TRACKING,
    Rules,
)
from syncer.domain.notices import KINDS, kinds_of

# -- a connection's settings ------------------------------------------------------------------------------------------


DEFAULT = "default"  # the connection that the environment describes


@dataclass(frozen=True)
class Setting:
    """One key: what it means, what it is when nobody set it, and how a value is checked."""

    meaning: str
    default: str
    check: Callable[[str], Any]
    may_be_empty: bool = False  # empty is then a value of its own, and not the default again


def flag(value: str) -> bool:
    """Yes or no, in the words that people use; raises ValueError for any other."""
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


def _approval(value: str) -> str:
    known = {status.lower(): status for status in (AUTHORISED, SUBMITTED, DRAFT)}
    if value.lower() not in known:
        raise ValueError("authorised, submitted or draft")
    return known[value.lower()]


def _option(value: str) -> str:
    if len(value) > 100:  # Xero's tracking options
        raise ValueError("the name of a tracking option, of at most 100 characters")
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
    "statuses": Setting("Statuses to sync.", _STATUSES, _statuses),
    "approval": Setting(
        "What a sent invoice becomes in Xero: authorised, submitted or draft; payments wait until it is approved.",
        AUTHORISED.lower(),
        _approval,
    ),
    "revenue_account": Setting("Code of the Xero account that invoice lines are booked on.", "", _code),
    "payment_account": Setting("Account for payments in any currency without one of its own.", "", _code),
    "rounding_account": Setting("Account for a rounding line; the organisation's own when empty.", "", _code),
    "create_tax_rates": Setting("May a missing tax rate be created in Xero?", "false", flag),
    "create_currencies": Setting("May a missing currency be added in Xero?", "false", flag),
    "tax.none": Setting("TaxType of a line without tax.", "", _tax_type),
    "create_contacts": Setting("May a missing contact be created in Xero?", "true", flag),
    "mark_sent": Setting("Mark invoices as sent in Xero? Xero is never asked to email anybody.", "true", flag),
    "due_days": Setting("Days until an invoice without a due date is due.", "", _number(0, 365)),
    "reference": Setting("Reference in Xero; {name} and {number} stand for the invoice's.", "{name}", _template),
    "calls_per_minute": Setting("Most Xero calls a minute.", "60", _number(1, 1_000_000)),
    "calls_per_day": Setting("Most Xero calls a day; what Xero says when empty.", "", _number(1, 1_000_000)),
    "calls_in_flight": Setting("Most Xero calls at one time.", "5", _number(1, 5)),
    "backfill_share": Setting("Share of the day's calls that old invoices may use.", "0.5", _share),
    "recent_days": Setting("How far back every sync looks at finished invoices.", "30", _number(1, 3650)),
    "import_suppliers": Setting("Import Xero contacts that are only suppliers?", "false", flag),
    "import_without_email": Setting("Import Xero contacts without an email?", "false", flag),
    "retention_days": Setting("Days that requests and answers are kept.", "90", _number(1, 3650)),
    "notify": Setting(
        "Which notices are sent: held, connection, stale, daily; empty means none.",
        ",".join(KINDS),
        kinds_of,
        may_be_empty=True,
    ),
    "crococlick_app_url": Setting("CrocoClick address used in Xero links.", "https://app.crococlick.com", _link),
}

_PRODUCT_ACCOUNT, _TAX_ACCOUNT = f"{REVENUE_ACCOUNT}.product.", f"{REVENUE_ACCOUNT}.tax."
_PAYMENT_ACCOUNT = re.compile(r"payment_account\.([A-Z]{3})")
_RATE = re.compile(r"\d+(?:\.\d*[1-9])?%(?:\+\d+(?:\.\d*[1-9])?%)*")


def setting(key: str) -> Setting:
    """What a key means; raises WrongUsage for one that does not exist."""
    if known := SETTINGS.get(key):
        return known
    if _PAYMENT_ACCOUNT.fullmatch(key):
        return Setting(f"Account (code or AccountID) for payments in {key[-3:]}.", "", _code)
    if product := _rest(key, _PRODUCT_ACCOUNT):
        return Setting(f"Account of lines that sell the CrocoClick product {product}.", "", _code)
    if tax := _tax_named(key, _TAX_ACCOUNT):
        meant = "lines without tax" if tax == "none" else f"lines with the CrocoClick tax {tax}"
        return Setting(f"Account of {meant}, where their product has none.", "", _code)
    if category := _rest(key, TRACKING):
        return Setting(f"Option that every line gets in the tracking category {category}.", "", _option)
    if tax := _tax_named(key, "tax."):
        return Setting(f"TaxType for the CrocoClick tax {tax}.", "", _tax_type)
    raise WrongUsage(
        f"There is no setting {key!r}. Settings are: {', '.join(SETTINGS)}, payment_account.<CUR>, "
        "tax.<CrocoClick tax id or RATE%>, revenue_account.product.<CrocoClick product id>, "
        "revenue_account.tax.<CrocoClick tax id or RATE%>, tracking.<category>."
    )


def _rest(key: str, beginning: str) -> str:
    """What follows in a key that begins so; nothing in any other."""
    return key.removeprefix(beginning) if key.startswith(beginning) else ""


def _tax_named(key: str, beginning: str) -> str:
    """The tax that a key ends in; raises WrongUsage for rates that are written in another way than ours."""
    name = _rest(key, beginning)
    if "%" in name and not (_RATE.fullmatch(name) and _ascending(name)):
        raise WrongUsage(
            f"{key}: write rates as plain decimals, smallest first, such as {beginning}20% or {beginning}5%+9.975%."
        )
    return name


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
    """The changes, ready to be stored (empty is mostly the default again); raises WrongUsage and then none counts."""
    for key, value in changes.items():
        known = setting(key)
        if value:
            _check(key, known, value)
    return {key: value if value or setting(key).may_be_empty else None for key, value in changes.items()}


def _check(key: str, known: Setting, value: str) -> Any:
    try:
        return known.check(value)
    except ValueError as error:
        raise WrongUsage(f"{key} must be {error}; it was {value!r}. Nothing was changed.") from error


@dataclass(frozen=True)
class CallLimits:
    """The limits that a connection keeps, in calls."""

    per_minute: int = 60
    per_day: int | None = None
    in_flight: int = 5
    backfill_share: float = 0.5


def value_of(stored: Mapping[str, str | None], key: str) -> Any:
    """The value in force, checked and typed."""
    known = setting(key)
    made = stored.get(key)
    return _check(key, known, known.default if made is None or not (made or known.may_be_empty) else made)


def rules(stored: Mapping[str, str | None], location_id: str) -> Rules:
    """What the planner may rely on, from the settings in force."""
    payment_accounts = {
        key.removeprefix("payment_account").removeprefix("."): value
        for key, value in stored.items()
        if key.startswith("payment_account") and value
    }
    taxes = _by_rest(stored, "tax.")
    untaxed = taxes.pop("none", "")
    return Rules(
        location_id=location_id,
        start_date=value_of(stored, "start_date"),
        statuses=value_of(stored, "statuses"),
        approval=value_of(stored, "approval"),
        revenue_account=stored.get(REVENUE_ACCOUNT) or "",
        product_accounts=_by_rest(stored, _PRODUCT_ACCOUNT),
        tax_accounts=_by_rest(stored, _TAX_ACCOUNT),
        tracking=_by_rest(stored, TRACKING),
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


def _by_rest(stored: Mapping[str, str | None], beginning: str) -> dict[str, str]:
    """The values of all keys that begin so, by the rest of the key."""
    return {rest: value for key, value in stored.items() if (rest := _rest(key, beginning)) and value}


def import_rules(stored: Mapping[str, str | None]) -> ImportRules:
    """What an import of contacts may rely on."""
    return ImportRules(value_of(stored, "import_suppliers"), value_of(stored, "import_without_email"))


def pace(stored: Mapping[str, str | None]) -> CallLimits:
    """The limits in force."""
    return CallLimits(
        per_minute=value_of(stored, "calls_per_minute"),
        per_day=value_of(stored, "calls_per_day"),
        in_flight=value_of(stored, "calls_in_flight"),
        backfill_share=value_of(stored, "backfill_share"),
    )
