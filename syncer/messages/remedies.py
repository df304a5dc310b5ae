"""The next step of every cause: whose it is, what to do where, and the orders that can be given right here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from syncer.domain.mapping.tax_rates import usable
from syncer.domain.model.books import Account, Books
from syncer.domain.model.problems import CAUSES, Who
from syncer.domain.model.sync_settings import REVENUE_ACCOUNT
from syncer.messages.format import WHO, moment
from syncer.messages.problems import Facts, candidates, contact_name, tax_name

COMMANDS = ("connect", "sync", "resume")  # these are commands of their own: about no invoice


@dataclass(frozen=True)
class OrderChoice:
    """An order that answers a cause, by its name and the values that go with it: `label` is what the button says."""

    label: str
    name: str
    said: Mapping[str, str] = field(default_factory=dict)
    advised: bool = False  # the one that we would give

    def words(self, what: str) -> list[str]:
        """The order as words for `python -m syncer`, for the invoice `what`."""
        if self.name in COMMANDS:
            return [self.name]
        if self.name == "skip":
            return ["skip", what, "--because", self.said["because"]]
        if self.name in ("retry", "unskip"):
            return [self.name, what]
        target = [] if self.name == "confirm_shrink" else [what]
        return ["order", self.name, *target, *(f"{key}={value}" for key, value in self.said.items())]


@dataclass(frozen=True)
class Remedy:
    """The next step: whose it is, what to do, and what can be ordered; `order` is the answer that we advise."""

    who: str
    sentence: str
    answers: tuple[OrderChoice, ...] = ()
    order: list[str] | None = None


Say = Callable[[Facts], str]
Give = Callable[[Facts, Books | None], Iterable[OrderChoice]]


@dataclass(frozen=True)
class NextStep:
    """What to do about one cause; `who` where another role is responsible than the cause says."""

    sentence: Say
    answers: Give = lambda facts, books: ()
    who: Callable[[Facts], Who | None] = lambda facts: None


def _only(label: str, name: str, advised: bool = True, **said: str) -> Give:
    return lambda facts, books: (OrderChoice(label, name, said, advised),)


# -- choices --------------------------------------------------------------------------------------------------------


def _rates(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """The sales rates of the same percentage: with any other the total would not come out. Advised where just one is.

    Of several ways to tax nothing only the accountant knows the right one.
    """
    written = str(facts.get("rate") or "")
    if not written:
        return [OrderChoice("Try again", "retry")] if facts.get("messages") else []
    if not books:
        return []
    parts = [] if written == "none" else written.split("+")
    percent = sum((Decimal(part.rstrip("%")) for part in parts), Decimal(0))
    named = {str(one.get("type")) for one in candidates(facts)}
    alike = [
        rate for rate in books.tax_rates if usable(rate) and (rate.effective_rate == percent or rate.type in named)
    ]
    return [
        OrderChoice(
            f"{rate.name} ({rate.type})", "map", {f"tax.{written}": rate.type}, advised=len(alike) == 1 and bool(parts)
        )
        for rate in sorted(alike, key=lambda rate: rate.name)
    ]


def _rates_or_new(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """The rates that fit, and to create the one that is missing, unless Xero would not or a part of it is zero."""
    rate = str(facts.get("rate") or "")
    parts = [] if rate in ("", "none") else [Decimal(part.rstrip("%")) for part in rate.split("+")]
    if not parts or not all(parts) or facts.get("would_not") or facts.get("mapped_to"):
        return _rates(facts, books)
    label = f"Create {tax_name(facts)} in Xero, and other missing rates from now on"
    return [*_rates(facts, books), OrderChoice(label, "map", {"create_tax_rates": "true"})]


def _new_currency(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """To add the currency, unless Xero would not."""
    if facts.get("would_not") or not facts.get("currency"):
        return []
    label = f"Add {facts['currency']} in Xero, and other missing currencies from now on"
    return [OrderChoice(label, "map", {"create_currencies": "true"})]


def _revenue_accounts(facts: Facts, books: Books | None) -> list[OrderChoice]:
    found = [one for one in _active(books) if one.klass == "REVENUE" and one.code]
    return [OrderChoice(f"{one.code} {one.name}", "map", {_account_setting(facts): one.code}) for one in found]


def _account_setting(facts: Facts) -> str:
    """The setting by which a line has its account."""
    return str(facts.get("setting") or REVENUE_ACCOUNT)


def _tracking_options(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """The options of the category that Xero has, and no tracking by it at all."""
    setting, category = str(facts.get("setting") or ""), str(facts.get("category") or "")
    if not setting:
        return []
    there = [one for one in (books and books.tracking) or () if one.name == category and one.status == "ACTIVE"]
    options = [option.name for one in there for option in one.options if option.status == "ACTIVE"]
    use = [] if facts.get("why") == "too_many" else options
    return [
        *(OrderChoice(f"{category}: {option}", "map", {setting: option}) for option in use),
        OrderChoice(f"No tracking by {category}", "map", {setting: ""}),
    ]


def _choose_tracking(facts: Facts) -> str:
    setting = str(facts.get("setting") or "tracking.…")
    if facts.get("why") == "too_many":
        return f"Leave one of them out: empty the setting `{setting}`, or another of them."
    if facts.get("why") in ("category_archived", "option_archived"):
        return f"Restore it in Xero, under Settings, Tracking categories, or change the setting `{setting}`."
    return f"Change the setting `{setting}`, or add what it names in Xero, under Settings, Tracking categories."


def _payment_accounts(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """Accounts that take payments in the currency: those held in it first."""
    currency = str(facts.get("currency") or "")
    if not books or not currency:
        return []
    fitting = [
        one
        for one in _active(books)
        if one.takes_payments and (not one.currency or one.currency in (currency, books.organisation.base_currency))
    ]
    ordered = sorted(fitting, key=lambda one: (one.currency != currency, one.type != "BANK", one.name))
    held = [
        one for one in ordered if one.type == "BANK" and (one.currency or books.organisation.base_currency) == currency
    ]
    return [
        OrderChoice(
            f"{one.code} {one.name}".strip(), "map", {f"payment_account.{currency}": one.id}, advised=[one] == held
        )
        for one in ordered
    ]


def _active(books: Books | None) -> list[Account]:
    return [one for one in books.accounts if one.status == "ACTIVE"] if books else []


def _contacts(facts: Facts, books: Books | None) -> list[OrderChoice]:
    wanted = str(facts.get("name") or "").casefold()
    found = candidates(facts)
    same = [one for one in found if str(one.get("name")).casefold() == wanted]
    links = [
        OrderChoice(
            f"Link to {one.get('name')} ({one.get('email') or 'no email'})",
            "link_contact",
            {"contact": str(one.get("xero_id"))},
            advised=[one] == same,
        )
        for one in found
    ]
    return [*links, OrderChoice("None of these: keep it apart", "keep_apart")]


def _name_taken(facts: Facts, books: Books | None) -> list[OrderChoice]:
    name = contact_name(facts)
    apart = OrderChoice(f"Another customer: call it {name} (2) in Xero", "keep_apart", {"name": f"{name} (2)"})
    if not facts.get("xero_id"):
        return [apart]
    return [OrderChoice(f"The same: link to {name}", "link_contact", {"contact": str(facts["xero_id"])}, True), apart]


def _gone_contact(facts: Facts, books: Books | None) -> list[OrderChoice]:
    return (
        [OrderChoice("Look for the customer anew", "link_contact", {"contact": "anew"}, True)]
        if facts.get("unknown")
        else []
    )


def _number(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """A stranger's document that lives may be the same invoice, made by hand."""
    if not facts.get("xero_id") or facts.get("xero_status") in ("VOIDED", "DELETED"):
        return []
    return [OrderChoice("It is this very invoice: link them", "adopt")]


