"""Batches that leave together: commit the intent, make the calls, commit the answers with the next intent.

A crash at any moment leaves open attempts, never a mystery. What is in one batch is decided by the caller; what became
of it, element by element, by the caller's `finish`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from syncer.domain.errors import InDoubt, Reconnect, SyncerError, TryLater
from syncer.domain.model.obstacle import PAUSED
from syncer.domain.model.problems import Problem
from syncer.domain.planning.plan import idempotency_key
from syncer.domain.ports import CallRecord, Clock, Refused
from syncer.storage.ledger.records import AttemptResult, AttemptStart

BATCH_ELEMENTS = 50  # Xero's limits page advises 50 elements
BATCH_BYTES = 3_500_000  # and 3.5 MB
STOPPED = "stopped"


@dataclass(frozen=True)
class WriteItem:
    """One record of a batch: `content` names what is sent of it, `payload` is that, `size` its bytes on the wire."""

    source_id: str
    payload: Any
    content: str
    number: str = ""
    fingerprint: str = ""
    expected: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    subject: Any = None
    stamp: str = ""  # what a refusal would depend on
    tries: int = 0


@dataclass(frozen=True)
class Batch:
    """One call's worth of elements, all of one kind and action."""

    kind: str
    action: str
    elements: tuple[WriteItem, ...]


# A write of the Accounts port: payloads, then `call_id` and `key`; one result per payload.
Send = Callable[..., Sequence[Any]]


