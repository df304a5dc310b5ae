"""Requests and answers as both simulated APIs see them."""

import json
import re
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import parse_qsl

JSON = "application/json; charset=utf-8"
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Call:
    """One HTTP request, read to its end."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    body: bytes
    at: float = 0.0
    query: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.query = dict(parse_qsl(self.query_string, keep_blank_values=True))

    def header(self, name: str) -> str:
        """A header's value, or the empty text."""
        return self.headers.get(name, "")

    def form(self) -> dict[str, str]:
        """The body of an ordinary form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Reply:
    """One HTTP answer; `headers` are extra ones."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def dumps(value: Any) -> str:
    """Compact JSON that keeps accents readable."""
    return halves_escaped(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def quote(text: str) -> str:
    """A text as JSON."""
    return halves_escaped(encode_basestring(text))


def halves_escaped(made: str) -> str:
    r"""JSON with each half of a character as `\ud83d`: UTF-8 cannot hold one, JSON can."""
    return made if made.isascii() else SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", made)


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, dumps(value).encode(), JSON, {k.replace("_", "-"): v for k, v in headers.items()})


def text_reply(text: str, status: int, content_type: str = "text/plain; charset=utf-8") -> Reply:
    """An answer with a text body."""
    return Reply(status, text.encode("utf-8", "replace"), content_type)
