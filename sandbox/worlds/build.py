"""Named starting points. Everything is the same every time, apart from dates, which count back from today."""

import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import names
from sandbox.crococlick.records import COMPANY_ID, LETTERS, LOCATION_ID
from sandbox.names import Business
from sandbox.worlds import retail
from sandbox.xero import contacts, opening
from sandbox.xero.books import Books
from sandbox.xero.editions import seeded_id

if TYPE_CHECKING:
    from sandbox.server import Sandbox

WORLDS = {
    "demo": "a French consultancy with 60 contacts, 120 invoices and a handful of every problem; a second location",
    "quiet": "one organisation, 3 contacts, 3 invoices that go over without trouble",
    "empty": "as quiet, without contacts and invoices",
    "month-end": "2,000 clean invoices in three currencies, most of them paid at the end of their month",
    "training": "one invoice for each magic number, and for each cause that is made in CrocoClick itself; see below",
}
TOKEN = "pit-sandbox"  # noqa: S105 - the sandbox's public token
SECOND_ID, SECOND_TOKEN = "SandboxLocation00002", "pit-formation"


def label(world: str, load: Any) -> str:
    """What a state was made from, as it is kept beside it."""
    return f"the file {Path(load).resolve().name}" if load else f"the world {world}"


def build(box: "Sandbox", world: str, load: Any) -> None:
    """Fill an empty sandbox."""
    if load:
        retail.build(box, Path(load))
        return
    if world not in WORLDS:
        raise ValueError(f"There is no world called {world}. The worlds are: {', '.join(WORLDS)}.")
    # Training is built from the pieces below.
    from sandbox.worlds.training import training

    builders = {"demo": demo, "quiet": quiet, "empty": empty, "month-end": month_end, "training": training}
    builders[world](box)


# -- pieces -------------------------------------------------------------------------------------------------------


def open_location(box: "Sandbox", name: str, zone: str, country: str) -> None:
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


def open_organisation(box: "Sandbox", name: str, currencies: tuple[str, ...] = (), **options: Any) -> Books:
    """One more set of books."""
    books = opening.open_books(name, box.sim.store, box.clock, currencies=currencies, **options)
    box.sim.xero.books[books.tenant] = books
    return books


def add_rates(box: "Sandbox", books: Books, *rates: float) -> None:
    """French sales rates as an accountant makes them: TAX001, TAX002, …"""
    desk = box.xero.of(books.tenant)
    for rate in rates:
        desk.add_tax_rate(f"TVA {rate:g} %".replace(".", ","), rate)
    for code in ("706", "707"):
        books.accounts[books.codes[code]]["TaxType"] = "TAX001"
    books.keep_org()


def day(box: "Sandbox", back: int) -> str:
    """A date so many days ago."""
    return (box.clock.utc().date() - timedelta(days=back)).isoformat()


def in_xero(books: Books, name: str, **fields: Any) -> str:
    """A contact in Xero with an id that stays the same."""
    contact = contacts.fresh(books)
    contact.id = seeded_id(books.tenant, "contact", name, str(fields.get("EmailAddress")))
    status = fields.pop("ContactStatus", None)
    flags = {k: fields.pop(k) for k in ("IsCustomer", "IsSupplier") if k in fields}
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

    def __init__(self, box: "Sandbox", rng: random.Random):
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


# -- worlds -------------------------------------------------------------------------------------------------------


def empty(box: "Sandbox") -> None:
    """One well-kept organisation and nothing in it."""
    open_location(box, "Dupont Conseil", "Europe/Paris", "FR")
    books = open_organisation(box, "Dupont Conseil", ("GBP", "USD"))
    add_rates(box, books, 20, 10, 5.5, 2.1)


