"""Codes to plain sentences and next steps, for both terminal and screen.

A cause says what is, with its names and amounts; a remedy says who does what, where. `order` are the words for
`python -m syncer` where we can do it ourselves, else None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncer.core.causes import CAUSES, Who
from syncer.core.money import decimals, fits, round_to, text

Facts = Mapping[str, Any]

SIGNS = {"EUR": "€", "GBP": "£", "JPY": "¥"}

WHO: Mapping[Who, str] = {
    Who.SUPPORT: "you",
    Who.CUSTOMER: "the customer",
    Who.ACCOUNTANT: "the accountant",
    Who.ADMIN: "an administrator",
    Who.NOBODY: "nobody: it heals by itself",
}

STATES: Mapping[str, tuple[str, str]] = {
    "synced": ("✓", "In Xero"),
    "waiting": ("…", "Waiting"),
    "held": ("✕", "Needs a person"),
    "retrying": ("↻", "Heals by itself"),
    "in_doubt": ("↻", "Being checked"),
    "skipped": ("⏸", "Skipped"),
    "not_eligible": ("–", "Not eligible"),
}

STATUSES: Mapping[str, str] = {
    "draft": "draft",
    "sent": "sent",
    "payment_processing": "payment under way",
    "partially_paid": "partly paid",
    "paid": "paid",
    "void": "void",
}


def money(amount: Decimal | str, currency: str) -> str:
    """An amount as people write it: `€1,266.00`, `USD 12.50`, `-£3.00`."""
    number = Decimal(amount)
    places = decimals(currency)
    digits = f"{round_to(abs(number), places):,}" if fits(number, places) else f"{Decimal(text(abs(number))):,}"
    sign = SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if number < 0 else ''}{sign}{digits}"


def day(value: date | str | None) -> str:
    """A date as people read it: `21 Nov 2026`."""
    if not value:
        return "no date"
    found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{found.day} {found:%b %Y}"


def moment(value: datetime | None) -> str:
    """A time as people read it, in the zone it carries; without a viewer's zone that is `21 Nov 10:03 UTC`."""
    if value is None:
        return "never"
    return f"{value.day} {value:%b %H:%M}{'' if value.utcoffset() else ' UTC'}"


