"""CrocoClick's contacts: requests to build and answers to read; no I/O.

Sources: GoHighLevel/highlevel-api-docs (apps/contacts.json, issues #31 and #64) and HighLevel's article on duplicate
contacts. Never used: upsert, and `tags` on a contact that exists, which would replace its tags.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from syncer.connectors.crococlick import wire
from syncer.connectors.crococlick.fields import loose_text, whole_count
from syncer.connectors.http import Request, Response
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import Address
from syncer.domain.ports import Page, Refused, Taken, Unreadable

PAGE_SIZE = 500  # apps/contacts.json: pageLimit

# Our words, and CrocoClick's for them when it is written to.
_FIELDS: Mapping[str, str] = {
    "name": "name", "first_name": "firstName", "last_name": "lastName", "company": "companyName", "email": "email",
    "phone": "phone", "line": "address1", "city": "city", "region": "state", "postcode": "postalCode",
    "country": "country", "source": "source",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page of contacts, how many rows it had, and what the next one goes on after."""

    page: Page[SourceContact]
    rows: int = 0
    after: Sequence[Any] = ()


def search(location_id: str, after: Sequence[Any] = (), since: datetime | None = None) -> Request:
    """A page of contacts by the day they were added, all or those changed since; a read, though it is a POST."""
    asked: dict[str, Any] = {
        "locationId": location_id,
        "pageLimit": PAGE_SIZE,
        "sort": [{"field": "dateAdded", "direction": "asc"}],
    }
    if since:
        moment = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        asked["filters"] = [{"field": "dateUpdated", "operator": "range", "value": {"gte": moment}}]
    if after:
        asked["searchAfter"] = list(after)
    return _send("POST", "/contacts/search", asked, reads=True)


def get(contact_id: str) -> Request:
    """One contact."""
    return Request("GET", f"/contacts/{quote(contact_id, safe='')}")


def duplicate(location_id: str, email: str = "", phone: str = "") -> Request:
    """The contact that CrocoClick takes for the same, by email or by phone."""
    name, value = ("email", email) if email else ("number", phone)
    query = (("locationId", location_id), (name, value))
    return Request("GET", "/contacts/search/duplicate", query, hidden=frozenset({name}))


def create(location_id: str, fields: Mapping[str, str], call_id: str) -> Request:
    """Create a contact; where the location allows no duplicates, one that exists is refused, never changed."""
    return _send("POST", "/contacts/", {"locationId": location_id, **_written(fields)}, call_id)


def update(contact_id: str, fields: Mapping[str, str], call_id: str) -> Request:
    """Write these fields of a contact; those left out stay as they are."""
    return _send("PUT", f"/contacts/{quote(contact_id, safe='')}", _written(fields), call_id)


def _written(fields: Mapping[str, str]) -> dict[str, str]:
    return {_FIELDS[name]: value for name, value in fields.items()}


def _send(method: str, path: str, body: Mapping[str, Any], call_id: str = "", reads: bool = False) -> Request:
    text = json.dumps(body, ensure_ascii=False).encode()
    return Request(
        method, path, headers={"Content-Type": "application/json"}, body=text, call_id=call_id, reads=reads
    )  # fmt: skip


# --- answers ----------------------------------------------------------------------------------------------------


def found(answer: Response) -> ContactPage:
    """A page of a search."""
    data = wire.decipher(answer)
    rows = wire.rows(data, "contacts")
    read = [contact(row) for row in rows if _has_id(row)]
    unreadable = [Unreadable("", "", "id", "is missing", "contact") for row in rows if not _has_id(row)]
    after = next((row.get("searchAfter") for row in reversed(rows) if isinstance(row, dict)), None)
    page = Page(read, whole_count(data.get("total")), unreadable)
    return ContactPage(page, len(rows), after if isinstance(after, list) else ())


def _has_id(row: Any) -> bool:
    return isinstance(row, dict) and bool(loose_text(row.get("id")))


def one(answer: Response, *, writing: bool = False) -> SourceContact | None:
    """The contact of an answer; None where there is none, which CrocoClick says as 400 or with an empty answer."""
    if answer.status == 404 or (answer.status in (400, 422) and "not found" in wire.said(_body(answer)).lower()):
        return None
    data = wire.decipher(answer, writing=writing)
    row = data.get("contact") or data  # one that was just made may come without the wrapper
    return contact(row) if _has_id(row) else None


def written(answer: Response) -> SourceContact | Taken | Refused:
    """What a write came to: the contact, the one that is there already, or why it was refused."""
    if answer.status in (400, 422):
        body = _body(answer)
        meta = body.get("meta")
        if isinstance(meta, dict) and loose_text(meta.get("contactId")):
            return Taken(loose_text(meta["contactId"]), loose_text(meta.get("matchingField")))
        return Refused((wire.said(body) or f"status {answer.status}",))
    made = one(answer, writing=True)
    return made or Refused(("the answer names no contact",))


def _body(answer: Response) -> Mapping[str, Any]:
    return wire.json_object(answer.body) or {}


def contact(row: Mapping[str, Any]) -> SourceContact:
    """One contact, as it is compared with others; further addresses stand after the first.

    Nothing of it is written anywhere, so that a broken character or a field of another kind is simply left out.
    """
    first, last = _text(row, "firstName"), _text(row, "lastName")
    more = row.get("additionalEmails")
    others = more if isinstance(more, list) else []
    mails = [_text(row, "email"), *(_text(one, "email") for one in others if isinstance(one, dict))]
    return SourceContact(
        id=_text(row, "id"),
        name=_text(row, "name") or _text(row, "contactName") or f"{first} {last}".strip(),
        email=", ".join(mail for mail in mails if mail.strip()),
        company=_text(row, "companyName"),
        phone=_text(row, "phone"),
        first_name=first,
        last_name=last,
        address=Address(
            line=_text(row, "address1"),
            city=_text(row, "city"),
            region=_text(row, "state"),
            postcode=_text(row, "postalCode"),
            country=_text(row, "country"),
        ),
        source=_text(row, "source"),
        updated_at=_moment(row),
    )


def _moment(row: Mapping[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(row, "dateUpdated") or _text(row, "dateAdded"))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (OverflowError, ValueError):
        return None


def _text(row: Mapping[str, Any], name: str) -> str:
    return loose_text(row.get(name))
