"""Requests to the console as different browsers send them."""

import httpx
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console import startup_token
from console.desk import signed_links
from console.desk.people import Visitor
from console.request_gate import GATE
from console.routes import ROUTES

HERE = ("127.0.0.1", 50000)


def caller(client: tuple[str, int] = HERE, name: str = "http://localhost:8501", is_let_in: bool = True) -> TestClient:
    """Somebody who calls the routes under a name from an address, with a browser that was let in or not."""
    app = Starlette(routes=ROUTES, middleware=[GATE])
    found = TestClient(app, base_url=name, client=client, follow_redirects=False)
    if is_let_in:
        found.cookies.set(*startup_token.cookie())
    return found


def begin(door: TestClient, connection: str = "default") -> httpx.Response:
    """Press Connect on the Connections page."""
    told = signed_links.pass_for(Visitor("anna", is_here=True), connection, door.cookies)
    return door.get("/xero/connect", params=told)
