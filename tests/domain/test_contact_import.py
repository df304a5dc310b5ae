"""What becomes of each Xero contact in CrocoClick: one test for each thing that can be the case, then properties."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.matching.contact_import import (
    ContactAnswer,
    ImportOutcome,
    ImportRules,
    Link,
    decide_import,
    marks,
    missing,
    survivor,
    to_create,
)
from syncer.domain.matching.invoice_contacts import name_key
from syncer.domain.matching.similarity import SourceContact, addresses
from syncer.domain.model.books import Address
from tests.support.domain_samples import contact
from tests.support.properties import examples

MAIL = "anne@example.org"
ANNE = contact("x1", "Anne Martin", MAIL, phone="+33 1 40 00 00 01")


def ours(source_id="c1", name="Anne Martin", email=MAIL, **fields):
    """A contact in CrocoClick."""
    return SourceContact(source_id, name, email, **fields)


def decided(book, crm=(), links=None, answers=None, **rules):
    """The verdicts by Xero contact."""
    verdicts = decide_import(book, crm, links or {}, answers or {}, ImportRules(**rules))
    assert [one.contact.id for one in verdicts] == sorted(one.id for one in book)
    return {one.contact.id: one for one in verdicts}


def told(verdict):
    """What came out, in short."""
    return str(verdict.outcome), verdict.reason, verdict.source_id or verdict.others


def one(book, *crm, **more):
    """What becomes of x1, in short."""
    return told(decided(book if isinstance(book, list) else [book], crm, **more)["x1"])


# -- left out ------------------------------------------------------------------------------------------------------


def test_archived_and_merged_contacts_are_left_out():
    """One that was merged says into which."""
    assert one(replace(ANNE, status="ARCHIVED"), ours()) == ("left_out", "archived", ())
    assert one(replace(ANNE, status="ARCHIVED", merged_to="x2")) == ("left_out", "merged", ("x2",))


def test_suppliers_are_left_out_unless_they_buy_too_or_the_setting_says_otherwise():
    """Xero says neither of a contact without documents: that one is imported."""
    seller = replace(ANNE, is_supplier=True)
    assert one(seller) == ("left_out", "supplier_only", ())
    assert one(seller, suppliers=True)[0] == "created"
    assert one(replace(seller, is_customer=True))[0] == "created"


def test_without_a_usable_email_it_is_left_out_unless_the_setting_says_otherwise():
    """Nothing in the field and nonsense in it are told apart."""
    assert one(replace(ANNE, email=" ")) == ("left_out", "no_email", ())
    assert one(replace(ANNE, email="n/a")) == ("left_out", "email_unusable", ())
    assert one(replace(ANNE, email=""), without_email=True)[0] == "created"


def test_what_a_person_leaves_alone_is_left_out_with_the_reason():
    """By the contact itself or by its email."""
    for key in ("x1", MAIL):
        verdict = decided([ANNE], [ours()], answers={key: ContactAnswer("ignore", "a test")})["x1"]
        assert (verdict.reason, verdict.facts) == ("ignored", {"because": "a test"})


def test_one_that_was_deleted_in_crococlick_does_not_come_back():
    """Somebody did not want it there."""
    assert one(ANNE, links={"c9": Link("x1")}) == ("left_out", "deleted_in_crococlick", ("c9",))


# -- linked --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["ANNE@Example.org ", "Anne <anne@example.org>", "other@example.org; anne@example.org"]
)
def test_an_equal_email_links_however_it_is_written(written):
    """The only one with it on either side."""
    assert one(ANNE, ours(email=written)) == ("linked", "email", "c1")


def test_an_equal_email_links_although_the_names_differ():
    """People marry and companies are renamed: who it is the address says."""
    assert one(ANNE, ours(name="Durand")) == ("linked", "email", "c1")


def test_only_empty_fields_are_filled():
    """What CrocoClick has stays, whatever Xero has; an address goes only where there is none at all."""
    street = Address("1 rue A", "Lyon", "Rhône", "69001", "FR")
    book = replace(ANNE, address=street)
    nothing = ours(name="", email="")
    assert missing(book, nothing) == {
        "name": "Anne Martin", "email": MAIL, "phone": ANNE.phone,
        "line": "1 rue A", "city": "Lyon", "region": "Rhône", "postcode": "69001", "country": "FR",
    }  # fmt: skip
    full = ours(name="A", email="not an email", phone="x", address=Address(city="Paris"))
    assert missing(book, full) == {}
    assert missing(book, ours(phone="x", address=Address(country="FR")))["city"] == "Lyon"
    assert missing(contact("x1", " ", "", phone="12"), nothing) == {}


@pytest.mark.parametrize(("country", "sent"), [("fr", "FR"), ("France", None), ("", None), ("F1", None)])
def test_a_country_goes_by_its_two_letters_alone(country, sent):
    """Xero has free text there, CrocoClick knows codes."""
    book = replace(ANNE, address=Address(city="Lyon", country=country))
    assert to_create(book).get("country") == sent


def test_a_country_alone_is_no_address():
    """It says nothing that a location does not know."""
    assert "country" not in to_create(replace(ANNE, address=Address(country="FR")))


def test_linked_before_is_unchanged_or_filled_up():
    """Where two CrocoClick contacts are linked to it nobody knows which one to fill."""
    links = {"c1": Link("x1"), "c2": Link("x1")}
    assert one(ANNE, ours(phone="1"), links=links) == ("unchanged", "linked", "c1")
    assert one(ANNE, ours(), links={"c1": Link("x1")}) == ("updated", "filled", "c1")
    assert one(ANNE, ours(), ours("c2"), links=links) == ("unchanged", "linked", "c1")


def test_a_link_follows_merges():
    """From one to the next, and a circle ends."""
    gone = {"status": "ARCHIVED"}
    book = [
        contact("x1", merged_to="x2", **gone), contact("x2", merged_to="x3", **gone), contact("x3", email=MAIL),
    ]  # fmt: skip
    verdicts = decided(book, [ours(phone="1")], {"c1": Link("x1")})
    assert told(verdicts["x3"]) == ("unchanged", "linked", "c1")
    circle = {"x1": contact("x1", merged_to="x2"), "x2": contact("x2", merged_to="x1")}
    assert survivor("x1", circle) in circle
    assert survivor("x9", circle) == "x9"


def test_our_mark_is_a_link_that_the_ledger_has_forgotten():
    """It follows merges, gives way to a link of the ledger and to a person who keeps the two apart."""
    book = {"x1": contact("x1", status="ARCHIVED", merged_to="x2"), "x2": contact("x2", email=MAIL)}
    made = ours(source="Xero x1", phone="1", email="")
    assert marks(book, [made], {}, {}) == {"c1": "x2"}
    assert marks(book, [made], {"c1": Link("x1")}, {}) == {}
    assert marks(book, [made], {}, {"c1": ContactAnswer("apart")}) == {}
    assert marks(book, [made, ours("c2", source="Xero x9"), ours("c3", source="Web")], {}, {}) == {"c1": "x2"}
    assert told(decided(book.values(), [made])["x2"]) == ("updated", "filled", "c1")


# -- several ---------------------------------------------------------------------------------------------------------


def test_several_in_xero_are_shown():
    """Each names the others in Xero."""
    twice = [ANNE, contact("x2", "Anne Martin (2)", MAIL)]
    assert one(twice) == ("conflict", "several_in_xero", ("x2",))
    assert one(twice, ours()) == ("conflict", "several_in_xero", ("x2",))


def test_several_in_crococlick_are_shown():
    """Linking one of them would be a guess."""
    assert one(ANNE, ours(), ours("c2")) == ("conflict", "several_in_crococlick", ("c1", "c2"))


def test_the_one_that_a_person_chose_goes_on():
    """By an order or by a link that a person made; the others stay out."""
    twice = [ANNE, contact("x2", "Other", MAIL)]
    verdicts = decided(twice, [ours()], answers={"x1": ContactAnswer("chosen")})
    assert (told(verdicts["x1"]), told(verdicts["x2"])) == (
        ("linked", "email", "c1"),
        ("left_out", "other_chosen", ("x1",)),
    )
    linked = decided(twice, [ours(phone="1")], links={"c1": Link("x1", by_person=True)})
    assert (linked["x1"].reason, linked["x2"].reason) == ("linked", "other_chosen")


def test_of_two_chosen_neither_goes_on_by_itself():
    """Both could be linked to the same CrocoClick contact; one that is linked already is in nobody's way."""
    twice = [ANNE, contact("x2", "Other", MAIL)]
    both = {"x1": ContactAnswer("chosen"), "x2": ContactAnswer("chosen")}
    assert one(twice, ours(), answers=both)[1] == "several_in_xero"
    linked = {"c2": Link("x2", by_person=True)}
    assert one(twice, ours(), ours("c2", email=""), links=linked, answers=both) == ("linked", "email", "c1")


