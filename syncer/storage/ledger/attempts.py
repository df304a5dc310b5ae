"""One step of a run: what leaves next is written before it does, and what came back lands with its consequences."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from syncer.domain.model.money import text
from syncer.domain.model.payment import PAYMENT_QUIET, BookPayment
from syncer.domain.model.problems import Problem
from syncer.domain.ports import CallRecord
from syncer.storage.ledger.contacts import end_imports
from syncer.storage.ledger.records import AttemptResult, AttemptStart, as_json, code_of, facts_of
from syncer.storage.ledger.writer import Columns, LedgerWriter, columns_of, in_xero

Begun = tuple[AttemptStart, int]  # with its attempt id

# Where the record of each kind of try is; the organisation's settings have none of their own.
TABLES = {"invoice": "invoice", "contact": "contact", "payment": "payment", "unpay": "payment"}
SETTINGS = ("tax_rate", "currency")
FULFILLED = ("overwrite", "reapply_payments", "adopt")  # orders that a document's arrival fulfils


def add_calls(pen: LedgerWriter, calls: Sequence[CallRecord]) -> None:
    """Remember HTTP calls."""
    names = (
        "side method path status ms bytes_sent bytes_received minute_left day_left correlation_id "
        "idempotency_key failure"
    ).split()
    ids = {"run_id": [pen.run_id] * len(calls), "call_id": [call.id for call in calls]}
    pen.append("call", {**ids, "made_at": [call.at for call in calls], **columns_of(calls, names)})


def begin(pen: LedgerWriter, intents: Sequence[AttemptStart]) -> list[int]:
    """Open a try for each intent; returns the attempt ids, in order."""
    names = "call_id position kind source_id action number fingerprint".split()
    ids = pen.append(
        "attempt",
        {
            **columns_of(intents, names),
            "run_id": [pen.run_id] * len(intents),
            "idempotency_key": [intent.key for intent in intents],
            "expected": [as_json(intent.expected) for intent in intents],
            "begun_at": [pen.now] * len(intents),
        },
    )
    begun = list(zip(intents, ids, strict=True))
    in_doubt = Problem("answer_lost")
    for table in ("invoice", "contact", "payment"):
        mine = [one for one in begun if TABLES.get(one[0].kind) == table]
        # One update for each table: a wave has 250 invoices, and its transaction keeps everybody else waiting.
        tried = {"tried_at": [pen.now] * len(mine), **pen.state(len(mine), "in_doubt", in_doubt)}
        _open(pen, table, mine, tried if table == "invoice" else {})
    owners = [intent.expected["owner"] for intent in intents if TABLES.get(intent.kind) == "payment"]
    looked_for = (pen.now + PAYMENT_QUIET).strftime("%Y-%m-%dT%H:%M:%SZ")
    pen.set_state(owners, "in_doubt", Problem("answer_lost", {"retry_at": looked_for}))
    if any(intent.kind in SETTINGS for intent in intents):
        pen.reach({"creating": pen.now})
    if any(intent.kind == "import" for intent in intents):
        pen.reach({"importing": pen.now})
    return ids


def _open(pen: LedgerWriter, table: str, begun: Sequence[Begun], more: Columns) -> None:
    ids = [intent.source_id for intent, _ in begun]
    pen.change(table, {"source_id": ids, "open_attempt": [attempt_id for _, attempt_id in begun], **more})
    pen.tx.execute(
        f"UPDATE {table} SET tries = tries + 1 WHERE connection = $connection AND list_contains($ids, source_id)",
        {"connection": pen.connection, "ids": ids},
    )


def end(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """Close tries with what became of them: state, binding, mirror and story together."""
    tried = [ending for ending in endings if ending.attempt_id is not None]
    pen.append(
        "attempt_end",
        {
            **columns_of(tried, ["attempt_id", "outcome"]),
            "cause": [code_of(ending.problem) for ending in tried],
            "facts": [facts_of(ending.problem) for ending in tried],
            "xero_id": [_xero_id(ending) for ending in tried],
            "ended_at": [pen.now] * len(tried),
        },
    )
    _end_invoices(pen, [ending for ending in endings if ending.kind == "invoice"])
    _end_contacts(pen, [ending for ending in endings if ending.kind == "contact"])
    _end_payments(pen, [ending for ending in endings if ending.kind == "payment"])
    _end_removals(pen, [ending for ending in endings if ending.kind == "unpay"])
    _end_settings(pen, [ending for ending in endings if ending.kind in SETTINGS])
    end_imports(pen, [ending for ending in endings if ending.kind == "import"])


def _xero_id(ending: AttemptResult) -> str | None:
    there = ending.invoice or ending.contact or ending.payment
    return there.id if there else ending.source_id if ending.source else None


def _end_invoices(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    pen.change(
        "invoice",
        {
            **columns_of(endings, ["source_id", "state", "retry_at"]),
            "open_attempt": [None] * len(endings),
            "cause": [code_of(ending.problem) for ending in endings],
            "facts": [facts_of(ending.problem) for ending in endings],
            "refused_stamp": [ending.stamp or None for ending in endings],
            "decided_at": [pen.now] * len(endings),
        },
    )
    arrived = [(ending, ending.invoice) for ending in endings if ending.invoice]
    there = [invoice for _, invoice in arrived]
    pen.change(
        "invoice",
        {
            "source_id": [ending.source_id for ending, _ in arrived],
            "synced_fingerprint": [ending.fingerprint for ending, _ in arrived],
            "synced_frozen": [ending.frozen for ending, _ in arrived],
            "synced_status": [ending.status for ending, _ in arrived],
            "synced_at": [pen.now] * len(arrived),
            "agreed": [as_json(ending.agreed) for ending, _ in arrived],
            **in_xero(there),
        },
    )
    # What was found in the mirror says what Xero answered once; an answer to a try is of this moment.
    answered = [ending.source_id for ending, _ in arrived if ending.attempt_id is not None]
    pen.change("invoice", {"source_id": answered, "xero_read_at": [pen.now] * len(answered)})
    # A number for a moment is not yet what was ordered.
    fulfil(pen, [ending.source_id for ending, _ in arrived if ending.outcome != "renumbered"], FULFILLED)
    pen.mirror_invoices(there)
    pen.tell("invoice", [(ending.source_id, ending.outcome, ending.problem) for ending in endings])


def fulfil(pen: LedgerWriter, ids: Sequence[str], orders: Sequence[str]) -> None:
    """Orders of these names have been carried out."""
    pen.tx.execute(
        "UPDATE invoice SET ordered = NULL, ordered_said = NULL, ordered_by = NULL, ordered_at = NULL "
        "WHERE connection = $connection AND list_contains($orders, ordered) AND list_contains($ids, source_id)",
        {"connection": pen.connection, "orders": list(orders), "ids": list(ids)},
    )


def _end_contacts(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    pen.change(
        "contact",
        {
            **columns_of(endings, ["source_id"]),
            "open_attempt": [None] * len(endings),
            "cause": [code_of(ending.problem) for ending in endings],
            "facts": [facts_of(ending.problem, stamp=ending.stamp) for ending in endings],
        },
    )
    link(pen, {ending.source_id: (ending.contact.id, "created") for ending in endings if ending.contact})
    pen.mirror_contacts([ending.contact for ending in endings if ending.contact])
    pen.tell("contact", [(ending.source_id, ending.outcome, ending.problem) for ending in endings])


def link(pen: LedgerWriter, links: dict[str, tuple[str, str]]) -> None:
    """Bind CrocoClick contacts to Xero contacts: source id → (ContactID, how it was found)."""
    same: dict[str, list[Any]] = {"linked_at": [pen.now] * len(links)}
    same |= {"cause": [None] * len(links), "facts": [None] * len(links)}
    pen.change(
        "contact",
        {
            "source_id": list(links),
            "xero_id": [xero_id for xero_id, _ in links.values()],
            "link": [how for _, how in links.values()],
            **same,
        },
    )


def _end_payments(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """What became of payments; the invoice of each waits for the next decision, or is held for Xero's reason."""
    pen.change(
        "payment",
        {
            **columns_of(endings, ["source_id"]),
            "open_attempt": [None] * len(endings),
            "carried_at": [pen.now if ending.payment else None for ending in endings],
            **as_entered([ending.payment for ending in endings]),
        },
    )
    _settle(pen, endings, 1)
    _decide_owners(pen, endings)
    pen.tell("invoice", [_told(ending) for ending in endings])


