"""What every test shares."""

from pathlib import Path

import pytest

STORIES = Path(__file__).parent / "stories"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The slow ones first, so that nobody waits for the last of them alone; stories go to whichever worker is free.

    The tests of any other file stay together: some follow one another, many share what is dear to make.
    """
    items.sort(key=lambda item: "slow" not in item.keywords)
    for item in items:
        if STORIES not in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
