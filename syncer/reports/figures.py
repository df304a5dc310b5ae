"""The figures of the Reports page and of the notebook: each with its title, one plain sentence, and its numbers.

Both show exactly these. Every figure is a table first; a picture of it is drawn elsewhere from the same rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncer.domain.model import money
from syncer.domain.model.problems import CAUSES, heals_by_itself
from syncer.domain.period import PARTS, PRESETS, Period
from syncer.storage.analysis.figures_query import Connection, Counting

if TYPE_CHECKING:
    pass

from syncer.messages import format, problems
from syncer.reports.figure import Figure, FigureColumn, Row

HEALING = [code for code in CAUSES if heals_by_itself(code)]
NEEDS, HEALS = "needs action", "retrying automatically"
STARTS: Mapping[str, str] = {"day": "Day", "week": "Week from", "month": "Month from"}
# Where the sentence for a group needs a name that a report of many does not have.
_WITHOUT_NAMES: Mapping[str, str] = {
    "status_not_selected": "Invoices with this status are not sent",
    "before_start_date": "It was issued before the start date",
    "contact_invalid": "The customer is not a contact that Xero takes",
    "contact_ambiguous": "Several Xero contacts could be the customer",
    "contact_name_taken": "Another Xero contact has the customer's name",
    "contact_archived": "The customer is archived in Xero",
    "tax_not_for_account": "Xero does not allow the tax rate on the account",
    "tracking_invalid": "Xero does not have the tracking that the settings choose",
    "period_locked": "The period is locked in Xero",
    "rejected_by_xero": "Xero gave a reason of its own",
}


@dataclass(frozen=True)
class Asked:
    """What a report is about; without `connections` of all there are."""

    period: Period
    against: Period
    by: str
    zone: tzinfo = UTC
    connections: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Headline:
    """One of the figures on top: a number of this period and of the one that it is compared with."""

    name: str
    unit: str
    now: Any
    before: Any
    money: Mapping[str, Decimal] = field(default_factory=dict)
    money_before: Mapping[str, Decimal] = field(default_factory=dict)
    more: Any = None
    more_before: Any = None


def asked(
    period: str | Period = "Last 30 days",
    *,
    today: date | None = None,
    against: Period | None = None,
    by: str = "",
    zone: tzinfo = UTC,
    connections: Sequence[str] | None = None,
) -> Asked:
    """A question in few words: one of PRESETS or days of your own, and what follows from it unless it is given."""
    here = today or datetime.now(UTC).astimezone(zone).date()
    chosen = PRESETS[period](here) if isinstance(period, str) else period
    whose = None if connections is None else tuple(sorted(connections))
    return Asked(chosen, against or chosen.before(), by if by in PARTS else chosen.part(), zone, whose)


class FigureReport:
    """Every figure for one question, each counted when it is asked for."""

    def __init__(self, connection: Connection, question: Asked) -> None:
        self.asked = question
        whose = question.connections
        if whose is None:
            every = Counting(connection, question.period, question.by, question.zone, ())
            whose = tuple(row["connection"] for row in every.rows("connections"))
        self.now = Counting(connection, question.period, question.by, question.zone, whose)
        self.before = Counting(connection, question.against, question.by, question.zone, whose)
        self.daily = [
            Counting(connection, one, "day", question.zone, whose) for one in (question.period, question.against)
        ]

    def size(self) -> tuple[int, date | None]:
        """How many invoices are known in all, and since when."""
        (row,) = self.now.rows("size")
        return row["invoices"], row["since"]

    def figure(self, key: str) -> Figure:
        """One of FIGURES."""
        return FIGURES[key](self)

    def figures(self) -> list[Figure]:
        """All of them."""
        return [self.figure(key) for key in FIGURES]

    def headlines(self) -> list[Headline]:
        """The four on top."""
        now, before = _whole(self.now), _whole(self.before)
        return [
            Headline("Synced", "count", now.invoices, before.invoices, now.money, before.money),
            Headline("At the first try", "share", now.share, before.share, more=(now.first_try, now.invoices)),
            Headline("Time to Xero", "seconds", now.median, before.median, more=now.p95),
            Headline("Needed a person", "count", now.needed, before.needed, now.needed_money, before.needed_money),
        ]


@dataclass(frozen=True)
class _Whole:
    """A period in a few numbers."""

    invoices: int
    first_try: int
    median: int | None
    p95: int | None
    money: Mapping[str, Decimal]
    needed: int
    needed_money: Mapping[str, Decimal]

    @property
    def share(self) -> Decimal | None:
        return share(self.first_try, self.invoices)


def _whole(counting: Counting) -> _Whole:
    (took,) = counting.rows("took_in_all")
    needed = counting.rows("needed_somebody", healing=HEALING)
    return _Whole(
        took["invoices"],
        took["first_try"],
        took["median"],
        took["p95"],
        _sums(counting.rows("arrived"), "money"),
        sum(row["invoices"] for row in needed),
        _sums(needed, "money"),
    )


# -- how much went over -------------------------------------------------------------------------------------------


def _moved(report: FigureReport) -> Figure:
    rows = [
        (row["starts"], row["what"], row["currency"], row["records"], _cents(row)) for row in report.now.rows("moved")
    ]
    return Figure(
        "moved",
        f"What went over, by {report.asked.by}",
        "Invoices created, updated and voided in Xero, with their totals, and payments entered there.",
        _columns(report, "What:text Currency:text Records:count Money:money"),
        rows,
    )


def _money(report: FigureReport) -> Figure:
    rows = [(row["starts"], row["currency"], row["invoices"], _cents(row)) for row in report.now.rows("arrived")]
    return Figure(
        "money",
        f"How much money came to Xero, by {report.asked.by}",
        "The totals of the invoices that came to Xero for the first time, each currency for itself.",
        _columns(report, "Currency:text Invoices:count Money:money"),
        rows,
    )


def _compared(report: FigureReport) -> Figure:
    """Both periods side by side: the first day beside the first day, the second beside the second."""
    sides = [_by_place(counting, report.asked.by) for counting in report.daily]
    days = [_places(period, report.asked.by) for period in (report.asked.period, report.asked.against)]
    currencies = sorted({currency for side in sides for _, currency in side})
    rows: list[tuple[Any, ...]] = []
    for place in range(max(map(len, days))):
        starts = [those[place] if place < len(those) else None for those in days]
        for currency in currencies:
            now, before = (side.get((place, currency), (0, Decimal(0))) for side in sides)
            rows.append((place + 1, *starts, currency, *now, *before))
    return Figure(
        "compared",
        f"Synced invoices by {report.asked.by}: this period and the one before",
        "Invoices that came to Xero in this period and in the one it is compared with, from the first day of each.",
        _named(
            f"Place:count {STARTS[report.asked.by]}:day Compared with:day Currency:text Invoices:count Money:money "
            "Invoices before:count Money before:money"
        ),
        rows,
    )


def _by_place(counting: Counting, by: str) -> dict[tuple[int, str], tuple[int, Decimal]]:
    """What came, by place and currency: weeks are seven days from the first, months those of the calendar."""
    found: dict[tuple[int, str], tuple[int, Decimal]] = {}
    for row in counting.rows("arrived"):
        key = _place(row["starts"], counting.period.first, by), row["currency"]
        invoices, amount = found.get(key, (0, Decimal(0)))
        found[key] = invoices + row["invoices"], amount + _cents(row)
    return found


def _place(day: date, first: date, by: str) -> int:
    if by == "month":
        return (day.year - first.year) * 12 + day.month - first.month
    return (day - first).days // (7 if by == "week" else 1)


def _places(period: Period, by: str) -> list[date]:
    """The day on which each place in a period begins."""
    found: dict[int, date] = {}
    for day in period.starts("day"):
        found.setdefault(_place(day, period.first, by), day)
    return list(found.values())


def _summary(report: FigureReport) -> Figure:
    now, before = _whole(report.now), _whole(report.before)
    moved, moved_before = (_by_what(counting) for counting in (report.now, report.before))
    rows: list[tuple[str, str, Any, Any]] = [("Invoices brought over", "invoices", now.invoices, before.invoices)]
    rows += _in_money("Money of invoices brought over", now.money, before.money)
    rows += [(f"Records {what}", "records", moved[what], moved_before[what]) for what in ("updated", "voided", "paid")]
    rows += [
        ("At the first try", "%", now.share, before.share),
        ("Median from first sight to Xero", "s", now.median, before.median),
        ("95 of 100 took at most", "s", now.p95, before.p95),
        ("Invoices that needed a person", "invoices", now.needed, before.needed),
        *_in_money("Money of invoices that needed a person", now.needed_money, before.needed_money),
        ("Calls to Xero", "calls", _calls_in(report.now), _calls_in(report.before)),
    ]
    return Figure(
        "summary",
        "Both periods in numbers",
        "What is compared above, measure by measure.",
        _named("Measure:text Unit:text This period:value Before:value Change:value"),
        [(name, unit, _decimal(a), _decimal(b), _change(a, b)) for name, unit, a, b in rows],
    )


def _in_money(name: str, now: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> list[tuple[str, str, Any, Any]]:
    none = Decimal(0)
    return [(name, one, now.get(one, none), before.get(one, none)) for one in sorted({*now, *before})]


def _by_what(counting: Counting) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in counting.rows("moved"):
        found[row["what"]] += row["records"]
    return found


def _calls_in(counting: Counting) -> int:
    return sum(row["xero"] for row in counting.rows("called"))


# -- how well -----------------------------------------------------------------------------------------------------


def _first_try(report: FigureReport) -> Figure:
    rows = [
        (
            row["starts"], row["currency"], row["invoices"], _cents(row), row["first_try"],
            _cents(row, "first_try_money"), share(row["first_try"], row["invoices"]),
        )
        for row in report.now.rows("arrived")
    ]  # fmt: skip
    return Figure(
        "first_try",
        f"How many came to Xero at the first try, by {report.asked.by}",
        "At the first try: no request for the invoice was refused, put off or lost before it stood in Xero.",
        _columns(
            report,
            "Currency:text Invoices:count Money:money At the first try:count Money at the first try:money Share:share",
        ),
        rows,
    )


def _took(report: FigureReport) -> Figure:
    rows = [(row["starts"], row["invoices"], row["median"], row["p95"]) for row in report.now.rows("took")]
    return Figure(
        "took",
        f"How long an invoice takes to Xero, by {report.asked.by}",
        "From the moment in which we first saw it in CrocoClick, what it waited for a person included: half took no "
        "longer than the median, 95 of 100 no longer than the upper line.",
        _columns(report, "Invoices:count Median:seconds 95th percentile:seconds"),
        rows,
    )


def _stopped(report: FigureReport) -> Figure:
    rows = [
        (row["starts"], cause_name(row["cause"]), HEALS if row["cause"] in HEALING else NEEDS, row["currency"],
         row["invoices"], _cents(row))
        for row in report.now.rows("stopped")
    ]  # fmt: skip
    return Figure(
        "stopped",
        f"Why invoices did not go, by {report.asked.by}",
        f"Each invoice once for every reason found in the {report.asked.by}; one that has two counts for both.",
        _columns(report, "Why:text Who acts:text Currency:text Invoices:count Money:money"),
        rows,
    )


# -- what it cost -------------------------------------------------------------------------------------------------


def _called(report: FigureReport) -> Figure:
    rows = [
        (row["starts"], row["xero"], row["allowed"], share(row["xero_where_told"], row["allowed"]), row["crococlick"],
         row["login"], row["failed"])
        for row in report.now.rows("called")
    ]  # fmt: skip
    return Figure(
        "called",
        f"How many calls were made, by {report.asked.by}",
        "What Xero allows is, day by day, the calls made and the least that it said was left. It does not count calls "
        "to its login.",
        _columns(
            report,
            "To Xero:count Allowed by Xero:count Share of it:share To CrocoClick:count To Xero's login:count "
            "Without success:count",
        ),
        rows,
    )


def _bytes(report: FigureReport) -> Figure:
    names = ("xero_sent", "xero_received", "crococlick_sent", "crococlick_received")
    rows = [(row["starts"], *(row[name] for name in names)) for row in report.now.rows("called")]
    return Figure(
        "bytes",
        f"How much was sent and received, by {report.asked.by}",
        "The bodies of requests and answers.",
        _columns(
            report,
            "Sent to Xero:bytes Received from Xero:bytes Sent to CrocoClick:bytes Received from CrocoClick:bytes",
        ),
        rows,
    )


# -- what was issued ----------------------------------------------------------------------------------------------

_ISSUED = "Of the invoices that were issued in this period, by the issue date on them, and where they stand now."


def _currencies(report: FigureReport) -> Figure:
    found = _added(report.now.rows("issued"), "currency", "state")
    rows = [
        (currency, format.STATES[state][1], invoices, money_of(amount, currency))
        for (currency, state), (invoices, amount) in found.items()
    ]
    return Figure(
        "currencies",
        "What was issued, by currency",
        _ISSUED,
        _named("Currency:text Where it stands:text Invoices:count Money:money"),
        rows,
    )


def _statuses(report: FigureReport) -> Figure:
    found = _added(report.now.rows("issued"), "status", "state", "currency")
    rows = [
        (
            format.STATUSES.get(status, status),
            format.STATES[state][1],
            currency,
            invoices,
            money_of(amount, currency),
        )
        for (status, state, currency), (invoices, amount) in found.items()
    ]
    return Figure(
        "statuses",
        "What was issued, by status in CrocoClick",
        _ISSUED,
        _named("Status:text Where it stands:text Currency:text Invoices:count Money:money"),
        rows,
    )


def _taxes(report: FigureReport) -> Figure:
    rows = [
        (row["tax"] or "No tax", "" if row["rate"] == "none" else row["rate"],
         "with tax" if row["prices_include_tax"] else "without tax", row["currency"], row["invoices"], row["lines"],
         _cents(row))
        for row in report.now.rows("taxed")
    ]  # fmt: skip
    return Figure(
        "taxes",
        "What was issued, by tax rate",
        "Line amounts as the invoices state them: quantity times price, before a discount on the whole. An invoice "
        "with several rates counts for each.",
        _named("Tax:text Rate:text Prices:text Currency:text Invoices:count Lines:count Line amounts:money"),
        rows,
    )


def _added(rows: Iterable[Row], *names: str) -> dict[tuple[str, ...], tuple[int, Decimal]]:
    """Rows added up by these columns; who asks sees to it that a currency is among them."""
    found: dict[tuple[str, ...], tuple[int, Decimal]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        invoices, amount = found.get(key, (0, Decimal(0)))
        found[key] = invoices + row["invoices"], amount + row["money"]
    return dict(sorted(found.items()))


FIGURES: Mapping[str, Callable[[FigureReport], Figure]] = {
    "moved": _moved,
    "money": _money,
    "compared": _compared,
    "summary": _summary,
    "first_try": _first_try,
    "took": _took,
    "stopped": _stopped,
    "called": _called,
    "bytes": _bytes,
    "currencies": _currencies,
    "statuses": _statuses,
    "taxes": _taxes,
}


# -- pieces -------------------------------------------------------------------------------------------------------


def cause_name(code: str) -> str:
    """A cause in a few words, without the names of the case."""
    return _WITHOUT_NAMES.get(code) or problems.group_sentence(code, {})


def share(part: int | None, whole: int | None) -> Decimal | None:
    """A part of a whole in per cent, one decimal; never 100 while something is missing."""
    if not whole or part is None:
        return None
    tenths = Decimal(part * 1000 // whole)
    return tenths.scaleb(-1)


def money_of(amount: Decimal, currency: str) -> Decimal:
    """An amount with the decimals of its currency, more where it has more."""
    return Decimal(money.show(amount, currency))


def _cents(row: Row, name: str = "money") -> Decimal:
    """An amount of a row, with the decimals of its currency; what lines come to beyond these is rounded."""
    return money.round_to(row[name], money.decimals(row["currency"]))


def _sums(rows: Iterable[Row], name: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row["currency"]] += row[name]
    return dict(found)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _change(now: Any, before: Any) -> Decimal | None:
    return None if now is None or before is None else Decimal(now) - Decimal(before)


def _columns(report: FigureReport, more: str) -> list[FigureColumn]:
    return [FigureColumn(STARTS[report.asked.by], "day"), *_named(more)]


def _named(columns: str) -> list[FigureColumn]:
    """`Week from:day Records:count`, as columns: a name may have spaces in it, a unit has none."""
    found, name = [], ""
    for word in columns.split(" "):
        name = f"{name} {word}".strip()
        if ":" in word:
            found.append(FigureColumn(*name.rsplit(":", 1)))
            name = ""
    return found
