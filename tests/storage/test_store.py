"""The ledger file by itself: what goes in comes out, all or nothing, whatever version it is."""

import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from syncer.domain.errors import LedgerBusy, LedgerTooNew, SyncerError, WrongUsage
from syncer.storage.analysis.copy import VIEWS
from syncer.storage.database.store import Schema, Store, Tx, ledger_path, named_queries, queries
from tests.support.ledger_rows import NOON, call_columns, invoice_columns
from tests.support.properties import examples
from tests.support.waiting import PATIENCE_S

KEYS = ["connection", "source_id"]


def put(store: Store, **given_values):
    store.transaction(lambda tx: tx.insert("invoice", invoice_columns([1, 2, 3], **given_values)))


def numbers(store: Store) -> list[str]:
    return [row["number"] for row in store.read(lambda r: r.rows("SELECT number FROM invoice ORDER BY number"))]


def test_a_fresh_ledger_knows_its_version_and_when_it_was_made(store, ledger_file):
    """The first use makes the file, private, with the newest schema."""
    assert store.read(lambda r: r.row("SELECT * FROM ledger")) == {"schema_version": 6, "created_at": NOON}
    assert ledger_file.stat().st_mode & 0o777 == 0o600


def test_what_was_committed_is_there_for_the_next_store(store, ledger_file):
    """Nothing stays behind in the process that wrote."""
    put(store)
    assert numbers(Store(ledger_file)) == ["INV-0001", "INV-0002", "INV-0003"]


def test_an_exception_undoes_all_and_arrives_as_it_was_raised(store):
    """A transaction that fails half way leaves no half."""
    put(store)

    def half(tx: Tx):
        tx.execute("DELETE FROM invoice")
        raise LookupError("somebody's bug")

    with pytest.raises(LookupError, match="somebody's bug"):
        store.transaction(half)
    assert len(numbers(store)) == 3


def test_a_failing_statement_undoes_all_too(store):
    """Nor does one that DuckDB refuses."""

    def refused(tx: Tx):
        tx.insert("invoice", invoice_columns([1]))
        tx.insert("invoice", invoice_columns([1]))

    with pytest.raises(duckdb.ConstraintException):
        store.transaction(refused)
    assert numbers(store) == []


def test_a_conflict_is_tried_again_and_not_for_ever(store):
    """After a conflict the same function runs once more; after five it is said."""
    tries = []

    def twice(tx: Tx):
        tries.append(1)
        if len(tries) < 3:
            raise duckdb.TransactionException("conflict")
        return "done"

    assert store.transaction(twice) == "done"
    tries.clear()

    def always(tx: Tx):
        tries.append(1)
        raise duckdb.TransactionException("conflict")

    with pytest.raises(duckdb.TransactionException):
        store.transaction(always)
    assert len(tries) == 5


