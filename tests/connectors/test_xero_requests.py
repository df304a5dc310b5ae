"""What is sent to Xero, to the byte."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.connectors.xero import wire
from syncer.domain.matching.invoice_contacts import NewContact
from syncer.domain.model.books import Amendment, Document, DocumentLine, NewTaxRate, TaxComponent
from syncer.domain.model.payment import NewPayment

LINE = DocumentLine("Conseil", Decimal("1.5"), Decimal("19.9901"), "706", "TAX001")
DOCUMENT = Document(
    source_id="650000000000000000000041",
    number="F-2026-041",
    contact_id="aaaaaaaa-0000-4000-8000-000000000001",
    issue_date=date(2026, 9, 14),
    due_date=date(2026, 10, 14),
    currency="EUR",
    reference="Visite d'automne",
    url="https://app.crococlick.example/invoice/650000000000000000000041",
    status="AUTHORISED",
    sent_to_contact=True,
    inclusive=False,
    lines=(LINE,),
    total=Decimal("35.98"),
    total_tax=Decimal("6.00"),
)


def sent(document):
    """The one element of a create request, its numbers as they were written."""
    request = wire.put_invoices([document], call_id="c", key="k")
    return json.loads(request.body, parse_float=str, parse_int=str)["Invoices"][0]


def test_an_invoice_is_created_with_put_and_never_summarised():
    """PUT refuses a taken number; summarizeErrors=false keeps one bad element from hiding its neighbours."""
    request = wire.put_invoices([DOCUMENT], call_id="c1", key="k1")
    assert (request.method, request.path) == ("PUT", "/api.xro/2.0/Invoices")
    assert dict(request.query) == {"summarizeErrors": "false", "unitdp": "4"}
    assert (request.call_id, request.key) == ("c1", "k1")


def test_every_line_carries_the_tracking_options():
    """By their names; without any nothing is sent, so that Xero goes by the contact's own."""
    tracked = replace(DOCUMENT, lines=(LINE, LINE), tracking=(("Region", "North"), ("Team", "Red")))
    entries = [{"Name": "Region", "Option": "North"}, {"Name": "Team", "Option": "Red"}]
    assert [line["Tracking"] for line in sent(tracked)["LineItems"]] == [entries, entries]
    assert "Tracking" not in sent(DOCUMENT)["LineItems"][0]


def test_the_whole_document_is_on_the_wire():
    """Every field under Xero's name for it, dates bare, numbers digit by digit."""
    assert sent(DOCUMENT) == {
        "Type": "ACCREC",
        "InvoiceNumber": "F-2026-041",
        "Contact": {"ContactID": "aaaaaaaa-0000-4000-8000-000000000001"},
        "Date": "2026-09-14",
        "DueDate": "2026-10-14",
        "CurrencyCode": "EUR",
        "LineAmountTypes": "Exclusive",
        "Reference": "Visite d'automne",
        "Url": "https://app.crococlick.example/invoice/650000000000000000000041",
        "Status": "AUTHORISED",
        "SentToContact": True,
        "LineItems": [
            {
                "Description": "Conseil",
                "Quantity": "1.5",
                "UnitAmount": "19.9901",
                "AccountCode": "706",
                "TaxType": "TAX001",
            }
        ],
    }


def test_what_we_have_not_is_left_out_of_a_new_invoice():
    """No due date, reference, link or sent mark: no field."""
    bare = replace(DOCUMENT, due_date=None, reference="", url="", sent_to_contact=False, inclusive=True, status="DRAFT")
    assert set(sent(bare)) == set(sent(DOCUMENT)) - {"DueDate", "Reference", "Url", "SentToContact"}
    assert sent(bare)["LineAmountTypes"] == "Inclusive"


def test_discount_and_tax_only_where_they_say_something():
    """A discount of 0 is refused on a negative line; a tax amount of 0 is a statement."""
    line = replace(LINE, discount=Decimal("2.50"), tax_amount=Decimal(0), tax_type="")
    (found,) = sent(replace(DOCUMENT, lines=(line,)))["LineItems"]
    assert (found["DiscountAmount"], found["TaxAmount"]) == ("2.5", "0")
    assert "TaxType" not in found


