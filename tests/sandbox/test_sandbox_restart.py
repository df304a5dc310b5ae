"""The sandbox as a process: its command line, and what survives when it is stopped or killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import LOCATION, crm_client, invoice

from sandbox.server import Sandbox, WrongWorld
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
Start = Callable[..., "Process"]


class Process:
    """A sandbox in a process of its own."""

    def __init__(self, *options: str, env: dict[str, str] | None = None):
        command = [sys.executable, "-m", "sandbox", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | (env or {})
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.url = self.line.split()[-1] if self.line else ""

    def desk(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the test desk."""
        answer = httpx.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def xero(self, tokens: dict[str, Any]) -> httpx.Client:
        """A client of the accounting API."""
        tenant = self.desk("GET", "xero")["OrganisationID"]
        head = {
            "Authorization": f"Bearer {tokens['access_token']}",
            "Xero-Tenant-Id": tenant,
            "Accept": "application/json",
        }
        return httpx.Client(base_url=f"{self.url}/api.xro/2.0", headers=head)

    def end(self, how: int = signal.SIGKILL) -> tuple[int, str]:
        """Stop it; gives the exit status and what it said on standard error."""
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors


@pytest.fixture
def start() -> Iterator[Start]:
    """Start sandboxes; what still runs at the end is stopped."""
    running: list[Process] = []

    def begin(*options: str, **more: Any) -> Process:
        running.append(Process(*options, **more))
        return running[-1]

    yield begin
    for process in running:
        if process.process.poll() is None:
            process.end()


def test_everything_survives_a_kill(start: Start, tmp_path: Path) -> None:
    """Killed without warning and started again: invoices, payments, tokens, notes and CrocoClick are as they were."""
    options = ("--world", "quiet", "--data-dir", str(tmp_path), "--no-limits")
    first = start(*options)
    tokens = first.desk("POST", "xero/do/grant", {})
    with first.xero(tokens) as client:
        made = client.put("/Invoices", json=invoice(InvoiceNumber="K-1")).json()["Invoices"][0]
        payment = {"Invoice": {"InvoiceNumber": "K-1"}, "Account": {"Code": "512"}, "Amount": 20}
        client.put("/Payments", json=payment)
        client.put(f"/Invoices/{made['InvoiceID']}/History", json={"HistoryRecords": [{"Details": "n"}]})
        client.put("/TaxRates", json={"Name": "Neu", "TaxComponents": [{"Name": "T", "Rate": 3}]})
        before = client.get("/Invoices/K-1").json()["Invoices"]
    first.desk("POST", "crococlick/do/pay", {"key": first.desk("GET", "crococlick/invoices")[0]["_id"]})
    state = first.desk("GET", "state")
    first.end(signal.SIGKILL)
    second = start(*options)
    again = second.desk("GET", "state")
    assert (again["xero"], again["crococlick"]) == (state["xero"], state["crococlick"])
    with second.xero(tokens) as client:
        assert client.get("/Invoices/K-1").json()["Invoices"] == before
        assert client.get(f"/Invoices/{made['InvoiceID']}/History").json()["HistoryRecords"][0]["Details"] == "n"
        assert "Neu" in client.get("/TaxRates").text
        update = {"InvoiceID": made["InvoiceID"], "Reference": "lives on"}
        assert client.post("/Invoices", json=update).status_code == 200
        assert client.put("/Invoices", json=invoice(InvoiceNumber="K-1")).status_code == 400
    refreshed = httpx.post(
        f"{second.url}/connect/token",
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        auth=("sandbox-client", "sandbox-secret"),
    )
    assert refreshed.status_code == 200


def test_what_was_answered_is_on_disk(start: Start, tmp_path: Path) -> None:
    """A writer that is killed in the middle finds every invoice it had an answer for."""
    options = ("--world", "empty", "--data-dir", str(tmp_path), "--no-limits")
    first = start(*options)
    tokens = first.desk("POST", "xero/do/grant", {})
    answered = []
    with first.xero(tokens) as client:
        for n in range(25):
            batch = {"Invoices": [invoice(InvoiceNumber=f"W-{n}-{m}") for m in range(10)]}
            assert client.put("/Invoices?summarizeErrors=false", json=batch).status_code == 200
            answered += [i["InvoiceNumber"] for i in batch["Invoices"]]
    first.end(signal.SIGKILL)
    second = start(*options)
    assert second.desk("GET", "xero/numbers") == sorted(answered)


def test_fresh_starts_over_and_another_world_is_refused(start: Start, tmp_path: Path) -> None:
    """A kept state belongs to its world: another one is refused with a sentence, --fresh forgets."""
    data = ("--data-dir", str(tmp_path))
    assert start("--world", "quiet", *data).end(signal.SIGKILL)
    other = start("--world", "empty", *data)
    status, errors = other.process.wait(20), other.process.stderr.read()  # type: ignore[union-attr]  # because: piped
    assert status == 2
    assert (
        errors == "The kept state was made from the world quiet, not from the world empty. Start over with --fresh.\n"
    )
    fresh = start("--world", "empty", "--fresh", *data)
    assert fresh.desk("GET", "state")["crococlick"]["invoices"] == 0


def test_two_sandboxes_do_not_share_a_state(start: Start, tmp_path: Path) -> None:
    """The second on the same data directory is told so at once."""
    start("--world", "empty", "--data-dir", str(tmp_path))
    second = start("--world", "empty", "--data-dir", str(tmp_path))
    assert second.process.wait(20) == 2
    assert "Another sandbox is using this data directory" in second.process.stderr.read()  # type: ignore[union-attr]  # because: piped


