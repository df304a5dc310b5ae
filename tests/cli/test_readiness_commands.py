"""`check` and `plan`, as a person and a script meet them before the first sync."""

import re

import pytest

from sandbox.server import Sandbox
from tests.support.commands import run, told
from tests.support.sync_world import World

CHECK = {"code", "level", "sentence", "remedy", "facts", "invoices", "money"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One invoice that goes and one whose tax Xero does not have."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("data"))
        world.connect()
        world.set(revenue_account="706")
        world.has("INV-1")
        world.has("INV-2", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
        yield world


def test_not_ready_is_3_with_every_key(world):
    """A script reads what fails, what hangs on it and whose the next step is."""
    report = told(world, "check", status=3)
    assert set(report) == {"ready", "checks"} and report["ready"] is False
    assert all(set(one) >= CHECK for one in report["checks"])
    [failed] = [one for one in report["checks"] if one["level"] == "fail"]
    assert (failed["code"], failed["facts"]["cause"]) == ("tax", "tax_unmapped")
    assert (failed["invoices"], failed["money"]) == (1, {"EUR": "107.70"})
    assert failed["remedy"]["who"] == "you" and failed["remedy"]["sentence"]


def test_the_report_reads_like_one(world):
    """Chapters, marks, next steps, and the verdict last."""
    said = run(world, "check").stdout
    assert said.index("Connection") < said.index("Taxes") < said.index("Budget")
    assert re.search(r"✕ TVA 7,7 % has no tax rate in Xero. 1 invoice worth €107.70.\s+Next \(you\): Choose", said)
    assert said.strip().split("\n")[-1].startswith("Not ready: 1 thing stops 1 invoice worth €107.70.")


def test_a_plan_with_another_setting_says_what_that_changes(world):
    """And changes nothing: neither the setting nor a book."""
    plan = told(world, "plan", "--with", "create_tax_rates=true")
    assert plan["effect"]["goes"] == {"invoices": 1, "money": {"EUR": "107.70"}, "numbers": ["INV-2"]}
    assert plan["totals"]["by_action"]["create"] == 2
    said = run(world, "plan", "--with", "create_tax_rates=true").stdout
    assert "Releases 1 held invoice (€107.70)." in said
    assert told(world, "plan")["totals"]["by_action"]["hold"] == 1
    assert world.writes() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--with", "create_tax_rates=perhaps"), "true or false"),
        (("plan", "--with", "nothing=1"), "There is no setting"),
        (("plan", "--with", "oops"), "KEY=VALUE"),
        (("check", "--certificate", "/no/such/folder/x.html"), "there is no folder"),
    ],
)
def test_wrong_words_are_refused(world, words, said):
    """With what is wrong, before anything is read."""
    found = run(world, *words)
    assert (found.returncode, said in found.stderr) == (2, True)


def test_the_certificate_is_one_file(world, tmp_path):
    """Beside the report, also where it is not ready."""
    file = tmp_path / "readiness.html"
    assert run(world, "check", "--certificate", str(file)).returncode == 3
    assert "Ready for Xero? Dupont Conseil" in file.read_text(encoding="utf-8")


def test_once_mended_it_is_0(world):
    """And nothing fails."""
    world.set(create_tax_rates="true")
    report = told(world, "check")
    assert report["ready"] and not [one for one in report["checks"] if one["level"] == "fail"]


def test_without_a_consent_it_is_4_and_still_a_report(world):
    """The one check that says so fails, the others are not known."""
    world.xero.revoke()
    report = told(world, "check", status=4)
    assert {one["level"] for one in report["checks"]} == {"fail", "unknown"}
    [failed] = [one for one in report["checks"] if one["level"] == "fail"]
    assert failed["code"] == "xero_connection" and failed["invoices"] == 2
