"""Saving an installation in one file while it works, and putting such a file into an empty one."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from syncer.app import states
from syncer.app.installation import App, who
from syncer.domain.errors import LedgerBusy, Reconnect, SyncerError, WrongUsage
from syncer.domain.settings import DEFAULT
from syncer.domain.version import VERSION
from syncer.storage import backup
from syncer.storage.backup import BackupWriter, Manifest
from syncer.storage.database.store import copy_ledger, remove_ledger, settle_copy
from syncer.storage.ledger.content import LedgerContent, SavedConnection, content_of
from syncer.storage.ledger.writer import AuditEntry
from syncer.storage.restore import Unpacked
from syncer.storage.vault import KEY_FILE, VAULT_FILE, FileVault

_SAVING = ".backup-"  # with the number of the process
COOKIE_KEY = "console"  # the name of the secret that signs the cookies of sign-ins
_OF_A_FRESH_CONSOLE = frozenset({COOKIE_KEY, "xero-consents"})  # secrets that nobody misses


@dataclass(frozen=True)
class Saved:
    """A backup that was written: its size in bytes, and for how many seconds nobody could write to the ledger."""

    path: Path
    bytes: int
    manifest: Manifest
    held_s: float


@dataclass(frozen=True)
class Restored:
    """What was put in place; for each connection what is to be done before it works, as sentences.

    `has_sign_ins`: cookies of sign-ins that were ended since count again.
    """

    manifest: Manifest
    steps: dict[str, list[str]]
    has_sign_ins: bool


def save(app: App, target: Path, with_secrets: bool, stop: Callable[[], bool]) -> Saved:
    """Write a backup of the installation, which goes on working; raises WrongUsage, TryLater, SyncerError."""
    _must_be_free(app, target)
    if not app.store.path.exists():
        raise WrongUsage(f"There is nothing to save: {app.store.path} does not exist. Is SYNCER_DATA_DIR right?")
    data_dir = app.environment.data_dir
    with backup.own_folder(data_dir, _SAVING) as folder, backup.new_backup(target) as (part, file):
        with backup.BackupWriter(file, stop) as writer:
            manifest, held_s = _write(app, writer, folder / backup.LEDGER, with_secrets)
        file.flush()
        with backup.told_disk(data_dir):
            _prove(part, manifest, folder / backup.LEDGER, stop)
        size = part.stat().st_size
    _note(app, "backed_up", target)
    return Saved(target, size, manifest, held_s)


def _note(app: App, what: str, file: Path) -> None:
    """Into the audit trail; what was done is done, also where somebody holds the ledger for long."""
    with suppress(LedgerBusy):
        app.register.note(AuditEntry(who(), what), app.clock.now(), file.name)


def _must_be_free(app: App, target: Path) -> None:
    if target.is_dir():
        raise WrongUsage(f"{target} is a folder. Name a file in it, such as {target / 'syncer-backup.zip'}.")
    if target.exists() or target.is_symlink():
        raise WrongUsage(f"{target} is there already, and a backup overwrites nothing. Give another name.")
    if not target.parent.is_dir():
        raise WrongUsage(f"The folder {target.parent} is not there. Make it, or give another place.")
    if target.resolve().is_relative_to(app.environment.data_dir.resolve()):
        raise WrongUsage(
            f"{target} is in the data directory, and would be lost together with what it saves. Give a place elsewhere."
        )


def _write(app: App, writer: BackupWriter, copy: Path, with_secrets: bool) -> tuple[Manifest, float]:
    data_dir = app.environment.data_dir
    # Events first: one that is acted on meanwhile is in the backup twice rather than not at all.
    writer.add_folder(backup.INBOX, data_dir / backup.INBOX)
    made_at = app.clock.now()
    with backup.told_disk(data_dir):
        content, held_s = _copy_of_ledger(app, copy)
    writer.add(backup.LEDGER, copy)
    remove_ledger(copy)
    # Bodies last: those that the ledger speaks of were there before it did.
    writer.add_folder(backup.BODIES, data_dir / backup.BODIES)
    for name in backup.SECRETS if with_secrets else ():
        writer.add(name, data_dir / name)
    return writer.finish(content, VERSION, made_at, _key_of(app) if with_secrets else ""), held_s


def _copy_of_ledger(app: App, to: Path) -> tuple[LedgerContent, float]:
    """Only the copying holds others up; what is in it is counted afterwards."""
    with app.store.held_still() as ledger:
        began = time.perf_counter()
        copy_ledger(ledger, to)
        held_s = time.perf_counter() - began
    settle_copy(to)
    content = content_of(to)
    if content.is_empty:
        raise WrongUsage(f"There is nothing to save: {app.store.path} is empty. Is SYNCER_DATA_DIR right?")
    return content, held_s


def _key_of(app: App) -> str:
    """Where the key of the vault is, if there is a vault."""
    if not (app.environment.data_dir / VAULT_FILE).exists():
        return ""
    return "environment" if app.environment.secret_key else "file"


def _prove(written: Path, manifest: Manifest, ledger: Path, stop: Callable[[], bool]) -> None:
    """Read it again as a restore would; raises SyncerError where it does not come to the same."""
    try:
        with backup.opened(written) as reader:
            reader.extract(lambda name: ledger if name == backup.LEDGER else None, stop)
            same = reader.manifest == manifest
    except WrongUsage as damaged:
        raise SyncerError("backup_differs") from damaged
    if not same or not _agree(content_of(ledger), manifest):
        raise SyncerError("backup_differs")


def _agree(content: LedgerContent, manifest: Manifest) -> bool:
    return (content.connections, content.invoices) == (manifest.connections, manifest.invoices)


def restore(app: App, source: Path, stop: Callable[[], bool]) -> Restored:
    """Put a backup into an installation that is empty; raises WrongUsage, LedgerBusy, SyncerError. All or nothing."""
    app.places.must_be_empty()
    with backup.opened(source) as reader:
        manifest = reader.manifest
        _must_fit(app, source, manifest)
        with app.places.unpacked() as unpacked:
            with backup.told_disk(app.environment.data_dir):
                reader.extract(unpacked.place, stop)
            content = _content_of(source, unpacked.ledger, manifest)
            _must_open_vault(app, unpacked)
            with backup.told_disk(app.environment.data_dir):
                unpacked.mark_as_copy({DEFAULT, *(one.name for one in content.connections)})
            app.places.put(unpacked)
    app.__dict__.pop("vault", None)  # the key may be another now
    _note(app, "restored", source)
    steps = {one.name: _steps(app, one) for one in content.connections}
    return Restored(manifest, steps, COOKIE_KEY in app.vault.names())


def _must_fit(app: App, source: Path, manifest: Manifest) -> None:
    """Its schema is known, its secrets can be read here and take the place of none."""
    if manifest.schema_version > app.store.schema_version:
        raise backup.too_new(source, manifest.version)
    vault, key = app.environment.data_dir / VAULT_FILE, app.environment.secret_key
    try:
        names = set(app.vault.names()) if vault.exists() else set()
    except SyncerError as unreadable:
        raise WrongUsage(
            f"{vault} holds secrets that cannot be read with the key of this installation: set SYNCER_SECRET_KEY to "
            f"the right one, or move it and {KEY_FILE} away. Nothing was changed."
        ) from unreadable
    if not manifest.with_secrets:
        return
    if names - _OF_A_FRESH_CONSOLE:
        raise WrongUsage(
            f"{vault} holds secrets already, and those of the backup would replace them. Move it and {KEY_FILE} "
            "away, or restore a backup without secrets. Nothing was changed."
        )
    if manifest.key == "environment" and not key:
        raise WrongUsage(
            "The secrets in this backup were encrypted with SYNCER_SECRET_KEY: set it to the key of the machine that "
            "the backup is of. Nothing was changed."
        )
    if manifest.key == "file" and key:
        raise WrongUsage(
            "The secrets in this backup were encrypted with the key file that it brings: take SYNCER_SECRET_KEY out of "
            "the environment and .env. Nothing was changed."
        )


def _content_of(source: Path, ledger: Path, manifest: Manifest) -> LedgerContent:
    try:
        content = content_of(ledger)
    except SyncerError as failure:
        if failure.code != "ledger_unreadable":
            raise
        raise WrongUsage(
            f"The ledger in {source} cannot be read. Nothing was changed. Use another backup."
        ) from failure
    if content.schema_version != manifest.schema_version or not _agree(content, manifest):
        raise WrongUsage(f"The ledger in {source} is not the one of its manifest. Nothing was changed.")
    return content


def _must_open_vault(app: App, unpacked: Unpacked) -> None:
    if not unpacked.place(VAULT_FILE).exists():
        return
    try:
        FileVault(unpacked.folder, app.environment.secret_key).names()
    except SyncerError as failure:
        raise WrongUsage(
            "The secrets in this backup cannot be read with the key of this installation: set SYNCER_SECRET_KEY to the "
            "one that they were encrypted with, or restore a backup without secrets. Nothing was changed."
        ) from failure


def _steps(app: App, saved: SavedConnection) -> list[str]:
    """What a connection still needs before it can sync."""
    connection = app.connection(saved.name)
    states.notice(connection)
    steps, command = [], "python -m syncer connect"
    try:
        connection.source  # noqa: B018 — it raises where there is none
    except Reconnect:
        if saved.name == DEFAULT:
            steps.append("Set CROCOCLICK_TOKEN and CROCOCLICK_LOCATION_ID in .env.")
        else:
            command += f" --connection {saved.name} --location {saved.location_id} --token-file FILE"
    try:
        tokens = connection.tokens.tokens()
    except Reconnect:
        tokens = None
        steps.append("Set XERO_CLIENT_ID, and XERO_CLIENT_SECRET if the app has one, in .env.")
    if not (tokens and tokens.tenant_id) or "--location" in command:
        named = "" if saved.name == DEFAULT or "--location" in command else f" --connection {saved.name}"
        whom = f", choose {saved.organisation}" if saved.organisation else ""
        steps.append(f"Connect Xero again{whom}: `{command}{named}`, or on the console's Connections page.")
    return steps
