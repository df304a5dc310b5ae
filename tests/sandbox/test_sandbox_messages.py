"""Every validation message, word for word, where Xero would give it."""

from typing import Any

import pytest
from conftest import invoice, line, messages

ID = "00000000-0000-4000-8000-000000000001"


def put(desk: Any, **fields: Any) -> list[str]:
    """Create one invoice and give the complaints."""
    status, body = desk.ask("PUT", "Invoices", {"Invoices": [invoice(**fields)]})
    assert status == 400, body
    assert body["ErrorNumber"] == 10
    assert body["Elements"][0]["HasErrors"] is True
    return messages(body)


INVOICES = [
    ({"Contact": None}, "A Contact must be specified for this type of transaction"),
    (
        {"Contact": {}},
        (
            "The Contact must contain at least 1 of the following elements to identify the contact: "
            "Name, ContactID, ContactNumber"
        ),
    ),
    ({"Status": "PAID"}, "Invoice not of valid status for creation"),
    ({"Status": "VOIDED"}, "Invoice not of valid status for creation"),
    ({"Status": "DELETED"}, "Invoice not of valid status for creation"),
    ({"Date": ""}, "The Date field must be specified."),
    ({"DueDate": None}, "The document DueDate field must be specified."),
    ({"LineItems": None}, "One or more line items must be specified"),
    ({"LineItems": []}, "One or more line items must be specified"),
    ({"LineItems": [line(Description="")]}, "The description field is mandatory for each line item."),
    ({"LineItems": [line(UnitAmount=-1)]}, "The Total for this document must be greater than or equal to zero."),
    (
        {"LineItems": [line(Quantity=-1)]},
        "The quantity value '-1.0000' is invalid. Quantity must not be less than zero.",
    ),
    (
        {"LineItems": [line(Quantity=0)]},
        "The quantity value '0.0000' is invalid. Quantity must not be less than zero.",
    ),
    ({"LineItems": [line(LineAmount=99.5)]}, "The line total 99.50 does not match the expected line total 100.00"),
    ({"Total": 119.99}, "The document total does not equal the sum of the lines"),
    ({"SubTotal": 1}, "The document total does not equal the sum of the lines"),
    ({"LineItems": [line(TaxAmount=100.01)]}, "The tax amount cannot be greater than the line amount"),
    (
        {"Type": "ACCPAY", "LineItems": [line(AccountCode="606", DiscountRate=10)]},
        "Discounts may not be applied to ACCPAY invoices.",
    ),
    (
        {"LineItems": [line(DiscountAmount=127.83)]},
        "The discount rate '127.83' is invalid. Discount must not be greater than the line total.",
    ),
    (
        {"LineItems": [line(UnitAmount=-5, DiscountAmount=1), line()]},
        "The discount rate '1.00' is invalid. Discount must not be greater than the line total.",
    ),
    ({"LineItems": [line(UnitAmount=0.004)]}, "Account must be valid."),
    ({"LineItems": [line(UnitAmount=0.004)]}, "Tax rate must be valid."),
    ({"LineItems": [line(UnitAmount=0.01, Quantity=0.4)]}, "Account must be valid."),
    ({"LineItems": [line(AccountCode=None)]}, "Account code or ID must be specified"),
    ({"LineItems": [line(TaxType=None, AccountCode="999")]}, "The TaxType field is mandatory"),
    ({"LineItems": [line(AccountCode="999")]}, "Account code '999' is not a valid code for this document."),
    ({"LineItems": [line(AccountCode="512")]}, "Account code '512' is not a valid code for this document."),
    ({"LineItems": [line(AccountCode="411")]}, "Account code '411' is not a valid code for this document."),
    ({"LineItems": [line(AccountCode=ID)]}, f"Account code '{ID}' is not a valid code"),
    (
        {"LineItems": [line(AccountCode="709")]},
        "Account code '709' has been archived, or has been deleted. Each line item must reference a valid account.",
    ),
    (
        {"LineItems": [line(TaxType="GSTONIMPORTS")]},
        "The TaxType code 'GSTONIMPORTS' cannot be used with account code '706'.",
    ),
    (
        {"LineItems": [line(TaxType="TVA 20 %")]},
        "The TaxType code TVA 20 % does not exist or cannot be used for this type of transaction.",
    ),
    ({"LineItems": [line(ItemCode="NOPE")]}, "Item Code 'NOPE' is not valid"),
    (
        {"LineItems": [line(Tracking=[{"Name": "Region", "Option": "North"}])]},
        "Unknown tracking details. A Tracking Category did not match a known active Tracking Category.",
    ),
    ({"CurrencyCode": "CHF"}, "Organisation is not subscribed to currency CHF"),
    ({"InvoiceNumber": "FAC-é"}, "Sandbox: an invoice number holds printable ASCII characters only."),
    ({"Url": "/relative"}, "Sandbox: the Url must be absolute and must not contain 'xero'."),
    ({"Url": "https://go.xero.com/x"}, "Sandbox: the Url must be absolute and must not contain 'xero'."),
    (
        {"Status": "DRAFT", "SentToContact": True},
        "Sandbox: only approved invoices may have SentToContact set.",
    ),
    ({"Reference": "x" * 256}, "Sandbox: Reference is longer than 255 characters."),
    ({"Contact": {"Name": "A", "EmailAddress": "é@x.fr"}}, "Email address must be valid."),
]


