"""The one door for both APIs: reads requests, lets faults happen, keeps the commit before the answer."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox import control
from sandbox.faults import Fault
from sandbox.simulation import Recorded, Simulation
from sandbox.wire import Call, Reply, text_reply
from sandbox.xero.api import API, Caller
from sandbox.xero.errors import Refused

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
LINGER_S = 2
# Xero's front server refuses a longer query, as it was sent: "%2C" counts three (IIS 404.15; Xero-OpenAPI#534).
QUERY_MAX = 2048
QUERY_TOO_LONG = "The resource you're looking for cannot be found"


class Wire:
    """One connection's two directions, and the way to hang up."""

    def __init__(self, receive: Receive, send: Send, record: Recorded):
        self.receive, self.send, self.record = receive, send, record
        self.started = time.perf_counter()

    async def answer(self, reply: Reply, cut: bool = False) -> None:
        """Send an answer, or only its first half."""
        body = reply.body[: len(reply.body) // 2] if cut else reply.body
        headers = {k.lower(): v for k, v in reply.headers.items()}
        if reply.content_type:
            headers["content-type"] = reply.content_type
        headers["content-length"] = str(len(reply.body))
        raw = [(k.encode(), v.encode("latin-1", "replace")) for k, v in headers.items()]
        # Noted before the bytes leave: a client that has the answer finds it recorded.
        self.record.status = reply.status
        self.record.ms = round((time.perf_counter() - self.started) * 1000, 3)
        await self.send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body, "more_body": cut})
        if cut:
            await self.hang_up(keep_status=True)

    async def hang_up(self, keep_status: bool = False) -> None:
        """Close the connection without another word."""
        if not keep_status:
            self.record.status = 0
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionAbortedError
        if keep_status:
            transport.close()
        else:
            transport.abort()
        await self.gone(LINGER_S)

    async def gone(self, seconds: float) -> bool:
        """Wait, and tell whether the client went away meanwhile."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True


class Gate:
    """The ASGI application."""

    def __init__(self, simulation: Simulation):
        self.sim = simulation

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        call = await read_call(scope, receive)
        if call is None:
            return
        call.at = self.sim.clock.now()
        side = side_of(call.path)
        record = Recorded(side, call.method, call.path, call.query_string, 0, call.at, len(call.body))
        record.bearer = call.header("authorization").partition(" ")[2]
        record.tenant = call.header("xero-tenant-id").lower()
        if side != "desk":
            self.sim.calls.append(record)
        await self._serve(side, call, Wire(receive, send, record))

    async def _serve(self, side: str, call: Call, wire: Wire) -> None:
        if side == "desk":
            with self.sim.lock:
                reply = control.handle(self.sim, call)
                self.sim.store.commit()
            await wire.answer(reply)
            return
        fault = self.sim.faults.take(side, call)
        if fault and fault.kind == "slow" and await wire.gone(float(fault.options.get("ms", 1000)) / 1000):
            return
        if fault and fault.kind == "dropped":
            await wire.hang_up()
        elif side == "xero" and len(call.query_string) > QUERY_MAX:
            await wire.answer(text_reply(QUERY_TOO_LONG, 404))
        elif side == "xero" and call.path.lower().startswith(API):
            call.path = API + call.path[len(API) :]
            await self._accounting(call, wire, fault)
        else:
            await self._plain(side, call, wire, fault)

    # -- CrocoClick and Xero's identity service: no latency, no queue ------------------------------------------

    async def _plain(self, side: str, call: Call, wire: Wire, fault: Fault | None) -> None:
        replaced = fault.reply(side) if fault else None
        if replaced is not None and not (fault and fault.after_commit):
            reply = replaced
        else:
            reply = self._carry_out(lambda: self._other(side, call))
        if side == "crococlick":
            reply.headers = self.sim.crococlick.limits.headers(call) | reply.headers
        await self._finish(wire, replaced or reply, fault)

    def _other(self, side: str, call: Call) -> Reply:
        if side == "crococlick":
            return self.sim.crococlick.handle(call)
        return self.sim.xero.identity_call(call, self.sim.url) or Reply(404, b"", "text/html")

    # -- Xero's accounting API --------------------------------------------------------------------------------

    async def _accounting(self, call: Call, wire: Wire, fault: Fault | None) -> None:
        sim = self.sim
        with sim.lock:
            self._prepare(call, fault)
            try:
                caller = sim.xero.admit(call)
            except Refused as refused:
                sim.store.commit()
                reply = refused.reply()
                caller = None
        if caller is None:
            await self._wait(wire)
            await wire.answer(stamped(reply, {}))
            return
        tenant = caller.books.tenant
        headers, refusal = sim.xero.limits.admit(caller.app, tenant)
        sim.xero.limits.enter(caller.app, tenant)
        try:
            admitted = refusal or await self._admitted(caller, call, wire, fault)
            if admitted is not None:
                await self._finish(wire, stamped(admitted, headers), fault)
        finally:
            sim.xero.limits.leave(caller.app, tenant)

    def _prepare(self, call: Call, fault: Fault | None) -> None:
        """Faults that change the state before the call is judged."""
        identity = self.sim.xero.identity
        if fault is None or fault.kind not in ("token_revoked", "tenant_disconnected"):
            return
        grant = identity.access.get(call.header("authorization").partition(" ")[2])
        if grant is None:
            return
        if fault.kind == "token_revoked":
            identity.revoke(grant.app)
            return
        tenant = call.header("xero-tenant-id").lower()
        for id_ in [i for i, c in identity.connections.items() if (c["app"], c["tenantId"]) == (grant.app, tenant)]:
            identity.disconnect(id_)

    async def _admitted(self, caller: Caller, call: Call, wire: Wire, fault: Fault | None) -> Reply | None:
        """Carry a call out, before or after the latency; None when the client went away before it was."""
        replaced = fault.reply("xero") if fault else None
        instead = replaced if fault and not fault.after_commit else None
        # An error inside Xero is stored under its key like any answer; one at the door is not.
        stored = bool(fault and fault.kind.startswith("error_500"))
        if instead is not None and not stored:
            await self._wait(wire)
            return instead
        store, tenant = self.sim.xero.idempotency, caller.books.tenant
        slot, kept = await store.begin(caller.app, tenant, call)
        if kept is not None:
            await self._wait(wire)
            return kept
        late = self._commits_late()
        if late and await self._wait(wire):
            store.settle(caller.app, call, slot, None)
            return None
        reply = None
        try:
            reply = instead or self._carry_out(lambda: self._account_for(caller, call, fault))
        finally:
            store.settle(caller.app, call, slot, replaced if stored else reply)
        if not late:
            await self._wait(wire)
        return replaced or reply

    def _account_for(self, caller: Caller, call: Call, fault: Fault | None) -> Reply:
        switches = caller.books.switches
        before = switches.stale_updates
        switches.stale_updates = before or bool(fault and fault.kind == "stale_updates")
        try:
            return self.sim.xero.answer(caller, call)
        finally:
            switches.stale_updates = before

    def _commits_late(self) -> bool:
        """Whether this call is carried out after its latency rather than before."""
        sim = self.sim
        return bool(sim.latency_ms) and (
            sim.commit == "after" or (sim.commit == "random" and sim.random.random() < 0.5)
        )

    async def _wait(self, wire: Wire) -> bool:
        """The latency; whether the client went away in it."""
        return bool(self.sim.latency_ms) and await wire.gone(self.sim.latency_ms / 1000)

    # -- the end ----------------------------------------------------------------------------------------------

    def _carry_out(self, work: Callable[[], Reply]) -> Reply:
        """Do it and commit it."""
        with self.sim.lock:
            reply = work()
            self.sim.store.commit()
        return reply

    async def _finish(self, wire: Wire, reply: Reply, fault: Fault | None) -> None:
        if fault and fault.kind == "accepted_then_hung_up":
            await wire.hang_up()
            return
        if fault and fault.kind == "rewritten":
            old, new = (str(fault.options[name]).encode() for name in ("old", "new"))
            reply = Reply(reply.status, reply.body.replace(old, new), reply.content_type, reply.headers)
        await wire.answer(reply, cut=bool(fault and fault.kind == "truncated"))


def stamped(reply: Reply, headers: dict[str, str]) -> Reply:
    """A copy with the limits left and the id that a support ticket wants; a stored answer may go out twice."""
    extra = {"Xero-Correlation-Id": str(uuid.uuid4())}
    return Reply(reply.status, reply.body, reply.content_type, headers | extra | reply.headers)


XERO_PREFIXES = (API, "/connect/", "/identity/", "/.well-known/", "/connections")


def side_of(path: str) -> str:
    """Which service a path belongs to."""
    lower = path.lower()
    if lower in ("/", "/_sandbox") or lower.startswith("/_sandbox/"):
        return "desk"
    return "xero" if lower.startswith(XERO_PREFIXES) else "crococlick"


async def read_call(scope: dict[str, Any], receive: Receive) -> Call | None:
    """The whole request, or None when the client went away in the middle."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = {k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]}
    return Call(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, b"".join(parts))
