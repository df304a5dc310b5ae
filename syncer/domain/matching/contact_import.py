"""What becomes of each Xero contact in CrocoClick: linked, created, filled up, left out, or shown to a person.

Equal emails link where there is exactly one on each side. Everything else that looks the same is a suggestion: nothing
is merged, nothing that CrocoClick has is overwritten.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from syncer.domain.matching.invoice_contacts import name_key
from syncer.domain.matching.similarity import (
    MARK,
    SourceContact,
    addresses,
    likely_key,
    links_by_email,
    name_words,
    phone_key,
)
from syncer.domain.model.books import NO_ADDRESS, BookContact


class ImportOutcome(StrEnum):
    """What an import comes to for one Xero contact (contract.md, `import-contacts`)."""

    CREATED = "created"
    LINKED = "linked"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    CONFLICT = "conflict"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Link:
    """The Xero contact that a CrocoClick contact is linked to; `by_person` where somebody said so."""

    xero_id: str
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What the settings say about an import."""

    suppliers: bool = False
    without_email: bool = False


@dataclass(frozen=True, slots=True)
class ContactAnswer:
    """What a person said of a contact, and why.

    `apart`: it is none of those that look the same, on either side. `ignore`: leave it be. `chosen`: of several with
    its email it is the one that stays.
    """

    kind: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class ImportDecision:
    """The decision on one Xero contact; `fields` are what CrocoClick lacks, `others` the records that stand in the way.

    `source_id` is the CrocoClick contact that it is linked to or, with `others` alone, nothing yet.
    """

    contact: BookContact
    outcome: ImportOutcome
    reason: str
    source_id: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Sides:
    """Both sides, ready to be asked."""

    book: Mapping[str, BookContact]
    crm: Mapping[str, SourceContact]
    linked: Mapping[str, Sequence[str]]  # Xero contact → the CrocoClick contacts linked to it
    gone: Mapping[str, str]  # Xero contact → a CrocoClick contact that was linked to it, and is no more
    bound: Mapping[str, str]  # CrocoClick contact → its Xero contact
    chosen: frozenset[str]  # Xero contacts that a person linked something to
    answers: Mapping[str, ContactAnswer]  # by contact of either side, or by email
    apart: frozenset[str]  # contacts of either side that a person keeps apart
    rules: ImportRules
    book_by_email: Mapping[str, Sequence[BookContact]] = field(default_factory=dict)
    crm_by_email: Mapping[str, Sequence[SourceContact]] = field(default_factory=dict)
    crm_by_likely: Mapping[str, Sequence[SourceContact]] = field(default_factory=dict)
    crm_by_phone: Mapping[str, Sequence[SourceContact]] = field(default_factory=dict)
    crm_by_name: Mapping[str, Sequence[SourceContact]] = field(default_factory=dict)


def decide_import(
    book: Iterable[BookContact],
    crm: Iterable[SourceContact],
    links: Mapping[str, Link],
    answers: Mapping[str, ContactAnswer],
    rules: ImportRules,
) -> list[ImportDecision]:
    """Decide every Xero contact, in the order of their ids."""
    sides = _sides(book, crm, links, answers, rules)
    return [_decide(sides.book[key], sides) for key in sorted(sides.book)]


def _sides(
    book: Iterable[BookContact],
    crm: Iterable[SourceContact],
    links: Mapping[str, Link],
    answers: Mapping[str, ContactAnswer],
    rules: ImportRules,
) -> Sides:
    here = {contact.id: contact for contact in book}
    there = {contact.id: contact for contact in crm}
    marked = {key: Link(xero_id) for key, xero_id in marks(here, there.values(), links, answers).items()}
    linked: dict[str, list[str]] = defaultdict(list)
    gone: dict[str, str] = {}
    bound: dict[str, str] = {}
    for source_id, link in sorted((marked | dict(links)).items()):
        xero_id = survivor(link.xero_id, here)
        if source_id in there:
            linked[xero_id].append(source_id)
            bound[source_id] = xero_id
        else:
            gone[xero_id] = source_id
    chosen = frozenset(survivor(key, here) for key in _chosen(links, answers))
    apart = frozenset(key for key, answer in answers.items() if answer.kind == "apart")
    sides = Sides(here, there, linked, gone, bound, chosen, answers, apart, rules)
    _index(sides)
    return sides