def _changed(facts: Facts, books: Books | None) -> list[OrderChoice]:
    if is_more_paid(facts):
        return []
    fields = {str(one.get("field")) for one in facts.get("changes") or []}
    keep = (
        []
        if fields & {"total", "tax", "currency", "paid", "status"}
        else [OrderChoice("Xero is right: keep it", "adopt")]
    )
    return [OrderChoice("CrocoClick is right: send it again", "overwrite", advised=True), *keep]


def is_more_paid(facts: Facts) -> bool:
    """Whether all that changed in Xero is money that somebody entered there: sending the invoice again is no answer."""
    changes = facts.get("changes") or []
    return bool(changes) and all(
        one.get("field") == "paid" and Decimal(str(one.get("now"))) > Decimal(str(one.get("before"))) for one in changes
    )


def _same(facts: Facts, books: Books | None) -> list[OrderChoice]:
    """Offered where a payment in Xero could be the one that waits: elsewhere it would change nothing."""
    return [OrderChoice("Count as the same", "same_payment", advised=True)] if facts.get("same") else []


def _replace(facts: Facts, books: Books | None) -> list[OrderChoice]:
    if not facts.get("ours"):
        return []
    return [
        OrderChoice("Take it off in Xero and enter it anew", "replace_payment", advised=not facts.get("reconciled"))
    ]


