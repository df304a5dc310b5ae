"""People and companies as CrocoClick holds them, and what tells that two records may be the same.

Only an equal email decides; names, companies and phones are evidence for a suggestion that a person confirms.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from syncer.domain.matching.invoice_contacts import emails
from syncer.domain.model.books import NO_ADDRESS, Address, BookContact

MARK = "Xero "  # before the ContactID, in CrocoClick's field `source`: the mark of a contact that we made there
PHONE_DIGITS = 9  # without a country or trunk prefix
PHONE_LEAST = 6

# Mailboxes that several people read: an equal address alone does not say that it is the same customer.
_SHARED = frozenset(
    "info contact hello bonjour office accueil admin administration administratif secretariat mail email postmaster "
    "compta comptabilite accounts accounting accountspayable ap finance billing invoice invoices facture factures "
    "facturation sales ventes commercial support service sav team equipe noreply no-reply direction gestion".split()
)
_LEGAL = frozenset("sarl sas sasu eurl sa sci snc ltd limited llc llp inc plc gmbh ag bv nv srl spa pty co cie".split())
_WORDS = re.compile(r"[^\W_]+")
_NO_DIGITS = re.compile(r"\D+")


@dataclass(frozen=True, slots=True)
class SourceContact:
    """A contact as CrocoClick holds it; `email` is what was typed, further addresses after it, parted by commas."""

    id: str
    name: str
    email: str = ""
    company: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    address: Address = NO_ADDRESS
    source: str = ""
    updated_at: datetime | None = None

    @property
    def made_for(self) -> str:
        """The ContactID of the Xero contact that we made it for, or nothing."""
        return self.source.removeprefix(MARK) if self.source.startswith(MARK) else ""


def words(*names: str) -> frozenset[str]:
    """The words of names, without accents, case and legal forms."""
    return _words(" ".join(names)) if any(names) else frozenset()


@lru_cache(maxsize=65536)
def _words(text: str) -> frozenset[str]:
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return frozenset(_WORDS.findall(text.casefold())) - _LEGAL


def phone_key(phone: str) -> str:
    """A number without its prefix, so that +33 1 40… and 01 40… are the same; empty for what is too short."""
    digits = _NO_DIGITS.sub("", phone)[-PHONE_DIGITS:]
    return digits if len(digits) >= PHONE_LEAST else ""


def is_shared(address: str) -> bool:
    """True for the address of a department rather than of a person, such as info@ or compta@."""
    return address.partition("@")[0] in _SHARED


def likely_key(address: str) -> str:
    """Equal for addresses that most mail services deliver to the same box: +tags and dots before the @ do not count."""
    local, _, domain = address.rpartition("@")
    domain = "gmail.com" if domain == "googlemail.com" else domain
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"


def name_words(contact: SourceContact | BookContact) -> frozenset[str]:
    """Every word by which a contact is called."""
    company = contact.company if isinstance(contact, SourceContact) else ""
    return words(contact.name, contact.first_name, contact.last_name, company)


def agree(one: SourceContact, other: BookContact) -> bool:
    """Whether two names can belong to the same customer: they share a word, or one of them has none."""
    ours, theirs = name_words(one), name_words(other)
    return not ours or not theirs or bool(ours & theirs)


def links_by_email(one: SourceContact, other: BookContact, shared: Iterable[str]) -> bool:
    """Whether an email that only these two have is enough: always, but for a desk that others may share."""
    return not all(is_shared(address) for address in shared) or agree(one, other)


def addresses(contact: SourceContact | BookContact) -> tuple[str, ...]:
    """The normalised addresses of a contact."""
    return emails(contact.email) if contact.email else ()
