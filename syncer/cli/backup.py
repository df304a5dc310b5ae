"""The commands that save an installation and put it back: `backup`, `restore`."""

import argparse
from dataclasses import asdict
from typing import Any

from syncer.app import backup
from syncer.app.installation import App
from syncer.cli.output import DONE, Out, stoppable
from syncer.messages import format, times
from syncer.storage.backup import Manifest


def do_backup(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Write a backup and say what is in it, and what is not."""
    with stoppable(out) as stop:
        saved = backup.save(app, asked.file, asked.with_secrets, stop)
    manifest = saved.manifest
    if out.as_json:
        out.json({"file": str(saved.path), **_told(manifest), "bytes": saved.bytes, "held_s": round(saved.held_s, 3)})
    out.say(f"Saved to {saved.path} ({_size(saved.bytes)}): {_amount(manifest)}. It was read again and is whole.")
    if not manifest.with_secrets:
        out.say("No secrets are in it: after a restore, connect Xero again. With --with-secrets they are saved too.")
    elif manifest.key == "environment":
        out.say(
            "Secrets are in it: keep it under lock. They can be read only with the SYNCER_SECRET_KEY of this machine, "
            "which is not in it: keep that too, elsewhere."
        )
    else:
        out.say("Secrets are in it, and the key to them: whoever has this file reaches your books. Keep it under lock.")
    out.say("The file .env is not in it. Keep a copy of both on another machine.")
    out.say(f"To put it back into an empty data directory: python -m syncer restore {saved.path}")
    return DONE


def do_restore(app: App, asked: argparse.Namespace, out: Out) -> int:
    """Put a backup in place and say what is still to be done."""
    with stoppable(out) as stop:
        restored = backup.restore(app, asked.file, stop)
    manifest, steps = restored.manifest, restored.steps
    if out.as_json:
        told = _told(manifest)
        connections = [{**one, "next": steps[one["name"]]} for one in told["connections"]]
        out.json({"file": str(asked.file), **told, "connections": connections})
    out.say(f"Restored into {app.environment.data_dir}: {_amount(manifest)}.")
    for name in (name for name in steps if steps[name]):
        out.say(f"Connection {name}, before it works again:")
        for step in steps[name]:
            out.say(f"  {step}")
    out.say(
        "Then run `python -m syncer sync --full`: what went over since the backup is found in Xero by our marks, and "
        "nothing is sent twice. Orders and answers of people since then have to be given again."
    )
    if restored.has_sign_ins:
        out.say(
            "Sign-ins that ended since then count again: run `python -m syncer end-sign-ins` before you start the "
            "console."
        )
    return DONE


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": times.iso(manifest.made_at),
        "version": manifest.version,
        "schema_version": manifest.schema_version,
        "with_secrets": manifest.with_secrets,
        "connections": [asdict(one) for one in manifest.connections],
        "invoices": manifest.invoices,
        "files": len(manifest.files),
        "content_bytes": manifest.content_bytes,
    }


def _amount(manifest: Manifest) -> str:
    connections = format.count(len(manifest.connections), "connection")
    invoices = format.count(manifest.invoices, "invoice")
    return f"{connections} and {invoices}, as they were at {format.moment(manifest.made_at)}"


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e5 else f"{number / 1e3:,.1f} kB"
