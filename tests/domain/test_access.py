"""Who may do what."""

import pytest

from syncer.domain.access import ADMIN, NEEDS, NONE, OPERATOR, ORDERS, ROLES, VIEWER, Right, is_person, right_of
from syncer.support import orders
from syncer.support.contact_orders import NAMES

NAMED = [
    Right("@example.com", VIEWER), Right("Anna@Example.com", OPERATOR, frozenset({"lyon"})),
    Right("bob@example.com", NONE), Right("@evil.example", ADMIN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("anna@example.com", OPERATOR),
        (" ANNA@EXAMPLE.COM ", OPERATOR),
        ("carl@example.com", VIEWER),
        ("bob@example.com", None),
        ("carl@sub.example.com", None),
        ("carl@example.com.evil", None),
        ("@example.com", None),
        ("anna@example.com@evil.example", None),
        ("anna@elsewhere.example", None),
        ("", None),
        ("BOSS@example.com", ADMIN),
    ],
)
def test_an_email_wins_over_its_domain_and_case_counts_for_nothing(email, role):
    """A domain is all that follows the @; an email may be kept out of it; the house's admins are always admins."""
    found = right_of(email, NAMED, ["Boss@Example.com"])
    assert (found.role if found else None) == role


@pytest.mark.parametrize(
    ("action", "least"),
    [
        ("see", VIEWER), ("export", VIEWER), ("retry", OPERATOR), ("skip", OPERATOR), ("link_contact", OPERATOR),
        ("sync", OPERATOR), ("stop", OPERATOR), ("save_question", OPERATOR), ("map", ADMIN), ("connect", ADMIN),
        ("change_setting", ADMIN), ("change_person", ADMIN), ("add_connection", ADMIN), ("never heard of", ADMIN),
    ],
)  # fmt: skip
def test_each_role_may_what_the_one_before_it_may(action, least):
    """And what nobody has thought of is for admins."""
    assert [Right("x", role).may(action) for role in ROLES] == [
        ROLES.index(role) >= ROLES.index(least) for role in ROLES
    ]


def test_an_admin_of_some_connections_rules_these_alone():
    """Who may what and which connections there are is beyond them: they could give themselves the others."""
    some = Right("x", ADMIN, frozenset({"lyon"}))
    assert some.may("change_setting") and some.sees("lyon") and not some.sees("default")
    assert not some.may("change_person") and not some.may("add_connection")
    assert Right("x", ADMIN).sees("anything") and not Right("x", NONE).sees("lyon")


def test_every_order_is_named():
    """An order that is not named would silently be for admins alone, and missing from the help."""
    assert {*orders.ORDERS, *NAMES} <= set(NEEDS)
    assert tuple(orders.ORDERS) == ORDERS


@pytest.mark.parametrize(
    ("text", "good"),
    [("a@b.c", True), ("@b.c", True), ("b.c", False), ("@", False), ("a@b@c", False), ("a b@c.d", False), ("", False)],
)
def test_how_people_are_written(text, good):
    assert is_person(text) is good