@pytest.mark.parametrize(("fields", "message"), INVOICES, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_an_invoice_is_refused_in_xeros_words(desk: Any, fields: dict[str, Any], message: str) -> None:
    """Each mistake in a new invoice gets the message that the catalogue quotes."""
    assert message in put(desk, **fields)
    assert desk.invoices() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"LineItems": [line(UnitAmount=0)]},
        {"LineItems": [line(), {"Description": "Merci de votre confiance"}]},
        {"LineItems": [line(), line(UnitAmount=-40)]},
        {"LineItems": [line(DiscountRate=100), line()]},
        {"SubTotal": 100, "TotalTax": 20, "Total": "120.00"},
        {"Url": "https://app.crococlick.example/invoices/1"},
        {"Status": "DRAFT", "DueDate": None, "LineItems": [line(AccountCode=None, TaxType=None)]},
        {"SentToContact": True},
        {"LineItems": [line(AccountCode=None, AccountID=None, ItemCode=None) | {"AccountCode": "707"}]},
    ],
)
def test_what_is_allowed_is_not_refused(desk: Any, fields: dict[str, Any]) -> None:
    """Zero prices, description-only lines, negative lines, full discounts and right totals all pass."""
    status, body = desk.ask("PUT", "Invoices", {"Invoices": [invoice(**fields)]})
    assert status == 200, body


def test_a_used_number_is_refused_by_put(desk: Any) -> None:
    """PUT never touches the invoice that already has the number."""
    desk.add_invoice(**invoice(InvoiceNumber="F-1"))
    assert put(desk, InvoiceNumber="F-1") == ["Invoice # must be unique."]


def test_an_archived_contact_takes_no_invoice(desk: Any) -> None:
    """An invoice to an archived contact is refused; by name it makes a new contact."""
    id_ = desk.add_contact(Name="Parti", ContactStatus="ARCHIVED")
    assert put(desk, Contact={"ContactID": id_}) == [
        (
            "The contact with the specified contact details has been archived. "
            "The contact must be un-archived before creating new invoices or credit notes."
        )
    ]


def test_the_plans_monthly_cap(desk: Any) -> None:
    """A small plan approves twenty sales invoices a month; drafts go on."""
    desk.organisation(Class="STARTER")
    for n in range(20):
        desk.add_invoice(**invoice(InvoiceNumber=f"C-{n}"))
    assert put(desk) == ["You have reached the limit of invoices you can approve"]
    assert desk.ask("PUT", "Invoices", invoice(Status="DRAFT"))[0] == 200


