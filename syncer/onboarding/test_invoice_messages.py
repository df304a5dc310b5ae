"""The guided test in plain words: each finding as a check, and what it all comes to."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.domain.errors import SyncerError
from syncer.domain.model.money import text
from syncer.domain.model.problems import Problem
from syncer.domain.readiness.test_invoice import Finding, Value
from syncer.messages import format, problems, remedies
from syncer.messages import status as status_messages
from syncer.support.explain import Story

Check = dict[str, Any]  # what, expected, found, ok

WHAT: Mapping[str, str] = {
    "customer": "Customer",
    "number": "Number",
    "issue_date": "Issue date",
    "due_date": "Due date",
    "lines": "Number of lines",
    "description": "description",
    "quantity": "quantity",
    "price": "unit price",
    "discount": "discount",
    "amount": "amount",
    "tax_rate": "tax rate",
    "tax": "tax",
    "currency": "Currency",
    "net": "Total without tax",
    "total_tax": "Tax in all",
    "total": "Total",
    "status": "Status",
    "sent": "Nobody was emailed",
}
MONEY = frozenset({"price", "discount", "amount", "tax", "net", "total_tax", "total"})
IN_XERO = "In Xero"


def check(what: str, expected: str, found: str, ok: bool) -> Check:
    """One check as people and scripts read it."""
    return {"what": what, "expected": expected, "found": found, "ok": ok}


def told(finding: Finding, currency: str) -> Check:
    """A finding in words; amounts in the invoice's own currency."""
    name = WHAT[finding.what]
    what = f"Line {finding.line}: {name}" if finding.line else name
    expected, found = (_shown(finding.what, value, currency) for value in (finding.expected, finding.found))
    return check(what, expected, found, finding.ok)


def _shown(what: str, value: Value, currency: str) -> str:
    if what == "sent":
        return "marked as sent, no email" if value else "not marked as sent, no email"
    if what == "status":
        return status_messages.XERO_STATUSES.get(str(value), str(value))
    if isinstance(value, Decimal):
        return format.money(value, currency) if what in MONEY else text(value)
    if isinstance(value, date):
        return format.day(value)
    return "none" if value in (None, "") else str(value)


def not_there(story: Story) -> Check:
    """An invoice that did not arrive: why, and what to do."""
    return check(IN_XERO, "arrived", why(story), ok=False)


def open_problem(story: Story) -> Check:
    """An invoice that is in Xero and still waits for something."""
    return check("Nothing left to do", "nothing", why(story), ok=False)


def why(story: Story) -> str:
    """The verdict and the next step."""
    return f"{story.verdict} {story.remedy.sentence if story.remedy else ''}".strip()


def refused(what: str, expected: str, refusal: SyncerError, step: str) -> Check:
    """A step that CrocoClick does not take, in its own words."""
    said = str(refusal.facts.get("message") or "").strip().rstrip(".")
    return check(what, expected, f"CrocoClick refused it{': ' + said if said else ''}. {step}", ok=False)


def lines_unknown(problem: Problem) -> Check:
    """Lines that today's settings would not send: there is nothing to compare them with."""
    return check(
        "Lines",
        "as today's settings would send them",
        f"{status_messages.failure(problem.code, problem.facts)}",
        ok=False,
    )


def cannot_go(problem: Problem) -> Check:
    """Taxes that stand on invoices and that Xero has no rate for: the test leaves them out, and says so."""
    step = remedies.remedy(problem.code, problem.facts)
    what = problems.group_sentence(problem.code, problem.facts)
    return check(
        "A tax that is left out", "a Xero tax rate", f"{what}. {step.sentence if step else ''}".strip(), ok=False
    )


def cut_off() -> Check:
    """A test that did not come to its end."""
    return check("The test itself", "finished", "It was cut off. Run it again.", ok=False)


def may_not_write() -> Check:
    """A token that may only read."""
    found = (
        "The CrocoClick token may not make invoices, so nothing was made. Check one that is there: "
        "`python -m syncer test-invoice --invoice NUMBER`; or give the private integration the scope invoices.write."
    )
    return check("Made in CrocoClick", "a draft", found, ok=False)


def renamed(number: str) -> Check:
    """An invoice that was a test's once, and that somebody has made their own."""
    found = (
        f"Somebody has renamed the test invoice {number} in CrocoClick, so it was left alone. Void it there by hand."
    )
    return check("Afterwards, in CrocoClick", "void", found, ok=False)


def finished(number: str, taken_back: Sequence[Check]) -> str:
    """What became of a test that was cut off."""
    wrong = [one for one in taken_back if not one["ok"]]
    if wrong:
        return f"The test before was cut off, and its invoice {number} could not be taken back: {wrong[0]['found']}"
    return f"The test before was cut off; its invoice {number} is taken back in both books."


def void_in_crococlick(status: str) -> Check:
    """What has become of our invoice in CrocoClick; nothing is left of a draft that was deleted."""
    found = format.STATUSES.get(status, "deleted")
    return check("Afterwards, in CrocoClick", "void or deleted", found, status in ("", "void"))


def void_in_xero(status: str, story: Story | None) -> Check:
    """What has become of it in Xero."""
    found = status_messages.XERO_STATUSES.get(status, status) if status else "nothing is left"
    ok = status in ("", "VOIDED", "DELETED")
    if not ok and story:
        found = f"{found}. {why(story) if story.problem else ''} Void it in Xero by hand.".replace("  ", " ")
    return check("Afterwards, in Xero", "void" if status else "nothing is left", found, ok)


def summary(number: str, checks: Sequence[Check], is_ours: bool) -> str:
    """What a test came to, in one sentence."""
    wrong = [one for one in checks if not one["ok"]]
    if wrong:
        those = f"{len(wrong)} of {format.count(len(checks), 'check')}"
        verb, first = ("is", "") if len(wrong) == 1 else ("are", "first ")
        return f"{those} {verb} not as expected, {first}“{wrong[0]['what']}”: {wrong[0]['found']}"
    if is_ours:
        return f"The set-up works: {number} arrived in Xero to the cent and is void again in both books."
    return f"{number} says the same in both books."
