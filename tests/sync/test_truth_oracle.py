"""The oracle itself: it is silent over books that agree, and says what is false where somebody damages one of them."""

import pytest

from tests.support.truth import oracle
from tests.support.truth.books import read
from tests.support.truth.counts import overpaid
from tests.support.truth.told import Leave, Told
from tests.support.truth.world import connected_still, still_world


@pytest.fixture(scope="module")
def connected(tmp_path_factory):
    return connected_still(tmp_path_factory.mktemp("still"))


@pytest.fixture
def world(connected, tmp_path):
    with still_world(tmp_path, connected) as world:
        yield world


@pytest.fixture
def synced(world):
    """Three invoices that went over: one open, one paid in two parts, one void."""
    contact = world.crm.add_contact(name="Customer", email="customer@example.org")
    world.has("OPEN", contact=contact, _id="a" * 24, issueDate="2026-11-01", dueDate="2026-12-01")
    world.has("PAID", contact=contact, _id="b" * 24, issueDate="2026-11-02")
    world.crm.pay("PAID", 50)
    world.crm.pay("PAID", 70)
    world.has("GONE", contact=contact, _id="c" * 24)
    world.command("sync")
    world.crm.void("GONE")
    assert world.command("sync")[0] == 0
    return world


def judged(world, leave=None, **changes):
    """The kinds of false words, where each invoice is told as explain tells it, but for `changes`."""
    books = read(world.box)
    told = {id_: {**world.command("explain", id_)[1], **changes} for id_ in books.invoices}
    return {one.kind for one in oracle.judge(books, Told(told, world.states()), leave or Leave())}


def test_books_that_agree_are_told_truly(synced):
    """Nothing false is found where nothing is."""
    assert judged(synced) == set()


DAMAGES = {
    "number": {"InvoiceNumber": "OTHER"},
    "issue date": {"Date": "2026-11-03"},
    "due date": {"DueDate": "2026-12-02"},
    "currency": {"CurrencyCode": "GBP"},
    "total": {"Total": "120.01"},
    "tax": {"TotalTax": "19.99"},
    "status": {"Status": "DRAFT"},
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_field_that_somebody_damages_in_xero(synced, what):
    """`synced` is false where one field differs, whichever it is."""
    synced.xero.update("invoices", "OPEN", **DAMAGES[what])
    assert f"synced but {what} differs" in judged(synced)


def test_another_contact(synced):
    """The same for the customer."""
    other = synced.xero.add_contact(Name="Somebody else", EmailAddress="else@example.org")
    synced.xero.update("invoices", "OPEN", ContactID=other)
    assert judged(synced) == {"synced but contact differs"}


def test_money_that_is_missing_or_too_much(synced):
    """The same for what is paid, and for payments of another amount that come to the same sum."""
    synced.xero.pay("OPEN", 5)
    assert judged(synced) == {"synced but paid differs"}
    first, second = (p for p in synced.xero.payments() if p["Invoice"]["InvoiceNumber"] == "PAID")
    synced.xero.delete_payment(first["PaymentID"])
    assert "synced but paid differs" in judged(synced)
    synced.xero.delete_payment(second["PaymentID"])
    synced.xero.pay("PAID", 60)
    synced.xero.pay("PAID", 60)
    assert "synced but payments differs" in judged(synced)


def test_a_document_that_is_gone_or_stands_again(synced):
    """Voided in Xero and still called synced; void in CrocoClick and standing in Xero."""
    synced.xero.void("OPEN")
    synced.xero.update("invoices", "GONE", Status="AUTHORISED")
    assert judged(synced) == {"synced but status differs"}


def test_twice_of_anything(synced):
    """A second document with our mark, a second payment of one transaction, a second customer."""
    document = synced.xero.invoice("OPEN")
    contact = document["Contact"]["ContactID"]
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "706"}
    copy = synced.xero.add_invoice(
        InvoiceNumber="COPY",
        Contact={"ContactID": contact},
        LineItems=[line],
        Status="AUTHORISED",
        Url=document["Url"],
        Date="2026-11-01",
        DueDate="2026-12-01",
    )
    first = next(one for one in synced.crm.transactions())
    synced.xero.pay(copy, 50, reference=first["_id"])
    other = synced.xero.add_contact(Name="Second")
    synced.xero.update("contacts", other, ContactNumber=synced.xero.contacts()[0]["ContactNumber"])
    found = judged(synced)
    assert {"twice in Xero", "paid twice in Xero", "a customer twice in Xero"} <= found


