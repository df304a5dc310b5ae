"""The test desk's hands on the Xero side: arranging books and looking into them, without limits or tokens."""

import json
import threading
from typing import Any

from sandbox.state import at_once
from sandbox.wire import Call, dumps
from sandbox.xero import books as books_xero
from sandbox.xero import contacts, credit_notes, editions, invoices, opening, payments, settings, tracking
from sandbox.xero.api import API, Caller, Xero
from sandbox.xero.auth import ACCESS_S
from sandbox.xero.books import Books, Contact, Invoice, new_id
from sandbox.xero.formats import read_date, scaled
from sandbox.xero.invoice_views import invoice_json

ALL_SCOPES = (
    "openid profile email offline_access accounting.invoices accounting.payments accounting.contacts "
    "accounting.settings"
)


class XeroDesk:
    """One organisation's books as a test arranges and reads them.

    Reading gives lists of dicts in the API's form. Adding goes through the same rules as the API and raises
    ValueError with Xero's messages. `update` writes over a record without any rule: what a person does in Xero.
    """

    def __init__(self, xero: Xero, lock: Any = None, tenant: str | None = None):
        self._xero, self._lock, self._store = xero, lock or threading.RLock(), xero.store
        self._tenant = tenant

    # -- which books ------------------------------------------------------------------------------------------

    @property
    def books(self) -> Books:
        """The organisation's records themselves."""
        return self._xero.books[self.tenant]

    @property
    def tenant(self) -> str:
        """The organisation's id; the first one unless chosen by `of`."""
        return self._tenant or next(iter(self._xero.books))

    def of(self, name: str) -> "XeroDesk":
        """The desk of another organisation, by name or id."""
        found = next(t for t, b in self._xero.books.items() if name in (t, b.name))
        return XeroDesk(self._xero, self._lock, found)

    @at_once
    def add_organisation(self, name: str, edition: str = "GLOBAL", plan: str = "PREMIUM", **options: Any) -> "XeroDesk":
        """Register one more organisation."""
        books = opening.open_books(name, self._xero.store, self._xero.clock, edition, plan, **options)
        self._xero.books[books.tenant] = books
        return XeroDesk(self._xero, self._lock, books.tenant)

    @at_once
    def add_practice(self, name: str) -> str:
        """A tenant of type PRACTICE, which is no organisation."""
        tenant = editions.seeded_id("practice", name)
        self._xero.add_practice(tenant, name)
        return tenant

    @at_once
    def organisation(self, **changes: Any) -> dict[str, Any]:
        """The organisation, after these changes; lock dates are YYYY-MM-DD or None."""
        self.books.org |= changes
        if "Class" in changes:
            self.books.switches.multicurrency = editions.multicurrency(changes["Class"])
            self.books.switches.invoice_cap = editions.CAPPED_PLANS.get(changes["Class"])
        self.books.keep_org()
        return dict(self.books.org)

    @at_once
    def switch(self, **changes: Any) -> None:
        """Turn switches of the books: half_cent, invoice_cap, adviser, role, old_wordings, … (see Switches)."""
        for name, value in changes.items():
            if not hasattr(self.books.switches, name):
                raise ValueError(f"There is no switch called {name}.")
            setattr(self.books.switches, name, value)
        self.books.keep_org()

    # -- looking ----------------------------------------------------------------------------------------------

    @at_once
    def invoices(self) -> list[dict[str, Any]]:
        """Every invoice with its lines."""
        return [self._shown(i) for i in self.books.invoices.values()]

    @at_once
    def invoice(self, key: str) -> dict[str, Any] | None:
        """One invoice by id or number."""
        found = invoices.find(self.books, key)
        return self._shown(found) if found else None

    def _shown(self, invoice: Invoice) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(invoice_json(self.books, invoice, 4, "one"))
        view["Date"], view["DueDate"] = invoice.date, invoice.due
        return view

    @at_once
    def contacts(self) -> list[dict[str, Any]]:
        """Every contact, archived ones included."""
        return [contacts.element(c) for c in self.books.contacts.values()]

    @at_once
    def payments(self) -> list[dict[str, Any]]:
        """Every payment, deleted ones included."""
        return [
            json.loads(payments.payment_json(self.books, p, False)) | {"Date": p.date}
            for p in self.books.payments.values()
        ]

    @at_once
    def numbers(self) -> list[str]:
        """The numbers of all sales invoices, sorted."""
        return sorted(i.number for i in self.books.invoices.values() if i.type == "ACCREC")

    @at_once
    def accounts(self) -> list[dict[str, Any]]:
        """The chart of accounts."""
        return [dict(a) for a in self.books.accounts.values()]

    @at_once
    def tax_rates(self) -> list[dict[str, Any]]:
        """All tax rates."""
        return [dict(r) for r in self.books.tax_rates.values()]

    @at_once
    def currencies(self) -> list[str]:
        """The currencies that are enabled."""
        return list(self.books.currencies)

    @at_once
    def tracking(self) -> list[dict[str, Any]]:
        """The tracking categories with their options, archived ones too."""
        return [json.loads(dumps(one)) for one in self.books.tracking.values()]

    @at_once
    def history(self, key: str) -> list[dict[str, Any]]:
        """The notes on a document, oldest first."""
        return list(self.books.history.get(key, []))

    # -- adding -----------------------------------------------------------------------------------------------

    @at_once
    def add_contact(self, **fields: Any) -> str:
        """A contact in the API's fields, and in those that Xero sets by itself; gives its id."""
        marks = {name: fields.pop(name) for name in ("ContactStatus", "IsCustomer", "IsSupplier") if name in fields}
        written = contacts.write(self.books, fields, create_only=True)
        if written.errors:
            raise ValueError("; ".join(written.errors))
        if marks:
            self.update("contacts", written.id, **marks)
        return written.id

    @at_once
    def add_invoice(self, **fields: Any) -> str:
        """An invoice that a person made in Xero, in the API's fields; gives its id."""
        sent = json.loads(dumps({"Type": "ACCREC"} | fields), parse_float=str)
        draft = invoices.read(self.books, sent, True, None, 4)
        written = invoices.write(self.books, draft, True, "")
        if written.errors:
            raise ValueError("; ".join(written.errors))
        return written.id

    @at_once
    def pay(self, key: str, amount: Any = None, account: str = "", date: str = "", reference: str = "") -> str:
        """A payment that a person entered in Xero; all that is due unless an amount is given."""
        invoice = invoices.find(self.books, key)
        if invoice is None:
            raise ValueError(f"No invoice {key} in Xero.")
        found = self.books.account(account) if account else self._bank()
        values = {
            "date": read_date(date, "Date") or invoice.date,
            "cents": invoice.due_cents if amount is None else scaled(str(amount), 2),
            "rate": None,
            "bank": None,
        }
        sent = {"Invoice": {"InvoiceID": invoice.id}, "Account": {"AccountID": found and found["AccountID"]}}
        written = payments.write(self.books, sent | {"Reference": reference}, values)
        if written.errors:
            raise ValueError("; ".join(written.errors))
        return written.id

    @at_once
    def add_credit_note(self, contact: str, date: str, total: Any, tax: Any = 0, **fields: Any) -> str:
        """A credit note that a person made, for a contact by id or name; further fields of books.CreditNote."""
        return credit_notes.add(self.books, self._contact(contact).id, date, total, tax, **fields).id

    def _bank(self) -> dict[str, Any]:
        return next(a for a in self.books.accounts.values() if a["Type"] == "BANK")

    @at_once
    def add_tax_rate(self, name: str, rate: float, **fields: Any) -> str:
        """A rate as a person makes it in Xero; gives its TaxType."""
        sent = {"Name": name, "TaxComponents": [{"Name": fields.pop("component", "TVA"), "Rate": rate}]}
        written = settings.write_tax_rate(self.books, sent | fields, create_only=True)
        if written.errors:
            raise ValueError("; ".join(written.errors))
        return written.id

    @at_once
    def add_account(self, **fields: Any) -> str:
        """An account in the API's fields; gives its id."""
        written = settings.write_account(self.books, fields)
        if written.errors:
            raise ValueError("; ".join(written.errors))
        return written.id

    @at_once
    def add_tracking(self, name: str, *options: str, **fields: Any) -> str:
        """A tracking category with these options; gives its id."""
        return tracking.add(self.books, name, [*options, *fields.get("options", ())])

    @at_once
    def change_option(self, category: str, option: str, **fields: Any) -> None:
        """Write over an option of a tracking category: `Status`, `Name`."""
        options = tracking.find(self.books, category)["Options"]
        next(one for one in options if one["Name"] == option).update(fields)
        self.books.keep_org()

    @at_once
    def add_currency(self, code: str, rate: float | None = None) -> None:
        """Enable a currency, with a bank account in it."""
        self.books.currencies[code] = editions.CURRENCY_NAMES.get(code, code)
        if rate is not None:
            self.books.day_rates[code] = rate * self.books.day_rates[self.books.base]
        self.books.add_account(opening.bank_account(self.books, "", f"Compte {code}", code))
        self.books.keep_org()

    # -- changing by hand -------------------------------------------------------------------------------------

    @at_once
    def update(self, collection: str, key: str, **fields: Any) -> None:
        """Write over a record of invoices, contacts, payments, accounts, taxrates or tracking, without any rule."""
        match collection.lower().replace("_", ""):
            case "contacts":
                self._update_contact(key, fields)
            case "invoices":
                self._update_invoice(key, fields)
            case "payments":
                self._update_payment(key, fields)
            case "accounts":
                account = self.books.account(key)
                assert account is not None, f"No account {key}."  # noqa: S101 — a test names it
                account |= fields
                self.books.keep_org()
            case "taxrates":
                self.books.tax_rates[key] |= fields
                self.books.keep_org()
            case "tracking":
                tracking.find(self.books, key).update(fields)
                self.books.keep_org()
            case _:
                raise ValueError(f"There is no collection called {collection}.")

    def _update_contact(self, key: str, fields: dict[str, Any]) -> None:
        contact = self._contact(key)
        self.books.forget_name(contact)
        contact.fields |= fields
        contact.updated = self.books.clock.ms()
        self.books.keep_contact(contact)

    def _contact(self, key: str) -> Contact:
        found = contacts.find(self.books, key) or self.books.contacts.get(
            self.books.names.get(books_xero.name_key(key), "")
        )
        if found is None:
            raise ValueError(f"No contact {key} in Xero.")
        return found

    def _update_invoice(self, key: str, fields: dict[str, Any]) -> None:
        invoice = invoices.find(self.books, key)
        if invoice is None:
            raise ValueError(f"No invoice {key} in Xero.")
        plain = {
            "Status": "status", "Reference": "reference", "Url": "url", "Date": "date", "DueDate": "due",
            "SentToContact": "sent", "CurrencyCode": "currency",
        }  # fmt: skip
        money = {"Total": "total", "SubTotal": "subtotal", "TotalTax": "tax", "AmountCredited": "credited"}
        self.books.numbers.pop(invoice.number, None)
        invoice.number = fields.get("InvoiceNumber", invoice.number)
        if "ContactID" in fields:
            invoice.contact_id = self._contact(fields["ContactID"]).id
        for name, attribute in plain.items():
            if name in fields:
                setattr(invoice, attribute, fields[name])
        for name, attribute in money.items():
            if name in fields:
                setattr(invoice, attribute, scaled(str(fields[name]), 2))
        if "LineItems" in fields:
            invoice.lines = dumps(fields["LineItems"])
        invoice.updated = max(self.books.clock.ms(), invoice.updated)
        self.books.keep_invoice(invoice)

    def _update_payment(self, key: str, fields: dict[str, Any]) -> None:
        payment = self.books.payments[key]
        plain = {"Reference": "reference", "IsReconciled": "reconciled", "InBatch": "in_batch", "Status": "status"}
        for name, attribute in plain.items():
            if name in fields:
                setattr(payment, attribute, fields[name])
        payment.updated = self.books.clock.ms()
        self.books.keep_payment(payment)
        payments.settle(self.books, self.books.invoices[payment.invoice_id])

    def approve(self, key: str) -> None:
        """Approve an invoice as a person would."""
        self.update("invoices", key, Status="AUTHORISED")

    @at_once
    def void(self, key: str) -> None:
        """Void an invoice as a person would; one that is not approved is deleted."""
        invoice = invoices.find(self.books, key)
        if invoice is None:
            raise ValueError(f"No invoice {key} in Xero.")
        self.update("invoices", invoice.id, Status="DELETED" if invoice.status in ("DRAFT", "SUBMITTED") else "VOIDED")

    @at_once
    def delete_payment(self, id_: str) -> None:
        """Remove a payment as a person would."""
        self.update("payments", id_, Status="DELETED")

    @at_once
    def merge_contacts(self, loser: str, survivor: str) -> None:
        """Merge one contact into another: the loser is archived and points to the survivor."""
        target = self._contact(survivor)
        self.update("contacts", loser, ContactStatus="ARCHIVED", MergedToContactID=target.id)

    # -- consent and limits -----------------------------------------------------------------------------------

    @at_once
    def grant(self, scope: str = ALL_SCOPES, client: str = "sandbox-client") -> dict[str, Any]:
        """Tokens for this organisation without going through the consent page."""
        event = new_id()
        self._xero.identity.connect(client, self.tenant, self.books.name, event, scope.split())
        return self._xero.identity.tokens(client, scope.split(), event)

    @at_once
    def disconnect(self, client: str = "sandbox-client") -> None:
        """Somebody disconnects the organisation in Xero."""
        identity = self._xero.identity
        for id_, c in list(identity.connections.items()):
            if c["app"] == client and c["tenantId"] == self.tenant:
                identity.disconnect(id_)

    @at_once
    def revoke(self, client: str = "sandbox-client") -> None:
        """Somebody withdraws the app's consent altogether."""
        self._xero.identity.revoke(client)

    @at_once
    def expire_access(self) -> None:
        """Every access token has run out; refreshing still works."""
        self._xero.identity.expire_access()

    @property
    def refresh_grace_s(self) -> float:
        """How long a superseded refresh token still works."""
        return self._xero.identity.refresh_grace_s

    @refresh_grace_s.setter
    def refresh_grace_s(self, seconds: float) -> None:
        self._xero.identity.refresh_grace_s = seconds

    @property
    def access_s(self) -> float:
        """How long an access token works."""
        return self._xero.identity.access_s

    @access_s.setter
    def access_s(self, seconds: float = ACCESS_S) -> None:
        self._xero.identity.access_s = seconds

    @property
    def limits(self) -> Any:
        """The limits: minute, day, app_minute, concurrent, enabled; spend_day(app, tenant, left), reset()."""
        return self._xero.limits

    @at_once
    def ask(self, method: str, path: str, body: Any = None, query: str = "", **headers: str) -> tuple[int, Any]:
        """An API call past tokens, limits and HTTP: the status and the parsed answer."""
        raw = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
        sent = {"accept": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        request = Call(method, API + path.lstrip("/"), query, sent, raw)
        reply = self._xero.answer(Caller("sandbox-client", ALL_SCOPES.split(), self.books), request)
        return reply.status, json.loads(reply.body) if reply.body else None
