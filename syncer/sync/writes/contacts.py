"""Contacts as they are written to Xero."""

from syncer.domain.matching.invoice_contacts import NewContact
from syncer.sync.outbox import Element
from syncer.sync.snapshot import digest


def contact_element(contact: NewContact, tries: int) -> Element:
    """A contact to create."""
    content = digest(contact.name, contact.email, contact.phone, str(tries))
    return Element(contact.source_id, contact, content, fingerprint=content, size=500, subject=contact)
