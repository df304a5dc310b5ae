"""Taking in what CrocoClick shows: new and changed records become work, everything else only gets older."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import NO_ANSWER, Customer, Invoice
from syncer.domain.model.payment import Payment
from syncer.domain.model.problems import Problem
from syncer.storage.ledger import records
from syncer.storage.ledger.writer import QUERIES, LedgerWriter, columns_of, in_xero

PORTION = 2000
PAYMENT_COLUMNS = "source_id invoice_id amount currency paid_on status refunded live method".split()
Rows = Sequence[Mapping[str, Any]]


def see_invoices(pen: LedgerWriter, invoices: Iterable[Invoice]) -> int:
    """New and changed invoices become `waiting`; returns how many those were."""
    shown = {invoice.source_id: invoice for invoice in invoices}
    known = {row["source_id"]: row for row in pen.rows("known_invoices")}
    shown |= _as_last_read(pen, [one for key, one in shown.items() if one.flaw and key in known])
    new = [invoice for key, invoice in shown.items() if key not in known]
    moved = [one for key, one in shown.items() if key in known and _moved(one, known[key])]
    edited = [one for one in moved if one.fingerprint != known[one.source_id]["fingerprint"]]
    edited_ids = {one.source_id for one in edited}
    _insert_new(pen, new)
    _update_moved(pen, moved)
    _replace_content(pen, new, moved)
    pen.change("invoice", {"source_id": list(shown), "seen_at": [pen.now] * len(shown)})
    pen.tell("invoice", [(one.source_id, "seen", None) for one in new])
    pen.tell("invoice", [(one.source_id, "changed", None) for one in edited])
    unedited = [one for one in moved if one.source_id not in edited_ids]
    pen.tell("invoice", [(one.source_id, f"status_{one.status}", None) for one in unedited])
    return len(new) + len(moved)


def _as_last_read(pen: LedgerWriter, flawed: Sequence[Invoice]) -> dict[str, Invoice]:
    """What was last read of invoices that cannot be read now: that is what stands in Xero, and what a person knows.

    Of one that never went over, what can be read now says more.
    """
    if not flawed:
        return {}
    flaws = {one.source_id: one.flaw for one in flawed}
    asked = {"connection": pen.connection, "ids": list(flaws)}
    rows = {row["source_id"]: row for row in pen.tx.rows(QUERIES["invoices_by_id"], asked)}
    return {
        key: replace(records.known(row).invoice, flaw=flaws[key])
        for key, row in rows.items()
        if row["xero_id"] or flaws[key].field == NO_ANSWER  # type: ignore[union-attr]  # because: each has a flaw
    }


def miss_invoices(pen: LedgerWriter, since: datetime) -> None:
    """What a reading of everything, begun at `since`, did not show and never went over is not to go over any more."""
    unseen = pen.tx.rows(
        "SELECT source_id FROM invoice WHERE connection = ? AND (seen_at < ? OR seen_at > ?) AND xero_id IS NULL "
        "AND open_attempt IS NULL AND cause IS DISTINCT FROM 'deleted_in_crococlick'",
        [pen.connection, since, pen.now],
    )
    _leave_out(pen, [row["source_id"] for row in unseen])


def miss(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """CrocoClick has these no more; of those that it never showed nothing is known, and of some it was told before."""
    known = pen.tx.rows(
        "SELECT source_id, xero_id, open_attempt FROM invoice WHERE connection = $connection "
        "AND list_contains($ids, source_id) AND NOT COALESCE(gone, false)",
        {"connection": pen.connection, "ids": list(ids)},
    )
    miss_bound(pen, [row["source_id"] for row in known if row["xero_id"]])
    _leave_out(pen, [row["source_id"] for row in known if not row["xero_id"] and row["open_attempt"] is None])


def _leave_out(pen: LedgerWriter, gone: Sequence[str]) -> None:
    problem = Problem("deleted_in_crococlick")
    pen.change("invoice", {"source_id": gone, "gone": [True] * len(gone)})
    pen.set_state(gone, "not_eligible", problem)
    pen.tell("invoice", [(source_id, "not_eligible", problem) for source_id in gone])


def miss_bound(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """CrocoClick has these no more, and they stand in Xero: the next decision says what follows."""
    pen.change("invoice", {"source_id": list(ids), "gone": [True] * len(ids)})
    pen.wake(ids)
    pen.tell("invoice", [(source_id, "gone", None) for source_id in ids])


def _moved(invoice: Invoice, known: Mapping[str, Any]) -> bool:
    names = ("fingerprint", "status", "live", "amount_paid", "amount_due")
    return known["gone"] or any(getattr(invoice, name) != known[name] for name in names)


def _seen_columns(pen: LedgerWriter, invoices: Sequence[Invoice]) -> dict[str, list[Any]]:
    plain = "source_id number live currency total tax amount_paid amount_due issue_date due_date fingerprint".split()
    count = len(invoices)
    return columns_of(invoices, plain) | {
        "status": [str(one.status) for one in invoices],
        "contact_id": [one.customer.id for one in invoices],
        "contact_name": [one.customer.name for one in invoices],
        "contact_email": [one.customer.email for one in invoices],
        "changed_at": [pen.now] * count,
        "seen_at": [pen.now] * count,
        "state": ["waiting"] * count,
        "cause": [None] * count,
        "facts": [None] * count,
        "gone": [False] * count,
    }


def _insert_new(pen: LedgerWriter, new: Sequence[Invoice]) -> None:
    firsts: dict[str, list[Any]] = {
        "first_seen_at": [pen.now] * len(new),
        "decided_at": [pen.now] * len(new),
        "tries": [0] * len(new),
    }
    pen.insert("invoice", _seen_columns(pen, new) | firsts)


def _update_moved(pen: LedgerWriter, moved: Sequence[Invoice]) -> None:
    # A try that is still open stays in doubt, whatever happens to the invoice meanwhile.
    open_now = {row["source_id"] for row in pen.rows("invoices_with_an_open_try")}
    columns = _seen_columns(pen, moved)
    columns["state"] = ["in_doubt" if one.source_id in open_now else "waiting" for one in moved]
    pen.change("invoice", columns)


def _replace_content(pen: LedgerWriter, new: Sequence[Invoice], edited: Sequence[Invoice]) -> None:
    gone = {"connection": [pen.connection] * len(edited), "source_id": [one.source_id for one in edited]}
    pen.tx.delete_where_keys("invoice_content", gone)
    fresh = [*new, *edited]
    for start in range(0, len(fresh), PORTION):
        pen.insert(
            "invoice_content", columns_of(fresh[start : start + PORTION], ["source_id", "fingerprint", "content"])
        )


def moved_customers(contacts: Rows, snapshots: Rows) -> list[Customer]:
    """The contacts that the newest of their invoices names otherwise than we know them, or for the first time."""
    known = {row["source_id"]: records.known_contact(row).customer for row in contacts}
    shown = [Customer(*json.loads(row["customer"])) for row in snapshots]
    return [customer for customer in shown if known.get(customer.id) != customer]


def take_customers(pen: LedgerWriter, moved: Sequence[Customer]) -> None:
    """Know these contacts as an invoice names them; bindings stay."""
    columns = columns_of(moved, ["name", "email", "company", "phone"])
    columns |= {"source_id": [one.id for one in moved], "seen_at": [pen.now] * len(moved)}
    pen.put("contact", "source_id", columns)


def see_payments(pen: LedgerWriter, payments: Iterable[Payment]) -> None:
    """Take in transactions; the invoice of one that is new or has changed is looked at again."""
    rows = {row["source_id"]: row for row in pen.rows("all_payments")}
    known = {key: records.payment(row) for key, row in rows.items()}
    shown = {one.source_id: one for one in payments}
    moved = [one for one in shown.values() if known.get(one.source_id) != one]
    pen.put("payment", "source_id", columns_of(moved, PAYMENT_COLUMNS) | {"seen_at": [pen.now] * len(moved)})
    before = [rows[one.source_id] for one in moved if one.source_id in rows]
    pen.wake([*(one.invoice_id for one in moved), *(row["invoice_id"] for row in before)])
    pen.wake(owners(pen, [row["xero_invoice_id"] for row in before if row["xero_invoice_id"]]))


def owners(pen: LedgerWriter, xero_ids: Sequence[str]) -> list[str]:
    """Our invoices that these Xero documents are."""
    found = pen.tx.rows(
        "SELECT source_id FROM invoice WHERE connection = $connection AND list_contains($ids, xero_id)",
        {"connection": pen.connection, "ids": list(xero_ids)},
    )
    return [row["source_id"] for row in found]


def see_heads(pen: LedgerWriter, heads: Sequence[BookInvoice]) -> None:
    """Take in what Xero says of invoices; of our own, those that say something else than before are looked at again."""
    pen.mirror_invoices(heads)
    known = {row["xero_id"]: row for row in pen.rows("bound_invoices")} if heads else {}
    ours = [head for head in heads if head.id in known]
    columns = in_xero(ours)
    read = {"xero_read_at": [pen.now] * len(ours)}
    pen.change("invoice", {"source_id": [known[head.id]["source_id"] for head in ours], **columns, **read})
    pen.tx.execute(
        "UPDATE invoice SET agreed = xero_head WHERE connection = ? AND agreed IS NULL AND xero_head IS NOT NULL",
        [pen.connection],
    )
    names = ("xero_status", "xero_amount_paid", "xero_amount_due", "xero_head")
    moved = [
        known[head.id]["source_id"]
        for place, head in enumerate(ours)
        if any(known[head.id][name] is not None and known[head.id][name] != columns[name][place] for name in names)
    ]
    pen.wake(moved)
