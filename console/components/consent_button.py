"""The button that leads to Xero's consent page."""

from html import escape
from typing import Any

from console.components.html import link
from console.desk import signed_links


def connect_address(connection: str) -> str:
    """Address that begins a consent: the console's route, with the signed pass of the person who looks."""
    return link("xero/connect", connection, **signed_links.connect_pass(connection))


def connect_button(desk: Any, label: str = "Connect Xero", kind: str = "act") -> str:
    """The button that begins a consent, or which role may (HTML)."""
    if not desk.may("connect"):
        return f'<span class="quiet">{escape(label)}: {escape(desk.why_not("connect").lower())}</span>'
    return f'<a class="{kind}" href="{escape(connect_address(desk.name))}">{escape(label)}</a>'
