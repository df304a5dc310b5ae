"""Webhooks as CrocoClick sends them, signed with a key of the sandbox's own (Ed25519, RFC 8032)."""

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.crococlick import contacts, invoices
from sandbox.crococlick.records import Location
from sandbox.wire import dumps

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the sandbox's webhook key").digest())
PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def event(location: Location, kind: str, id_: str, **changes: Any) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event about an invoice or a contact.

    `changes` go over the body; None takes a field away, as some documented bodies lack type or webhookId.
    """
    if kind.startswith("Contact"):
        body = contacts.shown(location.contacts[id_])
    else:
        body = json.loads(invoices.shown(location, invoices.find(location, id_)))
    body |= {"type": kind, "locationId": location.id, "timestamp": location.now(), "webhookId": secrets.token_hex(16)}
    raw = dumps({k: v for k, v in (body | changes).items() if v is not None}).encode()
    return {"Content-Type": "application/json", "X-GHL-Signature": signature(raw)}, raw


def gone(location: Location, kind: str, id_: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event about a record that is deleted."""
    body = {"_id": id_, "type": kind, "locationId": location.id, "timestamp": location.now()}
    raw = dumps(body | {"webhookId": secrets.token_hex(16)}).encode()
    return {"Content-Type": "application/json", "X-GHL-Signature": signature(raw)}, raw


def signature(raw: bytes) -> str:
    """The signature over the bytes that are sent."""
    return base64.b64encode(KEY.sign(raw)).decode()
