"""Which invoices somebody means."""

import re
import unicodedata
from typing import Any

from syncer.domain.errors import WrongUsage
from syncer.storage.ledger.ledger import Ledger

MATCHES = 50


ORDERED = 5000  # invoices that one order may be for


_SIGNS = re.compile(r"[\W_]+")


def find(ledger: Ledger, what: str, limit: int = MATCHES) -> list[dict[str, Any]]:
    """The invoices that a search means: this very number or id, else what contains it; likeliest first."""
    what = what.encode("utf-8", "ignore").decode().strip()
    if not what:
        return []
    exact = ledger.rows("find_exact", what=what, limit=limit)
    return exact or ledger.rows("find_like", what=what, phrase=folded(what), limit=limit)


def meant(ledger: Ledger, what: str) -> list[dict[str, Any]]:
    """The invoices that an order means by `what`: one by its number or id, or all of a customer by its name or email.

    Raises WrongUsage for what fits nothing, or several that it does not name outright.
    """
    found = find(ledger, what, ORDERED)
    if not found:
        raise WrongUsage(f"No invoice fits {what!r}: neither a number, an id, a customer's name nor an email.")
    named = folded(what)
    whole = all(named in (folded(row["contact_name"]), folded(row["contact_email"])) for row in found)
    if len(found) > 1 and not whole:
        several = ", ".join(f"{row['number']} ({row['source_id']})" for row in found[:5])
        raise WrongUsage(f"{what!r} fits {len(found)} invoices: {several}{' …' if len(found) > 5 else ''}. Say which.")
    return found


def folded(text: str) -> str:
    """Lower case without accents, each run of signs as one blank."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return _SIGNS.sub(" ", plain.lower().replace("œ", "oe").replace("ß", "ss")).strip()
