"""Restores a backup again and again, killed at one touch of the file system after the other: FILE FOLDER.

Each restore goes into a folder of its own, `FOLDER/1`, `FOLDER/2` …, and is killed at the touch of that number; the
last one comes to its end. Prints how many there were.
"""

import os
import signal
import sys
from pathlib import Path

from syncer.app import backup, environment
from syncer.app.installation import App

TOUCHES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link")
WRITES = os.O_WRONLY | os.O_RDWR


def main(file: Path, folder: Path) -> None:
    number = 0
    while True:
        number += 1
        child = os.fork()
        if not child:
            restore(file, folder / str(number), number)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            print(number)
            return


def restore(file: Path, data: Path, last: int) -> None:
    touches = 0

    def hook(event: str, args: tuple) -> None:
        nonlocal touches
        if event in TOUCHES or (event == "open" and isinstance(args[2], int) and args[2] & WRITES):
            touches += 1
            if touches == last:
                os.kill(os.getpid(), signal.SIGKILL)

    app = App(environment.environment({"SYNCER_DATA_DIR": str(data)}, Path("/nowhere")))
    sys.addaudithook(hook)
    backup.restore(app, file, lambda: False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
