"""A ledger that is restored or lost: nothing is entered twice, nothing is called equal that is not, few calls more.

`ROUNDS=300` takes that many rounds, a part of them in each item. One that failed is printed, smallest first, and runs
again from its data.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.restored_walk import ROUND, Restored
from tests.support.truth.walk import Lie
from tests.support.truth.world import connected_still, still_world

ROUNDS = int(os.environ.get("ROUNDS", "6"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 2


@pytest.fixture(scope="session")
def connected(tmp_path_factory):
    """What a connection leaves, made once."""
    return connected_still(tmp_path_factory.mktemp("still"))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_past_that_is_put_back(connected, tmp_path_factory, part):
    """Whatever happened since the copy, runs on it enter nothing twice and hold only what a person has to decide."""
    print(f"seed {SEED}, part {part}: repeat it with SEED={SEED} ROUNDS={ROUNDS}")

    @seed(SEED * PARTS + part)
    @settings(
        max_examples=ROUNDS // PARTS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(ROUND)
    def rounds(parts):
        folder = tmp_path_factory.mktemp("round")
        with still_world(folder / "data", connected) as world:
            if false := Restored(world, folder / "aside").round(*parts):
                raise Lie(f"{false[0].kind} ({false[0].text}) of {false[0].id} after {parts}")

    rounds()
    print(f"{ROUNDS // PARTS} rounds: nothing twice, no false word")
