"""`plan` says what the same `sync` then does: for each invoice, with its cause, and what it costs."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from syncer.cli.main import main
from syncer.domain.model.problems import NOT_ELIGIBLE
from tests.support import causes

TODAY = datetime.now(UTC).date()
NOT_HELD = NOT_ELIGIBLE | {"skipped_by_person", "answer_lost"}
DONE = {"create": "created", "update": "updated", "void": "voided"}


@pytest.fixture
def ask(world, monkeypatch, capsys):
    """Runs a command with `--json` as a script does, and gives its one object."""
    for name, value in world.values.items():
        monkeypatch.setenv(name, value)

    def ask(*words):
        capsys.readouterr()
        main([*words, "--json"])
        return json.loads(capsys.readouterr().out)

    return ask


def foretold(world, ask, *words, within=0.2):
    """A plan and the sync that follows it, compared; gives both."""
    writes, wrote_there = world.writes(), len(world.crm.messages())
    plan = ask("plan", *words)
    assert world.writes() == writes and len(world.crm.messages()) == wrote_there, "a plan touches neither book"
    sync = ask("sync", *words)
    assert sync.get("ended") == "done", sync
    numbers = {row["source_id"]: row["number"] for row in world.ledger.rows("latest_invoices", limit=500)}
    did = {
        (id_, row["what"])
        for id_ in numbers
        for row in world.ledger.rows("history_of", kind="invoice", source_id=id_)
        if row["run_id"] == sync["run_id"]
    }
    said = {(one["invoice_id"], DONE[one["action"]]) for one in plan["actions"] if one["action"] in DONE}
    done = {(id_, what) for id_, what in did if what in DONE.values()}
    assert named(said, numbers) == named(done, numbers)
    paid = {numbers[id_] for id_, what in did if what == "paid"}
    assert {one["number"] for one in plan["actions"] if one["action"] == "pay"} <= paid
    held = {one["number"]: one["cause"] for one in plan["actions"] if one["cause"] and one["cause"] not in NOT_HELD}
    assert held == {one["number"]: one["cause"] for one in sync["held"]}
    counts = plan["totals"]["by_action"]
    assert [counts[name] for name in DONE] == [sync["outcomes"][name] for name in DONE.values()] or held
    calls, priced = sync["calls"]["xero"], plan["price"]["xero_calls"]
    assert abs(priced - calls) <= within * calls + 3, (priced, calls, [c.path for c in world.box.calls[-calls - 9 :]])
    return plan, sync


def named(those, numbers):
    return sorted((numbers[id_], what) for id_, what in those)


def client(world, name, **fields):
    return world.crm.add_contact(name=name, email=f"{name.lower().replace(' ', '.')}@example.org", **fields)


def at_first(world):
    """Everything that an invoice may be when it is seen for the first time."""
    shared = client(world, "Shared")
    for number in range(60):
        world.has(f"PLAIN-{number}", contact=shared)
    world.set(payment_account__EUR=causes.bank(world), create_tax_rates="true", create_currencies="true")
    for number in range(3):
        world.crm.pay(world.has(f"PAID-{number}"), 120)
    world.crm.pay(world.has("PART-1"), 50)
    world.crm.refund(world.crm.pay(world.has("REFUND-1"), 120), 20)
    world.crm.edit_invoice(world.has("SHORT-1"), amountPaid=30, amountDue=90, status="partially_paid")
    world.crm.pay(world.has("KRONOR-PAID-1", currency="SEK"), 120)
    world.has("KRONOR-1", currency="SEK")
    world.has("RATE-1", lines=causes.vat(7.77))
    world.has("RATE-2", lines=causes.vat(7.77))
    world.has("OLD-1", issueDate=(TODAY - timedelta(days=90)).isoformat())
    world.crm.pay(world.has("OLD-PAID-1", issueDate=(TODAY - timedelta(days=80)).isoformat()), 120)
    for status in ("draft", "void"):
        world.has(f"{status.upper()}-1", status=status)
    world.has("TEST-1", liveMode=False)
    world.has("NO-DUE-1", dueDate=None)
    world.has("NOTHING-1", lines=causes.vat(20, amount=0))
    world.has("NEGATIVE-1", lines=causes.vat(20, amount=-5))
    world.has("NO-NAME-1", lines=causes.vat(20, name=""))
    world.crm.add_late_fee(world.has("FEE-1"), 12)
    world.has("TWICE-1", issueDate="2026-11-02", contact=client(world, "Twice one"))
    world.has("TWICE-1", issueDate="2026-11-03", contact=client(world, "Twice two"))
    twin = {"EmailAddress": "twin@example.org"}
    world.xero.add_contact(Name="Twin one", **twin)
    world.xero.add_contact(Name="Twin two", **twin)
    world.has("AMBIGUOUS-1", contact=world.crm.add_contact(name="Twin", email="twin@example.org"))
    world.xero.add_contact(Name="Customer of TAKEN-1", EmailAddress="else@example.org")
    world.has("TAKEN-1")


def changes_after(world):
    """What may happen to invoices that went over, in CrocoClick and in Xero, with a person's orders among it."""
    world.crm.edit_invoice("PLAIN-0", lines=causes.vat(20, amount=130))
    world.crm.edit_invoice("PLAIN-1", number="RENUMBERED-1")
    world.crm.edit_invoice("PLAIN-2", contact=client(world, "Somebody else"))
    world.crm.edit_invoice("PLAIN-3", lines=causes.vat(9.99))
    world.crm.edit_invoice("PLAIN-4", lines=causes.vat(20, name=""))
    world.crm.edit_invoice("PLAIN-5", dueDate="2027-01-31")
    for number in (6, 7):
        world.crm.void(f"PLAIN-{number}")
    for number in (8, 9):
        world.crm.pay(f"PLAIN-{number}", 120)
    world.crm.pay("PLAIN-10", 40)
    world.crm.edit_invoice("PAID-0", lines=causes.vat(20, amount=300))
    world.crm.edit_invoice("PAID-1", dueDate="2027-01-31")
    world.crm.void("PAID-2")
    world.crm.pay("PART-1", 70)
    world.crm.edit_invoice("NO-DUE-1", dueDate="2027-01-31")
    world.crm.send("DRAFT-1")
    # Somebody changed these in Xero, and our mirror does not know it yet.
    world.xero.update("invoices", "PLAIN-11", DueDate="2027-03-01")
    world.crm.edit_invoice("PLAIN-11", lines=causes.vat(20, amount=77))
    world.xero.void("PLAIN-12")
    world.crm.edit_invoice("PLAIN-12", lines=causes.vat(20, amount=77))
    world.xero.pay("PLAIN-13", 120)
    world.crm.void("PLAIN-13")
    for number in range(30):
        world.has(f"NEW-{number}")
    world.crm.pay(world.has("NEW-PAID-1"), 120)