def test_what_cannot_be_known_yet_is_excused(synced):
    """What somebody changed a moment ago in Xero is no false word until it could have been read."""
    synced.xero.update("invoices", "OPEN", DueDate="2026-12-24")
    assert judged(synced, Leave(unknown={"a" * 24})) == set()


OUTCOMES = ("created", "updated", "voided", "unchanged", "held", "deferred", "in_doubt", "skipped", "not_eligible")


@pytest.mark.parametrize("field", ["number", "due_date", "paid"])
def test_a_change_that_a_ledger_may_have_forgotten(synced, field):
    """Who made it is not said after a ledger was put back; but it is one, and payments tell who entered them."""
    forgetful = Leave(forgotten={"a" * 24})
    now = {"number": "OTHER", "due_date": "2026-12-01", "paid": "0"}[field]
    changes = [{"field": field, "before": "", "now": now, "by": "unknown"}]
    said = {"state": "held", "cause": {"code": "changed_in_xero", "sentence": "", "facts": {"changes": changes}}}
    assert oracle.judge_one(read(synced.box), "a" * 24, said, forgetful)[0].kind == "changed_in_xero is not so"
    synced.xero.update("invoices", "OPEN", InvoiceNumber="OTHER")
    found = oracle.judge_one(read(synced.box), "a" * 24, said, forgetful)
    assert bool(found) == (field != "number")
    assert oracle.judge_one(read(synced.box), "a" * 24, said, Leave()), "a ledger that forgot nothing knows it"
    del changes[0]["by"]
    assert oracle.judge_one(read(synced.box), "a" * 24, said, forgetful), "nobody changed it in Xero"


def test_a_difference_that_a_person_takes_for_right(synced):
    """It is excused as it was then, and no other one."""
    synced.xero.update("invoices", "OPEN", DueDate="2026-12-24")
    adopted = Leave(adopted={("a" * 24, "due date: 2026-12-01 | 2026-12-24")})
    assert judged(synced, adopted) == set()
    synced.xero.update("invoices", "OPEN", DueDate="2026-12-25")
    assert judged(synced, adopted) == {"synced but due date differs"}


CAUSE = {"sentence": "", "facts": {}}
SAYINGS = {
    "nobody changed it": ("held", {"code": "changed_in_xero"}, "changed_in_xero is not so"),
    "it stands": ("held", {"code": "removed_in_xero"}, "removed_in_xero is not so"),
    "nothing was refunded": ("held", {"code": "refund_needs_person"}, "refund_needs_person is not so"),
    "no other has it": ("held", {"code": "number_taken"}, "number_taken is not so"),
    "not locked": ("held", {"code": "period_locked"}, "period_locked is not so"),
    "CrocoClick has it": ("held", {"code": "deleted_in_crococlick"}, "deleted_in_crococlick is not so"),
    "readable": ("held", {"code": "invoice_unreadable"}, "invoice_unreadable is not so"),
    "nothing is more than due": (
        "held",
        {"code": "payment_exceeds_due", "facts": {"amount": "1.00", "due": "120.00"}},
        "payment_exceeds_due is not so",
    ),
    "both sides equal": (
        "held",
        {"code": "total_mismatch", "sentence": "CrocoClick says €8.17, but its lines come to €8.17 (net"},
        "two equal sides",
    ),
    "an amount of nowhere": ("held", {"code": "other", "sentence": "€77.77 is missing"}, "an amount that is nowhere"),
    "a hole": ("held", {"code": "other", "sentence": "it is dated None"}, "a hole in a sentence"),
    "no cause": ("held", None, "held without a cause"),
    "no state": ("lost", None, "no state"),
    "nothing in doubt": ("in_doubt", {"code": "answer_lost"}, "in doubt although no answer was lost"),
    "still waiting": ("waiting", None, "waiting after a run that was done"),
}