def marks(
    book: Mapping[str, BookContact],
    crm: Iterable[SourceContact],
    links: Mapping[str, Link],
    answers: Mapping[str, ContactAnswer],
) -> dict[str, str]:
    """The CrocoClick contacts whose link only our mark remembers, each with its Xero contact or that one's survivor."""
    return {
        one.id: survivor(one.made_for, book)
        for one in crm
        if one.id not in links and one.made_for in book and not _is_apart(one.id, answers)
    }


def _is_apart(key: str, answers: Mapping[str, ContactAnswer]) -> bool:
    return key in answers and answers[key].kind == "apart"


def _chosen(links: Mapping[str, Link], answers: Mapping[str, ContactAnswer]) -> set[str]:
    named = {key for key, answer in answers.items() if answer.kind == "chosen"}
    return named | {link.xero_id for link in links.values() if link.by_person}


def survivor(xero_id: str, book: Mapping[str, BookContact]) -> str:
    """The contact that is left after merges; the same id where none is known."""
    seen: set[str] = set()
    while (contact := book.get(xero_id)) and contact.merged_to in book and xero_id not in seen:
        seen.add(xero_id)
        xero_id = contact.merged_to
    return xero_id


def _index(sides: Sides) -> None:
    book_by_email: dict[str, list[BookContact]] = defaultdict(list)
    for there in sides.book.values():
        if there.status == "ACTIVE":
            for address in addresses(there):
                book_by_email[address].append(there)
    by_email: dict[str, list[SourceContact]] = defaultdict(list)
    by_likely: dict[str, list[SourceContact]] = defaultdict(list)
    by_phone: dict[str, list[SourceContact]] = defaultdict(list)
    by_name: dict[str, list[SourceContact]] = defaultdict(list)
    for contact in sides.crm.values():
        for address in addresses(contact):
            by_email[address].append(contact)
            by_likely[likely_key(address)].append(contact)
        if phone := phone_key(contact.phone):
            by_phone[phone].append(contact)
        for name in {name_key(contact.name), name_key(contact.company)} - {""}:
            by_name[name].append(contact)
    sides.book_by_email, sides.crm_by_email = book_by_email, by_email
    sides.crm_by_likely, sides.crm_by_phone, sides.crm_by_name = by_likely, by_phone, by_name


def _decide(contact: BookContact, sides: Sides) -> ImportDecision:
    if contact.status != "ACTIVE":
        return _not_active(contact)
    if ours := sides.linked.get(contact.id):
        return _already(contact, ours, sides)
    if answer := _ignored(contact, sides):
        return ImportDecision(contact, ImportOutcome.LEFT_OUT, "ignored", facts={"because": answer.because})
    if contact.is_supplier and not contact.is_customer and not sides.rules.suppliers:
        return ImportDecision(contact, ImportOutcome.LEFT_OUT, "supplier_only")
    found = addresses(contact)
    if not found and not sides.rules.without_email:
        return ImportDecision(
            contact, ImportOutcome.LEFT_OUT, "email_unusable" if contact.email.strip() else "no_email"
        )
    return _by_email(contact, found, sides) or _unmatched(contact, sides)


def _not_active(contact: BookContact) -> ImportDecision:
    if contact.merged_to:
        return ImportDecision(contact, ImportOutcome.LEFT_OUT, "merged", others=(contact.merged_to,))
    return ImportDecision(contact, ImportOutcome.LEFT_OUT, "archived")


