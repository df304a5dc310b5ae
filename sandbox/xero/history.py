"""Notes on documents."""

from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import messages as say
from sandbox.xero.books import Books
from sandbox.xero.errors import NotFound, error_list, validation_reply
from sandbox.xero.formats import stamp_field, stamp_text
from sandbox.xero.listing import envelope
from sandbox.xero.writing import elements_of

DETAILS_MAX = 2500


def listing(books: Books, document: str, provider: str) -> Reply:
    """GET /{Resource}/{id}/History, the newest first."""
    notes = [dumps(n) for n in reversed(books.history.get(document, []))]
    return envelope(provider, books.clock.ms(), "HistoryRecords", notes, None)


def add(books: Books, document: str, call: Call, provider: str) -> Reply:
    """PUT /{Resource}/{id}/History."""
    answers = []
    for sent in elements_of(call, "HistoryRecords"):
        details = str(sent.get("Details") or "")
        if not 1 <= len(details) <= DETAILS_MAX:
            errors = error_list([say.NOTE_EMPTY])
            return validation_reply([dumps({"Details": details, "ValidationErrors": errors})])
        answers.append(note(books, document, details))
    return envelope(provider, books.clock.ms(), "HistoryRecords", [dumps(a) for a in answers], None)


def note(books: Books, document: str, details: str, changes: str = "Note", user: str = "System Generated") -> Any:
    """Write a note; what PUT shows of it is less than what GET shows."""
    ms = books.clock.ms()
    when = {"DateUTCString": stamp_text(ms).rstrip("Z"), "DateUTC": stamp_field(ms)}
    books.keep_history(document, {"Changes": changes, **when, "User": user, "Details": details})
    return {"Details": details, **when, "ValidationErrors": []}


def exists(books: Books, resource: str, key: str) -> str:
    """The id of the document a history belongs to."""
    shelf: dict[str, Any] = {"invoices": books.invoices, "contacts": books.contacts, "payments": books.payments}
    if key.lower() not in shelf.get(resource, {}):
        raise NotFound
    return key.lower()