def ago(value: datetime, now: datetime) -> str:
    """How long ago, in the one unit that matters."""
    seconds = max(0, int((now - value).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def count(number: int, one: str, many: str = "") -> str:
    """`1 invoice`, `2,148 invoices`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def monies(sums: Mapping[str, Decimal]) -> str:
    """Money in several currencies, each for itself: `€8,412.60 and USD 12.50`."""
    told = [money(amount, currency) for currency, amount in sorted(sums.items()) if amount]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def needs_somebody(held: int, sums: Mapping[str, Decimal], healing: int) -> str:
    """The verdict on everything that is open: `12 invoices worth €8,412.60 need somebody. 3 heal by themselves.`"""
    worth = f" worth {monies(sums)}" if monies(sums) else ""
    first = f"{count(held, 'invoice')}{worth} {'needs' if held == 1 else 'need'} somebody." if held else ""
    heals = f"{healing:,} {'heals by itself' if healing == 1 else 'heal by themselves'}." if healing else ""
    if healing and not held:
        heals = f"Nothing needs you. {heals}"
    return " ".join(part for part in (first, heals) if part) or "Nothing needs you."


@dataclass(frozen=True)
class Remedy:
    """The next step: whose it is, what to do, and the order where we can do it."""

    who: str
    sentence: str
    order: list[str] | None = None


@dataclass(frozen=True)
class Told:
    """One cause in words: for one record (`sentence`), for a group of them (`group`), and what to do."""

    sentence: Callable[[Facts], str]
    remedy: Callable[[Facts], str]
    order: Callable[[Facts], list[str] | None] = lambda facts: None
    group: Callable[[Facts], str] | None = None


def _amount(facts: Facts, name: str) -> str:
    try:
        return money(str(facts.get(name, "0")), str(facts.get("currency", "")))
    except InvalidOperation:
        return str(facts.get(name))


def _names(facts: Facts) -> str:
    found = [f"{one.get('name')} ({one.get('type') or one.get('email') or 'no email'})" for one in _candidates(facts)]
    return ", ".join(found)


def _candidates(facts: Facts) -> list[Mapping[str, Any]]:
    return [one for one in facts.get("candidates") or [] if isinstance(one, Mapping)]


def _tax(facts: Facts) -> str:
    """The tax as the invoice names it, with its rate where the name does not say it."""
    name, rate = str(facts.get("tax") or ""), str(facts.get("rate") or "")
    if not name:
        return "no tax" if rate == "none" else rate
    return name if not rate or rate.rstrip("%").replace(".", ",") in name.replace(".", ",") else f"{name} ({rate})"


def _line(facts: Facts) -> str:
    return f"line {facts['line']} carries" if facts.get("line") else "it carries"


def _tax_setting(facts: Facts) -> str:
    return f"tax.{facts.get('rate')}"


def _contact(facts: Facts) -> str:
    return str(facts.get("name") or facts.get("email") or "the customer")


_CONTACT_WRONG = {
    "name_missing": "has neither a name, a company nor an email",
    "name_too_long": "has a name of more than 255 characters, which Xero does not take",
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


def _line_wrong(facts: Facts) -> str:
    template = _LINE_WRONG.get(str(facts.get("what")), "")
    if template:
        return template.format(line=facts.get("line", ""))
    return f"Xero does not take one of its lines ({_said(facts)})"


def _said(facts: Facts) -> str:
    messages = facts.get("messages") or [facts.get("message") or "no reason given"]
    return "; ".join(str(message) for message in messages)


def _number_owner(facts: Facts) -> str:
    if facts.get("crococlick_id"):
        return f"an earlier CrocoClick invoice (for {facts.get('customer') or 'another customer'}) has it"
    status = str(facts.get("xero_status") or "").lower()
    return f"an invoice in Xero that is not ours{f' ({status})' if status else ''} has it"


def _payments(facts: Facts) -> str:
    number = int(facts.get("payments") or 1)
    return f"{count(number, 'payment')} {'is' if number == 1 else 'are'}"


def _mismatch(facts: Facts) -> str:
    if "in_xero" in facts:
        return (
            f"it is in Xero with a total of {_amount(facts, 'in_xero')} where {_amount(facts, 'stated')} was sent "
            f"(tax {_amount(facts, 'in_xero_tax')} and {_amount(facts, 'stated_tax')})"
        )
    if "stated_tax" in facts and facts.get("stated") == facts.get("reckoned"):
        return (
            f"CrocoClick says the tax is {_amount(facts, 'stated_tax')}, but its lines come to {_amount(facts, 'tax')}"
        )
    return (
        f"CrocoClick says {_amount(facts, 'stated')}, but its lines come to {_amount(facts, 'reckoned')} "
        f"(net {_amount(facts, 'net')} and tax {_amount(facts, 'tax')})"
        f"{'; late fees are on, and a fee has no line' if facts.get('late_fees') else ''}"
    )


def _limit_wait(facts: Facts) -> str:
    return "It is tried again by itself."


_MAP_TAX = "Choose the Xero sales rate for {tax}."

CAUSE: Mapping[str, Told] = {
    # -- the connection
    "not_connected": Told(
        lambda f: "Xero is not connected",
        lambda f: "Connect Xero on the Connections page.",
        lambda f: ["connect"],
    ),
    "crococlick_not_connected": Told(
        lambda f: "CrocoClick is not connected",
        lambda f: "Set CROCOCLICK_TOKEN and CROCOCLICK_LOCATION_ID, as `.env.example` explains.",
    ),
    "xero_app_missing": Told(
        lambda f: "no Xero app is configured",
        lambda f: "Set XERO_CLIENT_ID (and XERO_CLIENT_SECRET), as `.env.example` explains.",
    ),
    "consent_revoked": Told(
        lambda f: "the consent that Xero had given has ended",
        lambda f: "Connect Xero again on the Connections page.",
        lambda f: ["connect"],
    ),
    "scope_missing": Told(
        lambda f: (
            "the consent lacks a permission that the sync needs"
            + (f": {', '.join(f['missing'])}" if f.get("missing") else "")
        ),
        lambda f: "Connect Xero again and allow everything that is asked for.",
        lambda f: ["connect"],
    ),
    "role_missing": Told(
        lambda f: "the person who connected Xero may not approve invoices there",
        lambda f: "Let somebody with the Standard or Adviser role connect Xero.",
        lambda f: ["connect"],
    ),
    "wrong_organisation": Told(
        lambda f: "this Xero organisation is no longer connected, though others are",
        lambda f: "Connect again and choose the right organisation.",
        lambda f: ["connect"],
    ),
    "crococlick_token_refused": Told(
        lambda f: "CrocoClick does not accept our token any more",
        lambda f: "Make a new private integration token in CrocoClick and put it into CROCOCLICK_TOKEN.",
    ),
    "crococlick_scope_missing": Told(
        lambda f: "the CrocoClick token lacks a permission",
        lambda f: "In CrocoClick, give the private integration the scopes that `.env.example` lists.",
    ),
    "crococlick_wrong_location": Told(
        lambda f: "the CrocoClick token belongs to another location",
        lambda f: "Set CROCOCLICK_LOCATION_ID to the location that the token was made in.",
    ),
    "crococlick_refused": Told(
        lambda f: f"CrocoClick does not answer this question{': ' + str(f['message']) if f.get('message') else ''}",
        lambda f: "Sync again later; if it stays so, ask CrocoClick's support.",
    ),
    "source_shrunk": Told(
        lambda f: "CrocoClick shows far fewer invoices than before",
        lambda f: "Check in CrocoClick whether they are really gone.",
    ),
    # -- not eligible
    "status_not_selected": Told(
        lambda f: f"invoices with the status {STATUSES.get(str(f.get('status')), f.get('status'))} are not sent",
        lambda f: "Add the status to the setting `statuses` if such invoices should go over.",
    ),
    "before_start_date": Told(
        lambda f: f"it was issued on {day(f.get('issue_date'))}, before the start date {day(f.get('start_date'))}",
        lambda f: "Move the setting `start_date` if it should go over.",
    ),
    "test_mode": Told(
        lambda f: "it was made in CrocoClick's test mode",
        lambda f: "Nothing to do: test invoices never go over.",
    ),
    "void_before_sync": Told(
        lambda f: "it was void before it ever went over",
        lambda f: "Nothing to do.",
    ),
    "skipped_by_person": Told(
        lambda f: f"somebody chose to skip it{': ' + str(f['because']) if f.get('because') else ''}",
        lambda f: "Take the skip back if it should go over.",
    ),
    # -- the customer
    "contact_missing": Told(
        lambda f: (
            f"{_contact(f)} is not in Xero and the settings do not allow creating contacts"
            if f.get("create_contacts") is False
            else "it names no CrocoClick contact"
        ),
        lambda f: (
            "Create the contact in Xero with the same email."
            if f.get("create_contacts") is False
            else "Choose the customer on the invoice in CrocoClick."
        ),
    ),
    "contact_ambiguous": Told(
        lambda f: f"{len(_candidates(f))} Xero contacts share {f.get('email')}: {_names(f)}",
        lambda f: "Choose which of them it is; or merge them in Xero.",
        group=lambda f: f"{len(_candidates(f))} Xero contacts share {f.get('email')}",
    ),
    "contact_name_taken": Told(
        lambda f: (
            f"another contact that this sync creates is also called {f.get('name')}"
            if f.get("crococlick_id")
            else f"Xero has a contact called {f.get('name')} with {'the email ' + str(f['other_email']) if f.get('other_email') else 'no email'}, "
            f"and the CrocoClick contact has {f.get('email') or 'no email'}"
        ),
        lambda f: (
            "Make the two names differ in CrocoClick."
            if f.get("crococlick_id")
            else "If they are the same, give both the same email; if not, change one of the names."
        ),
        group=lambda f: f"Another Xero contact is called {f.get('name')}",
    ),
    "contact_archived": Told(
        lambda f: f"its Xero contact {f.get('name')} is archived",
        lambda f: f"Restore {f.get('name')} in Xero, under Contacts, Archived.",
        group=lambda f: f"The Xero contact {f.get('name')} is archived",
    ),
    "contact_invalid": Told(
        lambda f: (
            f"the customer {_contact(f)} {_CONTACT_WRONG.get(str(f.get('what')), 'is not a contact that Xero takes (' + _said(f) + ')')}"
        ),
        lambda f: "Correct the contact in CrocoClick, then save the invoice again.",
    ),
    # -- tax
    "tax_unmapped": Told(
        lambda f: (
            f"{_line(f)} {_tax(f)} and Xero has no rate {f['mapped_to']}, to which it is mapped"
            if f.get("mapped_to")
            else f"{_line(f)} {_tax(f)} and your Xero organisation has no sales tax rate for it"
        ),
        lambda f: _MAP_TAX.format(tax=_tax(f)) + " Or add the rate in Xero.",
        group=lambda f: f"{_tax(f)} has no tax rate in Xero",
    ),
    "tax_ambiguous": Told(
        lambda f: f"{_line(f)} {_tax(f)} and several Xero rates fit: {_names(f)}",
        lambda f: _MAP_TAX.format(tax=_tax(f)),
        group=lambda f: f"Several Xero rates fit {_tax(f)}",
    ),
    "tax_archived": Told(
        lambda f: f"{_line(f)} {_tax(f)} and the Xero rate for it, {_names(f)}, is archived",
        lambda f: "Restore the rate in Xero, or choose another one.",
        group=lambda f: f"The Xero rate for {_tax(f)} is archived",
    ),
    "tax_wrong_side": Told(
        lambda f: f"{_line(f)} {_tax(f)} and the only Xero rate for it, {_names(f)}, is for purchases",
        lambda f: _MAP_TAX.format(tax=_tax(f)),
        group=lambda f: f"{_tax(f)} has only a purchase rate in Xero",
    ),
    "tax_not_for_account": Told(
        lambda f: (
            f"Xero does not allow the tax rate {f.get('tax_type') or f.get('code') or ''} on account {f.get('account') or ''}".strip()
        ),
        lambda f: "Choose another rate for the tax, or another revenue account.",
    ),
    # -- currency
    "currency_not_enabled": Told(
        lambda f: f"{f.get('currency')} is not enabled in Xero",
        lambda f: f"Add {f.get('currency')} in Xero, under Settings, Currencies.",
        group=lambda f: f"{f.get('currency')} is not enabled in Xero",
    ),
    "currency_not_in_plan": Told(
        lambda f: (
            f"the organisation's Xero plan has no currencies besides its own, and this invoice is in {f.get('currency')}"
        ),
        lambda f: "Move the organisation to a Xero plan with multicurrency.",
        group=lambda f: f"The Xero plan does not allow {f.get('currency')}",
    ),
    # -- accounts
    "account_missing": Told(
        lambda f: "no revenue account is chosen",
        lambda f: "Choose the account that invoice lines are booked on (setting `revenue_account`).",
        lambda f: None,
        group=lambda f: "No revenue account is chosen",
    ),
    "account_invalid": Told(
        lambda f: (
            f"the account {f.get('code')} "
            + {
                "unknown": "does not exist in Xero",
                "archived": "is archived in Xero",
                "not_for_sales": "cannot take invoice lines",
            }.get(str(f.get("why")), f"is not accepted by Xero ({_said(f)})")
        ),
        lambda f: "Choose another account (setting `revenue_account`).",
        group=lambda f: f"The account {f.get('code')} cannot be used",
    ),
    "payment_account_missing": Told(
        lambda f: f"{_payments(f)} missing there: no account is chosen for payments in {f.get('currency')}",
        lambda f: (
            f"Choose the account that payments in {f.get('currency')} go to (setting `payment_account.{f.get('currency')}`)."
        ),
        group=lambda f: f"No account is chosen for payments in {f.get('currency')}",
    ),
    "payment_account_invalid": Told(
        lambda f: (
            f"{_payments(f)} missing there: the account {f.get('code') or ''} cannot take payments in {f.get('currency') or 'this currency'}"
        ),
        lambda f: "Choose a bank account, or one with payments enabled.",
    ),
    # -- the document
    "period_locked": Told(
        lambda f: (
            f"it is dated {day(f.get('issue_date'))} and Xero is locked up to {day(f.get('lock_date'))}"
            if f.get("issue_date")
            else f"its date is in a period that is locked in Xero{' up to ' + str(f['lock_date']) if f.get('lock_date') else ''}"
        ),
        lambda f: "Ask the accountant to move the lock date, or give the invoice a later date.",
        group=lambda f: f"Xero is locked up to {day(f.get('lock_date'))}" if f.get("issue_date") else "Xero is locked",
    ),
    "number_taken": Told(
        lambda f: f"the number {f.get('number') or ''} is used already: {_number_owner(f)}",
        lambda f: "Give the invoice another number in CrocoClick.",
        group=lambda f: "Its number is used already",
    ),
    "number_invalid": Told(
        lambda f: (
            f"its number {f.get('number')!r} has characters that Xero does not take"
            if f.get("number")
            else "it has no number"
        ),
        lambda f: "Give the invoice a number of plain letters, digits and signs in CrocoClick.",
        group=lambda f: "Xero does not take its number",
    ),
    "plan_invoice_cap": Told(
        lambda f: "the organisation's Xero plan allows no more approved invoices this month",
        lambda f: "Move to a larger Xero plan, or wait for the next month.",
        group=lambda f: "The Xero plan allows no more invoices this month",
    ),
    "total_mismatch": Told(
        _mismatch,
        lambda f: (
            "Take the late fee off in CrocoClick and enter it as a line; the invoice then goes by itself."
            if f.get("late_fees")
            else "Compare both and correct the invoice in CrocoClick; nothing that differs by more than rounding is sent."
            if "in_xero" not in f
            else "Ask the accountant to compare the invoice in Xero."
        ),
        group=lambda f: "Its total does not follow from its lines",
    ),
    "negative_total": Told(
        lambda f: f"its total is negative ({_amount(f, 'total')})",
        lambda f: "Xero takes no negative invoice: make a credit note in Xero by hand.",
        group=lambda f: "Its total is negative",
    ),
    "line_invalid": Told(
        _line_wrong,
        lambda f: "Correct the invoice in CrocoClick.",
        group=lambda f: "A line is not one that Xero takes",
    ),
    "due_date_missing": Told(
        lambda f: "it has no due date, and Xero requires one",
        lambda f: "Enter a due date in CrocoClick, or set `due_days` for all such invoices.",
        group=lambda f: "It has no due date",
    ),
    "issue_date_missing": Told(
        lambda f: "it has no issue date",
        lambda f: "Enter an issue date in CrocoClick.",
        group=lambda f: "It has no issue date",
    ),
    # -- document state
    "payment_exceeds_due": Told(
        lambda f: (
            f"{_payments(f)} missing there: {_amount(f, 'amount')} is more than the {_amount(f, 'due')} still due in Xero"
            if f.get("due")
            else "a payment is larger than what is still due in Xero"
        ),
        lambda f: "Look in Xero whether the accountant entered the payment already.",
    ),
    "payment_mismatch": Told(
        lambda f: (
            f"CrocoClick says {_amount(f, 'paid')} is paid, but its transactions come to {_amount(f, 'found')}"
            + (f", with {_amount(f, 'extras')} of fees or tips beside the invoice" if f.get("extras") else "")
        ),
        lambda f: "Compare the payments in CrocoClick with the invoice; nothing is entered until they agree.",
        group=lambda f: "In Xero, but payments are missing there",
    ),
    "refund_needs_person": Told(
        lambda f: f"{_amount(f, 'refunded')} was refunded in CrocoClick",
        lambda f: "Book the refund in Xero by hand, as a credit note.",
    ),
    "edited_after_payment": Told(
        lambda f: "it was edited in CrocoClick after a payment, and Xero does not change paid invoices",
        lambda f: "Take the payment off in Xero; the change then goes over by itself.",
        group=lambda f: "Edited in CrocoClick after a payment",
    ),
    "void_with_payments": Told(
        lambda f: "it is void in CrocoClick, but has payments in Xero",
        lambda f: "Take the payments off in Xero; the void then goes over by itself.",
        group=lambda f: "Void in CrocoClick, but paid in Xero",
    ),
    "changed_in_xero": Told(
        lambda f: "somebody changed it in Xero",
        lambda f: "Compare both and decide which one counts.",
    ),
    "removed_in_xero": Told(
        lambda f: "somebody removed it in Xero",
        lambda f: "Ask the accountant why.",
    ),
    "deleted_in_crococlick": Told(
        lambda f: "it was deleted in CrocoClick",
        lambda f: "Nothing to do, unless it is in Xero: then void it there if it should not count.",
    ),
    # -- heals by itself
    "rate_limited_minute": Told(lambda f: "Xero's limit of calls a minute was reached", _limit_wait),
    "rate_limited_day": Told(
        lambda f: "today's calls to Xero are used up",
        lambda f: "It goes on by itself when Xero allows calls again.",
    ),
    "xero_unavailable": Told(lambda f: "Xero did not answer", _limit_wait),
    "crococlick_unavailable": Told(lambda f: "CrocoClick did not answer", _limit_wait),
    "answer_lost": Told(
        lambda f: "it was sent, and Xero's answer is not known yet",
        lambda f: "The next sync looks in Xero before it does anything else.",
        lambda f: ["sync"],
    ),
    "rejected_by_xero": Told(
        lambda f: f"Xero does not take it: “{_said(f)}”",
        lambda f: "Read what Xero says, correct the invoice in CrocoClick or the settings, and sync again.",
        group=lambda f: f"Xero says: “{_said(f)}”",
    ),
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


def remedy(code: str, facts: Facts | None = None, who: Who | None = None) -> Remedy | None:
    """The next step for a cause."""
    told = CAUSE.get(code)
    if told is None:
        return None
    acts = who or (CAUSES[code].who if code in CAUSES else Who.ADMIN)
    return Remedy(WHO[acts], told.remedy(facts or {}), told.order(facts or {}))


def verdict(state: str, code: str | None, facts: Facts | None, synced_at: datetime | None = None) -> str:
    """The one sentence that answers "where is my invoice?"."""
    why = cause_sentence(code, facts) if code else ""
    if state == "synced":
        return f"In Xero since {moment(synced_at)}, equal to the cent." if synced_at else "In Xero, equal to the cent."
    if state == "held" and synced_at:
        return f"In Xero, but {why}."
    if state == "waiting" and synced_at:
        return "In Xero; what has changed since goes over in the next run."
    if state in ("retrying", "in_doubt") and synced_at:
        return f"In Xero; of a later change {why or 'the answer is not known yet'}. It is looked after by itself."
    sentences = {
        "waiting": "Not in Xero yet: it goes over in the next run.",
        "held": f"Not in Xero, because {why}.",
        "retrying": f"Not in Xero yet: {why}. It is tried again by itself.",
        "in_doubt": "Sent to Xero, but the answer is not known yet. The next run looks before it does anything.",
        "skipped": f"Not sent: {why or 'somebody chose to skip it'}.",
        "not_eligible": f"Not sent, because {why}.",
    }
    return sentences.get(state, state)


_HAPPENED: Mapping[str, Callable[[Facts, str], str]] = {
    "seen": lambda f, why: "Seen in CrocoClick",
    "changed": lambda f, why: "Changed in CrocoClick",
    "created": lambda f, why: "Created in Xero",
    "updated": lambda f, why: "Updated in Xero",
    "voided": lambda f, why: "Voided in Xero",
    "found": lambda f, why: "Found in Xero, where it had arrived",
    "not_arrived": lambda f, why: "Looked in Xero: it had not arrived, and will be sent again",
    "deferred": lambda f, why: f"Put off: {why}" if why else "Put off to the next call",
    "refused": lambda f, why: f"Refused by Xero: {why}",
    "paid": lambda f, why: f"Payment of {_amount(f, 'amount')} entered in Xero",
    "payment_found": lambda f, why: "Payment found in Xero, where it had arrived",
    "payment_not_arrived": lambda f, why: "Looked in Xero: the payment had not arrived, and will be sent again",
    "payment_deferred": lambda f, why: "Payment put off to the next call",
    "payment_refused": lambda f, why: f"Payment refused by Xero: {why}",
    "held": lambda f, why: f"Held: {why}",
    "retrying": lambda f, why: f"Waits: {why}",
    "synced": lambda f, why: "Nothing to do: Xero has it",
    "not_eligible": lambda f, why: f"Left out: {why}",
    "linked": lambda f, why: f"Linked to a Xero contact by {f.get('how', 'email')}",
}


def happened(what: str, code: str | None, facts: Facts) -> str:
    """One row of a record's story as a sentence."""
    if what.startswith("status_"):
        return f"Became {STATUSES.get(what.removeprefix('status_'), what)} in CrocoClick"
    told = _HAPPENED.get(what)
    why = cause_sentence(code, facts) if code else ""
    sentence = told(facts, why) if told else what.replace("_", " ")
    return f"{sentence}, but {why}" if why and what in ("created", "updated", "voided", "found") else sentence


_FAILURES: Mapping[str, tuple[str, str]] = {
    "run_under_way": ("A sync of this connection is at work already.", "Wait until it has finished."),
    "ledger_busy": ("Another program holds the ledger.", "Try again in a moment."),
    "ledger_too_new": (
        "The ledger was made by a newer version of this program ({file_version}, this one knows {known_version}).",
        "Update the program.",
    ),
    "ledger_unreadable": ("The ledger file {path} cannot be read: {reason}.", "Restore it from a backup."),
    "vault_unreadable": (
        "The stored tokens cannot be read with this key.",
        "Set SYNCER_SECRET_KEY to the key they were stored with, or connect again.",
    ),
    "consent_cancelled": ("The consent was cancelled at Xero.", "Connect again and choose Allow access."),
    "consent_state_unknown": (
        "This answer does not belong to a connection that was started here.",
        "Start again with Connect, and do not open links that others sent.",
    ),
    "consent_state_stale": (
        "This connection attempt is older than ten minutes or was used already.",
        "Start again with Connect.",
    ),
    "consent_redirect_mismatch": (
        "Xero answered to {found}, but {expected} was expected.",
        "Make XERO_REDIRECT_URI and the redirect URI of the Xero app exactly the same.",
    ),
    "consent_code_refused": ("Xero did not accept the consent: its code had expired or was used.", "Connect again."),
    "consent_client_refused": (
        "Xero does not know this app, or its secret is wrong.",
        "Check XERO_CLIENT_ID and XERO_CLIENT_SECRET against the app's page at Xero.",
    ),
    "consent_scope_refused": (
        "Xero does not grant this app the permissions that were asked for.",
        "Check in the Xero app that granular accounting scopes are allowed.",
    ),
    "consent_refused": ("Xero refused the consent ({error}).", "Connect again."),
    "consent_timeout": ("Nobody gave consent within {minutes} minutes.", "Connect again."),
    "redirect_not_loopback": (
        "The terminal can only wait for Xero's answer on this machine, and XERO_REDIRECT_URI is {uri}.",
        "Connect on the console's Connections page.",
    ),
    "redirect_port_taken": (
        "Port {port} of XERO_REDIRECT_URI is used by another program that is not the console.",
        "Stop that program, or connect on the console's Connections page.",
    ),
    "no_organisation": (
        "The consent was given, but no organisation was chosen.",
        "Connect again and choose the organisation.",
    ),
    "several_organisations": (
        "The consent reaches several organisations: {organisations}.",
        "Say which one: --organisation NAME-OR-ID.",
    ),
    "organisation_not_found": (
        "The consent does not reach an organisation {wanted!r}; it reaches {organisations}.",
        "Connect again and choose it, or name one of these.",
    ),
    "not_an_organisation": (
        "The consent was given for {found}, which is a practice and no organisation.",
        "Connect again and choose an organisation.",
    ),
    "organisation_differs": (
        "This connection has synced with {before}, and the consent was given for {now}. Nothing was changed.",
        "Connect again and choose {before}, or make a connection of its own for {now}.",
    ),
}


def failure(code: str, facts: Facts) -> str:
    """A failure of a command or a run as a sentence with the next step."""
    if code in _FAILURES:
        sentence, step = _FAILURES[code]
        return f"{_filled(sentence, facts)} {_filled(step, facts)}".strip()
    if code in CAUSE:
        sentence = cause_sentence(code, facts)
        step = CAUSE[code].remedy(facts)
        return f"{sentence[:1].upper()}{sentence[1:]}. {step}"
    return f"{code.replace('_', ' ').capitalize()}."


def _filled(template: str, facts: Facts) -> str:
    class Known(dict[str, Any]):
        def __missing__(self, key: str) -> str:
            return "unknown"

    return template.format_map(Known({name: _listed(value) for name, value in facts.items()}))


def _listed(value: Any) -> Any:
    """Organisations and the like by their names."""
    if isinstance(value, list):
        return ", ".join(str(one.get("name") if isinstance(one, Mapping) else one) for one in value) or "none"
    return value


# -- a connection and its runs ------------------------------------------------------------------------------------

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "created": ("✓", "created"),
    "updated": ("✓", "updated"),
    "voided": ("✓", "voided"),
    "paid": ("✓", "paid"),
    "unchanged": ("✓", "unchanged"),
    "deferred": ("…", "put off"),
    "in_doubt": ("↻", "being checked"),
    "held": ("✕", "held for a person"),
    "skipped": ("⏸", "skipped"),
    "not_eligible": ("–", "not eligible"),
}

PHASES: Mapping[str, str] = {
    "starting": "Starting",
    "settling": "Looking for what was under way",
    "reading": "Reading CrocoClick",
    "planning": "Planning",
    "contacts": "Customers to Xero",
    "invoices": "Invoices to Xero",
    "payments": "Payments to Xero",
    "done": "Done",
}

RUN_ENDS: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "Done"),
    "deferred": ("…", "Goes on later"),
    "stopped": ("⏸", "Stopped by a person"),
    "interrupted": ("↻", "Interrupted"),
    "failed": ("✕", "Ended early"),
}


