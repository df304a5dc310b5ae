"""Every message that Xero is known to give, one by one."""

import pytest

from syncer.connectors.xero import error_messages
from syncer.domain.model.problems import CAUSES

# Number in our catalogue, the message, its cause, and the facts it holds.
CATALOGUE = [
    (
        1,
        (
            "The contact name Ann O'Neil & Co. is already assigned to another contact. The contact name must be unique "
            "across all active contacts."
        ),
        "contact_name_taken",
        {"name": "Ann O'Neil & Co."},
    ),
    (2, "The contact name already exists. Please enter a different contact name", "contact_name_taken", {}),
    (
        3,
        (
            "The specified contact details matched an archived contact. Archived contacts cannot currently be edited "
            "via the API."
        ),
        "contact_archived",
        {},
    ),
    (
        4,
        (
            "The contact with the specified contact details has been archived. The contact must be un-archived before "
            "creating new invoices or credit notes."
        ),
        "contact_archived",
        {},
    ),
    (5, "The status 'ARCHIVED' is not valid for contacts", "contact_archived", {}),
    (
        6,
        "Another contact has this contact number. Please enter a different contact number.",
        "contact_ambiguous",
        {"reason": "number_taken"},
    ),
    (7, "Contact Name cannot be empty.", "contact_invalid", {"field": "name"}),
    (8, "Contact cannot be empty.", "contact_missing", {}),
    (9, "Paid to name cannot be empty.", "contact_missing", {}),
    (
        10,
        (
            "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, "
            "ContactNumber"
        ),
        "contact_missing",
        {},
    ),
    (11, "A Contact must be specified for this type of transaction", "contact_missing", {}),
    (12, "Email address must be valid.", "contact_invalid", {"field": "email"}),
    (
        13,
        "Additional people cannot be added when the primary person has no email address set.",
        "contact_invalid",
        {"field": "email"},
    ),
    (14, "You can only have a maximum of 5 contact persons.", "contact_invalid", {"field": "persons"}),
    (15, "Website must be valid.", "contact_invalid", {"field": "website"}),
    (16, "Unable to assign an Archived contact.", "contact_archived", {}),
    (17, "Invoice # must be unique.", "number_taken", {}),
    (18, "Invoice not of valid status for modification", "changed_in_xero", {}),
    (19, "Invoice not of valid status for creation", "rejected_by_xero", {"reason": "status"}),
    (
        20,
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "edited_after_payment",
        {},
    ),
    (
        21,
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
        "void_with_payments",
        {"status": "VOIDED"},
    ),
    (
        21,
        "The status 'DRAFT' cannot be applied to the invoice because it has payments or credit notes allocated to it.",
        "edited_after_payment",
        {"status": "DRAFT"},
    ),
    (
        22,
        "To update fields on a paid invoice line item, you must supply a LineItemID",
        "edited_after_payment",
        {"field": "lines"},
    ),
    (
        23,
        "Date cannot be changed on an invoice that has payment or credit notes allocated to it.",
        "edited_after_payment",
        {"field": "issue_date"},
    ),
    (24, "You have reached the limit of invoices you can approve", "plan_invoice_cap", {}),
    (25, "An existing invoice with the specified ID could not be found", "removed_in_xero", {}),
    (26, "An existing Credit Note with the specified CreditNoteID could not be found", "removed_in_xero", {}),
    (27, "The document with the supplied id was not found for this endpoint.", "removed_in_xero", {}),
    (28, "The Date field must be specified.", "line_invalid", {"field": "issue_date", "reason": "missing"}),
    (29, "The document DueDate field must be specified.", "due_date_missing", {}),
    (30, "Due date cannot be empty.", "due_date_missing", {}),
    (31, "One or more line items must be specified", "line_invalid", {"field": "lines"}),
    (32, "The description field is mandatory for each line item.", "line_invalid", {"field": "description"}),
    (33, "The Total for this document must be greater than or equal to zero.", "negative_total", {}),
    (
        34,
        "The quantity value '-1.0000' is invalid. Quantity must not be less than zero.",
        "line_invalid",
        {"field": "quantity", "quantity": "-1.0000"},
    ),
    (
        35,
        "The line total 666.88 does not match the expected line total 666.93",
        "total_mismatch",
        {"found": "666.88", "expected": "666.93"},
    ),
    (36, "The document total does not equal the sum of the lines", "total_mismatch", {}),
    (37, "The tax amount cannot be greater than the line amount", "line_invalid", {"field": "tax_amount"}),
    (38, "Discounts may not be applied to ACCPAY invoices.", "line_invalid", {"field": "discount"}),
    (
        39,
        "The discount rate '27.83' is invalid. Discount must not be greater than the line total.",
        "line_invalid",
        {"field": "discount", "discount": "27.83"},
    ),
    (40, "Account must be valid.", "line_invalid", {"field": "account", "reason": "perhaps_price_too_small"}),
    (40, "Tax rate must be valid.", "line_invalid", {"field": "tax", "reason": "perhaps_price_too_small"}),
    (41, "Account code or ID must be specified", "account_missing", {}),
    (42, "Account code must be specified", "account_missing", {}),
    (43, "The TaxType field is mandatory", "tax_unmapped", {}),
    (
        44,
        "Account code '200' is not a valid code for this document.",
        "account_invalid",
        {"account": "200", "reason": "not_for_document"},
    ),
    (
        45,
        "Account code '22222222-2222-4222-8222-222222222222' is not a valid code",
        "account_invalid",
        {"account": "22222222-2222-4222-8222-222222222222", "reason": "not_for_document"},
    ),
    (
        46,
        "Account code '200' has been archived, or has been deleted. Each line item must reference a valid account.",
        "account_invalid",
        {"account": "200", "reason": "archived"},
    ),
    (
        47,
        "Account code '200' does not exist or cannot be applied to Items.",
        "account_invalid",
        {"account": "200", "reason": "not_for_items"},
    ),
    (
        48,
        "Account code '476' has been removed as it does not match a recognised account.",
        "account_invalid",
        {"account": "476", "reason": "unknown"},
    ),
    (
        49,
        "The TaxType code 'INPUT2' cannot be used with account code '200'.",
        "tax_not_for_account",
        {"tax_type": "INPUT2", "account": "200"},
    ),
    (
        50,
        "The TaxType code TVA20 does not exist or cannot be used for this type of transaction.",
        "tax_archived",
        {"tax_type": "TVA20"},
    ),
    (51, "Please enter a unique Name.", "rejected_by_xero", {"reason": "name_taken"}),
    (52, "Item Code 'X-1' is not valid", "line_invalid", {"field": "item", "item": "X-1"}),
    (53, "Item Code is invalid.", "line_invalid", {"field": "item"}),
    (54, "Price List Item with Code 'abc' already exists", "line_invalid", {"field": "item", "item": "abc"}),
    (
        55,
        "Unknown tracking details. A Tracking Category did not match a known active Tracking Category.",
        "tracking_invalid",
        {},
    ),
    (56, "Organisation is not subscribed to currency EUR", "currency_not_enabled", {"currency": "EUR"}),
    (57, "Users Organisation is not subscribed to currency NZD", "currency_not_enabled", {"currency": "NZD"}),
    (
        58,
        "The current organisation is not subscribed to currency 'EUR'.",
        "currency_not_enabled",
        {"currency": "EUR"},
    ),
    (59, "A currency rate must be specified", "rejected_by_xero", {"reason": "currency_rate"}),
    (
        60,
        "The document date cannot be before the period lock date, currently set at 30-Nov-2018",
        "period_locked",
        {"lock_date": "30-Nov-2018"},
    ),
    (
        61,
        "The document date cannot be before the end of year lock date, currently set at 30-Sep-2021.",
        "period_locked",
        {"lock_date": "30-Sep-2021"},
    ),
    (62, "Document cannot be edited as it is currently dated before end of year lock date", "period_locked", {}),
    (63, "The User specified does not have the correct permissions to perform this action", "role_missing", {}),
    (64, "A valid user should be identified using the UserID.", "role_missing", {}),
    (65, "Payment amount exceeds the amount outstanding on this document", "payment_exceeds_due", {}),
    (66, "Payments can only be made against Authorised documents", "changed_in_xero", {}),
    (67, "Payment amounts must be positive amounts", "payment_mismatch", {"reason": "not_positive"}),
    (68, "Account type is invalid for making a payment to/from", "payment_account_invalid", {}),
    (69, "You must specify an Account code or Account ID for the payment", "payment_account_missing", {}),
    (70, "Account could not be found", "payment_account_invalid", {}),
    (71, "Invoice could not be found", "removed_in_xero", {}),
    (72, "Document could not be found", "removed_in_xero", {}),
    (73, "Payments within a batch cannot be deleted.", "payment_mismatch", {"reason": "in_batch"}),
    (
        74,
        "The specified bank account details do not match a known bank account",
        "payment_account_invalid",
        {},
    ),
]