def test_a_choice_follows_merges():
    """The survivor of the chosen one is the chosen one."""
    book = [contact("x0", status="ARCHIVED", merged_to="x1"), ANNE, contact("x2", "Other", MAIL)]
    verdicts = decided(book, [ours(phone="1")], links={"c1": Link("x0", by_person=True)})
    assert (verdicts["x1"].reason, verdicts["x2"].reason) == ("linked", "other_chosen")


def test_a_contact_with_two_addresses_is_not_linked_to_two():
    """Each of two Xero contacts has one of its addresses: nobody knows which one it is, until a person chooses."""
    book = [ANNE, contact("x2", "Bob", "bob@example.org")]
    both = ours(email=f"{MAIL}, bob@example.org")
    verdicts = decided(book, [both])
    assert told(verdicts["x1"]) == ("conflict", "several_in_xero", ("x2",))
    assert told(verdicts["x2"]) == ("conflict", "several_in_xero", ("x1",))
    chosen = decided(book, [both], answers={"x1": ContactAnswer("chosen")})
    assert (chosen["x1"].reason, chosen["x2"].reason) == ("email", "other_chosen")


def test_one_that_is_linked_to_another_is_not_linked_again():
    """The link stands, and is shown."""
    book = [ANNE, contact("x2", "Bob", "bob@example.org")]
    assert one(book, ours(), links={"c1": Link("x2")}) == ("conflict", "linked_elsewhere", ("c1",))


