"""Payments: taking money for an invoice, taking it back, listing."""

from collections.abc import Sequence
from typing import Any

from sandbox.wire import Call, Reply, dumps
from sandbox.xero import messages as say
from sandbox.xero.books import Books, Invoice, Payment, new_id
from sandbox.xero.contacts import stamp
from sandbox.xero.drafting import today
from sandbox.xero.errors import NotFound, error_list
from sandbox.xero.formats import ZERO_GUID, date_field, exact, read_date, scaled, stamp_field, stamp_text
from sandbox.xero.invoice_rules import lock_problems
from sandbox.xero.invoice_views import invoice_json
from sandbox.xero.listing import cut, envelope, page_of, selected
from sandbox.xero.where import Field
from sandbox.xero.writing import Outcome, Written


def fields(books: Books) -> dict[str, Field]:
    """What where and order may name."""
    return {
        "PaymentID": ("guid", lambda p: p.id),
        "Status": ("text", lambda p: p.status),
        "PaymentType": ("text", lambda p: p.type),
        "Reference": ("text", lambda p: p.reference),
        "Date": ("date", lambda p: p.date),
        "UpdatedDateUTC": ("date", lambda p: p.updated),
        "Amount": ("number", lambda p: p.cents / 100),
        "Invoice.InvoiceID": ("guid", lambda p: p.invoice_id),
        "Invoice.InvoiceNumber": ("text", lambda p: books.invoices[p.invoice_id].number),
        "Account.AccountID": ("guid", lambda p: p.account_id),
    }


# -- showing ------------------------------------------------------------------------------------------------------


def payment_json(books: Books, p: Payment, whole: bool = True) -> str:
    """A payment; a list shows only the head of its invoice."""
    account = books.accounts[p.account_id]
    shown: dict[str, Any] = {"PaymentID": p.id, "Date": date_field(p.date), "BankAmount": p.bank_cents / 100}
    shown |= {"Amount": p.cents / 100}
    if p.reference:
        shown["Reference"] = p.reference
    shown |= {
        "CurrencyRate": p.rate,
        "PaymentType": p.type,
        "Status": p.status,
        "UpdatedDateUTC": stamp_field(p.updated),
        "UpdatedDateUTCString": stamp_text(p.updated),
        "HasAccount": True,
        "IsReconciled": p.reconciled,
        "Account": {k: account[k] for k in ("AccountID", "Code", "Name") if account.get(k)},
    }
    invoice = books.invoices[p.invoice_id]
    return f'{dumps(shown)[:-1]},"Invoice":{stub(books, invoice, whole)},"HasValidationErrors":false}}'


def stub(books: Books, invoice: Invoice, whole: bool) -> str:
    """The invoice inside a payment."""
    if whole:
        return invoice_json(books, invoice, view="echo")
    contact = books.contacts[invoice.contact_id]
    return dumps(
        {
            "Type": invoice.type,
            "InvoiceID": invoice.id,
            "InvoiceNumber": invoice.number,
            "Prepayments": [],
            "Overpayments": [],
            "IsDiscounted": False,
            "HasErrors": False,
            "Contact": {"ContactID": contact.id, "Name": contact.fields["Name"], "HasValidationErrors": False},
            "LineItems": [],
            "CurrencyCode": invoice.currency,
        }
    )


def one(books: Books, key: str, provider: str) -> Reply:
    """GET /Payments/{PaymentID}."""
    payment = books.payments.get(key.lower())
    if payment is None:
        raise NotFound
    return envelope(provider, books.clock.ms(), "Payments", [payment_json(books, payment)], None)


def listing(books: Books, call: Call, provider: str) -> Reply:
    """GET /Payments; deleted ones are listed too."""
    chosen = selected(books.payments.values(), call, fields(books), "Payment", lambda p: p.updated)
    records, pagination = cut(chosen, page_of(call))
    return envelope(
        provider, books.clock.ms(), "Payments", [payment_json(books, p, False) for p in records], pagination
    )


# -- creating -----------------------------------------------------------------------------------------------------


def read(books: Books, sent: dict[str, Any]) -> dict[str, Any]:
    """The first half of a write: what cannot be read spoils the whole request."""
    return {
        "date": read_date(sent.get("Date"), "Date") or today(books),
        "cents": scaled(sent["Amount"], 2) if sent.get("Amount") is not None else 0,
        "rate": float(exact(sent["CurrencyRate"])) if sent.get("CurrencyRate") is not None else None,
        "bank": scaled(sent["BankAmount"], 2) if sent.get("BankAmount") is not None else None,
    }


def write(books: Books, sent: dict[str, Any], values: dict[str, Any], refusals: Sequence[str] = ()) -> Written:
    """Create one payment, or say what is wrong with it, further refusals first."""
    invoice, account = find_invoice(books, sent), find_account(books, sent)
    errors = list(dict.fromkeys([*refusals, *problems(books, sent, values, invoice, account)]))
    if errors or invoice is None or account is None:
        return Written(Outcome.ERROR, lambda older: failed(sent, values, errors, older), errors=errors)
    payment = take(books, invoice, account, values, str(sent.get("Reference") or ""))
    payment.reconciled = sent.get("IsReconciled") is True
    books.keep_payment(payment)
    return Written(Outcome.OK, lambda _: payment_json(books, payment), id=payment.id)


def find_invoice(books: Books, sent: dict[str, Any]) -> Invoice | None:
    """The invoice a payment names."""
    named = sent.get("Invoice") or {}
    key = named.get("InvoiceID") or ""
    number = named.get("InvoiceNumber") or sent.get("InvoiceNumber") or ""
    return books.invoices.get(str(key).lower()) or books.invoices.get(books.numbers.get(str(number), ""))