def _behind_payments(facts: Facts, books: Books | None) -> list[OrderChoice]:
    label = "Take our payments off, send the change, put them back"
    return [OrderChoice(label, "reapply_payments", advised=True)] if facts.get("ours") else []


def _void_behind(facts: Facts, books: Books | None) -> list[OrderChoice]:
    return (
        [OrderChoice("Take our payments off and void it", "reapply_payments", advised=True)]
        if facts.get("ours")
        else []
    )


def _keeps_number(facts: Facts) -> bool:
    """Whether the document that was removed has the invoice's number still, so that no new one can have it.

    Xero keeps the number of a voided invoice (productideas.xero.com, 44960461); of a deleted draft nothing is published.
    """
    return "xero_number" in facts and facts["number"] == facts["xero_number"]


def _removed(facts: Facts, books: Books | None) -> list[OrderChoice]:
    skip = OrderChoice("Removed on purpose: skip", "skip", {"because": _ON_PURPOSE})
    return [skip] if _keeps_number(facts) else [OrderChoice("Send it once more", "overwrite", advised=True), skip]


def _theirs(facts: Facts) -> Who | None:
    return None if facts.get("ours") else Who.ACCOUNTANT


# -- sentences ------------------------------------------------------------------------------------------------------


def _missing_contact(facts: Facts) -> str:
    if facts.get("unknown"):
        return "Let it be looked for anew, by email and name; or choose the right contact."
    if facts.get("create_contacts") is False:
        return "Create the contact in Xero with the same email, or allow it with the setting `create_contacts`."
    return "Choose the customer on the invoice in CrocoClick, and save it."


def _map_tax(facts: Facts) -> str:
    if not facts.get("rate"):
        # Only Xero's words are known, which do not say which line is meant.
        return "Choose the Xero sales rates of the invoice's taxes (settings `tax.…` and `tax.none`), then try again."
    if facts["rate"] == "none":
        return "Choose the Xero rate for lines without tax (setting `tax.none`)."
    other = "add it in Xero, or allow that with the setting `create_tax_rates`."
    if said := facts.get("would_not"):
        other = _by_hand(said, "add the rate in Xero by hand")
    return f"Choose the Xero sales rate for {tax_name(facts)}. If there is none, {other}"


def _by_hand(said: Sequence[str], what: str) -> str:
    """What to do where Xero would not create a setting: who may, where that was the reason."""
    if any("permission" in message.lower() for message in said):
        return (
            f"{what}, or let somebody with the Adviser role, or the Standard role with settings, connect Xero; it is "
            "created then."
        )
    return f"{what}: Xero would not create it."


def _enable_currency(facts: Facts) -> str:
    currency = facts.get("currency") or "the currency"
    if said := facts.get("would_not"):
        by_hand = _by_hand(said, f"add {currency} in Xero, under Settings, Currencies")
        return by_hand[:1].upper() + by_hand[1:]
    return f"Add {currency} in Xero, under Settings, Currencies; or allow it with the setting `create_currencies`."


def _payment_off(facts: Facts, then: str) -> str:
    if facts.get("ours"):
        return f"The payments in Xero are ours: they can be taken off and {then}."
    return f"Take the payment off in Xero, where somebody else entered it; {then} by itself then."


def _payments_differ(facts: Facts) -> str:
    if facts.get("bounced"):
        return "Take the payment off in Xero, if it has really gone back."
    if facts.get("same"):
        return "If it is the same payment, count it as that; if it is another one, enter that in CrocoClick too."
    return "Compare the payments in CrocoClick with the invoice; nothing is entered until they agree."


