"""One odd record never stops the others: it is held by name of its field, and goes by itself once it can be read."""

import json

import pytest

from syncer.support import runs

HALF = "\N{REPLACEMENT CHARACTER}"
ODD = [
    ({"status": "overdue"}, "", "", "status", "overdue"),
    ({"currency": "@@"}, '"@@"', "[null]", "currency", "a list"),
    ({"name": "@@"}, '"@@"', '{"a": 1}', "name", "an object"),
    ({"amountPaid": "12,50"}, "", "", "amountPaid", "12,50"),
    ({"total": "12,50"}, "", "", "total", "12,50"),
    ({"liveMode": "yes"}, "", "", "liveMode", "yes"),
    ({"contactDetails": "@@"}, '"@@"', '{"id": "c", "name": "\\ud83c"}', "contactDetails.name", HALF),
    ({"discount": "@@"}, '"@@"', "[7]", "discount", "a list"),
]  # fmt: skip


def damage(world, number, fields, text, raw):
    """Another value in a field of an invoice, or raw JSON where the value stands."""
    invoice = world.crm.location.invoices[world.crm.invoice(number)["_id"]]
    kept = dict(invoice.doc)
    invoice.doc |= fields
    world.crm.location.keep_invoice(invoice)
    if text:
        world.crm.say_instead(text, raw)
    return invoice, kept


def mend(world, invoice, kept):
    """As it was before."""
    invoice.doc.clear()
    invoice.doc |= kept
    world.crm.location.keep_invoice(invoice)


@pytest.mark.parametrize(("fields", "text", "raw", "field", "value"), ODD)
def test_an_odd_invoice_is_held_by_name_of_its_field(world, fields, text, raw, field, value):
    """Counted, listed and explained like any other; the neighbour goes, and so does this one once it can be read."""
    world.has("ODD-1")
    world.has("FINE-1")
    invoice, kept = damage(world, "ODD-1", fields, text, raw)
    came = world.sync()
    assert (came["created"], came["held"], world.state("FINE-1")) == (1, 1, "synced")
    told = world.explain("ODD-1")
    assert (told["state"], told["cause"]["code"]) == ("held", "invoice_unreadable")
    assert (told["cause"]["facts"]["field"], told["cause"]["facts"]["value"]) == (field, value)
    assert value in told["cause"]["sentence"] and told["remedy"]["sentence"]
    assert [row["cause"] for row in runs.held_list(world.ledger)] == ["invoice_unreadable"]
    assert world.sync() == dict.fromkeys(came, 0) | {"held": 1, "unchanged": 1}
    mend(world, invoice, kept)
    assert world.sync()["created"] == 1 and world.state("ODD-1") == "synced"


def test_an_invoice_in_xero_that_becomes_odd_is_held_and_heals(world):
    """A plain run and a full one say the same; what stands in Xero stays, and nothing is written once it is well."""
    for number in ("ODD-1", "FINE-1"):
        world.has(number)
    world.sync()
    invoice, kept = damage(world, "ODD-1", {"status": "overdue"}, "", "")
    for orders in ({}, {"full": True}, {"only": frozenset({invoice.id})}):
        world.sync(**orders)
        assert (world.outcome.ended, world.state("ODD-1"), world.cause("ODD-1")) == (
            "done",
            "held",
            "invoice_unreadable",
        )
    world.has("NEW-1")
    world.later(hours=25)
    assert world.sync()["created"] == 1
    writes = world.writes()
    mend(world, invoice, kept)
    world.sync()
    assert (world.state("ODD-1"), world.writes()) == ("synced", writes)


def test_half_a_character_in_a_line_is_left_out(world):
    """It is half an emoji that somebody's shop cut off: the invoice goes, and so do its neighbours."""
    world.has("ODD-1", lines=[{"name": "Spring sale @@", "qty": 1, "amount": 100, "taxes": [20]}])
    world.has("FINE-1")
    world.crm.say_instead("@@", "\\ud83c")
    assert world.sync()["created"] == 2
    [line] = world.xero.invoice("ODD-1")["LineItems"]
    assert line["Description"] == "Spring sale "


def test_an_odd_invoice_takes_no_number_from_its_neighbour(world):
    """Nothing is known of it, so that the other one that has its number may go."""
    world.has("N-1")
    damage(world, "N-1", {"total": "12,50"}, "", "")
    world.crm.edit_invoice(world.has("N-2"), number="N-1")
    assert (world.sync()["created"], world.xero.numbers()) == (1, ["N-1"])


def test_an_odd_transaction_is_told_and_the_others_are_carried(world):
    """Its invoice waits for it; every other payment goes."""
    for number in ("ODD-1", "FINE-1"):
        world.has(number)
        world.crm.pay(number, 120)
    odd = world.crm.transactions("ODD-1")[0]
    odd = world.crm.location.transactions[odd["_id"]]
    odd["amount"] = "12,50"
    world.crm.location.keep_transaction(odd)
    world.sync()
    assert world.outcome.failure is None
    assert [(one.kind, one.field) for one in world.outcome.unreadable] == [("transaction", "amount")]


def test_an_invoice_that_crococlick_cannot_show_stands_in_nobodys_way(world):
    """Asked for by its id it is refused: it is put aside, and goes on by itself when it can be read again."""
    world.has("ODD-1", status="sent", issueDate="2026-01-02")
    world.sync()
    invoice = world.crm.location.invoices[world.crm.invoice("ODD-1")["_id"]]
    world.crm.void("ODD-1")
    world.has("NEW-1")
    path, body = f"/invoices/{invoice.id}", {"message": "odd"}
    world.faults.add("refuse", side="crococlick", method="GET", path=path, status=400, body=body)
    assert world.sync()["created"] == 1
    assert (world.outcome.ended, world.cause("ODD-1")) == ("done", "invoice_unreadable")
    assert "odd" in world.explain("ODD-1")["cause"]["sentence"]
    assert world.sync()["voided"] == 1 and world.state("ODD-1") == "synced"


def test_markup_in_a_description_becomes_text(world):
    """Customers read it on the invoice; what only looks like markup stays."""
    rich = "<p>Design &amp; build</p><ul><li>Home</li><li>Shop</li></ul>"
    lines = [
        {"name": "Website", "description": rich, "qty": 1, "amount": 10},
        {"name": "A\x02B <3 if a < b", "qty": 1, "amount": 10},
    ]
    world.has("F-1", lines=lines)
    world.sync()
    written = [line["Description"] for line in world.xero.invoice("F-1")["LineItems"]]
    assert written == ["Website\nDesign & build\n- Home\n- Shop", "AB <3 if a < b"]


@pytest.mark.parametrize("dust", [249.98000000000002, 249.98])
def test_dust_of_floats_is_no_money(world, dust):
    """179.99 + 69.99 in binary; nobody could correct it."""
    world.has("F-1", lines=[{"name": "a", "qty": 1, "amount": 179.99}, {"name": "b", "qty": 1, "amount": 69.99}])
    damage(world, "F-1", {"total": dust, "amountDue": dust}, "", "")
    assert world.sync()["created"] == 1
    assert json.dumps(world.xero.invoice("F-1")["Total"]) == "249.98"
