"""Which Xero contact a CrocoClick contact is: decided before any invoice goes."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from syncer.domain.mapping.plain_text import without_odd_characters
from syncer.domain.model.books import BookContact
from syncer.domain.model.invoice import Customer
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules

NAME_LIMIT = 255  # Xero's Contacts page
PHONE_LIMIT = 50  # of a PhoneNumber (Xero's OpenAPI, Phone)
UNKNOWN = "UNKNOWN"  # our word, beside Xero's statuses: a contact that Xero says it does not have

# An address inside whatever surrounds it: a display name, angle brackets, quotes, mailto:, a list. An apostrophe
# belongs to the part before the @ (o'neil@…), though not at its ends.
_ADDRESS = re.compile(r"[^\s<>,;:|\"()\[\]]+@[^\s<>,;:|\"'()\[\]@]+\.[^\s<>,;:|\"'()\[\]@]+")

_PLAIN = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")  # nothing around it: most are


@dataclass(frozen=True)
class NewContact:
    """A contact to create in Xero; `number` (our CrocoClick contact id) is the mark by which it is found again."""

    source_id: str
    name: str
    email: str = ""
    number: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """It is this Xero contact; `how` is binding, number or email."""

    xero_id: str
    how: str


@dataclass(frozen=True, slots=True)
class Create:
    """Nothing fits and the name is free: create it."""

    contact: NewContact


@dataclass(frozen=True, slots=True)
class Join:
    """It shares its email with a CrocoClick contact that is created in the same run, and will be linked to that."""

    source_id: str


Decision = Linked | Create | Join | Problem


def emails(written: str) -> tuple[str, ...]:
    """The addresses in an email field as people fill it: trimmed, case-folded, without display names, in order."""
    if _PLAIN.fullmatch(written):
        return (written.casefold(),)
    found = (match.strip(".'").casefold() for match in _ADDRESS.findall(written))
    return tuple(dict.fromkeys(address for address in found if address.count("@") == 1))


def name_key(name: str) -> str:
    """Names that Xero holds to be the same: case and doubled blanks do not count."""
    return " ".join(name.split()).casefold()


def display_name(customer: Customer) -> str:
    """What the contact is called in Xero: the name, else the company, else the first address."""
    for candidate in (customer.name, customer.company, *emails(customer.email)):
        if tidy := " ".join(candidate.split()):
            return tidy
    return ""


class ContactIndex:
    """Xero's contacts, ready to be asked by id, number, email and name."""

    def __init__(self, contacts: Iterable[BookContact]) -> None:
        self._by_id: dict[str, BookContact] = {}
        self._by_number: dict[str, BookContact] = {}
        self._by_email: dict[str, list[BookContact]] = defaultdict(list)
        self._by_name: dict[str, BookContact] = {}
        for contact in sorted(contacts, key=lambda one: one.id):
            self.add(contact)

    def add(self, contact: BookContact) -> None:
        """Take in one more contact."""
        self._by_id[contact.id] = contact
        if contact.number:
            self._by_number[contact.number] = contact
        for address in emails(contact.email):
            self._by_email[address].append(contact)
        if contact.status == "ACTIVE":
            self._by_name[name_key(contact.name)] = contact

    def survivor(self, xero_id: str) -> BookContact | None:
        """The contact, followed through merges to the one that is left; None when the mirror does not know it."""
        seen: set[str] = set()
        contact = self._by_id.get(xero_id)
        while contact and contact.merged_to and contact.id not in seen:
            seen.add(contact.id)
            contact = self._by_id.get(contact.merged_to, contact)
        return contact

    def numbered(self, number: str) -> BookContact | None:
        """The contact that carries this ContactNumber."""
        return self._by_number.get(number)

    def with_email(self, addresses: Iterable[str]) -> list[BookContact]:
        """The contacts that have one of these addresses, each once, merges followed."""
        those = (contact for address in addresses for contact in self._by_email.get(address, ()))
        found = (self.survivor(contact.id) or contact for contact in those)
        return list({contact.id: contact for contact in found}.values())

    def named(self, name: str) -> BookContact | None:
        """The active contact of this name."""
        return self._by_name.get(name_key(name))


