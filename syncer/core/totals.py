"""Both systems' arithmetic, to the cent: what CrocoClick's invoice comes to, and lines that make Xero come to the same.

CrocoClick (HighLevel) takes the discount first and taxes what remains; its rounding is not published, so the total may
be rounded once for the document, per rate or line by line. Xero rounds each line to cents, then each line's tax, then
adds (Xero's "Rounding in Xero" page); which way exactly half a cent goes is not published either.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from syncer.core.books import DocumentLine
from syncer.core.causes import Problem
from syncer.core.invoice import Invoice, LineItem, Tax
from syncer.core.money import CENT, ONE, ZERO, cents, decimals, fits, is_half_cent, round_to, text

HUNDRED = Decimal(100)
PRICE_PLACES = 4  # with unitdp=4, Xero's Invoices page
DESCRIPTION_LIMIT = 4000  # Xero's Invoices page
LARGEST = Decimal("9999999999.99")
ENDLESS = 12  # a pro rata part may have decimals without end; what it loses after so many is no part of the money


@dataclass(slots=True)
class Share:
    """One line as CrocoClick reckons it, exact: after its part of the discount, with and without tax."""

    line: LineItem
    discount: Decimal
    rate: Decimal  # of all its taxes together, as a fraction
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Reckoned:
    """Lines for Xero that come to the invoice's total, and every correction they needed, in words."""

    lines: tuple[DocumentLine, ...]
    inclusive: bool
    total: Decimal
    tax: Decimal
    corrections: tuple[str, ...]


def reckon(
    invoice: Invoice, tax_types: Sequence[str], rates: Sequence[Decimal], account: str, rounding: tuple[str, str] | None
) -> Reckoned | Problem:
    """Lines that Xero's arithmetic turns into exactly the invoice's total and stated tax, or `total_mismatch`.

    `tax_types` and `rates` (percent, as Xero reckons them) are per line; `account` and `rounding` (account, TaxType)
    are where lines and a rounding line are booked. All amounts are in major units of the invoice's currency.
    """
    try:
        return _reckon(invoice, tax_types, rates, account, rounding)
    except DecimalException:  # beyond 28 digits nothing is exact, and no money either
        return Problem("line_invalid", {"what": "amount_too_large"}, "lines")


def _reckon(
    invoice: Invoice, tax_types: Sequence[str], rates: Sequence[Decimal], account: str, rounding: tuple[str, str] | None
) -> Reckoned | Problem:
    plain = None if any(rates) else _as_it_stands(invoice, tax_types, account)
    if plain:
        return plain
    parts = shares(invoice)
    unit = rounding_unit(invoice, parts)
    if unit is None:
        return _mismatch(invoice, parts)
    inclusive = _is_inclusive(invoice.lines)
    drafts = [
        _Draft.of(part, tax_type, rate / HUNDRED, account, inclusive)
        for part, tax_type, rate in zip(parts, tax_types, rates, strict=True)
    ]
    settled = _Settlement(invoice, parts, drafts, inclusive, unit).settle(rounding)
    return settled or _mismatch(invoice, parts)


def _as_it_stands(invoice: Invoice, tax_types: Sequence[str], account: str) -> Reckoned | None:
    """The common case, quickly: no tax, no discount, and lines that Xero holds and adds up as they are."""
    if invoice.discount or invoice.tax:
        return None
    lines, total = [], ZERO
    for line, tax_type in zip(invoice.lines, tax_types, strict=True):
        amount = line.amount
        if line.taxes or line.quantity < 0 or abs(amount) > LARGEST or not _holds(line, amount):
            return None
        lines.append(DocumentLine(_description(line), line.quantity, line.unit_price, account, tax_type))
        total += cents(amount)
    return Reckoned(tuple(lines), False, invoice.total, ZERO, ()) if total == invoice.total else None


