"""A CrocoClick list that is not what it says is still read whole, and read to an end."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from syncer.connectors.crococlick import client
from syncer.domain.errors import HaltRun
from tests.support.http_stage import HandClock, Notes, staged


def row(n):
    """A small invoice."""
    return {"_id": f"i{n:04}", "status": "sent", "total": 1, "invoiceItems": []}


def serving(rows, total, most=100):
    """Answers a location, and pages of `rows(offset, order)` at most `most` long."""

    def answer(handler):
        url = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith("/locations"):
            said = {"location": {"id": "L", "name": "x", "timezone": "Europe/Paris"}}
        else:
            offset = int(query["offset"])
            said = {"invoices": rows(query["sortOrder"])[offset : offset + most], "total": total}
        body = json.dumps(said).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def read(stage):
    """The ids of everything that came."""
    crm = client.CrocoClick.open(stage.url, "t", "L", Notes(), HandClock())
    found = {invoice.source_id for page in crm.invoices() for invoice in page.items}
    crm.close()
    return found


def test_a_server_that_gives_less_than_asked():
    """Pages of 40 where 100 were asked for: the announced length says that more follows."""
    rows = [row(n) for n in range(130)]
    with staged(serving(lambda order: rows, 130, most=40)) as stage:
        assert len(read(stage)) == 130


def test_a_row_that_one_end_hides_is_found_from_the_other():
    """Rows of one day in an order of chance: what is missing at the end is looked for backwards."""
    rows = [row(n) for n in range(150)]
    hidden = [*rows[:70], rows[69], *rows[71:]]
    with staged(serving(lambda order: hidden if order == "ascend" else rows[::-1], 150)) as stage:
        assert len(read(stage)) == 150


def test_a_length_that_is_wrong_does_not_loop():
    """It says a thousand and has three."""
    with staged(serving(lambda order: [row(n) for n in range(3)], 1000)) as stage:
        assert len(read(stage)) == 3


@pytest.mark.parametrize("total", [None, "250", 100, 250])
def test_all_transactions_are_read_whatever_their_number_is_said_to_be(total):
    """A full page is followed by another one."""
    rows = [{"_id": f"t{n}", "entitySourceType": "invoice", "entitySourceId": "i", "amount": 1} for n in range(250)]

    def answer(handler):
        url = urlsplit(handler.path)
        offset = int(parse_qs(url.query).get("offset", ["0"])[0])
        said = {"location": {"id": "L", "timezone": "Europe/Paris"}}
        if "transactions" in url.path:
            said = {"data": rows[offset : offset + 100]} | ({} if total is None else {"totalCount": total})
        body = json.dumps(said).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with staged(answer) as stage:
        crm = client.CrocoClick.open(stage.url, "t", "L", Notes(), HandClock())
        assert len({one.source_id for page in crm.payments() for one in page.items}) == 250
        crm.close()


def test_a_list_without_end_is_a_fault(monkeypatch):
    """Every page full, for ever."""
    monkeypatch.setattr(client, "PAGES", 3)

    class Endless(list):
        def __getitem__(self, where):
            return [row(n) for n in range(where.start, where.stop)]

    with staged(serving(lambda order: Endless(), 10**9)) as stage, pytest.raises(HaltRun):
        read(stage)
