"""Other processes of this machine."""

import os


def lives(pid: int) -> bool:
    """Whether a process of this number runs, or has ended and waits to be fetched by the one that started it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
