"""The guided test of the set-up: a small invoice goes to Xero and is taken back, whatever happens meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from syncer.app import jobs
from syncer.app.clock import SystemClock
from syncer.cli.main import main
from syncer.domain.errors import Reconnect, TryLater, WrongUsage
from syncer.onboarding import test_invoice
from syncer.onboarding.test_invoice import GuidedTest
from syncer.onboarding.test_invoice_contact import customer
from tests.support.sync_world import World

ROOT = Path(__file__).resolve().parents[2]


class Hurried(SystemClock):
    """A clock whose waits are over at once."""

    def sleep(self, seconds):
        pass


class TrialWorld(World):
    """A world where the set-up can be tested."""

    def test(self, contact="anna@dupont.example", invoice="", stop=lambda: False, **how):
        """`python -m syncer test-invoice`; `said` is what became of the test before."""
        connection = self.connection
        with connection.alone("trial"):
            test = GuidedTest(connection, "Anna", lambda *told: None, stop)
            self.said = test.finish()
            return test.check(invoice) if invoice else test.perform(contact)

    def finish(self):
        """What the next test does first, and what it says of it."""
        connection = self.connection
        return GuidedTest(connection, "Ben", lambda *told: None, lambda: False).finish()

    def ours(self):
        """The invoices that tests have made in CrocoClick."""
        return [one for one in self.crm.invoices() if one["name"].startswith("Test CrocoClick")]

    def open_in_crococlick(self):
        return [one for one in self.ours() if one["status"] != "void"]

    def open_in_xero(self):
        return [one for one in self.xero.invoices() if one["Status"] not in ("VOIDED", "DELETED")]


def open_world(box, folder, organisation=""):
    """A connected world with Anna in it."""
    world = TrialWorld(box, folder)
    world.app.clock = Hurried()
    world.connect(organisation)
    world.anna = world.crm.add_contact(name="Anna Dupont", email="anna@dupont.example", phone="+33601020304")
    return world


@pytest.fixture
def world(box, tmp_path):
    world = open_world(box, tmp_path)
    world.set(revenue_account="706")
    return world


def wrong(result):
    """What is not as it should be, and what was found instead."""
    return {one["what"]: one["found"] for one in result.checks if not one["ok"]}


def found(result):
    """What was found, whether it should be so or not."""
    return {one["what"]: one["found"] for one in result.checks}


# -- there and back ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A French set-up with two real invoices that wait, tested once; and what came of it."""
    with Sandbox(world="empty", limits=False) as box:
        world = open_world(box, tmp_path_factory.mktemp("tested"))
        world.set(revenue_account="706")
        lines = [{"name": "Work", "qty": 1, "amount": 100, "taxes": taxes} for taxes in ([20], [20], [10], [])]
        world.has("INV-1", lines=lines)
        world.has("INV-2")
        jobs.search(world.connection, "INV")
        yield world, world.test()


def test_a_french_set_up_is_tested_line_by_line(tested):
    """One line for each way of taxing that invoices have, the most used first; approved, to the cent, then void."""
    world, result = tested
    assert result.ok, wrong(result)
    said = found(result)
    assert (said["Customer"], said["Currency"], said["Number of lines"]) == ("Anna Dupont", "EUR", "3")
    assert (said["Line 1: tax rate"], said["Line 1: tax"]) == ("TVA 20 % (TAX001)", "€0.20")
    assert {said["Line 2: tax rate"], said["Line 3: tax rate"]} == {"TVA 10 % (TAX002)", "Tax Exempt (NONE)"}
    assert (said["Total without tax"], said["Tax in all"], said["Total"]) == ("€3.00", "€0.30", "€3.30")
    assert said["Status"] == "approved"
    assert (said["Afterwards, in CrocoClick"], said["Afterwards, in Xero"]) == ("void", "void")
    [ours] = world.ours()
    there = world.xero.invoice(ours["invoiceNumber"])
    assert (there["Status"], there["Reference"]) == ("VOIDED", ours["name"])
    assert (result.invoice["number"], result.invoice["status"]) == (ours["invoiceNumber"], "void")
    assert "works" in result.sentence


