"""Every cause: provoked over HTTP, told by explain, and its remedy followed until the invoice is synced or left out."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from syncer.app import pause
from syncer.domain.model.problems import CAUSES
from tests.support.causes import (
    WORK,
    account_of_a_product,
    accountant_paid,
    archived_account,
    archived_contact,
    archived_option,
    archived_since,
    bad_email,
    contact_twins,
    corrected_payment,
    credit,
    edited_after_payment,
    good_email,
    locked,
    made_up_of_two,
    more_than_transactions,
    no_revenue_account,
    no_such_category,
    once_in_xero,
    only_for_expenses,
    paid,
    payment_locked,
    payment_of_a_draft,
    payments_not_allowed,
    purchase_side,
    rate_gone,
    refunded,
    renumber,
    restore,
    strangers_number,
    taken_name,
    two_rates,
    unknown_contact,
    unlock,
    vat,
    void_with_payments,
)


def follow(world):
    """The order that explain advises."""
    assert world.explain("INV-1")["remedy"]["order"], "no order is advised"
    world.follow("INV-1")


@dataclass(frozen=True)
class Case:
    """How a cause comes about, and what settles it. `full`: it shows when Xero's or CrocoClick's lists are read anew."""

    code: str
    provoke: Callable
    remedy: Callable
    ends: str = "synced"
    state: str = "held"
    full: bool = False
    name: str = ""


def reading(module):
    """A name for the case in the list of tests."""
    return module.name or module.code


CASES = [
    # not eligible
    Case("status_not_selected", lambda w: w.has("INV-1", status="draft"), lambda w: w.crm.send("INV-1"), state="not_eligible"),
    Case(
        "before_start_date",
        lambda w: (w.set(start_date="2026-06-01"), w.has("INV-1", issueDate="2026-05-31")),
        lambda w: w.set(start_date="2026-05-31"),
        state="not_eligible",
    ),
    Case("test_mode", lambda w: w.has("INV-1", liveMode=False), lambda w: None, "not_eligible", "not_eligible"),
    Case("void_before_sync", lambda w: w.has("INV-1", status="void"), lambda w: None, "not_eligible", "not_eligible"),
    Case(
        "skipped_by_person",
        lambda w: (w.has("INV-1"), w.set(start_date="2030-01-01"), w.sync(), w.set(start_date=""), w.order("skip", "INV-1", because="a reason")),
        follow,
        state="skipped",
    ),
    # the customer
    Case("contact_missing", lambda w: w.has("INV-1", contactDetails={"id": "", "name": "X", "email": "", "phoneNo": ""}),
         lambda w: w.crm.edit_invoice("INV-1", contact=w.crm.add_contact(name="X", email="x@example.org"))),
    Case("contact_missing", lambda w: (w.set(create_contacts="false"), w.has("INV-1")), lambda w: w.set(create_contacts="true"),
         name="contact_missing, none may be created"),
    Case("contact_missing", unknown_contact, follow, name="contact_missing, gone from Xero"),
    Case("contact_ambiguous", contact_twins, follow),
    Case("contact_name_taken", taken_name, follow),
    Case("contact_name_taken", taken_name, lambda w: w.order("keep_apart", "INV-1", name="Garage (Lyon)"),
         name="contact_name_taken, kept apart"),
    Case("contact_archived", archived_contact, restore),
    Case("contact_archived", archived_since, restore, name="contact_archived, since the mirror was read"),
    Case("contact_invalid", bad_email, good_email),
    # tax
    Case("tax_unmapped", made_up_of_two, follow),
    Case("tax_unmapped", lambda w: w.has("INV-1", lines=vat(7.77)), lambda w: w.set(create_tax_rates="true"),
         name="tax_unmapped, created once allowed"),
    Case("tax_unmapped", lambda w: w.has("INV-1", lines=vat(7.77)), lambda w: w.xero.add_tax_rate("Special", 7.77),
         name="tax_unmapped, added in Xero"),
    Case("tax_ambiguous", two_rates, lambda w: w.order("map", "INV-1", **{"tax__7.5%": w.first})),
    Case("tax_archived", rate_gone, lambda w: w.xero.update("taxrates", "TAX003", Status="ACTIVE")),
    Case("tax_wrong_side", purchase_side, lambda w: w.order("map", "INV-1", **{"tax__20%": "TAX001"})),
    Case("tax_not_for_account", only_for_expenses, lambda w: w.order("map", "INV-1", revenue_account="706")),
    # currency and accounts
    Case("currency_not_enabled", lambda w: w.has("INV-1", currency="SEK"), lambda w: w.xero.add_currency("SEK")),
    Case("currency_not_enabled", lambda w: w.has("INV-1", currency="SEK"), lambda w: w.set(create_currencies="true"),
         name="currency_not_enabled, added once allowed"),
    Case("currency_not_in_plan", lambda w: (w.xero.switch(multicurrency=False), w.has("INV-1", currency="SEK")),
         lambda w: (w.xero.switch(multicurrency=True), w.xero.add_currency("SEK"))),
    Case("account_missing", no_revenue_account, lambda w: w.order("map", "INV-1", revenue_account="706")),
    Case("account_invalid", archived_account, lambda w: w.xero.update("accounts", "706", Status="ACTIVE")),
    Case("account_invalid", account_of_a_product, lambda w: w.order("map", "INV-1", revenue_account__product__p1="706"),
         name="account_invalid, of one product"),
    Case("tracking_invalid", no_such_category, lambda w: w.xero.add_tracking("Region", "North")),
    Case("tracking_invalid", archived_option, lambda w: w.order("map", "INV-1", tracking__Region="South"), name="tracking_invalid, an archived option"),
    Case("tracking_invalid", lambda w: (archived_option(w), w.set(tracking__Region="East")), lambda w: w.order("map", "INV-1", tracking__Region=""),
         name="tracking_invalid, no such option"),
    Case("payment_account_missing", paid, follow),
    Case("payment_account_invalid", payments_not_allowed, follow),
    # the document
    Case("invoice_unreadable", lambda w: w.crm.edit_invoice(w.has("INV-1"), status="disputed"), lambda w: w.crm.edit_invoice("INV-1", status="sent")),
    Case("period_locked", locked, unlock),
    Case("period_locked", payment_locked, unlock, name="period_locked, a payment"),
    Case("number_taken", strangers_number, lambda w: w.order("adopt", "INV-1")),
    Case("number_taken", strangers_number, renumber, name="number_taken, renumbered"),
    Case("number_invalid", lambda w: w.crm.edit_invoice(w.has("INV-1"), number="№ 1"), lambda w: w.crm.edit_invoice("№ 1", number="INV-1")),
    Case("total_mismatch", lambda w: (w.has("INV-1"), w.crm.add_late_fee("INV-1", 12)),
         lambda w: (w.crm.add_late_fee("INV-1", -12), w.crm.edit_invoice("INV-1", lines=[*vat(20), {"name": "Late fee", "qty": 1, "amount": 12}]))),
    Case("negative_total", credit, lambda w: w.order("skip", "INV-1", because="credit note made by hand"), "skipped"),
    Case("line_invalid", lambda w: w.has("INV-1", lines=vat(20, name="")), lambda w: w.crm.edit_invoice("INV-1", lines=vat(20))),
    Case("due_date_missing", lambda w: w.has("INV-1", dueDate=None), lambda w: w.order("map", "INV-1", due_days="30")),
    # document state
    Case("payment_exceeds_due", accountant_paid, follow, full=True),
    Case("payment_mismatch", more_than_transactions, lambda w: w.crm.edit_invoice("INV-1", amountPaid=0, amountDue=120, status="sent")),
    Case("payment_changed", corrected_payment, follow),
    Case("awaiting_approval", payment_of_a_draft, lambda w: w.xero.approve("INV-1")),
    Case("refund_needs_person", refunded, follow, "skipped"),
    Case("edited_after_payment", edited_after_payment, follow),
    Case("void_with_payments", void_with_payments, follow),
    Case("changed_in_xero", lambda w: (once_in_xero(w), w.xero.update("invoices", "INV-1", DueDate="2027-01-01")), follow, full=True),
    Case("removed_in_xero", lambda w: (once_in_xero(w), w.xero.void("INV-1")),
         lambda w: w.order("skip", "INV-1", because="voided on purpose"), "skipped", full=True),
    Case("removed_in_xero", lambda w: (once_in_xero(w), w.xero.void("INV-1")),
         lambda w: (renumber(w), w.sync(), w.follow("INV-2")), full=True, name="removed_in_xero, sent once more"),
    Case("removed_in_xero", lambda w: (w.set(statuses="draft,sent"), once_in_xero(w, status="draft"), w.xero.void("INV-1")),
         lambda w: (renumber(w), w.sync(), w.follow("INV-2")), full=True, name="removed_in_xero, a draft"),
    Case("tax_unmapped", lambda w: (w.xero.update("taxrates", "NONE", Status="ARCHIVED"), w.has("INV-1", lines=[{**WORK, "taxes": []}])),
         lambda w: w.order("map", "INV-1", tax__none="OUTPUT"), name="tax_unmapped, no tax"),
    Case("deleted_in_crococlick", lambda w: (once_in_xero(w), w.crm.delete("INV-1")), follow, full=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=reading)
def test_a_cause_and_its_remedy(world, case):
    """Provoke it, read why, follow the remedy: the invoice arrives, or is rightly left out."""
    case.provoke(world)
    world.sync(full=case.full)
    number = world.crm.invoices()[0]["invoiceNumber"] if world.crm.invoices() else "INV-1"
    number = "INV-1" if "INV-1" in [one["invoiceNumber"] for one in world.crm.invoices()] else number
    told = world.explain(number)
    assert (told["state"], told["cause"] and told["cause"]["code"]) == (case.state, case.code)
    sentence, remedy = told["cause"]["sentence"], told["remedy"]
    assert sentence and remedy["sentence"] and remedy["who"]
    assert "None" not in sentence + told["verdict"] and "_" not in sentence and "  " not in sentence
    assert ("automatically" in remedy["sentence"] or "by itself" in remedy["sentence"]) <= (
        told["state"] != "not_eligible"
    )
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0, "what needs a person is not tried again in vain"
    case.remedy(world)
    world.sync(times=1)
    ids = [row["source_id"] for row in world.ledger.rows("latest_invoices", limit=5)]
    known = world.ledger.invoices(ids)
    meant = [one for one in known if one.invoice.number != "INV-0"]
    assert [one.state for one in meant] == [case.ends]


TELLS = {
    # word: what the sentence has to name
    "LOCKED": ("period_locked", "locked"),
    "YEAREND": ("period_locked", "locked"),
    "TAKEN": ("number_taken", "MAGIC-TAKEN"),
    "CAP": ("plan_invoice_cap", "plan"),
    "ROLE": ("role_missing", "may not"),
    "EMAIL": ("contact_invalid", "Customer of MAGIC-EMAIL"),
    "NOTAX": ("tax_unmapped", "tax"),
    "OLDTAX": ("tax_archived", "tax rate"),
    "WRONGTAX": ("tax_not_for_account", "account"),
    "CURRENCY": ("currency_not_enabled", "not enabled"),
    "NOACCOUNT": ("account_missing", "account"),
    "OLDACCOUNT": ("account_invalid", "archived"),
    "OLDTRACKING": ("tracking_invalid", "tracking"),
    "NODUE": ("due_date_missing", "due date"),
    "NEGATIVE": ("negative_total", "negative"),
    "LINE": ("line_invalid", "line"),
    "TOTAL": ("total_mismatch", "line"),
    "UNKNOWN": ("rejected_by_xero", "Sandbox:"),
}


def test_what_xero_says_becomes_its_cause_and_heals_by_retry(world):
    """Refusals in Xero's own words, each of one invoice in the same batch: named, and gone after a retry."""
    for word in TELLS:
        world.has(f"MAGIC-{word}-ONCE-1")
    world.has("FINE-1")
    world.sync()
    assert world.state("FINE-1") == "synced"
    for word, (code, names) in TELLS.items():
        told = world.explain(f"MAGIC-{word}-ONCE-1")
        assert (told["state"], told["cause"]["code"]) == ("held", code), word
        assert names in told["cause"]["sentence"], told["cause"]["sentence"]
        assert "None" not in told["cause"]["sentence"] and "  " not in told["cause"]["sentence"]
    world.box.reset_calls()
    world.sync()
    assert world.writes() == 0, "the same is not sent again while nothing has moved"
    for word in TELLS:
        world.order("retry", f"MAGIC-{word}-ONCE-1")
    world.sync()
    assert {world.state(f"MAGIC-{word}-ONCE-1") for word in TELLS} == {"synced"}


