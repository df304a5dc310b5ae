"""What the ledger speaks of, and rows to values: tries, their ends, verdicts, known invoices and contacts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import NO_ADDRESS, Address, BookContact, BookInvoice
from syncer.domain.model.invoice import Customer, Flaw, Invoice, Status, from_content
from syncer.domain.model.money import text
from syncer.domain.model.obstacle import Obstacle, Stand
from syncer.domain.model.payment import MOVED, BookPayment, Payment
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import Order, Others, SyncState


@dataclass(frozen=True)
class AttemptStart:
    """One try that is about to leave: committed before it does."""

    kind: str
    source_id: str
    action: str
    number: str
    call_id: str
    position: int
    key: str
    fingerprint: str
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenAttempt:
    """A try that never got an answer."""

    id: int
    intent: AttemptStart
    begun_at: datetime
    status: str = ""


@dataclass(frozen=True)
class AttemptResult:
    """How a try ended, and what follows for its record. Without `attempt_id` (bind) nothing was tried."""

    kind: str
    source_id: str
    outcome: str  # created, updated, renumbered, voided, paid, removed, found, refused, not_arrived, deferred
    state: str
    attempt_id: int | None = None
    problem: Problem | None = None
    invoice: BookInvoice | None = None
    contact: BookContact | None = None
    payment: BookPayment | None = None
    source: SourceContact | None = None  # of an import: the CrocoClick contact; `source_id` is then Xero's
    owner: str = ""  # of a payment: the CrocoClick invoice
    fingerprint: str = ""
    frozen: str = ""
    status: str = ""
    agreed: Mapping[str, str] = field(default_factory=dict)  # what both sides agree on, of an invoice that is there
    stamp: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True)
class PlannedState:
    """What the planner decided for one invoice without a write."""

    source_id: str
    state: str
    problem: Problem | None = None
    refused: bool = False  # it is Xero's refusal that still stands


@dataclass(frozen=True)
class TrackedInvoice:
    """One invoice as the ledger holds it: what a plan needs."""

    invoice: Invoice
    standing: SyncState
    state: str
    cause: str | None
    facts: Mapping[str, Any]
    tries: int = 0
    payment_tries: Mapping[str, int] = field(default_factory=dict)  # by transaction id
    retry_at: datetime | None = None  # UTC
    read_at: datetime | None = None  # when Xero last answered what its document says, UTC
    is_paid_read: bool = True  # its transactions were read since it last changed
    is_asked_for: bool = False  # a person waits for it: an order was given, and no run has been through since

    @property
    def stand(self) -> Stand:
        """Its state and cause as they were last decided."""
        return Stand(self.state, Problem(self.cause, self.facts) if self.cause else None)


@dataclass(frozen=True)
class KnownContact:
    """One CrocoClick contact: its binding, and what Xero refused before with what that depended on."""

    customer: Customer
    xero_id: str = ""
    refused_stamp: str = ""
    refusal: Problem | None = None
    tries: int = 0
    open: bool = False
    apart: str | None = None  # a person keeps it apart, under this name ("" its own)


def known(
    row: Mapping[str, Any],
    payments: Sequence[Mapping[str, Any]] = (),
    put_back: datetime | None = None,
    payments_at: datetime | None = None,
) -> TrackedInvoice:
    """One invoice with its content and, where it stands in Xero, its payments.

    `put_back` is when the ledger last noticed that it was put back from a copy, `payments_at` when it last had
    transactions and their invoices of one moment; UTC.
    """
    invoice = from_content(
        row["content"],
        source_id=row["source_id"],
        status=row["status"],
        live=row["live"],
        amount_paid=row["amount_paid"],
        amount_due=row["amount_due"],
        fingerprint=row["fingerprint"],
    )
    return TrackedInvoice(
        invoice,
        replace(_standing(row, payments), is_older=_is_older(row, put_back)),
        row["state"],
        row["cause"],
        json.loads(row["facts"] or "{}"),
        row["tries"],
        {one["source_id"]: one["tries"] for one in payments},
        row["retry_at"],
        row["xero_read_at"],
        payments_at is not None and row["changed_at"] <= payments_at,
        row["asked_at"] is not None,
    )


def _is_older(row: Mapping[str, Any], put_back: datetime | None) -> bool:
    """Whether Xero last got the invoice, as far as this ledger knows, before the ledger was put back."""
    return put_back is not None and row["synced_at"] is not None and row["synced_at"] < put_back


def _standing(row: Mapping[str, Any], payments: Sequence[Mapping[str, Any]]) -> SyncState:
    refused = row["refused_stamp"] or ""
    carried = {one["source_id"]: one["xero_id"] for one in payments if one["xero_id"]}
    return SyncState(
        xero_id=row["xero_id"] or "",
        xero_status=row["xero_status"] or "",
        synced_fingerprint=row["synced_fingerprint"] or "",
        synced_frozen=row["synced_frozen"] or "",
        synced_status=row["synced_status"] or "",
        agreed=json.loads(row["agreed"] or "{}"),
        there=json.loads(row["xero_head"] or "{}"),
        xero_amount_paid=row["xero_amount_paid"] or Decimal(0),
        xero_amount_due=row["xero_amount_due"] or Decimal(0),
        payments=tuple(_as_of(row["source_id"], one) for one in payments),
        carried=carried,
        entered={one["source_id"]: _entered(one) for one in payments if one["xero_id"] and one["xero_amount"]},
        others=others_from(row["xero_others"]),
        counted=frozenset(one["source_id"] for one in payments if one["counted"] and one["source_id"] in carried),
        gone=bool(row["gone"]),
        order=_order(row),
        refused_stamp=refused,
        refusal=problem_of(row["cause"], row["facts"]) if refused and row["cause"] else None,
    )


def _as_of(invoice_id: str, row: Mapping[str, Any]) -> Payment:
    """One transaction as this invoice sees it: its own, or one that it was carried for and that is another's now."""
    found = payment(row)
    return found if found.invoice_id == invoice_id else replace(found, status=MOVED)


