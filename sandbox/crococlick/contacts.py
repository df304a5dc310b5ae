"""CrocoClick's contacts: create, upsert, update, search, duplicates, tags."""

import re
from datetime import datetime
from typing import Any

from sandbox.crococlick.checks import Rules, complaints, require
from sandbox.crococlick.errors import Refusal, invalid, trace_id
from sandbox.crococlick.invoices import call_body
from sandbox.crococlick.records import Location, iso_ms, phone_key, short_id
from sandbox.wire import Call, Reply, json_reply

TEXTS = (
    "firstName", "lastName", "name", "email", "gender", "phone", "address1", "city", "state", "postalCode", "website",
    "timezone", "source", "country", "companyName", "assignedTo",
)  # fmt: skip
UPDATE_RULES: Rules = {
    **{name: ("string", False) for name in TEXTS if name != "companyName"}, "dnd": ("boolean", False),
    "dndSettings": ("object", False), "inboundDndSettings": ("object", False), "tags": ("array", False),
    "customFields": ("array", False), "dateOfBirth": ("any", False),
}  # fmt: skip
CREATE_RULES: Rules = {**UPDATE_RULES, "companyName": ("string", False), "locationId": ("string", True)}
UPSERT_RULES: Rules = {**CREATE_RULES, "createNewIfDuplicateAllowed": ("boolean", False)}
SEARCH_RULES: Rules = {
    "locationId": ("string", True), "pageLimit": ("number", True), "page": ("number", False),
    "searchAfter": ("array", False), "filters": ("array", False), "sort": ("array", False), "query": ("string", False),
}  # fmt: skip
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
DUPLICATE = "This location does not allow duplicated contacts."
PAGE_MAX, WINDOW_MAX, QUERY_MAX = 500, 10_000, 75
EMAIL_OPERATORS = ("eq", "not_eq", "exists", "not_exists")


def find(location: Location, id_: str) -> dict[str, Any]:
    """A contact by id; an unknown one is 400, not 404."""
    contact = location.contacts.get(id_)
    if contact is None:
        raise Refusal(400, f"Contact not found for id:{id_}", named=True)
    return contact


def shown(contact: dict[str, Any]) -> dict[str, Any]:
    """A contact with the lower-case variants that answers carry."""
    email = contact.get("email") or ""
    view = dict(contact)
    view |= {"emailLowerCase": email.lower()} if email else {}
    names = {"firstName": "firstNameLowerCase", "lastName": "lastNameLowerCase", "name": "fullNameLowerCase"}
    return view | {low: contact[name].lower() for name, low in names.items() if contact.get(name)}


# -- writing ------------------------------------------------------------------------------------------------------


def create(location: Location, call: Call) -> Reply:
    """POST /contacts/."""
    body = call_body(call)
    check(location, body, CREATE_RULES)
    twin = duplicate(location, body)
    if twin and not allows_duplicates(location):
        contact, by = twin
        meta = {"contactId": contact["id"], "contactName": contact.get("name", ""), "matchingField": by}
        raise Refusal(400, DUPLICATE, meta=meta)
    contact = make(location, body)
    if location.switches.created_but_422:
        raise invalid(["Sandbox: refused, and created all the same"])
    return json_reply({"contact": shown(contact), "traceId": trace_id()}, 201)


def check(location: Location, body: dict[str, Any], rules: Rules) -> None:
    """Refuse what is wrong with a contact."""
    found = complaints(body, rules)
    if isinstance(body.get("email"), str) and body["email"] and not EMAIL.match(body["email"]):
        found.append("email must be an email")
    if found:
        raise invalid(found)


def allows_duplicates(location: Location) -> bool:
    """The location's own setting."""
    return bool(location.profile["settings"]["allowDuplicateContact"])


