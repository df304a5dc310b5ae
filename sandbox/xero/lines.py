"""Invoice lines: read from a request, checked against chart and tax rates, priced, and turned into ready-made JSON.

This is the sandbox's hot path: twenty thousand lines a second pass here, so it works on integers and strings.
"""

from typing import Any

from sandbox.wire import dumps, quote
from sandbox.xero import messages as say
from sandbox.xero.arithmetic import line_cents, tax_cents
from sandbox.xero.books import Books
from sandbox.xero.errors import BadPost, error_list
from sandbox.xero.formats import exact, is_guid, scaled

DESCRIPTION_MAX = 4000
UNUSABLE_SYSTEM = ("DEBTORS", "CREDITORS", "BANKCURRENCYGAIN")
CLASS_FLAGS = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


class Line:
    """One line as sent and, once priced, as kept. Quantities, prices and rates count 1/10,000."""

    __slots__ = (
        "account_code",
        "account_id",
        "amount_sent",
        "cents",
        "description",
        "discount_amount",
        "discount_rate",
        "errors",
        "id",
        "item_code",
        "price",
        "priced",
        "quantity",
        "sent_price",
        "tax",
        "tax_sent",
        "tax_type",
        "tracking",
        "warning",
    )

    def __init__(self, sent: dict[str, Any], places: int):
        get = sent.get
        self.id = get("LineItemID") or ""
        self.description = get("Description") or ""
        self.item_code = get("ItemCode") or ""
        self.account_code = get("AccountCode") or ""
        self.account_id = get("AccountID") or ""
        self.tax_type = get("TaxType") or ""
        self.tracking = get("Tracking") or ()
        quantity, price = get("Quantity"), get("UnitAmount")
        amount, tax = get("LineAmount"), get("TaxAmount")
        rate, discount = get("DiscountRate"), get("DiscountAmount")
        self.amount_sent = None if amount is None else scaled(amount, 2)
        self.tax_sent = None if tax is None else scaled(tax, 2)
        self.discount_rate = scaled(rate, 4) if rate is not None else 0
        # The rate wins where both are sent.
        self.discount_amount = scaled(discount, 2) if discount is not None and not self.discount_rate else 0
        self.priced = price is not None or self.amount_sent is not None
        self.quantity = scaled(quantity, 4) if quantity is not None else (10_000 if self.priced else 0)
        self.sent_price = price
        self.price = (scaled(price, 4) if places == 4 else scaled(price, 2) * 100) if price is not None else 0
        self.cents = self.tax = 0
        self.errors: list[str] = []
        self.warning = ""

    def settle(self, books: Books, amount_types: str, rate: int) -> None:
        """Work out the line's amount and tax."""
        switches = books.switches
        if self.sent_price is None and self.amount_sent is not None:
            self.cents = self.amount_sent
            self.price = self.amount_sent * 1_000_000 // self.quantity if self.quantity else self.amount_sent * 100
        else:
            self.cents = line_cents(
                self.quantity, self.price, self.discount_rate, self.discount_amount, switches.discount_rate_half
            )
        if self.tax_sent is not None and amount_types != "NoTax":
            self.tax = self.tax_sent
        else:
            self.tax = tax_cents(self.cents, rate, amount_types, switches.half_cent)

    @property
    def gross(self) -> int:
        """Quantity × price before any discount, in 10^-8."""
        return self.quantity * self.price

    def discount_cents(self) -> int:
        """What the discount took off."""
        return line_cents(self.quantity, self.price) - self.cents if self.discount_rate or self.discount_amount else 0


def read_lines(sent: Any, places: int) -> list[Line]:
    """The lines of a request; numbers that are none spoil the whole request."""
    if not isinstance(sent, list):
        raise BadPost("JSON for post data was invalid,LineItems is not a list.")
    if not all(isinstance(entry, dict) for entry in sent):
        raise BadPost("JSON for post data was invalid,a LineItem is not an object.")
    return [Line(entry, places) for entry in sent]


# -- account and tax of a line ------------------------------------------------------------------------------------


class Chart:
    """What account and tax a line comes to; remembered for one request, since lines repeat themselves."""

    def __init__(self, books: Books, approved: bool, kind: str):
        self.books, self.approved, self.kind = books, approved, kind
        self.known: dict[tuple[str, str, str], tuple[str, str, str, int, list[str], str]] = {}

    def resolve(self, line: Line) -> int:
        """Fill in the line's account and tax type, note what is wrong, and give the tax rate."""
        key = (line.account_code, line.account_id, line.tax_type)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._look_up(*key)
        line.account_code, line.account_id, line.tax_type, rate, errors, line.warning = found
        if errors:
            line.errors.extend(errors)
        return rate

    def _look_up(self, code: str, id_: str, tax_type: str) -> tuple[str, str, str, int, list[str], str]:
        account, errors, warning = self._account(code, id_)
        if account is not None:
            code, id_ = account.get("Code", ""), account["AccountID"]
            tax_type = tax_type or account.get("TaxType", "")
        elif not self.approved:
            code = id_ = ""
        rate = self.books.tax_rates.get(tax_type)
        errors = errors + self._tax_errors(tax_type, rate, account)
        return code, id_, tax_type, rate_of(rate), errors, warning

    def _account(self, code: str, id_: str) -> tuple[dict[str, Any] | None, list[str], str]:
        """The account, what is wrong with it, and a draft's warning instead."""
        if not code and not id_:
            return None, [say.ACCOUNT_MISSING] if self.approved else [], ""
        account = self.books.accounts.get(id_.lower()) if id_ else self.books.account(code)
        shown = code or id_
        if code and is_guid(code):
            return None, [say.ACCOUNT_IS_ID.format(code)], ""
        if account is None:
            if self.approved:
                return None, [say.ACCOUNT_UNUSABLE.format(shown)], ""
            return None, [], say.ACCOUNT_REMOVED.format(shown)
        if account["Status"] != "ACTIVE":
            return account, [say.ACCOUNT_ARCHIVED.format(shown)], ""
        if account["Type"] == "BANK" or account.get("SystemAccount") in UNUSABLE_SYSTEM:
            return account, [say.ACCOUNT_UNUSABLE.format(shown)], ""
        return account, [], ""

    def _tax_errors(self, tax_type: str, rate: dict[str, Any] | None, account: dict[str, Any] | None) -> list[str]:
        if not tax_type:
            return [say.TAX_MISSING] if self.approved else []
        if rate is None or rate["Status"] != "ACTIVE":
            return [say.TAX_UNKNOWN.format(tax_type)]
        if account is not None and not rate[CLASS_FLAGS[account["Class"]]]:
            return [say.TAX_NOT_FOR_ACCOUNT.format(tax_type, account.get("Code") or account["AccountID"])]
        # A purchase rate is refused where its flags say so; GLOBAL's flags allow everything.
        if account is None and self.kind == "ACCREC" and not rate["CanApplyToRevenue"]:
            return [say.TAX_UNKNOWN.format(tax_type)]
        return []


