"""The test desk over HTTP, under /_sandbox/: for a sandbox that runs as another process.

GET   /_sandbox/                          what there is
GET   /_sandbox/state                     counts and sums on both sides
GET   /_sandbox/calls                     recorded calls; /calls/count?side=&method=&path= counts them
POST  /_sandbox/reset-calls               forget them, and the limits' counters
GET   /_sandbox/faults                    faults that wait; POST adds one, DELETE clears
POST  /_sandbox/settings                  {"latency_ms", "commit", "limits", "minute", "day", "concurrent", "advance_s"}
GET   /_sandbox/xero/{collection}         invoices, contacts, payments, accounts, taxrates, currencies, tracking, …
POST  /_sandbox/xero/{collection}         add; with /{key} write over a record without any rule
POST  /_sandbox/xero/do/{method}          any other method of the Xero desk, arguments by name
GET   /_sandbox/crococlick/{collection}   invoices, contacts, transactions
POST  /_sandbox/crococlick/{collection}   add; with /{key} edit
POST  /_sandbox/crococlick/do/{method}    any other method of the CrocoClick desk
The organisation is the first one unless ?organisation=NAME-OR-ID says otherwise, the location unless ?location=ID does.
"""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from sandbox.crococlick.arithmetic import decimal
from sandbox.crococlick.desk import CrocoClickDesk
from sandbox.faults import KINDS
from sandbox.simulation import Simulation
from sandbox.wire import Call, Reply, json_reply, text_reply
from sandbox.xero.desk import XeroDesk

XERO_ADD = {
    "invoices": "add_invoice",
    "contacts": "add_contact",
    "taxrates": "add_tax_rate",
    "accounts": "add_account",
    "currencies": "add_currency",
    "tracking": "add_tracking",
    "organisations": "add_organisation",
}
XERO_READ = {
    "invoices": "invoices", "contacts": "contacts", "payments": "payments", "accounts": "accounts",
    "taxrates": "tax_rates", "currencies": "currencies", "numbers": "numbers",
    "tracking": "tracking",
}  # fmt: skip
CRM_EDIT = {"invoices": "edit_invoice", "contacts": "edit_contact"}
CRM_ADD = {"invoices": "add_invoice", "contacts": "add_contact"}


def handle(sim: Simulation, call: Call) -> Reply:
    """One request of the test desk; what is wrong with it is said in a sentence."""
    parts = [unquote(p) for p in call.path.strip("/").split("/")[1:]]
    try:
        body = json.loads(call.body) if call.body else {}
        result = answer(sim, call, parts, body)
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError, StopIteration) as fault:
        return json_reply({"error": f"{type(fault).__name__}: {fault}"}, 400)
    return result if isinstance(result, Reply) else json_reply(result)


def answer(sim: Simulation, call: Call, parts: list[str], body: Any) -> Any:
    """What the first part of the path stands for."""
    match parts:
        case [] | [""]:
            return text_reply(__doc__ or "", 200)
        case ["state"]:
            return state(sim)
        case ["calls"]:
            return sim.recorded()
        case ["calls", "count"]:
            query = {k: v for k, v in call.query.items() if k in ("side", "method", "path")}
            return {"count": sim.count(**query)}
        case ["reset-calls"]:
            return reset_calls(sim)
        case ["faults"]:
            return faults(sim, call, body)
        case ["settings"]:
            return settings(sim, body)
        case ["xero", *rest]:
            desk = XeroDesk(sim.xero, sim.lock)
            named = call.query.get("organisation")
            return on_xero(desk.of(named) if named else desk, call, rest, body)
        case ["crococlick", *rest]:
            named = call.query.get("location", "")
            return on_crococlick(CrocoClickDesk(sim.crococlick, sim.lock, named), call, rest, body)
    return json_reply({"error": f"The test desk has nothing at {call.path}."}, 404)


def reset_calls(sim: Simulation) -> dict[str, bool]:
    """Forget the recorded calls and the limits' counters."""
    sim.calls.clear()
    sim.xero.limits.reset()
    sim.crococlick.limits.reset()
    return {"ok": True}


def faults(sim: Simulation, call: Call, body: Any) -> Any:
    """List, add or clear faults."""
    if call.method == "POST":
        sim.faults.add(body.pop("kind"), **body)
    elif call.method == "DELETE":
        sim.faults.clear()
    return {"kinds": KINDS, "waiting": [vars(f) for f in sim.faults.waiting]}


