"""What the reports need of the analysis tables: arrivals, problems and taxes."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from syncer.storage.analysis.copy import Analysis
from syncer.storage.database.store import Store
from tests.support.ledger_rows import NOON, VAT5, VAT20, attempt_columns, content, invoice_columns


@pytest.fixture
def analysis(store: Store, tmp_path) -> Analysis:
    return Analysis(store, tmp_path / "analysis.duckdb", wait_s=10)


def write(store: Store, contents: dict[str, str], version: str = "f0") -> None:
    rows = {"connection": ["default"] * len(contents), "source_id": list(contents)}
    store.transaction(lambda tx: tx.delete_where_keys("invoice_content", rows))
    rows |= {"fingerprint": [version] * len(contents), "content": list(contents.values())}
    store.transaction(lambda tx: tx.insert("invoice_content", rows))


GST, PST = ["g", "GST", "5", False], ["p", "PST", "9.975", True]


def taxes(analysis: Analysis) -> list[tuple]:
    analysis.refresh()
    return analysis.ask("SELECT crococlick_id, rate, prices_include_tax, lines, amount FROM taxes ORDER BY ALL").rows


def test_lines_are_counted_by_the_taxes_on_them(analysis, store):
    """Two lines of one tax are one row; several taxes on a line are one combination, whatever their order."""
    write(store, {
        "i1": content(("2", "10.50", [VAT20], False), ("1", "4", [VAT20], False), ("1", "3", [], False)),
        "i2": content(("1", "100", [PST, GST], True), ("1", "1", [VAT5], False)),
    })  # fmt: skip
    assert taxes(analysis) == [
        ("i1", "20%", False, 2, Decimal("25.000000")),
        ("i1", "none", False, 1, Decimal("3.000000")),
        ("i2", "5%", False, 1, Decimal("1.000000")),
        ("i2", "5%+9.975%", True, 1, Decimal("100.000000")),
    ]
    assert analysis.ask("SELECT tax FROM taxes WHERE rate = '5%+9.975%'").rows == [("GST + PST",)]


def test_the_taxes_of_an_edited_invoice_are_read_again_and_no_others(analysis, store):
    """What is gone goes, what is new comes, what has not changed is not read twice."""
    write(store, {name: content(("1", "10", [VAT20], False)) for name in ("i1", "i2", "i3")})
    analysis.refresh()
    store.transaction(lambda tx: tx.execute("DELETE FROM invoice_content WHERE source_id = 'i3'"))
    write(store, {"i1": content(("1", "7", [VAT5], False))}, "f1")
    assert taxes(analysis) == [
        ("i1", "5%", False, 1, Decimal("7.000000")),
        ("i2", "20%", False, 1, Decimal("10.000000")),
    ]
    assert taxes(analysis) == taxes(analysis)


def test_an_arrival_is_the_first_time_that_an_invoice_stood_in_xero(analysis, store):
    """With the tries it took; a later update is no second arrival."""
    begun, ended = attempt_columns([1, 2, 3, 4])
    begun["source_id"] = ["i1", "i1", "i1", "i2"]
    begun["action"][2] = "update"
    ended["outcome"] = ["refused", "created", "updated", "created"]
    ended["ended_at"] = [NOON + timedelta(seconds=n) for n in (5, 65, 999, 20)]
    store.transaction(
        lambda tx: (tx.insert("invoice", invoice_columns([1, 2])), tx.insert("attempt", begun),
                    tx.insert("attempt_end", ended))
    )  # fmt: skip
    analysis.refresh()
    asked = "SELECT crococlick_id, tries, at_first_try, seconds, total FROM arrivals ORDER BY 1"
    assert analysis.ask(asked).rows == [
        ("i1", 2, False, 65, Decimal("1.010000")), ("i2", 1, True, 20, Decimal("2.010000")),
    ]  # fmt: skip


def test_a_try_is_told_with_its_money_and_its_invoice(analysis, store):
    """A payment with its amount, a document with the total that was sent, one without such with the invoice's own."""
    begun, ended = attempt_columns([1, 2, 3, 4])
    begun |= {"kind": ["payment", "invoice", "invoice", "contact"], "source_id": ["p1", "i1", "i1", "c1"]}
    begun["expected"] = ['{"owner": "i1", "amount": "12.50"}', '{"total": "99.00"}', "{}", "{}"]
    store.transaction(
        lambda tx: (tx.insert("invoice", invoice_columns([1])), tx.insert("attempt", begun),
                    tx.insert("attempt_end", ended))
    )  # fmt: skip
    analysis.refresh()
    assert analysis.ask("SELECT invoice_id, currency, amount FROM attempts ORDER BY attempt_id").rows == [
        ("i1", "GBP", Decimal("12.500000")), ("i1", "GBP", Decimal("99.000000")), ("i1", "GBP", Decimal("1.010000")),
        (None, None, None),
    ]  # fmt: skip


def test_why_an_invoice_did_not_go_is_kept_after_it_went(analysis, store):
    """Only what held it: neither what was seen nor what a setting leaves out."""
    whats = ["seen", "held", "not_eligible", "refused", "created"]
    causes = [None, "tax_unmapped", "status_not_selected", "number_taken", None]
    rows = {
        "id": [1, 2, 3, 4, 5], "connection": ["default"] * 5, "run_id": ["r"] * 5, "kind": ["invoice"] * 5,
        "source_id": ["i1"] * 5, "happened_at": [NOON] * 5, "what": whats, "cause": causes, "by_whom": ["sync"] * 5,
    }  # fmt: skip
    store.transaction(lambda tx: tx.insert("history", rows))
    analysis.refresh()
    assert analysis.ask("SELECT what, cause FROM problems ORDER BY id").rows == [
        ("held", "tax_unmapped"), ("refused", "number_taken"),
    ]  # fmt: skip


def test_the_ledger_is_free_while_the_copy_is_being_filled(analysis, store, monkeypatch):
    """Whoever counts, counts in a file apart: a run that wants to write down what it did does not wait."""
    from syncer.storage.analysis import copy as module

    filled, go_on = threading.Event(), threading.Event()
    copied = module._copy_view

    def slowly(*given):
        filled.set()
        go_on.wait(10)
        copied(*given)

    # because: no other way to stop in the middle of a copy that takes milliseconds here.
    monkeypatch.setattr(module, "_copy_view", slowly)
    store.transaction(lambda tx: None)
    renewing = threading.Thread(target=analysis.refresh)
    renewing.start()
    assert filled.wait(10)
    Store(store.path, wait_s=1).transaction(lambda tx: tx.insert("invoice", invoice_columns([1])))
    go_on.set()
    renewing.join(10)
    assert not analysis.is_current()
    assert not list(analysis.path.parent.glob("*.ledger*"))
