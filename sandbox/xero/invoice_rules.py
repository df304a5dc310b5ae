"""What Xero checks before it accepts an invoice: state, contact, dates, currency, lines, totals, plan."""

import json
from typing import Any
from urllib.parse import urlsplit

from sandbox.xero import books as books_xero
from sandbox.xero import contacts, tracking
from sandbox.xero import messages as say
from sandbox.xero.books import Books, Contact, Invoice
from sandbox.xero.drafting import Draft
from sandbox.xero.formats import ZERO_GUID, long_date, scaled
from sandbox.xero.lines import Chart, Line, check_line, read_lines

NEXT = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
    "PAID": ("PAID",),
    "VOIDED": (),
    "DELETED": (),
}
NUMBER_MAX, REFERENCE_MAX = 255, 255


def check(books: Books, draft: Draft, create_only: bool) -> None:
    """Note everything that is wrong with an invoice, in Xero's words."""
    state = state_problems(books, draft)
    draft.errors += state
    if state and draft.existing and draft.existing.status in ("VOIDED", "DELETED"):
        return
    draft.errors += identity_problems(books, draft, create_only)
    draft.contact = find_contact(books, draft)
    draft.errors += date_problems(books, draft)
    draft.errors += currency_problems(books, draft)
    check_lines(books, draft)
    draft.errors += total_problems(draft)
    if draft.existing is not None and draft.existing.payments_count(books):
        draft.errors += paid_problems(books, draft)
    if not draft.errors:
        draft.errors += plan_problems(books, draft)
    draft.errors = list(dict.fromkeys(draft.errors))


# -- state and identity -------------------------------------------------------------------------------------------


def state_problems(books: Books, draft: Draft) -> list[str]:
    """Whether the invoice may be created or moved to the status asked for."""
    if books.switches.role in ("READONLY", "REMOVED"):
        return [say.NO_PERMISSION]
    existing = draft.existing
    if existing is None:
        return [] if draft.status in ("DRAFT", "SUBMITTED", "AUTHORISED") else [say.NOT_CREATABLE]
    if existing.status in ("VOIDED", "DELETED"):
        return [say.NOT_MODIFIABLE]
    problems = [] if draft.status in NEXT[existing.status] else [say.NOT_MODIFIABLE]
    if draft.status != existing.status and existing.payments_count(books) and draft.status != "DELETED":
        problems.append(say.STATUS_BLOCKED.format(draft.status))
    return problems + locked_edit(books, existing)


def locked_edit(books: Books, existing: Invoice) -> list[str]:
    """An approved invoice in a locked period stays as it is."""
    if existing.status not in ("AUTHORISED", "PAID"):
        return []
    year, period = books.org.get("EndOfYearLockDate"), books.org.get("PeriodLockDate")
    if year and existing.date <= year:
        return [say.LOCKED_EDIT]
    if period and existing.date <= period and not books.switches.adviser:
        return [say.PERIOD_LOCKED.format(long_date(period))]
    return []


def identity_problems(books: Books, draft: Draft, create_only: bool) -> list[str]:
    """Number, reference and link."""
    problems = []
    number = draft.number
    if len(number) > NUMBER_MAX:
        problems.append(say.TOO_LONG.format("InvoiceNumber", NUMBER_MAX))
    if number and draft.type == "ACCREC":
        if not all(" " <= c <= "~" for c in number):
            problems.append(say.NUMBER_NOT_ASCII)
        holder = books.numbers.get(number)
        if holder and (draft.existing is None or holder != draft.existing.id) and not number_is_free(books, holder):
            problems.append(say.INVOICE_NUMBER_TAKEN)
    if len(draft.reference) > REFERENCE_MAX:
        problems.append(say.TOO_LONG.format("Reference", REFERENCE_MAX))
    if draft.url and not url_is_fine(draft.url):
        problems.append(say.URL_INVALID)
    if draft.sent.get("SentToContact") and draft.sent_to_contact and draft.status in ("DRAFT", "SUBMITTED"):
        problems.append(say.SENT_NEEDS_APPROVAL)
    return problems


def number_is_free(books: Books, holder: str) -> bool:
    """Whether the holder of a number gives it up; doubtful, hence a switch."""
    return books.switches.reuse_void_number and books.invoices[holder].status in ("VOIDED", "DELETED")