def test_an_account_without_a_code_goes_by_its_id():
    """Bank accounts may have no code; no account at all leaves the field out."""
    by_id = replace(LINE, account="22222222-2222-4222-8222-222222222222")
    nothing = replace(LINE, account="")
    first, second = sent(replace(DOCUMENT, lines=(by_id, nothing)))["LineItems"]
    assert first["AccountID"] == "22222222-2222-4222-8222-222222222222"
    assert not {"AccountID", "AccountCode"} & set(second)


def test_numbers_keep_every_digit():
    """No float on the way: 0.1 is not 0.1000000000000000055, and no exponent appears."""
    written = wire.dumps(
        {"a": [Decimal("0.1"), Decimal("1E+3"), Decimal("12345678901234567.8901"), 3, True, None, "é"]}
    )
    assert written == '{"a":[0.1,1000,12345678901234567.8901,3,true,null,"é"]}'


def test_an_update_names_the_invoice_and_empties_what_was_emptied():
    """POST by InvoiceID; a reference taken away in CrocoClick is taken away in Xero."""
    request = wire.post_invoices([("id-1", replace(DOCUMENT, reference=""))], call_id="c", key="k")
    (element,) = json.loads(request.body)["Invoices"]
    assert request.method == "POST"
    assert dict(request.query) == {"summarizeErrors": "false", "unitdp": "4"}
    assert (element["InvoiceID"], element["Reference"]) == ("id-1", "")


def test_a_void_sends_nothing_but_the_status():
    """Other fields sent along have changed discounts."""
    request = wire.post_status(["id-1", "id-2"], "VOIDED", call_id="c", key="k")
    assert request.method == "POST"
    assert json.loads(request.body) == {
        "Invoices": [{"InvoiceID": "id-1", "Status": "VOIDED"}, {"InvoiceID": "id-2", "Status": "VOIDED"}]
    }


def test_a_contact_carries_our_mark():
    """The CrocoClick id goes into ContactNumber; empty fields are left out."""
    full = NewContact("s", "Maison Lumière", "bonjour@lumiere.example", "c6tZ", "+33601020304")
    request = wire.put_contacts([full, NewContact("t", "Sans rien")], call_id="c", key="k")
    assert (request.method, request.path) == ("PUT", "/api.xro/2.0/Contacts")
    assert json.loads(request.body)["Contacts"] == [
        {
            "Name": "Maison Lumière",
            "EmailAddress": "bonjour@lumiere.example",
            "ContactNumber": "c6tZ",
            "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "+33601020304"}],
        },
        {"Name": "Sans rien"},
    ]


def test_a_payment_carries_our_mark_and_its_account_by_code_or_id():
    """A payment has no natural key: the Reference is how it is found again."""
    payment = NewPayment("s", "inv", "090", date(2026, 9, 15), Decimal("10.00"), "CrocoClick 65aa01")
    (element,) = json.loads(wire.put_payments([payment], call_id="c", key="k").body)["Payments"]
    assert element == {
        "Invoice": {"InvoiceID": "inv"},
        "Account": {"Code": "090"},
        "Date": "2026-09-15",
        "Amount": 10,
        "Reference": "CrocoClick 65aa01",
    }


AMENDMENT = Amendment("id-1", "F-2026-041", "x1", date(2026, 11, 14), "Visite d'automne")


def test_an_amendment_sends_only_what_xero_lets_change():
    """No line, amount, date or status: anything else of an invoice with payments would be refused."""
    request = wire.post_amendments([AMENDMENT], call_id="c1", key="k1")
    assert (request.method, request.path) == ("POST", "/api.xro/2.0/Invoices")
    assert (dict(request.query), request.call_id, request.key) == ({"summarizeErrors": "false"}, "c1", "k1")
    assert json.loads(request.body) == {
        "Invoices": [
            {
                "InvoiceID": "id-1",
                "InvoiceNumber": "F-2026-041",
                "Contact": {"ContactID": "x1"},
                "DueDate": "2026-11-14",
                "Reference": "Visite d'automne",
            }
        ]
    }


def test_an_amendment_empties_a_reference_and_leaves_a_due_date_it_has_not():
    """What CrocoClick took away goes; a due date cannot."""
    request = wire.post_amendments([replace(AMENDMENT, reference="", due_date=None)], call_id="c", key="k")
    (element,) = json.loads(request.body)["Invoices"]
    assert element["Reference"] == ""
    assert "DueDate" not in element


