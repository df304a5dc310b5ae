"""A person's orders about contacts, what others do to them in Xero and CrocoClick, and the groups that remain."""

from decimal import Decimal

import pytest

from syncer.domain.errors import WrongUsage
from syncer.domain.matching.duplicates import XERO
from syncer.domain.matching.invoice_contacts import UNKNOWN
from syncer.domain.model.books import BookContact
from syncer.support import contacts
from tests.support.contacts_world import PHONE, here, kept, linked, say, writes
from tests.support.xero_consent import BoxClock

MAIL = "anne@example.org"


@pytest.fixture
def world(world):
    """Waiting lets the time pass at once."""
    world.app.clock = BoxClock(world.box)
    return world


def groups(world):
    """The open groups: email, names, and whether they are only likely."""
    told = contacts.ContactBook(world.ledger).groups()
    return [(one.email, sorted(person.name for person in one.people), one.likely) for one in told]


def news(world):
    """What others changed of linked contacts, oldest first."""
    since = world.app.clock.now().replace(year=2000)
    return [row["what"] for row in world.ledger.rows("contact_news", since=since, limit=50)][::-1]


def ordered(world, source_id):
    """The orders in the story of a contact, and who gave them."""
    story = world.ledger.rows("history_of", kind="contact", source_id=source_id)
    return [(row["what"], row["by_whom"]) for row in story if row["what"].startswith("order_")]


# -- orders ----------------------------------------------------------------------------------------------------------


def test_a_link_answers_for_several_and_can_be_taken_back(world):
    """One of two CrocoClick contacts is linked: it is filled and unchanged from then on; undone, it is open again."""
    key = world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    one, other = (world.crm.add_contact(name=name, email=MAIL) for name in ("Anne", "Anne two"))
    assert world.import_contacts() == {"conflict": 1} and world.report.duplicate_groups == 1
    assert say(world, "link_contact", one, f"contact={key}") == "Anne is linked to Anne."
    assert world.import_contacts() == {"unchanged": 1} and linked(world) == {"Anne": "Anne"}
    say(world, "link_contact", other, "contact=Anne")
    world.import_contacts()
    assert (groups(world), world.report.duplicate_groups) == ([], 0)
    say(world, "undo", other)
    say(world, "undo", one)
    assert world.import_contacts() == {"conflict": 1} and linked(world) == {}
    assert ordered(world, one) == [("order_link_contact", "Anna"), ("order_undo", "Anna")]
    with pytest.raises(WrongUsage, match="could be taken back"):
        say(world, "undo", one)


def test_everybody_with_an_email_is_linked_at_once(world):
    """By the email of the group; decided anew with contact=anew."""
    world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    for name in ("A", "B", "C", "D"):
        world.crm.add_contact(name=name, email=MAIL)
    world.import_contacts()
    assert say(world, "link_contact", MAIL, "contact=Anne") == "4 contacts are linked to Anne."
    assert world.import_contacts() == {"unchanged": 1}
    say(world, "link_contact", MAIL, "contact=anew")
    assert world.import_contacts() == {"conflict": 1}


def test_of_several_in_xero_one_is_chosen_and_that_can_be_taken_back(world):
    """The chosen one is imported, the other stays out."""
    keep, other = (world.xero.add_contact(Name=name, EmailAddress=MAIL) for name in ("Keep", "Other"))
    assert world.import_contacts(dry_run=True) == {"conflict": 2}
    with pytest.raises(WrongUsage, match="Say which CrocoClick contact"):
        say(world, "link_contact", other, f"contact={keep}")
    assert say(world, "link_contact", MAIL, f"contact={keep}") == "Keep is the one that is imported."
    assert world.import_contacts() == {"created": 1, "left_out": 1}
    assert kept(world)["Other"] == ("left_out", "other_chosen") and groups(world) == []
    say(world, "undo", keep)
    assert world.import_contacts() == {"unchanged": 1, "conflict": 1}


@pytest.mark.parametrize("side", ["crococlick", "xero", "email"])
def test_kept_apart_is_not_linked_until_it_is_taken_back(world, side):
    """On whichever side a person says so: two customers share a mailbox, and each stays itself."""
    key = world.xero.add_contact(Name="Anne", EmailAddress="info@example.org")
    ours = world.crm.add_contact(name="Bob", email="info@example.org")
    assert world.import_contacts() == {"conflict": 1} and kept(world)["Anne"][1] == "shared_mailbox"
    what = {"crococlick": ours, "xero": key, "email": "info@example.org"}[side]
    say(world, "keep_apart", what, "because=two customers")
    world.box.reset_calls()
    assert world.import_contacts() == {"left_out": 1} and kept(world)["Anne"][1] == "kept_apart"
    assert (linked(world), groups(world), writes(world)) == ({}, [], 0)
    say(world, "undo", what)
    assert world.import_contacts() == {"conflict": 1} and len(groups(world)) == 1


def test_kept_apart_an_equal_email_does_not_link(world):
    """Without the order it would: an order comes before every rule, in the import and in a sync."""
    world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    ours = world.crm.add_contact(name="Bob", email=MAIL)
    world.has("INV-1", contact=ours)
    world.import_contacts(dry_run=True)
    say(world, "keep_apart", ours)
    assert world.import_contacts() == {"left_out": 1}
    assert world.sync()["created"] == 1
    assert linked(world) == {"Bob": "Bob"}


