"""What people do to payments after they were recorded, in CrocoClick and in Xero."""

from decimal import Decimal

from sandbox.crococlick import payments


def correct(world, transaction, **fields):
    """Somebody corrects a payment in CrocoClick; its invoice follows."""
    world.crm.correct_payment(transaction, **fields)


def move(world, transaction, number):
    """Somebody had recorded it for the wrong invoice."""
    location = world.crm.location
    before = location.transactions[transaction]["entitySourceId"]
    after = world.crm.invoice(number)["_id"]
    location.payments_of[before].remove(transaction)
    location.payments_of.setdefault(after, []).append(transaction)
    location.keep_transaction(location.transactions[transaction] | {"entitySourceId": after})
    settle(world, before)
    settle(world, after)


def remove(world, transaction):
    """Somebody takes a payment back in CrocoClick, as if it had never been."""
    location = world.crm.location
    invoice = location.transactions.pop(transaction)["entitySourceId"]
    location.payments_of[invoice].remove(transaction)
    settle(world, invoice)


def settle(world, invoice_id):
    """The invoice's paid, due and status, as its payments make them."""
    location = world.crm.location
    invoice = location.invoices[invoice_id]
    payments.settle(location, invoice)
    if not invoice.doc["amountPaid"]:
        invoice.doc["status"] = "sent"
        location.touch(invoice)


def standing(world, number=""):
    """Payments that stand in Xero, as amounts."""
    return sorted(Decimal(str(one["Amount"])) for one in standing_payments(world, number))


def standing_payments(world, number=""):
    """Payments that stand in Xero, of one invoice or of all."""
    ids = {one["PaymentID"] for one in world.xero.invoice(number)["Payments"]} if number else None
    return [
        one for one in world.xero.payments() if one["Status"] != "DELETED" and (ids is None or one["PaymentID"] in ids)
    ]
