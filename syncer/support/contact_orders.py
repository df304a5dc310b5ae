"""A person's orders about contacts: link, keep apart, leave alone, take back. The next import and run carry them out.

They are given for a contact of either side by its id, or for everybody with an email. Nothing here makes a call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncer.domain.errors import WrongUsage
from syncer.domain.matching.invoice_contacts import emails, name_key
from syncer.domain.matching.similarity import SourceContact, addresses, likely_key
from syncer.domain.model.sync_state import Order
from syncer.storage.ledger.ledger import Ledger
from syncer.support.orders import ANEW, one_xero_contact, only_said
from syncer.sync.contact_groups import people_of

NAMES = ("link_contact", "keep_apart", "ignore", "undo")


@dataclass(frozen=True)
class Meant:
    """The contacts that an order is for: those of CrocoClick, those of Xero, and the email that was named, if any."""

    ours: Sequence[SourceContact]
    theirs: Sequence[str]
    email: str = ""

    def __bool__(self) -> bool:
        return bool(self.ours or self.theirs)

    @property
    def subjects(self) -> list[str]:
        """What an answer is kept under: the email, and the Xero contacts."""
        return [*([self.email] if self.email else []), *self.theirs]


@dataclass(frozen=True)
class ContactDesk:
    """Takes one person's orders about contacts at one moment for one connection."""

    ledger: Ledger
    by: str
    now: datetime

    def meant(self, what: str) -> Meant:
        """The contacts of either side with this id, or everybody with this email, or the one of this name on each side.

        Nothing for what fits none, or a name that several have.
        """
        ours = people_of(self.ledger)
        theirs = {one.id: one for one in self.ledger.book_contacts() if one.status == "ACTIVE"}
        if what in ours or what in theirs:
            return Meant([ours[what]] if what in ours else [], [what] if what in theirs else [])
        if not (written := emails(what)):
            named = [one for one in ours.values() if name_key(one.name) == name_key(what)]
            there = [one.id for one in theirs.values() if name_key(one.name) == name_key(what)]
            return Meant(named, there) if len(named) < 2 and len(there) < 2 else Meant([], [])
        for same in (_exactly, likely_key):
            here = [one for one in ours.values() if written[0] in map(same, addresses(one))]
            there = [one.id for one in theirs.values() if written[0] in map(same, addresses(one))]
            if here or there:
                return Meant(here, there, written[0])
        return Meant([], [])

    def give(self, name: str, what: str, said: Mapping[str, str]) -> str:
        """Give one order; returns what follows. Raises WrongUsage, and then nothing was ordered."""
        meant = self.meant(what)
        if not meant:
            raise WrongUsage(f"No contact fits {what!r}: neither an id, an email nor the whole name of just one.")
        take = {
            "link_contact": self._link, "keep_apart": self._keep_apart, "ignore": self._ignore, "undo": self._undo,
        }[name]  # fmt: skip
        return take(meant, Order(name, dict(said), self.by))

    def _link(self, meant: Meant, order: Order) -> str:
        only_said(order, "contact")
        wanted = order.said.get("contact", "").strip()
        if not wanted:
            raise WrongUsage("Say which Xero contact: contact=<ContactID, email or name>.")
        if not meant.ours:
            return self._choose(meant, order, wanted)
        ids = self._invoices(meant)
        if wanted == ANEW:
            self.ledger.link_people(order, meant.ours, None, ids, self.now)
            return "Decided anew in the next run and the next import."
        xero_id, name = one_xero_contact(self.ledger, wanted)
        told = Order(order.name, {"contact": xero_id, "name": name}, order.by)
        self.ledger.link_people(told, meant.ours, xero_id, ids, self.now)
        return f"{_named(meant.ours)} linked to {name}."

    def _choose(self, meant: Meant, order: Order, wanted: str) -> str:
        """Of several Xero contacts with one email, and none in CrocoClick, one is to be imported."""
        xero_id, name = one_xero_contact(self.ledger, wanted)
        if xero_id not in meant.theirs:
            raise WrongUsage("Say which CrocoClick contact to link: its id, its email or its name.")
        told = Order("chosen", {"contact": xero_id, "name": name}, self.by)
        self.ledger.answer_contacts(told, [xero_id], self.now)
        return f"{name} is the one that is imported."

    def _keep_apart(self, meant: Meant, order: Order) -> str:
        only_said(order, "because", "name")
        if meant.ours:
            self.ledger.link_people(order, meant.ours, None, self._invoices(meant), self.now)
        self.ledger.answer_contacts(order, meant.subjects, self.now)
        if not meant.ours:
            return "Kept apart from the contacts that look the same."
        return f"{_named(meant.ours)} kept apart: an invoice makes a Xero contact of its own."

    def _ignore(self, meant: Meant, order: Order) -> str:
        only_said(order, "because")
        because = order.said.get("because", "").strip()
        if not because:
            raise WrongUsage("Say why: because=TEXT.")
        if not meant.subjects:
            raise WrongUsage("Only an email or a Xero contact can be left alone.")
        self.ledger.answer_contacts(Order("ignore", {"because": because}, self.by), meant.subjects, self.now)
        return "Left alone; it is not shown among the open ones any more."

    def _undo(self, meant: Meant, order: Order) -> str:
        only_said(order)
        links, answers = self.ledger.contact_links(), self.ledger.contact_answers()
        contacts = self.ledger.contacts()
        apart = [one for one in meant.ours if one.id in contacts and contacts[one.id].apart is not None]
        linked = [one for one in meant.ours if one.id in links and links[one.id].by_person]
        said = [subject for subject in meant.subjects if subject in answers]
        if not (apart or linked or said):
            raise WrongUsage("Nobody has given an order for it that could be taken back.")
        if apart or linked:
            self.ledger.link_people(order, [*linked, *apart], None, self._invoices(meant), self.now)
        if said:
            self.ledger.take_back_answers(order, said, self.now)
        return "Taken back: it is decided anew in the next run and the next import."

    def _invoices(self, meant: Meant) -> list[str]:
        """Every invoice of these customers that is not settled."""
        rows = self.ledger.rows("open_of_contacts", contacts=[one.id for one in meant.ours])
        return [row["source_id"] for row in rows]


def _exactly(address: str) -> str:
    return address


def _named(those: Sequence[SourceContact]) -> str:
    names = ", ".join(dict.fromkeys(one.name for one in those[:3]))
    return f"{names} {'is' if len(those) == 1 else 'are'}" if len(those) <= 3 else f"{len(those)} contacts are"