def test_a_first_sync_is_foretold(world, ask):
    """Everything at once: new contacts, rates and currencies, payments that follow their documents, old ones apart."""
    at_first(world)
    plan, sync = foretold(world, ask)
    assert sync["outcomes"]["created"] > 60 and plan["totals"]["by_action"]["create"] > 60
    assert {one["cause"] for one in plan["actions"]} >= {"contact_ambiguous", "number_taken", "void_before_sync"}
    foretold(world, ask)
    foretold(world, ask, "--full")


@pytest.mark.parametrize("words", [(), ("--full",)], ids=["plain", "full"])
def test_what_follows_a_first_sync_is_foretold(world, ask, words):
    """Edits, voids, payments and what somebody changed in Xero: read as the sync reads it, decided as it decides."""
    at_first(world)
    ask("sync")
    changes_after(world)
    plan, sync = foretold(world, ask, *words)
    counts = plan["totals"]["by_action"]
    assert counts["update"] >= 6 and counts["void"] >= 2 and counts["pay"] >= 3 and counts["create"] >= 30
    assert sync["outcomes"]["paid"] >= 4
    assert ("PLAIN-11", "changed_in_xero") in {(one["number"], one["cause"]) for one in plan["actions"]}


def ordered_reapply(world, how):
    world.crm.pay(world.has("INV-1"), 50)
    world.sync()
    world.crm.edit_invoice("INV-1", lines=causes.vat(20, amount=300)) if how == "edit" else world.crm.void("INV-1")
    world.sync()
    world.order("reapply_payments", "INV-1")


def ordered_same_payment(world):
    causes.accountant_paid(world)
    world.sync(full=True)
    world.order("same_payment", "INV-1")


def ordered_overwrite(world):
    causes.once_in_xero(world)
    world.xero.update("invoices", "INV-1", DueDate="2027-01-01")
    world.sync(full=True)
    world.order("overwrite", "INV-1")


def ordered_adopt(world):
    causes.strangers_number(world)
    world.sync()
    world.order("adopt", "INV-1")


def payment_taken_off(world):
    """Somebody took our payment off in Xero, and a person orders it to be entered again."""
    world.crm.pay(world.has("INV-1"), 120)
    world.sync()
    world.xero.delete_payment(world.xero.payments()[0]["PaymentID"])
    world.sync(full=True)
    world.order("overwrite", "INV-1")


def answer_lost(world):
    """The answer to a creation is lost, and the look that follows too."""
    world.has("INV-1")
    world.faults.add("accepted_then_hung_up", side="xero", method="PUT", path="/Invoices")
    world.faults.add("error_503", side="xero", method="GET", path="/Invoices", times=9)
    world.sync()
    world.faults.clear()