def test_it_says_when_it_is_ready_and_ends_quietly(start: Start, tmp_path: Path) -> None:
    """One line on standard output, the URL in the file, and no complaint at Ctrl-C."""
    ready = tmp_path / "ready"
    env = {"SYNCER_DATA_DIR": str(tmp_path / "elsewhere")}
    process = start("--world", "empty", "--ready-file", str(ready), env=env)
    assert process.line == f"Sandbox ready on {process.url}\n"
    assert ready.read_text().strip() == process.url
    assert (tmp_path / "elsewhere" / "sandbox.sqlite").exists()
    status, errors = process.end(signal.SIGINT)
    assert (status, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--world", "nowhere"],
            "There is no world called nowhere. The worlds are: demo, quiet, empty, month-end, training.",
        ),
        (["--load", "/nothing/here"], "There is nothing at /nothing/here."),
        (["--world", "demo", "--load", "."], "Choose either --world or --load."),
        (["--load", "."], "There is no lines.parquet in ."),
        (["--port", "x"], "Argument --port: invalid int value: 'x'. See --help."),
        (["--nonsense"], "Unrecognized arguments: --nonsense. See --help."),
        (["--time-scale", "0"], "The time scale must be above 0"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path: Path, options: list[str], sentence: str) -> None:
    """Exit status 2 and a sentence, never a traceback."""
    command = [sys.executable, "-m", "sandbox", "--data-dir", str(tmp_path), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_the_help_lists_what_there_is() -> None:
    """Worlds, credentials, faults and magic numbers are all in the help."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0
    for text in ("month-end", "pit-sandbox", "sandbox-secret", "accepted_then_hung_up", "MAGIC-HANGUP", "--time-scale"):
        assert text in done.stdout


def test_in_process_state_can_be_kept_too(tmp_path: Path) -> None:
    """Sandbox(data_dir=…) takes up where another left off, and refuses another world."""
    with Sandbox(world="quiet", data_dir=tmp_path) as box:
        box.crococlick.edit_invoice(box.crococlick.invoices()[0]["_id"], name="Neu")
        box.crococlick.switch(dates="bare")
        kept = box.crococlick.invoices()
    with Sandbox(world="quiet", data_dir=tmp_path) as box:
        assert box.crococlick.invoices() == kept
    with pytest.raises(WrongWorld):
        Sandbox(world="demo", data_dir=tmp_path)
    with Sandbox(world=None, data_dir=tmp_path) as box:
        assert box.crococlick.invoices() == kept
    with Sandbox(world="demo", data_dir=tmp_path, fresh=True) as box:
        assert len(box.crococlick.invoices()) > 100


def test_persistence_costs_little(tmp_path: Path) -> None:
    """A write puts down what it changed, not everything there is: the hundredth as few rows as the second."""
    with Sandbox(world="empty", data_dir=tmp_path, limits=False) as box:
        body = json.loads(json.dumps(invoice()))
        written = []
        for _ in range(100):
            before = box.sim.store.db.total_changes
            assert box.xero.ask("PUT", "Invoices", body)[0] == 200
            written.append(box.sim.store.db.total_changes - before)
        assert 0 < written[99] <= written[1]


def test_the_test_desk_over_http(quiet: Sandbox) -> None:
    """What a test does with handles, a script does over HTTP."""

    def desk(method: str, path: str, body: Any = None) -> Any:
        return httpx.request(method, f"{quiet.url}/_sandbox/{path}", json=body)

    contact = desk("POST", "crococlick/contacts", {"name": "A B", "email": "ab@x.example"}).json()["id"]
    line = {"name": "x", "qty": 2, "amount": 9.5, "taxes": [20]}
    made = desk("POST", "crococlick/invoices", {"contact": contact, "lines": [line], "number": "H-1"}).json()["id"]
    assert desk("GET", "crococlick/invoices/H-1").json()["total"] == 22.8
    assert desk("POST", f"crococlick/invoices/{made}", {"name": "Neu"}).json() == {"ok": True}
    desk("POST", "crococlick/do/void", {"key": "H-1"})
    assert desk("GET", "crococlick/invoices/H-1").json()["status"] == "void"
    id_ = desk("POST", "xero/contacts", {"Name": "Hand"}).json()["id"]
    desk("POST", f"xero/contacts/{id_}", {"ContactStatus": "ARCHIVED"})
    assert any(c["ContactStatus"] == "ARCHIVED" for c in desk("GET", "xero/contacts").json())
    assert desk("POST", "xero/taxrates", {"name": "TVA 8 %", "rate": 8}).json() == {"id": "TAX005"}
    assert desk("POST", "xero", {"PeriodLockDate": "2026-01-31"}).json()["PeriodLockDate"] == "2026-01-31"
    with crm_client(quiet) as client:
        client.get(f"/locations/{LOCATION}")
    assert desk("GET", "calls/count?side=crococlick&method=get&path=/locations").json() == {"count": 1}
    desk("POST", "reset-calls")
    assert desk("GET", "calls/count").json() == {"count": 0}
    assert desk("POST", "settings", {"latency_ms": 5, "limits": True}).json()["latency_ms"] == 5
    state = desk("GET", "state").json()
    assert state["crococlick"]["totals"]["EUR"]["void"] == {"count": 1, "total": "22.8", "due": "22.8"}
    for path, body in (("xero/invoices", {"x": 1}), ("crococlick/do/nope", {}), ("xero/do/_bank", {})):
        assert desk("POST", path, body).status_code == 400, path
    assert desk("GET", "nowhere").status_code == 404
    assert "/_sandbox/state" in desk("GET", "").text
