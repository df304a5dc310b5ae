"""Magic invoice numbers: each word leads to its cause, its neighbours never notice, and the help knows them all."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from conftest import LOCATION, crm_client, invoice, line, messages, xero_client

from sandbox import faults
from sandbox.__main__ import epilog
from sandbox.magic import WORDS
from sandbox.server import Sandbox
from sandbox.worlds import training
from syncer.connectors.xero import error_messages
from syncer.domain.model.problems import CAUSES

CODES = set(
    "not_connected consent_revoked scope_missing role_missing wrong_organisation crococlick_token_refused "
    "crococlick_scope_missing crococlick_wrong_location source_shrunk status_not_selected before_start_date test_mode "
    "skipped_by_person void_before_sync contact_missing contact_ambiguous contact_name_taken contact_archived "
    "contact_invalid tax_unmapped tax_ambiguous tax_archived tax_wrong_side tax_not_for_account currency_not_enabled "
    "currency_not_in_plan account_missing account_invalid payment_account_missing payment_account_invalid "
    "tracking_invalid period_locked number_taken number_invalid plan_invoice_cap total_mismatch negative_total "
    "awaiting_approval line_invalid due_date_missing payment_exceeds_due payment_mismatch refund_needs_person "
    "edited_after_payment void_with_payments changed_in_xero removed_in_xero deleted_in_crococlick rate_limited_minute "
    "rate_limited_day xero_unavailable crococlick_unavailable answer_lost rejected_by_xero".split()
)
REFUSED = [word for word, row in WORDS.items() if row.invoice]
UNPAYABLE = [word for word, row in WORDS.items() if row.payment]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a sandbox that the tests of this file share; each has numbers of its own."""
    with Sandbox(world="empty", limits=False) as box, xero_client(box) as made:
        yield made


def put(client: httpx.Client, *numbers: str, **fields: Any) -> list[dict[str, Any]]:
    """Invoices of these numbers in one call, each answered for itself."""
    body = {"Invoices": [invoice(InvoiceNumber=number, **fields) for number in numbers]}
    found: list[dict[str, Any]] = client.put("/Invoices?summarizeErrors=false", json=body).json()["Invoices"]
    return found


def fates(answered: list[dict[str, Any]]) -> list[str]:
    """What became of each element."""
    return [element["StatusAttributeString"] for element in answered]


def one(client: httpx.Client, number: str, **options: Any) -> dict[str, Any]:
    """An invoice as it stands in Xero."""
    found: dict[str, Any] = client.get("/Invoices", params={"InvoiceNumbers": number}, **options).json()["Invoices"][0]
    return found


def pay(client: httpx.Client, *invoices: dict[str, Any]) -> list[dict[str, Any]]:
    """A payment in full of each invoice, in one call."""
    body = [
        {"Invoice": {"InvoiceID": i["InvoiceID"]}, "Account": {"Code": "512"}, "Date": "2026-11-10", "Amount": 120}
        for i in invoices
    ]
    found: list[dict[str, Any]] = client.put("/Payments?summarizeErrors=false", json={"Payments": body}).json()[
        "Payments"
    ]
    return found


# -- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", REFUSED)
def test_a_refused_number_says_its_cause_and_spares_its_neighbours(client: httpx.Client, word: str) -> None:
    """Xero refuses this one invoice, in words that we read as the cause the help promises."""
    answered = put(client, f"A-{word}", f"MAGIC-{word}-1", f"B-{word}")
    assert fates(answered) == ["OK", "ERROR", "OK"]
    said = [error["Message"] for error in answered[1]["ValidationErrors"]]
    assert len(said) == 1 and "{}" not in said[0]
    assert error_messages.read(said)[0].code == WORDS[word].cause


@pytest.mark.parametrize("word", REFUSED)
def test_once_heals_with_the_second_try(client: httpx.Client, word: str) -> None:
    """For practising: try again, and it goes through."""
    assert [fates(put(client, f"MAGIC-{word}-ONCE-1")) for _ in range(2)] == [["ERROR"], ["OK"]]


