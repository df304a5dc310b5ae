"""`import-contacts`, `duplicates` and orders about contacts, as a person and a script meet them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from sandbox.server import Sandbox
from tests.support.commands import ROOT, run, told
from tests.support.contacts_world import here, linked
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S

IMPORT = {"run_id", "outcomes", "duplicate_groups", "calls", "conflicts"}
OUTCOMES = {"created", "linked", "unchanged", "updated", "conflict", "left_out"}
MAIL = "twice@example.org"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        world.set(revenue_account="706")
        yield world


def test_what_an_import_would_do_and_what_it_did(world):
    """The same object with all its keys, before and after; a conflict needs a person, and the words say why."""
    for name in ("Twice one", "Twice two"):
        world.xero.add_contact(Name=name, EmailAddress=MAIL)
    world.xero.add_contact(Name="New", EmailAddress="new@example.org")
    world.crm.add_contact(name="Twice", email=MAIL)
    would = told(world, "import-contacts", "--dry-run", status=3)
    assert set(would) == IMPORT and set(would["outcomes"]) == OUTCOMES and set(would["calls"]) == {"xero", "crococlick"}
    assert len(world.crm.contacts()) == 1
    did = told(world, "import-contacts", status=3)
    assert did["outcomes"] == would["outcomes"] == {**dict.fromkeys(OUTCOMES, 0), "created": 1, "conflict": 2}
    assert (did["duplicate_groups"], did["calls"]["xero"]) == (1, 1)
    words = run(world, "import-contacts").stdout
    assert "2 contacts need a look" in words and "1 email stands on several contacts" in words


def test_every_conflict_is_listed(tmp_path):
    """Not the first twenty: in JSON and in words, of an import and of a dry run, each with its reason and next step."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        world.connect()
        _all_are_listed(world)


def _all_are_listed(world):
    for number in range(24):
        world.xero.add_contact(Name=f"Many {number:02}", EmailAddress="many@example.org")
    world.crm.add_contact(name="Many", email="many@example.org")
    would = told(world, "import-contacts", "--dry-run", status=3)["conflicts"]
    did = told(world, "import-contacts", status=3)
    names = [one["name"] for one in did["conflicts"]]
    assert names == [one["name"] for one in would] and len(names) == did["outcomes"]["conflict"] >= 24
    assert names == sorted(names, key=str.casefold)
    assert all(one["sentence"] and one["step"] and one["xero_id"] and one["reason"] for one in did["conflicts"])
    words = run(world, "import-contacts").stdout
    assert all(name in words for name in names)


def test_duplicates_lists_the_groups(world):
    """Email, members of both sides, what hangs on it; a group that is open needs a person."""
    found = told(world, "duplicates", status=3)
    [group] = found["groups"]
    assert set(group) >= {"email", "members", "open_invoices", "money"} and found["likely"] == []
    assert (group["email"], group["open_invoices"], group["money"]) == (MAIL, 0, {})
    assert all(set(one) == {"side", "id", "name", "status"} for one in group["members"])
    assert sorted(one["side"] for one in group["members"]) == ["crococlick", "xero", "xero"]
    assert group["proposal"] in {one["id"] for one in group["members"]}


WRONG = [
    (("order", "link_contact", "nobody@example.org", "contact=x"), "fits"),
    (("order", "link_contact", MAIL), "Say which Xero contact"),
    (("order", "ignore", MAIL), "Say why"),
    (("order", "undo", MAIL), "could be taken back"),
    (("import-contacts", "--wet-run"), "--wet-run"),
]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong_usage_ends_with_2(world, words, says):
    """With what is wrong in a sentence, and nothing is changed."""
    done = run(world, *words)
    assert done.returncode == 2 and says in " ".join(done.stderr.split()) and done.stdout == ""
    assert world.ledger.contact_answers() == {}


def test_a_person_answers_and_nothing_is_left(world):
    """One order for the group; then the import and the search end with 0."""
    [one, _] = [one["ContactID"] for one in world.xero.contacts() if one["EmailAddress"] == MAIL]
    given = told(world, "order", "link_contact", MAIL, f"contact={one}")
    assert (given["order"], given["given"]) == ("link_contact", [MAIL])
    assert told(world, "import-contacts")["outcomes"]["left_out"] == 1
    assert told(world, "duplicates") == {"groups": [], "likely": []}
    assert linked(world)["Twice"] == "Twice one" and here(world, "New")["source"].startswith("Xero ")
    assert "No two contacts share an email." in run(world, "duplicates").stdout


def test_a_missing_scope_ends_with_4_and_says_so(world):
    """Exit 4 and a sentence that says what to do; still one JSON object of an import that did nothing."""
    world.crm.allow("pit-sandbox", ["locations.readonly"])
    try:
        done = run(world, "import-contacts", "--json")
        assert done.returncode == 4 and json.loads(done.stdout)["outcomes"] == dict.fromkeys(OUTCOMES, 0)
        assert "The CrocoClick token lacks a permission." in done.stderr
        assert "contacts.write" in (ROOT / ".env.example").read_text()  # where the sentence says to look
        assert run(world, "duplicates").returncode == 4
    finally:
        world.crm.allow("pit-sandbox")


def test_a_limit_of_the_day_ends_with_5(world):
    """Nobody sleeps for hours: to go on another day."""
    world.xero.add_contact(Name="Another day", EmailAddress="day@example.org")
    headers = {"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "3600000"}
    world.faults.add("refuse", side="crococlick", method="POST", path="/contacts/search", status=429, headers=headers)
    done = run(world, "import-contacts")
    world.faults.clear()
    assert done.returncode == 5 and done.stderr.strip()


def test_ctrl_c_ends_with_5_and_the_next_import_goes_on(world):
    """The calls under way are ended and recorded; nobody is made twice."""
    for number in range(90):
        world.xero.add_contact(Name=f"P {number}", EmailAddress=f"p{number}@example.org")
    world.faults.add("slow", side="crococlick", method="POST", path="/contacts/", times=1000, ms=30)
    before = len(world.crm.contacts())
    import_ = subprocess.Popen(
        [sys.executable, "-m", "syncer", "import-contacts", "--json"],
        cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(world.crm.contacts()) < before + 5 and import_.poll() is None:
        time.sleep(0.005)
    import_.send_signal(signal.SIGINT)
    out, err = import_.communicate(timeout=PATIENCE_S)
    world.faults.clear()
    assert import_.returncode == 5, err
    made = json.loads(out)["outcomes"]["created"]
    assert made == len(world.crm.contacts()) - before < 91
    assert told(world, "import-contacts")["outcomes"]["created"] == 91 - made
    assert len({one["email"] for one in world.crm.contacts()}) == len(world.crm.contacts())
