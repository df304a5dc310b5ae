"""What brings about each cause, in CrocoClick or in Xero, and what mends it."""

from datetime import UTC, datetime, timedelta

TODAY = datetime.now(UTC).date()


WORK = {"name": "Work", "qty": 1, "amount": 100}


def vat(rate, **fields):
    """A line with one tax."""
    return [{**WORK, "taxes": [rate], **fields}]


def bank(world):
    """The bank account in euros."""
    found = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    return found[0]["AccountID"]


def paid(world, amount=120):
    """INV-1, sent and paid in CrocoClick."""
    world.has("INV-1")
    return world.crm.pay("INV-1", amount)


def once_in_xero(world, **fields):
    """INV-1, in Xero already."""
    world.set(payment_account__EUR=bank(world))
    world.has("INV-1", **fields)
    world.sync()


def contact_twins(world):
    world.xero.add_contact(Name="Martin SARL", EmailAddress="m@martin.example")
    world.xero.add_contact(Name="Martin Holding", EmailAddress="m@martin.example")
    world.has("INV-1", contact=world.crm.add_contact(name="Martin SARL", email="m@martin.example"))


def archived_contact(world):
    there = world.xero.add_contact(Name="Old", EmailAddress="old@example.org", ContactStatus="ARCHIVED")
    world.has("INV-1", contact=world.crm.add_contact(name="Old", email="old@example.org"))
    world.there = there


def archived_since(world):
    """Archived after our mirror was read: Xero says so, and the look that follows finds it."""
    known = world.crm.add_contact(name="Known", email="known@example.org")
    world.has("INV-0", contact=known)
    world.sync()
    world.there = world.xero.contacts()[0]["ContactID"]
    world.xero.update("contacts", world.there, ContactStatus="ARCHIVED")
    world.has("INV-1", contact=known)


def restore(world):
    world.xero.update("contacts", world.there, ContactStatus="ACTIVE")


def taken_name(world):
    world.xero.add_contact(Name="Garage", EmailAddress="other@garage.example")
    world.has("INV-1", contact=world.crm.add_contact(name="Garage", email="contact@garage.example"))


def unknown_contact(world):
    known = world.crm.add_contact(name="Known", email="known@example.org")
    world.has("INV-0", contact=known)
    world.sync()
    there = world.xero.contacts()[0]["ContactID"]
    world.ledger.link_contacts("", {known: (there[:-4] + "ffff", "person")}, world.app.clock.now())
    world.has("INV-1", contact=known)


def bad_email(world):
    world.contact = world.crm.add_contact(name="Bad", email="not an address")
    world.has("INV-1", contact=world.contact)


def good_email(world):
    world.crm.edit_contact(world.contact, email="good@example.org")
    world.crm.edit_invoice("INV-1", contact=world.contact)


def rate_gone(world):
    world.set(**{"tax__5.5%": "TAX003"})
    world.xero.update("taxrates", "TAX003", Status="ARCHIVED")
    world.has("INV-1", lines=vat(5.5))


def purchase_side(world):
    world.set(**{"tax__20%": "INPUT"})
    world.has("INV-1")


def made_up_of_two(world):
    """Xero's rate of the same percentage has two components: never taken by itself, and proposed."""
    parts = [{"Name": "State", "Rate": 7}, {"Name": "City", "Rate": 0.77}]
    world.xero.add_tax_rate("State and city", 0, TaxComponents=parts)
    world.has("INV-1", lines=vat(7.77))


def two_rates(world):
    world.first = world.xero.add_tax_rate("One rate", 7.5)
    world.xero.add_tax_rate("Another rate", 7.5)
    world.has("INV-1", lines=vat(7.5))


def only_for_expenses(world):
    """The revenue account is of a class that the rate does not apply to: only Xero knows."""
    world.xero.update("taxrates", "TAX001", CanApplyToLiabilities=False)
    world.xero.add_account(Code="4191", Name="Avances", Type="CURRLIAB")
    world.set(revenue_account="4191")
    world.has("INV-1")


