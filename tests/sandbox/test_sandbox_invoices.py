"""Xero's invoices: verbs, batches, the status machine, what payments fix, what the answer looks like."""

import json
from typing import Any

import pytest
from conftest import invoice, line, messages

ZERO = "00000000-0000-0000-0000-000000000000"
RECORDED_ORDER = [
    "Type", "InvoiceID", "InvoiceNumber", "Reference", "Prepayments", "Overpayments", "AmountDue", "AmountPaid",
    "SentToContact", "CurrencyRate", "IsDiscounted", "HasErrors", "InvoicePaymentServices", "UpdatedDateUTCString",
    "Contact", "DateString", "Date", "DueDateString", "DueDate", "Status", "LineAmountTypes", "LineItems", "SubTotal",
    "TotalTax", "Total", "UpdatedDateUTC", "CurrencyCode",
]  # fmt: skip
RECORDED_LINE = [
    "Description", "UnitAmount", "TaxType", "TaxAmount", "LineAmount", "AccountCode", "Tracking", "Quantity",
    "LineItemID", "AccountID", "ValidationErrors",
]  # fmt: skip


def test_the_echo_has_the_recorded_keys_in_order(desk: Any) -> None:
    """A created invoice reads like the recording: keys, order, dates in both forms."""
    found = desk.ask("PUT", "Invoices", invoice(InvoiceNumber="E-1"))[1]["Invoices"][0]
    assert list(found) == RECORDED_ORDER
    assert list(found["LineItems"][0]) == RECORDED_LINE
    assert found["Date"] == "/Date(1793577600000+0000)/"
    assert found["DateString"] == "2026-11-02T00:00:00"
    assert found["DueDateString"] == "2026-12-02T00:00:00"
    assert found["UpdatedDateUTCString"].endswith("Z")
    assert "StatusAttributeString" not in found


def test_put_creates_and_post_overwrites(desk: Any) -> None:
    """The trap of the two verbs: POST with a known number silently changes the existing invoice."""
    first = desk.ask("PUT", "Invoices", invoice(InvoiceNumber="V-1"))[1]["Invoices"][0]
    status, body = desk.ask("POST", "Invoices", invoice(InvoiceNumber="V-1", Reference="neu"))
    assert (status, body["Invoices"][0]["InvoiceID"]) == (200, first["InvoiceID"])
    assert desk.numbers() == ["V-1"]
    assert desk.invoice("V-1")["Reference"] == "neu"


def test_post_without_a_known_number_creates(desk: Any) -> None:
    """POST is create-or-update; an unknown id in the body is a complaint, in the path a 404."""
    assert desk.ask("POST", "Invoices", invoice(InvoiceNumber="N-1"))[0] == 200
    unknown = "11111111-1111-4111-8111-111111111111"
    status, body = desk.ask("POST", "Invoices", invoice(InvoiceID=unknown))
    assert (status, messages(body)) == (400, ["An existing invoice with the specified ID could not be found"])
    assert desk.ask("POST", f"Invoices/{unknown}", {"Reference": "x"}) == (404, None)


def test_bodies_come_wrapped_in_any_case_or_bare(desk: Any) -> None:
    """One bare object, a wrapper in any case, or a bare list."""
    for n, body in enumerate(
        (invoice(), {"Invoices": [invoice()]}, {"invoices": [invoice()]}, {"INVOICES": invoice()}, [invoice()])
    ):
        status, answer = desk.ask("PUT", "Invoices", body)
        assert (status, len(answer["Invoices"])) == (200, 1), n
    assert desk.numbers() == [f"INV-{n:04d}" for n in range(1, 6)]


def test_absent_fields_keep_their_value_but_absent_lines_go(desk: Any) -> None:
    """An update leaves alone what it does not name; once lines are sent, those left out are deleted."""
    sent = invoice(InvoiceNumber="U-1", Reference="alt", LineItems=[line(Description="a"), line(Description="b")])
    made = desk.ask("PUT", "Invoices", sent)[1]["Invoices"][0]
    keep = made["LineItems"][0]["LineItemID"]
    desk.ask("POST", f"Invoices/{made['InvoiceID']}", {"DueDate": "2027-01-01"})
    found = desk.invoice("U-1")
    assert (found["Reference"], found["DueDate"], len(found["LineItems"])) == ("alt", "2027-01-01", 2)
    update = {"LineItems": [{"LineItemID": keep, "Description": "a2"}, line(Description="c", UnitAmount=7)]}
    desk.ask("POST", f"Invoices/{made['InvoiceID']}", update)
    found = desk.invoice("U-1")
    assert [(li["Description"], li["UnitAmount"]) for li in found["LineItems"]] == [("a2", 100.0), ("c", 7.0)]
    assert found["LineItems"][0]["LineItemID"] == keep
    assert found["Total"] == 128.4


