"""Closing a period: both books compared, kept as proofs in the data directory, one file for each comparison."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from syncer.app.installation import Connection
from syncer.domain.closing import proof

FOLDER = "closings"  # in the data directory; a folder in it for each connection
SHOWN = 24  # proofs that the page lists
_NAME = re.compile(r"\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d_\d{8}T\d{6}Z\.jsonl")  # as `compare` names them


@dataclass(frozen=True)
class Closing:
    """One comparison as its proof has it; `seal` is empty where the file is not as it was written."""

    path: Path
    head: Mapping[str, Any]
    totals: Mapping[str, Any]
    differences: Sequence[Mapping[str, Any]]
    seal: str
    altered: str = ""

    @property
    def written_at(self) -> datetime:
        """When it was compared, UTC."""
        return datetime.fromisoformat(self.head["written_at"])

    @property
    def agrees(self) -> bool:
        """Whether both books said the same."""
        return not self.differences and not self.totals["unexplained"]


@dataclass(frozen=True)
class ClosingDesk:
    """The comparisons of one connection; `start` begins a command in a process of its own."""

    connection: Connection
    now: datetime
    start: Callable[..., None]

    def last_month(self) -> tuple[date, date]:
        """The first and the last day of the last whole month."""
        last = self.now.date().replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last

    def compare(self, first: date, last: date) -> None:
        """Compare both books of these days, and keep the proof; raises NotAllowed."""
        folder = self._folder()
        name = f"{first}_{last}_{self.now:%Y%m%dT%H%M%SZ}.jsonl"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.start("reconcile", "--from", str(first), "--to", str(last), "--proof", str(folder / name))

    def kept(self) -> list[str]:
        """The names of the proofs, newest comparison first."""
        ours = [path for path in self._folder().glob("*.jsonl") if _NAME.fullmatch(path.name)]
        found = sorted(ours, key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.name for path in found[:SHOWN]]

    def closing(self, name: str) -> Closing | None:
        """The comparison of this name, None where there is none."""
        path = self._folder() / name
        if path.name != name or name not in self.kept():
            return None
        return _read(path, path.stat().st_mtime_ns)

    def _folder(self) -> Path:
        return self.connection.app.environment.data_dir / FOLDER / self.connection.name


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Closing:
    """Read a proof and check it; `changed` tells one file from the one before it."""
    with path.open("rb") as file:
        verdict = proof.verified(file)
    if not verdict.is_whole:
        return Closing(path, {}, {}, (), "", f"Line {verdict.line} {verdict.why}.")
    differences: list[Mapping[str, Any]] = []
    head: Mapping[str, Any] = {}
    totals: Mapping[str, Any] = {}
    with path.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            differences += line.get("differences", [])
            head = line if line["kind"] == "proof" else head
            totals = line if line["kind"] == "totals" else totals
    return Closing(path, head, totals, differences, verdict.seal)
