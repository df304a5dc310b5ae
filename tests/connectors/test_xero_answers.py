"""What Xero answers, as values or as the error that says what to do next."""

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from syncer.connectors.http import Response
from syncer.connectors.xero import entities, fields, wire
from syncer.domain.errors import InDoubt, NeedsPerson, RateLimited, Reconnect, Unavailable
from syncer.domain.ports import Refused

SAMPLES = Path(__file__).parents[1] / "samples" / "xero"
# Bodies of other people's accounts that may lie beside the project; the tests here do without.
PAYLOADS = Path(os.environ.get("SYNCER_PAYLOADS", Path(__file__).parents[3] / "shared" / "data" / "payloads")) / "xero"


def sample(name):
    """A sample answer, deciphered."""
    return wire.decipher(Response(200, {}, (SAMPLES / name).read_bytes()))


def answer(status, body=b"", **headers):
    """An answer; a dict becomes JSON."""
    raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_the_books_of_an_organisation():
    """Organisation, actions, accounts, tax rates, currencies."""
    organisation = entities.organisation(sample("organisation.json"))
    assert (organisation.name, organisation.base_currency, organisation.version) == ("Atelier Rivage", "EUR", "GLOBAL")
    assert organisation.period_lock_date == date(2025, 12, 31)
    assert organisation.end_of_year_lock_date == date(2024, 12, 31)
    assert dict(entities.actions(sample("actions.json"))) == {"CreateApprovedInvoice": True, "UseMulticurrency": False}
    assert set(entities.currencies(sample("currencies.json"))) == {"EUR", "GBP"}
    income, bank, waiting, rounding = entities.accounts(sample("accounts.json"))
    assert (income.code, income.klass, income.takes_payments) == ("706", "REVENUE", False)
    assert (bank.code, bank.takes_payments) == ("", True)
    assert (waiting.status, waiting.takes_payments) == ("ARCHIVED", True)
    assert (rounding.status, rounding.system_account) == ("ACTIVE", "ROUNDING")


def test_tracking_categories_with_their_options():
    """What is archived is read too; without a status it is active."""
    options = [{"TrackingOptionID": "o1", "Name": "North", "Status": "ARCHIVED"}, {"Name": "South"}]
    told = {"TrackingCategoryID": "c1", "Name": "Region", "Status": "ARCHIVED", "Options": options}
    [region] = entities.tracking_categories({"TrackingCategories": [told]})
    assert (region.id, region.name, region.status) == ("c1", "Region", "ARCHIVED")
    assert [(one.name, one.status) for one in region.options] == [("North", "ARCHIVED"), ("South", "ACTIVE")]


def test_tax_rates_fail_closed():
    """A rate that does not say it applies to revenue does not."""
    vat, both, none = entities.tax_rates(sample("tax_rates.json"))
    assert (vat.type, vat.effective_rate, vat.applies_to_revenue) == ("TAX001", Decimal(20), True)
    assert [(part.rate, part.compound) for part in both.components] == [(Decimal(5), False), (Decimal("9.975"), True)]
    assert (none.status, none.applies_to_revenue, none.components) == ("ACTIVE", False, ())


def test_an_answer_without_an_organisation_is_no_organisation():
    """Nothing is made up."""
    with pytest.raises(Unavailable):
        entities.organisation({"Organisations": []})


def test_contacts_of_a_page():
    """Archived and merged ones too; the phone with its country."""
    data = sample("contacts_page.json")
    first, second = entities.contacts(data)
    assert (first.name, first.number, first.phone) == ("Maison Lumière", "c6tZZU0rJBf30ZXx9Gli", "+33 601020304")
    assert first.updated_at == datetime(2026, 9, 14, 0, 0, 0, 123000, tzinfo=UTC)
    assert (second.status, second.merged_to, second.phone) == ("ARCHIVED", first.id, "0600000000")
    assert second.updated_at is None
    assert entities.read_contact({"ContactID": "c"}).phone == ""
    assert (wire.is_last_page(data, "Contacts", 1), wire.item_count(data)) == (True, 2)


def test_a_list_without_pagination_ends_with_a_short_page():
    """Then its length tells."""
    assert wire.is_last_page({"Contacts": [{}] * 999}, "Contacts", 1)
    assert not wire.is_last_page({"Contacts": [{}] * 1000}, "Contacts", 1)
    assert not wire.is_last_page({"pagination": {"pageCount": Decimal(3)}, "Contacts": [{}]}, "Contacts", 2)
    assert wire.item_count({}) is None


