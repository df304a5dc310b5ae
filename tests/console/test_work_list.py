"""The work list and the answers on it: what is offered, what an order leaves behind, and what becomes of the rest."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from console import main
from console.desk.desk import Desk
from syncer.app.installation import who
from syncer.domain.errors import HaltRun, WrongUsage
from syncer.domain.model.books import Account, TaxRate, books_text
from syncer.domain.model.invoice import Customer
from syncer.domain.model.problems import Problem
from syncer.storage.ledger.records import PlannedState
from syncer.sync import obstacles
from tests.support.pages import (
    BOOKS,
    INVOICES,
    NOW,
    UNMAPPED,
    VAT55,
    Draw,
    in_xero,
    invoice,
    obeys_the_house_rules,
    press,
    seen,
)

TABS = ["open", "waiting", "skipped", "settled"]
TAX = "TVA 5,5 % has no tax rate in Xero"
BOTH = ["held1", "held2"]


def key_of(desk: Desk, code: str) -> str:
    """The name of the group of that cause in an address."""
    return next(group.key for group in desk.groups() if group.code == code)


def orders(desk: Desk, source_id: str) -> list[tuple[str, str]]:
    """What people ordered for an invoice, and who."""
    rows = desk.ledger.rows("history_of", kind="invoice", source_id=source_id)
    return [(row["what"], row["by_whom"]) for row in rows if row["what"].startswith("order_")]


def hold(desk: Desk, *verdicts: PlannedState) -> None:
    """Decide these."""
    desk.ledger.settle_verdicts("later", verdicts, NOW)


@pytest.fixture
def choosing(resting: Desk) -> Desk:
    """Two rates of 5.5 % are in Xero, and which one is meant is a person's to say."""
    rates = (TaxRate("TAX7", "Livres", Decimal("5.5")), TaxRate("TAX8", "Travaux", Decimal("5.5")))
    resting.ledger.mirror(NOW, books=books_text(replace(BOOKS, tax_rates=(*BOOKS.tax_rates, *rates))))
    facts = {**UNMAPPED, "candidates": [{"type": rate.type, "name": rate.name} for rate in rates]}
    hold(resting, *(PlannedState(id_, "held", Problem("tax_ambiguous", facts)) for id_ in BOTH))
    return resting


def option(at: AppTest, text: str) -> AppTest:
    """Choose the answer that says this."""
    box = at.selectbox[0]
    return box.select_index(next(place for place, one in enumerate(box.options) if text in one)).run()


# -- the lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["desk", "connected", "working"])
@pytest.mark.parametrize("tab", [*TABS, "unknown"])
def test_every_tab_obeys_the_house_rules(request: pytest.FixtureRequest, draw: Draw, world: str, tab: str):
    """Not connected, with nothing read, and in the middle of its work."""
    request.getfixturevalue(world)
    assert obeys_the_house_rules(draw("attention", tab=tab)).startswith("Attention")


def test_every_group_obeys_the_house_rules(working: Desk, draw: Draw):
    """Open or healing, each has its page."""
    working.order("skip", [working.find("next")[0]], {"because": "made by hand", "until": "2099-01-31"})
    for group in [*working.groups(), *working.skipped()]:
        obeys_the_house_rules(draw("attention", group=group.key))


def test_the_list_tells_money_trend_and_who(working: Desk, draw: Draw):
    """Groups, never a flat list; the accountant's and what heals are on a tab of their own."""
    text = seen(draw("attention"))
    assert "Open 2 Waiting for somebody 3 Skipped Settled" in text
    assert re.search(rf"{TAX} All for Martin & Fils, all issued on 21 Nov 2026. 2 €2,611.00 \d+ min you", text)
    assert "2 new in 14 days" in text or any("2 new in 14 days" in one.value for one in draw("attention").html)
    assert "USD" not in text
    waiting = seen(draw("attention", tab="waiting"))
    assert re.search(r"USD is not enabled in Xero 1 USD 1,320.00 \d+ min the accountant", waiting)
    assert waiting.index("USD is not") < waiting.index("Xero did not answer")
    assert "tried again in the next run" in waiting


