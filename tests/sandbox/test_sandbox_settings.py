"""Organisation, actions, accounts, tax rates, currencies, payments: what a client asks before it writes."""

from typing import Any

import pytest
from conftest import invoice, messages

from sandbox.server import Sandbox


def test_the_organisation_shows_lock_dates_only_when_set(desk: Any) -> None:
    """Absent is not null; dates are Microsoft's."""
    found = desk.ask("GET", "Organisation")[1]["Organisations"][0]
    assert (found["Version"], found["BaseCurrency"], found["CountryCode"]) == ("GLOBAL", "EUR", "FR")
    assert "PeriodLockDate" not in found
    desk.organisation(PeriodLockDate="2026-01-31")
    found = desk.ask("GET", "Organisation")[1]["Organisations"][0]
    assert found["PeriodLockDate"] == "/Date(1769817600000+0000)/"


def actions(desk: Any) -> dict[str, bool]:
    """What the organisation allows."""
    rows = desk.ask("GET", "Organisation/Actions")[1]["Actions"]
    return {row["Name"]: row["Status"] == "ALLOWED" for row in rows}


def test_actions_reflect_plan_and_role(desk: Any) -> None:
    """UseMulticurrency follows the plan, creating invoices the role, the lock date the adviser."""
    assert actions(desk)["UseMulticurrency"]
    assert not actions(desk)["ApproveTransactionsBeforePeriodLockDate"]
    desk.organisation(Class="STANDARD")
    desk.switch(role="READONLY", adviser=False)
    found = actions(desk)
    assert not found["UseMulticurrency"] and not found["CreateApprovedInvoice"]


EDITIONS = {
    "GLOBAL": {"OUTPUT", "INPUT", "NONE", "GSTONIMPORTS"},
    "UK": {"OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "EXEMPTOUTPUT", "NONE", "INPUT2"},
    "NZ": {"OUTPUT2", "INPUT2", "ZERORATED", "NONE"},
    "AU": {"OUTPUT", "INPUT", "EXEMPTOUTPUT", "BASEXCLUDED"},
    "US": {"OUTPUT", "INPUT", "NONE"},
}


@pytest.mark.parametrize(("edition", "types"), EDITIONS.items())
def test_each_edition_has_its_rates(desk: Any, edition: str, types: set[str]) -> None:
    """The default tax types of an edition are there; in GLOBAL even a purchase rate may go on revenue."""
    rates = {r["TaxType"]: r for r in desk.add_organisation(f"Org {edition}", edition=edition).tax_rates()}
    assert types <= rates.keys()
    purchase = rates.get("INPUT2") or rates["INPUT"]
    assert purchase["CanApplyToRevenue"] is (edition == "GLOBAL")


def test_a_new_rate_gets_the_next_code(desk: Any) -> None:
    """User-made rates are TAX005, TAX006, …, found by their code; names are unique."""
    sent = {"Name": "TVA 8,5 %", "TaxComponents": [{"Name": "TVA", "Rate": "8.5"}]}
    status, body = desk.ask("PUT", "TaxRates", sent)
    assert (status, body["TaxRates"][0]["TaxType"], body["TaxRates"][0]["EffectiveRate"]) == (200, "TAX005", 8.5)
    assert desk.ask("GET", "TaxRates/TAX005")[1]["TaxRates"][0]["Name"] == "TVA 8,5 %"
    assert messages(desk.ask("PUT", "TaxRates", sent)[1]) == ["Please enter a unique Name."]


def test_a_compound_rate_taxes_the_other_parts_too(desk: Any) -> None:
    """5 % plus a compound 9.975 % is effectively 15.4738 %."""
    parts = [{"Name": "A", "Rate": 5}, {"Name": "B", "Rate": 9.975, "IsCompound": True}]
    found = desk.ask("PUT", "TaxRates", {"Name": "Both", "TaxComponents": parts})[1]["TaxRates"][0]
    assert (found["DisplayTaxRate"], found["EffectiveRate"]) == (14.975, 15.4738)


def test_report_tax_type_belongs_to_some_editions_only(desk: Any) -> None:
    """GLOBAL refuses it, the UK insists on it; both in the sandbox's own words."""
    sent = {"Name": "N", "TaxComponents": [{"Name": "T", "Rate": 1}]}
    refused = messages(desk.ask("PUT", "TaxRates", sent | {"ReportTaxType": "OUTPUT"})[1])
    assert refused[0].startswith("Sandbox: ReportTaxType is not accepted")
    british = desk.add_organisation("UK", edition="UK")
    assert messages(british.ask("PUT", "TaxRates", sent)[1])[0].startswith("Sandbox: ReportTaxType is mandatory")
    assert british.ask("PUT", "TaxRates", sent | {"ReportTaxType": "OUTPUT"})[0] == 200


def test_system_rates_stand_and_own_rates_can_go(desk: Any) -> None:
    """POST changes or deletes a rate of one's own; a deleted rate is refused on invoices."""
    assert desk.ask("POST", "TaxRates", {"TaxType": "OUTPUT", "Name": "Mine"})[0] == 400
    assert desk.ask("POST", "TaxRates", {"Name": "TVA 20 %", "Status": "DELETED"})[0] == 200
    text = "The TaxType code TAX001 does not exist or cannot be used for this type of transaction."
    assert messages(desk.ask("PUT", "Invoices", invoice())[1]) == [text]


def test_currencies_are_enabled_where_the_plan_allows(desk: Any) -> None:
    """A bare object enables a currency; without multicurrency the refusal is the sandbox's own."""
    assert desk.ask("PUT", "Currencies", {"Code": "CHF"})[0] == 200
    assert {"CHF", "EUR"} <= {c["Code"] for c in desk.ask("GET", "Currencies")[1]["Currencies"]}
    desk.organisation(Class="STANDARD")
    assert messages(desk.ask("PUT", "Currencies", {"Code": "CAD"})[1])[0].startswith("Sandbox: this plan")


def test_accounts_can_be_filtered_and_added(desk: Any) -> None:
    """Bank accounts take payments although they say they do not; a foreign one has no code."""
    banks = desk.ask("GET", "Accounts", query='where=Type=="BANK"')[1]["Accounts"]
    assert {b["CurrencyCode"] for b in banks} == {"EUR", "GBP", "USD"}
    assert all(b["EnablePaymentsToAccount"] is False for b in banks)
    assert any("Code" not in b for b in banks)
    made = desk.ask("PUT", "Accounts", {"Code": "704", "Name": "Travaux", "Type": "SALES"})[1]["Accounts"][0]
    assert (made["Class"], made["Status"]) == ("REVENUE", "ACTIVE")
    assert desk.ask("GET", f"Accounts/{made['AccountID']}")[0] == 200


def test_money_in_parts_and_back(desk: Any) -> None:
    """A part leaves the invoice open, the rest pays it, taking a payment back opens it again."""
    desk.add_invoice(**invoice(InvoiceNumber="P-1"))
    sent = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "512"}, "Date": "2026-11-10", "Reference": "tx 1"}
    first = desk.ask("PUT", "Payments", {"Payments": [sent | {"Amount": 50}]})[1]["Payments"][0]
    assert (first["PaymentType"], first["Status"], first["Invoice"]["AmountDue"]) == (
        "ACCRECPAYMENT",
        "AUTHORISED",
        70.0,
    )
    assert (desk.invoice("P-1")["Status"], desk.invoice("P-1")["AmountPaid"]) == ("AUTHORISED", 50.0)
    desk.ask("POST", "Payments", sent | {"Amount": "70.00"})
    paid = desk.invoice("P-1")
    assert (paid["Status"], paid["AmountDue"], paid["FullyPaidOnDate"]) == ("PAID", 0.0, "/Date(1794268800000+0000)/")
    body = desk.ask("POST", f"Payments/{first['PaymentID']}", {"Status": "DELETED"})[1]
    assert body["Payments"][0]["Status"] == "DELETED"
    assert (desk.invoice("P-1")["Status"], desk.invoice("P-1")["AmountDue"]) == ("AUTHORISED", 50.0)
    assert "FullyPaidOnDate" not in desk.invoice("P-1")
    assert [p["Amount"] for p in desk.invoice("P-1")["Payments"]] == [70.0]
    assert len(desk.ask("GET", "Payments")[1]["Payments"]) == 2
    assert desk.ask("GET", "Payments", query='where=Status=="DELETED"')[1]["Payments"][0]["Reference"] == "tx 1"