def test_a_desks_mailbox_with_other_names_is_shown():
    """info@ with the same name links, with another it is for a person to say."""
    desk = contact("x1", "Anne Martin", "info@example.org")
    assert one(desk, ours(email="info@example.org")) == ("linked", "email", "c1")
    verdict = decided([desk], [ours(name="Bob", email="info@example.org")])["x1"]
    assert (verdict.outcome, verdict.reason, verdict.facts["email"]) == (
        "conflict",
        "shared_mailbox",
        "info@example.org",
    )


# -- kept apart --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["x1", "c1"])
def test_what_is_kept_apart_is_not_linked(subject):
    """On whichever side a person said so."""
    assert one(ANNE, ours(), answers={subject: ContactAnswer("apart")}) == ("left_out", "kept_apart", ("c1",))


def test_kept_apart_from_another_in_xero_it_stays_out():
    """An email cannot stand twice in CrocoClick."""
    twice = [ANNE, contact("x2", "Other", MAIL)]
    assert one(twice, answers={"x1": ContactAnswer("apart")}) == ("left_out", "kept_apart", ())


def test_of_two_the_one_that_is_not_kept_apart_is_linked():
    """The person has said which one it is not."""
    assert one(ANNE, ours(), ours("c2"), answers={"c2": ContactAnswer("apart")}) == ("linked", "email", "c1")


@pytest.mark.parametrize("subject", ["x1", "c1"])
def test_one_that_only_looks_the_same_is_made_once_it_is_kept_apart(subject):
    """Without its phone, which the other has: CrocoClick would refuse it. It is not filled in later either."""
    alike = ours(email="other@example.org", phone="0140000001")
    assert one(ANNE, alike)[1] == "looks_like"
    answers = {subject: ContactAnswer("apart")}
    verdict = decided([ANNE], [alike], answers=answers)["x1"]
    assert (verdict.outcome, "phone" in verdict.fields) == (ImportOutcome.CREATED, False)
    made = ours("c2", source="Xero x1")
    assert one(ANNE, alike, made, answers=answers) == ("unchanged", "linked", "c2")


# -- looks the same ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("book", "there", "evidence"),
    [
        (ANNE, ours(name="Bob", email="a.nne+shop@example.org"), "likely_email"),
        (ANNE, ours(name="A. Martin", email="x@example.org", phone="01 40 00 00 01"), "phone"),
        (ANNE, ours(name="ANNE  martin", email=""), "name"),
        (ANNE, ours(name="Anne", email="", company="Anne Martin"), "name"),
        (replace(ANNE, email=""), ours(email="x@example.org"), "name"),
    ],
)
def test_other_evidence_is_a_suggestion(book, there, evidence):
    """A box that is likely the same, name and phone, a name where one of them has no email: a person confirms."""
    verdict = decided([book], [there], without_email=True)["x1"]
    assert (verdict.outcome, verdict.reason, verdict.others) == ("conflict", "looks_like", ("c1",))
    assert verdict.facts == {"evidence": evidence}


@pytest.mark.parametrize(
    "there",
    [
        ours(email="x@example.org"),
        ours(name="Bob", email="x@example.org", phone="01 40 00 00 01"),
        ours(name="Anne Martin junior", email=""),
    ],
)
def test_too_little_evidence_is_none(there):
    """The same name with another email, the same phone with another name, only part of a name: it is made."""
    assert one(ANNE, there)[0] == "created"