def test_what_is_said_of_all_is_true_of_all(working: Desk):
    """One customer more, and it is not said any more."""
    other = invoice("held3", "FAC-2026-0150", (VAT55,), customer=Customer("c9", "Autre"), issue_date=date(2026, 11, 22))
    working.ledger.see("later", [other], NOW)
    hold(working, PlannedState("held3", "held", Problem("tax_unmapped", {**UNMAPPED, "line": 7})))
    (group,) = [group for group in working.groups() if group.code == "tax_unmapped"]
    assert group.size == 3
    assert group.common == {}


def test_age_hides_nothing(working: Desk, draw: Draw):
    """What was held a year ago is still there."""
    long_ago = NOW - timedelta(days=365)
    working.ledger.see("old", [invoice("old", "FAC-2025-0001")], long_ago)
    working.ledger.settle_verdicts(
        "old", [PlannedState("old", "held", Problem("negative_total", {"total": "-1"}))], long_ago
    )
    assert "Negative total 1 €1,320.00 365 d you" in seen(draw("attention"))


def test_the_same_question_is_one_group(working: Desk):
    """Two refusals for one reason are one; the same reason with another next step is not."""
    locked = {"lock_date": "2026-11-21"}
    hold(
        working,
        PlannedState("held1", "held", Problem("period_locked", {**locked, "issue_date": "2026-11-20"})),
        PlannedState("held2", "held", Problem("period_locked", {**locked, "issue_date": "2026-11-21"})),
        PlannedState("usd", "held", Problem("period_locked", {**locked, "in_xero": True})),
    )
    assert sorted(group.size for group in working.groups() if group.code == "period_locked") == [1, 2]


def test_the_navigation_counts(working: Desk, desk: Desk):
    """So that nobody has to look first."""
    assert main._attention(working) == "Attention 3"


# -- answering a group ------------------------------------------------------------------------------------------------


def test_nothing_is_chosen_where_nothing_is_advised(choosing: Desk, draw: Draw):
    """A wrong tax rate is worse than none."""
    at = draw("attention", group=key_of(choosing, "tax_ambiguous"))
    assert at.selectbox[0].value is None
    (answer,) = [one for one in at.button if one.label.startswith("Map")]
    assert (answer.label, answer.disabled) == ("Map for 2 invoices", True)


def test_a_retry_promises_nothing_that_it_does_not_bring_about(resting: Desk, draw: Draw):
    """With nothing to answer, what the planner holds is held again; only what Xero refused is sent once more."""
    hold(resting, *(PlannedState(id_, "held", Problem("line_invalid", {"what": "no_lines"})) for id_ in BOTH))
    text = seen(draw("attention", group=key_of(resting, "line_invalid")))
    assert "Trying again changes nothing before the cause is gone. Once it is, they go over in the next run." in text
    assert "go in the next run" not in text and "When tried again" not in text
    stamped = {"connection": ["default"] * 2, "source_id": BOTH, "refused_stamp": ["as it was"] * 2}
    resting.ledger.store.transaction(lambda tx: tx.update_from("invoice", ["connection", "source_id"], stamped))
    text = seen(draw("attention", group=key_of(resting, "line_invalid")))
    assert "Trying again sends the same to Xero once more; what is still wrong there is refused again." in text


