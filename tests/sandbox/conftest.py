"""What the sandbox's own tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox

SHARED = Path(__file__).parents[2].parent / "shared"
LOCATION = "SandboxLocation00001"


def shared(*parts: str) -> Path:
    """A file of the reference; tests that need it are skipped where it is not at hand."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the reference file {'/'.join(parts)} is not beside this checkout")
    return path


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A served sandbox with one organisation and nothing in it."""
    with Sandbox(world="empty", limits=False) as made:
        yield made


@pytest.fixture
def quiet() -> Iterator[Sandbox]:
    """A served sandbox with three contacts and three invoices."""
    with Sandbox(world="quiet", limits=False) as made:
        yield made


@pytest.fixture
def desk() -> Any:
    """The Xero desk of an empty world, without a server."""
    return Sandbox(world="empty", limits=False).xero


@pytest.fixture
def crm() -> Any:
    """The CrocoClick desk of an empty world, without a server."""
    return Sandbox(world="empty", limits=False).crococlick


def xero_client(box: Sandbox, scope: str | None = None, **options: Any) -> httpx.Client:
    """A client of the accounting API that has been through consent."""
    token = box.xero.grant(**({"scope": scope} if scope else {}))
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "Xero-Tenant-Id": box.xero.tenant,
        "Accept": "application/json",
    }
    return httpx.Client(base_url=f"{box.url}/api.xro/2.0", headers=headers, timeout=60, **options)


def crm_client(box: Sandbox, token: str = "pit-sandbox") -> httpx.Client:  # noqa: S107 - a public token
    """A client of the CrocoClick API."""
    headers = {"Authorization": f"Bearer {token}", "Version": "2021-07-28", "Accept": "application/json"}
    return httpx.Client(base_url=box.url, headers=headers, timeout=60)


def line(**fields: Any) -> dict[str, Any]:
    """A good line; None takes a field away."""
    made = {"Description": "Conseil", "Quantity": 1, "UnitAmount": 100, "AccountCode": "706", "TaxType": "TAX001"}
    return {k: v for k, v in (made | fields).items() if v is not None}


def invoice(**fields: Any) -> dict[str, Any]:
    """A good approved invoice; None takes a field away."""
    made = {
        "Type": "ACCREC",
        "Contact": {"Name": "Client"},
        "Date": "2026-11-02",
        "DueDate": "2026-12-02",
        "Status": "AUTHORISED",
        "LineItems": [line()],
    }
    return {k: v for k, v in (made | fields).items() if v is not None}


def messages(body: dict[str, Any]) -> list[str]:
    """All validation messages of an answer."""
    elements = body.get("Elements") or next(v for k, v in body.items() if isinstance(v, list))
    return [e["Message"] for element in elements for e in element.get("ValidationErrors", [])]
