"""Contacts as they are written to Xero."""

from syncer.domain.matching.invoice_contacts import NewContact
from syncer.sync.outbox import WriteItem
from syncer.sync.snapshot import digest


def contact_element(contact: NewContact, tries: int) -> WriteItem:
    """A contact to create."""
    content = digest(contact.name, contact.email, contact.phone, str(tries))
    return WriteItem(contact.source_id, contact, content, fingerprint=content, size=500, subject=contact)
