"""What happens around the two books: consent, tokens, outages, limits, lost answers, a kill -9."""

from hypothesis import strategies as st

from tests.support.truth.hands import Hands, event
from tests.support.truth.world import grant_again

LOST = ("accepted_then_hung_up", "dropped", "error_500", "truncated", "error_503")
TROUBLES = {
    "revoked": {"consent_revoked"},
    "disconnected": {"consent_revoked", "wrong_organisation"},
    "token": {"crococlick_token_refused"},
    "xero_down": {"xero_unavailable"},
    "crm_down": {"crococlick_unavailable"},
    "day": {"rate_limited_day"},
    "role": {"role_missing"},
}
MANY = 10**6
FAULTS = {
    "xero_down": {"kind": "error_503", "side": "xero", "path": "/api.xro"},
    "crm_down": {"kind": "error_503", "side": "crococlick"},
    "day": {"kind": "rate_limited", "side": "xero", "path": "/api.xro", "problem": "day", "retry_after": 3600},
}
AROUND = st.one_of(
    event("trouble", st.sampled_from(sorted(TROUBLES)), st.integers(1, 2)),
    event("lose", st.sampled_from(LOST), st.sampled_from(["/Invoices", "/Invoices", "/Payments", "/Contacts"])),
    event("kill", st.integers(0, 12), st.booleans()),
)


class Around(Hands):
    """The hands that break what lies between, and mend it."""

    def __init__(self, world):
        super().__init__(world)
        self.troubles = {}  # name: how many more runs
        self.kill = None

    def _trouble(self, name, runs):
        if name in self.troubles:
            return
        self.troubles[name] = runs
        if name in FAULTS:
            self.world.faults.add(times=MANY, **FAULTS[name])
        elif name == "role":
            self.xero.switch(role="READONLY")
        else:
            {"revoked": self.xero.revoke, "disconnected": self.xero.disconnect, "token": self.crm.refuse}[name]()

    def lift(self):
        """A run is over: troubles that have lasted long enough end; a person connects again where that is needed."""
        for name in list(self.troubles):
            self.troubles[name] -= 1
            if self.troubles[name] <= 0:
                del self.troubles[name]
                self._end(name)

    def _end(self, name):
        if name in ("revoked", "disconnected"):
            grant_again(self.world)
        elif name == "token":
            self.crm.allow("pit-sandbox")
        elif name == "role":
            self.xero.switch(role="STANDARD")
        else:
            waiting, ended = self.world.faults.waiting, FAULTS[name]
            lasting = [one for one in waiting if (one.side, one.kind) == (ended["side"], ended["kind"])]
            waiting[:] = [one for one in waiting if one not in lasting or one.times < MANY // 2]

    def _lose(self, kind, path):
        self.world.faults.next_write(kind, path=path)

    def _kill(self, commits, after):
        self.kill = (commits, after)