def test_a_batch_answers_element_by_element(desk: Any) -> None:
    """With summarizeErrors=false the call is 200, and each element says how it fared."""
    batch = {"Invoices": [invoice(InvoiceNumber="B-1"), invoice(InvoiceNumber="B-2", LineItems=[])]}
    status, body = desk.ask("PUT", "Invoices", batch, "summarizeErrors=false")
    good, bad = body["Invoices"]
    assert (status, body["Status"]) == (200, "OK")
    assert (good["StatusAttributeString"], good["HasErrors"]) == ("OK", False)
    assert (bad["StatusAttributeString"], bad["HasErrors"], bad["InvoiceID"]) == ("ERROR", True, ZERO)
    assert bad["ValidationErrors"] == [{"Message": "One or more line items must be specified"}]
    assert desk.numbers() == ["B-1"]


@pytest.mark.parametrize(("saves", "kept"), [(True, ["B-1"]), (False, [])])
def test_a_summarised_400_may_have_saved_the_good_neighbours(desk: Any, saves: bool, kept: list[str]) -> None:
    """The 400 lists only the failures and gives no id of what it kept; a switch has the other reading."""
    desk.switch(summarised_saves_neighbours=saves)
    batch = {"Invoices": [invoice(InvoiceNumber="B-1"), invoice(InvoiceNumber="B-2", LineItems=[])]}
    status, body = desk.ask("PUT", "Invoices", batch)
    assert (status, [e["InvoiceNumber"] for e in body["Elements"]]) == (400, ["B-2"])
    assert desk.numbers() == kept


def test_two_elements_of_one_batch_cannot_share_a_number(desk: Any) -> None:
    """The second one is refused like any used number."""
    batch = {"Invoices": [invoice(InvoiceNumber="T-1"), invoice(InvoiceNumber="T-1")]}
    body = desk.ask("PUT", "Invoices", batch, "summarizeErrors=false")[1]
    assert [e["StatusAttributeString"] for e in body["Invoices"]] == ["OK", "ERROR"]
    assert messages(body) == ["Invoice # must be unique."]


def test_an_unknown_contact_id_makes_the_whole_request_404(desk: Any) -> None:
    """One stale contact id takes its forty-nine neighbours with it."""
    stale = {"ContactID": "22222222-2222-4222-8222-222222222222"}
    batch = {"Invoices": [invoice(InvoiceNumber="G-1"), invoice(InvoiceNumber="G-2", Contact=stale)]}
    assert desk.ask("PUT", "Invoices", batch, "summarizeErrors=false") == (404, None)
    assert desk.numbers() == []


def test_contacts_inside_invoices_match_by_id_number_then_name(desk: Any) -> None:
    """Never by email: an unknown name makes a new contact even where the email is known."""
    id_ = desk.add_contact(Name="Martin SA", ContactNumber="K-1", EmailAddress="m@x.example")
    for contact in ({"ContactID": id_}, {"ContactNumber": "K-1"}, {"Name": "MARTIN  sa"}):
        made = desk.ask("PUT", "Invoices", invoice(Contact=contact))[1]["Invoices"][0]
        assert made["Contact"]["ContactID"] == id_, contact
    other = desk.ask("PUT", "Invoices", invoice(Contact={"Name": "Autre", "EmailAddress": "m@x.example"}))
    assert other[1]["Invoices"][0]["Contact"]["ContactID"] != id_
    assert [c["IsCustomer"] for c in desk.contacts()] == [True, True]


def test_fields_beside_a_contact_id_change_the_contact(desk: Any) -> None:
    """And they drop the persons that are not sent: a client sends the id alone."""
    id_ = desk.add_contact(Name="M", EmailAddress="m@x.example", ContactPersons=[{"FirstName": "A"}])
    desk.ask("PUT", "Invoices", invoice(Contact={"ContactID": id_}))
    assert len(desk.contacts()[0]["ContactPersons"]) == 1
    desk.ask("PUT", "Invoices", invoice(Contact={"ContactID": id_, "FirstName": "Zoé"}))
    assert desk.contacts()[0]["FirstName"] == "Zoé"
    assert desk.contacts()[0]["ContactPersons"] == []


ALLOWED = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "VOIDED": set(),
    "DELETED": set(),
}


