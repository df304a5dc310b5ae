"""Each page over a real ledger: what it says, and the rules of the house."""

import re
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from console.desk.desk import Desk
from tests.support.pages import NOW, RUN, SECRET, Draw, invoice, obeys_the_house_rules, seen

ADDRESSES = [
    ("today", {}),
    ("invoice", {}),
    ("invoice", {"invoice": "held1"}),
    ("invoice", {"invoice": "in1"}),
    ("invoice", {"invoice": "doubt"}),
    ("invoice", {"invoice": "slow"}),
    ("invoice", {"invoice": "draft"}),
    ("invoice", {"find": "martin"}),
    ("invoice", {"find": "nobody of that name"}),
    ("runs", {}),
    ("runs", {"run": RUN}),
    ("runs", {"run": "unknown"}),
    ("contacts", {}),
    ("contacts", {"tab": "look"}),
    ("contacts", {"tab": "duplicates"}),
    ("contacts", {"tab": "links"}),
    ("contacts", {"tab": "answered"}),
    ("readiness", {}),
    ("readiness", {"set": "tax.5.5%"}),
    ("closing", {}),
    ("connections", {}),
    ("connections", {"setting": "due_days"}),
]


@pytest.mark.parametrize(("page", "address"), ADDRESSES)
@pytest.mark.parametrize("world", ["desk", "connected", "working"])
def test_every_page_obeys_the_house_rules(request: pytest.FixtureRequest, draw: Draw, world: str, page: str, address):
    """Not connected, with nothing read, and in the middle of its work."""
    request.getfixturevalue(world)
    obeys_the_house_rules(draw(page, **address))


# -- today ------------------------------------------------------------------------------------------------------------


def test_today_begins_with_the_verdict(working: Desk, draw: Draw):
    """How many, how much in each currency, and what heals by itself."""
    text = seen(draw("today"))
    assert text.startswith("3 invoices worth €2,611.00 and USD 1,320.00 need attention. 2 are retried automatically.")
    assert "2 invoices worth €2,640.00 are in Xero, to the cent." in text
    assert "1 invoice worth €1,320.00 waits for the next run." in text


def test_today_groups_by_reason_with_the_money_beside(working: Desk, draw: Draw):
    """Two invoices with the same missing rate are one question."""
    text = seen(draw("today"))
    assert re.search(r"TVA 5,5 % has no tax rate in Xero 2 €2,611.00 \d+ min you", text)
    assert re.search(r"USD is not enabled in Xero 1 USD 1,320.00 \d+ min the accountant", text)
    assert text.index("Needs action") < text.index("Retrying automatically") < text.index("Xero did not answer")


def test_what_moved_is_told_with_its_money(working: Desk, draw: Draw):
    text = seen(draw("today"))
    assert "2 created (€2,640.00) · 100 % at the first try" in text
    assert "989 left" in text


def test_a_quiet_day_says_so(connected: Desk, draw: Draw):
    """Everything is in Xero: that is the whole verdict."""
    connected.ledger.see("r", [invoice("next", "A-1")], NOW)
    text = obeys_the_house_rules(draw("today"))
    assert text.startswith("Nothing needs you.")
    assert "1 invoice worth €1,320.00 waits for the next run." in text


def test_without_a_connection_there_is_one_thing_to_do(desk: Desk, draw: Draw):
    """One sentence, one button, what is asked for and why."""
    at = draw("today")
    text = seen(at)
    assert text.startswith("Xero is not connected")
    assert "Read and write invoices, to bring CrocoClick's over" in text
    assert [one for one in at.html if "./xero/connect" in one.value]
    assert not at.button


def test_a_group_leads_to_where_it_is_answered(working: Desk, draw: Draw):
    key = next(group.key for group in working.groups() if group.code == "tax_unmapped")
    at = draw("today")
    assert any(f"./attention?tab=open&amp;group={key}" in one.value for one in at.html)


# -- one invoice ----------------------------------------------------------------------------------------------------


def test_a_held_invoice_says_why_and_what_next(working: Desk, draw: Draw):
    text = seen(draw("invoice", invoice="FAC-2026-0142"))
    assert text.startswith("FAC-2026-0142 · Martin & Fils · €1,305.50 · sent")
    assert "✕ Needs action . Not in Xero, because line 2 carries TVA 5,5 %" in text
    assert "Next (you): Choose the Xero sales rate" in text
    assert "✕ no rate" in text
    assert "Held: line 2 carries TVA 5,5 %" in text


def test_an_invoice_in_xero_shows_both_documents(working: Desk, draw: Draw):
    text = seen(draw("invoice", invoice="in1"))
    assert "✓ In Xero since" in text
    assert "FAC-2026-0001, approved" in text
    assert "706 Prestations" in text
    assert text.count("€1,320.00") == 3  # the title and both totals