def _changed_payment(facts: Facts) -> str:
    if not facts.get("ours"):
        return "Ask the accountant to correct the payment in Xero: somebody else entered it there."
    if facts.get("reconciled"):
        return "Ask the accountant to undo the reconciliation in Xero; then try again, and the payment is entered anew."
    return "If CrocoClick is right, let our payment be taken off in Xero and entered anew; if not, correct CrocoClick."


def _compare(facts: Facts) -> str:
    if is_more_paid(facts):
        return "If the payment is right, enter it in CrocoClick too; if not, let the accountant take it off in Xero."
    return "Compare both and say which one counts."


def _lock(facts: Facts) -> str:
    if facts.get("paid_on") or facts.get("of_payment"):
        return "Ask the accountant to move the lock date, or to enter the payment."
    if facts.get("in_xero"):
        return "Ask the accountant to move the lock date, or to make the change in Xero."
    return "Ask the accountant to move the lock date, or give the invoice a later date in CrocoClick."


def _renumber(facts: Facts) -> str:
    if facts.get("still") and facts["still"] != facts.get("number"):
        return f"See what keeps invoice {facts['still']} from going over; this one follows by itself once it has."
    if facts.get("xero_id") and facts.get("xero_status") not in ("VOIDED", "DELETED"):
        return "If somebody made this invoice by hand in Xero, link them; if not, give it another number in CrocoClick."
    return "Give the invoice another number in CrocoClick."


def _once_more(facts: Facts) -> str:
    why, skip = "Ask the accountant why.", "if not, skip it with the reason."
    if not _keeps_number(facts):
        return f"{why} If it should count, send it once more; {skip}"
    return (
        f"{why} If it should count, give it another number in CrocoClick, because Xero keeps the number of an invoice "
        f"that was removed, and after the next sync send it once more; {skip}"
    )


def _mismatch(facts: Facts) -> str:
    if "in_xero" in facts:
        return "Ask the accountant to compare the invoice in Xero, or let it be sent again."
    if facts.get("late_fees"):
        return "Take the late fee off in CrocoClick and enter it as a line; the invoice then goes by itself."
    return "Compare both and correct the invoice in CrocoClick; nothing that differs by more than rounding is sent."


def _later(facts: Facts) -> str:
    return f"It is tried again by itself{_from(facts)}; a sync tries it at once."


def _from(facts: Facts) -> str:
    """From when it is tried again, where that is known."""
    at = str(facts.get("retry_at") or "")
    return f" from {moment(datetime.fromisoformat(at))} on" if at else ""


_NEGATIVE = "credit note made in Xero by hand"
_ON_PURPOSE = "removed in Xero on purpose"
_REFUND = "refund booked in Xero by hand"

