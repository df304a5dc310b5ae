"""What people do in CrocoClick."""

from datetime import timedelta

from hypothesis import strategies as st

from sandbox.crococlick import payments as crm_payments
from sandbox.crococlick.arithmetic import decimal, number
from tests.support.truth.hands import PICK, Hands, event

AGES = (0, 1, 5, 20, 35, 45, 90, 200)
LINES = (
    [{"name": "Work", "qty": 1, "amount": 100, "taxes": [20]}],
    [
        {"name": "Work", "qty": 3, "amount": 33.33, "taxes": [20]},
        {"name": "Book", "qty": 1, "amount": 12.5, "taxes": [5.5]},
    ],
    [{"name": "Hours", "qty": 2.5, "amount": 80, "taxes": []}],
    [{"name": "Meal", "qty": 7, "amount": 11.99, "taxes": [10], "taxInclusive": True}],
    [{"name": "Odd tax", "qty": 1, "amount": 50, "taxes": [7.7]}],
    [
        {"name": "Two", "qty": 1, "amount": 12.345, "taxes": [20]},
        {"name": "More", "qty": 1, "amount": 0.99, "taxes": [20]},
    ],
)
STATUSES = ("sent", "sent", "sent", "draft", "paid", "partially_paid", "payment_processing", "void")
TEXTS = (
    "Half a \ud83d",
    "caf\u00e9 \U0001f33b",
    "a\u0000b",
    "<b>fat</b><br>thin",
    "x" * 300,
    "=1+1",
    "  blanks  ",
    "\u202eback",
)
GARBLED = (
    ("status", "disputed"), ("total", "12,50"), ("amountPaid", "much"), ("issueDate", "yesterday"), ("status", None),
    ("total", None), ("dueDate", "soon"),
)  # fmt: skip
IN_CROCOCLICK = st.one_of(
    event("new", st.sampled_from(AGES), st.sampled_from(STATUSES), PICK),
    event("new", st.sampled_from(AGES), st.sampled_from(STATUSES), PICK),
    event("send", PICK),
    event("edit", PICK, st.sampled_from(["lines", "due", "name", "issue", "contact", "number"]), PICK),
    event("swap", PICK, PICK),
    event("pay", PICK, st.sampled_from(["all", "half", "cent"]), st.sampled_from([0, 0, 3, 40])),
    event("pay", PICK, st.sampled_from(["all", "half", "cent"]), st.sampled_from([0, 0, 3, 40])),
    event("correct", PICK, st.sampled_from(["up", "down", "day", "remove"])),
    event("move", PICK, PICK),
    event("refund", PICK, st.sampled_from(["all", "half"])),
    event("void", PICK),
    event("void", PICK),
    event("delete", PICK),
    event("garble", PICK, st.sampled_from(GARBLED)),
    event("mend", PICK),
    event("text", PICK, st.sampled_from(["line", "name", "number"]), st.sampled_from(TEXTS)),
)