def test_a_refusal_names_what_was_sent(client: httpx.Client) -> None:
    """Dates, rates, accounts and currencies in Xero's words are those of the invoice."""
    numbers = [f"MAGIC-{word}-NAMES" for word in ("LOCKED", "WRONGTAX", "OLDTAX", "OLDACCOUNT", "CURRENCY")]
    assert messages({"Invoices": put(client, *numbers, Date="2026-11-02")}) == [
        "The document date cannot be before the period lock date, currently set at 02-Nov-2026",
        "The TaxType code 'TAX001' cannot be used with account code '706'.",
        "The TaxType code TAX001 does not exist or cannot be used for this type of transaction.",
        "Account code '706' has been archived, or has been deleted. Each line item must reference a valid account.",
        "Organisation is not subscribed to currency EUR",
    ]


def test_a_refusal_stays_until_the_number_changes(client: httpx.Client) -> None:
    """Trying again does not help, another number does."""
    assert [fates(put(client, "MAGIC-CAP-STAYS")) for _ in range(2)] == [["ERROR"], ["ERROR"]]
    assert fates(put(client, "NO-MAGIC-CAP")) == ["OK"]


@pytest.mark.parametrize("number", ["MAGIC-LOCKEDX-1", "MAGIC-locked-1", "INV-MAGIC-LOCKED-1", "MAGIC-", "MAGIC-OTHER"])
def test_what_only_looks_like_magic_is_an_ordinary_number(client: httpx.Client, number: str) -> None:
    """A word counts when it is whole and stands in front."""
    assert fates(put(client, number)) == ["OK"]


def test_an_update_to_a_magic_number_is_refused_too(client: httpx.Client) -> None:
    """Renumbering in CrocoClick can make it worse as well."""
    made = put(client, "BEFORE-1")[0]
    sent = {"InvoiceID": made["InvoiceID"], "InvoiceNumber": "MAGIC-TAKEN-2"}
    assert messages(client.post("/Invoices", json=sent).json()) == ["Invoice # must be unique."]
    assert client.post("/Invoices", json={"InvoiceID": made["InvoiceID"], "Reference": "x"}).status_code == 200


def test_neighbours_pass_in_a_summarised_call_unless_the_switch_says_otherwise(box: Sandbox) -> None:
    """A 400 keeps the good elements, or nothing with the switch off, magic or not."""
    body = [invoice(InvoiceNumber="N-1"), invoice(InvoiceNumber="MAGIC-CAP-1")]
    with xero_client(box) as client:
        assert client.put("/Invoices", json={"Invoices": body}).status_code == 400
        assert box.xero.numbers() == ["N-1"]
        box.xero.switch(summarised_saves_neighbours=False)
        body[0]["InvoiceNumber"] = "N-2"
        assert client.put("/Invoices", json={"Invoices": body}).status_code == 400
        assert box.xero.numbers() == ["N-1"]
        body = [invoice(InvoiceNumber="N-3"), invoice(InvoiceNumber="MAGIC-EDITED-1")]
        assert client.put("/Invoices", json={"Invoices": body}).status_code == 200
    assert box.xero.invoice("MAGIC-EDITED-1")["DueDate"] == "2026-12-09"


def test_a_person_in_xero_meets_no_magic(desk: Any) -> None:
    """What is entered by hand is entered."""
    desk.add_invoice(**invoice(InvoiceNumber="MAGIC-LOCKED-1"))
    assert desk.numbers() == ["MAGIC-LOCKED-1"]


# -- what happens afterwards --------------------------------------------------------------------------------------


def test_retotalled_shows_a_cent_more_in_the_answer_and_ever_after(client: httpx.Client) -> None:
    """Another total is Xero's own answer; reckoning again comes to the same cent, not to two."""
    made = put(client, "MAGIC-RETOTALLED-1")[0]
    assert (made["TotalTax"], made["Total"], made["AmountDue"]) == (20.01, 120.01, 120.01)
    head = {"InvoiceID": made["InvoiceID"], "InvoiceNumber": "MAGIC-RETOTALLED-1"}
    for sent in ({"Reference": "x"}, {"LineItems": [line(UnitAmount=100)]}):
        client.post("/Invoices", json=head | sent)
        assert one(client, "MAGIC-RETOTALLED-1")["Total"] == 120.01
    client.post("/Invoices", json=head | {"InvoiceNumber": "HEALED-1", "LineItems": [line(UnitAmount=100)]})
    assert one(client, "HEALED-1")["Total"] == 120


