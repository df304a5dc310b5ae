"""The only importer of httpx: timeouts, turns, repeats that are safe, and one redacted record per HTTP call.

What may be repeated is decided here, once:

    never connected     nothing left: a read is tried again, a write raises Unavailable
    died after leaving  a read is tried again, a write raises InDoubt and is never repeated
    5xx                 the same
    429                 nothing was executed: wait for a turn and repeat, within bounds
    401, token expired  nothing was executed: renew the token once and repeat
"""

import logging
import random
import re
import secrets
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NoReturn, Protocol
from urllib.parse import quote, urlencode, urlsplit

import httpx
import stamina

from syncer.domain.errors import InDoubt, RateLimited, SyncerError, Unavailable
from syncer.domain.ports import CallLog, CallRecord, Clock
from syncer.domain.version import VERSION

CONNECT_S = 10.0
READ_S = 60.0
READ_TRIES = 4
READ_TIME_S = 240.0
TURNS = 6
CONNECTIONS = 10
# 520 to 526 are an edge's (Cloudflare): the service behind it did not answer.
AGAIN = frozenset({500, 502, 503, 504, *range(520, 527)})
USER_AGENT = f"crococlick-xero/{VERSION}"  # edges refuse some names of HTTP libraries
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A call to make: `path` and `query` below the base URL; the query values named in `hidden` are not recorded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    key: str = ""
    call_id: str = ""
    secret: bool = False
    hidden: frozenset[str] = frozenset()
    reads: bool = False  # a question that is sent as a POST

    @property
    def writes(self) -> bool:
        """Whether repeating it could do something twice."""
        return self.method != "GET" and not self.reads

    @property
    def target(self) -> str:
        """Path and query as they go over the wire."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    @property
    def told(self) -> str:
        """Path and query as they may be recorded."""
        shown = [f"{name}={'…' if name in self.hidden else quote(value)}" for name, value in self.query]
        return f"{self.path}?{'&'.join(shown)}" if shown else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: header names in lower case, the body decoded of compression."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """Calls left in this minute (or burst) and this day, as the last answer said; None where it did not."""

    minute: int | None = None
    day: int | None = None


class RateLimit(Protocol):
    """When the next call may go."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait for a turn and hold it while the call is in flight; raises RateLimited where waiting is too long."""

    def heard(self, answer: Response) -> Left:
        """Learn from an answer's headers."""

    def refused(self, answer: Response) -> None:
        """Learn from a 429, so that the next turn waits; raises RateLimited where waiting is too long."""


class Bearer(Protocol):
    """Where the access token of a call comes from."""

    def access_token(self) -> str:
        """A token that is good for another minute ("": none needed)."""

    def renew(self, refused: str, answer: Response) -> str | None:
        """A newer token after this 401 answer, or None where a newer one would not help."""


class NoPace:
    """No limit to keep to."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """At once."""
        yield

    def heard(self, answer: Response) -> Left:
        """Nothing to learn."""
        return Left()

    def refused(self, answer: Response) -> None:
        """A limit nobody announced: one short wait is not ours to choose."""
        raise RateLimited("minute")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A token that never changes."""

    token: str = field(default="", repr=False)

    def access_token(self) -> str:
        """The token."""
        return self.token

    def renew(self, refused: str, answer: Response) -> str | None:
        """There is no other."""
        return None


class Window:
    """At most `limit` calls in any `seconds`, by our own count."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._at: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """Seconds until one more call fits."""
        while self._at and self._at[0] <= now - self.seconds:
            self._at.popleft()
        if len(self._at) < self.limit:
            return 0.0
        # The limit may have been lowered since: as many must leave as make room for one.
        return self._at[len(self._at) - self.limit] + self.seconds - now if self.limit > 0 else self.seconds

    def spend(self, now: float) -> None:
        """Count one call."""
        self._at.append(now)

    @property
    def spent(self) -> int:
        """Calls counted in the window when it was last asked."""
        return len(self._at)


class _TryAgain(Exception):
    """A read that may be tried again; holds what to raise or return when the tries are used up."""

    def __init__(self, outcome: Response | SyncerError) -> None:
        super().__init__()
        self.outcome = outcome


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that servers are checked against, read once: reading them takes longer than a call."""
    return httpx.create_ssl_context()


