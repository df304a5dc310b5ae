"""Tracking categories: listed as Xero does, and checked on lines."""

import httpx
import pytest
from conftest import invoice, line, xero_client

from sandbox.server import Sandbox
from sandbox.xero import messages as say


@pytest.fixture
def client(box: Sandbox):
    """A client of an organisation with one category."""
    box.xero.add_tracking("Region", "North", "South")
    with xero_client(box) as made:
        yield made


def put(client: httpx.Client, *tracking: dict[str, str]) -> httpx.Response:
    """An invoice whose line carries this."""
    return client.put("/Invoices", json=invoice(LineItems=[line(Tracking=list(tracking))]))


def test_archived_ones_are_listed_when_asked_for(box: Sandbox, client: httpx.Client) -> None:
    """Categories and options alike (Xero's TrackingCategories page)."""
    box.xero.change_option("Region", "South", Status="ARCHIVED")
    box.xero.add_tracking("Team", "Red")
    box.xero.update("tracking", "Team", Status="ARCHIVED")

    def named(query: str) -> dict[str, list[str]]:
        found = client.get(f"/TrackingCategories{query}").json()["TrackingCategories"]
        return {one["Name"]: [option["Name"] for option in one["Options"]] for one in found}

    assert named("") == {"Region": ["North"]}
    assert named("?includeArchived=true") == {"Region": ["North", "South"], "Team": ["Red"]}
    assert client.put("/TrackingCategories", json={"Name": "X"}).status_code == 405


def test_a_line_shows_what_it_carries(client: httpx.Client) -> None:
    """By name or by id, with both ids in the answer, and kept through an update that leaves the lines alone."""
    made = put(client, {"Name": "Region", "Option": "North"}).json()["Invoices"][0]
    [shown] = made["LineItems"][0]["Tracking"]
    assert (shown["Name"], shown["Option"]) == ("Region", "North")
    again = put(client, {name: shown[name] for name in ("TrackingCategoryID", "TrackingOptionID")})
    assert again.json()["Invoices"][0]["LineItems"][0]["Tracking"] == [shown]
    client.post(f"/Invoices/{made['InvoiceID']}", json={"Reference": "r"})
    kept = client.get(f"/Invoices/{made['InvoiceID']}").json()["Invoices"][0]
    assert kept["LineItems"][0]["Tracking"] == [shown]


@pytest.mark.parametrize(
    "tracking",
    [{"Name": "Region", "Option": "West"}, {"Name": "Team", "Option": "North"}, {"Name": "Region"}],
)
def test_what_is_no_active_option_is_refused(client: httpx.Client, tracking: dict[str, str]) -> None:
    """In Xero's words."""
    assert say.TRACKING_UNKNOWN in put(client, tracking).text


def test_archived_and_too_many_are_refused(box: Sandbox, client: httpx.Client) -> None:
    """A line carries two at most, and a category that is archived is none."""
    north = {"Name": "Region", "Option": "North"}
    assert say.TRACKING_TOO_MANY in put(client, north, north, north).text
    box.xero.update("tracking", "Region", Status="ARCHIVED")
    assert say.TRACKING_UNKNOWN in put(client, north).text


def test_an_organisation_has_two_active_ones_at_most(box: Sandbox) -> None:
    """As Xero allows."""
    box.xero.add_tracking("Region", "North")
    box.xero.add_tracking("Team", "Red")
    with pytest.raises(ValueError, match="two active"):
        box.xero.add_tracking("Shop", "One")
