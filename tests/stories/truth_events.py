"""What may happen around two books, as plain data: `("pay", 3, "half")` means the fourth invoice that can be paid.

Places count modulo how many there are. A walk that failed is printed as such a list, and pasted as it is into a test of
its own.
"""

from datetime import timedelta

from hypothesis import strategies as st

from sandbox.crococlick import payments as crm_payments
from sandbox.crococlick.arithmetic import decimal, number
from tests.stories.truth_world import grant_again

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
LOST = ("accepted_then_hung_up", "dropped", "error_500", "truncated", "error_503")
PICK = st.integers(0, 11)


def _event(name, *parts):
    return st.tuples(st.just(name), *parts)


IN_CROCOCLICK = st.one_of(
    _event("new", st.sampled_from(AGES), st.sampled_from(STATUSES), PICK),
    _event("new", st.sampled_from(AGES), st.sampled_from(STATUSES), PICK),
    _event("send", PICK),
    _event("edit", PICK, st.sampled_from(["lines", "due", "name", "issue", "contact", "number"]), PICK),
    _event("swap", PICK, PICK),
    _event("pay", PICK, st.sampled_from(["all", "half", "cent"]), st.sampled_from([0, 0, 3, 40])),
    _event("pay", PICK, st.sampled_from(["all", "half", "cent"]), st.sampled_from([0, 0, 3, 40])),
    _event("correct", PICK, st.sampled_from(["up", "down", "day", "remove"])),
    _event("move", PICK, PICK),
    _event("refund", PICK, st.sampled_from(["all", "half"])),
    _event("void", PICK),
    _event("void", PICK),
    _event("delete", PICK),
    _event("garble", PICK, st.sampled_from(GARBLED)),
    _event("mend", PICK),
    _event("text", PICK, st.sampled_from(["line", "name", "number"]), st.sampled_from(TEXTS)),
)
IN_XERO = st.one_of(
    _event("x_due", PICK),
    _event("x_number", PICK),
    _event("x_void", PICK),
    _event("x_pay", PICK, st.sampled_from(["all", "half", "cent"])),
    _event("x_unpay", PICK),
    _event("x_lock", st.sampled_from([None, 10, 40, 150])),
    _event("x_contact", PICK, st.sampled_from(["ARCHIVED", "ACTIVE"])),
    _event("x_rate", st.sampled_from(["DELETED", "ACTIVE"])),
)
TROUBLES = {
    "revoked": {"consent_revoked"},
    "disconnected": {"consent_revoked", "wrong_organisation"},
    "token": {"crococlick_token_refused"},
    "xero_down": {"xero_unavailable"},
    "crm_down": {"crococlick_unavailable"},
    "day": {"rate_limited_day"},
    "role": {"role_missing"},
}
MANY = 10**6
FAULTS = {
    "xero_down": {"kind": "error_503", "side": "xero", "path": "/api.xro"},
    "crm_down": {"kind": "error_503", "side": "crococlick"},
    "day": {"kind": "rate_limited", "side": "xero", "path": "/api.xro", "problem": "day", "retry_after": 3600},
}
AROUND = st.one_of(
    _event("trouble", st.sampled_from(sorted(TROUBLES)), st.integers(1, 2)),
    _event("lose", st.sampled_from(LOST), st.sampled_from(["/Invoices", "/Invoices", "/Payments", "/Contacts"])),
    _event("kill", st.integers(0, 12), st.booleans()),
)
EVENT = st.one_of(IN_CROCOCLICK, IN_CROCOCLICK, IN_CROCOCLICK, IN_XERO, AROUND)
RUN = st.sampled_from(["plain"] * 7 + ["full"] * 2)
PAUSE = st.sampled_from([40, 150, 400, 400, 90_000])  # seconds: the last is a day and an hour
STEP = st.tuples(st.lists(EVENT, min_size=1, max_size=3), PAUSE, RUN)
# Several short lists, since hypothesis makes one long list seldom, and takes each away when it shrinks.
WALK = st.tuples(*[st.lists(STEP, max_size=12)] * 4).map(lambda parts: [step for part in parts for step in part])