class Transport:
    """Calls to one host: pooled HTTP/1.1 connections, no redirects; usable from several threads at once."""

    def __init__(
        self,
        side: str,
        base_url: str,
        call_log: CallLog,
        clock: Clock,
        *,
        pace: RateLimit | None = None,
        bearer: Bearer | None = None,
        headers: Mapping[str, str] | None = None,
        unavailable: str = "",
        correlation_header: str = "",
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        self.side = side
        self._log = call_log
        self._clock = clock
        self._pace = pace or NoPace()
        self._bearer = bearer or Fixed()
        self._unavailable = unavailable or f"{side}_unavailable"
        self._correlation_header = correlation_header.lower()
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Accept": "application/json", "User-Agent": USER_AGENT, **(headers or {})},
            timeout=httpx.Timeout(read_s, connect=connect_s, pool=read_s),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            verify=_trusted(),
            trust_env=not _is_loopback(base_url),
        )

    def send(self, request: Request) -> Response:
        """The answer, whatever its status below 500; raises Unavailable, InDoubt (writes), RateLimited, Reconnect."""
        if request.writes:
            return self._settled(request, self._answer(request))
        try:
            return self._settled(request, self._read(request))
        except _TryAgain as used_up:
            if isinstance(used_up.outcome, SyncerError):
                raise used_up.outcome from used_up.__cause__
            return self._settled(request, used_up.outcome)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _read(self, request: Request) -> Response:
        tries = stamina.retry_context(
            on=_TryAgain, attempts=READ_TRIES, timeout=READ_TIME_S, wait_initial=0, wait_max=0, wait_jitter=0
        )
        for attempt in tries:
            with attempt:
                self._rest(attempt.num)
                answer = self._try(request)
        return answer

    def _rest(self, number: int) -> None:
        # stamina would wait on its own clock; ours can be held still by a test.
        if number > 1:
            self._clock.sleep(0.5 * 2 ** (number - 2) + random.uniform(0, 0.5))

    def _try(self, request: Request) -> Response:
        try:
            answer = self._answer(request)
        except Unavailable as error:
            raise _TryAgain(error) from error
        if answer.status in AGAIN:
            raise _TryAgain(answer)
        return answer

    def _answer(self, request: Request) -> Response:
        renewed = False
        for _ in range(TURNS):
            with self._pace.turn():
                token = self._bearer.access_token()
                answer = self._exchange(request, token)
            if answer.status == 429:
                self._pace.refused(answer)
            elif answer.status == 401 and not renewed and self._bearer.renew(token, answer):
                renewed = True
            else:
                return answer
        raise RateLimited("minute", side=self.side, path=request.path)

    def _exchange(self, request: Request, token: str) -> Response:
        """One HTTP call and its record."""
        at, started = self._clock.now(), time.perf_counter()
        answer, failure = None, "interrupted"
        left = Left()
        try:
            answer = self._call(request, token)
            failure = ""
            left = self._pace.heard(answer)
        except httpx.HTTPError as error:
            failure = type(error).__name__
            self._fail(request, error)
        finally:
            ms = round((time.perf_counter() - started) * 1000)
            self._record(request, token, answer, CallFacts(at, ms, failure, left))
        return answer

    def _call(self, request: Request, token: str) -> Response:
        headers = dict(request.headers)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if request.key:
            headers["Idempotency-Key"] = request.key
        content = request.body or None
        answer = self._http.request(request.method, request.target, headers=headers, content=content)
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, lower, answer.content)

    def _fail(self, request: Request, error: httpx.HTTPError) -> NoReturn:
        reason = type(error).__name__
        if request.writes and not isinstance(error, NEVER_SENT):
            raise InDoubt(side=self.side, path=request.path, reason=reason) from error
        raise Unavailable(self._unavailable, side=self.side, reason=reason) from error

    def _settled(self, request: Request, answer: Response) -> Response:
        """The answer, unless its status leaves open what happened (5xx, or a redirect nobody asked for)."""
        if answer.status < 300 or answer.status == 304 or 400 <= answer.status < 500:
            return answer
        facts: dict[str, Any] = {"side": self.side, "status": answer.status}
        if request.writes:
            raise InDoubt(path=request.path, **facts)
        raise Unavailable(self._unavailable, **facts)

    def _record(self, request: Request, token: str, answer: Response | None, facts: "CallFacts") -> None:
        hide = _hider(token, request.secret)
        record = CallRecord(
            id=self._call_id(request, answer),
            at=facts.at,
            side=self.side,
            method=request.method,
            path=request.told,
            status=answer.status if answer else None,
            ms=facts.ms,
            bytes_sent=len(request.body),
            bytes_received=len(answer.body) if answer else 0,
            minute_left=facts.left.minute,
            day_left=facts.left.day,
            correlation_id=answer.headers.get(self._correlation_header, "") if answer else "",
            idempotency_key=request.key,
            failure=facts.failure,
            writes=request.writes,
        )
        try:
            self._log.record(record, hide(request.body), hide(answer.body) if answer else b"")
        except SyncerError as error:
            # A row of the log is worth less than the answer to a write that has left.
            _log.warning("call %s could not be recorded: %s", record.id, error)

    def _call_id(self, request: Request, answer: Response | None) -> str:
        """The caller's id for the exchange that decided; another for one that was refused at the door and repeated."""
        refused = answer is not None and answer.status in (401, 429)
        return request.call_id if request.call_id and not refused else call_id(self._clock.now())


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of one exchange apart from its request and answer; `ms` milliseconds."""

    at: datetime
    ms: int
    failure: str
    left: Left


def retry_after_s(answer: Response) -> float | None:
    """Retry-After in seconds: a number, or a date read by the answer's own Date where it has one (RFC 9110, 10.2.3).

    None where there is none, and where it cannot be read.
    """
    written = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", written):
        return float(written)
    until, now = _http_date(written), _http_date(answer.headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _http_date(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def call_id(now: datetime) -> str:
    """An id that sorts by time: 12 hex digits of milliseconds, 20 of chance."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _hider(token: str, secret: bool) -> Callable[[bytes], bytes]:
    """What a body looks like in the log: nothing of a token endpoint's, and never the token itself."""
    if secret:
        return lambda body: b""
    if not token:
        return lambda body: body
    return lambda body: body.replace(token.encode(), b"[token]")


def _is_loopback(url: str) -> bool:
    """A simulator on this machine is never reached through a proxy."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
