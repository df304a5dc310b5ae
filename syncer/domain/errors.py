"""What can go wrong, filed by who acts next.

    SyncerError
    ├── WrongUsage      the caller: an unknown key, a value that cannot be (exit 2)
    ├── NeedsPerson     support or a CrocoClick user: this one is held, the run goes on
    ├── TryLater        us, after `wait_s`: the same request will do
    │   ├── RateLimited     a limit of either API; `limit` says which
    │   ├── Unavailable     the service did not answer, or answered that it cannot
    │   └── LedgerBusy      another process holds the ledger or the connection's run
    ├── InDoubt         us: a write left and no clear answer came; look, then bind or send again
    ├── Reconnect       the owner of the books: consent or token is gone; the run stops
    ├── HaltRun         a person: the world looks wrong, before any write
    └── LedgerTooNew    an administrator: the ledger was made by a newer version

Each carries a stable code of contract.md and the facts of the case; `messages` makes the sentence.
"""

from typing import Any


class SyncerError(Exception):
    """A failure that a person can meet: a code, and facts that never hold a secret."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}: {told}" if told else self.code


class WrongUsage(SyncerError):
    """What was asked cannot be; `sentence` says what is wrong and where."""

    def __init__(self, sentence: str) -> None:
        super().__init__("wrong_usage", sentence=sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class NeedsPerson(SyncerError):
    """The content must change first."""


class TryLater(SyncerError):
    """The same request will do after `wait_s` seconds (None: not known)."""

    def __init__(self, code: str, wait_s: float | None = None, **facts: Any) -> None:
        super().__init__(code, **facts)
        self.wait_s = wait_s


class RateLimited(TryLater):
    """A limit was met; `limit` is one of minute, day, concurrent, appminute, burst."""

    def __init__(self, limit: str, wait_s: float | None = None, **facts: Any) -> None:
        super().__init__("rate_limited_day" if limit == "day" else "rate_limited_minute", wait_s, limit=limit, **facts)
        self.limit = limit


class Unavailable(TryLater):
    """The service did not answer, or said that it cannot; nothing was written."""


class LedgerBusy(TryLater):
    """Another process holds what this one needs."""


class InDoubt(SyncerError):
    """A write left and no clear answer came back."""

    def __init__(self, **facts: Any) -> None:
        super().__init__("answer_lost", **facts)


class Reconnect(SyncerError):
    """Consent, token, scope, role or tenant is gone: the run stops and somebody reconnects."""


class HaltRun(SyncerError):
    """The world looks wrong, and nothing was written yet."""


class LedgerTooNew(SyncerError):
    """The ledger file was made by a newer version of this product."""
