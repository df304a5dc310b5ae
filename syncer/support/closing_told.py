"""What a comparison of both books came to: as `reconcile --json` gives it, and as the lines of a proof."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.domain.closing.compare import DOCUMENT, PAYMENT_DATE, Difference, Record, Value
from syncer.domain.closing.comparison import Comparison, ids_of
from syncer.domain.closing.documents import CREDIT_NOTE, Receipt, SalesDocument
from syncer.domain.closing.matching import PaymentPair
from syncer.domain.model.books import Books
from syncer.domain.model.money import show
from syncer.domain.model.problems import Who
from syncer.domain.model.sync_settings import AUTHORISED, DRAFT, SUBMITTED
from syncer.messages import closing as closing_messages
from syncer.messages import problems, remedies
from syncer.messages.format import WHO
from syncer.storage.ledger.records import kept_facts
from syncer.support.closing import LedgerFacts

SYNC = ["sync"]
FULL = ["sync", "--full"]


class Told:
    """One comparison with what the ledger says of each invoice; `books` give the orders their choices.

    `approval` is the setting of that name: what waits for an approval in Xero is told as that.
    """

    def __init__(
        self, comparison: Comparison, facts: LedgerFacts, books: Books | None, approval: str = AUTHORISED
    ) -> None:
        self.comparison, self._books, self._approval = comparison, books, approval
        self._rows, self._carried_on = facts.rows, facts.carried_on
        rows = facts.rows
        self._numbers = Counter(row["number"] for row in rows.values())

    def summary(self) -> dict[str, Any]:
        """The whole answer, amounts as decimal strings."""
        found = self.comparison
        first, last = self.days()
        return {
            "from": first,
            "to": last,
            "compared": found.compared,
            "equal": found.equal,
            "differences": [self.difference(one) for one in found.differences],
            "totals": self.totals(),
            "by_tax": self.by_tax(),
            "unexplained": self.unexplained(),
        }

    def days(self) -> tuple[str | None, str | None]:
        """The days that were compared; where the period has no end, those of the first and the last document."""
        span = self.comparison.span
        pairs = (one.pair for one in self.comparison.records)
        dated = [doc.issue_date for pair in pairs for doc in (pair.crococlick, pair.xero) if doc and doc.issue_date]
        first, last = span.first or min(dated, default=None), span.last or max(dated, default=None)
        return _iso(first), _iso(last)

    def totals(self) -> dict[str, dict[str, str]]:
        """The totals by currency."""
        return {
            currency: {
                "crococlick": show(total.crococlick, currency),
                "xero": show(total.xero, currency),
                "residual": show(total.residual, currency),
            }
            for currency, total in self.comparison.totals.items()
        }

    def by_tax(self) -> dict[str, dict[str, dict[str, str]]]:
        """Tax by currency and rate in percent; CrocoClick's is what its lines come to."""
        return {
            currency: {
                rate: {"crococlick": show(ours, currency), "xero": show(theirs, currency)}
                for rate, (ours, theirs) in rates.items()
            }
            for currency, rates in self.comparison.taxes.items()
        }

    def unexplained(self) -> list[str]:
        """What no difference explains, in sentences."""
        totals = self.comparison.totals.items()
        return [closing_messages.residual(currency, one.residual) for currency, one in totals if one.residual]

    def difference(self, one: Difference) -> dict[str, Any]:
        """One difference with its sentence, and who settles it how."""
        who, step, order = self._advice(one)
        return {
            "number": one.number,
            "field": one.field,
            "crococlick": _value(one, one.crococlick),
            "xero": _value(one, one.xero),
            "currency": one.currency,
            "invoice_id": one.invoice_id or None,
            "xero_id": one.xero_id or None,
            "effect": {currency: show(amount, currency) for currency, amount in one.effect.items()},
            "sentence": f"{closing_messages.sentence(one)}{self._why(one)}",
            "who": who,
            "next": step,
            "order": order,
        }

    def _row(self, one: Difference) -> Mapping[str, Any]:
        return self._rows.get(one.invoice_id or one.about.get("looks_like_id", "")) or {}

    def _why(self, one: Difference) -> str:
        """Why the product did not send it, where it knows."""
        row = self._rows.get(one.invoice_id) or {}
        if one.field != DOCUMENT or one.crococlick is None:
            return ""
        if row.get("cause"):
            return f" Why: {problems.cause_sentence(row['cause'], kept_facts(row))}."
        if not row:
            return " No sync has seen it yet."
        return " It is to go with the next sync." if row["state"] == "waiting" else ""

    def _advice(self, one: Difference) -> tuple[str, str, list[str] | None]:
        """Who acts, what to do, and the order that does it."""
        row = self._row(one)
        if row.get("cause") and row["state"] != "synced":
            what = row["number"] if self._numbers[row["number"]] == 1 else row["source_id"]
            known = remedies.remedy(row["cause"], kept_facts(row), what, self._books)
            if known:
                return known.who, known.sentence, known.order
        if one.field == "status" and self._approval != AUTHORISED and one.xero in (DRAFT, SUBMITTED):
            return WHO[Who.ACCOUNTANT], closing_messages.APPROVE, None
        if one.invoice_id and (not row or row["state"] in ("waiting", "retrying")):
            return WHO[Who.SUPPORT], closing_messages.SYNC, SYNC
        if one.field == PAYMENT_DATE and self._carried_on.get(one.about["transaction_id"]) == one.crococlick:
            return WHO[Who.ACCOUNTANT], closing_messages.MOVED, None
        if one.invoice_id:
            return WHO[Who.SUPPORT], closing_messages.FULL, FULL
        step = closing_messages.NOTE if one.about.get("kind") == CREDIT_NOTE else closing_messages.STRANGER
        return WHO[Who.ACCOUNTANT], step, None

    # -- the proof ------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines of a proof between its head and its seal."""
        by_document: dict[tuple[str, str], list[Difference]] = {}
        for one in self.comparison.differences:
            by_document.setdefault((one.invoice_id, one.xero_id), []).append(one)
        for record in self.comparison.records:
            yield self._record(record, by_document.pop(ids_of(record.pair), []))
        for pair in self.comparison.payments:
            if any(self.comparison.span.holds(one.paid_on) for one in (pair.crococlick, pair.xero) if one):
                yield _payment(pair)
        for rest in by_document.values():
            yield {"kind": "differences", "differences": [self.difference(one) for one in rest]}
        whole = self.summary()
        yield {"kind": "totals", **{name: value for name, value in whole.items() if name != "differences"}}

    def _record(self, record: Record, differences: list[Difference]) -> dict[str, Any]:
        pair = record.pair
        known = pair.xero or pair.crococlick
        return {
            "kind": known.kind if known else "",
            "crococlick": _document(pair.crococlick),
            "xero": _document(pair.xero),
            "matched_by": pair.by or None,
            "counted": not record.is_apart,
            "differences": [self.difference(one) for one in differences],
        }


