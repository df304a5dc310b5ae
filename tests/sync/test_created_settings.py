"""Tax rates and currencies that the organisation lacks are created where the settings allow it, and never twice."""

import pytest


def rates(world, name):
    """The rates of this name in Xero."""
    return [one for one in world.xero.tax_rates() if one["Name"] == name]


@pytest.fixture
def creating(world):
    """What is missing may be created."""
    world.set(create_tax_rates="true", create_currencies="true")
    return world


def many(world, count, **fields):
    """Some invoices of one customer."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(count):
        world.has(f"INV-{number}", contact=contact, **fields)


def test_one_rate_for_all_that_need_it(creating):
    """Twenty invoices at 7.7 percent: one rate of the tax's own name, one call, and all of them arrive."""
    world = creating
    many(world, 20, lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    assert world.sync()["created"] == 20
    [rate] = rates(world, "TVA 7,7 %")
    assert [part["Rate"] for part in rate["TaxComponents"]] == [7.7]
    assert world.box.count(side="xero", method="PUT", path="/TaxRates") == 1
    world.box.reset_calls()
    world.sync()
    assert world.box.count(side="xero") == 0


def test_two_taxes_on_a_line_become_two_components(creating):
    """A line with two taxes gets a rate that shows both to the accountant."""
    world = creating
    gst, qst = {"_id": "a" * 24, "name": "GST", "rate": 5}, {"_id": "b" * 24, "name": "QST", "rate": 9.975}
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [gst, qst]}])
    assert world.sync()["created"] == 1
    [rate] = rates(world, "GST + QST")
    assert [(part["Name"], part["Rate"]) for part in rate["TaxComponents"]] == [("GST", 5), ("QST", 9.975)]


def test_rates_of_one_name_and_two_percentages(creating):
    """Xero wants every rate's name once: the second says its percentage."""
    world = creating
    for number, rate in (("INV-1", 7.1), ("INV-2", 7.2)):
        tax = {"_id": f"{rate}" * 8, "name": "VAT", "rate": rate}
        world.has(number, lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [tax]}])
    assert world.sync()["created"] == 2
    assert rates(world, "VAT") and len([one for one in world.xero.tax_rates() if one["Name"].startswith("VAT (")]) == 1


@pytest.mark.parametrize("what", ["accepted_then_hung_up", "dropped", "error_500"])
@pytest.mark.parametrize("path", ["/TaxRates", "/Currencies"])
def test_a_lost_answer_makes_no_second_one(creating, what, path):
    """Whatever becomes of the answer, the next run looks first: one rate, one currency, and the invoice arrives."""
    world = creating
    world.has("INV-1", currency="SEK", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    world.faults.next_write(what, path=path)
    world.sync()
    assert world.xero.invoices() == []
    world.sync(times=2)
    assert world.state("INV-1") == "synced"
    assert len(rates(world, "TVA 7,7 %")) == 1 and world.xero.currencies().count("SEK") == 1


def test_the_edition_that_wants_a_report_type_gets_one(creating):
    """In the UK a new rate has to say where on the return it belongs; a French organisation refuses that."""
    world = creating
    world.xero.organisation(Version="UK")
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    world.sync(full=True)
    assert rates(world, "TVA 7,7 %")[0]["ReportTaxType"] == "OUTPUT"


def test_a_refused_rate_is_not_asked_for_again(creating):
    """What Xero says is kept and shown with the invoice; the next run does not try, a retry does."""
    world = creating
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    no = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred",
          "Elements": [{"ValidationErrors": [{"Message": "Sandbox: not today."}]}]}  # fmt: skip
    world.faults.next_write("refuse", path="/TaxRates", status=400, body=no)
    world.sync()
    told = world.explain("INV-1")
    assert told["cause"]["code"] == "tax_unmapped" and "not today" in told["cause"]["sentence"]
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0
    world.order("retry", "INV-1")
    world.sync()
    assert world.state("INV-1") == "synced"