def test_lock_dates(desk: Any) -> None:
    """The lock date itself is locked; an adviser passes the period lock, nobody the year's; drafts pass both."""
    desk.organisation(PeriodLockDate="2026-11-02", EndOfYearLockDate="2025-12-31")
    period = "The document date cannot be before the period lock date, currently set at 02-Nov-2026"
    year = "The document date cannot be before the end of year lock date, currently set at 31-Dec-2025"
    assert put(desk) == [period]
    assert put(desk, Date="2025-12-31") == [year]
    assert desk.ask("PUT", "Invoices", invoice(Date="2026-11-03"))[0] == 200
    assert desk.ask("PUT", "Invoices", invoice(Status="DRAFT"))[0] == 200
    desk.switch(adviser=True)
    assert desk.ask("PUT", "Invoices", invoice())[0] == 200
    assert put(desk, Date="2025-12-31") == [year]


def test_an_approved_invoice_in_a_locked_period_stays(desk: Any) -> None:
    """Once its period is locked, not even the reference may change."""
    id_ = desk.add_invoice(**invoice())
    desk.organisation(EndOfYearLockDate="2026-11-30")
    status, body = desk.ask("POST", f"Invoices/{id_}", {"Reference": "neu"})
    assert status == 400
    assert messages(body) == ["Document cannot be edited as it is currently dated before end of year lock date"]


def test_currencies_follow_the_plan(desk: Any) -> None:
    """A currency that is enabled still fails when the plan has lost multicurrency, or its rate is unknown."""
    assert desk.ask("PUT", "Invoices", invoice(CurrencyCode="GBP"))[0] == 200
    desk.organisation(Class="STANDARD")
    assert put(desk, CurrencyCode="GBP") == ["Organisation is not subscribed to currency GBP"]
    desk.organisation(Class="PREMIUM")
    desk.add_currency("XAF")
    assert put(desk, CurrencyCode="XAF") == ["A currency rate must be specified"]
    assert desk.ask("PUT", "Invoices", invoice(CurrencyCode="XAF", CurrencyRate="655.957"))[0] == 200


def test_a_drafts_unknown_account_is_only_a_warning(desk: Any) -> None:
    """A draft loses the account code and says so; approving it is what needs one."""
    path = "Invoices?x"
    status, body = desk.ask(
        "PUT", path.split("?")[0], invoice(Status="DRAFT", LineItems=[line(AccountCode="476")]), "summarizeErrors=false"
    )
    made = body["Invoices"][0]
    assert status == 200 and made["StatusAttributeString"] == "WARNING"
    warning = "Account code '476' has been removed as it does not match a recognised account."
    assert made["Warnings"] == [{"Message": warning}]
    assert "AccountCode" not in made["LineItems"][0]


def test_the_older_wordings(desk: Any) -> None:
    """Where Xero has had two texts for one complaint, a switch brings the other."""
    desk.switch(old_wordings=True)
    desk.add_contact(Name="Twin")
    assert put(desk, Contact=None) == ["Contact cannot be empty."]
    assert put(desk, DueDate=None) == ["Due date cannot be empty."]
    assert put(desk, LineItems=[line(AccountCode=None)]) == ["Account code must be specified"]
    assert put(desk, CurrencyCode="CHF") == ["Users Organisation is not subscribed to currency CHF"]
    _status, body = desk.ask("PUT", "Contacts", {"Name": "twin"})
    assert messages(body) == ["The contact name already exists. Please enter a different contact name"]


def test_a_read_only_user_changes_nothing(desk: Any) -> None:
    """A role that is too low is told so, for invoices and payments alike."""
    id_ = desk.add_invoice(**invoice())
    desk.switch(role="READONLY")
    text = "The User specified does not have the correct permissions to perform this action"
    assert put(desk) == [text]
    payment = {"Invoice": {"InvoiceID": id_}, "Account": {"Code": "512"}, "Amount": 5}
    assert messages(desk.ask("PUT", "Payments", payment)[1]) == [text]


