"""Read-only answers: why an invoice is where it is, what a sync would do, how the runs went.

Nothing here makes a call or writes; everything comes from the ledger and the planner.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncer import deciding, words
from syncer.contacts import Report
from syncer.core import compare
from syncer.core.action import Action
from syncer.core.books import Books, Document, TaxRate
from syncer.core.causes import Problem
from syncer.core.contact import ContactIndex
from syncer.core.invoice import LineItem
from syncer.core.mapping import document, due_date
from syncer.core.money import show
from syncer.core.obstacle import Stand, behind
from syncer.core.plan import plan
from syncer.core.rules import Rules
from syncer.core.tax import tax_rate
from syncer.core.totals import shares
from syncer.errors import WrongUsage
from syncer.ledger.ledger import Ledger
from syncer.ledger.records import Known, Verdict, as_kept
from syncer.looking import look
from syncer.sync import Outcome

MATCHES = 50
UNKNOWN = "answer_lost"  # the cause of what is in doubt and has none of its own
ORDERED = 5000  # invoices that one order may be for
OUTCOMES = ("created updated voided paid unchanged held deferred in_doubt skipped not_eligible").split()


def iso(value: datetime | None) -> str | None:
    """A time as UTC ISO with Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def facts_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a ledger row's cause."""
    found: dict[str, Any] = json.loads(row.get("facts") or "{}")
    return found


# -- runs ----------------------------------------------------------------------------------------------------


