"""Our invoices entered in the sandbox's CrocoClick, and a Xero organisation that knows their taxes and currencies."""

from collections.abc import Sequence
from decimal import Decimal

from syncer.domain.model.books import TaxComponent
from syncer.domain.model.invoice import Invoice, LineItem, Tax


def components(taxes: Sequence[Tax]) -> tuple[TaxComponent, ...]:
    """The Xero rate's parts for these taxes of a line."""
    return tuple(TaxComponent(tax.name, tax.rate, tax.compound) for tax in taxes)


def tax_kinds(invoices: Sequence[Invoice]) -> dict[str, tuple[Tax, ...]]:
    """Every combination of taxes on a line, once, by a name that tells it apart."""
    lines = [line for one in invoices for line in one.lines if line.taxes]
    return {
        " and ".join(f"{tax.name} {tax.rate}{' on top' * tax.compound}" for tax in line.taxes): line.taxes
        for line in lines
    }


def open_books(xero, invoices: Sequence[Invoice]) -> None:
    """Let the organisation know every currency and every combination of taxes of these invoices, each once."""
    there = {_key(rate["TaxComponents"]) for rate in xero.tax_rates()}
    for name, taxes in tax_kinds(invoices).items():
        parts = [{"Name": one.name, "Rate": str(one.rate), "IsCompound": one.compound} for one in components(taxes)]
        if _key(parts) not in there:
            there.add(_key(parts))
            xero.add_tax_rate(name, 0, TaxComponents=parts)
    for currency in sorted({one.currency for one in invoices} - set(xero.currencies())):
        xero.add_currency(currency, rate=1)


def _key(parts: Sequence[dict]) -> tuple[tuple[Decimal, bool], ...]:
    """What makes two rates the same: their parts."""
    return tuple(sorted((Decimal(str(part["Rate"])), part["IsCompound"]) for part in parts))


def plain(amount: Decimal) -> int | float:
    """A number as JSON carries it."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def enter(crm, one: Invoice, contact: str = "") -> str:
    """Enter it in CrocoClick, whose server works out the totals itself; gives the invoice's id."""
    contact = contact or crm.add_contact(name=one.customer.name, email=one.customer.email)
    return crm.add_invoice(
        contact=contact,
        number=one.number,
        status=str(one.status),
        currency=one.currency,
        issueDate=str(one.issue_date),
        dueDate=str(one.due_date) if one.due_date else None,
        discount=_discount(one),
        lines=[_line(line) for line in one.lines],
    )


def _discount(one: Invoice) -> dict | None:
    cut = one.discount
    if cut is None:
        return None
    kind = "percentage" if cut.percentage else "fixed"
    return {"type": kind, "value": plain(cut.value), "validOnProductIds": list(cut.product_ids)}


def _line(line: LineItem) -> dict:
    return {
        "name": line.name,
        "qty": plain(line.quantity),
        "amount": plain(line.unit_price),
        "productId": line.product_id,
        "taxInclusive": line.tax_inclusive,
        "taxes": [_tax(tax) for tax in line.taxes],
    }


def _tax(tax: Tax) -> dict:
    calculation = "compound" if tax.compound else "exclusive"
    return {"_id": tax.id, "name": tax.name, "rate": plain(tax.rate), "calculation": calculation}
