"""Read-only answers: why an invoice is where it is, what a sync would do, how the runs went.

Nothing here makes a call or writes; everything comes from the ledger and the planner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.domain.mapping.crococlick_totals import shares
from syncer.domain.mapping.invoice_to_document import document, due_date
from syncer.domain.mapping.tax_rates import tax_rate
from syncer.domain.matching.invoice_contacts import ContactIndex
from syncer.domain.model.books import Books, Document, TaxRate
from syncer.domain.model.invoice import LineItem
from syncer.domain.model.money import show
from syncer.domain.model.obstacle import Stand, behind
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_settings import Rules
from syncer.domain.planning import compare
from syncer.domain.planning.actions import Action
from syncer.domain.planning.plan import plan
from syncer.messages import problems, remedies, status
from syncer.messages.times import iso
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import PlannedState, TrackedInvoice, as_kept, kept_facts
from syncer.sync import invoice_state
from syncer.sync.snapshot import take_snapshot

UNKNOWN = "answer_lost"  # the cause of what is in doubt and has none of its own


# -- runs ----------------------------------------------------------------------------------------------------


# -- one invoice ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """One invoice, told from CrocoClick to Xero: what is, why, what next, and what happened before."""

    row: Mapping[str, Any]
    state: str
    problem: Problem | None
    known: TrackedInvoice
    document: Document | None
    history: Sequence[Mapping[str, Any]] = ()
    others: Sequence[Problem] = ()
    rates: Sequence[TaxRate | None] = ()  # the Xero rate of each line, None where there is none
    books: Books | None = None
    is_alone: bool = True  # no other invoice has its number
    decided: PlannedState | None = (
        None  # what is decided by what is known now; `state` and `problem` are as it is shown
    )
    differs: Sequence[str] = ()  # the fields in which both books differ, as far as is known

    @property
    def moved(self) -> bool:
        """Whether that is not what the ledger keeps."""
        return self.decided is not None and invoice_state.has_moved(self.known, self.decided)

    @property
    def discount(self) -> Decimal:
        """What the document's discount takes off in all."""
        return sum((share.discount for share in shares(self.known.invoice)), Decimal(0))

    @property
    def verdict(self) -> str:
        """The one sentence."""
        synced_at = self.row["synced_at"] if self.row["xero_id"] else None
        code = self.problem.code if self.problem else None
        return status.verdict(self.state, code, self.problem.facts if self.problem else None, synced_at, self.differs)

    @property
    def remedy(self) -> remedies.Remedy | None:
        """The next step."""
        if self.problem is None:
            return None
        return remedies.remedy(self.problem.code, self.problem.facts, self.what, self.books)

    @property
    def what(self) -> str:
        """What names this invoice alone: its number, else its id."""
        return str(self.row["number"] if self.is_alone else self.row["source_id"])


def story(ledger: Ledger, rules: Rules, row: Mapping[str, Any]) -> Story:
    """Tell one invoice; what a sync would decide now is asked of the planner, not remembered."""
    known = ledger.invoices([row["source_id"]])[0]
    known_books = books(ledger)
    made: Document | None = None
    others: tuple[Problem, ...] = ()
    rates: list[TaxRate | None] = []
    if known_books:
        rates = [_rate_or_none(line, known_books, rules) for line in known.invoice.lines]
        action = invoice_state.as_read(known, _decide(ledger, rules, known_books, known))
        made = action.document or _as_sent(row, known, known_books, rules)
        if known.state not in ("in_doubt", "skipped"):
            others = action.problems[1:]
        decided = invoice_state.stand(known, action, rules)
    else:
        decided = invoice_state.stand_without_books(known, rules)
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
    return invoice_state.known_books(ledger)


def _rate_or_none(line: LineItem, books: Books, rules: Rules) -> TaxRate | None:
    found = tax_rate(line.taxes, books, rules)
    return found if isinstance(found, TaxRate) else None


def _as_sent(row: Mapping[str, Any], known: TrackedInvoice, books: Books, rules: Rules) -> Document | None:
    """The document of an invoice that stands in Xero, where today's settings still come to what Xero has."""
    if not row["xero_id"] or row["synced_fingerprint"] != known.invoice.fingerprint:
        return None
    made = document(known.invoice, books, "", rules)
    return made if isinstance(made, Document) and made.total == row["xero_total"] else None


def _decide(ledger: Ledger, rules: Rules, books: Books, known: TrackedInvoice) -> Action:
    seen = take_snapshot(ledger, rules, books, [known])
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
        rules.approval,
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
                "what": status.happened(one["what"], one["cause"], kept_facts(one)),
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
        "verdict": status.verdict("unknown", problem.code, problem.facts),
        "cause": _cause(problem),
        "remedy": _remedy(remedies.remedy(problem.code, problem.facts), ""),
        "xero": None,
        "history": [],
    }


def _cause(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    sentence = problems.cause_sentence(problem.code, problem.facts)
    return {"code": problem.code, "facts": dict(problem.facts), "sentence": sentence}


def _remedy(remedy: remedies.Remedy | None, what: str) -> dict[str, Any] | None:
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
