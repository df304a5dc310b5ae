"""What an accountant does in Xero."""

from hypothesis import strategies as st

from sandbox.crococlick.arithmetic import decimal
from tests.support.truth.hands import PICK, Hands, event

IN_XERO = st.one_of(
    event("x_due", PICK),
    event("x_number", PICK),
    event("x_void", PICK),
    event("x_pay", PICK, st.sampled_from(["all", "half", "cent"])),
    event("x_unpay", PICK),
    event("x_lock", st.sampled_from([None, 10, 40, 150])),
    event("x_contact", PICK, st.sampled_from(["ARCHIVED", "ACTIVE"])),
    event("x_rate", st.sampled_from(["DELETED", "ACTIVE"])),
)


class InXero(Hands):
    """The hands of an accountant."""

    def __init__(self, world):
        super().__init__(world)
        self.touched = set()  # CrocoClick ids of what somebody changed in Xero
        self.changed_there = set()  # the same, since last asked

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
            self.xero.update("invoices", one["InvoiceID"], DueDate=self.day(-200 - pick))
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
        self.xero.pay(one["InvoiceID"], amount, date=self.day(0))
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
        self.xero.organisation(PeriodLockDate=None if ago is None else self.day(ago))

    def _x_contact(self, pick, status):
        found = sorted(self.xero.contacts(), key=lambda one: one["Name"])
        if found:
            self.xero.update("contacts", found[pick % len(found)]["ContactID"], ContactStatus=status)

    def _x_rate(self, status):
        rate = next(
            one for one in self.xero.tax_rates() if float(one["EffectiveRate"]) == 5.5 and one["CanApplyToRevenue"]
        )
        self.xero.update("taxrates", rate["TaxType"], Status=status)
