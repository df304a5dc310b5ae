"""The comparison itself: what differs between two paired documents, and what each difference does to the totals.

Xero's document is reached from CrocoClick's by putting in one field after another that differs; what each of those
four steps (issue date, status, currency, total) does to the totals is its `effect`. The totals are added up apart from
that, so that a residual of zero is a finding and no matter of course.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from syncer.domain.closing.documents import CREDIT_NOTE, Receipt, SalesDocument, Span
from syncer.domain.closing.matching import Pair, PaymentPair
from syncer.domain.model.money import CENT, ZERO
from syncer.domain.planning.compare import meant

Value = str | Decimal | date | None
Effect = Mapping[str, Decimal]
NOTHING: Effect = {}

# The kinds of difference beside the fields of a document.
DOCUMENT = "document"  # only one book has it
UNREADABLE = "unreadable"
TAX_BY_RATE = "tax_by_rate"
PAYMENT, PAYMENT_AMOUNT, PAYMENT_DATE, PAYMENT_INVOICE = "payment payment_amount payment_date payment_invoice".split()
REFUND = "refund"
MONEY = frozenset({"total", "tax", "paid", "due", DOCUMENT, PAYMENT, PAYMENT_AMOUNT, REFUND})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the books disagree; a value is None where that book has nothing.

    `effect`: what it adds to Xero's total beyond CrocoClick's, by currency. `about`: what a sentence needs beside that.
    """

    number: str
    field: str
    crococlick: Value
    xero: Value
    currency: str = ""
    invoice_id: str = ""
    xero_id: str = ""
    effect: Effect = dataclasses.field(default_factory=dict)
    about: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One document that was compared, with what differs; `is_apart`: neither book counts it in this period."""

    pair: Pair
    is_apart: bool
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """A currency's total in each book, and what the differences that are listed do not explain."""

    crococlick: Decimal = ZERO
    xero: Decimal = ZERO
    residual: Decimal = ZERO


def share(one: SalesDocument | None, span: Span) -> Effect:
    """What a document adds to the totals of the period: nothing where it does not stand, or is of another day."""
    if one is None or not one.stands or not span.holds(one.issue_date):
        return NOTHING
    return {one.currency: one.counted}


def compare_documents(pairs: Sequence[Pair], span: Span) -> list[Record]:
    """Every pair of which a document is of the period, with its differences."""
    missing = [one.crococlick for one in pairs if one.crococlick and one.xero is None and one.crococlick.stands]
    lookalikes = _Lookalikes([*missing, *(one.crococlick for one in pairs if one.crococlick and one.xero)])
    return [_record(one, span, lookalikes) for one in pairs if is_of(one, span)]


def is_of(pair: Pair, span: Span) -> bool:
    """Whether either book has the document in the period; one whose day cannot be read may be of any."""
    known = [one for one in (pair.crococlick, pair.xero) if one is not None]
    return any(span.holds(one.issue_date) or bool(one.flaw and one.issue_date is None) for one in known)


def _record(pair: Pair, span: Span, lookalikes: "_Lookalikes") -> Record:
    ours, theirs = pair.crococlick, pair.xero
    flawed = (ours and ours.flaw) or (theirs and theirs.flaw)
    is_apart = not (ours and ours.stands) and not (theirs and theirs.stands)
    if flawed:
        return Record(pair, False, (_unreadable(pair, span, flawed),))
    if is_apart:
        return Record(pair, True)
    if ours and theirs:
        return Record(pair, False, tuple(_fields(ours, theirs, span)))
    if ours:
        return Record(pair, False, (_alone(ours, None, span, {}),))
    assert theirs is not None  # noqa: S101 - a pair has at least one document
    return Record(pair, False, (_alone(None, theirs, span, lookalikes.about(theirs)),))


def _unreadable(pair: Pair, span: Span, flaw: str) -> Difference:
    ours, theirs = pair.crococlick, pair.xero
    known = ours or theirs
    assert known is not None  # noqa: S101 - a pair has at least one document
    where = "crococlick" if ours and ours.flaw else "xero"
    found = _named(known.number, ours, theirs)
    effect = _minus(share(theirs, span), share(ours, span))
    values = (flaw, None) if where == "crococlick" else (None, flaw)
    return replace(
        found,
        field=UNREADABLE,
        crococlick=values[0],
        xero=values[1],
        effect=effect,
        about={"where": where, "flaw": flaw},
    )


def _named(number: str, ours: SalesDocument | None, theirs: SalesDocument | None) -> Difference:
    known = ours or theirs
    return Difference(
        number,
        "",
        None,
        None,
        currency=known.currency if known else "",
        invoice_id=ours.id if ours else (theirs.mark if theirs else ""),
        xero_id=theirs.id if theirs else "",
    )