def _holds(line: LineItem, amount: Decimal) -> bool:
    """Whether Xero holds quantity × price as it is, and makes the same cents of it whichever way half a cent goes."""
    if not (fits(line.quantity, PRICE_PLACES) and fits(line.unit_price, PRICE_PLACES)):
        return False
    if not amount:
        return bool(line.quantity)
    rounded = cents(amount)
    return rounded == amount or (bool(rounded) and not is_half_cent(amount))


def _is_inclusive(lines: Sequence[LineItem]) -> bool:
    """Whether prices go to Xero with their tax inside: when those of all taxed lines are so."""
    return {line.tax_inclusive for line in lines if line.taxes} == {True}


# -- CrocoClick's side


def combined_rate(taxes: Sequence[Tax]) -> Decimal:
    """All taxes of a line as one fraction of its net; a compound tax is taken on the net and the taxes before it."""
    whole = 1 + sum((tax.rate for tax in taxes if not tax.compound), ZERO) / HUNDRED
    for tax in taxes:
        if tax.compound:
            whole *= 1 + tax.rate / HUNDRED
    return whole - 1


def shares(invoice: Invoice) -> list[Share]:
    """Each line with its part of the document's discount and its tax, unrounded."""
    discounts = _discounts(invoice)
    return [_share(line, part) for line, part in zip(invoice.lines, discounts, strict=True)]


def _share(line: LineItem, discount: Decimal) -> Share:
    stated = line.amount - discount
    if not line.taxes:
        return Share(line, discount, ZERO, stated, ZERO)
    rate = combined_rate(line.taxes)
    if line.tax_inclusive:
        net = stated / (1 + rate)
        return Share(line, discount, rate, net, stated - net)
    return Share(line, discount, rate, stated, stated * rate)


def _discounts(invoice: Invoice) -> list[Decimal]:
    """The discount of each line: a percentage of it, or its pro rata part of a fixed amount."""
    discount = invoice.discount
    if discount is None:
        return [ZERO] * len(invoice.lines)
    products = discount.product_ids
    bases = [ZERO if products and line.product_id not in products else line.amount for line in invoice.lines]
    whole = HUNDRED if discount.percentage else sum(bases, ZERO)
    return [base * discount.value / whole if whole else ZERO for base in bases]


def rounding_unit(invoice: Invoice, parts: Sequence[Share]) -> Decimal | None:
    """What CrocoClick rounded the total to, the currency's whole unit or a cent; None when no rounding explains it."""
    if not fits(invoice.total, 2):
        return None
    for places in sorted({decimals(invoice.currency), 2}):
        if invoice.total in readings(parts, places):
            return max(CENT, ONE.scaleb(-places))
    return None


def readings(parts: Sequence[Share], places: int) -> Iterator[Decimal]:
    """What CrocoClick may say the total is: rounded once, per rate, per line, or step by step in each line."""
    net = sum((part.net for part in parts), ZERO)
    tax_by_rate: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
    for part in parts:
        tax_by_rate[part.rate] += part.tax
    yield _round(net + sum(tax_by_rate.values(), ZERO), places)
    yield _round(net, places) + sum((_round(tax, places) for tax in tax_by_rate.values()), ZERO)
    yield sum((_line_total(part, places) for part in parts), ZERO)
    yield sum((_line_by_steps(part, places) for part in parts), ZERO)


def _round(amount: Decimal, places: int) -> Decimal:
    return round_to(round_to(amount, ENDLESS), places)


def _line_total(part: Share, places: int) -> Decimal:
    if part.line.tax_inclusive:
        return _round(part.net + part.tax, places)
    return _round(part.net, places) + _round(part.tax, places)


def _line_by_steps(part: Share, places: int) -> Decimal:
    """The net first, then the tax on the rounded net."""
    if part.line.tax_inclusive:
        return _round(part.net + part.tax, places)
    net = _round(part.net, places)
    return net + _round(net * part.rate, places)


# -- Xero's side


