"""A world to tell stories in: the sandbox, and the product connected to it over real HTTP."""

import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.server import Sandbox
from syncer.app import consent, environment, jobs, pause, states
from syncer.app.clock import SystemClock
from syncer.app.installation import App
from syncer.cli.invoices import order_of
from syncer.cli.parser import parser
from syncer.domain import settings
from syncer.support import explain, orders, runs, search
from syncer.sync.context import RunOptions


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def press(url, decision="allow", organisation=""):
    """Press a button on the consent page; gives what the browser would bring to the redirect address."""
    form = urllib.parse.urlencode({"decision": decision, "organisation": organisation}).encode()
    try:
        urllib.request.build_opener(_Stay).open(urllib.request.Request(url, data=form))
    except urllib.error.HTTPError as redirect:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(redirect.headers["Location"]).query))
    raise AssertionError("no redirect came")


class Later(SystemClock):
    """A clock that goes on from another moment."""

    def __init__(self, start):
        self._ahead = start - datetime.now(UTC)

    def now(self):
        return super().now() + self._ahead


class World:
    """Two books and what stands between them."""

    def __init__(self, box: Sandbox, folder: Path, **changes: str) -> None:
        self.box = box
        self.crm, self.xero, self.faults = box.crococlick, box.xero, box.faults
        self.values = {
            **box.environment(),
            "SYNCER_DATA_DIR": str(folder),
            "XERO_REDIRECT_URI": "http://localhost:8501/xero/callback",
            **changes,
        }
        self.app = App(environment.environment(self.values, Path("/nowhere")))

    @property
    def connection(self):
        """Opened anew each time, as every process does."""
        return self.app.connection()

    @property
    def ledger(self):
        return self.connection.ledger

    def connect(self, organisation=""):
        url = consent.begin(self.connection)
        return consent.finish(self.app, press(url, organisation=organisation or self.xero.tenant))

    def disconnect(self):
        consent.disconnect(self.connection)

    def set(self, **changes):
        """`world.set(revenue_account="706")`; a dot in a key is written as two underscores."""
        changes = {key.replace("__", "."): value for key, value in changes.items()}
        self.ledger.change_settings(settings.checked(changes), "a test", self.app.clock.now())
        states.decide(self.connection)

    def sync(self, times=1, **orders):
        """Run, and answer with what the last run came to."""
        for _ in range(times):
            outcome = jobs.run(self.connection, RunOptions(**orders), "a test", lambda *told: None, lambda: False)
        self.outcome = outcome
        return runs.run_summary(self.ledger.row("run", run_id=outcome.run_id))["outcomes"]

    def import_contacts(self, dry_run=False, stop=lambda: False):
        """Import contacts, and answer with what it came to."""
        self.report = jobs.import_contacts(self.connection, "a test", lambda *told: None, stop, dry_run)
        return {name: number for name, number in self.report.outcomes.items() if number}

    def order(self, name, /, *what, **said):
        """Give an order, as `python -m syncer order NAME WHAT… KEY=VALUE…` does; a dot in a key as two underscores."""
        rows = [row for one in what for row in search.meant(self.ledger, one)]
        said = {key.replace("__", "."): value for key, value in said.items()}
        return self._give(name, rows, said)

    def _give(self, name, rows, said):
        given = orders.OrderDesk(self.ledger, "Anna", self.app.clock.now()).give(name, rows, said)
        states.decide(self.connection, orders.touched(name, rows))
        return given

    def follow(self, what):
        """Give the order that explain advises, word for word, as a person would in a terminal."""
        words = self.explain(what)["remedy"]["order"]
        asked = parser().parse_args(words)
        if asked.command in ("connect", "sync"):
            return None
        if asked.command == "resume":
            return pause.resume(self.connection, "Anna")
        name, what, said = order_of(asked)
        rows = [row for one in what for row in search.meant(self.ledger, one)]
        return self._give(name, rows, said)

    def cause(self, what):
        """The code of why it is where it is, or None."""
        cause = self.explain(what)["cause"]
        return cause and cause["code"]

    def state(self, what):
        """Its state."""
        return self.explain(what)["state"]

    def later(self, **passed):
        """Let time pass for everybody: `world.later(days=1)`."""
        self.box.clock.advance(timedelta(**passed).total_seconds())
        self.app.clock = Later(self.app.clock.now() + timedelta(**passed))

    def explain(self, what):
        """What `explain --json` says."""
        found = search.find(self.ledger, what)
        assert len(found) == 1, f"{what} fits {len(found)} invoices"
        return explain.explained(explain.story(self.ledger, self.connection.rules(), found[0]))

    def has(self, number, contact=None, **fields):
        """An invoice in CrocoClick: sent, 100.00 at 20 %, unless said otherwise."""
        contact = contact or self.crm.add_contact(name=f"Customer of {number}", email=f"{number.lower()}@example.org")
        fields = {"status": "sent", "lines": [{"name": "Work", "qty": 1, "amount": 100, "taxes": [20]}], **fields}
        return self.crm.add_invoice(contact=contact, number=number, **fields)

    def writes(self):
        """How many writes reached Xero's accounting API."""
        return self.box.count(side="xero", method="PUT") + self.box.count(side="xero", method="POST", path="/api.xro")
