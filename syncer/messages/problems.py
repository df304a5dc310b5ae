"""Causes as sentences: what is, with its names and amounts; for one record, and for a group of records alike.

A cause comes from our own check, or from Xero's words, which leave things out: a sentence says what it knows.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import InvalidOperation
from typing import Any

from syncer.domain.model.invoice import NO_ANSWER
from syncer.messages.format import STATUSES, count, day, moment, money

Facts = Mapping[str, Any]
Telling = Callable[[Facts], str]


@dataclass(frozen=True)
class Told:
    """One cause in words: for one record, as the second half of a sentence, and for a group of them."""

    sentence: Telling
    group: Telling | None = None


# -- pieces of sentences ------------------------------------------------------------------------------------------


def amount(facts: Facts, name: str) -> str:
    """An amount among the facts, in the currency of the record."""
    try:
        return money(str(facts.get(name, "0")), str(facts.get("currency", "")))
    except InvalidOperation:
        return str(facts.get(name))


def said(facts: Facts) -> str:
    """What Xero said, as it came."""
    messages = facts.get("messages") or [facts.get("message") or "no reason given"]
    return "; ".join(str(message) for message in messages)


def candidates(facts: Facts) -> list[Mapping[str, Any]]:
    """Those that a person may choose from."""
    return [one for one in facts.get("candidates") or [] if isinstance(one, Mapping)]


def _names(facts: Facts) -> str:
    return ", ".join(
        f"{one.get('name')} ({one.get('type') or one.get('email') or 'no email'})" for one in candidates(facts)
    )


def tax_name(facts: Facts) -> str:
    """The tax as the invoice names it, with its rate where the name does not say it."""
    name, rate = str(facts.get("tax") or ""), str(facts.get("rate") or "")
    if not name:
        return "no tax" if rate == "none" else rate or str(facts.get("tax_type") or "a tax")
    return name if not rate or rate.rstrip("%").replace(".", ",") in name.replace(".", ",") else f"{name} ({rate})"


def _carries(facts: Facts) -> str:
    return f"line {facts['line']} carries {tax_name(facts)}" if facts.get("line") else f"it carries {tax_name(facts)}"


def contact_name(facts: Facts) -> str:
    """The customer by name, else by email."""
    return str(facts.get("name") or facts.get("email") or "the customer")


def _payments(facts: Facts) -> str:
    number = int(facts.get("payments") or 1)
    return f"{count(number, 'payment')} {'is' if number == 1 else 'are'} missing there"


def _also(facts: Facts) -> str:
    """Xero's own words, where the cause comes from them and they say more."""
    return f" (“{said(facts)}”)" if facts.get("messages") or facts.get("message") else ""


# -- sentences that depend on the case ----------------------------------------------------------------------------

_CONTACT_WRONG = {
    "name_missing": "has neither a name, a company nor an email",
    "name_too_long": "has a name of more than 255 characters, which Xero does not take",
    "name_unprintable": "has a character in the name that nobody can see, and Xero does not take it",
    "name_brackets": "has angle brackets in the name, which Xero does not take",
    "email_malformed": "has an email that is not an address",
    "email_not_ascii": "has letters in the email that Xero does not take",
}
_LINE_WRONG = {
    "no_lines": "it has no lines",
    "no_description": "line {line} has neither a name nor a description",
    "description_too_long": "the text of line {line} is longer than the 4,000 characters that Xero takes",
    "amount_too_large": "one of its numbers is larger than any amount of money",
    "reference_too_long": "its reference is longer than the 255 characters that Xero takes",
}
_ACCOUNT_WRONG = {
    "unknown": "does not exist in Xero",
    "archived": "is archived in Xero",
    "not_for_sales": "cannot take invoice lines",
    "no_payments": "takes no payments in Xero",
    "other_currency": "is held in another currency",
}


def _line_invalid(facts: Facts) -> str:
    if template := _LINE_WRONG.get(str(facts.get("what")), ""):
        return template.format(line=facts.get("line", ""))
    return f"Xero does not take one of its lines{_also(facts)}"