class OutboxLedger(Protocol):
    """The part of the ledger that a wave needs."""

    connection: str

    def commit(
        self,
        run_id: str,
        now: datetime,
        *,
        endings: Sequence[AttemptResult] = (),
        intents: Sequence[AttemptStart] = (),
        calls: Sequence[CallRecord] = (),
        progress: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """Write all of it down in one transaction; returns the ids of the attempts that begin, in their order."""


@dataclass(frozen=True)
class WriteKind:
    """How one kind of batch is sent, how an element's answer ends its attempt, and how one is put off.

    `sift` finds, with a look, the elements for whose sake a whole request was refused: by source id, what is wrong.
    """

    send: Send
    intent: Callable[[Batch, WriteItem, int, str, str], AttemptStart]
    finish: Callable[[WriteItem, int, Any], AttemptResult]
    put_off: Callable[[WriteItem, int, Problem], AttemptResult]
    sift: Callable[[Sequence[WriteItem]], Mapping[str, Problem]] = lambda elements: {}


@dataclass(frozen=True)
class Written:
    """A batch that is committed and may leave."""

    batch: Batch
    attempt_ids: Sequence[int]
    call_id: str
    key: str


@dataclass(frozen=True)
class Sent:
    """What came back of one batch: results, or the reason why there are none."""

    batch: Batch
    attempt_ids: Sequence[int]
    results: Sequence[Any] = ()
    failure: SyncerError | None = None


def batches(kind: str, action: str, elements: Sequence[WriteItem]) -> list[Batch]:
    """Cut into batches that Xero takes: at most 50 elements and 3.5 MB each."""
    cut: list[Batch] = []
    part: list[WriteItem] = []
    size = 0
    for element in elements:
        if part and (len(part) == BATCH_ELEMENTS or size + element.size > BATCH_BYTES):
            cut.append(Batch(kind, action, tuple(part)))
            part, size = [], 0
        part.append(element)
        size += element.size
    return [*cut, Batch(kind, action, tuple(part))] if part else cut


class Outbox:
    """Sends batches, as many at a time as may be in flight, and keeps the ledger one step ahead of Xero."""

    def __init__(
        self,
        book: OutboxLedger,
        run_id: str,
        clock: Clock,
        in_flight: int,
        new_call_id: Callable[[], str],
        drain_calls: Callable[[], Sequence[CallRecord]],
        wave: int = 0,
    ) -> None:
        """`wave`: how many batches are committed together; as many as may be in flight unless said otherwise."""
        self._book = book
        self._run_id = run_id
        self._clock = clock
        self._in_flight = in_flight
        self._wave = wave or in_flight
        self._new_call_id = new_call_id
        self._drain_calls = drain_calls
        self._endings: list[AttemptResult] = []

    def perform(
        self,
        todo: Sequence[Batch],
        kind: WriteKind,
        progress: Callable[[int], Mapping[str, Any]],
        stop: Callable[[], bool],
    ) -> SyncerError | None:
        """Send all batches; returns why it stopped before the end, if it did.

        While one wave is under way the next is written down already, so that a commit costs no time of its own.
        Of a batch refused whole the elements that were at fault are left out, or where none is found it is halved.
        """
        waiting, done = list(todo), 0
        failure: SyncerError | None = None
        under_way: list[Future[Sent]] = []
        with ThreadPoolExecutor(self._in_flight, thread_name_prefix="calls") as pool:
            while under_way or (waiting and not stop()):
                wave = [] if stop() else waiting[: self._wave]
                del waiting[: len(wave)]
                written, paused = self._write_down(wave, kind, progress(done)) if wave else ([], None)
                sent = [one.result() for one in under_way]
                failure = self._take(sent, kind, waiting) or paused
                done += sum(len(one.batch.elements) for one in sent)
                if failure:
                    self._take([_not_sent(one) for one in written], kind, waiting)
                    break
                under_way = [pool.submit(_send_one, kind.send, stop, one) for one in written]
        self.flush(progress(done))
        return failure

    def flush(self, progress: Mapping[str, Any] | None = None) -> None:
        """Commit what came back and has not been committed yet."""
        endings, self._endings = self._endings, []
        calls = self._drain_calls()
        if endings or calls or progress is not None:
            self._book.commit(self._run_id, self._clock.now(), endings=endings, calls=calls, progress=progress)

    def _write_down(
        self, wave: Sequence[Batch], kind: WriteKind, progress: Mapping[str, Any]
    ) -> tuple[list[Written], TryLater | None]:
        """Commit what may leave; nothing may where somebody has paused the connection, and that is the failure."""
        calls = [(batch, self._new_call_id(), self._key(batch)) for batch in wave]
        intents = [
            kind.intent(batch, element, place, call_id, key)
            for batch, call_id, key in calls
            for place, element in enumerate(batch.elements)
        ]
        endings, self._endings = self._endings, []
        now, made = self._clock.now(), self._drain_calls()
        try:
            kept = self._book.commit(self._run_id, now, endings=endings, intents=intents, calls=made, progress=progress)
        except TryLater as paused:
            if paused.code != PAUSED:
                raise
            return [], paused
        ids = iter(kept)
        return [Written(batch, [next(ids) for _ in batch.elements], id_, key) for batch, id_, key in calls], None

    def _key(self, batch: Batch) -> str:
        elements = [(element.source_id, element.content) for element in batch.elements]
        return idempotency_key(self._book.connection, f"{batch.kind}-{batch.action}", elements)

    def _take(self, sent: Sequence[Sent], kind: WriteKind, waiting: list[Batch]) -> SyncerError | None:
        """Turn answers into endings; what is in doubt keeps its open attempts."""
        failure: SyncerError | None = None
        for one in sent:
            if isinstance(one.failure, InDoubt):
                continue
            if one.failure:
                if one.failure.code != STOPPED and not isinstance(failure, Reconnect):
                    failure = one.failure
                wait_s = getattr(one.failure, "wait_s", None)
                problem = Problem(one.failure.code, {**one.failure.facts, **({"wait_s": wait_s} if wait_s else {})})
                self._endings += [kind.put_off(e, id_, problem) for e, id_ in _pairs(one)]
            elif _refused_whole(one.results):
                waiting[:0] = self._sift(one, kind)
            else:
                self._endings += [
                    kind.finish(element, id_, result)
                    for (element, id_), result in zip(_pairs(one), one.results, strict=True)
                ]
        return failure

    def _sift(self, sent: Sent, kind: WriteKind) -> list[Batch]:
        """What to send again of a batch that was refused whole; of one element the refusal is its own."""
        wrong = kind.sift(sent.batch.elements)
        if not wrong and len(sent.batch.elements) == 1:
            self._endings += [kind.finish(element, id_, sent.results[0]) for element, id_ in _pairs(sent)]
            return []
        problem = Problem("rejected_by_xero", {"message": sent.results[0].messages[0], "whole": True})
        self._endings += [
            kind.finish(element, id_, wrong[element.source_id])
            if element.source_id in wrong
            else kind.put_off(element, id_, problem)
            for element, id_ in _pairs(sent)
        ]
        if not wrong:
            return _halves(sent.batch)
        rest = tuple(element for element in sent.batch.elements if element.source_id not in wrong)
        return [Batch(sent.batch.kind, sent.batch.action, rest)] if rest else []


def _pairs(sent: Sent) -> Iterator[tuple[WriteItem, int]]:
    return zip(sent.batch.elements, sent.attempt_ids, strict=True)


def _send_one(send: Send, stop: Callable[[], bool], one: Written) -> Sent:
    if stop():
        return _not_sent(one)
    try:
        results = send([element.payload for element in one.batch.elements], call_id=one.call_id, key=one.key)
    except (InDoubt, TryLater, Reconnect) as failure:
        return Sent(one.batch, one.attempt_ids, failure=failure)
    return Sent(one.batch, one.attempt_ids, results)


def _not_sent(one: Written) -> Sent:
    """Its turn has not come, and nothing has left: it waits for the next run."""
    return Sent(one.batch, one.attempt_ids, failure=TryLater(STOPPED))


def _refused_whole(results: Sequence[Any]) -> bool:
    """Whether a whole request was refused for the sake of an element that it did not name."""
    return bool(results) and isinstance(results[0], Refused) and results[0].whole


def _halves(batch: Batch) -> list[Batch]:
    middle = len(batch.elements) // 2
    parts = (batch.elements[:middle], batch.elements[middle:])
    return [Batch(batch.kind, batch.action, part) for part in parts if part]


def intent(batch: Batch, element: WriteItem, place: int, call_id: str, key: str) -> AttemptStart:
    """One element of a batch, as it is committed before the batch leaves."""
    return AttemptStart(
        kind=batch.kind,
        source_id=element.source_id,
        action=batch.action,
        number=element.number,
        call_id=call_id,
        position=place,
        key=key,
        fingerprint=element.fingerprint,
        expected=element.expected,
    )
