"""What is true of every invoice, worked out from both sandboxes' books alone: nothing of the product is imported here.

`judge` compares that with what the product told. Amounts are in cents, dates are days of the location's time zone.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import combinations
from zoneinfo import ZoneInfo

STATES = {"synced", "waiting", "held", "retrying", "in_doubt", "skipped", "not_eligible", "unknown"}
OUTCOMES = ("created", "updated", "voided", "unchanged", "held", "deferred", "in_doubt", "skipped", "not_eligible")
GONE = ("VOIDED", "DELETED")
STATUSES = {
    "sent": ("AUTHORISED",),
    "payment_processing": ("AUTHORISED",),
    "partially_paid": ("AUTHORISED",),
    "paid": ("PAID",),
    "void": GONE,
    "draft": ("DRAFT", "SUBMITTED", "AUTHORISED"),
}
MONEY = re.compile(r"-?€(-?[\d,]+(?:\.\d+)?)")
TWO_SIDES = (
    re.compile(r"says (?P<a>\S+) is paid, but its transactions come to (?P<b>[^\s,;]+)"),
    re.compile(r"says (?P<a>[^\s,]+), but its lines come to (?P<b>\S+)"),
    re.compile(r"says the tax is (?P<a>[^\s,]+), but its lines come to (?P<b>\S+)"),
    re.compile(r"total of (?P<a>\S+) where (?P<b>\S+) was sent"),
    re.compile(r"from (?P<a>[^,]+?) to (?P<b>[^,]+?)(?:,|$)"),
    re.compile(r"(?P<a>€[\d.,]+) is more than the (?P<b>€[\d.,]*\d)"),
)
SUMS = 6  # of up to this many payments every sum may be named


class Unreadable(Exception):
    """A value of CrocoClick in no known form."""


@dataclass(frozen=True)
class False_:
    """A false word: its kind, the invoice, and what is so instead."""

    kind: str
    id: str
    text: str


@dataclass
class Books:
    """Both services' records at one moment."""

    zone: ZoneInfo
    invoices: dict[str, dict]
    transactions: list[dict]
    contacts: dict[str, dict]
    documents: list[dict]
    payments: list[dict]
    customers: dict[str, dict]
    lock: str | None = None

    def of_invoice(self, id_: str) -> list[dict]:
        """The transactions of one invoice that count."""
        return [t for t in self.transactions if t["entitySourceId"] == id_ and t["status"] in ("succeeded", "refunded")]

    def marked(self, id_: str) -> list[dict]:
        """The documents in Xero that carry the mark of a CrocoClick invoice."""
        return [one for one in self.documents if id_ in (one.get("Url") or "")]

    def document(self, id_: str) -> dict | None:
        """The one that stands, else the latest of those that are gone."""
        marked = self.marked(id_)
        standing = [one for one in marked if one["Status"] not in GONE]
        return (standing or marked[-1:] or [None])[0]

    def paid_on(self, document: dict) -> list[dict]:
        """The payments that stand on a document in Xero."""
        id_ = document["InvoiceID"]
        return [p for p in self.payments if p["Invoice"]["InvoiceID"] == id_ and p["Status"] != "DELETED"]


def read(box) -> Books:
    """Read both sandboxes; the desk shows records as the APIs do, past tokens and faults."""
    crm, xero = box.crococlick, box.xero
    shown = [json.loads(json.dumps(one)) for one in crm.invoices()]
    organisation = xero.organisation()
    return Books(
        ZoneInfo(crm.profile()["timezone"]),
        {one["_id"]: one for one in shown},
        crm.transactions(),
        {one["id"]: one for one in crm.contacts()},
        [one for one in xero.invoices() if one["Type"] == "ACCREC"],
        xero.payments(),
        {one["ContactID"]: one for one in xero.contacts()},
        max((organisation.get(name) or "" for name in ("PeriodLockDate", "EndOfYearLockDate")), default="") or None,
    )


# -- plain arithmetic -------------------------------------------------------------------------------------------------


