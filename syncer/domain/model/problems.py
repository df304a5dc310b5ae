"""Every cause of contract.md: a stable code, who acts next, and which change in the world may cure it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Who(StrEnum):
    """Who acts next."""

    SUPPORT = "support"
    CUSTOMER = "customer"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"
    NOBODY = "nobody"


class Cure(StrEnum):
    """What has to change before trying again can help."""

    CONTENT = "content"  # the invoice in CrocoClick
    SETTING = "setting"  # a setting or mapping of the connection
    BOOKS = "books"  # the organisation: rates, currencies, accounts, lock dates, plan
    CONTACTS = "contacts"  # the contacts in Xero
    DOCUMENT = "document"  # the document in Xero
    CONNECTION = "connection"
    TIME = "time"  # heals by itself
    ORDER = "order"  # a person's order


@dataclass(frozen=True, slots=True)
class Cause:
    """One code with who acts next and what may cure it."""

    code: str
    who: Who
    cures: frozenset[Cure]


@dataclass(frozen=True)
class Problem:
    """Why one record cannot go: a code, the facts of the case, and where in the document it is."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


def _causes(who: Who, *cures: Cure, codes: str) -> dict[str, Cause]:
    return {code: Cause(code, who, frozenset(cures)) for code in codes.split()}


CAUSES: Mapping[str, Cause] = {
    # the connection
    **_causes(
        Who.ADMIN,
        Cure.CONNECTION,
        codes="not_connected consent_revoked scope_missing role_missing wrong_organisation crococlick_token_refused "
        "crococlick_scope_missing crococlick_wrong_location",
    ),
    **_causes(Who.SUPPORT, Cure.ORDER, codes="source_shrunk paused"),
    # not eligible
    **_causes(Who.ADMIN, Cure.SETTING, Cure.CONTENT, codes="status_not_selected before_start_date"),
    **_causes(Who.NOBODY, Cure.CONTENT, codes="test_mode void_before_sync"),
    **_causes(Who.SUPPORT, Cure.ORDER, codes="skipped_by_person"),
    # the customer
    **_causes(Who.SUPPORT, Cure.CONTENT, codes="contact_invalid"),
    **_causes(
        Who.SUPPORT,
        Cure.CONTENT,
        Cure.CONTACTS,
        Cure.ORDER,
        Cure.SETTING,
        codes="contact_missing contact_ambiguous contact_name_taken contact_archived",
    ),
    # tax, currency, accounts
    **_causes(
        Who.SUPPORT,
        Cure.CONTENT,
        Cure.SETTING,
        Cure.BOOKS,
        codes="tax_unmapped tax_ambiguous tax_archived tax_wrong_side tax_not_for_account",
    ),
    **_causes(
        Who.ACCOUNTANT, Cure.CONTENT, Cure.SETTING, Cure.BOOKS, codes="currency_not_enabled currency_not_in_plan"
    ),
    **_causes(
        Who.ADMIN,
        Cure.SETTING,
        Cure.BOOKS,
        codes="account_missing account_invalid tracking_invalid payment_account_missing payment_account_invalid",
    ),
    # the document
    **_causes(Who.ACCOUNTANT, Cure.CONTENT, Cure.BOOKS, codes="period_locked plan_invoice_cap"),
    **_causes(Who.SUPPORT, Cure.CONTENT, Cure.DOCUMENT, Cure.ORDER, codes="number_taken"),
    **_causes(
        Who.SUPPORT,
        Cure.CONTENT,
        codes="invoice_unreadable number_invalid total_mismatch negative_total line_invalid issue_date_missing",
    ),
    **_causes(Who.SUPPORT, Cure.CONTENT, Cure.SETTING, codes="due_date_missing"),
    # document state
    **_causes(
        Who.SUPPORT,
        Cure.CONTENT,
        Cure.DOCUMENT,
        Cure.ORDER,
        codes="payment_exceeds_due payment_mismatch refund_needs_person edited_after_payment void_with_payments "
        "changed_in_xero removed_in_xero deleted_in_crococlick",
    ),
    **_causes(Who.SUPPORT, Cure.CONTENT, Cure.ORDER, codes="payment_changed"),
    **_causes(Who.ACCOUNTANT, Cure.CONTENT, Cure.SETTING, Cure.DOCUMENT, codes="awaiting_approval"),
    # heals by itself
    **_causes(
        Who.NOBODY,
        Cure.TIME,
        codes="rate_limited_minute rate_limited_day xero_unavailable crococlick_unavailable answer_lost",
    ),
    **_causes(Who.SUPPORT, Cure.CONTENT, Cure.SETTING, Cure.BOOKS, Cure.ORDER, codes="rejected_by_xero"),
}

NOT_ELIGIBLE = frozenset({"status_not_selected", "before_start_date", "test_mode", "void_before_sync"})


def heals_by_itself(code: str) -> bool:
    """Whether waiting is enough."""
    return Cure.TIME in CAUSES[code].cures
