"""How every write is answered: one element or many, summarised or element by element."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sandbox.wire import Call, Reply
from sandbox.xero.books import Books
from sandbox.xero.errors import BadPost, validation_reply
from sandbox.xero.listing import envelope, lower_query


class Outcome(Enum):
    """What became of one element."""

    OK = "OK"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(slots=True)
class Written:
    """One element after a write: its fate and how to show it (given whether the older wordings are on)."""

    outcome: Outcome
    show: Callable[[bool], str]
    id: str = ""
    errors: list[str] = field(default_factory=list)


def elements_of(call: Call, wrapper: str) -> list[dict[str, Any]]:
    """The body's elements: under the wrapper in any case, a bare list, or one bare object."""
    try:
        # Numbers stay text: what Xero rounds, it rounds from the digits that were sent.
        body = json.loads(call.body, parse_float=str)
    except (ValueError, RecursionError) as fault:
        raise BadPost(f"JSON request body could not be read, {fault}") from None
    if isinstance(body, dict):
        for key, value in body.items():
            if key.lower() == wrapper.lower() and (isinstance(value, list) or len(body) == 1):
                body = value
                break
    items = body if isinstance(body, list) else [body]
    if not items or not all(isinstance(item, dict) for item in items):
        raise BadPost(f"JSON for post data was invalid,the body holds no {wrapper}.")
    return items


def answer(books: Books, call: Call, provider: str, name: str, written: list[Written], attribute: bool = True) -> Reply:
    """The answer to a write, summarised (the default) or one status per element."""
    older = books.switches.old_wordings
    if lower_query(call).get("summarizeerrors", "true").lower() != "false":
        failures = [w for w in written if w.outcome is Outcome.ERROR]
        if failures:
            return validation_reply([w.show(older) for w in failures])
        return envelope(provider, books.clock.ms(), name, [w.show(older) for w in written], None)
    shown = [w.show(older) for w in written]
    if attribute:
        shown = [
            f'{text[:-1]},"StatusAttributeString":"{w.outcome.value}"}}' for text, w in zip(shown, written, strict=True)
        ]
    return envelope(provider, books.clock.ms(), name, shown, None)


def summarised(call: Call) -> bool:
    """Whether one failure turns the whole answer into a 400."""
    return lower_query(call).get("summarizeerrors", "true").lower() != "false"