def settings(sim: Simulation, body: dict[str, Any]) -> dict[str, Any]:
    """Latency, when to commit in it, limits on or off, and a push to the clock."""
    sim.latency_ms = int(body.get("latency_ms", sim.latency_ms))
    sim.commit = str(body.get("commit", sim.commit))
    if "limits" in body:
        sim.xero.limits.enabled = sim.crococlick.limits.enabled = bool(body["limits"])
    for name in ("minute", "day", "app_minute", "concurrent"):
        if name in body:
            setattr(sim.xero.limits, name, int(body[name]))
    sim.clock.advance(float(body.get("advance_s", 0)))
    return {"latency_ms": sim.latency_ms, "commit": sim.commit, "limits": sim.xero.limits.enabled}


def on_xero(desk: XeroDesk, call: Call, rest: list[str], body: Any) -> Any:
    """The Xero desk."""
    match rest:
        case [] | ["organisation"]:
            return desk.organisation(**body) if call.method == "POST" else desk.organisation()
        case ["do", method] if not method.startswith("_"):
            return result_of(getattr(desk, method)(**body))
        case [collection] if call.method == "POST":
            return result_of(getattr(desk, XERO_ADD[collection.lower()])(**body))
        case [collection]:
            return getattr(desk, XERO_READ[collection.lower()])()
        case [collection, key] if call.method == "POST":
            desk.update(collection, key, **body)
            return {"ok": True}
        case ["invoices", key]:
            return desk.invoice(key)
    raise ValueError(f"The Xero desk has nothing at {'/'.join(rest)}.")


def on_crococlick(desk: CrocoClickDesk, call: Call, rest: list[str], body: Any) -> Any:
    """The CrocoClick desk."""
    match rest:
        case [] | ["location"]:
            return desk.profile(**body) if call.method == "POST" else desk.profile()
        case ["do", method] if not method.startswith("_"):
            return result_of(getattr(desk, method)(**body))
        case [collection] if call.method == "POST":
            return result_of(getattr(desk, CRM_ADD[collection])(**body))
        case ["invoices" | "contacts" | "transactions" as collection]:
            return getattr(desk, collection)()
        case [collection, key] if call.method == "POST":
            getattr(desk, CRM_EDIT[collection])(key, **body)
            return {"ok": True}
        case ["invoices", key]:
            return desk.invoice(key)
    raise ValueError(f"The CrocoClick desk has nothing at {'/'.join(rest)}.")


def result_of(value: Any) -> Any:
    """An id or nothing as an object."""
    if value is None:
        return {"ok": True}
    if isinstance(value, XeroDesk):
        return {"id": value.tenant}
    if isinstance(value, CrocoClickDesk):
        return {"id": value.location.id}
    return {"id": value} if isinstance(value, str) else value


def state(sim: Simulation) -> dict[str, Any]:
    """Counts and sums of totals per currency and status, on both sides."""
    crm = sim.crococlick.location
    organisations = []
    for tenant, books in sim.xero.books.items():
        rows = [
            (i.currency, i.status, Decimal(i.total) / 100, Decimal(i.due_cents) / 100) for i in books.invoices.values()
        ]
        organisations.append(
            {
                "id": tenant,
                "name": books.name,
                "contacts": len(books.contacts),
                "invoices": len(books.invoices),
                "payments": sum(1 for p in books.payments.values() if p.status == "AUTHORISED"),
                "totals": sums(rows),
            }
        )
    docs = [i.doc for i in crm.invoices.values()]
    rows = [(d["currency"], d["status"], decimal(d["total"]), decimal(d["amountDue"])) for d in docs]
    return {
        "world": sim.world,
        "xero": {
            "organisations": organisations,
            "connections": len(sim.xero.identity.connections),
            **{k: sum(o[k] for o in organisations) for k in ("contacts", "invoices", "payments")},
        },
        "crococlick": {
            "location": crm.id,
            "contacts": len(crm.contacts),
            "invoices": len(docs),
            "transactions": len(crm.transactions),
            "totals": sums(rows),
        },
        "calls": {"xero": sim.count("xero"), "crococlick": sim.count("crococlick")},
    }


def sums(rows: list[tuple[str, str, Decimal, Decimal]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Per currency and status: how many, their total and what is due, as text."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(lambda: [0, Decimal(0), Decimal(0)]))
    for currency, status, total, due in rows:
        entry = found[currency][status]
        entry[0] += 1
        entry[1] += total
        entry[2] += due
    return {
        currency: {s: {"count": n, "total": f"{t:f}", "due": f"{d:f}"} for s, (n, t, d) in sorted(statuses.items())}
        for currency, statuses in sorted(found.items())
    }
