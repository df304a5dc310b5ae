"""A ledger in a folder of its own, and rows to put in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer.storage.database.store import Store
from tests.support.ledger_rows import HeldClock


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.duckdb"


@pytest.fixture
def store(ledger_file: Path) -> Iterator[Store]:
    yield Store(ledger_file, HeldClock(), wait_s=10)