def test_one_answer_settles_the_group(choosing: Desk, draw: Draw):
    """The setting is made and every invoice decided anew, on record with who; a rerun gives nothing twice."""
    at = option(draw("attention", group=key_of(choosing, "tax_ambiguous")), "TAX7")
    assert "2 invoices worth €2,611.00 go in the next run." in seen(at)
    press(at, "Map for 2 invoices")
    assert "On record for 2 invoices worth €2,611.00" in obeys_the_house_rules(at)
    at.run()
    assert choosing.connection.settings()["tax.5.5%"] == "TAX7"
    for source_id in BOTH:
        assert orders(choosing, source_id) == [("order_map", who())]
        assert choosing.find(source_id)[0]["state"] == "waiting"
    assert seen(at).startswith("Nothing waits for this any more")


def test_an_answer_that_is_advised_is_chosen_already(resting: Desk, draw: Draw):
    """Just one account in pounds: that is the one."""
    pounds = Account("a2", "513", "Compte GBP", "BANK", currency="GBP", takes_payments=True)
    euros = Account("a3", "512", "Compte courant", "BANK", takes_payments=True)
    resting.ledger.mirror(NOW, books=books_text(replace(BOOKS, accounts=(*BOOKS.accounts, euros, pounds))))
    hold(resting, PlannedState("held1", "held", Problem("payment_account_missing", {"currency": "GBP"})))
    at = draw("attention", group=key_of(resting, "payment_account_missing"))
    assert at.selectbox[0].options[at.selectbox[0].value] == "513 Compte GBP"
    press(at, "Choose for 1 invoice")
    assert resting.connection.settings()["payment_account.GBP"] == "a2"


def test_what_is_unticked_is_left_alone(choosing: Desk, draw: Draw):
    """An exception is one tick, and it is remembered."""
    at = option(draw("attention", group=key_of(choosing, "tax_ambiguous")), "TAX7")
    next(one for one in at.checkbox if one.label == "Include FAC-2026-0142").uncheck().run()
    assert "1 of 2 ticked" in seen(at)
    press(at, "Try again")
    assert orders(choosing, "held1") == []
    assert orders(choosing, "held2") == [("order_retry", who())]
    assert "FAC-2026-0142" in obeys_the_house_rules(at)


def test_all_and_none(resting: Desk, draw: Draw):
    """With nothing ticked there is nothing to order."""
    at = press(draw("attention", group=key_of(resting, "tax_unmapped")), "Untick all")
    assert "Nothing is ticked." in seen(at)
    assert "Try again" not in [one.label for one in at.button]
    press(at, "Tick all")
    assert "2 of 2 ticked" in seen(at)


def test_an_order_is_for_all_pages(resting: Desk, draw: Draw):
    """The screen shows fifty; an exception on the second page counts on the first."""
    many = [invoice(f"m{n:03}", f"M-{n:03}", total=Decimal(10), amount_due=Decimal(10)) for n in range(120)]
    resting.ledger.see("later", many, NOW)
    hold(resting, *(PlannedState(one.source_id, "held", Problem("due_date_missing", {})) for one in many))
    key = key_of(resting, "due_date_missing")
    at = draw("attention", group=key, part="2")
    next(one for one in at.checkbox if one.label == "Include M-060").uncheck().run()
    press(at, "30 days for all that have none (119 invoices)")
    assert orders(resting, "m060") == []
    assert all(orders(resting, one.source_id) for one in many if one.source_id != "m060")


def test_an_order_that_is_refused_says_why(resting: Desk, draw: Draw):
    """Nothing is on record then."""
    at = press(draw("attention", group=key_of(resting, "tax_unmapped")), "Skip 2 invoices")
    assert "Say why: skipping needs a reason." in [one.value.replace("\\", "") for one in at.warning]
    assert orders(resting, "held1") == []
    with pytest.raises(WrongUsage):
        resting.order("adopt", [resting.find("in1")[0]], {})


def test_what_is_in_doubt_is_looked_at_first(working: Desk, draw: Draw):
    """No order helps before the look."""
    at = draw("attention", tab="waiting", group=key_of(working, "answer_lost"))
    assert [one.label for one in at.button] == ["Sync now"]
    assert "FAC-2026-0146" in obeys_the_house_rules(at)