def test_an_invoice_that_goes_next_shows_what_it_becomes(working: Desk, draw: Draw):
    text = seen(draw("invoice", invoice="next"))
    assert "In Xero, what it would become" in text
    assert "TVA 20 % ventes" in text


def test_a_name_is_only_a_name(working: Desk, draw: Draw):
    """Neither markup nor markdown of a customer's name does anything."""
    at = draw("invoice", invoice="in2")
    assert "<b>Bold</b> *Star* `Co`" in seen(at)
    assert r"\*Star\*" in at.title[0].value
    assert not any("<b>Bold" in one.value for one in draw("invoice").html)


def test_an_unknown_number_is_a_clear_sentence(working: Desk, draw: Draw):
    assert seen(draw("invoice", invoice="FAC-9")).startswith("No invoice fits “FAC-9”")


def test_several_hits_are_a_list(working: Desk, draw: Draw):
    at = draw("invoice", find="compta@martin.example")
    assert seen(at).startswith("8 invoices fit “compta@martin.example”")


def test_requests_show_this_invoice_alone(working: Desk):
    """One element of the batch, not its neighbours."""
    (request,) = working.requests(working.explain(working.find("in2")[0]))
    assert request.sent["InvoiceNumber"] == request.answered["InvoiceNumber"] == "FAC-2026-0002"
    assert (request.call["status"], request.call["correlation_id"]) == (200, "corr-77")


def test_requests_open_on_the_page(working: Desk, draw: Draw):
    at = draw("invoice", invoice="in2")
    at.session_state["requests"] = True
    at.run()
    text = seen(at)
    assert "PUT /api.xro/2.0/Invoices" in text
    assert '"Total": 1320.00' in text
    assert "FAC-2026-0001" not in text


def test_the_case_file_has_everything_but_secrets(working: Desk):
    from console.pages.invoice import case_page, pretty

    case = working.case(working.explain(working.find("in1")[0]))
    for written in (case_page(case), pretty(case)):
        assert "FAC-2026-0001" in written
        assert "corr-77" in written
        assert SECRET not in written


# -- runs -------------------------------------------------------------------------------------------------------------


def test_runs_tell_what_came_of_them(working: Desk, draw: Draw):
    text = seen(draw("runs"))
    assert "2 created · 2 put off · 1 being checked · 3 held for a person · 1 not eligible" in text
    assert "€2,640.00" in text


def test_a_run_leads_to_its_records(working: Desk, draw: Draw):
    at = draw("runs", run=RUN)
    assert "Created in Xero" in seen(at)
    assert any("invoice?invoice=in1" in one.value for one in at.html)


def test_a_run_that_died_is_not_at_work(working: Desk, draw: Draw):
    """Its process is gone without a word: the screen says so and offers the next one."""
    working.ledger.begin_run("20261121-110000-ffffff", "", "cron", 999_999_99, NOW + timedelta(minutes=1))
    assert working.at_work() is None
    at = draw("runs")
    assert "↻ Interrupted" in seen(at)
    assert [one.label for one in at.button] == ["Sync now"]


# -- connections ------------------------------------------------------------------------------------------------------


def test_connections_tell_both_ends(working: Desk, draw: Draw):
    text = seen(draw("connections"))
    assert "Organisation Dupont Conseil" in text
    assert "Read and write invoices" in text
    assert "Read and write payments" not in text
    assert "Europe/Paris" in text
    assert "3 invoices, €2,611.00 and USD 1,320.00" in text
    assert "by anna" in text


def test_a_bad_value_is_refused_with_the_sentence(connected: Desk, draw: Draw):
    at = draw("connections", setting="due_days")
    next(one for one in at.text_input if one.label == "Value").set_value("soon")
    save(at)
    assert "due_days must be a whole number from 0 to 365; it was 'soon'. Nothing was changed." in seen(at)
    assert not connected.ledger.rows("settings")


def test_a_good_value_is_kept_with_who_and_when(connected: Desk, draw: Draw):
    at = draw("connections", setting="due_days")
    next(one for one in at.text_input if one.label == "Value").set_value("14")
    save(at)
    assert "Saved." in seen(at)
    (row,) = connected.ledger.rows("settings")
    assert (row["key"], row["value"]) == ("due_days", "14")
    assert row["changed_by"]


def test_a_choice_is_a_switch(connected: Desk, draw: Draw):
    at = draw("connections", setting="create_tax_rates")
    at.toggle[0].set_value(True)
    save(at)
    assert connected.connection.settings() == {"create_tax_rates": "true"}


def save(at: AppTest) -> None:
    """Press Save."""
    next(one for one in at.button if one.label == "Save").click().run()


def test_the_notices_field_shows_what_is_in_force(draw):
    """Saved as it stands it changes nothing: empty would mean none."""
    at = draw("connections", setting="notify")
    assert [one.value for one in at.text_input if one.label == "Value"] == ["held,connection,stale,daily"]