@pytest.mark.parametrize("start", list(ALLOWED))
@pytest.mark.parametrize("target", ["DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"])
def test_the_status_machine(desk: Any, start: str, target: str) -> None:
    """Every pair of statuses is either allowed, or refused as not of valid status for modification."""
    first = {"VOIDED": "AUTHORISED", "DELETED": "DRAFT"}.get(start, start)
    id_ = desk.add_invoice(**invoice(Status=first))
    if first != start:
        assert desk.ask("POST", f"Invoices/{id_}", {"Status": start})[0] == 200
    status, body = desk.ask("POST", f"Invoices/{id_}", {"Status": target})
    if target in ALLOWED[start]:
        assert (status, body["Invoices"][0]["Status"]) == (200, target)
    else:
        assert (status, messages(body)) == (400, ["Invoice not of valid status for modification"])


def test_a_voided_invoice_keeps_its_figure_and_its_number(desk: Any) -> None:
    """AmountDue stays as it was; a POST with its number complains, a PUT too unless the switch says otherwise."""
    id_ = desk.add_invoice(**invoice(InvoiceNumber="X-1"))
    body = desk.ask("POST", f"Invoices/{id_}", {"Status": "VOIDED"})[1]
    assert body["Invoices"][0]["AmountDue"] == 120.0
    gone = ["Invoice not of valid status for modification"]
    assert messages(desk.ask("POST", "Invoices", invoice(InvoiceNumber="X-1"))[1]) == gone
    assert messages(desk.ask("PUT", "Invoices", invoice(InvoiceNumber="X-1"))[1]) == ["Invoice # must be unique."]
    desk.switch(reuse_void_number=True)
    assert desk.ask("PUT", "Invoices", invoice(InvoiceNumber="X-1"))[0] == 200


def test_what_money_fixes(desk: Any) -> None:
    """With a payment on it, amounts, date and status stand; reference, due date, text and account may change."""
    made = desk.ask("PUT", "Invoices", invoice(InvoiceNumber="M-1"))[1]["Invoices"][0]
    path, row = f"Invoices/{made['InvoiceID']}", made["LineItems"][0]["LineItemID"]
    desk.pay("M-1", 20)
    fixed = "This document cannot be edited as it has a payment or credit note allocated to it."
    cases = [
        ({"LineItems": [{"LineItemID": row, "UnitAmount": 90}]}, [fixed]),
        (
            {"LineItems": [line()]},
            ["To update fields on a paid invoice line item, you must supply a LineItemID", fixed],
        ),
        (
            {"Date": "2026-11-03"},
            ["Date cannot be changed on an invoice that has payment or credit notes allocated to it."],
        ),
        (
            {"Status": "VOIDED"},
            [
                (
                    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes "
                    "allocated to it."
                )
            ],
        ),
        ({"CurrencyCode": "GBP"}, [fixed]),
    ]
    for sent, wanted in cases:
        status, body = desk.ask("POST", path, sent)
        assert (status, messages(body)) == (400, wanted), sent
    free = {"Reference": "r", "DueDate": "2027-01-01", "Url": "https://app.example/1", "InvoiceNumber": "M-2"}
    assert desk.ask("POST", path, free)[0] == 200
    text = {"LineItems": [{"LineItemID": row, "Description": "mieux dit", "AccountCode": "707"}]}
    assert desk.ask("POST", path, text)[0] == 200
    found = desk.invoice("M-2")
    assert (found["LineItems"][0]["Description"], found["LineItems"][0]["AccountCode"]) == ("mieux dit", "707")
    assert (found["AmountPaid"], found["Total"]) == (20.0, 120.0)


def test_a_paid_invoice_says_two_things(desk: Any) -> None:
    """A structural edit of a paid invoice complains of its status and of the payment."""
    id_ = desk.add_invoice(**invoice(InvoiceNumber="M-1"))
    desk.pay("M-1")
    row = desk.invoice("M-1")["LineItems"][0]["LineItemID"]
    body = desk.ask("POST", f"Invoices/{id_}", {"LineItems": [{"LineItemID": row, "UnitAmount": 1}]})[1]
    assert messages(body) == [
        "Invoice not of valid status for modification",
        "This document cannot be edited as it has a payment or credit note allocated to it.",
    ]


def test_an_approved_zero_invoice_is_paid_at_once(desk: Any) -> None:
    """Widely seen, not proven: hence a switch."""
    free = invoice(LineItems=[line(UnitAmount=0)])
    assert desk.ask("PUT", "Invoices", free)[1]["Invoices"][0]["Status"] == "PAID"
    desk.switch(zero_total_is_paid=False)
    assert desk.ask("PUT", "Invoices", free)[1]["Invoices"][0]["Status"] == "AUTHORISED"


