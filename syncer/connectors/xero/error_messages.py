"""Xero's messages to causes and facts: one table, the most telling rows first.

Xero changes quotes and full stops between messages and years, so rows match leniently. Sources: Xero's pages
"responsecodes", "invoices", "contacts", "taxrates", its SDK issue threads, and the help pages of other integrators.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from syncer.domain.model.problems import Problem

_MARKS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """A pattern of a message, the cause it stands for, and facts that the message itself does not hold."""

    pattern: re.Pattern[str]
    code: str
    facts: tuple[tuple[str, str], ...] = ()


def _row(pattern: str, code: str, **facts: str) -> MessagePattern:
    return MessagePattern(re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE), code, tuple(facts.items()))


# A value in a message: quoted or bare.
_V = r"['\"]?(?P<{}>[^'\"]*?)['\"]?"
_CODE, _CURRENCY = _V.format("account"), r"['\"]?(?P<currency>[A-Z]{3})\b['\"]?"
_NAME = r"['\"]?(?P<name>.+?)['\"]?"  # names have apostrophes
_DATE = r"['\"]?(?P<lock_date>[\w /.-]*\w)['\"]?"
_FOUND, _EXPECTED = r"['\"]?(?P<found>-?[\d.,]*\d)['\"]?", r"['\"]?(?P<expected>-?[\d.,]*\d)['\"]?"

_STATUS = r"['\"]?(?P<status>{})['\"]?"
_PAID = "to the invoice because it has payments or credit notes allocated to it"

# The order is the rank: of two messages for one failure, the one further up is its cause.
ROWS: tuple[MessagePattern, ...] = (
    # permission and plan
    _row(r"The User specified does not have the correct permissions to perform this action", "role_missing"),
    _row(r"A valid user should be identified using the UserID", "role_missing"),
    _row(r"You have reached the limit of invoices you can approve", "plan_invoice_cap"),
    # lock dates
    _row(rf"The document date cannot be before the period lock date(, currently set at {_DATE})?", "period_locked"),
    _row(
        rf"The document date cannot be before the end of year lock date(, currently set at {_DATE})?", "period_locked"
    ),
    _row(
        r"Document cannot be edited as it is currently dated before (the )?(end of year|period) lock date",
        "period_locked",
    ),
    # the document's state in Xero
    _row(r"This document cannot be edited as it has a payment or credit note allocated to it", "edited_after_payment"),
    _row(rf"The status {_STATUS.format('VOIDED|DELETED')} cannot be applied {_PAID}", "void_with_payments"),
    _row(rf"The status {_STATUS.format('[A-Z]+')} cannot be applied {_PAID}", "edited_after_payment"),
    _row(
        r"To update fields on a paid invoice line item, you must supply a LineItemID",
        "edited_after_payment",
        field="lines",
    ),
    _row(
        r"Date cannot be changed on an invoice that has payments? or credit notes? allocated to it",
        "edited_after_payment",
        field="issue_date",
    ),
    _row(r"Invoice # must be unique", "number_taken"),
    _row(r"An existing invoice with the specified ID could not be found", "removed_in_xero"),
    _row(r"An existing Credit Note with the specified CreditNoteID could not be found", "removed_in_xero"),
    _row(r"The document with the supplied id was not found for this endpoint", "removed_in_xero"),
    # payments
    _row(r"Payment amount exceeds the amount outstanding on this document", "payment_exceeds_due"),
    _row(r"Payment amounts must be positive amounts", "payment_mismatch", reason="not_positive"),
    _row(r"Payments within a batch cannot be deleted", "payment_mismatch", reason="in_batch"),
    _row(r"Account type is invalid for making a payment to/from", "payment_account_invalid"),
    _row(r"You must specify an Account code or Account ID for the payment", "payment_account_missing"),
    _row(r"The specified bank account details do not match a known bank account", "payment_account_invalid"),
    _row(r"Account could not be found", "payment_account_invalid"),
    _row(r"(Invoice|Document) could not be found", "removed_in_xero"),
    _row(r"Payments can only be made against Authorised documents", "changed_in_xero"),
    # contacts
    _row(rf"The contact name {_NAME} is already assigned to another contact", "contact_name_taken"),
    _row(r"The contact name already exists", "contact_name_taken"),
    _row(r"The specified contact details matched an archived contact", "contact_archived"),
    _row(r"The contact with the specified contact details has been archived", "contact_archived"),
    _row(r"The status ['\"]?ARCHIVED['\"]? is not valid for contacts", "contact_archived"),
    _row(r"Unable to assign an Archived contact", "contact_archived"),
    _row(r"Another contact has this contact number", "contact_ambiguous", reason="number_taken"),
    _row(r"Email address must be valid", "contact_invalid", field="email"),
    _row(
        r"Additional people cannot be added when the primary person has no email address set",
        "contact_invalid",
        field="email",
    ),
    _row(r"You can only have a maximum of 5 contact persons", "contact_invalid", field="persons"),
    _row(r"Website must be valid", "contact_invalid", field="website"),
    _row(r"Contact Name cannot be empty", "contact_invalid", field="name"),
    _row(r"Paid to name cannot be empty", "contact_missing"),
    _row(r"The Contact must contain at least 1 of the following elements to identify the contact", "contact_missing"),
    _row(r"A Contact must be specified for this type of transaction", "contact_missing"),
    _row(r"Contact cannot be empty", "contact_missing"),
    # currency
    _row(
        rf"(Users |The current )?Organisation is not subscribed to currency {_CURRENCY}",
        "currency_not_enabled",
    ),
    # tax
    _row(rf"The TaxType code {_V.format('tax_type')} cannot be used with account code {_CODE}$", "tax_not_for_account"),
    _row(
        rf"The TaxType code {_V.format('tax_type')} does not exist or cannot be used for this type of transaction",
        "tax_archived",
    ),
    _row(r"The TaxType field is mandatory", "tax_unmapped"),
    # accounts
    _row(rf"Account code {_CODE} has been archived, or has been deleted", "account_invalid", reason="archived"),
    _row(rf"Account code {_CODE} is not a valid code", "account_invalid", reason="not_for_document"),
    _row(
        rf"Account code {_CODE} does not exist or cannot be applied to Items", "account_invalid", reason="not_for_items"
    ),
    _row(
        rf"Account code {_CODE} has been removed as it does not match a recogni[sz]ed account",
        "account_invalid",
        reason="unknown",
    ),
    _row(r"Account code( or ID)? must be specified", "account_missing"),
    _row(r"Unknown tracking details", "tracking_invalid"),
    # dates
    _row(r"(The document DueDate field must be specified|Due date cannot be empty)", "due_date_missing"),
    _row(r"The (document )?Date field must be specified", "line_invalid", field="issue_date", reason="missing"),
    # arithmetic
    _row(r"The Total for this document must be greater than or equal to zero", "negative_total"),
    _row(rf"The line total {_FOUND} does not match the expected line total {_EXPECTED}", "total_mismatch"),
    _row(r"The document total does not equal the sum of the lines", "total_mismatch"),
    _row(r"The tax amount cannot be greater than the line amount", "line_invalid", field="tax_amount"),
    _row(rf"The quantity value {_V.format('quantity')} is invalid", "line_invalid", field="quantity"),
    _row(rf"The discount rate {_V.format('discount')} is invalid", "line_invalid", field="discount"),
    _row(r"Discounts may not be applied to ACCPAY invoices", "line_invalid", field="discount"),
    _row(r"One or more line items must be specified", "line_invalid", field="lines"),
    _row(r"The description field is mandatory for each line item", "line_invalid", field="description"),
    _row(rf"Item Code {_V.format('item')} is not valid", "line_invalid", field="item"),
    _row(r"Item Code is invalid", "line_invalid", field="item"),
    _row(rf"Price List Item with Code {_V.format('item')} already exists", "line_invalid", field="item"),
    # These two come where the price is too small to count (XeroAPI/Xero-Java#353): accounts and rates were checked.
    _row(r"Account must be valid", "line_invalid", field="account", reason="perhaps_price_too_small"),
    _row(r"Tax rate must be valid", "line_invalid", field="tax", reason="perhaps_price_too_small"),
    # generic: they often come beside one of the above
    _row(r"Invoice not of valid status for modification", "changed_in_xero"),
    _row(r"Invoice not of valid status for creation", "rejected_by_xero", reason="status"),
    _row(r"A currency rate must be specified", "rejected_by_xero", reason="currency_rate"),
    _row(r"Please enter a unique Name", "rejected_by_xero", reason="name_taken"),
)


def read(messages: Sequence[str]) -> tuple[Problem, ...]:
    """What the messages of one refusal mean, the cause first; what no row knows is `rejected_by_xero`, as it came."""
    ranked = sorted((_read(message) for message in messages), key=lambda found: found[0])
    return tuple(problem for _, problem in ranked)


def _read(message: str) -> tuple[int, Problem]:
    said = message.translate(_MARKS).strip().rstrip(".").strip()
    for rank, row in enumerate(ROWS):
        if found := row.pattern.search(said):
            captured = {name: value.strip() for name, value in found.groupdict().items() if value}
            return rank, Problem(row.code, {**dict(row.facts), **captured, "message": message})
    return len(ROWS), Problem("rejected_by_xero", {"message": message})
