"""One CrocoClick location over real HTTP."""

from datetime import date

import pytest

from syncer.connectors.crococlick import wire
from syncer.connectors.crococlick.client import CrocoClick
from syncer.domain.errors import RateLimited, Reconnect, Unavailable
from syncer.domain.model.invoice import Status

TOKEN = "pit-sandbox"


@pytest.fixture
def open_crm(box, notes, clock):
    """A client for a token and a location."""

    def go(token=TOKEN, location=""):
        return CrocoClick.open(box.url, token, location or box.crococlick.location.id, notes, clock)

    return go


@pytest.fixture
def crm(open_crm):
    return open_crm()


def listed(crm, **asked):
    """The invoices of all pages, each once."""
    return {invoice.source_id: invoice for page in crm.invoices(**asked) for invoice in page.items}


def test_the_location_and_its_invoices(box, crm):
    """Its zone, its three invoices, in dates of the place."""
    assert crm.location().timezone == "Europe/Paris"
    invoices = listed(crm)
    shown = {row["_id"]: row for row in box.crococlick.invoices()}
    assert set(invoices) == set(shown)
    assert all(str(shown[id]["invoiceNumber"]) in invoice.number for id, invoice in invoices.items())
    assert all(not page.unreadable for page in crm.invoices())


def test_instants_and_bare_dates_are_the_same_day(box, crm):
    """Whatever the API gives."""
    bare = {id: invoice.issue_date for id, invoice in listed(crm).items()}
    box.crococlick.switch(dates="instant" if box.crococlick.location.switches.dates != "instant" else "bare")
    assert {id: invoice.issue_date for id, invoice in listed(crm).items()} == bare


def test_one_invoice_or_none(box, crm):
    """By its id."""
    id = box.crococlick.invoices()[0]["_id"]
    assert crm.invoice(id).source_id == id
    assert crm.invoice("65ffffffffffffffffffffff") is None


def test_filters(box, crm):
    """By status, since a day, by search."""
    assert {invoice.status for invoice in listed(crm, status="paid").values()} == {Status.PAID}
    newest = max(invoice.issue_date for invoice in listed(crm).values())
    assert listed(crm, since=newest)
    assert not listed(crm, since=date(2099, 1, 2))
    assert len(listed(crm, search=box.crococlick.invoices()[0]["_id"])) == 1


def _fill(box, count):
    contact = box.crococlick.contacts()[0]["id"]
    for n in range(count):
        box.crococlick.add_invoice(
            contact=contact, issueDate="2026-03-01", dueDate="2026-04-01",
            lines=[{"name": "x", "amount": 1, "qty": 1, "currency": "EUR"}], number=f"N-{n:04}",
        )  # fmt: skip


def test_a_long_list_is_read_whole(box, crm):
    """Pages overlap by one row."""
    _fill(box, 250)
    box.reset_calls()
    assert len(listed(crm)) == 253
    assert box.count(side="crococlick", path="/invoices/") == 3


def test_a_list_that_moves_is_read_whole(box, crm):
    """Rows vanish while it is read: what stayed is all there."""
    _fill(box, 250)
    pages = crm.invoices()
    seen = {invoice.source_id for invoice in next(pages).items}
    for row in box.crococlick.invoices()[:8]:
        if row["_id"] in seen:
            box.crococlick.delete(row["_id"])
    seen |= {invoice.source_id for page in pages for invoice in page.items}
    assert {row["_id"] for row in box.crococlick.invoices()} <= seen


def test_the_burst_is_never_met(box, crm, clock):
    """Two hundred calls under the published limit: not one refused."""
    id = box.crococlick.invoices()[0]["_id"]
    box.reset_calls()
    for _ in range(200):
        crm.invoice(id)
    assert 429 not in {call["status"] if isinstance(call, dict) else call.status for call in box.calls}
    assert sum(clock.slept) >= 10


def test_refusals(box, open_crm, crm):
    """Token, scope, location."""
    with pytest.raises(Reconnect) as token:
        open_crm("pit-unknown").location()
    assert token.value.code == "crococlick_token_refused"
    box.crococlick.allow("pit-narrow", ["locations.readonly"])
    with pytest.raises(Reconnect) as scope:
        list(open_crm("pit-narrow").invoices())
    assert scope.value.code == "crococlick_scope_missing"
    with pytest.raises(Reconnect) as location:
        open_crm(location="OtherLocation0000001").location()
    assert location.value.code == "crococlick_wrong_location"


def test_outages(box, crm):
    """A bad moment is survived, a long one told, a burst waited out."""
    box.faults.next_read("error_500", side="crococlick")
    assert crm.location()
    box.faults.next_read("rate_limited", side="crococlick")
    assert crm.location()
    box.faults.next_read("error_500", side="crococlick", times=10)
    with pytest.raises(Unavailable) as gone:
        crm.location()
    assert gone.value.code == "crococlick_unavailable"


def test_nobody_waits_for_tomorrow(crm, box):
    """The day's calls are gone."""
    fault = box.faults.next_read("refuse", side="crococlick", status=429)
    fault.options["headers"] = {"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "3600000"}
    with pytest.raises(RateLimited) as limited:
        crm.location()
    assert (limited.value.limit, limited.value.wait_s) == ("day", 3600)


def test_an_unreadable_invoice_is_told_apart(box, crm):
    """In a page beside its neighbours; alone by its field."""
    id = box.crococlick.invoices()[0]["_id"]
    fault = box.faults.add("refuse", side="crococlick", method="GET", path=f"/invoices/{id}", status=200)
    fault.options["body"] = {"_id": id, "invoiceNumber": "7", "total": "a lot"}
    crm.location()
    flaw = crm.invoice(id).flaw
    assert (flaw.field, flaw.found) == ("total", "a lot")


def test_no_search_is_written_down(crm, notes):
    """It may be somebody's email."""
    listed(crm, search="ann@b.example")
    assert "ann" not in repr([call for call, *_ in notes.calls])
    assert all(call.side == "crococlick" for call, *_ in notes.calls)
    assert wire.PAGE_SIZE == 100