def run_sentence(ended: str, code: str | None) -> str:
    """How a run ended, and why where it did not come to its end."""
    if code:
        return failure(code, {})
    return {
        "done": "Everything was looked at.",
        "stopped": "The next run goes on from there.",
        "interrupted": "The program or the machine went down meanwhile; the next run settles what was under way.",
    }.get(ended, "")


CONNECTION_STATES: Mapping[str, tuple[str, str, str]] = {
    "connected": ("✓", "Connected", "Invoices can go over."),
    "not_connected": ("–", "Not connected", "Nothing goes over until Xero is connected."),
    "consent_revoked": ("✕", "Consent ended", "Xero's consent was taken back or ran out: connect again."),
    "scope_missing": ("✕", "Permission missing", "Connect again and allow everything that is asked for."),
    "wrong_organisation": ("✕", "Organisation gone", "This organisation is no longer connected: connect it again."),
}

SOURCE_STATES: Mapping[str, tuple[str, str, str]] = {
    "connected": ("✓", "Connected", "Its invoices can be read."),
    "not_connected": (
        "–",
        "Not connected",
        "Set CROCOCLICK_TOKEN and CROCOCLICK_LOCATION_ID, as `.env.example` explains.",
    ),
    "token_refused": (
        "✕",
        "Token refused",
        "Make a new private integration token in CrocoClick and set CROCOCLICK_TOKEN.",
    ),
    "scope_missing": ("✕", "Permission missing", "Give the private integration the scopes that `.env.example` lists."),
    "wrong_location": ("✕", "Wrong location", "Set CROCOCLICK_LOCATION_ID to the location that the token was made in."),
}

XERO_STATUSES: Mapping[str, str] = {
    "DRAFT": "draft",
    "SUBMITTED": "waits for approval",
    "AUTHORISED": "approved",
    "PAID": "paid",
    "VOIDED": "void",
    "DELETED": "deleted",
}

ACTIONS: Mapping[str, str] = {"create": "Create", "update": "Update", "void": "Void", "pay": "Pay"}

# What each permission is for: asked at the consent, and shown with the connection.
SCOPES: Mapping[str, tuple[str, str]] = {
    "offline_access": ("Stay connected while nobody is here", "so that syncs run at night"),
    "openid": ("Know that somebody gave consent", "so that it is on record"),
    "profile": ("See that person's name", "so that it is on record who connected"),
    "email": ("See that person's email", "so that it is on record who connected"),
    "accounting.invoices": ("Read and write invoices", "to bring CrocoClick's over and compare both"),
    "accounting.payments": ("Read and write payments", "to see what is paid and to carry payments"),
    "accounting.contacts": ("Read and write contacts", "to find the customer, or create one that is missing"),
    "accounting.settings": ("Read and write settings", "to know accounts, tax rates, currencies and lock dates"),
}
