"""A real ledger in a folder of its own, filled through the Ledger, and pages drawn over it."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from console.desk.desk import Desk
from console.desk.installation import installation
from sandbox.server import Sandbox
from syncer.domain.model.books import Account, BookInvoice, Books, Organisation, TaxRate, books_text
from syncer.domain.model.invoice import Customer, Invoice, LineItem, Status, Tax
from syncer.domain.model.problems import Problem
from syncer.domain.model.sync_state import told
from syncer.domain.ports import CallRecord
from syncer.storage.ledger.records import Ending, Intent, Verdict
from tests.support.sync_world import World
from tests.support.waiting import PATIENCE_S

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)
RUN = "20261121-100300-ab12cd"
SECRET = "SECRET-token-that-nobody-may-see"
VAT20, VAT55 = Tax("t20", "TVA 20 %", Decimal(20)), Tax("t55", "TVA 5,5 %", Decimal("5.5"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk over an empty ledger; nothing is connected."""
    monkeypatch.setenv("SYNCER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SYNCER_WATCH", "off")  # Nobody works in the background, and nobody is missed.
    for name in ("XERO_API_URL", "XERO_LOGIN_URL", "XERO_IDENTITY_URL", "CROCOCLICK_API_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Nobody answers there, and nothing is asked of the world.
    monkeypatch.setenv("XERO_CLIENT_ID", "sandbox-client")
    monkeypatch.setenv("CROCOCLICK_TOKEN", SECRET)
    monkeypatch.setenv("CROCOCLICK_LOCATION_ID", "Loc1")
    installation.cache_clear()
    yield Desk(installation())
    installation.cache_clear()


@pytest.fixture
def connected(desk: Desk) -> Desk:
    """Connected, and nothing was read yet."""
    desk.ledger.save_connection(
        NOW, state="connected", connected_at=NOW, organisation_id="o1", organisation_name="Dupont Conseil",
        country="FR", base_currency="EUR", plan="PREMIUM", short_code="!abc",
        location_name="Dupont", timezone="Europe/Paris",
    )  # fmt: skip
    desk.app.vault.put(
        "xero:default",
        {
            "access_token": SECRET, "refresh_token": SECRET, "tenant_id": "o1", "user": "camille@example.com",
            "expires_at": (NOW + timedelta(hours=1)).isoformat(), "obtained_at": NOW.isoformat(),
            "scopes": ["offline_access", "accounting.invoices", "accounting.settings"],
        },
    )  # fmt: skip
    return desk


@pytest.fixture
def resting(working: Desk) -> Desk:
    """The same after the consent has ended: an order is written down, and no run begins with it."""
    working.ledger.save_connection(NOW, state="consent_revoked")
    return working


@pytest.fixture
def working(connected: Desk) -> Desk:
    """One run long: an invoice in every state."""
    ledger = connected.ledger
    ledger.begin_run(RUN, "", "cron", 1, NOW)
    ledger.mirror(NOW, reached=["books"], books=books_text(BOOKS))
    ledger.change_settings({"revenue_account": "706"}, "anna", NOW)
    ledger.see(RUN, INVOICES, NOW)
    ledger.take_customers(NOW)
    ledger.settle_verdicts(RUN, VERDICTS, NOW)
    send(connected, ["in1", "in2"])
    ledger.commit(RUN, NOW, intents=[intent("doubt", 0, "call-lost")])
    result = {"outcomes": {"created": 2, "held": 3, "deferred": 2, "in_doubt": 1, "not_eligible": 1},
              "money": {}, "calls": {"xero": 7, "crococlick": 2}}  # fmt: skip
    ledger.finish_run(RUN, "done", None, result, NOW + timedelta(seconds=3))
    return connected


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
    Verdict("held1", "held", Problem("tax_unmapped", UNMAPPED)),
    Verdict("held2", "held", Problem("tax_unmapped", UNMAPPED)),
    Verdict("usd", "held", Problem("currency_not_enabled", {"currency": "USD"})),
    Verdict("slow", "retrying", Problem("xero_unavailable")),
    Verdict("draft", "not_eligible", Problem("status_not_selected", {"status": "draft"})),
]


def intent(source_id: str, place: int, call_id: str) -> Intent:
    """A try to create this invoice."""
    one = next(one for one in INVOICES if one.source_id == source_id)
    return Intent("invoice", source_id, "create", one.number, call_id, place, "key", one.fingerprint)


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
        Ending("invoice", id_, "created", "synced", attempt, fingerprint=known[id_].fingerprint, status="sent",
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
    import importlib

    from console.desk.desk import Desk
    from console.desk.installation import installation

    importlib.import_module(f"console.pages.{page}").show(Desk(installation()))


def press(at: AppTest, label: str) -> AppTest:
    """Press the button that says this."""
    return next(one for one in at.button if one.label == label).click().run()


Draw = Callable[..., AppTest]


@pytest.fixture
def draw() -> Draw:
    """Draw a page at an address."""

    def drawn(page: str, **address: str) -> AppTest:
        at = AppTest.from_function(script, default_timeout=PATIENCE_S, kwargs={"page": page})
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return drawn


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


@pytest.fixture
def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A console over a sandbox: connected, with a revenue account, and nothing read yet."""
    with Sandbox(world="empty", limits=False) as box:
        world = World(box, tmp_path)
        for name, value in world.values.items():
            monkeypatch.setenv(name, value)
        world.connect()
        world.set(revenue_account="706")
        installation.cache_clear()
        yield world
        installation.cache_clear()
