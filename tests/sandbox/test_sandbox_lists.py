"""Xero's lists: pages, filters, order, since when, and how much of each record they show."""

from typing import Any
from urllib.parse import urlencode

import pytest
from conftest import invoice, line


@pytest.fixture
def books(desk: Any) -> Any:
    """Six invoices of three contacts, different in everything a filter looks at."""
    for n, name in enumerate(("Société Générale d’Été", "Beta", "Gamma")):
        for m in range(2):
            desk.add_invoice(
                **invoice(
                    InvoiceNumber=f"L-{n}{m}",
                    Reference=f"ref {name}",
                    Contact={"Name": name},
                    Date=f"2026-1{m}-0{n + 1}",
                    DueDate=None if m == 0 else "2026-12-24",
                    Status="DRAFT" if m == 0 else "AUTHORISED",
                    LineItems=[line(UnitAmount=100 * (n + 1))],
                )
            )
    desk.pay("L-21")
    return desk


def numbers(desk: Any, **query: Any) -> list[str]:
    """The numbers a list gives."""
    status, body = desk.ask("GET", "Invoices", query=urlencode(query))
    assert status == 200, body
    return [i["InvoiceNumber"] for i in body["Invoices"]]


WHERE = [
    ('Status=="DRAFT"', ["L-00", "L-10", "L-20"]),
    ('Status=="PAID" OR Status == "AUTHORISED"', ["L-01", "L-11", "L-21"]),
    ('Type=="ACCREC" AND Status!="DRAFT" && AmountDue>0', ["L-01", "L-11"]),
    ("Date >= DateTime(2026, 11, 02)", ["L-11", "L-21"]),
    ("Date>=DateTime(2026,10,02) AND Date<=DateTime(2026,10,03)", ["L-10", "L-20"]),
    ('Contact.Name=="GAMMA"', ["L-20", "L-21"]),
    ('Contact.Name.Contains("generale d’ete")', ["L-00", "L-01"]),
    ('InvoiceNumber.StartsWith("L-1")', ["L-10", "L-11"]),
    ('InvoiceNumber.EndsWith("0") AND (Total>200 OR Total=120)', ["L-00", "L-10", "L-20"]),
    ("DueDate!=null", ["L-01", "L-11", "L-21"]),
    ("DueDate==null", ["L-00", "L-10", "L-20"]),
    ('Reference.ToLower().Contains("beta")', ["L-10", "L-11"]),
    ("AmountPaid > 0", ["L-21"]),
    ('not (Status=="DRAFT")', ["L-01", "L-11", "L-21"]),
]


@pytest.mark.parametrize(("clause", "found"), WHERE)
def test_where_clauses(books: Any, clause: str, found: list[str]) -> None:
    """Comparisons, AND and OR in both spellings, dates, nulls and text functions; case and accents do not count."""
    assert sorted(numbers(books, where=clause)) == found


def test_where_by_id(books: Any) -> None:
    """guid("…") finds one contact's invoices."""
    id_ = books.invoice("L-10")["Contact"]["ContactID"]
    assert sorted(numbers(books, where=f'Contact.ContactID==guid("{id_}")')) == ["L-10", "L-11"]


BAD = [
    ('SearchTerm=="x"', "No property or field 'SearchTerm' exists in type 'Invoice'"),
    ('DueDate > "2026"', "Operator '>' incompatible with operand types 'DateTime?' and 'String'"),
    ("Status==", "Expression expected"),
    ("Status", "Expression of type 'Boolean' expected"),
    ('Status=="DRAFT" )', "Syntax error"),
    ('InvoiceID==guid("12")', "Guid should contain 32 digits with 4 dashes"),
]


@pytest.mark.parametrize(("clause", "message"), BAD)
def test_a_clause_that_cannot_be_read(books: Any, clause: str, message: str) -> None:
    """ErrorNumber 16 says what is wrong with the clause."""
    status, body = books.ask("GET", "Invoices", query=urlencode({"where": clause}))
    assert (status, body["ErrorNumber"], body["Type"], body["Message"]) == (400, 16, "QueryParseException", message)


def test_order(books: Any) -> None:
    """By any field, both ways, several at once."""
    assert numbers(books, order="Total DESC, InvoiceNumber")[:2] == ["L-20", "L-21"]
    assert numbers(books, order="InvoiceNumber DESC")[0] == "L-21"
    assert books.ask("GET", "Invoices", query="order=Nope")[0] == 400


def test_the_default_order_is_oldest_change_first(books: Any) -> None:
    """What changed last comes last, so that a reader in pages misses nothing."""
    books.books.clock.advance(5)
    books.update("invoices", "L-00", Reference="moved")
    assert numbers(books)[-1] == "L-00"


def test_comma_lists_and_search(books: Any) -> None:
    """Ids, numbers, contacts and statuses narrow a list; the search term looks at number and reference."""
    one = books.invoice("L-01")
    assert numbers(books, IDs=one["InvoiceID"]) == ["L-01"]
    assert sorted(numbers(books, InvoiceNumbers="L-01,L-20,L-99")) == ["L-01", "L-20"]
    assert sorted(numbers(books, ContactIDs=one["Contact"]["ContactID"])) == ["L-00", "L-01"]
    assert numbers(books, Statuses="PAID") == ["L-21"]
    assert sorted(numbers(books, searchTerm="GAMMA")) == ["L-20", "L-21"]
    assert numbers(books, createdByMyApp="true") == []


