"""The command `notices`: which go where, what was sent lately, and a test of each address."""

import argparse

from syncer.app import notices
from syncer.app.installation import App
from syncer.cli.output import DONE, FAILED, Out
from syncer.domain.errors import WrongUsage
from syncer.messages.format import moment
from syncer.messages.notices import KINDS
from syncer.messages.times import iso

SHOWN = 20
UNSET = (
    "No address is set. Set SYNCER_NOTIFY_URLS to Apprise addresses, separated by blanks, "
    "such as mailto:// or slack:// (.env.example says more)."
)


def do_notices(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Say which notices go where, or send a test to each address."""
    return _test(app, out) if asked.test else _show(app, asked, out)


def _test(app: App, out: Out) -> int:
    if not app.channels:
        raise WrongUsage(UNSET)
    sent = notices.test(app)
    if out.as_json:
        out.json({"tested": [{"address": channel.name, "taken": taken} for channel, taken in sent]})
    for channel, taken in sent:
        failure = "did not take it" if channel.is_usable else "is no address that Apprise understands"
        out.say(f"{channel.name} {'took the test' if taken else failure}.")
    return DONE if all(taken for _, taken in sent) else FAILED


def _show(app: App, asked: argparse.Namespace, out: Out) -> int:
    connection = app.connection(asked.connection)
    kinds, due, sent = notices.kinds(connection), notices.due(connection), notices.lately(connection, SHOWN)
    if out.as_json:
        out.json(
            {
                "connection": connection.name,
                "notify": list(kinds),
                "addresses": [
                    {"address": one.name, "scheme": one.scheme, "usable": one.is_usable, "due": due[one.name]}
                    for one in app.channels
                ],
                "sent": [
                    {
                        "at": iso(row["sent_at"]),
                        "address": row["channel"],
                        "kind": row["kind"],
                        "title": row["title"],
                        "text": row["text"],
                    }
                    for row in sent
                ],
            }
        )
        return DONE
    out.say(f"Notices of {connection.name}:" if kinds else f"The setting notify of {connection.name} asks for none.")
    out.table(["notice", "tells"], [(kind, KINDS[kind]) for kind in kinds])
    out.say("They go to:" if app.channels else UNSET)
    for one in app.channels:
        out.say(f"  {one.name}{'' if one.is_usable else ' (no address that Apprise understands)'}")
        for title in due[one.name]:
            out.say(f"    due: {title}")
    out.say("\nSent lately:" if sent else "\nNothing was sent yet.")
    out.table(["at", "to", "notice"], [(moment(row["sent_at"]), row["channel"], row["title"]) for row in sent])
    return DONE
