"""Contacts: reading, creating, updating, archiving, and the rules their fields obey."""

import re
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import messages as say
from sandbox.xero.books import Books, Contact, name_key, new_id
from sandbox.xero.errors import NotFound, error_list
from sandbox.xero.formats import ZERO_GUID, is_guid, stamp_field
from sandbox.xero.listing import cut, envelope, flag, lower_query, names_of, page_of, selected
from sandbox.xero.where import Field, fold
from sandbox.xero.writing import Outcome, Written

EMAIL = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
WEBSITE = re.compile(r"^(https?://)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+([/?#]\S*)?$")
LENGTHS = {
    "Name": 255, "FirstName": 255, "LastName": 255, "EmailAddress": 255, "ContactNumber": 50, "AccountNumber": 50,
    "CompanyNumber": 50, "TaxNumber": 50,
}  # fmt: skip
PLAIN = (
    "ContactNumber", "AccountNumber", "CompanyNumber", "Name", "FirstName", "LastName", "EmailAddress",
    "BankAccountDetails", "TaxNumber", "TaxNumberType", "AccountsReceivableTaxType", "AccountsPayableTaxType",
    "DefaultCurrency", "SalesDefaultLineAmountType", "PurchasesDefaultLineAmountType", "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode", "PaymentTerms", "Website", "Discount",
)  # fmt: skip
REDUCED_DROPS = {"ContactPersons", "MergedToContactID", "PaymentTerms", "Website", "BatchPayments", "Discount"}
SUMMARY_DROPS = REDUCED_DROPS | {"Addresses", "ContactGroups", "IsCustomer", "IsSupplier"}
PHONES = ("DEFAULT", "DDI", "FAX", "MOBILE")
PHONE_PARTS = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}  # and how long each may be
ADDRESSES = ("STREET", "POBOX")
ADDRESS_PARTS = ("City", "Region", "PostalCode", "Country")
FIRST = ("ContactID", "ContactStatus", "MergedToContactID")


def _read(name: str) -> Any:
    return lambda contact: contact.fields.get(name)


FIELDS: dict[str, Field] = {
    "ContactID": ("guid", lambda c: c.id),
    "UpdatedDateUTC": ("date", lambda c: c.updated),
    **{
        name: ("text", _read(name))
        for name in (
            "ContactNumber", "AccountNumber", "ContactStatus", "Name", "FirstName", "LastName", "EmailAddress",
            "CompanyNumber", "TaxNumber", "DefaultCurrency", "Website",
        )
    },
    **{name: ("bool", _read(name)) for name in ("IsSupplier", "IsCustomer")},
}  # fmt: skip
SEARCHED = ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress")


# -- showing ------------------------------------------------------------------------------------------------------


