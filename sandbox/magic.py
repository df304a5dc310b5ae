"""Magic invoice numbers: MAGIC-<WORD>… meets in Xero what its word stands for, so that people can see it and practise.

Xero refuses such an invoice or its payment in its own words, as long as the number stays; or the accountant does
something to it. With -ONCE behind the word (MAGIC-LOCKED-ONCE-1) that happens only the first time, so that trying
again heals it. What has struck is forgotten when the sandbox ends. The words of sandbox.faults break the call instead.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.xero import messages as say
from sandbox.xero import payments
from sandbox.xero.books import Books, Invoice
from sandbox.xero.drafting import Draft
from sandbox.xero.formats import long_date
from sandbox.xero.writing import Outcome, Written

MARK = b"MAGIC-"
NUMBER = re.compile(r"MAGIC-([A-Z]+)(-ONCE)?(?![A-Z])")
LATER_MS = 1000
Deed = Callable[[Books, Invoice], None]


# -- what may be done to an invoice -------------------------------------------------------------------------------


def add_a_cent(_: Books, invoice: Invoice) -> None:
    """Xero comes to another tax than everybody else."""
    invoice.tax += 1
    invoice.total += 1


def move_due_date(_: Books, invoice: Invoice) -> None:
    """The customer gets another week."""
    invoice.due = (date.fromisoformat(invoice.due or invoice.date) + timedelta(days=7)).isoformat()


def void(_: Books, invoice: Invoice) -> None:
    """The invoice is taken out of the books."""
    invoice.status = "DELETED" if invoice.status in ("DRAFT", "SUBMITTED") else "VOIDED"


def pay_in_full(books: Books, invoice: Invoice) -> None:
    """The money is booked by hand, from the bank statement; a draft takes none."""
    if invoice.status != "AUTHORISED" or invoice.due_cents <= 0:
        return
    bank = next(account for account in books.accounts.values() if account["Type"] == "BANK")
    values = {"date": invoice.date, "cents": invoice.due_cents, "rate": None, "bank": None}
    payment = payments.take(books, invoice, bank, values, "Relevé bancaire")
    payment.updated += LATER_MS
    books.keep_payment(payment)


# -- the words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One word: the cause it provokes, what the help tells of it, and one thing that the sandbox does.

    `invoice` and `payment` are the message that refuses it, with the names of the `facts` that fill its gaps;
    `answer` is done to an accepted invoice before Xero answers, `later` after.
    """

    cause: str
    told: str
    invoice: str = ""
    payment: str = ""
    facts: tuple[str, ...] = ()
    answer: Deed | None = None
    later: Deed | None = None


UNKNOWN = "Sandbox: a refusal that nobody has seen before, made up for training."

WORDS: dict[str, Word] = {
    # Xero refuses the invoice.
    "LOCKED": Word("period_locked", "the period of the invoice is locked", say.PERIOD_LOCKED, facts=("date",)),
    "YEAREND": Word("period_locked", "the financial year of the invoice is closed", say.YEAR_LOCKED, facts=("date",)),
    "TAKEN": Word("number_taken", "Xero has another invoice with this number", say.INVOICE_NUMBER_TAKEN),
    "CAP": Word("plan_invoice_cap", "the plan allows no more invoices this month", say.PLAN_CAP),
    "ROLE": Word("role_missing", "the person who connected may not write invoices any more", say.NO_PERMISSION),
    "ARCHIVED": Word("contact_archived", "the customer has been archived in Xero", say.ARCHIVED_USE),
    "EMAIL": Word("contact_invalid", "Xero does not take the customer's email", say.EMAIL_INVALID),
    "NOBODY": Word("contact_missing", "Xero finds no customer on the invoice", say.CONTACT_MISSING),
    "TWINS": Word("contact_ambiguous", "another customer in Xero has this one's contact number", say.NUMBER_TAKEN),
    "NOTAX": Word("tax_unmapped", "a line has no tax, and its account has none either", say.TAX_MISSING),
    "OLDTAX": Word("tax_archived", "the tax rate has been deleted in Xero", say.TAX_UNKNOWN, facts=("tax",)),
    "WRONGTAX": Word(
        "tax_not_for_account",
        "the account does not go with the tax rate",
        say.TAX_NOT_FOR_ACCOUNT,
        facts=("tax", "account"),
    ),
    "CURRENCY": Word("currency_not_enabled", "Xero has not added the currency", say.CURRENCY, facts=("currency",)),
    "NOACCOUNT": Word("account_missing", "a line has no account", say.ACCOUNT_MISSING),
    "OLDACCOUNT": Word(
        "account_invalid", "the revenue account has been archived in Xero", say.ACCOUNT_ARCHIVED, facts=("account",)
    ),
    "BADACCOUNT": Word(
        "account_invalid", "the revenue account takes no invoices", say.ACCOUNT_UNUSABLE, facts=("account",)
    ),
    "OLDTRACKING": Word(
        "tracking_invalid", "the tracking category of the lines has been archived in Xero", say.TRACKING_UNKNOWN
    ),
    "NODUE": Word("due_date_missing", "Xero misses the due date", say.DUE_MISSING),
    "NEGATIVE": Word("negative_total", "the total is below zero", say.TOTAL_NEGATIVE),
    "LINE": Word("line_invalid", "a line has no description", say.DESCRIPTION_MISSING),
    "TOTAL": Word("total_mismatch", "Xero's lines do not add up to the total", say.DOCUMENT_TOTAL),
    "UNKNOWN": Word("rejected_by_xero", "a refusal that nobody has seen before", UNKNOWN),
    # Something happens to the invoice in Xero.
    "RETOTALLED": Word("total_mismatch", "Xero accepts it and comes to one cent more", answer=add_a_cent),
    "EDITED": Word("changed_in_xero", "then the accountant moves the due date by a week", later=move_due_date),
    "VOIDED": Word("removed_in_xero", "then the accountant voids it", later=void),
    "PREPAID": Word(
        "payment_exceeds_due",
        "then the accountant enters a payment in full; pay it in CrocoClick too",
        later=pay_in_full,
    ),
    # Xero takes the invoice and refuses its payment.
    "PAYACCOUNT": Word("payment_account_invalid", "the account takes no payments", payment=say.ACCOUNT_TYPE),
    "OVERPAID": Word("payment_exceeds_due", "the payment is higher than what is due", payment=say.OVERPAID),
    "PAYLOCKED": Word(
        "period_locked", "the period of the payment is locked", payment=say.PERIOD_LOCKED, facts=("date",)
    ),
}