CONTACTS = [
    (
        {"Name": "JEAN  dupont"},
        (
            "The contact name JEAN  dupont is already assigned to another contact. "
            "The contact name must be unique across all active contacts."
        ),
    ),
    ({"Name": ""}, "Contact Name cannot be empty."),
    (
        {"Name": "B", "ContactNumber": "N1"},
        "Another contact has this contact number. Please enter a different contact number.",
    ),
    ({"Name": "B", "EmailAddress": "not an address"}, "Email address must be valid."),
    ({"Name": "B", "EmailAddress": "rené@x.example"}, "Email address must be valid."),
    (
        {"Name": "B", "ContactPersons": [{"FirstName": "A"}]},
        "Additional people cannot be added when the primary person has no email address set.",
    ),
    (
        {"Name": "B", "EmailAddress": "b@x.example", "ContactPersons": [{"FirstName": str(n)} for n in range(6)]},
        "You can only have a maximum of 5 contact persons.",
    ),
    ({"Name": "B", "Website": "not a website"}, "Website must be valid."),
    ({"Name": "B", "ContactStatus": "ARCHIVED"}, "The status 'ARCHIVED' is not valid for contacts"),
    ({"Name": "<B>"}, "Sandbox: a contact name must not contain angle brackets."),
    ({"Name": "x" * 256}, "Sandbox: Name is longer than 255 characters."),
    (
        {"Name": "B", "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1" * 51}]},
        "Sandbox: PhoneNumber is longer than 50 characters.",
    ),
]


@pytest.mark.parametrize(("fields", "message"), CONTACTS, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_a_contact_is_refused_in_xeros_words(desk: Any, fields: dict[str, Any], message: str) -> None:
    """Each mistake in a new contact gets the message that the catalogue quotes, over the zero id."""
    desk.add_contact(Name="Jean Dupont", ContactNumber="N1")
    status, body = desk.ask("PUT", "Contacts", {"Contacts": [fields]})
    assert (status, messages(body)) == (400, [message])
    assert body["Elements"][0]["ContactID"] == "00000000-0000-0000-0000-000000000000"
    assert len(desk.contacts()) == 1


def test_an_archived_contact_cannot_be_edited(desk: Any) -> None:
    """Archiving is the API's last word on a contact; its number stays taken and its name is free."""
    id_ = desk.add_contact(Name="Parti", ContactNumber="N9")
    assert desk.ask("POST", "Contacts", {"ContactID": id_, "ContactStatus": "ARCHIVED"})[0] == 200
    status, body = desk.ask("POST", f"Contacts/{id_}", {"Name": "Revenu", "ContactStatus": "ACTIVE"})
    assert status == 400
    assert messages(body) == [
        (
            "The specified contact details matched an archived contact. "
            "Archived contacts cannot currently be edited via the API."
        )
    ]
    assert desk.ask("PUT", "Contacts", {"Name": "Parti"})[0] == 200
    taken = messages(desk.ask("PUT", "Contacts", {"Name": "Autre", "ContactNumber": "N9"})[1])
    assert taken == ["Another contact has this contact number. Please enter a different contact number."]


PAYMENTS = [
    ({"Amount": 120.01}, "Payment amount exceeds the amount outstanding on this document"),
    ({"Amount": 0}, "Payment amounts must be positive amounts"),
    ({"Amount": -5}, "Payment amounts must be positive amounts"),
    ({"Account": {"Code": "706"}}, "Account type is invalid for making a payment to/from"),
    ({"Account": {}}, "You must specify an Account code or Account ID for the payment"),
    ({"Account": {"Code": "nope"}}, "Account could not be found"),
    ({"Invoice": {"InvoiceNumber": "nope"}}, "Invoice could not be found"),
    ({"Date": "2025-01-01"}, "The document date cannot be before the period lock date, currently set at 30-Jun-2025"),
]


@pytest.mark.parametrize(("fields", "message"), PAYMENTS, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_a_payment_is_refused_in_xeros_words(desk: Any, fields: dict[str, Any], message: str) -> None:
    """Each mistake in a payment gets the message that the catalogue quotes."""
    desk.organisation(PeriodLockDate="2025-06-30")
    desk.add_invoice(**invoice(InvoiceNumber="P-1"))
    sent = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "512"}, "Date": "2026-11-05", "Amount": 10}
    status, body = desk.ask("PUT", "Payments", {"Payments": [sent | fields]})
    assert (status, messages(body)) == (400, [message])
    assert desk.invoice("P-1")["AmountDue"] == 120.0


