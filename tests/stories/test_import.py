"""Contacts, Xero → CrocoClick, over real HTTP: what becomes of each, and that nothing is made or written twice."""

import pytest


@pytest.fixture
def world(world):
    """Nobody on either side but who a test puts there."""
    return world


def kept(world):
    """Outcome and reason of each Xero contact, by its name."""
    names = {one.id: one.name for one in world.ledger.book_contacts()}
    return {names[one.xero_id]: (str(one.outcome), one.reason) for one in world.ledger.imported()}


def here(world, name):
    """The contact of this name in CrocoClick."""
    [found] = [one for one in world.crm.contacts() if one.get("name") == name]
    return found


def test_each_contact_gets_its_outcome_and_its_reason(world):
    """One of each: made, linked, left out for what it is, and shown where several could be meant."""
    xero, crm = world.xero, world.crm
    xero.add_contact(Name="New SARL", EmailAddress="new@example.org", IsCustomer=True)
    xero.add_contact(Name="Known", EmailAddress="Known@Example.org", IsCustomer=True)
    xero.add_contact(Name="Only sells to us", EmailAddress="seller@example.org", IsSupplier=True)
    xero.add_contact(Name="Past", EmailAddress="past@example.org", ContactStatus="ARCHIVED")
    xero.add_contact(Name="Silent")
    xero.add_contact(Name="Twice one", EmailAddress="twice@example.org")
    xero.add_contact(Name="Twice two", EmailAddress="twice@example.org")
    xero.add_contact(Name="Two here", EmailAddress="two@example.org")
    crm.add_contact(name="Known", email="known@example.org", phone="+33140000001")
    crm.add_contact(name="Two here", email="two@example.org")
    crm.add_contact(name="Two there", email="TWO@example.org")
    assert world.import_contacts() == {"created": 1, "linked": 1, "conflict": 3, "left_out": 3}
    assert kept(world) == {
        "New SARL": ("created", "new"),
        "Known": ("linked", "email"),
        "Only sells to us": ("left_out", "supplier_only"),
        "Past": ("left_out", "archived"),
        "Silent": ("left_out", "no_email"),
        "Twice one": ("conflict", "several_in_xero"),
        "Twice two": ("conflict", "several_in_xero"),
        "Two here": ("conflict", "several_in_crococlick"),
    }
    assert here(world, "New SARL")["source"].startswith("Xero ")
    assert world.import_contacts() == {"unchanged": 2, "conflict": 3, "left_out": 3}
    assert len([one for one in crm.contacts() if one.get("email") == "new@example.org"]) == 1
