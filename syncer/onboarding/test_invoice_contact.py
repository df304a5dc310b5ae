"""The CrocoClick contact that a test invoice is made for: in the ledger, else in CrocoClick."""

from syncer.app.installation import Connection
from syncer.domain.errors import HaltRun, WrongUsage
from syncer.domain.matching.invoice_contacts import emails
from syncer.domain.matching.similarity import SourceContact, addresses
from syncer.domain.model.invoice import Customer
from syncer.domain.readiness.test_invoice import fitting


def customer(connection: Connection, what: str) -> Customer:
    """The one contact meant by an id, an email or a whole name, with its email and phone; raises WrongUsage."""
    what = " ".join(what.split())
    found = _in_ledger(connection, what) or _in_crococlick(connection, what)
    if not found:
        raise WrongUsage(
            f"No contact fits {what!r}: neither a CrocoClick contact id, an email nor the whole name of a contact "
            "that is known here. Give its email or its id."
        )
    if len(found) > 1:
        several = ", ".join(f"{one.name} ({one.id})" for one in found[:5])
        raise WrongUsage(f"{what!r} fits {len(found)} contacts: {several}. Give the id of one.")
    return _whole(connection, found[0])


def _in_ledger(connection: Connection, what: str) -> list[Customer]:
    rows = connection.ledger.rows("customers_like", what=what)
    return fitting((Customer(r["source_id"], r["name"], r["email"], r["company"], r["phone"]) for r in rows), what)


def _in_crococlick(connection: Connection, what: str) -> list[Customer]:
    address = next(iter(emails(what)), "")
    if address:
        one = connection.crm.duplicate(email=address)
        # The location may hold two contacts to be the same by something else than their email.
        return [as_customer(one)] if one and address in addresses(one) else []
    one = _with_id(connection, what) if what.isalnum() else None
    return [as_customer(one)] if one else []


def _with_id(connection: Connection, what: str) -> SourceContact | None:
    """The contact of this id; what a person typed may be no id at all, which CrocoClick says in its own way."""
    try:
        return connection.crm.contact(what)
    except HaltRun as refusal:
        if refusal.facts.get("status") in (400, 422):
            return None
        raise


def _whole(connection: Connection, one: Customer) -> Customer:
    """The contact with an email and a phone, without which CrocoClick takes no invoice from outside."""
    if not (one.email and one.phone):
        there = connection.crm.contact(one.id)
        one = as_customer(there) if there else one
    missing = [name for name in ("email", "phone") if not getattr(one, name)]
    if missing:
        raise WrongUsage(
            f"{one.name} has no {' and no '.join(missing)} in CrocoClick, which takes no invoice from outside without "
            "both. Add it there, or name another contact."
        )
    return one


def as_customer(there: SourceContact) -> Customer:
    """A contact as an invoice names it: by its name, else its company, with its first address."""
    first = there.email.partition(",")[0].strip()
    return Customer(there.id, there.name or there.company, first, there.company, there.phone)
