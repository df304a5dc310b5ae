"""A person's orders, written down with who and when: what stands on the record, and the story that keeps them all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncer.domain.model.books import books_from, books_text
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import Order
from syncer.domain.planning.payments import Recount
from syncer.storage.ledger.attempts import as_entered, fulfil
from syncer.storage.ledger.records import as_json
from syncer.storage.ledger.writer import NOBODY, AuditEntry, LedgerWriter

STANDING = ("skip", "overwrite", "adopt", "reapply_payments", "replace_payment", "same_payment")  # until carried out
TAKEN_BACK = ("unskip", "undo")
OVER = ("overwrite", "reapply_payments")  # these write over what a person saw in Xero, and over nothing later


def give(pen: LedgerWriter, given: Order, ids: Sequence[str]) -> None:
    """An order for invoices, with its trace in the audit trail."""
    before = pen.standing("invoices", ids) if given.by not in NOBODY else {}
    follow(pen, given, ids)
    _trace(pen, given, "invoices", ids, before)


def _trace(pen: LedgerWriter, given: Order, kind: str, ids: Sequence[str], before: Mapping[str, Any]) -> None:
    if given.by in NOBODY:
        return
    after, said = pen.standing(kind, ids), {"said": dict(given.said)} if given.said else {}
    done = [(one, before.get(one), {**after.get(one, {}), **said}) for one in ids]
    pen.audit(AuditEntry(given.by, f"order_{given.name}"), done)


def follow(pen: LedgerWriter, given: Order, ids: Sequence[str]) -> None:
    """What an order makes of invoices: they are decided anew, and one order that stands replaces the one before.

    An invoice whose last write has no answer yet stays in doubt: the look comes first, whatever was ordered.
    """
    if given.name in STANDING:
        _stand(pen, given, ids)
    elif given.name in TAKEN_BACK:
        fulfil(pen, ids, STANDING)
    if given.name == "retry":
        _forget_refusals(pen, ids)
    if given.name == "adopt":
        _agree(pen, ids)
    open_now = {row["source_id"] for row in pen.rows("invoices_with_an_open_try")}
    free = [one for one in ids if one not in open_now]
    if given.name == "skip":
        pen.set_state(free, "skipped", Problem("skipped_by_person", {**given.said, "by": given.by}))
    else:
        # The cause stays until the next decision: it tells which of Xero's lists have to be read anew.
        same: dict[str, Any] = {
            "state": "waiting", "refused_stamp": None, "decided_at": pen.now, "asked_at": pen.now,
        }  # fmt: skip
        pen.change("invoice", {"source_id": free, **{name: [value] * len(free) for name, value in same.items()}})
    pen.change("invoice", {"source_id": list(ids), "retry_at": [None] * len(ids)})
    pen.tell("invoice", [(one, f"order_{given.name}", Problem("", given.said)) for one in ids], given.by)


def heed(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """A run has been through these: nobody waits for them any more."""
    if ids:
        pen.change("invoice", {"source_id": list(ids), "asked_at": [None] * len(ids)})


def _stand(pen: LedgerWriter, given: Order, ids: Sequence[str]) -> None:
    heads = {row["source_id"]: json.loads(row["xero_head"] or "{}") for row in pen.rows("bound_invoices")}
    said = [as_json({**given.said, "seen": heads.get(one, {})} if given.name in OVER else given.said) for one in ids]
    same = {"ordered": given.name, "ordered_by": given.by, "ordered_at": pen.now}
    columns: dict[str, list[Any]] = {name: [value] * len(ids) for name, value in same.items()}
    pen.change("invoice", {"source_id": list(ids), "ordered_said": said, **columns})


def _agree(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """What stands in Xero is what both sides agree on from now on, for those that are bound."""
    asked = {"connection": pen.connection, "ids": list(ids)}
    bound = "connection = $connection AND xero_id IS NOT NULL AND list_contains($ids, source_id)"
    pen.tx.execute(f"UPDATE invoice SET agreed = xero_head WHERE {bound}", asked)
    fulfil(
        pen, [row["source_id"] for row in pen.tx.rows(f"SELECT source_id FROM invoice WHERE {bound}", asked)], ["adopt"]
    )


def _forget_refusals(pen: LedgerWriter, ids: Sequence[str]) -> None:
    """What Xero refused of the customers of these invoices, and of the organisation's settings, may be tried again."""
    pen.tx.execute(
        "UPDATE contact SET cause = NULL, facts = NULL WHERE connection = $connection AND source_id IN "
        "(SELECT contact_id FROM invoice WHERE connection = $connection AND list_contains($ids, source_id))",
        {"connection": pen.connection, "ids": list(ids)},
    )
    if kept := next(iter(pen.rows("books")), None):
        content = books_text(replace(books_from(kept["content"]), refused={}))
        pen.tx.execute("UPDATE books SET content = ? WHERE connection = ?", [content, pen.connection])


def give_contact(pen: LedgerWriter, given: Order, ids: Sequence[str], links: Mapping[str, str | None]) -> None:
    """Which Xero contact some customers are; the invoices of all of them are decided anew."""
    before = pen.standing("contacts", list(links))
    kept = [key for key, xero_id in links.items() if xero_id is None and given.name == "keep_apart"]
    nothing: list[Any] = [None] * len(links)
    pen.change(
        "contact",
        {
            "source_id": list(links),
            "xero_id": list(links.values()),
            "link": ["person" if xero_id else None for xero_id in links.values()],
            "linked_at": [pen.now if xero_id else None for xero_id in links.values()],
            "apart": [given.said.get("name", "") if key in kept else None for key in links],
            "cause": nothing,
            "facts": nothing,
        },
    )
    pen.tell("contact", [(key, f"order_{given.name}", Problem("", given.said)) for key in links], given.by)
    follow(pen, given, ids)  # What becomes of the invoices follows from what was said of the customer.
    _trace(pen, given, "contacts", list(links), before)


def recount(pen: LedgerWriter, source_id: str, found: Recount) -> None:
    """Which payments of an invoice are in Xero, as a comparison one by one has found."""
    kept = pen.tx.rows(
        "SELECT source_id, xero_id FROM payment WHERE connection = ? AND invoice_id = ?", [pen.connection, source_id]
    )
    before = {row["source_id"]: row["xero_id"] for row in kept}
    names = list(before)
    pen.change(
        "payment",
        {
            "source_id": names,
            **as_entered([found.entered.get(name) for name in names]),
            "carried_at": [pen.now if name in found.carried else None for name in names],
            "counted": [name in found.counted for name in names],
        },
    )
    same = len(found.counted)
    moved = any(before[name] != found.carried.get(name) for name in names)
    # An overwrite goes on with what was found; where nothing was, it would only ask again.
    fulfil(pen, [source_id], ["same_payment"] if moved else ["same_payment", "overwrite", "reapply_payments"])
    pen.tell("invoice", [(source_id, "recounted", Problem("", {"same": same, "moved": moved}))])
