"""A sentence has no hole, no two equal sides and no amount that is nowhere in the books."""

import re
from decimal import Decimal
from itertools import combinations

from tests.support.truth.books import GONE, Books, cents, number
from tests.support.truth.told import False_, Leave

MONEY = re.compile(r"-?€(-?[\d,]+(?:\.\d+)?)")
TWO_SIDES = (
    re.compile(r"says (?P<a>\S+) is paid, but its transactions come to (?P<b>[^\s,;]+)"),
    re.compile(r"says (?P<a>[^\s,]+), but its lines come to (?P<b>\S+)"),
    re.compile(r"says the tax is (?P<a>[^\s,]+), but its lines come to (?P<b>\S+)"),
    re.compile(r"total of (?P<a>\S+) where (?P<b>\S+) was sent"),
    re.compile(r"from (?P<a>[^,]+?) to (?P<b>[^,]+?)(?:,|$)"),
    re.compile(r"(?P<a>€[\d.,]+) is more than the (?P<b>€[\d.,]*\d)"),
)


SUMS = 6  # of up to this many payments every sum may be named


def of_sentence(books: Books, invoice: dict, said: dict, leave: Leave) -> list[False_]:
    id_, sentence = invoice["_id"], f"{said.get('verdict') or ''}"
    cause = (said.get("cause") or {}).get("sentence") or ""
    found = [
        False_("two equal sides", id_, cause) for pair in TWO_SIDES for m in pair.finditer(cause) if m["a"] == m["b"]
    ]
    if re.search(r"\bNone\b|\bnan\b|\{|\}", sentence + cause):
        found.append(False_("a hole in a sentence", id_, sentence))
    if id_ in leave.unknown:
        return found
    known = amounts(books, invoice)
    named = {cents(Decimal(text.replace(",", ""))) for text in MONEY.findall(cause)}
    if strange := {abs(one) for one in named} - known:
        found.append(False_("an amount that is nowhere", id_, f"{sorted(strange)}: {cause}"))
    return [*found, *_where(books, id_, said, sentence, leave)]


def _where(books: Books, id_: str, said: dict, sentence: str, leave: Leave) -> list[False_]:
    """`In Xero` and `Not in Xero` are so."""
    document = books.document(id_)
    standing = document is not None and document["Status"] not in GONE
    if sentence.startswith("Not in Xero") and standing and not leave.doubt and not leave.causes:
        return [False_("said not to be in Xero", id_, sentence)]
    if sentence.startswith("In Xero") and document is None:
        return [False_("said to be in Xero", id_, sentence)]
    return []


def amounts(books: Books, invoice: dict) -> set[int]:
    """Every amount that a sentence about an invoice may name."""
    summary = invoice.get("totalSummary", {})
    found = {cents(invoice[name]) for name in ("total", "amountPaid", "amountDue")}
    found |= {cents(value) for value in summary.values()} | {0}
    taken = [cents(one["amount"]) for one in books.transactions if one["entitySourceId"] == invoice["_id"]]
    back = [cents(one["amountRefunded"]) for one in books.transactions if one["entitySourceId"] == invoice["_id"]]
    document = books.document(invoice["_id"])
    there = []
    if document:
        found |= {cents(document[name]) for name in ("Total", "SubTotal", "TotalTax", "AmountPaid", "AmountDue")}
        there = [cents(p["Amount"]) for p in books.payments if p["Invoice"]["InvoiceID"] == document["InvoiceID"]]
    for one in books.documents:
        if one["InvoiceNumber"] == number(invoice):
            found.add(cents(one["Total"]))
    return {abs(one) for one in found | _all_sums(taken) | _all_sums(back) | _all_sums(there)}


def _all_sums(parts: list[int]) -> set[int]:
    return {sum(some) for size in range(1, min(len(parts), SUMS) + 1) for some in combinations(parts[:SUMS], size)}
