"""What all hands in the two books share: places, the day, and how many they have made."""

from datetime import timedelta

from hypothesis import strategies as st

PICK = st.integers(0, 11)


def event(name, *parts):
    """A kind of event: its name, and a strategy for each part."""
    return st.tuples(st.just(name), *parts)


class Hands:
    """What they hold; a place counts modulo how many there are."""

    def __init__(self, world):
        self.world, self.crm, self.xero = world, world.crm, world.xero
        self.made = 0
        self.ordered = set()  # CrocoClick ids of what a person gave an order for

    def picked(self, pick, *statuses):
        """An invoice in CrocoClick, of these statuses."""
        found = [one for one in self.crm.location.invoices.values() if not statuses or one.doc["status"] in statuses]
        return found[pick % len(found)] if found else None

    def day(self, ago):
        """The day so many days ago."""
        return (self.world.clock.now() - timedelta(days=ago)).date().isoformat()