def test_a_payment_is_taken_off_by_its_id():
    """POST with a status and nothing else: of a payment nothing else can change."""
    request = wire.delete_payment("pay-1", call_id="c1", key="k1")
    assert (request.method, request.path, request.query) == ("POST", "/api.xro/2.0/Payments/pay-1", ())
    assert (json.loads(request.body), request.call_id, request.key) == ({"Status": "DELETED"}, "c1", "k1")


PARTS = (TaxComponent("GST", Decimal(5)), TaxComponent("QST", Decimal("9.9750"), compound=True))


def test_a_tax_rate_is_created_with_its_components():
    """PUT, for POST has changed another rate; its type is Xero's to give."""
    request = wire.put_tax_rate(NewTaxRate("GST + QST", PARTS), call_id="c1", key="k1")
    assert (request.method, request.path, request.call_id, request.key) == ("PUT", "/api.xro/2.0/TaxRates", "c1", "k1")
    assert json.loads(request.body, parse_float=str, parse_int=str) == {
        "TaxRates": [
            {
                "Name": "GST + QST",
                "TaxComponents": [
                    {"Name": "GST", "Rate": "5", "IsCompound": False},
                    {"Name": "QST", "Rate": "9.975", "IsCompound": True},
                ],
            }
        ]
    }


def test_a_tax_rate_says_which_box_of_the_return_only_where_asked():
    """Some editions insist on ReportTaxType, the others refuse it."""
    (rate,) = json.loads(wire.put_tax_rate(NewTaxRate("VAT", PARTS, "OUTPUT"), call_id="c", key="k").body)["TaxRates"]
    assert rate["ReportTaxType"] == "OUTPUT"


def test_a_currency_is_enabled_with_its_bare_code():
    """Xero takes no list here."""
    request = wire.put_currency("GBP", call_id="c1", key="k1")
    assert (request.method, request.path, request.call_id, request.key) == (
        "PUT",
        "/api.xro/2.0/Currencies",
        "c1",
        "k1",
    )
    assert json.loads(request.body) == {"Code": "GBP"}


def test_contacts_are_asked_for_by_their_ids():
    """Archived ones too, for that is often why they are asked for."""
    request = wire.get_contacts_with_ids(["x1", "x2"])
    assert (request.method, request.path) == ("GET", "/api.xro/2.0/Contacts")
    assert dict(request.query) == {
        "IDs": "x1,x2",
        "includeArchived": "true",
        "page": "1",
        "pageSize": "1000",
        "order": "ContactID ASC",
    }