def test_retotalled_once_is_right_the_second_time(client: httpx.Client) -> None:
    """Sent again, it comes out to the cent."""
    made = put(client, "MAGIC-RETOTALLED-ONCE-1")[0]
    assert made["Total"] == 120.01
    sent = {"InvoiceID": made["InvoiceID"], "InvoiceNumber": "MAGIC-RETOTALLED-ONCE-1", "LineItems": [line()]}
    assert client.post("/Invoices", json=sent).json()["Invoices"][0]["Total"] == 120


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        ("EDITED", {"DueDateString": "2026-12-02T00:00:00"}, {"DueDateString": "2026-12-09T00:00:00"}),
        ("VOIDED", {"Status": "AUTHORISED"}, {"Status": "VOIDED"}),
        ("PREPAID", {"Status": "AUTHORISED", "AmountDue": 120.0}, {"Status": "PAID", "AmountDue": 0.0}),
    ],
)
def test_the_accountant_comes_after_the_answer(
    client: httpx.Client, word: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The answer shows it as sent; whoever then asks for what changed since sees what was done."""
    made, neighbour = put(client, f"MAGIC-{word}-1", f"C-{word}")
    assert before.items() <= made.items()
    answered = int(re.findall(r"\d+", made["UpdatedDateUTC"])[0])
    since = datetime.fromtimestamp(answered // 1000 + 1, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    found = one(client, f"MAGIC-{word}-1", headers={"If-Modified-Since": since})
    assert after.items() <= found.items()
    assert one(client, f"C-{word}")["UpdatedDateUTC"] == neighbour["UpdatedDateUTC"]


def test_the_accountant_comes_only_once(client: httpx.Client) -> None:
    """What we send over it afterwards stays."""
    made = put(client, "MAGIC-EDITED-2")[0]
    sent = {"InvoiceID": made["InvoiceID"], "InvoiceNumber": "MAGIC-EDITED-2", "DueDate": "2027-01-01"}
    client.post("/Invoices", json=sent)
    assert one(client, "MAGIC-EDITED-2")["DueDateString"] == "2027-01-01T00:00:00"


def test_a_prepaid_invoice_takes_no_second_payment(client: httpx.Client) -> None:
    """Both books were paid: Xero says so."""
    said = pay(client, put(client, "MAGIC-PREPAID-2")[0])[0]["ValidationErrors"]
    assert error_messages.read([error["Message"] for error in said])[0].code == "payment_exceeds_due"


def test_a_draft_is_deleted_and_takes_no_money(client: httpx.Client) -> None:
    """Drafts end otherwise than invoices."""
    put(client, "MAGIC-VOIDED-DRAFT", "MAGIC-PREPAID-DRAFT", Status="DRAFT")
    assert one(client, "MAGIC-VOIDED-DRAFT")["Status"] == "DELETED"
    assert one(client, "MAGIC-PREPAID-DRAFT")["Status"] == "DRAFT"


# -- payments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", UNPAYABLE)
def test_a_payment_is_refused_for_its_invoices_number(client: httpx.Client, word: str) -> None:
    """The invoice goes over, its payment does not, the next payment does; once heals."""
    made = put(client, f"MAGIC-{word}-1", f"D-{word}", f"MAGIC-{word}-ONCE-1")
    assert fates(made) == ["OK", "OK", "OK"]
    refused, taken, once = pay(client, *made)
    assert (fates([refused, taken, once])) == ["ERROR", "OK", "ERROR"]
    said = [error["Message"] for error in refused["ValidationErrors"]]
    assert error_messages.read(said)[0].code == WORDS[word].cause
    assert fates(pay(client, made[0], made[2])) == ["ERROR", "OK"]


def test_a_locked_payment_names_its_own_date(client: httpx.Client) -> None:
    """Not the invoice's."""
    assert messages({"Payments": pay(client, put(client, "MAGIC-PAYLOCKED-DATE")[0])}) == [
        "The document date cannot be before the period lock date, currently set at 10-Nov-2026"
    ]


# -- what breaks the call -----------------------------------------------------------------------------------------


def test_scope_shows_once_as_xero_says_it(box: Sandbox) -> None:
    """401 with Xero's own spelling, then it works again."""
    with xero_client(box) as client:
        answers = [client.put("/Invoices", json=invoice(InvoiceNumber="MAGIC-SCOPE-1")) for _ in range(2)]
    assert [a.status_code for a in answers] == [401, 200]
    assert "insufficent_scope" in answers[0].headers["www-authenticate"]
    assert answers[0].json()["Detail"] == "AuthorizationUnsuccessful"


def test_no_word_means_two_things() -> None:
    """A word breaks the call or is answered, never both; each does exactly one thing."""
    assert not WORDS.keys() & faults.MAGIC.keys()
    for word, row in WORDS.items():
        assert sum(map(bool, (row.invoice, row.payment, row.answer, row.later))) == 1, word
        assert re.fullmatch("[A-Z]+", word)


# -- the help -----------------------------------------------------------------------------------------------------


def test_the_help_lists_every_word() -> None:
    """Nobody has to read the code."""
    for word in [*WORDS, *faults.MAGIC]:
        assert f"MAGIC-{word}… " in epilog()


def test_the_help_leads_to_every_cause() -> None:
    """Each cause of the contract, and each that the product has come to know since."""
    listed = set(re.findall(r"[a-z]+(?:_[a-z]+)*", epilog()))
    assert CAUSES.keys() >= CODES
    assert sorted((CODES | CAUSES.keys()) - listed) == []


def test_the_help_knows_no_cause_that_is_none() -> None:
    """A code that was renamed is found here."""
    named = [*WORDS.values(), *faults.MAGIC.values(), *training.RECIPES]
    assert {row.cause for row in named} - {""} <= CAUSES.keys()


# -- the world for training ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def school() -> Sandbox:
    """The training world."""
    return Sandbox(world="training")


def test_training_has_an_invoice_for_each_word(school: Sandbox) -> None:
    """At 20 % and in euros; paid where the payment matters, a draft where it would break the work of the others."""
    found = {i["invoiceNumber"]: i for i in school.crococlick.invoices()}
    paid = {*UNPAYABLE, "PREPAID"}
    for word in [*WORDS, *faults.MAGIC]:
        made = found[f"MAGIC-{word}-1"]
        assert made["status"] == ("draft" if word in faults.MAGIC else "paid" if word in paid else "sent")
        assert made["currency"] == "EUR"
        assert [t["rate"] for li in made["invoiceItems"] for t in li["taxes"]] == [20]
        assert made["contactDetails"]["id"]


def test_training_shows_each_recipe_that_can_be_made(school: Sandbox) -> None:
    """The invoice's name says what it is for."""
    names = Counter(i["name"].casefold() for i in school.crococlick.invoices())
    for recipe in training.RECIPES:
        if recipe.make:
            assert names[recipe.told.casefold()] == 1, recipe.cause


def test_training_is_locked_for_one_invoice_only(school: Sandbox) -> None:
    """The lock date catches nothing but what is to show it."""
    lock = school.xero.organisation()["PeriodLockDate"]
    docs = [kept.doc for kept in school.sim.crococlick.location.invoices.values()]
    assert [doc["name"] for doc in docs if doc["issueDate"] <= lock] == ["An issue date up to the lock date"]


def test_a_recipe_of_the_desk_leaves_the_sandbox_answering(quiet: Sandbox) -> None:
    """An invoice without an issue date is listed as any other."""
    number = quiet.crococlick.invoices()[0]["invoiceNumber"]
    httpx.post(f"{quiet.url}/_sandbox/crococlick/invoices/{number}", json={"issueDate": ""})
    listing = {"altId": LOCATION, "altType": "location", "limit": "10", "offset": "0"}
    with crm_client(quiet) as client:
        found = client.get("/invoices/", params=listing).json()["invoices"]
    assert [i["issueDate"] for i in found if i["invoiceNumber"] == number] == [""]
