"""What CrocoClick tells by itself: is it really from CrocoClick, and which record does it name.

An event is never trusted for content: it says *look at this one now*, and no more. Sources: HighLevel's
"Webhook Authentication" (Ed25519 over the raw body, base64, header X-GHL-Signature) and its webhook examples, in which
`type`, `locationId`, `timestamp` and `webhookId` may be missing.
"""

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from syncer.domain.errors import WrongUsage
from syncer.domain.mapping.plain_text import is_whole
from syncer.domain.ports import Event

SIGNATURE = "x-ghl-signature"
LARGEST_BYTES = 1_000_000
# HighLevel's published key; the setting CROCOCLICK_WEBHOOK_KEY replaces it, since they announce that it may change.
PUBLISHED_KEY = "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="
_RAW_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def public_key(text: str) -> Ed25519PublicKey:
    """The key of a PEM, or of the base64 of its 32 raw bytes or its SPKI form; raises WrongUsage."""
    try:
        if "BEGIN" in text:
            # In a .env file the lines of a PEM are written with \n between them.
            found = load_pem_public_key(text.replace("\\n", "\n").encode())
        else:
            raw = base64.b64decode(text, validate=True)
            found = Ed25519PublicKey.from_public_bytes(raw) if len(raw) == _RAW_BYTES else load_der_public_key(raw)
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise WrongUsage(
            "CROCOCLICK_WEBHOOK_KEY must be an Ed25519 public key: a PEM, or the base64 of its 32 bytes or of its SPKI "
            "form. Leave it out to use HighLevel's published key."
        )
    return found


def is_signed(key: Ed25519PublicKey, body: bytes, signature: str) -> bool:
    """Whether these very bytes were signed with the key that belongs to this one."""
    try:
        key.verify(base64.b64decode(signature, validate=True), body)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def read(body: bytes, received_at: datetime) -> Event | None:
    """The event, or None where it names neither an invoice nor a contact."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    kind = _text(told.get("type"))
    about = _about(kind, told)
    subject = _text(told.get("_id") or told.get("id"))
    # An id goes into the path of a request with our token: nothing else than an id may.
    if not about or not _ID.fullmatch(subject):
        return None
    return Event(
        id=_text(told.get("webhookId")) or hashlib.sha256(body).hexdigest(),
        location_id=_text(told.get("locationId") or told.get("altId")),
        kind=kind,
        about=about,
        subject=subject,
        sent_at=_moment(told.get("timestamp")),
        received_at=received_at,
    )


def _about(kind: str, told: dict[str, Any]) -> str:
    lower = kind.lower()
    if lower.startswith("invoice") or (not kind and "invoiceNumber" in told):
        return "invoice"
    return "contact" if lower.startswith("contact") else ""


def _text(value: Any) -> str:
    # Half a character could not be written down.
    return value.strip()[:200] if isinstance(value, str) and is_whole(value) else ""


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
