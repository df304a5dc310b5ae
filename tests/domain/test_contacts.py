"""Which Xero contact a CrocoClick contact is."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.matching.invoice_contacts import (
    UNKNOWN,
    ContactIndex,
    Create,
    Join,
    Linked,
    NewContact,
    decide,
    decide_all,
    display_name,
    emails,
    name_key,
)
from syncer.domain.model.invoice import Customer
from syncer.domain.model.problems import Problem
from tests.support.domain_samples import contact, rules

ANNE = Customer("c1", "Anne Martin", "anne@example.com", phone="+33123456789")

EMAILS = [
    ("anne@example.com", ["anne@example.com"]),
    ("  Anne@Example.COM ", ["anne@example.com"]),
    ("Anne Martin <anne@example.com>", ["anne@example.com"]),
    ('"Martin, Anne" <anne@example.com>', ["anne@example.com"]),
    ("anne@example.com; bob@example.com, anne@EXAMPLE.com", ["anne@example.com", "bob@example.com"]),
    ("anne@example.com\nbob@example.com", ["anne@example.com", "bob@example.com"]),
    ("mailto:anne@example.com", ["anne@example.com"]),
    ("'anne@example.com'", ["anne@example.com"]),
    ("[anne@example.com]", ["anne@example.com"]),
    ("o'neil@example.com", ["o'neil@example.com"]),
    ("anne@example.com.", ["anne@example.com"]),
    ("anne+crm@mail.example.co.uk", ["anne+crm@mail.example.co.uk"]),
    ("STRASSE@EXAMPLE.DE straße@example.de", ["strasse@example.de"]),
    ("MÜLLER@EXAMPLE.DE", ["müller@example.de"]),
    ("anne@bob@example.com", []),
    ("anne@example", []),
    ("anne at example.com", []),
    ("@example.com", []),
    ("n/a", []),
    ("", []),
    ("   ", []),
]


@pytest.mark.parametrize(("written", "found"), EMAILS)
def test_addresses_are_found_as_people_write_them(written, found):
    """Trimmed, case-folded, without display names; a list is several; what is no address is none."""
    assert list(emails(written)) == found


@given(st.text())
def test_an_address_found_is_one_address(written):
    """Whatever stands in the field: one @, no blank, no capital, and it is found again in itself."""
    for address in emails(written):
        assert address.count("@") == 1
        assert address == address.strip().casefold()
        assert emails(f"X <{address}>") == (address,)


def test_names_are_the_same_without_case_and_blanks():
    """Xero's uniqueness ignores both."""
    assert name_key("  Anne   MARTIN ") == name_key("anne martin")
    assert name_key("Anne Martin") != name_key("Anne-Martin")


def test_a_contact_is_called_by_its_name_else_company_else_address():
    """In this order, tidied; a contact with none of them has no name."""
    assert display_name(replace(ANNE, name="  Anne   Martin ")) == "Anne Martin"
    assert display_name(Customer("c", " ", "a@b.fr", company="Croco SAS")) == "Croco SAS"
    assert display_name(Customer("c", "", "X <a@b.fr>")) == "a@b.fr"
    assert display_name(Customer("c", "", "?")) == ""


def decided(customer, *mirror, bound_to="", **settings):
    """One contact before these Xero contacts."""
    return decide(customer, bound_to, ContactIndex(mirror), rules(**settings))


def test_nobody_like_it_is_created_with_our_mark():
    """The ContactNumber is the CrocoClick id, by which it is found again."""
    assert decided(ANNE) == Create(NewContact("c1", "Anne Martin", "anne@example.com", "c1", "+33123456789"))
    assert decided(replace(ANNE, email="")) == Create(NewContact("c1", "Anne Martin", "", "c1", "+33123456789"))


def test_nothing_is_created_when_the_setting_says_so():
    """Then it is missing."""
    found = decided(ANNE, create_contacts=False)
    assert (found.code, found.facts["create_contacts"]) == ("contact_missing", False)


def test_a_binding_comes_before_our_number_before_the_email():
    """Each of three contacts would fit."""
    mirror = [contact("x1"), contact("x2", number="c1"), contact("x3", email=ANNE.email)]
    assert decided(ANNE, *mirror, bound_to="x1") == Linked("x1", "binding")
    assert decided(ANNE, *mirror) == Linked("x2", "number")
    assert decided(ANNE, mirror[2]) == Linked("x3", "email")


def test_a_binding_is_believed_although_the_mirror_does_not_know_it():
    """The mirror may be older than the contact."""
    assert decided(ANNE, bound_to="x9") == Linked("x9", "binding")


def test_a_merged_contact_is_followed_to_the_one_that_is_left():
    """Through two merges, from binding, number and email alike, and each survivor counts once."""
    gone = {"status": "ARCHIVED"}
    mirror = [
        contact("x1", number="c1", email=ANNE.email, merged_to="x2", **gone),
        contact("x2", email=ANNE.email, merged_to="x3", **gone),
        contact("x3", email=ANNE.email),
    ]
    assert decided(ANNE, *mirror, bound_to="x1") == Linked("x3", "binding")
    assert decided(ANNE, *mirror) == Linked("x3", "number")
    assert decided(replace(ANNE, id="c2"), *mirror) == Linked("x3", "email")