def test_every_element_of_a_write_has_its_own_verdict():
    """HTTP 200 is not success: the first is an invoice, the second a refusal with all its reasons."""
    created, refused = wire.results(sample("invoices_created.json"), "Invoices", 2, entities.read_invoice)
    assert (created.number, created.total, created.total_tax) == ("F-2026-041", Decimal("24.15"), Decimal("3.15"))
    assert (created.issue_date, created.status) == (date(2026, 9, 14), "AUTHORISED")
    assert created.url.endswith("650000000000000000000041")
    assert isinstance(refused, Refused)
    assert refused.messages == (
        "Invoice # must be unique.",
        (
            "The contact with the specified contact details has been archived. The contact must be un-archived before "
            "creating new invoices or credit notes."
        ),
    )
    assert refused.warnings[0].startswith("Account code '476'")


@pytest.mark.parametrize("mark", [{"StatusAttributeString": "ERROR"}, {"HasErrors": True}])
def test_a_refusal_without_words_is_a_refusal(mark):
    """No reason is no acceptance."""
    (refused,) = wire.results({"Invoices": [mark]}, "Invoices", 1, entities.read_invoice)
    assert refused == Refused(("Xero gave no reason.",))


@pytest.mark.parametrize("data", [{}, {"Invoices": None}, {"Invoices": [{}]}])
def test_an_answer_that_does_not_tell_leaves_doubt(data):
    """Fewer elements than were sent: which of them went?"""
    with pytest.raises(InDoubt):
        wire.results(data, "Invoices", 2, entities.read_invoice)


def written(status, body, count=1):
    """The results of a write that was answered like this."""
    return wire.results(wire.decipher(answer(status, body), writing=True), "Contacts", count, entities.read_contact)


def test_a_refusal_of_one_is_about_that_one():
    """A summarised 400 with a single element."""
    body = json.loads((SAMPLES / "contact_name_taken.json").read_text())
    (refused,) = written(400, body)
    assert "already assigned" in refused.messages[0]
    assert not refused.whole


def test_a_refusal_without_a_reason_keeps_the_summary():
    """Better the general words than none."""
    (refused,) = written(400, {"Message": "A validation exception occurred", "Elements": [{"ValidationErrors": None}]})
    assert refused.messages == ("A validation exception occurred",)


def test_a_summarised_refusal_of_several_leaves_all_in_doubt():
    """The good neighbours may have been saved, and their ids are not in the answer."""
    with pytest.raises(InDoubt):
        written(400, {"Message": "A validation exception occurred", "Elements": [{}]}, count=2)


def test_a_key_used_for_another_request_leaves_doubt():
    """Something was sent under it before: look at what became of that."""
    with pytest.raises(InDoubt):
        written(400, {"Message": "Idempotency Key: abc is used with a different request."})


def test_a_whole_request_may_be_refused_for_one_element():
    """An unknown ContactID answers 404 to everybody, also to one alone: which id it is, a look has to tell."""
    first, second = written(404, b"", count=2)
    assert first.whole
    assert second.whole
    (alone,) = written(404, b"")
    assert alone.whole
    assert "404" in alone.messages[0]
    (plain,) = written(404, b"The resource you're looking for cannot be found")
    assert plain.whole
    (unread,) = written(400, {"ErrorNumber": 14, "Message": "JSON for post data was invalid"})
    assert unread.messages == ("JSON for post data was invalid",)


@pytest.mark.parametrize("body", [b"", b"<html><h1>Bad Request - Invalid Header</h1></html>", b"[]", b'"no"'])
def test_a_400_that_is_not_xeros_says_nothing_of_an_id(body):
    """A proxy before Xero answers with HTML: what became of the write, a look has to tell."""
    with pytest.raises(InDoubt):
        written(400, body)


@pytest.mark.parametrize(
    "body",
    [
        b"<HTML><TITLE>Access Denied</TITLE>You don't have permission to access this on this server. Reference #18",
        b"error code: 1010",
        b"",
    ],
)
@pytest.mark.parametrize("writing", [False, True])
def test_a_403_of_an_edge_is_no_permission(body, writing):
    """It says nothing of role or organisation, and Xero has not seen the request: the same one will do later."""
    with pytest.raises(Unavailable) as refused:
        wire.decipher(answer(403, body), writing=writing)
    assert refused.value.facts["status"] == 403