def test_a_total_that_xero_changed_is_found_and_stays_found(world):
    """Xero comes to another total than was sent: held, not forgotten by the next run, and sent again on order."""
    world.has("MAGIC-RETOTALLED-ONCE-1")
    world.sync(times=2)
    assert world.cause("MAGIC-RETOTALLED-ONCE-1") == "total_mismatch"
    world.follow("MAGIC-RETOTALLED-ONCE-1")
    world.sync()
    assert world.state("MAGIC-RETOTALLED-ONCE-1") == "synced"


def test_an_issue_date_that_is_missing(world):
    """CrocoClick lets the issue date be empty; Xero needs one."""
    world.crm.edit_invoice(world.has("INV-1"), issueDate="")
    world.sync()
    assert world.cause("INV-1") == "issue_date_missing"
    world.crm.edit_invoice("INV-1", issueDate="2026-11-01")
    world.sync()
    assert world.state("INV-1") == "synced"


# -- what heals by itself -------------------------------------------------------------------------------------------

HEALS = {
    "rate_limited_minute": {"kind": "rate_limited", "problem": "minute", "retry_after": 4000},
    "rate_limited_day": {"kind": "rate_limited", "problem": "day", "retry_after": 3600},
    "answer_lost": {"kind": "dropped"},
}


