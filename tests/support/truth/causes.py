"""Each cause names facts, and they are so in the books."""

from decimal import Decimal, InvalidOperation

from tests.support.truth.apart import apart, payments_apart
from tests.support.truth.books import GONE, Books, cents, day, number
from tests.support.truth.told import False_, Leave


def of_cause(books: Books, invoice: dict, said: dict, leave: Leave) -> list[False_]:
    code, facts = said["cause"]["code"], said["cause"]["facts"]
    rule = CAUSES.get(code)
    wrong = rule(books, invoice, facts, leave) if rule else ""
    return [False_(f"{code} is not so", invoice["_id"], f"{wrong}: {said['cause']['sentence']}")] if wrong else []


def _fact(facts: dict, name: str) -> int | None:
    try:
        return cents(Decimal(str(facts[name]))) if facts.get(name) not in (None, "") else None
    except InvalidOperation:
        return None


def _differs(facts: dict, name: str, *truths: int) -> str:
    told = _fact(facts, name)
    return f"{name} is {told}, not {' or '.join(map(str, truths))}" if told is not None and told not in truths else ""


def _by_nobody(books: Books, invoice: dict, changes: list[dict], leave: Leave) -> str:
    """That somebody changed it is said of nothing; in what is said not to be known the books do differ.

    Only a ledger that was put back may not know it. Payments carry a mark that tells who entered them.
    """
    fields = {one["field"] for one in changes}
    if not changes or any(one.get("by") != "unknown" for one in changes):
        return "nobody changed it in Xero"
    if invoice["_id"] not in leave.forgotten:
        return "the ledger knows who changed it"
    as_if_sent = {**invoice, "status": "sent"}  # of one that is void nothing else is compared
    differing = {one.partition(":")[0].replace(" ", "_") for one in apart(books, as_if_sent)}
    return f"both books say the same {sorted(fields - differing)}" if fields - differing else ""


def _changed_in_xero(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    changes = facts.get("changes") or []
    if invoice["_id"] not in leave.touched and (wrong := _by_nobody(books, invoice, changes, leave)):
        return wrong
    now = {
        "number": document["InvoiceNumber"],
        "issue_date": document["Date"],
        "due_date": document["DueDate"],
        "currency": document["CurrencyCode"],
        "total": f"{cents(document['Total'])}",
        "tax": f"{cents(document['TotalTax'])}",
        "paid": f"{cents(document['AmountPaid'])}",
    }
    for one in changes:
        told = one["now"]
        if one["field"] in ("total", "tax", "paid"):
            told = f"{cents(Decimal(told))}"
        if one["field"] in now and told != now[one["field"]]:
            return f"{one['field']} is {now[one['field']]} in Xero"
    return ""


def _removed_in_xero(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if document is None or document["Status"] not in GONE:
        return f"it stands in Xero ({document and document['Status']})"
    return "" if invoice["_id"] in leave.touched else "nobody removed it there"


def _payment_mismatch(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    if facts.get("bounced") or "paid" not in facts:
        return ""
    taken = sum(cents(one["amount"]) for one in books.of_invoice(invoice["_id"]))
    return _differs(facts, "paid", cents(invoice["amountPaid"])) or _differs(facts, "found", taken)


def _payment_exceeds_due(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if document is None:
        return "it is not in Xero"
    due, amount = cents(document["AmountDue"]), _fact(facts, "amount")
    if amount is not None and amount <= due:
        return f"{amount} is not more than {due}"
    return _differs(facts, "due", due)


def _refund(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    back = sum(cents(one["amountRefunded"]) for one in books.of_invoice(invoice["_id"]))
    return _differs(facts, "refunded", back) if back else "nothing was refunded"


def _paid_in_xero(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if document is None:
        return "it is not in Xero"
    paid = cents(document["AmountPaid"])
    return _differs(facts, "paid", paid) if paid else "nothing is paid in Xero"


def _void_with_payments(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    if invoice["status"] != "void":
        return f"it is {invoice['status']}"
    return _paid_in_xero(books, invoice, facts, leave)


def _number_taken(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    wanted, id_ = number(invoice), invoice["_id"]
    others = [one for key, one in books.invoices.items() if key != id_ and number(one) == wanted]
    there = [one for one in books.documents if one["InvoiceNumber"] == wanted and id_ not in (one.get("Url") or "")]
    if not others and not there:
        return "nothing else has this number"
    if facts.get("crococlick_id"):
        return (
            ""
            if others or any(facts["crococlick_id"] in (one.get("Url") or "") for one in there)
            else "no other invoice has it"
        )
    ours = any(key in (one.get("Url") or "") for one in there for key in books.invoices)
    return "the document in Xero is ours" if ours else ""


def _status_not_selected(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    told = facts.get("status")
    return "" if told in (None, invoice["status"]) else f"it is {invoice['status']}"


def _void_before_sync(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    if invoice["status"] != "void":
        return f"it is {invoice['status']}"
    return "it is in Xero" if books.marked(invoice["_id"]) else ""


def _deleted(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    return "CrocoClick has it"


def _unreadable(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    return "every field of it can be read"


def _period_locked(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    dates = [day(invoice["issueDate"], books.zone)]
    dates += [day(one["fulfilledAt"], books.zone) for one in books.of_invoice(invoice["_id"])]
    document = books.document(invoice["_id"])
    dates += [document["Date"]] if document else []
    if not leave.read:
        return ""  # What was unlocked since then shows once Xero is read again.
    if not books.lock:
        return "nothing is locked"
    return "" if min(dates) <= books.lock else f"the lock is {books.lock}, the earliest date {min(dates)}"


def _contact_archived(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    archived = [one for one in books.customers.values() if one["ContactStatus"] == "ARCHIVED"]
    return "" if archived or not leave.read else "no contact is archived in Xero"


def _payment_changed(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if document is None:
        return "it is not in Xero"
    return "" if payments_apart(books, invoice, document) else "each payment is the same on both sides"


CAUSES = {
    "changed_in_xero": _changed_in_xero,
    "removed_in_xero": _removed_in_xero,
    "payment_mismatch": _payment_mismatch,
    "payment_exceeds_due": _payment_exceeds_due,
    "payment_changed": _payment_changed,
    "refund_needs_person": _refund,
    "edited_after_payment": _paid_in_xero,
    "void_with_payments": _void_with_payments,
    "number_taken": _number_taken,
    "status_not_selected": _status_not_selected,
    "void_before_sync": _void_before_sync,
    "deleted_in_crococlick": _deleted,
    "invoice_unreadable": _unreadable,
    "period_locked": _period_locked,
    "contact_archived": _contact_archived,
}