def _account(facts: Facts) -> str:
    """An account by code and name."""
    code = str(facts.get("code") or facts.get("account") or "")
    return " ".join(part for part in (code, str(facts.get("name") or "")) if part) or "that is chosen"


def lines_meant(facts: Facts) -> str:
    """Which lines a setting of one product or tax is for; nothing for the one of all lines."""
    if facts.get("product"):
        return f"lines of {facts['product']}"
    if not facts.get("tax"):
        return ""
    return "lines without tax" if facts["tax"] == "none" else f"lines with {facts['tax']}"


def _chosen(facts: Facts) -> str:
    """An account, and for which lines it is chosen where it is not for all."""
    lines = lines_meant(facts)
    return f"the account {_account(facts)}, chosen for {lines}," if lines else f"the account {_account(facts)}"


def _account_invalid(facts: Facts) -> str:
    why = _ACCOUNT_WRONG.get(str(facts.get("why") or facts.get("reason")))
    return f"{_chosen(facts)} {why or f'is not accepted by Xero{_also(facts)}'}"


_TRACKING_WRONG = {
    "category_unknown": "Xero has no tracking category {category}",
    "category_archived": "the tracking category {category} is archived in Xero",
    "option_unknown": "the tracking category {category} has no option {option} in Xero",
    "option_archived": "the option {option} of the tracking category {category} is archived in Xero",
    "too_many": "Xero takes at most two tracking categories on a line, and the settings name more: {all}",
}


def _tracking_invalid(facts: Facts) -> str:
    told = {**facts, "all": ", ".join(facts.get("all") or ())}
    if template := _TRACKING_WRONG.get(str(facts.get("why")), ""):
        return template.format(**told)
    return (
        f"Xero does not take the tracking of its lines, {facts.get('chosen') or 'chosen by the settings'}{_also(facts)}"
    )


def _payment_account_invalid(facts: Facts) -> str:
    why = _ACCOUNT_WRONG.get(str(facts.get("why")))
    in_currency = f" in {facts['currency']}" if facts.get("currency") else ""
    return (
        f"{_payments(facts)}: the account {_account(facts)} {why}"
        if why
        else f"{_payments(facts)}: the account {_account(facts)} cannot take payments{in_currency}{_also(facts)}"
    )


def _contact_missing(facts: Facts) -> str:
    if facts.get("unknown"):
        return f"the Xero contact that {contact_name(facts)} is linked to is not there any more"
    if facts.get("create_contacts") is False:
        return f"{contact_name(facts)} is not in Xero and the settings do not allow creating contacts"
    return f"Xero finds no contact for it{_also(facts)}" if facts.get("messages") else "it names no CrocoClick contact"


def _contact_ambiguous(facts: Facts) -> str:
    found = candidates(facts)
    if not found:
        return f"another Xero contact uses the contact number of {contact_name(facts)}{_also(facts)}"
    return f"{len(found)} Xero contacts share {facts.get('email')}: {_names(facts)}"


def _contact_name_taken(facts: Facts) -> str:
    if facts.get("crococlick_id"):
        return f"another contact that this sync creates is also called {contact_name(facts)}"
    if not facts.get("xero_id"):
        return f"Xero has a contact called {contact_name(facts)} already"
    theirs = f"the email {facts['other_email']}" if facts.get("other_email") else "no email"
    ours = facts.get("email") or "no email"
    return f"Xero has a contact called {facts.get('name')} with {theirs}, and the CrocoClick contact has {ours}"


def _contact_invalid(facts: Facts) -> str:
    why = _CONTACT_WRONG.get(str(facts.get("what")))
    return f"the customer {contact_name(facts)} {why or f'is not a contact that Xero takes{_also(facts)}'}"


def _tax_unmapped(facts: Facts) -> str:
    if facts.get("mapped_to"):
        return f"{_carries(facts)} and Xero has no rate {facts['mapped_to']}, to which it is mapped"
    if not facts.get("rate"):
        return f"Xero wants a tax rate on one of its lines{_also(facts)}"
    would_not = f", and would not create one{_also({'messages': facts['would_not']})}" if facts.get("would_not") else ""
    return f"{_carries(facts)} and your Xero organisation has no sales tax rate for it{would_not}"


