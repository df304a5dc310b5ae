"""What became of a contact, and what makes two look the same, as plain sentences with the next step."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncer.messages.format import count, monies
from syncer.messages.problems import Facts

# Each outcome of an import with its mark and its word.
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "created": ("✓", "created"),
    "linked": ("✓", "linked"),
    "unchanged": ("✓", "unchanged"),
    "updated": ("✓", "completed"),
    "conflict": ("✕", "to review"),
    "left_out": ("–", "left out"),
}

_FIELDS = {
    "name": "name",
    "email": "email",
    "phone": "phone",
    "line": "address",
    "city": "city",
    "region": "region",
    "postcode": "postcode",
    "country": "country",
}

_REASONS: Mapping[str, str] = {
    "new": "made in CrocoClick",
    "planned": "to be made or completed in CrocoClick by the next import",
    "email": "linked: the only contact with this email on either side",
    "linked": "linked before, and nothing to fill in",
    "merged": "merged in Xero into another contact, which goes on in its place",
    "archived": "archived in Xero",
    "supplier_only": "only a supplier in Xero",
    "no_email": "has no email in Xero",
    "email_unusable": "has something in the email field in Xero that is no email",
    "ignored": "left alone by a person",
    "kept_apart": "kept apart by a person from the contacts with its email",
    "other_chosen": "another Xero contact with its email was chosen",
    "deleted_in_crococlick": "deleted in CrocoClick after it had been linked",
    "several_in_xero": "other Xero contacts have its email",
    "several_in_crococlick": "several CrocoClick contacts have its email",
    "linked_elsewhere": "the CrocoClick contact with its email is linked to another Xero contact",
    "shared_mailbox": "a CrocoClick contact of another name has its email, which several people may read",
    "looks_like": "looks like a contact that CrocoClick has",
    "taken": "CrocoClick has a contact with its email or phone already",
    "refused": "CrocoClick did not take it",
}

_EVIDENCE: Mapping[str, str] = {
    "likely_email": "its email is likely delivered to the same mailbox as that of",
    "phone": "it has the phone and part of the name of",
    "name": "it has the name of",
}

_STEPS: Mapping[str, str] = {
    "several_in_xero": "Choose the Xero contact that stays, and merge the others into it in Xero.",
    "several_in_crococlick": "Choose the CrocoClick contact to link, or merge them in CrocoClick.",
    "linked_elsewhere": "Merge the two Xero contacts in Xero, or give one of them another email.",
    "shared_mailbox": "Link the two if they are the same customer, or keep them apart.",
    "looks_like": "Link the two if they are the same customer, or keep them apart; then it is made.",
    "taken": "Link the two if they are the same customer, or keep them apart; then it is made without its phone.",
    "refused": "Mend in Xero what CrocoClick says, then import again.",
    "no_email": "Enter its email in Xero, or allow such contacts with the setting `import_without_email`.",
    "email_unusable": "Mend its email in Xero.",
    "supplier_only": "Nothing to do; the setting `import_suppliers` brings suppliers too.",
    "deleted_in_crococlick": "Nothing to do; to have it again, order the contact to be decided anew.",
    "planned": "Import again: what was not reached is done then.",
}

# How a person merges two contacts, on either side.
MERGE_IN_XERO = (
    "In Xero: Contacts, tick both, Merge, and choose the one that stays. The others are archived, their invoices move; "
    "the next import notices it and follows."
)
MERGE_IN_CROCOCLICK = (
    "In CrocoClick: Contacts, tick both, Merge Contacts, and choose the main one. The next import notices it."
)


def counted(outcome: str, number: int) -> str:
    """How many contacts an outcome has: `2 to review`."""
    return f"{number:,} {OUTCOMES[outcome][1]}"


def sentence(reason: str, facts: Facts, others: Sequence[str] = ()) -> str:
    """What became of a Xero contact, with the names of the contacts it meets."""
    named = _named(others)
    if reason == "filled":
        filled = [_FIELDS[name] for name in facts.get("fields") or () if name in _FIELDS]
        return f"filled in from Xero: {', '.join(filled)}"
    if reason == "looks_like":
        return f"{_EVIDENCE.get(str(facts.get('evidence')), 'it looks like')} {named or 'a CrocoClick contact'}"
    if reason == "taken":
        return f"CrocoClick has {named or 'a contact'} with its {facts.get('by') or 'email or phone'} already"
    if reason == "refused":
        return f"CrocoClick did not take it: “{facts.get('message') or 'no reason given'}”"
    if reason == "ignored":
        return f"left alone by a person: {facts.get('because') or 'no reason given'}"
    told = _REASONS.get(reason, reason.replace("_", " "))
    return f"{told}: {named}" if named else told


def _named(others: Sequence[str]) -> str:
    shown = ", ".join(others[:3])
    return f"{shown} and {len(others) - 3} more" if len(others) > 3 else shown


def step(reason: str) -> str:
    """What to do about it; nothing where nothing is to be done."""
    return _STEPS.get(reason, "")


def group_sentence(email: str, in_xero: int, in_crococlick: int, likely: bool = False) -> str:
    """What a group of contacts has in common."""
    sides = [
        f"{count(number, f'{side} contact')}"
        for number, side in ((in_xero, "Xero"), (in_crococlick, "CrocoClick"))
        if number
    ]
    one = in_xero + in_crococlick == 1
    verb = "likely share the mailbox" if likely else f"share{'s' if one else ''}"
    return f"{' and '.join(sides)} {verb} {email}"


_WHY: Mapping[str, str] = {
    "linked": "it is linked already",
    "invoices": "it has the most invoices in Xero",
    "name": "it has the name that CrocoClick has",
    "complete": "it is filled in most",
    "newest": "it was changed last",
    "first": "nothing else tells them apart",
}


def proposed(name: str, why: str) -> str:
    """Which Xero contact should stay, and why."""
    return f"{name} should stay: {_WHY.get(why, why)}"


def hangs(invoices: int, sums: Mapping[str, Any]) -> str:
    """What waits for the answer about a group."""
    if not invoices:
        return "No open invoice hangs on it."
    return f"{count(invoices, 'open invoice')} worth {monies(sums)} {'hangs' if invoices == 1 else 'hang'} on it."


def effect(name: str, ours: int, invoices: int, sums: Mapping[str, Any]) -> str:
    """What choosing a Xero contact does."""
    if not ours:
        return f"{name} stays; merge the others into it in Xero."
    told = f"{count(ours, 'CrocoClick contact')} {'is' if ours == 1 else 'are'} linked to {name}"
    if not invoices:
        return f"{told}."
    return f"{told}; {count(invoices, 'invoice')} worth {monies(sums)} {'goes' if invoices == 1 else 'go'} to it."
