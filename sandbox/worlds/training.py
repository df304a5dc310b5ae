"""The world for training: one invoice for each magic word, and one for each cause that is made in CrocoClick itself.

Each invoice's name says what it shows. The words that break the call, and with it everything in the same call, wait
as drafts: send one when you want to see it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox import faults, magic, names
from sandbox.fixture import Fixture
from sandbox.names import Business
from sandbox.worlds.pieces import Crm, business_in_xero, day, empty, in_xero, service


class Stage(Crm):
    """Both sides of the training world while it is built."""

    def __init__(self, box: Fixture):
        super().__init__(box, random.Random(1911))
        self.books = box.sim.xero.books[box.xero.tenant]
        people = names.businesses(8, self.rng)
        self.customers = [self.contact(who) for who in people]
        for who in people[:5]:
            business_in_xero(self.books, who)
        self.made = 0

    def show(self, told: str, lines: list[dict[str, Any]] | None = None, **fields: Any) -> str:
        """One invoice of the last weeks, at 20 % and in euros unless it is to show something else."""
        self.made += 1
        customer = fields.pop("contact", self.customers[self.made % len(self.customers)])
        known = {"name": told[0].upper() + told[1:]}
        return self.invoice(customer, 28 - self.made % 28, lines or [service(self.rng)], **(known | fields))

    def taxed(self, told: str, rate: float) -> None:
        """One line at this rate."""
        self.show(told, [service(self.rng, rate)])

    def stranger(self, company: str, email: str) -> str:
        """One more customer in CrocoClick."""
        return self.contact(Business(company, "Camille", "Petit", email, "+33140000009", "Lyon", "69003"))


# -- what is made in CrocoClick -----------------------------------------------------------------------------------


def locked(stage: Stage, told: str) -> None:
    """Issued on the very day of the lock."""
    today = stage.box.clock.utc().date()
    lock = (today - timedelta(days=62)).replace(day=1) - timedelta(days=1)
    stage.box.xero.organisation(PeriodLockDate=lock.isoformat())
    stage.show(told, issueDate=lock.isoformat())


def shared_email(stage: Stage, told: str) -> None:
    """Two customers in Xero read the same letters."""
    shared = "compta@duval.example"
    for name in ("Duval SARL", "Duval Holding"):
        in_xero(stage.books, name, EmailAddress=shared, IsCustomer=True)
    stage.show(told, contact=stage.stranger("Duval & Fils", shared))


def name_taken(stage: Stage, told: str) -> None:
    """The name is there, with another address."""
    in_xero(stage.books, "Camille Petit", EmailAddress="ancien@petit.example", IsCustomer=True)
    stage.show(told, contact=stage.stranger("Petit et Cie", "contact@petit.example"))


def archived(stage: Stage, told: str) -> None:
    """Xero knew this customer once."""
    email = "factures@imprimerie-delmas.example"
    in_xero(stage.books, "Imprimerie Delmas", EmailAddress=email, ContactStatus="ARCHIVED")
    stage.show(told, contact=stage.stranger("Imprimerie Delmas", email))


def two_rates(stage: Stage, told: str) -> None:
    """Guadeloupe and Martinique pay the same."""
    for island in ("Guadeloupe", "Martinique"):
        stage.box.xero.add_tax_rate(f"TVA 8,5 % {island}", 8.5)
    stage.taxed(told, 8.5)


def old_rate(stage: Stage, told: str) -> None:
    """The rate of before 2014."""
    type_ = stage.box.xero.add_tax_rate("TVA 19,6 %", 19.6)
    stage.box.xero.update("taxrates", type_, Status="ARCHIVED")
    stage.taxed(told, 19.6)


def purchase_rate(stage: Stage, told: str) -> None:
    """A rate that only bills may have."""
    type_ = stage.box.xero.add_tax_rate("TVA déductible 13 %", 13)
    stage.box.xero.update("taxrates", type_, CanApplyToRevenue=False)
    stage.taxed(told, 13)


def refunded(stage: Stage, told: str) -> None:
    """Paid, and a part of it given back."""
    id_ = stage.show(told, status="paid")
    transaction = stage.box.crococlick.transactions(id_)[0]
    stage.box.crococlick.refund(transaction["_id"], 20)


def same_number(stage: Stage, told: str) -> None:
    """Two invoices, one number."""
    first = stage.show("the number of this invoice is used twice")
    number = stage.box.crococlick.invoice(first)["invoiceNumber"]
    stage.show(told, number=number, issueDate=day(stage.box, 0))


def negative(stage: Stage, told: str) -> None:
    """More is given back than is asked for."""
    credit = {"name": "Avoir sur prestation", "amount": -450, "qty": 1, "taxes": [20]}
    stage.show(told, [{"name": "Prestation", "amount": 120, "qty": 1, "taxes": [20]}, credit])


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to come to one cause without magic; `make` where an invoice of the training world shows it."""

    cause: str
    told: str
    make: Callable[[Stage, str], Any] | None = None


