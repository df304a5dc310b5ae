"""The guided test from a terminal: `python -m syncer test-invoice`."""

import argparse

from syncer.app.installation import App, who
from syncer.cli.output import DONE, HELD, Out, stoppable
from syncer.onboarding.test_invoice import GuidedTest


def do_test_invoice(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Finish the test before, then make one or check an invoice; the checks as a table."""
    connection = app.connection(asked.connection)
    with connection.alone("trial", 0.0), out.progress() as tell, stoppable(out) as stop:
        test = GuidedTest(connection, who(), tell, stop)
        if finished := test.finish():
            out.note(finished)
        result = test.check(asked.invoice) if asked.invoice else test.perform(asked.contact)
    if out.as_json:
        out.json({"invoice": result.invoice, "checks": list(result.checks), "ok": result.ok})
    rows = [
        (one["what"], one["expected"], one["found"], "✓ same" if one["ok"] else "✕ differs") for one in result.checks
    ]
    out.table(["", "expected", "found", "verdict"], rows)
    out.say(result.sentence)
    return DONE if result.ok else HELD
