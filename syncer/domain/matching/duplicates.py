"""Contacts that share an email, inside Xero, inside CrocoClick and across, and those that likely do."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from syncer.domain.matching.invoice_contacts import name_key
from syncer.domain.matching.similarity import SourceContact, addresses, is_shared, likely_key, name_words
from syncer.domain.model.books import BookContact

XERO, CROCOCLICK = "xero", "crococlick"
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """One record of a group: which side it is on, and the record."""

    side: str
    contact: BookContact | SourceContact

    @property
    def id(self) -> str:
        """Its id on its side."""
        return self.contact.id


@dataclass(frozen=True)
class DuplicateGroup:
    """Records that share an address; `likely` where it is only delivered to the same box, as `j.doe+x@` and `jdoe@`."""

    email: str
    members: tuple[Member, ...]
    likely: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether several customers read one mailbox: a desk's address, or names that have no word in common."""
        names = [words for member in self.members if (words := name_words(member.contact))]
        return is_shared(self.email) or (len(names) > 1 and not frozenset.intersection(*names))

    @property
    def is_double(self) -> bool:
        """Whether one side has it twice, rather than each side once and nobody linked the two yet."""
        return max(len(self.on(XERO)), len(self.on(CROCOCLICK))) > 1

    def on(self, side: str) -> list[Member]:
        """The members on one side."""
        return [member for member in self.members if member.side == side]


@dataclass(frozen=True, slots=True)
class Weight:
    """What speaks for a Xero contact to be the one that stays: its invoices there, and whether it is linked already."""

    invoices: int = 0
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """The Xero contact that should stay, and why: linked, invoices, name, complete, newest or first."""

    xero_id: str
    why: str


def groups(book: Iterable[BookContact], crm: Iterable[SourceContact], links: Mapping[str, str]) -> list[DuplicateGroup]:
    """Every address that several records have, in alphabetical order; archived Xero contacts do not count.

    One record on each side that are linked to each other are no duplicates but what an import is for.
    """
    shared: dict[str, list[Member]] = defaultdict(list)
    boxes: dict[str, set[str]] = defaultdict(set)
    for member in _members(book, crm):
        for address in addresses(member.contact):
            shared[address].append(member)
            boxes[likely_key(address)].add(address)
    found = [DuplicateGroup(address, tuple(those)) for address, those in shared.items() if _is_double(those, links)]
    found += [
        DuplicateGroup(key, those, likely=True)
        for key, variants in boxes.items()
        if len(variants) > 1 and _is_double(those := _together(variants, shared), links)
    ]
    return sorted(found, key=lambda group: (group.likely, group.email))


def _members(book: Iterable[BookContact], crm: Iterable[SourceContact]) -> Iterable[Member]:
    for contact in sorted(book, key=lambda one: one.id):
        if contact.status == "ACTIVE":
            yield Member(XERO, contact)
    for ours in sorted(crm, key=lambda one: one.id):
        yield Member(CROCOCLICK, ours)


def _together(variants: Iterable[str], shared: Mapping[str, Sequence[Member]]) -> tuple[Member, ...]:
    every = {(member.side, member.id): member for address in sorted(variants) for member in shared[address]}
    return tuple(sorted(every.values(), key=lambda member: (member.side != XERO, member.id)))


def _is_double(members: Sequence[Member], links: Mapping[str, str]) -> bool:
    if len(members) == 2 and members[0].side != members[1].side:
        there, ours = members
        return links.get(ours.id) != there.id
    return len(members) > 1


def proposal(group: DuplicateGroup, weights: Mapping[str, Weight]) -> Proposal | None:
    """The Xero contact that should stay: linked already, most invoices, CrocoClick's name, fullest, latest changed.

    None where there is one at most.
    """
    there = [member.contact for member in group.on(XERO) if isinstance(member.contact, BookContact)]
    if len(there) < 2:
        return None
    names = {name_key(member.contact.name) for member in group.on(CROCOCLICK)}
    ranks = {one.id: _rank(one, weights.get(one.id, Weight()), names) for one in there}
    ordered = sorted(there, key=lambda one: one.id)
    best = max(ordered, key=lambda one: ranks[one.id])
    second = max(ranks[one.id] for one in ordered if one is not best)
    decided = next((name for name, a, b in zip(_WHY, ranks[best.id], second, strict=True) if a != b), "first")
    return Proposal(best.id, decided)


_WHY = ("linked", "invoices", "name", "complete", "newest")


def _rank(contact: BookContact, weight: Weight, names: Container[str]) -> tuple[bool, int, bool, int, datetime]:
    filled = sum(map(bool, (contact.phone, contact.first_name, contact.last_name, contact.address.line)))
    return weight.linked, weight.invoices, name_key(contact.name) in names, filled, contact.updated_at or _LONG_AGO