RECIPES = (
    # the connection
    Recipe("not_connected", "do not connect yet, or `python -m syncer disconnect`"),
    Recipe("wrong_organisation", "have consent for a second organisation too, then MAGIC-GONE…"),
    Recipe("role_missing", 'at the desk: xero/do/switch {"role": "READONLY"}'),
    Recipe("xero_unavailable", 'at the desk: faults {"kind": "error_503", "method": "GET", "times": 20}'),
    Recipe("crococlick_unavailable", 'at the desk: faults {"kind": "error_503", "side": "crococlick", "times": 20}'),
    Recipe("crococlick_token_refused", 'at the desk: crococlick/do/refuse {"token": "pit-sandbox"}'),
    Recipe(
        "crococlick_scope_missing",
        'at the desk: crococlick/do/allow {"token": "pit-sandbox", "scopes": ["locations.readonly"]}',
    ),
    Recipe("crococlick_wrong_location", "set CROCOCLICK_LOCATION_ID to another id"),
    Recipe("paused", "press Pause on any page of the console, or `python -m syncer pause`"),
    Recipe("source_shrunk", 'delete most invoices, at the desk: crococlick/do/delete {"key": NUMBER}'),
    # not eligible
    Recipe("status_not_selected", "leave it a draft", lambda s, told: s.show(told, status="draft")),
    Recipe("before_start_date", "set `start_date` to a day after its issue date"),
    Recipe("test_mode", "make it in test mode", lambda s, told: s.show(told, liveMode=False)),
    Recipe("skipped_by_person", "`python -m syncer skip NUMBER --because TEXT`"),
    Recipe("void_before_sync", "void it before it goes over", lambda s, told: s.show(told, status="void")),
    # the customer
    Recipe("contact_missing", "leave the contact out", lambda s, told: s.show(told, contact=None)),
    Recipe("contact_ambiguous", "an email that two Xero contacts share", shared_email),
    Recipe("contact_name_taken", "a name that a Xero contact with another email has", name_taken),
    Recipe("contact_archived", "an email that only an archived Xero contact has", archived),
    Recipe(
        "contact_invalid",
        "an email without @",
        lambda s, told: s.show(told, contact=s.stranger("Garage Noël", "garage-noel.example")),
    ),
    # tax, currency, accounts
    Recipe("tax_unmapped", "a tax of 7.77 %", lambda s, told: s.taxed(told, 7.77)),
    Recipe("tax_ambiguous", "a tax of 8.5 %, which two Xero rates have", two_rates),
    Recipe("tax_archived", "a tax of 19.6 %, which only an archived Xero rate has", old_rate),
    Recipe("tax_wrong_side", "a tax of 13 %, which only a Xero rate for purchases has", purchase_rate),
    Recipe("currency_not_enabled", "the currency SEK", lambda s, told: s.show(told, currency="SEK")),
    Recipe("currency_not_in_plan", 'the currency SEK, and at the desk: xero {"Class": "STANDARD"}'),
    Recipe("account_missing", "`python -m syncer settings set revenue_account=`"),
    Recipe("account_invalid", "`python -m syncer settings set revenue_account=709`, an archived account"),
    Recipe(
        "tracking_invalid", "`python -m syncer settings set tracking.Region=North`, a category that Xero does not have"
    ),
    Recipe(
        "payment_account_missing",
        "a paid invoice in GBP while only `payment_account.EUR` is set",
        lambda s, told: s.show(told, currency="GBP", status="paid"),
    ),
    # the document
    Recipe("period_locked", "an issue date up to the lock date", locked),
    Recipe("number_taken", "the number of another invoice", same_number),
    Recipe("number_invalid", "a number with № or an accent", lambda s, told: s.show(told, number=f"FAC-{s.year}-№-7")),
    Recipe("negative_total", "a credit line above the others", negative),
    Recipe(
        "line_invalid",
        "a line without name and description",
        lambda s, told: s.show(told, [{"name": "", "amount": 75, "qty": 1, "taxes": [20]}]),
    ),
    Recipe("invoice_unreadable", 'at the desk: crococlick/invoices/NUMBER {"status": "disputed"}'),
    Recipe("issue_date_missing", 'at the desk: crococlick/invoices/NUMBER {"issueDate": ""}'),
    Recipe("due_date_missing", "leave the due date out", lambda s, told: s.show(told, dueDate=None)),
    # its life
    Recipe("awaiting_approval", "`python -m syncer settings set approval=draft`, then sync a paid invoice"),
    Recipe("payment_mismatch", 'at the desk: crococlick/invoices/NUMBER {"amountPaid": 1}'),
    Recipe(
        "payment_changed",
        'sync a partly paid invoice; at the desk: crococlick/do/correct_payment {"transaction_id": "…", "amount": 1}',
    ),
    Recipe("refund_needs_person", "refund a payment", refunded),
    Recipe("edited_after_payment", "sync a paid invoice, then change its price"),
    Recipe("void_with_payments", "sync a paid invoice, then void it"),
    Recipe(
        "deleted_in_crococlick",
        "delete an invoice that is held, see source_shrunk; then `python -m syncer sync --full`",
    ),
)


