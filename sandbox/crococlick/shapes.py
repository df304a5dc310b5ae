"""What the bodies and queries of CrocoClick's invoice calls may hold."""

import re
from typing import Any

from sandbox.crococlick.checks import Rules, complaints

DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
ALT: Rules = {"altId": ("string", True), "altType": (("location",), True)}
LIST_RULES: Rules = {
    **ALT, "limit": ("string", True), "offset": ("string", True), "status": ("string", False),
    "startAt": ("string", False), "endAt": ("string", False), "search": ("string", False),
    "paymentMode": (("default", "live", "test"), False), "contactId": ("string", False),
    "sortField": (("issueDate",), False), "sortOrder": (("ascend", "descend"), False),
}  # fmt: skip
OPTIONAL: Rules = {
    "title": ("string", False), "termsNotes": ("string", False), "invoiceNumber": ("string", False),
    "automaticTaxesEnabled": ("boolean", False), "paymentSchedule": ("object", False),
    "tipsConfiguration": ("object", False), "invoiceNumberPrefix": ("string", False),
    "paymentMethods": ("object", False), "attachments": ("array", False), "miscellaneousCharges": ("object", False),
}  # fmt: skip
CREATE_RULES: Rules = {
    **ALT, "name": ("string", True), "businessDetails": ("object", True), "currency": ("string", True),
    "items": ("array", True), "discount": ("object", True), "contactDetails": ("object", True),
    "issueDate": ("string", True), "sentTo": ("object", True), "liveMode": ("boolean", True),
    "dueDate": ("string", False), "lateFeesConfiguration": ("object", False), **OPTIONAL,
}  # fmt: skip
UPDATE_RULES: Rules = {
    **ALT, "name": ("string", True), "currency": ("string", True), "invoiceItems": ("array", True),
    "issueDate": ("string", True), "dueDate": ("string", True), "description": ("string", False),
    "businessDetails": ("object", False), "contactId": ("string", False), "contactDetails": ("object", False),
    "discount": ("object", False), "liveMode": ("boolean", False), "xeroDetails": ("object", False), **OPTIONAL,
}  # fmt: skip
ITEM_RULES: Rules = {
    "name": ("string", True), "currency": ("string", True), "amount": ("number", True), "qty": ("number", True),
    "_id": ("string", False), "description": ("string", False), "productId": ("string", False),
    "priceId": ("string", False), "taxes": ("array", False), "automaticTaxCategoryId": ("string", False),
    "isSetupFeeItem": ("boolean", False), "type": (("one_time", "recurring"), False),
    "taxInclusive": ("boolean", False), "attachments": ("array", False),
}  # fmt: skip
TAX_RULES: Rules = {
    "_id": ("string", True), "name": ("string", True), "rate": ("number", True),
    "calculation": (("exclusive",), False), "description": ("string", False), "taxId": ("string", False),
}  # fmt: skip
CONTACT_RULES: Rules = {
    "id": ("string", True), "name": ("string", True), "phoneNo": ("string", True), "email": ("string", True),
    "additionalEmails": ("array", False), "companyName": ("string", False), "address": ("object", False),
    "customFields": ("array", False),
}  # fmt: skip
DISCOUNT_RULES: Rules = {
    "type": (("percentage", "fixed"), True), "value": ("number", False), "validOnProductIds": ("array", False),
}  # fmt: skip
SENT_TO_RULES: Rules = {
    "email": ("array", True), "emailCc": ("array", False), "emailBcc": ("array", False), "phoneNo": ("array", False),
}  # fmt: skip
BUSINESS_RULES: Rules = {
    "logoUrl": ("string", False), "name": ("string", False), "phoneNo": ("string", False), "address": ("any", False),
    "website": ("string", False), "customValues": ("array", False),
}  # fmt: skip
INNER = {
    "contactDetails": CONTACT_RULES, "discount": DISCOUNT_RULES, "sentTo": SENT_TO_RULES,
    "businessDetails": BUSINESS_RULES,
}  # fmt: skip
SEND_RULES: Rules = {
    **ALT, "userId": ("string", True), "action": (("sms_and_email", "send_manually", "email", "sms"), True),
    "liveMode": ("boolean", True), "sentFrom": ("object", False), "autoPayment": ("object", False),
}  # fmt: skip


def content_complaints(body: dict[str, Any], lines: str) -> list[str]:
    """What is wrong inside lines, contact, discount, recipients, seller and dates."""
    found: list[str] = []
    for n, item in enumerate(body.get(lines) or []):
        prefix = f"{lines}.{n}."
        found += complaints(item, ITEM_RULES, prefix)
        for m, tax in enumerate(item.get("taxes") or []):
            found += complaints(tax, TAX_RULES, f"{prefix}taxes.{m}.")
    for name, rules in INNER.items():
        if isinstance(body.get(name), dict):
            found += complaints(body[name], rules, f"{name}.")
    for name in ("issueDate", "dueDate"):
        if isinstance(body.get(name), str) and not DAY.match(body[name]):
            found.append(f"{name} must be in YYYY-MM-DD format")
    if len(body.get("invoiceNumberPrefix") or "") > 10:
        found.append("invoiceNumberPrefix must be shorter than or equal to 10 characters")
    return found