@dataclass(slots=True)
class _Draft:
    """One Xero line in the making. `amount` is its LineAmount, `tax` its TaxAmount, both in cents."""

    description: str
    quantity: Decimal
    unit_amount: Decimal
    account: str
    tax_type: str
    rate: Decimal
    inclusive: bool
    exact: Decimal  # LineAmount and TaxAmount before any rounding
    exact_tax: Decimal
    discount: Decimal = ZERO
    folded: bool = False
    amount: Decimal = ZERO
    tax: Decimal = ZERO
    natural_tax: Decimal = ZERO  # what Xero makes of the amount by itself
    before: tuple[Decimal, Decimal] = (ZERO, ZERO)  # amount and tax without any correction
    unsure: bool = False  # the tax depends on which way Xero rounds half a cent

    @classmethod
    def of(cls, part: Share, tax_type: str, rate: Decimal, account: str, inclusive: bool) -> "_Draft":
        line, sign = part.line, -1 if part.line.quantity < 0 else 1
        exact = part.net + part.tax if inclusive else part.net
        draft = cls(
            description=_description(line),
            quantity=line.quantity * sign,
            unit_amount=line.unit_price * sign,
            account=account,
            tax_type=tax_type,
            rate=rate,
            inclusive=inclusive,
            exact=exact,
            exact_tax=part.tax,
        )
        draft._state(line, part.discount)
        draft.before = draft.amount, draft.tax
        return draft

    def _state(self, line: LineItem, discount: Decimal) -> None:
        """Quantity, price and discount as they are where Xero can hold them, else folded."""
        amount, left = line.amount, cents(self.exact)
        self.discount = cents(amount) - left if discount else ZERO
        as_priced = not line.taxes or line.tax_inclusive == self.inclusive
        discountable = not discount or (self.discount >= 0 and left > 0)
        if as_priced and discountable and _holds(line, amount):
            self._come_to(left)
        else:
            self._fold(line)

    def _fold(self, line: LineItem) -> None:
        """Quantity 1 at the line's own amount; what was sold for how much stays readable in the description."""
        sold = f" ({text(line.quantity)} × {text(line.unit_price)})"
        if len(self.description) + len(sold) <= DESCRIPTION_LIMIT:
            self.description += sold
        self.folded, self.quantity, self.discount = True, ONE, ZERO
        self._come_to(cents(self.exact))

    def _come_to(self, amount: Decimal) -> None:
        self.amount = amount + ZERO  # never a minus before a zero
        if self.folded:
            self.unit_amount = self.amount
        exact = amount * self.rate / (1 + self.rate) if self.inclusive else amount * self.rate
        self.natural_tax = self.tax = cents(exact)
        self.unsure = is_half_cent(exact)

    def can_move(self, step: Decimal) -> bool:
        """Whether this much may be added to its amount: where a discount or a folded amount was rounded by us."""
        if self.folded:
            return self.exact * (self.amount + step) >= 0
        return self.discount > 0 and self.discount - step >= 0 and self.amount + step > 0

    def move(self, step: Decimal) -> None:
        if not self.folded:
            self.discount -= step
        self._come_to(self.amount + step)

    def can_tax(self, step: Decimal) -> bool:
        """Whether this much may be added to its tax: still on the same side as its amount, and no more than that."""
        tax = self.tax + step
        return bool(self.rate) and tax * self.amount >= 0 and abs(tax) <= abs(self.amount)

    def moved(self) -> Decimal:
        """By how much corrections have changed it."""
        amount, tax = self.before
        return abs(self.amount - amount) + abs(self.tax - tax)

    def finished(self) -> DocumentLine:
        explicit = self.tax if self.tax != self.natural_tax or self.unsure else None
        return DocumentLine(
            self.description, self.quantity, self.unit_amount, self.account, self.tax_type, self.discount, explicit
        )


def _description(line: LineItem) -> str:
    return f"{line.name}\n{line.description}" if line.description and line.name else line.name or line.description


@dataclass(slots=True)
class _Settlement:
    """Brings drafts to the invoice's total and tax, with as few and as small corrections as will do."""

    invoice: Invoice
    parts: Sequence[Share]
    drafts: list[_Draft]
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


def _mismatch(invoice: Invoice, parts: Sequence[Share]) -> Problem:
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
    return Problem("total_mismatch", facts, "total")
