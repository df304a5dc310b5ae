"""How fast the sandbox is: `python -m bench.sandbox` starts one in a process of its own and measures it."""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

INVOICES, LINES, BATCH = 5000, 20, 50


def body_of(batch: int, lines: int = LINES) -> bytes:
    """A batch of approved invoices as a client writes them."""
    items = [
        {
            "Description": f"Article {n} — prestation de conseil",
            "Quantity": n % 7 + 1,
            "UnitAmount": 12.3456 + n,
            "AccountCode": "706",
            "TaxType": ("TAX001", "TAX002", "NONE")[n % 3],
        }
        for n in range(lines)
    ]
    invoices = [
        {
            "Type": "ACCREC",
            "Contact": {"Name": f"Client {(batch * BATCH + n) % 300}"},
            "InvoiceNumber": f"BENCH-{batch:05d}-{n:03d}",
            "Reference": "Mesure",
            "Url": f"https://app.example/invoices/{batch}/{n}",
            "Date": "2026-11-02",
            "DueDate": "2026-12-02",
            "LineAmountTypes": "Exclusive",
            "Status": "AUTHORISED",
            "CurrencyCode": "EUR",
            "LineItems": items,
        }
        for n in range(BATCH)
    ]
    return json.dumps({"Invoices": invoices}).encode()


class Client:
    """One kept connection."""

    def __init__(self, url: str):
        self.http = http.client.HTTPConnection(urlsplit(url).netloc)
        self.headers: dict[str, str] = {"Accept": "application/json", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """One request; anything but 200 ends the measurement."""
        self.http.request(method, path, body, self.headers)
        answer = self.http.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content


def started(folder: str, *options: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox in a process of its own."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--no-limits", "--data-dir", folder, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 — it was asked for
    return process, process.stdout.readline().split()[-1]


def cpu_s(pid: int) -> float:
    """Processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def writes(client: Client, pid: int) -> str:
    """Invoices created in batches."""
    bodies = [body_of(n) for n in range(INVOICES // BATCH)]
    cpu, start = cpu_s(pid), time.perf_counter()
    for body in bodies:
        answer = client.ask("PUT", "/api.xro/2.0/Invoices?summarizeErrors=false&unitdp=4", body)
        if b'"ERROR"' in answer:
            raise RuntimeError("an invoice was refused")
    spent = time.perf_counter() - start
    return (
        f"create {INVOICES} invoices of {LINES} lines: {INVOICES / spent:,.0f}/s, {cpu_s(pid) - cpu:.2f} s of processor"
    )


def reads(client: Client) -> str:
    """Pages of a thousand invoices with their lines."""
    start = time.perf_counter()
    pages = INVOICES // 1000
    size = sum(
        len(client.ask("GET", f"/api.xro/2.0/Invoices?page={n + 1}&pageSize=1000&unitdp=4")) for n in range(pages)
    )
    spent = time.perf_counter() - start
    return f"list pages of 1000: {1000 * spent / pages:.0f} ms each, {size / pages / 1e6:.1f} MB"


def crm_reads(client: Client) -> str:
    """Pages of a hundred CrocoClick invoices."""
    client.headers |= {"Authorization": "Bearer pit-sandbox", "Version": "2021-07-28"}
    start = time.perf_counter()
    for n in range(20):
        path = f"/invoices/?altId=SandboxLocation00001&altType=location&limit=100&offset={100 * n}"
        client.ask("GET", path)
    return f"list 100 CrocoClick invoices: {1000 * (time.perf_counter() - start) / 20:.1f} ms each"


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        process, url = started(folder, "--world", "month-end")
        try:
            client = Client(url)
            token: dict[str, Any] = json.loads(client.ask("POST", "/_sandbox/xero/do/grant", b"{}"))
            tenant = json.loads(client.ask("GET", "/_sandbox/xero"))["OrganisationID"]
            client.headers |= {"Authorization": f"Bearer {token['access_token']}", "Xero-Tenant-Id": tenant}
            for line in (writes(client, process.pid), reads(client), crm_reads(client)):
                sys.stdout.write(line + "\n")
        finally:
            process.terminate()
            process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
