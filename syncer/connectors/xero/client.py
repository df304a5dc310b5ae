"""One Xero organisation over HTTP: requests from `wire`, carried by `http`, answers back to `wire`."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, TypeVar

from syncer.connectors.http import Bearer, Request, Transport
from syncer.connectors.xero import entities, wire
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.domain.closing.documents import Receipt, SalesDocument
from syncer.domain.errors import HaltRun, NeedsPerson, Reconnect
from syncer.domain.matching.invoice_contacts import NewContact
from syncer.domain.model.books import (
    Amendment,
    BookContact,
    BookInvoice,
    Books,
    Document,
    NewTaxRate,
    Organisation,
    TaxRate,
    TrackingCategory,
)
from syncer.domain.model.payment import BookPayment, NewPayment
from syncer.domain.model.xero_document import BookDocument
from syncer.domain.ports import PAID_AT_ONCE, CallLog, Clock, Lookup, Page, Refused, Unreadable

T = TypeVar("T")

_log = logging.getLogger(__name__)

# No organisation has a million contacts or invoices; a list that never ends is a fault.
PAGES = 1000


class XeroAccounts:
    """The Accounts port: reads raise TryLater or Reconnect, writes also InDoubt."""

    def __init__(
        self, transport: Transport, pacer: OrganisationLimiter, others_connected: Callable[[], bool] | None = None
    ) -> None:
        self._transport = transport
        self._pacer = pacer
        self._others_connected = others_connected
        self._left_out: dict[Unreadable, None] = {}

    @classmethod
    def open(
        cls,
        api_url: str,
        tenant_id: str,
        bearer: Bearer,
        pacer: OrganisationLimiter,
        call_log: CallLog,
        clock: Clock,
        others_connected: Callable[[], bool] | None = None,
    ) -> "XeroAccounts":
        """The organisation `tenant_id` at `api_url`; `others_connected` tells what a 403 means."""
        transport = Transport(
            "xero",
            api_url,
            call_log,
            clock,
            pace=pacer,
            bearer=bearer,
            headers=wire.headers(tenant_id),
            correlation_header="Xero-Correlation-Id",
        )
        return cls(transport, pacer, others_connected)

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def ask_again(self) -> None:
        """Ask Xero, not our memory, whether the day is still used up."""
        self._pacer.ask_again()

    def leaving(self, share: float) -> AbstractContextManager[None]:
        """Meanwhile leave this share of the day's calls to others."""
        return self._pacer.leaving(share)

    def books(self) -> Books:
        """Organisation, actions, accounts, tax rates and currencies: five calls."""
        return Books(
            organisation=self.organisation(),
            actions=dict(self._find(wire.get("Organisation/Actions"), entities.actions)),
            accounts=tuple(self._find(wire.get("Accounts"), entities.accounts)),
            tax_rates=tuple(self._find(wire.get("TaxRates"), entities.tax_rates)),
            currencies=frozenset(self._find(wire.get("Currencies"), entities.currencies)),
        )

    def tracking(self) -> Sequence[TrackingCategory]:
        """The tracking categories with their options, archived ones too: one call."""
        return self._find(wire.get("TrackingCategories", ("includeArchived", "true")), entities.tracking_categories)

    def organisation(self) -> Organisation:
        """The organisation itself: one call."""
        return entities.organisation(self._ask(wire.get("Organisation")))

    def contacts(self, since: datetime | None = None) -> Iterator[Page[BookContact]]:
        """All contacts, archived too, or those changed since; pages of 1,000."""
        return self._pages("Contacts", lambda page: wire.get_contacts(page, since), entities.contacts)

    def invoice_heads(self, since: datetime | None = None) -> Iterator[Page[BookInvoice]]:
        """All sales invoices, or those changed since; pages of 1,000."""
        return self._pages("Invoices", lambda page: wire.get_invoice_heads(page, since), entities.sales_invoices)

    def invoices_numbered(self, numbers: Sequence[str]) -> Lookup[BookInvoice]:
        """The sales invoices that carry one of these numbers, whatever their status."""
        return _joined([self._numbered(part) for part in wire.number_parts(numbers)])

    def _numbered(self, part: wire.NumberPart) -> Lookup[BookInvoice]:
        """What one look-up finds; one that is too long for Xero after all is halved until it fits."""
        try:
            return self._find(wire.get_invoices_like(part), entities.sales_invoices)
        except NeedsPerson as refused:
            halves = part.halves() if refused.facts.get("status") in wire.TOO_LONG else ()
            if not halves:
                raise
            return _joined([self._numbered(half) for half in halves])

    def invoices_with_ids(self, ids: Sequence[str]) -> Lookup[BookInvoice]:
        """The heads of invoices by InvoiceID, up to 40 a call."""
        return self._find_all([wire.get_invoices_with_ids(part) for part in _parts(ids)], entities.sales_invoices)

    def invoices_with_payments(self, ids: Sequence[str]) -> Lookup[tuple[BookInvoice, list[BookPayment]]]:
        """The heads of invoices by InvoiceID, each with its payments, up to 40 a call."""
        parts = [ids[start : start + PAID_AT_ONCE] for start in range(0, len(ids), PAID_AT_ONCE)]
        return self._find_all([wire.get_invoices_with_payments(part) for part in parts], entities.paid_invoices)

    def invoice(self, invoice_id: str) -> BookDocument:
        """One invoice with its lines."""
        return entities.document(self._ask(wire.get_invoice(invoice_id)))

    def payments(self, since: datetime) -> Iterator[Page[BookPayment]]:
        """Payments changed since, deleted ones too; pages of 1,000."""
        return self._pages("Payments", lambda page: wire.get_payments(page, since), entities.payment_list)

    def payments_of(self, invoice_id: str) -> Sequence[BookPayment]:
        """The payments on one invoice, deleted ones too."""
        return entities.payments(self._ask(wire.get_invoice(invoice_id)), invoice_id)

    def sales(self, first: date | None, last: date | None) -> Iterator[Page[SalesDocument]]:
        """The sales invoices of these days, whole, whatever their status; pages of 1,000."""
        return self._pages("Invoices", lambda page: wire.get_sales(page, first, last), entities.sales)

    def sales_with_ids(self, ids: Sequence[str]) -> Lookup[SalesDocument]:
        """The sales invoices that have one of these ids, whole, up to 40 a call."""
        return self._find_all([wire.get_invoices_with_payments(part) for part in _parts(ids)], entities.sales)

    def credit_notes(self, first: date | None) -> Iterator[Page[SalesDocument]]:
        """Customers' credit notes dated on this day or later; pages of 1,000."""
        return self._pages("CreditNotes", lambda page: wire.get_credit_notes(page, first), entities.credit_notes)

    def payments_dated(self, first: date | None, last: date | None) -> Iterator[Page[Receipt]]:
        """The payments of these days that stand, those of bills too; pages of 1,000."""
        return self._pages("Payments", lambda page: wire.get_payments_dated(page, first, last), entities.receipts)

    def create_contacts(
        self, contacts: Sequence[NewContact], *, call_id: str, key: str
    ) -> Sequence[BookContact | Refused]:
        """Create contacts (PUT)."""
        request = wire.put_contacts(contacts, call_id=call_id, key=key)
        return self._write(request, "Contacts", len(contacts), entities.read_contact)

    def create_invoices(
        self, documents: Sequence[Document], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Create invoices (PUT); a number that is taken is refused."""
        request = wire.put_invoices(documents, call_id=call_id, key=key)
        return self._write(request, "Invoices", len(documents), entities.read_invoice)

    def update_invoices(
        self, documents: Sequence[tuple[str, Document]], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Replace the content of invoices (POST), each named by its InvoiceID."""
        request = wire.post_invoices(documents, call_id=call_id, key=key)
        return self._write(request, "Invoices", len(documents), entities.read_invoice)

    def void_invoices(self, invoice_ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookInvoice | Refused]:
        """Void approved invoices (POST, Status VOIDED)."""
        request = wire.post_status(invoice_ids, "VOIDED", call_id=call_id, key=key)
        return self._write(request, "Invoices", len(invoice_ids), entities.read_invoice)

    def delete_drafts(self, invoice_ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookInvoice | Refused]:
        """Delete drafts (POST, Status DELETED)."""
        request = wire.post_status(invoice_ids, "DELETED", call_id=call_id, key=key)
        return self._write(request, "Invoices", len(invoice_ids), entities.read_invoice)

    def amend_invoices(
        self, amendments: Sequence[Amendment], *, call_id: str, key: str
    ) -> Sequence[BookInvoice | Refused]:
        """Change number, contact, due date and reference alone (POST)."""
        request = wire.post_amendments(amendments, call_id=call_id, key=key)
        return self._write(request, "Invoices", len(amendments), entities.read_invoice)

    def create_payments(
        self, payments: Sequence[NewPayment], *, call_id: str, key: str
    ) -> Sequence[BookPayment | Refused]:
        """Record payments (PUT)."""
        request = wire.put_payments(payments, call_id=call_id, key=key)
        return self._write(request, "Payments", len(payments), entities.read_payment)

    def delete_payments(self, ids: Sequence[str], *, call_id: str, key: str) -> Sequence[BookPayment | Refused]:
        """Take a payment off its invoice (POST, Status DELETED): one call takes one."""
        return self._alone(ids, wire.delete_payment, "Payments", entities.read_payment, call_id, key)

    def contacts_with_ids(self, ids: Sequence[str]) -> Lookup[BookContact]:
        """The contacts by ContactID, up to 40 a call, archived ones too; unknown ids are left out."""
        return self._find_all([wire.get_contacts_with_ids(part) for part in _parts(ids)], entities.contacts)

    def create_tax_rates(self, rates: Sequence[NewTaxRate], *, call_id: str, key: str) -> Sequence[TaxRate | Refused]:
        """Create a tax rate (PUT): one call takes one; a name that is taken is refused."""
        return self._alone(rates, wire.put_tax_rate, "TaxRates", entities.read_rate, call_id, key)

    def create_currencies(self, codes: Sequence[str], *, call_id: str, key: str) -> Sequence[str | Refused]:
        """Enable a currency (PUT): one call takes one."""
        return self._alone(codes, wire.put_currency, "Currencies", entities.read_currency, call_id, key)

    def _alone(
        self,
        payloads: Sequence[Any],
        request: Callable[..., Request],
        resource: str,
        read: Callable[[Any], T],
        call_id: str,
        key: str,
    ) -> Sequence[T | Refused]:
        [payload] = payloads
        return self._write(request(payload, call_id=call_id, key=key), resource, 1, read)

    def _pages(
        self, resource: str, request: Callable[[int], Request], read: Callable[[dict[str, Any]], Lookup[T]]
    ) -> Iterator[Page[T]]:
        for page in range(1, PAGES + 1):
            data = self._ask(request(page))
            found = self._noted(read(data))
            yield Page(found, wire.item_count(data), found.unreadable)
            if wire.is_last_page(data, resource, page):
                return
        raise HaltRun("xero_unavailable", reason="a list without end", resource=resource)

    def _find(self, request: Request, read: Callable[[dict[str, Any]], Lookup[T]]) -> Lookup[T]:
        return self._noted(read(self._ask(request)))

    def _find_all(self, requests: Sequence[Request], read: Callable[[dict[str, Any]], Lookup[T]]) -> Lookup[T]:
        return _joined([self._find(request, read) for request in requests])

    def _noted(self, found: Lookup[T]) -> Lookup[T]:
        """What was found, its unreadable records noted once each."""
        for odd in found.unreadable:
            if odd not in self._left_out:
                _log.warning("Xero's %s %s: %s %s", odd.kind, odd.number or odd.source_id, odd.field, odd.reason)
            self._left_out[odd] = None
        return found

    def drain_left_out(self) -> Sequence[Unreadable]:
        """Records that could not be read and were left out since this was last asked."""
        left_out, self._left_out = self._left_out, {}
        return list(left_out)

    def _ask(self, request: Request) -> dict[str, Any]:
        return self._decipher(request)

    def _write(self, request: Request, resource: str, count: int, read: Callable[[Any], T]) -> Sequence[T | Refused]:
        return wire.results(self._decipher(request), resource, count, read)

    def _decipher(self, request: Request) -> dict[str, Any]:
        answer = self._transport.send(request)
        try:
            return wire.decipher(answer, writing=request.writes)
        except Reconnect as gone:
            # 403 does not say whether only this organisation was disconnected, or all of them.
            if gone.code != "wrong_organisation" or not self._others_connected or self._others_connected():
                raise
            raise Reconnect("consent_revoked", **gone.facts) from gone


def _joined(answers: Sequence[Lookup[T]]) -> Lookup[T]:
    """What several look-ups came to together."""
    return Lookup([item for found in answers for item in found], [odd for found in answers for odd in found.unreadable])


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    """As many at a time as one look-up may ask for."""
    return [ids[start : start + wire.IDS] for start in range(0, len(ids), wire.IDS)]
