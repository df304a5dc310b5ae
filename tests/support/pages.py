"""Pages drawn over a ledger, and what is in that ledger."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from console.desk.desk import Desk
from syncer.domain.model.books import Account, BookInvoice, Books, Organisation, TaxRate
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status, Tax
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import told
from syncer.domain.ports import CallRecord
from syncer.domain.settings import SETTINGS
from syncer.storage.ledger.records import AttemptResult, AttemptStart, PlannedState

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)


RUN = "20261121-100300-ab12cd"


SECRET = "SECRET-token-that-nobody-may-see"


VAT20, VAT55 = Tax("t20", "TVA 20 %", Decimal(20)), Tax("t55", "TVA 5,5 %", Decimal("5.5"))


def invoice(source_id: str, number: str, taxes: Sequence[Tax] = (VAT20,), **fields: Any) -> Invoice:
    """An invoice of two lines: 1,000.00 at 20 %, and 100.00 at the taxes given."""
    lines = (
        LineItem("Consulting", Decimal(2), Decimal(500), (VAT20,)),
        LineItem("Book", Decimal(1), Decimal(100), tuple(taxes)),
    )
    total = Decimal(1200) + 100 + sum((tax.rate for tax in taxes), Decimal(0))
    alike: dict[str, Any] = {
        "status": Status.SENT, "live": True, "customer": Customer("c1", "Martin & Fils", "compta@martin.example"),
        "currency": "EUR", "issue_date": date(2026, 11, 21), "due_date": date(2026, 12, 21), "total": total,
        "amount_due": total,
    }  # fmt: skip
    return Invoice(source_id=source_id, number=number, lines=lines, **{**alike, **fields})


BOOKS = Books(
    Organisation("o1", "Dupont Conseil", "FR", "EUR", "GLOBAL", "PREMIUM"),
    accounts=(Account("a1", "706", "Prestations", "REVENUE"),),
    tax_rates=(TaxRate("TAX001", "TVA 20 % ventes", Decimal(20)),),
    currencies=frozenset({"EUR"}),
    actions={"UseMulticurrency": True, "CreateApprovedInvoice": True},
)


INVOICES = [
    invoice("in1", "FAC-2026-0001"),
    invoice("in2", "FAC-2026-0002", customer=Customer("c2", "<b>Bold</b> *Star* `Co`", "star@example.com")),
    invoice("held1", "FAC-2026-0142", (VAT55,)),
    invoice("held2", "FAC-2026-0143", (VAT55,)),
    invoice("usd", "FAC-2026-0144", currency="USD"),
    invoice("slow", "FAC-2026-0145"),
    invoice("doubt", "FAC-2026-0146"),
    invoice("next", "FAC-2026-0147"),
    invoice("draft", "FAC-2026-0148", status=Status.DRAFT),
]


UNMAPPED = {"tax": "TVA 5,5 %", "rate": "5.5%", "line": 2}


VERDICTS = [
    PlannedState("held1", "held", Problem("tax_unmapped", UNMAPPED)),
    PlannedState("held2", "held", Problem("tax_unmapped", UNMAPPED)),
    PlannedState("usd", "held", Problem("currency_not_enabled", {"currency": "USD"})),
    PlannedState("slow", "retrying", Problem("xero_unavailable")),
    PlannedState("draft", "not_eligible", Problem("status_not_selected", {"status": "draft"})),
]


def intent(source_id: str, place: int, call_id: str) -> AttemptStart:
    """A try to create this invoice."""
    one = next(one for one in INVOICES if one.source_id == source_id)
    return AttemptStart("invoice", source_id, "create", one.number, call_id, place, "key", one.fingerprint)


def in_xero(one: Invoice, **fields: Any) -> BookInvoice:
    """What Xero has of it, approved."""
    alike: dict[str, Any] = {
        "id": f"x-{one.source_id}", "number": one.number, "status": "AUTHORISED", "currency": "EUR",
        "total": one.total, "total_tax": Decimal(220), "amount_due": one.total, "issue_date": one.issue_date,
        "due_date": one.due_date,
    }  # fmt: skip
    return BookInvoice(**{**alike, **fields})


def send(desk: Desk, ids: Sequence[str]) -> None:
    """Create these in Xero, in one call whose bodies are kept."""
    begun = desk.ledger.commit(RUN, NOW, intents=[intent(id_, place, "call-1") for place, id_ in enumerate(ids)])
    known = {one.source_id: one for one in INVOICES}
    endings = [
        AttemptResult("invoice", id_, "created", "synced", attempt, fingerprint=known[id_].fingerprint, status="sent",
               invoice=in_xero(known[id_]), agreed=told(in_xero(known[id_])))
        for id_, attempt in zip(ids, begun, strict=True)
    ]  # fmt: skip
    call = CallRecord("call-1", NOW, "xero", "PUT", "/api.xro/2.0/Invoices", 200, 412, day_left=989,
                      correlation_id="corr-77")  # fmt: skip
    both = ",".join(f'{{"InvoiceNumber":"{known[id_].number}","Total":1320.00}}' for id_ in ids)
    desk.app.bodies.keep(
        "default", "call-1", NOW, f'{{"Invoices":[{both}]}}'.encode(), f'{{"Invoices":[{both}]}}'.encode()
    )
    desk.ledger.commit(RUN, NOW, endings=endings, calls=[call])


def opening(url: str, data: Path) -> str:
    """The address that lets a browser into the console at `url` that keeps its files in `data`."""
    return f"{url}/?token={(data / 'console.token').read_text().strip()}"


def script(page: str) -> None:
    """One page, as the frame would draw it."""
    # This function's source runs by itself: what it needs it imports.
    import importlib

    from console.desk import desk
    from console.desk import installation as running

    importlib.import_module(f"console.pages.{page}").show(desk.Desk(running.installation()))


def press(at: AppTest, label: str) -> AppTest:
    """Press the button that says this."""
    return next(one for one in at.button if one.label == label).click().run()


Draw = Callable[..., AppTest]


def seen(at: AppTest) -> str:
    """All that a person reads on a page, titles on hover included."""
    html = " ".join(one.value for one in at.html)
    hovers = " ".join(re.findall(r'title="([^"]*)"', html))
    plain = unescape(re.sub(r"<[^>]+>", " ", html))
    said = [one.value for kind in ("warning", "error", "success", "markdown", "code") for one in getattr(at, kind)]
    labelled = ("button", "expander", "text_input", "selectbox", "toggle", "checkbox", "date_input")
    said += [one.label for kind in labelled for one in getattr(at, kind)]
    text = " ".join([*(one.value for one in at.title), plain, hovers, *said])
    return re.sub(r"\s+", " ", re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)).strip()


def obeys_the_house_rules(at: AppTest) -> str:
    """One title; no codes, machine times, secrets, shouting or leftovers of the program."""
    assert not at.exception, at.exception
    assert len(at.title) == 1
    text = seen(at)
    codes = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)) - set(SETTINGS)
    assert not codes
    assert not re.search(r"\d{4}-\d\d-\d\d[ T]?|\d\d:\d\d:\d\d", text)
    assert not re.search(r"!|\b[Ee]rror\b|\b[Pp]lease\b|\bNone\b|\bnan\b|Traceback|Decimal\(", text)
    assert SECRET not in text
    return text
