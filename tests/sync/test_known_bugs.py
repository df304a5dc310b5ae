"""Troubles that others reported about such connectors: each input of the shared collection comes out as it says.

A file describes both books, the steps and the expectation as data. Nothing here knows more of a file than that. The
same files are run again with other values of the same kind.
"""

import copy
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.crococlick.records import Invoice
from sandbox.server import Sandbox
from sandbox.wire import dumps
from syncer.cli.main import main
from tests.support.sync_world import World

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "bugs"
FILES = sorted(FOLDER.glob("*.json"))
WRITES = {"side": "xero", "method": "PUT|POST", "path": "/Invoices"}
pytestmark = pytest.mark.skipif(not FILES, reason="the collection of reported bugs is not beside the project")

# What Xero refuses as a whole request, as a fault of the sandbox: a text in the request, and Xero's answer. The sandbox
# knows the length of a phone by itself.
REFUSALS = {
    "control characters": ("\\u0002", {"Type": "PostDataInvalidException", "Message": "JSON for post data is invalid"}),
}  # fmt: skip


class Told(World):
    """The two books of a file, and the commands as a script runs them."""

    def __init__(self, box, folder, told, monkeypatch, capsys):
        super().__init__(box, folder)
        self.capsys = capsys
        for name, value in {**self.values, **told.get("environment", {})}.items():
            monkeypatch.setenv(name, value)
        time.tzset()
        self._open_books(told["xero"])
        self._fill_location(told["crococlick"], told.get("wire", {}).get("crococlick_replaces", {}))
        refused = [REFUSALS[limit] for limit in told.get("wire", {}).get("xero_refuses", ()) if limit in REFUSALS]
        for text, answer in refused:
            self.faults.add("refuse", side="xero", containing=text, times=99, status=400, body=answer)
        self.connect()
        self.set(**dict(pair.replace(".", "__", 1).split("=", 1) for pair in told["settings"]))

    def _open_books(self, wanted):
        """A British organisation in place of the French one."""
        first = self.xero.tenant
        self.xero.add_organisation("Odd & Fine Ltd", "UK")
        del self.box.sim.xero.books[first]
        for contact in wanted.get("contacts", ()):
            self.xero.add_contact(**{key: value for key, value in contact.items() if key != "ContactID"})
        for code in wanted.get("currencies", ()):
            self.xero.add_currency(code)
        if wanted.get("period_lock"):
            self.xero.organisation(PeriodLockDate=wanted["period_lock"])

    def _fill_location(self, wanted, replaces):
        """Contacts, invoices and transactions as they are written: totals are not worked out anew."""
        self.crm.profile(timezone=wanted["timezone"])
        self.replaces = replaces
        for contact in wanted["contacts"]:
            self.crm.add_contact(**self._here(contact))
        for invoice in wanted["invoices"]:
            self.add_invoice(invoice)
        for transaction in wanted["transactions"]:
            named = {"contactName": "", "contactEmail": "", "entitySourceName": ""}
            self.location.keep_transaction(named | self._here(transaction))

    @property
    def location(self):
        return self.crm.location

    def _here(self, record):
        return json.loads(json.dumps(record).replace("LOCATION", self.location.id))

    def add_invoice(self, written):
        doc = self._here(written)
        items = dumps(doc.pop("invoiceItems"))
        for text, raw in self.replaces.items():
            items = items.replace(text, raw)
        self.location.keep_invoice(Invoice(doc["_id"], {"businessDetails": {}, **doc}, items))

    # -- steps ----------------------------------------------------------------------------------------------------

    def step(self, *words):
        """One step; a command's exit status and answer are kept."""
        match words:
            case ("edit invoice", id_, changes):
                invoice = self.location.invoices[id_]
                invoice.doc |= changes
                self.location.touch(invoice)
            case ("edit transaction", id_, changes):
                self.location.keep_transaction(self.location.transactions[id_] | changes)
            case ("add invoice", written):
                self.add_invoice(written)
            case ("lose the answer to the next write of invoices",):
                self.faults.add("accepted_then_hung_up", **WRITES)
            case _:
                self.status, self.answer = self.command(*words)

    def command(self, *words):
        """A command with `--json`: its exit status and its one object."""
        self.capsys.readouterr()
        status = main([*words, "--json"])
        return status, json.loads(self.capsys.readouterr().out)

    # -- what came of it --------------------------------------------------------------------------------------------

    def check(self, wanted):
        """Compare with the expectation of a file; raises AssertionError."""
        if "any_of" in wanted:
            return self._any_of(wanted["any_of"])
        if "exit" in wanted:
            assert self.status in wanted["exit"], self.answer
        for number, fields in wanted.get("xero", {}).items():
            self._stands(number, fields)
        for number in wanted.get("absent", ()):
            assert number not in self.xero.numbers()
        for what, about in wanted.get("explain", {}).items():
            self._explained(what, about)
        for name, count in wanted.get("outcomes", {}).items():
            assert self.answer["outcomes"][name] == count, self.answer
        assert all(one["others"] and one["sentence"] for one in self.answer.get("conflicts", ()))
        for text in wanted.get("no_description_with", ()):
            assert not [
                line for one in self.xero.invoices() for line in one["LineItems"] if text in line["Description"]
            ]
        if wanted.get("accounted"):
            counted = sum(count for name, count in self.answer["outcomes"].items() if name != "paid")
            assert counted == len(self.location.invoices), self.answer
        if wanted.get("agree"):
            self._agree()
        return None

    def _any_of(self, ways):
        complaints = []
        for way in ways:
            try:
                return self.check(way)
            except AssertionError as complaint:
                complaints.append(str(complaint))
        raise AssertionError("none of the right ways: " + "; ".join(complaints))

    def _stands(self, number, fields):
        there = self.xero.invoice(number)
        assert there is not None, self.answer
        names = {"total": "Total", "tax": "TotalTax", "paid": "AmountPaid"}
        for field, value in fields.items():
            if field in names:
                assert Decimal(str(there[names[field]])) == Decimal(value), (field, there[names[field]])
            else:
                assert there[{"status": "Status", "date": "Date", "due": "DueDate"}[field]][:10] == value, field

    def _explained(self, what, wanted):
        status, told = self.command("explain", what)
        assert status == 0, told
        cause, said = told["cause"] or {"code": None}, json.dumps(told, ensure_ascii=False)
        assert told["state"] in wanted["state"], said
        assert cause["code"] in wanted.get("cause", [cause["code"]]), said
        assert cause["code"] not in wanted.get("not_cause", []), said
        assert wanted.get("never_says", "\0") not in said, said

    def _agree(self):
        """Each invoice that is called synced has the same payments, amount and day, in both books."""
        for invoice in self.location.invoices.values():
            _, told = self.command("explain", invoice.id)
            if told["state"] != "synced":
                continue
            there = [
                (payment["Date"][:10], Decimal(str(payment["Amount"])).quantize(Decimal("0.01")))
                for payment in self.xero.payments()
                if payment["Invoice"]["InvoiceNumber"] == invoice.doc["invoiceNumber"].strip()
                and payment["Status"] == "AUTHORISED"
            ]
            here = [
                (one["fulfilledAt"][:10], Decimal(str(one["amount"])).quantize(Decimal("0.01")))
                for one in self.location.transactions.values()
                if one["entitySourceId"] == invoice.id and one["status"] == "succeeded"
            ]
            assert sorted(there) == sorted(here), told