def _already(contact: BookContact, ours: Sequence[str], sides: Sides) -> ImportDecision:
    """Linked before: what CrocoClick lacks is filled in, if the link leaves no doubt which contact it belongs to."""
    fields = missing(contact, sides.crm[ours[0]], _may_have_phone(contact, sides)) if len(ours) == 1 else {}
    outcome = ImportOutcome.UPDATED if fields else ImportOutcome.UNCHANGED
    return ImportDecision(contact, outcome, "filled" if fields else "linked", ours[0], fields)


def _ignored(contact: BookContact, sides: Sides) -> ContactAnswer | None:
    asked = (sides.answers.get(key) for key in (contact.id, *addresses(contact)))
    return next((answer for answer in asked if answer and answer.kind == "ignore"), None)


def _may_have_phone(contact: BookContact, sides: Sides) -> bool:
    """Whether its phone can go to CrocoClick: not where a person keeps it apart from somebody, who may have it too."""
    if not sides.apart:
        return True
    same_phone = sides.crm_by_phone.get(phone_key(contact.phone), ())
    return contact.id not in sides.apart and not any(one.id in sides.apart for one in same_phone)


def _by_email(contact: BookContact, found: Sequence[str], sides: Sides) -> ImportDecision | None:
    """What an equal address on either side says; None where nobody else has it."""
    rivals = _all_of(sides.book_by_email, found, contact.id)
    every = _all_of(sides.crm_by_email, found)
    twins = [key for key in every if key not in sides.apart]
    if (contact.id in sides.apart and (every or rivals)) or (every and not twins):
        return ImportDecision(contact, ImportOutcome.LEFT_OUT, "kept_apart", others=tuple(every))
    if rivals and not _is_chosen(contact, rivals, sides):
        return _among_rivals(contact, rivals, sides)
    if len(twins) > 1:
        return ImportDecision(contact, ImportOutcome.CONFLICT, "several_in_crococlick", others=tuple(twins))
    return _one_twin(contact, sides.crm[twins[0]], found, sides) if twins else None


def _is_chosen(contact: BookContact, rivals: Iterable[str], sides: Sides) -> bool:
    """Whether a person chose it, and none of the others that are still to be decided."""
    return contact.id in sides.chosen and not any(one in sides.chosen and one not in sides.linked for one in rivals)


def _among_rivals(contact: BookContact, rivals: Sequence[str], sides: Sides) -> ImportDecision:
    """Other Xero contacts could be meant as well: one that a person chose, else nobody knows which."""
    if contact.id not in sides.chosen and any(one in sides.chosen for one in rivals):
        return ImportDecision(contact, ImportOutcome.LEFT_OUT, "other_chosen", others=tuple(rivals))
    return ImportDecision(contact, ImportOutcome.CONFLICT, "several_in_xero", others=tuple(rivals))


def _all_of(
    by_email: Mapping[str, Sequence[BookContact | SourceContact]], found: Sequence[str], but: str = ""
) -> list[str]:
    """Everybody with one of these addresses, each once."""
    ids = dict.fromkeys(one.id for address in found for one in by_email.get(address, ()))
    return [key for key in ids if key != but]


def _one_twin(contact: BookContact, twin: SourceContact, found: Sequence[str], sides: Sides) -> ImportDecision:
    if twin.id in sides.bound:
        return ImportDecision(contact, ImportOutcome.CONFLICT, "linked_elsewhere", others=(twin.id,))
    rivals = _all_of(sides.book_by_email, addresses(twin), contact.id)
    if rivals and not _is_chosen(contact, rivals, sides):
        return _among_rivals(contact, rivals, sides)
    common = [address for address in addresses(twin) if address in found]
    if not links_by_email(twin, contact, common):
        return ImportDecision(
            contact, ImportOutcome.CONFLICT, "shared_mailbox", others=(twin.id,), facts={"email": common[0]}
        )
    return ImportDecision(
        contact, ImportOutcome.LINKED, "email", twin.id, missing(contact, twin, _may_have_phone(contact, sides))
    )


