"""Xero's validation messages, word for word where a source quotes them.

A message that starts with "Sandbox:" stands where the reference knows that Xero refuses, but not in which words.
"""

# Contacts
NAME_TAKEN = (
    "The contact name {} is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
ARCHIVED_EDIT = (
    "The specified contact details matched an archived contact. "
    "Archived contacts cannot currently be edited via the API."
)
ARCHIVED_USE = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
STATUS_ARCHIVED = "The status 'ARCHIVED' is not valid for contacts"
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
NAME_EMPTY = "Contact Name cannot be empty."
CONTACT_UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
CONTACT_MISSING = "A Contact must be specified for this type of transaction"
CONTACT_NUMBER_UNKNOWN = "Sandbox: no contact has this ContactNumber, and no Name was sent to make one."
EMAIL_INVALID = "Email address must be valid."
PERSONS_NEED_EMAIL = "Additional people cannot be added when the primary person has no email address set."
PERSONS_MAX = "You can only have a maximum of 5 contact persons."
WEBSITE_INVALID = "Website must be valid."
NAME_BRACKETS = "Sandbox: a contact name must not contain angle brackets."
TOO_LONG = "Sandbox: {} is longer than {} characters."

# Invoice identity and state
INVOICE_NUMBER_TAKEN = "Invoice # must be unique."
NOT_MODIFIABLE = "Invoice not of valid status for modification"
NOT_CREATABLE = "Invoice not of valid status for creation"
HAS_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."
STATUS_BLOCKED = (
    "The status {} cannot be applied to the invoice because it has payments or credit notes allocated to it."
)
LINE_ID_NEEDED = "To update fields on a paid invoice line item, you must supply a LineItemID"
DATE_FIXED = "Date cannot be changed on an invoice that has payment or credit notes allocated to it."
PLAN_CAP = "You have reached the limit of invoices you can approve"
INVOICE_ID_UNKNOWN = "An existing invoice with the specified ID could not be found"
DATE_MISSING = "The Date field must be specified."
DUE_MISSING = "The document DueDate field must be specified."
LINES_MISSING = "One or more line items must be specified"
DESCRIPTION_MISSING = "The description field is mandatory for each line item."
TOTAL_NEGATIVE = "The Total for this document must be greater than or equal to zero."
QUANTITY_INVALID = "The quantity value '{}' is invalid. Quantity must not be less than zero."
NUMBER_NOT_ASCII = "Sandbox: an invoice number holds printable ASCII characters only."
URL_INVALID = "Sandbox: the Url must be absolute and must not contain 'xero'."
SENT_NEEDS_APPROVAL = "Sandbox: only approved invoices may have SentToContact set."

# Arithmetic
LINE_TOTAL = "The line total {} does not match the expected line total {}"
DOCUMENT_TOTAL = "The document total does not equal the sum of the lines"
TAX_TOO_LARGE = "The tax amount cannot be greater than the line amount"
NO_BILL_DISCOUNT = "Discounts may not be applied to ACCPAY invoices."
DISCOUNT_TOO_LARGE = "The discount rate '{}' is invalid. Discount must not be greater than the line total."
ACCOUNT_VALID = "Account must be valid."
RATE_VALID = "Tax rate must be valid."

# Account, tax, item, tracking
ACCOUNT_MISSING = "Account code or ID must be specified"
TAX_MISSING = "The TaxType field is mandatory"
ACCOUNT_UNUSABLE = "Account code '{}' is not a valid code for this document."
ACCOUNT_IS_ID = "Account code '{}' is not a valid code"
ACCOUNT_ARCHIVED = (
    "Account code '{}' has been archived, or has been deleted. Each line item must reference a valid account."
)
ACCOUNT_REMOVED = "Account code '{}' has been removed as it does not match a recognised account."
TAX_NOT_FOR_ACCOUNT = "The TaxType code '{}' cannot be used with account code '{}'."
TAX_UNKNOWN = "The TaxType code {} does not exist or cannot be used for this type of transaction."
UNIQUE_NAME = "Please enter a unique Name."
ITEM_UNKNOWN = "Item Code '{}' is not valid"
TRACKING_TOO_MANY = "Sandbox: a line carries at most two tracking categories."
TRACKING_UNKNOWN = "Unknown tracking details. A Tracking Category did not match a known active Tracking Category."

# Currency, dates, plan, permission
CURRENCY = "Organisation is not subscribed to currency {}"
ACCOUNT_CURRENCY = "The current organisation is not subscribed to currency '{}'."
RATE_MISSING = "A currency rate must be specified"
PERIOD_LOCKED = "The document date cannot be before the period lock date, currently set at {}"
YEAR_LOCKED = "The document date cannot be before the end of year lock date, currently set at {}"
LOCKED_EDIT = "Document cannot be edited as it is currently dated before end of year lock date"
NO_PERMISSION = "The User specified does not have the correct permissions to perform this action"
CURRENCY_PLAN = "Sandbox: this plan has no multicurrency, so {} cannot be added."
CURRENCY_UNKNOWN = "Sandbox: {} is not a currency code."

# Payments
OVERPAID = "Payment amount exceeds the amount outstanding on this document"
NOT_PAYABLE = "Payments can only be made against Authorised documents"
NOT_POSITIVE = "Payment amounts must be positive amounts"
ACCOUNT_TYPE = "Account type is invalid for making a payment to/from"
PAYMENT_ACCOUNT_MISSING = "You must specify an Account code or Account ID for the payment"
PAYMENT_ACCOUNT_UNKNOWN = "Account could not be found"
PAYMENT_INVOICE_UNKNOWN = "Invoice could not be found"
IN_BATCH = "Payments within a batch cannot be deleted."
BANK_UNKNOWN = "The specified bank account details do not match a known bank account"
PAYMENT_CURRENCY = "Sandbox: this account's currency is neither the base currency nor the document's."
PAYMENT_DELETED = "Sandbox: a deleted payment cannot be changed."
PAYMENT_RECONCILED = "Sandbox: a reconciled payment cannot be deleted."

# Settings
REPORT_TYPE_NEEDED = "Sandbox: ReportTaxType is mandatory for this organisation's edition."
REPORT_TYPE_REFUSED = "Sandbox: ReportTaxType is not accepted for this organisation's edition."
SYSTEM_RATE = "Sandbox: a system tax rate cannot be changed."
COMPONENTS_NEEDED = "Sandbox: a tax rate needs a name and at least one component with a name and a rate."
ACCOUNT_INCOMPLETE = "Sandbox: an account needs a Name, a Type and, unless it is a bank account, a Code."
NOTE_EMPTY = "Sandbox: a history record needs Details of 1 to 2500 characters."

# What an older Xero says instead; on when the organisation's `old_wordings` switch is.
OLDER = {
    CONTACT_MISSING: "Contact cannot be empty.",
    DUE_MISSING: "Due date cannot be empty.",
    ACCOUNT_MISSING: "Account code must be specified",
    PAYMENT_INVOICE_UNKNOWN: "Document could not be found",
}
OLDER_NAME_TAKEN = "The contact name already exists. Please enter a different contact name"
OLDER_CURRENCY = "Users Organisation is not subscribed to currency {}"


def older(text: str) -> str:
    """The older wording of a message, where one is known."""
    if text.startswith("The contact name ") and "already assigned" in text:
        return OLDER_NAME_TAKEN
    if text.startswith("Organisation is not subscribed"):
        return OLDER_CURRENCY.format(text.rsplit(" ", 1)[1])
    return OLDER.get(text, text)
