"""What a person reads in a terminal: tables, a progress bar, and where a Ctrl-C goes."""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from syncer.cli.streams import discard
from syncer.messages.status import PHASES

DONE, FAILED, USAGE, HELD, NOT_CONNECTED, LATER = 0, 1, 2, 3, 4, 5  # exit statuses of contract.md


class Console(RichConsole):
    """Rich's console, which would end the program with 1 where nobody reads any more, as `… | head` does not."""

    def on_broken_pipe(self) -> None:
        """Go on without saying anything: the command ends as it would have ended."""
        self.quiet = True
        discard(sys.stderr if self.stderr else sys.stdout)


class Out:
    """Where a command speaks: words to people, or one JSON object; progress always to standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.words = Console(highlight=False, soft_wrap=True)
        self.aside = Console(stderr=True, highlight=False)

    def json(self, value: Mapping[str, Any]) -> None:
        """The one JSON object."""
        try:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            discard(sys.stdout)

    def say(self, text: str) -> None:
        """A sentence for people; nothing where JSON was asked for."""
        if not self.as_json:
            self.words.print(text, markup=False)

    def note(self, text: str) -> None:
        """A sentence beside the answer."""
        self.aside.print(text, markup=False, style="dim")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str] = ()) -> None:
        """A table for people; nothing where JSON was asked for."""
        if self.as_json:
            return
        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
        for name in columns:
            table.add_column(name, justify="right" if name in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(("" if cell is None else str(cell)) for cell in row))
        self.words.print(table)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A bar on a terminal, nothing elsewhere: `tell(phase, done, todo)`."""
        if not self.aside.is_terminal:
            yield lambda phase, done, todo: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.aside, transient=True) as bar:
            task = bar.add_task(PHASES["starting"], total=None)
            yield lambda phase, done, todo: bar.update(
                task, description=PHASES.get(phase, phase), completed=done, total=todo or None
            )


def failed(out: Out, status: int, code: str, sentence: str) -> int:
    """Say why a command did not do what was asked; returns its exit status."""
    if out.as_json:
        out.json({"error": {"code": code, "sentence": sentence}})
    out.aside.print(sentence, markup=False)
    return status


@contextmanager
def stoppable(out: Out) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C asks to stop cleanly, a second one stops at once; the value says whether it was asked."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        out.note("Stopping after the calls that are under way. Press Ctrl-C again to stop at once; nothing gets lost.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
