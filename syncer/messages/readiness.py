"""The readiness report in sentences: what was found, and whose the next step is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from syncer.domain.mapping.tax_rates import usable
from syncer.domain.model.books import Books
from syncer.domain.model.problems import Who
from syncer.domain.model.sync_settings import TRACKING
from syncer.domain.readiness.checks import MONTHLY, Check, Level
from syncer.messages.format import WHO, count, day, monies
from syncer.messages.problems import Facts, group_sentence, lines_meant
from syncer.messages.remedies import OrderChoice, Remedy, remedy
from syncer.messages.status import SCOPES

MARKS: Mapping[str, tuple[str, str]] = {
    "pass": ("✓", "Right"),
    "warn": ("△", "Worth a look"),
    "fail": ("✕", "Must be mended"),
    "unknown": ("?", "Not known"),
}

# The report's chapters, each with its checks in their order.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Connection": (
        "xero_connection", "xero_scopes", "xero_role", "organisation", "crococlick_connection", "crococlick_scopes",
        "time_zone", "source_shrunk",
    ),
    "Accounts": ("revenue_account", "tracking", "payment_account", "rounding_account"),
    "Taxes": ("tax",),
    "Currencies": ("currency",),
    "Documents": ("start_date", "lock_date", "dates", "number", "totals", "in_xero", "refused", "unreadable"),
    "Contacts": ("contact", "duplicates", "contact_import"),
    "Budget": ("plan_cap", "budget"),
}  # fmt: skip

_TOKEN: Mapping[str, str] = {"contacts": "contacts", "transactions": "payments"}
_ACTIONS: Mapping[str, str] = {"CreateApprovedInvoice": "approve invoices", "CreateInvoicePayment": "enter payments"}


def sentence(check: Check) -> str:
    """What was found, in one sentence."""
    cause = str(check.facts.get("cause") or "")
    told = _BY_LEVEL.get((check.code, str(check.level)))
    if told:
        return told(check.facts)
    if cause in _OF_SEVERAL:
        return _OF_SEVERAL[cause]
    if cause:
        return f"{group_sentence(cause, check.facts)}."
    return f"{check.code.replace('_', ' ').capitalize()}."


def next_step(check: Check, books: Books | None = None) -> Remedy | None:
    """Who does what; None where nothing is to be done."""
    if check.level is Level.PASS:
        return None
    if cause := str(check.facts.get("cause") or ""):
        return remedy(cause, check.facts, "", books)
    if (found := _STEPS.get(check.code)) is None:
        return None
    who, say, answers = found
    return Remedy(WHO[who], say(check.facts), answers)


def hangs(check: Check) -> str:
    """What hangs on a check: `6 invoices worth €5,120.00`; nothing where nothing does."""
    if not check.invoices:
        return ""
    worth = f" worth {monies(check.money)}" if check.money else ""
    return f"{count(check.invoices, 'invoice')}{worth}"


def verdict(checks: Sequence[Check], stopped: int, money: Mapping[str, Any]) -> str:
    """The one sentence over the report; `stopped` invoices worth `money` wait for what fails."""
    failed = sum(1 for check in checks if check.level is Level.FAIL)
    looks = sum(1 for check in checks if check.level in (Level.WARN, Level.UNKNOWN))
    also = f" {count(looks, 'thing')} {'is' if looks == 1 else 'are'} worth a look." if looks else ""
    if not failed:
        return f"Ready: nothing stops an invoice.{also}"
    things = f"{count(failed, 'thing')} stop{'s' if failed == 1 else ''}"
    if not stopped:
        return f"Not ready: {count(failed, 'thing')} must be mended first.{also}"
    return f"Not ready: {things} {count(stopped, 'invoice')} worth {monies(money)}.{also}"


def choices(key: str, books: Books | None) -> list[OrderChoice]:
    """What a setting may be, from the books: each an answer that sets it, named as Xero names it."""
    if key.startswith("revenue_account"):
        return _answers("account_missing", {"setting": key}, books)
    if key.startswith(TRACKING):
        named = {"setting": key, "category": key.removeprefix(TRACKING)}
        return [one for one in _answers("tracking_invalid", named, books) if one.said[key]]
    if key.startswith("payment_account."):
        return _answers("payment_account_missing", {"currency": key.removeprefix("payment_account.")}, books)
    if key == "tax.none" and books:
        fitting = [rate for rate in books.tax_rates if usable(rate) and not rate.effective_rate]
        return [OrderChoice(f"{rate.name} ({rate.type})", "map", {key: rate.type}) for rate in fitting]
    if key.startswith("tax."):
        return _answers("tax_ambiguous", {"rate": key.removeprefix("tax.")}, books)
    return []


def _answers(code: str, facts: Facts, books: Books | None) -> list[OrderChoice]:
    found = remedy(code, facts, "", books)
    return [*found.answers] if found else []


def setting_of(check: Check) -> str:
    """The setting that decides a check, where one does."""
    if check.code == "tax":
        return f"tax.{check.facts.get('rate') or 'none'}"
    if check.code == "payment_account":
        return f"payment_account.{check.subject}"
    if check.code == "currency":
        return "create_currencies" if check.facts.get("cause") == "currency_not_enabled" else ""
    if check.code in ("revenue_account", "tracking"):
        return check.subject or check.code
    return check.code if check.code == "start_date" else ""


# -- sentences ------------------------------------------------------------------------------------------------------

Say = Callable[[Facts], str]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"


def _scopes(facts: Facts) -> str:
    missing = [SCOPES[scope][0].lower() if scope in SCOPES else scope for scope in facts.get("missing") or ()]
    return f"The consent at Xero lacks: {_listed(missing)}."


def _organisation(facts: Facts) -> str:
    return (
        f"Invoices go to {facts.get('name')} in {facts.get('country') or 'an unknown country'}, "
        f"which keeps its books in {facts.get('base_currency')}."
    )


def _other_currency(facts: Facts) -> str:
    return f"{_organisation(facts)[:-1]}; most of the money on the invoices is in {facts.get('most')}."


def _booked(facts: Facts) -> str:
    lines = lines_meant(facts) or "lines"
    account = " ".join(str(facts[name]) for name in ("account", "name") if facts.get(name))
    return f"{lines[:1].upper()}{lines[1:]} are booked on {account}."


def _tax(facts: Facts) -> str:
    name = _tax_name(facts)
    if facts.get("how") == "created":
        return f"{name} is not in Xero yet and will be created there."
    chosen = " by the settings" if facts.get("how") == "mapped" else ""
    return f"{name} becomes {facts.get('name')} in Xero{chosen}."


def _tax_name(facts: Facts) -> str:
    if facts.get("rate") in (None, "", "none"):
        return "A line without tax"
    return str(facts.get("tax") or facts.get("rate"))


def _currency(facts: Facts) -> str:
    told = {
        "base": "is the currency of the books",
        "enabled": "is enabled in Xero",
        "created": "is not in Xero yet and will be added there",
    }
    return f"{facts.get('currency')} {told.get(str(facts.get('how')), 'can be used')}."


def _lock(facts: Facts) -> str:
    lock = facts.get("lock_date")
    return (
        f"No invoice is dated in a locked period; Xero is locked up to {day(lock)}."
        if lock
        else "Nothing is locked in Xero."
    )


def _import(facts: Facts) -> str:
    done = sum(int(facts.get(name) or 0) for name in ("created", "linked", "unchanged", "updated"))
    return f"{count(done, 'Xero contact')} {'is' if done == 1 else 'are'} linked, {int(facts.get('left_out') or 0):,} left out."


def _import_conflicts(facts: Facts) -> str:
    number = int(facts.get("conflict") or 0)
    if not facts:
        return "Contacts have not been imported yet."
    return f"{count(number, 'Xero contact')} {'needs' if number == 1 else 'need'} a look before {'it is' if number == 1 else 'they are'} imported."


def _calls(facts: Facts) -> str:
    calls, minutes = int(facts.get("calls") or 0), int(facts.get("minutes") or 0)
    left = facts.get("day_left")
    price = (
        f"The first sync takes {count(calls, 'Xero call')}, about {count(max(minutes, 1), 'minute')}"
        if calls
        else "The next sync takes no Xero call"
    )
    return (
        f"{price}; {left:,} are left today."
        if isinstance(left, int)
        else f"{price}; what is left today is not known yet."
    )


def _too_many_calls(facts: Facts) -> str:
    return f"{_calls(facts)} It goes on by itself when Xero allows calls again."


def _cap(facts: Facts) -> str:
    room = max(0, MONTHLY - int(facts.get("approved") or 0))
    plan = str(facts.get("plan")).title()
    return f"The plan {plan} approves {MONTHLY} invoices a month, and this month has room for {room or 'none'}{' more' if room else ''}."


def _cap_passed(facts: Facts) -> str:
    plan = str(facts.get("plan") or "").title()
    return (
        f"Your Xero plan ({plan}) has room for all waiting invoices."
        if plan
        else "Your Xero plan has room for all waiting invoices."
    )


def _records(facts: Facts) -> str:
    told = [f"{one.get('number') or 'one without a number'} ({one.get('what')})" for one in facts.get("records") or ()]
    return f"Some invoices cannot be read: {_listed(told[:5])}."


_BY_LEVEL: Mapping[tuple[str, str], Say] = {
    ("xero_connection", "pass"): lambda f: f"Xero is connected to {f.get('name')}.",
    ("xero_scopes", "pass"): lambda f: "The consent at Xero has every permission that is needed.",
    ("xero_scopes", "fail"): _scopes,
    ("xero_role", "pass"): lambda f: "The person who connected Xero may approve invoices and enter payments there.",
    ("xero_role", "unknown"): lambda f: "Xero does not say what the person who connected may do there.",
    ("xero_role", "fail"): lambda f: (
        f"The person who connected Xero may not {_ACTIONS.get(str(f.get('action')), 'do this')} there, "
        "or the plan does not allow it."
    ),
    ("organisation", "pass"): _organisation,
    ("organisation", "warn"): _other_currency,
    ("crococlick_connection", "pass"): lambda f: f"CrocoClick is connected to {f.get('location') or 'the location'}.",
    ("crococlick_scopes", "pass"): lambda f: "The CrocoClick token may read invoices, payments and contacts.",
    ("crococlick_scopes", "fail"): lambda f: (
        f"The CrocoClick token may not read {_listed([_TOKEN.get(one, one) for one in f.get('missing') or ()])}."
    ),
    ("time_zone", "pass"): lambda f: f"Dates are read in {str(f.get('timezone')).replace('_', ' ')}.",
    ("time_zone", "fail"): lambda f: "The CrocoClick location has no time zone by which its dates can be read.",
    ("revenue_account", "pass"): _booked,
    ("revenue_account", "warn"): lambda f: f"{group_sentence(str(f.get('cause')), f)}; no waiting invoice needs it.",
    ("tracking", "pass"): lambda f: f"Every line gets {f.get('option')} in the tracking category {f.get('category')}.",
    ("tracking", "unknown"): lambda f: "Xero's tracking categories have not been read yet.",
    ("payment_account", "pass"): lambda f: (
        f"Payments in {f.get('currency')} go to {f.get('name') or f.get('account')}."
    ),
    ("payment_account", "warn"): lambda f: (
        f"{group_sentence(str(f.get('cause')), f)}; nothing has been paid in it yet."
    ),
    ("rounding_account", "pass"): lambda f: f"Rounding lines are booked on {f.get('account')} {f.get('name')}.",
    ("rounding_account", "warn"): lambda f: (
        f"The rounding account {f.get('account')} is not an active account in Xero: an invoice that needs a rounding "
        "line would be held."
    ),
    ("source_shrunk", "fail"): lambda f: (
        f"CrocoClick showed {f.get('seen')} {'contacts' if f.get('cause') == 'contacts_shrunk' else 'invoices'} where "
        f"{f.get('before')} were known."
    ),
    ("tax", "pass"): _tax,
    ("currency", "pass"): _currency,
    ("start_date", "pass"): lambda f: (
        f"Invoices from {day(f['start_date'])} on go over."
        if f.get("start_date")
        else "No invoice is older than a year."
    ),
    ("start_date", "warn"): lambda f: (
        f"No start date is set, and invoices back to {day(f.get('first'))} would go over."
    ),
    ("lock_date", "pass"): _lock,
    ("dates", "pass"): lambda f: "Every invoice has the dates that Xero requires.",
    ("number", "pass"): lambda f: "Every number is free in Xero and one that it takes.",
    ("totals", "pass"): lambda f: "Every total comes out to the cent.",
    ("in_xero", "pass"): lambda f: "Invoices already in Xero match.",
    ("refused", "pass"): lambda f: "Xero has refused nothing.",
    ("unreadable", "fail"): _records,
    ("contact", "pass"): lambda f: (
        f"Every customer is known in Xero or will be created there ({int(f.get('customers') or 0):,} in all)."
    ),
    ("duplicates", "pass"): lambda f: "No email stands on several contacts.",
    ("duplicates", "warn"): lambda f: (
        f"{count(int(f.get('groups') or 0), 'email')} stand{'s' if f.get('groups') == 1 else ''} on several contacts."
    ),
    ("contact_import", "pass"): _import,
    ("contact_import", "warn"): _import_conflicts,
    ("plan_cap", "pass"): _cap_passed,
    ("plan_cap", "fail"): _cap,
    ("plan_cap", "unknown"): lambda f: (
        f"The plan {str(f.get('plan')).title()} may approve only {MONTHLY} invoices a month."
    ),
    ("budget", "pass"): _calls,
    ("budget", "warn"): _too_many_calls,
    ("budget", "unknown"): _calls,
    **{
        (code, "unknown"): (lambda f: "Not looked at, since the connection comes first.")
        for codes in GROUPS.values()
        for code in codes
        if code not in ("xero_role", "tracking", "plan_cap", "budget")
    },
}

# Causes that several invoices have each for itself, so that no name or amount speaks for all.
_OF_SEVERAL: Mapping[str, str] = {
    "due_date_missing": "A due date is missing, and Xero requires one.",
    "issue_date_missing": "An issue date is missing.",
    "number_taken": "A number is used already.",
    "number_invalid": "A number is not one that Xero takes.",
    "total_mismatch": "A total does not come out to the cent.",
    "negative_total": "A total is negative.",
    "line_invalid": "Xero would reject a line.",
    "contact_missing": "A customer is not known in Xero and cannot be created there.",
    "contact_invalid": "A customer has something that Xero does not take.",
}

_CONNECT = (OrderChoice("Connect Xero", "connect", advised=True),)

_STEPS: Mapping[str, tuple[Who, Say, tuple[OrderChoice, ...]]] = {
    "xero_scopes": (Who.ADMIN, lambda f: "Connect Xero again and allow everything that is asked for.", _CONNECT),
    "xero_role": (
        Who.ADMIN, lambda f: "Let somebody with the Standard or Adviser role connect Xero, or move to a larger plan.",
        _CONNECT,
    ),
    "organisation": (Who.ADMIN, lambda f: "Make sure that this is the right organisation before the first sync.", ()),
    "crococlick_scopes": (
        Who.ADMIN, lambda f: "In CrocoClick, give the private integration the scopes that `.env.example` lists.", (),
    ),
    "time_zone": (Who.ADMIN, lambda f: "Set the time zone in CrocoClick, under Settings, Business Profile.", ()),
    "rounding_account": (Who.ADMIN, lambda f: "Choose another account (setting `rounding_account`).", ()),
    "start_date": (
        Who.ADMIN, lambda f: "Set `start_date` to the first day whose invoices should be in Xero, if not all should.", (),
    ),
    "unreadable": (Who.SUPPORT, lambda f: "Open and save these invoices in CrocoClick, then check again.", ()),
    "duplicates": (Who.SUPPORT, lambda f: "Say on the Contacts page which of them are the same.", ()),
    "contact_import": (
        Who.SUPPORT,
        lambda f: "Answer for them on the Contacts page." if f else "Import them: `python -m syncer import-contacts`.",
        (),
    ),
    "plan_cap": (Who.ACCOUNTANT, lambda f: "Move to a larger Xero plan, or let the rest wait for the next month.", ()),
    "budget": (Who.NOBODY, lambda f: "Nothing to do: the sync stops at the limit and goes on the next day.", ()),
}  # fmt: skip
