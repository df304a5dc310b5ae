"""Money that went back: in CrocoClick a sum on a transaction, without a day; in Xero a credit note.

What a credit note of ours carries is given its day in CrocoClick's book too, so that both totals are lessened alike.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from syncer.domain.closing.compare import REFUND, Difference, Known
from syncer.domain.closing.documents import CREDIT_NOTE, SalesDocument
from syncer.domain.closing.matching import Pair
from syncer.domain.model.money import ZERO, show

_WORD = re.compile(r"[^\s,;:()]+")


def recognised(
    notes: Sequence[SalesDocument], invoice_of: Mapping[str, str], numbers: Mapping[str, str]
) -> list[SalesDocument]:
    """The notes, each with the CrocoClick invoice that it gives money back for as its mark.

    `invoice_of` is the invoice by refunded transaction, `numbers` that by number, of invoices with refunds: a note of
    ours names the transaction, one that a person made at least the invoice's number in its Reference.
    """
    found = []
    for note in notes:
        named = [invoice_of[one] for one in sorted(note.transactions) if one in invoice_of]
        named += [numbers[word] for word in _WORD.findall(note.reference) if word in numbers]
        found.append(replace(note, mark=named[0]) if named else note)
    return found


def pair_notes(pairs: Iterable[Pair], refunded: Mapping[str, Decimal]) -> list[Pair]:
    """The pairs, with each credit note of a refund beside as much of that refund as no earlier note carries."""
    left = dict(refunded)
    found: list[Pair] = []
    for pair in sorted(pairs, key=_day):
        note = pair.xero
        if note is None or note.kind != CREDIT_NOTE or not note.stands or not left.get(note.mark):
            found.append(pair)
            continue
        part = min(left[note.mark], note.total)
        left[note.mark] -= part
        found.append(Pair(replace(note, id=note.mark, total=part), note, "mark"))
    return found


def _day(pair: Pair) -> tuple[str, str]:
    note = pair.xero if pair.xero and pair.xero.kind == CREDIT_NOTE else None
    return (note.issue_date.isoformat() if note.issue_date else "", note.id) if note else ("", "")


def missing_refunds(pairs: Iterable[Pair], refunded: Mapping[str, Decimal], known: Iterable[Known]) -> list[Difference]:
    """The refunds on these documents that no credit note carries, or not whole; without a day, they move no total."""
    carried: dict[str, Decimal] = defaultdict(Decimal)
    for pair in pairs:
        if pair.xero and pair.xero.kind == CREDIT_NOTE and pair.crococlick:
            carried[pair.crococlick.mark] += pair.crococlick.total
    return [
        Difference(
            one.number,
            REFUND,
            refunded[one.invoice_id],
            carried[one.invoice_id],
            one.currency,
            one.invoice_id,
            one.xero_id,
            about={"missing": show(refunded[one.invoice_id] - carried[one.invoice_id], one.currency)},
        )
        for one in known
        if refunded.get(one.invoice_id, ZERO) > carried[one.invoice_id]
    ]