def test_lists_are_read_by_id_and_since():
    """Ordered by id a list that moves can repeat but not hide; If-Modified-Since is UTC to the second."""
    since = datetime(2026, 9, 14, 5, 4, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    contacts, heads = wire.get_contacts(2, since), wire.get_invoice_heads(1)
    assert contacts.headers == {"If-Modified-Since": "2026-09-14T03:04:05"}
    assert dict(contacts.query) == {
        "includeArchived": "true",
        "page": "2",
        "pageSize": "1000",
        "order": "ContactID ASC",
    }
    assert heads.headers == {}
    assert dict(heads.query)["where"] == 'Type=="ACCREC"'
    assert dict(heads.query)["summaryOnly"] == "true"


def test_fifty_numbers_are_one_question():
    """Numbers of ordinary length go in one look-up; very long ones are shared out; a comma needs another way."""
    (one,) = wire.get_invoices_numbered([f"F-2026-{n:03}" for n in range(50)])
    assert dict(one.query)["InvoiceNumbers"].count(",") == 49
    assert len(wire.get_invoices_numbered([f"{n:02}" + "N" * 198 for n in range(50)])) == 8
    plain, odd = wire.get_invoices_numbered(["A,1", 'B"2', " C 3", 'B"2'])
    assert dict(plain.query)["InvoiceNumbers"] == 'B"2'
    assert dict(odd.query)["where"] == 'InvoiceNumber=="A,1" OR InvoiceNumber==" C 3"'
    assert wire.get_invoices_numbered([]) == []


def test_one_comma_among_fifty_numbers_makes_two_questions():
    """The others are asked as cheaply as without it: `where` costs each number its field's name again."""
    requests = wire.get_invoices_numbered([f"FACTURE-2026-{n:05}" for n in range(49)] + ["1,000"])
    assert [request.query[0][0] for request in requests] == ["InvoiceNumbers", "where"]


def test_a_number_too_long_for_any_question_is_asked_for_by_its_beginning():
    """Every query is one that Xero takes; what else begins so comes too, and is told apart by our mark."""
    (one,) = wire.get_invoices_numbered(["請" * 255])
    assert dict(one.query)["where"] == f'InvoiceNumber.StartsWith("{"請" * 100}")'


def test_a_question_that_is_too_long_all_the_same_is_halved_until_one_number_is_left():
    """Xero answers 404 to a long query; of a single number nothing is left to halve."""
    (part,) = wire.number_parts(["A", "B", "C"])
    assert [half.terms for half in part.halves()] == [("A",), ("B", "C")]
    assert part.halves()[0].halves() == ()


NUMBERS = st.lists(
    st.one_of(
        st.text(max_size=255),
        st.text(alphabet='A1,"\\ &%+é請🧾', min_size=1, max_size=60),
        st.integers(0, 10**9).map("請求書-2026-{}".format),
    ),
    max_size=60,
)


def holds(term, number):
    """Whether a condition finds the number, as Xero would read it."""
    field, value = term.split("(" if ".StartsWith(" in term else "==", 1)
    wanted = json.loads(value.removesuffix(")") if field.endswith("StartsWith") else value)
    return number.startswith(wanted) if field.endswith("StartsWith") else number == wanted


@settings(deadline=None)
@given(NUMBERS)
def test_any_numbers_are_asked_for_completely_by_queries_that_xero_takes(numbers):
    """In any script, with commas, quotes and blanks: none is left out, and no query is too long."""
    requests = wire.get_invoices_numbered(numbers)
    assert requests == wire.get_invoices_numbered(numbers)
    assert all(len(request.target.partition("?")[2]) <= 1600 for request in requests)
    parts = wire.number_parts(numbers)
    listed = {term for part in parts if part.by == "InvoiceNumbers" for term in part.terms}
    terms = [term for part in parts if part.by == "where" for term in part.terms]
    assert not any("," in number or number != number.strip() for number in listed)
    assert listed <= set(numbers)
    assert all(number in listed or any(holds(term, number) for term in terms) for number in numbers if number)


def test_the_small_requests():
    """Settings, one invoice, connections."""
    assert wire.get("TaxRates").path == "/api.xro/2.0/TaxRates"
    assert wire.get_invoice("id-1").target == "/api.xro/2.0/Invoices/id-1?unitdp=4"
    assert wire.get_connections().path == "/connections"
    assert (wire.delete_connection("x").method, wire.delete_connection("x").path) == ("DELETE", "/connections/x")
    assert wire.headers("t")["Xero-Tenant-Id"] == "t"


def test_a_document_knows_its_weight():
    """So that a batch stays below the recommended size."""
    request = wire.put_invoices([DOCUMENT, DOCUMENT], call_id="c", key="k")
    assert len(request.body) <= 2 * wire.document_size(DOCUMENT) + len('{"Invoices":[]}')


def test_a_moment_in_utc_is_a_moment_in_utc():
    """The header's clock is Xero's."""
    assert wire.get_contacts(1, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)).headers == {
        "If-Modified-Since": "2026-01-02T03:04:05"
    }


def test_heads_are_asked_for_by_id_without_their_lines():
    """A comma list of InvoiceIDs, whatever their status."""
    request = wire.get_invoices_with_ids(["a", "b"])
    assert request.path.endswith("/Invoices")
    assert ("IDs", "a,b") in request.query and ("summaryOnly", "true") in request.query


def test_invoices_are_asked_for_whole_where_their_payments_matter():
    """The same list, but not the summary, which leaves payments out."""
    request = wire.get_invoices_with_payments(["a", "b"])
    assert request.path.endswith("/Invoices")
    assert ("IDs", "a,b") in request.query and "summaryOnly" not in dict(request.query)
