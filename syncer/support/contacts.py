"""Read-only answers about contacts: what the last import came to, which contacts are linked, and which may be the same.

Nothing here makes a call or writes; everything comes from the ledger.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncer.domain.matching.contact_import import ContactAnswer
from syncer.domain.matching.duplicates import (
    CROCOCLICK,
    XERO,
    DuplicateGroup,
    Member,
    Proposal,
    Weight,
    groups,
    proposal,
)
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import BookContact
from syncer.domain.model.money import show
from syncer.messages import contacts
from syncer.reports.files import as_text
from syncer.storage.ledger.contacts import Imported
from syncer.storage.ledger.ledger import Ledger
from syncer.sync.contact_groups import is_answered, people_of, plain_links


@dataclass
class Tally:
    """Invoices of one contact: how many, the money by currency, and the day of the last."""

    invoices: int = 0
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    last: date | None = None

    def add(self, row: Mapping[str, Any], name: str = "") -> None:
        """Count one more row."""
        self.invoices += row["invoices"]
        if name:
            self.money[row["currency"]] += row[name]
        if row["last_issued"] and (self.last is None or row["last_issued"] > self.last):
            self.last = row["last_issued"]


@dataclass(frozen=True)
class Person:
    """One member of a group as it is shown."""

    side: str
    id: str
    name: str
    email: str
    company: str
    phone: str
    status: str
    invoices: int
    money: Mapping[str, Decimal]
    last_invoice: date | None
    linked_to: str = ""  # the Xero contact's name


@dataclass(frozen=True)
class GroupTold:
    """A group of contacts that may be the same, with what hangs on it and what is proposed."""

    email: str
    likely: bool
    shared: bool
    people: tuple[Person, ...]
    open_invoices: int
    money: Mapping[str, Decimal]
    proposal: Proposal | None = None
    answer: ContactAnswer | None = None

    def on(self, side: str) -> list[Person]:
        """Those on one side."""
        return [one for one in self.people if one.side == side]

    @property
    def sentence(self) -> str:
        """What they have in common."""
        return contacts.group_sentence(
            self.email, len(self.on(XERO)), len(self.on(CROCOCLICK)), self.likely
        )  # fmt: skip

    @property
    def weight(self) -> Decimal:
        """The money in all, to sort by."""
        return sum((abs(amount) for amount in self.money.values()), Decimal(0))

    def effect(self, xero_id: str) -> str:
        """What choosing this Xero contact does."""
        name = next((one.name for one in self.people if one.id == xero_id), xero_id)
        return contacts.effect(name, len(self.on(CROCOCLICK)), self.open_invoices, self.money)

    @property
    def proposed(self) -> str:
        """Which Xero contact should stay and why, in words; nothing where there is one at most."""
        if self.proposal is None:
            return ""
        name = next(one.name for one in self.people if one.id == self.proposal.xero_id)
        return contacts.proposed(name, self.proposal.why)


class ContactBook:
    """Everything about contacts that the ledger holds at one moment."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.xero = {one.id: one for one in ledger.book_contacts()}
        self.crococlick = people_of(ledger)
        self.links = ledger.contact_links()
        self.answers = ledger.contact_answers()
        self._linked = {link.xero_id for link in self.links.values()}
        self._open = _tallies(ledger.rows("open_by_contact"), "money")
        self._here = _tallies(ledger.rows("last_invoices"))
        self._there = _tallies(ledger.rows("book_by_contact"), "due")

    def groups(self, answered: bool = False) -> list[GroupTold]:
        """The groups that are open, or those that a person has answered; most money first, likely ones last."""
        found = groups(self.xero.values(), self.crococlick.values(), plain_links(self.links, self.xero))
        told = [self._told(one) for one in found if is_answered(one, self.answers, self.links) == answered]
        return sorted(told, key=lambda one: (one.likely, -one.weight, -one.open_invoices, one.email))

    def _told(self, group: DuplicateGroup) -> GroupTold:
        ours = [self._open[member.id] for member in group.on(CROCOCLICK) if member.id in self._open]
        money: dict[str, Decimal] = defaultdict(Decimal)
        for tally in ours:
            for currency, amount in tally.money.items():
                money[currency] += amount
        weights = {
            member.id: Weight(self._there.get(member.id, Tally()).invoices, member.id in self._linked)
            for member in group.on(XERO)
        }
        return GroupTold(
            email=group.email,
            likely=group.likely,
            shared=group.is_shared,
            people=tuple(self._person(member) for member in group.members),
            open_invoices=sum(tally.invoices for tally in ours),
            money=dict(money),
            proposal=proposal(group, weights),
            answer=self.answers.get(group.email),
        )

    def _person(self, member: Member) -> Person:
        there = member.contact
        is_ours = isinstance(there, SourceContact)
        tally = (self._here if is_ours else self._there).get(there.id, Tally())
        link = self.links.get(there.id) if is_ours else None
        return Person(
            side=member.side,
            id=there.id,
            name=there.name,
            email=there.email,
            company=there.company if isinstance(there, SourceContact) else "",
            phone=there.phone,
            status=there.status if isinstance(there, BookContact) else "ACTIVE",
            invoices=tally.invoices,
            money=self._open[there.id].money if is_ours and there.id in self._open else tally.money,
            last_invoice=tally.last,
            linked_to=self.xero[link.xero_id].name if link and link.xero_id in self.xero else "",
        )


