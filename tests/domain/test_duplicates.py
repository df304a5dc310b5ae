"""Who shares an email with whom, and which of several Xero contacts should stay."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.domain.matching.duplicates import CROCOCLICK, XERO, Proposal, Weight, groups, proposal
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import Address
from tests.support.domain_samples import contact

MAIL = "anne@example.org"


def ours(source_id="c1", email=MAIL, name="Anne"):
    """A contact in CrocoClick."""
    return SourceContact(source_id, name, email)


def found(book=(), crm=(), links=None):
    """Each group by its email: who is in it, and whether it is only likely."""
    return [
        (one.email, [(m.side[0] + ":" + m.id) for m in one.members], one.likely)
        for one in groups(book, crm, links or {})
    ]


def test_groups_inside_xero_inside_crococlick_and_across():
    """Every address that several records have, Xero's first, each address once."""
    book = [
        contact("x2", email=MAIL),
        contact("x1", email="Anne <ANNE@example.org>"),
        contact("x3", email="b@example.org"),
    ]
    crm = [ours("c1", "b@example.org"), ours("c3", "c@example.org"), ours("c2", "c@example.org; d@example.org")]
    assert found(book, crm) == [
        (MAIL, ["x:x1", "x:x2"], False),
        ("b@example.org", ["x:x3", "c:c1"], False),
        ("c@example.org", ["c:c2", "c:c3"], False),
    ]


def test_one_on_each_side_that_are_linked_are_no_duplicates():
    """That is what an import is for; linked to somebody else they are."""
    book = [contact("x1", email=MAIL), contact("x2", email="b@example.org")]
    assert found(book, [ours()], {"c1": "x1"}) == []
    assert found(book, [ours()], {"c1": "x2"}) == [(MAIL, ["x:x1", "c:c1"], False)]
    assert len(found(book, [ours(), ours("c2")], {"c1": "x1", "c2": "x1"})) == 1


def test_a_group_is_double_where_one_side_has_it_twice():
    """One on each side is only a link that nobody made."""
    [across] = groups([contact("x1", email=MAIL)], [ours()], {})
    [twice] = groups([contact("x1", email=MAIL)], [ours(), ours("c2")], {})
    assert (across.is_double, twice.is_double) == (False, True)


def test_archived_contacts_do_not_count():
    """Nobody sends them anything."""
    assert found([contact("x1", email=MAIL), contact("x2", email=MAIL, status="ARCHIVED")]) == []


def test_what_is_only_likely_the_same_comes_last_and_says_so():
    """Plus-addresses and dots: one group for the box, beside those that share an address exactly."""
    book = [
        contact("x1", email="j.doe@example.org"),
        contact("x2", email="z@example.org"),
        contact("x3", email="z@example.org"),
    ]
    crm = [ours("c1", "jdoe+shop@example.org")]
    assert found(book, crm) == [
        ("z@example.org", ["x:x2", "x:x3"], False),
        ("jdoe@example.org", ["x:x1", "c:c1"], True),
    ]
    assert [one[2] for one in found(book, crm, {"c1": "x1"})] == [False]
    assert found([contact("x1", email="j.doe@example.org, jdoe@example.org")]) == []


def test_a_mailbox_that_several_customers_read_is_told():
    """A desk's address, or names without a word in common."""
    [desk] = groups([contact("x1", "A", "info@example.org"), contact("x2", "A", "info@example.org")], [], {})
    [names] = groups([contact("x1", "Anne Martin", MAIL)], [ours(name="Bob")], {})
    [same] = groups([contact("x1", "Anne Martin", MAIL)], [ours(name="anne"), ours("c2", name="")], {})
    [nameless] = groups([], [ours(name=""), ours("c2", name="")], {})
    assert [one.is_shared for one in (desk, names, same, nameless)] == [True, True, False, False]


OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
PROPOSALS = [
    ("linked", {}, {}, {"x2": Weight(0, True), "x1": Weight(9)}, "x2"),
    ("invoices", {"phone": "1"}, {}, {"x2": Weight(3), "x1": Weight(2)}, "x2"),
    ("complete", {"updated_at": NEW}, {"phone": "1", "address": Address(line="1 rue A")}, {}, "x2"),
    ("newest", {"updated_at": OLD}, {"updated_at": NEW}, {}, "x2"),
    ("first", {}, {}, {}, "x1"),
]


@pytest.mark.parametrize(("why", "one", "other", "weights", "stays"), PROPOSALS, ids=[row[0] for row in PROPOSALS])
def test_the_survivor_is_proposed_with_its_reason(why, one, other, weights, stays):
    """Linked already, else most invoices, else filled in most, else changed last, else the first."""
    book = [contact("x1", email=MAIL, **one), contact("x2", email=MAIL, **other)]
    [group] = groups(book, [ours()], {})
    assert proposal(group, weights) == Proposal(stays, why)


def test_for_one_alone_nothing_is_proposed():
    """There is nothing to choose in Xero."""
    [group] = groups([contact("x1", email=MAIL)], [ours()], {})
    assert proposal(group, {}) is None
    assert [one.id for one in group.on(XERO)] + [one.id for one in group.on(CROCOCLICK)] == ["x1", "c1"]


BOXES = st.sampled_from(["a@x.org", "b@x.org", "é@x.org", "a.b@x.org", "ab@x.org", "AB+1@x.org"])
FIELDS = st.lists(BOXES | BOXES.map(str.upper) | BOXES.map("X <{}>".format), max_size=3).map(" ; ".join) | st.just(
    "n/a"
)


def typed(field):
    """The addresses of a field that is filled as FIELDS fills it, taken apart by hand."""
    return {part.split("<")[-1].strip(" >").lower() for part in field.split(";") if "@" in part}


@given(st.lists(FIELDS, max_size=7), st.lists(FIELDS, max_size=7), st.data())
def test_the_groups_are_those_that_a_comparison_of_every_two_finds(book_fields, crm_fields, data):
    """Everybody with everybody, without an index: the same groups with the same members."""
    status = [data.draw(st.sampled_from(["ACTIVE", "ACTIVE", "ARCHIVED"])) for _ in book_fields]
    book = [contact(f"x{n}", email=field, status=status[n]) for n, field in enumerate(book_fields)]
    crm = [ours(f"c{n}", field) for n, field in enumerate(crm_fields)]
    links = data.draw(
        st.dictionaries(st.sampled_from([f"c{n}" for n in range(7)]), st.sampled_from([f"x{n}" for n in range(7)]))
    )
    everybody = [
        *((one.id, typed(one.email)) for one in book if one.status == "ACTIVE"),
        *((one.id, typed(one.email)) for one in crm),
    ]
    truth = defaultdict(set)
    for one, mine in everybody:
        for other, theirs in everybody:
            if one < other:
                for address in mine & theirs:
                    truth[address] |= {one, other}
    wanted = {key: those for key, those in truth.items() if not is_pair(those, links)}
    plain = {one.email: {member.id for member in one.members} for one in groups(book, crm, links) if not one.likely}
    assert plain == wanted


def is_pair(those, links):
    """One on each side, linked to each other."""
    return len(those) == 2 and any(links.get(one) == other for one in those for other in those)