def test_one_that_is_somebody_else_does_not_look_the_same():
    """It is linked to another, or another Xero contact has its email."""
    book = [ANNE, contact("x2", "Bob", "a.nne@example.org")]
    assert one(book, ours(name="Bob", email="a.nne@example.org"))[0] == "created"
    assert one(book, ours(email="", phone="1"), links={"c1": Link("x2")})[0] == "created"


# -- created -----------------------------------------------------------------------------------------------------------


def test_what_is_made_carries_our_mark():
    """A person's name besides the contact's own makes it a company."""
    assert to_create(ANNE) == {"name": "Anne Martin", "email": MAIL, "phone": ANNE.phone, "source": "Xero x1"}
    firm = contact("x1", "Lumière SARL", f"{MAIL}; b@example.org", first_name="Anne", last_name="Martin", phone="12")
    assert to_create(firm) == {
        "name": "Anne Martin", "first_name": "Anne", "last_name": "Martin", "company": "Lumière SARL",
        "email": MAIL, "source": "Xero x1",
    }  # fmt: skip
    same = replace(firm, name="anne  MARTIN")
    assert "company" not in to_create(same)


# -- properties --------------------------------------------------------------------------------------------------------

BOXES = ["a@x.org", "b@x.org", "a.b@x.org", "ab+1@x.org", "info@x.org", "é@x.org", "c@x.org"]
EMAILS = st.lists(st.sampled_from(BOXES), max_size=2).map(", ".join) | st.sampled_from(
    ["", "n/a", "A@X.ORG ", "A <a@x.org>"]
)
NAMES = st.sampled_from(["Anne Martin", "Bob", "Anne SARL", "Zoé", "佐藤"])
PHONES = st.sampled_from(["", "+33140000001", "0140000001", "0140000002", "12"])
STREETS = st.sampled_from(
    [Address(), Address("1 rue A", "Lyon"), Address(country="FR"), Address(city="Bron", country="fr")]
)
FLAGS = st.booleans()
X_IDS, C_IDS = [f"x{n}" for n in range(6)], [f"c{n}" for n in range(5)]


@st.composite
def crossed(draw):
    """Nothing but emails, two to a contact on either side: who is who crosses over."""
    fields = st.lists(st.sampled_from(BOXES[:4]), min_size=1, max_size=2, unique=True).map(", ".join)
    book = [contact(key, email=draw(fields)) for key in X_IDS[: draw(st.integers(1, 3))]]
    crm = [SourceContact(key, "", draw(fields)) for key in C_IDS[: draw(st.integers(1, 3))]]
    answers = draw(st.dictionaries(st.sampled_from(X_IDS[:3]), st.just(ContactAnswer("chosen")), max_size=2))
    return book, crm, {}, answers, ImportRules()


@st.composite
def worlds(draw):
    """Both sides, some links and answers, and the rules: small enough that everything collides."""
    book = [
        contact(
            key, draw(NAMES), draw(EMAILS), phone=draw(PHONES), address=draw(STREETS),
            first_name=draw(st.sampled_from(["", "Anne"])), is_supplier=draw(FLAGS), is_customer=draw(FLAGS),
            status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "ARCHIVED"])),
            merged_to=draw(st.sampled_from(["", "", "", "x0"])),
        )
        for key in X_IDS[: draw(st.integers(1, 6))]
    ]  # fmt: skip
    book = [replace(one, merged_to="" if one.status == "ACTIVE" else one.merged_to) for one in book]
    crm = [
        SourceContact(
            key, draw(NAMES | st.just("")), draw(EMAILS), phone=draw(PHONES), address=draw(STREETS),
            source=draw(st.sampled_from(["", "", "Web", "Xero x0", "Xero x1"])),
        )
        for key in C_IDS[: draw(st.integers(0, 5))]
    ]  # fmt: skip
    links = draw(st.dictionaries(st.sampled_from(C_IDS), st.builds(Link, st.sampled_from(X_IDS), FLAGS), max_size=3))
    kinds = st.sampled_from(["apart", "ignore", "chosen"])
    answers = draw(
        st.dictionaries(st.sampled_from([*X_IDS, *C_IDS, *BOXES]), st.builds(ContactAnswer, kinds), max_size=3)
    )
    # Which contact of ours is apart is kept beside its link: a person who links it takes that back.
    answers = {key: value for key, value in answers.items() if key[0] != "c" or len(key) != 2 or key not in links}
    return book, crm, links, answers, ImportRules(draw(FLAGS), draw(FLAGS))