@pytest.fixture
def run_file(tmp_path, monkeypatch, capsys):
    """Runs one file from its books to its expectation."""

    def run(told):
        with Sandbox(world="empty", limits=False) as box:
            world = Told(box, tmp_path, told, monkeypatch, capsys)
            for step in told["steps"]:
                world.step(*step)
            world.check(told["check"])

    yield run
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_reported_bug_comes_out_as_it_should(path, run_file):
    """Both books, the steps and the expectation of one file."""
    run_file(json.loads(path.read_text(encoding="utf-8")))


# -- the same with other values -------------------------------------------------------------------------------------


def odd(told):
    """The odd invoice of a file."""
    return told["crococlick"]["invoices"][0]


def dust(first, second):
    """Two prices whose sum as a binary float is no decimal of two places."""

    def change(told):
        total = first + second
        odd(told)["total"] = odd(told)["amountDue"] = total
        for item, price in zip(odd(told)["invoiceItems"], (first, second), strict=True):
            item["amount"] = price
        odd(told)["totalSummary"]["subTotal"] = round(total, 2)
        told["check"]["xero"]["ODD-1"]["total"] = f"{total:.2f}"

    return change


def half(raw, field="name"):
    """Another half of a character, in the name or the description of the line."""

    def change(told):
        odd(told)["invoiceItems"][0][field] = "Sale @@HALF@@ of spring"
        told["wire"]["crococlick_replaces"] = {"@@HALF@@": raw}

    return change