def no_revenue_account(world):
    world.set(revenue_account="")
    world.has("INV-1")


def archived_account(world):
    world.xero.update("accounts", "706", Status="ARCHIVED")
    world.has("INV-1")


def account_of_a_product(world):
    """Lines of one product have an account of their own, which is archived by now."""
    world.xero.add_account(Code="7071", Name="Coffee", Type="REVENUE", Status="ARCHIVED")
    world.set(revenue_account__product__p1="7071")
    world.has("INV-1", lines=vat(20, productId="p1"))


def no_such_category(world):
    world.set(tracking__Region="North")
    world.has("INV-1")


def archived_option(world):
    world.xero.add_tracking("Region", "North", "South")
    world.xero.change_option("Region", "North", Status="ARCHIVED")
    no_such_category(world)


def payments_not_allowed(world):
    world.set(payment_account__EUR="706")
    paid(world)


def locked(world):
    world.xero.organisation(PeriodLockDate=(TODAY - timedelta(days=1)).isoformat())
    world.has("INV-1", issueDate=(TODAY - timedelta(days=9)).isoformat())


def unlock(world):
    world.xero.organisation(PeriodLockDate=None)


def payment_locked(world):
    once_in_xero(world)
    world.xero.organisation(PeriodLockDate=(TODAY - timedelta(days=20)).isoformat())
    world.crm.pay("INV-1", 120, at=f"{TODAY - timedelta(days=30)}T10:00:00.000Z")


def payment_of_a_draft(world):
    world.set(payment_account__EUR=bank(world), approval="draft")
    paid(world)


def capped(world):
    world.has("MAGIC-CAP-ONCE-1")
    world.crm.edit_invoice("MAGIC-CAP-ONCE-1", name="as it is")


def strangers_number(world):
    there = world.xero.add_contact(Name="By hand")
    world.xero.add_invoice(
        InvoiceNumber="INV-1", Contact={"ContactID": there}, Status="AUTHORISED", DueDate=TODAY.isoformat(),
        LineItems=[{"Description": "x", "Quantity": 1, "UnitAmount": "100", "AccountCode": "706", "TaxType": "TAX001"}],
    )  # fmt: skip
    world.has("INV-1")


def two_with_one_number(world):
    world.has("INV-1", issueDate="2026-01-02")
    world.second = world.has(
        "INV-1", contact=world.crm.add_contact(name="B", email="b@example.org"), issueDate="2026-01-03"
    )


def credit(world):
    world.has("INV-1", lines=[{**WORK, "taxes": [20]}, {"name": "Credit", "qty": 1, "amount": -450, "taxes": []}])


def refunded(world):
    world.set(payment_account__EUR=bank(world))
    world.crm.refund(paid(world), 20)


def more_than_transactions(world):
    """CrocoClick says more is paid than its transactions come to."""
    world.set(payment_account__EUR=bank(world))
    world.crm.edit_invoice(world.has("INV-1"), amountPaid=30, amountDue=90, status="partially_paid")


def edited_after_payment(world):
    world.set(payment_account__EUR=bank(world))
    paid(world, 50)
    world.sync()
    world.crm.edit_invoice("INV-1", lines=vat(20, amount=300))


def corrected_payment(world):
    world.set(payment_account__EUR=bank(world))
    paid(world, 50)
    world.sync()
    [transaction] = world.crm.transactions("INV-1")
    world.crm.correct_payment(transaction["_id"], amount=40)


def void_with_payments(world):
    world.set(payment_account__EUR=bank(world))
    paid(world, 50)
    world.sync()
    world.crm.void("INV-1")


def accountant_paid(world):
    once_in_xero(world)
    world.xero.pay("INV-1", 120)
    world.crm.pay("INV-1", 120)


def renumber(world):
    world.crm.edit_invoice("INV-1", number="INV-2")