@pytest.mark.parametrize("lacks", [{"role": "INVOICEONLY"}, {"settings_rights": False}])
def test_a_rate_that_the_role_does_not_create_needs_another_role(creating, lacks):
    """Nobody is told to allow what is allowed: whoever has the role connects, and the rate is created."""
    world = creating
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.7]}])
    world.has("INV-2", currency="SEK")
    world.xero.switch(**lacks)
    world.sync()
    for number, code in (("INV-1", "tax_unmapped"), ("INV-2", "currency_not_enabled")):
        told = world.explain(number)
        assert (told["state"], told["cause"]["code"]) == ("held", code)
        assert "does not have the correct permissions" in told["cause"]["sentence"]
        assert "create_" not in told["remedy"]["sentence"]
        assert "Adviser role" in told["remedy"]["sentence"]
    world.xero.switch(role="STANDARD", settings_rights=True)
    world.connect()
    world.sync()
    assert (world.state("INV-1"), world.state("INV-2")) == ("synced", "synced")


def test_a_starter_plan_whose_month_is_used_up_says_so(world):
    """Also in the next run, whose user has every role there is; it goes on when the month is over."""
    world.xero.organisation(Class="STARTER")
    world.xero.switch(invoice_cap=1)
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(3):
        world.has(f"INV-{number}", contact=contact)
    world.sync()
    for _ in range(2):
        held = [world.explain(f"INV-{number}") for number in range(3) if world.state(f"INV-{number}") == "held"]
        assert [told["cause"]["code"] for told in held] == ["plan_invoice_cap"] * 2
        world.sync(full=True)
    world.xero.switch(invoice_cap=None)
    world.sync()
    assert {world.state(f"INV-{number}") for number in range(3)} == {"synced"}


def test_a_zero_rate_is_never_made_up(creating):
    """Exempt, zero-rated or outside the tax: the accountant says, not we."""
    world = creating
    for rate in ("NONE", "OUTPUT"):
        world.xero.update("taxrates", rate, Status="DELETED")
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [0]}])
    world.sync()
    assert world.state("INV-1") == "held"
    assert world.box.count(side="xero", method="PUT", path="/TaxRates") == 0


def test_a_plan_without_multicurrency_is_not_asked(creating):
    """The plan forbids it: held as such, without a call."""
    world = creating
    world.xero.switch(multicurrency=False)
    world.has("INV-1", currency="SEK")
    world.sync()
    assert world.cause("INV-1") == "currency_not_in_plan"
    assert world.box.count(side="xero", method="PUT", path="/Currencies") == 0


CREATABLE = {
    "tax": ({"lines": [{"name": "Work", "qty": 1, "amount": 100, "taxes": [7.77]}]}, {"create_tax_rates": "true"}),
    "currency": ({"currency": "SEK"}, {"create_currencies": "true"}),
}


@pytest.mark.parametrize("what", CREATABLE)
def test_what_is_missing_can_be_created_where_the_answer_stands(world, what):
    """The remedy of a missing rate or currency is an order that creates it; nobody has to find a setting."""
    fields, said = CREATABLE[what]
    world.has("INV-1", **fields)
    world.sync()
    [create] = [
        one for one in world.explain("INV-1")["remedy"]["answers"] if "in Xero, and other missing" in one["label"]
    ]
    assert create["order"] == ["order", "map", "INV-1", *(f"{k}=true" for k in said)]
    world.order("map", "INV-1", **said)
    world.sync()
    assert world.state("INV-1") == "synced"


def test_a_rate_of_zero_is_not_offered_for_creation(world):
    """Whether it is exempt, zero-rated or outside the tax only the accountant knows."""
    world.has("INV-1", lines=[{"name": "Work", "qty": 1, "amount": 100, "taxes": [0]}])
    world.sync()
    remedy = world.explain("INV-1")["remedy"]
    assert remedy is None or not any("create_tax_rates" in one["order"] for one in remedy["answers"])
