"""A watch: whatever is due, at once or at its time, and not one call more."""

import threading
from datetime import timedelta

import pytest

from syncer.app.watch import ConnectionWatch
from syncer.app.worker import Worker
from syncer.connectors.crococlick import webhooks
from syncer.domain.planning.schedule import ScheduledStep
from syncer.storage.heartbeat import watching
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
def watch(world):
    """A watch over the connected sandbox, after its first sweep carried an invoice."""
    [bank] = [one for one in world.xero.accounts() if one["Type"] == "BANK" and one.get("CurrencyCode") == "EUR"]
    world.set(payment_account=bank["AccountID"])
    world.has("INV-0")
    watch = ConnectionWatch(world.connection)
    settle(watch)
    return watch


def settle(watch, most=12):
    """Turn until nothing is due; answers with the steps that were taken."""
    steps = []
    for _ in range(most):
        planned = watch.turn()
        if planned.step is ScheduledStep.REST:
            return steps
        steps.append(planned.step)
    raise AssertionError(f"it never rests: {steps}")


def tell(world, kind, invoice_id, **changes):
    """CrocoClick tells of an invoice or a contact; the door has taken it in."""
    _, body = world.crm.webhook(kind, invoice_id, **changes)
    event = webhooks.read(body, world.app.clock.now())
    world.app.inbox.put(event)
    return event


def xero_calls(world):
    """How many calls the organisation's limits have counted."""
    return world.box.count(side="xero", path="/api.xro")


def test_an_invoice_that_was_sent_is_looked_at_alone(world, watch):
    """One call to CrocoClick for the invoice, one for who we talk to; one to Xero, one more for the new contact."""
    world.has("INV-1")
    settled, before = world.box.count(side="crococlick"), xero_calls(world)
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    assert settle(watch) == [ScheduledStep.LOOK]
    assert world.xero.numbers() == ["INV-0", "INV-1"]
    assert world.box.count(side="crococlick") - settled == 2
    assert xero_calls(world) - before == 2
    assert world.app.inbox.waiting() == 0


def test_what_each_kind_of_work_costs_in_calls(world, watch):
    """A new invoice of a known contact 1, a changed one 2, payments of several invoices 1 for all."""
    contact = world.crm.add_contact(name="Known", email="known@example.org")
    for number in ("INV-1", "INV-2"):
        world.has(number, contact)
        tell(world, "InvoiceSent", world.crm.invoice(number)["_id"])
        settle(watch)
    world.has("INV-3", contact)
    before = xero_calls(world)
    tell(world, "InvoiceSent", world.crm.invoice("INV-3")["_id"])
    settle(watch)
    assert xero_calls(world) - before == 1

    world.crm.edit_invoice("INV-3", name="Another name")
    before = xero_calls(world)
    tell(world, "InvoiceUpdate", world.crm.invoice("INV-3")["_id"])
    settle(watch)
    assert xero_calls(world) - before == 2

    for number in ("INV-1", "INV-2", "INV-3"):
        world.crm.pay(number)
        tell(world, "InvoicePaid", world.crm.invoice(number)["_id"])
    before = xero_calls(world)
    settle(watch)
    assert xero_calls(world) - before == 1
    assert [one["Status"] for one in world.xero.invoices()] == ["AUTHORISED", "PAID", "PAID", "PAID"]


def test_an_hour_with_nothing_new_costs_xero_nothing(world, watch):
    """Whatever is held or wrong meanwhile, sweeps ask Xero for nothing, and leave one run an hour in the list."""
    watch.every = timedelta(minutes=6)
    world.has("INV-1")
    world.has("INV-2", lines=[{"name": "Book", "qty": 1, "amount": 10, "taxes": [7]}])
    world.later(minutes=6)
    settle(watch)
    assert world.state("INV-2") == "held"
    before = xero_calls(world)
    for _ in range(10):
        world.later(minutes=6)
        assert settle(watch) == [ScheduledStep.SWEEP]
    assert xero_calls(world) == before
    idle = [run for run in world.ledger.rows("runs", limit=99) if run["asked_by"] == "watch"]
    assert len(idle) <= 5


