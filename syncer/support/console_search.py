"""What the console's search finds: invoices as people type them, contacts without one, runs, what is nearest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from syncer.storage.ledger.ledger import Ledger
from syncer.support.search import folded

Rows = Sequence[dict[str, Any]]

NEAREST = 3
CONTACTS = 20
_CURRENCY = re.compile(r"^[A-Z]{3}\s+|(?<=\d)\s*[A-Z]{3}$")
_AMOUNT = re.compile(r"[^\d.,'\s\u00a0\u202f]*([\d][\d.,'\s\u00a0\u202f]*)[^\d]*")


@dataclass(frozen=True)
class Found:
    """What fits a search; `nearest` where nothing does: invoices that differ by one letter."""

    invoices: Rows = ()
    contacts: Rows = ()
    run: Mapping[str, Any] | None = None
    nearest: Rows = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing fits."""
        return not self.invoices and not self.contacts and self.run is None


def search(ledger: Ledger, what: str, limit: int) -> Found:
    """Look for it in numbers, ids, names of both sides, companies, emails, amounts, contacts and runs.

    Accents, case, blanks and signs do not matter, nor the order of words; O is taken for 0 in numbers.
    """
    what = what.encode("utf-8", "ignore").decode().strip()
    # An email is one word: its parts in any order would be somebody else's.
    words = [
        word for part in what.split() for word in ([folded(part)] if "@" in part else folded(part).split()) if word
    ]
    amount = amount_of(what)
    exact = ledger.rows("find_exact", what=what, limit=limit) if what else []
    if not words:
        return Found(exact)
    asked = {"words": words, "code": "".join(words).replace("o", "0"), "limit": limit}
    invoices = exact or ledger.rows("find_words", phrase=" ".join(words), amount=amount, **asked)
    contacts = [] if exact or len(invoices) == limit else ledger.rows("find_contacts", words=words, limit=CONTACTS)
    run = ledger.row("run", run_id=what)
    if invoices or contacts or run:
        return Found(invoices, contacts, run)
    return Found(nearest=ledger.rows("find_nearly", **{**asked, "limit": NEAREST}))


def amount_of(text: str) -> Decimal | None:
    """The amount that it is, as people write amounts: `5796`, `€5,796.00`, `5 796,00 €`; None where it is none."""
    text = _CURRENCY.sub("", text)
    match = _AMOUNT.fullmatch(text)
    if match is None or any(one.isalpha() for one in text):
        return None
    digits = re.sub(r"['\s\u00a0\u202f]", "", match.group(1)).rstrip(".,")
    whole, cents = digits, ""
    if (cut := re.fullmatch(r"(.*?)[.,](\d{1,2})", digits)) is not None:
        whole, cents = cut.groups()
    try:
        return Decimal(f"{re.sub('[.,]', '', whole)}.{cents or 0}")
    except InvalidOperation:
        return None
