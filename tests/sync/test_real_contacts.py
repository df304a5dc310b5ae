"""1,255 contacts with known duplicates, loaded on both sides: what is linked is right, and what is shared is found."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from syncer.support import contacts
from tests.support.contacts_world import writes
from tests.support.xero_consent import BoxClock

FILE = Path(os.environ.get("SYNCER_CONTACTS", Path(__file__).parents[3] / "shared" / "data" / "contacts" / "dev.jsonl"))
pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the contacts with known duplicates are not beside the project"
)


def called(record):
    """A record's name as people type it into one field."""
    whole = record["full_name"] or f"{record['first_name'] or ''} {record['last_name'] or ''}"
    return " ".join((record["company"] or whole).split()) or record["record_id"]


def load(world, records):
    """Each record on its side; names are unique in Xero, so that a second one gets its number."""
    clusters = {}
    taken = set()
    for record in records:
        name, email, phone = called(record), record["email"] or "", record["phone"] or ""
        if record["side"] == "crm":
            key = world.crm.add_contact(name=name, email=email, phone=phone)
        else:
            name = name if name.casefold() not in taken else f"{name} {record['record_id']}"
            taken.add(name.casefold())
            key = world.xero.add_contact(Name=name)
            phones = [{"PhoneType": "DEFAULT", "PhoneNumber": phone}] if phone else []
            world.xero.update("contacts", key, EmailAddress=email, Phones=phones)
        clusters[key] = (record["cluster"], record["side"], typed(email))
    return clusters


def typed(email):
    """The one address of a field, found with nothing of ours: what follows the last <, with one @ and a dot."""
    bare = email.split("<")[-1].strip(" >\"'").lower()
    local, at, domain = bare.partition("@")
    return bare if at and local and "@" not in domain and "." in domain.strip(".") and " " not in bare else ""


def test_real_contacts_are_linked_without_one_mistake(world, record_property):
    """By email with precision 1.00; every address that several share is found; nothing is written over."""
    records = [json.loads(line) for line in FILE.read_text().splitlines()]
    world.app.clock = BoxClock(world.box)
    clusters = load(world, records)
    before = {one["id"]: dict(one) for one in world.crm.contacts()}
    told = world.import_contacts()
    by_email = {row.source_id: row.xero_id for row in world.ledger.imported() if row.reason == "email"}
    wrong = [pair for pair in by_email.items() if clusters[pair[0]][0] != clusters[pair[1]][0]]
    assert by_email and wrong == []

    # Of the pairs that are one customer: how many are linked, in all and of those that have an email in common.
    sides = defaultdict(lambda: ([], []))
    for key, (cluster, side, _) in clusters.items():
        sides[cluster][side == "crm"].append(key)
    true = [(ours, theirs) for there, here in sides.values() for ours in here for theirs in there]
    shown = defaultdict(set)
    for row in world.ledger.imported():
        for key in (row.source_id, *row.facts.get("others", ())):
            shown[key].add(row.xero_id)
    recall = len(by_email) / len(true)
    pairs = [(here[0], there[0]) for there, here in sides.values() if len(here) == len(there) == 1]
    of_pairs = sum(1 for ours, theirs in pairs if by_email.get(ours) == theirs) / len(pairs)
    found = sum(1 for ours, theirs in true if theirs in shown[ours]) / len(true)
    figures = {"recall": recall, "recall of customers with one record on each side": of_pairs, "linked or shown": found}
    record_property("links", len(by_email))
    for name, value in figures.items():
        record_property(name, round(value, 3))
    print(told, len(by_email), "links, precision 1.00", {name: round(value, 3) for name, value in figures.items()})

    # Every address that several records have, computed from the file alone.
    truth = defaultdict(set)
    for key, (_, _, address) in clusters.items():
        if address:
            truth[address].add(key)
    linked = {frozenset(pair) for pair in by_email.items()}
    wanted = {key: those for key, those in truth.items() if len(those) > 1 and frozenset(those) not in linked}
    groups = [one for one in contacts.ContactBook(world.ledger).groups() if not one.likely]
    original = {one.email: {person.id for person in one.people if person.id in clusters} for one in groups}
    assert original == wanted and world.report.duplicate_groups == len(wanted)
    table = world.app.analysis.ask("SELECT DISTINCT email FROM duplicates")
    assert {row[0] for row in table.rows} == set(wanted)

    # Nothing that was there has changed, but for fields that were empty.
    for one in world.crm.contacts():
        for name, value in before.get(one["id"], {}).items():
            assert not value or name == "dateUpdated" or one[name] == value
    assert told["created"] == len(world.crm.contacts()) - len(before)
    world.box.reset_calls()
    world.import_contacts()
    assert writes(world) == 0