class InCrocoClick(Hands):
    """The hands of a user of CrocoClick."""

    def __init__(self, world):
        super().__init__(world)
        self.whole = {}  # what a garbled invoice had
        self.contacts = [self.crm.add_contact(name=f"C{n}", email=f"c{n}@example.org") for n in range(4)]

    def _transaction(self, pick):
        found = [one for one in self.crm.location.transactions.values() if one["status"] == "succeeded"]
        return found[pick % len(found)] if found else None

    def _new(self, age, status, pick):
        self.made += 1
        self.crm.add_invoice(
            _id=f"{self.made:024x}", number=f"N-{self.made}", contact=self.contacts[pick % len(self.contacts)],
            status=status, issueDate=self.day(age), dueDate=self.day(age - 30), lines=LINES[pick % len(LINES)],
        )  # fmt: skip

    def _send(self, pick):
        if one := self.picked(pick, "draft"):
            self.crm.send(one.id)

    def _edit(self, pick, what, other):
        one = self.picked(pick, "draft", "sent", "partially_paid", "payment_processing")
        if not one or one.id in self.whole:
            return
        self.made += 1
        fields = {
            "lines": {"lines": LINES[other % len(LINES)]},
            "due": {"dueDate": self.day(-40 - other)},
            "name": {"name": f"Name {self.made}"},
            "issue": {"issueDate": self.day(other)},
            "contact": {"contact": self.contacts[other % len(self.contacts)]},
            "number": {"number": f"N-{self.made}"},
        }
        self.crm.edit_invoice(one.id, **fields[what])

    def _swap(self, pick, other):
        open_ones = ("draft", "sent", "partially_paid")
        one, two = self.picked(pick, *open_ones), self.picked(other, *open_ones)
        if one and two and one is not two and not {one.id, two.id} & self._unpayable():
            mine, theirs = one.doc["invoiceNumber"], two.doc["invoiceNumber"]
            self.crm.edit_invoice(one.id, number=theirs)
            self.crm.edit_invoice(two.id, number=mine)

    def _unpayable(self):
        """Those whose paid amount cannot be read: CrocoClick itself could not reckon what is due."""
        return {id_ for id_, (name, _) in self.whole.items() if name == "amountPaid"}

    def _pay(self, pick, part, ago):
        one = self.picked(pick, "sent", "partially_paid")
        if not one or one.id in self.whole or decimal(one.doc["amountDue"]) <= 1:
            return
        due = decimal(one.doc["amountDue"])
        amount = {"all": due, "half": (due / 2).quantize(decimal("0.01")), "cent": decimal("0.01")}[part]
        at = (self.world.clock.now() - timedelta(days=ago)).isoformat().replace("+00:00", "Z")
        self.crm.pay(one.id, amount, at=at)

    def _correct(self, pick, how):
        """A user corrects a payment that was recorded by hand."""
        if not (one := self._transaction(pick)) or one["amountRefunded"]:
            return
        place, invoice = self.crm.location, self.crm.location.invoices.get(one["entitySourceId"])
        if invoice is None or invoice.id in self.whole or invoice.doc["status"] == "void":
            return
        amount = decimal(one["amount"])
        if how == "up" and decimal(invoice.doc["amountDue"]) >= 1:
            one["amount"] = number(amount + 1)
        elif how == "down" and amount > 1:
            one["amount"] = number(amount - 1)
        elif how == "day":
            one["fulfilledAt"] = f"{self.day(pick + 2)}T12:00:00.000Z"
        elif how == "remove":
            del place.transactions[one["_id"]]
            place.payments_of[invoice.id].remove(one["_id"])
            place.store.drop(f"{place.shelf}/transaction", one["_id"])
        if how != "remove":
            place.keep_transaction(one)
        if how != "day":
            self._settle(invoice)

    def _settle(self, invoice):
        crm_payments.settle(self.crm.location, invoice)
        if not decimal(invoice.doc["amountPaid"]) and decimal(invoice.doc["amountDue"]):
            invoice.doc["status"] = "sent"
            self.crm.location.keep_invoice(invoice)

    def _move(self, pick, other):
        """A user moves a payment to another invoice."""
        one, to = self._transaction(pick), self.picked(other, "sent", "partially_paid")
        place = self.crm.location
        if not one or not to or one["amountRefunded"] or one["entitySourceId"] == to.id or to.id in self.whole:
            return
        source = place.invoices.get(one["entitySourceId"])
        too_much = decimal(one["amount"]) > decimal(to.doc["amountDue"])
        if source is None or source.id in self.whole or source.doc["status"] == "void" or too_much:
            return
        place.payments_of[source.id].remove(one["_id"])
        place.payments_of.setdefault(to.id, []).append(one["_id"])
        one["entitySourceId"] = to.id
        one["entitySource"] = {**one["entitySource"], "id": to.id}
        place.keep_transaction(one)
        self._settle(source)
        self._settle(to)

    def _refund(self, pick, part):
        one = self._transaction(pick)
        if one and not one["amountRefunded"]:
            half = (decimal(one["amount"]) / 2).quantize(decimal("0.01"))
            if half > 0:
                self.crm.refund(one["_id"], None if part == "all" else half)

    def _void(self, pick):
        if (
            one := self.picked(pick, "sent", "partially_paid", "paid", "payment_processing")
        ) and one.id not in self.whole:
            self.crm.void(one.id)

    def _delete(self, pick):
        if one := self.picked(pick, "draft"):
            self.crm.delete(one.id)

    def _garble(self, pick, value):
        name, text = value
        if (one := self.picked(pick)) and one.id not in self.whole:
            self.whole[one.id] = (name, one.doc.get(name))
            one.doc[name] = text
            self.crm.location.keep_invoice(one)

    def _mend(self, pick):
        if not self.whole:
            return
        id_ = sorted(self.whole)[pick % len(self.whole)]
        name, value = self.whole.pop(id_)
        if one := self.crm.location.invoices.get(id_):
            one.doc[name] = value
            self.crm.location.touch(one)

    def _text(self, pick, where, text):
        one = self.picked(pick, "draft", "sent")
        if not one or one.id in self.whole:
            return
        self.made += 1
        fields = {
            "line": {"lines": [{"name": "Work", "description": text, "qty": 1, "amount": 100, "taxes": [20]}]},
            "name": {"name": text},
            "number": {"number": f"N-{self.made} {text}"[:200]},
        }
        self.crm.edit_invoice(one.id, **fields[where])
