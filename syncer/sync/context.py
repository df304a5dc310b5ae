"""What a run reaches the world through, and what it was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from syncer.domain.model.books import Document
from syncer.domain.model.payment import BookPayment
from syncer.domain.model.problems import Problem
from syncer.domain.ports import Accounts, CallRecord, Clock, Crm, Seal
from syncer.storage.ledger.ledger import Ledger

OVERLAP = timedelta(minutes=10)  # a mirror is read again from a little before where it ended


DAILY = timedelta(hours=24)


FEW = 20  # invoices or contacts: below, any number may be gone from one day to the next


SHRUNK_TO = 0.5


ReadComplaints = Callable[[Sequence[str]], tuple[Problem, ...]]


Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunContext:
    """Everything a run reaches the world through."""

    crm: Crm
    accounts: Accounts
    ledger: Ledger
    clock: Clock
    drain_calls: Callable[[], Sequence[CallRecord]]
    new_call_id: Callable[[], str]
    read_complaints: ReadComplaints
    document_size: Callable[[Document], int]
    seal: Seal


@dataclass(frozen=True)
class RunOptions:
    """What this run was asked for: everything, or the invoices of `scope` alone; `fresh` reads Xero's lists anew.

    `patient`: nobody waits for it, so that Xero is asked nothing that the day's reading will tell, and what has a time
    to be tried again is left until then. `goes_on`: CrocoClick was read a moment ago. `reads_only`: nothing is written.
    """

    scope: str = ""
    only: frozenset[str] = frozenset()
    full: bool = False
    fresh: bool = False
    patient: bool = False
    goes_on: bool = False
    reads_only: bool = False
    recent_days: int = 30
    in_flight: int = 5
    left_to_daily_work: float = 0.5  # the share of the day's calls that old invoices leave to others


@dataclass(frozen=True)
class Foreseen:
    """What was read for a preview besides the ledger, and what the run would read anew from Xero."""

    payments: Mapping[str, Sequence[BookPayment]] = field(default_factory=dict)  # by InvoiceID, to compare one by one
    reads: int = 0  # calls
    sees_payments: bool | None = None  # None: CrocoClick was not asked for any
    recent_since: date | None = None  # invoices issued before are written in a turn of their own