def duplicate(location: Location, body: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
    """The contact that has this email, else this phone."""
    email, phone = (body.get("email") or "").lower(), phone_key(body.get("phone") or "")
    for by, key, shelf in (("email", email, location.by_email), ("phone", phone, location.by_phone)):
        if key and shelf.get(key):
            return location.contacts[shelf[key][0]], by
    return None


def make(location: Location, body: dict[str, Any], id_: str = "") -> dict[str, Any]:
    """A new contact."""
    now = location.now()
    contact: dict[str, Any] = {
        "id": id_ or short_id(),
        "locationId": location.id,
        "type": "lead",
        "dnd": False,
        "tags": [],
        "customFields": [],
        "additionalEmails": [],
        "country": "FR",
        "dateAdded": now,
    }
    apply(location, contact, body)
    return contact


def apply(location: Location, contact: dict[str, Any], body: dict[str, Any]) -> None:
    """Put sent fields over a contact; `tags`, when sent, replace the whole list."""
    skip = ("locationId", "createNewIfDuplicateAllowed", "customFields")
    contact |= {k: v for k, v in body.items() if k not in skip and v is not None}
    if "name" in body and "firstName" not in body:
        contact["firstName"], _, contact["lastName"] = str(body["name"]).partition(" ")
    if contact.get("firstName") or contact.get("lastName"):
        full = f"{contact.get('firstName') or ''} {contact.get('lastName') or ''}".strip()
        contact["name"] = body.get("name") or full
    fields = {f["id"]: f for f in contact["customFields"]}
    for sent in body.get("customFields") or []:
        key = sent.get("id") or sent.get("key", "")
        # Written as field_value, read as value.
        fields[key] = {"id": key, "value": sent.get("field_value", sent.get("value"))}
    contact["customFields"] = list(fields.values())
    contact["dateUpdated"] = location.now()
    location.keep_contact(contact)


def upsert(location: Location, call: Call) -> Reply:
    """POST /contacts/upsert: email first, then phone."""
    body = call_body(call)
    check(location, body, UPSERT_RULES)
    twin = duplicate(location, body)
    if twin is None or (body.get("createNewIfDuplicateAllowed") and allows_duplicates(location)):
        return json_reply({"new": True, "contact": shown(make(location, body)), "traceId": trace_id()})
    apply(location, twin[0], body)
    return json_reply({"new": False, "contact": shown(twin[0]), "traceId": trace_id()})


def update(location: Location, call: Call, id_: str) -> Reply:
    """PUT /contacts/{id}."""
    contact, body = find(location, id_), call_body(call)
    check(location, body, UPDATE_RULES)
    apply(location, contact, body)
    return json_reply({"succeded": True, "contact": shown(contact), "traceId": trace_id()})


def delete(location: Location, id_: str) -> Reply:
    """DELETE /contacts/{id}."""
    find(location, id_)
    location.drop_contact(id_)
    return json_reply({"succeded": True, "traceId": trace_id()})


def tags(location: Location, call: Call, id_: str) -> Reply:
    """POST adds tags, DELETE removes them."""
    contact, body = find(location, id_), call_body(call)
    require(body, {"tags": ("array", True)})
    kept = [t for t in contact["tags"] if t not in body["tags"]]
    if call.method == "DELETE":
        contact["tags"] = kept
        answer = {"tags": kept, "tagsRemoved": body["tags"]}
    else:
        added = [t for t in body["tags"] if t not in contact["tags"]]
        contact["tags"] = [*contact["tags"], *added]
        answer = {"tags": contact["tags"], "tagsAdded": added}
    contact["dateUpdated"] = location.now()
    location.keep_contact(contact)
    return json_reply(answer | {"traceId": trace_id()}, 201 if call.method == "POST" else 200)


# -- reading ------------------------------------------------------------------------------------------------------


def one(location: Location, id_: str) -> Reply:
    """GET /contacts/{id}."""
    return json_reply({"contact": shown(find(location, id_)), "traceId": trace_id()})


def visible(location: Location) -> list[dict[str, Any]]:
    """Contacts that search has caught up with."""
    now = location.clock.now()
    return [c for c in location.contacts.values() if location.indexed_at[c["id"]] <= now]


def search_duplicate(location: Location, call: Call) -> Reply:
    """GET /contacts/search/duplicate."""
    if call.query.get("locationId") != location.id:
        raise Refusal(403, "The token does not have access to this location.")
    if not call.query.get("email") and not call.query.get("number"):
        raise invalid(["email or number should not be empty"])
    twin = duplicate(location, {"email": call.query.get("email"), "phone": call.query.get("number")})
    return json_reply({"contact": shown(twin[0]) if twin else None, "traceId": trace_id()})


def listing(location: Location, call: Call) -> Reply:
    """GET /contacts/, deprecated; pages by startAfter and startAfterId."""
    query = call.query
    rows = sorted(visible(location), key=lambda c: (millis(c["dateAdded"]), c["id"]))
    if query.get("query"):
        rows = [c for c in rows if mentions(c, query["query"])]
    total = len(rows)
    if query.get("startAfterId"):
        after = (int(query.get("startAfter") or 0), query["startAfterId"])
        rows = [c for c in rows if (millis(c["dateAdded"]), c["id"]) > after]
    limit = min(int(query["limit"]) if query.get("limit", "").isdigit() else 20, 100)
    rows = rows[:limit]
    meta: dict[str, Any] = {"total": total, "currentPage": 1}
    if rows:
        meta |= {"startAfter": millis(rows[-1]["dateAdded"]), "startAfterId": rows[-1]["id"]}
    return json_reply({"contacts": [shown(c) for c in rows], "meta": meta, "traceId": trace_id()})


def search(location: Location, call: Call) -> Reply:
    """POST /contacts/search."""
    body = call_body(call)
    check_search(location, body)
    rows = [c for c in visible(location) if fits(c, body.get("filters") or [])]
    if body.get("query"):
        rows = [c for c in rows if mentions(c, body["query"])]
    ordered(rows, body.get("sort") or [])
    total, limit = len(rows), int(body["pageLimit"])
    if body.get("searchAfter"):
        places = {search_key(c): n for n, c in enumerate(rows)}
        rows = rows[places.get(tuple(body["searchAfter"]), len(rows)) + 1 :]
    else:
        start = (int(body.get("page") or 1) - 1) * limit
        rows = rows[start:]
    found = [shown(c) | {"searchAfter": list(search_key(c))} for c in rows[:limit]]
    return json_reply({"contacts": found, "total": total, "traceId": trace_id()})


def check_search(location: Location, body: dict[str, Any]) -> None:
    """Refuse a search that asks too much."""
    found = complaints(body, SEARCH_RULES)
    limit = body.get("pageLimit")
    if isinstance(limit, int) and not 1 <= limit <= PAGE_MAX:
        found.append(f"pageLimit must not be greater than {PAGE_MAX}")
    if isinstance(limit, int) and int(body.get("page") or 1) * limit > WINDOW_MAX:
        found.append(f"page * pageLimit must not be greater than {WINDOW_MAX}, use searchAfter")
    if len(body.get("query") or "") > QUERY_MAX:
        found.append(f"query must be shorter than or equal to {QUERY_MAX} characters")
    if len(body.get("sort") or []) > 2:
        found.append("sort must contain no more than 2 elements")
    if found:
        raise invalid(found)


def search_key(contact: dict[str, Any]) -> tuple[Any, ...]:
    """What a document's searchAfter holds."""
    return millis(contact["dateAdded"]), contact["id"]


def millis(iso: str) -> int:
    """A kept instant as milliseconds."""
    return int(datetime.fromisoformat(iso).timestamp() * 1000)


def ordered(rows: list[dict[str, Any]], sort: list[dict[str, Any]]) -> None:
    """Sort by the fields asked for, by date added otherwise."""
    rows.sort(key=search_key, reverse=not sort)
    for step in reversed(sort):
        field = str(step.get("field"))
        rows.sort(key=lambda c: str(c.get(field) or "").lower(), reverse=step.get("direction") == "desc")


def mentions(contact: dict[str, Any], term: str) -> bool:
    """Whether a free search finds a contact."""
    texts = (contact.get(k) for k in ("name", "firstName", "lastName", "email", "phone", "companyName"))
    return any(term.lower() in str(t or "").lower() for t in texts)


def fits(contact: dict[str, Any], filters: list[dict[str, Any]], group: str = "AND") -> bool:
    """Whether a contact passes a group of filters."""
    results = [fits(contact, f["filters"], f["group"]) if "group" in f else leaf_fits(contact, f) for f in filters]
    return all(results) if group == "AND" else any(results)


def leaf_fits(contact: dict[str, Any], leaf: dict[str, Any]) -> bool:
    """One filter."""
    field, operator, wanted = str(leaf.get("field")), leaf.get("operator"), leaf.get("value")
    if field == "email" and operator not in EMAIL_OPERATORS:
        raise invalid([f"operator {operator} is not supported for email"])
    value = field_value(contact, field)
    match operator:
        case "eq":
            return same(value, wanted)
        case "not_eq":
            return not same(value, wanted)
        case "contains":
            return str(wanted).lower() in str(value or "").lower()
        case "not_contains":
            return str(wanted).lower() not in str(value or "").lower()
        case "exists":
            return value not in (None, "", [])
        case "not_exists":
            return value in (None, "", [])
        case "range":
            return in_range(str(value or ""), wanted or {})
    raise invalid([f"operator {operator} is not supported"])


def field_value(contact: dict[str, Any], field: str) -> Any:
    """A field, custom ones included."""
    if field.startswith("customFields."):
        id_ = field.split(".", 1)[1]
        return next((f["value"] for f in contact["customFields"] if f["id"] == id_), None)
    return contact.get("companyName" if field == "businessName" else field)


def same(value: Any, wanted: Any) -> bool:
    """Equality without regard to case; a list holds one of the wanted."""
    if isinstance(value, list):
        wishes = wanted if isinstance(wanted, list) else [wanted]
        return any(w in value for w in wishes)
    return str(value or "").lower() == str(wanted or "").lower()


def in_range(value: str, bounds: dict[str, Any]) -> bool:
    """Whether an instant lies between gte/gt and lte/lt, given as instants or milliseconds."""

    def text(bound: Any) -> str:
        return iso_ms(int(bound)) if isinstance(bound, int) else str(bound)

    return (
        ("gte" not in bounds or value >= text(bounds["gte"]))
        and ("gt" not in bounds or value > text(bounds["gt"]))
        and ("lte" not in bounds or value <= text(bounds["lte"]))
        and ("lt" not in bounds or value < text(bounds["lt"]))
    )
