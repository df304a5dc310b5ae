"""The test desk's hands on the CrocoClick side: what users and customers do there."""

import json
import threading
from typing import Any

from sandbox.crococlick import contacts, invoices, payments, webhooks
from sandbox.crococlick.api import CrocoClick
from sandbox.crococlick.arithmetic import decimal, number
from sandbox.crococlick.records import Location, hex_id
from sandbox.state import at_once


class CrocoClickDesk:
    """The location's records as a test arranges and reads them."""

    def __init__(self, crm: CrocoClick, lock: Any = None, location_id: str = ""):
        self._crm, self._lock, self._id = crm, lock or threading.RLock(), location_id
        self._store = crm.store

    @property
    def location(self) -> Location:
        """The location's records themselves."""
        return self._crm.place(self._id)

    def of(self, location_id: str) -> "CrocoClickDesk":
        """The desk of another location."""
        return CrocoClickDesk(self._crm, self._lock, location_id)

    @at_once
    def add_location(self, location_id: str, name: str, token: str, **changes: Any) -> "CrocoClickDesk":
        """One more location of the same agency, with a token of its own; the rest is as in the first."""
        added = self._crm.open(location_id)
        added.profile = {**self.location.profile, "id": location_id, "name": name, "_tokens": {token: None}, **changes}
        added.keep_profile()
        return self.of(location_id)

    @property
    def limits(self) -> Any:
        """The limits: burst, daily, enabled; reset()."""
        return self._crm.limits

    @at_once
    def switch(self, **changes: Any) -> None:
        """Turn switches: dates, rounding, number_type, omit, search_lag_s, … (see Switches)."""
        for name, value in changes.items():
            if not hasattr(self.location.switches, name):
                raise ValueError(f"There is no switch called {name}.")
            setattr(self.location.switches, name, value)
        self.location.keep_profile()

    @at_once
    def say_instead(self, text: str, raw: str) -> None:
        """Let raw JSON stand where this text would in any answer: what no field of a record can hold."""
        self._crm.instead[text] = raw

    @at_once
    def profile(self, **changes: Any) -> dict[str, Any]:
        """The location, after these changes (timezone, name, settings, …)."""
        self.location.profile |= changes
        self.location.keep_profile()
        return dict(self.location.profile)

    @at_once
    def allow(self, token: str, scopes: list[str] | None = None) -> None:
        """Make a private integration token good, for all scopes or for these."""
        self.location.tokens[token] = scopes
        self.location.keep_profile()

    @at_once
    def refuse(self, token: str = "pit-sandbox") -> None:  # noqa: S107 - a public token of the sandbox
        """Delete a private integration token."""
        self.location.tokens.pop(token, None)
        self.location.keep_profile()

    # -- looking ----------------------------------------------------------------------------------------------

    @at_once
    def invoices(self) -> list[dict[str, Any]]:
        """Every invoice, as the API shows it."""
        return [json.loads(invoices.shown(self.location, i)) for i in self.location.invoices.values()]

    @at_once
    def invoice(self, key: str) -> dict[str, Any]:
        """One invoice by id or number."""
        shown: dict[str, Any] = json.loads(invoices.shown(self.location, self._find(key)))
        return shown

    @at_once
    def contacts(self) -> list[dict[str, Any]]:
        """Every contact, as the API shows it."""
        return [contacts.shown(c) for c in self.location.contacts.values()]

    @at_once
    def transactions(self, key: str | None = None) -> list[dict[str, Any]]:
        """Every payment, or those of one invoice."""
        id_ = self._find(key).id if key else None
        return [dict(t) for t in self.location.transactions.values() if id_ in (None, t["entitySourceId"])]

    @at_once
    def messages(self) -> list[dict[str, Any]]:
        """Every email and text message that sending invoices has caused."""
        return list(self.location.messages)

    def _find(self, key: str) -> Any:
        found = self.location.invoices.get(key)
        if found is None:
            found = next((i for i in self.location.invoices.values() if str(i.doc["invoiceNumber"]) == key), None)
        if found is None:
            raise ValueError(f"No invoice {key} in CrocoClick.")
        return found

    # -- webhooks ---------------------------------------------------------------------------------------------

    @property
    def webhook_key(self) -> str:
        """The public key, in PEM, that webhook signatures are checked with."""
        return webhooks.PUBLIC_PEM

    @at_once
    def webhook(self, kind: str, id_: str, **changes: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event, ready to be posted: `webhook("InvoiceSent", invoice_id)`."""
        return webhooks.event(self.location, kind, id_, **changes)

    # -- contacts ---------------------------------------------------------------------------------------------

    @at_once
    def add_contact(self, **fields: Any) -> str:
        """A contact in the API's fields; duplicates are let through, as imports leave them. Gives its id."""
        id_ = fields.pop("id", "")
        return str(contacts.make(self.location, fields, id_)["id"])

    @at_once
    def edit_contact(self, id_: str, **fields: Any) -> None:
        """A user edits a contact."""
        contacts.apply(self.location, self.location.contacts[id_], fields)

    @at_once
    def delete_contact(self, id_: str) -> None:
        """A user deletes a contact."""
        self.location.drop_contact(id_)

    # -- invoices ---------------------------------------------------------------------------------------------

    @at_once
    def add_invoice(self, **fields: Any) -> str:
        """An invoice; the server works out the totals. Gives its id.

        Conveniences: `lines=[dict(name, qty, amount, taxes=[...], taxInclusive)]`, `number`, `contact=<id>`,
        `status` (paid ones get a payment), `discount`, `currency` (EUR), `issueDate` (today), `dueDate` (as the issue
        date; None leaves it out), `liveMode`; every other field as the API names it. A tax may be just a percentage.
        """
        location = self.location
        status, lines = fields.pop("status", "sent"), fields.pop("lines", None) or fields.pop("items", None)
        currency = fields.pop("currency", "EUR")
        body: dict[str, Any] = {"currency": currency, "liveMode": True} | fields
        if "number" in body:
            body["invoiceNumber"] = body.pop("number")
        body["contactDetails"] = body.get("contactDetails") or self._snapshot(body.pop("contact", None))
        body.setdefault("issueDate", location.now()[:10])
        body.setdefault("dueDate", body["issueDate"])
        body.setdefault("name", f"Facture {body.get('invoiceNumber', '')}".strip())
        items = [item(line, currency) for line in lines or [{"name": "Prestation", "qty": 1, "amount": 100}]]
        invoice = invoices.make(location, body, items, body.pop("_id", ""))
        self._bring_to(invoice, status)
        return invoice.id

    def _snapshot(self, id_: str | None) -> dict[str, Any]:
        """The contact's details as they are when the invoice is made."""
        if id_ is None:
            return {"id": "", "name": "", "phoneNo": "", "email": ""}
        contact = self.location.contacts[id_]
        details = {
            "id": id_,
            "name": contact.get("name", ""),
            "phoneNo": contact.get("phone", ""),
            "email": contact.get("email", ""),
            "additionalEmails": contact.get("additionalEmails", []),
            "companyName": contact.get("companyName", ""),
            "address": {"countryCode": contact.get("country", "FR")},
            "customFields": [],
        }
        return {k: v for k, v in details.items() if v not in ("", [])} | {"email": details["email"]}

    def _bring_to(self, invoice: Any, status: str) -> None:
        if status not in invoices.STATUSES:
            raise ValueError(f"There is no status called {status}.")
        if status == "draft":
            return
        invoice.doc["status"] = "sent"
        self.location.keep_invoice(invoice)
        if status in ("void", "payment_processing"):
            invoice.doc["status"] = status
            self.location.keep_invoice(invoice)
        elif status == "paid" and decimal(invoice.doc["total"]) > 0:
            payments.record(self.location, invoice, {"mode": "bank_transfer"})
        elif status == "partially_paid":
            half = (decimal(invoice.doc["total"]) / 2).quantize(decimal("0.01"))
            payments.record(self.location, invoice, {"mode": "bank_transfer", "amount": half})
        elif status == "paid":
            invoice.doc["status"] = "paid"
            self.location.keep_invoice(invoice)

    @at_once
    def edit_invoice(self, key: str, **fields: Any) -> None:
        """A user edits an invoice; `lines`, `number` and `contact` as in add_invoice; any other field by its name."""
        invoice = self._find(key)
        if "lines" in fields:
            fields["invoiceItems"] = [item(li, invoice.doc["currency"]) for li in fields.pop("lines")]
        if "number" in fields:
            fields["invoiceNumber"] = fields.pop("number")
        if "contact" in fields:
            fields["contactDetails"] = self._snapshot(fields.pop("contact"))
        invoices.change(self.location, invoice, fields)

    @at_once
    def void(self, key: str) -> None:
        """A user voids an invoice."""
        invoice = self._find(key)
        invoice.doc["status"] = "void"
        self.location.touch(invoice)

    @at_once
    def send(self, key: str) -> None:
        """A user sends a draft."""
        invoice = self._find(key)
        invoice.doc["status"] = "sent"
        self.location.touch(invoice)

    @at_once
    def delete(self, key: str) -> None:
        """An invoice disappears."""
        self.location.drop_invoice(self._find(key))

    @at_once
    def pay(
        self,
        key: str,
        amount: Any = None,
        at: str | None = None,
        mode: str = "bank_transfer",
        provider: str = "manual",
        fee: Any = 0,
        tip: Any = 0,
    ) -> str:
        """A customer pays, all that is due unless an amount is given; gives the transaction's id.

        A processing fee and a tip come on top: they are in the transaction's amount and no part of what is due. The
        invoice tells of the fee in `miscellaneousCharges`.
        """
        body: dict[str, Any] = {"mode": mode, "fulfilledAt": at}
        if amount is not None:
            body["amount"] = str(amount)
        return str(payments.record(self.location, self._find(key), body, provider, fee, tip)["_id"])

    @at_once
    def correct_payment(self, transaction_id: str, **fields: Any) -> None:
        """A user corrects a recorded payment, by the fields of its transaction; its invoice follows."""
        kept = self.location.transactions[transaction_id] | fields
        self.location.keep_transaction(kept)
        payments.settle(self.location, self.location.invoices[kept["entitySourceId"]])

    @at_once
    def refund(self, transaction_id: str, amount: Any = None) -> None:
        """Money goes back: the transaction and its order show it, the invoice does not."""
        payments.refund(self.location, transaction_id, amount)

    @at_once
    def add_late_fee(self, key: str, amount: Any) -> None:
        """A late fee makes the total grow after sending; no line and no field that is published tells of it."""
        invoice = self._find(key)
        invoice.doc["lateFeesConfiguration"] = {"enable": True, "value": number(decimal(amount)), "type": "fixed"}
        fee = decimal(invoice.doc.get("lateFeesCharged", 0)) + decimal(amount)
        invoice.doc["lateFeesCharged"] = number(fee)
        invoices.change(self.location, invoice, {})

    @at_once
    def merge_contacts(self, loser: str, survivor: str) -> None:
        """Merge two contacts: their payments say where they came from."""
        for transaction in self.location.transactions.values():
            if transaction["contactId"] == loser:
                transaction |= {"contactId": survivor, "mergedFromContactId": loser}
                self.location.keep_transaction(transaction)
        self.location.drop_contact(loser)


def item(line: dict[str, Any], currency: str) -> dict[str, Any]:
    """A line in the API's form; a tax given as a number becomes a French VAT of that rate."""
    taxes = [tax if isinstance(tax, dict) else vat(tax) for tax in line.get("taxes", [])]
    made = {"_id": hex_id(), "name": "Prestation", "qty": 1, "currency": currency, "type": "one_time"} | line
    return made | {"taxes": taxes, "taxInclusive": line.get("taxInclusive", False)}


def vat(rate: Any) -> dict[str, Any]:
    """The tax of a French invoice; the same rate always has the same id."""
    text = f"{float(rate):g}"
    id_ = f"{int(float(rate) * 1000):024x}"
    return {"_id": id_, "name": f"TVA {text.replace('.', ',')} %", "rate": rate, "calculation": "exclusive"}