def test_payments_only_for_approved_invoices(desk: Any) -> None:
    """A draft takes no money; a paid invoice complains twice."""
    desk.add_invoice(**invoice(InvoiceNumber="D-1", Status="DRAFT"))
    desk.add_invoice(**invoice(InvoiceNumber="D-2"))
    desk.pay("D-2")
    sent = {"Account": {"Code": "512"}, "Amount": 10}
    only = "Payments can only be made against Authorised documents"
    over = "Payment amount exceeds the amount outstanding on this document"
    assert messages(desk.ask("PUT", "Payments", sent | {"Invoice": {"InvoiceNumber": "D-1"}})[1]) == [only]
    assert messages(desk.ask("PUT", "Payments", sent | {"Invoice": {"InvoiceNumber": "D-2"}})[1]) == [only, over]


def test_an_archived_bank_account_is_not_known(desk: Any) -> None:
    """Money cannot go to a bank account that was archived."""
    desk.add_invoice(**invoice(InvoiceNumber="B-1"))
    desk.update("accounts", "512", Status="ARCHIVED")
    sent = {"Invoice": {"InvoiceNumber": "B-1"}, "Account": {"Code": "512"}, "Amount": 10}
    text = "The specified bank account details do not match a known bank account"
    assert messages(desk.ask("PUT", "Payments", sent)[1]) == [text]


def test_payments_that_cannot_be_deleted(desk: Any) -> None:
    """Members of a batch and reconciled payments stay."""
    desk.add_invoice(**invoice(InvoiceNumber="B-1"))
    id_ = desk.pay("B-1", 10)
    desk.update("payments", id_, InBatch=True)
    status, body = desk.ask("POST", f"Payments/{id_}", {"Status": "DELETED"})
    assert (status, messages(body)) == (400, ["Payments within a batch cannot be deleted."])
    desk.update("payments", id_, InBatch=False, IsReconciled=True)
    assert messages(desk.ask("POST", f"Payments/{id_}", {"Status": "DELETED"})[1])[0].startswith("Sandbox:")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"Code": "706", "Name": "Autre", "Type": "SALES"}, "Please enter a unique Name."),
        ({"Code": "7061", "Name": "prestations de SERVICES", "Type": "SALES"}, "Please enter a unique Name."),
        (
            {"Name": "Bank CAD", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "CAD"},
            "The current organisation is not subscribed to currency 'CAD'.",
        ),
    ],
)
def test_an_account_is_refused_in_xeros_words(desk: Any, sent: dict[str, Any], message: str) -> None:
    """Accounts have unique names and codes, and currencies that are enabled."""
    status, body = desk.ask("PUT", "Accounts", sent)
    assert (status, messages(body)) == (400, [message])


UNREADABLE = [
    (b"{", "JSON request body could not be read"),
    (b'{"Type":"ACCREC","Date":"20100510"}', "The string '20100510' is not a valid AllXsd value."),
    (b'{"Date":"2026-13-45"}', "The string '2026-13-45' is not a valid AllXsd value."),
    (b'{"Date":"tomorrow"}', "Could not convert string to DateTime: tomorrow"),
    (
        b'{"LineAmountTypes":"NO_TAX"}',
        "Error converting value \"NO_TAX\" to type 'Xero.API.Library.Model.LineAmountType'",
    ),
    (b'{"Status":"SENT"}', 'Error converting value "SENT" to type'),
    (b'{"Type":"SALE"}', 'Error converting value "SALE" to type'),
    (b'{"LineItems":[{"UnitAmount":"ten"}]}', "Input string was not in a correct format"),
    (b'{"LineItems":[{"UnitAmount":NaN}]}', "Input string was not in a correct format"),
    (b'{"LineItems":{}}', "JSON for post data was invalid"),
]


@pytest.mark.parametrize(("body", "message"), UNREADABLE)
def test_a_body_that_cannot_be_read_spoils_the_request(desk: Any, body: bytes, message: str) -> None:
    """ErrorNumber 14, and nothing of the request is carried out, good neighbours included."""
    status, answer = desk.ask("PUT", "Invoices", body)
    assert (status, answer["ErrorNumber"], answer["Type"]) == (400, 14, "PostDataInvalidException")
    assert message in answer["Message"]
    assert desk.contacts() == []
