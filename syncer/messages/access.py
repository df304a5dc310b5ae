"""People and what they did, in words."""

from collections.abc import Mapping
from typing import Any

from syncer.domain.access import ADMIN, NEEDS, NONE, OF_THE_WHOLE, OPERATOR, VIEWER, Right
from syncer.messages import format, status

# What to do about CrocoClick's side of a further connection, whose token is in no setting.
TOKENS: Mapping[str, str] = {
    "not_connected": "It has no token: give it one.",
    "token_refused": "CrocoClick does not accept the token: make a new one there and give it here.",
    "scope_missing": "The token lacks a permission: give the private integration the scopes that `.env.example` lists.",
    "wrong_location": "The token belongs to another location.",
}
ROLES: Mapping[str, tuple[str, str]] = {
    VIEWER: ("viewer", "sees everything, changes nothing"),
    OPERATOR: ("operator", "also tries again, skips, links and syncs"),
    ADMIN: ("admin", "also connects, maps, changes settings and names people"),
    NONE: ("no access", "is kept out, whatever the domain may"),
}
_WHO = {VIEWER: "people with access", OPERATOR: "operators and admins", ADMIN: "admins"}
_DOING: Mapping[str, str] = {
    "see": "Looking at this",
    "export": "Taking files away",
    "retry": "Trying invoices again",
    "skip": "Skipping invoices",
    "unskip": "Taking a skip back",
    "undo": "Taking an order back",
    "link_contact": "Linking contacts",
    "keep_apart": "Keeping contacts apart",
    "ignore": "Leaving contacts alone",
    "adopt": "Taking over what is in Xero",
    "overwrite": "Sending over what is in Xero",
    "reapply_payments": "Taking payments off and putting them back",
    "replace_payment": "Taking payments off and entering them anew",
    "same_payment": "Counting payments as the same",
    "confirm_shrink": "Saying that invoices are gone",
    "sync": "Syncing",
    "import-contacts": "Importing contacts",
    "check": "Checking",
    "reconcile": "Comparing both books",
    "test-invoice": "Sending a test invoice",
    "stop": "Stopping a run",
    "pause": "Pausing",
    "resume": "Resuming",
    "save_question": "Saving questions",
    "map": "Mapping taxes and accounts",
    "change_setting": "Changing settings",
    "connect": "Connecting",
    "disconnect": "Disconnecting",
    "add_connection": "Adding connections",
    "change_person": "Naming people",
}
TROUBLES: Mapping[str, str] = {
    "not_signed_in": "This console shows invoices and money to people it knows.",
    "signed_out": "You have signed out.",
    "ended": "Your sign-in has ended. Sign in again, and this page is shown.",
    "unverified": "Your provider has not verified your email, so it cannot say who you are. Verify it there first.",
    "no_email": "Your provider did not say which email is yours. Its administrator has to allow the scope `email`.",
    "no_right": "Nobody has given you access yet. Ask an admin of this console to add you under People.",
}
_DEEDS: Mapping[str, str] = {
    "setting_changed": "Changed a setting",
    "connected": "Connected Xero",
    "disconnected": "Disconnected Xero",
    "connection_added": "Added a connection",
    "token_changed": "Changed the CrocoClick token",
    "person_changed": "Named a person",
    "person_removed": "Took a person's name off",
    "started": "Started",
    "stopped": "Stopped a run",
    "paused": "Paused the connection",
    "resumed": "Resumed the connection",
    "exported": "Downloaded a file",
    "backed_up": "Made a backup",
    "restored": "Restored a backup",
    "ended_sign_ins": "Ended sign-ins",
    "question_saved": "Saved a question",
    "question_removed": "Removed a question",
    "order_retry": "Asked to try again",
    "order_skip": "Skipped",
    "order_unskip": "Took a skip back",
    "order_undo": "Took an order back",
    "order_map": "Mapped and tried again",
    "order_link_contact": "Linked a contact",
    "order_keep_apart": "Kept a contact apart",
    "order_ignore": "Left contacts alone",
    "order_chosen": "Chose a contact to import",
    "order_adopt": "Counted what Xero has as the invoice",
    "order_overwrite": "Had it sent again",
    "order_reapply_payments": "Had payments put back",
    "order_replace_payment": "Had payments entered anew",
    "order_same_payment": "Counted payments as the same",
    "order_confirm_shrink": "Said that invoices are gone",
}
_COMMANDS = {"sync": "a sync", "import-contacts": "an import of contacts", "check": "a check",
             "test-invoice": "the test invoice", "reconcile": "a comparison of both books"}  # fmt: skip