def test_requests_and_answers_are_kept_for_so_long_and_no_longer(world, watch):
    """With every run those of days before `retention_days` are deleted, whoever started it."""
    folder = world.app.environment.data_dir / "bodies" / "default"
    assert [day.name for day in folder.iterdir()] == [world.app.clock.now().date().isoformat()]
    world.set(retention_days="30")
    settle(watch)
    assert len(list(folder.iterdir())) == 1
    world.later(days=31)
    settle(watch)
    assert not [day for day in folder.iterdir() if day.name < world.app.clock.now().date().isoformat()]


def test_an_event_counts_once_however_often_it_comes(world, watch):
    """Repeated, late, before its invoice is there: nothing changes but the delay."""
    world.has("INV-1")
    id_ = world.crm.invoice("INV-1")["_id"]
    once = tell(world, "InvoiceSent", id_)
    settle(watch)
    calls = world.box.count()
    world.app.inbox.put(once)
    assert settle(watch) == []
    assert world.box.count() == calls
    assert world.xero.numbers() == ["INV-0", "INV-1"]


def test_events_out_of_order_come_to_the_same(world, watch):
    """Paid is told before sent, and void before both: what counts is what CrocoClick says when it is asked."""
    world.has("INV-1")
    id_ = world.crm.invoice("INV-1")["_id"]
    world.crm.pay("INV-1")
    for kind in ("InvoicePaid", "InvoiceSent", "InvoiceCreate"):
        tell(world, kind, id_)
    settle(watch)
    assert [(one["InvoiceNumber"], one["Status"]) for one in world.xero.invoices()] == [
        ("INV-0", "AUTHORISED"),
        ("INV-1", "PAID"),
    ]


def test_a_lost_event_costs_one_sweep(world, watch):
    """Nobody tells of the invoice: the next sweep finds it."""
    world.has("INV-1")
    assert settle(watch) == []
    world.later(minutes=2)
    assert settle(watch) == [ScheduledStep.SWEEP]
    assert world.xero.numbers() == ["INV-0", "INV-1"]


def test_an_invoice_that_cannot_be_read_keeps_nobody_waiting(world, watch):
    """Its event is done with, what is new goes at its time, also a day later; it goes on once it can be read."""
    world.crm.edit_invoice("INV-0", status="odd")
    tell(world, "InvoiceUpdate", world.crm.invoice("INV-0")["_id"])
    assert settle(watch) == [ScheduledStep.LOOK]
    assert (world.cause("INV-0"), world.app.inbox.waiting()) == ("invoice_unreadable", 0)
    for number, passed in (("INV-1", {"minutes": 2}), ("INV-2", {"hours": 25})):
        world.has(number)
        world.later(**passed)
        assert ScheduledStep.SWEEP in settle(watch)
        assert number in world.xero.numbers()
    world.crm.edit_invoice("INV-0", status="sent")
    world.later(minutes=2)
    settle(watch)
    assert world.state("INV-0") == "synced"


def test_an_event_that_fails_two_runs_is_let_go(world, watch):
    """CrocoClick refuses every question but the lists; sweeps go on meanwhile, and the queue behind it too."""
    world.has("INV-1")
    event = tell(world, "InvoiceUpdate", world.crm.invoice("INV-1")["_id"], _id="x" * 24)
    for name in ("/invoices/xxx", "/locations/"):
        world.faults.add("refuse", side="crococlick", path=name, times=8, status=422, body={"message": "no"})
    settle(watch)
    assert world.app.inbox.waiting() == 1
    world.later(minutes=2)
    settle(watch)
    world.later(minutes=2)
    settle(watch)
    assert world.app.inbox.waiting() == 0 and world.ledger.unknown_events([event]) == []
    world.faults.clear()
    world.later(minutes=2)
    settle(watch)
    assert "INV-1" in world.xero.numbers()