def test_a_run_that_did_not_believe_it_is_told(working: Desk, draw: Draw):
    """Far fewer invoices than before: whether they are really gone is one button, on Today as well."""
    assert "They are really gone" not in seen(draw("attention"))
    found = HaltRun("source_shrunk", seen=3, before=30)
    obstacles.note(working.ledger, found, NOW, NOW + timedelta(minutes=1), obstacles.BY_RUN)
    for page in ("attention", "today"):
        text = obeys_the_house_rules(draw(page))
        assert "CrocoClick shows 3 invoices where there were 30. Look in CrocoClick" in text
        assert "They are really gone" in text


def test_a_group_that_is_gone_says_so(working: Desk, draw: Draw):
    assert "Nothing waits for this any more" in obeys_the_house_rules(draw("attention", group="0000000000"))


def test_the_accountant_gets_a_message(resting: Desk, draw: Draw):
    """Ready to be sent: which invoices, why, and what is asked."""
    text = draw("attention", group=key_of(resting, "currency_not_enabled")).code[0].value
    assert text.startswith("Subject: 1 invoice from CrocoClick waits for Xero")
    assert "1 invoice worth USD 1,320.00 cannot be settled in Xero (Dupont Conseil) as things are." in text
    assert "USD is not enabled in Xero." in text
    assert "What would help: add USD in Xero" in text
    assert "- FAC-2026-0144 · Martin & Fils · USD 1,320.00 · issued 21 Nov 2026" in text


# -- skipped and settled ----------------------------------------------------------------------------------------------


def skip(at: AppTest, why: str, label: str) -> AppTest:
    """Fill in the reason and skip."""
    at.text_input[0].set_value(why)
    return press(at, label)


def test_skipping_and_taking_it_back(resting: Desk, draw: Draw):
    """By whom, why and until when; then it is as it was."""
    at = draw("attention", group=key_of(resting, "tax_unmapped"))
    at.date_input[0].set_value(date(2030, 1, 31))
    skip(at, "made by hand in Xero", "Skip 2 invoices")
    assert "Left out until 31 Jan 2030." in obeys_the_house_rules(at)
    text = obeys_the_house_rules(draw("attention", tab="skipped"))
    assert (
        f"Made by hand in Xero All for Martin & Fils, all issued on 21 Nov 2026. 2 €2,611.00 {who()} 31 Jan 2030"
        in text
    )
    (group,) = resting.skipped()
    at = draw("attention", tab="skipped", group=group.key)
    assert "until 31 Jan 2030" in obeys_the_house_rules(at)
    press(at, "Take the skip back of 2 invoices")
    assert resting.skipped() == []
    assert orders(resting, "held1") == [("order_skip", who()), ("order_unskip", who())]


def test_settled_tells_what_settled_it_and_who(resting: Desk, draw: Draw):
    """Held, answered by a person, and in Xero since; or mended where nobody told us."""
    hold(resting, PlannedState("usd", "synced"))
    resting.order("map", [resting.find(id_)[0] for id_ in BOTH], {"tax.5.5%": "TAX001"})
    hold(resting, *(PlannedState(id_, "synced") for id_ in BOTH))
    text = obeys_the_house_rules(draw("attention", tab="settled"))
    assert f"{TAX} 2 €2,611.00 Set tax.5.5% to TAX001, by {who()}" in text
    assert "USD is not enabled in Xero 1 USD 1,320.00 Mended in Xero or in the settings" in text
    one = next(one for one in resting.settled() if one.by)
    at = draw("attention", tab="settled", group=one.key)
    assert "✓ Settled" in obeys_the_house_rules(at)
    assert any("invoice?invoice=held1" in html.value for html in at.html)
    assert "settled longer ago" in obeys_the_house_rules(draw("attention", tab="settled", group="0"))


# -- the same on an invoice's page ------------------------------------------------------------------------------------