@pytest.mark.parametrize(("row", "message", "code", "facts"), CATALOGUE)
def test_the_message_is_known(row, message, code, facts):
    """It leads to a cause of ours, with what it tells."""
    (problem,) = error_messages.read([message])
    assert (problem.code, dict(problem.facts)) == (code, {**facts, "message": message})
    assert code in CAUSES


def test_the_catalogue_is_whole():
    """74 rows, none left out, and no row of the table that nothing needs."""
    assert {row for row, *_ in CATALOGUE} == set(range(1, 75))
    needed = {error_messages._read(message)[0] for _, message, *_ in CATALOGUE}
    assert needed == set(range(len(error_messages.ROWS)))


@pytest.mark.parametrize(("row", "message", "code", "facts"), CATALOGUE)
def test_marks_and_case_do_not_count(row, message, code, facts):
    """Xero changes quotes, stops, spaces and capitals between years."""
    changed = message.replace("'", "’").replace(" ", "  ").rstrip(".") + " ."
    assert error_messages.read([changed])[0].code == code
    assert error_messages.read([message.upper()])[0].code == code


def test_the_more_telling_of_two_messages_is_the_cause():
    """One failure often says two things."""
    paid = error_messages.read(
        [
            "Invoice not of valid status for modification",
            "This document cannot be edited as it has a payment or credit note allocated to it.",
        ]
    )
    assert [problem.code for problem in paid] == ["edited_after_payment", "changed_in_xero"]
    due = error_messages.read(
        [
            "Payments can only be made against Authorised documents",
            "Payment amount exceeds the amount outstanding on this document",
        ]
    )
    assert due[0].code == "payment_exceeds_due"


def test_what_nobody_knows_is_shown_as_it_came():
    """After everything that is known."""
    unknown, known = "The moon is in the wrong house.", "Invoice # must be unique."
    problems = error_messages.read([unknown, known])
    assert [problem.code for problem in problems] == ["number_taken", "rejected_by_xero"]
    assert problems[1].facts == {"message": unknown}
    assert error_messages.read([]) == ()
