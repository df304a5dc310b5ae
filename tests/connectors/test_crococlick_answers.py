"""What CrocoClick answers, as invoices, and what is asked of it."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from syncer.connectors.crococlick import wire
from syncer.connectors.crococlick.records import RecordReader
from syncer.connectors.http import Response
from syncer.domain.errors import HaltRun, InDoubt, RateLimited, Reconnect, Unavailable
from syncer.domain.model.invoice import Discount, Invoice, Status, Tax
from syncer.domain.ports import Location
from tests.support.crococlick_samples import PAYLOADS

SAMPLES = Path(__file__).parents[1] / "samples" / "crococlick"
SAMPLE = (SAMPLES / "invoice.json").read_bytes()


def changed(**fields):
    """The sample with other fields, read in Paris; `...` takes a field away."""
    row = json.loads(SAMPLE) | fields
    row = {name: value for name, value in row.items() if value is not ...}
    data = wire.decipher(Response(200, {}, json.dumps(row).encode()))
    return RecordReader("Europe/Paris").invoice(data)


def line(**fields):
    """The invoice with one line, changed."""
    return changed(invoiceItems=[{"name": "x", "qty": 1, "amount": 2, **fields}])


def test_the_sample():
    """Everything the sync needs, exactly."""
    invoice = RecordReader("Europe/Paris").invoice(wire.decipher(Response(200, {}, SAMPLE)))
    assert isinstance(invoice, Invoice)
    assert (invoice.source_id, invoice.number, invoice.status) == (
        "650000000000000000000041",
        "F-2026-041",
        Status.SENT,
    )
    assert (invoice.live, invoice.currency, invoice.name) == (True, "EUR", "Visite d'automne")
    assert (invoice.customer.id, invoice.customer.company) == ("c6tZZU0rJBf30ZXx9Gli", "Lumière SARL")
    assert (invoice.total, invoice.amount_paid, invoice.amount_due) == (Decimal("37.39"), 10, Decimal("27.39"))
    assert invoice.tax == Decimal("5.4")
    assert invoice.discount == Discount(True, Decimal(10), ("65prod1",))
    first, second = invoice.lines
    assert (first.quantity, first.unit_price, first.description) == (Decimal("1.5"), Decimal("19.99"), "une heure")
    assert first.taxes == (Tax("65tax1", "TVA", Decimal(20)),)
    assert (second.taxes, second.product_id, second.unit_price) == ((), "", 5)
    assert all(type(amount) is Decimal for amount in (second.unit_price, second.quantity, invoice.amount_paid))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-08-26", date(2026, 8, 26)),
        ("2026-08-25T22:00:00.000Z", date(2026, 8, 26)),
        ("2026-08-26T21:59:59.999Z", date(2026, 8, 26)),
        ("2026-01-14T23:00:00.000Z", date(2026, 1, 15)),
        ("2026-08-26T00:00:00", date(2026, 8, 26)),
        ("2026-08-26T00:00:00.000Z", date(2026, 8, 26)),
        ("", None),
        (None, None),
        (..., None),
    ],
)
def test_dates_are_the_locations(written, day):
    """A bare date is taken, an instant is seen from the location: local midnight or local end of day."""
    assert changed(issueDate=written).issue_date == day


@pytest.mark.parametrize("zone", ["America/Martinique", "America/Cayenne", "Pacific/Tahiti", "Indian/Reunion", "UTC"])
def test_a_day_written_as_midnight_utc_is_that_day_everywhere(zone):
    """West of Greenwich it would be the day before; a local midnight is read by the location as ever."""
    row = wire.decipher(Response(200, {}, SAMPLE))
    found = RecordReader(zone).invoice(
        row | {"issueDate": "2026-08-26T00:00:00.000Z", "dueDate": "2026-08-26T12:00:00Z"}
    )
    assert (found.issue_date, found.due_date) == (date(2026, 8, 26), date(2026, 8, 26))


def test_an_instant_without_a_known_zone_cannot_be_read():
    """Cutting it would book a day early; bare dates still go."""
    reader = RecordReader("Mars/Olympus")
    row = wire.decipher(Response(200, {}, SAMPLE))
    assert reader.invoice(row).flaw.field == "issueDate"
    assert RecordReader("").invoice(row | {"issueDate": "2026-08-26", "dueDate": None}).issue_date == date(2026, 8, 26)


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"invoiceNumber": 19}, "19"),
        ({"invoiceNumber": "19", "invoiceNumberPrefix": "INV-"}, "INV-19"),
        ({"invoiceNumber": " INV-12\u00a0", "invoiceNumberPrefix": None}, "INV-12"),
        ({"invoiceNumber": "INV-19", "invoiceNumberPrefix": "INV-"}, "INV-19"),
        ({"invoiceNumber": " INV-19 ", "invoiceNumberPrefix": "INV-"}, "INV-19"),
        ({"invoiceNumber": " 19 ", "invoiceNumberPrefix": " INV "}, "INV 19"),
        ({"invoiceNumber": "  "}, ""),
        ({"invoiceNumber": ...}, ""),
        ({"invoiceNumber": None, "invoiceNumberPrefix": "INV-"}, ""),
    ],
)
def test_the_number_holds_its_prefix_once(fields, number):
    """A number or a text, with or without its prefix; blanks around it are none of it."""
    assert changed(**fields).number == number


def test_missing_fields_are_tolerated():
    """What is not there is empty, and amountDue is what is left."""
    bare = changed(
        liveMode=..., contactDetails=..., discount=..., name=..., amountPaid=..., amountDue=..., totalSummary=...,
        dueDate=..., currency=...,
    )  # fmt: skip
    assert (bare.live, bare.customer.id, bare.discount, bare.tax, bare.currency) == (True, "", None, None, "")
    assert (bare.amount_paid, bare.amount_due) == (0, Decimal("37.39"))
    assert changed(totalSummary={"subTotal": 1}).tax is None
    assert changed(liveMode=False).live is False


@pytest.mark.parametrize(
    ("discount", "read"),
    [
        ({"type": "percentage", "value": 0}, None),
        ({}, None),
        ({"type": "fixed", "value": "12.50"}, Discount(False, Decimal("12.50"))),
        (
            {"type": "fixed", "value": 5, "validOnProductIds": "[ 'p1', \"p2\" ]"},
            Discount(False, Decimal(5), ("p1", "p2")),
        ),
        ({"type": "fixed", "value": 5, "validOnProductIds": []}, Discount(False, Decimal(5))),
        ({"type": "fixed", "value": 5, "validOnProductIds": ""}, Discount(False, Decimal(5))),
    ],
)
def test_discounts(discount, read):
    """A percentage or an amount; on all lines, or on products as a list or the text of one."""
    assert changed(discount=discount).discount == read


def test_taxes_of_a_line():
    """Several, some on top of others; inclusive lines say so."""
    taxes = [
        {"_id": "a", "name": "GST", "rate": 5, "calculation": "exclusive"},
        {"_id": "b", "name": "QST", "rate": "9.975", "calculation": "compound"},
        {"_id": "c", "name": "none", "rate": 0},
        {"_id": "c", "name": "none", "rate": 0},
    ]
    (found,) = line(taxes=taxes, taxInclusive=True, name=None).lines
    assert [(tax.rate, tax.compound) for tax in found.taxes] == [
        (Decimal(5), False),
        (Decimal("9.975"), True),
        (0, False),
        (0, False),
    ]
    assert (found.tax_inclusive, found.name) == (True, "")


def test_half_a_character_is_left_out_of_what_is_read():
    """Of a description; a name, a number or an id is never repaired."""
    found = line(name="Sale \ud83c", description="\udf88 on")
    assert (found.lines[0].name, found.lines[0].description) == ("Sale ", " on")
    assert line(productId="p\ud83c").flaw.field == "invoiceItems[1].productId"


@pytest.mark.parametrize(
    ("charges", "extras"),
    [
        (..., "0"),
        ("none", "0"),
        ({"charges": []}, "0"),
        ({"charges": [], "collectedMiscellaneousCharges": 10}, "10"),
        ({"collectedMiscellaneousCharges": 9, "paidCharges": []}, "9"),
        ({"collectedMiscellaneousCharges": 9, "paidCharges": [{"amount": 1.5}, {"amount": "2"}, {}, "?"]}, "3.5"),
    ],
)
def test_what_was_paid_beside_the_invoice(charges, extras):
    """Each charge that was paid, else what was collected; no part of the total."""
    found = changed(miscellaneousCharges=charges)
    assert (found.extras, found.total) == (Decimal(extras), Decimal("37.39"))


@pytest.mark.parametrize(
    ("fields", "on"),
    [
        ({}, False),
        ({"lateFeesConfiguration": "on"}, False),
        ({"lateFeesConfiguration": {"enable": False, "value": 10}}, False),
        ({"lateFeesConfiguration": {"enable": True}}, True),
        ({"lateFeesConfiguration": {"enabled": True}}, True),
        ({"lateFeesCharged": 0}, False),
        ({"lateFeesCharged": 7.5}, True),
    ],
)
def test_late_fees_are_noticed(fields, on):
    """Switched on, or charged under whatever name."""
    assert changed(**fields).late_fees is on


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: changed(total=...), "total"),
        (lambda: changed(total="a lot"), "total"),
        (lambda: changed(total="1,571.33"), "total"),
        (lambda: changed(total=10**15), "total"),
        (lambda: changed(liveMode="yes"), "liveMode"),
        (lambda: changed(currency=True), "currency"),
        (lambda: changed(currency=10**50), "currency"),
        (lambda: line(taxes="TVA"), "invoiceItems[1].taxes"),
        (lambda: line(taxes=[{"rate": [5]}]), "invoiceItems[1].taxes"),
        (lambda: line(amount="1234567890" * 4 + "." + "3" * 39 + "e-30"), "invoiceItems[1].amount"),
        (lambda: changed(total="NaN"), "total"),
        (lambda: changed(total=True), "total"),
        (lambda: changed(total=[1]), "total"),
        (lambda: changed(status="overdue"), "status"),
        (lambda: changed(status=...), "status"),
        (lambda: changed(issueDate="tomorrow"), "issueDate"),
        (lambda: changed(issueDate="9999-12-31T23:30:00Z"), "issueDate"),
        (lambda: changed(issueDate=20260826), "issueDate"),
        (lambda: changed(invoiceItems="none"), "invoiceItems"),
        (lambda: changed(invoiceItems=["x"]), "invoiceItems[1]"),
        (lambda: line(qty=None), "invoiceItems[1].qty"),
        (lambda: line(amount="12,50"), "invoiceItems[1].amount"),
        (lambda: line(taxes=[{"rate": "x"}]), "invoiceItems[1].taxes.rate"),
        (lambda: line(taxes=[{"rate": 5, "calculation": "magic"}]), "invoiceItems[1].taxes.calculation"),
        (lambda: line(taxes=["TVA"]), "invoiceItems[1].taxes"),
        (lambda: changed(contactDetails="Ann"), "contactDetails"),
        (lambda: changed(discount=5), "discount"),
        (lambda: changed(discount={"type": "gift", "value": 5}), "discount.type"),
        (lambda: changed(discount={"type": "fixed", "value": "x"}), "discount.value"),
        (lambda: changed(discount={"type": "fixed", "value": 5, "validOnProductIds": 7}), "discount.validOnProductIds"),
        (lambda: changed(totalSummary={"tax": "x"}), "totalSummary.tax"),
        (lambda: changed(miscellaneousCharges={"collectedMiscellaneousCharges": "x"}), "miscellaneousCharges"),
        (lambda: changed(miscellaneousCharges={"paidCharges": [{"amount": "x"}]}), "paidCharges.amount"),
    ],
)
def test_garbage_names_its_field(made, field):
    """Told apart, with the invoice it came in."""
    found = made()
    assert (found.flaw.field, found.number) == (field, "F-2026-041")
    assert (found.customer.name and found.due_date) or field in ("contactDetails", "_id")


def test_garbage_does_not_fail_its_neighbours():
    """The others of the page are read; a deleted one is left out."""
    good, F = wire.decipher(Response(200, {}, SAMPLE)), "F-2026-041"
    bad, gone = good | {"total": None}, good | {"deleted": True}
    page = RecordReader("Europe/Paris").page({"invoices": [good, bad, gone, "?"], "total": 4})
    assert [(one.number, one.flaw and one.flaw.field) for one in page.items] == [(F, None), (F, "total")]
    assert (page.total, [row.field for row in page.unreadable]) == (4, ["invoice"])
    assert wire.row_ids({"invoices": [good, "?"]}) == ["650000000000000000000041", ""]
    assert RecordReader("").page({}).total is None


@pytest.mark.parametrize("odd", [{}, "none", 7])
def test_a_list_that_is_none_is_no_answer(odd):
    """Nothing follows from it: least of all that all invoices are gone."""
    with pytest.raises(Unavailable):
        RecordReader("Europe/Paris").page({"invoices": odd, "total": 4})


def test_the_location():
    """Its zone is in one of two places; its currency is nowhere."""
    data = {"location": {"id": "L", "name": "Atelier", "timezone": "Europe/Paris"}}
    assert wire.location(data) == Location("L", "Atelier", "Europe/Paris")
    assert wire.location({"id": "L", "business": {"timezone": "Europe/Paris"}}).timezone == "Europe/Paris"
    assert wire.location({}).timezone == ""


def answer(status, body=b"", **headers):
    """An answer; a dict becomes JSON."""
    raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(401, {"statusCode": 401, "message": "Invalid JWT"}), "crococlick_token_refused"),
        (answer(401, b"no json"), "crococlick_token_refused"),
        (answer(401, {"message": "The token is not authorized for this scope."}), "crococlick_scope_missing"),
        (
            answer(401, {"message": "This authClass type is not allowed to access this scope. x"}),
            "crococlick_scope_missing",
        ),
        (answer(401, {"message": "This location is not accessible from this token!"}), "crococlick_wrong_location"),
        (answer(401, {"message": "Invalid Private Integration token"}), "crococlick_token_refused"),
        (answer(403, {"message": "The token does not have access to this location."}), "crococlick_wrong_location"),
    ],
)
def test_a_closed_door_says_why(given, code):
    """Token, scope or location."""
    with pytest.raises(Reconnect) as refused:
        wire.decipher(given)
    assert refused.value.code == code


def test_a_wrong_version_is_no_dead_token():
    """Nobody has to make a new token for it."""
    with pytest.raises(HaltRun) as refused:
        wire.decipher(answer(401, {"message": "version header is invalid"}))
    assert refused.value.facts["message"] == "version header is invalid"


@pytest.mark.parametrize("status", [403, 404, 400])
@pytest.mark.parametrize("body", [b"error code: 1010", b"<!DOCTYPE html><title>Access denied</title>"])
def test_an_edge_that_refuses_is_the_service_being_unavailable(status, body):
    """Cloudflare or Akamai says so, and CrocoClick was never asked: no permission is missing, nothing is deleted."""
    for writing in (False, True):
        with pytest.raises(Unavailable):
            wire.decipher(answer(status, body), writing=writing)


def test_a_refused_question_is_ours_to_mend():
    """The messages come as a text, a list, or inside an error."""
    with pytest.raises(HaltRun) as refused:
        wire.decipher(answer(422, {"message": ["offset must be a string", "offset should not be empty"]}))
    assert refused.value.facts["message"] == "offset must be a string; offset should not be empty"
    assert wire.said({"error": {"code": "x", "message": "told"}}) == "told"
    assert wire.said({"error": "Bad Request"}) == "Bad Request"


def test_no_such_invoice():
    """A 400 in words, or a 404."""
    for given in (answer(400, {"message": "Unable to find an invoice with the given invoice id"}), answer(404)):
        with pytest.raises(HaltRun) as refused:
            wire.decipher(given)
        assert wire.is_missing(refused.value)


def test_limits():
    """The day's calls gone, or only the burst's."""
    daily = answer(429, x_ratelimit_daily_remaining="0", x_ratelimit_daily_reset="49013000")
    with pytest.raises(RateLimited) as day:
        wire.decipher(daily)
    assert (day.value.limit, day.value.wait_s) == ("day", 49013)
    with pytest.raises(RateLimited) as burst:
        wire.decipher(answer(429, x_ratelimit_interval_milliseconds="10000", x_ratelimit_max="100"))
    assert (burst.value.limit, burst.value.wait_s) == ("burst", 10)
    assert wire.limited(answer(429)).wait_s is None
    assert wire.limited(answer(429, retry_after="7", x_ratelimit_interval_milliseconds="10000")).wait_s == 7
    assert wire.limited(answer(429, retry_after="60", x_ratelimit_daily_remaining="0")).wait_s == 60
    assert wire.limited(answer(429, x_ratelimit_daily_remaining="0")).wait_s is None


@pytest.mark.parametrize(("status", "body"), [(500, b"oops"), (200, b"<html>"), (200, b"[]"), (200, b'{"total": NaN}')])
def test_no_answer(status, body):
    """Unavailable for a read, in doubt for a write."""
    with pytest.raises(Unavailable):
        wire.decipher(answer(status, body))
    with pytest.raises(InDoubt):
        wire.decipher(answer(status, body), writing=True)


def test_what_is_asked():
    """The four mandatory parameters as texts; filters only where they say something; a search is not recorded."""
    plain = wire.get_invoices("L", 0)
    assert plain.target == "/invoices/?altId=L&altType=location&limit=100&offset=0&sortField=issueDate&sortOrder=ascend"
    full = wire.get_invoices("L", 99, status="sent", since=date(2026, 9, 1), search="ann@b.example", newest_first=True)
    assert dict(full.query)["startAt"] == "2026-08-31"
    assert dict(full.query)["sortOrder"] == "descend"
    assert "ann" in full.target
    assert "ann" not in full.told
    assert wire.get_invoice("L", "i").target == "/invoices/i?altId=L&altType=location"
    assert wire.get_location("L").path == "/locations/L"
    assert wire.get_invoice("L", "../../etc/passwd?x=1#").path == "/invoices/..%2F..%2Fetc%2Fpasswd%3Fx%3D1%23"
    assert wire.headers()["Version"] == "2021-07-28"


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no other bodies here")
@pytest.mark.parametrize("name", ["invoice_get_200.json", "webhook_invoice_paid.json", "webhook_invoice_create.json"])
def test_published_bodies(name):
    """The documentation's own examples read without a fault."""
    invoice = RecordReader("Europe/Paris").invoice(json.loads((PAYLOADS / name).read_bytes()))
    assert isinstance(invoice, Invoice)
    assert (invoice.number, invoice.total, invoice.issue_date) == ("19", 999, date(2023, 1, 1))