def test_merges_that_lead_nowhere_come_to_an_end():
    """Two merged into each other, one into a contact that the mirror lacks: archived contacts, for a person."""
    around = [contact("x1", merged_to="x2", status="ARCHIVED"), contact("x2", merged_to="x1", status="ARCHIVED")]
    lost = contact("x3", merged_to="x9", status="ARCHIVED")
    longer = contact("x4", merged_to="x1", status="ARCHIVED")
    for bound_to in ("x1", "x3", "x4"):
        assert decided(ANNE, *around, lost, longer, bound_to=bound_to).code == "contact_archived"


def test_an_archived_contact_needs_a_person():
    """Invoices to it are refused; an active one with the same email is taken instead."""
    archived = contact("x1", email=ANNE.email, status="ARCHIVED")
    assert dict(decided(ANNE, archived).facts) == {"name": "Name of x1", "email": ANNE.email, "xero_id": "x1"}
    assert decided(ANNE, replace(archived, number="c1")).code == "contact_archived"
    assert decided(ANNE, archived, contact("x2", email=ANNE.email)) == Linked("x2", "email")


def test_several_with_the_email_are_for_a_person_to_choose_from():
    """All of them are shown, in one order always."""
    mirror = [contact("x2", email=f"Anne <{ANNE.email}>"), contact("x1", email=ANNE.email.upper())]
    found = decided(ANNE, *mirror)
    assert found.code == "contact_ambiguous"
    assert [candidate["xero_id"] for candidate in found.facts["candidates"]] == ["x1", "x2"]


def test_a_taken_name_is_for_a_person():
    """The link to whoever has it is proposed; an archived contact does not keep its name."""
    found = decided(ANNE, contact("x1", "ANNE  martin", "other@example.com"))
    assert (found.code, found.facts["xero_id"], found.facts["other_email"]) == (
        "contact_name_taken",
        "x1",
        "other@example.com",
    )
    assert isinstance(decided(ANNE, contact("x1", ANNE.name, status="ARCHIVED")), Create)


INVALID = [
    ({"name": "", "email": "", "company": ""}, "name_missing"),
    ({"name": "x" * 256}, "name_too_long"),
    ({"name": "Anne <boss>"}, "name_brackets"),
    ({"name": "Anne\x02 Martin"}, "name_unprintable"),
    ({"name": "Anne > Bob"}, "name_brackets"),
    ({"email": "anne at home"}, "email_malformed"),
    ({"email": "änne@example.com"}, "email_not_ascii"),
]


@pytest.mark.parametrize(("changes", "what"), INVALID)
def test_what_xero_would_refuse_is_not_created(changes, what):
    """Never repaired by ourselves."""
    found = decided(replace(ANNE, **changes))
    assert (found.code, found.facts["what"]) == ("contact_invalid", what)


def test_the_longest_name_is_taken():
    """255 characters."""
    assert isinstance(decided(replace(ANNE, name="x" * 255)), Create)


def test_a_contact_that_xero_does_not_know_is_missing():
    """The binding led to one that it says it never had; that is told, and nothing is created in its place."""
    found = decided(ANNE, contact("x9", status=UNKNOWN), bound_to="x9")
    assert (found.code, dict(found.facts)) == (
        "contact_missing",
        {"name": "Anne Martin", "email": ANNE.email, "xero_id": "x9", "unknown": True},
    )


def all_decided(customers, bindings=None, mirror=(), apart=None):
    """All of them, by id."""
    return decide_all({one.id: one for one in customers}, bindings or {}, ContactIndex(mirror), rules(), apart or {})


def test_who_is_kept_apart_is_created_whatever_email_xero_knows():
    """Under the name that the person gave, or its own; what cannot be created is still told."""
    mirror = [contact("x1", "Anne Martin", ANNE.email), contact("x2", "A. M.", ANNE.email)]
    assert all_decided([ANNE], mirror=mirror)["c1"].code == "contact_ambiguous"
    named = all_decided([ANNE], mirror=mirror, apart={"c1": "Anne Martin (Lyon)"})["c1"]
    assert named == Create(NewContact("c1", "Anne Martin (Lyon)", ANNE.email, "c1", ANNE.phone))
    assert all_decided([ANNE], mirror=mirror, apart={"c1": ""})["c1"].code == "contact_name_taken"


@pytest.mark.parametrize(
    ("phone", "sent"),
    [
        ("+33 1 40 00 00 01", "+33 1 40 00 00 01"),
        (" 0140000001 ", "0140000001"),
        ("1" * 50, "1" * 50),
        ("1" * 51, ""),
        ("+33 1 40 00 00 01 (bureau) / +33 6 12 34 56 78 (portable)", ""),
        ("0140\x00000001", ""),
        ("0140\ud83c000001", ""),
        ("", ""),
    ],
)
def test_a_phone_that_xero_cannot_hold_is_left_out(phone, sent):
    """The contact is created all the same: nobody needs a phone on an invoice, and a shortened one would be wrong."""
    decided = all_decided([replace(ANNE, phone=phone)])["c1"]
    assert decided == Create(NewContact("c1", "Anne Martin", ANNE.email, "c1", sent))


