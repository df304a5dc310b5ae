"""Contacts in the ledger: the mirror of CrocoClick's, what an import came to, and what people said of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncer.domain.matching.contact_import import ContactAnswer, ImportDecision, ImportOutcome, Link
from syncer.domain.matching.invoice_contacts import UNKNOWN
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import BookContact
from syncer.domain.model.problems import Problem
from syncer.storage.ledger.records import AttemptResult, address_from, address_text, as_json
from syncer.storage.ledger.writer import AuditEntry, LedgerWriter, columns_of

PORTION = 5000
PLANNED = "planned"  # to be made or filled up, and not done yet
_PLAIN = "name first_name last_name email company phone source updated_at".split()


@dataclass(frozen=True, slots=True)
class Imported:
    """What the last import came to for one Xero contact, as it is kept."""

    xero_id: str
    outcome: ImportOutcome
    reason: str
    facts: Mapping[str, Any]
    source_id: str = ""


# -- the mirror of CrocoClick's contacts -----------------------------------------------------------------------------


def see_contacts(pen: LedgerWriter, contacts: Sequence[SourceContact]) -> None:
    """Bring the mirror up to these."""
    for start in range(0, len(contacts), PORTION):
        part = contacts[start : start + PORTION]
        columns = columns_of(part, _PLAIN) | {
            "source_id": [one.id for one in part],
            "address": [address_text(one.address) for one in part],
            "seen_at": [pen.now] * len(part),
        }
        pen.put("source_contact", "source_id", columns)


def forget_unseen(pen: LedgerWriter, since: datetime) -> None:
    """What a reading of everything, begun then, did not show is no more."""
    pen.tx.execute("DELETE FROM source_contact WHERE connection = ? AND seen_at < ?", [pen.connection, since])


def source_contact(row: Mapping[str, Any]) -> SourceContact:
    """One contact of the mirror."""
    return SourceContact(
        id=row["source_id"], address=address_from(row["address"]), **{name: row[name] for name in _PLAIN}
    )  # fmt: skip


# -- what an import comes to -------------------------------------------------------------------------------------------


def imported(row: Mapping[str, Any]) -> Imported:
    """One row of what the last import came to."""
    facts = json.loads(row["facts"])
    return Imported(row["xero_id"], ImportOutcome(row["outcome"]), row["reason"], facts, row["source_id"] or "")


def decided(verdict: ImportDecision) -> Imported:
    """A decision as it is kept."""
    told = {"fields": dict(verdict.fields), "others": list(verdict.others), **verdict.facts}
    facts = {name: value for name, value in told.items() if value}
    reason = PLANNED if verdict.outcome in (ImportOutcome.CREATED, ImportOutcome.UPDATED) else verdict.reason
    return Imported(verdict.contact.id, verdict.outcome, reason, facts, verdict.source_id)


def keep_decisions(pen: LedgerWriter, decisions: Sequence[Imported], whole: bool = False) -> None:
    """Write down what differs from before; `whole` forgets Xero contacts that are not among them."""
    before = {row["xero_id"]: imported(row) for row in _kept(pen, None if whole else [d.xero_id for d in decisions])}
    moved = [one for one in decisions if before.get(one.xero_id) != one]
    if whole and (lost := sorted(set(before) - {one.xero_id for one in decisions})):
        pen.tx.delete_where_keys("contact_import", {"connection": [pen.connection] * len(lost), "xero_id": lost})
    for start in range(0, len(moved), PORTION):
        part = moved[start : start + PORTION]
        columns = columns_of(part, ["xero_id", "reason"]) | {
            "outcome": [str(one.outcome) for one in part],
            "facts": [as_json(one.facts) for one in part],
            "source_id": [one.source_id or None for one in part],
            "run_id": [pen.run_id] * len(part),
            "decided_at": [pen.now] * len(part),
        }
        pen.put("contact_import", "xero_id", columns)


def _kept(pen: LedgerWriter, ids: Sequence[str] | None) -> list[dict[str, Any]]:
    if ids is None:
        return pen.rows("imported")
    asked = {"connection": pen.connection, "ids": list(ids)}
    sql = "SELECT * FROM contact_import WHERE connection = $connection AND list_contains($ids, xero_id)"
    return pen.tx.rows(sql, asked)


def know(pen: LedgerWriter, those: Sequence[SourceContact]) -> None:
    """Contacts that are or were linked have a row beside those that invoices name."""
    asked = {"connection": pen.connection, "ids": [one.id for one in those]}
    sql = "SELECT source_id FROM contact WHERE connection = $connection AND list_contains($ids, source_id)"
    known = {row["source_id"] for row in pen.tx.rows(sql, asked)}
    new = [one for one in those if one.id not in known]
    names = columns_of(new, ["name", "email", "company", "phone"])
    names |= {"source_id": [one.id for one in new], "seen_at": [pen.now] * len(new), "tries": [0] * len(new)}
    pen.put("contact", "source_id", names)


def link(pen: LedgerWriter, links: Mapping[str, tuple[str, str]], mirror: Mapping[str, SourceContact]) -> None:
    """Bind CrocoClick contacts to Xero contacts (source id → ContactID and how), those too that no invoice names."""
    know(pen, [mirror[key] for key in links if key in mirror])
    pen.change(
        "contact",
        {
            "source_id": list(links),
            "xero_id": [xero_id for xero_id, _ in links.values()],
            "link": [how for _, how in links.values()],
            "linked_at": [pen.now] * len(links),
            "cause": [None] * len(links),
            "facts": [None] * len(links),
        },
    )
    told = [(key, "linked", Problem("", {"how": how, "xero_id": id_})) for key, (id_, how) in links.items()]
    pen.tell("contact", told)


def end_imports(pen: LedgerWriter, endings: Sequence[AttemptResult]) -> None:
    """What became of contacts that were made or filled up in CrocoClick."""
    arrived = [(ending, ending.source) for ending in endings if ending.source]
    see_contacts(pen, [there for _, there in arrived])
    made = {there.id: (ending.source_id, "imported") for ending, there in arrived if ending.outcome != "updated"}
    link(pen, made, {there.id: there for _, there in arrived})
    moved = ("created", "found", "updated", "refused")
    keep_decisions(pen, [_came_to(ending) for ending in endings if ending.outcome in moved])
    pen.tell("contact", [(there.id, f"import_{ending.outcome}", ending.problem) for ending, there in arrived])


# What filling up came to, by its reason: somebody else may have been faster.
_FILLED = {"email": ImportOutcome.LINKED, "filled": ImportOutcome.UPDATED, "linked": ImportOutcome.UNCHANGED}


def _came_to(ending: AttemptResult) -> Imported:
    reason, facts = (ending.problem.code, dict(ending.problem.facts)) if ending.problem else ("new", {})
    outcome = {"updated": _FILLED.get(reason), "refused": ImportOutcome.CONFLICT}.get(
        ending.outcome
    ) or ImportOutcome.CREATED
    return Imported(ending.source_id, outcome, reason, facts, ending.source.id if ending.source else "")


# -- what others change in Xero -----------------------------------------------------------------------------------


def notice(pen: LedgerWriter, contacts: Sequence[BookContact]) -> None:
    """Tell what moved of Xero contacts that are linked; called before the mirror takes them in.

    The links of one that was merged go on to the one that is left, so that its news are noticed too.
    """
    linked: dict[str, list[Mapping[str, Any]]] = {}
    for row in pen.rows("linked_contacts") if contacts else ():
        linked.setdefault(row["xero_id"], []).append(row)
    told = [
        (row["source_id"], what, Problem("", facts))
        for contact in contacts
        for row in linked.get(contact.id, ())
        for what, facts in _moved(row, contact)
    ]
    pen.tell("contact", told, "Xero")
    merged = {key: str(news.facts["merged_to"]) for key, what, news in told if what == "contact_merged"}
    pen.change("contact", {"source_id": list(merged), "xero_id": list(merged.values())})


def _moved(before: Mapping[str, Any], now: BookContact) -> list[tuple[str, dict[str, str]]]:
    facts = {"name": now.name, "xero_id": now.id}
    if UNKNOWN in (before["status"], now.status):  # our word for one that was not shown: nobody did anything to it
        return []
    if before["merged_to"] != now.merged_to and now.merged_to:
        return [("contact_merged", {**facts, "merged_to": now.merged_to})]
    if before["status"] != now.status:
        return [("contact_restored" if now.status == "ACTIVE" else "contact_archived", facts)]
    found = []
    if before["name"] != now.name:
        found.append(("contact_renamed", {**facts, "before": before["name"], "now": now.name}))
    if before["email"] != now.email:
        found.append(("contact_re_emailed", {**facts, "before": before["email"], "now": now.email}))
    return found


# -- what people say ----------------------------------------------------------------------------------------------


def links(rows: Sequence[Mapping[str, Any]]) -> dict[str, Link]:
    """The links that stand, by CrocoClick contact."""
    return {row["source_id"]: Link(row["xero_id"], row["link"] == "person") for row in rows if row["xero_id"]}


def answers(rows: Sequence[Mapping[str, Any]]) -> dict[str, ContactAnswer]:
    """What people said, by contact of either side or email."""
    return {row["subject"]: ContactAnswer(row["answer"], json.loads(row["said"]).get("because", "")) for row in rows}


def give_answer(pen: LedgerWriter, subjects: Sequence[str], kind: str, said: Mapping[str, str], by: str) -> None:
    """A person says that these are apart, or are to be left alone."""
    before = pen.standing("answers", subjects)
    same = {"answer": kind, "said": as_json(dict(said)), "by_whom": by, "given_at": pen.now}
    columns: dict[str, list[Any]] = {name: [value] * len(subjects) for name, value in same.items()}
    pen.put("contact_answer", "subject", {"subject": list(subjects), **columns})
    order = {"apart": "keep_apart"}.get(kind, kind)
    pen.tell("contact", [(subject, f"order_{order}", Problem("", said)) for subject in subjects], by)
    after = {"answer": kind, **({"said": dict(said)} if said else {})}
    pen.audit(AuditEntry(by, f"order_{order}"), [(subject, before.get(subject), after) for subject in subjects])


def take_back(pen: LedgerWriter, subjects: Sequence[str], by: str) -> None:
    """What was said of these counts no more."""
    before = pen.standing("answers", subjects)
    keys = {"connection": [pen.connection] * len(subjects), "subject": list(subjects)}
    pen.tx.delete_where_keys("contact_answer", keys)
    pen.tell("contact", [(subject, "order_undo", None) for subject in subjects], by)
    pen.audit(AuditEntry(by, "order_undo"), [(subject, before.get(subject), None) for subject in subjects])