def element(contact: Contact) -> dict[str, Any]:
    """A contact as a single GET shows it."""
    f = contact.fields
    shown: dict[str, Any] = {"ContactID": contact.id, "ContactStatus": f["ContactStatus"]}
    if f.get("MergedToContactID"):
        shown["MergedToContactID"] = f["MergedToContactID"]
    shown |= {name: f[name] for name in PLAIN[:7] if f.get(name) not in (None, "")}
    shown["BankAccountDetails"] = f.get("BankAccountDetails", "")
    shown |= {name: f[name] for name in PLAIN[8:12] if f.get(name) not in (None, "")}
    shown |= {
        "Addresses": f["Addresses"],
        "Phones": f["Phones"],
        "UpdatedDateUTC": stamp_field(contact.updated),
        "ContactGroups": [],
        "IsSupplier": f["IsSupplier"],
        "IsCustomer": f["IsCustomer"],
    }
    shown |= {name: f[name] for name in PLAIN[12:] if f.get(name) not in (None, "")}
    shown |= {
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        "ContactPersons": f.get("ContactPersons", []),
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    return shown


def full_json(contact: Contact) -> str:
    """A contact as JSON, kept until it changes."""
    if not contact.full:
        contact.full = dumps(element(contact))
    return contact.full


def stub_json(contact: Contact) -> str:
    """A contact as lists of documents show it."""
    if not contact.stub:
        stub: dict[str, Any] = {"ContactID": contact.id, "Name": contact.fields["Name"]}
        if contact.fields.get("ContactNumber"):
            stub = {"ContactID": contact.id, "ContactNumber": contact.fields["ContactNumber"], "Name": stub["Name"]}
        stub |= {
            "Addresses": [],
            "Phones": [],
            "ContactGroups": [],
            "ContactPersons": [],
            "HasValidationErrors": False,
        }
        contact.stub = dumps(stub)
    return contact.stub


# -- reading ------------------------------------------------------------------------------------------------------


def find(books: Books, key: str) -> Contact | None:
    """A contact by id or number."""
    return books.contacts.get(key.lower()) or books.contacts.get(books.contact_numbers.get(key, ""))


def one(books: Books, key: str, provider: str) -> Reply:
    """GET /Contacts/{ContactID or ContactNumber}."""
    contact = find(books, key)
    if contact is None:
        raise NotFound
    return envelope(provider, books.clock.ms(), "Contacts", [full_json(contact)], None)


def listing(books: Books, call: Call, provider: str) -> Reply:
    """GET /Contacts."""
    ids, query = {i.lower() for i in names_of(call, "IDs")}, lower_query(call)
    archived, term = flag(call, "includeArchived"), fold(query.get("searchterm", ""))
    chosen = [
        c
        for c in books.contacts.values()
        if (archived or c.active or c.id in ids) and (not ids or c.id in ids) and (not term or matches(c, term))
    ]
    chosen = selected(chosen, call, FIELDS, "Contact", lambda c: c.updated)
    summary = flag(call, "summaryOnly")
    records, pagination = cut(chosen, page_of(call, force=summary))
    if pagination and not summary:
        elements = [full_json(c) for c in records]
    else:
        drops = SUMMARY_DROPS if summary else REDUCED_DROPS
        elements = [dumps({k: v for k, v in element(c).items() if k not in drops}) for c in records]
    return envelope(provider, books.clock.ms(), "Contacts", elements, pagination)


def matches(contact: Contact, term: str) -> bool:
    """Whether the search term occurs in one of the searched fields."""
    return any(term in fold(contact.fields.get(name) or "") for name in SEARCHED)


# -- writing ------------------------------------------------------------------------------------------------------


def write(books: Books, sent: dict[str, Any], create_only: bool, id_: str | None = None) -> Written:
    """Create or update one contact."""
    existing = None if create_only else match(books, sent, id_)
    if existing is not None and not existing.active:
        return failed(existing, sent, [say.ARCHIVED_EDIT])
    errors = problems(books, sent, existing)
    if errors:
        return failed(existing, sent, errors)
    contact = existing or fresh(books)
    apply(books, contact, sent)
    return Written(Outcome.OK, lambda _: full_json(contact), id=contact.id)


def match(books: Books, sent: dict[str, Any], id_: str | None) -> Contact | None:
    """The contact a POST means: by id, else by number, else by name."""
    key = id_ or sent.get("ContactID")
    if key and key != ZERO_GUID:
        contact = books.contacts.get(str(key).lower())
        if contact is None:
            raise NotFound
        return contact
    number = sent.get("ContactNumber")
    if number and number in books.contact_numbers:
        return books.contacts[books.contact_numbers[number]]
    return books.contacts.get(books.names.get(name_key(str(sent.get("Name") or "")), ""))


def problems(books: Books, sent: dict[str, Any], existing: Contact | None) -> list[str]:
    """Everything that is wrong with a contact as sent."""
    errors = [*name_problems(books, sent, existing), *number_problems(books, sent, existing)]
    if existing is None and sent.get("ContactStatus") == "ARCHIVED":
        errors.append(say.STATUS_ARCHIVED)
    email = sent.get("EmailAddress")
    if email and not EMAIL.match(str(email)):
        errors.append(say.EMAIL_INVALID)
    if sent.get("Website") and not WEBSITE.match(str(sent["Website"])):
        errors.append(say.WEBSITE_INVALID)
    errors += person_problems(sent, existing)
    parts = [(sent, LENGTHS), *((phone, PHONE_PARTS) for phone in sent.get("Phones") or [] if isinstance(phone, dict))]
    return errors + [
        say.TOO_LONG.format(name, most)
        for fields, lengths in parts
        for name, most in lengths.items()
        if len(str(fields.get(name) or "")) > most
    ]


def name_problems(books: Books, sent: dict[str, Any], existing: Contact | None) -> list[str]:
    """What is wrong with the name: missing, taken or with angle brackets."""
    name = str(sent.get("Name") or "")
    if not name.strip():
        return [say.NAME_EMPTY] if existing is None or "Name" in sent else []
    holder = books.names.get(name_key(name))
    if holder and (existing is None or holder != existing.id):
        return [say.NAME_TAKEN.format(name)]
    return [say.NAME_BRACKETS] if "<" in name or ">" in name else []


def number_problems(books: Books, sent: dict[str, Any], existing: Contact | None) -> list[str]:
    """A contact number is unique for ever, archived contacts included."""
    holder = books.contact_numbers.get(str(sent.get("ContactNumber") or ""))
    if holder and (existing is None or holder != existing.id):
        return [say.NUMBER_TAKEN]
    return []


def person_problems(sent: dict[str, Any], existing: Contact | None) -> list[str]:
    """Further persons: five at most, and only beside a main address."""
    persons = sent.get("ContactPersons") or []
    email = sent.get("EmailAddress", existing.fields.get("EmailAddress") if existing else "")
    errors = [say.PERSONS_NEED_EMAIL] if persons and not email else []
    return errors + ([say.PERSONS_MAX] if len(persons) > 5 else [])


def fresh(books: Books) -> Contact:
    """A new contact with the empty phones and addresses of Xero's echo."""
    fields: dict[str, Any] = {"ContactStatus": "ACTIVE", "Name": "", "IsSupplier": False, "IsCustomer": False}
    fields["Addresses"] = [{"AddressType": kind} | dict.fromkeys(ADDRESS_PARTS, "") for kind in ADDRESSES]
    fields["Phones"] = [{"PhoneType": kind} | dict.fromkeys(PHONE_PARTS, "") for kind in PHONES]
    return Contact(new_id(), fields, books.clock.ms())


def apply(books: Books, contact: Contact, sent: dict[str, Any]) -> None:
    """Put the sent fields over the kept ones; what is not sent stays."""
    books.forget_name(contact)
    f = contact.fields
    f |= {name: sent[name] for name in PLAIN if name in sent and sent[name] is not None}
    f["Name"] = " ".join(str(f["Name"]).split())
    if sent.get("ContactStatus") in ("ACTIVE", "ARCHIVED", "GDPRREQUEST"):
        f["ContactStatus"] = sent["ContactStatus"]
    if "ContactPersons" in sent:
        f["ContactPersons"] = [person(p) for p in sent["ContactPersons"] or []]
    f["Phones"] = merged(f["Phones"], sent.get("Phones"), "PhoneType")
    f["Addresses"] = merged(f["Addresses"], sent.get("Addresses"), "AddressType")
    contact.updated = stamp(books, contact.updated)
    books.keep_contact(contact)


def stamp(books: Books, before: int) -> int:
    """When a record was changed; the stale switch leaves it as it was."""
    return before if books.switches.stale_updates else max(books.clock.ms(), before)


def merged(kept: list[dict[str, Any]], sent: Any, kind: str) -> list[dict[str, Any]]:
    """Phones or addresses with the sent ones over those of the same type."""
    by_type = {entry[kind]: entry for entry in kept}
    for entry in sent or []:
        if isinstance(entry, dict) and entry.get(kind):
            parts = {k: v for k, v in entry.items() if v is not None and k != "ValidationErrors"}
            by_type[entry[kind]] = by_type.get(entry[kind], {}) | parts
    return list(by_type.values())


def person(sent: dict[str, Any]) -> dict[str, Any]:
    """A further person of a contact."""
    parts = {k: sent[k] for k in ("FirstName", "LastName", "EmailAddress") if sent.get(k)}
    return parts | {"IncludeInEmails": bool(sent.get("IncludeInEmails"))}


def failed(existing: Contact | None, sent: dict[str, Any], errors: list[str]) -> Written:
    """The echo of a contact that was not written."""
    echo = {"ContactID": existing.id if existing else ZERO_GUID}
    echo |= {k: v for k, v in sent.items() if k not in ("ContactID", "ValidationErrors", "HasValidationErrors")}
    if not is_guid(echo["ContactID"]):
        echo["ContactID"] = ZERO_GUID

    def show(older: bool) -> str:
        texts = [say.older(e) if older else e for e in errors]
        return dumps(echo | {"HasValidationErrors": True, "ValidationErrors": error_list(texts)})

    return Written(Outcome.ERROR, show, errors=errors)
