"""The arrows between the packages: who may import whom, and who may know what."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORLD = {"os", "io", "time", "random", "secrets", "socket", "subprocess", "threading", "pathlib", "tempfile", "logging"}
WORLD_CALLS = {"open", "print", "input", "now", "today", "utcnow", "uuid4", "getenv"}
# Names of fields that only the providers use. What a provider calls by an everyday word cannot be told from our own.
FIELDS = set(
    "InvoiceNumber InvoiceID LineItems LineAmountTypes AmountDue ContactID ContactNumber EmailAddress TaxType "
    "UnitAmount DueDateString UpdatedDateUTC CurrencyCode invoiceItems invoiceNumber contactDetails issueDate "
    "amountPaid totalSummary taxInclusive productId locationId altId liveMode".split()
)
SQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|WITH \w+ AS)\b")


def modules(*packages: str) -> list[Path]:
    """The source files of these packages or modules."""
    paths = [ROOT / package for package in packages]
    return sorted(file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path]))


def name_of(file: Path) -> str:
    """The dotted name of a module."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(file)} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(wanted: str, *packages: str) -> set[str]:
    """The modules in these packages that import this one or something in it."""
    return {
        name_of(file)
        for file in modules(*packages)
        if any(f"{found}.".startswith(f"{wanted}.") for found in imports(file))
    }


def written(file: Path) -> set[str]:
    """The texts in a module's code, docstrings apart."""
    tree = ast.parse(file.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return {node.value for node in texts if isinstance(node.value, str)}


def test_the_core_imports_the_standard_library_and_itself():
    """And of the library nothing that touches the world."""
    for file in modules("syncer/domain"):
        for found in imports(file):
            ours = found.startswith("syncer.domain")
            assert ours or found.split(".")[0] in sys.stdlib_module_names - WORLD, f"{name_of(file)}: {found}"


def test_the_core_asks_nobody_for_the_time_or_a_file():
    """Time and ids are arguments."""
    for file in modules("syncer/domain"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert called not in WORLD_CALLS, f"{name_of(file)} calls {called}"


@pytest.mark.parametrize(
    ("package", "only"), [("httpx", "syncer.connectors.http"), ("authlib", "syncer.connectors.xero.auth")]
)
def test_a_package_from_outside_has_one_importer(package, only):
    """So that it can be replaced in one place."""
    assert importers(package, "syncer", "console", "streamlit_app.py") == {only}


def test_only_the_ledger_knows_its_database():
    """The export writes files with it; the package names its type for those who open the analysis tables."""
    found = importers("duckdb", "syncer", "console", "streamlit_app.py")
    assert {name for name in found if not name.startswith("syncer.storage.ledger.")} == {
        "syncer",
        "syncer.reports.table_export",
    }


def test_only_the_ledger_and_the_export_write_sql():
    """Everybody else asks the ledger."""
    found = {name_of(file) for file in modules("syncer", "console") if any(map(SQL.match, written(file)))}
    assert {name for name in found if not name.startswith("syncer.storage.ledger.")} <= {"syncer.reports.table_export"}


@pytest.mark.parametrize("one", ["crococlick", "xero", "ledger"])
def test_the_two_books_and_the_ledger_do_not_meet(one):
    """Each can be read, tested and replaced without the others."""
    for other in {"crococlick", "xero", "ledger"} - {one}:
        assert importers(f"syncer.{one}", f"syncer/{other}") == set()


def test_the_parts_below_do_not_look_up():
    """Ports, errors, transport and the three adapters know nothing of the order of work or of any face."""
    above = "app sync waves watch watches door questions words connecting export terminal redirect settings".split()
    above.append("__main__")
    below = [
        "syncer/connectors/crococlick",
        "syncer/connectors/xero",
        "syncer/storage",
        "syncer/connectors/http.py",
        "syncer/domain/ports.py",
    ]
    for module in above:
        assert importers(f"syncer.{module}", *below, "syncer/domain/errors.py") == set()


def test_the_console_has_one_door():
    """Only its desk, in its parts, and its routes reach the product; the rest may use words and write amounts."""
    doors = {name_of(file) for file in modules("console") if file.stem.startswith("desk")} | {"console.routes"}
    for file in modules("console", "streamlit_app.py"):
        for found in imports(file):
            allowed = name_of(file) in doors or found.startswith(
                ("syncer.messages.status", "syncer.messages.contacts", "syncer.messages.access", "syncer.domain.")
            )
            assert allowed or not found.startswith("syncer"), f"{name_of(file)} imports {found}"


def test_the_console_talks_to_no_provider():
    """Screens read the ledger; orders pass through the desk."""
    for module in ("crococlick", "xero", "transport", "sync", "ledger.store"):
        assert importers(f"syncer.{module}", "console", "streamlit_app.py") == set()


def test_the_sandbox_and_the_product_never_meet():
    """So one misreading of an API cannot fool both sides."""
    assert importers("syncer", "sandbox") == importers("console", "sandbox") == set()
    assert importers("sandbox", "syncer", "console", "streamlit_app.py") == set()


def test_only_the_wires_know_the_providers_words():
    """A field that is renamed there is renamed in one file here."""
    wires = {"syncer.connectors.xero.wire", "syncer.connectors.xero.entities"}
    wires |= {f"syncer.connectors.crococlick.{name}" for name in ("wire", "records", "people", "webhooks")}
    for file in modules("syncer", "console"):
        if name_of(file) not in wires:
            assert not written(file) & FIELDS, f"{name_of(file)}: {written(file) & FIELDS}"
    assert all(FIELDS & written(ROOT / f"{name.replace('.', '/')}.py") for name in wires)
