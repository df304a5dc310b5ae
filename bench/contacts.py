"""Contacts at size: deciding and grouping 100,000 + 100,000, and an import of 10,000 that is killed five times.

The import goes over HTTP against the sandbox without limits, into a location that takes the same contact twice: only
we can see to it that nobody is made twice. Ends with 1 where a bar is missed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.server import Sandbox
from syncer.domain.matching.contact_import import ImportOutcome, ImportRules, decide_import
from syncer.domain.matching.duplicates import groups
from syncer.domain.matching.similarity import SourceContact
from syncer.domain.model.books import BookContact
from tests.support.sync_world import World

SIDE, SECONDS = 100_000, 5.0
IMPORTED, KILLS = 10_000, 5
NAMES = "Anne Martin Bob Durand Zoé Lefèvre Paul Simon Lucie Garnier Hugo Roux Nina Blanc Karim Haddad".split()


def both_sides(chance: random.Random) -> tuple[list[BookContact], list[SourceContact]]:
    """Half are on both sides; one in twenty shares its email, some emails are typed oddly, one in ten has none."""
    book, crm = [], []
    for number in range(SIDE):
        name = f"{chance.choice(NAMES)} {chance.choice(NAMES)} {number % 20_000}"
        phone = f"+33 1 {chance.randrange(10**8):08}"
        book.append(BookContact(f"x{number:06}", name, email(number, chance), phone=phone, is_customer=True))
        other = number + SIDE // 2
        crm.append(SourceContact(f"c{number:06}", f"{name} bis", email(other, chance), phone=phone))
    return book, crm


def email(number: int, chance: random.Random) -> str:
    """What stands in the field of the contact of this number."""
    if number % 10 == 0:
        return ""
    number -= number % 20 == 3  # and so it shares the email of the one before
    plain = f"p{number}@example{number % 500}.org"
    odd = chance.random()
    return f"Name <{plain.upper()}>" if odd < 0.05 else f"{plain}; other{number}@example.net" if odd < 0.08 else plain


def matching() -> bool:
    """Decide and group, best of three."""
    book, crm = both_sides(random.Random(1))
    best = {"deciding": 1e9, "grouping": 1e9}
    for _ in range(3):
        started = time.perf_counter()
        verdicts = decide_import(book, crm, {}, {}, ImportRules())
        decided = time.perf_counter()
        links = {one.source_id: one.contact.id for one in verdicts if one.outcome is ImportOutcome.LINKED}
        found = groups(book, crm, links)
        best["deciding"] = min(best["deciding"], decided - started)
        best["grouping"] = min(best["grouping"], time.perf_counter() - decided)
    outcomes = Counter(str(one.outcome) for one in verdicts)
    print(f"{SIDE:,} + {SIDE:,} contacts: {dict(outcomes)}, {len(found):,} groups")
    total = sum(best.values())
    print(
        f"  deciding {best['deciding']:.2f} s, grouping {best['grouping']:.2f} s, together {total:.2f} s of {SECONDS} s"
    )
    return total < SECONDS


def importing() -> bool:
    """Ten thousand, killed five times while it writes, then to its end and once more."""
    chance = random.Random(5)
    with tempfile.TemporaryDirectory() as folder, Sandbox("empty", limits=False) as box:
        world = World(box, Path(folder))
        world.connect()
        box.crococlick.limits.burst = 1_000_000
        box.crococlick.profile(settings={**box.crococlick.profile()["settings"], "allowDuplicateContact": True})
        for number in range(IMPORTED):
            box.xero.add_contact(Name=f"P {number}", EmailAddress=f"p{number}@example.org", IsCustomer=True)
        started = time.perf_counter()
        kills = sum(killed(world, goal, chance) for goal in sorted(chance.sample(range(100, IMPORTED - 500), KILLS)))
        last = finished(world)
        seconds = time.perf_counter() - started
        calls = box.count(side="crococlick")
        emails = Counter(one["email"] for one in box.crococlick.contacts())
        began = time.perf_counter()
        again = finished(world)
        print(f"import of {IMPORTED:,} with {kills} kills: {seconds:.0f} s, {calls:,} calls of CrocoClick's")
        print(f"  contacts {len(emails):,}, duplicates {emails.total() - len(emails)}, last import {last['outcomes']}")
        unchanged = again["outcomes"]["unchanged"]
        print(f"  once more: {time.perf_counter() - began:.1f} s, calls {again['calls']}, unchanged {unchanged:,}")
        time.sleep(0.5)  # a reading handle of the ledger is shared for a moment, then closes by itself
        return kills == KILLS and len(emails) == emails.total() == IMPORTED == unchanged


def start(world: World) -> "subprocess.Popen[str]":
    """An import in a process of its own."""
    command = [sys.executable, "-m", "syncer", "import-contacts", "--json"]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **world.values}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def killed(world: World, goal: int, chance: random.Random) -> bool:
    """Kill an import at a random moment after so many contacts are made; whether it was still at work."""
    run = start(world)
    while len(world.crm.location.contacts) < goal and run.poll() is None:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.5))
    was_at_work = run.poll() is None
    run.send_signal(signal.SIGKILL)
    run.wait()
    return was_at_work


def finished(world: World) -> dict:
    """An import to its end."""
    out, err = start(world).communicate(timeout=900)
    try:
        return json.loads(out)
    except ValueError:
        sys.exit(f"the import failed: {err}")


if __name__ == "__main__":
    bars = [matching(), importing()]
    sys.exit(0 if all(bars) else 1)
