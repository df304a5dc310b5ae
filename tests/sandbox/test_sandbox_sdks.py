"""The official clients of both APIs, as independent judges: what they accept, the sandbox says rightly."""

import asyncio
import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import LOCATION, invoice
from highlevel import HighLevel
from xero_python.accounting import AccountingApi
from xero_python.accounting import models as xm
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, NotFoundException, RateLimitException
from xero_python.identity import IdentityApi

from sandbox.server import Sandbox


class Connected:
    """xero-python pointed at the sandbox, with its silent retries off."""

    def __init__(self, box: Sandbox, **changes: Any):
        self.token = box.xero.grant()
        self.token |= {"scope": self.token["scope"].split(), "expires_at": changes.get("expires_at", 9e12)}
        self.tenant = box.xero.tenant
        config = Configuration(oauth2_token=OAuth2Token(client_id="sandbox-client", client_secret="sandbox-secret"))
        client = ApiClient(config, pool_threads=1)
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        client.rest_client.pool_manager.clear()
        client.oauth2_token_getter(lambda: self.token)
        client.oauth2_token_saver(self.save)
        self.client = client
        self.accounting = AccountingApi(client, base_url=f"{box.url}/api.xro/2.0")
        self.identity = IdentityApi(client, base_url=box.url)

    def save(self, token: dict[str, Any]) -> None:
        """Keep refreshed tokens."""
        self.token = token