def quiet(box: "Sandbox") -> None:
    """Three customers, three invoices, no trouble."""
    empty(box)
    rng = random.Random(3)
    crm, books = Crm(box, rng), box.xero.books
    people = names.businesses(3, rng)
    ids = [crm.contact(who) for who in people]
    business_in_xero(books, people[0])
    consulting = {"name": "Journée de conseil", "amount": 890, "qty": 2, "taxes": [20]}
    crm.invoice(ids[0], 9, [consulting])
    crm.invoice(ids[1], 6, [consulting, {"name": "Ouvrage", "amount": 62.56, "qty": 1, "taxes": [5.5]}])
    crm.invoice(ids[2], 2, [{"name": "Formation", "amount": 520.5, "qty": 1, "taxes": [10]}], status="paid")
    box.sim.crococlick.location.next_number = crm.count + 1
    box.sim.crococlick.location.keep_profile()


def demo(box: "Sandbox") -> None:
    """A consultancy in the middle of its year, with a handful of every problem."""
    open_location(box, "Dupont Conseil", "Europe/Paris", "FR")
    books = open_organisation(box, "Dupont Conseil", ("GBP",))
    add_rates(box, books, 20, 10)
    parts = [{"Name": "TVA", "Rate": 8.5}, {"Name": "Octroi de mer", "Rate": 2.5}]
    box.xero.of(books.tenant).add_tax_rate("TVA 8,5 % + octroi de mer 2,5 %", 0, TaxComponents=parts)
    second = open_organisation(box, "Dupont Formation", plan="STANDARD")
    add_rates(box, second, 20)
    lock = (box.clock.utc().date() - timedelta(days=62)).replace(day=1) - timedelta(days=1)
    books.org["PeriodLockDate"] = lock.isoformat()
    books.keep_org()
    rng = random.Random(2026)
    crm = Crm(box, rng)
    people = names.businesses(56, rng)
    customers = [crm.contact(who) for who in people[:50]]
    for n, who in enumerate(people):
        if n < 34 or n >= 50:
            business_in_xero(books, who, IsCustomer=n < 52, IsSupplier=n >= 52)
    ordinary(crm, customers)
    troubles(box, crm, books, customers, lock.isoformat())
    box.sim.crococlick.location.next_number = crm.count + 1
    box.sim.crococlick.location.keep_profile()
    formation(box)


def formation(box: "Sandbox") -> None:
    """The second location, whose books are the second organisation's: four courses, one of them held."""
    desk = box.crococlick.add_location(SECOND_ID, "Dupont Formation", SECOND_TOKEN)
    for n, rate in enumerate((20, 20, 20, 5.5), 1):
        who = {"firstName": "École", "lastName": f"Numéro {n}", "companyName": f"École {n}"}
        contact = desk.add_contact(id=f"SecondContact00{n:05d}", email=f"compta@ecole-{n}.example", **who)
        course = {"name": "Stage de deux jours", "amount": 1450, "qty": 1, "taxes": [rate]}
        number = f"FOR-{box.clock.utc().year}-{n:03d}"
        desk.add_invoice(
            _id=f"{n:024x}", contact=contact, number=number, status="sent", lines=[course], name=course["name"],
            issueDate=day(box, 20 - 4 * n), dueDate=day(box, -10 - 4 * n),
        )  # fmt: skip


ORDINARY = (
    ["sent"] * 42 + ["paid"] * 30 + ["partially_paid"] * 9 + ["draft"] * 7 + ["void"] * 6 + ["payment_processing"] * 4
)