def url_is_fine(url: str) -> bool:
    """Absolute, and not one of Xero's own."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and "xero" not in url.lower()


# -- contact ------------------------------------------------------------------------------------------------------


def find_contact(books: Books, draft: Draft) -> Contact | None:
    """The contact meant: by id, then number, then name; None where a new one will be made."""
    sent = draft.contact_sent
    if sent is None:
        if draft.existing is None:
            draft.errors.append(say.CONTACT_MISSING)
            return None
        return books.contacts[draft.existing.contact_id]
    id_, number, name = sent.get("ContactID"), sent.get("ContactNumber"), sent.get("Name")
    if id_ and id_ != ZERO_GUID:
        return usable(draft, books.contacts[str(id_).lower()])
    if number and number in books.contact_numbers:
        return usable(draft, books.contacts[books.contact_numbers[number]])
    if name and str(name).strip():
        held = books.names.get(books_xero.name_key(str(name)))
        if held and not number:
            return usable(draft, books.contacts[held])
        draft.errors += contacts.problems(books, sent, None)
        return None
    draft.errors.append(say.CONTACT_UNIDENTIFIED if not number else say.CONTACT_NUMBER_UNKNOWN)
    return None


def usable(draft: Draft, contact: Contact) -> Contact:
    """The contact, noting that archived ones take no new documents."""
    unchanged = draft.existing is not None and draft.existing.contact_id == contact.id
    if not contact.active and not unchanged:
        draft.errors.append(say.ARCHIVED_USE)
    return contact


# -- dates, currency, plan ----------------------------------------------------------------------------------------


def date_problems(books: Books, draft: Draft) -> list[str]:
    """Dates that an approved invoice needs, and periods it may not fall into."""
    if not draft.approved:
        return []
    problems = []
    if "Date" in draft.sent and draft.sent["Date"] in (None, ""):
        problems.append(say.DATE_MISSING)
    if not draft.due:
        problems.append(say.DUE_MISSING)
    if draft.status != "SUBMITTED" and (
        draft.existing is None or draft.existing.date != draft.date or draft.existing.status in ("DRAFT", "SUBMITTED")
    ):
        problems += lock_problems(books, draft.date)
    return problems


def lock_problems(books: Books, date: str) -> list[str]:
    """A date on the lock date itself is locked; advisers pass the softer lock."""
    year, period = books.org.get("EndOfYearLockDate"), books.org.get("PeriodLockDate")
    if year and date <= year:
        return [say.YEAR_LOCKED.format(long_date(year))]
    if period and date <= period and not books.switches.adviser:
        return [say.PERIOD_LOCKED.format(long_date(period))]
    return []


def currency_problems(books: Books, draft: Draft) -> list[str]:
    """The currency is enabled, and its rate is known."""
    code = draft.currency
    if code == books.base:
        return []
    if code not in books.currencies or not books.switches.multicurrency:
        return [say.CURRENCY.format(code)]
    if draft.sent.get("CurrencyRate") is None and code not in books.day_rates:
        return [say.RATE_MISSING]
    return []


def plan_problems(books: Books, draft: Draft) -> list[str]:
    """Small plans approve a number of sales invoices a month."""
    approving = draft.status == "AUTHORISED" and (draft.existing is None or draft.existing.status != "AUTHORISED")
    return [say.PLAN_CAP] if approving and draft.type == "ACCREC" and books.cap_is_reached() else []


# -- lines and totals ---------------------------------------------------------------------------------------------


def check_lines(books: Books, draft: Draft) -> None:
    """Price every line and note what is wrong with it; the invoice carries its lines' complaints."""
    if draft.lines is None and draft.existing is not None:
        if "LineAmountTypes" not in draft.sent and draft.approved == (draft.existing.status != "DRAFT"):
            keep_totals(draft, draft.existing)
            return
        draft.lines = read_lines(json.loads(draft.existing.lines, parse_float=str), 4)
    elif draft.existing is not None and draft.lines is not None:
        draft.lines = overlaid(draft, json.loads(draft.existing.lines, parse_float=str))
    if not draft.lines:
        draft.errors.append(say.LINES_MISSING)
        return
    price_lines(books, draft, draft.lines)


def keep_totals(draft: Draft, existing: Invoice) -> None:
    """An update that leaves the lines alone leaves the totals alone."""
    draft.subtotal, draft.tax, draft.total = existing.subtotal, existing.tax, existing.total


