"""Misbehaviour on request: what goes wrong with the next request that fits.

Kinds
    refuse                  answer `status` with `body`; `after_commit=True` carries the request out first
    slow                    wait `ms` before the answer
    accepted_then_hung_up   carry it out, then close the connection without a word
    dropped                 close the connection before anything is carried out
    error_500, error_500_html, error_503    as these services fail; `after_commit=True` carries it out first
    rate_limited            429; `problem` is minute, day, concurrent or appminute, `retry_after` in seconds
    token_revoked           every token of the calling app is withdrawn, then the call is judged
    tenant_disconnected     the organisation is disconnected, then the call is judged
    stale_updates           carried out, but UpdatedDateUTC stays as it was
    truncated               half of the answer, then the connection closes
    rewritten               carried out; in the answer `new` stands wherever the text `old` stood, as raw JSON
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.wire import Call, Reply, json_reply, text_reply
from sandbox.xero.errors import problem
from sandbox.xero.limits import refusal

KINDS = {
    "refuse": "answers with a status and body of your choice",
    "slow": "waits before the answer",
    "accepted_then_hung_up": "carries the request out, then closes the connection without an answer",
    "dropped": "closes the connection before anything is carried out",
    "error_500": "500 with the service's JSON problem",
    "error_500_html": "500 with an HTML page",
    "error_503": "503 as plain text, the organisation is offline",
    "rate_limited": "429 for the minute, the day, too many in flight, or the app",
    "token_revoked": "the app's consent is withdrawn",
    "tenant_disconnected": "the organisation is disconnected from the app",
    "stale_updates": "the change happens but UpdatedDateUTC does not move",
    "truncated": "half of the answer arrives",
    "rewritten": "a text in the answer is replaced by another",
}
STATUS_PAGE = "http://status.developer.xero.com"
XERO_500: dict[str, Any] = {
    "Type": None,
    "Title": "An error occurred",
    "Detail": f"An error occurred in Xero. Check the API Status page {STATUS_PAGE} for current service status.",
    "Status": 500,
    "Instance": "6f1d2a0c-5d3e-4d0e-9f57-3f1a9d6a0c11",
    "Extensions": {},
}
HTML_500 = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>An error occurred</h1></body></html>"

SCOPE_401 = {
    "status": 401,
    "body": problem(401, "AuthorizationUnsuccessful"),
    # The misspelling is Xero's own.
    "headers": {"WWW-Authenticate": 'error="insufficent_scope"'},
}


class Strike(NamedTuple):
    """What one magic word does to a call: the cause it provokes, what the help tells of it, and the fault."""

    cause: str
    told: str
    kind: str
    options: dict[str, Any]


# The first write of an invoice numbered MAGIC-<WORD>… meets this fault, and everything in the same call with it.
MAGIC = {
    "HANGUP": Strike("answer_lost", "Xero does it, then the connection breaks", "accepted_then_hung_up", {}),
    "DROP": Strike("answer_lost", "the connection breaks, and Xero has done nothing", "dropped", {}),
    "LOST": Strike("answer_lost", "Xero does it and answers with an error 500", "error_500", {"after_commit": True}),
    "ERROR": Strike("answer_lost", "Xero does nothing and answers with an error 500", "error_500", {}),
    "HTML": Strike("answer_lost", "the same with a page of HTML", "error_500_html", {}),
    "CUT": Strike("answer_lost", "Xero does it, and half of the answer arrives", "truncated", {}),
    "OFFLINE": Strike("answer_lost", "the organisation is offline, error 503", "error_503", {}),
    "SLOW": Strike("", "nothing but three seconds of waiting", "slow", {"ms": 3000}),
    "BUSY": Strike(
        "rate_limited_minute", "too many calls this minute", "rate_limited", {"problem": "minute", "retry_after": 5}
    ),
    "DAY": Strike(
        "rate_limited_day", "too many calls today, for an hour", "rate_limited", {"problem": "day", "retry_after": 3600}
    ),
    "REVOKED": Strike("consent_revoked", "the app's consent is withdrawn in Xero", "token_revoked", {}),
    "GONE": Strike(
        "consent_revoked",
        "the organisation is disconnected (wrong_organisation if another is left)",
        "tenant_disconnected",
        {},
    ),
    "SCOPE": Strike("scope_missing", "the consent does not cover invoices", "refuse", SCOPE_401),
}
MAGIC_NUMBER = re.compile(rb'"InvoiceNumber"\s*:\s*"(MAGIC-([A-Z]+)[^"]*)"')


@dataclass
class Fault:
    """One fault that waits for the requests it fits."""

    kind: str
    side: str | None = None
    method: str | None = None
    path: str | None = None
    containing: str | None = None
    times: int = 1
    after: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def fits(self, side: str, call: Call) -> bool:
        """Whether a request is meant."""
        return (
            (self.side is None or self.side == side)
            and (self.method is None or call.method in self.method.upper().split("|"))
            and (self.path is None or self.path.lower() in call.path.lower())
            and (self.containing is None or self.containing.encode() in call.body)
        )

    @property
    def after_commit(self) -> bool:
        """Whether the request is carried out before the fault shows."""
        return self.kind in ("accepted_then_hung_up", "truncated", "rewritten") or bool(
            self.options.get("after_commit")
        )

    def reply(self, side: str) -> Reply | None:
        """The answer that replaces the real one; None where the fault is of another sort."""
        options = self.options
        if self.kind == "refuse":
            body = options.get("body", "")
            status = int(options.get("status", 400))
            if isinstance(body, str):
                reply = text_reply(body, status, options.get("content_type", "text/plain; charset=utf-8"))
            else:
                reply = json_reply(body, status)
            reply.headers |= options.get("headers", {})
            return reply
        if self.kind == "error_500":
            return json_reply(
                XERO_500 if side == "xero" else {"statusCode": 500, "message": "Internal server error"}, 500
            )
        if self.kind == "error_500_html":
            return text_reply(HTML_500, 500, "text/html; charset=utf-8")
        if self.kind == "error_503":
            return text_reply("The Organisation is offline", 503)
        if self.kind == "rate_limited":
            if side == "crococlick":
                return json_reply({"statusCode": 429, "message": "Too Many Requests"}, 429)
            return refusal(options.get("problem", "minute"), float(options.get("retry_after", 26)) - 1)
        return None


class Faults:
    """Faults that wait, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.magic_seen: set[bytes] = set()

    def add(
        self,
        kind: str,
        side: str | None = "xero",
        method: str | None = None,
        path: str | None = None,
        times: int = 1,
        after: int = 0,
        containing: str | None = None,
        **options: Any,
    ) -> Fault:
        """Let the next `times` requests that fit go wrong, once `after` of them have passed.

        `path` is part of the path, `method` may be "PUT|POST", `containing` a text in the request's body.
        """
        if kind not in KINDS:
            raise ValueError(f"There is no fault called {kind}. The faults are: {', '.join(KINDS)}.")
        fault = Fault(kind, side, method, path, containing, times, after, options)
        self.waiting.append(fault)
        return fault

    def next_write(self, kind: str, side: str = "xero", **options: Any) -> Fault:
        """Let the next write to the accounting API (or to CrocoClick) go wrong."""
        options.setdefault("path", "/api.xro/" if side == "xero" else None)
        return self.add(kind, side, method="PUT|POST", **options)

    def next_read(self, kind: str, side: str = "xero", **options: Any) -> Fault:
        """Let the next read go wrong."""
        options.setdefault("path", "/api.xro/" if side == "xero" else None)
        return self.add(kind, side, method="GET", **options)

    def clear(self) -> None:
        """Everything works again."""
        self.waiting.clear()

    def take(self, side: str, call: Call) -> Fault | None:
        """The fault this request meets, if any."""
        for fault in self.waiting:
            if fault.fits(side, call):
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return self._magic(side, call)

    def _magic(self, side: str, call: Call) -> Fault | None:
        if side != "xero" or call.method == "GET" or b"MAGIC-" not in call.body:
            return None
        for number, word in MAGIC_NUMBER.findall(call.body):
            rule = MAGIC.get(word.decode())
            if rule and number not in self.magic_seen:
                self.magic_seen.add(number)
                return Fault(rule.kind, options=dict(rule.options))
        return None