def test_nobody_is_emailed(tested):
    """The invoice is marked as sent by hand, and Xero is not asked to write to anybody."""
    world, result = tested
    assert world.crm.messages() == []
    assert world.box.count(side="xero", path="/Email") == 0
    assert found(result)["Nobody was emailed"] == "marked as sent, no email"


def test_only_the_test_invoice_is_touched(tested):
    """Real invoices that wait are neither carried nor voided."""
    world, _ = tested
    others = [one for one in world.crm.invoices() if not one["name"].startswith("Test CrocoClick")]
    assert [(one["invoiceNumber"], one["status"]) for one in others] == [("INV-1", "sent"), ("INV-2", "sent")]
    assert world.open_in_xero() == []


def test_the_newest_test_can_be_read_later(tested):
    """For a screen: its step, its checks and who asked, without a call."""
    world, result = tested
    kept = test_invoice.newest(world.ledger)
    assert (kept.step, kept.ok, list(kept.checks), kept.by_whom) == ("done", True, list(result.checks), "Anna")
    assert kept.number == result.invoice["number"] and not kept.is_open


@pytest.mark.parametrize("how", ["id", "email", "EMAIL", "customer", "customer's email", "customer's name"])
def test_the_contact_is_named_as_people_do(tested, how):
    """By its id or email in CrocoClick; by its name too where an invoice has named it."""
    world, _ = tested
    other = world.crm.add_contact(name="Zoé", email="zoe@zoe.example", phone="+33601020305")
    told = {"id": other, "email": "zoe@zoe.example", "EMAIL": "ZOE@zoe.example", "customer": world.anna}
    told |= {"customer's email": "Anna <anna@dupont.example>", "customer's name": "anna  DUPONT"}
    whom = customer(world.connection, told[how])
    assert whom.name == ("Anna Dupont" if how.startswith("customer") else "Zoé") and whom.phone
    world.crm.delete_contact(other)


@pytest.mark.parametrize(
    ("contact", "says"),
    [
        ("", "--contact"),
        ("nobody@nowhere.example", "No contact fits"),
        ("Nobody At All", "No contact fits"),
        ("AbcdefghijKLMNOPQRST", "No contact fits"),
        ("silent@dupont.example", "no phone"),
    ],
)
def test_a_contact_that_cannot_be_is_refused(tested, contact, says):
    """None, or one without a phone: said before anything is made."""
    world, _ = tested
    if not world.crm.location.by_email.get("silent@dupont.example"):
        world.crm.add_contact(name="Silent", email="silent@dupont.example")
    with pytest.raises(WrongUsage, match=says):
        world.test(contact)
    assert len(world.ours()) == 1


def test_a_name_that_several_have_is_refused(world):
    """Say which, by its id."""
    for number in ("INV-1", "INV-2"):
        world.has(number, contact=world.crm.add_contact(name="Twin", email=f"{number}@example.org"))
    jobs.search(world.connection, "INV")
    world.ledger.take_customers(world.app.clock.now())
    with pytest.raises(WrongUsage, match="fits 2 contacts"):
        world.test("Twin")


def test_a_british_set_up_goes_by_its_own_mapping(box, tmp_path):
    """The rate is the one that somebody mapped, the currency the one that most invoices have."""
    books = box.xero.add_organisation("Riverside", edition="UK")
    world = open_world(box, tmp_path, organisation=books.tenant)
    world.xero = books
    world.set(**{"revenue_account": "200", "tax.20%": "OUTPUT2"})
    vat = {"_id": "vat", "name": "VAT", "rate": 20}
    for number in ("INV-1", "INV-2"):
        world.has(number, currency="GBP", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [vat]}])
    jobs.search(world.connection, "INV")
    result = world.test()
    assert result.ok, wrong(result)
    assert found(result)["Line 1: tax rate"] == "20% (VAT on Income) (OUTPUT2)"
    assert (found(result)["Total"], found(result)["Currency"]) == ("£1.20", "GBP")
    assert books.invoice(result.invoice["number"])["Status"] == "VOIDED"


