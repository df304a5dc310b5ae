"""Standard output and standard error where nobody reads any more, as after `… | head`."""

import os
import sys
from typing import TextIO


def discard(stream: TextIO) -> None:
    """Let what is still written to this stream vanish, also what Python writes when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def flush() -> None:
    """Write out what is left; nothing where nobody reads any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            discard(stream)
