"""Who may do what: roles, each with all that the one before it may. Decided here and nowhere else."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

NONE, VIEWER, OPERATOR, ADMIN = "none", "viewer", "operator", "admin"
ROLES = (NONE, VIEWER, OPERATOR, ADMIN)

# Every order for invoices, as the terminal lists them.
ORDERS = (
    *("retry", "skip", "unskip", "map", "link_contact", "keep_apart", "adopt", "overwrite"),
    *("reapply_payments", "replace_payment", "same_payment", "confirm_shrink", "undo"),
)

# The least role for each action; what is not named here is for admins.
NEEDS: Mapping[str, str] = {
    "see": VIEWER,
    "export": VIEWER,
    # Orders for invoices and contacts.
    **dict.fromkeys(("retry", "skip", "unskip", "undo"), OPERATOR),
    **dict.fromkeys(("link_contact", "keep_apart", "ignore"), OPERATOR),
    **dict.fromkeys(
        ("adopt", "overwrite", "reapply_payments", "replace_payment", "same_payment", "confirm_shrink"), OPERATOR
    ),
    # What is started and stopped.
    **dict.fromkeys(
        ("sync", "import-contacts", "check", "test-invoice", "stop", "pause", "resume", "reconcile"), OPERATOR
    ),
    "save_question": OPERATOR,
    # What changes how everything goes over, and who may say so.
    **dict.fromkeys(("map", "change_setting", "connect", "disconnect"), ADMIN),
    **dict.fromkeys(("add_connection", "change_person"), ADMIN),
}
# These reach beyond any one connection: who is limited to some may not.
OF_THE_WHOLE = frozenset({"add_connection", "change_person"})

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")


@dataclass(frozen=True)
class Right:
    """What somebody may: an email, or everybody of a domain (`@example.com`); `connections` None means all."""

    who: str
    role: str
    connections: frozenset[str] | None = None

    def may(self, action: str) -> bool:
        """Whether this is enough for an action."""
        if action in OF_THE_WHOLE and self.connections is not None:
            return False
        return self.role != NONE and ROLES.index(self.role) >= ROLES.index(NEEDS.get(action, ADMIN))

    def sees(self, connection: str) -> bool:
        """Whether a connection is theirs to see."""
        return self.may("see") and (self.connections is None or connection in self.connections)


def right_of(email: str, rights: Iterable[Right], admins: Collection[str] = ()) -> Right | None:
    """What this person may: the admins that the installation names, then the email itself, then its domain."""
    name = plain(email)
    if not _EMAIL.fullmatch(name):
        return None
    if name in map(plain, admins):
        return Right(name, ADMIN)
    known = {plain(right.who): right for right in rights}
    found = known.get(name) or known.get("@" + name.rpartition("@")[2])
    return found if found and found.may("see") else None


def plain(who: str) -> str:
    """An email or a domain as it is compared: case does not tell people apart."""
    return who.strip().casefold()


def is_person(who: str) -> bool:
    """Whether it is written as an email or as `@domain`."""
    name = plain(who)
    return bool(_EMAIL.fullmatch(name if not name.startswith("@") else f"x{name}"))
