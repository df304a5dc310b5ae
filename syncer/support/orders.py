"""A person's orders: checked, and written to the ledger with who and when. The next run carries them out.

Each is given for one invoice or for many at once. Nothing here makes a call.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from syncer.domain import settings
from syncer.domain.errors import WrongUsage
from syncer.domain.matching.invoice_contacts import ContactIndex, emails
from syncer.domain.model.sync_state import GONE, Order
from syncer.domain.planning.payments import likely_same, missing_payments
from syncer.messages.format import day
from syncer.messages.problems import cause_sentence
from syncer.messages.remedies import is_more_paid
from syncer.storage.ledger.ledger import Ledger
from syncer.support.order_effects import in_vain

_NOTHING_TO_TRY = {
    "synced": "both books agree.",
    "waiting": "it goes over with the next run.",
    "in_doubt": "the next run looks whether it has arrived, before anything else.",
    "skipped": "somebody chose to skip it. Take the skip back.",
}
ANEW = "anew"  # in place of a contact: decide it again by our own rules
CODES_BEHIND_PAYMENTS = (
    "edited_after_payment", "void_with_payments", "changed_in_xero", "deleted_in_crococlick", "payment_mismatch",
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What an order came to: the invoices it is for, and a sentence."""

    name: str
    invoices: Sequence[Mapping[str, Any]]
    sentence: str


