"""What is true of every invoice, worked out from both sandboxes' books alone: nothing of the product is imported here.

`judge` compares that with what the product told.
"""

from tests.support.truth.apart import apart
from tests.support.truth.books import GONE, Books, unreadable
from tests.support.truth.causes import of_cause
from tests.support.truth.counts import end, sums, table, twice
from tests.support.truth.sentences import of_sentence
from tests.support.truth.told import False_, Leave, Told

STATES = {"synced", "waiting", "held", "retrying", "in_doubt", "skipped", "not_eligible", "unknown"}


def judge(books: Books, told: Told, leave: Leave) -> list[False_]:
    """Every false word among what was told."""
    found = [false for id_, said in told.explained.items() for false in judge_one(books, id_, said, leave)]
    return [*found, *twice(books), *table(told, leave), *sums(books, told, leave), *end(told, leave)]


def judge_one(books: Books, id_: str, said: dict, leave: Leave) -> list[False_]:
    """One invoice: its state, its cause and its sentence."""
    state, cause = said.get("state"), (said.get("cause") or {}).get("code")
    found = [] if state in STATES else [False_("no state", id_, f"{state}")]
    invoice = books.invoices.get(id_)
    if invoice is None:
        return found + _of_deleted(books, id_, state, leave)
    if field_ := unreadable(invoice, books.zone):
        return found + _of_unreadable(books, invoice, said, field_, leave)
    found += _of_state(books, invoice, state, cause, leave)
    if cause and id_ not in leave.unknown:
        found += of_cause(books, invoice, said, leave)
    return [*found, *of_sentence(books, invoice, said, leave)]


def _of_deleted(books: Books, id_: str, state: str, leave: Leave) -> list[False_]:
    document = books.document(id_)
    standing = document is not None and document["Status"] not in GONE
    if standing and state in ("synced", "waiting") and id_ not in leave.unknown and leave.read:
        return [False_("synced but deleted", id_, f"{state}, CrocoClick has it no more, Xero {document['Status']}")]
    return []


# Nothing of these goes over, whatever else is in them.
LEFT_OUT = {
    "void_before_sync": lambda one: one["status"] == "void",
    "status_not_selected": lambda one: one["status"] == "draft",
    "test_mode": lambda one: not one.get("liveMode", True),
}


def _of_unreadable(books: Books, invoice: dict, said: dict, field_: str, leave: Leave) -> list[False_]:
    """It waits for a person, unless nothing of it would ever go over."""
    id_, state, cause = invoice["_id"], said.get("state"), (said.get("cause") or {}).get("code")
    if state == "not_eligible" and cause in LEFT_OUT and LEFT_OUT[cause](invoice) and not books.marked(id_):
        return []
    if id_ in leave.unknown or not leave.read or (state, cause) == ("held", "invoice_unreadable"):
        return []
    if cause in leave.causes:
        return []
    return [False_("unreadable not held", id_, f"{field_} cannot be read, told {state} {cause}")]


def _of_state(books: Books, invoice: dict, state: str, cause: str | None, leave: Leave) -> list[False_]:
    id_ = invoice["_id"]
    if state == "synced" and id_ not in leave.unknown:
        found = (one for one in apart(books, invoice) if (id_, one) not in leave.adopted)
        return [False_(f"synced but {one.partition(':')[0]} differs", id_, one) for one in found]
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
