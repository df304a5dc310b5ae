"""A small organisation, its settings and an ordinary invoice; each test changes what it is about."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from syncer.domain.matching.invoice_contacts import Linked
from syncer.domain.model.books import Account, BookContact, BookInvoice, Books, Organisation, TaxComponent, TaxRate
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status, Tax
from syncer.domain.model.payment import Payment
from syncer.domain.model.sync_settings import Rules
from syncer.domain.model.sync_state import Order, SyncState, told
from syncer.domain.planning.actions import Action, PlanInputs
from syncer.domain.planning.plan import plan

VAT = Tax("t20", "TVA 20", Decimal(20))
GST, QST = Tax("gst", "GST", Decimal(5)), Tax("qst", "QST", Decimal("9.975"))

SALES = Account("acc-sales", "706", "Prestations", "REVENUE")
BANK = Account("acc-bank", "", "Banque", "BANK")
ROUNDING = Account("acc-round", "860", "Rounding", "EXPENSE", system_account="ROUNDING")
NO_TAX = TaxRate("NONE", "Tax Exempt", Decimal(0))
TVA = TaxRate("TAX001", "TVA 20 %", Decimal(20), (TaxComponent("TVA", Decimal(20)),))

BOOKS = Books(
    organisation=Organisation("org", "Croco SAS", "FR", "EUR", version="GLOBAL"),
    accounts=(SALES, BANK, ROUNDING),
    tax_rates=(NO_TAX, TVA),
    currencies=frozenset({"EUR", "USD"}),
)
RULES = Rules(location_id="loc1", revenue_account="706")

INVOICE = Invoice(
    source_id="650000000000000000000001",
    number="F-1",
    status=Status.SENT,
    live=True,
    customer=Customer("c1", "Anne Martin", "anne@example.com"),
    currency="EUR",
    issue_date=date(2026, 9, 1),
    due_date=date(2026, 10, 1),
    lines=(LineItem("Conseil", Decimal(2), Decimal("100.00"), (VAT,)),),
    total=Decimal("240.00"),
    name="Visite",
)


def invoice(**changes: Any) -> Invoice:
    """The ordinary invoice, but for these."""
    return replace(INVOICE, **changes)


def plain(*amounts: str, **changes: Any) -> Invoice:
    """An invoice of untaxed lines of these amounts, and their sum."""
    lines = tuple(LineItem("Conseil", Decimal(1), Decimal(amount)) for amount in amounts)
    return invoice(**{"lines": lines, "total": sum(map(Decimal, amounts), Decimal(0)), **changes})


def books(**changes: Any) -> Books:
    """The small organisation, but for these."""
    return replace(BOOKS, **changes)


def rules(**changes: Any) -> Rules:
    """Its settings, but for these."""
    return replace(RULES, **changes)


def scene(**changes: Any) -> PlanInputs:
    """Nothing in Xero yet, and the customer is linked."""
    given = {"contacts": {"c1": Linked("x1", "binding")}, "standings": {}, "heads": {}}
    return PlanInputs(**{"books": BOOKS, "rules": RULES, **given, **changes})


def head(number: str = "F-1", **changes: Any) -> BookInvoice:
    """An invoice that stands in Xero, a stranger's unless told otherwise."""
    amounts = {"total": Decimal(240), "total_tax": Decimal(40), "amount_due": Decimal(240)}
    dates = {"issue_date": date(2026, 9, 1), "due_date": date(2026, 10, 1)}
    known = {"id": "xi1", "number": number, "status": "AUTHORISED", "currency": "EUR", "contact_id": "x1"}
    return BookInvoice(**{**known, **amounts, **dates, **changes})


def contact(xero_id: str, name: str = "", email: str = "", **changes: Any) -> BookContact:
    """A contact in Xero."""
    return BookContact(xero_id, name or f"Name of {xero_id}", email, **changes)


MARK = f"https://app.crococlick.com/v2/location/loc1/payments/invoices/{INVOICE.source_id}"
IN_XERO = SyncState(
    xero_id="xi1",
    xero_status="AUTHORISED",
    synced_fingerprint=INVOICE.fingerprint,
    synced_frozen=INVOICE.frozen_fingerprint,
    synced_status="sent",
    agreed=told(head()),
    there=told(head()),
    xero_amount_due=Decimal(240),
)


def standing(there: dict[str, str] | None = None, **changes: Any) -> SyncState:
    """The ordinary invoice stands in Xero, but for these; `there` is what its document says otherwise by now."""
    given = {"there": {**IN_XERO.there, **there}} if there else {}
    return replace(IN_XERO, **given, **changes)


def ordered(name: str, **said: str) -> Order:
    """An order of a person."""
    return Order(name, said, "anne@example.com")


def known(one: Invoice = INVOICE, stands: SyncState = IN_XERO, **changes: Any) -> Action:
    """The decision on an invoice that stands in Xero."""
    return plan(one, scene(standings={one.source_id: stands}, **changes))


def paid(amount: str = "240", source_id: str = "t1", **changes: Any) -> Payment:
    """A payment that CrocoClick took."""
    given = {"paid_on": date(2026, 9, 10), "method": "bank_transfer", **changes}
    return Payment(
        **{
            "source_id": source_id,
            "invoice_id": INVOICE.source_id,
            "amount": Decimal(amount),
            "currency": "EUR",
            **given,
        }
    )


def locked_up_to(day: date) -> Books:
    """The small organisation, its period locked."""
    return books(organisation=replace(BOOKS.organisation, period_lock_date=day))