def overlaid(draft: Draft, kept: list[dict[str, Any]]) -> list[Line]:
    """Sent lines over the kept ones with the same id; kept lines that were not sent are gone."""
    by_id = {line["LineItemID"]: line for line in kept}
    result = []
    for sent in draft.sent["LineItems"]:
        old = by_id.get(str(sent.get("LineItemID") or "").lower())
        if old is None:
            result.append(Line(sent | {"LineItemID": None}, draft.places))
            continue
        moved = {"Quantity", "UnitAmount", "DiscountRate", "DiscountAmount", "TaxType", "LineAmount"} & sent.keys()
        stale = {"LineAmount", "TaxAmount"} if moved else set()
        if moved & {"DiscountRate", "DiscountAmount"}:
            stale |= {"DiscountRate", "DiscountAmount"}
        if {"AccountCode", "AccountID"} & sent.keys():
            stale |= {"AccountCode", "AccountID"}
        base = {k: v for k, v in old.items() if k not in stale}
        places = draft.places if "UnitAmount" in sent else 4
        result.append(Line(base | {k: v for k, v in sent.items() if v is not None}, places))
    return result


def price_lines(books: Books, draft: Draft, lines: list[Line]) -> None:
    """Amounts and taxes of all lines, and the document's totals."""
    approved, kind, types = draft.approved, draft.type, draft.amount_types
    chart = Chart(books, approved, kind)
    total = tax = 0
    for line in lines:
        if line.priced:
            line.settle(books, types, chart.resolve(line))
            line.tax_type = "NONE" if types == "NoTax" else line.tax_type
        else:
            line.account_code = line.account_id = line.tax_type = ""
        check_line(line, kind, approved, bool(line.item_code in books.items))
        if line.tracking:
            line.tracking, wrong = tracking.resolve(books, line.tracking)
            line.errors += wrong
        if line.errors:
            draft.errors += line.errors
        if line.warning:
            draft.warnings.append(line.warning)
        total += line.cents
        tax += line.tax
    draft.tax = tax
    draft.subtotal = total - tax if types == "Inclusive" else total
    draft.total = draft.subtotal + tax


def total_problems(draft: Draft) -> list[str]:
    """No negative documents; totals that are sent have to be right."""
    if draft.total < 0:
        return [say.TOTAL_NEGATIVE]
    if draft.lines is None or draft.sent.get("LineItems") is None:
        return []
    sent = draft.sent
    for name, ours in (("SubTotal", draft.subtotal), ("TotalTax", draft.tax), ("Total", draft.total)):
        if sent.get(name) is not None and scaled(sent[name], 2) != ours and not draft.errors:
            return [say.DOCUMENT_TOTAL]
    return []


# -- invoices with payments ---------------------------------------------------------------------------------------


def paid_problems(books: Books, draft: Draft) -> list[str]:
    """With money on it, an invoice's amounts and date are fixed."""
    existing, problems = draft.existing, []
    assert existing is not None  # noqa: S101 - only called for an existing invoice
    if draft.date != existing.date:
        problems.append(say.DATE_FIXED)
    if draft.sent.get("LineItems") is not None and not all(line.get("LineItemID") for line in draft.sent["LineItems"]):
        problems.append(say.LINE_ID_NEEDED)
    if structure(draft) != kept_structure(existing):
        if existing.status == "PAID":
            problems.append(say.NOT_MODIFIABLE)
        problems.append(say.HAS_PAYMENT)
    return problems


def structure(draft: Draft) -> tuple[Any, ...]:
    """What must not change once money is on the invoice."""
    existing = draft.existing
    assert existing is not None  # noqa: S101 — an update has one
    if draft.lines is None:
        lines = kept_structure(existing)[2]
    else:
        lines = sorted((li.id, li.quantity, li.price, li.cents, li.tax, li.tax_type) for li in draft.lines)
    return draft.currency, draft.amount_types, lines


def kept_structure(existing: Invoice) -> tuple[Any, ...]:
    """The same of the kept invoice."""
    kept = json.loads(existing.lines, parse_float=str)
    lines = sorted(
        (
            li["LineItemID"],
            scaled(li.get("Quantity", 0), 4),
            scaled(li.get("UnitAmount", 0), 4),
            scaled(li["LineAmount"], 2),
            scaled(li["TaxAmount"], 2),
            li.get("TaxType", ""),
        )
        for li in kept
    )
    return existing.currency, existing.amount_types, lines
