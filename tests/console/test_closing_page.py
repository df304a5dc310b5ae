"""The page on which somebody closes a month: what both books come to, what differs, and the proof."""

import re

from console.desk.desk import Desk
from console.desk.installation import installation
from tests.support.pages import Draw, seen
from tests.support.sync_world import World
from tests.support.waiting import until


def compared(first: str = "2026-01-01", last: str = "2026-12-31") -> Desk:
    """Press Compare for these days, and wait until it has ended."""
    desk = Desk(installation())
    begin, end = (desk.now.date().fromisoformat(day) for day in (first, last))
    desk.closings.compare(begin, end)
    until(lambda: not desk.starting())
    return desk


def test_before_the_first_comparison_it_says_what_it_does(lived: World, draw: Draw):
    """Last month is proposed, and one button compares."""
    at = draw("closing")
    assert "It changes nothing on either side" in seen(at)
    assert [one.label for one in at.button if one.label == "Compare"] == ["Compare"]


def test_books_that_agree_are_told_with_their_totals_and_the_seal(lived: World, draw: Draw):
    """What is shown comes out of the proof that is kept; it is the one to hand on."""
    lived.has("INV-1", issueDate="2026-10-03", dueDate="2026-11-03")
    lived.sync()
    desk = compared()
    [name] = desk.closings.kept()
    found = desk.closings.closing(name)
    assert found and found.agrees
    told = seen(draw("closing"))
    assert "Both books agree, 1 Jan 2026 to 31 Dec 2026" in told
    assert "€120.00" in told
    assert found.seal in told


def test_a_difference_leads_to_the_invoice_and_says_who_acts(lived: World, draw: Draw):
    """One line for each document, with every field that differs and the next step."""
    lived.has("INV-1", issueDate="2026-10-03", dueDate="2026-11-03")
    lived.has("INV-2", issueDate="2026-10-04", dueDate="2026-11-04", currency="SEK")
    lived.sync()
    lived.xero.update("invoices", lived.xero.invoice("INV-1")["InvoiceID"], Reference="x", DueDate="2026-12-24")
    compared()
    told = seen(draw("closing"))
    assert "2 documents differ" in told
    assert "Due date: CrocoClick has 3 Nov 2026, Xero 24 Dec 2026." in told
    assert re.search(r"INV-2.+Xero does not have this invoice", told, re.DOTALL)


def test_an_altered_proof_is_called_that(lived: World, draw: Draw):
    """Nothing of it is shown as if it had been read of the books."""
    lived.has("INV-1", issueDate="2026-10-03")
    lived.sync()
    desk = compared()
    path = lived.app.environment.data_dir / "closings" / "default" / desk.closings.kept()[0]
    path.write_bytes(path.read_bytes().replace(b"120.00", b"120.01", 1))
    told = seen(draw("closing"))
    assert "is not as it was written" in told
    assert "Totals" not in told


def test_a_name_in_the_address_leads_nowhere_else(lived: World, draw: Draw):
    """Only what was kept for this connection is opened."""
    lived.has("INV-1", issueDate="2026-10-03")
    lived.sync()
    desk = compared()
    assert desk.closings.closing("../../../vault.json") is None
    stray = lived.app.environment.data_dir / "closings" / "default" / "copy of october.jsonl"
    stray.write_text("{}")
    assert desk.closings.closing(stray.name) is None
    assert "Both books agree" in seen(draw("closing", proof="../../ledger.duckdb"))
