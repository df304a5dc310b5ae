"""The search box finds what people type, as they type it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.support.console_search import amount_of, search
from syncer.support.search import find, folded


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """The demo's customers: accents, companies, Xero names that differ, contacts without an invoice."""
    from sandbox.server import Sandbox
    from tests.support.sync_world import World

    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path_factory.mktemp("search"))
        world.connect()
        world.set(revenue_account="706")
        elodie = world.crm.add_contact(name="Élodie Delaunay", email="elodie@example.org")
        martin = world.crm.add_contact(name="Paul Martin", email="compta@martin.example", companyName="Martin & Fils")
        world.xero.add_contact(Name="Imprimerie Delmas", EmailAddress="delmas@example.org", IsCustomer=True)
        delmas = world.crm.add_contact(name="Jean D.", email="delmas@example.org")
        world.crm.add_contact(name="Nadia Sans-Facture", email="nadia@example.org")
        world.has("FAC-2026-0104", contact=elodie, lines=[{"name": "Work", "qty": 1, "amount": 4830, "taxes": [20]}])
        world.has("FAC-2026-0105", contact=martin)
        world.has("FAC-2026-0106", contact=delmas)
        world.has("FAC-2026-0107", contact=world.crm.add_contact(name="Zoé Noël", email="zoe@example.org"))
        world.import_contacts()
        world.sync()
        yield world.ledger


def numbers(ledger, what):
    return [row["number"] for row in search(ledger, what, 50).invoices]


FINDS = {
    "FAC-2026-0104": "FAC-2026-0104",
    "fac-2026-0104": "FAC-2026-0104",
    "élodie delaunay": "FAC-2026-0104",
    "elodie delaunay": "FAC-2026-0104",
    "Delaunay Élodie": "FAC-2026-0104",
    "Élodie  Delaunay": "FAC-2026-0104",
    "ELODIE": "FAC-2026-0104",
    "Martin & Fils": "FAC-2026-0105",
    "martin fils": "FAC-2026-0105",
    "compta@martin.example": "FAC-2026-0105",
    "Imprimerie Delmas": "FAC-2026-0106",
    "fac 0104": "FAC-2026-0104",
    "FAC2026 104": "FAC-2026-0104",
    "#104": "FAC-2026-0104",
    "FAC-2026-O104": "FAC-2026-0104",
    "5796": "FAC-2026-0104",
    "€5,796.00": "FAC-2026-0104",
    "5 796,00 €": "FAC-2026-0104",
    "zoe noel": "FAC-2026-0107",
}


@pytest.mark.parametrize("typed", FINDS)
def test_each_finds_its_invoice(ledger, typed):
    """Accents, case, order, blanks, signs, a letter O, a company, the name in Xero, an amount: one search."""
    assert numbers(ledger, typed) == [FINDS[typed]]


def test_a_contact_without_an_invoice_is_found(ledger):
    """It says on which side the contact is; nobody wonders whether the customer was imported."""
    found = search(ledger, "nadia sans facture", 50)
    assert not found.invoices
    assert [(one["side"], one["email"]) for one in found.contacts] == [("crococlick", "nadia@example.org")]


def test_an_email_is_one_word(ledger):
    """Its parts in any order would be somebody else's."""
    assert numbers(ledger, "martin@compta.example") == []
    assert numbers(ledger, "compta@martin") == ["FAC-2026-0105"]


def test_a_run_is_found(ledger):
    """By the name that its page and the log give it."""
    run = ledger.row("last_sync")
    assert search(ledger, run["run_id"], 50).run["run_id"] == run["run_id"]


@pytest.mark.parametrize(
    ("typed", "nearest"), [("Martn", "FAC-2026-0105"), ("Delaunai", "FAC-2026-0104"), ("FAC-2026-0109", "")]
)
def test_one_wrong_letter_offers_what_is_nearest(ledger, typed, nearest):
    """It is offered as the nearest, never shown as if it were what was asked for."""
    found = search(ledger, typed, 50)
    assert found.is_empty
    assert len(found.nearest) <= 3
    assert not nearest or nearest in [row["number"] for row in found.nearest]


@pytest.mark.parametrize("typed", ["", "  ", "&", "\ud83c", "'; DROP TABLE invoice; --", "%", "\\"])
def test_what_is_no_word_finds_nothing_and_harms_nothing(ledger, typed):
    """Half an emoji, signs and SQL are only text."""
    assert not search(ledger, typed, 50).invoices


@given(st.text(max_size=40))
def test_any_text_is_searched(ledger, typed):
    """Nothing that can be typed or pasted makes the search fail."""
    search(ledger, typed, 50)


@given(
    st.decimals(0, 9_999_999, places=2),
    st.sampled_from(["{:,.2f}", "€{:,.2f}", "{:.2f} EUR", "CHF {:.2f}", "{:.2f}SEK"]),
)
def test_an_amount_is_read_as_it_is_written(amount, form):
    """Whatever currency sign and thousands separators stand around it."""
    assert amount_of(form.format(amount)) == amount
    french = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + " €"
    assert amount_of(french) == amount


@pytest.mark.parametrize("typed", ["FAC-12", "INV12", "Martin", "1.2.3.x", "", "€"])
def test_what_is_no_amount(typed):
    """A number with letters is a number of an invoice."""
    assert amount_of(typed) is None


def test_a_whole_amount():
    """Without cents, and with a thousands separator alone."""
    assert amount_of("5,796") == Decimal(5796)


@given(st.text(max_size=30))
def test_what_is_folded_stays_so(text):
    """The words of a search are compared as they are kept."""
    assert folded(folded(text)) == folded(text)


NAMED = {
    "elodie delaunay": "FAC-2026-0104",
    "Élodie": "FAC-2026-0104",
    "0104": "FAC-2026-0104",
    "imprimerie delmas": "FAC-2026-0106",
    "martin & fils": "FAC-2026-0105",
}


@pytest.mark.parametrize("typed", NAMED)
def test_the_terminal_finds_names_without_accents_too(ledger, typed):
    """As a phrase: an order is for what was named, never for what is merely near."""
    assert [row["number"] for row in find(ledger, typed)] == [NAMED[typed]]
    assert find(ledger, "delaunay elodie") == []