def test_without_known_invoices_there_is_one_untaxed_line_in_the_currency_of_the_books(world):
    """A set-up that has synced nothing yet can be tested too, and one that does not mark as sent."""
    world.set(mark_sent="false")
    result = world.test()
    assert result.ok, wrong(result)
    assert (found(result)["Number of lines"], found(result)["Total"]) == ("1", "€1.00")
    assert found(result)["Nobody was emailed"] == "not marked as sent, no email"


# -- what is not as it should be --------------------------------------------------------------------------------------


def test_a_missing_account_is_told_and_nothing_is_left(world):
    """Held: the check says why and what to do; the test invoice is void in CrocoClick, Xero never had it."""
    world.set(revenue_account="")
    result = world.test()
    assert not result.ok
    assert "no revenue account" in wrong(result)["In Xero"] and "Choose the account" in wrong(result)["In Xero"]
    assert world.open_in_crococlick() == [] and world.xero.invoices() == []
    assert found(result)["Afterwards, in Xero"] == "nothing is left"


def test_a_status_that_is_not_carried_is_told(world):
    """Without `sent` it does not go; without `void` it stays in Xero, and the check says what to do there."""
    world.set(statuses="paid,void")
    result = world.test()
    assert "status sent are not sent" in wrong(result)["In Xero"] and "`statuses`" in wrong(result)["In Xero"]
    assert world.open_in_crococlick() == world.open_in_xero() == []
    world.set(statuses="sent,paid")
    result = world.test()
    assert set(wrong(result)) == {"Afterwards, in Xero"}
    said = wrong(result)["Afterwards, in Xero"]
    assert said.startswith("approved.") and "`statuses`" in said and "by hand" in said
    assert world.open_in_crococlick() == [] and len(world.open_in_xero()) == 1


def test_a_token_that_may_not_write_says_so(world):
    """Nothing is made; the sentence tells to name an invoice."""
    world.crm.allow("pit-sandbox", ["invoices.readonly", "contacts.readonly", "locations.readonly"])
    with pytest.raises(WrongUsage, match="--invoice NUMBER"):
        world.test()
    assert world.ours() == [] and not test_invoice.newest(world.ledger).is_open


def test_a_refusal_of_crococlick_is_shown_in_its_words(world):
    """Where it makes no invoice, or does not send it, the check says so, and the draft is deleted."""
    refusal = {"status": 422, "body": {"statusCode": 422, "message": ["userId is wrong"]}}
    world.faults.next_write("refuse", side="crococlick", **refusal)
    assert "userId is wrong" in wrong(world.test())["Made in CrocoClick"]
    world.faults.next_write("refuse", side="crococlick", after=1, **refusal)
    result = world.test()
    assert "userId is wrong" in wrong(result)["Sent by hand in CrocoClick"]
    assert found(result)["Afterwards, in CrocoClick"] == "deleted"
    assert world.ours() == world.xero.invoices() == []


def test_what_is_refused_and_made_all_the_same_is_found(world):
    """Then the test goes on with it."""
    world.faults.next_write("refuse", side="crococlick", after_commit=True, status=422, body={"message": "no"})
    assert world.test().ok and len(world.ours()) == 1 and world.open_in_crococlick() == []


def test_an_invoice_that_crococlick_will_not_void_is_told(world):
    """Somebody paid it meanwhile: the check says that it has to be voided by hand."""
    world.faults.next_write(
        "refuse", side="crococlick", after=2, status=400, body={"message": "needs to be refunded first"}
    )
    result = world.test()
    assert "needs to be refunded first. Void it there by hand." in wrong(result)["Afterwards, in CrocoClick"]


def test_where_the_token_ends_meanwhile_nothing_was_made(world):
    """Nothing is left, and the next test has nothing to look for."""
    world.faults.next_write("refuse", side="crococlick", status=401, body={"message": "Invalid JWT"})
    with pytest.raises(Reconnect):
        world.test()
    assert world.ours() == [] and world.finish() == ""


def test_a_draft_that_a_sync_took_over_follows_as_void(world):
    """Where drafts go over too, a test that was cut off may stand in Xero as a draft: it is deleted there."""
    world.set(statuses="draft,sent,void")
    with pytest.raises(Cut):
        world.test(stop=cut_at(0))
    world.sync()
    assert [one["Status"] for one in world.open_in_xero()] == ["DRAFT"]
    assert "taken back in both books" in world.finish()
    assert world.open_in_crococlick() == world.open_in_xero() == []