def _entered(row: Mapping[str, Any]) -> BookPayment:
    """A payment as Xero got it."""
    on_invoice = row["xero_invoice_id"] or ""
    return BookPayment(row["xero_id"], on_invoice, row["xero_amount"], "", "AUTHORISED", row["xero_paid_on"])


def others_text(others: Others) -> str:
    """The payments of others as the ledger keeps them."""
    listed = [[one.id, text(one.amount), one.paid_on] for one in others.payments]
    return as_json({"of": text(others.of), "payments": listed})


def others_from(written: str | None) -> Others | None:
    """The payments of others again; None where they were never listed."""
    if not written:
        return None
    kept = json.loads(written)
    found = (
        BookPayment(id_, "", Decimal(amount), "", "AUTHORISED", date.fromisoformat(day) if day else None)
        for id_, amount, day in kept["payments"]
    )
    return Others(Decimal(kept["of"]), tuple(found))


def _order(row: Mapping[str, Any]) -> Order | None:
    if not row["ordered"]:
        return None
    said = json.loads(row["ordered_said"] or "{}")
    seen = said.pop("seen", None)
    return Order(row["ordered"], said, row["ordered_by"] or "", seen)


def known_contact(row: Mapping[str, Any]) -> KnownContact:
    """One contact with its binding."""
    facts = json.loads(row["facts"] or "{}")
    return KnownContact(
        customer=Customer(row["source_id"], row["name"], row["email"], row["company"], row["phone"]),
        xero_id=row["xero_id"] or "",
        refused_stamp=facts.get("stamp", ""),
        refusal=Problem(row["cause"], facts) if row["cause"] else None,
        tries=row["tries"],
        open=row["open_attempt"] is not None,
        apart=row["apart"],
    )


def payment(row: Mapping[str, Any]) -> Payment:
    """One CrocoClick transaction."""
    return Payment(
        source_id=row["source_id"],
        invoice_id=row["invoice_id"],
        amount=row["amount"],
        currency=row["currency"],
        paid_on=row["paid_on"],
        status=row["status"],
        refunded=row["refunded"],
        live=row["live"],
        method=row["method"],
    )


