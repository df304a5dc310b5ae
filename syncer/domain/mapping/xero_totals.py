"""Lines for Xero that come to the invoice's total and tax, to the cent, or the invoice is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from syncer.domain.mapping.crococlick_totals import HUNDRED, LineShare, rounding_unit, shares
from syncer.domain.mapping.xero_line import XeroLine, described, holds
from syncer.domain.model.books import DocumentLine
from syncer.domain.model.invoice import Invoice, LineItem
from syncer.domain.model.money import ONE, ZERO, cents, decimals, fits, round_to, text
from syncer.domain.model.problems import Problem

LARGEST = Decimal("9999999999.99")


@dataclass(frozen=True)
class Reckoned:
    """Lines for Xero that come to the invoice's total, and every correction they needed, in words."""

    lines: tuple[DocumentLine, ...]
    inclusive: bool
    total: Decimal
    tax: Decimal
    corrections: tuple[str, ...]


def reckon(
    invoice: Invoice,
    tax_types: Sequence[str],
    rates: Sequence[Decimal],
    accounts: Sequence[str],
    rounding: tuple[str, str] | None,
) -> Reckoned | Problem:
    """Lines that Xero's arithmetic turns into exactly the invoice's total and stated tax, or `total_mismatch`.

    `tax_types`, `rates` (percent, as Xero reckons them) and `accounts` are per line; `rounding` (account, TaxType) is
    where a rounding line is booked. All amounts are in major units of the invoice's currency.
    """
    try:
        return _reckon(invoice, tax_types, rates, accounts, rounding)
    except DecimalException:  # beyond 28 digits nothing is exact, and no money either
        return Problem("line_invalid", {"what": "amount_too_large"}, "lines")


def _reckon(
    invoice: Invoice,
    tax_types: Sequence[str],
    rates: Sequence[Decimal],
    accounts: Sequence[str],
    rounding: tuple[str, str] | None,
) -> Reckoned | Problem:
    plain = None if any(rates) else _as_it_stands(invoice, tax_types, accounts)
    if plain:
        return plain
    parts = shares(invoice)
    unit = rounding_unit(invoice, parts)
    if unit is None:
        return _mismatch(invoice, parts)
    inclusive = _is_inclusive(invoice.lines)
    drafts = [
        XeroLine.of(part, tax_type, rate / HUNDRED, account, inclusive)
        for part, tax_type, rate, account in zip(parts, tax_types, rates, accounts, strict=True)
    ]
    settled = _Settlement(invoice, parts, drafts, inclusive, unit).settle(rounding)
    return settled or _mismatch(invoice, parts)


def _as_it_stands(invoice: Invoice, tax_types: Sequence[str], accounts: Sequence[str]) -> Reckoned | None:
    """The common case, quickly: no tax, no discount, and lines that Xero holds and adds up as they are."""
    if invoice.discount or invoice.tax:
        return None
    lines, total = [], ZERO
    for line, tax_type, account in zip(invoice.lines, tax_types, accounts, strict=True):
        amount = line.amount
        if line.taxes or line.quantity < 0 or abs(amount) > LARGEST or not holds(line, amount):
            return None
        lines.append(DocumentLine(described(line), line.quantity, line.unit_price, account, tax_type))
        total += cents(amount)
    return Reckoned(tuple(lines), False, invoice.total, ZERO, ()) if total == invoice.total else None


def _is_inclusive(lines: Sequence[LineItem]) -> bool:
    """Whether prices go to Xero with their tax inside: when those of all taxed lines are so."""
    return {line.tax_inclusive for line in lines if line.taxes} == {True}