def _unmatched(contact: BookContact, sides: Sides) -> ImportDecision:
    """Nobody has its address: created, unless it was deleted in CrocoClick or somebody there looks the same."""
    if contact.id in sides.gone:
        return ImportDecision(
            contact, ImportOutcome.LEFT_OUT, "deleted_in_crococlick", others=(sides.gone[contact.id],)
        )
    if contact.id not in sides.apart and (alike := _alike(contact, sides)):
        why, those = alike
        return ImportDecision(contact, ImportOutcome.CONFLICT, "looks_like", others=those, facts={"evidence": why})
    return ImportDecision(
        contact, ImportOutcome.CREATED, "new", fields=to_create(contact, _may_have_phone(contact, sides))
    )


def _alike(contact: BookContact, sides: Sides) -> tuple[str, tuple[str, ...]] | None:
    """The CrocoClick contacts that look the same and are nobody else, and by what."""
    for evidence, candidates in _candidates(contact, sides):
        free = [one.id for one in candidates if _is_free(one, sides)]
        if free:
            return evidence, tuple(dict.fromkeys(free))
    return None


def _candidates(contact: BookContact, sides: Sides) -> Iterable[tuple[str, Sequence[SourceContact]]]:
    """By an address that is delivered to the same box, by name and phone, by the name where one has no address."""
    for address in addresses(contact):
        yield "likely_email", sides.crm_by_likely.get(likely_key(address), ())
    own = name_words(contact)
    phone = phone_key(contact.phone)
    if phone:
        yield "phone", [one for one in sides.crm_by_phone.get(phone, ()) if own & name_words(one)]
    same_name = sides.crm_by_name.get(name_key(contact.name), ())
    yield "name", [one for one in same_name if not (addresses(one) and addresses(contact))]


def _is_free(one: SourceContact, sides: Sides) -> bool:
    """Whether no other Xero contact has a better claim to it, and nobody said that it is another customer."""
    if one.id in sides.bound or one.id in sides.apart:
        return False
    return not any(sides.book_by_email.get(address) for address in addresses(one))


# -- what CrocoClick gets ------------------------------------------------------------------------------------------


def missing(contact: BookContact, ours: SourceContact, with_phone: bool = True) -> Mapping[str, str]:
    """The fields that CrocoClick's contact has empty and Xero's has not; an address only where there is none at all."""
    found: dict[str, str] = {}
    if not ours.name.strip() and contact.name.strip():
        found["name"] = contact.name
    if not addresses(ours) and not ours.email.strip() and addresses(contact):
        found["email"] = addresses(contact)[0]
    if with_phone and not ours.phone.strip() and phone_key(contact.phone):
        found["phone"] = contact.phone
    if replace(ours.address, country="") == NO_ADDRESS:
        found |= _address(contact)
    return found


def to_create(contact: BookContact, with_phone: bool = True) -> Mapping[str, str]:
    """The fields of a contact that is made in CrocoClick, with the mark by which it is found again."""
    mail = addresses(contact)
    person = f"{contact.first_name} {contact.last_name}".strip()
    found = {
        "name": person or contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        # A Xero contact that has a person's name besides its own is a company.
        "company": contact.name if person and name_key(person) != name_key(contact.name) else "",
        "email": mail[0] if mail else "",
        "phone": contact.phone if with_phone and phone_key(contact.phone) else "",
        "source": f"{MARK}{contact.id}",
    }
    return {name: value for name, value in {**found, **_address(contact)}.items() if value}


def _address(contact: BookContact) -> dict[str, str]:
    there = contact.address
    found = {"line": there.line, "city": there.city, "region": there.region, "postcode": there.postcode}
    written = {name: value for name, value in found.items() if value.strip()}
    # CrocoClick knows countries by their two letters; what Xero has there is free text.
    if written and len(there.country.strip()) == 2 and there.country.strip().isalpha():
        written["country"] = there.country.strip().upper()
    return written
