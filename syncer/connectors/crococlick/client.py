"""One CrocoClick location over HTTP: requests from `wire`, carried by `http`, answers back to `wire`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from syncer.connectors.crococlick import contacts_wire, wire
from syncer.connectors.crococlick.rate_limit import LocationLimiter
from syncer.connectors.crococlick.records import RecordReader
from syncer.connectors.http import Fixed, Request, Transport
from syncer.domain.errors import HaltRun, InDoubt
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.payment import Payment
from syncer.domain.ports import CallLog, Clock, Location, Page, Refused, Taken, Unreadable
from syncer.domain.readiness.test_invoice import NewInvoice

# No location has a million invoices; a list that never ends is a fault.
PAGES = 10_000


class CrocoClick:
    """The Crm port: every call raises TryLater, Reconnect or HaltRun; the writes also InDoubt."""

    def __init__(self, transport: Transport, location_id: str) -> None:
        self._transport = transport
        self._location_id = location_id
        self._reader: RecordReader | None = None
        self._name = self._agency = ""

    @classmethod
    def open(cls, api_url: str, token: str, location_id: str, call_log: CallLog, clock: Clock) -> "CrocoClick":
        """The location `location_id` at `api_url`, by a private integration token."""
        transport = Transport(
            "crococlick",
            api_url,
            call_log,
            clock,
            pace=LocationLimiter(clock),
            bearer=Fixed(token),
            headers=wire.headers(),
            correlation_header="traceid",
        )
        return cls(transport, location_id)

    def close(self) -> None:
        """Let the connections go."""
        self._transport.close()

    def location(self) -> Location:
        """The location: its name and time zone; one call."""
        data = self._ask(wire.get_location(self._location_id))
        found = wire.location(data)
        self._name, self._agency = found.name, wire.agency_id(data)
        self._reader = RecordReader(found.timezone)
        return found

    def invoices(
        self, *, status: str = "", since: date | None = None, search: str = "", until: date | None = None
    ) -> Iterator[Page[Invoice]]:
        """Invoices oldest first, pages of 100; a row may come twice.

        Pages overlap by one row: if the last row of a page is not in the next, the list has moved and a page is read
        again. If rows are still missing at the end, the list is read once more from its other end.
        """
        seen: set[str] = set()
        for newest_first in (False, True):
            for ids, page in self._sweep(_Asked(status, since, search, newest_first, until)):
                seen.update(ids)
                yield page
                if newest_first and len(seen) >= (page.total or 0):
                    return
            if len(seen) >= (page.total or 0):
                return

    def invoice(self, source_id: str) -> Invoice | None:
        """One invoice, None where there is none; one that cannot be read has a flaw."""
        try:
            data = self._ask(wire.get_invoice(self._location_id, source_id))
        except HaltRun as refusal:
            if wire.is_missing(refusal):
                return None
            raise
        found = self._read().invoice(data, source_id)
        assert isinstance(found, Invoice)  # noqa: S101 — what was asked for by its id has one
        return found

    def payments(self, since: date | None = None, contact_id: str = "") -> Iterator[Page[Payment]]:
        """The transactions of invoices, of all contacts or of one, pages of 100; a row may come twice."""
        offset = 0
        for _ in range(PAGES):
            reader = self._read()
            data = self._ask(wire.get_transactions(self._location_id, offset, since=since, contact_id=contact_id))
            count, page = len(wire.rows(data, "data")), reader.transactions(data)
            yield page
            offset += count
            # The length of the list is often missing: a full page is followed by another one, whatever it says.
            if not count or (count < wire.PAGE_SIZE and offset >= (page.total or 0)):
                return
        raise HaltRun("crococlick_unavailable", reason="a list without end")

    def contacts(self, since: datetime | None = None) -> Iterator[Page[SourceContact]]:
        """All contacts or those changed since, pages of 500, as far as the search has caught up.

        Raises HaltRun for a list that cannot be read to its end: a missing contact would be made twice.
        """
        after: Sequence[Any] = ()
        read = 0
        for _ in range(PAGES):
            found = contacts_wire.found(self._transport.send(contacts_wire.search(self._location_id, after, since)))
            yield found.page
            read += found.rows
            # A short page is the last one, unless the server gives less than it was asked for.
            if not found.rows or (found.rows < contacts_wire.PAGE_SIZE and read >= (found.page.total or 0)):
                return
            if not found.after or found.after == after:
                raise HaltRun("crococlick_unavailable", reason="a list that does not go on")
            after = found.after
        raise HaltRun("crococlick_unavailable", reason="a list without end")

    def contact(self, source_id: str) -> SourceContact | None:
        """One contact, None where there is none."""
        return contacts_wire.one(self._transport.send(contacts_wire.get(source_id)))

    def duplicate(self, email: str = "", phone: str = "") -> SourceContact | None:
        """The contact that CrocoClick takes for the same."""
        return contacts_wire.one(self._transport.send(contacts_wire.duplicate(self._location_id, email, phone)))

    def create_contact(self, fields: Mapping[str, str], *, call_id: str) -> SourceContact | Taken | Refused:
        """Create a contact, or say which one is there already."""
        return contacts_wire.written(self._transport.send(contacts_wire.create(self._location_id, fields, call_id)))

    def update_contact(
        self, source_id: str, fields: Mapping[str, str], *, call_id: str
    ) -> SourceContact | Taken | Refused:
        """Write these fields of a contact and no others."""
        return contacts_wire.written(self._transport.send(contacts_wire.update(source_id, fields, call_id)))

    def create_invoice(self, new: NewInvoice) -> Invoice:
        """Make a draft; an answer that cannot be read is in doubt."""
        reader = self._read()
        found = reader.invoice(self._ask(wire.post_invoice(self._location_id, self._name, new)))
        if isinstance(found, Unreadable) or found.flaw:
            raise InDoubt(side="crococlick", reason="an answer that cannot be read")
        return found

    def send_invoice(self, source_id: str) -> None:
        """Mark a draft as sent by hand: nobody is written to."""
        self._read()
        self._ask(wire.post_send(self._location_id, source_id, self._agency or self._location_id))

    def void_invoice(self, source_id: str) -> None:
        """Void an invoice that was sent."""
        self._ask(wire.post_void(self._location_id, source_id))

    def delete_draft(self, source_id: str) -> None:
        """Delete a draft."""
        self._ask(wire.delete_invoice(self._location_id, source_id))

    def _sweep(self, asked: "_Asked") -> Iterator[tuple[list[str], Page[Invoice]]]:
        offset, last = 0, ""
        for _ in range(PAGES):
            ids, page = self._page(asked, offset)
            yield ids, page
            if last and last not in ids:
                yield self._page(asked, max(0, offset - wire.PAGE_SIZE))
            end = offset + len(ids)
            # A short page is the last one, unless the server gives less than it was asked for.
            if len(ids) < 2 or (len(ids) < wire.PAGE_SIZE and end >= (page.total or 0)):
                return
            offset, last = end - 1, ids[-1]
        raise HaltRun("crococlick_unavailable", reason="a list without end")

    def _page(self, asked: "_Asked", offset: int) -> tuple[list[str], Page[Invoice]]:
        reader = self._read()
        data = self._ask(
            wire.get_invoices(
                self._location_id,
                offset,
                status=asked.status,
                since=asked.since,
                search=asked.search,
                newest_first=asked.newest_first,
                until=asked.until,
            )
        )
        return wire.row_ids(data), reader.page(data)

    def _read(self) -> RecordReader:
        if self._reader is None:
            self.location()
        assert self._reader is not None  # noqa: S101 - location() has just made it
        return self._reader

    def _ask(self, request: Request) -> dict[str, Any]:
        return wire.decipher(self._transport.send(request), writing=request.writes)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which invoices a sweep is for, and from which end."""

    status: str
    since: date | None
    search: str
    newest_first: bool
    until: date | None
