"""Readiness: the report, what a choice would do before it is saved, the test, and the paper to hand over."""

import json
import re
from hashlib import sha256

from console.desk.desk import Desk
from console.desk.installation import installation
from syncer.onboarding import readiness
from tests.support.pages import Draw, obeys_the_house_rules, press, seen
from tests.support.sync_world import World


def check(world: World) -> None:
    """A report, as the button makes it."""
    readiness.check(world.connection, lambda *told: None, lambda: False)


def two_rates(world: World) -> None:
    """An invoice whose tax two Xero rates fit."""
    for name in ("One rate", "Another rate"):
        world.xero.add_tax_rate(name, 7.5)
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.5]}])
    world.has("INV-2")
    check(world)


def test_not_checked_yet(lived: World, draw: Draw):
    """What a check does, and that it changes nothing."""
    text = obeys_the_house_rules(draw("readiness"))
    assert text.startswith("Not checked yet") and "It changes nothing on either side." in text


def test_it_reads_like_a_report(lived: World, draw: Draw):
    """A verdict, chapters, what hangs on what, and whose the next step is; what fails comes first in its chapter."""
    two_rates(lived)
    text = obeys_the_house_rules(draw("readiness"))
    assert text.startswith("Not ready: 1 thing stops 1 invoice worth €107.50. 2 things are worth a look.")
    assert re.search(
        r"Several Xero rates fit .*1 invoice worth €107.50 Change Next \(you\): Choose the Xero sales", text
    )
    assert "INV-1" in text
    assert text.index("Taxes") < text.index("Several Xero rates") < text.index("TVA 20 % in Xero")
    assert "Created in Xero 1 €120.00" in text and "Held 1 €107.50" in text


def test_the_effect_of_a_choice_is_said_before_it_is_saved(lived: World, draw: Draw):
    """How many invoices it lets go; then it is saved, and the report is another one without a call."""
    two_rates(lived)
    at = draw("readiness", set="tax.7.5%")
    box = next(one for one in at.selectbox if one.label == "In Xero")
    choice = next(option for option in box.options if option.startswith("One rate"))
    at = box.select(re.search(r"\((\w+)\)", choice)[1]).run()
    assert "Releases 1 held invoice (€107.50)." in seen(at)
    assert "tax.7.5%" not in {row["key"] for row in lived.ledger.rows("settings")}
    lived.box.reset_calls()
    at = press(at, "Save")
    assert "Saved: Tax" in seen(at)
    assert seen(at).startswith("Ready: nothing stops an invoice.")
    assert lived.box.count() == 0


def test_a_rate_that_xero_does_not_have_may_be_created(lived: World, draw: Draw):
    """The editor says that there is nothing to choose, and offers to allow it, with what that does."""
    lived.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    check(lived)
    text = obeys_the_house_rules(draw("readiness", set="tax.7.7%"))
    assert "Xero has no sales rate of this percentage: add one there" in text
    at = draw("readiness", set="create_tax_rates")
    at = next(one for one in at.toggle if "tax rate be created" in one.label).set_value(True).run()
    assert "Releases 1 held invoice (€107.70)." in seen(at)
    assert seen(press(at, "Save")).startswith("Ready: nothing stops an invoice.")


def test_the_path_of_the_set_up_says_what_is_missing(lived: World, draw: Draw):
    """Each step done or with what is to do, on every page of the path; gone once everything is done."""
    two_rates(lived)
    text = seen(draw("readiness"))
    assert re.search(r"✓ Connect Done 2 Contacts Import them. 3 Readiness 1 to mend. 4 Test invoice Send one.", text)
    assert "5 Go live Sync the first invoices." in seen(draw("today"))


def test_the_certificate_holds_what_it_was_computed_from(lived: World, draw: Draw):
    """One file that needs nothing else; its digest is that of the data inside it."""
    two_rates(lived)
    desk = Desk(installation()).readiness
    html = desk.certificate(desk.report()).decode()
    data = re.search(r'<script type="application/json" id="data">(.*)</script>', html)[1]
    assert sha256(data.encode()).hexdigest() in html.replace(data, "")
    told = json.loads(data)
    assert told["organisation"]["name"] == "Dupont Conseil" and told["ready"] is False
    assert told["plan"]["totals"]["by_action"]["hold"] == 1
    assert {one["key"]: one["value"] for one in told["settings"]}["revenue_account"] == "706"
    assert not re.search(r'(?:src|href)="', html), "it needs nothing from elsewhere"
    assert "Not ready: 1 thing stops 1 invoice worth €107.50." in html
    assert "pit-sandbox" not in html


def test_what_a_customer_is_called_cannot_break_the_certificate(lived: World):
    """Names and taxes are text in it, whatever they hold."""
    evil = "</script><script>alert(1)</script>"
    lived.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [{"name": evil, "rate": 7.7}]}])
    check(lived)
    desk = Desk(installation()).readiness
    html = desk.certificate(desk.report()).decode()
    assert html.count("<script") == 1 and html.count("</script>") == 1
    assert "&lt;/script&gt;" in html


def test_the_first_sync_asks_once_while_steps_are_open(lived: World, draw: Draw):
    """The filled button leads to the next step; to sync all the same says how much goes and what is still to do."""
    lived.has("INV-1")
    check(lived)
    at = draw("today")
    told = seen(at)
    assert "The first sync sends up to 1 invoice, worth €120.00, to Xero. Still to do:" in told
    assert "Test invoice: Send one." in told
    assert "Sync now" not in [one.label for one in at.button]
    lived.sync()
    assert "Sync now" in [one.label for one in draw("today").button]
    assert "Still to do" not in seen(draw("today"))


def test_live_says_what_is_still_open(lived: World, draw: Draw):
    """Nobody reads Done beside a report that says not ready."""
    lived.has("OK-1")
    two_rates(lived)
    lived.sync()
    assert re.search(r"Live Live with 1 open\.", seen(draw("readiness")))
