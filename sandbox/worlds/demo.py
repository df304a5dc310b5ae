"""The worlds to look at and to try with: quiet, demo, month-end."""

import random
from datetime import timedelta
from typing import Any

from sandbox import names
from sandbox.fixture import Fixture
from sandbox.names import Business
from sandbox.worlds.pieces import (
    SECOND_ID,
    SECOND_TOKEN,
    Crm,
    add_rates,
    business_in_xero,
    day,
    empty,
    in_xero,
    open_location,
    open_organisation,
    service,
)
from sandbox.xero.books import Books


def quiet(box: Fixture) -> None:
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


def demo(box: Fixture) -> None:
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


def formation(box: Fixture) -> None:
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


def troubles(box: Fixture, crm: Crm, books: Books, customers: list[str], lock: str) -> None:
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


def month_end(box: Fixture) -> None:
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
