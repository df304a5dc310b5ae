"""Nothing stands twice, no money is entered twice, and tables, outcomes and the exit status fit the invoices."""

from collections import Counter

from tests.support.truth.books import GONE, Books, Unreadable, cents
from tests.support.truth.told import False_, Leave, Told


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
    found += [
        False_("paid twice in Xero", one["entitySourceId"], f"{one['_id']} of {one['amount']}")
        for one in books.transactions
        if words[one["_id"]] > 1
    ]
    marks = Counter(one["ContactNumber"] for one in books.customers.values() if one.get("ContactNumber"))
    return found + [False_("a customer twice in Xero", key, f"{n} times") for key, n in marks.items() if n > 1]


def overpaid(before, after):
    """Payments that a run entered where as much or more was paid in Xero than CrocoClick took.

    Money that CrocoClick gave back stays in Xero until a person books the refund: it is no payment too many.
    """
    known, found = {p["PaymentID"] for p in before.payments}, []
    for id_, invoice in after.invoices.items():
        document = after.document(id_)
        standing = after.paid_on(document) if document else []
        new = [p for p in standing if p["PaymentID"] not in known]
        try:
            ours = max(cents(invoice["amountPaid"]), _taken(after, id_, standing))
        except Unreadable:
            continue
        if new and cents(document["AmountPaid"]) > ours:
            text = f"{len(new)} entered, {document['AmountPaid']} is paid now, {ours} cents in CrocoClick"
            found.append(False_("paid too much", id_, text))
    return found


def _taken(books: Books, id_: str, standing: list[dict]) -> int:
    """What CrocoClick took and kept, and what it gave back of payments that still stand in Xero by our mark."""
    marks = {word for p in standing for word in (p.get("Reference") or "").split()}
    taken = 0
    for one in books.of_invoice(id_):
        back = cents(one["amountRefunded"])
        taken += cents(one["amount"]) - (0 if one["_id"] in marks else back)
    return taken


def table(told: Told, leave: Leave) -> list[False_]:
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


def sums(books: Books, told: Told, leave: Leave) -> list[False_]:
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


def end(told: Told, leave: Leave) -> list[False_]:
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