def test_who_was_kept_apart_is_found_again():
    """By its binding, or by our number where the answer was lost: it is not created twice."""
    mirror = [contact("x1", email=ANNE.email), contact("x2", number="c1")]
    assert all_decided([ANNE], {"c1": "x2"}, mirror, {"c1": ""})["c1"] == Linked("x2", "binding")
    assert all_decided([ANNE], {}, mirror, {"c1": ""})["c1"] == Linked("x2", "number")


def test_two_that_are_kept_apart_do_not_become_one():
    """Although both are new and share their email; a third that nobody keeps apart joins the first."""
    twin, third = replace(ANNE, id="c2"), replace(ANNE, id="c3")
    found = all_decided([ANNE, twin, third], apart={"c1": "Anne 1", "c2": "Anne 2"})
    assert [found[key].contact.name for key in ("c1", "c2")] == ["Anne 1", "Anne 2"]
    assert found["c3"] == Join("c1")


def test_two_new_ones_with_one_email_become_one():
    """The smaller id is created, the other joins it."""
    twin = Customer("c2", "A. Martin", "Anne <ANNE@example.com>")
    found = all_decided([twin, ANNE])
    assert isinstance(found["c1"], Create)
    assert found["c2"] == Join("c1")


def test_two_new_ones_with_one_name_are_told_apart():
    """Xero would refuse the second."""
    namesake = Customer("c2", "anne martin", "am@example.com")
    found = all_decided([namesake, ANNE])
    assert isinstance(found["c1"], Create)
    assert (found["c2"].code, found["c2"].facts["crococlick_id"]) == ("contact_name_taken", "c1")


WORDS = st.sampled_from(["", "Anne", "anne", "Bob", "Anne  Bob"])
ADDRESSES = st.sampled_from(["", "a@x.fr", "A@X.fr", "b@x.fr", "a@x.fr, b@x.fr", "nonsense"])
CUSTOMERS = st.lists(st.builds(lambda name, email: (name, email), WORDS, ADDRESSES), min_size=1, max_size=6).map(
    lambda those: [Customer(f"c{n}", name, email) for n, (name, email) in enumerate(those)]
)
STATES = st.sampled_from([("ACTIVE", ""), ("ACTIVE", ""), ("ARCHIVED", ""), ("ARCHIVED", "x0"), ("ARCHIVED", "x1")])
MIRRORS = st.lists(st.tuples(WORDS, ADDRESSES, st.sampled_from(["", "c0", "c1"]), STATES), max_size=5).map(
    lambda those: [
        contact(f"x{n}", name, email, number=number, status=status, merged_to=merged_to)
        for n, (name, email, number, (status, merged_to)) in enumerate(those)
    ]
)


@given(CUSTOMERS, MIRRORS, st.randoms())
def test_the_order_in_which_they_come_decides_nothing(customers, mirror, chance):
    """The same contacts, shuffled on both sides, are decided alike."""
    shuffled, remembered = list(customers), list(mirror)
    Random(chance.random()).shuffle(shuffled)
    Random(chance.random()).shuffle(remembered)
    assert all_decided(customers, {"c2": "x1"}, mirror) == all_decided(shuffled, {"c2": "x1"}, remembered)


@given(CUSTOMERS, MIRRORS)
def test_whatever_is_decided_can_be_done(customers, mirror):
    """Everybody is decided; a join leads to one that is created; no two that are created share a name or an email."""
    found = all_decided(customers, {}, mirror)
    assert set(found) == {one.id for one in customers}
    created = [decision.contact for decision in found.values() if isinstance(decision, Create)]
    names = [name_key(one.name) for one in created]
    addresses = [one.email for one in created if one.email]
    assert len(set(names)) == len(names)
    assert len(set(addresses)) == len(addresses)
    assert not set(names) & {name_key(one.name) for one in mirror if one.status == "ACTIVE"}
    for decision in found.values():
        if isinstance(decision, Join):
            assert isinstance(found[decision.source_id], Create)
        if isinstance(decision, Linked):
            assert {one.id: one for one in mirror}[decision.xero_id].status == "ACTIVE"


@given(CUSTOMERS, MIRRORS)
def test_once_linked_it_stays_linked_to_the_same(customers, mirror):
    """What was decided, bound, is decided again: one CrocoClick contact is never linked to two."""
    first = all_decided(customers, {}, mirror)
    bindings = {source_id: one.xero_id for source_id, one in first.items() if isinstance(one, Linked)}
    again = all_decided(customers, bindings, mirror)
    for source_id, xero_id in bindings.items():
        assert again[source_id] == Linked(xero_id, "binding")
    assert all(isinstance(one, Problem) == isinstance(first[source_id], Problem) for source_id, one in again.items())