# -- the world ----------------------------------------------------------------------------------------------------


def training(box: Fixture) -> None:
    """A small organisation where everything goes wrong once."""
    empty(box)
    stage = Stage(box)
    stage.show("an invoice that goes over without trouble")
    stage.show("a paid invoice that goes over without trouble", status="paid")
    for recipe in RECIPES:
        if recipe.make:
            recipe.make(stage, recipe.told)
    for word, row in magic.WORDS.items():
        status = "paid" if row.payment or row.later is magic.pay_in_full else "sent"
        stage.show(row.told, number=f"MAGIC-{word}-1", status=status)
    for word, strike in faults.MAGIC.items():
        stage.show(strike.told, number=f"MAGIC-{word}-1", status="draft")
    box.sim.crococlick.location.next_number = stage.count + 1
    box.sim.crococlick.location.keep_profile()


# -- the help -----------------------------------------------------------------------------------------------------


def told() -> str:
    """The magic words and the recipes, as the help lists them."""
    refused = {word: row for word, row in magic.WORDS.items() if row.invoice}
    paid = {word: row for word, row in magic.WORDS.items() if row.payment}
    happens = {word: row for word, row in magic.WORDS.items() if word not in refused and word not in paid}
    return f"""\
magic invoice numbers: MAGIC-<WORD> and what you like behind it, each with the cause that it leads to
  As long as the number stays; with -ONCE behind the word (MAGIC-LOCKED-ONCE-1) only the first time, so that
  trying again heals it. Another number in CrocoClick heals it too.

  Xero refuses the invoice, its neighbours in the call go through
{words(refused)}

  Xero accepts the invoice, and something happens to it there
{words(happens)}

  Xero accepts the invoice and refuses its payment
{words(paid)}

  the call breaks, once for each number, and with it everything in the same call
{words(faults.MAGIC)}

without magic: what to make in CrocoClick, to set or to do at the test desk, for each cause
{rows([(recipe.cause, recipe.told) for recipe in RECIPES])}
  At the desk means: curl -X POST URL/_sandbox/<path> -d '<body>'. The token is good again by
  crococlick/do/allow {{"token": "pit-sandbox"}}; a draft is sent by crococlick/do/send {{"key": NUMBER}}.
"""


def words(table: dict[str, Any]) -> str:
    """Magic words, each with its cause and a sentence."""
    return rows([(f"MAGIC-{word}…", row.cause or "–", row.told) for word, row in table.items()])


def rows(cells: list[tuple[str, ...]]) -> str:
    """Columns, each as wide as it has to be."""
    widths = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
    lines = ["".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(f"  {line}".rstrip() for line in lines)