def number_holder(row: Mapping[str, Any]) -> TrackedInvoice:
    """One invoice that shares its number: enough to say who may use it."""
    invoice = Invoice(
        source_id=row["source_id"],
        number=row["number"],
        status=Status(row["status"]),
        live=row["live"],
        customer=Customer("", row["contact_name"]),
        currency="",
        issue_date=row["issue_date"],
        due_date=None,
        lines=(),
        total=Decimal(0),
        flaw=Flaw(row["flaw"], "", "") if row["flaw"] else None,
    )
    standing = SyncState(
        xero_id=row["xero_id"] or "",
        there=json.loads(row["xero_head"] or "{}"),
        order=_order(row),
        gone=bool(row["gone"]),
    )
    return TrackedInvoice(invoice, standing, "", None, {})


def open_attempt(row: Mapping[str, Any]) -> OpenAttempt:
    """One try without an answer."""
    intent = AttemptStart(
        row["kind"],
        row["source_id"],
        row["action"],
        row["number"],
        row["call_id"],
        row["position"],
        row["idempotency_key"],
        row["fingerprint"],
        json.loads(row["expected"]),
    )
    return OpenAttempt(row["id"], intent, row["begun_at"])


def obstacle(row: Mapping[str, Any]) -> Obstacle:
    """What stands in the way of a connection."""
    return Obstacle(
        code=row["code"],
        side=row["side"],
        heals=row["state"] == "retrying",
        since=row["since"],
        facts=json.loads(row["facts"]),
        ends_at=row["ends_at"],
        issued_before=row["issued_before"],
    )


def obstacle_columns(found: Obstacle) -> dict[str, list[Any]]:
    """The same as the columns of one row."""
    plain = ("code", "side", "state", "place", "since", "ends_at", "issued_before")
    return {name: [getattr(found, name)] for name in plain} | {"facts": [as_json(found.facts)]}


def contact_in_xero(row: Mapping[str, Any]) -> BookContact:
    """One contact of the mirror."""
    return BookContact(
        id=row["xero_id"],
        name=row["name"],
        email=row["email"],
        number=row["number"],
        status=row["status"],
        merged_to=row["merged_to"],
        phone=row["phone"],
        updated_at=row["updated_at"],
        first_name=row["first_name"] or "",
        last_name=row["last_name"] or "",
        address=address_from(row["address"]),
        is_customer=bool(row["is_customer"]),
        is_supplier=bool(row["is_supplier"]),
    )


def head_in_xero(row: Mapping[str, Any]) -> BookInvoice:
    """One invoice of the mirror."""
    return BookInvoice(
        id=row["xero_id"],
        number=row["number"],
        status=row["status"],
        currency=row["currency"],
        total=row["total"],
        total_tax=row["total_tax"],
        amount_due=row["amount_due"],
        amount_paid=row["amount_paid"],
        url=row["url"],
        contact_id=row["contact_id"],
        issue_date=row["issue_date"],
        due_date=row["due_date"],
        updated_at=row["updated_at"],
    )


def address_text(address: Address) -> str:
    """An address as the ledger keeps it: empty where there is none."""
    return as_json(astuple(address)) if address != NO_ADDRESS else ""


def address_from(text: str | None) -> Address:
    """The address again."""
    return Address(*json.loads(text)) if text else NO_ADDRESS


def problem_of(cause: str, facts: str | None) -> Problem:
    """A cause with the facts kept for it."""
    return Problem(cause, json.loads(facts or "{}"))


def code_of(problem: Problem | None) -> str | None:
    """The code that the ledger keeps, if any."""
    return problem.code or None if problem else None


def facts_of(problem: Problem | None, **more: str) -> str | None:
    """The facts as the ledger keeps them."""
    told = {**(problem.facts if problem else {}), **{name: value for name, value in more.items() if value}}
    return as_json(told) if told or problem else None


def as_kept(state: str, problem: Problem | None) -> tuple[str, str | None, str | None]:
    """A state and its cause as the ledger keeps them: equal ones are the same there."""
    return state, code_of(problem), facts_of(problem)


def as_json(value: Any) -> str:
    """A value as the ledger keeps it: equal values, equal text."""
    return json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)


def kept_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a ledger row's cause."""
    found: dict[str, Any] = json.loads(row.get("facts") or "{}")
    return found