def rate_of(rate: dict[str, Any] | None) -> int:
    """A tax rate's effective percent in 1/10,000."""
    return round(rate["EffectiveRate"] * 10_000) if rate else 0


# -- the rules of one line ----------------------------------------------------------------------------------------


def check_line(line: Line, kind: str, approved: bool, has_items: bool) -> None:
    """Note what is wrong with a priced line, apart from account and tax."""
    errors = line.errors
    if approved and not line.description and not line.item_code:
        errors.append(say.DESCRIPTION_MISSING)
    if len(line.description) > DESCRIPTION_MAX:
        errors.append(say.TOO_LONG.format("Description", DESCRIPTION_MAX))
    if line.quantity < 0 or (line.quantity == 0 and line.price):
        errors.append(say.QUANTITY_INVALID.format(f"{line.quantity / 10_000:.4f}"))
    if line.item_code and not has_items:
        errors.append(say.ITEM_UNKNOWN.format(line.item_code))
    if line.discount_rate or line.discount_amount:
        check_discount(line, kind)
    if line.amount_sent is not None and line.amount_sent != line.cents:
        errors.append(say.LINE_TOTAL.format(f"{line.amount_sent / 100:.2f}", f"{line.cents / 100:.2f}"))
    if line.tax_sent is not None and abs(line.tax_sent) > abs(line.cents):
        errors.append(say.TAX_TOO_LARGE)
    if approved and line.cents == 0 and vanished(line):
        errors.extend((say.ACCOUNT_VALID, say.RATE_VALID))


def vanished(line: Line) -> bool:
    """Whether a price was lost to rounding: Xero then complains of account and rate instead."""
    if line.sent_price is None or not line.quantity or line.discount_rate or line.discount_amount:
        return False
    return exact(line.sent_price) != 0


def check_discount(line: Line, kind: str) -> None:
    """A discount stays within its line, and bills have none."""
    if kind == "ACCPAY":
        line.errors.append(say.NO_BILL_DISCOUNT)
        return
    gross = line_cents(line.quantity, line.price)
    if line.discount_rate > 1_000_000 or line.discount_rate < 0:
        line.errors.append(say.DISCOUNT_TOO_LARGE.format(f"{line.discount_rate / 10_000:.2f}"))
    elif line.discount_amount > gross or line.discount_amount < 0:
        line.errors.append(say.DISCOUNT_TOO_LARGE.format(f"{line.discount_amount / 100:.2f}"))


# -- showing ------------------------------------------------------------------------------------------------------


def line_json(line: Line, id_: str) -> str:
    """A kept line, in the recorded order of keys; money as Xero prints it, 40.0 and 24.15."""
    item = f'"ItemCode":{quote(line.item_code)},' if line.item_code else ""
    if not line.priced:
        return (
            f'{{"Description":{quote(line.description)},"TaxAmount":0.0,"LineAmount":0.0,"Tracking":[],'
            f'"LineItemID":"{id_}","ValidationErrors":[]}}'
        )
    discount = ""
    if line.discount_rate:
        discount = f'"DiscountRate":{line.discount_rate / 10_000!r},'
    elif line.discount_amount:
        discount = f'"DiscountAmount":{line.discount_amount / 100!r},'
    code = f'"AccountCode":{quote(line.account_code)},' if line.account_code else ""
    account = f',"AccountID":"{line.account_id}"' if line.account_id else ""
    tracking = dumps(line.tracking) if line.tracking else "[]"
    return (
        f'{{{item}"Description":{quote(line.description)},"UnitAmount":{line.price / 10_000!r},'
        f'"TaxType":"{line.tax_type}","TaxAmount":{line.tax / 100!r},"LineAmount":{line.cents / 100!r},'
        f'{code}"Tracking":{tracking},"Quantity":{line.quantity / 10_000!r},{discount}'
        f'"LineItemID":"{id_}"{account},"ValidationErrors":[]}}'
    )


def failed_line(line: Line) -> str:
    """A line of a refused invoice."""
    shown: dict[str, Any] = {"Description": line.description}
    if line.priced:
        shown |= {"UnitAmount": line.price / 10_000, "Quantity": line.quantity / 10_000}
    shown |= {"TaxType": line.tax_type, "TaxAmount": line.tax / 100, "LineAmount": line.cents / 100}
    shown |= {"AccountCode": line.account_code, "Tracking": [], "ValidationErrors": error_list(line.errors)}
    return dumps({key: value for key, value in shown.items() if value != ""})
