"""What a connection's settings tell the planner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from syncer.domain.model.invoice import Status

REVENUE_ACCOUNT = "revenue_account"  # the setting, and the beginning of those for one product or tax
TRACKING = "tracking."  # the beginning of the settings that choose tracking options
AUTHORISED, SUBMITTED, DRAFT = "AUTHORISED", "SUBMITTED", "DRAFT"  # Xero's statuses of a new invoice
DEFAULT_STATUSES = frozenset({Status.SENT, Status.PAYMENT_PROCESSING, Status.PARTIALLY_PAID, Status.PAID, Status.VOID})


@dataclass(frozen=True)
class Rules:
    """The sync settings of one connection, each with the meaning that contract.md gives it."""

    location_id: str = ""
    start_date: date | None = None
    statuses: frozenset[Status] = DEFAULT_STATUSES
    revenue_account: str = ""
    product_accounts: Mapping[str, str] = field(default_factory=dict)  # CrocoClick product id → code or AccountID
    tax_accounts: Mapping[str, str] = field(default_factory=dict)  # CrocoClick tax id, RATE% or "none" → the same
    approval: str = AUTHORISED  # the Xero status of a sent invoice that goes over
    payment_accounts: Mapping[str, str] = field(default_factory=dict)  # by currency; "" is any currency
    rounding_account: str = ""
    tracking: Mapping[str, str] = field(default_factory=dict)  # the option that every line gets, by tracking category
    taxes: Mapping[str, str] = field(default_factory=dict)  # CrocoClick tax id or RATE% → TaxType
    tax_none: str = ""
    create_contacts: bool = True
    create_currencies: bool = False
    create_tax_rates: bool = False
    mark_sent: bool = True
    due_days: int | None = None
    reference: str = "{name}"
    app_url: str = "https://app.crococlick.com"

    @property
    def named(self) -> str:
        """All of them as one text that is the same in every process: sets have no order of their own."""
        return repr([(name, _ordered(value)) for name, value in sorted(vars(self).items())])

    def invoice_url(self, source_id: str) -> str:
        """Where the Xero invoice links back to: our mark, which holds the CrocoClick id.

        Xero refuses a Url with "xero" in it (Xero's Invoices page), so a location id that spells it is left out.
        """
        base = self.app_url.rstrip("/")
        url = f"{base}/v2/location/{self.location_id}/payments/invoices/{source_id}"
        return f"{base}/payments/invoices/{source_id}" if "xero" in url.lower() else url


def _ordered(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(str(one) for one in value)
    return sorted(value.items()) if isinstance(value, Mapping) else value
