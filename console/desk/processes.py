"""The commands that the console has started: each a process of its own, watched to its end."""

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from syncer.storage.processes import lives


@dataclass
class Started:
    """A sync that the console started: its process, and what that will have said."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]
    at: datetime
    what: str = "sync"

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def refusal(self) -> str:
        """Why it did not even begin, in a sentence; nothing where it did."""
        self.said.seek(0)
        try:
            told = json.loads(self.said.read())
        except ValueError:
            return f"It ended before it began. Run `python -m syncer {self.what}` in a terminal to see why."
        return str(told["error"]["sentence"]) if "error" in told else ""


STARTED: dict[str, Started] = {}


def lives_here(pid: int) -> bool:
    """Whether a process of that id runs, one that has ended and waits to be fetched apart."""
    with_child = next((one for one in STARTED.values() if one.process.pid == pid), None)
    return with_child.is_alive() if with_child else lives(pid)