def _tax_archived(facts: Facts) -> str:
    if not candidates(facts):
        rate = f"the Xero tax rate {facts['tax_type']}" if facts.get("tax_type") else "the Xero tax rate"
        return f"{rate} is not in use any more{_also(facts)}"
    return f"{_carries(facts)} and the Xero rate for it, {_names(facts)}, is archived"


def _tax_not_for_account(facts: Facts) -> str:
    rate, account = facts.get("tax_type") or "on one of its lines", facts.get("account") or "that is chosen"
    return f"Xero does not allow the tax rate {rate} on the account {account}"


def _period_locked(facts: Facts) -> str:
    until = f" up to {_lock_day(facts)}" if facts.get("lock_date") else ""
    if facts.get("paid_on") or facts.get("of_payment"):
        dated = f" dated {day(facts['paid_on'])}" if facts.get("paid_on") else ""
        return f"{_payments(facts)}: Xero is locked{until}, and {amount(facts, 'amount')} is{dated or ' dated before that'}"
    if facts.get("in_xero"):
        return f"what has changed since cannot go: it is dated {day(facts.get('issue_date'))} and Xero is locked{until}"
    if facts.get("issue_date"):
        return f"it is dated {day(facts.get('issue_date'))} and Xero is locked{until}"
    return f"its date is in a period that is locked in Xero{until}"


def _lock_day(facts: Facts) -> str:
    written = str(facts.get("lock_date"))
    for form in ("%Y-%m-%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y"):
        with suppress(ValueError):
            return day(datetime.strptime(written, form).date())  # noqa: DTZ007 — a date has no zone
    return written


def _number_taken(facts: Facts) -> str:
    number = f"the number {facts['number']}" if facts.get("number") else "its number"
    if facts.get("crococlick_id"):
        whose = f" (for {facts['customer']})" if facts.get("customer") else ""
        if "still" in facts:
            return f"{number} is used already: in Xero our invoice {facts['still'] or 'without a number'}{whose} has it"
        return f"{number} is used already: an earlier CrocoClick invoice{whose} has it"
    if not facts.get("xero_id"):
        return f"{number} is used already in Xero"
    status = str(facts.get("xero_status") or "").lower()
    whose = f" for {facts['customer']}" if facts.get("customer") else ""
    worth = f" over {money(str(facts['xero_total']), str(facts['currency']))}" if facts.get("xero_total") else ""
    return f"{number} is used already: an invoice in Xero that is not ours ({status}{whose}{worth}) has it"


def _unreadable(facts: Facts) -> str:
    if facts.get("field") == NO_ANSWER:
        return f"CrocoClick does not show it when it is asked for: {facts.get('value')}"
    found = f", “{facts['value']}”," if facts.get("value") else ""
    return f"its field {facts.get('field')} in CrocoClick{found} {facts.get('reason')}"


def _total_mismatch(facts: Facts) -> str:
    if "in_xero" in facts:
        return (
            f"it is there with a total of {amount(facts, 'in_xero')} where {amount(facts, 'stated')} was sent "
            f"(tax {amount(facts, 'in_xero_tax')} and {amount(facts, 'stated_tax')})"
        )
    if "found" in facts and "expected" in facts:
        return f"Xero reckons {amount(facts, 'expected')} for a line where {amount(facts, 'found')} was sent"
    if "stated" not in facts:
        return f"Xero does not come to its total{_also(facts)}"
    same_tax = "stated_tax" not in facts or amount(facts, "stated_tax") == amount(facts, "tax")
    if same_tax and amount(facts, "stated") == amount(facts, "reckoned"):
        return f"Xero cannot come to {amount(facts, 'stated')} from its lines, even with a cent of rounding on each"
    if "stated_tax" in facts and amount(facts, "stated") == amount(facts, "reckoned"):
        return f"CrocoClick says the tax is {amount(facts, 'stated_tax')}, but its lines come to {amount(facts, 'tax')}"
    late = "; late fees are on, and a fee has no line" if facts.get("late_fees") else ""
    return (
        f"CrocoClick says {amount(facts, 'stated')}, but its lines come to {amount(facts, 'reckoned')} "
        f"(net {amount(facts, 'net')} and tax {amount(facts, 'tax')}){late}"
    )


