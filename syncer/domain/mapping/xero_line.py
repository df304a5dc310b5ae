"""One line of a Xero document in the making, and Xero's arithmetic of a line.

Xero rounds each line to cents, then each line's tax, then adds (Xero's "Rounding in Xero" page). Which way exactly half
a cent goes is not published, nor whether a compound rate counts with the four decimals that EffectiveRate shows.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from syncer.domain.mapping.crococlick_totals import LineShare
from syncer.domain.mapping.plain_text import plain_text
from syncer.domain.model.books import DocumentLine
from syncer.domain.model.invoice import LineItem
from syncer.domain.model.money import ONE, ZERO, cents, fits, is_half_cent, text

PLACES = 4  # of quantities and, with unitdp=4, of prices (Xero's Invoices page)
MOST_QUANTITY = Decimal("999999999.9999")  # thirteen digits (Xero's Invoices page)
DESCRIPTION_LIMIT = 4000  # Xero's Invoices page
RATE_STEP = Decimal("0.000001")  # EffectiveRate is a percentage of four decimals


def holds(line: LineItem, amount: Decimal) -> bool:
    """Whether Xero holds quantity × price as it is, and makes the same cents of it whichever way half a cent goes."""
    if not (fits(line.quantity, PLACES) and fits(line.unit_price, PLACES)) or abs(line.quantity) > MOST_QUANTITY:
        return False
    if not amount:
        return bool(line.quantity)
    rounded = cents(amount)
    return rounded == amount or (bool(rounded) and not is_half_cent(amount))


def described(line: LineItem) -> str:
    """Name and description, one under the other, as text for people to read."""
    name, description = plain_text(line.name), plain_text(line.description)
    return f"{name}\n{description}" if description and name else name or description


@lru_cache(256)
def _possible(rate: Decimal) -> tuple[Decimal, ...]:
    """The fractions that Xero may reckon with: of a rate with more decimals than it shows, the shown ones around it."""
    low = rate.quantize(RATE_STEP, ROUND_DOWN)
    return (rate,) if low == rate else (low, rate, low + RATE_STEP)


@dataclass(slots=True)
class XeroLine:
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
    unsure: bool = False  # the tax depends on what is not published of Xero's rounding

    @classmethod
    def of(cls, part: LineShare, tax_type: str, rate: Decimal, account: str, inclusive: bool) -> "XeroLine":
        """The line at its own amount, before any correction."""
        line, sign = part.line, -1 if part.line.quantity < 0 else 1
        exact = part.net + part.tax if inclusive else part.net
        draft = cls(
            description=described(line),
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
        if as_priced and discountable and holds(line, amount):
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
        self.natural_tax = self.tax = cents(self._tax(self.rate))
        possible = [self._tax(rate) for rate in _possible(self.rate)]
        self.unsure = any(cents(tax) != self.tax or is_half_cent(tax) for tax in possible)

    def _tax(self, rate: Decimal) -> Decimal:
        return self.amount * rate / (1 + rate) if self.inclusive else self.amount * rate

    def can_move(self, step: Decimal) -> bool:
        """Whether this much may be added to its amount: where a discount or a folded amount was rounded by us."""
        if self.folded:
            return self.exact * (self.amount + step) >= 0
        return self.discount > 0 and self.discount - step >= 0 and self.amount + step > 0

    def move(self, step: Decimal) -> None:
        """Add this much to its amount."""
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
        """The line to send; its tax is stated only where Xero would, or might, reckon another."""
        explicit = self.tax if self.tax != self.natural_tax or self.unsure else None
        return DocumentLine(
            self.description, self.quantity, self.unit_amount, self.account, self.tax_type, self.discount, explicit
        )