def test_an_invoice_that_was_deleted(world, watch):
    """Before it went over it is left out; CrocoClick is asked, and has it no more."""
    world.has("INV-1", lines=[{"name": "Book", "qty": 1, "amount": 10, "taxes": [7]}])
    id_ = world.crm.invoice("INV-1")["_id"]
    event = tell(world, "InvoiceCreate", id_)
    settle(watch)
    assert world.state("INV-1") == "held"
    deleted = tell(world, "InvoiceDelete", id_, webhookId="another")
    assert deleted.id != event.id
    world.crm.delete("INV-1")
    settle(watch)
    assert world.cause("INV-1") == "deleted_in_crococlick"


def test_a_customer_that_was_changed(world, watch):
    """What waits for the customer is looked at again."""
    world.xero.add_contact(Name="Martin", EmailAddress="other@example.org")
    contact = world.crm.add_contact(name="Martin", email="martin@example.org")
    world.has("INV-1", contact)
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    settle(watch)
    assert world.cause("INV-1") == "contact_name_taken"
    world.box.reset_calls()
    tell(world, "ContactUpdate", contact)
    assert settle(watch) == [ScheduledStep.LOOK]
    [id_] = [world.crm.invoice("INV-1")["_id"]]
    assert world.box.count(side="crococlick", path=f"/invoices/{id_}") == 1


def test_an_order_is_carried_out_at_once(world, watch):
    """The accountant has added the rate, and a person says so: nobody has to sync, and nobody waits for the morning."""
    world.has("INV-1", lines=[{"name": "Book", "qty": 1, "amount": 10, "taxes": [7]}])
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    settle(watch)
    assert world.state("INV-1") == "held"
    world.xero.add_tax_rate("TVA 7 %", 7)
    assert settle(watch) == []
    world.order("retry", "INV-1")
    assert settle(watch) == [ScheduledStep.LOOK]
    assert world.state("INV-1") == "synced"


def test_a_setting_that_was_changed_counts_at_once(world, watch):
    """What was held for it goes over."""
    world.set(revenue_account="999")
    settle(watch)
    world.has("INV-1")
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    settle(watch)
    assert world.cause("INV-1") == "account_invalid"
    world.set(revenue_account="706")
    assert settle(watch) == [ScheduledStep.GO_ON]
    assert world.state("INV-1") == "synced"


def test_what_heals_by_itself_is_tried_at_the_time_that_was_announced(world, watch):
    """Xero is down: the invoice says when it is tried again, and no sweep tries it before."""
    contact = world.crm.add_contact(name="Known", email="known@example.org")
    world.has("INV-1", contact)
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    settle(watch)
    world.has("INV-2", contact)
    world.faults.next_write("refuse", status=503, body="The Organisation is offline")
    world.faults.add("error_503", "xero", times=99)
    tell(world, "InvoiceSent", world.crm.invoice("INV-2")["_id"])
    settle(watch)
    assert world.state("INV-2") in ("retrying", "in_doubt", "waiting")
    world.faults.clear()
    world.later(minutes=20)
    settle(watch)
    assert sorted(world.xero.numbers()) == ["INV-0", "INV-1", "INV-2"]


def test_nothing_is_asked_of_anybody_without_a_consent(world, watch):
    """The consent has ended: the watch rests, until somebody connects again."""
    world.xero.revoke()
    world.has("INV-1")
    tell(world, "InvoiceSent", world.crm.invoice("INV-1")["_id"])
    settle(watch)
    before = world.box.count()
    for _ in range(5):
        world.later(minutes=10)
        assert watch.turn().step is ScheduledStep.REST
    assert world.box.count() == before
    world.connect()
    again = ConnectionWatch(world.connection)
    settle(again)
    assert world.xero.numbers() == ["INV-0", "INV-1"]