def _alone(
    ours: SalesDocument | None, theirs: SalesDocument | None, span: Span, about: Mapping[str, str]
) -> Difference:
    known = ours or theirs
    assert known is not None  # noqa: S101 - one of the two is there
    found = _named(known.number, ours, theirs)
    return replace(
        found,
        field=DOCUMENT,
        crococlick=ours.total if ours else None,
        xero=theirs.counted if theirs else None,
        effect=_minus(share(theirs, span), share(ours, span)),
        about={"kind": known.kind, "customer": known.party.name, **about},
    )


class _Lookalikes:
    """Which of our documents a stranger's may be: the same customer and amount, those that are missing first."""

    def __init__(self, ours: Iterable[SalesDocument]) -> None:
        self._by_money: dict[tuple[str, Decimal], list[SalesDocument]] = defaultdict(list)
        for one in ours:
            self._by_money[one.currency, one.total].append(one)

    def about(self, theirs: SalesDocument) -> dict[str, str]:
        """What to say of a document that only Xero has."""
        if theirs.kind == CREDIT_NOTE:
            return {}
        alike = (one for one in self._by_money[theirs.currency, theirs.total] if one.party.is_same(theirs.party))
        like = next(alike, None)
        return {"looks_like": like.number, "looks_like_id": like.id} if like else {}


def _fields(ours: SalesDocument, theirs: SalesDocument, span: Span) -> Iterable[Difference]:
    """What differs between a document in both books, with the effect of each on the totals."""
    base, at = _named(ours.number or theirs.number, ours, theirs), ours
    about = {"customer": ours.party.name, "xero_number": theirs.number, "xero_status": theirs.status}
    for name, mine, other in _differing(ours, theirs):
        after = _put_in(at, theirs, name)
        effect = _minus(share(after, span), share(at, span))
        at = after
        yield replace(base, field=name, crococlick=mine, xero=other, effect=effect, about=about)


def _put_in(at: SalesDocument, theirs: SalesDocument, name: str) -> SalesDocument:
    """The document with this field as Xero has it, where the field moves a total."""
    match name:
        case "issue_date":
            return replace(at, issue_date=theirs.issue_date)
        case "status":
            return replace(at, stands=theirs.stands)
        case "currency":
            return replace(at, currency=theirs.currency)
        case "total":
            return replace(at, total=theirs.total)
    return at


def _differing(ours: SalesDocument, theirs: SalesDocument) -> Iterable[tuple[str, Value, Value]]:
    """The fields that do not mean the same."""
    both = ours.stands and theirs.stands
    pairs: list[tuple[str, Value, Value, bool]] = [
        ("number", ours.number, theirs.number, ours.number == theirs.number.strip()),
        ("contact", ours.party.name, theirs.party.name, ours.party.is_same(theirs.party)),
        ("issue_date", ours.issue_date, theirs.issue_date, ours.issue_date == theirs.issue_date),
        ("due_date", ours.due_date, theirs.due_date, ours.due_date in (None, theirs.due_date)),
        ("currency", ours.currency, theirs.currency, ours.currency == theirs.currency),
        ("total", ours.total, theirs.total, ours.total == theirs.total),
        ("tax", ours.tax, theirs.tax, ours.tax is None or ours.tax == theirs.tax),
        ("paid", ours.paid, theirs.paid, not both or theirs.paid in (ours.paid, ours.paid + ours.refunded)),
        ("due", ours.due, theirs.due, not both or theirs.due in (ours.due, ours.due - ours.refunded)),
        ("status", ours.status, theirs.status, _is_same_status(ours, theirs)),
    ]
    yield from ((name, mine, other) for name, mine, other, same in pairs if not same)
    yield from ((TAX_BY_RATE, mine, other) for mine, other in _rates(ours, theirs))


def _is_same_status(ours: SalesDocument, theirs: SalesDocument) -> bool:
    """Whether both mean the same; a refund may or may not have reopened CrocoClick's invoice."""
    if theirs.status in meant(ours.status, nothing_to_pay=ours.total == 0):
        return True
    return (
        bool(ours.refunded) and ours.stands and theirs.stands and theirs.paid in (ours.paid, ours.paid + ours.refunded)
    )


def _rates(ours: SalesDocument, theirs: SalesDocument) -> Iterable[tuple[str, str]]:
    """Tax by rate, where both books have it, both taxes are the same, and rounding cannot explain what differs.

    CrocoClick states one tax: by rate it is what its lines come to, so a cent for each line may be rounding.
    """
    if ours.tax is None or ours.tax != theirs.tax or not ours.taxes or not theirs.taxes:
        return
    allowed = CENT * max(ours.lines, theirs.lines)
    names = sorted({*ours.taxes, *theirs.taxes})
    apart = [name for name in names if abs(ours.taxes.get(name, ZERO) - theirs.taxes.get(name, ZERO)) > allowed]
    if apart:
        yield _by_rate(ours.taxes), _by_rate(theirs.taxes)


