"""Tracking categories: two active ones at most, each with its options; lines name an option of an active category."""

from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import messages as say
from sandbox.xero.books import Books, new_id
from sandbox.xero.listing import envelope, flag, lower_query, selected
from sandbox.xero.settings import Row
from sandbox.xero.where import Field

MOST = 2  # active categories of an organisation, and entries of a line (Xero's pages "trackingcategories", "invoices")
FIELDS: dict[str, Field] = {
    "TrackingCategoryID": ("guid", lambda row: row.id),
    "Name": ("text", lambda row: row.element["Name"]),
    "Status": ("text", lambda row: row.element["Status"]),
}


def listing(books: Books, call: Call, provider: str) -> Reply:
    """GET /TrackingCategories: active ones with their active options, archived ones with includeArchived=true."""
    archived = flag(call, "includeArchived")
    rows = [Row(category, id_) for id_, category in books.tracking.items()]
    chosen = selected(rows, call, FIELDS, "TrackingCategory", lambda row: row.updated)
    if "order" not in lower_query(call):
        chosen.sort(key=lambda row: row.element["Name"])
    shown = [seen(row.element, archived) for row in chosen if archived or row.element["Status"] == "ACTIVE"]
    return envelope(provider, books.clock.ms(), "TrackingCategories", [dumps(category) for category in shown], None)


def seen(category: dict[str, Any], archived: bool) -> dict[str, Any]:
    """A category as a list shows it."""
    return category | {"Options": [one for one in category["Options"] if archived or one["Status"] == "ACTIVE"]}


def add(books: Books, name: str, options: list[str]) -> str:
    """A category as a person makes it; gives its id."""
    if sum(1 for one in books.tracking.values() if one["Status"] == "ACTIVE") >= MOST:
        raise ValueError("An organisation has at most two active tracking categories.")
    id_ = new_id()
    made = [{"TrackingOptionID": new_id(), "Name": option, "Status": "ACTIVE"} for option in options]
    books.tracking[id_] = {"Name": name, "Status": "ACTIVE", "TrackingCategoryID": id_, "Options": made}
    books.keep_org()
    return id_


def find(books: Books, key: str) -> dict[str, Any]:
    """A category by name or id."""
    return next(one for one in books.tracking.values() if key in (one["Name"], one["TrackingCategoryID"]))


def resolve(books: Books, sent: Any) -> tuple[list[dict[str, str]], list[str]]:
    """What a line carries, and what is wrong with it."""
    if not isinstance(sent, list | tuple) or not all(isinstance(one, dict) for one in sent):
        return [], [say.TRACKING_UNKNOWN]
    if len(sent) > MOST:
        return [], [say.TRACKING_TOO_MANY]
    found = [_entry(books, one) for one in sent]
    return [one for one in found if one], [] if all(found) else [say.TRACKING_UNKNOWN]


def _entry(books: Books, sent: dict[str, Any]) -> dict[str, str] | None:
    """The active category and option that an entry means, by their ids or names."""
    category = _meant(list(books.tracking.values()), sent, "TrackingCategoryID", "Name")
    option = _meant(category["Options"], sent, "TrackingOptionID", "Option") if category else None
    if not category or not option:
        return None
    return {
        "Name": category["Name"],
        "Option": option["Name"],
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": option["TrackingOptionID"],
    }


def _meant(known: list[dict[str, Any]], sent: dict[str, Any], by_id: str, by_name: str) -> dict[str, Any] | None:
    active = [one for one in known if one["Status"] == "ACTIVE"]
    if sent.get(by_id):
        return next((one for one in active if one[by_id] == str(sent[by_id]).lower()), None)
    return next((one for one in active if one["Name"] == sent.get(by_name)), None)
