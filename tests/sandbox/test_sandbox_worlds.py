"""The named starting points hold what their names promise, and are the same every time."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from conftest import shared

from sandbox.clock import Clock
from sandbox.server import Sandbox
from sandbox.worlds.build import WORLDS

NOON = 1_795_435_200.0  # 23 November 2026


def made(world: str) -> Sandbox:
    """A world as it is on one day."""
    return Sandbox(world=world, clock=Clock(source=lambda: NOON))


@pytest.fixture(scope="module")
def demo() -> Sandbox:
    """The demo world."""
    return made("demo")


def test_the_demo_is_a_french_consultancy(demo: Sandbox) -> None:
    """Two organisations; 20 and 10 % but no 5.5 %; pounds but no dollars; a lock date in the past; Paris time."""
    assert [b.name for b in demo.sim.xero.books.values()] == ["Dupont Conseil", "Dupont Formation"]
    org = demo.xero.organisation()
    assert (org["Version"], org["BaseCurrency"]) == ("GLOBAL", "EUR")
    assert org["PeriodLockDate"] < "2026-09-24"
    assert demo.xero.currencies() == ["EUR", "GBP"]
    rates = {r["EffectiveRate"] for r in demo.xero.tax_rates()}
    assert {20.0, 10.0, 11.0} <= rates and 5.5 not in rates
    assert demo.crococlick.profile()["timezone"] == "Europe/Paris"


def test_the_demo_has_its_statuses_and_its_troubles(demo: Sandbox) -> None:
    """About 120 invoices in all six statuses, and a believable handful of each problem."""
    invoices = demo.crococlick.invoices()
    docs = [i.doc for i in demo.sim.crococlick.location.invoices.values()]
    assert 115 <= len(invoices) <= 125
    statuses = Counter(i["status"] for i in invoices)
    assert set(statuses) == {"draft", "sent", "payment_processing", "paid", "void", "partially_paid"}
    numbers = Counter(i["invoiceNumber"] for i in invoices)
    lock = demo.xero.organisation()["PeriodLockDate"]

    def rates(invoice: dict[str, Any]) -> set[float]:
        return {t["rate"] for li in invoice["invoiceItems"] for t in li["taxes"]}

    found = {
        "unmapped tax": sum(5.5 in rates(i) for i in invoices),
        "shared email": sum(i["contactDetails"]["email"] == "compta@martin.example" for i in invoices),
        "locked": sum(d["issueDate"] <= lock for d in docs),
        "dollars": sum(i["currency"] == "USD" for i in invoices),
        "repeated number": sum(n > 1 for n in numbers.values()),
        "no due date": sum("dueDate" not in i for i in invoices),
        "negative": sum(i["total"] < 0 for i in invoices),
        "test mode": sum(not i["liveMode"] for i in invoices),
        "not ASCII": sum(not i["invoiceNumber"].isascii() for i in invoices),
        "taken name": sum(i["contactDetails"].get("companyName") == "Garage Bertrand" for i in invoices),
    }
    assert found == {
        "unmapped tax": 6, "shared email": 4, "locked": 2, "dollars": 2, "repeated number": 1, "no due date": 1,
        "negative": 1, "test mode": 1, "not ASCII": 1, "taken name": 1,
    }  # fmt: skip
    assert any(i["discount"]["type"] == "fixed" and i["discount"]["value"] for i in invoices)
    assert any(i["discount"]["type"] == "percentage" and i["discount"]["value"] for i in invoices)
    assert any(li["taxInclusive"] for i in invoices for li in i["invoiceItems"])
    assert any(len(li["taxes"]) > 1 for i in invoices for li in i["invoiceItems"])


def test_the_demos_contacts_are_linked_in_every_way(demo: Sandbox) -> None:
    """Most share an email with one Xero contact, some are only here, two Xero contacts share one, one is archived."""
    xero = demo.xero.contacts()
    emails = Counter(c.get("EmailAddress") for c in xero)
    crm = demo.crococlick.contacts()
    linked = [c for c in crm if emails[c["email"]] == 1]
    assert 50 <= len(crm) <= 65
    assert len(linked) >= 30 and len(crm) - len(linked) >= 10
    assert [e for e, n in emails.items() if n > 1] == ["compta@martin.example"]
    assert [c["Name"] for c in xero if c["ContactStatus"] == "ARCHIVED"] == ["Imprimerie Delmas"]
    assert any(c["IsSupplier"] and not c["IsCustomer"] for c in xero)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_the_same_every_time(world: str) -> None:
    """Ids, numbers, people and amounts do not change from one start to the next."""

    def picture(box: Sandbox) -> Any:
        keys = ("_id", "invoiceNumber", "total", "status", "contactDetails", "issueDate")
        return (
            [{k: i[k] for k in keys} for i in box.crococlick.invoices()],
            [c["id"] for c in box.crococlick.contacts()],
            [c["ContactID"] for c in box.xero.contacts()],
            box.xero.tenant,
        )

    assert picture(made(world)) == picture(made(world))


@pytest.mark.parametrize("world", WORLDS)
def test_ids_have_the_real_shapes_and_addresses_reach_nobody(world: str) -> None:
    """24 hexadecimal digits, 20 characters, reserved domains; what is paid has its transactions."""
    box = made(world)
    for contact in box.crococlick.contacts():
        assert len(contact["id"]) == 20 and contact["email"].endswith(".example")
    paid: Counter[str] = Counter()
    for transaction in box.crococlick.transactions():
        paid[transaction["entitySourceId"]] += Decimal(str(transaction["amount"]))  # type: ignore[assignment]  # because: Counter is typed for int
    for invoice in box.crococlick.invoices():
        assert len(invoice["_id"]) == 24 and int(invoice["_id"], 16)
        assert Decimal(str(invoice["amountPaid"])) == paid[invoice["_id"]]
        assert Decimal(str(invoice["total"])) == Decimal(str(invoice["amountPaid"])) + Decimal(
            str(invoice["amountDue"])
        )
        assert invoice["total"] == round(invoice["total"], 2)


def test_quiet_and_empty() -> None:
    """All four French rates, three clean invoices or none."""
    quiet, empty = made("quiet"), made("empty")
    assert len(quiet.crococlick.invoices()) == len(quiet.crococlick.contacts()) == 3
    assert empty.crococlick.invoices() == empty.crococlick.contacts() == empty.xero.contacts() == []
    for box in (quiet, empty):
        rates = {r["TaxType"]: r["EffectiveRate"] for r in box.xero.tax_rates() if r["TaxType"].startswith("TAX")}
        assert rates == {"TAX001": 20.0, "TAX002": 10.0, "TAX003": 5.5, "TAX004": 2.1}


def test_month_end() -> None:
    """Two thousand clean invoices in three currencies, most paid on the last day of their month."""
    box = made("month-end")
    invoices = box.crococlick.invoices()
    assert len({i["invoiceNumber"] for i in invoices}) == 2000
    assert {i["currency"] for i in invoices} == {"EUR", "GBP", "CHF"} == set(box.xero.currencies())
    assert Counter(i["status"] for i in invoices)["paid"] > 1300
    names = Counter(c["name"] for c in box.crococlick.contacts())
    assert max(names.values()) == 1
    days = Counter(t["fulfilledAt"][:10] for t in box.crococlick.transactions())
    assert set(days) <= {"2026-09-30", "2026-10-31", "2026-11-23"}


def test_the_retail_year() -> None:
    """19,960 documents with a positive total: 19,959 invoices and one adjustment; pounds, no tax, due after 30 days."""
    box = Sandbox(load=shared("data", "online_retail"), limits=False)
    docs = [i.doc for i in box.sim.crococlick.location.invoices.values()]
    assert len(docs) == 19_960
    assert [d["invoiceNumber"] for d in docs if not d["invoiceNumber"].isdigit()] == ["A563185"]
    assert all(d["total"] > 0 and d["status"] == "sent" and d["currency"] == "GBP" for d in docs)
    assert (docs[0]["issueDate"], docs[0]["dueDate"], docs[0]["total"]) == ("2010-12-01", "2010-12-31", 139.12)
    assert sum(Decimal(str(d["total"])) for d in docs) == Decimal("10666684.54")
    walk_in = [d for d in docs if d["contactDetails"]["name"] == "Walk-in customer"]
    assert len({d["contactDetails"]["id"] for d in walk_in}) == 1 and len(walk_in) > 1000
    assert len(box.crococlick.contacts()) == 4339
    assert box.xero.organisation()["BaseCurrency"] == "GBP"
    assert box.crococlick.profile()["timezone"] == "Europe/London"
    lines = box.crococlick.invoice(docs[0]["_id"])["invoiceItems"]
    assert (len(lines), lines[0]["qty"], lines[0]["amount"]) == (7, 6, 2.55)
    assert lines[0]["name"] == "WHITE HANGING HEART T-LIGHT HOLDER"