def _document(one: SalesDocument | None) -> dict[str, Any] | None:
    """What was read of a document."""
    if one is None:
        return None
    return {
        "id": one.id,
        "number": one.number,
        "status": one.status,
        "stands": one.stands,
        "contact": one.party.name,
        "contact_id": one.party.xero_id or None,
        "issue_date": _iso(one.issue_date),
        "due_date": _iso(one.due_date),
        "currency": one.currency,
        "total": show(one.total, one.currency),
        "tax": None if one.tax is None else show(one.tax, one.currency),
        "tax_by_rate": {name: show(amount, one.currency) for name, amount in sorted(one.taxes.items())},
        "paid": show(one.paid, one.currency),
        "due": show(one.due, one.currency),
        "refunded": show(one.refunded, one.currency),
        "reference": one.reference,
        **({"unreadable": one.flaw} if one.flaw else {}),
    }


def _payment(pair: PaymentPair) -> dict[str, Any]:
    return {"kind": "payment", "crococlick": _receipt(pair.crococlick), "xero": _receipt(pair.xero)}


def _receipt(one: Receipt | None) -> dict[str, Any] | None:
    if one is None:
        return None
    document = {"invoice_id": one.document_id, "number": one.number or None}
    return {"id": one.id, "amount": format(one.amount, "f"), "date": _iso(one.paid_on), **document}


def _value(one: Difference, value: Value) -> str | None:
    if isinstance(value, Decimal):
        return show(value, one.currency)
    return _iso(value) if isinstance(value, date) else value


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