def struck(books: Books, number: object, part: str) -> Word | None:
    """The word that strikes now, if this number has one that does this part; with -ONCE no second time."""
    found = NUMBER.match(str(number or ""))
    word = WORDS.get(found[1]) if found else None
    if not found or word is None or not getattr(word, part):
        return None
    if found[2]:
        if found.string in books.struck:
            return None
        books.struck.add(found.string)
    return word


def within(body: bytes) -> bool:
    """Whether a request may hold a magic number: all that the others pay."""
    return MARK in body


# -- refusing -----------------------------------------------------------------------------------------------------


def invoice_refusals(books: Books, draft: Draft) -> list[str]:
    """What Xero says to an invoice as sent."""
    word = struck(books, draft.sent.get("InvoiceNumber"), "invoice")
    if word is None or draft.type != "ACCREC":
        return []
    line = draft.lines[0] if draft.lines else None
    facts = {
        "date": long_date(draft.date),
        "currency": draft.currency,
        "tax": (line and line.tax_type) or "NONE",
        "account": (line and (line.account_code or line.account_id)) or "",
    }
    return [word.invoice.format(*(facts[name] for name in word.facts))]


def payment_refusals(books: Books, sent: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What Xero says to a payment as sent; its invoice has the number."""
    invoice = payments.find_invoice(books, sent)
    if invoice is None or not invoice.number.startswith("MAGIC-"):
        return []
    word = struck(books, invoice.number, "payment")
    facts = {"date": long_date(values["date"])}
    return [word.payment.format(*(facts[name] for name in word.facts))] if word else []


# -- what happens in Xero -----------------------------------------------------------------------------------------


def before_answer(books: Books, drafts: Iterable[Draft], written: Iterable[Written]) -> None:
    """What shows in the answer already: whenever the lines were reckoned."""
    for draft, done in zip(drafts, written, strict=True):
        if done.outcome is not Outcome.ERROR and draft.lines is not None:
            word = struck(books, draft.sent.get("InvoiceNumber"), "answer")
            if word and word.answer:
                invoice = books.invoices[done.id]
                word.answer(books, invoice)
                books.keep_invoice(invoice)


def after_answer(books: Books, drafts: Iterable[Draft], written: Iterable[Written]) -> None:
    """What the accountant does to a new invoice, a second after it was made."""
    for draft, done in zip(drafts, written, strict=True):
        if done.outcome is not Outcome.ERROR and draft.existing is None:
            word = struck(books, draft.sent.get("InvoiceNumber"), "later")
            if word and word.later:
                invoice = books.invoices[done.id]
                word.later(books, invoice)
                invoice.updated = max(books.clock.ms(), invoice.updated) + LATER_MS
                books.keep_invoice(invoice)