def _payment_exceeds_due(facts: Facts) -> str:
    if facts.get("due"):
        beyond = f"; {amount(facts, 'unexplained')} is paid there that we did not enter" if _has_others(facts) else ""
        return (
            f"{_payments(facts)}: {amount(facts, 'amount')} is more than the {amount(facts, 'due')} still due in Xero"
            f"{beyond}"
        )
    return f"{_payments(facts)}: a payment is larger than what is still due in Xero"


def _has_others(facts: Facts) -> bool:
    return bool(facts.get("unexplained"))


_PAYMENT_CHANGES = {
    "amount": "from {before} to {now}",
    "date": "dated {before} there and {now} in CrocoClick",
    "invoice": "{before} belongs to another invoice in CrocoClick",
    "entered_elsewhere": "{before} is on another invoice in Xero",
    "removed": "{before} was removed in CrocoClick",
}


def payment_change(one: Mapping[str, Any], currency: str) -> str:
    """One thing that changed of a payment after it went: `from £100.00 to £120.00`."""
    told = {name: str(one.get(name) or "") for name in ("before", "now")}
    shown = {
        name: day(value) if one.get("what") == "date" else money(value or "0", currency) for name, value in told.items()
    }
    return _PAYMENT_CHANGES.get(str(one.get("what")), "").format(**shown)


def _payment_changed(facts: Facts) -> str:
    currency = str(facts.get("currency") or "")
    found = [payment_change(one, currency) for one in facts.get("changes") or []]
    number = max(1, len(found))
    told = f": {'; '.join(found)}" if found else ""
    kept = "; Xero keeps it, because it is reconciled there" if facts.get("reconciled") else ""
    return f"{count(number, 'payment')} changed in CrocoClick after {'it' if number == 1 else 'they'} went over{told}{kept}"


def _payment_mismatch(facts: Facts) -> str:
    if facts.get("same"):
        return (
            f"{amount(facts, 'unexplained')} is paid there that we did not enter, and it may be the same money as "
            f"the {amount(facts, 'amount')} that CrocoClick took"
        )
    if facts.get("bounced"):
        return f"{amount(facts, 'bounced')} that is entered there is not paid any more in CrocoClick"
    if not facts.get("paid"):
        return f"{_payments(facts)}: Xero does not take it{_also(facts)}"
    extras = f", with {amount(facts, 'extras')} of fees or tips beside the invoice" if facts.get("extras") else ""
    other = f"; some are in {facts['other_currency']}" if facts.get("other_currency") else ""
    return (
        f"CrocoClick says {amount(facts, 'paid')} is paid, but its transactions come to "
        f"{amount(facts, 'found')}{extras}{other}"
    )


UNKNOWN = "unknown"  # `by` of a change that the ledger cannot know the side of
FIELDS = {
    "number": "number",
    "contact": "customer",
    "issue_date": "date",
    "due_date": "due date",
    "currency": "currency",
    "total": "total",
    "tax": "tax",
    "paid": "amount paid",
    "due": "amount due",
    "status": "status",
}


def change(one: Mapping[str, Any], currency: str) -> str:
    """One thing that somebody changed in Xero: `due date from 2 Dec 2026 to 9 Dec 2026`."""
    name, before, now = _both(one, currency)
    return f"{name} from {before} to {now}"


def _both(one: Mapping[str, Any], currency: str) -> tuple[str, str, str]:
    """The name of a field and its two values, `before` and `now`."""
    field, before, now = str(one.get("field")), str(one.get("before")), str(one.get("now"))
    if field in ("total", "tax", "paid"):
        before, now = money(before, currency), money(now, currency)
    elif field in ("issue_date", "due_date"):
        before, now = day(before), day(now)
    return FIELDS.get(field, field), before or "none", now or "none"