def problem(detail, **more):
    """A 401 or 403 body."""
    return {"Type": None, "Title": "x", "Detail": detail, **more}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(401, problem("AuthenticationUnsuccessful")), "consent_revoked"),
        (answer(401, problem("TokenExpired: token expired at 04/09/2026 05:16:59")), "consent_revoked"),
        (answer(401, problem("AuthorizationUnsuccessful")), "scope_missing"),
        (answer(401, www_authenticate='Bearer error="insufficent_scope"'), "scope_missing"),
        (answer(401, www_authenticate='Bearer error="insufficient_scope"'), "scope_missing"),
        (answer(403, problem("AuthenticationUnsuccessful")), "wrong_organisation"),
        (answer(403, {"detail": "AuthenticationUnsuccessful"}), "wrong_organisation"),
        (answer(403, b"You are not permitted to access this resource without the reporting role"), "role_missing"),
        (answer(403, {}), "wrong_organisation"),
        (answer(403, problem("needs a higher role")), "role_missing"),
    ],
)
def test_a_closed_door_says_why(given, code):
    """Consent, scope, organisation or role."""
    with pytest.raises(Reconnect) as refused:
        wire.decipher(given)
    assert refused.value.code == code


def test_only_a_scope_makes_a_newer_token_useless():
    """Any other 401 is worth one refresh."""
    assert wire.expired(answer(401, problem("TokenExpired: …")))
    assert wire.expired(answer(401, b""))
    assert not wire.expired(answer(401, problem("AuthorizationUnsuccessful")))
    assert not wire.expired(answer(403))


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"<html>oops</html>"), (503, b"The Organisation is offline"), (200, b""), (200, b"[]"), (200, b"<html>")],
)
def test_no_answer_is_unavailable_for_a_read_and_doubt_for_a_write(status, body):
    """200 without JSON is not Xero speaking."""
    with pytest.raises(Unavailable):
        wire.decipher(answer(status, body))
    with pytest.raises(InDoubt):
        wire.decipher(answer(status, body), writing=True)


def test_other_refusals_are_told_as_they_came():
    """A question that Xero cannot read is our bug, shown with its words."""
    with pytest.raises(NeedsPerson) as refused:
        wire.decipher(answer(400, {"ErrorNumber": 16, "Message": "Expression expected"}))
    assert refused.value.facts["message"] == "Expression expected"
    with pytest.raises(NeedsPerson) as too_large:
        wire.decipher(answer(413, b"too large"), writing=True)
    assert too_large.value.facts["message"] == "too large"


def test_not_modified_is_nothing_new():
    """One client has met it."""
    assert wire.decipher(answer(304)) == {}


@pytest.mark.parametrize(
    ("problem_name", "limit"),
    [("minute", "minute"), ("App-Minute", "appminute"), ("appminute", "appminute"), ("DAY", "day"), ("", "minute")],
)
def test_a_429_names_its_limit(problem_name, limit):
    """Hyphens and case do not count."""
    with pytest.raises(RateLimited) as limited:
        wire.decipher(answer(429, x_rate_limit_problem=problem_name, retry_after="26"))
    assert (limited.value.limit, limited.value.wait_s) == (limit, 26)


def test_headers_may_be_absent_or_odd():
    """Nothing is assumed of them."""
    assert wire.rate_limit(answer(429, retry_after="soon")) == ("", None)
    assert wire.calls_left(answer(200, x_minlimit_remaining="59", x_daylimit_remaining="x")) == (59, None)


def test_payments_of_an_invoice():
    """They do not name their invoice again."""
    (payment,) = entities.payments(sample("invoice_with_payments.json"), "inv")
    assert (payment.invoice_id, payment.amount, payment.reference) == ("inv", Decimal(10), "CrocoClick 65aa01")
    assert (payment.paid_on, payment.status) == (date(2026, 9, 15), "AUTHORISED")
    assert entities.payments({"Invoices": [{}]}, "inv") == []
    with pytest.raises(Unavailable):
        entities.payments({"Invoices": [{"Payments": [{"PaymentID": "p", "Amount": "ten"}]}]}, "inv")


