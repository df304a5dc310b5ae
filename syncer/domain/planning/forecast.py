"""What one run does about an invoice, step by step, if Xero answers each of its writes as expected."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from syncer.domain.model.books import BookInvoice
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.money import ZERO
from syncer.domain.model.payment import BookPayment
from syncer.domain.model.sync_state import SyncState, told
from syncer.domain.planning.actions import Action, Do
from syncer.domain.planning.found_documents import agreed_when_found, status_when_found
from syncer.domain.planning.payments import recount

MOST = 5  # compare, take off, write, pay, and how it stands then
_UNBOUND = "new"  # the InvoiceID of a document that is not there yet


Payments = Sequence[BookPayment] | None


def steps(
    action: Action, standing: SyncState, decide: Callable[[SyncState], Action], there: Payments = None
) -> Iterator[Action]:
    """The first decision and those that follow in the same run; `decide` plans the invoice anew as it stands then.

    `there` are the payments that Xero lists for the invoice, None where they were not read.
    """
    yield action
    for _ in range(MOST - 1):
        then = after(action, standing, there)
        if then is None:
            return
        following = decide(then)
        if following.do in (action.do, Do.CREATE, Do.BIND) or (following.do is Do.LEAVE and not following.problems):
            return
        yield following
        action, standing = following, then


def after(action: Action, standing: SyncState, there: Payments = None) -> SyncState | None:
    """How the invoice stands once this is done; None where nothing more follows in the same run."""
    invoice = action.invoice
    match action.do:
        case Do.CREATE:
            status = action.document.status if action.document else ""
            made = _written(invoice, replace(standing, xero_id=_UNBOUND, xero_status=status))
            return replace(made, xero_amount_due=invoice.total, carried={}, counted=frozenset())
        case Do.UPDATE | Do.AMEND:
            made = _written(invoice, standing)
            due = action.document.total - standing.xero_amount_paid if action.document else standing.xero_amount_due
            status = action.document.status if action.document and action.do is Do.UPDATE else standing.xero_status
            return replace(made, xero_status=status, xero_amount_due=due)
        case Do.UNPAY:
            return _taken_off(action, standing)
        case Do.RECOUNT if there is not None:
            return _recounted(standing, there)
        case Do.BIND if action.found:
            return _bound(invoice, standing, action.found)
        case _:
            return None


def _written(invoice: Invoice, standing: SyncState) -> SyncState:
    """Both sides say the same: nothing is known to differ."""
    return replace(
        standing,
        synced_fingerprint=invoice.fingerprint,
        synced_frozen=invoice.frozen_fingerprint,
        synced_status=str(invoice.status),
        agreed={},
        there={},
        order=None,
        refusal=None,
        refused_stamp="",
    )


def _taken_off(action: Action, standing: SyncState) -> SyncState:
    off = sum((one.amount for one in standing.payments if one.source_id in action.unpay), ZERO)
    return replace(
        standing,
        carried={key: id_ for key, id_ in standing.carried.items() if key not in action.unpay},
        xero_amount_paid=standing.xero_amount_paid - off,
        xero_amount_due=standing.xero_amount_due + off,
    )


def _recounted(standing: SyncState, there: Sequence[BookPayment]) -> SyncState:
    """An order to count the same is fulfilled; so is any other where nothing was found that was not known."""
    now = recount(standing, there, standing.is_ordered("same_payment"))
    is_over = standing.is_ordered("same_payment") or dict(now.carried) == dict(standing.carried)
    order = None if is_over else standing.order
    return replace(standing, carried=now.carried, counted=now.counted, order=order)


def _bound(invoice: Invoice, standing: SyncState, head: BookInvoice) -> SyncState:
    """A document that is there already says what it says; what else it should say shows as changed."""
    bound = replace(standing, xero_id=head.id, xero_status=head.status, xero_amount_paid=head.amount_paid)
    return replace(
        _written(invoice, bound),
        synced_status=str(status_when_found(invoice, head)),
        agreed=agreed_when_found(invoice, head),
        there=told(head),
        xero_amount_due=head.amount_due,
    )