class Events:
    """The hands that let each of them happen; an event that fits nothing does nothing."""

    def __init__(self, world):
        self.world, self.crm, self.xero = world, world.crm, world.xero
        self.made = 0
        self.touched = set()  # CrocoClick ids of what somebody changed in Xero
        self.changed_there = set()  # the same, since last asked
        self.troubles = {}  # name: how many more runs
        self.kill = None
        self.whole = {}  # what a garbled invoice had
        self.ordered = set()  # CrocoClick ids of what a person gave an order for
        self.contacts = [self.crm.add_contact(name=f"C{n}", email=f"c{n}@example.org") for n in range(4)]

    def happen(self, event):
        """Let one event happen."""
        name, *parts = event
        getattr(self, f"_{name}")(*parts)

    # -- CrocoClick -------------------------------------------------------------------------------------------------

    def _picked(self, pick, *statuses):
        found = [one for one in self.crm.location.invoices.values() if not statuses or one.doc["status"] in statuses]
        return found[pick % len(found)] if found else None

    def _transaction(self, pick):
        found = [one for one in self.crm.location.transactions.values() if one["status"] == "succeeded"]
        return found[pick % len(found)] if found else None

    def _day(self, ago):
        return (self.world.clock.now() - timedelta(days=ago)).date().isoformat()

    def _new(self, age, status, pick):
        self.made += 1
        self.crm.add_invoice(
            _id=f"{self.made:024x}", number=f"N-{self.made}", contact=self.contacts[pick % len(self.contacts)],
            status=status, issueDate=self._day(age), dueDate=self._day(age - 30), lines=LINES[pick % len(LINES)],
        )  # fmt: skip

    def _send(self, pick):
        if one := self._picked(pick, "draft"):
            self.crm.send(one.id)

    def _edit(self, pick, what, other):
        one = self._picked(pick, "draft", "sent", "partially_paid", "payment_processing")
        if not one or one.id in self.whole:
            return
        self.made += 1
        fields = {
            "lines": {"lines": LINES[other % len(LINES)]},
            "due": {"dueDate": self._day(-40 - other)},
            "name": {"name": f"Name {self.made}"},
            "issue": {"issueDate": self._day(other)},
            "contact": {"contact": self.contacts[other % len(self.contacts)]},
            "number": {"number": f"N-{self.made}"},
        }
        self.crm.edit_invoice(one.id, **fields[what])

    def _swap(self, pick, other):
        open_ones = ("draft", "sent", "partially_paid")
        one, two = self._picked(pick, *open_ones), self._picked(other, *open_ones)
        if one and two and one is not two:
            mine, theirs = one.doc["invoiceNumber"], two.doc["invoiceNumber"]
            self.crm.edit_invoice(one.id, number=theirs)
            self.crm.edit_invoice(two.id, number=mine)

    def _pay(self, pick, part, ago):
        one = self._picked(pick, "sent", "partially_paid")
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
            one["fulfilledAt"] = f"{self._day(pick + 2)}T12:00:00.000Z"
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
        one, to = self._transaction(pick), self._picked(other, "sent", "partially_paid")
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
            one := self._picked(pick, "sent", "partially_paid", "paid", "payment_processing")
        ) and one.id not in self.whole:
            self.crm.void(one.id)

    def _delete(self, pick):
        if one := self._picked(pick, "draft"):
            self.crm.delete(one.id)

    def _garble(self, pick, value):
        name, text = value
        if (one := self._picked(pick)) and one.id not in self.whole:
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
        one = self._picked(pick, "draft", "sent")
        if not one or one.id in self.whole:
            return
        self.made += 1
        fields = {
            "line": {"lines": [{"name": "Work", "description": text, "qty": 1, "amount": 100, "taxes": [20]}]},
            "name": {"name": text},
            "number": {"number": f"N-{self.made} {text}"[:200]},
        }
        self.crm.edit_invoice(one.id, **fields[where])

    # -- Xero -------------------------------------------------------------------------------------------------------

    def _document(self, pick, *statuses):
        found = [one for one in self.xero.invoices() if one["Status"] in statuses and one.get("Url")]
        found.sort(key=lambda one: one["Url"])
        return found[pick % len(found)] if found else None

    def _touch(self, document):
        ids = {id_ for id_ in self.crm.location.invoices if id_ in document["Url"]}
        self.touched |= ids
        self.changed_there |= ids

    def _x_due(self, pick):
        if one := self._document(pick, "AUTHORISED", "PAID"):
            self.xero.update("invoices", one["InvoiceID"], DueDate=self._day(-200 - pick))
            self._touch(one)

    def _x_number(self, pick):
        if one := self._document(pick, "AUTHORISED"):
            self.made += 1
            self.xero.update("invoices", one["InvoiceID"], InvoiceNumber=f"ACC-{self.made}")
            self._touch(one)

    def _x_void(self, pick):
        one = self._document(pick, "AUTHORISED")
        if one and not one["AmountPaid"]:
            self.xero.void(one["InvoiceID"])
            self._touch(one)

    def _x_pay(self, pick, part):
        one = self._document(pick, "AUTHORISED")
        if not one or one["AmountDue"] <= 1 or self._is_locked():
            return
        due = decimal(one["AmountDue"])
        amount = {"all": due, "half": (due / 2).quantize(decimal("0.01")), "cent": decimal("0.01")}[part]
        self.xero.pay(one["InvoiceID"], amount, date=self._day(0))
        self._touch(one)

    def _is_locked(self):
        return any(self.xero.organisation().get(name) for name in ("PeriodLockDate", "EndOfYearLockDate"))

    def _x_unpay(self, pick):
        standing = sorted(
            (p["Invoice"]["InvoiceNumber"], p["PaymentID"]) for p in self.xero.payments() if p["Status"] != "DELETED"
        )
        if standing:
            id_ = standing[pick % len(standing)][1]
            payment = next(p for p in self.xero.payments() if p["PaymentID"] == id_)
            self.xero.delete_payment(id_)
            self._touch(self.xero.invoice(payment["Invoice"]["InvoiceID"]))

    def _x_lock(self, ago):
        self.xero.organisation(PeriodLockDate=None if ago is None else self._day(ago))

    def _x_contact(self, pick, status):
        found = sorted(self.xero.contacts(), key=lambda one: one["Name"])
        if found:
            self.xero.update("contacts", found[pick % len(found)]["ContactID"], ContactStatus=status)

    def _x_rate(self, status):
        rate = next(
            one for one in self.xero.tax_rates() if float(one["EffectiveRate"]) == 5.5 and one["CanApplyToRevenue"]
        )
        self.xero.update("taxrates", rate["TaxType"], Status=status)

    # -- around -----------------------------------------------------------------------------------------------------

    def _trouble(self, name, runs):
        if name in self.troubles:
            return
        self.troubles[name] = runs
        if name in FAULTS:
            self.world.faults.add(times=MANY, **FAULTS[name])
        elif name == "role":
            self.xero.switch(role="READONLY")
        else:
            {"revoked": self.xero.revoke, "disconnected": self.xero.disconnect, "token": self.crm.refuse}[name]()

    def lift(self):
        """A run is over: troubles that have lasted long enough end; a person connects again where that is needed."""
        for name in list(self.troubles):
            self.troubles[name] -= 1
            if self.troubles[name] <= 0:
                del self.troubles[name]
                self._end(name)

    def _end(self, name):
        if name in ("revoked", "disconnected"):
            grant_again(self.world)
        elif name == "token":
            self.crm.allow("pit-sandbox")
        elif name == "role":
            self.xero.switch(role="STANDARD")
        else:
            waiting, ended = self.world.faults.waiting, FAULTS[name]
            lasting = [one for one in waiting if (one.side, one.kind) == (ended["side"], ended["kind"])]
            waiting[:] = [one for one in waiting if one not in lasting or one.times < MANY // 2]

    def _lose(self, kind, path):
        self.world.faults.next_write(kind, path=path)

    def _kill(self, commits, after):
        self.kill = (commits, after)

    # -- orders and imports -------------------------------------------------------------------------------------------

    def _skip(self, pick):
        self._order("skip", pick, "--because", "a walk")

    def _unskip(self, pick):
        self._order("unskip", pick)

    def _order(self, name, pick, *more):
        if one := self._picked(pick):
            self.world.command(name, one.id, *more)
            self.ordered.add(one.id)

    def _advice(self, pick):
        """A person does, word for word, what explain advises for an invoice that is held."""
        held = self.world.ledger.rows("held_in", everything=True, ids=[])
        if not held:
            return
        id_ = sorted(row["source_id"] for row in held)[pick % len(held)]
        told = self.world.command("explain", id_)[1]
        words = (told.get("remedy") or {}).get("order")
        if words and words[0] in ("order", "skip", "retry"):
            self.world.command(*words)
            self.ordered.add(id_)

    def _import(self):
        self.world.command("import-contacts")

    def _x_customer(self):
        self.made += 1
        self.xero.add_contact(Name=f"Client {self.made}", EmailAddress=f"client{self.made}@example.org")