def _end_removals(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """What became of payments that are taken off; one that is off is CrocoClick's alone again."""
    pen.change("payment", {**columns_of(endings, ["source_id"]), "open_attempt": [None] * len(endings)})
    off = [ending for ending in endings if ending.payment]
    nothing: list[Any] = [None] * len(off)
    pen.change(
        "payment",
        {
            **columns_of(off, ["source_id"]),
            **as_entered(nothing),
            "carried_at": nothing,
            "counted": nothing,
        },
    )
    _settle(pen, off, -1)
    _decide_owners(pen, endings)
    _give_up(pen, [ending.owner for ending in endings if ending.outcome == "refused"])
    pen.tell("invoice", [_told(ending) for ending in endings])


def as_entered(payments: Sequence[BookPayment | None]) -> dict[str, list[Any]]:
    """What Xero has of transactions, as the columns of their rows: nothing where it has none."""
    fields = {"xero_id": "id", "xero_amount": "amount", "xero_paid_on": "paid_on", "xero_invoice_id": "invoice_id"}
    return {column: [one and getattr(one, name) for one in payments] for column, name in fields.items()}


def _give_up(pen: LedgerWriter, owners: Sequence[str]) -> None:
    """Where Xero keeps one payment and others are off already, the order ends, and those are entered again."""
    half = pen.tx.rows(
        "SELECT DISTINCT invoice_id FROM payment WHERE connection = $connection AND list_contains($owners, invoice_id) "
        "AND xero_id IS NULL AND tries > 1",
        {"connection": pen.connection, "owners": list(owners)},
    )
    fulfil(pen, [row["invoice_id"] for row in half], ["reapply_payments"])


def _decide_owners(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """Of several payments of one invoice the one that was refused decides."""
    decided = {ending.owner: ending for ending in sorted(endings, key=lambda ending: ending.state == "held")}
    those = list(decided.values())
    pen.change(
        "invoice",
        {
            "source_id": list(decided),
            "state": [ending.state for ending in those],
            "cause": [code_of(ending.problem) for ending in those],
            "facts": [facts_of(ending.problem) for ending in those],
            "refused_stamp": [ending.stamp or None for ending in those],
            "decided_at": [pen.now] * len(those),
        },
    )


def _settle(pen: LedgerWriter, endings: Sequence[AttemptResult], sign: int) -> None:
    """Money that came in (1) or was taken off (-1), on the invoices and in the mirror."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for payment in (ending.payment for ending in endings if ending.payment):
        sums[payment.invoice_id] += sign * payment.amount
    if not sums:
        return
    given = {"ids": list(sums), "amounts": [text(amount) for amount in sums.values()], "connection": pen.connection}
    for table, prefix in (("invoice", "xero_"), ("book_invoice", "")):
        due, paid, status = f"{prefix}amount_due", f"{prefix}amount_paid", f"{prefix}status"
        pen.tx.execute(
            f"UPDATE {table} AS kept SET {due} = kept.{due} - given.amount, "
            f"{paid} = COALESCE(kept.{paid}, 0) + given.amount, "
            f"{status} = CASE WHEN kept.{due} = given.amount THEN 'PAID' WHEN kept.{status} = 'PAID' THEN 'AUTHORISED' "
            f"ELSE kept.{status} END FROM (SELECT unnest(CAST($ids AS VARCHAR[])) AS xero_id, "
            "unnest(CAST($amounts AS DECIMAL(24, 6)[])) AS amount) AS given "
            "WHERE kept.connection = $connection AND kept.xero_id = given.xero_id",
            given,
        )


def _end_settings(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """What became of tax rates and currencies that Xero was asked for."""
    if endings:
        pen.tx.execute("DELETE FROM watermark WHERE connection = ? AND name = 'creating'", [pen.connection])
    pen.tell("connection", [(one.source_id, f"{one.kind}_{one.outcome}", one.problem) for one in endings])


def _told(ending: AttemptResult) -> tuple[str, str, Problem | None]:
    word = "payment" if ending.kind == "payment" else "removal"
    if ending.payment:
        facts = {"amount": ending.payment.amount, "payment": ending.source_id}
        return ending.owner, "paid" if ending.kind == "payment" else "removed", Problem("", facts)
    return ending.owner, f"{word}_{ending.outcome}", ending.problem
