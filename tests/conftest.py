"""What every test shares."""


def pytest_collection_modifyitems(items):
    """The slow ones first: with several workers nobody then waits for the last of them alone."""
    items.sort(key=lambda item: "slow" not in item.keywords)
