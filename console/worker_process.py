"""The console's own watch: a process that is started and stopped with it, and started again should it die."""

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from console import startup_token
from console.desk.installation import installation
from syncer.app.environment import ROOT

# The command ends by itself when its standard input does, so that no crash of the console leaves it behind.
COMMAND = [sys.executable, "-m", "syncer", "watch", "--with-parent"]
AGAIN_S = 30.0
END_S = 30.0
LOG_BYTES = 1_000_000


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """For `st.App`: the watch lives as long as the server; at the start the address to open is printed."""
    startup_token.tell()
    with at_work() as watch:
        yield {"watch": watch}


class WorkerProcess:
    """The watch of this console."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Start it, and again whenever it dies."""
        self._keeper.start()

    def stop(self) -> None:
        """Let it end after the calls that are under way."""
        self._ending.set()
        process = self._process
        if process and process.stdin:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)

    def _keep(self) -> None:
        while not self._ending.is_set():
            self._shorten()
            with self._log.open("ab") as log:
                # A group of its own: a Ctrl-C for the console must not cut off what it is doing.
                self._process = subprocess.Popen(
                    COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
                )
            self._process.wait()
            self._ending.wait(AGAIN_S)

    def _shorten(self) -> None:
        with suppress(OSError):
            if self._log.stat().st_size > LOG_BYTES:
                self._log.replace(self._log.with_name(f"{self._log.name}.1"))


@contextmanager
def at_work() -> Iterator[WorkerProcess | None]:
    """The watch, unless the settings leave it to another program."""
    app = installation()
    if not app.environment.watch:
        yield None
        return
    app.environment.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    watch = WorkerProcess(app.environment.data_dir / "watch.log")
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