def _by_rate(taxes: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name}%: {amount}" for name, amount in sorted(taxes.items()))


def _minus(one: Effect, other: Effect) -> dict[str, Decimal]:
    found = {name: one.get(name, ZERO) - other.get(name, ZERO) for name in sorted({*one, *other})}
    return {name: amount for name, amount in found.items() if amount}


def totals(pairs: Iterable[Pair], differences: Iterable[Difference], span: Span) -> dict[str, Total]:
    """Each currency's totals, added up document by document, and the residual."""
    ours: dict[str, Decimal] = defaultdict(Decimal)
    theirs: dict[str, Decimal] = defaultdict(Decimal)
    explained: dict[str, Decimal] = defaultdict(Decimal)
    for pair in pairs:
        for sums, one in ((ours, pair.crococlick), (theirs, pair.xero)):
            for currency, amount in share(one, span).items():
                sums[currency] += amount
    for difference in differences:
        for currency, amount in difference.effect.items():
            explained[currency] += amount
    return {
        name: Total(ours[name], theirs[name], theirs[name] - ours[name] - explained[name])
        for name in sorted({*ours, *theirs, *explained})
    }


def tax_by_rate(pairs: Iterable[Pair], span: Span) -> dict[str, dict[str, list[Decimal]]]:
    """Tax of the period by currency and rate: CrocoClick's and Xero's."""
    found: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [ZERO, ZERO]))
    for pair in pairs:
        for place, one in enumerate((pair.crococlick, pair.xero)):
            if one and share(one, span):
                for name, amount in one.taxes.items():
                    found[one.currency][name][place] += -amount if one.kind == CREDIT_NOTE else amount
    return {currency: dict(sorted(rates.items())) for currency, rates in sorted(found.items())}


def compare_payments(pairs: Iterable[PaymentPair], documents: "Both", span: Span) -> list[Difference]:
    """What differs between payments of which at least one is of the period, on documents that both books have."""
    found: list[Difference] = []
    for pair in pairs:
        ours, theirs = pair.crococlick, pair.xero
        days = [one.paid_on for one in (ours, theirs) if one is not None]
        if any(span.holds(day) for day in days) and documents.have(ours, theirs):
            found += _payment(ours, theirs, documents)
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A document that both books have, as far as its payments ask: its number, currency and ids."""

    number: str
    currency: str
    invoice_id: str
    xero_id: str


class Both:
    """The documents that both books have, by either id."""

    def __init__(self, documents: Iterable[Known]) -> None:
        known = list(documents)
        self._by_source = {one.invoice_id: one for one in known}
        self._by_xero = {one.xero_id: one for one in known}

    def of(self, ours: Receipt | None, theirs: Receipt | None) -> Known | None:
        """The document that a payment is on: CrocoClick's word comes first."""
        mine = self._by_source.get(ours.document_id) if ours else None
        return mine or (self._by_xero.get(theirs.document_id) if theirs else None)

    def in_xero(self, theirs: Receipt) -> Known | None:
        """The document that a payment is on in Xero."""
        return self._by_xero.get(theirs.document_id)

    def have(self, ours: Receipt | None, theirs: Receipt | None) -> bool:
        """Whether the payment is on one of them."""
        return self.of(ours, theirs) is not None


def _payment(ours: Receipt | None, theirs: Receipt | None, documents: Both) -> Iterable[Difference]:
    known = documents.of(ours, theirs)
    assert known is not None  # noqa: S101 - only those are asked for
    day = (ours or theirs).paid_on  # type: ignore[union-attr]  # because: a pair has at least one payment
    about = {
        "paid_on": day.isoformat() if day else "",
        "transaction_id": ours.id if ours else "",
        "payment_id": theirs.id if theirs else "",
        "mark": theirs.mark if theirs else "",
    }
    base = Difference(known.number, PAYMENT, None, None, known.currency, known.invoice_id, known.xero_id, {}, about)
    if ours is None or theirs is None:
        yield replace(base, crococlick=ours.amount if ours else None, xero=theirs.amount if theirs else None)
        return
    there = documents.in_xero(theirs)
    if there is not known:
        where = there.number if there else theirs.number or "another document"
        yield replace(base, field=PAYMENT_INVOICE, crococlick=known.number, xero=where)
    if ours.amount != theirs.amount:
        yield replace(base, field=PAYMENT_AMOUNT, crococlick=ours.amount, xero=theirs.amount)
    if ours.paid_on != theirs.paid_on:
        yield replace(base, field=PAYMENT_DATE, crococlick=ours.paid_on, xero=theirs.paid_on)