def test_what_looks_the_same_is_made_once_it_is_kept_apart(world):
    """Name and phone are a suggestion; a person says that it is somebody else."""
    world.xero.add_contact(Name="Anne Martin", EmailAddress=MAIL, Phones=[PHONE])
    world.import_contacts(dry_run=True)
    [there] = world.ledger.book_contacts()
    ours = world.crm.add_contact(name="Anne Durand", email="durand@example.org", phone=there.phone)
    assert world.import_contacts() == {"conflict": 1} and kept(world)["Anne Martin"][1] == "looks_like"
    say(world, "keep_apart", ours)
    assert world.import_contacts() == {"created": 1}
    assert world.import_contacts() == {"unchanged": 1}


def test_left_alone_with_a_reason(world):
    """A group by its email, a contact by its id: no longer among the open ones; taken back it is open again."""
    for name in ("One", "Two"):
        world.xero.add_contact(Name=name, EmailAddress=MAIL)
    world.import_contacts()
    with pytest.raises(WrongUsage, match="Say why"):
        say(world, "ignore", MAIL)
    say(world, "ignore", MAIL, "because=test data")
    assert world.import_contacts() == {"left_out": 2} and world.report.duplicate_groups == 0
    assert kept(world)["One"] == ("left_out", "ignored") and groups(world) == []
    [row] = [one for one in contacts.rows(world.ledger)[0] if one.name == "One"]
    assert row.sentence == "left alone by a person: test data"
    say(world, "undo", MAIL)
    assert world.import_contacts() == {"conflict": 2} and len(groups(world)) == 1


def test_likely_the_same_is_reported_and_never_linked(world):
    """Plus-addresses and dots: a group of its own; an order for the box answers it."""
    world.xero.add_contact(Name="Anne", EmailAddress="an.ne@example.org")
    world.crm.add_contact(name="Anne", email="anne+shop@example.org")
    assert world.import_contacts() == {"conflict": 1} and world.report.duplicate_groups == 0
    assert groups(world) == [(MAIL, ["Anne", "Anne"], True)] and linked(world) == {}
    say(world, "ignore", MAIL, "because=the same")
    assert groups(world) == []


WRONG = [
    (("link_contact", "Anne"), "Say which Xero contact"),
    (("link_contact", "Anne", "contact=nobody"), "has no contact 'nobody'"),
    (("link_contact", "Anne", "contact=Anne", "because=x"), "takes contact, not because"),
    (("keep_apart", "Anne", "until=x"), "takes because, name, not until"),
    (("ignore", "Anne", "because= "), "Say why"),
    (("ignore", "Bob", "because=x"), "Only an email or a Xero contact"),
    (("ignore", "nobody@example.org", "because=x"), "No contact fits"),
    (("ignore", "Twice", "because=x"), "No contact fits"),
    (("undo", "Anne", "because=x"), "takes no values"),
    (("undo", "Anne"), "could be taken back"),
]


def test_a_wrong_order_is_refused_and_changes_nothing(world):
    """With what is wrong in a sentence."""
    world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    for name in ("Anne", "Bob", "Twice", "Twice"):
        world.crm.add_contact(name=name)
    world.import_contacts(dry_run=True)
    for words, says in WRONG:
        with pytest.raises(WrongUsage, match=says):
            say(world, *words)
    assert (world.ledger.contact_links(), world.ledger.contact_answers()) == ({}, {})


# -- what others do --------------------------------------------------------------------------------------------------


def test_a_merge_in_xero_is_followed(world):
    """The link goes on to the survivor, whose news are noticed too, and the group is no more."""
    loser, survivor = (world.xero.add_contact(Name=name, EmailAddress=MAIL) for name in ("Anne", "Anne SARL"))
    ours = world.crm.add_contact(name="Anne", email=MAIL)
    world.import_contacts()
    say(world, "link_contact", ours, f"contact={loser}")
    world.import_contacts()
    world.box.clock.advance(60)
    world.xero.update("contacts", loser, ContactStatus="ARCHIVED", MergedToContactID=survivor)
    assert world.import_contacts() == {"unchanged": 1, "left_out": 1}
    assert kept(world) == {"Anne": ("left_out", "merged"), "Anne SARL": ("unchanged", "linked")}
    assert (linked(world), groups(world), news(world)) == ({"Anne": "Anne SARL"}, [], ["contact_merged"])
    world.xero.update("contacts", survivor, Name="Anne SAS")
    world.import_contacts()
    assert news(world) == ["contact_merged", "contact_renamed"]