def decide_all(
    customers: Mapping[str, Customer],
    bindings: Mapping[str, str],
    index: ContactIndex,
    rules: Rules,
    apart: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Decision]:
    """Decide every CrocoClick contact, smallest id first, so that two that collide are always told apart alike.

    `apart` are those that a person keeps apart from all that Xero has, each with the name it gets there ("" its own).
    """
    decisions: dict[str, Decision] = {}
    by_email: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for source_id in sorted(customers):
        customer = customers[source_id]
        kept_apart = source_id in apart and source_id not in bindings and not index.numbered(source_id)
        if kept_apart:
            named = replace(customer, name=apart[source_id]) if apart[source_id] else customer
            decision = _new(named, emails(customer.email), index, rules)
        else:
            decision = decide(customer, bindings.get(source_id, ""), index, rules)
        if isinstance(decision, Create):
            decision = _among_the_new(decision, customer, kept_apart, by_email, by_name)
        decisions[source_id] = decision
    return decisions


def _among_the_new(
    create: Create, customer: Customer, kept_apart: bool, by_email: dict[str, str], by_name: dict[str, str]
) -> Decision:
    """A contact to create, seen beside those that will be created before it; one kept apart joins none of them."""
    addresses = emails(customer.email)
    for address in addresses:
        if address in by_email and not kept_apart:
            return Join(by_email[address])
    name = name_key(create.contact.name)
    if name in by_name:
        return Problem(
            "contact_name_taken",
            {"name": create.contact.name, "email": customer.email, "other_email": "", "crococlick_id": by_name[name]},
        )
    by_name[name] = customer.id
    for address in addresses:
        by_email.setdefault(address, customer.id)
    return create


def decide(customer: Customer, bound_to: str, index: ContactIndex, rules: Rules) -> Decision:
    """One contact: its binding, else our number, else its email, else a new contact where the name is free."""
    if bound_to:
        return _linked(index.survivor(bound_to), "binding", customer) or Linked(bound_to, "binding")
    if ours := index.numbered(customer.id):
        return _linked(index.survivor(ours.id), "number", customer) or Linked(ours.id, "number")
    addresses = emails(customer.email)
    candidates = index.with_email(addresses)
    active = [contact for contact in candidates if contact.status == "ACTIVE"]
    if len(active) == 1:
        return Linked(active[0].id, "email")
    if active:
        return Problem(
            "contact_ambiguous",
            {"name": display_name(customer), "email": ", ".join(addresses), "candidates": _candidates(active)},
        )
    if candidates:
        return _archived(candidates[0])
    return _new(customer, addresses, index, rules)


def _linked(contact: BookContact | None, how: str, customer: Customer) -> Decision | None:
    if contact is None:
        return None
    if contact.status == UNKNOWN:
        facts = {"name": display_name(customer), "email": customer.email, "xero_id": contact.id, "unknown": True}
        return Problem("contact_missing", facts)
    return Linked(contact.id, how) if contact.status == "ACTIVE" else _archived(contact)


def _archived(contact: BookContact) -> Problem:
    return Problem("contact_archived", {"name": contact.name, "email": contact.email, "xero_id": contact.id})


def _candidates(contacts: Iterable[BookContact]) -> list[dict[str, str]]:
    return [{"xero_id": contact.id, "name": contact.name, "email": contact.email} for contact in contacts]


def _new(customer: Customer, addresses: tuple[str, ...], index: ContactIndex, rules: Rules) -> Decision:
    name = display_name(customer)
    if wrong := _wrong_with(customer, name, addresses):
        return Problem("contact_invalid", {"name": name or customer.id, "email": customer.email, "what": wrong})
    if taken := index.named(name):
        return Problem(
            "contact_name_taken",
            {"name": name, "email": customer.email, "other_email": taken.email, "xero_id": taken.id},
        )
    if not rules.create_contacts:
        return Problem("contact_missing", {"name": name, "email": customer.email, "create_contacts": False})
    email = addresses[0] if addresses else ""
    return Create(NewContact(customer.id, name, email, customer.id, phone_in_xero(customer.phone)))


def phone_in_xero(phone: str) -> str:
    """The phone where Xero can hold it (50 characters, Xero's OpenAPI, Phone), else nothing.

    An invoice does not need it, and a shortened number would be a wrong one.
    """
    phone = phone.strip()
    return phone if len(phone) <= PHONE_LIMIT and phone.isprintable() else ""


def _wrong_with(customer: Customer, name: str, addresses: tuple[str, ...]) -> str:
    """What Xero would refuse in a new contact (Xero's Contacts page), or nothing."""
    if not name:
        return "name_missing"
    if len(name) > NAME_LIMIT:
        return "name_too_long"
    if without_odd_characters(name) != name:
        return "name_unprintable"
    if "<" in name or ">" in name:
        return "name_brackets"
    if customer.email.strip() and not addresses:
        return "email_malformed"
    if addresses and not addresses[0].isascii():
        return "email_not_ascii"
    return ""