def test_unit_prices_show_the_decimals_asked_for(desk: Any) -> None:
    """Four decimals need unitdp=4 on the write and on the read."""
    fine = invoice(InvoiceNumber="D-1", LineItems=[line(UnitAmount="0.1234", Quantity=100)])
    desk.ask("PUT", "Invoices", fine, "unitdp=4")
    for query, shown in (("", 0.12), ("unitdp=4", 0.1234), ("unitDP=4", 0.1234)):
        found = desk.ask("GET", "Invoices/D-1", query=query)[1]["Invoices"][0]
        assert (found["LineItems"][0]["UnitAmount"], found["SubTotal"]) == (shown, 12.34)


def test_one_invoice_by_id_or_number_or_404(desk: Any) -> None:
    """Both keys work; an unknown one is 404 with nothing in it."""
    id_ = desk.add_invoice(**invoice(InvoiceNumber="FAC/1"))
    assert desk.ask("GET", f"Invoices/{id_}")[1]["Invoices"][0]["InvoiceNumber"] == "FAC/1"
    assert desk.ask("GET", "Invoices/FAC%2F1")[1]["Invoices"][0]["InvoiceID"] == id_
    assert desk.ask("GET", "Invoices/none") == (404, None)


def test_foreign_invoices_carry_a_day_rate(desk: Any) -> None:
    """The base currency reads 1.0, a foreign one the day's rate unless one is sent."""
    assert desk.ask("PUT", "Invoices", invoice())[1]["Invoices"][0]["CurrencyRate"] == 1.0
    assert desk.ask("PUT", "Invoices", invoice(CurrencyCode="GBP"))[1]["Invoices"][0]["CurrencyRate"] == 0.8412
    sent = invoice(CurrencyCode="GBP", CurrencyRate=0.9)
    assert desk.ask("PUT", "Invoices", sent)[1]["Invoices"][0]["CurrencyRate"] == 0.9


def test_the_date_defaults_to_the_organisations_today(desk: Any) -> None:
    """Half past eleven at night in UTC is tomorrow in Paris."""
    desk.books.clock.source = lambda: 1793575800.0  # 1 November 2026, 23:30 UTC
    found = desk.ask("PUT", "Invoices", invoice(Date=None))[1]["Invoices"][0]
    assert found["DateString"] == "2026-11-02T00:00:00"


def test_dates_are_taken_in_every_form(desk: Any) -> None:
    """ISO, ISO with time, and Microsoft's: all are the same day."""
    for text in ("2026-11-05", "2026-11-05T00:00:00", "/Date(1793836800000)/", "/Date(1793836800000+0000)/"):
        found = desk.ask("PUT", "Invoices", invoice(Date=text))[1]["Invoices"][0]
        assert found["DateString"] == "2026-11-05T00:00:00", text


def test_money_reads_as_xero_prints_it(desk: Any) -> None:
    """40.0 and 24.15, never 40 or 24.149999: the raw bytes count."""
    desk.ask(
        "PUT", "Invoices", invoice(InvoiceNumber="R-1", LineItems=[line(UnitAmount="20.125", Quantity=1)]), "unitdp=4"
    )
    raw = json.dumps(desk.ask("GET", "Invoices/R-1", query="unitdp=4")[1])
    assert '"UnitAmount": 20.125' in raw
    assert '"LineAmount": 20.13' in raw
    assert '"AmountPaid": 0.0' in raw


def test_notes_are_kept_on_documents(desk: Any) -> None:
    """PUT answers with less than GET shows; an unknown document has no history."""
    id_ = desk.add_invoice(**invoice())
    status, body = desk.ask("PUT", f"Invoices/{id_}/History", {"HistoryRecords": [{"Details": "Vu"}]})
    assert (status, list(body["HistoryRecords"][0])) == (
        200,
        ["Details", "DateUTCString", "DateUTC", "ValidationErrors"],
    )
    note = desk.ask("GET", f"Invoices/{id_}/History")[1]["HistoryRecords"][0]
    assert (note["Details"], note["User"]) == ("Vu", "System Generated")
    assert desk.ask("PUT", f"Invoices/{id_}/History", {"HistoryRecords": [{"Details": "x" * 2501}]})[0] == 400
    assert desk.ask("GET", f"Invoices/{ZERO}/History") == (404, None)