@pytest.mark.parametrize("code", HEALS)
def test_it_heals_by_itself(world, code):
    """Shown as healing, with when it is tried again; the next run brings it over without anybody."""
    options = dict(HEALS[code])
    world.has("INV-1")
    world.faults.add(options.pop("kind"), side="xero", method="PUT", path="/Invoices", times=2, **options)
    if code == "answer_lost":
        world.faults.add("error_503", side="xero", method="GET", path="/Invoices", after=1, times=9)
    world.sync()
    told = world.explain("INV-1")
    assert told["cause"]["code"] == code and told["state"] in ("retrying", "in_doubt")
    if told["state"] == "retrying":
        assert " from " in told["remedy"]["sentence"], "when it is tried again is told"
    world.faults.clear()
    world.sync(times=2)
    assert world.state("INV-1") == "synced"


RUN = {
    "xero_unavailable": lambda w: w.faults.add("error_503", side="xero", method="GET", path="/api.xro", times=99),
    "crococlick_unavailable": lambda w: w.faults.add("error_500", side="crococlick", times=99),
    "consent_revoked": lambda w: w.xero.revoke(),
    "wrong_organisation": lambda w: (w.xero.add_organisation("Other").grant(), w.xero.disconnect()),
    "crococlick_token_refused": lambda w: w.crm.refuse(),
    "crococlick_scope_missing": lambda w: w.crm.allow("pit-sandbox", ["contacts.readonly"]),
    "crococlick_wrong_location": lambda w: w.faults.add(
        "refuse", side="crococlick", times=99, status=403,
        body={"statusCode": 403, "message": "The token does not have access to this location."},
    ),
    "scope_missing": lambda w: w.faults.add(
        "refuse", side="xero", path="/api.xro", times=99, status=401, body={"Detail": "AuthorizationUnsuccessful"},
        headers={"WWW-Authenticate": 'Bearer error="insufficent_scope"'},
    ),
}  # fmt: skip
MEND = {
    "consent_revoked": lambda w: w.connect(),
    "wrong_organisation": lambda w: w.connect(),
    "crococlick_token_refused": lambda w: w.crm.allow("pit-sandbox"),
    "crococlick_scope_missing": lambda w: w.crm.allow("pit-sandbox"),
}


