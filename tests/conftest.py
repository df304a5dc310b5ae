"""What every test shares."""

import random

from tests.support.properties import load_profile

load_profile()


def pytest_configure(config):
    """Every run has one seed for all properties, which its summary prints; a worker gets that of the whole run."""
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = random.randrange(2**32)


def pytest_terminal_summary(terminalreporter, config):
    """The seed with which the same examples come again."""
    terminalreporter.write_line(
        f"properties: the same examples again with --hypothesis-seed={config.option.hypothesis_seed}"
    )


def pytest_collection_modifyitems(items):
    """The slow ones first: with several workers nobody then waits for the last of them alone."""
    items.sort(key=lambda item: "slow" not in item.keywords)
