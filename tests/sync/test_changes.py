"""After the first sync both sides change: what CrocoClick changes follows, what the accountant changes stays."""

from decimal import Decimal

import pytest

from syncer.domain.errors import WrongUsage

MORE = [{"name": "More", "qty": 3, "amount": 100, "taxes": [20]}]


def there(world, number="INV-1"):
    """The invoice as Xero has it."""
    return world.xero.invoice(number)


def standing(world):
    """Payments that stand in Xero: amount and our mark or whatever the reference says."""
    return [Decimal(str(one["Amount"])) for one in world.xero.payments() if one["Status"] != "DELETED"]


# -- edits in CrocoClick --------------------------------------------------------------------------------------------


EDITS = {
    "lines": ({"lines": MORE}, lambda one: Decimal(str(one["Total"])) == 360),
    "due date": ({"dueDate": "2027-01-31"}, lambda one: one["DueDateString"][:10] == "2027-01-31"),
    "issue date": ({"issueDate": "2026-10-01"}, lambda one: one["DateString"][:10] == "2026-10-01"),
    "number": ({"number": "INV-99"}, lambda one: one["InvoiceNumber"] == "INV-99"),
    "name": ({"name": "Another name"}, lambda one: one["Reference"] == "Another name"),
    "currency": ({"currency": "GBP"}, lambda one: one["CurrencyCode"] == "GBP"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_follows(world, what):
    """Whatever is edited in CrocoClick before a payment is the same in Xero after the next run, in two calls."""
    fields, holds = EDITS[what]
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", **fields)
    world.box.reset_calls()
    assert world.sync()["updated"] == 1
    [invoice] = world.xero.invoices()
    assert holds(invoice)
    assert world.box.count(side="xero") <= 2
    assert world.state(invoice["InvoiceNumber"]) == "synced"


def test_another_customer_follows(world):
    """The invoice moves to the other customer's contact, which is made if it is new."""
    world.has("INV-1")
    world.sync()
    other = world.crm.add_contact(name="Other", email="other@example.org")
    world.crm.edit_invoice("INV-1", contact=other)
    world.sync()
    assert there(world)["Contact"]["Name"] == "Other" and world.state("INV-1") == "synced"


# -- edits after a payment ------------------------------------------------------------------------------------------

ALLOWED = {
    "due date": ({"dueDate": "2027-01-31"}, lambda one: one["DueDateString"][:10] == "2027-01-31"),
    "number": ({"number": "INV-99"}, lambda one: one["InvoiceNumber"] == "INV-99"),
    "name": ({"name": "Another name"}, lambda one: one["Reference"] == "Another name"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_xero_still_allows_after_a_payment_is_sent(paying, what):
    """Number, due date and reference follow although there is a payment; nothing else is touched."""
    world = paying
    fields, holds = ALLOWED[what]
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.edit_invoice("INV-1", **fields)
    assert world.sync()["updated"] == 1
    [invoice] = world.xero.invoices()
    assert holds(invoice) and Decimal(str(invoice["AmountDue"])) == 70
    assert world.state(invoice["InvoiceNumber"]) == "synced"


FROZEN = {"lines": {"lines": MORE}, "issue date": {"issueDate": "2026-10-01"}}


@pytest.mark.parametrize("what", FROZEN)
def test_the_rest_waits_and_goes_on_order(paying, what):
    """Other edits after a payment are held; on order our payments come off, the change goes, the payments go back."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.edit_invoice("INV-1", **FROZEN[what])
    world.box.reset_calls()
    world.sync()
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "edited_after_payment")
    assert world.writes() == 0
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    assert standing(world) == [Decimal(50)]
    whole = Decimal(str(world.crm.invoice("INV-1")["total"]))
    assert Decimal(str(there(world)["Total"])) == whole and Decimal(str(there(world)["AmountDue"])) == whole - 50


def test_a_kill_between_taking_off_and_putting_back_loses_nothing(paying):
    """The run dies once the payment is off: the next one sends the change and puts the payment back."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.sync()
    world.follow("INV-1")
    world.faults.add("error_503", side="xero", method="POST", path="/api.xro/2.0/Invoices", times=1)
    world.sync()
    assert standing(world) == []
    world.sync(times=2)
    assert standing(world) == [Decimal(50)] and world.state("INV-1") == "synced"


def test_somebody_elses_payment_is_never_taken_off(paying):
    """Where the accountant entered the payment, the edit waits for the accountant; the change goes once it is off."""
    world = paying
    world.has("INV-1")
    world.sync()
    payment = world.xero.pay("INV-1", 30)
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.sync(full=True)
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "edited_after_payment" and told["remedy"]["order"] is None
    assert told["remedy"]["who"] == "the accountant"
    with pytest.raises(WrongUsage, match="not ours"):
        world.order("reapply_payments", "INV-1")
    world.sync()
    assert standing(world) == [Decimal(30)]
    world.xero.delete_payment(payment)
    world.sync()
    assert Decimal(str(there(world)["Total"])) == 360 and world.state("INV-1") == "synced"


def test_a_payment_that_xero_will_not_give_back_keeps_the_order_waiting(paying):
    """A reconciled payment cannot be taken off: held with Xero's reason, nothing half-done."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    [payment] = world.xero.payments()
    world.xero.update("payments", payment["PaymentID"], IsReconciled=True)
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.sync()
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "held" and standing(world) == [Decimal(50)]
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0, "the same is not asked again in vain"
    world.xero.update("payments", payment["PaymentID"], IsReconciled=False)
    world.order("retry", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced" and standing(world) == [Decimal(50)]


def test_payments_go_on_while_an_edit_waits(paying):
    """What holds the document does not hold its payments."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    world.crm.edit_invoice("INV-1", issueDate="2026-10-01")
    world.crm.pay("INV-1", 20)
    world.sync()
    assert sorted(standing(world)) == [Decimal(20), Decimal(50)]
    assert world.cause("INV-1") == "edited_after_payment"


# -- what the accountant does in Xero -------------------------------------------------------------------------------


CHANGES = {
    "due date": {"DueDate": "2027-06-30"},
    "date": {"Date": "2026-10-05"},
    "number": {"InvoiceNumber": "A-1"},
    "total": {"Total": "130.00"},
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_edit_in_xero_is_found_and_shown_and_never_overwritten(world, what):
    """The daily look finds it; an edit in CrocoClick meanwhile is not sent over it; on order it is."""
    world.has("INV-1")
    world.sync()
    world.xero.update("invoices", "INV-1", **CHANGES[what])
    world.later(days=2)
    world.sync()
    told = world.explain("INV-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "changed_in_xero")
    assert what in told["cause"]["sentence"]
    world.crm.edit_invoice("INV-1", name="Edited meanwhile")
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0
    world.follow("INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    [invoice] = world.xero.invoices()
    assert (invoice["InvoiceNumber"], Decimal(str(invoice["Total"]))) == ("INV-1", Decimal(120))
    assert invoice["Reference"] == "Edited meanwhile"


def test_a_change_in_xero_since_the_last_look_is_found_before_the_write(world):
    """Both sides edit between two daily looks: ours is not sent over theirs."""
    world.has("INV-1")
    world.sync()
    world.xero.update("invoices", "INV-1", InvoiceNumber="A-1", DueDate="2027-06-30")
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.box.reset_calls()
    world.sync()
    assert world.cause("INV-1") == "changed_in_xero"
    assert (world.writes(), world.box.count(side="xero")) == (0, 1)


def test_what_the_accountant_changed_may_stay(world):
    """A new due date in Xero that is right there: both sides agree on it, and CrocoClick's edits follow again."""
    world.has("INV-1")
    world.sync()
    world.xero.update("invoices", "INV-1", DueDate="2027-06-30")
    world.sync(full=True)
    world.order("adopt", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"
    world.sync(full=True)
    assert world.state("INV-1") == "synced" and there(world)["DueDateString"][:10] == "2027-06-30"


def test_other_amounts_in_xero_cannot_be_called_the_same(world):
    """A total that differs is never agreed on."""
    world.has("INV-1")
    world.sync()
    world.xero.update("invoices", "INV-1", Total="130.00")
    world.sync(full=True)
    with pytest.raises(WrongUsage):
        world.order("adopt", "INV-1")


def test_an_invoice_voided_in_xero_is_found(world):
    """Held as removed; sent once more on order once it has another number, since Xero keeps the old one."""
    world.has("INV-1")
    world.sync()
    world.xero.void("INV-1")
    world.sync(full=True)
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "removed_in_xero" and told["verdict"].startswith("Not in Xero any more")
    assert told["remedy"]["order"] is None
    world.crm.edit_invoice("INV-1", number="INV-2")
    world.sync()
    world.follow("INV-2")
    world.sync()
    assert there(world, "INV-2")["Status"] == "AUTHORISED" and world.state("INV-2") == "synced"


def test_both_gave_it_up(world):
    """Voided in Xero by the accountant and in CrocoClick too: both agree."""
    world.has("INV-1")
    world.sync()
    world.xero.void("INV-1")
    world.crm.void("INV-1")
    world.sync(full=True)
    assert world.state("INV-1") == "synced"


def test_a_payment_removed_in_xero_is_found_and_put_back_on_order(paying):
    """The accountant takes our payment off: shown as changed; on order it is entered again, once."""
    world = paying
    world.has("INV-1")
    world.crm.pay("INV-1", 50)
    world.sync()
    [payment] = world.xero.payments()
    world.xero.delete_payment(payment["PaymentID"])
    world.sync(full=True)
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "changed_in_xero" and "amount paid" in told["cause"]["sentence"]
    world.follow("INV-1")
    world.sync(times=2)
    assert standing(world) == [Decimal(50)] and world.state("INV-1") == "synced"


def test_a_merged_contact_is_no_change(world):
    """The accountant merges two contacts: the invoice is on the one that is left, and nothing needs anybody."""
    left = world.xero.add_contact(Name="Left")
    world.has("INV-1")
    world.sync()
    gone = there(world)["Contact"]["ContactID"]
    world.xero.update("invoices", "INV-1", ContactID=left)
    world.xero.merge_contacts(gone, left)
    world.sync(full=True)
    assert world.state("INV-1") == "synced"


def test_an_approved_draft_is_no_change(world):
    """The accountant approves our draft: the next edit in CrocoClick leaves it approved."""
    world.set(statuses="draft,sent,void")
    world.has("INV-1", status="draft")
    world.sync()
    world.xero.update("invoices", "INV-1", Status="AUTHORISED")
    world.sync(full=True)
    world.crm.edit_invoice("INV-1", lines=MORE)
    world.sync()
    assert (there(world)["Status"], Decimal(str(there(world)["Total"]))) == ("AUTHORISED", Decimal(360))


# -- deletion in CrocoClick -----------------------------------------------------------------------------------------


def test_a_deletion_is_found_shown_and_followed_on_order(world):
    """CrocoClick has it no more: nothing happens in Xero until a person says so."""
    world.has("INV-1")
    world.sync()
    world.crm.delete("INV-1")
    world.sync(full=True)
    assert world.cause("INV-1") == "deleted_in_crococlick" and there(world)["Status"] == "AUTHORISED"
    world.follow("INV-1")
    world.sync()
    assert there(world)["Status"] == "VOIDED" and world.state("INV-1") == "synced"


def test_a_reading_of_everything_tells_nothing_of_what_is_as_it_was(world):
    """A full sync over invoices that are held, left out and in Xero adds no word to their stories."""
    world.has("INV-1")
    world.has("INV-2", dueDate=None)
    world.has("INV-3", status="draft")
    world.sync()
    before = [world.explain(number)["history"] for number in ("INV-1", "INV-2", "INV-3")]
    world.sync(full=True)
    assert [world.explain(number)["history"] for number in ("INV-1", "INV-2", "INV-3")] == before


def test_a_list_that_skips_an_invoice_deletes_nothing(world):
    """What is in Xero and does not show in a list is asked for by its id first."""
    world.has("INV-1")
    world.sync()
    [invoice] = world.crm.invoices()
    empty = {"invoices": [], "total": 0}
    world.faults.add("refuse", side="crococlick", path="/invoices/", method="GET", times=1, status=200, body=empty)
    world.sync(full=True)
    assert (world.state("INV-1"), world.explain("INV-1")["invoice"]["id"]) == ("synced", invoice["_id"])


def test_renumbering_frees_the_number(world):
    """A renumbered invoice leaves its old number to another one."""
    world.has("INV-1")
    world.sync()
    world.crm.edit_invoice("INV-1", number="INV-2")
    world.has("INV-1", contact=world.crm.add_contact(name="B", email="b@example.org"))
    world.sync(times=2)
    assert world.xero.numbers() == ["INV-1", "INV-2"]
    assert {world.state("INV-1"), world.state("INV-2")} == {"synced"}