@pytest.fixture
def connected(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """A connected SDK."""
    monkeypatch.setattr(TokenApi, "refresh_token_url", f"{box.url}/connect/token")
    monkeypatch.setattr(TokenApi, "revoke_token_url", f"{box.url}/connect/revocation")
    monkeypatch.setattr(TokenApi, "client_credentials_token_url", f"{box.url}/connect/token")
    yield Connected(box)


def an_invoice(**fields: Any) -> xm.Invoice:
    """An approved invoice in the SDK's words."""
    made: dict[str, Any] = {
        "type": "ACCREC",
        "contact": xm.Contact(name="Client SDK"),
        "date": datetime.date(2026, 11, 2),
        "due_date": datetime.date(2026, 12, 2),
        "status": "AUTHORISED",
        "line_items": [
            xm.LineItem(description="x", quantity=2, unit_amount=10.5, account_code="706", tax_type="TAX001")
        ],
    }
    return xm.Invoice(**(made | fields))


def test_connections_and_settings(connected: Connected) -> None:
    """Every settings answer becomes a model without a complaint."""
    api, tenant = connected.accounting, connected.tenant
    assert [str(c.tenant_id) for c in connected.identity.get_connections()] == [tenant]
    org = api.get_organisations(tenant).organisations[0]
    assert (org.name, org.version, org.base_currency.name) == ("Dupont Conseil", "GLOBAL", "EUR")
    assert {a.name for a in api.get_organisation_actions(tenant).actions} >= {"UseMulticurrency"}
    assert {r.tax_type for r in api.get_tax_rates(tenant).tax_rates} >= {"TAX001", "NONE"}
    assert {a.code for a in api.get_accounts(tenant).accounts} >= {"706", "512"}
    assert [c.code.name for c in api.get_currencies(tenant).currencies] == ["EUR", "GBP", "USD"]
    assert api.get_users(tenant).users[0].is_subscriber is True


def test_an_invoice_from_draft_to_paid_and_back(connected: Connected) -> None:
    """Create, read, update, pay, unpay, note: the SDK's dates and flags pass both ways."""
    api, tenant = connected.accounting, connected.tenant
    made = api.create_invoices(
        tenant, xm.Invoices(invoices=[an_invoice(invoice_number="S-1")]), summarize_errors=False
    ).invoices[0]
    assert (float(made.total), made.status_attribute_string, made.date) == (25.2, "OK", datetime.date(2026, 11, 2))
    found = api.get_invoice(tenant, "S-1").invoices[0]
    assert found.line_items[0].unit_amount == 10.5
    update = xm.Invoices(invoices=[xm.Invoice(invoice_id=made.invoice_id, reference="neu")])
    assert api.update_invoice(tenant, made.invoice_id, update).invoices[0].reference == "neu"
    payment = xm.Payment(
        invoice=xm.Invoice(invoice_id=made.invoice_id), account=xm.Account(code="512"),
        date=datetime.date(2026, 11, 20), amount=25.2,
    )  # fmt: skip
    paid = api.create_payment(tenant, payment).payments[0]
    assert api.get_invoice(tenant, made.invoice_id).invoices[0].status == "PAID"
    api.delete_payment(tenant, paid.payment_id, xm.PaymentDelete(status="DELETED"))
    assert api.get_invoice(tenant, made.invoice_id).invoices[0].status == "AUTHORISED"
    api.create_invoice_history(
        tenant, made.invoice_id, xm.HistoryRecords(history_records=[xm.HistoryRecord(details="n")])
    )
    assert api.get_invoice_history(tenant, made.invoice_id).history_records[0].details == "n"


def test_lists_with_all_their_parameters(connected: Connected, box: Sandbox) -> None:
    """If-Modified-Since, where, order, comma lists, pages and flags in the SDK's spelling."""
    for n in range(3):
        box.xero.add_invoice(**invoice(InvoiceNumber=f"L-{n}"))
    api, tenant = connected.accounting, connected.tenant
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    found = api.get_invoices(
        tenant, if_modified_since=since, where='Status=="AUTHORISED"', order="InvoiceNumber DESC",
        statuses=["AUTHORISED"], page=1, page_size=2, include_archived=True, unitdp=4, summary_only=False,
    )  # fmt: skip
    assert [i.invoice_number for i in found.invoices] == ["L-2", "L-1"]
    assert found.pagination.item_count == 3
    assert len(api.get_invoices(tenant, invoice_numbers=["L-0", "L-2"]).invoices) == 2
    later = box.clock.utc() + datetime.timedelta(seconds=2)
    assert api.get_invoices(tenant, if_modified_since=later).invoices == []


def test_contacts_currencies_and_rates(connected: Connected) -> None:
    """The SDK's bare objects and wrappers both arrive."""
    api, tenant = connected.accounting, connected.tenant
    person = xm.Contact(name="Neu", email_address="n@x.example", contact_number="C-1")
    made = api.create_contacts(tenant, xm.Contacts(contacts=[person])).contacts[0]
    assert api.get_contact_by_contact_number(tenant, "C-1").contacts[0].contact_id == made.contact_id
    api.update_contact(tenant, made.contact_id, xm.Contacts(contacts=[xm.Contact(first_name="Zoé")]))
    assert api.get_contacts(tenant, search_term="zo").contacts[0].name == "Neu"
    api.create_currency(tenant, xm.Currency(code=xm.CurrencyCode.CHF, description="Franc"))
    rate = xm.TaxRate(name="TVA 8,5 %", tax_components=[xm.TaxComponent(name="TVA", rate=8.5)])
    assert api.create_tax_rates(tenant, xm.TaxRates(tax_rates=[rate])).tax_rates[0].effective_rate == 8.5


def test_errors_become_the_sdks_exceptions(connected: Connected, box: Sandbox) -> None:
    """400, 404 and 429 each have their class, with Xero's words inside."""
    api, tenant = connected.accounting, connected.tenant
    with pytest.raises(AccountingBadRequestException) as bad:
        api.create_invoices(tenant, xm.Invoices(invoices=[an_invoice(due_date=None)]))
    assert "DueDate field must be specified" in str(bad.value)
    with pytest.raises(NotFoundException):
        api.get_invoice(tenant, "none")
    box.faults.add("rate_limited", retry_after=1)
    with pytest.raises(RateLimitException):
        api.get_organisations(tenant)


def test_the_sdk_refreshes_an_old_token(box: Sandbox, connected: Connected) -> None:
    """A token near its end is refreshed with credentials in the form, and the new one works."""
    old = connected.token["refresh_token"]
    connected.token["expires_at"] = 1.0
    assert connected.accounting.get_organisations(connected.tenant).organisations
    assert connected.token["refresh_token"] != old
    assert box.count(method="POST", path="/connect/token") == 1


def test_the_sdk_revokes(connected: Connected) -> None:
    """After revoking, the connection is gone."""
    connected.client.revoke_oauth2_token()
    with pytest.raises(Exception, match=r"401|Unauthorized|AuthenticationUnsuccessful|token"):
        connected.identity.get_connections()


# -- HighLevel ----------------------------------------------------------------------------------------------------


def highlevel(box: Sandbox, **options: Any) -> HighLevel:
    """HighLevel's Python client pointed at the sandbox."""

    class Local(HighLevel):
        BASE_URL = box.url
        API_VERSION = "2021-07-28"

    return Local(**(options or {"private_integration_token": "pit-sandbox"}))


def test_highlevels_client_reads_and_writes(quiet: Sandbox) -> None:
    """Invoices, contacts, location and transactions through the vendor's own client."""

    async def journey() -> None:
        client = highlevel(quiet)
        alt = {"alt_id": LOCATION, "alt_type": "location"}
        rows = await client.invoices.list_invoices(**alt, limit="10", offset="0")
        assert rows["total"] == 3
        one = await client.invoices.get_invoice(invoice_id=rows["invoices"][0]["_id"], **alt)
        assert one["_id"] == rows["invoices"][0]["_id"]
        made = await client.contacts.upsert_contact({"locationId": LOCATION, "email": "sdk@x.example", "name": "S K"})
        assert made["new"] is True
        assert (await client.locations.get_location(location_id=LOCATION))["location"]["timezone"] == "Europe/Paris"
        money = await client.payments.list_transactions(**alt)
        assert money["totalCount"] == 1

    asyncio.run(journey())


def test_highlevels_client_gets_tokens(quiet: Sandbox) -> None:
    """Its camelCase token call is understood."""

    async def journey() -> dict[str, Any]:
        client = highlevel(quiet)
        return await client.oauth.get_access_token(
            {
                "client_id": "65a000000000000000000001-sandbox",
                "client_secret": "sandbox-secret",
                "grant_type": "client_credentials",
            }
        )

    assert asyncio.run(journey())["userType"] == "Company"


def test_credit_notes_are_listed(connected: Connected, box: Sandbox) -> None:
    """By day and kind, with their lines; voided ones too."""
    contact = box.xero.add_contact(Name="Client SDK")
    box.xero.add_credit_note(contact, "2026-10-28", 30, 5, reference="Refund")
    box.xero.add_credit_note(contact, "2026-11-02", 12, number="CN-9", status="VOIDED")
    api, tenant = connected.accounting, connected.tenant
    where = 'Type=="ACCRECCREDIT" AND Date >= DateTime(2026, 10, 01) AND Date <= DateTime(2026, 10, 31)'
    [note] = api.get_credit_notes(tenant, where=where, page=1).credit_notes
    assert (note.credit_note_number, note.reference, note.total, note.total_tax) == ("CN-0001", "Refund", 30, 5)
    assert note.line_items[0].tax_amount == 5 and note.remaining_credit == 30
    assert len(api.get_credit_notes(tenant).credit_notes) == 2
    assert api.get_credit_note(tenant, note.credit_note_id).credit_notes[0].contact.contact_id == contact