def test_not_connected_nothing_is_made(world):
    """Without a consent there is no test invoice either."""
    world.xero.revoke()
    with pytest.raises(Reconnect):
        world.test()
    assert world.ours() == []


# -- one that is there ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A set-up with invoices in Xero, and one that is held."""
    with Sandbox(world="empty", limits=False) as box:
        world = open_world(box, tmp_path_factory.mktemp("there"))
        world.set(**{"revenue_account": "706", "tax.7.7%": world.xero.add_tax_rate("Local", 7.7)})
        for number in ("OK", "EDITED", "CHANGED"):
            world.has(number, contact=world.anna)
        world.has("UNMAPPED", contact=world.anna, lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
        world.has("HELD", contact=world.anna, dueDate=None)
        world.has("PAID", contact=world.anna, status="paid")
        world.sync()
        yield world


def test_a_given_invoice_is_only_checked(there):
    """Nothing is written to either side; the token needs no permission to write."""
    scopes = ["invoices.readonly", "contacts.readonly", "locations.readonly", "payments/transactions.readonly"]
    there.crm.allow("pit-sandbox", scopes)
    before = there.writes()
    result = there.test(invoice="OK")
    there.crm.allow("pit-sandbox")
    assert result.ok and "OK" in result.sentence
    assert there.writes() == before and there.box.count(side="crococlick", method="POST") == 0
    kept = test_invoice.newest(there.ledger)
    assert (kept.is_ours, kept.number, kept.step, kept.ok) == (False, "OK", "done", True)


def test_one_that_is_not_in_xero_goes_over_first_and_alone(there):
    """The others that wait stay where they are."""
    there.has("NEW-1", contact=there.anna)
    there.has("NEW-2", contact=there.anna)
    assert there.test(invoice="NEW-1").ok
    assert there.xero.invoice("NEW-1")["Status"] == "AUTHORISED" and "NEW-2" not in there.xero.numbers()


def test_what_somebody_changed_in_xero_is_found(there):
    """An accountant has edited it: the checks name the fields, in both versions."""
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": 90, "AccountCode": "706", "TaxType": "TAX001"}
    id_ = there.xero.invoice("EDITED")["InvoiceID"]
    edit = {"InvoiceID": id_, "LineItems": [line], "DueDate": "2030-01-31"}
    assert there.xero.ask("POST", f"Invoices/{id_}", edit)[0] == 200
    result = there.test(invoice="EDITED")
    assert not result.ok
    assert {"Due date", "Line 1: unit price", "Line 1: amount", "Line 1: tax", "Total"} <= set(wrong(result))
    assert wrong(result)["Total"] == "€108.00"


def test_what_changed_in_crococlick_since_is_found(there):
    """The check goes by what CrocoClick says now."""
    there.crm.edit_invoice("CHANGED", lines=[{"name": "Work", "qty": 2, "amount": 100, "taxes": [20]}])
    assert "Line 1: quantity" in wrong(there.test(invoice="CHANGED"))


def test_a_held_invoice_says_why(there):
    """The check is the sentence of its cause."""
    result = there.test(invoice="HELD")
    assert "due date" in wrong(result)["In Xero"] and not result.ok


def test_what_an_invoice_in_xero_still_waits_for_is_told(there):
    """Its payment has no account yet: the status differs, and the check says what to do."""
    result = there.test(invoice="PAID")
    assert set(wrong(result)) == {"Status", "Nothing left to do"}
    assert "Choose the account" in wrong(result)["Nothing left to do"] and "2 of" in result.sentence


def test_the_command_as_a_person_and_a_script_meet_it(there, monkeypatch, capsys):
    """A table and a sentence, or one JSON object; 0 where all is the same, 3 where not, 2 where asked wrongly."""
    for name, value in there.values.items():
        monkeypatch.setenv(name, value)
    assert main(["test-invoice", "--invoice", "OK"]) == 0
    said = capsys.readouterr().out
    assert "expected" in said and "✓ same" in said and said.strip().endswith("OK says the same in both books.")
    assert main(["test-invoice", "--invoice", "HELD", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (set(told), told["invoice"]["number"], told["ok"]) == ({"invoice", "checks", "ok"}, "HELD", False)
    assert [set(one) for one in told["checks"]] == [{"what", "expected", "found", "ok"}]
    assert main(["test-invoice"]) == 2
    assert "--contact" in capsys.readouterr().err


def test_lines_cannot_be_compared_without_the_mapping_that_they_went_by(there):
    """The rate was taken away since: the heads are compared, and the check says what is missing."""
    assert there.test(invoice="UNMAPPED").ok
    there.set(**{"tax.7.7%": "GONE"})
    result = there.test(invoice="UNMAPPED")
    assert set(wrong(result)) == {"Lines"} and found(result)["Total"] == "€107.70"


@pytest.mark.parametrize(("what", "says"), [("nothing-like-it", "No invoice fits"), ("E", "fits [0-9] invoices")])
def test_an_invoice_that_is_none_or_several_is_refused(there, what, says):
    """Say which."""
    with pytest.raises(WrongUsage, match=says):
        there.test(invoice=what)


# -- cut off ----------------------------------------------------------------------------------------------------------

AFTER = {"error_500_after": {"kind": "error_500", "after_commit": True}}


@pytest.mark.parametrize(
    "kinds",
    [
        ("accepted_then_hung_up", "dropped", "error_500_after"),
        ("truncated", "accepted_then_hung_up", "error_500"),
    ],
)
def test_a_lost_answer_of_crococlick_is_looked_for(world, kinds):
    """Whatever happens when it is made, sent and voided: there is one test invoice, and it is taken back."""
    for kind, before in zip(kinds, ("", *kinds), strict=False):
        # A write that did not arrive is sent again first.
        after = 1 if before == "dropped" else 0
        world.faults.next_write(side="crococlick", after=after, **AFTER.get(kind, {"kind": kind}))
    result = world.test()
    assert result.ok, wrong(result)
    assert not world.faults.waiting
    assert len(world.ours()) == 1 and world.open_in_crococlick() == world.open_in_xero() == []


@pytest.mark.parametrize("kind", ["dropped", "error_500"])
def test_an_invoice_that_was_never_made_is_not_made_twice(world, kind):
    """Nothing shows it: the test ends there, and the next one looks once more before it makes another."""
    world.faults.next_write(kind, side="crococlick")
    with pytest.raises(TryLater) as lost:
        world.test()
    assert lost.value.code == "trial_answer_lost" and test_invoice.newest(world.ledger).step == "making"
    assert "nothing is left" in world.finish() and not test_invoice.newest(world.ledger).is_open
    assert world.finish() == "" and world.ours() == []


def test_an_answer_that_stays_away_is_settled_by_the_next_test(world):
    """The draft was made and no look could find it: the next test finds it by its name and deletes it."""
    world.faults.next_write("accepted_then_hung_up", side="crococlick")
    world.faults.next_read("error_500", side="crococlick", path="/invoices/", times=4)
    with pytest.raises(TryLater):
        world.test()
    assert len(world.ours()) == 1
    assert "taken back" in world.finish() and world.ours() == []


class Cut(BaseException):
    """The process is gone."""


def cut_at(turn):
    """Ends the process when it asks for the n-th time whether to stop."""
    left = [turn]

    def stop():
        left[0] -= 1
        if left[0] < 0:
            raise Cut
        return False

    return stop


@pytest.mark.parametrize("turn", [0, 4, 7])
def test_a_test_that_was_cut_off_is_finished_by_the_next(world, turn):
    """Before it was sent, before or in the sync: the next test takes it back on both sides and says so."""
    with pytest.raises(Cut):
        world.test(stop=cut_at(turn))
    [left] = world.ours()
    assert left["status"] == ("draft" if turn == 0 else "sent")
    assert left["invoiceNumber"] in world.finish()
    assert world.open_in_crococlick() == world.open_in_xero() == []
    assert "It was cut off" in str(test_invoice.newest(world.ledger).checks)


def test_killed_while_crococlick_is_asked(box, tmp_path):
    """kill -9 with a write in flight: the next process takes back what is left, and there is no second one."""
    world = open_world(box, tmp_path)
    world.set(revenue_account="706")
    world.faults.next_write("slow", side="crococlick", ms=5000)
    run = start(world, "--contact", "anna@dupont.example")
    while run.poll() is None and not world.box.count(side="crococlick", method="POST"):
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert test_invoice.newest(world.ledger).step == "making"
    assert "nothing is left" in world.finish()
    assert world.ours() == world.xero.invoices() == []


def start(world, *words):
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "syncer", "test-invoice", *words],
        cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_stopped_on_purpose_it_leaves_nothing_open_in_crococlick(world):
    """Ctrl-C once: our invoice is taken back at once; the next test sees to the rest, even when it is asked wrongly."""
    asked = iter([False, False])
    with pytest.raises(TryLater) as stopped:
        world.test(stop=lambda: next(asked, True))
    assert stopped.value.code == "trial_stopped"
    assert world.open_in_crococlick() == []
    with pytest.raises(WrongUsage):
        world.test("")
    assert "cut off" in world.said and not test_invoice.newest(world.ledger).is_open


def test_xero_down_in_the_middle_leaves_nothing_open(world):
    """The sync is put off: the invoice is void in CrocoClick, and the next test carries that."""
    world.faults.next_write("accepted_then_hung_up", path="/Invoices")
    world.faults.add("error_503", side="xero", method="GET", path="/Invoices", after=1, times=50)
    with pytest.raises(TryLater):
        world.test()
    assert world.open_in_crococlick() == [] and len(world.open_in_xero()) == 1
    world.faults.clear()
    assert "taken back in both books" in world.finish()
    assert world.open_in_xero() == []


def test_a_test_invoice_that_somebody_made_their_own_is_left_alone(world):
    """Renamed, it is no longer ours to void; deleted, there is nothing to do."""
    with pytest.raises(Cut):
        world.test(stop=cut_at(1))
    [left] = world.ours()
    world.crm.edit_invoice(left["_id"], name="Visite")
    assert "left alone" in world.finish() and world.crm.invoice(left["_id"])["status"] == "sent"
    with pytest.raises(Cut):
        world.test(stop=cut_at(0))
    world.crm.delete(world.ours()[0]["_id"])
    assert "taken back" in world.finish()


def test_two_tests_never_work_at_once(world):
    """The second one says that a first is at work, and takes nothing of it back."""
    with world.connection.alone("trial"), pytest.raises(TryLater) as busy:
        world.test()
    assert busy.value.code == "trial_under_way"


def test_a_sync_that_is_at_work_is_waited_for(world):
    """And where it does not end, ours is taken back."""
    with world.connection.alone(), pytest.raises(TryLater) as busy:
        world.test()
    assert busy.value.code == "run_under_way" and world.open_in_crococlick() == []


# -- taxes that Xero has no rate for ----------------------------------------------------------------------------------


def test_one_unmapped_tax_elsewhere_does_not_stop_the_test(world):
    """What can go is made, carried and compared line by line; what cannot is named with its next step."""
    for number, taxes in (("INV-1", [20]), ("INV-2", [7.77]), ("INV-3", [10])):
        world.has(number, lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": taxes}])
    jobs.search(world.connection, "INV")
    result = world.test()
    assert list(wrong(result)) == ["A tax that is left out"] and not result.ok
    assert "TVA 7,77 % has no tax rate in Xero. Choose the Xero sales rate" in wrong(result)["A tax that is left out"]
    said = found(result)
    assert said["Number of lines"] == "2"
    assert {said["Line 1: tax rate"], said["Line 2: tax rate"]} == {"TVA 20 % (TAX001)", "TVA 10 % (TAX002)"}
    assert not world.open_in_crococlick() and not world.open_in_xero()
    world.xero.add_tax_rate("Special", 7.77)
    assert world.test().ok, "a rate that was added since is known at once"


def test_where_no_tax_can_go_nothing_is_made(world):
    """There is nothing to compare: the reasons are listed, and CrocoClick is left alone."""
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.77]}])
    jobs.search(world.connection, "INV")
    result = world.test()
    assert list(wrong(result)) == ["A tax that is left out"] and result.invoice is None
    assert not world.ours()
    assert not world.test().ok, "the test before is over"
