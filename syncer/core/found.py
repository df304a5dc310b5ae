"""What both sides are said to have agreed on where a document is found in Xero that the ledger does not know of.

That is what CrocoClick says, so that what is otherwise shows as changed in Xero: who changed it last is not known where
a ledger was lost.
"""

from syncer.core.action import is_ours
from syncer.core.books import BookInvoice
from syncer.core.invoice import Invoice, Status
from syncer.core.money import text
from syncer.core.standing import GONE, told


def agreed_when_found(invoice: Invoice, head: BookInvoice) -> dict[str, str]:
    """See `Standing.agreed`; of a stranger's document number and dates are taken as they are."""
    tax = {} if invoice.tax is None else {"tax": text(invoice.tax)}
    agreed = {**told(head), "total": text(invoice.total), "currency": invoice.currency, **tax}
    return agreed | _head_of(invoice) if is_ours(head, invoice.source_id) else agreed


def status_when_found(invoice: Invoice, head: BookInvoice) -> Status:
    """The status that was carried: not yet that it is void, where the document still stands."""
    return Status.SENT if invoice.status is Status.VOID and head.status not in GONE else invoice.status


def _head_of(invoice: Invoice) -> dict[str, str]:
    """Its number and dates, as far as it has them."""
    dates = {"issue_date": invoice.issue_date, "due_date": invoice.due_date}
    return {"number": invoice.number, **{name: day.isoformat() for name, day in dates.items() if day}}