def _changed_in_xero(facts: Facts) -> str:
    currency, found = str(facts.get("currency") or ""), facts.get("changes") or []
    by_somebody = [change(one, currency) for one in found if one.get("by") != UNKNOWN]
    apart = [_apart(one, currency) for one in found if one.get("by") == UNKNOWN]
    parts = [f"somebody changed it there: {', '.join(by_somebody)}"] if by_somebody else []
    if apart:
        which = "which of them changed it" if len(apart) == 1 else "which of them changed"
        parts.append(f"{', '.join(apart)}; this ledger does not know {which}")
    return "; ".join(parts) or f"somebody changed it there{_also(facts)}"


def _apart(one: Mapping[str, Any], currency: str) -> str:
    """One thing that the books have otherwise: `Xero has the due date 9 Dec 2026, CrocoClick 2 Dec 2026`."""
    name, ours, theirs = _both(one, currency)
    return f"Xero has the {name} {theirs}, CrocoClick {ours}"


def _is_unknown(facts: Facts) -> bool:
    """Whether it is known of nothing that somebody changed it in Xero."""
    found = facts.get("changes") or []
    return bool(found) and all(one.get("by") == UNKNOWN for one in found)


def _deleted(facts: Facts) -> str:
    return "CrocoClick has it no more" if facts.get("in_xero") else "it was deleted in CrocoClick"


def _status_not_selected(facts: Facts) -> str:
    status = STATUSES.get(str(facts.get("status")), str(facts.get("status")))
    if facts.get("in_xero"):
        return f"it is {status} in CrocoClick, and the settings do not carry that over"
    return f"invoices with the status {status} are not sent"


def _paused(facts: Facts) -> str:
    by, because = facts.get("by"), facts.get("because")
    since = f" since {moment(datetime.fromisoformat(facts['since']))}" if facts.get("since") else ""
    return f"the connection is paused{since}{f' by {by}' if by else ''}{f': “{because}”' if because else ''}"


def _shrunk(facts: Facts) -> str:
    if not facts.get("before"):
        return "CrocoClick shows far fewer invoices than before"
    return f"CrocoClick shows {count(int(facts.get('seen') or 0), 'invoice')} where there were {int(facts['before']):,}"


def _missing_permission(facts: Facts) -> str:
    missing = f": {', '.join(facts['missing'])}" if facts.get("missing") else ""
    return f"the consent lacks a permission that the sync needs{missing}"


def _service(facts: Facts) -> str:
    return "CrocoClick" if facts.get("side") == "crococlick" else "Xero"