@dataclass(slots=True)
class _Settlement:
    """Brings drafts to the invoice's total and tax, with as few and as small corrections as will do."""

    invoice: Invoice
    parts: Sequence[LineShare]
    drafts: list[XeroLine]
    inclusive: bool
    unit: Decimal  # the most that a line may be corrected by

    def settle(self, rounding: tuple[str, str] | None) -> Reckoned | None:
        """The lines, or nothing when corrections of this size are not enough."""
        total = self.invoice.total
        if self.inclusive:
            self._spread(total - self._sum_of_lines())
        tax = self._tax_to_show()
        if tax is None:
            return None
        wanted = total if self.inclusive else total - tax
        if not self.inclusive:
            self._spread(wanted - self._sum_of_lines())
        gap = wanted - self._sum_of_lines()
        self._adjust_taxes(tax - self._sum_of_taxes())
        if self._sum_of_taxes() != tax or not self._within_bounds(gap) or (gap and rounding is None):
            return None
        lines = [draft.finished() for draft in self.drafts]
        if gap and rounding:
            lines.append(DocumentLine("Rounding", ONE, gap, *rounding))
        return Reckoned(tuple(lines), self.inclusive, total, tax, tuple(self._corrections(gap)))

    def _sum_of_lines(self) -> Decimal:
        return sum((draft.amount for draft in self.drafts), ZERO)

    def _sum_of_taxes(self) -> Decimal:
        return sum((draft.tax for draft in self.drafts), ZERO)

    def _tax_to_show(self) -> Decimal | None:
        """CrocoClick's own tax where it states one, else what is left; None where Xero could not keep it."""
        if self.invoice.tax is not None:
            stated = self.invoice.tax if decimals(self.invoice.currency) > 2 else cents(self.invoice.tax)
            return stated if fits(stated, 2) else None
        most = self.unit * sum(1 for draft in self.drafts if draft.rate and draft.amount)
        if self.inclusive or not most:
            return self._sum_of_taxes()
        left = self.invoice.total - self._sum_of_lines()
        if abs(left - sum((part.tax for part in self.parts), ZERO)) <= most:
            return left
        return self.invoice.total - cents(sum((part.net for part in self.parts), ZERO))

    def _step(self, gap: Decimal) -> Decimal:
        """As much of the gap as one line may take."""
        return max(-self.unit, min(self.unit, gap))

    def _spread(self, gap: Decimal) -> None:
        """Move amounts that we have rounded ourselves, those first whose exact amount lies that way."""
        if not gap:
            return
        for draft in sorted(self.drafts, key=lambda one: one.exact - one.amount, reverse=gap > 0):
            step = self._step(gap)
            if step and draft.can_move(step):
                draft.move(step)
                gap -= step

    def _adjust_taxes(self, gap: Decimal) -> None:
        """Give single lines a tax that Xero would not reckon, those first whose exact tax lies that way."""
        if not gap:
            return
        for draft in sorted(self.drafts, key=lambda one: one.exact_tax - one.natural_tax, reverse=gap > 0):
            step = self._step(gap)
            if step and draft.can_tax(step):
                draft.tax += step
                gap -= step

    def _within_bounds(self, gap: Decimal) -> bool:
        """All corrections together stay within one unit per line, and no amount is larger than Xero holds."""
        moved = sum((draft.moved() for draft in self.drafts), ZERO)
        largest = max(abs(draft.amount) for draft in self.drafts)
        return moved + abs(gap) <= self.unit * len(self.drafts) and largest <= LARGEST

    def _corrections(self, gap: Decimal) -> list[str]:
        said = []
        for place, one in enumerate(self.drafts, 1):
            if one.amount != one.before[0]:
                said.append(f"amount of line {place} {one.amount} instead of {one.before[0]}")
            if one.tax != one.natural_tax:
                said.append(f"tax of line {place} {one.tax} instead of {one.natural_tax}")
        return [*said, f"rounding line {gap}"] if gap else said


def _mismatch(invoice: Invoice, parts: Sequence[LineShare]) -> Problem:
    net, tax = sum((p.net for p in parts), ZERO), sum((p.tax for p in parts), ZERO)
    facts: dict[str, Any] = {
        "currency": invoice.currency,
        "stated": text(invoice.total),
        "net": text(round_to(net, 6)),
        "tax": text(round_to(tax, 6)),
        "reckoned": text(round_to(net + tax, 6)),
        "difference": text(invoice.total - cents(net + tax)),
    }
    if invoice.tax is not None:
        facts["stated_tax"] = text(invoice.tax)
    if invoice.late_fees and invoice.total > net + tax:
        facts["late_fees"] = True
    return Problem("total_mismatch", facts, "total")