def test_times_come_back_in_utc_whatever_zone_they_went_in(store):
    """A time keeps its moment and always knows its zone."""
    in_paris = datetime(2025, 3, 31, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    store.transaction(lambda tx: tx.insert("invoice", invoice_columns([1], seen_at=in_paris)))
    found = store.read(lambda r: r.row("SELECT seen_at, issue_date FROM invoice WHERE seen_at = ?", [in_paris]))
    assert found == {"seen_at": datetime(2025, 3, 31, 12, 0, 0, 123456, tzinfo=UTC), "issue_date": date(2025, 3, 1)}
    assert store.read(lambda r: r.value("SELECT max(seen_at) FROM invoice")).tzinfo is UTC


@given(
    amounts=st.lists(
        st.none() | st.decimals(-(10**15), 10**15, allow_nan=False, places=6) | st.just(Decimal("1E+3")), min_size=1
    )
)
@examples(0.4, HealthCheck.function_scoped_fixture)
def test_money_comes_back_to_the_last_digit(store, amounts):
    """Decimals of any size and notation, mixed with empty ones, in one bulk write."""

    def there_and_back(tx: Tx):
        tx.execute("DELETE FROM invoice")
        tx.insert("invoice", {**invoice_columns(range(len(amounts))), "tax": amounts})
        return [row["tax"] for row in tx.rows("SELECT tax FROM invoice ORDER BY CAST(substr(source_id, 2) AS INTEGER)")]

    assert store.transaction(there_and_back) == amounts


def test_an_amount_with_an_exponent_is_not_misread_as_a_parameter(store):
    """DuckDB's client alone would take Decimal("1E+3") for 1."""
    assert store.read(lambda r: r.value("SELECT CAST(? AS DECIMAL(24, 6))", [Decimal("1E+3")])) == 1000


def test_a_float_is_never_money(store):
    """Binary fractions are refused before they reach the ledger."""
    with pytest.raises(TypeError, match="not float"):
        put(store, tax=0.1)


@pytest.mark.parametrize("name", ["O'Brien; DROP TABLE invoice", "Zoë 日本 🐊", "a\0b", "line\nbreak", "{braces}", ""])
def test_any_text_comes_back_as_it_was(store, name):
    """Names are data, whatever is in them."""
    put(store, contact_name=name)
    assert store.read(lambda r: r.value("SELECT contact_name FROM invoice")) == name


def test_half_a_surrogate_pair_does_not_stop_its_neighbours(store):
    """Broken Unicode from outside becomes a question mark, in its own row only."""
    columns = invoice_columns([1, 2])
    columns["contact_name"] = ["bad \ud800", "good é"]
    store.transaction(lambda tx: tx.insert("invoice", columns))
    found = store.read(lambda r: r.rows("SELECT contact_name FROM invoice ORDER BY source_id"))
    assert [row["contact_name"] for row in found] == ["bad ?", "good é"]


def test_empty_columns_and_no_rows_are_fine(store):
    """A batch of nothing does nothing; a column of nothing but None has the table's type."""
    assert store.transaction(lambda tx: tx.insert("invoice", invoice_columns([]))) == 0
    assert store.transaction(lambda tx: tx.update_from("invoice", KEYS, invoice_columns([]))) == 0
    put(store, tax=None, due_date=None, retry_at=None, open_attempt=None)
    assert store.read(lambda r: r.value("SELECT count(*) FROM invoice WHERE retry_at IS NULL AND tax IS NULL")) == 3


def test_columns_of_different_lengths_are_refused(store):
    """One forgotten value must not shift the others."""
    with pytest.raises(ValueError, match="differ in length"):
        store.transaction(lambda tx: tx.insert("invoice", {**invoice_columns([1, 2]), "number": ["one"]}))


@pytest.mark.parametrize("name", ['invoice"; DROP TABLE run; --', "Invoice Ü", ""])
def test_a_table_name_can_be_nothing_but_a_name(store, name):
    """What names a table is code, and cannot smuggle."""
    with pytest.raises(ValueError, match="not a name"):
        store.transaction(lambda tx: tx.next_id(name))


def test_upsert_inserts_the_new_and_changes_the_known(store):
    """Columns that are not named keep what they have."""
    put(store, state="held")
    store.transaction(
        lambda tx: tx.upsert("invoice", KEYS, {**invoice_columns([3, 4]), "contact_name": ["New", "Newer"]})
    )
    found = store.read(lambda r: r.rows("SELECT source_id, contact_name, state FROM invoice ORDER BY source_id"))
    assert [tuple(row.values()) for row in found] == [
        ("i1", "Ada Ltd", "held"),
        ("i2", "Ada Ltd", "held"),
        ("i3", "New", "waiting"),
        ("i4", "Newer", "waiting"),
    ]


def test_of_two_alike_in_one_batch_the_last_counts(store):
    """A record that a moving list gave twice is written once, as it was last."""
    twice = {**invoice_columns([1, 2, 1]), "contact_name": ["old", "other", "new"]}
    store.transaction(lambda tx: tx.upsert("invoice", KEYS, twice))
    found = store.read(lambda r: r.rows("SELECT source_id, contact_name FROM invoice ORDER BY source_id"))
    assert [tuple(row.values()) for row in found] == [("i1", "new"), ("i2", "other")]


def test_upsert_of_nothing_but_keys_leaves_the_row_as_it_is(store):
    """Nothing to change is no error."""

    def same_twice(tx: Tx):
        for _ in range(2):
            tx.upsert("watermark", ["connection", "name", "reached_at"][:2], watermark)
        tx.upsert("watermark", ["connection", "name"], {**watermark, "reached_at": [NOON + timedelta(1)]})
        return tx.value("SELECT reached_at FROM watermark")

    watermark = {"connection": ["default"], "name": ["invoices"], "reached_at": [NOON]}
    assert store.transaction(same_twice) == NOON + timedelta(1)


def test_the_same_row_may_be_written_again_and_again_in_one_transaction(store):
    """Insert, change, replace, delete and insert one key: DuckDB's index checks do not get in the way."""

    def busy(tx: Tx):
        one = invoice_columns([1])
        tx.insert("invoice", one)
        tx.update_from("invoice", KEYS, {**{k: one[k] for k in KEYS}, "state": ["held"]})
        tx.upsert("invoice", KEYS, {**one, "state": ["retrying"]})
        tx.delete_where_keys("invoice", {k: one[k] for k in KEYS})
        tx.insert("invoice", one)
        tx.upsert("invoice", KEYS, {**one, "state": ["synced"]})
        tx.update_from("invoice", KEYS, {**{k: one[k] for k in KEYS}, "tries": [2]})

    put(store)
    store.transaction(lambda tx: tx.delete_where_keys("invoice", {"connection": ["default"], "source_id": ["i1"]}))
    store.transaction(busy)
    found = store.read(lambda r: r.rows("SELECT state, tries FROM invoice WHERE source_id = 'i1'"))
    assert found == [{"state": "synced", "tries": 2}]


def test_update_from_changes_only_the_rows_it_names(store):
    """Bulk changes find rows by all their keys."""
    put(store)
    change = {
        "connection": ["default", "other"],
        "source_id": ["i1", "i2"],
        "state": ["held", "held"],
        "facts": [None] * 2,
    }
    store.transaction(lambda tx: tx.update_from("invoice", KEYS, change))
    held = store.read(lambda r: r.rows("SELECT source_id FROM invoice WHERE state = 'held'"))
    assert held == [{"source_id": "i1"}]


def test_delete_where_keys_deletes_only_the_rows_it_names(store):
    """Also where a table has no primary key."""
    store.transaction(lambda tx: tx.insert("call", call_columns(range(1, 6))))
    store.transaction(lambda tx: tx.delete_where_keys("call", {"connection": ["default", "x"], "id": [2, 3]}))
    assert [row["id"] for row in store.read(lambda r: r.rows("SELECT id FROM call ORDER BY id"))] == [1, 3, 4, 5]


def test_ids_go_on_after_the_greatest(store):
    """Also inside one transaction, and after the newest rows were forgotten only by the greatest left."""

    def add(tx: Tx, size: int):
        first = tx.next_id("call")
        tx.insert("call", call_columns(range(first, first + size)))
        return first

    assert [store.transaction(lambda tx: add(tx, 2)) for _ in range(3)] == [1, 3, 5]
    assert store.transaction(lambda tx: (add(tx, 1), add(tx, 1))) == (7, 8)


def test_parameters_go_by_place_and_by_name(store):
    """Both ways of writing a query work."""
    put(store)
    assert store.read(lambda r: r.value("SELECT number FROM invoice WHERE source_id = ?", ["i2"])) == "INV-0002"
    assert store.read(lambda r: r.value("SELECT number FROM invoice WHERE source_id = $id", {"id": "i2"})) == "INV-0002"
    assert store.read(lambda r: r.row("SELECT * FROM run")) is None
    assert store.read(lambda r: r.value("SELECT run_id FROM run")) is None


def test_reading_cannot_write(store):
    """What asks only asks."""
    put(store)
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        store.read(lambda r: r.rows("DELETE FROM invoice"))


def test_a_reading_inside_a_reading_or_a_transaction_sees_the_same(store):
    """Small questions can be put together without waiting for oneself."""
    put(store)
    assert store.read(lambda r: store.read(lambda inner: inner is r))

    def changing(tx: Tx):
        tx.execute("DELETE FROM invoice")
        return len(numbers(store))

    assert store.transaction(changing) == 0


def test_a_transaction_inside_another_is_refused_at_once(store):
    """It would wait for itself until the waiting time is over."""
    with pytest.raises(RuntimeError, match="wait for itself"):
        store.transaction(lambda tx: store.transaction(lambda inner: None))
    with pytest.raises(RuntimeError, match="wait for itself"):
        store.read(lambda r: store.transaction(lambda inner: None))
    with pytest.raises(RuntimeError, match="wait for itself"):
        store.transaction(lambda tx: store.held_still().__enter__())


def test_waiting_has_an_end_and_says_for_whom(store, ledger_file):
    """Who cannot have the ledger in time is told how long it has been held, and by which process."""
    inside, done = threading.Event(), threading.Event()

    def hold(tx: Tx):
        inside.set()
        done.wait(PATIENCE_S)

    holder = threading.Thread(target=store.transaction, args=[hold])
    holder.start()
    inside.wait(PATIENCE_S)
    for ask in (Store(ledger_file, wait_s=0.3).transaction, Store(ledger_file, wait_s=0.3).read):
        with pytest.raises(LedgerBusy) as refusal:
            ask(lambda tx: None)
        assert refusal.value.code == "ledger_busy"
        assert refusal.value.wait_s > 0
        assert refusal.value.facts["held_for"] >= 0.2
    done.set()
    holder.join()
    assert store.transaction(lambda tx: "free again") == "free again"


def test_a_reader_makes_a_writer_of_this_process_wait_only_while_it_reads(ledger_file):
    """The handle that readers share is given up as soon as somebody writes, however long it might be kept."""
    store = Store(ledger_file, wait_s=20, moment_s=1_000)
    put(store)
    for _ in range(10):
        store.read(lambda r: r.value("SELECT 1"))
        store.transaction(lambda tx: None)


def test_an_idle_reading_handle_of_another_store_is_given_up(ledger_file):
    """Somebody else's shared moment, however long, ends when a writer stands at the gate."""
    store = Store(ledger_file, wait_s=20)
    put(store)
    patient = Store(ledger_file, moment_s=1_000)
    patient.read(lambda r: r.value("SELECT 1"))
    store.transaction(lambda tx: None)


def test_readers_in_turn_cannot_keep_a_writer_out(store, ledger_file):
    """Overlapping readers for ever, and a writer still gets its turn: it raises LedgerBusy where it does not."""
    put(store)
    stop = threading.Event()
    failures: list[BaseException] = []

    def read_on():
        reader = Store(ledger_file)
        while not stop.is_set():
            try:
                reader.read(lambda r: (r.value("SELECT count(*) FROM invoice"), time.sleep(0.05)))
            except Exception as failure:  # noqa: BLE001 - told below
                failures.append(failure)

    readers = [threading.Thread(target=read_on) for _ in range(6)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    try:
        for _ in range(5):
            store.transaction(lambda tx: None)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not failures


def test_threads_read_together_and_see_every_commit(store):
    """Eight threads share one handle; none sees an older ledger than was committed before it asked."""
    put(store)
    wrong: list[object] = []

    def ask(thread: int):
        for n in range(20):
            value = 1000 * thread + n
            if n % 10 == 0:
                row = {
                    "connection": ["default"],
                    "name": [f"w{thread}"],
                    "reached_at": [NOON + timedelta(seconds=value)],
                }
                store.transaction(lambda tx, row=row: tx.upsert("watermark", ["connection", "name"], row))
                last = row["reached_at"][0]
            seen = store.read(lambda r: r.value("SELECT reached_at FROM watermark WHERE name = ?", [f"w{thread}"]))
            if seen != last:
                wrong.append((thread, n, seen))

    threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


OLD = Schema("CREATE TABLE ledger (schema_version INTEGER, created_at TIMESTAMP); CREATE TABLE thing (a INTEGER)", {})


def fill_second(tx: Tx) -> None:
    tx.execute("UPDATE thing SET b = a * 2")


NEW = Schema(
    "CREATE TABLE ledger (schema_version INTEGER, created_at TIMESTAMP); CREATE TABLE thing (a INTEGER, b INTEGER)",
    {2: "ALTER TABLE thing ADD COLUMN b INTEGER", 3: fill_second},
)


def test_an_older_ledger_comes_forward_by_itself(ledger_file):
    """Every step runs once, in order, the first time somebody opens it, for reading too."""
    Store(ledger_file, schema=OLD).transaction(lambda tx: tx.insert("thing", {"a": [1, 2]}))
    store = Store(ledger_file, schema=NEW)
    assert store.read(lambda r: r.rows("SELECT * FROM thing ORDER BY a")) == [{"a": 1, "b": 2}, {"a": 2, "b": 4}]
    store.transaction(lambda tx: tx.insert("thing", {"a": [3], "b": [0]}))
    assert store.read(lambda r: r.value("SELECT schema_version FROM ledger")) == 3
    assert store.read(lambda r: r.value("SELECT sum(b) FROM thing")) == 6


def test_a_step_that_fails_leaves_the_old_ledger_whole(ledger_file):
    """All steps or none: the older version can still use the file."""
    Store(ledger_file, schema=OLD).transaction(lambda tx: tx.insert("thing", {"a": [1]}))
    broken = Schema(NEW.sql, {2: NEW.migrations[2], 3: "UPDATE nothing SET x = 1"})
    with pytest.raises(duckdb.CatalogException):
        Store(ledger_file, schema=broken).transaction(lambda tx: None)
    assert Store(ledger_file, schema=OLD).read(lambda r: r.rows("SELECT * FROM thing")) == [{"a": 1}]


def test_a_newer_ledger_is_left_alone(ledger_file):
    """An older program says so and touches nothing."""
    Store(ledger_file, schema=NEW).transaction(lambda tx: None)
    for ask in (Store(ledger_file, schema=OLD).read, Store(ledger_file, schema=OLD).transaction):
        with pytest.raises(LedgerTooNew) as refusal:
            ask(lambda tx: None)
        assert refusal.value.code == "ledger_too_new"
        assert refusal.value.facts == {"file_version": 3, "known_version": 1}


def other_database(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE somebody_elses (a INTEGER)")


def cut_off(path: Path) -> None:
    Store(path).transaction(lambda tx: tx.insert("call", call_columns(range(3000))))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a ledger\n" * 1000),
        lambda path: path.mkdir(),
        other_database,
        cut_off,
    ],
    ids=["empty", "text", "folder", "another database", "cut off"],
)
def test_a_file_that_is_no_ledger_is_said_to_be_none(ledger_file, spoil):
    """It is named, the reason is given, and it is not written to."""
    spoil(ledger_file)
    for ask in (Store(ledger_file).read, Store(ledger_file).transaction):
        with pytest.raises(SyncerError) as refusal:
            ask(lambda tx: tx.rows("SELECT count(path) FROM call"))
        assert refusal.value.code == "ledger_unreadable"
        assert refusal.value.facts["path"] == str(ledger_file)
        assert refusal.value.facts["reason"]


def test_a_folder_that_does_not_exist_is_said(tmp_path):
    """A data directory that is not there is a sentence, not a stack of frames."""
    with pytest.raises(SyncerError, match="ledger_unreadable"):
        Store(tmp_path / "nowhere" / "ledger.duckdb").read(lambda r: None)


def test_leftovers_of_a_first_use_that_crashed_do_no_harm(store, ledger_file):
    """The ledger is made under another name and appears at once."""
    (ledger_file.parent / "ledger.duckdb.new").write_bytes(b"half")
    put(store)
    assert len(numbers(store)) == 3
    assert not (ledger_file.parent / "ledger.duckdb.new").exists()


def test_every_commit_moves_the_sign_and_reading_does_not(store):
    """Who keeps a copy can tell cheaply whether it is old."""
    put(store)
    signs = [store.version()]
    for n in range(3):
        store.read(lambda r: r.value("SELECT count(*) FROM invoice"))
        assert store.version() == signs[-1]
        store.transaction(lambda tx, n=n: tx.execute("UPDATE invoice SET tries = ?", [n + 1]))
        signs.append(store.version())
    assert len(set(signs)) == 4


def test_a_ledger_url_names_a_file_beside_or_a_whole_path():
    """Three slashes: relative to where the program lies; four: from the root."""
    beside = Path("/srv/app")
    assert ledger_path("duckdb:///data/ledger.duckdb", beside) == Path("/srv/app/data/ledger.duckdb")
    assert ledger_path("duckdb:////var/lib/syncer.duckdb", beside) == Path("/var/lib/syncer.duckdb")


@pytest.mark.parametrize("url", ["postgresql://me:secret@db/ledger", "postgres://db/x"])
def test_postgresql_is_refused_with_what_to_use_now(url):
    """It comes later; the sentence says what works today, and no password."""
    with pytest.raises(WrongUsage) as refusal:
        ledger_path(url, Path())
    assert "later" in refusal.value.sentence
    assert "duckdb:///data/ledger.duckdb" in refusal.value.sentence
    assert "secret" not in refusal.value.sentence


@pytest.mark.parametrize(
    "url",
    ["", "ledger.duckdb", "duckdb://ledger", "duckdb:///", "duckdb:///data/", "sqlite:///x", "mysql://u:secret@h/d"],
)
def test_other_ledger_urls_are_refused(url):
    """What cannot be a ledger is wrong usage, said without repeating a password."""
    with pytest.raises(WrongUsage) as refusal:
        ledger_path(url, Path())
    assert "secret" not in refusal.value.sentence


def test_queries_are_found_by_name_with_what_they_are_for(tmp_path):
    """A .sql file is a list of named blocks."""
    path = tmp_path / "some.sql"
    path.write_text(
        "-- a file\n\n-- name: one  key: id\n-- What one is for,\n-- told.\nSELECT 1;\n\n-- name: two\nSELECT '--'\n"
    )
    assert named_queries(path) == {"one": "SELECT 1", "two": "SELECT '--'"}
    assert queries(path)["one"].purpose == "What one is for, told."
    assert queries(path)["one"].options == {"key": "id"}
    path.write_text("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")
    with pytest.raises(ValueError, match="two queries"):
        named_queries(path)


def test_every_analysis_view_can_be_asked(store):
    """The views fit the schema, each says how it is copied, and none names a secret."""
    views = queries(VIEWS)
    assert set(views) == {
        "runs", "attempts", "arrivals", "problems", "taxes", "invoices", "contacts", "duplicates", "calls", "checks",
    }  # fmt: skip
    for view in views.values():
        found = store.read(lambda r, view=view: r.rows(f"DESCRIBE {view.sql}"))
        names = {row["column_name"] for row in found}
        assert "connection" in names
        assert view.options["key"] == "whole" or view.options["key"] in names
