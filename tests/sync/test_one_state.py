"""Every face says the same of every invoice, and what stands in the way of a whole connection is said of each."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from console.desk.desk import Desk
from syncer.app import jobs, states
from syncer.app.installation import who
from syncer.cli.main import main
from syncer.sync.context import RunOptions

WORK = {"name": "Work", "qty": 1, "amount": 100}
OPEN = ("held", "retrying", "in_doubt")


def agreed(world):
    """State and cause of every invoice, by number, after looking that every face says the same of it."""
    states.notice(world.connection)
    desk = Desk(world.app)
    rows = world.app.analysis.ask("SELECT number, state, cause, crococlick_id FROM invoices").rows
    table = {number: (state, cause) for number, state, cause, _ in rows}
    ids = {number: id_ for number, _, _, id_ in rows}
    assert len(ids) == len(rows) == len({one["invoiceNumber"] for one in world.crm.invoices()} & set(ids))
    lists = {row["number"]: (row["state"], row["cause"]) for row in desk.latest()}
    assert lists == table, "the list of invoices and the analysis table"
    assert {n: (desk.find(n)[0]["state"], desk.find(n)[0]["cause"]) for n in table} == table, "search"
    grouped = {
        row["number"]: (row["state"], group.code)
        for group in [*desk.groups(), *desk.skipped()]
        for row in desk.members(group)
    }
    shown = {number: one for number, one in table.items() if one[0] in (*OPEN, "skipped")}
    assert grouped == shown, "the groups of Attention"
    counted = {}
    for row in desk.today().counts:
        key = (row["state"], row["cause"])
        counted[key] = counted.get(key, 0) + row["invoices"]
    assert counted == {one: list(table.values()).count(one) for one in table.values()}, "the counts of Today"
    stories = {number: desk.explain(desk.find(id_)[0]) for number, id_ in ids.items()}
    assert {n: (one.state, one.problem and one.problem.code) for n, one in stories.items()} == table, "the page"
    told = {number: world.explain(id_) for number, id_ in ids.items()}
    assert {n: (one["state"], one["cause"] and one["cause"]["code"]) for n, one in told.items()} == table, "explain"
    for one in told.values():
        assert one["state"] == one["invoice"]["state"]
        assert "None" not in one["verdict"] and "_" not in one["verdict"], one["verdict"]
    return table


def one_of_each(world):
    """An invoice in every state that there is without a problem of the connection."""
    world.has("SYNCED-1")
    world.sync()
    world.has("HELD-1", lines=[{**WORK, "taxes": [7.77]}])
    world.has("DRAFT-1", status="draft")
    world.has("SKIPPED-1")
    jobs.search(world.connection, "SKIPPED-1")
    world.order("skip", "SKIPPED-1", because="a reason")
    world.has("AGAIN-1")
    world.faults.add("rate_limited", side="xero", method="PUT", path="/Invoices", problem="minute", retry_after=4000)
    world.sync()
    return {
        "SYNCED-1": ("synced", None),
        "HELD-1": ("held", "tax_unmapped"),
        "DRAFT-1": ("not_eligible", "status_not_selected"),
        "SKIPPED-1": ("skipped", "skipped_by_person"),
    }


@dataclass(frozen=True)
class Case:
    """What stands in the way, and what mends it. `reads`: CrocoClick is read before it is met."""

    provoke: Callable
    mend: Callable
    state: str = "held"
    reads: bool = True


def refuse_in_xero(world, status, **body):
    headers = body.pop("headers", {})
    world.faults.add("refuse", side="xero", path="/api.xro", times=99, status=status, body=body, headers=headers)


def clear(world):
    world.faults.clear()


CASES = {
    "not_connected": Case(lambda w: w.disconnect(), lambda w: w.connect(), reads=False),
    "consent_revoked": Case(lambda w: w.xero.revoke(), lambda w: w.connect(), reads=True),
    "wrong_organisation": Case(
        lambda w: (w.xero.add_organisation("Other").grant(), w.xero.disconnect()), lambda w: w.connect()
    ),
    "scope_missing": Case(
        lambda w: refuse_in_xero(
            w, 401, Detail="AuthorizationUnsuccessful",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        ),
        clear,
    ),
    "role_missing": Case(
        lambda w: refuse_in_xero(w, 403, Detail="The user does not have permission to do this"), clear
    ),
    "xero_unavailable": Case(
        lambda w: w.faults.add("error_503", side="xero", path="/api.xro", times=99), clear, "retrying"
    ),
    "rate_limited_day": Case(
        lambda w: w.faults.add("rate_limited", side="xero", path="/api.xro", times=99, problem="day", retry_after=3600),
        clear,
        "retrying",
    ),
    "crococlick_token_refused": Case(lambda w: w.crm.refuse(), lambda w: w.crm.allow("pit-sandbox"), reads=False),
    "crococlick_scope_missing": Case(
        lambda w: w.crm.allow("pit-sandbox", ["locations.readonly", "contacts.readonly"]),
        lambda w: w.crm.allow("pit-sandbox"),
        reads=False,
    ),
    "crococlick_wrong_location": Case(
        lambda w: w.faults.add(
            "refuse", side="crococlick", times=99, status=403,
            body={"statusCode": 403, "message": "The token does not have access to this location."},
        ),
        clear,
        reads=False,
    ),
    "crococlick_unavailable": Case(
        lambda w: w.faults.add("error_500", side="crococlick", times=99), clear, "retrying", reads=False
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_what_stands_in_the_way_of_all_is_the_cause_of_each(world, code, monkeypatch, capsys):
    """It is said of what would go over, of nothing else, in every face and in `plan`, and no longer than it is so."""
    case, others = CASES[code], one_of_each(world)
    assert agreed(world) == {**others, "AGAIN-1": ("retrying", "rate_limited_minute")}
    case.provoke(world)
    world.has("NEW-1")
    world.sync()
    stopped = {"AGAIN-1": (case.state, code)}
    if case.reads:
        stopped["NEW-1"] = (case.state, code)
    assert agreed(world) == {**others, **stopped}
    for name, value in world.values.items():
        monkeypatch.setenv(name, value)
    told = command(capsys, "explain", "NEW-1")
    if case.reads or code == "not_connected":
        assert (told["invoice"]["number"], told["state"], told["cause"]["code"]) == ("NEW-1", case.state, code)
    else:
        assert (told["invoice"], told["state"], told["cause"]["code"]) == (None, "unknown", code)
    assert told["cause"]["sentence"] and told["remedy"]["sentence"]
    before = world.box.count()
    planned = {one["number"]: (one["action"], one["cause"]) for one in command(capsys, "plan")["actions"]}
    assert planned["AGAIN-1"] == ("hold", code) and planned["DRAFT-1"] == ("leave", "status_not_selected")
    assert planned["HELD-1"] == ("hold", "tax_unmapped") and world.box.count() > before
    case.mend(world)
    world.sync()
    assert agreed(world) == {**others, "AGAIN-1": ("synced", None), "NEW-1": ("synced", None)}


def test_what_changes_outside_of_a_run_shows_everywhere_at_once(world, monkeypatch, capsys):
    """A setting, an order and what a look finds in Xero: no list says what `explain` does not."""
    for name, value in world.values.items():
        monkeypatch.setenv(name, value)
    world.has("EDITED-1")
    world.has("VOIDED-1")
    world.has("HELD-1", dueDate=None)
    world.sync()
    assert agreed(world)["HELD-1"] == ("held", "due_date_missing")
    command(capsys, "settings", "set", "due_days=30")
    assert agreed(world)["HELD-1"] == ("waiting", None)
    command(capsys, "settings", "set", "due_days=")
    command(capsys, "retry", "HELD-1")
    assert agreed(world)["HELD-1"] == ("held", "due_date_missing"), "asking again does not make it go"
    told = command(capsys, "explain", "HELD-1")["history"]
    assert [one["by"] for one in told if one["what"] == "Asked to try again"] == [who()]
    world.xero.update("invoices", "EDITED-1", DueDate="2027-01-01")
    world.xero.void("VOIDED-1")
    jobs.look(world.connection, RunOptions(fresh=True), lambda *told: None, lambda: False)
    table = agreed(world)
    assert table["EDITED-1"] == ("held", "changed_in_xero") and table["VOIDED-1"] == ("held", "removed_in_xero")
    world.sync()
    assert agreed(world) == table


def test_far_fewer_invoices_than_before_stop_what_is_new_until_a_person_says_so(world):
    """The question is the cause of what waits, and answering it ends it before the next run."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(22):
        world.has(f"INV-{number}", contact=contact)
    world.sync()
    world.has("HELD-1", lines=[{**WORK, "taxes": [7.77]}])
    world.has("NEW-1")
    jobs.search(world.connection, "NEW-1")
    for number in range(22):
        world.crm.delete(f"INV-{number}")
    world.sync(full=True)
    assert (world.state("NEW-1"), world.cause("NEW-1")) == ("held", "source_shrunk")
    assert world.state("INV-1") == "synced"
    world.order("confirm_shrink")
    assert (world.state("NEW-1"), world.cause("NEW-1")) == ("waiting", None)
    world.sync(full=True)
    assert (world.state("NEW-1"), world.cause("INV-1")) == ("synced", "deleted_in_crococlick")


def test_what_neither_the_ledger_nor_crococlick_knows_is_wrong_usage(world, monkeypatch, capsys):
    """An invoice that is new in CrocoClick is found there, by its id too; what is nowhere ends with 2."""
    for name, value in world.values.items():
        monkeypatch.setenv(name, value)
    id_ = world.has("NEW-1")
    told = command(capsys, "explain", id_)
    assert (told["invoice"]["number"], told["state"], told["cause"]) == ("NEW-1", "waiting", None)
    assert main(["explain", "NOWHERE-1", "--json"]) == 2


def command(capsys, *words):
    """The JSON of a command that reads, which ends with 0."""
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)