def test_pages(books: Any) -> None:
    """A page says where it stands; past the end it is empty; Statuses alone force pages."""
    body = books.ask("GET", "Invoices", query="page=2&pageSize=4")[1]
    assert body["pagination"] == {"page": 2, "pageSize": 4, "pageCount": 2, "itemCount": 6}
    assert list(body) == ["Id", "Status", "ProviderName", "DateTimeUTC", "pagination", "Invoices"]
    assert len(body["Invoices"]) == 2
    assert books.ask("GET", "Invoices", query="page=9")[1]["Invoices"] == []
    assert "pagination" in books.ask("GET", "Invoices", query="Statuses=DRAFT")[1]
    assert "pagination" not in books.ask("GET", "Invoices")[1]


def test_how_much_each_list_shows(books: Any) -> None:
    """No page: no lines. Page: lines. Summary: neither lines nor payments."""
    assert books.ask("GET", "Invoices")[1]["Invoices"][0]["LineItems"] == []
    assert len(books.ask("GET", "Invoices", query="page=1")[1]["Invoices"][0]["LineItems"]) == 1
    paid = books.ask("GET", "Invoices", query="InvoiceNumbers=L-21&page=1")[1]["Invoices"][0]
    assert [p["Amount"] for p in paid["Payments"]] == [360.0]
    summary = books.ask("GET", "Invoices", query="summaryOnly=True")[1]
    assert "pagination" in summary
    assert not {"LineItems", "Payments", "HasAttachments", "CISDeduction"} & summary["Invoices"][0].keys()


def test_only_what_changed_since(books: Any) -> None:
    """If-Modified-Since has whole seconds, with or without a zone; the very second is included."""
    clock = books.books.clock
    clock.advance(10)
    books.update("invoices", "L-10", Reference="x")
    stamp = books.invoice("L-10")["UpdatedDateUTCString"]
    for header in (stamp, stamp.rstrip("Z"), stamp.replace("Z", "+00:00")):
        body = books.ask("GET", "Invoices", if_modified_since=header)[1]
        assert [i["InvoiceNumber"] for i in body["Invoices"]] == ["L-10"], header
    clock.advance(10)
    later = clock.utc().strftime("%Y-%m-%dT%H:%M:%S")
    assert books.ask("GET", "Invoices", if_modified_since=later)[1]["Invoices"] == []


def test_a_payment_moves_the_invoice(books: Any) -> None:
    """Paying and taking the payment back both change the invoice's stamp."""
    clock, stamps = books.books.clock, [books.invoice("L-11")["UpdatedDateUTC"]]
    clock.advance(3)
    id_ = books.pay("L-11", 5)
    stamps.append(books.invoice("L-11")["UpdatedDateUTC"])
    clock.advance(3)
    books.ask("POST", f"Payments/{id_}", {"Status": "DELETED"})
    stamps.append(books.invoice("L-11")["UpdatedDateUTC"])
    assert len(set(stamps)) == 3


def test_contacts_show_more_when_asked_singly_or_in_pages(desk: Any) -> None:
    """An unpaged list leaves out persons and terms, a summary even addresses; archived ones come on request."""
    desk.add_contact(Name="A", EmailAddress="a@x.example", ContactNumber="N1", Website="https://a.example")
    desk.add_contact(Name="Z", ContactStatus="ARCHIVED")
    plain = desk.ask("GET", "Contacts")[1]["Contacts"]
    assert [c["Name"] for c in plain] == ["A"]
    assert not {"ContactPersons", "Website"} & plain[0].keys()
    paged = desk.ask("GET", "Contacts", query="page=1&includeArchived=true")[1]
    assert {c["Name"] for c in paged["Contacts"]} == {"A", "Z"}
    assert "ContactPersons" in paged["Contacts"][0]
    summary = desk.ask("GET", "Contacts", query="summaryOnly=true")[1]["Contacts"][0]
    assert not {"Addresses", "IsCustomer", "ContactPersons"} & summary.keys()
    assert desk.ask("GET", "Contacts/N1")[1]["Contacts"][0]["Website"] == "https://a.example"
    assert len(plain[0]["Phones"]) == 4 and len(plain[0]["Addresses"]) == 2


def test_contacts_are_found_by_email_name_and_search(desk: Any) -> None:
    """Email is not unique: an exact filter may hit twice. Case and accents do not count."""
    for name in ("Été", "Hiver"):
        desk.add_contact(Name=name, EmailAddress="Info@X.example")
    found = desk.ask("GET", "Contacts", query=urlencode({"where": 'EmailAddress=="info@x.EXAMPLE"'}))[1]
    assert len(found["Contacts"]) == 2
    assert len(desk.ask("GET", "Contacts", query=urlencode({"where": 'Name="ete"'}))[1]["Contacts"]) == 1
    assert len(desk.ask("GET", "Contacts", query="searchTerm=hIv")[1]["Contacts"]) == 1


def test_a_merged_contact_points_to_its_survivor(desk: Any) -> None:
    """The loser is archived and carries the survivor's id."""
    loser, survivor = desk.add_contact(Name="A"), desk.add_contact(Name="B")
    desk.merge_contacts(loser, survivor)
    found = desk.ask("GET", f"Contacts/{loser}")[1]["Contacts"][0]
    assert (found["ContactStatus"], found["MergedToContactID"]) == ("ARCHIVED", survivor)