@dataclass(frozen=True)
class OrderDesk:
    """Takes one person's orders at one moment for one connection."""

    ledger: Ledger
    by: str
    now: datetime

    def give(self, name: str, rows: Sequence[Mapping[str, Any]], said: Mapping[str, str]) -> Given:
        """Give one order for some invoices (rows of the ledger); raises WrongUsage, and then nothing was ordered."""
        take = ORDERS.get(name)
        if take is None:
            raise WrongUsage(f"There is no order {name!r}. Orders are: {', '.join(ORDERS)}.")
        if not rows and name not in ("map", "confirm_shrink"):
            raise WrongUsage(f"Say which invoice the order {name} is for.")
        return Given(name, rows, take(self, Order(name, dict(said), self.by), rows))

    # -- each order ------------------------------------------------------------------------------------------------

    def _has_effect(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raise WrongUsage with the reason where an order would change nothing."""
        if reason := in_vain(self.ledger, order, rows):
            raise WrongUsage(reason)

    def _retry(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if reason := _nothing_to_try(row):
                raise WrongUsage(f"Trying {_named(row)} again would change nothing: {reason}")
        self.ledger.order(order, _ids(rows), self.now)
        return "Decided anew in the next run."

    def _skip(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        only_said(order, "because", "until")
        because, until = order.said.get("because", "").strip(), order.said.get("until", "").strip()
        if not because:
            raise WrongUsage("Say why: skipping needs a reason.")
        told = {"because": because, **({"until": _day(until, self.now).isoformat()} if until else {})}
        for row in rows:
            if row["ordered"] == "skip" and json.loads(row["ordered_said"] or "{}") == told:
                raise WrongUsage(f"{_named(row)} is skipped already, for that very reason.")
        self.ledger.order(Order("skip", told, self.by), _ids(rows), self.now)
        return f"Left out until {day(told['until']) if until else 'somebody takes that back'}."

    def _unskip(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if row["ordered"] != "skip":
                raise WrongUsage(f"{_named(row)} is not skipped.")
        self.ledger.order(order, _ids(rows), self.now)
        return "To go over with the next run, if nothing else stands in the way."

    def _map(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        if not order.said:
            raise WrongUsage("Say what to set, such as tax.20%=TAX001.")
        changes = settings.checked(order.said)
        stored = {row["key"]: row["value"] for row in self.ledger.rows("settings")}
        if all(stored.get(key) == value for key, value in changes.items()):
            raise WrongUsage(f"{', '.join(changes)} is set so already: the order map would change nothing.")
        self.ledger.change_settings(changes, self.by, self.now)
        if rows:
            self.ledger.order(order, _ids(rows), self.now)
        return "Everything that waited for it goes over with the next run."

    def _link_contact(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        only_said(order, "contact")
        wanted = order.said.get("contact", "").strip()
        if not wanted:
            raise WrongUsage("Say which Xero contact: contact=<ContactID, email or name>.")
        customers = _customers(rows)
        if wanted == ANEW:
            self.ledger.order_contact(order, _ids(rows), dict.fromkeys(customers), self.now)
            return "The customer is looked for anew in the next run."
        xero_id, name = one_xero_contact(self.ledger, wanted)
        told = Order(order.name, {"contact": xero_id, "name": name}, order.by)
        self.ledger.order_contact(told, self._all_of(customers), dict.fromkeys(customers, xero_id), self.now)
        return f"The customer is linked to {name}."

    def _keep_apart(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        only_said(order, "name")
        self.ledger.order_contact(order, self._all_of(_customers(rows)), dict.fromkeys(_customers(rows)), self.now)
        return "The customer gets a Xero contact of its own in the next run."

    def _all_of(self, customers: Sequence[str]) -> list[str]:
        """Every invoice of these customers that is not settled: one answer serves them all."""
        return [row["source_id"] for row in self.ledger.rows("open_of_contacts", contacts=list(customers))]

    def _adopt(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if row["cause"] not in ("number_taken", "changed_in_xero"):
                raise WrongUsage(f"{_named(row)} has nothing in Xero that could count as it.")
            if row["xero_id"] and _money_moved(row):
                raise WrongUsage(f"{_named(row)} has other amounts in Xero: they cannot count as the same.")
        self._has_effect(order, rows)
        self.ledger.order(order, _ids(rows), self.now)
        return "What is in Xero counts as the invoice."

    def _overwrite(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if not row["xero_id"]:
                raise WrongUsage(f"{_named(row)} is not in Xero: there is nothing to overwrite.")
            if row["cause"] == "changed_in_xero" and is_more_paid(_facts(row)):
                raise WrongUsage(
                    f"Sending {_named(row)} again would change nothing: what differs is a payment that somebody "
                    "entered in Xero. Enter it in CrocoClick too, or let it be taken off in Xero."
                )
        self._has_effect(order, rows)
        self.ledger.order(order, _ids(rows), self.now)
        return "CrocoClick's version goes over with the next run."

    def _reapply(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if row["cause"] not in CODES_BEHIND_PAYMENTS:
                raise WrongUsage(f"{_named(row)} does not wait behind a payment.")
            facts = _facts(row)
            if facts.get("ours") is False or (row["cause"] == "payment_mismatch" and not facts.get("bounced")):
                raise WrongUsage(
                    f"No payment of {_named(row)} can be taken off: what is in the way is not ours. "
                    "Take the payment off in Xero."
                )
        self._has_effect(order, rows)
        self.ledger.order(order, _ids(rows), self.now)
        return "Our payments are taken off, the change sent and the payments put back with the next run."

    def _same_payment(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if not row["xero_id"] or row["xero_status"] in GONE:
                raise WrongUsage(f"{_named(row)} is not in Xero: no payment there can be the same.")
            if why := self._nothing_the_same(row):
                raise WrongUsage(f"Nothing of {_named(row)} can be counted as the same: {why}.")
        self.ledger.order(order, _ids(rows), self.now)
        return "The next run compares the payments one by one."

    def _nothing_the_same(self, row: Mapping[str, Any]) -> str:
        """Why an order to count payments as the same would change nothing; empty where it may."""
        standing = self.ledger.invoices([row["source_id"]])[0].standing
        missing = missing_payments(standing)
        if not missing:
            return "no payment waits to be entered"
        if not standing.unexplained:
            return "nothing is paid in Xero but what we entered"
        return "" if likely_same(missing, standing) else "no payment in Xero is of the same amount"

    def _replace(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            if row["cause"] != "payment_changed":
                raise WrongUsage(
                    f"No payment of {_named(row)} changed after it went over: there is nothing to replace."
                )
            if not _facts(row).get("ours"):
                raise WrongUsage(f"Somebody else entered the payment of {_named(row)} in Xero: it is not taken off.")
        self.ledger.order(order, _ids(rows), self.now)
        return "Our payment is taken off in Xero and entered anew with the next run."

    def _confirm_shrink(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        self.ledger.order_connection(order, self.now)
        return "The next run believes that the invoices are gone."

    def _undo(self, order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
        _nothing_said(order)
        for row in rows:
            self._undo_one(order, row)
        return "The last order is taken back."

    def _undo_one(self, order: Order, row: Mapping[str, Any]) -> None:
        last = self.ledger.row("last_order", source_id=row["source_id"])
        name = last["what"].removeprefix("order_") if last else ""
        if name in ("link_contact", "keep_apart"):
            self.ledger.order_contact(order, self._all_of([row["contact_id"]]), {row["contact_id"]: None}, self.now)
        elif name == "map" and last:
            keys = list(json.loads(last["facts"] or "{}"))
            before = {key: self._setting_before(key) for key in keys}
            self.ledger.change_settings(before, self.by, self.now)
            self.ledger.order(order, [row["source_id"]], self.now)
        elif row["ordered"]:
            self.ledger.order(order, [row["source_id"]], self.now)
        else:
            raise WrongUsage(f"{_named(row)} has no order that could still be taken back.")

    def _setting_before(self, key: str) -> str | None:
        """The value that a setting had before it was last changed."""
        values = [one["value"] for one in self.ledger.rows("values_of", key=key)]
        return values[1] if len(values) > 1 else None


Take = Callable[[OrderDesk, Order, Sequence[Mapping[str, Any]]], str]

ORDERS: Mapping[str, Take] = {
    "retry": OrderDesk._retry,
    "skip": OrderDesk._skip,
    "unskip": OrderDesk._unskip,
    "map": OrderDesk._map,
    "link_contact": OrderDesk._link_contact,
    "keep_apart": OrderDesk._keep_apart,
    "adopt": OrderDesk._adopt,
    "overwrite": OrderDesk._overwrite,
    "reapply_payments": OrderDesk._reapply,
    "replace_payment": OrderDesk._replace,
    "same_payment": OrderDesk._same_payment,
    "confirm_shrink": OrderDesk._confirm_shrink,
    "undo": OrderDesk._undo,
}


_OF_OTHERS_TOO = ("map", "link_contact", "keep_apart", "undo")  # what they say is true of more than they are given for


def touched(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The invoices that an order may have changed the decision about; nothing where that may be any."""
    return [] if name in _OF_OTHERS_TOO else _ids(rows)


def one_xero_contact(ledger: Ledger, wanted: str) -> tuple[str, str]:
    """The one active Xero contact that is meant, by id, email or name: its id and name; raises WrongUsage."""
    index = ContactIndex(ledger.book_contacts())
    by_id = index.survivor(wanted)
    named = index.named(wanted)
    found = [by_id] if by_id else index.with_email(emails(wanted)) or ([named] if named else [])
    active = [one for one in found if one.status == "ACTIVE"]
    if len(active) == 1:
        return active[0].id, active[0].name
    if found and not active:
        raise WrongUsage(f"{found[0].name} is archived in Xero. Restore it there first, or choose another contact.")
    if active:
        raise WrongUsage(f"{len(active)} Xero contacts fit {wanted!r}: say which by its ContactID.")
    raise WrongUsage(f"Xero has no contact {wanted!r}, as far as was read. Give its ContactID, email or exact name.")


def _ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["source_id"] for row in rows]


