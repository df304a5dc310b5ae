"""`python -m syncer`: the words are read first; what a command needs is imported when it is given."""

import importlib
import sys
from collections.abc import Sequence

from syncer.cli.parser import parser
from syncer.domain.errors import WrongUsage


def main(words_given: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; SystemExit where help was asked for."""
    words = sys.argv[1:] if words_given is None else list(words_given)
    refusal = asked = None
    try:
        asked = parser().parse_args(words)
    except WrongUsage as wrong:
        refusal = wrong
    # Not at the top: help is told without it, in a tenth of the time.
    command = importlib.import_module("syncer.cli.command")
    out = command.Out("--json" in words)
    status: int = command.refused(out, refusal) if refusal else command.perform(asked, out)
    return status


def run() -> None:
    """The program: ends with the exit status of the command that was given."""
    try:
        sys.exit(main())
    finally:
        # A command that has run has written to standard output; help has too, by argparse.
        importlib.import_module("syncer.cli.streams").flush()
