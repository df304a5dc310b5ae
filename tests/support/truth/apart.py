"""In what the two books differ about one invoice."""

from collections import Counter

from tests.support.truth.books import GONE, STATUSES, Books, cents, day, number


def apart(books: Books, invoice: dict) -> list[str]:
    """In what the two books differ about an invoice that is said to be synced: `field: one side | the other`."""
    document = books.document(invoice["_id"])
    status = invoice["status"]
    if status == "void":
        standing = document is not None and document["Status"] not in GONE
        return [f"status: void | {document['Status']}"] if standing else []
    if document is None:
        return ["missing: there | not in Xero"]
    found = [*_head(books, invoice, document), *_money(books, invoice, document)]
    allowed = STATUSES[status] if cents(invoice["total"]) else ("AUTHORISED", "PAID")
    if document["Status"] not in allowed:
        found.append(f"status: {status} | {document['Status']}")
    return found


def _head(books: Books, invoice: dict, document: dict) -> list[str]:
    pairs = {
        "number": (number(invoice), document["InvoiceNumber"]),
        "issue date": (day(invoice["issueDate"], books.zone), document["Date"]),
        "currency": (invoice["currency"], document["CurrencyCode"]),
    }
    if invoice.get("dueDate"):
        pairs["due date"] = (day(invoice["dueDate"], books.zone), document["DueDate"])
    found = [f"{name}: {ours} | {theirs}" for name, (ours, theirs) in pairs.items() if ours != theirs]
    return [*found, *_contact(books, invoice, document)]


def _contact(books: Books, invoice: dict, document: dict) -> list[str]:
    """The customer in Xero carries the contact's mark, or its email of then or of now."""
    there = books.customers[document["Contact"]["ContactID"]]
    while there.get("MergedToContactID"):
        there = books.customers[there["MergedToContactID"]]
    details = invoice["contactDetails"]
    now = books.contacts.get(details.get("id"), {})
    emails = {_folded(details.get("email")), _folded(now.get("email"))} - {""}
    if there.get("ContactNumber") == details.get("id") or _folded(there.get("EmailAddress")) in emails:
        return []
    return [f"contact: {details.get('name')} | {there.get('Name')}"]


def _folded(email) -> str:
    return str(email or "").strip().casefold()


def _money(books: Books, invoice: dict, document: dict) -> list[str]:
    pairs = {
        "total": (cents(invoice["total"]), cents(document["Total"])),
        "tax": (cents(invoice["totalSummary"]["tax"]), cents(document["TotalTax"])),
        "paid": (
            cents(invoice["amountPaid"]),
            cents(document["AmountPaid"]) + cents(document.get("AmountCredited", 0)),
        ),
    }
    found = [f"{name}: {ours} | {theirs}" for name, (ours, theirs) in pairs.items() if ours != theirs]
    return found or payments_apart(books, invoice, document)


def payments_apart(books: Books, invoice: dict, document: dict) -> list[str]:
    """Each payment of CrocoClick has one of its amount and day in Xero, and nothing was given back since."""
    counting = books.of_invoice(invoice["_id"])
    back = sum(cents(one["amountRefunded"]) for one in counting)
    ours = Counter((cents(one["amount"]) - _beside(one), day(one["fulfilledAt"], books.zone)) for one in counting)
    theirs = Counter((cents(one["Amount"]), one["Date"]) for one in books.paid_on(document))
    if back:
        return [f"refunded: {back} | 0"]
    return [] if ours == theirs else [f"payments: {sorted(ours - theirs)} | {sorted(theirs - ours)}"]


def _beside(transaction: dict) -> int:
    return cents(transaction.get("_beside", 0))
