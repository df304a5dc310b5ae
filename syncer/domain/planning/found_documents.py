"""What both sides are said to have agreed on where a document is found in Xero that the ledger does not know of.

That is what CrocoClick says, so that what is otherwise shows as changed in Xero: who changed it last is not known where
a ledger was lost.
"""

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import Invoice, Status
from syncer.domain.model.sync_state import GONE, as_found, said, told
from syncer.domain.planning.actions import is_ours


def agreed_when_found(invoice: Invoice, head: BookInvoice) -> dict[str, str]:
    """See `SyncState.agreed`; of a stranger's document number and dates are taken as they are."""
    says, there = said(invoice), told(head)
    if not is_ours(head, invoice.source_id):
        says = {name: value for name, value in says.items() if name in ("total", "currency", "tax")}
    apart = {name: there[name] for name, value in says.items() if there[name] != value}
    return {**there, **says, **as_found(apart)}


def status_when_found(invoice: Invoice, head: BookInvoice) -> Status:
    """The status that was carried: not yet that it is void, where the document still stands."""
    return Status.SENT if invoice.status is Status.VOID and head.status not in GONE else invoice.status
