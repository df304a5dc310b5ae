"""Never a false word: whatever happened, what is told of each invoice after a run is so in both books.

`ROUNDS=50000` judges that many invoices, a part of them in each item. A walk that failed is printed, smallest first,
and runs again from its data.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.truth.events import WALK
from tests.support.truth.walk import Lie, Walk
from tests.support.truth.world import connected_still, still_world

ROUNDS = int(os.environ.get("ROUNDS", "2000"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 4
LEAST_OF_A_WALK = 25


@pytest.fixture(scope="session")
def connected(tmp_path_factory):
    """What a connection leaves, made once."""
    return connected_still(tmp_path_factory.mktemp("still"))


class Tally:
    """How many invoices were judged, and whether a lie was found: then only that one is looked into."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.probes, self.walks, self.lied = 0, 0, False

    def is_enough(self):
        return self.probes >= self.rounds and not self.lied


@pytest.mark.skipif("ROUNDS" not in os.environ, reason="what it finds is still being mended; `make truth` runs it")
@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_never_a_false_word(connected, tmp_path_factory, part):
    """After each run every state, cause and sentence agrees with both books."""
    tally = Tally(ROUNDS // PARTS)
    print(f"seed {SEED}, part {part}: repeat it with SEED={SEED} ROUNDS={ROUNDS}")

    @seed(SEED * PARTS + part)
    @settings(
        max_examples=tally.rounds // LEAST_OF_A_WALK,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(WALK)
    def walks(steps):
        if steps and not tally.is_enough():
            walk(steps)

    def walk(steps):
        with still_world(tmp_path_factory.mktemp("walk"), connected) as world:
            one = Walk(world)
            for place, step in enumerate(steps):
                if false := one.step(step):
                    tally.lied = True
                    raise Lie(f"{false[0].kind} ({false[0].text}) of {false[0].id} after {steps[: place + 1]}")
            tally.probes += one.probes
            tally.walks += 1

    walks()
    print(f"{tally.probes} invoices judged in {tally.walks} walks: no false word")
    assert tally.probes >= tally.rounds
