"""What may come apart between two equal books, one kind each, with what a comparison has to say of it.

Each function damages one invoice that stands in both books over 120.00, unpaid or (where its name begins with `paid_`)
paid in full, and returns the (number, field) pairs that differ then.
"""

from tests.support.payments_world import remove, standing_payments


def _fields(number, names):
    return {(number, name) for name in names.split()}


def _only_payment(world, number):
    [payment] = standing_payments(world, number)
    return payment


def _transaction(world, number):
    [transaction] = world.crm.transactions(number)
    return transaction["_id"]


def number_in_xero(world, number):
    world.xero.update("invoices", number, InvoiceNumber=f"{number}-bis")
    return _fields(number, "number")


def contact_in_xero(world, number):
    other = world.xero.add_contact(
        Name=f"Somebody else than {number}", EmailAddress=f"else-{number.lower()}@example.org"
    )
    world.xero.update("invoices", number, ContactID=other)
    return _fields(number, "contact")


def issue_date_in_xero(world, number):
    world.xero.update("invoices", number, Date="2026-10-02")
    return _fields(number, "issue_date")


def due_date_in_xero(world, number):
    world.xero.update("invoices", number, DueDate="2027-02-03")
    return _fields(number, "due_date")


def currency_in_xero(world, number):
    world.xero.update("invoices", number, CurrencyCode="USD")
    return _fields(number, "currency")


def total_in_xero(world, number):
    world.xero.update("invoices", number, Total="120.01")
    return _fields(number, "total due")


def tax_in_xero(world, number):
    world.xero.update("invoices", number, TotalTax="19.99", SubTotal="100.01")
    return _fields(number, "tax")


def void_in_xero(world, number):
    world.xero.void(number)
    return _fields(number, "status")


def draft_in_xero(world, number):
    world.xero.update("invoices", number, Status="DRAFT")
    return _fields(number, "status")


def payment_by_hand_in_xero(world, number):
    world.xero.pay(number, 50, date="2026-10-20")
    return _fields(number, "paid due payment")


def paid_payment_removed_in_xero(world, number):
    world.xero.delete_payment(_only_payment(world, number)["PaymentID"])
    return _fields(number, "paid due status payment")


def paid_payment_day_in_xero(world, number):
    before = _only_payment(world, number)
    world.xero.delete_payment(before["PaymentID"])
    world.xero.pay(number, before["Amount"], date="2026-10-25", reference=before["Reference"])
    return _fields(number, "payment_date")


def paid_payment_amount_in_xero(world, number):
    before = _only_payment(world, number)
    world.xero.delete_payment(before["PaymentID"])
    world.xero.pay(number, 119, date=before["Date"], reference=before["Reference"])
    return _fields(number, "paid due status payment_amount")


def stranger_in_xero(world, number):
    """A document that has nothing to do with this invoice, sold outside CrocoClick."""
    _sold_by_hand(world, f"HAND-{number}", world.xero.add_contact(Name=f"Walk-in {number}"), 77)
    return _fields(f"HAND-{number}", "document")


def double_in_xero(world, number):
    """The same customer and amount, entered by hand besides."""
    _sold_by_hand(world, f"TWICE-{number}", world.xero.invoice(number)["Contact"]["ContactID"], 100)
    return _fields(f"TWICE-{number}", "document")


def _sold_by_hand(world, number, contact_id, net):
    line = {
        "Description": "Sale",
        "Quantity": 1,
        "UnitAmount": net,
        "AccountCode": "706",
        "TaxType": world.standard_rate,
    }
    world.xero.add_invoice(
        Contact={"ContactID": contact_id}, InvoiceNumber=number, Status="AUTHORISED", LineItems=[line],
        Date="2026-10-12", DueDate="2026-11-12", LineAmountTypes="Exclusive",
    )  # fmt: skip


def credit_note_in_xero(world, number):
    world.xero.add_credit_note(
        world.xero.invoice(number)["Contact"]["ContactID"], "2026-10-28", 30, 5, number=f"CN-{number}"
    )
    return _fields(f"CN-{number}", "document")


def number_in_crococlick(world, number):
    world.crm.edit_invoice(number, number=f"{number}-ter")
    return _fields(f"{number}-ter", "number")


def contact_in_crococlick(world, number):
    other = world.crm.add_contact(name=f"New owner of {number}", email=f"owner-{number.lower()}@example.org")
    world.crm.edit_invoice(number, contact=other)
    return _fields(number, "contact")


def due_date_in_crococlick(world, number):
    world.crm.edit_invoice(number, dueDate="2027-01-15")
    return _fields(number, "due_date")


def total_in_crococlick(world, number):
    world.crm.edit_invoice(number, lines=[{"name": "Work", "qty": 2, "amount": 100, "taxes": [20]}])
    return _fields(number, "total tax due")


def rate_in_crococlick(world, number):
    """The same tax in sum, of other rates."""
    lines = [
        {"name": "A", "qty": 1, "amount": 100, "taxes": [10]},
        {"name": "B", "qty": 1, "amount": 10, "taxes": [100]},
    ]
    world.crm.edit_invoice(number, lines=lines)
    return _fields(number, "total due tax_by_rate")


def void_in_crococlick(world, number):
    world.crm.void(number)
    return _fields(number, "status")


def deleted_in_crococlick(world, number):
    world.crm.delete(number)
    return _fields(number, "document")


def new_in_crococlick(world, number):
    world.has(f"NEW-{number}", issueDate="2026-10-11", dueDate="2026-11-11")
    return _fields(f"NEW-{number}", "document")


def payment_in_crococlick(world, number):
    world.crm.pay(number, 30, at="2026-10-22T09:00:00Z")
    return _fields(number, "paid due payment")


def paid_payment_removed_in_crococlick(world, number):
    remove(world, _transaction(world, number))
    return _fields(number, "paid due status payment")


def paid_payment_amount_in_crococlick(world, number):
    world.crm.correct_payment(_transaction(world, number), amount=20)
    return _fields(number, "paid due status payment_amount")


def paid_payment_day_in_crococlick(world, number):
    world.crm.correct_payment(_transaction(world, number), fulfilledAt="2026-10-23T10:00:00.000Z")
    return _fields(number, "payment_date")


def paid_refund_in_crococlick(world, number):
    world.crm.refund(_transaction(world, number), 15)
    return _fields(number, "refund")


KINDS = {
    name: function
    for name, function in list(globals().items())
    if name.endswith(("_in_xero", "_in_crococlick")) and callable(function)
}


def equal_books(world, kinds, times=1):
    """Two equal books with an invoice for each damage; returns (kind, number) pairs."""
    world.set(revenue_account="706", payment_account__EUR="512", create_tax_rates="true")
    world.xero.add_currency("USD")
    asked = [(kind, f"{kind[:3].upper()}-{place}-{turn}") for turn in range(times) for place, kind in enumerate(kinds)]
    for kind, number in asked:
        world.has(number, issueDate="2026-10-10", dueDate="2026-11-10")
        if kind.startswith("paid_"):
            world.crm.pay(number, at="2026-10-21T09:00:00Z")
    world.standard_rate = next(
        rate["TaxType"] for rate in world.xero.tax_rates() if rate["EffectiveRate"] == 20 and rate["Status"] == "ACTIVE"
    )
    outcome = world.sync(recent_days=365)  # none of them waits for a share of the day's calls
    assert outcome["created"] == len(asked), outcome
    return asked
