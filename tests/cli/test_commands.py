"""The commands as a person and a script meet them: exit status, one JSON object, sentences."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from syncer.cli.main import main
from syncer.storage.heartbeat import watching
from syncer.storage.ledger.ledger import Ledger
from tests.support.commands import ROOT, run, told
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sandbox(world="quiet", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        yield world


def test_from_settings_to_explain(world):
    """Settings, plan, sync, explain, sql and export, each as contract and JSON promise."""
    shown = told(world, "settings", "set", "revenue_account=706", "payment_account.EUR=512")
    assert shown["settings"]["revenue_account"]["value"] == "706"
    plan = told(world, "plan")
    assert plan["totals"]["by_action"]["create"] == 3 and plan["price"]["xero_calls"] >= 1
    assert world.writes() == 0
    sync = told(world, "sync")
    assert sync["outcomes"]["created"] == 3 and sync["outcomes"]["paid"] == 1 and sync["held"] == []
    number = world.xero.numbers()[0]
    explained = told(world, "explain", number)
    assert set(explained) >= {"invoice", "state", "cause", "remedy", "xero", "history"}
    assert (explained["state"], explained["cause"]) == ("synced", None)
    answer = told(world, "sql", "SELECT state, count(*) AS n FROM invoices GROUP BY state")
    assert answer == {"columns": ["state", "n"], "rows": [["synced", 3]], "truncated": False}
    status = told(world, "status")
    assert status["state"] == "connected" and status["last_run"]["outcomes"]["created"] == 3


def test_a_named_connection_limits_what_is_asked_and_written(world, tmp_path):
    """Without a name `sql` and `export` are about all connections; a name that nobody gave is refused."""
    other, to = Ledger(world.app.store, "lyon"), str(tmp_path / "runs.csv")
    other.begin_run("run-of-lyon", "", "a test", 1, world.app.clock.now())
    asked = "SELECT DISTINCT connection FROM runs ORDER BY ALL"
    assert told(world, "sql", asked)["rows"] == [["default"], ["lyon"]]
    assert told(world, "sql", asked, "--connection", "default")["rows"] == [["default"]]
    whole = told(world, "export", "runs", "--to", to)["rows"]
    assert told(world, "export", "runs", "--to", to, "--connection", "default")["rows"] == whole - 1
    assert run(world, "sql", asked, "--connection", "nowhere").returncode == 2
    rows = world.app.register.audit({"what": "exported"}, 9)
    assert [(row["subject"], row["connection"]) for row in rows] == [("runs", "default"), ("runs", "")]


def test_what_needs_a_person_ends_with_3(world):
    """A held invoice makes the sync end with 3 and is listed with its cause."""
    contact = world.crm.add_contact(name="Late", email="late@example.org")
    line = {"name": "Work", "qty": 1, "amount": 10, "taxes": [7.7]}
    world.crm.add_invoice(contact=contact, number="HELD-1", status="sent", lines=[line])
    sync = told(world, "sync", status=3)
    assert [(one["number"], one["cause"]) for one in sync["held"]] == [("HELD-1", "tax_unmapped")]
    assert "needs action" in run(world, "explain", "HELD-1").stdout.lower()


def test_a_remedy_works(world):
    """Once the tax is mapped to a rate that Xero has, the next sync reads the rates again and sends the invoice."""
    rate = world.xero.add_tax_rate("Taxe locale", 7.7)
    told(world, "settings", "set", f"tax.7.7%={rate}")
    assert told(world, "explain", "HELD-1")["state"] == "held"  # the ledger has not read the new rate yet
    assert told(world, "sync")["outcomes"]["created"] == 1
    assert told(world, "explain", "HELD-1")["state"] == "synced"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "COMMAND"),
        (("nonsense",), "nonsense"),
        (("settings", "set", "bogus=1"), "bogus"),
        (("settings", "set", "due_days=soon"), "due_days"),
        (("settings", "set", "tax.10%+5%=OUTPUT"), "smallest first"),
        (("explain", "no-such-invoice"), "no-such-invoice"),
        (("sync", "--invoice", "no-such-invoice"), "no-such-invoice"),
        (("status", "--connection", "nowhere"), "nowhere"),
        (("sql", "DROP TABLE invoices"), ""),
        (("export", "everything", "--to", "x.csv"), "everything"),
        (("connect", "--location", "x"), "--token-file"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(world, words, says):
    """Bad input is refused with what is wrong and where; nothing is changed."""
    done = run(world, *words)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_not_connected_ends_with_4(world, tmp_path):
    """Without a connection a sync says so and how to connect."""
    done = run(world, "sync", SYNCER_DATA_DIR=str(tmp_path))
    assert done.returncode == 4
    assert "Connect Xero" in done.stderr


def test_orders_are_given_and_taken_back(world):
    """Skip with a reason, see it left out, take it back: each one JSON object, recorded with who gave it."""
    world.has("ORDER-1", dueDate=None)
    told(world, "sync", status=3)
    given = told(world, "skip", "ORDER-1", "--because", "made twice", "--until", "2099-01-01")
    assert given["order"] == "skip" and [one["number"] for one in given["given"]] == ["ORDER-1"]
    explained = told(world, "explain", "ORDER-1")
    assert explained["state"] == "skipped" and "made twice" in explained["cause"]["sentence"]
    assert explained["history"][-1]["by"] not in ("", "sync")
    assert told(world, "sync")["outcomes"]["skipped"] == 1
    told(world, "unskip", "ORDER-1")
    assert told(world, "sync", status=3)["held"][0]["cause"] == "due_date_missing"
    told(world, "order", "map", "ORDER-1", "due_days=30")
    assert told(world, "sync")["outcomes"]["created"] == 1


WRONG_ORDERS = [
    (["skip", "ORDER-1"], "needs a reason"),
    (["skip", "ORDER-1", "--because", "x", "--until", "soon"], "must be a date"),
    (["skip", "ORDER-1", "--because", "x", "--until", "2001-01-01"], "a day to come"),
    (["unskip", "ORDER-1"], "is not skipped"),
    (["retry", "NOTHING"], "No invoice fits"),
    (["order", "dance", "ORDER-1"], "There is no order 'dance'"),
    (["order", "adopt", "ORDER-1"], "nothing in Xero that could count"),
    (["order", "link_contact", "ORDER-1", "contact=nobody@example.org"], "has no contact"),
    (["order", "map", "ORDER-1", "tax.20%=not a type"], "TaxType"),
    (["order", "retry", "ORDER-1", "hard=yes"], "takes no values"),
    (["order", "undo", "ORDER-1", "twice=1"], "takes no values"),
    (["order", "reapply_payments", "ORDER-1"], "does not wait behind a payment"),
]


@pytest.mark.parametrize(("words", "says"), WRONG_ORDERS, ids=[" ".join(words) for words, _ in WRONG_ORDERS])
def test_a_wrong_order_is_refused_and_changes_nothing(world, words, says):
    """With what is wrong in a sentence, and exit 2."""
    before = world.ledger.rows("history_of", kind="invoice", source_id=world.crm.invoice("ORDER-1")["_id"])
    done = run(world, *words)
    assert done.returncode == 2 and says in done.stderr
    assert world.ledger.rows("history_of", kind="invoice", source_id=world.crm.invoice("ORDER-1")["_id"]) == before


def test_no_secret_is_printed_or_kept(world):
    """Neither what is printed nor the ledger and the analysis tables hold a token, a secret or a code."""
    tokens = world.connection.tokens.tokens()
    secrets = [tokens.access_token, tokens.refresh_token, "sandbox-secret", "pit-sandbox"]
    printed = run(world, "status", "--json").stdout + run(world, "settings").stdout
    files = [path for path in Path(world.values["SYNCER_DATA_DIR"]).rglob("*") if path.is_file()]
    assert len(files) > 3
    for secret in secrets:
        assert secret not in printed
        assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "default/../default", "..\n"])
def test_a_connection_is_a_name_and_no_path(world, name, capsys, monkeypatch):
    """Whatever way out of the data directory is tried: there is no such connection, and nothing is made there."""
    for variable, value in world.values.items():
        monkeypatch.setenv(variable, value)
    data = Path(world.values["SYNCER_DATA_DIR"])
    before, around = sorted(data.rglob("*")), sorted(data.parent.iterdir())
    for words in (["sync"], ["explain", "HELD-1"], ["settings", "set", "due_days=1"]):
        assert main([*words, "--connection", name]) == 2, words
        assert "There is no connection named" in capsys.readouterr().err
    assert [path for path in sorted(data.rglob("*")) if path not in before and path.suffix != ".log"] == []
    assert sorted(data.parent.iterdir()) == around


def test_a_watch_ends_when_the_system_says_so(world):
    """SIGTERM, as a service manager sends it: it ends with 0 and says so."""
    data = Path(world.values["SYNCER_DATA_DIR"])
    process = subprocess.Popen(
        [sys.executable, "-m", "syncer", "watch", "--json"],
        cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: watching(data, "default"))
        process.send_signal(signal.SIGTERM)
        said, aside = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert (process.returncode, json.loads(said)) == (0, {"ended": "stopped"}), aside
    assert "Traceback" not in aside and watching(data, "default") is None


def test_disconnect_forgets_the_tokens_and_keeps_the_ledger(world):
    """After disconnecting the state says so, and explain still answers."""
    assert told(world, "disconnect")["state"] == "not_connected"
    assert told(world, "explain", "HELD-1")["state"] == "synced"
    assert run(world, "sync").returncode == 4


def test_what_a_command_writes_is_for_its_user_alone(tmp_path):
    """The ledger, its side files, the vault, the logs: whatever the shell allows others."""
    data = tmp_path / "data"
    for words in (["settings", "set", "revenue_account=706"], ["sync"], ["sql", "SELECT 1"]):
        subprocess.run(
            [sys.executable, "-m", "syncer", *words], cwd=ROOT, capture_output=True, check=False, umask=0o000,
            env={**os.environ, "SYNCER_DATA_DIR": str(data), "SYNCER_LEDGER_URL": "", "XERO_CLIENT_ID": "app",
                 "CROCOCLICK_TOKEN": "t", "CROCOCLICK_API_URL": "http://127.0.0.1:9"},
        )  # fmt: skip
    made = [data, *data.rglob("*")]
    assert len(made) > 5
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("settings",),
        ("settings", "--json"),
        ("sql", "SELECT unnest(range(20000))"),
        ("sql", "SELECT unnest(range(20000))", "--json"),
        ("explain", "nobody has this number", "--json"),
    ],
    ids=" ".join,
)
def test_who_reads_no_further_is_no_failure(world, words):
    """`… | head` ends as the command would have ended, without a word: 0, and 2 for wrong usage."""
    wanted = run(world, *words)
    process = subprocess.Popen(
        [sys.executable, "-m", "syncer", *words],
        cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(60) == wanted.returncode, said
    assert said == wanted.stderr
