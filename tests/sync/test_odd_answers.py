"""What Xero, or a server before it, may answer: one odd record never stops the others, and no word of it is false."""

import pytest

from syncer.domain.errors import Unavailable

HTML_403 = "<HTML><TITLE>Access Denied</TITLE>You don't have permission to access this. Reference #18.2f1</HTML>"
HTML_400 = "<html><head><title>400 Bad Request</title></head><body>Invalid Header</body></html>"
HTML = "text/html; charset=utf-8"


def three(world):
    """Three customers known to Xero, an invoice each."""
    for number in range(3):
        email = f"c{number}@example.org"
        world.xero.add_contact(Name=f"C{number}", EmailAddress=email)
        world.has(f"INV-{number}", contact=world.crm.add_contact(name=f"C{number}", email=email))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"EmailAddress":"c1@example.org"', '"EmailAddress":{}'),
        ('"Name":"C1"', '"Name":["C1"]'),
        ('"EmailAddress":"c1@example.org","Phones"', '"Addresses":7,"EmailAddress":"c1@example.org","Phones"'),
    ],
)
def test_a_contact_that_cannot_be_read_leaves_the_others_alone(world, old, new):
    """It is named in the run; its invoice waits for a person or goes by another contact, and the rest goes."""
    three(world)
    world.faults.next_read("rewritten", path="/Contacts", times=9, old=old, new=new)
    world.sync()
    assert (world.state("INV-0"), world.state("INV-2")) == ("synced", "synced")


def test_what_was_left_out_is_named(world):
    """Which record of Xero's, which field, and what stood there: once a run, and not when it is right again."""
    three(world)
    old, new = '"EmailAddress":"c1@example.org"', '"EmailAddress":{}'
    world.faults.next_read("rewritten", path="/Contacts", times=9, old=old, new=new)
    world.sync()
    [odd] = world.outcome.left_out
    assert (odd.kind, odd.number, odd.field) == ("contact", "C1", "EmailAddress")
    assert "no text" in odd.reason
    world.faults.clear()
    world.sync(full=True)
    assert not world.outcome.left_out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Total":120.0', '"Total":"a lot"'),
        ('"InvoiceID":"', '"InvoiceID":7,"Id":"'),
        ('"Invoices":[', '"Invoices":[null,'),
        ('"Invoices":', '"Documents":'),
        ('"Status":"AUTHORISED"', '"Status":[]'),
    ],
)
def test_a_write_whose_answer_cannot_be_read_is_looked_for(world, old, new):
    """Xero carried it out: nothing is called failed, nothing is sent twice, and the run itself finds it."""
    three(world)
    world.faults.next_write("rewritten", path="/Invoices", old=old, new=new)
    world.sync()
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced"] * 3
    assert world.xero.numbers() == ["INV-0", "INV-1", "INV-2"]
    assert world.writes() == 1


def test_an_invoice_that_cannot_be_read_is_not_taken_for_absent(world):
    """Neither its answer nor the look for it can be read: it stays in doubt, its neighbours are settled."""
    three(world)
    number = '"InvoiceNumber":"INV-1"'
    world.faults.next_write("rewritten", path="/Invoices", old='"Total":120.0', new='"Was":120.0')
    world.faults.next_read("rewritten", path="/Invoices", times=9, old=number, new=f'"RoundingAmount":"much",{number}')
    world.sync()
    assert world.xero.numbers() == ["INV-0", "INV-1", "INV-2"]
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced", "in_doubt", "synced"]
    world.sync()
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced", "in_doubt", "synced"]
    assert world.writes() == 1
    world.faults.clear()
    world.sync()
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced"] * 3
    assert world.xero.numbers() == ["INV-0", "INV-1", "INV-2"]


@pytest.mark.parametrize("door", ["next_read", "next_write"])
def test_an_edges_403_is_no_permission(world, door):
    """Akamai answers before Xero with a page that says "permission": nobody is asked to connect with another role."""
    three(world)
    getattr(world.faults, door)("refuse", status=403, body=HTML_403, content_type=HTML, times=9)
    world.sync()
    if door == "next_read":
        assert isinstance(world.outcome.failure, Unavailable)
    else:
        assert {world.explain(f"INV-{number}")["cause"]["code"] for number in range(3)} <= {"xero_unavailable"}
    world.faults.clear()
    world.later(hours=1)
    world.sync()
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced"] * 3


def test_an_edges_400_is_no_unknown_id(world):
    """A page of HTML says nothing of what was sent: the invoices are looked for and go in the next run."""
    three(world)
    world.faults.next_write("refuse", path="/Invoices", status=400, body=HTML_400, content_type=HTML)
    world.sync()
    told = [world.explain(f"INV-{number}") for number in range(3)]
    assert not [one for one in told if one["cause"] and "id in it is unknown" in one["cause"]["sentence"]]
    world.sync()
    assert [world.state(f"INV-{number}") for number in range(3)] == ["synced"] * 3


def test_a_payment_that_cannot_be_read_is_not_entered_again(world):
    """The answer was lost and the look finds something unreadable: whatever it is, no second payment goes."""
    contact = world.crm.add_contact(name="C", email="c@example.org")
    world.set(payment_account__EUR=next(one["AccountID"] for one in world.xero.accounts() if one["Type"] == "BANK"))
    world.has("INV-1", contact=contact, status="paid")
    world.faults.next_write("accepted_then_hung_up", path="/Payments")
    world.sync()
    assert len(world.xero.payments()) == 1
    world.later(minutes=10)
    world.faults.next_read("rewritten", path="/Payments", times=9, old='"Amount":120.0', new='"Amount":"much"')
    world.sync(times=2)
    assert (world.state("INV-1"), len(world.xero.payments())) == ("in_doubt", 1)
    world.faults.clear()
    world.sync()
    assert world.state("INV-1") == "synced"
    assert len(world.xero.payments()) == 1