def _customers(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    for row in rows:
        if not row["contact_id"]:
            raise WrongUsage(f"{_named(row)} names no CrocoClick contact. Choose the customer in CrocoClick first.")
    return list(dict.fromkeys(row["contact_id"] for row in rows))


def _nothing_to_try(row: Mapping[str, Any]) -> str:
    """Why trying again would come to the same: nothing is open, or a setting leaves it out."""
    if row["state"] == "not_eligible" and row["cause"]:
        return f"{cause_sentence(row['cause'], json.loads(row['facts'] or '{}'))}."
    return _NOTHING_TO_TRY.get(row["state"], "")


def _named(row: Mapping[str, Any]) -> str:
    return str(row["number"] or row["source_id"])


def _nothing_said(order: Order) -> None:
    only_said(order)


def only_said(order: Order, *names: str) -> None:
    """Raise WrongUsage for a value that the order does not take."""
    if strange := [name for name in order.said if name not in names]:
        takes = f"takes {', '.join(names)}" if names else "takes no values"
        raise WrongUsage(f"The order {order.name} {takes}, not {', '.join(strange)}. Nothing was ordered.")


def _day(written: str, now: datetime) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError as error:
        raise WrongUsage(f"--until must be a date such as 2026-01-31; it was {written!r}.") from error
    if day <= now.date():
        raise WrongUsage(f"--until must be a day to come; {written} is not.")
    return day


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["facts"] or "{}")
    return found


def _money_moved(row: Mapping[str, Any]) -> bool:
    changed = _facts(row).get("changes") or []
    return bool({one.get("field") for one in changed} & {"total", "tax", "currency", "paid", "status"})
