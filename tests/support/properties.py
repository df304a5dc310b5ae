"""How many examples a property is tried with.

`make test` tries few and `make check` many; a test names only its share, relative to a usual property. There is no
deadline and no check of speed: both depend on the machine.
"""

import os

from hypothesis import HealthCheck, settings

SPEED = [HealthCheck.too_slow, HealthCheck.data_too_large]
EXAMPLES = {"quick": 40, "thorough": 500}


def load_profile() -> None:
    """Register both profiles and load the one that HYPOTHESIS_PROFILE names, `quick` where it names none."""
    for name, examples in EXAMPLES.items():
        settings.register_profile(
            name, max_examples=examples, deadline=None, suppress_health_check=SPEED, print_blob=True
        )
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def examples(share: float, *suppress: HealthCheck) -> settings:
    """Settings for a property that needs `share` times the usual number of examples."""
    usual = settings.default
    assert usual is not None
    return settings(max_examples=max(5, round(usual.max_examples * share)), suppress_health_check=[*SPEED, *suppress])