CAUSE: Mapping[str, Told] = {
    # -- the connection
    "not_connected": Told(lambda f: "Xero is not connected"),
    "crococlick_not_connected": Told(lambda f: "CrocoClick is not connected"),
    "xero_app_missing": Told(lambda f: "no Xero app is configured"),
    "vault_unreadable": Told(lambda f: "the stored tokens cannot be read with this key"),
    "consent_revoked": Told(lambda f: "the consent that Xero had given has ended"),
    "scope_missing": Told(_missing_permission),
    "role_missing": Told(lambda f: "the person who connected Xero may not do this there"),
    "wrong_organisation": Told(lambda f: "this Xero organisation is no longer connected, though others are"),
    "crococlick_token_refused": Told(lambda f: "CrocoClick does not accept our token any more"),
    "crococlick_scope_missing": Told(
        lambda f: f"the CrocoClick token lacks a permission{': ' + str(f['scope']) if f.get('scope') else ''}"
    ),
    "crococlick_wrong_location": Told(lambda f: "the CrocoClick token belongs to another location"),
    "crococlick_refused": Told(
        lambda f: f"CrocoClick does not answer this question{': ' + str(f['message']) if f.get('message') else ''}"
    ),
    "source_shrunk": Told(_shrunk),
    "paused": Told(_paused),
    # -- not eligible
    "status_not_selected": Told(_status_not_selected),
    "before_start_date": Told(
        lambda f: f"it was issued on {day(f.get('issue_date'))}, before the start date {day(f.get('start_date'))}"
    ),
    "test_mode": Told(lambda f: "it was made in CrocoClick's test mode"),
    "void_before_sync": Told(lambda f: "it was void before it ever went over"),
    "skipped_by_person": Told(
        lambda f: (
            f"{f.get('by') or 'somebody'} chose to skip it{': ' + str(f['because']) if f.get('because') else ''}"
            f"{' (until ' + day(f['until']) + ')' if f.get('until') else ''}"
        ),
        lambda f: f"Skipped: {f.get('because') or 'no reason given'}",
    ),
    # -- the customer
    "contact_missing": Told(
        _contact_missing,
        lambda f: (
            f"The Xero contact of {contact_name(f)} is gone" if f.get("unknown") else "The customer is not in Xero"
        ),
    ),
    "contact_ambiguous": Told(
        _contact_ambiguous,
        lambda f: (
            f"{len(candidates(f))} Xero contacts share {f.get('email')}"
            if candidates(f)
            else f"Another Xero contact uses the contact number of {contact_name(f)}"
        ),
    ),
    "contact_name_taken": Told(_contact_name_taken, lambda f: f"Another Xero contact is called {contact_name(f)}"),
    "contact_archived": Told(
        lambda f: f"its Xero contact {contact_name(f)} is archived",
        lambda f: f"The Xero contact {contact_name(f)} is archived",
    ),
    "contact_invalid": Told(_contact_invalid),
    # -- tax
    "tax_unmapped": Told(_tax_unmapped, lambda f: f"{tax_name(f)} has no tax rate in Xero"),
    "tax_ambiguous": Told(
        lambda f: f"{_carries(f)} and several Xero rates fit: {_names(f)}",
        lambda f: f"Several Xero rates fit {tax_name(f)}",
    ),
    "tax_archived": Told(_tax_archived, lambda f: f"The Xero rate for {tax_name(f)} is archived"),
    "tax_wrong_side": Told(
        lambda f: f"{_carries(f)} and the only Xero rate for it, {_names(f)}, is for purchases",
        lambda f: f"{tax_name(f)} has only a purchase rate in Xero",
    ),
    "tax_not_for_account": Told(_tax_not_for_account),
    # -- currency
    "currency_not_enabled": Told(
        lambda f: (
            f"{f.get('currency') or 'its currency'} is not enabled in Xero"
            f"{', and would not be added' + _also({'messages': f['would_not']}) if f.get('would_not') else ''}"
        ),
        lambda f: f"{f.get('currency') or 'A currency'} is not enabled in Xero",
    ),
    "currency_not_in_plan": Told(
        lambda f: (
            "the organisation's Xero plan has no currencies besides its own, and this invoice is in "
            f"{f.get('currency') or 'another'}"
        ),
        lambda f: f"The Xero plan does not allow {f.get('currency') or 'another currency'}",
    ),
    # -- accounts
    "account_missing": Told(
        lambda f: (
            f"Xero wants an account on one of its lines{_also(f)}"
            if f.get("messages")
            else "no revenue account is chosen"
        ),
        lambda f: "No revenue account is chosen",
    ),
    "account_invalid": Told(_account_invalid, lambda f: f"{_chosen(f)} cannot be used"),
    "tracking_invalid": Told(_tracking_invalid),
    "payment_account_missing": Told(
        lambda f: f"{_payments(f)}: no account is chosen for payments in {f.get('currency') or 'its currency'}",
        lambda f: f"No account is chosen for payments in {f.get('currency') or 'one currency'}",
    ),
    "payment_account_invalid": Told(
        _payment_account_invalid, lambda f: f"Payments are missing: the account {_account(f)} cannot take them"
    ),
    # -- the document
    "invoice_unreadable": Told(_unreadable, lambda f: "It cannot be read"),
    "period_locked": Told(
        _period_locked, lambda f: f"Xero is locked{' up to ' + _lock_day(f) if f.get('lock_date') else ''}"
    ),
    "number_taken": Told(_number_taken, lambda f: "Invoice number already used"),
    "number_invalid": Told(
        lambda f: (
            f"its number {f.get('number')} has characters that Xero does not take"
            if f.get("number")
            else "it has no number"
        ),
        lambda f: "Xero does not take its number",
    ),
    "plan_invoice_cap": Told(
        lambda f: "the organisation's Xero plan allows no more approved invoices this month",
        lambda f: "The Xero plan allows no more invoices this month",
    ),
    "total_mismatch": Told(
        _total_mismatch,
        lambda f: "Totals differ in Xero" if "in_xero" in f else "Its total does not follow from its lines",
    ),
    "negative_total": Told(
        lambda f: (
            f"its total is negative ({amount(f, 'total')})" if f.get("total") else "Xero finds its total negative"
        ),
        lambda f: "Negative total",
    ),
    "line_invalid": Told(_line_invalid, lambda f: "Xero would reject a line"),
    "due_date_missing": Told(lambda f: "it has no due date, and Xero requires one", lambda f: "No due date"),
    "issue_date_missing": Told(lambda f: "it has no issue date", lambda f: "It has no issue date"),
    # -- document state
    "payment_exceeds_due": Told(_payment_exceeds_due, lambda f: "Payments are larger than what is due in Xero"),
    "payment_mismatch": Told(_payment_mismatch, lambda f: "Payments do not add up to what CrocoClick says is paid"),
    "payment_changed": Told(_payment_changed, lambda f: "Payments changed in CrocoClick after they went over"),
    "awaiting_approval": Told(
        lambda f: (
            f"{_payments(f)}: the invoice {'is a draft' if f.get('xero_status') == 'DRAFT' else 'waits for approval'} "
            "in Xero, which takes payments of approved invoices only"
        ),
        lambda f: "Payments wait until somebody approves the invoice in Xero",
    ),
    "refund_needs_person": Told(
        lambda f: f"{amount(f, 'refunded')} was refunded in CrocoClick", lambda f: "A refund waits to be booked in Xero"
    ),
    "edited_after_payment": Told(
        lambda f: (
            "it was edited in CrocoClick after a payment, and Xero does not change an invoice that has one"
            f"{' (' + amount(f, 'paid') + ' is paid there)' if f.get('paid') else ''}"
        ),
        lambda f: "Edited in CrocoClick after a payment",
    ),
    "void_with_payments": Told(
        lambda f: (
            f"it is void in CrocoClick, but {amount(f, 'paid')} is paid in Xero"
            if f.get("paid")
            else "it is void in CrocoClick, but has payments in Xero"
        ),
        lambda f: "Void in CrocoClick, but paid in Xero",
    ),
    "changed_in_xero": Told(
        _changed_in_xero,
        lambda f: "Xero has it otherwise than CrocoClick" if _is_unknown(f) else "Somebody changed it in Xero",
    ),
    "removed_in_xero": Told(
        lambda f: f"somebody {'deleted' if f.get('xero_status') == 'DELETED' else 'voided'} it there",
        lambda f: "Somebody removed it in Xero",
    ),
    "deleted_in_crococlick": Told(_deleted, lambda f: "CrocoClick has it no more"),
    # -- heals by itself
    "rate_limited_minute": Told(lambda f: f"{_service(f)}'s limit of calls a minute was reached"),
    "rate_limited_day": Told(
        lambda f: (
            "the share of today's calls to Xero that old invoices may use is used up"
            if "share" in f
            else f"today's calls to {_service(f)} are used up"
        )
    ),
    "xero_unavailable": Told(lambda f: "Xero did not answer"),
    "crococlick_unavailable": Told(lambda f: "CrocoClick did not answer"),
    "answer_lost": Told(lambda f: "it was sent, and Xero's answer is not known yet"),
    "rejected_by_xero": Told(lambda f: f"Xero does not take it: “{said(f)}”", lambda f: f"Xero says: “{said(f)}”"),
}


def cause_sentence(code: str, facts: Facts | None = None) -> str:
    """What is, as the second half of a sentence: `line 2 carries TVA 5,5 % and …`."""
    told = CAUSE.get(code)
    return told.sentence(facts or {}) if told else code.replace("_", " ")


def group_sentence(code: str, facts: Facts | None = None) -> str:
    """What a group of records has in common, as a sentence of its own."""
    told = CAUSE.get(code)
    if told is None:
        return code.replace("_", " ")
    sentence = (told.group or told.sentence)(facts or {})
    return sentence[:1].upper() + sentence[1:]
