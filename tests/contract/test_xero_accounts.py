"""One Xero organisation over real HTTP: what is created is found, what is lost is in doubt, what is refused is told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from syncer.connectors.http import Fixed
from syncer.connectors.xero import error_messages
from syncer.connectors.xero.client import XeroAccounts
from syncer.connectors.xero.rate_limit import OrganisationLimiter
from syncer.domain.errors import InDoubt, RateLimited, Reconnect, Unavailable
from syncer.domain.matching.invoice_contacts import NewContact
from syncer.domain.model.books import Document, DocumentLine
from syncer.domain.model.payment import NewPayment
from syncer.domain.ports import Refused


@pytest.fixture
def document(box, accounts):
    """Makes an invoice for a contact that exists."""
    contact_id = box.xero.contacts()[0]["ContactID"]
    account = next(account for account in accounts.books().accounts if account.type in ("REVENUE", "SALES"))

    def make(number, **changes):
        line = DocumentLine("Journée de conseil", Decimal(2), Decimal("445.1234"), account.code, "NONE")
        base = Document(
            source_id=f"src-{number}",
            number=number,
            contact_id=contact_id,
            issue_date=date(2026, 9, 14),
            due_date=date(2026, 10, 14),
            currency="EUR",
            reference="Visite",
            url=f"https://app.crococlick.example/invoice/{number}",
            status="AUTHORISED",
            sent_to_contact=True,
            inclusive=False,
            lines=(line,),
            total=Decimal("890.25"),
            total_tax=Decimal(0),
        )
        return replace(base, **changes)

    return make


def create(accounts, *documents, key="key-1"):
    """Create, with a call id of the key."""
    return accounts.create_invoices(documents, call_id=f"call-{key}", key=key)


def codes(refused):
    """What a refusal comes to."""
    assert isinstance(refused, Refused)
    return [problem.code for problem in error_messages.read(refused.messages)]


def test_the_books(box, accounts):
    """Five calls."""
    box.reset_calls()
    books = accounts.books()
    assert box.count(side="xero") == 5
    assert books.organisation.base_currency == "EUR"
    assert books.actions["CreateApprovedInvoice"] is True
    assert "EUR" in books.currencies
    assert any(rate.type == "OUTPUT" for rate in books.tax_rates)
    assert any(account.system_account == "ROUNDING" for account in books.accounts)
    assert books.organisation.period_lock_date is None
    box.xero.organisation(PeriodLockDate="2026-06-30")
    assert accounts.organisation().period_lock_date == date(2026, 6, 30)


def test_an_invoice_goes_out_and_is_found_again(box, accounts, document):
    """By its number and our mark, in lists and look-ups, to the cent."""
    (created,) = create(accounts, document("F-1"))
    assert (created.number, created.total, created.status) == ("F-1", Decimal("890.25"), "AUTHORISED")
    assert created.issue_date == date(2026, 9, 14)
    shown = box.xero.invoice("F-1")
    assert (shown["LineItems"][0]["UnitAmount"], shown["Date"], shown["SentToContact"]) == (
        445.1234,
        "2026-09-14",
        True,
    )
    (found,) = accounts.invoices_numbered(["F-1", "F-404"])
    (page,) = accounts.invoice_heads()
    for seen in (found, page.items[0]):
        assert (seen.id, seen.url, seen.amount_due) == (created.id, document("F-1").url, Decimal("890.25"))
        assert seen.contact_id == document("F-1").contact_id
    box.clock.advance(10)
    assert [len(page.items) for page in accounts.invoice_heads(since=found.updated_at + timedelta(seconds=5))] == [0]


def test_one_bad_element_does_not_delay_its_neighbours(accounts, document):
    """Each with its own verdict, in the order sent."""
    create(accounts, document("F-1"))
    first, taken, third = create(accounts, document("F-2"), document("F-1"), document("F-3"), key="key-2")
    assert (first.number, third.number) == ("F-2", "F-3")
    assert codes(taken) == ["number_taken"]


def test_the_same_key_gives_the_same_answer(box, accounts, document):
    """And another body under it is in doubt."""
    (first,) = create(accounts, document("F-1"))
    (again,) = create(accounts, document("F-1"))
    assert again.id == first.id
    with pytest.raises(InDoubt) as doubt:
        create(accounts, document("F-2"))
    assert doubt.value.facts["reason"] == "idempotency_mismatch"
    assert box.xero.numbers() == ["F-1"]


@pytest.mark.parametrize("fault", ["accepted_then_hung_up", "truncated", "error_500", "error_500_html", "error_503"])
def test_a_lost_answer_leaves_doubt_and_is_settled_by_looking(box, accounts, document, fault):
    """Sent once; the look-up tells."""
    box.faults.next_write(fault, after_commit=True)
    box.reset_calls()
    with pytest.raises(InDoubt):
        create(accounts, document("F-1"))
    assert box.count(method="PUT", path="/Invoices") == 1
    (found,) = accounts.invoices_numbered(["F-1"])
    assert found.url == document("F-1").url


def test_a_line_that_drops_before_anything_happened(box, accounts, document):
    """Doubt too; the look-up finds nothing, and it may be sent again."""
    box.faults.next_write("dropped")
    with pytest.raises(InDoubt):
        create(accounts, document("F-1"))
    assert accounts.invoices_numbered(["F-1"]) == []
    (created,) = create(accounts, document("F-1"))
    assert created.number == "F-1"


def test_update_void_and_what_a_payment_forbids(box, accounts, document):
    """An update replaces the lines; a void is final; a paid one refuses both."""
    one, two = create(accounts, document("F-1"), document("F-2"))
    line = replace(document("F-1").lines[0], unit_amount=Decimal(500), discount=Decimal("12.34"))
    changed = document("F-1", lines=(line,), reference="")
    (updated,) = accounts.update_invoices([(one.id, changed)], call_id="u", key="u")
    assert updated.total == Decimal("987.66")
    assert (len(box.xero.invoice("F-1")["LineItems"]), box.xero.invoice("F-1").get("Reference", "")) == (1, "")
    box.xero.pay("F-2", 10)
    voided, paid = accounts.void_invoices([one.id, two.id], call_id="v", key="v")
    assert voided.status == "VOIDED"
    assert codes(paid)[0] == "void_with_payments"
    (edited,) = accounts.update_invoices([(two.id, changed)], call_id="e", key="e")
    assert codes(edited)[0] in ("edited_after_payment", "changed_in_xero")
    (draft,) = create(accounts, document("F-3", status="DRAFT", sent_to_contact=False), key="key-3")
    (deleted,) = accounts.delete_drafts([draft.id], call_id="d", key="d")
    assert deleted.status == "DELETED"


def test_contacts_are_created_with_our_mark(box, accounts):
    """A taken name is told; archived ones are listed."""
    before = box.xero.contacts()[0]["Name"]
    new = NewContact("s", "Maison Lumière", "bonjour@lumiere.example", "crm-1", "+33601020304")
    made, taken = accounts.create_contacts([new, NewContact("t", before)], call_id="c", key="c")
    assert (made.name, made.number, made.email) == ("Maison Lumière", "crm-1", "bonjour@lumiere.example")
    (problem,) = error_messages.read(taken.messages)
    assert (problem.code, problem.facts["name"]) == ("contact_name_taken", before)
    box.xero.update("contacts", made.id, ContactStatus="ARCHIVED")
    contacts = [contact for page in accounts.contacts() for contact in page.items]
    assert {contact.id: contact.status for contact in contacts}[made.id] == "ARCHIVED"


def test_an_unknown_contact_refuses_the_whole_request(accounts, document):
    """Nothing was written; alone, the others may go."""
    stranger = document("F-2", contact_id="99999999-9999-4999-8999-999999999999")
    first, second = create(accounts, document("F-1"), stranger)
    assert first.whole
    assert second.whole
    assert accounts.invoices_numbered(["F-1"]) == []


def test_payments(box, accounts, document):
    """Recorded with our mark, found on the invoice, and not beyond what is due."""
    (invoice,) = create(accounts, document("F-1"))
    bank = next(account for account in accounts.books().accounts if account.type == "BANK")
    payment = NewPayment("tx", invoice.id, bank.id, date(2026, 9, 20), Decimal("90.25"), "CrocoClick tx-1")
    made, too_much = accounts.create_payments([payment, replace(payment, amount=Decimal(5000))], call_id="p", key="p")
    assert (made.amount, made.invoice_id) == (Decimal("90.25"), invoice.id)
    assert codes(too_much)[0] == "payment_exceeds_due"
    (found,) = accounts.payments_of(invoice.id)
    assert (found.id, found.reference, found.paid_on) == (made.id, "CrocoClick tx-1", date(2026, 9, 20))


def test_the_minute_is_waited_out(box, accounts, document, clock):
    """The same write again, and nothing twice."""
    box.faults.next_write("rate_limited", problem="minute", retry_after=26)
    (created,) = create(accounts, document("F-1"))
    assert box.xero.numbers() == [created.number]
    assert sum(clock.slept) >= 25


def test_the_day_ends_the_run(box, accounts, document):
    """Told, not slept through."""
    box.faults.next_write("rate_limited", problem="day", retry_after=40000)
    with pytest.raises(RateLimited) as limited:
        create(accounts, document("F-1"))
    assert limited.value.code == "rate_limited_day"


def test_the_real_limits_are_kept(box, accounts, clock):
    """A hundred calls under a limit of sixty a minute: not one is refused."""
    box.xero.limits.reset()
    box.reset_calls()
    for _ in range(100):
        accounts.organisation()
    assert 429 not in {call["status"] if isinstance(call, dict) else call.status for call in box.calls}
    assert 59 <= sum(clock.slept) <= 70


def test_five_at_once(accounts):
    """From threads."""
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: accounts.organisation().name, range(30)))
    assert len(names) == 1


def test_a_read_survives_a_bad_moment(box, accounts):
    """Once hung up, once an error page."""
    box.faults.next_read("dropped")
    box.faults.next_read("error_500_html")
    assert accounts.organisation().name


def test_a_long_outage_is_told(box, accounts):
    """With its status."""
    box.faults.next_read("error_503", times=10)
    with pytest.raises(Unavailable) as gone:
        accounts.organisation()
    assert gone.value.facts["status"] == 503


def test_an_expired_token_is_renewed_in_passing(box, accounts, document):
    """Also under a write, which goes once."""
    box.xero.expire_access()
    (created,) = create(accounts, document("F-1"))
    assert box.xero.numbers() == [created.number]


def test_who_was_disconnected(box, accounts, connect):
    """Only this organisation, or everything."""
    second = box.xero.add_organisation("Dupont Formation")
    connect("default", second.tenant)
    box.xero.disconnect()
    with pytest.raises(Reconnect) as one:
        accounts.organisation()
    assert one.value.code == "wrong_organisation"
    second.disconnect()
    with pytest.raises(Reconnect) as all_gone:
        accounts.organisation()
    assert all_gone.value.code == "consent_revoked"


def test_a_withdrawn_consent(box, accounts):
    """Found out by a call."""
    box.faults.next_read("token_revoked")
    with pytest.raises(Reconnect) as gone:
        accounts.organisation()
    assert gone.value.code == "consent_revoked"


def test_a_missing_scope(box, notes, clock):
    """Told without a loop of refreshes."""
    token = box.xero.grant("openid offline_access accounting.contacts")["access_token"]
    client = XeroAccounts.open(box.url, box.xero.tenant, Fixed(token), OrganisationLimiter(clock), notes, clock)
    with pytest.raises(Reconnect) as missing:
        client.invoices_numbered(["F-1"])
    assert missing.value.code == "scope_missing"


def test_every_call_is_written_down_without_secrets(accounts, document, notes, tokens):
    """With its key and what is left."""
    create(accounts, document("F-1"))
    call, sent, received = notes.calls[-1]
    assert (call.id, call.idempotency_key, call.method, call.status) == ("call-key-1", "key-1", "PUT", 200)
    assert call.day_left is not None
    assert b"F-1" in sent
    assert b"F-1" in received
    stored = tokens.tokens()
    assert stored.access_token not in repr(notes.calls)
    assert stored.refresh_token not in repr(notes.calls)