def find_account(books: Books, sent: dict[str, Any]) -> dict[str, Any] | None:
    """The account a payment names."""
    named = sent.get("Account") or {}
    return books.account(str(named.get("AccountID") or "").lower()) or books.account(
        str(named.get("Code") or sent.get("Code") or "")
    )


def problems(
    books: Books, sent: dict[str, Any], values: dict[str, Any], invoice: Invoice | None, account: dict[str, Any] | None
) -> list[str]:
    """Everything that is wrong with a payment."""
    if books.switches.role in ("READONLY", "REMOVED"):
        return [say.NO_PERMISSION]
    errors = [say.PAYMENT_INVOICE_UNKNOWN] if invoice is None else []
    if invoice is not None and invoice.status != "AUTHORISED":
        errors.append(say.NOT_PAYABLE)
    if values["cents"] <= 0:
        errors.append(say.NOT_POSITIVE)
    elif invoice is not None and values["cents"] > invoice.due_cents:
        errors.append(say.OVERPAID)
    errors += account_problems(books, sent, account, invoice)
    return errors + lock_problems(books, values["date"])


def account_problems(
    books: Books, sent: dict[str, Any], account: dict[str, Any] | None, invoice: Invoice | None
) -> list[str]:
    """The account takes payments, and its currency fits."""
    named = sent.get("Account") or {}
    if not (named.get("AccountID") or named.get("Code") or sent.get("Code")):
        return [say.PAYMENT_ACCOUNT_MISSING]
    if account is None:
        return [say.PAYMENT_ACCOUNT_UNKNOWN]
    if account["Type"] == "BANK" and account["Status"] != "ACTIVE":
        return [say.BANK_UNKNOWN]
    if account["Status"] != "ACTIVE" or (account["Type"] != "BANK" and not account["EnablePaymentsToAccount"]):
        return [say.ACCOUNT_TYPE]
    currency = account.get("CurrencyCode", books.base)
    if invoice is not None and currency not in (books.base, invoice.currency):
        return [say.PAYMENT_CURRENCY]
    return []


def take(books: Books, invoice: Invoice, account: dict[str, Any], values: dict[str, Any], reference: str) -> Payment:
    """Book the money: the invoice owes less, and is paid when it owes nothing."""
    rate = values["rate"] or invoice.rate
    base_account = account.get("CurrencyCode", books.base) == books.base
    bank = values["bank"]
    if bank is None:
        bank = round(values["cents"] / rate) if base_account and invoice.currency != books.base else values["cents"]
    payment = Payment(
        new_id(), invoice.id, account["AccountID"], values["date"], values["cents"], bank, rate, reference
    )
    payment.type = "ACCRECPAYMENT" if invoice.type == "ACCREC" else "ACCPAYPAYMENT"
    invoice.payments.append(payment.id)
    books.payments[payment.id] = payment
    settle(books, invoice)
    payment.updated = books.clock.ms()
    return payment


def settle(books: Books, invoice: Invoice) -> None:
    """What is paid, what is due, and the status that follows."""
    valid = [books.payments[id_] for id_ in invoice.payments if books.payments[id_].status == "AUTHORISED"]
    invoice.paid = sum(p.cents for p in valid)
    if invoice.due_cents == 0 and invoice.status == "AUTHORISED":
        invoice.status = "PAID"
        invoice.paid_on = max((p.date for p in valid), default=invoice.date)
    elif invoice.due_cents > 0 and invoice.status == "PAID":
        invoice.status, invoice.paid_on = "AUTHORISED", None
    invoice.updated = stamp(books, invoice.updated)
    books.keep_invoice(invoice)


def failed(sent: dict[str, Any], values: dict[str, Any], errors: list[str], older: bool) -> str:
    """The echo of a payment that was not taken."""
    texts = [say.older(e) if older else e for e in errors]
    echo = {"PaymentID": ZERO_GUID, "Date": date_field(values["date"]), "Amount": values["cents"] / 100}
    echo |= {k: sent[k] for k in ("Reference", "Invoice", "Account") if k in sent}
    return dumps(echo | {"HasValidationErrors": True, "ValidationErrors": error_list(texts)})


# -- taking back --------------------------------------------------------------------------------------------------


def delete(books: Books, key: str, sent: dict[str, Any]) -> Written:
    """POST /Payments/{PaymentID} with Status DELETED; nothing else can be changed."""
    payment = books.payments.get(key.lower())
    if payment is None:
        raise NotFound
    errors = delete_problems(payment, sent)
    if errors:
        echo = {"PaymentID": payment.id, "HasValidationErrors": True, "ValidationErrors": error_list(errors)}
        return Written(Outcome.ERROR, lambda _: dumps(echo), errors=errors)
    payment.status = "DELETED"
    payment.updated = books.clock.ms()
    books.keep_payment(payment)
    settle(books, books.invoices[payment.invoice_id])
    return Written(Outcome.OK, lambda _: payment_json(books, payment), id=payment.id)


def delete_problems(payment: Payment, sent: dict[str, Any]) -> list[str]:
    """Why a payment stays."""
    if payment.status == "DELETED" or sent.get("Status") != "DELETED":
        return [say.PAYMENT_DELETED]
    if payment.in_batch:
        return [say.IN_BATCH]
    return [say.PAYMENT_RECONCILED] if payment.reconciled else []