def test_nothing_stops_the_same_part_twice(desk: Any) -> None:
    """A payment has no natural key: a repeated part goes through, a repeated whole does not."""
    desk.add_invoice(**invoice(InvoiceNumber="P-1"))
    sent = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "512"}, "Amount": 50}
    batch = {"Payments": [sent, sent, sent]}
    body = desk.ask("PUT", "Payments", batch, "summarizeErrors=false")[1]
    assert [p["StatusAttributeString"] for p in body["Payments"]] == ["OK", "OK", "ERROR"]


def test_a_foreign_payment_into_the_base_account(desk: Any) -> None:
    """Amount is in the document's currency; the bank amount follows the rate."""
    desk.add_invoice(**invoice(InvoiceNumber="P-1", CurrencyCode="GBP", CurrencyRate=0.8))
    sent = {"Invoice": {"InvoiceNumber": "P-1"}, "Account": {"Code": "512"}, "Amount": 120}
    found = desk.ask("PUT", "Payments", sent)[1]["Payments"][0]
    assert (found["Amount"], found["BankAmount"], found["CurrencyRate"]) == (120.0, 150.0, 0.8)
    desk.add_invoice(**invoice(InvoiceNumber="P-2"))
    pounds = next(a["AccountID"] for a in desk.accounts() if a.get("CurrencyCode") == "GBP")
    wrong = {"Invoice": {"InvoiceNumber": "P-2"}, "Account": {"AccountID": pounds}, "Amount": 1}
    assert messages(desk.ask("PUT", "Payments", wrong)[1])[0].startswith("Sandbox: this account's currency")


def test_books_of_another_tenant_are_out_of_reach() -> None:
    """An id of one organisation is unknown in the other."""
    box = Sandbox(world="demo", limits=False)
    id_ = box.xero.add_invoice(**invoice())
    assert box.xero.of("Dupont Formation").ask("GET", f"Invoices/{id_}") == (404, None)