def _tallies(rows: Iterable[Mapping[str, Any]], name: str = "") -> dict[str, Tally]:
    found: dict[str, Tally] = defaultdict(Tally)
    for row in rows:
        found[row["contact_id"]].add(row, name)
    return dict(found)


def as_json(told: Sequence[GroupTold]) -> dict[str, Any]:
    """Groups as `duplicates --json` gives them; those that are only likely stand apart."""
    return {
        "groups": [_group_json(group) for group in told if not group.likely],
        "likely": [_group_json(group) for group in told if group.likely],
    }


def _group_json(group: GroupTold) -> dict[str, Any]:
    return {
        "email": group.email,
        "members": [{"side": one.side, "id": one.id, "name": one.name, "status": one.status} for one in group.people],
        "open_invoices": group.open_invoices,
        "money": {currency: show(amount, currency) for currency, amount in sorted(group.money.items())},
        "proposal": group.proposal.xero_id if group.proposal else None,
    }


# -- what the last import came to ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImportRow:
    """What became of one Xero contact, in words."""

    xero_id: str
    name: str
    email: str
    outcome: str
    reason: str
    sentence: str
    step: str
    source_id: str
    source_name: str
    others: tuple[tuple[str, str], ...]  # contacts that stand in the way: id and name
    decided_at: datetime


def rows(
    ledger: Ledger, outcome: str = "", reason: str = "", what: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[ImportRow], int]:
    """Some of the last import's rows, those that need a look first, and how many there are in all."""
    found = ledger.rows(
        "import_rows", outcome=outcome, reason=reason, what=what.strip(), limit=limit, offset=offset
    )  # fmt: skip
    wanted = {key for row in found for key in json.loads(row["facts"]).get("others") or ()}
    names = _names(ledger, wanted) if wanted else {}
    return [_row(row, names) for row in found], found[0]["total"] if found else 0


def conflicts(ledger: Ledger, decisions: Sequence[Imported]) -> list[dict[str, Any]]:
    """Decisions that need a person, by the Xero contact's name: why, what to do, and the contacts in the way."""
    known = {contact.id: contact for contact in ledger.book_contacts()} if decisions else {}
    names = _names(ledger, {key for one in decisions for key in one.facts.get("others") or ()})
    found = []
    for one in decisions:
        others = [{"id": key, "name": names.get(key, key)} for key in one.facts.get("others") or ()]
        contact = known.get(one.xero_id)
        found.append(
            {
                "xero_id": one.xero_id,
                "name": contact.name if contact else one.xero_id,
                "email": contact.email if contact else "",
                "reason": one.reason,
                "sentence": contacts.sentence(one.reason, one.facts, [other["name"] for other in others]),
                "step": contacts.step(one.reason),
                "others": others,
            }
        )
    return sorted(found, key=lambda conflict: (str(conflict["name"]).casefold(), conflict["xero_id"]))


def as_csv(ledger: Ledger) -> bytes:
    """What became of each Xero contact, as a table to take away."""
    text = io.StringIO()
    written = csv.writer(text)
    written.writerow(
        "xero_name xero_email outcome because crococlick_name crococlick_email xero_id crococlick_id since".split()
    )
    for row in ledger.rows("import_export"):
        because = contacts.sentence(row["reason"], json.loads(row["facts"]))
        since = row["decided_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        cells = (row["xero_name"], row["xero_email"], row["outcome"], because, row["crococlick_name"],
                 row["crococlick_email"], row["xero_id"], row["crococlick_id"], since)  # fmt: skip
        written.writerow([as_text(cell, "") for cell in cells])
    return text.getvalue().encode()


def _names(ledger: Ledger, wanted: set[str]) -> dict[str, str]:
    rows = ledger.rows("contact_names", ids=sorted(wanted))
    return {row["id"]: row["name"] for row in rows}


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> ImportRow:
    facts = json.loads(row["facts"])
    others = tuple((key, names.get(key, key)) for key in facts.get("others") or ())
    return ImportRow(
        row["xero_id"],
        row["name"] or row["xero_id"],
        row["email"] or "",
        row["outcome"],
        row["reason"],
        contacts.sentence(row["reason"], facts, [name for _, name in others]),
        contacts.step(row["reason"]),
        row["source_id"] or "",
        row["source_name"] or "",
        others,
        row["decided_at"],
    )
