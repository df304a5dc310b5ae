"""A person's orders: what each does, what it leaves behind, and how it is taken back."""

import pytest

from syncer.domain.errors import WrongUsage

RATE = [{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.77]}]


def told(world, number="INV-1"):
    """The story of an invoice as sentences, with who."""
    return [(one["what"], one["by"]) for one in world.explain(number)["history"]]


def test_a_retry_reads_anew_what_the_invoice_waited_for(world):
    """The rate is added in Xero, somebody says try again: the next run sees it."""
    world.has("INV-1", lines=RATE)
    world.sync()
    world.xero.add_tax_rate("Special", 7.77)
    world.order("retry", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    assert ("Asked to try again", "Anna") in told(world)


def test_a_skip_lasts_until_its_day(world):
    """Left out until a day; on that day it goes over by itself, and the story says why."""
    world.has("INV-1", dueDate=None)
    world.sync()
    until = (world.app.clock.now().date()).replace(year=world.app.clock.now().year + 1).isoformat()
    world.order("skip", "INV-1", because="waits for the new year", until=until)
    world.sync()
    assert world.state("INV-1") == "skipped"
    world.set(due_days="30")
    world.sync()
    assert world.state("INV-1") == "skipped"
    world.later(days=366)
    world.connect()  # sixty days without a refresh end a consent
    world.sync()
    assert world.state("INV-1") == "synced"


def test_one_answer_serves_all_invoices_of_a_customer(world):
    """A link given for one invoice settles every other that waits for the same customer."""
    for name in ("Martin A", "Martin B"):
        world.xero.add_contact(Name=name, EmailAddress="m@martin.example")
    contact = world.crm.add_contact(name="Martin", email="m@martin.example")
    for number in ("INV-1", "INV-2", "INV-3"):
        world.has(number, contact=contact)
    world.sync()
    world.order("link_contact", "INV-2", contact="Martin B")
    assert world.sync()["created"] == 3
    assert {one["Contact"]["Name"] for one in world.xero.invoices()} == {"Martin B"}


def test_a_link_is_taken_back(world):
    """Undo: the customer is decided anew, and a second undo has nothing to take back."""
    for name in ("Martin A", "Martin B"):
        world.xero.add_contact(Name=name, EmailAddress="m@martin.example")
    world.has("INV-1", contact=world.crm.add_contact(name="Martin", email="m@martin.example"))
    world.sync()
    world.order("link_contact", "INV-1", contact="Martin B")
    world.order("undo", "INV-1")
    world.sync()
    assert world.cause("INV-1") == "contact_ambiguous"
    with pytest.raises(WrongUsage):
        world.order("undo", "INV-1")


def test_a_mapping_is_taken_back(world):
    """Undo restores the setting as it was."""
    world.xero.add_tax_rate("State and city", 0, TaxComponents=[{"Name": "A", "Rate": 7}, {"Name": "B", "Rate": 0.77}])
    world.has("INV-1", lines=RATE)
    world.sync()
    world.follow("INV-1")
    assert world.connection.settings()["tax.7.77%"]
    world.order("undo", "INV-1")
    assert not world.connection.settings()["tax.7.77%"]
    world.sync()
    assert world.cause("INV-1") == "tax_unmapped"


def test_a_customer_kept_apart_gets_a_contact_of_its_own(world):
    """None of those who share the email: a new contact, even with the same email."""
    for name in ("Martin A", "Martin B"):
        world.xero.add_contact(Name=name, EmailAddress="m@martin.example")
    world.has("INV-1", contact=world.crm.add_contact(name="Martin C", email="m@martin.example"))
    world.sync()
    world.order("keep_apart", "INV-1")
    world.sync()
    assert world.xero.invoices()[0]["Contact"]["Name"] == "Martin C" and world.state("INV-1") == "synced"


def test_an_order_while_the_answer_is_unknown_waits_for_the_look(world):
    """What is in doubt is looked at first, whatever was ordered: it had arrived, and is left as it is."""
    world.has("INV-1")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("error_503", side="xero", method="GET", path="/Invoices", after=1, times=9)
    world.sync()
    assert world.state("INV-1") == "in_doubt"
    world.order("skip", "INV-1", because="a mistake")
    assert world.state("INV-1") == "in_doubt"
    world.faults.clear()
    world.sync()
    assert len(world.xero.invoices()) == 1 and world.state("INV-1") == "skipped"
    assert world.explain("INV-1")["xero"]["status"] == "AUTHORISED"


def test_the_payment_that_the_accountant_entered_counts_as_the_same(world):
    """By amount and nearest date; what is left over goes over as usual."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account__EUR=bank["AccountID"])
    world.has("INV-1")
    world.sync()
    world.xero.pay("INV-1", 70)
    world.crm.pay("INV-1", 70)
    world.crm.pay("INV-1", 50)
    world.sync(full=True)
    assert world.cause("INV-1") == "payment_exceeds_due"
    world.follow("INV-1")
    world.sync()
    amounts = sorted(one["Amount"] for one in world.xero.payments())
    assert amounts == [50, 70] and world.state("INV-1") == "synced"
    assert any("1 payment in Xero counts as the same" in what for what, _ in told(world))
