"""What CrocoClick tells by itself: signed or refused, and read for the record that it names and no more."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from syncer.connectors.crococlick.webhooks import PUBLISHED_KEY, is_signed, public_key, read
from syncer.domain.errors import WrongUsage
from syncer.domain.ports import Event
from syncer.storage.webhook_inbox import Inbox

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SECRET.public_key()
RAW = base64.b64encode(PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
SPKI = base64.b64encode(PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ELLIPTIC = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("form", [RAW, SPKI, PEM, PEM.replace("\n", "\\n"), PUBLISHED_KEY])
def test_every_form_of_the_key(form):
    """A PEM, its lines joined as in a .env file, or base64 of either form."""
    assert public_key(form)


@pytest.mark.parametrize("form", ["", "not base64 §", RAW[:-8], "-----BEGIN PUBLIC KEY-----", ELLIPTIC.decode()])
def test_a_key_that_is_none_is_refused(form):
    """With a sentence that says what it must be."""
    with pytest.raises(WrongUsage, match="CROCOCLICK_WEBHOOK_KEY must be an Ed25519 public key"):
        public_key(form)


def test_a_signature_is_over_the_very_bytes():
    """One byte more, another key, no signature: refused."""
    body = b'{"a": 1}'
    good = base64.b64encode(SECRET.sign(body)).decode()
    other = base64.b64encode(Ed25519PrivateKey.generate().sign(body)).decode()
    assert is_signed(PUBLIC, body, good)
    for bad in (other, "", "§", good[:-4], base64.b64encode(b"x" * 64).decode()):
        assert not is_signed(PUBLIC, body, bad)
    assert not is_signed(PUBLIC, body + b" ", good)


def told(**fields):
    return json.dumps(fields).encode()


def test_an_event_with_everything():
    """Its record, its location, its own id and time."""
    body = told(
        type="InvoiceSent", locationId="L1", _id="i1", webhookId="w1", timestamp="2026-11-26T08:59:58.000Z", total=1
    )
    sent_at = datetime(2026, 11, 26, 8, 59, 58, tzinfo=UTC)
    assert read(body, NOW) == Event("w1", "L1", "InvoiceSent", "invoice", "i1", sent_at, NOW)


def test_an_event_as_documented_has_no_type_location_or_id():
    """It is an invoice by its number; the location is `altId`; a digest of the body is its id."""
    body = told(_id="i1", altId="L1", invoiceNumber=19, status="sent")
    found, again = read(body, NOW), read(body, NOW)
    assert found == again and (found.location_id, found.kind, found.about, found.sent_at) == ("L1", "", "invoice", None)


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"type": "ContactUpdate", "id": "c1"}, "contact"),
        ({"type": "INVOICESENT", "_id": "i1"}, "invoice"),
        ({"type": "contactdelete", "id": "c1"}, "contact"),
        ({"type": "InvoiceDelete", "_id": "i1", "timestamp": "yesterday"}, "invoice"),
        ({"type": "InvoiceCreate", "_id": "i1", "timestamp": "2026-11-26T08:59:58"}, "invoice"),
    ],
)
def test_what_an_event_is_about(fields, about):
    """By its type; a time that cannot be read is none."""
    assert read(told(**fields), NOW).about == about


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[1]",
        b"{}",
        b'{"a":' * 100_000,
        told(type="InvoiceSent", _id="../../etc/passwd?x=1#"),
        told(type="InvoiceSent", _id="x/../../contacts/"),
        told(type="InvoiceSent", _id="\ud83c"),
        told(type="INSTALL", appId="a"),
        told(type="InvoiceSent"),
        told(_id="i1"),
    ],
)
def test_what_names_no_record_is_no_event(body):
    """Nothing follows from it."""
    assert read(body, NOW) is None


def event(id_, location="L1"):
    return Event(id_, location, "InvoiceSent", "invoice", f"i-{id_}", None, NOW)


def test_the_inbox_keeps_each_event_once_for_its_location(tmp_path):
    """However often it comes, and whoever else's wait beside it; those of strangers are forgotten in time."""
    inbox = Inbox(tmp_path / "inbox")
    assert (inbox.waiting(), inbox.oldest_s(NOW, {"L1"}), inbox.events("L1")) == (0, None, [])
    for one in (event("a"), event("b"), event("a"), event("c", "L2")):
        assert inbox.put(one)
    assert (inbox.waiting(), inbox.waiting("L1")) == (3, 2)
    assert sorted(one.id for one in inbox.events("L1")) == ["a", "b"]
    inbox.drop([event("a")])
    inbox.drop_strangers({"L1"}, datetime(2999, 1, 1, tzinfo=UTC))
    assert [one.id for one in inbox.events("L1")] == ["b"] and inbox.events("L2") == []
    assert inbox.oldest_s(datetime(2999, 1, 1, tzinfo=UTC), {"L1"}) > 0


def test_a_damaged_event_is_passed_over(tmp_path):
    """The next sweep finds what it was about."""
    inbox = Inbox(tmp_path)
    inbox.put(event("a"))
    next(tmp_path.glob("*.json")).write_text("{")
    assert inbox.events("L1") == []


def test_a_full_inbox_takes_nothing_more(tmp_path, monkeypatch):
    """CrocoClick is told to come again."""
    monkeypatch.setattr("syncer.storage.webhook_inbox.MOST", 1)
    inbox = Inbox(tmp_path)
    assert inbox.put(event("a")) and not inbox.put(event("b"))
