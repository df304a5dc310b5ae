"""An order that would change nothing is refused, and says why; nothing was ordered then."""

import pytest

from syncer.domain.errors import WrongUsage


def in_sync(world):
    """Both books agree."""
    world.has("INV-1")
    world.sync()


def held_by_us(world):
    """It has no due date, and is not in Xero."""
    world.has("INV-1", dueDate=None)
    world.sync()


def stuck_behind_their_payment(world):
    """Edited in CrocoClick, after the accountant entered a payment."""
    in_sync(world)
    world.xero.pay("INV-1", 30)
    world.crm.edit_invoice("INV-1", lines=[{"name": "More", "qty": 3, "amount": 100, "taxes": [20]}])
    world.sync(full=True)
    assert world.cause("INV-1") == "edited_after_payment"


def number_of_another(world):
    """An earlier CrocoClick invoice has the number."""
    in_sync(world)
    world.crm.edit_invoice("INV-1", number="INV-0")
    world.has("INV-1", issueDate="2026-10-01")
    world.sync()
    world.has("INV-0", issueDate="2026-10-02")
    world.sync()


def in_doubt(world):
    """Whether the last write arrived is not known."""
    in_sync(world)
    world.crm.edit_invoice("INV-1", dueDate="2027-01-31")
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("refuse", side="xero", method="GET", path="/Invoices", status=404, body="no", times=9, after=1)
    world.sync()
    assert world.state("INV-1") == "in_doubt"


def not_selected(world):
    """A draft, which the settings leave out."""
    world.has("INV-1", status="draft")
    world.sync()


SKIP = {"because": "a duplicate"}
VAIN = [
    (in_sync, "overwrite", {}, "nothing stands in the way"),
    (in_sync, "adopt", {}, "nothing in Xero that could count as it"),
    (in_sync, "reapply_payments", {}, "does not wait behind a payment"),
    (in_sync, "retry", {}, "both books agree"),
    (in_sync, "unskip", {}, "not skipped"),
    (held_by_us, "overwrite", {}, "is not in Xero"),
    (held_by_us, "adopt", {}, "nothing in Xero that could count as it"),
    (stuck_behind_their_payment, "reapply_payments", {}, "Take the payment off in Xero"),
    (stuck_behind_their_payment, "overwrite", {}, "edited in CrocoClick after a payment"),
    (in_doubt, "overwrite", {}, "not known yet"),
    (in_doubt, "retry", {}, "looks whether it has arrived"),
    (not_selected, "retry", {}, "status draft"),
    (not_selected, "map", {"statuses": "sent,payment_processing,partially_paid,paid,void"}, "is set so already"),
]


@pytest.mark.parametrize(("situation", "order", "said", "why"), VAIN)
def test_an_order_that_would_change_nothing_is_refused_with_the_reason(world, situation, order, said, why):
    """Nothing is written down, and the invoice is decided as before."""
    if order == "map":
        world.set(**said)
    situation(world)
    before = world.explain("INV-1")
    with pytest.raises(WrongUsage, match=why):
        world.order(order, "INV-1", **said)
    assert world.explain("INV-1") == before


def test_the_same_order_twice_is_refused_the_second_time(paying):
    """It stands already; the run that follows carries it out once."""
    world = paying
    in_sync(world)
    world.xero.update("invoices", "INV-1", DueDate="2027-06-30")
    world.sync(full=True)
    world.order("overwrite", "INV-1")
    with pytest.raises(WrongUsage, match="would change nothing"):
        world.order("overwrite", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    world.order("skip", "INV-1", **SKIP)
    with pytest.raises(WrongUsage, match="skipped already"):
        world.order("skip", "INV-1", **SKIP)
    with pytest.raises(WrongUsage, match="Take the skip back"):
        world.order("retry", "INV-1")
    world.order("unskip", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"


def test_a_number_that_another_invoice_of_ours_has_offers_no_link(world):
    """What has it is told as ours, and to call it the same is refused."""
    number_of_another(world)
    held = [one["source_id"] for one in world.ledger.rows("held_in", everything=True, ids=[])]
    assert len(held) == 1
    told = world.explain(held[0])
    assert told["cause"]["code"] == "number_taken" and told["remedy"]["answers"] == []
    with pytest.raises(WrongUsage, match="would change nothing"):
        world.order("adopt", held[0])
    world.crm.edit_invoice(held[0], number="INV-7")
    world.sync()
    assert world.state(held[0]) == "synced"


def test_a_strangers_document_is_linked_on_order_and_right_from_then_on(world):
    """The number is a document's that somebody made by hand: linked, it follows CrocoClick like any other."""
    world.has("INV-1")
    contact = world.xero.add_contact(Name="Customer of INV-1", EmailAddress="inv-1@example.org")
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "706", "TaxType": "OUTPUT2"}
    rate = next(one for one in world.xero.tax_rates() if one["EffectiveRate"] == 20 and one["CanApplyToRevenue"])
    world.xero.add_invoice(
        Contact={"ContactID": contact}, InvoiceNumber="INV-1", Date="2026-10-12", DueDate="2026-11-11",
        Status="AUTHORISED", CurrencyCode="EUR", LineItems=[{**line, "TaxType": rate["TaxType"]}],
    )  # fmt: skip
    world.sync()
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "number_taken" and [one["order"][1] for one in told["remedy"]["answers"]] == [
        "adopt"
    ]
    world.order("adopt", "INV-1")
    world.sync()
    assert len(world.xero.invoices()) == 1
    if world.cause("INV-1") == "changed_in_xero":  # its dates are its own
        world.order("overwrite", "INV-1")
        world.sync()
    assert world.state("INV-1") == "synced"
    world.crm.edit_invoice("INV-1", dueDate="2027-01-31")
    world.sync()
    assert world.xero.invoices()[0]["DueDate"] == "2027-01-31"
