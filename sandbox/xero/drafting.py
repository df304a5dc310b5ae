"""Reading an invoice from a request, before anything is changed: whatever spoils the whole request is found here."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.xero.books import Books, Contact, Invoice
from sandbox.xero.editions import TIME_ZONES
from sandbox.xero.errors import BadPost, NotFound
from sandbox.xero.formats import ZERO_GUID, read_date, truth
from sandbox.xero.lines import Line, read_lines

AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")
CONTACT_NOISE = {"ContactID", "HasValidationErrors", "HasAttachments", "ValidationErrors", "StatusAttributeString"}


class Draft:
    """One invoice as a request describes it, with what it leaves out taken from the existing one."""

    def __init__(self, books: Books, sent: dict[str, Any], existing: Invoice | None, places: int):
        self.sent, self.existing = sent, existing
        self.places = places
        self.type = sent.get("Type") or (existing.type if existing else "ACCREC")
        if self.type not in ("ACCREC", "ACCPAY"):
            raise BadPost(_bad_enum(self.type, "InvoiceType", "Type"))
        self.status = self._status()
        self.amount_types = self._amount_types()
        self.date = self._date("Date", existing.date if existing else None) or today(books)
        self.due = self._date("DueDate", existing.due if existing else None)
        self.expected = self._date("ExpectedPaymentDate", existing.expected if existing else None)
        self.planned = self._date("PlannedPaymentDate", existing.planned if existing else None)
        self.number = self._text("InvoiceNumber", existing.number if existing else "")
        self.reference = self._text("Reference", existing.reference if existing else "")
        self.url = self._text("Url", existing.url if existing else "")
        self.branding = self._text("BrandingThemeID", existing.branding if existing else "")
        self.currency = self._text("CurrencyCode", existing.currency if existing else "") or books.base
        self.sent_to_contact = (
            truth(sent["SentToContact"]) if sent.get("SentToContact") is not None else bool(existing and existing.sent)
        )
        self.contact_sent = self._contact(books)
        self.lines: list[Line] | None = None
        if sent.get("LineItems") is not None:
            self.lines = read_lines(sent["LineItems"], places)
        self.contact: Contact | None = None
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.subtotal = self.tax = self.total = 0

    @property
    def approved(self) -> bool:
        """Whether it is, or asks to be, more than a draft."""
        return self.status in ("SUBMITTED", "AUTHORISED", "PAID")

    def _status(self) -> str:
        status = self.sent.get("Status") or (self.existing.status if self.existing else "DRAFT")
        if status not in STATUSES:
            raise BadPost(_bad_enum(status, "InvoiceStatus", "Status"))
        return status

    def _amount_types(self) -> str:
        value = self.sent.get("LineAmountTypes") or (self.existing.amount_types if self.existing else "Exclusive")
        known = AMOUNT_TYPES.get(str(value).lower())
        if known is None:
            raise BadPost(_bad_enum(value, "LineAmountType", "LineAmountTypes"))
        return known

    def _date(self, name: str, kept: str | None) -> str | None:
        return read_date(self.sent[name], name) if name in self.sent else kept

    def _text(self, name: str, kept: str) -> str:
        value = self.sent.get(name)
        return kept if value is None else str(value)

    def _contact(self, books: Books) -> dict[str, Any] | None:
        """The contact as sent; an id nobody has spoils the whole request."""
        contact = self.sent.get("Contact")
        if contact is None:
            return None
        if not isinstance(contact, dict):
            raise BadPost("JSON for post data was invalid,Contact is not an object.")
        id_ = contact.get("ContactID")
        if id_ and id_ != ZERO_GUID and str(id_).lower() not in books.contacts:
            raise NotFound
        return contact

    def extra_contact_fields(self) -> dict[str, Any]:
        """Fields beside a ContactID: they change the contact."""
        return {k: v for k, v in (self.contact_sent or {}).items() if k not in CONTACT_NOISE and v is not None}


def today(books: Books) -> str:
    """The organisation's date."""
    zone = ZoneInfo(TIME_ZONES.get(books.org["Timezone"], "UTC"))
    return datetime.fromtimestamp(books.clock.now(), zone).date().isoformat()


def _bad_enum(value: Any, type_name: str, path: str) -> str:
    return f"Error converting value \"{value}\" to type 'Xero.API.Library.Model.{type_name}'. Path '{path}'."
