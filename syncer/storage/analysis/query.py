"""A question under way: the process that answers it, watched from here, and what can end it before its time."""

import io
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncer.domain.errors import SyncerError, WrongUsage
from syncer.storage.analysis import query_process

MAX_ROWS, TIMEOUT_S = 10_000, 30.0
_LOOK_S = 0.5
# Of all that Python can make out of a file, an answer holds these and the plainest values.
_KINDS = {
    ("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"), ("datetime", "timedelta"),
    ("datetime", "timezone"), ("decimal", "Decimal"), ("uuid", "UUID"), ("uuid", "SafeUUID"),
}  # fmt: skip


@dataclass(frozen=True)
class QueryResult:
    """Rows of a question; `truncated` when there were more than could be shown. Times are UTC, with their zone."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool
    types: list[str] = field(default_factory=list)  # DuckDB's names for them


@dataclass(frozen=True)
class Question:
    """What is asked, with the values of its parameters, and how much it may take."""

    sql: str
    values: Mapping[str, Any] = field(default_factory=dict)
    max_rows: int = MAX_ROWS
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True)
class Handed:
    """The file with what may be seen: the name the process opens it by, and the open file's number if it has that."""

    path: str
    number: int | None = None


class Asking:
    """One question on its way: `run` answers it here and now, `begin` does so in a thread of its own."""

    def __init__(
        self,
        question: Question,
        hand_over: Callable[[], AbstractContextManager[Handed]],
        unwatched_s: float | None = None,
    ) -> None:
        self.question = question
        self._hand_over = hand_over
        self._unwatched_s = unwatched_s
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_by = ""
        self.began = self._watched = time.monotonic()
        self._took = 0.0
        self._over = threading.Event()
        self._answer: QueryResult | None = None
        self._failure: Exception | None = None

    def begin(self) -> "Asking":
        """Start. A caller that waits for the answer calls `watch`, or the question is ended."""
        threading.Thread(target=self.run, daemon=True, name="question").start()
        return self

    def run(self) -> None:
        """Ask, and keep the answer or what stood in its way."""
        try:
            self._answer = self._asked()
        except Exception as failure:  # noqa: BLE001 — raised again in `answer`, in the thread of the caller
            self._failure = failure
        finally:
            self._took = time.monotonic() - self.began
            self._over.set()

    def watch(self) -> None:
        """Somebody still waits for it."""
        self._watched = time.monotonic()

    def cancel(self) -> None:
        """End it now; it answers that it was stopped."""
        self._end("The question was stopped.")

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether it is over."""
        return self._over.wait(seconds)

    @property
    def is_over(self) -> bool:
        """Whether there is an answer, or a reason why there is none."""
        return self._over.is_set()

    @property
    def seconds(self) -> float:
        """How long it has been under way, or was."""
        return self._took if self.is_over else time.monotonic() - self.began

    def answer(self) -> QueryResult:
        """The answer, once it is over; raises WrongUsage with what is wrong, and what a refresh raises."""
        if self._failure:
            raise self._failure
        if self._answer is None:
            raise SyncerError("unforeseen")
        return self._answer

    def _end(self, sentence: str) -> None:
        if self._over.is_set():
            return
        self._ended_by = self._ended_by or sentence
        if self._process:
            self._process.kill()

    def _asked(self) -> QueryResult:
        sql = self.question.sql
        if not sql.isascii() and sql != sql.encode("utf-8", "replace").decode():
            raise WrongUsage("The question has characters in it that are no text.")
        told = self._told()
        if "refused" in told:
            raise WrongUsage(_trimmed(told["refused"]))
        rows = [tuple(map(_aware, row)) for row in told["rows"]]
        return QueryResult(told["columns"], rows, told["truncated"], told["types"])

    def _told(self) -> dict[str, Any]:
        with self._hand_over() as handed:
            said = self._said(handed)
        if self._ended_by:
            raise WrongUsage(self._ended_by)
        if not said:
            raise WrongUsage(
                "The question was stopped: it needed more memory than it may have, or DuckDB failed on it."
            )
        return _unpacked(said)

    def _said(self, handed: Handed) -> bytes:
        """What the process has answered, in the time that it has."""
        # -I and an empty environment: no secret is within reach of the question. HOME, or DuckDB would look it up.
        command = [sys.executable, "-I", str(Path(query_process.__file__).resolve())]
        passed = () if handed.number is None else (handed.number,)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"HOME": "/"},
            cwd="/", pass_fds=passed,
        ) as process:  # fmt: skip
            self._process = process
            try:
                self._hand_in(process, self._packed(handed))
                return self._heard(process)
            finally:
                process.kill()

    def _packed(self, handed: Handed) -> bytes:
        question = self.question
        return pickle.dumps(
            {
                "path": handed.path, "handed": handed.number, "sql": question.sql, "values": dict(question.values),
                "max_rows": question.max_rows, "timeout_s": question.timeout_s,
            }
        )  # fmt: skip

    @staticmethod
    def _hand_in(process: subprocess.Popen[bytes], packed: bytes) -> None:
        """Whole, before anything else: `communicate` forgets the rest of it where it is interrupted."""
        assert process.stdin  # noqa: S101 — it was opened as a pipe
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(packed)
        process.stdin = None

    def _heard(self, process: subprocess.Popen[bytes]) -> bytes:
        deadline = time.monotonic() + self.question.timeout_s
        while not self._ended_by:
            left = deadline - time.monotonic()
            if left <= 0:
                self._end(f"The question took longer than {self.question.timeout_s:g} seconds and was stopped.")
            elif self._unwatched_s and time.monotonic() - self._watched > self._unwatched_s:
                self._end("The question was stopped: nobody waited for it any more.")
            else:
                with suppress(subprocess.TimeoutExpired):
                    said, _ = process.communicate(timeout=min(left, _LOOK_S))
                    return said
        return b""


class _Plain(pickle.Unpickler):
    """Takes in values and nothing that runs: the process is not trusted once it has read somebody's SQL."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KINDS:
            raise pickle.UnpicklingError(f"{module}.{name} is no value")
        return super().find_class(module, name)


def _unpacked(said: bytes) -> dict[str, Any]:
    try:
        told: dict[str, Any] = _Plain(io.BytesIO(said)).load()
    except (pickle.UnpicklingError, EOFError, ValueError) as failure:
        raise WrongUsage("A value in the answer cannot be shown: cast it, as in CAST(x AS VARCHAR).") from failure
    return told


def _trimmed(message: str) -> str:
    """DuckDB's message up to its stack trace, the line with the pointer kept."""
    told = message.split("\n\nStack Trace")[0].split("\nThis error signals")[0].strip()
    return told if len(told) <= 1500 else told[:1500] + " …"


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
