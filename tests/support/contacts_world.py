"""What the stories about contacts share: looks at both sides and at the ledger, and orders as they are typed."""

from collections import Counter

from syncer.cli import contacts
from syncer.cli.invoices import order_of
from syncer.cli.parser import parser
from syncer.support.contact_orders import ContactDesk

LYON = {"AddressType": "STREET", "AddressLine1": "1 rue A", "City": "Lyon", "PostalCode": "69001", "Country": "FR"}
PHONE = {"PhoneType": "DEFAULT", "PhoneNumber": "40000001", "PhoneAreaCode": "1", "PhoneCountryCode": "33"}


def kept(world):
    """Outcome and reason of each Xero contact, by its name."""
    names = {one.id: one.name for one in world.ledger.book_contacts()}
    return {names[one.xero_id]: (str(one.outcome), one.reason) for one in world.ledger.imported()}


def here(world, name):
    """The contact of this name in CrocoClick."""
    [found] = [one for one in world.crm.contacts() if one.get("name") == name]
    return found


def emails(world):
    """How often each email stands in CrocoClick."""
    return Counter(one.get("email", "").lower() for one in world.crm.contacts())


def linked(world):
    """The Xero contact of each CrocoClick contact that is linked, by its name."""
    names = {one.id: one.name for one in world.ledger.book_contacts()}
    ours = {one["id"]: one.get("name") for one in world.crm.contacts()}
    return {ours.get(key, key): names[link.xero_id] for key, link in world.ledger.contact_links().items()}


def writes(world):
    """How many contacts CrocoClick was asked to make or to change."""
    made = [c for c in world.box.calls if c.side == "crococlick" and c.path == "/contacts/" and c.method == "POST"]
    return len(made) + world.box.count(side="crococlick", method="PUT", path="/contacts/")


def allow_duplicates(world):
    """CrocoClick's own protection is off."""
    world.crm.profile(settings={**world.crm.profile()["settings"], "allowDuplicateContact": True})


def people(world, count):
    """So many contacts in Xero, each with its own email; their ids."""
    return [
        world.xero.add_contact(Name=f"P {n:03}", EmailAddress=f"p{n:03}@example.org", IsCustomer=True)
        for n in range(count)
    ]


def fail(world, kind, containing="", **options):
    """Let the next creation of a contact that holds this text go wrong."""
    world.faults.add(kind, side="crococlick", method="POST", path="/contacts/", containing=containing, **options)


def say(world, *words):
    """Give an order about contacts in the words of a terminal, as Anna; gives what follows."""
    name, what, said = order_of(parser().parse_args(["order", *words]))
    assert contacts.is_about_contacts(world.connection, name, what)
    desk = ContactDesk(world.ledger, "Anna", world.app.clock.now())
    return [desk.give(name, one, said) for one in what][-1]