STEPS: Mapping[str, NextStep] = {
    # -- the connection
    "not_connected": NextStep(lambda f: "Connect Xero on the Connections page.", _only("Connect Xero", "connect")),
    "crococlick_not_connected": NextStep(
        lambda f: "Set CROCOCLICK_TOKEN and CROCOCLICK_LOCATION_ID, as `.env.example` explains."
    ),
    "vault_unreadable": NextStep(
        lambda f: "Set SYNCER_SECRET_KEY to the key they were stored with, or connect again.",
        _only("Connect Xero", "connect", advised=False),
    ),
    "xero_app_missing": NextStep(lambda f: "Set XERO_CLIENT_ID (and XERO_CLIENT_SECRET), as `.env.example` explains."),
    "consent_revoked": NextStep(
        lambda f: "Connect Xero again on the Connections page.", _only("Connect Xero", "connect")
    ),
    "scope_missing": NextStep(
        lambda f: "Connect Xero again and allow everything that is asked for.", _only("Connect Xero", "connect")
    ),
    "role_missing": NextStep(
        lambda f: "Let somebody with the Standard or Adviser role connect Xero.", _only("Connect Xero", "connect")
    ),
    "wrong_organisation": NextStep(
        lambda f: "Connect again and choose the right organisation.", _only("Connect Xero", "connect")
    ),
    "crococlick_token_refused": NextStep(
        lambda f: "Make a new private integration token in CrocoClick and put it into CROCOCLICK_TOKEN."
    ),
    "crococlick_scope_missing": NextStep(
        lambda f: "In CrocoClick, give the private integration the scopes that `.env.example` lists."
    ),
    "crococlick_wrong_location": NextStep(
        lambda f: "Set CROCOCLICK_LOCATION_ID to the location that the token was made in."
    ),
    "crococlick_refused": NextStep(lambda f: "Sync again later; if it stays so, ask CrocoClick's support."),
    "source_shrunk": NextStep(
        lambda f: (
            "Look in CrocoClick whether the invoices are really gone. If they are, confirm it; then the next run goes on."
        ),
        _only("They are really gone", "confirm_shrink"),
    ),
    "paused": NextStep(
        lambda f: "Resume when what was wrong is settled. Until then nothing is written to Xero.",
        _only("Resume", "resume"),
    ),
    "contacts_shrunk": NextStep(
        lambda f: (
            "Look in CrocoClick whether the contacts are really gone. If they are, confirm it, then import again."
        ),
        _only("They are really gone", "confirm_shrink"),
    ),
    # -- not eligible
    "status_not_selected": NextStep(
        lambda f: "Add the status to the setting `statuses` if such invoices should go over."
    ),
    "before_start_date": NextStep(lambda f: "Move the setting `start_date` if it should go over."),
    "test_mode": NextStep(lambda f: "No action needed. Test-mode invoices are never synced."),
    "void_before_sync": NextStep(
        lambda f: "No action needed: an invoice that is void before it ever went over is not sent."
    ),
    "skipped_by_person": NextStep(
        lambda f: "Take the skip back if it should go over.", _only("Take the skip back", "unskip")
    ),
    # -- the customer
    "contact_missing": NextStep(_missing_contact, _gone_contact),
    "contact_ambiguous": NextStep(
        lambda f: (
            "Choose which of them it is; or merge them in Xero."
            if candidates(f)
            else "Look in Xero which contact has this contact code, and give it to the right one."
        ),
        lambda f, b: _contacts(f, b) if candidates(f) else [],
    ),
    "contact_name_taken": NextStep(
        lambda f: (
            "Make the two names differ in CrocoClick, or call one of them differently in Xero."
            if f.get("crococlick_id")
            else "Say whether they are the same customer."
        ),
        _name_taken,
    ),
    "contact_archived": NextStep(
        lambda f: f"Restore {contact_name(f)} in Xero, under Contacts, Archived; it goes over with the next run then."
    ),
    "contact_invalid": NextStep(lambda f: "Correct the contact in CrocoClick, then save the invoice again."),
    # -- tax, currency, accounts
    "tax_unmapped": NextStep(_map_tax, _rates_or_new),
    "tax_ambiguous": NextStep(lambda f: f"Choose the Xero sales rate for {tax_name(f)}.", _rates),
    "tax_archived": NextStep(lambda f: "Restore the rate in Xero, or choose another one.", _rates),
    "tax_wrong_side": NextStep(lambda f: f"Choose the Xero sales rate for {tax_name(f)}.", _rates),
    "tax_not_for_account": NextStep(
        lambda f: f"Choose another account (setting `{_account_setting(f)}`), or another rate for the tax.",
        _revenue_accounts,
    ),
    "currency_not_enabled": NextStep(_enable_currency, _new_currency),
    "currency_not_in_plan": NextStep(lambda f: "Move the organisation to a Xero plan with multicurrency."),
    "account_missing": NextStep(
        lambda f: "Choose the account that invoice lines are booked on (setting `revenue_account`).", _revenue_accounts
    ),
    "account_invalid": NextStep(
        lambda f: f"Choose another account (setting `{_account_setting(f)}`).", _revenue_accounts
    ),
    "tracking_invalid": NextStep(_choose_tracking, _tracking_options),
    "payment_account_missing": NextStep(
        lambda f: f"Choose the account that payments in {f.get('currency') or 'this currency'} go to.",
        _payment_accounts,
    ),
    "payment_account_invalid": NextStep(
        lambda f: "Choose a bank account, or one with payments enabled.", _payment_accounts
    ),
    # -- the document
    "invoice_unreadable": NextStep(
        lambda f: (
            "Open the invoice in CrocoClick, correct this value and save; the next run reads it again. If it looks right "
            "there, ask the person who looks after this program: CrocoClick may have changed."
        )
    ),
    "period_locked": NextStep(_lock),
    "number_taken": NextStep(_renumber, _number),
    "number_invalid": NextStep(lambda f: "Give the invoice a number of plain letters, digits and signs in CrocoClick."),
    "plan_invoice_cap": NextStep(
        lambda f: "Move to a larger Xero plan, or wait for the next month, and try again then.",
        _only("Try again", "retry", advised=False),
    ),
    "total_mismatch": NextStep(
        _mismatch, lambda f, b: [OrderChoice("Send it again", "overwrite", advised=True)] if "in_xero" in f else []
    ),
    "negative_total": NextStep(
        lambda f: "Xero takes no negative invoice: make a credit note in Xero by hand, and skip this one.",
        _only("It is booked: skip", "skip", advised=False, because=_NEGATIVE),
    ),
    "line_invalid": NextStep(lambda f: "Correct the invoice in CrocoClick."),
    "due_date_missing": NextStep(
        lambda f: "Enter a due date in CrocoClick, or set `due_days` for all such invoices.",
        _only("30 days for all that have none", "map", advised=False, due_days="30"),
    ),
    "issue_date_missing": NextStep(lambda f: "Enter an issue date in CrocoClick."),
    # -- document state
    "payment_exceeds_due": NextStep(
        lambda f: (
            "If the accountant entered the payment already, count it as the same; if not, ask what was paid there."
            if f.get("same")
            else "Correct the payment or the invoice in CrocoClick, or ask the accountant what was paid in Xero; "
            "nothing beyond what is due is entered."
        ),
        _same,
    ),
    "payment_mismatch": NextStep(
        _payments_differ,
        lambda f, b: (
            [OrderChoice("Take it off in Xero", "reapply_payments", advised=True)]
            if f.get("bounced") and f.get("ours")
            else _same(f, b)
        ),
    ),
    "awaiting_approval": NextStep(
        lambda f: "Approve the invoice in Xero; its payments go over by themselves after that."
    ),
    "payment_changed": NextStep(_changed_payment, _replace, _theirs),
    "refund_needs_person": NextStep(
        lambda f: "Book the refund in Xero by hand, as a credit note; then skip the invoice with that note.",
        _only("It is booked: skip", "skip", because=_REFUND),
    ),
    "edited_after_payment": NextStep(
        lambda f: _payment_off(f, "put back once the change is there" if f.get("ours") else "the change goes over"),
        _behind_payments,
        _theirs,
    ),
    "void_with_payments": NextStep(
        lambda f: _payment_off(f, "the invoice voided" if f.get("ours") else "the void goes over"),
        _void_behind,
        _theirs,
    ),
    "changed_in_xero": NextStep(_compare, _changed),
    "removed_in_xero": NextStep(_once_more, _removed),
    "deleted_in_crococlick": NextStep(
        lambda f: "If it should not count any more, void it in Xero too." if f.get("in_xero") else "No action needed.",
        lambda f, b: [OrderChoice("Void it in Xero too", "overwrite", advised=True)] if f.get("in_xero") else [],
    ),
    # -- heals by itself
    "rate_limited_minute": NextStep(_later),
    "rate_limited_day": NextStep(lambda f: f"It goes on by itself when Xero allows calls again{_from(f)}."),
    "xero_unavailable": NextStep(_later),
    "crococlick_unavailable": NextStep(_later),
    "answer_lost": NextStep(
        lambda f: f"The next sync{_from(f)} looks in Xero before it does anything else.", _only("Look now", "sync")
    ),
    "rejected_by_xero": NextStep(
        lambda f: "Read what Xero says, correct the invoice in CrocoClick or the settings, and try again.",
        _only("Try again", "retry", advised=False),
    ),
}


def remedy(code: str, facts: Facts | None = None, what: str = "", books: Books | None = None) -> Remedy | None:
    """The next step for a cause; `what` names the invoice, `books` give the choices."""
    step = STEPS.get(code)
    if step is None:
        return None
    known = facts or {}
    who = step.who(known) or (CAUSES[code].who if code in CAUSES else Who.ADMIN)
    answers = tuple(step.answers(known, books))
    return Remedy(WHO[who], step.sentence(known), answers, _advised(answers, what))


def _advised(answers: Sequence[OrderChoice], what: str) -> list[str] | None:
    found = next((answer for answer in answers if answer.advised), None)
    if found is None or not (what or found.name in (*COMMANDS, "confirm_shrink")):
        return None
    return found.words(what)