def ordinary(crm: Crm, customers: list[str]) -> None:
    """Invoices as they should be."""
    rng, statuses = crm.rng, list(ORDINARY)
    rng.shuffle(statuses)
    for n, status in enumerate(statuses):
        lines = [service(rng, rng.choice((20, 20, 20, 10))) for _ in range(rng.choice((1, 1, 2, 3)))]
        fields: dict[str, Any] = {}
        if n % 9 == 0:
            fields["discount"] = {"type": "percentage", "value": rng.choice((5, 10, 12.5))}
        elif n % 13 == 0:
            fields["discount"] = {"type": "fixed", "value": 25}
        if n % 11 == 0:
            lines = [service(rng, 20, taxInclusive=True)]
        elif n in (17, 58):
            lines = [service(rng, [8.5, {"_id": "0" * 20 + "2500", "name": "Octroi de mer", "rate": 2.5}])]
        elif n in (23, 71):
            fields["currency"] = "GBP"
        crm.invoice(rng.choice(customers), 58 - n * 57 // len(statuses), lines, status=status, **fields)


def troubles(box: "Sandbox", crm: Crm, books: Books, customers: list[str], lock: str) -> None:
    """What needs a person: a believable few of each kind."""
    rng = crm.rng
    for n in range(6):
        book = {"name": "Ouvrage de référence", "amount": rng.choice((28, 34.9, 62.56)), "qty": n + 1, "taxes": [5.5]}
        crm.invoice(customers[n + 3], 30 - 4 * n, [service(rng), book])
    shared = "compta@martin.example"
    in_xero(books, "Martin SARL", EmailAddress=shared, IsCustomer=True)
    in_xero(books, "Martin Holding", EmailAddress=shared, IsCustomer=True)
    martin = crm.contact(Business("Martin & Fils", "Claire", "Martin", shared, "+33140000001", "Paris", "75011"))
    for n in range(4):
        crm.invoice(martin, 26 - 5 * n, [service(rng)])
    for n, date in enumerate((lock, (box.clock.utc().date() - timedelta(days=95)).isoformat())):
        crm.invoice(customers[n], 60, [service(rng, qty=1)], issueDate=date)
    for n in range(2):
        crm.invoice(customers[n + 12], 15 - n, [service(rng, [])], currency="USD")
    crm.invoice(customers[20], 8, [service(rng)], number=f"FAC-{crm.year}-0012")
    crm.invoice(customers[21], 7, [service(rng)], dueDate=None)
    in_xero(books, "Garage Bertrand", EmailAddress="ancien@garage-bertrand.example", IsCustomer=True)
    garage = crm.contact(
        Business(
            "Garage Bertrand", "Garage", "Bertrand", "contact@garage-bertrand.example", "+33140000002", "Lille", "59800"
        )
    )
    crm.invoice(garage, 6, [service(rng)])
    credit = {"name": "Avoir sur prestation", "amount": -450, "qty": 1, "taxes": []}
    crm.invoice(customers[22], 5, [{"name": "Prestation", "amount": 120, "qty": 1, "taxes": [20]}, credit])
    crm.invoice(customers[23], 4, [service(rng)], liveMode=False)
    crm.invoice(customers[24], 3, [service(rng)], number=f"FAC-{crm.year}-№-7")
    gone = Business(
        "Imprimerie Delmas", "Hugo", "Delmas", "factures@imprimerie-delmas.example", "+33140000003", "Lyon", "69003"
    )
    business_in_xero(books, gone, ContactStatus="ARCHIVED")
    crm.invoice(crm.contact(gone), 2, [service(rng)])


def month_end(box: "Sandbox") -> None:
    """Two thousand invoices of the last two months, most of them paid on the last day of their month."""
    open_location(box, "Dupont Conseil", "Europe/Paris", "FR")
    books = open_organisation(box, "Dupont Conseil", ("GBP", "CHF"))
    add_rates(box, books, 20, 10, 5.5, 2.1)
    rng = random.Random(30)
    crm = Crm(box, rng)
    people = names.businesses(200, rng)
    customers = [crm.contact(who) for who in people]
    for who in people[:150]:
        business_in_xero(books, who)
    today = box.clock.utc().date()
    for n in range(2000):
        back = 60 - n * 60 // 2000
        issued = today - timedelta(days=back)
        end = min((issued.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1), today)
        lines = [service(rng, rng.choice((20, 20, 10, 5.5))) for _ in range(rng.randint(1, 5))]
        currency = rng.choices(("EUR", "GBP", "CHF"), (8, 1, 1))[0]
        status = "paid" if rng.random() < 0.7 else "sent"
        crm.invoice(rng.choice(customers), back, lines, status=status, currency=currency, paid_on=end.isoformat())
    box.sim.crococlick.location.next_number = crm.count + 1
    box.sim.crococlick.location.keep_profile()
