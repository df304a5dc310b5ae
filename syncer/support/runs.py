"""What a run or an import came to."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncer.domain.model.money import show
from syncer.messages import problems
from syncer.messages.times import iso
from syncer.storage.ledger.ledger import Ledger
from syncer.storage.ledger.records import kept_facts

if TYPE_CHECKING:  # what tells of a run needs nothing of what performs it
    from syncer.sync.contact_import import ImportReport
    from syncer.sync.run import RunOutcome

OUTCOMES = ("created updated voided paid unchanged held deferred in_doubt skipped not_eligible").split()


def result_of_run(ledger: Ledger, outcome: "RunOutcome", only: frozenset[str] = frozenset()) -> dict[str, Any]:
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


def result_of_import(ledger: Ledger, report: "ImportReport") -> dict[str, Any]:
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
            "detail": problems.cause_sentence(row["cause"], kept_facts(row)),
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