def gone_from_crococlick(world):
    causes.once_in_xero(world)
    world.crm.delete("INV-1")


ORDERED = {
    "reapply, an edit": lambda w: ordered_reapply(w, "edit"),
    "reapply, a void": lambda w: ordered_reapply(w, "void"),
    "same payment": ordered_same_payment,
    "overwrite": ordered_overwrite,
    "adopt": ordered_adopt,
    "a payment taken off": payment_taken_off,
    "answer lost": answer_lost,
    "payments cannot be seen": lambda w: (
        w.crm.pay(w.has("INV-1"), 120), w.crm.allow("pit-sandbox", ["invoices.readonly", "locations.readonly"])
    ),
    "skipped": lambda w: (w.has("INV-1"), w.set(start_date="2030-01-01"), w.sync(), w.set(start_date=""),
                          w.order("skip", "INV-1", because="a reason")),
    "no account for payments": lambda w: (w.set(payment_account=""), causes.paid(w)),
    "void as draft": lambda w: (
        w.set(statuses="draft,sent,void"), w.has("INV-1", status="draft"), w.sync(), w.crm.void("INV-1")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERED)
def test_orders_and_troubles_are_foretold(world, ask, case):
    """What a person ordered, step by step in one run: take off, send, put back; and what is found to be there."""
    world.set(payment_account=causes.bank(world))
    ORDERED[case](world)
    foretold(world, ask)


def test_one_invoice_is_foretold_alone(world, ask):
    """`plan --invoice` and `sync --invoice`: this one, whatever else there is; one that is synced stays as it is."""
    world.set(payment_account=causes.bank(world))
    for number in ("INV-1", "INV-2"):
        world.crm.pay(world.has(number), 120)
    plan, _ = foretold(world, ask, "--invoice", "INV-1")
    assert [(one["number"], one["action"]) for one in plan["actions"]] == [("INV-1", "create")]
    world.crm.edit_invoice("INV-1", dueDate="2027-01-31")
    plan, _ = foretold(world, ask, "--invoice", "INV-1")
    assert plan["totals"]["by_action"]["update"] == 1
    plan, _ = foretold(world, ask, "--invoice", "INV-1")
    assert plan["totals"]["by_action"]["leave"] == 1 and plan["price"]["xero_calls"] == 0


def paid_in_part(world, many):
    for number in range(many):
        world.crm.pay(f"INV-{number:02}", 20)


def paid_whole(world):
    for number in range(3):
        world.crm.pay(f"INV-{number:02}", 120)


def paid_and_edited(world):
    for number in range(3):
        world.crm.edit_invoice(f"INV-{number:02}", dueDate="2027-01-31")
        world.crm.pay(f"INV-{number:02}", 20)


def paid_by_hand_too(world):
    """The accountant enters the same by hand, and we do not know it yet."""
    for number in range(2):
        world.xero.pay(f"INV-{number:02}", 20)
        world.crm.pay(f"INV-{number:02}", 20)
    world.crm.pay("INV-02", 20)


PAID = {
    "45 parts": (lambda world: paid_in_part(world, 45), 3),
    "3 parts": (lambda world: paid_in_part(world, 3), 2),
    "whole": (paid_whole, 1),
    "on what is changed": (paid_and_edited, 3),
    "by hand too": (paid_by_hand_too, 2),
}


@pytest.mark.parametrize("case", PAID)
def test_the_look_before_part_payments_is_priced(world, ask, case):
    """Forty invoices a call, where a part payment could be there already: to the call what the sync then takes."""
    world.set(payment_account=causes.bank(world))
    contact = client(world, "Large")
    for number in range(45):
        world.has(f"INV-{number:02}", contact=contact)
    ask("sync")
    happens, calls = PAID[case]
    happens(world)
    plan, sync = foretold(world, ask)
    assert plan["price"]["xero_calls"] == sync["calls"]["xero"] == calls


def test_what_a_ledger_that_was_put_back_forgot_is_foretold(world, ask, tmp_path):
    """The plan lists what moved in Xero, as the sync would: nothing is said to be created that is there."""
    world.set(payment_account=causes.bank(world))
    world.has("OLD")
    ask("sync")
    shutil.copy(tmp_path / "ledger.duckdb", tmp_path / "kept")
    world.has("INV-1")
    ask("sync")
    world.crm.edit_invoice("INV-1", number="INV-2")
    shutil.copy(tmp_path / "kept", tmp_path / "ledger.duckdb")
    world.has("INV-3")
    plan, sync = foretold(world, ask)
    assert (plan["totals"]["by_action"]["create"], sync["outcomes"]["created"]) == (1, 1)
    assert plan["price"]["xero_calls"] == sync["calls"]["xero"]