def role(code: str) -> str:
    """A role, in a word."""
    return ROLES[code][0] if code in ROLES else code


def opening_role(code: str) -> str:
    """A role and what it may, as a sentence."""
    name, may = ROLES[code]
    return f"{name.capitalize()}: {may}."


def a_role(code: str) -> str:
    """A role with its article."""
    return f"{'an' if code in (OPERATOR, ADMIN) else 'a'} {role(code)}" if code != NONE else "without access"


def refused(action: str, code: str, right: Right | None = None) -> str:
    """Why somebody may not do something."""
    doing = _DOING.get(action, "This")
    if code == NONE:
        return f"{doing} is for people who have signed in and been given access. Nothing was changed."
    if action in OF_THE_WHOLE and right and right.connections is not None and code == ADMIN:
        return f"{doing} is for admins of all connections; you see some. Nothing was changed."
    return f"{doing} is for {_WHO[NEEDS.get(action, ADMIN)]}; you are {a_role(code)} here. Nothing was changed."


def refused_shortly(action: str) -> str:
    """Which role may do an action, shown beside a control that is off."""
    return f"For {_WHO[NEEDS.get(action, ADMIN)]}."


def changed(who: str, code: str, connections: frozenset[str] | None) -> str:
    """What somebody may from now on."""
    everybody = f"Everybody of {who[1:]}" if who.startswith("@") else who
    where = "" if connections is None or code == NONE else f" for {', '.join(sorted(connections))}"
    return f"{everybody} is {a_role(code)}{where} from now on."


def deed(code: str) -> str:
    """What a person did, in words."""
    return _DEEDS.get(code, code.replace("_", " ").capitalize())


def started(command: str) -> str:
    """What was started."""
    return _COMMANDS.get(command, command)


def moved(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """What a deed changed: a name, what was and what is; only what differs and says something to people."""
    was, now = before if isinstance(before, Mapping) else {}, after if isinstance(after, Mapping) else {}
    names = [
        name for name in dict.fromkeys([*was, *now]) if was.get(name) != now.get(name) and name not in _IN_THE_FILE
    ]
    return [(_NAMES.get(name, name), _told(name, was.get(name)), _told(name, now.get(name))) for name in names]


# Ids and codes: the file that is taken away has them.
_IN_THE_FILE = ("organisation_id", "cause", "xero_id", "ordered")
_NAMES: Mapping[str, str] = {
    "value": "", "said": "with", "organisation_name": "organisation", "location_id": "location", "link": "linked",
    "apart": "kept apart as", "asked": "with",
}  # fmt: skip
_VALUES: Mapping[str, Mapping[str, str]] = {
    "state": {code: word.lower() for code, (_, word, *_) in {**format.STATES, **status.CONNECTION_STATES}.items()},
    "role": {code: name for code, (name, _) in ROLES.items()},
    "link": {"person": "by a person", "email": "by email", "number": "by our mark", "created": "made by us",
             "imported": "by the import"},
}  # fmt: skip


def _told(name: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, Mapping):
        shown = [key for key in value if not (key == "contact" and "name" in value)]
        return ", ".join(f"{_SAID.get(key, key)} {_told(key, value[key])}".strip() for key in shown)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return _VALUES.get(name, {}).get(str(value), str(value))


_SAID: Mapping[str, str] = {"because": "", "name": ""}
