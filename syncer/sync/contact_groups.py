"""Which contacts share an email, and which of these groups nobody has answered yet."""

from collections.abc import Mapping

from syncer.domain.matching.contact_import import ContactAnswer, Link, survivor
from syncer.domain.matching.duplicates import CROCOCLICK, XERO, DuplicateGroup, groups
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import BookContact
from syncer.storage.ledger.ledger import Ledger


def people_of(ledger: Ledger) -> dict[str, SourceContact]:
    """CrocoClick's contacts by id: its own list, and where that was never read those that invoices name."""
    found = ledger.source_contacts()
    if not found:
        known = (contact.customer for contact in ledger.contacts().values())
        found = [SourceContact(one.id, one.name, one.email, one.company, one.phone) for one in known]
    return {one.id: one for one in found}


def open_groups(ledger: Ledger, links: Mapping[str, Link]) -> list[DuplicateGroup]:
    """The groups that share an email and that nobody has answered, by these links."""
    book = {one.id: one for one in ledger.book_contacts()}
    found = groups(book.values(), people_of(ledger).values(), plain_links(links, book))
    answers = ledger.contact_answers()
    return [one for one in found if not one.likely and not is_answered(one, answers, links)]


def plain_links(links: Mapping[str, Link], book: Mapping[str, BookContact]) -> dict[str, str]:
    """The Xero contact that each CrocoClick contact is linked to; merges in Xero are followed."""
    return {key: survivor(link.xero_id, book) for key, link in links.items()}


def is_answered(group: DuplicateGroup, answers: Mapping[str, ContactAnswer], links: Mapping[str, Link]) -> bool:
    """Whether a person left the group alone, or said for each contact on one of its sides who it is or is not."""
    if group.email in answers or any(one.id in answers and answers[one.id].kind == "chosen" for one in group.members):
        return True
    said = {member.id for member in group.members if member.id in answers}
    said |= {member.id for member in group.on(CROCOCLICK) if member.id in links and links[member.id].by_person}
    return any(those and all(one.id in said for one in those) for those in map(group.on, (XERO, CROCOCLICK)))
