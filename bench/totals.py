"""Invoices at random through the mapping, against a second telling of both systems' arithmetic.

Every invoice that is sent comes to CrocoClick's total in Xero, whichever way Xero rounds half a cent; none goes whose
total does not follow from its lines; and of those that Xero can show to the cent (docs/decisions/0005) nearly all go.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from multiprocessing import Pool
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from syncer.domain.mapping.invoice_to_document import document
from syncer.domain.model.books import Account, Books, Document, Organisation, TaxRate
from syncer.domain.model.invoice import Invoice
from syncer.domain.model.sync_settings import Rules
from tests.support.entry import components
from tests.support.two_arithmetics import TAX_TYPES, any_invoice, traits, troubles, unrepresentable

COUNT, PORTION = 100_000, 500
LEAST_SENT = Decimal("0.95")
DISTURBED = 0.2  # of this part the total is moved by up to three units
RULES = Rules(revenue_account="706", rounding_account="658")
EVERY = "all that Xero can show to the cent"


def shown_rate(taxes) -> TaxRate:
    """The rate of these taxes as Xero tells of it."""
    effective = sum((tax.rate for tax in taxes), Decimal(0))
    name = " and ".join(tax.name for tax in taxes)
    return TaxRate(TAX_TYPES[taxes] if taxes else "NONE", name or "Tax Exempt", effective, components(taxes))


BOOKS = Books(
    organisation=Organisation("org", "Croco SAS", "FR", "EUR", version="GLOBAL"),
    accounts=(Account("a1", "706", "Prestations", "REVENUE"), Account("a2", "658", "Écarts", "EXPENSE")),
    tax_rates=tuple(shown_rate(taxes) for taxes in TAX_TYPES),
    currencies=frozenset({"EUR", "JPY", "KWD"}),
)


def made(seed: int) -> Invoice:
    """One invoice, some with a total that is not theirs."""
    chance = Random(seed)
    one = any_invoice(chance)
    if chance.random() >= DISTURBED:
        return one
    unit = Decimal(1) if one.currency == "JPY" and one.total == one.total.to_integral_value() else Decimal("0.01")
    return replace(one, total=one.total + unit * chance.choice([-300, -3, -2, -1, 1, 2, 3, 300]))


def judged(seed: int) -> tuple[str, bool, list[str], list[str]]:
    """Why it is outside the set, whether it is sent, what is wrong with that, and what is special about it."""
    one = made(seed)
    answer = document(one, BOOKS, "x1", RULES)
    sent = isinstance(answer, Document)
    wrong = list(troubles(one, answer.lines, answer.inclusive)) if isinstance(answer, Document) else []
    return unrepresentable(one), sent, wrong, list(traits(one))


def portion(start: int) -> list[tuple[str, bool, list[str], list[str]]]:
    """The judgements of some invoices."""
    return [judged(seed) for seed in range(start, start + PORTION)]


def judgements(count: int) -> Iterator[tuple[int, tuple[str, bool, list[str], list[str]]]]:
    """All of them by their seed, on two processors."""
    with Pool(2) as pool:
        for start, found in zip(range(0, count, PORTION), pool.imap(portion, range(0, count, PORTION)), strict=True):
            yield from enumerate(found, start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    count = parser.parse_args().count
    started = time.perf_counter()
    counts, sent = Counter(), Counter()
    wrong: list[str] = []
    held: list[int] = []
    for seed, (outside, goes, amiss, special) in judgements(count):
        groups = [f"outside: {outside}"] if outside else [EVERY, *special]
        counts.update(groups)
        sent.update(groups if goes else [])
        wrong += [f"seed {seed}: {told}" for told in amiss]
        if not outside and not goes:
            held.append(seed)
    print(f"{count:,} invoices in {time.perf_counter() - started:.0f} s{'sent':>36}{'of':>9}")
    for group in sorted(counts, key=lambda name: (name.startswith("outside"), name != EVERY, -counts[name])):
        print(f"{group:<50} {sent[group]:>9,} {counts[group]:>8,} {100 * sent[group] / counts[group]:8.2f} %")
    print(f"sent with another total or tax, or without explanation: {len(wrong)}")
    print("\n".join(wrong[:20]))
    print(f"inside the set and held: seeds {', '.join(map(str, held[:20])) or 'none'}")
    return 0 if not wrong and sent[EVERY] >= LEAST_SENT * counts[EVERY] else 1


if __name__ == "__main__":
    sys.exit(main())
