"""The rooms of the house: which may import which, and which may know what."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the lowest floor to the highest: a room imports from the floors below it, and from itself.
LAYERS = [
    ["domain"],
    ["storage", "messages", "connectors"],
    ["reports", "sync"],
    ["support"],
    ["app"],
    ["onboarding"],
    ["cli"],
]
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


def room(module: str) -> str:
    """The folder of the product that a module is in."""
    return module.removeprefix("syncer.").split(".")[0]


def edges(*packages: str) -> dict[str, set[str]]:
    """For each module of these packages the modules of ours that it imports."""
    files = {name_of(file): file for file in modules(*packages)}
    found: dict[str, set[str]] = {name: set() for name in files}
    for name, file in files.items():
        for imported in imports(file):
            target = imported if imported in files else imported.rpartition(".")[0]
            if target in files and target != name:
                found[name].add(target)
    return found


def test_each_room_imports_from_the_floors_below_alone():
    """Rooms of one floor do not meet. What the package itself offers to notebooks, and `python -m`, stand above all."""
    floor = {name: number for number, rooms in enumerate(LAYERS) for name in rooms}
    assert {entry.stem for entry in (ROOT / "syncer").iterdir() if entry.is_dir() and entry.stem != "__pycache__"} == (
        set(floor)
    )
    for name, imported in edges("syncer").items():
        for target in imported if room(name) in floor else ():
            assert room(target) in floor, f"{name} imports {target}, which stands above all"
            assert room(target) == room(name) or floor[room(target)] < floor[room(name)], f"{name} imports {target}"


def test_the_top_of_the_product_is_seen_at_a_glance():
    """Ten folders, and the two files that Python asks for."""
    assert len([entry for entry in (ROOT / "syncer").iterdir() if entry.stem != "__pycache__"]) <= 12


def test_no_module_imports_itself_by_way_of_others():
    """A circle has no first module to read. Also imports inside functions count."""
    for packages in (["syncer"], ["console", "streamlit_app.py"], ["sandbox"]):
        found = edges(*packages)
        # What imports nothing that is left is taken away, again and again: a circle stays.
        while ends := [name for name, imported in found.items() if not imported & found.keys()]:
            for name in ends:
                del found[name]
        assert not found, f"in a circle, or above one: {sorted(found)}"


def test_the_domain_imports_the_standard_library_and_itself():
    """And of the library nothing that touches the world."""
    for file in modules("syncer/domain"):
        for found in imports(file):
            ours = found.startswith("syncer.domain")
            assert ours or found.split(".")[0] in sys.stdlib_module_names - WORLD, f"{name_of(file)}: {found}"


def test_the_domain_asks_nobody_for_the_time_or_a_file():
    """Time and ids are arguments."""
    for file in modules("syncer/domain"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert called not in WORLD_CALLS, f"{name_of(file)} calls {called}"


@pytest.mark.parametrize(
    ("package", "only"),
    [
        ("httpx", "syncer.connectors.http"),
        ("authlib", "syncer.connectors.xero.auth"),
        ("apprise", "syncer.connectors.notice_channels"),
    ],
)
def test_a_package_from_outside_has_one_importer(package, only):
    """So that it can be replaced in one place."""
    assert importers(package, "syncer", "console", "streamlit_app.py") == {only}


def test_only_the_storage_knows_its_database():
    """The table export writes files with it; the package names its type for those who open the analysis tables."""
    found = importers("duckdb", "syncer", "console", "streamlit_app.py")
    assert {name for name in found if room(name) != "storage"} == {"syncer", "syncer.reports.table_export"}


def test_only_the_storage_and_the_table_export_write_sql():
    """Everybody else asks the ledger."""
    found = {name_of(file) for file in modules("syncer", "console") if any(map(SQL.match, written(file)))}
    assert {name for name in found if room(name) != "storage"} <= {"syncer.reports.table_export"}


def test_the_two_services_do_not_meet():
    """Each can be read, tested and replaced without the other."""
    for one, other in (("crococlick", "xero"), ("xero", "crococlick")):
        assert importers(f"syncer.connectors.{one}", f"syncer/connectors/{other}") == set()


def test_pages_ask_the_desk():
    """Pages and components draw values; only the desk, the routes and what runs the server reach what is at work."""
    server = {"console.routes", "console.main", "console.worker_process", "console.startup_token", "console.access"}
    at_work = {"app", "sync", "connectors"}
    for file in modules("console", "streamlit_app.py"):
        if name_of(file) in server or name_of(file).startswith("console.desk"):
            continue
        for found in imports(file):
            assert not found.startswith("syncer.") or room(found) not in at_work, f"{name_of(file)} imports {found}"


def test_the_console_talks_to_no_provider():
    """Screens read the ledger; orders pass through the desk."""
    for module in ("connectors.xero", "connectors.http", "sync.run", "storage.database.store"):
        assert importers(f"syncer.{module}", "console", "streamlit_app.py") == set()


def test_the_sandbox_and_the_product_never_meet():
    """So one misreading of an API cannot fool both sides."""
    assert importers("syncer", "sandbox") == importers("console", "sandbox") == set()
    assert importers("sandbox", "syncer", "console", "streamlit_app.py") == set()


def test_tests_and_benchmarks_share_their_helpers_in_one_place():
    """A test imports from no other test; what two of them need is in tests/support."""
    for file in modules("tests", "bench"):
        for found in imports(file):
            shared = found.startswith("tests.support")
            assert shared or not found.startswith("tests"), f"{file.relative_to(ROOT)} imports {found}"


def test_only_the_wires_know_the_providers_words():
    """A field that is renamed there is renamed in one file here."""
    wires = {f"syncer.connectors.xero.{name}" for name in ("wire", "entities")}
    wires |= {f"syncer.connectors.crococlick.{name}" for name in ("wire", "records", "contacts_wire", "webhooks")}
    for file in modules("syncer", "console"):
        if name_of(file) not in wires:
            assert not written(file) & FIELDS, f"{name_of(file)}: {written(file) & FIELDS}"
    assert all(FIELDS & written(ROOT / f"{name.replace('.', '/')}.py") for name in wires)