def test_an_invoice_is_answered_with_all_alike(choosing: Desk, draw: Draw):
    """A mapping settles them all anyway."""
    at = option(draw("invoice", invoice="held1"), "TAX7")
    assert [(one.label, one.value) for one in at.checkbox] == [("Also for the other one that waits for the same", True)]
    press(at, "Map for 2 invoices")
    assert orders(choosing, "held2") == [("order_map", who())]
    obeys_the_house_rules(at)


def test_or_alone(choosing: Desk, draw: Draw):
    """Whoever unticks the others means this one; trying again and skipping always do."""
    at = draw("invoice", invoice="held1")
    at.checkbox[0].uncheck().run()
    press(option(at, "TAX7"), "Map")
    assert orders(choosing, "held1") == [("order_map", who())]
    assert orders(choosing, "held2") == []
    press(draw("invoice", invoice="usd"), "Try again")
    assert orders(choosing, "usd") == [("order_retry", who())]


def test_a_skip_and_an_order_are_taken_back_where_they_were_given(resting: Desk, draw: Draw):
    """The page offers what can be undone, and says what that is."""
    at = skip(draw("invoice", invoice="held1"), "a mistake", "Skip this invoice")
    assert "⏸" in seen(at) or "Skipped" in seen(at)
    press(at, "Take the skip back")
    row = resting.find("held1")[0]
    assert (row["state"], row["cause"]) == ("held", "tax_unmapped"), "decided anew at once, as every page says it"
    resting.order("map", [resting.find("held2")[0]], {"tax.5.5%": "TAX001"})
    at = draw("invoice", invoice="held2")
    press(at, "Undo the last order")
    assert resting.connection.settings()["tax.5.5%"] is None
    assert "Undo the last order" not in [one.label for one in at.button]


def test_both_books_agree_in_so_many_fields(working: Desk, draw: Draw):
    text = obeys_the_house_rules(draw("invoice", invoice="in1"))
    assert "✓ Both books agree in all nine fields" in text


def test_what_somebody_changed_in_xero_stands_first(working: Desk, draw: Draw):
    """Before and now, and who is right is one choice."""
    moved = in_xero(INVOICES[0], due_date=date(2026, 12, 28), amount_due=Decimal(1000), amount_paid=Decimal(320))
    working.ledger.mirror(NOW, invoices=[moved])
    facts = {"number": "FAC-2026-0001", "currency": "EUR", "changes": [
        {"field": "due_date", "before": "2026-12-21", "now": "2026-12-28"}]}  # fmt: skip
    hold(working, PlannedState("in1", "held", Problem("changed_in_xero", json.loads(json.dumps(facts)))))
    at = draw("invoice", invoice="in1")
    text = obeys_the_house_rules(at)
    table = text[text.index("Both books compared") :]
    assert "Due 21 Dec 2026 28 Dec 2026 was 21 Dec 2026 before ✕ differs" in table
    assert "Paid €0.00 €320.00 ✕ differs" in table
    assert "Number FAC-2026-0001 FAC-2026-0001 ✓ equal" in table
    assert at.selectbox[0].options[at.selectbox[0].value] == "CrocoClick is right: send it again"
    assert "Xero is right: keep it" in at.selectbox[0].options


def test_a_rate_of_the_same_percentage_is_advised(resting: Desk, draw: Draw):
    """It was added in Xero since, with a name of its own."""
    rates = (*BOOKS.tax_rates, TaxRate("TAX7", "Livres", Decimal("5.5")))
    hold(resting, *(PlannedState(id_, "held", Problem("tax_ambiguous", UNMAPPED)) for id_ in BOTH))
    resting.ledger.mirror(NOW, books=books_text(replace(BOOKS, tax_rates=rates)))
    at = draw("attention", group=key_of(resting, "tax_ambiguous"))
    assert at.selectbox[0].options[at.selectbox[0].value] == "Livres (TAX7)"