@pytest.mark.parametrize("code", RUN)
def test_what_stops_a_whole_run(world, code):
    """The run says why it ended, in a sentence with the next step; once that is done everything goes."""
    from syncer.messages import status

    world.has("INV-1")
    RUN[code](world)
    world.sync()
    assert world.outcome.failure is not None and world.outcome.failure.code == code
    assert status.failure(code, world.outcome.failure.facts).count(".") >= 1
    world.faults.clear()
    MEND.get(code, lambda w: None)(world)
    world.sync()
    assert world.state("INV-1") == "synced"


def test_nothing_is_connected(box, tmp_path):
    """Without a consent the run ends before it begins."""
    from tests.support.sync_world import World

    world = World(box, tmp_path)
    world.has("INV-1")
    world.sync()
    assert world.outcome.failure.code == "not_connected"
    world.connect()
    world.set(revenue_account="706")
    world.sync()
    assert world.state("INV-1") == "synced"


def test_far_fewer_invoices_than_before_stop_the_run_and_ask(world):
    """A reading that shows a fraction of what was there concludes nothing until a person confirms it."""
    contact = world.crm.add_contact(name="Large", email="large@example.org")
    for number in range(24):
        world.has(f"INV-{number}", contact=contact)
    world.sync()
    for number in range(20):
        world.crm.delete(f"INV-{number}")
    world.sync(full=True)
    assert (world.outcome.ended, world.outcome.failure.code) == ("deferred", "source_shrunk")
    assert world.state("INV-1") == "synced"
    world.order("confirm_shrink")
    world.sync(full=True)
    assert world.outcome.ended == "done"
    assert world.cause("INV-1") == "deleted_in_crococlick"


def test_a_paused_connection(world):
    """Nothing goes until somebody resumes, which is what explain advises."""
    world.has("INV-1")
    pause.pause(world.connection, "Anna", "")
    world.sync()
    assert (world.state("INV-1"), world.cause("INV-1")) == ("held", "paused")
    follow(world)
    world.sync()
    assert world.state("INV-1") == "synced"


def test_every_cause_has_its_story():
    """No code of the contract is without one."""
    told = {case.code for case in CASES} | {code for code, _ in TELLS.values()} | set(HEALS) | set(RUN)
    told |= {"not_connected", "paused", "source_shrunk", "issue_date_missing"}
    assert told >= set(CAUSES), set(CAUSES) - told
