"""Every line carries the tracking options that the settings choose; nothing goes with one that Xero lacks."""

import pytest

from syncer.onboarding import readiness


@pytest.fixture
def tracked(world):
    """Two categories in Xero, and an option of each chosen."""
    world.xero.add_tracking("Region", "North", "South")
    world.xero.add_tracking("Cost centre", "Shop")
    world.set(tracking__Region="North", **{"tracking__Cost centre": "Shop"})
    return world


def options(world, number):
    """The options of each line in Xero."""
    lines = world.xero.invoice(number)["LineItems"]
    return [{one["Name"]: one["Option"] for one in line["Tracking"]} for line in lines]


def test_every_line_carries_the_options(tracked):
    """A rounding line too; reading the categories is one call a day, and none where no setting needs them."""
    world = tracked
    world.has("INV-1", lines=[{"name": f"Work {n}", "qty": 1, "amount": 100, "taxes": [20]} for n in range(2)])
    world.box.reset_calls()
    assert world.sync()["created"] == 1
    assert options(world, "INV-1") == [{"Region": "North", "Cost centre": "Shop"}] * 2
    assert world.state("INV-1") == "synced"
    assert world.box.count(side="xero", path="/TrackingCategories") == 1
    world.has("INV-2")
    world.sync()
    assert world.box.count(side="xero", path="/TrackingCategories") == 1


def test_without_the_setting_nothing_is_asked(world):
    """Everybody else's runs take the calls that they took before."""
    world.xero.add_tracking("Region", "North")
    world.has("INV-1")
    world.sync(full=True)
    assert options(world, "INV-1") == [{}]
    assert world.box.count(side="xero", path="/TrackingCategories") == 0


def test_a_setting_made_later_reads_the_categories_alone(world):
    """The rest of the organisation's settings is known already; what is in Xero is not written again."""
    world.xero.add_tracking("Region", "North")
    world.has("INV-1")
    world.sync()
    world.set(tracking__Region="North")
    assert world.state("INV-1") == "synced"
    world.box.reset_calls()
    world.has("INV-2")
    assert world.sync()["created"] == 1
    assert (options(world, "INV-1"), options(world, "INV-2")) == ([{}], [{"Region": "North"}])
    assert world.box.count(side="xero", method="GET", path="/TrackingCategories") == 1
    assert world.box.count(side="xero", path="/TaxRates") == 0


def test_a_setting_may_come_before_the_connection_has_read_anything(world):
    """Until the categories are read nothing is said against them; the run then holds before it writes."""
    world.has("INV-1")
    world.set(tracking__Region="North")
    assert world.sync()["held"] == 1
    told = world.explain("INV-1")
    assert (told["cause"]["code"], told["cause"]["facts"]["category"]) == ("tracking_invalid", "Region")
    assert told["cause"]["sentence"] == "Xero has no tracking category Region"
    assert world.writes() == 0
    world.xero.add_tracking("Region", "North")
    assert world.sync()["created"] == 1


def test_a_third_category_is_named(tracked):
    """Xero takes two on a line; which of them is one too many a person says."""
    world = tracked
    world.set(tracking__Team="Red")
    world.has("INV-1")
    assert world.sync()["held"] == 1
    told = world.explain("INV-1")
    assert "Cost centre, Region, Team" in told["cause"]["sentence"]
    world.set(tracking__Team="")
    assert world.sync()["created"] == 1


def test_a_category_that_goes_is_foreseen(tracked):
    """`check` reads the categories anew, and says which is archived and what hangs on it; the rest still shows."""
    world = tracked
    world.set(payment_account="512")
    world.has("INV-1")
    world.xero.update("tracking", "Region", Status="ARCHIVED")
    told = readiness.check(world.connection, lambda *told: None, lambda: False)
    by_subject = {one.subject: one for one in told.checks if one.code == "tracking"}
    wrong, right = by_subject["tracking.Region"], by_subject["tracking.Cost centre"]
    assert (str(wrong.level), wrong.invoices, str(right.level)) == ("fail", 1, "pass")
    assert readiness.readiness.sentence(wrong) == "The tracking category Region is archived in Xero."
    assert readiness.readiness.sentence(right) == "Every line gets Shop in the tracking category Cost centre."
    assert world.cause("INV-1") == "tracking_invalid"


def test_archived_since_the_categories_were_read(tracked):
    """Xero refuses it; the invoice waits, and goes once the category is back."""
    world = tracked
    world.has("INV-1")
    world.sync()
    world.xero.change_option("Region", "North", Status="ARCHIVED")
    world.has("INV-2")
    world.sync()
    told = world.explain("INV-2")
    assert told["cause"]["code"] == "tracking_invalid"
    assert "Region: North" in told["cause"]["sentence"]
    world.box.reset_calls()
    world.sync()
    assert (world.writes(), world.cause("INV-2")) == (0, "tracking_invalid")
    world.xero.change_option("Region", "North", Status="ACTIVE")
    assert world.sync()["created"] == 1
