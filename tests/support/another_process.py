"""Run as a program: what a second process does with the same vault."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncer.connectors.xero.auth import Identity, TokenSource, XeroApp
from syncer.storage.vault import FileVault
from tests.support.xero_consent import Notes


class Offset:
    """Another process's clock, as far ahead as the sandbox's."""

    def __init__(self, ahead_s):
        self.ahead = timedelta(seconds=ahead_s)

    def now(self):
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds):
        raise AssertionError("nothing to wait for")


def add(folder, name, times):
    """Count up in the vault, and leave a secret of one's own."""
    vault = FileVault(Path(folder))
    for _ in range(int(times)):
        with vault.lock("counter"):
            count = (vault.get("counter") or {"n": 0})["n"]
            vault.put("counter", {"n": count + 1})
        vault.put(name, {"mine": True})


def token(folder, url, redirect, ahead_s, times="1"):
    """Ask for an access token so many times and print the last: it is the sandbox's."""
    clock = Offset(float(ahead_s))
    app = XeroApp("sandbox-client", "sandbox-secret", redirect, url, url, url)
    tokens = TokenSource("default", Identity(app, Notes(), clock), FileVault(Path(folder)), clock)
    print([tokens.access_token() for _ in range(int(times))][-1])


if __name__ == "__main__":
    {"add": add, "token": token}[sys.argv[1]](*sys.argv[2:])