def result_of_run(ledger: Ledger, outcome: Outcome, only: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What a run came to: outcomes, money by currency, calls."""
    outcomes = dict.fromkeys(OUTCOMES, 0)
    money: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"synced": Decimal(0), "held": Decimal(0)})
    for row in ledger.rows("run_result", run_id=outcome.run_id, everything=not only, ids=sorted(only)):
        outcomes[row["outcome"]] += row["invoices"]
        if (row["synced"] or row["outcome"] == "held") and row["currency"]:
            money[row["currency"]]["synced" if row["synced"] else "held"] += row["money"]
    paid = ledger.row("paid_in_run", run_id=outcome.run_id)
    outcomes["paid"] = paid["invoices"] if paid else 0
    return {
        "outcomes": outcomes,
        "money": {
            currency: {name: show(amount, currency) for name, amount in sums.items()}
            for currency, sums in sorted(money.items())
        },
        "calls": _calls_of(ledger, outcome.run_id),
        "unreadable": [
            {"invoice_id": one.source_id, "number": one.number, "field": one.field, "reason": one.reason}
            for one in outcome.unreadable
        ],
        "left_out": [
            {"kind": one.kind, "id": one.source_id, "name": one.number, "field": one.field, "reason": one.reason}
            for one in outcome.left_out
        ],
    }


def _calls_of(ledger: Ledger, run_id: str) -> dict[str, int]:
    calls = {"xero": 0, "crococlick": 0}
    return calls | {
        row["side"]: row["calls"] for row in ledger.rows("calls_of_run", run_id=run_id) if row["side"] in calls
    }


def result_of_import(ledger: Ledger, report: Report) -> dict[str, Any]:
    """What an import of contacts came to, as `import-contacts --json` tells it besides the run."""
    return {
        "outcomes": dict(report.outcomes),
        "duplicate_groups": report.duplicate_groups,
        "calls": _calls_of(ledger, report.run_id),
    }


def held_list(ledger: Ledger, only: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Every invoice that waits for a person, each with its reason."""
    return [
        {
            "invoice_id": row["source_id"],
            "number": row["number"],
            "cause": row["cause"],
            "detail": words.cause_sentence(row["cause"], facts_of(row)),
        }
        for row in ledger.rows("held_in", everything=not only, ids=sorted(only))
    ]


def run_summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """One run as the outside sees it."""
    result = json.loads(row["result"] or "{}")
    return {
        "run_id": row["run_id"],
        "started_at": iso(row["started_at"]),
        "finished_at": iso(row["finished_at"]),
        "ended": row["ended"] or "running",
        "cause": row["cause"],
        "outcomes": {**dict.fromkeys(OUTCOMES, 0), **result.get("outcomes", {})},
        "money": result.get("money", {}),
        "calls": result.get("calls", {"xero": 0, "crococlick": 0}),
    }


def run_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run's row with what it came to, times as times: for a screen."""
    result = json.loads(row["result"] or "{}")
    empty = {"money": {}, "calls": {"xero": 0, "crococlick": 0}, "unreadable": [], "left_out": []}
    return {**row, **empty, **result, "outcomes": {**dict.fromkeys(OUTCOMES, 0), **result.get("outcomes", {})}}


def runs(ledger: Ledger, limit: int) -> list[dict[str, Any]]:
    """The latest runs with what each came to, newest first."""
    return with_money(ledger, [run_told(row) for row in ledger.rows("runs", limit=limit)])


def with_money(ledger: Ledger, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs with the money that each brought over, by currency (`moved`)."""
    moved: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in ledger.rows("run_money", run_ids=[run["run_id"] for run in told]):
        moved[row["run_id"]][row["currency"]] = row["money"]
    return [{**run, "moved": moved.get(run["run_id"], {})} for run in told]


# -- one invoice ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """One invoice, told from CrocoClick to Xero: what is, why, what next, and what happened before."""

    row: Mapping[str, Any]
    state: str
    problem: Problem | None
    known: Known
    document: Document | None
    history: Sequence[Mapping[str, Any]] = ()
    others: Sequence[Problem] = ()
    rates: Sequence[TaxRate | None] = ()  # the Xero rate of each line, None where there is none
    books: Books | None = None
    is_alone: bool = True  # no other invoice has its number
    decided: Verdict | None = None  # what is decided by what is known now; `state` and `problem` are as it is shown
    differs: Sequence[str] = ()  # the fields in which both books differ, as far as is known

    @property
    def moved(self) -> bool:
        """Whether that is not what the ledger keeps."""
        return self.decided is not None and deciding.has_moved(self.known, self.decided)

    @property
    def discount(self) -> Decimal:
        """What the document's discount takes off in all."""
        return sum((share.discount for share in shares(self.known.invoice)), Decimal(0))

    @property
    def verdict(self) -> str:
        """The one sentence."""
        synced_at = self.row["synced_at"] if self.row["xero_id"] else None
        code = self.problem.code if self.problem else None
        return words.verdict(self.state, code, self.problem.facts if self.problem else None, synced_at, self.differs)

    @property
    def remedy(self) -> words.Remedy | None:
        """The next step."""
        if self.problem is None:
            return None
        return words.remedy(self.problem.code, self.problem.facts, self.what, self.books)

    @property
    def what(self) -> str:
        """What names this invoice alone: its number, else its id."""
        return str(self.row["number"] if self.is_alone else self.row["source_id"])


def find(ledger: Ledger, what: str, limit: int = MATCHES) -> list[dict[str, Any]]:
    """The invoices that a search means: this very number or id, else what contains it; likeliest first."""
    what = what.strip()
    if not what:
        return []
    return ledger.rows("find_exact", what=what, limit=limit) or ledger.rows("find_like", what=what, limit=limit)


def meant(ledger: Ledger, what: str) -> list[dict[str, Any]]:
    """The invoices that an order means by `what`: one by its number or id, or all of a customer by its name or email.

    Raises WrongUsage for what fits nothing, or several that it does not name outright.
    """
    found = find(ledger, what, ORDERED)
    if not found:
        raise WrongUsage(f"No invoice fits {what!r}: neither a number, an id, a customer's name nor an email.")
    named = what.strip().casefold()
    whole = all(named in (row["contact_name"].casefold(), row["contact_email"].casefold()) for row in found)
    if len(found) > 1 and not whole:
        several = ", ".join(f"{row['number']} ({row['source_id']})" for row in found[:5])
        raise WrongUsage(f"{what!r} fits {len(found)} invoices: {several}{' …' if len(found) > 5 else ''}. Say which.")
    return found


def story(ledger: Ledger, rules: Rules, row: Mapping[str, Any]) -> Story:
    """Tell one invoice; what a sync would decide now is asked of the planner, not remembered."""
    known = ledger.invoices([row["source_id"]])[0]
    known_books = books(ledger)
    made: Document | None = None
    others: tuple[Problem, ...] = ()
    rates: list[TaxRate | None] = []
    if known_books:
        rates = [_rate_or_none(line, known_books, rules) for line in known.invoice.lines]
        action = deciding.as_read(known, _decide(ledger, rules, known_books, known))
        made = action.document or _as_sent(row, known, known_books, rules)
        if known.state not in ("in_doubt", "skipped"):
            others = action.problems[1:]
        decided = deciding.stand(known, action, rules)
    else:
        decided = deciding.stand_without_books(known, rules)
    itself = Stand(decided.state, None if decided.state == "waiting" else decided.problem)
    shown = behind(itself, ledger.obstacle(), known.invoice.issue_date)
    row = {**row, **dict(zip(("state", "cause", "facts"), as_kept(*shown), strict=True))}
    told = ledger.rows("history_of", kind="invoice", source_id=row["source_id"])
    alone = bool(row["number"]) and len(ledger.rows("find_exact", what=row["number"], limit=2)) == 1
    whole = Story(row, shown.state, shown.problem, known, made, told, others, rates, known_books, alone, decided)
    return replace(whole, differs=_differs(ledger, rules, whole))


def _differs(ledger: Ledger, rules: Rules, told: Story) -> tuple[str, ...]:
    """The fields in which both books differ, of an invoice that is called synced."""
    if told.state != "synced":
        return ()
    return tuple(one.field for one in compared(ledger, rules, told) if not one.same)


def books(ledger: Ledger) -> Books | None:
    """The organisation's settings as last read."""
    return deciding.known_books(ledger)


def _rate_or_none(line: LineItem, books: Books, rules: Rules) -> TaxRate | None:
    found = tax_rate(line.taxes, books, rules)
    return found if isinstance(found, TaxRate) else None


def _as_sent(row: Mapping[str, Any], known: Known, books: Books, rules: Rules) -> Document | None:
    """The document of an invoice that stands in Xero, where today's settings still come to what Xero has."""
    if not row["xero_id"] or row["synced_fingerprint"] != known.invoice.fingerprint:
        return None
    made = document(known.invoice, books, "", rules)
    return made if isinstance(made, Document) and made.total == row["xero_total"] else None


def _decide(ledger: Ledger, rules: Rules, books: Books, known: Known) -> Action:
    seen = look(ledger, rules, books, [known])
    return plan(known.invoice, seen.scene, seen.owners.get(known.invoice.number))


def compared(ledger: Ledger, rules: Rules, told: Story) -> tuple[compare.Compared, ...]:
    """An invoice that stands in Xero, field by field in both books, differences first; customers by their names."""
    row, invoice, standing = told.row, told.known.invoice, told.known.standing
    if not row["xero_id"]:
        return ()
    index = ContactIndex(ledger.book_contacts())
    linked = (ledger.row("contact", source_id=row["contact_id"]) or {}).get("xero_id") or ""
    ours, there = index.survivor(linked), index.survivor(standing.there.get("contact", ""))
    tax = told.document.total_tax if told.document else None
    both = compare.compare(
        compare.in_crococlick(invoice, ours.id if ours else linked, _due(told, rules), tax),
        compare.in_xero(row, standing.there, there.id if there else standing.there.get("contact", "")),
        _before(told.problem),
    )
    theirs = there.name if there else "a contact that is not known here"
    named = [replace(one, crococlick=invoice.customer.name, xero=theirs) for one in both if one.field == "contact"]
    return tuple(named[0] if one.field == "contact" else one for one in both)


def _due(told: Story, rules: Rules) -> date | None:
    """The due date; where CrocoClick has none, the one that the settings had come to when it went over."""
    agreed = told.known.standing.agreed.get("due_date")
    if told.known.invoice.due_date is None and agreed:
        return date.fromisoformat(agreed)
    return due_date(told.known.invoice, rules)


def _before(problem: Problem | None) -> dict[str, str]:
    """What Xero said of each field before somebody changed it there."""
    changes = (problem.facts.get("changes") or []) if problem and problem.code == "changed_in_xero" else []
    return {str(one["field"]): str(one["before"]) for one in changes if one.get("by") != "unknown"}


def explained(told: Story, deep_link: str = "") -> dict[str, Any]:
    """A story as `explain --json` gives it."""
    return {
        "invoice": head(told.row),
        "state": told.state,
        "verdict": told.verdict,
        "cause": _cause(told.problem),
        "remedy": _remedy(told.remedy, told.what),
        "xero": in_xero(told.row, deep_link),
        "history": [
            {
                "at": iso(one["happened_at"]),
                "what": words.happened(one["what"], one["cause"], facts_of(one)),
                "by": one["by_whom"],
            }
            for one in told.history
        ],
    }


def unknown(problem: Problem) -> dict[str, Any]:
    """What `explain --json` gives where it cannot be known whether there is such an invoice."""
    return {
        "invoice": None,
        "state": "unknown",
        "verdict": words.verdict("unknown", problem.code, problem.facts),
        "cause": _cause(problem),
        "remedy": _remedy(words.remedy(problem.code, problem.facts), ""),
        "xero": None,
        "history": [],
    }


def _cause(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    sentence = words.cause_sentence(problem.code, problem.facts)
    return {"code": problem.code, "facts": dict(problem.facts), "sentence": sentence}


def _remedy(remedy: words.Remedy | None, what: str) -> dict[str, Any] | None:
    if remedy is None:
        return None
    answers = [{"label": one.label, "order": one.words(what)} for one in remedy.answers]
    return {"who": remedy.who, "sentence": remedy.sentence, "order": remedy.order, "answers": answers}


def head(row: Mapping[str, Any]) -> dict[str, Any]:
    """An invoice of the ledger in a few fields, amounts as decimal strings."""
    currency = row["currency"]
    return {
        "id": row["source_id"],
        "number": row["number"],
        "status": row["status"],
        "state": row["state"],
        "live": row["live"],
        "customer": {"id": row["contact_id"], "name": row["contact_name"], "email": row["contact_email"]},
        "currency": currency,
        "total": show(row["total"], currency),
        "tax": show(row["tax"], currency) if row["tax"] is not None else None,
        "amount_paid": show(row["amount_paid"], currency),
        "amount_due": show(row["amount_due"], currency),
        "issue_date": row["issue_date"].isoformat() if row["issue_date"] else None,
        "due_date": row["due_date"].isoformat() if row["due_date"] else None,
    }


def in_xero(row: Mapping[str, Any], deep_link: str = "") -> dict[str, Any] | None:
    """What stands in Xero for an invoice."""
    if not row["xero_id"]:
        return None
    currency = row["currency"]
    return {
        "id": row["xero_id"],
        "number": row["xero_number"],
        "status": row["xero_status"],
        "total": show(row["xero_total"], currency),
        "tax": show(row["xero_tax"], currency),
        "amount_due": show(row["xero_amount_due"], currency),
        "synced_at": iso(row["synced_at"]),
        "url": deep_link or None,
    }


def deep_link(short_code: str, xero_id: str) -> str:
    """Where a person sees the invoice in Xero (Xero's deep-linking guide)."""
    if not short_code or not xero_id:
        return ""
    page = f"/AccountsReceivable/Edit.aspx?InvoiceID={xero_id}"
    return f"https://go.xero.com/organisationlogin/default.aspx?shortcode={short_code}&redirecturl={page}"