@pytest.mark.parametrize("what", SAYINGS)
def test_a_saying_that_is_not_so(synced, what):
    """States and causes that nothing in the books bears out."""
    state, cause, kind = SAYINGS[what]
    said = {"state": state, "cause": cause and {**CAUSE, **cause}, "verdict": ""}
    books = read(synced.box)
    assert kind in {one.kind for one in oracle.judge_one(books, "a" * 24, said, Leave())}


def test_what_stands_in_the_way_of_everything(synced):
    """`waiting` without the connection's cause is false while something of the connection stands in the way."""
    books, leave = read(synced.box), Leave(causes={"consent_revoked"}, read=False)
    said = {"state": "waiting", "cause": None, "verdict": ""}
    assert oracle.judge_one(books, "a" * 24, said, leave)[0].kind == "waiting without the connection's cause"
    said["cause"] = {**CAUSE, "code": "consent_revoked"}
    assert oracle.judge_one(books, "a" * 24, said, leave) == []


def test_a_value_in_no_known_form(synced):
    """An unreadable invoice is held for that, and for nothing else."""
    one = synced.crm.location.invoices["a" * 24]
    one.doc["total"] = "12,50"
    synced.crm.location.touch(one)
    assert "unreadable not held" in judged(synced)


LEFT_OUT = {"void_before_sync": {"status": "void"}, "status_not_selected": {"status": "draft"}}


@pytest.mark.parametrize("cause", LEFT_OUT)
@pytest.mark.parametrize("fits", [True, False])
def test_a_value_in_no_known_form_where_nothing_would_go_over(world, cause, fits):
    """Nobody is needed for an invoice that is left out anyway, where it is so."""
    said = {"state": "not_eligible", "cause": {**CAUSE, "code": cause}, "verdict": ""}
    world.has("ODD", _id="a" * 24, issueDate="yesterday", **(LEFT_OUT[cause] if fits else {}))
    found = oracle.judge_one(read(world.box), "a" * 24, said, Leave())
    assert [one.kind for one in found] == ([] if fits else ["unreadable not held"])


def test_sums_exits_and_tables(synced):
    """A run whose outcomes miss an invoice, an exit that hides one, and a table that says otherwise."""
    books = read(synced.box)
    told = {id_: synced.command("explain", id_)[1] for id_ in books.invoices}
    outcomes = dict.fromkeys(OUTCOMES, 0) | {"unchanged": 2}
    result = {"ended": "done", "outcomes": outcomes, "cause": None}
    rows = [{"crococlick_id": id_, "state": "held", "cause": "tax_unmapped"} for id_ in (*told, "a" * 24)]
    states = {"a" * 24: "synced", "b" * 24: "synced", "d" * 24: "held"}
    found = oracle.judge(books, Told(told, rows, states, result, 3), Leave())
    assert {one.kind for one in found} == {
        "outcomes do not add up",
        "missing after a run that was done",
        "exit 3 although nothing is held",
        "the table says otherwise",
        "twice in the table",
    }
    found = oracle.judge(books, Told(told, result=result, exit=5), Leave(read=False))
    assert {one.kind for one in found} == {"a run ended early for nothing"}


def test_a_payment_too_many(synced):
    """A run that enters money which is paid in Xero already."""
    before = read(synced.box)
    synced.xero.pay("OPEN", 5)
    assert [one.kind for one in overpaid(before, read(synced.box))] == ["paid too much"]


def test_a_refund_that_nobody_booked_is_no_payment_too_many(synced):
    """Money given back in CrocoClick stays in Xero until a person books it; a payment after it is still owed."""
    first = synced.crm.pay("OPEN", 40)
    synced.sync()
    synced.crm.refund(first)
    synced.crm.pay("OPEN", 20)
    before = read(synced.box)
    synced.sync()
    after = read(synced.box)
    assert synced.xero.invoice("OPEN")["AmountPaid"] == 60
    assert overpaid(before, after) == []
    synced.xero.pay("OPEN", 5)
    assert [one.kind for one in overpaid(after, read(synced.box))] == ["paid too much"]