def test_invoices_of_a_list_each_with_their_payments():
    """Every head with what is paid on it; one of which a payment cannot be read is left out whole."""
    whole = sample("invoice_with_payments.json")
    ((head, payments),) = entities.paid_invoices(whole)
    assert head.id and [(one.invoice_id, one.amount) for one in payments] == [(head.id, Decimal(10))]
    [unpaid] = [{name: value for name, value in one.items() if name != "Payments"} for one in whole["Invoices"]]
    assert entities.paid_invoices({"Invoices": [unpaid]})[0][1] == []
    odd = entities.paid_invoices({"Invoices": [unpaid | {"Payments": [{"PaymentID": "p1", "Amount": "much"}]}]})
    assert odd == [] and odd.may_hide_id(head.id)
    assert entities.paid_invoices({}) == []


def test_the_answer_to_a_payment_says_what_is_due_then():
    """Where it shows the invoice whole; a list names it only."""
    told = {"PaymentID": "p1", "Amount": Decimal(10), "Invoice": {"InvoiceID": "inv", "AmountDue": Decimal(110)}}
    assert entities.read_payment(told).due_after == 110
    assert entities.read_payment({"PaymentID": "p1"}).due_after is None


def test_a_payment_that_was_taken_off_is_still_listed():
    """It names its invoice, and stands no more."""
    gone = {"PaymentID": "p1", "Status": "DELETED", "Amount": Decimal(10), "Invoice": {"InvoiceID": "inv"}}
    (payment,) = entities.payment_list({"Payments": [gone]})
    assert (payment.invoice_id, payment.stands, payment.paid_on) == ("inv", False, None)
    assert entities.payment_list({}) == []


HEAD = {"InvoiceID": "i", "Status": "AUTHORISED", "Total": Decimal(15)}


def test_what_is_credited_counts_as_paid():
    """A credit note locks an invoice as a payment does, and who reads the head asks for that."""
    amounts = {"AmountDue": Decimal(5), "AmountPaid": Decimal(10), "AmountCredited": Decimal("2.5")}
    found = entities.read_invoice(HEAD | amounts)
    assert (found.amount_paid, found.amount_due) == (Decimal("12.5"), Decimal(5))
    assert entities.read_invoice(HEAD | {"AmountCredited": Decimal(1)}).amount_paid == 1
    assert entities.read_invoice(HEAD).amount_paid == 0


@pytest.mark.parametrize(
    ("found", "day"),
    [
        ({"DueDate": "/Date(1791936000000+0000)/"}, date(2026, 10, 14)),
        ({"DueDateString": "2026-10-14T00:00:00"}, date(2026, 10, 14)),
        ({"DueDate": None}, None),
        ({"Date": "/Date(1791936000000+0000)/"}, None),
    ],
)
def test_the_head_of_an_invoice_has_its_due_date(found, day):
    """It may be changed in Xero, so both sides compare it; a draft may have none."""
    assert entities.read_invoice(HEAD | found).due_date == day


def test_a_created_rate_and_currency_are_read_like_any_other():
    """The rate comes back with the type that lines then carry."""
    made = {"TaxRates": [{"TaxType": "TAX042", "Name": "GST", "EffectiveRate": Decimal(5), "CanApplyToRevenue": True}]}
    (rate,) = wire.results(made, "TaxRates", 1, entities.read_rate)
    assert (rate.type, rate.is_new, rate.applies_to_revenue) == ("TAX042", False, True)


def test_a_bill_with_the_same_number_is_not_ours():
    """Only sales invoices answer a look-up."""
    bill, ours, untyped = {"Type": "ACCPAY"}, HEAD | {"Type": "ACCREC", "InvoiceID": "1"}, HEAD
    assert [invoice.id for invoice in entities.sales_invoices({"Invoices": [bill, ours, untyped]})] == ["1", "i"]


def test_a_document_of_a_kind_that_nobody_knows_is_left_out_and_named():
    """It may be a sales invoice: nobody concludes from it that there is none."""
    found = entities.sales_invoices({"Invoices": [HEAD | {"Type": "SOMETHING", "InvoiceID": "1"}, HEAD]})
    assert [invoice.id for invoice in found] == ["i"]
    assert found.may_hide_id("1")


def test_connections():
    """A bare array with seven-digit fractions and names that may be null."""
    first, second = entities.tenants(Response(200, {}, (SAMPLES / "connections.json").read_bytes()))
    assert (first.type, first.name) == ("ORGANISATION", "Atelier Rivage")
    assert first.created_at == datetime(2026, 9, 7, 18, 46, 19, 516540, tzinfo=UTC)
    assert (second.type, second.name) == ("PRACTICE", "")
    with pytest.raises(Unavailable):
        entities.tenants(answer(200, {"not": "a list"}))
    assert entities.tenants(answer(200, [None, {"tenantId": None}, {"tenantId": "t", "tenantName": "A"}]))[0].id == "t"
    with pytest.raises(Reconnect):
        entities.tenants(answer(401))