def test_what_changes_in_xero_is_noticed(world):
    """Renamed, given another email, archived, restored: each in the story of the contact, once."""
    key = world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    other = world.xero.add_contact(Name="Not linked", EmailAddress="")
    world.import_contacts()
    for fields in ({"Name": "Anne SARL"}, {"EmailAddress": "new@example.org"}):
        world.xero.update("contacts", key, **fields)
        world.import_contacts()
    for status in ("ARCHIVED", "ACTIVE"):
        world.xero.update("contacts", key, ContactStatus=status)
        world.xero.update("contacts", other, ContactStatus=status)
        world.import_contacts()
        world.import_contacts()
    assert news(world) == ["contact_renamed", "contact_re_emailed", "contact_archived", "contact_restored"]
    story = world.ledger.rows("history_of", kind="contact", source_id=here(world, "Anne")["id"])
    assert '"before": "Anne"' in next(row["facts"] for row in story if row["what"] == "contact_renamed")
    assert {row["by_whom"] for row in story if row["what"].startswith("contact_")} == {"Xero"}


def test_one_that_xero_did_not_show_is_no_news(world):
    """A look that does not find it says nothing about what anybody did to it."""
    key = world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    world.import_contacts()
    [there] = world.ledger.book_contacts()
    for one in (BookContact(key, "", status=UNKNOWN), there):
        world.ledger.mirror(world.app.clock.now(), contacts=[one])
    assert news(world) == []


def test_a_contact_archived_in_xero_is_noticed_before_its_invoice_goes(world):
    """The daily look sees it: the invoice is held, and nothing was sent for Xero to refuse."""
    key = world.xero.add_contact(Name="Anne", EmailAddress=MAIL, IsCustomer=True)
    world.import_contacts()
    world.sync()
    world.has("INV-1", contact=here(world, "Anne")["id"])
    world.xero.update("contacts", key, ContactStatus="ARCHIVED")
    world.box.clock.advance(25 * 3600)
    world.box.reset_calls()
    world.sync()
    assert (world.cause("INV-1"), world.writes()) == ("contact_archived", 0)
    assert news(world) == ["contact_archived"]


def test_one_deleted_in_crococlick_does_not_come_back_and_a_merge_there_is_noticed(world):
    """The daily reading shows who is gone; the one that a person merged it into is linked instead."""
    world.xero.add_contact(Name="Anne", EmailAddress=MAIL)
    world.xero.add_contact(Name="Bob", EmailAddress="bob@example.org")
    world.import_contacts()
    twin = world.crm.add_contact(name="Anne two", email=MAIL)
    world.crm.merge_contacts(here(world, "Anne")["id"], twin)
    world.crm.delete_contact(here(world, "Bob")["id"])
    world.box.clock.advance(25 * 3600)
    assert world.import_contacts() == {"linked": 1, "left_out": 1}
    assert kept(world)["Bob"] == ("left_out", "deleted_in_crococlick")
    assert linked(world)["Anne two"] == "Anne"


# -- groups ----------------------------------------------------------------------------------------------------------


def test_a_group_tells_what_hangs_on_it_and_who_should_stay(world):
    """Members of both sides, open invoices and money, a proposal with its reason, and the effect of choosing it."""
    one, other = (world.xero.add_contact(Name=name, EmailAddress=MAIL) for name in ("Anne", "Anne SARL"))
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "706"}
    world.xero.add_invoice(Contact={"ContactID": other}, LineItems=[line], Date="2026-01-01", DueDate="2026-02-01")
    ours = world.crm.add_contact(name="Anne", email="Anne <ANNE@example.org>")
    world.has("INV-1", contact=ours)
    world.sync()
    world.import_contacts()
    [group] = contacts.ContactBook(world.ledger).groups()
    assert (group.email, group.open_invoices, group.money) == (MAIL, 1, {"EUR": Decimal(120)})
    assert [person.id for person in group.on(XERO)] == sorted([one, other])
    assert group.proposed == "Anne SARL should stay: it has the most invoices in Xero"
    assert group.effect(other) == "1 CrocoClick contact is linked to Anne SARL; 1 invoice worth €120.00 goes to it."
    assert group.sentence == f"2 Xero contacts and 1 CrocoClick contact share {MAIL}"
    assert world.cause("INV-1") == "contact_ambiguous"
    say(world, "link_contact", MAIL, f"contact={other}")
    assert world.sync()["created"] == 1


def test_the_analysis_table_has_the_same_groups(world):
    """Member by member, merges followed, whatever stands around an address."""
    for place, email in enumerate(
        [MAIL, "ANNE@example.org", "b@example.org", "'b@example.org'", "a@b@example.org", "c@x.org"]
    ):
        world.xero.add_contact(Name=f"X {place}", EmailAddress=MAIL)
        world.xero.update("contacts", world.xero.contacts()[-1]["ContactID"], EmailAddress=email)
    for place, email in enumerate(["b@example.org; c@x.org", "a@b@example.org", "d@x.org", "D <d@x.org>.", "e@x.org"]):
        world.crm.add_contact(name=f"C {place}", email=email)
    world.xero.add_contact(Name="E", EmailAddress="e@x.org")
    world.import_contacts()
    table = world.app.analysis.ask("SELECT email, side, id FROM duplicates")
    told = contacts.ContactBook(world.ledger).groups()
    assert {tuple(row) for row in table.rows} == {
        (group.email, one.side, one.id) for group in told for one in group.people if not group.likely
    }
    assert len({row[0] for row in table.rows}) == 4
