"""What may happen around two books, as plain data: `("pay", 3, "half")` means the fourth invoice that can be paid.

Places count modulo how many there are. A walk that failed is printed as such a list, and pasted as it is into a test of
its own.
"""

from hypothesis import strategies as st

from tests.support.truth.around import AROUND, Around
from tests.support.truth.in_crococlick import IN_CROCOCLICK, InCrocoClick
from tests.support.truth.in_xero import IN_XERO, InXero
from tests.support.truth.orders import Orders

EVENT = st.one_of(IN_CROCOCLICK, IN_CROCOCLICK, IN_CROCOCLICK, IN_XERO, AROUND)
RUN = st.sampled_from(["plain"] * 7 + ["full"] * 2)
PAUSE = st.sampled_from([40, 150, 400, 400, 90_000])  # seconds: the last is a day and an hour
STEP = st.tuples(st.lists(EVENT, min_size=1, max_size=6), PAUSE, RUN)
# Several short lists, since hypothesis makes one long list seldom, and takes each away when it shrinks.
WALK = st.tuples(*[st.lists(STEP, max_size=12)] * 4).map(lambda parts: [step for part in parts for step in part])


class Events(InCrocoClick, InXero, Around, Orders):
    """The hands that let each of them happen; an event that fits nothing does nothing."""

    def happen(self, event):
        """Let one event happen."""
        name, *parts = event
        getattr(self, f"_{name}")(*parts)
