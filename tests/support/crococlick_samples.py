"""Answers of CrocoClick as they are published."""

import os
from pathlib import Path

PAYLOADS = (
    Path(os.environ.get("SYNCER_PAYLOADS", Path(__file__).parents[3] / "shared" / "data" / "payloads")) / "highlevel"
)


ROW = {
    "_id": "t1",
    "entitySourceType": "invoice",
    "entitySourceId": "i1",
    "amount": "12.50",
    "currency": "eur",
    "status": "succeeded",
    "fulfilledAt": "2026-08-25T22:00:00.000Z",
    "createdAt": "2026-08-27T10:00:00.000Z",
    "paymentMethod": {"type": "bank_transfer"},
}
