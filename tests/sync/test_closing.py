"""Closing a period: both books compared over the sandbox, each thing that comes apart named by what it is."""

import pytest

from sandbox.server import Sandbox
from tests.support.closing_damage import KINDS, equal_books
from tests.support.closing_world import reconciled
from tests.support.sync_world import World


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """One pair of equal books with an invoice for each kind of damage, compared before and after it."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        asked = equal_books(world, KINDS)
        before, writes = reconciled(world), world.writes()
        expected = {kind: KINDS[kind](world, number) for kind, number in asked}
        world.before, world.expected, world.numbers = before, expected, dict(asked)
        world.found = reconciled(world)
        assert world.writes() == writes
        yield world


def test_equal_books_agree_to_the_cent(damaged):
    """Every document compared, every one equal, the residual zero, and nothing written."""
    before = damaged.before
    assert before["differences"] == before["unexplained"] == []
    assert before["compared"] == before["equal"] == len(KINDS)
    total = f"{120 * len(KINDS)}.00"
    assert before["totals"] == {"EUR": {"crococlick": total, "xero": total, "residual": "0.00"}}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_damage_is_named(damaged, kind):
    """By the field that differs, of that invoice, and by nothing else."""
    number = damaged.numbers[kind]
    told = {(one["number"], one["field"]) for one in damaged.found["differences"] if number in one["number"]}
    assert told == damaged.expected[kind]


def test_nothing_else_is_told(damaged):
    """No difference is invented, each is told once, and all that moves a total is explained to the cent."""
    told = [(one["number"], one["field"]) for one in damaged.found["differences"]]
    assert len(told) == len(set(told)) and set(told) == set().union(*damaged.expected.values())
    assert damaged.found["unexplained"] == []
    assert {total["residual"] for total in damaged.found["totals"].values()} == {"0.00"}
    assert damaged.found["compared"] - damaged.found["equal"] == len(KINDS)


def test_every_difference_says_who_does_what(damaged):
    """A sentence, somebody who acts, a next step; an order that the product knows, where there is one."""
    for one in damaged.found["differences"]:
        assert one["sentence"].endswith(".") and one["who"] and one["next"].endswith("."), one
        assert one["order"] is None or one["order"][0] in ("sync", "order", "retry", "unskip", "connect"), one
