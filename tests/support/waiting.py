"""Waiting for what another thread or process does.

A bound here ends a test that would otherwise never end. It is not a measure of speed: on a busy machine everything
takes many times as long, and the test is as right as before.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 240.0


def until(happened: Callable[[], T], most_s: float = PATIENCE_S) -> T:
    """Wait until `happened` returns something true, and return that; raises AssertionError after `most_s` seconds."""
    deadline = time.monotonic() + most_s
    while not (answer := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return answer


def is_removed(folder: Path) -> bool:
    """Remove a directory; a handle that is just being closed may still leave a file in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
