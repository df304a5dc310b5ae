"""What a whole list of payments says, of either side: which are ours, which are somebody else's, and which are gone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from decimal import Decimal

from syncer.domain.model.payment import AWAY, REMOVED, BookPayment, Payment
from syncer.domain.model.problems import Problem
from syncer.domain.planning.payments import Listing
from syncer.storage.ledger import records
from syncer.storage.ledger.attempts import as_entered
from syncer.storage.ledger.intake import PAYMENT_COLUMNS, owners
from syncer.storage.ledger.writer import LedgerWriter, columns_of


def keep(pen: LedgerWriter, listings: Mapping[str, Listing]) -> None:
    """Xero's lists by invoice: payments of ours that the ledger did not know of are bound, the others noted."""
    gone = {one.source_id: replace(one, invoice_id=key) for key, found in listings.items() for one in found.removed}
    removed = list(gone.values())
    pen.put("payment", "source_id", columns_of(removed, PAYMENT_COLUMNS) | {"seen_at": [pen.now] * len(removed)})
    bind(pen, {key: payment for one in listings.values() for key, payment in one.found.items()})
    others = [records.others_text(one.others) for one in listings.values()]
    pen.change("invoice", {"source_id": list(listings), "xero_others": others})
    pen.wake([payment.invoice_id for one in listings.values() for payment in one.moved.values()])
    told = [(source_id, payment) for source_id, one in listings.items() for payment in one.found.values()]
    pen.tell("invoice", [(key, "payment_found", Problem("", {"amount": one.amount})) for key, one in told])


def bind(pen: LedgerWriter, found: Mapping[str, BookPayment]) -> None:
    """These transactions are in Xero as these payments."""
    pen.change(
        "payment",
        {
            "source_id": list(found),
            **as_entered(list(found.values())),
            "carried_at": [pen.now] * len(found),
            "counted": [False] * len(found),
        },
    )


def miss(pen: LedgerWriter, shown: Set[str], of: Sequence[str] | None) -> None:
    """CrocoClick showed these transactions, of everything or `of` some contacts: what it left out was removed there.

    A list with a hole is not believed: what is left has to come to what the invoice says is paid.
    """
    invoices = {row["source_id"]: row for row in pen.rows("paid_now") if of is None or row["contact_id"] in of}
    by_invoice: dict[str, list[Payment]] = defaultdict(list)
    for row in pen.rows("all_payments"):
        by_invoice[row["invoice_id"]].append(records.payment(row))
    gone = [
        payment
        for source_id, payments in by_invoice.items()
        if source_id in invoices
        for payment in _removed(payments, shown, invoices[source_id]["amount_paid"])
    ]
    pen.change("payment", {"source_id": [one.source_id for one in gone], "status": [REMOVED] * len(gone)})
    pen.wake([one.invoice_id for one in gone])
    pen.wake(owners(pen, _documents(pen, [one.source_id for one in gone])))


def _removed(payments: Sequence[Payment], shown: Set[str], paid: Decimal) -> list[Payment]:
    unseen = [one for one in payments if one.source_id not in shown and one.status not in AWAY]
    left = sum((one.amount for one in payments if one.counts and one not in unseen), Decimal(0))
    return unseen if left == paid else []


def _documents(pen: LedgerWriter, ids: Sequence[str]) -> list[str]:
    """The Xero documents that these transactions are entered on."""
    found = pen.tx.rows(
        "SELECT xero_invoice_id FROM payment WHERE connection = $connection AND list_contains($ids, source_id) "
        "AND xero_invoice_id IS NOT NULL",
        {"connection": pen.connection, "ids": list(ids)},
    )
    return [row["xero_invoice_id"] for row in found]