def field(name, value):
    """Another value in a field of the odd invoice."""
    return lambda told: odd(told).__setitem__(name, value)


def in_item(name, value):
    """Another value in a field of the odd invoice's first line."""
    return lambda told: odd(told)["invoiceItems"][0].__setitem__(name, value)


def corrected(**changes):
    """The transaction is corrected to something else."""

    def change(told):
        for step in told["steps"]:
            if step[0] == "edit transaction":
                step[2] = changes
            if step[0] == "edit invoice":
                step[2] = {"amountPaid": changes["amount"]}

    return change


def numbered(number):
    """The odd invoice has this number; it is looked for by id, and its own document has to be the only one."""
    return field("invoiceNumber", number)


def phone(text):
    """Another phone, with the contact and on the invoice."""

    def change(told):
        told["crococlick"]["contacts"][1]["phone"] = odd(told)["contactDetails"]["phoneNo"] = text

    return change


OTHERS = {
    "01-float-dust-in-total": {"cents": dust(1.1, 2.2), "tenths": dust(0.1, 0.7), "thousands": dust(4503.3, 1.1)},
    "03-half-an-emoji": {
        "a low half": half("\\udf38"), "in a description": half("\\ud83c", "description"),
        "two halves the wrong way round": half("\\udf38\\ud83c"),
    },
    "04-a-status-nobody-knows": {"no text": field("status", None), "a number": field("status", 7)},
    "05-decimal-comma": {
        "with a dot for thousands": in_item("amount", "1.250,00"), "of three places": in_item("amount", "12,500"),
        "in the quantity": in_item("qty", "1,5"),
    },
    "06-payment-amount-corrected": {"down": corrected(amount=80), "by a cent": corrected(amount=100.01)},
    "07-payment-date-corrected": {"to a later day": corrected(fulfilledAt="2026-11-03T10:00:00.000Z")},
    "08-number-with-outer-blanks": {
        "before": numbered("  INV-12"), "behind": numbered("INV-12 "), "a tab": numbered("INV-12\t"),
        "with a comma": numbered(" INV,12 "),
    },
    "09-control-character": {"another one": in_item("name", "Consulting\u0002\u0001 day\u007f")},
    "11-phone-of-seventy-characters": {"of 51": phone("0" * 51), "of 300": phone("+33 " * 75)},
    "12-everything-free": {
        "of three places": lambda told: odd(told)["invoiceItems"][0].update(amount=7.77, qty=1.5),
        "in two lines": lambda told: odd(told)["invoiceItems"].append({**odd(told)["invoiceItems"][0], "amount": 0.33}),
    },
    "14-discount-then-new-due-date": {
        "to an earlier day": lambda told: (told["steps"][1][2].update(dueDate="2026-10-12"),
                                           told["check"]["xero"]["ODD-1"].update(due="2026-10-12")),
    },
}  # fmt: skip
CASES = [(name, what) for name, others in OTHERS.items() for what in others]


@pytest.mark.parametrize(("name", "what"), CASES, ids=[f"{name[:2]} {what}" for name, what in CASES])
def test_a_reported_bug_with_other_values(name, what, run_file):
    """The kind is mended, not the case: other values of the same kind come out the same way."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the collection")
    told = copy.deepcopy(json.loads(path.read_text(encoding="utf-8")))
    OTHERS[name][what](told)
    run_file(told)
