"""Codes to plain sentences and next steps, for both terminal and screen: how an invoice stands, what happened, what failed.

A cause as a sentence is in `problems`, its next step in `remedies`, amounts and dates in `format`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncer.messages.format import STATUSES, count, day, moment, monies
from syncer.messages.problems import CAUSE, FIELDS, Facts, amount, cause_sentence
from syncer.messages.remedies import remedy


def verdict(
    state: str,
    code: str | None,
    facts: Facts | None,
    synced_at: datetime | None = None,
    differs: Sequence[str] = (),
) -> str:
    """The one sentence that answers "where is my invoice?"; `differs` are fields that the books do not agree on."""
    why = cause_sentence(code, facts) if code else ""
    if synced_at:
        return _verdict_in_xero(state, code, facts or {}, why, synced_at, differs)
    sentences = {
        "synced": f"In Xero, {_equal(differs)}.",
        "waiting": "Not in Xero yet: it goes over in the next run.",
        "held": f"Not in Xero, because {why}.",
        "retrying": f"Not in Xero yet: {why}. It is tried again by itself.",
        "in_doubt": "Sent to Xero, but the answer is not known yet. The next run looks before it does anything.",
        "skipped": f"Not sent: {why or 'somebody chose to skip it'}.",
        "not_eligible": f"Not sent, because {why}.",
        "unknown": f"It cannot be said whether there is such an invoice: {why}.",
    }
    return sentences.get(state, state)


def _verdict_in_xero(
    state: str, code: str | None, facts: Facts, why: str, synced_at: datetime, differs: Sequence[str]
) -> str:
    """The same for an invoice that has been in Xero."""
    if code == "removed_in_xero":
        return f"Not in Xero any more: {why}."
    sentences = {
        "synced": f"In Xero since {moment(synced_at)}, {_equal(differs)}.",
        "waiting": "In Xero; what has changed since goes over in the next run.",
        "held": f"In Xero; what has changed since cannot go over: {why}."
        if code in _OF_EVERYTHING
        else f"In Xero, but {why}.",
        "retrying": f"In Xero; of a later change {why}. It is looked after by itself.",
        "in_doubt": "In Xero; of a later change the answer is not known yet. It is looked after by itself.",
        "skipped": f"In Xero, and left as it is: {why}.",
        "not_eligible": f"In Xero, but {why}.",
    }
    return sentences.get(state, state)


# Causes that stand in the way of every invoice, and say nothing of the one that is in Xero already.
_OF_EVERYTHING = frozenset(
    (
        "not_connected xero_app_missing vault_unreadable consent_revoked scope_missing wrong_organisation source_shrunk "
        "crococlick_not_connected crococlick_token_refused crococlick_wrong_location crococlick_refused paused"
    ).split()
)


def _equal(differs: Sequence[str]) -> str:
    """How far both books agree, as the second half of a sentence."""
    if not differs:
        return "equal to the cent"
    named = ", ".join(FIELDS.get(one, one) for one in differs)
    return f"but the books differ in {named}"


_HAPPENED: Mapping[str, Callable[[Facts, str], str]] = {
    "seen": lambda f, why: "Seen in CrocoClick",
    "changed": lambda f, why: "Changed in CrocoClick",
    "created": lambda f, why: "Created in Xero",
    "updated": lambda f, why: "Updated in Xero",
    "voided": lambda f, why: "Voided in Xero",
    "renumbered": lambda f, why: (
        "Given another number in Xero for a moment, since one of our invoices gets its old one"
    ),
    "found": lambda f, why: "Found in Xero, where it had arrived",
    "not_arrived": lambda f, why: "Looked in Xero: it had not arrived, and will be sent again",
    "deferred": lambda f, why: f"Put off: {why}" if why else "Put off to the next call",
    "refused": lambda f, why: f"Refused by Xero: {why}",
    "paid": lambda f, why: f"Payment of {amount(f, 'amount')} entered in Xero",
    "payment_found": lambda f, why: "Payment found in Xero, where it had arrived",
    "payment_not_arrived": lambda f, why: "Looked in Xero: the payment had not arrived, and will be sent again",
    "payment_deferred": lambda f, why: "Payment put off to the next call",
    "payment_refused": lambda f, why: f"Payment refused by Xero: {why}",
    "held": lambda f, why: f"Held: {why}",
    "retrying": lambda f, why: f"Waits: {why}",
    "synced": lambda f, why: "Nothing to do: Xero has it",
    "not_eligible": lambda f, why: f"Left out: {why}",
    "skipped": lambda f, why: f"Left out: {why}",
    "linked": lambda f, why: f"Linked to a Xero contact by {f.get('how', 'email')}",
    "adopted": lambda f, why: "Linked to the invoice that was in Xero already",
    "gone": lambda f, why: "Deleted in CrocoClick",
    "removed": lambda f, why: f"Payment of {amount(f, 'amount')} taken off in Xero",
    "removal_found": lambda f, why: "Looked in Xero: the payment was taken off",
    "removal_not_arrived": lambda f, why: "Looked in Xero: the payment is still there, and will be taken off again",
    "removal_deferred": lambda f, why: "Taking the payment off was put off to the next call",
    "removal_refused": lambda f, why: f"Xero keeps the payment: {why}",
    "recounted": lambda f, why: _recounted(f),
    "tax_rate_created": lambda f, why: f"Tax rate {f.get('name')} created in Xero ({f.get('type')})",
    "tax_rate_found": lambda f, why: f"Tax rate {f.get('name')} found in Xero, where it had arrived",
    "tax_rate_not_arrived": lambda f, why: f"Looked in Xero: the tax rate {f.get('name')} had not arrived",
    "tax_rate_refused": lambda f, why: f"Xero would not create the tax rate {f.get('name')}: {why}",
    "currency_created": lambda f, why: f"Currency {f.get('name')} added in Xero",
    "currency_found": lambda f, why: f"Currency {f.get('name')} found in Xero, where it had arrived",
    "currency_not_arrived": lambda f, why: f"Looked in Xero: the currency {f.get('name')} had not arrived",
    "currency_refused": lambda f, why: f"Xero would not add the currency {f.get('name')}: {why}",
    "order_retry": lambda f, why: "Asked to try again",
    "order_skip": lambda f, why: (
        f"Skipped: {f.get('because')}{' (until ' + day(f['until']) + ')' if f.get('until') else ''}"
    ),
    "order_unskip": lambda f, why: "Skip taken back",
    "order_map": lambda f, why: (
        f"Set {', '.join(f'{key} to {value}' for key, value in f.items() if key != 'currency')}"
    ),
    "order_link_contact": lambda f, why: f"Customer linked to {f.get('name') or f.get('contact')}",
    "order_keep_apart": lambda f, why: f"Customer kept apart{' as ' + str(f['name']) if f.get('name') else ''}",
    "order_adopt": lambda f, why: "What is in Xero counts as this invoice",
    "order_overwrite": lambda f, why: "CrocoClick's version is to be sent, whatever is in Xero",
    "order_reapply_payments": lambda f, why: "Our payments are to be taken off, and put back after the change",
    "order_replace_payment": lambda f, why: "Our payment is to be taken off, and entered anew as CrocoClick has it",
    "order_same_payment": lambda f, why: "The payment in Xero is to count as the same",
    "order_confirm_shrink": lambda f, why: "Confirmed that invoices are really gone from CrocoClick",
    "order_ignore": lambda f, why: f"Left alone: {f.get('because') or 'no reason given'}",
    "order_chosen": lambda f, why: "Chosen among those with its email",
    "import_created": lambda f, why: "Made in CrocoClick by an import",
    "import_found": lambda f, why: "Found in CrocoClick, where an import had made it",
    "import_updated": lambda f, why: "Filled in from Xero by an import",
    "contact_renamed": lambda f, why: f"Renamed in Xero from {f.get('before')} to {f.get('now')}",
    "contact_re_emailed": lambda f, why: (
        f"Email changed in Xero from {f.get('before') or 'none'} to {f.get('now') or 'none'}"
    ),
    "contact_archived": lambda f, why: f"{f.get('name')} was archived in Xero",
    "contact_restored": lambda f, why: f"{f.get('name')} was restored in Xero",
    "contact_merged": lambda f, why: f"{f.get('name')} was merged in Xero; the contact that is left is followed",
    "order_undo": lambda f, why: "The last order was taken back",
}


def _recounted(facts: Facts) -> str:
    same = int(facts.get("same") or 0)
    if same:
        return (
            f"Compared the payments: {count(same, 'payment')} in Xero {'counts' if same == 1 else 'count'} as the same"
        )
    return (
        "Compared the payments with those in Xero"
        if facts.get("moved")
        else "Compared the payments: none in Xero is the same"
    )


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
    "trial_under_way": ("A test of this connection is at work already.", "Wait until it has finished."),
    "trial_stopped": (
        "The test was stopped; its invoice is no longer open in CrocoClick.",
        "Run `python -m syncer test-invoice` again: it takes back what is left of it.",
    ),
    "trial_answer_lost": (
        "CrocoClick gave no answer when the test invoice was made, and does not show it.",
        "Run `python -m syncer test-invoice` again in a minute: it looks once more before it makes another.",
    ),
    "stopped": ("Stopped as asked; nothing was concluded.", "Run it again."),
    "contacts_shrunk": (
        "CrocoClick showed {seen} contacts where {before} were known; nothing was concluded from that.",
        "Look there whether they are really gone. If they are: `python -m syncer order confirm_shrink`, then import again.",
    ),
    "ledger_busy": ("Another program holds the ledger.", "Try again in a moment."),
    "ledger_too_new": (
        "The ledger was made by a newer version of this program ({file_version}, this one knows {known_version}).",
        "Update the program.",
    ),
    "ledger_unreadable": (
        "The ledger file {path} cannot be read: {reason}.",
        "Restore it from a backup: move it away, then `python -m syncer restore FILE`.",
    ),
    "backup_differs": (
        "What was written could not be read again as it was, so there is no backup.",
        "Look after the disk, then run it again or give another place.",
    ),
    "disk_full": (
        "There is no room for {path}: {reason}.",
        "Make room on that disk and run it again: nothing that was committed is lost, and nothing has to be restored.",
    ),
    "not_writable": (
        "{path} cannot be written: {reason}.",
        "Let the user who runs this program write in the data directory, then run it again. Nothing has to be restored.",
    ),
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
    "organisation_taken": (
        "{organisation} is the organisation of the connection {connection}, and serves no other. Nothing was changed.",
        "Connect again and choose another organisation.",
    ),
}


def failure(code: str, facts: Facts) -> str:
    """A failure of a command or a run as a sentence with the next step."""
    if code in _FAILURES:
        sentence, step = _FAILURES[code]
        return f"{_filled(sentence, facts)} {_filled(step, facts)}".strip()
    if code in CAUSE:
        sentence = cause_sentence(code, facts)
        next_step = remedy(code, facts)
        return f"{sentence[:1].upper()}{sentence[1:]}. {next_step.sentence if next_step else ''}".strip()
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
    "reading_xero": "Reading Xero",
    "planning": "Planning",
    "contacts": "Customers to Xero",
    "contacts_xero": "Reading Xero's contacts",
    "contacts_crococlick": "Reading CrocoClick's contacts",
    "contacts_made": "Contacts to CrocoClick",
    "invoices": "Invoices to Xero",
    "payments": "Payments to Xero",
    "settings": "Tax rates and currencies to Xero",
    "done": "Done",
}

RUN_ENDS: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "Done"),
    "deferred": ("…", "Goes on later"),
    "stopped": ("⏸", "Stopped by a person"),
    "made_way": ("…", "Paused for another run"),
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
        "made_way": "Something more urgent came first; it goes on after that.",
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


def connection_state(code: str) -> tuple[str, str, str]:
    """How the connection to Xero stands: its mark, its word, and what follows."""
    return CONNECTION_STATES.get(code, CONNECTION_STATES["not_connected"])


def source_state(code: str) -> tuple[str, str, str]:
    """The same for CrocoClick."""
    return SOURCE_STATES.get(code, SOURCE_STATES["connected"])


XERO_STATUSES: Mapping[str, str] = {
    "DRAFT": "draft",
    "SUBMITTED": "waits for approval",
    "AUTHORISED": "approved",
    "PAID": "paid",
    "VOIDED": "void",
    "DELETED": "deleted",
}

ACTIONS: Mapping[str, str] = {
    "create": "Create",
    "update": "Update",
    "amend": "Update its head",
    "renumber": "Free its number",
    "void": "Void",
    "delete": "Take away",
    "pay": "Pay",
}

# What each permission is for: asked at the consent, and shown with the connection.
SCOPES: Mapping[str, tuple[str, str]] = {
    "offline_access": ("Stay connected while nobody is here", "so that syncs run at night"),
    "openid": ("Sign you in", "so that it is on record"),
    "profile": ("See that person's name", "so that it is on record who connected"),
    "email": ("See that person's email", "so that it is on record who connected"),
    "accounting.invoices": ("Read and write invoices", "to bring CrocoClick's over and compare both"),
    "accounting.payments": ("Read and write payments", "to see what is paid and to carry payments"),
    "accounting.contacts": ("Read and write contacts", "to find the customer, or create one that is missing"),
    "accounting.settings": ("Read and write settings", "to know accounts, tax rates, currencies and lock dates"),
}


# -- what a sync would do ------------------------------------------------------------------------------------------

WOULD: Mapping[str, str] = {
    "create": "Created in Xero",
    "update": "Updated",
    "void": "Voided",
    "pay": "Paid",
    "leave": "Left as they are",
    "hold": "Held",
}


# -- what a changed setting would do ------------------------------------------------------------------------------

_EFFECTS: Mapping[str, tuple[str, str]] = {
    "goes": ("Releases {} held invoice", "Releases {} held invoices"),
    "held": ("Holds {} invoice that would go", "Holds {} invoices that would go"),
    "left": ("Leaves out {} invoice", "Leaves out {} invoices"),
    "otherwise": ("Sends {} invoice with other accounts or rates", "Sends {} invoices with other accounts or rates"),
}


def effect_sentences(effects: Mapping[str, Any]) -> list[str]:
    """What a changed setting would do, such as "Releases 6 held invoices (€5,120.00)." for each effect."""
    return [
        f"{_EFFECTS[name][one.invoices != 1].format(f'{one.invoices:,}')} ({monies(one.money)})."
        for name, one in effects.items()
        if one.invoices
    ]
