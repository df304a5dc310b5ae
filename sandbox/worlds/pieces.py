"""What worlds are built from: a location, organisations, contacts, invoices."""

import random
from datetime import timedelta
from typing import Any

from sandbox import names
from sandbox.crococlick.records import COMPANY_ID, LETTERS, LOCATION_ID
from sandbox.fixture import Fixture
from sandbox.names import Business
from sandbox.xero import contacts, opening
from sandbox.xero.books import Books
from sandbox.xero.editions import seeded_id

TOKEN = "pit-sandbox"  # noqa: S105 - the sandbox's public token


SECOND_ID, SECOND_TOKEN = "SandboxLocation00002", "pit-formation"


def open_location(box: Fixture, name: str, zone: str, country: str) -> None:
    """The one CrocoClick location and its private integration token."""
    address = {"addressLine1": "12 rue des Lilas", "city": "Lyon", "postalCode": "69003", "countryCode": country}
    box.sim.crococlick.location.profile = {
        "id": LOCATION_ID,
        "companyId": COMPANY_ID,
        "name": name,
        "domain": "",
        "address": "12 rue des Lilas",
        "city": "Lyon",
        "state": "",
        "country": country,
        "postalCode": "69003",
        "website": "https://dupont-conseil.example",
        "timezone": zone,
        "firstName": "Camille",
        "lastName": "Dupont",
        "email": "bonjour@dupont-conseil.example",
        "phone": "+33400000000",
        "business": {"name": name, "address": "12 rue des Lilas", "city": "Lyon", "country": country, "timezone": zone},
        "social": {},
        "settings": {
            "allowDuplicateContact": False,
            "allowDuplicateOpportunity": False,
            "allowFacebookNameMerge": False,
            "disableContactTimezone": False,
        },
        "_tokens": {TOKEN: None},
        "_business": {"name": name, "address": address, "phoneNo": "+33400000000", "website": "dupont-conseil.example"},
    }
    box.sim.crococlick.location.keep_profile()


def open_organisation(box: Fixture, name: str, currencies: tuple[str, ...] = (), **options: Any) -> Books:
    """One more set of books."""
    books = opening.open_books(name, box.sim.store, box.clock, currencies=currencies, **options)
    box.sim.xero.books[books.tenant] = books
    return books


def add_rates(box: Fixture, books: Books, *rates: float) -> None:
    """French sales rates as an accountant makes them: TAX001, TAX002 and so on."""
    desk = box.xero.of(books.tenant)
    for rate in rates:
        desk.add_tax_rate(f"TVA {rate:g} %".replace(".", ","), rate)
    for code in ("706", "707"):
        books.accounts[books.codes[code]]["TaxType"] = "TAX001"
    books.keep_org()


def day(box: Fixture, back: int) -> str:
    """A date so many days ago."""
    return (box.clock.utc().date() - timedelta(days=back)).isoformat()


def in_xero(books: Books, name: str, **fields: Any) -> str:
    """A contact in Xero with an id that stays the same."""
    contact = contacts.fresh(books)
    contact.id = seeded_id(books.tenant, "contact", name, str(fields.get("EmailAddress")))
    status = fields.pop("ContactStatus", None)
    flags: dict[str, Any] = {k: fields.pop(k) for k in ("IsCustomer", "IsSupplier") if k in fields}
    contacts.apply(books, contact, {"Name": name} | fields)
    contact.fields |= flags
    if status:
        books.forget_name(contact)
        contact.fields["ContactStatus"] = status
    books.keep_contact(contact)
    return contact.id


def business_in_xero(books: Books, who: Business, **fields: Any) -> str:
    """A business as Xero knows it."""
    known = {"EmailAddress": who.email, "FirstName": who.first, "LastName": who.last, "IsCustomer": True}
    return in_xero(books, who.company, **(known | fields))


class Crm:
    """CrocoClick's side of a world, with ids that stay the same."""

    def __init__(self, box: Fixture, rng: random.Random):
        self.box, self.rng = box, rng
        self.year = box.clock.utc().year
        self.count = 0

    def contact(self, who: Business, **fields: Any) -> str:
        """A business as CrocoClick knows it."""
        known = {
            "id": "".join(self.rng.choices(LETTERS, k=20)),
            "firstName": who.first,
            "lastName": who.last,
            "email": who.email,
            "phone": who.phone,
            "companyName": who.company,
            "city": who.city,
            "postalCode": who.postcode,
            "country": "FR",
            "source": "import",
        }
        return self.box.crococlick.add_contact(**(known | fields))

    def number(self) -> str:
        """The next number of the year."""
        self.count += 1
        return f"FAC-{self.year}-{self.count:04d}"

    def invoice(self, contact: str, back: int, lines: list[dict[str, Any]], **fields: Any) -> str:
        """An invoice of so many days ago, due after thirty, with payments of its own time."""
        issued = fields.pop("issueDate", None) or day(self.box, back)
        known = {
            "_id": f"{self.rng.getrandbits(96):024x}",
            "contact": contact,
            "number": fields.pop("number", None) or self.number(),
            "issueDate": issued,
            "dueDate": day(self.box, back - 30),
            "lines": lines,
            "name": lines[0]["name"],
        }
        status, paid_on = fields.pop("status", "sent"), fields.pop("paid_on", None)
        desk = self.box.crococlick
        id_ = desk.add_invoice(**(known | fields), status="draft" if status == "draft" else "sent")
        if status in ("paid", "partially_paid"):
            self._pay(id_, status, paid_on or day(self.box, max(back - 12, 0)))
        elif status in ("void", "payment_processing"):
            desk.edit_invoice(id_, status=status)
        self._age(id_, issued)
        return id_

    def _pay(self, id_: str, status: str, on: str) -> None:
        total = self.box.sim.crococlick.location.invoices[id_].doc["total"]
        part = None if status == "paid" else round(total * 0.4, 2)
        self.box.crococlick.pay(id_, part, at=f"{on}T10:15:00.000Z")

    def _age(self, id_: str, issued: str) -> None:
        """Make it look as old as it says it is."""
        location = self.box.sim.crococlick.location
        invoice = location.invoices[id_]
        invoice.doc |= {"createdAt": f"{issued}T08:30:00.000Z", "updatedAt": f"{issued}T08:31:00.000Z", "__v": 0}
        location.keep_invoice(invoice)
        for key in location.payments_of.get(id_, ()):
            transaction = location.transactions[key]
            transaction |= dict.fromkeys(("createdAt", "updatedAt"), transaction["fulfilledAt"])
            location.keep_transaction(transaction)


def service(rng: random.Random, rate: Any = 20, qty: Any = None, **fields: Any) -> dict[str, Any]:
    """One line."""
    name, price = rng.choice(names.SERVICES)
    line = {"name": name, "amount": price, "qty": qty or rng.choice((1, 1, 2, 3, 0.5, 4))}
    return line | {"taxes": rate if isinstance(rate, list) else [rate]} | fields


def empty(box: Fixture) -> None:
    """One well-kept organisation and nothing in it."""
    open_location(box, "Dupont Conseil", "Europe/Paris", "FR")
    books = open_organisation(box, "Dupont Conseil", ("GBP", "USD"))
    add_rates(box, books, 20, 10, 5.5, 2.1)