def after(world):
    """The world as it is once everything that was decided has been done."""
    book, crm, links, answers, rules = world
    there, links = {one.id: one for one in crm}, dict(links)
    for verdict in decide_import(*world):
        key = verdict.source_id
        if verdict.outcome is ImportOutcome.CREATED:
            key = f"made-{verdict.contact.id}"
            there[key] = SourceContact(key, "")
        if verdict.outcome in (ImportOutcome.CREATED, ImportOutcome.LINKED, ImportOutcome.UPDATED):
            there[key] = with_fields(there[key], verdict.fields)
            links.setdefault(key, Link(verdict.contact.id))
    return book, list(there.values()), links, answers, rules


def with_fields(there, fields):
    """A contact with these fields written to it."""
    street = {
        name: value for name, value in fields.items() if name in ("line", "city", "region", "postcode", "country")
    }
    rest = {name: value for name, value in fields.items() if name not in street}
    return replace(there, **rest, address=replace(there.address, **street))


@given(worlds())
def test_every_contact_is_decided_once(world):
    """Each Xero contact has one verdict, with one outcome and a reason."""
    verdicts = decide_import(*world)
    assert Counter(one.contact.id for one in verdicts) == Counter(one.id for one in world[0])
    assert all(one.reason for one in verdicts)


@given(worlds() | crossed())
def test_a_crococlick_contact_is_linked_to_one_xero_contact(world):
    """Whatever collides: nobody is linked to two, and nobody who is linked is linked anew."""
    new = Counter(one.source_id for one in decide_import(*world) if one.outcome is ImportOutcome.LINKED)
    assert not new or max(new.values()) == 1
    assert not set(new) & set(world[2])


@examples(2)
@given(worlds() | crossed())
def test_done_is_done(world):
    """Deciding again, once everything was done, leaves nothing to do."""
    again = decide_import(*after(world))
    assert {one.outcome for one in again} <= {ImportOutcome.UNCHANGED, ImportOutcome.CONFLICT, ImportOutcome.LEFT_OUT}


@given(worlds())
def test_nothing_that_crococlick_has_is_written_over(world):
    """Only fields that are empty are filled, and tags never."""
    there = {one.id: one for one in world[1]}
    for verdict in decide_import(*world):
        if verdict.outcome in (ImportOutcome.LINKED, ImportOutcome.UPDATED):
            before = there[verdict.source_id]
            street = {name: getattr(before.address, name) for name in ("line", "city", "region", "postcode")}
            for name in verdict.fields:
                if name != "country":
                    assert not str(street.get(name, getattr(before, name, ""))).strip()


@given(worlds())
def test_links_by_email_have_an_address_in_common_that_nobody_else_has(world):
    """Computed anew: of all active Xero contacts and all of CrocoClick's that are not set aside."""
    _, crm, _, answers, _ = world
    there = {one.id: one for one in crm}
    for verdict in decide_import(*world):
        if verdict.outcome is ImportOutcome.LINKED:
            shared = set(addresses(verdict.contact)) & set(addresses(there[verdict.source_id]))
            assert shared
            twins = [one.id for one in crm if shared & set(addresses(one))]
            assert [key for key in twins if answers.get(key, ContactAnswer("")).kind != "apart"] == [verdict.source_id]


@given(worlds(), st.sampled_from(["+tag", "."]))
def test_a_tag_or_a_dot_never_links(world, more):
    """Addresses that differ in a tag or a dot are likely the same, and never taken for it."""
    book, crm, _, answers, rules = world
    decorated = []
    for there in crm:
        written = [address.replace("@", "+crm@") if more == "+tag" else f"z.{address}" for address in addresses(there)]
        decorated.append(replace(there, email=", ".join(written), source=""))
    assert not [
        one for one in decide_import(book, decorated, {}, answers, rules) if one.outcome is ImportOutcome.LINKED
    ]


def test_contacts_are_decided_alike_in_whatever_order_they_come():
    """Both lists come as the services give them."""
    book = [replace(ANNE, id=f"x{n}", email=f"p{n % 3}@example.org") for n in range(6)]
    crm = [ours(f"c{n}", email=f"p{n}@example.org", updated_at=datetime(2026, 1, 1, tzinfo=UTC)) for n in range(4)]
    assert [told(one) for one in decided(book, crm).values()] == [
        told(one) for one in decided(book[::-1], crm[::-1]).values()
    ]
    assert name_key(" A  b") == "a b"
