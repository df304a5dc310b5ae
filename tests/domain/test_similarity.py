"""What tells that two records may be the same customer, and what does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.matching.invoice_contacts import emails
from syncer.domain.matching.similarity import (
    SourceContact,
    addresses,
    agree,
    is_shared,
    likely_key,
    links_by_email,
    name_words,
    phone_key,
    words,
)
from tests.support.domain_samples import contact

DESK, PERSON = "info@example.org", "anne@example.org"


def test_our_mark_names_the_xero_contact_that_it_was_made_for():
    """Only `Xero <ContactID>` is a mark; whatever else stands in the field is somebody else's."""
    assert SourceContact("c1", "Anne", source="Xero 5c8e").made_for == "5c8e"
    assert SourceContact("c1", "Anne", source="xero 5c8e").made_for == ""
    assert SourceContact("c1", "Anne", source="Facebook").made_for == ""
    assert SourceContact("c1", "Anne").made_for == ""


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Anne Martin", ""), {"anne", "martin"}),
        (("Société Générale SARL",), {"societe", "generale"}),
        (("O'Neil & Co",), {"o", "neil"}),
        (("SAS",), set()),
        (("", ""), set()),
        (("佐藤",), {"佐藤"}),
        (("snake_case",), {"snake", "case"}),
    ],
)
def test_words_are_told_without_accents_case_and_legal_forms(names, found):
    """So that a company is the same with and without its SARL."""
    assert words(*names) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+33 1 40 00 00 01", "01 40 00 00 01"),
        ("+33 (0)1.40.00.00.01", "0033140000001"),
        ("+44 20 7946 0958", "020 7946 0958"),
    ],
)
def test_a_phone_is_the_same_with_and_without_its_prefix(one, other):
    """Country and trunk prefixes do not count."""
    assert phone_key(one) == phone_key(other) != ""


@pytest.mark.parametrize("phone", ["", "n/a", "12345", "poste 12"])
def test_what_is_too_short_is_no_phone(phone):
    """An extension says nothing about who it is."""
    assert phone_key(phone) == ""


def test_a_desks_mailbox_is_told_from_a_persons():
    """info@, compta@ and their like; a name that only begins so is a person's."""
    assert is_shared(DESK) and is_shared("compta@example.org")
    assert not is_shared(PERSON) and not is_shared("infos@example.org")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("j.doe@example.org", "jdoe@example.org", True),
        ("jdoe+shop@example.org", "jdoe@example.org", True),
        ("jdoe@googlemail.com", "j.doe@gmail.com", True),
        ("jdoe@example.org", "jdoe@example.com", False),
        ("...@example.org", "a@example.org", False),
        ("+tag@example.org", "+other@example.org", False),
    ],
)
def test_plus_addresses_and_dots_are_likely_the_same_box(one, other, same):
    """Most mail services deliver them alike; what is nothing but dots or a tag stays itself."""
    assert (likely_key(one) == likely_key(other)) is same


def test_a_contact_is_called_by_all_its_names():
    """The name, the person's name, and CrocoClick's company."""
    ours = SourceContact("c1", "A. Martin", company="Lumière SARL", first_name="Anne", last_name="Martin")
    assert name_words(ours) == {"a", "martin", "lumiere", "anne"}
    assert name_words(contact("x1", "Lumière", first_name="Anne")) == {"lumiere", "anne"}


def test_names_agree_by_one_word_or_where_one_has_none():
    """A first name in common is enough: an equal email speaks besides."""
    assert agree(SourceContact("c1", "Anne Martin"), contact("x1", "MARTIN SARL"))
    assert agree(SourceContact("c1", ""), contact("x1", "Bob"))
    assert agree(SourceContact("c1", "Anne"), contact("x1", "SARL"))
    assert not agree(SourceContact("c1", "Anne"), contact("x1", "Bob"))


def test_an_email_is_enough_but_for_a_desk_with_other_names():
    """Somebody may have married; a mailbox that many read proves nothing."""
    anne, bob = SourceContact("c1", "Anne"), contact("x1", "Bob")
    assert links_by_email(anne, bob, [PERSON])
    assert links_by_email(anne, bob, [DESK, PERSON])
    assert not links_by_email(anne, bob, [DESK])
    assert links_by_email(anne, contact("x1", "Anne"), [DESK])


def test_several_addresses_of_a_contact_are_several():
    """In one field or in CrocoClick's further ones; none is none."""
    assert addresses(SourceContact("c1", "Anne", "Anne <ANNE@example.org>, bob@example.org")) == (
        "anne@example.org",
        "bob@example.org",
    )
    assert addresses(contact("x1")) == ()


PIECES = st.lists(st.sampled_from([*"aZ0.+-_'@ ,;<>\"é", "@example.org", ".com", "x@y.z"]), max_size=8).map("".join)


@given(PIECES | st.text(max_size=20) | st.emails())
def test_the_short_way_to_an_address_finds_what_the_long_way_finds(written):
    """Most fields hold one plain address: those are read faster, and not otherwise. A blank leads the long way."""
    assert emails(written) == emails(f" {written} ")


@given(
    st.from_regex(re.compile(r"[a-z]{1,6}(\.[a-z]{1,4})?@[a-z]{1,6}\.org"), fullmatch=True), st.text("abc", min_size=1)
)
def test_a_tag_and_dots_never_change_the_box(address, tag):
    """However an address is decorated, its box is the same, and deciding it twice changes nothing."""
    local, _, domain = address.partition("@")
    assert likely_key(f"{local}+{tag}@{domain}") == likely_key(address)
    assert likely_key(likely_key(address)) == likely_key(address)
