"""Webhooks of the sandbox arrive signed, for every kind of change, and again where they were not taken."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.crococlick.deliveries import Deliveries
from sandbox.server import Sandbox
from tests.support.waiting import until


@pytest.fixture
def taken():
    """An address that notes what it is told; `answers` says what it answers next."""
    told, answers = [], []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.headers["X-GHL-Signature"], body))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *said):
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", told, answers
    server.shutdown()


def kinds(told):
    return [json.loads(body)["type"] for _, body in told]


def test_every_change_is_told_and_signed(taken):
    """A draft, sent, paid in part and whole, edited, voided, deleted; a contact."""
    address, told, _ = taken
    with Sandbox(world="empty", limits=False) as box:
        deliveries = Deliveries(box.sim, address).start()
        crm = box.crococlick
        contact = crm.add_contact(name="Anne", email="anne@example.org")
        until(lambda: kinds(told) == ["ContactCreate"])
        steps = [
            (lambda: crm.add_invoice(number="A", contact=contact, status="draft"), "InvoiceCreate"),
            (lambda: crm.send("A"), "InvoiceSent"),
            (lambda: crm.edit_invoice("A", name="Another"), "InvoiceUpdate"),
            (lambda: crm.pay("A", 10), "InvoicePartiallyPaid"),
            (lambda: crm.pay("A"), "InvoicePaid"),
            (lambda: crm.void("A"), "InvoiceVoid"),
            (lambda: crm.delete("A"), "InvoiceDelete"),
        ]
        for number, (step, kind) in enumerate(steps, 2):
            step()
            until(lambda number=number: len(told) >= number)
            assert kinds(told)[-1] == kind
        deliveries.stop()
        key = load_pem_public_key(crm.webhook_key.encode())
        for signature, body in told:
            key.verify(base64.b64decode(signature), body)
        assert len({json.loads(body)["webhookId"] for _, body in told}) == len(told)


def test_what_is_not_taken_is_told_again(taken):
    """After a failure with growing pauses, after a 429 every ten minutes: the same event, byte for byte."""
    address, told, answers = taken
    answers += [500, 429, 200]
    with Sandbox(world="empty", limits=False, time_scale=6000) as box:
        deliveries = Deliveries(box.sim, address).start()
        box.crococlick.add_contact(name="Anne", email="anne@example.org")
        until(lambda: len(told) == 3)
        deliveries.stop()
        assert deliveries.answers == [500, 429, 200] and len(set(told)) == 1