def cents(value) -> int:
    """An amount of a JSON answer in cents: dust of binary floats taken off, half a cent rounded up."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unreadable(repr(value))
    number = Decimal(str(value)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return int((number * 100).to_integral_value(ROUND_HALF_UP))


def day(value, zone: ZoneInfo) -> str:
    """The local day of a date or an instant."""
    try:
        if "T" not in value:
            return date.fromisoformat(value).isoformat()
        return datetime.fromisoformat(value).astimezone(zone).date().isoformat()
    except (TypeError, ValueError) as wrong:
        raise Unreadable(repr(value)) from wrong


def unreadable(invoice: dict, zone: ZoneInfo) -> str:
    """Which field of an invoice is in no known form; empty where all can be read."""
    try:
        name = "status"
        if invoice["status"] not in STATUSES:
            return name
        for name in ("total", "amountPaid"):
            cents(invoice[name])
        name = "issueDate"
        day(invoice[name], zone)
        name = "dueDate"
        if invoice.get(name) is not None:
            day(invoice[name], zone)
        for line in invoice["invoiceItems"]:
            for name in ("amount", "qty"):
                cents(line[name])
    except Unreadable:
        return name
    return ""


def number(invoice: dict) -> str:
    """The number without outer blanks."""
    return str(invoice["invoiceNumber"]).strip()


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
    return found or _payments(books, invoice, document)


def _payments(books: Books, invoice: dict, document: dict) -> list[str]:
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


# -- the judge --------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """What the product said after one run: `explain --json` by invoice, the table's rows, `sync --json`, its exit.

    `states` are those of every invoice right after the run, before anything was asked.
    """

    explained: dict[str, dict]
    table: list[dict] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    result: dict | None = None
    exit: int = 0


@dataclass
class Leave:
    """What the product cannot know, or may say, at this moment.

    `unknown`: invoices whose change nobody could have read yet · `touched`: those that somebody changed in Xero ·
    `causes`: what of the connection stands in the way · `doubt`: an answer was lost in this run or a moment ago ·
    `read`: this run has read both services to the end.
    """

    unknown: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    doubt: bool = False
    read: bool = True


def judge(books: Books, told: Told, leave: Leave) -> list[False_]:
    """Every false word among what was told."""
    found = [false for id_, said in told.explained.items() for false in judge_one(books, id_, said, leave)]
    return [*found, *twice(books), *_table(told, leave), *_sums(books, told, leave), *_end(told, leave)]


def judge_one(books: Books, id_: str, said: dict, leave: Leave) -> list[False_]:
    """One invoice: its state, its cause and its sentence."""
    state, cause = said.get("state"), (said.get("cause") or {}).get("code")
    found = [] if state in STATES else [False_("no state", id_, f"{state}")]
    invoice = books.invoices.get(id_)
    if invoice is None:
        return found + _of_deleted(books, id_, state, leave)
    if field_ := unreadable(invoice, books.zone):
        return found + _of_unreadable(id_, state, cause, field_, leave)
    found += _of_state(books, invoice, state, cause, leave)
    if cause and id_ not in leave.unknown:
        found += _of_cause(books, invoice, said, leave)
    return [*found, *_of_sentence(books, invoice, said, leave)]


def _of_deleted(books: Books, id_: str, state: str, leave: Leave) -> list[False_]:
    document = books.document(id_)
    standing = document is not None and document["Status"] not in GONE
    if standing and state in ("synced", "waiting") and id_ not in leave.unknown and leave.read:
        return [False_("synced but deleted", id_, f"{state}, CrocoClick has it no more, Xero {document['Status']}")]
    return []


def _of_unreadable(id_: str, state: str, cause: str | None, field_: str, leave: Leave) -> list[False_]:
    if id_ in leave.unknown or not leave.read or (state, cause) == ("held", "invoice_unreadable"):
        return []
    if cause in leave.causes:
        return []
    return [False_("unreadable not held", id_, f"{field_} cannot be read, told {state} {cause}")]


def _of_state(books: Books, invoice: dict, state: str, cause: str | None, leave: Leave) -> list[False_]:
    id_ = invoice["_id"]
    if state == "synced" and id_ not in leave.unknown:
        return [False_(f"synced but {one.partition(':')[0]} differs", id_, one) for one in apart(books, invoice)]
    if state in ("waiting", "retrying") and leave.causes and cause not in leave.causes:
        return [False_(f"{state} without the connection's cause", id_, f"{cause}, not one of {sorted(leave.causes)}")]
    if state == "unknown" and cause not in leave.causes:
        return [False_("unknown although CrocoClick can be read", id_, f"{cause}")]
    known = leave.read and not leave.causes and not leave.doubt and id_ not in leave.unknown
    if state in ("waiting", "retrying") and known:
        return [False_(f"{state} after a run that was done", id_, f"{cause}")]
    if state == "in_doubt" and not leave.doubt:
        return [False_("in doubt although no answer was lost", id_, f"{cause}")]
    if state in ("held", "retrying", "not_eligible", "skipped") and not cause:
        return [False_(f"{state} without a cause", id_, "")]
    return []


# -- causes: the facts that they name ---------------------------------------------------------------------------------


def _of_cause(books: Books, invoice: dict, said: dict, leave: Leave) -> list[False_]:
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


def _changed_in_xero(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if invoice["_id"] not in leave.touched:
        return "nobody changed it in Xero"
    now = {
        "number": document["InvoiceNumber"],
        "issue_date": document["Date"],
        "due_date": document["DueDate"],
        "currency": document["CurrencyCode"],
        "total": f"{cents(document['Total'])}",
        "tax": f"{cents(document['TotalTax'])}",
        "paid": f"{cents(document['AmountPaid'])}",
    }
    for one in facts.get("changes") or []:
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
    if not books.lock:
        return "nothing is locked"
    return "" if min(dates) <= books.lock else f"the lock is {books.lock}, the earliest date {min(dates)}"


def _contact_archived(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    archived = [one for one in books.customers.values() if one["ContactStatus"] == "ARCHIVED"]
    return "" if archived else "no contact is archived in Xero"


def _payment_changed(books: Books, invoice: dict, facts: dict, leave: Leave) -> str:
    document = books.document(invoice["_id"])
    if document is None:
        return "it is not in Xero"
    return "" if _payments(books, invoice, document) else "each payment is the same on both sides"


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


# -- sentences --------------------------------------------------------------------------------------------------------


def _of_sentence(books: Books, invoice: dict, said: dict, leave: Leave) -> list[False_]:
    id_, sentence = invoice["_id"], f"{said.get('verdict') or ''}"
    cause = (said.get("cause") or {}).get("sentence") or ""
    found = [
        False_("two equal sides", id_, cause) for pair in TWO_SIDES for m in pair.finditer(cause) if m["a"] == m["b"]
    ]
    if re.search(r"\bNone\b|\bnan\b|\{|\}", sentence + cause):
        found.append(False_("a hole in a sentence", id_, sentence))
    if id_ in leave.unknown:
        return found
    known = amounts(books, invoice)
    named = {cents(Decimal(text.replace(",", ""))) for text in MONEY.findall(cause)}
    if strange := {abs(one) for one in named} - known:
        found.append(False_("an amount that is nowhere", id_, f"{sorted(strange)}: {cause}"))
    return [*found, *_where(books, id_, said, sentence, leave)]


def _where(books: Books, id_: str, said: dict, sentence: str, leave: Leave) -> list[False_]:
    """`In Xero` and `Not in Xero` are so."""
    document = books.document(id_)
    standing = document is not None and document["Status"] not in GONE
    if sentence.startswith("Not in Xero") and standing and not leave.doubt and not leave.causes:
        return [False_("said not to be in Xero", id_, sentence)]
    if sentence.startswith("In Xero") and document is None:
        return [False_("said to be in Xero", id_, sentence)]
    return []


def amounts(books: Books, invoice: dict) -> set[int]:
    """Every amount that a sentence about an invoice may name."""
    summary = invoice.get("totalSummary", {})
    found = {cents(invoice[name]) for name in ("total", "amountPaid", "amountDue")}
    found |= {cents(value) for value in summary.values()} | {0}
    taken = [cents(one["amount"]) for one in books.transactions if one["entitySourceId"] == invoice["_id"]]
    back = [cents(one["amountRefunded"]) for one in books.transactions if one["entitySourceId"] == invoice["_id"]]
    document = books.document(invoice["_id"])
    there = []
    if document:
        found |= {cents(document[name]) for name in ("Total", "SubTotal", "TotalTax", "AmountPaid", "AmountDue")}
        there = [cents(p["Amount"]) for p in books.payments if p["Invoice"]["InvoiceID"] == document["InvoiceID"]]
    for one in books.documents:
        if one["InvoiceNumber"] == number(invoice):
            found.add(cents(one["Total"]))
    return {abs(one) for one in found | _all_sums(taken) | _all_sums(back) | _all_sums(there)}


def _all_sums(parts: list[int]) -> set[int]:
    return {sum(some) for size in range(1, min(len(parts), SUMS) + 1) for some in combinations(parts[:SUMS], size)}


# -- nothing twice, and the counts ------------------------------------------------------------------------------------


def twice(books: Books) -> list[False_]:
    """Documents of one invoice, and payments of one transaction, that stand more than once in Xero."""
    found = []
    for id_ in books.invoices:
        standing = [one["InvoiceNumber"] for one in books.marked(id_) if one["Status"] not in GONE]
        if len(standing) > 1:
            found.append(False_("twice in Xero", id_, f"{standing}"))
    words = Counter(
        word for p in books.payments if p["Status"] != "DELETED" for word in set((p.get("Reference") or "").split())
    )
    for one in books.transactions:
        if words[one["_id"]] > 1:
            found.append(False_("paid twice in Xero", one["entitySourceId"], f"{one['_id']} of {one['amount']}"))
    marks = Counter(one["ContactNumber"] for one in books.customers.values() if one.get("ContactNumber"))
    return found + [False_("a customer twice in Xero", key, f"{n} times") for key, n in marks.items() if n > 1]


def overpaid(before, after):
    """Payments that a run entered where as much or more was paid in Xero than in CrocoClick."""
    known, found = {p["PaymentID"] for p in before.payments}, []
    for id_, invoice in after.invoices.items():
        document = after.document(id_)
        new = [p for p in after.paid_on(document) if p["PaymentID"] not in known] if document else []
        try:
            ours = cents(invoice["amountPaid"])
        except Unreadable:
            continue
        if new and cents(document["AmountPaid"]) > ours:
            text = f"{len(new)} entered, {document['AmountPaid']} is paid now, {invoice['amountPaid']} in CrocoClick"
            found.append(False_("paid too much", id_, text))
    return found


def _table(told: Told, leave: Leave) -> list[False_]:
    """The analysis table has each explained invoice once, in the same state for the same cause."""
    if not told.table:
        return []
    times = Counter(row["crococlick_id"] for row in told.table)
    found = [False_("twice in the table", id_, f"{n} rows") for id_, n in times.items() if n > 1]
    rows = {row["crococlick_id"]: row for row in told.table}
    for id_, said in told.explained.items():
        row, cause = rows.get(id_), (said.get("cause") or {}).get("code")
        if row is None:
            if said.get("invoice") and id_ not in leave.unknown:
                found.append(False_("not in the table", id_, f"{said['state']}"))
        elif (row["state"], row["cause"] or None) != (said["state"], cause):
            text = f"explain {said['state']} {cause}, table {row['state']} {row['cause']}"
            found.append(False_("the table says otherwise", id_, text))
    return found


def _sums(books: Books, told: Told, leave: Leave) -> list[False_]:
    """After a run that was done the outcomes come to the invoices, each in its own, and none is missing."""
    if not told.result or told.result.get("ended") != "done" or not leave.read:
        return []
    outcomes, states = told.result["outcomes"], Counter(told.states.values())
    moved = sum(outcomes[name] for name in ("created", "updated", "voided", "unchanged"))
    pairs = {
        "synced": (moved, states["synced"]),
        "deferred": (outcomes["deferred"], states["waiting"] + states["retrying"]),
        **{name: (outcomes[name], states[name]) for name in ("held", "in_doubt", "skipped", "not_eligible")},
    }
    found = [
        False_("outcomes do not add up", "", f"{name}: the run says {run}, the invoices {there}")
        for name, (run, there) in pairs.items()
        if run != there
    ]
    missing = books.invoices.keys() - told.states.keys() - leave.unknown
    return found + [False_("missing after a run that was done", id_, "") for id_ in sorted(missing)]


def _end(told: Told, leave: Leave) -> list[False_]:
    """The exit status fits what is left."""
    if told.result is None:
        return []
    held = any(said["state"] == "held" for said in told.explained.values())
    if not leave.causes and not leave.doubt and told.exit not in (0, 3):
        return [False_("a run ended early for nothing", "", f"exit {told.exit}, {told.result.get('cause')}")]
    if told.exit == 0 and held:
        return [False_("exit 0 although invoices are held", "", "")]
    if told.exit == 3 and not held:
        return [False_("exit 3 although nothing is held", "", "")]
    return []