def test_far_fewer_invoices_than_before_stop_it_until_somebody_answers(world, watch):
    """Nothing is concluded; asked again within the hour is only the person."""
    for number in range(1, 24):
        world.has(f"INV-{number}")
    world.later(minutes=3)
    settle(watch)
    for number in range(1, 20):
        world.crm.delete(f"INV-{number}")
    world.later(days=1, minutes=1)
    settle(watch)
    assert watch.lately.shrunk
    assert world.state("INV-1") == "synced"
    calls = world.box.count()
    world.later(minutes=5)
    assert settle(watch) == []
    assert world.box.count() == calls
    world.order("confirm_shrink")
    settle(watch)
    assert world.cause("INV-1") == "deleted_in_crococlick"


def test_a_long_run_makes_way_for_a_person(world, watch):
    """The backfill ends after the calls under way, the order is carried out, and the backfill goes on."""
    world.has("INV-1", lines=[{"name": "Book", "qty": 1, "amount": 10, "taxes": [7]}])
    world.later(minutes=3)
    settle(watch)
    for number in range(60):
        world.has(f"OLD-{number}", issueDate="2020-01-01", dueDate="2020-02-01")
    world.later(minutes=3)
    asked = []

    def order_meanwhile():
        if not asked:
            asked.append(world.order("retry", "INV-1"))

    stop = watch._must_stop
    watch._must_stop = lambda: (order_meanwhile(), setattr(watch, "_asked_at", 0.0), stop())[2]
    steps = settle(watch)
    assert steps[:2] == [ScheduledStep.SWEEP, ScheduledStep.LOOK], steps
    assert len(world.xero.numbers()) == 61
    ends = [run["ended"] for run in world.ledger.rows("runs", limit=9)]
    assert "made_way" in ends


def test_a_backfill_goes_on_right_after_what_was_more_urgent(world, watch):
    """It was half done when the order came: the order is carried out, and the other half follows without a reading."""
    world.set(calls_in_flight="1")
    world.has("INV-1", lines=[{"name": "Book", "qty": 1, "amount": 10, "taxes": [7]}])
    world.later(minutes=3)
    settle(watch)
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(120):
        world.has(f"OLD-{number}", contact, issueDate="2020-01-01", dueDate="2020-02-01")
    world.later(minutes=3)
    asked, stop = [], watch._must_stop

    def must_stop():
        if not asked and len(world.xero.numbers()) > 1:
            asked.append(world.order("retry", "INV-1"))
        watch._asked_at = 0.0
        return stop()

    watch._must_stop = must_stop
    assert settle(watch) == [ScheduledStep.SWEEP, ScheduledStep.LOOK, ScheduledStep.GO_ON]
    assert len(world.xero.numbers()) == 121


def test_what_is_being_set_up_is_left_alone(world):
    """The console's watch begins when somebody has synced the whole for the first time, not with the consent."""
    world.has("INV-1")
    watch = ConnectionWatch(world.connection, waits_for_go=True)
    assert settle(watch) == [] and world.xero.numbers() == []
    world.sync(scope="INV-1", only=frozenset({world.crm.invoice("INV-1")["_id"]}))
    world.has("INV-2")
    assert settle(watch) == []
    world.sync()
    world.has("INV-3")
    world.later(minutes=3)
    assert settle(watch) == [ScheduledStep.SWEEP]
    assert sorted(world.xero.numbers()) == ["INV-1", "INV-2", "INV-3"]


def test_a_second_watch_stands_by(world):
    """And takes over when the first one ends."""
    said = []
    first, second = (Worker(world.app, every=timedelta(seconds=600), say=said.append) for _ in range(2))
    threads = [threading.Thread(target=one.run) for one in (first, second)]
    threads[0].start()
    until(lambda: said == ["Watching default."])
    threads[1].start()
    until(lambda: len(said) == 2)
    assert "stands by" in said[1]
    first.stop()
    threads[0].join(PATIENCE_S)
    until(lambda: said[2:] == ["Watching default."])
    second.stop()
    threads[1].join(PATIENCE_S)
    assert watching(world.app.environment.data_dir, "default") is None
