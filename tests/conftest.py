"""What every test shares."""

# The commands hide pandas from their own process to start sooner (``syncer.__main__``); a test
# that imports them must not hide it from the tests of the export, which shares the worker.
import pandas  # noqa: F401 — only to have it loaded


def pytest_collection_modifyitems(items):
    """The slow ones first: with several workers nobody then waits for the last of them alone."""
    items.sort(key=lambda item: "slow" not in item.keywords)