@pytest.mark.parametrize(
    ("found", "day"),
    [
        ({"Date": "/Date(1789344000000+0000)/"}, date(2026, 9, 14)),
        ({"Date": "/Date(1789344000000+1300)/"}, date(2026, 9, 14)),
        ({"Date": "/Date(-86400000)/"}, date(1969, 12, 31)),
        ({"Date": "2011-02-16T00:00:00"}, date(2011, 2, 16)),
        ({"DateString": "2026-09-14T00:00:00"}, date(2026, 9, 14)),
        ({"Date": "soon", "DateString": "2026-09-14T00:00:00"}, date(2026, 9, 14)),
        ({"Date": ""}, None),
        ({}, None),
    ],
)
def test_dates_are_never_shifted(found, day):
    """They are midnight of their day, written as if in UTC."""
    assert fields.day(found, "Date") == day


@pytest.mark.parametrize("written", ["soon", "/Date(999999999999999)/", "2026-02-30", 20260914, True, ["2026-09-14"]])
def test_a_date_in_no_known_form_is_no_missing_date(written):
    """A draft may have none; one that says something else is not read as having none."""
    with pytest.raises(fields.Garbled):
        fields.day({"Date": written}, "Date")


def test_a_moment_with_a_zone_becomes_utc():
    """Instants are compared, dates are not."""
    assert fields.moment({"at": "2026-09-14T02:00:00+02:00"}, "at") == datetime(2026, 9, 14, tzinfo=UTC)


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no other bodies here")
def test_bodies_of_other_accounts():
    """Published examples and recordings read without a fault, to the cent."""
    for line in (PAYLOADS / "demo_company_au_documents.jsonl").read_text().splitlines():
        body = json.loads(line, parse_float=Decimal, parse_int=Decimal)["body"]
        invoice = entities.read_invoice({"InvoiceID": line[:8], **body})
        assert invoice.total == sum(line["LineAmount"] for line in body["LineItems"] if "LineAmount" in line) + (
            invoice.total_tax if body["LineAmountTypes"] == "Exclusive" else 0
        )
    read = {
        "organisation_get_200.json": entities.organisation,
        "accounts_get_200.json": entities.accounts,
        "taxrates_get_200.json": entities.tax_rates,
        "currencies_get_200.json": entities.currencies,
        "contacts_get_200.json": entities.contacts,
        "sdk_get_all_contacts.json": entities.contacts,
        "invoices_put_200.json": entities.sales_invoices,
    }
    for name, reader in read.items():
        assert reader(wire.decipher(Response(200, {}, (PAYLOADS / name).read_bytes()))), name


def test_a_whole_document():
    """Its head, its lines as they are, its net, and whether it is marked as sent."""
    found = entities.document(sample("invoices_created.json"))
    assert (found.head.number, found.contact_name, found.net) == ("F-2026-041", "Maison Lumière", 21)
    assert found.sent_to_contact
    [line] = found.lines
    assert (line.description, line.quantity, line.unit_amount, line.amount) == ("Conseil", 1, 21, 21)
    assert (line.tax_type, line.tax_amount, line.discount) == ("TAX003", Decimal("3.15"), 0)
    with pytest.raises(Unavailable):
        entities.document({"Invoices": []})


@pytest.mark.parametrize(
    ("view", "total", "due"),
    [
        ({"Total": Decimal("100.02"), "AmountDue": Decimal("60.02"), "RoundingAmount": Decimal("0.02")}, 100, 60),
        ({"Total": Decimal("99.98"), "AmountDue": Decimal(0), "RoundingAmount": Decimal("-0.02")}, 100, 0),
        ({"Total": Decimal(100), "AmountDue": Decimal(60)}, 100, 60),
    ],
)
def test_a_rounding_amount_is_no_difference(view, total, due):
    """Lists are without it, single invoices with it: both are the same invoice, and add up to its lines."""
    found = entities.read_invoice({"InvoiceID": "i", "Status": "AUTHORISED", **view})
    assert (found.total, found.amount_due) == (total, due)
