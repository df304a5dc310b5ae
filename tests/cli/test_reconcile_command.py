"""`reconcile` as a person, a script and an auditor meet it."""

import json
import re
from decimal import Decimal

import pytest

from sandbox.server import Sandbox
from tests.support import stranger
from tests.support.commands import run, told
from tests.support.sync_world import World

KEYS = {"from", "to", "compared", "equal", "differences", "totals"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two equal books: two invoices of October, one of November that is paid."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        world.set(revenue_account="706", payment_account__EUR="512")
        world.has("INV-1", issueDate="2026-10-10", dueDate="2026-11-10")
        world.has("INV-2", issueDate="2026-10-31", dueDate="2026-11-30")
        world.has("INV-3", issueDate="2026-11-01", dueDate="2026-12-01")
        world.crm.pay("INV-3", at="2026-11-20T10:00:00Z")
        assert world.sync()["created"] == 3
        yield world


def test_equal_books_end_0_with_every_key(world):
    """Without days all that there is is compared, and the answer says from when to when."""
    found = told(world, "reconcile")
    assert set(found) >= KEYS
    assert (found["from"], found["to"], found["compared"], found["equal"]) == ("2026-10-10", "2026-11-01", 3, 3)
    assert found["totals"] == {"EUR": {"crococlick": "360.00", "xero": "360.00", "residual": "0.00"}}
    said = run(world, "reconcile")
    assert "Both books from 10 Oct 2026 to 1 Nov 2026, all that there is; choose with --from and --to." in said.stdout
    assert said.stdout.strip().endswith("Both books agree: 3 documents compared, no difference.")
    assert "Neither book is written to" in said.stderr


def test_a_month_holds_its_first_and_its_last_day(world):
    """And nothing of the next."""
    found = told(world, "reconcile", "--from", "2026-10-10", "--to", "2026-10-31")
    assert (found["from"], found["to"], found["compared"]) == ("2026-10-10", "2026-10-31", 2)
    assert found["totals"]["EUR"]["crococlick"] == "240.00"


def test_without_a_first_day_the_start_date_is_it(world):
    """What is before it was never to go over."""
    world.set(start_date="2026-10-20")
    try:
        found = told(world, "reconcile")
        assert (found["from"], found["compared"]) == ("2026-10-20", 2)
    finally:
        world.set(start_date="")


def test_a_proof_is_checked_by_us_and_by_a_stranger_and_never_written_over(world, tmp_path):
    """It is for this user alone, holds no secret, and its totals can be added up again."""
    file = tmp_path / "october.jsonl"
    found = told(world, "reconcile", "--proof", str(file))
    assert file.stat().st_mode & 0o777 == 0o600 and list(tmp_path.iterdir()) == [file]
    content = file.read_bytes()
    assert stranger.altered(content) == "" and stranger.seal(content) == found["proof"]["seal"]
    cents = {name: Decimal(total["xero"]) * 100 for name, total in found["totals"].items()}
    assert {name: sums["xero"] for name, sums in stranger.totals(content).items()} == cents
    head, *rest = [json.loads(line) for line in content.splitlines()]
    assert head["settings"]["revenue_account"] == "706" and head["version"] and head["xero"]["name"]
    assert [one["kind"] for one in rest] == ["invoice"] * 3 + ["payment", "totals", "seal"]
    assert rest[0]["crococlick"]["total"] == rest[0]["xero"]["total"] == "120.00"
    assert not re.search(rb"pit-|secret|token", content)
    nowhere = {"CROCOCLICK_TOKEN": "", "XERO_CLIENT_ID": "", "SYNCER_DATA_DIR": str(tmp_path / "none")}
    checked = run(world, "reconcile", "--verify", str(file), "--json", **nowhere)
    assert checked.returncode == 0 and json.loads(checked.stdout)["seal"] == found["proof"]["seal"]
    again = run(world, "reconcile", "--proof", str(file))
    assert (again.returncode, "never written over" in again.stderr) == (2, True)
    assert file.read_bytes() == content


def test_an_altered_proof_ends_3_and_names_the_line(world, tmp_path):
    """One digit of one total is enough."""
    file = tmp_path / "proof.jsonl"
    told(world, "reconcile", "--proof", str(file))
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"total":"120.00"', b'"total":"120.01"', 1)
    file.write_bytes(b"".join(lines))
    found = told(world, "reconcile", "--verify", str(file), status=3)
    assert (found["whole"], found["line"]) == (False, 3)
    assert "line 3 is not as it was written" in run(world, "reconcile", "--verify", str(file)).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "yesterday"), "a date such as 2026-01-31"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "is after"),
        (("--proof", "/no/such/folder/x"), "there is no folder"),
        (("--verify", "/no/such/file"), "cannot be read"),
        (("--verify", "/etc/hostname", "--from", "2026-01-01"), "goes alone"),
    ],
)
def test_wrong_words_are_refused(world, words, said):
    """Before anything is read."""
    found = run(world, "reconcile", *words)
    assert (found.returncode, said in found.stderr) == (2, True), found.stderr


def test_a_service_that_is_down_ends_5_and_leaves_no_proof(world, tmp_path):
    """Half a comparison is none."""
    file = tmp_path / "proof.jsonl"
    done = run(world, "reconcile", "--proof", str(file), CROCOCLICK_API_URL="http://127.0.0.1:9")
    assert done.returncode == 5, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_difference_ends_3_with_its_sentence_and_the_next_step(world):
    """What a person reads: what differs, who settles it how, the totals, and how much of them is not explained."""
    world.xero.update("invoices", "INV-2", Total="130.00")
    world.has(
        "INV-4",
        issueDate="2026-11-02",
        dueDate="2026-12-02",
        lines=[{"name": "W", "qty": 1, "amount": 10, "taxes": [7]}],
    )
    world.sync()
    done = run(world, "reconcile")
    assert done.returncode == 3
    assert "INV-2  Total: CrocoClick has €120.00, Xero €130.00." in done.stdout
    assert "Next (you): " in done.stdout
    assert re.search(r"INV-4  Xero does not have this invoice for .* over €10.70. Why: .*TVA 7 % ", done.stdout)
    assert re.search(r"EUR +370.70 +370.00 +0.00", done.stdout)
    assert done.stdout.strip().endswith("4 documents compared, 2 equal, 3 differences.")


def test_not_connected_ends_4(world):
    """Xero's consent is gone: nothing can be compared."""
    world.disconnect()
    assert run(world, "reconcile").returncode == 4
