"""The commands about contacts: `import-contacts`, `duplicates`, and orders for contacts of either side."""

import argparse
from collections.abc import Mapping, Sequence

from syncer.app import consent, jobs, states
from syncer.app.installation import App, Connection, who
from syncer.cli.output import DONE, FAILED, HELD, LATER, NOT_CONNECTED, Out, stoppable
from syncer.domain.errors import Reconnect, WrongUsage
from syncer.domain.matching.duplicates import CROCOCLICK, XERO
from syncer.messages import contacts as contacts_messages
from syncer.messages import format, status
from syncer.support import contacts as contacts_support
from syncer.support import runs
from syncer.support.contact_orders import NAMES, ContactDesk
from syncer.support.contacts import Person
from syncer.sync.contact_import import ImportReport

SHOWN = 20  # groups of duplicates
SIDES = {XERO: "Xero", CROCOCLICK: "CrocoClick"}


def do_import(app: App, asked: argparse.Namespace, out: Out) -> int:
    """One import, with a bar on a terminal; Ctrl-C stops it cleanly."""
    connection = app.connection(asked.connection)
    with out.progress() as tell, stoppable(out) as stop:
        report = jobs.import_contacts(connection, who(), tell, stop, asked.dry_run)
    consent.note_failure(connection, report.failure)
    told = runs.result_of_import(connection.ledger, report)
    conflicts = contacts_support.conflicts(connection.ledger, report.conflicts)
    if out.as_json:
        out.json({"run_id": report.run_id, **told, "conflicts": conflicts})
    _tell(report, told, conflicts, out)
    return _status(report)


def _tell(
    report: ImportReport, told: Mapping[str, Mapping[str, int]], conflicts: Sequence[Mapping[str, str]], out: Out
) -> None:
    done = [(contacts_messages.OUTCOMES[name][1], f"{n:,}") for name, n in told["outcomes"].items() if n]
    out.table(["outcome", "contacts"], done or [("no contacts in Xero", "")], right=["contacts"])
    if report.dry_run:
        out.say("This is what an import would come to; nothing was written.")
    if conflicts:
        out.say(f"\n{format.count(len(conflicts), 'contact')} {'needs' if len(conflicts) == 1 else 'need'} a look:")
        rows = [(one["name"], one["sentence"], one["step"]) for one in conflicts]
        out.table(["in Xero", "because", "next"], rows)
    if report.duplicate_groups:
        groups = format.count(report.duplicate_groups, "email")
        out.say(f"{groups} stand{'s' if report.duplicate_groups == 1 else ''} on several contacts: `duplicates` tells.")
    if report.failure:
        out.aside.print(status.failure(report.failure.code, report.failure.facts), markup=False)
    elif report.ended == "stopped":
        out.note("Stopped as asked. The next import goes on from here.")
    elif report.ended == "deferred":
        out.note("CrocoClick did not answer for some of them. The next import looks, and goes on from here.")


def _status(report: ImportReport) -> int:
    if isinstance(report.failure, Reconnect):
        return NOT_CONNECTED
    if report.ended in ("deferred", "stopped"):
        return LATER
    if report.failure:
        return FAILED
    return HELD if report.outcomes["conflict"] else DONE


def do_duplicates(app: App, asked: argparse.Namespace, out: Out) -> int:
    """The groups that nobody has answered for yet, after both sides' contacts are brought up to date."""
    connection = app.connection(asked.connection)
    with out.progress() as tell, stoppable(out) as stop:
        jobs.look_at_contacts(connection, tell, stop)
        is_stopped = stop()
    told = contacts_support.ContactBook(connection.ledger).groups()
    if out.as_json:
        out.json(contacts_support.as_json(told))
    for group in told[:SHOWN]:
        out.say(f"{group.sentence}. {contacts_messages.hangs(group.open_invoices, group.money)}")
        rows = [(SIDES[one.side], one.name, _typed(one, group.email), one.id) for one in group.people]
        out.table(["", "name", "email as typed", "id"], rows)
        if group.proposed:
            out.say(f"{group.proposed}. {contacts_messages.MERGE_IN_XERO}")
        out.say("")
    if len(told) > SHOWN:
        out.say(f"and {len(told) - SHOWN:,} more.")
    if not told:
        out.say("No two contacts share an email.")
    if is_stopped:
        out.note("Stopped as asked: this is what was known before.")
        return LATER
    return HELD if any(not group.likely for group in told) else DONE


def _typed(one: Person, address: str) -> str:
    """The email as it was typed, where that is not the address itself."""
    return "" if one.email == address else one.email


def is_about_contacts(connection: Connection, name: str, what: Sequence[str]) -> bool:
    """Whether an order names contacts rather than invoices; whose invoices are not settled go with their contact."""
    if name not in NAMES or not what:
        return False
    if name == "ignore":
        return True
    desk = ContactDesk(connection.ledger, "", connection.app.clock.now())
    return all(desk.meant(one) and not _is_invoice(connection, one) for one in what)


def _is_invoice(connection: Connection, what: str) -> bool:
    """A customer's name or email finds invoices too: only a number or an id names one."""
    return bool(connection.ledger.rows("find_exact", what=what.strip(), limit=1))


def order(connection: Connection, name: str, what: Sequence[str], said: Mapping[str, str], by: str, out: Out) -> int:
    """Write a person's order about contacts down."""
    if not what:
        raise WrongUsage(f"Say which contact the order {name} is for.")
    desk = ContactDesk(connection.ledger, by, connection.app.clock.now())
    for one in what:
        if not desk.meant(one):
            raise WrongUsage(f"No contact fits {one!r}: neither an id, an email nor the whole name of just one.")
    sentences = [desk.give(name, one, said) for one in what]
    states.decide(connection)
    if out.as_json:
        out.json({"order": name, "given": list(what), "sentence": sentences[-1]})
    for sentence in sentences:
        out.say(sentence)
    return DONE
