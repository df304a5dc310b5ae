"""Contacts: the last import at a glance, what needs a look, duplicates side by side, and everything to filter."""

import re

from tests.support.pages import Draw, obeys_the_house_rules, press, seen
from tests.support.sync_world import World

SHARED = "compta@martin.example"


def people(world: World) -> str:
    """Three Xero contacts, two of which share an email with one in CrocoClick that has an invoice."""
    world.xero.add_contact(Name="Martin SARL", EmailAddress=SHARED)
    world.xero.add_contact(Name="Martin Holding", EmailAddress=SHARED)
    world.xero.add_contact(Name="New customer", EmailAddress="new@example.org")
    world.xero.add_contact(Name="Jean Petit", EmailAddress="jean.petit+xero@example.org")
    world.crm.add_contact(name="Jean Petit", email="jeanpetit@example.org")
    here = world.crm.add_contact(name="Claire Martin", email=SHARED, phone="+33140000001")
    world.has("INV-1", contact=here)
    world.import_contacts()
    world.sync()
    return here


def test_before_the_first_import_there_is_one_thing_to_do(lived: World, draw: Draw):
    """The title says so, and the button is there."""
    at = draw("contacts")
    text = obeys_the_house_rules(at)
    assert text.startswith("Contacts have not been imported yet")
    assert "Import now" in text


def test_the_last_import_at_a_glance(lived: World, draw: Draw):
    """How many are linked and how many need a look, each number leading to its contacts."""
    people(lived)
    at = draw("contacts")
    text = obeys_the_house_rules(at)
    assert text.startswith("1 contact of Xero is linked, 3 to review")
    assert "1 created · 3 to review" in text
    assert "outcome=conflict" in " ".join(one.value for one in at.html)
    assert "Other Xero contacts have its email: Martin Holding." in text
    assert "Its email is likely delivered to the same mailbox as that of Jean Petit." in text


def test_a_suggestion_is_confirmed_with_one_button(lived: World, draw: Draw):
    """The two are linked, and the next import says so."""
    people(lived)
    at = press(draw("contacts", tab="look"), "The same: link to Jean Petit")
    assert "Jean Petit is linked to Jean Petit." in seen(at)
    lived.import_contacts()
    assert "2 contacts of Xero are linked, 2 to review" in seen(draw("contacts"))


def test_duplicates_stand_side_by_side_with_what_hangs_on_them(lived: World, draw: Draw):
    """Names, emails as typed, phones, invoices and money; which one should stay, and what choosing it does."""
    people(lived)
    text = obeys_the_house_rules(draw("contacts", tab="duplicates"))
    assert f"2 Xero contacts and 1 CrocoClick contact share {SHARED}" in text
    assert "1 open invoice worth €120.00 hangs on it." in text
    assert "should stay" in text and "In Xero: Contacts, tick both, Merge" in text
    assert re.search(r"1 CrocoClick contact is linked to Martin \w+; 1 invoice worth €120.00 goes to it.", text)


def test_linking_a_group_lets_its_invoices_go(lived: World, draw: Draw):
    """The choice is on record, the group is under Answered, and the invoice is in Xero after the next run."""
    people(lived)
    assert lived.cause("INV-1") == "contact_ambiguous"
    at = press(draw("contacts", tab="duplicates"), "Link")
    assert "Claire Martin is linked to Martin" in seen(at)
    assert "No two contacts share an email." in seen(draw("contacts", tab="duplicates"))
    assert "Linked by a person." in seen(draw("contacts", tab="answered"))
    lived.sync()
    assert lived.state("INV-1") == "synced"


def test_an_answer_is_taken_back(lived: World, draw: Draw):
    """The group is open again."""
    people(lived)
    press(draw("contacts", tab="duplicates"), "Link")
    at = press(draw("contacts", tab="answered"), "Undo")
    assert "Taken back" in seen(at)
    assert SHARED in seen(draw("contacts", tab="duplicates"))


def test_leaving_a_group_alone_needs_a_reason(lived: World, draw: Draw):
    """Without one nothing is ordered; with one it is told under Answered."""
    people(lived)
    at = draw("contacts", tab="duplicates")
    at = press(at, "Leave alone")
    assert "Say why" in seen(at)
    next(one for one in at.text_input if one.label == "Why").set_value("One family")
    at = press(at, "Leave alone")
    assert "Left alone" in seen(at)
    assert "Left alone: One family." in seen(draw("contacts", tab="answered"))


def test_every_contact_can_be_searched_and_filtered(lived: World, draw: Draw):
    """By name, email or what became of it."""
    people(lived)
    text = obeys_the_house_rules(draw("contacts", tab="links"))
    assert "4 contacts in all." in text
    at = draw("contacts", tab="links", what="petit")
    assert "1 contact in all." in seen(at)
    at = draw("contacts", tab="links", outcome="created")
    assert "1 contact in all." in seen(at) and "Only: Created · Show all" in seen(at)
    assert "New customer" in seen(at)


def test_what_moved_in_xero_is_told(lived: World, draw: Draw):
    """Renamed since: before an invoice trips over it."""
    lived.xero.add_contact(Name="Old name", EmailAddress="old@example.org")
    lived.crm.add_contact(name="Old name", email="old@example.org")
    lived.import_contacts()
    lived.xero.update("contacts", lived.xero.contacts()[0]["ContactID"], Name="New name")
    lived.import_contacts()
    at = draw("contacts")
    text = obeys_the_house_rules(at)
    assert "1 change" in text
    assert "Old name: Renamed in Xero from Old name to New name" in text
